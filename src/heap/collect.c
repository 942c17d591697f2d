/* A collection from beginning to end, and questions about the heap as a whole. */
#include "heap/internal.h"
#include <stddef.h>
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define THRESHOLD_LEAST ((size_t)24 << 20)
#define FINALIZERS_LEAST 32768
#define THRESHOLD_DISABLED ((size_t)256 << 20) /* automatic collections are off, but memory is not endless */

bool ty_heap_start(size_t stress_interval)
{
    if (ty_heap.started)
        return true;
    if (!ty_blocks_reserve())
        return false;
    ty_heap.stress_interval = stress_interval;
    ty_heap.poison = stress_interval != 0;
    ty_store_relaxed(&ty_heap.threshold, TY_MIN(THRESHOLD_LEAST, ty_heap.reserved / 4));
    ty_store_relaxed(&ty_heap.finalizer_limit, FINALIZERS_LEAST);
    ty_heap.started = true;
    return true;
}

/* --- phases ------------------------------------------------------------------------------------------------------------- */

/* The blocks of a large object are one step, those of a free run too. */
static uint32_t step(const Block *block) { return block->state == BLOCK_CELLS ? 1 : block->length; }

static void clear_marks(void)
{
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    ty_heap.current ^= 1;
    for (uint32_t b = 0; b < frontier; b += step(&ty_heap.blocks[b]))
        if (ty_heap.blocks[b].state != BLOCK_FREE)
            memset((void *)mark_word(ty_heap.current, block_start(b)), 0, BLOCK_MARK_WORDS * 8);
}

static bool is_dead(TyObject *object) { return ty_object_type(object) && !is_marked(object); }

/* All of them before any cell is reused: destroy looks at types, which may be dead as well. */
static void destroy_dead(void)
{
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    for (uint32_t b = 0; b < frontier; b += step(&ty_heap.blocks[b])) {
        Block *block = &ty_heap.blocks[b];
        if (block->state == BLOCK_FREE || block->kind == 0)
            continue;
        uint32_t count = block->state == BLOCK_CELLS ? block->cell_count : 1;
        for (uint32_t i = 0; i < count; i++) {
            TyObject *object = (TyObject *)(void *)(block_start(b) + (size_t)i * block->cell_size);
            if (is_dead(object))
                ty_type_layout(ty_object_type(object))->destroy(object);
        }
    }
}

static uint32_t count_live(uint32_t index)
{
    _Atomic uint64_t *words = mark_word(ty_heap.current, block_start(index));
    uint32_t live = 0;
    for (size_t i = 0; i < BLOCK_MARK_WORDS; i++)
        live += (uint32_t)__builtin_popcountll(ty_load_relaxed(&words[i]));
    return live;
}

static uint64_t count_dead(uint32_t index)
{
    Block *block = &ty_heap.blocks[index];
    uint64_t dead = 0;
    for (uint32_t i = 0; i < block->cell_count; i++)
        dead += is_dead((TyObject *)(void *)(block_start(index) + (size_t)i * block->cell_size));
    return dead;
}

static void settle_cells(uint32_t index, bool complete)
{
    Block *block = &ty_heap.blocks[index];
    uint32_t live = count_live(index);
    size_t bytes = (size_t)live * block->cell_size;
    ty_heap.live += bytes;
    ty_store_relaxed(&block->space->bytes, ty_load_relaxed(&block->space->bytes) + bytes);
    if (complete && live < block->cell_count)
        ty_heap.statistics.freed_objects += count_dead(index);
    if (live == 0) {
        if (ty_heap.poison)
            ty_block_sweep(index);
        ty_blocks_give(index, 1);
        return;
    }
    block->swept = live == block->cell_count;
    block->first_interval = NO_INTERVAL;
    if (block->swept)
        return;
    if (complete || block->kind)
        ty_block_sweep(index);
    if (block->cell_count - live > block->cell_count / 32) { /* fewer are not worth the way */
        uint32_t *list = &block->space->available[block->kind][block->class];
        block->next = *list;
        *list = index;
    }
}

static void settle_large(uint32_t index)
{
    Block *block = &ty_heap.blocks[index];
    if (is_marked(block_start(index))) {
        ty_heap.live += block->large_size;
        ty_store_relaxed(&block->space->bytes, ty_load_relaxed(&block->space->bytes) + block->large_size);
    } else {
        ty_heap.statistics.freed_objects++;
        ty_blocks_give(index, block->length);
    }
}

