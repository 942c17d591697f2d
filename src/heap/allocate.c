/* Threads' caches of free cells, the slow paths of allocation, and sweeping. */
#include "heap/internal.h"

#include <stdlib.h>

_Thread_local TyHeapRun *ty_heap_runs;

static const uint32_t class_sizes[CLASSES] = {
    0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256,
    320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192,
    9360, 10912, 13104, 16384, 21840, 32768, /* 7, 6, 5, 4, 3 and 2 cells to a block */
};

static unsigned class_for(size_t size)
{
    if (size <= TY_HEAP_FAST_MAX)
        return ty_heap_class(size);
    unsigned class = TY_HEAP_FAST_CLASSES;
    while (class_sizes[class] < size)
        class++;
    return class;
}

#define SLICE 4096              /* of fresh memory, handed out at once: a page */
#define ACCOUNT_FROM (64 << 10) /* bytes */

static void account_bytes(Space *space, size_t bytes)
{
    atomic_fetch_add_explicit(&ty_heap.allocated, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&space->bytes, bytes, memory_order_relaxed);
}
static void account(TyHeapCache *cache)
{
    account_bytes(cache->space, cache->unaccounted);
    cache->unaccounted = 0;
}
static bool over_limit(Space *space, size_t more)
{
    size_t limit = ty_load_relaxed(&space->limit);
    return TY_UNLIKELY(limit != 0) && ty_load_relaxed(&space->bytes) + more > limit;
}

/* --- spaces and caches ----------------------------------------------------------------------------------------------- */

static Space **chain_of(TyInterpreter *interpreter)
{
    return &ty_heap.table[((uintptr_t)interpreter >> 4) * 0x9E3779B97F4A7C15ull >> 54];
}
_Static_assert(SPACE_CHAINS == 1 << 10, "chain_of takes ten bits");

static Space *space_new(void)
{
    Space *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    for (int kind = 0; kind < KINDS; kind++)
        for (int class = 0; class < CLASSES; class++)
            space->available[kind][class] = NO_BLOCK;
    space->next = ty_heap.spaces;
    ty_heap.spaces = space;
    return space;
}

Space *ty_space_of(TyInterpreter *interpreter)
{
    ty_mutex_lock(&ty_heap.lock);
    Space **chain = chain_of(interpreter), *space = *chain;
    while (space && space->interpreter != interpreter)
        space = space->other;
    if (!space) {
        if ((space = ty_heap.closed))
            ty_heap.closed = space->other;
        else
            space = space_new();
        if (space) {
            space->interpreter = interpreter;
            space->other = *chain;
            *chain = space;
        }
    }
    ty_mutex_unlock(&ty_heap.lock);
    return space;
}

void ty_space_close(TyInterpreter *interpreter)
{
    ty_mutex_lock(&ty_heap.finalizer_lock);
    ty_mutex_lock(&ty_heap.lock);
    Space **place = chain_of(interpreter);
    while (*place && (*place)->interpreter != interpreter)
        place = &(*place)->other;
    Space *space = *place;
    if (space) {
        *place = space->other;
        space->interpreter = NULL;
        ty_store_relaxed(&space->limit, 0);
        space->pending_first = space->pending_end = 0;
        ty_store_relaxed(&space->has_pending, false);
        space->finalizers.count = 0;
        space->other = ty_heap.closed;
        ty_heap.closed = space;
    }
    ty_mutex_unlock(&ty_heap.lock);
    ty_mutex_unlock(&ty_heap.finalizer_lock);
}

TyHeapCache *ty_cache_new(TyInterpreter *interpreter)
{
    TyHeapCache *cache = calloc(1, sizeof *cache);
    if (!cache || !(cache->space = ty_space_of(interpreter))) {
        free(cache);
        return NULL;
    }
    cache->until_stress = ty_heap.stress_interval;
    ty_cache_reset(cache);
    ty_mutex_lock(&ty_heap.lock);
    cache->next = cache->space->caches;
    cache->link = &cache->space->caches;
    if (cache->next)
        cache->next->link = &cache->next;
    cache->space->caches = cache;
    ty_mutex_unlock(&ty_heap.lock);
    return cache;
}

void ty_cache_reset(TyHeapCache *cache)
{
    memset(cache->runs, 0, sizeof cache->runs);
    memset(cache->end, 0, sizeof cache->end);
    memset(cache->rest, 0, sizeof cache->rest);
    for (int kind = 0; kind < KINDS; kind++)
        for (int class = 0; class < CLASSES; class++) {
            cache->interval[kind][class] = NO_INTERVAL;
            cache->block[kind][class] = NO_BLOCK;
        }
}

