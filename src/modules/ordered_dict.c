/* OrderedDict: a dict whose keys can be moved to either end, that compares in order, and that notices any change of its keys while it is iterated over.
 *
 * A dict keeps its order anyway; the table's room at both ends (object/dict.h) makes moving a key as cheap as adding one. */
#include "modules/collections.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

typedef struct OrderedDict {
    TyDict dict;
    Value spill; /* attributes */
} OrderedDict;

static TyType odict_iterator_type, odict_keys_type, odict_values_type, odict_items_type;

static bool is_exact(Value v) { return ty_is_exact(v, &ty_ordered_dict_type); }

static void odict_trace(TyObject *self, TyMarker *marker)
{
    ty_dict_type.layout.trace(self, marker);
    ty_attributes_trace(self, &ty_ordered_dict_type, marker);
}

/* --- iterators ------------------------------------------------------------------------------------------------------ */

enum { KEYS = 1, VALUES = 2, ITEMS = 3, REVERSED = 4 };

typedef struct OrderedIterator {
    TyObject base;
    Value dict; /* TY_NULL at the end */
    TyDictTable *table;
    uint32_t entry_count, gap; /* of the table at the start: a change of keys changes one of them, or the dict's length or table */
    int64_t length;
    _Atomic int64_t position;
    int kind;
} OrderedIterator;

static Value iterator_new(Value dict, int kind)
{
    OrderedIterator *self = (OrderedIterator *)ty_allocate(&odict_iterator_type, sizeof(OrderedIterator));
    if (!self)
        return TY_NULL;
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    ty_store(self, &self->dict, dict);
    ty_store_pointer(self, &self->table, table);
    self->entry_count = ty_load_acquire(&table->entry_count);
    self->gap = ty_load_acquire(&table->gap);
    self->length = ty_dict_length(dict);
    ty_store_relaxed(&self->position, kind & REVERSED ? (int64_t)self->entry_count - 1 : 0);
    self->kind = kind;
    return ty_from_object(self);
}

static void iterator_trace(TyObject *self, TyMarker *marker)
{
    OrderedIterator *iterator = (OrderedIterator *)self;
    ty_mark(marker, iterator->dict);
    if (iterator->table)
        ty_mark_object(marker, &iterator->table->base);
}

static bool advance(OrderedIterator *self, Value *key, Value *value)
{
    Value dict = ty_field(&self->dict);
    if (dict == TY_NULL)
        return false;
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    if (table != self->table || ty_load_acquire(&table->entry_count) != self->entry_count || ty_load_acquire(&table->gap) != self->gap ||
        ty_dict_length(dict) != self->length) {
        ty_store(self, &self->dict, TY_NULL);
        ty_raise(&ty_RuntimeError, "OrderedDict mutated during iteration");
        return false;
    }
    int64_t position = ty_load_relaxed(&self->position);
    if (!(self->kind & REVERSED)) {
        bool any = ty_dict_next(dict, &position, key, value);
        ty_store_relaxed(&self->position, position);
        if (any)
            return true;
    } else {
        while (position >= 0) {
            TyDictEntry *entry = &table->entries[position--];
            *key = ty_field(&entry->key);
            *value = ty_field_acquire(&entry->value);
            if (*key != TY_NULL && *value != TY_NULL) {
                ty_store_relaxed(&self->position, position);
                return true;
            }
        }
    }
    ty_store(self, &self->dict, TY_NULL);
    return false;
}

static Value iterator_next(Value v)
{
    OrderedIterator *self = (OrderedIterator *)ty_object(v);
    Value key, value;
    if (!advance(self, &key, &value))
        return TY_NULL;
    int kind = self->kind & ITEMS;
    return kind == KEYS ? key : kind == VALUES ? value : ty_tuple_pack(2, key, value);
}

static Value iterator_self(Value v) { return v; }

