#include "modules/asyncio/asyncio.h"
#include "object/dict.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "object/type.h"
#include "modules/_contextvars.h"
#include <stddef.h>

#define SELF Future *f = ty_as_future(self)

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }

void ty_future_trace(TyObject *self, TyMarker *marker)
{
    Future *f = (Future *)self;
    ty_mark_range(marker, &f->loop, (size_t)(&f->spill - &f->loop));
    ty_attributes_trace(self, &ty_asyncio_future_type, marker);
}

static bool initialized(Future *f)
{
    if (TY_LIKELY(ty_field(&f->loop) != TY_NULL))
        return true;
    return ty_raise(&ty_RuntimeError, "Future object is not initialized."), false;
}

static bool invalid_state(const char *message)
{
    Value type = ty_asyncio_state(ASYNCIO_INVALID_STATE_ERROR);
    if (type != TY_NULL)
        ty_raise(ty_as_type(type), "%s", message);
    return false;
}

bool ty_future_init(Future *f, Value loop)
{
    if (loop == TY_NULL || loop == TY_NONE) {
        loop = ty_asyncio_event_loop();
        if (loop == TY_NULL)
            return false;
    }
    int is_debug = 0;
    if (!ty_asyncio_not_debugging(loop)) {
        Value debug = ty_call_method_none(loop, TY_NAME("get_debug"));
        is_debug = debug == TY_NULL ? -1 : ty_is_true(debug);
    }
    if (is_debug < 0)
        return false;
    bool locked = ty_object_lock(&f->base);
    for (Value *field = &f->callback; field < &f->spill; field++)
        ty_store(f, field, TY_NULL);
    ty_store(f, &f->loop, loop);
    ty_store_relaxed(&f->blocking, 0);
    ty_store_relaxed(&f->log_traceback, 0);
    ty_store_release(&f->state, FUTURE_PENDING);
    ty_object_unlock(&f->base, locked);
    if (is_debug && !ty_load_relaxed(&ty_interpreter()->finalizing)) {
        Value extract = ty_asyncio_state(ASYNCIO_EXTRACT_STACK), stack = extract == TY_NULL ? TY_NULL : ty_call_none(extract);
        if (stack == TY_NULL)
            return false;
        ty_store(f, &f->source_traceback, stack);
    }
    return true;
}

/* --- callbacks ------------------------------------------------------------------------------------------------------------------ */

typedef struct Callbacks { Value callback, context, more; } Callbacks;

/* Under the lock: pending no more. What is to be called is taken out. */
static Callbacks finish(Future *f, FutureState state)
{
    Callbacks due = {f->callback, f->callback_context, f->callbacks};
    ty_store(f, &f->callback, TY_NULL);
    ty_store(f, &f->callback_context, TY_NULL);
    ty_store(f, &f->callbacks, TY_NULL);
    ty_store_release(&f->state, state);
    return due;
}

static bool schedule(Future *f, Callbacks due)
{
    Value self = ty_from_object(f);
    if (ty_is_task(self))
        ty_task_leave_list((Task *)f);
    Value loop = ty_field(&f->loop);
    if (due.callback != TY_NULL && !ty_asyncio_call_soon(loop, due.callback, self, due.context))
        return false;
    for (int64_t i = 0; due.more != TY_NULL && i < ty_list_length(due.more); i++) {
        Value pair = ty_list_item(due.more, i);
        if (!ty_asyncio_call_soon(loop, ty_tuple_item(pair, 0), self, ty_tuple_item(pair, 1)))
            return false;
    }
    return true;
}

bool ty_future_add_callback(Future *f, Value callback, Value context)
{
    if (context == TY_NULL && (context = ty_context_copy_current()) == TY_NULL)
        return false;
    if (ty_future_state(f) == FUTURE_PENDING) {
        bool locked = ty_object_lock(&f->base), fine = true;
        bool pending = ty_future_state(f) == FUTURE_PENDING;
        if (pending && f->callback == TY_NULL && f->callbacks == TY_NULL) {
            ty_store(f, &f->callback_context, context);
            ty_store(f, &f->callback, callback);
        } else if (pending) {
            Value pair = ty_tuple_pack(2, callback, context);
            if (pair != TY_NULL && f->callbacks == TY_NULL)
                ty_store(f, &f->callbacks, ty_list_new(2));
            fine = pair != TY_NULL && f->callbacks != TY_NULL && ty_list_append(f->callbacks, pair);
        }
        ty_object_unlock(&f->base, locked);
        if (pending)
            return fine;
    }
    return ty_asyncio_call_soon(ty_field(&f->loop), callback, ty_from_object(f), context);
}

