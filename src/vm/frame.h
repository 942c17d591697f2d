/* Frames: one activation of a code object each. They lie on the thread's own stack, one after another, or, for a generator, in the
 * generator, where they run in place. Python calling Python pushes a frame and goes on in the same C function.
 *
 * Invariants: `pc` is stored before an instruction does anything that can allocate, call or raise. Registers from the locals through the free
 * variables are always Values or TY_NULL; temporaries above those that the instruction at `pc` names are dead and may hold anything. */
#ifndef TY_VM_FRAME_H
#define TY_VM_FRAME_H

#include "object/exception.h"
#include "object/function.h"
#include "object/type.h"

typedef struct TyGenerator TyGenerator;

/* What happens to a frame's result. */
typedef enum TyFrameKind {
    TY_FRAME_ENTRY,   /* returned to the C code that called ty_vm_run */
    TY_FRAME_CALL,    /* goes into the register a of the caller's instruction */
    TY_FRAME_INIT,    /* must be None; the register gets `instance` instead */
    TY_FRAME_RESUME,  /* a generator resumed by the caller's FOR_ITER or YIELD_FROM */
    TY_FRAME_STORE    /* dropped: the caller's instruction was a store that called Python */
} TyFrameKind;

struct TyFrame {
    TyFrame *previous;
    const TyInstruction *pc;
    TyFunction *function;
    TyCode *code;
    TyCaches *caches;     /* of `code`, which keeps them alive; the function's may be another code's by now (f.__code__ = …) */
    Value locals;         /* the namespace of a class body or module, else TY_NULL */
    Value frame_object;   /* TyFrameObject, once asked for */
    Value instance;       /* kind INIT */
    TyGenerator *generator;
    uint32_t kind;
    int32_t traced_line;         /* what tracing saw last: vm/trace.c */
    int32_t traced_instruction;
    uint32_t raised_at;          /* the last instruction that raised, reraising of cleanups apart: where a frame that ends by an exception has been */
    Value registers[];
};

/* Frame objects: sys._getframe(), tracebacks. While the frame runs they look into it; when it ends they keep a copy of its variables. */
typedef struct TyFrameObject {
    TyObject base;
    TyFrame *frame;        /* NULL once it has ended */
    TyFunction *function;
    TyCode *code;
    Value back;            /* frame object or TY_NULL: of an ended frame */
    Value locals;          /* namespace, or TY_NULL */
    Value registers;       /* TyArray of an ended frame's variables */
    Value extra_locals;    /* names that code added to f_locals of a function */
    Value trace;           /* f_trace or TY_NULL */
    int32_t instruction;   /* of an ended frame */
    bool trace_lines, trace_opcodes, instructions_told;
    int32_t line_override; /* set by f_lineno = …: 0 none */
} TyFrameObject;

extern TyType ty_frame_type, ty_frame_locals_type;

Value ty_frame_object(TyFrame *frame);             /* made if need be */
void ty_frame_detach(TyFrame *frame);              /* the frame ends: its frame object keeps the variables */
void ty_frame_trace(TyFrame *frame, TyMarker *marker);
Value ty_frame_locals_snapshot(TyFrame *frame);    /* what locals() gives: a fresh dict for a function, the namespace otherwise */
Value ty_frame_get_locals(Value frame_object);     /* f_locals */
int ty_frame_line(const TyFrame *frame);
Value ty_frame_locals_new(Value frame_object);
bool ty_frame_set_line(TyFrameObject *frame, Value line); /* vm/trace.c */

TY_INLINE uint32_t ty_frame_instruction(const TyFrame *frame) { return (uint32_t)(frame->pc - frame->code->instructions); }

/* object/type_parameter.c, exception_group.c and runtime/import.c: what intrinsics and imports need of them. */
Value ty_typevar_new(Value name, Value evaluate_bound, Value evaluate_constraints); /* TY_NULL: none */
Value ty_paramspec_new(Value name);
Value ty_typevartuple_new(Value name);
Value ty_typealias_new(Value name, Value type_params, Value evaluate);
Value ty_type_parameter_set_default(Value parameter, Value evaluate);
Value ty_subscript_generic(Value parameters);
Value ty_exception_group_reraise(Value original, Value raised); /* what except* clauses leave to raise: an exception or None */
Value ty_import_level(Value name, Value globals, Value from_list, Value level);
Value ty_awaitable_iterator(Value v);

/* One activation of the interpreter's C function. While the instruction at which its Python frame stands is a call, that function needs
 * none of the Values that its C frame may still hold: the collector leaves them out. They would keep alive what the program let go of. */
