/* Tracing: sys.settrace, sys.setprofile, sys.monitoring. While any of them is on in a thread, its frames run with the traced dispatch table, which
 * asks here before every instruction; calls, returns and exceptions ask as well. Each function returns false with an exception raised by
 * a trace function or callback. The order is that of CPython: first the tools of sys.monitoring, then the profile function, then the trace function. */
#ifndef TY_VM_TRACE_H
#define TY_VM_TRACE_H

#include "vm/frame.h"

typedef enum TyTraceStep {
    TY_TRACE_FAILED,
    TY_TRACE_RUN,   /* the instruction at frame->pc is to be run: a trace function may have moved it by f_lineno */
    TY_TRACE_DONE   /* it was a call, which has been made: frame->pc is the instruction after it */
} TyTraceStep;

/* What a trace function or callback is being told. */
typedef enum TyTold { TY_TOLD_CALL, TY_TOLD_LINE, TY_TOLD_OTHER } TyTold;

/* Before the instruction at frame->pc; `before` is what frame->pc was until now. */
TyTraceStep ty_trace_instruction(TyFrame *frame, const TyInstruction *before);
bool ty_trace_enter(TyFrame *frame);       /* a call begins, or a generator goes on */
bool ty_trace_throw(TyFrame *frame);       /* a generator goes on with the thread's exception */
bool ty_trace_return(TyFrame *frame, Value value);
bool ty_trace_yield(TyFrame *frame, Value value);
/* The iterator of the frame's FOR_ITER, or what its YIELD_FROM delegates to, is a generator that has ended with the value. */
bool ty_trace_stop_iteration(TyFrame *frame, Value value);
/* The thread's exception stays raised, or is replaced: */
void ty_trace_raise(TyFrame *frame);
void ty_trace_reraise(TyFrame *frame);
void ty_trace_unwind(TyFrame *frame);      /* it leaves the frame */
bool ty_trace_handled(TyFrame *frame, Value exception); /* a handler is entered */

void ty_trace_update(TyThread *thread);    /* something was switched on or off: recomputes thread->instrumented */
void ty_trace_hold(TyThread *thread);      /* nothing is traced … */
void ty_trace_release(TyThread *thread);   /* … until here. They nest. */

#endif
