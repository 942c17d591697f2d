#include "syntax/unparse.h"

#include <stdlib.h>
#include <string.h>

/* How tightly the surroundings bind: an expression that binds less gets parentheses. */
typedef enum Level {
    TUPLE,
    TEST,
    OR,
    AND,
    NOT,
    COMPARISON,
    BIT_OR,
    BIT_XOR,
    BIT_AND,
    SHIFT,
    SUM,
    TERM,
    FACTOR,
    POWER,
    AWAIT,
    ATOM,
} Level;

typedef struct Writer {
    char *text;
    size_t size, capacity;
    int depth;
    bool failed;
} Writer;

enum { MAX_DEPTH = 3000 };

static void write_bytes(Writer *w, const char *text, size_t size)
{
    if (w->failed)
        return;
    if (w->size + size > w->capacity) {
        size_t capacity = (w->size + size) * 2 + 64;
        char *grown = realloc(w->text, capacity);
        if (!grown) {
            ty_syntax_raise_memory(NULL);
            w->failed = true;
            return;
        }
        w->text = grown;
        w->capacity = capacity;
    }
    if (size)
        memcpy(w->text + w->size, text, size);
    w->size += size;
}

static void write_text(Writer *w, const char *text)
{
    write_bytes(w, text, strlen(text));
}

/* Takes over text that was malloc'ed, or NULL after a failure. */
static void write_owned(Writer *w, char *text, size_t size)
{
    if (text)
        write_bytes(w, text, size);
    else
        w->failed = true;
    free(text);
}

static void write_name(Writer *w, Value name)
{
    size_t size;
    char *text = ty_syntax_utf8(name, &size);
    write_owned(w, text, size);
}

static void write_expression(Writer *w, const TyNode *node, Level level);

static void write_list(Writer *w, const TyNodeList *list, Level level)
{
    for (int i = 0; i < list->count; i++) {
        if (i)
            write_text(w, ", ");
        write_expression(w, list->items[i], level);
    }
}

/* ---- constants and f-strings --------------------------------------------------------------------------- */

/* The repr of a constant; infinities, which no literal can be, as a literal that overflows. */
static void write_constant(Writer *w, Value value)
{
    size_t size;
    if (value == ty_syntax_ellipsis()) {
        write_text(w, "...");
        return;
    }
    char *text = ty_syntax_repr(value, &size);
    const char *infinity;
    if (text && ty_syntax_is_inexact(value) && (infinity = strstr(text, "inf")) != NULL) {
        const char *rest = text;
        do {
            write_bytes(w, rest, infinity - rest);
            write_text(w, "1e309");
            rest = infinity + 3;
        } while ((infinity = strstr(rest, "inf")) != NULL);
        write_text(w, rest);
        free(text);
        return;
    }
    write_owned(w, text, size);
}

static void write_template_part(Writer *w, const TyNode *node, bool in_format);

static void write_template_parts(Writer *w, const TyNodeList *parts, bool in_format)
{
    for (int i = 0; i < parts->count; i++)
        write_template_part(w, parts->items[i], in_format);
}

static void write_literal_part(Writer *w, Value string)
{
    size_t size;
    char *text = ty_syntax_utf8(string, &size);
    if (!text) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '{' || text[i] == '}')
            write_bytes(w, &text[i], 1);
        write_bytes(w, &text[i], 1);
    }
    free(text);
}

static void write_conversion_and_format(Writer *w, int conversion, const TyNode *format)
{
    if (conversion > 0) {
        char text[2] = {'!', (char)conversion};
        write_bytes(w, text, 2);
    }
    if (format) {
        write_text(w, ":");
        write_template_part(w, format, true);
    }
    write_text(w, "}");
}

