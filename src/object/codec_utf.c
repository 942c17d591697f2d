/* UTF-8, UTF-16, UTF-32 and UTF-7. */
#include "base/utf8.h"

#include <stdlib.h>

#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/exception.h"

#define SURROGATES "surrogates not allowed"

/* --- UTF-8 ------------------------------------------------------------------------------------------------------- */

static int put_utf8(TyEncoder *e, uint32_t c)
{
    if (ty_is_surrogate(c))
        return 0;
    uint8_t bytes[4];
    return ty_encoder_put_bytes(e, bytes, ty_utf8_put(c, bytes)) ? 1 : -1;
}

/* The end of a run of surrogates. */
static int64_t surrogates_end(Value text, int64_t i)
{
    while (i < ty_str_length(text) && ty_is_surrogate(ty_str_at(text, i)))
        i++;
    return i;
}

/* With surrogates in the text, the first at `first`. */
static Value encode_utf8_with_errors(Value text, Value errors, int64_t first, size_t size)
{
    TyEncoder e;
    int64_t length = ty_str_length(text);
    if (!ty_encoder_start(&e, "utf-8", text, errors, (int64_t)size + 4 * (length - first)))
        return TY_NULL;
    e.put = put_utf8;
    bool good = true;
    for (int64_t i = 0; good && i < length;) {
        uint32_t c = ty_str_at(text, i);
        if (TY_LIKELY(!ty_is_surrogate(c))) {
            good = ty_encoder_grow(&e, 4);
            if (good)
                e.length += ty_utf8_put(c, e.bytes + e.length);
            i++;
        } else {
            good = ty_encoder_error(&e, i, surrogates_end(text, i), SURROGATES, &i);
        }
    }
    return ty_encoder_finish(&e, good);
}

Value ty_utf8_encode(Value text, Value errors)
{
    size_t length = (size_t)ty_str_length(text), surrogate = length, size;
    const uint8_t *data = ty_str_data(text);
    int width = ty_str_width(text);
    if (ty_str_is_ascii(text))
        return ty_bytes_new(data, length);
    size = width == 1   ? ty_utf8_size_1(data, length)
           : width == 2 ? ty_utf8_size_2((const uint16_t *)data, length, &surrogate)
                        : ty_utf8_size_4((const uint32_t *)data, length, &surrogate);
    if (surrogate < length)
        return encode_utf8_with_errors(text, errors, (int64_t)surrogate, size);
    Value result = ty_bytes_new(NULL, size);
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_as_bytes(result)->data;
    if (width == 1)
        ty_utf8_encode_1(data, length, out);
    else if (width == 2)
        ty_utf8_encode_2((const uint16_t *)data, length, out);
    else
        ty_utf8_encode_4((const uint32_t *)data, length, out);
    return result;
}

/* Bytes that a scan found valid. */
static Value decode_valid(const uint8_t *bytes, const TyUtf8Scan *scan)
{
    if (scan->max_char < 0x80)
        return ty_str_from_latin1((const char *)bytes, scan->valid);
    Value result = ty_str_allocate((int64_t)scan->characters, scan->max_char);
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *data = ty_as_str(result)->data;
    if (scan->max_char < 0x100)
        ty_utf8_decode_1(bytes, scan->valid, data);
    else if (scan->max_char < 0x10000)
        ty_utf8_decode_2(bytes, scan->valid, (uint16_t *)data);
    else
        ty_utf8_decode_4(bytes, scan->valid, (uint32_t *)data);
    return result;
}

/* Whether what stopped a scan may turn out well when more bytes come. The beginning of a surrogate may too: an error handler might
   want it whole. */
static bool may_continue(const uint8_t *bytes, size_t size, const TyUtf8Scan *scan)
{
    if (scan->error == TY_UTF8_UNEXPECTED_END)
        return true;
    return scan->error == TY_UTF8_INVALID_CONTINUATION && scan->valid + 2 == size && bytes[scan->valid] == 0xED &&
           (bytes[scan->valid + 1] & 0xE0) == 0xA0;
}

enum { STACK_TEXT = 4096 };

/* Text of the basic plane, which nearly all is, in one pass: TY_NULL without an exception if this is something else. */
static Value decode_basic_plane(const uint8_t *bytes, size_t size)
{
    uint16_t stack[STACK_TEXT];
    uint16_t *text = size <= STACK_TEXT ? stack : malloc(size * sizeof *text);
    if (!text)
        return TY_NULL;
    size_t count;
    Value result = ty_utf8_read_2(bytes, size, text, &count) == size ? ty_str_from_ucs2(text, count) : TY_NULL;
    if (text != stack)
        free(text);
    return result;
}

