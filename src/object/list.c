/* list. Sorting is in sort.c.
 *
 * What changes the list holds its lock and runs no Python code meanwhile: values are computed before, and iterables read before or item by item. What
 * compares items reads them anew at each step, for the comparison may change the list. */
#include "object/list.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/native.h"
#include "object/range.h"
#include "object/recursion.h"
#include "object/set.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"

#define LONGEST (INT64_MAX / 16)

/* --- memory --------------------------------------------------------------------------------------------------------- */

/* memmove for values that readers without a lock may look at. */
static void move_values(Value *target, const Value *source, int64_t count)
{
    if (count == 0) {
        return; /* perhaps without a table */
    } else if (!ty_load_relaxed(&ty_many_threads)) {
        memmove(target, source, (size_t)count * sizeof(Value));
    } else if (target <= source) {
        for (int64_t i = 0; i < count; i++)
            __atomic_store_n(&target[i], ty_field(&source[i]), __ATOMIC_RELAXED);
    } else {
        for (int64_t i = count; i-- > 0;)
            __atomic_store_n(&target[i], ty_field(&source[i]), __ATOMIC_RELAXED);
    }
}

static void clear_values(Value *target, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        __atomic_store_n(&target[i], TY_NULL, __ATOMIC_RELAXED);
}

TY_INLINE TyArray *items_of(const TyList *list) { return ty_load_relaxed(&((TyList *)list)->items); }
TY_INLINE int64_t length_of(const TyList *list) { return ty_load_relaxed(&((TyList *)list)->length); }
TY_INLINE void set_length(TyList *list, int64_t length) { ty_store_release(&list->length, length); }
TY_INLINE void set_items(TyList *list, TyArray *items) { ty_store_pointer(list, (TyArray **)&list->items, items); }

/* An array of at least the capacity with the list's items in it, made the list's own. Under the lock. */
static TyArray *grow_to(TyList *list, int64_t capacity)
{
    TyArray *array = ty_array_new(capacity);
    if (!array)
        return NULL;
    memcpy(array->items, items_of(list)->items, (size_t)length_of(list) * sizeof(Value));
    set_items(list, array);
    return array;
}

/* Room for `more` items behind the last one. Under the lock. */
static TyArray *reserve(TyList *list, int64_t more)
{
    TyArray *items = items_of(list);
    int64_t length = length_of(list);
    if (TY_LIKELY(more <= items->capacity - length))
        return items;
    if (more > LONGEST - length) {
        ty_raise_memory_error();
        return NULL;
    }
    int64_t needed = length + more, roomy = length == 0 && more > 1 ? needed : (needed + (needed >> 2) + 5) & ~(int64_t)1;
    return grow_to(list, roomy);
}

TyArray *ty_list_reserve(TyList *list, int64_t more) { return reserve(list, more); }

/* Gives memory back after many items went. Under the lock; does nothing if there is no memory for the smaller array. */
TY_INLINE void shrink(TyList *list)
{
    int64_t length = length_of(list), capacity = items_of(list)->capacity;
    if (capacity <= 64 || length >= capacity / 4)
        return;
    if (length == 0) {
        set_items(list, &ty_array_empty);
    } else {
        if (!grow_to(list, length + (length >> 2) + 4))
            ty_clear_exception();
    }
}

/* The items as they are at one moment: the list's own array while there is one thread, else a copy. */
static TyArray *snapshot(Value v, int64_t *count)
{
    TyList *list = ty_as_list(v);
    if (!ty_load_relaxed(&ty_many_threads)) {
        *count = length_of(list);
        return items_of(list);
    }
    bool locked = ty_object_lock(&list->base);
    *count = length_of(list);
    TyArray *copy = ty_array_new(*count);
    if (copy)
        memcpy(copy->items, items_of(list)->items, (size_t)*count * sizeof(Value));
    ty_object_unlock(&list->base, locked);
    return copy;
}

/* --- the C interface ------------------------------------------------------------------------------------------------ */

Value ty_list_new(int64_t capacity)
{
    TyList *list = (TyList *)ty_allocate(&ty_list_type, sizeof(TyList));
    if (!list)
        return TY_NULL;
    ty_store_relaxed(&list->items, &ty_array_empty);
    if (capacity > 0) {
        TyArray *array = ty_array_new(capacity);
        if (!array)
            return TY_NULL;
        set_items(list, array);
    }
    return ty_from_object(list);
}

