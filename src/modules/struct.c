/* _struct: values to bytes and back, as a format string lays them out.
 *
 * A format is compiled once into a Layout, an immutable heap object: one entry for each run of values of a kind. Struct
 * objects hold a layout; the module's functions look theirs up in a cache of the interpreter. */
#include "base/utf8.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <math.h>

typedef struct Entry {
    char code;
    uint8_t item_size;
    int64_t offset;
    int64_t repeat; /* items; for s and p the size of the one item */
} Entry;

typedef struct Layout {
    TyObject base;
    Value format;      /* str */
    int64_t size;      /* bytes */
    int64_t values;    /* Python values that go in or come out */
    int64_t entries;
    bool little;
    Entry entry[];
} Layout;

static void layout_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Layout *)self)->format); }

static TyType layout_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Layout), .item_size = sizeof(Entry), .trace = layout_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_struct.layout",
    .parent = &ty_object_base_type,
};

enum { STATE_ERROR, STATE_CACHE, STATE_COUNT };
enum { CACHE_LIMIT = 100 };

static Value *module_state(void)
{
    Value module = ty_module_current("_struct");
    return module == TY_NULL ? NULL : ty_module_state(module);
}

/* The class struct.error of the interpreter. */
static TyType *struct_error(void)
{
    Value *state = module_state();
    return state == NULL || state[STATE_ERROR] == TY_NULL ? &ty_ValueError : ty_as_type(state[STATE_ERROR]);
}

#define FAIL(...) ty_raise(struct_error(), __VA_ARGS__)

/* --- formats ---------------------------------------------------------------------------------------------------------- */

static const struct {
    char code;
    uint8_t standard, native, alignment; /* standard 0: in native formats only */
} kinds[] = {
    {'x', 1, 1, 1}, {'c', 1, 1, 1}, {'b', 1, 1, 1}, {'B', 1, 1, 1}, {'?', 1, 1, 1}, {'s', 1, 1, 1}, {'p', 1, 1, 1},
    {'h', 2, 2, 2}, {'H', 2, 2, 2}, {'i', 4, 4, 4}, {'I', 4, 4, 4},
    {'l', 4, sizeof(long), _Alignof(long)}, {'L', 4, sizeof(long), _Alignof(long)},
    {'q', 8, 8, _Alignof(long long)}, {'Q', 8, 8, _Alignof(long long)},
    {'n', 0, sizeof(size_t), _Alignof(size_t)}, {'N', 0, sizeof(size_t), _Alignof(size_t)},
    {'P', 0, sizeof(void *), _Alignof(void *)},
    {'e', 2, 2, 2}, {'f', 4, 4, 4}, {'d', 8, 8, _Alignof(double)}, {'F', 8, 8, 4}, {'D', 16, 16, _Alignof(double)},
};

static const bool host_is_little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

static int kind_of(char code)
{
    for (int i = 0; i < (int)TY_COUNT_OF(kinds); i++) {
        if (kinds[i].code == code)
            return i;
    }
    return -1;
}

