/* binascii: binary data as ASCII text: base64, hexadecimal, uuencode, quoted-printable; and two checksums. */
#include <stdlib.h>
#include <sys/types.h>
#include <zlib.h>

#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/str.h"

enum { STATE_ERROR, STATE_COUNT };

static Value fail_with(Value module, const char *message)
{
    return ty_raise(ty_as_type(ty_module_state(module)[STATE_ERROR]), "%s", message);
}

/* --- input and output ------------------------------------------------------------------------------------------------ */

typedef struct {
    TyBuffer view;
    const uint8_t *bytes;
    int64_t size;
    bool viewed;
} Input;

/* What encoders take: a bytes-like object. */
static bool open_bytes(Input *input, Value v)
{
    *input = (Input){0};
    if (!ty_buffer_get(v, &input->view, TY_BUFFER_SIMPLE))
        return false;
    input->viewed = true;
    input->bytes = input->view.data;
    input->size = input->view.length;
    return true;
}

/* What decoders take: also a str, if it is ASCII. */
static bool open_ascii(Input *input, Value v)
{
    *input = (Input){0};
    if (ty_is_str(v)) {
        if (!ty_str_is_ascii(v)) {
            ty_raise(&ty_ValueError, "string argument should contain only ASCII characters");
            return false;
        }
        input->bytes = ty_str_data(v);
        input->size = ty_str_length(v);
        return true;
    }
    if (!ty_has_buffer(v)) {
        ty_raise(&ty_TypeError, "argument should be bytes, buffer or ASCII string, not '%T'", v);
        return false;
    }
    return open_bytes(input, v);
}

static Value close_input(Input *input, Value result)
{
    if (input->viewed)
        ty_buffer_release(&input->view);
    return result;
}

/* A flag that may not have been given; -1 with an exception. */
static int to_flag(Value v, bool otherwise) { return v == TY_NULL ? otherwise : ty_is_true(v); }

