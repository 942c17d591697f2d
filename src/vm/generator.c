#include "vm/generator.h"
#include "object/int.h"
#include "object/list.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <stddef.h>

static TyGenerator *as_generator(Value v) { return (TyGenerator *)ty_object(v); }
static const char *kind_name(const TyGenerator *g)
{
    TyType *type = ty_object_type(&g->base);
    return type == &ty_coroutine_type ? "coroutine" : type == &ty_async_generator_type ? "async generator" : "generator";
}

static void generator_trace(TyObject *self, TyMarker *marker)
{
    TyGenerator *g = (TyGenerator *)self;
    ty_mark_range(marker, &g->name, (Value *)&g->frame - &g->name);
    if (!g->frame.code)
        return;
    if (ty_load_relaxed(&g->state) != TY_GENERATOR_FINISHED)
        ty_frame_trace(&g->frame, marker);
    else {
        ty_mark_object(marker, &g->frame.code->base);
        ty_mark(marker, g->frame.frame_object);
    }
}

static Value coroutine_origin(uint32_t depth)
{
    Value list = ty_list_new(0);
    TyFrame *frame = ty_thread->frame ? ty_thread->frame->previous : NULL;
    for (uint32_t i = 0; list != TY_NULL && frame && i < depth; i++, frame = frame->previous) {
        Value entry = ty_tuple_pack(3, frame->code->filename, ty_int_from_int64(ty_frame_line(frame)), frame->code->name);
        if (entry == TY_NULL || !ty_list_append(list, entry))
            return TY_NULL;
    }
    return list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}

Value ty_generator_new(TyFrame *frame)
{
    TyCode *code = frame->code;
    TyType *type = code->flags & TY_CODE_COROUTINE ? &ty_coroutine_type : code->flags & TY_CODE_ASYNC_GENERATOR ? &ty_async_generator_type : &ty_generator_type;
    TyGenerator *g = ty_allocate(type, sizeof *g + code->register_count * sizeof(Value));
    if (!g)
        return TY_NULL;
    if (type == &ty_coroutine_type && ty_thread->coroutine_origin_depth) {
        Value origin = coroutine_origin(ty_thread->coroutine_origin_depth);
        if (origin == TY_NULL)
            return TY_NULL;
        ty_store(g, &g->origin, origin);
    }
    ty_store(g, &g->name, frame->function->name);
    ty_store(g, &g->qualname, frame->function->qualname);
    uint32_t variables = code->local_count + code->cell_count + code->free_count;
    for (uint32_t i = 0; i < variables; i++)
        ty_store(g, &g->frame.registers[i], frame->registers[i]);
    ty_store(g, &g->frame.locals, frame->locals);
    g->frame.pc = frame->pc;
    g->frame.function = frame->function;
    g->frame.code = code;
    g->frame.caches = frame->caches;
    ty_store(g, &g->frame.locals, frame->locals); /* of a module that awaits */
    g->frame.generator = g;
    ty_store_release(&g->state, TY_GENERATOR_CREATED);
    /* Only a generator that could have something to clean up is worth finalizing: every one has the handler that turns StopIteration into RuntimeError. */
    if (type != &ty_generator_type || code->handler_count > 1)
        ty_finalizer_register(&g->base);
    return ty_from_object(g);
}

bool ty_generator_enter(TyGenerator *g, TyFrameKind kind, bool *finished)
{
    *finished = false;
    uint32_t state = ty_load_relaxed(&g->state);
    do {
        if (state == TY_GENERATOR_FINISHED) {
            *finished = true;
            if (ty_object_type(&g->base) == &ty_coroutine_type) {
                *finished = false;
                ty_raise(&ty_RuntimeError, "cannot reuse already awaited coroutine");
            }
            return false;
        }
        if (state == TY_GENERATOR_RUNNING)
            return ty_raise(&ty_ValueError, "%s already executing", kind_name(g)), false;
        if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads))) {
            ty_store_relaxed(&g->state, TY_GENERATOR_RUNNING);
            break;
        }
    } while (!atomic_compare_exchange_weak_explicit(&g->state, &state, TY_GENERATOR_RUNNING, memory_order_acquire, memory_order_relaxed));
    TyThread *thread = ty_thread;
    if (TY_UNLIKELY(thread->recursion >= thread->recursion_limit)) {
        ty_store_release(&g->state, state);
        return ty_raise_recursion_error(""), false;
    }
    thread->recursion++;
    g->frame.kind = kind;
    g->frame.previous = thread->frame;
    thread->frame = &g->frame;
    ty_store(g, &g->caller_handled, thread->handled);
    if (g->own_handled != TY_NULL)
        thread->handled = g->own_handled;
    return true;
}

