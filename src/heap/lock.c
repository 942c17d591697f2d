/* Objects' headers: flags, shapes, and the lock of two bits. */
#include "heap/thread.h"

_Atomic bool ty_many_threads;

#define SPINS 60

void ty_object_set_bits(TyObject *o, uint32_t bits) { atomic_fetch_or_explicit(&o->bits, bits, memory_order_release); }
void ty_object_clear_bits(TyObject *o, uint32_t bits) { atomic_fetch_and_explicit(&o->bits, ~bits, memory_order_release); }

void ty_object_set_shape(TyObject *o, uint32_t shape)
{
    uint32_t low = (1u << TY_SHAPE_SHIFT) - 1, bits = ty_load_relaxed(&o->bits);
    while (!atomic_compare_exchange_weak_explicit(&o->bits, &bits, (bits & low) | shape << TY_SHAPE_SHIFT, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

/* Takes the lock if it is free. `contended` keeps the mark that others may sleep. */
static bool try_lock(TyObject *o, uint32_t contended)
{
    uint32_t bits = ty_load_relaxed(&o->bits);
    while (!(bits & TY_BIT_LOCKED))
        if (atomic_compare_exchange_weak_explicit(&o->bits, &bits, bits | TY_BIT_LOCKED | contended, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

void ty_object_lock_slow(TyObject *o)
{
    for (int i = 0; i < SPINS; i++) {
        if (try_lock(o, 0))
            return;
        ty_spin_pause();
    }
    if (ty_world_is_mine()) { /* at the end of the program: its holder is stopped for ever */
        ty_object_set_bits(o, TY_BIT_LOCKED);
        return;
    }
    bool inside = ty_thread->in_allocation;
    ty_thread->in_allocation = true; /* the caller may hold another object's lock */
    ty_blocking_begin();
    while (!try_lock(o, TY_BIT_CONTENDED)) {
        uint32_t bits = ty_load_relaxed(&o->bits);
        if (!(bits & TY_BIT_LOCKED))
            continue;
        if (!(bits & TY_BIT_CONTENDED) &&
            !atomic_compare_exchange_weak_explicit(&o->bits, &bits, bits | TY_BIT_CONTENDED, memory_order_relaxed, memory_order_relaxed))
            continue;
        ty_futex_wait(&o->bits, bits | TY_BIT_CONTENDED, -1);
    }
    ty_blocking_end();
    ty_thread->in_allocation = inside;
}

void ty_object_unlock_slow(TyObject *o)
{
    uint32_t bits = atomic_fetch_and_explicit(&o->bits, ~(TY_BIT_LOCKED | TY_BIT_CONTENDED), memory_order_release);
    if (bits & TY_BIT_CONTENDED)
        ty_futex_wake(&o->bits, 1); /* who wakes takes it with the mark, as there may be more */
}
