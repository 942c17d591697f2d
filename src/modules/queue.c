/* _queue: SimpleQueue, an unbounded queue between threads whose put() may be called from anywhere, signal handlers and finalizers included.
 *
 * Items lie in a ring under the queue's own lock; who finds none sleeps on `puts`, which counts them. */
#include "base/clock.h"
#include "base/futex.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"

typedef struct Queue {
    TyObject base;
    TyArray *items;
    int64_t head;
    _Atomic int64_t length; /* written under the lock */
    _Atomic uint32_t puts, sleepers;
} Queue;

#define QUEUE(v) ((Queue *)ty_object(v))

static void queue_trace(TyObject *self, TyMarker *marker)
{
    TyArray *items = ((Queue *)self)->items;
    if (items)
        ty_mark_object(marker, &items->base);
}

static Value queue_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("SimpleQueue", keywords) || !ty_check_positional("SimpleQueue", count, 0, 0))
        return TY_NULL;
    return ty_type_allocate(type, 0);
}

TY_INLINE Value *place(Queue *self, int64_t index) { return &self->items->items[(self->head + index) & (self->items->capacity - 1)]; }

static bool reserve(Queue *self)
{
    int64_t length = ty_load_relaxed(&self->length);
    if (self->items && length < self->items->capacity)
        return true;
    TyArray *bigger = ty_array_new(self->items ? self->items->capacity * 2 : 8);
    if (!bigger)
        return false;
    for (int64_t i = 0; i < length; i++)
        ty_store(bigger, &bigger->items[i], *place(self, i));
    ty_store_pointer(self, &self->items, bigger);
    self->head = 0;
    return true;
}

static Value queue_put(Value v, Value *a)
{
    Queue *self = QUEUE(v);
    bool locked = ty_object_lock(&self->base), fine = reserve(self);
    if (fine) {
        int64_t length = ty_load_relaxed(&self->length);
        ty_store(self->items, place(self, length), a[0]);
        ty_store_relaxed(&self->length, length + 1);
    }
    ty_object_unlock(&self->base, locked);
    if (!fine)
        return TY_NULL;
    atomic_fetch_add_explicit(&self->puts, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&self->sleepers, memory_order_seq_cst) > 0)
        ty_futex_wake(&self->puts, 1);
    return TY_NONE;
}

static Value take(Queue *self)
{
    bool locked = ty_object_lock(&self->base);
    Value item = TY_NULL;
    int64_t length = ty_load_relaxed(&self->length);
    if (length > 0) {
        item = *place(self, 0);
        ty_store(self->items, place(self, 0), TY_NULL);
        self->head = (self->head + 1) & (self->items->capacity - 1);
        ty_store_relaxed(&self->length, length - 1);
    }
    ty_object_unlock(&self->base, locked);
    return item;
}

static Value raise_empty(void)
{
    Value module = ty_module_current("_queue");
    return module == TY_NULL ? TY_NULL : ty_raise_none(ty_as_type(ty_module_state(module)[0]));
}

/* A negative timeout is none. */
static Value get(Queue *self, bool block, int64_t timeout_ns)
{
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    for (;;) {
        uint32_t puts = atomic_load_explicit(&self->puts, memory_order_seq_cst);
        Value item = take(self);
        if (item != TY_NULL)
            return item;
        if (!block)
            return raise_empty();
        if (timeout_ns >= 0) {
            timeout_ns = deadline - ty_clock_monotonic_ns();
            if (timeout_ns <= 0)
                return raise_empty();
        }
        bool interrupted = false;
        ty_blocking_begin();
        atomic_fetch_add_explicit(&self->sleepers, 1, memory_order_seq_cst);
        ty_futex_wait_interruptible(&self->puts, puts, timeout_ns, &interrupted);
        atomic_fetch_sub_explicit(&self->sleepers, 1, memory_order_seq_cst);
        ty_blocking_end();
        if (interrupted && !ty_poll_run())
            return TY_NULL;
    }
}

static Value queue_get(Value v, Value *a)
{
    int block = a[0] == TY_NULL ? 1 : ty_is_true(a[0]);
    int64_t timeout_ns = -1;
    if (block < 0)
        return TY_NULL;
    if (block && a[1] != TY_NULL && a[1] != TY_NONE) {
        double seconds;
        if (!ty_to_double(a[1], &seconds))
            return TY_NULL;
        if (seconds < 0)
            return ty_raise(&ty_ValueError, "'timeout' must be a non-negative number");
        if (!(seconds < 9.2e9))
            return ty_raise(&ty_OverflowError, "timeout value is too large");
        timeout_ns = (int64_t)(seconds * 1e9);
    }
    return get(QUEUE(v), block, timeout_ns);
}

static Value queue_get_nowait(Value v, Value *a) { return get(QUEUE(v), false, -1); }

static int64_t length_of(Queue *self) { return ty_load_relaxed(&self->length); }
static Value queue_empty(Value v, Value *a) { return ty_from_bool(length_of(QUEUE(v)) == 0); }
static Value queue_qsize(Value v, Value *a) { return ty_int_from_int64(length_of(QUEUE(v))); }

static const TyNativeDef queue_methods[] = {
    TY_METHOD("put(self, /, item, block=True, timeout=None)", queue_put, "Adds an item; never waits. block and timeout are there for likeness with Queue."),
    TY_METHOD("put_nowait(self, /, item)", queue_put, "Adds an item; never waits."),
    TY_METHOD("get(self, /, block=True, timeout=None)", queue_get, "Removes and returns the oldest item, waiting for one if need be. Empty if none comes in time."),
    TY_METHOD("get_nowait(self, /)", queue_get_nowait, "Removes and returns the oldest item. Empty if there is none."),
    TY_METHOD("empty(self, /)", queue_empty, "Whether there is no item now."),
    TY_METHOD("qsize(self, /)", queue_qsize, "How many items there are now."),
    TY_CLASS_GETITEM,
    {0},
};

static TyType queue_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Queue), .trace = queue_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "_queue.SimpleQueue",
    .doc = "SimpleQueue()\n--\n\nSimple, unbounded, reentrant FIFO queue.",
    .parent = &ty_object_base_type,
    .slots = {.new = queue_new},
    .methods = queue_methods,
};

static bool execute(Value module)
{
    Value empty = ty_type_from_name("_queue.Empty", &ty_Exception, TY_NULL);
    if (empty == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[0], empty);
    return ty_module_add(module, "Empty", empty);
}

static TyType *const types[] = {&queue_type, NULL};

const TyModuleDef ty_module_queue = {
    .name = "_queue",
    .doc = "A queue between threads.",
    .types = types,
    .execute = execute,
    .state_count = 1,
};