void ty_generator_leave(TyGenerator *g, TyGeneratorState state)
{
    TyThread *thread = ty_thread;
    thread->frame = g->frame.previous;
    thread->recursion--;
    thread->handled = g->caller_handled;
    g->caller_handled = TY_NULL;
    g->frame.previous = NULL;
    if (state == TY_GENERATOR_FINISHED) {
        g->own_handled = TY_NULL;
        TyCode *code = g->frame.code;
        memset(g->frame.registers, 0, code->register_count * sizeof(Value));
    }
    ty_store_release(&g->state, state);
}

/* --- sending ------------------------------------------------------------------------------------------------------------------ */

static void set_sent(TyGenerator *g, Value value)
{
    TyInstruction w = *g->frame.pc;
    if (ty_op(w) == TY_OP_YIELD) {
        g->frame.registers[ty_op_a(w)] = value;
        g->frame.pc++;
    } else if (ty_op(w) == TY_OP_YIELD_FROM)
        g->frame.registers[ty_op_c(w)] = value;
    else
        g->frame.pc++; /* MAKE_GENERATOR */
}

static Value resume(TyGenerator *g, bool throwing, bool *returned)
{
    Value v = ty_vm_run(&g->frame, throwing);
    *returned = v != TY_NULL && ty_load_relaxed(&g->state) == TY_GENERATOR_FINISHED;
    return v;
}

Value ty_generator_send(Value self, Value value, bool *returned)
{
    TyGenerator *g = as_generator(self);
    *returned = false;
    if (value != TY_NONE && ty_load_relaxed(&g->state) == TY_GENERATOR_CREATED)
        return ty_raise(&ty_TypeError, "can't send non-None value to a just-started %s", kind_name(g));
    bool finished;
    if (!ty_generator_enter(g, TY_FRAME_ENTRY, &finished)) {
        *returned = finished;
        return finished ? TY_NONE : TY_NULL;
    }
    set_sent(g, value);
    return resume(g, false, returned);
}

Value ty_iterator_send(Value iterator, Value value, bool *returned)
{
    TyType *type = ty_type_of(iterator);
    *returned = false;
    if (ty_is_generator_kind(iterator))
        return ty_generator_send(iterator, value, returned);
    Value v;
    if (type->slots.send)
        return type->slots.send(iterator, value, returned);
    if (type->slots.next && value == TY_NONE)
        v = type->slots.next(iterator);
    else
        v = ty_call_method_one(iterator, TY_NAME("send"), value);
    if (v != TY_NULL)
        return v;
    if (!ty_raised()) {
        *returned = true;
        return TY_NONE;
    }
    Value result = ty_stop_iteration_value();
    *returned = result != TY_NULL;
    return result;
}

/* What the suspended frame delegates to by YIELD_FROM, or TY_NULL. Unless that is so, the generator is left as it is; otherwise it counts as running,
 * since another thread may resume it at any time. */
static Value claim_delegate(TyGenerator *g)
{
    uint32_t suspended = TY_GENERATOR_SUSPENDED;
    if (!atomic_compare_exchange_strong_explicit(&g->state, &suspended, TY_GENERATOR_RUNNING, memory_order_acquire, memory_order_relaxed))
        return TY_NULL;
    TyInstruction w = *g->frame.pc;
    if (ty_op(w) == TY_OP_YIELD_FROM && g->frame.registers[ty_op_b(w)] != TY_NULL)
        return g->frame.registers[ty_op_b(w)];
    ty_store_release(&g->state, TY_GENERATOR_SUSPENDED);
    return TY_NULL;
}

static Value throw_in_frame(TyGenerator *g, bool *returned)
{
    bool finished;
    Value exception = ty_take_exception();
    if (!ty_generator_enter(g, TY_FRAME_ENTRY, &finished)) {
        if (finished)
            ty_restore_exception(exception);
        return TY_NULL;
    }
    if (g->own_handled != TY_NULL)
        ty_raise_object(exception); /* the context is what is handled inside */
    else
        ty_restore_exception(exception);
    return resume(g, true, returned);
}

static bool close_iterator(Value iterator);