Value ty_list_from_array(const Value *items, size_t count)
{
    Value list = ty_list_new((int64_t)count);
    if (list == TY_NULL)
        return TY_NULL;
    memcpy(items_of(ty_as_list(list))->items, items, count * sizeof(Value));
    set_length(ty_as_list(list), (int64_t)count);
    return list;
}

bool ty_list_append(Value v, Value item)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    int64_t length = length_of(list);
    TyArray *items = items_of(list);
    if (TY_UNLIKELY(length == items->capacity))
        items = reserve(list, 1);
    if (TY_LIKELY(items != NULL)) {
        ty_store(items, &items->items[length], item);
        set_length(list, length + 1);
    }
    ty_object_unlock(&list->base, locked);
    return items != NULL;
}

bool ty_list_insert(Value v, int64_t index, Value item)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    TyArray *items = reserve(list, 1);
    if (items) {
        int64_t length = length_of(list);
        if (index < 0)
            index = TY_MAX(index + length, 0);
        index = TY_MIN(index, length);
        move_values(&items->items[index + 1], &items->items[index], length - index);
        ty_store(items, &items->items[index], item);
        set_length(list, length + 1);
    }
    ty_object_unlock(&list->base, locked);
    return items != NULL;
}

Value ty_list_take_last(TyList *list)
{
    int64_t length = length_of(list);
    if (length == 0)
        return TY_NULL;
    Value last = items_of(list)->items[length - 1];
    set_length(list, length - 1);
    clear_values(&items_of(list)->items[length - 1], 1);
    shrink(list);
    return last;
}

static bool append_values(Value v, const Value *values, int64_t count)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    TyArray *items = reserve(list, count);
    if (items) {
        int64_t length = length_of(list);
        move_values(&items->items[length], values, count);
        set_length(list, length + count);
    }
    ty_object_unlock(&list->base, locked);
    return items != NULL;
}

static bool append_range(Value v, int64_t start, int64_t step, int64_t count) /* all values are small */
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    TyArray *items = reserve(list, count);
    if (items) {
        int64_t length = length_of(list);
        for (int64_t i = 0; i < count; i++)
            ty_store(items, &items->items[length + i], ty_from_immediate_int(start + i * step));
        set_length(list, length + count);
    }
    ty_object_unlock(&list->base, locked);
    return items != NULL;
}

bool ty_list_extend(Value list, Value iterable)
{
    int64_t count;
    if (ty_is_exact_list(iterable) || (ty_is_list(iterable) && ty_type_of(iterable)->slots.iter == ty_list_type.slots.iter)) {
        TyArray *items = snapshot(iterable, &count);
        return items && append_values(list, items->items, count);
    }
    if (ty_is_exact_tuple(iterable))
        return append_values(list, ty_as_tuple(iterable)->items, ty_tuple_length(iterable));
    TyType *type = ty_type_of(iterable);
    Value all = TY_NULL;
    if (type == &ty_dict_type)
        all = ty_dict_keys(iterable);
    else if (type == &ty_dict_keys_type)
        all = ty_dict_keys(((TyDictView *)ty_object(iterable))->dict);
    else if (type == &ty_dict_values_type)
        all = ty_dict_values(((TyDictView *)ty_object(iterable))->dict);
    else if (type == &ty_dict_items_type)
        all = ty_dict_items(((TyDictView *)ty_object(iterable))->dict);
    if (all != TY_NULL)
        return append_values(list, items_of(ty_as_list(all))->items, ty_list_length(all));
    if (ty_raised())
        return false;
    if (type == &ty_range_type) {
        const TyRange *range = (TyRange *)ty_object(iterable);
        if (ty_are_immediate_ints(range->start, range->stop) && ty_are_immediate_ints(range->step, range->length))
            return append_range(list, ty_immediate_int(range->start), ty_immediate_int(range->step), ty_immediate_int(range->length));
    }
    if (type == &ty_bytes_type) {
        const uint8_t *bytes = ty_bytes_data(iterable);
        count = ty_bytes_length(iterable);
        TyArray *array = ty_array_new(count);
        for (int64_t i = 0; array && i < count; i++)
            array->items[i] = ty_from_immediate_int(bytes[i]);
        return array && append_values(list, array->items, count);
    }
    Value iterator = ty_iter(iterable), item;
    if (iterator == TY_NULL)
        return false;
    int64_t hint = ty_length_hint(iterable, 8);
    if (hint < 0)
        return false;
    if (hint > 8 && hint < (1 << 28)) {
        TyList *self = ty_as_list(list);
        bool locked = ty_object_lock(&self->base);
        bool fine = reserve(self, hint) != NULL;
        ty_object_unlock(&self->base, locked);
        if (!fine)
            return false;
    }
    TyUnaryFunction next = ty_type_of(iterator)->slots.next;
    TyList *self = ty_as_list(list);
    while ((item = next ? next(iterator) : ty_next(iterator)) != TY_NULL) {
        if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads))) {
            int64_t length = length_of(self);
            TyArray *array = items_of(self);
            if (TY_LIKELY(length < array->capacity)) {
                ty_store(array, &array->items[length], item);
                set_length(self, length + 1);
                continue;
            }
        }
        if (!ty_list_append(list, item))
            return false;
    }
    if (ty_raised() && ty_raised_is(&ty_StopIteration))
        ty_clear_exception();
    return !ty_raised();
}

