#ifndef TYPHON_SYNTAX_TOKEN_VIEW_H
#define TYPHON_SYNTAX_TOKEN_VIEW_H

/*
 * Tokens as the module `tokenize` shows them: with their text, the line they are on, and columns in characters.
 */

#include "syntax/tokenizer.h"

typedef struct TyTokenView {
    int kind;                       /* a TyTokenKind that `token` knows: keywords are NAME, operators OP */
    const char *text;
    size_t size;
    const char *line;               /* the physical line; of a string, all its lines */
    size_t line_size;
    int lineno, column, end_lineno, end_column;
    bool crlf;                      /* "\n" in the line was "\r\n" */
} TyTokenView;

/* Of the token that the tokenizer gave last. The texts live until the next one. */
void ty_token_view(const TyTokenizer *tokenizer, const TyToken *token, TyTokenView *view);

/* Raises what `tokenize` raises after a failure of the tokenizer. */
void ty_token_view_raise(TyTokenizer *tokenizer);

#endif
