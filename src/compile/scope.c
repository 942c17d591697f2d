#include "compile/scope.h"

#include <stdlib.h>

#include "object/exception.h"
#include "object/str.h"

/* Two passes. The first walks the tree and records what each block does with each name. The second goes down from the module
 * and decides where each name lives, from the names bound around a block; free variables travel back up. */

/* --- private names ----------------------------------------------------------------------------------------------- */

static bool is_private(Value name)
{
    int64_t length = ty_str_length(name);
    if (length < 3 || ty_str_at(name, 0) != '_' || ty_str_at(name, 1) != '_')
        return false;
    if (ty_str_at(name, length - 1) == '_' && ty_str_at(name, length - 2) == '_')
        return false;
    return ty_str_find_char(name, '.', 0, length, 1) < 0;
}

Value ty_mangle(Value class_name, Value name, TyKeptValues *keep)
{
    if (class_name == TY_NULL || !is_private(name))
        return name;
    int64_t start = 0, length = ty_str_length(class_name);
    while (start < length && ty_str_at(class_name, start) == '_')
        start++;
    if (start == length)
        return name;
    TyStrBuilder builder = {0};
    ty_builder_add_char(&builder, '_');
    ty_builder_add_slice(&builder, class_name, start, length);
    ty_builder_add(&builder, name);
    Value mangled = ty_builder_finish(&builder);
    if (mangled != TY_NULL)
        mangled = ty_intern(mangled);
    return mangled != TY_NULL && ty_kept_values_add(keep, mangled) ? mangled : TY_NULL;
}

Value ty_scope_mangle(const TyScope *scope, Value class_name, Value name, TyKeptValues *keep)
{
    if (scope->mangled_names && !ty_names_has(scope->mangled_names, name))
        return name;
    return ty_mangle(class_name, name, keep);
}

/* --- the table ----------------------------------------------------------------------------------------------------- */

static void fail_memory(TySymbolTable *t)
{
    if (!t->failed)
        ty_raise_memory_error();
    t->failed = true;
}

#define ERROR(t, place, ...) (ty_report_syntax_error((t)->filename, (place), __VA_ARGS__), (t)->failed = true)

/* Room for one more item in an array that lives in the arena. */
static void *reserve(TySymbolTable *t, void *items, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    int larger = *capacity ? *capacity * 2 : 4;
    void *result = ty_arena_allocate(&t->arena, (size_t)larger * size);
    if (!result) {
        fail_memory(t);
        return NULL;
    }
    if (count)
        memcpy(result, items, (size_t)count * size);
    *capacity = larger;
    return result;
}

#define APPEND(t, items, count, capacity, ...)                                              \
    do {                                                                                    \
        void *room_ = reserve((t), (items), (count), &(capacity), sizeof *(items));         \
        if (room_) {                                                                        \
            (items) = room_;                                                                \
            (items)[(count)++] = (__VA_ARGS__);                                             \
        }                                                                                   \
    } while (0)

static uint32_t key_place(const TySymbolTable *t, const void *key)
{
    return (uint32_t)(((uintptr_t)key >> 3) * 0x9E3779B97F4A7C15ull >> 32 ^ ((uintptr_t)key & 1)) & t->index_mask;
}

static void enter_key(TySymbolTable *t, int number)
{
    uint32_t p = key_place(t, t->scopes[number]->key);
    while (t->index[p])
        p = (p + 1) & t->index_mask;
    t->index[p] = (uint32_t)number + 1;
}

TyScope *ty_scope_of(const TySymbolTable *t, const void *key)
{
    for (uint32_t p = key_place(t, key);; p = (p + 1) & t->index_mask) {
        uint32_t entry = t->index[p];
        if (!entry)
            return NULL;
        if (t->scopes[entry - 1]->key == key)
            return t->scopes[entry - 1];
    }
}

static void register_scope(TySymbolTable *t, TyScope *scope)
{
    scope->id = t->scope_count;
    APPEND(t, t->scopes, t->scope_count, t->scope_capacity, scope);
    if (t->failed)
        return;
    if (!t->index || (uint32_t)t->scope_count * 2 > t->index_mask) {
        uint32_t places = t->index ? (t->index_mask + 1) * 2 : 64;
        t->index = ty_arena_allocate_zeroed(&t->arena, places * sizeof *t->index);
        if (!t->index) {
            fail_memory(t);
            return;
        }
        t->index_mask = places - 1;
        for (int i = 0; i < t->scope_count; i++)
            enter_key(t, i);
        return;
    }
    enter_key(t, scope->id);
}

uint32_t ty_scope_symbol(const TyScope *scope, Value name)
{
    int32_t symbol = ty_names_get(&scope->symbols, name);
    return symbol == TY_NAMES_ABSENT ? 0 : (uint32_t)symbol;
}

TyScopeKind ty_scope_kind(const TyScope *scope, Value name)
{
    return ty_symbol_kind(ty_scope_symbol(scope, name));
}

/* --- blocks -------------------------------------------------------------------------------------------------------- */

static TyScope *current(TySymbolTable *t) { return t->stack[t->depth - 1]; }

static TyScope *new_scope(TySymbolTable *t, Value name, TyBlockType type, const void *key, TyPlace place)
{
    TyScope *scope = ty_arena_allocate_zeroed(&t->arena, sizeof *scope);
    if (!scope) {
        fail_memory(t);
        return NULL;
    }
    scope->type = type;
    scope->name = name;
    scope->key = key;
    scope->place = place;
    if (t->depth) {
        TyScope *outer = current(t);
        scope->nested = outer->nested || ty_scope_is_function_like(outer);
        if (type == TY_BLOCK_FUNCTION)
            scope->method = outer->type == TY_BLOCK_CLASS || (outer->type == TY_BLOCK_TYPE_PARAMETERS && outer->sees_class);
    }
    register_scope(t, scope);
    return scope;
}

/* Annotations are text under the future import: their blocks then leave no trace in the enclosing one. */
static bool leaves_no_trace(const TySymbolTable *t, const TyScope *scope)
{
    return scope->type == TY_BLOCK_ANNOTATION && (t->future_flags & TY_FUTURE_ANNOTATIONS);
}

static void push_scope(TySymbolTable *t, TyScope *scope, bool is_new)
{
    if (t->failed)
        return;
    TyScope *outer = t->depth ? current(t) : NULL;
    if (outer) {
        scope->iterable_depth = outer->iterable_depth;
        if (outer->mangled_names && scope->type != TY_BLOCK_CLASS)
            scope->mangled_names = outer->mangled_names;
        if (is_new && !leaves_no_trace(t, scope))
            APPEND(t, outer->children, outer->child_count, outer->child_capacity, scope);
    }
    APPEND(t, t->stack, t->depth, t->stack_capacity, scope);
}

static void add_symbol(TySymbolTable *t, Value name, uint32_t flags, TyPlace place);
static void visit(TySymbolTable *t, TyNode *node);
static void visit_list(TySymbolTable *t, const TyNodeList *list);

