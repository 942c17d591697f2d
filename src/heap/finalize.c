/* Objects with finalizers, and what a collection leaves for ordinary code to do: finalizers and callbacks of weak references. */
#include "heap/internal.h"

#include <stdlib.h>

#define CALLBACK_BATCH 16

Space *ty_space_of_object(TyObject *object)
{
    return in_heap(object) ? ty_heap.blocks[block_of(object)].space : ty_heap.spaces;
}

bool ty_finalizers_push(TyHeapCache *cache, TyObject *object)
{
    if (TY_UNLIKELY(cache->finalizers.count >= ty_load_relaxed(&ty_heap.finalizer_limit)))
        ty_store_relaxed(&ty_heap.many_finalizers, true);
    return ty_heap_vector_push(&cache->finalizers, object);
}

void ty_finalizer_register(TyObject *object)
{
    if (!ty_finalizers_push(ty_thread->cache, object))
        abort(); /* a few bytes of malloc'ed memory; the caller's object could not keep its promise */
}

void ty_finalizers_collect(TyHeapCache *cache)
{
    ty_mutex_lock(&ty_heap.finalizer_lock);
    for (size_t i = 0; i < cache->finalizers.count; i++)
        if (!ty_heap_vector_push(&cache->space->finalizers, cache->finalizers.items[i]))
            abort();
    cache->finalizers.count = 0;
    ty_mutex_unlock(&ty_heap.finalizer_lock);
}

/* --- revival ------------------------------------------------------------------------------------------------------------------------ */

/* Who refers to another is finalized before it: a buffer is flushed before the file below it is closed. Marking from each object
 * in turn, oldest first, gives groups: an object and those that it reaches, in the order of discovery. No object of an earlier group reaches one
 * of a later group (it would have been found then), so the groups are run latest first. */
typedef struct Revival {
    Vector order;
    TyObject **registered;      /* sorted: the objects that are to be finalized */
    size_t registered_count;
    size_t *group_starts;
    size_t group_count, group_capacity;
} Revival;

static int compare_addresses(const void *a, const void *b)
{
    uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;
    return left < right ? -1 : left > right;
}

/* Without memory for the list an object waits for the next collection, alive. */
static void revived(TyObject *object, void *context)
{
    Revival *revival = context;
    if (bsearch(&object, revival->registered, revival->registered_count, sizeof object, compare_addresses))
        ty_heap_vector_push(&revival->order, object);
}

static bool begin_group(Revival *revival)
{
    if (revival->group_count == revival->group_capacity) {
        size_t capacity = revival->group_capacity ? revival->group_capacity * 2 : 64;
        size_t *starts = realloc(revival->group_starts, capacity * sizeof *starts);
        if (!starts)
            return false;
        revival->group_starts = starts;
        revival->group_capacity = capacity;
    }
    revival->group_starts[revival->group_count++] = revival->order.count;
    return true;
}

/* An object may be revived that is on the list, but whose finalizer was queued before; those have their bit set when they are queued. */
static void queue(TyObject *object)
{
    if (ty_pending_add(ty_space_of_object(object), object, true))
        ty_object_set_bits(object, TY_BIT_FINALIZED);
}

static bool is_due(TyObject *object)
{
    if (is_marked(object) || (ty_object_bits(object) & TY_BIT_FINALIZED))
        return false;
    const TyLayout *layout = ty_type_layout(ty_object_type(object));
    return !layout->finalize_due || layout->finalize_due(object);
}

static void gather_dead(Vector *dead)
{
    for (Space *space = ty_heap.spaces; space; space = space->next)
        for (size_t i = 0; i < space->finalizers.count; i++)
            if (is_due(space->finalizers.items[i]))
                ty_heap_vector_push(dead, space->finalizers.items[i]);
}

static void forget_finalized(Vector *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!(ty_object_bits(list->items[i]) & TY_BIT_FINALIZED) && is_marked(list->items[i])) /* unmarked by now: its finalizer has nothing to do */
            list->items[kept++] = list->items[i];
    list->count = kept;
}

void ty_finalizers_revive(void)
{
    Revival revival = {0};
    Vector dead = {0};
    gather_dead(&dead);
    if (dead.count && (revival.registered = malloc(dead.count * sizeof *dead.items))) {
        memcpy(revival.registered, dead.items, dead.count * sizeof *dead.items);
        qsort(revival.registered, dead.count, sizeof *dead.items, compare_addresses);
        revival.registered_count = dead.count;
    }
    free(dead.items);
    for (Space *space = ty_heap.spaces; space; space = space->next)
        for (size_t i = 0; i < space->finalizers.count; i++) {
            TyObject *object = space->finalizers.items[i];
            if (!is_due(object))
                continue;
            if (begin_group(&revival))
                ty_mark_more(object, revived, &revival);
            else
                ty_mark_more(object, NULL, NULL);
        }
    size_t end = revival.order.count;
    for (size_t group = revival.group_count; group-- > 0;) {
        for (size_t i = revival.group_starts[group]; i < end; i++)
            queue(revival.order.items[i]);
        end = revival.group_starts[group];
    }
    free(revival.order.items);
    free(revival.group_starts);
    free(revival.registered);
    for (Space *space = ty_heap.spaces; space; space = space->next)
        forget_finalized(&space->finalizers);
}

