/* Parameters of functions and lambdas. */

#include "syntax/parser.h"

/* The token that ends the list. */
static TyTokenKind closing(bool lambda)
{
    return lambda ? TY_TOKEN_COLON : TY_TOKEN_RPAR;
}

/* NAME and its annotation. star_annotated: of *args, whose annotation may be *Ts. */
static TyNode *parameter(TyParser *p, bool lambda, bool star_annotated)
{
    int start = p->mark;
    const TyToken *token = take(p, TY_TOKEN_NAME);
    Value name = token ? ty_parser_name(p, token) : 0;
    if (!name)
        return NULL;
    TyNode *annotation = NULL;
    int mark = p->mark;
    if (!lambda && accept(p, TY_TOKEN_COLON)) {
        annotation = star_annotated ? ty_parse_star_expression(p) : ty_parse_expression(p);
        if (!annotation)
            p->mark = mark;
    }
    TyAstarg *node = NODE(p, arg, start);
    if (node) {
        node->arg = name;
        node->annotation = annotation;
    }
    return (TyNode *)node;
}

/* = and an expression. NULL: there is none, or it is wrong. */
static TyNode *default_value(TyParser *p)
{
    int start = p->mark;
    if (!accept(p, TY_TOKEN_EQUAL))
        return NULL;
    TyNode *value = ty_parse_expression(p);
    if (value || p->error)
        return value;
    p->mark = start + 1;
    TyTokenKind kind = peek(p);
    if (p->diagnosing && (kind == TY_TOKEN_COMMA || kind == TY_TOKEN_RPAR))
        ty_error_at_token(p, start, "expected default value expression");
    p->mark = start;
    return NULL;
}

/* What follows a parameter: a comma and perhaps a type comment, or the end. False: something else. */
static bool separator(TyParser *p, bool lambda, TyNode *node)
{
    bool comma = accept(p, TY_TOKEN_COMMA);
    if (!lambda && peek(p) == TY_TOKEN_TYPE_COMMENT) {
        const TyToken *token = &p->tokens[p->mark++];
        Value comment =
            ty_parser_keep(p, ty_syntax_string(token_text(p, token), token->end - token->start));
        if (node)
            TY_AST(arg, node)->type_comment = comment;
    }
    return comma || peek(p) == closing(lambda);
}

/* ---- what may be wrong --------------------------------------------------------------------------- */

enum { NO_DEFAULT = 1, WITH_DEFAULT = 2, MAYBE_DEFAULT = 3 };

/* A parameter with its separator, with or without a default value as wanted. The mark stays if it is none. */
static TyNode *one(TyParser *p, bool lambda, int want)
{
    int start = p->mark;
    TyNode *node = parameter(p, lambda, false);
    if (node) {
        bool has_default = peek(p) == TY_TOKEN_EQUAL;
        if (has_default && (want & WITH_DEFAULT))
            has_default = default_value(p) != NULL;
        else if (has_default)
            node = NULL;
        if (node && ((has_default ? WITH_DEFAULT : NO_DEFAULT) & want) && separator(p, lambda, node))
            return node;
    }
    p->mark = start;
    return NULL;
}

static int many(TyParser *p, bool lambda, int want)
{
    int count = 0;
    while (one(p, lambda, want))
        count++;
    return count;
}

/* Parameters and a slash. The mark stays if they are not there. */
static bool slash(TyParser *p, bool lambda, bool with_default)
{
    int start = p->mark;
    int count = many(p, lambda, NO_DEFAULT);
    if (with_default)
        count = many(p, lambda, WITH_DEFAULT);
    if (count && accept(p, TY_TOKEN_SLASH) && (accept(p, TY_TOKEN_COMMA) || peek(p) == closing(lambda)))
        return true;
    p->mark = start;
    return false;
}