/* One pass over the format: counts, and fills `layout` if there is one. False with struct.error raised. */
static bool scan_format(const char *format, size_t length, Layout *layout, int64_t *entries)
{
    const char *at = format, *end = format + length;
    bool native = true, little = host_is_little;
    if (at < end && strchr("@=<>!", *at) != NULL && *at != '\0') {
        native = *at == '@';
        little = *at == '<' || ((*at == '@' || *at == '=') && host_is_little);
        at++;
    }
    int64_t size = 0, values = 0, count = 0;
    while (at < end) {
        if (*at == ' ' || (*at >= '\t' && *at <= '\r')) {
            at++;
            continue;
        }
        int64_t repeat = 1;
        if (*at >= '0' && *at <= '9') {
            repeat = 0;
            for (; at < end && *at >= '0' && *at <= '9'; at++) {
                if (__builtin_mul_overflow(repeat, 10, &repeat) || __builtin_add_overflow(repeat, *at - '0', &repeat))
                    goto too_long;
            }
            if (at == end) {
                FAIL("repeat count given without format specifier");
                return false;
            }
        }
        int kind = *at == '\0' ? -1 : kind_of(*at);
        if (kind < 0 || (!native && kinds[kind].standard == 0)) {
            FAIL("bad char in struct format");
            return false;
        }
        char code = *at++;
        uint8_t item_size = native ? kinds[kind].native : kinds[kind].standard;
        if (native) {
            int64_t alignment = kinds[kind].alignment;
            if (__builtin_add_overflow(size, alignment - 1, &size))
                goto too_long;
            size -= size % alignment;
        }
        if (code != 'x' && (repeat > 0 || code == 's' || code == 'p')) {
            if (layout != NULL)
                layout->entry[count] = (Entry){code, item_size, size, repeat};
            count++;
            if (__builtin_add_overflow(values, code == 's' || code == 'p' ? 1 : repeat, &values))
                goto too_long;
        }
        int64_t bytes;
        if (__builtin_mul_overflow(repeat, (int64_t)item_size, &bytes) || __builtin_add_overflow(size, bytes, &size))
            goto too_long;
    }
    if (layout != NULL) {
        layout->size = size;
        layout->values = values;
        layout->entries = count;
        layout->little = little;
    }
    *entries = count;
    return true;
too_long:
    FAIL("total struct size too long");
    return false;
}

static Layout *make_layout(Value format)
{
    if (ty_is_bytes(format)) {
        format = ty_str_from_latin1((const char *)ty_bytes_data(format), (size_t)ty_bytes_length(format));
    } else if (!ty_is_str(format)) {
        ty_raise(&ty_TypeError, "Struct() argument 1 must be a str or bytes object, not %T", format);
        return NULL;
    } else if (!ty_str_is_ascii(format) && ty_call_method_one(format, TY_NAME("encode"), TY_NAME("ascii")) == TY_NULL) {
        return NULL;
    }
    if (format == TY_NULL)
        return NULL;
    const char *text = (const char *)ty_str_data(format);
    size_t length = (size_t)ty_str_length(format);
    int64_t entries;
    if (memchr(text, 0, length) != NULL) {
        FAIL("embedded null character");
        return NULL;
    }
    if (!scan_format(text, length, NULL, &entries))
        return NULL;
    Layout *layout = ty_allocate(&layout_type, sizeof(Layout) + (size_t)entries * sizeof(Entry));
    if (layout == NULL)
        return NULL;
    ty_store(layout, &layout->format, format);
    return scan_format(text, length, layout, &entries) ? layout : NULL;
}

static Layout *cached_layout(Value module, Value format)
{
    Value cache = ty_module_state(module)[STATE_CACHE];
    if (ty_is_exact(format, &ty_bytes_type) && ty_is_ascii(ty_bytes_data(format), (size_t)ty_bytes_length(format))) /* one kind of key: text and bytes of the same hash would be compared */
        format = ty_str_from_latin1((const char *)ty_bytes_data(format), (size_t)ty_bytes_length(format));
    if (format == TY_NULL)
        return NULL;
    bool usable = ty_is_exact_str(format);
    if (usable) {
        Value known = ty_dict_get(cache, format);
        if (known != TY_NULL)
            return (Layout *)ty_object(known);
        if (ty_raised())
            return NULL;
    }
    Layout *layout = make_layout(format);
    if (layout != NULL && usable) {
        if (ty_dict_length(cache) >= CACHE_LIMIT)
            ty_dict_clear(cache);
        if (!ty_dict_set(cache, format, ty_from_object(layout)))
            return NULL;
    }
    return layout;
}

/* --- numbers to bytes and back -------------------------------------------------------------------------------------------- */

static inline void put_integer(uint8_t *out, uint64_t number, int size, bool little)
{
    for (int i = 0; i < size; i++)
        out[little ? i : size - 1 - i] = (uint8_t)(number >> (8 * i));
}

static inline uint64_t get_integer(const uint8_t *in, int size, bool little)
{
    uint64_t number = 0;
    for (int i = 0; i < size; i++)
        number |= (uint64_t)in[little ? i : size - 1 - i] << (8 * i);
    return number;
}

