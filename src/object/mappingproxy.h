/* mappingproxy: a read-only view of any mapping; what a class's __dict__ is. */
#ifndef TY_OBJECT_MAPPINGPROXY_H
#define TY_OBJECT_MAPPINGPROXY_H

#include "object/object.h"

typedef struct TyMappingProxy {
    TyObject base;
    Value mapping;
} TyMappingProxy;

extern TyType ty_mappingproxy_type;

Value ty_mappingproxy_new(Value mapping);

#endif
