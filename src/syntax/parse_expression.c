/* Expressions, targets and the arguments of calls. */

#include "syntax/parser.h"

/* ---- small pieces -------------------------------------------------------------------------------- */

static TyNode *name_node(TyParser *p)
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

/* ---- comprehensions ---------------------------------------------------------------------------------- */

static bool starts_comprehension(TyParser *p)
{
    TyTokenKind kind = peek(p);
    return kind == TY_KEYWORD_FOR || (kind == TY_KEYWORD_ASYNC && peek_second(p) == TY_KEYWORD_FOR);
}

/* The messages for a `for` whose targets are wrong; false, with or without an exception. */
static bool diagnose_for_if_clause(TyParser *p)
{
    int start = p->mark;
    accept(p, TY_KEYWORD_ASYNC);
    if (!accept(p, TY_KEYWORD_FOR))
        return false;
    int after = p->mark;
    if (ty_parse_bitwise_or(p)) {
        int end = p->mark;
        while (accept(p, TY_TOKEN_COMMA) && ty_parse_bitwise_or(p))
            end = p->mark;
        p->mark = end;
        accept(p, TY_TOKEN_COMMA);
        if (!p->error && peek(p) != TY_KEYWORD_IN)
            return ty_error_last(p, TY_SYNTAX_ERROR, false, "'in' expected after for-loop variables");
    }
    p->mark = after;
    TyNode *targets = p->error ? NULL : ty_parse_star_expressions(p);
    if (targets)
        ty_error_invalid_target(p, TY_TARGETS_FOR, targets);
    p->mark = start;
    return false;
}

static TyNode *for_if_clause(TyParser *p)
{
    int start = p->mark;
    bool is_async = accept(p, TY_KEYWORD_ASYNC);
    if (!accept(p, TY_KEYWORD_FOR))
        return NULL;
    TyNode *target = ty_parse_star_targets(p);
    if (!target || !accept(p, TY_KEYWORD_IN)) {
        p->mark = start;
        if (p->diagnosing && !p->error)
            diagnose_for_if_clause(p);
        return NULL;
    }
    TyNode *iter = ty_parse_disjunction(p);
    if (!iter)
        return NULL;
    int height = p->stack_height;
    for (;;) {
        int mark = p->mark;
        if (!accept(p, TY_KEYWORD_IF))
            break;
        TyNode *condition = ty_parse_disjunction(p);
        if (!condition) {
            p->mark = mark;
            break;
        }
        if (!ty_parser_push(p, condition))
            return NULL;
    }
    if (p->error || (is_async && !ty_parse_check_version(p, 6, "Async comprehensions are")))
        return NULL;
    TyAstcomprehension *node = NODE(p, comprehension, start);
    if (node) {
        node->target = target;
        node->iter = iter;
        node->ifs = ty_parser_pop_list(p, height);
        node->is_async = is_async;
    }
    return (TyNode *)node;
}

static bool for_if_clauses(TyParser *p, TyNodeList *list)
{
    int height = p->stack_height;
    int end;
    do {
        end = p->mark;
        if (!starts_comprehension(p))
            break;
        TyNode *clause = for_if_clause(p);
        if (!clause)
            break;
        if (!ty_parser_push(p, clause))
            return false;
        end = p->mark;
    } while (true);
    p->mark = end;
    *list = ty_parser_pop_list(p, height);
    return list->count > 0 && !p->error;
}

static TyNode *last_of(const TyNodeList *list)
{
    return list->count ? list->items[list->count - 1] : NULL;
}

/* The last node of the last clause: where the message about a comprehension ends. */
static TyNode *end_of_comprehension(const TyNodeList *clauses)
{
    TyAstcomprehension *clause = TY_AST(comprehension, last_of(clauses));
    return clause->ifs.count ? last_of(&clause->ifs) : clause->iter;
}

/* ---- lists of expressions ------------------------------------------------------------------------------ */

static TyNode *starred(TyParser *p, TyNode *(*rule)(TyParser *))
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
    return peek(p) == TY_TOKEN_STAR ? starred(p, ty_parse_bitwise_or) : ty_parse_named_expression(p);
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
    return peek(p) == TY_TOKEN_STAR ? starred(p, ty_parse_bitwise_or) : ty_parse_expression(p);
}

/* After a first item at mark start: items of the rule between commas, and maybe a last comma. Pushes them. */
static bool more_items(TyParser *p, TyNode *(*rule)(TyParser *))
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
    if (!ty_parser_push(p, first) || !more_items(p, rule))
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

/* ---- parentheses, brackets, braces ---------------------------------------------------------------------- */

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

static TyNode *starred_expression(TyParser *p);