/* --- base64 ------------------------------------------------------------------------------------------------------------ */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* From a byte to its six bits and 1; 0: no digit. */
static const uint8_t base64_values[256] = {
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

static Value b2a_base64(Value module, Value *a)
{
    Input in;
    int newline = to_flag(a[1], true);
    if (newline < 0 || !open_bytes(&in, a[0]))
        return TY_NULL;
    Value result = ty_bytes_new(NULL, (size_t)((in.size + 2) / 3 * 4 + newline));
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    uint8_t *out = ty_as_bytes(result)->data;
    int64_t i = 0;
    for (; i + 3 <= in.size; i += 3, out += 4) {
        uint32_t group = (uint32_t)in.bytes[i] << 16 | (uint32_t)in.bytes[i + 1] << 8 | in.bytes[i + 2];
        out[0] = (uint8_t)base64_digits[group >> 18];
        out[1] = (uint8_t)base64_digits[group >> 12 & 63];
        out[2] = (uint8_t)base64_digits[group >> 6 & 63];
        out[3] = (uint8_t)base64_digits[group & 63];
    }
    if (i < in.size) {
        bool two = i + 2 == in.size;
        uint32_t group = (uint32_t)in.bytes[i] << 16 | (two ? (uint32_t)in.bytes[i + 1] << 8 : 0);
        out[0] = (uint8_t)base64_digits[group >> 18];
        out[1] = (uint8_t)base64_digits[group >> 12 & 63];
        out[2] = two ? (uint8_t)base64_digits[group >> 6 & 63] : '=';
        out[3] = '=';
        out += 4;
    }
    if (newline)
        *out = '\n';
    return close_input(&in, result);
}

typedef struct {
    const char *error;
    int64_t digits;  /* read so far */
    int64_t length;  /* bytes written */
} Base64;

/* Decodes into out; strictly: nothing but digits, and padding that is complete and at the end. */
static Base64 decode_base64(const Input *in, bool strict, uint8_t *out)
{
    Base64 state = {0};
    uint32_t buffer = 0;
    int pads = 0;
    for (int64_t i = 0; i < in->size; i++) {
        uint8_t c = in->bytes[i];
        int quad = (int)(state.digits % 4);
        if (c == '=') {
            pads++;
            if (strict && quad == 1)
                break;
            if (strict && (quad == 0 || quad + pads > 4)) {
                state.error = i == 0 ? "Leading padding not allowed" : "Excess padding not allowed";
                return state;
            }
            continue;
        }
        unsigned value = base64_values[c];
        if (!value) {
            if (!strict)
                continue;
            state.error = "Only base64 data is allowed";
            return state;
        }
        if (strict && pads) {
            state.error = quad + pads == 4 ? "Excess data after padding" : "Discontinuous padding not allowed";
            return state;
        }
        pads = 0;
        buffer = buffer << 6 | (value - 1);
        state.digits++;
        if (quad)
            out[state.length++] = (uint8_t)(buffer >> (6 - 2 * quad));
    }
    int quad = (int)(state.digits % 4);
    if (quad == 1)
        state.error = ""; /* its message has a number in it */
    else if (quad && quad + pads < 4)
        state.error = "Incorrect padding";
    return state;
}

static Value a2b_base64(Value module, Value *a)
{
    Input in;
    int strict = to_flag(a[1], false);
    if (strict < 0 || !open_ascii(&in, a[0]))
        return TY_NULL;
    Value result = ty_bytes_new(NULL, (size_t)((in.size + 3) / 4 * 3));
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    Base64 state = decode_base64(&in, strict, ty_as_bytes(result)->data);
    if (!state.error)
        result = ty_bytes_shrink(result, (size_t)state.length);
    else if (*state.error)
        result = fail_with(module, state.error);
    else
        result = ty_raise(ty_as_type(ty_module_state(module)[STATE_ERROR]),
                          "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 more than a multiple of 4",
                          (ssize_t)state.digits);
    return close_input(&in, result);
}

/* --- hexadecimal --------------------------------------------------------------------------------------------------------- */

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The separator, one character: false with an exception. */
static bool to_separator(Value v, uint8_t *separator)
{
    int64_t length = ty_length(v);
    if (length < 0)
        return false;
    if (length != 1) {
        ty_raise(&ty_ValueError, "sep must be length 1.");
        return false;
    }
    if (ty_is_str(v) && ty_str_width(v) == 1) {
        *separator = ty_str_data(v)[0];
        return true;
    }
    if (ty_is_bytes(v)) {
        *separator = ty_bytes_data(v)[0];
        return true;
    }
    if (ty_is_str(v))
        ty_raise(&ty_ValueError, "sep must be ASCII.");
    else
        ty_raise(&ty_TypeError, "sep must be str or bytes.");
    return false;
}

static Value hexlify(Value module, Value *a)
{
    Input in;
    uint8_t separator = 0;
    int32_t group = 1;
    if (a[2] != TY_NULL && !ty_to_int32(a[2], &group))
        return TY_NULL;
    if (a[1] != TY_NULL && !to_separator(a[1], &separator))
        return TY_NULL;
    if (a[1] == TY_NULL)
        group = 0;
    if (!open_bytes(&in, a[0]))
        return TY_NULL;
    /* Groups are counted from the end; from the start if the number is negative. */
    int64_t each = group < 0 ? -(int64_t)group : group;
    int64_t separators = each && in.size ? (in.size - 1) / each : 0;
    Value result = ty_bytes_new(NULL, (size_t)(2 * in.size + separators));
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    uint8_t *out = ty_as_bytes(result)->data;
    for (int64_t i = 0; i < in.size; i++) {
        if (each && i > 0 && (group > 0 ? in.size - i : i) % each == 0)
            *out++ = separator;
        *out++ = (uint8_t)"0123456789abcdef"[in.bytes[i] >> 4];
        *out++ = (uint8_t)"0123456789abcdef"[in.bytes[i] & 15];
    }
    return close_input(&in, result);
}

static Value unhexlify(Value module, Value *a)
{
    Input in;
    if (!open_ascii(&in, a[0]))
        return TY_NULL;
    if (in.size % 2)
        return close_input(&in, fail_with(module, "Odd-length string"));
    Value result = ty_bytes_new(NULL, (size_t)in.size / 2);
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    uint8_t *out = ty_as_bytes(result)->data;
    for (int64_t i = 0; i < in.size; i += 2) {
        int high = hex_value(in.bytes[i]), low = hex_value(in.bytes[i + 1]);
        if (high < 0 || low < 0)
            return close_input(&in, fail_with(module, "Non-hexadecimal digit found"));
        *out++ = (uint8_t)(high << 4 | low);
    }
    return close_input(&in, result);
}

/* --- uuencode -------------------------------------------------------------------------------------------------------------- */

static Value a2b_uu(Value module, Value *a)
{
    Input in;
    if (!open_ascii(&in, a[0]))
        return TY_NULL;
    if (in.size == 0)
        return close_input(&in, fail_with(module, "Missing length byte"));
    int length = (in.bytes[0] - ' ') & 63;
    Value result = ty_bytes_new(NULL, (size_t)length);
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    uint8_t *out = ty_as_bytes(result)->data;
    int64_t i = 1;
    uint32_t buffer = 0;
    int bits = 0;
    for (; length > 0; i++) {
        uint8_t c = i < in.size ? in.bytes[i] : '\n';
        if (c == '\n' || c == '\r') /* spaces at the end of the line have been lost */
            c = ' ';
        if (c < ' ' || c > ' ' + 64)
            return close_input(&in, fail_with(module, "Illegal char"));
        buffer = buffer << 6 | ((c - ' ') & 63u);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (uint8_t)(buffer >> bits);
            length--;
        }
    }
    for (; i < in.size; i++) {
        uint8_t c = in.bytes[i];
        if (c != ' ' && c != ' ' + 64 && c != '\n' && c != '\r')
            return close_input(&in, fail_with(module, "Trailing garbage"));
    }
    return close_input(&in, result);
}

