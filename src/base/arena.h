#ifndef TYPHON_BASE_ARENA_H
#define TYPHON_BASE_ARENA_H

/*
 * A bump arena: many small allocations that live and die together.
 *
 * Memory comes in chunks that double in size up to a limit; nothing is freed singly. Every
 * allocation is aligned to 8 bytes. An allocation of a size so large that it would waste most of a chunk gets a
 * chunk of its own. An arena has one owner and no lock. Its memory is not seen by the collector: whoever
 * keeps heap objects in it must keep them alive by other means.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct TyArenaChunk TyArenaChunk;

typedef struct TyArena {
    char *next;             /* first free byte of the newest chunk */
    char *limit;            /* end of the newest chunk */
    TyArenaChunk *chunks;   /* newest first */
    size_t chunk_size;      /* of the next chunk */
    size_t total;           /* bytes taken from the system */
} TyArena;

void ty_arena_init(TyArena *arena);

/* Frees everything; the arena is then as after ty_arena_init. */
void ty_arena_free(TyArena *arena);

/* The slow path of ty_arena_allocate. NULL when memory is exhausted; no exception is set. */
void *ty_arena_allocate_slow(TyArena *arena, size_t size);

/* Uninitialised memory, or NULL when memory is exhausted. */
static inline void *ty_arena_allocate(TyArena *arena, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;
    if (rounded >= size && rounded <= (size_t)(arena->limit - arena->next)) {
        void *result = arena->next;
        arena->next += rounded;
        return result;
    }
    return ty_arena_allocate_slow(arena, size);
}

static inline void *ty_arena_allocate_zeroed(TyArena *arena, size_t size)
{
    void *result = ty_arena_allocate(arena, size);
    return result ? memset(result, 0, size) : NULL;
}

/* A copy of size bytes with a zero byte after them. */
static inline char *ty_arena_copy(TyArena *arena, const void *bytes, size_t size)
{
    char *result = ty_arena_allocate(arena, size + 1);
    if (result) {
        memcpy(result, bytes, size);
        result[size] = 0;
    }
    return result;
}

#endif
