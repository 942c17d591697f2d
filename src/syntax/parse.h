#ifndef TYPHON_SYNTAX_PARSE_H
#define TYPHON_SYNTAX_PARSE_H

/*
 * From source bytes to a tree.
 */

#include "syntax/ast.h"

typedef enum TyParseMode {
    TY_PARSE_FILE,                  /* "exec": Module */
    TY_PARSE_EXPRESSION,            /* "eval": Expression */
    TY_PARSE_INTERACTIVE,           /* "single": Interactive */
    TY_PARSE_FUNCTION_TYPE,         /* "func_type": FunctionType */
} TyParseMode;

/* Flags of compile(), with the values that Python code knows. */
enum {
    TY_PARSE_DONT_IMPLY_DEDENT = 0x0200,
    TY_PARSE_IGNORE_COOKIE = 0x0800,            /* the bytes are UTF-8 whatever they say: the source was a str */
    TY_PARSE_TYPE_COMMENTS = 0x1000,
    TY_PARSE_ALLOW_INCOMPLETE_INPUT = 0x4000,
    TY_PARSE_BARRY_AS_FLUFL = 0x400000,
    TY_PARSE_FROM_FILE = 0x2000000,             /* the program's own file, not a text that was compiled: errors name it */
};

enum { TY_PARSE_MINOR_VERSION = 14 };

typedef struct TyParseOptions {
    Value filename;                 /* a str, for errors and warnings */
    TyParseMode mode;
    uint32_t flags;
    int feature_version;            /* the minor version whose grammar is wanted, 0 or less for the newest */

    TyWarn *warn;                   /* NULL: ty_syntax_warn */
    void *warn_context;
} TyParseOptions;

/* The tree, to be freed with ty_ast_free; NULL with an exception set. */
TyAst *ty_parse(const char *source, size_t size, const TyParseOptions *options);

/* The name in a source's encoding declaration (PEP 263), or NULL. */
const char *ty_source_cookie(const char *source, size_t size, size_t *cookie_size);

/*
 * The source as UTF-8 with "\n" line ends and a zero byte behind it, in the arena; for a file, its last line is ended.
 * NULL with an exception set.
 */
char *ty_source_decode(TyArena *arena, const char *source, size_t size, const TyParseOptions *options,
                       size_t *result_size);

#endif
