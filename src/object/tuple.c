#include "object/tuple.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/slice.h"
#include "object/str.h"

/* The one tuple () of the process: its items are never looked at. */
static TyTuple empty_tuple = {.base = TY_STATIC_HEADER(ty_tuple_type)};

Value ty_tuple_empty(void) { return ty_from_object(&empty_tuple); }

Value ty_tuple_new(int64_t length)
{
    if (length == 0)
        return ty_tuple_empty();
    if (TY_UNLIKELY(length > INT64_MAX / 16))
        return ty_raise_memory_error();
    TyTuple *tuple = (TyTuple *)ty_allocate(&ty_tuple_type, sizeof(TyTuple) + (size_t)length * sizeof(Value));
    if (!tuple)
        return TY_NULL;
    tuple->length = length;
    return ty_from_object(tuple);
}

Value ty_tuple_from_array(const Value *items, size_t count)
{
    Value tuple = ty_tuple_new((int64_t)count);
    if (tuple != TY_NULL && count) /* no one else knows it yet */
        memcpy(ty_as_tuple(tuple)->items, items, count * sizeof(Value));
    return tuple;
}

Value ty_tuple_pack(size_t count, ...)
{
    Value items[16];
    va_list arguments;
    assert(count <= TY_COUNT_OF(items));
    va_start(arguments, count);
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        items[i] = va_arg(arguments, Value);
        whole = whole && items[i] != TY_NULL;
    }
    va_end(arguments);
    return whole ? ty_tuple_from_array(items, count) : TY_NULL;
}

Value ty_tuple_slice(Value v, int64_t start, int64_t end)
{
    TyTuple *tuple = ty_as_tuple(v);
    start = TY_MAX(start, 0);
    end = TY_MIN(end, tuple->length);
    if (start == 0 && end == tuple->length && ty_is_exact_tuple(v))
        return v;
    return ty_tuple_from_array(tuple->items + start, end > start ? (size_t)(end - start) : 0);
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static Value tuple_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    /* A subclass with an __init__ of its own may take keywords there. */
    if ((type == &ty_tuple_type || type->slots.init == ty_tuple_type.slots.init) && !ty_no_keywords("tuple", keywords))
        return TY_NULL;
    if (!ty_check_positional("tuple", count, 0, 1))
        return TY_NULL;
    Value exact = count == 0 ? ty_tuple_empty() : ty_sequence_tuple(arguments[0]);
    if (exact == TY_NULL || type == &ty_tuple_type)
        return exact;
    int64_t length = ty_tuple_length(exact);
    Value tuple = ty_type_allocate(type, (size_t)length);
    if (tuple == TY_NULL)
        return TY_NULL;
    ty_as_tuple(tuple)->length = length;
    for (int64_t i = 0; i < length; i++)
        ty_tuple_set(tuple, i, ty_tuple_item(exact, i));
    return tuple;
}

static void tuple_trace(TyObject *self, TyMarker *marker)
{
    TyTuple *tuple = (TyTuple *)self;
    ty_mark_range(marker, tuple->items, (size_t)tuple->length);
}

static Value tuple_repr(Value self)
{
    int64_t length = ty_tuple_length(self);
    if (length == 0)
        return ty_str_from_text("()");
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("(...)");
    TyStrBuilder text = {0};
    bool fine = ty_builder_add_char(&text, '(');
    for (int64_t i = 0; fine && i < length; i++)
        fine = (i == 0 || ty_builder_add_text(&text, ", ")) && ty_builder_add_repr(&text, ty_tuple_item(self, i));
    ty_repr_leave(&guard);
    return fine && ty_builder_add_text(&text, length == 1 ? ",)" : ")") ? ty_builder_finish(&text) : TY_NULL;
}

/* xxHash's lane mixing over the items' hashes: the numbers that CPython's tuples have. */
static int64_t tuple_hash(Value self)
{
    TyTuple *tuple = ty_as_tuple(self);
    int64_t known = ty_load_relaxed(&tuple->hash);
    if (known != 0)
        return known;
    uint64_t state = 2870177450012600261u;
    for (int64_t i = 0; i < tuple->length; i++) {
        int64_t hash = ty_hash(tuple->items[i]);
        if (hash == -1)
            return -1;
        state += (uint64_t)hash * 14029467366897019727u;
        state = (state << 31 | state >> 33) * 11400714785074694791u;
    }
    state += (uint64_t)tuple->length ^ (2870177450012600261u ^ 3527539u);
    int64_t hash = state == UINT64_MAX ? 1546275796 : (int64_t)state;
    if (tuple != &empty_tuple)
        ty_store_relaxed(&tuple->hash, hash);
    return hash;
}

static Value tuple_compare(Value left, Value right, int op)
{
    if (!ty_is_tuple(right))
        return TY_NOT_IMPLEMENTED;
    TyTuple *a = ty_as_tuple(left), *b = ty_as_tuple(right);
    int64_t shared = TY_MIN(a->length, b->length);
    for (int64_t i = 0; i < shared; i++) {
        int equal = ty_equal(a->items[i], b->items[i]);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            continue;
        if (op == TY_EQ || op == TY_NE)
            return ty_from_bool(op == TY_NE);
        return ty_compare(a->items[i], b->items[i], op);
    }
    int64_t difference = a->length - b->length;
    switch (op) {
    case TY_LT: return ty_from_bool(difference < 0);
    case TY_LE: return ty_from_bool(difference <= 0);
    case TY_EQ: return ty_from_bool(difference == 0);
    case TY_NE: return ty_from_bool(difference != 0);
    case TY_GT: return ty_from_bool(difference > 0);
    default: return ty_from_bool(difference >= 0);
    }
}

