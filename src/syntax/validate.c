#include "syntax/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool expression(const TyNode *node, TyAst_expr_context context);
static bool statements(const TyNodeList *list);
static bool pattern(const TyNode *node, bool star_allowed);

/* ---- failing ------------------------------------------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) static bool fail(const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ty_syntax_raise_value(message);
    return false;
}

static bool fail_type(const char *message)
{
    ty_syntax_raise_type(message);
    return false;
}

static bool stack_is_left(void)
{
    if ((char *)__builtin_frame_address(0) > ty_syntax_stack_limit())
        return true;
    ty_syntax_raise_recursion(" during compilation");
    return false;
}

/* ---- pieces ------------------------------------------------------------------------------------------- */

static bool positions(const TyNode *node)
{
    if (node->lineno > node->end_lineno)
        return fail("AST node line range (%d, %d) is not valid", node->lineno, node->end_lineno);
    if ((node->lineno < 0 && node->end_lineno != node->lineno) ||
        (node->col_offset < 0 && node->col_offset != node->end_col_offset))
        return fail("AST node column range (%d, %d) for line range (%d, %d) is not valid", node->col_offset,
                    node->end_col_offset, node->lineno, node->end_lineno);
    if (node->lineno == node->end_lineno && node->col_offset > node->end_col_offset)
        return fail("line %d, column %d-%d is not a valid range", node->lineno, node->col_offset,
                    node->end_col_offset);
    return true;
}

/* Whether the name is the text. */
static bool name_is(Value name, const char *text)
{
    size_t size;
    char *utf8 = ty_syntax_utf8(name, &size);
    bool same = utf8 && size == strlen(text) && memcmp(utf8, text, size) == 0;
    if (!utf8)
        ty_syntax_clear_exception();
    free(utf8);
    return same;
}

static bool identifier(Value name)
{
    static const char *const forbidden[] = {"None", "True", "False"};
    for (int i = 0; i < 3; i++)
        if (name_is(name, forbidden[i]))
            return fail("identifier field can't represent '%s' constant", forbidden[i]);
    return true;
}

static bool not_empty(int count, const char *what, const char *owner)
{
    return count > 0 || fail("empty %s on %s", what, owner);
}

static bool body(const TyNodeList *list, const char *owner)
{
    return not_empty(list->count, "body", owner) && statements(list);
}

static bool expressions(const TyNodeList *list, TyAst_expr_context context, bool null_allowed)
{
    for (int i = 0; i < list->count; i++) {
        if (list->items[i]) {
            if (!expression(list->items[i], context))
                return false;
        } else if (!null_allowed) {
            return fail("None disallowed in expression list");
        }
    }
    return true;
}

static bool optional_expression(const TyNode *node)
{
    return !node || expression(node, TY_AST_Load);
}

static bool targets(const TyNodeList *list, TyAst_expr_context context)
{
    return not_empty(list->count, "targets", context == TY_AST_Del ? "Delete" : "Assign") &&
           expressions(list, context, false);
}

static bool keywords(const TyNodeList *list)
{
    for (int i = 0; i < list->count; i++)
        if (!positions(list->items[i]) || !expression(TY_AST(keyword, list->items[i])->value, TY_AST_Load))
            return false;
    return true;
}

static bool generators(const TyNodeList *list)
{
    if (!list->count)
        return fail("comprehension with no generators");
    for (int i = 0; i < list->count; i++) {
        const TyAstcomprehension *clause = TY_AST(comprehension, list->items[i]);
        if (!expression(clause->target, TY_AST_Store) || !expression(clause->iter, TY_AST_Load) ||
            !expressions(&clause->ifs, TY_AST_Load, false))
            return false;
    }
    return true;
}

static bool parameter(const TyNode *node)
{
    return !node || (positions(node) && optional_expression(TY_AST(arg, node)->annotation));
}

static bool parameters(const TyNodeList *list)
{
    for (int i = 0; i < list->count; i++)
        if (!parameter(list->items[i]))
            return false;
    return true;
}

