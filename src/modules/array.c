/* array: a sequence of machine numbers or characters, all of one kind, packed one after another.
 *
 * The items lie in a bytes object that nobody else sees, as a bytearray's do: writers hold the array's lock and never run Python code
 * under it, a store that is too small is replaced, and a reader trusts no index beyond the store that it holds. While buffers are
 * exported nothing is resized. */
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/bytes_parts.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/type.h"
#include "object/recursion.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"

/* --- kinds of items ------------------------------------------------------------------------------------------------ */

typedef struct Kind {
    char code;
    uint8_t size;
    uint8_t machine_format; /* as pickles know it */
    bool text, is_float, is_signed;
    const char *format;     /* for buffers */
    Value (*get)(const uint8_t *item);
    bool (*set)(uint8_t *item, Value v); /* raises for what does not fit */
} Kind;

typedef struct PackedArray {
    TyObject base;
    TyBytes *_Atomic store;  /* NULL: empty, never filled */
    _Atomic int64_t length;  /* in items */
    _Atomic int64_t exports;
    const Kind *kind;
} PackedArray;

static TyType array_type, iterator_type;

#define NUMBER_GETTER(name, type, make) \
    static Value get_##name(const uint8_t *item) \
    { \
        type number; \
        memcpy(&number, item, sizeof number); \
        return make; \
    }
NUMBER_GETTER(b, int8_t, ty_from_immediate_int(number))
NUMBER_GETTER(B, uint8_t, ty_from_immediate_int(number))
NUMBER_GETTER(h, int16_t, ty_from_immediate_int(number))
NUMBER_GETTER(H, uint16_t, ty_from_immediate_int(number))
NUMBER_GETTER(i, int32_t, ty_from_immediate_int(number))
NUMBER_GETTER(I, uint32_t, ty_from_immediate_int(number))
NUMBER_GETTER(q, int64_t, ty_int_from_int64(number))
NUMBER_GETTER(Q, uint64_t, ty_int_from_uint64(number))
NUMBER_GETTER(f, float, ty_from_double(number))
NUMBER_GETTER(d, double, ty_from_double(number))

static Value get_character(const uint8_t *item)
{
    uint32_t c;
    memcpy(&c, item, sizeof c);
    if (c > 0x10FFFF)
        return ty_raise(&ty_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", c);
    return ty_str_from_char(c);
}

static bool overflow(const char *message)
{
    ty_raise(&ty_OverflowError, "%s", message);
    return false;
}

/* An int between two bounds; what is outside is called by its name. */
static bool bounded(Value v, int64_t low, int64_t high, const char *name, int64_t *out)
{
    if (!ty_to_int64(v, out))
        return false;
    if (*out < low || *out > high) {
        ty_raise(&ty_OverflowError, *out < low ? "%s is less than minimum" : "%s is greater than maximum", name);
        return false;
    }
    return true;
}

static bool set_b(uint8_t *item, Value v)
{
    int64_t number;
    if (!bounded(v, INT16_MIN, INT16_MAX, "signed short integer", &number))
        return false;
    if (number < INT8_MIN || number > INT8_MAX)
        return overflow(number < 0 ? "signed char is less than minimum" : "signed char is greater than maximum");
    *item = (uint8_t)number;
    return true;
}

static bool set_B(uint8_t *item, Value v)
{
    int64_t number;
    if (!bounded(v, 0, UINT8_MAX, "unsigned byte integer", &number))
        return false;
    *item = (uint8_t)number;
    return true;
}

static bool set_h(uint8_t *item, Value v)
{
    int64_t number;
    if (!bounded(v, INT16_MIN, INT16_MAX, "signed short integer", &number))
        return false;
    memcpy(item, &(int16_t){(int16_t)number}, sizeof(int16_t));
    return true;
}

static bool set_H(uint8_t *item, Value v)
{
    int64_t number;
    if (!bounded(v, INT32_MIN, INT32_MAX, "signed integer", &number))
        return false;
    if (number < 0 || number > UINT16_MAX)
        return overflow(number < 0 ? "unsigned short is less than minimum" : "unsigned short is greater than maximum");
    memcpy(item, &(uint16_t){(uint16_t)number}, sizeof(uint16_t));
    return true;
}

static bool set_i(uint8_t *item, Value v)
{
    int64_t number;
    if (!bounded(v, INT32_MIN, INT32_MAX, "signed integer", &number))
        return false;
    memcpy(item, &(int32_t){(int32_t)number}, sizeof(int32_t));
    return true;
}

static bool set_l(uint8_t *item, Value v)
{
    int64_t number;
    if (!ty_to_int64(v, &number))
        return false;
    memcpy(item, &number, sizeof number);
    return true;
}

static bool set_q(uint8_t *item, Value v)
{
    int64_t number;
    v = ty_number_index(v);
    if (v == TY_ERROR)
        return false;
    if (ty_int_get_int64(v, &number) != 0)
        return overflow("int too big to convert");
    memcpy(item, &number, sizeof number);
    return true;
}

/* An int from 0 to 2^64 - 1, with the caller's words for what is not. */
static bool unsigned_word(Value v, const char *negative, const char *large, uint64_t *out)
{
    v = ty_number_index(v);
    if (v == TY_ERROR)
        return false;
    if (ty_int_sign(v) < 0)
        return overflow(negative);
    if (ty_int_bit_length(v) > 64)
        return overflow(large);
    uint8_t bytes[8];
    if (!ty_int_to_bytes(v, bytes, sizeof bytes, true, false))
        return false;
    *out = 0;
    for (int i = 7; i >= 0; i--)
        *out = *out << 8 | bytes[i];
    return true;
}

static bool set_I(uint8_t *item, Value v)
{
    uint64_t number;
    if (!unsigned_word(v, "can't convert negative value to unsigned int", "Python int too large to convert to C unsigned long", &number))
        return false;
    if (number > UINT32_MAX)
        return overflow("unsigned int is greater than maximum");
    memcpy(item, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    return true;
}

static bool set_L(uint8_t *item, Value v)
{
    uint64_t number;
    if (!unsigned_word(v, "can't convert negative value to unsigned int", "Python int too large to convert to C unsigned long", &number))
        return false;
    memcpy(item, &number, sizeof number);
    return true;
}

static bool set_Q(uint8_t *item, Value v)
{
    uint64_t number;
    if (!unsigned_word(v, "can't convert negative int to unsigned", "int too big to convert", &number))
        return false;
    memcpy(item, &number, sizeof number);
    return true;
}

static bool set_f(uint8_t *item, Value v)
{
    double number;
    if (!ty_to_double(v, &number))
        return false;
    memcpy(item, &(float){(float)number}, sizeof(float));
    return true;
}

static bool set_d(uint8_t *item, Value v)
{
    double number;
    if (!ty_to_double(v, &number))
        return false;
    memcpy(item, &number, sizeof number);
    return true;
}

static bool set_character(uint8_t *item, Value v)
{
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "array item must be a unicode character, not %T", v);
        return false;
    }
    if (ty_str_length(v) != 1) {
        ty_raise(&ty_TypeError, "array item must be a unicode character, not a string of length %zd", ty_str_length(v));
        return false;
    }
    memcpy(item, &(uint32_t){ty_str_at(v, 0)}, sizeof(uint32_t));
    return true;
}

