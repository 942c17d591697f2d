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
    Value ready_spec;           /* its __spec__ when importing last found that nothing initializes the module any more, or TY_NULL */
} TyModule;

extern TyType ty_module_type;

/* Where the module of this spec was loaded from: a str, or TY_NULL without an exception. */
Value ty_spec_origin(Value spec);
/* Whether importlib is still executing the module of this spec. */
bool ty_spec_initializing(Value spec);
/* Whether an import of the module must wait for, or look out for, one that is under way. */
bool ty_module_initializing(Value module);
/* What the module's dict has under that name: no look at the type, no __getattr__, no exception. TY_NULL: look in the slow way. */
Value ty_module_plain_attribute(Value module, Value name);
/* Does a file beside the program hide a module that was meant? Negative: failed. */
enum { TY_SHADOWS_NOTHING, TY_SHADOWS_PERHAPS, TY_SHADOWS_STANDARD };
int ty_module_shadows(Value name, Value origin);
/* Another instance of a built-in module, in the current interpreter, with a copy of `dict`: functions in it are bound to the new one. */
Value ty_module_copy(Value module, Value dict);

#endif