static Value tuple_iter(Value self) { return ty_iterator_over(&ty_tuple_iterator_type, self, 0); }
static int64_t tuple_length(Value self) { return ty_tuple_length(self); }

static Value tuple_item(Value self, int64_t index)
{
    if (TY_UNLIKELY((uint64_t)index >= (uint64_t)ty_tuple_length(self)))
        return ty_raise(&ty_IndexError, "tuple index out of range");
    return ty_tuple_item(self, index);
}

static Value tuple_get_item(Value self, Value key)
{
    int64_t index, stop, step;
    if (ty_is_immediate_int(key) || ty_has_index(key)) {
        if (!ty_subscript_index(key, &index))
            return TY_NULL;
        return tuple_item(self, index < 0 ? index + ty_tuple_length(self) : index);
    }
    if (!ty_is_slice(key))
        return ty_raise(&ty_TypeError, "tuple indices must be integers or slices, not %T", key);
    if (!ty_slice_unpack(key, &index, &stop, &step))
        return TY_NULL;
    int64_t count = ty_slice_adjust(ty_tuple_length(self), &index, &stop, step);
    if (step == 1)
        return ty_tuple_slice(self, index, index + count);
    Value result = ty_tuple_new(count);
    if (result != TY_NULL)
        for (int64_t i = 0; i < count; i++)
            ty_tuple_set(result, i, ty_tuple_item(self, index + i * step));
    return result;
}

static int tuple_contains(Value self, Value item)
{
    TyTuple *tuple = ty_as_tuple(self);
    for (int64_t i = 0; i < tuple->length; i++) {
        int equal = ty_equal(tuple->items[i], item);
        if (equal != 0)
            return equal;
    }
    return 0;
}

static Value tuple_concat(Value left, Value right)
{
    if (!ty_is_tuple(right))
        return ty_raise(&ty_TypeError, "can only concatenate tuple (not \"%T\") to tuple", right);
    TyTuple *a = ty_as_tuple(left), *b = ty_as_tuple(right);
    if (a->length == 0 && ty_is_exact_tuple(right))
        return right;
    if (b->length == 0 && ty_is_exact_tuple(left))
        return left;
    Value result = ty_tuple_new(a->length + b->length);
    if (result == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < a->length; i++)
        ty_tuple_set(result, i, a->items[i]);
    for (int64_t i = 0; i < b->length; i++)
        ty_tuple_set(result, a->length + i, b->items[i]);
    return result;
}

static Value tuple_repeat(Value self, int64_t count)
{
    TyTuple *tuple = ty_as_tuple(self);
    int64_t length = tuple->length;
    if (length == 0 || count <= 0)
        return length == 0 && ty_is_exact_tuple(self) ? self : ty_tuple_empty();
    if (count == 1 && ty_is_exact_tuple(self))
        return self;
    if (count > INT64_MAX / 16 / length)
        return ty_raise_memory_error();
    Value result = ty_tuple_new(length * count);
    if (result != TY_NULL)
        for (int64_t i = 0, from = 0; i < length * count; i++, from = from + 1 == length ? 0 : from + 1)
            ty_tuple_set(result, i, tuple->items[from]);
    return result;
}

/* --- methods -------------------------------------------------------------------------------------------------------- */

static Value tuple_count(Value self, Value *a)
{
    TyTuple *tuple = ty_as_tuple(self);
    int64_t count = 0;
    for (int64_t i = 0; i < tuple->length; i++) {
        int equal = ty_equal(tuple->items[i], a[0]);
        if (equal < 0)
            return TY_NULL;
        count += equal;
    }
    return ty_from_immediate_int(count);
}

static Value tuple_index(Value self, Value *a)
{
    TyTuple *tuple = ty_as_tuple(self);
    int64_t start = 0, stop = INT64_MAX;
    if ((a[1] != TY_NULL && !ty_to_index(a[1], &start)) || (a[2] != TY_NULL && !ty_to_index(a[2], &stop)))
        return TY_NULL;
    if (start < 0)
        start = TY_MAX(start + tuple->length, 0);
    if (stop < 0)
        stop += tuple->length;
    stop = TY_MIN(stop, tuple->length);
    for (int64_t i = start; i < stop; i++) {
        int equal = ty_equal(tuple->items[i], a[0]);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            return ty_from_immediate_int(i);
    }
    return ty_raise(&ty_ValueError, "tuple.index(x): x not in tuple");
}

static Value tuple_getnewargs(Value self, Value *a)
{
    TyTuple *tuple = ty_as_tuple(self);
    return ty_tuple_pack(1, ty_is_exact_tuple(self) ? self : ty_tuple_from_array(tuple->items, (size_t)tuple->length));
}

static const TyNativeDef tuple_methods[] = {
    TY_METHOD("index(self, value, start=0, stop=sys.maxsize, /)", tuple_index, "The first index of value. ValueError if it is not there."),
    TY_METHOD("count(self, value, /)", tuple_count, "How often value occurs."),
    TY_METHOD("__getnewargs__(self, /)", tuple_getnewargs, "What pickle keeps."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_tuple_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyTuple), .item_size = sizeof(Value), .trace = tuple_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_TUPLE | TY_TYPE_SEQUENCE | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE,
    .name = "tuple",
    .doc = "tuple(iterable=(), /)\n--\n\nAn immutable sequence.\n\nWithout an argument it is empty; a tuple is returned as it is.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = tuple_repr,
        .hash = tuple_hash,
        .compare = tuple_compare,
        .iter = tuple_iter,
        .new = tuple_new,
        .length = tuple_length,
        .get_item = tuple_get_item,
        .item = tuple_item,
        .contains = tuple_contains,
        .concat = tuple_concat,
        .repeat = tuple_repeat,
    },
    .methods = tuple_methods,
};
