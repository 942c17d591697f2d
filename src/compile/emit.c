#include "compile/compiler.h"

#include "object/bytes.h"
#include "object/int.h"
#include "object/native.h"
#include "object/set.h"
#include "object/tuple.h"

void ty_compiler_fail_memory(TyCompiler *c)
{
    if (!c->failed)
        ty_raise_memory_error();
    c->failed = true;
}

void *ty_compiler_reserve(TyCompiler *c, void *items, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    int larger = *capacity ? *capacity * 2 : 8;
    void *result = ty_arena_allocate(&c->arena, (size_t)larger * size);
    if (!result) {
        ty_compiler_fail_memory(c);
        return NULL;
    }
    if (count)
        memcpy(result, items, (size_t)count * size);
    *capacity = larger;
    return result;
}

void ty_compiler_warn(TyCompiler *c, TyPlace place, const char *format, ...)
{
    if (c->failed || c->silent)
        return;
    va_list arguments;
    va_start(arguments, format);
    Value message = ty_str_format_va(format, arguments);
    va_end(arguments);
    if (message == TY_NULL || !ty_report_syntax_warning(c->filename, c->module, place, "%U", message))
        c->failed = true;
}

Value ty_keep(TyCompiler *c, Value value)
{
    if (c->failed)
        return TY_NULL;
    if (value == TY_NULL || (ty_is_object(value) && !ty_kept_values_add(&c->kept, value))) {
        c->failed = true;
        return TY_NULL;
    }
    return value;
}

/* --- instructions ----------------------------------------------------------------------------------------------------- */

TyItem *ty_emit(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, uint32_t x)
{
    static _Thread_local TyItem nowhere; /* what a failed compiler writes to */
    TyUnit *u = c->unit;
    TyItem item = {.op = (uint16_t)op, .depth = (uint16_t)u->top, .label = -1, .handler = u->handler, .a = a, .b = b, .c = x, .place = place};
    if (!c->failed)
        TY_APPEND(c, u->items, u->item_count, u->item_capacity, item);
    if (c->failed)
        return &nowhere;
    if (u->top >= TY_REGISTER_LIMIT) {
        ty_raise(&ty_MemoryError, "the code needs too many registers");
        c->failed = true;
    }
    /* A target above the top is a temporary that is about to be taken. */
    if (ty_is_temporary(a) && (a & ~TY_KIND_MASK) >= u->max_top && op != TY_OP_JUMP)
        u->max_top = (a & ~TY_KIND_MASK) + 1;
    return &u->items[u->item_count - 1];
}

TyItem *ty_emit_imm(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, int64_t imm)
{
    TyItem *item = ty_emit(c, place, op, a, 0, 0);
    item->x = imm;
    return item;
}

/* Conditional jumps have forms of their own for going backward, or none. */
static TyOp backward_form(TyOp op)
{
    if (op >= TY_OP_JUMP_IF_LESS && op <= TY_OP_JUMP_IF_GREATER_EQUAL_INT)
        return (TyOp)(op - TY_OP_JUMP_IF_LESS + TY_OP_LOOP_IF_LESS);
    if (op == TY_OP_JUMP_IF_TRUE || op == TY_OP_JUMP_IF_FALSE)
        return op == TY_OP_JUMP_IF_TRUE ? TY_OP_LOOP_IF_TRUE : TY_OP_LOOP_IF_FALSE;
    return TY_OP_NOP;
}

static void jump_unless(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, uint32_t x, int32_t label)
{
    switch (op) {
    case TY_OP_JUMP_IF_NONE:
        ty_emit_jump(c, place, TY_OP_JUMP_IF_NOT_NONE, a, b, x, label);
        break;
    case TY_OP_JUMP_IF_NOT_NONE:
        ty_emit_jump(c, place, TY_OP_JUMP_IF_NONE, a, b, x, label);
        break;
    default: /* IS and CONTAINS, which say for which outcome they jump */
        ty_emit_jump(c, place, op, a, b, !x, label);
        break;
    }
}

