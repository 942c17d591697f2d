/* Threads' registration, their states, and stopping the world.
 *
 * The handshake is Dekker's: the collector sets TY_POLL_STOP and then reads the thread's state; a thread that becomes RUNNING writes its
 * state and then reads `poll`. Both in sequentially consistent order, so that one of them sees the other. */
#include "base/clock.h"
#include "heap/internal.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local TyThread *ty_thread;

static struct {
    TyMutex lock;                     /* the list; held as long as the world is stopped */
    TyThread *first;
    uint32_t count;
    _Atomic(TyThread *) owner;        /* who stopped the world */
    uint32_t depth;
    _Atomic uint32_t stopped;         /* 1 while it is */
} world;

#define STACK_RESERVE ((size_t)256 << 10)  /* left for C code that does not look at its depth */
#define STACK_MOST ((size_t)64 << 20)      /* assumed of a stack without a limit */

/* --- registers --------------------------------------------------------------------------------------------------------- */

/* Stores the registers that a called function preserves and returns the caller's stack pointer. In assembly, since a C function would
 * have moved some of them into its own frame, which is gone when it returns. */
#if defined(__x86_64__)
__asm__(".text\n.globl ty_registers_save\n.type ty_registers_save,@function\nty_registers_save:\n"
        "movq %rbx,(%rdi)\nmovq %rbp,8(%rdi)\nmovq %r12,16(%rdi)\nmovq %r13,24(%rdi)\nmovq %r14,32(%rdi)\nmovq %r15,40(%rdi)\n"
        "leaq 8(%rsp),%rax\nret\n.size ty_registers_save,.-ty_registers_save\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl ty_registers_save\n.type ty_registers_save,%function\nty_registers_save:\n"
        "stp x19,x20,[x0]\nstp x21,x22,[x0,16]\nstp x23,x24,[x0,32]\nstp x25,x26,[x0,48]\nstp x27,x28,[x0,64]\nstp x29,x30,[x0,80]\n"
        "stp d8,d9,[x0,96]\nstp d10,d11,[x0,112]\nstp d12,d13,[x0,128]\nstp d14,d15,[x0,144]\n"
        "mov x0,sp\nret\n.size ty_registers_save,.-ty_registers_save\n");
#else
#error "ty_registers_save is to be written for this processor"
#endif

#define STACK_CLEARED 1024 /* bytes: more than the few frames that lie between the interpreter and itself, or the collector */

