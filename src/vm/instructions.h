/* The instructions of the register machine, declared once: the interpreter, the compiler, the disassembler and tracing are
 * derived from this table.
 *
 * An instruction is one 64-bit word: op (bits 0-15), a (16-31), b (32-47), c (48-63); `imm` is b and c together as a signed 32-bit
 * number. Instructions marked EXT are followed by a second word: x (bits 0-31) and y (32-63). Operands named R are registers of the
 * frame: parameters first (positional, keyword-only, *args, **kwargs, as in co_varnames), then the other locals, then cell-only variables, then free
 * variables, then temporaries in stack discipline: while an instruction runs, temporaries above its highest register operand
 * (above base+count for a window) are dead and are not scanned. A local that is a cell holds its TyCell in its register from MAKE_CELL on.
 * An unbound local is the register value 0; only CHECK_BOUND tests for it, so the compiler emits that wherever a local may be unbound.
 * Jumps are relative, in words, to the jump instruction itself. A destination register is written last, after everything that can
 * fail, so it may be the same as a source.
 *
 * TY_INSTRUCTION(NAME, format, meaning)   formats say how the operands read:
 *   NONE; A; AB; ABC: registers, destination first.    A_IMM: register and imm.   IMM: imm.   JUMP: imm is a jump.  A_JUMP.
 *   AB_N / ABC_N: the last operand is a plain number.  ABC_I: c is a signed 16-bit int.
 *   …_NAME: EXT, x names co_names[x], y is the inline cache's index.   …_EXT: EXT with the meaning given. */
#ifndef TY_VM_INSTRUCTIONS_H
#define TY_VM_INSTRUCTIONS_H

#include "base/base.h"

typedef uint64_t TyInstruction;

