#ifndef TYPHON_SYNTAX_PARSER_H
#define TYPHON_SYNTAX_PARSER_H

/*
 * Inside of the parser: recursive descent over an array of tokens that is filled as far as the parser looks.
 *
 * A rule is a function. It returns what it read and leaves the position (mark) behind it, or returns NULL or false when
 * the tokens are not its own; the position is then undefined and the caller who goes on must have kept it. `error` says that
 * an exception is set: every token then looks like ERRORTOKEN, which no rule takes, so that everything unwinds.
 *
 * Valid source is read once, each decision made by the next token or two. Where that fails without an exception, the
 * statement is read again with `diagnosing` on. Rules then try, in the order that CPython's grammar does,
 * the readings of wrong source which deserve a message of their own, and they do go back and forth; results are remembered
 * by rule and position so that this stays linear. If no message is found it is "invalid syntax" at
 * the last token that the first reading had seen.
 */

#include "syntax/ast.h"
#include "syntax/parse.h"
#include "syntax/tokenizer.h"

typedef struct TyNameEntry {
    uint32_t hash;
    uint32_t size;
    const char *text;               /* in the arena */
    Value name;
} TyNameEntry;

typedef struct TyMemo {
    uint32_t key;                   /* (mark * rules + rule) + 1; 0: empty */
    int32_t end;                    /* mark behind, -1: the rule failed */
    TyNode *node;
} TyMemo;

typedef struct TyParser {
    TyTokenizer tokenizer;
    TyToken *tokens;
    int fill, capacity;
    int mark;
    bool error;
    bool raised;                    /* the exception is a SyntaxError of ours */
    bool cut;                       /* the rule that just failed allows no other reading of the statement */
    bool remember;                  /* keep results of rules by position: readings go back and forth */
    bool diagnosing;                /* try the readings of wrong source */
    bool interactive;
    bool parsing_started;           /* of interactive input: the next ENDMARKER is a NEWLINE first */
    uint32_t flags;
    int feature_version;
    int depth;
    uintptr_t stack_limit;          /* address below which the C stack must not grow */
    int statement_start;            /* mark of the present top-level statement */
    int last_lineno, last_col_offset;       /* of the last whole compound statement; 0, 0: none */
    int previous_statement;         /* and of the one before, which what follows may make wrong */
    TyAst *ast;
    TyArena *arena;
    Value filename;
    uint32_t warned_until;          /* escapes before this offset have had their warning */

    /* Nodes of lists that are being read; a rule takes what lies above the height it found. */
    void **stack;
    int stack_height, stack_capacity;

    TyNameEntry *names;             /* open addressing */
    uint32_t name_count, name_capacity;

    TyMemo *memo;                   /* open addressing */
    uint32_t memo_count, memo_capacity;

    TyNode **type_ignores;
    int type_ignore_count, type_ignore_capacity;
} TyParser;

/* ---- tokens ------------------------------------------------------------------------------------ */

/* Reads one more token into the array. False: an exception is set. */
bool ty_parser_fill(TyParser *p);

static inline const TyToken *ty_token_at(TyParser *p, int mark)
{
    static const TyToken failed = {.kind = TY_TOKEN_ERRORTOKEN};
    while (mark >= p->fill)
        if (!ty_parser_fill(p))
            return &failed;
    return p->error ? &failed : &p->tokens[mark];
}

static inline TyTokenKind peek(TyParser *p) { return ty_token_at(p, p->mark)->kind; }

/* Whether two tokens touch. */
static inline bool touches_next(TyParser *p) { return p->tokens[p->mark].end == ty_token_at(p, p->mark + 1)->start; }

/* The token behind the next one. */
static inline TyTokenKind peek_second(TyParser *p) { return ty_token_at(p, p->mark + 1)->kind; }

static inline bool accept(TyParser *p, TyTokenKind kind)
{
    if (peek(p) != kind)
        return false;
    p->mark++;
    return true;
}

/* The token, taken; NULL if the next is another. Valid until the next token is read. */
static inline const TyToken *take(TyParser *p, TyTokenKind kind)
{
    if (peek(p) != kind)
        return NULL;
    return &p->tokens[p->mark++];
}

