#include "compile/compiler.h"

#include "object/int.h"
#include "object/list.h"
#include "object/tuple.h"
#include "syntax/unparse.h"

/* What makes code objects: modules, functions, classes, type parameters and the functions that evaluate annotations. */

static TyPlace line_place(int line) { return (TyPlace){line, line, 0, 0}; }

static TyPlace unit_place(const TyUnit *u) { return line_place(u->first_line); }

/* --- beginnings and ends ------------------------------------------------------------------------------------------------- */

static bool is_generator_like(const TyUnit *u)
{
    return u->scope->generator || u->scope->coroutine;
}

void ty_unit_prologue(TyCompiler *c)
{
    TyUnit *u = c->unit;
    TyPlace place = u->scope->type == TY_BLOCK_MODULE ? line_place(0) : unit_place(u);
    bool prepares = is_generator_like(u) || u->cell_count > 0;
    for (int i = 0; i < u->local_count; i++)
        prepares |= u->locals[i].kind & TY_REGISTER_CELL;
    ty_emit(c, place, prepares ? TY_OP_BEGIN : TY_OP_RESUME, 0, 0, 0);
    for (int i = 0; i < u->local_count; i++)
        if (u->locals[i].kind & TY_REGISTER_CELL)
            ty_emit(c, TY_NO_PLACE, TY_OP_MAKE_CELL, (TyRegister)i, 0, 0);
    for (int i = 0; i < u->cell_count; i++)
        ty_emit(c, TY_NO_PLACE, TY_OP_MAKE_CELL, TY_KIND_CELL | (uint32_t)i, 0, 0);
    if (is_generator_like(u))
        ty_emit(c, place, TY_OP_MAKE_GENERATOR, 0, 0, 0);
    if (prepares)
        ty_emit(c, place, TY_OP_RESUME, 0, 0, 0);
}

/* A StopIteration must not leave a generator as it is. */
int32_t ty_wrap_generator_begin(TyCompiler *c)
{
    TyUnit *u = c->unit;
    if (!is_generator_like(u))
        return -1;
    int32_t handler_label = ty_new_label(c);
    u->handler = ty_new_handler(c, handler_label, TY_KIND_TEMPORARY);
    return handler_label;
}

void ty_wrap_generator_end(TyCompiler *c, int32_t handler_label)
{
    TyUnit *u = c->unit;
    if (!is_generator_like(u) || c->failed)
        return;
    u->handler = -1;
    u->top = 0;
    ty_place_label(c, handler_label);
    TyRegister exception = ty_push(c);
    ty_emit(c, TY_NO_PLACE, TY_OP_INTRINSIC, exception, exception, TY_INTRINSIC_STOP_ITERATION);
    ty_emit_imm(c, TY_NO_PLACE, TY_OP_RERAISE, exception, 0);
    u->top = 0;
}

/* --- docstrings -------------------------------------------------------------------------------------------------------------- */

static Value docstring_of(TyCompiler *c, const TyNodeList *body)
{
    if (!body->count || body->items[0]->kind != TY_AST_Expr)
        return TY_NULL;
    TyNode *value = TY_AST(Expr, body->items[0])->value;
    if (value->kind != TY_AST_Constant || !ty_is_exact_str(TY_AST(Constant, value)->value))
        return TY_NULL;
    (void)c;
    return TY_AST(Constant, value)->value;
}

/* The docstring without the indentation that all its lines but the first share. */
static Value clean_docstring(TyCompiler *c, Value doc)
{
    int64_t length = ty_str_length(doc);
    if (ty_str_find_char(doc, '\t', 0, length, 1) >= 0) {
        doc = ty_call_method_none(doc, TY_NAME("expandtabs"));
        if (doc == TY_NULL) {
            c->failed = true;
            return TY_NULL;
        }
        length = ty_str_length(doc);
    }
    int64_t margin = INT64_MAX, i = 0;
    while (i < length && ty_str_at(doc, i) != '\n')
        i++;
    while (i < length) {
        int64_t start = ++i;
        while (i < length && ty_str_at(doc, i) == ' ')
            i++;
        if (i < length && ty_str_at(doc, i) != '\n' && i - start < margin)
            margin = i - start;
        while (i < length && ty_str_at(doc, i) != '\n')
            i++;
    }
    if (margin == INT64_MAX)
        margin = 0;
    TyStrBuilder builder = {0};
    i = 0;
    while (i < length && ty_str_at(doc, i) == ' ')
        i++;
    for (bool first = true; i < length || first; first = false) {
        if (!first)
            for (int64_t n = 0; n < margin && i < length && ty_str_at(doc, i) == ' '; n++)
                i++;
        int64_t start = i;
        while (i < length && ty_str_at(doc, i) != '\n')
            i++;
        if (i < length)
            i++;
        ty_builder_add_slice(&builder, doc, start, i);
    }
    return ty_keep(c, ty_builder_finish(&builder));
}

/* --- closures ------------------------------------------------------------------------------------------------------------------- */

