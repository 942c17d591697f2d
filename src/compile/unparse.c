#include "compile/unparse.h"

#include <math.h>

#include "object/exception.h"
#include "object/int.h"
#include "object/str.h"
#include "object/tuple.h"

/* What binds tighter has the higher level; an expression below the level that its place asks for gets parentheses. */
enum { TUPLE, TEST, OR, AND, NOT, COMPARE, EXPRESSION, BIT_OR = EXPRESSION, BIT_XOR, BIT_AND, SHIFT, ARITHMETIC, TERM, FACTOR, POWER, AWAIT, ATOM };

typedef TyStrBuilder Out;

static void write_node(Out *o, const TyNode *e, int level);

static void text(Out *o, const char *s) { ty_builder_add_text(o, s); }

static void open_if(Out *o, bool condition)
{
    if (condition)
        ty_builder_add_char(o, '(');
}

static void close_if(Out *o, bool condition)
{
    if (condition)
        ty_builder_add_char(o, ')');
}

static void write_list(Out *o, const TyNodeList *items, int level)
{
    for (int i = 0; i < items->count; i++) {
        if (i)
            text(o, ", ");
        write_node(o, items->items[i], level);
    }
}

static void write_binary(Out *o, const TyAstBinOp *e, int level)
{
    static const struct { const char *text; int level; bool right; } ops[TY_AST_COUNT_operator] = {
        [TY_AST_Add] = {" + ", ARITHMETIC}, [TY_AST_Sub] = {" - ", ARITHMETIC}, [TY_AST_Mult] = {" * ", TERM}, [TY_AST_MatMult] = {" @ ", TERM},
        [TY_AST_Div] = {" / ", TERM}, [TY_AST_Mod] = {" % ", TERM}, [TY_AST_LShift] = {" << ", SHIFT}, [TY_AST_RShift] = {" >> ", SHIFT},
        [TY_AST_BitOr] = {" | ", BIT_OR}, [TY_AST_BitXor] = {" ^ ", BIT_XOR}, [TY_AST_BitAnd] = {" & ", BIT_AND}, [TY_AST_FloorDiv] = {" // ", TERM},
        [TY_AST_Pow] = {" ** ", POWER, true},
    };
    int own = ops[e->op].level;
    open_if(o, level > own);
    write_node(o, e->left, own + ops[e->op].right);
    text(o, ops[e->op].text);
    write_node(o, e->right, own + !ops[e->op].right);
    close_if(o, level > own);
}

static void write_unary(Out *o, const TyAstUnaryOp *e, int level)
{
    static const char *const ops[] = {[TY_AST_Invert] = "~", [TY_AST_Not] = "not ", [TY_AST_UAdd] = "+", [TY_AST_USub] = "-"};
    int own = e->op == TY_AST_Not ? NOT : FACTOR;
    open_if(o, level > own);
    text(o, ops[e->op]);
    write_node(o, e->operand, own);
    close_if(o, level > own);
}

static void write_bool(Out *o, const TyAstBoolOp *e, int level)
{
    int own = e->op == TY_AST_And ? AND : OR;
    open_if(o, level > own);
    for (int i = 0; i < e->values.count; i++) {
        if (i)
            text(o, e->op == TY_AST_And ? " and " : " or ");
        write_node(o, e->values.items[i], own + 1);
    }
    close_if(o, level > own);
}

static void write_compare(Out *o, const TyAstCompare *e, int level)
{
    static const char *const ops[] = {" == ", " != ", " < ", " <= ", " > ", " >= ", " is ", " is not ", " in ", " not in "};
    open_if(o, level > COMPARE);
    write_node(o, e->left, COMPARE + 1);
    for (int i = 0; i < e->ops.count; i++) {
        text(o, ops[e->ops.items[i]]);
        write_node(o, e->comparators.items[i], COMPARE + 1);
    }
    close_if(o, level > COMPARE);
}

static void separate(Out *o, bool *first)
{
    if (!*first)
        text(o, ", ");
    *first = false;
}

static void write_parameter(Out *o, const TyNode *node, const TyNode *default_value, bool *first)
{
    separate(o, first);
    ty_builder_add(o, TY_AST(arg, node)->arg);
    if (default_value) {
        text(o, "=");
        write_node(o, default_value, TEST);
    }
}

