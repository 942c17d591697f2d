#include "modules/asyncio/asyncio.h"
#include "modules/_contextvars.h"
#include "object/dict.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "vm/generator.h"
#include <stddef.h>

#define SELF Task *task = ty_as_task(self)

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }

static void task_trace(TyObject *self, TyMarker *marker)
{
    Task *task = (Task *)self;
    ty_future_trace(self, marker);
    ty_mark_range(marker, &task->coroutine, (size_t)((Value *)(void *)&task->list - &task->coroutine));
    if (task->list)
        ty_mark_object(marker, &task->list->base);
}

/* --- what the event loop calls --------------------------------------------------------------------------------------------------------- */

typedef struct Step { /* begins or goes on with a task */
    TyObject base;
    Value task;
    Value exception; /* to be thrown, or TY_NULL */
} Step;

static void step_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Step *)self)->task, 2); }

static Value step_new(Task *task, Value exception)
{
    Step *step = ty_allocate(&ty_asyncio_step_type, sizeof *step);
    if (!step)
        return TY_NULL;
    ty_store(step, &step->task, ty_from_object(task));
    ty_store(step, &step->exception, exception);
    return ty_from_object(step);
}

static bool call_step_soon(Task *task, Value exception)
{
    Value step = exception == TY_NULL ? ty_field(&task->step) : TY_NULL;
    if (step == TY_NULL) {
        step = step_new(task, exception);
        if (step == TY_NULL)
            return false;
        if (exception == TY_NULL)
            ty_store(task, &task->step, step);
    }
    return ty_asyncio_call_soon(ty_field(&task->future.loop), step, TY_NULL, ty_field(&task->context));
}

static Value task_wakeup(Value self, Value *a);
static const TyNativeDef wakeup_def = TY_METHOD("task_wakeup(self, future, /)", task_wakeup, NULL);

static Value wakeup_of(Task *task)
{
    Value wakeup = ty_field(&task->wakeup);
    if (wakeup == TY_NULL) {
        wakeup = ty_native_new(&wakeup_def, ty_from_object(task), TY_NULL, ty_from_object(&ty_asyncio_task_type));
        if (wakeup != TY_NULL)
            ty_store(task, &task->wakeup, wakeup);
    }
    return wakeup;
}

/* --- a step ---------------------------------------------------------------------------------------------------------------------------- */

/* The coroutine goes wrong if it goes on: the exception is thrown into it at its next step. */
static bool complain(Task *task, const char *format, Value first, Value second)
{
    Value text = second == TY_NULL ? ty_str_format(format, first) : ty_str_format(format, first, second);
    Value exception = text == TY_NULL ? TY_NULL : ty_call_one(ty_from_object(&ty_RuntimeError), text);
    return exception != TY_NULL && call_step_soon(task, exception);
}

static bool other_loop(Task *task, Value future)
{
    return complain(task, "Task %R got Future %R attached to a different loop", ty_from_object(task), future);
}

static bool not_awaited(Task *task, Value future)
{
    return complain(task, "yield was used instead of yield from in task %R with %R", ty_from_object(task), future);
}

/* The future is what the task waits for now; a cancellation that came before goes on to it. */
static bool wait_for(Task *task, Value future)
{
    ty_store(task, &task->waiter, future);
    if (TY_LIKELY(!ty_load_relaxed(&task->future.must_cancel)))
        return true;
    Value message = or_none(ty_field(&task->future.cancel_message));
    Value r = ty_asyncio_call_keyword(future, TY_NAME("cancel"), &message, 1, TY_NAME("msg"));
    int cancelled = r == TY_NULL ? -1 : ty_is_true(r);
    if (cancelled > 0)
        ty_store_relaxed(&task->future.must_cancel, 0);
    return cancelled >= 0;
}

static bool wait_for_plain(Task *task, Value future)
{
    Future *f = ty_as_future(future);
    if (ty_field(&f->loop) != ty_field(&task->future.loop))
        return other_loop(task, future);
    if (!ty_load_relaxed(&f->blocking))
        return not_awaited(task, future);
    if (!ty_future_awaited_add(future, ty_from_object(task)))
        return false;
    ty_store_relaxed(&f->blocking, 0);
    Value wakeup = wakeup_of(task);
    return wakeup != TY_NULL && ty_future_add_callback(f, wakeup, ty_field(&task->context)) && wait_for(task, future);
}