Value ty_generator_throw(Value self, Value exception, bool *returned)
{
    TyGenerator *g = as_generator(self);
    *returned = false;
    Value sub = claim_delegate(g);
    if (sub == TY_NULL) {
        ty_restore_exception(exception);
        return throw_in_frame(g, returned);
    }
    if (ty_is_instance_of(exception, &ty_GeneratorExit)) {
        bool closed = close_iterator(sub);
        ty_store_release(&g->state, TY_GENERATOR_SUSPENDED);
        if (closed)
            ty_restore_exception(exception);
        return throw_in_frame(g, returned);
    }
    /* While the delegate runs, this frame shows in its tracebacks. */
    TyThread *thread = ty_thread;
    g->frame.previous = thread->frame;
    thread->frame = &g->frame;
    bool ended = false;
    Value v;
    if (ty_is_generator_kind(sub))
        v = ty_generator_throw(sub, exception, &ended);
    else {
        bool failed;
        Value method = ty_get_attribute_or_null(sub, TY_NAME("throw"), &failed);
        if (method == TY_NULL && !failed) {
            ty_restore_exception(exception);
            thread->frame = g->frame.previous;
            ty_store_release(&g->state, TY_GENERATOR_SUSPENDED);
            return throw_in_frame(g, returned);
        }
        v = method == TY_NULL ? TY_NULL : ty_call_one(method, exception);
        if (v == TY_NULL && ty_raised()) {
            Value result = ty_stop_iteration_value();
            if (result != TY_NULL) {
                v = result;
                ended = true;
            }
        }
    }
    thread->frame = g->frame.previous;
    g->frame.previous = NULL;
    ty_store_release(&g->state, TY_GENERATOR_SUSPENDED);
    if (v == TY_NULL)
        return throw_in_frame(g, returned);
    if (!ended)
        return v;
    /* The delegate has ended: its result is the YIELD_FROM's. */
    bool finished;
    if (!ty_generator_enter(g, TY_FRAME_ENTRY, &finished))
        return TY_NULL;
    g->frame.registers[ty_op_a(*g->frame.pc)] = v;
    g->frame.pc++;
    return resume(g, false, returned);
}

/* close(): GeneratorExit at the point of suspension. */
static Value generator_close(Value self, Value *a)
{
    TyGenerator *g = as_generator(self);
    uint32_t state = ty_load_relaxed(&g->state);
    if (state == TY_GENERATOR_FINISHED)
        return TY_NONE;
    if (state == TY_GENERATOR_CREATED && atomic_compare_exchange_strong(&g->state, &state, TY_GENERATOR_FINISHED)) {
        if (g->frame.frame_object != TY_NULL)
            ty_frame_detach(&g->frame);
        return TY_NONE;
    }
    Value exit = ty_call_none(ty_from_object(&ty_GeneratorExit));
    bool returned;
    Value v = exit == TY_NULL ? TY_NULL : ty_generator_throw(self, exit, &returned);
    if (v != TY_NULL)
        return returned ? v : ty_raise(&ty_RuntimeError, "%s ignored GeneratorExit", kind_name(g));
    if (ty_raised_is(&ty_GeneratorExit)) {
        ty_clear_exception();
        return TY_NONE;
    }
    if (ty_raised_is(&ty_StopIteration)) {
        Value result = ty_stop_iteration_value();
        return result;
    }
    return TY_NULL;
}

static bool close_iterator(Value iterator)
{
    if (ty_is_generator_kind(iterator))
        return generator_close(iterator, NULL) != TY_NULL;
    bool failed;
    Value method = ty_get_attribute_or_null(iterator, TY_NAME("close"), &failed);
    if (method == TY_NULL) {
        if (failed)
            ty_write_unraisable(iterator, NULL);
        return true;
    }
    return ty_call_none(method) != TY_NULL;
}

/* --- the Python face ---------------------------------------------------------------------------------------------------------------- */

static Value as_stop_iteration(Value v, bool returned)
{
    if (v == TY_NULL || !returned)
        return v;
    return ty_raise_stop_iteration(v);
}

static Value generator_send_method(Value self, Value *a)
{
    bool returned;
    Value v = ty_generator_send(self, a[0], &returned);
    return as_stop_iteration(v, returned);
}

static Value generator_next(Value self)
{
    bool returned;
    Value v = ty_generator_send(self, TY_NONE, &returned);
    if (v != TY_NULL && returned)
        return v == TY_NONE ? TY_NULL : ty_raise_stop_iteration(v);
    return v;
}

/* throw(type[, value[, traceback]]) → the exception to raise; TY_NULL with TypeError. */
static Value thrown_exception(const Value *a, size_t count)
{
    Value type = a[0], value = count > 1 ? a[1] : TY_NONE, traceback = count > 2 ? a[2] : TY_NONE, exception;
    if (count > 1 && !ty_warn(&ty_DeprecationWarning, 1, "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead."))
        return TY_NULL;
    if (traceback != TY_NONE && !ty_is_exact(traceback, &ty_traceback_type))
        return ty_raise(&ty_TypeError, "throw() third argument must be a traceback object");
    if (ty_is_exception_class(type)) {
        if (value != TY_NONE && ty_is_exception(value) && ty_isinstance(value, type) > 0)
            exception = value;
        else
            exception = value == TY_NONE ? ty_call_none(type) : ty_is_tuple(value) ? ty_call_with(type, value, TY_NULL) : ty_call_one(type, value);
        if (exception != TY_NULL && !ty_is_exception(exception))
            return ty_raise(&ty_TypeError, "calling %R should have returned an instance of BaseException, not %T", type, exception);
    } else if (ty_is_exception(type)) {
        if (value != TY_NONE)
            return ty_raise(&ty_TypeError, "instance exception may not have a separate value");
        exception = type;
    } else
        return ty_raise(&ty_TypeError, "exceptions must be classes or instances deriving from BaseException, not %T", type);
    if (exception != TY_NULL && traceback != TY_NONE)
        ty_store(ty_object(exception), &ty_as_exception(exception)->traceback, traceback);
    return exception;
}

