/* What is done about errors of encoding and decoding: the built-in error handlers, as parts of the codecs and as
 * functions that Python can call, and calling of registered ones. */
#include <stdio.h>
#include <stdlib.h>

#include "base/unicode.h"
#include "base/utf8.h"
#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/tuple.h"

TyErrorKind ty_error_kind(Value errors)
{
    static const struct { const char *name; TyErrorKind kind; } kinds[] = {
        {"strict", TY_ERRORS_STRICT},
        {"surrogateescape", TY_ERRORS_SURROGATEESCAPE},
        {"ignore", TY_ERRORS_IGNORE},
        {"replace", TY_ERRORS_REPLACE},
        {"backslashreplace", TY_ERRORS_BACKSLASHREPLACE},
        {"surrogatepass", TY_ERRORS_SURROGATEPASS},
        {"xmlcharrefreplace", TY_ERRORS_XMLCHARREFREPLACE},
        {"namereplace", TY_ERRORS_NAMEREPLACE},
    };
    if (errors == TY_NULL)
        return TY_ERRORS_STRICT;
    for (size_t i = 0; i < TY_COUNT_OF(kinds); i++)
        if (ty_str_equal_text(errors, kinds[i].name))
            return kinds[i].kind;
    return TY_ERRORS_OTHER;
}

int ty_utf_unit(const char *encoding, bool *big_endian)
{
    *big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if ((encoding[0] | 32) != 'u' || (encoding[1] | 32) != 't' || (encoding[2] | 32) != 'f')
        return strcmp(encoding, "cp65001") == 0 ? 1 : 0;
    encoding += 3;
    encoding += *encoding == '-' || *encoding == '_';
    if (strcmp(encoding, "8") == 0)
        return 1;
    int unit = strncmp(encoding, "16", 2) == 0 ? 2 : strncmp(encoding, "32", 2) == 0 ? 4 : 0;
    if (!unit)
        return 0;
    encoding += 2;
    if (!*encoding)
        return unit;
    encoding += *encoding == '-' || *encoding == '_';
    if (strlen(encoding) != 2 || (encoding[1] | 32) != 'e' || ((encoding[0] | 32) != 'b' && (encoding[0] | 32) != 'l'))
        return 0;
    *big_endian = (encoding[0] | 32) == 'b';
    return unit;
}

