/* Statements. */

#include "syntax/parser.h"

static Value name_value(TyParser *p)
{
    const TyToken *token = take(p, TY_TOKEN_NAME);
    return token ? ty_parser_name(p, token) : 0;
}

/* ---- blocks --------------------------------------------------------------------------------------- */

/* After a colon: raises if a line ends and none that is indented follows. */
static bool diagnose_block(TyParser *p, const char *what, int keyword)
{
    if (p->diagnosing && peek(p) == TY_TOKEN_NEWLINE && peek_second(p) != TY_TOKEN_INDENT && !p->error)
        ty_error_last(p, TY_INDENTATION_ERROR, false, "expected an indented block after %s on line %d", what,
                      p->tokens[keyword].lineno);
    return !p->error;
}

/* A colon; raises "expected ':'" where the line ends without one. */
static bool colon(TyParser *p)
{
    if (accept(p, TY_TOKEN_COLON))
        return true;
    if (p->diagnosing && peek(p) == TY_TOKEN_NEWLINE)
        ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
    return false;
}

static bool simple_statements(TyParser *p);

static bool block(TyParser *p, TyNodeList *body)
{
    int height = p->stack_height;
    if (peek(p) != TY_TOKEN_NEWLINE) {
        if (!simple_statements(p))
            return false;
    } else {
        if (peek_second(p) != TY_TOKEN_INDENT) {
            if (p->diagnosing && !p->error)
                ty_error_last(p, TY_INDENTATION_ERROR, false, "expected an indented block");
            return false;
        }
        p->mark += 2;
        while (!accept(p, TY_TOKEN_DEDENT))
            if (p->error || !ty_parse_statement(p))
                return false;
    }
    *body = ty_parser_pop_list(p, height);
    return !p->error;
}

bool ty_parse_block(TyParser *p, TyNodeList *body)
{
    TyNode *known;
    if (!p->diagnosing)
        return block(p, body);
    if (ty_memo_find(p, TY_RULE_BLOCK, &known)) {
        if (known)
            *body = *(TyNodeList *)known;
        return known;
    }
    int start = p->mark;
    TyNodeList *kept = block(p, body) ? ty_arena_allocate(p->arena, sizeof *kept) : NULL;
    if (kept)
        *kept = *body;
    return ty_memo_store(p, TY_RULE_BLOCK, start, (TyNode *)kept) != NULL;
}

/* A colon and a block; keyword is the mark of the statement's first token. */
static bool colon_and_block(TyParser *p, const char *what, int keyword, TyNodeList *body)
{
    return colon(p) && diagnose_block(p, what, keyword) && ty_parse_block(p, body);
}

static bool forced_colon_and_block(TyParser *p, const char *what, int keyword, TyNodeList *body)
{
    return ty_parser_force(p, TY_TOKEN_COLON, ":") && diagnose_block(p, what, keyword) && ty_parse_block(p, body);
}

static Value type_comment(TyParser *p)
{
    const TyToken *token = take(p, TY_TOKEN_TYPE_COMMENT);
    return token ? ty_parser_keep(p, ty_syntax_string(token_text(p, token), token->end - token->start)) : 0;
}

/* ---- assignments -------------------------------------------------------------------------------------- */

static bool is_single_target(const TyNode *node)
{
    return node->kind == TY_AST_Name || node->kind == TY_AST_Attribute || node->kind == TY_AST_Subscript;
}

/* At a colon after a target: annotation, and perhaps = value. */
static TyNode *annotated_assignment(TyParser *p, int start, TyNode *target)
{
    p->mark++;
    TyNode *annotation = ty_parse_expression(p);
    if (!annotation)
        return NULL;
    TyNode *value = NULL;
    int mark = p->mark;
    if (accept(p, TY_TOKEN_EQUAL)) {
        value = ty_parse_annotated_rhs(p);
        if (!value)
            p->mark = mark;
    }
    if (p->error || !ty_parse_check_version(p, 6, target->kind == TY_AST_Name ? "Variable annotation syntax is"
                                                                              : "Variable annotations syntax is"))
        return NULL;
    ty_parse_set_context(target, TY_AST_Store);
    TyAstAnnAssign *node = NODE(p, AnnAssign, start);
    if (node) {
        node->target = target;
        node->annotation = annotation;
        node->value = value;
        node->simple = target->kind == TY_AST_Name && !(target->flags & TY_NODE_PARENTHESIZED);
    }
    return (TyNode *)node;
}

/* The operator of an augmented assignment; -1: none. */
static int augmented_operator(TyTokenKind kind)
{
    switch (kind) {
    case TY_TOKEN_PLUSEQUAL: return TY_AST_Add;
    case TY_TOKEN_MINEQUAL: return TY_AST_Sub;
    case TY_TOKEN_STAREQUAL: return TY_AST_Mult;
    case TY_TOKEN_ATEQUAL: return TY_AST_MatMult;
    case TY_TOKEN_SLASHEQUAL: return TY_AST_Div;
    case TY_TOKEN_PERCENTEQUAL: return TY_AST_Mod;
    case TY_TOKEN_AMPEREQUAL: return TY_AST_BitAnd;
    case TY_TOKEN_VBAREQUAL: return TY_AST_BitOr;
    case TY_TOKEN_CIRCUMFLEXEQUAL: return TY_AST_BitXor;
    case TY_TOKEN_LEFTSHIFTEQUAL: return TY_AST_LShift;
    case TY_TOKEN_RIGHTSHIFTEQUAL: return TY_AST_RShift;
    case TY_TOKEN_DOUBLESTAREQUAL: return TY_AST_Pow;
    case TY_TOKEN_DOUBLESLASHEQUAL: return TY_AST_FloorDiv;
    default: return -1;
    }
}

/* At the operator behind a target. */
static TyNode *augmented_assignment(TyParser *p, int start, TyNode *target)
{
    int op = augmented_operator(peek(p));
    p->mark++;
    if (op == TY_AST_MatMult && !ty_parse_check_version(p, 5, "The '@' operator is"))
        return NULL;
    TyNode *value = ty_parse_annotated_rhs(p);
    if (!value)
        return NULL;
    ty_parse_set_context(target, TY_AST_Store);
    TyAstAugAssign *node = NODE(p, AugAssign, start);
    if (node) {
        node->target = target;
        node->op = op;
        node->value = value;
    }
    return (TyNode *)node;
}

