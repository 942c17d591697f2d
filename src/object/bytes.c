/* bytes: immutable. */
#include "object/bytes_parts.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/slice.h"
#include "object/str_parts.h"
#include "object/tuple.h"

int ty_bytes_warnings;

/* --- making ------------------------------------------------------------------------------------------------------------- */

static Value finish(TyBytes *b, size_t size)
{
    if (TY_UNLIKELY(!b))
        return TY_NULL;
    ty_store_relaxed(&b->hash, 0);
    b->length = (int64_t)size;
    b->data[size] = 0;
    return ty_from_object(b);
}

static Value allocate(size_t size)
{
    if (TY_UNLIKELY(size > (size_t)INT64_MAX / 2))
        return ty_raise_memory_error();
    return finish(ty_allocate_dirty(&ty_bytes_type, sizeof(TyBytes) + size + 1), size);
}

/* Large ones of untouched memory stay untouched. */
static Value allocate_zeroed(size_t size)
{
    if (TY_UNLIKELY(size > (size_t)INT64_MAX / 2))
        return ty_raise_memory_error();
    return finish(ty_allocate(&ty_bytes_type, sizeof(TyBytes) + size + 1), size);
}

/* The empty bytes and those of one byte: made at first use, then shared by all. */
static _Atomic Value short_ones[257];

static void mark_short_ones(void *context, TyMarker *marker)
{
    (void)context;
    for (size_t i = 0; i < TY_COUNT_OF(short_ones); i++)
        ty_mark(marker, ty_load_relaxed(&short_ones[i]));
}

static pthread_once_t short_ones_once = PTHREAD_ONCE_INIT;
static void register_short_ones(void) { ty_root_function_add(mark_short_ones, NULL); }

static Value short_one(const uint8_t *data, size_t size)
{
    _Atomic Value *place = &short_ones[size ? data[0] : 256];
    Value v = ty_load_acquire(place), none = TY_NULL;
    if (TY_LIKELY(v != TY_NULL))
        return v;
    pthread_once(&short_ones_once, register_short_ones);
    uint8_t byte = size ? data[0] : 0;
    v = allocate(size);
    if (v == TY_NULL)
        return TY_NULL;
    ty_as_bytes(v)->data[0] = byte;
    if (atomic_compare_exchange_strong_explicit(place, &none, v, memory_order_acq_rel, memory_order_acquire))
        return v;
    return none;
}

Value ty_bytes_new(const void *data, size_t size)
{
    if (size <= 1 && (data || size == 0))
        return short_one(data, size);
    Value v = data ? allocate(size) : allocate_zeroed(size);
    if (v != TY_NULL && data)
        memcpy(ty_as_bytes(v)->data, data, size);
    return v;
}

Value ty_bytes_shrink(Value fresh, size_t size)
{
    TyBytes *b = ty_as_bytes(fresh);
    size_t length = (size_t)b->length;
    if (size == length)
        return fresh;
    if (size <= 1 || length - size > size / 4 + 32)
        return ty_bytes_new(b->data, size);
    b->length = (int64_t)size;
    b->data[size] = 0;
    return fresh;
}

Value ty_bytes_from_object(Value v) { return ty_bytes_from_arguments(v, TY_NULL, TY_NULL, false); }

static bool concat_argument(Value v, TyBytesArgument *argument, Value left, Value right)
{
    if (ty_has_buffer(v))
        return ty_bytes_argument(v, argument);
    ty_raise(&ty_TypeError, "can't concat %T to %T", right, left);
    return false;
}

Value ty_bytes_concat(Value a, Value b)
{
    TyBytesArgument x, y;
    if (!concat_argument(a, &x, a, b))
        return TY_NULL;
    if (!concat_argument(b, &y, a, b)) {
        ty_bytes_argument_release(&x);
        return TY_NULL;
    }
    Value result;
    if (x.length == 0 && ty_is_exact(b, &ty_bytes_type)) {
        result = b;
    } else if (y.length == 0 && ty_is_exact(a, &ty_bytes_type)) {
        result = a;
    } else {
        result = allocate((size_t)x.length + (size_t)y.length);
        if (result != TY_NULL) {
            memcpy(ty_as_bytes(result)->data, x.data, (size_t)x.length);
            memcpy(ty_as_bytes(result)->data + x.length, y.data, (size_t)y.length);
        }
    }
    ty_bytes_argument_release(&x);
    ty_bytes_argument_release(&y);
    return result;
}

Value ty_bytes_repr(Value v) { return ty_bytes_repr_of(ty_bytes_span(v), false); }

/* --- slots ----------------------------------------------------------------------------------------------------------------- */