static Value b2a_uu(Value module, Value *a)
{
    Input in;
    int backtick = to_flag(a[1], false);
    if (backtick < 0 || !open_bytes(&in, a[0]))
        return TY_NULL;
    if (in.size > 45)
        return close_input(&in, fail_with(module, "At most 45 bytes at once"));
    uint8_t zero = backtick ? '`' : ' ', line[64];
    int length = 0;
    line[length++] = in.size ? (uint8_t)(' ' + in.size) : zero;
    for (int64_t i = 0; i < in.size; i += 3) {
        uint32_t group = 0;
        for (int j = 0; j < 3; j++)
            group = group << 8 | (i + j < in.size ? in.bytes[i + j] : 0);
        for (int shift = 18; shift >= 0; shift -= 6) {
            uint8_t value = group >> shift & 63;
            line[length++] = value ? (uint8_t)(value + ' ') : zero;
        }
    }
    line[length++] = '\n';
    return close_input(&in, ty_bytes_new(line, (size_t)length));
}

/* --- quoted-printable ------------------------------------------------------------------------------------------------------- */

static Value a2b_qp(Value module, Value *a)
{
    Input in;
    int header = to_flag(a[1], false);
    if (header < 0 || !open_ascii(&in, a[0]))
        return TY_NULL;
    Value result = ty_bytes_new(NULL, (size_t)in.size);
    if (result == TY_NULL)
        return close_input(&in, TY_NULL);
    uint8_t *start = ty_as_bytes(result)->data, *out = start;
    for (int64_t i = 0; i < in.size;) {
        uint8_t c = in.bytes[i++];
        if (c != '=') {
            *out++ = header && c == '_' ? ' ' : c;
            continue;
        }
        if (i == in.size)
            break;
        uint8_t next = in.bytes[i];
        if (next == '\n' || next == '\r') { /* a soft line break: all of the line that is left goes */
            while (i < in.size && in.bytes[i] != '\n')
                i++;
            i++;
        } else if (next == '=') { /* some encoders write this for an equals sign */
            *out++ = '=';
            i++;
        } else if (i + 1 < in.size && hex_value(next) >= 0 && hex_value(in.bytes[i + 1]) >= 0) {
            *out++ = (uint8_t)(hex_value(next) << 4 | hex_value(in.bytes[i + 1]));
            i += 2;
        } else {
            *out++ = '=';
        }
    }
    return close_input(&in, ty_bytes_shrink(result, (size_t)(out - start)));
}