/* Writes back as intervals of its block what a class of the cache still has. */
static void return_block(TyHeapCache *cache, int kind, int class)
{
    uint32_t index = cache->block[kind][class], *interval = &cache->interval[kind][class];
    char *start = block_start(index);
    if (cache->rest[kind][class]) {
        Interval *rest = (Interval *)(void *)(start + *interval);
        *rest = (Interval){cache->after_rest[kind][class], cache->rest[kind][class]};
    }
    uintptr_t next = cache->runs[kind][class].next, end = cache->end[kind][class];
    if (next < end) {
        *(Interval *)next = (Interval){*interval, (uint32_t)(end - next)};
        *interval = (uint32_t)(next - (uintptr_t)start);
    }
    if (*interval == NO_INTERVAL)
        return;
    Block *block = &ty_heap.blocks[index];
    uint32_t *list = &block->space->available[kind][class];
    block->first_interval = *interval;
    block->next = *list;
    *list = index;
}

void ty_cache_return(TyHeapCache *cache)
{
    ty_mutex_lock(&ty_heap.lock);
    for (int kind = 0; kind < KINDS; kind++)
        for (int class = 0; class < CLASSES; class++)
            if (cache->block[kind][class] != NO_BLOCK)
                return_block(cache, kind, class);
    ty_mutex_unlock(&ty_heap.lock);
    account(cache);
    ty_cache_reset(cache);
}

void ty_cache_free(TyHeapCache *cache)
{
    assert(cache->finalizers.count == 0);
    ty_mutex_lock(&ty_heap.lock);
    *cache->link = cache->next;
    if (cache->next)
        cache->next->link = cache->link;
    ty_mutex_unlock(&ty_heap.lock);
    free(cache->finalizers.items);
    free(cache);
}

/* --- sweeping ---------------------------------------------------------------------------------------------------------- */

/* Cells too large for the fast path are zeroed when they are taken, if they have to be: text and bytes are written over at once. */
static void clear_cell(char *cell, size_t size)
{
    TyObject *object = (TyObject *)(void *)cell;
    reveal(cell, size);
    if (ty_heap.poison) {
        memset(cell, 0xDD, size);
        ty_store_relaxed(&object->type, NULL);
    } else if (ty_object_type(object)) {
        memset(cell, 0, size > TY_HEAP_FAST_MAX ? sizeof(TyObject) : size);
    } else { /* free before: zero but for an interval, and maybe never touched: then it is not written either, for that would make its page a used one */
        Interval *interval = (Interval *)(void *)cell;
        if (interval->next || interval->bytes)
            *interval = (Interval){0, 0};
    }
    conceal_cell(cell, size);
}

void ty_block_sweep(uint32_t index)
{
    Block *block = &ty_heap.blocks[index];
    char *start = block_start(index);
    uint32_t size = block->cell_size, end = block->cell_count * size;
    _Atomic uint64_t *marks = mark_word(ty_heap.current, start);
    uint32_t *link = &block->first_interval;
    for (uint32_t offset = 0; offset < end;) {
        uint32_t granule = offset / GRANULE;
        if (ty_load_relaxed(&marks[granule / 64]) >> (granule & 63) & 1) {
            offset += size;
            continue;
        }
        uint32_t first = offset;
        do {
            clear_cell(start + offset, size);
            offset += size;
            granule = offset / GRANULE;
        } while (offset < end && !(ty_load_relaxed(&marks[granule / 64]) >> (granule & 63) & 1));
        *link = first;
        Interval *interval = (Interval *)(void *)(start + first);
        interval->bytes = offset - first;
        link = &interval->next;
    }
    *link = NO_INTERVAL;
    block->swept = true;
}

/* --- cells --------------------------------------------------------------------------------------------------------------- */

static uint32_t take_block(Space *space, unsigned kind, unsigned class, bool *fresh)
{
    ty_mutex_lock(&ty_heap.lock);
    uint32_t index = space->available[kind][class];
    *fresh = index == NO_BLOCK;
    if (!*fresh) {
        space->available[kind][class] = ty_heap.blocks[index].next;
    } else if ((index = ty_blocks_take(1)) != NO_BLOCK) {
        Block *block = &ty_heap.blocks[index];
        block->state = BLOCK_CELLS;
        block->kind = (uint8_t)kind;
        block->class = (uint8_t)class;
        block->cell_size = class_sizes[class];
        block->cell_count = (uint32_t)(BLOCK_SIZE / block->cell_size);
        block->reciprocal = (uint32_t)((((uint64_t)1 << 32) + block->cell_size - 1) / block->cell_size);
        block->swept = true;
        block->space = space;
    }
    ty_mutex_unlock(&ty_heap.lock);
    return index;
}

