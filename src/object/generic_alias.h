/* types.GenericAlias, list[int] and its like, and typing.Union, int | str: types as annotations describe them. Both may have type parameters, which subscripting
 * replaces. */
#ifndef TY_OBJECT_GENERIC_ALIAS_H
#define TY_OBJECT_GENERIC_ALIAS_H

#include "object/native.h"

typedef struct TyGenericAlias {
    TyObject base;
    Value origin, arguments;  /* arguments: a tuple */
    _Atomic Value parameters; /* tuple of the type parameters in the arguments; TY_NULL: not looked for yet */
    bool starred;             /* *tuple[int] */
} TyGenericAlias;

typedef struct TyUnion {
    TyObject base;
    Value arguments;          /* a tuple of at least two different types */
    _Atomic Value parameters;
    int64_t unhashable;       /* how many of the arguments had no hash when it was made */
} TyUnion;

extern TyType ty_generic_alias_type, ty_generic_alias_iterator_type, ty_union_type;

Value ty_generic_alias_new(Value origin, Value arguments); /* arguments: a tuple, or the single one */
Value ty_union_or(Value left, Value right);                /* NotImplemented unless both can be part of a union */
Value ty_union_checked(Value left, Value right);           /* the same, but other objects are checked, and strings made references, by the typing module */
Value ty_union_make(const Value *types, size_t count);     /* flattened, without duplicates; a single one is itself */

/* What both have in common; also typing's own objects may use them. */
Value ty_type_parameters_of(Value arguments);              /* tuple */
Value ty_type_parameters_replace(Value self, Value arguments, Value parameters, Value item); /* tuple of new arguments */
bool ty_type_argument_repr(Value argument, Value *text);   /* as annotations show it */

/* The class method that makes a built-in type subscriptable: TY_CLASS_GETITEM in its table of methods. */
Value ty_class_getitem(Value type, Value *arguments);
#define TY_CLASS_GETITEM TY_CLASS_METHOD("__class_getitem__(type, item, /)", ty_class_getitem, "The type with its parameters, for annotations.")

#endif
