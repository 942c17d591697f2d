/* _functools: partial, reduce, cmp_to_key and the cache behind lru_cache. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define SELF(structure) structure *self = (structure *)ty_object(v)

/* Room for a call's arguments: on the C stack, or a heap array when they are many. */
#define FEW 16
typedef struct Arguments {
    Value few[FEW];
    Value *all;
} Arguments;

static bool arguments_room(Arguments *room, size_t count)
{
    room->all = room->few;
    if (count > FEW) {
        TyArray *array = ty_array_new((int64_t)count);
        room->all = array ? array->items : NULL;
    }
    return room->all != NULL;
}

/* --- Placeholder ---------------------------------------------------------------------------------------------------- */

static TyType placeholder_type;
static TyObject placeholder_object = TY_STATIC_HEADER(placeholder_type);
#define PLACEHOLDER ty_from_object(&placeholder_object)

static Value placeholder_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count > 0 || keywords != TY_NULL)
        return ty_raise(&ty_TypeError, "PlaceholderType takes no arguments");
    return PLACEHOLDER;
}

static Value placeholder_repr(Value v) { return ty_str_from_text("Placeholder"); }
static Value placeholder_reduce(Value v, Value *a) { return ty_str_from_text("Placeholder"); }

static const TyNativeDef placeholder_methods[] = {TY_METHOD("__reduce__(self, /)", placeholder_reduce, "The name that pickle keeps."), {0}};

static TyType placeholder_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "functools._PlaceholderType",
    .doc = "The type of Placeholder, which stands in partial() for a positional argument that the call gives.",
    .parent = &ty_object_base_type,
    .slots = {.repr = placeholder_repr, .new = placeholder_new},
    .methods = placeholder_methods,
};

/* --- partial -------------------------------------------------------------------------------------------------------- */

typedef struct Partial {
    TyObject base;
    Value function, arguments /* tuple */, keywords /* dict */;
    int64_t placeholders; /* among the arguments */
    Value spill;          /* attributes */
} Partial;

static TyType partial_type;

static void partial_trace(TyObject *self, TyMarker *marker)
{
    ty_mark_range(marker, &((Partial *)self)->function, 3);
    ty_attributes_trace(self, &partial_type, marker);
}

static int64_t count_placeholders(Value tuple)
{
    int64_t count = 0;
    for (int64_t i = 0; i < ty_tuple_length(tuple); i++)
        count += ty_tuple_item(tuple, i) == PLACEHOLDER;
    return count;
}

/* The stored arguments with the new ones put in the placeholders' places, first to last, and behind. */
static Value merge_arguments(Value stored, int64_t placeholders, const Value *more, int64_t count)
{
    int64_t have = ty_tuple_length(stored), total = have + (count > placeholders ? count - placeholders : 0), used = 0;
    Value merged = ty_tuple_new(total);
    if (merged == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < have; i++) {
        Value item = ty_tuple_item(stored, i);
        ty_tuple_set(merged, i, item == PLACEHOLDER && used < count ? more[used++] : item);
    }
    for (int64_t i = have; i < total; i++)
        ty_tuple_set(merged, i, more[used++]);
    return merged;
}

