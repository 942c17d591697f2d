#include "vm/instructions.h"

/* How many words each format takes. */
enum {
    WORDS_NONE = 1, WORDS_A = 1, WORDS_AB = 1, WORDS_ABC = 1, WORDS_A_IMM = 1, WORDS_IMM = 1, WORDS_JUMP = 1, WORDS_A_JUMP = 1, WORDS_AB_N = 1, WORDS_ABC_N = 1,
    WORDS_ABC_I = 1, WORDS_NAME = 2, WORDS_A_NAME = 2, WORDS_AB_NAME = 2, WORDS_ABC_NAME = 2, WORDS_AB_EXT = 2, WORDS_ABC_EXT = 2, WORDS_ABC_N_EXT = 2,
    WORDS_AB_JUMP = 2, WORDS_AB_N_JUMP = 2, WORDS_AI_N_JUMP = 2
};

const uint8_t ty_op_words[TY_OP_COUNT] = {
#define TY_WORDS(name, format, meaning) [TY_OP_##name] = WORDS_##format,
    TY_INSTRUCTIONS(TY_WORDS)
#undef TY_WORDS
};

const char *const ty_op_names[TY_OP_COUNT] = {
#define TY_OP_NAME(name, format, meaning) [TY_OP_##name] = #name,
    TY_INSTRUCTIONS(TY_OP_NAME)
#undef TY_OP_NAME
};

/* Which operands of each format are registers. */
enum {
    USES_NONE = 0, USES_A = 1, USES_AB = 3, USES_ABC = 7, USES_A_IMM = 1, USES_IMM = 0, USES_JUMP = 0, USES_A_JUMP = 1, USES_AB_N = 3, USES_ABC_N = 3, USES_ABC_I = 3,
    USES_NAME = 0, USES_A_NAME = 1, USES_AB_NAME = 3, USES_ABC_NAME = 3, USES_AB_EXT = 3, USES_ABC_EXT = 7, USES_ABC_N_EXT = 3, USES_AB_JUMP = 3, USES_AB_N_JUMP = 3,
    USES_AI_N_JUMP = 1
};

static const uint8_t register_operands[TY_OP_COUNT] = {
#define TY_USES(name, format, meaning) [TY_OP_##name] = USES_##format,
    TY_INSTRUCTIONS(TY_USES)
#undef TY_USES
};

uint32_t ty_op_live_top(const TyInstruction *pc, uint32_t variables)
{
    TyInstruction word = *pc;
    TyOp op = ty_op(word);
    if (op >= TY_OP_COUNT)
        return UINT32_MAX;
    uint32_t top = variables, uses = register_operands[op];
    if (uses & 1)
        top = TY_MAX(top, ty_op_a(word) + 1);
    if (uses & 2)
        top = TY_MAX(top, ty_op_b(word) + 1);
    if (uses & 4)
        top = TY_MAX(top, ty_op_c(word) + 1);
    switch (op) { /* windows of registers */
    case TY_OP_CALL: case TY_OP_CALL_KW: case TY_OP_BUILD_TUPLE: case TY_OP_BUILD_LIST: case TY_OP_BUILD_SET: case TY_OP_BUILD_STRING:
        return TY_MAX(top, ty_op_b(word) + ty_op_c(word) + 1);
    case TY_OP_CALL_METHOD: case TY_OP_CALL_METHOD_KW:
        return TY_MAX(top, ty_op_b(word) + ty_op_c(word) + 2);
    case TY_OP_BUILD_MAP:
        return TY_MAX(top, ty_op_b(word) + 2 * ty_op_c(word) + 1);
    case TY_OP_INTRINSIC_TWO:
        return TY_MAX(top, ty_op_c(word) + 1);
    case TY_OP_CALL_SPREAD: case TY_OP_LOAD_SUPER_ATTR: case TY_OP_LOAD_SUPER_METHOD: case TY_OP_BUILD_INTERPOLATION: case TY_OP_BUILD_SLICE: case TY_OP_LOAD_SLICE:
        return TY_MAX(top, ty_op_b(word) + 3);
    case TY_OP_STORE_SLICE:
        return TY_MAX(top, ty_op_a(word) + 3);
    case TY_OP_IMPORT_NAME: case TY_OP_WITH_EXCEPT:
        return TY_MAX(top, ty_op_b(word) + 2);
    case TY_OP_MATCH_CLASS:
        return TY_MAX(top, ty_op_c(word) + 2);
    case TY_OP_LOAD_METHOD: case TY_OP_LOAD_SPECIAL: case TY_OP_PUSH_HANDLED: case TY_OP_POP_HANDLED:
        return TY_MAX(top, ty_op_a(word) + 2);
    case TY_OP_UNPACK:
        return TY_MAX(top, ty_op_a(word) + ty_op_c(word));
    case TY_OP_UNPACK_STAR:
        return TY_MAX(top, ty_op_a(word) + ty_ext_x(pc[1]) + ty_ext_y(pc[1]) + 1);
    default:
        return top;
    }
}
