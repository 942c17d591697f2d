/* Inside the compiler: what its files share.
 *
 * A Unit is one code object being made. Instructions are first collected as TyItems, whose registers are numbered by kind (local, cell,
 * free, temporary) because how many locals there are is known only at the end; assemble.c improves and encodes them.
 *
 * Temporaries are a stack: `top` of them are in use. An expression is evaluated "to" a register: a local's (written by
 * the expression's last instruction alone), or the temporary at `top`, which the caller takes afterwards by ty_push. So a
 * temporary in use always holds a value. Each item records how many were in use, which tells the collector what to scan.
 *
 * Failure is sticky: `failed` is set and the exception is in the thread. Visitors return at once then, so that callers need not test. */
#ifndef TY_COMPILE_COMPILER_H
#define TY_COMPILE_COMPILER_H

#include "compile/compile.h"
#include "compile/scope.h"
#include "object/exception.h"
#include "object/str.h"

typedef uint32_t TyRegister; /* kind and number */

#define TY_KIND_MASK 0xF0000000u
#define TY_KIND_LOCAL 0x00000000u
#define TY_KIND_CELL 0x10000000u
#define TY_KIND_FREE 0x20000000u
#define TY_KIND_TEMPORARY 0x30000000u
#define TY_NO_REGISTER 0xFFFFFFFFu

TY_INLINE bool ty_is_temporary(TyRegister r) { return (r & TY_KIND_MASK) == TY_KIND_TEMPORARY; }
TY_INLINE bool ty_is_local_register(TyRegister r) { return (r & TY_KIND_MASK) == TY_KIND_LOCAL; }

typedef struct TyItem { /* an instruction before it is encoded */
    uint16_t op;
    uint16_t depth;     /* temporaries in use while it runs */
    bool dead;
    int32_t label;      /* of a jump, else -1 */
    int32_t handler;    /* index of the handler that protects it, or -1 */
    uint32_t a, b, c;   /* registers or numbers, as the format says */
    int64_t x;          /* imm, or the extension's x */
    TyPlace place;
} TyItem;

typedef struct TyHandlerPlan {
    int32_t label;
    TyRegister target;
} TyHandlerPlan;

typedef enum TyBlockKind {
    TY_BLOCK_LOOP,
    TY_BLOCK_TRY,             /* body of try … except */
    TY_BLOCK_FINALLY_TRY,     /* what a finally protects */
    TY_BLOCK_FINALLY_BODY,    /* the finally itself, on the way without exception */
    TY_BLOCK_FINALLY_HANDLER, /* the same on the way with one */
    TY_BLOCK_HANDLER,         /* body of except */
    TY_BLOCK_GROUP_HANDLER,   /* body of except* */
    TY_BLOCK_WITH,
    TY_BLOCK_ASYNC_WITH,
} TyBlockKind;

typedef struct TyBlock { /* what encloses the statement that is compiled now */
    TyBlockKind kind;
    int32_t continue_label, break_label; /* of a loop */
    int32_t outer_handler;    /* what protects the code outside */
    TyRegister base;          /* the exception's pair of temporaries, or the with's exit function */
    TyNode *node;             /* whose finally, handler or with it is */
} TyBlock;

typedef struct TyInlined { /* a comprehension that is compiled into the unit around it */
    TyScope *scope;
    TyNames registers;        /* hidden registers of the names that it binds */
} TyInlined;

typedef struct TyLocal {
    Value name;
    uint8_t kind;             /* TY_REGISTER_… */
    bool busy;                /* a hidden one: its comprehension is being compiled */
} TyLocal;

typedef struct TyAnnotation { /* one that __annotate__ will evaluate */
    TyAstAnnAssign *statement;
    int index;                /* in __conditional_annotations__, or -1 */
} TyAnnotation;