bool ty_list_set(Value v, int64_t index, Value item)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    bool inside = (uint64_t)index < (uint64_t)length_of(list);
    if (TY_LIKELY(inside))
        ty_store_publish(items_of(list), &items_of(list)->items[index], item);
    ty_object_unlock(&list->base, locked);
    if (!inside)
        ty_raise(&ty_IndexError, "list assignment index out of range");
    return inside;
}

Value ty_list_pop(Value v, int64_t index)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    int64_t length = length_of(list);
    Value item = TY_NULL;
    if (TY_LIKELY((uint64_t)index < (uint64_t)length)) {
        Value *items = items_of(list)->items;
        item = items[index];
        set_length(list, length - 1);
        move_values(&items[index], &items[index + 1], length - 1 - index);
        clear_values(&items[length - 1], 1);
        shrink(list);
    }
    ty_object_unlock(&list->base, locked);
    return item != TY_NULL ? item : ty_raise(&ty_IndexError, length ? "pop index out of range" : "pop from empty list");
}

Value ty_list_to_tuple(Value v)
{
    int64_t count;
    TyArray *items = snapshot(v, &count);
    return items ? ty_tuple_from_array(items->items, (size_t)count) : TY_NULL;
}

Value ty_list_slice(Value v, int64_t start, int64_t end)
{
    int64_t count;
    TyArray *items = snapshot(v, &count);
    if (!items)
        return TY_NULL;
    start = TY_MAX(start, 0);
    end = TY_MIN(end, count);
    return end > start ? ty_list_from_array(items->items + start, (size_t)(end - start)) : ty_list_new(0);
}

bool ty_list_clear(Value v)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    set_length(list, 0);
    set_items(list, &ty_array_empty);
    ty_object_unlock(&list->base, locked);
    return true;
}

bool ty_list_reverse(Value v)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    Value *items = items_of(list)->items;
    for (int64_t low = 0, high = length_of(list) - 1; low < high; low++, high--) {
        Value first = items[low];
        ty_store(items_of(list), &items[low], items[high]);
        ty_store(items_of(list), &items[high], first);
    }
    ty_object_unlock(&list->base, locked);
    return true;
}

/* Replaces the items from start up to end (clipped to the list as it is now) by others. */
static bool splice(Value v, int64_t start, int64_t end, const Value *values, int64_t count)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    int64_t length = length_of(list);
    start = TY_MIN(TY_MAX(start, 0), length);
    end = TY_MIN(TY_MAX(end, start), length);
    int64_t growth = count - (end - start);
    TyArray *items = growth > 0 ? reserve(list, growth) : items_of(list);
    if (items) {
        if (growth < 0)
            set_length(list, length + growth);
        move_values(&items->items[end + growth], &items->items[end], length - end);
        move_values(&items->items[start], values, count);
        if (growth > 0) {
            set_length(list, length + growth);
        } else if (growth < 0) {
            clear_values(&items->items[length + growth], -growth);
            shrink(list);
        }
    }
    ty_object_unlock(&list->base, locked);
    return items != NULL;
}

