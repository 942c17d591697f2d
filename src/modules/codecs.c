/* _codecs: the registry and the built-in codecs, as `codecs` and `encodings` use them. */
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

/* --- arguments ----------------------------------------------------------------------------------------------------- */

static bool is_text(Value v, const char *function, int position)
{
    if (ty_is_str(v))
        return true;
    ty_raise(&ty_TypeError, "%s() argument %d must be str, not %T", function, position, v);
    return false;
}

/* `errors` as the codecs take it: None and an argument not given are TY_NULL. */
static bool to_errors(Value *v, const char *function)
{
    if (*v == TY_NULL || ty_is_str(*v))
        return true;
    if (*v != TY_NONE) {
        ty_raise(&ty_TypeError, "%s() argument 2 must be str or None, not %T", function, *v);
        return false;
    }
    *v = TY_NULL;
    return true;
}

/* A flag that may not have been given; -1 with an exception. */
static int to_flag(Value v, bool otherwise) { return v == TY_NULL ? otherwise : ty_is_true(v); }

static Value pair(Value result, int64_t count)
{
    return result == TY_NULL ? TY_NULL : ty_tuple_pack(2, result, ty_int_from_int64(count));
}

/* --- the registry ---------------------------------------------------------------------------------------------------- */

static Value codecs_register(Value module, Value *a) { return ty_codec_register(a[0]) ? TY_NONE : TY_NULL; }

static Value codecs_unregister(Value module, Value *a) { return ty_codec_unregister(a[0]) ? TY_NONE : TY_NULL; }

static Value codecs_lookup(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "lookup() argument must be str, not %T", a[0]);
    return ty_codec_lookup(a[0]);
}

static bool named_texts(Value *a, const char *function)
{
    static const char *const names[] = {"encoding", "errors"};
    for (int i = 0; i < 2; i++)
        if (a[1 + i] != TY_NULL && !ty_is_str(a[1 + i])) {
            ty_raise(&ty_TypeError, "%s() argument '%s' must be str, not %T", function, names[i], a[1 + i]);
            return false;
        }
    if (a[1] == TY_NULL)
        a[1] = TY_NAME("utf-8");
    return true;
}

static Value codecs_encode(Value module, Value *a)
{
    return named_texts(a, "encode") ? ty_codec_encode(a[0], a[1], a[2]) : TY_NULL;
}

static Value codecs_decode(Value module, Value *a)
{
    return named_texts(a, "decode") ? ty_codec_decode(a[0], a[1], a[2]) : TY_NULL;
}

static Value codecs_register_error(Value module, Value *a)
{
    return is_text(a[0], "register_error", 1) && ty_codec_register_error(a[0], a[1]) ? TY_NONE : TY_NULL;
}

static Value codecs_unregister_error(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "_unregister_error() argument must be str, not %T", a[0]);
    int removed = ty_codec_unregister_error(a[0]);
    return removed < 0 ? TY_NULL : ty_from_bool(removed);
}

static Value codecs_lookup_error(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "lookup_error() argument must be str, not %T", a[0]);
    return ty_codec_error_handler(a[0]);
}

/* --- encoders ---------------------------------------------------------------------------------------------------------- */

