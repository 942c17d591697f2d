/* _collections: deque, defaultdict, and the small helpers of namedtuple and Counter. OrderedDict is in ordered_dict.c. */
#include "modules/collections.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/range.h"
#include "object/recursion.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define SELF(structure) structure *self = (structure *)ty_object(v)

/* --- deque ---------------------------------------------------------------------------------------------------------- */

/* A ring of a power of two of places. Everything that looks at it holds its lock, for a few words' time. `state` counts the changes that move items, for iterators. */
typedef struct Deque {
    TyObject base;
    TyArray *items;
    int64_t head, length;
    int64_t maximum; /* -1: no bound */
    uint64_t state;
} Deque;

static TyType deque_type, deque_iterator_type, deque_reverse_iterator_type;

/* Under the lock; len() looks without. */
TY_INLINE void set_length(Deque *self, int64_t length) { __atomic_store_n(&self->length, length, __ATOMIC_RELAXED); }

static void deque_trace(TyObject *self, TyMarker *marker)
{
    TyArray *items = ((Deque *)self)->items;
    if (items)
        ty_mark_object(marker, &items->base);
}

TY_INLINE Value *place(Deque *self, int64_t index) { return &self->items->items[(self->head + index) & (self->items->capacity - 1)]; }

/* Room for so many more. Under the lock. */
static bool deque_reserve(Deque *self, int64_t more)
{
    int64_t capacity = self->items ? self->items->capacity : 0;
    if (TY_LIKELY(more <= capacity - self->length))
        return true;
    if (capacity == 0)
        capacity = 8;
    while (capacity - self->length < more)
        capacity *= 2;
    TyArray *bigger = ty_array_new(capacity);
    if (!bigger)
        return false;
    for (int64_t i = 0; i < self->length; i++)
        ty_store(bigger, &bigger->items[i], *place(self, i));
    ty_store_pointer(self, &self->items, bigger);
    self->head = 0;
    return true;
}

/* Takes an item out at an end. Under the lock; the deque is not empty. */
static Value take(Deque *self, bool left)
{
    Value *from = place(self, left ? 0 : self->length - 1), item = *from;
    ty_store(self->items, from, TY_NULL);
    if (left)
        self->head = (self->head + 1) & (self->items->capacity - 1);
    set_length(self, self->length - 1);
    self->state++;
    if (self->items->capacity > 64 && self->length < self->items->capacity / 8) {
        TyArray *smaller = ty_array_new(self->items->capacity / 4);
        if (smaller) {
            for (int64_t i = 0; i < self->length; i++)
                ty_store(smaller, &smaller->items[i], *place(self, i));
            ty_store_pointer(self, &self->items, smaller);
            self->head = 0;
        } else {
            ty_clear_exception();
        }
    }
    return item;
}

/* Adds at an end; what exceeds the bound falls off at the other. */
static bool put(Deque *self, Value item, bool left)
{
    bool locked = ty_object_lock(&self->base), fine = true;
    if (self->maximum != 0) {
        if (self->maximum > 0 && self->length >= self->maximum)
            take(self, !left);
        fine = deque_reserve(self, 1);
        if (fine) {
            if (left)
                self->head = (self->head - 1) & (self->items->capacity - 1);
            set_length(self, self->length + 1);
            ty_store(self->items, place(self, left ? 0 : self->length - 1), item);
            self->state++;
        }
    }
    ty_object_unlock(&self->base, locked);
    return fine;
}

static Value pop(Deque *self, bool left)
{
    bool locked = ty_object_lock(&self->base);
    Value item = self->length > 0 ? take(self, left) : TY_NULL;
    ty_object_unlock(&self->base, locked);
    return item != TY_NULL ? item : ty_raise(&ty_IndexError, "pop from an empty deque");
}

/* The item at an index, or TY_NULL outside. *state is the deque's then. */
static Value item_at(Deque *self, int64_t index, uint64_t *state)
{
    bool locked = ty_object_lock(&self->base);
    Value item = (uint64_t)index < (uint64_t)self->length ? *place(self, index) : TY_NULL;
    if (state)
        *state = self->state;
    ty_object_unlock(&self->base, locked);
    return item;
}

static Value deque_of_type(TyType *type, int64_t maximum)
{
    Value v = type == &deque_type ? ty_from_object(ty_allocate(type, sizeof(Deque))) : ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ((Deque *)ty_object(v))->maximum = maximum;
    return v;
}

static Value deque_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return deque_of_type(type, -1); }

/* What a deque holds at one moment. */
static TyArray *items_in_order(Deque *self, int64_t *count)
{
    bool locked = ty_object_lock(&self->base);
    TyArray *items = ty_array_new(self->length);
    for (int64_t i = 0; items && i < self->length; i++)
        ty_store(items, &items->items[i], *place(self, i));
    *count = self->length;
    ty_object_unlock(&self->base, locked);
    return items;
}

