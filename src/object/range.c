#include "object/range.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/native.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"

#define RANGE(v) ((TyRange *)ty_object(v))
#define ZERO ty_from_immediate_int(0)
#define ONE ty_from_immediate_int(1)

/* --- making --------------------------------------------------------------------------------------------------------- */

/* How many ints lie from start to stop, stop excluded. */
static Value length_of(Value start, Value stop, Value step)
{
    if (ty_is_immediate_int(start) && ty_is_immediate_int(stop) && ty_is_immediate_int(step)) {
        int64_t from = ty_immediate_int(start), to = ty_immediate_int(stop), by = ty_immediate_int(step);
        if (by > 0)
            return ty_from_immediate_int(from < to ? (to - from - 1) / by + 1 : 0);
        return ty_from_immediate_int(from > to ? (from - to - 1) / -by + 1 : 0);
    }
    Value low = start, high = stop, stride = step;
    if (ty_int_sign(step) < 0) {
        low = stop;
        high = start;
        stride = ty_int_negative(step);
        if (stride == TY_NULL)
            return TY_NULL;
    }
    if (ty_int_compare(low, high) >= 0)
        return ZERO;
    Value span = ty_int_subtract(high, low);
    span = span == TY_NULL ? TY_NULL : ty_int_subtract(span, ONE);
    span = span == TY_NULL ? TY_NULL : ty_int_floor_divide(span, stride);
    return span == TY_NULL ? TY_NULL : ty_int_add(span, ONE);
}

static Value range_make(Value start, Value stop, Value step, Value length)
{
    TyRange *range = (TyRange *)ty_allocate(&ty_range_type, sizeof(TyRange));
    if (!range)
        return TY_NULL;
    ty_store(range, &range->start, start);
    ty_store(range, &range->stop, stop);
    ty_store(range, &range->step, step);
    ty_store(range, &range->length, length);
    return ty_from_object(range);
}

Value ty_range_new(Value start, Value stop, Value step)
{
    Value bounds[3] = {start, stop, step};
    for (int i = 0; i < 3; i++) {
        if (ty_is_immediate_int(bounds[i]))
            continue;
        Value index = ty_number_index(bounds[i]);
        if (index == TY_NULL)
            return TY_NULL;
        bounds[i] = ty_int_exact(index);
        if (bounds[i] == TY_NULL)
            return TY_NULL;
    }
    if (bounds[2] == ZERO)
        return ty_raise(&ty_ValueError, "range() arg 3 must not be zero");
    Value length = length_of(bounds[0], bounds[1], bounds[2]);
    return length == TY_NULL ? TY_NULL : range_make(bounds[0], bounds[1], bounds[2], length);
}

static Value range_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("range", keywords) || !ty_check_positional("range", count, 1, 3))
        return TY_NULL;
    return ty_range_new(count == 1 ? ZERO : arguments[0], arguments[count > 1], count == 3 ? arguments[2] : ONE);
}

/* --- iterators ------------------------------------------------------------------------------------------------------ */

/* Over ints of any size. */
typedef struct LongIterator {
    TyObject base;
    Value start, step, length;
    Value index; /* int: how many were given */
} LongIterator;

