/* _ast: the classes of syntax trees and the flags of compile() that concern them. */
#include "modules/ast/ast_objects.h"
#include "object/dict.h"
#include "object/tuple.h"

static bool execute(Value module)
{
    Value empty = ty_tuple_empty(), dict = ty_ast_type.dict;
    return ty_dict_set_text(dict, "_fields", empty) && ty_dict_set_text(dict, "_attributes", empty) &&
           ty_dict_set_text(dict, "__match_args__", empty) && ty_ast_make_classes(module) &&
           ty_module_add_int(module, "PyCF_ONLY_AST", 0x400) && ty_module_add_int(module, "PyCF_OPTIMIZED_AST", 0x8400) &&
           ty_module_add_int(module, "PyCF_TYPE_COMMENTS", TY_PARSE_TYPE_COMMENTS) &&
           ty_module_add_int(module, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000);
}

static TyType *const types[] = {&ty_ast_type, NULL};

const TyModuleDef ty_module__ast = {
    .name = "_ast",
    .types = types,
    .execute = execute,
    .state_count = TY_AST_STATE_COUNT,
};

Value *ty_ast_state(void)
{
    Value module = ty_module_current("_ast");
    return module == TY_NULL ? NULL : ty_module_state(module);
}
