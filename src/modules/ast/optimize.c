/* What compile() does to a tree that is asked for optimised: signed and complex numbers in patterns become constants, __debug__ its
 * value, and docstrings go at level 2. */
#include "modules/ast/ast_objects.h"
#include "object/exception.h"
#include "object/str.h"

typedef struct Optimizer {
    TyAst *ast;
    int level;
} Optimizer;

static bool optimize(Optimizer *o, TyNode **place);

static TyNode *constant(Optimizer *o, const TyNode *like, Value value)
{
    TyAstConstant *node = value == TY_NULL || !ty_ast_keep(o->ast, value) ? NULL : TY_AST_NEW(o->ast, Constant, like);
    if (!node)
        return NULL;
    node->value = value;
    return &node->node;
}

/* A number of a pattern: -1, 1 + 2j. */
static bool fold_number(Optimizer *o, TyNode **place)
{
    TyNode *node = *place;
    if (node && node->kind == TY_AST_UnaryOp && TY_AST(UnaryOp, node)->op == TY_AST_USub) {
        TyNode *operand = TY_AST(UnaryOp, node)->operand;
        if (operand->kind == TY_AST_Constant)
            return (*place = constant(o, node, ty_negative(TY_AST(Constant, operand)->value))) != NULL;
    }
    if (node && node->kind == TY_AST_BinOp) {
        TyAstBinOp *sum = TY_AST(BinOp, node);
        if (!fold_number(o, &sum->left) || !fold_number(o, &sum->right))
            return false;
        if (sum->left->kind == TY_AST_Constant && sum->right->kind == TY_AST_Constant && (sum->op == TY_AST_Add || sum->op == TY_AST_Sub))
            return (*place = constant(o, node, ty_binary(sum->op == TY_AST_Add ? TY_BINARY_ADD : TY_BINARY_SUBTRACT,
                                                         TY_AST(Constant, sum->left)->value, TY_AST(Constant, sum->right)->value))) != NULL;
    }
    return true;
}

/* Takes the docstring out of a body; a body of nothing else becomes `pass`. */
static bool drop_docstring(Optimizer *o, TyNodeList *body)
{
    if (o->level < 2 || !body->count || body->items[0]->kind != TY_AST_Expr)
        return true;
    TyNode *value = TY_AST(Expr, body->items[0])->value;
    if (value->kind != TY_AST_Constant || !ty_is_str(TY_AST(Constant, value)->value))
        return true;
    if (body->count > 1) {
        body->items++;
        body->count--;
        return true;
    }
    TyAstPass *pass = TY_AST_NEW(o->ast, Pass, body->items[0]);
    if (!pass)
        return false;
    pass->node.end_lineno = pass->node.lineno;
    pass->node.end_col_offset = pass->node.col_offset + 4;
    body->items[0] = &pass->node;
    return true;
}

static bool optimize_children(Optimizer *o, TyNode *node)
{
    const TyAstKindInfo *kind = &ty_ast_kinds[node->kind];
    for (int i = 0; i < kind->field_count; i++) {
        const TyAstField *field = &kind->fields[i];
        if (ty_ast_sums[field->type].form != TY_AST_IS_SUM && ty_ast_sums[field->type].form != TY_AST_IS_PRODUCT)
            continue;
        char *place = (char *)node + field->offset;
        if (field->arity < TY_AST_IS_LIST) {
            if (!optimize(o, (TyNode **)place))
                return false;
            continue;
        }
        TyNodeList *list = (TyNodeList *)place;
        for (int32_t k = 0; k < list->count; k++)
            if (!optimize(o, &list->items[k]))
                return false;
    }
    return true;
}

static bool optimize(Optimizer *o, TyNode **place)
{
    TyNode *node = *place;
    if (!node)
        return true;
    if (ty_c_stack_low()) {
        ty_raise_recursion_error(" during compilation");
        return false;
    }
    switch (node->kind) {
    case TY_AST_Name:
        if (TY_AST(Name, node)->ctx == TY_AST_Load && ty_str_equal_text(TY_AST(Name, node)->id, "__debug__"))
            return (*place = constant(o, node, ty_from_bool(o->level == 0))) != NULL;
        return true;
    case TY_AST_MatchValue:
        return fold_number(o, &TY_AST(MatchValue, node)->value);
    case TY_AST_MatchMapping:
        for (int32_t i = 0; i < TY_AST(MatchMapping, node)->keys.count; i++)
            if (!fold_number(o, &TY_AST(MatchMapping, node)->keys.items[i]))
                return false;
        break;
    case TY_AST_Module:
        if (!drop_docstring(o, &TY_AST(Module, node)->body))
            return false;
        break;
    case TY_AST_FunctionDef: case TY_AST_AsyncFunctionDef:
        if (!drop_docstring(o, &TY_AST(FunctionDef, node)->body))
            return false;
        break;
    case TY_AST_ClassDef:
        if (!drop_docstring(o, &TY_AST(ClassDef, node)->body))
            return false;
        break;
    }
    return optimize_children(o, node);
}

bool ty_ast_optimize(TyAst *ast, int level)
{
    Optimizer o = {ast, level};
    return optimize(&o, &ast->root);
}
