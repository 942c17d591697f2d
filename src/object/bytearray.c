/* bytearray. Writers hold the object's lock and never run Python code under it; readers take ty_bytes_span. A store that is
 * too small is replaced, so a reader's span stays readable. While buffers are exported nothing is resized. */
#include "object/bytes_parts.h"
#include "object/int.h"
#include "object/list.h"
#include "object/slice.h"
#include "object/str_parts.h"
#include "object/tuple.h"

static TyByteArray *as_array(Value v) { return (TyByteArray *)ty_object(v); }
static int64_t start_of(TyByteArray *array) { return __atomic_load_n(&array->start, __ATOMIC_RELAXED); }

uint8_t *ty_bytearray_data(TyByteArray *array)
{
    TyBytes *store = ty_load_acquire(&array->store);
    return store ? store->data + start_of(array) : (uint8_t *)"";
}

static void trace(TyObject *self, TyMarker *marker)
{
    TyBytes *store = ty_load_acquire(&((TyByteArray *)self)->store);
    if (store)
        ty_mark_object(marker, &store->base);
}

/* A private bytes object as the store: never one that is shared. */
static TyBytes *new_store(int64_t capacity) { return (TyBytes *)ty_object(ty_bytes_new(NULL, (size_t)TY_MAX(capacity, 2))); }

/* Makes the store's first `length` bytes the array's. */
static void set_store(TyByteArray *array, TyBytes *store, int64_t length)
{
    ty_store_relaxed(&array->length, TY_MIN(length, ty_load_relaxed(&array->length)));
    __atomic_store_n(&array->start, 0, __ATOMIC_RELAXED);
    ty_store_release(&array->store, store);
    ty_store_release(&array->length, length);
}

Value ty_bytearray_new(const void *data, size_t size)
{
    TyByteArray *array = ty_allocate(&ty_bytearray_type, sizeof(TyByteArray));
    if (!array)
        return TY_NULL;
    if (size > 0) {
        TyBytes *store = new_store((int64_t)size);
        if (!store)
            return TY_NULL;
        if (data)
            memcpy(store->data, data, size);
        set_store(array, store, (int64_t)size);
    }
    return ty_from_object(array);
}

/* Views that were forgotten but not collected yet may stand in the way of resizing: before the lock is taken, they are looked for. */
static void collect_stale_views(TyByteArray *array)
{
    if (TY_LIKELY(ty_load_relaxed(&array->exports) == 0))
        return;
    ty_heap_collect_above(ty_deletion_boundary(ty_from_object(&array->base)));
    ty_heap_run_pending();
}

static bool may_resize(TyByteArray *array)
{
    if (ty_load_acquire(&array->exports) == 0) /* who looked is done */
        return true;
    ty_raise(&ty_BufferError, "Existing exports of data: object cannot be re-sized");
    return false;
}

/* Replaces the bytes from start to end by `count` others (data NULL: left unset); under the lock. All changes of size come here. */
static bool splice(TyByteArray *array, int64_t start, int64_t end, const void *data, int64_t count)
{
    int64_t length = ty_load_relaxed(&array->length), changed = length - (end - start) + count;
    if (changed != length && !may_resize(array))
        return false;
    TyBytes *store = ty_load_relaxed(&array->store);
    int64_t offset = start_of(array), capacity = store ? store->length - offset : 0;
    if (changed < 0 || changed > INT64_MAX / 4) {
        ty_raise_memory_error();
        return false;
    }
    if (start == 0 && count == 0 && store && changed > 0) { /* deletion at the front */
        __atomic_store_n(&array->start, offset + end, __ATOMIC_RELAXED);
        ty_store_release(&array->length, changed);
        return true;
    }
    if (changed > capacity || (changed < capacity / 4 && capacity > 256)) {
        int64_t wanted = changed > length ? changed + changed / 8 + 8 : changed;
        TyBytes *fresh = new_store(wanted);
        if (!fresh)
            return false;
        const uint8_t *old = store ? store->data + offset : NULL;
        if (start > 0)
            ty_buffer_move(fresh->data, old, (size_t)start);
        if (length > end)
            ty_buffer_move(fresh->data + start + count, old + end, (size_t)(length - end));
        if (data && count)
            memcpy(fresh->data + start, data, (size_t)count);
        set_store(array, fresh, changed);
        return true;
    }
    uint8_t *bytes = store ? store->data + offset : NULL;
    if (changed != length) {
        ty_store_relaxed(&array->length, TY_MIN(length, changed));
        if (length > end)
            ty_buffer_move(bytes + start + count, bytes + end, (size_t)(length - end));
    }
    if (data && count)
        ty_buffer_move(bytes + start, data, (size_t)count);
    ty_store_release(&array->length, changed);
    return true;
}