static void diagnose_order(TyParser *p, bool lambda)
{
    int start = p->mark;
    if (peek(p) == TY_TOKEN_SLASH && peek_second(p) == TY_TOKEN_COMMA) {
        ty_error_at_token(p, start, "at least one argument must precede /");
        return;
    }
    if (slash(p, lambda, false) || slash(p, lambda, true)) {
        many(p, lambda, MAYBE_DEFAULT);
        if (peek(p) == TY_TOKEN_SLASH) {
            ty_error_at_token(p, p->mark, "/ may appear only once");
            return;
        }
    }
    if (p->error)
        return;

    p->mark = start;
    slash(p, lambda, false);
    many(p, lambda, NO_DEFAULT);
    if (slash(p, lambda, true) || many(p, lambda, WITH_DEFAULT)) {
        TyNode *wrong = one(p, lambda, NO_DEFAULT);
        if (wrong) {
            ty_error_at(p, wrong, "parameter without a default follows parameter with a default");
            return;
        }
    }
    if (p->error)
        return;

    p->mark = start;
    many(p, lambda, NO_DEFAULT);
    if (peek(p) == TY_TOKEN_LPAR) {
        int open = p->mark++;
        int count = 0;
        if (lambda) {
            while (accept(p, TY_TOKEN_NAME)) {
                count++;
                if (!accept(p, TY_TOKEN_COMMA))
                    break;
            }
        } else {
            count = many(p, lambda, NO_DEFAULT);
            accept(p, TY_TOKEN_COMMA);
        }
        if (count && peek(p) == TY_TOKEN_RPAR) {
            ty_error_tokens(p, open, p->mark, "%s parameters cannot be parenthesized",
                            lambda ? "Lambda expression" : "Function");
            return;
        }
    }
    if (p->error)
        return;

    p->mark = start;
    if (!slash(p, lambda, false))
        slash(p, lambda, true);
    many(p, lambda, MAYBE_DEFAULT);
    if (accept(p, TY_TOKEN_STAR) && (accept(p, TY_TOKEN_COMMA) || one(p, lambda, NO_DEFAULT))) {
        many(p, lambda, MAYBE_DEFAULT);
        if (peek(p) == TY_TOKEN_SLASH) {
            ty_error_at_token(p, p->mark, "/ must be ahead of *");
            return;
        }
    }
    if (p->error)
        return;

    p->mark = start;
    if (many(p, lambda, MAYBE_DEFAULT) && accept(p, TY_TOKEN_SLASH) && peek(p) == TY_TOKEN_STAR)
        ty_error_at_token(p, p->mark, "expected comma between / and *");
    p->mark = start;
}

static void diagnose_bare_star(TyParser *p, bool lambda, int star)
{
    static const char message[] = "named arguments must follow bare *";
    if (lambda)
        ty_error_last(p, TY_SYNTAX_ERROR, false, message);
    else
        ty_error_at_token(p, star, message);
}

/* At a single star. */
static void diagnose_star(TyParser *p, bool lambda)
{
    int start = p->mark++;
    TyTokenKind kind = peek(p);
    if (kind == closing(lambda)) {
        diagnose_bare_star(p, lambda, start);
        return;
    }
    if (kind == TY_TOKEN_COMMA) {
        TyTokenKind second = peek_second(p);
        if (second == closing(lambda) || second == TY_TOKEN_DOUBLESTAR) {
            diagnose_bare_star(p, lambda, start);
            return;
        }
        if (second == TY_TOKEN_TYPE_COMMENT) {
            ty_error_last(p, TY_SYNTAX_ERROR, false, "bare * has associated type comment");
            return;
        }
    }
    if (parameter(p, lambda, false) && peek(p) == TY_TOKEN_EQUAL) {
        ty_error_at_token(p, p->mark, "var-positional argument cannot have default value");
        return;
    }
    p->mark = start + 1;
    if (!p->error && (one(p, lambda, NO_DEFAULT) || accept(p, TY_TOKEN_COMMA))) {
        many(p, lambda, MAYBE_DEFAULT);
        int second = p->mark;
        if (accept(p, TY_TOKEN_STAR) && (one(p, lambda, NO_DEFAULT) || peek(p) == TY_TOKEN_COMMA))
            ty_error_at_token(p, second, "* argument may appear only once");
    }
    p->mark = start;
}

/* At two stars. */
static void diagnose_double_star(TyParser *p, bool lambda)
{
    int start = p->mark++;
    if (parameter(p, lambda, false)) {
        if (peek(p) == TY_TOKEN_EQUAL) {
            ty_error_at_token(p, p->mark, "var-keyword argument cannot have default value");
            return;
        }
        if (accept(p, TY_TOKEN_COMMA)) {
            int after = p->mark;
            TyTokenKind kind = peek(p);
            if (kind == TY_TOKEN_NAME) {
                TyNode *wrong = parameter(p, lambda, false);
                if (wrong)
                    ty_error_at(p, wrong, "arguments cannot follow var-keyword argument");
            } else if (kind == TY_TOKEN_STAR || kind == TY_TOKEN_DOUBLESTAR || kind == TY_TOKEN_SLASH) {
                ty_error_at_token(p, after, "arguments cannot follow var-keyword argument");
            }
        }
    }
    p->mark = start;
}

/* ---- what is right ----------------------------------------------------------------------------------- */