/* The machine formats of pickles: two for each width and kind, little and big endian. */
enum { UINT8, INT8, UINT16 = 2, INT16 = 4, UINT32 = 6, INT32 = 8, UINT64 = 10, INT64 = 12, FLOAT = 14, DOUBLE = 16, UTF16 = 18, UTF32 = 20, FORMATS = 22 };
#define HERE(format) ((format) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))

static const Kind kinds[] = {
    {'b', 1, INT8, .is_signed = true, .format = "b", .get = get_b, .set = set_b},
    {'B', 1, UINT8, .format = "B", .get = get_B, .set = set_B},
    {'u', 4, HERE(UTF32), .text = true, .format = "w", .get = get_character, .set = set_character},
    {'w', 4, HERE(UTF32), .text = true, .format = "w", .get = get_character, .set = set_character},
    {'h', 2, HERE(INT16), .is_signed = true, .format = "h", .get = get_h, .set = set_h},
    {'H', 2, HERE(UINT16), .format = "H", .get = get_H, .set = set_H},
    {'i', 4, HERE(INT32), .is_signed = true, .format = "i", .get = get_i, .set = set_i},
    {'I', 4, HERE(UINT32), .format = "I", .get = get_I, .set = set_I},
    {'l', 8, HERE(INT64), .is_signed = true, .format = "l", .get = get_q, .set = set_l},
    {'L', 8, HERE(UINT64), .format = "L", .get = get_Q, .set = set_L},
    {'q', 8, HERE(INT64), .is_signed = true, .format = "q", .get = get_q, .set = set_q},
    {'Q', 8, HERE(UINT64), .format = "Q", .get = get_Q, .set = set_Q},
    {'f', 4, HERE(FLOAT), .is_float = true, .format = "f", .get = get_f, .set = set_f},
    {'d', 8, HERE(DOUBLE), .is_float = true, .format = "d", .get = get_d, .set = set_d},
};

static const Kind *kind_of_code(uint32_t code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((uint32_t)kinds[i].code == code)
            return &kinds[i];
    return NULL;
}

/* --- the store ------------------------------------------------------------------------------------------------------- */

static PackedArray *as_array(Value v) { return (PackedArray *)ty_object(v); }
static bool is_array(Value v) { return ty_is_instance_of(v, &array_type); }
static int64_t length_of(PackedArray *array) { return ty_load_acquire(&array->length); }

static uint8_t *data_of(PackedArray *array)
{
    TyBytes *store = ty_load_acquire(&array->store);
    return store ? store->data : (uint8_t *)"";
}

static void trace(TyObject *self, TyMarker *marker)
{
    TyBytes *store = ty_load_acquire(&((PackedArray *)self)->store);
    if (store)
        ty_mark_object(marker, &store->base);
}

/* What a reader may look at: the store of this moment, and as many items as are in it. */
typedef struct Items {
    const uint8_t *data;
    int64_t length;
} Items;

static Items items_of(PackedArray *array)
{
    int64_t length = length_of(array);
    TyBytes *store = ty_load_acquire(&array->store);
    if (!store)
        return (Items){(const uint8_t *)"", 0};
    return (Items){store->data, TY_MIN(length, store->length / array->kind->size)};
}

/* The items as they were at one moment: with many threads, a copy. NULL data with MemoryError. */
static Items snapshot(PackedArray *array)
{
    if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads)))
        return items_of(array);
    bool locked = ty_object_lock(&array->base);
    Items items = items_of(array);
    Value copy = ty_bytes_new(NULL, (size_t)(items.length * array->kind->size));
    if (copy != TY_NULL && items.length)
        ty_buffer_move(ty_as_bytes(copy)->data, items.data, (size_t)(items.length * array->kind->size));
    ty_object_unlock(&array->base, locked);
    return copy == TY_NULL ? (Items){NULL, 0} : (Items){ty_bytes_data(copy), items.length};
}

static bool may_resize(PackedArray *array)
{
    if (ty_load_relaxed(&array->exports) == 0)
        return true;
    ty_raise(&ty_BufferError, "cannot resize an array that is exporting buffers");
    return false;
}

/* Replaces the items from start to end by `count` others (data NULL: left unset); under the lock. All changes of size come here. */
static bool splice(PackedArray *array, int64_t start, int64_t end, const void *data, int64_t count)
{
    int64_t length = ty_load_relaxed(&array->length), changed = length - (end - start) + count, size = array->kind->size;
    if (changed != length && !may_resize(array))
        return false;
    if (changed < 0 || changed > INT64_MAX / 16) {
        ty_raise_memory_error();
        return false;
    }
    TyBytes *store = ty_load_relaxed(&array->store);
    int64_t capacity = store ? store->length / size : 0;
    if (changed > capacity || (changed < capacity / 4 && capacity > 64)) {
        int64_t wanted = changed > length && length > 0 ? changed + changed / 8 + 4 : changed;
        Value fresh = ty_bytes_new(NULL, (size_t)(TY_MAX(wanted, 1) * size));
        if (fresh == TY_NULL)
            return false;
        uint8_t *bytes = ty_as_bytes(fresh)->data;
        if (store) {
            ty_buffer_move(bytes, store->data, (size_t)(start * size));
            ty_buffer_move(bytes + (start + count) * size, store->data + end * size, (size_t)((length - end) * size));
        }
        if (data && count)
            ty_buffer_move(bytes + start * size, data, (size_t)(count * size));
        ty_store_relaxed(&array->length, TY_MIN(length, changed));
        ty_store_release(&array->store, ty_as_bytes(fresh));
        ty_store_release(&array->length, changed);
        return true;
    }
    if (!store)
        return true; /* still empty */
    if (changed != length) {
        ty_store_relaxed(&array->length, TY_MIN(length, changed));
        ty_buffer_move(store->data + (start + count) * size, store->data + end * size, (size_t)((length - end) * size));
    }
    if (data && count)
        ty_buffer_move(store->data + start * size, data, (size_t)(count * size));
    ty_store_release(&array->length, changed);
    return true;
}

