/* map, filter and zip. */
#include "object/exception.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static Value iterator_self(Value self) { return self; }

/* Takes `strict` out of a call's keywords; any other keyword is an error. */
static bool strict_keyword(const char *name, const Value *arguments, size_t count, Value keywords, bool *strict)
{
    *strict = false;
    if (keywords == TY_NULL)
        return true;
    for (int64_t i = 0; i < ty_tuple_length(keywords); i++) {
        Value keyword = ty_tuple_item(keywords, i);
        if (!ty_str_equal_text(keyword, "strict")) {
            ty_raise(&ty_TypeError, "%s() got an unexpected keyword argument '%U'", name, keyword);
            return false;
        }
        int truth = ty_is_true(arguments[count + i]);
        if (truth < 0)
            return false;
        *strict = truth;
    }
    return true;
}

/* A tuple of iterators of the arguments; `name` is for the error. */
static Value iterators_of(const Value *arguments, size_t count)
{
    Value iterators = ty_tuple_new((int64_t)count);
    if (iterators == TY_NULL)
        return TY_NULL;
    for (size_t i = 0; i < count; i++) {
        Value iterator = ty_iter(arguments[i]);
        if (iterator == TY_NULL)
            return TY_NULL;
        ty_tuple_set(iterators, (int64_t)i, iterator);
    }
    return iterators;
}

/* What zip and map have in common: takes one item from each iterator. */
typedef struct Parallel {
    TyObject base;
    Value iterators; /* a tuple */
    Value function;  /* map's */
    bool strict;
} Parallel;

static void parallel_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Parallel *)self)->iterators, 2); }

/* After the iterator `which` (not the first) ended, or the first did (`which` 0): are all of the same length? Raises if not. */
static void check_lengths(const char *name, Value iterators, int64_t which)
{
    int64_t count = ty_tuple_length(iterators);
    if (which > 0) {
        const char *plural = which == 1 ? " " : "s 1-";
        ty_raise(&ty_ValueError, "%s() argument %lld is shorter than argument%s%lld", name, (long long)which + 1, plural, (long long)which);
        return;
    }
    for (int64_t i = 1; i < count; i++) {
        Value item = ty_next(ty_tuple_item(iterators, i));
        if (item != TY_NULL) {
            const char *plural = i == 1 ? " " : "s 1-";
            ty_raise(&ty_ValueError, "%s() argument %lld is longer than argument%s%lld", name, (long long)i + 1, plural, (long long)i);
            return;
        }
        if (ty_raised())
            return;
    }
}

/* Fills `items`; false at the end or on failure. */
static bool take_each(Parallel *self, const char *name, Value *items)
{
    TyTuple *iterators = ty_as_tuple(self->iterators);
    for (int64_t i = 0; i < iterators->length; i++) {
        Value item = ty_next_inline(iterators->items[i]);
        if (TY_UNLIKELY(item == TY_NULL)) {
            if (self->strict && !ty_raised())
                check_lengths(name, self->iterators, i);
            return false;
        }
        items[i] = item;
    }
    return true;
}

static Value parallel_reduce(Value v, Value *a)
{
    Parallel *self = (Parallel *)ty_object(v);
    Value arguments = self->iterators;
    if (self->function != TY_NULL) {
        int64_t count = ty_tuple_length(self->iterators);
        arguments = ty_tuple_new(count + 1);
        if (arguments == TY_NULL)
            return TY_NULL;
        ty_tuple_set(arguments, 0, self->function);
        for (int64_t i = 0; i < count; i++)
            ty_tuple_set(arguments, i + 1, ty_tuple_item(self->iterators, i));
    }
    Value type = ty_from_object(ty_type_of(v));
    return self->strict ? ty_tuple_pack(3, type, arguments, TY_TRUE) : ty_tuple_pack(2, type, arguments);
}

static Value parallel_setstate(Value v, Value *a)
{
    int strict = ty_is_true(a[0]);
    if (strict < 0)
        return TY_NULL;
    ((Parallel *)ty_object(v))->strict = strict;
    return TY_NONE;
}

static const TyNativeDef parallel_methods[] = {
    TY_METHOD("__reduce__(self, /)", parallel_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", parallel_setstate, "Sets strictness, as pickle does."),
    {0},
};

/* --- zip ------------------------------------------------------------------------------------------------------------ */

static Value zip_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    bool strict;
    if (!strict_keyword("zip", arguments, count, keywords, &strict))
        return TY_NULL;
    Value iterators = iterators_of(arguments, count), self = iterators == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    Parallel *zip = (Parallel *)ty_object(self);
    ty_store(zip, &zip->iterators, iterators);
    zip->strict = strict;
    return self;
}

