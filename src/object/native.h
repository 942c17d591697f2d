/* C functions exposed to Python: each declared once, with its Python signature and docstring.
 *
 *   static Value list_pop(Value self, Value *a) { … a[0] … }
 *   static const TyNativeDef list_methods[] = {
 *       TY_METHOD("pop(self, index=-1, /)", list_pop, "Removes and returns the item at index (by default the last)."),
 *       …, {0} };
 *
 * The signature is Python's own syntax: `/`, `*`, defaults, `*args`, `**kwargs`. The first parameter of a method is `self`, of a class method
 * `type`, of a module's function `module`; it is not in `a`. The C function gets one Value for each other parameter, in order: TY_NULL where an
 * optional one was not given (the default's text is for inspect and help alone), a tuple for *args, a dict for **kwargs. Counting and naming of arguments, with
 * CPython's error texts, is done before. `a` may be written to. A signature that is not Python's (e.g. "range(stop)\nrange(start, stop[, step])")
 * belongs to a raw function, which gets the call as it came and parses it itself.
 *
 * A parsed signature is kept in static memory, made at first use (thread-safe). */
#ifndef TY_OBJECT_NATIVE_H
#define TY_OBJECT_NATIVE_H

#include "object/object.h"

typedef Value (*TyNativeFunction)(Value self, Value *arguments);
typedef TyCallFunction TyNativeRawFunction; /* self, arguments, count, keywords */

enum { TY_NATIVE_FLAT, TY_NATIVE_RAW };
enum { TY_NATIVE_METHOD, TY_NATIVE_CLASS_METHOD, TY_NATIVE_STATIC_METHOD, TY_NATIVE_FUNCTION };

struct TyNativeDef {
    const char *signature; /* "name(parameters)" */
    const char *doc;
    union { TyNativeFunction flat; TyNativeRawFunction raw; } function;
    uint8_t calling, binding;
    bool hidden_signature; /* no __text_signature__ */
};

#define TY_METHOD(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.flat = f, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_METHOD }
#define TY_RAW_METHOD(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.raw = f, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_METHOD }
#define TY_CLASS_METHOD(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.flat = f, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_CLASS_METHOD }
#define TY_RAW_CLASS_METHOD(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.raw = f, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_CLASS_METHOD }
#define TY_STATIC_METHOD(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.flat = f, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_STATIC_METHOD }
#define TY_FUNCTION(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.flat = f, .calling = TY_NATIVE_FLAT, .binding = TY_NATIVE_FUNCTION }
#define TY_RAW_FUNCTION(signature_, f, doc_) { .signature = signature_, .doc = doc_, .function.raw = f, .calling = TY_NATIVE_RAW, .binding = TY_NATIVE_FUNCTION }

struct TyGetSetDef {
    const char *name;
    Value (*get)(Value self);
    bool (*set)(Value self, Value value); /* NULL: read-only; value TY_NULL: delete */
    const char *doc;
};

enum { TY_MEMBER_VALUE /* a Value; TY_NULL reads as AttributeError */, TY_MEMBER_VALUE_NONE /* TY_NULL reads as None */, TY_MEMBER_BOOL, TY_MEMBER_INT32, TY_MEMBER_UINT32, TY_MEMBER_INT64, TY_MEMBER_SIZE, TY_MEMBER_DOUBLE };
struct TyMemberDef {
    const char *name;
    uint8_t kind;
    bool writable;
    uint32_t offset;
    const char *doc;
};

/* Parameters of a signature, parsed. */
#define TY_PARAMETERS_MAX 32
typedef struct TySignature {
    _Atomic int state;           /* 0 not parsed, 1 being parsed, 2 parsed */
    _Atomic uint32_t direct;     /* parsed, and all parameters positional: one more than there are; else 0 */
    const char *text;
    uint8_t positional_only, positional, keyword_only; /* `positional` includes the positional-only ones */
    uint8_t required_positional; /* how many of the positional ones have no default */
    bool star, star_star;
    uint8_t total;               /* Values in the flat array */
    bool required_keyword[TY_PARAMETERS_MAX];
    Value names[TY_PARAMETERS_MAX]; /* interned, pinned */
    bool no_self;                /* of a module's function: only a first parameter called `module` stands for self */
    const char *owner;           /* the type or module it is in, for errors; NULL: none is shown */
    const char *name;            /* of the function; name_length characters */
    uint32_t name_length;
} TySignature;

#define TY_SIGNATURE(text_) { .text = text_ }
TySignature *ty_signature_parsed(TySignature *signature);
/* Distributes a call over flat[signature->total]; false with TypeError raised. For slots.new and slots.init, and raw functions. */
bool ty_parse_arguments(TySignature *signature, const Value *arguments, size_t count, Value keywords, Value *flat);
/* TypeError unless there are no keywords: "name() takes no keyword arguments". */
bool ty_no_keywords(const char *name, Value keywords);
/* TypeError unless minimum <= count <= maximum: "name expected at least 1 argument, got 0" and so on. */
bool ty_check_positional(const char *name, size_t count, size_t minimum, size_t maximum);