/* The same with the bytes of v, which may be the array itself; bounds are clipped. */
static bool splice_value(TyByteArray *array, int64_t start, int64_t end, Value v)
{
    TyBytesArgument argument;
    if (v == ty_from_object(array)) { /* copied first: its store moves */
        TySpan s = ty_bytes_span(v);
        v = ty_bytes_new(s.data, (size_t)s.length);
        if (v == TY_NULL)
            return false;
    }
    if (!ty_bytes_argument(v, &argument))
        return false;
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    start = TY_MIN(start, length);
    end = TY_MAX(start, TY_MIN(end, length));
    bool done = splice(array, start, end, argument.data, argument.length);
    ty_object_unlock(&array->base, locked);
    ty_bytes_argument_release(&argument);
    return done;
}

/* --- slots ------------------------------------------------------------------------------------------------------------------- */

static Value array_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static bool array_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("bytearray(source=b'', encoding='utf-8', errors='strict')");
    Value a[3] = {TY_NULL, TY_NULL, TY_NULL};
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    TyByteArray *array = as_array(self);
    if (a[0] == TY_NULL && a[1] == TY_NULL && a[2] == TY_NULL && ty_load_relaxed(&array->length) == 0)
        return true;
    Value bytes = ty_bytes_from_arguments(a[0], a[1], a[2], true);
    return bytes != TY_NULL && splice_value(array, 0, INT64_MAX, bytes);
}

static int64_t array_length(Value self) { return ty_load_relaxed(&as_array(self)->length); }

static Value array_repr(Value self)
{
    Value inner = ty_bytes_repr_of(ty_bytes_span(self), true);
    return inner == TY_NULL ? TY_NULL : ty_str_format("%s(%U)", ty_type_short_name(ty_type_of(self)), inner);
}

static Value array_item(Value self, int64_t index)
{
    bool locked = ty_object_lock(ty_object(self));
    TySpan s = ty_bytes_view(self);
    bool inside = (uint64_t)index < (uint64_t)s.length;
    uint8_t byte = inside ? __atomic_load_n(&s.data[index], __ATOMIC_RELAXED) : 0;
    ty_object_unlock(ty_object(self), locked);
    return inside ? ty_from_immediate_int(byte) : ty_raise(&ty_IndexError, "bytearray index out of range");
}

static bool is_index(Value key)
{
    if (ty_is_immediate_int(key) || ty_has_index(key))
        return true;
    ty_raise(&ty_TypeError, "bytearray indices must be integers or slices, not %T", key);
    return false;
}

static Value array_get_item(Value self, Value key)
{
    int64_t start, stop, step;
    if (!ty_is_slice(key)) {
        if (!is_index(key) || !ty_subscript_index(key, &start))
            return TY_NULL;
        return array_item(self, start < 0 ? start + array_length(self) : start);
    }
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    int64_t count = ty_slice_adjust(s.length, &start, &stop, step);
    if (step == 1)
        return ty_bytearray_new(s.data + start, (size_t)count);
    Value result = ty_bytearray_new(NULL, (size_t)count);
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_bytearray_data(as_array(result));
    for (int64_t i = 0; i < count; i++)
        out[i] = s.data[start + i * step];
    return result;
}

