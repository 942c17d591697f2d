#include "compile/compiler.h"

/* How a name is read, written and deleted where it stands. */

typedef enum Access {
    ACCESS_LOCAL,
    ACCESS_CELL,
    ACCESS_CELL_OR_CLASS,   /* the class's namespace first */
    ACCESS_NAME,
    ACCESS_GLOBAL,
    ACCESS_GLOBAL_OR_CLASS,
} Access;

typedef struct Variable {
    Access access;
    TyRegister where;
    Value name;             /* mangled */
    bool changes;
    bool checked;           /* bound for sure: a comprehension's own variable */
} Variable;

Value ty_mangle_here(TyCompiler *c, Value name)
{
    if (c->failed)
        return name;
    Value mangled = ty_scope_mangle(c->unit->scope, c->unit->class_name, name, &c->kept);
    if (mangled == TY_NULL) {
        c->failed = true;
        return name;
    }
    return mangled;
}

static TyRegister local_register(TyCompiler *c, Value name)
{
    TyUnit *u = c->unit;
    int32_t r = ty_names_get(&u->local_index, name);
    if (r != TY_NAMES_ABSENT)
        return (TyRegister)r;
    TyRegister made = ty_new_local(c, name, TY_REGISTER_LOCAL);
    if (!c->failed && !ty_names_set(&c->arena, &u->local_index, name, (int32_t)made))
        ty_compiler_fail_memory(c);
    return made;
}

static TyRegister cell_register(const TyUnit *u, Value name)
{
    int32_t r = ty_names_get(&u->cell_index, name);
    if (r == TY_NAMES_ABSENT)
        r = ty_names_get(&u->free_index, name);
    return r == TY_NAMES_ABSENT ? TY_NO_REGISTER : (TyRegister)r;
}

static Variable resolve(TyCompiler *c, Value unmangled)
{
    TyUnit *u = c->unit;
    TyScope *scope = u->scope;
    Value name = ty_mangle_here(c, unmangled);
    Variable v = {.access = ACCESS_NAME, .name = name};
    TyScopeKind kind = TY_SCOPE_NONE;
    bool in_comprehension = u->inlined_count > 0;
    bool decided = false;
    for (int i = u->inlined_count - 1; i >= 0; i--) {
        TyInlined *inner = u->inlined[i];
        int32_t r = ty_names_get(&inner->registers, name);
        if (r != TY_NAMES_ABSENT) {
            v.where = (TyRegister)r;
            v.access = u->locals[r].kind & TY_REGISTER_CELL ? ACCESS_CELL : ACCESS_LOCAL;
            return v;
        }
        /* A class's names are not seen in its comprehensions; names that others brought here are not the unit's. */
        if (!decided && (scope->type == TY_BLOCK_CLASS || (ty_scope_symbol(scope, name) & TY_SYMBOL_INLINED))) {
            kind = ty_scope_kind(inner->scope, name);
            decided = kind != TY_SCOPE_NONE && kind != TY_SCOPE_LOCAL && kind != TY_SCOPE_CELL;
        }
    }
    uint32_t symbol = ty_scope_symbol(scope, name);
    if (symbol & TY_SYMBOL_INLINED)
        symbol = 0;
    if (!decided)
        kind = ty_symbol_kind(symbol);
    v.changes = symbol & TY_SYMBOL_WALRUS;
    bool function_like = ty_scope_is_function_like(scope);
    switch (kind) {
    case TY_SCOPE_LOCAL:
        if (function_like) {
            v.access = ACCESS_LOCAL;
            v.where = local_register(c, name);
        }
        break;
    case TY_SCOPE_CELL:
    case TY_SCOPE_FREE:
        v.where = cell_register(u, name);
        if (kind == TY_SCOPE_FREE && scope->type == TY_BLOCK_CLASS && ty_names_get(&u->free_index, name) != TY_NAMES_ABSENT)
            v.where = (TyRegister)ty_names_get(&u->free_index, name); /* an outer __class__: the class's own cell is for its functions */
        if (v.where == TY_NO_REGISTER) {
            v.access = function_like ? ACCESS_GLOBAL : ACCESS_NAME;
            break;
        }
        v.access = ACCESS_CELL;
        if (kind == TY_SCOPE_FREE && ((scope->type == TY_BLOCK_CLASS && !in_comprehension) || scope->sees_class))
            v.access = ACCESS_CELL_OR_CLASS;
        break;
    case TY_SCOPE_GLOBAL_IMPLICIT:
        if (function_like)
            v.access = scope->sees_class ? ACCESS_GLOBAL_OR_CLASS : ACCESS_GLOBAL;
        else if (scope->type == TY_BLOCK_CLASS && in_comprehension)
            v.access = ACCESS_GLOBAL;
        break;
    case TY_SCOPE_GLOBAL_EXPLICIT:
        v.access = ACCESS_GLOBAL;
        break;
    case TY_SCOPE_NONE:
        if (function_like)
            v.access = ACCESS_GLOBAL;
        break;
    }
    /* The cells of a class's own making are reached by their cells in its body. */
    if (scope->type == TY_BLOCK_CLASS && v.access == ACCESS_NAME && name == TY_NAME("__conditional_annotations__")) {
        TyRegister r = cell_register(u, name);
        if (r != TY_NO_REGISTER) {
            v.access = ACCESS_CELL;
            v.where = r;
        }
    }
    return v;
}