static TyScope *enter(TySymbolTable *t, Value name, TyBlockType type, const void *key, TyPlace place)
{
    if (t->failed)
        return NULL;
    TyScope *scope = new_scope(t, name, type, key, place);
    if (scope)
        push_scope(t, scope, true);
    if (type == TY_BLOCK_ANNOTATION || type == TY_BLOCK_TYPE_VARIABLE || type == TY_BLOCK_TYPE_ALIAS)
        add_symbol(t, TY_NAME(".format"), TY_SYMBOL_PARAMETER | TY_SYMBOL_USE, place);
    return t->failed ? NULL : scope;
}

static void leave(TySymbolTable *t)
{
    if (!t->failed)
        t->depth--;
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

static Value mangle_here(TySymbolTable *t, const TyScope *scope, Value name)
{
    Value mangled = ty_scope_mangle(scope, t->class_name, name, &t->kept);
    if (mangled == TY_NULL)
        t->failed = true;
    return mangled;
}

static uint32_t look_up(TySymbolTable *t, const TyScope *scope, Value name)
{
    Value mangled = mangle_here(t, scope, name);
    return t->failed ? 0 : ty_scope_symbol(scope, mangled);
}

static bool refuse_debug(TySymbolTable *t, Value name, TyPlace place, TyAst_expr_context context)
{
    if (t->failed || name != TY_NAME("__debug__") || context == TY_AST_Load)
        return false;
    ERROR(t, place, context == TY_AST_Del ? "cannot delete __debug__" : "cannot assign to __debug__");
    return true;
}

static void add_symbol_to(TySymbolTable *t, TyScope *scope, Value name, uint32_t flags, TyPlace place)
{
    if (t->failed)
        return;
    if ((flags & TY_SYMBOL_TYPE_PARAMETER) && scope->mangled_names && !ty_names_set(&t->arena, scope->mangled_names, name, 1)) {
        fail_memory(t);
        return;
    }
    Value mangled = mangle_here(t, scope, name);
    if (t->failed)
        return;
    uint32_t symbol = ty_scope_symbol(scope, mangled);
    if (flags & symbol & TY_SYMBOL_PARAMETER) {
        ERROR(t, place, "duplicate argument '%U' in function definition", name);
        return;
    }
    if (flags & symbol & TY_SYMBOL_TYPE_PARAMETER) {
        ERROR(t, place, "duplicate type parameter '%U'", name);
        return;
    }
    symbol |= flags;
    if (scope->in_iteration_target) {
        if (symbol & (TY_SYMBOL_GLOBAL | TY_SYMBOL_NONLOCAL)) {
            ERROR(t, place, "comprehension inner loop cannot rebind assignment expression target '%U'", name);
            return;
        }
        symbol |= TY_SYMBOL_ITERATED;
    }
    if (!ty_names_set(&t->arena, &scope->symbols, mangled, (int32_t)symbol)) {
        fail_memory(t);
        return;
    }
    if (flags & TY_SYMBOL_PARAMETER) {
        APPEND(t, scope->parameters, scope->parameter_count, scope->parameter_capacity, mangled);
    } else if (flags & TY_SYMBOL_GLOBAL) {
        /* The module then knows the name as global too. */
        TyScope *module = t->stack[0];
        if (!ty_names_set(&t->arena, &module->symbols, mangled, (int32_t)(ty_scope_symbol(module, mangled) | flags)))
            fail_memory(t);
    }
}

static void add_symbol_in(TySymbolTable *t, Value name, uint32_t flags, TyPlace place, TyAst_expr_context context)
{
    if (t->failed)
        return;
    if ((flags & (TY_SYMBOL_PARAMETER | TY_SYMBOL_LOCAL | TY_SYMBOL_IMPORT)) && refuse_debug(t, name, place, context))
        return;
    add_symbol_to(t, current(t), name, flags, place);
}

static void add_symbol(TySymbolTable *t, Value name, uint32_t flags, TyPlace place)
{
    add_symbol_in(t, name, flags, place, flags & TY_SYMBOL_USE ? TY_AST_Load : TY_AST_Store);
}

static void add_directive(TySymbolTable *t, Value name, TyPlace place)
{
    TyScope *scope = current(t);
    Value mangled = mangle_here(t, scope, name);
    if (!t->failed)
        APPEND(t, scope->directives, scope->directive_count, scope->directive_capacity, (TyDirective){mangled, place});
}

/* --- expressions ---------------------------------------------------------------------------------------------------- */

static bool top_level_await(const TySymbolTable *t, const TyScope *scope)
{
    return (t->future_flags & TY_COMPILE_TOP_LEVEL_AWAIT) && scope->type == TY_BLOCK_MODULE;
}

static bool in_async_function(const TyScope *scope) { return scope->type == TY_BLOCK_FUNCTION && scope->coroutine; }

/* Blocks that are evaluated late, or not at all, refuse what would suspend or bind. */
static bool refuse_in_annotation(TySymbolTable *t, const char *what, const TyNode *node)
{
    const TyScope *scope = current(t);
    switch (scope->type) {
    case TY_BLOCK_ANNOTATION:
        ERROR(t, ty_place(node), "%s cannot be used within an annotation", what);
        return true;
    case TY_BLOCK_TYPE_VARIABLE:
        ERROR(t, ty_place(node), "%s cannot be used within %s", what, scope->description);
        return true;
    case TY_BLOCK_TYPE_ALIAS:
        ERROR(t, ty_place(node), "%s cannot be used within a type alias", what);
        return true;
    case TY_BLOCK_TYPE_PARAMETERS:
        ERROR(t, ty_place(node), "%s cannot be used within the definition of a generic", what);
        return true;
    default:
        return false;
    }
}

/* The target of := in a comprehension belongs to the function or module around it. */
static void bind_outside_comprehensions(TySymbolTable *t, TyAstName *target)
{
    TyPlace place = ty_place(&target->node);
    for (int i = t->depth - 1; i >= 0 && !t->failed; i--) {
        TyScope *scope = t->stack[i];
        uint32_t symbol = look_up(t, scope, target->id);
        if (scope->comprehension) {
            if ((symbol & TY_SYMBOL_ITERATED) && (symbol & TY_SYMBOL_LOCAL))
                ERROR(t, place, "assignment expression cannot rebind comprehension iteration variable '%U'", target->id);
            continue;
        }
        switch (scope->type) {
        case TY_BLOCK_FUNCTION:
            add_symbol(t, target->id, symbol & TY_SYMBOL_GLOBAL ? TY_SYMBOL_GLOBAL : TY_SYMBOL_NONLOCAL, place);
            add_directive(t, target->id, place);
            add_symbol_to(t, scope, target->id, TY_SYMBOL_LOCAL | TY_SYMBOL_WALRUS, place);
            return;
        case TY_BLOCK_MODULE:
            add_symbol(t, target->id, TY_SYMBOL_GLOBAL, place);
            add_directive(t, target->id, place);
            add_symbol_to(t, scope, target->id, TY_SYMBOL_GLOBAL, place);
            return;
        case TY_BLOCK_CLASS:
            ERROR(t, place, "assignment expression within a comprehension cannot be used in a class body");
            return;
        case TY_BLOCK_TYPE_PARAMETERS:
            ERROR(t, place, "assignment expression within a comprehension cannot be used within the definition of a generic");
            return;
        case TY_BLOCK_TYPE_ALIAS:
            ERROR(t, place, "assignment expression within a comprehension cannot be used in a type alias");
            return;
        case TY_BLOCK_TYPE_VARIABLE:
            ERROR(t, place, "assignment expression within a comprehension cannot be used in a TypeVar bound");
            return;
        case TY_BLOCK_ANNOTATION:
            break;
        }
    }
}

static void visit_named_expression(TySymbolTable *t, TyAstNamedExpr *e)
{
    if (refuse_in_annotation(t, "named expression", &e->node))
        return;
    TyScope *scope = current(t);
    if (scope->iterable_depth > 0) {
        ERROR(t, ty_place(&e->node), "assignment expression cannot be used in a comprehension iterable expression");
        return;
    }
    if (scope->comprehension)
        bind_outside_comprehensions(t, TY_AST(Name, e->target));
    visit(t, e->value);
    visit(t, e->target);
    if (!t->failed && !scope->comprehension)
        add_symbol(t, TY_AST(Name, e->target)->id, TY_SYMBOL_WALRUS, ty_place(e->target));
}

static void visit_name(TySymbolTable *t, TyAstName *e)
{
    TyScope *scope = current(t);
    if (!scope->in_unevaluated_annotation)
        add_symbol_in(t, e->id, e->ctx == TY_AST_Load ? TY_SYMBOL_USE : TY_SYMBOL_LOCAL, ty_place(&e->node), e->ctx);
    if (e->ctx == TY_AST_Load && ty_scope_is_function_like(scope) && e->id == TY_NAME("super"))
        add_symbol(t, TY_NAME("__class__"), TY_SYMBOL_USE, ty_place(&e->node));
}

static void visit_target(TySymbolTable *t, TyNode *target)
{
    TyScope *scope = current(t);
    scope->in_iteration_target = true;
    visit(t, target);
    scope->in_iteration_target = false;
}

static void visit_inner_generator(TySymbolTable *t, TyAstcomprehension *generator)
{
    TyScope *scope = current(t);
    visit_target(t, generator->target);
    scope->iterable_depth++;
    visit(t, generator->iter);
    scope->iterable_depth--;
    visit_list(t, &generator->ifs);
    if (generator->is_async)
        scope->coroutine = true;
}

static void visit_comprehension(TySymbolTable *t, TyNode *e, Value name, TyComprehensionKind kind, TyNodeList *generators, TyNode *element, TyNode *value)
{
    TyScope *outer = current(t);
    TyAstcomprehension *outermost = TY_AST(comprehension, generators->items[0]);
    outer->iterable_depth++;
    visit(t, outermost->iter);
    outer->iterable_depth--;
    TyScope *scope = enter(t, name, TY_BLOCK_FUNCTION, e, ty_place(e));
    if (!scope)
        return;
    scope->comprehension = kind;
    scope->coroutine = outermost->is_async;
    add_symbol(t, TY_NAME(".0"), TY_SYMBOL_PARAMETER, ty_place(e));
    visit_target(t, outermost->target);
    visit_list(t, &outermost->ifs);
    for (int i = 1; i < generators->count; i++)
        visit_inner_generator(t, TY_AST(comprehension, generators->items[i]));
    if (value)
        visit(t, value);
    visit(t, element);
    if (t->failed)
        return;
    bool is_generator = kind == TY_COMPREHENSION_GENERATOR;
    scope->generator = is_generator;
    bool is_async = scope->coroutine && !is_generator;
    leave(t);
    if (is_async && !in_async_function(outer) && !outer->comprehension && !top_level_await(t, outer)) {
        ERROR(t, ty_place(e), "asynchronous comprehension outside of an asynchronous function");
        return;
    }
    if (is_async)
        outer->coroutine = true;
}

static void visit_yield(TySymbolTable *t, TyNode *e, TyNode *value)
{
    static const char *const places[] = {"", "list comprehension", "dict comprehension", "set comprehension", "generator expression"};
    if (refuse_in_annotation(t, "yield expression", e))
        return;
    if (value)
        visit(t, value);
    TyScope *scope = current(t);
    scope->generator = true;
    if (scope->comprehension && !t->failed)
        ERROR(t, ty_place(e), "'yield' inside %s", places[scope->comprehension]);
}

static void visit_await(TySymbolTable *t, TyAstAwait *e)
{
    if (refuse_in_annotation(t, "await expression", &e->node))
        return;
    TyScope *scope = current(t);
    if (!top_level_await(t, scope)) {
        if (!ty_scope_is_function_like(scope)) {
            ERROR(t, ty_place(&e->node), "'await' outside function");
            return;
        }
        if (!in_async_function(scope) && !scope->comprehension) {
            ERROR(t, ty_place(&e->node), "'await' outside async function");
            return;
        }
    }
    visit(t, e->value);
    scope->coroutine = true;
}

static void visit_keywords(TySymbolTable *t, const TyNodeList *keywords)
{
    for (int i = 0; i < keywords->count; i++) {
        TyAstkeyword *keyword = TY_AST(keyword, keywords->items[i]);
        if (keyword->arg != TY_NULL && refuse_debug(t, keyword->arg, ty_place(&keyword->node), TY_AST_Store))
            return;
    }
    for (int i = 0; i < keywords->count; i++)
        visit(t, TY_AST(keyword, keywords->items[i])->value);
}

/* --- functions and classes ---------------------------------------------------------------------------------------------- */

static void visit_parameters(TySymbolTable *t, TyAstarguments *parameters)
{
    const TyNodeList *lists[] = {&parameters->posonlyargs, &parameters->args, &parameters->kwonlyargs};
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < lists[l]->count; i++)
            add_symbol(t, TY_AST(arg, lists[l]->items[i])->arg, TY_SYMBOL_PARAMETER, ty_place(lists[l]->items[i]));
    if (parameters->vararg) {
        add_symbol(t, TY_AST(arg, parameters->vararg)->arg, TY_SYMBOL_PARAMETER, ty_place(parameters->vararg));
        current(t)->star = true;
    }
    if (parameters->kwarg) {
        add_symbol(t, TY_AST(arg, parameters->kwarg)->arg, TY_SYMBOL_PARAMETER, ty_place(parameters->kwarg));
        current(t)->star_star = true;
    }
}

