/* The state of the `_codecs` module: the interpreter's codec registry. */
#ifndef TY_MODULES_CODECS_H
#define TY_MODULES_CODECS_H

enum {
    TY_CODECS_SEARCH,   /* list of search functions */
    TY_CODECS_CACHE,    /* dict from normalised names to codecs */
    TY_CODECS_HANDLERS, /* dict from names to error handlers; the built-in ones enter when they are asked for */
    TY_CODECS_LOADED,   /* True once the package `encodings` is imported */
    TY_CODECS_STATE_COUNT,
};

#endif
