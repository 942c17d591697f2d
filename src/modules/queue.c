/* _queue: SimpleQueue, an unbounded queue between threads whose put() may be called from anywhere, signal handlers and finalizers included.
 *
 * It has two ends, each with a lock and a cache line of its own. put() adds to the items that are coming; get() takes from those that are going,
 * and when they are at an end takes over all that have come, at once: so two threads that pass items rarely meet. */
#include "base/clock.h"
#include "base/futex.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"

#define LINES 128         /* bytes that processors fetch at once, and more */
#define ARRAY_KEPT 4096   /* a larger empty array is dropped */
#define SPIN_LOOKS 20     /* of who finds nothing, before it sleeps: about what falling asleep and being woken costs */
#define SPIN_PAUSES 12

typedef struct Queue {
    TyObject base;                 /* its lock is that of put() */
    TyArray *coming;
    _Atomic int64_t coming_count;
    _Atomic uint32_t sleepers;     /* who sleeps, or is about to, and has not been woken */
    _Atomic uint32_t wakings;      /* counts: what they sleep on */
    char apart[LINES - 40];
    TyMutex mutex;                 /* of get(); taken before the other one */
    TyArray *going;
    int64_t head;
    _Atomic int64_t end;           /* going[head..end) */
    char apart_from_the_next[LINES - 32];
} Queue;

#define QUEUE(v) ((Queue *)ty_object(v))

static void queue_trace(TyObject *self, TyMarker *marker)
{
    TyArray *arrays[] = {((Queue *)self)->coming, ((Queue *)self)->going};
    for (int i = 0; i < 2; i++)
        if (arrays[i])
            ty_mark_object(marker, &arrays[i]->base);
}

static Value queue_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("SimpleQueue", keywords) || !ty_check_positional("SimpleQueue", count, 0, 0))
        return TY_NULL;
    return ty_type_allocate(type, 0);
}

static TY_NOINLINE bool grow(Queue *self, int64_t count)
{
    TyArray *bigger = ty_array_new(self->coming ? self->coming->capacity * 2 : 8);
    if (!bigger)
        return false;
    for (int64_t i = 0; i < count; i++)
        ty_store(bigger, &bigger->items[i], self->coming->items[i]);
    ty_store_pointer(self, &self->coming, bigger);
    return true;
}

/* One sleeper for each item; who puts the next does not wake the same one again. */
static TY_NOINLINE void wake_one(Queue *self)
{
    uint32_t sleepers = ty_load_relaxed(&self->sleepers);
    while (sleepers > 0) {
        if (!atomic_compare_exchange_weak_explicit(&self->sleepers, &sleepers, sleepers - 1, memory_order_seq_cst, memory_order_relaxed))
            continue;
        atomic_fetch_add_explicit(&self->wakings, 1, memory_order_seq_cst);
        ty_futex_wake(&self->wakings, 1);
        return;
    }
}

static Value queue_put(Value v, Value *a)
{
    Queue *self = QUEUE(v);
    bool locked = ty_object_lock(&self->base);
    int64_t count = ty_load_relaxed(&self->coming_count);
    bool fine = (self->coming && count < self->coming->capacity) || grow(self, count);
    if (fine) {
        ty_store(self->coming, &self->coming->items[count], a[0]);
        ty_store_relaxed(&self->coming_count, count + 1);
    }
    ty_object_unlock(&self->base, locked);
    if (!fine)
        return TY_NULL;
    /* Who sleeps has counted itself before it looked for items a last time, under the lock: either it sees ours, or we see it. */
    if (TY_UNLIKELY(ty_load_relaxed(&self->sleepers) > 0))
        wake_one(self);
    return TY_NONE;
}

