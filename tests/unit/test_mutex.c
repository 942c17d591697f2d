/* The mutex: mutual exclusion between threads, and waiting with a limit. */
#include "base/futex.h"
#include "unit.h"
#include <pthread.h>

enum { THREADS = 4, TURNS = 50000 };

static TyMutex mutex = TY_MUTEX_INIT;
static long counter;

static void *count(void *unused)
{
    for (int i = 0; i < TURNS; i++) {
        ty_mutex_lock(&mutex);
        counter++;
        ty_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(counter == (long)THREADS * TURNS);
    CHECK(!ty_mutex_is_locked(&mutex));
    CHECK(ty_mutex_try_lock(&mutex));
    CHECK(!ty_mutex_try_lock(&mutex));
    CHECK(!ty_mutex_lock_timed(&mutex, 1000000, NULL));
    ty_mutex_unlock(&mutex);
    CHECK(ty_mutex_lock_timed(&mutex, 1000000, NULL));
    ty_mutex_unlock(&mutex);
    _Atomic uint32_t word = 1;
    CHECK(!ty_futex_wait(&word, 1, 1000000));
    return unit_end();
}