static void write_template_part(Writer *w, const TyNode *node, bool in_format)
{
    switch (node->kind) {
    case TY_AST_Constant:
        write_literal_part(w, TY_AST(Constant, node)->value);
        break;
    case TY_AST_JoinedStr:
        write_template_parts(w, &TY_AST(JoinedStr, node)->values, in_format);
        break;
    case TY_AST_TemplateStr:
        write_template_parts(w, &TY_AST(TemplateStr, node)->values, in_format);
        break;
    case TY_AST_FormattedValue: {
        const TyAstFormattedValue *formatted = TY_AST(FormattedValue, node);
        write_text(w, "{");
        size_t start = w->size;
        write_expression(w, formatted->value, TEST + 1);
        /* Two braces would be one of text. */
        if (!w->failed && w->size > start && w->text[start] == '{') {
            write_text(w, " ");
            if (!w->failed) {
                memmove(w->text + start + 1, w->text + start, w->size - start - 1);
                w->text[start] = ' ';
            }
        }
        write_conversion_and_format(w, formatted->conversion, formatted->format_spec);
        break;
    }
    case TY_AST_Interpolation: {
        const TyAstInterpolation *interpolation = TY_AST(Interpolation, node);
        write_text(w, "{");
        write_name(w, interpolation->str);
        write_conversion_and_format(w, interpolation->conversion, interpolation->format_spec);
        break;
    }
    default:
        write_expression(w, node, TEST);
    }
}

/* The text of the parts as a literal. */
static void write_template(Writer *w, char letter, const TyNode *node)
{
    Writer body = {.depth = w->depth};
    write_template_part(&body, node, false);
    Value string = body.failed ? 0 : ty_syntax_string(body.text ? body.text : "", body.size);
    free(body.text);
    size_t size = 0;
    write_bytes(w, &letter, 1);
    char *text = string ? ty_syntax_repr(string, &size) : NULL;
    write_owned(w, text, size);
}

/* ---- operators -------------------------------------------------------------------------------------------- */

static const struct { const char *text; Level level; } binary_operators[] = {
    [TY_AST_Add] = {" + ", SUM}, [TY_AST_Sub] = {" - ", SUM}, [TY_AST_Mult] = {" * ", TERM},
    [TY_AST_MatMult] = {" @ ", TERM}, [TY_AST_Div] = {" / ", TERM}, [TY_AST_Mod] = {" % ", TERM},
    [TY_AST_Pow] = {" ** ", POWER}, [TY_AST_LShift] = {" << ", SHIFT}, [TY_AST_RShift] = {" >> ", SHIFT},
    [TY_AST_BitOr] = {" | ", BIT_OR}, [TY_AST_BitXor] = {" ^ ", BIT_XOR}, [TY_AST_BitAnd] = {" & ", BIT_AND},
    [TY_AST_FloorDiv] = {" // ", TERM},
};

static const struct { const char *text; Level level; } unary_operators[] = {
    [TY_AST_Invert] = {"~", FACTOR}, [TY_AST_Not] = {"not ", NOT}, [TY_AST_UAdd] = {"+", FACTOR},
    [TY_AST_USub] = {"-", FACTOR},
};

static const char *const comparison_operators[] = {
    [TY_AST_Eq] = " == ", [TY_AST_NotEq] = " != ", [TY_AST_Lt] = " < ", [TY_AST_LtE] = " <= ", [TY_AST_Gt] = " > ",
    [TY_AST_GtE] = " >= ", [TY_AST_Is] = " is ", [TY_AST_IsNot] = " is not ", [TY_AST_In] = " in ",
    [TY_AST_NotIn] = " not in ",
};

/* The level of an expression as a whole: below the level it stands at, it needs parentheses. */
static Level level_of(const TyNode *node)
{
    switch (node->kind) {
    case TY_AST_BoolOp: return TY_AST(BoolOp, node)->op == TY_AST_And ? AND : OR;
    case TY_AST_BinOp: return binary_operators[TY_AST(BinOp, node)->op].level;
    case TY_AST_UnaryOp: return unary_operators[TY_AST(UnaryOp, node)->op].level;
    case TY_AST_Lambda: case TY_AST_IfExp: return TEST;
    case TY_AST_Compare: return COMPARISON;
    case TY_AST_Await: return AWAIT;
    case TY_AST_NamedExpr: return TUPLE;
    case TY_AST_Tuple: return TY_AST(Tuple, node)->elts.count ? TUPLE : ATOM;
    default: return ATOM;
    }
}