static Value loop_of(Value future)
{
    if (ty_future_is_plain(future)) {
        Value loop = ty_field(&ty_as_future(future)->loop);
        return loop == TY_NULL ? ty_raise(&ty_RuntimeError, "Future object is not initialized.") : loop;
    }
    bool failed;
    Value method = ty_get_attribute_or_null(future, TY_NAME("get_loop"), &failed);
    if (method != TY_NULL)
        return ty_call_none(method);
    return failed ? TY_NULL : ty_get_attribute(future, TY_NAME("_loop"));
}

/* Anything that has _asyncio_future_blocking, not None, passes for a future. */
static bool wait_for_other(Task *task, Value future, Value blocking)
{
    Value loop = loop_of(future);
    int is_blocking = loop == TY_NULL ? -1 : ty_is_true(blocking);
    if (is_blocking < 0)
        return false;
    if (loop != ty_field(&task->future.loop))
        return other_loop(task, future);
    if (!is_blocking)
        return not_awaited(task, future);
    Value wakeup = wakeup_of(task);
    if (wakeup == TY_NULL || !ty_future_awaited_add(future, ty_from_object(task)) || !ty_set_attribute(future, TY_NAME("_asyncio_future_blocking"), TY_FALSE))
        return false;
    Value a[2] = {wakeup, ty_field(&task->context)};
    return ty_asyncio_call_keyword(future, TY_NAME("add_done_callback"), a, 2, TY_NAME("context")) != TY_NULL && wait_for(task, future);
}

static bool handle_yield(Task *task, Value v)
{
    Value self = ty_from_object(task);
    if (v == self)
        return complain(task, "Task cannot await on itself: %R", self, TY_NULL);
    if (ty_future_is_plain(v))
        return wait_for_plain(task, v);
    if (v == TY_NONE)
        return call_step_soon(task, TY_NULL);
    bool failed;
    Value blocking = ty_get_attribute_or_null(v, TY_NAME("_asyncio_future_blocking"), &failed);
    if (failed)
        return false;
    if (blocking != TY_NULL && blocking != TY_NONE)
        return wait_for_other(task, v, blocking);
    if (ty_is_exact(v, &ty_generator_type))
        return complain(task, "yield was used instead of yield from for generator in task %R with %R", self, v);
    return complain(task, "Task got bad yield: %R", v, TY_NULL);
}

static bool finish(Task *task, Value result)
{
    if (TY_UNLIKELY(ty_load_relaxed(&task->future.must_cancel))) { /* cancelled right before it ended */
        ty_store_relaxed(&task->future.must_cancel, 0);
        return ty_future_cancel(&task->future, or_none(ty_field(&task->future.cancel_message))) != TY_NULL;
    }
    return ty_future_set_result(&task->future, result);
}

/* The coroutine ended with the exception that is raised now. */
static bool fail(Task *task)
{
    Value exception = ty_take_exception(), cancelled = ty_asyncio_state(ASYNCIO_CANCELLED_ERROR);
    if (cancelled == TY_NULL)
        return false;
    if (ty_is_instance_of(exception, ty_as_type(cancelled))) {
        ty_store(task, &task->future.cancelled_error, exception);
        return ty_future_cancel(&task->future, TY_NULL) != TY_NULL;
    }
    if (!ty_future_set_exception(&task->future, exception))
        return false;
    if (ty_is_instance_of(exception, &ty_KeyboardInterrupt) || ty_is_instance_of(exception, &ty_SystemExit))
        return ty_restore_exception(exception), false;
    return true;
}

static Value throw_into(Value coroutine, Value exception, bool *returned)
{
    if (ty_is_generator_kind(coroutine))
        return ty_generator_throw(coroutine, exception, returned);
    *returned = false;
    Value v = ty_call_method_one(coroutine, TY_NAME("throw"), exception);
    if (v == TY_NULL && ty_raised_is(&ty_StopIteration)) {
        v = ty_stop_iteration_value();
        *returned = v != TY_NULL;
    }
    return v;
}