TyItem *ty_emit_jump(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, uint32_t x, int32_t label)
{
    bool backward = !c->failed && c->unit->labels[label] >= 0;
    if (backward && op != TY_OP_JUMP && op != TY_OP_FOR_ITER) {
        if (backward_form(op) == TY_OP_NOP) {
            int32_t past = ty_new_label(c);
            jump_unless(c, place, op, a, b, x, past);
            TyItem *jump = ty_emit_jump(c, place, TY_OP_JUMP, 0, 0, 0, label);
            ty_place_label(c, past);
            return jump;
        }
        op = backward_form(op);
    }
    TyItem *item = ty_emit(c, place, op, a, b, x);
    item->label = label;
    return item;
}

TyItem *ty_emit_name(TyCompiler *c, TyPlace place, TyOp op, uint32_t a, uint32_t b, Value name)
{
    int index = ty_name_index(c, name);
    TyItem *item = ty_emit(c, place, op, a, b, 0);
    item->x = index;
    return item;
}

int32_t ty_new_label(TyCompiler *c)
{
    TyUnit *u = c->unit;
    TY_APPEND(c, u->labels, u->label_count, u->label_capacity, -1);
    return c->failed ? 0 : u->label_count - 1;
}

void ty_place_label(TyCompiler *c, int32_t label)
{
    if (!c->failed)
        c->unit->labels[label] = c->unit->item_count;
}

int32_t ty_new_handler(TyCompiler *c, int32_t label, TyRegister target)
{
    TyUnit *u = c->unit;
    TY_APPEND(c, u->handlers, u->handler_count, u->handler_capacity, (TyHandlerPlan){label, target});
    if (ty_is_temporary(target) && (target & ~TY_KIND_MASK) >= u->max_top)
        u->max_top = (target & ~TY_KIND_MASK) + 1;
    return u->handler_count - 1;
}

TyRegister ty_push_many(TyCompiler *c, uint32_t count)
{
    TyUnit *u = c->unit;
    TyRegister first = ty_slot(u);
    u->top += count;
    if (u->top > u->max_top)
        u->max_top = u->top;
    if (u->top > TY_REGISTER_LIMIT && !c->failed) {
        ty_raise(&ty_MemoryError, "the code needs too many registers");
        c->failed = true;
    }
    return first;
}

TyRegister ty_push(TyCompiler *c) { return ty_push_many(c, 1); }

/* --- constants ---------------------------------------------------------------------------------------------------------- */

bool ty_const_same(Value a, Value b)
{
    if (a == b)
        return true;
    if (!ty_is_object(a) || !ty_is_object(b) || ty_type_of(a) != ty_type_of(b))
        return false;
    TyType *type = ty_type_of(a);
    if (type == &ty_str_type)
        return ty_str_equal(a, b);
    if (type == &ty_bytes_type)
        return ty_bytes_length(a) == ty_bytes_length(b) && !memcmp(ty_bytes_data(a), ty_bytes_data(b), (size_t)ty_bytes_length(a));
    if (type == &ty_int_type)
        return ty_int_compare(a, b) == 0;
    if (type == &ty_complex_type)
        return !memcmp(&((TyComplex *)ty_object(a))->real, &((TyComplex *)ty_object(b))->real, 2 * sizeof(double));
    if (type != &ty_tuple_type || ty_tuple_length(a) != ty_tuple_length(b))
        return false;
    for (int64_t i = 0; i < ty_tuple_length(a); i++)
        if (!ty_const_same(ty_tuple_item(a, i), ty_tuple_item(b, i)))
            return false;
    return true;
}

static uint32_t const_hash(Value v)
{
    uint64_t h = v;
    if (ty_is_object(v)) {
        TyType *type = ty_type_of(v);
        if (type == &ty_str_type) {
            h = (uint64_t)ty_str_hash(v);
        } else if (type == &ty_bytes_type) {
            h = (uint64_t)ty_hash(v) + 1;
        } else if (type == &ty_int_type) {
            h = (uint64_t)ty_int_hash(v);
        } else if (type == &ty_complex_type) {
            const TyComplex *z = (const TyComplex *)ty_object(v);
            h = ty_from_double(z->real) * 3 + ty_from_double(z->imaginary);
        } else if (type == &ty_tuple_type) {
            h = 7;
            for (int64_t i = 0; i < ty_tuple_length(v); i++)
                h = h * 31 + const_hash(ty_tuple_item(v, i));
        }
    }
    return (uint32_t)(h * 0x9E3779B97F4A7C15ull >> 32);
}