/* A double's bits as a half, rounded to even; false if it is too large. */
static bool half_from_double(double d, uint16_t *out)
{
    uint16_t sign = signbit(d) ? 0x8000 : 0;
    if (isnan(d)) {
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        *out = (uint16_t)(sign | 0x7c00 | ((bits >> 42) & 0x3ff));
        if ((*out & 0x3ff) == 0)
            *out |= 0x200;
        return true;
    }
    if (isinf(d)) {
        *out = sign | 0x7c00;
        return true;
    }
    int exponent;
    double fraction = frexp(fabs(d), &exponent); /* from 0.5 to 1 */
    if (fraction == 0 || exponent < -24) {
        *out = sign;
        return true;
    }
    /* In units of the last of the eleven bits, or of the least subnormal. */
    int unit = exponent - 11 > -24 ? exponent - 11 : -24;
    uint32_t bits = (uint32_t)rint(ldexp(fraction, exponent - unit));
    if (unit > -24) {
        if (bits == 2048) {
            bits = 1024;
            unit++;
        }
        if (unit > 5)
            return false;
        *out = (uint16_t)(sign | ((uint32_t)(unit + 25) << 10) | (bits & 0x3ff));
    } else {
        *out = (uint16_t)(sign | bits); /* 1024 units are the least normal number: the field becomes 1 by itself */
    }
    return true;
}

static double double_from_half(uint16_t half)
{
    int field = half >> 10 & 0x1f, fraction = half & 0x3ff;
    double size;
    if (field == 31) {
        uint64_t bits = UINT64_C(0x7ff0000000000000) | (uint64_t)fraction << 42;
        memcpy(&size, &bits, sizeof size);
    } else {
        size = field == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, field - 25);
    }
    return half & 0x8000 ? -size : size;
}

static bool put_float(uint8_t *out, double d, int size, char code, bool little)
{
    if (size == 8) {
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        put_integer(out, bits, 8, little);
        return true;
    }
    if (size == 4) {
        float single = (float)d;
        uint32_t bits;
        if (isinf(single) && isfinite(d)) {
            ty_raise(&ty_OverflowError, "float too large to pack with %c format", code);
            return false;
        }
        memcpy(&bits, &single, sizeof bits);
        put_integer(out, bits, 4, little);
        return true;
    }
    uint16_t half;
    if (!half_from_double(d, &half)) {
        ty_raise(&ty_OverflowError, "float too large to pack with %c format", code);
        return false;
    }
    put_integer(out, half, 2, little);
    return true;
}

