/* Types and the generic operations on objects.
 *
 * A type is a TyObject whose head is what the heap knows of its instances (TyLayout) and whose body is a table of slots: C functions,
 * one for each thing that the language does to an object. Built-in types are static and immutable and shared by all
 * interpreters; classes made by `class` are heap objects whose slots call the methods defined in Python. The slots are declared
 * once, in object/slots.h; from that table come the wrapper descriptors (`int.__add__`) and the slots of Python classes.
 *
 * Conventions: a function that returns Value gives TY_NULL when it failed, one that returns bool gives false, one that returns int or
 * int64_t gives -1; the exception is then in the thread. `next` alone may return TY_NULL with no exception: the end.
 * Values passed in are never TY_NULL unless the parameter's comment says so. */
#ifndef TY_OBJECT_OBJECT_H
#define TY_OBJECT_OBJECT_H

#include "heap/thread.h"

/* --- signatures of slots ------------------------------------------------------------------------------------------ */

typedef Value (*TyUnaryFunction)(Value self);
typedef Value (*TyBinaryFunction)(Value left, Value right); /* either may be of the type; TY_NOT_IMPLEMENTED: try the other */
typedef Value (*TyTernaryFunction)(Value base, Value exponent, Value modulus); /* modulus TY_NONE if absent */
typedef int (*TyTestFunction)(Value self);
typedef int64_t (*TyLengthFunction)(Value self);
typedef int64_t (*TyHashFunction)(Value self);                         /* never -1 but for an error */
typedef Value (*TyCompareFunction)(Value left, Value right, int op);   /* left is of the type */
typedef bool (*TyStoreFunction)(Value self, Value key, Value value);   /* value TY_NULL: delete */
typedef int (*TyContainsFunction)(Value self, Value item);
typedef Value (*TyItemFunction)(Value self, int64_t index);
typedef Value (*TyCallFunction)(Value callable, const Value *arguments, size_t count, Value keywords);
typedef Value (*TyNewFunction)(TyType *type, const Value *arguments, size_t count, Value keywords);
typedef bool (*TyInitFunction)(Value self, const Value *arguments, size_t count, Value keywords);
typedef Value (*TyDescriptorGet)(Value descriptor, Value object, Value type); /* object TY_NULL: looked up on the class; type may be TY_NULL */
typedef bool (*TyDescriptorSet)(Value descriptor, Value object, Value value); /* value TY_NULL: delete */

/* Calls: `count` positional arguments at `arguments`, followed by the values of the keywords; `keywords` is a tuple of str, or TY_NULL.
 * The array belongs to the caller and is not changed. */

typedef struct TyBuffer TyBuffer; /* object/buffer.h */

#define TY_BINARY_OPERATORS(X) /* name, slot, operator, __name__, __rname__, __iname__ */ \
    X(ADD, add, "+", "__add__", "__radd__", "__iadd__") \
    X(SUBTRACT, subtract, "-", "__sub__", "__rsub__", "__isub__") \
    X(MULTIPLY, multiply, "*", "__mul__", "__rmul__", "__imul__") \
    X(TRUE_DIVIDE, true_divide, "/", "__truediv__", "__rtruediv__", "__itruediv__") \
    X(FLOOR_DIVIDE, floor_divide, "//", "__floordiv__", "__rfloordiv__", "__ifloordiv__") \
    X(REMAINDER, remainder, "%", "__mod__", "__rmod__", "__imod__") \
    X(POWER, power, "** or pow()", "__pow__", "__rpow__", "__ipow__") \
    X(MATRIX_MULTIPLY, matrix_multiply, "@", "__matmul__", "__rmatmul__", "__imatmul__") \
    X(LEFT_SHIFT, left_shift, "<<", "__lshift__", "__rlshift__", "__ilshift__") \
    X(RIGHT_SHIFT, right_shift, ">>", "__rshift__", "__rrshift__", "__irshift__") \
    X(AND, and, "&", "__and__", "__rand__", "__iand__") \
    X(OR, or, "|", "__or__", "__ror__", "__ior__") \
    X(XOR, xor, "^", "__xor__", "__rxor__", "__ixor__")

typedef enum TyBinaryOperator {
#define TY_BINARY_ENUM(name, slot, text, method, reflected, inplace) TY_BINARY_##name,
    TY_BINARY_OPERATORS(TY_BINARY_ENUM)
#undef TY_BINARY_ENUM
    TY_BINARY_DIVMOD, /* has no in-place form */
    TY_BINARY_COUNT
} TyBinaryOperator;

enum { TY_LT, TY_LE, TY_EQ, TY_NE, TY_GT, TY_GE };

