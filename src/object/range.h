/* range: an arithmetic progression of ints of any size, never stored.
 *
 * Its iterator over machine ints holds the next value and the value after the last one, which is always a whole number of steps away: the end is found by
 * equality, and threads that share an iterator may see a value twice but never run past the end. */
#ifndef TY_OBJECT_RANGE_H
#define TY_OBJECT_RANGE_H

#include "object/object.h"

typedef struct TyRange {
    TyObject base;
    Value start, stop, step, length; /* ints; the step is not zero */
} TyRange;

typedef struct TyRangeIterator {
    TyObject base;
    _Atomic int64_t next;
    int64_t end, step;
} TyRangeIterator;

extern TyType ty_range_type, ty_range_iterator_type, ty_long_range_iterator_type;

/* False at the end. The value fits 64 bits, perhaps not 48. */
TY_INLINE bool ty_range_iterator_next(TyRangeIterator *iterator, int64_t *value)
{
    int64_t next = ty_load_relaxed(&iterator->next);
    if (next == iterator->end)
        return false;
    ty_store_relaxed(&iterator->next, next + iterator->step);
    *value = next;
    return true;
}

Value ty_range_new(Value start, Value stop, Value step);
TY_INLINE bool ty_is_range(Value v) { return ty_is_exact(v, &ty_range_type); }

#endif