/* At the right end, all at once. */
static bool extend_by_array(Deque *self, const Value *items, int64_t count)
{
    bool locked = ty_object_lock(&self->base);
    bool fine = deque_reserve(self, count);
    if (fine) {
        for (int64_t i = 0; i < count; i++)
            ty_store(self->items, place(self, self->length + i), items[i]);
        self->length += count;
        self->state++;
    }
    ty_object_unlock(&self->base, locked);
    return fine;
}

static bool extend(Value v, Value iterable, bool left)
{
    SELF(Deque);
    TyType *type = ty_type_of(iterable);
    if (self->maximum < 0 && !left && (type == &deque_type || type == &ty_list_type || type == &ty_range_type)) {
        int64_t count;
        Value list = type == &deque_type ? TY_NULL : ty_sequence_list(iterable);
        TyArray *items = NULL;
        if (type == &deque_type) {
            items = items_in_order((Deque *)ty_object(iterable), &count);
        } else if (list != TY_NULL) {
            items = ty_load_relaxed(&ty_as_list(list)->items);
            count = ty_list_length(list);
        }
        return items && extend_by_array(self, items->items, count);
    }
    if (iterable == v) {
        iterable = ty_sequence_list(v);
        if (iterable == TY_NULL)
            return false;
    }
    Value iterator = ty_iter(iterable), item;
    if (iterator == TY_NULL)
        return false;
    while ((item = ty_next(iterator)) != TY_NULL)
        if (!put(self, item, left))
            return false;
    return !ty_raised();
}

static void clear(Deque *self)
{
    bool locked = ty_object_lock(&self->base);
    ty_store_pointer(self, &self->items, NULL);
    self->head = 0;
    set_length(self, 0);
    self->state++;
    ty_object_unlock(&self->base, locked);
}

static TySignature deque_signature = TY_SIGNATURE("deque(iterable=(), maxlen=None)");

static bool deque_init(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(Deque);
    Value a[2];
    int64_t maximum = -1;
    if (!ty_parse_arguments(&deque_signature, arguments, count, keywords, a))
        return false;
    if (a[1] != TY_NULL && a[1] != TY_NONE) {
        if (!ty_to_size(a[1], &maximum))
            return false;
        if (maximum < 0) {
            ty_raise(&ty_ValueError, "maxlen must be non-negative");
            return false;
        }
    }
    self->maximum = maximum;
    if (self->length > 0)
        clear(self);
    return a[0] == TY_NULL || extend(v, a[0], false);
}

/* The items as they are now. */
static Value snapshot(Deque *self)
{
    for (;;) {
        int64_t length = __atomic_load_n(&self->length, __ATOMIC_RELAXED);
        Value list = ty_list_new(length);
        if (list == TY_NULL)
            return TY_NULL;
        bool locked = ty_object_lock(&self->base);
        bool same = self->length == length;
        for (int64_t i = 0; same && i < length; i++)
            ty_list_append(list, *place(self, i)); /* there is room: no memory is asked for */
        ty_object_unlock(&self->base, locked);
        if (same)
            return list;
    }
}

static Value deque_repr(Value v)
{
    SELF(Deque);
    const char *name = ty_type_short_name(ty_type_of(v));
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, v))
        return ty_str_from_text("[...]");
    Value list = snapshot(self), text = TY_NULL;
    if (list != TY_NULL)
        text = self->maximum >= 0 ? ty_str_format("%s(%R, maxlen=%lld)", name, list, (long long)self->maximum) : ty_str_format("%s(%R)", name, list);
    ty_repr_leave(&guard);
    return text;
}

static int64_t deque_length(Value v) { return __atomic_load_n(&((Deque *)ty_object(v))->length, __ATOMIC_RELAXED); }

static Value deque_item(Value v, int64_t index)
{
    Value item = item_at((Deque *)ty_object(v), index, NULL);
    return item != TY_NULL ? item : ty_raise(&ty_IndexError, "deque index out of range");
}

static bool index_of_key(Value key, int64_t *index)
{
    if (!ty_is_immediate_int(key) && !ty_has_index(key)) {
        ty_raise(&ty_TypeError, "sequence index must be integer, not '%T'", key);
        return false;
    }
    return ty_subscript_index(key, index);
}

static Value deque_get_item(Value v, Value key)
{
    int64_t index;
    if (!index_of_key(key, &index))
        return TY_NULL;
    return deque_item(v, index < 0 ? index + deque_length(v) : index);
}

/* Under the lock: takes out the item at an index by moving what follows, or goes before, whichever is less. */
static void remove_at(Deque *self, int64_t index)
{
    if (index < self->length / 2) {
        for (int64_t i = index; i > 0; i--)
            ty_store(self->items, place(self, i), *place(self, i - 1));
        take(self, true);
    } else {
        for (int64_t i = index; i < self->length - 1; i++)
            ty_store(self->items, place(self, i), *place(self, i + 1));
        take(self, false);
    }
}

