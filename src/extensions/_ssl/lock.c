/* The locks of OpenSSL's objects, and running Python inside of OpenSSL. */
#include "ssl.h"

void tls_lock(Lock *lock)
{
    if (ty_load_relaxed(&lock->holder) == ty_thread) { /* only this thread could have written that */
        lock->depth++;
        return;
    }
    ty_mutex_lock_blocking(&lock->mutex);
    ty_store_relaxed(&lock->holder, ty_thread);
    lock->depth = 1;
}

void tls_unlock(Lock *lock)
{
    if (--lock->depth > 0)
        return;
    ty_store_relaxed(&lock->holder, NULL);
    ty_mutex_unlock(&lock->mutex);
}

void tls_python_begin(Interlude *interlude)
{
    TyThread *thread = ty_thread;
    memcpy(interlude->registers, thread->registers, sizeof interlude->registers);
    interlude->scan = thread->c_stack_scan;
    ty_blocking_end();
}

void tls_python_end(Interlude *interlude)
{
    TyThread *thread = ty_thread;
    memcpy(thread->registers, interlude->registers, sizeof interlude->registers);
    thread->c_stack_scan = interlude->scan;
    thread->blocking_depth++;
    ty_blocking_enter(thread);
}
