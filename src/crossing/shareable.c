/* What crosses by reference, and the error for what can't cross. */
#include "crossing/internal.h"
#include "object/bytes.h"
#include "object/code.h"
#include "object/int.h"
#include "object/range.h"
#include "object/set.h"
#include "object/slice.h"
#include "object/buffer.h"
#include <stdlib.h>

extern TyType ty_complex_type;

TyType ty_NotShareableError = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "concurrent.interpreters.NotShareableError", .parent = &ty_TypeError,
    .doc = "Raised when an object cannot be passed to another interpreter.",
    .layout = { .size = sizeof(TyException) },
};

/* Types whose exact instances nobody can change, whatever they are made of. */
static bool atom(const TyType *type)
{
    return type == &ty_str_type || type == &ty_int_type || type == &ty_bytes_type || type == &ty_bool_type || type == &ty_none_type || type == &ty_code_type
        || type == &ty_range_type || type == &ty_complex_type || type == &ty_float_type;
}

/* Built-in types and what hangs off them are static, or live as long as they do, and cannot be changed. */
static bool part_of_the_language(TyObject *object, const TyType *type)
{
    if (type == &ty_ellipsis_type || type == &ty_not_implemented_type || type == &ty_wrapper_descriptor_type)
        return true;
    if (type->flags & TY_TYPE_TYPE)
        return !(((TyType *)object)->flags & TY_TYPE_HEAP);
    if (type == &ty_method_descriptor_type || type == &ty_class_method_descriptor_type)
        return !(((TyMethodDescriptor *)object)->owner->flags & TY_TYPE_HEAP);
    if (type == &ty_native_type) {
        TyNative *native = (TyNative *)object;
        Value owner = native->self != TY_NULL ? native->self : native->owner;
        return owner != TY_NULL && ty_is_type(owner) && !(ty_as_type(owner)->flags & TY_TYPE_HEAP);
    }
    return false;
}

#define NESTING_MAX 40
#define ITEMS_MAX 20000

static bool items_immutable(const Value *items, int64_t count, bool language, int depth, int *budget);

/* `language`: types and their parts count as well. Neither too deep nor too many: such tuples take the way through the packer. */
static bool immutable(Value v, bool language, int depth, int *budget)
{
    if (!ty_is_object(v))
        return true;
    TyObject *object = ty_object(v);
    const TyType *type = ty_object_type(object);
    if (atom(type))
        return true;
    if (type == &ty_tuple_type)
        return items_immutable(((TyTuple *)object)->items, ((TyTuple *)object)->length, language, depth, budget);
    if (type == &ty_slice_type)
        return items_immutable(&((TySlice *)object)->start, 3, language, depth, budget);
    if (type == &ty_frozenset_type) {
        int64_t position = 0;
        Value item;
        while (ty_set_next(v, &position, &item))
            if (!items_immutable(&item, 1, language, depth, budget))
                return false;
        return true;
    }
    return language && part_of_the_language(object, type);
}

static bool items_immutable(const Value *items, int64_t count, bool language, int depth, int *budget)
{
    if (depth >= NESTING_MAX)
        return false;
    for (int64_t i = 0; i < count; i++) {
        if (items[i] == TY_NULL || (depth > 0 && --*budget < 0))
            return false;
        if (!immutable(items[i], language, depth + 1, budget))
            return false;
    }
    return true;
}

bool ty_crossing_immutable(Value v)
{
    if (!ty_is_object(v))
        return true;
    const TyType *type = ty_object_type(ty_object(v));
    if (TY_LIKELY(atom(type)))
        return true;
    if (type == &ty_list_type || type == &ty_dict_type || (type->flags & TY_TYPE_HEAP))
        return false;
    int budget = ITEMS_MAX;
    return immutable(v, true, 0, &budget);
}

/* Tuples beyond what `immutable` looks at: each once, with a worklist. Nothing here reaches a safepoint, so the memory may be malloc's. */
typedef struct Walk {
    Value *todo, *seen; /* seen: open addressing */
    size_t todo_count, todo_capacity, seen_count, seen_capacity;
    bool failed;
} Walk;

static bool walk_grow_seen(Walk *w)
{
    size_t capacity = w->seen_capacity ? w->seen_capacity * 2 : 1024;
    Value *seen = calloc(capacity, sizeof *seen);
    if (!seen)
        return false;
    for (size_t i = 0; i < w->seen_capacity; i++)
        if (w->seen[i] != TY_NULL) {
            size_t at = (w->seen[i] >> 4) * 0x9E3779B97F4A7C15ull & (capacity - 1);
            while (seen[at] != TY_NULL)
                at = (at + 1) & (capacity - 1);
            seen[at] = w->seen[i];
        }
    free(w->seen);
    w->seen = seen;
    w->seen_capacity = capacity;
    return true;
}

static void walk_add(Walk *w, Value v)
{
    if (w->failed || (2 * w->seen_count >= w->seen_capacity && !walk_grow_seen(w))) {
        w->failed = true;
        return;
    }
    size_t at = (v >> 4) * 0x9E3779B97F4A7C15ull & (w->seen_capacity - 1);
    for (; w->seen[at] != TY_NULL; at = (at + 1) & (w->seen_capacity - 1))
        if (w->seen[at] == v)
            return;
    w->seen[at] = v;
    w->seen_count++;
    if (w->todo_count == w->todo_capacity) {
        size_t capacity = w->todo_capacity ? w->todo_capacity * 2 : 256;
        Value *todo = realloc(w->todo, capacity * sizeof *todo);
        if (!todo) {
            w->failed = true;
            return;
        }
        w->todo = todo;
        w->todo_capacity = capacity;
    }
    w->todo[w->todo_count++] = v;
}

static bool shareable_atom(Value v)
{
    if (!ty_is_object(v) || atom(ty_object_type(ty_object(v))))
        return true;
    const TyType *type = ty_object_type(ty_object(v));
    return type == &ty_memoryview_type || ty_crossing_has_handle((TyType *)type);
}

bool ty_crossing_shareable(Value v)
{
    int budget = ITEMS_MAX;
    if (immutable(v, false, 0, &budget))
        return true;
    const TyType *root = ty_object_type(ty_object(v));
    if (root != &ty_tuple_type && root != &ty_frozenset_type && root != &ty_slice_type)
        return shareable_atom(v);
    Walk w = {0};
    bool shareable = true;
    walk_add(&w, v);
    while (shareable && !w.failed && w.todo_count > 0) {
        Value at = w.todo[--w.todo_count], item;
        const TyType *type = ty_object_type(ty_object(at));
        const Value *items = type == &ty_tuple_type ? ty_as_tuple(at)->items : type == &ty_slice_type ? &((TySlice *)ty_object(at))->start : NULL;
        int64_t count = !items ? 0 : type == &ty_tuple_type ? ty_tuple_length(at) : 3, position = 0;
        for (int64_t i = 0; items ? i < count : ty_set_next(at, &position, &item); i++) {
            if (items)
                item = items[i];
            const TyType *inner = ty_is_object(item) ? ty_object_type(ty_object(item)) : &ty_int_type;
            if (inner == &ty_tuple_type || inner == &ty_frozenset_type || inner == &ty_slice_type)
                walk_add(&w, item);
            else if (!(shareable = shareable_atom(item)))
                break;
        }
    }
    free(w.todo);
    free(w.seen);
    return shareable && !w.failed;
}