void ty_make_closure(TyCompiler *c, TyPlace place, Value code_value, TyRegister target)
{
    if (c->failed || code_value == TY_NULL) {
        c->failed = true;
        return;
    }
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyCode *code = (TyCode *)ty_object(code_value);
    int index = ty_new_const(c, code_value);
    if (!code->free_count) {
        ty_emit_imm(c, place, TY_OP_MAKE_FUNCTION, target, index);
        return;
    }
    TyRegister function = ty_is_temporary(target) ? target : ty_slot(u);
    ty_emit_imm(c, place, TY_OP_MAKE_FUNCTION, function, index);
    if (function == ty_slot(u))
        ty_push(c);
    TyRegister cells = ty_slot(u);
    uint32_t first_free = code->local_count + code->cell_count;
    for (uint32_t i = 0; i < code->free_count && !c->failed; i++) {
        ty_emit(c, place, TY_OP_MOVE, ty_slot(u), ty_closure_register(c, ty_tuple_item(code->register_names, first_free + i)), 0);
        ty_push(c);
    }
    ty_emit(c, place, TY_OP_BUILD_TUPLE, cells, cells, code->free_count);
    u->top = (cells & ~TY_KIND_MASK) + 1;
    ty_emit(c, place, TY_OP_SET_FUNCTION, function, cells, TY_FUNCTION_CLOSURE);
    if (function != target)
        ty_emit(c, place, TY_OP_MOVE, target, function, 0);
    u->top = mark;
}

/* --- annotations ----------------------------------------------------------------------------------------------------------------- */

/* What every function that evaluates annotations begins with: it knows how to give values, and no other format. */
static void check_format(TyCompiler *c)
{
    TyPlace place = unit_place(c->unit);
    int32_t fine = ty_new_label(c);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_GREATER_INT, 0, 2, 0, fine);
    TyRegister error = ty_slot(c->unit);
    ty_emit_imm(c, place, TY_OP_LOAD_COMMON, error, TY_COMMON_NOT_IMPLEMENTED_ERROR);
    ty_push(c);
    ty_emit(c, place, TY_OP_RAISE, error, 0, 1);
    c->unit->top--;
    ty_place_label(c, fine);
}

static TyUnit *enter_annotate(TyCompiler *c, TyScope *scope, int line)
{
    TyUnit *u = ty_enter_unit(c, scope, TY_NAME("__annotate__"), line);
    if (!u)
        return NULL;
    u->positional_count = u->positional_only_count = 1;
    ty_unit_prologue(c);
    check_format(c);
    return u;
}

static Value annotation_text(TyCompiler *c, TyNode *annotation)
{
    Value text = ty_unparse_expression(annotation);
    return ty_keep(c, text);
}

/* The value of an annotation to the next temporary, or a local's register; *args may be annotated with a star. */
static TyRegister annotation_operand(TyCompiler *c, TyNode *annotation)
{
    if (annotation->kind != TY_AST_Starred)
        return ty_last_operand(c, annotation);
    uint32_t mark = c->unit->top;
    TyRegister item = ty_slot(c->unit);
    TyRegister r = ty_last_operand(c, TY_AST(Starred, annotation)->value);
    ty_emit(c, ty_place(annotation), TY_OP_UNPACK, item, r, 1);
    c->unit->top = mark;
    return ty_push(c);
}

typedef void (*AnnotationVisitor)(TyCompiler *c, Value name, TyNode *annotation, TyRegister map);

static void visit_argument_annotation(TyCompiler *c, TyNode *argument, AnnotationVisitor visit, TyRegister map, int *count)
{
    if (!argument || !TY_AST(arg, argument)->annotation)
        return;
    ++*count;
    if (visit)
        visit(c, ty_mangle_here(c, TY_AST(arg, argument)->arg), TY_AST(arg, argument)->annotation, map);
}

/* Calls visit (which may be NULL) for each annotation of a function; how many there are. */
static int each_annotation(TyCompiler *c, TyAstarguments *p, TyNode *returns, AnnotationVisitor visit, TyRegister map)
{
    int count = 0;
    for (int i = 0; i < p->args.count; i++)
        visit_argument_annotation(c, p->args.items[i], visit, map, &count);
    for (int i = 0; i < p->posonlyargs.count; i++)
        visit_argument_annotation(c, p->posonlyargs.items[i], visit, map, &count);
    visit_argument_annotation(c, p->vararg, visit, map, &count);
    for (int i = 0; i < p->kwonlyargs.count; i++)
        visit_argument_annotation(c, p->kwonlyargs.items[i], visit, map, &count);
    visit_argument_annotation(c, p->kwarg, visit, map, &count);
    if (returns) {
        count++;
        if (visit)
            visit(c, TY_NAME("return"), returns, map);
    }
    return count;
}

static void add_annotation(TyCompiler *c, Value name, TyNode *annotation, TyRegister map)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(annotation);
    TyRegister key = ty_slot(c->unit);
    ty_load_const(c, place, key, name);
    ty_push(c);
    TyRegister value = annotation_operand(c, annotation);
    ty_emit(c, place, TY_OP_STORE_ITEM, map, key, value);
    c->unit->top = mark;
}

static void add_annotation_text(TyCompiler *c, Value name, TyNode *annotation, TyRegister map)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(annotation);
    TyRegister key = ty_slot(c->unit);
    ty_load_const(c, place, key, name);
    ty_push(c);
    Value text = annotation_text(c, annotation);
    if (c->failed)
        return;
    TyRegister value = ty_slot(c->unit);
    ty_load_const(c, place, value, text);
    ty_push(c);
    ty_emit(c, place, TY_OP_STORE_ITEM, map, key, value);
    c->unit->top = mark;
}