/* The items of any iterable in memory that this list's changes don't touch. */
static const Value *fixed_items(Value self, Value iterable, int64_t *count, Value *holder, const char *message)
{
    if (ty_is_exact_tuple(iterable)) {
        *holder = iterable;
        *count = ty_tuple_length(iterable);
        return ty_as_tuple(iterable)->items;
    }
    Value list = iterable;
    if (self == iterable || !ty_is_exact_list(iterable)) {
        if (!ty_is_list(iterable) && !ty_is_tuple(iterable)) {
            Value iterator = ty_iter(iterable);
            if (iterator == TY_NULL) {
                if (ty_raised_is(&ty_TypeError)) {
                    ty_clear_exception();
                    ty_raise(&ty_TypeError, "%s", message);
                }
                return NULL;
            }
            iterable = iterator;
        }
        list = ty_sequence_list(iterable);
        if (list == TY_NULL)
            return NULL;
    }
    TyArray *array = snapshot(list, count);
    *holder = ty_from_object(array);
    return array ? array->items : NULL;
}

bool ty_list_assign_slice(Value list, int64_t start, int64_t end, Value iterable)
{
    int64_t count = 0;
    Value holder = TY_NULL;
    const Value *values = NULL;
    if (iterable != TY_NULL) {
        values = fixed_items(list, iterable, &count, &holder, "must assign iterable to extended slice");
        if (!values)
            return false;
    }
    return splice(list, start, end, values, count);
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static Value list_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (type == &ty_list_type)
        return ty_list_new(0);
    Value list = ty_type_allocate(type, 0);
    if (list != TY_NULL)
        ty_store_relaxed(&ty_as_list(list)->items, &ty_array_empty);
    return list;
}

static bool list_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    /* A subclass with a __new__ of its own may take keywords there. */
    if ((ty_is_exact_list(self) || ty_type_of(self)->slots.new == list_new) && !ty_no_keywords("list", keywords))
        return false;
    if (!ty_check_positional("list", count, 0, 1))
        return false;
    if (ty_list_length(self) > 0)
        ty_list_clear(self);
    return count == 0 || ty_list_extend(self, arguments[0]);
}

static void list_trace(TyObject *self, TyMarker *marker)
{
    TyArray *items = items_of((TyList *)self);
    if (items)
        ty_mark_object(marker, &items->base);
}

static Value list_repr(Value self)
{
    if (ty_list_length(self) == 0)
        return ty_str_from_text("[]");
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("[...]");
    TyStrBuilder text = {0};
    bool fine = ty_builder_add_char(&text, '[');
    Value item;
    for (int64_t i = 0; fine && (item = ty_list_item(self, i)) != TY_NULL; i++)
        fine = (i == 0 || ty_builder_add_text(&text, ", ")) && ty_builder_add_repr(&text, item);
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, ']') ? ty_builder_finish(&text) : TY_NULL;
}

static int64_t list_length(Value self) { return ty_list_length(self); }

static Value list_item(Value self, int64_t index)
{
    Value item = ty_list_item(self, index);
    return TY_LIKELY(item != TY_NULL) ? item : ty_raise(&ty_IndexError, "list index out of range");
}

static Value list_get_slice(Value self, Value slice)
{
    int64_t start, stop, step, length;
    if (!ty_slice_unpack(slice, &start, &stop, &step))
        return TY_NULL;
    TyArray *items = snapshot(self, &length);
    if (!items)
        return TY_NULL;
    int64_t count = ty_slice_adjust(length, &start, &stop, step);
    if (count == 0)
        return ty_list_new(0);
    if (step == 1)
        return ty_list_from_array(items->items + start, (size_t)count);
    Value result = ty_list_new(count);
    if (result == TY_NULL)
        return TY_NULL;
    TyArray *selected = items_of(ty_as_list(result));
    for (int64_t i = 0; i < count; i++)
        ty_store(selected, &selected->items[i], items->items[start + i * step]);
    set_length(ty_as_list(result), count);
    return result;
}

static Value list_get_item(Value self, Value key)
{
    int64_t index;
    if (ty_is_immediate_int(key) || (!ty_is_slice(key) && ty_has_index(key))) {
        if (!ty_subscript_index(key, &index))
            return TY_NULL;
        return list_item(self, index < 0 ? index + ty_list_length(self) : index);
    }
    if (!ty_is_slice(key))
        return ty_raise(&ty_TypeError, "list indices must be integers or slices, not %T", key);
    return list_get_slice(self, key);
}

