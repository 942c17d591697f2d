#include "syntax/ast.h"

#include <stdlib.h>

/* Fields of each kind; the entry without a name keeps the array of a kind without fields from being empty. */
#define TY_AST_NODE(sum, name) static const TyAstField fields_of_##name[] = {
#define FIELD(kind, type, field, arity) {#field, TY_AST_SUM_##type, arity, offsetof(TyAst##kind, field)},
#define TY_AST_ONE(kind, type, field) FIELD(kind, type, field, TY_AST_IS_ONE)
#define TY_AST_OPTIONAL(kind, type, field) FIELD(kind, type, field, TY_AST_IS_OPTIONAL)
#define TY_AST_LIST(kind, type, field) FIELD(kind, type, field, TY_AST_IS_LIST)
#define TY_AST_LIST_OF_OPTIONAL(kind, type, field) FIELD(kind, type, field, TY_AST_IS_LIST_OF_OPTIONAL)
#define TY_AST_NODE_END(sum, name) {NULL, 0, 0, 0}};
#include "syntax/ast_table.h"

const TyAstKindInfo ty_ast_kinds[TY_AST_KIND_COUNT] = {
#define TY_AST_NODE(sum, name) \
    [TY_AST_##name] = {#name, TY_AST_SUM_##sum, sizeof fields_of_##name / sizeof(TyAstField) - 1, \
                       sizeof(TyAst##name), fields_of_##name},
#include "syntax/ast_table.h"
};

#define TY_AST_ENUM(sum) static const char *const choices_of_##sum[] = {
#define TY_AST_CHOICE(sum, name) #name,
#define TY_AST_ENUM_END(sum) };
#include "syntax/ast_table.h"

const TyAstSumInfo ty_ast_sums[TY_AST_SUM_COUNT] = {
    [TY_AST_SUM_identifier] = {"identifier", TY_AST_IS_PRIMITIVE, false, 0, NULL},
    [TY_AST_SUM_string] = {"string", TY_AST_IS_PRIMITIVE, false, 0, NULL},
    [TY_AST_SUM_constant] = {"constant", TY_AST_IS_PRIMITIVE, false, 0, NULL},
    [TY_AST_SUM_int] = {"int", TY_AST_IS_PRIMITIVE, false, 0, NULL},
#define POSITION true
#define NO_POSITION false
#define TY_AST_SUM(sum, position) [TY_AST_SUM_##sum] = {#sum, TY_AST_IS_SUM, position, 0, NULL},
#define TY_AST_PRODUCT(sum, position) [TY_AST_SUM_##sum] = {#sum, TY_AST_IS_PRODUCT, position, 0, NULL},
#define TY_AST_ENUM(sum) [TY_AST_SUM_##sum] = {#sum, TY_AST_IS_ENUM, false, TY_AST_COUNT_##sum, choices_of_##sum},
#include "syntax/ast_table.h"
};

TyAst *ty_ast_new(void)
{
    TyAst *ast = calloc(1, sizeof *ast);
    if (!ast) {
        ty_syntax_raise_memory(NULL);
        return NULL;
    }
    ty_arena_init(&ast->arena);
    if (!ty_kept_values_init(&ast->kept)) {
        free(ast);
        return NULL;
    }
    return ast;
}

void ty_ast_free(TyAst *ast)
{
    if (!ast)
        return;
    ty_kept_values_free(&ast->kept);
    ty_arena_free(&ast->arena);
    free(ast);
}

bool ty_ast_keep(TyAst *ast, Value value)
{
    return ty_kept_values_add(&ast->kept, value);
}

TyNode *ty_ast_new_node(TyAst *ast, TyAstKind kind, const TyNode *like)
{
    TyNode *node = ty_arena_allocate_zeroed(&ast->arena, ty_ast_kinds[kind].size);
    if (!node) {
        ty_syntax_raise_memory(NULL);
        return NULL;
    }
    if (like)
        *node = *like;
    node->kind = kind;
    node->flags = 0;
    return node;
}

bool ty_ast_new_list(TyAst *ast, TyNodeList *list, int32_t count)
{
    *list = (TyNodeList){NULL, count};
    if (!count)
        return true;
    list->items = ty_arena_allocate_zeroed(&ast->arena, (size_t)count * sizeof *list->items);
    if (list->items)
        return true;
    list->count = 0;
    ty_syntax_raise_memory(NULL);
    return false;
}