/* ---- pieces of expressions ------------------------------------------------------------------------------------ */

static void write_parameter(Writer *w, const TyNode *node)
{
    const TyAstarg *parameter = TY_AST(arg, node);
    write_name(w, parameter->arg);
    if (parameter->annotation) {
        write_text(w, ": ");
        write_expression(w, parameter->annotation, TEST);
    }
}

static void write_default(Writer *w, const TyNode *value)
{
    if (!value)
        return;
    write_text(w, "=");
    write_expression(w, value, TEST);
}

static void write_comma(Writer *w, bool *first)
{
    if (!*first)
        write_text(w, ", ");
    *first = false;
}

static void write_parameters(Writer *w, const TyAstarguments *all)
{
    bool first = true;
    int positional = all->posonlyargs.count + all->args.count;
    int without_default = positional - all->defaults.count;
    for (int i = 0; i < positional; i++) {
        bool only = i < all->posonlyargs.count;
        write_comma(w, &first);
        write_parameter(w, only ? all->posonlyargs.items[i] : all->args.items[i - all->posonlyargs.count]);
        if (i >= without_default)
            write_default(w, all->defaults.items[i - without_default]);
        if (only && i + 1 == all->posonlyargs.count)
            write_text(w, ", /");
    }
    if (all->vararg || all->kwonlyargs.count) {
        write_comma(w, &first);
        write_text(w, "*");
        if (all->vararg)
            write_parameter(w, all->vararg);
    }
    for (int i = 0; i < all->kwonlyargs.count; i++) {
        write_comma(w, &first);
        write_parameter(w, all->kwonlyargs.items[i]);
        write_default(w, all->kw_defaults.items[i]);
    }
    if (all->kwarg) {
        write_comma(w, &first);
        write_text(w, "**");
        write_parameter(w, all->kwarg);
    }
}

static void write_clauses(Writer *w, const TyNodeList *clauses)
{
    for (int i = 0; i < clauses->count; i++) {
        const TyAstcomprehension *clause = TY_AST(comprehension, clauses->items[i]);
        write_text(w, clause->is_async ? " async for " : " for ");
        write_expression(w, clause->target, TUPLE);
        write_text(w, " in ");
        write_expression(w, clause->iter, TEST + 1);
        for (int k = 0; k < clause->ifs.count; k++) {
            write_text(w, " if ");
            write_expression(w, clause->ifs.items[k], TEST + 1);
        }
    }
}

static void write_comprehension(Writer *w, const char *brackets, const TyNode *elt, const TyNodeList *clauses)
{
    write_bytes(w, brackets, 1);
    write_expression(w, elt, TEST);
    write_clauses(w, clauses);
    write_bytes(w, brackets + 1, 1);
}

static void write_call(Writer *w, const TyAstCall *call)
{
    write_expression(w, call->func, ATOM);
    if (call->args.count == 1 && !call->keywords.count && call->args.items[0]->kind == TY_AST_GeneratorExp) {
        write_expression(w, call->args.items[0], TEST);
        return;
    }
    bool first = true;
    write_text(w, "(");
    for (int i = 0; i < call->args.count; i++) {
        write_comma(w, &first);
        write_expression(w, call->args.items[i], TEST);
    }
    for (int i = 0; i < call->keywords.count; i++) {
        const TyAstkeyword *keyword = TY_AST(keyword, call->keywords.items[i]);
        write_comma(w, &first);
        if (keyword->arg) {
            write_name(w, keyword->arg);
            write_text(w, "=");
        } else {
            write_text(w, "**");
        }
        write_expression(w, keyword->value, TEST);
    }
    write_text(w, ")");
}