static void visit_defaults(TySymbolTable *t, TyAstarguments *parameters)
{
    visit_list(t, &parameters->defaults);
    visit_list(t, &parameters->kw_defaults);
}

static void use_class_dict(TySymbolTable *t, TyPlace place)
{
    current(t)->sees_class = true;
    add_symbol(t, TY_NAME("__classdict__"), TY_SYMBOL_USE, place);
}

static void visit_parameter_annotations(TySymbolTable *t, TyNode *function, TyAstarguments *parameters, TyNode *returns)
{
    TyScope *outer = current(t);
    bool in_class = outer->sees_class || outer->type == TY_BLOCK_CLASS;
    TyScope *scope = enter(t, TY_NAME("__annotate__"), TY_BLOCK_ANNOTATION, parameters, ty_place(function));
    if (!scope)
        return;
    scope->function_name = TY_AST(FunctionDef, function)->name;
    if (in_class)
        use_class_dict(t, ty_place(function));
    const TyNodeList *before[] = {&parameters->posonlyargs, &parameters->args};
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < before[l]->count; i++)
            visit(t, TY_AST(arg, before[l]->items[i])->annotation);
    if (parameters->vararg)
        visit(t, TY_AST(arg, parameters->vararg)->annotation);
    if (parameters->kwarg)
        visit(t, TY_AST(arg, parameters->kwarg)->annotation);
    for (int i = 0; i < parameters->kwonlyargs.count; i++)
        visit(t, TY_AST(arg, parameters->kwonlyargs.items[i])->annotation);
    visit(t, returns);
    leave(t);
}