int ty_write_escape(uint32_t c, char *out)
{
    if (c < 0x100)
        return sprintf(out, "\\x%02x", c);
    return sprintf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

/* "\N{NAME}" where there is a name, else an escape; out has room for a name and five more. */
static int write_name(uint32_t c, char *out)
{
    char name[TY_UNICODE_NAME_MAX];
    if (ty_unicode_name(c, name) && strncmp(name, "TANGUT IDEOGRAPH-", 17) != 0)
        return sprintf(out, "\\N{%s}", name);
    return ty_write_escape(c, out);
}

enum { REPLACEMENT_MAX = TY_UNICODE_NAME_MAX + 8 };

/* What a built-in handler puts in the place of one character: ASCII text. */
static int write_replacement(TyErrorKind kind, uint32_t c, char out[REPLACEMENT_MAX])
{
    switch (kind) {
    case TY_ERRORS_REPLACE: out[0] = '?'; return 1;
    case TY_ERRORS_XMLCHARREFREPLACE: return sprintf(out, "&#%u;", c);
    case TY_ERRORS_BACKSLASHREPLACE: return ty_write_escape(c, out);
    case TY_ERRORS_NAMEREPLACE: return write_name(c, out);
    default: return 0;
    }
}

/* --- exceptions -------------------------------------------------------------------------------------------------- */

static Value unicode_error_new(TyType *type, const char *encoding, Value object, int64_t start, int64_t end,
                               const char *reason)
{
    Value arguments[5];
    arguments[0] = ty_str_from_text(encoding);
    arguments[1] = object;
    arguments[2] = ty_int_from_int64(start);
    arguments[3] = ty_int_from_int64(end);
    arguments[4] = ty_str_from_text(reason);
    if (arguments[0] == TY_NULL || arguments[4] == TY_NULL)
        return TY_NULL;
    return ty_call(ty_from_object(type), arguments, 5, TY_NULL);
}

Value ty_decode_error_new(const char *encoding, Value object, int64_t start, int64_t end, const char *reason)
{
    return unicode_error_new(&ty_UnicodeDecodeError, encoding, object, start, end, reason);
}

Value ty_encode_error_new(const char *encoding, Value object, int64_t start, int64_t end, const char *reason)
{
    return unicode_error_new(&ty_UnicodeEncodeError, encoding, object, start, end, reason);
}

static TyUnicodeErrorObject *as_unicode_error(Value exception) { return (TyUnicodeErrorObject *)ty_object(exception); }

/* Makes the exception at the first error of a call and changes it at later ones, as its handlers expect. */
static bool prepare(Value *exception, TyType *type, const char *encoding, Value object, int64_t start, int64_t end,
                    const char *reason)
{
    if (*exception == TY_NULL) {
        *exception = unicode_error_new(type, encoding, object, start, end, reason);
        return *exception != TY_NULL;
    }
    TyUnicodeErrorObject *error = as_unicode_error(*exception);
    Value text = ty_str_from_text(reason);
    if (text == TY_NULL)
        return false;
    error->start = start;
    error->end = end;
    ty_store(error, &error->reason, text);
    return true;
}

static bool raise_prepared(Value exception)
{
    ty_raise_object(exception);
    return false;
}

/* Calls the handler of a name with the exception. The result's first item goes to *replacement, its second, not yet
   checked against a length, to *position. */
static bool call_handler(Value errors, Value *handler, Value exception, const char *complaint, bool bytes_too,
                         Value *replacement, int64_t *position)
{
    if (*handler == TY_NULL)
        *handler = ty_codec_error_handler(errors);
    if (*handler == TY_NULL)
        return false;
    Value result = ty_call_one(*handler, exception);
    if (result == TY_NULL)
        return false;
    if (!ty_is_tuple(result) || ty_tuple_length(result) != 2) {
        ty_raise(&ty_TypeError, complaint);
        return false;
    }
    *replacement = ty_tuple_item(result, 0);
    if (!ty_is_str(*replacement) && !(bytes_too && ty_is_bytes(*replacement))) {
        ty_raise(&ty_TypeError, complaint);
        return false;
    }
    return ty_to_size(ty_tuple_item(result, 1), position);
}

static bool adjust_position(int64_t *position, int64_t length)
{
    if (*position < 0)
        *position += length;
    if (*position >= 0 && *position <= length)
        return true;
    ty_raise(&ty_IndexError, "position %zd from error handler out of bounds", (ssize_t)*position);
    return false;
}

/* --- decoding ---------------------------------------------------------------------------------------------------- */

bool ty_decoder_start(TyDecoder *decoder, const char *encoding, const uint8_t *bytes, size_t size, Value input, Value errors)
{
    *decoder = (TyDecoder){.encoding = encoding, .bytes = bytes, .size = (int64_t)size, .input = input, .errors = errors};
    return ty_decoder_grow(decoder, (int64_t)size + 1);
}

bool ty_decoder_grow(TyDecoder *decoder, int64_t more)
{
    if (decoder->capacity - decoder->length >= more)
        return true;
    int64_t capacity = decoder->capacity + decoder->capacity / 2 + more;
    uint32_t *text = realloc(decoder->text, (size_t)capacity * sizeof *text);
    if (!text) {
        ty_raise_memory_error();
        return false;
    }
    decoder->text = text;
    decoder->capacity = capacity;
    return true;
}

bool ty_decoder_put_str(TyDecoder *decoder, Value str)
{
    int64_t length = ty_str_length(str);
    if (!ty_decoder_grow(decoder, length))
        return false;
    for (int64_t i = 0; i < length; i++)
        decoder->text[decoder->length++] = ty_str_at(str, i);
    return true;
}

Value ty_decoder_finish(TyDecoder *decoder, bool good)
{
    Value result = good ? ty_str_from_ucs4(decoder->text, (size_t)decoder->length) : TY_NULL;
    free(decoder->text);
    decoder->text = NULL;
    return result;
}

/* A surrogate that is encoded as if it were a character, at the bytes: its size, 0 if there is none. */
static int encoded_surrogate(const char *encoding, const uint8_t *bytes, int64_t size, uint32_t *surrogate)
{
    bool big_endian;
    int unit = ty_utf_unit(encoding, &big_endian);
    if (unit == 1 && size >= 3 && bytes[0] == 0xED && (bytes[1] & 0xE0) == 0xA0 && (bytes[2] & 0xC0) == 0x80)
        return ty_utf8_next(bytes, surrogate);
    if (unit == 2 && size >= 2)
        *surrogate = ty_load_16(bytes, big_endian);
    else if (unit == 4 && size >= 4)
        *surrogate = ty_load_32(bytes, big_endian);
    else
        return 0;
    return ty_is_surrogate(*surrogate) ? unit : 0;
}

/* What the built-in handler does; 1 done, 0 it can't and the error stands, -1 out of memory. */
static int decode_builtin(TyDecoder *d, int64_t start, int64_t end, int64_t *position)
{
    *position = end;
    switch (d->kind) {
    case TY_ERRORS_IGNORE: return 1;
    case TY_ERRORS_REPLACE: return ty_decoder_put(d, 0xFFFD) ? 1 : -1;
    case TY_ERRORS_BACKSLASHREPLACE:
        for (int64_t i = start; i < end; i++) {
            char escape[12];
            int length = ty_write_escape(d->bytes[i], escape);
            for (int j = 0; j < length; j++)
                if (!ty_decoder_put(d, (uint8_t)escape[j]))
                    return -1;
        }
        return 1;
    case TY_ERRORS_SURROGATEESCAPE: {
        int64_t i = start;
        for (; i < end && i < start + 4 && d->bytes[i] >= 0x80; i++)
            if (!ty_decoder_put(d, 0xDC00 + d->bytes[i]))
                return -1;
        *position = i;
        return i > start;
    }
    case TY_ERRORS_SURROGATEPASS: {
        uint32_t surrogate;
        int size = encoded_surrogate(d->encoding, d->bytes + start, d->size - start, &surrogate);
        if (!size)
            return 0;
        *position = start + size;
        return ty_decoder_put(d, surrogate) ? 1 : -1;
    }
    default: return 0;
    }
}

bool ty_decoder_error(TyDecoder *d, int64_t start, int64_t end, const char *reason, int64_t *position)
{
    if (d->kind == TY_ERRORS_UNRESOLVED)
        d->kind = ty_error_kind(d->errors);
    int done = decode_builtin(d, start, end, position);
    if (done)
        return done > 0;
    if (d->input == TY_NULL || !ty_is_bytes(d->input))
        d->input = ty_bytes_new(d->bytes, (size_t)d->size);
    if (d->input == TY_NULL ||
        !prepare(&d->exception, &ty_UnicodeDecodeError, d->encoding, d->input, start, end, reason))
        return false;
    if (d->kind < TY_ERRORS_XMLCHARREFREPLACE || d->kind == TY_ERRORS_SURROGATEESCAPE || d->kind == TY_ERRORS_SURROGATEPASS)
        return raise_prepared(d->exception);

    Value replacement;
    if (!call_handler(d->errors, &d->handler, d->exception, "decoding error handler must return (str, int) tuple", false,
                      &replacement, position))
        return false;
    Value object = ty_field(&as_unicode_error(d->exception)->object);
    if (object == TY_NULL || !ty_is_bytes(object)) {
        ty_raise(&ty_TypeError, "UnicodeError 'object' attribute must be a bytes");
        return false;
    }
    d->input = object;
    d->bytes = ty_bytes_data(object);
    d->size = ty_bytes_length(object);
    return adjust_position(position, d->size) && ty_decoder_put_str(d, replacement);
}

/* --- encoding ---------------------------------------------------------------------------------------------------- */

bool ty_encoder_start(TyEncoder *encoder, const char *encoding, Value text, Value errors, int64_t room)
{
    *encoder = (TyEncoder){.encoding = encoding, .text = text, .errors = errors, .replacement_max = 0x7F, .unit = 1};
    return ty_encoder_grow(encoder, room + 1);
}

bool ty_encoder_grow(TyEncoder *encoder, int64_t more)
{
    if (encoder->capacity - encoder->length >= more)
        return true;
    int64_t capacity = encoder->capacity + encoder->capacity / 2 + more;
    uint8_t *bytes = realloc(encoder->bytes, (size_t)capacity);
    if (!bytes) {
        ty_raise_memory_error();
        return false;
    }
    encoder->bytes = bytes;
    encoder->capacity = capacity;
    return true;
}

bool ty_encoder_put_bytes(TyEncoder *encoder, const void *bytes, int64_t count)
{
    if (!ty_encoder_grow(encoder, count))
        return false;
    memcpy(encoder->bytes + encoder->length, bytes, (size_t)count);
    encoder->length += count;
    return true;
}

Value ty_encoder_finish(TyEncoder *encoder, bool good)
{
    Value result = good ? ty_bytes_new(encoder->bytes, (size_t)encoder->length) : TY_NULL;
    free(encoder->bytes);
    encoder->bytes = NULL;
    return result;
}

static int encode_escaped(TyEncoder *e, int64_t start, int64_t end, int64_t *position)
{
    int64_t i = start, length = e->length;
    for (; i < end; i++) {
        uint32_t c = ty_str_at(e->text, i);
        if (c < 0xDC80 || c > 0xDCFF)
            break;
        if (!ty_encoder_put_byte(e, (uint8_t)c))
            return -1;
    }
    if (i < end && e->mapping != TY_NULL) { /* character maps take a run as a whole */
        e->length = length;
        return 0;
    }
    *position = i;
    return i > start;
}

static int encode_surrogates(TyEncoder *e, int64_t start, int64_t end)
{
    bool big_endian;
    int unit = ty_utf_unit(e->encoding, &big_endian);
    if (!unit)
        return 0;
    for (int64_t i = start; i < end; i++)
        if (!ty_is_surrogate(ty_str_at(e->text, i)))
            return 0;
    for (int64_t i = start; i < end; i++) {
        uint8_t bytes[4];
        int size = unit;
        if (unit == 1)
            size = ty_utf8_put(ty_str_at(e->text, i), bytes);
        else if (unit == 2)
            ty_store_16(bytes, ty_str_at(e->text, i), big_endian);
        else
            ty_store_32(bytes, ty_str_at(e->text, i), big_endian);
        if (!ty_encoder_put_bytes(e, bytes, size))
            return -1;
    }
    return 1;
}

/* As decode_builtin. */
static int encode_builtin(TyEncoder *e, int64_t start, int64_t end, int64_t *position)
{
    *position = end;
    switch (e->kind) {
    case TY_ERRORS_IGNORE: return 1;
    case TY_ERRORS_REPLACE:
    case TY_ERRORS_BACKSLASHREPLACE:
    case TY_ERRORS_XMLCHARREFREPLACE:
    case TY_ERRORS_NAMEREPLACE:
        for (int64_t i = start; i < end; i++) {
            char text[REPLACEMENT_MAX];
            int length = write_replacement(e->kind, ty_str_at(e->text, i), text);
            for (int j = 0; j < length; j++) {
                int put = e->put(e, (uint8_t)text[j]);
                if (put <= 0)
                    return put;
            }
        }
        return 1;
    case TY_ERRORS_SURROGATEESCAPE: return e->unit == 1 ? encode_escaped(e, start, end, position) : 0;
    case TY_ERRORS_SURROGATEPASS: return encode_surrogates(e, start, end);
    default: return 0;
    }
}

/* Encodes what a handler gave; 0: the encoding has no such characters. */
static int encode_replacement(TyEncoder *e, Value replacement)
{
    if (ty_is_bytes(replacement)) {
        if (ty_bytes_length(replacement) % e->unit)
            return 0;
        return ty_encoder_put_bytes(e, ty_bytes_data(replacement), ty_bytes_length(replacement)) ? 1 : -1;
    }
    for (int64_t i = 0; i < ty_str_length(replacement); i++) {
        uint32_t c = ty_str_at(replacement, i);
        int put = c > e->replacement_max ? 0 : e->put(e, c);
        if (put <= 0)
            return put;
    }
    return 1;
}

bool ty_encoder_error(TyEncoder *e, int64_t start, int64_t end, const char *reason, int64_t *position)
{
    if (e->kind == TY_ERRORS_UNRESOLVED)
        e->kind = ty_error_kind(e->errors);
    int done = encode_builtin(e, start, end, position);
    if (done)
        return done > 0;
    if (!prepare(&e->exception, &ty_UnicodeEncodeError, e->encoding, e->text, start, end, reason))
        return false;
    if (e->kind != TY_ERRORS_OTHER)
        return raise_prepared(e->exception);
    Value replacement;
    if (!call_handler(e->errors, &e->handler, e->exception, "encoding error handler must return (str/bytes, int) tuple",
                      true, &replacement, position) ||
        !adjust_position(position, ty_str_length(e->text)))
        return false;
    done = encode_replacement(e, replacement);
    if (done)
        return done > 0;
    /* The handler may have changed the exception: it is raised for the place of the error all the same. */
    return prepare(&e->exception, &ty_UnicodeEncodeError, e->encoding, e->text, start, end, reason) &&
           raise_prepared(e->exception);
}

/* --- translating ------------------------------------------------------------------------------------------------- */

static Value translate_error_new(Value text, int64_t start, int64_t end, const char *reason)
{
    Value arguments[4];
    arguments[0] = text;
    arguments[1] = ty_int_from_int64(start);
    arguments[2] = ty_int_from_int64(end);
    arguments[3] = ty_str_from_text(reason);
    return arguments[3] == TY_NULL ? TY_NULL : ty_call(ty_from_object(&ty_UnicodeTranslateError), arguments, 4, TY_NULL);
}

Value ty_translate_error(Value text, Value errors, const char *reason, int64_t start, int64_t end, int64_t *position)
{
    Value exception = translate_error_new(text, start, end, reason);
    if (exception == TY_NULL)
        return TY_NULL;
    if (ty_error_kind(errors) == TY_ERRORS_STRICT)
        return ty_raise_object(exception);
    Value handler = TY_NULL, replacement;
    if (!call_handler(errors, &handler, exception, "translating error handler must return (str, int) tuple", false, &replacement,
                      position) ||
        !adjust_position(position, ty_str_length(text)))
        return TY_NULL;
    return replacement;
}

/* --- the built-in handlers as functions -------------------------------------------------------------------------- */

enum { ENCODING = 1, DECODING = 2, TRANSLATING = 4 };

/* Which of the three errors that handlers know an exception is; 0 with TypeError if none of `allowed`. */
static int kind_of(Value exception, int allowed)
{
    int kind = !ty_is_object(exception)                                      ? 0
               : ty_is_instance_of(exception, &ty_UnicodeEncodeError)        ? ENCODING
               : ty_is_instance_of(exception, &ty_UnicodeDecodeError)        ? DECODING
               : ty_is_instance_of(exception, &ty_UnicodeTranslateError)     ? TRANSLATING
                                                                             : 0;
    if (kind & allowed)
        return kind;
    ty_raise(&ty_TypeError, "don't know how to handle %T in error callback", exception);
    return 0;
}

typedef struct {
    int kind;
    Value object;
    int64_t start, end;
    const char *encoding;
    Value encoding_holder;
} Problem;

/* Reads the exception's attributes; start and end come out inside the object. */
static bool read_problem(Value exception, int allowed, Problem *problem)
{
    problem->kind = kind_of(exception, allowed);
    if (!problem->kind)
        return false;
    TyUnicodeErrorObject *error = as_unicode_error(exception);
    bool bytes = problem->kind == DECODING;
    problem->object = ty_field(&error->object);
    if (problem->object == TY_NULL) {
        ty_raise(&ty_TypeError, "UnicodeError 'object' attribute is not set");
        return false;
    }
    if (bytes ? !ty_is_bytes(problem->object) : !ty_is_str(problem->object)) {
        ty_raise(&ty_TypeError, "UnicodeError 'object' attribute must be a %s", bytes ? "bytes" : "string");
        return false;
    }
    int64_t length = bytes ? ty_bytes_length(problem->object) : ty_str_length(problem->object);
    int64_t start = error->start < 0 ? 0 : error->start;
    if (start >= length)
        start = length == 0 ? 0 : length - 1;
    int64_t end = error->end < 1 ? 1 : error->end;
    if (end > length)
        end = length;
    if (end < start)
        end = start;
    problem->start = start;
    problem->end = end;
    problem->encoding = "";
    if (problem->kind != TRANSLATING) {
        size_t size;
        Value encoding = ty_field(&error->encoding);
        if (encoding == TY_NULL || !ty_is_str(encoding)) {
            ty_raise(&ty_TypeError, "UnicodeError 'encoding' attribute must be a string");
            return false;
        }
        problem->encoding = ty_str_utf8(encoding, &size, &problem->encoding_holder);
        if (!problem->encoding)
            return false;
    }
    return true;
}

static Value answer(Value replacement, int64_t position)
{
    return ty_tuple_pack(2, replacement, ty_int_from_int64(position));
}

static Value strict_errors(Value self, Value *a)
{
    if (ty_is_exception(a[0]))
        return ty_raise_object(a[0]);
    return ty_raise(&ty_TypeError, "codec must pass exception instance");
}

/* All those that go over the characters one by one. */
static Value replace_with(TyErrorKind kind, int allowed, Value exception)
{
    Problem p = {0};
    if (!read_problem(exception, allowed, &p))
        return TY_NULL;
    if (kind == TY_ERRORS_REPLACE && p.kind == DECODING)
        return answer(ty_str_from_char(0xFFFD), p.end);
    TyStrBuilder text = {0};
    for (int64_t i = p.start; i < p.end; i++) {
        char one[REPLACEMENT_MAX];
        if (p.kind == TRANSLATING && kind == TY_ERRORS_REPLACE) {
            ty_builder_add_char(&text, 0xFFFD);
            continue;
        }
        uint32_t c = p.kind == DECODING ? ty_bytes_data(p.object)[i] : ty_str_at(p.object, i);
        ty_builder_add_ascii(&text, one, (size_t)write_replacement(kind, c, one));
    }
    return answer(ty_builder_finish(&text), p.end);
}

static Value ignore_errors(Value self, Value *a)
{
    Problem p = {0};
    return read_problem(a[0], ENCODING | DECODING | TRANSLATING, &p) ? answer(ty_str_empty(), p.end) : TY_NULL;
}

static Value replace_errors(Value self, Value *a)
{
    return replace_with(TY_ERRORS_REPLACE, ENCODING | DECODING | TRANSLATING, a[0]);
}

static Value xmlcharrefreplace_errors(Value self, Value *a)
{
    return replace_with(TY_ERRORS_XMLCHARREFREPLACE, ENCODING, a[0]);
}

static Value backslashreplace_errors(Value self, Value *a)
{
    return replace_with(TY_ERRORS_BACKSLASHREPLACE, ENCODING | DECODING | TRANSLATING, a[0]);
}

static Value namereplace_errors(Value self, Value *a) { return replace_with(TY_ERRORS_NAMEREPLACE, ENCODING, a[0]); }

/* The two that deal with surrogates use the codecs' own code, on an encoder or decoder made for the purpose. */
static Value surrogate_errors(TyErrorKind kind, Value exception)
{
    Problem p = {0};
    if (!read_problem(exception, ENCODING | DECODING, &p))
        return TY_NULL;
    int64_t position;
    if (p.kind == ENCODING) {
        TyEncoder e;
        if (!ty_encoder_start(&e, p.encoding, p.object, TY_NULL, 4 * (p.end - p.start)))
            return TY_NULL;
        e.kind = kind;
        position = p.end;
        int done = p.start == p.end && kind == TY_ERRORS_SURROGATEESCAPE ? 1 : encode_builtin(&e, p.start, p.end, &position);
        if (done > 0 && position < p.end)
            done = 0;
        Value bytes = ty_encoder_finish(&e, done > 0);
        return done == 0 ? ty_raise_object(exception) : answer(bytes, p.end);
    }
    TyDecoder d;
    if (!ty_decoder_start(&d, p.encoding, ty_bytes_data(p.object), (size_t)ty_bytes_length(p.object), p.object, TY_NULL))
        return TY_NULL;
    d.kind = kind;
    int done = decode_builtin(&d, p.start, p.end, &position);
    Value text = ty_decoder_finish(&d, done > 0);
    return done == 0 ? ty_raise_object(exception) : answer(text, position);
}

static Value surrogateescape_errors(Value self, Value *a) { return surrogate_errors(TY_ERRORS_SURROGATEESCAPE, a[0]); }

static Value surrogatepass_errors(Value self, Value *a) { return surrogate_errors(TY_ERRORS_SURROGATEPASS, a[0]); }

static const TyNativeDef handlers[] = {
    TY_FUNCTION("strict_errors(module, exception, /)", strict_errors, "Handles an error by raising the exception."),
    TY_FUNCTION("ignore_errors(module, exception, /)", ignore_errors, "Handles an error by leaving the bad part out."),
    TY_FUNCTION("replace_errors(module, exception, /)", replace_errors,
                "Handles an error by putting a question mark or U+FFFD in the place of the bad part."),
    TY_FUNCTION("xmlcharrefreplace_errors(module, exception, /)", xmlcharrefreplace_errors,
                "Handles an encoding error by writing XML character references."),
    TY_FUNCTION("backslashreplace_errors(module, exception, /)", backslashreplace_errors,
                "Handles an error by writing escapes with a backslash."),
    TY_FUNCTION("namereplace_errors(module, exception, /)", namereplace_errors,
                "Handles an encoding error by writing \\N{...} escapes with the characters' names."),
    TY_FUNCTION("surrogatepass(module, exception, /)", surrogatepass_errors,
                "Handles an error by treating surrogates as characters like any other."),
    TY_FUNCTION("surrogateescape(module, exception, /)", surrogateescape_errors,
                "Handles an error by mapping bad bytes to lone surrogates and back."),
};

Value ty_codec_builtin_handler(Value name)
{
    TyErrorKind kind = ty_error_kind(name);
    static const int8_t places[] = {
        [TY_ERRORS_STRICT] = 0, [TY_ERRORS_IGNORE] = 1, [TY_ERRORS_REPLACE] = 2, [TY_ERRORS_XMLCHARREFREPLACE] = 3,
        [TY_ERRORS_BACKSLASHREPLACE] = 4, [TY_ERRORS_NAMEREPLACE] = 5, [TY_ERRORS_SURROGATEPASS] = 6,
        [TY_ERRORS_SURROGATEESCAPE] = 7,
    };
    return kind == TY_ERRORS_OTHER ? TY_NULL : ty_native_new(&handlers[places[kind]], TY_NULL, TY_NULL, TY_NULL);
}