int ty_new_const(TyCompiler *c, Value value)
{
    TyUnit *u = c->unit;
    ty_keep(c, value);
    TY_APPEND(c, u->consts, u->const_count, u->const_capacity, value);
    return u->const_count - 1;
}

static void enter_const(TyUnit *u, int number)
{
    uint32_t p = const_hash(u->consts[number]) & u->const_index_mask;
    while (u->const_index[p])
        p = (p + 1) & u->const_index_mask;
    u->const_index[p] = (uint32_t)number + 1;
}

int ty_const_index(TyCompiler *c, Value value)
{
    TyUnit *u = c->unit;
    if (c->failed)
        return 0;
    if (!u->const_index || (uint32_t)u->const_count * 2 >= u->const_index_mask) {
        uint32_t places = u->const_index ? (u->const_index_mask + 1) * 2 : 16;
        while (places < (uint32_t)u->const_count * 2 + 2)
            places *= 2;
        u->const_index = ty_arena_allocate_zeroed(&c->arena, places * sizeof *u->const_index);
        if (!u->const_index) {
            ty_compiler_fail_memory(c);
            return 0;
        }
        u->const_index_mask = places - 1;
        for (int i = 0; i < u->const_count; i++)
            enter_const(u, i);
    }
    uint32_t p = const_hash(value) & u->const_index_mask;
    for (uint32_t number; (number = u->const_index[p]); p = (p + 1) & u->const_index_mask)
        if (ty_const_same(u->consts[number - 1], value))
            return (int)number - 1;
    int number = ty_new_const(c, value);
    if (!c->failed)
        enter_const(u, number);
    return number;
}

void ty_load_const(TyCompiler *c, TyPlace place, TyRegister target, Value value)
{
    if (ty_is_immediate_int(value) && ty_immediate_int(value) == (int32_t)ty_immediate_int(value))
        ty_emit_imm(c, place, TY_OP_LOAD_INT, target, ty_immediate_int(value));
    else
        ty_emit_imm(c, place, TY_OP_LOAD_CONST, target, ty_const_index(c, value));
}

int ty_name_index(TyCompiler *c, Value name)
{
    TyUnit *u = c->unit;
    if (c->failed)
        return 0;
    int32_t index = ty_names_get(&u->names, name);
    if (index != TY_NAMES_ABSENT)
        return index;
    ty_keep(c, name);
    if (!ty_names_set(&c->arena, &u->names, name, u->name_count))
        ty_compiler_fail_memory(c);
    return u->name_count++;
}

/* --- units ------------------------------------------------------------------------------------------------------------------ */

TyRegister ty_new_local(TyCompiler *c, Value name, uint8_t kind)
{
    TyUnit *u = c->unit;
    TY_APPEND(c, u->locals, u->local_count, u->local_capacity, (TyLocal){.name = name, .kind = kind});
    return (TyRegister)(u->local_count - 1);
}

static Value *sorted_names(TyCompiler *c, const TyScope *scope, bool cells, int *count)
{
    *count = 0;
    Value *names = ty_arena_allocate(&c->arena, (size_t)(scope->symbols.count + 4) * sizeof *names);
    if (!names) {
        ty_compiler_fail_memory(c);
        return NULL;
    }
    for (int i = 0; i < scope->symbols.count; i++) {
        uint32_t symbol = (uint32_t)scope->symbols.entries[i].number;
        if (scope->symbols.entries[i].number == TY_NAMES_ABSENT)
            continue;
        TyScopeKind kind = ty_symbol_kind(symbol);
        bool wanted = cells ? kind == TY_SCOPE_CELL && !(symbol & TY_SYMBOL_INLINED) : kind == TY_SCOPE_FREE || (symbol & TY_SYMBOL_FREE_CLASS);
        if (wanted)
            names[(*count)++] = scope->symbols.entries[i].name;
    }
    for (int i = 1; i < *count; i++) {
        Value name = names[i];
        int j = i;
        for (; j > 0 && ty_str_compare(names[j - 1], name) > 0; j--)
            names[j] = names[j - 1];
        names[j] = name;
    }
    return names;
}