static Value generator_throw_method(Value self, const Value *a, size_t count, Value keywords)
{
    if (!ty_no_keywords("throw", keywords) || !ty_check_positional("throw", count, 1, 3))
        return TY_NULL;
    Value exception = thrown_exception(a, count);
    if (exception == TY_NULL && ty_is_exception_class(a[0]) && ty_raised_is(&ty_TypeError))
        exception = ty_take_exception(); /* the class gave no exception: the generator gets to know that */
    if (exception == TY_NULL)
        return TY_NULL;
    bool returned;
    Value v = ty_generator_throw(self, exception, &returned);
    return as_stop_iteration(v, returned);
}

static bool finalize_due(const TyObject *self)
{
    uint32_t state = ty_load_relaxed(&((const TyGenerator *)self)->state);
    return state == TY_GENERATOR_SUSPENDED || state == TY_GENERATOR_RUNNING || (state == TY_GENERATOR_CREATED && ty_object_type(self) == &ty_coroutine_type);
}

bool ty_generator_finalize(TyObject *self)
{
    TyGenerator *g = (TyGenerator *)self;
    uint32_t state = ty_load_relaxed(&g->state);
    Value value = ty_from_object(g);
    if (state == TY_GENERATOR_CREATED && ty_object_type(self) == &ty_coroutine_type) {
        Value raised = ty_take_exception();
        if (!ty_warn_unawaited_coroutine(value)) {
            Value warning = ty_take_exception(), text = ty_str_format("Exception ignored while finalizing coroutine %R", value);
            ty_clear_exception();
            ty_restore_exception(warning);
            ty_write_unraisable_text(TY_NULL, text);
        }
        ty_restore_exception(raised);
    }
    if (state != TY_GENERATOR_SUSPENDED)
        return true;
    if (ty_object_type(self) == &ty_async_generator_type && g->finalizer != TY_NULL && !g->closed)
        return ty_call_one(g->finalizer, value) != TY_NULL;
    return generator_close(value, NULL) != TY_NULL;
}

static Value generator_repr(Value self)
{
    TyGenerator *g = as_generator(self);
    TyType *type = ty_type_of(self);
    return ty_str_format("<%s object %U at %p>", type->name, g->qualname, (void *)(uintptr_t)self);
}

static Value get_name(Value self) { return as_generator(self)->name; }
static Value get_qualname(Value self) { return as_generator(self)->qualname; }
static bool set_text(Value self, Value *field, Value value, const char *name)
{
    if (value == TY_NULL || !ty_is_str(value))
        return ty_raise(&ty_TypeError, "%s must be set to a string object", name), false;
    ty_store_publish(ty_object(self), field, value);
    return true;
}
static bool set_name(Value self, Value value) { return set_text(self, &as_generator(self)->name, value, "__name__"); }
static bool set_qualname(Value self, Value value) { return set_text(self, &as_generator(self)->qualname, value, "__qualname__"); }
static Value get_running(Value self) { return ty_from_bool(ty_load_relaxed(&as_generator(self)->state) == TY_GENERATOR_RUNNING); }
static Value get_suspended(Value self) { return ty_from_bool(ty_load_relaxed(&as_generator(self)->state) == TY_GENERATOR_SUSPENDED); }
static Value get_delegate(Value self)
{
    TyGenerator *g = as_generator(self);
    bool many = ty_load_relaxed(&ty_many_threads);
    if (many)
        ty_world_stop(); /* not claimed: another thread that resumes it meanwhile would be refused */
    Value v = claim_delegate(g);
    if (v != TY_NULL)
        ty_store_release(&g->state, TY_GENERATOR_SUSPENDED);
    if (many)
        ty_world_start();
    return v == TY_NULL ? TY_NONE : v;
}
static Value get_frame(Value self)
{
    TyGenerator *g = as_generator(self);
    return ty_load_relaxed(&g->state) == TY_GENERATOR_FINISHED ? TY_NONE : ty_frame_object(&g->frame);
}
static Value get_code(Value self) { return ty_from_object(as_generator(self)->frame.code); }
static Value get_origin(Value self)
{
    Value v = as_generator(self)->origin;
    return v == TY_NULL ? TY_NONE : v;
}
static Value get_async_running(Value self) { return ty_from_bool(as_generator(self)->async_running); }

static Value generator_sizeof(Value self, Value *a) { return ty_int_from_int64((int64_t)ty_heap_object_size(ty_object(self))); }
static Value class_getitem(Value self, Value *a) { return ty_generic_alias_new(self, a[0]); }