Value ty_utf8_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed)
{
    if (ty_is_ascii(bytes, size)) {
        if (consumed)
            *consumed = size;
        return ty_str_from_latin1((const char *)bytes, size);
    }
    Value text = decode_basic_plane(bytes, size);
    if (text != TY_NULL || ty_raised()) {
        if (consumed)
            *consumed = size;
        return text;
    }
    TyUtf8Scan scan;
    bool good = ty_utf8_scan(bytes, size, &scan);
    if (consumed)
        *consumed = scan.valid;
    if (good || (consumed && may_continue(bytes, size, &scan)))
        return decode_valid(bytes, &scan);

    TyDecoder d;
    good = ty_decoder_start(&d, "utf-8", bytes, size, input, errors);
    int64_t position = 0;
    while (good) {
        ty_utf8_scan(d.bytes + position, (size_t)(d.size - position), &scan);
        good = ty_decoder_grow(&d, (int64_t)scan.characters);
        if (!good)
            break;
        ty_utf8_decode_4(d.bytes + position, scan.valid, d.text + d.length);
        d.length += (int64_t)scan.characters;
        int64_t start = position + (int64_t)scan.valid, end = position + (int64_t)scan.error_end;
        if (scan.error == TY_UTF8_OK ||
            (consumed && may_continue(d.bytes + position, (size_t)(d.size - position), &scan))) {
            position = start;
            break;
        }
        good = ty_decoder_error(&d, start, end, ty_utf8_reason(scan.error), &position);
    }
    if (consumed)
        *consumed = (size_t)position;
    return ty_decoder_finish(&d, good);
}

/* --- UTF-16 ------------------------------------------------------------------------------------------------------ */

static bool native_is_big(void) { return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__; }

static int put_utf16(TyEncoder *e, uint32_t c)
{
    if (ty_is_surrogate(c))
        return 0;
    if (!ty_encoder_grow(e, 4))
        return -1;
    if (c >= 0x10000) {
        ty_store_16(e->bytes + e->length, ty_high_surrogate(c), e->big_endian);
        e->length += 2;
        c = ty_low_surrogate(c);
    }
    ty_store_16(e->bytes + e->length, c, e->big_endian);
    e->length += 2;
    return 1;
}

static int put_utf32(TyEncoder *e, uint32_t c)
{
    if (ty_is_surrogate(c))
        return 0;
    if (!ty_encoder_grow(e, 4))
        return -1;
    ty_store_32(e->bytes + e->length, c, e->big_endian);
    e->length += 4;
    return 1;
}

static bool has_surrogates(Value text)
{
    if (ty_str_width(text) == 2)
        return ty_has_surrogates_2((const uint16_t *)ty_str_data(text), (size_t)ty_str_length(text));
    for (int64_t i = 0; i < ty_str_length(text); i++)
        if (ty_is_surrogate(ty_str_at(text, i)))
            return true;
    return false;
}

/* Latin-1 text as UTF-16 or UTF-32: every byte becomes a unit. */
static bool widen(TyEncoder *e)
{
    int64_t length = ty_str_length(e->text);
    if (!ty_encoder_grow(e, length * e->unit))
        return false;
    const uint8_t *text = ty_str_data(e->text);
    uint8_t *out = e->bytes + e->length;
    memset(out, 0, (size_t)(length * e->unit));
    int low = e->big_endian ? e->unit - 1 : 0;
    for (int64_t i = 0; i < length; i++)
        out[i * e->unit + low] = text[i];
    e->length += length * e->unit;
    return true;
}

static Value encode_units(Value text, Value errors, int byte_order, int unit, const char *const names[3])
{
    TyEncoder e;
    int64_t length = ty_str_length(text);
    if (!ty_encoder_start(&e, names[byte_order + 1], text, errors, (length + 1) * unit))
        return TY_NULL;
    e.put = unit == 2 ? put_utf16 : put_utf32;
    e.unit = unit;
    e.big_endian = byte_order == TY_ENDIAN_NATIVE ? native_is_big() : byte_order == TY_ENDIAN_BIG;
    bool good = byte_order != TY_ENDIAN_NATIVE || e.put(&e, 0xFEFF) > 0;
    if (good && ty_str_width(text) == 1)
        return ty_encoder_finish(&e, widen(&e));
    if (good && unit == ty_str_width(text) && e.big_endian == native_is_big() && !has_surrogates(text)) {
        good = ty_encoder_put_bytes(&e, ty_str_data(text), length * unit);
        return ty_encoder_finish(&e, good);
    }
    for (int64_t i = 0; good && i < length;) {
        int put = e.put(&e, ty_str_at(text, i));
        good = put >= 0;
        if (put > 0)
            i++;
        else if (put == 0)
            good = ty_encoder_error(&e, i, i + 1, SURROGATES, &i);
    }
    return ty_encoder_finish(&e, good);
}

