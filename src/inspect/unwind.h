/* Stacks and tasks of another process, as Python objects. Each of these gives TY_NULL or false for what it could not read, without an exception unless it says so. */
#ifndef TY_INSPECT_UNWIND_H
#define TY_INSPECT_UNWIND_H

#include "inspect/remote.h"

typedef struct TyUnwinder {
    TyObject base;
    Value texts;    /* dict: address of a code object → (filename, qualname, positions, first line, address of the instructions, their count) */
    Value chains;   /* dict: address of a task → list of FrameInfo; while one answer is made */
    Remote remote;
    bool all_threads;
} TyUnwinder;

extern TyType ty_unwinder_type;

typedef struct RemoteThread {
    uint64_t address, interpreter, frame, loop, task, native_id;
    uint32_t state;
    bool main, daemon;
} RemoteThread;

typedef struct RemoteThreads { RemoteThread *items; size_t count; } RemoteThreads;

/* False with an exception raised. */
bool ty_unwind_threads(TyUnwinder *u, RemoteThreads *threads);        /* free(threads->items) afterwards */
/* List of FrameInfo, innermost first; raises. whole: else to the frame that C code called, as CPython's module gives it. */
Value ty_unwind_stack(TyUnwinder *u, const RemoteThread *thread, bool whole);
Value ty_unwind_tasks(TyUnwinder *u, uint64_t interpreter, Value lists); /* appends to `lists` (thread id, list of TaskInfo) for each thread's tasks; None; raises */
Value ty_unwind_running(TyUnwinder *u, const RemoteThread *thread);   /* list of TaskInfo: the task that the thread runs, and who waits for it; raises */
Value ty_unwind_record(int which, const Value *fields);
enum { RECORD_TASK, RECORD_FRAME, RECORD_CORO, RECORD_THREAD, RECORD_AWAITED, RECORDS };

#endif
