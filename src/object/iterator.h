/* The iterators of sequences that C code makes or looks into: list, tuple, any sequence with __getitem__, and callables with a sentinel.
 *
 * `sequence` becomes TY_NULL at the end. Threads may share an iterator: an item may then be seen twice, none is lost but by that. */
#ifndef TY_OBJECT_ITERATOR_H
#define TY_OBJECT_ITERATOR_H

#include "object/object.h"

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

/* A value of the current interpreter's builtins module, for __reduce__; TY_NULL with AttributeError. */
Value ty_builtin(const char *name);

#endif
