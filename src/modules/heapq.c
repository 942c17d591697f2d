/* _heapq: a list kept as a binary heap, the least item first, or the greatest.
 *
 * Comparing calls Python, which may change the list: after each comparison its length is looked at again. */
#include "object/exception.h"
#include "object/list.h"
#include "object/native.h"

/* Whether a goes above b. */
static int above(Value a, Value b, bool max)
{
    if (ty_are_immediate_ints(a, b))
        return max ? ty_immediate_int(b) < ty_immediate_int(a) : ty_immediate_int(a) < ty_immediate_int(b);
    if (ty_is_double(a) && ty_is_double(b))
        return max ? ty_double(b) < ty_double(a) : ty_double(a) < ty_double(b);
    return max ? ty_compare_bool(b, a, TY_LT) : ty_compare_bool(a, b, TY_LT);
}

static bool check_list(const char *function, Value heap, bool numbered)
{
    if (ty_is_list(heap))
        return true;
    ty_raise(&ty_TypeError, numbered ? "%s() argument 1 must be list, not %T" : "%s() argument must be list, not %T", function,
             heap);
    return false;
}

static bool unchanged(Value heap, int64_t length)
{
    if (ty_list_length(heap) == length)
        return true;
    ty_raise(&ty_RuntimeError, "list changed size during iteration");
    return false;
}

static Value item_at(Value heap, int64_t i)
{
    Value item = ty_list_item(heap, i);
    return item == TY_NULL ? ty_raise(&ty_RuntimeError, "list changed size during iteration") : item;
}

static bool swap(Value heap, int64_t i, int64_t j)
{
    Value a = item_at(heap, i), b = item_at(heap, j);
    return a != TY_NULL && b != TY_NULL && ty_list_set(heap, i, b) && ty_list_set(heap, j, a);
}

/* Moves the item at `place` up, not beyond `top`. */
static bool move_up(Value heap, int64_t top, int64_t place, bool max)
{
    int64_t length = ty_list_length(heap);
    Value item = item_at(heap, place);
    if (item == TY_NULL)
        return false;
    while (place > top) {
        int64_t parent = (place - 1) >> 1;
        Value parent_item = item_at(heap, parent);
        if (parent_item == TY_NULL)
            return false;
        int higher = above(item, parent_item, max);
        if (higher < 0 || !unchanged(heap, length))
            return false;
        if (higher == 0)
            break;
        if (!swap(heap, place, parent))
            return false;
        place = parent;
    }
    return true;
}

/* Moves the item at `place` down to a leaf by way of the higher children, then up to where it belongs: fewer
 * comparisons than asking at each level whether it may stay. */
static bool move_down(Value heap, int64_t place, bool max)
{
    int64_t length = ty_list_length(heap), top = place, limit = length >> 1;
    while (place < limit) {
        int64_t child = 2 * place + 1;
        if (child + 1 < length) {
            Value left = item_at(heap, child), right = item_at(heap, child + 1);
            if (left == TY_NULL || right == TY_NULL)
                return false;
            int higher = above(left, right, max);
            if (higher < 0 || !unchanged(heap, length))
                return false;
            child += higher == 0;
        }
        if (!swap(heap, place, child))
            return false;
        place = child;
    }
    return move_up(heap, top, place, max);
}

static Value push(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true) || !ty_list_append(a[0], a[1]))
        return TY_ERROR;
    return move_up(a[0], 0, ty_list_length(a[0]) - 1, max) ? TY_NONE : TY_ERROR;
}

/* Takes the last item off the list. */
static Value pop_last(Value heap)
{
    int64_t length = ty_list_length(heap);
    Value last = length == 0 ? TY_NULL : ty_list_item(heap, length - 1);
    if (last == TY_NULL)
        return ty_raise(&ty_IndexError, "index out of range");
    return ty_delete_item(heap, ty_from_immediate_int(length - 1)) ? last : TY_ERROR;
}

static Value pop(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], false))
        return TY_ERROR;
    Value last = pop_last(a[0]);
    if (last == TY_NULL || ty_list_length(a[0]) == 0)
        return last;
    Value first = item_at(a[0], 0);
    if (first == TY_NULL || !ty_list_set(a[0], 0, last) || !move_down(a[0], 0, max))
        return TY_ERROR;
    return first;
}

static Value replace(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true))
        return TY_ERROR;
    Value first = ty_list_item(a[0], 0);
    if (first == TY_NULL)
        return ty_raise(&ty_IndexError, "index out of range");
    return ty_list_set(a[0], 0, a[1]) && move_down(a[0], 0, max) ? first : TY_ERROR;
}

static Value push_pop(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true))
        return TY_ERROR;
    Value first = ty_list_item(a[0], 0);
    if (first == TY_NULL)
        return a[1];
    int higher = above(first, a[1], max);
    if (higher < 0)
        return TY_ERROR;
    if (higher == 0)
        return a[1];
    first = ty_list_item(a[0], 0);
    if (first == TY_NULL)
        return ty_raise(&ty_IndexError, "index out of range");
    return ty_list_set(a[0], 0, a[1]) && move_down(a[0], 0, max) ? first : TY_ERROR;
}

static Value make_heap(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], false))
        return TY_ERROR;
    for (int64_t i = ty_list_length(a[0]) / 2; i-- > 0;) {
        if (!move_down(a[0], i, max))
            return TY_ERROR;
    }
    return TY_NONE;
}

#define DEFINE_PAIR(name, function)                                                            \
    static Value name(Value self, Value *a) { return function(#name, a, false); }              \
    static Value name##_max(Value self, Value *a) { return function(#name "_max", a, true); }
DEFINE_PAIR(heappush, push)
DEFINE_PAIR(heappop, pop)
DEFINE_PAIR(heapreplace, replace)
DEFINE_PAIR(heappushpop, push_pop)
DEFINE_PAIR(heapify, make_heap)

static const TyNativeDef functions[] = {
    TY_FUNCTION("heappush(heap, item, /)", heappush, "Adds the item to the heap."),
    TY_FUNCTION("heappop(heap, /)", heappop, "Removes and returns the least item of the heap."),
    TY_FUNCTION("heapreplace(heap, item, /)", heapreplace, "Removes and returns the least item, then adds the new one."),
    TY_FUNCTION("heappushpop(heap, item, /)", heappushpop, "Adds the item, then removes and returns the least one."),
    TY_FUNCTION("heapify(heap, /)", heapify, "Makes a heap of the list, in place, in linear time."),
    TY_FUNCTION("heappush_max(heap, item, /)", heappush_max, "Adds the item to a heap with the greatest item first."),
    TY_FUNCTION("heappop_max(heap, /)", heappop_max, "Removes and returns the greatest item of the heap."),
    TY_FUNCTION("heapreplace_max(heap, item, /)", heapreplace_max, "Removes and returns the greatest item, then adds the new one."),
    TY_FUNCTION("heappushpop_max(heap, item, /)", heappushpop_max, "Adds the item, then removes and returns the greatest one."),
    TY_FUNCTION("heapify_max(heap, /)", heapify_max, "Makes a heap with the greatest item first of the list, in place."),
    {0},
};

static bool execute(Value module)
{
    return ty_module_add_str(module, "__about__",
                             "A heap is a list in which no item is above its parent: the parent of the item at i is at (i - 1) // 2.");
}

const TyModuleDef ty_module_heapq = {
    .name = "_heapq",
    .doc = "Priority queues: lists kept as binary heaps.",
    .functions = functions,
    .execute = execute,
};