static bool set_index(Value self, Value key, Value value)
{
    TyByteArray *array = as_array(self);
    int64_t index;
    uint8_t byte = 0;
    if (!ty_subscript_index(key, &index) || (value != TY_NULL && !ty_byte_value(value, &byte)))
        return false;
    if (value == TY_NULL)
        collect_stale_views(array);
    bool locked = ty_object_lock(&array->base), done = false;
    int64_t length = ty_load_relaxed(&array->length);
    if (index < 0)
        index += length;
    if (index < 0 || index >= length)
        ty_raise(&ty_IndexError, "bytearray index out of range");
    else if (value == TY_NULL)
        done = splice(array, index, index + 1, NULL, 0);
    else {
        __atomic_store_n(&ty_bytearray_data(array)[index], byte, __ATOMIC_RELAXED);
        done = true;
    }
    ty_object_unlock(&array->base, locked);
    return done;
}

/* Deletes count bytes at start, start + step, … (step above 1); under the lock. */
static bool delete_stepped(TyByteArray *array, int64_t start, int64_t step, int64_t count)
{
    if (!may_resize(array))
        return false;
    int64_t length = ty_load_relaxed(&array->length), to = start;
    uint8_t *data = ty_bytearray_data(array);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = start + i * step + 1, next = i + 1 < count ? from + step - 1 : length;
        ty_buffer_move(data + to, data + from, (size_t)(next - from));
        to += next - from;
    }
    return splice(array, to, length, NULL, 0);
}

static bool assign_slice(Value self, int64_t start, int64_t stop, int64_t step, Value bytes)
{
    TyByteArray *array = as_array(self);
    int64_t given = bytes == TY_NULL ? 0 : ty_bytes_length(bytes), first = start, last = stop;
    if (ty_slice_adjust(ty_load_relaxed(&array->length), &first, &last, step) != given && (step == 1 || given == 0))
        collect_stale_views(array);
    bool locked = ty_object_lock(&array->base), done = true;
    int64_t count = ty_slice_adjust(ty_load_relaxed(&array->length), &start, &stop, step);
    if (step == 1) {
        done = splice(array, start, TY_MAX(start, stop), bytes == TY_NULL ? NULL : ty_bytes_data(bytes), given);
    } else if (bytes == TY_NULL || given == 0) {
        if (count > 0) {
            if (step < 0) {
                start += (count - 1) * step;
                step = -step;
            }
            done = delete_stepped(array, start, step, count);
        }
    } else if (given != count) {
        ty_raise(&ty_ValueError, "attempt to assign bytes of size %zd to extended slice of size %zd", given, count);
        done = false;
    } else {
        uint8_t *data = ty_bytearray_data(array);
        for (int64_t i = 0; i < count; i++)
            __atomic_store_n(&data[start + i * step], ty_bytes_data(bytes)[i], __ATOMIC_RELAXED);
    }
    ty_object_unlock(&array->base, locked);
    return done;
}

