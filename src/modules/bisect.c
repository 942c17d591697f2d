/* _bisect: searching and inserting into sequences that are sorted. */
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"

static int less(Value a, Value b)
{
    if (ty_are_immediate_ints(a, b))
        return ty_immediate_int(a) < ty_immediate_int(b);
    if (ty_is_double(a) && ty_is_double(b))
        return ty_double(a) < ty_double(b);
    return ty_compare_bool(a, b, TY_LT);
}

/* Where x goes in a[low:high]: left of the items equal to it, or right. -1 with an exception. The bounds are arguments
 * as they came; a sequence may change while its items are compared. */
static int64_t search(Value *a, Value x, bool right)
{
    Value sequence = a[0], key = a[4] == TY_NONE ? TY_NULL : a[4];
    int64_t low = 0, high;
    if (a[2] != TY_NULL && !ty_to_size(a[2], &low))
        return -1;
    if (low < 0) {
        ty_raise(&ty_ValueError, "lo must be non-negative");
        return -1;
    }
    if (a[3] == TY_NULL || a[3] == TY_NONE) {
        high = ty_length(sequence);
        if (high < 0)
            return -1;
    } else if (!ty_to_size(a[3], &high)) {
        return -1;
    }
    bool is_list = ty_is_exact_list(sequence);
    while (low < high) {
        int64_t middle = (int64_t)(((uint64_t)low + (uint64_t)high) / 2);
        Value item = is_list ? ty_list_item(sequence, middle) : TY_NULL;
        if (item == TY_NULL)
            item = ty_sequence_item(sequence, middle);
        if (item != TY_NULL && key != TY_NULL)
            item = ty_call_one(key, item);
        if (item == TY_NULL)
            return -1;
        int before = right ? less(x, item) : less(item, x);
        if (before < 0)
            return -1;
        if ((before != 0) == right)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static Value bisect(Value *a, bool right)
{
    int64_t place = search(a, a[1], right);
    return place < 0 ? TY_ERROR : ty_int_from_int64(place);
}

static Value insort(Value *a, bool right)
{
    Value x = a[1];
    if (a[4] != TY_NULL && a[4] != TY_NONE) {
        x = ty_call_one(a[4], x);
        if (x == TY_NULL)
            return TY_ERROR;
    }
    int64_t place = search(a, x, right);
    if (place < 0)
        return TY_ERROR;
    if (ty_is_exact_list(a[0]))
        return ty_list_insert(a[0], place, a[1]) ? TY_NONE : TY_ERROR;
    Value arguments[2] = {ty_int_from_int64(place), a[1]};
    return ty_call_method(a[0], TY_NAME("insert"), arguments, 2) == TY_NULL ? TY_ERROR : TY_NONE;
}

static Value bisect_left(Value self, Value *a) { return bisect(a, false); }
static Value bisect_right(Value self, Value *a) { return bisect(a, true); }
static Value insort_left(Value self, Value *a) { return insort(a, false); }
static Value insort_right(Value self, Value *a) { return insort(a, true); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("bisect_left(a, x, lo=0, hi=None, *, key=None)", bisect_left,
                "The index at which x can be inserted into the sorted a so that it stays sorted, before any items equal to x."),
    TY_FUNCTION("bisect_right(a, x, lo=0, hi=None, *, key=None)", bisect_right,
                "The index at which x can be inserted into the sorted a so that it stays sorted, after any items equal to x."),
    TY_FUNCTION("insort_left(a, x, lo=0, hi=None, *, key=None)", insort_left,
                "Inserts x into the sorted a so that it stays sorted, before any items equal to x."),
    TY_FUNCTION("insort_right(a, x, lo=0, hi=None, *, key=None)", insort_right,
                "Inserts x into the sorted a so that it stays sorted, after any items equal to x."),
    {0},
};

const TyModuleDef ty_module_bisect = {
    .name = "_bisect",
    .doc = "Search and insertion by halves in sorted sequences.",
    .functions = functions,
};
