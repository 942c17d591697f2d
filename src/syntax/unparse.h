#ifndef TYPHON_SYNTAX_UNPARSE_H
#define TYPHON_SYNTAX_UNPARSE_H

/*
 * An expression tree back into text, in the one form that `from __future__ import annotations` shows: single
 * spaces, only the parentheses that are needed, literals as their repr.
 */

#include "syntax/ast.h"

/* A str; 0 with an exception set. */
Value ty_unparse_expression(const TyNode *node);

#endif