__attribute__((noinline)) void ty_c_stack_clear(void)
{
    char room[STACK_CLEARED];
    memset(room, 0, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
}

/* --- states --------------------------------------------------------------------------------------------------------------- */

static void leave_running(TyThread *thread, uint32_t state)
{
    atomic_store_explicit(&thread->state, state, memory_order_seq_cst);
    if (TY_UNLIKELY(atomic_load_explicit(&thread->poll, memory_order_seq_cst) & TY_POLL_STOP))
        ty_futex_wake(&thread->state, 1);
}

static void become_running(TyThread *thread, uint32_t state)
{
    for (;;) {
        atomic_store_explicit(&thread->state, TY_THREAD_RUNNING, memory_order_seq_cst);
        if (TY_LIKELY(!(atomic_load_explicit(&thread->poll, memory_order_seq_cst) & TY_POLL_STOP)))
            break;
        leave_running(thread, state);
        while (ty_load_acquire(&world.stopped))
            ty_futex_wait(&world.stopped, 1, -1);
    }
    atomic_thread_fence(memory_order_acquire);
}

void ty_blocking_enter(TyThread *thread) { leave_running(thread, TY_THREAD_BLOCKED); }
void ty_blocking_leave(TyThread *thread) { become_running(thread, TY_THREAD_BLOCKED); }

void ty_safepoint_slow(void)
{
    TyThread *thread = ty_thread;
    if (ty_load_relaxed(&world.owner) == thread)
        return;
    thread->c_stack_scan = (char *)ty_registers_save(thread->registers);
    leave_running(thread, TY_THREAD_STOPPED);
    while (ty_load_acquire(&world.stopped))
        ty_futex_wait(&world.stopped, 1, -1);
    become_running(thread, TY_THREAD_STOPPED);
}

void ty_mutex_lock_blocking(TyMutex *mutex)
{
    if (ty_mutex_try_lock(mutex))
        return;
    ty_blocking_begin();
    ty_mutex_lock(mutex);
    ty_blocking_end();
}

void ty_poll_request(TyThread *thread, uint32_t bits) { atomic_fetch_or_explicit(&thread->poll, bits, memory_order_seq_cst); }
void ty_poll_clear(TyThread *thread, uint32_t bits) { atomic_fetch_and_explicit(&thread->poll, ~bits, memory_order_seq_cst); }

/* --- the world --------------------------------------------------------------------------------------------------------------- */

void ty_world_stop(void)
{
    TyThread *self = ty_thread;
    if (ty_load_relaxed(&world.owner) == self) {
        world.depth++;
        return;
    }
    ty_mutex_lock_blocking(&world.lock);
    ty_store_relaxed(&world.owner, self);
    world.depth = 1;
    ty_store_relaxed(&world.stopped, 1);
    for (TyThread *thread = world.first; thread; thread = thread->next)
        if (thread != self)
            ty_poll_request(thread, TY_POLL_STOP);
    for (TyThread *thread = world.first; thread; thread = thread->next)
        while (thread != self && atomic_load_explicit(&thread->state, memory_order_seq_cst) == TY_THREAD_RUNNING)
            ty_futex_wait(&thread->state, TY_THREAD_RUNNING, -1);
}

void ty_world_start(void)
{
    if (--world.depth)
        return;
    ty_store_relaxed(&world.owner, NULL);
    for (TyThread *thread = world.first; thread; thread = thread->next)
        ty_poll_clear(thread, TY_POLL_STOP);
    bool others = world.count > 1;
    ty_store_release(&world.stopped, 0);
    if (others)
        ty_futex_wake(&world.stopped, INT_MAX);
    ty_mutex_unlock(&world.lock);
}

TyThread *ty_threads_first(void) { return world.first; }
TyThread *const *ty_threads_place(void) { return &world.first; }

static void compare_thread(TyThread *thread, void *context)
{
    if (thread == *(TyThread **)context)
        *(TyThread **)context = NULL;
}

bool ty_thread_lives(TyThread *thread)
{
    ty_thread_each(compare_thread, &thread);
    return thread == NULL;
}

void ty_thread_each(void (*visit)(TyThread *thread, void *context), void *context)
{
    bool mine = ty_thread && ty_load_relaxed(&world.owner) == ty_thread;
    if (!mine) {
        if (ty_thread)
            ty_mutex_lock_blocking(&world.lock);
        else
            ty_mutex_lock(&world.lock);
    }
    for (TyThread *thread = world.first; thread; thread = thread->next)
        visit(thread, context);
    if (!mine)
        ty_mutex_unlock(&world.lock);
}

bool ty_thread_try_each(void (*visit)(TyThread *thread, void *context), void *context)
{
    if (!ty_mutex_try_lock(&world.lock))
        return false;
    for (TyThread *thread = world.first; thread; thread = thread->next)
        visit(thread, context);
    ty_mutex_unlock(&world.lock);
    return true;
}

/* Whether a thread was stopped, or sleeps, where it may hold an object's lock: in an allocation, or waiting for another lock; or works on something. */
static bool someone_inside(void)
{
    for (TyThread *thread = world.first; thread; thread = thread->next)
        if (thread != ty_thread && (thread->in_allocation || thread->in_work))
            return true;
    return false;
}

bool ty_world_stop_between(int64_t patience_ns)
{
    int64_t deadline = ty_clock_monotonic_ns() + patience_ns;
    for (;;) {
        ty_world_stop();
        if (!someone_inside())
            return true;
        if (world.depth > 1 || ty_clock_monotonic_ns() >= deadline)
            return false;
        ty_world_start();
        usleep(50);
    }
}

bool ty_world_is_mine(void) { return ty_load_relaxed(&world.owner) == ty_thread; }
bool ty_world_has_others(void) { return world.count > 1; }

void ty_many_threads_begin(void) { ty_store_relaxed(&ty_many_threads, true); }

/* A thread that came from outside: the others have not been told. Who was stopped inside an allocation may be between
 * a lock that was skipped and its unlock; then they get another moment. */
static void become_many(void)
{
    ty_world_stop_between(TY_NANOSECONDS / 5);
    ty_store_relaxed(&ty_many_threads, true);
    ty_world_start();
}

/* --- attaching ------------------------------------------------------------------------------------------------------------------ */

extern void *__libc_stack_end;

static void find_stack(TyThread *thread)
{
    void *low = NULL;
    size_t size = 0;
    if (getpid() == (pid_t)thread->native_id) { /* pthread_getattr_np would read the map of the whole process */
        struct rlimit limit;
        size = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < STACK_MOST ? limit.rlim_cur : STACK_MOST;
        thread->c_stack_base = __libc_stack_end;
        low = thread->c_stack_base - size;
    } else {
        pthread_attr_t attributes;
        if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
            pthread_attr_getstack(&attributes, &low, &size);
            pthread_attr_destroy(&attributes);
        }
        thread->c_stack_base = (char *)low + size;
    }
    thread->c_stack_limit = (char *)low + TY_MIN(STACK_RESERVE, size / 4);
}

static void use(TyThread *thread)
{
    ty_thread = thread;
    ty_heap_runs = thread ? thread->cache->runs[0] : NULL;
}

/* A signal handler may still look at the TyThread of a visit that has just ended: their memory is used again for others only. */
static struct {
    TyMutex lock;
    TyThread *first;
} ended;

static TyThread *take_ended(void)
{
    ty_mutex_lock(&ended.lock);
    TyThread *thread = ended.first;
    if (thread)
        ended.first = thread->next;
    ty_mutex_unlock(&ended.lock);
    if (thread)
        memset((void *)thread, 0, sizeof *thread);
    return thread;
}

static void give_ended(TyThread *thread)
{
    ty_mutex_lock(&ended.lock);
    thread->next = ended.first;
    ended.first = thread;
    ty_mutex_unlock(&ended.lock);
}