static void write_parameters(Out *o, const TyAstarguments *p)
{
    bool first = true;
    int positional = p->posonlyargs.count + p->args.count, required = positional - p->defaults.count;
    for (int i = 0; i < positional; i++) {
        const TyNode *node = i < p->posonlyargs.count ? p->posonlyargs.items[i] : p->args.items[i - p->posonlyargs.count];
        write_parameter(o, node, i >= required ? p->defaults.items[i - required] : NULL, &first);
        if (p->posonlyargs.count && i == p->posonlyargs.count - 1)
            text(o, ", /");
    }
    if (p->vararg || p->kwonlyargs.count) {
        separate(o, &first);
        text(o, "*");
        if (p->vararg)
            ty_builder_add(o, TY_AST(arg, p->vararg)->arg);
    }
    for (int i = 0; i < p->kwonlyargs.count; i++)
        write_parameter(o, p->kwonlyargs.items[i], p->kw_defaults.items[i], &first);
    if (p->kwarg) {
        separate(o, &first);
        text(o, "**");
        ty_builder_add(o, TY_AST(arg, p->kwarg)->arg);
    }
}

static void write_lambda(Out *o, const TyAstLambda *e, int level)
{
    const TyAstarguments *p = TY_AST(arguments, e->args);
    bool any = p->posonlyargs.count || p->args.count || p->vararg || p->kwonlyargs.count || p->kwarg;
    open_if(o, level > TEST);
    text(o, any ? "lambda " : "lambda");
    write_parameters(o, p);
    text(o, ": ");
    write_node(o, e->body, TEST);
    close_if(o, level > TEST);
}

static void write_generators(Out *o, const TyNodeList *generators)
{
    for (int i = 0; i < generators->count; i++) {
        const TyAstcomprehension *g = TY_AST(comprehension, generators->items[i]);
        text(o, g->is_async ? " async for " : " for ");
        write_node(o, g->target, TUPLE);
        text(o, " in ");
        write_node(o, g->iter, TEST + 1);
        for (int j = 0; j < g->ifs.count; j++) {
            text(o, " if ");
            write_node(o, g->ifs.items[j], TEST + 1);
        }
    }
}

static void write_dict(Out *o, const TyAstDict *e)
{
    text(o, "{");
    for (int i = 0; i < e->values.count; i++) {
        if (i)
            text(o, ", ");
        if (e->keys.items[i]) {
            write_node(o, e->keys.items[i], TEST);
            text(o, ": ");
            write_node(o, e->values.items[i], TEST);
        } else {
            text(o, "**");
            write_node(o, e->values.items[i], EXPRESSION);
        }
    }
    text(o, "}");
}

static void write_call(Out *o, const TyAstCall *e)
{
    write_node(o, e->func, ATOM);
    if (e->args.count == 1 && !e->keywords.count && e->args.items[0]->kind == TY_AST_GeneratorExp) {
        write_node(o, e->args.items[0], TEST);
        return;
    }
    bool first = true;
    text(o, "(");
    for (int i = 0; i < e->args.count; i++) {
        separate(o, &first);
        write_node(o, e->args.items[i], TEST);
    }
    for (int i = 0; i < e->keywords.count; i++) {
        const TyAstkeyword *k = TY_AST(keyword, e->keywords.items[i]);
        separate(o, &first);
        if (k->arg == TY_NULL) {
            text(o, "**");
        } else {
            ty_builder_add(o, k->arg);
            text(o, "=");
        }
        write_node(o, k->value, TEST);
    }
    text(o, ")");
}

static void write_constant(Out *o, Value v)
{
    if (v == TY_ELLIPSIS) {
        text(o, "...");
    } else if (ty_is_double(v) && isinf(ty_double(v))) {
        text(o, "1e309");
    } else if (ty_is_exact_tuple(v)) {
        text(o, "(");
        for (int64_t i = 0; i < ty_tuple_length(v); i++) {
            if (i)
                text(o, ", ");
            write_constant(o, ty_tuple_item(v, i));
        }
        text(o, ty_tuple_length(v) == 1 ? ",)" : ")");
    } else if (ty_is_exact(v, &ty_complex_type)) {
        Value repr = ty_repr(v);
        if (repr == TY_NULL)
            o->failed = true;
        else
            ty_builder_add(o, ty_str_replace(repr, TY_NAME("inf"), TY_NAME("1e309"), -1));
    } else {
        ty_builder_add_repr(o, v);
    }
}