static bool append_item(PackedArray *array, const uint8_t *item)
{
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    bool done = splice(array, length, length, item, 1);
    ty_object_unlock(&array->base, locked);
    return done;
}

static bool append_value(PackedArray *array, Value v)
{
    uint8_t item[8];
    return array->kind->set(item, v) && append_item(array, item);
}

/* Appends items that lie in the array itself, maybe, or in memory that stays where it is. */
static bool append_items(PackedArray *array, const void *data, int64_t count)
{
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    bool done = count == 0 || splice(array, length, length, data, count);
    ty_object_unlock(&array->base, locked);
    return done;
}

static PackedArray *new_array(TyType *type, const Kind *kind, const void *data, int64_t count)
{
    Value v = type == &array_type ? ty_from_object(ty_allocate(type, sizeof(PackedArray))) : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return NULL;
    PackedArray *array = as_array(v);
    array->kind = kind;
    if (count > 0 && !splice(array, 0, 0, data, count))
        return NULL;
    return array;
}

static Value as_value(PackedArray *array) { return array ? ty_from_object(array) : TY_NULL; }

static Value item_at(PackedArray *array, int64_t index, const char *message)
{
    uint8_t item[8];
    bool locked = ty_object_lock(&array->base);
    Items items = items_of(array);
    bool inside = index >= 0 && index < items.length;
    if (inside)
        ty_buffer_move(item, items.data + index * array->kind->size, array->kind->size);
    ty_object_unlock(&array->base, locked);
    if (!inside)
        return message ? ty_raise(&ty_IndexError, "%s", message) : TY_NULL;
    return array->kind->get(item);
}

/* --- making one ------------------------------------------------------------------------------------------------------- */

static bool extend_by_iterating(PackedArray *array, Value iterable)
{
    Value iterator = ty_iter(iterable);
    if (iterator == TY_NULL)
        return false;
    Value item;
    while ((item = ty_next(iterator)) != TY_NULL)
        if (!append_value(array, item))
            return false;
    return !ty_raised();
}

static bool append_bytes(PackedArray *array, Value bytes)
{
    TyBytesArgument argument;
    if (!ty_bytes_argument(bytes, &argument))
        return false;
    bool done = argument.length % array->kind->size == 0;
    if (done)
        done = append_items(array, argument.data, argument.length / array->kind->size);
    else
        ty_raise(&ty_ValueError, "bytes length not a multiple of item size");
    ty_bytes_argument_release(&argument);
    return done;
}

static bool append_text(PackedArray *array, Value text)
{
    int64_t length = ty_str_length(text);
    Value characters = ty_bytes_new(NULL, (size_t)length * 4);
    if (characters == TY_NULL)
        return false;
    for (int64_t i = 0; i < length; i++)
        memcpy(ty_as_bytes(characters)->data + i * 4, &(uint32_t){ty_str_at(text, i)}, 4);
    return append_items(array, ty_bytes_data(characters), length);
}

static bool fill(PackedArray *array, Value initializer)
{
    const Kind *kind = array->kind;
    if (ty_is_str(initializer) && !kind->text) {
        ty_raise(&ty_TypeError, "cannot use a str to initialize an array with typecode '%c'", kind->code);
        return false;
    }
    if (is_array(initializer)) {
        PackedArray *other = as_array(initializer);
        if (other->kind->text && !kind->text) {
            ty_raise(&ty_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'", kind->code);
            return false;
        }
        Items items = items_of(other);
        if (other->kind == kind)
            return append_items(array, items.data, items.length);
        return extend_by_iterating(array, initializer);
    }
    if (ty_is_bytes(initializer) || ty_is_bytearray(initializer))
        return append_bytes(array, initializer);
    if (ty_is_str(initializer))
        return append_text(array, initializer);
    return extend_by_iterating(array, initializer);
}

static const Kind *kind_argument(Value v)
{
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "array() argument 1 must be a unicode character, not %T", v);
        return NULL;
    }
    if (ty_str_length(v) != 1) {
        ty_raise(&ty_TypeError, "array() argument 1 must be a unicode character, not a string of length %zd", ty_str_length(v));
        return NULL;
    }
    const Kind *kind = kind_of_code(ty_str_at(v, 0));
    if (!kind)
        ty_raise(&ty_ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)");
    return kind;
}

static Value array_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (type == &array_type && keywords != TY_NULL && ty_tuple_length(keywords) > 0)
        return ty_raise(&ty_TypeError, "array.array() takes no keyword arguments");
    if (count < 1 || count > 2)
        return ty_raise(&ty_TypeError, count < 1 ? "array() takes at least 1 argument (0 given)" : "array() takes at most 2 arguments (%zu given)", count);
    const Kind *kind = kind_argument(arguments[0]);
    if (!kind)
        return TY_NULL;
    if (kind->code == 'u' && !ty_warn(&ty_DeprecationWarning, 1, "The 'u' type code is deprecated and will be removed in Python 3.16"))
        return TY_NULL;
    PackedArray *array = new_array(type, kind, NULL, 0);
    if (!array || (count == 2 && !fill(array, arguments[1])))
        return TY_NULL;
    return ty_from_object(array);
}

/* --- slots -------------------------------------------------------------------------------------------------------------- */

static int64_t array_length(Value self) { return length_of(as_array(self)); }

static Value array_item(Value self, int64_t index) { return item_at(as_array(self), index, "array index out of range"); }

static bool is_index(Value key)
{
    if (ty_is_immediate_int(key) || ty_has_index(key))
        return true;
    ty_raise(&ty_TypeError, "array indices must be integers");
    return false;
}

static Value array_get_item(Value self, Value key)
{
    PackedArray *array = as_array(self);
    int64_t start, stop, step;
    if (!ty_is_slice(key)) {
        if (!is_index(key) || !ty_subscript_index(key, &start))
            return TY_NULL;
        return array_item(self, start < 0 ? start + length_of(array) : start);
    }
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    bool locked = ty_object_lock(&array->base);
    Items items = items_of(array);
    int64_t count = ty_slice_adjust(items.length, &start, &stop, step), size = array->kind->size;
    count = TY_MAX(count, 0); /* the macro would adjust twice */
    PackedArray *result = new_array(&array_type, array->kind, step == 1 ? items.data + start * size : NULL, count);
    uint8_t *out = result && step != 1 ? data_of(result) : NULL;
    for (int64_t i = 0; out && i < count; i++)
        ty_buffer_move(out + i * size, items.data + (start + i * step) * size, (size_t)size);
    ty_object_unlock(&array->base, locked);
    return as_value(result);
}