/* What is wrong with a comprehension in the brackets at mark start; NULL. */
static TyNode *diagnose_comprehension(TyParser *p, int start)
{
    TyNodeList clauses;
    p->mark = start + 1;
    if (peek(p) == TY_TOKEN_STAR) {
        TyNode *value = starred_expression(p);
        if (value && for_if_clauses(p, &clauses))
            return ty_error_at(p, value, "iterable unpacking cannot be used in comprehension");
        if (p->error)
            return NULL;
    }
    if (ty_token_at(p, start)->kind == TY_TOKEN_LPAR)
        return NULL;
    p->mark = start + 1;
    TyNode *first = ty_parse_star_named_expression(p);
    if (!first || !accept(p, TY_TOKEN_COMMA))
        return NULL;
    int comma = p->mark - 1;
    int height = p->stack_height;
    TyNode *second = ty_parse_star_named_expression(p);
    if (second && ty_parser_push(p, second) && more_items(p, ty_parse_star_named_expression)) {
        TyNodeList items = ty_parser_pop_list(p, height);
        if (for_if_clauses(p, &clauses))
            return ty_error_range(p, first, last_of(&items),
                                  "did you forget parentheses around the comprehension target?");
    }
    p->stack_height = height;
    if (p->error)
        return NULL;
    p->mark = comma + 1;
    if (for_if_clauses(p, &clauses))
        return ty_error_to_token(p, first, comma, "did you forget parentheses around the comprehension target?");
    return NULL;
}

/* What is wrong in the parentheses at mark start; NULL. */
static TyNode *diagnose_group(TyParser *p, int start)
{
    p->mark = start + 1;
    if (peek(p) == TY_TOKEN_STAR) {
        TyNode *value = starred_expression(p);
        if (value && accept(p, TY_TOKEN_RPAR))
            return ty_error_at(p, value, "cannot use starred expression here");
    } else if (peek(p) == TY_TOKEN_DOUBLESTAR) {
        p->mark++;
        if (ty_parse_expression(p) && accept(p, TY_TOKEN_RPAR))
            return ty_error_at_token(p, start + 1, "cannot use double starred expression here");
    }
    return p->error ? NULL : diagnose_comprehension(p, start);
}

/* A group, a tuple or a generator expression. */
static TyNode *parenthesized(TyParser *p)
{
    int start = p->mark++;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_RPAR) {
        p->mark++;
        return (TyNode *)NODE(p, Tuple, start);
    }
    if (kind == TY_KEYWORD_YIELD) {
        TyNode *value = ty_parse_yield(p);
        if (!value || !accept(p, TY_TOKEN_RPAR))
            return NULL;
        value->flags |= TY_NODE_PARENTHESIZED;
        return value;
    }
    TyNode *first = ty_parse_star_named_expression(p);
    if (!first)
        return p->diagnosing && !p->error ? diagnose_group(p, start) : NULL;
    switch (peek(p)) {
    case TY_TOKEN_RPAR:
        if (first->kind == TY_AST_Starred)
            break;
        p->mark++;
        first->flags |= TY_NODE_PARENTHESIZED;
        return first;
    case TY_TOKEN_COMMA: {
        int height = p->stack_height;
        if (!ty_parser_push(p, first) || !more_items(p, ty_parse_star_named_expression))
            return NULL;
        if (accept(p, TY_TOKEN_RPAR)) {
            TyAstTuple *node = NODE(p, Tuple, start);
            if (node)
                node->elts = ty_parser_pop_list(p, height);
            return (TyNode *)node;
        }
        p->stack_height = height;
        break;
    }
    case TY_KEYWORD_FOR: case TY_KEYWORD_ASYNC: {
        TyNodeList clauses;
        if (first->kind != TY_AST_Starred && for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RPAR)) {
            TyAstGeneratorExp *node = NODE(p, GeneratorExp, start);
            if (node) {
                node->elt = first;
                node->generators = clauses;
            }
            return (TyNode *)node;
        }
        break;
    }
    default:
        break;
    }
    return p->diagnosing && !p->error ? diagnose_group(p, start) : NULL;
}