Value ty_utf16_encode(Value text, Value errors, int byte_order)
{
    static const char *const names[] = {"utf-16-le", "utf-16", "utf-16-be"};
    return encode_units(text, errors, byte_order, 2, names);
}

Value ty_utf32_encode(Value text, Value errors, int byte_order)
{
    static const char *const names[] = {"utf-32-le", "utf-32", "utf-32-be"};
    return encode_units(text, errors, byte_order, 4, names);
}

/* One character of UTF-16: the number of bytes, or 0 with the error and its length; a NULL error with 0: more is needed
   that may yet come. */
static int next_utf16(const uint8_t *bytes, int64_t size, bool big_endian, bool final, uint32_t *c, const char **error,
                      int64_t *error_size)
{
    *error = NULL;
    if (size < 2) {
        *error_size = size;
        *error = final ? "truncated data" : NULL;
        return 0;
    }
    *c = ty_load_16(bytes, big_endian);
    if (!ty_is_surrogate(*c))
        return 2;
    *error_size = 2;
    if (ty_is_low_surrogate(*c)) {
        *error = "illegal encoding";
        return 0;
    }
    if (size < 4) {
        *error_size = size;
        *error = final ? "unexpected end of data" : NULL;
        return 0;
    }
    uint32_t low = ty_load_16(bytes + 2, big_endian);
    if (!ty_is_low_surrogate(low)) {
        *error = "illegal UTF-16 surrogate";
        return 0;
    }
    *c = ty_join_surrogates(*c, low);
    return 4;
}

static int next_utf32(const uint8_t *bytes, int64_t size, bool big_endian, bool final, uint32_t *c, const char **error,
                      int64_t *error_size)
{
    *error = NULL;
    if (size < 4) {
        *error_size = size;
        *error = final ? "truncated data" : NULL;
        return 0;
    }
    *error_size = 4;
    *c = ty_load_32(bytes, big_endian);
    if (*c > 0x10FFFF)
        *error = "code point not in range(0x110000)";
    else if (ty_is_surrogate(*c))
        *error = "code point in surrogate code point range(0xd800, 0xe000)";
    return *error ? 0 : 4;
}

/* Takes characters of the basic plane that come in a row, as far as there is room: the new position. */
static int64_t plain_utf16(TyDecoder *d, int64_t position, bool big_endian)
{
    int64_t count = TY_MIN((d->size - position) / 2, d->capacity - d->length);
    const uint8_t *bytes = d->bytes + position;
    uint32_t *text = d->text + d->length;
    int64_t i = 0;
    for (; i < count; i++) {
        uint32_t c = ty_load_16(bytes + 2 * i, big_endian);
        if (ty_is_surrogate(c))
            break;
        text[i] = c;
    }
    d->length += i;
    return position + 2 * i;
}

typedef int (*NextUnit)(const uint8_t *bytes, int64_t size, bool big_endian, bool final, uint32_t *c, const char **error,
                        int64_t *error_size);