static double get_float(const uint8_t *in, int size, bool little)
{
    uint64_t bits = get_integer(in, size, little);
    if (size == 2)
        return double_from_half((uint16_t)bits);
    if (size == 4) {
        uint32_t narrow = (uint32_t)bits;
        float single;
        memcpy(&single, &narrow, sizeof single);
        return single;
    }
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* --- packing ------------------------------------------------------------------------------------------------------------------ */

static bool is_signed_code(char code) { return strchr("bhilqn", code) != NULL; }

static bool range_error(const Entry *entry)
{
    int bits = 8 * entry->item_size;
    if (is_signed_code(entry->code)) {
        int64_t greatest = (int64_t)(UINT64_MAX >> (65 - bits));
        FAIL("'%c' format requires %lld <= number <= %lld", entry->code, (long long)(-greatest - 1), (long long)greatest);
    } else {
        Value greatest = ty_int_from_uint64(UINT64_MAX >> (64 - bits));
        if (greatest != TY_NULL)
            FAIL("'%c' format requires 0 <= number <= %S", entry->code, greatest);
    }
    return false;
}

static bool pack_integer(uint8_t *out, Value v, const Entry *entry, bool little)
{
    if (!ty_is_int(v)) {
        if (!ty_has_index(v)) {
            FAIL("required argument is not an integer");
            return false;
        }
        v = ty_number_index(v);
        if (v == TY_NULL)
            return false;
    }
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    uint64_t size = big.size == 0 ? 0 : big.limbs[0];
    int bits = 8 * entry->item_size;
    bool fits = ty_big_length(big) <= 1;
    if (entry->code == 'P') {
        if (!fits) {
            FAIL("int too large to convert");
            return false;
        }
    } else if (is_signed_code(entry->code)) {
        uint64_t greatest = UINT64_MAX >> (65 - bits);
        fits = fits && size <= greatest + (big.size < 0);
    } else {
        fits = fits && big.size >= 0 && size <= UINT64_MAX >> (64 - bits);
    }
    if (!fits)
        return range_error(entry);
    put_integer(out, big.size < 0 ? -size : size, entry->item_size, little);
    return true;
}

/* The bytes of a bytes or bytearray object: false with struct.error for anything else. */
static bool pack_bytes(uint8_t *out, Value v, const Entry *entry)
{
    const uint8_t *data;
    int64_t length;
    TyBuffer view = {0};
    if (ty_is_bytes(v)) {
        data = ty_bytes_data(v);
        length = ty_bytes_length(v);
    } else if (ty_is_instance_of(v, &ty_bytearray_type)) {
        if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
            return false;
        data = view.data;
        length = view.length;
    } else {
        FAIL("argument for '%c' must be a bytes object", entry->code);
        return false;
    }
    int64_t room = entry->repeat;
    if (entry->code == 'p' && room > 0) {
        room--;
        int64_t shown = TY_MIN(length, room);
        *out++ = (uint8_t)TY_MIN(shown, 255);
    }
    memcpy(out, data, (size_t)TY_MIN(length, room));
    if (view.exporter != TY_NULL)
        ty_buffer_release(&view);
    return true;
}

static bool pack_one(uint8_t *out, Value v, const Entry *entry, bool little)
{
    double real, imaginary;
    int truth;
    switch (entry->code) {
    case 's':
    case 'p':
        return pack_bytes(out, v, entry);
    case 'c':
        if (!ty_is_bytes(v) || ty_bytes_length(v) != 1) {
            FAIL("char format requires a bytes object of length 1");
            return false;
        }
        *out = *ty_bytes_data(v);
        return true;
    case '?':
        truth = ty_is_true(v);
        *out = truth > 0;
        return truth >= 0;
    case 'e':
    case 'f':
    case 'd':
        if (ty_is_double(v)) {
            real = ty_double(v);
        } else if (!ty_to_double(v, &real)) {
            FAIL("required argument is not a float");
            return false;
        }
        return put_float(out, real, entry->item_size, entry->code, little);
    case 'F':
    case 'D':
        if (!ty_to_complex(v, &real, &imaginary)) {
            FAIL("required argument is not a complex");
            return false;
        }
        return put_float(out, real, entry->item_size / 2, entry->code == 'F' ? 'f' : 'd', little) &&
               put_float(out + entry->item_size / 2, imaginary, entry->item_size / 2, entry->code == 'F' ? 'f' : 'd', little);
    default:
        return pack_integer(out, v, entry, little);
    }
}

/* `out` is zeroed and has room for the layout; there are as many values as it takes. */
static bool pack_values(const Layout *layout, uint8_t *out, const Value *values)
{
    for (int64_t i = 0; i < layout->entries; i++) {
        const Entry *entry = &layout->entry[i];
        uint8_t *at = out + entry->offset;
        if (entry->code == 's' || entry->code == 'p') {
            if (!pack_one(at, *values++, entry, layout->little))
                return false;
            continue;
        }
        for (int64_t j = 0; j < entry->repeat; j++, at += entry->item_size) {
            if (!pack_one(at, *values++, entry, layout->little))
                return false;
        }
    }
    return true;
}

static Value pack(Layout *layout, const Value *values, size_t count)
{
    if ((int64_t)count != layout->values)
        return FAIL("pack expected %lld items for packing (got %zu)", (long long)layout->values, count);
    Value result = ty_bytes_new(NULL, (size_t)layout->size);
    if (result == TY_NULL)
        return TY_ERROR;
    return pack_values(layout, ty_as_bytes(result)->data, values) ? result : TY_ERROR;
}

/* Where in a buffer of `length` bytes an item of the layout's size at `offset` begins: -1 with struct.error. */
static int64_t place_in(const Layout *layout, int64_t offset, int64_t length, const char *function, const char *verb,
                        const char *short_of)
{
    if (offset < 0) {
        if (offset + layout->size > 0) {
            FAIL("%s %lld bytes at offset %lld", short_of, (long long)layout->size, (long long)offset);
            return -1;
        }
        if (offset + length < 0) {
            FAIL("offset %lld out of range for %lld-byte buffer", (long long)offset, (long long)length);
            return -1;
        }
        offset += length;
    }
    if (length - offset < layout->size) {
        Value needed = ty_int_add(ty_int_from_int64(layout->size), ty_int_from_int64(offset));
        if (needed != TY_NULL)
            FAIL("%s requires a buffer of at least %S bytes for %s %lld bytes at offset %lld (actual buffer size is %lld)", function,
                 needed, verb, (long long)layout->size, (long long)offset, (long long)length);
        return -1;
    }
    return offset;
}

/* arguments: buffer, offset, values… */
static Value pack_into(Layout *layout, const Value *arguments, size_t count)
{
    int64_t offset;
    if (count == 0)
        return FAIL("pack_into expected buffer argument");
    if (count == 1)
        return FAIL("pack_into expected offset argument");
    if ((int64_t)count - 2 != layout->values)
        return FAIL("pack_into expected %lld items for packing (got %zu)", (long long)layout->values, count - 2);
    TyBuffer view;
    if (!ty_buffer_get(arguments[0], &view, TY_BUFFER_WRITABLE)) {
        ty_clear_exception();
        return ty_raise(&ty_TypeError, "argument must be read-write bytes-like object, not %T", arguments[0]);
    }
    bool done = false;
    if (ty_to_size(arguments[1], &offset)) {
        int64_t place = place_in(layout, offset, view.length, "pack_into", "packing", "no space to pack");
        if (place >= 0 && !ty_load_relaxed(&ty_many_threads)) {
            memset(view.data + place, 0, (size_t)layout->size);
            done = pack_values(layout, view.data + place, arguments + 2);
        } else if (place >= 0) { /* in a place of its own, as others may be looking */
            Value packed = ty_bytes_new(NULL, (size_t)layout->size);
            if (packed != TY_NULL && layout->size > 0) {
                uint8_t *data = ty_as_bytes(packed)->data;
                memset(data, 0, (size_t)layout->size);
                done = pack_values(layout, data, arguments + 2);
                ty_buffer_move(view.data + place, data, (size_t)layout->size);
            } else {
                done = packed != TY_NULL;
            }
        }
    }
    ty_buffer_release(&view);
    return done ? TY_NONE : TY_ERROR;
}

/* --- unpacking ---------------------------------------------------------------------------------------------------------------- */

static Value unpack_one(const uint8_t *in, const Entry *entry, bool little)
{
    int size = entry->item_size;
    uint64_t bits;
    switch (entry->code) {
    case 's':
        return ty_bytes_new(in, (size_t)entry->repeat);
    case 'p':
        if (entry->repeat == 0)
            return ty_bytes_new("", 0);
        return ty_bytes_new(in + 1, (size_t)TY_MIN((int64_t)*in, entry->repeat - 1));
    case 'c':
        return ty_bytes_new(in, 1);
    case '?':
        return ty_from_bool(*in != 0);
    case 'e':
    case 'f':
    case 'd':
        return ty_from_double(get_float(in, size, little));
    case 'F':
    case 'D':
        return ty_complex_new(get_float(in, size / 2, little), get_float(in + size / 2, size / 2, little));
    default:
        bits = get_integer(in, size, little);
        if (!is_signed_code(entry->code))
            return ty_int_from_uint64(bits);
        return ty_int_from_int64((int64_t)(bits << (64 - 8 * size)) >> (64 - 8 * size));
    }
}

static Value unpack(const Layout *layout, const uint8_t *in)
{
    Value result = ty_tuple_new(layout->values);
    if (result == TY_NULL)
        return TY_ERROR;
    int64_t next = 0;
    for (int64_t i = 0; i < layout->entries; i++) {
        const Entry *entry = &layout->entry[i];
        const uint8_t *at = in + entry->offset;
        int64_t items = entry->code == 's' || entry->code == 'p' ? 1 : entry->repeat;
        for (int64_t j = 0; j < items; j++, at += entry->item_size) {
            Value item = unpack_one(at, entry, layout->little);
            if (item == TY_NULL)
                return TY_ERROR;
            ty_tuple_set(result, next++, item);
        }
    }
    return result;
}

/* What lies at a place of a view that other threads may be writing to is copied first. */
static Value unpack_at(const Layout *layout, const TyBuffer *view, int64_t place)
{
    if (view->read_only || layout->size == 0 || !ty_load_relaxed(&ty_many_threads))
        return unpack(layout, view->data + place);
    Value copy = ty_bytes_new(NULL, (size_t)layout->size);
    if (copy == TY_NULL)
        return TY_ERROR;
    ty_buffer_move(ty_as_bytes(copy)->data, view->data + place, (size_t)layout->size);
    return unpack(layout, ty_bytes_data(copy));
}

static Value unpack_whole(Layout *layout, Value buffer)
{
    TyBuffer view;
    if (!ty_buffer_get(buffer, &view, TY_BUFFER_SIMPLE))
        return TY_ERROR;
    Value result = view.length == layout->size
                       ? unpack_at(layout, &view, 0)
                       : FAIL("unpack requires a buffer of %lld bytes", (long long)layout->size);
    ty_buffer_release(&view);
    return result;
}

static Value unpack_from(Layout *layout, Value buffer, Value offset_value)
{
    int64_t offset = 0;
    TyBuffer view;
    if (offset_value != TY_NULL && !ty_to_size(offset_value, &offset))
        return TY_ERROR;
    if (!ty_buffer_get(buffer, &view, TY_BUFFER_SIMPLE))
        return TY_ERROR;
    int64_t place = place_in(layout, offset, view.length, "unpack_from", "unpacking", "not enough data to unpack");
    Value result = place < 0 ? TY_ERROR : unpack_at(layout, &view, place);
    ty_buffer_release(&view);
    return result;
}

/* --- iter_unpack ---------------------------------------------------------------------------------------------------------------- */

typedef struct UnpackIterator { /* under its lock */
    TyObject base;
    Value layout;
    TyBuffer view;   /* released at the end */
    int64_t next;
    bool finished;
} UnpackIterator;

static void iterator_trace(TyObject *self, TyMarker *marker)
{
    UnpackIterator *it = (UnpackIterator *)self;
    ty_mark(marker, it->layout);
    ty_mark(marker, it->view.exporter);
}

static Value iterator_iter(Value self) { return self; }

static Value iterator_next(Value self)
{
    UnpackIterator *it = (UnpackIterator *)ty_object(self);
    const Layout *layout = (const Layout *)ty_object(it->layout);
    bool locked = ty_object_lock(&it->base), at_end = false;
    Value result = TY_NULL;
    if (!it->finished) {
        at_end = it->finished = it->view.length - it->next < layout->size;
        if (!at_end) {
            result = unpack_at(layout, &it->view, it->next);
            it->next += layout->size;
        }
    }
    ty_object_unlock(&it->base, locked);
    if (at_end) /* may call Python: not under the lock */
        ty_buffer_release(&it->view);
    return result;
}

static Value iterator_length_hint(Value self, Value *a)
{
    UnpackIterator *it = (UnpackIterator *)ty_object(self);
    const Layout *layout = (const Layout *)ty_object(it->layout);
    bool locked = ty_object_lock(&it->base);
    int64_t left = it->finished ? 0 : (it->view.length - it->next) / layout->size;
    ty_object_unlock(&it->base, locked);
    return ty_int_from_int64(left);
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_length_hint, "How many tuples are left."),
    {0},
};

