#include "compile/compiler.h"

#include <stdio.h>

#include "object/int.h"
#include "object/set.h"
#include "object/tuple.h"

/* Expressions, evaluated from left to right straight into registers. */

enum {
    DISPLAY_LIMIT = 64,     /* items that a display holds in registers; a longer one is filled one by one */
    ARGUMENT_LIMIT = 64,
};

/* --- operands ------------------------------------------------------------------------------------------------------------ */

TyRegister ty_target_register(TyCompiler *c, TyNode *target)
{
    bool changes;
    if (c->failed || target->kind != TY_AST_Name)
        return TY_NO_REGISTER;
    return ty_plain_local(c, TY_AST(Name, target)->id, &changes);
}

static bool is_debug(const TyNode *e) { return e->kind == TY_AST_Name && TY_AST(Name, e)->id == TY_NAME("__debug__"); }

static TyRegister operand(TyCompiler *c, TyNode *e, bool last)
{
    if (c->failed)
        return ty_slot(c->unit);
    if (e->kind == TY_AST_Name && !is_debug(e)) {
        bool changes;
        TyRegister r = ty_plain_local(c, TY_AST(Name, e)->id, &changes);
        if (r != TY_NO_REGISTER && (last || !changes)) {
            ty_emit(c, ty_place(e), TY_OP_CHECK_BOUND, r, 0, 0);
            return r;
        }
    } else if (e->kind == TY_AST_NamedExpr && last) {
        TyRegister r = ty_target_register(c, TY_AST(NamedExpr, e)->target);
        if (r != TY_NO_REGISTER) {
            ty_expression(c, TY_AST(NamedExpr, e)->value, r);
            return r;
        }
    }
    return ty_expression_push(c, e);
}

TyRegister ty_operand(TyCompiler *c, TyNode *e) { return operand(c, e, false); }
TyRegister ty_last_operand(TyCompiler *c, TyNode *e) { return operand(c, e, true); }

TyRegister ty_expression_push(TyCompiler *c, TyNode *e)
{
    ty_expression(c, e, ty_slot(c->unit));
    return ty_push(c);
}

/* A small int that fits an instruction. */
static bool small_int(TyCompiler *c, TyNode *e, int32_t *value)
{
    Value v;
    if (e->kind != TY_AST_Constant && e->kind != TY_AST_UnaryOp && e->kind != TY_AST_BinOp)
        return false;
    if (!ty_fold(c, e, &v) || !ty_is_immediate_int(v) || ty_immediate_int(v) != (int16_t)ty_immediate_int(v))
        return false;
    *value = (int32_t)ty_immediate_int(v);
    return true;
}

/* --- warnings about code that can't be meant ----------------------------------------------------------------------------------- */

static const char *inferred_type(const TyNode *e)
{
    switch (e->kind) {
    case TY_AST_Tuple: return "tuple";
    case TY_AST_List: case TY_AST_ListComp: return "list";
    case TY_AST_Dict: case TY_AST_DictComp: return "dict";
    case TY_AST_Set: case TY_AST_SetComp: return "set";
    case TY_AST_GeneratorExp: return "generator";
    case TY_AST_Lambda: return "function";
    case TY_AST_TemplateStr: return "string.templatelib.Template";
    case TY_AST_Interpolation: return "string.templatelib.Interpolation";
    case TY_AST_JoinedStr: case TY_AST_FormattedValue: return "str";
    case TY_AST_Constant: return ty_type_of(TY_AST(Constant, e)->value)->name;
    default: return NULL;
    }
}

static void warn_if_not_callable(TyCompiler *c, const TyNode *e)
{
    switch (e->kind) {
    case TY_AST_Constant: case TY_AST_Tuple: case TY_AST_List: case TY_AST_ListComp: case TY_AST_Dict: case TY_AST_DictComp: case TY_AST_Set:
    case TY_AST_SetComp: case TY_AST_GeneratorExp: case TY_AST_JoinedStr: case TY_AST_TemplateStr: case TY_AST_FormattedValue: case TY_AST_Interpolation:
        ty_compiler_warn(c, ty_place(e), "'%s' object is not callable; perhaps you missed a comma?", inferred_type(e));
        break;
    default:
        break;
    }
}

static void warn_about_subscript(TyCompiler *c, const TyNode *container, const TyNode *key)
{
    bool indexable = false, refused = false;
    switch (container->kind) {
    case TY_AST_Constant: {
        Value v = TY_AST(Constant, container)->value;
        refused = v == TY_NONE || v == TY_ELLIPSIS || ty_is_int(v) || ty_is_float(v) || ty_is_complex(v) || ty_is_any_set(v);
        indexable = ty_is_str(v) || ty_in_family(v, TY_TYPE_BYTES | TY_TYPE_TUPLE);
        break;
    }
    case TY_AST_Set: case TY_AST_SetComp: case TY_AST_GeneratorExp: case TY_AST_TemplateStr: case TY_AST_Interpolation: case TY_AST_Lambda:
        refused = true;
        break;
    case TY_AST_Tuple: case TY_AST_List: case TY_AST_ListComp: case TY_AST_JoinedStr: case TY_AST_FormattedValue:
        indexable = true;
        break;
    default:
        break;
    }
    if (refused) {
        ty_compiler_warn(c, ty_place(container), "'%s' object is not subscriptable; perhaps you missed a comma?", inferred_type(container));
        return;
    }
    const char *type = inferred_type(key);
    if (!indexable || !type || (key->kind == TY_AST_Constant && ty_is_int(TY_AST(Constant, key)->value)))
        return;
    ty_compiler_warn(c, ty_place(container), "%s indices must be integers or slices, not %s; perhaps you missed a comma?", inferred_type(container), type);
}

/* The name of a literal's type that `is` should not be asked about, or NULL. */
static const char *literal_type(TyCompiler *c, TyNode *e)
{
    Value v;
    if (!ty_fold(c, e, &v) || v == TY_NONE || v == TY_TRUE || v == TY_FALSE || v == TY_ELLIPSIS)
        return NULL;
    return ty_type_of(v)->name;
}

static void warn_about_identity(TyCompiler *c, TyAstCompare *e)
{
    TyNode *left = e->left;
    for (int i = 0; i < e->ops.count; i++) {
        TyNode *right = e->comparators.items[i];
        if (e->ops.items[i] == TY_AST_Is || e->ops.items[i] == TY_AST_IsNot) {
            const char *type = literal_type(c, left);
            if (!type)
                type = literal_type(c, right);
            if (type) {
                ty_compiler_warn(c, ty_place(&e->node), e->ops.items[i] == TY_AST_Is ? "\"is\" with '%s' literal. Did you mean \"==\"?" : "\"is not\" with '%s' literal. Did you mean \"!=\"?", type);
                return;
            }
        }
        left = right;
    }
}

/* --- arithmetic --------------------------------------------------------------------------------------------------------------------- */

static const uint16_t binary_ops[TY_AST_COUNT_operator] = {
    [TY_AST_Add] = TY_OP_ADD, [TY_AST_Sub] = TY_OP_SUBTRACT, [TY_AST_Mult] = TY_OP_MULTIPLY, [TY_AST_MatMult] = TY_OP_MATRIX_MULTIPLY,
    [TY_AST_Div] = TY_OP_TRUE_DIVIDE, [TY_AST_Mod] = TY_OP_REMAINDER, [TY_AST_Pow] = TY_OP_POWER, [TY_AST_LShift] = TY_OP_LEFT_SHIFT,
    [TY_AST_RShift] = TY_OP_RIGHT_SHIFT, [TY_AST_BitOr] = TY_OP_OR, [TY_AST_BitXor] = TY_OP_XOR, [TY_AST_BitAnd] = TY_OP_AND,
    [TY_AST_FloorDiv] = TY_OP_FLOOR_DIVIDE,
};

static TyOp small_int_op(TyAst_operator op)
{
    switch (op) {
    case TY_AST_Add: return TY_OP_ADD_INT;
    case TY_AST_Sub: return TY_OP_SUBTRACT_INT;
    case TY_AST_Mult: return TY_OP_MULTIPLY_INT;
    case TY_AST_FloorDiv: return TY_OP_FLOOR_DIVIDE_INT;
    case TY_AST_Mod: return TY_OP_REMAINDER_INT;
    case TY_AST_LShift: return TY_OP_LEFT_SHIFT_INT;
    case TY_AST_RShift: return TY_OP_RIGHT_SHIFT_INT;
    case TY_AST_BitAnd: return TY_OP_AND_INT;
    default: return TY_OP_NOP;
    }
}

/* One conversion of a % format that an f-string can do as well; false for any other. `i` is behind the percent sign. */
static bool simple_conversion(Value format, int64_t *i, char *conversion, char spec[16])
{
    int64_t length = ty_str_length(format);
    bool left = false;
    char width[4] = "", precision[4] = "";
    int w = 0, p = 0;
    while (*i < length && ty_str_at(format, *i) == '-')
        left = true, ++*i;
    for (; *i < length && ty_str_at(format, *i) >= '0' && ty_str_at(format, *i) <= '9'; ++*i) {
        if (w == 3 || (w == 0 && ty_str_at(format, *i) == '0'))
            return false;
        width[w++] = (char)ty_str_at(format, *i);
    }
    bool has_precision = *i < length && ty_str_at(format, *i) == '.';
    if (has_precision)
        for (++*i; *i < length && ty_str_at(format, *i) >= '0' && ty_str_at(format, *i) <= '9'; ++*i) {
            if (p == 3)
                return false;
            precision[p++] = (char)ty_str_at(format, *i);
        }
    if (*i >= length)
        return false;
    uint32_t letter = ty_str_at(format, (*i)++);
    if (letter != 's' && letter != 'r' && letter != 'a')
        return false;
    *conversion = (char)letter;
    snprintf(spec, 16, "%s%s%s%s", !left && w ? ">" : "", width, has_precision ? "." : "", has_precision ? (p ? precision : "0") : "");
    return true;
}