/* Gives the function in a register its annotations: a function that computes them, or the texts. */
static void set_annotations(TyCompiler *c, TyNode *node, TyAstarguments *parameters, TyNode *returns, TyRegister function)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(node);
    int count = each_annotation(c, parameters, returns, NULL, 0);
    if (!count || c->failed)
        return;
    TyRegister r = ty_slot(u);
    TyUnit *annotate = enter_annotate(c, ty_scope_of(c->table, parameters), node->lineno);
    if (!annotate)
        return;
    TyRegister map = ty_slot(annotate);
    ty_emit(c, place, TY_OP_BUILD_MAP, map, map, 0);
    ty_push(c);
    each_annotation(c, parameters, returns, c->flags & TY_FUTURE_ANNOTATIONS ? add_annotation_text : add_annotation, map);
    ty_emit(c, place, TY_OP_RETURN, map, 0, 0);
    Value code = ty_leave_unit(c);
    ty_make_closure(c, place, code, r);
    ty_push(c);
    ty_emit(c, place, TY_OP_SET_FUNCTION, function, r, TY_FUNCTION_ANNOTATE);
    u->top = mark;
}

/* The __annotate__ of a module's or class's variables, from the annotations met in its body. */
static Value deferred_annotations(TyCompiler *c)
{
    TyUnit *outer = c->unit;
    TyUnit *u = enter_annotate(c, outer->scope->annotation_block, outer->first_line);
    if (!u)
        return TY_NULL;
    TyPlace place = unit_place(u);
    TyRegister map = ty_slot(u);
    ty_emit(c, place, TY_OP_BUILD_MAP, map, map, 0);
    ty_push(c);
    for (int i = 0; i < outer->annotation_count && !c->failed; i++) {
        TyAstAnnAssign *s = outer->annotations[i].statement;
        int32_t skip = ty_new_label(c);
        if (outer->annotations[i].index >= 0) {
            uint32_t mark = u->top;
            TyRegister index = ty_slot(u);
            ty_load_const(c, ty_place(&s->node), index, ty_from_immediate_int(outer->annotations[i].index));
            ty_push(c);
            TyRegister met = ty_slot(u);
            int32_t cell = ty_names_get(&u->free_index, TY_NAME("__conditional_annotations__"));
            if (cell != TY_NAMES_ABSENT) /* a class's */
                ty_emit(c, ty_place(&s->node), TY_OP_LOAD_CELL, met, (TyRegister)cell, 0);
            else
                ty_load_variable(c, ty_place(&s->node), TY_NAME("__conditional_annotations__"), met);
            ty_push(c);
            ty_emit_jump(c, ty_place(&s->node), TY_OP_JUMP_IF_CONTAINS, index, met, 0, skip);
            u->top = mark;
        }
        add_annotation(c, ty_mangle_here(c, TY_AST(Name, s->target)->id), s->annotation, map);
        ty_place_label(c, skip);
    }
    ty_emit(c, place, TY_OP_RETURN, map, 0, 0);
    return ty_leave_unit(c);
}

static void evaluate_and_drop(TyCompiler *c, TyNode *e)
{
    uint32_t mark = c->unit->top;
    ty_expression(c, e, ty_slot(c->unit));
    c->unit->top = mark;
}

/* A target without a value is still evaluated, but for its last step. */
static void evaluate_target_parts(TyCompiler *c, TyNode *target)
{
    if (target->kind == TY_AST_Attribute) {
        evaluate_and_drop(c, TY_AST(Attribute, target)->value);
    } else if (target->kind == TY_AST_Subscript) {
        evaluate_and_drop(c, TY_AST(Subscript, target)->value);
        evaluate_and_drop(c, TY_AST(Subscript, target)->slice);
    }
}

static void note_conditional_annotation(TyCompiler *c, TyAstAnnAssign *s, int index)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&s->node);
    TyRegister met = ty_slot(u);
    ty_load_variable(c, place, TY_NAME("__conditional_annotations__"), met);
    ty_push(c);
    TyRegister number = ty_slot(u);
    ty_load_const(c, place, number, ty_from_immediate_int(index));
    ty_push(c);
    ty_emit(c, place, TY_OP_SET_ADD, met, number, 0);
    u->top = mark;
}

static void annotate_simple_name(TyCompiler *c, TyAstAnnAssign *s)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    if (c->flags & TY_FUTURE_ANNOTATIONS) {
        uint32_t mark = u->top;
        Value text = annotation_text(c, s->annotation);
        if (c->failed)
            return;
        TyRegister map = ty_slot(u);
        ty_emit_name(c, place, TY_OP_LOAD_NAME, map, 0, TY_NAME("__annotations__"));
        ty_push(c);
        TyRegister key = ty_slot(u);
        ty_load_const(c, place, key, ty_mangle_here(c, TY_AST(Name, s->target)->id));
        ty_push(c);
        TyRegister value = ty_slot(u);
        ty_load_const(c, place, value, text);
        ty_push(c);
        ty_emit(c, place, TY_OP_STORE_ITEM, map, key, value);
        u->top = mark;
        return;
    }
    bool conditional = u->scope->type == TY_BLOCK_MODULE || u->conditional_depth > 0;
    int index = conditional ? u->conditional_count++ : -1;
    TY_APPEND(c, u->annotations, u->annotation_count, u->annotation_capacity, (TyAnnotation){s, index});
    if (conditional)
        note_conditional_annotation(c, s, index);
}