static Value partial_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count < 1)
        return ty_raise(&ty_TypeError, "type 'partial' takes at least one argument");
    Value function = arguments[0], stored = ty_tuple_empty(), named = TY_NULL;
    int64_t more = (int64_t)count - 1, placeholders = 0;
    if (more > 0 && arguments[count - 1] == PLACEHOLDER)
        return ty_raise(&ty_TypeError, "trailing Placeholders are not allowed");
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (arguments[count + i] == PLACEHOLDER)
            return ty_raise(&ty_TypeError, "Placeholder cannot be passed as a keyword argument");
    if (ty_is_exact(function, &partial_type) || (ty_is_instance_of(function, &partial_type) && type == ty_type_of(function))) {
        /* A partial of a partial is one partial, unless the inner one has attributes. */
        Partial *inner = (Partial *)ty_object(function);
        Value attributes = ty_attributes_copy_dict(ty_object(function), ty_type_of(function));
        if (attributes == TY_NULL)
            return TY_NULL;
        if (ty_dict_length(attributes) == 0) {
            function = inner->function;
            stored = inner->arguments;
            named = inner->keywords;
            placeholders = inner->placeholders;
        }
    }
    if (!ty_is_callable(function))
        return ty_raise(&ty_TypeError, "the first argument must be callable");
    stored = merge_arguments(stored, placeholders, arguments + 1, more);
    named = named == TY_NULL ? ty_dict_new() : ty_dict_copy(named);
    if (stored == TY_NULL || named == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_dict_set(named, ty_tuple_item(keywords, i), arguments[count + i]))
            return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Partial);
    ty_store(self, &self->function, function);
    ty_store(self, &self->arguments, stored);
    ty_store(self, &self->keywords, named);
    self->placeholders = count_placeholders(stored);
    return v;
}

/* Calls with the stored keywords and those of the call, which win. */
static Value call_with_keywords(Partial *self, Value *all, size_t positional, const Value *given, Value keywords)
{
    Value named = ty_dict_copy(ty_field(&self->keywords));
    if (named == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_dict_set(named, ty_tuple_item(keywords, i), given[i]))
            return TY_NULL;
    int64_t count = ty_dict_length(named), position = 0;
    Arguments room;
    Value names = ty_tuple_new(count), key, value;
    if (names == TY_NULL || !arguments_room(&room, positional + (size_t)count))
        return TY_NULL;
    memcpy(room.all, all, positional * sizeof(Value));
    for (int64_t i = 0; ty_dict_next(named, &position, &key, &value) && i < count; i++) {
        ty_tuple_set(names, i, key);
        room.all[positional + (size_t)i] = value;
    }
    return ty_call(ty_field(&self->function), room.all, positional, count > 0 ? names : TY_NULL);
}

static Value partial_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(Partial);
    Value stored = ty_field(&self->arguments);
    int64_t have = ty_tuple_length(stored), placeholders = self->placeholders;
    int64_t named = keywords == TY_NULL ? 0 : ty_tuple_length(keywords);
    if ((int64_t)count < placeholders)
        return ty_raise(&ty_TypeError, "missing positional arguments in 'partial' call; expected at least %lld, got %zu", (long long)placeholders, count);
    size_t positional = (size_t)(have - placeholders) + count;
    Arguments room;
    if (!arguments_room(&room, positional + (size_t)named))
        return TY_NULL;
    int64_t used = 0;
    for (int64_t i = 0; i < have; i++) {
        Value item = ty_tuple_item(stored, i);
        room.all[i] = placeholders > 0 && item == PLACEHOLDER ? arguments[used++] : item;
    }
    memcpy(room.all + have, arguments + used, (count - (size_t)used) * sizeof(Value));
    if (ty_dict_length(ty_field(&self->keywords)) > 0)
        return call_with_keywords(self, room.all, positional, arguments + count, keywords);
    memcpy(room.all + positional, arguments + count, (size_t)named * sizeof(Value));
    return ty_call(ty_field(&self->function), room.all, positional, keywords);
}

/* As a method: with placeholders or not, the instance comes first among the call's arguments. */
static Value partial_get(Value v, Value object, Value type)
{
    if (object == TY_NULL || object == TY_NONE)
        return v;
    return ty_bound_method_new(v, object);
}

