/* _asyncio: futures, tasks, and who runs what.
 *
 * A future's state moves once, from pending to cancelled or finished, under the object's lock, together with its result and the list of callbacks; after that
 * both are constant, and readers that have seen the state need no lock. A step of a task runs the coroutine in C: no Python frame lies between the event
 * loop's and the coroutine's own.
 *
 * Tasks that are not done are in a list of the thread that made them: linked through the tasks themselves, so that entering and leaving cost a few stores, and
 * not marked, so that being listed keeps no task alive. What guarantees that no dead task stays in a list is TyLayout.retire: it takes the task out before
 * its finalizer runs, and a finalized task is never entered again. */
#ifndef TY_MODULES_ASYNCIO_H
#define TY_MODULES_ASYNCIO_H

#include "object/exception.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/str.h"

typedef enum FutureState { FUTURE_PENDING, FUTURE_CANCELLED, FUTURE_FINISHED } FutureState;

typedef struct Future {
    TyObject base;
    Value loop;                          /* TY_NULL: __init__ has not run */
    Value callback, callback_context;    /* the first callback, or TY_NULL */
    Value callbacks;                     /* list of (callback, context): the others; or TY_NULL */
    Value result, exception, exception_traceback;
    Value source_traceback, cancel_message, cancelled_error; /* each may be TY_NULL */
    Value awaited_by;                    /* TY_NULL, a future, or a set of them */
    Value spill;                         /* attributes */
    _Atomic uint8_t state, blocking, log_traceback, log_destroy_pending;
    _Atomic uint8_t must_cancel;         /* of a task */
} Future;

typedef struct TaskList TaskList;
typedef struct Task {
    Future future;
    Value coroutine, context, waiter;    /* waiter: the future it waits for */
    Value name;                          /* str, or int: the number of an unnamed one */
    Value step, wakeup;                  /* what the event loop calls; made when first needed */
    TaskList *list;                      /* it is in, or NULL; the neighbours there are not marked */
    struct Task *next, *previous;
    _Atomic int64_t cancel_requests;
    _Atomic uint32_t steps;              /* odd while a step runs: for those who look in from outside */
} Task;

struct TaskList {
    TyObject base;
    Value next_list;                     /* of the same interpreter */
    Task *first;
    _Atomic uint64_t changes;            /* raised before and after each change: odd while one is made */
    int64_t count;
    _Atomic uint64_t native_id;          /* of the thread that adds to it; 0: that has ended */
};

extern TyType ty_asyncio_future_type, ty_asyncio_task_type, ty_asyncio_iterator_type, ty_asyncio_step_type, ty_asyncio_list_type, ty_asyncio_plan_type;

TY_INLINE Future *ty_as_future(Value v) { return (Future *)ty_object(v); }
TY_INLINE Task *ty_as_task(Value v) { return (Task *)ty_object(v); }
TY_INLINE bool ty_future_is_plain(Value v) { return ty_is_exact(v, &ty_asyncio_future_type) || ty_is_exact(v, &ty_asyncio_task_type); }
TY_INLINE bool ty_is_future(Value v) { return ty_future_is_plain(v) || ty_is_instance_of(v, &ty_asyncio_future_type); }
TY_INLINE bool ty_is_task(Value v) { return !ty_is_exact(v, &ty_asyncio_future_type) && ty_is_instance_of(v, &ty_asyncio_task_type); }
TY_INLINE FutureState ty_future_state(const Future *f) { return (FutureState)ty_load_acquire(&f->state); }

/* What the Python side has that is needed here, found when it is first wanted. */
typedef enum AsyncioName {
    ASYNCIO_CANCELLED_ERROR, ASYNCIO_INVALID_STATE_ERROR, ASYNCIO_FUTURE_REPR, ASYNCIO_TASK_REPR, ASYNCIO_TASK_GET_STACK, ASYNCIO_TASK_PRINT_STACK,
    ASYNCIO_IS_COROUTINE, ASYNCIO_GET_POLICY, ASYNCIO_EXTRACT_STACK, ASYNCIO_WEAK_SET, ASYNCIO_NAMES,
    ASYNCIO_SCHEDULED = ASYNCIO_NAMES, /* tasks that are no Task of ours: a WeakSet, and a set of those in their first step */
    ASYNCIO_EAGER, ASYNCIO_COROUTINE_TYPES, ASYNCIO_STATE_COUNT
} AsyncioName;
Value ty_asyncio_state(AsyncioName which); /* TY_NULL: not to be had, with the exception */

/* object.name(*arguments, keyword=…): the last of the arguments is the keyword's. */
Value ty_asyncio_call_keyword(Value object, Value name, const Value *arguments, size_t count, Value keyword);

/* future.c */
bool ty_future_init(Future *f, Value loop);
Value ty_future_cancel(Future *f, Value message);              /* True or False */
bool ty_future_set_result(Future *f, Value result);
bool ty_future_set_exception(Future *f, Value exception);
/* 1: *result is its result; 0: *result is the exception that it ended with, not raised; -1: cancelled or not done: raised. */
int ty_future_get_result(Future *f, Value *result);
Value ty_future_cancelled_error(Future *f);                    /* made, not raised */
bool ty_future_add_callback(Future *f, Value callback, Value context);
bool ty_future_awaited_add(Value future, Value waiter);
bool ty_future_awaited_discard(Value future, Value waiter);
bool ty_future_log(Future *f);                                 /* an exception that nobody looked at */
Value ty_future_cancelled_message(Future *f);
void ty_future_trace(TyObject *self, TyMarker *marker);

/* loop.c. loop.call_soon(function[, argument][, context=context]); argument and context may be TY_NULL. */
bool ty_asyncio_call_soon(Value loop, Value function, Value argument, Value context);
bool ty_asyncio_not_debugging(Value loop); /* of a loop of the library's: get_debug() would say False. Else it has to be asked */

/* registry.c */
void ty_task_enter_list(Task *task);
void ty_task_leave_list(Task *task);
bool ty_task_enter(Value loop, Value task);
bool ty_task_leave(Value loop, Value task);
Value ty_task_swap(Value loop, Value task);                    /* the one before, or None */
Value ty_asyncio_running_loop(void);                           /* TY_NULL: none, no exception */
Value ty_asyncio_event_loop(void);
extern const TyNativeDef ty_asyncio_functions[];

#endif
