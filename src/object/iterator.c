/* The iterators over lists, tuples and other sequences, forward and backward, and over a callable until it gives a sentinel. */
#include "object/iterator.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define ITERATOR(v) ((TySequenceIterator *)ty_object(v))

Value ty_builtin(const char *name)
{
    Value key = ty_intern_text(name), value = key == TY_NULL ? TY_NULL : ty_get_item_or_null(ty_current_builtins(), key);
    if (value == TY_NULL && !ty_raised())
        ty_raise(&ty_AttributeError, "%s", name);
    return value;
}

void ty_sequence_iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TySequenceIterator *)self)->sequence); }

Value ty_iterator_over(TyType *type, Value sequence, int64_t index)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_allocate(type, sizeof(TySequenceIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->sequence, sequence);
    ty_store_relaxed(&iterator->index, index);
    return ty_from_object(iterator);
}

Value ty_sequence_iterator_new(Value sequence) { return ty_iterator_over(&ty_sequence_iterator_type, sequence, 0); }

static Value iterator_self(Value self) { return self; }

/* --- next ----------------------------------------------------------------------------------------------------------- */

static Value list_next(Value v)
{
    TySequenceIterator *self = ITERATOR(v);
    Value list = ty_field(&self->sequence);
    if (list == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&self->index);
    Value item = ty_list_item(list, index);
    if (TY_UNLIKELY(item == TY_NULL))
        ty_store(self, &self->sequence, TY_NULL);
    else
        ty_store_relaxed(&self->index, index + 1);
    return item;
}

static Value list_reverse_next(Value v)
{
    TySequenceIterator *self = ITERATOR(v);
    Value list = ty_field(&self->sequence);
    if (list == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&self->index);
    Value item = index >= 0 ? ty_list_item(list, index) : TY_NULL;
    ty_store_relaxed(&self->index, item == TY_NULL ? -1 : index - 1);
    if (item == TY_NULL)
        ty_store(self, &self->sequence, TY_NULL);
    return item;
}

static Value tuple_next(Value v)
{
    TySequenceIterator *self = ITERATOR(v);
    Value tuple = ty_field(&self->sequence);
    if (tuple == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&self->index);
    if (index >= ty_tuple_length(tuple)) {
        ty_store(self, &self->sequence, TY_NULL);
        return TY_NULL;
    }
    ty_store_relaxed(&self->index, index + 1);
    return ty_tuple_item(tuple, index);
}

static Value sequence_next(Value v)
{
    TySequenceIterator *self = ITERATOR(v);
    Value sequence = ty_field(&self->sequence);
    if (sequence == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&self->index);
    if (index == INT64_MAX)
        return ty_raise(&ty_OverflowError, "iter index too large");
    Value item = ty_sequence_item(sequence, index);
    if (item != TY_NULL) {
        ty_store_relaxed(&self->index, index + 1);
        return item;
    }
    if (ty_raised_is(&ty_IndexError) || ty_raised_is(&ty_StopIteration)) {
        ty_clear_exception();
        ty_store(self, &self->sequence, TY_NULL);
    }
    return TY_NULL;
}

/* --- how many are left ---------------------------------------------------------------------------------------------- */

static Value list_hint(Value v, Value *a)
{
    Value list = ty_field(&ITERATOR(v)->sequence);
    int64_t left = list == TY_NULL ? 0 : ty_list_length(list) - ty_load_relaxed(&ITERATOR(v)->index);
    return ty_from_immediate_int(TY_MAX(left, 0));
}

static Value list_reverse_hint(Value v, Value *a)
{
    Value list = ty_field(&ITERATOR(v)->sequence);
    int64_t left = ty_load_relaxed(&ITERATOR(v)->index) + 1;
    return ty_from_immediate_int(list == TY_NULL || left > ty_list_length(list) ? 0 : left);
}

static Value tuple_hint(Value v, Value *a)
{
    Value tuple = ty_field(&ITERATOR(v)->sequence);
    return ty_from_immediate_int(tuple == TY_NULL ? 0 : ty_tuple_length(tuple) - ty_load_relaxed(&ITERATOR(v)->index));
}

static Value sequence_hint(Value v, Value *a)
{
    Value sequence = ty_field(&ITERATOR(v)->sequence);
    if (sequence == TY_NULL)
        return ty_from_immediate_int(0);
    if (!ty_type_of(sequence)->slots.length)
        return TY_NOT_IMPLEMENTED;
    int64_t length = ty_length(sequence);
    if (length < 0)
        return TY_NULL;
    return ty_from_immediate_int(TY_MAX(length - ty_load_relaxed(&ITERATOR(v)->index), 0));
}

/* --- pickling ------------------------------------------------------------------------------------------------------- */

static Value reduce_with(Value v, const char *function, Value empty)
{
    Value callable = ty_builtin(function), sequence = ty_field(&ITERATOR(v)->sequence);
    if (callable == TY_NULL)
        return TY_NULL;
    if (sequence == TY_NULL)
        return ty_tuple_pack(2, callable, ty_tuple_pack(1, empty));
    return ty_tuple_pack(3, callable, ty_tuple_pack(1, sequence), ty_int_from_int64(ty_load_relaxed(&ITERATOR(v)->index)));
}

static Value list_reduce(Value v, Value *a) { return reduce_with(v, "iter", ty_list_new(0)); }
static Value tuple_reduce(Value v, Value *a) { return reduce_with(v, "iter", ty_tuple_empty()); }

