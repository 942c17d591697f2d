/* types.SimpleNamespace: an object that is its attributes; sys.implementation is one. */
#ifndef TY_OBJECT_NAMESPACE_H
#define TY_OBJECT_NAMESPACE_H

#include "object/object.h"

extern TyType ty_namespace_type;

Value ty_namespace_new(Value dict); /* with the dict's pairs as attributes */

#endif