int64_t ty_zip_width(Value v) { return ty_tuple_length(((Parallel *)ty_object(v))->iterators); }
bool ty_zip_next_pair(Value v, Value *pair) { return take_each((Parallel *)ty_object(v), "zip", pair); }

static Value zip_next(Value v)
{
    Parallel *self = (Parallel *)ty_object(v);
    int64_t count = ty_tuple_length(self->iterators);
    if (count == 0)
        return TY_NULL;
    Value result = ty_tuple_new(count);
    if (result == TY_NULL || !take_each(self, "zip", ty_as_tuple(result)->items))
        return TY_NULL;
    return result;
}

TyType ty_zip_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Parallel), .trace = parallel_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "zip",
    .doc = "zip(*iterables, strict=False)\n--\n\nTuples of one item from each iterable, until the shortest ends.\n\n"
           "With strict=True, ValueError if one ends before another.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = zip_next, .new = zip_new},
    .methods = parallel_methods,
};

/* --- map ------------------------------------------------------------------------------------------------------------ */

static Value map_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    bool strict;
    if (!strict_keyword("map", arguments, count, keywords, &strict))
        return TY_NULL;
    if (count < 2)
        return ty_raise(&ty_TypeError, "map() must have at least two arguments.");
    Value iterators = iterators_of(arguments + 1, count - 1), self = iterators == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    Parallel *map = (Parallel *)ty_object(self);
    ty_store(map, &map->iterators, iterators);
    ty_store(map, &map->function, arguments[0]);
    map->strict = strict;
    return self;
}

static Value map_next(Value v)
{
    Parallel *self = (Parallel *)ty_object(v);
    int64_t count = ty_tuple_length(self->iterators);
    if (count == 1) {
        Value item = ty_next_inline(ty_tuple_item(self->iterators, 0));
        return item == TY_NULL ? TY_NULL : ty_call(self->function, &item, 1, TY_NULL);
    }
    Value few[5], *items = few;
    TyArray *many = NULL;
    if (count > (int64_t)TY_COUNT_OF(few)) {
        many = ty_array_new(count);
        if (!many)
            return TY_NULL;
        items = many->items;
    }
    return take_each(self, "map", items) ? ty_call(self->function, items, (size_t)count, TY_NULL) : TY_NULL;
}

TyType ty_map_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Parallel), .trace = parallel_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "map",
    .doc = "map(function, iterable, /, *iterables, strict=False)\n--\n\nThe function's results for the items of the iterables, until the shortest ends.\n\n"
           "With strict=True, ValueError if one ends before another.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = map_next, .new = map_new},
    .methods = parallel_methods,
};

/* --- filter --------------------------------------------------------------------------------------------------------- */

typedef struct Filter {
    TyObject base;
    Value function; /* None: the items' own truth */
    Value iterator;
} Filter;

static Value filter_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if ((type->slots.init == ty_object_base_type.slots.init && !ty_no_keywords("filter", keywords)) || !ty_check_positional("filter", count, 2, 2))
        return TY_NULL;
    Value iterator = ty_iter(arguments[1]), self = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    Filter *filter = (Filter *)ty_object(self);
    ty_store(filter, &filter->function, arguments[0]);
    ty_store(filter, &filter->iterator, iterator);
    return self;
}

static void filter_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Filter *)self)->function, 2); }

static Value filter_next(Value v)
{
    Filter *self = (Filter *)ty_object(v);
    bool own_truth = self->function == TY_NONE || self->function == ty_from_object(&ty_bool_type);
    Value item;
    while ((item = ty_next_inline(self->iterator)) != TY_NULL) {
        Value verdict = own_truth ? item : ty_call(self->function, &item, 1, TY_NULL);
        int truth = verdict == TY_NULL ? -1 : ty_is_true(verdict);
        if (truth != 0)
            return truth < 0 ? TY_NULL : item;
    }
    return TY_NULL;
}

static Value filter_reduce(Value v, Value *a)
{
    Filter *self = (Filter *)ty_object(v);
    return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ty_tuple_pack(2, self->function, self->iterator));
}

static const TyNativeDef filter_methods[] = {TY_METHOD("__reduce__(self, /)", filter_reduce, "What pickle keeps."), {0}};

TyType ty_filter_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Filter), .trace = filter_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "filter",
    .doc = "filter(function, iterable, /)\n--\n\nThe items for which function(item) is true; with None, the items that are true themselves.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = filter_next, .new = filter_new},
    .methods = filter_methods,
};