static TyNode *assignment_node(TyParser *p, int start, int height, TyNode *value)
{
    Value comment = type_comment(p);
    TyAstAssign *node = NODE(p, Assign, start);
    if (node) {
        node->targets = ty_parser_pop_list(p, height);
        node->value = value;
        node->type_comment = comment;
    }
    return (TyNode *)node;
}

static TyNode *expression_statement(TyParser *p, int start, TyNode *value)
{
    TyAstExpr *node = NODE(p, Expr, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

/* A statement that begins with an expression, in right source. */
static TyNode *assignment_or_expression(TyParser *p)
{
    int start = p->mark;
    bool yields = peek(p) == TY_KEYWORD_YIELD;
    TyNode *first = ty_parse_annotated_rhs(p);
    if (!first)
        return NULL;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_EQUAL && !yields) {
        int height = p->stack_height;
        TyNode *value = first;
        while (accept(p, TY_TOKEN_EQUAL)) {
            if (!ty_parse_is_target(value, true))
                return NULL;
            ty_parse_set_context(value, TY_AST_Store);
            if (!ty_parser_push(p, value))
                return NULL;
            value = ty_parse_annotated_rhs(p);
            if (!value)
                return NULL;
        }
        return assignment_node(p, start, height, value);
    }
    if (kind == TY_TOKEN_COLON && is_single_target(first))
        return annotated_assignment(p, start, first);
    if (augmented_operator(kind) >= 0 && is_single_target(first))
        return augmented_assignment(p, start, first);
    return p->error ? NULL : expression_statement(p, start, first);
}

/* Targets with = behind each, pushed; the mark behind the last =. */
static void targets_and_equals(TyParser *p)
{
    int mark = p->mark;
    for (;;) {
        TyNode *target = ty_parse_star_targets(p);
        if (!target || !accept(p, TY_TOKEN_EQUAL))
            break;
        if (!ty_parser_push(p, target))
            return;
        mark = p->mark;
    }
    p->mark = mark;
}

/* What may be wrong with an assignment. */
static void diagnose_assignment(TyParser *p)
{
    int start = p->mark, height = p->stack_height;

    /* [a]: ..., (a, b): ... */
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_LPAR || kind == TY_TOKEN_LSQB) {
        TyNode *node = ty_parse_primary(p);
        if (node && (node->kind == TY_AST_List || node->kind == TY_AST_Tuple) && accept(p, TY_TOKEN_COLON) &&
            ty_parse_expression(p)) {
            ty_error_at(p, node, "only single target (not %s) can be annotated", ty_expression_name(node));
            return;
        }
    }
    p->mark = start;
    TyNode *first = p->error ? NULL : ty_parse_star_named_expression(p);
    if (first && accept(p, TY_TOKEN_COMMA)) {
        int mark = p->mark;
        while (ty_parse_star_named_expression(p)) {
            accept(p, TY_TOKEN_COMMA);
            mark = p->mark;
        }
        p->mark = mark;
        if (!p->error && accept(p, TY_TOKEN_COLON) && ty_parse_expression(p)) {
            ty_error_at(p, first, "only single target (not tuple) can be annotated");
            return;
        }
    }
    p->mark = start;
    first = p->error ? NULL : ty_parse_expression(p);
    if (first && accept(p, TY_TOKEN_COLON) && ty_parse_expression(p)) {
        ty_error_at(p, first, "illegal target for annotation");
        return;
    }
    p->mark = start;
    if (!p->error)
        targets_and_equals(p);
    int after_targets = p->mark;
    p->stack_height = height;
    first = p->error ? NULL : ty_parse_star_expressions(p);
    if (first && accept(p, TY_TOKEN_EQUAL)) {
        ty_error_invalid_target(p, TY_TARGETS_STAR, first);
        if (p->error)
            return;
    }
    p->mark = after_targets;
    first = p->error ? NULL : ty_parse_yield(p);
    if (first && peek(p) == TY_TOKEN_EQUAL) {
        ty_error_at(p, first, "assignment to yield expression not possible");
        return;
    }
    p->mark = start;
    first = p->error ? NULL : ty_parse_star_expressions(p);
    if (first && augmented_operator(peek(p)) >= 0) {
        p->mark++;
        if (ty_parse_annotated_rhs(p))
            ty_error_at(p, first, "'%s' is an illegal expression for augmented assignment",
                        ty_expression_name(first));
    }
    p->mark = start;
}

/* The grammar's readings of an assignment in turn. NULL: it is none, with the mark where it was. */
static TyNode *assignment_in_turn(TyParser *p)
{
    int start = p->mark, height = p->stack_height;
    TyNode *node;
    if (peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLON) {
        TyNode *target = ty_parse_primary(p);
        node = target ? annotated_assignment(p, start, target) : NULL;
        if (node || p->error)
            return node;
    }
    p->mark = start;
    TyNode *target = p->error ? NULL : ty_parse_primary(p);
    bool single = target && is_single_target(target);
    if (single && peek(p) == TY_TOKEN_COLON &&
        (target->kind != TY_AST_Name || target->flags & TY_NODE_PARENTHESIZED)) {
        node = annotated_assignment(p, start, target);
        if (node || p->error)
            return node;
    }
    p->mark = start;
    if (!p->error)
        targets_and_equals(p);
    if (p->stack_height > height && !p->error) {
        TyNode *value = ty_parse_annotated_rhs(p);
        if (value && peek(p) != TY_TOKEN_EQUAL && !p->error)
            return assignment_node(p, start, height, value);
    }
    p->stack_height = height;
    p->mark = start;
    if (single && !p->error) {
        target = ty_parse_primary(p);
        if (target && augmented_operator(peek(p)) >= 0) {
            node = augmented_assignment(p, start, target);
            p->cut = !node;
            return node;
        }
    }
    p->mark = start;
    if (!p->error)
        diagnose_assignment(p);
    p->stack_height = height;
    p->mark = start;
    return NULL;
}

/* ---- imports ----------------------------------------------------------------------------------------------- */

