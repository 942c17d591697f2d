/* Scopes: for each block of a program (module, class, function, comprehension, annotation, type parameters, ...) its names and where
 * each lives: local, global, free or cell. The rules are the language's and the facts recorded are those that the `symtable` module shows.
 *
 * Scopes live in their table's arena and are found again by the tree node that opens them. Names are interned strings, mangled
 * where private names are. A symbol is a set of TY_SYMBOL_… bits with its resolved TY_SCOPE_… kind above them. */
#ifndef TY_COMPILE_SCOPE_H
#define TY_COMPILE_SCOPE_H

#include "compile/names.h"
#include "compile/report.h"
#include "syntax/ast.h"

/* What a block does with a name. */
#define TY_SYMBOL_GLOBAL 0x1      /* global statement */
#define TY_SYMBOL_LOCAL 0x2       /* assigned */
#define TY_SYMBOL_PARAMETER 0x4
#define TY_SYMBOL_NONLOCAL 0x8    /* nonlocal statement */
#define TY_SYMBOL_USE 0x10
#define TY_SYMBOL_FREE_CLASS 0x40 /* free in a method, and a name of the class as well */
#define TY_SYMBOL_IMPORT 0x80
#define TY_SYMBOL_ANNOTATED 0x100
#define TY_SYMBOL_ITERATED 0x200  /* target of a comprehension's for */
#define TY_SYMBOL_TYPE_PARAMETER 0x400
#define TY_SYMBOL_COMPREHENSION_CELL 0x800 /* a cell in a comprehension that is inlined here */
#define TY_SYMBOL_BOUND (TY_SYMBOL_LOCAL | TY_SYMBOL_PARAMETER | TY_SYMBOL_IMPORT | TY_SYMBOL_TYPE_PARAMETER)
#define TY_SYMBOL_SCOPE_SHIFT 12
#define TY_SYMBOL_SCOPE_MASK 0xF
/* Not shown by symtable: the target of := somewhere in the block, so its register may change in the middle of an expression. */
#define TY_SYMBOL_WALRUS 0x10000
/* Not shown either: known only because a comprehension was inlined here. */
#define TY_SYMBOL_INLINED 0x20000
#define TY_SYMBOL_SHOWN 0xFFFF

typedef enum TyScopeKind { TY_SCOPE_NONE, TY_SCOPE_LOCAL, TY_SCOPE_GLOBAL_EXPLICIT, TY_SCOPE_GLOBAL_IMPLICIT, TY_SCOPE_FREE, TY_SCOPE_CELL } TyScopeKind;

typedef enum TyBlockType {
    TY_BLOCK_FUNCTION, TY_BLOCK_CLASS, TY_BLOCK_MODULE, TY_BLOCK_ANNOTATION, TY_BLOCK_TYPE_ALIAS, TY_BLOCK_TYPE_PARAMETERS, TY_BLOCK_TYPE_VARIABLE
} TyBlockType;

typedef enum TyComprehensionKind {
    TY_COMPREHENSION_NONE, TY_COMPREHENSION_LIST, TY_COMPREHENSION_DICT, TY_COMPREHENSION_SET, TY_COMPREHENSION_GENERATOR
} TyComprehensionKind;

typedef struct TyScope TyScope;

typedef struct TyDirective { /* a global or nonlocal statement's name */
    Value name;
    TyPlace place;
} TyDirective;

struct TyScope {
    TyBlockType type;
    TyComprehensionKind comprehension;
    int id;                      /* its number in the table, from 0 */
    Value name;
    Value function_name;         /* of the function whose parameters this block annotates, or TY_NULL */
    const void *key;             /* the node that opens it */
    TyPlace place;
    TyNames symbols;
    Value *parameters;           /* in the order of co_varnames */
    int parameter_count, parameter_capacity;
    TyScope **children;
    int child_count, child_capacity;
    TyDirective *directives;
    int directive_count, directive_capacity;
    TyNames *mangled_names;      /* of a generic class's parameters: the only names mangled there; NULL: all private ones are */
    TyScope *annotation_block;   /* the __annotate__ of a module, class or function's variables */
    const char *description;     /* "a TypeVar bound", … for errors */
    int iterable_depth;          /* inside so many outermost iterables of comprehensions */
    int conditional_depth;       /* inside so many if, for, try … */
    bool nested, free, child_free, generator, coroutine, star, star_star, returns_value, needs_class_cell, needs_class_dict, inlined,
        in_iteration_target, sees_class, method, conditional_annotations, in_unevaluated_annotation, docstring;
};

typedef struct TySymbolTable {
    TyArena arena;
    TyKeptValues kept;           /* names made here: a root */
    Value filename;
    TyScope *top;
    TyScope **scopes;            /* by number */
    int scope_count, scope_capacity;
    uint32_t *index;             /* places by key → number + 1 */
    uint32_t index_mask;
    uint32_t future_flags;
    TyScope **stack;             /* while the tree is walked */
    int depth, stack_capacity;
    Value class_name;            /* whose private names are mangled, or TY_NULL */
    bool failed;                 /* an exception is in the thread */
} TySymbolTable;

#define TY_FUTURE_ANNOTATIONS 0x1000000u
#define TY_FUTURE_BARRY_AS_BDFL 0x400000u
#define TY_FUTURE_ALL 0x1FE0000u
#define TY_COMPILE_TOP_LEVEL_AWAIT 0x2000u

/* NULL with an exception raised. future_flags are those inherited and those found in the source. */
TySymbolTable *ty_symbol_table_new(const TyAst *tree, Value filename, uint32_t future_flags);
void ty_symbol_table_free(TySymbolTable *table);

/* The scope that a node opens. The default value of a type parameter has the key of the node plus one byte. */
TyScope *ty_scope_of(const TySymbolTable *table, const void *key);

/* A symbol's bits, 0 if the block does not know the name. */
uint32_t ty_scope_symbol(const TyScope *scope, Value mangled_name);
TyScopeKind ty_scope_kind(const TyScope *scope, Value mangled_name);
TY_INLINE TyScopeKind ty_symbol_kind(uint32_t symbol) { return (symbol >> TY_SYMBOL_SCOPE_SHIFT) & TY_SYMBOL_SCOPE_MASK; }

TY_INLINE bool ty_scope_is_function_like(const TyScope *scope)
{
    return scope->type != TY_BLOCK_CLASS && scope->type != TY_BLOCK_MODULE;
}

/* The name as it is known inside class `class_name` (TY_NULL: none); TY_NULL with an exception. `keep` gets a name that was made. */
Value ty_mangle(Value class_name, Value name, TyKeptValues *keep);
/* The same, in a scope where only some names are mangled. */
Value ty_scope_mangle(const TyScope *scope, Value class_name, Value name, TyKeptValues *keep);

/* The flags of the `from __future__` imports at the beginning of the tree; false with a SyntaxError. */
bool ty_future_flags(const TyAst *tree, Value filename, uint32_t *flags, int *last_line);

TY_INLINE TyPlace ty_place(const TyNode *node) { return (TyPlace){node->lineno, node->end_lineno, node->col_offset, node->end_col_offset}; }

#endif