/* The annotation of a variable. All those of a block are evaluated by one function. */
static void visit_annotation(TySymbolTable *t, TyNode *annotation)
{
    if (t->failed)
        return;
    TyScope *scope = current(t);
    /* A module may be seen half executed, so there each annotation is conditional. */
    bool conditional = (scope->type == TY_BLOCK_CLASS && scope->conditional_depth) || scope->type == TY_BLOCK_MODULE;
    if (conditional && !scope->conditional_annotations) {
        scope->conditional_annotations = true;
        add_symbol(t, TY_NAME("__conditional_annotations__"), TY_SYMBOL_USE, ty_place(annotation));
    }
    bool unevaluated = scope->type == TY_BLOCK_FUNCTION;
    if (!scope->annotation_block) {
        if (!enter(t, TY_NAME("__annotate__"), TY_BLOCK_ANNOTATION, (const char *)scope + 1, ty_place(annotation)))
            return;
        scope->annotation_block = current(t);
        if (scope->type == TY_BLOCK_CLASS && !(t->future_flags & TY_FUTURE_ANNOTATIONS))
            use_class_dict(t, ty_place(annotation));
    } else {
        push_scope(t, scope->annotation_block, false);
    }
    if (t->failed)
        return;
    current(t)->in_unevaluated_annotation = unevaluated;
    visit(t, annotation);
    if (!t->failed)
        current(t)->in_unevaluated_annotation = false;
    leave(t);
}

static void enter_type_parameters(TySymbolTable *t, Value name, const TyNodeList *type_parameters, bool defaults, bool keyword_defaults, bool is_class, const TyNode *node)
{
    bool in_class = !t->failed && current(t)->type == TY_BLOCK_CLASS;
    TyPlace place = ty_place(node);
    if (!enter(t, name, TY_BLOCK_TYPE_PARAMETERS, type_parameters, place))
        return;
    if (in_class)
        use_class_dict(t, place);
    if (is_class) {
        add_symbol(t, TY_NAME(".type_params"), TY_SYMBOL_LOCAL, place);
        add_symbol(t, TY_NAME(".type_params"), TY_SYMBOL_USE, place);
        add_symbol(t, TY_NAME(".generic_base"), TY_SYMBOL_LOCAL, place);
        add_symbol(t, TY_NAME(".generic_base"), TY_SYMBOL_USE, place);
    }
    if (defaults)
        add_symbol(t, TY_NAME(".defaults"), TY_SYMBOL_PARAMETER, place);
    if (keyword_defaults)
        add_symbol(t, TY_NAME(".kwdefaults"), TY_SYMBOL_PARAMETER, place);
}

static void visit_late_value(TySymbolTable *t, TyNode *e, Value name, const void *key, const char *description)
{
    if (!e || t->failed)
        return;
    bool in_class = current(t)->sees_class;
    if (!enter(t, name, TY_BLOCK_TYPE_VARIABLE, key, ty_place(e)))
        return;
    current(t)->description = description;
    if (in_class)
        use_class_dict(t, ty_place(e));
    visit(t, e);
    leave(t);
}

static void visit_type_parameter(TySymbolTable *t, TyNode *node)
{
    Value name;
    TyNode *bound = NULL, *default_value;
    const char *default_description;
    switch (node->kind) {
    case TY_AST_TypeVar:
        name = TY_AST(TypeVar, node)->name, bound = TY_AST(TypeVar, node)->bound, default_value = TY_AST(TypeVar, node)->default_value;
        default_description = "a TypeVar default";
        break;
    case TY_AST_ParamSpec:
        name = TY_AST(ParamSpec, node)->name, default_value = TY_AST(ParamSpec, node)->default_value;
        default_description = "a ParamSpec default";
        break;
    default:
        name = TY_AST(TypeVarTuple, node)->name, default_value = TY_AST(TypeVarTuple, node)->default_value;
        default_description = "a TypeVarTuple default";
        break;
    }
    if (name == TY_NAME("__classdict__")) {
        ERROR(t, ty_place(node), "reserved name '%U' cannot be used for type parameter", name);
        return;
    }
    add_symbol(t, name, TY_SYMBOL_TYPE_PARAMETER | TY_SYMBOL_LOCAL, ty_place(node));
    visit_late_value(t, bound, name, node, bound && bound->kind == TY_AST_Tuple ? "a TypeVar constraint" : "a TypeVar bound");
    visit_late_value(t, default_value, name, (const char *)node + 1, default_description);
}

static bool has_keyword_defaults(const TyAstarguments *parameters)
{
    for (int i = 0; i < parameters->kw_defaults.count; i++)
        if (parameters->kw_defaults.items[i])
            return true;
    return false;
}

static void visit_function(TySymbolTable *t, TyNode *node)
{
    TyAstFunctionDef *f = TY_AST(FunctionDef, node); /* AsyncFunctionDef has the same fields */
    TyAstarguments *parameters = TY_AST(arguments, f->args);
    TyPlace place = ty_place(node);
    add_symbol(t, f->name, TY_SYMBOL_LOCAL, place);
    visit_defaults(t, parameters);
    visit_list(t, &f->decorator_list);
    if (f->type_params.count) {
        enter_type_parameters(t, f->name, &f->type_params, parameters->defaults.count > 0, has_keyword_defaults(parameters), false, node);
        visit_list(t, &f->type_params);
    }
    if (t->failed)
        return;
    TyScope *scope = new_scope(t, f->name, TY_BLOCK_FUNCTION, node, place);
    visit_parameter_annotations(t, node, parameters, f->returns);
    if (t->failed)
        return;
    push_scope(t, scope, true);
    scope->coroutine = node->kind == TY_AST_AsyncFunctionDef;
    visit_parameters(t, parameters);
    visit_list(t, &f->body);
    leave(t);
    if (f->type_params.count)
        leave(t);
}

static void visit_class(TySymbolTable *t, TyAstClassDef *c)
{
    TyPlace place = ty_place(&c->node);
    add_symbol(t, c->name, TY_SYMBOL_LOCAL, place);
    visit_list(t, &c->decorator_list);
    Value outer_class = t->class_name;
    if (c->type_params.count) {
        enter_type_parameters(t, c->name, &c->type_params, false, false, true, &c->node);
        if (t->failed)
            return;
        current(t)->mangled_names = ty_arena_allocate_zeroed(&t->arena, sizeof(TyNames));
        if (!current(t)->mangled_names) {
            fail_memory(t);
            return;
        }
        t->class_name = c->name;
        visit_list(t, &c->type_params);
    }
    visit_list(t, &c->bases);
    visit_keywords(t, &c->keywords);
    if (!enter(t, c->name, TY_BLOCK_CLASS, c, place))
        return;
    t->class_name = c->name;
    if (c->type_params.count) {
        add_symbol(t, TY_NAME("__type_params__"), TY_SYMBOL_LOCAL, place);
        add_symbol(t, TY_NAME(".type_params"), TY_SYMBOL_USE, place);
    }
    visit_list(t, &c->body);
    leave(t);
    if (c->type_params.count)
        leave(t);
    t->class_name = outer_class;
}

