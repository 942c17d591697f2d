/* _thread: locks, threads and thread-local data, as the threading module expects them. */
#include "base/clock.h"
#include "base/futex.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/weakref.h"
#include "modules/_thread.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define TIMEOUT_MAX_SECONDS 9223372036.0
#define NAME_MAX_LENGTH 15

/* --- waiting ------------------------------------------------------------------------------------------------------------- */

/* Seconds to nanoseconds, rounded up: never earlier than asked for. -1: for ever. False with an exception. */
static bool parse_timeout(Value v, bool blocking, int64_t *timeout_ns)
{
    *timeout_ns = blocking ? -1 : 0;
    if (!v)
        return true;
    double seconds;
    if (!ty_is_double(v) && !ty_in_family(v, TY_TYPE_FLOAT)) {
        v = ty_number_index(v);
        if (!v)
            return false;
    }
    if (!ty_to_double(v, &seconds))
        return false;
    if (isnan(seconds))
        return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)"), false;
    if (seconds >= 9223372036.854775807 || seconds <= -9223372036.854775807)
        return ty_raise(&ty_OverflowError, "timestamp out of range for C PyTime_t"), false;
    if (!blocking && seconds != -1)
        return ty_raise(&ty_ValueError, "can't specify a timeout for a non-blocking call"), false;
    if (seconds < 0 && seconds != -1)
        return ty_raise(&ty_ValueError, "timeout value must be a non-negative number"), false;
    if (seconds > TIMEOUT_MAX_SECONDS)
        return ty_raise(&ty_OverflowError, "timeout value is too large"), false;
    if (blocking && seconds != -1)
        *timeout_ns = (int64_t)ceil(seconds * 1e9);
    return true;
}

/* The word of a lock that Python sees. Unlike a TyMutex it stays held in the child of a fork, whoever held it. */
typedef _Atomic uint32_t LockWord;
enum { FREE, HELD, CONTENDED /* held, and someone sleeps */ };

/* For about as long as falling asleep and being woken takes. Looks are rare, so that the line stays with who takes and releases the lock in turn. */
enum { SPIN_LOOKS = 30, SPIN_PAUSES = 8 };

TY_INLINE bool try_lock(LockWord *word, uint32_t as)
{
    uint32_t free = FREE;
    return atomic_compare_exchange_strong_explicit(word, &free, as, memory_order_acquire, memory_order_relaxed);
}

static bool spin(LockWord *word, uint32_t as)
{
    for (int i = 0; i < SPIN_LOOKS; i++) {
        for (int k = 0; k < SPIN_PAUSES; k++)
            ty_spin_pause();
        if (ty_load_relaxed(word) == FREE && try_lock(word, as))
            return true;
    }
    return false;
}

/* Sleeps until the lock was had, the time is over (0 is now), or a signal came; the caller counts as blocked. Who has slept takes the lock with the
 * mark, for there may be others. */
static bool sleep_for(LockWord *word, int64_t timeout_ns, bool *interrupted)
{
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    *interrupted = false;
    while (atomic_exchange_explicit(word, CONTENDED, memory_order_acquire) != FREE) {
        int64_t left = timeout_ns < 0 ? -1 : deadline - ty_clock_monotonic_ns();
        if (timeout_ns >= 0 && left <= 0)
            return false; /* the mark stays: the next release wakes nobody in vain, once */
        ty_futex_wait_interruptible(word, CONTENDED, left, interrupted);
        if (*interrupted)
            return false;
        if (spin(word, CONTENDED))
            return true;
    }
    return true;
}

/* 1: taken, 0: the time ran out, -1: a signal handler raised. */
static TY_NOINLINE int acquire_slow(LockWord *word, int64_t timeout_ns)
{
    if (timeout_ns == 0)
        return 0;
    if (spin(word, HELD))
        return 1;
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    for (;;) {
        bool interrupted;
        ty_blocking_begin();
        bool taken = sleep_for(word, timeout_ns, &interrupted);
        ty_blocking_end();
        if (taken)
            return 1;
        if (!interrupted)
            return 0;
        if (!ty_poll_run())
            return -1;
        if (timeout_ns >= 0) {
            timeout_ns = deadline - ty_clock_monotonic_ns();
            if (timeout_ns <= 0)
                return try_lock(word, HELD);
        }
    }
}

TY_INLINE int acquire(LockWord *word, int64_t timeout_ns) { return TY_LIKELY(try_lock(word, HELD)) ? 1 : acquire_slow(word, timeout_ns); }

/* False: nobody held it. */
TY_INLINE bool release(LockWord *word)
{
    uint32_t before = atomic_exchange_explicit(word, FREE, memory_order_release);
    if (TY_UNLIKELY(before == CONTENDED))
        ty_futex_wake(word, 1);
    return before != FREE;
}

static Value from_acquired(int status) { return status < 0 ? TY_NULL : ty_from_bool(status); }

/* --- lock ------------------------------------------------------------------------------------------------------------------ */

typedef struct Lock {
    TyObject base;
    LockWord word;
} Lock;

static Lock *as_lock(Value v) { return (Lock *)ty_object(v); }

static Value lock_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("lock", keywords) || !ty_check_positional("lock", count, 0, 0))
        return TY_NULL;
    return ty_type_allocate(type, 0);
}

static Value lock_acquire(Value self, Value *a)
{
    bool blocking = true;
    int64_t timeout;
    if (a[0]) {
        int truth = ty_is_true(a[0]);
        if (truth < 0)
            return TY_NULL;
        blocking = truth;
    }
    if (!parse_timeout(a[1], blocking, &timeout))
        return TY_NULL;
    return from_acquired(acquire(&as_lock(self)->word, timeout));
}

