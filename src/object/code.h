/* Code objects: immutable, shared by all interpreters. What execution learns about them (inline caches) lives in a TyCaches object
 * for each interpreter that runs them, so sharing code never shares what one interpreter's objects look like. */
#ifndef TY_OBJECT_CODE_H
#define TY_OBJECT_CODE_H

#include "object/object.h"
#include "vm/instructions.h"

#define TY_CODE_OPTIMIZED 0x1
#define TY_CODE_NEWLOCALS 0x2
#define TY_CODE_VARARGS 0x4
#define TY_CODE_VARKEYWORDS 0x8
#define TY_CODE_NESTED 0x10
#define TY_CODE_GENERATOR 0x20
#define TY_CODE_COROUTINE 0x80
#define TY_CODE_ITERABLE_COROUTINE 0x100
#define TY_CODE_ASYNC_GENERATOR 0x200
#define TY_CODE_FUTURE_MASK 0x1FE0000
#define TY_CODE_HAS_DOCSTRING 0x4000000
#define TY_CODE_METHOD 0x8000000
#define TY_CODE_ANY_GENERATOR (TY_CODE_GENERATOR | TY_CODE_COROUTINE | TY_CODE_ASYNC_GENERATOR)

/* What a register is, for locals(), tracebacks and the disassembler. */
#define TY_REGISTER_LOCAL 0x20
#define TY_REGISTER_CELL 0x40   /* holds a cell (may be a parameter or local as well) */
#define TY_REGISTER_FREE 0x80
#define TY_REGISTER_HIDDEN 0x10 /* a variable of an inlined comprehension: locals() shows it only while bound */

typedef struct TyHandler { /* instructions [start, end) go to target, the exception in register `target_register`; innermost first match */
    uint32_t start, end, target;
    uint32_t target_register;
} TyHandler;

typedef struct TyPosition { int line, end_line, column, end_column; } TyPosition; /* -1 where unknown; columns in UTF-8 bytes from 0 */

typedef struct TyCaches { /* one interpreter's inline caches of one code object: zeroed words; vm/cache.h says what they hold */
    TyObject base;
    TyInterpreter *interpreter;
    int64_t interpreter_id;         /* when the interpreter is closed, its place in memory has another one later */
    struct TyCaches *_Atomic next; /* of the same code, for another interpreter */
    TyObject *_Atomic monitor;     /* TyCodeMonitor of vm/monitor.h, once something traces the code */
    size_t count;
    _Atomic uint64_t words[];
} TyCaches;

typedef struct TyCode {
    TyObject base;
    const TyInstruction *instructions; /* inside `bytecode` */
    uint32_t instruction_count;        /* words */
    uint32_t flags;
    uint32_t positional_count;         /* parameters that may be positional, positional-only ones included (co_argcount) */
    uint32_t positional_only_count;
    uint32_t keyword_only_count;
    uint32_t local_count;              /* co_nlocals: registers that are in co_varnames, parameters included */
    uint32_t cell_count;               /* cell variables that are not in co_varnames, right after the locals */
    uint32_t free_count;               /* free variables, right after those */
    uint32_t register_count;           /* all, temporaries included */
    uint32_t cache_count;
    uint32_t first_line;
    uint32_t handler_count;
    const TyHandler *handlers;         /* inside `handler_bytes`; sorted so that the first match in order is the innermost */
    Value bytecode;                    /* bytes: the instructions */
    Value handler_bytes;               /* bytes: TyHandler array (8-byte aligned as all bytes data) */
    Value depths;                      /* bytes: runs of instructions with the count of registers in use (ty_code_live_registers) */
    Value positions;                   /* bytes: co_linetable in our own compact format (code_tables.h) */
    Value consts;                      /* tuple */
    Value names;                       /* tuple of interned str */
    Value register_names;              /* tuple of str for the local_count + cell_count + free_count first registers */
    Value register_kinds;              /* bytes, one TY_REGISTER_… set each */
    Value filename, name, qualname;
    struct TyCaches *_Atomic caches;   /* none if it has a number */
    _Atomic int64_t caches_end;        /* above the ids of all interpreters that have caches there */
    uint32_t shared_number;            /* of code that all interpreters share: the place of its caches in theirs; 0: it is no such code */
} TyCode;

extern TyType ty_code_type;

/* Everything of a code object but what follows from the rest. */
typedef struct TyCodeParts {
    uint32_t flags, positional_count, positional_only_count, keyword_only_count, local_count, cell_count, free_count, register_count,
        cache_count, first_line;
    Value bytecode, handler_bytes, depths, positions, consts, names, register_names, register_kinds, filename, name, qualname;
} TyCodeParts;

/* A code object of parts that fit together; nothing is checked. TY_NULL: MemoryError. */
Value ty_code_new(const TyCodeParts *parts);
/* Whether every instruction's operands, jumps, names, constants, caches and handlers are in range and the tables are well formed: code
 * that passes cannot make the VM touch what it should not. Nothing is raised. */
bool ty_code_verify(const TyCode *code);

/* How many registers, from 0, may hold live values while the instruction runs. */
uint32_t ty_code_live_registers(const TyCode *code, uint32_t instruction);

/* The first word of cached bytecode files: 16 bits and "\r\n". The bits are a digest of the instruction table and of this version, which is raised
 * whenever something else changes: what code objects hold, how they are marshalled, what an instruction means. */
#define TY_BYTECODE_VERSION 10
uint32_t ty_bytecode_magic(void); /* object/instruction_table.c */

void ty_code_set_filename(TyCode *code, Value filename); /* of it and of the code in its constants */
void ty_caches_drop_closed(TyCode *code);      /* in a collection: forgets the caches of closed interpreters */
TyCaches *ty_code_caches_slow(TyCode *code);   /* makes this interpreter's caches; NULL on error */
bool ty_code_position(const TyCode *code, uint32_t instruction, TyPosition *position);
int ty_code_line(const TyCode *code, uint32_t instruction); /* -1 if none */
const TyHandler *ty_code_handler(const TyCode *code, uint32_t instruction);

TY_INLINE uint32_t ty_code_parameter_count(const TyCode *code)
{
    return code->positional_count + code->keyword_only_count + !!(code->flags & TY_CODE_VARARGS) + !!(code->flags & TY_CODE_VARKEYWORDS);
}

#endif
