/* str: making, comparing, taking apart and joining. The methods that Python sees are in str_methods.c. */
#include "object/str_parts.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/list.h"
#include "object/tuple.h"
#include <stdio.h>
#include <stdlib.h>

/* --- making ---------------------------------------------------------------------------------------------------------- */

static Value allocate(int64_t length, int width, uint32_t kind_bits)
{
    if (TY_UNLIKELY((uint64_t)length >= ((uint64_t)1 << 60)))
        return ty_raise_memory_error();
    TyStr *s = ty_allocate_dirty(&ty_str_type, sizeof(TyStr) + (size_t)(length + 1) * (size_t)width);
    if (TY_UNLIKELY(!s))
        return TY_NULL;
    ty_store_relaxed(&s->base.bits, ty_load_relaxed(&s->base.bits) | kind_bits);
    ty_store_relaxed(&s->hash, 0);
    s->length = length;
    memset(s->data + length * width, 0, (size_t)width);
    return ty_from_object(s);
}

Value ty_str_allocate(int64_t length, uint32_t max_char)
{
    return allocate(length, ty_max_char_width(max_char), ty_str_kind_bits(max_char));
}

static uint32_t range_of_chars(const void *text, int width, int64_t length)
{
    return width == 1 ? ty_max_char_1(text, (size_t)length)
                      : width == 2 ? ty_max_char_2(text, (size_t)length) : ty_max_char_4(text, (size_t)length);
}

uint32_t ty_str_range_of(Value v, int64_t start, int64_t end)
{
    if (ty_str_is_ascii(v))
        return 0x7F;
    int width = ty_str_width(v);
    return range_of_chars(ty_str_data(v) + start * width, width, end - start);
}

Value ty_str_from_chars(const void *text, int width, int64_t length)
{
    if (length <= 1) {
        if (length == 0)
            return ty_str_empty();
        uint32_t c = ty_char_at(text, width, 0);
        if (c < 256)
            return ty_str_from_char(c);
    }
    uint32_t range = range_of_chars(text, width, length);
    Value v = ty_str_allocate(length, range);
    if (v != TY_NULL)
        ty_copy_chars(ty_str_fill(v), ty_max_char_width(range), text, width, length);
    return v;
}

Value ty_str_from_latin1(const char *text, size_t size) { return ty_str_from_chars(text, 1, (int64_t)size); }
Value ty_str_from_ucs2(const uint16_t *text, size_t length) { return ty_str_from_chars(text, 2, (int64_t)length); }
Value ty_str_from_ucs4(const uint32_t *text, size_t length) { return ty_str_from_chars(text, 4, (int64_t)length); }

/* A str of bytes that a scan found valid. */
static Value from_valid_utf8(const uint8_t *bytes, size_t size, const TyUtf8Scan *scan)
{
    if (scan->max_char < 0x80)
        return ty_str_from_chars(bytes, 1, (int64_t)size);
    Value v = ty_str_allocate((int64_t)scan->characters, scan->max_char);
    if (v == TY_NULL)
        return TY_NULL;
    void *out = ty_str_fill(v);
    switch (ty_max_char_width(scan->max_char)) {
    case 1: ty_utf8_decode_1(bytes, size, out); break;
    case 2: ty_utf8_decode_2(bytes, size, out); break;
    default: ty_utf8_decode_4(bytes, size, out); break;
    }
    if (scan->characters == 1 && scan->max_char < 0x100)
        return ty_str_from_char(ty_str_at(v, 0));
    return v;
}

Value ty_str_from_utf8(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    TyUtf8Scan scan;
    if (TY_LIKELY(ty_utf8_scan(bytes, size, &scan)))
        return from_valid_utf8(bytes, size, &scan);
    Value object = ty_bytes_new(text, size);
    if (object == TY_NULL)
        return TY_NULL;
    Value error = ty_decode_error_new("utf-8", object, (int64_t)scan.valid, (int64_t)scan.error_end, ty_utf8_reason(scan.error));
    return error == TY_NULL ? TY_NULL : ty_raise_object(error);
}

Value ty_str_from_text(const char *text) { return ty_str_from_utf8(text, strlen(text)); }

/* Valid UTF-8 as it is; each byte that belongs to no character as the lone surrogate U+DC00 + byte, or as U+FFFD. */
static bool add_lenient_utf8(TyStrBuilder *b, const uint8_t *bytes, size_t size, bool replace)
{
    while (size > 0) {
        TyUtf8Scan scan;
        ty_utf8_scan(bytes, size, &scan);
        if (scan.valid > 0) {
            TyUtf8Scan valid = scan;
            Value part = from_valid_utf8(bytes, scan.valid, &valid);
            if (part == TY_NULL || !ty_builder_add(b, part)) {
                b->failed = true;
                return false;
            }
        }
        if (scan.error == TY_UTF8_OK)
            break;
        if (replace)
            ty_builder_add_char(b, 0xFFFD);
        for (size_t i = scan.valid; i < scan.error_end && !replace; i++)
            ty_builder_add_char(b, 0xDC00 + bytes[i]);
        bytes += scan.error_end;
        size -= scan.error_end;
    }
    return !b->failed;
}

