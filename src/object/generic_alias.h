/* types.GenericAlias: list[int] and its like. */
#ifndef TY_OBJECT_GENERIC_ALIAS_H
#define TY_OBJECT_GENERIC_ALIAS_H

#include "object/native.h"

extern TyType ty_generic_alias_type;

Value ty_generic_alias_new(Value origin, Value arguments); /* arguments: a tuple, or the single one */

/* The class method that makes a built-in type subscriptable: TY_CLASS_GETITEM in its table of methods. */
Value ty_class_getitem(Value type, Value *arguments);
#define TY_CLASS_GETITEM TY_CLASS_METHOD("__class_getitem__(type, item, /)", ty_class_getitem, "The type with its parameters, for annotations.")

#endif
