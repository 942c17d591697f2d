/* What the files of the heap share and no one else needs.
 *
 * One address range is reserved at start-up: blocks of 64 KB first, then their descriptions, then their mark bits; all grow together as
 * the heap's frontier moves up. A block is free, holds cells of one size (for one interpreter, of one kind), or is part of the
 * run of blocks of one large object. Free blocks form runs that coalesce.
 *
 * Mark bits stand beside the blocks, one for each 16 bytes, in two sets that take turns: the current collection writes one, the other tells
 * what the previous one found. Sweeping is lazy; a block that no one needed stays unswept, its dead cells still look like objects, and only the
 * marks tell them from live ones. In a swept block every cell with a type is an object. Free cells have a NULL type and, but for the
 * first two words of a run of them, are zero.
 *
 * Cells whose type has `destroy` have blocks of their own ("kind" 1), which are swept at once, since destroy looks at the type,
 * and a dead object's type may be dead too.
 *
 * Locks, in the order in which they may be taken: threads (heap/thread.c), weak, heap. None is held at a safepoint but the first, by whoever
 * stopped the world. */
#ifndef TY_HEAP_INTERNAL_H
#define TY_HEAP_INTERNAL_H

#include "heap/thread.h"

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_CONCEALS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_CONCEALS 1
#endif
#endif
#ifdef HEAP_CONCEALS
#include <sanitizer/asan_interface.h>
#else
#define HEAP_CONCEALS 0
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#define BLOCK_SHIFT 16
#define BLOCK_SIZE ((size_t)1 << BLOCK_SHIFT)
#define GRANULE 16
#define BLOCK_MARK_WORDS (BLOCK_SIZE / GRANULE / 64) /* of one set */
#define SMALL_MAX 32768 /* larger objects get blocks of their own */
#define CLASSES (TY_HEAP_FAST_CLASSES + 6)
#define KINDS 2
#define SPACE_CHAINS 1024
#define NO_BLOCK UINT32_MAX
#define NO_INTERVAL UINT32_MAX
#define RUN_BUCKETS 33 /* free runs of 1..32 blocks, and longer ones */

enum { BLOCK_FREE, BLOCK_CELLS, BLOCK_LARGE, BLOCK_REST /* of a large object */ };

typedef struct Space Space;

typedef struct Block {
    _Alignas(64) uint8_t state;
    uint8_t kind, class;
    bool swept;
    bool dirty;              /* free: may hold other than zeros */
    uint32_t cell_size;
    uint32_t cell_count;
    uint32_t reciprocal;     /* offset / cell_size == offset * reciprocal >> 32 */
    uint32_t first_interval; /* swept: offset of the first run of free cells */
    uint32_t head;           /* BLOCK_REST, and last of a free run: its first block */
    uint32_t length;         /* first of a run: its blocks */
    uint32_t next, previous; /* in a list of free runs; next: in a list of a space */
    Space *space;
    size_t large_size;       /* BLOCK_LARGE: bytes of the object */
} Block;
_Static_assert(sizeof(Block) == 64, "one cache line");

/* A run of free cells in a swept block; it lies in the run's first cell, whose type word it leaves alone. */
typedef struct Interval {
    uint32_t next;  /* offset in the block, or NO_INTERVAL */
    uint32_t bytes;
} Interval;

/* What is due for an interpreter after a collection. */
typedef struct Pending {
    TyObject *object;
    bool finalizer; /* else a weak reference with a callback */
} Pending;

typedef struct Vector {
    TyObject **items;
    size_t count, capacity;
} Vector;
bool ty_heap_vector_push(Vector *vector, TyObject *object);

/* An interpreter's part of the heap. When the interpreter is closed the next new one takes it over: what is dead in it goes with the next
 * collection, what crossed to other interpreters lives on. */
struct Space {
    TyInterpreter *interpreter;         /* NULL: closed */
    Space *next;                        /* in the list of all */
    Space *other;                       /* in a chain of the table, or in the list of closed ones */
    TyHeapCache *caches;                /* of its threads; under the heap's lock */
    Vector finalizers;                  /* objects with finalizers, oldest first; under finalizer_lock */
    _Atomic size_t bytes;
    _Atomic size_t limit;               /* 0: none */
    uint32_t available[KINDS][CLASSES]; /* blocks that may have free cells */
    Pending *pending;                   /* [pending_first, pending_end) */
    size_t pending_first, pending_end, pending_capacity;
    _Atomic bool has_pending;
};

/* A thread's part of the heap. */
struct TyHeapCache {
    TyHeapRun runs[KINDS][CLASSES];     /* the first TY_HEAP_FAST_CLASSES of kind 0 serve ty_allocate */
    uintptr_t end[KINDS][CLASSES];      /* where the run ends really: in stress mode the limit is 0 */
    uint32_t block[KINDS][CLASSES];
    uint32_t interval[KINDS][CLASSES];  /* the next one in that block */
    uint32_t rest[KINDS][CLASSES];      /* its bytes, if a slice of it was used already and it has no header in memory; else 0 */
    uint32_t after_rest[KINDS][CLASSES];/* the interval after that */
    size_t unaccounted;                 /* bytes taken, to be told to the heap when they are many */
    Space *space;
    TyHeapCache *next, **link;          /* in the space's list */
    Vector finalizers;                  /* objects made since the last collection */
    size_t until_stress;
};