#define TY_INSTRUCTIONS(X) \
    X(RESUME, NONE, "the first word of code, where a call is until it begins: never run, since frames start at the word after it. In code that makes cells or a generator first, also the word after these: nothing") \
    X(BEGIN, NONE, "the first word of code that makes cells or a generator before anything else, in place of RESUME") \
    X(NOP, NONE, "nothing") \
    X(MOVE, AB, "R[a] = R[b]") \
    X(LOAD_CONST, A_IMM, "R[a] = co_consts[imm]") \
    X(LOAD_INT, A_IMM, "R[a] = imm as an int") \
    X(LOAD_NULL, A, "R[a] = no value: unbinds a local, clears a temporary") \
    X(CHECK_BOUND, A, "UnboundLocalError if R[a] is unbound (its name is the register's)") \
    /* cells */ \
    X(MAKE_CELL, A, "R[a] = a new cell with R[a] in it (or empty)") \
    X(LOAD_CELL, AB, "R[a] = contents of the cell R[b]; NameError/UnboundLocalError with the register's name if empty") \
    X(STORE_CELL, AB, "contents of the cell R[a] = R[b]") \
    X(DELETE_CELL, A, "empties the cell R[a]; error if it is empty") \
    X(LOAD_CELL_OR_MAPPING, ABC, "R[a] = R[c][name of register b] if the mapping R[c] has it, else contents of the cell R[b]") \
    /* names */ \
    X(LOAD_NAME, A_NAME, "R[a] = the name in the local namespace, else globals, else builtins") \
    X(STORE_NAME, A_NAME, "local namespace[name] = R[a]") \
    X(DELETE_NAME, NAME, "del local namespace[name]") \
    X(LOAD_GLOBAL, A_NAME, "R[a] = the name in globals, else builtins") \
    X(STORE_GLOBAL, A_NAME, "globals[name] = R[a]") \
    X(DELETE_GLOBAL, NAME, "del globals[name]") \
    X(LOAD_GLOBAL_OR_MAPPING, AB_NAME, "R[a] = R[b][name] if the mapping R[b] has it, else as LOAD_GLOBAL") \
    X(LOAD_LOCALS, A, "R[a] = the local namespace (class bodies, modules)") \
    X(LOAD_BUILD_CLASS, A, "R[a] = builtins.__build_class__") \
    X(LOAD_COMMON, A_IMM, "R[a] = a well-known object: TY_COMMON_…") \
    X(SETUP_ANNOTATIONS, NONE, "makes __annotations__ in the local namespace if missing") \
    /* attributes and items */ \
    X(LOAD_ATTR, AB_NAME, "R[a] = R[b].name") \
    X(LOAD_METHOD, AB_NAME, "R[a], R[a+1] = (function, R[b]) if R[b].name is a method found on the type, else (R[b].name, no value)") \
    X(STORE_ATTR, AB_NAME, "R[a].name = R[b]") \
    X(DELETE_ATTR, A_NAME, "del R[a].name") \
    X(LOAD_SUPER_ATTR, ABC_NAME, "R[a] = super(R[b+1], R[b+2]).name where R[b] is what the name super gave; c = 1: two-argument or __class__ form is the same") \
    X(LOAD_SUPER_METHOD, ABC_NAME, "R[a], R[a+1] = (function, self) or (attribute, no value), as LOAD_METHOD") \
    X(LOAD_SPECIAL, AB_N, "R[a], R[a+1] = special method c (TY_SPECIAL_…) of R[b], looked up on its type, with its error if missing") \
    X(LOAD_ITEM, ABC, "R[a] = R[b][R[c]]") \
    X(STORE_ITEM, ABC, "R[a][R[b]] = R[c]") \
    X(DELETE_ITEM, AB, "del R[a][R[b]]") \
    X(LOAD_ITEM_INT, ABC_I, "R[a] = R[b][c]") \
    X(LOAD_SLICE, AB, "R[a] = R[b][R[b+1]:R[b+2]]") \
    X(STORE_SLICE, AB, "R[a][R[a+1]:R[a+2]] = R[b]") \
    X(BUILD_SLICE, ABC_N, "R[a] = slice(R[b], R[b+1][, R[b+2] if c is 3])") \
    /* arithmetic: order as in TY_BINARY_… */ \
    X(ADD, ABC, "R[a] = R[b] + R[c]") \
    X(SUBTRACT, ABC, "-") \
    X(MULTIPLY, ABC, "*") \
    X(TRUE_DIVIDE, ABC, "/") \
    X(FLOOR_DIVIDE, ABC, "//") \
    X(REMAINDER, ABC, "%") \
    X(POWER, ABC, "**") \
    X(MATRIX_MULTIPLY, ABC, "@") \
    X(LEFT_SHIFT, ABC, "<<") \
    X(RIGHT_SHIFT, ABC, ">>") \
    X(AND, ABC, "&") \
    X(OR, ABC, "|") \
    X(XOR, ABC, "^") \
    X(INPLACE_ADD, ABC, "R[a] = R[b] += R[c]") \
    X(INPLACE_SUBTRACT, ABC, "-=") \
    X(INPLACE_MULTIPLY, ABC, "*=") \
    X(INPLACE_TRUE_DIVIDE, ABC, "/=") \
    X(INPLACE_FLOOR_DIVIDE, ABC, "//=") \
    X(INPLACE_REMAINDER, ABC, "%=") \
    X(INPLACE_POWER, ABC, "**=") \
    X(INPLACE_MATRIX_MULTIPLY, ABC, "@=") \
    X(INPLACE_LEFT_SHIFT, ABC, "<<=") \
    X(INPLACE_RIGHT_SHIFT, ABC, ">>=") \
    X(INPLACE_AND, ABC, "&=") \
    X(INPLACE_OR, ABC, "|=") \
    X(INPLACE_XOR, ABC, "^=") \
    /* the same with a small int on the right */ \
    X(ADD_INT, ABC_I, "R[a] = R[b] + c") \
    X(SUBTRACT_INT, ABC_I, "-") \
    X(MULTIPLY_INT, ABC_I, "*") \
    X(FLOOR_DIVIDE_INT, ABC_I, "//") \
    X(REMAINDER_INT, ABC_I, "%") \
    X(LEFT_SHIFT_INT, ABC_I, "<<") \
    X(RIGHT_SHIFT_INT, ABC_I, ">>") \
    X(AND_INT, ABC_I, "&") \
    X(INPLACE_ADD_INT, ABC_I, "R[a] = R[b] += c") \
    X(INPLACE_SUBTRACT_INT, ABC_I, "-=") \
    X(NEGATIVE, AB, "R[a] = -R[b]") \
    X(POSITIVE, AB, "+") \
    X(INVERT, AB, "~") \
    X(NOT, AB, "not") \
    X(TO_BOOL, AB, "R[a] = bool(R[b])") \
    /* comparisons: order as in TY_LT … TY_GE */ \
    X(LESS, ABC, "R[a] = R[b] < R[c]") \
    X(LESS_EQUAL, ABC, "<=") \
    X(EQUAL, ABC, "==") \
    X(NOT_EQUAL, ABC, "!=") \
    X(GREATER, ABC, ">") \
    X(GREATER_EQUAL, ABC, ">=") \
    X(IS, ABC, "is") \
    X(IS_NOT, ABC, "is not") \
    X(CONTAINS, ABC, "R[a] = R[b] in R[c]") \
    X(NOT_CONTAINS, ABC, "not in") \
    /* jumps */ \
    X(JUMP, JUMP, "forward") \
    X(JUMP_BACK, JUMP, "backward; a safepoint") \
    X(JUMP_IF_TRUE, A_JUMP, "if R[a] is true (any object)") \
    X(JUMP_IF_FALSE, A_JUMP, "") \
    X(JUMP_IF_NONE, A_JUMP, "") \
    X(JUMP_IF_NOT_NONE, A_JUMP, "") \
    X(JUMP_IF_LESS, AB_N_JUMP, "EXT x = jump: if bool(R[a] < R[b]) is c (0 or 1)") \
    X(JUMP_IF_LESS_EQUAL, AB_N_JUMP, "") \
    X(JUMP_IF_EQUAL, AB_N_JUMP, "") \
    X(JUMP_IF_NOT_EQUAL, AB_N_JUMP, "") \
    X(JUMP_IF_GREATER, AB_N_JUMP, "") \
    X(JUMP_IF_GREATER_EQUAL, AB_N_JUMP, "") \
    X(JUMP_IF_LESS_INT, AI_N_JUMP, "EXT x = jump: if bool(R[a] < b as signed 16-bit int) is c") \
    X(JUMP_IF_LESS_EQUAL_INT, AI_N_JUMP, "") \
    X(JUMP_IF_EQUAL_INT, AI_N_JUMP, "") \
    X(JUMP_IF_NOT_EQUAL_INT, AI_N_JUMP, "") \
    X(JUMP_IF_GREATER_INT, AI_N_JUMP, "") \
    X(JUMP_IF_GREATER_EQUAL_INT, AI_N_JUMP, "") \
    /* the same backward, to the beginning of a loop's body: safepoints, before anything else */ \
    X(LOOP_IF_TRUE, A_JUMP, "") \
    X(LOOP_IF_FALSE, A_JUMP, "") \
    X(LOOP_IF_LESS, AB_N_JUMP, "") \
    X(LOOP_IF_LESS_EQUAL, AB_N_JUMP, "") \
    X(LOOP_IF_EQUAL, AB_N_JUMP, "") \
    X(LOOP_IF_NOT_EQUAL, AB_N_JUMP, "") \
    X(LOOP_IF_GREATER, AB_N_JUMP, "") \
    X(LOOP_IF_GREATER_EQUAL, AB_N_JUMP, "") \
    X(LOOP_IF_LESS_INT, AI_N_JUMP, "") \
    X(LOOP_IF_LESS_EQUAL_INT, AI_N_JUMP, "") \
    X(LOOP_IF_EQUAL_INT, AI_N_JUMP, "") \
    X(LOOP_IF_NOT_EQUAL_INT, AI_N_JUMP, "") \
    X(LOOP_IF_GREATER_INT, AI_N_JUMP, "") \
    X(LOOP_IF_GREATER_EQUAL_INT, AI_N_JUMP, "") \
    X(JUMP_IF_IS, AB_N_JUMP, "EXT x = jump: if (R[a] is R[b]) is c") \
    X(JUMP_IF_CONTAINS, AB_N_JUMP, "EXT x = jump: if (R[a] in R[b]) is c") \
    /* iteration */ \
    X(GET_ITER, AB, "R[a] = iter(R[b])") \
    X(FOR_ITER, AB_JUMP, "EXT x = jump, usually backward: R[a] = next(R[b]) and jumps; goes on at the end (R[a] unchanged). A safepoint, before anything else") \
    X(UNPACK, ABC_N, "R[a] … R[a+c-1] = the c items of R[b]") \
    X(UNPACK_STAR, AB_EXT, "EXT x before, y after: R[a] … = x items, a list of the middle ones, y items of R[b]") \
    /* building */ \
    X(BUILD_TUPLE, ABC_N, "R[a] = tuple of the c values from R[b] on") \
    X(BUILD_LIST, ABC_N, "list") \
    X(BUILD_SET, ABC_N, "set") \
    X(BUILD_MAP, ABC_N, "dict of c pairs, keys and values in turn from R[b] on") \
    X(BUILD_STRING, ABC_N, "str joined of c strs from R[b] on") \
    X(LIST_APPEND, AB, "list R[a] append R[b]") \
    X(LIST_EXTEND, AB, "list R[a] extend R[b] (star in a display or call; its error)") \
    X(LIST_TO_TUPLE, AB, "R[a] = tuple of the list R[b]") \
    X(SET_ADD, AB, "") \
    X(SET_UPDATE, AB, "") \
    X(MAP_ADD, ABC, "dict R[a][R[b]] = R[c]") \
    X(DICT_UPDATE, AB, "dict R[a] updated from the mapping R[b]: {**b}; TypeError \"'x' object is not a mapping\"") \
    X(DICT_MERGE, ABC, "the same for f(**R[b]): errors name the callee R[c], duplicates are refused") \
    X(FORMAT_SIMPLE, AB, "R[a] = format(R[b], '')") \
    X(FORMAT_WITH_SPEC, ABC, "R[a] = format(R[b], R[c])") \
    X(CONVERT, ABC_N, "R[a] = str (1), repr (2) or ascii (3) of R[b]") \
    X(BUILD_INTERPOLATION, ABC_N, "R[a] = Interpolation(value R[b], expression R[b+1], format spec R[b+2]; conversion c: 0 none, 1 s, 2 r, 3 a)") \
    X(BUILD_TEMPLATE, ABC, "R[a] = Template(strings: tuple R[b], interpolations: tuple R[c])") \
    /* calls: R[b] callee, arguments behind it */ \
    X(CALL, ABC_N, "R[a] = R[b](R[b+1] … R[b+c])") \
    X(CALL_METHOD, ABC_N, "R[a] = R[b](R[b+1] if there is a value, R[b+2] … R[b+1+c])") \
    X(CALL_KW, ABC_N_EXT, "EXT x: co_consts[x] is the tuple of keywords of the last arguments; c counts all: as CALL") \
    X(CALL_METHOD_KW, ABC_N_EXT, "the same as CALL_METHOD") \
    X(CALL_SPREAD, AB, "R[a] = R[b](*R[b+1], **R[b+2]): R[b+1] a tuple or any iterable, R[b+2] a dict or no value") \
    X(INTRINSIC, ABC_N, "R[a] = intrinsic c (TY_INTRINSIC_…) of R[b]") \
    X(INTRINSIC_TWO, ABC_EXT, "R[a] = intrinsic x (TY_INTRINSIC_TWO_…) of R[b] and R[c]") \
    X(MAKE_FUNCTION, A_IMM, "R[a] = a function of the code co_consts[imm] with the frame's globals") \
    X(SET_FUNCTION, ABC_N, "sets part c (TY_FUNCTION_…) of the function R[a] to R[b]") \
    X(RETURN, A, "returns R[a]") \
    X(RETURN_NONE, NONE, "returns None") \
    /* generators and coroutines */ \
    X(MAKE_GENERATOR, NONE, "returns a generator, coroutine or asynchronous generator (as the code's flags say) that holds this frame; first resumed after it") \
    X(YIELD, AB, "suspends, giving R[b]; resumed: R[a] = what was sent") \
    X(YIELD_FROM, ABC, "sends R[c] to R[b]: if that yields, suspends giving the value, and when resumed puts what was sent in R[c] and runs again; if it ends, R[a] = its result. throw() and close() go to R[b]. Also await (R[b] an awaitable's iterator)") \
    X(GET_YIELD_FROM_ITER, AB, "R[a] = R[b] if it is a generator (or a coroutine in one that may), else iter(R[b])") \
    X(GET_AWAITABLE, ABC_N, "R[a] = the iterator of the awaitable R[b]; c says whose error: 0 await, 1 __aenter__, 2 __aexit__") \
    X(GET_AITER, AB, "R[a] = R[b].__aiter__()") \
    X(GET_ANEXT, AB, "R[a] = the awaitable's iterator of R[b].__anext__()") \
    X(ASYNC_GENERATOR_WRAP, AB, "R[a] = R[b] wrapped as a value that an asynchronous generator yields") \
    X(END_ASYNC_FOR, A, "in a handler: goes on if R[a] is StopAsyncIteration, else raises it again") \
    /* exceptions: a handler is entered with the exception in the register that the exception table names */ \
    X(PUSH_HANDLED, A, "R[a+1] = the exception handled so far; R[a] is the one handled now") \
    X(POP_HANDLED, A, "the one handled is R[a+1] again; R[a] and R[a+1] cleared") \
    X(EXCEPTION_MATCHES, ABC, "R[a] = bool: R[b] is an instance of the class or tuple R[c]; TypeError for anything else") \
    X(JUMP_UNLESS_EXCEPTION, AB_JUMP, "EXT x = jump: unless R[a] matches R[b]") \
    X(GROUP_MATCHES, ABC, "except*: R[a] = the part of R[b] that matches R[c], or None; R[b] = the rest, or None. R[b] no group: wrapped; R[b] None already: None") \
    X(RAISE, ABC_N, "c = 0: raise; 1: raise R[a]; 2: raise R[a] from R[b]") \
    X(RERAISE, A_IMM, "raises R[a] again, its traceback untouched for this frame; imm = 1: but this is now the line where the frame has been") \
    X(WITH_EXCEPT, ABC, "R[a] = exit(type, value, traceback) of the exception R[c], where R[b], R[b+1] came from LOAD_SPECIAL") \
    /* import, patterns */ \
    X(IMPORT_NAME, AB_NAME, "R[a] = __import__(name, globals, locals, fromlist R[b+1], level R[b])") \
    X(IMPORT_FROM, AB_NAME, "R[a] = R[b].name or the submodule; ImportError") \
    X(GET_LEN, AB, "R[a] = len(R[b])") \
    X(MATCH_MAPPING, AB, "R[a] = bool: R[b] is a mapping for patterns") \
    X(MATCH_SEQUENCE, AB, "R[a] = bool: R[b] is a sequence for patterns") \
    X(MATCH_KEYS, ABC, "R[a] = tuple of the values of the keys in tuple R[c] in R[b], or None") \
    X(MATCH_CLASS, ABC_EXT, "EXT x: count of positional patterns: R[a] = tuple of attributes of R[b] as instance of class R[c], or None; keyword names: tuple R[c+1]")

