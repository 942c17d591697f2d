/* Marking: explicit stacks of objects in chunks, one marker for each processor when the heap is big.
 *
 * A marker pops an object, marks its type and lets the type's trace function mark what it holds. A marker with nothing left takes a
 * chunk from the shared pool; one that sees others idle gives half of what it has. When memory for a chunk can't be had the
 * object stays marked but untraced, and the whole heap is gone over for such objects at the end. */
#include "heap/internal.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_ITEMS 1022
#define SLAB_CHUNKS 32
#define MARKERS_MAX 8
#define PARALLEL_FROM ((size_t)16 << 20)
#define QUEUE 8
#define SHARE_INTERVAL 128 /* objects traced between looks at whether others are idle */

typedef struct Chunk {
    struct Chunk *next;
    size_t count;
    TyObject *items[CHUNK_ITEMS];
} Chunk;

typedef struct Slab {
    struct Slab *next;
    Chunk chunks[SLAB_CHUNKS];
} Slab;

struct TyMarker {
    uintptr_t base;
    size_t reserved;
    _Atomic uint64_t *marks;
    Chunk *chunk;                 /* the newest; its `next` are full */
    bool parallel;
    void (*visit)(Value v, void *context); /* not marking, but telling what an object holds */
    TyRevivedFunction revived;
    void *context;
};

static struct {
    TyMutex lock;
    Chunk *full;                  /* work for anyone */
    Chunk *empty;
    Slab *slabs;
    uint32_t markers, idle;       /* of this collection; idle under the lock, read without */
    _Atomic uint32_t anyone_idle;
    _Atomic uint32_t signal;      /* changes when there is work, or none will come */
    bool done;
    _Atomic bool overflow;
    uint32_t helpers;             /* threads started */
    _Atomic uint32_t generation;  /* helpers begin when it changes */
    _Atomic uint32_t helpers_running;
    TyMarker helper_markers[MARKERS_MAX];
} pool;

static Chunk first_chunk; /* so that marking goes on when the system has no memory left */
static bool first_chunk_used;

/* --- chunks --------------------------------------------------------------------------------------------------------------- */