static void visit_type_alias(TySymbolTable *t, TyAstTypeAlias *a)
{
    visit(t, a->name);
    if (t->failed)
        return;
    Value name = TY_AST(Name, a->name)->id;
    bool in_class = current(t)->type == TY_BLOCK_CLASS;
    if (a->type_params.count) {
        enter_type_parameters(t, name, &a->type_params, false, false, false, &a->node);
        visit_list(t, &a->type_params);
    }
    if (!enter(t, name, TY_BLOCK_TYPE_ALIAS, a, ty_place(&a->node)))
        return;
    if (in_class)
        use_class_dict(t, ty_place(a->value));
    visit(t, a->value);
    leave(t);
    if (a->type_params.count)
        leave(t);
}

static void visit_lambda(TySymbolTable *t, TyAstLambda *e)
{
    visit_defaults(t, TY_AST(arguments, e->args));
    if (!enter(t, TY_NAME("lambda"), TY_BLOCK_FUNCTION, e, ty_place(&e->node)))
        return;
    visit_parameters(t, TY_AST(arguments, e->args));
    visit(t, e->body);
    leave(t);
}

/* --- statements --------------------------------------------------------------------------------------------------------- */

static void visit_declaration(TySymbolTable *t, TyNode *node, const TyIdentifierList *names, bool is_global)
{
    const char *word = is_global ? "global" : "nonlocal";
    for (int i = 0; i < names->count && !t->failed; i++) {
        Value name = names->items[i];
        uint32_t symbol = look_up(t, current(t), name);
        if (symbol & TY_SYMBOL_PARAMETER)
            ERROR(t, ty_place(node), "name '%U' is parameter and %s", name, word);
        else if (symbol & TY_SYMBOL_USE)
            ERROR(t, ty_place(node), "name '%U' is used prior to %s declaration", name, word);
        else if (symbol & TY_SYMBOL_ANNOTATED)
            ERROR(t, ty_place(node), "annotated name '%U' can't be %s", name, word);
        else if (symbol & TY_SYMBOL_LOCAL)
            ERROR(t, ty_place(node), "name '%U' is assigned to before %s declaration", name, word);
        if (t->failed)
            return;
        add_symbol(t, name, is_global ? TY_SYMBOL_GLOBAL : TY_SYMBOL_NONLOCAL, ty_place(node));
        add_directive(t, name, ty_place(node));
    }
}

static void visit_annotated_assignment(TySymbolTable *t, TyAstAnnAssign *s)
{
    TyScope *scope = current(t);
    if (s->target->kind == TY_AST_Name) {
        Value name = TY_AST(Name, s->target)->id;
        uint32_t symbol = look_up(t, scope, name);
        if (s->simple && scope != t->stack[0] && (symbol & (TY_SYMBOL_GLOBAL | TY_SYMBOL_NONLOCAL))) {
            ERROR(t, ty_place(&s->node), "annotated name '%U' can't be %s", name, symbol & TY_SYMBOL_GLOBAL ? "global" : "nonlocal");
            return;
        }
        if (s->simple)
            add_symbol(t, name, TY_SYMBOL_ANNOTATED | TY_SYMBOL_LOCAL, ty_place(s->target));
        else if (s->value)
            add_symbol(t, name, TY_SYMBOL_LOCAL, ty_place(s->target));
    } else {
        visit(t, s->target);
    }
    visit_annotation(t, s->annotation);
    if (s->value)
        visit(t, s->value);
}

static void visit_alias(TySymbolTable *t, TyAstalias *alias)
{
    Value name = alias->asname != TY_NULL ? alias->asname : alias->name;
    if (ty_str_equal_text(alias->name, "*")) {
        if (current(t)->type != TY_BLOCK_MODULE)
            ERROR(t, ty_place(&alias->node), "import * only allowed at module level");
        return;
    }
    int64_t dot = ty_str_find_char(name, '.', 0, ty_str_length(name), 1);
    if (dot >= 0) {
        name = ty_str_slice(name, 0, dot);
        name = name == TY_NULL ? TY_NULL : ty_intern(name);
        if (name == TY_NULL || !ty_kept_values_add(&t->kept, name)) {
            t->failed = true;
            return;
        }
    }
    add_symbol(t, name, TY_SYMBOL_IMPORT, ty_place(&alias->node));
}

static void visit_fields(TySymbolTable *t, TyNode *node)
{
    const TyAstKindInfo *info = &ty_ast_kinds[node->kind];
    for (int i = 0; i < info->field_count && !t->failed; i++) {
        const TyAstField *field = &info->fields[i];
        TyAstSumForm form = ty_ast_sums[field->type].form;
        if (form != TY_AST_IS_SUM && form != TY_AST_IS_PRODUCT)
            continue;
        const char *place = (const char *)node + field->offset;
        if (field->arity == TY_AST_IS_LIST || field->arity == TY_AST_IS_LIST_OF_OPTIONAL)
            visit_list(t, (const TyNodeList *)place);
        else
            visit(t, *(TyNode *const *)place);
    }
}

static void visit_list(TySymbolTable *t, const TyNodeList *list)
{
    for (int i = 0; i < list->count && !t->failed; i++)
        visit(t, list->items[i]);
}

static void require_async_function(TySymbolTable *t, TyNode *node, const char *what)
{
    TyScope *scope = current(t);
    if (top_level_await(t, scope))
        scope->coroutine = true;
    else if (!in_async_function(scope))
        ERROR(t, ty_place(node), "'%s' outside async function", what);
}

static void visit_match_class(TySymbolTable *t, TyAstMatchClass *p)
{
    visit(t, p->cls);
    visit_list(t, &p->patterns);
    for (int i = 0; i < p->kwd_attrs.count; i++)
        if (refuse_debug(t, p->kwd_attrs.items[i], ty_place(p->kwd_patterns.items[i]), TY_AST_Store))
            return;
    visit_list(t, &p->kwd_patterns);
}

static void add_optional_capture(TySymbolTable *t, Value name, TyNode *node)
{
    if (name != TY_NULL)
        add_symbol(t, name, TY_SYMBOL_LOCAL, ty_place(node));
}