static bool arguments(const TyNode *node)
{
    const TyAstarguments *all = TY_AST(arguments, node);
    if (!parameters(&all->posonlyargs) || !parameters(&all->args) || !parameter(all->vararg) ||
        !parameters(&all->kwonlyargs) || !parameter(all->kwarg))
        return false;
    if (all->defaults.count > all->posonlyargs.count + all->args.count)
        return fail("more positional defaults than args on arguments");
    if (all->kw_defaults.count != all->kwonlyargs.count)
        return fail("length of kwonlyargs is not the same as kw_defaults on arguments");
    return expressions(&all->defaults, TY_AST_Load, false) && expressions(&all->kw_defaults, TY_AST_Load, true);
}

static bool type_parameters(const TyNodeList *list)
{
    for (int i = 0; i < list->count; i++) {
        const TyNode *node = list->items[i];
        if (!positions(node))
            return false;
        bool good;
        switch (node->kind) {
        case TY_AST_TypeVar:
            good = identifier(TY_AST(TypeVar, node)->name) && optional_expression(TY_AST(TypeVar, node)->bound) &&
                   optional_expression(TY_AST(TypeVar, node)->default_value);
            break;
        case TY_AST_ParamSpec:
            good = identifier(TY_AST(ParamSpec, node)->name) &&
                   optional_expression(TY_AST(ParamSpec, node)->default_value);
            break;
        default:
            good = identifier(TY_AST(TypeVarTuple, node)->name) &&
                   optional_expression(TY_AST(TypeVarTuple, node)->default_value);
        }
        if (!good)
            return false;
    }
    return true;
}

/* ---- expressions ------------------------------------------------------------------------------------------ */

/* The context a node says it has; false: it has none to say. */
static bool own_context(const TyNode *node, TyAst_expr_context *context)
{
    switch (node->kind) {
    case TY_AST_Attribute: *context = TY_AST(Attribute, node)->ctx; return true;
    case TY_AST_Subscript: *context = TY_AST(Subscript, node)->ctx; return true;
    case TY_AST_Starred: *context = TY_AST(Starred, node)->ctx; return true;
    case TY_AST_Name: *context = TY_AST(Name, node)->ctx; return true;
    case TY_AST_List: *context = TY_AST(List, node)->ctx; return true;
    case TY_AST_Tuple: *context = TY_AST(Tuple, node)->ctx; return true;
    default: return false;
    }
}

static bool in_context(const TyNode *node, TyAst_expr_context wanted)
{
    const char *const *names = ty_ast_sums[TY_AST_SUM_expr_context].choices;
    TyAst_expr_context actual;
    if (!own_context(node, &actual))
        return wanted == TY_AST_Load ||
               fail("expression which can't be assigned to in %s context", names[wanted]);
    return wanted == actual ||
           fail("expression must have %s context but has %s instead", names[wanted], names[actual]);
}