/* Takes out every step'th item. */
static void delete_strided(Value v, int64_t start, int64_t stop, int64_t step)
{
    TyList *list = ty_as_list(v);
    bool locked = ty_object_lock(&list->base);
    int64_t length = length_of(list), count = ty_slice_adjust(length, &start, &stop, step);
    if (step < 0) {
        start += (count - 1) * step;
        step = -step;
    }
    Value *items = items_of(list)->items;
    int64_t to = start;
    for (int64_t from = start, next = start, left = count; from < length; from++) {
        if (left > 0 && from == next) {
            if (--left > 0)
                next += step;
        } else {
            ty_store(items_of(list), &items[to++], items[from]);
        }
    }
    if (count > 0) {
        set_length(list, length - count);
        clear_values(&items[length - count], count);
        shrink(list);
    }
    ty_object_unlock(&list->base, locked);
}

static bool list_set_slice(Value self, Value slice, Value value)
{
    int64_t start, stop, step;
    if (!ty_slice_unpack(slice, &start, &stop, &step))
        return false;
    if (step == 1) {
        int64_t count = 0;
        Value holder = TY_NULL;
        const Value *values = value == TY_NULL ? NULL : fixed_items(self, value, &count, &holder, "must assign iterable to extended slice");
        if (value != TY_NULL && !values)
            return false;
        ty_slice_adjust(ty_list_length(self), &start, &stop, 1);
        return splice(self, start, stop, values, count);
    }
    if (value == TY_NULL) {
        delete_strided(self, start, stop, step);
        return true;
    }
    int64_t given;
    Value holder = TY_NULL;
    const Value *values = fixed_items(self, value, &given, &holder, "must assign iterable to extended slice");
    if (!values)
        return false;
    TyList *list = ty_as_list(self);
    bool locked = ty_object_lock(&list->base);
    int64_t count = ty_slice_adjust(length_of(list), &start, &stop, step);
    if (count == given) {
        TyArray *items = items_of(list);
        for (int64_t i = 0; i < count; i++)
            ty_store_publish(items, &items->items[start + i * step], values[i]);
    }
    ty_object_unlock(&list->base, locked);
    if (count != given)
        ty_raise(&ty_ValueError, "attempt to assign sequence of size %lld to extended slice of size %lld", (long long)given, (long long)count);
    return count == given;
}

static bool list_set_item(Value self, Value key, Value value)
{
    int64_t index;
    if (ty_is_immediate_int(key) || (!ty_is_slice(key) && ty_has_index(key))) {
        if (!ty_subscript_index(key, &index))
            return false;
        if (index < 0)
            index += ty_list_length(self);
        if (value != TY_NULL)
            return ty_list_set(self, index, value);
        if ((uint64_t)index >= (uint64_t)ty_list_length(self)) {
            ty_raise(&ty_IndexError, "list assignment index out of range");
            return false;
        }
        return splice(self, index, index + 1, NULL, 0);
    }
    if (!ty_is_slice(key)) {
        ty_raise(&ty_TypeError, "list indices must be integers or slices, not %T", key);
        return false;
    }
    return list_set_slice(self, key, value);
}

static int list_contains(Value self, Value item)
{
    Value there;
    for (int64_t i = 0; (there = ty_list_item(self, i)) != TY_NULL; i++) {
        int equal = ty_equal(there, item);
        if (equal != 0)
            return equal;
    }
    return 0;
}

static Value list_compare(Value left, Value right, int op)
{
    if (!ty_is_list(right))
        return TY_NOT_IMPLEMENTED;
    if ((op == TY_EQ || op == TY_NE) && ty_list_length(left) != ty_list_length(right))
        return ty_from_bool(op == TY_NE);
    for (int64_t i = 0;; i++) {
        Value a = ty_list_item(left, i), b = ty_list_item(right, i);
        if (a == TY_NULL || b == TY_NULL)
            break;
        int equal = ty_equal(a, b);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            continue;
        if (i >= ty_list_length(left) || i >= ty_list_length(right))
            break; /* the comparison emptied a list */
        if (op == TY_EQ || op == TY_NE)
            return ty_from_bool(op == TY_NE);
        return ty_compare(a, b, op);
    }
    int64_t difference = ty_list_length(left) - ty_list_length(right);
    switch (op) {
    case TY_LT: return ty_from_bool(difference < 0);
    case TY_LE: return ty_from_bool(difference <= 0);
    case TY_EQ: return ty_from_bool(difference == 0);
    case TY_NE: return ty_from_bool(difference != 0);
    case TY_GT: return ty_from_bool(difference > 0);
    default: return ty_from_bool(difference >= 0);
    }
}

