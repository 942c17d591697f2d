#ifndef TYPHON_SYNTAX_CONSTANT_H
#define TYPHON_SYNTAX_CONSTANT_H

/*
 * All that the syntax layer needs of objects: making the values that a tree carries, keeping them alive, and raising.
 * Everything here returns 0 or false with an exception in the thread when it fails.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/value.h"


/* An interned str from UTF-8. */
Value ty_syntax_identifier(const char *utf8, size_t size);

/* A str from UTF-8 in which lone surrogates are allowed (three bytes each, as escapes in literals make them). */
Value ty_syntax_string(const char *utf8, size_t size);

Value ty_syntax_bytes(const char *bytes, size_t size);

/* An int from digits of base 2, 8, 10 or 16, without prefix and underscores. */
Value ty_syntax_int(const char *digits, size_t size, int base);

/* From text like 1.5e3, and the same times the imaginary unit. */
Value ty_syntax_float(const char *text, size_t size);
Value ty_syntax_imaginary(const char *text, size_t size);

/* After a number could not be made: if that was a ValueError (too many digits), makes it a SyntaxError there. */
struct TySyntaxErrorPlace;
void ty_syntax_number_failed(const struct TySyntaxErrorPlace *place);

bool ty_syntax_is_complex(Value value);
bool ty_syntax_is_inexact(Value value);         /* a float or complex */
bool ty_syntax_is_int(Value value);             /* an int that is no bool */
/* Whether a Constant may hold the value; false with TypeError set. */
bool ty_syntax_check_constant(Value value);
bool ty_syntax_is_pattern_literal(Value value); /* exactly an int, float, complex, str or bytes */
Value ty_syntax_none(void);
Value ty_syntax_bool(bool truth);
Value ty_syntax_ellipsis(void);

/* repr(value) of a constant, or str(value) of a str, as UTF-8 in malloc'ed memory; used to turn trees back into text. */
char *ty_syntax_repr(Value value, size_t *size);
char *ty_syntax_utf8(Value string, size_t *size);

typedef enum TySyntaxErrorKind {
    TY_SYNTAX_ERROR,
    TY_INDENTATION_ERROR,
    TY_TAB_ERROR,
    TY_INCOMPLETE_INPUT_ERROR,      /* the builtin _IncompleteInputError */
} TySyntaxErrorKind;

/* Where an error is, as SyntaxError's attributes say it: columns count characters from 1, 0 where unknown. */
typedef struct TySyntaxErrorPlace {
    Value filename;
    int lineno;
    int offset;
    int end_lineno;                 /* -2: no end is given at all; -3: None, as is end_offset */
    int end_offset;
    const char *text;               /* the source line in UTF-8, NULL for None */
    size_t text_size;
} TySyntaxErrorPlace;

/*
 * Issues a SyntaxWarning (or DeprecationWarning). 1: go on; 0: the filters make it an error, which is not set, since a
 * SyntaxError will take its place; -1: another exception is set.
 */
typedef int TyWarn(void *context, bool is_deprecation, const char *message, Value filename, int lineno);

/* The ordinary one: through the interpreter's `_warnings`. */
TyWarn ty_syntax_warn;

/* place NULL: a SyntaxError with nothing but its message. */
void ty_syntax_raise(TySyntaxErrorKind kind, const char *message, const TySyntaxErrorPlace *place);

/* A SyntaxError whose place is only in its attributes, not in its arguments. */
void ty_syntax_raise_at_line(const char *message, Value filename, int lineno);

/*
 * Notes in a SyntaxError that is set what `traceback` needs to find misspelled keywords: where the last whole compound
 * statement began, and the source.
 */
void ty_syntax_note_source(int lineno, int col_offset, const char *text, size_t size);

/* Takes the thread's exception out of it, and sets it again. */
Value ty_syntax_take_exception(void);
void ty_syntax_set_exception(Value exception);
void ty_syntax_clear_exception(void);

/* The lowest address that the C stack may reach. */
char *ty_syntax_stack_limit(void);

/*
 * Decodes source bytes by a named codec into UTF-8 in the arena. NULL with an exception set, "unknown encoding: NAME" being
 * a SyntaxError.
 */
char *ty_syntax_decode(TyArena *arena, const char *bytes, size_t *size, const char *encoding, size_t encoding_size,
                       Value filename);
void ty_syntax_raise_memory(const char *message);       /* MemoryError; message may be NULL */
void ty_syntax_raise_value(const char *message);        /* ValueError */
void ty_syntax_raise_type(const char *message);         /* TypeError */
void ty_syntax_raise_recursion(const char *where);

/* A growing array of values that is a root of the collector. */
typedef struct TyKeptValues {
    Value *items;
    size_t count;
    size_t capacity;
} TyKeptValues;

bool ty_kept_values_init(TyKeptValues *kept);
bool ty_kept_values_add(TyKeptValues *kept, Value value);
void ty_kept_values_free(TyKeptValues *kept);

#endif