static Value lock_release(Value self, Value *a)
{
    return TY_LIKELY(release(&as_lock(self)->word)) ? TY_NONE : ty_raise(&ty_RuntimeError, "release unlocked lock");
}

static Value lock_enter(Value self, Value *a) { return from_acquired(acquire(&as_lock(self)->word, -1)); }
static Value lock_exit(Value self, Value *a) { return lock_release(self, a); }
static Value lock_locked(Value self, Value *a) { return ty_from_bool(ty_load_relaxed(&as_lock(self)->word) != FREE); }
static Value lock_reinit(Value self, Value *a)
{
    ty_store_relaxed(&as_lock(self)->word, FREE);
    return TY_NONE;
}
static Value lock_repr(Value self)
{
    return ty_str_format("<%s %N object at %p>", ty_load_relaxed(&as_lock(self)->word) != FREE ? "locked" : "unlocked", self,
                         (void *)ty_object(self));
}

static const TyNativeDef lock_methods[] = {
    TY_METHOD("acquire(self, /, blocking=True, timeout=-1)", lock_acquire,
              "Takes the lock, waiting for it unless told otherwise; tells whether it was taken."),
    TY_METHOD("acquire_lock(self, /, blocking=True, timeout=-1)", lock_acquire, "Another name of acquire()."),
    TY_METHOD("release(self, /)", lock_release, "Gives the lock back, whoever took it; one who waits for it gets it."),
    TY_METHOD("release_lock(self, /)", lock_release, "Another name of release()."),
    TY_METHOD("locked(self, /)", lock_locked, "Whether someone holds the lock."),
    TY_METHOD("locked_lock(self, /)", lock_locked, "Another name of locked()."),
    TY_METHOD("__enter__(self, /)", lock_enter, "Takes the lock."),
    TY_METHOD("__exit__(self, /, *exc_info)", lock_exit, "Gives the lock back."),
    TY_METHOD("_at_fork_reinit(self, /)", lock_reinit, NULL),
    {0}};

TyType ty_lock_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Lock)},
    .flags = TY_TYPE_WEAKREFABLE | TY_TYPE_FINAL,
    .name = "_thread.lock",
    .doc = "lock()\n--\n\nA lock: held by at most one thread at a time; any thread may release it.",
    .parent = &ty_object_type_,
    .slots = {.new = lock_new, .repr = lock_repr},
    .methods = lock_methods,
};

/* --- RLock -------------------------------------------------------------------------------------------------------------------- */

typedef struct RecursiveLock {
    TyObject base;
    LockWord word;
    _Atomic uint64_t owner; /* 0: nobody; only its own thread ever finds its own number here */
    uint64_t count;
} RecursiveLock;

static RecursiveLock *as_recursive(Value v) { return (RecursiveLock *)ty_object(v); }
static bool is_mine(RecursiveLock *lock) { return ty_load_relaxed(&lock->owner) == ty_thread->ident; }

static int recursive_acquire(RecursiveLock *lock, int64_t timeout)
{
    if (is_mine(lock)) {
        lock->count++;
        return 1;
    }
    int status = acquire(&lock->word, timeout);
    if (status == 1) {
        ty_store_relaxed(&lock->owner, ty_thread->ident);
        lock->count = 1;
    }
    return status;
}

static Value rlock_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static Value rlock_acquire(Value self, Value *a)
{
    bool blocking = true;
    int64_t timeout;
    if (a[0]) {
        int truth = ty_is_true(a[0]);
        if (truth < 0)
            return TY_NULL;
        blocking = truth;
    }
    if (!parse_timeout(a[1], blocking, &timeout))
        return TY_NULL;
    return from_acquired(recursive_acquire(as_recursive(self), timeout));
}

static Value rlock_release(Value self, Value *a)
{
    RecursiveLock *lock = as_recursive(self);
    if (!is_mine(lock))
        return ty_raise(&ty_RuntimeError, "cannot release un-acquired lock");
    if (--lock->count == 0) {
        ty_store_relaxed(&lock->owner, 0);
        release(&lock->word);
    }
    return TY_NONE;
}

static Value rlock_enter(Value self, Value *a) { return from_acquired(recursive_acquire(as_recursive(self), -1)); }
static Value rlock_exit(Value self, Value *a) { return rlock_release(self, a); }
static Value rlock_locked(Value self, Value *a) { return ty_from_bool(ty_load_relaxed(&as_recursive(self)->word) != FREE); }
static Value rlock_is_owned(Value self, Value *a) { return ty_from_bool(is_mine(as_recursive(self))); }
static Value rlock_recursion_count(Value self, Value *a)
{
    RecursiveLock *lock = as_recursive(self);
    return ty_int_from_int64(is_mine(lock) ? (int64_t)lock->count : 0);
}