static bool set_index(PackedArray *array, Value key, Value value)
{
    int64_t index, size = array->kind->size;
    uint8_t item[8];
    if (!is_index(key) || !ty_subscript_index(key, &index) || (value != TY_NULL && !array->kind->set(item, value)))
        return false;
    bool locked = ty_object_lock(&array->base), done = false;
    int64_t length = ty_load_relaxed(&array->length);
    if (index < 0)
        index += length;
    if (index < 0 || index >= length)
        ty_raise(&ty_IndexError, "array assignment index out of range");
    else if (value == TY_NULL)
        done = splice(array, index, index + 1, NULL, 0);
    else {
        ty_buffer_move(data_of(array) + index * size, item, (size_t)size);
        done = true;
    }
    ty_object_unlock(&array->base, locked);
    return done;
}

/* Deletes `count` items at start, start + step, … (step above 1); under the lock. */
static bool delete_stepped(PackedArray *array, int64_t start, int64_t step, int64_t count)
{
    if (!may_resize(array))
        return false;
    int64_t length = ty_load_relaxed(&array->length), size = array->kind->size, to = start;
    uint8_t *data = data_of(array);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = start + i * step + 1, next = i + 1 < count ? from + step - 1 : length;
        ty_buffer_move(data + to * size, data + from * size, (size_t)((next - from) * size));
        to += next - from;
    }
    return splice(array, to, length, NULL, 0);
}