Value ty_str_decode_fs(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    TyUtf8Scan scan;
    if (TY_LIKELY(ty_utf8_scan(bytes, size, &scan)))
        return from_valid_utf8(bytes, size, &scan);
    TyStrBuilder b = {0};
    add_lenient_utf8(&b, bytes, size, false);
    return ty_builder_finish(&b);
}

Value ty_str_exact(Value v)
{
    if (TY_LIKELY(ty_is_exact_str(v)))
        return v;
    return ty_str_from_chars(ty_str_data(v), ty_str_width(v), ty_str_length(v));
}

/* --- hashing and comparing --------------------------------------------------------------------------------------------- */

int64_t ty_str_hash(Value v)
{
    TyStr *s = ty_as_str(v);
    int64_t hash = ty_load_relaxed(&s->hash);
    if (TY_UNLIKELY(hash == 0)) {
        hash = ty_hash_bytes(ty_str_data(v), (size_t)(s->length * ty_str_width(v)));
        ty_store_relaxed(&s->hash, hash);
    }
    return hash;
}

bool ty_str_equal(Value a, Value b)
{
    if (a == b)
        return true;
    TyStr *x = ty_as_str(a), *y = ty_as_str(b);
    uint32_t both = ty_object_bits(&x->base), bits = ty_object_bits(&y->base);
    if (x->length != y->length || (both & bits & TY_STR_INTERNED))
        return false;
    int64_t hash = ty_load_relaxed(&x->hash), other = ty_load_relaxed(&y->hash);
    if (hash != other && hash && other)
        return false;
    if ((both ^ bits) & TY_STR_GROWN && ty_str_width(a) != ty_str_width(b))
        return false;
    return memcmp(ty_str_data(a), ty_str_data(b), (size_t)(x->length * ty_str_width(a))) == 0;
}

bool ty_str_equal_text(Value v, const char *ascii)
{
    size_t size = strlen(ascii);
    return (int64_t)size == ty_str_length(v) && ty_str_is_ascii(v) && memcmp(ty_str_data(v), ascii, size) == 0;
}

int ty_str_compare(Value a, Value b)
{
    int64_t m = ty_str_length(a), n = ty_str_length(b), shorter = TY_MIN(m, n);
    const uint8_t *x = ty_str_data(a), *y = ty_str_data(b);
    int x_width = ty_str_width(a), y_width = ty_str_width(b);
    if (x_width == 1 && y_width == 1) {
        int order = memcmp(x, y, (size_t)shorter);
        if (order)
            return order;
    } else {
        for (int64_t i = 0; i < shorter; i++) {
            uint32_t c = ty_char_at(x, x_width, i), d = ty_char_at(y, y_width, i);
            if (c != d)
                return c < d ? -1 : 1;
        }
    }
    return m < n ? -1 : m > n;
}

/* --- taking apart and putting together ----------------------------------------------------------------------------------- */

Value ty_str_slice(Value v, int64_t start, int64_t end)
{
    int64_t length = end - start;
    if (length <= 0)
        return ty_str_empty();
    if (length == ty_str_length(v) && ty_is_exact_str(v))
        return v;
    int width = ty_str_width(v);
    const uint8_t *from = ty_str_data(v) + start * width;
    if (length > 1 && ty_str_is_ascii(v)) {
        Value part = allocate(length, 1, TY_STR_ASCII);
        if (part != TY_NULL)
            memcpy(ty_str_fill(part), from, (size_t)length);
        return part;
    }
    return ty_str_from_chars(from, width, length);
}

Value ty_str_concat(Value a, Value b)
{
    int64_t m = ty_str_length(a), n = ty_str_length(b);
    if (m == 0 && ty_is_exact_str(b))
        return b;
    if (n == 0 && ty_is_exact_str(a))
        return a;
    if (TY_UNLIKELY(m > INT64_MAX - n))
        return ty_raise(&ty_OverflowError, "strings are too large to concat");
    uint32_t range = TY_MAX(ty_str_range(a), ty_str_range(b));
    Value v = ty_str_allocate(m + n, range);
    if (v == TY_NULL)
        return TY_NULL;
    int width = ty_max_char_width(range);
    uint8_t *out = ty_str_fill(v);
    ty_copy_chars(out, width, ty_str_data(a), ty_str_width(a), m);
    ty_copy_chars(out + m * width, width, ty_str_data(b), ty_str_width(b), n);
    if (TY_UNLIKELY(m + n <= 1)) /* of instances of subclasses */
        return ty_str_from_chars(out, width, m + n);
    return v;
}