static Value long_iterator_new(Value start, Value step, Value length)
{
    LongIterator *iterator = (LongIterator *)ty_allocate(&ty_long_range_iterator_type, sizeof(LongIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->start, start);
    ty_store(iterator, &iterator->step, step);
    ty_store(iterator, &iterator->length, length);
    ty_store(iterator, &iterator->index, ZERO);
    return ty_from_object(iterator);
}

/* An iterator over start, start + step, …: `length` values. */
static Value iterate(Value start, Value step, Value length)
{
    int64_t from, by, count, span, end;
    if (ty_int_get_int64(start, &from) != 0 || ty_int_get_int64(step, &by) != 0 || ty_int_get_int64(length, &count) != 0 ||
        __builtin_mul_overflow(by, count, &span) || __builtin_add_overflow(from, span, &end))
        return long_iterator_new(start, step, length);
    TyRangeIterator *iterator = (TyRangeIterator *)ty_allocate(&ty_range_iterator_type, sizeof(TyRangeIterator));
    if (!iterator)
        return TY_NULL;
    ty_store_relaxed(&iterator->next, from);
    iterator->end = end;
    iterator->step = by;
    return ty_from_object(iterator);
}

static Value range_iter(Value self) { return iterate(RANGE(self)->start, RANGE(self)->step, RANGE(self)->length); }

/* start + index * step */
static Value value_at(Value start, Value step, Value index)
{
    Value offset = ty_int_multiply(index, step);
    return offset == TY_NULL ? TY_NULL : ty_int_add(start, offset);
}

static Value range_reversed(Value self, Value *a)
{
    TyRange *range = RANGE(self);
    Value last = ty_int_subtract(range->length, ONE), step = ty_int_negative(range->step);
    Value start = last == TY_NULL ? TY_NULL : value_at(range->start, range->step, last);
    return start == TY_NULL || step == TY_NULL ? TY_NULL : iterate(start, step, range->length);
}

static Value iterator_self(Value self) { return self; }

static Value short_next(Value self)
{
    int64_t value;
    return ty_range_iterator_next((TyRangeIterator *)ty_object(self), &value) ? ty_int_from_int64(value) : TY_NULL;
}

static int64_t short_left(TyRangeIterator *self)
{
    int64_t next = ty_load_relaxed(&self->next);
    return self->step == 0 ? 0 : (int64_t)((__int128)((__int128)self->end - next) / self->step);
}

static Value short_hint(Value self, Value *a) { return ty_int_from_int64(short_left((TyRangeIterator *)ty_object(self))); }

static Value reduce_to(Value range, Value state)
{
    Value iter = ty_builtin("iter");
    return iter == TY_NULL || range == TY_NULL ? TY_NULL : ty_tuple_pack(3, iter, ty_tuple_pack(1, range), state);
}

static Value short_reduce(Value v, Value *a)
{
    TyRangeIterator *self = (TyRangeIterator *)ty_object(v);
    Value start = ty_int_from_int64(ty_load_relaxed(&self->next)), end = ty_int_from_int64(self->end), step = ty_int_from_int64(self->step);
    return reduce_to(start == TY_NULL || end == TY_NULL || step == TY_NULL ? TY_NULL : ty_range_new(start, end, step), TY_NONE);
}

static Value short_setstate(Value v, Value *a)
{
    TyRangeIterator *self = (TyRangeIterator *)ty_object(v);
    int64_t state;
    if (a[0] == TY_NONE)
        return TY_NONE;
    if (!ty_to_int64(a[0], &state))
        return TY_NULL;
    int64_t left = short_left(self);
    state = state < 0 ? 0 : TY_MIN(state, left);
    ty_store_relaxed(&self->next, ty_load_relaxed(&self->next) + state * self->step);
    return TY_NONE;
}

static const TyNativeDef short_methods[] = {
    TY_METHOD("__length_hint__(self, /)", short_hint, "How many items are still to come."),
    TY_METHOD("__reduce__(self, /)", short_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", short_setstate, "Skips items, as pickle does."),
    {0},
};

TyType ty_range_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyRangeIterator)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "range_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = short_next},
    .methods = short_methods,
};

static void long_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((LongIterator *)self)->start, 4); }

static Value long_next(Value v)
{
    LongIterator *self = (LongIterator *)ty_object(v);
    Value index = ty_field(&self->index);
    if (ty_int_compare(index, self->length) >= 0)
        return TY_NULL;
    Value next = ty_int_add(index, ONE), value = value_at(self->start, self->step, index);
    if (next == TY_NULL || value == TY_NULL)
        return TY_NULL;
    ty_store_publish(self, &self->index, next);
    return value;
}

static Value long_hint(Value v, Value *a)
{
    LongIterator *self = (LongIterator *)ty_object(v);
    return ty_int_subtract(self->length, ty_field_acquire(&self->index));
}

static Value long_reduce(Value v, Value *a)
{
    LongIterator *self = (LongIterator *)ty_object(v);
    Value index = ty_field_acquire(&self->index);
    Value start = value_at(self->start, self->step, index), stop = value_at(self->start, self->step, self->length);
    return reduce_to(start == TY_NULL || stop == TY_NULL ? TY_NULL : ty_range_new(start, stop, self->step), TY_NONE);
}