/* Under the lock; `data` are `given` items apart from the array's own. */
static bool assign_slice(PackedArray *array, int64_t start, int64_t stop, int64_t step, const uint8_t *data, int64_t given, bool deleting)
{
    int64_t count = ty_slice_adjust(ty_load_relaxed(&array->length), &start, &stop, step), size = array->kind->size;
    count = TY_MAX(count, 0);
    if (step == 1)
        return splice(array, start, TY_MAX(start, stop), data, given);
    if (deleting) {
        if (count == 0)
            return true;
        if (step < 0) {
            start += step * (count - 1);
            step = -step;
        }
        return step == 1 ? splice(array, start, start + count, NULL, 0) : delete_stepped(array, start, step, count);
    }
    if (given != count) {
        ty_raise(&ty_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", given, count);
        return false;
    }
    for (int64_t i = 0; i < count; i++)
        ty_buffer_move(data_of(array) + (start + i * step) * size, data + i * size, (size_t)size);
    return true;
}

static bool array_set_item(Value self, Value key, Value value)
{
    PackedArray *array = as_array(self);
    int64_t start, stop, step;
    if (!ty_is_slice(key))
        return set_index(array, key, value);
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return false;
    Items given = {NULL, 0};
    if (value != TY_NULL) {
        if (!is_array(value)) {
            ty_raise(&ty_TypeError, "can only assign array (not \"%T\") to array slice", value);
            return false;
        }
        PackedArray *other = as_array(value);
        if (other->kind != array->kind) {
            ty_raise(&ty_TypeError, "bad argument type for built-in operation");
            return false;
        }
        given = snapshot(other);
        if (other == array && given.data) { /* a copy: its own items move */
            PackedArray *copy = new_array(&array_type, array->kind, given.data, given.length);
            given = copy ? items_of(copy) : (Items){NULL, 0};
        }
        if (!given.data)
            return false;
    }
    bool locked = ty_object_lock(&array->base);
    bool done = assign_slice(array, start, stop, step, given.data, given.length, value == TY_NULL);
    ty_object_unlock(&array->base, locked);
    return done;
}

static Value array_concat(Value left, Value right)
{
    if (!is_array(right))
        return ty_raise(&ty_TypeError, "can only append array (not \"%T\") to array", right);
    if (as_array(left)->kind != as_array(right)->kind)
        return ty_raise(&ty_TypeError, "bad argument type for built-in operation");
    Items a = snapshot(as_array(left)), b = snapshot(as_array(right));
    if (!a.data || !b.data)
        return TY_NULL;
    PackedArray *result = new_array(&array_type, as_array(left)->kind, a.data, a.length);
    return result && append_items(result, b.data, b.length) ? ty_from_object(result) : TY_NULL;
}

static bool extend_by_array(PackedArray *array, PackedArray *other)
{
    if (array->kind != other->kind) {
        ty_raise(&ty_TypeError, "can only extend with array of same kind");
        return false;
    }
    Items items = snapshot(other);
    return items.data && append_items(array, items.data, items.length);
}

static Value array_inplace_concat(Value self, Value other)
{
    if (!is_array(other))
        return ty_raise(&ty_TypeError, "can only extend array with array (not \"%T\")", other);
    return extend_by_array(as_array(self), as_array(other)) ? self : TY_NULL;
}

static Value array_repeat(Value self, int64_t count)
{
    PackedArray *array = as_array(self);
    Items items = snapshot(array);
    int64_t size = array->kind->size;
    count = TY_MAX(count, 0);
    if (!items.data)
        return TY_NULL;
    if (items.length && count > INT64_MAX / 16 / items.length)
        return ty_raise_memory_error();
    PackedArray *result = new_array(&array_type, array->kind, NULL, items.length * count);
    if (!result)
        return TY_NULL;
    for (int64_t i = 0; i < count && items.length; i++)
        memcpy(data_of(result) + i * items.length * size, items.data, (size_t)(items.length * size));
    return ty_from_object(result);
}

static Value array_inplace_repeat(Value self, int64_t count)
{
    PackedArray *array = as_array(self);
    count = TY_MAX(count, 0);
    bool locked = ty_object_lock(&array->base), done = true;
    int64_t length = ty_load_relaxed(&array->length), bytes = length * array->kind->size;
    if (length && count > INT64_MAX / 16 / length) {
        ty_raise_memory_error();
        done = false;
    } else if (length > 0 && count != 1) {
        done = count == 0 ? splice(array, 0, length, NULL, 0) : splice(array, length, length, NULL, length * (count - 1));
        for (int64_t i = 1; done && i < count; i++)
            ty_buffer_move(data_of(array) + i * bytes, data_of(array), (size_t)bytes);
    }
    ty_object_unlock(&array->base, locked);
    return done ? self : TY_NULL;
}

static int array_contains(Value self, Value item)
{
    PackedArray *array = as_array(self);
    for (int64_t i = 0;; i++) {
        Value own = item_at(array, i, NULL);
        if (own == TY_NULL)
            return ty_raised() ? -1 : 0;
        int same = ty_compare_bool(own, item, TY_EQ);
        if (same != 0)
            return same;
    }
}

static Value array_compare(Value left, Value right, int op)
{
    if (!is_array(left) || !is_array(right))
        return TY_NOT_IMPLEMENTED;
    PackedArray *a = as_array(left), *b = as_array(right);
    if (length_of(a) != length_of(b) && (op == TY_EQ || op == TY_NE))
        return ty_from_bool(op == TY_NE);
    if (a->kind == b->kind && !a->kind->is_float && (op == TY_EQ || op == TY_NE)) {
        Items x = snapshot(a), y = snapshot(b);
        if (!x.data || !y.data)
            return TY_NULL;
        bool same = x.length == y.length && memcmp(x.data, y.data, (size_t)(x.length * a->kind->size)) == 0;
        return ty_from_bool(same == (op == TY_EQ));
    }
    for (int64_t i = 0;; i++) {
        Value x = item_at(a, i, NULL), y = item_at(b, i, NULL);
        if (x == TY_NULL || y == TY_NULL) {
            if (ty_raised())
                return TY_NULL;
            int64_t m = length_of(a), n = length_of(b);
            bool holds[] = {[TY_LT] = m < n, [TY_LE] = m <= n, [TY_EQ] = m == n, [TY_NE] = m != n, [TY_GT] = m > n, [TY_GE] = m >= n};
            return ty_from_bool(holds[op]);
        }
        Value equal = ty_compare(x, y, TY_EQ); /* a NaN is not even equal to itself: these stand for fresh objects */
        int same = equal == TY_NULL ? -1 : ty_is_true(equal);
        if (same < 0)
            return TY_NULL;
        if (!same)
            return op == TY_EQ || op == TY_NE ? ty_from_bool(op == TY_NE) : ty_compare(x, y, op);
    }
}

static Value array_tolist(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    Items items = snapshot(array);
    Value list = items.data ? ty_list_new(items.length) : TY_NULL;
    for (int64_t i = 0; list != TY_NULL && i < items.length; i++) {
        uint8_t item[8];
        ty_buffer_move(item, items.data + i * array->kind->size, array->kind->size);
        Value v = array->kind->get(item);
        if (v == TY_NULL || !ty_list_append(list, v))
            return TY_NULL;
    }
    return list;
}

static Value array_tounicode(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    if (!array->kind->text)
        return ty_raise(&ty_ValueError, "tounicode() may only be called on unicode type arrays ('u' or 'w')");
    Items items = snapshot(array);
    if (!items.data)
        return TY_NULL;
    for (int64_t i = 0; i < items.length; i++) {
        uint32_t c;
        memcpy(&c, items.data + i * 4, 4);
        if (c > 0x10FFFF)
            return ty_raise(&ty_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", c);
    }
    return ty_str_from_ucs4((const uint32_t *)(const void *)items.data, (size_t)items.length);
}

static Value array_repr(Value self)
{
    PackedArray *array = as_array(self);
    const char *name = ty_type_short_name(ty_type_of(self));
    if (length_of(array) == 0)
        return ty_str_format("%s('%c')", name, array->kind->code);
    Value items = array->kind->text ? array_tounicode(self, NULL) : array_tolist(self, NULL);
    return items == TY_NULL ? TY_NULL : ty_str_format("%s('%c', %R)", name, array->kind->code, items);
}

static bool array_get_buffer(Value self, TyBuffer *view, int flags)
{
    PackedArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    atomic_fetch_add_explicit(&array->exports, 1, memory_order_relaxed);
    ty_object_unlock(&array->base, locked);
    int64_t length = length_of(array), size = array->kind->size;
    if (!ty_buffer_fill(view, self, data_of(array), length * size, false, flags)) {
        atomic_fetch_sub_explicit(&array->exports, 1, memory_order_relaxed);
        return false;
    }
    view->item_size = size;
    if (flags & TY_BUFFER_FORMAT)
        view->format = array->kind->format;
    view->inline_shape[0] = length;
    view->inline_shape[1] = size;
    if (flags & TY_BUFFER_ND)
        view->shape = &view->inline_shape[0];
    if ((flags & TY_BUFFER_STRIDES) == TY_BUFFER_STRIDES)
        view->strides = &view->inline_shape[1];
    return true;
}

static void array_release_buffer(Value self, TyBuffer *view)
{
    atomic_fetch_sub_explicit(&as_array(self)->exports, 1, memory_order_release);
}

static Value array_iter(Value self) { return ty_iterator_over(&iterator_type, self, 0); }

/* --- methods -------------------------------------------------------------------------------------------------------------- */

static Value array_append(Value self, Value *a) { return append_value(as_array(self), a[0]) ? TY_NONE : TY_NULL; }

static Value array_extend(Value self, Value *a)
{
    bool done = is_array(a[0]) ? extend_by_array(as_array(self), as_array(a[0])) : extend_by_iterating(as_array(self), a[0]);
    return done ? TY_NONE : TY_NULL;
}

static Value array_insert(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t index;
    uint8_t item[8];
    if (!ty_to_size(a[0], &index) || !array->kind->set(item, a[1]))
        return TY_NULL;
    bool locked = ty_object_lock(&array->base);
    int64_t length = ty_load_relaxed(&array->length);
    index = index < 0 ? TY_MAX(index + length, 0) : TY_MIN(index, length);
    bool done = splice(array, index, index, item, 1);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_pop(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t index = -1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &index))
        return TY_NULL;
    uint8_t item[8];
    bool locked = ty_object_lock(&array->base), done = false;
    int64_t length = ty_load_relaxed(&array->length), size = array->kind->size;
    if (index < 0)
        index += length;
    if (length == 0) {
        ty_raise(&ty_IndexError, "pop from empty array");
    } else if (index < 0 || index >= length) {
        ty_raise(&ty_IndexError, "pop index out of range");
    } else {
        ty_buffer_move(item, data_of(array) + index * size, (size_t)size);
        done = splice(array, index, index + 1, NULL, 0);
    }
    ty_object_unlock(&array->base, locked);
    return done ? array->kind->get(item) : TY_NULL;
}

/* The first index of an item equal to v from start on and before stop; -1: none, -2: error. */
static int64_t find(PackedArray *array, Value v, int64_t start, int64_t stop)
{
    for (int64_t i = start; i < stop; i++) {
        Value item = item_at(array, i, NULL);
        if (item == TY_NULL)
            return ty_raised() ? -2 : -1;
        int same = ty_compare_bool(item, v, TY_EQ);
        if (same != 0)
            return same < 0 ? -2 : i;
    }
    return -1;
}

static Value array_index(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t start = 0, stop = INT64_MAX;
    if ((a[1] != TY_NULL && !ty_slice_index(a[1], &start)) || (a[2] != TY_NULL && !ty_slice_index(a[2], &stop)))
        return TY_NULL;
    int64_t length = length_of(array);
    start = start < 0 ? TY_MAX(start + length, 0) : start;
    stop = stop < 0 ? TY_MAX(stop + length, 0) : stop;
    int64_t at = find(array, a[0], start, stop);
    if (at == -1)
        ty_raise(&ty_ValueError, "array.index(x): x not in array");
    return at < 0 ? TY_NULL : ty_int_from_int64(at);
}

static Value array_remove(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t at = find(array, a[0], 0, INT64_MAX);
    if (at == -1)
        ty_raise(&ty_ValueError, "array.remove(x): x not in array");
    if (at < 0)
        return TY_NULL;
    bool locked = ty_object_lock(&array->base);
    bool done = at >= ty_load_relaxed(&array->length) || splice(array, at, at + 1, NULL, 0);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_count(Value self, Value *a)
{
    int64_t count = 0, at = -1;
    while ((at = find(as_array(self), a[0], at + 1, INT64_MAX)) >= 0)
        count++;
    return at == -2 ? TY_NULL : ty_int_from_int64(count);
}

static Value array_reverse(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    int64_t size = array->kind->size;
    uint8_t *low = data_of(array), *high = low + (ty_load_relaxed(&array->length) - 1) * size, held[8];
    for (; low < high; low += size, high -= size) {
        ty_buffer_move(held, low, (size_t)size);
        ty_buffer_move(low, high, (size_t)size);
        ty_buffer_move(high, held, (size_t)size);
    }
    ty_object_unlock(&array->base, locked);
    return TY_NONE;
}

static void swap_bytes(uint8_t *data, int64_t count, int64_t size)
{
    uint8_t item[8], swapped[8];
    for (int64_t i = 0; i < count; i++, data += size) {
        ty_buffer_move(item, data, (size_t)size);
        for (int64_t j = 0; j < size; j++)
            swapped[j] = item[size - 1 - j];
        ty_buffer_move(data, swapped, (size_t)size);
    }
}

static Value array_byteswap(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    swap_bytes(data_of(array), ty_load_relaxed(&array->length), array->kind->size);
    ty_object_unlock(&array->base, locked);
    return TY_NONE;
}

static Value array_clear(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    bool locked = ty_object_lock(&array->base);
    bool done = splice(array, 0, ty_load_relaxed(&array->length), NULL, 0);
    ty_object_unlock(&array->base, locked);
    return done ? TY_NONE : TY_NULL;
}

static Value array_copy(Value self, Value *a)
{
    Items items = snapshot(as_array(self));
    return items.data ? as_value(new_array(&array_type, as_array(self)->kind, items.data, items.length)) : TY_NULL;
}

static Value array_buffer_info(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    return ty_tuple_pack(2, ty_int_from_uint64((uint64_t)(uintptr_t)data_of(array)), ty_int_from_int64(length_of(array)));
}

static Value array_tobytes(Value self, Value *a)
{
    bool locked = ty_object_lock(ty_object(self));
    Items items = items_of(as_array(self));
    size_t size = (size_t)(items.length * as_array(self)->kind->size);
    Value bytes = ty_bytes_new(NULL, size);
    if (bytes != TY_NULL && size)
        ty_buffer_move(ty_as_bytes(bytes)->data, items.data, size);
    ty_object_unlock(ty_object(self), locked);
    return bytes;
}

static Value array_frombytes(Value self, Value *a) { return append_bytes(as_array(self), a[0]) ? TY_NONE : TY_NULL; }

/* Takes the array back to an earlier length, after an error half-way; the error stays. */
static Value shorten(PackedArray *array, int64_t length)
{
    Value error = ty_take_exception();
    bool locked = ty_object_lock(&array->base);
    if (length < ty_load_relaxed(&array->length) && !splice(array, length, ty_load_relaxed(&array->length), NULL, 0))
        ty_clear_exception();
    ty_object_unlock(&array->base, locked);
    ty_restore_exception(error);
    return TY_NULL;
}

static Value array_fromlist(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    if (!ty_is_list(a[0]))
        return ty_raise(&ty_TypeError, "arg must be list");
    int64_t length = length_of(array), count = ty_list_length(a[0]);
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_list_item(a[0], i);
        if (item == TY_NULL || ty_list_length(a[0]) != count) {
            ty_raise(&ty_RuntimeError, "list changed size during iteration");
            return shorten(array, length);
        }
        if (!append_value(array, item))
            return shorten(array, length);
    }
    return TY_NONE;
}

static Value array_fromunicode(Value self, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "fromunicode() argument must be str, not %T", a[0]);
    if (!as_array(self)->kind->text)
        return ty_raise(&ty_ValueError, "fromunicode() may only be called on unicode type arrays ('u' or 'w')");
    return append_text(as_array(self), a[0]) ? TY_NONE : TY_NULL;
}