/* --- text that grows ------------------------------------------------------------------------------------------------------- */

#define GROWN_LEAST 192 /* characters; below, copying is as good */

TyType ty_text_buffer_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyTextBuffer), .item_size = 1},
    .flags = TY_TYPE_VARIABLE | TY_TYPE_IMMUTABLE,
    .name = "text buffer",
};

void ty_str_trace(TyObject *self, TyMarker *marker)
{
    if (ty_str_is_grown(ty_from_object(self)))
        ty_mark(marker, ty_from_object(((TyGrownStr *)(void *)self)->buffer));
}

static TyTextBuffer *text_buffer(int64_t capacity, int width)
{
    TyTextBuffer *buffer = ty_allocate_dirty(&ty_text_buffer_type, sizeof(TyTextBuffer) + (size_t)(capacity * width));
    if (buffer) {
        buffer->capacity = capacity;
        buffer->width = width;
        ty_store_relaxed(&buffer->used, 0);
    }
    return buffer;
}

/* Claims the room behind `a`, if it is in a buffer and no one has it yet. */
static TyTextBuffer *claim(Value a, int64_t length, int64_t more, int width)
{
    if (!ty_str_is_grown(a))
        return NULL;
    TyTextBuffer *buffer = ty_str_buffer(a);
    int64_t used = length;
    if (buffer->width < width || more > buffer->capacity - length ||
        !atomic_compare_exchange_strong_explicit(&buffer->used, &used, length + more, memory_order_relaxed, memory_order_relaxed))
        return NULL;
    return buffer;
}

Value ty_str_append(Value a, Value b)
{
    int64_t m = ty_str_length(a), n = ty_str_length(b), length = m + n;
    if (length < GROWN_LEAST || n > m || n == 0 || length > (int64_t)1 << 48)
        return ty_str_concat(a, b);
    TyGrownStr *grown = ty_allocate(&ty_str_type, sizeof *grown);
    if (!grown)
        return TY_NULL;
    int width = TY_MAX(ty_str_width(a), ty_str_width(b));
    TyTextBuffer *buffer = claim(a, m, n, width);
    if (!buffer) {
        buffer = text_buffer(length + length / 2, width);
        if (!buffer)
            return TY_NULL;
        ty_store_relaxed(&buffer->used, length);
        ty_copy_chars(buffer->data, width, ty_str_data(a), ty_str_width(a), m);
    }
    width = buffer->width;
    ty_copy_chars(buffer->data + m * width, width, ty_str_data(b), ty_str_width(b), n);
    grown->str.length = length;
    ty_store_pointer(grown, &grown->buffer, buffer);
    uint32_t ascii = ty_object_bits(ty_object(a)) & ty_object_bits(ty_object(b)) & TY_STR_ASCII;
    ty_store_relaxed(&grown->str.base.bits, ty_load_relaxed(&grown->str.base.bits) | TY_STR_GROWN | ascii);
    return ty_from_object(grown);
}

Value ty_str_repeat(Value v, int64_t count)
{
    int64_t length = ty_str_length(v);
    if (count <= 0 || length == 0)
        return ty_str_empty();
    if (count == 1)
        return ty_str_exact(v);
    if (length > (INT64_MAX >> 4) / count)
        return ty_raise(&ty_OverflowError, "repeated string is too long");
    Value result = ty_str_allocate(length * count, ty_str_range(v));
    if (result == TY_NULL)
        return TY_NULL;
    int width = ty_str_width(v);
    uint8_t *out = ty_str_fill(result);
    if (length == 1) {
        ty_fill_chars(out, width, ty_str_at(v, 0), count);
        return result;
    }
    size_t size = (size_t)(length * width), total = size * (size_t)count, done = size;
    memcpy(out, ty_str_data(v), size);
    while (done < total) { /* doubles what is there */
        size_t more = TY_MIN(done, total - done);
        memcpy(out + done, out, more);
        done += more;
    }
    return result;
}