/* Condition.wait() gives the lock up whatever its depth, and restores that afterwards. */
static Value rlock_release_save(Value self, Value *a)
{
    RecursiveLock *lock = as_recursive(self);
    if (!is_mine(lock))
        return ty_raise(&ty_RuntimeError, "cannot release un-acquired lock");
    Value state = ty_tuple_pack(2, ty_int_from_uint64(lock->count), ty_int_from_uint64(ty_load_relaxed(&lock->owner)));
    if (!state)
        return TY_NULL;
    lock->count = 0;
    ty_store_relaxed(&lock->owner, 0);
    release(&lock->word);
    return state;
}
static Value rlock_acquire_restore(Value self, Value *a)
{
    RecursiveLock *lock = as_recursive(self);
    uint64_t count, owner;
    if (!ty_is_tuple(a[0]) || ty_tuple_length(a[0]) != 2)
        return ty_raise(&ty_TypeError, "_acquire_restore() argument 1 must be a pair of ints");
    if (!ty_to_uint64(ty_tuple_item(a[0], 0), &count) || !ty_to_uint64(ty_tuple_item(a[0], 1), &owner))
        return TY_NULL;
    while (acquire(&lock->word, -1) < 0) /* the state must be restored: what a signal handler raised is for later */
        ty_write_unraisable(self, NULL);
    ty_store_relaxed(&lock->owner, owner);
    lock->count = count;
    return TY_NONE;
}
static Value rlock_reinit(Value self, Value *a)
{
    RecursiveLock *lock = as_recursive(self);
    ty_store_relaxed(&lock->word, FREE);
    ty_store_relaxed(&lock->owner, 0);
    lock->count = 0;
    return TY_NONE;
}
static Value rlock_repr(Value self)
{
    RecursiveLock *lock = as_recursive(self);
    uint64_t owner = ty_load_relaxed(&lock->owner);
    return ty_str_format("<%s %N object owner=%lld count=%lld at %p>", owner ? "locked" : "unlocked", self, (long long)owner,
                         owner ? (long long)lock->count : 0ll, (void *)ty_object(self));
}

static const TyNativeDef rlock_methods[] = {
    TY_METHOD("acquire(self, /, blocking=True, timeout=-1)", rlock_acquire,
              "Takes the lock, once more if the thread holds it already; tells whether it was taken."),
    TY_METHOD("release(self, /)", rlock_release, "Undoes one acquire() of this thread; after the last the lock is free."),
    TY_METHOD("locked(self, /)", rlock_locked, "Whether someone holds the lock."),
    TY_METHOD("_is_owned(self, /)", rlock_is_owned, "Whether this thread holds the lock."),
    TY_METHOD("_recursion_count(self, /)", rlock_recursion_count, "How often this thread holds it."),
    TY_METHOD("_release_save(self, /)", rlock_release_save, NULL),
    TY_METHOD("_acquire_restore(self, state, /)", rlock_acquire_restore, NULL),
    TY_METHOD("__enter__(self, /)", rlock_enter, "Takes the lock."),
    TY_METHOD("__exit__(self, /, *exc_info)", rlock_exit, "Gives the lock back."),
    TY_METHOD("_at_fork_reinit(self, /)", rlock_reinit, NULL),
    {0}};

TyType ty_rlock_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(RecursiveLock)},
    .flags = TY_TYPE_WEAKREFABLE,
    .name = "_thread.RLock",
    .doc = "A lock that the thread that holds it may take again; it must release it as often.",
    .parent = &ty_object_type_,
    .slots = {.new = rlock_new, .repr = rlock_repr},
    .methods = rlock_methods,
};

/* --- threads: how one ends ------------------------------------------------------------------------------------------------------ */

/* Outlives the thread's part of the heap: others wait on it until the very last moment of the thread. */
typedef struct Completion {
    _Atomic uint32_t references;
    _Atomic uint32_t done;         /* a futex */
    _Atomic uint64_t ident;        /* 0: not started */
    TyInterpreter *interpreter;
    bool waited_for;               /* the interpreter does not close before */
    bool adopted;                  /* of a thread that was not started here: only its handle refers to this */
    struct Completion *next, **place; /* among the running ones */
} Completion;

static TyMutex running_lock;
static Completion *running;

static Completion *completion_new(void)
{
    Completion *completion = calloc(1, sizeof *completion);
    if (completion)
        completion->references = 1;
    return completion;
}
static Completion *completion_share(Completion *completion)
{
    atomic_fetch_add_explicit(&completion->references, 1, memory_order_relaxed);
    return completion;
}
static void completion_drop(Completion *completion)
{
    if (completion && atomic_fetch_sub_explicit(&completion->references, 1, memory_order_acq_rel) == 1)
        free(completion);
}
static void completion_enter(Completion *completion)
{
    ty_mutex_lock(&running_lock);
    completion->next = running;
    completion->place = &running;
    if (running)
        running->place = &completion->next;
    running = completion;
    ty_mutex_unlock(&running_lock);
}
static void completion_leave(Completion *completion)
{
    ty_mutex_lock(&running_lock);
    if (completion->place) {
        *completion->place = completion->next;
        if (completion->next)
            completion->next->place = completion->place;
        completion->place = NULL;
    }
    ty_mutex_unlock(&running_lock);
}
static void completion_finish(Completion *completion)
{
    completion_leave(completion);
    ty_store_release(&completion->done, 1);
    ty_futex_wake(&completion->done, INT_MAX);
}

/* 1: done, 0: the time ran out, -1: a signal handler raised. */
static int completion_wait(Completion *completion, int64_t timeout_ns)
{
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    while (!ty_load_acquire(&completion->done)) {
        bool interrupted;
        if (timeout_ns == 0)
            return 0;
        if (ty_world_is_mine()) /* at the end of the program the other threads are stopped for good */
            return ty_raise(&ty_PythonFinalizationError, "cannot join thread at Python shutdown"), -1;
        ty_blocking_begin();
        ty_futex_wait_interruptible(&completion->done, 0, timeout_ns, &interrupted);
        ty_blocking_end();
        if (interrupted && !ty_poll_run())
            return -1;
        if (timeout_ns >= 0)
            timeout_ns = TY_MAX(deadline - ty_clock_monotonic_ns(), 0);
    }
    return 1;
}

