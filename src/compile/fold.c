#include "compile/compiler.h"

#include "object/bytes.h"
#include "object/int.h"
#include "object/tuple.h"

/* Constant folding, within CPython's limits on the size of what is made. An operation that would raise is left for run time. */

enum {
    MAX_INT_BITS = 128,
    MAX_COLLECTION_SIZE = 256,
    MAX_STR_SIZE = 4096,
    MAX_TOTAL_ITEMS = 1024,
    NODE_NOT_CONSTANT = 0x8000, /* a flag of the node: asked before, so that nested operations are not tried again and again */
};

static bool swallow(TyCompiler *c, Value result, Value *value)
{
    if (result == TY_NULL) {
        ty_clear_exception();
        return false;
    }
    *value = ty_keep(c, result);
    return !c->failed;
}

/* Items that remain of `budget` after counting those of the value, nested ones included; negative when there are too many. */
static int64_t budget_after(Value v, int64_t budget)
{
    if (!ty_is_exact_tuple(v))
        return budget;
    budget -= ty_tuple_length(v);
    for (int64_t i = 0; i < ty_tuple_length(v) && budget >= 0; i++)
        budget = budget_after(ty_tuple_item(v, i), budget);
    return budget;
}

static bool repetition_is_small(Value count, Value sequence)
{
    if (!ty_is_immediate_int(count))
        return false;
    int64_t n = ty_immediate_int(count), size, limit;
    if (ty_is_exact_tuple(sequence)) {
        size = ty_tuple_length(sequence), limit = MAX_COLLECTION_SIZE;
        if (size && n > 0 && n <= limit / size && budget_after(sequence, MAX_TOTAL_ITEMS / n) < 0)
            return false;
    } else {
        size = ty_is_str(sequence) ? ty_str_length(sequence) : ty_bytes_length(sequence), limit = MAX_STR_SIZE;
    }
    return !size || (n >= 0 && n <= limit / size);
}

static bool is_sequence_constant(Value v) { return ty_is_exact_tuple(v) || ty_is_exact_str(v) || ty_is_exact(v, &ty_bytes_type); }

static bool product_is_small(Value a, Value b)
{
    if (ty_is_int(a) && ty_is_int(b))
        return ty_int_bit_length(a) + ty_int_bit_length(b) <= MAX_INT_BITS;
    if (ty_is_exact_int(a) && is_sequence_constant(b))
        return repetition_is_small(a, b);
    if (ty_is_exact_int(b) && is_sequence_constant(a))
        return repetition_is_small(b, a);
    return true;
}

static bool power_is_small(Value a, Value b)
{
    if (!ty_is_int(a) || !ty_is_int(b) || ty_int_sign(b) <= 0 || ty_int_sign(a) == 0)
        return true;
    int64_t exponent;
    return ty_int_get_int64(b, &exponent) == 0 && exponent <= MAX_INT_BITS && ty_int_bit_length(a) * exponent <= MAX_INT_BITS;
}

static bool shift_is_small(Value a, Value b)
{
    if (!ty_is_int(a) || !ty_is_int(b) || ty_int_sign(a) == 0 || ty_int_sign(b) < 0)
        return true;
    int64_t count;
    return ty_int_get_int64(b, &count) == 0 && count <= MAX_INT_BITS && ty_int_bit_length(a) <= MAX_INT_BITS - count;
}