Value ty_str_join_array(Value separator, const Value *items, size_t count)
{
    if (count == 0)
        return ty_str_empty();
    if (count == 1 && ty_is_exact_str(items[0]))
        return items[0];
    int64_t gap = ty_str_length(separator), total = 0;
    uint32_t range = count > 1 && gap ? ty_str_range(separator) : 0x7F;
    for (size_t i = 0; i < count; i++) {
        if (TY_UNLIKELY(!ty_is_str(items[i])))
            return ty_raise(&ty_TypeError, "sequence item %zd: expected str instance, %T found", i, items[i]);
        int64_t more = ty_str_length(items[i]) + (i ? gap : 0);
        if (TY_UNLIKELY(total > INT64_MAX - more))
            return ty_raise(&ty_OverflowError, "join() result is too long for a Python string");
        total += more;
        if (!ty_str_is_ascii(items[i]) && ty_str_length(items[i]))
            range = TY_MAX(range, ty_str_range(items[i]));
    }
    if (total == 0)
        return ty_str_empty();
    Value v = ty_str_allocate(total, range);
    if (v == TY_NULL)
        return TY_NULL;
    int width = ty_max_char_width(range), gap_width = ty_str_width(separator);
    const uint8_t *gap_data = ty_str_data(separator);
    uint8_t *out = ty_str_fill(v);
    for (size_t i = 0; i < count; i++) {
        if (i && gap) {
            if (gap == 1 && width == 1)
                *out = *gap_data;
            else
                ty_copy_chars(out, width, gap_data, gap_width, gap);
            out += gap * width;
        }
        int64_t length = ty_str_length(items[i]);
        if (length == 1 && width == 1)
            *out = *ty_str_data(items[i]);
        else
            ty_copy_chars(out, width, ty_str_data(items[i]), ty_str_width(items[i]), length);
        out += length * width;
    }
    if (total == 1)
        return ty_str_from_chars(ty_str_data(v), width, 1);
    return v;
}

Value ty_str_join(Value separator, Value iterable)
{
    Value items = iterable;
    if (!ty_is_exact_tuple(items)) {
        /* A list is taken as it is only while no other thread can change it between the two passes. */
        if (ty_is_exact_list(items) && !ty_load_relaxed(&ty_many_threads)) {
            TyArray *array = ty_load_acquire(&ty_as_list(items)->items);
            return ty_str_join_array(separator, array ? array->items : NULL, (size_t)ty_list_length(items));
        }
        items = ty_sequence_tuple(iterable);
        if (items == TY_NULL) {
            if (ty_raised_is(&ty_TypeError) && ty_type_of(iterable)->slots.iter == NULL && !ty_is_sequence(iterable)) {
                ty_clear_exception();
                return ty_raise(&ty_TypeError, "can only join an iterable");
            }
            return TY_NULL;
        }
    }
    return ty_str_join_array(separator, ty_as_tuple(items)->items, (size_t)ty_tuple_length(items));
}

/* --- searching ------------------------------------------------------------------------------------------------------------ */

/* A needle in the width of the text that it is looked for in. */
typedef struct Needle {
    const void *data;
    void *allocated;
    char room[256];
} Needle;

static bool widen_needle(Needle *n, Value needle, int width)
{
    int64_t length = ty_str_length(needle);
    n->allocated = NULL;
    n->data = ty_str_data(needle);
    if (ty_str_width(needle) == width)
        return true;
    void *room = n->room;
    if ((size_t)(length * width) > sizeof n->room) {
        room = n->allocated = malloc((size_t)(length * width));
        if (!room) {
            ty_raise_memory_error();
            return false;
        }
    }
    ty_copy_chars(room, width, ty_str_data(needle), ty_str_width(needle), length);
    n->data = room;
    return true;
}

int64_t ty_str_find(Value v, Value needle, int64_t start, int64_t end, int direction)
{
    int64_t length = ty_str_length(needle);
    int width = ty_str_width(v);
    if (end - start < length)
        return -1;
    if (length == 0)
        return direction >= 0 ? start : end;
    if (ty_str_width(needle) > width)
        return -1;
    const uint8_t *text = ty_str_data(v) + start * width;
    Needle n;
    if (!widen_needle(&n, needle, width))
        return -2;
    int64_t at = direction >= 0 ? ty_find(text, end - start, n.data, length, width)
                                : ty_rfind(text, end - start, n.data, length, width);
    free(n.allocated);
    return at < 0 ? -1 : start + at;
}

int64_t ty_str_find_char(Value v, uint32_t c, int64_t start, int64_t end, int direction)
{
    int width = ty_str_width(v);
    const uint8_t *text = ty_str_data(v) + start * width;
    int64_t at = direction >= 0 ? ty_find_char(text, end - start, c, width) : ty_rfind_char(text, end - start, c, width);
    return at < 0 ? -1 : start + at;
}

static bool builder_room(TyStrBuilder *b, int64_t more, uint32_t max_char);