static Value list_iter(Value self) { return ty_iterator_over(&ty_list_iterator_type, self, 0); }

static Value list_concat(Value left, Value right)
{
    if (!ty_is_list(right))
        return ty_raise(&ty_TypeError, "can only concatenate list (not \"%T\") to list", right);
    int64_t a_count, b_count;
    TyArray *a = snapshot(left, &a_count), *b = a ? snapshot(right, &b_count) : NULL;
    if (!b)
        return TY_NULL;
    Value result = ty_list_new(a_count + b_count);
    if (result == TY_NULL)
        return TY_NULL;
    Value *items = items_of(ty_as_list(result))->items;
    memcpy(items, a->items, (size_t)a_count * sizeof(Value));
    memcpy(items + a_count, b->items, (size_t)b_count * sizeof(Value));
    set_length(ty_as_list(result), a_count + b_count);
    return result;
}

static Value list_inplace_concat(Value left, Value right) { return ty_list_extend(left, right) ? left : TY_NULL; }

static void fill_repeated(Value *items, int64_t length, int64_t total)
{
    for (int64_t i = length; i < total; i++)
        __atomic_store_n(&items[i], items[i - length], __ATOMIC_RELAXED);
}

static Value list_repeat(Value self, int64_t count)
{
    int64_t length;
    TyArray *items = snapshot(self, &length);
    if (!items)
        return TY_NULL;
    if (count <= 0 || length == 0)
        return ty_list_new(0);
    if (count > LONGEST / length)
        return ty_raise_memory_error();
    Value result = ty_list_new(length * count);
    if (result == TY_NULL)
        return TY_NULL;
    Value *to = items_of(ty_as_list(result))->items;
    memcpy(to, items->items, (size_t)length * sizeof(Value));
    fill_repeated(to, length, length * count);
    set_length(ty_as_list(result), length * count);
    return result;
}

static Value list_inplace_repeat(Value self, int64_t count)
{
    TyList *list = ty_as_list(self);
    if (count <= 0) {
        ty_list_clear(self);
        return self;
    }
    bool locked = ty_object_lock(&list->base), fine = true;
    int64_t length = length_of(list);
    if (length > 0 && count > 1) {
        if (count > LONGEST / length) {
            ty_raise_memory_error();
            fine = false;
        } else if ((fine = reserve(list, length * (count - 1)) != NULL)) {
            fill_repeated(items_of(list)->items, length, length * count);
            set_length(list, length * count);
        }
    }
    ty_object_unlock(&list->base, locked);
    return fine ? self : TY_NULL;
}

/* --- methods -------------------------------------------------------------------------------------------------------- */

static Value list_append(Value self, Value *a) { return ty_list_append(self, a[0]) ? TY_NONE : TY_NULL; }
static Value list_extend(Value self, Value *a) { return ty_list_extend(self, a[0]) ? TY_NONE : TY_NULL; }
static Value list_clear(Value self, Value *a) { return ty_list_clear(self) ? TY_NONE : TY_NULL; }
static Value list_reverse(Value self, Value *a) { return ty_list_reverse(self) ? TY_NONE : TY_NULL; }
static Value list_copy(Value self, Value *a) { return ty_list_slice(self, 0, INT64_MAX); }

static Value list_insert(Value self, Value *a)
{
    int64_t index;
    return ty_to_size(a[0], &index) && ty_list_insert(self, index, a[1]) ? TY_NONE : TY_NULL;
}

static Value list_pop(Value self, Value *a)
{
    int64_t index = -1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &index))
        return TY_NULL;
    TyList *list = ty_as_list(self);
    if (index == -1) { /* the common case, without a second look at the length */
        bool locked = ty_object_lock(&list->base);
        int64_t length = length_of(list);
        Value item = TY_NULL;
        if (length > 0) {
            TyArray *items = items_of(list);
            item = items->items[length - 1];
            set_length(list, length - 1);
            clear_values(&items->items[length - 1], 1);
            shrink(list);
        }
        ty_object_unlock(&list->base, locked);
        return item != TY_NULL ? item : ty_raise(&ty_IndexError, "pop from empty list");
    }
    return ty_list_pop(self, index < 0 ? index + ty_list_length(self) : index);
}

