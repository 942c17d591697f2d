/* enumerate and reversed. */
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static Value iterator_self(Value self) { return self; }

/* --- enumerate ------------------------------------------------------------------------------------------------------ */

typedef struct Enumerate {
    TyObject base;
    Value iterator;
    Value index; /* of the next item: an int */
} Enumerate;

static TySignature enumerate_signature = TY_SIGNATURE("enumerate(iterable, start=0)");

static Value enumerate_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value flat[2];
    if (!ty_parse_arguments(&enumerate_signature, arguments, count, keywords, flat))
        return TY_NULL;
    Value start = flat[1] == TY_NULL ? ty_from_immediate_int(0) : ty_number_index(flat[1]);
    if (start == TY_NULL)
        return TY_NULL;
    Value iterator = ty_iter(flat[0]), self = iterator == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    Enumerate *enumerate = (Enumerate *)ty_object(self);
    ty_store(enumerate, &enumerate->iterator, iterator);
    ty_store(enumerate, &enumerate->index, start);
    return self;
}

static void enumerate_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Enumerate *)self)->iterator, 2); }

bool ty_enumerate_next_pair(Value v, Value *pair)
{
    Enumerate *self = (Enumerate *)ty_object(v);
    pair[1] = ty_next_inline(self->iterator);
    if (pair[1] == TY_NULL)
        return false;
    Value index = pair[0] = ty_field_acquire(&self->index);
    Value next = ty_is_immediate_int(index) ? ty_int_from_int64(ty_immediate_int(index) + 1) : ty_int_add(index, ty_from_immediate_int(1));
    if (next == TY_NULL)
        return false;
    ty_store_publish(self, &self->index, next);
    return true;
}

static Value enumerate_next(Value v)
{
    Value pair[2];
    return ty_enumerate_next_pair(v, pair) ? ty_tuple_from_array(pair, 2) : TY_NULL;
}

static Value enumerate_reduce(Value v, Value *a)
{
    Enumerate *self = (Enumerate *)ty_object(v);
    return ty_tuple_pack(2, ty_from_object(ty_type_of(v)), ty_tuple_pack(2, self->iterator, ty_field_acquire(&self->index)));
}

static const TyNativeDef enumerate_methods[] = {
    TY_METHOD("__reduce__(self, /)", enumerate_reduce, "What pickle keeps."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_enumerate_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Enumerate), .trace = enumerate_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "enumerate",
    .doc = "enumerate(iterable, start=0)\n--\n\nPairs of a number, counted up from start, and an item of the iterable.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = enumerate_next, .new = enumerate_new},
    .methods = enumerate_methods,
};

/* --- reversed ------------------------------------------------------------------------------------------------------- */

static Value reversed_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if ((type->slots.init == ty_object_base_type.slots.init && !ty_no_keywords("reversed", keywords)) || !ty_check_positional("reversed", count, 1, 1))
        return TY_NULL;
    Value sequence = arguments[0];
    Value method = ty_type_lookup(ty_type_of(sequence), TY_NAME("__reversed__"));
    if (method == TY_NONE)
        return ty_raise(&ty_TypeError, "'%T' object is not reversible", sequence);
    if (method != TY_NULL) {
        method = ty_lookup_special(sequence, TY_NAME("__reversed__"));
        return method == TY_NULL ? TY_NULL : ty_call_none(method);
    }
    if (ty_raised())
        return TY_NULL;
    if (!ty_is_sequence(sequence))
        return ty_raise(&ty_TypeError, "'%T' object is not reversible", sequence);
    int64_t length = ty_length(sequence);
    if (length < 0)
        return TY_NULL;
    Value self = ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    ty_store(iterator, &iterator->sequence, sequence);
    ty_store_relaxed(&iterator->index, length - 1);
    return self;
}

static Value reversed_next(Value v)
{
    TySequenceIterator *self = (TySequenceIterator *)ty_object(v);
    Value sequence = ty_field(&self->sequence);
    int64_t index = ty_load_relaxed(&self->index);
    if (sequence == TY_NULL)
        return TY_NULL;
    if (index >= 0) {
        Value item = ty_sequence_item(sequence, index);
        if (item != TY_NULL) {
            ty_store_relaxed(&self->index, index - 1);
            return item;
        }
        if (!ty_raised_is(&ty_IndexError) && !ty_raised_is(&ty_StopIteration))
            return TY_NULL;
        ty_clear_exception();
    }
    ty_store_relaxed(&self->index, -1);
    ty_store(self, &self->sequence, TY_NULL);
    return TY_NULL;
}

static Value reversed_hint(Value v, Value *a)
{
    TySequenceIterator *self = (TySequenceIterator *)ty_object(v);
    Value sequence = ty_field(&self->sequence);
    if (sequence == TY_NULL)
        return ty_from_immediate_int(0);
    int64_t length = ty_length(sequence), left = ty_load_relaxed(&self->index) + 1;
    if (length < 0)
        return TY_NULL;
    return ty_int_from_int64(length < left ? 0 : left);
}

static Value reversed_reduce(Value v, Value *a)
{
    TySequenceIterator *self = (TySequenceIterator *)ty_object(v);
    Value sequence = ty_field(&self->sequence), type = ty_from_object(ty_type_of(v));
    if (sequence == TY_NULL)
        return ty_tuple_pack(2, type, ty_tuple_pack(1, ty_tuple_empty()));
    return ty_tuple_pack(3, type, ty_tuple_pack(1, sequence), ty_int_from_int64(ty_load_relaxed(&self->index)));
}

static Value reversed_setstate(Value v, Value *a)
{
    TySequenceIterator *self = (TySequenceIterator *)ty_object(v);
    Value sequence = ty_field(&self->sequence);
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    if (sequence != TY_NULL) {
        int64_t length = ty_length(sequence);
        if (length < 0)
            return TY_NULL;
        ty_store_relaxed(&self->index, index < -1 ? -1 : index > length - 1 ? length - 1 : index);
    }
    return TY_NONE;
}

static const TyNativeDef reversed_methods[] = {
    TY_METHOD("__length_hint__(self, /)", reversed_hint, "How many items are still to come, about."),
    TY_METHOD("__reduce__(self, /)", reversed_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", reversed_setstate, "Sets the position, as pickle does."),
    {0},
};

TyType ty_reversed_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "reversed",
    .doc = "reversed(sequence, /)\n--\n\nAn iterator over the items of a sequence, last one first.",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = reversed_next, .new = reversed_new},
    .methods = reversed_methods,
};