static int64_t bytes_hash(Value self)
{
    TyBytes *b = ty_as_bytes(self);
    int64_t hash = ty_load_relaxed(&b->hash);
    if (hash == 0) {
        hash = ty_hash_bytes(b->data, (size_t)b->length);
        ty_store_relaxed(&b->hash, hash);
    }
    return hash;
}

static int64_t bytes_length(Value self) { return ty_bytes_length(self); }

static Value bytes_item(Value self, int64_t index)
{
    if ((uint64_t)index >= (uint64_t)ty_bytes_length(self))
        return ty_raise(&ty_IndexError, "index out of range");
    return ty_from_immediate_int(ty_bytes_data(self)[index]);
}

static Value bytes_get_item(Value self, Value key)
{
    int64_t start, stop, step;
    if (!ty_is_slice(key)) {
        if (!ty_is_immediate_int(key) && !ty_has_index(key))
            return ty_raise(&ty_TypeError, "byte indices must be integers or slices, not %T", key);
        if (!ty_subscript_index(key, &start))
            return TY_NULL;
        return bytes_item(self, start < 0 ? start + ty_bytes_length(self) : start);
    }
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    int64_t length = ty_bytes_length(self), count = ty_slice_adjust(length, &start, &stop, step);
    const uint8_t *data = ty_bytes_data(self);
    if (count <= 0)
        return ty_bytes_new("", 0);
    if (step == 1)
        return count == length && ty_is_exact(self, &ty_bytes_type) ? self : ty_bytes_new(data + start, (size_t)count);
    Value result = allocate((size_t)count);
    for (int64_t i = 0; result != TY_NULL && i < count; i++)
        ty_as_bytes(result)->data[i] = data[start + i * step];
    return result;
}

static Value bytes_repeat(Value self, int64_t count)
{
    int64_t length = ty_bytes_length(self);
    if (count == 1 && ty_is_exact(self, &ty_bytes_type))
        return self;
    if (count <= 0 || length == 0)
        return ty_bytes_new("", 0);
    if (length > INT64_MAX / 2 / count)
        return ty_raise(&ty_OverflowError, "repeated bytes are too long");
    Value result = allocate((size_t)(length * count));
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_as_bytes(result)->data;
    if (length == 1) {
        memset(out, ty_bytes_data(self)[0], (size_t)count);
        return result;
    }
    size_t done = (size_t)length, total = done * (size_t)count;
    memcpy(out, ty_bytes_data(self), done);
    while (done < total) {
        size_t more = TY_MIN(done, total - done);
        memcpy(out + done, out, more);
        done += more;
    }
    return result;
}

static bool bytes_get_buffer(Value self, TyBuffer *view, int flags)
{
    return ty_buffer_fill(view, self, (void *)ty_bytes_data(self), ty_bytes_length(self), true, flags);
}

static Value bytes_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("bytes(source=b'', encoding='utf-8', errors='strict')");
    Value a[3] = {TY_NULL, TY_NULL, TY_NULL};
    if (count == 1 && keywords == TY_NULL)
        a[0] = arguments[0];
    else if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    Value bytes = ty_bytes_from_arguments(a[0], a[1], a[2], false);
    if (type == &ty_bytes_type || bytes == TY_NULL)
        return bytes;
    int64_t length = ty_bytes_length(bytes);
    Value v = ty_type_allocate(type, (size_t)length + 1);
    if (v == TY_NULL)
        return TY_NULL;
    ty_as_bytes(v)->length = length;
    memcpy(ty_as_bytes(v)->data, ty_bytes_data(bytes), (size_t)length + 1);
    return v;
}

/* --- methods --------------------------------------------------------------------------------------------------------------------- */

static Value bytes_fromhex(Value type, Value *a)
{
    Value bytes = ty_bytes_from_hex(a[0]);
    return bytes == TY_NULL || ty_as_type(type) == &ty_bytes_type ? bytes : ty_call_one(type, bytes);
}

static Value bytes_bytes(Value self, Value *a)
{
    return ty_is_exact(self, &ty_bytes_type) ? self : ty_bytes_new(ty_bytes_data(self), (size_t)ty_bytes_length(self));
}

static Value bytes_getnewargs(Value self, Value *a)
{
    return ty_tuple_pack(1, ty_bytes_new(ty_bytes_data(self), (size_t)ty_bytes_length(self)));
}

static Value bytes_sizeof(Value self, Value *a) { return ty_int_from_int64((int64_t)sizeof(TyBytes) + ty_bytes_length(self) + 1); }