typedef struct TyUnit {
    struct TyUnit *outer;
    TyScope *scope;
    Value name, qualname;
    Value class_name;         /* whose private names are mangled here, or TY_NULL */
    int first_line;
    uint32_t positional_count, positional_only_count, keyword_only_count;
    bool has_docstring;

    TyItem *items;
    int item_count, item_capacity;
    int32_t *labels;          /* item numbers */
    int label_count, label_capacity;
    TyHandlerPlan *handlers;
    int handler_count, handler_capacity;
    int32_t handler;          /* the one that protects what is emitted now, or -1 */
    TyBlock *blocks;
    int block_count, block_capacity;

    TyLocal *locals;
    int local_count, local_capacity;
    TyNames local_index, cell_index, free_index;
    Value *cells, *frees;
    int cell_count, free_count;
    uint32_t top, max_top;
    TyRegister *hidden_log;   /* hidden registers in the order of their use: those bound in a try's body are unbound in its handler */
    int hidden_count, hidden_capacity;
    TyInlined **inlined;
    int inlined_count, inlined_capacity;

    Value *consts;
    int const_count, const_capacity;
    uint32_t *const_index;    /* places by value → number + 1 */
    uint32_t const_index_mask;
    TyNames names;
    int name_count;
    TyAnnotation *annotations;
    int annotation_count, annotation_capacity;
    int conditional_count;
    int conditional_depth;
    TyNames static_attributes;
} TyUnit;

typedef struct TyCompiler {
    TyArena arena;
    TyKeptValues kept;
    TySymbolTable *table;
    TyUnit *unit;
    Value filename, module;
    uint32_t flags;
    int optimize;
    int last_future_line;
    bool interactive, failed;
    int silent;               /* above 0: a copy of code that has been compiled before: no warnings */
} TyCompiler;

/* --- emitting (emit.c) ------------------------------------------------------------------------------------------------ */

void ty_compiler_fail_memory(TyCompiler *c);
void *ty_compiler_reserve(TyCompiler *c, void *items, int count, int *capacity, size_t size);
#define TY_APPEND(c, items, count, capacity, ...)                                              \
    do {                                                                                       \
        void *room_ = ty_compiler_reserve((c), (items), (count), &(capacity), sizeof *(items)); \
        if (room_) {                                                                           \
            (items) = room_;                                                                   \
            (items)[(count)++] = (__VA_ARGS__);                                                \
        }                                                                                      \
    } while (0)
#define TY_COMPILE_ERROR(c, place, ...) ((c)->failed ? (void)0 : (ty_report_syntax_error((c)->filename, (place), __VA_ARGS__), (void)((c)->failed = true)))
void ty_compiler_warn(TyCompiler *c, TyPlace place, const char *format, ...);

TyItem *ty_emit(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, uint32_t x); /* the last goes to c, or is ignored; never NULL */
TyItem *ty_emit_imm(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, int64_t imm);
TyItem *ty_emit_jump(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, uint32_t x, int32_t label);
TyItem *ty_emit_name(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, Value name); /* name as it is: not mangled */
int32_t ty_new_label(TyCompiler *c);
void ty_place_label(TyCompiler *c, int32_t label); /* here */
int32_t ty_new_handler(TyCompiler *c, int32_t label, TyRegister target);

TY_INLINE TyRegister ty_slot(const TyUnit *u) { return TY_KIND_TEMPORARY | u->top; }
TyRegister ty_push(TyCompiler *c);          /* takes the next temporary, which has been written */
TyRegister ty_push_many(TyCompiler *c, uint32_t count);

int ty_const_index(TyCompiler *c, Value value);
int ty_new_const(TyCompiler *c, Value value); /* never shared with an equal one */
int ty_name_index(TyCompiler *c, Value name);
void ty_load_const(TyCompiler *c, TyPlace place, TyRegister target, Value value);
Value ty_keep(TyCompiler *c, Value value);  /* as long as the compiler lives; TY_NULL in: fails */
bool ty_const_same(Value a, Value b);       /* the same type and value, all the way down */