static Value add_done_callback(Value self, Value *a)
{
    SELF;
    if (ty_field(&f->loop) == TY_NULL)
        return ty_raise(&ty_RuntimeError, "uninitialized Future object");
    return ty_future_add_callback(f, a[0], a[1] == TY_NONE ? TY_NULL : a[1]) ? TY_NONE : TY_NULL;
}

/* The callbacks are compared without the lock, for that is Python code; those that were found equal are then taken out. */
static Value remove_done_callback(Value self, Value *a)
{
    SELF;
    if (!initialized(f))
        return TY_NULL;
    bool locked = ty_object_lock(&f->base);
    Value first = f->callback, list = f->callbacks, all = TY_NULL;
    if (list != TY_NULL)
        all = ty_list_to_tuple(list);
    ty_object_unlock(&f->base, locked);
    int64_t removed = 0;
    int equal = first == TY_NULL ? 0 : ty_equal(first, a[0]);
    if (equal < 0 || (list != TY_NULL && all == TY_NULL))
        return TY_NULL;
    if (equal) {
        locked = ty_object_lock(&f->base);
        if (f->callback == first) {
            removed++;
            ty_store(f, &f->callback, TY_NULL);
            ty_store(f, &f->callback_context, TY_NULL);
        }
        ty_object_unlock(&f->base, locked);
    }
    for (int64_t i = 0; all != TY_NULL && i < ty_tuple_length(all); i++) {
        Value pair = ty_tuple_item(all, i);
        equal = ty_equal(ty_tuple_item(pair, 0), a[0]);
        if (equal < 0)
            return TY_NULL;
        if (!equal)
            continue;
        locked = ty_object_lock(&f->base);
        for (int64_t j = 0; f->callbacks == list && j < ty_list_length(list); j++)
            if (ty_list_item(list, j) == pair) {
                removed += ty_list_pop(list, j) != TY_NULL;
                break;
            }
        if (f->callbacks == list && ty_list_length(list) == 0)
            ty_store(f, &f->callbacks, TY_NULL);
        ty_object_unlock(&f->base, locked);
    }
    return ty_int_from_int64(removed);
}

static Value get_callbacks(Value self)
{
    SELF;
    if (!initialized(f))
        return TY_NULL;
    bool locked = ty_object_lock(&f->base), fine = true;
    Value list = TY_NONE;
    if (f->callback != TY_NULL || f->callbacks != TY_NULL) {
        list = ty_list_new(2);
        Value pair = list == TY_NULL || f->callback == TY_NULL ? TY_NULL : ty_tuple_pack(2, f->callback, f->callback_context);
        fine = list != TY_NULL && (f->callback == TY_NULL || (pair != TY_NULL && ty_list_append(list, pair)));
        for (int64_t i = 0; fine && f->callbacks != TY_NULL && i < ty_list_length(f->callbacks); i++)
            fine = ty_list_append(list, ty_list_item(f->callbacks, i));
    }
    ty_object_unlock(&f->base, locked);
    return fine ? list : TY_NULL;
}

/* --- the end of waiting ----------------------------------------------------------------------------------------------------------- */

Value ty_future_cancelled_error(Future *f)
{
    Value saved = ty_field(&f->cancelled_error);
    if (saved != TY_NULL) {
        ty_store(f, &f->cancelled_error, TY_NULL);
        return saved;
    }
    Value type = ty_asyncio_state(ASYNCIO_CANCELLED_ERROR), message = ty_field(&f->cancel_message);
    if (type == TY_NULL)
        return TY_NULL;
    return message == TY_NULL || message == TY_NONE ? ty_call_none(type) : ty_call_one(type, message);
}

