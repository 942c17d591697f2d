#include "compile/compiler.h"

static bool start(TyCompiler *c, const TyAst *tree, const TyCompileOptions *options)
{
    ty_arena_init(&c->arena);
    if (!ty_kept_values_init(&c->kept))
        return false;
    c->filename = ty_keep(c, options->filename);
    c->module = options->module;
    c->flags = options->future_flags;
    c->optimize = options->optimize < 0 ? ty_config_optimize() : options->optimize;
    c->interactive = options->interactive;
    if (!ty_future_flags(tree, c->filename, &c->flags, &c->last_future_line))
        return false;
    c->table = ty_symbol_table_new(tree, c->filename, c->flags);
    return c->table != NULL;
}

Value ty_compile_tree(const TyAst *tree, const TyCompileOptions *options)
{
    TyCompiler c = {0};
    Value code = TY_NULL;
    if (start(&c, tree, options))
        code = ty_compile_module(&c, tree);
    if (c.failed)
        code = TY_NULL;
    ty_symbol_table_free(c.table);
    ty_kept_values_free(&c.kept);
    ty_arena_free(&c.arena);
    return code;
}
