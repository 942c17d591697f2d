/* The classes of the module `ast`, and trees as their instances.
 *
 * All of it is made from syntax/ast_table.h. The class AST is static; the others belong to each interpreter, as programs
 * change them, and are kept in the state of its module `_ast`. Operators and contexts in trees that the parser made are the interpreter's one
 * instance of their class. */
#ifndef TY_MODULES_AST_OBJECTS_H
#define TY_MODULES_AST_OBJECTS_H

#include "object/native.h"
#include "syntax/parse.h"

extern TyType ty_ast_type; /* ast.AST */

/* Where the module's state keeps what. */
enum {
    TY_AST_STATE_KINDS = 0,                                       /* classes of nodes, by TyAstKind */
    TY_AST_STATE_SUMS = TY_AST_STATE_KINDS + TY_AST_KIND_COUNT,   /* classes of families, by TyAstSum */
    TY_AST_STATE_CHOICES = TY_AST_STATE_SUMS + TY_AST_SUM_COUNT,  /* classes of operators and contexts, family by family */
    TY_AST_CHOICE_COUNT = TY_AST_COUNT_expr_context + TY_AST_COUNT_boolop + TY_AST_COUNT_operator + TY_AST_COUNT_unaryop + TY_AST_COUNT_cmpop,
    TY_AST_STATE_SINGLETONS = TY_AST_STATE_CHOICES + TY_AST_CHOICE_COUNT, /* their instances */
    TY_AST_STATE_COUNT = TY_AST_STATE_SINGLETONS + TY_AST_CHOICE_COUNT,
};

/* The state of the current interpreter's module; NULL with an exception. */
Value *ty_ast_state(void);

/* Number of a family's first choice among all choices. */
int ty_ast_first_choice(TyAstSum sum);

/* The interned name of a kind's field. */
Value ty_ast_field_name(TyAstKind kind, int field);

/* Makes the classes; part of the module's start. */
bool ty_ast_make_classes(Value module);

/* A tree as objects: what ast.parse returns. */
Value ty_ast_to_object(const TyAst *ast);

/* Whether the object is what compile() wants in that mode: a Module for "exec" and so on. False with TypeError. */
bool ty_ast_check_mode(Value object, TyParseMode mode);

/* A tree from objects, checked (syntax/validate.h): what compile() takes. The object must be a Module for TY_PARSE_FILE and so on. To be
 * freed with ty_ast_free; NULL with an exception. */
TyAst *ty_ast_from_object(Value object, TyParseMode mode);

/* Does to a tree what PyCF_OPTIMIZED_AST asks for; level as compile()'s optimize, 0 to 2. False with an exception. */
bool ty_ast_optimize(TyAst *ast, int level);

/* Whether the value is a node. */
TY_INLINE bool ty_is_ast(Value v) { return ty_is_instance_of(v, &ty_ast_type); }

#endif