static TyType iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(UnpackIterator), .trace = iterator_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_struct.unpack_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_iter, .next = iterator_next},
    .methods = iterator_methods,
};

static Value iter_unpack(Layout *layout, Value buffer)
{
    if (layout->size == 0)
        return FAIL("cannot iteratively unpack with a struct of length 0");
    UnpackIterator *it = ty_allocate(&iterator_type, sizeof(UnpackIterator));
    if (it == NULL || !ty_buffer_get(buffer, &it->view, TY_BUFFER_SIMPLE))
        return TY_ERROR;
    if (it->view.length % layout->size != 0) {
        ty_buffer_release(&it->view);
        it->view.exporter = TY_NULL;
        return FAIL("iterative unpacking requires a buffer of a multiple of %lld bytes", (long long)layout->size);
    }
    ty_store(it, &it->layout, ty_from_object(layout));
    return ty_from_object(it);
}

/* --- Struct ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Struct {
    TyObject base;
    Value layout;   /* TY_NULL until initialised */
} Struct;

static void struct_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Struct *)self)->layout); }

static Layout *layout_of(Value self)
{
    Value layout = ty_field_acquire(&((Struct *)ty_object(self))->layout);
    if (layout == TY_NULL)
        ty_raise(&ty_RuntimeError, "Struct object is not initialized");
    return (Layout *)ty_object(layout);
}