void ty_annotated_assignment(TyCompiler *c, TyAstAnnAssign *s)
{
    TyUnit *u = c->unit;
    bool has_namespace = u->scope->type == TY_BLOCK_MODULE || u->scope->type == TY_BLOCK_CLASS;
    if (s->value) {
        uint32_t mark = u->top;
        TyRegister direct = ty_target_register(c, s->target);
        if (direct != TY_NO_REGISTER) {
            ty_expression(c, s->value, direct);
        } else {
            TyRegister r = ty_operand(c, s->value);
            ty_store_target(c, s->target, r);
        }
        u->top = mark;
    }
    if (s->target->kind == TY_AST_Name) {
        if (s->simple && has_namespace)
            annotate_simple_name(c, s);
    } else if (!s->value) {
        evaluate_target_parts(c, s->target);
    }
    if (!s->simple && has_namespace && !(c->flags & TY_FUTURE_ANNOTATIONS))
        evaluate_and_drop(c, s->annotation);
}

/* --- type parameters ------------------------------------------------------------------------------------------------------------------ */

/* A function that computes a bound, a default or an alias's value when it is asked for; in the next temporary, not taken. */
static void make_evaluator(TyCompiler *c, TyNode *e, Value name, const void *key, bool star_allowed)
{
    TyPlace place = ty_place(e);
    TyScope *scope = ty_scope_of(c->table, key);
    TyUnit *u = c->failed ? NULL : ty_enter_unit(c, scope, name, e->lineno);
    if (!u)
        return;
    u->positional_count = u->positional_only_count = 1;
    ty_unit_prologue(c);
    check_format(c);
    TyRegister r = star_allowed ? annotation_operand(c, e) : ty_last_operand(c, e);
    ty_emit(c, place, TY_OP_RETURN, r, 0, 0);
    Value code = ty_leave_unit(c);
    if (c->failed)
        return;
    u = c->unit;
    uint32_t mark = u->top;
    TyRegister function = ty_slot(u);
    ty_make_closure(c, place, code, function);
    ty_push(c);
    TyRegister defaults = ty_slot(u);
    ty_load_const(c, place, defaults, ty_keep(c, ty_tuple_pack(1, ty_from_immediate_int(1))));
    ty_push(c);
    ty_emit(c, place, TY_OP_SET_FUNCTION, function, defaults, TY_FUNCTION_DEFAULTS);
    u->top = mark;
}

static void type_parameter(TyCompiler *c, TyNode *node, bool *seen_default)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(node);
    Value name;
    TyNode *bound = NULL, *default_value;
    int intrinsic;
    switch (node->kind) {
    case TY_AST_TypeVar:
        name = TY_AST(TypeVar, node)->name, bound = TY_AST(TypeVar, node)->bound, default_value = TY_AST(TypeVar, node)->default_value;
        intrinsic = TY_INTRINSIC_TYPEVAR;
        break;
    case TY_AST_ParamSpec:
        name = TY_AST(ParamSpec, node)->name, default_value = TY_AST(ParamSpec, node)->default_value;
        intrinsic = TY_INTRINSIC_PARAMSPEC;
        break;
    default:
        name = TY_AST(TypeVarTuple, node)->name, default_value = TY_AST(TypeVarTuple, node)->default_value;
        intrinsic = TY_INTRINSIC_TYPEVARTUPLE;
        break;
    }
    TyRegister parameter = ty_slot(u);
    ty_load_const(c, place, parameter, name);
    ty_push(c);
    if (bound) {
        TyRegister function = ty_slot(u);
        make_evaluator(c, bound, name, node, false);
        ty_push(c);
        TyItem *item = ty_emit(c, place, TY_OP_INTRINSIC_TWO, parameter, parameter, function);
        item->x = bound->kind == TY_AST_Tuple ? TY_INTRINSIC_TWO_TYPEVAR_CONSTRAINTS : TY_INTRINSIC_TWO_TYPEVAR_BOUND;
        u->top--;
    } else {
        ty_emit(c, place, TY_OP_INTRINSIC, parameter, parameter, (uint32_t)intrinsic);
    }
    if (default_value) {
        *seen_default = true;
        TyRegister function = ty_slot(u);
        make_evaluator(c, default_value, name, (const char *)node + 1, node->kind == TY_AST_TypeVarTuple);
        ty_push(c);
        ty_emit(c, place, TY_OP_INTRINSIC_TWO, parameter, parameter, function)->x = TY_INTRINSIC_TWO_SET_TYPEPARAM_DEFAULT;
        u->top--;
    } else if (*seen_default) {
        TY_COMPILE_ERROR(c, place, "non-default type parameter '%U' follows default type parameter", name);
        return;
    }
    ty_store_variable(c, place, name, parameter);
}

/* The tuple of the type parameters, in a temporary that is taken. */
static TyRegister push_type_parameters(TyCompiler *c, TyPlace place, const TyNodeList *parameters)
{
    TyUnit *u = c->unit;
    TyRegister first = ty_slot(u);
    uint32_t mark = u->top;
    bool seen_default = false;
    for (int i = 0; i < parameters->count && !c->failed; i++)
        type_parameter(c, parameters->items[i], &seen_default);
    ty_emit(c, place, TY_OP_BUILD_TUPLE, first, first, (uint32_t)parameters->count);
    u->top = mark;
    return ty_push(c);
}

static TyUnit *enter_type_parameters(TyCompiler *c, const TyNodeList *parameters, Value name, int line, uint32_t arguments)
{
    Value unit_name = ty_keep(c, ty_str_format("<generic parameters of %U>", name));
    if (c->failed)
        return NULL;
    TyUnit *u = ty_enter_unit(c, ty_scope_of(c->table, parameters), unit_name, line);
    if (!u)
        return NULL;
    u->positional_count = arguments;
    ty_unit_prologue(c);
    return u;
}

