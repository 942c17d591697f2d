/* TyThread: what belongs to one OS thread that runs Python. Reached through `ty_thread`, a thread-local pointer.
 *
 * A thread is RUNNING (may touch the heap), BLOCKED (has declared that it will not) or STOPPED (waits at a safepoint while the
 * world is stopped). Only its own thread writes its fields, but for `poll` and `state`, which are atomic. The collector reads all
 * of it while the thread is BLOCKED or STOPPED; the thread's registers are then on its C stack. */
#ifndef TY_HEAP_THREAD_H
#define TY_HEAP_THREAD_H

#include "heap/heap.h"
#include "base/futex.h"
#include <pthread.h>

typedef struct TyFrame TyFrame;
typedef struct TyHeapCache TyHeapCache; /* the thread's caches of free cells; heap/heap.c */

/* Bits of `poll`: why a safepoint has something to do. */
#define TY_POLL_STOP 0x01u        /* a collector wants the world stopped */
#define TY_POLL_SIGNAL 0x02u      /* a signal handler is to be run (main thread of the main interpreter) */
#define TY_POLL_PENDING 0x04u     /* finalizers or weak reference callbacks are due */
#define TY_POLL_ASYNC 0x08u       /* an exception was sent to this thread */
#define TY_POLL_TRACE 0x10u       /* tracing, profiling or monitoring changed */
#define TY_POLL_CALL 0x100u       /* a script from another process is to be run; that process sets the byte: no other bit may be in it (inspect/execute.c) */
#define TY_POLL_EXIT 0x40u        /* the interpreter is closing: leave */

enum { TY_THREAD_RUNNING, TY_THREAD_BLOCKED, TY_THREAD_STOPPED };

enum { TY_SCRATCH_SIZE = 256 * 1024 };

struct TyThread {
    _Atomic uint32_t poll;
    _Atomic uint32_t state;
    TyInterpreter *interpreter;

    /* Execution (vm/). The Python stack is a mapping of its own; frames lie in it one after another. */
    TyFrame *frame;             /* the innermost Python frame, or NULL */
    char *stack_top;            /* first free byte above the innermost frame */
    char *stack_base, *stack_limit;
    struct TyRun *run;          /* the innermost run of the interpreter on the C stack: vm/frame.h */
    uint32_t recursion;         /* Python frames plus C calls into the VM, against recursion_limit */
    uint32_t recursion_limit;
    char *c_stack_limit;        /* C code below this address raises RecursionError */

    Value exception;            /* raised and not yet handled, else TY_NULL */
    Value handled;              /* the exception that `except` handles now (sys.exception()), else TY_NULL */
    Value async_exception;
    Value interruption;         /* of the main thread: what a signal handler raised while it was visiting another interpreter, or TY_NULL */
    _Atomic(TyThread *) deputy; /* of the main thread: the visit that it works as now; itself; or NULL */
    Value context;              /* the current contextvars Context or TY_NULL */
    uint32_t context_version;

    /* Tracing. */
    Value trace_function, profile_function;
    uint32_t tracing;           /* inside so many trace functions or monitoring callbacks: nothing is traced */
    struct TyFrame *told_frame; /* while that goes on: the frame told of, and whether it may jump (f_lineno = …): vm/trace.h's TyTold */
    uint32_t told;
    bool instrumented;          /* some kind of tracing is on: frames run with the traced dispatch table */

    Value storage;              /* a dict for what modules keep per thread (locals, repr guards, …), or TY_NULL */
    Value async_generator_first_iteration, async_generator_finalizer;
    Value running_loop, current_task; /* of asyncio, or TY_NULL */
    Value task_list;            /* of the asyncio tasks that it made: modules/asyncio */
    uint32_t coroutine_origin_depth;
    uint64_t ident;             /* threading.get_ident() */
    uint64_t native_id;
    pthread_t handle;
    bool daemon, main;
    uint32_t exit_tries;        /* how often TY_POLL_EXIT has raised */

    /* The heap. */
    struct TyLookupEntry *lookup_cache; /* object/type.c; emptied at each collection */
    TyHeapCache *cache;
    char *c_stack_base;         /* the highest address to scan */
    char *c_stack_scan;         /* the lowest, while BLOCKED or STOPPED */
    uintptr_t registers[24];    /* those that functions preserve, while BLOCKED or STOPPED */
    TyThread *next, *previous;  /* in the process's list, under its lock */
    struct TyVisit *visit;      /* of an OS thread that has another TyThread of its own: runtime/visit.c; else NULL */
    char *scratch;              /* TY_SCRATCH_SIZE bytes of malloc'ed memory for who wants them for a moment; NULL: not yet */
    uint32_t blocking_depth;
    bool in_allocation;         /* STOPPED by an allocation, or waiting for an object's lock: maybe inside a stretch of C that holds one */
    bool in_work;               /* BLOCKED in a C library's work on something that has a lock: see ty_work_section_begin */
    bool running_pending;       /* inside ty_heap_run_pending */
};

extern _Thread_local TyThread *ty_thread;

/* Makes a TyThread for the calling OS thread and enters it in the process's list; NULL when memory is short. It starts RUNNING. */
TyThread *ty_thread_attach(TyInterpreter *interpreter);
void ty_thread_detach(void);
/* Another TyThread for the calling OS thread, which stays what it was: BLOCKED, with nothing on the C stack. And the end of such a one, by any thread. */
TyThread *ty_thread_attach_idle(TyInterpreter *interpreter);
void ty_thread_drop_idle(TyThread *thread);
void ty_thread_each(void (*visit)(TyThread *thread, void *context), void *context); /* under the list's lock */
/* The same from a signal handler, where waiting for the lock may be for ever: false if it is held. */
bool ty_thread_try_each(void (*visit)(TyThread *thread, void *context), void *context);