static bool fold_binary(TyCompiler *c, TyAstBinOp *e, Value *value)
{
    Value left, right;
    if (!ty_fold(c, e->left, &left) || !ty_fold(c, e->right, &right))
        return false;
    static const int8_t operators[TY_AST_COUNT_operator] = {
        [TY_AST_Add] = TY_BINARY_ADD, [TY_AST_Sub] = TY_BINARY_SUBTRACT, [TY_AST_Mult] = TY_BINARY_MULTIPLY, [TY_AST_MatMult] = -1,
        [TY_AST_Div] = TY_BINARY_TRUE_DIVIDE, [TY_AST_Mod] = TY_BINARY_REMAINDER, [TY_AST_Pow] = TY_BINARY_POWER,
        [TY_AST_LShift] = TY_BINARY_LEFT_SHIFT, [TY_AST_RShift] = TY_BINARY_RIGHT_SHIFT, [TY_AST_BitOr] = TY_BINARY_OR,
        [TY_AST_BitXor] = TY_BINARY_XOR, [TY_AST_BitAnd] = TY_BINARY_AND, [TY_AST_FloorDiv] = TY_BINARY_FLOOR_DIVIDE,
    };
    switch (e->op) {
    case TY_AST_MatMult:
        return false;
    case TY_AST_Mult:
        if (!product_is_small(left, right))
            return false;
        break;
    case TY_AST_Pow:
        if (!power_is_small(left, right))
            return false;
        break;
    case TY_AST_LShift:
        if (!shift_is_small(left, right))
            return false;
        break;
    case TY_AST_Mod: /* formatting may be of any size */
        if (ty_is_str(left) || ty_is_bytes(left))
            return false;
        break;
    default:
        break;
    }
    return swallow(c, ty_binary((TyBinaryOperator)operators[e->op], left, right), value);
}

static bool fold_unary(TyCompiler *c, TyAstUnaryOp *e, Value *value)
{
    Value operand;
    if (!ty_fold(c, e->operand, &operand))
        return false;
    switch (e->op) {
    case TY_AST_Invert:
        if (operand == TY_TRUE || operand == TY_FALSE) /* deprecated: warns at run time */
            return false;
        return swallow(c, ty_invert(operand), value);
    case TY_AST_UAdd:
        return swallow(c, ty_positive(operand), value);
    case TY_AST_USub:
        return swallow(c, ty_negative(operand), value);
    default: {
        int truth = ty_is_true(operand);
        return swallow(c, truth < 0 ? TY_NULL : ty_from_bool(!truth), value);
    }
    }
}

static bool fold_tuple(TyCompiler *c, TyAstTuple *e, Value *value)
{
    if (e->ctx != TY_AST_Load)
        return false;
    Value tuple = ty_tuple_new(e->elts.count);
    if (tuple == TY_NULL) {
        c->failed = true;
        return false;
    }
    for (int i = 0; i < e->elts.count; i++) {
        Value item;
        if (!ty_fold(c, e->elts.items[i], &item))
            return false;
        ty_tuple_set(tuple, i, item);
    }
    *value = ty_keep(c, tuple);
    return !c->failed;
}

static bool fold_subscript(TyCompiler *c, TyAstSubscript *e, Value *value)
{
    Value container, key;
    if (e->ctx != TY_AST_Load || !ty_fold(c, e->value, &container) || !ty_fold(c, e->slice, &key))
        return false;
    if (!is_sequence_constant(container) || !ty_is_immediate_int(key))
        return false;
    return swallow(c, ty_get_item(container, key), value);
}

static bool fold(TyCompiler *c, TyNode *node, Value *value)
{
    switch (node->kind) {
    case TY_AST_Constant:
        *value = TY_AST(Constant, node)->value;
        return true;
    case TY_AST_Name:
        if (TY_AST(Name, node)->id != TY_NAME("__debug__") || TY_AST(Name, node)->ctx != TY_AST_Load)
            return false;
        *value = ty_from_bool(c->optimize == 0);
        return true;
    case TY_AST_UnaryOp:
        return fold_unary(c, TY_AST(UnaryOp, node), value);
    case TY_AST_BinOp:
        return fold_binary(c, TY_AST(BinOp, node), value);
    case TY_AST_Tuple:
        return fold_tuple(c, TY_AST(Tuple, node), value);
    case TY_AST_Subscript:
        return fold_subscript(c, TY_AST(Subscript, node), value);
    default:
        return false;
    }
}

bool ty_fold(TyCompiler *c, TyNode *node, Value *value)
{
    if (c->failed || (node->flags & NODE_NOT_CONSTANT))
        return false;
    if (ty_c_stack_low()) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded during compilation");
        c->failed = true;
        return false;
    }
    if (fold(c, node, value))
        return true;
    node->flags |= NODE_NOT_CONSTANT;
    return false;
}