/* --- functions --------------------------------------------------------------------------------------------------------------------------- */

/* What is left of a list without its first nodes. */
static TyNodeList after(const TyNodeList *list, int first)
{
    return (TyNodeList){first ? list->items + first : list->items, list->count - first};
}

static Value function_code(TyCompiler *c, TyNode *node, TyScope *scope, Value name, TyAstarguments *parameters, const TyNodeList *body, TyNode *value, int line)
{
    TyUnit *u = ty_enter_unit(c, scope, name, line);
    if (!u)
        return TY_NULL;
    u->positional_only_count = (uint32_t)parameters->posonlyargs.count;
    u->positional_count = (uint32_t)(parameters->posonlyargs.count + parameters->args.count);
    u->keyword_only_count = (uint32_t)parameters->kwonlyargs.count;
    int first = 0;
    Value doc = body ? docstring_of(c, body) : TY_NULL;
    if (doc != TY_NULL) {
        first = 1;
        if (c->optimize < 2) {
            doc = clean_docstring(c, doc);
            if (c->failed)
                return TY_NULL;
            ty_new_const(c, doc);
            u->has_docstring = true;
        }
    }
    ty_unit_prologue(c);
    int32_t stop_handler = ty_wrap_generator_begin(c);
    if (value) {
        TyRegister r = ty_last_operand(c, value);
        ty_emit(c, ty_place(value), TY_OP_RETURN, r, 0, 0);
        u->top = 0;
    } else {
        TyNodeList rest = after(body, first);
        ty_statements(c, &rest);
        ty_emit(c, TY_NO_PLACE, TY_OP_RETURN_NONE, 0, 0, 0);
    }
    ty_wrap_generator_end(c, stop_handler);
    (void)node;
    return ty_leave_unit(c);
}

/* The positional defaults as a tuple in the next temporary, not taken; false if there are none. */
static bool make_defaults(TyCompiler *c, TyPlace place, TyAstarguments *p)
{
    TyUnit *u = c->unit;
    if (!p->defaults.count)
        return false;
    TyRegister first = ty_slot(u);
    uint32_t mark = u->top;
    Value tuple = ty_tuple_new(p->defaults.count);
    bool constant = tuple != TY_NULL;
    for (int i = 0; i < p->defaults.count && constant; i++) {
        Value v;
        constant = ty_fold(c, p->defaults.items[i], &v);
        if (constant)
            ty_tuple_set(tuple, i, v);
    }
    if (constant) {
        ty_load_const(c, place, first, ty_keep(c, tuple));
        return true;
    }
    for (int i = 0; i < p->defaults.count; i++)
        ty_expression_push(c, p->defaults.items[i]);
    ty_emit(c, place, TY_OP_BUILD_TUPLE, first, first, (uint32_t)p->defaults.count);
    u->top = mark;
    return true;
}

static bool make_keyword_defaults(TyCompiler *c, TyPlace place, TyAstarguments *p)
{
    TyUnit *u = c->unit;
    TyRegister first = ty_slot(u);
    uint32_t mark = u->top, count = 0;
    for (int i = 0; i < p->kwonlyargs.count; i++) {
        if (!p->kw_defaults.items[i])
            continue;
        ty_load_const(c, place, ty_slot(u), ty_mangle_here(c, TY_AST(arg, p->kwonlyargs.items[i])->arg));
        ty_push(c);
        ty_expression_push(c, p->kw_defaults.items[i]);
        count++;
    }
    if (count)
        ty_emit(c, place, TY_OP_BUILD_MAP, first, first, count);
    u->top = mark;
    return count > 0;
}

static void set_defaults(TyCompiler *c, TyPlace place, TyAstarguments *parameters, TyRegister function)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyRegister r = ty_slot(u);
    if (make_defaults(c, place, parameters)) {
        ty_push(c);
        ty_emit(c, place, TY_OP_SET_FUNCTION, function, r, TY_FUNCTION_DEFAULTS);
        u->top = mark;
    }
    if (make_keyword_defaults(c, place, parameters)) {
        ty_push(c);
        ty_emit(c, place, TY_OP_SET_FUNCTION, function, r, TY_FUNCTION_KWDEFAULTS);
        u->top = mark;
    }
}

void ty_lambda(TyCompiler *c, TyAstLambda *e, TyRegister target)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&e->node);
    TyAstarguments *parameters = TY_AST(arguments, e->args);
    TyScope *scope = ty_scope_of(c->table, e);
    Value code = function_code(c, &e->node, scope, TY_NAME("<lambda>"), parameters, NULL, e->body, e->node.lineno);
    bool has_defaults = parameters->defaults.count || parameters->kwonlyargs.count;
    TyRegister function = !has_defaults || ty_is_temporary(target) ? target : ty_slot(u);
    ty_make_closure(c, place, code, function);
    if (has_defaults) {
        if (function == ty_slot(u))
            ty_push(c);
        set_defaults(c, place, parameters, function);
        if (function != target)
            ty_emit(c, place, TY_OP_MOVE, target, function, 0);
    }
    u->top = mark;
}