typedef struct TySlots {
    /* any object */
    TyUnaryFunction repr, str;
    TyHashFunction hash;            /* ty_hash_unhashable for unhashable types */
    TyCompareFunction compare;
    Value (*get_attribute)(Value self, Value name);
    bool (*set_attribute)(Value self, Value name, Value value);
    TyCallFunction call;
    TyUnaryFunction iter, next;
    TyDescriptorGet get;
    TyDescriptorSet set;
    TyNewFunction new;
    TyInitFunction init;
    TyUnaryFunction await, aiter, anext;
    Value (*send)(Value self, Value value, bool *returned); /* of an iterator in C that `await` may delegate to: its result comes without a StopIteration. Not inherited */
    /* numbers; `binary[TY_BINARY_POWER]` is called without a modulus, `power` with one */
    TyBinaryFunction binary[TY_BINARY_COUNT];
    TyBinaryFunction inplace[TY_BINARY_COUNT];
    TyTernaryFunction power;
    TyUnaryFunction negative, positive, absolute, invert, to_int, to_float, index;
    TyTestFunction to_bool;
    /* containers */
    TyLengthFunction length;
    TyBinaryFunction get_item;      /* self[key] for any key */
    TyStoreFunction set_item;
    TyContainsFunction contains;
    TyItemFunction item;            /* self[index] for an index already known to be an int, not negative-adjusted: sequences only */
    TyBinaryFunction concat, inplace_concat;         /* sequences' + : tried after the number slots of both sides */
    Value (*repeat)(Value self, int64_t count);
    Value (*inplace_repeat)(Value self, int64_t count);
    /* buffers */
    bool (*get_buffer)(Value self, TyBuffer *view, int flags);
    void (*release_buffer)(Value self, TyBuffer *view);
} TySlots;

/* Type flags. */
#define TY_TYPE_HEAP 0x0001u          /* made at run time: a heap object */
#define TY_TYPE_FINAL 0x0002u         /* may not be subclassed: "type 'bool' is not an acceptable base type" */
#define TY_TYPE_IMMUTABLE 0x0004u     /* attributes may not be set: all static types */
#define TY_TYPE_NO_NEW 0x0008u        /* cannot create 'x' instances */
#define TY_TYPE_SEQUENCE 0x0010u      /* matches sequence patterns */
#define TY_TYPE_MAPPING 0x0020u       /* matches mapping patterns */
#define TY_TYPE_MATCH_SELF 0x0040u    /* a class pattern's one positional captures the subject */
#define TY_TYPE_WEAKREFABLE 0x0080u   /* instances can be weakly referenced */
#define TY_TYPE_METHOD 0x0100u        /* instances are functions that bind as methods: LOAD_METHOD needs no bound method */
#define TY_TYPE_ABSTRACT 0x0200u      /* has __abstractmethods__ */
#define TY_TYPE_HAS_DICT 0x0400u      /* instances have attributes of their own (attributes_offset is set) */
#define TY_TYPE_VARIABLE 0x0800u      /* variable size: attributes lie behind the items (ty_object_attributes) */
#define TY_TYPE_INT 0x01000u          /* the type is, or derives from, … */
#define TY_TYPE_LIST 0x02000u
#define TY_TYPE_TUPLE 0x04000u
#define TY_TYPE_BYTES 0x08000u
#define TY_TYPE_STR 0x10000u
#define TY_TYPE_DICT 0x20000u
#define TY_TYPE_EXCEPTION 0x40000u
#define TY_TYPE_TYPE 0x80000u
#define TY_TYPE_FLOAT 0x100000u
#define TY_TYPE_SET 0x200000u         /* set or frozenset */
#define TY_TYPE_FAMILY 0x3FF000u      /* inherited by every subclass, as are SEQUENCE, MAPPING, MATCH_SELF */
#define TY_TYPE_READY 0x400000u
#define TY_TYPE_CUSTOM_GETATTR 0x800000u /* get_attribute is not the generic one: no inline caching of attributes */
#define TY_TYPE_SHOWN_AS_HEAP 0x2000000u /* static here, but __flags__ says heap type: pickle must not take it for the layout of its subclasses */
#define TY_TYPE_UNCACHED 0x1000000u     /* the mro names classes that are no bases: their changes do not reach it, so it never gets a version */

typedef struct TyNativeDef TyNativeDef; /* object/native.h */
typedef struct TyGetSetDef TyGetSetDef;
typedef struct TyMemberDef TyMemberDef;
typedef struct TyShape TyShape;         /* object/shape.h */

