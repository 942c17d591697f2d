/* The reserved range, its frontier, and runs of free blocks. */
#include "heap/internal.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

Heap ty_heap = {.enabled = true};

#define RESERVE_MOST ((size_t)256 << 30)
#define RESERVE_LEAST ((size_t)8 << 20)
#define MARK_BYTES (BLOCK_MARK_WORDS * 8)
#define GROWTH_LEAST 16            /* blocks: 1 MB */
#define GROWTH_MOST 512            /* blocks: 32 MB */
#define NO_HUGE_PAGES ((size_t)32 << 20) /* so much of the heap stays with small pages, for the sake of small programs */
#define HUGE_PAGE ((size_t)2 << 20)
#define ROOMY 8                    /* blocks: a program with objects of half a megabyte is no small one */

/* Half of what a limit on address space allows: threads' stacks and what malloc needs share the rest. */
static size_t reservation(void)
{
    struct rlimit limit;
    size_t size = RESERVE_MOST;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        while (size > RESERVE_LEAST && size > limit.rlim_cur / 2)
            size -= size / 8;
    return size & ~(BLOCK_SIZE - 1);
}

bool ty_blocks_reserve(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = reservation(); size >= RESERVE_LEAST; size = (size / 2) & ~(BLOCK_SIZE - 1)) {
        size_t count = size / BLOCK_SIZE;
        size_t descriptions = (count * sizeof(Block) + page - 1) & ~(page - 1);
        size_t total = size + descriptions + 2 * count * MARK_BYTES + BLOCK_SIZE + 2 * page;
        /* Not MAP_NORESERVE: the system may refuse to commit more than it has. Pages without access are not counted. */
        char *range = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (range == MAP_FAILED)
            continue;
        ty_heap.base = (char *)(((uintptr_t)range + BLOCK_SIZE - 1) & ~(BLOCK_SIZE - 1));
        ty_heap.reserved = size;
        ty_heap.block_limit = (uint32_t)count;
        ty_heap.blocks = (Block *)(void *)(ty_heap.base + size);
        ty_heap.marks[0] = (_Atomic uint64_t *)(void *)(ty_heap.base + size + descriptions);
        ty_heap.marks[1] = ty_heap.marks[0] + count * BLOCK_MARK_WORDS;
        for (int i = 0; i < RUN_BUCKETS; i++)
            ty_heap.runs[i] = NO_BLOCK;
        madvise(ty_heap.base, size < NO_HUGE_PAGES ? size : NO_HUGE_PAGES, MADV_NOHUGEPAGE);
        return true;
    }
    return false;
}

static bool commit(void *start, size_t offset, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t low = ((uintptr_t)start + offset) & ~(page - 1);
    uintptr_t high = ((uintptr_t)start + offset + size + page - 1) & ~(page - 1);
    return mprotect((void *)low, high - low, PROT_READ | PROT_WRITE) == 0;
}

static uint32_t *bucket(uint32_t length) { return &ty_heap.runs[length < RUN_BUCKETS ? length - 1 : RUN_BUCKETS - 1]; }

static void insert_run(uint32_t first, uint32_t length)
{
    Block *head = &ty_heap.blocks[first];
    uint32_t *list = bucket(length);
    head->length = length;
    ty_heap.blocks[first + length - 1].head = first;
    head->previous = NO_BLOCK;
    head->next = *list;
    if (*list != NO_BLOCK)
        ty_heap.blocks[*list].previous = first;
    *list = first;
}

static void remove_run(uint32_t first)
{
    Block *head = &ty_heap.blocks[first];
    if (head->previous != NO_BLOCK)
        ty_heap.blocks[head->previous].next = head->next;
    else
        *bucket(head->length) = head->next;
    if (head->next != NO_BLOCK)
        ty_heap.blocks[head->next].previous = head->previous;
}

void ty_blocks_give(uint32_t first, uint32_t count)
{
    Block *blocks = ty_heap.blocks;
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    conceal(block_start(first), (size_t)count * BLOCK_SIZE);
    for (uint32_t i = first; i < first + count; i++) {
        blocks[i].state = BLOCK_FREE;
        blocks[i].space = NULL;
        ty_heap.dirty_blocks += blocks[i].dirty;
    }
    ty_heap.free_blocks += count;
    if (first > 0 && blocks[first - 1].state == BLOCK_FREE) {
        uint32_t before = blocks[first - 1].head;
        remove_run(before);
        count += first - before;
        first = before;
    }
    if (first + count < frontier && blocks[first + count].state == BLOCK_FREE) {
        remove_run(first + count);
        count += blocks[first + count].length;
    }
    insert_run(first, count);
}