static Value long_setstate(Value v, Value *a)
{
    LongIterator *self = (LongIterator *)ty_object(v);
    if (a[0] == TY_NONE)
        return TY_NONE;
    if (!ty_is_int(a[0]))
        return ty_raise(&ty_TypeError, "state must be an int, not %T", a[0]);
    Value state = ty_int_exact(a[0]);
    if (state == TY_NULL)
        return TY_NULL;
    if (ty_int_sign(state) < 0)
        state = ZERO;
    else if (ty_int_compare(state, self->length) > 0)
        state = self->length;
    ty_store_publish(self, &self->index, state);
    return TY_NONE;
}

static const TyNativeDef long_methods[] = {
    TY_METHOD("__length_hint__(self, /)", long_hint, "How many items are still to come."),
    TY_METHOD("__reduce__(self, /)", long_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", long_setstate, "Sets the position, as pickle does."),
    {0},
};

TyType ty_long_range_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(LongIterator), .trace = long_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "longrange_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = long_next},
    .methods = long_methods,
};

/* --- range ---------------------------------------------------------------------------------------------------------- */

static void range_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyRange *)self)->start, 4); }

static int64_t range_length(Value self)
{
    int64_t length;
    if (ty_int_get_int64(RANGE(self)->length, &length) != 0) {
        ty_raise(&ty_OverflowError, "Python int too large to convert to C ssize_t");
        return -1;
    }
    return length;
}

static int range_bool(Value self) { return RANGE(self)->length != ZERO; }

static Value range_repr(Value self)
{
    TyRange *range = RANGE(self);
    if (range->step == ONE)
        return ty_str_format("range(%R, %R)", range->start, range->stop);
    return ty_str_format("range(%R, %R, %R)", range->start, range->stop, range->step);
}

/* An index that is an int, negative ones from the end. */
static Value range_at(Value self, Value index)
{
    TyRange *range = RANGE(self);
    if (ty_int_sign(index) < 0)
        index = ty_int_add(index, range->length);
    if (index == TY_NULL)
        return TY_NULL;
    if (ty_int_sign(index) < 0 || ty_int_compare(index, range->length) >= 0)
        return ty_raise(&ty_IndexError, "range object index out of range");
    return value_at(range->start, range->step, index);
}

static Value range_item(Value self, int64_t index)
{
    if (index < 0)
        return ty_raise(&ty_IndexError, "range object index out of range");
    Value at = ty_int_from_int64(index);
    return at == TY_NULL ? TY_NULL : range_at(self, at);
}

static Value range_get_item(Value self, Value key)
{
    TyRange *range = RANGE(self);
    if (ty_is_slice(key)) {
        Value bounds = ty_call_method_one(key, TY_NAME("indices"), range->length);
        if (bounds == TY_NULL)
            return TY_NULL;
        Value start = value_at(range->start, range->step, ty_tuple_item(bounds, 0));
        Value stop = value_at(range->start, range->step, ty_tuple_item(bounds, 1));
        Value step = ty_int_multiply(range->step, ty_tuple_item(bounds, 2));
        return start == TY_NULL || stop == TY_NULL || step == TY_NULL ? TY_NULL : ty_range_new(start, stop, step);
    }
    if (!ty_has_index(key))
        return ty_raise(&ty_TypeError, "range indices must be integers or slices, not %T", key);
    Value index = ty_number_index(key);
    return index == TY_NULL ? TY_NULL : range_at(self, index);
}

/* Whether an exact int is in the range: 1, 0, -1. */
static int holds(TyRange *range, Value v)
{
    bool ascending = ty_int_sign(range->step) > 0;
    int from = ty_int_compare(range->start, v), to = ty_int_compare(v, range->stop);
    if (ascending ? from > 0 || to >= 0 : from < 0 || to <= 0)
        return 0;
    Value offset = ty_int_subtract(v, range->start);
    Value rest = offset == TY_NULL ? TY_NULL : ty_int_remainder(offset, range->step);
    return rest == TY_NULL ? -1 : rest == ZERO;
}