struct TyType {
    TyObject base;
    TyLayout layout;
    uint32_t flags;
    _Atomic uint32_t version;     /* changes when the type or a base changes; 0: none given yet */
    uint32_t attributes_offset;   /* of TyAttributes in a fixed-size instance; 0: none */
    uint32_t slots_offset;        /* of the first of the __slots__ of this class in an instance */
    uint32_t tail_slots;          /* bytes of the __slots__ of this and its base classes at the end of instances of variable size */
    uint32_t inline_count;        /* attributes that fit in the instance itself */
    bool inline_frozen;           /* slots follow the attributes: subclasses may not widen them */
    const char *name;             /* UTF-8; static types: with the module, "collections.deque", builtins without */
    const char *doc;              /* static types: starts with the signature line(s) as in native.h, then the text; or NULL */
    TyType *parent;               /* the base whose layout instances extend; NULL only for object */
    TySlots slots;
    const TyNativeDef *methods;   /* ended by an empty one; or NULL */
    const TyGetSetDef *getsets;
    const TyMemberDef *members;
    TyType *static_bases[2];      /* further bases of a static type (rare) */
    /* Filled by ty_type_ready, or when the class is made. */
    Value bases, mro;             /* tuples */
    Value dict;                   /* a dict */
    Value name_value, qualname_value; /* str */
    Value subclasses;             /* of a heap type: list of weak references; static ones: in the interpreter */
    Value slot_names;             /* tuple of __slots__ of this class, or TY_NULL */
    Value abstract_methods, annotate, annotation_cache, type_params;
    Value module_state;           /* what C modules keep with a heap type they make */
    Value crossing;               /* of a heap type: what identifies it to other interpreters, once it has travelled; or TY_NULL */
    TyInterpreter *interpreter;   /* of a heap type */
};

extern TyType ty_type_type, ty_object_type_; /* `type` and `object` */
#define ty_object_base_type ty_object_type_

#define TY_STATIC_HEADER(metatype) { .pins = 0, .bits = 0, .type = &(metatype) }

/* --- what a value is ------------------------------------------------------------------------------------------------ */

extern TyType ty_int_type, ty_float_type, ty_bool_type, ty_none_type, ty_ellipsis_type, ty_not_implemented_type;
extern TyObject ty_none_object, ty_not_implemented_object, ty_ellipsis_object;
extern TyObject ty_true_object, ty_false_object; /* instances of bool */

#define TY_NONE ty_from_object(&ty_none_object)
#define TY_TRUE ty_from_object(&ty_true_object)
#define TY_FALSE ty_from_object(&ty_false_object)
#define TY_NOT_IMPLEMENTED ty_from_object(&ty_not_implemented_object)
#define TY_ELLIPSIS ty_from_object(&ty_ellipsis_object)
TY_INLINE Value ty_from_bool(bool b) { return b ? TY_TRUE : TY_FALSE; }

TY_INLINE TyType *ty_type_of(Value v)
{
    if (TY_LIKELY(ty_is_object(v)))
        return ty_object_type(ty_object(v));
    return ty_is_immediate_int(v) ? &ty_int_type : &ty_float_type;
}
TY_INLINE TyType *ty_as_type(Value v) { return (TyType *)ty_object(v); }
TY_INLINE bool ty_is_exact(Value v, const TyType *type) { return ty_is_object(v) && ty_object_type(ty_object(v)) == type; }
TY_INLINE bool ty_in_family(Value v, uint32_t family) /* one TY_TYPE_… family flag */
{
    return (ty_type_of(v)->flags & family) != 0;
}
bool ty_type_is_subtype(const TyType *type, const TyType *ancestor); /* by the mro */
TY_INLINE bool ty_is_instance_of(Value v, const TyType *type)      /* by the real type, without __instancecheck__ */
{
    TyType *t = ty_type_of(v);
    return t == type || ty_type_is_subtype(t, type);
}
TY_INLINE bool ty_is_type(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_TYPE); }
const char *ty_type_short_name(const TyType *type); /* without the module: as error messages show it */

/* --- generic operations ---------------------------------------------------------------------------------------------- */

Value ty_get_attribute(Value object, Value name);
Value ty_get_attribute_or_null(Value object, Value name, bool *failed); /* TY_NULL and not failed: there is none (AttributeError is swallowed, or never made) */
bool ty_set_attribute(Value object, Value name, Value value);          /* value TY_NULL: delete */
Value ty_generic_get_attribute(Value object, Value name);
Value ty_generic_find_attribute(Value object, Value name);             /* the same, but TY_NULL without exception when there is none */
bool ty_generic_set_attribute(Value object, Value name, Value value);
Value ty_type_lookup(TyType *type, Value name);                        /* along the mro, no binding; TY_NULL without an exception if missing */
Value ty_lookup_special(Value object, Value name);                     /* bound special method from the type; TY_NULL without exception if missing */
Value ty_call_special(Value object, Value name, const Value *arguments, size_t count); /* AttributeError if missing */