static bool expression(const TyNode *node, TyAst_expr_context context)
{
    if (!positions(node) || !stack_is_left())
        return false;
    if (node->kind == TY_AST_Name && !identifier(TY_AST(Name, node)->id))
        return false;
    if (!in_context(node, context))
        return false;
    const TyAst_expr_context load = TY_AST_Load;
    switch (node->kind) {
    case TY_AST_BoolOp:
        if (TY_AST(BoolOp, node)->values.count < 2)
            return fail("BoolOp with less than 2 values");
        return expressions(&TY_AST(BoolOp, node)->values, load, false);
    case TY_AST_BinOp:
        return expression(TY_AST(BinOp, node)->left, load) && expression(TY_AST(BinOp, node)->right, load);
    case TY_AST_UnaryOp: return expression(TY_AST(UnaryOp, node)->operand, load);
    case TY_AST_Lambda:
        return arguments(TY_AST(Lambda, node)->args) && expression(TY_AST(Lambda, node)->body, load);
    case TY_AST_IfExp:
        return expression(TY_AST(IfExp, node)->test, load) && expression(TY_AST(IfExp, node)->body, load) &&
               expression(TY_AST(IfExp, node)->orelse, load);
    case TY_AST_Dict:
        if (TY_AST(Dict, node)->keys.count != TY_AST(Dict, node)->values.count)
            return fail("Dict doesn't have the same number of keys as values");
        return expressions(&TY_AST(Dict, node)->keys, load, true) &&
               expressions(&TY_AST(Dict, node)->values, load, false);
    case TY_AST_Set: return expressions(&TY_AST(Set, node)->elts, load, false);
    case TY_AST_ListComp:
        return generators(&TY_AST(ListComp, node)->generators) && expression(TY_AST(ListComp, node)->elt, load);
    case TY_AST_SetComp:
        return generators(&TY_AST(SetComp, node)->generators) && expression(TY_AST(SetComp, node)->elt, load);
    case TY_AST_GeneratorExp:
        return generators(&TY_AST(GeneratorExp, node)->generators) &&
               expression(TY_AST(GeneratorExp, node)->elt, load);
    case TY_AST_DictComp:
        return generators(&TY_AST(DictComp, node)->generators) && expression(TY_AST(DictComp, node)->key, load) &&
               expression(TY_AST(DictComp, node)->value, load);
    case TY_AST_Yield: return optional_expression(TY_AST(Yield, node)->value);
    case TY_AST_YieldFrom: return expression(TY_AST(YieldFrom, node)->value, load);
    case TY_AST_Await: return expression(TY_AST(Await, node)->value, load);
    case TY_AST_Compare:
        if (!TY_AST(Compare, node)->comparators.count)
            return fail("Compare with no comparators");
        if (TY_AST(Compare, node)->comparators.count != TY_AST(Compare, node)->ops.count)
            return fail("Compare has a different number of comparators and operands");
        return expressions(&TY_AST(Compare, node)->comparators, load, false) &&
               expression(TY_AST(Compare, node)->left, load);
    case TY_AST_Call:
        return expression(TY_AST(Call, node)->func, load) && expressions(&TY_AST(Call, node)->args, load, false) &&
               keywords(&TY_AST(Call, node)->keywords);
    case TY_AST_Constant: return ty_syntax_check_constant(TY_AST(Constant, node)->value);
    case TY_AST_JoinedStr: return expressions(&TY_AST(JoinedStr, node)->values, load, false);
    case TY_AST_TemplateStr: return expressions(&TY_AST(TemplateStr, node)->values, load, false);
    case TY_AST_FormattedValue:
        return expression(TY_AST(FormattedValue, node)->value, load) &&
               optional_expression(TY_AST(FormattedValue, node)->format_spec);
    case TY_AST_Interpolation:
        return ty_syntax_check_constant(TY_AST(Interpolation, node)->str) &&
               expression(TY_AST(Interpolation, node)->value, load) &&
               optional_expression(TY_AST(Interpolation, node)->format_spec);
    case TY_AST_Attribute: return expression(TY_AST(Attribute, node)->value, load);
    case TY_AST_Subscript:
        return expression(TY_AST(Subscript, node)->slice, load) && expression(TY_AST(Subscript, node)->value, load);
    case TY_AST_Starred: return expression(TY_AST(Starred, node)->value, context);
    case TY_AST_Slice:
        return optional_expression(TY_AST(Slice, node)->lower) && optional_expression(TY_AST(Slice, node)->upper) &&
               optional_expression(TY_AST(Slice, node)->step);
    case TY_AST_List: return expressions(&TY_AST(List, node)->elts, context, false);
    case TY_AST_Tuple: return expressions(&TY_AST(Tuple, node)->elts, context, false);
    case TY_AST_NamedExpr:
        if (TY_AST(NamedExpr, node)->target->kind != TY_AST_Name)
            return fail_type("NamedExpr target must be a Name");
        return expression(TY_AST(NamedExpr, node)->value, load);
    default:
        return true;
    }
}

/* ---- patterns ------------------------------------------------------------------------------------------------- */

static bool is_number(const TyNode *node, bool real, bool imaginary)
{
    if (node->kind != TY_AST_Constant)
        return false;
    Value value = TY_AST(Constant, node)->value;
    return ty_syntax_is_complex(value) ? imaginary
                                       : real && (ty_syntax_is_int(value) || ty_syntax_is_inexact(value));
}