/* What decorators are applied to is in the temporary after theirs; the result is left in the first of them, or in `function` without any. */
static void apply_decorators(TyCompiler *c, const TyNodeList *decorators, TyRegister first, TyRegister function)
{
    TyUnit *u = c->unit;
    for (int i = decorators->count - 1; i >= 0; i--) {
        TyRegister decorator = first + (uint32_t)i;
        u->top = (decorator & ~TY_KIND_MASK) + 2;
        ty_emit(c, ty_place(decorators->items[i]), TY_OP_CALL, decorator, decorator, 1);
    }
    (void)function;
    u->top = (first & ~TY_KIND_MASK) + 1;
}

static void push_decorators(TyCompiler *c, const TyNodeList *decorators)
{
    for (int i = 0; i < decorators->count; i++)
        ty_expression_push(c, decorators->items[i]);
}

static int definition_line(const TyNode *node, const TyNodeList *decorators)
{
    return decorators->count ? decorators->items[0]->lineno : node->lineno;
}

/* The function itself, in the next temporary, which is taken. */
static TyRegister push_function(TyCompiler *c, TyNode *node, int line)
{
    TyUnit *u = c->unit;
    TyAstFunctionDef *f = TY_AST(FunctionDef, node);
    TyRegister function = ty_slot(u);
    Value code = function_code(c, node, ty_scope_of(c->table, node), f->name, TY_AST(arguments, f->args), &f->body, NULL, line);
    ty_make_closure(c, ty_place(node), code, function);
    ty_push(c);
    return function;
}

static void generic_function(TyCompiler *c, TyNode *node, int line)
{
    TyAstFunctionDef *f = TY_AST(FunctionDef, node);
    TyAstarguments *parameters = TY_AST(arguments, f->args);
    TyPlace place = ty_place(node);
    bool keyword_defaults = false;
    for (int i = 0; i < parameters->kw_defaults.count; i++)
        keyword_defaults |= parameters->kw_defaults.items[i] != NULL;
    uint32_t arguments = (parameters->defaults.count > 0) + keyword_defaults;
    TyUnit *u = enter_type_parameters(c, &f->type_params, f->name, line, arguments);
    if (!u)
        return;
    TyRegister tuple = push_type_parameters(c, place, &f->type_params);
    TyRegister function = push_function(c, node, line);
    if (parameters->defaults.count)
        ty_emit(c, place, TY_OP_SET_FUNCTION, function, 0, TY_FUNCTION_DEFAULTS);
    if (keyword_defaults)
        ty_emit(c, place, TY_OP_SET_FUNCTION, function, parameters->defaults.count > 0, TY_FUNCTION_KWDEFAULTS);
    set_annotations(c, node, parameters, f->returns, function);
    ty_emit(c, place, TY_OP_INTRINSIC_TWO, function, function, tuple)->x = TY_INTRINSIC_TWO_SET_TYPE_PARAMS;
    ty_emit(c, place, TY_OP_RETURN, function, 0, 0);
    Value code = ty_leave_unit(c);
    if (c->failed)
        return;
    u = c->unit;
    uint32_t mark = u->top;
    TyRegister callee = ty_slot(u);
    ty_make_closure(c, place, code, callee);
    ty_push(c);
    if (make_defaults(c, place, parameters))
        ty_push(c);
    if (make_keyword_defaults(c, place, parameters))
        ty_push(c);
    ty_emit(c, place, TY_OP_CALL, callee, callee, arguments);
    u->top = mark;
    ty_push(c);
}

void ty_function_definition(TyCompiler *c, TyNode *node)
{
    TyUnit *u = c->unit;
    TyAstFunctionDef *f = TY_AST(FunctionDef, node);
    uint32_t mark = u->top;
    TyPlace place = ty_place(node);
    int line = definition_line(node, &f->decorator_list);
    TyRegister first = ty_slot(u);
    push_decorators(c, &f->decorator_list);
    TyRegister function = ty_slot(u);
    if (f->type_params.count) {
        generic_function(c, node, line);
    } else {
        push_function(c, node, line);
        set_defaults(c, place, TY_AST(arguments, f->args), function);
        set_annotations(c, node, TY_AST(arguments, f->args), f->returns, function);
    }
    if (f->decorator_list.count)
        apply_decorators(c, &f->decorator_list, first, function);
    ty_store_variable(c, place, f->name, first);
    u->top = mark;
}

/* --- classes -------------------------------------------------------------------------------------------------------------------------------- */

static void store_in_class(TyCompiler *c, TyPlace place, Value name, Value constant)
{
    TyRegister r = ty_slot(c->unit);
    ty_load_const(c, place, r, constant);
    ty_push(c);
    ty_store_variable(c, place, name, r);
    c->unit->top--;
}

static void store_docstring(TyCompiler *c, const TyNodeList *body, int *first)
{
    Value doc = docstring_of(c, body);
    if (doc == TY_NULL)
        return;
    *first = 1;
    if (c->optimize >= 2)
        return;
    doc = clean_docstring(c, doc);
    if (c->failed)
        return;
    TyRegister r = ty_slot(c->unit);
    TyPlace place = ty_place(body->items[0]);
    ty_load_const(c, place, r, doc);
    ty_push(c);
    ty_store_variable(c, place, TY_NAME("__doc__"), r);
    c->unit->top--;
}

static Value static_attributes(TyCompiler *c)
{
    TyUnit *u = c->unit;
    Value list = ty_list_new(u->static_attributes.count);
    for (int i = 0; i < u->static_attributes.count && list != TY_NULL; i++)
        if (!ty_list_append(list, u->static_attributes.entries[i].name))
            list = TY_NULL;
    return ty_keep(c, list == TY_NULL || !ty_list_sort(list, TY_NULL, false) ? TY_NULL : ty_list_to_tuple(list));
}