Value ty_future_cancel(Future *f, Value message)
{
    ty_store_relaxed(&f->log_traceback, 0);
    bool locked = ty_object_lock(&f->base);
    bool pending = ty_future_state(f) == FUTURE_PENDING;
    Callbacks due = {0};
    if (pending) {
        ty_store(f, &f->cancel_message, message);
        due = finish(f, FUTURE_CANCELLED);
    }
    ty_object_unlock(&f->base, locked);
    if (!pending)
        return TY_FALSE;
    return schedule(f, due) ? TY_TRUE : TY_NULL;
}

static Value cancel(Value self, Value *a)
{
    SELF;
    return initialized(f) ? ty_future_cancel(f, a[0]) : TY_NULL;
}

bool ty_future_set_result(Future *f, Value result)
{
    bool locked = ty_object_lock(&f->base);
    bool pending = ty_future_state(f) == FUTURE_PENDING;
    Callbacks due = {0};
    if (pending) {
        ty_store(f, &f->result, result);
        due = finish(f, FUTURE_FINISHED);
    }
    ty_object_unlock(&f->base, locked);
    return pending ? schedule(f, due) : invalid_state("invalid state");
}

static Value set_result(Value self, Value *a)
{
    SELF;
    return initialized(f) && ty_future_set_result(f, a[0]) ? TY_NONE : TY_NULL;
}

/* StopIteration out of a coroutine's await would look like its end. */
static Value shielded(Value exception)
{
    Value text = ty_str_from_text("StopIteration interacts badly with generators and cannot be raised into a Future");
    Value other = text == TY_NULL ? TY_NULL : ty_call_one(ty_from_object(&ty_RuntimeError), text);
    if (other != TY_NULL) {
        ty_exception_set_cause(other, exception);
        ty_exception_set_context(other, exception);
    }
    return other;
}

bool ty_future_set_exception(Future *f, Value exception)
{
    if (ty_future_state(f) != FUTURE_PENDING)
        return invalid_state("invalid state");
    if (ty_is_exception_class(exception) && (exception = ty_call_none(exception)) == TY_NULL)
        return false;
    if (!ty_is_exception(exception))
        return ty_raise(&ty_TypeError, "invalid exception object"), false;
    if (ty_is_instance_of(exception, &ty_StopIteration) && (exception = shielded(exception)) == TY_NULL)
        return false;
    bool locked = ty_object_lock(&f->base);
    bool pending = ty_future_state(f) == FUTURE_PENDING;
    Callbacks due = {0};
    if (pending) {
        ty_store(f, &f->exception, exception);
        ty_store(f, &f->exception_traceback, ty_field(&ty_as_exception(exception)->traceback));
        due = finish(f, FUTURE_FINISHED);
    }
    ty_object_unlock(&f->base, locked);
    if (!pending)
        return invalid_state("invalid state");
    if (!schedule(f, due))
        return false;
    ty_store_relaxed(&f->log_traceback, 1);
    if (ty_type_of(ty_from_object(f)) == &ty_asyncio_future_type) /* only now it has something to tell when it dies; tasks and classes in Python always have */
        ty_finalizer_register(&f->base);
    return true;
}

static Value set_exception(Value self, Value *a)
{
    SELF;
    return initialized(f) && ty_future_set_exception(f, a[0]) ? TY_NONE : TY_NULL;
}

int ty_future_get_result(Future *f, Value *result)
{
    switch (ty_future_state(f)) {
    case FUTURE_CANCELLED: {
        Value error = ty_future_cancelled_error(f);
        if (error != TY_NULL)
            ty_raise_object(error);
        return -1;
    }
    case FUTURE_PENDING:
        invalid_state("Result is not set.");
        return -1;
    case FUTURE_FINISHED:
        break;
    }
    if (ty_load_relaxed(&f->log_traceback))
        ty_store_relaxed(&f->log_traceback, 0);
    Value exception = ty_field(&f->exception);
    if (exception == TY_NULL) {
        *result = or_none(ty_field(&f->result));
        return 1;
    }
    ty_store(ty_object(exception), &ty_as_exception(exception)->traceback, ty_field(&f->exception_traceback));
    *result = exception;
    return 0;
}