typedef struct {
    const Input *in;
    bool quote_tabs, text, header, crlf;
    uint8_t *out;
    int64_t length, line;
} QuotedPrintable;

enum { LINE_MAX_QP = 76 };

static void put_quoted(QuotedPrintable *q, uint8_t c)
{
    q->out[q->length++] = '=';
    q->out[q->length++] = (uint8_t)"0123456789ABCDEF"[c >> 4];
    q->out[q->length++] = (uint8_t)"0123456789ABCDEF"[c & 15];
}

static void put_newline(QuotedPrintable *q, bool soft)
{
    if (soft)
        q->out[q->length++] = '=';
    if (q->crlf)
        q->out[q->length++] = '\r';
    q->out[q->length++] = '\n';
    q->line = 0;
}

/* Whether the byte at i must be written as =XX. */
static bool must_quote(const QuotedPrintable *q, int64_t i)
{
    uint8_t c = q->in->bytes[i];
    bool last = i + 1 == q->in->size;
    uint8_t next = last ? 0 : q->in->bytes[i + 1];
    if (c > 126 || c == '=' || (q->header && c == '_'))
        return true;
    if (c == '.' && q->line == 0 && (last || next == '\n' || next == '\r' || next == 0))
        return true; /* alone on its line it would end a mail */
    if (c == '\n' || c == '\r')
        return !q->text;
    if (c == '\t' || c == ' ')
        return last || q->quote_tabs;
    return c < 33;
}

static void encode_qp(QuotedPrintable *q)
{
    const uint8_t *bytes = q->in->bytes;
    int64_t size = q->in->size;
    for (int64_t i = 0; i < size;) {
        uint8_t c = bytes[i];
        if (must_quote(q, i)) {
            if (q->line + 3 >= LINE_MAX_QP)
                put_newline(q, true);
            put_quoted(q, c);
            q->line += 3;
            i++;
        } else if (q->text && (c == '\n' || (c == '\r' && i + 1 < size && bytes[i + 1] == '\n'))) {
            uint8_t last = q->length ? q->out[q->length - 1] : 0;
            if (last == ' ' || last == '\t') { /* white space at the end of a line gets lost on the way */
                q->length--;
                put_quoted(q, last);
            }
            put_newline(q, false);
            i += c == '\r' ? 2 : 1;
        } else {
            if (i + 1 != size && bytes[i + 1] != '\n' && q->line + 1 >= LINE_MAX_QP)
                put_newline(q, true);
            q->out[q->length++] = q->header && c == ' ' ? '_' : c;
            q->line++;
            i++;
        }
    }
}

static Value b2a_qp(Value module, Value *a)
{
    Input in;
    int quote_tabs = to_flag(a[1], false), text = to_flag(a[2], true), header = to_flag(a[3], false);
    if (quote_tabs < 0 || text < 0 || header < 0 || !open_bytes(&in, a[0]))
        return TY_NULL;
    const uint8_t *newline = in.size ? memchr(in.bytes, '\n', (size_t)in.size) : NULL;
    QuotedPrintable q = {.in = &in, .quote_tabs = quote_tabs, .text = text, .header = header};
    q.crlf = newline && newline > in.bytes && newline[-1] == '\r';
    /* Each byte becomes three at most, each line of 72 or more gets three more; and a space at the end of a line two. */
    q.out = malloc((size_t)(in.size * 3 + in.size * 3 / 70 * 3 + 16));
    if (!q.out)
        return close_input(&in, ty_raise_memory_error());
    encode_qp(&q);
    Value result = ty_bytes_new(q.out, (size_t)q.length);
    free(q.out);
    return close_input(&in, result);
}