/* All that have come become those that are going; false: there are none. */
static bool take_over(Queue *self)
{
    bool locked = ty_object_lock(&self->base);
    int64_t count = ty_load_relaxed(&self->coming_count);
    if (count > 0) {
        TyArray *emptied = self->going && self->going->capacity <= ARRAY_KEPT ? self->going : NULL;
        ty_store_pointer(self, &self->going, self->coming);
        ty_store_pointer(self, &self->coming, emptied);
        self->head = 0;
        ty_store_relaxed(&self->end, count);
        ty_store_relaxed(&self->coming_count, 0);
    }
    ty_object_unlock(&self->base, locked);
    return count > 0;
}

static Value take(Queue *self)
{
    bool locked = ty_load_relaxed(&ty_many_threads);
    if (locked)
        ty_mutex_lock_blocking(&self->mutex);
    Value item = TY_NULL;
    if (self->head < ty_load_relaxed(&self->end) || take_over(self)) {
        Value *place = &self->going->items[self->head++];
        item = *place;
        ty_store(self->going, place, TY_NULL);
    }
    if (locked)
        ty_mutex_unlock(&self->mutex);
    return item;
}

static Value raise_empty(void)
{
    Value module = ty_module_current("_queue");
    return module == TY_NULL ? TY_NULL : ty_raise_none(ty_as_type(ty_module_state(module)[0]));
}

/* For a moment, whether something comes. */
static bool comes_soon(Queue *self)
{
    for (int i = 0; i < SPIN_LOOKS; i++) {
        for (int k = 0; k < SPIN_PAUSES; k++)
            ty_spin_pause();
        if (ty_load_relaxed(&self->coming_count) > 0)
            return true;
    }
    return false;
}

static void count_out(Queue *self)
{
    uint32_t sleepers = ty_load_relaxed(&self->sleepers);
    while (sleepers > 0 && !atomic_compare_exchange_weak_explicit(&self->sleepers, &sleepers, sleepers - 1, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* An item that came while the caller was about to sleep, or TY_NULL after the sleep. */
static Value sleep_for_item(Queue *self, int64_t timeout_ns, bool *in_time, bool *interrupted)
{
    *in_time = true;
    atomic_fetch_add_explicit(&self->sleepers, 1, memory_order_seq_cst);
    uint32_t wakings = atomic_load_explicit(&self->wakings, memory_order_seq_cst);
    Value item = take(self);
    if (item != TY_NULL) {
        count_out(self);
        return item;
    }
    ty_blocking_begin();
    *in_time = ty_futex_wait_interruptible(&self->wakings, wakings, timeout_ns, interrupted);
    ty_blocking_end();
    if ((!*in_time || *interrupted) && atomic_load_explicit(&self->wakings, memory_order_seq_cst) == wakings)
        count_out(self);
    return TY_NULL;
}

/* A negative timeout is none. */
static Value get(Queue *self, bool block, int64_t timeout_ns)
{
    Value item = take(self);
    if (TY_LIKELY(item != TY_NULL))
        return item;
    if (!block)
        return raise_empty();
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    for (;;) {
        if (comes_soon(self) && (item = take(self)) != TY_NULL)
            return item;
        int64_t left = timeout_ns < 0 ? -1 : deadline - ty_clock_monotonic_ns();
        if (timeout_ns >= 0 && left <= 0)
            return (item = take(self)) != TY_NULL ? item : raise_empty();
        bool in_time, interrupted = false;
        item = sleep_for_item(self, left, &in_time, &interrupted);
        if (item != TY_NULL)
            return item;
        if (interrupted && !ty_poll_run()) {
            wake_one(self); /* if it was this one that was to take an item, another one does */
            return TY_NULL;
        }
        if ((item = take(self)) != TY_NULL)
            return item;
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

static int64_t length_of(Queue *self)
{
    bool locked = ty_load_relaxed(&ty_many_threads);
    if (locked)
        ty_mutex_lock_blocking(&self->mutex);
    int64_t length = ty_load_relaxed(&self->end) - self->head + ty_load_relaxed(&self->coming_count);
    if (locked)
        ty_mutex_unlock(&self->mutex);
    return length;
}
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