bool ty_is_global_name(TyCompiler *c, Value name)
{
    Variable v = resolve(c, name);
    return v.access == ACCESS_GLOBAL || v.access == ACCESS_NAME || v.access == ACCESS_GLOBAL_OR_CLASS;
}

TyRegister ty_plain_local(TyCompiler *c, Value name, bool *changes)
{
    Variable v = resolve(c, name);
    *changes = v.changes;
    return v.access == ACCESS_LOCAL ? v.where : TY_NO_REGISTER;
}

TyRegister ty_closure_register(TyCompiler *c, Value name)
{
    TyUnit *u = c->unit;
    for (int i = u->inlined_count - 1; i >= 0; i--) {
        int32_t r = ty_names_get(&u->inlined[i]->registers, name);
        if (r != TY_NAMES_ABSENT && (u->locals[r].kind & TY_REGISTER_CELL))
            return (TyRegister)r;
    }
    TyRegister r = cell_register(u, name);
    if (r == TY_NO_REGISTER && !c->failed) {
        ty_raise(&ty_SystemError, "compiler: no cell for the free variable %R in %R", name, u->qualname);
        c->failed = true;
    }
    return r;
}

/* The namespace of the class that is seen from here, in a temporary that is taken. */
static TyRegister push_class_namespace(TyCompiler *c, TyPlace place)
{
    TyRegister mapping = ty_slot(c->unit);
    if (c->unit->scope->type == TY_BLOCK_CLASS)
        ty_emit(c, place, TY_OP_LOAD_LOCALS, mapping, 0, 0);
    else
        ty_emit(c, place, TY_OP_LOAD_CELL, mapping, ty_closure_register(c, TY_NAME("__classdict__")), 0);
    return ty_push(c);
}

void ty_load_variable(TyCompiler *c, TyPlace place, Value name, TyRegister target)
{
    if (c->failed)
        return;
    Variable v = resolve(c, name);
    uint32_t mark = c->unit->top;
    switch (v.access) {
    case ACCESS_LOCAL:
        ty_emit(c, place, TY_OP_CHECK_BOUND, v.where, 0, 0);
        if (v.where != target)
            ty_emit(c, place, TY_OP_MOVE, target, v.where, 0);
        break;
    case ACCESS_CELL:
        ty_emit(c, place, TY_OP_LOAD_CELL, target, v.where, 0);
        break;
    case ACCESS_CELL_OR_CLASS: {
        TyRegister mapping = push_class_namespace(c, place);
        ty_emit(c, place, TY_OP_LOAD_CELL_OR_MAPPING, target, v.where, mapping);
        break;
    }
    case ACCESS_NAME:
        ty_emit_name(c, place, TY_OP_LOAD_NAME, target, 0, v.name);
        break;
    case ACCESS_GLOBAL:
        ty_emit_name(c, place, TY_OP_LOAD_GLOBAL, target, 0, v.name);
        break;
    case ACCESS_GLOBAL_OR_CLASS: {
        TyRegister mapping = push_class_namespace(c, place);
        ty_emit_name(c, place, TY_OP_LOAD_GLOBAL_OR_MAPPING, target, mapping, v.name);
        break;
    }
    }
    c->unit->top = mark;
}

void ty_store_variable(TyCompiler *c, TyPlace place, Value name, TyRegister source)
{
    if (c->failed)
        return;
    Variable v = resolve(c, name);
    switch (v.access) {
    case ACCESS_LOCAL:
        if (v.where != source)
            ty_emit(c, place, TY_OP_MOVE, v.where, source, 0);
        break;
    case ACCESS_CELL:
    case ACCESS_CELL_OR_CLASS:
        ty_emit(c, place, TY_OP_STORE_CELL, v.where, source, 0);
        break;
    case ACCESS_NAME:
        ty_emit_name(c, place, TY_OP_STORE_NAME, source, 0, v.name);
        break;
    case ACCESS_GLOBAL:
    case ACCESS_GLOBAL_OR_CLASS:
        ty_emit_name(c, place, TY_OP_STORE_GLOBAL, source, 0, v.name);
        break;
    }
}

void ty_delete_variable(TyCompiler *c, TyPlace place, Value name)
{
    if (c->failed)
        return;
    Variable v = resolve(c, name);
    switch (v.access) {
    case ACCESS_LOCAL:
        ty_emit(c, place, TY_OP_CHECK_BOUND, v.where, 0, 0);
        ty_emit(c, place, TY_OP_LOAD_NULL, v.where, 0, 0);
        break;
    case ACCESS_CELL:
    case ACCESS_CELL_OR_CLASS:
        ty_emit(c, place, TY_OP_DELETE_CELL, v.where, 0, 0);
        break;
    case ACCESS_NAME:
        ty_emit_name(c, place, TY_OP_DELETE_NAME, 0, 0, v.name);
        break;
    case ACCESS_GLOBAL:
    case ACCESS_GLOBAL_OR_CLASS:
        ty_emit_name(c, place, TY_OP_DELETE_GLOBAL, 0, 0, v.name);
        break;
    }
}