static Value partial_repr(Value v)
{
    SELF(Partial);
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, v))
        return ty_str_from_text("...");
    TyStrBuilder text = {0};
    Value module = ty_type_module(ty_type_of(v)), key, value;
    bool fine = module != TY_NULL && ty_is_str(module) && ty_builder_add(&text, module) && ty_builder_add_char(&text, '.') &&
                ty_builder_add(&text, ty_type_of(v)->qualname_value) && ty_builder_add_char(&text, '(') && ty_builder_add_repr(&text, ty_field(&self->function));
    Value arguments = ty_field(&self->arguments), named = ty_field(&self->keywords);
    for (int64_t i = 0; fine && i < ty_tuple_length(arguments); i++)
        fine = ty_builder_add_text(&text, ", ") && ty_builder_add_repr(&text, ty_tuple_item(arguments, i));
    int64_t position = 0;
    while (fine && ty_dict_next(named, &position, &key, &value)) {
        Value name = ty_str(key);
        fine = name != TY_NULL && ty_builder_add_text(&text, ", ") && ty_builder_add(&text, name) && ty_builder_add_char(&text, '=') && ty_builder_add_repr(&text, value);
    }
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, ')') ? ty_builder_finish(&text) : TY_NULL;
}

static Value partial_reduce(Value v, Value *a)
{
    SELF(Partial);
    Value attributes = ty_attributes_copy_dict(ty_object(v), ty_type_of(v)), function = ty_field(&self->function);
    if (attributes == TY_NULL)
        return TY_NULL;
    if (ty_dict_length(attributes) == 0)
        attributes = TY_NONE;
    return ty_tuple_pack(3, ty_from_object(ty_type_of(v)), ty_tuple_pack(1, function),
                         ty_tuple_pack(4, function, ty_field(&self->arguments), ty_field(&self->keywords), attributes));
}

static Value partial_setstate(Value v, Value *a)
{
    SELF(Partial);
    Value state = a[0];
    if (!ty_is_tuple(state) || ty_tuple_length(state) != 4)
        return ty_raise(&ty_TypeError, "invalid partial state");
    Value function = ty_tuple_item(state, 0), arguments = ty_tuple_item(state, 1), named = ty_tuple_item(state, 2), attributes = ty_tuple_item(state, 3);
    if (!ty_is_callable(function) || !ty_is_tuple(arguments) || (named != TY_NONE && !ty_is_dict(named)))
        return ty_raise(&ty_TypeError, "invalid partial state");
    int64_t length = ty_tuple_length(arguments);
    if (length > 0 && ty_tuple_item(arguments, length - 1) == PLACEHOLDER)
        return ty_raise(&ty_TypeError, "trailing Placeholders are not allowed");
    if (!ty_is_exact_tuple(arguments))
        arguments = ty_tuple_from_array(ty_as_tuple(arguments)->items, (size_t)length);
    if (named == TY_NONE)
        named = ty_dict_new();
    else if (!ty_is_exact_dict(named))
        named = ty_dict_copy(named);
    if (arguments == TY_NULL || named == TY_NULL)
        return TY_NULL;
    if (attributes == TY_NONE)
        attributes = ty_dict_new();
    else if (!ty_is_dict(attributes))
        return ty_raise(&ty_TypeError, "invalid partial state");
    if (attributes == TY_NULL || !ty_attributes_set_dict(ty_object(v), ty_type_of(v), attributes))
        return TY_NULL;
    ty_store(self, &self->function, function);
    ty_store(self, &self->arguments, arguments);
    ty_store(self, &self->keywords, named);
    self->placeholders = count_placeholders(arguments);
    return TY_NONE;
}