static bool run(Task *task, Value exception)
{
    if (ty_future_state(&task->future) != FUTURE_PENDING) {
        Value type = ty_asyncio_state(ASYNCIO_INVALID_STATE_ERROR);
        if (type != TY_NULL)
            ty_raise(ty_as_type(type), "__step(): already done: %R %R", ty_from_object(task), or_none(exception));
        return false;
    }
    if (TY_UNLIKELY(ty_load_relaxed(&task->future.must_cancel))) {
        Value cancelled = ty_asyncio_state(ASYNCIO_CANCELLED_ERROR);
        if (cancelled == TY_NULL)
            return false;
        if (exception == TY_NULL || !ty_is_instance_of(exception, ty_as_type(cancelled)))
            exception = ty_future_cancelled_error(&task->future);
        if (exception == TY_NULL)
            return false;
        ty_store_relaxed(&task->future.must_cancel, 0);
    }
    ty_store(task, &task->waiter, TY_NULL);
    Value coroutine = ty_field(&task->coroutine);
    if (coroutine == TY_NULL)
        return ty_raise(&ty_RuntimeError, "uninitialized Task object"), false;
    bool returned;
    Value v = exception == TY_NULL ? ty_iterator_send(coroutine, TY_NONE, &returned) : throw_into(coroutine, exception, &returned);
    if (v == TY_NULL)
        return fail(task);
    return returned ? finish(task, v) : handle_yield(task, v);
}

static void mark_step(Task *task)
{
    atomic_store_explicit(&task->steps, ty_load_relaxed(&task->steps) + 1, memory_order_release);
}

static bool step(Task *task, Value exception)
{
    Value loop = ty_field(&task->future.loop), self = ty_from_object(task);
    if (!ty_task_enter(loop, self))
        return false;
    mark_step(task);
    bool fine = run(task, exception);
    mark_step(task);
    if (TY_LIKELY(fine))
        return ty_task_leave(loop, self);
    Value raised = ty_take_exception();
    if (ty_task_leave(loop, self))
        ty_restore_exception(raised);
    return false;
}

static Value step_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("TaskStepMethWrapper", keywords))
        return TY_NULL;
    if (count > 0)
        return ty_raise(&ty_TypeError, "function takes no positional arguments");
    Step *s = (Step *)ty_object(self);
    return step(ty_as_task(s->task), s->exception) ? TY_NONE : TY_NULL;
}

static Value step_self(Value self) { return ((Step *)ty_object(self))->task; }
static const TyGetSetDef step_getsets[] = {{"__self__", step_self, NULL, NULL}, {0}};

TyType ty_asyncio_step_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Step), .trace = step_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_asyncio.TaskStepMethWrapper",
    .parent = &ty_object_base_type,
    .slots = {.call = step_call},
    .getsets = step_getsets,
};

static Value task_wakeup(Value self, Value *a)
{
    SELF;
    Value future = a[0], v = TY_NULL, exception = TY_NULL;
    if (!ty_future_awaited_discard(future, self))
        return TY_NULL;
    if (TY_LIKELY(ty_future_is_plain(future))) {
        int kind = ty_future_get_result(ty_as_future(future), &v);
        exception = kind > 0 ? TY_NULL : kind == 0 ? v : ty_take_exception();
    } else if (ty_call_method_none(future, TY_NAME("result")) == TY_NULL)
        exception = ty_take_exception();
    return step(task, exception) ? TY_NONE : TY_NULL;
}

/* --- making ------------------------------------------------------------------------------------------------------------------------------- */

static int is_coroutine(Value v)
{
    if (TY_LIKELY(ty_is_exact(v, &ty_coroutine_type)))
        return 1;
    Value known = ty_asyncio_state(ASYNCIO_COROUTINE_TYPES), type = ty_from_object(ty_type_of(v));
    int r = known == TY_NULL ? -1 : ty_set_contains(known, type);
    if (r != 0)
        return r;
    Value ask = ty_asyncio_state(ASYNCIO_IS_COROUTINE), answer = ask == TY_NULL ? TY_NULL : ty_call_one(ask, v);
    r = answer == TY_NULL ? -1 : ty_is_true(answer);
    if (r > 0 && ty_set_length(known) < 1000 && !ty_set_add(known, type))
        return -1;
    return r;
}