static Chunk *chunk_new_locked(void)
{
    if (!pool.empty) {
        Slab *slab = mmap(NULL, sizeof *slab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (slab == MAP_FAILED) {
            if (first_chunk_used)
                return NULL;
            first_chunk_used = true;
            first_chunk.count = 0;
            return &first_chunk;
        }
        slab->next = pool.slabs;
        pool.slabs = slab;
        for (int i = 0; i < SLAB_CHUNKS; i++) {
            slab->chunks[i].next = pool.empty;
            pool.empty = &slab->chunks[i];
        }
    }
    Chunk *chunk = pool.empty;
    pool.empty = chunk->next;
    chunk->count = 0;
    chunk->next = NULL;
    return chunk;
}

static Chunk *chunk_new(void)
{
    ty_mutex_lock(&pool.lock);
    Chunk *chunk = chunk_new_locked();
    ty_mutex_unlock(&pool.lock);
    return chunk;
}

static void chunk_free(Chunk *chunk)
{
    ty_mutex_lock(&pool.lock);
    if (chunk == &first_chunk) {
        first_chunk_used = false;
    } else {
        chunk->next = pool.empty;
        pool.empty = chunk;
    }
    ty_mutex_unlock(&pool.lock);
}

static void free_slabs(void) /* all chunks are free */
{
    while (pool.slabs && pool.slabs->next) { /* one stays, for the next time */
        Slab *slab = pool.slabs;
        pool.slabs = slab->next;
        munmap(slab, sizeof *slab);
    }
    pool.empty = NULL;
    for (int i = 0; pool.slabs && i < SLAB_CHUNKS; i++) {
        pool.slabs->chunks[i].next = pool.empty;
        pool.empty = &pool.slabs->chunks[i];
    }
}

static void give(Chunk *chunk)
{
    ty_mutex_lock(&pool.lock);
    chunk->next = pool.full;
    pool.full = chunk;
    atomic_fetch_add_explicit(&pool.signal, 1, memory_order_release);
    ty_mutex_unlock(&pool.lock);
    ty_futex_wake(&pool.signal, 1);
}

static TY_NOINLINE void push_slow(TyMarker *marker, TyObject *object)
{
    Chunk *chunk = chunk_new();
    if (!chunk) {
        ty_store_relaxed(&pool.overflow, true);
        return;
    }
    chunk->items[chunk->count++] = object;
    Chunk *full = marker->chunk;
    if (full && marker->parallel && ty_load_relaxed(&pool.anyone_idle)) {
        chunk->next = full->next;
        give(full);
    } else {
        chunk->next = full;
    }
    marker->chunk = chunk;
}

TY_INLINE void push(TyMarker *marker, TyObject *object)
{
    Chunk *chunk = marker->chunk;
    if (TY_LIKELY(chunk && chunk->count < CHUNK_ITEMS))
        chunk->items[chunk->count++] = object;
    else
        push_slow(marker, object);
}

/* Gives half of the newest chunk away. */
static void share(TyMarker *marker)
{
    Chunk *chunk = marker->chunk;
    if (chunk->next) {
        Chunk *full = chunk->next;
        chunk->next = full->next;
        give(full);
    } else if (chunk->count >= 4) {
        Chunk *half = chunk_new();
        if (!half)
            return;
        half->count = chunk->count / 2;
        chunk->count -= half->count;
        memcpy(half->items, chunk->items, half->count * sizeof half->items[0]); /* the older half: likely the bigger graphs */
        memmove(chunk->items, chunk->items + half->count, chunk->count * sizeof half->items[0]);
        give(half);
    }
}

/* Waits for work from others; false: everything is marked. */
static bool take(TyMarker *marker)
{
    if (!marker->parallel)
        return false;
    ty_mutex_lock(&pool.lock);
    pool.idle++;
    if (pool.idle == pool.markers && !pool.full) {
        pool.done = true;
        atomic_fetch_add_explicit(&pool.signal, 1, memory_order_release);
        ty_futex_wake(&pool.signal, INT_MAX);
    }
    ty_store_relaxed(&pool.anyone_idle, pool.idle);
    while (!pool.full && !pool.done) {
        uint32_t signal = ty_load_relaxed(&pool.signal);
        ty_mutex_unlock(&pool.lock);
        ty_futex_wait(&pool.signal, signal, -1);
        ty_mutex_lock(&pool.lock);
    }
    Chunk *chunk = pool.full;
    if (chunk) {
        pool.full = chunk->next;
        chunk->next = NULL;
        pool.idle--;
        ty_store_relaxed(&pool.anyone_idle, pool.idle);
    }
    ty_mutex_unlock(&pool.lock);
    marker->chunk = chunk;
    return chunk != NULL;
}

/* --- marking ----------------------------------------------------------------------------------------------------------------- */

TY_INLINE void mark(TyMarker *marker, TyObject *object)
{
    uintptr_t offset = (uintptr_t)object - marker->base;
    if (offset >= marker->reserved)
        return;
    _Atomic uint64_t *word = &marker->marks[offset / GRANULE / 64];
    uint64_t bit = (uint64_t)1 << ((offset / GRANULE) & 63), bits = ty_load_relaxed(word);
    if (bits & bit)
        return;
    if (marker->parallel) { /* relaxed: objects were published when the world stopped; who sets the bit traces the object */
        if (atomic_fetch_or_explicit(word, bit, memory_order_relaxed) & bit)
            return;
    } else {
        ty_store_relaxed(word, bits | bit);
    }
    push(marker, object);
}

void ty_mark_object(TyMarker *marker, TyObject *object)
{
    if (TY_UNLIKELY(marker->visit != NULL)) {
        if (object)
            marker->visit(ty_from_object(object), marker->context);
        return;
    }
    mark(marker, object);
}

void ty_mark_range(TyMarker *marker, const Value *values, size_t count)
{
    if (TY_UNLIKELY(marker->visit != NULL)) {
        for (size_t i = 0; i < count; i++)
            if (values[i])
                marker->visit(values[i], marker->context);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Value v = ty_field(&values[i]);
        if (ty_is_object(v))
            mark(marker, ty_object(v)); /* 0 lies outside the heap */
    }
}

TyObject *ty_heap_find(const void *address, unsigned previous_set)
{
    if (!in_heap(address))
        return NULL;
    uint32_t index = block_of(address);
    if (index >= ty_load_acquire(&ty_heap.frontier))
        return NULL;
    Block *block = &ty_heap.blocks[index];
    TyObject *object;
    switch (block->state) {
    case BLOCK_CELLS: {
        uint32_t offset = (uint32_t)((uintptr_t)address & (BLOCK_SIZE - 1));
        uint32_t cell = (uint32_t)((uint64_t)offset * block->reciprocal >> 32);
        if (cell >= block->cell_count)
            return NULL;
        object = (TyObject *)(void *)(block_start(index) + cell * block->cell_size);
        if (!block->swept && !(ty_load_relaxed(mark_word(previous_set, object)) & mark_bit(object)))
            return NULL;
        break;
    }
    case BLOCK_REST:
        index = block->head;
        block = &ty_heap.blocks[index];
        /* fall through */
    case BLOCK_LARGE:
        object = (TyObject *)(void *)block_start(index);
        if ((size_t)((const char *)address - (char *)object) >= block->large_size)
            return NULL;
        break;
    default:
        return NULL;
    }
    return ty_object_type(object) ? object : NULL;
}

/* Stacks hold what compilers left there: sanitizers have nothing to say about reading it, nor about who else writes it. */
__attribute__((no_sanitize("address", "thread", "undefined"), noinline))
void ty_mark_conservative(TyMarker *marker, const void *low, const void *high)
{
    const uintptr_t *word = (const uintptr_t *)(((uintptr_t)low + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1));
    uintptr_t base = (uintptr_t)ty_heap.base;
    size_t committed = ty_blocks_committed();
    unsigned previous = marker->visit ? ty_heap.current : ty_heap.current ^ 1;
    for (; word + 1 <= (const uintptr_t *)high; word++) {
        uintptr_t address = *(const volatile uintptr_t *)word;
        if (address - base < committed) {
            TyObject *object = ty_heap_find((const void *)address, previous);
            if (object && TY_UNLIKELY(marker->visit != NULL))
                marker->visit(ty_from_object(object), marker->context);
            else if (object)
                mark(marker, object);
        }
    }
}

#ifndef NDEBUG
static TY_COLD void freed_cell(TyObject *object)
{
    fprintf(stderr, "typhon: the collector reached a freed cell at %p (of %zu bytes): some object or root holds a reference that was not "
                    "marked earlier\n", (void *)object, ty_heap_object_size(object));
    abort();
}
#endif

/* The newest object of the stack, or NULL. */
TY_INLINE TyObject *pop(TyMarker *marker)
{
    Chunk *chunk = marker->chunk;
    while (chunk && TY_UNLIKELY(chunk->count == 0)) {
        marker->chunk = chunk->next;
        chunk_free(chunk);
        chunk = marker->chunk;
    }
    return chunk ? chunk->items[--chunk->count] : NULL;
}

/* Objects go from the stack through a short queue, so that the memory of each has time to arrive before it is looked at. */
static void drain(TyMarker *marker)
{
    unsigned until_share = SHARE_INTERVAL, at = 0, queued = 0;
    TyObject *queue[QUEUE] = {NULL};
    for (;;) {
        TyObject *object = queue[at], *next = pop(marker);
        queue[at] = next;
        at = (at + 1) % QUEUE;
        if (next) {
            __builtin_prefetch(next);
            queued++;
        }
        if (!object) {
            if (!queued && !take(marker))
                return;
            continue;
        }
        queued--;
        TyType *type = ty_object_type(object);
        if (TY_UNLIKELY(!type)) {
#ifndef NDEBUG
            freed_cell(object);
#endif
            continue;
        }
        mark(marker, (TyObject *)type);
        const TyLayout *layout = ty_type_layout(type);
        if (layout->trace && (ty_object_bits(object) & layout->trace_bits) == layout->trace_bits)
            layout->trace(object, marker);
        if (TY_UNLIKELY(marker->revived != NULL) && layout->finalize && !(ty_object_bits(object) & TY_BIT_FINALIZED))
            marker->revived(object, marker->context);
        if (marker->parallel && --until_share == 0) {
            until_share = SHARE_INTERVAL;
            if (ty_load_relaxed(&pool.anyone_idle) && marker->chunk)
                share(marker);
        }
    }
}

static void marker_init(TyMarker *marker, bool parallel)
{
    *marker = (TyMarker){
        .base = (uintptr_t)ty_heap.base, .reserved = ty_heap.reserved, .marks = ty_heap.marks[ty_heap.current], .parallel = parallel,
    };
}

/* Traces again all that is marked: after stacks could not grow. */
static void retrace(TyMarker *marker)
{
    while (ty_load_relaxed(&pool.overflow)) {
        ty_store_relaxed(&pool.overflow, false);
        uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
        for (uint32_t b = 0; b < frontier; b++) {
            Block *block = &ty_heap.blocks[b];
            uint32_t count = block->state == BLOCK_CELLS ? block->cell_count : block->state == BLOCK_LARGE;
            for (uint32_t i = 0; i < count; i++) {
                TyObject *object = (TyObject *)(void *)(block_start(b) + (size_t)i * block->cell_size);
                if (!is_marked(object) || !ty_object_type(object))
                    continue;
                const TyLayout *layout = ty_type_layout(ty_object_type(object));
                mark(marker, (TyObject *)ty_object_type(object));
                if (layout->trace)
                    layout->trace(object, marker);
                drain(marker);
            }
        }
    }
}

/* --- helpers ------------------------------------------------------------------------------------------------------------------- */

uint32_t ty_processor_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

static void *help(void *argument)
{
    uint32_t number = (uint32_t)((uintptr_t)argument >> 32), seen = (uint32_t)(uintptr_t)argument;
    for (;;) {
        uint32_t generation;
        while ((generation = ty_load_acquire(&pool.generation)) == seen)
            ty_futex_wait(&pool.generation, seen, -1);
        seen = generation;
        if (number < ty_load_relaxed(&pool.helpers_running)) {
            drain(&pool.helper_markers[number]);
            ty_mutex_lock(&pool.lock);
            pool.markers--;
            if (pool.markers == 1)
                ty_futex_wake(&pool.signal, INT_MAX);
            atomic_fetch_add_explicit(&pool.signal, 1, memory_order_release);
            ty_mutex_unlock(&pool.lock);
            ty_futex_wake(&pool.signal, INT_MAX);
        }
    }
    return NULL;
}

static void start_helpers(uint32_t wanted)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pool.helpers < wanted) {
        pthread_t thread;
        uintptr_t argument = (uintptr_t)pool.helpers << 32 | ty_load_relaxed(&pool.generation);
        if (pthread_create(&thread, &attributes, help, (void *)argument) != 0)
            break;
        pool.helpers++;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ty_mark_after_fork(void)
{
    pool.helpers = 0;
    ty_store_relaxed(&pool.generation, 0);
    ty_store_relaxed(&pool.helpers_running, 0);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------- */

static void mark_roots(TyMarker *marker)
{
    ty_roots_mark(marker);
    ty_pending_mark(marker);
    for (TyThread *thread = ty_threads_first(); thread; thread = thread->next) {
        ty_mark_conservative(marker, thread->registers, thread->registers + TY_COUNT_OF(thread->registers));
        ty_thread_stack_trace(thread, marker);
        ty_thread_trace(thread, marker);
    }
}

void ty_mark_all(size_t live_before)
{
    TyMarker marker;
    uint32_t helpers = live_before < PARALLEL_FROM ? 0 : TY_MIN(ty_processor_count(), MARKERS_MAX) - 1;
    if (helpers > pool.helpers)
        start_helpers(helpers);
    helpers = TY_MIN(helpers, pool.helpers);
    marker_init(&marker, helpers > 0);
    if (helpers) {
        pool.done = false;
        pool.idle = 0;
        pool.markers = helpers + 1;
        ty_store_relaxed(&pool.anyone_idle, 0);
        for (uint32_t i = 0; i < helpers; i++)
            marker_init(&pool.helper_markers[i], true);
        ty_store_relaxed(&pool.helpers_running, helpers);
        atomic_fetch_add_explicit(&pool.generation, 1, memory_order_release);
        ty_futex_wake(&pool.generation, INT_MAX);
    }
    mark_roots(&marker);
    drain(&marker);
    if (helpers) { /* until all have left their loops */
        ty_mutex_lock(&pool.lock);
        while (pool.markers > 1) {
            uint32_t signal = ty_load_relaxed(&pool.signal);
            ty_mutex_unlock(&pool.lock);
            ty_futex_wait(&pool.signal, signal, -1);
            ty_mutex_lock(&pool.lock);
        }
        ty_mutex_unlock(&pool.lock);
    }
    marker.parallel = false;
    retrace(&marker);
    free_slabs();
}

void ty_mark_more(TyObject *object, TyRevivedFunction revived, void *context)
{
    TyMarker marker;
    marker_init(&marker, false);
    marker.revived = revived;
    marker.context = context;
    mark(&marker, object);
    drain(&marker);
    retrace(&marker);
}

void ty_heap_referents(TyObject *object, void (*visit)(Value v, void *context), void *context)
{
    TyMarker marker;
    ty_world_stop();
    marker_init(&marker, false);
    marker.visit = visit;
    marker.context = context;
    TyType *type = ty_object_type(object);
    visit(ty_from_object(type), context);
    const TyLayout *layout = ty_type_layout(type);
    if (layout->trace)
        layout->trace(object, &marker);
    ty_world_start();
}