static bool deque_set_item(Value v, Value key, Value value)
{
    SELF(Deque);
    int64_t index;
    if (!index_of_key(key, &index))
        return false;
    bool locked = ty_object_lock(&self->base);
    if (index < 0)
        index += self->length;
    bool inside = (uint64_t)index < (uint64_t)self->length;
    if (inside && value == TY_NULL)
        remove_at(self, index);
    else if (inside)
        ty_store(self->items, place(self, index), value);
    ty_object_unlock(&self->base, locked);
    if (!inside)
        ty_raise(&ty_IndexError, "deque index out of range");
    return inside;
}

/* The beginning of a search, at one moment, as long as comparing runs no Python: the index of an equal item or -1 for none, with *settled, or that at
 * which to go on. */
static int64_t search_plain(Deque *self, Value wanted, int64_t i, int64_t stop, bool *settled, uint64_t *state)
{
    bool locked = ty_object_lock(&self->base), plain = ty_is_immediate_int(wanted), equal = false;
    *state = self->state;
    for (stop = TY_MIN(stop, self->length); i < stop; i++) {
        Value item = *place(self, i);
        equal = item == wanted && !ty_is_double(item); /* a float may be a NaN: the comparison knows */
        if (equal || !plain || !ty_is_immediate_int(item))
            break;
    }
    *settled = equal || i >= stop;
    ty_object_unlock(&self->base, locked);
    return equal || i < stop ? i : -1;
}

/* The first index from start up to stop whose item is equal; -1 if none, -2 on failure. */
static int64_t search(Deque *self, Value wanted, int64_t start, int64_t stop)
{
    uint64_t before, now;
    bool settled;
    int64_t i = search_plain(self, wanted, start, stop, &settled, &before);
    if (settled)
        return i;
    for (; i < stop; i++) {
        Value item = item_at(self, i, &now);
        if (item == TY_NULL)
            break;
        int equal = ty_equal(item, wanted);
        if (equal < 0)
            return -2;
        item_at(self, 0, &now);
        if (now != before) {
            ty_raise(&ty_RuntimeError, "deque mutated during iteration");
            return -2;
        }
        if (equal)
            return i;
    }
    return -1;
}

static int deque_contains(Value v, Value item)
{
    int64_t index = search((Deque *)ty_object(v), item, 0, INT64_MAX);
    return index == -2 ? -1 : index >= 0;
}

static Value deque_compare(Value left, Value right, int op)
{
    if (!ty_is_instance_of(left, &deque_type) || !ty_is_instance_of(right, &deque_type))
        return TY_NOT_IMPLEMENTED;
    if ((op == TY_EQ || op == TY_NE) && deque_length(left) != deque_length(right))
        return ty_from_bool(op == TY_NE);
    Value a = ty_iter(left), b = a == TY_NULL ? TY_NULL : ty_iter(right);
    if (b == TY_NULL)
        return TY_NULL;
    Value x, y;
    for (;;) {
        x = ty_next(a);
        if (x == TY_NULL && ty_raised())
            return TY_NULL;
        y = ty_next(b);
        if (y == TY_NULL && ty_raised())
            return TY_NULL;
        if (x == TY_NULL || y == TY_NULL)
            break;
        int equal = ty_equal(x, y);
        if (equal < 0)
            return TY_NULL;
        if (equal)
            continue;
        if (op == TY_EQ || op == TY_NE)
            return ty_from_bool(op == TY_NE);
        return ty_compare(x, y, op);
    }
    int difference = (x != TY_NULL) - (y != TY_NULL);
    switch (op) {
    case TY_LT: return ty_from_bool(difference < 0);
    case TY_LE: return ty_from_bool(difference <= 0);
    case TY_EQ: return ty_from_bool(difference == 0);
    case TY_NE: return ty_from_bool(difference != 0);
    case TY_GT: return ty_from_bool(difference > 0);
    default: return ty_from_bool(difference >= 0);
    }
}

/* A deque of the same type, bound and items. */
static Value copy(Value v)
{
    SELF(Deque);
    TyType *type = ty_type_of(v);
    Value result;
    if (type == &deque_type) {
        result = deque_of_type(type, self->maximum);
        return result != TY_NULL && extend(result, v, false) ? result : TY_NULL;
    }
    if (self->maximum < 0) {
        result = ty_call_one(ty_from_object(type), v);
    } else {
        result = ty_call_two(ty_from_object(type), v, ty_int_from_int64(self->maximum));
    }
    if (result != TY_NULL && !ty_is_instance_of(result, &deque_type))
        return ty_raise(&ty_TypeError, "%s() must return a deque, not %T", type->name, result);
    return result;
}

static Value deque_concat(Value left, Value right)
{
    if (!ty_is_instance_of(right, &deque_type))
        return ty_raise(&ty_TypeError, "can only concatenate deque (not \"%T\") to deque", right);
    Value result = copy(left);
    return result != TY_NULL && extend(result, right, false) ? result : TY_NULL;
}

