/* Expressions back to text, as annotations under `from __future__ import annotations` are kept. */
#ifndef TY_COMPILE_UNPARSE_H
#define TY_COMPILE_UNPARSE_H

#include "syntax/ast.h"

/* A str; TY_NULL with an exception. */
Value ty_unparse(const TyNode *expression);

#endif