static Value iterator_reduce(Value v, Value *a)
{
    OrderedIterator *self = (OrderedIterator *)ty_object(v), *copy = (OrderedIterator *)ty_allocate(&odict_iterator_type, sizeof(OrderedIterator));
    Value list = copy ? ty_list_new(0) : TY_NULL, iter = list == TY_NULL ? TY_NULL : ty_builtin("iter");
    if (iter == TY_NULL)
        return TY_NULL;
    ty_store(copy, &copy->dict, ty_field(&self->dict));
    ty_store_pointer(copy, &copy->table, self->table);
    copy->entry_count = self->entry_count;
    copy->gap = self->gap;
    copy->length = self->length;
    ty_store_relaxed(&copy->position, ty_load_relaxed(&self->position));
    copy->kind = self->kind;
    if (!ty_list_extend(list, ty_from_object(copy)))
        return TY_NULL;
    return ty_tuple_pack(2, iter, ty_tuple_pack(1, list));
}

static const TyNativeDef iterator_methods[] = {TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."), {0}};

static TyType odict_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(OrderedIterator), .trace = iterator_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "odict_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = iterator_next},
    .methods = iterator_methods,
};

/* --- views ---------------------------------------------------------------------------------------------------------- */

static Value view_new(TyType *type, Value dict)
{
    TyDictView *view = (TyDictView *)ty_allocate(type, sizeof(TyDictView));
    if (view)
        ty_store(view, &view->dict, dict);
    return ty_from_object(view);
}

static void view_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TyDictView *)self)->dict); }
static Value dict_of(Value view) { return ((TyDictView *)ty_object(view))->dict; }

#define ODICT_VIEW(kind, KIND, parent_)                                                                               \
    static Value kind##_iter(Value v) { return iterator_new(dict_of(v), KIND); }                                      \
    static Value kind##_reversed(Value v, Value *a) { return iterator_new(dict_of(v), KIND | REVERSED); }             \
    static const TyNativeDef kind##_methods[] = {                                                                     \
        TY_METHOD("__reversed__(self, /)", kind##_reversed, "An iterator from the last one to the first."), {0}};     \
    static TyType odict_##kind##_type = {                                                                             \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                       \
        .layout = {.size = sizeof(TyDictView), .trace = view_trace},                                                  \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,                                                                  \
        .name = "odict_" #kind,                                                                                       \
        .parent = &parent_,                                                                                           \
        .slots = {.iter = kind##_iter},                                                                               \
        .methods = kind##_methods,                                                                                    \
    };
ODICT_VIEW(keys, KEYS, ty_dict_keys_type)
ODICT_VIEW(values, VALUES, ty_dict_values_type)
ODICT_VIEW(items, ITEMS, ty_dict_items_type)

bool ty_ordered_dict_start(void)
{
    return ty_type_ready(&odict_iterator_type) && ty_type_ready(&odict_keys_type) && ty_type_ready(&odict_values_type) && ty_type_ready(&odict_items_type);
}

/* --- updating, as MutableMapping does it: through __setitem__ --------------------------------------------------------- */

static bool set_pairs(Value self, Value pairs)
{
    Value iterator = ty_iter(pairs), pair;
    if (iterator == TY_NULL)
        return false;
    while ((pair = ty_next(iterator)) != TY_NULL) {
        Value list = ty_sequence_list(pair);
        if (list == TY_NULL)
            return false;
        if (ty_list_length(list) != 2) {
            bool few = ty_list_length(list) < 2;
            ty_raise(&ty_ValueError, few ? "need more than %lld value%s to unpack" : "too many values to unpack (expected 2)", (long long)ty_list_length(list),
                     ty_list_length(list) == 1 ? "" : "s");
            return false;
        }
        if (!ty_set_item(self, ty_list_item(list, 0), ty_list_item(list, 1)))
            return false;
    }
    return !ty_raised();
}

static bool set_from_keys(Value self, Value other, Value keys)
{
    Value iterator = ty_iter(keys), key;
    if (iterator == TY_NULL)
        return false;
    while ((key = ty_next(iterator)) != TY_NULL) {
        Value value = ty_get_item(other, key);
        if (value == TY_NULL || !ty_set_item(self, key, value))
            return false;
    }
    return !ty_raised();
}

static bool update_from(Value self, Value other)
{
    if (ty_is_exact_dict(other)) {
        Value items = ty_dict_items(other);
        return items != TY_NULL && set_pairs(self, items);
    }
    bool failed = false;
    Value method = ty_get_attribute_or_null(other, TY_NAME("keys"), &failed);
    if (failed)
        return false;
    if (method != TY_NULL) {
        Value keys = ty_call_none(method);
        return keys != TY_NULL && set_from_keys(self, other, keys);
    }
    method = ty_get_attribute_or_null(other, TY_NAME("items"), &failed);
    if (failed)
        return false;
    if (method != TY_NULL)
        other = ty_call_none(method);
    return other != TY_NULL && set_pairs(self, other);
}

static bool update_from_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count > 1) {
        ty_raise(&ty_TypeError, "update() takes at most 1 positional argument (%zu given)", count);
        return false;
    }
    if (count == 1 && !update_from(self, arguments[0]))
        return false;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_set_item(self, ty_tuple_item(keywords, i), arguments[count + i]))
            return false;
    return true;
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static bool odict_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count > 1) {
        ty_raise(&ty_TypeError, "expected at most 1 arguments, got %zu", count);
        return false;
    }
    return update_from_call(self, arguments, count, keywords);
}

