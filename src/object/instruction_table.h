/* What each instruction's format says, as data: for the compiler, the verifier and the disassembler. */
#ifndef TY_OBJECT_INSTRUCTION_TABLE_H
#define TY_OBJECT_INSTRUCTION_TABLE_H

#include "vm/instructions.h"

typedef enum TyInstructionFormat {
    TY_FORMAT_NONE, TY_FORMAT_A, TY_FORMAT_AB, TY_FORMAT_ABC, TY_FORMAT_A_IMM, TY_FORMAT_IMM, TY_FORMAT_JUMP, TY_FORMAT_A_JUMP, TY_FORMAT_AB_N,
    TY_FORMAT_ABC_N, TY_FORMAT_ABC_I, TY_FORMAT_A_NAME, TY_FORMAT_NAME, TY_FORMAT_AB_NAME, TY_FORMAT_ABC_NAME, TY_FORMAT_AB_N_JUMP,
    TY_FORMAT_AI_N_JUMP, TY_FORMAT_AB_JUMP, TY_FORMAT_AB_EXT, TY_FORMAT_ABC_N_EXT, TY_FORMAT_ABC_EXT, TY_FORMAT_COUNT
} TyInstructionFormat;

#define TY_REGISTER_A 1
#define TY_REGISTER_B 2
#define TY_REGISTER_C 4

typedef struct TyFormatInfo {
    uint8_t words;
    uint8_t registers;  /* TY_REGISTER_A … of the operands that are registers */
    uint8_t jump;       /* 0 none, 1 in imm, 2 in the extension's x */
    bool name;          /* x is a name, y a cache */
} TyFormatInfo;

extern const TyFormatInfo ty_formats[TY_FORMAT_COUNT];
extern const uint8_t ty_op_formats[TY_OP_COUNT];
extern const char *const ty_op_meanings[TY_OP_COUNT];

TY_INLINE const TyFormatInfo *ty_op_format(TyOp op) { return &ty_formats[ty_op_formats[op]]; }
bool ty_op_is_terminator(TyOp op);      /* nothing after it is reached by falling through */
bool ty_op_jumps_left(TyOp op);         /* a conditional jump that goes into the body of a loop: its "left" for sys.monitoring and co_branches() */
bool ty_op_writes_a(TyOp op);           /* a is a destination */
/* One more than the highest register that the instruction touches, windows included. */
uint64_t ty_instruction_reach(const TyInstruction *instruction);

#endif
