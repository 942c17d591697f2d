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