static Value deque_inplace_concat(Value left, Value right) { return extend(left, right, false) ? left : TY_NULL; }

static Value deque_inplace_repeat(Value v, int64_t count)
{
    SELF(Deque);
    if (count <= 0) {
        clear(self);
        return v;
    }
    Value items = snapshot(self);
    if (items == TY_NULL)
        return TY_NULL;
    int64_t length = ty_list_length(items);
    if (length > 0 && self->maximum >= 0 && count > self->maximum / length + 2)
        count = self->maximum / length + 2; /* more would fall off */
    if (length > 0 && count > INT64_MAX / 16 / length)
        return ty_raise_memory_error();
    if (self->maximum >= 0)
        clear(self); /* so that what is left is what the repeated items end with */
    for (int64_t i = self->maximum >= 0 ? 0 : 1; i < count; i++)
        if (!extend(v, items, false))
            return TY_NULL;
    return v;
}

static Value deque_repeat(Value v, int64_t count)
{
    Value result = copy(v);
    return result == TY_NULL ? TY_NULL : deque_inplace_repeat(result, count);
}

bool ty_is_plain_deque(Value v) { return ty_is_exact(v, &deque_type); }
bool ty_deque_append(Value deque, Value item) { return put((Deque *)ty_object(deque), item, false); }

static Value deque_append(Value v, Value *a) { return put((Deque *)ty_object(v), a[0], false) ? TY_NONE : TY_NULL; }
static Value deque_appendleft(Value v, Value *a) { return put((Deque *)ty_object(v), a[0], true) ? TY_NONE : TY_NULL; }
static Value deque_extend(Value v, Value *a) { return extend(v, a[0], false) ? TY_NONE : TY_NULL; }
static Value deque_extendleft(Value v, Value *a) { return extend(v, a[0], true) ? TY_NONE : TY_NULL; }
static Value deque_pop(Value v, Value *a) { return pop((Deque *)ty_object(v), false); }
static Value deque_popleft(Value v, Value *a) { return pop((Deque *)ty_object(v), true); }
static Value deque_copy(Value v, Value *a) { return copy(v); }

static Value deque_clear(Value v, Value *a)
{
    clear((Deque *)ty_object(v));
    return TY_NONE;
}

static Value deque_count(Value v, Value *a)
{
    SELF(Deque);
    int64_t count = 0;
    uint64_t before, now;
    item_at(self, 0, &before);
    for (int64_t i = 0;; i++) {
        Value item = item_at(self, i, &now);
        if (item == TY_NULL)
            return ty_from_immediate_int(count);
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        count += equal;
        item_at(self, 0, &now);
        if (now != before)
            return ty_raise(&ty_RuntimeError, "deque mutated during iteration");
    }
}

static Value deque_index(Value v, Value *a)
{
    int64_t start = 0, stop = INT64_MAX, length = deque_length(v);
    if ((a[1] != TY_NULL && !ty_to_index(a[1], &start)) || (a[2] != TY_NULL && !ty_to_index(a[2], &stop)))
        return TY_NULL;
    if (start < 0)
        start = TY_MAX(start + length, 0);
    if (stop < 0)
        stop += length;
    int64_t index = search((Deque *)ty_object(v), a[0], start, TY_MIN(stop, length));
    if (index >= 0)
        return ty_from_immediate_int(index);
    return index == -2 ? TY_NULL : ty_raise(&ty_ValueError, "deque.index(x): x not in deque");
}

/* Under the lock: turns the ring to the right. */
static void rotate(Deque *self, int64_t steps)
{
    int64_t length = self->length;
    if (length < 2)
        return;
    steps %= length;
    if (steps > length / 2)
        steps -= length;
    else if (steps < -(length / 2))
        steps += length;
    for (; steps > 0; steps--) {
        Value item = *place(self, length - 1);
        ty_store(self->items, place(self, length - 1), TY_NULL);
        self->head = (self->head - 1) & (self->items->capacity - 1);
        ty_store(self->items, place(self, 0), item);
    }
    for (; steps < 0; steps++) {
        Value item = *place(self, 0);
        ty_store(self->items, place(self, 0), TY_NULL);
        self->head = (self->head + 1) & (self->items->capacity - 1);
        ty_store(self->items, place(self, length - 1), item);
    }
    self->state++;
}

static Value deque_rotate(Value v, Value *a)
{
    SELF(Deque);
    int64_t steps = 1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &steps))
        return TY_NULL;
    bool locked = ty_object_lock(&self->base);
    rotate(self, steps);
    ty_object_unlock(&self->base, locked);
    return TY_NONE;
}

