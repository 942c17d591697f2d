/* The parser's ground: tokens, nodes, names, memory of rules, and errors. */

#include "syntax/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"

/* The deepest that rules may recur, whatever the stack. */
enum { MAX_DEPTH = 6000 };

/* ---- memory ------------------------------------------------------------------------------------------ */

bool ty_parser_no_memory(TyParser *p)
{
    if (!p->error)
        ty_syntax_raise_memory(NULL);
    p->error = true;
    return false;
}

bool ty_parser_enter(TyParser *p)
{
    if (p->error)
        return false;
    if (p->depth >= MAX_DEPTH || (uintptr_t)__builtin_frame_address(0) < p->stack_limit) {
        ty_syntax_raise_memory("Parser stack overflowed - Python source too complex to parse");
        p->error = true;
        return false;
    }
    p->depth++;
    return true;
}

bool ty_parser_push(TyParser *p, void *item)
{
    if (p->stack_height == p->stack_capacity) {
        int capacity = p->stack_capacity ? p->stack_capacity * 2 : 256;
        void **grown = realloc(p->stack, capacity * sizeof *grown);
        if (!grown)
            return ty_parser_no_memory(p);
        p->stack = grown;
        p->stack_capacity = capacity;
    }
    p->stack[p->stack_height++] = item;
    return true;
}