void ty_threads_before_fork(void) { ty_mutex_lock(&running_lock); } /* its holder is past its last safepoint, and soon done */

void ty_threads_after_fork(bool in_child)
{
    uint64_t self = (uint64_t)(uintptr_t)pthread_self();
    ty_mutex_unlock(&running_lock);
    if (!in_child)
        return;
    ty_interpreter()->main_thread = ty_thread;
    ty_thread->main = true;
    for (Completion *completion = running, *next; completion; completion = next) {
        next = completion->next;
        if (ty_load_relaxed(&completion->ident) != self) {
            bool adopted = completion->adopted;
            completion_finish(completion);
            if (!adopted)
                completion_drop(completion); /* the reference of the thread that is no more */
        }
    }
    int64_t left = 0;
    for (Completion *completion = running; completion; completion = completion->next)
        left += !completion->adopted;
    ty_store_relaxed(&ty_interpreter()->thread_count, left);
}

bool ty_threads_wait(TyInterpreter *interpreter)
{
    bool quiet = true;
    for (;;) {
        ty_mutex_lock(&running_lock);
        Completion *found = running;
        while (found && !(found->waited_for && found->interpreter == interpreter && ty_load_relaxed(&found->ident) != ty_thread->ident))
            found = found->next;
        if (found)
            completion_share(found);
        ty_mutex_unlock(&running_lock);
        if (!found)
            return quiet;
        if (completion_wait(found, -1) < 0) {
            ty_write_unraisable(TY_NULL, "Exception ignored while joining a thread in _thread._shutdown()");
            quiet = false;
            ty_mutex_lock(&running_lock);
            found->waited_for = false;
            ty_mutex_unlock(&running_lock);
        }
        completion_drop(found);
    }
}

/* --- handles ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Handle {
    TyObject base;
    Completion *completion;
    _Atomic bool started;
} Handle;

static TyType handle_type;
static Handle *as_handle(Value v) { return (Handle *)ty_object(v); }

static Value handle_make(TyType *type)
{
    Completion *completion = completion_new();
    if (!completion)
        return ty_raise_memory_error();
    Value made = ty_type_allocate(type, 0);
    if (made)
        as_handle(made)->completion = completion;
    else
        completion_drop(completion);
    return made;
}
static void handle_destroy(TyObject *self)
{
    Completion *completion = ((Handle *)self)->completion;
    if (completion && completion->adopted)
        completion_leave(completion);
    completion_drop(completion);
}
static Value handle_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("_ThreadHandle", keywords) || !ty_check_positional("_ThreadHandle", count, 0, 0))
        return TY_NULL;
    return handle_make(type);
}
static Value handle_repr(Value self)
{
    return ty_str_format("<%N object: ident=%lld>", self, (long long)ty_load_relaxed(&as_handle(self)->completion->ident));
}
static Value handle_join(Value self, Value *a)
{
    int64_t timeout = -1;
    if (a[0] && a[0] != TY_NONE) {
        double seconds;
        if (!ty_to_double(a[0], &seconds))
            return TY_NULL;
        if (isnan(seconds))
            return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
        if (seconds > TIMEOUT_MAX_SECONDS)
            return ty_raise(&ty_OverflowError, "timestamp out of range for C PyTime_t");
        timeout = seconds < 0 ? -1 : (int64_t)ceil(seconds * 1e9);
    }
    Handle *handle = as_handle(self);
    if (!ty_load_acquire(&handle->started))
        return ty_raise(&ty_RuntimeError, "thread not started");
    if (!ty_load_acquire(&handle->completion->done) && ty_load_relaxed(&handle->completion->ident) == ty_thread->ident)
        return ty_raise(&ty_RuntimeError, "Cannot join current thread");
    return completion_wait(handle->completion, timeout) < 0 ? TY_NULL : TY_NONE;
}
static Value handle_set_done(Value self, Value *a)
{
    if (!ty_load_acquire(&as_handle(self)->started))
        return ty_raise(&ty_RuntimeError, "thread not started");
    completion_finish(as_handle(self)->completion);
    return TY_NONE;
}
static Value handle_is_done(Value self, Value *a) { return ty_from_bool(ty_load_acquire(&as_handle(self)->completion->done)); }
static Value handle_ident(Value self) { return ty_int_from_uint64(ty_load_relaxed(&as_handle(self)->completion->ident)); }

static const TyNativeDef handle_methods[] = {
    TY_METHOD("join(self, timeout=None, /)", handle_join, "Waits until the thread has ended, or the time is over."),
    TY_METHOD("_set_done(self, /)", handle_set_done, NULL),
    TY_METHOD("is_done(self, /)", handle_is_done, "Whether the thread has ended."),
    {0}};
static const TyGetSetDef handle_getsets[] = {{"ident", handle_ident, NULL, NULL}, {0}};
static TyType handle_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Handle), .destroy = handle_destroy},
    .flags = TY_TYPE_FINAL,
    .name = "_thread._ThreadHandle",
    .parent = &ty_object_type_,
    .slots = {.new = handle_new, .repr = handle_repr},
    .methods = handle_methods,
    .getsets = handle_getsets,
};

/* --- starting threads ------------------------------------------------------------------------------------------------------------------ */

/* What a new thread begins with; pinned until it has attached itself. */
typedef struct Boot {
    TyObject base;
    Value function, arguments, keywords;
    Completion *completion;
    TyInterpreter *interpreter;
    bool daemon;
} Boot;