static void open_fresh(uint32_t index)
{
    Block *block = &ty_heap.blocks[index];
    char *start = block_start(index);
    reveal(start, BLOCK_SIZE);
    if (block->dirty && block->cell_size <= TY_HEAP_FAST_MAX)
        memset(start, 0, BLOCK_SIZE);
    for (uint32_t i = 0; block->dirty && block->cell_size > TY_HEAP_FAST_MAX && i < block->cell_count; i++)
        memset(start + (size_t)i * block->cell_size, 0, sizeof(TyObject));
    for (uint32_t i = 0; HEAP_CONCEALS && i < block->cell_count; i++)
        conceal_cell(start + (size_t)i * block->cell_size, block->cell_size);
    block->dirty = true; /* from now on */
    *(Interval *)(void *)start = (Interval){NO_INTERVAL, block->cell_count * block->cell_size};
    block->first_interval = 0;
}

static bool refill(TyHeapCache *cache, unsigned kind, unsigned class)
{
    bool fresh;
    account(cache);
    ty_heap_collect_if_due(false);
    if (over_limit(cache->space, 0)) {
        ty_heap_collect_if_due(true);
        if (over_limit(cache->space, 0))
            return false;
    }
    uint32_t index = take_block(cache->space, kind, class, &fresh);
    if (index == NO_BLOCK) {
        ty_heap_collect_if_due(true);
        index = take_block(cache->space, kind, class, &fresh);
        if (index == NO_BLOCK)
            return false;
    }
    Block *block = &ty_heap.blocks[index];
    if (fresh)
        open_fresh(index);
    else if (!block->swept)
        ty_block_sweep(index);
    cache->interval[kind][class] = block->first_interval;
    cache->block[kind][class] = index;
    block->first_interval = NO_INTERVAL;
    return true;
}

/* Long intervals are opened a slice at a time: their pages may never have been touched, and count as used when they are. */
static void open_interval(TyHeapCache *cache, unsigned kind, unsigned class)
{
    uint32_t *offset = &cache->interval[kind][class], *rest = &cache->rest[kind][class];
    char *start = block_start(cache->block[kind][class]) + *offset;
    uint32_t bytes = *rest;
    if (!bytes) {
        Interval *interval = (Interval *)(void *)start;
        bytes = interval->bytes;
        cache->after_rest[kind][class] = interval->next;
        *interval = (Interval){0, 0};
    }
    uint32_t size = class_sizes[class], slice = size >= SLICE ? size : SLICE / size * size;
    if (bytes > slice) {
        *rest = bytes - slice;
        *offset += slice;
        bytes = slice;
    } else {
        *rest = 0;
        *offset = cache->after_rest[kind][class];
    }
    cache->runs[kind][class].next = (uintptr_t)start;
    cache->end[kind][class] = (uintptr_t)start + bytes;
    cache->runs[kind][class].limit = HEAP_CONCEALS || ty_heap.stress_interval ? 0 : cache->end[kind][class];
    cache->unaccounted += bytes;
    if (cache->unaccounted >= ACCOUNT_FROM)
        account(cache);
}

static TyObject *take_cell(TyHeapCache *cache, unsigned kind, unsigned class, size_t size, bool dirty)
{
    TyHeapRun *run = &cache->runs[kind][class];
    while (run->next == cache->end[kind][class]) { /* both 0 at first */
        if (cache->interval[kind][class] != NO_INTERVAL)
            open_interval(cache, kind, class);
        else if (!refill(cache, kind, class))
            return NULL;
    }
    TyObject *cell = (TyObject *)run->next;
    run->next += class_sizes[class];
    reveal(cell, size);
    if (TY_UNLIKELY(ty_heap.poison) || (class >= TY_HEAP_FAST_CLASSES && !dirty))
        memset(cell, 0, size);
    return cell;
}

/* --- large objects ---------------------------------------------------------------------------------------------------------- */

