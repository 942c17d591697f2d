#include "object/slice.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Value ty_slice_new(Value start, Value stop, Value step)
{
    TySlice *slice = (TySlice *)ty_allocate(&ty_slice_type, sizeof(TySlice));
    if (!slice)
        return TY_NULL;
    ty_store(slice, &slice->start, start == TY_NULL ? TY_NONE : start);
    ty_store(slice, &slice->stop, stop == TY_NULL ? TY_NONE : stop);
    ty_store(slice, &slice->step, step == TY_NULL ? TY_NONE : step);
    return ty_from_object(slice);
}

bool ty_subscript_index_slow(Value key, int64_t *out)
{
    Value index = ty_number_index(key);
    if (index == TY_NULL)
        return false;
    if (ty_int_get_int64(index, out) != 0) {
        ty_raise(&ty_IndexError, "cannot fit '%T' into an index-sized integer", key);
        return false;
    }
    return true;
}

bool ty_slice_index(Value bound, int64_t *out)
{
    if (bound == TY_NONE)
        return true;
    if (ty_is_immediate_int(bound)) {
        *out = ty_immediate_int(bound);
        return true;
    }
    if (!ty_has_index(bound)) {
        ty_raise(&ty_TypeError, "slice indices must be integers or None or have an __index__ method");
        return false;
    }
    Value index = ty_number_index(bound);
    if (index == TY_NULL)
        return false;
    int range = ty_int_get_int64(index, out);
    if (range != 0)
        *out = range > 0 ? INT64_MAX : INT64_MIN;
    return true;
}

bool ty_slice_unpack(Value v, int64_t *start, int64_t *stop, int64_t *step)
{
    TySlice *slice = (TySlice *)ty_object(v);
    *step = 1;
    if (!ty_slice_index(slice->step, step))
        return false;
    if (*step == 0) {
        ty_raise(&ty_ValueError, "slice step cannot be zero");
        return false;
    }
    if (*step < -INT64_MAX)
        *step = -INT64_MAX; /* so that it can be negated */
    *start = *step < 0 ? INT64_MAX : 0;
    *stop = *step < 0 ? INT64_MIN : INT64_MAX;
    return ty_slice_index(slice->start, start) && ty_slice_index(slice->stop, stop);
}

static int64_t clip(int64_t bound, int64_t length, int64_t step)
{
    if (bound < 0) {
        bound += length;
        return bound < 0 ? (step < 0 ? -1 : 0) : bound;
    }
    return bound >= length ? (step < 0 ? length - 1 : length) : bound;
}

int64_t ty_slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step)
{
    *start = clip(*start, length, step);
    *stop = clip(*stop, length, step);
    if (step < 0)
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

/* --- the type ------------------------------------------------------------------------------------------------------- */

static Value slice_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("slice", keywords) || !ty_check_positional("slice", count, 1, 3))
        return TY_NULL;
    if (count == 1)
        return ty_slice_new(TY_NULL, arguments[0], TY_NULL);
    return ty_slice_new(arguments[0], arguments[1], count == 3 ? arguments[2] : TY_NULL);
}

static void slice_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TySlice *)self)->start, 3); }

static Value slice_repr(Value self)
{
    TySlice *slice = (TySlice *)ty_object(self);
    return ty_str_format("slice(%R, %R, %R)", slice->start, slice->stop, slice->step);
}

static Value slice_tuple(Value self)
{
    TySlice *slice = (TySlice *)ty_object(self);
    return ty_tuple_from_array(&slice->start, 3);
}

static int64_t slice_hash(Value self)
{
    TySlice *slice = (TySlice *)ty_object(self);
    uint64_t state = 2870177450012600261u; /* as a tuple's, but that the length has no part */
    for (int i = 0; i < 3; i++) {
        int64_t hash = ty_hash((&slice->start)[i]);
        if (hash == -1)
            return -1;
        state += (uint64_t)hash * 14029467366897019727u;
        state = (state << 31 | state >> 33) * 11400714785074694791u;
    }
    return state == UINT64_MAX ? 1546275796 : (int64_t)state;
}