static TyNode *new_constant(TyCompiler *c, const TyNode *like, Value value)
{
    TyAstConstant *node = ty_arena_allocate_zeroed(&c->arena, sizeof *node);
    if (!node) {
        ty_compiler_fail_memory(c);
        return NULL;
    }
    node->node = *like;
    node->node.kind = TY_AST_Constant;
    node->node.flags = 0;
    node->value = ty_keep(c, value);
    return c->failed ? NULL : &node->node;
}

static TyNode *new_formatted_value(TyCompiler *c, TyNode *value, char conversion, const char *spec)
{
    TyAstFormattedValue *node = ty_arena_allocate_zeroed(&c->arena, sizeof *node);
    if (!node) {
        ty_compiler_fail_memory(c);
        return NULL;
    }
    node->node = *value;
    node->node.kind = TY_AST_FormattedValue;
    node->node.flags = 0;
    node->value = value;
    node->conversion = conversion;
    node->format_spec = *spec ? new_constant(c, value, ty_str_from_text(spec)) : NULL;
    return &node->node;
}

/* 'text %s' % (a,) is f'text {a!s}', which is faster. False if it is not of that form. */
static bool format_as_fstring(TyCompiler *c, TyAstBinOp *e, TyRegister target)
{
    if (e->op != TY_AST_Mod || e->left->kind != TY_AST_Constant || e->right->kind != TY_AST_Tuple || !ty_is_exact_str(TY_AST(Constant, e->left)->value))
        return false;
    const TyNodeList *arguments = &TY_AST(Tuple, e->right)->elts;
    Value format = TY_AST(Constant, e->left)->value;
    int64_t length = ty_str_length(format), i = 0;
    if (!arguments->count || arguments->count > DISPLAY_LIMIT)
        return false;
    TyAstJoinedStr joined = {.node = e->node};
    joined.node.kind = TY_AST_JoinedStr;
    joined.values.items = ty_arena_allocate(&c->arena, (size_t)(2 * arguments->count + 1) * sizeof(TyNode *));
    if (!joined.values.items) {
        ty_compiler_fail_memory(c);
        return true;
    }
    int used = 0;
    for (;;) {
        TyStrBuilder text = {0};
        while (i < length && (ty_str_at(format, i) != '%' || (i + 1 < length && ty_str_at(format, i + 1) == '%'))) {
            i += ty_str_at(format, i) == '%';
            ty_builder_add_char(&text, ty_str_at(format, i++));
        }
        if (text.length)
            joined.values.items[joined.values.count++] = new_constant(c, e->left, ty_builder_finish(&text));
        if (i == length)
            break;
        char conversion, spec[16];
        i++;
        if (used == arguments->count || arguments->items[used]->kind == TY_AST_Starred || !simple_conversion(format, &i, &conversion, spec))
            return false;
        joined.values.items[joined.values.count++] = new_formatted_value(c, arguments->items[used++], conversion, spec);
        if (c->failed)
            return true;
    }
    if (used != arguments->count)
        return false;
    ty_expression(c, &joined.node, target);
    return true;
}

static void binary(TyCompiler *c, TyAstBinOp *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    int32_t number;
    TyPlace place = ty_place(&e->node);
    if (format_as_fstring(c, e, target))
        return;
    if (small_int_op(e->op) != TY_OP_NOP && small_int(c, e->right, &number)) {
        TyRegister left = ty_last_operand(c, e->left);
        ty_emit(c, place, small_int_op(e->op), target, left, (uint16_t)number);
    } else {
        TyRegister left = ty_operand(c, e->left);
        TyRegister right = ty_last_operand(c, e->right);
        ty_emit(c, place, binary_ops[e->op], target, left, right);
    }
    c->unit->top = mark;
}

static void unary(TyCompiler *c, TyAstUnaryOp *e, TyRegister target)
{
    static const uint16_t ops[] = {[TY_AST_Invert] = TY_OP_INVERT, [TY_AST_Not] = TY_OP_NOT, [TY_AST_UAdd] = TY_OP_POSITIVE, [TY_AST_USub] = TY_OP_NEGATIVE};
    uint32_t mark = c->unit->top;
    TyRegister r = ty_last_operand(c, e->operand);
    ty_emit(c, ty_place(&e->node), ops[e->op], target, r, 0);
    c->unit->top = mark;
}

/* `left op right` into target, where `inplace` may change left itself. */
static void inplace(TyCompiler *c, TyPlace place, TyAst_operator op, TyRegister target, TyRegister left, TyNode *right)
{
    int32_t number;
    if ((op == TY_AST_Add || op == TY_AST_Sub) && small_int(c, right, &number)) {
        ty_emit(c, place, op == TY_AST_Add ? TY_OP_INPLACE_ADD_INT : TY_OP_INPLACE_SUBTRACT_INT, target, left, (uint16_t)number);
        return;
    }
    TyRegister r = ty_last_operand(c, right);
    ty_emit(c, place, (TyOp)(binary_ops[op] - TY_OP_ADD + TY_OP_INPLACE_ADD), target, left, r);
}

static bool is_two_part_slice(const TyNode *e) { return e->kind == TY_AST_Slice && !TY_AST(Slice, e)->step; }

static void push_optional(TyCompiler *c, TyPlace place, TyNode *e)
{
    if (e) {
        ty_expression_push(c, e);
    } else {
        ty_load_const(c, place, ty_slot(c->unit), TY_NONE);
        ty_push(c);
    }
}

void ty_augmented_assignment(TyCompiler *c, TyAstAugAssign *s)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&s->node);
    switch (s->target->kind) {
    case TY_AST_Name: {
        Value name = TY_AST(Name, s->target)->id;
        bool changes;
        TyRegister local = ty_plain_local(c, name, &changes);
        if (local != TY_NO_REGISTER && !changes) {
            ty_emit(c, ty_place(s->target), TY_OP_CHECK_BOUND, local, 0, 0);
            inplace(c, place, s->op, local, local, s->value);
            break;
        }
        TyRegister r = ty_slot(c->unit);
        ty_load_variable(c, ty_place(s->target), name, r);
        ty_push(c);
        inplace(c, place, s->op, r, r, s->value);
        ty_store_variable(c, ty_place(s->target), name, r);
        break;
    }
    case TY_AST_Attribute: {
        TyAstAttribute *a = TY_AST(Attribute, s->target);
        TyPlace at = ty_attribute_place(ty_place(s->target), a);
        Value name = ty_mangle_here(c, a->attr);
        TyRegister object = ty_operand(c, a->value);
        TyRegister r = ty_slot(c->unit);
        ty_emit_name(c, at, TY_OP_LOAD_ATTR, r, object, name);
        ty_push(c);
        inplace(c, place, s->op, r, r, s->value);
        ty_emit_name(c, at, TY_OP_STORE_ATTR, object, r, name);
        break;
    }
    case TY_AST_Subscript: {
        TyAstSubscript *a = TY_AST(Subscript, s->target);
        TyPlace at = ty_place(s->target);
        if (is_two_part_slice(a->slice)) {
            TyRegister window = ty_expression_push(c, a->value);
            push_optional(c, at, TY_AST(Slice, a->slice)->lower);
            push_optional(c, at, TY_AST(Slice, a->slice)->upper);
            TyRegister r = ty_slot(c->unit);
            ty_emit(c, at, TY_OP_LOAD_SLICE, r, window, 0);
            ty_push(c);
            inplace(c, place, s->op, r, r, s->value);
            ty_emit(c, at, TY_OP_STORE_SLICE, window, r, 0);
            break;
        }
        TyRegister object = ty_operand(c, a->value);
        TyRegister key = ty_operand(c, a->slice);
        TyRegister r = ty_slot(c->unit);
        ty_emit(c, at, TY_OP_LOAD_ITEM, r, object, key);
        ty_push(c);
        inplace(c, place, s->op, r, r, s->value);
        ty_emit(c, at, TY_OP_STORE_ITEM, object, key, r);
        break;
    }
    default:
        TY_COMPILE_ERROR(c, place, "invalid node type (%d) for augmented assignment", s->target->kind);
        break;
    }
    c->unit->top = mark;
}

/* --- comparisons and conditions --------------------------------------------------------------------------------------------------------- */

static const uint16_t compare_ops[TY_AST_COUNT_cmpop] = {
    [TY_AST_Eq] = TY_OP_EQUAL, [TY_AST_NotEq] = TY_OP_NOT_EQUAL, [TY_AST_Lt] = TY_OP_LESS, [TY_AST_LtE] = TY_OP_LESS_EQUAL,
    [TY_AST_Gt] = TY_OP_GREATER, [TY_AST_GtE] = TY_OP_GREATER_EQUAL, [TY_AST_Is] = TY_OP_IS, [TY_AST_IsNot] = TY_OP_IS_NOT,
    [TY_AST_In] = TY_OP_CONTAINS, [TY_AST_NotIn] = TY_OP_NOT_CONTAINS,
};

static bool is_ordering(TyAst_cmpop op) { return op <= TY_AST_GtE; }

/* A list or set that is only looked into or walked over may as well be a constant, or a tuple. */
static bool constant_container(TyCompiler *c, TyNode *e, Value *value)
{
    const TyNodeList *items;
    if (e->kind == TY_AST_List)
        items = &TY_AST(List, e)->elts;
    else if (e->kind == TY_AST_Set)
        items = &TY_AST(Set, e)->elts;
    else
        return false;
    Value tuple = ty_tuple_new(items->count);
    if (tuple == TY_NULL) {
        c->failed = true;
        return false;
    }
    for (int i = 0; i < items->count; i++) {
        Value item;
        if (!ty_fold(c, items->items[i], &item))
            return false;
        ty_tuple_set(tuple, i, item);
    }
    *value = ty_keep(c, e->kind == TY_AST_Set ? ty_frozenset_new(tuple) : tuple);
    return !c->failed;
}

static TyRegister container_operand(TyCompiler *c, TyAst_cmpop op, TyNode *e)
{
    Value v;
    if ((op == TY_AST_In || op == TY_AST_NotIn) && constant_container(c, e, &v)) {
        ty_load_const(c, ty_place(e), ty_slot(c->unit), v);
        return ty_push(c);
    }
    return ty_last_operand(c, e);
}

