/* list.sort: a stable merge sort that takes runs as it finds them and merges them by the powersort rule, galloping where one run wins for long.
 *
 * An element is its key, followed by the item if there is a key function: `stride` words. While it lasts the list looks empty; its items are in an array that only
 * the sort knows, so that comparisons may do what they like. Where all keys are small ints, floats or plain strings, the comparison is inline.
 * When a comparison fails, what was taken out for a merge is put back: the array is a permutation of the items at all times. */
#include "object/list.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/str.h"
#include "object/tuple.h"

enum { KEYS_ANY, KEYS_INT, KEYS_FLOAT, KEYS_STR, KEYS_TUPLE };

#define GALLOP_AFTER 7
#define SHORTEST_RUN 32

typedef struct Run {
    int64_t start, length;
    int power; /* of the border to the next run */
} Run;

typedef struct Sort {
    Value *elements;
    int64_t count;
    TyArray *spare;   /* room for the smaller side of a merge */
    int gallop_after; /* wins in a row after which galloping begins: adapts */
    int run_count;
    Run runs[85];
} Sort;

/* a < b: 1, 0, or -1 with an exception. */
static int less_any(Value a, Value b)
{
    if (ty_are_immediate_ints(a, b))
        return (int64_t)(a << 16) < (int64_t)(b << 16);
    Value result = ty_compare(a, b, TY_LT);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

/* Tuples, by their first items where those decide. */
static int less_tuple(Value a, Value b)
{
    Value first = ty_tuple_item(a, 0), second = ty_tuple_item(b, 0);
    if (ty_are_immediate_ints(first, second)) {
        if (first != second)
            return (int64_t)(first << 16) < (int64_t)(second << 16);
    } else if (ty_is_exact_str(first) && ty_is_exact_str(second)) {
        int order = ty_str_compare(first, second);
        if (order != 0)
            return order < 0;
    }
    return less_any(a, b);
}

TY_INLINE int less(Value a, Value b, int kind)
{
    switch (kind) {
    case KEYS_INT: return (int64_t)(a << 16) < (int64_t)(b << 16);
    case KEYS_FLOAT: return ty_double(a) < ty_double(b);
    case KEYS_STR: return ty_str_compare(a, b) < 0;
    case KEYS_TUPLE: return less_tuple(a, b);
    default: return less_any(a, b);
    }
}

TY_INLINE void copy(Value *target, const Value *source, int64_t count, int stride)
{
    if (count == 1) {
        target[0] = source[0];
        if (stride == 2)
            target[1] = source[1];
    } else {
        memmove(target, source, (size_t)count * (size_t)stride * sizeof(Value));
    }
}

#define KEY(base, i) ((base)[(i) * stride])

static void reverse_elements(Value *base, int64_t low, int64_t high, int stride)
{
    for (high--; low < high; low++, high--) {
        for (int w = 0; w < stride; w++) {
            Value v = base[low * stride + w];
            base[low * stride + w] = base[high * stride + w];
            base[high * stride + w] = v;
        }
    }
}

/* Length of the run at low: ascending, or strictly descending and then reversed. -1 on failure. */
TY_INLINE int64_t count_run(Value *base, int64_t low, int64_t high, int kind, int stride)
{
    if (high - low < 2)
        return high - low;
    int64_t i = low + 2;
    int descending = less(KEY(base, low + 1), KEY(base, low), kind);
    if (descending < 0)
        return -1;
    for (; i < high; i++) {
        int smaller = less(KEY(base, i), KEY(base, i - 1), kind);
        if (smaller < 0)
            return -1;
        if (smaller != descending)
            break;
    }
    if (descending)
        reverse_elements(base, low, i, stride);
    return i - low;
}

/* Makes [low, high) sorted where [low, start) is already. */
TY_INLINE bool insertion_sort(Value *base, int64_t low, int64_t start, int64_t high, int kind, int stride)
{
    for (; start < high; start++) {
        Value pivot = KEY(base, start), companion = stride == 2 ? base[start * stride + 1] : TY_NULL;
        int64_t left = low, right = start;
        while (left < right) {
            int64_t middle = left + ((right - left) >> 1);
            int smaller = less(pivot, KEY(base, middle), kind);
            if (smaller < 0)
                return false;
            if (smaller)
                right = middle;
            else
                left = middle + 1;
        }
        memmove(&base[(left + 1) * stride], &base[left * stride], (size_t)(start - left) * (size_t)stride * sizeof(Value));
        base[left * stride] = pivot;
        if (stride == 2)
            base[left * stride + 1] = companion;
    }
    return true;
}

/* Where key belongs in sorted base[0, n): after = false: before all that are equal; true: behind them. The search starts from the front or the back in
 * growing steps. -1 on failure. */
TY_INLINE int64_t gallop(Value key, const Value *base, int64_t n, bool after, bool from_back, int kind, int stride)
{
    int64_t low = 0, high = n, step = 1;
    /* `left`: does base[i] stay in front of the key? */
#define STAYS(i) (after ? (smaller = less(key, KEY(base, i), kind), smaller < 0 ? -1 : !smaller) : (smaller = less(KEY(base, i), key, kind)))
    int smaller, stays;
    if (from_back) {
        while (high > low) {
            int64_t probe = high - step < low ? low : high - step;
            stays = STAYS(probe);
            if (stays < 0)
                return -1;
            if (stays) {
                low = probe + 1;
                break;
            }
            high = probe;
            step = step < (INT64_MAX >> 2) ? step * 2 + 1 : step;
        }
    } else {
        while (low < high) {
            int64_t probe = low + step - 1 >= high ? high - 1 : low + step - 1;
            stays = STAYS(probe);
            if (stays < 0)
                return -1;
            if (!stays) {
                high = probe;
                break;
            }
            low = probe + 1;
            step = step < (INT64_MAX >> 2) ? step * 2 + 1 : step;
        }
    }
    while (low < high) {
        int64_t middle = low + ((high - low) >> 1);
        stays = STAYS(middle);
        if (stays < 0)
            return -1;
        if (stays)
            low = middle + 1;
        else
            high = middle;
    }
#undef STAYS
    return low;
}

/* Room for `count` elements beside the array. */
static Value *spare_room(Sort *sort, int64_t count, int stride)
{
    if (!sort->spare || sort->spare->capacity < count * stride) {
        sort->spare = ty_array_new(count * stride);
        if (!sort->spare)
            return NULL;
    }
    return sort->spare->items;
}

/* Merges a[0, an) with the b[0, bn) right behind it, from the front; a, the shorter, moves to the spare array. */
TY_INLINE bool merge_forward(Sort *sort, Value *a, int64_t an, Value *b, int64_t bn, int kind, int stride)
{
    Value *spare = spare_room(sort, an, stride);
    if (!spare)
        return false;
    copy(spare, a, an, stride);
    Value *to = a;
    int64_t i = 0, j = 0;
    int gallop_after = sort->gallop_after;
    bool fine = true;
    while (i < an && j < bn) {
        int64_t a_wins = 0, b_wins = 0;
        do { /* one by one */
            int smaller = less(KEY(b, j), KEY(spare, i), kind);
            if (TY_UNLIKELY(smaller < 0)) {
                fine = false;
                goto out;
            }
            if (smaller) {
                copy(to, &b[j++ * stride], 1, stride);
                b_wins++;
                a_wins = 0;
            } else {
                copy(to, &spare[i++ * stride], 1, stride);
                a_wins++;
                b_wins = 0;
            }
            to += stride;
        } while (i < an && j < bn && (a_wins | b_wins) < gallop_after);
        if (i == an || j == bn)
            break;
        gallop_after++;
        do {
            gallop_after -= gallop_after > 1;
            a_wins = gallop(KEY(b, j), &spare[i * stride], an - i, true, false, kind, stride);
            if (a_wins < 0) {
                fine = false;
                goto out;
            }
            copy(to, &spare[i * stride], a_wins, stride);
            to += a_wins * stride;
            i += a_wins;
            if (i == an)
                break;
            b_wins = gallop(KEY(spare, i), &b[j * stride], bn - j, false, false, kind, stride);
            if (b_wins < 0) {
                fine = false;
                goto out;
            }
            copy(to, &b[j * stride], b_wins, stride);
            to += b_wins * stride;
            j += b_wins;
        } while (j < bn && (a_wins >= GALLOP_AFTER || b_wins >= GALLOP_AFTER));
        gallop_after++;
    }
out:
    sort->gallop_after = gallop_after;
    copy(to, &spare[i * stride], an - i, stride); /* the rest of b is in place */
    return fine;
}

/* The same from the back: b, the shorter, moves to the spare array. */
TY_INLINE bool merge_backward(Sort *sort, Value *a, int64_t an, Value *b, int64_t bn, int kind, int stride)
{
    Value *spare = spare_room(sort, bn, stride);
    if (!spare)
        return false;
    copy(spare, b, bn, stride);
    Value *to = &b[bn * stride]; /* one behind the place to fill */
    int gallop_after = sort->gallop_after;
    bool fine = true;
    while (an > 0 && bn > 0) {
        int64_t a_wins = 0, b_wins = 0;
        do {
            int smaller = less(KEY(spare, bn - 1), KEY(a, an - 1), kind);
            if (TY_UNLIKELY(smaller < 0)) {
                fine = false;
                goto out;
            }
            to -= stride;
            if (smaller) {
                copy(to, &a[--an * stride], 1, stride);
                a_wins++;
                b_wins = 0;
            } else {
                copy(to, &spare[--bn * stride], 1, stride);
                b_wins++;
                a_wins = 0;
            }
        } while (an > 0 && bn > 0 && (a_wins | b_wins) < gallop_after);
        if (an == 0 || bn == 0)
            break;
        gallop_after++;
        do {
            gallop_after -= gallop_after > 1;
            int64_t at = gallop(KEY(spare, bn - 1), a, an, true, true, kind, stride);
            if (at < 0) {
                fine = false;
                goto out;
            }
            a_wins = an - at;
            to -= a_wins * stride;
            copy(to, &a[at * stride], a_wins, stride);
            an = at;
            if (an == 0)
                break;
            at = gallop(KEY(a, an - 1), spare, bn, false, true, kind, stride);
            if (at < 0) {
                fine = false;
                goto out;
            }
            b_wins = bn - at;
            to -= b_wins * stride;
            copy(to, &spare[at * stride], b_wins, stride);
            bn = at;
        } while (bn > 0 && (a_wins >= GALLOP_AFTER || b_wins >= GALLOP_AFTER));
        gallop_after++;
    }
out:
    sort->gallop_after = gallop_after;
    copy(to - bn * stride, spare, bn, stride); /* the rest of a is in place */
    return fine;
}

/* Merges the two topmost runs. */
TY_INLINE bool merge_top(Sort *sort, int kind, int stride)
{
    Run *first = &sort->runs[sort->run_count - 2], *second = first + 1;
    Value *a = &sort->elements[first->start * stride], *b = &sort->elements[second->start * stride];
    int64_t an = first->length, bn = second->length;
    first->length += bn;
    first->power = second->power;
    sort->run_count--;
    /* What is in place already at both ends needs no merging. */
    int64_t in_place = gallop(KEY(b, 0), a, an, true, false, kind, stride);
    if (in_place < 0)
        return false;
    a += in_place * stride;
    an -= in_place;
    if (an == 0)
        return true;
    bn = gallop(KEY(a, an - 1), b, bn, false, true, kind, stride);
    if (bn <= 0)
        return bn == 0;
    return an <= bn ? merge_forward(sort, a, an, b, bn, kind, stride) : merge_backward(sort, a, an, b, bn, kind, stride);
}

/* Depth in the perfectly balanced merge tree of the border between two neighbouring runs. */
static int border_power(int64_t start, int64_t first, int64_t second, int64_t count)
{
    uint64_t a = 2 * (uint64_t)start + (uint64_t)first, b = a + (uint64_t)first + (uint64_t)second, n = (uint64_t)count;
    int power = 0;
    for (;;) {
        power++;
        if (a >= n) {
            a -= n;
            b -= n;
        } else if (b >= n) {
            return power;
        }
        a <<= 1;
        b <<= 1;
    }
}

TY_INLINE bool sort_elements(Sort *sort, int kind, int stride)
{
    Value *base = sort->elements;
    int64_t count = sort->count, shortest = count, odd = 0;
    while (shortest > SHORTEST_RUN) {
        odd |= shortest & 1;
        shortest >>= 1;
    }
    shortest += odd;
    for (int64_t low = 0; low < count;) {
        int64_t length = count_run(base, low, count, kind, stride);
        if (length < 0)
            return false;
        if (length < shortest) {
            int64_t forced = TY_MIN(shortest, count - low);
            if (!insertion_sort(base, low, low + length, low + forced, kind, stride))
                return false;
            length = forced;
        }
        if (sort->run_count > 0) {
            Run *previous = &sort->runs[sort->run_count - 1];
            int power = border_power(previous->start, previous->length, length, count);
            while (sort->run_count > 1 && sort->runs[sort->run_count - 2].power > power)
                if (!merge_top(sort, kind, stride))
                    return false;
            sort->runs[sort->run_count - 1].power = power;
        }
        sort->runs[sort->run_count++] = (Run){low, length, 0};
        low += length;
    }
    while (sort->run_count > 1)
        if (!merge_top(sort, kind, stride))
            return false;
    return true;
}

#define SPECIALIZED(name, kind)                                                     \
    static TY_NOINLINE bool name##_1(Sort *sort) { return sort_elements(sort, kind, 1); } \
    static TY_NOINLINE bool name##_2(Sort *sort) { return sort_elements(sort, kind, 2); }
SPECIALIZED(sort_any, KEYS_ANY)
SPECIALIZED(sort_int, KEYS_INT)
SPECIALIZED(sort_float, KEYS_FLOAT)
SPECIALIZED(sort_str, KEYS_STR)
SPECIALIZED(sort_tuple, KEYS_TUPLE)

static bool (*const sorts[][2])(Sort *) = {
    [KEYS_ANY] = {sort_any_1, sort_any_2},       [KEYS_INT] = {sort_int_1, sort_int_2}, [KEYS_FLOAT] = {sort_float_1, sort_float_2},
    [KEYS_STR] = {sort_str_1, sort_str_2},       [KEYS_TUPLE] = {sort_tuple_1, sort_tuple_2},
};

static int kind_of(Value v)
{
    if (ty_is_immediate_int(v))
        return KEYS_INT;
    if (ty_is_double(v))
        return KEYS_FLOAT;
    if (ty_is_exact_str(v))
        return KEYS_STR;
    if (ty_is_exact_tuple(v) && ty_tuple_length(v) > 0)
        return KEYS_TUPLE;
    return KEYS_ANY;
}

static int common_kind(const Value *elements, int64_t count, int stride)
{
    int kind = kind_of(elements[0]);
    for (int64_t i = 1; i < count && kind != KEYS_ANY; i++)
        if (kind_of(elements[i * stride]) != kind)
            kind = KEYS_ANY;
    return kind;
}

/* Sorts count > 1 items. With a key function its results are made first, in the items' order. */
static bool sort_items(Value *items, int64_t count, Value key, bool reverse)
{
    Sort sort = {.count = count, .gallop_after = GALLOP_AFTER};
    int stride = key == TY_NULL ? 1 : 2;
    TyArray *pairs = NULL;
    if (stride == 1) {
        sort.elements = items;
    } else {
        pairs = ty_array_new(count * 2);
        if (!pairs)
            return false;
        for (int64_t i = 0; i < count; i++) {
            Value result = ty_call_one(key, items[i]);
            if (result == TY_NULL)
                return false;
            ty_store(pairs, &pairs->items[i * 2], result);
            ty_store(pairs, &pairs->items[i * 2 + 1], items[i]);
        }
        sort.elements = pairs->items;
    }
    /* Reversed before and after, equal items keep their order. */
    if (reverse)
        reverse_elements(sort.elements, 0, count, stride);
    bool fine = sorts[common_kind(sort.elements, count, stride)][stride - 1](&sort);
    if (reverse)
        reverse_elements(sort.elements, 0, count, stride);
    if (stride == 2)
        for (int64_t i = 0; i < count; i++)
            items[i] = pairs->items[i * 2 + 1];
    return fine;
}

bool ty_list_sort(Value v, Value key, bool reverse)
{
    TyList *list = ty_as_list(v);
    if (ty_list_length(v) < 2 && key == TY_NULL)
        return true;
    TyArray *marker = ty_array_new(0); /* whatever changes the list puts another array in its place */
    if (!marker)
        return false;
    bool locked = ty_object_lock(&list->base);
    TyArray *array = ty_load_relaxed(&list->items);
    int64_t count = ty_load_relaxed(&list->length);
    ty_store_release(&list->length, 0);
    ty_store_pointer(list, (TyArray **)&list->items, marker);
    ty_object_unlock(&list->base, locked);
    if (ty_load_relaxed(&ty_many_threads)) { /* readers may still look at the old array */
        TyArray *copy_of = ty_array_new(count);
        if (copy_of) {
            memcpy(copy_of->items, array->items, (size_t)count * sizeof(Value));
            array = copy_of;
        } else {
            key = TY_NULL;
            count = -count - 1;
        }
    }

    bool fine = true;
    if (count < 0) { /* no memory for the copy: all stays as it was */
        fine = false;
        count = -count - 1;
    } else if (count > 1) {
        fine = sort_items(array->items, count, key, reverse);
    } else if (count == 1) {
        fine = ty_call_one(key, array->items[0]) != TY_NULL;
    }

    locked = ty_object_lock(&list->base);
    bool modified = ty_load_relaxed(&list->items) != marker || ty_load_relaxed(&list->length) != 0;
    ty_store_pointer(list, (TyArray **)&list->items, array);
    ty_store_release(&list->length, count);
    ty_object_unlock(&list->base, locked);
    if (fine && modified) {
        ty_raise(&ty_ValueError, "list modified during sort");
        return false;
    }
    return fine;
}
