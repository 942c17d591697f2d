/* set and frozenset. Readers take no lock, as in dict.h; writers hold the lock. */
#ifndef TY_OBJECT_SET_H
#define TY_OBJECT_SET_H

#include "object/object.h"

extern TyType ty_set_type, ty_frozenset_type, ty_set_iterator_type, ty_set_table_type;

TY_INLINE bool ty_is_any_set(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_SET); }

Value ty_set_new(Value iterable /* TY_NULL: empty */);
Value ty_frozenset_new(Value iterable /* TY_NULL: a fresh empty one */);
Value ty_frozenset_fresh(void);                    /* an empty one of its own, to be filled by ty_set_add before anyone sees it */
Value ty_frozenset_from_array(const Value *items, size_t count);
bool ty_set_add(Value set, Value item);            /* also of a fresh frozenset nobody has seen */
int ty_set_discard(Value set, Value item);         /* 1, 0, -1 */
int ty_set_contains(Value set, Value item);
bool ty_set_update(Value set, Value iterable);
int64_t ty_set_length(Value set);
bool ty_set_next(Value set, int64_t *position, Value *item);
bool ty_set_next_hashed(Value set, int64_t *position, Value *item, int64_t *hash);
void ty_set_clear(Value set);
Value ty_set_pop(Value set);
Value ty_set_copy(Value set);                      /* of the same built-in type: set or frozenset */
bool ty_set_difference_update(Value set, Value iterable);
bool ty_set_symmetric_difference_update(Value set, Value iterable);

/* How sets lie in memory, for those who look in from outside: offsets, and what stands for a key that was removed. */
typedef struct TySetPlaces { uint32_t table, mask, slots, slot_size, slot_key; Value removed; } TySetPlaces;
TySetPlaces ty_set_places(void);
Value ty_set_compare(Value left, Value right, int op);

#endif
