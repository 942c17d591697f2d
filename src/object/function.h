/* Functions written in Python, bound methods, cells; class and static methods, properties, super. */
#ifndef TY_OBJECT_FUNCTION_H
#define TY_OBJECT_FUNCTION_H

#include "object/code.h"

typedef struct TyFunction { /* code, defaults and kwdefaults may be replaced by any thread: one word each */
    TyObject base;
    TyCode *code;
    TyCaches *_Atomic caches;    /* of this code in this interpreter; NULL before the first call: most functions of a library are never called */
    Value globals, builtins;     /* dicts (builtins: the namespace that globals named when the function was made) */
    Value defaults;              /* tuple or TY_NULL */
    Value kwdefaults;            /* dict or TY_NULL */
    Value closure;               /* tuple of cells or TY_NULL */
    Value name, qualname, module, doc;
    Value annotations, annotate, type_params; /* TY_NULL: none */
    Value crossing;              /* what identifies it to other interpreters, once it has travelled; or TY_NULL */
    Value attributes_spill;      /* TyAttributes with no slots of its own: __dict__ */
} TyFunction;

typedef struct TyBoundMethod { TyObject base; Value function, self; } TyBoundMethod;
typedef struct TyCell { TyObject base; Value content, crossing; } TyCell; /* crossing: as a function's */
typedef struct TyClassMethod { TyObject base; Value callable; Value attributes_spill; } TyClassMethod; /* and static methods */

extern TyType ty_function_type, ty_method_type, ty_cell_type, ty_classmethod_type, ty_staticmethod_type, ty_property_type, ty_super_type;

TY_INLINE bool ty_is_function(Value v) { return ty_is_exact(v, &ty_function_type); }
TY_INLINE TyFunction *ty_as_function(Value v) { return (TyFunction *)ty_object(v); }
TY_INLINE bool ty_is_bound_method(Value v) { return ty_is_exact(v, &ty_method_type); }
TY_INLINE TyBoundMethod *ty_as_bound_method(Value v) { return (TyBoundMethod *)ty_object(v); }
TY_INLINE TyCell *ty_as_cell(Value v) { return (TyCell *)ty_object(v); }

Value ty_function_new(TyCode *code, Value globals);
TyCaches *ty_function_caches(TyFunction *function, TyCode *code); /* when it has none so far; NULL: MemoryError */
Value ty_bound_method_new(Value function, Value self);
Value ty_cell_new(Value content /* TY_NULL: empty */);
Value ty_super_lookup(Value type, Value self, Value name, bool *unbound); /* unbound non-NULL: gives a plain function unbound and says so */

/* vm/call.c: runs a Python function. */
Value ty_function_call(Value function, const Value *arguments, size_t count, Value keywords);

#endif