static inline const char *token_text(TyParser *p, const TyToken *token)
{
    return p->tokenizer.buffer + token->start;
}

/* Whether the token is the name: for soft keywords. */
static inline bool token_is(TyParser *p, const TyToken *token, const char *text)
{
    size_t size = __builtin_strlen(text);
    return token->kind == TY_TOKEN_NAME && token->end - token->start == size &&
           __builtin_memcmp(token_text(p, token), text, size) == 0;
}

static inline bool next_is(TyParser *p, const char *text) { return token_is(p, ty_token_at(p, p->mark), text); }

/* ---- nodes ----------------------------------------------------------------------------------------- */

/* A node that begins at the token at mark `start` and ends with the last token taken. NULL: an exception is set. */
TyNode *ty_parser_node(TyParser *p, TyAstKind kind, int start);
#define NODE(p, name, start) ((TyAst##name *)ty_parser_node((p), TY_AST_##name, (start)))

/* The same, beginning where a node begins. */
TyNode *ty_parser_node_from(TyParser *p, TyAstKind kind, const TyNode *first);
#define NODE_FROM(p, name, first) ((TyAst##name *)ty_parser_node_from((p), TY_AST_##name, (first)))

bool ty_parser_push(TyParser *p, void *item);

/* What was pushed since the stack had this height, moved to the arena. */
TyNodeList ty_parser_pop_list(TyParser *p, int height);

/* A name from a NAME token; 0: an exception is set. */
Value ty_parser_name(TyParser *p, const TyToken *token);

/* The same from text, which may be several names with dots. */
Value ty_parser_name_of(TyParser *p, const char *text, uint32_t size);

/* Takes the token; while diagnosing, raises "expected 'text'" if the next is another. */
bool ty_parser_force(TyParser *p, TyTokenKind kind, const char *text);

/* Keeps a value in the tree; returns it, 0 if it is 0 or memory fails. */
Value ty_parser_keep(TyParser *p, Value value);

/* Out of memory. Always false. */
bool ty_parser_no_memory(TyParser *p);

/* Enters a rule that recurs without taking brackets or blocks. False: too deep, an exception is set. */
bool ty_parser_enter(TyParser *p);
static inline void ty_parser_leave(TyParser *p) { p->depth--; }

/* ---- memory of rules --------------------------------------------------------------------------------- */

typedef enum TyRule {
    TY_RULE_EXPRESSION,
    TY_RULE_NAMED_EXPRESSION,
    TY_RULE_STAR_EXPRESSIONS,
    TY_RULE_STAR_NAMED_EXPRESSION,
    TY_RULE_DISJUNCTION,
    TY_RULE_INVERSION,
    TY_RULE_BITWISE_OR,
    TY_RULE_FACTOR,
    TY_RULE_PRIMARY,
    TY_RULE_STRINGS,
    TY_RULE_BLOCK,
    TY_RULE_LAMBDA,
    TY_RULE_COUNT,
} TyRule;

/* What the rule gave here before: true if it is known, with the node and the mark set. Only while remembering. */
bool ty_memo_find(TyParser *p, TyRule rule, TyNode **node);
TyNode *ty_memo_store(TyParser *p, TyRule rule, int start, TyNode *node);

/* ---- errors --------------------------------------------------------------------------------------------- */