static const TyNativeDef generator_methods[] = {
    TY_METHOD("send(self, value, /)", generator_send_method, "send(value) -> send 'value' into generator,\nreturn next yielded value or raise StopIteration."),
    TY_RAW_METHOD("throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", generator_throw_method, "throw(value)\nthrow(type[,value[,tb]])\n\nRaise exception in generator, return next yielded value or raise\nStopIteration."),
    TY_METHOD("close(self, /)", generator_close, "close() -> raise GeneratorExit inside generator."),
    TY_METHOD("__sizeof__(self, /)", generator_sizeof, "gen.__sizeof__() -> size of gen in memory, in bytes"),
    TY_CLASS_METHOD("__class_getitem__(type, object, /)", class_getitem, "See PEP 585"), {0}
};

#define COMMON_GETSETS(prefix, delegate_name) \
    { "__name__", get_name, set_name, "name of the generator" }, { "__qualname__", get_qualname, set_qualname, "qualified name of the generator" }, \
    { prefix "_frame", get_frame, NULL, NULL }, { prefix "_code", get_code, NULL, NULL }, { prefix "_suspended", get_suspended, NULL, NULL }, \
    { delegate_name, get_delegate, NULL, "object being iterated by yield from, or None" }

static const TyGetSetDef generator_getsets[] = { COMMON_GETSETS("gi", "gi_yieldfrom"), { "gi_running", get_running, NULL, NULL }, {0} };
static const TyGetSetDef coroutine_getsets[] = { COMMON_GETSETS("cr", "cr_await"), { "cr_running", get_running, NULL, NULL }, { "cr_origin", get_origin, NULL, NULL }, {0} };
static const TyGetSetDef async_generator_getsets[] = { COMMON_GETSETS("ag", "ag_await"), { "ag_running", get_async_running, NULL, NULL }, {0} };

TyType ty_generator_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "generator", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(TyGenerator), .trace = generator_trace, .finalize = ty_generator_finalize, .finalize_by_request = true, .finalize_due = finalize_due },
    .slots = { .repr = generator_repr, .iter = ty_identity_iter, .next = generator_next }, .methods = generator_methods, .getsets = generator_getsets,
};

/* --- coroutines --------------------------------------------------------------------------------------------------------------------------- */

typedef struct CoroutineWrapper { TyObject base; Value coroutine; } CoroutineWrapper;

static Value wrapped(Value self) { return ((CoroutineWrapper *)ty_object(self))->coroutine; }
static void wrapper_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((CoroutineWrapper *)self)->coroutine); }
static Value wrapper_next(Value self) { return generator_next(wrapped(self)); }
static Value wrapper_send(Value self, Value *a) { return generator_send_method(wrapped(self), a); }
static Value wrapper_throw(Value self, const Value *a, size_t count, Value keywords) { return generator_throw_method(wrapped(self), a, count, keywords); }
static Value wrapper_close(Value self, Value *a) { return generator_close(wrapped(self), a); }

static const TyNativeDef wrapper_methods[] = {
    TY_METHOD("send(self, value, /)", wrapper_send, "send(value) -> send 'value' into coroutine,\nreturn next iterated value or raise StopIteration."),
    TY_RAW_METHOD("throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", wrapper_throw, "Raise exception in coroutine, return next iterated value or raise\nStopIteration."),
    TY_METHOD("close(self, /)", wrapper_close, "close() -> raise GeneratorExit inside coroutine."), {0}
};

TyType ty_coroutine_wrapper_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "coroutine_wrapper", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW, .doc = "A wrapper object implementing __await__ for coroutines.",
    .layout = { .size = sizeof(CoroutineWrapper), .trace = wrapper_trace }, .slots = { .iter = ty_identity_iter, .next = wrapper_next }, .methods = wrapper_methods,
};

static Value coroutine_await(Value self)
{
    CoroutineWrapper *w = ty_allocate(&ty_coroutine_wrapper_type, sizeof *w);
    if (!w)
        return TY_NULL;
    ty_store(w, &w->coroutine, self);
    return ty_from_object(w);
}

TyType ty_coroutine_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "coroutine", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(TyGenerator), .trace = generator_trace, .finalize = ty_generator_finalize, .finalize_by_request = true, .finalize_due = finalize_due },
    .slots = { .repr = generator_repr, .await = coroutine_await }, .methods = generator_methods, .getsets = coroutine_getsets,
};

/* --- asynchronous generators ------------------------------------------------------------------------------------------------------------------ */

typedef struct WrappedValue { TyObject base; Value value; } WrappedValue;
static void value_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((WrappedValue *)self)->value); }

TyType ty_async_wrapped_value_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "async_generator_wrapped_value", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(WrappedValue), .trace = value_trace },
};

Value ty_async_wrap(Value v)
{
    WrappedValue *w = ty_allocate(&ty_async_wrapped_value_type, sizeof *w);
    if (!w)
        return TY_NULL;
    ty_store(w, &w->value, v);
    return ty_from_object(w);
}

