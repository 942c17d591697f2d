#include "object/instruction_table.h"
#include "object/code.h"

const TyFormatInfo ty_formats[TY_FORMAT_COUNT] = {
    [TY_FORMAT_NONE] = {1, 0, 0, false},
    [TY_FORMAT_A] = {1, TY_REGISTER_A, 0, false},
    [TY_FORMAT_AB] = {1, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_ABC] = {1, TY_REGISTER_A | TY_REGISTER_B | TY_REGISTER_C, 0, false},
    [TY_FORMAT_A_IMM] = {1, TY_REGISTER_A, 0, false},
    [TY_FORMAT_IMM] = {1, 0, 0, false},
    [TY_FORMAT_JUMP] = {1, 0, 1, false},
    [TY_FORMAT_A_JUMP] = {1, TY_REGISTER_A, 1, false},
    [TY_FORMAT_AB_N] = {1, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_ABC_N] = {1, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_ABC_I] = {1, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_A_NAME] = {2, TY_REGISTER_A, 0, true},
    [TY_FORMAT_NAME] = {2, 0, 0, true},
    [TY_FORMAT_AB_NAME] = {2, TY_REGISTER_A | TY_REGISTER_B, 0, true},
    [TY_FORMAT_ABC_NAME] = {2, TY_REGISTER_A | TY_REGISTER_B, 0, true},
    [TY_FORMAT_AB_N_JUMP] = {2, TY_REGISTER_A | TY_REGISTER_B, 2, false},
    [TY_FORMAT_AI_N_JUMP] = {2, TY_REGISTER_A, 2, false},
    [TY_FORMAT_AB_JUMP] = {2, TY_REGISTER_A | TY_REGISTER_B, 2, false},
    [TY_FORMAT_AB_EXT] = {2, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_ABC_N_EXT] = {2, TY_REGISTER_A | TY_REGISTER_B, 0, false},
    [TY_FORMAT_ABC_EXT] = {2, TY_REGISTER_A | TY_REGISTER_B | TY_REGISTER_C, 0, false},
};

const uint8_t ty_op_formats[TY_OP_COUNT] = {
#define FORMAT_OF(name, format, meaning) [TY_OP_##name] = TY_FORMAT_##format,
    TY_INSTRUCTIONS(FORMAT_OF)
#undef FORMAT_OF
};

const char *const ty_op_meanings[TY_OP_COUNT] = {
#define MEANING_OF(name, format, meaning) [TY_OP_##name] = meaning,
    TY_INSTRUCTIONS(MEANING_OF)
#undef MEANING_OF
};

bool ty_op_is_terminator(TyOp op)
{
    switch (op) {
    case TY_OP_JUMP: case TY_OP_JUMP_BACK: case TY_OP_RETURN: case TY_OP_RETURN_NONE: case TY_OP_RAISE: case TY_OP_RERAISE:
        return true;
    default:
        return false;
    }
}

bool ty_op_jumps_left(TyOp op) { return op == TY_OP_FOR_ITER || (op >= TY_OP_LOOP_IF_TRUE && op <= TY_OP_LOOP_IF_GREATER_EQUAL_INT); }

bool ty_op_writes_a(TyOp op)
{
    if (!(ty_op_format(op)->registers & TY_REGISTER_A) || ty_op_format(op)->jump)
        return op == TY_OP_FOR_ITER;
    switch (op) {
    case TY_OP_CHECK_BOUND: case TY_OP_STORE_CELL: case TY_OP_DELETE_CELL: case TY_OP_STORE_NAME: case TY_OP_STORE_GLOBAL: case TY_OP_STORE_ATTR:
    case TY_OP_DELETE_ATTR: case TY_OP_STORE_ITEM: case TY_OP_DELETE_ITEM: case TY_OP_STORE_SLICE: case TY_OP_LIST_APPEND: case TY_OP_LIST_EXTEND:
    case TY_OP_SET_ADD: case TY_OP_SET_UPDATE: case TY_OP_MAP_ADD: case TY_OP_DICT_UPDATE: case TY_OP_DICT_MERGE: case TY_OP_SET_FUNCTION:
    case TY_OP_RETURN: case TY_OP_END_ASYNC_FOR: case TY_OP_PUSH_HANDLED: case TY_OP_POP_HANDLED: case TY_OP_RAISE: case TY_OP_RERAISE:
        return false;
    default:
        return true;
    }
}

uint64_t ty_instruction_reach(const TyInstruction *instruction)
{
    TyInstruction w = *instruction;
    TyOp op = ty_op(w);
    const TyFormatInfo *format = ty_op_format(op);
    uint64_t a = ty_op_a(w), b = ty_op_b(w), c = ty_op_c(w), reach = 0;
    if (format->registers & TY_REGISTER_A)
        reach = a + 1;
    if (format->registers & TY_REGISTER_B)
        reach = TY_MAX(reach, b + 1);
    if (format->registers & TY_REGISTER_C)
        reach = TY_MAX(reach, c + 1);
    switch (op) {
    case TY_OP_LOAD_METHOD: case TY_OP_LOAD_SPECIAL: case TY_OP_PUSH_HANDLED: case TY_OP_POP_HANDLED:
        return TY_MAX(reach, a + 2);
    case TY_OP_LOAD_SUPER_METHOD:
        return TY_MAX(TY_MAX(reach, a + 2), b + 3);
    case TY_OP_LOAD_SUPER_ATTR: case TY_OP_LOAD_SLICE: case TY_OP_BUILD_INTERPOLATION: case TY_OP_CALL_SPREAD:
        return TY_MAX(reach, b + 3);
    case TY_OP_STORE_SLICE:
        return TY_MAX(reach, a + 3);
    case TY_OP_BUILD_SLICE: case TY_OP_BUILD_TUPLE: case TY_OP_BUILD_LIST: case TY_OP_BUILD_SET: case TY_OP_BUILD_STRING:
        return TY_MAX(reach, b + c);
    case TY_OP_BUILD_MAP:
        return TY_MAX(reach, b + 2 * c);
    case TY_OP_UNPACK:
        return TY_MAX(reach, a + c);
    case TY_OP_UNPACK_STAR:
        return TY_MAX(reach, a + ty_ext_x(instruction[1]) + 1 + ty_ext_y(instruction[1]));
    case TY_OP_CALL: case TY_OP_CALL_KW:
        return TY_MAX(reach, b + 1 + c);
    case TY_OP_CALL_METHOD: case TY_OP_CALL_METHOD_KW:
        return TY_MAX(reach, b + 2 + c);
    case TY_OP_IMPORT_NAME: case TY_OP_WITH_EXCEPT:
        return TY_MAX(reach, b + 2);
    case TY_OP_MATCH_CLASS:
        return TY_MAX(reach, c + 2);
    default:
        return reach;
    }
}

uint32_t ty_bytecode_magic(void)
{
    static const char table[] =
#define TEXT(name, format, meaning) #name #format meaning "\n"
        TY_INSTRUCTIONS(TEXT)
#undef TEXT
        ;
    uint32_t digest = 2166136261u + TY_BYTECODE_VERSION;
    for (size_t i = 0; i < sizeof table; i++)
        digest = (digest ^ (uint8_t)table[i]) * 16777619u;
    return ((digest ^ digest >> 16) & 0xFFFFu) | 0x0A0D0000u;
}