static Value list_reverse_reduce(Value v, Value *a)
{
    if (ty_field(&ITERATOR(v)->sequence) != TY_NULL) {
        Value reversed = ty_builtin("reversed"), sequence = ty_field(&ITERATOR(v)->sequence); /* the lookup may have come to the end of it */
        if (reversed == TY_NULL || sequence == TY_NULL)
            return ty_tuple_pack(2, reversed, reversed == TY_NULL ? TY_NULL : ty_tuple_pack(1, ty_list_new(0)));
        return ty_tuple_pack(3, reversed, ty_tuple_pack(1, sequence), ty_int_from_int64(ty_load_relaxed(&ITERATOR(v)->index)));
    }
    return reduce_with(v, "iter", ty_list_new(0));
}

static Value iterator_setstate(Value v, Value *a)
{
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    Value sequence = ty_field(&ITERATOR(v)->sequence);
    if (sequence != TY_NULL) {
        int64_t low = 0, high = INT64_MAX;
        if (ty_type_of(v) == &ty_list_reverse_iterator_type) {
            low = -1;
            high = ty_list_length(sequence) - 1;
        } else if (ty_type_of(v) != &ty_sequence_iterator_type) {
            high = ty_is_tuple(sequence) ? ty_tuple_length(sequence) : ty_list_length(sequence);
        }
        ty_store_relaxed(&ITERATOR(v)->index, index < low ? low : index > high ? high : index);
    }
    return TY_NONE;
}

#define ITERATOR_METHODS(kind, hint, reduce)                                                                                      \
    static const TyNativeDef kind##_methods[] = {                                                                                 \
        TY_METHOD("__length_hint__(self, /)", hint, "How many items are still to come, about."),                                  \
        TY_METHOD("__reduce__(self, /)", reduce, "What pickle keeps."),                                                           \
        TY_METHOD("__setstate__(self, state, /)", iterator_setstate, "Sets the position, as pickle does."),                       \
        {0},                                                                                                                      \
    }

ITERATOR_METHODS(list, list_hint, list_reduce);
ITERATOR_METHODS(list_reverse, list_reverse_hint, list_reverse_reduce);
ITERATOR_METHODS(tuple, tuple_hint, tuple_reduce);
ITERATOR_METHODS(sequence, sequence_hint, tuple_reduce);

#define ITERATOR_TYPE(variable, name_, next_, methods_)                                        \
    TyType variable = {                                                                        \
        .base = TY_STATIC_HEADER(ty_type_type),                                                \
        .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},   \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,                           \
        .name = name_,                                                                         \
        .parent = &ty_object_base_type,                                                        \
        .slots = {.iter = iterator_self, .next = next_},                                       \
        .methods = methods_,                                                                   \
    }

ITERATOR_TYPE(ty_list_iterator_type, "list_iterator", list_next, list_methods);
ITERATOR_TYPE(ty_list_reverse_iterator_type, "list_reverseiterator", list_reverse_next, list_reverse_methods);
ITERATOR_TYPE(ty_tuple_iterator_type, "tuple_iterator", tuple_next, tuple_methods);
ITERATOR_TYPE(ty_sequence_iterator_type, "iterator", sequence_next, sequence_methods);

/* --- iter(callable, sentinel) --------------------------------------------------------------------------------------- */

typedef struct CallableIterator {
    TyObject base;
    Value callable, sentinel; /* TY_NULL at the end */
} CallableIterator;

Value ty_callable_iterator_new(Value callable, Value sentinel)
{
    CallableIterator *iterator = (CallableIterator *)ty_allocate(&ty_callable_iterator_type, sizeof(CallableIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->callable, callable);
    ty_store(iterator, &iterator->sentinel, sentinel);
    return ty_from_object(iterator);
}

static void callable_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((CallableIterator *)self)->callable, 2); }

static void callable_end(CallableIterator *self)
{
    ty_store(self, &self->callable, TY_NULL);
    ty_store(self, &self->sentinel, TY_NULL);
}

static Value callable_next(Value v)
{
    CallableIterator *self = (CallableIterator *)ty_object(v);
    Value callable = ty_field(&self->callable), sentinel = ty_field(&self->sentinel);
    if (callable == TY_NULL || sentinel == TY_NULL)
        return TY_NULL;
    Value result = ty_call_none(callable);
    if (result == TY_NULL) {
        if (ty_raised_is(&ty_StopIteration)) {
            ty_clear_exception();
            callable_end(self);
        }
        return TY_NULL;
    }
    if (ty_field(&self->callable) == TY_NULL) /* the call itself came to the end */
        return TY_NULL;
    int equal = ty_compare_bool(sentinel, result, TY_EQ);
    if (equal > 0)
        callable_end(self);
    return equal == 0 ? result : TY_NULL;
}

static Value callable_reduce(Value v, Value *a)
{
    CallableIterator *self = (CallableIterator *)ty_object(v);
    Value iter = ty_builtin("iter"), callable = ty_field(&self->callable), sentinel = ty_field(&self->sentinel);
    if (iter == TY_NULL)
        return TY_NULL;
    if (callable == TY_NULL || sentinel == TY_NULL)
        return ty_tuple_pack(2, iter, ty_tuple_pack(1, ty_tuple_empty()));
    return ty_tuple_pack(2, iter, ty_tuple_pack(2, callable, sentinel));
}

static const TyNativeDef callable_methods[] = {TY_METHOD("__reduce__(self, /)", callable_reduce, "What pickle keeps."), {0}};

TyType ty_callable_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(CallableIterator), .trace = callable_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "callable_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = callable_next},
    .methods = callable_methods,
};