/* The awaitables of an asynchronous generator: __anext__ and asend() (step with a value), athrow() and aclose() (step with an exception). */
typedef enum StepState { STEP_INIT, STEP_ITERATING, STEP_CLOSED } StepState;
typedef struct AsyncStep {
    TyObject base;
    Value generator;
    Value value;      /* to send; or the exception to throw; TY_NULL: aclose */
    StepState state;
    bool throws;
} AsyncStep;

static AsyncStep *as_step(Value v) { return (AsyncStep *)ty_object(v); }

static void step_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((AsyncStep *)self)->generator);
    ty_mark(marker, ((AsyncStep *)self)->value);
}

static bool first_iteration(TyGenerator *g)
{
    if (g->hooks_called)
        return true;
    g->hooks_called = true;
    TyThread *thread = ty_thread;
    if (thread->async_generator_finalizer != TY_NULL) {
        ty_store(g, &g->finalizer, thread->async_generator_finalizer);
    }
    if (thread->async_generator_first_iteration != TY_NULL)
        return ty_call_one(thread->async_generator_first_iteration, ty_from_object(g)) != TY_NULL;
    return true;
}

static Value step_new(Value generator, Value value, bool throws)
{
    if (!first_iteration(as_generator(generator)))
        return TY_NULL;
    TyType *type = throws ? &ty_async_throw_type : &ty_async_send_type;
    AsyncStep *step = ty_allocate(type, sizeof *step);
    if (!step)
        return TY_NULL;
    ty_store(step, &step->generator, generator);
    ty_store(step, &step->value, value);
    step->throws = throws;
    return ty_from_object(step);
}

static Value async_anext(Value self) { return step_new(self, TY_NONE, false); }
static Value async_asend(Value self, Value *a) { return step_new(self, a[0], false); }
static Value async_aclose(Value self, Value *a) { return step_new(self, TY_NULL, true); }
static Value async_athrow(Value self, const Value *a, size_t count, Value keywords)
{
    if (!ty_no_keywords("athrow", keywords) || !ty_check_positional("athrow", count, 1, 3))
        return TY_NULL;
    if (count > 1 && !ty_warn(&ty_DeprecationWarning, 1, "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg signature instead."))
        return TY_NULL;
    Value arguments = ty_tuple_from_array(a, count);
    return arguments == TY_NULL ? TY_NULL : step_new(self, arguments, true);
}

/* What came out of the generator's frame: a wrapped value is its `yield` (StopIteration to the awaiting code), anything else passes through to the event loop. */
static Value unwrap(TyGenerator *g, Value result, bool returned)
{
    if (result == TY_NULL || returned) {
        if (returned)
            ty_raise_none(&ty_StopAsyncIteration);
        if (ty_raised_is(&ty_StopAsyncIteration) || ty_raised_is(&ty_GeneratorExit))
            g->closed = true;
        g->async_running = false;
        return TY_NULL;
    }
    if (ty_is_exact(result, &ty_async_wrapped_value_type)) {
        g->async_running = false;
        return ty_raise_stop_iteration(((WrappedValue *)ty_object(result))->value);
    }
    return result;
}

static Value throw_exception_of(AsyncStep *step)
{
    if (step->value == TY_NULL)
        return ty_call_none(ty_from_object(&ty_GeneratorExit));
    TyTuple *t = ty_as_tuple(step->value);
    Value type = t->items[0], value = t->length > 1 ? t->items[1] : TY_NONE;
    Value arguments[1] = { type };
    if (t->length == 1)
        return thrown_exception(arguments, 1);
    if (ty_is_exception_class(type)) {
        Value e = value == TY_NONE ? ty_call_none(type) : ty_is_exception(value) ? value : ty_call_one(type, value);
        if (e != TY_NULL && t->length > 2 && t->items[2] != TY_NONE)
            ty_store(ty_object(e), &ty_as_exception(e)->traceback, t->items[2]);
        return e;
    }
    return thrown_exception(arguments, 1);
}

static Value check_running(AsyncStep *step, TyGenerator *g, const char *what)
{
    if (g->async_running) {
        step->state = STEP_CLOSED;
        return ty_raise(&ty_RuntimeError, "%s: asynchronous generator is already running", what);
    }
    return TY_NONE;
}

static const char *step_name(const AsyncStep *step) { return !step->throws ? "anext()" : step->value == TY_NULL ? "aclose()" : "athrow()"; }