static void compare(TyCompiler *c, TyAstCompare *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    int last = e->ops.count - 1;
    warn_about_identity(c, e);
    if (last == 0) {
        TyRegister left = ty_operand(c, e->left);
        TyRegister right = container_operand(c, e->ops.items[0], e->comparators.items[0]);
        ty_emit(c, place, compare_ops[e->ops.items[0]], target, left, right);
        c->unit->top = mark;
        return;
    }
    /* Each comparison's result is the whole's if it is false; only the last may be written to a local. */
    TyRegister result = ty_is_temporary(target) ? target : ty_slot(c->unit);
    if (result == ty_slot(c->unit)) {
        ty_load_const(c, place, result, TY_NONE);
        ty_push(c);
    }
    int32_t end = ty_new_label(c);
    uint32_t operands = c->unit->top;
    TyRegister left = ty_operand(c, e->left);
    for (int i = 0; i <= last; i++) {
        TyRegister right = i < last ? ty_operand(c, e->comparators.items[i]) : container_operand(c, e->ops.items[i], e->comparators.items[i]);
        ty_emit(c, place, compare_ops[e->ops.items[i]], result, left, right);
        if (i < last)
            ty_emit_jump(c, place, TY_OP_JUMP_IF_FALSE, result, 0, 0, end);
        left = right;
        if (i >= 4 && ty_is_temporary(right)) { /* a long chain does not pile its operands up */
            left = TY_KIND_TEMPORARY | operands;
            if (left != right)
                ty_emit(c, place, TY_OP_MOVE, left, right, 0);
            c->unit->top = operands + 1;
        }
    }
    c->unit->top = operands;
    ty_place_label(c, end);
    if (result != target)
        ty_emit(c, place, TY_OP_MOVE, target, result, 0);
    c->unit->top = mark;
}

static TyOp fused_op(TyAst_cmpop op)
{
    switch (op) {
    case TY_AST_Lt: return TY_OP_JUMP_IF_LESS;
    case TY_AST_LtE: return TY_OP_JUMP_IF_LESS_EQUAL;
    case TY_AST_Eq: return TY_OP_JUMP_IF_EQUAL;
    case TY_AST_NotEq: return TY_OP_JUMP_IF_NOT_EQUAL;
    case TY_AST_Gt: return TY_OP_JUMP_IF_GREATER;
    case TY_AST_GtE: return TY_OP_JUMP_IF_GREATER_EQUAL;
    case TY_AST_Is: case TY_AST_IsNot: return TY_OP_JUMP_IF_IS;
    default: return TY_OP_JUMP_IF_CONTAINS;
    }
}

/* Compares the register with the expression and jumps if the outcome is `condition`; returns the right operand's register. */
static TyRegister compare_and_jump(TyCompiler *c, TyPlace place, TyAst_cmpop op, TyRegister left, TyNode *right, bool last, bool condition, int32_t label)
{
    int32_t number;
    Value v;
    if (op == TY_AST_IsNot || op == TY_AST_NotIn)
        condition = !condition;
    if (last && is_ordering(op) && small_int(c, right, &number)) {
        ty_emit_jump(c, place, (TyOp)(fused_op(op) - TY_OP_JUMP_IF_LESS + TY_OP_JUMP_IF_LESS_INT), left, (uint16_t)number, condition, label);
        return TY_NO_REGISTER;
    }
    if (last && (op == TY_AST_Is || op == TY_AST_IsNot) && ty_fold(c, right, &v) && v == TY_NONE) {
        ty_emit_jump(c, place, condition ? TY_OP_JUMP_IF_NONE : TY_OP_JUMP_IF_NOT_NONE, left, 0, 0, label);
        return TY_NO_REGISTER;
    }
    TyRegister r = last ? container_operand(c, op, right) : ty_operand(c, right);
    ty_emit_jump(c, place, fused_op(op), left, r, condition, label);
    return r;
}

static void jump_if_compare(TyCompiler *c, TyAstCompare *e, bool condition, int32_t label)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    warn_about_identity(c, e);
    int last = e->ops.count - 1;
    int32_t otherwise = last && condition ? ty_new_label(c) : label;
    TyRegister left = ty_operand(c, e->left);
    for (int i = 0; i < last; i++)
        left = compare_and_jump(c, place, e->ops.items[i], left, e->comparators.items[i], false, false, otherwise);
    compare_and_jump(c, place, e->ops.items[last], left, e->comparators.items[last], true, condition, label);
    c->unit->top = mark;
    if (otherwise != label)
        ty_place_label(c, otherwise);
}

static void jump_if_bool_op(TyCompiler *c, TyAstBoolOp *e, bool condition, int32_t label)
{
    /* `and` is decided by a false value, `or` by a true one. */
    bool deciding = e->op == TY_AST_Or;
    int32_t decided = deciding == condition ? label : ty_new_label(c);
    for (int i = 0; i < e->values.count - 1; i++)
        ty_jump_if(c, e->values.items[i], deciding, decided);
    ty_jump_if(c, e->values.items[e->values.count - 1], condition, label);
    if (decided != label)
        ty_place_label(c, decided);
}

void ty_jump_if(TyCompiler *c, TyNode *e, bool condition, int32_t label)
{
    if (c->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        c->failed = true;
        return;
    }
    Value v;
    TyPlace place = ty_place(e);
    if (ty_fold(c, e, &v)) {
        int truth = ty_is_true(v);
        if (truth < 0)
            c->failed = true;
        else if ((truth != 0) == condition)
            ty_emit_jump(c, place, TY_OP_JUMP, 0, 0, 0, label);
        else
            ty_emit(c, place, TY_OP_NOP, 0, 0, 0);
        return;
    }
    switch (e->kind) {
    case TY_AST_UnaryOp:
        if (TY_AST(UnaryOp, e)->op == TY_AST_Not) {
            ty_jump_if(c, TY_AST(UnaryOp, e)->operand, !condition, label);
            return;
        }
        break;
    case TY_AST_BoolOp:
        jump_if_bool_op(c, TY_AST(BoolOp, e), condition, label);
        return;
    case TY_AST_IfExp: {
        int32_t otherwise = ty_new_label(c), end = ty_new_label(c);
        ty_jump_if(c, TY_AST(IfExp, e)->test, false, otherwise);
        ty_jump_if(c, TY_AST(IfExp, e)->body, condition, label);
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
        ty_place_label(c, otherwise);
        ty_jump_if(c, TY_AST(IfExp, e)->orelse, condition, label);
        ty_place_label(c, end);
        return;
    }
    case TY_AST_Compare:
        jump_if_compare(c, TY_AST(Compare, e), condition, label);
        return;
    default:
        break;
    }
    uint32_t mark = c->unit->top;
    TyRegister r = ty_last_operand(c, e);
    ty_emit_jump(c, place, condition ? TY_OP_JUMP_IF_TRUE : TY_OP_JUMP_IF_FALSE, r, 0, 0, label);
    c->unit->top = mark;
}

static void bool_op(TyCompiler *c, TyAstBoolOp *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyRegister result = ty_is_temporary(target) ? target : ty_slot(c->unit);
    bool deciding = e->op == TY_AST_Or;
    int32_t end = ty_new_label(c);
    for (int i = 0; i < e->values.count; i++) {
        TyNode *value = e->values.items[i];
        bool last = i == e->values.count - 1;
        Value v;
        if (!last && ty_fold(c, value, &v)) {
            int truth = ty_is_true(v);
            if (truth >= 0 && (truth != 0) != deciding)
                continue;
            last = truth >= 0;
        }
        ty_expression(c, value, last && result != target ? target : result);
        if (!last) {
            bool taken = result == ty_slot(c->unit);
            if (taken)
                ty_push(c);
            ty_emit_jump(c, ty_place(value), deciding ? TY_OP_JUMP_IF_TRUE : TY_OP_JUMP_IF_FALSE, result, 0, 0, end);
            c->unit->top = mark;
        } else {
            break;
        }
    }
    if (result == target) {
        ty_place_label(c, end);
    } else {
        int32_t after = ty_new_label(c);
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, after);
        ty_place_label(c, end);
        ty_emit(c, ty_place(&e->node), TY_OP_MOVE, target, result, 0);
        ty_place_label(c, after);
    }
    c->unit->top = mark;
}

static void conditional(TyCompiler *c, TyAstIfExp *e, TyRegister target)
{
    int32_t otherwise = ty_new_label(c), end = ty_new_label(c);
    ty_jump_if(c, e->test, false, otherwise);
    ty_expression(c, e->body, target);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, end);
    ty_place_label(c, otherwise);
    ty_expression(c, e->orelse, target);
    ty_place_label(c, end);
}

/* --- displays ----------------------------------------------------------------------------------------------------------------------------- */

static bool has_star(const TyNodeList *items)
{
    for (int i = 0; i < items->count; i++)
        if (items->items[i]->kind == TY_AST_Starred)
            return true;
    return false;
}

static void move_if_elsewhere(TyCompiler *c, TyPlace place, TyRegister target, TyRegister source)
{
    if (target != source)
        ty_emit(c, place, TY_OP_MOVE, target, source, 0);
}

/* Adds items one by one to a list or set in a temporary. */
static void add_items(TyCompiler *c, TyPlace place, TyRegister collection, bool is_set, TyNode *const *items, int count)
{
    for (int i = 0; i < count && !c->failed; i++) {
        uint32_t mark = c->unit->top;
        if (items[i]->kind == TY_AST_Starred) {
            TyRegister r = ty_last_operand(c, TY_AST(Starred, items[i])->value);
            ty_emit(c, place, is_set ? TY_OP_SET_UPDATE : TY_OP_LIST_EXTEND, collection, r, 0);
        } else {
            TyRegister r = ty_last_operand(c, items[i]);
            ty_emit(c, place, is_set ? TY_OP_SET_ADD : TY_OP_LIST_APPEND, collection, r, 0);
        }
        c->unit->top = mark;
    }
}

