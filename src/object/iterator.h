/* The iterators of sequences that C code makes or looks into: list, tuple, any sequence with __getitem__, and callables with a sentinel.
 *
 * `sequence` becomes TY_NULL at the end. Threads may share an iterator: an item may then be seen twice, none is lost but by that. */
#ifndef TY_OBJECT_ITERATOR_H
#define TY_OBJECT_ITERATOR_H

#include "object/list.h"

typedef struct TySequenceIterator { /* also list_iterator, tuple_iterator and their reversed kin */
    TyObject base;
    Value sequence;
    _Atomic int64_t index;
} TySequenceIterator;

extern TyType ty_list_iterator_type, ty_list_reverse_iterator_type, ty_tuple_iterator_type;
extern TyType ty_sequence_iterator_type, ty_callable_iterator_type;
extern TyType ty_enumerate_type, ty_reversed_type, ty_zip_type, ty_map_type, ty_filter_type;

Value ty_iterator_over(TyType *type, Value sequence, int64_t index);
Value ty_sequence_iterator_new(Value sequence); /* by __getitem__ */
Value ty_callable_iterator_new(Value callable, Value sentinel);
void ty_sequence_iterator_trace(TyObject *self, TyMarker *marker);

/* ty_next with the way of lists inline. */
TY_INLINE Value ty_next_inline(Value iterator)
{
    if (TY_LIKELY(ty_is_exact(iterator, &ty_list_iterator_type))) {
        TySequenceIterator *it = (TySequenceIterator *)ty_object(iterator);
        Value list = ty_field_acquire(&it->sequence);
        int64_t i = ty_load_relaxed(&it->index);
        Value item = list == TY_NULL ? TY_NULL : ty_list_item(list, i);
        if (TY_LIKELY(item != TY_NULL)) {
            ty_store_relaxed(&it->index, i + 1);
            return item;
        }
    }
    return ty_next(iterator);
}

/* For loops that take pairs apart: the parts of the next pair, no tuple made. False at the end, or with an exception. */
bool ty_enumerate_next_pair(Value iterator, Value *pair);
bool ty_zip_next_pair(Value iterator, Value *pair);  /* of two */
int64_t ty_zip_width(Value iterator);
bool ty_dict_items_next_pair(Value iterator, Value *pair);

/* A value of the current interpreter's builtins module, for __reduce__; TY_NULL with AttributeError. */
Value ty_builtin(const char *name);

#endif