static TyNode *bracketed(TyParser *p)
{
    int start = p->mark++;
    int height = p->stack_height;
    if (peek(p) != TY_TOKEN_RSQB) {
        TyNode *first = ty_parse_star_named_expression(p);
        if (!first)
            return p->diagnosing && !p->error ? diagnose_comprehension(p, start) : NULL;
        if (first->kind != TY_AST_Starred && starts_comprehension(p)) {
            TyNodeList clauses;
            if (for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RSQB)) {
                TyAstListComp *node = NODE(p, ListComp, start);
                if (node) {
                    node->elt = first;
                    node->generators = clauses;
                }
                return (TyNode *)node;
            }
            return p->diagnosing && !p->error ? diagnose_comprehension(p, start) : NULL;
        }
        if (!ty_parser_push(p, first) || !more_items(p, ty_parse_star_named_expression))
            return NULL;
    }
    if (!accept(p, TY_TOKEN_RSQB)) {
        p->stack_height = height;
        return p->diagnosing && !p->error ? diagnose_comprehension(p, start) : NULL;
    }
    TyAstList *node = NODE(p, List, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* A key and its value, or NULL and the value of a `**`. Pushes both. */
static bool key_and_value(TyParser *p)
{
    if (accept(p, TY_TOKEN_DOUBLESTAR)) {
        TyNode *value = ty_parse_bitwise_or(p);
        return value && ty_parser_push(p, NULL) && ty_parser_push(p, value);
    }
    TyNode *key = ty_parse_expression(p);
    if (!key || !accept(p, TY_TOKEN_COLON))
        return false;
    TyNode *value = ty_parse_expression(p);
    return value && ty_parser_push(p, key) && ty_parser_push(p, value);
}

/* A key with something wrong behind it. */
static void diagnose_value(TyParser *p, bool missing_colon)
{
    TyNode *key = ty_parse_expression(p);
    if (!key)
        return;
    if (peek(p) != TY_TOKEN_COLON) {
        if (missing_colon && !p->error)
            ty_error_place(p, TY_SYNTAX_ERROR, key->lineno, key->end_col_offset, key->end_lineno, 0,
                           "':' expected after dictionary key");
        return;
    }
    int colon = p->mark++;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_STAR || kind == TY_TOKEN_DOUBLESTAR) {
        const TyToken token = *ty_token_at(p, p->mark);
        p->mark++;
        if (ty_parse_bitwise_or(p))
            ty_error_starting(p, token.lineno, token.col_offset,
                              kind == TY_TOKEN_STAR ? "cannot use a starred expression in a dictionary value"
                                                    : "cannot use dict unpacking in a dictionary value");
    } else if (kind == TY_TOKEN_RBRACE || kind == TY_TOKEN_COMMA) {
        ty_error_at_token(p, colon, "expression expected after dictionary key and ':'");
    }
}

static TyNode *diagnose_dict(TyParser *p, int start)
{
    int height = p->stack_height;
    int mark;
    p->mark = start + 1;
    /* Good pairs, then a bad one. */
    if (key_and_value(p)) {
        while (mark = p->mark, accept(p, TY_TOKEN_COMMA) && key_and_value(p))
            ;
        p->stack_height = height;
        p->mark = mark;
        if (!p->error && accept(p, TY_TOKEN_COMMA))
            diagnose_value(p, true);
    }
    p->stack_height = height;
    if (p->error)
        return NULL;
    p->mark = start + 1;
    diagnose_value(p, false);
    return NULL;
}