static Value deque_insert(Value v, Value *a)
{
    SELF(Deque);
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    bool locked = ty_object_lock(&self->base);
    bool full = self->maximum >= 0 && self->length >= self->maximum;
    bool fine = !full && deque_reserve(self, 1);
    if (fine) {
        if (index < 0)
            index = TY_MAX(index + self->length, 0);
        index = TY_MIN(index, self->length);
        set_length(self, self->length + 1);
        for (int64_t i = self->length - 1; i > index; i--)
            ty_store(self->items, place(self, i), *place(self, i - 1));
        ty_store(self->items, place(self, index), a[1]);
        self->state++;
    }
    ty_object_unlock(&self->base, locked);
    if (full)
        return ty_raise(&ty_IndexError, "deque already at its maximum size");
    return fine ? TY_NONE : TY_NULL;
}

static Value deque_remove(Value v, Value *a)
{
    SELF(Deque);
    uint64_t before, now;
    item_at(self, 0, &before);
    for (int64_t i = 0;; i++) {
        Value item = item_at(self, i, &now);
        if (item == TY_NULL)
            return ty_raise(&ty_ValueError, "deque.remove(x): x not in deque");
        int equal = ty_equal(item, a[0]);
        if (equal < 0)
            return TY_NULL;
        bool locked = ty_object_lock(&self->base);
        bool same = self->state == before;
        if (same && equal)
            remove_at(self, i);
        ty_object_unlock(&self->base, locked);
        if (!same)
            return ty_raise(&ty_IndexError, "deque mutated during remove().");
        if (equal)
            return TY_NONE;
    }
}

static Value deque_reverse(Value v, Value *a)
{
    SELF(Deque);
    bool locked = ty_object_lock(&self->base);
    for (int64_t low = 0, high = self->length - 1; low < high; low++, high--) {
        Value item = *place(self, low);
        ty_store(self->items, place(self, low), *place(self, high));
        ty_store(self->items, place(self, high), item);
    }
    ty_object_unlock(&self->base, locked);
    return TY_NONE;
}

static Value deque_reduce(Value v, Value *a)
{
    SELF(Deque);
    Value state = ty_call_method_none(v, TY_NAME("__getstate__")), iterator = state == TY_NULL ? TY_NULL : ty_iter(v);
    if (iterator == TY_NULL)
        return TY_NULL;
    Value arguments = self->maximum < 0 ? ty_tuple_empty() : ty_tuple_pack(2, ty_tuple_empty(), ty_int_from_int64(self->maximum));
    return ty_tuple_pack(4, ty_from_object(ty_type_of(v)), arguments, state, iterator);
}

static Value deque_sizeof(Value v, Value *a)
{
    SELF(Deque);
    return ty_int_from_int64(ty_type_of(v)->layout.size + (self->items ? (int64_t)sizeof(TyArray) + self->items->capacity * 8 : 0));
}

static Value deque_maxlen(Value v)
{
    int64_t maximum = ((Deque *)ty_object(v))->maximum;
    return maximum < 0 ? TY_NONE : ty_int_from_int64(maximum);
}

/* Iterators. */
typedef struct DequeIterator {
    TyObject base;
    Value deque;
    _Atomic int64_t index, left; /* threads that share an iterator may get an item twice, as they would in CPython */
    uint64_t state;
} DequeIterator;

static Value iterator_new(TyType *type, Value v)
{
    SELF(Deque);
    DequeIterator *iterator = (DequeIterator *)ty_allocate(type, sizeof(DequeIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->deque, v);
    bool locked = ty_object_lock(&self->base);
    ty_store_relaxed(&iterator->left, self->length);
    ty_store_relaxed(&iterator->index, type == &deque_iterator_type ? 0 : self->length - 1);
    iterator->state = self->state;
    ty_object_unlock(&self->base, locked);
    return ty_from_object(iterator);
}

static Value deque_iter(Value v) { return iterator_new(&deque_iterator_type, v); }
static Value deque_reversed(Value v, Value *a) { return iterator_new(&deque_reverse_iterator_type, v); }
static void iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((DequeIterator *)self)->deque); }
static Value iterator_self(Value v) { return v; }

static Value step(DequeIterator *self, int64_t direction)
{
    uint64_t now;
    int64_t index = ty_load_relaxed(&self->index), left = ty_load_relaxed(&self->left);
    Value item = item_at((Deque *)ty_object(self->deque), index, &now);
    if (left <= 0 && now == self->state)
        return TY_NULL;
    if (now != self->state || item == TY_NULL) {
        ty_store_relaxed(&self->left, 0);
        return ty_raise(&ty_RuntimeError, "deque mutated during iteration");
    }
    ty_store_relaxed(&self->index, index + direction);
    ty_store_relaxed(&self->left, left - 1);
    return item;
}

static Value iterator_next(Value v) { return step((DequeIterator *)ty_object(v), 1); }
static Value reverse_next(Value v) { return step((DequeIterator *)ty_object(v), -1); }
static Value iterator_hint(Value v, Value *a) { return ty_from_immediate_int(((DequeIterator *)ty_object(v))->left); }

static Value iterator_reduce(Value v, Value *a)
{
    SELF(DequeIterator);
    int64_t given = deque_length(self->deque) - self->left;
    return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ty_tuple_pack(2, self->deque, ty_from_immediate_int(TY_MAX(given, 0))));
}