/* --- what is due ---------------------------------------------------------------------------------------------------------------------- */

bool ty_pending_add(Space *space, TyObject *object, bool finalizer)
{
    if (!space->interpreter)
        return true; /* closed: nobody would run it */
    if (space->pending_end == space->pending_capacity) {
        if (space->pending_first > 0) {
            memmove(space->pending, space->pending + space->pending_first,
                    (space->pending_end - space->pending_first) * sizeof *space->pending);
            space->pending_end -= space->pending_first;
            space->pending_first = 0;
        } else {
            size_t capacity = space->pending_capacity ? space->pending_capacity * 2 : 64;
            Pending *pending = realloc(space->pending, capacity * sizeof *pending);
            if (!pending)
                return false;
            space->pending = pending;
            space->pending_capacity = capacity;
        }
    }
    space->pending[space->pending_end++] = (Pending){object, finalizer};
    ty_store_relaxed(&space->has_pending, true);
    return true;
}

void ty_pending_mark(TyMarker *marker)
{
    for (Space *space = ty_heap.spaces; space; space = space->next)
        for (size_t i = space->pending_first; i < space->pending_end; i++)
            ty_mark_object(marker, space->pending[i].object);
}

void ty_pending_announce(void)
{
    for (TyThread *thread = ty_threads_first(); thread; thread = thread->next)
        if (ty_load_relaxed(&thread->cache->space->has_pending))
            ty_poll_request(thread, TY_POLL_PENDING);
}

/* Takes a finalizer, or several references whose callbacks are due; 0: nothing is left. */
static size_t take(Space *space, TyObject **objects, bool *finalizer)
{
    size_t count = 0;
    ty_mutex_lock(&ty_heap.lock);
    while (space->pending_first < space->pending_end && count < CALLBACK_BATCH) {
        Pending *next = &space->pending[space->pending_first];
        if (count && (*finalizer || next->finalizer))
            break;
        *finalizer = next->finalizer;
        objects[count++] = next->object;
        space->pending_first++;
    }
    if (!count)
        ty_store_relaxed(&space->has_pending, false);
    ty_mutex_unlock(&ty_heap.lock);
    return count;
}

static void finalize(TyObject *object)
{
    const TyLayout *layout = ty_type_layout(ty_object_type(object));
    if (!layout->finalize)
        return;
    Value raised = ty_thread->exception; /* stays on this C stack meanwhile */
    ty_thread->exception = TY_NULL;
    layout->finalize(object);
    ty_thread->exception = raised;
}

bool ty_heap_pending(void) { return ty_load_relaxed(&ty_thread->cache->space->has_pending); }

void ty_heap_run_pending(void)
{
    TyThread *thread = ty_thread;
    if (thread->running_pending)
        return;
    ty_poll_clear(thread, TY_POLL_PENDING);
    ty_heap_collect_if_due(false);
    Space *space = thread->cache->space;
    if (!ty_load_relaxed(&space->has_pending))
        return;
    thread->running_pending = true;
    TyObject *objects[CALLBACK_BATCH]; /* on the C stack, so they stay alive */
    bool finalizer = false;
    size_t count;
    while ((count = take(space, objects, &finalizer)) != 0) {
        if (finalizer) {
            finalize(objects[0]);
        } else {
            Value raised = thread->exception;
            thread->exception = TY_NULL;
            ty_weak_callbacks(objects, count);
            thread->exception = raised;
        }
    }
    memset(objects, 0, sizeof objects);
    __asm__ volatile("" : : "r"(objects) : "memory"); /* nothing may be kept alive by accident */
    thread->running_pending = false;
}

/* Newest first: what was built upon other objects goes before them. */
static TyObject *take_registered(Space *space)
{
    TyObject *found = NULL;
    ty_mutex_lock(&ty_heap.finalizer_lock);
    while (space->finalizers.count > 0 && !found) {
        TyObject *object = space->finalizers.items[--space->finalizers.count];
        if (!(ty_object_bits(object) & TY_BIT_FINALIZED))
            found = object;
    }
    ty_mutex_unlock(&ty_heap.finalizer_lock);
    return found;
}

static void gather(Space *space)
{
    for (TyHeapCache *cache = space->caches; cache; cache = cache->next)
        ty_finalizers_collect(cache);
}

void ty_heap_finalize_all(TyInterpreter *interpreter, bool alone)
{
    Space *space = ty_space_of(interpreter);
    if (!space)
        return;
    ty_heap_run_pending();
    for (;;) {
        if (!alone)
            ty_world_stop(); /* other threads' caches are looked into */
        gather(space);
        if (!alone)
            ty_world_start();
        TyObject *object = take_registered(space);
        if (!object)
            break;
        ty_object_set_bits(object, TY_BIT_FINALIZED);
        finalize(object);
    }
}
