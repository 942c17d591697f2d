/* Expressions and targets. */

#include "syntax/parser.h"

/* ---- small pieces -------------------------------------------------------------------------------- */

TyNode *ty_parse_name(TyParser *p)
{
    int start = p->mark;
    const TyToken *token = take(p, TY_TOKEN_NAME);
    Value name = token ? ty_parser_name(p, token) : 0;
    TyAstName *node = name ? NODE(p, Name, start) : NULL;
    if (node)
        node->id = name;
    return (TyNode *)node;
}

static TyNode *constant_node(TyParser *p, Value value)
{
    int start = p->mark++;
    TyAstConstant *node = NODE(p, Constant, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

/* ---- lists of expressions ------------------------------------------------------------------------------ */

TyNode *ty_parse_starred(TyParser *p, TyNode *(*rule)(TyParser *))
{
    int start = p->mark++;
    TyNode *value = rule(p);
    TyAstStarred *node = value ? NODE(p, Starred, start) : NULL;
    if (node)
        node->value = value;
    return (TyNode *)node;
}

static TyNode *star_named_expression(TyParser *p)
{
    return peek(p) == TY_TOKEN_STAR ? ty_parse_starred(p, ty_parse_bitwise_or) : ty_parse_named_expression(p);
}

TyNode *ty_parse_star_named_expression(TyParser *p)
{
    TyNode *node;
    if (p->diagnosing && ty_memo_find(p, TY_RULE_STAR_NAMED_EXPRESSION, &node))
        return node;
    int start = p->mark;
    node = star_named_expression(p);
    return p->diagnosing ? ty_memo_store(p, TY_RULE_STAR_NAMED_EXPRESSION, start, node) : node;
}

TyNode *ty_parse_star_expression(TyParser *p)
{
    return peek(p) == TY_TOKEN_STAR ? ty_parse_starred(p, ty_parse_bitwise_or) : ty_parse_expression(p);
}

/* After a first item at mark start: items of the rule between commas, and maybe a last comma. Pushes them. */
bool ty_parse_more_items(TyParser *p, TyNode *(*rule)(TyParser *))
{
    while (peek(p) == TY_TOKEN_COMMA) {
        p->mark++;
        int after = p->mark;
        TyNode *item = rule(p);
        if (!item) {
            p->mark = after;
            break;
        }
        if (!ty_parser_push(p, item))
            return false;
    }
    return !p->error;
}

/* One item alone, or a tuple of several. */
static TyNode *tuple_of(TyParser *p, TyNode *(*rule)(TyParser *))
{
    int start = p->mark;
    TyNode *first = rule(p);
    if (!first || peek(p) != TY_TOKEN_COMMA)
        return p->error ? NULL : first;
    int height = p->stack_height;
    if (!ty_parser_push(p, first) || !ty_parse_more_items(p, rule))
        return NULL;
    TyAstTuple *node = NODE(p, Tuple, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

TyNode *ty_parse_star_expressions(TyParser *p)
{
    TyNode *node;
    if (p->diagnosing && ty_memo_find(p, TY_RULE_STAR_EXPRESSIONS, &node))
        return node;
    int start = p->mark;
    node = tuple_of(p, ty_parse_star_expression);
    return p->diagnosing ? ty_memo_store(p, TY_RULE_STAR_EXPRESSIONS, start, node) : node;
}

TyNode *ty_parse_expressions(TyParser *p)
{
    return tuple_of(p, ty_parse_expression);
}

/* ---- yield and atoms ------------------------------------------------------------------------------------- */

TyNode *ty_parse_yield(TyParser *p)
{
    int start = p->mark;
    if (!accept(p, TY_KEYWORD_YIELD))
        return NULL;
    if (accept(p, TY_KEYWORD_FROM)) {
        TyNode *value = ty_parse_expression(p);
        if (value) {
            TyAstYieldFrom *node = NODE(p, YieldFrom, start);
            if (node)
                node->value = value;
            return (TyNode *)node;
        }
        p->mark = start + 1;
    }
    int mark = p->mark;
    TyNode *value = NULL;
    switch (peek(p)) {
    case TY_TOKEN_NEWLINE: case TY_TOKEN_RPAR: case TY_TOKEN_EQUAL: case TY_TOKEN_SEMI: case TY_TOKEN_RBRACE:
        break;
    default:
        value = ty_parse_star_expressions(p);
        if (!value)
            p->mark = mark;
    }
    if (p->error)
        return NULL;
    TyAstYield *node = NODE(p, Yield, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

TyNode *ty_parse_annotated_rhs(TyParser *p)
{
    return peek(p) == TY_KEYWORD_YIELD ? ty_parse_yield(p) : ty_parse_star_expressions(p);
}

static TyNode *atom(TyParser *p)
{
    switch (peek(p)) {
    case TY_TOKEN_NAME: return ty_parse_name(p);
    case TY_TOKEN_NUMBER: return ty_parse_number(p);
    case TY_KEYWORD_TRUE: return constant_node(p, ty_syntax_bool(true));
    case TY_KEYWORD_FALSE: return constant_node(p, ty_syntax_bool(false));
    case TY_KEYWORD_NONE: return constant_node(p, ty_syntax_none());
    case TY_TOKEN_ELLIPSIS: return constant_node(p, ty_syntax_ellipsis());
    case TY_TOKEN_STRING: case TY_TOKEN_FSTRING_START: case TY_TOKEN_TSTRING_START: return ty_parse_strings(p);
    case TY_TOKEN_LPAR: case TY_TOKEN_LSQB: case TY_TOKEN_LBRACE:
        return ty_parse_display(p);
    default: return NULL;
    }
}

/* ---- primaries -------------------------------------------------------------------------------------------- */

static TyNode *slice(TyParser *p)
{
    int start = p->mark;
    TyNode *lower = NULL, *upper = NULL, *step = NULL;
    if (peek(p) != TY_TOKEN_COLON) {
        lower = ty_parse_named_expression(p);
        if (!lower)
            return NULL;
        if (peek(p) != TY_TOKEN_COLON ||
            (lower->kind == TY_AST_NamedExpr && !(lower->flags & TY_NODE_PARENTHESIZED)))
            return lower;
    }
    p->mark++;
    int mark = p->mark;
    TyTokenKind kind = peek(p);
    if (kind != TY_TOKEN_COLON && kind != TY_TOKEN_RSQB && kind != TY_TOKEN_COMMA) {
        upper = ty_parse_expression(p);
        if (!upper)
            p->mark = mark;
    }
    if (accept(p, TY_TOKEN_COLON)) {
        mark = p->mark;
        kind = peek(p);
        if (kind != TY_TOKEN_RSQB && kind != TY_TOKEN_COMMA) {
            step = ty_parse_expression(p);
            if (!step)
                p->mark = mark;
        }
    }
    if (p->error)
        return NULL;
    TyAstSlice *node = NODE(p, Slice, start);
    if (node) {
        node->lower = lower;
        node->upper = upper;
        node->step = step;
    }
    return (TyNode *)node;
}

static TyNode *slice_or_starred(TyParser *p)
{
    return peek(p) == TY_TOKEN_STAR ? ty_parse_starred_argument(p) : slice(p);
}

static TyNode *slices(TyParser *p)
{
    int start = p->mark;
    TyNode *first = slice_or_starred(p);
    if (!first)
        return NULL;
    if (peek(p) != TY_TOKEN_COMMA && first->kind != TY_AST_Starred)
        return p->error ? NULL : first;
    int height = p->stack_height;
    if (!ty_parser_push(p, first) || !ty_parse_more_items(p, slice_or_starred))
        return NULL;
    TyAstTuple *node = NODE(p, Tuple, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* What may follow an atom: .name, (arguments), [index]. first_mark is where the atom begins. */
static TyNode *trailers(TyParser *p, TyNode *node, int first_mark)
{
    /* A node in parentheses begins after them, but what is built on it begins with them. */
    TyNode first;
    {
        const TyToken *token = &p->tokens[first_mark];
        first = (TyNode){.lineno = token->lineno, .col_offset = token->col_offset};
    }
    for (;;) {
        int mark = p->mark;
        TyNode *next = NULL;
        switch (peek(p)) {
        case TY_TOKEN_DOT: {
            p->mark++;
            const TyToken *token = take(p, TY_TOKEN_NAME);
            Value name = token ? ty_parser_name(p, token) : 0;
            TyAstAttribute *attribute = name ? NODE_FROM(p, Attribute, &first) : NULL;
            if (attribute) {
                attribute->value = node;
                attribute->attr = name;
            }
            next = (TyNode *)attribute;
            break;
        }
        case TY_TOKEN_LPAR:
            if (ty_parser_enter(p)) {
                next = ty_parse_call(p, node);
                ty_parser_leave(p);
            }
            if (next) {
                next->lineno = first.lineno;
                next->col_offset = first.col_offset;
            }
            break;
        case TY_TOKEN_LBRACE:
            /* Nothing is called with braces, but what would be wrong in a comprehension there is said. */
            if (p->diagnosing)
                ty_diagnose_comprehension(p, mark);
            p->mark = mark;
            return p->error ? NULL : node;
        case TY_TOKEN_LSQB: {
            if (p->diagnosing) {
                ty_diagnose_comprehension(p, mark);
                if (p->error)
                    return NULL;
                p->mark = mark;
            }
            p->mark++;
            TyNode *index = NULL;
            if (ty_parser_enter(p)) {
                index = slices(p);
                ty_parser_leave(p);
            }
            TyAstSubscript *subscript =
                index && accept(p, TY_TOKEN_RSQB) ? NODE_FROM(p, Subscript, &first) : NULL;
            if (subscript) {
                subscript->value = node;
                subscript->slice = index;
            }
            next = (TyNode *)subscript;
            break;
        }
        default:
            return p->error ? NULL : node;
        }
        if (!next) {
            if (p->error)
                return NULL;
            p->mark = mark;
            return node;
        }
        node = next;
    }
}

TyNode *ty_parse_primary(TyParser *p)
{
    TyNode *node;
    if (p->remember && ty_memo_find(p, TY_RULE_PRIMARY, &node))
        return node;
    int start = p->mark;
    node = atom(p);
    if (node)
        node = trailers(p, node, start);
    return p->remember ? ty_memo_store(p, TY_RULE_PRIMARY, start, node) : node;
}

static TyNode *factor(TyParser *p);

static TyNode *await_primary(TyParser *p)
{
    int start = p->mark;
    if (!accept(p, TY_KEYWORD_AWAIT))
        return ty_parse_primary(p);
    TyNode *value = ty_parse_primary(p);
    if (!value || !ty_parse_check_version(p, 5, "Await expressions are"))
        return NULL;
    TyAstAwait *node = NODE(p, Await, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

static TyNode *binary_node(TyParser *p, int start, TyNode *left, TyAst_operator op, TyNode *right)
{
    TyAstBinOp *node = NODE(p, BinOp, start);
    if (node) {
        node->left = left;
        node->op = op;
        node->right = right;
    }
    return (TyNode *)node;
}

static TyNode *power(TyParser *p)
{
    int start = p->mark;
    TyNode *left = await_primary(p);
    if (!left || peek(p) != TY_TOKEN_DOUBLESTAR)
        return p->error ? NULL : left;
    int mark = p->mark++;
    if (!ty_parser_enter(p))
        return NULL;
    TyNode *right = factor(p);
    ty_parser_leave(p);
    if (!right) {
        p->mark = mark;
        return p->error ? NULL : left;
    }
    return binary_node(p, start, left, TY_AST_Pow, right);
}

static TyNode *factor(TyParser *p)
{
    TyAst_unaryop op;
    switch (peek(p)) {
    case TY_TOKEN_PLUS: op = TY_AST_UAdd; break;
    case TY_TOKEN_MINUS: op = TY_AST_USub; break;
    case TY_TOKEN_TILDE: op = TY_AST_Invert; break;
    default: return power(p);
    }
    TyNode *remembered;
    if (p->remember && ty_memo_find(p, TY_RULE_FACTOR, &remembered))
        return remembered;
    if (!ty_parser_enter(p))
        return NULL;
    int start = p->mark++;
    if (p->diagnosing && peek(p) == TY_KEYWORD_NOT) {
        int not_mark = p->mark++;
        TyNode *operand = factor(p);
        if (operand)
            return ty_error_from_token(p, not_mark, operand, "'not' after an operator must be parenthesized");
        p->mark = not_mark;
    }
    TyNode *operand = factor(p);
    TyAstUnaryOp *node = operand ? NODE(p, UnaryOp, start) : NULL;
    if (node) {
        node->op = op;
        node->operand = operand;
    }
    ty_parser_leave(p);
    return p->remember ? ty_memo_store(p, TY_RULE_FACTOR, start, (TyNode *)node) : (TyNode *)node;
}

/* ---- binary operators ----------------------------------------------------------------------------------------- */

enum { OR_LEVEL = 1, SUM_LEVEL = 5, TERM_LEVEL = 6 };

/* Binding strength (0: no binary operator) and operator by token. */
static const struct { uint8_t level, op; } binary_operators[TY_TOKEN_COUNT] = {
    [TY_TOKEN_VBAR] = {OR_LEVEL, TY_AST_BitOr}, [TY_TOKEN_CIRCUMFLEX] = {2, TY_AST_BitXor},
    [TY_TOKEN_AMPER] = {3, TY_AST_BitAnd}, [TY_TOKEN_LEFTSHIFT] = {4, TY_AST_LShift},
    [TY_TOKEN_RIGHTSHIFT] = {4, TY_AST_RShift}, [TY_TOKEN_PLUS] = {SUM_LEVEL, TY_AST_Add},
    [TY_TOKEN_MINUS] = {SUM_LEVEL, TY_AST_Sub}, [TY_TOKEN_STAR] = {TERM_LEVEL, TY_AST_Mult},
    [TY_TOKEN_SLASH] = {TERM_LEVEL, TY_AST_Div}, [TY_TOKEN_DOUBLESLASH] = {TERM_LEVEL, TY_AST_FloorDiv},
    [TY_TOKEN_PERCENT] = {TERM_LEVEL, TY_AST_Mod}, [TY_TOKEN_AT] = {TERM_LEVEL, TY_AST_MatMult},
};

static TyNode *inversion(TyParser *p);

/* Operators that bind at least as tightly as the level, by precedence climbing. */
static TyNode *binary(TyParser *p, unsigned level)
{
    int start = p->mark;
    TyNode *left = factor(p);
    while (left) {
        TyTokenKind kind = peek(p);
        if (kind >= TY_TOKEN_COUNT || !binary_operators[kind].level || binary_operators[kind].level < level)
            return left;
        unsigned op_level = binary_operators[kind].level;
        int mark = p->mark++;
        if (p->diagnosing && op_level >= SUM_LEVEL && peek(p) == TY_KEYWORD_NOT) {
            TyNode *operand = inversion(p);
            if (operand)
                return ty_error_from_token(p, mark + 1, operand, "'not' after an operator must be parenthesized");
            p->mark = mark + 1;
        }
        TyNode *right = op_level == TERM_LEVEL ? factor(p) : binary(p, op_level + 1);
        if (!right) {
            p->mark = mark;
            return p->error ? NULL : left;
        }
        if (op_level == TERM_LEVEL && binary_operators[kind].op == TY_AST_MatMult &&
            !ty_parse_check_version(p, 5, "The '@' operator is"))
            return NULL;
        left = binary_node(p, start, left, binary_operators[kind].op, right);
    }
    return NULL;
}

TyNode *ty_parse_bitwise_or(TyParser *p)
{
    TyNode *node;
    if (!p->remember)
        return binary(p, OR_LEVEL);
    if (ty_memo_find(p, TY_RULE_BITWISE_OR, &node))
        return node;
    int start = p->mark;
    node = binary(p, OR_LEVEL);
    return ty_memo_store(p, TY_RULE_BITWISE_OR, start, node);
}

/* ---- comparisons and logic ------------------------------------------------------------------------------------- */

/* The comparison operator at the mark, taken; -1: none. */
static int comparison_operator(TyParser *p)
{
    int op;
    switch (peek(p)) {
    case TY_TOKEN_EQEQUAL: op = TY_AST_Eq; break;
    case TY_TOKEN_LESS:
        /* <> is != under the flag of an April's fool. */
        op = TY_AST_Lt;
        if (peek_second(p) == TY_TOKEN_GREATER && touches_next(p)) {
            if (p->flags & TY_PARSE_BARRY_AS_FLUFL) {
                p->mark++;
                op = TY_AST_NotEq;
            } else if (p->diagnosing) {
                ty_error_tokens(p, p->mark, p->mark + 1, "invalid syntax.  Maybe you meant '!=' instead of '<>'?");
                return -1;
            }
        }
        break;
    case TY_TOKEN_LESSEQUAL: op = TY_AST_LtE; break;
    case TY_TOKEN_GREATER: op = TY_AST_Gt; break;
    case TY_TOKEN_GREATEREQUAL: op = TY_AST_GtE; break;
    case TY_KEYWORD_IN: op = TY_AST_In; break;
    case TY_TOKEN_NOTEQUAL:
        if (p->flags & TY_PARSE_BARRY_AS_FLUFL) {
            ty_error_at_token(p, p->mark, "with Barry as BDFL, use '<>' instead of '!='");
            return -1;
        }
        op = TY_AST_NotEq;
        break;
    case TY_KEYWORD_NOT:
        if (peek_second(p) != TY_KEYWORD_IN)
            return -1;
        p->mark++;
        op = TY_AST_NotIn;
        break;
    case TY_KEYWORD_IS:
        op = TY_AST_Is;
        if (peek_second(p) == TY_KEYWORD_NOT) {
            p->mark++;
            op = TY_AST_IsNot;
        }
        break;
    default:
        return -1;
    }
    p->mark++;
    return op;
}

static TyNode *comparison(TyParser *p)
{
    int start = p->mark;
    TyNode *left = ty_parse_bitwise_or(p);
    if (!left)
        return NULL;
    int height = p->stack_height;
    for (;;) {
        int mark = p->mark;
        int op = comparison_operator(p);
        if (op < 0)
            break;
        TyNode *right = ty_parse_bitwise_or(p);
        if (!right && op == TY_AST_IsNot && !p->error) {
            /* "is" and an operand that begins with not can't be; but the reading is tried. */
            p->mark = mark;
            break;
        }
        if (!right) {
            p->mark = mark;
            break;
        }
        if (!ty_parser_push(p, (void *)(intptr_t)op) || !ty_parser_push(p, right))
            return NULL;
    }
    if (p->error)
        return NULL;
    int count = (p->stack_height - height) / 2;
    if (!count)
        return left;
    TyAstCompare *node = NODE(p, Compare, start);
    uint8_t *ops = ty_arena_allocate(p->arena, count);
    if (!node || !ops || !ty_ast_new_list(p->ast, &node->comparators, count)) {
        p->error = true;
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        ops[i] = (uint8_t)(intptr_t)p->stack[height + 2 * i];
        node->comparators.items[i] = p->stack[height + 2 * i + 1];
    }
    p->stack_height = height;
    node->left = left;
    node->ops = (TyOperatorList){ops, count};
    return (TyNode *)node;
}

static TyNode *inversion(TyParser *p)
{
    TyNode *node;
    if (p->remember && ty_memo_find(p, TY_RULE_INVERSION, &node))
        return node;
    int start = p->mark;
    if (peek(p) == TY_KEYWORD_NOT) {
        if (!ty_parser_enter(p))
            return NULL;
        p->mark++;
        TyNode *operand = inversion(p);
        TyAstUnaryOp *unary = operand ? NODE(p, UnaryOp, start) : NULL;
        if (unary) {
            unary->op = TY_AST_Not;
            unary->operand = operand;
        }
        ty_parser_leave(p);
        node = (TyNode *)unary;
    } else {
        node = comparison(p);
    }
    return p->remember ? ty_memo_store(p, TY_RULE_INVERSION, start, node) : node;
}

/* Operands of one rule between equal keywords. */
static TyNode *logic(TyParser *p, TyNode *(*rule)(TyParser *), TyTokenKind keyword, TyAst_boolop op)
{
    int start = p->mark;
    TyNode *first = rule(p);
    if (!first || peek(p) != keyword)
        return p->error ? NULL : first;
    int height = p->stack_height;
    if (!ty_parser_push(p, first))
        return NULL;
    int mark;
    while (mark = p->mark, accept(p, keyword)) {
        TyNode *operand = rule(p);
        if (!operand) {
            p->mark = mark;
            break;
        }
        if (!ty_parser_push(p, operand))
            return NULL;
    }
    if (p->error)
        return NULL;
    if (p->stack_height == height + 1) {
        p->stack_height = height;
        return first;
    }
    TyAstBoolOp *node = NODE(p, BoolOp, start);
    if (node) {
        node->op = op;
        node->values = ty_parser_pop_list(p, height);
    }
    return (TyNode *)node;
}

static TyNode *conjunction(TyParser *p)
{
    return logic(p, inversion, TY_KEYWORD_AND, TY_AST_And);
}

TyNode *ty_parse_disjunction(TyParser *p)
{
    TyNode *node;
    if (!p->remember)
        return logic(p, conjunction, TY_KEYWORD_OR, TY_AST_Or);
    if (ty_memo_find(p, TY_RULE_DISJUNCTION, &node))
        return node;
    int start = p->mark;
    node = logic(p, conjunction, TY_KEYWORD_OR, TY_AST_Or);
    return ty_memo_store(p, TY_RULE_DISJUNCTION, start, node);
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

static TyNode *lambda(TyParser *p)
{
    int start = p->mark;
    TyNode *remembered;
    if (p->remember && ty_memo_find(p, TY_RULE_LAMBDA, &remembered))
        return remembered;
    p->mark++;
    TyNode *parameters = ty_parse_parameters(p, true);
    TyAstLambda *node = NULL;
    if (parameters && accept(p, TY_TOKEN_COLON)) {
        TyNode *body = ty_parse_expression(p);
        node = body ? NODE(p, Lambda, start) : NULL;
        if (node) {
            node->args = parameters;
            node->body = body;
        }
    }
    return p->remember ? ty_memo_store(p, TY_RULE_LAMBDA, start, (TyNode *)node) : (TyNode *)node;
}

static bool is_legacy_statement(TyParser *p, int mark)
{
    const TyToken *token = ty_token_at(p, mark);
    return token_is(p, token, "print") || token_is(p, token, "exec");
}

/* A statement of one word where an expression should stand. */
static bool is_bare_statement(TyTokenKind kind)
{
    return kind == TY_KEYWORD_PASS || kind == TY_KEYWORD_BREAK || kind == TY_KEYWORD_CONTINUE;
}

/* At a string: quotes inside of it that should have been escaped. */
static void diagnose_quotes(TyParser *p, int start)
{
    TyNode *first = NULL, *last = NULL, *next;
    p->mark = start + 1;
    int mark = p->mark;
    while (peek(p) != TY_TOKEN_STRING && (next = ty_parse_expression_without_invalid(p))) {
        first = first ? first : next;
        last = next;
        mark = p->mark;
    }
    p->mark = mark;
    if (first && peek(p) == TY_TOKEN_STRING)
        ty_error_range(p, first, last, "invalid syntax. Is this intended to be part of the string?");
}

/* Behind an expression: another one, in brackets, is a missing comma. */
static void diagnose_comma(TyParser *p, int start, const TyNode *first)
{
    /* Prefixes of strings that are none, and soft keywords, look like a name before an expression. */
    const TyToken *token = ty_token_at(p, start);
    if (ty_is_soft_keyword(p, token) ||
        (token->kind == TY_TOKEN_NAME && ty_token_at(p, start + 1)->kind == TY_TOKEN_STRING))
        return;
    TyNode *second = ty_parse_expression_without_invalid(p);
    if (p->error || !second)
        return;
    bool legacy = first->kind == TY_AST_Name && is_legacy_statement(p, start) &&
                  !(first->flags & TY_NODE_PARENTHESIZED);
    if (!legacy && p->tokens[p->mark - 1].level != 0)
        ty_error_range(p, first, second, "invalid syntax. Perhaps you forgot a comma?");
}

/* Behind an expression: an `if` without its `else`, or without an expression behind that. */
static void diagnose_conditional(TyParser *p, const TyNode *body)
{
    if (!accept(p, TY_KEYWORD_IF))
        return;
    TyNode *condition = ty_parse_disjunction(p);
    TyTokenKind kind = peek(p);
    if (!condition || p->error)
        return;
    if (kind != TY_KEYWORD_ELSE && kind != TY_TOKEN_COLON) {
        ty_error_range(p, body, condition, "expected 'else' after 'if' expression");
        return;
    }
    if (accept(p, TY_KEYWORD_ELSE)) {
        int after = p->mark;
        if (!ty_parse_expression(p) && !p->error)
            ty_error_at_token(p, after, "expected expression after 'else', but statement is given");
    }
}

/* At pass, break or continue: a conditional expression of statements. */
static void diagnose_bare_statement(TyParser *p, int start)
{
    p->mark = start + 1;
    if (accept(p, TY_KEYWORD_IF) && ty_parse_disjunction(p) && accept(p, TY_KEYWORD_ELSE) &&
        ty_parse_simple_statement(p) && !p->error)
        ty_error_at_token(p, start, "expected expression before 'if', but statement is given");
}

/* At a lambda whose colon ended a replacement field's expression. */
static void diagnose_lambda(TyParser *p, int start)
{
    p->mark = start + 1;
    TyNode *parameters = ty_parse_parameters(p, true);
    if (!parameters || peek(p) != TY_TOKEN_COLON)
        return;
    int colon = p->mark;
    TyTokenKind after = ty_token_at(p, colon + 1)->kind;
    char letter = after == TY_TOKEN_FSTRING_MIDDLE ? 'f' : after == TY_TOKEN_TSTRING_MIDDLE ? 't' : 0;
    if (after == TY_TOKEN_LBRACE && p->tokenizer.mode)
        letter = p->tokenizer.modes[p->tokenizer.mode].letter;
    if (letter)
        ty_error_tokens(p, start, colon, "%c-string: lambda expressions are not allowed without parentheses", letter);
}

/* At a name: print or exec with what was a statement's operand. */
static void diagnose_legacy_statement(TyParser *p, int start)
{
    p->mark = start + 1;
    if (peek(p) == TY_TOKEN_LPAR)
        return;
    TyNode *rest = ty_parse_star_expressions(p);
    if (!rest || p->error || !is_legacy_statement(p, start))
        return;
    const TyToken *name = ty_token_at(p, start);
    int size = (int)(name->end - name->start);
    const char *text = token_text(p, name);
    ty_error_from_token(p, start, rest, "Missing parentheses in call to '%.*s'. Did you mean %.*s(...)?", size, text,
                        size, text);
}

/* Expressions that are wrong in a way that has a message of its own, in the grammar's order. */
static void diagnose_expression(TyParser *p)
{
    int start = p->mark;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_STRING)
        diagnose_quotes(p, start);
    p->mark = start;
    TyNode *first = p->error ? NULL : ty_parse_disjunction(p);
    int after = p->mark;
    if (first && !p->error) {
        diagnose_comma(p, start, first);
        p->mark = after;
        if (!p->error)
            diagnose_conditional(p, first);
    } else if (is_bare_statement(kind) && !p->error) {
        diagnose_bare_statement(p, start);
    } else if (kind == TY_KEYWORD_LAMBDA && !p->error) {
        diagnose_lambda(p, start);
    }
    if (kind == TY_TOKEN_NAME && !p->error)
        diagnose_legacy_statement(p, start);
    p->mark = start;
}

static TyNode *conditional(TyParser *p)
{
    int start = p->mark;
    if (peek(p) == TY_KEYWORD_LAMBDA)
        return lambda(p);
    TyNode *body = ty_parse_disjunction(p);
    if (!body || peek(p) != TY_KEYWORD_IF)
        return p->error ? NULL : body;
    int mark = p->mark++;
    TyNode *test = ty_parse_disjunction(p);
    TyNode *otherwise = test && accept(p, TY_KEYWORD_ELSE) ? ty_parse_expression(p) : NULL;
    if (!otherwise) {
        p->mark = mark;
        return p->error ? NULL : body;
    }
    TyAstIfExp *node = NODE(p, IfExp, start);
    if (node) {
        node->test = test;
        node->body = body;
        node->orelse = otherwise;
    }
    return (TyNode *)node;
}

TyNode *ty_parse_expression(TyParser *p)
{
    TyNode *node;
    if (p->remember && ty_memo_find(p, TY_RULE_EXPRESSION, &node))
        return node;
    if (!ty_parser_enter(p))
        return NULL;
    int start = p->mark;
    if (p->diagnosing)
        diagnose_expression(p);
    node = p->error ? NULL : conditional(p);
    ty_parser_leave(p);
    return p->remember ? ty_memo_store(p, TY_RULE_EXPRESSION, start, node) : node;
}

TyNode *ty_parse_expression_without_invalid(TyParser *p)
{
    bool diagnosing = p->diagnosing;
    p->diagnosing = false;
    TyNode *node = ty_parser_enter(p) ? conditional(p) : NULL;
    if (node || !p->error)
        ty_parser_leave(p);
    p->diagnosing = diagnosing;
    return node;
}

/* Expressions that look like an assignment. */
static void diagnose_named_expression(TyParser *p)
{
    int start = p->mark;
    TyNode *left = ty_parse_expression(p);
    if (left && accept(p, TY_TOKEN_COLONEQUAL) && ty_parse_expression(p)) {
        ty_error_at(p, left, "cannot use assignment expressions with %s", ty_expression_name(left));
        return;
    }
    if (p->error)
        return;
    p->mark = start;
    if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL) {
        p->mark = start + 2;
        TyNode *right = ty_parse_bitwise_or(p);
        TyTokenKind kind = peek(p);
        if (p->error)
            return;
        if (right && kind != TY_TOKEN_EQUAL && kind != TY_TOKEN_COLONEQUAL) {
            ty_error_from_token(p, start, right, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
            return;
        }
    }
    /* Displays in brackets are left to those who know of targets. */
    p->mark = start;
    TyTokenKind kind = peek(p);
    bool display = kind == TY_KEYWORD_TRUE || kind == TY_KEYWORD_NONE || kind == TY_KEYWORD_FALSE;
    if (kind == TY_TOKEN_LPAR || kind == TY_TOKEN_LSQB) {
        TyNode *head = atom(p);
        display = head && !(head->flags & TY_NODE_PARENTHESIZED) &&
                  (head->kind == TY_AST_Tuple || head->kind == TY_AST_List || head->kind == TY_AST_GeneratorExp);
    }
    if (p->error || display) {
        p->mark = start;
        return;
    }
    p->mark = start;
    left = ty_parse_bitwise_or(p);
    if (left && accept(p, TY_TOKEN_EQUAL) && ty_parse_bitwise_or(p)) {
        kind = peek(p);
        if (!p->error && kind != TY_TOKEN_EQUAL && kind != TY_TOKEN_COLONEQUAL)
            ty_error_at(p, left, "cannot assign to %s here. Maybe you meant '==' instead of '='?",
                        ty_expression_name(left));
    }
    p->mark = start;
}

TyNode *ty_parse_named_expression(TyParser *p)
{
    int start = p->mark;
    if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLONEQUAL) {
        TyNode *target = ty_parse_name(p);
        p->mark++;
        TyNode *value = target ? ty_parse_expression(p) : NULL;
        if (!value || !ty_parse_check_version(p, 8, "Assignment expressions are"))
            return NULL;
        ty_parse_set_context(target, TY_AST_Store);
        TyAstNamedExpr *node = NODE(p, NamedExpr, start);
        if (node) {
            node->target = target;
            node->value = value;
        }
        return (TyNode *)node;
    }
    TyNode *node;
    if (p->diagnosing) {
        if (ty_memo_find(p, TY_RULE_NAMED_EXPRESSION, &node))
            return node;
        diagnose_named_expression(p);
        if (p->error)
            return NULL;
    }
    node = ty_parse_expression(p);
    if (node && peek(p) == TY_TOKEN_COLONEQUAL)
        node = NULL;
    return p->diagnosing ? ty_memo_store(p, TY_RULE_NAMED_EXPRESSION, start, node) : p->error ? NULL : node;
}

/* ---- targets --------------------------------------------------------------------------------------------------- */

bool ty_parse_is_target(const TyNode *node, bool star)
{
    switch (node->kind) {
    case TY_AST_Name: case TY_AST_Attribute: case TY_AST_Subscript:
        return true;
    case TY_AST_Starred:
        return star && TY_AST(Starred, node)->value->kind != TY_AST_Starred &&
               ty_parse_is_target(TY_AST(Starred, node)->value, false);
    case TY_AST_Tuple: case TY_AST_List: {
        const TyNodeList *list = node->kind == TY_AST_Tuple ? &TY_AST(Tuple, node)->elts : &TY_AST(List, node)->elts;
        for (int i = 0; i < list->count; i++)
            if (!ty_parse_is_target(list->items[i], true))
                return false;
        return true;
    }
    default:
        return false;
    }
}

void ty_parse_set_context(TyNode *node, TyAst_expr_context context)
{
    const TyNodeList *list = NULL;
    switch (node->kind) {
    case TY_AST_Name: TY_AST(Name, node)->ctx = context; return;
    case TY_AST_Attribute: TY_AST(Attribute, node)->ctx = context; return;
    case TY_AST_Subscript: TY_AST(Subscript, node)->ctx = context; return;
    case TY_AST_Starred:
        TY_AST(Starred, node)->ctx = context;
        ty_parse_set_context(TY_AST(Starred, node)->value, context);
        return;
    case TY_AST_Tuple:
        TY_AST(Tuple, node)->ctx = context;
        list = &TY_AST(Tuple, node)->elts;
        break;
    case TY_AST_List:
        TY_AST(List, node)->ctx = context;
        list = &TY_AST(List, node)->elts;
        break;
    default:
        return;
    }
    for (int i = 0; i < list->count; i++)
        ty_parse_set_context(list->items[i], context);
}

/*
 * A target, by reading a primary and seeing whether it is one. While diagnosing, the readings of wrong expressions
 * inside are tried as the grammar would in an atom.
 */
TyNode *ty_parse_star_target(TyParser *p)
{
    if (peek(p) == TY_TOKEN_STAR) {
        int start = p->mark++;
        if (peek(p) == TY_TOKEN_STAR)
            return NULL;
        TyNode *value = ty_parse_star_target(p);
        TyAstStarred *node = value ? NODE(p, Starred, start) : NULL;
        if (node) {
            node->value = value;
            node->ctx = TY_AST_Store;
        }
        return (TyNode *)node;
    }
    TyNode *node = ty_parse_primary(p);
    if (!node || !ty_parse_is_target(node, false))
        return NULL;
    return node;
}

TyNode *ty_parse_star_targets(TyParser *p)
{
    TyNode *node = tuple_of(p, ty_parse_star_target);
    if (node && !p->diagnosing)
        ty_parse_set_context(node, TY_AST_Store);
    return node;
}
