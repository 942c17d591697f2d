/* The views of a dict (keys, values, items) and its iterators. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/mappingproxy.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

/* --- iterators ------------------------------------------------------------------------------------------------------ */

/* Looks at the dict's present table at each step. `length` is the dict's at the start, against which a change is noticed; `remaining` catches a dict that
 * keeps its length while keys come and go. */
typedef struct DictIterator {
    TyObject base;
    Value dict;                  /* TY_NULL at the end */
    _Atomic int64_t position;
    int64_t length;              /* -1 after a change was noticed */
    _Atomic int64_t remaining;
} DictIterator;

Value ty_dict_iterator_new(TyType *type, Value dict)
{
    DictIterator *iterator = (DictIterator *)ty_allocate(type, sizeof(DictIterator));
    if (!iterator)
        return TY_NULL;
    int64_t length = ty_dict_length(dict);
    ty_store(iterator, &iterator->dict, dict);
    iterator->length = length;
    ty_store_relaxed(&iterator->remaining, length);
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    bool reverse = type == &ty_dict_reverse_key_iterator_type || type == &ty_dict_reverse_value_iterator_type || type == &ty_dict_reverse_item_iterator_type;
    ty_store_relaxed(&iterator->position, reverse ? (int64_t)ty_load_acquire(&table->entry_count) - 1 : 0);
    return ty_from_object(iterator);
}

/* False at the end, or with RuntimeError. */
static bool iterator_step(DictIterator *self, bool reverse, Value *key, Value *value)
{
    Value dict = ty_field(&self->dict);
    if (dict == TY_NULL)
        return false;
    if (TY_UNLIKELY(self->length != ty_dict_length(dict))) {
        self->length = -1; /* stays so: asking again raises again */
        ty_raise(&ty_RuntimeError, "dictionary changed size during iteration");
        return false;
    }
    int64_t position = ty_load_relaxed(&self->position);
    bool found = false;
    if (!reverse) {
        TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
        if (TY_LIKELY(position >= ty_load_relaxed(&table->first) && position < ty_load_acquire(&table->entry_count))) {
            *key = ty_field(&table->entries[position].key);
            *value = ty_field_acquire(&table->entries[position].value);
            found = *key != TY_NULL && *value != TY_NULL;
        }
        if (TY_LIKELY(found))
            position++;
        else
            found = ty_dict_next(dict, &position, key, value);
    } else {
        TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
        int64_t count = ty_load_acquire(&table->entry_count);
        for (; position >= 0 && position < count && !found; position--) {
            *key = ty_field(&table->entries[position].key);
            *value = ty_field_acquire(&table->entries[position].value);
            found = *key != TY_NULL && *value != TY_NULL;
        }
    }
    int64_t remaining = ty_load_relaxed(&self->remaining);
    if (!found || remaining <= 0) {
        ty_store(self, &self->dict, TY_NULL);
        if (found)
            ty_raise(&ty_RuntimeError, "dictionary keys changed during iteration");
        return false;
    }
    ty_store_relaxed(&self->position, position);
    ty_store_relaxed(&self->remaining, remaining - 1);
    return true;
}

static Value iterator_self(Value self) { return self; }

static Value key_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), false, &key, &value) ? key : TY_NULL;
}

static Value value_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), false, &key, &value) ? value : TY_NULL;
}

static Value pair_new(Value key, Value value)
{
    Value pair = ty_tuple_new(2);
    if (pair != TY_NULL) {
        ty_tuple_set(pair, 0, key);
        ty_tuple_set(pair, 1, value);
    }
    return pair;
}

bool ty_dict_items_next_pair(Value self, Value *pair) { return iterator_step((DictIterator *)ty_object(self), false, &pair[0], &pair[1]); }

static Value item_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), false, &key, &value) ? pair_new(key, value) : TY_NULL;
}

static Value reverse_key_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), true, &key, &value) ? key : TY_NULL;
}

static Value reverse_value_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), true, &key, &value) ? value : TY_NULL;
}

static Value reverse_item_next(Value self)
{
    Value key, value;
    return iterator_step((DictIterator *)ty_object(self), true, &key, &value) ? pair_new(key, value) : TY_NULL;
}

static void iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((DictIterator *)self)->dict); }

static Value iterator_length_hint(Value v, Value *a)
{
    DictIterator *self = (DictIterator *)ty_object(v);
    Value dict = ty_field(&self->dict);
    bool same = dict != TY_NULL && self->length == ty_dict_length(dict);
    return ty_from_immediate_int(same ? ty_load_relaxed(&self->remaining) : 0);
}