static int search(Value self, Value v, int64_t *index, int64_t *count)
{
    Value iterator = ty_iter(self), item;
    if (iterator == TY_NULL)
        return -1;
    *index = -1;
    *count = 0;
    for (int64_t i = 0; (item = ty_next(iterator)) != TY_NULL; i++) {
        int equal = ty_equal(item, v);
        if (equal < 0)
            return -1;
        if (equal && (*count)++ == 0)
            *index = i;
    }
    return ty_raised() ? -1 : *count > 0;
}

TY_INLINE bool plain_int(Value v) { return ty_is_exact_int(v) || v == TY_TRUE || v == TY_FALSE; }

static int range_contains(Value self, Value v)
{
    if (!plain_int(v)) {
        Value iterator = ty_iter(self), item;
        if (iterator == TY_NULL)
            return -1;
        while ((item = ty_next(iterator)) != TY_NULL) {
            int equal = ty_equal(item, v);
            if (equal != 0)
                return equal;
        }
        return ty_raised() ? -1 : 0;
    }
    return holds(RANGE(self), ty_int_exact(v));
}

static Value range_count(Value self, Value *a)
{
    int64_t index, count;
    if (plain_int(a[0])) {
        int held = holds(RANGE(self), ty_int_exact(a[0]));
        return held < 0 ? TY_NULL : ty_from_immediate_int(held);
    }
    return search(self, a[0], &index, &count) < 0 ? TY_NULL : ty_int_from_int64(count);
}

static Value range_index(Value self, Value *a)
{
    TyRange *range = RANGE(self);
    int64_t index, count;
    if (plain_int(a[0])) {
        Value v = ty_int_exact(a[0]);
        int held = holds(range, v);
        if (held < 0)
            return TY_NULL;
        if (held) {
            Value offset = ty_int_subtract(v, range->start);
            return offset == TY_NULL ? TY_NULL : ty_int_floor_divide(offset, range->step);
        }
        return ty_raise(&ty_ValueError, "%R is not in range", a[0]);
    }
    int found = search(self, a[0], &index, &count);
    if (found < 0)
        return TY_NULL;
    return found ? ty_int_from_int64(index) : ty_raise(&ty_ValueError, "sequence.index(x): x not in sequence");
}

/* (length, start, step), with None for what makes no difference. */
static Value essence(Value self)
{
    TyRange *range = RANGE(self);
    bool empty = range->length == ZERO, single = range->length == ONE;
    return ty_tuple_pack(3, range->length, empty ? TY_NONE : range->start, empty || single ? TY_NONE : range->step);
}

static Value range_compare(Value left, Value right, int op)
{
    if (!ty_is_range(right) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    Value a = essence(left), b = essence(right);
    return a == TY_NULL || b == TY_NULL ? TY_NULL : ty_compare(a, b, op);
}

static int64_t range_hash(Value self)
{
    Value parts = essence(self);
    return parts == TY_NULL ? -1 : ty_hash(parts);
}

static Value range_reduce(Value self, Value *a)
{
    TyRange *range = RANGE(self);
    return ty_tuple_pack(2, ty_from_object(&ty_range_type), ty_tuple_pack(3, range->start, range->stop, range->step));
}

static const TyNativeDef range_methods[] = {
    TY_METHOD("count(self, value, /)", range_count, "How often value occurs."),
    TY_METHOD("index(self, value, /)", range_index, "The index of value. ValueError if it is not there."),
    TY_METHOD("__reversed__(self, /)", range_reversed, "An iterator over the values, last one first."),
    TY_METHOD("__reduce__(self, /)", range_reduce, "What pickle keeps."),
    {0},
};

static const TyMemberDef range_members[] = {
    {"start", TY_MEMBER_VALUE, false, offsetof(TyRange, start), NULL},
    {"stop", TY_MEMBER_VALUE, false, offsetof(TyRange, stop), NULL},
    {"step", TY_MEMBER_VALUE, false, offsetof(TyRange, step), NULL},
    {0},
};

TyType ty_range_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyRange), .trace = range_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_SEQUENCE,
    .name = "range",
    .doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nThe ints from start (0) up to, not including, stop, in steps of step (1).",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = range_repr,
        .hash = range_hash,
        .compare = range_compare,
        .iter = range_iter,
        .new = range_new,
        .to_bool = range_bool,
        .length = range_length,
        .get_item = range_get_item,
        .item = range_item,
        .contains = range_contains,
    },
    .methods = range_methods,
    .members = range_members,
};