static bool is_negative(const TyNode *node, bool real, bool imaginary)
{
    return node->kind == TY_AST_UnaryOp && TY_AST(UnaryOp, node)->op == TY_AST_USub &&
           is_number(TY_AST(UnaryOp, node)->operand, real, imaginary);
}

static bool is_complex_sum(const TyNode *node)
{
    const TyAstBinOp *sum = TY_AST(BinOp, node);
    return (is_number(sum->left, true, false) || is_negative(sum->left, true, false)) &&
           (sum->op == TY_AST_Add || sum->op == TY_AST_Sub) && is_number(sum->right, false, true);
}

static bool match_value(const TyNode *node)
{
    if (!expression(node, TY_AST_Load))
        return false;
    switch (node->kind) {
    case TY_AST_Constant:
        return ty_syntax_is_pattern_literal(TY_AST(Constant, node)->value) ||
               fail("unexpected constant inside of a literal pattern");
    case TY_AST_Attribute: case TY_AST_JoinedStr: case TY_AST_TemplateStr:
        return true;
    case TY_AST_UnaryOp:
        if (is_negative(node, true, true))
            return true;
        break;
    case TY_AST_BinOp:
        if (is_complex_sum(node))
            return true;
        break;
    }
    return fail("patterns may only match literals and attribute lookups");
}

static bool capture(Value name)
{
    if (name_is(name, "_"))
        return fail("can't capture name '_' in patterns");
    return identifier(name);
}

static bool patterns(const TyNodeList *list, bool star_allowed)
{
    for (int i = 0; i < list->count; i++)
        if (!pattern(list->items[i], star_allowed))
            return false;
    return true;
}

static bool mapping(const TyAstMatchMapping *node)
{
    if (node->keys.count != node->patterns.count)
        return fail("MatchMapping doesn't have the same number of keys as patterns");
    if (node->rest && !capture(node->rest))
        return false;
    for (int i = 0; i < node->keys.count; i++) {
        const TyNode *key = node->keys.items[i];
        if (!key)
            return fail("None disallowed in expression list");
        if (key->kind == TY_AST_Constant) {
            Value value = TY_AST(Constant, key)->value;
            if (value == ty_syntax_none() || value == ty_syntax_bool(true) || value == ty_syntax_bool(false))
                continue;
        }
        if (!match_value(key))
            return false;
    }
    return patterns(&node->patterns, false);
}

static bool class_pattern(const TyAstMatchClass *node)
{
    if (node->kwd_attrs.count != node->kwd_patterns.count)
        return fail("MatchClass doesn't have the same number of keyword attributes as patterns");
    if (!expression(node->cls, TY_AST_Load))
        return false;
    const TyNode *class = node->cls;
    while (class->kind == TY_AST_Attribute)
        class = TY_AST(Attribute, class)->value;
    if (class->kind != TY_AST_Name)
        return fail("MatchClass cls field can only contain Name or Attribute nodes.");
    for (int i = 0; i < node->kwd_attrs.count; i++)
        if (!identifier(node->kwd_attrs.items[i]))
            return false;
    return patterns(&node->patterns, false) && patterns(&node->kwd_patterns, false);
}

static bool pattern(const TyNode *node, bool star_allowed)
{
    if (!node)
        return fail("None disallowed in pattern list");
    if (!positions(node) || !stack_is_left())
        return false;
    switch (node->kind) {
    case TY_AST_MatchValue: return match_value(TY_AST(MatchValue, node)->value);
    case TY_AST_MatchSingleton: {
        Value value = TY_AST(MatchSingleton, node)->value;
        return value == ty_syntax_none() || value == ty_syntax_bool(true) || value == ty_syntax_bool(false) ||
               fail("MatchSingleton can only contain True, False and None");
    }
    case TY_AST_MatchSequence: return patterns(&TY_AST(MatchSequence, node)->patterns, true);
    case TY_AST_MatchMapping: return mapping(TY_AST(MatchMapping, node));
    case TY_AST_MatchClass: return class_pattern(TY_AST(MatchClass, node));
    case TY_AST_MatchStar:
        if (!star_allowed)
            return fail("can't use MatchStar here");
        return !TY_AST(MatchStar, node)->name || capture(TY_AST(MatchStar, node)->name);
    case TY_AST_MatchAs: {
        const TyAstMatchAs *as = TY_AST(MatchAs, node);
        if (as->name && !capture(as->name))
            return false;
        if (!as->pattern)
            return true;
        if (!as->name)
            return fail("MatchAs must specify a target name if a pattern is given");
        return pattern(as->pattern, false);
    }
    default:
        if (TY_AST(MatchOr, node)->patterns.count < 2)
            return fail("MatchOr requires at least 2 patterns");
        return patterns(&TY_AST(MatchOr, node)->patterns, false);
    }
}

