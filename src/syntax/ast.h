#ifndef TYPHON_SYNTAX_AST_H
#define TYPHON_SYNTAX_AST_H

/*
 * The syntax tree. Every struct here is made from ast_table.h, which names kinds and fields as Python's `ast` module does.
 *
 *   TyNode *node;                                   any node; node->kind says which
 *   switch (node->kind) { case TY_AST_Call: { TyAstCall *call = TY_AST(Call, node); ... call->args.items[i] ... } }
 *
 * A field of a node family (expr, stmt, arguments, ...) is a TyNode *, NULL when an optional one is absent. A list is a
 * count and an array. Operators and contexts are small enums. Identifiers, strings and constants are Values; an absent
 * optional identifier or string is 0. A Constant's value is None, True, False, Ellipsis, an int, float, complex, str or bytes,
 * and after folding also a tuple or frozenset of such.
 *
 * Nodes live in the arena of their TyAst and are as short-lived as it. They may be changed in place (constant folding does so),
 * and new ones made with TY_AST_NEW. The collector does not see the arena: a Value that is put into a tree must
 * be kept by ty_ast_keep.
 *
 * Lines count from 1, columns from 0 in bytes of UTF-8. A node's kind is never changed to one with a larger struct.
 */

#include <stdint.h>

#include "base/arena.h"
#include "syntax/constant.h"

/* Families of nodes, and the other types that a field may have. */
typedef enum TyAstSum {
    TY_AST_SUM_identifier,
    TY_AST_SUM_string,
    TY_AST_SUM_constant,
    TY_AST_SUM_int,
#define TY_AST_SUM(sum, position) TY_AST_SUM_##sum,
#define TY_AST_PRODUCT(sum, position) TY_AST_SUM_##sum,
#define TY_AST_ENUM(sum) TY_AST_SUM_##sum,
#include "syntax/ast_table.h"
    TY_AST_SUM_COUNT
} TyAstSum;

/* Kinds of nodes: TY_AST_Module, TY_AST_Call, TY_AST_arguments, ... */
typedef enum TyAstKind {
#define TY_AST_NODE(sum, name) TY_AST_##name,
#include "syntax/ast_table.h"
    TY_AST_KIND_COUNT
} TyAstKind;

/* Operators and contexts: TY_AST_Add, TY_AST_Load, ...; each family counts from 0. */
#define TY_AST_ENUM(sum) typedef enum TyAst_##sum {
#define TY_AST_CHOICE(sum, name) TY_AST_##name,
#define TY_AST_ENUM_END(sum) TY_AST_COUNT_##sum } TyAst_##sum;
#include "syntax/ast_table.h"

/* What the parser notes about a node beside its fields. */
enum {
    TY_NODE_PARENTHESIZED = 1,      /* an expression written in parentheses of its own */
};

typedef struct TyNode {
    uint16_t kind;
    uint16_t flags;
    int32_t lineno;
    int32_t col_offset;
    int32_t end_lineno;
    int32_t end_col_offset;
} TyNode;

typedef struct TyNodeList {
    TyNode **items;
    int32_t count;
} TyNodeList;

typedef struct TyIdentifierList {
    Value *items;
    int32_t count;
} TyIdentifierList;

typedef struct TyOperatorList {
    uint8_t *items;                 /* TyAst_cmpop */
    int32_t count;
} TyOperatorList;

/* C types of the fields. */
#define TY_AST_C_identifier Value
#define TY_AST_C_string Value
#define TY_AST_C_constant Value
#define TY_AST_C_int int
#define TY_AST_C_expr_context TyAst_expr_context
#define TY_AST_C_boolop TyAst_boolop
#define TY_AST_C_operator TyAst_operator
#define TY_AST_C_unaryop TyAst_unaryop
#define TY_AST_C_cmpop TyAst_cmpop
#define TY_AST_C_mod TyNode *
#define TY_AST_C_stmt TyNode *
#define TY_AST_C_expr TyNode *
#define TY_AST_C_comprehension TyNode *
#define TY_AST_C_excepthandler TyNode *
#define TY_AST_C_arguments TyNode *
#define TY_AST_C_arg TyNode *
#define TY_AST_C_keyword TyNode *
#define TY_AST_C_alias TyNode *
#define TY_AST_C_withitem TyNode *
#define TY_AST_C_match_case TyNode *
#define TY_AST_C_pattern TyNode *
#define TY_AST_C_type_ignore TyNode *
#define TY_AST_C_type_param TyNode *