static Value struct_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    return ty_type_allocate(type, 0);
}

static bool struct_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("Struct(format)");
    Value flat[1];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, flat))
        return false;
    Layout *layout = make_layout(flat[0]);
    if (layout == NULL)
        return false;
    ty_store_publish(ty_object(self), &((Struct *)ty_object(self))->layout, ty_from_object(layout));
    return true;
}

static Value struct_repr(Value self)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR : ty_str_format("%s(%R)", ty_type_short_name(ty_type_of(self)), layout->format);
}

static Value struct_pack(Value self, const Value *arguments, size_t count, Value keywords)
{
    Layout *layout = layout_of(self);
    return layout == NULL || !ty_no_keywords("pack", keywords) ? TY_ERROR : pack(layout, arguments, count);
}

static Value struct_pack_into(Value self, const Value *arguments, size_t count, Value keywords)
{
    Layout *layout = layout_of(self);
    return layout == NULL || !ty_no_keywords("pack_into", keywords) ? TY_ERROR : pack_into(layout, arguments, count);
}

static Value struct_unpack(Value self, Value *a)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR : unpack_whole(layout, a[0]);
}

static Value struct_unpack_from(Value self, Value *a)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR : unpack_from(layout, a[0], a[1]);
}

static Value struct_iter_unpack(Value self, Value *a)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR : iter_unpack(layout, a[0]);
}

