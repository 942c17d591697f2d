/* _opcode: what the library's opcode module asks about the numbering of instructions in its _opcode_metadata. That is the
 * reference interpreter's numbering; Typhon's own instructions (vm/instructions.h) are others, so no stack effects are known for it. */
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { HAVE_ARGUMENT = 43, OPCODES = 267, FIRST_PSEUDO = 256 };

static bool listed(const int16_t *codes, size_t count, int32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

#define DEFINE_PROPERTY(name, ...)                                                          \
    static Value opcode_has_##name(Value self, Value *a)                                    \
    {                                                                                       \
        static const int16_t codes[] = {__VA_ARGS__};                                       \
        int32_t code;                                                                       \
        return ty_to_int32(a[0], &code) ? ty_from_bool(listed(codes, TY_COUNT_OF(codes), code)) : TY_ERROR; \
    }
DEFINE_PROPERTY(const, 82)
DEFINE_PROPERTY(name, 61, 64, 65, 72, 73, 80, 91, 92, 93, 96, 110, 115, 116, 249)
DEFINE_PROPERTY(jump, 68, 70, 75, 76, 77, 100, 101, 102, 103, 106, 237, 248, 257, 258, 259, 260)
DEFINE_PROPERTY(local, 63, 83, 84, 85, 86, 87, 88, 89, 112, 113, 114, 261, 266)
DEFINE_PROPERTY(exc, 263, 264, 265)
DEFINE_PROPERTY(free, 62, 90, 97, 111)

static Value opcode_has_arg(Value self, Value *a)
{
    int32_t code;
    return ty_to_int32(a[0], &code) ? ty_from_bool(code > HAVE_ARGUMENT && code < OPCODES) : TY_ERROR;
}

static Value opcode_is_valid(Value self, Value *a)
{
    int32_t code;
    return ty_to_int32(a[0], &code) ? ty_from_bool(code >= 0 && code < FIRST_PSEUDO) : TY_ERROR;
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