/* Braces, read as a dict whose first pair is not yet read. */
static TyNode *dict(TyParser *p, int start)
{
    int height = p->stack_height;
    if (peek(p) != TY_TOKEN_RBRACE) {
        if (!key_and_value(p))
            return NULL;
        while (accept(p, TY_TOKEN_COMMA)) {
            int mark = p->mark;
            if (peek(p) == TY_TOKEN_RBRACE)
                break;
            int inner = p->stack_height;
            if (!key_and_value(p)) {
                p->stack_height = inner;
                p->mark = mark;
                break;
            }
        }
    }
    if (!accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyNodeList pairs = ty_parser_pop_list(p, height);
    TyAstDict *node = NODE(p, Dict, start);
    if (!node || !ty_ast_new_list(p->ast, &node->keys, pairs.count / 2) ||
        !ty_ast_new_list(p->ast, &node->values, pairs.count / 2))
        return NULL;
    for (int i = 0; i < pairs.count / 2; i++) {
        node->keys.items[i] = pairs.items[2 * i];
        node->values.items[i] = pairs.items[2 * i + 1];
    }
    return (TyNode *)node;
}

static TyNode *dict_comprehension(TyParser *p, int start, TyNode *key, TyNode *value)
{
    TyNodeList clauses;
    if (!for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyAstDictComp *node = NODE(p, DictComp, start);
    if (node) {
        node->key = key;
        node->value = value;
        node->generators = clauses;
    }
    return (TyNode *)node;
}

/* Braces, read as a set or a set comprehension. */
static TyNode *set(TyParser *p, int start)
{
    int height = p->stack_height;
    TyNode *first = ty_parse_star_named_expression(p);
    if (!first)
        return NULL;
    if (first->kind != TY_AST_Starred && starts_comprehension(p)) {
        TyNodeList clauses;
        if (!for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RBRACE))
            return NULL;
        TyAstSetComp *node = NODE(p, SetComp, start);
        if (node) {
            node->elt = first;
            node->generators = clauses;
        }
        return (TyNode *)node;
    }
    if (!ty_parser_push(p, first) || !more_items(p, ty_parse_star_named_expression) ||
        !accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyAstSet *node = NODE(p, Set, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* The readings of braces in turn: dict, set, comprehensions, and what each may have wrong. */
static TyNode *diagnose_braces(TyParser *p, int start)
{
    int height = p->stack_height;
    TyNode *node;
#define TRY(reading) \
    p->mark = start + 1; \
    node = (reading); \
    if (node || p->error) \
        return node; \
    p->stack_height = height
    TRY(dict(p, start));
    TRY(diagnose_dict(p, start));
    TRY(set(p, start));
    p->mark = start + 1;
    if (peek(p) != TY_TOKEN_DOUBLESTAR) {
        TyNode *key = ty_parse_expression(p);
        TyNode *value = key && accept(p, TY_TOKEN_COLON) ? ty_parse_expression(p) : NULL;
        node = value ? dict_comprehension(p, start, key, value) : NULL;
        if (node || p->error)
            return node;
    } else {
        TyNodeList clauses;
        p->mark++;
        if (ty_parse_bitwise_or(p) && for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RBRACE))
            return ty_error_at_token(p, start + 1, "dict unpacking cannot be used in dict comprehension");
    }
    TRY(diagnose_comprehension(p, start));
#undef TRY
    return NULL;
}

static TyNode *good_braces(TyParser *p, int start)
{
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_RBRACE || kind == TY_TOKEN_DOUBLESTAR)
        return dict(p, start);
    int height = p->stack_height;
    TyNode *first = ty_parse_star_named_expression(p);
    if (!first)
        return NULL;
    bool may_be_key = first->kind != TY_AST_Starred &&
                      (first->kind != TY_AST_NamedExpr || first->flags & TY_NODE_PARENTHESIZED);
    if (peek(p) == TY_TOKEN_COLON && may_be_key) {
        p->mark++;
        TyNode *value = ty_parse_expression(p);
        if (!value)
            return NULL;
        if (starts_comprehension(p))
            return dict_comprehension(p, start, first, value);
        if (!ty_parser_push(p, first) || !ty_parser_push(p, value))
            return NULL;
        while (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_RBRACE)
            if (!key_and_value(p))
                return NULL;
        if (!accept(p, TY_TOKEN_RBRACE))
            return NULL;
        TyNodeList pairs = ty_parser_pop_list(p, height);
        TyAstDict *node = NODE(p, Dict, start);
        if (!node || !ty_ast_new_list(p->ast, &node->keys, pairs.count / 2) ||
            !ty_ast_new_list(p->ast, &node->values, pairs.count / 2))
            return NULL;
        for (int i = 0; i < pairs.count / 2; i++) {
            node->keys.items[i] = pairs.items[2 * i];
            node->values.items[i] = pairs.items[2 * i + 1];
        }
        return (TyNode *)node;
    }
    if (first->kind != TY_AST_Starred && starts_comprehension(p)) {
        TyNodeList clauses;
        if (!for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RBRACE))
            return NULL;
        TyAstSetComp *node = NODE(p, SetComp, start);
        if (node) {
            node->elt = first;
            node->generators = clauses;
        }
        return (TyNode *)node;
    }
    if (!ty_parser_push(p, first) || !more_items(p, ty_parse_star_named_expression) ||
        !accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyAstSet *node = NODE(p, Set, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

static TyNode *braced(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    if (p->diagnosing)
        return diagnose_braces(p, start);
    TyNode *node = good_braces(p, start);
    if (!node && !p->error) {
        /* Of all wrong source, pairs in braces are looked at in the first reading already. */
        p->remember = true;
        p->stack_height = height;
        diagnose_dict(p, start);
    }
    return node;
}

static TyNode *atom(TyParser *p)
{
    TyNode *node;
    switch (peek(p)) {
    case TY_TOKEN_NAME: return name_node(p);
    case TY_TOKEN_NUMBER: return ty_parse_number(p);
    case TY_KEYWORD_TRUE: return constant_node(p, ty_syntax_bool(true));
    case TY_KEYWORD_FALSE: return constant_node(p, ty_syntax_bool(false));
    case TY_KEYWORD_NONE: return constant_node(p, ty_syntax_none());
    case TY_TOKEN_ELLIPSIS: return constant_node(p, ty_syntax_ellipsis());
    case TY_TOKEN_STRING: case TY_TOKEN_FSTRING_START: case TY_TOKEN_TSTRING_START: return ty_parse_strings(p);
    case TY_TOKEN_LPAR: case TY_TOKEN_LSQB: case TY_TOKEN_LBRACE:
        if (!ty_parser_enter(p))
            return NULL;
        node = peek(p) == TY_TOKEN_LPAR ? parenthesized(p) : peek(p) == TY_TOKEN_LSQB ? bracketed(p) : braced(p);
        ty_parser_leave(p);
        return node;
    default: return NULL;
    }
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

/* `*` and what it unpacks, in the arguments of a call. */
static TyNode *starred_expression(TyParser *p)
{
    int start = p->mark;
    if (peek(p) != TY_TOKEN_STAR)
        return NULL;
    if (p->diagnosing) {
        p->mark++;
        TyNode *value = ty_parse_expression(p);
        if (value && accept(p, TY_TOKEN_EQUAL)) {
            TyNode *right = ty_parse_expression(p);
            if (right)
                return ty_error_from_token(p, start, right, "cannot assign to iterable argument unpacking");
        }
        if (p->error)
            return NULL;
        p->mark = start;
    }
    TyNode *node = starred(p, ty_parse_expression);
    if (!node && p->diagnosing && !p->error) {
        p->mark = start + 1;
        return ty_error_last(p, TY_SYNTAX_ERROR, false, "Invalid star expression");
    }
    return node;
}

/* Something like a keyword argument whose name is none. */
static TyNode *diagnose_keyword(TyParser *p)
{
    int start = p->mark;
    TyTokenKind kind = peek(p);
    if (kind == TY_KEYWORD_TRUE || kind == TY_KEYWORD_FALSE || kind == TY_KEYWORD_NONE) {
        if (peek_second(p) == TY_TOKEN_EQUAL)
            return ty_error_tokens(p, start, start + 1, "cannot assign to %s",
                                   kind == TY_KEYWORD_TRUE ? "True" : kind == TY_KEYWORD_FALSE ? "False" : "None");
    }
    TyNodeList clauses;
    if (kind == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL) {
        p->mark += 2;
        if (ty_parse_expression(p) && for_if_clauses(p, &clauses))
            return ty_error_tokens(p, start, start + 1,
                                   "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    } else {
        TyNode *left = ty_parse_expression(p);
        if (left && peek(p) == TY_TOKEN_EQUAL)
            return ty_error_to_token(p, left, p->mark,
                                     "expression cannot contain assignment, perhaps you meant \"==\"?");
    }
    p->mark = start;
    return NULL;
}

/* name=value; NULL and the mark where it was, if it is something else. */
static TyNode *keyword_argument(TyParser *p)
{
    int start = p->mark;
    if (p->diagnosing) {
        diagnose_keyword(p);
        if (p->error)
            return NULL;
    }
    if (peek(p) != TY_TOKEN_NAME || peek_second(p) != TY_TOKEN_EQUAL)
        return NULL;
    Value name = ty_parser_name(p, &p->tokens[p->mark]);
    p->mark += 2;
    TyNode *value = name ? ty_parse_expression(p) : NULL;
    if (!value) {
        p->mark = start;
        return NULL;
    }
    TyAstkeyword *node = NODE(p, keyword, start);
    if (node) {
        node->arg = name;
        node->value = value;
    }
    return (TyNode *)node;
}

static TyNode *double_starred_argument(TyParser *p)
{
    int start = p->mark;
    if (p->diagnosing) {
        diagnose_keyword(p);
        if (p->error)
            return NULL;
    }
    TyNode *node = peek(p) == TY_TOKEN_NAME ? keyword_argument(p) : NULL;
    if (node || p->error)
        return node;
    if (!accept(p, TY_TOKEN_DOUBLESTAR))
        return NULL;
    TyNode *value = ty_parse_expression(p);
    if (!value) {
        p->mark = start;
        return NULL;
    }
    if (p->diagnosing && accept(p, TY_TOKEN_EQUAL)) {
        TyNode *right = ty_parse_expression(p);
        if (right)
            return ty_error_from_token(p, start, right, "cannot assign to keyword argument unpacking");
        p->mark = start;
        return NULL;
    }
    TyAstkeyword *keyword = NODE(p, keyword, start);
    if (keyword)
        keyword->value = value;
    return (TyNode *)keyword;
}

static TyNode *keyword_or_starred(TyParser *p)
{
    int start = p->mark;
    TyNode *node = keyword_argument(p);
    if (node || p->error)
        return node;
    p->mark = start;
    return starred_expression(p);
}

/* A positional argument: * or an expression, maybe with := , that no = follows. */
static TyNode *positional(TyParser *p)
{
    int start = p->mark;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_STAR)
        return starred_expression(p);
    if (kind == TY_TOKEN_NAME) {
        TyTokenKind second = peek_second(p);
        if (second == TY_TOKEN_EQUAL && !p->diagnosing)
            return NULL;
        if (second == TY_TOKEN_COLONEQUAL) {
            TyNode *target = name_node(p);
            p->mark++;
            TyNode *value = target ? ty_parse_expression(p) : NULL;
            if (!value || peek(p) == TY_TOKEN_EQUAL || !ty_parse_check_version(p, 8, "Assignment expressions are"))
                return NULL;
            ty_parse_set_context(target, TY_AST_Store);
            TyAstNamedExpr *node = NODE(p, NamedExpr, start);
            if (node) {
                node->target = target;
                node->value = value;
            }
            return (TyNode *)node;
        }
    }
    TyNode *node = ty_parse_expression(p);
    if (!node || peek(p) == TY_TOKEN_COLONEQUAL || peek(p) == TY_TOKEN_EQUAL)
        return NULL;
    return node;
}

/* Items of a rule between commas, pushed; the mark is left behind the last. Returns how many. */
static int gather(TyParser *p, TyNode *(*rule)(TyParser *))
{
    int count = 0;
    int end = p->mark;
    for (;;) {
        TyNode *item = rule(p);
        if (!item)
            break;
        if (!ty_parser_push(p, item))
            return 0;
        count++;
        end = p->mark;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
    }
    p->mark = end;
    return count;
}

/* Keyword arguments with * among them, then with ** among them; pushed. */
static int keyword_arguments(TyParser *p)
{
    int count = gather(p, keyword_or_starred);
    int mark = p->mark;
    if (p->error)
        return 0;
    if (count && !accept(p, TY_TOKEN_COMMA))
        return count;
    int more = gather(p, double_starred_argument);
    if (!more)
        p->mark = mark;
    return count + more;
}

/* All arguments without a last comma; pushed. False if there is none. */
static bool args(TyParser *p)
{
    int count = gather(p, positional);
    int mark = p->mark;
    if (p->error)
        return false;
    if (count && !accept(p, TY_TOKEN_COMMA))
        return true;
    int more = keyword_arguments(p);
    if (!more)
        p->mark = mark;
    return count + more > 0 && !p->error;
}

/* Sorts what was pushed into positional and keyword arguments. */
static bool split_arguments(TyParser *p, int height, TyCallArguments *arguments)
{
    int count = p->stack_height - height, keywords = 0;
    for (int i = 0; i < count; i++)
        keywords += ((TyNode *)p->stack[height + i])->kind == TY_AST_keyword;
    if (!ty_ast_new_list(p->ast, &arguments->args, count - keywords) ||
        !ty_ast_new_list(p->ast, &arguments->keywords, keywords)) {
        p->error = true;
        return false;
    }
    TyNode **positional_out = arguments->args.items, **keyword_out = arguments->keywords.items;
    for (int i = 0; i < count; i++) {
        TyNode *item = p->stack[height + i];
        if (item->kind == TY_AST_keyword)
            *keyword_out++ = item;
        else
            *positional_out++ = item;
    }
    p->stack_height = height;
    return true;
}

static TyNode *generator_not_parenthesized(TyParser *p, TyNode *first, const TyNodeList *clauses)
{
    return ty_error_range(p, first, end_of_comprehension(clauses), "Generator expression must be parenthesized");
}

/* Messages about arguments that are not in order; the mark is at the first. */
static void diagnose_arguments(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    TyCallArguments all;
    TyNodeList clauses;

    /* ** before * */
    bool found = false;
    if (gather(p, positional) && accept(p, TY_TOKEN_COMMA) && !p->error)
        found = keyword_arguments(p) > 0;
    if (!found && !p->error) {
        p->mark = start;
        found = keyword_arguments(p) > 0;
    }
    p->stack_height = height;
    if (p->error)
        return;
    if (found && peek(p) == TY_TOKEN_COMMA) {
        const TyToken comma = *ty_token_at(p, p->mark);
        p->mark++;
        int count = 0, end = p->mark;
        while (peek(p) == TY_TOKEN_STAR) {
            if (!starred_expression(p) || peek(p) == TY_TOKEN_EQUAL)
                break;
            count++;
            end = p->mark;
            if (!accept(p, TY_TOKEN_COMMA))
                break;
        }
        p->mark = end;
        if (count && !p->error) {
            ty_error_starting(p, comma.lineno, comma.col_offset,
                              "iterable argument unpacking follows keyword argument unpacking");
            return;
        }
    }

    /* A generator expression among other arguments */
    p->mark = start;
    TyNode *first = p->error ? NULL : ty_parse_expression(p);
    if (first && for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_COMMA)) {
        int comma = p->mark;
        if (!args(p) && !p->error) {
            p->mark = comma;
            TyNodeList others;
            if (ty_parse_expression(p))
                for_if_clauses(p, &others);
        }
        p->stack_height = height;
        if (p->error)
            return;
        generator_not_parenthesized(p, first, &clauses);
        return;
    }

    /* name = value for ... */
    p->mark = start;
    if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL) {
        p->mark += 2;
        if (ty_parse_expression(p) && for_if_clauses(p, &clauses)) {
            ty_error_tokens(p, start, start + 1, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
            return;
        }
    }

    /* name= without a value */
    for (int skip = 1; skip >= 0 && !p->error; skip--) {
        p->mark = start;
        if (skip && !(args(p) && accept(p, TY_TOKEN_COMMA)))
            continue;
        p->stack_height = height;
        int name = p->mark;
        if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL) {
            TyTokenKind third = ty_token_at(p, name + 2)->kind;
            if (third == TY_TOKEN_COMMA || third == TY_TOKEN_RPAR) {
                ty_error_tokens(p, name, name + 1, "expected argument value expression");
                return;
            }
        }
    }

    p->mark = start;
    p->stack_height = height;
    if (p->error || !args(p) || !split_arguments(p, height, &all))
        return;
    int after_args = p->mark;
    if (for_if_clauses(p, &clauses)) {
        /* The last argument began a generator expression, unless it is the only one. */
        if (all.args.count > 1)
            ty_error_range(p, last_of(&all.args), end_of_comprehension(&clauses),
                           "Generator expression must be parenthesized");
        return;
    }
    p->mark = after_args;
    if (!accept(p, TY_TOKEN_COMMA))
        return;
    first = ty_parse_expression(p);
    if (first && for_if_clauses(p, &clauses)) {
        generator_not_parenthesized(p, first, &clauses);
        return;
    }
    p->mark = after_args + 1;
    if (!p->error && args(p)) {
        p->stack_height = height;
        bool unpacked = false;
        for (int i = 0; i < all.keywords.count; i++)
            unpacked |= !TY_AST(keyword, all.keywords.items[i])->arg;
        ty_error_last(p, TY_SYNTAX_ERROR, false,
                      unpacked ? "positional argument follows keyword argument unpacking"
                               : "positional argument follows keyword argument");
    }
    p->stack_height = height;
}

bool ty_parse_call_arguments(TyParser *p, TyCallArguments *arguments)
{
    int start = p->mark, height = p->stack_height;
    if (args(p)) {
        accept(p, TY_TOKEN_COMMA);
        if (peek(p) == TY_TOKEN_RPAR)
            return split_arguments(p, height, arguments);
    }
    p->stack_height = height;
    p->mark = start;
    if (p->diagnosing && !p->error)
        diagnose_arguments(p);
    p->mark = start;
    return false;
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
    return peek(p) == TY_TOKEN_STAR ? starred_expression(p) : slice(p);
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
    if (!ty_parser_push(p, first) || !more_items(p, slice_or_starred))
        return NULL;
    TyAstTuple *node = NODE(p, Tuple, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* The parentheses behind a callee. */
static TyNode *call(TyParser *p, TyNode *function)
{
    TyCallArguments arguments = {0};
    int open = p->mark++;
    if (!accept(p, TY_TOKEN_RPAR)) {
        /* One generator expression needs no parentheses of its own. */
        TyTokenKind kind = peek(p);
        TyNode *only = NULL;
        if (p->diagnosing || !(kind == TY_TOKEN_STAR || kind == TY_TOKEN_DOUBLESTAR)) {
            TyNode *elt = NULL;
            TyNodeList clauses;
            if (p->diagnosing) {
                /* (a for b in c) as the grammar tries it first */
                int height = p->stack_height;
                if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLONEQUAL)
                    elt = positional(p);
                else if (kind != TY_TOKEN_STAR && kind != TY_TOKEN_DOUBLESTAR)
                    elt = ty_parse_expression(p);
                if (elt && starts_comprehension(p) && for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RPAR))
                    only = elt;
                else if (!p->error)
                    diagnose_comprehension(p, open);
                p->stack_height = height;
                if (p->error)
                    return NULL;
                if (!only)
                    p->mark = open + 1;
            } else if (kind != TY_TOKEN_NAME || peek_second(p) != TY_TOKEN_EQUAL) {
                elt = positional(p);
                if (!elt)
                    return NULL;
                if (peek(p) == TY_TOKEN_RPAR) {
                    p->mark++;
                    if (!ty_ast_new_list(p->ast, &arguments.args, 1)) {
                        p->error = true;
                        return NULL;
                    }
                    arguments.args.items[0] = elt;
                    goto done;
                }
                if (starts_comprehension(p)) {
                    if (!for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RPAR))
                        return NULL;
                    only = elt;
                } else {
                    /* The first argument is read; the others follow. */
                    int height = p->stack_height;
                    if (!ty_parser_push(p, elt))
                        return NULL;
                    if (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_RPAR) {
                        if (!args(p))
                            return NULL;
                        accept(p, TY_TOKEN_COMMA);
                    }
                    if (!accept(p, TY_TOKEN_RPAR) || !split_arguments(p, height, &arguments))
                        return NULL;
                    goto done;
                }
            }
            if (only) {
                TyAstGeneratorExp *generator = NODE(p, GeneratorExp, open);
                if (!generator || !ty_ast_new_list(p->ast, &arguments.args, 1)) {
                    p->error = true;
                    return NULL;
                }
                generator->elt = only;
                generator->generators = clauses;
                arguments.args.items[0] = (TyNode *)generator;
                goto done;
            }
        }
        if (!ty_parse_call_arguments(p, &arguments) || !accept(p, TY_TOKEN_RPAR))
            return NULL;
    }
done:;
    TyAstCall *node = NODE_FROM(p, Call, function);
    if (node) {
        node->func = function;
        node->args = arguments.args;
        node->keywords = arguments.keywords;
    }
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
                next = call(p, node);
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
                diagnose_comprehension(p, mark);
            p->mark = mark;
            return p->error ? NULL : node;
        case TY_TOKEN_LSQB: {
            if (p->diagnosing) {
                diagnose_comprehension(p, mark);
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

/* Expressions that are wrong: a missing comma, a missing else, statements inside. */
static void diagnose_expression(TyParser *p)
{
    int start = p->mark;
    const TyToken *token = ty_token_at(p, start);
    if (token->kind == TY_TOKEN_STRING) {
        /* Quotes inside of a string that should be in it. */
        TyNode *begin = NULL, *end = NULL, *next;
        int mark = ++p->mark;
        while (peek(p) != TY_TOKEN_STRING && (next = ty_parse_expression_without_invalid(p))) {
            begin = begin ? begin : next;
            end = next;
            mark = p->mark;
        }
        p->mark = mark;
        if (begin && peek(p) == TY_TOKEN_STRING)
            ty_error_range(p, begin, end, "invalid syntax. Is this intended to be part of the string?");
        if (p->error)
            return;
        p->mark = start;
    }
    bool prefix = (ty_token_at(p, start)->kind == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_STRING) ||
                  ty_is_soft_keyword(p, ty_token_at(p, start));
    TyNode *first = ty_parse_disjunction(p);
    if (p->error)
        return;
    int after_first = p->mark;
    if (first && !prefix) {
        TyNode *second = ty_parse_expression_without_invalid(p);
        if (p->error)
            return;
        bool legacy = first->kind == TY_AST_Name && is_legacy_statement(p, start) &&
                      !(first->flags & TY_NODE_PARENTHESIZED);
        if (second && !legacy && p->tokens[p->mark - 1].level != 0) {
            ty_error_range(p, first, second, "invalid syntax. Perhaps you forgot a comma?");
            return;
        }
    }
    if (first) {
        p->mark = after_first;
        if (accept(p, TY_KEYWORD_IF)) {
            TyNode *condition = ty_parse_disjunction(p);
            if (condition) {
                TyTokenKind kind = peek(p);
                if (p->error)
                    return;
                if (kind != TY_KEYWORD_ELSE && kind != TY_TOKEN_COLON) {
                    ty_error_range(p, first, condition, "expected 'else' after 'if' expression");
                    return;
                }
                if (accept(p, TY_KEYWORD_ELSE)) {
                    int after_else = p->mark;
                    TyNode *otherwise = ty_parse_expression(p);
                    if (p->error)
                        return;
                    if (!otherwise) {
                        ty_error_at_token(p, after_else, "expected expression after 'else', but statement is given");
                        return;
                    }
                }
            }
            if (p->error)
                return;
        }
    } else if (is_bare_statement(ty_token_at(p, start)->kind)) {
        p->mark = start + 1;
        if (accept(p, TY_KEYWORD_IF) && ty_parse_disjunction(p) && accept(p, TY_KEYWORD_ELSE) &&
            ty_parse_simple_statement(p) && !p->error) {
            ty_error_at_token(p, start, "expected expression before 'if', but statement is given");
            return;
        }
    } else if (ty_token_at(p, start)->kind == TY_KEYWORD_LAMBDA) {
        p->mark = start + 1;
        TyNode *parameters = ty_parse_parameters(p, true);
        if (parameters && peek(p) == TY_TOKEN_COLON) {
            int colon = p->mark;
            TyTokenKind after = ty_token_at(p, colon + 1)->kind;
            char letter = after == TY_TOKEN_FSTRING_MIDDLE ? 'f' : after == TY_TOKEN_TSTRING_MIDDLE ? 't' : 0;
            if (after == TY_TOKEN_LBRACE && p->tokenizer.mode)
                letter = p->tokenizer.modes[p->tokenizer.mode].letter;
            if (letter) {
                ty_error_tokens(p, start, colon,
                                "%c-string: lambda expressions are not allowed without parentheses", letter);
                return;
            }
        }
        if (p->error)
            return;
    }
    p->mark = start;
    /* print x, exec x */
    if (ty_token_at(p, start)->kind == TY_TOKEN_NAME && peek_second(p) != TY_TOKEN_LPAR) {
        p->mark = start + 1;
        TyNode *rest = ty_parse_star_expressions(p);
        if (rest && !p->error && is_legacy_statement(p, start)) {
            {
                const TyToken *name = ty_token_at(p, start);
                int size = (int)(name->end - name->start);
                const char *text = token_text(p, name);
                char word[8] = {0};
                __builtin_memcpy(word, text, size);
                ty_error_from_token(p, start, rest,
                                    "Missing parentheses in call to '%s'. Did you mean %s(...)?", word, word);
            }
        }
    }
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
        TyNode *target = name_node(p);
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
