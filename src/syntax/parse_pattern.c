/* match statements and their patterns. */

#include "syntax/parser.h"

static TyNode *or_pattern_with_name(TyParser *p);
static TyNode *or_pattern(TyParser *p);

/* ---- values -------------------------------------------------------------------------------------------- */

static bool is_imaginary(const TyNode *node)
{
    return node->kind == TY_AST_Constant && ty_syntax_is_complex(TY_AST(Constant, node)->value);
}

/* A number with a sign. */
static TyNode *signed_number(TyParser *p)
{
    int start = p->mark;
    if (!accept(p, TY_TOKEN_MINUS))
        return ty_parse_number(p);
    TyNode *operand = ty_parse_number(p);
    TyAstUnaryOp *node = operand ? NODE(p, UnaryOp, start) : NULL;
    if (node) {
        node->op = TY_AST_USub;
        node->operand = operand;
    }
    return (TyNode *)node;
}

/* A number, with a sign, or a complex one as a sum. */
static TyNode *number_value(TyParser *p)
{
    int start = p->mark;
    TyNode *real = signed_number(p);
    TyTokenKind kind = peek(p);
    if (!real || (kind != TY_TOKEN_PLUS && kind != TY_TOKEN_MINUS))
        return p->error ? NULL : real;
    int mark = p->mark++;
    TyNode *imaginary = ty_parse_number(p);
    if (!imaginary) {
        p->mark = mark;
        return p->error ? NULL : real;
    }
    const TyNode *number = real->kind == TY_AST_UnaryOp ? TY_AST(UnaryOp, real)->operand : real;
    if (is_imaginary(number))
        return ty_error_at(p, real, "real number required in complex literal");
    if (!is_imaginary(imaginary))
        return ty_error_at(p, imaginary, "imaginary number required in complex literal");
    TyAstBinOp *node = NODE(p, BinOp, start);
    if (node) {
        node->left = real;
        node->op = kind == TY_TOKEN_PLUS ? TY_AST_Add : TY_AST_Sub;
        node->right = imaginary;
    }
    return (TyNode *)node;
}

/* NAME with attributes. */
static TyNode *dotted(TyParser *p)
{
    int start = p->mark;
    const TyToken *token = take(p, TY_TOKEN_NAME);
    Value name = token ? ty_parser_name(p, token) : 0;
    TyAstName *base = name ? NODE(p, Name, start) : NULL;
    if (!base)
        return NULL;
    base->id = name;
    TyNode *node = (TyNode *)base;
    while (peek(p) == TY_TOKEN_DOT && peek_second(p) == TY_TOKEN_NAME) {
        p->mark++;
        Value attr = ty_parser_name(p, &p->tokens[p->mark]);
        p->mark++;
        TyAstAttribute *attribute = attr ? NODE(p, Attribute, start) : NULL;
        if (!attribute)
            return NULL;
        attribute->value = node;
        attribute->attr = attr;
        node = (TyNode *)attribute;
    }
    return node;
}

static TyNode *value_pattern(TyParser *p, int start, TyNode *value)
{
    TyAstMatchValue *node = value ? NODE(p, MatchValue, start) : NULL;
    if (node)
        node->value = value;
    return (TyNode *)node;
}