static uint32_t take_run(Space *space, unsigned kind, uint32_t count, size_t size)
{
    ty_mutex_lock(&ty_heap.lock);
    uint32_t first = ty_blocks_take(count);
    if (first != NO_BLOCK) {
        for (uint32_t i = first + 1; i < first + count; i++) {
            ty_heap.blocks[i].state = BLOCK_REST;
            ty_heap.blocks[i].head = first;
        }
        Block *head = &ty_heap.blocks[first];
        head->state = BLOCK_LARGE;
        head->kind = (uint8_t)kind;
        head->swept = true;
        head->length = count;
        head->large_size = size;
        head->space = space;
    }
    ty_mutex_unlock(&ty_heap.lock);
    return first;
}

static TyObject *take_large(TyHeapCache *cache, unsigned kind, size_t size, bool dirty)
{
    if (size > ty_heap.reserved)
        return NULL;
    size = (size + GRANULE - 1) & ~(size_t)(GRANULE - 1);
    uint32_t count = (uint32_t)((size + BLOCK_SIZE - 1) >> BLOCK_SHIFT);
    atomic_fetch_add_explicit(&ty_heap.allocated, size, memory_order_relaxed);
    ty_heap_collect_if_due(false);
    if (over_limit(cache->space, size)) {
        ty_heap_collect_if_due(true);
        if (over_limit(cache->space, size))
            return NULL;
    }
    uint32_t first = take_run(cache->space, kind, count, size);
    if (first == NO_BLOCK) {
        ty_heap_collect_if_due(true);
        first = take_run(cache->space, kind, count, size);
        if (first == NO_BLOCK)
            return NULL;
    }
    atomic_fetch_add_explicit(&cache->space->bytes, size, memory_order_relaxed);
    char *start = block_start(first);
    reveal(start, size);
    for (uint32_t i = 0; i < count; i++) {
        Block *block = &ty_heap.blocks[first + i];
        if (block->dirty && !dirty)
            memset(start + i * BLOCK_SIZE, 0, TY_MIN(BLOCK_SIZE, size - i * BLOCK_SIZE));
        block->dirty = true;
    }
    memset(start, 0, sizeof(TyObject));
    return (TyObject *)(void *)start;
}

/* --- the slow paths ------------------------------------------------------------------------------------------------------------ */

static void *allocate(TyType *type, size_t size, bool dirty)
{
    TyThread *thread = ty_thread;
    TyHeapCache *cache = thread->cache;
    const TyLayout *layout = ty_type_layout(type);
    if (TY_UNLIKELY(cache->until_stress) && --cache->until_stress == 0) {
        cache->until_stress = ty_heap.stress_interval;
        if (ty_load_relaxed(&ty_heap.enabled))
            ty_heap_collect();
    }
    if (TY_UNLIKELY(ty_load_relaxed(&thread->poll) & TY_POLL_STOP)) {
        thread->in_allocation = true;
        ty_safepoint_slow();
        thread->in_allocation = false;
    }
    unsigned kind = layout->destroy != NULL;
    unsigned class = size <= SMALL_MAX ? class_for(size) : 0;
    /* Classes made at run time keep attributes at the end of cells. */
    size_t used = HEAP_CONCEALS && !in_heap(type) ? size : class_sizes[class];
    TyObject *object = size <= SMALL_MAX ? take_cell(cache, kind, class, used, dirty) : take_large(cache, kind, size, dirty);
    if (!object) {
        ty_raise_memory_error();
        return NULL;
    }
    ty_store_relaxed(&object->bits, ty_load_relaxed(&layout->shape) << TY_SHAPE_SHIFT);
    if (layout->finalize && !layout->finalize_by_request && !ty_finalizers_push(cache, object)) {
        ty_raise_memory_error();
        return NULL; /* the cell has no type: it is free */
    }
    ty_store_relaxed(&object->type, type);
    return object;
}

void *ty_allocate_slow(TyType *type, size_t size) { return allocate(type, size, false); }
void *ty_allocate_dirty_slow(TyType *type, size_t size) { return allocate(type, size, true); }

void ty_heap_account(ptrdiff_t native_bytes)
{
    if (native_bytes <= 0)
        return; /* what dies is found by the collection that its birth helped to bring about */
    size_t before = atomic_fetch_add_explicit(&ty_heap.allocated, (size_t)native_bytes, memory_order_relaxed);
    if (before + (size_t)native_bytes >= ty_load_relaxed(&ty_heap.threshold) && ty_thread)
        ty_poll_request(ty_thread, TY_POLL_PENDING);
}