/* `expression` makes bytes of `text` and `errors`. */
#define ENCODER(name, expression)                                                                              \
    static Value codecs_##name##_encode(Value module, Value *a)                                                \
    {                                                                                                          \
        Value text = a[0];                                                                                     \
        if (!is_text(text, #name "_encode", 1) || !to_errors(&a[1], #name "_encode"))                          \
            return TY_NULL;                                                                                    \
        Value errors = a[1];                                                                                   \
        (void)errors;                                                                                          \
        return pair(expression, ty_str_length(text));                                                          \
    }

ENCODER(utf_8, ty_utf8_encode(text, errors))
ENCODER(utf_7, ty_utf7_encode(text, errors))
ENCODER(utf_16_le, ty_utf16_encode(text, errors, TY_ENDIAN_LITTLE))
ENCODER(utf_16_be, ty_utf16_encode(text, errors, TY_ENDIAN_BIG))
ENCODER(utf_32_le, ty_utf32_encode(text, errors, TY_ENDIAN_LITTLE))
ENCODER(utf_32_be, ty_utf32_encode(text, errors, TY_ENDIAN_BIG))
ENCODER(latin_1, ty_latin1_encode(text, errors))
ENCODER(ascii, ty_ascii_encode(text, errors))
ENCODER(unicode_escape, ty_unicode_escape_encode(text))
ENCODER(raw_unicode_escape, ty_raw_unicode_escape_encode(text))
ENCODER(charmap, ty_charmap_encode(text, errors, a[2] == TY_NONE ? TY_NULL : a[2]))

#define ORDERED_ENCODER(name, function)                                                                        \
    static Value codecs_##name##_encode(Value module, Value *a)                                                \
    {                                                                                                          \
        int32_t order = TY_ENDIAN_NATIVE;                                                                      \
        if (!is_text(a[0], #name "_encode", 1) || !to_errors(&a[1], #name "_encode") ||                        \
            (a[2] != TY_NULL && !ty_to_int32(a[2], &order)))                                                   \
            return TY_NULL;                                                                                    \
        order = order < 0 ? TY_ENDIAN_LITTLE : order > 0 ? TY_ENDIAN_BIG : TY_ENDIAN_NATIVE;                   \
        return pair(function(a[0], a[1], order), ty_str_length(a[0]));                                         \
    }

ORDERED_ENCODER(utf_16, ty_utf16_encode)
ORDERED_ENCODER(utf_32, ty_utf32_encode)

/* --- decoders ---------------------------------------------------------------------------------------------------------- */

/* The bytes of an argument; of a str, its UTF-8, where the codec allows that. */
typedef struct {
    TyBuffer view;
    const uint8_t *bytes;
    size_t size;
    Value input;
    bool viewed;
} Input;

static bool open_input(Input *input, Value v, bool str_too)
{
    *input = (Input){.input = v};
    if (str_too && ty_is_str(v)) {
        input->bytes = (const uint8_t *)ty_str_utf8(v, &input->size, &input->input);
        return input->bytes != NULL;
    }
    if (!ty_buffer_get(v, &input->view, TY_BUFFER_SIMPLE))
        return false;
    input->viewed = true;
    input->bytes = input->view.data;
    input->size = (size_t)input->view.length;
    return true;
}

static Value close_input(Input *input, Value result)
{
    if (input->viewed)
        ty_buffer_release(&input->view);
    return result;
}

/* `expression` makes a str of `in` and `errors`; `used` is how much of the input it took, all of it unless a pointer to it, which
   is NULL when the input is final, is handed on as `consumed`. */
#define DECODER(name, str_too, final_argument, final_default, expression)                                      \
    static Value codecs_##name##_decode(Value module, Value *a)                                                \
    {                                                                                                          \
        Input in;                                                                                              \
        if (!to_errors(&a[1], #name "_decode"))                                                                \
            return TY_NULL;                                                                                    \
        int final = final_argument ? to_flag(a[final_argument], final_default) : 1;                            \
        if (final < 0 || !open_input(&in, a[0], str_too))                                                      \
            return TY_NULL;                                                                                    \
        Value errors = a[1];                                                                                   \
        size_t used = in.size, *consumed = final ? NULL : &used;                                               \
        (void)errors, (void)consumed;                                                                          \
        Value result = expression;                                                                             \
        return close_input(&in, pair(result, (int64_t)used));                                                  \
    }

static Value decode_ordered(Input *in, Value errors, size_t *consumed, int order, bool wide)
{
    return (wide ? ty_utf32_decode : ty_utf16_decode)(in->bytes, in->size, in->input, errors, &order, consumed);
}

DECODER(utf_8, false, 2, false, ty_utf8_decode(in.bytes, in.size, in.input, errors, consumed))
DECODER(utf_7, false, 2, false, ty_utf7_decode(in.bytes, in.size, in.input, errors, consumed))
DECODER(utf_16, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_NATIVE, false))
DECODER(utf_16_le, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_LITTLE, false))
DECODER(utf_16_be, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_BIG, false))
DECODER(utf_32, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_NATIVE, true))
DECODER(utf_32_le, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_LITTLE, true))
DECODER(utf_32_be, false, 2, false, decode_ordered(&in, errors, consumed, TY_ENDIAN_BIG, true))
DECODER(latin_1, false, 0, true, ty_latin1_decode(in.bytes, in.size))
DECODER(ascii, false, 0, true, ty_ascii_decode(in.bytes, in.size, in.input, errors))
DECODER(charmap, false, 0, true,
        ty_charmap_decode(in.bytes, in.size, in.input, errors, a[2] == TY_NONE ? TY_NULL : a[2]))