/* Names with dots, as one; the mark stays if there is none. 0: none. */
static Value dotted_name(TyParser *p)
{
    if (peek(p) != TY_TOKEN_NAME)
        return 0;
    int first = p->mark++;
    while (peek(p) == TY_TOKEN_DOT && peek_second(p) == TY_TOKEN_NAME)
        p->mark += 2;
    if (p->error)
        return 0;
    if (p->mark == first + 1)
        return ty_parser_name(p, &p->tokens[first]);
    size_t size = 0;
    for (int i = first; i < p->mark; i++)
        size += p->tokens[i].end - p->tokens[i].start;
    char *text = ty_arena_allocate(p->arena, size + 1), *out = text;
    if (!text)
        return ty_parser_no_memory(p);
    for (int i = first; i < p->mark; i++) {
        size_t token_size = p->tokens[i].end - p->tokens[i].start;
        __builtin_memcpy(out, token_text(p, &p->tokens[i]), token_size);
        out += token_size;
    }
    return ty_parser_name_of(p, text, (uint32_t)size);
}

/* as NAME, where one stands. False: it is wrong. */
static bool import_as(TyParser *p, Value *name)
{
    *name = 0;
    if (peek(p) != TY_KEYWORD_AS)
        return true;
    int start = p->mark++;
    if (p->diagnosing) {
        TyTokenKind kind = peek(p), after = kind == TY_TOKEN_NAME ? peek_second(p) : kind;
        if (kind != TY_TOKEN_NAME ||
            (after != TY_TOKEN_COMMA && after != TY_TOKEN_RPAR && after != TY_TOKEN_SEMI && after != TY_TOKEN_NEWLINE)) {
            TyNode *target = p->error ? NULL : ty_parse_expression(p);
            if (target)
                ty_error_at(p, target, "cannot use %s as import target", ty_expression_name(target));
            if (p->error)
                return false;
            p->mark = start + 1;
        }
    }
    *name = name_value(p);
    if (!*name)
        p->mark = start;
    return !p->error;
}

/* name as other, pushed. */
static bool import_alias(TyParser *p, bool dotted)
{
    int start = p->mark;
    Value name = dotted ? dotted_name(p) : name_value(p), other = 0;
    if (!name || !import_as(p, &other))
        return false;
    TyAstalias *node = NODE(p, alias, start);
    if (!node)
        return false;
    node->name = name;
    node->asname = other;
    return ty_parser_push(p, node);
}