static const TyNativeDef partial_methods[] = {
    TY_METHOD("__reduce__(self, /)", partial_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", partial_setstate, "Becomes what pickle kept."),
    TY_CLASS_GETITEM,
    {0},
};

static const TyMemberDef partial_members[] = {
    {"func", TY_MEMBER_VALUE, false, offsetof(Partial, function), "function object to use in future partial calls"},
    {"args", TY_MEMBER_VALUE, false, offsetof(Partial, arguments), "tuple of arguments to future partial calls"},
    {"keywords", TY_MEMBER_VALUE, false, offsetof(Partial, keywords), "dictionary of keyword arguments to future partial calls"},
    {0},
};

static Value partial_get_dict(Value v) { return ty_attributes_dict(ty_object(v), ty_type_of(v)); }
static bool partial_set_dict(Value v, Value value)
{
    if (value == TY_NULL) {
        ty_raise(&ty_TypeError, "cannot delete __dict__");
        return false;
    }
    return ty_dict_getset.set(v, value);
}
static const TyGetSetDef partial_getsets[] = {{"__dict__", partial_get_dict, partial_set_dict, NULL}, {0}};

static TyType partial_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Partial), .trace = partial_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE,
    .attributes_offset = offsetof(Partial, spill),
    .name = "functools.partial",
    .doc = "partial(func, /, *args, **keywords)\n--\n\nA callable that calls func with these arguments and those that it is called with.",
    .parent = &ty_object_base_type,
    .slots = {.repr = partial_repr, .call = partial_call, .get = partial_get, .new = partial_new},
    .methods = partial_methods,
    .members = partial_members,
    .getsets = partial_getsets,
};

/* --- cmp_to_key ----------------------------------------------------------------------------------------------------- */

typedef struct Key {
    TyObject base;
    Value compare, object; /* object TY_NULL: what cmp_to_key returned, which makes keys */
} Key;

static TyType key_type;

static void key_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Key *)self)->compare, 2); }

static Value key_new(Value compare, Value object)
{
    Key *key = (Key *)ty_allocate(&key_type, sizeof(Key));
    if (!key)
        return TY_NULL;
    ty_store(key, &key->compare, compare);
    ty_store(key, &key->object, object);
    return ty_from_object(key);
}

static TySignature key_signature = TY_SIGNATURE("K(obj)");

static Value key_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    Value object;
    if (!ty_parse_arguments(&key_signature, arguments, count, keywords, &object))
        return TY_NULL;
    return key_new(((Key *)ty_object(v))->compare, object);
}

static Value key_compare(Value v, Value other, int op)
{
    SELF(Key);
    if (!ty_is_exact(other, &key_type))
        return ty_raise(&ty_TypeError, "other argument must be K instance");
    Value both[2] = {self->object, ((Key *)ty_object(other))->object};
    if (both[0] == TY_NULL || both[1] == TY_NULL)
        return ty_raise(&ty_AttributeError, "object");
    Value result = ty_call(self->compare, both, 2, TY_NULL);
    return result == TY_NULL ? TY_NULL : ty_compare(result, ty_from_immediate_int(0), op);
}

static const TyMemberDef key_members[] = {{"obj", TY_MEMBER_VALUE, true, offsetof(Key, object), "Value wrapped by a key function."}, {0}};

static Value key_text_signature(Value self) { return ty_str_from_text("(obj)"); }
static const TyGetSetDef key_getsets[] = {{"__text_signature__", key_text_signature, NULL, NULL}, {0}};

static TyType key_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Key), .trace = key_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "functools.KeyWrapper",
    .getsets = key_getsets,
    .parent = &ty_object_base_type,
    .slots = {.call = key_call, .compare = key_compare, .hash = ty_hash_unhashable},
    .members = key_members,
};

static Value cmp_to_key(Value module, Value *a) { return key_new(a[0], TY_NULL); }

/* --- reduce --------------------------------------------------------------------------------------------------------- */

static Value reduce(Value module, Value *a)
{
    Value iterator = ty_iter(a[1]), total = a[2], item;
    if (iterator == TY_NULL) {
        if (ty_raised_is(&ty_TypeError)) {
            ty_clear_exception();
            ty_raise(&ty_TypeError, "reduce() arg 2 must support iteration");
        }
        return TY_NULL;
    }
    while ((item = ty_next(iterator)) != TY_NULL) {
        if (total == TY_NULL) {
            total = item;
            continue;
        }
        Value both[2] = {total, item};
        total = ty_call(a[0], both, 2, TY_NULL);
        if (total == TY_NULL)
            return TY_NULL;
    }
    if (ty_raised())
        return TY_NULL;
    return total != TY_NULL ? total : ty_raise(&ty_TypeError, "reduce() of empty iterable with no initial value");
}