DECODER(raw_unicode_escape, true, 2, true, ty_raw_unicode_escape_decode(in.bytes, in.size, in.input, errors, consumed))

static Value decode_with_order(Value *a, const char *function, bool wide)
{
    Input in;
    int32_t order = TY_ENDIAN_NATIVE;
    int final = to_flag(a[3], false);
    if (final < 0 || !to_errors(&a[1], function) || (a[2] != TY_NULL && !ty_to_int32(a[2], &order)) ||
        !open_input(&in, a[0], false))
        return TY_NULL;
    size_t used = in.size;
    Value text = (wide ? ty_utf32_decode : ty_utf16_decode)(in.bytes, in.size, in.input, a[1], &order,
                                                            final ? NULL : &used);
    if (text != TY_NULL)
        text = ty_tuple_pack(3, text, ty_int_from_int64((int64_t)used), ty_from_immediate_int(order));
    return close_input(&in, text);
}

static Value codecs_utf_16_ex_decode(Value module, Value *a) { return decode_with_order(a, "utf_16_ex_decode", false); }

static Value codecs_utf_32_ex_decode(Value module, Value *a) { return decode_with_order(a, "utf_32_ex_decode", true); }

/* --- escapes ------------------------------------------------------------------------------------------------------------- */

/* The warning about a bad escape, if there is one. */
static bool warn_escape(int64_t bad_escape, const char *prefix)
{
    if (bad_escape < 0)
        return true;
    const char text[4] = {(char)bad_escape, (char)(bad_escape >> 8), (char)(bad_escape >> 16), 0};
    if (*text >= '4' && *text <= '7')
        return ty_warn(&ty_DeprecationWarning, 1, "%s\"\\%.3s\" is an invalid octal escape sequence. "
                       "Such sequences will not work in the future. ", prefix, text);
    return ty_warn(&ty_DeprecationWarning, 1, "%s\"\\%c\" is an invalid escape sequence. "
                   "Such sequences will not work in the future. ", prefix, (uint8_t)*text);
}

static Value codecs_unicode_escape_decode(Value module, Value *a)
{
    Input in;
    int final = to_flag(a[2], true);
    if (final < 0 || !to_errors(&a[1], "unicode_escape_decode") || !open_input(&in, a[0], true))
        return TY_NULL;
    size_t used = in.size;
    int64_t bad_escape;
    Value text = ty_unicode_escape_decode(in.bytes, in.size, in.input, a[1], final ? NULL : &used, &bad_escape);
    if (text != TY_NULL && !warn_escape(bad_escape, ""))
        text = TY_NULL;
    return close_input(&in, pair(text, (int64_t)used));
}

static Value codecs_escape_decode(Value module, Value *a)
{
    Input in;
    if (!to_errors(&a[1], "escape_decode") || !open_input(&in, a[0], true))
        return TY_NULL;
    int64_t bad_escape;
    Value bytes = ty_bytes_escape_decode(in.bytes, in.size, a[1], &bad_escape);
    if (bytes != TY_NULL && !warn_escape(bad_escape, "b"))
        bytes = TY_NULL;
    return close_input(&in, pair(bytes, (int64_t)in.size));
}

static Value codecs_escape_encode(Value module, Value *a)
{
    if (!ty_is_bytes(a[0]))
        return ty_raise(&ty_TypeError, "escape_encode() argument 1 must be bytes, not %T", a[0]);
    if (!to_errors(&a[1], "escape_encode"))
        return TY_NULL;
    int64_t length = ty_bytes_length(a[0]);
    return pair(ty_bytes_escape_encode(ty_bytes_data(a[0]), (size_t)length), length);
}

static Value codecs_readbuffer_encode(Value module, Value *a)
{
    Input in;
    if (!to_errors(&a[1], "readbuffer_encode") || !open_input(&in, a[0], true))
        return TY_NULL;
    return close_input(&in, pair(ty_bytes_new(in.bytes, in.size), (int64_t)in.size));
}

static Value codecs_charmap_build(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "charmap_build() argument must be str, not %T", a[0]);
    return ty_charmap_build(a[0]);
}