/* iter over a list of what is still to come; this iterator stays where it is. */
static Value iterator_reduce(Value v, Value *a)
{
    DictIterator *self = (DictIterator *)ty_object(v);
    DictIterator *copy = (DictIterator *)ty_allocate(ty_type_of(v), sizeof(DictIterator));
    if (!copy)
        return TY_NULL;
    ty_store(copy, &copy->dict, ty_field(&self->dict));
    ty_store_relaxed(&copy->position, ty_load_relaxed(&self->position));
    copy->length = self->length;
    ty_store_relaxed(&copy->remaining, ty_load_relaxed(&self->remaining));
    Value list = ty_list_new(0);
    if (list == TY_NULL || !ty_list_extend(list, ty_from_object(copy)))
        return TY_NULL;
    Value iter = ty_builtin("iter");
    return iter == TY_NULL ? TY_NULL : ty_tuple_pack(2, iter, ty_tuple_pack(1, list));
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_length_hint, "How many items are still to come, about."),
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."),
    {0},
};

#define ITERATOR_TYPE(variable, name_, next_)                                                  \
    TyType variable = {                                                                        \
        .base = TY_STATIC_HEADER(ty_type_type),                                                \
        .layout = {.size = sizeof(DictIterator), .trace = iterator_trace},                     \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,                           \
        .name = name_,                                                                         \
        .parent = &ty_object_base_type,                                                        \
        .slots = {.iter = iterator_self, .next = next_},                                       \
        .methods = iterator_methods,                                                           \
    }

ITERATOR_TYPE(ty_dict_key_iterator_type, "dict_keyiterator", key_next);
ITERATOR_TYPE(ty_dict_value_iterator_type, "dict_valueiterator", value_next);
ITERATOR_TYPE(ty_dict_item_iterator_type, "dict_itemiterator", item_next);
ITERATOR_TYPE(ty_dict_reverse_key_iterator_type, "dict_reversekeyiterator", reverse_key_next);
ITERATOR_TYPE(ty_dict_reverse_value_iterator_type, "dict_reversevalueiterator", reverse_value_next);
ITERATOR_TYPE(ty_dict_reverse_item_iterator_type, "dict_reverseitemiterator", reverse_item_next);

/* --- views ---------------------------------------------------------------------------------------------------------- */

TY_INLINE Value view_dict(Value view) { return ((TyDictView *)ty_object(view))->dict; }

static void view_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TyDictView *)self)->dict); }

static int64_t view_length(Value self) { return ty_dict_length(view_dict(self)); }

static Value keys_iter(Value self) { return ty_dict_iterator_new(&ty_dict_key_iterator_type, view_dict(self)); }
static Value values_iter(Value self) { return ty_dict_iterator_new(&ty_dict_value_iterator_type, view_dict(self)); }
static Value items_iter(Value self) { return ty_dict_iterator_new(&ty_dict_item_iterator_type, view_dict(self)); }

static Value keys_reversed(Value self, Value *a) { return ty_dict_iterator_new(&ty_dict_reverse_key_iterator_type, view_dict(self)); }
static Value values_reversed(Value self, Value *a) { return ty_dict_iterator_new(&ty_dict_reverse_value_iterator_type, view_dict(self)); }
static Value items_reversed(Value self, Value *a) { return ty_dict_iterator_new(&ty_dict_reverse_item_iterator_type, view_dict(self)); }

static Value view_repr(Value self)
{
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("...");
    Value list = ty_sequence_list(self);
    Value text = list == TY_NULL ? TY_NULL : ty_str_format("%s(%R)", ty_type_short_name(ty_type_of(self)), list);
    ty_repr_leave(&guard);
    return text;
}

static int keys_contain(Value self, Value key) { return ty_dict_contains(view_dict(self), key); }

static int items_contain(Value self, Value item)
{
    if (!ty_is_tuple(item) || ty_tuple_length(item) != 2)
        return 0;
    Value found = ty_dict_get(view_dict(self), ty_tuple_item(item, 0));
    if (found == TY_NULL)
        return ty_raised() ? -1 : 0;
    return ty_equal(found, ty_tuple_item(item, 1));
}

static bool is_set_view(Value v) { return ty_is_instance_of(v, &ty_dict_keys_type) || ty_is_instance_of(v, &ty_dict_items_type); }

/* Whether all items of an iterable are in a container. */
static int all_in(Value items, Value container)
{
    Value iterator = ty_iter(items), item;
    if (iterator == TY_NULL)
        return -1;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int contained = ty_contains(container, item);
        if (contained <= 0)
            return contained;
    }
    return ty_raised() ? -1 : 1;
}

static Value view_compare(Value left, Value right, int op)
{
    if (!ty_is_any_set(right) && !is_set_view(right))
        return TY_NOT_IMPLEMENTED;
    int64_t left_length = ty_length(left), right_length = ty_length(right);
    if (left_length < 0 || right_length < 0)
        return TY_NULL;
    int result = 0;
    switch (op) {
    case TY_EQ:
    case TY_NE: result = left_length == right_length ? all_in(left, right) : 0; break;
    case TY_LT: result = left_length < right_length ? all_in(left, right) : 0; break;
    case TY_LE: result = left_length <= right_length ? all_in(left, right) : 0; break;
    case TY_GT: result = left_length > right_length ? all_in(right, left) : 0; break;
    case TY_GE: result = left_length >= right_length ? all_in(right, left) : 0; break;
    }
    if (result < 0)
        return TY_NULL;
    return ty_from_bool(op == TY_NE ? !result : result);
}