/* --- lru_cache ------------------------------------------------------------------------------------------------------ */

/* A bounded cache is a dict from key to result; the order of use is the dict's order of insertion, so using an entry moves it to the end. Neither finding nor
 * inserting holds a lock across the function's call or a key's comparison: the dict takes its own. */
typedef struct LruCache {
    TyObject base;
    Value function, cache /* dict */, cache_info_type;
    int64_t maximum; /* -1: no bound */
    bool typed;
    _Atomic int64_t hits, misses;
    Value spill; /* attributes */
} LruCache;

static TyType lru_type;

static void lru_trace(TyObject *self, TyMarker *marker)
{
    ty_mark_range(marker, &((LruCache *)self)->function, 3);
    ty_attributes_trace(self, &lru_type, marker);
}

static TySignature lru_signature = TY_SIGNATURE("lru_cache(user_function, maxsize, typed, cache_info_type)");

static Value lru_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[4];
    int64_t maximum = -1;
    if (!ty_parse_arguments(&lru_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_callable(a[0]))
        return ty_raise(&ty_TypeError, "the first argument must be callable");
    if (a[1] != TY_NONE) {
        if (!ty_has_index(a[1]))
            return ty_raise(&ty_TypeError, "maxsize should be integer or None");
        if (!ty_to_size(a[1], &maximum))
            return TY_NULL;
        maximum = TY_MAX(maximum, 0);
    }
    int typed = ty_is_true(a[2]);
    Value cache = typed < 0 ? TY_NULL : ty_dict_new(), v = cache == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(LruCache);
    ty_store(self, &self->function, a[0]);
    ty_store(self, &self->cache, cache);
    ty_store(self, &self->cache_info_type, a[3]);
    self->maximum = maximum;
    self->typed = typed;
    return v;
}

static TyObject keyword_mark = TY_STATIC_HEADER(ty_object_base_type); /* parts positional arguments from keywords in a key */

/* The key of a call: the only argument itself if it is an int or a str, else a tuple of all. */
static Value make_key(const Value *arguments, size_t count, Value keywords, bool typed)
{
    size_t named = keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords);
    if (!typed && named == 0 && count == 1 && (ty_is_exact_str(arguments[0]) || ty_is_exact_int(arguments[0])))
        return arguments[0];
    size_t total = count + (named ? 1 + 2 * named : 0) + (typed ? count + named : 0), at = 0;
    Value key = ty_tuple_new((int64_t)total);
    if (key == TY_NULL)
        return TY_NULL;
    for (size_t i = 0; i < count; i++)
        ty_tuple_set(key, (int64_t)at++, arguments[i]);
    if (named) {
        ty_tuple_set(key, (int64_t)at++, ty_from_object(&keyword_mark));
        for (size_t i = 0; i < named; i++) {
            ty_tuple_set(key, (int64_t)at++, ty_tuple_item(keywords, (int64_t)i));
            ty_tuple_set(key, (int64_t)at++, arguments[count + i]);
        }
    }
    for (size_t i = 0; typed && i < count + named; i++)
        ty_tuple_set(key, (int64_t)at++, ty_from_object(ty_type_of(arguments[i])));
    return key;
}

TY_INLINE void count_up(_Atomic int64_t *counter)
{
    if (ty_load_relaxed(&ty_many_threads))
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    else
        ty_store_relaxed(counter, ty_load_relaxed(counter) + 1);
}

