#ifndef TYPHON_SYNTAX_VALIDATE_H
#define TYPHON_SYNTAX_VALIDATE_H

/*
 * Whether a tree that no parser made is one that could have been: what the compiler takes for granted of trees.
 */

#include "syntax/ast.h"

/* False with ValueError or TypeError set. */
bool ty_ast_validate(const TyNode *root);

#endif