static Value slice_compare(Value left, Value right, int op)
{
    if (!ty_is_slice(right))
        return TY_NOT_IMPLEMENTED;
    if (left == right) /* even with parts that are not equal to themselves */
        return ty_from_bool(op == TY_EQ || op == TY_LE || op == TY_GE);
    Value a = slice_tuple(left), b = slice_tuple(right);
    return a == TY_NULL || b == TY_NULL ? TY_NULL : ty_compare(a, b, op);
}

/* A bound as an exact int, or TY_NULL. */
static Value evaluate(Value v)
{
    if (ty_has_index(v))
        return ty_number_index(v);
    return ty_raise(&ty_TypeError, "slice indices must be integers or None or have an __index__ method");
}

/* One bound of indices() for ints of any size: `low` and `high` are what it may be. */
static Value any_bound(Value bound, Value absent, Value length, Value low, Value high)
{
    if (bound == TY_NONE)
        return absent;
    bound = evaluate(bound);
    if (bound == TY_NULL)
        return TY_NULL;
    if (ty_int_sign(bound) < 0) {
        bound = ty_int_add(bound, length);
        return bound == TY_NULL || ty_int_compare(bound, low) >= 0 ? bound : low;
    }
    return ty_int_compare(bound, high) > 0 ? high : bound;
}

static Value slice_indices(Value self, Value *a)
{
    TySlice *slice = (TySlice *)ty_object(self);
    Value length = ty_number_index(a[0]);
    if (length == TY_NULL)
        return TY_NULL;
    Value one = ty_from_immediate_int(1), zero = ty_from_immediate_int(0);
    Value step = slice->step == TY_NONE ? one : evaluate(slice->step);
    if (step == TY_NULL)
        return TY_NULL;
    int sign = ty_int_sign(step);
    if (ty_int_sign(length) < 0)
        return ty_raise(&ty_ValueError, "length should not be negative");
    if (sign == 0)
        return ty_raise(&ty_ValueError, "slice step cannot be zero");
    Value low = sign < 0 ? ty_from_immediate_int(-1) : zero;
    Value high = sign < 0 ? ty_int_subtract(length, one) : length;
    if (high == TY_NULL)
        return TY_NULL;
    Value start = any_bound(slice->start, sign < 0 ? high : low, length, low, high);
    Value stop = start == TY_NULL ? TY_NULL : any_bound(slice->stop, sign < 0 ? low : high, length, low, high);
    return ty_tuple_pack(3, start, stop, stop == TY_NULL ? TY_NULL : step);
}

static Value slice_reduce(Value self, Value *a)
{
    return ty_tuple_pack(2, ty_from_object(&ty_slice_type), slice_tuple(self));
}

static const TyNativeDef slice_methods[] = {
    TY_METHOD("indices(self, length, /)", slice_indices, "The start, stop and step that the slice comes to for a sequence of that length."),
    TY_METHOD("__reduce__(self, /)", slice_reduce, "What pickle keeps."),
    {0},
};

static const TyMemberDef slice_members[] = {
    {"start", TY_MEMBER_VALUE, false, offsetof(TySlice, start), NULL},
    {"stop", TY_MEMBER_VALUE, false, offsetof(TySlice, stop), NULL},
    {"step", TY_MEMBER_VALUE, false, offsetof(TySlice, step), NULL},
    {0},
};

TyType ty_slice_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TySlice), .trace = slice_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "slice",
    .doc = "slice(stop)\nslice(start, stop[, step])\n\nWhat sequence[start:stop:step] gives to __getitem__.",
    .parent = &ty_object_base_type,
    .slots = {.repr = slice_repr, .hash = slice_hash, .compare = slice_compare, .new = slice_new},
    .methods = slice_methods,
    .members = slice_members,
};