typedef enum TyOp {
#define TY_OP(name, format, meaning) TY_OP_##name,
    TY_INSTRUCTIONS(TY_OP)
#undef TY_OP
    TY_OP_COUNT
} TyOp;

#define ty_op(w) ((TyOp)((w) & 0xFFFF))
#define ty_op_a(w) ((uint32_t)((w) >> 16) & 0xFFFF)
#define ty_op_b(w) ((uint32_t)((w) >> 32) & 0xFFFF)
#define ty_op_c(w) ((uint32_t)((w) >> 48))
#define ty_op_c_int(w) ((int32_t)((int64_t)(w) >> 48))
#define ty_op_b_int(w) ((int32_t)(int16_t)((w) >> 32))
#define ty_op_imm(w) ((int32_t)((int64_t)(w) >> 32))
#define ty_ext_x(w) ((uint32_t)(w))
#define ty_ext_jump(w) ((int32_t)(uint32_t)(w))
#define ty_ext_y(w) ((uint32_t)((w) >> 32))

extern const uint8_t ty_op_words[TY_OP_COUNT]; /* words of the instruction: 1, or 2 with EXT */
/* One more than the highest register that is alive while the instruction at pc runs, at least `variables`. */
uint32_t ty_op_live_top(const TyInstruction *pc, uint32_t variables);
extern const char *const ty_op_names[TY_OP_COUNT];