TyNodeList ty_parser_pop_list(TyParser *p, int height)
{
    TyNodeList list = {NULL, p->stack_height - height};
    if (list.count > 0) {
        size_t size = (size_t)list.count * sizeof *list.items;
        list.items = ty_arena_allocate(p->arena, size);
        if (list.items)
            memcpy(list.items, p->stack + height, size);
        else
            list.count = ty_parser_no_memory(p);
    }
    p->stack_height = height;
    return list;
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static inline TyNode *allocate_node(TyParser *p, TyAstKind kind)
{
    TyNode *node = ty_arena_allocate_zeroed(p->arena, ty_ast_kinds[kind].size);
    if (!node) {
        ty_parser_no_memory(p);
        return NULL;
    }
    /* A block ends with its last statement, not with what closes it. */
    const TyToken *last = &p->tokens[p->mark - 1];
    while (last > p->tokens && (last->kind == TY_TOKEN_ENDMARKER ||
                                (last->kind >= TY_TOKEN_NEWLINE && last->kind <= TY_TOKEN_DEDENT)))
        last--;
    node->kind = kind;
    node->end_lineno = last->end_lineno;
    node->end_col_offset = last->end_col_offset;
    return node;
}

TyNode *ty_parser_node(TyParser *p, TyAstKind kind, int start)
{
    if (p->error)
        return NULL;
    TyNode *node = allocate_node(p, kind);
    if (node) {
        node->lineno = p->tokens[start].lineno;
        node->col_offset = p->tokens[start].col_offset;
    }
    return node;
}

TyNode *ty_parser_node_from(TyParser *p, TyAstKind kind, const TyNode *first)
{
    if (p->error)
        return NULL;
    TyNode *node = allocate_node(p, kind);
    if (node) {
        node->lineno = first->lineno;
        node->col_offset = first->col_offset;
    }
    return node;
}

Value ty_parser_keep(TyParser *p, Value value)
{
    if (value && ty_ast_keep(p->ast, value))
        return value;
    p->error = true;
    return 0;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

/* A name with characters beyond ASCII, in normal form KC. */
static Value normalized_name(TyParser *p, const char *text, size_t size)
{
    uint32_t *points = malloc((size + 1) * sizeof *points);
    if (!points) {
        ty_parser_no_memory(p);
        return 0;
    }
    size_t count = 0;
    for (size_t i = 0; i < size;)
        i += ty_utf8_next((const uint8_t *)text + i, &points[count++]);
    size_t normal_count;
    uint32_t *normal = ty_unicode_normalize(TY_NFKC, points, count, &normal_count);
    free(points);
    char *bytes = normal ? malloc(normal_count * 4 + 1) : NULL;
    if (!bytes) {
        free(normal);
        ty_parser_no_memory(p);
        return 0;
    }
    size_t length = 0;
    for (size_t i = 0; i < normal_count; i++)
        length += ty_utf8_put(normal[i], (uint8_t *)bytes + length);
    /* What is no identifier must not become one in disguise. */
    TyTokenKind keyword = ty_keyword_lookup(bytes, length);
    bool constant = keyword == TY_KEYWORD_NONE || keyword == TY_KEYWORD_TRUE || keyword == TY_KEYWORD_FALSE;
    Value name = constant ? 0 : ty_syntax_identifier(bytes, length);
    if (constant && !p->error) {
        char message[80];
        snprintf(message, sizeof message, "identifier field can't represent '%.*s' constant", (int)length, bytes);
        ty_syntax_raise_value(message);
        p->error = true;
    }
    free(normal);
    free(bytes);
    return name;
}

static bool grow_names(TyParser *p)
{
    uint32_t capacity = p->name_capacity ? p->name_capacity * 2 : 128;
    TyNameEntry *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return ty_parser_no_memory(p);
    for (uint32_t i = 0; i < p->name_capacity; i++) {
        if (!p->names[i].text)
            continue;
        uint32_t slot = p->names[i].hash & (capacity - 1);
        while (entries[slot].text)
            slot = (slot + 1) & (capacity - 1);
        entries[slot] = p->names[i];
    }
    free(p->names);
    p->names = entries;
    p->name_capacity = capacity;
    return true;
}

Value ty_parser_name(TyParser *p, const TyToken *token)
{
    return ty_parser_name_of(p, token_text(p, token), token->end - token->start);
}

Value ty_parser_name_of(TyParser *p, const char *text, uint32_t size)
{
    uint32_t hash = 2166136261u;
    uint8_t seen = 0;
    for (uint32_t i = 0; i < size; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
        seen |= (uint8_t)text[i];
    }
    hash ^= hash >> 15;
    if (p->name_count * 2 >= p->name_capacity && !grow_names(p))
        return 0;
    uint32_t slot = hash & (p->name_capacity - 1);
    for (; p->names[slot].text; slot = (slot + 1) & (p->name_capacity - 1)) {
        TyNameEntry *entry = &p->names[slot];
        if (entry->hash == hash && entry->size == size && memcmp(entry->text, text, size) == 0)
            return entry->name;
    }
    Value name = seen < 128 ? ty_syntax_identifier(text, size) : normalized_name(p, text, size);
    char *copy = ty_parser_keep(p, name) ? ty_arena_copy(p->arena, text, size) : NULL;
    if (!copy) {
        ty_parser_no_memory(p);
        return 0;
    }
    p->names[slot] = (TyNameEntry){hash, size, copy, name};
    p->name_count++;
    return name;
}

/* ---- memory of rules ------------------------------------------------------------------------------------------ */

static uint32_t memo_slot(const TyParser *p, uint32_t key)
{
    uint32_t slot = (key * 2654435761u) & (p->memo_capacity - 1);
    while (p->memo[slot].key && p->memo[slot].key != key)
        slot = (slot + 1) & (p->memo_capacity - 1);
    return slot;
}

bool ty_memo_find(TyParser *p, TyRule rule, TyNode **node)
{
    if (!p->memo_capacity)
        return false;
    const TyMemo *memo = &p->memo[memo_slot(p, (uint32_t)p->mark * TY_RULE_COUNT + rule + 1)];
    if (!memo->key)
        return false;
    *node = memo->node;
    if (memo->node)
        p->mark = memo->end;
    return true;
}

TyNode *ty_memo_store(TyParser *p, TyRule rule, int start, TyNode *node)
{
    if (p->error)
        return NULL;
    if (p->memo_count * 2 >= p->memo_capacity) {
        TyMemo *old = p->memo;
        uint32_t old_capacity = p->memo_capacity;
        p->memo_capacity = old_capacity ? old_capacity * 2 : 1024;
        p->memo = calloc(p->memo_capacity, sizeof *p->memo);
        if (!p->memo) {
            free(old);
            p->memo_capacity = 0;
            ty_parser_no_memory(p);
            return NULL;
        }
        for (uint32_t i = 0; i < old_capacity; i++)
            if (old[i].key)
                p->memo[memo_slot(p, old[i].key)] = old[i];
        free(old);
    }
    uint32_t key = (uint32_t)start * TY_RULE_COUNT + rule + 1;
    TyMemo *memo = &p->memo[memo_slot(p, key)];
    p->memo_count += !memo->key;
    *memo = (TyMemo){key, p->mark, node};
    return node;
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* The text of a line, with or without its end. */
static const char *line_text(TyParser *p, int lineno, bool with_end, size_t *size)
{
    const char *line = p->tokenizer.buffer, *end = p->tokenizer.end;
    for (int i = 1; i < lineno; i++) {
        const char *next = memchr(line, '\n', end - line);
        if (!next || next + 1 == end)
            break;
        line = next + 1;
    }
    const char *newline = memchr(line, '\n', end - line);
    *size = newline ? (size_t)(newline - line) + with_end : (size_t)(end - line);
    return line;
}

/* Characters before a column that counts bytes from 1; no further than just behind the text. */
static int characters_before(const char *text, size_t size, int column)
{
    if (column < 0)
        return -1;
    if ((size_t)column > size + 1)
        column = (int)size + 1;
    if ((size_t)column <= size)
        return ty_syntax_characters(text, column);
    return ty_syntax_characters(text, size) + 1;
}

void *ty_error_place(TyParser *p, TySyntaxErrorKind kind, int lineno, int column, int end_lineno, int end_column,
                     const char *message)
{
    if (p->error && p->raised)
        return NULL;
    size_t size;
    const char *text = line_text(p, lineno, p->tokenizer.lineno <= lineno, &size);
    TySyntaxErrorPlace place = {
        .filename = p->filename,
        .lineno = lineno,
        .offset = characters_before(text, size, column),
        .end_lineno = end_lineno,
        .end_offset = characters_before(text, size, end_column),
        .text = text,
        .text_size = size,
    };
    ty_syntax_raise(kind, message, &place);
    p->error = true;
    p->raised = true;
    return NULL;
}

void *ty_error_number(TyParser *p, int mark)
{
    int lineno = p->tokens[mark].lineno;
    TySyntaxErrorPlace place = {.filename = p->filename, .lineno = lineno, .end_lineno = lineno};
    place.text = line_text(p, lineno, p->tokenizer.lineno <= lineno, &place.text_size);
    ty_syntax_number_failed(&place);
    p->error = true;
    return NULL;
}

#define FORMAT_MESSAGE(message, format) \
    char message[512]; \
    do { \
        va_list arguments; \
        va_start(arguments, format); \
        vsnprintf(message, sizeof message, format, arguments); \
        va_end(arguments); \
    } while (0)

void *ty_error_at(TyParser *p, const TyNode *node, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    return ty_error_place(p, TY_SYNTAX_ERROR, node->lineno, node->col_offset + 1, node->end_lineno,
                          node->end_col_offset + 1, message);
}

void *ty_error_range(TyParser *p, const TyNode *first, const TyNode *last, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    return ty_error_place(p, TY_SYNTAX_ERROR, first->lineno, first->col_offset + 1, last->end_lineno,
                          last->end_col_offset + 1, message);
}

void *ty_error_tokens(TyParser *p, int first, int last, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    const TyToken *from = &p->tokens[first], *to = &p->tokens[last];
    return ty_error_place(p, TY_SYNTAX_ERROR, from->lineno, from->col_offset + 1, to->end_lineno,
                          to->end_col_offset + 1, message);
}

void *ty_error_at_token(TyParser *p, int mark, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    return ty_error_tokens(p, mark, mark, "%s", message);
}

void *ty_error_from_token(TyParser *p, int first, const TyNode *last, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    const TyToken *from = &p->tokens[first];
    return ty_error_place(p, TY_SYNTAX_ERROR, from->lineno, from->col_offset + 1, last->end_lineno,
                          last->end_col_offset + 1, message);
}

void *ty_error_to_token(TyParser *p, const TyNode *first, int last, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    const TyToken *to = &p->tokens[last];
    return ty_error_place(p, TY_SYNTAX_ERROR, first->lineno, first->col_offset + 1, to->end_lineno,
                          to->end_col_offset + 1, message);
}

void *ty_error_starting(TyParser *p, int lineno, int column, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    return ty_error_place(p, TY_SYNTAX_ERROR, lineno, column + 1, p->tokenizer.lineno,
                          (int)(p->tokenizer.cursor - p->tokenizer.line_start), message);
}

void *ty_error_last(TyParser *p, TySyntaxErrorKind kind, bool use_mark, const char *format, ...)
{
    FORMAT_MESSAGE(message, format);
    const TyToken *token = &p->tokens[use_mark && p->mark < p->fill ? p->mark : p->fill - 1];
    int column, end_column = -1;
    if (token->col_offset < 0)
        column = (int)(p->tokenizer.cursor - p->tokenizer.line_start);
    else
        column = token->col_offset + 1;
    if (token->end_col_offset >= 0)
        end_column = token->end_col_offset + 1;
    return ty_error_place(p, kind, token->lineno, column, token->end_lineno, end_column, message);
}

void *ty_error_from_next(TyParser *p, const char *message)
{
    const TyToken *token = &p->tokens[p->mark];
    return ty_error_starting(p, token->lineno, token->col_offset, "%s", message);
}

void *ty_error_except_mix(TyParser *p, int except, bool star)
{
    return ty_error_tokens(p, except, except + star,
                           "cannot have both 'except' and 'except*' on the same 'try'");
}

bool ty_parser_force(TyParser *p, TyTokenKind kind, const char *text)
{
    if (accept(p, kind))
        return true;
    if (p->diagnosing && !p->error)
        ty_error_at_token(p, p->mark, "expected '%s'", text);
    return false;
}

bool ty_parse_check_version(TyParser *p, int version, const char *what)
{
    if (p->feature_version >= version)
        return true;
    ty_error_last(p, TY_SYNTAX_ERROR, false, "%s only supported in Python 3.%d and greater", what, version);
    return false;
}

const char *ty_expression_name(const TyNode *node)
{
    switch (node->kind) {
    case TY_AST_Attribute: return "attribute";
    case TY_AST_Subscript: return "subscript";
    case TY_AST_Starred: return "starred";
    case TY_AST_Name: return "name";
    case TY_AST_List: return "list";
    case TY_AST_Tuple: return "tuple";
    case TY_AST_Lambda: return "lambda";
    case TY_AST_Call: return "function call";
    case TY_AST_BoolOp: case TY_AST_BinOp: case TY_AST_UnaryOp: return "expression";
    case TY_AST_GeneratorExp: return "generator expression";
    case TY_AST_Yield: case TY_AST_YieldFrom: return "yield expression";
    case TY_AST_Await: return "await expression";
    case TY_AST_ListComp: return "list comprehension";
    case TY_AST_SetComp: return "set comprehension";
    case TY_AST_DictComp: return "dict comprehension";
    case TY_AST_Dict: return "dict literal";
    case TY_AST_Set: return "set display";
    case TY_AST_JoinedStr: case TY_AST_FormattedValue: return "f-string expression";
    case TY_AST_TemplateStr: case TY_AST_Interpolation: return "t-string expression";
    case TY_AST_Compare: return "comparison";
    case TY_AST_IfExp: return "conditional expression";
    case TY_AST_NamedExpr: return "named expression";
    case TY_AST_Constant: {
        Value value = TY_AST(Constant, node)->value;
        return value == ty_syntax_none() ? "None" : value == ty_syntax_bool(true) ? "True"
             : value == ty_syntax_bool(false) ? "False" : value == ty_syntax_ellipsis() ? "ellipsis" : "literal";
    }
    default: return "expression";
    }
}

/* The first part of an expression that can't be a target; NULL: none. */
static TyNode *invalid_target(TyNode *node, TyTargets targets)
{
    const TyNodeList *list = NULL;
    switch (node->kind) {
    case TY_AST_List: list = &TY_AST(List, node)->elts; break;
    case TY_AST_Tuple: list = &TY_AST(Tuple, node)->elts; break;
    case TY_AST_Starred:
        return targets == TY_TARGETS_DEL ? node : invalid_target(TY_AST(Starred, node)->value, targets);
    case TY_AST_Compare:
        /* In `for x in y` the targets were read as a comparison. */
        if (targets == TY_TARGETS_FOR) {
            TyAstCompare *compare = TY_AST(Compare, node);
            return compare->ops.items[0] == TY_AST_In ? invalid_target(compare->left, targets) : NULL;
        }
        return node;
    case TY_AST_Name: case TY_AST_Subscript: case TY_AST_Attribute:
        return NULL;
    default:
        return node;
    }
    for (int i = 0; i < list->count; i++) {
        TyNode *wrong = invalid_target(list->items[i], targets);
        if (wrong)
            return wrong;
    }
    return NULL;
}

void *ty_error_invalid_target(TyParser *p, TyTargets targets, TyNode *node)
{
    TyNode *wrong = p->error ? NULL : invalid_target(node, targets);
    if (!wrong)
        return NULL;
    return ty_error_at(p, wrong, targets == TY_TARGETS_DEL ? "cannot delete %s" : "cannot assign to %s",
                       ty_expression_name(wrong));
}

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

static void raise_unclosed(TyParser *p)
{
    TyTokenizer *t = &p->tokenizer;
    int i = t->level - 1;
    char message[32];
    snprintf(message, sizeof message, "'%c' was never closed", t->brackets[i]);
    ty_error_place(p, TY_SYNTAX_ERROR, t->bracket_linenos[i], t->bracket_columns[i] + 1, t->bracket_linenos[i], 0,
                   message);
}

/* Words what the tokenizer could not read. Its token is the last in the array. */
static void raise_tokenizer_failure(TyParser *p)
{
    TyTokenizer *t = &p->tokenizer;
    switch (t->failure) {
    case TY_TOKENIZE_OK: case TY_TOKENIZE_RAISED:
        p->raised = true;
        break;
    case TY_TOKENIZE_EOF:
        if (t->level)
            raise_unclosed(p);
        else
            ty_error_last(p, TY_SYNTAX_ERROR, false, "unexpected EOF while parsing");
        break;
    case TY_TOKENIZE_DEDENT:
        ty_error_last(p, TY_INDENTATION_ERROR, false, "unindent does not match any outer indentation level");
        break;
    case TY_TOKENIZE_TABS:
        ty_error_place(p, TY_TAB_ERROR, t->lineno, 1, t->lineno, 0,
                       "inconsistent use of tabs and spaces in indentation");
        break;
    case TY_TOKENIZE_TOO_DEEP:
        ty_error_place(p, TY_INDENTATION_ERROR, t->lineno, 1, t->lineno, 0, "too many levels of indentation");
        break;
    case TY_TOKENIZE_CONTINUATION:
        ty_error_place(p, TY_SYNTAX_ERROR, t->lineno, (int)(t->cursor - t->text_start), t->lineno, 0,
                       "unexpected character after line continuation character");
        break;
    }
    p->error = true;
}

static bool note_type_ignore(TyParser *p, const TyToken *token)
{
    TyAstTypeIgnore *node = (TyAstTypeIgnore *)ty_ast_new_node(p->ast, TY_AST_TypeIgnore, NULL);
    if (!node)
        return p->error = true, false;
    node->lineno = token->lineno;
    node->tag = ty_parser_keep(p, ty_syntax_string(token_text(p, token), token->end - token->start));
    if (p->type_ignore_count == p->type_ignore_capacity) {
        int capacity = p->type_ignore_capacity ? p->type_ignore_capacity * 2 : 8;
        TyNode **grown = realloc(p->type_ignores, capacity * sizeof *grown);
        if (!grown)
            return ty_parser_no_memory(p);
        p->type_ignores = grown;
        p->type_ignore_capacity = capacity;
    }
    p->type_ignores[p->type_ignore_count++] = (TyNode *)node;
    return !p->error;
}

bool ty_parser_fill(TyParser *p)
{
    if (p->error)
        return false;
    if (p->fill == p->capacity) {
        int capacity = p->capacity ? p->capacity * 2 : 512;
        TyToken *grown = realloc(p->tokens, (size_t)capacity * sizeof *grown);
        if (!grown)
            return ty_parser_no_memory(p);
        p->tokens = grown;
        p->capacity = capacity;
    }
    TyToken *token = &p->tokens[p->fill];
    bool good;
    while ((good = ty_tokenizer_next(&p->tokenizer, token)) && token->kind == TY_TOKEN_TYPE_IGNORE)
        if (!note_type_ignore(p, token))
            return false;
    p->fill++;
    if (!good) {
        raise_tokenizer_failure(p);
        return false;
    }
    if (token->kind != TY_TOKEN_ENDMARKER) {
        p->parsing_started = true;
    } else if (p->interactive && p->parsing_started) {
        /* Interactive input ends its last statement without a newline; the blocks end after it. */
        p->parsing_started = false;
        token->kind = TY_TOKEN_NEWLINE;
        TyTokenizer *t = &p->tokenizer;
        if (t->indent && !(p->flags & TY_PARSE_DONT_IMPLY_DEDENT)) {
            t->pending = -t->indent;
            t->indent = 0;
        }
    }
    return true;
}

/* ---- the whole source --------------------------------------------------------------------------------------------------- */

/* Reads the rest of the tokens: an error there says more than "invalid syntax". */
static bool error_in_rest(TyParser *p)
{
    TyTokenizer *t = &p->tokenizer;
    int error_lineno = p->tokens[p->fill - 1].lineno;
    t->silent_warnings = true;
    TyToken token;
    while (ty_tokenizer_next(t, &token))
        if (token.kind == TY_TOKEN_ENDMARKER)
            return false;
    if (t->failure != TY_TOKENIZE_RAISED) {
        if (!t->level || error_lineno <= t->bracket_linenos[t->level - 1])
            return false;
        raise_unclosed(p);
    }
    if (t->mode == 0)
        return true;
    /* Inside an f-string, what is wrong in the expression matters more than how the string ends. */
    ty_syntax_clear_exception();
    return false;
}

/* The exception set gives way to one of the tokenizer further on. */
static void prefer_error_in_rest(TyParser *p)
{
    Value first = ty_syntax_take_exception();
    p->error = p->raised = false;
    if (!error_in_rest(p))
        ty_syntax_set_exception(first);
    p->error = p->raised = true;
}

/* After the second reading. last: the last token of the first. */
static void raise_generic(TyParser *p, int last)
{
    const TyToken token = p->tokens[last];
    TySyntaxErrorKind kind = TY_SYNTAX_ERROR;
    if (p->error) {
        /* An error of the parser gives way to one of the tokenizer further on. */
        if (p->raised && p->tokenizer.failure == TY_TOKENIZE_OK)
            prefer_error_in_rest(p);
        return;
    }
    if (token.kind == TY_TOKEN_INDENT || token.kind == TY_TOKEN_DEDENT) {
        kind = TY_INDENTATION_ERROR;
        ty_error_last(p, kind, false, token.kind == TY_TOKEN_INDENT ? "unexpected indent" : "unexpected unindent");
        return;
    }
    ty_error_place(p, kind, token.lineno, token.col_offset + 1, token.end_lineno, token.end_col_offset + 1,
                   "invalid syntax");
    prefer_error_in_rest(p);
}

static TyNode *file(TyParser *p)
{
    int height = p->stack_height;
    while (peek(p) != TY_TOKEN_ENDMARKER) {
        p->previous_statement = p->statement_start;
        p->statement_start = p->mark;
        if (!ty_parse_statement(p))
            return NULL;
    }
    if (p->error)
        return NULL;
    p->mark++;
    TyAstModule *module = NODE(p, Module, 0);
    if (module) {
        module->body = ty_parser_pop_list(p, height);
        for (int i = 0; i < p->type_ignore_count; i++)
            if (!ty_parser_push(p, p->type_ignores[i]))
                return NULL;
        module->type_ignores = ty_parser_pop_list(p, height);
    }
    return (TyNode *)module;
}

static TyNode *expression_only(TyParser *p)
{
    TyNode *value = ty_parse_expressions(p);
    while (value && accept(p, TY_TOKEN_NEWLINE))
        ;
    if (!value || !accept(p, TY_TOKEN_ENDMARKER))
        return NULL;
    TyAstExpression *node = NODE(p, Expression, 0);
    if (node)
        node->body = value;
    return (TyNode *)node;
}

/* Whether anything but space and comments is left. */
static bool more_statements(const TyParser *p)
{
    const char *rest = p->tokenizer.cursor;
    for (;;) {
        rest += strspn(rest, " \t\n\f");
        if (*rest != '#')
            return *rest != 0;
        rest += strcspn(rest, "\n");
    }
}

static TyNode *interactive_statement(TyParser *p)
{
    int height = p->stack_height;
    if (accept(p, TY_TOKEN_NEWLINE)) {
        TyNode *pass = (TyNode *)NODE(p, Pass, p->mark - 1);
        if (!pass || !ty_parser_push(p, pass))
            return NULL;
    } else if (peek(p) == TY_TOKEN_ENDMARKER || !ty_parse_interactive_statement(p)) {
        return NULL;
    }
    if (more_statements(p))
        return ty_error_last(p, TY_SYNTAX_ERROR, false,
                             "multiple statements found while compiling a single statement");
    TyAstInteractive *node = NODE(p, Interactive, 0);
    if (node)
        node->body = ty_parser_pop_list(p, height);
    return (TyNode *)node;
}

/* (int, *str, **Any) -> float */
static TyNode *function_type(TyParser *p)
{
    int height = p->stack_height;
    if (!accept(p, TY_TOKEN_LPAR))
        return NULL;
    if (peek(p) != TY_TOKEN_RPAR) {
        bool star = false, stars;
        do {
            /* Plain ones, then one with a star, then one with two. */
            TyTokenKind kind = peek(p);
            stars = kind == TY_TOKEN_DOUBLESTAR;
            if (star && !stars)
                return NULL;
            star |= kind == TY_TOKEN_STAR;
            p->mark += kind == TY_TOKEN_STAR || stars;
            TyNode *type = ty_parse_expression(p);
            if (!type || !ty_parser_push(p, type))
                return NULL;
        } while (!stars && accept(p, TY_TOKEN_COMMA));
    }
    if (!accept(p, TY_TOKEN_RPAR) || !accept(p, TY_TOKEN_RARROW))
        return NULL;
    TyNodeList arguments = ty_parser_pop_list(p, height);
    TyNode *returns = ty_parse_expression(p);
    while (returns && accept(p, TY_TOKEN_NEWLINE))
        ;
    if (!returns || !accept(p, TY_TOKEN_ENDMARKER))
        return NULL;
    TyAstFunctionType *node = NODE(p, FunctionType, 0);
    if (node) {
        node->argtypes = arguments;
        node->returns = returns;
    }
    return (TyNode *)node;
}

static TyNode *whole(TyParser *p, TyParseMode mode)
{
    switch (mode) {
    case TY_PARSE_FILE: return file(p);
    case TY_PARSE_EXPRESSION: return expression_only(p);
    case TY_PARSE_INTERACTIVE: return interactive_statement(p);
    case TY_PARSE_FUNCTION_TYPE: return function_type(p);
    }
    return NULL;
}

/* Whether the input ended where the error is, so that more of it might be right. */
static bool is_incomplete(const TyParser *p)
{
    const TyTokenizer *t = &p->tokenizer;
    return t->at_end || (t->failure == TY_TOKENIZE_OK && t->cursor == t->end && t->end > t->buffer && t->end[-1] != '\n');
}

static TyNode *read_twice(TyParser *p, TyParseMode mode)
{
    TyNode *root = whole(p, mode);
    if (root)
        return root;
    if ((p->flags & TY_PARSE_ALLOW_INCOMPLETE_INPUT) && is_incomplete(p) && p->fill) {
        ty_syntax_clear_exception();
        p->error = p->raised = false;
        ty_error_last(p, TY_INCOMPLETE_INPUT_ERROR, false, "incomplete input");
        return NULL;
    }
    if (p->error) {
        if (p->raised && p->tokenizer.failure == TY_TOKENIZE_OK)
            raise_generic(p, p->fill - 1);
        return NULL;
    }
    int last = p->fill - 1;
    p->diagnosing = p->remember = true;
    free(p->memo);
    p->memo = NULL;
    p->memo_count = p->memo_capacity = 0;
    p->mark = mode == TY_PARSE_FILE ? p->previous_statement : 0;
    p->stack_height = 0;
    p->depth = 0;
    p->tokenizer.silent_warnings = true;
    if (mode == TY_PARSE_FILE) {
        while (peek(p) != TY_TOKEN_ENDMARKER && ty_parse_statement(p))
            ;
    } else {
        whole(p, mode);
    }
    raise_generic(p, last);
    return NULL;
}

/* How much of the C stack the parser may take. */
enum { STACK_BYTES = 3 << 20 };

TyAst *ty_parse(const char *source, size_t size, const TyParseOptions *options)
{
    TyParser parser = {
        .flags = options->flags,
        .feature_version = options->feature_version > 0 ? options->feature_version : TY_PARSE_MINOR_VERSION,
        .filename = options->filename,
        .interactive = options->mode == TY_PARSE_INTERACTIVE,
    };
    TyParser *p = &parser;
    TyAst *ast = ty_ast_new();
    if (!ast)
        return NULL;
    p->ast = ast;
    p->arena = &ast->arena;
    uintptr_t limit = (uintptr_t)ty_syntax_stack_limit();
    p->stack_limit = (uintptr_t)__builtin_frame_address(0) - STACK_BYTES;
    if (p->stack_limit < limit)
        p->stack_limit = limit;
    size_t text_size;
    const char *text = ty_source_decode(&ast->arena, source, size, options, &text_size);
    bool ready = text && ty_tokenizer_init(&p->tokenizer, text, text_size, options->filename);
    if (ready) {
        p->tokenizer.warn = options->warn ? options->warn : ty_syntax_warn;
        p->tokenizer.warn_context = options->warn_context;
        p->tokenizer.type_comments = options->flags & TY_PARSE_TYPE_COMMENTS;
        ast->root = read_twice(p, options->mode);
        if (!ast->root)
            ty_syntax_note_source(p->last_lineno, p->last_col_offset, text, text_size);
    }
    ty_tokenizer_free(&p->tokenizer);
    free(p->tokens);
    free(p->stack);
    free(p->names);
    free(p->memo);
    free(p->type_ignores);
    if (ast->root)
        return ast;
    ty_ast_free(ast);
    return NULL;
}