/* A list or set of items that may have stars or be many, in the next temporary, which is taken. */
static TyRegister push_collection(TyCompiler *c, TyPlace place, bool is_set, const TyNodeList *items)
{
    int direct = 0;
    while (items->count <= DISPLAY_LIMIT && direct < items->count && items->items[direct]->kind != TY_AST_Starred)
        direct++;
    TyRegister collection = ty_slot(c->unit);
    uint32_t mark = c->unit->top;
    for (int i = 0; i < direct; i++)
        ty_expression_push(c, items->items[i]);
    ty_emit(c, place, is_set ? TY_OP_BUILD_SET : TY_OP_BUILD_LIST, collection, collection, (uint32_t)direct);
    c->unit->top = mark;
    ty_push(c);
    add_items(c, place, collection, is_set, items->items + direct, items->count - direct);
    return collection;
}

static void display(TyCompiler *c, TyNode *e, const TyNodeList *items, TyOp build, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(e);
    Value constant;
    if (build != TY_OP_BUILD_TUPLE && items->count >= 3 && constant_container(c, e, &constant)) {
        TyRegister collection = ty_is_temporary(target) ? target : ty_slot(c->unit);
        ty_emit(c, place, build, collection, collection, 0);
        if (collection == ty_slot(c->unit))
            ty_push(c);
        TyRegister source = ty_slot(c->unit);
        ty_load_const(c, place, source, constant);
        ty_push(c);
        ty_emit(c, place, build == TY_OP_BUILD_SET ? TY_OP_SET_UPDATE : TY_OP_LIST_EXTEND, collection, source, 0);
        move_if_elsewhere(c, place, target, collection);
    } else if (items->count <= DISPLAY_LIMIT && !has_star(items)) {
        TyRegister first = ty_slot(c->unit);
        for (int i = 0; i < items->count; i++)
            ty_expression_push(c, items->items[i]);
        ty_emit(c, place, build, target, items->count ? first : target, (uint32_t)items->count);
    } else {
        TyRegister collection = push_collection(c, place, build == TY_OP_BUILD_SET, items);
        if (build == TY_OP_BUILD_TUPLE)
            ty_emit(c, place, TY_OP_LIST_TO_TUPLE, target, collection, 0);
        else
            move_if_elsewhere(c, place, target, collection);
    }
    c->unit->top = mark;
}