static TyNode *singleton(TyParser *p, Value value)
{
    int start = p->mark++;
    TyAstMatchSingleton *node = NODE(p, MatchSingleton, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

/* ---- sequences ------------------------------------------------------------------------------------------- */

/* The name of a capture; *name is 0 for "_". False: none stands there. */
static bool capture_name(TyParser *p, Value *name)
{
    *name = 0;
    const TyToken *token = take(p, TY_TOKEN_NAME);
    if (!token)
        return false;
    if (token_is(p, token, "_"))
        return true;
    return (*name = ty_parser_name(p, token)) != 0;
}

static TyNode *maybe_star_pattern(TyParser *p)
{
    int start = p->mark;
    if (!accept(p, TY_TOKEN_STAR))
        return or_pattern_with_name(p);
    Value name;
    if (!capture_name(p, &name))
        return NULL;
    TyAstMatchStar *node = NODE(p, MatchStar, start);
    if (node)
        node->name = name;
    return (TyNode *)node;
}

/* Patterns between commas up to a token, which is not taken; pushed. False: wrong. */
static bool patterns_until(TyParser *p, TyTokenKind end, bool *comma)
{
    *comma = false;
    while (peek(p) != end) {
        TyNode *node = maybe_star_pattern(p);
        if (!node || !ty_parser_push(p, node))
            return false;
        if (!accept(p, TY_TOKEN_COMMA))
            return peek(p) == end;
        *comma = true;
    }
    return true;
}

/* (...) or [...] */
static TyNode *bracketed_pattern(TyParser *p, TyTokenKind end)
{
    int start = p->mark++, height = p->stack_height;
    bool comma;
    if (!patterns_until(p, end, &comma))
        return NULL;
    p->mark++;
    int count = p->stack_height - height;
    if (end == TY_TOKEN_RPAR && count == 1 && !comma) {
        TyNode *only = p->stack[--p->stack_height];
        return only->kind == TY_AST_MatchStar ? NULL : only;
    }
    TyAstMatchSequence *node = NODE(p, MatchSequence, start);
    if (node)
        node->patterns = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* ---- mappings and classes ----------------------------------------------------------------------------------- */

static TyNode *mapping_key(TyParser *p)
{
    int start = p->mark;
    TyAstConstant *node;
    Value value;
    switch (peek(p)) {
    case TY_TOKEN_NUMBER: case TY_TOKEN_MINUS: return number_value(p);
    case TY_TOKEN_STRING: case TY_TOKEN_FSTRING_START: case TY_TOKEN_TSTRING_START: return ty_parse_strings(p);
    case TY_KEYWORD_NONE: value = ty_syntax_none(); break;
    case TY_KEYWORD_TRUE: value = ty_syntax_bool(true); break;
    case TY_KEYWORD_FALSE: value = ty_syntax_bool(false); break;
    case TY_TOKEN_NAME: {
        TyNode *name = dotted(p);
        return name && name->kind == TY_AST_Attribute ? name : NULL;
    }
    default: return NULL;
    }
    p->mark++;
    node = NODE(p, Constant, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

static TyNode *mapping(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    Value rest = 0;
    while (peek(p) != TY_TOKEN_RBRACE) {
        if (accept(p, TY_TOKEN_DOUBLESTAR)) {
            if (!capture_name(p, &rest) || !rest)
                return NULL;
            accept(p, TY_TOKEN_COMMA);
            break;
        }
        TyNode *key = mapping_key(p);
        if (!key || !accept(p, TY_TOKEN_COLON))
            return NULL;
        TyNode *value = or_pattern_with_name(p);
        if (!value || !ty_parser_push(p, key) || !ty_parser_push(p, value))
            return NULL;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
    }
    if (!accept(p, TY_TOKEN_RBRACE))
        return NULL;
    TyNodeList pairs = ty_parser_pop_list(p, height);
    TyAstMatchMapping *node = NODE(p, MatchMapping, start);
    if (!node || !ty_ast_new_list(p->ast, &node->keys, pairs.count / 2) ||
        !ty_ast_new_list(p->ast, &node->patterns, pairs.count / 2))
        return NULL;
    for (int i = 0; i < pairs.count / 2; i++) {
        node->keys.items[i] = pairs.items[2 * i];
        node->patterns.items[i] = pairs.items[2 * i + 1];
    }
    node->rest = rest;
    return (TyNode *)node;
}

/* name=pattern, pushed as two entries. */
static bool keyword_pattern(TyParser *p)
{
    Value name = ty_parser_name(p, &p->tokens[p->mark]);
    p->mark += 2;
    TyNode *pattern = name ? or_pattern_with_name(p) : NULL;
    return pattern && ty_parser_push(p, (void *)(uintptr_t)name) && ty_parser_push(p, pattern);
}

static bool at_keyword(TyParser *p)
{
    return peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_EQUAL;
}

/* Positional patterns after keyword ones: where they are. The mark is behind the comma. */
static TyNode *diagnose_class(TyParser *p, int height)
{
    TyNode *first = NULL, *last = NULL;
    for (;;) {
        if (at_keyword(p) || p->error)
            break;
        TyNode *node = or_pattern_with_name(p);
        if (!node)
            break;
        first = first ? first : node;
        last = node;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
    }
    p->stack_height = height;
    return first && !p->error ? ty_error_range(p, first, last, "positional patterns follow keyword patterns") : NULL;
}

/* The parentheses behind a class. */
static TyNode *class_pattern(TyParser *p, int start, TyNode *class)
{
    int height = p->stack_height;
    p->mark++;
    while (peek(p) != TY_TOKEN_RPAR && !at_keyword(p)) {
        TyNode *node = or_pattern_with_name(p);
        if (!node || !ty_parser_push(p, node))
            return NULL;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
    }
    TyNodeList positional = ty_parser_pop_list(p, height);
    while (at_keyword(p)) {
        if (!keyword_pattern(p))
            return NULL;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
    }
    if (p->diagnosing && p->stack_height > height && peek(p) != TY_TOKEN_RPAR && !p->error)
        return diagnose_class(p, height);
    if (!accept(p, TY_TOKEN_RPAR))
        return NULL;
    int count = (p->stack_height - height) / 2;
    TyAstMatchClass *node = NODE(p, MatchClass, start);
    Value *names = node ? ty_arena_allocate(p->arena, count * sizeof *names) : NULL;
    if (!names || !ty_ast_new_list(p->ast, &node->kwd_patterns, count))
        return p->error ? NULL : (ty_parser_no_memory(p), NULL);
    for (int i = 0; i < count; i++) {
        names[i] = (Value)(uintptr_t)p->stack[height + 2 * i];
        node->kwd_patterns.items[i] = p->stack[height + 2 * i + 1];
    }
    p->stack_height = height;
    node->cls = class;
    node->patterns = positional;
    node->kwd_attrs = (TyIdentifierList){names, count};
    return (TyNode *)node;
}

/* ---- patterns -------------------------------------------------------------------------------------------------- */

/* A capture, "_", an attribute or a class. */
static TyNode *name_pattern(TyParser *p)
{
    int start = p->mark;
    TyNode *name = dotted(p);
    if (!name)
        return NULL;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_LPAR)
        return class_pattern(p, start, name);
    if (name->kind == TY_AST_Attribute)
        return kind == TY_TOKEN_DOT || kind == TY_TOKEN_EQUAL ? NULL : value_pattern(p, start, name);
    if (kind == TY_TOKEN_DOT || kind == TY_TOKEN_EQUAL)
        return NULL;
    TyAstMatchAs *node = NODE(p, MatchAs, start);
    if (node && !token_is(p, &p->tokens[start], "_"))
        node->name = TY_AST(Name, name)->id;
    return (TyNode *)node;
}

static TyNode *closed_pattern(TyParser *p)
{
    int start = p->mark;
    TyNode *node;
    switch (peek(p)) {
    case TY_TOKEN_NUMBER: case TY_TOKEN_MINUS: return value_pattern(p, start, number_value(p));
    case TY_TOKEN_STRING: case TY_TOKEN_FSTRING_START: case TY_TOKEN_TSTRING_START:
        return value_pattern(p, start, ty_parse_strings(p));
    case TY_KEYWORD_NONE: return singleton(p, ty_syntax_none());
    case TY_KEYWORD_TRUE: return singleton(p, ty_syntax_bool(true));
    case TY_KEYWORD_FALSE: return singleton(p, ty_syntax_bool(false));
    case TY_TOKEN_NAME: return name_pattern(p);
    case TY_TOKEN_LPAR: case TY_TOKEN_LSQB: case TY_TOKEN_LBRACE:
        if (!ty_parser_enter(p))
            return NULL;
        node = peek(p) == TY_TOKEN_LBRACE ? mapping(p)
             : bracketed_pattern(p, peek(p) == TY_TOKEN_LPAR ? TY_TOKEN_RPAR : TY_TOKEN_RSQB);
        ty_parser_leave(p);
        return node;
    default: return NULL;
    }
}

static TyNode *or_pattern(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    TyNode *first = closed_pattern(p);
    if (!first || peek(p) != TY_TOKEN_VBAR)
        return p->error ? NULL : first;
    if (!ty_parser_push(p, first))
        return NULL;
    while (accept(p, TY_TOKEN_VBAR)) {
        TyNode *other = closed_pattern(p);
        if (!other || !ty_parser_push(p, other))
            return NULL;
    }
    TyAstMatchOr *node = NODE(p, MatchOr, start);
    if (node)
        node->patterns = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* A pattern with or without `as name`. */
static TyNode *or_pattern_with_name(TyParser *p)
{
    int start = p->mark;
    TyNode *pattern = or_pattern(p);
    if (!pattern || peek(p) != TY_KEYWORD_AS)
        return p->error ? NULL : pattern;
    p->mark++;
    int name_mark = p->mark;
    Value name;
    bool is_name = capture_name(p, &name);
    TyTokenKind kind = peek(p);
    if (is_name && name && kind != TY_TOKEN_DOT && kind != TY_TOKEN_LPAR && kind != TY_TOKEN_EQUAL) {
        TyAstMatchAs *node = NODE(p, MatchAs, start);
        if (node) {
            node->pattern = pattern;
            node->name = name;
        }
        return (TyNode *)node;
    }
    if (p->diagnosing && !p->error) {
        if (is_name && !name)
            return ty_error_at_token(p, name_mark, "cannot use '_' as a target");
        p->mark = name_mark;
        TyNode *target = ty_parse_expression(p);
        if (target)
            return ty_error_at(p, target, "cannot use %s as pattern target", ty_expression_name(target));
    }
    return NULL;
}

/* What stands after `case`: one pattern, or several as a sequence. */
static TyNode *patterns(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    TyNode *first = maybe_star_pattern(p);
    if (!first)
        return NULL;
    if (peek(p) != TY_TOKEN_COMMA)
        return first->kind == TY_AST_MatchStar || p->error ? NULL : first;
    if (!ty_parser_push(p, first))
        return NULL;
    while (accept(p, TY_TOKEN_COMMA)) {
        int mark = p->mark, inner = p->stack_height;
        TyNode *node = maybe_star_pattern(p);
        if (!node) {
            p->mark = mark;
            p->stack_height = inner;
            break;
        }
        if (!ty_parser_push(p, node))
            return NULL;
    }
    if (p->error)
        return NULL;
    TyAstMatchSequence *node = NODE(p, MatchSequence, start);
    if (node)
        node->patterns = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* ---- the statement ------------------------------------------------------------------------------------------------ */

static TyNode *match_case(TyParser *p)
{
    int start = p->mark++;
    TyNode *pattern = patterns(p), *guard = NULL;
    if (!pattern)
        return NULL;
    if (accept(p, TY_KEYWORD_IF)) {
        guard = ty_parse_named_expression(p);
        if (!guard)
            return NULL;
    }
    if (p->diagnosing && peek(p) == TY_TOKEN_NEWLINE)
        return ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
    if (!accept(p, TY_TOKEN_COLON))
        return NULL;
    if (p->diagnosing && peek(p) == TY_TOKEN_NEWLINE && peek_second(p) != TY_TOKEN_INDENT && !p->error)
        return ty_error_last(p, TY_INDENTATION_ERROR, false, "expected an indented block after 'case' statement on line %d",
                             p->tokens[start].lineno);
    TyNodeList body;
    if (!ty_parse_block(p, &body))
        return NULL;
    TyAstmatch_case *node = NODE(p, match_case, start);
    if (node) {
        node->pattern = pattern;
        node->guard = guard;
        node->body = body;
    }
    return (TyNode *)node;
}

static TyNode *subject(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    TyNode *first = ty_parse_star_named_expression(p);
    if (!first || (peek(p) != TY_TOKEN_COMMA && first->kind == TY_AST_Starred))
        return NULL;
    if (peek(p) != TY_TOKEN_COMMA)
        return first;
    if (!ty_parser_push(p, first))
        return NULL;
    while (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_COLON) {
        int mark = p->mark;
        TyNode *item = ty_parse_star_named_expression(p);
        if (!item) {
            p->mark = mark;
            break;
        }
        if (!ty_parser_push(p, item))
            return NULL;
    }
    TyAstTuple *node = NODE(p, Tuple, start);
    if (node)
        node->elts = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

TyNode *ty_parse_match(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    TyNode *value = subject(p);
    if (!value || p->error)
        return NULL;
    if (p->diagnosing && peek(p) == TY_TOKEN_NEWLINE)
        return ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
    if (!accept(p, TY_TOKEN_COLON) || peek(p) != TY_TOKEN_NEWLINE)
        return NULL;
    if (peek_second(p) != TY_TOKEN_INDENT) {
        if (p->diagnosing && !p->error)
            ty_error_last(p, TY_INDENTATION_ERROR, false, "expected an indented block after 'match' statement on line %d",
                          p->tokens[start].lineno);
        return NULL;
    }
    p->mark += 2;
    while (next_is(p, "case")) {
        TyNode *one = match_case(p);
        if (!one || !ty_parser_push(p, one))
            return NULL;
    }
    if (p->stack_height == height || !accept(p, TY_TOKEN_DEDENT) ||
        !ty_parse_check_version(p, 10, "Pattern matching is"))
        return NULL;
    TyAstMatch *node = NODE(p, Match, start);
    if (node) {
        node->subject = value;
        node->cases = ty_parser_pop_list(p, height);
    }
    return (TyNode *)node;
}
