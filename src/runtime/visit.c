/* OS threads going from interpreter to interpreter.
 *
 * An OS thread has one TyThread of its own; for each other interpreter that it enters it gets a further one, a visit, kept for the next time, so that
 * entering is a look into a small table and a switch. Visits nest. They use the Python stack and the table of lookups of the TyThread that
 * they come from: at the bottom of its part of the stack each entry keeps what leaving has to restore. While it is idle, a visit is BLOCKED and has
 * nothing on any stack.
 *
 * A visit ends when its interpreter is closed, or when its OS thread ends. The list of an interpreter's visits is under `lock`; the OS thread's
 * table is its own, and may hold visits of interpreters closed by other threads: those have lost their TyThread. */
#include "object/exception.h"
#include "object/interpreter.h"
#include "runtime/runtime.h"
#include "runtime/visit.h"
#include <stdlib.h>

typedef struct Entry { /* on the Python stack, below the visit's frames */
    struct Entry *outer;
    char *stack_base, *stack_top, *stack_limit, *c_stack_base, *c_stack_scan;
} Entry;

typedef struct TyVisit {
    int64_t interpreter_id;
    pthread_t owner;
    TyThread *thread;                  /* NULL: the interpreter was closed; changed under `lock` */
    struct TyVisit *next, **link;      /* in the interpreter's list, under `lock` */
    Entry *entry;                      /* the innermost one; NULL: idle */
} TyVisit;

static TyMutex lock = TY_MUTEX_INIT;   /* may be held at a safepoint: waiters must not be RUNNING */

/* The calling OS thread's visits: open addressing by the interpreter's id; what was closed leaves when the table is built anew. */
static _Thread_local struct {
    TyVisit **slots;
    uint32_t mask;                     /* slots - 1 */
    uint32_t used;
    TyVisit home;                      /* the OS thread's own TyThread, entered again from a visit */
} visits;

static uint32_t place_of(int64_t id) { return (uint32_t)((uint64_t)id * 0x9E3779B97F4A7C15ull >> 32) & visits.mask; }

static TyVisit *find(int64_t id)
{
    if (!visits.slots)
        return NULL;
    for (uint32_t i = place_of(id);; i = (i + 1) & visits.mask) {
        TyVisit *visit = visits.slots[i];
        if (!visit || visit->interpreter_id == id)
            return visit;
    }
}

static void put(TyVisit *visit)
{
    uint32_t i = place_of(visit->interpreter_id);
    while (visits.slots[i])
        i = (i + 1) & visits.mask;
    visits.slots[i] = visit;
    visits.used++;
}

/* A new table without the visits of closed interpreters, with room for more. */
static bool rebuild(void)
{
    TyVisit **old = visits.slots;
    uint32_t old_count = old ? visits.mask + 1 : 0, live = 0, count = 16;
    ty_mutex_lock_blocking(&lock);
    for (uint32_t i = 0; i < old_count; i++)
        live += old[i] && old[i]->thread;
    while (count < (live + 1) * 4)
        count *= 2;
    TyVisit **slots = calloc(count, sizeof *slots);
    if (slots) {
        visits.slots = slots;
        visits.mask = count - 1;
        visits.used = 0;
        for (uint32_t i = 0; i < old_count; i++)
            if (old[i] && old[i]->thread)
                put(old[i]);
            else
                free(old[i]);
        free(old);
    }
    ty_mutex_unlock(&lock);
    return slots != NULL;
}

static TyVisit *begin_visit(TyInterpreter *interpreter)
{
    if ((!visits.slots || (visits.used + 1) * 2 > visits.mask + 1) && !rebuild())
        return NULL;
    TyVisit *visit = calloc(1, sizeof *visit);
    TyThread *thread = visit ? ty_thread_attach_idle(interpreter) : NULL;
    if (!thread) {
        free(visit);
        return NULL;
    }
    thread->recursion_limit = ty_load_relaxed(&interpreter->recursion_limit);
    thread->visit = visit;
    visit->thread = thread;
    visit->owner = pthread_self();
    visit->interpreter_id = interpreter->id;
    ty_mutex_lock_blocking(&lock);
    visit->next = interpreter->visits;
    visit->link = &interpreter->visits;
    if (visit->next)
        visit->next->link = &visit->next;
    interpreter->visits = visit;
    ty_mutex_unlock(&lock);
    put(visit);
    return visit;
}

