/* list. Readers take no lock: they load `items`, then `length`, and bound the index by both the length and the array's capacity. Writers hold the
 * object's lock; an array that is replaced lives on under its readers. */
#ifndef TY_OBJECT_LIST_H
#define TY_OBJECT_LIST_H

#include "object/object.h"

typedef struct TyArray { /* a bare array of Values on the heap: the store of lists, deques, spilled attributes, … */
    TyObject base;
    int64_t capacity;
    Value items[];
} TyArray;
extern TyType ty_array_type;              /* internal; never seen from Python */
extern TyArray ty_array_empty;            /* static, of capacity 0 */
TyArray *ty_array_new(int64_t capacity);  /* NULL: MemoryError */

typedef struct TyList {
    TyObject base;
    TyArray *_Atomic items;               /* never NULL: &ty_array_empty at first */
    _Atomic int64_t length;
} TyList;

extern TyType ty_list_type;

TY_INLINE bool ty_is_list(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_LIST); }
TY_INLINE bool ty_is_exact_list(Value v) { return ty_is_exact(v, &ty_list_type); }
TY_INLINE TyList *ty_as_list(Value v) { return (TyList *)ty_object(v); }
TY_INLINE int64_t ty_list_length(Value v) { return ty_load_relaxed(&ty_as_list(v)->length); }
/* The item, or TY_NULL (no exception) when the index is not (or no longer) inside: index is not negative-adjusted. */
TY_INLINE Value ty_list_item(Value v, int64_t index)
{
    TyList *list = ty_as_list(v);
    TyArray *items = ty_load_acquire(&list->items);
    if (TY_UNLIKELY((uint64_t)index >= (uint64_t)ty_load_acquire(&list->length) || index >= items->capacity))
        return TY_NULL;
    return ty_field(&items->items[index]);
}

Value ty_list_new(int64_t capacity);                     /* empty, with room */
Value ty_list_from_array(const Value *items, size_t count);
bool ty_list_append(Value list, Value item);
bool ty_list_insert(Value list, int64_t index, Value item);
bool ty_list_extend(Value list, Value iterable);
bool ty_list_set(Value list, int64_t index, Value item); /* IndexError */
Value ty_list_to_tuple(Value list);
bool ty_list_sort(Value list, Value key /* TY_NULL: none */, bool reverse);
bool ty_list_reverse(Value list);
Value ty_list_slice(Value list, int64_t start, int64_t end);
bool ty_list_clear(Value list);
Value ty_list_pop(Value list, int64_t index);            /* not negative-adjusted; IndexError */
/* For who holds the list's lock: room for so many items more (NULL: no memory); takes the last item off, TY_NULL if there is none. */
TyArray *ty_list_reserve(TyList *list, int64_t more);
Value ty_list_take_last(TyList *list);
bool ty_list_assign_slice(Value list, int64_t start, int64_t end, Value iterable /* TY_NULL: delete */); /* bounds are clipped */

#endif