static Value array_fromfile(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t count, size = array->kind->size;
    if (!ty_to_size(a[1], &count))
        return TY_NULL;
    if (count < 0)
        return ty_raise(&ty_ValueError, "negative count");
    if (count > INT64_MAX / size)
        return ty_raise_memory_error();
    Value bytes = ty_call_method_one(a[0], TY_NAME("read"), ty_int_from_int64(count * size));
    if (bytes == TY_NULL)
        return TY_NULL;
    if (!ty_is_bytes(bytes))
        return ty_raise(&ty_TypeError, "read() didn't return bytes");
    if (!append_bytes(array, bytes))
        return TY_NULL;
    if (ty_bytes_length(bytes) != count * size)
        return ty_raise(&ty_EOFError, "read() didn't return enough bytes");
    return TY_NONE;
}

static Value array_tofile(Value self, Value *a)
{
    enum { BLOCK = 64 * 1024 };
    PackedArray *array = as_array(self);
    for (int64_t at = 0;; at += BLOCK) {
        bool locked = ty_object_lock(&array->base);
        Items items = items_of(array);
        int64_t left = items.length * array->kind->size - at;
        Value bytes = left <= 0 ? TY_NONE : ty_bytes_new(NULL, (size_t)TY_MIN(left, BLOCK));
        if (left > 0 && bytes != TY_NULL)
            ty_buffer_move(ty_as_bytes(bytes)->data, items.data + at, (size_t)TY_MIN(left, BLOCK));
        ty_object_unlock(&array->base, locked);
        if (left <= 0)
            return TY_NONE;
        if (bytes == TY_NULL || ty_call_method_one(a[0], TY_NAME("write"), bytes) == TY_NULL)
            return TY_NULL;
    }
}