static TyVisit *visit_for(TyThread *from, TyInterpreter *interpreter)
{
    if (!from->visit)
        visits.home.thread = from;
    if (visits.home.thread && visits.home.thread->interpreter == interpreter)
        return &visits.home;
    TyVisit *visit = find(interpreter->id);
    return visit ? visit : begin_visit(interpreter);
}

/* The main thread works as `now`, which has to see the signals that come, and those that came before. */
static void depute(TyThread *home, TyThread *now)
{
    atomic_store_explicit(&home->deputy, now, memory_order_seq_cst);
    if (now != home && TY_UNLIKELY(atomic_load_explicit(&home->poll, memory_order_seq_cst) & TY_POLL_SIGNAL))
        ty_poll_request(now, TY_POLL_SIGNAL);
}

TyThread *ty_interpreter_enter(TyInterpreter *interpreter)
{
    TyThread *from = ty_thread;
    if (from->interpreter == interpreter)
        return from;
    TyVisit *visit = visit_for(from, interpreter);
    if (!visit) {
        ty_raise_memory_error();
        return NULL;
    }
    Entry *entry = (Entry *)(void *)from->stack_top;
    if (TY_UNLIKELY((char *)(entry + 1) > from->stack_limit || (char *)__builtin_frame_address(0) < from->c_stack_limit)) {
        ty_raise(&ty_RecursionError, "maximum recursion depth exceeded while entering an interpreter");
        return NULL;
    }
    TyThread *to = visit->thread;
    *entry = (Entry){ visit->entry, to->stack_base, to->stack_top, to->stack_limit, to->c_stack_base, to->c_stack_scan };
    if (!visit->entry && to->visit) /* what lies above is scanned for those that it belongs to */
        to->c_stack_base = to->c_stack_scan = __builtin_frame_address(0); /* nothing yet: a collection may come while threads are switched */
    visit->entry = entry;
    to->stack_base = from->stack_base;
    to->stack_top = (char *)(entry + 1);
    to->stack_limit = from->stack_limit;
    to->lookup_cache = from->lookup_cache;
    ty_thread_switch(to);
    if (visits.home.thread->main)
        depute(visits.home.thread, to);
    return from;
}

void ty_interpreter_leave(TyThread *back)
{
    TyThread *self = ty_thread;
    if (self == back)
        return;
    TyVisit *visit = self->visit ? self->visit : &visits.home;
    Entry *entry = visit->entry;
    back->lookup_cache = self->lookup_cache;
    if (visits.home.thread->main)
        depute(visits.home.thread, back);
    ty_thread_switch(back);
    /* No collection looks at the other one while this one runs. */
    self->stack_base = entry->stack_base;
    self->stack_top = entry->stack_top;
    self->stack_limit = entry->stack_limit;
    self->c_stack_base = entry->c_stack_base;
    self->c_stack_scan = entry->c_stack_scan;
    visit->entry = entry->outer;
    if (!visit->entry && self->visit) {
        self->lookup_cache = NULL;
        memset(self->registers, 0, sizeof self->registers);
    }
}

/* --- endings ------------------------------------------------------------------------------------------------------------------- */

static void unlink_visit(TyVisit *visit)
{
    *visit->link = visit->next;
    if (visit->next)
        visit->next->link = visit->link;
    visit->thread = NULL;
}

static void end_visit(TyVisit *visit)
{
    TyThread *thread = visit->thread;
    unlink_visit(visit);
    ty_asyncio_thread_end(thread);
    ty_thread_drop_idle(thread);
}

void ty_visits_end(TyInterpreter *interpreter)
{
    ty_mutex_lock_blocking(&lock);
    while (interpreter->visits)
        end_visit(interpreter->visits); /* its OS thread frees the rest some time */
    ty_mutex_unlock(&lock);
}

void ty_visits_end_own(void)
{
    if (visits.slots) {
        ty_mutex_lock_blocking(&lock);
        for (uint32_t i = 0; i <= visits.mask; i++) {
            if (visits.slots[i] && visits.slots[i]->thread)
                end_visit(visits.slots[i]);
            free(visits.slots[i]);
        }
        ty_mutex_unlock(&lock);
        free(visits.slots);
    }
    memset(&visits, 0, sizeof visits);
}

static void forget_others(TyInterpreter *interpreter, void *context)
{
    (void)context;
    for (TyVisit *visit = interpreter->visits, *next; visit; visit = next) {
        next = visit->next;
        if (!pthread_equal(visit->owner, pthread_self()))
            unlink_visit(visit);
    }
}

void ty_visits_after_fork(void)
{
    ty_interpreter_each(forget_others, NULL);
}