static TyNode *make_arguments(TyParser *p, TyAstarguments *made)
{
    TyAstarguments *node = (TyAstarguments *)ty_ast_new_node(p->ast, TY_AST_arguments, NULL);
    if (!node) {
        p->error = true;
        return NULL;
    }
    made->node = node->node;
    *node = *made;
    return (TyNode *)node;
}

TyNode *ty_parse_parameters(TyParser *p, bool lambda)
{
    TyAstarguments made = {0};
    TyTokenKind end = closing(lambda);
    if (p->diagnosing && peek(p) != end) {
        diagnose_order(p, lambda);
        if (p->error)
            return NULL;
    }
    int height = p->stack_height;
    /* Positional parameters: names are pushed; default values gather in a second run over the stack below. */
    int default_height = 0;
    bool seen_default = false, seen_slash = false;
    /* Pairs (parameter, default or NULL) are pushed. */
    for (;;) {
        TyTokenKind kind = peek(p);
        if (kind == TY_TOKEN_NAME) {
            TyNode *node = parameter(p, lambda, false);
            TyNode *value = NULL;
            if (node && peek(p) == TY_TOKEN_EQUAL) {
                value = default_value(p);
                if (!value)
                    return NULL;
            }
            if (!node || (seen_default && !value) || !ty_parser_push(p, node) || !ty_parser_push(p, value))
                return NULL;
            seen_default |= value != NULL;
            if (!separator(p, lambda, node))
                return NULL;
        } else if (kind == TY_TOKEN_SLASH) {
            if (seen_slash || p->stack_height == height)
                return NULL;
            seen_slash = true;
            p->mark++;
            if (!accept(p, TY_TOKEN_COMMA) && peek(p) != end)
                return NULL;
            int count = (p->stack_height - height) / 2;
            if (!ty_ast_new_list(p->ast, &made.posonlyargs, count))
                return p->error = true, NULL;
            default_height = count;
        } else {
            break;
        }
    }
    /* Sort out the pairs: positional-only, positional, defaults. */
    int count = (p->stack_height - height) / 2, defaults = 0;
    for (int i = 0; i < count; i++)
        defaults += p->stack[height + 2 * i + 1] != NULL;
    if (!ty_ast_new_list(p->ast, &made.args, count - default_height) ||
        !ty_ast_new_list(p->ast, &made.defaults, defaults))
        return p->error = true, NULL;
    for (int i = 0, d = 0; i < count; i++) {
        TyNode *node = p->stack[height + 2 * i], *value = p->stack[height + 2 * i + 1];
        if (i < default_height)
            made.posonlyargs.items[i] = node;
        else
            made.args.items[i - default_height] = node;
        if (value)
            made.defaults.items[d++] = value;
    }
    p->stack_height = height;

    if (peek(p) == TY_TOKEN_STAR) {
        if (p->diagnosing) {
            diagnose_star(p, lambda);
            if (p->error)
                return NULL;
        }
        p->mark++;
        bool bare = false;
        if (peek(p) == TY_TOKEN_COMMA) {
            p->mark++;
            bare = true;
        } else {
            made.vararg = parameter(p, lambda, true);
            if (!made.vararg || !separator(p, lambda, made.vararg))
                return NULL;
        }
        while (peek(p) == TY_TOKEN_NAME) {
            TyNode *node = parameter(p, lambda, false);
            TyNode *value = NULL;
            if (node && peek(p) == TY_TOKEN_EQUAL) {
                value = default_value(p);
                if (!value)
                    return NULL;
            }
            if (!node || !ty_parser_push(p, node) || !ty_parser_push(p, value))
                return NULL;
            if (!separator(p, lambda, node))
                return NULL;
        }
        int pairs = (p->stack_height - height) / 2;
        if (bare && !pairs)
            return NULL;
        if (!ty_ast_new_list(p->ast, &made.kwonlyargs, pairs) || !ty_ast_new_list(p->ast, &made.kw_defaults, pairs))
            return p->error = true, NULL;
        for (int i = 0; i < pairs; i++) {
            made.kwonlyargs.items[i] = p->stack[height + 2 * i];
            made.kw_defaults.items[i] = p->stack[height + 2 * i + 1];
        }
        p->stack_height = height;
    }
    if (peek(p) == TY_TOKEN_DOUBLESTAR) {
        if (p->diagnosing) {
            diagnose_double_star(p, lambda);
            if (p->error)
                return NULL;
        }
        p->mark++;
        made.kwarg = parameter(p, lambda, false);
        if (!made.kwarg || !separator(p, lambda, made.kwarg))
            return NULL;
    }
    if (p->error)
        return NULL;
    if (made.posonlyargs.count && !ty_parse_check_version(p, 8, "Positional-only parameters are"))
        return NULL;
    return make_arguments(p, &made);
}