static void boot_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Boot *)self)->function, 3); }
static TyType boot_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Boot), .trace = boot_trace},
    .flags = TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_thread.boot",
    .parent = &ty_object_type_,
};

static _Atomic size_t stack_size;

static TY_NOINLINE void run(Value boot_value)
{
    Boot *boot = (Boot *)ty_object(boot_value);
    Value function = boot->function;
    if (ty_call_with(function, boot->arguments, boot->keywords))
        return;
    if (ty_raised_is(&ty_SystemExit)) {
        ty_clear_exception();
        return;
    }
    Value raised = ty_take_exception();
    Value message = ty_str_format("Exception ignored in thread started by %R", function);
    if (!message)
        ty_clear_exception();
    ty_restore_exception(raised);
    ty_write_unraisable_text(TY_NULL, message);
}

static _Thread_local Completion *own_completion; /* of a thread started here */

static void end(Completion *completion, TyInterpreter *interpreter)
{
    atomic_fetch_sub_explicit(&interpreter->thread_count, 1, memory_order_release);
    completion_finish(completion);
    completion_drop(completion);
}

void ty_thread_leave(void)
{
    TyInterpreter *interpreter = ty_interpreter();
    Completion *completion = own_completion;
    if (!completion || ty_thread->visit)
        return;
    ty_thread_end(ty_thread);
    ty_thread_detach();
    end(completion, interpreter);
    pthread_exit(NULL);
}

static void *bootstrap(void *argument)
{
    Boot *boot = argument; /* a pinned object: it may be read before the thread is attached */
    Completion *completion = boot->completion;
    TyInterpreter *interpreter = boot->interpreter;
    own_completion = completion;
    TyThread *thread = ty_thread_attach(interpreter);
    if (thread) {
        thread->daemon = boot->daemon;
        ty_unpin(ty_from_object(boot)); /* from here on this stack keeps it */
        if (ty_thread_begin(thread))
            run(ty_from_object(boot));
        ty_heap_run_pending();
        ty_thread_end(thread);
        ty_thread_detach();
    }
    end(completion, interpreter);
    return NULL;
}

static bool start(Value function, Value arguments, Value keywords, Completion *completion, bool daemon)
{
    TyInterpreter *interpreter = ty_interpreter();
    if (ty_load_relaxed(&interpreter->finalizing))
        return ty_raise(&ty_PythonFinalizationError, "can't create new thread at interpreter shutdown"), false;
    if (interpreter->no_threads)
        return ty_raise(&ty_RuntimeError, "thread is not supported for isolated subinterpreters"), false;
    Boot *boot = ty_allocate(&boot_type, sizeof *boot);
    if (!boot)
        return false;
    ty_store(boot, &boot->function, function);
    ty_store(boot, &boot->arguments, arguments);
    ty_store(boot, &boot->keywords, keywords);
    boot->completion = completion_share(completion);
    boot->interpreter = completion->interpreter = interpreter;
    boot->daemon = daemon;
    completion->waited_for = !daemon;
    ty_pin(ty_from_object(boot));
    completion_enter(completion);
    atomic_fetch_add_explicit(&interpreter->thread_count, 1, memory_order_relaxed);
    ty_many_threads_begin();

    pthread_attr_t attributes;
    pthread_t thread;
    size_t size = ty_load_relaxed(&stack_size);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (size) /* what C functions of ours need for one another is more than CPython's */
        pthread_attr_setstacksize(&attributes, (TY_MAX(size, (size_t)512 << 10) + 4095) & ~(size_t)4095);
    int status = pthread_create(&thread, &attributes, bootstrap, boot);
    pthread_attr_destroy(&attributes);
    if (status != 0) {
        ty_unpin(ty_from_object(boot));
        atomic_fetch_sub_explicit(&interpreter->thread_count, 1, memory_order_relaxed);
        completion_finish(completion);
        completion_drop(boot->completion);
        return ty_raise(&ty_RuntimeError, "can't start new thread"), false;
    }
    ty_store_release(&completion->ident, (uint64_t)(uintptr_t)thread);
    return true;
}

static Value thread_start_new(Value module, Value *a)
{
    if (!ty_is_callable(a[0]))
        return ty_raise(&ty_TypeError, "first arg must be callable");
    if (!ty_is_tuple(a[1]))
        return ty_raise(&ty_TypeError, "2nd arg must be a tuple");
    if (a[2] && !ty_is_dict(a[2]))
        return ty_raise(&ty_TypeError, "optional 3rd arg must be a dictionary");
    Completion *completion = completion_new();
    if (!completion)
        return ty_raise_memory_error();
    bool started = start(a[0], a[1], a[2], completion, true);
    uint64_t ident = ty_load_relaxed(&completion->ident);
    completion_drop(completion);
    return started ? ty_int_from_uint64(ident) : TY_NULL;
}

static Value thread_start_joinable(Value module, Value *a)
{
    if (!ty_is_callable(a[0]))
        return ty_raise(&ty_TypeError, "thread function must be callable");
    int daemon = a[2] ? ty_is_true(a[2]) : 1;
    if (daemon < 0)
        return TY_NULL;
    if (daemon && ty_interpreter()->no_daemon_threads)
        return ty_raise(&ty_RuntimeError, "daemon threads are disabled in this (sub)interpreter");
    Value handle = a[1] && a[1] != TY_NONE ? a[1] : handle_make(&handle_type);
    if (!handle)
        return TY_NULL;
    if (!ty_is_exact(handle, &handle_type))
        return ty_raise(&ty_TypeError, "'handle' must be a _ThreadHandle");
    bool fresh = false;
    if (!atomic_compare_exchange_strong(&as_handle(handle)->started, &fresh, true))
        return ty_raise(&ty_RuntimeError, "thread already started");
    if (!start(a[0], ty_tuple_empty(), TY_NULL, as_handle(handle)->completion, daemon)) {
        ty_store_release(&as_handle(handle)->completion->done, 0);
        ty_store_release(&as_handle(handle)->started, false);
        return TY_NULL;
    }
    return handle;
}

