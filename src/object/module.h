/* Modules: a name and a dict. */
#ifndef TY_OBJECT_MODULE_H
#define TY_OBJECT_MODULE_H

#include "object/native.h"

typedef struct TyModule {
    TyObject base;
    Value dict;                 /* its __dict__: a dict, made with the module */
    const TyModuleDef *def;     /* of a built-in module, or NULL */
    Value state;                /* TyArray of def->state_count Values, or TY_NULL */
    Value name;                 /* str it was made with, or TY_NULL */
} TyModule;

extern TyType ty_module_type;

#endif
