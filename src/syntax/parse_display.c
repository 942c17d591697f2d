/* Comprehensions, and what stands in parentheses, brackets and braces. */

#include "syntax/parser.h"

/* ---- comprehensions ---------------------------------------------------------------------------------- */

bool ty_at_comprehension(TyParser *p)
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

bool ty_parse_for_if_clauses(TyParser *p, TyNodeList *list)
{
    int height = p->stack_height;
    int end;
    do {
        end = p->mark;
        if (!ty_at_comprehension(p))
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

/* ---- parentheses, brackets, braces ------------------------------------------------------------ */

/* What is wrong with a comprehension in the brackets at mark start; NULL. */
TyNode *ty_diagnose_comprehension(TyParser *p, int start)
{
    TyNodeList clauses;
    p->mark = start + 1;
    if (peek(p) == TY_TOKEN_STAR) {
        TyNode *value = ty_parse_starred_argument(p);
        if (value && ty_parse_for_if_clauses(p, &clauses))
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
    if (second && ty_parser_push(p, second) && ty_parse_more_items(p, ty_parse_star_named_expression)) {
        TyNodeList items = ty_parser_pop_list(p, height);
        if (ty_parse_for_if_clauses(p, &clauses))
            return ty_error_range(p, first, ty_last_of(&items),
                                  "did you forget parentheses around the comprehension target?");
    }
    p->stack_height = height;
    if (p->error)
        return NULL;
    p->mark = comma + 1;
    if (ty_parse_for_if_clauses(p, &clauses))
        return ty_error_to_token(p, first, comma, "did you forget parentheses around the comprehension target?");
    return NULL;
}

/* What is wrong in the parentheses at mark start; NULL. */
static TyNode *diagnose_group(TyParser *p, int start)
{
    p->mark = start + 1;
    if (peek(p) == TY_TOKEN_STAR) {
        TyNode *value = ty_parse_starred_argument(p);
        if (value && accept(p, TY_TOKEN_RPAR))
            return ty_error_at(p, value, "cannot use starred expression here");
    } else if (peek(p) == TY_TOKEN_DOUBLESTAR) {
        p->mark++;
        if (ty_parse_expression(p) && accept(p, TY_TOKEN_RPAR))
            return ty_error_at_token(p, start + 1, "cannot use double starred expression here");
    }
    return p->error ? NULL : ty_diagnose_comprehension(p, start);
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
        if (!ty_parser_push(p, first) || !ty_parse_more_items(p, ty_parse_star_named_expression))
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
        if (first->kind != TY_AST_Starred && ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RPAR)) {
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
            return p->diagnosing && !p->error ? ty_diagnose_comprehension(p, start) : NULL;
        if (first->kind != TY_AST_Starred && ty_at_comprehension(p)) {
            TyNodeList clauses;
            if (ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RSQB)) {
                TyAstListComp *node = NODE(p, ListComp, start);
                if (node) {
                    node->elt = first;
                    node->generators = clauses;
                }
                return (TyNode *)node;
            }
            return p->diagnosing && !p->error ? ty_diagnose_comprehension(p, start) : NULL;
        }
        if (!ty_parser_push(p, first) || !ty_parse_more_items(p, ty_parse_star_named_expression))
            return NULL;
    }
    if (!accept(p, TY_TOKEN_RSQB)) {
        p->stack_height = height;
        return p->diagnosing && !p->error ? ty_diagnose_comprehension(p, start) : NULL;
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
    if (kind == TY_TOKEN_STAR) {
        const TyToken token = *ty_token_at(p, p->mark);
        p->mark++;
        if (ty_parse_bitwise_or(p))
            ty_error_starting(p, token.lineno, token.col_offset,
                              "cannot use a starred expression in a dictionary value");
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

/* The closed braces from mark start, of the pairs pushed since the stack had the height. */
static TyNode *dict_node(TyParser *p, int start, int height)
{
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
    return dict_node(p, start, height);
}

static TyNode *dict_comprehension(TyParser *p, int start, TyNode *key, TyNode *value)
{
    TyNodeList clauses;
    if (!ty_parse_for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyAstDictComp *node = NODE(p, DictComp, start);
    if (node) {
        node->key = key;
        node->value = value;
        node->generators = clauses;
    }
    return (TyNode *)node;
}

/* Braces after a first item, read as a set or a set comprehension. */
static TyNode *set_from(TyParser *p, int start, TyNode *first)
{
    int height = p->stack_height;
    if (first->kind != TY_AST_Starred && ty_at_comprehension(p)) {
        TyNodeList clauses;
        if (!ty_parse_for_if_clauses(p, &clauses) || !accept(p, TY_TOKEN_RBRACE))
            return NULL;
        TyAstSetComp *node = NODE(p, SetComp, start);
        if (node) {
            node->elt = first;
            node->generators = clauses;
        }
        return (TyNode *)node;
    }
    if (!ty_parser_push(p, first) || !ty_parse_more_items(p, ty_parse_star_named_expression) ||
        !accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyAstSet *node = NODE(p, Set, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

static TyNode *set(TyParser *p, int start)
{
    TyNode *first = ty_parse_star_named_expression(p);
    return first ? set_from(p, start, first) : NULL;
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
        if (ty_parse_bitwise_or(p) && ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RBRACE))
            return ty_error_at_token(p, start + 1, "dict unpacking cannot be used in dict comprehension");
    }
    TRY(ty_diagnose_comprehension(p, start));
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
        if (ty_at_comprehension(p))
            return dict_comprehension(p, start, first, value);
        if (!ty_parser_push(p, first) || !ty_parser_push(p, value))
            return NULL;
        while (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_RBRACE)
            if (!key_and_value(p))
                return NULL;
        if (!accept(p, TY_TOKEN_RBRACE))
            return NULL;
        return dict_node(p, start, height);
    }
    return set_from(p, start, first);
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

TyNode *ty_parse_display(TyParser *p)
{
    if (!ty_parser_enter(p))
        return NULL;
    TyTokenKind kind = peek(p);
    TyNode *node = kind == TY_TOKEN_LPAR ? parenthesized(p) : kind == TY_TOKEN_LSQB ? bracketed(p) : braced(p);
    ty_parser_leave(p);
    return node;
}