static bool array_set_item(Value self, Value key, Value value)
{
    int64_t start, stop, step;
    if (!ty_is_slice(key))
        return is_index(key) && set_index(self, key, value);
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return false;
    Value bytes = value;
    if (value != TY_NULL) {
        if (ty_is_int(value) || ty_is_str(value)) {
            ty_raise(&ty_TypeError, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
            return false;
        }
        bytes = ty_is_exact(value, &ty_bytes_type) ? value : ty_bytes_from_arguments(value, TY_NULL, TY_NULL, true);
        if (bytes == TY_NULL)
            return false;
    }
    return assign_slice(self, start, stop, step, bytes);
}

static Value array_concat(Value left, Value right)
{
    TyBytesArgument a, b;
    if (!ty_has_buffer(left) || !ty_has_buffer(right))
        return ty_raise(&ty_TypeError, "can't concat %T to %T", right, left);
    if (!ty_bytes_argument(left, &a))
        return TY_NULL;
    if (!ty_bytes_argument(right, &b)) {
        ty_bytes_argument_release(&a);
        return TY_NULL;
    }
    Value result = ty_bytearray_new(NULL, (size_t)a.length + (size_t)b.length);
    if (result != TY_NULL) {
        uint8_t *out = ty_bytearray_data(as_array(result));
        memcpy(out, a.data, (size_t)a.length);
        memcpy(out + a.length, b.data, (size_t)b.length);
    }
    ty_bytes_argument_release(&a);
    ty_bytes_argument_release(&b);
    return result;
}

static Value array_inplace_concat(Value self, Value other)
{
    if (!ty_has_buffer(other))
        return ty_raise(&ty_TypeError, "can't concat %T to %T", other, self);
    return splice_value(as_array(self), INT64_MAX, INT64_MAX, other) ? self : TY_NULL;
}

static void fill_repeated(uint8_t *out, int64_t length, int64_t count)
{
    for (int64_t i = 1; i < count; i++)
        memcpy(out + i * length, out, (size_t)length);
}

static Value array_repeat(Value self, int64_t count)
{
    TySpan s = ty_bytes_span(self);
    count = TY_MAX(count, 0);
    if (count && s.length > INT64_MAX / 4 / count)
        return ty_raise_memory_error();
    Value result = ty_bytearray_new(NULL, (size_t)(s.length * count));
    if (result == TY_NULL || count == 0 || s.length == 0)
        return result;
    uint8_t *out = ty_bytearray_data(as_array(result));
    if (s.length == 1) {
        memset(out, s.data[0], (size_t)count);
        return result;
    }
    memcpy(out, s.data, (size_t)s.length);
    fill_repeated(out, s.length, count);
    return result;
}

static Value array_inplace_repeat(Value self, int64_t count)
{
    TyByteArray *array = as_array(self);
    count = TY_MAX(count, 0);
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base), done = true;
    int64_t length = ty_load_relaxed(&array->length);
    if (count && length > INT64_MAX / 4 / count) {
        ty_raise_memory_error();
        done = false;
    } else if (length > 0 && count != 1) {
        done = count == 0 ? splice(array, 0, length, NULL, 0) : splice(array, length, length, NULL, length * (count - 1));
        if (done && count > 1)
            fill_repeated(ty_bytearray_data(array), length, count);
    }
    ty_object_unlock(&array->base, locked);
    return done ? self : TY_NULL;
}

static bool array_get_buffer(Value self, TyBuffer *view, int flags)
{
    TyByteArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    atomic_fetch_add_explicit(&array->exports, 1, memory_order_relaxed);
    ty_object_unlock(&array->base, locked);
    if (ty_buffer_fill(view, self, ty_bytearray_data(array), ty_load_relaxed(&array->length), false, flags))
        return true;
    atomic_fetch_sub_explicit(&array->exports, 1, memory_order_relaxed);
    return false;
}

static void array_release_buffer(Value self, TyBuffer *view)
{
    atomic_fetch_sub_explicit(&as_array(self)->exports, 1, memory_order_release);
}

extern TyType ty_bytearray_iterator_type;
static Value array_iter(Value self) { return ty_bytes_iterator(&ty_bytearray_iterator_type, self); }

/* --- methods ------------------------------------------------------------------------------------------------------------------------- */