/* Characters for characters: the length stays. */
static Value replace_chars(Value v, uint32_t old, uint32_t c, int64_t count)
{
    int64_t length = ty_str_length(v), at = ty_str_find_char(v, old, 0, length, 1);
    if (at < 0)
        return ty_str_exact(v);
    int width = ty_str_width(v);
    if (ty_max_char_width(c) > width || (width > 1 && ty_max_char_width(old) == width))
        return TY_NULL; /* the kind may change: the general way */
    uint32_t range = ty_str_range(v);
    if (range < 0x80 && c >= 0x80)
        range = 0xFF;
    else if (range == 0xFF && old >= 0x80)
        return TY_NULL;
    Value result = ty_str_allocate(length, range);
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_str_fill(result);
    if (length == 1)
        return ty_str_from_char(c);
    const uint8_t *text = ty_str_data(v);
    if (width == 1 && count >= length) { /* by vectors */
        for (int64_t i = 0; i < length; i++)
            out[i] = text[i] == (uint8_t)old ? (uint8_t)c : text[i];
        return result;
    }
    memcpy(out, text, (size_t)(length * width));
    for (; count > 0 && at >= 0; count--) {
        if (width == 1)
            out[at] = (uint8_t)c;
        else if (width == 2)
            ((uint16_t *)out)[at] = (uint16_t)c;
        else
            ((uint32_t *)out)[at] = c;
        at = at + 1 < length ? ty_str_find_char(v, old, at + 1, length, 1) : -1;
    }
    return result;
}

/* The new text before each character, and at the end. */
static Value interleave(Value v, Value new_, int64_t count)
{
    int64_t length = ty_str_length(v);
    count = TY_MIN(count, length + 1);
    TyStrBuilder b = {0};
    for (int64_t i = 0; i < count && !b.failed; i++) {
        ty_builder_add(&b, new_);
        if (i < length)
            ty_builder_add_char(&b, ty_str_at(v, i));
    }
    if (count < length)
        ty_builder_add_slice(&b, v, count, length);
    return ty_builder_finish(&b);
}

Value ty_str_replace(Value v, Value old, Value new_, int64_t count)
{
    int64_t length = ty_str_length(v), m = ty_str_length(old);
    int width = ty_str_width(v);
    if (count < 0)
        count = INT64_MAX;
    if (count == 0 || m > length || ty_str_width(old) > width)
        return ty_str_exact(v);
    if (m == 0)
        return interleave(v, new_, count);
    if (m == 1 && ty_str_length(new_) == 1) {
        Value result = replace_chars(v, ty_str_at(old, 0), ty_str_at(new_, 0), count);
        if (result != TY_NULL || ty_raised())
            return result;
    }
    Needle n;
    if (!widen_needle(&n, old, width))
        return TY_NULL;
    const uint8_t *text = ty_str_data(v);
    int64_t at = ty_find(text, length, n.data, m, width), from = 0;
    if (at < 0) {
        free(n.allocated);
        return ty_str_exact(v);
    }
    TyStrBuilder b = {0};
    if (ty_str_length(new_) <= 2 * m) /* about as long as before: one allocation */
        builder_room(&b, length, ty_str_is_ascii(v) && ty_str_is_ascii(new_) ? 0x7F : 0);
    while (at >= 0 && count-- > 0 && !b.failed) {
        ty_builder_add_slice(&b, v, from, from + at);
        ty_builder_add(&b, new_);
        from += at + m;
        at = ty_find(text + from * width, length - from, n.data, m, width);
    }
    free(n.allocated);
    ty_builder_add_slice(&b, v, from, length);
    return ty_builder_finish(&b);
}

/* --- building ------------------------------------------------------------------------------------------------------------------ */

static bool builder_fail(TyStrBuilder *b)
{
    b->failed = true;
    b->capacity = b->length;
    return false;
}

/* Room for `more` characters up to max_char: the buffer is a str of `capacity` characters. */
static TY_NOINLINE bool builder_grow(TyStrBuilder *b, int64_t more, uint32_t max_char)
{
    uint32_t range = TY_MAX(b->max_char, max_char);
    int width = ty_max_char_width(range);
    if (more > (INT64_MAX >> 4) - b->length) {
        ty_raise_memory_error();
        return builder_fail(b);
    }
    int64_t needed = b->length + more, capacity = b->capacity;
    if (needed > capacity)
        capacity = b->buffer == TY_NULL ? TY_MAX(needed, 24) : needed + needed / 2;
    Value buffer = allocate(capacity, width, 0);
    if (buffer == TY_NULL)
        return builder_fail(b);
    if (b->length)
        ty_copy_chars(ty_str_fill(buffer), width, ty_str_data(b->buffer), b->width, b->length);
    b->buffer = buffer;
    b->capacity = capacity;
    b->width = width;
    b->max_char = range;
    return true;
}

static inline bool builder_room(TyStrBuilder *b, int64_t more, uint32_t max_char)
{
    if (TY_UNLIKELY(b->failed))
        return false;
    if (TY_LIKELY(more <= b->capacity - b->length)) {
        if (max_char <= b->max_char)
            return true;
        if (ty_max_char_width(max_char) <= b->width) {
            b->max_char = max_char;
            return true;
        }
    }
    return builder_grow(b, more, max_char);
}