static bool not_initialized(Future *f)
{
    if (TY_LIKELY(ty_field(&f->loop) != TY_NULL))
        return false;
    invalid_state("Future object is not initialized.");
    return true;
}

static Value result(Value self, Value *a)
{
    SELF;
    Value v;
    if (not_initialized(f))
        return TY_NULL;
    int kind = ty_future_get_result(f, &v);
    return kind > 0 ? v : kind < 0 ? TY_NULL : ty_raise_object(v);
}

static Value exception(Value self, Value *a)
{
    SELF;
    Value v;
    if (not_initialized(f))
        return TY_NULL;
    if (ty_future_state(f) == FUTURE_PENDING)
        return invalid_state("Exception is not set."), TY_NULL;
    if (ty_future_state(f) == FUTURE_CANCELLED)
        return ty_future_get_result(f, &v), TY_NULL;
    ty_store_relaxed(&f->log_traceback, 0);
    return or_none(ty_field(&f->exception));
}

/* --- who waits for it -------------------------------------------------------------------------------------------------------------- */

/* One waiter is kept as it is, more in a set. Sets call Python (__hash__ of a subclass): not under the lock. */
bool ty_future_awaited_add(Value future, Value waiter)
{
    if (!ty_is_future(future) || !ty_is_future(waiter))
        return true;
    Future *f = ty_as_future(future);
    Value expected = TY_NULL, replacement = waiter;
    for (;;) {
        bool locked = ty_object_lock(&f->base);
        Value present = ty_field(&f->awaited_by);
        if (present == expected)
            ty_store(f, &f->awaited_by, replacement);
        ty_object_unlock(&f->base, locked);
        if (present == expected || present == waiter)
            return true;
        if (present != TY_NULL && ty_is_exact(present, &ty_set_type))
            return ty_set_add(present, waiter);
        expected = present;
        replacement = waiter;
        if (present != TY_NULL) {
            replacement = ty_set_new(TY_NULL);
            if (replacement == TY_NULL || !ty_set_add(replacement, present) || !ty_set_add(replacement, waiter))
                return false;
        }
    }
}

bool ty_future_awaited_discard(Value future, Value waiter)
{
    if (!ty_is_future(future) || !ty_is_future(waiter))
        return true;
    Future *f = ty_as_future(future);
    bool locked = ty_object_lock(&f->base);
    Value present = ty_field(&f->awaited_by);
    if (present == waiter)
        ty_store(f, &f->awaited_by, TY_NULL);
    ty_object_unlock(&f->base, locked);
    return present == TY_NULL || !ty_is_exact(present, &ty_set_type) || ty_set_discard(present, waiter) >= 0;
}

static Value get_awaited_by(Value self)
{
    SELF;
    Value present = ty_field(&f->awaited_by);
    if (present == TY_NULL)
        return TY_NONE;
    return ty_is_exact(present, &ty_set_type) ? ty_frozenset_new(present) : ty_frozenset_from_array(&present, 1);
}

/* --- the rest of the Python face ------------------------------------------------------------------------------------------------------ */

static Value future_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static bool future_slot_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("Future(*, loop=None)");
    Value loop;
    if (count > 0)
        return ty_raise(&ty_TypeError, "Future() takes no positional arguments"), false;
    return ty_parse_arguments(&signature, arguments, count, keywords, &loop) && ty_future_init(ty_as_future(self), loop);
}

static Value future_repr(Value self)
{
    if (!initialized(ty_as_future(self)))
        return TY_NULL;
    Value repr = ty_asyncio_state(ASYNCIO_FUTURE_REPR);
    return repr == TY_NULL ? TY_NULL : ty_call_one(repr, self);
}