static Value struct_sizeof(Value self, Value *a)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR
                          : ty_int_from_int64((int64_t)(sizeof(Struct) + sizeof(Layout)) + layout->entries * (int64_t)sizeof(Entry));
}

static Value struct_get_format(Value self)
{
    Layout *layout = layout_of(self);
    return layout == NULL ? TY_ERROR : layout->format;
}

static Value struct_get_size(Value self)
{
    Value layout = ty_field_acquire(&((Struct *)ty_object(self))->layout);
    return ty_int_from_int64(layout == TY_NULL ? -1 : ((Layout *)ty_object(layout))->size);
}

static const TyNativeDef struct_methods[] = {
    TY_RAW_METHOD("pack(v1, v2, ...)", struct_pack, "The bytes that the values become by the format."),
    TY_RAW_METHOD("pack_into(buffer, offset, v1, v2, ...)", struct_pack_into, "Writes the values by the format into a buffer, at the offset."),
    TY_METHOD("unpack(self, buffer, /)", struct_unpack, "The tuple of values in a buffer of exactly the format's size."),
    TY_METHOD("unpack_from(self, /, buffer, offset=0)", struct_unpack_from, "The tuple of values in a buffer from the offset on."),
    TY_METHOD("iter_unpack(self, buffer, /)", struct_iter_unpack, "An iterator of the tuples that lie in a buffer one after another."),
    TY_METHOD("__sizeof__(self, /)", struct_sizeof, "The size in memory, in bytes."),
    {0},
};

