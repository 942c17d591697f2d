/* Literals: numbers, strings, bytes, f-strings and t-strings. */

#include "syntax/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"

/* ---- numbers ---------------------------------------------------------------------------------------- */

static Value number_value(TyParser *p, const char *text, size_t size)
{
    char *digits = ty_arena_allocate(p->arena, size + 1);
    if (!digits) {
        ty_parser_no_memory(p);
        return 0;
    }
    size_t count = 0;
    bool real = false;
    bool based = text[0] == '0' && size > 2 && (text[1] | 0x20) >= 'a' && (text[1] | 0x20) != 'e' &&
                 (text[1] | 0x20) != 'j';
    for (size_t i = based ? 2 : 0; i < size; i++)
        if (text[i] != '_') {
            digits[count++] = text[i];
            real |= text[i] == '.' || (text[i] | 0x20) == 'e' || (text[i] | 0x20) == 'j';
        }
    digits[count] = 0;
    if (based) {
        char letter = text[1] | 0x20;
        return ty_syntax_int(digits, count, letter == 'x' ? 16 : letter == 'o' ? 8 : 2);
    }
    if (!real)
        return ty_syntax_int(digits, count, 10);
    if ((digits[count - 1] | 0x20) == 'j')
        return ty_syntax_imaginary(digits, count - 1);
    return ty_syntax_float(digits, count);
}

TyNode *ty_parse_number(TyParser *p)
{
    int start = p->mark;
    const TyToken *token = take(p, TY_TOKEN_NUMBER);
    if (!token)
        return NULL;
    const char *text = token_text(p, token);
    size_t size = token->end - token->start;
    if (p->feature_version < 6 && memchr(text, '_', size))
        return ty_error_last(p, TY_SYNTAX_ERROR, false,
                             "Underscores in numeric literals are only supported in Python 3.6 and greater");
    Value value = number_value(p, text, size);
    if (!value) {
        return ty_error_number(p, start);
    }
    TyAstConstant *node = ty_parser_keep(p, value) ? NODE(p, Constant, start) : NULL;
    if (node)
        node->value = value;
    return (TyNode *)node;
}

/* ---- escapes ------------------------------------------------------------------------------------------ */

typedef struct Escapes {
    TyParser *p;
    bool is_bytes;
    bool in_template;
    bool warned;
    const char *text;               /* where the token's text begins */
    const char *body;               /* and what is between its quotes */
} Escapes;

