#ifndef TYPHON_SYNTAX_TOKENIZER_H
#define TYPHON_SYNTAX_TOKENIZER_H

/*
 * From UTF-8 text to tokens, one at a call.
 *
 * The text lies in one buffer that ends with a zero byte and holds no other; lines end with "\n" alone. It is either
 * there from the start or comes line by line from a callback. Since the buffer may move when a line is added, tokens name
 * their text by offsets.
 *
 * After an error (a TY_TOKEN_ERRORTOKEN) `failure` tells what happened. TY_TOKENIZE_RAISED: the exception is set. The
 * others are left to the parser, which words and places them, as some depend on what it was doing.
 *
 * Positions: lines from 1; columns in bytes from 0, -1 for tokens without text (INDENT, DEDENT, ENDMARKER) unless
 * extra_tokens is on, which also adds COMMENT and NL tokens: that is how the module `tokenize` wants them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syntax/constant.h"

typedef enum TyTokenKind {
#define TY_TOKEN(name) TY_TOKEN_##name,
#include "syntax/token_table.h"
    TY_TOKEN_COUNT,
    TY_TOKEN_FIRST_KEYWORD = 100,
    TY_TOKEN_BEFORE_KEYWORDS = TY_TOKEN_FIRST_KEYWORD - 1,
#define TY_KEYWORD(name, text) TY_KEYWORD_##name,
#include "syntax/token_table.h"
} TyTokenKind;

/* Names as in `token.tok_name`. */
extern const char *const ty_token_names[TY_TOKEN_COUNT];

/* The keyword spelled so, or TY_TOKEN_NAME. */
TyTokenKind ty_keyword_lookup(const char *text, size_t size);

typedef struct TyToken {
    uint8_t kind;                   /* TyTokenKind; a keyword has its own */
    bool raw;                       /* of FSTRING_START and TSTRING_START: no escapes */
    bool doubled;                   /* of FSTRING_MIDDLE and TSTRING_MIDDLE: ends with the first of two braces */
    uint16_t level;                 /* open brackets after it */
    uint32_t start, end;            /* offsets into the buffer */
    int32_t lineno, col_offset;
    int32_t end_lineno, end_col_offset;
} TyToken;

typedef enum TyTokenizeFailure {
    TY_TOKENIZE_OK,
    TY_TOKENIZE_RAISED,
    TY_TOKENIZE_EOF,                /* the text ended inside brackets or after a backslash */
    TY_TOKENIZE_DEDENT,
    TY_TOKENIZE_TABS,
    TY_TOKENIZE_TOO_DEEP,
    TY_TOKENIZE_CONTINUATION,       /* something stands after a backslash */
} TyTokenizeFailure;

enum {
    TY_TOKENIZE_MAX_INDENT = 100,
    TY_TOKENIZE_MAX_LEVEL = 200,
    TY_TOKENIZE_MAX_STRINGS = 150,      /* f-strings inside each other */
    TY_TOKENIZE_MAX_REPLACEMENTS = 3,   /* replacement fields inside each other's format specifications */
};

/* Where the tokenizer is in an f- or t-string; entry 0 stands for ordinary text. */
typedef struct TyStringMode {
    bool in_text;                   /* reads literal text, not an expression */
    bool raw;
    bool in_format;
    bool in_debug;                  /* after the = of {x=} */
    char letter;                    /* 'f' or 't' */
    char quote;
    uint8_t quote_size;
    int brackets;                   /* open since the string began */
    int field_start;                /* value of brackets where the innermost replacement field began; -1: none */
    uint32_t start;                 /* of the string */
    uint32_t line_start;            /* of its first line */
    int lineno;                     /* its first line */
} TyStringMode;

typedef struct TyTokenizer {
    const char *buffer;
    const char *cursor;
    const char *end;                /* at the zero byte */
    const char *line_start;
    const char *text_start;         /* of the line, or of the first line of a token that ends in it */
    const char *token_start;        /* NULL between tokens */
    const char *first_line_start;   /* of the first line of a token with several */
    int lineno;
    int first_lineno;
    int level;
    int indent;                     /* entries in the stacks below, beside the first */
    int pending;                    /* INDENT (> 0) or DEDENT (< 0) tokens to come */
    bool at_line_start;
    bool line_ended;                /* the last character taken was a line's end; the next line is not yet begun */
    bool extra_tokens;
    bool type_comments;
    bool interactive;               /* a person types: an empty line ends a block */
    bool implicit_newline;          /* the line lacked its "\n"; of lines that are read */
    bool crlf;                      /* the line ended with "\r\n"; of lines that are read */
    bool blank_line;
    bool at_end;                    /* the end of the text was met */
    TyTokenizeFailure failure;
    int indents[TY_TOKENIZE_MAX_INDENT];
    int alternate_indents[TY_TOKENIZE_MAX_INDENT];      /* with tabs of one column */
    char brackets[TY_TOKENIZE_MAX_LEVEL];
    int bracket_linenos[TY_TOKENIZE_MAX_LEVEL];
    int bracket_columns[TY_TOKENIZE_MAX_LEVEL];
    int mode;                       /* index of the current entry of modes */
    TyStringMode *modes;
    int mode_capacity;

    Value filename;
    bool silent_warnings;
    TyWarn *warn;
    void *warn_context;

    /*
     * Gives the next line (any line end, or none at the end of the text) as UTF-8; size 0: no more. False with an
     * exception set. NULL when the buffer holds everything.
     */
    bool (*read_line)(void *context, const char **line, size_t *size);
    void *read_context;
    char *owned;                    /* the buffer when lines are read */
    size_t owned_capacity;
} TyTokenizer;

/* Over text in memory (zero byte at text[size]), which must outlive the tokenizer. False with MemoryError set. */
bool ty_tokenizer_init(TyTokenizer *tokenizer, const char *text, size_t size, Value filename);

/* Over lines that a callback gives. */
bool ty_tokenizer_init_reader(TyTokenizer *tokenizer,
                              bool (*read_line)(void *context, const char **line, size_t *size), void *context,
                              Value filename);

void ty_tokenizer_free(TyTokenizer *tokenizer);

/* The next token; false after an error, the token being an ERRORTOKEN then. */
bool ty_tokenizer_next(TyTokenizer *tokenizer, TyToken *token);

/*
 * Raises a SyntaxError in the tokenizer's current line. Columns are bytes from 1; -1: at the cursor, and an end
 * like the start.
 */
void ty_tokenizer_raise(TyTokenizer *tokenizer, int column, int end_column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A warning: 1 to go on, 0 when it shall be a SyntaxError, which the caller raises, -1 with an exception set.
 */
int ty_tokenizer_warn(TyTokenizer *tokenizer, const char *message, int lineno);

#define TY_INVALID_ESCAPE_ERROR \
    "\"\\%c\" is an invalid escape sequence. Did you mean \"\\\\%c\"? A raw string is also an option."
#define TY_INVALID_ESCAPE_WARNING \
    "\"\\%c\" is an invalid escape sequence. Such sequences will not work in the future. " \
    "Did you mean \"\\\\%c\"? A raw string is also an option."

/* Characters in size bytes of UTF-8, malformed bytes counting one each. */
int ty_syntax_characters(const char *text, size_t size);

#endif