static TyThread *thread_new(TyInterpreter *interpreter)
{
    TyThread *thread = take_ended();
    if (!thread)
        thread = calloc(1, sizeof *thread);
    TyHeapCache *cache = thread ? ty_cache_new(interpreter) : NULL;
    if (!cache) {
        if (thread)
            give_ended(thread);
        return NULL;
    }
    thread->cache = cache;
    thread->interpreter = interpreter;
    return thread;
}

static void enter_list(TyThread *thread)
{
    thread->previous = NULL;
    thread->next = world.first;
    if (world.first)
        world.first->previous = thread;
    world.first = thread;
    world.count++;
}

/* No collection runs while the list is locked. */
static void leave_list(TyThread *thread)
{
    if (thread->previous)
        thread->previous->next = thread->next;
    else
        world.first = thread->next;
    if (thread->next)
        thread->next->previous = thread->previous;
    world.count--;
    ty_finalizers_collect(thread->cache);
    ty_cache_return(thread->cache);
}

static void thread_free(TyThread *thread)
{
    ty_cache_free(thread->cache);
    free(thread->scratch);
    give_ended(thread);
}

TyThread *ty_thread_attach(TyInterpreter *interpreter)
{
    TyThread *thread = thread_new(interpreter);
    if (!thread)
        return NULL;
    thread->handle = pthread_self();
    thread->ident = (uint64_t)(uintptr_t)thread->handle;
    thread->native_id = (uint64_t)syscall(SYS_gettid);
    find_stack(thread);
    TyThread *before = ty_thread;
    if (before)
        ty_mutex_lock_blocking(&world.lock);
    else
        ty_mutex_lock(&world.lock);
    bool first_of_many = world.first && !before && !ty_load_relaxed(&ty_many_threads);
    thread->state = before ? TY_THREAD_BLOCKED : TY_THREAD_RUNNING;
    enter_list(thread);
    ty_mutex_unlock(&world.lock);
    if (before) { /* another one of the same OS thread: the caller goes on as that */
        thread->c_stack_scan = (char *)ty_registers_save(thread->registers);
        thread->blocking_depth = 1;
        ty_thread_switch(thread);
    } else {
        use(thread);
        if (first_of_many)
            become_many();
    }
    return thread;
}

TyThread *ty_thread_attach_idle(TyInterpreter *interpreter)
{
    TyThread *self = ty_thread, *thread = thread_new(interpreter);
    if (!thread)
        return NULL;
    thread->handle = self->handle;
    thread->ident = self->ident;
    thread->native_id = self->native_id;
    thread->c_stack_limit = self->c_stack_limit;
    thread->state = TY_THREAD_BLOCKED;
    thread->blocking_depth = 1;
    ty_mutex_lock_blocking(&world.lock);
    enter_list(thread);
    ty_mutex_unlock(&world.lock);
    return thread;
}

void ty_thread_drop_idle(TyThread *thread)
{
    ty_mutex_lock_blocking(&world.lock);
    leave_list(thread);
    ty_mutex_unlock(&world.lock);
    thread_free(thread);
}

void ty_thread_switch(TyThread *to)
{
    TyThread *from = ty_thread;
    if (from == to)
        return;
    if (from)
        ty_blocking_begin();
    use(to);
    if (to)
        ty_blocking_end();
}

void ty_thread_detach(void)
{
    TyThread *thread = ty_thread;
    ty_blocking_begin();
    ty_mutex_lock(&world.lock);
    leave_list(thread);
    ty_mutex_unlock(&world.lock);
    use(NULL);
    thread_free(thread);
}

/* --- fork ---------------------------------------------------------------------------------------------------------------------- */

#define FORK_PATIENCE (TY_NANOSECONDS / 50)

static bool left_inside; /* some thread is not where it should be when the process forks */

void ty_heap_fork_prepare(void) { left_inside = !ty_world_stop_between(FORK_PATIENCE); }
void ty_heap_fork_parent(void) { ty_world_start(); }

/* What a thread has locked that is no more. */
static bool unlock(TyObject *object, void *context)
{
    (void)context;
    if (ty_object_bits(object) & TY_BIT_LOCKED)
        ty_object_clear_bits(object, TY_BIT_LOCKED | TY_BIT_CONTENDED);
    return true;
}

/* The calling OS thread is the only one left; it may have several TyThreads. */
void ty_heap_fork_child(void)
{
    TyThread *self = ty_thread, *all = world.first;
    world.first = NULL;
    world.count = 0;
    for (TyThread *thread = all, *next; thread; thread = next) {
        next = thread->next;
        if (pthread_equal(thread->handle, self->handle)) {
            thread->native_id = (uint64_t)syscall(SYS_gettid);
            enter_list(thread);
        } else {
            ty_roots_forget(thread->c_stack_scan, thread->c_stack_base);
            ty_finalizers_collect(thread->cache);
            ty_cache_free(thread->cache); /* its TyThread stays: what it had locked is known by its address, which must not be anyone else's */
        }
    }
    ty_mark_after_fork();
    if (left_inside)
        ty_heap_each(unlock, NULL);
    ty_world_start();
}
