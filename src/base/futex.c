#include "base/futex.h"
#include "base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPINS 60 /* about a microsecond: longer than most of our critical sections, shorter than a sleep */

bool ty_futex_wait_interruptible(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns, bool *interrupted)
{
    int saved = errno;
    struct timespec timeout, *limit = NULL;
    if (timeout_ns >= 0) {
        timeout.tv_sec = timeout_ns / TY_NANOSECONDS;
        timeout.tv_nsec = timeout_ns % TY_NANOSECONDS;
        limit = &timeout;
    }
    long status = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, limit, NULL, 0);
    int error = status < 0 ? errno : 0;
    errno = saved;
    if (interrupted)
        *interrupted = error == EINTR;
    return error != ETIMEDOUT;
}

bool ty_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    return ty_futex_wait_interruptible(word, expected, timeout_ns, NULL);
}

void ty_futex_wake(_Atomic uint32_t *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

_Atomic uint32_t ty_fork_generation;

void ty_futex_after_fork(void) { atomic_fetch_add_explicit(&ty_fork_generation, TY_MUTEX_GENERATION, memory_order_relaxed); }

/* Leaves the mark that someone sleeps, whoever holds the mutex; true if nobody did. */
static bool contend(TyMutex *mutex, uint32_t contended)
{
    uint32_t before = atomic_exchange_explicit(&mutex->word, contended, memory_order_acquire);
    return before == 0 || (before ^ contended) >= TY_MUTEX_GENERATION;
}

static bool spin(TyMutex *mutex)
{
    for (int i = 0; i < SPINS; i++) {
        if (!ty_mutex_is_locked(mutex) && ty_mutex_try_lock(mutex))
            return true;
        if (ty_load_relaxed(&mutex->word) & TY_MUTEX_CONTENDED) /* others sleep already: spinning past them is unfair and rarely works */
            return false;
        ty_spin_pause();
    }
    return false;
}

void ty_mutex_lock_slow(TyMutex *mutex)
{
    if (spin(mutex))
        return;
    uint32_t contended = ty_load_relaxed(&ty_fork_generation) | TY_MUTEX_CONTENDED;
    while (!contend(mutex, contended))
        ty_futex_wait(&mutex->word, contended, -1);
}

bool ty_mutex_lock_timed(TyMutex *mutex, int64_t timeout_ns, bool *interrupted)
{
    if (interrupted)
        *interrupted = false;
    if (ty_mutex_try_lock(mutex))
        return true;
    if (timeout_ns == 0)
        return false;
    if (spin(mutex))
        return true;
    int64_t deadline = timeout_ns < 0 ? -1 : ty_clock_monotonic_ns() + timeout_ns;
    uint32_t contended = ty_load_relaxed(&ty_fork_generation) | TY_MUTEX_CONTENDED;
    while (!contend(mutex, contended)) {
        int64_t left = -1;
        if (timeout_ns >= 0) {
            left = deadline - ty_clock_monotonic_ns();
            if (left <= 0)
                return false; /* the mark stays: the next unlock wakes nobody in vain, once */
        }
        bool signalled = false;
        ty_futex_wait_interruptible(&mutex->word, contended, left, &signalled);
        if (signalled && interrupted) {
            *interrupted = true;
            return false;
        }
    }
    return true;
}