/* _deque_iterator(deque, given): what unpickling calls. */
static Value iterator_type_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    int64_t given = 0;
    if (!ty_check_positional(ty_type_short_name(type), count, 1, 2))
        return TY_NULL;
    if (!ty_is_instance_of(arguments[0], &deque_type))
        return ty_raise(&ty_TypeError, "argument 1 must be collections.deque, not %T", arguments[0]);
    if (count == 2 && !ty_to_size(arguments[1], &given))
        return TY_NULL;
    Value v = iterator_new(type, arguments[0]);
    for (int64_t i = 0; v != TY_NULL && i < given; i++)
        if (step((DequeIterator *)ty_object(v), type == &deque_iterator_type ? 1 : -1) == TY_NULL) {
            if (ty_raised())
                return TY_NULL;
            break;
        }
    return v;
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_hint, "How many items are still to come."),
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."),
    {0},
};

#define DEQUE_ITERATOR(variable, name_, next_)                                                  \
    static TyType variable = {                                                                  \
        .base = TY_STATIC_HEADER(ty_type_type),                                                 \
        .layout = {.size = sizeof(DequeIterator), .trace = iterator_trace},                     \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,                                             \
        .name = "collections." name_,                                                           \
        .parent = &ty_object_base_type,                                                         \
        .slots = {.iter = iterator_self, .next = next_, .new = iterator_type_new},              \
        .methods = iterator_methods,                                                            \
    }
DEQUE_ITERATOR(deque_iterator_type, "_deque_iterator", iterator_next);
DEQUE_ITERATOR(deque_reverse_iterator_type, "_deque_reverse_iterator", reverse_next);

static const TyNativeDef deque_methods[] = {
    TY_METHOD("append(self, item, /)", deque_append, "Adds an item at the right end."),
    TY_METHOD("appendleft(self, item, /)", deque_appendleft, "Adds an item at the left end."),
    TY_METHOD("extend(self, iterable, /)", deque_extend, "Adds items at the right end, one by one."),
    TY_METHOD("extendleft(self, iterable, /)", deque_extendleft, "Adds items at the left end, one by one: their order is reversed."),
    TY_METHOD("pop(self, /)", deque_pop, "Removes the rightmost item and returns it."),
    TY_METHOD("popleft(self, /)", deque_popleft, "Removes the leftmost item and returns it."),
    TY_METHOD("clear(self, /)", deque_clear, "Removes all items."),
    TY_METHOD("copy(self, /)", deque_copy, "A shallow copy."),
    TY_METHOD("__copy__(self, /)", deque_copy, "A shallow copy."),
    TY_METHOD("count(self, value, /)", deque_count, "How often value occurs."),
    TY_METHOD("index(self, value, start=0, stop=sys.maxsize, /)", deque_index, "The first index of value. ValueError if it is not there."),
    TY_METHOD("insert(self, index, value, /)", deque_insert, "Puts an item before the index. IndexError if the deque is full."),
    TY_METHOD("remove(self, value, /)", deque_remove, "Removes the first item equal to value. ValueError if there is none."),
    TY_METHOD("reverse(self, /)", deque_reverse, "Reverses the deque in place."),
    TY_METHOD("rotate(self, n=1, /)", deque_rotate, "Turns the deque n steps to the right; to the left if n is negative."),
    TY_METHOD("__reversed__(self, /)", deque_reversed, "An iterator over the items, rightmost first."),
    TY_METHOD("__reduce__(self, /)", deque_reduce, "What pickle keeps."),
    TY_METHOD("__sizeof__(self, /)", deque_sizeof, "The size of the deque in memory, in bytes."),
    TY_CLASS_GETITEM,
    {0},
};

static const TyGetSetDef deque_getsets[] = {{"maxlen", deque_maxlen, NULL, "maximum size of a deque or None if unbounded"}, {0}};

static TyType deque_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Deque), .trace = deque_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SEQUENCE | TY_TYPE_WEAKREFABLE,
    .name = "collections.deque",
    .doc = "deque([iterable[, maxlen]])\n--\n\nA sequence to which items are added, and from which they are taken, fast at both ends.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = deque_repr,
        .hash = ty_hash_unhashable,
        .compare = deque_compare,
        .iter = deque_iter,
        .new = deque_new,
        .init = deque_init,
        .length = deque_length,
        .get_item = deque_get_item,
        .set_item = deque_set_item,
        .item = deque_item,
        .contains = deque_contains,
        .concat = deque_concat,
        .inplace_concat = deque_inplace_concat,
        .repeat = deque_repeat,
        .inplace_repeat = deque_inplace_repeat,
    },
    .methods = deque_methods,
    .getsets = deque_getsets,
};

/* --- defaultdict ---------------------------------------------------------------------------------------------------- */

typedef struct DefaultDict {
    TyDict dict;
    Value factory; /* TY_NULL: None */
} DefaultDict;