/* Makes another TyThread of the same OS thread (of another interpreter, say) the current one: the old one is BLOCKED meanwhile. */
void ty_thread_switch(TyThread *to);
/* Called by a thread that is about to start another one, where it holds no object's lock. */
void ty_many_threads_begin(void);

uintptr_t ty_registers_save(uintptr_t *registers); /* returns the stack pointer; assembly in heap/thread.c */
void ty_blocking_enter(TyThread *thread);
void ty_blocking_leave(TyThread *thread);

/* RUNNING → BLOCKED and back; they nest and preserve errno; the second waits for a stopped world to start again. Both belong into one
 * C function, which they see as inline code: the collector scans its frame and those of its callers, but nothing that returned. */
TY_INLINE void ty_blocking_begin(void)
{
    TyThread *thread = ty_thread;
    if (thread->blocking_depth++ == 0) {
        thread->c_stack_scan = (char *)ty_registers_save(thread->registers);
        ty_blocking_enter(thread);
    }
}
TY_INLINE void ty_blocking_end(void)
{
    TyThread *thread = ty_thread;
    if (--thread->blocking_depth == 0)
        ty_blocking_leave(thread);
}
/* The same around a C library's work on something that would be of no use half done: a fork waits for it, but not for long. */
TY_INLINE void ty_work_section_begin(void)
{
    ty_thread->in_work = true;
    ty_blocking_begin();
}
TY_INLINE void ty_work_section_end(void)
{
    ty_blocking_end();
    ty_thread->in_work = false;
}
/* Around what a C library calls back while its caller is BLOCKED: the thread is RUNNING in between, however deep it was. Afterwards what the collector
 * scans is again what it was at ty_blocking_begin: the library's own frames may have changed since. Both in one C function. */
typedef struct TyCallback {
    uint32_t depth;
    char *scan;
    uintptr_t registers[24];
} TyCallback;
TY_INLINE void ty_callback_begin(TyCallback *callback)
{
    TyThread *thread = ty_thread;
    callback->depth = thread->blocking_depth;
    if (callback->depth == 0)
        return;
    callback->scan = thread->c_stack_scan;
    memcpy(callback->registers, thread->registers, sizeof callback->registers);
    thread->blocking_depth = 0;
    ty_blocking_leave(thread);
}
TY_INLINE void ty_callback_end(TyCallback *callback)
{
    TyThread *thread = ty_thread;
    if (callback->depth == 0)
        return;
    thread->blocking_depth = callback->depth;
    thread->c_stack_scan = callback->scan;
    memcpy(thread->registers, callback->registers, sizeof callback->registers);
    ty_blocking_enter(thread);
}
void ty_mutex_lock_blocking(TyMutex *mutex); /* a mutex whose holder may reach a safepoint */
void ty_safepoint_slow(void); /* only what concerns the heap: STOP. vm/ handles the other bits */

TY_INLINE void ty_safepoint(void)
{
    if (TY_UNLIKELY(ty_load_relaxed(&ty_thread->poll) & TY_POLL_STOP))
        ty_safepoint_slow();
}
void ty_poll_request(TyThread *thread, uint32_t bits);
void ty_poll_clear(TyThread *thread, uint32_t bits);
/* Stops all other threads at safepoints (so it is one itself); the caller may then change what lock-free readers rely on. They nest. */
void ty_world_stop(void);
void ty_world_start(void);
/* The same where no other thread holds an object's lock or works on something: for what the others may never wake from. False: after so long
 * that still was not so. */
bool ty_world_stop_between(int64_t patience_ns);
bool ty_world_is_mine(void);      /* the calling thread has stopped it */
bool ty_world_has_others(void);   /* the world stopped: there are other threads */
TyThread *const *ty_threads_place(void); /* where the first of the list is noted: for those who look in from outside */
bool ty_thread_lives(TyThread *thread); /* whether it is still in the list; by address only */

/* Does, as ordinary code, what `poll` asks for (signal handlers, finalizers, …): false if an exception was raised. Also called where a
 * system call was interrupted. vm/poll.c */
extern bool ty_poll_run(void);
/* What a thread needs before it can run Python, and the end of that. runtime/interpreter.c */
extern bool ty_thread_begin(TyThread *thread);
extern void ty_thread_end(TyThread *thread);
extern void ty_asyncio_thread_end(TyThread *thread); /* modules/asyncio: the part of it that asyncio has; the same after a fork, in the child */
extern void ty_asyncio_after_fork(void);

/* Marks what the VM keeps of a thread (frames, exception, …): vm/frame.c. */
extern void ty_thread_trace(TyThread *thread, TyMarker *marker);
/* Marks conservatively what lies on its C stack, from c_stack_scan to c_stack_base: vm/frame.c. */
extern void ty_thread_stack_trace(TyThread *thread, TyMarker *marker);

/* Overwrites what earlier calls left below the caller's frame. Frames have holes that nobody writes; those of frames that stay for long
 * would keep alive what the words in them happen to mean. */
void ty_c_stack_clear(void);

/* True when less than a safe reserve of C stack is left: recursive C code then raises RecursionError. */
TY_INLINE bool ty_c_stack_low(void) { return (char *)__builtin_frame_address(0) < ty_thread->c_stack_limit; }

#endif