static Value array_sizeof(Value self, Value *a)
{
    TyBytes *store = ty_load_acquire(&as_array(self)->store);
    return ty_int_from_int64((int64_t)sizeof(PackedArray) + (store ? store->length : 0));
}

/* --- pickling ----------------------------------------------------------------------------------------------------------------- */

static Value code_of(PackedArray *array) { return ty_str_from_char((uint32_t)array->kind->code); }

static Value array_reduce_ex(Value self, Value *a)
{
    PackedArray *array = as_array(self);
    int64_t protocol;
    if (!ty_to_int64(a[0], &protocol))
        return TY_NULL;
    bool failed = false;
    Value attributes = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
    if (failed)
        return TY_NULL;
    if (attributes == TY_NULL)
        attributes = TY_NONE;
    Value type = ty_from_object(ty_type_of(self));
    if (protocol < 3)
        return ty_tuple_pack(3, type, ty_tuple_pack(2, code_of(array), array_tolist(self, NULL)), attributes);
    Value module = ty_module_current("array");
    Value reconstructor = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("_array_reconstructor"));
    return ty_tuple_pack(3, reconstructor,
                         ty_tuple_pack(4, type, code_of(array), ty_from_immediate_int(array->kind->machine_format), array_tobytes(self, NULL)), attributes);
}

/* What a machine format is made of. */
typedef struct Format {
    uint8_t size;
    bool is_signed, big;
} Format;

static const Format formats[FORMATS] = {
    [UINT8] = {1, false, false}, [INT8] = {1, true, false},
    [UINT16] = {2, false, false}, [UINT16 + 1] = {2, false, true}, [INT16] = {2, true, false}, [INT16 + 1] = {2, true, true},
    [UINT32] = {4, false, false}, [UINT32 + 1] = {4, false, true}, [INT32] = {4, true, false}, [INT32 + 1] = {4, true, true},
    [UINT64] = {8, false, false}, [UINT64 + 1] = {8, false, true}, [INT64] = {8, true, false}, [INT64 + 1] = {8, true, true},
    [FLOAT] = {4, true, false}, [FLOAT + 1] = {4, true, true}, [DOUBLE] = {8, true, false}, [DOUBLE + 1] = {8, true, true},
    [UTF16] = {4, false, false}, [UTF16 + 1] = {4, false, true}, [UTF32] = {8, false, false}, [UTF32 + 1] = {8, false, true},
};

static Value decode_text(Value bytes, int format)
{
    static const char *const codecs[] = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"};
    return ty_call_method_one(bytes, TY_NAME("decode"), ty_str_from_text(codecs[format - UTF16]));
}

/* The items of another machine's array as a list. */
static Value decode_numbers(const uint8_t *data, int64_t count, int format)
{
    Format f = formats[format];
    Value list = ty_list_new(count);
    for (int64_t i = 0; list != TY_NULL && i < count; i++, data += f.size) {
        Value item;
        if (format >= FLOAT) {
            uint8_t bytes[8];
            memcpy(bytes, data, f.size);
            if (f.big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
                swap_bytes(bytes, 1, f.size);
            item = f.size == 4 ? get_f(bytes) : get_d(bytes);
        } else {
            item = ty_int_from_bytes(data, f.size, !f.big, f.is_signed);
        }
        if (item == TY_NULL || !ty_list_append(list, item))
            return TY_NULL;
    }
    return list;
}

/* The kind for the numbers of a machine format: the one asked for, or another whose items have its size. */
static const Kind *fitting_kind(const Kind *kind, int format)
{
    if (format >= FLOAT || formats[format].size == kind->size)
        return kind;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!kinds[i].text && !kinds[i].is_float && kinds[i].size == formats[format].size && kinds[i].is_signed == formats[format].is_signed)
            return &kinds[i];
    return kind;
}

static Value array_reconstructor(Value self, Value *a)
{
    int32_t format;
    if (!ty_is_type(a[0]))
        return ty_raise(&ty_TypeError, "first argument must be a type object, not %T", a[0]);
    if (!ty_type_is_subtype(ty_as_type(a[0]), &array_type))
        return ty_raise(&ty_TypeError, "%s is not a subtype of array.array", ty_type_short_name(ty_as_type(a[0])));
    if (!ty_is_str(a[1]) || ty_str_length(a[1]) != 1)
        return ty_raise(&ty_TypeError, "_array_reconstructor() argument 2 must be a unicode character, not %T", a[1]);
    const Kind *kind = kind_of_code(ty_str_at(a[1], 0));
    if (!kind)
        return ty_raise(&ty_ValueError, "second argument must be a valid type code");
    if (!ty_to_int32(a[2], &format))
        return TY_NULL;
    if (format < 0 || format >= FORMATS)
        return ty_raise(&ty_ValueError, "third argument must be a valid machine format code.");
    if (!ty_is_bytes(a[3]))
        return ty_raise(&ty_TypeError, "fourth argument should be bytes, not %T", a[3]);
    Value items = a[3];
    if (format != kind->machine_format) {
        if (format >= UTF16) {
            items = decode_text(a[3], format);
        } else {
            if (ty_bytes_length(a[3]) % formats[format].size != 0)
                return ty_raise(&ty_ValueError, "bytes length not a multiple of item size");
            items = decode_numbers(ty_bytes_data(a[3]), ty_bytes_length(a[3]) / formats[format].size, format);
            kind = fitting_kind(kind, format);
        }
        if (items == TY_NULL)
            return TY_NULL;
    }
    Value arguments[] = {ty_str_from_char((uint32_t)kind->code), items};
    return arguments[0] == TY_NULL ? TY_NULL : array_new(ty_as_type(a[0]), arguments, 2, TY_NULL);
}

/* --- types --------------------------------------------------------------------------------------------------------------------- */

static Value get_typecode(Value self) { return code_of(as_array(self)); }
static Value get_itemsize(Value self) { return ty_from_immediate_int(as_array(self)->kind->size); }

