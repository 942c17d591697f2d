/* Tables of objects that have an id in the whole process: interpreters, queues, channels.
 *
 * Looking up takes no lock: the table is a heap object of its own, its places are single words, and an object that was found is alive as long as
 * someone holds it, whether it is still in the table or not. Adding and removing take the table's lock. Ids are never used twice. */
#ifndef TY_CROSSING_ID_TABLE_H
#define TY_CROSSING_ID_TABLE_H

#include "base/futex.h"
#include "object/list.h"

typedef struct TyIdentified { /* how an object of such a table begins */
    TyObject base;
    int64_t id;
} TyIdentified;

typedef struct TyIdTable { /* static and zeroed */
    Value places;      /* a TyArray whose capacity is a power of two: open addressing by the id; TY_NONE where an object was removed */
    TyMutex lock;
    bool rooted;
    int64_t used;      /* places that are not TY_NULL */
    int64_t count;     /* objects */
    int64_t next_id;
} TyIdTable;

TyIdentified *ty_id_table_find(const TyIdTable *table, int64_t id);  /* NULL if there is none; raises nothing */
/* Enters an object; id -1: the next free one is taken. False: MemoryError. */
bool ty_id_table_add(TyIdTable *table, TyIdentified *object, int64_t id);
bool ty_id_table_remove(TyIdTable *table, int64_t id);               /* whether it was there */
/* The objects there are, oldest first, in the first *count places of an array. NULL: MemoryError. */
TyArray *ty_id_table_list(TyIdTable *table, int64_t *count);

#endif