static Value view_subtract(Value left, Value right)
{
    Value set = ty_set_new(left);
    return set != TY_NULL && ty_set_difference_update(set, right) ? set : TY_NULL;
}

static Value view_or(Value left, Value right)
{
    Value set = ty_set_new(left);
    return set != TY_NULL && ty_set_update(set, right) ? set : TY_NULL;
}

static Value view_xor(Value left, Value right)
{
    Value set = ty_set_new(left);
    return set != TY_NULL && ty_set_symmetric_difference_update(set, right) ? set : TY_NULL;
}

static Value view_and(Value left, Value right)
{
    Value view = left, other = right;
    /* Walks the shorter of two set-likes. */
    if ((is_set_view(right) || ty_is_any_set(right)) && is_set_view(left)) {
        int64_t left_length = ty_length(left), right_length = ty_length(right);
        if (left_length < 0 || right_length < 0)
            return TY_NULL;
        if (right_length > left_length && is_set_view(right)) {
            view = right;
            other = left;
        }
    } else if (!is_set_view(left)) {
        view = right;
        other = left;
    }
    Value set = ty_set_new(TY_NULL), iterator = ty_iter(other), item;
    if (set == TY_NULL || iterator == TY_NULL)
        return TY_NULL;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int contained = ty_contains(view, item);
        if (contained < 0 || (contained && !ty_set_add(set, item)))
            return TY_NULL;
    }
    return ty_raised() ? TY_NULL : set;
}

static Value view_isdisjoint(Value self, Value *a)
{
    Value items = a[0], container = self;
    if (self == items)
        return ty_from_bool(view_length(self) == 0);
    if (ty_is_any_set(items) || is_set_view(items)) {
        int64_t own = ty_length(self), theirs = ty_length(items);
        if (own < 0 || theirs < 0)
            return TY_NULL;
        if (theirs > own) {
            container = items;
            items = self;
        }
    }
    Value iterator = ty_iter(items), item;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int contained = ty_contains(container, item);
        if (contained < 0)
            return TY_NULL;
        if (contained)
            return TY_FALSE;
    }
    return ty_raised() ? TY_NULL : TY_TRUE;
}

static Value view_mapping(Value self) { return ty_mappingproxy_new(view_dict(self)); }

static const TyGetSetDef view_getsets[] = {{"mapping", view_mapping, NULL, "The dictionary that this view refers to, read-only."}, {0}};

#define ISDISJOINT TY_METHOD("isdisjoint(self, other, /)", view_isdisjoint, "Whether the view and the iterable have no item in common.")

static const TyNativeDef keys_methods[] = {
    ISDISJOINT,
    TY_METHOD("__reversed__(self, /)", keys_reversed, "An iterator over the keys, last one first."),
    {0},
};
static const TyNativeDef items_methods[] = {
    ISDISJOINT,
    TY_METHOD("__reversed__(self, /)", items_reversed, "An iterator over the items, last one first."),
    {0},
};
static const TyNativeDef values_methods[] = {
    TY_METHOD("__reversed__(self, /)", values_reversed, "An iterator over the values, last one first."),
    {0},
};

#define SET_VIEW_TYPE(variable, name_, iter_, contains_, methods_)                             \
    TyType variable = {                                                                        \
        .base = TY_STATIC_HEADER(ty_type_type),                                                \
        .layout = {.size = sizeof(TyDictView), .trace = view_trace},                           \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,                           \
        .name = name_,                                                                         \
        .parent = &ty_object_base_type,                                                        \
        .slots = {                                                                             \
            .repr = view_repr,                                                                 \
            .hash = ty_hash_unhashable,                                                        \
            .compare = view_compare,                                                           \
            .iter = iter_,                                                                     \
            .length = view_length,                                                             \
            .contains = contains_,                                                             \
            .binary[TY_BINARY_SUBTRACT] = view_subtract,                                       \
            .binary[TY_BINARY_AND] = view_and,                                                 \
            .binary[TY_BINARY_OR] = view_or,                                                   \
            .binary[TY_BINARY_XOR] = view_xor,                                                 \
        },                                                                                     \
        .methods = methods_,                                                                   \
        .getsets = view_getsets,                                                               \
    }

SET_VIEW_TYPE(ty_dict_keys_type, "dict_keys", keys_iter, keys_contain, keys_methods);
SET_VIEW_TYPE(ty_dict_items_type, "dict_items", items_iter, items_contain, items_methods);

TyType ty_dict_values_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyDictView), .trace = view_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "dict_values",
    .parent = &ty_object_base_type,
    .slots = {.repr = view_repr, .iter = values_iter, .length = view_length},
    .methods = values_methods,
    .getsets = view_getsets,
};