static void visit(TySymbolTable *t, TyNode *node)
{
    if (!node || t->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        t->failed = true;
        return;
    }
    TyScope *scope = current(t);
    switch (node->kind) {
    case TY_AST_FunctionDef:
    case TY_AST_AsyncFunctionDef:
        visit_function(t, node);
        break;
    case TY_AST_ClassDef:
        visit_class(t, TY_AST(ClassDef, node));
        break;
    case TY_AST_TypeAlias:
        visit_type_alias(t, TY_AST(TypeAlias, node));
        break;
    case TY_AST_Return:
        if (TY_AST(Return, node)->value) {
            visit(t, TY_AST(Return, node)->value);
            scope->returns_value = true;
        }
        break;
    case TY_AST_AnnAssign:
        visit_annotated_assignment(t, TY_AST(AnnAssign, node));
        break;
    case TY_AST_Global:
        visit_declaration(t, node, &TY_AST(Global, node)->names, true);
        break;
    case TY_AST_Nonlocal:
        visit_declaration(t, node, &TY_AST(Nonlocal, node)->names, false);
        break;
    case TY_AST_AsyncFor:
    case TY_AST_AsyncWith:
        require_async_function(t, node, node->kind == TY_AST_AsyncFor ? "async for" : "async with");
        /* fall through */
    case TY_AST_For:
    case TY_AST_With:
    case TY_AST_While:
    case TY_AST_If:
    case TY_AST_Match:
    case TY_AST_Try:
    case TY_AST_TryStar:
        scope->conditional_depth++;
        visit_fields(t, node);
        scope->conditional_depth--;
        break;
    case TY_AST_ExceptHandler:
        visit(t, TY_AST(ExceptHandler, node)->type);
        add_optional_capture(t, TY_AST(ExceptHandler, node)->name, node);
        visit_list(t, &TY_AST(ExceptHandler, node)->body);
        break;
    case TY_AST_alias:
        visit_alias(t, TY_AST(alias, node));
        break;
    case TY_AST_NamedExpr:
        visit_named_expression(t, TY_AST(NamedExpr, node));
        break;
    case TY_AST_Lambda:
        visit_lambda(t, TY_AST(Lambda, node));
        break;
    case TY_AST_ListComp:
        visit_comprehension(t, node, TY_NAME("listcomp"), TY_COMPREHENSION_LIST, &TY_AST(ListComp, node)->generators, TY_AST(ListComp, node)->elt, NULL);
        break;
    case TY_AST_SetComp:
        visit_comprehension(t, node, TY_NAME("setcomp"), TY_COMPREHENSION_SET, &TY_AST(SetComp, node)->generators, TY_AST(SetComp, node)->elt, NULL);
        break;
    case TY_AST_DictComp:
        visit_comprehension(t, node, TY_NAME("dictcomp"), TY_COMPREHENSION_DICT, &TY_AST(DictComp, node)->generators, TY_AST(DictComp, node)->key, TY_AST(DictComp, node)->value);
        break;
    case TY_AST_GeneratorExp:
        visit_comprehension(t, node, TY_NAME("genexpr"), TY_COMPREHENSION_GENERATOR, &TY_AST(GeneratorExp, node)->generators, TY_AST(GeneratorExp, node)->elt, NULL);
        break;
    case TY_AST_Yield:
        visit_yield(t, node, TY_AST(Yield, node)->value);
        break;
    case TY_AST_YieldFrom:
        visit_yield(t, node, TY_AST(YieldFrom, node)->value);
        break;
    case TY_AST_Await:
        visit_await(t, TY_AST(Await, node));
        break;
    case TY_AST_Call:
        visit(t, TY_AST(Call, node)->func);
        visit_list(t, &TY_AST(Call, node)->args);
        visit_keywords(t, &TY_AST(Call, node)->keywords);
        break;
    case TY_AST_Attribute:
        if (!refuse_debug(t, TY_AST(Attribute, node)->attr, ty_place(node), TY_AST(Attribute, node)->ctx))
            visit(t, TY_AST(Attribute, node)->value);
        break;
    case TY_AST_Name:
        visit_name(t, TY_AST(Name, node));
        break;
    case TY_AST_MatchStar:
        add_optional_capture(t, TY_AST(MatchStar, node)->name, node);
        break;
    case TY_AST_MatchAs:
        visit(t, TY_AST(MatchAs, node)->pattern);
        add_optional_capture(t, TY_AST(MatchAs, node)->name, node);
        break;
    case TY_AST_MatchMapping:
        visit_list(t, &TY_AST(MatchMapping, node)->keys);
        visit_list(t, &TY_AST(MatchMapping, node)->patterns);
        add_optional_capture(t, TY_AST(MatchMapping, node)->rest, node);
        break;
    case TY_AST_MatchClass:
        visit_match_class(t, TY_AST(MatchClass, node));
        break;
    case TY_AST_TypeVar:
    case TY_AST_ParamSpec:
    case TY_AST_TypeVarTuple:
        visit_type_parameter(t, node);
        break;
    default:
        visit_fields(t, node);
        break;
    }
}

/* --- where names live ----------------------------------------------------------------------------------------------------- */

/* What a block is told by those around it. `bound`: names bound in enclosing functions; NULL at the module. */
typedef struct Surroundings {
    TyNames *bound, *global, *type_parameters;
    const TyScope *visible_class;
} Surroundings;

static void set_add(TySymbolTable *t, TyNames *set, Value name, int32_t number)
{
    if (!ty_names_set(&t->arena, set, name, number))
        fail_memory(t);
}

static void set_add_all(TySymbolTable *t, TyNames *set, const TyNames *others)
{
    if (others && !ty_names_add_all(&t->arena, set, others))
        fail_memory(t);
}

static TyPlace directive_place(const TyScope *scope, Value name)
{
    for (int i = 0; i < scope->directive_count; i++)
        if (scope->directives[i].name == name)
            return scope->directives[i].place;
    return scope->place;
}

static TyScopeKind resolve_nonlocal(TySymbolTable *t, TyScope *scope, Value name, TyNames *free, const Surroundings *around)
{
    if (!around->bound)
        ERROR(t, directive_place(scope, name), "nonlocal declaration not allowed at module level");
    else if (!ty_names_has(around->bound, name))
        ERROR(t, directive_place(scope, name), "no binding for nonlocal '%U' found", name);
    else if (ty_names_has(around->type_parameters, name))
        ERROR(t, directive_place(scope, name), "nonlocal binding not allowed for type parameter '%U'", name);
    if (t->failed)
        return TY_SCOPE_NONE;
    scope->free = true;
    set_add(t, free, name, 1);
    return TY_SCOPE_FREE;
}

static TyScopeKind resolve(TySymbolTable *t, TyScope *scope, Value name, uint32_t symbol, TyNames *local, TyNames *free, const Surroundings *around)
{
    if (symbol & TY_SYMBOL_GLOBAL) {
        if (symbol & TY_SYMBOL_NONLOCAL) {
            ERROR(t, directive_place(scope, name), "name '%U' is nonlocal and global", name);
            return TY_SCOPE_NONE;
        }
        set_add(t, around->global, name, 1);
        if (around->bound)
            ty_names_remove(around->bound, name);
        return TY_SCOPE_GLOBAL_EXPLICIT;
    }
    if (symbol & TY_SYMBOL_NONLOCAL)
        return resolve_nonlocal(t, scope, name, free, around);
    if (symbol & TY_SYMBOL_BOUND) {
        set_add(t, local, name, 1);
        ty_names_remove(around->global, name);
        if (symbol & TY_SYMBOL_TYPE_PARAMETER)
            set_add(t, around->type_parameters, name, 1);
        else
            ty_names_remove(around->type_parameters, name);
        return TY_SCOPE_LOCAL;
    }
    if (around->visible_class && name != TY_NAME("__classdict__")) {
        /* A name bound by the class that is seen from here is looked up in its namespace, then among the globals: never in functions around. */
        uint32_t in_class = ty_scope_symbol(around->visible_class, name);
        if (in_class & TY_SYMBOL_GLOBAL)
            return TY_SCOPE_GLOBAL_EXPLICIT;
        if ((in_class & TY_SYMBOL_BOUND) && !(in_class & TY_SYMBOL_NONLOCAL))
            return TY_SCOPE_GLOBAL_IMPLICIT;
    }
    if (around->bound && ty_names_has(around->bound, name)) {
        scope->free = true;
        set_add(t, free, name, 1);
        return TY_SCOPE_FREE;
    }
    return TY_SCOPE_GLOBAL_IMPLICIT;
}