static Value odict_iter(Value self) { return iterator_new(self, KEYS); }

static Value odict_repr(Value self)
{
    const char *name = ty_type_short_name(ty_type_of(self));
    if (ty_dict_length(self) == 0)
        return ty_str_format("%s()", name);
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("...");
    Value dict;
    if (is_exact(self)) {
        dict = ty_dict_copy(self);
    } else {
        Value items = ty_call_method_none(self, TY_NAME("items"));
        dict = items == TY_NULL ? TY_NULL : ty_call_one(ty_from_object(&ty_dict_type), items);
    }
    Value text = dict == TY_NULL ? TY_NULL : ty_str_format("%s(%R)", name, dict);
    ty_repr_leave(&guard);
    return text;
}

/* What a dict's keys are told apart by from step to step. */
typedef struct Keys {
    TyDictTable *table;
    uint32_t entry_count, gap;
    int64_t length;
} Keys;

static Keys keys_now(Value dict)
{
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    return (Keys){table, ty_load_acquire(&table->entry_count), ty_load_acquire(&table->gap), ty_dict_length(dict)};
}

static bool unchanged(Value dict, const Keys *before)
{
    Keys now = keys_now(dict);
    if (now.length != before->length || now.table != before->table || now.entry_count != before->entry_count || now.gap != before->gap)
        ty_raise(&ty_RuntimeError, "OrderedDict mutated during iteration");
    return !ty_raised();
}

static int same_order(Value left, Value right)
{
    int64_t a = 0, b = 0;
    Value first, second;
    Keys left_keys = keys_now(left), right_keys = keys_now(right);
    while (ty_dict_next(left, &a, &first, NULL)) {
        if (!ty_dict_next(right, &b, &second, NULL))
            return 0;
        int equal = ty_equal(first, second);
        if (equal < 0 || !unchanged(left, &left_keys) || !unchanged(right, &right_keys))
            return -1;
        if (!equal)
            return 0;
    }
    return ty_dict_length(left) == ty_dict_length(right);
}

