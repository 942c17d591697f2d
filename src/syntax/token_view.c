#include "syntax/token_view.h"

#include <string.h>

static bool is_literal(TyTokenKind kind)
{
    return kind == TY_TOKEN_STRING || (kind >= TY_TOKEN_FSTRING_START && kind <= TY_TOKEN_TSTRING_END);
}

/* The text of NEWLINE and NL: the end of the line as it was. */
static void line_end(const TyTokenizer *t, TyTokenView *view)
{
    view->text = t->implicit_newline ? "" : t->crlf ? "\r\n" : "\n";
    view->size = strlen(view->text);
    view->end_column = view->column + (t->crlf ? 2 : 1);
}

static int shown_kind(TyTokenKind kind)
{
    if (kind > TY_TOKEN_DEDENT && kind < TY_TOKEN_OP)
        return TY_TOKEN_OP;
    return kind;
}

static void set_line(const TyTokenizer *t, TyTokenView *view)
{
    view->line = is_literal(view->kind) && t->first_line_start ? t->first_line_start : t->line_start;
    const char *end = t->line_start + strcspn(t->line_start, "\n");
    end += *end == '\n' && !t->implicit_newline;
    view->line_size = end - view->line;
    view->crlf = t->crlf;
}

void ty_token_view(const TyTokenizer *t, const TyToken *token, TyTokenView *view)
{
    TyTokenKind kind = token->kind >= TY_TOKEN_FIRST_KEYWORD ? TY_TOKEN_NAME : token->kind;
    bool at_end = kind == TY_TOKEN_ENDMARKER || (kind == TY_TOKEN_DEDENT && t->at_end);
    *view = (TyTokenView){.kind = kind, .text = t->buffer + token->start, .size = token->end - token->start};
    view->lineno = token->lineno;
    view->end_lineno = token->end_lineno;
    if (at_end && t->extra_tokens) {
        view->lineno = view->end_lineno = t->lineno + 1;
        view->text = view->line = "";
        view->size = 0;
        return;
    }
    set_line(t, view);
    if (token->col_offset < 0) {
        view->column = view->end_column = -1;
        return;
    }
    /* A literal of several lines begins in the first of them and ends in the present one. */
    const char *first = t->buffer + token->start - token->col_offset;
    view->column = ty_syntax_characters(first, token->col_offset);
    view->end_column = ty_syntax_characters(t->buffer + token->end - token->end_col_offset, token->end_col_offset);
    if (kind == TY_TOKEN_NEWLINE || kind == TY_TOKEN_NL) {
        if (t->extra_tokens) {
            line_end(t, view);
        } else {
            view->size--;
            view->end_column--;
        }
    }
    if (t->extra_tokens)
        view->kind = shown_kind(kind);
}

void ty_token_view_raise(TyTokenizer *t)
{
    static const struct { TySyntaxErrorKind kind; const char *message; } failures[] = {
        [TY_TOKENIZE_DEDENT] = {TY_INDENTATION_ERROR, "unindent does not match any outer indentation level"},
        [TY_TOKENIZE_TABS] = {TY_TAB_ERROR, "inconsistent use of tabs and spaces in indentation"},
        [TY_TOKENIZE_TOO_DEEP] = {TY_INDENTATION_ERROR, "too many levels of indentation"},
        [TY_TOKENIZE_CONTINUATION] = {TY_SYNTAX_ERROR, "unexpected character after line continuation character"},
    };
    size_t size = strcspn(t->line_start, "\n");
    TySyntaxErrorPlace place = {
        .filename = t->filename,
        .lineno = t->lineno,
        .offset = ty_syntax_characters(t->line_start, size) + 1,
        .end_lineno = -3,
        .text = t->line_start,
        .text_size = size,
    };
    switch (t->failure) {
    case TY_TOKENIZE_OK: case TY_TOKENIZE_RAISED:
        break;
    case TY_TOKENIZE_EOF:
        ty_syntax_raise_at_line("unexpected EOF in multi-line statement", t->filename, t->lineno);
        break;
    default:
        ty_syntax_raise(failures[t->failure].kind, failures[t->failure].message, &place);
    }
}
