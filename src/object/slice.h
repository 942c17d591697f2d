/* slice: an immutable start, stop and step, and what sequences do with one.
 *
 * A sequence unpacks the slice first (that may run __index__, which may change the sequence) and only then asks for its own length and
 * adjusts the bounds to it. */
#ifndef TY_OBJECT_SLICE_H
#define TY_OBJECT_SLICE_H

#include "object/object.h"

typedef struct TySlice {
    TyObject base;
    Value start, stop, step;
} TySlice;

extern TyType ty_slice_type;

TY_INLINE bool ty_is_slice(Value v) { return ty_is_exact(v, &ty_slice_type); }

Value ty_slice_new(Value start, Value stop, Value step); /* TY_NULL: None */
/* The three as machine ints, out-of-range ones clamped; absent bounds become the extremes that the step's sign asks for. False with ValueError
 * "slice step cannot be zero" or TypeError "slice indices must be integers or None or have an __index__ method". */
bool ty_slice_unpack(Value slice, int64_t *start, int64_t *stop, int64_t *step);
/* One bound, as ty_slice_unpack does it: an int or an object with __index__, clamped. None leaves *out alone. */
bool ty_slice_index(Value bound, int64_t *out);
/* Clips the bounds to a sequence of `length` items; returns how many items are selected. */
int64_t ty_slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step);
/* An index given as container[key], for a key that is an int or has __index__: IndexError "cannot fit 'int' into an index-sized integer". */
bool ty_subscript_index_slow(Value key, int64_t *out);
TY_INLINE bool ty_subscript_index(Value key, int64_t *out)
{
    if (TY_LIKELY(ty_is_immediate_int(key))) {
        *out = ty_immediate_int(key);
        return true;
    }
    return ty_subscript_index_slow(key, out);
}

#endif