/* After athrow or aclose has run the frame once more. */
static Value finish_throw(AsyncStep *step, TyGenerator *g, Value v, bool returned)
{
    bool closing = step->value == TY_NULL;
    if (closing && v != TY_NULL && !returned && ty_is_exact(v, &ty_async_wrapped_value_type)) {
        step->state = STEP_CLOSED;
        g->async_running = false;
        return ty_raise(&ty_RuntimeError, "async generator ignored GeneratorExit");
    }
    v = unwrap(g, v, returned);
    if (v != TY_NULL)
        return v;
    step->state = STEP_CLOSED;
    if (closing && (ty_raised_is(&ty_StopAsyncIteration) || ty_raised_is(&ty_GeneratorExit))) {
        ty_clear_exception();
        return ty_raise_none(&ty_StopIteration);
    }
    return TY_NULL;
}

static Value throw_step_send(AsyncStep *step, Value value)
{
    TyGenerator *g = as_generator(step->generator);
    bool returned = false;
    if (step->state == STEP_CLOSED || ty_load_relaxed(&g->state) == TY_GENERATOR_FINISHED) {
        if (step->state == STEP_CLOSED)
            return ty_raise(&ty_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        step->state = STEP_CLOSED;
        return ty_raise_none(step->value == TY_NULL ? &ty_StopIteration : &ty_StopAsyncIteration);
    }
    if (step->state == STEP_INIT) {
        if (check_running(step, g, step_name(step)) == TY_NULL)
            return TY_NULL;
        if (g->closed) {
            step->state = STEP_CLOSED;
            return ty_raise_none(&ty_StopAsyncIteration);
        }
        if (value != TY_NONE)
            return ty_raise(&ty_RuntimeError, "can't send non-None value to a just-started coroutine");
        step->state = STEP_ITERATING;
        g->async_running = true;
        if (step->value == TY_NULL)
            g->closed = true;
        Value exception = throw_exception_of(step);
        if (exception == TY_NULL) {
            g->async_running = false;
            return TY_NULL;
        }
        Value v = ty_generator_throw(step->generator, exception, &returned);
        return finish_throw(step, g, v, returned);
    }
    Value v = ty_generator_send(step->generator, value, &returned);
    return finish_throw(step, g, v, returned);
}

static Value step_send(Value self, Value value)
{
    AsyncStep *step = as_step(self);
    TyGenerator *g = as_generator(step->generator);
    if (step->throws)
        return throw_step_send(step, value);
    if (step->state == STEP_CLOSED)
        return ty_raise(&ty_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
    if (step->state == STEP_INIT) {
        if (check_running(step, g, "anext()") == TY_NULL)
            return TY_NULL;
        if (value == TY_NONE)
            value = step->value;
        step->state = STEP_ITERATING;
        g->async_running = true;
    }
    bool returned = false;
    Value v = ty_generator_send(step->generator, value, &returned);
    v = unwrap(g, v, returned);
    if (v == TY_NULL)
        step->state = STEP_CLOSED;
    return v;
}

static Value step_send_method(Value self, Value *a) { return step_send(self, a[0]); }
static Value step_next(Value self) { return step_send(self, TY_NONE); }

static Value step_throw(Value self, const Value *a, size_t count, Value keywords)
{
    AsyncStep *step = as_step(self);
    TyGenerator *g = as_generator(step->generator);
    if (!ty_no_keywords("throw", keywords) || !ty_check_positional("throw", count, 1, 3))
        return TY_NULL;
    if (step->state == STEP_CLOSED)
        return step->throws ? ty_raise(&ty_RuntimeError, "cannot reuse already awaited aclose()/athrow()") : ty_raise(&ty_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
    Value exception = thrown_exception(a, count);
    if (exception == TY_NULL)
        return TY_NULL;
    if (step->state == STEP_INIT) {
        if (check_running(step, g, step_name(step)) == TY_NULL)
            return TY_NULL;
        step->state = STEP_ITERATING;
        g->async_running = true;
    }
    bool returned;
    Value v = ty_generator_throw(step->generator, exception, &returned);
    if (step->throws)
        return finish_throw(step, g, v, returned);
    v = unwrap(g, v, returned);
    if (v == TY_NULL)
        step->state = STEP_CLOSED;
    return v;
}

static Value step_close(Value self, Value *a)
{
    AsyncStep *step = as_step(self);
    if (step->state == STEP_CLOSED)
        return TY_NONE;
    Value exit = ty_from_object(&ty_GeneratorExit);
    Value v = step_throw(self, &exit, 1, TY_NULL);
    if (v != TY_NULL)
        return ty_raise(&ty_RuntimeError, "coroutine ignored GeneratorExit");
    if (ty_raised_is(&ty_StopIteration) || ty_raised_is(&ty_StopAsyncIteration) || ty_raised_is(&ty_GeneratorExit)) {
        ty_clear_exception();
        return TY_NONE;
    }
    return TY_NULL;
}

static bool step_finalize(TyObject *self)
{
    AsyncStep *step = (AsyncStep *)self;
    if (step->state == STEP_INIT && step->generator != TY_NULL) {
        const char *method = step->throws ? (step->value == TY_NULL ? "aclose" : "athrow") : "asend";
        if (!ty_warn(&ty_RuntimeWarning, 1, "coroutine method '%s' of '%U' was never awaited", method, as_generator(step->generator)->qualname))
            ty_write_unraisable(ty_from_object(self), NULL);
    }
    return true;
}

static const TyNativeDef step_methods[] = {
    TY_METHOD("send(self, value, /)", step_send_method, NULL), TY_RAW_METHOD("throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", step_throw, NULL),
    TY_METHOD("close(self, /)", step_close, NULL), {0}
};

TyType ty_async_send_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "async_generator_asend", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(AsyncStep), .trace = step_trace, .finalize = step_finalize },
    .slots = { .iter = ty_identity_iter, .next = step_next, .await = ty_identity_iter }, .methods = step_methods,
};
TyType ty_async_throw_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "async_generator_athrow", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(AsyncStep), .trace = step_trace, .finalize = step_finalize },
    .slots = { .iter = ty_identity_iter, .next = step_next, .await = ty_identity_iter }, .methods = step_methods,
};