/* A backslash at `at` that begins no escape sequence, or an octal one that is too big. False: an exception is set. */
static bool warn_escape(Escapes *e, const char *at, int octal_size)
{
    TyParser *p = e->p;
    if (e->warned || p->diagnosing)
        return true;
    if (e->in_template && (at[1] == '{' || at[1] == '}'))
        return true;
    e->warned = true;
    uint32_t offset = (uint32_t)(at - p->tokenizer.buffer);
    if (offset < p->warned_until)
        return true;
    p->warned_until = offset + 1;

    const TyToken token = p->tokens[p->fill - 1];
    int lineno = token.lineno;
    const char *line = NULL;
    for (const char *q = e->text; q < at; q++)
        if (*q == '\n') {
            lineno++;
            line = q + 1;
        }
    char message[240];
    if (octal_size)
        snprintf(message, sizeof message,
                 "\"\\%.3s\" is an invalid octal escape sequence. Such sequences will not work in the future. "
                 "Did you mean \"\\\\%.3s\"? A raw string is also an option.", at + 1, at + 1);
    else
        snprintf(message, sizeof message, TY_INVALID_ESCAPE_WARNING, at[1], at[1]);
    int outcome = ty_tokenizer_warn(&p->tokenizer, message, lineno);
    if (outcome > 0)
        return true;
    p->error = true;
    if (outcome < 0)
        return false;
    if (octal_size)
        snprintf(message, sizeof message,
                 "\"\\%.3s\" is an invalid octal escape sequence. "
                 "Did you mean \"\\\\%.3s\"? A raw string is also an option.", at + 1, at + 1);
    else
        snprintf(message, sizeof message, TY_INVALID_ESCAPE_ERROR, at[1], at[1]);
    /* As far from the token's column as it is from the quotes, and as those are long, if the token begins with them. */
    const char *first = token_text(p, &token);
    int quotes = *first != '\'' && *first != '"' ? 0 : token.end - token.start >= 3 && first[1] == *first && first[2] == *first ? 3 : 1;
    int column = line ? (int)(at - line) : token.col_offset + quotes + (int)(at - e->body);
    ty_error_place(p, TY_SYNTAX_ERROR, lineno, column + 1, lineno, column + 3, message);
    return false;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The codec's position of a place: it sees every character beyond ASCII as an escape of ten bytes. */
static int codec_position(const char *start, const char *at)
{
    int position = 0;
    for (const char *q = start; q < at; q++) {
        if ((uint8_t)*q < 128)
            position++;
        else if (((uint8_t)*q & 0xC0) != 0x80)
            position += 10 + (q > start && q[-1] == '\\' ? 5 : 0);
    }
    return position;
}

static bool fail_unicode(Escapes *e, const char *start, const char *from, const char *to, const char *reason)
{
    int first = codec_position(start, from), last = codec_position(start, to) - 1;
    if (last <= first)
        ty_error_last(e->p, TY_SYNTAX_ERROR, false,
                      "(unicode error) 'unicodeescape' codec can't decode byte 0x5c in position %d: %s", first, reason);
    else
        ty_error_last(e->p, TY_SYNTAX_ERROR, false,
                      "(unicode error) 'unicodeescape' codec can't decode bytes in position %d-%d: %s", first, last,
                      reason);
    return false;
}

/* \x, \u and \U of a str: digits at s. */
static bool hex_escape(Escapes *e, const char *start, const char *at, const char **s, const char *end, int digits,
                       char **out)
{
    uint32_t c = 0;
    int count = 0;
    while (count < digits && *s < end && hex_value(**s) >= 0) {
        c = c << 4 | hex_value(*(*s)++);
        count++;
    }
    if (count < digits)
        return fail_unicode(e, start, at, *s,
                            digits == 2 ? "truncated \\xXX escape" : digits == 4 ? "truncated \\uXXXX escape"
                                                                                 : "truncated \\UXXXXXXXX escape");
    if (c > 0x10FFFF)
        return fail_unicode(e, start, at, *s, "illegal Unicode character");
    *out += ty_utf8_put(c, (uint8_t *)*out);
    return true;
}

static bool name_escape(Escapes *e, const char *start, const char *at, const char **s, const char *end, char **out)
{
    if (*s < end && **s == '{') {
        const char *name = ++*s;
        while (*s < end && **s != '}')
            ++*s;
        size_t size = *s - name;
        if (*s < end && size) {
            ++*s;
            int32_t c = ty_unicode_lookup(name, size);
            if (c < 0)
                return fail_unicode(e, start, at, *s, "unknown Unicode character name");
            *out += ty_utf8_put((uint32_t)c, (uint8_t *)*out);
            return true;
        }
    }
    return fail_unicode(e, start, at, *s, "malformed \\N character escape");
}

/*
 * Text with its escapes replaced, into memory of the arena (never longer than the source: the longest growth is none, as a
 * name escape is at least five bytes). NULL: an exception is set.
 */
static char *decode_escapes(Escapes *e, const char *start, size_t size, size_t *result_size)
{
    const char *s = start, *end = start + size;
    e->body = start;
    char *result = ty_arena_allocate(e->p->arena, size + 1);
    if (!result) {
        ty_parser_no_memory(e->p);
        return NULL;
    }
    char *out = result;
    while (s < end) {
        const char *backslash = memchr(s, '\\', end - s);
        size_t plain = (backslash ? backslash : end) - s;
        memcpy(out, s, plain);
        out += plain;
        s += plain;
        if (!backslash)
            break;
        s++;
        if (s == end || (uint8_t)*s >= 128) {
            *out++ = '\\';
            continue;
        }
        char c = *s++;
        switch (c) {
        case '\n': break;
        case '\\': case '\'': case '"': *out++ = c; break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 't': *out++ = '\t'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 'v': *out++ = '\v'; break;
        case 'a': *out++ = '\a'; break;
        case '0' ... '7': {
            unsigned value = c - '0';
            int count = 1;
            while (count < 3 && s < end && *s >= '0' && *s <= '7') {
                value = value * 8 + (*s++ - '0');
                count++;
            }
            if (value > 0377 && !warn_escape(e, backslash, count))
                return NULL;
            if (e->is_bytes)
                *out++ = (char)value;
            else
                out += ty_utf8_put(value, (uint8_t *)out);
            break;
        }
        case 'x':
            if (e->is_bytes) {
                if (end - s < 2 || hex_value(s[0]) < 0 || hex_value(s[1]) < 0) {
                    ty_error_last(e->p, TY_SYNTAX_ERROR, false, "(value error) invalid \\x escape at position %d",
                                  (int)(backslash - start));
                    return NULL;
                }
                *out++ = (char)(hex_value(s[0]) << 4 | hex_value(s[1]));
                s += 2;
            } else if (!hex_escape(e, start, backslash, &s, end, 2, &out)) {
                return NULL;
            }
            break;
        case 'u': case 'U':
            if (!e->is_bytes) {
                if (!hex_escape(e, start, backslash, &s, end, c == 'u' ? 4 : 8, &out))
                    return NULL;
                break;
            }
            goto unknown;
        case 'N':
            if (!e->is_bytes) {
                if (!name_escape(e, start, backslash, &s, end, &out))
                    return NULL;
                break;
            }
            /* fall through */
        unknown:
        default:
            if (!warn_escape(e, backslash, 0))
                return NULL;
            *out++ = '\\';
            *out++ = c;
        }
    }
    *out = 0;
    *result_size = out - result;
    return result;
}

/* ---- pieces: what adjacent literals are made of ------------------------------------------------------------ */

typedef struct Piece {
    TyNode *node;                   /* a replacement field; NULL: text */
    const char *text;
    size_t size;
    bool u;                         /* the literal had the prefix u */
    bool escaped;                   /* escapes in the text are still to be replaced */
    int lineno, col_offset, end_lineno, end_col_offset;
} Piece;

typedef struct Pieces {
    Piece *items;
    int count, capacity;
} Pieces;

static Piece *add_piece(TyParser *p, Pieces *pieces)
{
    if (pieces->count == pieces->capacity) {
        int capacity = pieces->capacity ? pieces->capacity * 2 : 8;
        Piece *grown = ty_arena_allocate(p->arena, capacity * sizeof *grown);
        if (!grown) {
            ty_parser_no_memory(p);
            return NULL;
        }
        if (pieces->count)
            memcpy(grown, pieces->items, pieces->count * sizeof *grown);
        pieces->items = grown;
        pieces->capacity = capacity;
    }
    Piece *piece = &pieces->items[pieces->count++];
    memset(piece, 0, sizeof *piece);
    return piece;
}

static bool add_text(TyParser *p, Pieces *pieces, const char *text, size_t size, int first, int last, bool u)
{
    Piece *piece = add_piece(p, pieces);
    if (!piece)
        return false;
    piece->text = text;
    piece->size = size;
    piece->u = u;
    piece->lineno = p->tokens[first].lineno;
    piece->col_offset = p->tokens[first].col_offset;
    piece->end_lineno = p->tokens[last].end_lineno;
    piece->end_col_offset = p->tokens[last].end_col_offset + p->tokens[last].doubled;
    return true;
}

static TyNode *text_constant(TyParser *p, const Piece *first, const Piece *last, Value value)
{
    TyAstConstant *node = ty_parser_keep(p, value)
                              ? (TyAstConstant *)ty_ast_new_node(p->ast, TY_AST_Constant, NULL)
                              : NULL;
    if (!node) {
        p->error = true;
        return NULL;
    }
    node->value = value;
    node->node.lineno = first->lineno;
    node->node.col_offset = first->col_offset;
    node->node.end_lineno = last->end_lineno;
    node->node.end_col_offset = last->end_col_offset;
    if (first->u) {
        node->kind = ty_syntax_identifier("u", 1);
        if (!ty_parser_keep(p, node->kind))
            return NULL;
    }
    return (TyNode *)node;
}

/* Joined text of the pieces first to last. */
static Value joined_text(TyParser *p, const Piece *first, const Piece *last, bool is_bytes)
{
    const char *text = first->text;
    size_t size = first->size;
    if (first != last) {
        size = 0;
        for (const Piece *piece = first; piece <= last; piece++)
            size += piece->size;
        char *joined = ty_arena_allocate(p->arena, size + 1);
        if (!joined) {
            ty_parser_no_memory(p);
            return 0;
        }
        text = joined;
        for (const Piece *piece = first; piece <= last; piece++) {
            memcpy(joined, piece->text, piece->size);
            joined += piece->size;
        }
    }
    return is_bytes ? ty_syntax_bytes(text, size) : ty_syntax_string(text, size);
}

/* The nodes of the pieces, neighbouring text made one constant and empty text left out. */
static bool piece_nodes(TyParser *p, const Pieces *pieces, TyNodeList *list)
{
    int height = p->stack_height;
    for (int i = 0; i < pieces->count;) {
        TyNode *node = pieces->items[i].node;
        if (node) {
            i++;
        } else {
            int last = i;
            size_t size = pieces->items[i].size;
            while (last + 1 < pieces->count && !pieces->items[last + 1].node)
                size += pieces->items[++last].size;
            const Piece *first = &pieces->items[i];
            i = last + 1;
            if (!size)
                continue;
            node = text_constant(p, first, &pieces->items[last],
                                 joined_text(p, first, &pieces->items[last], false));
            if (!node)
                return false;
        }
        if (!ty_parser_push(p, node))
            return false;
    }
    *list = ty_parser_pop_list(p, height);
    return !p->error;
}

/* ---- plain literals ------------------------------------------------------------------------------------------ */

/* One STRING token, taken. False: an exception is set. */
static bool string_literal(TyParser *p, Pieces *pieces, bool *is_bytes)
{
    int mark = p->mark++;
    const TyToken *token = &p->tokens[mark];
    const char *text = token_text(p, token), *end = p->tokenizer.buffer + token->end;
    const char *token_begin = text;
    bool raw = false, u = false;
    *is_bytes = false;
    for (; *text != '\'' && *text != '"'; text++) {
        switch (*text | 0x20) {
        case 'r': raw = true; break;
        case 'b': *is_bytes = true; break;
        case 'u': u = *text == 'u'; break;
        }
    }
    int quotes = end - text >= 6 && text[1] == text[0] && text[2] == text[0] ? 3 : 1;
    text += quotes;
    end -= quotes;
    size_t size = end - text;
    if (*is_bytes && !ty_is_ascii((const uint8_t *)text, size)) {
        ty_error_tokens(p, mark, mark, "bytes can only contain ASCII literal characters");
        return false;
    }
    if (!raw && memchr(text, '\\', size)) {
        Escapes escapes = {.p = p, .is_bytes = *is_bytes, .text = token_begin};
        text = decode_escapes(&escapes, text, size, &size);
        if (!text)
            return false;
    }
    return add_text(p, pieces, text, size, mark, mark, u);
}

/* ---- f-strings and t-strings ------------------------------------------------------------------------------------ */

/*
 * The source between the end of the token at first and the start of the one at last, without comments.
 */
static bool source_between(TyParser *p, int first, int last, const char **text, size_t *size)
{
    const char *buffer = p->tokenizer.buffer;
    const char *start = buffer + p->tokens[first].end, *end = buffer + p->tokens[last].start;
    *text = start;
    *size = end - start;
    if (!memchr(start, '#', end - start))
        return true;
    char *out = ty_arena_allocate(p->arena, end - start + 1);
    if (!out)
        return ty_parser_no_memory(p);
    *text = out;
    for (int i = first; i < last; i++) {
        const char *gap = buffer + p->tokens[i].end, *gap_end = buffer + p->tokens[i + 1].start;
        while (gap < gap_end) {
            if (*gap == '#')
                while (gap < gap_end && *gap != '\n')
                    gap++;
            else
                *out++ = *gap++;
        }
        if (i + 1 < last) {
            size_t token_size = p->tokens[i + 1].end - p->tokens[i + 1].start;
            memcpy(out, buffer + p->tokens[i + 1].start, token_size);
            out += token_size;
        }
    }
    *size = out - *text;
    return true;
}

static bool template_pieces(TyParser *p, Pieces *pieces, char letter, bool in_format, bool raw);

static bool unescape(TyParser *p, Piece *piece)
{
    Escapes escapes = {.p = p, .in_template = true, .text = piece->text};
    piece->text = decode_escapes(&escapes, piece->text, piece->size, &piece->size);
    piece->escaped = false;
    return piece->text;
}

/* The literal text between replacement fields. */
static bool middle_text(TyParser *p, Pieces *pieces, bool in_format, bool raw)
{
    int mark = p->mark++;
    const TyToken *token = &p->tokens[mark];
    const char *text = token_text(p, token);
    size_t size = token->end - token->start;
    if (!add_text(p, pieces, text, size, mark, mark, false))
        return false;
    Piece *piece = &pieces->items[pieces->count - 1];
    piece->escaped = !raw && memchr(text, '\\', size);
    return !piece->escaped || !in_format || unescape(p, piece);
}

/* What is wrong with the replacement field at mark start. */
static void diagnose_field(TyParser *p, int start, char letter)
{
    p->mark = start + 1;
    TyTokenKind kind = peek(p);
    if (kind == TY_TOKEN_EQUAL || kind == TY_TOKEN_EXCLAMATION || kind == TY_TOKEN_COLON || kind == TY_TOKEN_RBRACE) {
        ty_error_at_token(p, p->mark, "%c-string: valid expression required before '%c'", letter,
                          *token_text(p, &p->tokens[p->mark]));
        return;
    }
    TyNode *value = ty_parse_annotated_rhs(p);
    if (p->error)
        return;
    if (!value) {
        p->mark = start + 1;
        ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting a valid expression after '{'", letter);
        return;
    }
    kind = peek(p);
    if (p->error)
        return;
    if (kind != TY_TOKEN_EQUAL && kind != TY_TOKEN_EXCLAMATION && kind != TY_TOKEN_COLON && kind != TY_TOKEN_RBRACE) {
        ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting '=', or '!', or ':', or '}'", letter);
        return;
    }
    if (accept(p, TY_TOKEN_EQUAL)) {
        kind = peek(p);
        if (p->error)
            return;
        if (kind != TY_TOKEN_EXCLAMATION && kind != TY_TOKEN_COLON && kind != TY_TOKEN_RBRACE) {
            ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting '!', or ':', or '}'", letter);
            return;
        }
    }
    if (accept(p, TY_TOKEN_EXCLAMATION)) {
        kind = peek(p);
        if (p->error)
            return;
        if (kind == TY_TOKEN_COLON || kind == TY_TOKEN_RBRACE) {
            ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: missing conversion character", letter);
            return;
        }
        if (kind != TY_TOKEN_NAME) {
            ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: invalid conversion character", letter);
            return;
        }
        p->mark++;
        kind = peek(p);
        if (p->error)
            return;
        if (kind != TY_TOKEN_COLON && kind != TY_TOKEN_RBRACE) {
            ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting ':' or '}'", letter);
            return;
        }
    }
    if (accept(p, TY_TOKEN_COLON)) {
        Pieces ignored = {0};
        template_pieces(p, &ignored, letter, true, false);
        if (!p->error && peek(p) != TY_TOKEN_RBRACE && !p->error)
            ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting '}', or format specs", letter);
        return;
    }
    if (peek(p) != TY_TOKEN_RBRACE && !p->error)
        ty_error_last(p, TY_SYNTAX_ERROR, true, "%c-string: expecting '}'", letter);
}

/* !r and the like, at the mark: the character; -1: not well-formed. */
static int conversion(TyParser *p, char letter)
{
    int exclamation = p->mark++;
    if (peek(p) != TY_TOKEN_NAME)
        return -1;
    int name = p->mark++;
    const TyToken *mark = &p->tokens[exclamation], *token = &p->tokens[name];
    if (mark->end_lineno != token->lineno || mark->end_col_offset != token->col_offset) {
        ty_error_tokens(p, exclamation, name, "%c-string: conversion type must come right after the exclamation mark",
                        letter);
        return -1;
    }
    const char *text = token_text(p, token);
    int size = (int)(token->end - token->start);
    if (size == 1 && (*text == 'r' || *text == 's' || *text == 'a'))
        return *text;
    ty_error_tokens(p, name, name, "%c-string: invalid conversion character '%.*s': expected 's', 'r', or 'a'", letter,
                    size, text);
    return -1;
}

/* A replacement field, pushed as one piece, after its text if it asks for that with "=". */
static bool replacement_field(TyParser *p, Pieces *pieces, char letter, bool in_format, bool raw)
{
    int start = p->mark++;
    TyNode *value = ty_parse_annotated_rhs(p);
    if (!value)
        goto wrong;
    int value_end = p->mark;
    int debug = peek(p) == TY_TOKEN_EQUAL ? p->mark++ : -1;
    int text_end = p->mark;
    int how = -1;
    TyNode *format = NULL;
    if (peek(p) == TY_TOKEN_EXCLAMATION) {
        how = conversion(p, letter);
        if (how < 0)
            goto wrong;
    }
    if (peek(p) == TY_TOKEN_COLON) {
        int colon = p->mark++;
        Pieces spec = {0};
        TyNodeList nodes;
        if (!template_pieces(p, &spec, letter, true, raw))
            goto wrong;
        if (!piece_nodes(p, &spec, &nodes))
            return false;
        TyAstJoinedStr *joined = NODE(p, JoinedStr, colon);
        if (!joined)
            return false;
        joined->values = nodes;
        format = (TyNode *)joined;
    }
    if (!accept(p, TY_TOKEN_RBRACE))
        goto wrong;
    if (debug >= 0) {
        const char *text;
        size_t size;
        if (!source_between(p, start, text_end, &text, &size) || !add_text(p, pieces, text, size, start, start, false))
            return false;
        Piece *piece = &pieces->items[pieces->count - 1];
        piece->col_offset++;
        piece->end_lineno = p->tokens[text_end].lineno;
        piece->end_col_offset = p->tokens[text_end].col_offset;
        if (how < 0 && !format)
            how = 'r';
    }
    TyNode *node;
    if (letter == 'f' || in_format) {
        TyAstFormattedValue *formatted = NODE(p, FormattedValue, start);
        if (!formatted)
            return false;
        formatted->value = value;
        formatted->conversion = how;
        formatted->format_spec = format;
        node = (TyNode *)formatted;
    } else {
        const char *text;
        size_t size;
        TyAstInterpolation *interpolation = NODE(p, Interpolation, start);
        if (!interpolation || !source_between(p, start, debug >= 0 ? debug : value_end, &text, &size))
            return false;
        interpolation->value = value;
        interpolation->str = ty_parser_keep(p, ty_syntax_string(text, size));
        if (!interpolation->str)
            return false;
        interpolation->conversion = how;
        interpolation->format_spec = format;
        node = (TyNode *)interpolation;
    }
    Piece *piece = add_piece(p, pieces);
    if (!piece)
        return false;
    piece->node = node;
    return true;
wrong:
    if (p->diagnosing && !p->error)
        diagnose_field(p, start, letter);
    return false;
}

/* Text and replacement fields up to something else. False: a field is wrong. */
static bool template_pieces(TyParser *p, Pieces *pieces, char letter, bool in_format, bool raw)
{
    for (;;) {
        switch (peek(p)) {
        case TY_TOKEN_FSTRING_MIDDLE: case TY_TOKEN_TSTRING_MIDDLE:
            if (!middle_text(p, pieces, in_format, raw))
                return false;
            break;
        case TY_TOKEN_LBRACE:
            if (!ty_parser_enter(p))
                return false;
            if (!replacement_field(p, pieces, letter, in_format, raw))
                return false;
            ty_parser_leave(p);
            break;
        default:
            return !p->error;
        }
    }
}

static bool template(TyParser *p, Pieces *pieces, char letter)
{
    bool raw = p->tokens[p->mark].raw;
    p->mark++;
    int first = pieces->count;
    if (!template_pieces(p, pieces, letter, false, raw) ||
        !accept(p, letter == 'f' ? TY_TOKEN_FSTRING_END : TY_TOKEN_TSTRING_END))
        return false;
    /* Errors in escapes are reported at the end of the string. */
    for (int i = first; i < pieces->count; i++)
        if (pieces->items[i].escaped && !unescape(p, &pieces->items[i]))
            return false;
    return true;
}

/* ---- adjacent literals -------------------------------------------------------------------------------------------- */

static TyNode *strings(TyParser *p)
{
    int start = p->mark;
    Pieces pieces = {0};
    bool has_text = false, has_bytes = false, has_fields = false, has_template = false;
    for (;;) {
        TyTokenKind kind = peek(p);
        if (kind == TY_TOKEN_STRING) {
            bool is_bytes;
            if (!string_literal(p, &pieces, &is_bytes)) {
                p->error = true;
                return NULL;
            }
            has_bytes |= is_bytes;
            has_text |= !is_bytes;
        } else if (kind == TY_TOKEN_FSTRING_START) {
            if (!template(p, &pieces, 'f'))
                return NULL;
            has_text = has_fields = true;
        } else if (kind == TY_TOKEN_TSTRING_START) {
            if (!template(p, &pieces, 't') || !ty_parse_check_version(p, 14, "t-strings are"))
                return NULL;
            has_template = true;
        } else {
            break;
        }
    }
    if (p->error)
        return NULL;
    if (has_template && (has_text || has_bytes))
        return p->diagnosing ? ty_error_tokens(p, start, p->mark - 1,
                                               "cannot mix t-string literals with string or bytes literals")
                             : NULL;
    if (has_bytes && has_text)
        return ty_error_last(p, TY_SYNTAX_ERROR, false, "cannot mix bytes and nonbytes literals");
    if (!has_fields && !has_template) {
        const Piece *first = &pieces.items[0], *last = &pieces.items[pieces.count - 1];
        return text_constant(p, first, last, joined_text(p, first, last, has_bytes));
    }
    TyNodeList nodes;
    if (!piece_nodes(p, &pieces, &nodes))
        return NULL;
    if (has_template) {
        TyAstTemplateStr *node = NODE(p, TemplateStr, start);
        if (node)
            node->values = nodes;
        return (TyNode *)node;
    }
    TyAstJoinedStr *node = NODE(p, JoinedStr, start);
    if (node)
        node->values = nodes;
    return (TyNode *)node;
}

TyNode *ty_parse_strings(TyParser *p)
{
    TyNode *node;
    if (!p->remember)
        return strings(p);
    if (ty_memo_find(p, TY_RULE_STRINGS, &node))
        return node;
    int start = p->mark;
    node = strings(p);
    return ty_memo_store(p, TY_RULE_STRINGS, start, node);
}