/* ---- statements ------------------------------------------------------------------------------------------------- */

static bool import_names(const TyNodeList *list, const char *owner)
{
    if (!not_empty(list->count, "names", owner))
        return false;
    for (int i = 0; i < list->count; i++) {
        const TyAstalias *alias = TY_AST(alias, list->items[i]);
        if (!identifier(alias->name) || (alias->asname && !identifier(alias->asname)))
            return false;
    }
    return true;
}

static bool handlers(const TyNodeList *list)
{
    for (int i = 0; i < list->count; i++) {
        const TyAstExceptHandler *handler = TY_AST(ExceptHandler, list->items[i]);
        if (!positions(list->items[i]) || !optional_expression(handler->type) ||
            (handler->name && !identifier(handler->name)) || !body(&handler->body, "ExceptHandler"))
            return false;
    }
    return true;
}

static bool try_statement(const TyAstTry *node, const char *name)
{
    if (!body(&node->body, name))
        return false;
    if (!node->handlers.count && !node->finalbody.count)
        return fail("%s has neither except handlers nor finalbody", name);
    if (!node->handlers.count && node->orelse.count)
        return fail("%s has orelse but no except handlers", name);
    return handlers(&node->handlers) && (!node->finalbody.count || statements(&node->finalbody)) &&
           (!node->orelse.count || statements(&node->orelse));
}

static bool with_statement(const TyAstWith *node, const char *name)
{
    if (!not_empty(node->items.count, "items", name))
        return false;
    for (int i = 0; i < node->items.count; i++) {
        const TyAstwithitem *item = TY_AST(withitem, node->items.items[i]);
        if (!expression(item->context_expr, TY_AST_Load) ||
            (item->optional_vars && !expression(item->optional_vars, TY_AST_Store)))
            return false;
    }
    return body(&node->body, name);
}

static bool for_statement(const TyAstFor *node, const char *name)
{
    return expression(node->target, TY_AST_Store) && expression(node->iter, TY_AST_Load) &&
           body(&node->body, name) && statements(&node->orelse);
}

static bool function(const TyAstFunctionDef *node, const char *name)
{
    return identifier(node->name) && body(&node->body, name) && type_parameters(&node->type_params) && arguments(node->args) &&
           expressions(&node->decorator_list, TY_AST_Load, false) && optional_expression(node->returns);
}

static bool match_statement(const TyAstMatch *node)
{
    if (!expression(node->subject, TY_AST_Load) || !not_empty(node->cases.count, "cases", "Match"))
        return false;
    for (int i = 0; i < node->cases.count; i++) {
        const TyAstmatch_case *one = TY_AST(match_case, node->cases.items[i]);
        if (!pattern(one->pattern, false) || !optional_expression(one->guard) || !body(&one->body, "match_case"))
            return false;
    }
    return true;
}