static Value odict_compare(Value left, Value right, int op)
{
    if (!ty_is_dict(right) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    Value equal = ty_dict_type.slots.compare(left, right, TY_EQ);
    if (equal == TY_NULL)
        return TY_NULL;
    int result = equal == TY_TRUE;
    if (result && ty_is_instance_of(right, &ty_ordered_dict_type)) {
        result = same_order(left, right);
        if (result < 0)
            return TY_NULL;
    }
    return ty_from_bool(result == (op == TY_EQ));
}

static Value odict_or(Value left, Value right)
{
    if (!ty_is_dict(left) || !ty_is_dict(right))
        return TY_NOT_IMPLEMENTED;
    TyType *type = ty_type_of(ty_is_instance_of(left, &ty_ordered_dict_type) ? left : right);
    Value result = ty_call_one(ty_from_object(type), left);
    return result != TY_NULL && update_from(result, right) ? result : TY_NULL;
}

static Value odict_inplace_or(Value left, Value right) { return update_from(left, right) ? left : TY_NULL; }

/* --- methods -------------------------------------------------------------------------------------------------------- */

static Value odict_update(Value self, const Value *arguments, size_t count, Value keywords)
{
    return update_from_call(self, arguments, count, keywords) ? TY_NONE : TY_NULL;
}

static Value odict_fromkeys(Value type, Value *a)
{
    Value value = a[1] != TY_NULL ? a[1] : TY_NONE, dict = ty_call_none(type), iterator = dict == TY_NULL ? TY_NULL : ty_iter(a[0]), key;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((key = ty_next(iterator)) != TY_NULL)
        if (!ty_set_item(dict, key, value))
            return TY_NULL;
    return ty_raised() ? TY_NULL : dict;
}

static Value odict_setdefault(Value self, Value *a)
{
    Value fallback = a[1] != TY_NULL ? a[1] : TY_NONE;
    if (is_exact(self))
        return ty_dict_set_default(self, a[0], fallback);
    int contained = ty_contains(self, a[0]);
    if (contained < 0)
        return TY_NULL;
    if (contained)
        return ty_get_item(self, a[0]);
    return ty_set_item(self, a[0], fallback) ? fallback : TY_NULL;
}

static Value odict_pop(Value self, Value *a)
{
    Value value = ty_dict_pop(self, a[0]);
    if (value != TY_NULL || ty_raised())
        return value;
    return a[1] != TY_NULL ? a[1] : ty_raise_key_error(a[0]);
}

static Value odict_popitem(Value self, Value *a)
{
    int last = a[0] == TY_NULL ? 1 : ty_is_true(a[0]);
    if (last < 0)
        return TY_NULL;
    Value key, value;
    if (!ty_dict_pop_end(self, last, &key, &value))
        return ty_raise(&ty_KeyError, "dictionary is empty");
    return ty_tuple_pack(2, key, value);
}

static Value odict_move_to_end(Value self, Value *a)
{
    int last = a[1] == TY_NULL ? 1 : ty_is_true(a[1]);
    int64_t hash = last < 0 ? -1 : ty_hash(a[0]);
    if (hash == -1)
        return TY_NULL;
    if (ty_dict_move_to_end(self, a[0], hash, last))
        return TY_NONE;
    return ty_raised() ? TY_NULL : ty_raise_key_error(a[0]);
}

static Value odict_clear(Value self, Value *a)
{
    ty_dict_clear(self);
    return TY_NONE;
}

static Value odict_copy(Value self, Value *a)
{
    Value copy = ty_call_none(ty_from_object(ty_type_of(self)));
    if (copy == TY_NULL)
        return TY_NULL;
    Keys before = keys_now(self);
    if (is_exact(self)) {
        int64_t position = 0, hash;
        Value key, value;
        while (ty_dict_next_hashed(self, &position, &key, &value, &hash))
            if (!ty_dict_set_hashed(copy, key, hash, value) || !unchanged(self, &before))
                return TY_NULL;
        return copy;
    }
    Value keys = ty_dict_keys(self);
    for (int64_t i = 0; keys != TY_NULL && i < ty_list_length(keys); i++) {
        Value key = ty_list_item(keys, i), value = ty_get_item(self, key);
        if (value == TY_NULL || !ty_set_item(copy, key, value) || !unchanged(self, &before))
            return TY_NULL;
    }
    return keys == TY_NULL ? TY_NULL : copy;
}

static Value odict_keys(Value self, Value *a) { return view_new(&odict_keys_type, self); }
static Value odict_values(Value self, Value *a) { return view_new(&odict_values_type, self); }
static Value odict_items(Value self, Value *a) { return view_new(&odict_items_type, self); }
static Value odict_reversed(Value self, Value *a) { return iterator_new(self, KEYS | REVERSED); }

static Value odict_reduce(Value self, Value *a)
{
    Value state = ty_call_method_none(self, TY_NAME("__getstate__"));
    Value items = state == TY_NULL ? TY_NULL : ty_call_method_none(self, TY_NAME("items"));
    Value iterator = items == TY_NULL ? TY_NULL : ty_iter(items);
    return ty_tuple_pack(5, ty_from_object(ty_type_of(self)), ty_tuple_empty(), state == TY_NULL ? TY_NONE : state, TY_NONE, iterator);
}

static const TyNativeDef odict_methods[] = {
    TY_CLASS_METHOD("fromkeys(type, /, iterable, value=None)", odict_fromkeys, "Create a new ordered dictionary with keys from iterable and values set to value."),
    TY_METHOD("setdefault(self, /, key, default=None)", odict_setdefault, "The value for key, which is default, inserted now, if there was none."),
    TY_METHOD("pop(self, /, key, default=None)", odict_pop, "Removes key and returns its value; default, or KeyError without one, if there is none."),
    TY_METHOD("popitem(self, /, last=True)", odict_popitem, "Removes the last pair, or the first if last is false, and returns it as (key, value)."),
    TY_METHOD("move_to_end(self, /, key, last=True)", odict_move_to_end, "Moves a key to the end, or to the beginning if last is false. KeyError if it is not there."),
    TY_METHOD("keys(self, /)", odict_keys, "A set-like object that shows the dictionary's keys."),
    TY_METHOD("values(self, /)", odict_values, "An object that shows the dictionary's values."),
    TY_METHOD("items(self, /)", odict_items, "A set-like object that shows the dictionary's items."),
    TY_RAW_METHOD("update(self, other=(), /, **kwargs)", odict_update, "Takes over the pairs of a mapping or an iterable of pairs, then the keyword arguments."),
    TY_METHOD("clear(self, /)", odict_clear, "Removes everything."),
    TY_METHOD("copy(self, /)", odict_copy, "A shallow copy."),
    TY_METHOD("__reversed__(self, /)", odict_reversed, "An iterator over the keys, last one first."),
    TY_METHOD("__reduce__(self, /)", odict_reduce, "What pickle keeps."),
    {0},
};

static Value get_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static bool set_dict(Value self, Value value) { return ty_dict_getset.set(self, value); }
static const TyGetSetDef odict_getsets[] = {{"__dict__", get_dict, set_dict, NULL}, {0}};

TyType ty_ordered_dict_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(OrderedDict), .trace = odict_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_DICT | TY_TYPE_MAPPING | TY_TYPE_MATCH_SELF | TY_TYPE_WEAKREFABLE | TY_TYPE_HAS_DICT,
    .attributes_offset = offsetof(OrderedDict, spill),
    .name = "collections.OrderedDict",
    .doc = "Dictionary that remembers insertion order",
    .parent = &ty_dict_type,
    .slots = {
        .repr = odict_repr,
        .compare = odict_compare,
        .iter = odict_iter,
        .init = odict_init,
        .hash = ty_hash_unhashable,
        .binary[TY_BINARY_OR] = odict_or,
        .inplace[TY_BINARY_OR] = odict_inplace_or,
    },
    .methods = odict_methods,
    .getsets = odict_getsets,
};