static TyType defaultdict_type;

static void defaultdict_trace(TyObject *self, TyMarker *marker)
{
    ty_dict_type.layout.trace(self, marker);
    ty_mark(marker, ((DefaultDict *)self)->factory);
}

static bool defaultdict_init(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(DefaultDict);
    Value factory = count > 0 ? arguments[0] : TY_NONE;
    if (factory != TY_NONE && !ty_is_callable(factory)) {
        ty_raise(&ty_TypeError, "first argument must be callable or None");
        return false;
    }
    ty_store(self, &self->factory, factory);
    size_t skip = count > 0;
    return ty_dict_type.slots.init(v, arguments + skip, count - skip, keywords);
}

static Value make_missing(Value v, Value key)
{
    Value factory = ty_field(&((DefaultDict *)ty_object(v))->factory);
    if (factory == TY_NULL || factory == TY_NONE)
        return ty_raise_key_error(key);
    Value value = ty_call_none(factory);
    return value == TY_NULL ? TY_NULL : ty_dict_set_default(v, key, value);
}

static Value defaultdict_missing(Value v, Value *a) { return make_missing(v, a[0]); }

static Value defaultdict_get_item(Value v, Value key)
{
    if (ty_type_of(v) != &defaultdict_type)
        return ty_dict_type.slots.get_item(v, key); /* a subclass may have a __missing__ of its own */
    Value value = ty_dict_get(v, key);
    return value != TY_NULL || ty_raised() ? value : make_missing(v, key);
}

static Value factory_of(Value v)
{
    Value factory = ty_field(&((DefaultDict *)ty_object(v))->factory);
    return factory == TY_NULL ? TY_NONE : factory;
}

static Value defaultdict_repr(Value v)
{
    Value dict = ty_dict_type.slots.repr(v), factory = TY_NULL;
    if (dict == TY_NULL)
        return TY_NULL;
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, v)) {
        factory = ty_str_from_text("...");
    } else {
        factory = ty_repr(factory_of(v));
        ty_repr_leave(&guard);
    }
    return factory == TY_NULL ? TY_NULL : ty_str_format("%s(%U, %U)", ty_type_short_name(ty_type_of(v)), factory, dict);
}

static Value defaultdict_copy(Value v, Value *a) { return ty_call_two(ty_from_object(ty_type_of(v)), factory_of(v), v); }

static Value defaultdict_reduce(Value v, Value *a)
{
    Value factory = factory_of(v), arguments = factory == TY_NONE ? ty_tuple_empty() : ty_tuple_pack(1, factory);
    Value items = ty_call_method_none(v, TY_NAME("items")), iterator = items == TY_NULL ? TY_NULL : ty_iter(items);
    return ty_tuple_pack(5, ty_from_object(ty_type_of(v)), arguments, TY_NONE, TY_NONE, iterator);
}

static Value defaultdict_or(Value left, Value right)
{
    if (!ty_is_dict(left) || !ty_is_dict(right))
        return TY_NOT_IMPLEMENTED;
    Value self = ty_is_instance_of(left, &defaultdict_type) ? left : right;
    Value result = ty_call_two(ty_from_object(ty_type_of(self)), factory_of(self), left);
    return result != TY_NULL && ty_dict_update(result, right) ? result : TY_NULL;
}

static const TyNativeDef defaultdict_methods[] = {
    TY_METHOD("__missing__(self, key, /)", defaultdict_missing, "Makes, keeps and returns the value for a key that is not there."),
    TY_METHOD("copy(self, /)", defaultdict_copy, "A shallow copy."),
    TY_METHOD("__copy__(self, /)", defaultdict_copy, "A shallow copy."),
    TY_METHOD("__reduce__(self, /)", defaultdict_reduce, "What pickle keeps."),
    TY_CLASS_GETITEM,
    {0},
};

static const TyMemberDef defaultdict_members[] = {
    {"default_factory", TY_MEMBER_VALUE_NONE, true, offsetof(DefaultDict, factory), "Factory for default value called by __missing__()."},
    {0},
};

static TyType defaultdict_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(DefaultDict), .trace = defaultdict_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_DICT | TY_TYPE_MAPPING | TY_TYPE_MATCH_SELF | TY_TYPE_WEAKREFABLE,
    .name = "collections.defaultdict",
    .doc = "defaultdict(default_factory=None, /, [...])\n--\n\nA dict that calls default_factory() for the value of a key that is not there.",
    .parent = &ty_dict_type,
    .slots = {.repr = defaultdict_repr, .init = defaultdict_init, .get_item = defaultdict_get_item, .binary[TY_BINARY_OR] = defaultdict_or},
    .methods = defaultdict_methods,
    .members = defaultdict_members,
};

/* --- _tuplegetter --------------------------------------------------------------------------------------------------- */

typedef struct TupleGetter {
    TyObject base;
    int64_t index;
    Value doc;
} TupleGetter;