/* Says of each block whether it is free, full, or to be swept when someone needs its cells. */
static void settle(bool complete)
{
    for (Space *space = ty_heap.spaces; space; space = space->next) {
        ty_store_relaxed(&space->bytes, 0);
        for (int kind = 0; kind < KINDS; kind++)
            for (int class = 0; class < CLASSES; class++)
                space->available[kind][class] = NO_BLOCK;
    }
    ty_heap.live = 0;
    ty_heap.statistics.freed_objects = 0;
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    for (uint32_t b = 0; b < frontier;) {
        uint32_t following = b + step(&ty_heap.blocks[b]);
        if (ty_heap.blocks[b].state == BLOCK_CELLS)
            settle_cells(b, complete);
        else if (ty_heap.blocks[b].state == BLOCK_LARGE)
            settle_large(b);
        b = following;
    }
}

#define BYTES_FOR_A_FINALIZER 1024

/* Running finalizers takes far longer than making objects: a program that makes many should not get far ahead of those that are due. */
static void set_finalizer_limit(void)
{
    size_t registered = 0;
    for (Space *space = ty_heap.spaces; space; space = space->next)
        registered += space->finalizers.count;
    size_t limit = TY_MAX(registered, ty_heap.live / BYTES_FOR_A_FINALIZER);
    ty_store_relaxed(&ty_heap.finalizer_limit, TY_MAX(limit, FINALIZERS_LEAST));
    ty_store_relaxed(&ty_heap.many_finalizers, false);
}

static void set_threshold(void)
{
    size_t threshold = TY_MAX(THRESHOLD_LEAST, ty_heap.live / 2 * 3);
    size_t room = ty_heap.reserved - TY_MIN(ty_heap.live, ty_heap.reserved);
    ty_store_relaxed(&ty_heap.threshold, TY_MIN(threshold, TY_MAX(room / 2, (size_t)1 << 20)));
    ty_store_relaxed(&ty_heap.allocated, 0);
    set_finalizer_limit();
}

/* The world is stopped, this thread's registers are saved. */
static void collect(bool complete)
{
    int64_t begin = ty_clock_monotonic_ns();
    if (complete) { /* so that every cell with a type is an object, and the dead can be counted */
        uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
        for (uint32_t b = 0; b < frontier; b += step(&ty_heap.blocks[b]))
            if (ty_heap.blocks[b].state == BLOCK_CELLS && !ty_heap.blocks[b].swept)
                ty_block_sweep(b);
    }
    for (TyThread *thread = ty_threads_first(); thread; thread = thread->next) {
        ty_finalizers_collect(thread->cache);
        ty_cache_reset(thread->cache);
        thread->cache->unaccounted = 0; /* what lives is counted anew below */
    }
    clear_marks();
    ty_mark_all(ty_heap.live);
    ty_weak_clear_unreachable();
    ty_finalizers_revive();
    ty_weak_forget_dead();
    destroy_dead();
    settle(complete);
    set_threshold();
    /* So much is likely to be wanted before the next collection: a page given back and faulted in again costs far more than clearing it. */
    ty_blocks_trim(ty_load_relaxed(&ty_heap.threshold) / BLOCK_SIZE * 3 / 2);
    ty_pending_announce();
    TyHeapStatistics *statistics = &ty_heap.statistics;
    statistics->collections++;
    statistics->last_pause_ns = (uint64_t)(ty_clock_monotonic_ns() - begin);
    statistics->longest_pause_ns = TY_MAX(statistics->longest_pause_ns, statistics->last_pause_ns);
    statistics->total_pause_ns += statistics->last_pause_ns;
}

static void save_own_registers(void)
{
    TyThread *thread = ty_thread;
    thread->c_stack_scan = (char *)ty_registers_save(thread->registers);
}

bool ty_caches_forgotten;

/* low: where the calling thread's C stack begins to matter, or NULL. */
static void collect_now(char *low, bool thorough)
{
    TyThread *thread = ty_thread;
    thread->in_allocation = true;
    ty_world_stop();
    save_own_registers();
    ty_caches_forgotten = thorough;
    if (low) {
        thread->c_stack_scan = low;
        memset(thread->registers, 0, sizeof thread->registers);
    }
    collect(true);
    ty_caches_forgotten = false;
    ty_world_start();
    thread->in_allocation = false;
}