#define TY_REGISTER_LIMIT 65000 /* registers of one frame; code that needs more is refused with a SyntaxError-free, clear error */

enum { /* LOAD_COMMON */
    TY_COMMON_ASSERTION_ERROR, TY_COMMON_NOT_IMPLEMENTED_ERROR, TY_COMMON_TUPLE, TY_COMMON_ALL, TY_COMMON_ANY, TY_COMMON_LIST, TY_COMMON_SET, TY_COMMON_COUNT
};
enum { /* LOAD_SPECIAL */
    TY_SPECIAL_ENTER, TY_SPECIAL_EXIT, TY_SPECIAL_AENTER, TY_SPECIAL_AEXIT
};
enum { /* INTRINSIC: one operand */
    TY_INTRINSIC_PRINT,             /* sys.displayhook(value), for interactive code; gives None */
    TY_INTRINSIC_IMPORT_STAR,       /* from module import *; gives None */
    TY_INTRINSIC_STOP_ITERATION,    /* a StopIteration leaving a generator becomes RuntimeError, others stay: gives the exception to raise */
    TY_INTRINSIC_TYPEVAR,           /* name → TypeVar */
    TY_INTRINSIC_PARAMSPEC,
    TY_INTRINSIC_TYPEVARTUPLE,
    TY_INTRINSIC_SUBSCRIPT_GENERIC, /* tuple of type parameters → Generic[...] */
    TY_INTRINSIC_TYPEALIAS,         /* (name, type params or None, function that computes the value) → TypeAliasType */
};
enum { /* INTRINSIC_TWO */
    TY_INTRINSIC_TWO_RERAISE_STAR,             /* (original exception, list of raised) → what to raise, or None */
    TY_INTRINSIC_TWO_TYPEVAR_BOUND,            /* (name, function that computes the bound) */
    TY_INTRINSIC_TWO_TYPEVAR_CONSTRAINTS,      /* (name, function that computes the tuple) */
    TY_INTRINSIC_TWO_SET_TYPE_PARAMS,          /* (function, tuple): sets __type_params__, gives the function */
    TY_INTRINSIC_TWO_SET_TYPEPARAM_DEFAULT,    /* (type parameter, function that computes the default) → the parameter */
};
enum { /* SET_FUNCTION */
    TY_FUNCTION_DEFAULTS, TY_FUNCTION_KWDEFAULTS, TY_FUNCTION_ANNOTATIONS /* a dict */, TY_FUNCTION_CLOSURE, TY_FUNCTION_ANNOTATE
};

#endif