/* The first step runs now, in the task's context; a task that ends in it was never in the event loop. */
static bool start_eagerly(Task *task)
{
    Value loop = ty_field(&task->future.loop), self = ty_from_object(task), context = ty_field(&task->context);
    Value previous = ty_task_swap(loop, self);
    if (previous == TY_NULL)
        return false;
    ty_task_enter_list(task);
    Value raised = TY_NULL;
    bool fine;
    if (!ty_is_exact(context, &ty_context_type))
        fine = (ty_raise(&ty_TypeError, "an instance of Context was expected"), false);
    else if ((fine = ty_context_enter(context))) {
        mark_step(task);
        fine = run(task, TY_NULL);
        mark_step(task);
        ty_context_exit(context);
    }
    if (!fine)
        raised = ty_take_exception();
    if (ty_task_swap(loop, previous) == TY_NULL)
        return false;
    if (!fine)
        ty_restore_exception(raised);
    if (ty_future_state(&task->future) != FUTURE_PENDING)
        ty_store(task, &task->coroutine, TY_NULL);
    return fine;
}

static Value task_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value v = ty_type_allocate(type, 0);
    if (v != TY_NULL && type->layout.finalize_by_request)
        ty_finalizer_register(ty_object(v));
    return v;
}

static bool task_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("Task(coro, *, loop=None, name=None, context=None, eager_start=False)");
    Value a[5];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    SELF;
    Value coroutine = a[0], name = a[2], context = a[3];
    if (!ty_future_init(&task->future, a[1]))
        return false;
    int is = is_coroutine(coroutine);
    if (is <= 0) {
        ty_store_relaxed(&task->future.log_destroy_pending, 0);
        if (is == 0)
            ty_raise(&ty_TypeError, "a coroutine was expected, got %R", coroutine);
        return false;
    }
    if (context == TY_NULL || context == TY_NONE)
        context = ty_context_copy_current();
    if (context == TY_NULL)
        return false;
    if (name == TY_NULL || name == TY_NONE)
        name = ty_int_from_int64((int64_t)atomic_fetch_add_explicit(&ty_interpreter()->asyncio_task_names, 1, memory_order_relaxed) + 1);
    else if (!ty_is_exact_str(name))
        name = ty_str(name);
    int eager = a[4] == TY_NULL ? 0 : ty_is_true(a[4]);
    if (name == TY_NULL || eager < 0)
        return false;
    ty_store(task, &task->context, context);
    ty_store(task, &task->name, name);
    ty_store(task, &task->waiter, TY_NULL);
    ty_store(task, &task->coroutine, coroutine);
    ty_store_relaxed(&task->future.must_cancel, 0);
    ty_store_relaxed(&task->future.log_destroy_pending, 1);
    atomic_store_explicit(&task->cancel_requests, 0, memory_order_relaxed);
    if (eager) {
        Value running = ty_call_method_none(ty_field(&task->future.loop), TY_NAME("is_running"));
        int is_running = running == TY_NULL ? -1 : ty_is_true(running);
        if (is_running < 0)
            return false;
        if (is_running)
            return start_eagerly(task);
    }
    if (!call_step_soon(task, TY_NULL))
        return false;
    ty_task_enter_list(task);
    return true;
}

/* --- the Python face ------------------------------------------------------------------------------------------------------------------------ */

static Value task_repr(Value self)
{
    Value repr = ty_asyncio_state(ASYNCIO_TASK_REPR);
    return repr == TY_NULL ? TY_NULL : ty_call_one(repr, self);
}

static Value set_result(Value self, Value *a) { return ty_raise(&ty_RuntimeError, "Task does not support set_result operation"); }
static Value set_exception(Value self, Value *a) { return ty_raise(&ty_RuntimeError, "Task does not support set_exception operation"); }

