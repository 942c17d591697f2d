/* Which tasks there are, and which loop and task each thread runs. A thread keeps its own in its TyThread; what others ask of it is read with the world
 * stopped. */
#include "modules/asyncio/asyncio.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/set.h"
#include "object/tuple.h"
#include "object/type.h"

/* --- lists of tasks ------------------------------------------------------------------------------------------------------------------- */

static void list_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TaskList *)self)->next_list); }

TyType ty_asyncio_list_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TaskList), .trace = list_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_asyncio.task_list",
    .parent = &ty_object_base_type,
};

static TaskList *first_list(TyInterpreter *interpreter) { return (TaskList *)ty_object(ty_field_acquire(&interpreter->asyncio_lists)); }
static TaskList *next_list(TaskList *list) { return (TaskList *)ty_object(ty_field_acquire(&list->next_list)); }

/* One that a thread left behind empty, or a new one at the front of the interpreter's. */
static TaskList *take_list(TyThread *thread)
{
    TyInterpreter *interpreter = thread->interpreter;
    for (TaskList *list = first_list(interpreter); list; list = next_list(list)) {
        uint64_t nobody = 0;
        if (ty_load_relaxed(&list->native_id) == 0 && ty_field((Value *)(void *)&list->first) == TY_NULL &&
            atomic_compare_exchange_strong(&list->native_id, &nobody, thread->native_id))
            return list;
    }
    TaskList *list = ty_allocate(&ty_asyncio_list_type, sizeof *list);
    if (!list)
        return NULL;
    ty_store_relaxed(&list->native_id, thread->native_id);
    Value expected = ty_field_acquire(&interpreter->asyncio_lists);
    do
        ty_store(list, &list->next_list, expected);
    while (!__atomic_compare_exchange_n(&interpreter->asyncio_lists, &expected, ty_from_object(list), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return list;
}

void ty_asyncio_thread_end(TyThread *thread)
{
    if (thread->task_list != TY_NULL)
        ty_store_release(&((TaskList *)ty_object(thread->task_list))->native_id, 0);
    thread->task_list = thread->running_loop = thread->current_task = TY_NULL;
}

static bool begin_change(TaskList *list)
{
    bool locked = ty_object_lock(&list->base);
    atomic_store_explicit(&list->changes, ty_load_relaxed(&list->changes) + 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    return locked;
}

static void end_change(TaskList *list, bool locked)
{
    atomic_store_explicit(&list->changes, ty_load_relaxed(&list->changes) + 1, memory_order_release);
    ty_object_unlock(&list->base, locked);
}

#define SET_LINK(owner, field, to) ty_store_pointer(owner, &(field), to)
#define LINK(field) __atomic_load_n(&(field), TY_ORDER_DEPENDENT)

void ty_task_enter_list(Task *task)
{
    TyThread *thread = ty_thread;
    if (LINK(task->list) || (ty_object_bits(&task->future.base) & TY_BIT_FINALIZED))
        return;
    if (thread->task_list == TY_NULL)
        thread->task_list = ty_from_object(take_list(thread));
    TaskList *list = (TaskList *)ty_object(thread->task_list);
    if (!list) {
        ty_clear_exception(); /* not listed, for want of memory: it runs all the same */
        return;
    }
    TaskList *none = NULL; /* two threads may register it at once */
    if (!__atomic_compare_exchange_n(&task->list, &none, list, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return;
    bool locked = begin_change(list);
    Task *first = LINK(list->first);
    SET_LINK(task, task->previous, (Task *)NULL);
    SET_LINK(task, task->next, first);
    if (first)
        SET_LINK(first, first->previous, task);
    SET_LINK(list, list->first, task);
    list->count++;
    end_change(list, locked);
}

void ty_task_leave_list(Task *task)
{
    TaskList *list = LINK(task->list);
    if (!list)
        return;
    bool locked = begin_change(list);
    if (LINK(task->list) == list && (LINK(list->first) == task || LINK(task->previous))) {
        Task *next = LINK(task->next), *previous = LINK(task->previous);
        if (previous)
            SET_LINK(previous, previous->next, next);
        else
            SET_LINK(list, list->first, next);
        if (next)
            SET_LINK(next, next->previous, previous);
        SET_LINK(task, task->previous, (Task *)NULL); /* next stays: who reads the list from outside, and stands here, goes on to the others */
        list->count--;
        SET_LINK(task, task->list, (TaskList *)NULL);
    }
    end_change(list, locked);
}

/* --- the running loop and task ------------------------------------------------------------------------------------------------------------ */

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }

static bool is_running(Value loop)
{
    if (TY_LIKELY(ty_thread->running_loop == loop))
        return true;
    return ty_raise(&ty_RuntimeError, "loop %R is not the running loop", loop), false;
}

bool ty_task_enter(Value loop, Value task)
{
    TyThread *thread = ty_thread;
    if (!is_running(loop))
        return false;
    if (TY_UNLIKELY(thread->current_task != TY_NULL)) {
        ty_raise(&ty_RuntimeError, "Cannot enter into task %R while another task %R is being executed.", task, thread->current_task);
        return false;
    }
    thread->current_task = task;
    return true;
}

bool ty_task_leave(Value loop, Value task)
{
    TyThread *thread = ty_thread;
    if (!is_running(loop))
        return false;
    if (TY_UNLIKELY(thread->current_task != task)) {
        ty_raise(&ty_RuntimeError, "Invalid attempt to leave task %R while task %R is entered.", task, or_none(thread->current_task));
        return false;
    }
    thread->current_task = TY_NULL;
    return true;
}

Value ty_task_swap(Value loop, Value task)
{
    TyThread *thread = ty_thread;
    if (!is_running(loop))
        return TY_NULL;
    Value previous = or_none(thread->current_task);
    thread->current_task = task == TY_NONE ? TY_NULL : task;
    return previous;
}

Value ty_asyncio_running_loop(void) { return ty_thread->running_loop; }

Value ty_asyncio_event_loop(void)
{
    Value loop = ty_asyncio_running_loop();
    if (loop != TY_NULL)
        return loop;
    Value get_policy = ty_asyncio_state(ASYNCIO_GET_POLICY), policy = get_policy == TY_NULL ? TY_NULL : ty_call_none(get_policy);
    return policy == TY_NULL ? TY_NULL : ty_call_method_none(policy, TY_NAME("get_event_loop"));
}

typedef struct Search { TyInterpreter *interpreter; Value loop, task; } Search;

static void find_current(TyThread *thread, void *context)
{
    Search *search = context;
    if (thread->interpreter == search->interpreter && thread->running_loop == search->loop && thread->current_task != TY_NULL)
        search->task = thread->current_task;
}

static Value loop_or_running(Value loop)
{
    if (loop == TY_NULL || loop == TY_NONE)
        loop = ty_asyncio_running_loop();
    return loop == TY_NULL ? ty_raise(&ty_RuntimeError, "no running event loop") : loop;
}

static Value current_task(Value module, Value *a)
{
    Value loop = loop_or_running(a[0]);
    if (loop == TY_NULL)
        return TY_NULL;
    if (loop == ty_thread->running_loop)
        return or_none(ty_thread->current_task);
    Search search = {ty_interpreter(), loop, TY_NULL};
    ty_world_stop();
    ty_thread_each(find_current, &search);
    ty_world_start();
    return or_none(search.task);
}

static Value enter_task(Value module, Value *a) { return ty_task_enter(a[0], a[1]) ? TY_NONE : TY_NULL; }
static Value leave_task(Value module, Value *a) { return ty_task_leave(a[0], a[1]) ? TY_NONE : TY_NULL; }
static Value swap_current_task(Value module, Value *a) { return ty_task_swap(a[0], a[1]); }
static Value get_event_loop(Value module, Value *a) { return ty_asyncio_event_loop(); }
static Value get_running_loop_or_none(Value module, Value *a) { return or_none(ty_asyncio_running_loop()); }
static Value get_running_loop(Value module, Value *a) { return loop_or_running(TY_NULL); }
static Value set_running_loop(Value module, Value *a)
{
    ty_thread->running_loop = a[0] == TY_NONE ? TY_NULL : a[0];
    return TY_NONE;
}

void ty_asyncio_after_fork(void)
{
    ty_thread->running_loop = ty_thread->current_task = TY_NULL;
}

/* --- the functions of the module ------------------------------------------------------------------------------------------------------------ */

static Value call_on(AsyncioName set, Value name, Value task)
{
    Value held = ty_asyncio_state(set);
    return held == TY_NULL ? TY_NULL : ty_call_method_one(held, name, task);
}

static Value register_task(Value module, Value *a)
{
    if (!ty_is_task(a[0]))
        return call_on(ASYNCIO_SCHEDULED, TY_NAME("add"), a[0]);
    ty_task_enter_list(ty_as_task(a[0]));
    return TY_NONE;
}
static Value unregister_task(Value module, Value *a)
{
    if (!ty_is_task(a[0]))
        return call_on(ASYNCIO_SCHEDULED, TY_NAME("discard"), a[0]);
    ty_task_leave_list(ty_as_task(a[0]));
    return TY_NONE;
}
static Value register_eager_task(Value module, Value *a) { return call_on(ASYNCIO_EAGER, TY_NAME("add"), a[0]); }
static Value unregister_eager_task(Value module, Value *a) { return call_on(ASYNCIO_EAGER, TY_NAME("discard"), a[0]); }

static bool add_listed(TaskList *list, Value found)
{
    bool locked = ty_object_lock(&list->base), fine = true;
    for (Task *task = LINK(list->first); fine && task; task = LINK(task->next))
        if (!(ty_object_bits(&task->future.base) & TY_BIT_FINALIZED)) /* found dead, only its finalizer has not run yet */
            fine = ty_list_append(found, ty_from_object(task));
    ty_object_unlock(&list->base, locked);
    return fine;
}

static Value other_loop_of(Value task)
{
    bool failed;
    Value method = ty_get_attribute_or_null(task, TY_NAME("get_loop"), &failed);
    if (method != TY_NULL)
        return ty_call_none(method);
    return failed ? TY_NULL : ty_get_attribute(task, TY_NAME("_loop"));
}

static bool add_if_pending(Value set, Value task, Value loop)
{
    if (ty_is_task(task)) {
        Future *f = ty_as_future(task);
        return ty_field(&f->loop) != loop || ty_future_state(f) != FUTURE_PENDING || ty_set_add(set, task);
    }
    Value done = ty_call_method_none(task, TY_NAME("done")), own = done == TY_NULL ? TY_NULL : other_loop_of(task);
    int is_done = own == TY_NULL ? -1 : ty_is_true(done);
    return is_done >= 0 && (is_done || own != loop || ty_set_add(set, task));
}

/* Those in their first step are looked at before the others, so that one that goes on as an ordinary task is not missed. */
static Value all_tasks(Value module, Value *a)
{
    Value loop = loop_or_running(a[0]);
    Value eager = loop == TY_NULL ? TY_NULL : ty_asyncio_state(ASYNCIO_EAGER);
    Value found = eager == TY_NULL ? TY_NULL : ty_list_new(16), set = ty_set_new(TY_NULL);
    if (found == TY_NULL || set == TY_NULL || !ty_list_extend(found, eager))
        return TY_NULL;
    for (TaskList *list = first_list(ty_interpreter()); list; list = next_list(list))
        if (!add_listed(list, found))
            return TY_NULL;
    Value scheduled = ty_asyncio_state(ASYNCIO_SCHEDULED);
    if (scheduled == TY_NULL || !ty_list_extend(found, scheduled))
        return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(found); i++)
        if (!add_if_pending(set, ty_list_item(found, i), loop))
            return TY_NULL;
    return set;
}

static Value add_awaited_by(Value module, Value *a) { return ty_future_awaited_add(a[0], a[1]) ? TY_NONE : TY_NULL; }
static Value discard_awaited_by(Value module, Value *a) { return ty_future_awaited_discard(a[0], a[1]) ? TY_NONE : TY_NULL; }

const TyNativeDef ty_asyncio_functions[] = {
    TY_FUNCTION("current_task(loop=None)", current_task, "The task that the loop, by default the running one, runs now, or None."),
    TY_FUNCTION("all_tasks(loop=None)", all_tasks, "The set of the loop's tasks that are not done."),
    TY_FUNCTION("get_event_loop()", get_event_loop, "The running event loop, else the policy's."),
    TY_FUNCTION("get_running_loop()", get_running_loop, "The event loop that this thread runs; RuntimeError if it runs none."),
    TY_FUNCTION("_get_running_loop()", get_running_loop_or_none, "The event loop that this thread runs, or None."),
    TY_FUNCTION("_set_running_loop(loop, /)", set_running_loop, "Says which event loop this thread runs; None: none."),
    TY_FUNCTION("_register_task(task)", register_task, "Enters a task among those there are."),
    TY_FUNCTION("_unregister_task(task)", unregister_task, "Takes it out again."),
    TY_FUNCTION("_register_eager_task(task)", register_eager_task, "Enters a task that is about to run its first step at once."),
    TY_FUNCTION("_unregister_eager_task(task)", unregister_eager_task, "Takes it out again."),
    TY_FUNCTION("_enter_task(loop, task)", enter_task, "The loop begins a step of the task: RuntimeError while it runs another."),
    TY_FUNCTION("_leave_task(loop, task)", leave_task, "The step has ended."),
    TY_FUNCTION("_swap_current_task(loop, task)", swap_current_task, "Makes the task, or None, the one that the loop runs; returns the one before."),
    TY_FUNCTION("future_add_to_awaited_by(fut, waiter, /)", add_awaited_by, "Notes that the waiter awaits the future."),
    TY_FUNCTION("future_discard_from_awaited_by(fut, waiter, /)", discard_awaited_by, "Takes that back."),
    {0}};