static const TyGetSetDef array_getsets[] = {
    {"typecode", get_typecode, NULL, "The character that names the kind of its items."},
    {"itemsize", get_itemsize, NULL, "The size of an item in bytes."},
    {0},
};

static const TyNativeDef array_methods[] = {
    TY_METHOD("__copy__(self, /)", array_copy, "A copy."),
    TY_METHOD("__deepcopy__(self, unused, /)", array_copy, "A copy."),
    TY_METHOD("__reduce_ex__(self, value, /)", array_reduce_ex, "What pickle keeps."),
    TY_METHOD("__sizeof__(self, /)", array_sizeof, "Its size in memory, in bytes."),
    TY_CLASS_METHOD("__class_getitem__(type, object, /)", ty_class_getitem, "See PEP 585"),
    TY_METHOD("append(self, v, /)", array_append, "Adds a value at the end."),
    TY_METHOD("buffer_info(self, /)", array_buffer_info, "(address, length) of the memory that its items lie in; the length counts items."),
    TY_METHOD("byteswap(self, /)", array_byteswap, "Turns the bytes of each item round."),
    TY_METHOD("clear(self, /)", array_clear, "Removes all items."),
    TY_METHOD("count(self, v, /)", array_count, "How many items are equal to v."),
    TY_METHOD("extend(self, bb, /)", array_extend, "Adds the items of an array of the same kind, or of any iterable, at the end."),
    TY_METHOD("frombytes(self, buffer, /)", array_frombytes, "Adds items from bytes that hold machine values, as fromfile() reads them."),
    TY_METHOD("fromfile(self, f, n, /)", array_fromfile, "Reads n items from a file object and adds them."),
    TY_METHOD("fromlist(self, list, /)", array_fromlist, "Adds the items of a list; none if one of them does not fit."),
    TY_METHOD("fromunicode(self, ustr, /)", array_fromunicode, "Adds the characters of a str to an array of characters."),
    TY_METHOD("index(self, v, start=0, stop=sys.maxsize, /)", array_index, "The first index of an item equal to v from start on and before stop."),
    TY_METHOD("insert(self, i, v, /)", array_insert, "Puts a value before index i."),
    TY_METHOD("pop(self, i=-1, /)", array_pop, "Removes and returns the item at index i, by default the last."),
    TY_METHOD("remove(self, v, /)", array_remove, "Removes the first item equal to v."),
    TY_METHOD("reverse(self, /)", array_reverse, "Reverses the order of its items in place."),
    TY_METHOD("tobytes(self, /)", array_tobytes, "The bytes of its items, one after another."),
    TY_METHOD("tofile(self, f, /)", array_tofile, "Writes the bytes of its items to a file object."),
    TY_METHOD("tolist(self, /)", array_tolist, "A list of its items."),
    TY_METHOD("tounicode(self, /)", array_tounicode, "The characters of an array of characters as a str."),
    {0},
};

static TyType array_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(PackedArray), .trace = trace},
    .flags = TY_TYPE_SEQUENCE | TY_TYPE_WEAKREFABLE | TY_TYPE_IMMUTABLE,
    .name = "array.array",
    .doc = "array(typecode [, initializer]) -> array\n\n"
           "A sequence whose items are all of the kind that the typecode names, packed into memory one after another: b B h H i I l L q Q are\n"
           "signed and unsigned integers of 1, 2, 4, 8 and 8 bytes, f and d floats of 4 and 8 bytes, w a character (u is its old name). The\n"
           "initializer is an iterable of values, bytes with the machine's own form of them, or a str for w.",
    .slots = {
        .repr = array_repr, .hash = ty_hash_unhashable, .compare = array_compare, .iter = array_iter, .new = array_new,
        .length = array_length, .get_item = array_get_item, .set_item = array_set_item, .item = array_item, .contains = array_contains,
        .concat = array_concat, .inplace_concat = array_inplace_concat, .repeat = array_repeat, .inplace_repeat = array_inplace_repeat,
        .get_buffer = array_get_buffer, .release_buffer = array_release_buffer,
    },
    .methods = array_methods,
    .getsets = array_getsets,
};

static Value iterator_self(Value self) { return self; }

static Value iterator_next(Value self)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value array = ty_field(&iterator->sequence);
    if (array == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&iterator->index);
    Value item = item_at(as_array(array), index, NULL);
    if (item != TY_NULL)
        ty_store_relaxed(&iterator->index, index + 1);
    else if (!ty_raised())
        ty_store(iterator, &iterator->sequence, TY_NULL);
    return item;
}

static Value iterator_reduce(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value array = ty_field(&iterator->sequence), function = ty_builtin("iter");
    if (array == TY_NULL)
        return ty_tuple_pack(2, function, ty_tuple_pack(1, ty_tuple_empty()));
    return ty_tuple_pack(3, function, ty_tuple_pack(1, array), ty_int_from_int64(ty_load_relaxed(&iterator->index)));
}

static Value iterator_setstate(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    Value array = ty_field(&iterator->sequence);
    if (array != TY_NULL)
        ty_store_relaxed(&iterator->index, TY_MAX(0, TY_MIN(index, length_of(as_array(array)))));
    return TY_NONE;
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."),
    TY_METHOD("__setstate__(self, state, /)", iterator_setstate, "Sets the position, as pickle does."),
    {0},
};

static TyType iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "array.arrayiterator",
    .slots = {.iter = iterator_self, .next = iterator_next},
    .methods = iterator_methods,
};

static bool register_sequence(void)
{
    Value abc = ty_import_module("_collections_abc");
    Value sequence = abc == TY_NULL ? TY_NULL : ty_get_attribute(abc, TY_NAME("MutableSequence"));
    return sequence != TY_NULL && ty_call_method_one(sequence, TY_NAME("register"), ty_from_object(&array_type)) != TY_NULL;
}

static bool execute(Value module)
{
    if (!ty_type_ready(&iterator_type) || !ty_module_add(module, "ArrayType", ty_from_object(&array_type)))
        return false;
    char codes[sizeof kinds / sizeof *kinds + 1] = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        codes[i] = kinds[i].code;
    return ty_module_add_str(module, "typecodes", codes) && register_sequence();
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("_array_reconstructor(arraytype, typecode, mformat_code, items, /)", array_reconstructor, "Internal. Used for pickling support."),
    {0},
};

static TyType *const types[] = {&array_type, NULL};

const TyModuleDef ty_module_array = {
    .name = "array",
    .doc = "Sequences of machine numbers or characters, packed. See array.array.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