static TyNode *import_name(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    if (p->diagnosing) {
        Value name = dotted_name(p);
        while (name && accept(p, TY_TOKEN_COMMA))
            name = dotted_name(p);
        if (name && accept(p, TY_KEYWORD_FROM) && dotted_name(p))
            return ty_error_starting(p, p->tokens[start].lineno, p->tokens[start].col_offset,
                                     "Did you mean to use 'from ... import ...' instead?");
        p->mark = start + 1;
        if (peek(p) == TY_TOKEN_NEWLINE)
            return ty_error_from_next(p, "Expected one or more names after 'import'");
    }
    int mark;
    do {
        if (!import_alias(p, true))
            return NULL;
        mark = p->mark;
    } while (accept(p, TY_TOKEN_COMMA));
    p->mark = mark;
    TyAstImport *node = NODE(p, Import, start);
    if (node)
        node->names = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* What follows `import` in from ... import, pushed. */
static bool import_targets(TyParser *p)
{
    int start = p->mark;
    if (accept(p, TY_TOKEN_STAR)) {
        TyAstalias *node = NODE(p, alias, start);
        Value star = node ? ty_parser_name_of(p, "*", 1) : 0;
        if (star)
            node->name = star;
        return star && ty_parser_push(p, node);
    }
    bool parenthesized = accept(p, TY_TOKEN_LPAR);
    if (p->diagnosing && !parenthesized && peek(p) == TY_TOKEN_NEWLINE)
        return ty_error_from_next(p, "Expected one or more names after 'import'");
    for (;;) {
        if (!import_alias(p, false))
            return false;
        if (!accept(p, TY_TOKEN_COMMA))
            break;
        if (parenthesized && peek(p) == TY_TOKEN_RPAR)
            break;
        if (!parenthesized && peek(p) == TY_TOKEN_NEWLINE) {
            if (p->diagnosing)
                ty_error_last(p, TY_SYNTAX_ERROR, false,
                              "trailing comma not allowed without surrounding parentheses");
            return false;
        }
    }
    return !parenthesized || accept(p, TY_TOKEN_RPAR);
}

static TyNode *import_from(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    int level = 0;
    for (;; p->mark++) {
        if (peek(p) == TY_TOKEN_DOT)
            level++;
        else if (peek(p) == TY_TOKEN_ELLIPSIS)
            level += 3;
        else
            break;
    }
    int module_mark = p->mark;
    Value module = dotted_name(p);
    if (p->error || (!module && !level) || !accept(p, TY_KEYWORD_IMPORT))
        return NULL;
    int targets = p->mark;
    if (!import_targets(p))
        return NULL;
    if (!level && p->mark && token_is(p, &p->tokens[module_mark], "__future__"))
        for (int i = targets; i < p->mark; i++)
            if (token_is(p, &p->tokens[i], "barry_as_FLUFL"))
                p->flags |= TY_PARSE_BARRY_AS_FLUFL;
    TyAstImportFrom *node = NODE(p, ImportFrom, start);
    if (node) {
        node->module = module;
        node->names = ty_parser_pop_list(p, height);
        node->level = level;
    }
    return (TyNode *)node;
}

/* ---- other simple statements --------------------------------------------------------------------------------- */

static TyNode *return_statement(TyParser *p)
{
    int start = p->mark++;
    TyNode *value = NULL;
    if (peek(p) != TY_TOKEN_NEWLINE && peek(p) != TY_TOKEN_SEMI) {
        value = ty_parse_star_expressions(p);
        if (!value)
            p->mark = start + 1;
    }
    TyAstReturn *node = NODE(p, Return, start);
    if (node)
        node->value = value;
    return (TyNode *)node;
}

static TyNode *raise_statement(TyParser *p)
{
    int start = p->mark++;
    TyNode *exception = NULL, *cause = NULL;
    if (peek(p) != TY_TOKEN_NEWLINE && peek(p) != TY_TOKEN_SEMI) {
        exception = ty_parse_expression(p);
        if (!exception)
            p->mark = start + 1;
    }
    int mark = p->mark;
    if (exception && accept(p, TY_KEYWORD_FROM)) {
        cause = ty_parse_expression(p);
        if (!cause)
            p->mark = mark;
    }
    TyAstRaise *node = NODE(p, Raise, start);
    if (node) {
        node->exc = exception;
        node->cause = cause;
    }
    return (TyNode *)node;
}

static TyNode *names_statement(TyParser *p, TyAstKind kind)
{
    int start = p->mark++, height = p->stack_height;
    int mark;
    do {
        Value name = name_value(p);
        if (!name || !ty_parser_push(p, (void *)(uintptr_t)name))
            return NULL;
        mark = p->mark;
    } while (accept(p, TY_TOKEN_COMMA));
    p->mark = mark;
    int count = p->stack_height - height;
    TyAstGlobal *node = (TyAstGlobal *)ty_parser_node(p, kind, start);
    Value *items = node ? ty_arena_allocate(p->arena, count * sizeof *items) : NULL;
    if (!items) {
        ty_parser_no_memory(p);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        items[i] = (Value)(uintptr_t)p->stack[height + i];
    p->stack_height = height;
    node->names = (TyIdentifierList){items, count};
    return (TyNode *)node;
}

_Static_assert(offsetof(TyAstGlobal, names) == offsetof(TyAstNonlocal, names), "global and nonlocal are alike");

/* A target of del, or a tuple or list of such. */
static bool is_deletable(const TyNode *node)
{
    const TyNodeList *list;
    switch (node->kind) {
    case TY_AST_Name: case TY_AST_Attribute: case TY_AST_Subscript: return true;
    case TY_AST_Tuple: list = &TY_AST(Tuple, node)->elts; break;
    case TY_AST_List: list = &TY_AST(List, node)->elts; break;
    default: return false;
    }
    for (int i = 0; i < list->count; i++)
        if (!is_deletable(list->items[i]))
            return false;
    return true;
}

static TyNode *del_statement(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    bool good = true;
    do {
        if (p->stack_height > height && (peek(p) == TY_TOKEN_NEWLINE || peek(p) == TY_TOKEN_SEMI))
            break;
        TyNode *target = ty_parse_primary(p);
        good = target && is_deletable(target) && ty_parser_push(p, target);
    } while (good && accept(p, TY_TOKEN_COMMA));
    if (good && (peek(p) == TY_TOKEN_NEWLINE || peek(p) == TY_TOKEN_SEMI)) {
        TyAstDelete *node = NODE(p, Delete, start);
        if (node) {
            node->targets = ty_parser_pop_list(p, height);
            for (int i = 0; i < node->targets.count; i++)
                ty_parse_set_context(node->targets.items[i], TY_AST_Del);
        }
        return (TyNode *)node;
    }
    p->stack_height = height;
    if (p->error || !p->diagnosing)
        return NULL;
    p->mark = start + 1;
    TyNode *targets = ty_parse_star_expressions(p);
    return targets ? ty_error_invalid_target(p, TY_TARGETS_DEL, targets) : NULL;
}

static TyNode *assert_statement(TyParser *p)
{
    int start = p->mark++;
    TyNode *test = ty_parse_expression(p), *message = NULL;
    if (!test)
        return NULL;
    int mark = p->mark;
    if (accept(p, TY_TOKEN_COMMA)) {
        message = ty_parse_expression(p);
        if (!message)
            p->mark = mark;
    }
    TyAstAssert *node = NODE(p, Assert, start);
    if (node) {
        node->test = test;
        node->msg = message;
    }
    return (TyNode *)node;
}

static TyNode *type_alias(TyParser *p)
{
    int start = p->mark++;
    int name_mark = p->mark;
    Value id = name_value(p);
    TyAstName *name = id ? NODE(p, Name, name_mark) : NULL;
    TyNodeList parameters;
    if (!name || !ty_parse_type_params(p, &parameters) || !accept(p, TY_TOKEN_EQUAL))
        return NULL;
    name->id = id;
    name->ctx = TY_AST_Store;
    TyNode *value = ty_parse_expression(p);
    if (!value || !ty_parse_check_version(p, 12, "Type statement is"))
        return NULL;
    TyAstTypeAlias *node = NODE(p, TypeAlias, start);
    if (node) {
        node->name = (TyNode *)name;
        node->type_params = parameters;
        node->value = value;
    }
    return (TyNode *)node;
}

/* A keyword that is a statement by itself. */
static TyNode *word(TyParser *p, TyAstKind kind)
{
    int start = p->mark++;
    return ty_parser_node(p, kind, start);
}

TyNode *ty_parse_simple_statement(TyParser *p)
{
    int start = p->mark;
    TyNode *node;
    TyTokenKind kind = peek(p);
    switch (kind) {
    case TY_KEYWORD_RETURN: return return_statement(p);
    case TY_KEYWORD_IMPORT: return import_name(p);
    case TY_KEYWORD_FROM: return import_from(p);
    case TY_KEYWORD_RAISE: return raise_statement(p);
    case TY_KEYWORD_DEL: return del_statement(p);
    case TY_KEYWORD_ASSERT: return assert_statement(p);
    case TY_KEYWORD_GLOBAL: return names_statement(p, TY_AST_Global);
    case TY_KEYWORD_NONLOCAL: return names_statement(p, TY_AST_Nonlocal);
    case TY_KEYWORD_PASS: case TY_KEYWORD_BREAK: case TY_KEYWORD_CONTINUE:
        if (p->diagnosing) {
            diagnose_assignment(p);
            if (p->error)
                return NULL;
            p->mark = start;
        }
        return word(p, kind == TY_KEYWORD_PASS ? TY_AST_Pass : kind == TY_KEYWORD_BREAK ? TY_AST_Break
                                                                                        : TY_AST_Continue);
    default:
        break;
    }
    if (p->diagnosing) {
        p->cut = false;
        node = assignment_in_turn(p);
        if (node || p->error || p->cut) {
            p->cut = false;
            return node;
        }
    } else if (kind == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLON) {
        TyNode *target = ty_parse_primary(p);
        return target ? annotated_assignment(p, start, target) : NULL;
    }
    if (kind == TY_TOKEN_NAME && next_is(p, "type") && peek_second(p) == TY_TOKEN_NAME) {
        node = type_alias(p);
        if (node || p->error)
            return node;
        p->mark = start;
    }
    if (!p->diagnosing)
        return assignment_or_expression(p);
    TyNode *value = ty_parse_annotated_rhs(p);
    return value ? expression_statement(p, start, value) : NULL;
}

/* Simple statements on one line, pushed. */
static bool simple_statements(TyParser *p)
{
    do {
        TyNode *node = ty_parse_simple_statement(p);
        if (!node || !ty_parser_push(p, node))
            return false;
    } while (accept(p, TY_TOKEN_SEMI) && peek(p) != TY_TOKEN_NEWLINE);
    return accept(p, TY_TOKEN_NEWLINE);
}

/* ---- if, while, for --------------------------------------------------------------------------------------------- */

static bool else_block(TyParser *p, TyNodeList *body)
{
    *body = (TyNodeList){0};
    int keyword = p->mark;
    if (!accept(p, TY_KEYWORD_ELSE))
        return !p->error;
    return forced_colon_and_block(p, "'else' statement", keyword, body);
}

static TyNode *if_statement(TyParser *p)
{
    int start = p->mark;
    bool is_elif = peek(p) == TY_KEYWORD_ELIF;
    if (is_elif && !ty_parser_enter(p))
        return NULL;
    p->mark++;
    TyNode *test = ty_parse_named_expression(p);
    TyNodeList body, orelse = {0};
    TyAstIf *node = NULL;
    if (test && colon_and_block(p, is_elif ? "'elif' statement" : "'if' statement", start, &body)) {
        if (peek(p) == TY_KEYWORD_ELIF) {
            int height = p->stack_height;
            TyNode *next = if_statement(p);
            if (next && ty_parser_push(p, next)) {
                orelse = ty_parser_pop_list(p, height);
                node = NODE(p, If, start);
            }
        } else if (else_block(p, &orelse)) {
            node = NODE(p, If, start);
            if (p->diagnosing && orelse.count && peek(p) == TY_KEYWORD_ELIF && !p->error) {
                ty_error_at_token(p, p->mark, "'elif' block follows an 'else' block");
                node = NULL;
            }
        }
    }
    if (is_elif)
        ty_parser_leave(p);
    if (node) {
        node->test = test;
        node->body = body;
        node->orelse = orelse;
    }
    return (TyNode *)node;
}

static TyNode *while_statement(TyParser *p)
{
    int start = p->mark++;
    TyNode *test = ty_parse_named_expression(p);
    TyNodeList body, orelse;
    if (!test || !colon_and_block(p, "'while' statement", start, &body) || !else_block(p, &orelse))
        return NULL;
    TyAstWhile *node = NODE(p, While, start);
    if (node) {
        node->test = test;
        node->body = body;
        node->orelse = orelse;
    }
    return (TyNode *)node;
}

static TyNode *for_statement(TyParser *p, int start)
{
    bool is_async = p->mark > start;
    int keyword = p->mark++;
    TyNode *target = ty_parse_star_targets(p);
    if (!target || !accept(p, TY_KEYWORD_IN)) {
        if (p->diagnosing && !p->error) {
            p->mark = keyword + 1;
            TyNode *wrong = ty_parse_star_expressions(p);
            if (wrong)
                ty_error_invalid_target(p, TY_TARGETS_FOR, wrong);
        }
        return NULL;
    }
    TyNode *iter = ty_parse_star_expressions(p);
    TyNodeList body, orelse;
    if (!iter || !colon(p))
        return NULL;
    Value comment = type_comment(p);
    if ((!comment && !diagnose_block(p, "'for' statement", keyword)) || !ty_parse_block(p, &body) || !else_block(p, &orelse) ||
        (is_async && !ty_parse_check_version(p, 5, "Async for loops are")))
        return NULL;
    TyAstFor *node = (TyAstFor *)ty_parser_node(p, is_async ? TY_AST_AsyncFor : TY_AST_For, start);
    if (node) {
        node->target = target;
        node->iter = iter;
        node->body = body;
        node->orelse = orelse;
        node->type_comment = comment;
    }
    return (TyNode *)node;
}

_Static_assert(sizeof(TyAstFor) == sizeof(TyAstAsyncFor) && sizeof(TyAstWith) == sizeof(TyAstAsyncWith) &&
                   sizeof(TyAstFunctionDef) == sizeof(TyAstAsyncFunctionDef) && sizeof(TyAstTry) == sizeof(TyAstTryStar),
               "the variants of a statement are alike");

/* ---- with ----------------------------------------------------------------------------------------------------------- */

/* One context manager, with its target. */
static TyNode *with_item(TyParser *p)
{
    TyNode *context = ty_parse_expression(p), *target = NULL;
    if (!context)
        return NULL;
    int mark = p->mark;
    if (accept(p, TY_KEYWORD_AS)) {
        target = ty_parse_star_target(p);
        TyTokenKind kind = peek(p);
        if (!target || (kind != TY_TOKEN_COMMA && kind != TY_TOKEN_RPAR && kind != TY_TOKEN_COLON)) {
            target = NULL;
            p->mark = mark + 1;
            if (p->diagnosing && !p->error) {
                TyNode *wrong = ty_parse_expression(p);
                kind = peek(p);
                if (wrong && (kind == TY_TOKEN_COMMA || kind == TY_TOKEN_RPAR || kind == TY_TOKEN_COLON))
                    ty_error_invalid_target(p, TY_TARGETS_STAR, wrong);
            }
            p->mark = mark;
        } else {
            ty_parse_set_context(target, TY_AST_Store);
        }
    }
    if (p->error)
        return NULL;
    TyAstwithitem *node = NODE(p, withitem, mark - 1);
    if (node) {
        node->context_expr = context;
        node->optional_vars = target;
    }
    return (TyNode *)node;
}

static bool with_items(TyParser *p, bool parenthesized)
{
    for (;;) {
        TyNode *item = with_item(p);
        if (!item || !ty_parser_push(p, item))
            return false;
        if (peek(p) != TY_TOKEN_COMMA)
            return true;
        p->mark++;
        if (parenthesized && peek(p) == TY_TOKEN_RPAR)
            return true;
    }
}

/* Context managers as far as they can be read, for the messages: a missing colon, a missing block. */
static void diagnose_with(TyParser *p, int keyword)
{
    for (int parenthesized = 0; parenthesized < 2; parenthesized++) {
        p->mark = keyword + 1;
        if (parenthesized && !accept(p, TY_TOKEN_LPAR))
            return;
        int mark;
        do {
            mark = p->mark;
            if (parenthesized && peek(p) == TY_TOKEN_RPAR)
                break;
            if (!(parenthesized ? ty_parse_expressions(p) : ty_parse_expression(p)))
                goto next;
            mark = p->mark;
            if (accept(p, TY_KEYWORD_AS) && !ty_parse_star_target(p))
                p->mark = mark;
        } while (accept(p, TY_TOKEN_COMMA));
        if (parenthesized && !accept(p, TY_TOKEN_RPAR))
            goto next;
        if (p->error)
            return;
        if (peek(p) == TY_TOKEN_NEWLINE) {
            ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
            return;
        }
    next:
        if (p->error)
            return;
    }
}

static TyNode *with_statement(TyParser *p, int start)
{
    bool is_async = p->mark > start;
    int keyword = p->mark++, height = p->stack_height;
    if (p->diagnosing) {
        diagnose_with(p, keyword);
        if (p->error)
            return NULL;
        p->mark = keyword + 1;
    }
    bool parenthesized = false;
    if (accept(p, TY_TOKEN_LPAR)) {
        parenthesized = with_items(p, true) && accept(p, TY_TOKEN_RPAR) && peek(p) == TY_TOKEN_COLON;
        if (p->error)
            return NULL;
        if (!parenthesized) {
            p->stack_height = height;
            p->mark = keyword + 1;
        }
    }
    if (!parenthesized && !with_items(p, false))
        return NULL;
    if (!accept(p, TY_TOKEN_COLON))
        return NULL;
    TyNodeList items = ty_parser_pop_list(p, height), body;
    Value comment = type_comment(p);
    if ((!comment && !diagnose_block(p, "'with' statement", keyword)) || !ty_parse_block(p, &body) ||
        (is_async && !ty_parse_check_version(p, 5, "Async with statements are")))
        return NULL;
    TyAstWith *node = (TyAstWith *)ty_parser_node(p, is_async ? TY_AST_AsyncWith : TY_AST_With, start);
    if (node) {
        node->items = items;
        node->body = body;
        node->type_comment = comment;
    }
    return (TyNode *)node;
}

/* ---- try --------------------------------------------------------------------------------------------------------------- */

/* After `except` or `except*`, in wrong source. */
static void diagnose_except(TyParser *p, int start, bool star)
{
    int after = p->mark;
    TyNode *first = ty_parse_expression(p);
    if (p->error)
        return;
    if (first && accept(p, TY_TOKEN_COMMA) && ty_parse_expressions(p) && accept(p, TY_KEYWORD_AS) &&
        accept(p, TY_TOKEN_NAME) && accept(p, TY_TOKEN_COLON)) {
        ty_error_starting(p, first->lineno, first->col_offset,
                          "multiple exception types must be parenthesized when using 'as'");
        return;
    }
    if (p->error)
        return;
    p->mark = after;
    first = ty_parse_expression(p);
    if (first) {
        int mark = p->mark;
        if (accept(p, TY_KEYWORD_AS) && !accept(p, TY_TOKEN_NAME))
            p->mark = mark;
        if (peek(p) == TY_TOKEN_NEWLINE) {
            ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
            return;
        }
        p->mark = mark;
        if (accept(p, TY_KEYWORD_AS)) {
            /* A name alone is right. */
            bool name = peek(p) == TY_TOKEN_NAME && peek_second(p) == TY_TOKEN_COLON;
            TyNode *target = name ? NULL : ty_parse_expression(p);
            TyNodeList ignored;
            if (target && accept(p, TY_TOKEN_COLON) && ty_parse_block(p, &ignored))
                ty_error_at(p, target, "cannot use except%s statement with %s", star ? "*" : "",
                            ty_expression_name(target));
        }
    } else {
        p->mark = after;
        if (star && (peek(p) == TY_TOKEN_NEWLINE || peek(p) == TY_TOKEN_COLON))
            ty_error_last(p, TY_SYNTAX_ERROR, false, "expected one or more exception types");
        else if (peek(p) == TY_TOKEN_NEWLINE)
            ty_error_last(p, TY_SYNTAX_ERROR, false, "expected ':'");
    }
    (void)start;
    p->mark = after;
}

static TyNode *handler(TyParser *p, bool star)
{
    int start = p->mark++;
    if (star && !accept(p, TY_TOKEN_STAR))
        return NULL;
    if (p->diagnosing) {
        int mark = p->mark;
        diagnose_except(p, start, star);
        if (p->error)
            return NULL;
        p->mark = mark;
    }
    TyNode *type = NULL;
    Value name = 0;
    bool unparenthesized = false;
    if (peek(p) != TY_TOKEN_COLON || star) {
        int type_start = p->mark;
        type = ty_parse_expression(p);
        if (!type)
            return NULL;
        if (accept(p, TY_KEYWORD_AS)) {
            name = name_value(p);
            if (!name)
                return NULL;
        } else if (peek(p) == TY_TOKEN_COMMA) {
            /* Several types without parentheses, and no name. */
            int height = p->stack_height;
            if (!ty_parser_push(p, type))
                return NULL;
            while (accept(p, TY_TOKEN_COMMA) && peek(p) != TY_TOKEN_COLON) {
                TyNode *other = ty_parse_expression(p);
                if (!other || !ty_parser_push(p, other))
                    return NULL;
            }
            TyAstTuple *tuple = NODE(p, Tuple, type_start);
            if (!tuple || peek(p) != TY_TOKEN_COLON)
                return NULL;
            tuple->elts = ty_parser_pop_list(p, height);
            type = (TyNode *)tuple;
            unparenthesized = true;
        }
    }
    TyNodeList body;
    if (!accept(p, TY_TOKEN_COLON) ||
        !diagnose_block(p, star ? "'except*' statement" : "'except' statement", start) || !ty_parse_block(p, &body) ||
        (unparenthesized && !ty_parse_check_version(p, 14, "except expressions without parentheses are")))
        return NULL;
    TyAstExceptHandler *node = NODE(p, ExceptHandler, start);
    if (node) {
        node->type = type;
        node->name = name;
        node->body = body;
    }
    return (TyNode *)node;
}

static TyNode *try_statement(TyParser *p)
{
    int start = p->mark++, height = p->stack_height;
    TyNodeList body, handlers, orelse = {0}, finally = {0};
    if (!forced_colon_and_block(p, "'try' statement", start, &body)) {
        /* A wrong or missing block does not keep handlers from being looked at. */
        p->mark = start + 2;
        if (p->diagnosing && !p->error && ty_token_at(p, start + 1)->kind == TY_TOKEN_COLON)
            while (peek(p) == TY_KEYWORD_EXCEPT && handler(p, peek_second(p) == TY_TOKEN_STAR))
                ;
        return NULL;
    }
    TyTokenKind kind = peek(p);
    if (p->diagnosing && kind != TY_KEYWORD_EXCEPT && kind != TY_KEYWORD_FINALLY && !p->error)
        return ty_error_last(p, TY_SYNTAX_ERROR, false, "expected 'except' or 'finally' block");
    bool star = kind == TY_KEYWORD_EXCEPT && peek_second(p) == TY_TOKEN_STAR;
    while (peek(p) == TY_KEYWORD_EXCEPT) {
        bool this_star = peek_second(p) == TY_TOKEN_STAR;
        int except = p->mark;
        if (this_star != star && !p->diagnosing)
            return NULL;
        TyNode *node = handler(p, this_star);
        if (!node || !ty_parser_push(p, node))
            return NULL;
        if (this_star != star)
            return ty_error_except_mix(p, except, this_star);
    }
    handlers = ty_parser_pop_list(p, height);
    if (handlers.count && !else_block(p, &orelse))
        return NULL;
    int keyword = p->mark;
    if (accept(p, TY_KEYWORD_FINALLY)) {
        if (!forced_colon_and_block(p, "'finally' statement", keyword, &finally))
            return NULL;
    } else if (!handlers.count) {
        return NULL;
    }
    if (p->error || (star && !ty_parse_check_version(p, 11, "Exception groups are")))
        return NULL;
    TyAstTry *node = (TyAstTry *)ty_parser_node(p, star ? TY_AST_TryStar : TY_AST_Try, start);
    if (node) {
        node->body = body;
        node->handlers = handlers;
        node->orelse = orelse;
        node->finalbody = finally;
    }
    return (TyNode *)node;
}

/* ---- functions and classes ----------------------------------------------------------------------------------------------- */

/* The bound or default of a type parameter; false: wrong. */
static bool type_param_default(TyParser *p, bool starred, TyNode **value)
{
    *value = NULL;
    if (!accept(p, TY_TOKEN_EQUAL))
        return true;
    *value = starred ? ty_parse_star_expression(p) : ty_parse_expression(p);
    return *value && ty_parse_check_version(p, 13, "Type parameter defaults are");
}

static TyNode *type_param(TyParser *p)
{
    int start = p->mark;
    bool star = accept(p, TY_TOKEN_STAR), stars = !star && accept(p, TY_TOKEN_DOUBLESTAR);
    Value name = name_value(p);
    TyNode *bound = NULL, *value;
    if (!name)
        return NULL;
    if (peek(p) == TY_TOKEN_COLON) {
        if ((star || stars) && !p->diagnosing)
            return NULL;
        int colon_mark = p->mark++;
        bound = ty_parse_expression(p);
        if (!bound)
            return NULL;
        if (star || stars) {
            ty_error_starting(p, p->tokens[colon_mark].lineno, p->tokens[colon_mark].col_offset,
                              "cannot use %s with %s", bound->kind == TY_AST_Tuple ? "constraints" : "bound",
                              star ? "TypeVarTuple" : "ParamSpec");
            return NULL;
        }
    }
    if (!type_param_default(p, star, &value))
        return NULL;
    if (star) {
        TyAstTypeVarTuple *node = NODE(p, TypeVarTuple, start);
        if (node) {
            node->name = name;
            node->default_value = value;
        }
        return (TyNode *)node;
    }
    if (stars) {
        TyAstParamSpec *node = NODE(p, ParamSpec, start);
        if (node) {
            node->name = name;
            node->default_value = value;
        }
        return (TyNode *)node;
    }
    TyAstTypeVar *node = NODE(p, TypeVar, start);
    if (node) {
        node->name = name;
        node->bound = bound;
        node->default_value = value;
    }
    return (TyNode *)node;
}

/* False: wrong. */
static bool type_params(TyParser *p, TyNodeList *list)
{
    int height = p->stack_height;
    p->mark++;
    if (peek(p) == TY_TOKEN_RSQB) {
        if (p->diagnosing)
            ty_error_starting(p, p->tokens[p->mark].lineno, p->tokens[p->mark].col_offset,
                              "Type parameter list cannot be empty");
        return false;
    }
    do {
        if (peek(p) == TY_TOKEN_RSQB)
            break;
        TyNode *node = type_param(p);
        if (!node || !ty_parser_push(p, node))
            return false;
    } while (accept(p, TY_TOKEN_COMMA));
    *list = ty_parser_pop_list(p, height);
    return accept(p, TY_TOKEN_RSQB) && ty_parse_check_version(p, 12, "Type parameter lists are");
}

bool ty_parse_type_params(TyParser *p, TyNodeList *list)
{
    int start = p->mark, height = p->stack_height;
    *list = (TyNodeList){0};
    if (peek(p) == TY_TOKEN_LSQB && !type_params(p, list)) {
        *list = (TyNodeList){0};
        p->mark = start;
        p->stack_height = height;
    }
    return !p->error;
}

/* The type comment of a function: behind the colon, or on the line after. */
static bool function_type_comment(TyParser *p, Value *comment)
{
    *comment = 0;
    if (!p->tokenizer.type_comments)
        return true;
    if (peek(p) == TY_TOKEN_NEWLINE && peek_second(p) == TY_TOKEN_TYPE_COMMENT &&
        ty_token_at(p, p->mark + 2)->kind == TY_TOKEN_NEWLINE && ty_token_at(p, p->mark + 3)->kind == TY_TOKEN_INDENT)
        p->mark++;
    else if (p->diagnosing && peek(p) == TY_TOKEN_TYPE_COMMENT && peek_second(p) == TY_TOKEN_NEWLINE &&
             ty_token_at(p, p->mark + 2)->kind == TY_TOKEN_TYPE_COMMENT &&
             ty_token_at(p, p->mark + 3)->kind == TY_TOKEN_NEWLINE &&
             ty_token_at(p, p->mark + 4)->kind == TY_TOKEN_INDENT)
        ty_error_last(p, TY_SYNTAX_ERROR, false, "Cannot have two type comments on def");
    *comment = type_comment(p);
    return !p->error;
}

static TyNode *function(TyParser *p, int start, TyNodeList decorators)
{
    bool is_async = p->mark > start;
    int keyword = p->mark++;
    Value name = name_value(p);
    TyNodeList parameters, body;
    if (!name || !ty_parse_type_params(p, &parameters) || !ty_parser_force(p, TY_TOKEN_LPAR, "("))
        return NULL;
    TyNode *arguments = ty_parse_parameters(p, false), *returns = NULL;
    if (!arguments || !accept(p, TY_TOKEN_RPAR))
        return NULL;
    int mark = p->mark;
    if (accept(p, TY_TOKEN_RARROW)) {
        returns = ty_parse_expression(p);
        if (!returns)
            p->mark = mark;
    }
    Value comment;
    if (!ty_parser_force(p, TY_TOKEN_COLON, ":") || !function_type_comment(p, &comment) ||
        (!comment && !diagnose_block(p, "function definition", keyword)) || !ty_parse_block(p, &body) ||
        (is_async && !ty_parse_check_version(p, 5, "Async functions are")))
        return NULL;
    TyAstFunctionDef *node =
        (TyAstFunctionDef *)ty_parser_node(p, is_async ? TY_AST_AsyncFunctionDef : TY_AST_FunctionDef, start);
    if (node) {
        node->name = name;
        node->args = arguments;
        node->body = body;
        node->decorator_list = decorators;
        node->returns = returns;
        node->type_comment = comment;
        node->type_params = parameters;
    }
    return (TyNode *)node;
}

static TyNode *class(TyParser *p, TyNodeList decorators)
{
    int start = p->mark++;
    Value name = name_value(p);
    TyNodeList parameters, body;
    TyCallArguments bases = {0};
    if (!name || !ty_parse_type_params(p, &parameters))
        return NULL;
    if (accept(p, TY_TOKEN_LPAR) && !accept(p, TY_TOKEN_RPAR))
        if (!ty_parse_call_arguments(p, &bases) || !accept(p, TY_TOKEN_RPAR))
            return NULL;
    if (!colon_and_block(p, "class definition", start, &body))
        return NULL;
    TyAstClassDef *node = NODE(p, ClassDef, start);
    if (node) {
        node->name = name;
        node->bases = bases.args;
        node->keywords = bases.keywords;
        node->body = body;
        node->decorator_list = decorators;
        node->type_params = parameters;
    }
    return (TyNode *)node;
}

static TyNode *decorated(TyParser *p)
{
    int height = p->stack_height;
    while (accept(p, TY_TOKEN_AT)) {
        TyNode *decorator = ty_parse_named_expression(p);
        if (!decorator || !ty_parser_push(p, decorator) || !accept(p, TY_TOKEN_NEWLINE))
            return NULL;
    }
    TyNodeList decorators = ty_parser_pop_list(p, height);
    int start = p->mark;
    switch (peek(p)) {
    case TY_KEYWORD_CLASS: return class(p, decorators);
    case TY_KEYWORD_DEF: return function(p, start, decorators);
    case TY_KEYWORD_ASYNC:
        if (peek_second(p) != TY_KEYWORD_DEF)
            return NULL;
        p->mark++;
        return function(p, start, decorators);
    default: return NULL;
    }
}

/* ---- statements ------------------------------------------------------------------------------------------------------------- */

static TyNode *async_statement(TyParser *p)
{
    int start = p->mark++;
    switch (peek(p)) {
    case TY_KEYWORD_DEF: return function(p, start, (TyNodeList){0});
    case TY_KEYWORD_WITH: return with_statement(p, start);
    case TY_KEYWORD_FOR: return for_statement(p, start);
    default: return NULL;
    }
}

/* Whether what follows the name "match" can begin a subject; what it can't is an expression or assignment. */
static bool may_be_match(TyParser *p)
{
    switch (peek_second(p)) {
    case TY_TOKEN_NAME: case TY_TOKEN_NUMBER: case TY_TOKEN_STRING: case TY_TOKEN_FSTRING_START:
    case TY_TOKEN_TSTRING_START: case TY_TOKEN_LPAR: case TY_TOKEN_LSQB: case TY_TOKEN_LBRACE: case TY_TOKEN_MINUS:
    case TY_TOKEN_PLUS: case TY_TOKEN_TILDE: case TY_TOKEN_STAR: case TY_TOKEN_ELLIPSIS: case TY_KEYWORD_NOT:
    case TY_KEYWORD_LAMBDA: case TY_KEYWORD_AWAIT: case TY_KEYWORD_TRUE: case TY_KEYWORD_FALSE: case TY_KEYWORD_NONE:
        return true;
    default:
        return false;
    }
}

/* A compound statement. NULL with *is_compound: it is wrong. */
static TyNode *compound(TyParser *p, bool *is_compound)
{
    *is_compound = true;
    switch (peek(p)) {
    case TY_KEYWORD_IF: return if_statement(p);
    case TY_KEYWORD_DEF: return function(p, p->mark, (TyNodeList){0});
    case TY_KEYWORD_CLASS: return class(p, (TyNodeList){0});
    case TY_KEYWORD_FOR: return for_statement(p, p->mark);
    case TY_KEYWORD_WHILE: return while_statement(p);
    case TY_KEYWORD_WITH: return with_statement(p, p->mark);
    case TY_KEYWORD_TRY: return try_statement(p);
    case TY_KEYWORD_ASYNC: return async_statement(p);
    case TY_TOKEN_AT: return decorated(p);
    case TY_TOKEN_NAME:
        if (next_is(p, "match") && may_be_match(p)) {
            int start = p->mark, height = p->stack_height;
            TyNode *node = ty_parse_match(p);
            if (node || p->error)
                return node;
            p->mark = start;
            p->stack_height = height;
        }
        break;
    default:
        break;
    }
    *is_compound = false;
    return NULL;
}

bool ty_parse_statement(TyParser *p)
{
    bool is_compound;
    if (!ty_parser_enter(p))
        return false;
    TyNode *node = compound(p, &is_compound);
    if (node) {
        p->last_lineno = node->lineno;
        p->last_col_offset = node->col_offset;
    }
    bool good = node ? ty_parser_push(p, node) : !is_compound && !p->error && simple_statements(p);
    ty_parser_leave(p);
    return good;
}

bool ty_parse_interactive_statement(TyParser *p)
{
    bool is_compound;
    TyNode *node = compound(p, &is_compound);
    if (node)
        return ty_parser_push(p, node) && accept(p, TY_TOKEN_NEWLINE);
    return !is_compound && !p->error && simple_statements(p);
}
