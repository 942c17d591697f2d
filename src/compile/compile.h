/* From syntax trees to code objects: scopes, code generation, optimisation. */
#ifndef TY_COMPILE_COMPILE_H
#define TY_COMPILE_COMPILE_H

#include "object/code.h"
#include "syntax/ast.h"

typedef struct TyCompileOptions {
    Value filename;        /* str */
    uint32_t future_flags; /* CO_FUTURE_… inherited; those of the source are added */
    int optimize;          /* 0, 1 (no asserts), 2 (no docstrings); -1: as the interpreter was started */
    bool interactive;      /* expression statements are shown (mode "single") */
    Value module;          /* name of the module for warnings, or TY_NULL */
} TyCompileOptions;

/* TY_NULL with SyntaxError (or another exception) raised. The tree is not changed. */
Value ty_compile_tree(const TyAst *tree, const TyCompileOptions *options);

/* runtime/: the level that -O and -OO ask for. */
int ty_config_optimize(void);
/* … and whether -X no_debug_ranges asks for code that knows its lines alone. */
bool ty_config_no_debug_ranges(void);

#endif