static Value lru_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(LruCache);
    if (self->maximum == 0) {
        count_up(&self->misses);
        return ty_call(self->function, arguments, count, keywords);
    }
    Value key = make_key(arguments, count, keywords, self->typed);
    if (key == TY_NULL)
        return TY_NULL;
    int64_t hash = ty_hash(key);
    if (hash == -1)
        return TY_NULL;
    Value result = ty_dict_get_hashed(self->cache, key, hash);
    if (result != TY_NULL) {
        if (self->maximum > 0 && !ty_dict_move_to_end(self->cache, key, hash, true) && ty_raised())
            return TY_NULL;
        count_up(&self->hits);
        return result;
    }
    if (ty_raised())
        return TY_NULL;
    count_up(&self->misses);
    result = ty_call(self->function, arguments, count, keywords);
    if (result == TY_NULL)
        return TY_NULL;
    if (self->maximum > 0) {
        /* The call may have filled in this very key: it counts as used then. */
        Value there = ty_dict_get_hashed(self->cache, key, hash);
        if (there != TY_NULL || ty_raised())
            return ty_raised() ? TY_NULL : result;
        Value old_key, old_value;
        while (ty_dict_length(self->cache) >= self->maximum && ty_dict_pop_end(self->cache, false, &old_key, &old_value))
            ;
    }
    return ty_dict_set_hashed(self->cache, key, hash, result) ? result : TY_NULL;
}

static Value lru_get(Value v, Value object, Value type)
{
    if (object == TY_NULL || object == TY_NONE)
        return v;
    return ty_bound_method_new(v, object);
}

static Value lru_cache_info(Value v, Value *a)
{
    SELF(LruCache);
    Value parts[4] = {ty_int_from_int64(ty_load_relaxed(&self->hits)), ty_int_from_int64(ty_load_relaxed(&self->misses)),
                      self->maximum < 0 ? TY_NONE : ty_int_from_int64(self->maximum), ty_int_from_int64(ty_dict_length(self->cache))};
    return ty_call(self->cache_info_type, parts, 4, TY_NULL);
}

static Value lru_cache_clear(Value v, Value *a)
{
    SELF(LruCache);
    ty_store_relaxed(&self->hits, 0);
    ty_store_relaxed(&self->misses, 0);
    ty_dict_clear(self->cache);
    return TY_NONE;
}

static Value lru_reduce(Value v, Value *a) { return ty_get_attribute(v, TY_NAME("__qualname__")); }
static Value lru_copy(Value v, Value *a) { return v; }

static const TyNativeDef lru_methods[] = {
    TY_METHOD("cache_info(self, /)", lru_cache_info, "Report cache statistics"),
    TY_METHOD("cache_clear(self, /)", lru_cache_clear, "Clear the cache and cache statistics"),
    TY_METHOD("__reduce__(self, /)", lru_reduce, "The name that pickle keeps."),
    TY_METHOD("__copy__(self, /)", lru_copy, "The object itself."),
    TY_METHOD("__deepcopy__(self, memo, /)", lru_copy, "The object itself."),
    {0},
};

static TyType lru_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(LruCache), .trace = lru_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE | TY_TYPE_METHOD,
    .attributes_offset = offsetof(LruCache, spill),
    .name = "functools._lru_cache_wrapper",
    .doc = "Create a cached callable that wraps another function.",
    .parent = &ty_object_base_type,
    .slots = {.call = lru_call, .get = lru_get, .new = lru_new},
    .methods = lru_methods,
    .getsets = partial_getsets,
};

/* --- the module ----------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("cmp_to_key(mycmp)", cmp_to_key, "Makes a key function of a comparison function."),
    TY_FUNCTION("reduce(function, iterable, /, initial=None)", reduce,
                "Applies a function of two arguments to the items in turn, from left to right, down to one value."),
    {0},
};

static TyType *const types[] = {&partial_type, &placeholder_type, &lru_type, NULL};

static bool execute(Value module) { return ty_type_ready(&key_type) && ty_module_add(module, "Placeholder", PLACEHOLDER); }

const TyModuleDef ty_module_functools = {
    .name = "_functools",
    .doc = "Tools that operate on functions.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