static void write_dict(Writer *w, const TyAstDict *dict)
{
    write_text(w, "{");
    for (int i = 0; i < dict->values.count; i++) {
        if (i)
            write_text(w, ", ");
        if (dict->keys.items[i]) {
            write_expression(w, dict->keys.items[i], TEST);
            write_text(w, ": ");
            write_expression(w, dict->values.items[i], TEST);
        } else {
            write_text(w, "**");
            write_expression(w, dict->values.items[i], BIT_OR);
        }
    }
    write_text(w, "}");
}

static void write_slice(Writer *w, const TyAstSlice *slice)
{
    if (slice->lower)
        write_expression(w, slice->lower, TEST);
    write_text(w, ":");
    if (slice->upper)
        write_expression(w, slice->upper, TEST);
    if (slice->step) {
        write_text(w, ":");
        write_expression(w, slice->step, TEST);
    }
}

static void write_attribute(Writer *w, const TyAstAttribute *attribute)
{
    write_expression(w, attribute->value, ATOM);
    /* "1.real" would be a float. */
    bool is_int = attribute->value->kind == TY_AST_Constant && ty_syntax_is_int(TY_AST(Constant, attribute->value)->value);
    write_text(w, is_int ? " ." : ".");
    write_name(w, attribute->attr);
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static void write_operation(Writer *w, const TyNode *node)
{
    switch (node->kind) {
    case TY_AST_BoolOp: {
        const TyAstBoolOp *operation = TY_AST(BoolOp, node);
        for (int i = 0; i < operation->values.count; i++) {
            if (i)
                write_text(w, operation->op == TY_AST_And ? " and " : " or ");
            write_expression(w, operation->values.items[i], level_of(node) + 1);
        }
        break;
    }
    case TY_AST_BinOp: {
        const TyAstBinOp *operation = TY_AST(BinOp, node);
        bool from_right = operation->op == TY_AST_Pow;
        Level level = level_of(node);
        write_expression(w, operation->left, level + from_right);
        write_text(w, binary_operators[operation->op].text);
        write_expression(w, operation->right, level + !from_right);
        break;
    }
    case TY_AST_UnaryOp: {
        const TyAstUnaryOp *operation = TY_AST(UnaryOp, node);
        write_text(w, unary_operators[operation->op].text);
        write_expression(w, operation->operand, level_of(node));
        break;
    }
    case TY_AST_Compare: {
        const TyAstCompare *compare = TY_AST(Compare, node);
        write_expression(w, compare->left, COMPARISON + 1);
        for (int i = 0; i < compare->comparators.count; i++) {
            write_text(w, comparison_operators[compare->ops.items[i]]);
            write_expression(w, compare->comparators.items[i], COMPARISON + 1);
        }
        break;
    }
    default:
        break;
    }
}

static void write_bare(Writer *w, const TyNode *node)
{
    switch (node->kind) {
    case TY_AST_BoolOp: case TY_AST_BinOp: case TY_AST_UnaryOp: case TY_AST_Compare:
        write_operation(w, node);
        break;
    case TY_AST_NamedExpr:
        write_expression(w, TY_AST(NamedExpr, node)->target, ATOM);
        write_text(w, " := ");
        write_expression(w, TY_AST(NamedExpr, node)->value, ATOM);
        break;
    case TY_AST_Lambda: {
        const TyAstarguments *parameters = TY_AST(arguments, TY_AST(Lambda, node)->args);
        write_text(w, "lambda");
        if (parameters->posonlyargs.count || parameters->args.count)
            write_text(w, " ");
        write_parameters(w, parameters);
        write_text(w, ": ");
        write_expression(w, TY_AST(Lambda, node)->body, TEST);
        break;
    }
    case TY_AST_IfExp:
        write_expression(w, TY_AST(IfExp, node)->body, TEST + 1);
        write_text(w, " if ");
        write_expression(w, TY_AST(IfExp, node)->test, TEST + 1);
        write_text(w, " else ");
        write_expression(w, TY_AST(IfExp, node)->orelse, TEST);
        break;
    case TY_AST_Dict: write_dict(w, TY_AST(Dict, node)); break;
    case TY_AST_Set:
        write_text(w, "{");
        write_list(w, &TY_AST(Set, node)->elts, TEST);
        write_text(w, "}");
        break;
    case TY_AST_ListComp:
        write_comprehension(w, "[]", TY_AST(ListComp, node)->elt, &TY_AST(ListComp, node)->generators);
        break;
    case TY_AST_SetComp:
        write_comprehension(w, "{}", TY_AST(SetComp, node)->elt, &TY_AST(SetComp, node)->generators);
        break;
    case TY_AST_GeneratorExp:
        write_comprehension(w, "()", TY_AST(GeneratorExp, node)->elt, &TY_AST(GeneratorExp, node)->generators);
        break;
    case TY_AST_DictComp:
        write_text(w, "{");
        write_expression(w, TY_AST(DictComp, node)->key, TEST);
        write_text(w, ": ");
        write_expression(w, TY_AST(DictComp, node)->value, TEST);
        write_clauses(w, &TY_AST(DictComp, node)->generators);
        write_text(w, "}");
        break;
    case TY_AST_Await:
        write_text(w, "await ");
        write_expression(w, TY_AST(Await, node)->value, ATOM);
        break;
    case TY_AST_Yield:
        write_text(w, TY_AST(Yield, node)->value ? "(yield " : "(yield");
        if (TY_AST(Yield, node)->value)
            write_expression(w, TY_AST(Yield, node)->value, TEST);
        write_text(w, ")");
        break;
    case TY_AST_YieldFrom:
        write_text(w, "(yield from ");
        write_expression(w, TY_AST(YieldFrom, node)->value, TEST);
        write_text(w, ")");
        break;
    case TY_AST_Call: write_call(w, TY_AST(Call, node)); break;
    case TY_AST_FormattedValue: case TY_AST_JoinedStr: write_template(w, 'f', node); break;
    case TY_AST_Interpolation: case TY_AST_TemplateStr: write_template(w, 't', node); break;
    case TY_AST_Constant:
        if (TY_AST(Constant, node)->kind)
            write_text(w, "u");
        write_constant(w, TY_AST(Constant, node)->value);
        break;
    case TY_AST_Attribute: write_attribute(w, TY_AST(Attribute, node)); break;
    case TY_AST_Subscript:
        write_expression(w, TY_AST(Subscript, node)->value, ATOM);
        write_text(w, "[");
        write_expression(w, TY_AST(Subscript, node)->slice, TUPLE);
        write_text(w, "]");
        break;
    case TY_AST_Starred:
        write_text(w, "*");
        write_expression(w, TY_AST(Starred, node)->value, BIT_OR);
        break;
    case TY_AST_Name: write_name(w, TY_AST(Name, node)->id); break;
    case TY_AST_List:
        write_text(w, "[");
        write_list(w, &TY_AST(List, node)->elts, TEST);
        write_text(w, "]");
        break;
    case TY_AST_Tuple:
        if (!TY_AST(Tuple, node)->elts.count) {
            write_text(w, "()");
            break;
        }
        write_list(w, &TY_AST(Tuple, node)->elts, TEST);
        if (TY_AST(Tuple, node)->elts.count == 1)
            write_text(w, ",");
        break;
    case TY_AST_Slice: write_slice(w, TY_AST(Slice, node)); break;
    default:
        ty_syntax_raise_value("unknown expression kind");
        w->failed = true;
    }
}

static void write_expression(Writer *w, const TyNode *node, Level level)
{
    if (w->failed)
        return;
    if (++w->depth > MAX_DEPTH) {
        ty_syntax_raise_memory("expression is too deeply nested to be turned into text");
        w->failed = true;
        return;
    }
    bool parenthesized = level > level_of(node);
    if (parenthesized)
        write_text(w, "(");
    write_bare(w, node);
    if (parenthesized)
        write_text(w, ")");
    w->depth--;
}

Value ty_unparse_expression(const TyNode *node)
{
    Writer writer = {0};
    write_expression(&writer, node, TEST);
    Value result = writer.failed ? 0 : ty_syntax_string(writer.text ? writer.text : "", writer.size);
    free(writer.text);
    return result;
}