static Value thread_make_handle(Value module, Value *a)
{
    uint64_t ident;
    if (!ty_to_uint64(a[0], &ident))
        return TY_NULL;
    Value handle = handle_make(&handle_type);
    if (handle) {
        Completion *completion = as_handle(handle)->completion;
        ty_store_relaxed(&completion->ident, ident);
        completion->adopted = true;
        completion_enter(completion); /* a fork ends it where it is not the thread that forks */
        ty_store_release(&as_handle(handle)->started, true);
    }
    return handle;
}

/* --- thread-local data --------------------------------------------------------------------------------------------------------------------- */

/* A _local is no more than a number; each thread keeps its dict under that number, with a weak reference to the _local so that
 * dicts of dead ones are dropped. */
typedef struct Local {
    TyObject base;
    int64_t number;
    Value arguments, keywords; /* for __init__ in each thread */
    Value reference;
} Local;

typedef struct LocalData {
    TyObject base;
    Value dict, reference;
} LocalData;

static void local_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Local *)self)->arguments, 3); }
static void local_data_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((LocalData *)self)->dict, 2); }
static TyType local_data_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(LocalData), .trace = local_data_trace},
    .flags = TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_thread._localdata",
    .parent = &ty_object_type_,
};

static Local *as_local(Value v) { return (Local *)ty_object(v); }

#define LOCALS_PRUNED_FROM 16

static bool prune_dead_locals(Value storage)
{
    static _Thread_local int64_t next_prune = LOCALS_PRUNED_FROM;
    if (ty_dict_length(storage) < next_prune)
        return true;
    Value keys = ty_dict_keys(storage);
    for (int64_t i = 0; keys && i < ty_list_length(keys); i++) {
        Value key = ty_list_item(keys, i), data = ty_dict_get(storage, key);
        if (data && ty_is_exact(data, &local_data_type) && !ty_weak_target(((LocalData *)ty_object(data))->reference) &&
            ty_dict_delete(storage, key) < 0)
            return false;
    }
    next_prune = TY_MAX(LOCALS_PRUNED_FROM, 2 * ty_dict_length(storage));
    return keys != TY_NULL;
}

/* A dict for this thread; *fresh tells whether __init__ is still to be called. */
static Value local_dict_plain(Value self, bool *fresh)
{
    TyThread *thread = ty_thread;
    Value key = ty_int_from_int64(as_local(self)->number);
    *fresh = false;
    if (!thread->storage && !(thread->storage = ty_dict_new()))
        return TY_NULL;
    Value found = ty_dict_get(thread->storage, key);
    if (found)
        return ((LocalData *)ty_object(found))->dict;
    if (ty_raised() || !prune_dead_locals(thread->storage))
        return TY_NULL;
    Value dict = ty_dict_new();
    LocalData *data = dict ? ty_allocate(&local_data_type, sizeof *data) : NULL;
    if (!data)
        return TY_NULL;
    ty_store(data, &data->dict, dict);
    ty_store(data, &data->reference, as_local(self)->reference);
    *fresh = true;
    return ty_dict_set(thread->storage, key, ty_from_object(data)) ? dict : TY_NULL;
}

static Value local_dict(Value self)
{
    bool fresh;
    Value dict = local_dict_plain(self, &fresh);
    if (!dict || !fresh)
        return dict;
    Local *local = as_local(self);
    TyInitFunction init = ty_type_of(self)->slots.init;
    if (!init || init == ty_object_type_.slots.init)
        return dict;
    Value bound = ty_get_attribute(ty_from_object(ty_type_of(self)), TY_NAME("__init__"));
    int64_t count = ty_tuple_length(local->arguments);
    Value arguments = bound ? ty_tuple_new(count + 1) : TY_NULL;
    if (arguments) {
        ty_tuple_set(arguments, 0, self);
        for (int64_t i = 0; i < count; i++)
            ty_tuple_set(arguments, i + 1, ty_tuple_item(local->arguments, i));
        if (ty_call_with(bound, arguments, local->keywords))
            return dict;
    }
    Value raised = ty_take_exception(); /* next time __init__ runs again */
    if (ty_dict_delete(ty_thread->storage, ty_int_from_int64(local->number)) < 0)
        ty_clear_exception();
    ty_restore_exception(raised);
    return TY_NULL;
}

static Value local_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static _Atomic int64_t numbers;
    bool fresh, given = count || (keywords && ty_tuple_length(keywords));
    if (given && (!type->slots.init || type->slots.init == ty_object_type_.slots.init))
        return ty_raise(&ty_TypeError, "Initialization arguments are not supported");
    Value self = ty_type_allocate(type, 0);
    if (!self)
        return TY_NULL;
    Local *local = as_local(self);
    local->number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed) + 1;
    Value positional = ty_tuple_from_array(arguments, count), named = TY_NULL;
    if (!positional)
        return TY_NULL;
    if (keywords && ty_tuple_length(keywords)) {
        named = ty_dict_new();
        for (int64_t i = 0; named && i < ty_tuple_length(keywords); i++)
            if (!ty_dict_set(named, ty_tuple_item(keywords, i), arguments[count + (size_t)i]))
                return TY_NULL;
        if (!named)
            return TY_NULL;
    }
    ty_store(local, &local->arguments, positional);
    ty_store(local, &local->keywords, named);
    Value reference = ty_weak_reference_new(self, TY_NULL);
    if (!reference)
        return TY_NULL;
    ty_store(local, &local->reference, reference);
    return local_dict_plain(self, &fresh) ? self : TY_NULL; /* __init__ follows, for this thread */
}