static Value get_loop_method(Value self, Value *a)
{
    SELF;
    return initialized(f) ? ty_field(&f->loop) : TY_NULL;
}
static Value done(Value self, Value *a)
{
    SELF;
    return ty_from_bool(ty_field(&f->loop) != TY_NULL && ty_future_state(f) != FUTURE_PENDING);
}
static Value cancelled(Value self, Value *a)
{
    SELF;
    return ty_from_bool(ty_field(&f->loop) != TY_NULL && ty_future_state(f) == FUTURE_CANCELLED);
}
static Value make_cancelled_error(Value self, Value *a) { return ty_future_cancelled_error(ty_as_future(self)); }

static Value get_state(Value self)
{
    SELF;
    if (!initialized(f))
        return TY_NULL;
    switch (ty_future_state(f)) {
    case FUTURE_PENDING: return TY_NAME("PENDING");
    case FUTURE_CANCELLED: return TY_NAME("CANCELLED");
    case FUTURE_FINISHED: break;
    }
    return TY_NAME("FINISHED");
}

static bool not_deletable(Value value, const char *name, const char *type)
{
    if (value == TY_NULL)
        ty_raise(&ty_AttributeError, "attribute '%s' of '_asyncio.%s' objects cannot be deleted", name, type);
    return value == TY_NULL;
}

static Value get_blocking(Value self)
{
    SELF;
    return ty_from_bool(ty_field(&f->loop) != TY_NULL && ty_load_relaxed(&f->blocking));
}
static bool set_blocking(Value self, Value value)
{
    SELF;
    if (!initialized(f) || not_deletable(value, "_asyncio_future_blocking", "Future"))
        return false;
    int truth = ty_is_true(value);
    if (truth >= 0)
        ty_store_relaxed(&f->blocking, (uint8_t)truth);
    return truth >= 0;
}
static Value get_log_traceback(Value self)
{
    SELF;
    return initialized(f) ? ty_from_bool(ty_load_relaxed(&f->log_traceback)) : TY_NULL;
}
static bool set_log_traceback(Value self, Value value)
{
    SELF;
    if (not_deletable(value, "_log_traceback", "Future"))
        return false;
    int truth = ty_is_true(value);
    if (truth > 0)
        ty_raise(&ty_ValueError, "_log_traceback can only be set to False");
    if (truth == 0)
        ty_store_relaxed(&f->log_traceback, 0);
    return truth == 0;
}
static Value get_cancel_message(Value self) { return or_none(ty_field(&ty_as_future(self)->cancel_message)); }
static bool set_cancel_message(Value self, Value value)
{
    SELF;
    if (not_deletable(value, "_cancel_message", "Future"))
        return false;
    ty_store(f, &f->cancel_message, value);
    return true;
}
static Value get_loop(Value self) { return or_none(ty_field(&ty_as_future(self)->loop)); }
static Value get_result(Value self)
{
    SELF;
    return initialized(f) ? or_none(ty_field(&f->result)) : TY_NULL;
}
static Value get_exception(Value self)
{
    SELF;
    return initialized(f) ? or_none(ty_field(&f->exception)) : TY_NULL;
}
static Value get_source_traceback(Value self)
{
    SELF;
    return initialized(f) ? or_none(ty_field(&f->source_traceback)) : TY_NULL;
}
static Value get_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static bool set_dict(Value self, Value value)
{
    if (value == TY_NULL || !ty_is_dict(value))
        return ty_raise(&ty_TypeError, value == TY_NULL ? "cannot delete __dict__" : "__dict__ must be set to a dictionary, not a '%T'", value), false;
    return ty_attributes_set_dict(ty_object(self), ty_type_of(self), value);
}

bool ty_future_log(Future *f)
{
    if (ty_field(&f->loop) == TY_NULL || !ty_load_relaxed(&f->log_traceback))
        return true;
    ty_store_relaxed(&f->log_traceback, 0);
    Value self = ty_from_object(f), context = ty_dict_new(), message = ty_str_format("%s exception was never retrieved", ty_type_short_name(ty_type_of(self)));
    if (context == TY_NULL || message == TY_NULL || !ty_dict_set_text(context, "message", message) ||
        !ty_dict_set_text(context, "exception", or_none(ty_field(&f->exception))) || !ty_dict_set_text(context, "future", self))
        return false;
    Value source = ty_field(&f->source_traceback);
    if (source != TY_NULL && !ty_dict_set_text(context, "source_traceback", source))
        return false;
    return ty_call_method_one(ty_field(&f->loop), TY_NAME("call_exception_handler"), context) != TY_NULL;
}