/* --- the module ---------------------------------------------------------------------------------------------------------- */

#define ENCODE(name) TY_FUNCTION(#name "_encode(module, str, errors=None, /)", codecs_##name##_encode, NULL)
#define DECODE(name) TY_FUNCTION(#name "_decode(module, data, errors=None, /)", codecs_##name##_decode, NULL)
#define DECODE_FINAL(name) TY_FUNCTION(#name "_decode(module, data, errors=None, final=False, /)", codecs_##name##_decode, NULL)

static const TyNativeDef functions[] = {
    TY_FUNCTION("register(module, search_function, /)", codecs_register,
                "Registers a function that takes the name of an encoding in lower case and returns a CodecInfo, or None."),
    TY_FUNCTION("unregister(module, search_function, /)", codecs_unregister,
                "Takes a search function out of the registry, which forgets what has been found so far."),
    TY_FUNCTION("lookup(module, encoding, /)", codecs_lookup, "The CodecInfo of an encoding."),
    TY_FUNCTION("encode(module, /, obj, encoding='utf-8', errors='strict')", codecs_encode,
                "Encodes an object with the codec of that name, whatever types it goes between."),
    TY_FUNCTION("decode(module, /, obj, encoding='utf-8', errors='strict')", codecs_decode,
                "Decodes an object with the codec of that name, whatever types it goes between."),
    TY_FUNCTION("register_error(module, errors, handler, /)", codecs_register_error,
                "Registers an error handler under a name. It is called with the exception and returns what to put in the "
                "place of the bad part, and the position to go on from; or raises."),
    TY_FUNCTION("_unregister_error(module, errors, /)", codecs_unregister_error,
                "Takes a registered error handler out. Whether there was one; ValueError for a built-in one."),
    TY_FUNCTION("lookup_error(module, name, /)", codecs_lookup_error, "The error handler of that name."),
    ENCODE(utf_8), ENCODE(utf_7), ENCODE(utf_16_le), ENCODE(utf_16_be), ENCODE(utf_32_le), ENCODE(utf_32_be), ENCODE(latin_1),
    ENCODE(ascii), ENCODE(unicode_escape), ENCODE(raw_unicode_escape),
    TY_FUNCTION("utf_16_encode(module, str, errors=None, byteorder=0, /)", codecs_utf_16_encode, NULL),
    TY_FUNCTION("utf_32_encode(module, str, errors=None, byteorder=0, /)", codecs_utf_32_encode, NULL),
    TY_FUNCTION("charmap_encode(module, str, errors=None, mapping=None, /)", codecs_charmap_encode, NULL),
    DECODE_FINAL(utf_8), DECODE_FINAL(utf_7), DECODE_FINAL(utf_16), DECODE_FINAL(utf_16_le), DECODE_FINAL(utf_16_be),
    DECODE_FINAL(utf_32), DECODE_FINAL(utf_32_le), DECODE_FINAL(utf_32_be), DECODE(latin_1), DECODE(ascii), DECODE(escape),
    TY_FUNCTION("utf_16_ex_decode(module, data, errors=None, byteorder=0, final=False, /)", codecs_utf_16_ex_decode, NULL),
    TY_FUNCTION("utf_32_ex_decode(module, data, errors=None, byteorder=0, final=False, /)", codecs_utf_32_ex_decode, NULL),
    TY_FUNCTION("unicode_escape_decode(module, data, errors=None, final=True, /)", codecs_unicode_escape_decode, NULL),
    TY_FUNCTION("raw_unicode_escape_decode(module, data, errors=None, final=True, /)", codecs_raw_unicode_escape_decode, NULL),
    TY_FUNCTION("charmap_decode(module, data, errors=None, mapping=None, /)", codecs_charmap_decode, NULL),
    TY_FUNCTION("escape_encode(module, data, errors=None, /)", codecs_escape_encode, NULL),
    TY_FUNCTION("readbuffer_encode(module, data, errors=None, /)", codecs_readbuffer_encode, NULL),
    TY_FUNCTION("charmap_build(module, map, /)", codecs_charmap_build, NULL),
    {0},
};

static bool execute(Value module) { return ty_type_ready(&ty_encoding_map_type); }

const TyModuleDef ty_module__codecs = {
    .name = "_codecs",
    .functions = functions,
    .execute = execute,
};