static void dict_display(TyCompiler *c, TyAstDict *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    int direct = 0;
    while (e->keys.count <= DISPLAY_LIMIT / 2 && direct < e->keys.count && e->keys.items[direct])
        direct++;
    bool whole = direct == e->keys.count;
    TyRegister map = ty_slot(c->unit);
    for (int i = 0; i < direct; i++) {
        ty_expression_push(c, e->keys.items[i]);
        ty_expression_push(c, e->values.items[i]);
    }
    ty_emit(c, place, TY_OP_BUILD_MAP, whole ? target : map, whole && !direct ? target : map, (uint32_t)direct);
    c->unit->top = mark;
    if (whole)
        return;
    ty_push(c);
    uint32_t filled = c->unit->top;
    for (int i = direct; i < e->keys.count && !c->failed; i++) {
        if (e->keys.items[i]) {
            TyRegister key = ty_operand(c, e->keys.items[i]);
            TyRegister value = ty_last_operand(c, e->values.items[i]);
            ty_emit(c, place, TY_OP_MAP_ADD, map, key, value);
        } else {
            TyRegister other = ty_last_operand(c, e->values.items[i]);
            ty_emit(c, place, TY_OP_DICT_UPDATE, map, other, 0);
        }
        c->unit->top = filled;
    }
    move_if_elsewhere(c, place, target, map);
    c->unit->top = mark;
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------------- */

static void formatted_value(TyCompiler *c, TyAstFormattedValue *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    TyRegister value = e->format_spec ? ty_operand(c, e->value) : ty_last_operand(c, e->value);
    if (e->conversion > 0) {
        TyRegister converted = ty_is_temporary(value) ? value : ty_slot(c->unit);
        ty_emit(c, place, TY_OP_CONVERT, converted, value, e->conversion == 's' ? 1 : e->conversion == 'r' ? 2 : 3);
        if (converted == ty_slot(c->unit))
            ty_push(c);
        value = converted;
    }
    if (e->format_spec) {
        TyRegister spec = ty_last_operand(c, e->format_spec);
        ty_emit(c, place, TY_OP_FORMAT_WITH_SPEC, target, value, spec);
    } else {
        ty_emit(c, place, TY_OP_FORMAT_SIMPLE, target, value, 0);
    }
    c->unit->top = mark;
}

static void joined_str(TyCompiler *c, TyAstJoinedStr *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    if (e->values.count == 0) {
        ty_load_const(c, place, target, TY_NAME(""));
        return;
    }
    if (e->values.count == 1) {
        ty_expression(c, e->values.items[0], target);
        return;
    }
    TyRegister first = ty_slot(c->unit);
    uint32_t count = 0;
    for (int i = 0; i < e->values.count && !c->failed; i++) {
        ty_expression_push(c, e->values.items[i]);
        if (++count == DISPLAY_LIMIT && i + 1 < e->values.count) {
            ty_emit(c, place, TY_OP_BUILD_STRING, first, first, count);
            c->unit->top = mark + 1;
            count = 1;
        }
    }
    ty_emit(c, place, TY_OP_BUILD_STRING, target, first, count);
    c->unit->top = mark;
}

static void interpolation(TyCompiler *c, TyAstInterpolation *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    TyRegister first = ty_expression_push(c, e->value);
    ty_load_const(c, place, ty_slot(c->unit), e->str);
    ty_push(c);
    if (e->format_spec) {
        ty_expression_push(c, e->format_spec);
    } else {
        ty_load_const(c, place, ty_slot(c->unit), TY_NAME(""));
        ty_push(c);
    }
    uint32_t conversion = e->conversion == 's' ? 1 : e->conversion == 'r' ? 2 : e->conversion == 'a' ? 3 : 0;
    ty_emit(c, place, TY_OP_BUILD_INTERPOLATION, target, first, conversion);
    c->unit->top = mark;
}

/* The texts between the interpolations, always one more than those. */
static Value template_strings(TyCompiler *c, const TyNodeList *values)
{
    Value list[2] = {TY_NULL, TY_NULL};
    int count = 0;
    for (int i = 0; i < values->count; i++)
        count += values->items[i]->kind == TY_AST_Interpolation;
    Value tuple = ty_tuple_new(count + 1);
    if (tuple == TY_NULL)
        return TY_NULL;
    int n = 0;
    list[0] = TY_NAME("");
    for (int i = 0; i < values->count; i++) {
        if (values->items[i]->kind == TY_AST_Interpolation) {
            ty_tuple_set(tuple, n++, list[0]);
            list[0] = TY_NAME("");
        } else {
            list[0] = ty_str_concat(list[0], TY_AST(Constant, values->items[i])->value);
            if (list[0] == TY_NULL)
                return TY_NULL;
        }
    }
    ty_tuple_set(tuple, n, list[0]);
    return tuple;
}

static void template_str(TyCompiler *c, TyAstTemplateStr *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    Value texts = ty_keep(c, template_strings(c, &e->values));
    if (c->failed)
        return;
    TyRegister strings = ty_slot(c->unit);
    ty_load_const(c, place, strings, texts);
    ty_push(c);
    TyNodeList interpolations = {ty_arena_allocate(&c->arena, (size_t)(e->values.count + 1) * sizeof(TyNode *)), 0};
    if (!interpolations.items) {
        ty_compiler_fail_memory(c);
        return;
    }
    for (int i = 0; i < e->values.count; i++)
        if (e->values.items[i]->kind == TY_AST_Interpolation)
            interpolations.items[interpolations.count++] = e->values.items[i];
    TyRegister tuple = ty_slot(c->unit);
    display(c, &e->node, &interpolations, TY_OP_BUILD_TUPLE, tuple);
    ty_push(c);
    ty_emit(c, place, TY_OP_BUILD_TEMPLATE, target, strings, tuple);
    c->unit->top = mark;
}

/* --- attributes and items ---------------------------------------------------------------------------------------------------------------------- */

/* An attribute on a later line than its object's start is what errors point at. */
TyPlace ty_attribute_place(TyPlace place, const TyAstAttribute *attribute)
{
    const TyNode *node = &attribute->node;
    if (node->lineno != node->end_lineno) {
        place.line = node->end_lineno;
        int length = (int)ty_str_length(attribute->attr);
        if (length <= node->end_col_offset) {
            place.column = node->end_col_offset - length;
            place.end_column = node->end_col_offset;
            place.end_line = node->end_lineno;
        } else {
            place.column = place.end_column = -1;
        }
    }
    return place;
}

static bool is_super_call(TyCompiler *c, const TyAstAttribute *e)
{
    if (e->value->kind != TY_AST_Call || e->attr == TY_NAME("__class__"))
        return false;
    TyAstCall *call = TY_AST(Call, e->value);
    TyUnit *u = c->unit;
    if (call->func->kind != TY_AST_Name || TY_AST(Name, call->func)->id != TY_NAME("super") || call->keywords.count || !ty_scope_is_function_like(u->scope))
        return false;
    if (ty_scope_kind(u->scope, TY_NAME("super")) != TY_SCOPE_GLOBAL_IMPLICIT || ty_scope_symbol(c->table->top, TY_NAME("super")))
        return false;
    if (call->args.count == 2)
        return !has_star(&call->args);
    return call->args.count == 0 && u->scope->type == TY_BLOCK_FUNCTION && u->positional_count > 0 && !u->scope->comprehension
        && ty_scope_kind(u->scope, TY_NAME("__class__")) == TY_SCOPE_FREE;
}

/* What super is, the class and the object, in three temporaries that are taken. */
static TyRegister push_super(TyCompiler *c, TyAstCall *call)
{
    TyPlace place = ty_place(&call->node);
    TyRegister first = ty_expression_push(c, call->func);
    if (call->args.count == 2) {
        ty_expression_push(c, call->args.items[0]);
        ty_expression_push(c, call->args.items[1]);
        return first;
    }
    ty_load_variable(c, place, TY_NAME("__class__"), ty_slot(c->unit));
    ty_push(c);
    if (c->unit->locals[0].kind & TY_REGISTER_CELL) {
        ty_emit(c, place, TY_OP_LOAD_CELL, ty_slot(c->unit), 0, 0);
    } else {
        ty_emit(c, place, TY_OP_CHECK_BOUND, 0, 0, 0);
        ty_emit(c, place, TY_OP_MOVE, ty_slot(c->unit), 0, 0);
    }
    ty_push(c);
    return first;
}

static void attribute(TyCompiler *c, TyAstAttribute *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_attribute_place(ty_place(&e->node), e);
    Value name = ty_mangle_here(c, e->attr);
    if (is_super_call(c, e)) {
        TyRegister first = push_super(c, TY_AST(Call, e->value));
        TyItem *item = ty_emit_name(c, place, TY_OP_LOAD_SUPER_ATTR, target, first, name);
        item->c = TY_AST(Call, e->value)->args.count == 2;
    } else {
        TyRegister object = ty_last_operand(c, e->value);
        ty_emit_name(c, place, TY_OP_LOAD_ATTR, target, object, name);
    }
    c->unit->top = mark;
}

static void subscript(TyCompiler *c, TyAstSubscript *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    int32_t number;
    warn_about_subscript(c, e->value, e->slice);
    if (is_two_part_slice(e->slice)) {
        TyRegister window = ty_expression_push(c, e->value);
        push_optional(c, place, TY_AST(Slice, e->slice)->lower);
        push_optional(c, place, TY_AST(Slice, e->slice)->upper);
        ty_emit(c, place, TY_OP_LOAD_SLICE, target, window, 0);
    } else if (small_int(c, e->slice, &number)) {
        TyRegister object = ty_last_operand(c, e->value);
        ty_emit(c, place, TY_OP_LOAD_ITEM_INT, target, object, (uint16_t)number);
    } else {
        TyRegister object = ty_operand(c, e->value);
        TyRegister key = ty_last_operand(c, e->slice);
        ty_emit(c, place, TY_OP_LOAD_ITEM, target, object, key);
    }
    c->unit->top = mark;
}

static void slice(TyCompiler *c, TyAstSlice *e, TyRegister target)
{
    uint32_t mark = c->unit->top;
    TyPlace place = ty_place(&e->node);
    TyRegister first = ty_slot(c->unit);
    push_optional(c, place, e->lower);
    push_optional(c, place, e->upper);
    if (e->step)
        ty_expression_push(c, e->step);
    ty_emit(c, place, TY_OP_BUILD_SLICE, target, first, e->step ? 3 : 2);
    c->unit->top = mark;
}

/* --- calls --------------------------------------------------------------------------------------------------------------------------------------- */

static void refuse_repeated_keywords(TyCompiler *c, const TyNodeList *keywords)
{
    for (int i = 0; i < keywords->count && !c->failed; i++) {
        TyAstkeyword *keyword = TY_AST(keyword, keywords->items[i]);
        for (int j = i + 1; j < keywords->count && keyword->arg != TY_NULL; j++)
            if (TY_AST(keyword, keywords->items[j])->arg == keyword->arg) {
                TY_COMPILE_ERROR(c, ty_place(keywords->items[j]), "keyword argument repeated: %U", keyword->arg);
                return;
            }
    }
}

static bool needs_spread(const TyNodeList *arguments, const TyNodeList *keywords)
{
    if (has_star(arguments) || arguments->count + keywords->count > ARGUMENT_LIMIT)
        return true;
    for (int i = 0; i < keywords->count; i++)
        if (TY_AST(keyword, keywords->items[i])->arg == TY_NULL)
            return true;
    return false;
}

static int keyword_names(TyCompiler *c, const TyNodeList *keywords)
{
    Value names = ty_tuple_new(keywords->count);
    if (names == TY_NULL) {
        c->failed = true;
        return 0;
    }
    for (int i = 0; i < keywords->count; i++)
        ty_tuple_set(names, i, TY_AST(keyword, keywords->items[i])->arg);
    return ty_const_index(c, names);
}

/* The positional arguments of a call by spreading, in the temporary after the callee. `before` of them are in temporaries already. */
static void spread_positional(TyCompiler *c, TyPlace place, TyRegister base, uint32_t before, const TyNodeList *arguments, TyRegister extra)
{
    TyUnit *u = c->unit;
    TyRegister where = base + 1;
    if (!before && extra == TY_NO_REGISTER && arguments->count == 1 && arguments->items[0]->kind == TY_AST_Starred) {
        ty_expression_push(c, TY_AST(Starred, arguments->items[0])->value);
        return;
    }
    uint32_t count = before;
    int i = 0;
    for (; arguments->count <= DISPLAY_LIMIT && i < arguments->count && arguments->items[i]->kind != TY_AST_Starred; i++, count++)
        ty_expression_push(c, arguments->items[i]);
    bool whole = i == arguments->count && extra == TY_NO_REGISTER;
    ty_emit(c, place, whole ? TY_OP_BUILD_TUPLE : TY_OP_BUILD_LIST, where, where, count);
    u->top = (where & ~TY_KIND_MASK);
    ty_push(c);
    if (whole)
        return;
    add_items(c, place, where, false, arguments->items + i, arguments->count - i);
    if (extra != TY_NO_REGISTER)
        ty_emit(c, place, TY_OP_LIST_APPEND, where, extra, 0);
    ty_emit(c, place, TY_OP_LIST_TO_TUPLE, where, where, 0);
}

/* The keyword arguments as a dict in the next temporary, which is taken. */
static void spread_keywords(TyCompiler *c, TyPlace place, TyRegister callee, const TyNodeList *keywords)
{
    TyUnit *u = c->unit;
    TyRegister map = ty_slot(u);
    uint32_t mark = u->top;
    if (!keywords->count) {
        ty_emit(c, place, TY_OP_LOAD_NULL, map, 0, 0);
        ty_push(c);
        return;
    }
    bool made = false;
    const uint32_t longest_run = keywords->count > DISPLAY_LIMIT / 4 ? 2 : DISPLAY_LIMIT / 4;
    for (int i = 0; i < keywords->count && !c->failed; ) {
        TyAstkeyword *keyword = TY_AST(keyword, keywords->items[i]);
        if (keyword->arg == TY_NULL) {
            if (!made) {
                ty_emit(c, place, TY_OP_BUILD_MAP, map, map, 0);
                ty_push(c);
            }
            TyRegister other = ty_last_operand(c, keyword->value);
            ty_emit(c, place, TY_OP_DICT_MERGE, map, other, callee);
            i++;
        } else {
            TyRegister run = ty_slot(u);
            uint32_t count = 0;
            for (; i < keywords->count && count < longest_run && TY_AST(keyword, keywords->items[i])->arg != TY_NULL; i++, count++) {
                keyword = TY_AST(keyword, keywords->items[i]);
                ty_load_const(c, place, ty_slot(u), keyword->arg);
                ty_push(c);
                ty_expression_push(c, keyword->value);
            }
            ty_emit(c, place, TY_OP_BUILD_MAP, run, run, count);
            u->top = (run & ~TY_KIND_MASK);
            ty_push(c);
            if (made)
                ty_emit(c, place, TY_OP_DICT_MERGE, map, run, callee);
        }
        made = true;
        u->top = mark + 1;
    }
}

/* Calls what is in `base`. Temporaries above it that are taken already are its first arguments; `extra` is one more positional argument, or none. */
void ty_call_arguments(TyCompiler *c, TyPlace place, TyRegister target, TyRegister base, const TyNodeList *arguments, const TyNodeList *keywords, TyRegister extra)
{
    TyUnit *u = c->unit;
    uint32_t mark = base & ~TY_KIND_MASK;
    refuse_repeated_keywords(c, keywords);
    if (c->failed)
        return;
    if (needs_spread(arguments, keywords)) {
        spread_positional(c, place, base, u->top - mark - 1, arguments, extra);
        spread_keywords(c, place, base, keywords);
        ty_emit(c, place, TY_OP_CALL_SPREAD, target, base, 0);
    } else {
        for (int i = 0; i < arguments->count; i++)
            ty_expression_push(c, arguments->items[i]);
        if (extra != TY_NO_REGISTER) {
            ty_emit(c, place, TY_OP_MOVE, ty_slot(u), extra, 0);
            ty_push(c);
        }
        for (int i = 0; i < keywords->count; i++)
            ty_expression_push(c, TY_AST(keyword, keywords->items[i])->value);
        uint32_t count = u->top - mark - 1;
        if (keywords->count) {
            int names = keyword_names(c, keywords);
            ty_emit(c, place, TY_OP_CALL_KW, target, base, count)->x = names;
        } else {
            ty_emit(c, place, TY_OP_CALL, target, base, count);
        }
    }
    u->top = mark;
}

static void method_call(TyCompiler *c, TyAstCall *e, TyRegister target)
{
    TyUnit *u = c->unit;
    TyAstAttribute *function = TY_AST(Attribute, e->func);
    uint32_t mark = u->top;
    TyRegister base = ty_slot(u);
    Value name = ty_mangle_here(c, function->attr);
    TyPlace at = ty_attribute_place(ty_place(e->func), function);
    if (is_super_call(c, function)) {
        TyRegister first = push_super(c, TY_AST(Call, function->value));
        TyItem *item = ty_emit_name(c, at, TY_OP_LOAD_SUPER_METHOD, base, first, name);
        item->c = TY_AST(Call, function->value)->args.count == 2;
    } else {
        TyRegister object = ty_last_operand(c, function->value);
        ty_emit_name(c, at, TY_OP_LOAD_METHOD, base, object, name);
    }
    u->top = mark;
    ty_push_many(c, 2);
    refuse_repeated_keywords(c, &e->keywords);
    for (int i = 0; i < e->args.count; i++)
        ty_expression_push(c, e->args.items[i]);
    for (int i = 0; i < e->keywords.count; i++)
        ty_expression_push(c, TY_AST(keyword, e->keywords.items[i])->value);
    uint32_t count = u->top - mark - 2;
    TyPlace place = ty_place(&e->node);
    if (function->node.lineno != function->node.end_lineno) {
        TyPlace moved = ty_attribute_place(ty_place(e->func), function);
        place.line = moved.line;
        place.column = moved.column;
    }
    if (e->keywords.count) {
        int names = c->failed ? 0 : keyword_names(c, &e->keywords);
        ty_emit(c, place, TY_OP_CALL_METHOD_KW, target, base, count)->x = names;
    } else {
        ty_emit(c, place, TY_OP_CALL_METHOD, target, base, count);
    }
    u->top = mark;
}

/* any(), all(), tuple(), list() and set() of a generator expression: if the name still means the builtin, the generator is walked right here. */
static int walked_builtin(TyCompiler *c, const TyAstCall *e)
{
    static const struct { const char *name; int common; } builtins[] = {
        {"all", TY_COMMON_ALL}, {"any", TY_COMMON_ANY}, {"tuple", TY_COMMON_TUPLE}, {"list", TY_COMMON_LIST}, {"set", TY_COMMON_SET},
    };
    if (e->func->kind != TY_AST_Name || e->args.count != 1 || e->keywords.count || e->args.items[0]->kind != TY_AST_GeneratorExp)
        return -1;
    const TyScope *scope = ty_scope_of(c->table, e->args.items[0]);
    if (scope->coroutine || !ty_is_global_name(c, TY_AST(Name, e->func)->id))
        return -1;
    for (size_t i = 0; i < TY_COUNT_OF(builtins); i++)
        if (ty_str_equal_text(TY_AST(Name, e->func)->id, builtins[i].name))
            return builtins[i].common;
    return -1;
}

static void walk_generator(TyCompiler *c, TyPlace place, int builtin, TyRegister generator, TyRegister target)
{
    TyUnit *u = c->unit;
    bool tests = builtin == TY_COMMON_ANY || builtin == TY_COMMON_ALL;
    int32_t loop = ty_new_label(c), next = ty_new_label(c), found = ty_new_label(c), done = ty_new_label(c);
    TyRegister collection = ty_slot(u);
    if (!tests) {
        ty_emit(c, place, builtin == TY_COMMON_SET ? TY_OP_BUILD_SET : TY_OP_BUILD_LIST, collection, collection, 0);
        ty_push(c);
    }
    TyRegister item = ty_slot(u);
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, next);
    ty_place_label(c, loop);
    ty_push(c);
    if (tests)
        ty_emit_jump(c, place, builtin == TY_COMMON_ANY ? TY_OP_JUMP_IF_TRUE : TY_OP_JUMP_IF_FALSE, item, 0, 0, found);
    else
        ty_emit(c, place, builtin == TY_COMMON_SET ? TY_OP_SET_ADD : TY_OP_LIST_APPEND, collection, item, 0);
    u->top--;
    ty_place_label(c, next);
    ty_emit_jump(c, place, TY_OP_FOR_ITER, item, generator, 0, loop);
    if (tests) {
        ty_load_const(c, place, target, ty_from_bool(builtin == TY_COMMON_ALL));
        ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, done);
        ty_place_label(c, found);
        ty_load_const(c, place, target, ty_from_bool(builtin == TY_COMMON_ANY));
    } else {
        ty_emit(c, place, builtin == TY_COMMON_TUPLE ? TY_OP_LIST_TO_TUPLE : TY_OP_MOVE, target, collection, 0);
    }
    ty_place_label(c, done);
}

