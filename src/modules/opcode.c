/* _opcode: the instruction table (vm/instructions.h) for the library: lib/dis.py says what it shows of it. */
#include "object/exception.h"
#include "object/instruction_table.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static bool has_constant(TyOp op)
{
    return op == TY_OP_LOAD_CONST || op == TY_OP_MAKE_FUNCTION || op == TY_OP_CALL_KW || op == TY_OP_CALL_METHOD_KW;
}
static bool has_free_variable(TyOp op) { return op == TY_OP_LOAD_CELL || op == TY_OP_STORE_CELL || op == TY_OP_DELETE_CELL || op == TY_OP_LOAD_CELL_OR_MAPPING; }

#define DEFINE_PROPERTY(name, condition)                                                           \
    static Value opcode_##name(Value self, Value *a)                                               \
    {                                                                                              \
        int32_t code;                                                                              \
        if (!ty_to_int32(a[0], &code))                                                             \
            return TY_ERROR;                                                                       \
        TyOp op = (TyOp)code;                                                                      \
        return ty_from_bool(code >= 0 && code < TY_OP_COUNT && (condition));                       \
    }
DEFINE_PROPERTY(is_valid, op >= TY_OP_RESUME)
DEFINE_PROPERTY(has_arg, ty_op_formats[op] != TY_FORMAT_NONE)
DEFINE_PROPERTY(has_const, has_constant(op))
DEFINE_PROPERTY(has_name, ty_op_format(op)->name)
DEFINE_PROPERTY(has_jump, ty_op_format(op)->jump != 0)
DEFINE_PROPERTY(has_local, ty_op_format(op)->registers != 0)
DEFINE_PROPERTY(has_free, has_free_variable(op))
DEFINE_PROPERTY(has_exc, op == TY_OP_COUNT)

/* The instruction table: name, words, which operands are registers (1 a, 2 b, 4 c), where a jump is (0 none, 1 in the first word, 2 in the second),
 * whether the second word names something, format. */
static Value opcode_instructions(Value self, Value *a)
{
    static const char *const formats[] = {
        "NONE", "A", "AB", "ABC", "A_IMM", "IMM", "JUMP", "A_JUMP", "AB_N", "ABC_N", "ABC_I", "A_NAME", "NAME", "AB_NAME", "ABC_NAME", "AB_N_JUMP", "AI_N_JUMP",
        "AB_JUMP", "AB_EXT", "ABC_N_EXT", "ABC_EXT"};
    _Static_assert(TY_COUNT_OF(formats) == TY_FORMAT_COUNT, "each format has a name");
    Value list = ty_list_new(TY_OP_COUNT);
    for (int op = 0; op < TY_OP_COUNT && list != TY_NULL; op++) {
        const TyFormatInfo *format = ty_op_format((TyOp)op);
        Value row = ty_tuple_pack(6, ty_str_from_text(ty_op_names[op]), ty_from_immediate_int(format->words), ty_from_immediate_int(format->registers),
                                  ty_from_immediate_int(format->jump), ty_from_bool(format->name), ty_str_from_text(formats[ty_op_formats[op]]));
        if (row == TY_NULL || !ty_list_append(list, row))
            return TY_ERROR;
    }
    return list;
}

static Value opcode_stack_effect(Value self, Value *a)
{
    return ty_raise(&ty_ValueError, "invalid opcode or oparg");
}

static Value names_list(const char *const *names, size_t count)
{
    Value list = ty_list_new((int64_t)count);
    for (size_t i = 0; i < count && list != TY_NULL; i++) {
        Value name = ty_str_from_text(names[i]);
        if (name == TY_NULL || !ty_list_append(list, name))
            return TY_ERROR;
    }
    return list;
}

static Value opcode_unary_intrinsics(Value self, Value *a)
{
    static const char *const names[] = {
        "INTRINSIC_1_INVALID", "INTRINSIC_PRINT", "INTRINSIC_IMPORT_STAR", "INTRINSIC_STOPITERATION_ERROR",
        "INTRINSIC_ASYNC_GEN_WRAP", "INTRINSIC_UNARY_POSITIVE", "INTRINSIC_LIST_TO_TUPLE", "INTRINSIC_TYPEVAR",
        "INTRINSIC_PARAMSPEC", "INTRINSIC_TYPEVARTUPLE", "INTRINSIC_SUBSCRIPT_GENERIC", "INTRINSIC_TYPEALIAS"};
    return names_list(names, TY_COUNT_OF(names));
}