static Value decode_units(const uint8_t *bytes, size_t size, Value input, Value errors, int *byte_order,
                          size_t *consumed, int unit, NextUnit next, const char *const names[2])
{
    int order = byte_order ? *byte_order : TY_ENDIAN_NATIVE;
    int64_t position = 0;
    if (order == TY_ENDIAN_NATIVE && size >= (size_t)unit) {
        uint32_t mark = unit == 2 ? ty_load_16(bytes, false) : ty_load_32(bytes, false);
        if (mark == 0xFEFF)
            order = TY_ENDIAN_LITTLE;
        else if (mark == (unit == 2 ? 0xFFFE : 0xFFFE0000))
            order = TY_ENDIAN_BIG;
        if (order != TY_ENDIAN_NATIVE)
            position = unit;
        if (byte_order)
            *byte_order = order;
    }
    bool big_endian = order == TY_ENDIAN_NATIVE ? native_is_big() : order == TY_ENDIAN_BIG;
    if (unit == 2 && big_endian == native_is_big() && size % 2 == 0 && ((uintptr_t)bytes & 1) == 0) {
        const uint16_t *text = (const uint16_t *)(bytes + position);
        size_t length = (size - (size_t)position) / 2;
        if (!ty_has_surrogates_2(text, length)) {
            if (consumed)
                *consumed = size;
            return ty_str_from_ucs2(text, length);
        }
    }

    TyDecoder d;
    bool good = ty_decoder_start(&d, names[big_endian], bytes, size, input, errors);
    while (good) {
        if (unit == 2)
            position = plain_utf16(&d, position, big_endian);
        if (position >= d.size)
            break;
        uint32_t c;
        const char *error;
        int64_t error_size;
        int used = next(d.bytes + position, d.size - position, big_endian, !consumed, &c, &error, &error_size);
        if (TY_LIKELY(used > 0)) {
            good = ty_decoder_put(&d, c);
            position += used;
        } else if (!error) {
            break;
        } else {
            good = ty_decoder_error(&d, position, position + error_size, error, &position);
        }
    }
    if (consumed)
        *consumed = (size_t)position;
    return ty_decoder_finish(&d, good);
}

Value ty_utf16_decode(const uint8_t *bytes, size_t size, Value input, Value errors, int *byte_order, size_t *consumed)
{
    static const char *const names[] = {"utf-16-le", "utf-16-be"};
    return decode_units(bytes, size, input, errors, byte_order, consumed, 2, next_utf16, names);
}

Value ty_utf32_decode(const uint8_t *bytes, size_t size, Value input, Value errors, int *byte_order, size_t *consumed)
{
    static const char *const names[] = {"utf-32-le", "utf-32-be"};
    return decode_units(bytes, size, input, errors, byte_order, consumed, 4, next_utf32, names);
}

/* --- UTF-7 (RFC 2152) -------------------------------------------------------------------------------------------- */