static Value cancel(Value self, Value *a)
{
    SELF;
    ty_store_relaxed(&task->future.log_traceback, 0);
    if (ty_future_state(&task->future) != FUTURE_PENDING)
        return TY_FALSE;
    atomic_fetch_add_explicit(&task->cancel_requests, 1, memory_order_relaxed);
    Value waiter = ty_field(&task->waiter), message = or_none(a[0]);
    if (waiter != TY_NULL) {
        Value r = ty_asyncio_call_keyword(waiter, TY_NAME("cancel"), &message, 1, TY_NAME("msg"));
        int cancelled = r == TY_NULL ? -1 : ty_is_true(r);
        if (cancelled != 0)
            return cancelled > 0 ? TY_TRUE : TY_NULL;
    }
    ty_store(task, &task->future.cancel_message, message);
    ty_store_relaxed(&task->future.must_cancel, 1);
    return TY_TRUE;
}

static Value cancelling(Value self, Value *a) { return ty_int_from_int64(ty_load_relaxed(&ty_as_task(self)->cancel_requests)); }

static Value uncancel(Value self, Value *a)
{
    SELF;
    int64_t requests = ty_load_relaxed(&task->cancel_requests);
    while (requests > 0 && !atomic_compare_exchange_weak_explicit(&task->cancel_requests, &requests, requests - 1, memory_order_relaxed, memory_order_relaxed))
        ;
    if (requests > 0 && --requests == 0)
        ty_store_relaxed(&task->future.must_cancel, 0);
    return ty_int_from_int64(requests);
}

static Value get_stack(Value self, Value *a)
{
    Value function = ty_asyncio_state(ASYNCIO_TASK_GET_STACK);
    return function == TY_NULL ? TY_NULL : ty_call_two(function, self, or_none(a[0]));
}

static Value print_stack(Value self, Value *a)
{
    Value function = ty_asyncio_state(ASYNCIO_TASK_PRINT_STACK), arguments[3] = {self, or_none(a[0]), or_none(a[1])};
    return function == TY_NULL ? TY_NULL : ty_call(function, arguments, 3, TY_NULL);
}

static Value get_name(Value self, Value *a)
{
    SELF;
    Value name = ty_field(&task->name);
    if (name != TY_NULL && ty_is_immediate_int(name)) {
        name = ty_str_format("Task-%lld", (long long)ty_immediate_int(name));
        if (name != TY_NULL)
            ty_store(task, &task->name, name);
        return name;
    }
    return or_none(name);
}

static Value set_name(Value self, Value *a)
{
    SELF;
    Value name = ty_is_exact_str(a[0]) ? a[0] : ty_str(a[0]);
    if (name == TY_NULL)
        return TY_NULL;
    ty_store(task, &task->name, name);
    return TY_NONE;
}

static Value get_coroutine(Value self, Value *a) { return or_none(ty_field(&ty_as_task(self)->coroutine)); }
static Value get_context(Value self, Value *a) { return or_none(ty_field(&ty_as_task(self)->context)); }
static Value coroutine_attribute(Value self) { return or_none(ty_field(&ty_as_task(self)->coroutine)); }
static Value waiter_attribute(Value self) { return or_none(ty_field(&ty_as_task(self)->waiter)); }
static Value must_cancel_attribute(Value self) { return ty_from_bool(ty_load_relaxed(&ty_as_task(self)->future.must_cancel)); }
static Value log_attribute(Value self) { return ty_from_bool(ty_load_relaxed(&ty_as_task(self)->future.log_destroy_pending)); }
static bool set_log_attribute(Value self, Value value)
{
    if (value == TY_NULL)
        return ty_raise(&ty_AttributeError, "attribute '_log_destroy_pending' of '_asyncio.Task' objects cannot be deleted"), false;
    int truth = ty_is_true(value);
    if (truth >= 0)
        ty_store_relaxed(&ty_as_task(self)->future.log_destroy_pending, (uint8_t)truth);
    return truth >= 0;
}