TyUnit *ty_enter_unit(TyCompiler *c, TyScope *scope, Value name, int first_line);
Value ty_leave_unit(TyCompiler *c);         /* the code object; assemble.c */
TyRegister ty_new_local(TyCompiler *c, Value name, uint8_t kind);

/* --- variables (variable.c) ---------------------------------------------------------------------------------------------- */

Value ty_mangle_here(TyCompiler *c, Value name);
/* The register of a plain local, or TY_NO_REGISTER if the name is anything else here. `changes`: := may change it in mid-expression. */
TyRegister ty_plain_local(TyCompiler *c, Value name, bool *changes);
void ty_load_variable(TyCompiler *c, TyPlace place, Value name, TyRegister target);
void ty_store_variable(TyCompiler *c, TyPlace place, Value name, TyRegister source);
void ty_delete_variable(TyCompiler *c, TyPlace place, Value name);
TyRegister ty_closure_register(TyCompiler *c, Value mangled);
bool ty_is_global_name(TyCompiler *c, Value name); /* neither bound here nor in a function around */

/* --- constants (fold.c) ----------------------------------------------------------------------------------------------------- */

bool ty_fold(TyCompiler *c, TyNode *node, Value *value);

/* --- expressions (expression.c) ----------------------------------------------------------------------------------------------- */

void ty_expression(TyCompiler *c, TyNode *e, TyRegister target);
TyRegister ty_expression_push(TyCompiler *c, TyNode *e);
TyRegister ty_operand(TyCompiler *c, TyNode *e);      /* a local's register where nothing evaluated later can change it, else a pushed temporary */
TyRegister ty_last_operand(TyCompiler *c, TyNode *e); /* the same when nothing is evaluated between this and its use */
void ty_jump_if(TyCompiler *c, TyNode *e, bool condition, int32_t label);
void ty_store_target(TyCompiler *c, TyNode *target, TyRegister source);
void ty_delete_target(TyCompiler *c, TyNode *target);
TyRegister ty_target_register(TyCompiler *c, TyNode *target); /* a local's register if the target is one, else TY_NO_REGISTER */
void ty_call_arguments(TyCompiler *c, TyPlace place, TyRegister target, TyRegister base, const TyNodeList *arguments, const TyNodeList *keywords, TyRegister extra);
void ty_await(TyCompiler *c, TyPlace place, TyRegister target, TyRegister awaitable, int whose);
void ty_augmented_assignment(TyCompiler *c, TyAstAugAssign *s);
void ty_comprehension(TyCompiler *c, TyNode *e, TyRegister target);
TyPlace ty_attribute_place(TyPlace place, const TyAstAttribute *attribute);

/* --- statements (statement.c), patterns (pattern.c) ------------------------------------------------------------------------------ */

void ty_statement(TyCompiler *c, TyNode *s);
void ty_statements(TyCompiler *c, const TyNodeList *list);
void ty_match(TyCompiler *c, TyAstMatch *s);

/* --- functions and classes (definition.c) ------------------------------------------------------------------------------------------ */

void ty_function_definition(TyCompiler *c, TyNode *s);
void ty_class_definition(TyCompiler *c, TyAstClassDef *s);
void ty_lambda(TyCompiler *c, TyAstLambda *e, TyRegister target);
void ty_type_alias(TyCompiler *c, TyAstTypeAlias *s);
void ty_annotated_assignment(TyCompiler *c, TyAstAnnAssign *s);
void ty_make_closure(TyCompiler *c, TyPlace place, Value code, TyRegister target);
void ty_unit_prologue(TyCompiler *c);
int32_t ty_wrap_generator_begin(TyCompiler *c); /* the handler's label for ty_wrap_generator_end; -1 where there is none */
void ty_wrap_generator_end(TyCompiler *c, int32_t handler_label);
Value ty_compile_module(TyCompiler *c, const TyAst *tree);

#endif