static Value local_get_attribute(Value self, Value name)
{
    Value dict = local_dict(self);
    if (!dict)
        return TY_NULL;
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name);
    if (ty_str_equal_text(name, "__dict__"))
        return dict;
    Value found = ty_type_lookup(ty_type_of(self), name);
    TyDescriptorGet get = found ? ty_type_of(found)->slots.get : NULL;
    if (get && ty_type_of(found)->slots.set)
        return get(found, self, ty_from_object(ty_type_of(self)));
    Value own = ty_dict_get(dict, name);
    if (own || ty_raised())
        return own;
    if (get)
        return get(found, self, ty_from_object(ty_type_of(self)));
    return found ? found : ty_raise_attribute_error(self, name);
}

static bool local_set_attribute(Value self, Value name, Value value)
{
    Value dict = local_dict(self);
    if (!dict)
        return false;
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name), false;
    if (ty_str_equal_text(name, "__dict__"))
        return ty_raise(&ty_AttributeError, "'%T' object attribute '%U' is read-only", self, name), false;
    Value found = ty_type_lookup(ty_type_of(self), name);
    TyDescriptorSet set = found ? ty_type_of(found)->slots.set : NULL;
    if (set)
        return set(found, self, value);
    if (value)
        return ty_dict_set(dict, name, value);
    int deleted = ty_dict_delete(dict, name);
    if (deleted == 0)
        ty_raise_attribute_error(self, name);
    return deleted > 0;
}

TyType ty_local_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Local), .trace = local_trace},
    .flags = TY_TYPE_WEAKREFABLE,
    .name = "_thread._local",
    .doc = "_local()\n--\n\nAn object whose attributes are different in each thread.",
    .parent = &ty_object_type_,
    .slots = {.new = local_new, .get_attribute = local_get_attribute, .set_attribute = local_set_attribute},
};

/* --- the module's functions --------------------------------------------------------------------------------------------------------------------- */

static Value thread_allocate_lock(Value module, Value *a) { return ty_type_allocate(&ty_lock_type, 0); }
static Value thread_get_ident(Value module, Value *a) { return ty_int_from_uint64(ty_thread->ident); }
static Value thread_get_native_id(Value module, Value *a) { return ty_int_from_uint64(ty_thread->native_id); }
static Value thread_exit(Value module, Value *a) { return ty_raise_none(&ty_SystemExit); }
static Value thread_count(Value module, Value *a) { return ty_int_from_int64(ty_load_relaxed(&ty_interpreter()->thread_count)); }
static Value thread_main_ident(Value module, Value *a)
{
    TyThread *main = ty_interpreter()->main_thread;
    return ty_int_from_uint64(main ? main->ident : 0);
}
static Value thread_is_main_interpreter(Value module, Value *a) { return ty_from_bool(ty_interpreter()->id == 0); }
static Value thread_daemon_allowed(Value module, Value *a) { return ty_from_bool(!ty_interpreter()->no_daemon_threads); }
static Value thread_shutdown(Value module, Value *a)
{
    ty_threads_wait(ty_interpreter());
    return TY_NONE;
}

static Value thread_stack_size(Value module, Value *a)
{
    int64_t wanted = 0;
    size_t least = 53248;
    if (a[0] && !ty_to_size(a[0], &wanted))
        return TY_NULL;
    size_t before = ty_load_relaxed(&stack_size);
    if (!a[0])
        return ty_int_from_int64((int64_t)before);
    if (wanted != 0 && (wanted < 0 || (size_t)wanted < least))
        return ty_raise(&ty_ValueError, "size must be at least %zu bytes", least);
    ty_store_relaxed(&stack_size, (size_t)wanted);
    return ty_int_from_int64((int64_t)before);
}

static Value thread_interrupt_main(Value module, Value *a)
{
    int32_t number = SIGINT;
    if (a[0] && !ty_to_int32(a[0], &number))
        return TY_NULL;
    if (!ty_signal_simulate(number))
        return ty_raise(&ty_ValueError, "signal number out of range");
    return ty_poll_run() ? TY_NONE : TY_NULL; /* ours may be the main thread */
}

static Value thread_set_name(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "set_name() argument 'name' must be str, not %T", a[0]);
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(a[0], &size, &holder);
    if (!text) { /* surrogates, which a file system's name may have */
        ty_clear_exception();
        holder = ty_str_encode_fs(a[0]);
        if (holder == TY_NULL) {
            ty_clear_exception();
            return TY_NONE;
        }
        text = (const char *)ty_bytes_data(holder);
        size = (size_t)ty_bytes_length(holder);
    }
    char name[NAME_MAX_LENGTH + 1] = {0};
    size = TY_MIN(size, (size_t)NAME_MAX_LENGTH);
    memcpy(name, text, size);
    prctl(PR_SET_NAME, name);
    return TY_NONE;
}
static Value thread_get_name(Value module, Value *a)
{
    char name[NAME_MAX_LENGTH + 1] = {0};
    prctl(PR_GET_NAME, name);
    return ty_str_decode_fs(name, strlen(name));
}

/* --- exceptions that end a thread ------------------------------------------------------------------------------------------------------------------ */