static void store_cell_itself(TyCompiler *c, TyPlace place, Value variable, Value name)
{
    ty_emit_name(c, place, TY_OP_STORE_NAME, ty_closure_register(c, variable), 0, name);
}

/* A set for the numbers of the annotations that are met. */
static void begin_conditional_annotations(TyCompiler *c, TyPlace place)
{
    TyRegister r = ty_slot(c->unit);
    ty_emit(c, place, TY_OP_BUILD_SET, r, r, 0);
    ty_push(c);
    ty_store_variable(c, place, TY_NAME("__conditional_annotations__"), r);
    c->unit->top--;
}

static Value class_code(TyCompiler *c, TyAstClassDef *s, int line)
{
    TyScope *scope = ty_scope_of(c->table, s);
    TyUnit *u = ty_enter_unit(c, scope, s->name, line);
    if (!u)
        return TY_NULL;
    u->class_name = s->name;
    TyPlace place = unit_place(u);
    ty_unit_prologue(c);
    TyRegister r = ty_slot(u);
    ty_emit_name(c, place, TY_OP_LOAD_NAME, r, 0, TY_NAME("__name__"));
    ty_push(c);
    ty_store_variable(c, place, TY_NAME("__module__"), r);
    u->top = 0;
    store_in_class(c, place, TY_NAME("__qualname__"), u->qualname);
    store_in_class(c, place, TY_NAME("__firstlineno__"), ty_from_immediate_int(line));
    if (s->type_params.count) {
        ty_load_variable(c, place, TY_NAME(".type_params"), r);
        ty_push(c);
        ty_emit_name(c, place, TY_OP_STORE_NAME, r, 0, TY_NAME("__type_params__"));
        u->top = 0;
    }
    if (scope->needs_class_dict) {
        ty_emit(c, place, TY_OP_LOAD_LOCALS, r, 0, 0);
        ty_push(c);
        ty_emit(c, place, TY_OP_STORE_CELL, ty_closure_register(c, TY_NAME("__classdict__")), r, 0);
        u->top = 0;
    }
    bool future = c->flags & TY_FUTURE_ANNOTATIONS;
    if (scope->conditional_annotations)
        begin_conditional_annotations(c, place);
    if (future && scope->annotation_block)
        ty_emit(c, place, TY_OP_SETUP_ANNOTATIONS, 0, 0, 0);
    int first = 0;
    store_docstring(c, &s->body, &first);
    TyNodeList body = after(&s->body, first);
    ty_statements(c, &body);
    place = TY_NO_PLACE; /* the class line is not run again */
    if (u->annotation_count) {
        Value code = deferred_annotations(c);
        ty_make_closure(c, place, code, r);
        ty_push(c);
        ty_emit_name(c, place, TY_OP_STORE_NAME, r, 0, TY_NAME("__annotate_func__"));
        u->top = 0;
    }
    Value attributes = static_attributes(c);
    if (c->failed)
        return TY_NULL;
    store_in_class(c, place, TY_NAME("__static_attributes__"), attributes);
    if (scope->needs_class_dict)
        store_cell_itself(c, place, TY_NAME("__classdict__"), TY_NAME("__classdictcell__"));
    if (scope->needs_class_cell) {
        store_cell_itself(c, place, TY_NAME("__class__"), TY_NAME("__classcell__"));
        ty_emit(c, place, TY_OP_RETURN, ty_closure_register(c, TY_NAME("__class__")), 0, 0);
    } else {
        ty_emit(c, place, TY_OP_RETURN_NONE, 0, 0, 0);
    }
    return ty_leave_unit(c);
}

/* Calls __build_class__; `generic_base` is one more base, or none. */
static void build_class(TyCompiler *c, TyAstClassDef *s, int line, TyRegister target, TyRegister generic_base)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&s->node);
    TyRegister base = ty_slot(u);
    Value code = class_code(c, s, line);
    if (c->failed)
        return;
    ty_emit(c, place, TY_OP_LOAD_BUILD_CLASS, base, 0, 0);
    ty_push(c);
    ty_make_closure(c, place, code, ty_slot(u));
    ty_push(c);
    ty_load_const(c, place, ty_slot(u), s->name);
    ty_push(c);
    ty_call_arguments(c, place, target, base, &s->bases, &s->keywords, generic_base);
}

static void generic_class(TyCompiler *c, TyAstClassDef *s, int line, TyRegister target)
{
    TyPlace place = ty_place(&s->node);
    TyUnit *u = enter_type_parameters(c, &s->type_params, s->name, line, 0);
    if (!u)
        return;
    u->class_name = s->name;
    TyRegister tuple = push_type_parameters(c, place, &s->type_params);
    ty_store_variable(c, place, TY_NAME(".type_params"), tuple);
    ty_emit(c, place, TY_OP_INTRINSIC, tuple, tuple, TY_INTRINSIC_SUBSCRIPT_GENERIC);
    ty_store_variable(c, place, TY_NAME(".generic_base"), tuple);
    TyRegister class = ty_slot(u);
    build_class(c, s, line, class, tuple);
    ty_push(c);
    ty_emit(c, place, TY_OP_RETURN, class, 0, 0);
    Value code = ty_leave_unit(c);
    if (c->failed)
        return;
    TyRegister callee = ty_slot(c->unit);
    ty_make_closure(c, place, code, callee);
    ty_push(c);
    ty_emit(c, place, TY_OP_CALL, target, callee, 0);
    c->unit->top--;
}

