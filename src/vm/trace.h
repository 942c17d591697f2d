/* Tracing: sys.settrace, sys.setprofile, sys.monitoring. While any of them is on, frames run with the traced dispatch table, which asks here before
 * every instruction. Each function returns false with an exception raised by a trace function. */
#ifndef TY_VM_TRACE_H
#define TY_VM_TRACE_H

#include "vm/frame.h"

bool ty_trace_enter(TyFrame *frame);       /* a call begins, or a generator goes on */
bool ty_trace_instruction(TyFrame *frame); /* before the instruction at frame->pc, which a trace function may change by f_lineno */
bool ty_trace_return(TyFrame *frame, Value value);
bool ty_trace_yield(TyFrame *frame, Value value);
void ty_trace_exception(TyFrame *frame);   /* the exception is raised in the thread and stays so, or is replaced */
void ty_trace_unwind(TyFrame *frame);
void ty_trace_update(TyThread *thread);    /* recomputes thread->instrumented */

#endif