static TyType hook_arguments_type;

static Value attribute_or_none(Value object, const char *name)
{
    bool failed;
    Value found = ty_get_attribute_or_null(object, ty_intern_text(name), &failed);
    if (failed)
        ty_clear_exception();
    return found ? found : TY_NONE;
}

static Value thread_excepthook(Value module, Value *a)
{
    if (!ty_is_exact(a[0], &hook_arguments_type))
        return ty_raise(&ty_TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
    Value type = ty_tuple_item(a[0], 0), exception = ty_tuple_item(a[0], 1), thread = ty_tuple_item(a[0], 3);
    if (type == ty_from_object(&ty_SystemExit))
        return TY_NONE;
    Value file = ty_sys_get("stderr");
    if (!file || file == TY_NONE) {
        if (thread == TY_NONE)
            return TY_NONE;
        file = attribute_or_none(thread, "_stderr");
        if (file == TY_NONE)
            return TY_NONE;
    }
    Value name = thread == TY_NONE ? TY_NONE : attribute_or_none(thread, "_name");
    Value intro = name == TY_NONE ? ty_str_format("Exception in thread %lld:\n", (long long)ty_thread->ident)
                                  : ty_str_format("Exception in thread %S:\n", name);
    if (!intro || !ty_call_method_one(file, TY_NAME("write"), intro))
        return TY_NULL;
    if (exception == TY_NONE)
        exception = ty_call_none(type);
    if (!exception)
        return TY_NULL;
    ty_print_exception_to(exception, file);
    return ty_call_method_none(file, TY_NAME("flush")) ? TY_NONE : TY_NULL;
}

#define START_DOC "Starts a thread that calls function(*args, **kwargs) and returns its number; it ends with the call."
static const TyNativeDef thread_functions[] = {
    TY_FUNCTION("start_new_thread(function, args, kwargs={}, /)", thread_start_new, START_DOC),
    TY_FUNCTION("start_new(function, args, kwargs={}, /)", thread_start_new, "Another name of start_new_thread()."),
    TY_FUNCTION("start_joinable_thread(function, handle=None, daemon=True)", thread_start_joinable,
                "Starts a thread that calls the function and returns a handle by which it can be waited for."),
    TY_FUNCTION("_make_thread_handle(ident, /)", thread_make_handle, NULL),
    TY_FUNCTION("allocate_lock()", thread_allocate_lock, "A new lock."),
    TY_FUNCTION("allocate()", thread_allocate_lock, "Another name of allocate_lock()."),
    TY_FUNCTION("daemon_threads_allowed()", thread_daemon_allowed, "Whether the interpreter may have daemon threads."),
    TY_FUNCTION("exit()", thread_exit, "Raises SystemExit, which ends the thread without a message."),
    TY_FUNCTION("exit_thread()", thread_exit, "Another name of exit()."),
    TY_FUNCTION("get_ident()", thread_get_ident, "The number of this thread, different from that of any other that runs."),
    TY_FUNCTION("get_native_id()", thread_get_native_id, "The number that the operating system gave this thread."),
    TY_FUNCTION("_get_main_thread_ident()", thread_main_ident, NULL),
    TY_FUNCTION("_is_main_interpreter()", thread_is_main_interpreter, NULL),
    TY_FUNCTION("_count()", thread_count, "How many threads were started and have not ended."),
    TY_FUNCTION("stack_size(size=0, /)", thread_stack_size, "The C stack size of new threads; sets it if one is given. 0: the system's default."),
    TY_FUNCTION("interrupt_main(signum=signal.SIGINT, /)", thread_interrupt_main, "Simulates that a signal came to the main thread."),
    TY_FUNCTION("_shutdown()", thread_shutdown, "Waits for all threads that are not daemons."),
    TY_FUNCTION("set_name(name)", thread_set_name, "Sets the name of this thread that the operating system shows."),
    TY_FUNCTION("_get_name()", thread_get_name, "The name of this thread that the operating system shows."),
    TY_FUNCTION("_excepthook(args, /)", thread_excepthook, "Shows an exception that ended a thread."),
    {0}};

static bool thread_execute(Value module)
{
    static const TyStructField fields[] = {
        {"exc_type", "Exception type"}, {"exc_value", "Exception value"}, {"exc_traceback", "Exception traceback"}, {"thread", "Thread"}, {0}};
    static const TyStructDef def = {"_thread._ExceptHookArgs", "What threading.excepthook() is given.", fields, 4};
    return ty_struct_sequence_type(&hook_arguments_type, &def) && ty_type_ready(&handle_type) &&
           ty_module_add(module, "_ExceptHookArgs", ty_from_object(&hook_arguments_type)) &&
           ty_module_add(module, "_ThreadHandle", ty_from_object(&handle_type)) &&
           ty_module_add(module, "LockType", ty_from_object(&ty_lock_type)) && ty_module_add(module, "lock", ty_from_object(&ty_lock_type)) &&
           ty_module_add(module, "error", ty_from_object(&ty_RuntimeError)) && ty_module_add_int(module, "_NAME_MAXLEN", NAME_MAX_LENGTH) &&
           ty_module_add(module, "TIMEOUT_MAX", ty_from_double(TIMEOUT_MAX_SECONDS));
}

static TyType *const thread_types[] = {&ty_lock_type, &ty_rlock_type, &ty_local_type, NULL};

const TyModuleDef ty_module__thread = {
    .name = "_thread",
    .doc = "Threads and locks, the plain parts that the threading module builds on.",
    .functions = thread_functions,
    .types = thread_types,
    .execute = thread_execute,
};