void ty_heap_collect(void) { collect_now(NULL, false); }
void ty_heap_collect_thoroughly(char *low) { collect_now(low, true); }
void ty_heap_collect_above(char *low) { collect_now(low, false); }

static bool is_due(void)
{
    size_t allocated = ty_load_relaxed(&ty_heap.allocated), threshold = ty_load_relaxed(&ty_heap.threshold);
    if (!ty_load_relaxed(&ty_heap.enabled))
        return allocated >= TY_MAX(threshold * 4, TY_MIN(THRESHOLD_DISABLED, ty_heap.reserved / 2));
    return allocated >= threshold || ty_load_relaxed(&ty_heap.many_finalizers);
}

void ty_heap_collect_if_due(bool needed)
{
    if (!needed && TY_LIKELY(!is_due()))
        return;
    uint64_t before = __atomic_load_n(&ty_heap.statistics.collections, __ATOMIC_RELAXED);
    ty_thread->in_allocation = true;
    ty_world_stop();
    save_own_registers();
    if (needed ? ty_heap.statistics.collections == before : is_due())
        collect(false);
    ty_world_start();
    ty_thread->in_allocation = false;
}

void ty_heap_set_enabled(bool enabled) { ty_store_relaxed(&ty_heap.enabled, enabled); }
bool ty_heap_enabled(void) { return ty_load_relaxed(&ty_heap.enabled); }

/* --- questions ------------------------------------------------------------------------------------------------------------- */

TyHeapStatistics ty_heap_statistics(void)
{
    ty_world_stop();
    TyHeapStatistics statistics = ty_heap.statistics;
    ty_world_start();
    statistics.live_bytes = ty_heap.live;
    statistics.allocated_bytes = ty_load_relaxed(&ty_heap.allocated);
    statistics.reserved_bytes = ty_heap.reserved;
    statistics.committed_bytes = ty_blocks_committed();
    return statistics;
}

TyHeapPlaces ty_heap_places(void)
{
    return (TyHeapPlaces){&ty_heap.statistics, &ty_heap.spaces, offsetof(Space, interpreter), offsetof(Space, next), offsetof(Space, bytes), offsetof(Space, limit)};
}

void ty_heap_pauses_reset(void)
{
    ty_world_stop();
    ty_heap.statistics.longest_pause_ns = ty_heap.statistics.total_pause_ns = 0;
    ty_world_start();
}

size_t ty_heap_interpreter_bytes(TyInterpreter *interpreter)
{
    Space *space = ty_space_of(interpreter);
    return space ? ty_load_relaxed(&space->bytes) : 0;
}

void ty_heap_interpreter_set_limit(TyInterpreter *interpreter, size_t bytes)
{
    Space *space = ty_space_of(interpreter);
    if (space)
        ty_store_relaxed(&space->limit, bytes);
}

void ty_heap_interpreter_closed(TyInterpreter *interpreter) { ty_space_close(interpreter); }

TyInterpreter *ty_heap_interpreter_of(TyObject *object)
{
    return in_heap(object) ? ty_space_of_object(object)->interpreter : NULL;
}

bool ty_heap_contains(const void *address) { return in_heap(address); }

bool ty_heap_readable(const void *address) { return in_heap(address) && block_of(address) < ty_load_acquire(&ty_heap.frontier); }

TyObject *ty_heap_object_at(const void *address)
{
    ty_mutex_lock(&ty_heap.lock);
    TyObject *object = ty_heap_find(address, ty_heap.current);
    ty_mutex_unlock(&ty_heap.lock);
    return object;
}

size_t ty_heap_object_size(TyObject *object)
{
    if (!in_heap(object))
        return 0;
    Block *block = &ty_heap.blocks[block_of(object)];
    return block->state == BLOCK_CELLS ? block->cell_size : block->large_size;
}

void ty_heap_each(bool (*visit)(TyObject *object, void *context), void *context)
{
    ty_world_stop();
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    bool more = true;
    for (uint32_t b = 0; more && b < frontier; b += step(&ty_heap.blocks[b])) {
        Block *block = &ty_heap.blocks[b];
        uint32_t count = block->state == BLOCK_CELLS ? block->cell_count : block->state == BLOCK_LARGE;
        for (uint32_t i = 0; more && i < count; i++) {
            TyObject *object = (TyObject *)(void *)(block_start(b) + (size_t)i * block->cell_size);
            if (ty_object_type(object) && (block->swept || is_marked(object)))
                more = visit(object, context);
        }
    }
    ty_world_start();
}