static void assign_cells(TyCompiler *c, TyUnit *u)
{
    TyScope *scope = u->scope;
    int count;
    Value *cells = sorted_names(c, scope, true, &count);
    if (scope->type == TY_BLOCK_CLASS && !c->failed) {
        if (scope->needs_class_cell)
            cells[count++] = TY_NAME("__class__");
        if (scope->needs_class_dict)
            cells[count++] = TY_NAME("__classdict__");
        if (scope->conditional_annotations)
            cells[count++] = TY_NAME("__conditional_annotations__");
    }
    u->cells = cells;
    for (int i = 0; i < count && !c->failed; i++) {
        int32_t parameter = ty_names_get(&u->local_index, cells[i]);
        TyRegister r;
        if (parameter != TY_NAMES_ABSENT) { /* a parameter's own register becomes the cell */
            u->locals[parameter].kind |= TY_REGISTER_CELL;
            r = (TyRegister)parameter;
        } else {
            cells[u->cell_count] = cells[i];
            r = TY_KIND_CELL | (uint32_t)u->cell_count++;
        }
        if (!ty_names_set(&c->arena, &u->cell_index, cells[i], (int32_t)r))
            ty_compiler_fail_memory(c);
    }
    u->frees = sorted_names(c, scope, false, &u->free_count);
    const TyScope *outer = u->outer ? u->outer->scope : NULL;
    if (!c->failed && outer && outer->type == TY_BLOCK_CLASS && outer->annotation_block == scope && outer->conditional_annotations
        && !ty_names_has(&scope->symbols, TY_NAME("__conditional_annotations__")))
        u->frees[u->free_count++] = TY_NAME("__conditional_annotations__");
    for (int i = 0; i < u->free_count && !c->failed; i++)
        if (!ty_names_set(&c->arena, &u->free_index, u->frees[i], (int32_t)(TY_KIND_FREE | (uint32_t)i)))
            ty_compiler_fail_memory(c);
}

/* Annotations, type parameters and the like: functions that leave no trace in qualified names. */
static bool is_annotation_scope(const TyScope *scope)
{
    return ty_scope_is_function_like(scope) && scope->type != TY_BLOCK_FUNCTION;
}

static Value qualified_name(TyCompiler *c, const TyUnit *u, Value name)
{
    if (u->scope->function_name != TY_NULL)
        name = ty_keep(c, ty_str_format("%U.%U", u->scope->function_name, name));
    const TyUnit *parent = u->outer;
    if (parent && is_annotation_scope(parent->scope))
        parent = parent->outer;
    if (c->failed || !parent || !parent->outer)
        return name;
    bool is_definition = u->scope->type == TY_BLOCK_CLASS || (u->scope->type == TY_BLOCK_FUNCTION && !u->scope->comprehension);
    if (is_definition) {
        Value mangled = ty_mangle(parent->class_name, name, &c->kept);
        if (mangled == TY_NULL || ty_scope_kind(parent->scope, mangled) == TY_SCOPE_GLOBAL_EXPLICIT)
            return mangled == TY_NULL ? TY_NULL : name;
    }
    bool has_locals = parent->scope->type == TY_BLOCK_FUNCTION && !parent->scope->comprehension;
    return ty_str_format(has_locals ? "%U.<locals>.%U" : "%U.%U", parent->qualname, name);
}

TyUnit *ty_enter_unit(TyCompiler *c, TyScope *scope, Value name, int first_line)
{
    if (c->failed)
        return NULL;
    TyUnit *u = ty_arena_allocate_zeroed(&c->arena, sizeof *u);
    if (!u) {
        ty_compiler_fail_memory(c);
        return NULL;
    }
    u->outer = c->unit;
    u->scope = scope;
    u->name = name;
    u->first_line = first_line;
    u->handler = -1;
    u->class_name = u->outer ? u->outer->class_name : TY_NULL;
    u->qualname = ty_keep(c, qualified_name(c, u, name));
    c->unit = u;
    for (int i = 0; i < scope->parameter_count && !c->failed; i++) {
        Value parameter = scope->parameters[i];
        Value shown = scope->type == TY_BLOCK_ANNOTATION && parameter == TY_NAME(".format") ? TY_NAME("format") : parameter;
        TyRegister r = ty_new_local(c, shown, TY_REGISTER_LOCAL);
        if (!ty_names_set(&c->arena, &u->local_index, parameter, (int32_t)r))
            ty_compiler_fail_memory(c);
    }
    if (!c->failed)
        assign_cells(c, u);
    return c->failed ? NULL : u;
}