static TyType tuplegetter_type;

static void tuplegetter_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TupleGetter *)self)->doc); }

static Value tuplegetter_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    int64_t index;
    if (!ty_no_keywords("_tuplegetter", keywords) || !ty_check_positional("_tuplegetter", count, 2, 2) || !ty_to_size(arguments[0], &index))
        return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(TupleGetter);
    self->index = index;
    ty_store(self, &self->doc, arguments[1]);
    return v;
}

static Value tuplegetter_get(Value v, Value object, Value type)
{
    SELF(TupleGetter);
    if (object == TY_NULL)
        return v;
    if (!ty_is_tuple(object)) {
        if (object == TY_NONE)
            return v;
        return ty_raise(&ty_TypeError, "descriptor for index '%lld' for tuple subclasses doesn't apply to '%T' object", (long long)self->index, object);
    }
    if ((uint64_t)self->index >= (uint64_t)ty_tuple_length(object))
        return ty_raise(&ty_IndexError, "tuple index out of range");
    return ty_tuple_item(object, self->index);
}

static bool tuplegetter_set(Value v, Value object, Value value)
{
    ty_raise(&ty_AttributeError, value == TY_NULL ? "can't delete attribute" : "can't set attribute");
    return false;
}

static Value tuplegetter_repr(Value v)
{
    SELF(TupleGetter);
    return ty_str_format("_tuplegetter(%lld, %R)", (long long)self->index, self->doc);
}

static Value tuplegetter_reduce(Value v, Value *a)
{
    SELF(TupleGetter);
    return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ty_tuple_pack(2, ty_int_from_int64(self->index), self->doc));
}

static const TyNativeDef tuplegetter_methods[] = {TY_METHOD("__reduce__(self, /)", tuplegetter_reduce, "What pickle keeps."), {0}};
static const TyMemberDef tuplegetter_members[] = {{"__doc__", TY_MEMBER_VALUE_NONE, true, offsetof(TupleGetter, doc), NULL}, {0}};

static TyType tuplegetter_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TupleGetter), .trace = tuplegetter_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "collections._tuplegetter",
    .parent = &ty_object_base_type,
    .slots = {.repr = tuplegetter_repr, .get = tuplegetter_get, .set = tuplegetter_set, .new = tuplegetter_new},
    .methods = tuplegetter_methods,
    .members = tuplegetter_members,
};

/* --- the module ----------------------------------------------------------------------------------------------------- */

static bool count_in_dict(Value dict, Value iterator)
{
    Value item, one = ty_from_immediate_int(1);
    while ((item = ty_next_inline(iterator)) != TY_NULL) {
        int64_t hash = ty_hash(item);
        if (hash == -1)
            return false;
        Value old = ty_dict_get_hashed(dict, item, hash);
        if (old == TY_NULL && ty_raised())
            return false;
        Value count = old == TY_NULL ? one : ty_is_immediate_int(old) ? ty_int_from_int64(ty_immediate_int(old) + 1) : ty_binary(TY_BINARY_ADD, old, one);
        if (count == TY_NULL || !ty_dict_set_hashed(dict, item, hash, count))
            return false;
    }
    return !ty_raised();
}

static Value count_elements(Value module, Value *a)
{
    Value mapping = a[0], iterator = ty_iter(a[1]), item;
    if (iterator == TY_NULL)
        return TY_NULL;
    TyType *type = ty_type_of(mapping);
    Value get_name = TY_NAME("get"), set_name = TY_NAME("__setitem__");
    bool plain = ty_is_dict(mapping) && ty_type_lookup(type, set_name) == ty_type_lookup(&ty_dict_type, set_name) &&
                 ty_type_lookup(type, get_name) == ty_type_lookup(&ty_dict_type, get_name);
    if (plain)
        return count_in_dict(mapping, iterator) ? TY_NONE : TY_NULL;
    Value get = ty_get_attribute(mapping, get_name);
    if (get == TY_NULL)
        return TY_NULL;
    while ((item = ty_next(iterator)) != TY_NULL) {
        Value old = ty_call_two(get, item, ty_from_immediate_int(0));
        Value count = old == TY_NULL ? TY_NULL : ty_binary(TY_BINARY_ADD, old, ty_from_immediate_int(1));
        if (count == TY_NULL || !ty_set_item(mapping, item, count))
            return TY_NULL;
    }
    return ty_raised() ? TY_NULL : TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("_count_elements(mapping, iterable, /)", count_elements, "Counts the items of the iterable in the mapping."),
    {0},
};

static TyType *const types[] = {&deque_type, &defaultdict_type, &ty_ordered_dict_type, &deque_iterator_type, &deque_reverse_iterator_type, &tuplegetter_type, NULL};

static bool execute(Value module) { return ty_ordered_dict_start(); }

const TyModuleDef ty_module_collections = {
    .name = "_collections",
    .doc = "Containers beside the built-in ones: deque, defaultdict, OrderedDict.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