TY_INLINE void *builder_end(TyStrBuilder *b) { return ty_str_fill(b->buffer) + b->length * b->width; }

bool ty_builder_add_slice(TyStrBuilder *b, Value str, int64_t start, int64_t end)
{
    if (start >= end)
        return !b->failed;
    uint32_t range = ty_str_range(str);
    if (range > b->max_char && range > 0x7F && (start > 0 || end < ty_str_length(str)))
        range = ty_str_range_of(str, start, end);
    if (!builder_room(b, end - start, range))
        return false;
    int width = ty_str_width(str);
    ty_copy_chars(builder_end(b), b->width, ty_str_data(str) + start * width, width, end - start);
    b->length += end - start;
    return true;
}

bool ty_builder_add(TyStrBuilder *b, Value str) { return ty_builder_add_slice(b, str, 0, ty_str_length(str)); }

bool ty_builder_add_any_char(TyStrBuilder *b, uint32_t c)
{
    uint32_t range = c < 0x80 ? 0x7F : c < 0x100 ? 0xFF : c < 0x10000 ? 0xFFFF : 0x10FFFF;
    if (!builder_room(b, 1, range))
        return false;
    ty_fill_chars(builder_end(b), b->width, c, 1);
    b->length++;
    return true;
}

bool ty_builder_add_ascii(TyStrBuilder *b, const char *ascii, size_t size)
{
    if (size == 0)
        return !b->failed;
    if (!builder_room(b, (int64_t)size, 0x7F))
        return false;
    ty_copy_chars(builder_end(b), b->width, ascii, 1, (int64_t)size);
    b->length += (int64_t)size;
    return true;
}

bool ty_builder_add_text(TyStrBuilder *b, const char *ascii) { return ty_builder_add_ascii(b, ascii, strlen(ascii)); }

bool ty_builder_add_repr(TyStrBuilder *b, Value v)
{
    if (b->failed)
        return false;
    if (ty_is_immediate_int(v)) {
        char text[24], *at = text + sizeof text;
        int64_t number = ty_immediate_int(v);
        uint64_t rest = number < 0 ? (uint64_t)-number : (uint64_t)number;
        do
            *--at = (char)('0' + rest % 10);
        while ((rest /= 10) != 0);
        if (number < 0)
            *--at = '-';
        return ty_builder_add_ascii(b, at, (size_t)(text + sizeof text - at));
    }
    Value repr = ty_repr(v);
    return repr == TY_NULL ? builder_fail(b) : ty_builder_add(b, repr);
}

Value ty_builder_finish(TyStrBuilder *b)
{
    if (b->failed)
        return TY_NULL;
    if (b->length <= 1 || b->capacity - b->length > b->length / 4 + 32) {
        if (b->length == 0)
            return ty_str_empty();
        if (b->length == 1)
            return ty_str_from_chars(ty_str_data(b->buffer), b->width, 1);
        Value v = allocate(b->length, b->width, ty_str_kind_bits(b->max_char));
        if (v != TY_NULL)
            memcpy(ty_str_fill(v), ty_str_data(b->buffer), (size_t)(b->length * b->width));
        return v;
    }
    TyStr *s = ty_as_str(b->buffer);
    memset(builder_end(b), 0, (size_t)b->width);
    s->length = b->length;
    ty_store_relaxed(&s->base.bits, ty_load_relaxed(&s->base.bits) | ty_str_kind_bits(b->max_char));
    b->buffer = TY_NULL;
    return ty_from_object(s);
}

/* --- repr --------------------------------------------------------------------------------------------------------------------------- */

static void put_escape(TyStrBuilder *b, uint32_t c)
{
    static const char digits[] = "0123456789abcdef";
    char text[10] = {'\\'};
    int count = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    text[1] = count == 2 ? 'x' : count == 4 ? 'u' : 'U';
    for (int i = 0; i < count; i++)
        text[2 + i] = digits[(c >> (4 * (count - 1 - i))) & 15];
    ty_builder_add_ascii(b, text, (size_t)count + 2);
}