static const TyNativeDef bytes_methods[] = {
    TY_METHOD("__getnewargs__(self, /)", bytes_getnewargs, ""),
    TY_METHOD("__bytes__(self, /)", bytes_bytes, "Convert this value to exact type bytes."),
    TY_METHOD("__sizeof__(self, /)", bytes_sizeof, "Its size in memory, in bytes."),
    TY_CLASS_METHOD("fromhex(type, string, /)", bytes_fromhex, "Bytes from text of two hexadecimal digits for each, with spaces between them\nwherever one likes."),
    TY_STATIC_METHOD("maketrans(frm, to, /)", ty_bytes_maketrans, "A table for translate(): each byte of frm maps to that of to."),
    TY_BYTES_COMMON_METHODS(TY_BYTES_METHOD)
    {0},
};

extern TyType ty_bytes_iterator_type;
static Value bytes_iter(Value self) { return ty_bytes_iterator(&ty_bytes_iterator_type, self); }

TyType ty_bytes_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyBytes), .item_size = 1},
    .flags = TY_TYPE_BYTES | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE | TY_TYPE_IMMUTABLE,
    .name = "bytes",
    .doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n"
           "bytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object\n\n"
           "An immutable array of bytes, made from an iterable of ints in range(256), a text\nand its encoding, any object with a buffer, or a length.",
    .slots = {
        .repr = ty_bytes_repr, .str = ty_bytes_str, .hash = bytes_hash, .compare = ty_bytes_compare, .iter = bytes_iter, .new = bytes_new,
        .binary = {[TY_BINARY_REMAINDER] = ty_bytes_remainder},
        .length = bytes_length, .get_item = bytes_get_item, .item = bytes_item, .contains = ty_bytes_contains,
        .concat = ty_bytes_concat, .repeat = bytes_repeat, .get_buffer = bytes_get_buffer,
    },
    .methods = bytes_methods,
};

/* --- iterators, of bytearray too ------------------------------------------------------------------------------------------------------ */

Value ty_bytes_iterator(TyType *type, Value self)
{
    TySequenceIterator *iterator = ty_allocate(type, sizeof(TySequenceIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->sequence, self);
    return ty_from_object(iterator);
}

static Value iterator_next(Value self)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value sequence = ty_field(&iterator->sequence);
    if (sequence == TY_NULL)
        return TY_NULL;
    bool locked = ty_is_bytes(sequence) ? false : ty_object_lock(ty_object(sequence));
    TySpan s = ty_bytes_view(sequence);
    int64_t index = ty_load_relaxed(&iterator->index);
    uint8_t byte = index < s.length ? __atomic_load_n(&s.data[index], __ATOMIC_RELAXED) : 0;
    ty_object_unlock(ty_object(sequence), locked);
    if (index >= s.length) {
        ty_store(iterator, &iterator->sequence, TY_NULL);
        return TY_NULL;
    }
    ty_store_relaxed(&iterator->index, index + 1);
    return ty_from_immediate_int(byte);
}

static Value iterator_length_hint(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value sequence = ty_field(&iterator->sequence);
    int64_t left = sequence == TY_NULL ? 0 : ty_bytes_view(sequence).length - ty_load_relaxed(&iterator->index);
    return ty_int_from_int64(TY_MAX(left, 0));
}

static Value iterator_reduce(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value iter = ty_builtin("iter"), sequence = ty_field(&iterator->sequence);
    if (iter == TY_NULL)
        return TY_NULL;
    if (sequence == TY_NULL)
        return ty_tuple_pack(2, iter, ty_tuple_pack(1, ty_tuple_empty()));
    return ty_tuple_pack(3, iter, ty_tuple_pack(1, sequence), ty_int_from_int64(ty_load_relaxed(&iterator->index)));
}

static Value iterator_setstate(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    Value sequence = ty_field(&iterator->sequence);
    if (sequence != TY_NULL)
        ty_store_relaxed(&iterator->index, TY_MAX(0, TY_MIN(index, ty_bytes_view(sequence).length)));
    return TY_NONE;
}

static Value iterator_self(Value self) { return self; }

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_length_hint, "Private method returning an estimate of len(list(it))."),
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "Return state information for pickling."),
    TY_METHOD("__setstate__(self, state, /)", iterator_setstate, "Set state information for unpickling."),
    {0},
};

#define BYTES_ITERATOR(variable, name_)                                                          \
    TyType variable = {                                                                          \
        .base = TY_STATIC_HEADER(ty_type_type),                                                  \
        .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},     \
        .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,                             \
        .name = name_,                                                                           \
        .slots = {.iter = iterator_self, .next = iterator_next},                                 \
        .methods = iterator_methods,                                                             \
    }
extern TyType ty_bytearray_iterator_type;
BYTES_ITERATOR(ty_bytes_iterator_type, "bytes_iterator");
BYTES_ITERATOR(ty_bytearray_iterator_type, "bytearray_iterator");