typedef struct TyRun {
    struct TyRun *outer;
    TyFrame *below;          /* the Python frame beneath its first one: the innermost of the outer run */
    const char *low, *high;  /* the C frame, without the registers that it saved for its caller; equal: not known */
} TyRun;

/* --- running -------------------------------------------------------------------------------------------------------- */

/* Runs the frame (already linked as the thread's innermost) until it returns, yields or fails. throwing: with the thread's exception
 * raised at its pc. */
Value ty_vm_run(TyFrame *frame, bool throwing);
/* Pushes a frame for the function with its arguments bound; NULL with the exception raised. */
TyFrame *ty_frame_push(TyFunction *function, const Value *arguments, size_t count, Value keywords);
TyFrame *ty_frame_push_bare(TyFunction *function); /* variables unbound */
void ty_frame_pop(TyFrame *frame);
bool ty_bind_arguments(TyFunction *function, const Value *arguments, size_t count, Value keywords, Value *registers);
Value ty_eval_code(Value code, Value globals, Value locals, Value closure /* tuple or TY_NULL */);
/* Does what the poll word asks for; false with an exception raised. */
bool ty_vm_poll(void);
/* Runs the Python handlers of signals that came in; false: one raised. modules/signal.c */
extern bool ty_signals_run(void);
extern void ty_thread_leave(void); /* modules/_thread.c: ends the calling thread where it stands, if Python started it */
bool ty_vm_thread_start(TyThread *thread, size_t stack_size);  /* the thread's Python stack; false: no memory */
void ty_vm_thread_end(TyThread *thread);
extern void ty_remote_script_run(void); /* inspect/execute.c: what TY_POLL_CALL asks for */

Value ty_vm_interpolation(const Value *parts, uint32_t conversion);
/* vm/support.c: what instructions do out of line. */
Value ty_vm_load_name(TyFrame *frame, Value name);
Value ty_vm_load_global_slow(TyFunction *function, Value name);
Value ty_vm_import_name(TyFrame *frame, Value name, Value from_list, Value level);
Value ty_vm_import_from(Value module, Value name);
bool ty_vm_import_star(TyFrame *frame, Value module);
bool ty_vm_unpack(Value v, Value *registers, uint32_t count);
bool ty_vm_unpack_star(Value v, Value *registers, uint32_t before, uint32_t after);
Value ty_vm_intrinsic(TyFrame *frame, uint32_t which, Value operand);
Value ty_vm_intrinsic_two(TyFrame *frame, uint32_t which, Value first, Value second);
Value ty_vm_build_map(const Value *pairs, uint32_t count);
Value ty_vm_build_set(const Value *items, uint32_t count);
Value ty_vm_build_string(const Value *items, uint32_t count);
bool ty_vm_list_extend(Value list, Value iterable);
bool ty_vm_dict_update(Value dict, Value mapping);
bool ty_vm_dict_merge(Value dict, Value mapping, Value callee);
Value ty_vm_convert(uint32_t conversion, Value v);
int ty_vm_exception_matches(Value exception, Value class);
bool ty_vm_group_matches(TyFrame *frame, Value *exception, Value class, Value *match);
bool ty_vm_raise(uint32_t count, Value exception, Value cause);
Value ty_vm_with_except(Value exit, Value self, Value exception);
bool ty_vm_load_special(Value object, uint32_t which, Value *target);
Value ty_vm_get_aiter(Value v);
Value ty_vm_get_anext(Value v);
Value ty_vm_get_awaitable(Value v, uint32_t where);
Value ty_vm_yield_from_iter(TyFrame *frame, Value v);
Value ty_vm_match_keys(Value subject, Value keys);
Value ty_vm_match_class(Value subject, Value class, uint32_t positional, Value names);
Value ty_vm_call_spread(TyFrame *frame, Value callee, Value arguments, Value keywords);
bool ty_vm_setup_annotations(TyFrame *frame);
bool ty_vm_add_traceback(TyFrame *frame, uint32_t instruction);
Value ty_vm_name_error(Value name);
Value ty_vm_unbound_local(TyFrame *frame, uint32_t reg);
Value ty_vm_common(uint32_t which);
Value ty_vm_load_cell_or_mapping(TyFrame *frame, uint32_t reg, Value mapping);
Value ty_vm_load_global_or_mapping(TyFrame *frame, Value mapping, Value name);
Value ty_vm_super(Value super, Value class, Value self, Value name, uint32_t flags, bool *unbound);

#endif