static bool finalize_due(const TyObject *self) { return ty_load_relaxed(&((const Future *)self)->log_traceback); }

static bool finalize(TyObject *self)
{
    Future *f = (Future *)self;
    Value raised = ty_take_exception();
    if (!ty_future_log(f))
        ty_write_unraisable(ty_field(&f->loop), NULL);
    ty_restore_exception(raised);
    return true;
}

static Value del(Value self, Value *a) { return finalize(ty_object(self)) ? TY_NONE : TY_NULL; }

/* --- awaiting ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct FutureIterator {
    TyObject base;
    Value future; /* TY_NULL: exhausted */
} FutureIterator;

static void iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((FutureIterator *)self)->future); }

static Value future_await(Value self)
{
    if (!initialized(ty_as_future(self)))
        return TY_NULL;
    FutureIterator *it = ty_allocate(&ty_asyncio_iterator_type, sizeof *it);
    if (!it)
        return TY_NULL;
    ty_store(it, &it->future, self);
    return ty_from_object(it);
}

static Value iterator_send(Value self, Value value, bool *returned)
{
    FutureIterator *it = (FutureIterator *)ty_object(self);
    Value future = ty_field(&it->future);
    *returned = false;
    if (future == TY_NULL) {
        *returned = true;
        return TY_NONE;
    }
    Future *f = ty_as_future(future);
    if (ty_future_state(f) == FUTURE_PENDING) {
        if (ty_load_relaxed(&f->blocking))
            return ty_raise(&ty_RuntimeError, "await wasn't used with future");
        ty_store_relaxed(&f->blocking, 1);
        return future;
    }
    ty_store(it, &it->future, TY_NULL);
    Value v;
    int kind = ty_future_get_result(f, &v);
    if (kind == 0)
        return ty_raise_object(v);
    *returned = kind > 0;
    return kind > 0 ? v : TY_NULL;
}

static Value iterator_next(Value self)
{
    bool returned;
    Value v = iterator_send(self, TY_NONE, &returned);
    return !returned ? v : v == TY_NONE ? TY_NULL : ty_raise_stop_iteration(v);
}

static Value iterator_send_method(Value self, Value *a)
{
    bool returned;
    Value v = iterator_send(self, TY_NONE, &returned);
    return !returned ? v : ty_raise_stop_iteration(v);
}

static Value iterator_throw(Value self, const Value *a, size_t count, Value keywords)
{
    if (!ty_no_keywords("throw", keywords) || !ty_check_positional("throw", count, 1, 3))
        return TY_NULL;
    FutureIterator *it = (FutureIterator *)ty_object(self);
    Value type = a[0], value = count > 1 ? a[1] : TY_NONE, traceback = count > 2 ? a[2] : TY_NONE, exception = type;
    if (count > 1 && !ty_warn(&ty_DeprecationWarning, 1, "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead."))
        return TY_NULL;
    if (traceback != TY_NONE && !ty_is_exact(traceback, &ty_traceback_type))
        return ty_raise(&ty_TypeError, "throw() third argument must be a traceback");
    if (ty_is_exception_class(type)) {
        if (value != TY_NONE && ty_is_exception(value) && ty_isinstance(value, type) > 0)
            exception = value;
        else
            exception = value == TY_NONE ? ty_call_none(type) : ty_is_tuple(value) ? ty_call_with(type, value, TY_NULL) : ty_call_one(type, value);
    } else if (!ty_is_exception(type))
        return ty_raise(&ty_TypeError, "exceptions must be classes deriving BaseException or instances of such a class");
    else if (value != TY_NONE)
        return ty_raise(&ty_TypeError, "instance exception may not have a separate value");
    if (exception == TY_NULL)
        return TY_NULL;
    if (!ty_is_exception(exception))
        return ty_raise(&ty_TypeError, "exceptions must be classes deriving BaseException or instances of such a class");
    if (traceback != TY_NONE)
        ty_store(ty_object(exception), &ty_as_exception(exception)->traceback, traceback);
    ty_store(it, &it->future, TY_NULL);
    ty_restore_exception(exception);
    return TY_NULL;
}