/* What the objects that call C begin with. The signature is found when they are first called: NULL before, and for raw functions. */
typedef struct TyNativeCode {
    TyObject base;
    const TyNativeDef *def;
    TySignature *_Atomic signature;
} TyNativeCode;

typedef struct TyNative { /* a built-in function, or method bound to its object */
    TyObject base;
    const TyNativeDef *def;
    TySignature *_Atomic signature;
    Value self;     /* TY_NULL for a static method; the module for a module's function */
    Value module;   /* its name, or TY_NULL */
    Value owner;    /* the type of a method (for __qualname__), or TY_NULL */
} TyNative;

typedef struct TyMethodDescriptor { /* str.join: in a static type's dict */
    TyObject base;
    const TyNativeDef *def;
    TySignature *_Atomic signature;
    TyType *owner;
    Value name;
} TyMethodDescriptor;

extern TyType ty_native_type, ty_method_descriptor_type, ty_class_method_descriptor_type, ty_getset_type, ty_member_type, ty_wrapper_descriptor_type, ty_method_wrapper_type;

Value ty_native_new(const TyNativeDef *def, Value self, Value module, Value owner);
Value ty_native_bind(Value native, Value self);  /* the same function with another self */
/* Calls the C function with self and a Python call's arguments. */
Value ty_native_invoke(TyNativeCode *code, Value self, const Value *arguments, size_t count, Value keywords);

/* Whether a call with exactly so many positional arguments needs no distribution: def->function.flat takes them as they lie, and may write to them. */
TY_INLINE bool ty_native_takes(const TySignature *signature, size_t count)
{
    return signature && ty_load_relaxed(&signature->direct) == count + 1;
}

/* --- arguments to C: each raises the error CPython's argument conversion would ------------------------------------------ */

bool ty_to_int64(Value v, int64_t *out);             /* int or __index__; OverflowError "Python int too large to convert to C long" */
bool ty_to_size(Value v, int64_t *out);              /* the same, "… to C ssize_t" */
bool ty_to_index(Value v, int64_t *out);             /* as an index or slice bound: clamps instead of overflowing */
bool ty_to_int32(Value v, int32_t *out);             /* "Python int too large to convert to C int", "signed integer is …" */
bool ty_to_uint64(Value v, uint64_t *out);
bool ty_to_uint64_mask(Value v, uint64_t *out);      /* modulo 2^64 */
bool ty_to_double(Value v, double *out);             /* float, int, __float__, __index__; "must be real number, not str" */
bool ty_to_bool(Value v, bool *out);
const char *ty_to_utf8(Value v, size_t *size);       /* of a str; NULL with an exception; memory belongs to a heap object that v keeps, or to a fresh one on the C stack's view */
bool ty_require_str(Value v, const char *function, const char *argument); /* "f() argument 1 must be str, not int" */

/* --- modules -------------------------------------------------------------------------------------------------------------- */

/* A built-in module. Its functions and types are static; what it keeps per interpreter goes into its module object: its dict, or ty_module_state. */
typedef struct TyModuleDef {
    const char *name;
    const char *doc;
    const TyNativeDef *functions;
    TyType *const *types;                 /* NULL-ended; made ready and added under their short names */
    bool (*execute)(Value module);        /* adds constants and the rest; may be NULL */
    size_t state_count;                   /* Values of ty_module_state */
    bool (*renew)(Value module);          /* of a large module whose instances are alike: others are copies of the first (lists and dicts in it too) on which
                                           * this is called in place of `execute`; NULL: each is made for itself */
} TyModuleDef;

Value ty_module_create(const TyModuleDef *def);  /* in the current interpreter */
Value ty_module_new(Value name);                 /* an empty one */
Value ty_module_dict(Value module);
bool ty_module_add(Value module, const char *name, Value value); /* value TY_NULL: passes the error on */
bool ty_module_add_int(Value module, const char *name, int64_t value);
bool ty_module_add_str(Value module, const char *name, const char *value);
Value *ty_module_state(Value module);            /* state_count Values, kept by the module */
Value ty_module_current(const char *name);       /* the interpreter's instance of a built-in module, made if need be */
/* The list of built-in modules, by tools/registry: each `const TyModuleDef ty_module_…` that a source defines. */
extern const TyModuleDef *const ty_builtin_modules[];

/* Built-in modules that stand on a library of their own: those of src/extensions, each linked with its library into a file that is loaded when the
 * module is first imported. Nothing else about them is different: to Python they are built-in modules. */
typedef struct TyExtension {
    const char *module;                          /* defined by the file as ty_module_NAME */
    const char *file;                            /* without folder and suffix */
} TyExtension;
extern const TyExtension ty_extension_modules[]; /* ended by an empty one; by tools/registry */
bool ty_module_is_builtin(const char *name);     /* in either list; loads nothing */
/* The definition in the extension's file, loaded if need be; NULL with ImportError. runtime/extension.c */
extern const TyModuleDef *ty_extension_load(const TyExtension *extension);

#endif