static bool is_free_in_a_child(const TyScope *scope, Value name)
{
    for (int i = 0; i < scope->child_count; i++)
        if (ty_scope_kind(scope->children[i], name) == TY_SCOPE_FREE)
            return true;
    return false;
}

/* Merges an inlined comprehension's names into those of the block that it becomes a part of. */
static void inline_comprehension(TySymbolTable *t, TyScope *scope, TyScope *inner, TyNames *kinds, TyNames *inner_free, TyNames *inlined_cells)
{
    Value class_cells[] = {TY_NAME("__class__"), TY_NAME("__classdict__"), TY_NAME("__conditional_annotations__")};
    for (int i = 0; i < inner->symbols.count; i++) {
        Value name = inner->symbols.entries[i].name;
        uint32_t symbol = (uint32_t)inner->symbols.entries[i].number;
        if (inner->symbols.entries[i].number == TY_NAMES_ABSENT || (symbol & TY_SYMBOL_PARAMETER))
            continue;
        TyScopeKind kind = ty_symbol_kind(symbol);
        uint32_t flags = symbol & ~(uint32_t)(TY_SYMBOL_SCOPE_MASK << TY_SYMBOL_SCOPE_SHIFT);
        if (kind == TY_SCOPE_CELL || (flags & TY_SYMBOL_COMPREHENSION_CELL))
            set_add(t, inlined_cells, name, 1);
        if (kind == TY_SCOPE_FREE && scope->type == TY_BLOCK_CLASS && (name == class_cells[0] || name == class_cells[1] || name == class_cells[2])) {
            /* The class's own code can't see its cells. */
            kind = TY_SCOPE_GLOBAL_IMPLICIT;
            if (!is_free_in_a_child(inner, name))
                ty_names_remove(inner_free, name);
            inner->symbols.entries[i].number = TY_NAMES_ABSENT;
        }
        uint32_t existing = ty_scope_symbol(scope, name);
        if (!ty_names_has(&scope->symbols, name)) {
            set_add(t, &scope->symbols, name, (int32_t)(flags | TY_SYMBOL_INLINED));
            set_add(t, kinds, name, kind);
        } else if ((existing & TY_SYMBOL_BOUND) && scope->type != TY_BLOCK_CLASS && !is_free_in_a_child(inner, name)) {
            ty_names_remove(inner_free, name);
        }
    }
}

static void splice_inlined_children(TySymbolTable *t, TyScope *scope)
{
    int total = 0;
    for (int i = 0; i < scope->child_count; i++)
        total += scope->children[i]->inlined ? scope->children[i]->child_count : 1;
    TyScope **children = ty_arena_allocate(&t->arena, (size_t)(total + 1) * sizeof *children);
    if (!children) {
        fail_memory(t);
        return;
    }
    int n = 0;
    for (int i = 0; i < scope->child_count; i++) {
        TyScope *child = scope->children[i];
        if (child->inlined)
            for (int j = 0; j < child->child_count; j++)
                children[n++] = child->children[j];
        else
            children[n++] = child;
    }
    scope->children = children;
    scope->child_count = scope->child_capacity = total;
}

static void make_cells(TyNames *kinds, TyNames *free, const TyNames *inlined_cells)
{
    for (int i = 0; i < kinds->count; i++) {
        TyNameEntry *entry = &kinds->entries[i];
        if (entry->number != TY_SCOPE_LOCAL || (!ty_names_has(free, entry->name) && !ty_names_has(inlined_cells, entry->name)))
            continue;
        entry->number = TY_SCOPE_CELL;
        ty_names_remove(free, entry->name);
    }
}

static bool take(TyNames *set, Value name)
{
    bool had = ty_names_has(set, name);
    if (had)
        ty_names_remove(set, name);
    return had;
}

static void record_kinds(TySymbolTable *t, TyScope *scope, const TyNames *kinds, const TyNames *bound, const TyNames *free, const TyNames *inlined_cells)
{
    bool sees_class = scope->type == TY_BLOCK_CLASS || scope->sees_class;
    for (int i = 0; i < scope->symbols.count; i++) {
        TyNameEntry *entry = &scope->symbols.entries[i];
        if (entry->number == TY_NAMES_ABSENT)
            continue;
        uint32_t symbol = (uint32_t)entry->number;
        if (ty_names_has(inlined_cells, entry->name))
            symbol |= TY_SYMBOL_COMPREHENSION_CELL;
        int32_t kind = ty_names_get(kinds, entry->name);
        entry->number = (int32_t)(symbol | (uint32_t)(kind < 0 ? 0 : kind) << TY_SYMBOL_SCOPE_SHIFT);
    }
    for (int i = 0; i < free->count; i++) {
        Value name = free->entries[i].name;
        if (free->entries[i].number == TY_NAMES_ABSENT)
            continue;
        if (ty_names_has(&scope->symbols, name)) {
            if (sees_class)
                set_add(t, &scope->symbols, name, (int32_t)(ty_scope_symbol(scope, name) | TY_SYMBOL_FREE_CLASS));
            continue;
        }
        if (bound && !ty_names_has(bound, name))
            continue; /* a global */
        set_add(t, &scope->symbols, name, TY_SCOPE_FREE << TY_SYMBOL_SCOPE_SHIFT);
    }
}

static void analyse(TySymbolTable *t, TyScope *scope, TyNames *free, const Surroundings *around);

static void analyse_child(TySymbolTable *t, TyScope *scope, TyScope *child, TyNames *kinds, TyNames *new_free, TyNames *inlined_cells, const Surroundings *inside, const TyScope *outer_class)
{
    TyNames bound = {0}, global = {0}, type_parameters = {0}, child_free = {0};
    set_add_all(t, &bound, inside->bound);
    set_add_all(t, &global, inside->global);
    set_add_all(t, &type_parameters, inside->type_parameters);
    Surroundings around = {.bound = &bound, .global = &global, .type_parameters = &type_parameters};
    if (child->sees_class)
        around.visible_class = scope->type == TY_BLOCK_CLASS ? scope : outer_class;
    bool is_inlined = child->comprehension && child->comprehension != TY_COMPREHENSION_GENERATOR && !scope->sees_class;
    if (t->failed)
        return;
    analyse(t, child, &child_free, &around);
    if (t->failed)
        return;
    if (is_inlined) {
        inline_comprehension(t, scope, child, kinds, &child_free, inlined_cells);
        child->inlined = true;
    }
    set_add_all(t, new_free, &child_free);
    if (child->free || child->child_free)
        scope->child_free = true;
}

