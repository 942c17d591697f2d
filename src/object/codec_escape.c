/* The escape codecs: text and bytes as they are written in Python's literals. */
#include <sys/types.h>

#include "base/unicode.h"

#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/exception.h"

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character of a simple escape, or -1. */
static int simple_escape(uint8_t c)
{
    switch (c) {
    case '\\': case '\'': case '"': return c;
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return -1;
    }
}

/* What the first bad escape is remembered by: the bytes after its backslash. */
static void remember_bad(int64_t *bad_escape, const uint8_t *bytes, int64_t size, int64_t first)
{
    if (*bad_escape >= 0)
        return;
    *bad_escape = 0;
    for (int i = 0; i < 3 && first + i < size; i++)
        *bad_escape |= (int64_t)bytes[first + i] << (8 * i);
}

/* Up to three octal digits at the position. */
static uint32_t octal_escape(const uint8_t *bytes, int64_t size, int64_t *position)
{
    uint32_t value = 0;
    for (int i = 0; i < 3 && *position < size && bytes[*position] >= '0' && bytes[*position] <= '7'; i++)
        value = value * 8 + bytes[(*position)++] - '0';
    return value;
}

/* --- encoding ---------------------------------------------------------------------------------------------------- */

/* "\t", "\n" and "\r" have escapes of two characters in all of these codecs. */
static int short_escape(uint32_t c, char *out)
{
    if (c != '\t' && c != '\n' && c != '\r')
        return 0;
    out[0] = '\\';
    out[1] = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
    return 2;
}

static int escape_char(uint32_t c, char *out)
{
    if (c == '\\') {
        out[0] = out[1] = '\\';
        return 2;
    }
    if (c >= 0x20 && c < 0x7F) {
        out[0] = (char)c;
        return 1;
    }
    int length = short_escape(c, out);
    return length ? length : ty_write_escape(c, out);
}

Value ty_unicode_escape_encode(Value text)
{
    TyEncoder e;
    bool good = ty_encoder_start(&e, "unicodeescape", text, TY_NULL, ty_str_length(text));
    for (int64_t i = 0; good && i < ty_str_length(text); i++) {
        char out[12];
        good = ty_encoder_put_bytes(&e, out, escape_char(ty_str_at(text, i), out));
    }
    return ty_encoder_finish(&e, good);
}

Value ty_raw_unicode_escape_encode(Value text)
{
    if (ty_str_width(text) == 1)
        return ty_bytes_new(ty_str_data(text), (size_t)ty_str_length(text));
    TyEncoder e;
    bool good = ty_encoder_start(&e, "rawunicodeescape", text, TY_NULL, ty_str_length(text));
    for (int64_t i = 0; good && i < ty_str_length(text); i++) {
        uint32_t c = ty_str_at(text, i);
        char out[12];
        good = c < 0x100 ? ty_encoder_put_byte(&e, (uint8_t)c) : ty_encoder_put_bytes(&e, out, ty_write_escape(c, out));
    }
    return ty_encoder_finish(&e, good);
}

Value ty_bytes_escape_encode(const uint8_t *bytes, size_t size)
{
    TyEncoder e;
    bool good = ty_encoder_start(&e, "escape", TY_NULL, TY_NULL, (int64_t)size);
    for (size_t i = 0; good && i < size; i++) {
        char out[12] = "\\'";
        int length = bytes[i] == '\'' ? 2 : escape_char(bytes[i], out);
        good = ty_encoder_put_bytes(&e, out, length);
    }
    return ty_encoder_finish(&e, good);
}

/* --- decoding text ------------------------------------------------------------------------------------------------- */

/* How reading an escape came out: a character or nothing written, an error, or the end of the bytes inside it. */
typedef enum { DONE, FAILED /* with an exception */, BAD, INCOMPLETE } Outcome;

static Outcome put(TyDecoder *d, uint32_t c) { return ty_decoder_put(d, c) ? DONE : FAILED; }

