/* Sleeping on a word of memory, and the small mutex made of it.
 *
 * A TyMutex is four bytes, zero when free, and needs no set-up or clean-up. It is not recursive and not fair. It knows nothing of
 * the heap: who may have to wait long, or holds it across a safepoint, takes it with ty_mutex_lock_blocking (heap/thread.h). */
#ifndef TY_BASE_FUTEX_H
#define TY_BASE_FUTEX_H

#include "base/base.h"

/* Sleeps while *word equals expected, until woken; a negative timeout is none. Returns false when the time ran out. May also return
 * without a reason: the caller looks at the word again. Preserves errno. */
bool ty_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
/* The same, and tells whether a signal broke the sleep. */
bool ty_futex_wait_interruptible(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns, bool *interrupted);
void ty_futex_wake(_Atomic uint32_t *word, int count); /* INT_MAX: all */

typedef struct TyMutex {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and someone sleeps */
} TyMutex;

#define TY_MUTEX_INIT {0}

void ty_mutex_lock_slow(TyMutex *mutex);
/* False when the time ran out, or a signal came and `interrupted` is not NULL (it tells which). A negative timeout is none. */
bool ty_mutex_lock_timed(TyMutex *mutex, int64_t timeout_ns, bool *interrupted);

TY_INLINE bool ty_mutex_try_lock(TyMutex *mutex)
{
    uint32_t free = 0;
    return atomic_compare_exchange_strong_explicit(&mutex->word, &free, 1, memory_order_acquire, memory_order_relaxed);
}

TY_INLINE void ty_mutex_lock(TyMutex *mutex)
{
    if (TY_UNLIKELY(!ty_mutex_try_lock(mutex)))
        ty_mutex_lock_slow(mutex);
}

TY_INLINE void ty_mutex_unlock(TyMutex *mutex)
{
    if (TY_UNLIKELY(atomic_exchange_explicit(&mutex->word, 0, memory_order_release) == 2))
        ty_futex_wake(&mutex->word, 1);
}

TY_INLINE bool ty_mutex_is_locked(TyMutex *mutex) { return ty_load_relaxed(&mutex->word) != 0; }

/* A hint to the processor inside a short spin. */
TY_INLINE void ty_spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