static const TyNativeDef async_generator_methods[] = {
    TY_METHOD("asend(self, value, /)", async_asend, "asend(v) -> send 'v' in generator."),
    TY_RAW_METHOD("athrow(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", async_athrow, "athrow(value)\nathrow(type[,value[,tb]])\n\nraise exception in generator."),
    TY_METHOD("aclose(self, /)", async_aclose, "aclose() -> raise GeneratorExit inside generator."),
    TY_METHOD("__sizeof__(self, /)", generator_sizeof, "gen.__sizeof__() -> size of gen in memory, in bytes"),
    TY_CLASS_METHOD("__class_getitem__(type, object, /)", class_getitem, "See PEP 585"), {0}
};

TyType ty_async_generator_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "async_generator", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .layout = { .size = sizeof(TyGenerator), .trace = generator_trace, .finalize = ty_generator_finalize, .finalize_by_request = true, .finalize_due = finalize_due },
    .slots = { .repr = generator_repr, .aiter = ty_identity_iter, .anext = async_anext }, .methods = async_generator_methods, .getsets = async_generator_getsets,
};

/* --- anext(iterator, default) ------------------------------------------------------------------------------------------------------------------ */

typedef struct AnextDefault { TyObject base; Value awaitable, fallback; } AnextDefault;
extern TyType ty_anext_awaitable_type;

static void anext_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((AnextDefault *)self)->awaitable);
    ty_mark(marker, ((AnextDefault *)self)->fallback);
}

Value ty_anext_default_new(Value awaitable, Value fallback)
{
    AnextDefault *d = ty_allocate(&ty_anext_awaitable_type, sizeof *d);
    if (!d)
        return TY_NULL;
    ty_store(d, &d->awaitable, awaitable);
    ty_store(d, &d->fallback, fallback);
    return ty_from_object(d);
}

/* The awaitable's iterator; StopAsyncIteration that it raises becomes the end with the default. */
static Value anext_iterator(AnextDefault *d)
{
    Value iterator = ty_awaitable_iterator(d->awaitable);
    if (iterator != TY_NULL && ty_is_exact(iterator, &ty_coroutine_type))
        return coroutine_await(iterator);
    return iterator;
}

static Value anext_result(AnextDefault *d, Value v)
{
    if (v != TY_NULL || !ty_raised_is(&ty_StopAsyncIteration))
        return v;
    ty_clear_exception();
    return ty_raise_stop_iteration(d->fallback);
}

static Value anext_next(Value self)
{
    AnextDefault *d = (AnextDefault *)ty_object(self);
    Value iterator = anext_iterator(d);
    return iterator == TY_NULL ? TY_NULL : anext_result(d, ty_type_of(iterator)->slots.next(iterator));
}

static Value anext_forward(Value self, Value name, const Value *a, size_t count)
{
    AnextDefault *d = (AnextDefault *)ty_object(self);
    Value iterator = anext_iterator(d);
    return iterator == TY_NULL ? TY_NULL : anext_result(d, ty_call_method(iterator, name, a, count));
}

static Value anext_send(Value self, Value *a) { return anext_forward(self, TY_NAME("send"), a, 1); }
static Value anext_throw(Value self, const Value *a, size_t count, Value keywords) { return anext_forward(self, TY_NAME("throw"), a, count); }
static Value anext_close(Value self, Value *a) { return anext_forward(self, TY_NAME("close"), ty_no_arguments, 0); }

static const TyNativeDef anext_methods[] = {
    TY_METHOD("send(self, value, /)", anext_send, NULL), TY_RAW_METHOD("throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", anext_throw, NULL), TY_METHOD("close(self, /)", anext_close, NULL), {0}
};

TyType ty_anext_awaitable_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "anext_awaitable", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(AnextDefault), .trace = anext_trace }, .slots = { .iter = ty_identity_iter, .next = anext_next, .await = ty_identity_iter }, .methods = anext_methods,
};