static bool is_base64(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static unsigned from_base64(uint8_t c)
{
    return c >= 'a' ? c - 'a' + 26u : c >= 'A' ? c - 'A' + 0u : c >= '0' ? c - '0' + 52u : c == '+' ? 62 : 63;
}

static uint8_t to_base64(unsigned n) { return (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[n & 63]; }

/* What stands for itself when encoding: letters, digits, the standard's direct and optional characters, white space. */
static bool is_direct(uint32_t c)
{
    return (c >= 0x20 && c < 0x7E && c != '+' && c != '\\' && c != '~') || c == '\t' || c == '\n' || c == '\r';
}

typedef struct {
    bool shifted;
    unsigned bits;    /* not yet written, in the low end of the buffer */
    uint32_t buffer;
} Base64;

static bool put_base64(TyEncoder *e, Base64 *state, uint32_t unit)
{
    state->buffer = state->buffer << 16 | unit;
    state->bits += 16;
    while (state->bits >= 6) {
        if (!ty_encoder_put_byte(e, to_base64(state->buffer >> (state->bits - 6))))
            return false;
        state->bits -= 6;
    }
    state->buffer &= (1u << state->bits) - 1;
    return true;
}

static bool flush_base64(TyEncoder *e, Base64 *state)
{
    bool good = state->bits == 0 || ty_encoder_put_byte(e, to_base64(state->buffer << (6 - state->bits)));
    *state = (Base64){0};
    return good;
}

static bool encode_utf7_char(TyEncoder *e, Base64 *state, uint32_t c)
{
    if (is_direct(c)) {
        if (state->shifted) {
            /* The end of the shift shows by itself, unless what follows could belong to it. */
            bool ambiguous = is_base64(c) || c == '-';
            if (!flush_base64(e, state) || (ambiguous && !ty_encoder_put_byte(e, '-')))
                return false;
        }
        return ty_encoder_put_byte(e, (uint8_t)c);
    }
    if (!state->shifted) {
        if (c == '+')
            return ty_encoder_put_bytes(e, "+-", 2);
        state->shifted = true;
        if (!ty_encoder_put_byte(e, '+'))
            return false;
    }
    if (c >= 0x10000) {
        if (!put_base64(e, state, ty_high_surrogate(c)))
            return false;
        c = ty_low_surrogate(c);
    }
    return put_base64(e, state, c);
}

Value ty_utf7_encode(Value text, Value errors)
{
    TyEncoder e;
    Base64 state = {0};
    int64_t length = ty_str_length(text);
    bool good = ty_encoder_start(&e, "utf-7", text, errors, length);
    for (int64_t i = 0; good && i < length; i++)
        good = encode_utf7_char(&e, &state, ty_str_at(text, i));
    if (good && state.shifted)
        good = flush_base64(&e, &state) && ty_encoder_put_byte(&e, '-');
    return ty_encoder_finish(&e, good);
}

typedef struct {
    bool shifted;
    unsigned bits;
    uint32_t buffer;
    uint32_t surrogate;      /* a high one that waits for its low one */
    int64_t start;           /* where the shift began */
    int64_t output_start;    /* and the length of the text then */
} Shift;

/* One base64 digit inside a shift. */
static bool shift_digit(TyDecoder *d, Shift *shift, uint8_t digit)
{
    shift->buffer = shift->buffer << 6 | from_base64(digit);
    shift->bits += 6;
    if (shift->bits < 16)
        return true;
    uint32_t unit = shift->buffer >> (shift->bits - 16) & 0xFFFF;
    shift->bits -= 16;
    shift->buffer &= (1u << shift->bits) - 1;
    if (shift->surrogate) {
        uint32_t high = shift->surrogate;
        shift->surrogate = 0;
        if (ty_is_low_surrogate(unit))
            return ty_decoder_put(d, ty_join_surrogates(high, unit));
        if (!ty_decoder_put(d, high))
            return false;
    }
    if (ty_is_high_surrogate(unit)) {
        shift->surrogate = unit;
        return true;
    }
    return ty_decoder_put(d, unit);
}

/* A byte that is no base64 digit ends the shift: what is wrong with that, or NULL. */
static const char *shift_end(TyDecoder *d, Shift *shift, uint8_t byte, bool *good)
{
    shift->shifted = false;
    if (shift->bits >= 6)
        return "partial character in shift sequence";
    if (shift->bits > 0 && shift->buffer != 0)
        return "non-zero padding bits in shift sequence";
    if (shift->surrogate && byte < 0x80 && byte != '+')
        *good = ty_decoder_put(d, shift->surrogate);
    shift->surrogate = 0;
    return NULL;
}

/* One step at a position outside a shift. */
static const char *decode_utf7_plain(TyDecoder *d, Shift *shift, int64_t *position, bool *good)
{
    uint8_t byte = d->bytes[*position];
    shift->start = *position;
    ++*position;
    if (byte == '+') {
        uint8_t next = *position < d->size ? d->bytes[*position] : 'A';
        if (next == '-') {
            ++*position;
            *good = ty_decoder_put(d, '+');
        } else if (!is_base64(next)) {
            ++*position;
            return "ill-formed sequence";
        } else {
            *shift = (Shift){.shifted = true, .start = shift->start, .output_start = d->length};
        }
        return NULL;
    }
    if (byte >= 0x80)
        return "unexpected special character";
    *good = ty_decoder_put(d, byte);
    return NULL;
}

Value ty_utf7_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed)
{
    TyDecoder d;
    Shift shift = {0};
    int64_t position = 0;
    bool good = ty_decoder_start(&d, "utf7", bytes, size, input, errors);
    for (;;) {
        while (good && position < d.size) {
            uint8_t byte = d.bytes[position];
            const char *error = NULL;
            if (!shift.shifted) {
                error = decode_utf7_plain(&d, &shift, &position, &good);
            } else if (is_base64(byte)) {
                good = shift_digit(&d, &shift, byte);
                position++;
            } else {
                error = shift_end(&d, &shift, byte, &good);
                position += error || byte == '-';
            }
            if (good && error)
                good = ty_decoder_error(&d, shift.start, position, error, &position);
        }
        bool dangling = shift.surrogate || shift.bits >= 6 || (shift.bits > 0 && shift.buffer != 0);
        if (!good || !shift.shifted || consumed || !dangling)
            break;
        shift.shifted = false;
        good = ty_decoder_error(&d, shift.start, d.size, "unterminated shift sequence", &position);
        if (!good || position >= d.size)
            break;
    }
    if (consumed) {
        *consumed = (size_t)position;
        if (shift.shifted) { /* it is decoded again when the rest has come */
            *consumed = (size_t)shift.start;
            d.length = shift.output_start;
        }
    }
    return ty_decoder_finish(&d, good);
}