static Value list_remove(Value self, Value *a)
{
    Value item;
    for (int64_t i = 0; (item = ty_list_item(self, i)) != TY_NULL; i++) {
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            return splice(self, i, i + 1, NULL, 0) ? TY_NONE : TY_NULL;
    }
    return ty_raise(&ty_ValueError, "list.remove(x): x not in list");
}

static Value list_index(Value self, Value *a)
{
    int64_t start = 0, stop = INT64_MAX;
    if ((a[1] != TY_NULL && !ty_to_index(a[1], &start)) || (a[2] != TY_NULL && !ty_to_index(a[2], &stop)))
        return TY_NULL;
    if (start < 0)
        start = TY_MAX(start + ty_list_length(self), 0);
    if (stop < 0)
        stop += ty_list_length(self);
    Value item;
    for (int64_t i = start; i < stop && (item = ty_list_item(self, i)) != TY_NULL; i++) {
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            return ty_from_immediate_int(i);
    }
    return ty_raise(&ty_ValueError, "list.index(x): x not in list");
}

static Value list_count(Value self, Value *a)
{
    Value item;
    int64_t count = 0;
    for (int64_t i = 0; (item = ty_list_item(self, i)) != TY_NULL; i++) {
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        count += equal;
    }
    return ty_from_immediate_int(count);
}

static Value list_sort(Value self, Value *a)
{
    bool reverse = false;
    if (a[1] != TY_NULL) {
        int truth = ty_is_true(a[1]);
        if (truth < 0)
            return TY_NULL;
        reverse = truth;
    }
    Value key = a[0] == TY_NONE ? TY_NULL : a[0];
    return ty_list_sort(self, key, reverse) ? TY_NONE : TY_NULL;
}

static Value list_reversed(Value self, Value *a)
{
    return ty_iterator_over(&ty_list_reverse_iterator_type, self, ty_list_length(self) - 1);
}

static Value list_sizeof(Value self, Value *a)
{
    TyArray *items = ty_load_acquire(&ty_as_list(self)->items);
    int64_t size = ty_type_of(self)->layout.size;
    return ty_int_from_int64(items == &ty_array_empty ? size : size + (int64_t)sizeof(TyArray) + items->capacity * 8);
}

static const TyNativeDef list_methods[] = {
    TY_METHOD("append(self, object, /)", list_append, "Adds an object at the end."),
    TY_METHOD("extend(self, iterable, /)", list_extend, "Adds the items of an iterable at the end."),
    TY_METHOD("insert(self, index, object, /)", list_insert, "Puts an object before the index."),
    TY_METHOD("pop(self, index=-1, /)", list_pop, "Removes the item at the index (the last by default) and returns it. IndexError if there is none."),
    TY_METHOD("remove(self, value, /)", list_remove, "Removes the first item equal to value. ValueError if there is none."),
    TY_METHOD("clear(self, /)", list_clear, "Removes all items."),
    TY_METHOD("index(self, value, start=0, stop=sys.maxsize, /)", list_index, "The first index of value. ValueError if it is not there."),
    TY_METHOD("count(self, value, /)", list_count, "How often value occurs."),
    TY_METHOD("sort(self, /, *, key=None, reverse=False)", list_sort,
              "Sorts the list in place, ascending, keeping the order of equal items.\n\nWith a key function, by its results; reverse=True sorts descending."),
    TY_METHOD("reverse(self, /)", list_reverse, "Reverses the list in place."),
    TY_METHOD("copy(self, /)", list_copy, "A shallow copy."),
    TY_METHOD("__reversed__(self, /)", list_reversed, "An iterator over the items, last one first."),
    TY_METHOD("__sizeof__(self, /)", list_sizeof, "The size of the list in memory, in bytes."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_list_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyList), .trace = list_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_LIST | TY_TYPE_SEQUENCE | TY_TYPE_MATCH_SELF,
    .name = "list",
    .doc = "list(iterable=(), /)\n--\n\nA mutable sequence.\n\nWithout an argument it is empty.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = list_repr,
        .hash = ty_hash_unhashable,
        .compare = list_compare,
        .iter = list_iter,
        .new = list_new,
        .init = list_init,
        .length = list_length,
        .get_item = list_get_item,
        .set_item = list_set_item,
        .item = list_item,
        .contains = list_contains,
        .concat = list_concat,
        .inplace_concat = list_inplace_concat,
        .repeat = list_repeat,
        .inplace_repeat = list_inplace_repeat,
    },
    .methods = list_methods,
};