/* Hexadecimal digits after \x, \u or \U; the position stops at what is none. */
static Outcome hex_escape(TyDecoder *d, int64_t *position, int digits, const char *too_big, const char **error)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, ++*position) {
        if (*position >= d->size)
            return INCOMPLETE;
        int digit = hex_digit(d->bytes[*position]);
        if (digit < 0)
            return BAD;
        c = c << 4 | (uint32_t)digit;
    }
    if (c <= TY_UNICODE_MAX)
        return put(d, c);
    *error = too_big;
    return BAD;
}

static Outcome name_escape(TyDecoder *d, int64_t *position, const char **error)
{
    *error = "malformed \\N character escape";
    if (*position >= d->size)
        return INCOMPLETE;
    if (d->bytes[*position] != '{')
        return BAD;
    int64_t start = ++*position;
    while (*position < d->size && d->bytes[*position] != '}')
        ++*position;
    if (*position >= d->size)
        return INCOMPLETE;
    if (*position == start)
        return BAD;
    int32_t c = ty_unicode_lookup((const char *)d->bytes + start, (size_t)(*position - start));
    ++*position;
    if (c >= 0)
        return put(d, (uint32_t)c);
    *error = "unknown Unicode character name";
    return BAD;
}

/* An escape, from after its backslash. */
static Outcome text_escape(TyDecoder *d, int64_t *position, const char **error, int64_t *bad_escape)
{
    *error = "\\ at end of string";
    if (*position >= d->size)
        return INCOMPLETE;
    int64_t first = *position;
    uint8_t c = d->bytes[first];
    int simple = simple_escape(c);
    ++*position;
    if (simple >= 0)
        return put(d, (uint32_t)simple);
    switch (c) {
    case '\n': return DONE;
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': {
        *position = first;
        uint32_t value = octal_escape(d->bytes, d->size, position);
        if (value > 0377)
            remember_bad(bad_escape, d->bytes, d->size, first);
        return put(d, value);
    }
    case 'x': *error = "truncated \\xXX escape"; return hex_escape(d, position, 2, NULL, error);
    case 'u': *error = "truncated \\uXXXX escape"; return hex_escape(d, position, 4, NULL, error);
    case 'U':
        *error = "truncated \\UXXXXXXXX escape";
        return hex_escape(d, position, 8, "illegal Unicode character", error);
    case 'N': return name_escape(d, position, error);
    default:
        remember_bad(bad_escape, d->bytes, d->size, first);
        return put(d, '\\') == DONE ? put(d, c) : FAILED;
    }
}

static Outcome raw_escape(TyDecoder *d, int64_t *position, const char **error, int64_t *bad_escape)
{
    *error = NULL; /* a lone backslash at the end is itself */
    if (*position >= d->size)
        return INCOMPLETE;
    uint8_t c = d->bytes[(*position)++];
    if (c == 'u') {
        *error = "truncated \\uXXXX escape";
        return hex_escape(d, position, 4, NULL, error);
    }
    if (c == 'U') {
        *error = "truncated \\UXXXXXXXX escape";
        return hex_escape(d, position, 8, "\\Uxxxxxxxx out of range", error);
    }
    return put(d, '\\') == DONE ? put(d, c) : FAILED;
}

typedef Outcome (*EscapeReader)(TyDecoder *d, int64_t *position, const char **error, int64_t *bad_escape);