static Value array_append(Value self, Value *a)
{
    TyByteArray *array = as_array(self);
    uint8_t byte;
    if (!ty_byte_value(a[0], &byte))
        return TY_NULL;
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    bool done = splice(array, length, length, &byte, 1);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_extend(Value self, Value *a)
{
    Value bytes = a[0];
    int64_t end = INT64_MAX;
    if (ty_has_buffer(bytes))
        end = array_length(self); /* a __buffer__ that changes the array does not move the place */
    if (ty_is_str(bytes))
        return ty_raise(&ty_TypeError, "expected iterable of integers; got: 'str'");
    if (!ty_has_buffer(bytes)) {
        if (!ty_type_of(bytes)->slots.iter && !ty_is_sequence(bytes))
            return ty_raise(&ty_TypeError, "can't extend bytearray with %T", bytes);
        bytes = ty_bytes_from_iterable(bytes, true);
        if (bytes == TY_NULL)
            return TY_NULL;
    }
    return splice_value(as_array(self), end, end, bytes) ? TY_NONE : TY_NULL;
}

static Value array_insert(Value self, Value *a)
{
    TyByteArray *array = as_array(self);
    int64_t index;
    uint8_t byte;
    if (!ty_to_size(a[0], &index) || !ty_byte_value(a[1], &byte))
        return TY_NULL;
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    index = index < 0 ? TY_MAX(index + length, 0) : TY_MIN(index, length);
    bool done = splice(array, index, index, &byte, 1);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_pop(Value self, Value *a)
{
    TyByteArray *array = as_array(self);
    int64_t index = -1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &index))
        return TY_NULL;
    Value result = TY_NULL;
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    if (index < 0)
        index += length;
    if (length == 0) {
        ty_raise(&ty_IndexError, "pop from empty bytearray");
    } else if (index < 0 || index >= length) {
        ty_raise(&ty_IndexError, "pop index out of range");
    } else {
        uint8_t byte = ty_bytearray_data(array)[index];
        if (splice(array, index, index + 1, NULL, 0))
            result = ty_from_immediate_int(byte);
    }
    ty_object_unlock(&array->base, locked);
    return result;
}

static Value array_remove(Value self, Value *a)
{
    TyByteArray *array = as_array(self);
    uint8_t byte;
    if (!ty_byte_value(a[0], &byte))
        return TY_NULL;
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base), done = false;
    int64_t at = ty_find_char(ty_bytearray_data(array), ty_load_relaxed(&array->length), byte, 1);
    if (at < 0)
        ty_raise(&ty_ValueError, "value not found in bytearray");
    else
        done = splice(array, at, at + 1, NULL, 0);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_reverse(Value self, Value *a)
{
    TyByteArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    uint8_t *data = ty_bytearray_data(array);
    for (int64_t i = 0, j = ty_load_relaxed(&array->length) - 1; i < j; i++, j--) {
        uint8_t low = __atomic_load_n(&data[i], __ATOMIC_RELAXED), high = __atomic_load_n(&data[j], __ATOMIC_RELAXED);
        __atomic_store_n(&data[i], high, __ATOMIC_RELAXED);
        __atomic_store_n(&data[j], low, __ATOMIC_RELAXED);
    }
    ty_object_unlock(&array->base, locked);
    return TY_NONE;
}

static Value resize(Value self, int64_t size)
{
    TyByteArray *array = as_array(self);
    collect_stale_views(array);
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    bool done = size <= length ? splice(array, size, length, NULL, 0) : splice(array, length, length, NULL, size - length);
    if (done && size > length)
        memset(ty_bytearray_data(array) + length, 0, (size_t)(size - length));
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_clear(Value self, Value *a) { return resize(self, 0); }

static Value array_resize(Value self, Value *a)
{
    int64_t size;
    if (!ty_to_size(a[0], &size))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "Can only resize to positive sizes, got %zd", size);
    return resize(self, size);
}

static Value array_copy(Value self, Value *a)
{
    TySpan s = ty_bytes_span(self);
    return ty_bytearray_new(s.data, (size_t)s.length);
}

static Value array_fromhex(Value type, Value *a)
{
    Value bytes = ty_bytes_from_hex(a[0]);
    if (bytes == TY_NULL)
        return TY_NULL;
    if (ty_as_type(type) != &ty_bytearray_type)
        return ty_call_one(type, bytes);
    return ty_bytearray_new(ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes));
}

static Value array_alloc(Value self, Value *a)
{
    TyBytes *store = ty_load_acquire(&as_array(self)->store);
    return ty_int_from_int64(store ? store->length + 1 : 0);
}

static Value array_sizeof(Value self, Value *a)
{
    TyBytes *store = ty_load_acquire(&as_array(self)->store);
    return ty_int_from_int64((int64_t)sizeof(TyByteArray) + (store ? store->length + 1 : 0));
}

