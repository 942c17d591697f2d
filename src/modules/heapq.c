/* _heapq: a list kept as a binary heap, the least item first, or the greatest.
 *
 * Comparing plain numbers calls no Python: as long as only those are met, an operation is one step under the list's lock. With the first other item
 * it goes on without the lock, from a list that has all its items. Python may change the list then: after each comparison its length is looked at
 * again. */
#include "object/exception.h"
#include "object/list.h"
#include "object/native.h"

static bool is_plain(Value v) { return ty_is_immediate_int(v) || ty_is_double(v); }
static double number(Value v) { return ty_is_double(v) ? ty_double(v) : (double)ty_immediate_int(v); }

/* Whether a goes above b, of plain numbers; immediate ints are exact as doubles. */
static bool plain_above(Value a, Value b, bool max)
{
    if (ty_are_immediate_ints(a, b))
        return max ? ty_immediate_int(b) < ty_immediate_int(a) : ty_immediate_int(a) < ty_immediate_int(b);
    return max ? number(b) < number(a) : number(a) < number(b);
}

static int above(Value a, Value b, bool max)
{
    if (is_plain(a) && is_plain(b))
        return plain_above(a, b, max);
    return max ? ty_compare_bool(b, a, TY_LT) : ty_compare_bool(a, b, TY_LT);
}

/* --- under the list's lock --------------------------------------------------------------------------------------------------- */

/* Both give the place that the item has come to; *rest: there it waits for a comparison that may call Python. */
static int64_t plain_up(TyArray *array, int64_t top, int64_t place, bool max, bool *rest)
{
    Value *items = array->items, item = items[place];
    while (place > top) {
        int64_t parent = (place - 1) >> 1;
        if ((*rest = !is_plain(item) || !is_plain(items[parent])) || !plain_above(item, items[parent], max))
            break;
        ty_store(array, &items[place], items[parent]);
        place = parent;
    }
    ty_store(array, &items[place], item);
    return place;
}

static int64_t plain_down(TyArray *array, int64_t length, int64_t place, bool max, bool *rest)
{
    Value *items = array->items, item = items[place];
    while (place < length >> 1) {
        int64_t child = 2 * place + 1;
        if (child + 1 < length) {
            if ((*rest = !is_plain(items[child]) || !is_plain(items[child + 1])))
                break;
            child += !plain_above(items[child], items[child + 1], max);
        }
        ty_store(array, &items[place], items[child]);
        place = child;
    }
    ty_store(array, &items[place], item);
    return place;
}

/* What is left of an operation: nothing; to move an item up; to move it down and up. */
typedef enum Rest { REST_NONE, REST_UP, REST_DOWN } Rest;

static Rest settle(TyList *list, int64_t top, int64_t *place, bool max)
{
    TyArray *array = ty_load_relaxed(&list->items);
    bool rest = false;
    *place = plain_down(array, ty_load_relaxed(&list->length), top, max, &rest);
    if (rest)
        return REST_DOWN;
    *place = plain_up(array, top, *place, max, &rest);
    return rest ? REST_UP : REST_NONE;
}

/* --- with comparisons that call Python ---------------------------------------------------------------------------------------- */

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
static bool move_down(Value heap, int64_t top, int64_t place, bool max)
{
    int64_t length = ty_list_length(heap), limit = length >> 1;
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

static bool finish(Value heap, Rest rest, int64_t top, int64_t place, bool max)
{
    return rest == REST_NONE || (rest == REST_UP ? move_up(heap, top, place, max) : move_down(heap, top, place, max));
}

/* --- operations -------------------------------------------------------------------------------------------------------------------- */

static Value push(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true))
        return TY_ERROR;
    TyList *list = ty_as_list(a[0]);
    bool locked = ty_object_lock(&list->base), rest = false;
    TyArray *array = ty_list_reserve(list, 1);
    int64_t place = ty_load_relaxed(&list->length);
    if (array) {
        ty_store(array, &array->items[place], a[1]);
        ty_store_release(&list->length, place + 1);
        place = plain_up(array, 0, place, max, &rest);
    }
    ty_object_unlock(&list->base, locked);
    return array && finish(a[0], rest ? REST_UP : REST_NONE, 0, place, max) ? TY_NONE : TY_ERROR;
}

static Value index_error(void) { return ty_raise(&ty_IndexError, "index out of range"); }

static Value pop(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], false))
        return TY_ERROR;
    TyList *list = ty_as_list(a[0]);
    bool locked = ty_object_lock(&list->base);
    Value last = ty_list_take_last(list), first = last;
    int64_t place = 0;
    Rest rest = REST_NONE;
    if (last != TY_NULL && ty_load_relaxed(&list->length) > 0) {
        TyArray *array = ty_load_relaxed(&list->items);
        first = array->items[0];
        ty_store(array, &array->items[0], last);
        rest = settle(list, 0, &place, max);
    }
    ty_object_unlock(&list->base, locked);
    if (last == TY_NULL)
        return index_error();
    return finish(a[0], rest, 0, place, max) ? first : TY_ERROR;
}

/* Puts the item in the first one's place, or with `compare` only if it belongs below that. Gives the first one, or the item itself; TY_NULL without an
 * exception: there is none; *asks: nothing was done, for the comparison may call Python. */
static Value exchange(Value heap, Value item, bool compare, bool max, Rest *rest, int64_t *place, bool *asks)
{
    TyList *list = ty_as_list(heap);
    bool locked = ty_object_lock(&list->base);
    TyArray *array = ty_load_relaxed(&list->items);
    Value first = ty_load_relaxed(&list->length) > 0 ? array->items[0] : TY_NULL, given = first;
    *rest = REST_NONE;
    *asks = compare && first != TY_NULL && !(is_plain(first) && is_plain(item));
    if (first != TY_NULL && !*asks) {
        if (!compare || plain_above(first, item, max)) {
            ty_store(array, &array->items[0], item);
            *rest = settle(list, 0, place, max);
        } else
            given = item;
    }
    ty_object_unlock(&list->base, locked);
    return given;
}

static Value replace(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true))
        return TY_ERROR;
    Rest rest;
    int64_t place = 0;
    bool asks;
    Value first = exchange(a[0], a[1], false, max, &rest, &place, &asks);
    if (first == TY_NULL)
        return index_error();
    return finish(a[0], rest, 0, place, max) ? first : TY_ERROR;
}

static Value push_pop(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], true))
        return TY_ERROR;
    Rest rest;
    int64_t place = 0;
    bool asks;
    Value first = exchange(a[0], a[1], true, max, &rest, &place, &asks);
    if (first == TY_NULL)
        return a[1];
    if (!asks)
        return finish(a[0], rest, 0, place, max) ? first : TY_ERROR;
    int higher = above(first, a[1], max);
    return higher < 0 ? TY_ERROR : higher == 0 ? a[1] : replace(name, a, max);
}

static Value make_heap(const char *name, Value *a, bool max)
{
    if (!check_list(name, a[0], false))
        return TY_ERROR;
    TyList *list = ty_as_list(a[0]);
    Rest rest = REST_NONE;
    int64_t place = 0;
    bool locked = ty_object_lock(&list->base);
    int64_t i = ty_load_relaxed(&list->length) / 2;
    while (i > 0 && rest == REST_NONE)
        rest = settle(list, --i, &place, max);
    ty_object_unlock(&list->base, locked);
    if (!finish(a[0], rest, i, place, max))
        return TY_ERROR;
    while (i-- > 0)
        if (!move_down(a[0], i, i, max))
            return TY_ERROR;
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