#define TY_AST_LIST_identifier TyIdentifierList
#define TY_AST_LIST_cmpop TyOperatorList
#define TY_AST_LIST_stmt TyNodeList
#define TY_AST_LIST_expr TyNodeList
#define TY_AST_LIST_comprehension TyNodeList
#define TY_AST_LIST_excepthandler TyNodeList
#define TY_AST_LIST_arg TyNodeList
#define TY_AST_LIST_keyword TyNodeList
#define TY_AST_LIST_alias TyNodeList
#define TY_AST_LIST_withitem TyNodeList
#define TY_AST_LIST_match_case TyNodeList
#define TY_AST_LIST_pattern TyNodeList
#define TY_AST_LIST_type_ignore TyNodeList
#define TY_AST_LIST_type_param TyNodeList

/* TyAstModule, TyAstCall, TyAstarguments, ... */
#define TY_AST_NODE(sum, name) typedef struct TyAst##name { TyNode node;
#define TY_AST_ONE(kind, type, field) TY_AST_C_##type field;
#define TY_AST_OPTIONAL(kind, type, field) TY_AST_C_##type field;
#define TY_AST_LIST(kind, type, field) TY_AST_LIST_##type field;
#define TY_AST_LIST_OF_OPTIONAL(kind, type, field) TY_AST_LIST_##type field;
#define TY_AST_NODE_END(sum, name) } TyAst##name;
#include "syntax/ast_table.h"

/* The node as its own kind. */
#define TY_AST(name, node) ((TyAst##name *)(node))

/* The table as data, for whoever walks trees without knowing the kinds. */
typedef enum TyAstArity {
    TY_AST_IS_ONE,
    TY_AST_IS_OPTIONAL,
    TY_AST_IS_LIST,
    TY_AST_IS_LIST_OF_OPTIONAL,
} TyAstArity;

typedef struct TyAstField {
    const char *name;
    uint8_t type;                   /* TyAstSum */
    uint8_t arity;                  /* TyAstArity */
    uint16_t offset;                /* in the node's struct */
} TyAstField;

typedef struct TyAstKindInfo {
    const char *name;
    uint8_t sum;                    /* TyAstSum */
    uint8_t field_count;
    uint16_t size;                  /* of the struct */
    const TyAstField *fields;
} TyAstKindInfo;

typedef enum TyAstSumForm {
    TY_AST_IS_PRIMITIVE,            /* identifier, string, constant, int */
    TY_AST_IS_SUM,
    TY_AST_IS_PRODUCT,
    TY_AST_IS_ENUM,
} TyAstSumForm;

typedef struct TyAstSumInfo {
    const char *name;
    uint8_t form;                   /* TyAstSumForm */
    bool has_position;
    uint8_t choice_count;           /* of an enum */
    const char *const *choices;     /* names of an enum's choices */
} TyAstSumInfo;

extern const TyAstKindInfo ty_ast_kinds[TY_AST_KIND_COUNT];
extern const TyAstSumInfo ty_ast_sums[TY_AST_SUM_COUNT];

/* A tree and all that it owns. */
typedef struct TyAst {
    TyArena arena;
    TyNode *root;                   /* Module, Interactive, Expression or FunctionType */
    TyKeptValues kept;              /* a root of the collector */
} TyAst;

/* NULL with MemoryError set. */
TyAst *ty_ast_new(void);
void ty_ast_free(TyAst *ast);

/* Keeps a value alive as long as the tree. False with MemoryError set. */
bool ty_ast_keep(TyAst *ast, Value value);

/* A zeroed node of the kind, placed where like is (like may be NULL). NULL with MemoryError set. */
TyNode *ty_ast_new_node(TyAst *ast, TyAstKind kind, const TyNode *like);
#define TY_AST_NEW(ast, name, like) ((TyAst##name *)ty_ast_new_node((ast), TY_AST_##name, (like)))

/* An array for count nodes in the arena. False with MemoryError set. */
bool ty_ast_new_list(TyAst *ast, TyNodeList *list, int32_t count);

#endif