static const TyGetSetDef struct_getsets[] = {
    {"format", struct_get_format, NULL, "the format as a str"},
    {"size", struct_get_size, NULL, "the size of what is packed, in bytes"},
    {0},
};

static TyType struct_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Struct), .trace = struct_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "_struct.Struct",
    .doc = "Struct(format)\n--\n\nA format, ready to pack and unpack by.",
    .parent = &ty_object_base_type,
    .slots = {.repr = struct_repr, .new = struct_new, .init = struct_init},
    .methods = struct_methods,
    .getsets = struct_getsets,
};

/* --- the module's functions -------------------------------------------------------------------------------------------------------- */

static Value module_calcsize(Value self, Value *a)
{
    Layout *layout = cached_layout(self, a[0]);
    return layout == NULL ? TY_ERROR : ty_int_from_int64(layout->size);
}

static Value module_pack(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("pack", keywords))
        return TY_ERROR;
    if (count == 0)
        return ty_raise(&ty_TypeError, "missing format argument");
    Layout *layout = cached_layout(self, arguments[0]);
    return layout == NULL ? TY_ERROR : pack(layout, arguments + 1, count - 1);
}

static Value module_pack_into(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("pack_into", keywords))
        return TY_ERROR;
    if (count == 0)
        return ty_raise(&ty_TypeError, "missing format argument");
    Layout *layout = cached_layout(self, arguments[0]);
    return layout == NULL ? TY_ERROR : pack_into(layout, arguments + 1, count - 1);
}

static Value module_unpack(Value self, Value *a)
{
    Layout *layout = cached_layout(self, a[0]);
    return layout == NULL ? TY_ERROR : unpack_whole(layout, a[1]);
}

static Value module_unpack_from(Value self, Value *a)
{
    Layout *layout = cached_layout(self, a[0]);
    return layout == NULL ? TY_ERROR : unpack_from(layout, a[1], a[2]);
}

static Value module_iter_unpack(Value self, Value *a)
{
    Layout *layout = cached_layout(self, a[0]);
    return layout == NULL ? TY_ERROR : iter_unpack(layout, a[1]);
}

static Value module_clearcache(Value self, Value *a)
{
    ty_dict_clear(ty_module_state(self)[STATE_CACHE]);
    return TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("_clearcache()", module_clearcache, "Forgets the formats compiled so far."),
    TY_FUNCTION("calcsize(format, /)", module_calcsize, "The size in bytes of the struct that the format describes."),
    TY_RAW_FUNCTION("pack(format, v1, v2, ...)", module_pack, "The bytes that the values become by the format."),
    TY_RAW_FUNCTION("pack_into(format, buffer, offset, v1, v2, ...)", module_pack_into,
                    "Writes the values by the format into a buffer, at the offset."),
    TY_FUNCTION("unpack(format, buffer, /)", module_unpack, "The tuple of values in a buffer of exactly the format's size."),
    TY_FUNCTION("unpack_from(format, /, buffer, offset=0)", module_unpack_from, "The tuple of values in a buffer from the offset on."),
    TY_FUNCTION("iter_unpack(format, buffer, /)", module_iter_unpack,
                "An iterator of the tuples that lie in a buffer one after another."),
    {0},
};

static bool execute(Value module)
{
    if (!ty_type_ready(&layout_type) || !ty_type_ready(&iterator_type))
        return false;
    Value *state = ty_module_state(module);
    Value error = ty_type_from_name("struct.error", &ty_Exception, TY_NULL);
    Value cache = ty_dict_new();
    if (error == TY_NULL || cache == TY_NULL)
        return false;
    ty_store(ty_object(module), &state[STATE_ERROR], error);
    ty_store(ty_object(module), &state[STATE_CACHE], cache);
    return ty_module_add(module, "error", error);
}

static TyType *const types[] = {&struct_type, NULL};

const TyModuleDef ty_module_struct = {
    .name = "_struct",
    .doc = "Values packed into bytes and read back, laid out as a format string says: its first character\n"
           "may choose byte order and alignment (@ as in C here; = < > ! standard sizes, no padding), the\n"
           "others stand for values, each with an optional count before it.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