static void write_fstring_part(Out *o, const TyNode *e);

static void write_fstring_parts(Out *o, const TyNodeList *values)
{
    for (int i = 0; i < values->count; i++)
        write_fstring_part(o, values->items[i]);
}

static void write_replacement(Out *o, Value expression, int conversion, const TyNode *spec)
{
    text(o, expression != TY_NULL && ty_str_length(expression) && ty_str_at(expression, 0) == '{' ? "{ " : "{");
    if (expression == TY_NULL)
        o->failed = true;
    else
        ty_builder_add(o, expression);
    if (conversion > 0) {
        text(o, "!");
        ty_builder_add_char(o, (uint32_t)conversion);
    }
    if (spec) {
        text(o, ":");
        write_fstring_part(o, spec);
    }
    text(o, "}");
}

static Value expression_text(const TyNode *e, int level)
{
    Out inner = {0};
    write_node(&inner, e, level);
    return ty_builder_finish(&inner);
}

static void write_fstring_part(Out *o, const TyNode *e)
{
    switch (e->kind) {
    case TY_AST_Constant: {
        Value s = TY_AST(Constant, e)->value;
        s = ty_is_str(s) ? s : ty_str(s);
        s = s == TY_NULL ? TY_NULL : ty_str_replace(s, TY_NAME("{"), TY_NAME("{{"), -1);
        s = s == TY_NULL ? TY_NULL : ty_str_replace(s, TY_NAME("}"), TY_NAME("}}"), -1);
        if (s == TY_NULL)
            o->failed = true;
        else
            ty_builder_add(o, s);
        break;
    }
    case TY_AST_JoinedStr:
        write_fstring_parts(o, &TY_AST(JoinedStr, e)->values);
        break;
    case TY_AST_TemplateStr:
        write_fstring_parts(o, &TY_AST(TemplateStr, e)->values);
        break;
    case TY_AST_FormattedValue:
        write_replacement(o, expression_text(TY_AST(FormattedValue, e)->value, TEST + 1), TY_AST(FormattedValue, e)->conversion, TY_AST(FormattedValue, e)->format_spec);
        break;
    case TY_AST_Interpolation:
        write_replacement(o, TY_AST(Interpolation, e)->str, TY_AST(Interpolation, e)->conversion, TY_AST(Interpolation, e)->format_spec);
        break;
    default:
        write_node(o, e, TEST);
        break;
    }
}

static void write_fstring(Out *o, const TyNode *e, const char *prefix)
{
    Out body = {0};
    write_fstring_part(&body, e);
    Value s = ty_builder_finish(&body);
    text(o, prefix);
    if (s == TY_NULL)
        o->failed = true;
    else
        ty_builder_add_repr(o, s);
}

static void write_slice(Out *o, const TyAstSlice *e)
{
    if (e->lower)
        write_node(o, e->lower, TEST);
    text(o, ":");
    if (e->upper)
        write_node(o, e->upper, TEST);
    if (e->step) {
        text(o, ":");
        write_node(o, e->step, TEST);
    }
}

static void write_yield(Out *o, const char *word, const TyNode *value)
{
    text(o, "(");
    text(o, word);
    if (value) {
        text(o, " ");
        write_node(o, value, TEST);
    }
    text(o, ")");
}

static void write_comprehension(Out *o, const char *open, const TyNode *element, const TyNode *value, const TyNodeList *generators, const char *close)
{
    text(o, open);
    write_node(o, element, TEST);
    if (value) {
        text(o, ": ");
        write_node(o, value, TEST);
    }
    write_generators(o, generators);
    text(o, close);
}