static Value decode_escapes(const char *encoding, const uint8_t *bytes, size_t size, Value input, Value errors,
                            size_t *consumed, int64_t *bad_escape, EscapeReader read)
{
    int64_t ignored = -1;
    bad_escape = bad_escape ? bad_escape : &ignored;
    *bad_escape = -1;
    TyDecoder d;
    bool good = ty_decoder_start(&d, encoding, bytes, size, input, errors);
    int64_t position = 0;
    while (good && position < d.size) {
        if (d.bytes[position] != '\\') {
            good = ty_decoder_put(&d, d.bytes[position++]);
            continue;
        }
        int64_t start = position++;
        const char *error;
        Outcome outcome = read(&d, &position, &error, bad_escape);
        if (outcome == INCOMPLETE && consumed) {
            position = start;
            break;
        }
        if (outcome == FAILED)
            good = false;
        else if (outcome != DONE)
            good = error ? ty_decoder_error(&d, start, position, error, &position) : ty_decoder_put(&d, '\\');
    }
    if (consumed)
        *consumed = (size_t)position;
    return ty_decoder_finish(&d, good);
}

Value ty_unicode_escape_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed,
                               int64_t *bad_escape)
{
    return decode_escapes("unicodeescape", bytes, size, input, errors, consumed, bad_escape, text_escape);
}

Value ty_raw_unicode_escape_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed)
{
    return decode_escapes("rawunicodeescape", bytes, size, input, errors, consumed, NULL, raw_escape);
}

/* --- decoding bytes -------------------------------------------------------------------------------------------------- */

/* What to do about a bad \x escape, from after the x. */
static bool bad_hex(TyEncoder *e, const uint8_t *bytes, int64_t size, int64_t *position)
{
    TyErrorKind kind = ty_error_kind(e->errors);
    if (kind == TY_ERRORS_STRICT) {
        ty_raise(&ty_ValueError, "invalid \\x escape at position %zd", (ssize_t)(*position - 2));
        return false;
    }
    if (kind != TY_ERRORS_REPLACE && kind != TY_ERRORS_IGNORE) {
        ty_raise(&ty_ValueError, "decoding error; unknown error handling code: %U", e->errors);
        return false;
    }
    if (*position < size && hex_digit(bytes[*position]) >= 0)
        ++*position;
    return kind == TY_ERRORS_IGNORE || ty_encoder_put_byte(e, '?');
}

static bool bytes_escape(TyEncoder *e, const uint8_t *bytes, int64_t size, int64_t *position, int64_t *bad_escape)
{
    if (*position >= size) {
        ty_raise(&ty_ValueError, "Trailing \\ in string");
        return false;
    }
    int64_t first = *position;
    uint8_t c = bytes[first];
    int simple = simple_escape(c);
    ++*position;
    if (simple >= 0)
        return ty_encoder_put_byte(e, (uint8_t)simple);
    if (c == '\n')
        return true;
    if (c >= '0' && c <= '7') {
        *position = first;
        uint32_t value = octal_escape(bytes, size, position);
        if (value > 0377)
            remember_bad(bad_escape, bytes, size, first);
        return ty_encoder_put_byte(e, (uint8_t)value);
    }
    if (c == 'x') {
        int high = *position + 1 < size ? hex_digit(bytes[*position]) : -1;
        int low = *position + 1 < size ? hex_digit(bytes[*position + 1]) : -1;
        if (high < 0 || low < 0)
            return bad_hex(e, bytes, size, position);
        *position += 2;
        return ty_encoder_put_byte(e, (uint8_t)(high << 4 | low));
    }
    remember_bad(bad_escape, bytes, size, first);
    return ty_encoder_put_byte(e, '\\') && ty_encoder_put_byte(e, c);
}

Value ty_bytes_escape_decode(const uint8_t *bytes, size_t size, Value errors, int64_t *bad_escape)
{
    int64_t ignored = -1;
    bad_escape = bad_escape ? bad_escape : &ignored;
    *bad_escape = -1;
    TyEncoder e;
    bool good = ty_encoder_start(&e, "escape", TY_NULL, errors, (int64_t)size);
    for (int64_t i = 0; good && i < (int64_t)size;) {
        uint8_t c = bytes[i++];
        good = c != '\\' ? ty_encoder_put_byte(&e, c) : bytes_escape(&e, bytes, (int64_t)size, &i, bad_escape);
    }
    return ty_encoder_finish(&e, good);
}