/* All raise and return NULL. */
void *ty_error_at(TyParser *p, const TyNode *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *ty_error_range(TyParser *p, const TyNode *first, const TyNode *last, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void *ty_error_at_token(TyParser *p, int mark, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *ty_error_tokens(TyParser *p, int first, int last, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void *ty_error_from_token(TyParser *p, int first, const TyNode *last, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void *ty_error_to_token(TyParser *p, const TyNode *first, int last, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* From a place to where the tokenizer is. */
void *ty_error_starting(TyParser *p, int lineno, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* At the last token read (use_mark: at the next token). */
void *ty_error_last(TyParser *p, TySyntaxErrorKind kind, bool use_mark, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* From the next token to where the tokenizer is. */
void *ty_error_from_next(TyParser *p, const char *message);
/* except and except* in one try; `except` is the mark of the second kind's first handler. */
void *ty_error_except_mix(TyParser *p, int except, bool star);
void *ty_error_place(TyParser *p, TySyntaxErrorKind kind, int lineno, int column, int end_lineno, int end_column,
                     const char *message);

/* After the number at mark could not be made. */
void *ty_error_number(TyParser *p, int mark);

/* What an expression is called in messages: "function call", "tuple", ... */
const char *ty_expression_name(const TyNode *node);

typedef enum TyTargets { TY_TARGETS_STAR, TY_TARGETS_DEL, TY_TARGETS_FOR } TyTargets;

/* Raises for the part of an expression that is no target; NULL also if all of it is. */
void *ty_error_invalid_target(TyParser *p, TyTargets targets, TyNode *node);

/* ---- rules used across files ---------------------------------------------------------------------------- */

TyNode *ty_parse_expression(TyParser *p);
TyNode *ty_parse_expression_without_invalid(TyParser *p);
TyNode *ty_parse_named_expression(TyParser *p);
TyNode *ty_parse_star_expressions(TyParser *p);
TyNode *ty_parse_star_expression(TyParser *p);
TyNode *ty_parse_star_named_expression(TyParser *p);
TyNode *ty_parse_disjunction(TyParser *p);
TyNode *ty_parse_bitwise_or(TyParser *p);
TyNode *ty_parse_primary(TyParser *p);
TyNode *ty_parse_yield(TyParser *p);
TyNode *ty_parse_annotated_rhs(TyParser *p);
TyNode *ty_parse_strings(TyParser *p);
TyNode *ty_parse_number(TyParser *p);
TyNode *ty_parse_name(TyParser *p);
/* At a star: a Starred of what the rule reads behind it. */
TyNode *ty_parse_starred(TyParser *p, TyNode *(*rule)(TyParser *));
/* After a first item: items of the rule between commas, and maybe a last comma. Pushes them. */
bool ty_parse_more_items(TyParser *p, TyNode *(*rule)(TyParser *));
/* At an opening parenthesis, bracket or brace. */
TyNode *ty_parse_display(TyParser *p);
bool ty_at_comprehension(TyParser *p);
bool ty_parse_for_if_clauses(TyParser *p, TyNodeList *list);
/* What is wrong with a comprehension in the brackets at mark start; NULL. */
TyNode *ty_diagnose_comprehension(TyParser *p, int start);
/* * and what it unpacks, in the arguments of a call. */
TyNode *ty_parse_starred_argument(TyParser *p);
/* At the parenthesis behind a callee. */
TyNode *ty_parse_call(TyParser *p, TyNode *function);
TyNode *ty_parse_star_targets(TyParser *p);
TyNode *ty_parse_star_target(TyParser *p);
TyNode *ty_parse_expressions(TyParser *p);

static inline TyNode *ty_last_of(const TyNodeList *list) { return list->items[list->count - 1]; }

typedef struct TyCallArguments {
    TyNodeList args;
    TyNodeList keywords;
} TyCallArguments;

/* What stands between the parentheses of a call or a class, up to the closing one, which is not taken. */
bool ty_parse_call_arguments(TyParser *p, TyCallArguments *arguments);

/* Parameters of a function (annotated) or a lambda. */
TyNode *ty_parse_parameters(TyParser *p, bool lambda);

bool ty_parse_is_target(const TyNode *node, bool star);
void ty_parse_set_context(TyNode *node, TyAst_expr_context context);

TyNode *ty_parse_match(TyParser *p);
bool ty_parse_block(TyParser *p, TyNodeList *body);
bool ty_parse_statement(TyParser *p);           /* pushes */
bool ty_parse_interactive_statement(TyParser *p);

TyNode *ty_parse_simple_statement(TyParser *p);
bool ty_parse_type_params(TyParser *p, TyNodeList *list);

bool ty_parse_check_version(TyParser *p, int version, const char *what);

static inline bool ty_is_soft_keyword(TyParser *p, const TyToken *token)
{
    return token_is(p, token, "_") || token_is(p, token, "case") || token_is(p, token, "match") ||
           token_is(p, token, "type");
}

#endif