static void write_node(Out *o, const TyNode *e, int level)
{
    if (o->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during ast construction");
        o->failed = true;
        return;
    }
    switch (e->kind) {
    case TY_AST_BoolOp: write_bool(o, TY_AST(BoolOp, e), level); break;
    case TY_AST_BinOp: write_binary(o, TY_AST(BinOp, e), level); break;
    case TY_AST_UnaryOp: write_unary(o, TY_AST(UnaryOp, e), level); break;
    case TY_AST_Lambda: write_lambda(o, TY_AST(Lambda, e), level); break;
    case TY_AST_IfExp:
        open_if(o, level > TEST);
        write_node(o, TY_AST(IfExp, e)->body, TEST + 1);
        text(o, " if ");
        write_node(o, TY_AST(IfExp, e)->test, TEST + 1);
        text(o, " else ");
        write_node(o, TY_AST(IfExp, e)->orelse, TEST);
        close_if(o, level > TEST);
        break;
    case TY_AST_NamedExpr:
        open_if(o, level > TUPLE);
        write_node(o, TY_AST(NamedExpr, e)->target, ATOM);
        text(o, " := ");
        write_node(o, TY_AST(NamedExpr, e)->value, ATOM);
        close_if(o, level > TUPLE);
        break;
    case TY_AST_Dict: write_dict(o, TY_AST(Dict, e)); break;
    case TY_AST_Set:
        text(o, "{");
        write_list(o, &TY_AST(Set, e)->elts, TEST);
        text(o, "}");
        break;
    case TY_AST_GeneratorExp: write_comprehension(o, "(", TY_AST(GeneratorExp, e)->elt, NULL, &TY_AST(GeneratorExp, e)->generators, ")"); break;
    case TY_AST_ListComp: write_comprehension(o, "[", TY_AST(ListComp, e)->elt, NULL, &TY_AST(ListComp, e)->generators, "]"); break;
    case TY_AST_SetComp: write_comprehension(o, "{", TY_AST(SetComp, e)->elt, NULL, &TY_AST(SetComp, e)->generators, "}"); break;
    case TY_AST_DictComp: write_comprehension(o, "{", TY_AST(DictComp, e)->key, TY_AST(DictComp, e)->value, &TY_AST(DictComp, e)->generators, "}"); break;
    case TY_AST_Yield: write_yield(o, "yield", TY_AST(Yield, e)->value); break;
    case TY_AST_YieldFrom: write_yield(o, "yield from", TY_AST(YieldFrom, e)->value); break;
    case TY_AST_Await:
        open_if(o, level > AWAIT);
        text(o, "await ");
        write_node(o, TY_AST(Await, e)->value, ATOM);
        close_if(o, level > AWAIT);
        break;
    case TY_AST_Compare: write_compare(o, TY_AST(Compare, e), level); break;
    case TY_AST_Call: write_call(o, TY_AST(Call, e)); break;
    case TY_AST_Constant:
        if (TY_AST(Constant, e)->kind != TY_NULL)
            ty_builder_add(o, TY_AST(Constant, e)->kind);
        write_constant(o, TY_AST(Constant, e)->value);
        break;
    case TY_AST_JoinedStr:
    case TY_AST_FormattedValue: write_fstring(o, e, "f"); break;
    case TY_AST_TemplateStr:
    case TY_AST_Interpolation: write_fstring(o, e, "t"); break;
    case TY_AST_Attribute: {
        const TyNode *value = TY_AST(Attribute, e)->value;
        write_node(o, value, ATOM);
        text(o, value->kind == TY_AST_Constant && ty_is_int(TY_AST(Constant, value)->value) ? " ." : ".");
        ty_builder_add(o, TY_AST(Attribute, e)->attr);
        break;
    }
    case TY_AST_Starred:
        text(o, "*");
        write_node(o, TY_AST(Starred, e)->value, EXPRESSION);
        break;
    case TY_AST_Name: ty_builder_add(o, TY_AST(Name, e)->id); break;
    case TY_AST_List:
        text(o, "[");
        write_list(o, &TY_AST(List, e)->elts, TEST);
        text(o, "]");
        break;
    case TY_AST_Tuple: {
        const TyNodeList *items = &TY_AST(Tuple, e)->elts;
        bool parentheses = !items->count || level > TUPLE;
        open_if(o, parentheses);
        write_list(o, items, TEST);
        if (items->count == 1)
            text(o, ",");
        close_if(o, parentheses);
        break;
    }
    case TY_AST_Subscript:
        write_node(o, TY_AST(Subscript, e)->value, ATOM);
        text(o, "[");
        write_node(o, TY_AST(Subscript, e)->slice, TUPLE);
        text(o, "]");
        break;
    case TY_AST_Slice: write_slice(o, TY_AST(Slice, e)); break;
    default:
        ty_raise(&ty_SystemError, "unknown expression kind");
        o->failed = true;
        break;
    }
}

Value ty_unparse(const TyNode *expression)
{
    return expression_text(expression, TEST);
}
