#include "compile/names.h"

enum { LINEAR_LIMIT = 8 };

static uint32_t place_of(Value name)
{
    return (uint32_t)((name >> 4) * 0x9E3779B97F4A7C15ull >> 32);
}

static int32_t find(const TyNames *names, Value name)
{
    if (!names->index) {
        for (int32_t i = 0; i < names->count; i++)
            if (names->entries[i].name == name)
                return i;
        return -1;
    }
    for (uint32_t p = place_of(name) & names->index_mask;; p = (p + 1) & names->index_mask) {
        uint32_t entry = names->index[p];
        if (!entry)
            return -1;
        if (names->entries[entry - 1].name == name)
            return (int32_t)entry - 1;
    }
}

static void enter_in_index(TyNames *names, int32_t entry)
{
    uint32_t p = place_of(names->entries[entry].name) & names->index_mask;
    while (names->index[p])
        p = (p + 1) & names->index_mask;
    names->index[p] = (uint32_t)entry + 1;
}

static bool grow(TyArena *arena, TyNames *names)
{
    int32_t capacity = names->capacity ? names->capacity * 2 : 4;
    TyNameEntry *entries = ty_arena_allocate(arena, (size_t)capacity * sizeof *entries);
    if (!entries)
        return false;
    if (names->count)
        memcpy(entries, names->entries, (size_t)names->count * sizeof *entries);
    names->entries = entries;
    names->capacity = capacity;
    if (capacity <= LINEAR_LIMIT)
        return true;
    names->index = ty_arena_allocate_zeroed(arena, (size_t)capacity * 2 * sizeof *names->index);
    if (!names->index)
        return false;
    names->index_mask = (uint32_t)capacity * 2 - 1;
    for (int32_t i = 0; i < names->count; i++)
        enter_in_index(names, i);
    return true;
}

int32_t ty_names_get(const TyNames *names, Value name)
{
    int32_t entry = find(names, name);
    return entry < 0 ? TY_NAMES_ABSENT : names->entries[entry].number;
}

bool ty_names_set(TyArena *arena, TyNames *names, Value name, int32_t number)
{
    int32_t entry = find(names, name);
    if (entry >= 0) {
        names->entries[entry].number = number;
        return true;
    }
    if (names->count == names->capacity && !grow(arena, names))
        return false;
    names->entries[names->count] = (TyNameEntry){name, number};
    if (names->index)
        enter_in_index(names, names->count);
    names->count++;
    return true;
}

void ty_names_remove(TyNames *names, Value name)
{
    int32_t entry = find(names, name);
    if (entry >= 0)
        names->entries[entry].number = TY_NAMES_ABSENT;
}

bool ty_names_add_all(TyArena *arena, TyNames *names, const TyNames *others)
{
    for (int32_t i = 0; i < others->count; i++)
        if (others->entries[i].number != TY_NAMES_ABSENT && !ty_names_set(arena, names, others->entries[i].name, others->entries[i].number))
            return false;
    return true;
}