static Value iterator_close(Value self, Value *a)
{
    FutureIterator *it = (FutureIterator *)ty_object(self);
    ty_store(it, &it->future, TY_NULL);
    return TY_NONE;
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("send(self, value, /)", iterator_send_method, "Goes on: the future while it is pending, else StopIteration with its result, or its exception."),
    TY_RAW_METHOD("throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", iterator_throw, "Raises the exception; the iterator has then ended."),
    TY_METHOD("close(self, /)", iterator_close, "Ends the iterator."),
    {0}};

TyType ty_asyncio_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(FutureIterator), .trace = iterator_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "_asyncio.FutureIter",
    .parent = &ty_object_base_type,
    .slots = {.iter = ty_identity_iter, .next = iterator_next, .send = iterator_send},
    .methods = iterator_methods,
};

static const TyNativeDef methods[] = {
    TY_METHOD("result(self, /)", result, "The result, once there is one; the exception that was set is raised, CancelledError if it was cancelled, InvalidStateError before."),
    TY_METHOD("exception(self, /)", exception, "The exception that was set, or None; CancelledError if it was cancelled, InvalidStateError before it is done."),
    TY_METHOD("set_result(self, result, /)", set_result, "Makes it done, with this result. InvalidStateError if it was done already."),
    TY_METHOD("set_exception(self, exception, /)", set_exception, "Makes it done, with this exception. InvalidStateError if it was done already."),
    TY_METHOD("add_done_callback(self, fn, /, *, context=<unrepresentable>)", add_done_callback, "Has the event loop call fn(future) when it is done, soon if it is that now."),
    TY_METHOD("remove_done_callback(self, fn, /)", remove_done_callback, "Takes back all callbacks equal to fn; returns how many there were."),
    TY_METHOD("cancel(self, /, msg=None)", cancel, "Makes it done by cancelling. False if it was done already."),
    TY_METHOD("cancelled(self, /)", cancelled, "Whether it was cancelled."),
    TY_METHOD("done(self, /)", done, "Whether it has a result or an exception, or was cancelled."),
    TY_METHOD("get_loop(self, /)", get_loop_method, "The event loop it belongs to."),
    TY_METHOD("_make_cancelled_error(self, /)", make_cancelled_error, "The CancelledError to raise for it; one that was kept is given once."),
    TY_METHOD("__del__(self, /)", del, NULL),
    TY_CLASS_GETITEM,
    {0}};

static const TyGetSetDef getsets[] = {
    {"_state", get_state, NULL, NULL}, {"_asyncio_future_blocking", get_blocking, set_blocking, NULL}, {"_loop", get_loop, NULL, NULL},
    {"_callbacks", get_callbacks, NULL, NULL}, {"_result", get_result, NULL, NULL}, {"_exception", get_exception, NULL, NULL},
    {"_log_traceback", get_log_traceback, set_log_traceback, NULL}, {"_source_traceback", get_source_traceback, NULL, NULL},
    {"_cancel_message", get_cancel_message, set_cancel_message, NULL}, {"_asyncio_awaited_by", get_awaited_by, NULL, NULL},
    {"__dict__", get_dict, set_dict, NULL}, {0}};

TyType ty_asyncio_future_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Future), .trace = ty_future_trace, .finalize = finalize, .finalize_by_request = true, .finalize_due = finalize_due},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE | TY_TYPE_SHOWN_AS_HEAP,
    .attributes_offset = offsetof(Future, spill),
    .name = "_asyncio.Future",
    .doc = "Future(*, loop=None)\n--\n\nWhat will have a result, an exception, or be cancelled, later, in an event loop.\n\nAlmost as concurrent.futures.Future, but result() and exception() do not wait, and callbacks\nare called by the event loop.",
    .parent = &ty_object_base_type,
    .slots = {.new = future_new, .init = future_slot_init, .repr = future_repr, .iter = future_await, .await = future_await},
    .methods = methods,
    .getsets = getsets,
};