static void walked_call(TyCompiler *c, TyAstCall *e, int builtin, TyRegister target)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(&e->node);
    uint32_t mark = u->top;
    int32_t slow = ty_new_label(c), done = ty_new_label(c);
    TyRegister function = ty_expression_push(c, e->func);
    TyRegister generator = ty_expression_push(c, e->args.items[0]);
    TyRegister common = ty_slot(u);
    ty_emit_imm(c, place, TY_OP_LOAD_COMMON, common, builtin);
    ty_push(c);
    ty_emit_jump(c, place, TY_OP_JUMP_IF_IS, function, common, 0, slow);
    u->top = mark + 2;
    walk_generator(c, place, builtin, generator, target);
    u->top = mark + 2;
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, done);
    ty_place_label(c, slow);
    ty_emit(c, place, TY_OP_CALL, target, function, 1);
    ty_place_label(c, done);
    u->top = mark;
}

static void call(TyCompiler *c, TyAstCall *e, TyRegister target)
{
    warn_if_not_callable(c, e->func);
    int builtin = walked_builtin(c, e);
    if (builtin >= 0) {
        walked_call(c, e, builtin, target);
        return;
    }
    if (e->func->kind == TY_AST_Attribute && !needs_spread(&e->args, &e->keywords)) {
        method_call(c, e, target);
        return;
    }
    TyRegister base = ty_expression_push(c, e->func);
    ty_call_arguments(c, ty_place(&e->node), target, base, &e->args, &e->keywords, TY_NO_REGISTER);
}

/* --- generators and coroutines ---------------------------------------------------------------------------------------------------------------------- */

static bool in_coroutine(const TyUnit *u) { return u->scope->coroutine; }

void ty_await(TyCompiler *c, TyPlace place, TyRegister target, TyRegister awaitable, int whose)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyRegister iterator = ty_slot(u);
    ty_emit(c, place, TY_OP_GET_AWAITABLE, iterator, awaitable, (uint32_t)whose);
    ty_push(c);
    TyRegister sent = ty_slot(u);
    ty_load_const(c, place, sent, TY_NONE);
    ty_push(c);
    ty_emit(c, place, TY_OP_YIELD_FROM, target, iterator, sent);
    u->top = mark;
}

static void yield(TyCompiler *c, TyAstYield *e, TyRegister target)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&e->node);
    if (!ty_scope_is_function_like(u->scope)) {
        TY_COMPILE_ERROR(c, place, "'yield' outside function");
        return;
    }
    TyRegister value;
    if (e->value) {
        value = ty_last_operand(c, e->value);
    } else {
        value = ty_slot(u);
        ty_load_const(c, place, value, TY_NONE);
        ty_push(c);
    }
    if (in_coroutine(u)) {
        TyRegister wrapped = ty_is_temporary(value) ? value : ty_slot(u);
        ty_emit(c, place, TY_OP_ASYNC_GENERATOR_WRAP, wrapped, value, 0);
        if (wrapped == ty_slot(u))
            ty_push(c);
        value = wrapped;
    }
    ty_emit(c, place, TY_OP_YIELD, target, value, 0);
    u->top = mark;
}

static void yield_from(TyCompiler *c, TyAstYieldFrom *e, TyRegister target)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(&e->node);
    if (!ty_scope_is_function_like(u->scope)) {
        TY_COMPILE_ERROR(c, place, "'yield from' outside function");
        return;
    }
    if (in_coroutine(u)) {
        TY_COMPILE_ERROR(c, place, "'yield from' inside async function");
        return;
    }
    TyRegister source = ty_last_operand(c, e->value);
    TyRegister iterator = ty_is_temporary(source) ? source : ty_slot(u);
    ty_emit(c, place, TY_OP_GET_YIELD_FROM_ITER, iterator, source, 0);
    if (iterator == ty_slot(u))
        ty_push(c);
    TyRegister sent = ty_slot(u);
    ty_load_const(c, place, sent, TY_NONE);
    ty_push(c);
    ty_emit(c, place, TY_OP_YIELD_FROM, target, iterator, sent);
    u->top = mark;
}

/* --- comprehensions ---------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Comprehension {
    TyComprehensionKind kind;
    TyNode *node;
    const TyNodeList *generators;
    TyNode *element, *value;    /* value of a dict's pair */
    TyRegister collection;
} Comprehension;

static void generator_level(TyCompiler *c, Comprehension *k, int level, TyRegister iterator);

static void produce_element(TyCompiler *c, Comprehension *k)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(k->element);
    TyRegister element = k->value ? ty_operand(c, k->element) : ty_last_operand(c, k->element);
    switch (k->kind) {
    case TY_COMPREHENSION_LIST:
        ty_emit(c, place, TY_OP_LIST_APPEND, k->collection, element, 0);
        break;
    case TY_COMPREHENSION_SET:
        ty_emit(c, place, TY_OP_SET_ADD, k->collection, element, 0);
        break;
    case TY_COMPREHENSION_DICT: {
        TyRegister value = ty_last_operand(c, k->value);
        place.end_line = k->value->end_lineno;
        place.end_column = k->value->end_col_offset;
        ty_emit(c, place, TY_OP_MAP_ADD, k->collection, element, value);
        break;
    }
    default:
        if (in_coroutine(u)) {
            TyRegister wrapped = ty_is_temporary(element) ? element : ty_slot(u);
            ty_emit(c, place, TY_OP_ASYNC_GENERATOR_WRAP, wrapped, element, 0);
            if (wrapped == ty_slot(u))
                ty_push(c);
            element = wrapped;
        }
        ty_emit(c, place, TY_OP_YIELD, ty_slot(u), element, 0);
        break;
    }
    u->top = mark;
}

static void inner_of_level(TyCompiler *c, Comprehension *k, int level, int32_t next)
{
    TyAstcomprehension *generator = TY_AST(comprehension, k->generators->items[level]);
    for (int i = 0; i < generator->ifs.count; i++)
        ty_jump_if(c, generator->ifs.items[i], false, next);
    if (level + 1 < k->generators->count)
        generator_level(c, k, level + 1, TY_NO_REGISTER);
    else
        produce_element(c, k);
}