static bool statement(const TyNode *node)
{
    const TyAst_expr_context load = TY_AST_Load, store = TY_AST_Store;
    if (!positions(node) || !stack_is_left())
        return false;
    switch (node->kind) {
    case TY_AST_FunctionDef: return function(TY_AST(FunctionDef, node), "FunctionDef");
    case TY_AST_AsyncFunctionDef: return function(TY_AST(FunctionDef, node), "AsyncFunctionDef");
    case TY_AST_ClassDef: {
        const TyAstClassDef *class = TY_AST(ClassDef, node);
        return identifier(class->name) && body(&class->body, "ClassDef") && type_parameters(&class->type_params) &&
               expressions(&class->bases, load, false) && keywords(&class->keywords) &&
               expressions(&class->decorator_list, load, false);
    }
    case TY_AST_Return: return optional_expression(TY_AST(Return, node)->value);
    case TY_AST_Delete: return targets(&TY_AST(Delete, node)->targets, TY_AST_Del);
    case TY_AST_Assign:
        return targets(&TY_AST(Assign, node)->targets, store) && expression(TY_AST(Assign, node)->value, load);
    case TY_AST_TypeAlias:
        if (TY_AST(TypeAlias, node)->name->kind != TY_AST_Name)
            return fail_type("TypeAlias with non-Name name");
        return expression(TY_AST(TypeAlias, node)->name, store) &&
               type_parameters(&TY_AST(TypeAlias, node)->type_params) &&
               expression(TY_AST(TypeAlias, node)->value, load);
    case TY_AST_AugAssign:
        return expression(TY_AST(AugAssign, node)->target, store) && expression(TY_AST(AugAssign, node)->value, load);
    case TY_AST_AnnAssign: {
        const TyAstAnnAssign *assign = TY_AST(AnnAssign, node);
        if (assign->target->kind != TY_AST_Name && assign->simple)
            return fail_type("AnnAssign with simple non-Name target");
        return expression(assign->target, store) && optional_expression(assign->value) &&
               expression(assign->annotation, load);
    }
    case TY_AST_For: return for_statement(TY_AST(For, node), "For");
    case TY_AST_AsyncFor: return for_statement(TY_AST(For, node), "AsyncFor");
    case TY_AST_While:
        return expression(TY_AST(While, node)->test, load) && body(&TY_AST(While, node)->body, "While") &&
               statements(&TY_AST(While, node)->orelse);
    case TY_AST_If:
        return expression(TY_AST(If, node)->test, load) && body(&TY_AST(If, node)->body, "If") &&
               statements(&TY_AST(If, node)->orelse);
    case TY_AST_With: return with_statement(TY_AST(With, node), "With");
    case TY_AST_AsyncWith: return with_statement(TY_AST(With, node), "AsyncWith");
    case TY_AST_Match: return match_statement(TY_AST(Match, node));
    case TY_AST_Raise:
        if (TY_AST(Raise, node)->cause && !TY_AST(Raise, node)->exc)
            return fail("Raise with cause but no exception");
        return optional_expression(TY_AST(Raise, node)->exc) && optional_expression(TY_AST(Raise, node)->cause);
    case TY_AST_Try: return try_statement(TY_AST(Try, node), "Try");
    case TY_AST_TryStar: return try_statement(TY_AST(Try, node), "TryStar");
    case TY_AST_Assert:
        return expression(TY_AST(Assert, node)->test, load) && optional_expression(TY_AST(Assert, node)->msg);
    case TY_AST_Import: return import_names(&TY_AST(Import, node)->names, "Import");
    case TY_AST_ImportFrom:
        if (TY_AST(ImportFrom, node)->level < 0)
            return fail("Negative ImportFrom level");
        return import_names(&TY_AST(ImportFrom, node)->names, "ImportFrom");
    case TY_AST_Global: return not_empty(TY_AST(Global, node)->names.count, "names", "Global");
    case TY_AST_Nonlocal: return not_empty(TY_AST(Nonlocal, node)->names.count, "names", "Nonlocal");
    case TY_AST_Expr: return expression(TY_AST(Expr, node)->value, load);
    default: return true;
    }
}

static bool statements(const TyNodeList *list)
{
    for (int i = 0; i < list->count; i++) {
        if (!list->items[i])
            return fail("None disallowed in statement list");
        if (!statement(list->items[i]))
            return false;
    }
    return true;
}

bool ty_ast_validate(const TyNode *root)
{
    switch (root->kind) {
    case TY_AST_Module: return statements(&TY_AST(Module, root)->body);
    case TY_AST_Interactive: return statements(&TY_AST(Interactive, root)->body);
    case TY_AST_Expression: return expression(TY_AST(Expression, root)->body, TY_AST_Load);
    default:
        return expressions(&TY_AST(FunctionType, root)->argtypes, TY_AST_Load, false) &&
               expression(TY_AST(FunctionType, root)->returns, TY_AST_Load);
    }
}