/* The first page of a big object costs as much as all of it when each is faulted in alone: from the frontier on, pages may be huge. */
static void allow_huge_pages(void)
{
    char *start = block_start(ty_load_relaxed(&ty_heap.frontier));
    madvise(start, ty_heap.reserved - (size_t)(start - ty_heap.base), MADV_HUGEPAGE);
    ty_heap.huge_pages = true;
}

/* So many blocks more that the frontier lies between two huge pages. */
static uint32_t up_to_huge_page(uint32_t frontier, uint32_t more)
{
    uintptr_t end = (uintptr_t)block_start(frontier + more);
    return more + (uint32_t)((-end & (HUGE_PAGE - 1)) / BLOCK_SIZE);
}

/* Moves the frontier so that at least `count` blocks become free in one run. */
static bool grow(uint32_t count)
{
    uint32_t frontier = ty_load_relaxed(&ty_heap.frontier);
    uint32_t allowed = (uint32_t)(reservation() / BLOCK_SIZE); /* the limit may have come after the start, and making pages accessible does not count for it */
    uint32_t left = TY_MIN(ty_heap.block_limit, TY_MAX(allowed, frontier)) - frontier;
    uint32_t generous = TY_MIN(TY_MAX(frontier / 8, GROWTH_LEAST), GROWTH_MOST);
    uint32_t wish = TY_MAX(count, generous);
    if (count >= ROOMY && !ty_heap.huge_pages)
        allow_huge_pages();
    if (ty_heap.huge_pages)
        wish = up_to_huge_page(frontier, wish);
    uint32_t wishes[] = {TY_MIN(wish, left), count};
    for (int i = 0; i < 2; i++) {
        uint32_t more = wishes[i];
        if (more < count || more > left)
            continue;
        if (!commit(ty_heap.blocks, frontier * sizeof(Block), more * sizeof(Block)) ||
            !commit(ty_heap.marks[0], frontier * MARK_BYTES, more * MARK_BYTES) ||
            !commit(ty_heap.marks[1], frontier * MARK_BYTES, more * MARK_BYTES) ||
            !commit(ty_heap.base, frontier * BLOCK_SIZE, more * BLOCK_SIZE))
            continue;
        for (uint32_t b = frontier; b < frontier + more; b++)
            ty_heap.blocks[b].dirty = false;
        ty_store_release(&ty_heap.frontier, frontier + more);
        ty_blocks_give(frontier, more);
        return true;
    }
    return false;
}

static uint32_t find_run(uint32_t count)
{
    for (uint32_t i = TY_MIN(count, RUN_BUCKETS) - 1; i < RUN_BUCKETS; i++)
        for (uint32_t run = ty_heap.runs[i]; run != NO_BLOCK; run = ty_heap.blocks[run].next)
            if (ty_heap.blocks[run].length >= count)
                return run;
    return NO_BLOCK;
}

bool ty_blocks_take_free(void) { return ty_heap.free_blocks != 0; }

uint32_t ty_blocks_take(uint32_t count)
{
    uint32_t first = find_run(count);
    if (first == NO_BLOCK) {
        if (!grow(count))
            return NO_BLOCK;
        first = find_run(count);
    }
    uint32_t length = ty_heap.blocks[first].length;
    remove_run(first);
    if (length > count)
        insert_run(first + count, length - count);
    ty_heap.free_blocks -= count;
    for (uint32_t i = first; i < first + count; i++)
        ty_heap.dirty_blocks -= ty_heap.blocks[i].dirty;
    return first;
}

void ty_blocks_trim(size_t keep_dirty)
{
    for (int i = RUN_BUCKETS - 1; i >= 0; i--)
        for (uint32_t run = ty_heap.runs[i]; run != NO_BLOCK; run = ty_heap.blocks[run].next) {
            if (ty_heap.dirty_blocks <= keep_dirty)
                return;
            uint32_t end = run + ty_heap.blocks[run].length;
            for (uint32_t first = run; first < end && ty_heap.dirty_blocks > keep_dirty;) {
                uint32_t last = first;
                size_t excess = ty_heap.dirty_blocks - keep_dirty;
                while (last < end && last - first < excess && ty_heap.blocks[last].dirty)
                    ty_heap.blocks[last++].dirty = false;
                if (last > first) {
                    madvise(block_start(first), (size_t)(last - first) * BLOCK_SIZE, MADV_DONTNEED);
                    ty_heap.dirty_blocks -= last - first;
                }
                first = last + 1;
            }
        }
}

size_t ty_blocks_committed(void) { return (size_t)ty_load_relaxed(&ty_heap.frontier) * BLOCK_SIZE; }