static void async_level(TyCompiler *c, Comprehension *k, int level, TyRegister iterator)
{
    TyUnit *u = c->unit;
    TyAstcomprehension *generator = TY_AST(comprehension, k->generators->items[level]);
    TyPlace place = ty_place(k->node);
    uint32_t mark = u->top;
    int32_t loop = ty_new_label(c), ended = ty_new_label(c), next = ty_new_label(c);
    int32_t outer = u->handler;
    ty_place_label(c, loop);
    u->handler = ty_new_handler(c, ended, ty_slot(u));
    TyRegister item = ty_slot(u);
    ty_emit(c, place, TY_OP_GET_ANEXT, item, iterator, 0);
    ty_push(c);
    TyRegister sent = ty_slot(u);
    ty_load_const(c, place, sent, TY_NONE);
    ty_push(c);
    ty_emit(c, place, TY_OP_YIELD_FROM, item, item, sent);
    u->handler = outer;
    u->top = mark + 1;
    ty_store_target(c, generator->target, item);
    u->top = mark;
    inner_of_level(c, k, level, next);
    ty_place_label(c, next);
    ty_emit_jump(c, ty_place(k->element), TY_OP_JUMP, 0, 0, 0, loop);
    ty_place_label(c, ended);
    ty_push(c);
    ty_emit(c, place, TY_OP_END_ASYNC_FOR, item, 0, 0);
    u->top = mark;
}

static bool is_single_item_list(const TyNode *e)
{
    const TyNodeList *items = e->kind == TY_AST_List ? &TY_AST(List, e)->elts : e->kind == TY_AST_Tuple ? &TY_AST(Tuple, e)->elts : NULL;
    return items && items->count == 1 && items->items[0]->kind != TY_AST_Starred;
}

static void push_iterator(TyCompiler *c, TyNode *e, bool is_async)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(e);
    Value constant;
    TyRegister source;
    uint32_t mark = u->top;
    TyRegister iterator = ty_slot(u);
    if (!is_async && constant_container(c, e, &constant)) {
        ty_load_const(c, place, iterator, constant);
        source = ty_push(c);
    } else if (!is_async && e->kind == TY_AST_List) {
        display(c, e, &TY_AST(List, e)->elts, TY_OP_BUILD_TUPLE, iterator);
        source = ty_push(c);
    } else {
        source = ty_last_operand(c, e);
    }
    ty_emit(c, place, is_async ? TY_OP_GET_AITER : TY_OP_GET_ITER, iterator, source, 0);
    u->top = mark;
    ty_push(c);
}

static void generator_level(TyCompiler *c, Comprehension *k, int level, TyRegister iterator)
{
    TyUnit *u = c->unit;
    if (c->failed)
        return;
    TyAstcomprehension *generator = TY_AST(comprehension, k->generators->items[level]);
    uint32_t mark = u->top;
    int32_t next = ty_new_label(c), loop = ty_new_label(c);
    if (iterator == TY_NO_REGISTER && !generator->is_async && is_single_item_list(generator->iter)) {
        /* for x in [y]: an assignment */
        TyNode *item = generator->iter->kind == TY_AST_List ? TY_AST(List, generator->iter)->elts.items[0] : TY_AST(Tuple, generator->iter)->elts.items[0];
        TyRegister direct = ty_target_register(c, generator->target);
        if (direct != TY_NO_REGISTER)
            ty_expression(c, item, direct);
        else
            ty_store_target(c, generator->target, ty_expression_push(c, item));
        u->top = mark;
        inner_of_level(c, k, level, next);
        ty_place_label(c, next);
        return;
    }
    if (iterator == TY_NO_REGISTER) {
        iterator = ty_slot(u);
        push_iterator(c, generator->iter, generator->is_async);
    }
    if (generator->is_async) {
        async_level(c, k, level, iterator);
        u->top = mark;
        return;
    }
    TyPlace place = ty_place(generator->iter);
    TyRegister direct = ty_target_register(c, generator->target), item = ty_slot(u);
    uint32_t inside = u->top;
    ty_emit_jump(c, TY_NO_PLACE, TY_OP_JUMP, 0, 0, 0, next);
    ty_place_label(c, loop);
    if (direct == TY_NO_REGISTER) {
        ty_push(c);
        ty_store_target(c, generator->target, item);
        u->top = inside;
    }
    inner_of_level(c, k, level, next);
    ty_place_label(c, next);
    ty_emit_jump(c, place, TY_OP_FOR_ITER, direct != TY_NO_REGISTER ? direct : item, iterator, 0, loop);
    u->top = mark;
}

static void begin_collection(TyCompiler *c, Comprehension *k)
{
    static const uint16_t build[] = {[TY_COMPREHENSION_LIST] = TY_OP_BUILD_LIST, [TY_COMPREHENSION_SET] = TY_OP_BUILD_SET, [TY_COMPREHENSION_DICT] = TY_OP_BUILD_MAP};
    if (k->kind == TY_COMPREHENSION_GENERATOR)
        return;
    k->collection = ty_slot(c->unit);
    ty_emit(c, ty_place(k->node), (TyOp)build[k->kind], k->collection, k->collection, 0);
    ty_push(c);
}

static TyRegister hidden_register(TyCompiler *c, Value name, bool is_cell)
{
    TyUnit *u = c->unit;
    uint8_t kind = TY_REGISTER_LOCAL | TY_REGISTER_HIDDEN | (is_cell ? TY_REGISTER_CELL : 0);
    for (int i = 0; i < u->local_count; i++)
        if (u->locals[i].name == name && u->locals[i].kind == kind && !u->locals[i].busy)
            return (TyRegister)i;
    return ty_new_local(c, name, kind);
}

static void inlined_comprehension(TyCompiler *c, Comprehension *k, TyScope *scope, TyRegister target)
{
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(k->node);
    begin_collection(c, k);
    TyAstcomprehension *outermost = TY_AST(comprehension, k->generators->items[0]);
    TyRegister iterator = ty_slot(u);
    push_iterator(c, outermost->iter, outermost->is_async);
    TyInlined *inlined = ty_arena_allocate_zeroed(&c->arena, sizeof *inlined);
    if (!inlined || c->failed) {
        ty_compiler_fail_memory(c);
        return;
    }
    inlined->scope = scope;
    for (int i = 0; i < scope->symbols.count && !c->failed; i++) {
        Value name = scope->symbols.entries[i].name;
        uint32_t symbol = (uint32_t)scope->symbols.entries[i].number;
        TyScopeKind kind = ty_symbol_kind(symbol);
        if (scope->symbols.entries[i].number == TY_NAMES_ABSENT || (symbol & (TY_SYMBOL_PARAMETER | TY_SYMBOL_INLINED)) || (kind != TY_SCOPE_LOCAL && kind != TY_SCOPE_CELL))
            continue;
        TyRegister r = hidden_register(c, name, kind == TY_SCOPE_CELL);
        if (c->failed)
            return;
        u->locals[r].busy = true;
        TY_APPEND(c, u->hidden_log, u->hidden_count, u->hidden_capacity, r);
        if (kind == TY_SCOPE_CELL)
            ty_emit(c, place, TY_OP_MAKE_CELL, r, 0, 0);
        if (!ty_names_set(&c->arena, &inlined->registers, name, (int32_t)r))
            ty_compiler_fail_memory(c);
    }
    TY_APPEND(c, u->inlined, u->inlined_count, u->inlined_capacity, inlined);
    generator_level(c, k, 0, iterator);
    if (c->failed)
        return;
    u->inlined_count--;
    for (int i = 0; i < inlined->registers.count; i++) {
        TyRegister r = (TyRegister)inlined->registers.entries[i].number;
        u->locals[r].busy = false;
        ty_emit(c, place, TY_OP_LOAD_NULL, r, 0, 0);
    }
    u->top = mark + 1;
    move_if_elsewhere(c, place, target, k->collection);
    u->top = mark;
}

/* The function that evaluates a comprehension that is not inlined. */
static Value comprehension_code(TyCompiler *c, Comprehension *k, TyScope *scope)
{
    static const char *const names[] = {"", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"};
    TyUnit *u = ty_enter_unit(c, scope, ty_intern_text(names[k->kind]), k->node->lineno);
    if (!u)
        return TY_NULL;
    u->positional_count = 1;
    ty_unit_prologue(c);
    int32_t stop_handler = ty_wrap_generator_begin(c);
    begin_collection(c, k);
    generator_level(c, k, 0, 0);
    if (k->kind == TY_COMPREHENSION_GENERATOR)
        ty_emit(c, ty_place(k->node), TY_OP_RETURN_NONE, 0, 0, 0);
    else
        ty_emit(c, ty_place(k->node), TY_OP_RETURN, k->collection, 0, 0);
    u->top = 0;
    ty_wrap_generator_end(c, stop_handler);
    return ty_leave_unit(c);
}

void ty_comprehension(TyCompiler *c, TyNode *e, TyRegister target)
{
    TyUnit *u = c->unit;
    Comprehension k = {.node = e};
    switch (e->kind) {
    case TY_AST_ListComp:
        k.kind = TY_COMPREHENSION_LIST, k.element = TY_AST(ListComp, e)->elt, k.generators = &TY_AST(ListComp, e)->generators;
        break;
    case TY_AST_SetComp:
        k.kind = TY_COMPREHENSION_SET, k.element = TY_AST(SetComp, e)->elt, k.generators = &TY_AST(SetComp, e)->generators;
        break;
    case TY_AST_DictComp:
        k.kind = TY_COMPREHENSION_DICT, k.element = TY_AST(DictComp, e)->key, k.value = TY_AST(DictComp, e)->value, k.generators = &TY_AST(DictComp, e)->generators;
        break;
    default:
        k.kind = TY_COMPREHENSION_GENERATOR, k.element = TY_AST(GeneratorExp, e)->elt, k.generators = &TY_AST(GeneratorExp, e)->generators;
        break;
    }
    TyScope *scope = ty_scope_of(c->table, e);
    if (scope->inlined) {
        inlined_comprehension(c, &k, scope, target);
        return;
    }
    TyPlace place = ty_place(e);
    uint32_t mark = u->top;
    TyRegister function = ty_slot(u);
    Value code = comprehension_code(c, &k, scope);
    ty_make_closure(c, place, code, function);
    ty_push(c);
    TyAstcomprehension *outermost = TY_AST(comprehension, k.generators->items[0]);
    push_iterator(c, outermost->iter, outermost->is_async);
    bool awaited = scope->coroutine && k.kind != TY_COMPREHENSION_GENERATOR;
    ty_emit(c, place, TY_OP_CALL, awaited ? function : target, function, 1);
    u->top = mark;
    if (awaited) {
        ty_push(c);
        ty_await(c, place, target, function, 0);
        u->top = mark;
    }
}

/* --- targets ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void unpack(TyCompiler *c, TyNode *target, const TyNodeList *items, TyRegister source)
{
    TyUnit *u = c->unit;
    TyPlace place = ty_place(target);
    uint32_t mark = u->top;
    int star = -1;
    for (int i = 0; i < items->count; i++) {
        if (items->items[i]->kind != TY_AST_Starred)
            continue;
        if (star >= 0) {
            TY_COMPILE_ERROR(c, place, "multiple starred expressions in assignment");
            return;
        }
        star = i;
    }
    if (star >= 256 || items->count - star - 1 >= (1 << 23)) {
        TY_COMPILE_ERROR(c, place, "too many expressions in star-unpacking assignment");
        return;
    }
    /* Neighbouring locals are unpacked into straight away. */
    TyRegister first = star < 0 && items->count ? ty_target_register(c, items->items[0]) : TY_NO_REGISTER;
    bool direct = first != TY_NO_REGISTER;
    for (int i = 1; i < items->count && direct; i++)
        direct = ty_target_register(c, items->items[i]) == first + (uint32_t)i;
    if (direct) {
        ty_emit(c, place, TY_OP_UNPACK, first, source, (uint32_t)items->count);
        return;
    }
    first = ty_slot(u);
    if (star < 0) {
        ty_emit(c, place, TY_OP_UNPACK, first, source, (uint32_t)items->count);
    } else {
        TyItem *item = ty_emit(c, place, TY_OP_UNPACK_STAR, first, source, (uint32_t)(items->count - star - 1));
        item->x = star;
    }
    ty_push_many(c, (uint32_t)items->count);
    for (int i = 0; i < items->count; i++) {
        TyNode *item = items->items[i];
        ty_store_target(c, item->kind == TY_AST_Starred ? TY_AST(Starred, item)->value : item, first + (uint32_t)i);
    }
    u->top = mark;
}