static bool log_destroyed(Task *task)
{
    Value self = ty_from_object(task), loop = ty_field(&task->future.loop), context, message;
    if (loop == TY_NULL || ty_future_state(&task->future) != FUTURE_PENDING || !ty_load_relaxed(&task->future.log_destroy_pending))
        return true;
    context = ty_dict_new();
    message = ty_str_from_text("Task was destroyed but it is pending!");
    if (context == TY_NULL || message == TY_NULL || !ty_dict_set_text(context, "task", self) || !ty_dict_set_text(context, "message", message))
        return false;
    Value source = ty_field(&task->future.source_traceback);
    if (source != TY_NULL && !ty_dict_set_text(context, "source_traceback", source))
        return false;
    return ty_call_method_one(loop, TY_NAME("call_exception_handler"), context) != TY_NULL;
}

static void retire(TyObject *self) { ty_task_leave_list((Task *)self); }

static bool finalize_due(const TyObject *self)
{
    const Task *task = (const Task *)self;
    return task->list || ty_future_state(&task->future) == FUTURE_PENDING || ty_load_relaxed(&task->future.log_traceback);
}

static bool finalize(TyObject *self)
{
    Task *task = (Task *)self;
    ty_task_leave_list(task);
    if (ty_future_state(&task->future) != FUTURE_PENDING && !ty_load_relaxed(&task->future.log_traceback))
        return true;
    Value raised = ty_take_exception();
    if (!log_destroyed(task))
        ty_write_unraisable(ty_from_object(task), NULL);
    if (!ty_future_log(&task->future))
        ty_write_unraisable(ty_from_object(task), NULL);
    ty_restore_exception(raised);
    return true;
}

static Value del(Value self, Value *a)
{
    SELF;
    Value raised = ty_take_exception();
    if (!log_destroyed(task))
        ty_write_unraisable(self, NULL);
    if (!ty_future_log(&task->future))
        ty_write_unraisable(self, NULL);
    ty_restore_exception(raised);
    return TY_NONE;
}

static const TyNativeDef methods[] = {
    TY_METHOD("set_result(self, result, /)", set_result, NULL),
    TY_METHOD("set_exception(self, exception, /)", set_exception, NULL),
    TY_METHOD("cancel(self, /, msg=None)", cancel, "Asks the task to end: CancelledError is thrown into its coroutine at the next step, or what it waits for is cancelled.\n\nThe coroutine may catch that. False if the task was done already."),
    TY_METHOD("cancelling(self, /)", cancelling, "How many requests to cancel it there are: calls of cancel() less those of uncancel()."),
    TY_METHOD("uncancel(self, /)", uncancel, "Takes one request to cancel it back; returns how many remain."),
    TY_METHOD("get_stack(self, /, *, limit=None)", get_stack, "The frames of its coroutine, oldest first: where it is suspended, or those of the traceback that it ended with."),
    TY_METHOD("print_stack(self, /, *, limit=None, file=None)", print_stack, "Prints those frames as a traceback does, to sys.stderr unless a file is given."),
    TY_METHOD("get_name(self, /)", get_name, "Its name."),
    TY_METHOD("set_name(self, value, /)", set_name, "Names it str(value)."),
    TY_METHOD("get_coro(self, /)", get_coroutine, "Its coroutine."),
    TY_METHOD("get_context(self, /)", get_context, "The context its steps run in."),
    TY_METHOD("__del__(self, /)", del, NULL),
    TY_CLASS_GETITEM,
    {0}};

static const TyGetSetDef getsets[] = {
    {"_log_destroy_pending", log_attribute, set_log_attribute, NULL}, {"_must_cancel", must_cancel_attribute, NULL, NULL},
    {"_coro", coroutine_attribute, NULL, NULL}, {"_fut_waiter", waiter_attribute, NULL, NULL}, {0}};

TyType ty_asyncio_task_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Task), .trace = task_trace, .finalize = finalize, .finalize_by_request = true, .finalize_due = finalize_due, .retire = retire},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE | TY_TYPE_SHOWN_AS_HEAP,
    .attributes_offset = offsetof(Future, spill),
    .name = "_asyncio.Task",
    .doc = "Task(coro, *, loop=None, name=None, context=None, eager_start=False)\n--\n\nA coroutine that an event loop runs, as a future of its result.",
    .parent = &ty_asyncio_future_type,
    .slots = {.new = task_new, .init = task_init, .repr = task_repr},
    .methods = methods,
    .getsets = getsets,
};
