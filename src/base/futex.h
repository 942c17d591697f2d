/* Sleeping on a word of memory, and the small mutex made of it.
 *
 * A TyMutex is four bytes, zero when free, and needs no set-up or clean-up. It is not recursive and not fair. It knows nothing of
 * the heap: who may have to wait long, or holds it across a safepoint, takes it with ty_mutex_lock_blocking (heap/thread.h).
 *
 * The word of a held mutex tells in which generation of the process it was taken: the child of a fork begins a new one, and all that
 * threads of the parent held is free to it. */
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
    _Atomic uint32_t word; /* generation | TY_MUTEX_HELD or TY_MUTEX_CONTENDED; 0, or of an older generation: free */
} TyMutex;

enum { TY_MUTEX_HELD = 1, TY_MUTEX_CONTENDED = 2 /* held, and someone sleeps */, TY_MUTEX_GENERATION = 4 };
extern _Atomic uint32_t ty_fork_generation; /* in steps of TY_MUTEX_GENERATION */
void ty_futex_after_fork(void);             /* in the child: what others held is free */

#define TY_MUTEX_INIT {0}

void ty_mutex_lock_slow(TyMutex *mutex);
/* False when the time ran out, or a signal came and `interrupted` is not NULL (it tells which). A negative timeout is none. */
bool ty_mutex_lock_timed(TyMutex *mutex, int64_t timeout_ns, bool *interrupted);

TY_INLINE bool ty_mutex_try_lock(TyMutex *mutex)
{
    uint32_t word = 0, held = ty_load_relaxed(&ty_fork_generation) | TY_MUTEX_HELD;
    if (TY_LIKELY(atomic_compare_exchange_strong_explicit(&mutex->word, &word, held, memory_order_acquire, memory_order_relaxed)))
        return true;
    return TY_UNLIKELY((word ^ held) >= TY_MUTEX_GENERATION) &&
           atomic_compare_exchange_strong_explicit(&mutex->word, &word, held, memory_order_acquire, memory_order_relaxed);
}

TY_INLINE void ty_mutex_lock(TyMutex *mutex)
{
    if (TY_UNLIKELY(!ty_mutex_try_lock(mutex)))
        ty_mutex_lock_slow(mutex);
}

TY_INLINE void ty_mutex_unlock(TyMutex *mutex)
{
    if (TY_UNLIKELY(atomic_exchange_explicit(&mutex->word, 0, memory_order_release) & TY_MUTEX_CONTENDED))
        ty_futex_wake(&mutex->word, 1);
}

TY_INLINE bool ty_mutex_is_locked(TyMutex *mutex)
{
    uint32_t word = ty_load_relaxed(&mutex->word);
    return word != 0 && (word ^ ty_load_relaxed(&ty_fork_generation)) < TY_MUTEX_GENERATION;
}
/* Its holder was left behind by a fork, maybe in the middle of something. */
TY_INLINE bool ty_mutex_is_orphan(TyMutex *mutex) { return ty_load_relaxed(&mutex->word) != 0 && !ty_mutex_is_locked(mutex); }

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