/* self.name = … inside a class: the class knows the names that its methods set. */
static void note_static_attribute(TyCompiler *c, const TyAstAttribute *a)
{
    if (a->value->kind != TY_AST_Name || TY_AST(Name, a->value)->id != TY_NAME("self"))
        return;
    for (TyUnit *u = c->unit; u; u = u->outer)
        if (u->scope->type == TY_BLOCK_CLASS) {
            if (!ty_names_set(&c->arena, &u->static_attributes, a->attr, 1))
                ty_compiler_fail_memory(c);
            return;
        }
}

void ty_store_target(TyCompiler *c, TyNode *target, TyRegister source)
{
    if (c->failed)
        return;
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(target);
    switch (target->kind) {
    case TY_AST_Name:
        ty_store_variable(c, place, TY_AST(Name, target)->id, source);
        break;
    case TY_AST_Attribute: {
        TyAstAttribute *a = TY_AST(Attribute, target);
        note_static_attribute(c, a);
        TyRegister object = ty_last_operand(c, a->value);
        ty_emit_name(c, ty_attribute_place(place, a), TY_OP_STORE_ATTR, object, source, ty_mangle_here(c, a->attr));
        break;
    }
    case TY_AST_Subscript: {
        TyAstSubscript *s = TY_AST(Subscript, target);
        if (is_two_part_slice(s->slice)) {
            TyRegister window = ty_expression_push(c, s->value);
            push_optional(c, place, TY_AST(Slice, s->slice)->lower);
            push_optional(c, place, TY_AST(Slice, s->slice)->upper);
            ty_emit(c, place, TY_OP_STORE_SLICE, window, source, 0);
        } else {
            TyRegister object = ty_operand(c, s->value);
            TyRegister key = ty_last_operand(c, s->slice);
            ty_emit(c, place, TY_OP_STORE_ITEM, object, key, source);
        }
        break;
    }
    case TY_AST_Tuple:
        unpack(c, target, &TY_AST(Tuple, target)->elts, source);
        break;
    case TY_AST_List:
        unpack(c, target, &TY_AST(List, target)->elts, source);
        break;
    case TY_AST_Starred:
        TY_COMPILE_ERROR(c, place, "starred assignment target must be in a list or tuple");
        break;
    default:
        TY_COMPILE_ERROR(c, place, "cannot assign to this expression");
        break;
    }
    u->top = mark;
}

void ty_delete_target(TyCompiler *c, TyNode *target)
{
    if (c->failed)
        return;
    TyUnit *u = c->unit;
    uint32_t mark = u->top;
    TyPlace place = ty_place(target);
    switch (target->kind) {
    case TY_AST_Name:
        ty_delete_variable(c, place, TY_AST(Name, target)->id);
        break;
    case TY_AST_Attribute: {
        TyAstAttribute *a = TY_AST(Attribute, target);
        TyRegister object = ty_last_operand(c, a->value);
        ty_emit_name(c, ty_attribute_place(place, a), TY_OP_DELETE_ATTR, object, 0, ty_mangle_here(c, a->attr));
        break;
    }
    case TY_AST_Subscript: {
        TyRegister object = ty_operand(c, TY_AST(Subscript, target)->value);
        TyRegister key = ty_last_operand(c, TY_AST(Subscript, target)->slice);
        ty_emit(c, place, TY_OP_DELETE_ITEM, object, key, 0);
        break;
    }
    case TY_AST_Tuple:
        for (int i = 0; i < TY_AST(Tuple, target)->elts.count; i++)
            ty_delete_target(c, TY_AST(Tuple, target)->elts.items[i]);
        break;
    case TY_AST_List:
        for (int i = 0; i < TY_AST(List, target)->elts.count; i++)
            ty_delete_target(c, TY_AST(List, target)->elts.items[i]);
        break;
    default:
        TY_COMPILE_ERROR(c, place, "cannot delete this expression");
        break;
    }
    u->top = mark;
}

/* --- the switch ----------------------------------------------------------------------------------------------------------------------------------------------- */

void ty_expression(TyCompiler *c, TyNode *e, TyRegister target)
{
    if (c->failed)
        return;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        c->failed = true;
        return;
    }
    Value constant;
    TyPlace place = ty_place(e);
    if (ty_fold(c, e, &constant)) {
        if (e->kind == TY_AST_Subscript) /* what can't be meant is said even of constants */
            warn_about_subscript(c, TY_AST(Subscript, e)->value, TY_AST(Subscript, e)->slice);
        ty_load_const(c, place, target, constant);
        return;
    }
    uint32_t mark = c->unit->top;
    switch (e->kind) {
    case TY_AST_BoolOp:
        bool_op(c, TY_AST(BoolOp, e), target);
        break;
    case TY_AST_NamedExpr: {
        TyRegister direct = ty_target_register(c, TY_AST(NamedExpr, e)->target);
        if (direct != TY_NO_REGISTER) {
            ty_expression(c, TY_AST(NamedExpr, e)->value, direct);
            move_if_elsewhere(c, place, target, direct);
        } else {
            TyRegister r = ty_expression_push(c, TY_AST(NamedExpr, e)->value);
            ty_store_target(c, TY_AST(NamedExpr, e)->target, r);
            move_if_elsewhere(c, place, target, r);
        }
        break;
    }
    case TY_AST_BinOp:
        binary(c, TY_AST(BinOp, e), target);
        break;
    case TY_AST_UnaryOp:
        unary(c, TY_AST(UnaryOp, e), target);
        break;
    case TY_AST_Lambda:
        ty_lambda(c, TY_AST(Lambda, e), target);
        break;
    case TY_AST_IfExp:
        conditional(c, TY_AST(IfExp, e), target);
        break;
    case TY_AST_Dict:
        dict_display(c, TY_AST(Dict, e), target);
        break;
    case TY_AST_Set:
        display(c, e, &TY_AST(Set, e)->elts, TY_OP_BUILD_SET, target);
        break;
    case TY_AST_List:
        display(c, e, &TY_AST(List, e)->elts, TY_OP_BUILD_LIST, target);
        break;
    case TY_AST_Tuple:
        display(c, e, &TY_AST(Tuple, e)->elts, TY_OP_BUILD_TUPLE, target);
        break;
    case TY_AST_ListComp:
    case TY_AST_SetComp:
    case TY_AST_DictComp:
    case TY_AST_GeneratorExp:
        ty_comprehension(c, e, target);
        break;
    case TY_AST_Await: {
        TyRegister r = ty_last_operand(c, TY_AST(Await, e)->value);
        ty_await(c, place, target, r, 0);
        break;
    }
    case TY_AST_Yield:
        yield(c, TY_AST(Yield, e), target);
        break;
    case TY_AST_YieldFrom:
        yield_from(c, TY_AST(YieldFrom, e), target);
        break;
    case TY_AST_Compare:
        compare(c, TY_AST(Compare, e), target);
        break;
    case TY_AST_Call:
        call(c, TY_AST(Call, e), target);
        break;
    case TY_AST_FormattedValue:
        formatted_value(c, TY_AST(FormattedValue, e), target);
        break;
    case TY_AST_Interpolation:
        interpolation(c, TY_AST(Interpolation, e), target);
        break;
    case TY_AST_JoinedStr:
        joined_str(c, TY_AST(JoinedStr, e), target);
        break;
    case TY_AST_TemplateStr:
        template_str(c, TY_AST(TemplateStr, e), target);
        break;
    case TY_AST_Attribute:
        attribute(c, TY_AST(Attribute, e), target);
        break;
    case TY_AST_Subscript:
        subscript(c, TY_AST(Subscript, e), target);
        break;
    case TY_AST_Slice:
        slice(c, TY_AST(Slice, e), target);
        break;
    case TY_AST_Name:
        ty_load_variable(c, place, TY_AST(Name, e)->id, target);
        break;
    case TY_AST_Starred:
        TY_COMPILE_ERROR(c, place, TY_AST(Starred, e)->ctx == TY_AST_Store ? "starred assignment target must be in a list or tuple" : "can't use starred expression here");
        break;
    default:
        TY_COMPILE_ERROR(c, place, "this is no expression");
        break;
    }
    c->unit->top = mark;
}