void ty_class_definition(TyCompiler *c, TyAstClassDef *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    int line = definition_line(&s->node, &s->decorator_list);
    TyRegister first = ty_slot(u);
    push_decorators(c, &s->decorator_list);
    TyRegister class = ty_slot(u);
    if (s->type_params.count)
        generic_class(c, s, line, class);
    else
        build_class(c, s, line, class, TY_NO_REGISTER);
    ty_push(c);
    if (s->decorator_list.count)
        apply_decorators(c, &s->decorator_list, first, class);
    ty_store_variable(c, ty_place(&s->node), s->name, first);
    u->top = mark;
}

/* --- type aliases ------------------------------------------------------------------------------------------------------------------------------ */

static void alias_value(TyCompiler *c, TyAstTypeAlias *s, TyRegister parameters, TyRegister target)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&s->node);
    Value name = TY_AST(Name, s->name)->id;
    TyRegister first = ty_slot(u);
    ty_load_const(c, place, first, name);
    ty_push(c);
    if (parameters == TY_NO_REGISTER)
        ty_load_const(c, place, ty_slot(u), TY_NONE);
    else
        ty_emit(c, place, TY_OP_MOVE, ty_slot(u), parameters, 0);
    ty_push(c);
    make_evaluator(c, s->value, name, s, false);
    ty_push(c);
    ty_emit(c, place, TY_OP_BUILD_TUPLE, first, first, 3);
    u->top = mark;
    ty_push(c);
    ty_emit(c, place, TY_OP_INTRINSIC, target, first, TY_INTRINSIC_TYPEALIAS);
    u->top = mark;
}

void ty_type_alias(TyCompiler *c, TyAstTypeAlias *s)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&s->node);
    TyRegister result = ty_slot(u);
    if (s->type_params.count) {
        TyUnit *generic = enter_type_parameters(c, &s->type_params, TY_AST(Name, s->name)->id, s->node.lineno, 0);
        if (!generic)
            return;
        TyRegister tuple = push_type_parameters(c, place, &s->type_params);
        TyRegister alias = ty_slot(generic);
        alias_value(c, s, tuple, alias);
        ty_push(c);
        ty_emit(c, place, TY_OP_RETURN, alias, 0, 0);
        Value code = ty_leave_unit(c);
        if (c->failed)
            return;
        ty_make_closure(c, place, code, result);
        ty_push(c);
        ty_emit(c, place, TY_OP_CALL, result, result, 0);
        u->top = mark;
    } else {
        alias_value(c, s, TY_NO_REGISTER, result);
    }
    ty_push(c);
    ty_store_variable(c, place, TY_AST(Name, s->name)->id, result);
    u->top = mark;
}

/* --- modules -------------------------------------------------------------------------------------------------------------------------------------- */

static void module_body(TyCompiler *c, const TyNodeList *statements, bool has_docstring)
{
    TyUnit *u = c->unit;
    TyPlace place = line_place(statements->count ? statements->items[0]->lineno : 1);
    bool future = c->flags & TY_FUTURE_ANNOTATIONS;
    int annotate = -1;
    if (future && u->scope->annotation_block)
        ty_emit(c, place, TY_OP_SETUP_ANNOTATIONS, 0, 0, 0);
    if (u->scope->annotation_block && !future) {
        /* It is in place from the start, so that a module may be asked for its annotations while it runs. Its code is made at the end. */
        TyRegister r = ty_slot(u);
        annotate = u->item_count;
        ty_emit_imm(c, place, TY_OP_MAKE_FUNCTION, r, 0);
        ty_push(c);
        ty_emit_name(c, place, TY_OP_STORE_NAME, r, 0, TY_NAME("__annotate__"));
        u->top = 0;
    }
    if (u->scope->conditional_annotations)
        begin_conditional_annotations(c, place);
    int first = 0;
    if (has_docstring)
        store_docstring(c, statements, &first);
    TyNodeList rest = after(statements, first);
    ty_statements(c, &rest);
    ty_emit(c, TY_NO_PLACE, TY_OP_RETURN_NONE, 0, 0, 0);
    if (annotate < 0 || c->failed)
        return;
    int line = u->first_line;
    u->first_line = place.line;
    Value code = deferred_annotations(c);
    u->first_line = line;
    if (c->failed)
        return;
    int index = ty_new_const(c, code);
    if (!c->failed)
        u->items[annotate].x = index;
}

Value ty_compile_module(TyCompiler *c, const TyAst *tree)
{
    TyUnit *u = ty_enter_unit(c, c->table->top, TY_NAME("<module>"), 1);
    if (!u)
        return TY_NULL;
    ty_unit_prologue(c);
    int32_t stop_handler = ty_wrap_generator_begin(c);
    switch (tree->root->kind) {
    case TY_AST_Module:
        module_body(c, &TY_AST(Module, tree->root)->body, true);
        break;
    case TY_AST_Interactive:
        c->interactive = true;
        module_body(c, &TY_AST(Interactive, tree->root)->body, false);
        break;
    default: {
        TyNode *body = TY_AST(Expression, tree->root)->body;
        TyRegister r = ty_last_operand(c, body);
        ty_emit(c, ty_place(body), TY_OP_RETURN, r, 0, 0);
        u->top = 0;
        break;
    }
    }
    ty_wrap_generator_end(c, stop_handler);
    return ty_leave_unit(c);
}