Value ty_str_repr(Value v)
{
    int64_t length = ty_str_length(v);
    bool single = ty_str_find_char(v, '\'', 0, length, 1) >= 0;
    char quote = single && ty_str_find_char(v, '"', 0, length, 1) < 0 ? '"' : '\'';
    TyStrBuilder b = {0};
    builder_room(&b, length + 2, ty_str_is_ascii(v) ? 0x7F : 0);
    ty_builder_add_char(&b, (uint32_t)quote);
    int64_t plain = 0; /* start of what needs no escape */
    for (int64_t i = 0; i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(v, i);
        if (c == (uint32_t)quote || c == '\\' || c < ' ' || c >= 0x7F) {
            if (c >= 0x7F && ty_unicode_is_printable(c))
                continue;
        } else {
            continue;
        }
        ty_builder_add_slice(&b, v, plain, i);
        plain = i + 1;
        if (c == (uint32_t)quote || c == '\\') {
            ty_builder_add_char(&b, '\\');
            ty_builder_add_char(&b, c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            ty_builder_add_text(&b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else {
            put_escape(&b, c);
        }
    }
    ty_builder_add_slice(&b, v, plain, length);
    ty_builder_add_char(&b, (uint32_t)quote);
    return ty_builder_finish(&b);
}

/* ascii(): the repr with everything beyond ASCII escaped. */
Value ty_ascii(Value v)
{
    Value repr = ty_repr(v);
    if (repr == TY_NULL || ty_str_is_ascii(repr))
        return repr;
    TyStrBuilder b = {0};
    int64_t length = ty_str_length(repr);
    for (int64_t i = 0; i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(repr, i);
        if (c < 0x80)
            ty_builder_add_char(&b, c);
        else
            put_escape(&b, c);
    }
    return ty_builder_finish(&b);
}

/* --- UTF-8 ------------------------------------------------------------------------------------------------------------------------------ */

/* UTF-8 in a bytes object; lone surrogates from U+DC80 become single bytes if `escape`, any other is an error. */
static Value encode_utf8(Value v, bool escape)
{
    int64_t length = ty_str_length(v);
    const uint8_t *data = ty_str_data(v);
    int width = ty_str_width(v);
    if (ty_str_is_ascii(v))
        return ty_bytes_new(data, (size_t)length);
    size_t surrogate = (size_t)length, size;
    if (width == 1)
        size = ty_utf8_size_1(data, (size_t)length);
    else if (width == 2)
        size = ty_utf8_size_2((const uint16_t *)(const void *)data, (size_t)length, &surrogate);
    else
        size = ty_utf8_size_4((const uint32_t *)(const void *)data, (size_t)length, &surrogate);
    if (surrogate < (size_t)length) {
        int64_t bad = (int64_t)surrogate, end;
        size = 0;
        for (int64_t i = 0; i < length && escape; i++) {
            uint32_t c = ty_str_at(v, i);
            if (!ty_is_surrogate(c)) {
                size += (size_t)ty_utf8_size(c);
            } else if (c >= 0xDC80 && c <= 0xDCFF) {
                size++;
            } else {
                bad = i;
                escape = false;
            }
        }
        if (!escape) {
            for (end = bad + 1; end < length && ty_is_surrogate(ty_str_at(v, end));)
                end++;
            Value error = ty_encode_error_new("utf-8", v, bad, end, "surrogates not allowed");
            return error == TY_NULL ? TY_NULL : ty_raise_object(error);
        }
    }
    Value bytes = ty_bytes_new(NULL, size);
    if (bytes == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_as_bytes(bytes)->data;
    if (surrogate < (size_t)length) {
        for (int64_t i = 0; i < length; i++) {
            uint32_t c = ty_str_at(v, i);
            if (ty_is_surrogate(c))
                *out++ = (uint8_t)c;
            else
                out += ty_utf8_put(c, out);
        }
    } else if (width == 1) {
        ty_utf8_encode_1(data, (size_t)length, out);
    } else if (width == 2) {
        ty_utf8_encode_2((const uint16_t *)(const void *)data, (size_t)length, out);
    } else {
        ty_utf8_encode_4((const uint32_t *)(const void *)data, (size_t)length, out);
    }
    return bytes;
}

Value ty_str_encode_utf8(Value v, const char *errors)
{
    if (!errors || strcmp(errors, "strict") == 0)
        return encode_utf8(v, false);
    if (strcmp(errors, "surrogateescape") == 0)
        return encode_utf8(v, true);
    Value name = ty_str_from_text(errors);
    return name == TY_NULL ? TY_NULL : ty_utf8_encode(v, name);
}

Value ty_str_encode_fs(Value v) { return encode_utf8(v, true); }

const char *ty_str_utf8(Value v, size_t *size, Value *holder)
{
    *holder = v;
    if (ty_str_is_ascii(v) && !ty_str_is_grown(v)) {
        *size = (size_t)ty_str_length(v);
        return (const char *)ty_str_data(v);
    }
    Value bytes = encode_utf8(v, false);
    if (bytes == TY_NULL)
        return NULL;
    *holder = bytes;
    *size = (size_t)ty_bytes_length(bytes);
    return (const char *)ty_bytes_data(bytes);
}

/* --- formats of C -------------------------------------------------------------------------------------------------------------------- */

static Value full_type_name(TyType *type)
{
    if (!(type->flags & TY_TYPE_HEAP))
        return ty_str_from_text(type->name);
    Value module = ty_type_module(type);
    if (module == TY_NULL)
        ty_clear_exception();
    if (module == TY_NULL || !ty_is_str(module) || ty_str_equal_text(module, "builtins") || ty_str_equal_text(module, "__main__"))
        return type->qualname_value;
    return ty_str_format("%U.%U", module, type->qualname_value);
}

/* One conversion: `spec` is what stands between '%' and its letter. */
typedef struct Conversion {
    char spec[32];
    int spec_length, long_count;
    bool is_size, has_precision;
    int precision;
} Conversion;

static const char *read_conversion(const char *p, Conversion *c, va_list *arguments)
{
    memset(c, 0, sizeof *c);
    c->spec[c->spec_length++] = '%';
    for (;; p++) {
        if (*p == 'l') {
            c->long_count++;
        } else if (*p == 'z') {
            c->is_size = true;
        } else if (*p == '*') {
            int n = va_arg(*arguments, int);
            if (c->has_precision)
                c->precision = n;
            c->spec_length += snprintf(c->spec + c->spec_length, 12, "%d", n);
        } else if (*p == '.' || *p == '-' || *p == '#' || *p == '+' || *p == ' ' || (*p >= '0' && *p <= '9')) {
            if (*p == '.')
                c->has_precision = true;
            else if (c->has_precision)
                c->precision = c->precision * 10 + (*p - '0');
            if (c->spec_length < 16)
                c->spec[c->spec_length++] = *p;
        } else {
            return p;
        }
    }
}

static void add_integer(TyStrBuilder *b, Conversion *c, char letter, va_list *arguments)
{
    char text[128];
    bool is_signed = letter == 'd' || letter == 'i', wide = c->long_count || c->is_size;
    memcpy(c->spec + c->spec_length, "ll", 2);
    c->spec[c->spec_length + 2] = letter;
    c->spec[c->spec_length + 3] = 0;
    int n;
    if (is_signed)
        n = snprintf(text, sizeof text, c->spec, wide ? (long long)va_arg(*arguments, int64_t) : (long long)va_arg(*arguments, int));
    else
        n = snprintf(text, sizeof text, c->spec,
                     wide ? (unsigned long long)va_arg(*arguments, uint64_t) : (unsigned long long)va_arg(*arguments, unsigned));
    ty_builder_add_ascii(b, text, (size_t)TY_MIN(n, (int)sizeof text - 1));
}

static void add_value(TyStrBuilder *b, char letter, Value v)
{
    Value text = TY_NULL;
    if (b->failed)
        return;
    switch (letter) {
    case 'R': text = ty_repr(v); break;
    case 'S': text = ty_str(v); break;
    case 'A': text = ty_ascii(v); break;
    case 'U': text = v; break;
    case 'T': text = ty_str_from_text(ty_type_of(v)->name); break;
    case 'N': text = full_type_name(ty_type_of(v)); break;
    }
    if (text == TY_NULL)
        b->failed = true;
    else
        ty_builder_add(b, text);
}

Value ty_str_format_va(const char *format, va_list source)
{
    TyStrBuilder b = {0};
    va_list arguments;
    va_copy(arguments, source);
    for (const char *p = format; *p;) {
        const char *percent = strchr(p, '%');
        size_t plain = percent ? (size_t)(percent - p) : strlen(p);
        add_lenient_utf8(&b, (const uint8_t *)p, plain, true);
        if (!percent)
            break;
        Conversion c;
        p = read_conversion(percent + 1, &c, &arguments);
        char letter = *p ? *p++ : '%';
        switch (letter) {
        case '%': ty_builder_add_char(&b, '%'); break;
        case 'c': ty_builder_add_char(&b, (uint32_t)va_arg(arguments, int)); break;
        case 's': {
            const char *text = va_arg(arguments, const char *);
            if (!text)
                text = "(null)";
            size_t size = c.has_precision ? strnlen(text, (size_t)c.precision) : strlen(text);
            add_lenient_utf8(&b, (const uint8_t *)text, size, true);
            break;
        }
        case 'd': case 'i': case 'u': case 'x': case 'X': case 'o': add_integer(&b, &c, letter, &arguments); break;
        case 'p': {
            char text[32];
            ty_builder_add_ascii(&b, text, (size_t)snprintf(text, sizeof text, "%p", va_arg(arguments, void *)));
            break;
        }
        default: add_value(&b, letter, va_arg(arguments, Value)); break;
        }
    }
    va_end(arguments);
    return ty_builder_finish(&b);
}

Value ty_str_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Value v = ty_str_format_va(format, arguments);
    va_end(arguments);
    return v;
}