static Value opcode_binary_intrinsics(Value self, Value *a)
{
    static const char *const names[] = {
        "INTRINSIC_2_INVALID", "INTRINSIC_PREP_RERAISE_STAR", "INTRINSIC_TYPEVAR_WITH_BOUND",
        "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS", "INTRINSIC_SET_FUNCTION_TYPE_PARAMS", "INTRINSIC_SET_TYPEPARAM_DEFAULT"};
    return names_list(names, TY_COUNT_OF(names));
}

static Value opcode_special_methods(Value self, Value *a)
{
    static const char *const names[] = {"__enter__", "__exit__", "__aenter__", "__aexit__"};
    return names_list(names, TY_COUNT_OF(names));
}

static Value opcode_operators(Value self, Value *a)
{
    static const char *const operators[][2] = {
        {"ADD", "+"}, {"AND", "&"}, {"FLOOR_DIVIDE", "//"}, {"LSHIFT", "<<"}, {"MATRIX_MULTIPLY", "@"}, {"MULTIPLY", "*"},
        {"REMAINDER", "%"}, {"OR", "|"}, {"POWER", "**"}, {"RSHIFT", ">>"}, {"SUBTRACT", "-"}, {"TRUE_DIVIDE", "/"}, {"XOR", "^"}};
    Value list = ty_list_new(27);
    if (list == TY_NULL)
        return TY_ERROR;
    for (int inplace = 0; inplace < 2; inplace++) {
        for (size_t i = 0; i < TY_COUNT_OF(operators); i++) {
            Value pair = ty_tuple_pack(2, ty_str_format(inplace ? "NB_INPLACE_%s" : "NB_%s", operators[i][0]),
                                       ty_str_format(inplace ? "%s=" : "%s", operators[i][1]));
            if (pair == TY_NULL || !ty_list_append(list, pair))
                return TY_ERROR;
        }
    }
    Value last = ty_tuple_pack(2, ty_str_from_text("NB_SUBSCR"), ty_str_from_text("[]"));
    return last != TY_NULL && ty_list_append(list, last) ? list : TY_ERROR;
}

static Value opcode_specialization_stats(Value self, Value *a) { return TY_NONE; }

static Value opcode_get_executor(Value self, Value *a)
{
    return ty_raise(&ty_RuntimeError, "Executors are not available in this build");
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("stack_effect(opcode, oparg=None, /, *, jump=None)", opcode_stack_effect, "Not known: Typhon has registers, no stack."),
    TY_FUNCTION("get_instructions()", opcode_instructions, "The table of instructions."),
    TY_FUNCTION("is_valid(opcode)", opcode_is_valid, "Whether the number stands for an instruction."),
    TY_FUNCTION("has_arg(opcode)", opcode_has_arg, "Whether the instruction uses its argument."),
    TY_FUNCTION("has_const(opcode)", opcode_has_const, "Whether the argument is a constant's index."),
    TY_FUNCTION("has_name(opcode)", opcode_has_name, "Whether the argument is a name's index."),
    TY_FUNCTION("has_jump(opcode)", opcode_has_jump, "Whether the instruction jumps."),
    TY_FUNCTION("has_local(opcode)", opcode_has_local, "Whether the argument is a local variable's index."),
    TY_FUNCTION("has_exc(opcode)", opcode_has_exc, "Whether the instruction sets an exception handler."),
    TY_FUNCTION("has_free(opcode)", opcode_has_free, "Whether the argument is a free variable's index."),
    TY_FUNCTION("get_intrinsic1_descs()", opcode_unary_intrinsics, "The names of the unary intrinsics."),
    TY_FUNCTION("get_intrinsic2_descs()", opcode_binary_intrinsics, "The names of the binary intrinsics."),
    TY_FUNCTION("get_special_method_names()", opcode_special_methods, "The special methods that have numbers."),
    TY_FUNCTION("get_nb_ops()", opcode_operators, "Pairs of the name and the sign of each binary operation."),
    TY_FUNCTION("get_executor(code, offset)", opcode_get_executor, "Not known: code is not compiled any further."),
    TY_FUNCTION("get_specialization_stats()", opcode_specialization_stats, "None: nothing of the kind is counted."),
    {0},
};

static bool execute(Value module)
{
    return ty_module_add(module, "ENABLE_SPECIALIZATION", TY_FALSE) && ty_module_add(module, "ENABLE_SPECIALIZATION_FT", TY_FALSE);
}

const TyModuleDef ty_module_opcode = {
    .name = "_opcode",
    .doc = "Properties of the instructions that the opcode module numbers.",
    .functions = functions,
    .execute = execute,
};