static void analyse(TySymbolTable *t, TyScope *scope, TyNames *free, const Surroundings *around)
{
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        t->failed = true;
        return;
    }
    TyNames local = {0}, kinds = {0}, new_bound = {0}, new_global = {0}, new_free = {0}, inlined_cells = {0};
    bool is_class = scope->type == TY_BLOCK_CLASS;
    if (is_class) { /* what a class binds is not seen by its functions: they see what was bound before */
        set_add_all(t, &new_global, around->global);
        set_add_all(t, &new_bound, around->bound);
    }
    int own_symbols = scope->symbols.count;
    for (int i = 0; i < own_symbols && !t->failed; i++) {
        TyNameEntry entry = scope->symbols.entries[i];
        if (entry.number != TY_NAMES_ABSENT)
            set_add(t, &kinds, entry.name, resolve(t, scope, entry.name, (uint32_t)entry.number, &local, free, around));
    }
    if (t->failed)
        return;
    if (is_class) {
        set_add(t, &new_bound, TY_NAME("__class__"), 1);
        set_add(t, &new_bound, TY_NAME("__classdict__"), 1);
        set_add(t, &new_bound, TY_NAME("__conditional_annotations__"), 1);
    } else {
        if (ty_scope_is_function_like(scope))
            set_add_all(t, &new_bound, &local);
        set_add_all(t, &new_bound, around->bound);
        set_add_all(t, &new_global, around->global);
    }
    Surroundings inside = {.bound = &new_bound, .global = &new_global, .type_parameters = around->type_parameters};
    bool any_inlined = false;
    for (int i = 0; i < scope->child_count && !t->failed; i++) {
        analyse_child(t, scope, scope->children[i], &kinds, &new_free, &inlined_cells, &inside, around->visible_class);
        any_inlined |= scope->children[i]->inlined;
    }
    if (any_inlined && !t->failed)
        splice_inlined_children(t, scope);
    if (t->failed)
        return;
    if (ty_scope_is_function_like(scope)) {
        make_cells(&kinds, &new_free, &inlined_cells);
    } else if (is_class) {
        scope->needs_class_cell |= take(&new_free, TY_NAME("__class__"));
        scope->needs_class_dict |= take(&new_free, TY_NAME("__classdict__"));
        scope->conditional_annotations |= take(&new_free, TY_NAME("__conditional_annotations__"));
    }
    record_kinds(t, scope, &kinds, around->bound, &new_free, &inlined_cells);
    set_add_all(t, free, &new_free);
}

/* --- future imports ------------------------------------------------------------------------------------------------------------ */

typedef struct FutureFeature { const char *name; uint32_t flag; } FutureFeature;

static const FutureFeature future_features[] = {
    {"nested_scopes", 0}, {"generators", 0}, {"division", 0}, {"absolute_import", 0}, {"with_statement", 0}, {"print_function", 0},
    {"unicode_literals", 0}, {"generator_stop", 0}, {"barry_as_FLUFL", TY_FUTURE_BARRY_AS_BDFL}, {"annotations", TY_FUTURE_ANNOTATIONS},
};

static bool apply_future_import(const TyAstImportFrom *import, Value filename, uint32_t *flags)
{
    for (int i = 0; i < import->names.count; i++) {
        TyAstalias *alias = TY_AST(alias, import->names.items[i]);
        size_t f = 0;
        while (f < TY_COUNT_OF(future_features) && !ty_str_equal_text(alias->name, future_features[f].name))
            f++;
        if (f < TY_COUNT_OF(future_features)) {
            *flags |= future_features[f].flag;
        } else if (ty_str_equal_text(alias->name, "braces")) {
            ty_report_syntax_error(filename, ty_place(&alias->node), "not a chance");
            return false;
        } else {
            ty_report_syntax_error(filename, ty_place(&alias->node), "future feature %U is not defined", alias->name);
            return false;
        }
    }
    return true;
}

static bool is_string_statement(const TyNode *node)
{
    if (node->kind != TY_AST_Expr || TY_AST(Expr, node)->value->kind != TY_AST_Constant)
        return false;
    return ty_is_str(TY_AST(Constant, TY_AST(Expr, node)->value)->value);
}

bool ty_future_flags(const TyAst *tree, Value filename, uint32_t *flags, int *last_line)
{
    TyNodeList *body;
    *last_line = -1;
    if (tree->root->kind == TY_AST_Module)
        body = &TY_AST(Module, tree->root)->body;
    else if (tree->root->kind == TY_AST_Interactive)
        body = &TY_AST(Interactive, tree->root)->body;
    else
        return true;
    bool done = false;
    for (int i = 0; i < body->count; i++) {
        TyNode *node = body->items[i];
        bool is_future = node->kind == TY_AST_ImportFrom && TY_AST(ImportFrom, node)->level == 0 && TY_AST(ImportFrom, node)->module != TY_NULL
            && TY_AST(ImportFrom, node)->module == TY_NAME("__future__");
        if (is_future) {
            if (done) {
                ty_report_syntax_error(filename, ty_place(node), "from __future__ imports must occur at the beginning of the file");
                return false;
            }
            if (!apply_future_import(TY_AST(ImportFrom, node), filename, flags))
                return false;
            *last_line = node->lineno;
        } else if (!(i == 0 && is_string_statement(node))) {
            done = true;
        }
    }
    return true;
}

/* --- the whole -------------------------------------------------------------------------------------------------------------------- */

TySymbolTable *ty_symbol_table_new(const TyAst *tree, Value filename, uint32_t future_flags)
{
    TySymbolTable *t = calloc(1, sizeof *t);
    if (!t) {
        ty_raise_memory_error();
        return NULL;
    }
    ty_arena_init(&t->arena);
    t->filename = filename;
    t->future_flags = future_flags;
    if (!ty_kept_values_init(&t->kept)) {
        free(t);
        return NULL;
    }
    if (!ty_kept_values_add(&t->kept, filename))
        t->failed = true;
    if (tree->root->kind == TY_AST_FunctionType) {
        ty_raise(&ty_RuntimeError, "this compiler does not handle FunctionTypes");
        t->failed = true;
    }
    t->top = t->failed ? NULL : enter(t, TY_NAME("top"), TY_BLOCK_MODULE, tree->root, (TyPlace){0, 0, 0, 0});
    if (!t->failed)
        visit_fields(t, tree->root);
    leave(t);
    if (!t->failed) {
        TyNames free = {0}, global = {0}, type_parameters = {0};
        Surroundings around = {.global = &global, .type_parameters = &type_parameters};
        analyse(t, t->top, &free, &around);
    }
    if (t->failed) {
        ty_symbol_table_free(t);
        return NULL;
    }
    return t;
}

void ty_symbol_table_free(TySymbolTable *t)
{
    if (!t)
        return;
    ty_kept_values_free(&t->kept);
    ty_arena_free(&t->arena);
    free(t);
}
