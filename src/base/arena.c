#include "base/arena.h"

#include <stdlib.h>

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

struct TyArenaChunk {
    TyArenaChunk *older;
    size_t size;
};

void ty_arena_init(TyArena *arena)
{
    *arena = (TyArena){.chunk_size = FIRST_CHUNK};
}

void ty_arena_free(TyArena *arena)
{
    TyArenaChunk *chunk = arena->chunks;
    while (chunk) {
        TyArenaChunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
    ty_arena_init(arena);
}

static TyArenaChunk *add_chunk(TyArena *arena, size_t payload)
{
    size_t size = sizeof(TyArenaChunk) + payload;
    TyArenaChunk *chunk = size < payload ? NULL : malloc(size);
    if (chunk) {
        chunk->older = arena->chunks;
        chunk->size = size;
        arena->chunks = chunk;
        arena->total += size;
    }
    return chunk;
}

void *ty_arena_allocate_slow(TyArena *arena, size_t size)
{
    if (size > SIZE_MAX - 64)
        return NULL;
    size_t rounded = (size + 7) & ~(size_t)7;
    if (!arena->chunk_size)
        arena->chunk_size = FIRST_CHUNK;

    /* The newest chunk stays in use when a single large allocation would end it early. */
    if (rounded > arena->chunk_size / 4) {
        TyArenaChunk *own = add_chunk(arena, rounded);
        return own ? own + 1 : NULL;
    }
    size_t payload = arena->chunk_size - sizeof(TyArenaChunk);
    TyArenaChunk *chunk = add_chunk(arena, payload);
    if (!chunk)
        return NULL;
    if (arena->chunk_size < LARGEST_CHUNK)
        arena->chunk_size *= 2;
    arena->next = (char *)(chunk + 1) + rounded;
    arena->limit = (char *)(chunk + 1) + payload;
    return chunk + 1;
}