Value ty_repr(Value v);            /* str */
Value ty_str(Value v);             /* str */
Value ty_ascii(Value v);
Value ty_format(Value v, Value spec);  /* spec str or TY_NULL */
int64_t ty_hash(Value v);
int64_t ty_hash_unhashable(Value v);
int64_t ty_hash_identity(Value v);
Value ty_compare(Value left, Value right, int op);  /* any object, as a < b */
int ty_compare_bool(Value left, Value right, int op); /* identity implies equality, as containers compare */
TY_INLINE int ty_equal(Value left, Value right)
{
    if (ty_are_immediate_ints(left, right))
        return left == right;
    return left == right && !ty_is_double(left) ? 1 : ty_compare_bool(left, right, TY_EQ);
}
int ty_is_true_slow(Value v);
TY_INLINE int ty_is_true(Value v)
{
    if (v == TY_TRUE)
        return 1;
    if (v == TY_FALSE || v == TY_NONE)
        return 0;
    return ty_is_true_slow(v);
}

/* The length of an array on the C stack for `count` Values, count > 0. It leaves no room that nobody writes, if its last is written, for
 * stacks are aligned to two words: what calls before this one left there would be kept alive. */
#define TY_ROOM(count) (((size_t)(count) + 1) & ~(size_t)1)

/* `arguments` is never NULL: callees copy and compare what is there, be it nothing. */
extern const Value ty_no_arguments[1];
Value ty_call(Value callable, const Value *arguments, size_t count, Value keywords);
Value ty_call_none(Value callable);
Value ty_call_one(Value callable, Value argument);
Value ty_call_two(Value callable, Value first, Value second);
Value ty_call_with(Value callable, Value arguments_tuple, Value keywords_dict); /* keywords_dict may be TY_NULL */
Value ty_call_method(Value object, Value name, const Value *arguments, size_t count); /* object.name(...), no bound method made where avoidable */
Value ty_call_method_none(Value object, Value name);
Value ty_call_method_one(Value object, Value name, Value argument);
int ty_is_callable(Value v);

Value ty_iter(Value v);
Value ty_next(Value iterator);     /* TY_NULL without exception at the end (StopIteration swallowed) */
int64_t ty_length(Value v);
int64_t ty_length_hint(Value v, int64_t guess);
Value ty_get_item(Value container, Value key);
bool ty_set_item(Value container, Value key, Value value);
bool ty_delete_item(Value container, Value key);
Value ty_sequence_item(Value sequence, int64_t index);
int ty_contains(Value container, Value item);
bool ty_is_sequence(Value v);      /* has item access and is no dict, as PySequence_Check */
bool ty_is_mapping(Value v);
bool ty_is_iterator(Value v);
Value ty_sequence_list(Value v);   /* list(v) */
Value ty_sequence_tuple(Value v);  /* tuple(v); v itself if an exact tuple */
Value ty_sequence_fast(Value v, const char *message); /* v if list or tuple, else a list; TypeError with the message if not iterable */

Value ty_binary(TyBinaryOperator op, Value left, Value right);
Value ty_inplace(TyBinaryOperator op, Value left, Value right);
Value ty_power(Value base, Value exponent, Value modulus);
Value ty_negative(Value v);
Value ty_positive(Value v);
Value ty_invert(Value v);
Value ty_absolute(Value v);
Value ty_number_index(Value v);    /* an int by __index__; TypeError "'x' object cannot be interpreted as an integer" */
Value ty_number_int(Value v);      /* int(v) */
Value ty_number_float(Value v);    /* float(v) */
bool ty_has_index(Value v);

int ty_isinstance(Value v, Value class_or_tuple);  /* with __instancecheck__ */
int ty_issubclass(Value class, Value class_or_tuple);
Value ty_dir(Value v);
Value ty_identity(Value v);        /* id() */

/* --- types ------------------------------------------------------------------------------------------------------------- */

bool ty_type_ready(TyType *type);  /* a static type: inherits slots, fills dict and mro; at start only */
void ty_type_modified(TyType *type);
/* type(name, bases, namespace) for C modules that need a class at run time. */
Value ty_type_new(TyType *metatype, Value name, Value bases, Value namespace, Value keyword_names, const Value *keyword_values);
Value ty_type_allocate(TyType *type, size_t item_count); /* an instance's memory, attributes included: what object.__new__ does */
Value ty_type_from_name(const char *dotted, TyType *base, Value namespace); /* an exception class and the like, for C modules */
Value ty_type_module(TyType *type); /* __module__ */

/* Makes every static type ready, in order; part of start-up. A module's types are readied by the module. */
bool ty_types_start(void);

#endif