/* --- checksums -------------------------------------------------------------------------------------------------------------- */

static Value crc_hqx(Value module, Value *a)
{
    Input in;
    uint64_t start;
    if (!ty_to_uint64_mask(a[1], &start) || !open_bytes(&in, a[0]))
        return TY_NULL;
    uint32_t crc = start & 0xFFFF;
    for (int64_t i = 0; i < in.size; i++) {
        crc ^= (uint32_t)in.bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xFFFF;
    }
    return close_input(&in, ty_from_immediate_int(crc));
}

static Value crc_32(Value module, Value *a)
{
    Input in;
    uint64_t start = 0;
    if ((a[1] != TY_NULL && !ty_to_uint64_mask(a[1], &start)) || !open_bytes(&in, a[0]))
        return TY_NULL;
    uLong crc = crc32_z((uLong)(start & 0xFFFFFFFF), in.bytes, (size_t)in.size);
    return close_input(&in, ty_from_immediate_int((int64_t)crc));
}

/* --- the module -------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("a2b_uu(module, data, /)", a2b_uu, "The bytes of a line of uuencoded text."),
    TY_FUNCTION("b2a_uu(module, data, /, *, backtick=False)", b2a_uu,
                "A line of uuencoded text for at most 45 bytes; zeros are backticks, if so asked, else spaces."),
    TY_FUNCTION("a2b_base64(module, data, /, *, strict_mode=False)", a2b_base64,
                "The bytes of base64 text. Strictly: with nothing but digits in it and the padding that belongs to it."),
    TY_FUNCTION("b2a_base64(module, data, /, *, newline=True)", b2a_base64, "The data as a line of base64 text."),
    TY_FUNCTION("a2b_hex(module, hexstr, /)", unhexlify, "The bytes of hexadecimal text."),
    TY_FUNCTION("unhexlify(module, hexstr, /)", unhexlify, "The bytes of hexadecimal text."),
    TY_FUNCTION("b2a_hex(module, /, data, sep=<unrepresentable>, bytes_per_sep=1)", hexlify,
                "The data as hexadecimal text, with a separator between groups of bytes, counted from the right; from the left if "
                "the number is negative."),
    TY_FUNCTION("hexlify(module, /, data, sep=<unrepresentable>, bytes_per_sep=1)", hexlify,
                "The data as hexadecimal text, with a separator between groups of bytes, counted from the right; from the left if "
                "the number is negative."),
    TY_FUNCTION("a2b_qp(module, /, data, header=False)", a2b_qp, "The bytes of quoted-printable text; in a header '_' is a space."),
    TY_FUNCTION("b2a_qp(module, /, data, quotetabs=False, istext=True, header=False)", b2a_qp,
                "The data as quoted-printable text. quotetabs: spaces and tabs too; istext: ends of lines are kept; header: "
                "spaces become '_'."),
    TY_FUNCTION("crc_hqx(module, data, crc, /)", crc_hqx, "The CRC-CCITT of the data, going on from crc."),
    TY_FUNCTION("crc32(module, data, crc=0, /)", crc_32, "The CRC-32 of the data, going on from crc."),
    {0},
};

static bool execute(Value module)
{
    Value error = ty_type_from_name("binascii.Error", &ty_ValueError, TY_NULL);
    Value incomplete = ty_type_from_name("binascii.Incomplete", &ty_Exception, TY_NULL);
    if (error == TY_NULL || incomplete == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    return ty_module_add(module, "Error", error) && ty_module_add(module, "Incomplete", incomplete);
}

const TyModuleDef ty_module_binascii = {
    .name = "binascii",
    .doc = "Binary data as ASCII text and back: base64, hexadecimal, uuencode and quoted-printable.",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};
