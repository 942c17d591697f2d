/* Small ordered maps from interned names to numbers, in an arena: symbol tables and the sets that scope analysis passes around.
 *
 * Keys are compared by identity. Entries keep the order of insertion; a removed one stays as a hole until the name comes back. */
#ifndef TY_COMPILE_NAMES_H
#define TY_COMPILE_NAMES_H

#include "base/arena.h"
#include "base/value.h"

#define TY_NAMES_ABSENT (-1)

typedef struct TyNameEntry {
    Value name;
    int32_t number; /* TY_NAMES_ABSENT: removed */
} TyNameEntry;

typedef struct TyNames {
    TyNameEntry *entries;
    uint32_t *index;      /* place → entry + 1; NULL while there are few */
    int32_t count;        /* entries, removed ones included */
    int32_t capacity;
    uint32_t index_mask;
} TyNames;

/* The name's number, or TY_NAMES_ABSENT. */
int32_t ty_names_get(const TyNames *names, Value name);
/* False when memory is exhausted (nothing is raised). */
bool ty_names_set(TyArena *arena, TyNames *names, Value name, int32_t number);
void ty_names_remove(TyNames *names, Value name);
bool ty_names_add_all(TyArena *arena, TyNames *names, const TyNames *others);

TY_INLINE bool ty_names_has(const TyNames *names, Value name) { return ty_names_get(names, name) != TY_NAMES_ABSENT; }

#endif
