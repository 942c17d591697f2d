/* What a safepoint has to do when the thread's poll word says so. */
#include "object/interpreter.h"
#include "vm/frame.h"
#include "vm/trace.h"

#define EXIT_TRIES 100 /* exceptions that the thread may catch before it is ended */

/* The interpreter is closing: a daemon leaves by an exception, so that what it has begun is ended in order. One that catches that again and again is
 * not asked any more. */
static bool leave(TyThread *thread)
{
    if (thread->blocking_depth == 0 && thread->exit_tries++ >= EXIT_TRIES)
        ty_thread_leave();
    return ty_raise_none(&ty_SystemExit), false;
}

static bool poll_run(bool waiting)
{
    TyThread *thread = ty_thread;
    uint32_t poll = ty_load_acquire(&thread->poll);
    if (poll & TY_POLL_STOP)
        ty_safepoint_slow();
    if (poll & TY_POLL_TRACE) {
        ty_trace_update(thread);
        ty_poll_clear(thread, TY_POLL_TRACE);
    }
    if (poll & TY_POLL_PENDING) {
        ty_poll_clear(thread, TY_POLL_PENDING);
        ty_heap_run_pending();
    }
    if ((poll & TY_POLL_SIGNAL) && (waiting || !thread->running_pending)) { /* what a handler raises in a finalizer would be lost */
        ty_poll_clear(thread, TY_POLL_SIGNAL);
        if (!ty_signals_run())
            return false;
    }
    if ((poll & TY_POLL_CALL) && !thread->running_pending && thread->exception == TY_NULL) {
        ty_poll_clear(thread, TY_POLL_CALL);
        ty_remote_script_run();
    }
    if (poll & TY_POLL_ASYNC) {
        ty_poll_clear(thread, TY_POLL_ASYNC);
        Value exception = thread->async_exception;
        thread->async_exception = TY_NULL;
        if (exception != TY_NULL) {
            if (ty_is_exception_class(exception))
                exception = ty_call_none(exception);
            if (exception != TY_NULL)
                ty_raise_object(exception);
            return false;
        }
    }
    return !(poll & TY_POLL_EXIT) || leave(thread);
}

bool ty_vm_poll(void) { return poll_run(false); }
bool ty_poll_run(void) { return ty_load_relaxed(&ty_thread->poll) == 0 || poll_run(true); }