static Value reduce(Value self, int64_t protocol)
{
    TySpan s = ty_bytes_span(self);
    Value type = ty_from_object(ty_type_of(self)), arguments;
    if (protocol < 3)
        arguments = s.length ? ty_tuple_pack(2, ty_str_from_latin1((const char *)s.data, (size_t)s.length), ty_str_from_text("latin-1"))
                             : ty_tuple_empty();
    else
        arguments = s.length ? ty_tuple_pack(1, ty_bytes_new(s.data, (size_t)s.length)) : ty_tuple_empty();
    Value state = ty_call_method_none(self, TY_NAME("__getstate__"));
    return state == TY_NULL ? TY_NULL : ty_tuple_pack(3, type, arguments, state);
}

static Value array_reduce(Value self, Value *a) { return reduce(self, 2); }

static Value array_reduce_ex(Value self, Value *a)
{
    int32_t protocol = 0;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &protocol))
        return TY_NULL;
    return reduce(self, protocol);
}

static const TyNativeDef array_methods[] = {
    TY_METHOD("__alloc__(self, /)", array_alloc, "The number of bytes it has room for."),
    TY_METHOD("__reduce__(self, /)", array_reduce, "Return state information for pickling."),
    TY_METHOD("__reduce_ex__(self, proto=0, /)", array_reduce_ex, "Return state information for pickling."),
    TY_METHOD("__sizeof__(self, /)", array_sizeof, "Its size in memory, in bytes."),
    TY_METHOD("append(self, item, /)", array_append, "Adds a byte at the end."),
    TY_METHOD("clear(self, /)", array_clear, "Removes all bytes."),
    TY_METHOD("copy(self, /)", array_copy, "A copy."),
    TY_METHOD("extend(self, iterable_of_ints, /)", array_extend, "Adds the bytes of an iterable of ints, or of a buffer, at the end."),
    TY_CLASS_METHOD("fromhex(type, string, /)", array_fromhex, "A bytearray from text of two hexadecimal digits for each byte, with spaces between\nthem wherever one likes."),
    TY_METHOD("insert(self, index, item, /)", array_insert, "Puts a byte before the index."),
    TY_STATIC_METHOD("maketrans(frm, to, /)", ty_bytes_maketrans, "A table for translate(): each byte of frm maps to that of to."),
    TY_METHOD("pop(self, index=-1, /)", array_pop, "Removes and returns the byte at index (by default the last)."),
    TY_METHOD("remove(self, value, /)", array_remove, "Removes the first such byte."),
    TY_METHOD("resize(self, size, /)", array_resize, "Makes it that long, with zeros where it grows."),
    TY_METHOD("reverse(self, /)", array_reverse, "Reverses the order of the bytes in place."),
    TY_BYTES_COMMON_METHODS(TY_BYTES_METHOD)
    {0},
};

TyType ty_bytearray_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyByteArray), .trace = trace},
    .flags = TY_TYPE_MATCH_SELF | TY_TYPE_IMMUTABLE,
    .name = "bytearray",
    .doc = "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n"
           "bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n"
           "bytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array\n\n"
           "An array of bytes that can be changed, made from an iterable of ints in range(256),\na text and its encoding, any object with a buffer, or a length.",
    .slots = {
        .repr = array_repr, .str = ty_bytes_str, .hash = ty_hash_unhashable, .compare = ty_bytes_compare, .iter = array_iter, .new = array_new, .init = array_init,
        .binary = {[TY_BINARY_REMAINDER] = ty_bytes_remainder},
        .length = array_length, .get_item = array_get_item, .set_item = array_set_item, .item = array_item, .contains = ty_bytes_contains,
        .concat = array_concat, .inplace_concat = array_inplace_concat, .repeat = array_repeat, .inplace_repeat = array_inplace_repeat,
        .get_buffer = array_get_buffer, .release_buffer = array_release_buffer,
    },
    .methods = array_methods,
};
