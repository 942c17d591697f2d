/* Calls and their arguments. */

#include "syntax/parser.h"

/* `*` and what it unpacks, in the arguments of a call. */
TyNode *ty_parse_starred_argument(TyParser *p)
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
    TyNode *node = ty_parse_starred(p, ty_parse_expression);
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
        if (ty_parse_expression(p) && ty_parse_for_if_clauses(p, &clauses))
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
    return ty_parse_starred_argument(p);
}

/* A positional argument: * or an expression, maybe with := , that no = follows. */
static TyNode *positional(TyParser *p)
{
    int start = p->mark;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_STAR)
        return ty_parse_starred_argument(p);
    if (kind == TY_TOKEN_NAME) {
        TyTokenKind second = peek_second(p);
        if (second == TY_TOKEN_EQUAL && !p->diagnosing)
            return NULL;
        if (second == TY_TOKEN_COLONEQUAL) {
            TyNode *target = ty_parse_name(p);
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

/* The last node of the last clause: where the message about a comprehension ends. */
static TyNode *end_of_comprehension(const TyNodeList *clauses)
{
    TyAstcomprehension *clause = TY_AST(comprehension, ty_last_of(clauses));
    return clause->ifs.count ? ty_last_of(&clause->ifs) : clause->iter;
}

static TyNode *generator_not_parenthesized(TyParser *p, TyNode *first, const TyNodeList *clauses)
{
    return ty_error_range(p, first, end_of_comprehension(clauses), "Generator expression must be parenthesized");
}

/* ** before *: true if that was raised. */
static bool star_after_double_star(TyParser *p, int start)
{
    int height = p->stack_height;
    bool found = false;
    p->mark = start;
    if (gather(p, positional) && accept(p, TY_TOKEN_COMMA) && !p->error)
        found = keyword_arguments(p) > 0;
    if (!found && !p->error) {
        p->mark = start;
        found = keyword_arguments(p) > 0;
    }
    p->stack_height = height;
    if (!found || p->error || peek(p) != TY_TOKEN_COMMA)
        return p->error;
    const TyToken comma = *ty_token_at(p, p->mark);
    p->mark++;
    int count = 0;
    do {
        if (peek(p) != TY_TOKEN_STAR || !ty_parse_starred_argument(p) || peek(p) == TY_TOKEN_EQUAL)
            break;
        count++;
    } while (accept(p, TY_TOKEN_COMMA));
    if (count && !p->error)
        ty_error_starting(p, comma.lineno, comma.col_offset,
                          "iterable argument unpacking follows keyword argument unpacking");
    return p->error;
}

/* A generator expression before other arguments. */
static bool generator_before_others(TyParser *p, int start)
{
    TyNodeList clauses, others;
    int height = p->stack_height;
    p->mark = start;
    TyNode *first = ty_parse_expression(p);
    if (first && ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_COMMA)) {
        int comma = p->mark;
        if (!args(p) && !p->error) {
            p->mark = comma;
            if (ty_parse_expression(p))
                ty_parse_for_if_clauses(p, &others);
        }
        p->stack_height = height;
        if (!p->error)
            generator_not_parenthesized(p, first, &clauses);
    }
    return p->error;
}

/* name = value for ... */
static bool generator_after_name(TyParser *p, int start)
{
    TyNodeList clauses;
    p->mark = start;
    if (peek(p) != TY_TOKEN_NAME || peek_second(p) != TY_TOKEN_EQUAL)
        return p->error;
    p->mark += 2;
    if (ty_parse_expression(p) && ty_parse_for_if_clauses(p, &clauses))
        ty_error_tokens(p, start, start + 1, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    return p->error;
}

/* name= without a value, after other arguments or as the first. */
static bool name_without_value(TyParser *p, int start)
{
    int height = p->stack_height;
    for (int skip = 1; skip >= 0 && !p->error; skip--) {
        p->mark = start;
        bool there = !skip || (args(p) && accept(p, TY_TOKEN_COMMA));
        p->stack_height = height;
        int name = p->mark;
        if (!there || peek(p) != TY_TOKEN_NAME || peek_second(p) != TY_TOKEN_EQUAL)
            continue;
        TyTokenKind after = ty_token_at(p, name + 2)->kind;
        if (after == TY_TOKEN_COMMA || after == TY_TOKEN_RPAR)
            ty_error_tokens(p, name, name + 1, "expected argument value expression");
    }
    return p->error;
}

/* Good arguments, and then something that can't follow them. */
static void diagnose_rest(TyParser *p, int start)
{
    TyCallArguments all;
    TyNodeList clauses;
    int height = p->stack_height;
    p->mark = start;
    if (!args(p) || !split_arguments(p, height, &all)) {
        p->stack_height = height;
        return;
    }
    int after = p->mark;
    if (ty_parse_for_if_clauses(p, &clauses)) {
        /* The last argument began a generator expression, unless it is the only one. */
        if (all.args.count > 1)
            generator_not_parenthesized(p, ty_last_of(&all.args), &clauses);
        return;
    }
    p->mark = after;
    if (!accept(p, TY_TOKEN_COMMA))
        return;
    TyNode *first = ty_parse_expression(p);
    if (first && ty_parse_for_if_clauses(p, &clauses)) {
        generator_not_parenthesized(p, first, &clauses);
        return;
    }
    p->mark = after + 1;
    if (p->error || !args(p))
        return;
    p->stack_height = height;
    bool unpacked = false;
    for (int i = 0; i < all.keywords.count; i++)
        unpacked |= !TY_AST(keyword, all.keywords.items[i])->arg;
    ty_error_last(p, TY_SYNTAX_ERROR, false,
                  unpacked ? "positional argument follows keyword argument unpacking"
                           : "positional argument follows keyword argument");
}

/* Messages about arguments that are not in order, in the grammar's order. */
static void diagnose_arguments(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    if (star_after_double_star(p, start) || generator_before_others(p, start) || generator_after_name(p, start) ||
        name_without_value(p, start))
        return;
    diagnose_rest(p, start);
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

/* ---- the call ---------------------------------------------------------------------------------------- */

static bool only_argument(TyParser *p, TyNode *node, TyCallArguments *arguments)
{
    if (!ty_ast_new_list(p->ast, &arguments->args, 1))
        return p->error = true, false;
    arguments->args.items[0] = node;
    return true;
}

/* One generator expression, which needs no parentheses of its own; the closing one is taken. */
static bool only_generator(TyParser *p, int open, TyNode *elt, const TyNodeList *clauses, TyCallArguments *arguments)
{
    TyAstGeneratorExp *generator = NODE(p, GeneratorExp, open);
    if (!generator)
        return false;
    generator->elt = elt;
    generator->generators = *clauses;
    return only_argument(p, (TyNode *)generator, arguments);
}

/* After the opening parenthesis at mark open, in right source: arguments and the closing one. */
static bool good_call(TyParser *p, int open, TyCallArguments *arguments)
{
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_STAR || kind == TY_TOKEN_DOUBLESTAR ||
        (kind == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL))
        return ty_parse_call_arguments(p, arguments) && accept(p, TY_TOKEN_RPAR);
    TyNode *first = positional(p);
    if (!first)
        return false;
    if (accept(p, TY_TOKEN_RPAR))
        return only_argument(p, first, arguments);
    if (ty_at_comprehension(p)) {
        TyNodeList clauses;
        return ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RPAR) &&
               only_generator(p, open, first, &clauses, arguments);
    }
    int height = p->stack_height;
    if (!ty_parser_push(p, first))
        return false;
    if (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_RPAR) {
        if (!args(p))
            return false;
        accept(p, TY_TOKEN_COMMA);
    }
    return accept(p, TY_TOKEN_RPAR) && split_arguments(p, height, arguments);
}

/* The same in wrong source: a generator expression is tried first, as the grammar does. */
static bool diagnose_call(TyParser *p, int open, TyCallArguments *arguments)
{
    TyNodeList clauses;
    TyNode *elt = NULL;
    int height = p->stack_height;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLONEQUAL)
        elt = positional(p);
    else if (kind != TY_TOKEN_STAR && kind != TY_TOKEN_DOUBLESTAR)
        elt = ty_parse_expression(p);
    if (elt && ty_at_comprehension(p) && ty_parse_for_if_clauses(p, &clauses) && accept(p, TY_TOKEN_RPAR))
        return only_generator(p, open, elt, &clauses, arguments);
    if (!p->error)
        ty_diagnose_comprehension(p, open);
    p->stack_height = height;
    if (p->error)
        return false;
    p->mark = open + 1;
    return ty_parse_call_arguments(p, arguments) && accept(p, TY_TOKEN_RPAR);
}

TyNode *ty_parse_call(TyParser *p, TyNode *function)
{
    TyCallArguments arguments = {0};
    int open = p->mark++;
    if (!accept(p, TY_TOKEN_RPAR) &&
        !(p->diagnosing ? diagnose_call(p, open, &arguments) : good_call(p, open, &arguments)))
        return NULL;
    TyAstCall *node = NODE_FROM(p, Call, function);
    if (node) {
        node->func = function;
        node->args = arguments.args;
        node->keywords = arguments.keywords;
    }
    return (TyNode *)node;
}