typedef struct Heap {
    char *base;
    size_t reserved;                    /* bytes for blocks */
    Block *blocks;
    _Atomic uint64_t *marks[2];         /* BLOCK_MARK_WORDS for each block */
    unsigned current;                   /* the set that the last collection wrote */
    uint32_t block_limit;               /* reserved blocks */
    _Atomic uint32_t frontier;          /* committed blocks */
    TyMutex lock;                       /* free runs, spaces and their lists */
    uint32_t runs[RUN_BUCKETS];
    size_t dirty_blocks;                /* free, but not given back */
    size_t free_blocks;
    Space *spaces;
    Space *closed;                      /* those without an interpreter */
    Space *table[SPACE_CHAINS];         /* by interpreter */
    size_t stress_interval;
    bool poison;
    bool started;
    bool huge_pages;                    /* allowed beyond where the frontier was then */

    _Atomic size_t allocated;           /* bytes since the last collection */
    _Atomic size_t threshold;           /* of `allocated`, at which to collect */
    _Atomic bool enabled;
    _Atomic size_t finalizer_limit;     /* new objects with finalizers in a thread, at which to collect */
    _Atomic bool many_finalizers;       /* some thread has so many */
    size_t live;
    TyHeapStatistics statistics;

    TyMutex finalizer_lock;
} Heap;

extern Heap ty_heap;

/* --- addresses --- */

TY_INLINE bool in_heap(const void *address)
{
    return (uintptr_t)address - (uintptr_t)ty_heap.base < ty_heap.reserved;
}
TY_INLINE uint32_t block_of(const void *address)
{
    return (uint32_t)(((uintptr_t)address - (uintptr_t)ty_heap.base) >> BLOCK_SHIFT);
}
TY_INLINE char *block_start(uint32_t block) { return ty_heap.base + ((size_t)block << BLOCK_SHIFT); }
TY_INLINE _Atomic uint64_t *mark_word(unsigned set, const void *address)
{
    size_t granule = ((uintptr_t)address - (uintptr_t)ty_heap.base) / GRANULE;
    return &ty_heap.marks[set][granule / 64];
}
TY_INLINE uint64_t mark_bit(const void *address)
{
    return (uint64_t)1 << (((uintptr_t)address / GRANULE) & 63);
}
TY_INLINE bool is_marked(const void *object)
{
    return !in_heap(object) || (ty_load_relaxed(mark_word(ty_heap.current, object)) & mark_bit(object)) != 0;
}

/* Under the address sanitizer free cells may not be touched past their header (the collector looks for a type in there), nor may the
 * part of a cell that its object did not ask for. */
TY_INLINE void conceal(void *start, size_t size) { ASAN_POISON_MEMORY_REGION(start, size); }
TY_INLINE void conceal_cell(char *cell, size_t size) { conceal(cell + sizeof(TyObject), size - sizeof(TyObject)); }
TY_INLINE void reveal(void *start, size_t size) { ASAN_UNPOISON_MEMORY_REGION(start, size); }

/* --- blocks.c --- */

bool ty_blocks_reserve(void);
/* Under the heap lock: a run of blocks, or NO_BLOCK. The blocks' state is the caller's to set, `dirty` tells of their contents. */
uint32_t ty_blocks_take(uint32_t count);
bool ty_blocks_take_free(void); /* whether a free block is at hand without growing */
void ty_blocks_give(uint32_t first, uint32_t count);
void ty_blocks_trim(size_t keep_dirty); /* gives memory of free blocks back to the system */
size_t ty_blocks_committed(void);

/* --- allocate.c --- */

Space *ty_space_of(TyInterpreter *interpreter); /* made if need be; NULL: out of memory */
void ty_space_close(TyInterpreter *interpreter);
TyHeapCache *ty_cache_new(TyInterpreter *interpreter);
void ty_cache_reset(TyHeapCache *cache);  /* the world stopped: forgets the free cells, for the collection finds them */
void ty_cache_return(TyHeapCache *cache); /* the thread ends, no collection is under way: others may use the free cells */
void ty_cache_free(TyHeapCache *cache);
void ty_block_sweep(uint32_t block);     /* makes the intervals of a block of cells */

/* --- mark.c --- */

/* Marks everything reachable; afterwards ty_mark_more marks from one object more. */
void ty_mark_all(size_t live_before);
typedef void (*TyRevivedFunction)(TyObject *object, void *context);
/* Marks what the object reaches, and tells of each object with a finalizer that has not run, in the order of discovery. */
void ty_mark_more(TyObject *object, TyRevivedFunction revived, void *context);
void ty_mark_after_fork(void);
TyObject *ty_heap_find(const void *address, unsigned previous_set); /* conservative: the cell that covers the address, if an object lies in it */

/* --- roots.c --- */

void ty_roots_mark(TyMarker *marker);
void ty_roots_forget(const char *low, const char *high); /* what was registered on the C stack of a thread that a fork left behind */

/* --- weak.c --- */

void ty_weak_clear_unreachable(void); /* after marking, before revival */
void ty_weak_forget_dead(void);       /* after revival */

/* --- finalize.c --- */

bool ty_finalizers_push(TyHeapCache *cache, TyObject *object);
void ty_finalizers_collect(TyHeapCache *cache); /* moves the cache's list into its space's */
void ty_finalizers_revive(void);
bool ty_pending_add(Space *space, TyObject *object, bool finalizer);
void ty_pending_mark(TyMarker *marker);
void ty_pending_announce(void);
Space *ty_space_of_object(TyObject *object);

/* --- collect.c --- */

/* Collects if it is due. `needed` bytes could not be had otherwise: then always. */
void ty_heap_collect_if_due(bool needed);

/* --- thread.c --- */

TyThread *ty_threads_first(void); /* the world stopped */
uint32_t ty_processor_count(void);

#endif
