/* _multibytecodec and the _codecs_… modules: the encodings of East Asia, over the C library's iconv.
 *
 * A codec object names a character set of iconv. Each conversion opens a descriptor of its own; incremental coders keep theirs, for the encodings that
 * shift. Text goes through UTF-32 in small portions; what iconv refuses goes to the error handler. What iconv does not have (HZ, ISO-2022-JP-1 and -EXT) is
 * refused when it is used. */
#include "base/futex.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include <errno.h>
#include <iconv.h>
#include <stdio.h>

#define SELF(structure) structure *self = (structure *)ty_object(v)

typedef struct Encoding {
    const char *name, *charset; /* charset NULL: iconv has none */
    bool shifts;                /* what bytes mean depends on those before */
} Encoding;

static const Encoding chinese[] = {{"gb2312", "EUC-CN", false}, {"gbk", "GBK", false}, {"gb18030", "GB18030", false}, {"hz", NULL, true}, {0}};
static const Encoding hong_kong[] = {{"big5hkscs", "BIG5-HKSCS", false}, {0}};
static const Encoding taiwanese[] = {{"big5", "BIG5", false}, {"cp950", "CP950", false}, {0}};
static const Encoding korean[] = {{"euc_kr", "EUC-KR", false}, {"cp949", "CP949", false}, {"johab", "JOHAB", false}, {0}};
static const Encoding japanese[] = {
    {"shift_jis", "SJIS", false},
    {"cp932", "CP932", false},
    {"euc_jp", "EUC-JP", false},
    {"shift_jis_2004", "SHIFT_JISX0213", false},
    {"shift_jisx0213", "SHIFT_JISX0213", false},
    {"euc_jis_2004", "EUC-JISX0213", false},
    {"euc_jisx0213", "EUC-JISX0213", false},
    {0},
};
static const Encoding shifting[] = {
    {"iso2022_jp", "ISO-2022-JP", true},  {"iso2022_jp_1", NULL, true}, {"iso2022_jp_2", "ISO-2022-JP-2", true}, {"iso2022_jp_2004", "ISO-2022-JP-3", true},
    {"iso2022_jp_3", "ISO-2022-JP-3", true}, {"iso2022_jp_ext", NULL, true}, {"iso2022_kr", "ISO-2022-KR", true}, {0},
};

/* --- conversions ------------------------------------------------------------------------------------------------------ */

#define NO_DESCRIPTOR ((iconv_t)-1)
enum { PORTION = 512, UNIT_MAX = 16 };

static iconv_t open_descriptor(const Encoding *encoding, bool encode)
{
    const char *charset = encoding->charset;
    iconv_t descriptor = !charset ? NO_DESCRIPTOR : encode ? iconv_open(charset, "UTF-32LE") : iconv_open("UTF-32LE", charset);
    if (descriptor == NO_DESCRIPTOR)
        ty_raise(&ty_LookupError, "the C library's iconv does not have the encoding '%s'", encoding->name);
    return descriptor;
}

static bool put_units(TyDecoder *d, const char *units, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t c;
        memcpy(&c, units + i, 4);
        if (!ty_decoder_put(d, c))
            return false;
    }
    return true;
}

/* Decodes; with `consumed` an incomplete character at the end is left, else it is an error. */
static Value decode(iconv_t descriptor, const Encoding *encoding, const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed)
{
    TyDecoder d;
    bool good = ty_decoder_start(&d, encoding->name, bytes, size, input, errors);
    int64_t i = 0;
    char units[4 * PORTION];
    while (good && i < d.size) {
        char *in = (char *)(uintptr_t)(d.bytes + i), *out = units;
        size_t in_left = (size_t)(d.size - i), out_left = sizeof units;
        size_t result = iconv(descriptor, &in, &in_left, &out, &out_left);
        int error = result == (size_t)-1 ? errno : 0;
        i = d.size - (int64_t)in_left;
        good = put_units(&d, units, sizeof units - out_left);
        if (!good || error == 0 || error == E2BIG)
            continue;
        if (error == EINVAL && consumed)
            break;
        good = ty_decoder_error(&d, i, error == EINVAL ? d.size : i + 1, error == EINVAL ? "incomplete multibyte sequence" : "illegal multibyte sequence", &i);
    }
    if (good && !consumed) { /* a character that waited for one to combine with */
        char *out = units;
        size_t out_left = sizeof units;
        iconv(descriptor, NULL, NULL, &out, &out_left);
        good = put_units(&d, units, sizeof units - out_left);
    }
    if (consumed)
        *consumed = (size_t)i;
    return ty_decoder_finish(&d, good);
}

/* What iconv writes for `length` characters from text[*position] on, as far as it goes; errno's value for why it stopped, 0 at the end; -1 with an exception. */
static int put_characters(iconv_t descriptor, TyEncoder *e, const uint32_t *characters, size_t length, size_t *done)
{
    char *in = (char *)(uintptr_t)characters;
    size_t in_left = length * 4;
    int error;
    do {
        char bytes[PORTION], *out = bytes;
        size_t out_left = sizeof bytes;
        error = iconv(descriptor, &in, &in_left, &out, &out_left) == (size_t)-1 ? errno : 0;
        if (!ty_encoder_put_bytes(e, bytes, (int64_t)(sizeof bytes - out_left)))
            return -1;
    } while (error == E2BIG);
    *done = length - in_left / 4;
    return error;
}

/* A character of an error handler's text. The descriptor rides in the mapping's place, which only character maps use. */
static int put_one(TyEncoder *e, uint32_t c)
{
    size_t done;
    int error = put_characters((iconv_t)(uintptr_t)e->mapping, e, &c, 1, &done);
    return error < 0 ? -1 : error == 0;
}

/* Back to the state that the encoding begins in. */
static bool put_reset(iconv_t descriptor, TyEncoder *e)
{
    char bytes[PORTION], *out = bytes;
    size_t out_left = sizeof bytes;
    iconv(descriptor, NULL, NULL, &out, &out_left);
    return ty_encoder_put_bytes(e, bytes, (int64_t)(sizeof bytes - out_left));
}

static Value encode(iconv_t descriptor, const Encoding *encoding, Value text, Value errors, bool final)
{
    TyEncoder e;
    int64_t length = ty_str_length(text);
    bool good = ty_encoder_start(&e, encoding->name, text, errors, length * 2);
    e.put = put_one;
    e.replacement_max = 0x10FFFF;
    e.unit = 1;
    e.mapping = (Value)(uintptr_t)descriptor;
    for (int64_t i = 0; good && i < length;) {
        uint32_t characters[PORTION];
        size_t count = 0, done = 0;
        while (count < PORTION && i + (int64_t)count < length) {
            characters[count] = ty_str_at(text, i + (int64_t)count);
            count++;
        }
        int error = put_characters(descriptor, &e, characters, count, &done);
        i += (int64_t)done;
        good = error >= 0 && (error == 0 || ty_encoder_error(&e, i, i + 1, "illegal multibyte sequence", &i));
    }
    good = good && (!final || put_reset(descriptor, &e));
    e.mapping = TY_NULL;
    return ty_encoder_finish(&e, good);
}

/* --- codecs ------------------------------------------------------------------------------------------------------------ */

typedef struct Codec {
    TyObject base;
    const Encoding *encoding;
} Codec;

static TyType codec_type;

static bool check_errors(Value errors)
{
    if (errors == TY_NULL || errors == TY_NONE || ty_is_str(errors))
        return true;
    ty_raise(&ty_TypeError, "errors must be a string");
    return false;
}

static Value name_of_errors(Value errors) { return errors == TY_NONE ? TY_NULL : errors; }

static Value codec_encode(Value v, Value *a)
{
    SELF(Codec);
    if (!check_errors(a[1]))
        return TY_NULL;
    Value text = ty_is_str(a[0]) ? a[0] : ty_str(a[0]);
    if (text == TY_NULL)
        return TY_NULL;
    iconv_t descriptor = open_descriptor(self->encoding, true);
    if (descriptor == NO_DESCRIPTOR)
        return TY_NULL;
    Value bytes = encode(descriptor, self->encoding, text, name_of_errors(a[1]), true);
    iconv_close(descriptor);
    return bytes == TY_NULL ? TY_NULL : ty_tuple_pack(2, bytes, ty_int_from_int64(ty_str_length(text)));
}

static Value codec_decode(Value v, Value *a)
{
    SELF(Codec);
    TyBuffer view;
    if (!check_errors(a[1]) || !ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value text = TY_NULL;
    iconv_t descriptor = open_descriptor(self->encoding, false);
    if (descriptor != NO_DESCRIPTOR) {
        text = decode(descriptor, self->encoding, view.data, (size_t)view.length, a[0], name_of_errors(a[1]), NULL);
        iconv_close(descriptor);
    }
    Value length = ty_int_from_int64(view.length);
    ty_buffer_release(&view);
    return text == TY_NULL ? TY_NULL : ty_tuple_pack(2, text, length);
}

static const TyNativeDef codec_methods[] = {
    TY_METHOD("encode(self, /, input, errors=None)", codec_encode, "The bytes for a str, and how many characters they stand for."),
    TY_METHOD("decode(self, /, input, errors=None)", codec_decode, "The str for some bytes, and how many bytes those were."),
    {0},
};

static TyType codec_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Codec)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_multibytecodec.MultibyteCodec",
    .parent = &ty_object_base_type,
    .methods = codec_methods,
};

static Value get_codec(const Encoding *table, Value name)
{
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "encoding name must be a string.");
    for (; table->name; table++)
        if (ty_str_equal_text(name, table->name))
            break;
    if (!table->name)
        return ty_raise(&ty_LookupError, "no such codec is supported.");
    Codec *codec = ty_allocate(&codec_type, sizeof(Codec));
    if (!codec)
        return TY_NULL;
    codec->encoding = table;
    return ty_from_object(codec);
}

/* --- incremental coders and streams ---------------------------------------------------------------------------------------- */

typedef struct Coder { /* all four classes */
    TyObject base;
    Value errors;             /* str */
    Value stream;             /* of the stream classes, else TY_NULL */
    const Encoding *encoding;
    iconv_t descriptor;
    TyMutex mutex;            /* a descriptor serves one thread at a time */
    TyThread *_Atomic owner;
    bool open, fresh;         /* fresh: nothing has gone through it since it was made or reset */
    uint8_t pending_size;
    uint8_t pending[UNIT_MAX]; /* bytes of a character that is not complete */
} Coder;

static void coder_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Coder *)self)->errors);
    ty_mark(marker, ((Coder *)self)->stream);
}

static void coder_destroy(TyObject *self)
{
    if (((Coder *)self)->open)
        iconv_close(((Coder *)self)->descriptor);
}

/* An instance for the class's `codec`. */
static Value coder_make(TyType *type, Value stream, Value errors, bool encode)
{
    if (errors != TY_NULL && !ty_is_str(errors))
        return ty_raise(&ty_TypeError, "errors must be a string");
    Value codec = ty_get_attribute(ty_from_object(type), TY_NAME("codec"));
    if (codec == TY_NULL)
        return TY_NULL;
    if (!ty_is_exact(codec, &codec_type))
        return ty_raise(&ty_TypeError, "codec is unexpected type");
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Coder);
    ty_store(self, &self->errors, errors == TY_NULL ? TY_NAME("strict") : errors);
    ty_store(self, &self->stream, stream);
    self->encoding = ((Codec *)ty_object(codec))->encoding;
    self->descriptor = open_descriptor(self->encoding, encode);
    self->open = self->descriptor != NO_DESCRIPTOR;
    self->fresh = true;
    return self->open ? v : TY_NULL;
}

static TySignature incremental_signature = TY_SIGNATURE("MultibyteIncrementalCoder(errors='strict')");
static TySignature stream_signature = TY_SIGNATURE("MultibyteStream(stream, errors='strict')");

static Value incremental_new(TyType *type, const Value *arguments, size_t count, Value keywords, bool encode)
{
    Value errors;
    return ty_parse_arguments(&incremental_signature, arguments, count, keywords, &errors) ? coder_make(type, TY_NULL, errors, encode) : TY_NULL;
}
static Value encoder_new(TyType *type, const Value *a, size_t count, Value keywords) { return incremental_new(type, a, count, keywords, true); }
static Value decoder_new(TyType *type, const Value *a, size_t count, Value keywords) { return incremental_new(type, a, count, keywords, false); }

static Value stream_new(TyType *type, const Value *arguments, size_t count, Value keywords, bool encode)
{
    Value a[2];
    return ty_parse_arguments(&stream_signature, arguments, count, keywords, a) ? coder_make(type, a[0], a[1], encode) : TY_NULL;
}
static Value writer_new(TyType *type, const Value *a, size_t count, Value keywords) { return stream_new(type, a, count, keywords, true); }
static Value reader_new(TyType *type, const Value *a, size_t count, Value keywords) { return stream_new(type, a, count, keywords, false); }

static bool accept_any(Value v, const Value *arguments, size_t count, Value keywords) { return true; }

/* False: an error handler of a conversion under way has come back to the same object. */
static bool enter(Coder *self)
{
    if (ty_load_relaxed(&self->owner) == ty_thread) {
        ty_raise(&ty_RuntimeError, "reentrant call inside %T", ty_from_object(self));
        return false;
    }
    ty_mutex_lock_blocking(&self->mutex);
    ty_store_relaxed(&self->owner, ty_thread);
    return true;
}

static void leave(Coder *self)
{
    ty_store_relaxed(&self->owner, NULL);
    ty_mutex_unlock(&self->mutex);
}

static Value coder_reset(Value v, Value *a)
{
    SELF(Coder);
    if (!enter(self))
        return TY_NULL;
    iconv(self->descriptor, NULL, NULL, NULL, NULL);
    self->pending_size = 0;
    self->fresh = true;
    leave(self);
    return TY_NONE;
}

static Value encode_more(Coder *self, Value text, bool final)
{
    if (!ty_is_str(text))
        return ty_raise(&ty_TypeError, "couldn't convert the object to str.");
    if (!enter(self))
        return TY_NULL;
    Value bytes = encode(self->descriptor, self->encoding, text, ty_field(&self->errors), final);
    self->fresh = final;
    leave(self);
    return bytes;
}

static Value encoder_encode(Value v, Value *a)
{
    int final = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    return final < 0 ? TY_NULL : encode_more((Coder *)ty_object(v), a[0], final);
}

static bool keep_pending(Coder *self, const uint8_t *bytes, size_t size)
{
    if (size > UNIT_MAX) {
        ty_raise(&ty_UnicodeError, "pending buffer overflow");
        return false;
    }
    memcpy(self->pending, bytes, size);
    self->pending_size = (uint8_t)size;
    return true;
}

static Value decode_locked(Coder *self, const uint8_t *data, size_t size, bool final)
{
    Value joined = ty_bytes_new(NULL, self->pending_size + size);
    if (joined == TY_NULL)
        return TY_NULL;
    uint8_t *bytes = ty_as_bytes(joined)->data;
    memcpy(bytes, self->pending, self->pending_size);
    memcpy(bytes + self->pending_size, data, size);
    size += self->pending_size;
    size_t consumed = 0;
    Value text = decode(self->descriptor, self->encoding, bytes, size, joined, ty_field(&self->errors), final ? NULL : &consumed);
    if (text == TY_NULL)
        return TY_NULL;
    self->fresh = final;
    self->pending_size = 0;
    return final || keep_pending(self, bytes + consumed, size - consumed) ? text : TY_NULL;
}

static Value decode_more(Coder *self, Value data, bool final)
{
    TyBuffer view;
    if (!ty_buffer_get(data, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value text = TY_NULL;
    if (enter(self)) {
        text = decode_locked(self, view.data, (size_t)view.length, final);
        leave(self);
    }
    ty_buffer_release(&view);
    return text;
}

static Value decoder_decode(Value v, Value *a)
{
    int final = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    return final < 0 ? TY_NULL : decode_more((Coder *)ty_object(v), a[0], final);
}

/* The state of a shifting encoding lies inside iconv, which does not give it out. */
static bool has_state(Coder *self)
{
    if (!self->encoding->shifts || self->fresh)
        return true;
    ty_raise(&ty_NotImplementedError, "the state of '%s' between two pieces of text can't be had", self->encoding->name);
    return false;
}

static Value encoder_getstate(Value v, Value *a) { return has_state((Coder *)ty_object(v)) ? ty_from_immediate_int(0) : TY_NULL; }

static Value encoder_setstate(Value v, Value *a)
{
    int64_t state;
    if (!ty_is_int(a[0]) || !ty_to_int64(a[0], &state))
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "setstate() argument must be int, not %T", a[0]);
    return state == 0 ? coder_reset(v, a) : ty_raise(&ty_UnicodeError, "pending buffer too large");
}

static Value decoder_getstate(Value v, Value *a)
{
    SELF(Coder);
    return has_state(self) ? ty_tuple_pack(2, ty_bytes_new(self->pending, self->pending_size), ty_from_immediate_int(0)) : TY_NULL;
}

static Value decoder_setstate(Value v, Value *a)
{
    SELF(Coder);
    if (!ty_is_tuple(a[0]) || ty_tuple_length(a[0]) != 2)
        return ty_raise(&ty_TypeError, "setstate() argument must be tuple, not %T", a[0]);
    Value bytes = ty_tuple_item(a[0], 0);
    if (!ty_is_bytes(bytes))
        return ty_raise(&ty_TypeError, "setstate() argument 1 must be bytes, not %T", bytes);
    if (coder_reset(v, a) == TY_NULL)
        return TY_NULL;
    return keep_pending(self, ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes)) ? TY_NONE : TY_NULL;
}

/* Reads by a method of the stream until there is text, or no more bytes. size < 0: everything there is. */
static Value read_text(Coder *self, Value method, int64_t size)
{
    if (size == 0)
        return ty_str_empty();
    for (;;) {
        Value stream = ty_field(&self->stream);
        Value data = size < 0 ? ty_call_method_none(stream, method) : ty_call_method_one(stream, method, ty_int_from_int64(size));
        if (data == TY_NULL)
            return TY_NULL;
        if (!ty_is_bytes(data))
            return ty_raise(&ty_TypeError, "stream function returned a non-bytes object (%T)", data);
        bool end = ty_bytes_length(data) == 0 || (size < 0 && method == TY_NAME("read"));
        Value text = decode_more(self, data, end);
        if (text == TY_NULL || end || ty_str_length(text) > 0)
            return text;
    }
}

static bool size_argument(Value v, int64_t *size)
{
    *size = -1;
    return v == TY_NULL || v == TY_NONE || ty_to_size(v, size);
}

static Value reader_read(Value v, Value *a)
{
    int64_t size;
    return size_argument(a[0], &size) ? read_text((Coder *)ty_object(v), TY_NAME("read"), size) : TY_NULL;
}

static Value reader_readline(Value v, Value *a)
{
    int64_t size;
    return size_argument(a[0], &size) ? read_text((Coder *)ty_object(v), TY_NAME("readline"), size) : TY_NULL;
}

static Value reader_readlines(Value v, Value *a)
{
    int64_t size;
    Value text = size_argument(a[0], &size) ? read_text((Coder *)ty_object(v), TY_NAME("read"), size) : TY_NULL;
    return text == TY_NULL ? TY_NULL : ty_call_method_one(text, TY_NAME("splitlines"), TY_TRUE);
}

static bool write_text(Coder *self, Value text)
{
    Value bytes = encode_more(self, text, false);
    return bytes != TY_NULL && ty_call_method_one(ty_field(&self->stream), TY_NAME("write"), bytes) != TY_NULL;
}

static Value writer_write(Value v, Value *a) { return write_text((Coder *)ty_object(v), a[0]) ? TY_NONE : TY_NULL; }

static Value writer_writelines(Value v, Value *a)
{
    Value lines = ty_sequence_list(a[0]);
    for (int64_t i = 0; lines != TY_NULL && i < ty_list_length(lines); i++)
        if (!write_text((Coder *)ty_object(v), ty_list_item(lines, i)))
            return TY_NULL;
    return lines == TY_NULL ? TY_NULL : TY_NONE;
}

static Value writer_reset(Value v, Value *a)
{
    SELF(Coder);
    Value bytes = encode_more(self, ty_str_empty(), true);
    if (bytes == TY_NULL || (ty_bytes_length(bytes) > 0 && ty_call_method_one(ty_field(&self->stream), TY_NAME("write"), bytes) == TY_NULL))
        return TY_NULL;
    return TY_NONE;
}

static Value get_errors(Value v) { return ty_field(&((Coder *)ty_object(v))->errors); }

static bool set_errors(Value v, Value value)
{
    if (value == TY_NULL || !ty_is_str(value)) {
        ty_raise(&ty_TypeError, value == TY_NULL ? "cannot delete attribute" : "errors must be a string");
        return false;
    }
    ty_store(ty_object(v), &((Coder *)ty_object(v))->errors, value);
    return true;
}

static const TyGetSetDef coder_getsets[] = {{"errors", get_errors, set_errors, "how to treat errors"}, {0}};
static const TyMemberDef stream_members[] = {{"stream", TY_MEMBER_VALUE, false, offsetof(Coder, stream), NULL}, {0}};

static const TyNativeDef encoder_methods[] = {
    TY_METHOD("encode(self, /, input, final=False)", encoder_encode, "The bytes for the next piece of text."),
    TY_METHOD("getstate(self, /)", encoder_getstate, "What encoding depends on, as an int."),
    TY_METHOD("setstate(self, state, /)", encoder_setstate, "Goes back to a state of getstate()."),
    TY_METHOD("reset(self, /)", coder_reset, "Begins anew."),
    {0},
};
static const TyNativeDef decoder_methods[] = {
    TY_METHOD("decode(self, /, input, final=False)", decoder_decode, "The text for the next bytes; what is not a whole character waits for more."),
    TY_METHOD("getstate(self, /)", decoder_getstate, "The bytes that wait, and what else decoding depends on."),
    TY_METHOD("setstate(self, state, /)", decoder_setstate, "Goes back to a state of getstate()."),
    TY_METHOD("reset(self, /)", coder_reset, "Begins anew."),
    {0},
};
static const TyNativeDef reader_methods[] = {
    TY_METHOD("read(self, sizeobj=None, /)", reader_read, "The text of the next so many bytes, or of all."),
    TY_METHOD("readline(self, sizeobj=None, /)", reader_readline, "The text of the next line."),
    TY_METHOD("readlines(self, sizehintobj=None, /)", reader_readlines, "The lines that are left."),
    TY_METHOD("reset(self, /)", coder_reset, "Begins anew."),
    {0},
};
static const TyNativeDef writer_methods[] = {
    TY_METHOD("write(self, strobj, /)", writer_write, "Writes text to the stream."),
    TY_METHOD("writelines(self, lines, /)", writer_writelines, "Writes each of an iterable of texts."),
    TY_METHOD("reset(self, /)", writer_reset, "Writes what brings the encoding back to the state it begins in."),
    {0},
};

#define CODER(variable, class, constructor, methods_, members_)                                                     \
    static TyType variable = {                                                                                      \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                     \
        .layout = {.size = sizeof(Coder), .trace = coder_trace, .destroy = coder_destroy},                          \
        .flags = TY_TYPE_IMMUTABLE,                                                                                 \
        .name = "_multibytecodec." class,                                                                           \
        .parent = &ty_object_base_type,                                                                             \
        .slots = {.new = constructor, .init = accept_any},                                                          \
        .methods = methods_,                                                                                        \
        .getsets = coder_getsets,                                                                                   \
        .members = members_,                                                                                        \
    };
CODER(incremental_encoder_type, "MultibyteIncrementalEncoder", encoder_new, encoder_methods, NULL)
CODER(incremental_decoder_type, "MultibyteIncrementalDecoder", decoder_new, decoder_methods, NULL)
CODER(stream_reader_type, "MultibyteStreamReader", reader_new, reader_methods, stream_members)
CODER(stream_writer_type, "MultibyteStreamWriter", writer_new, writer_methods, stream_members)

/* --- the modules ------------------------------------------------------------------------------------------------------------ */

static TyType *const types[] = {&incremental_encoder_type, &incremental_decoder_type, &stream_reader_type, &stream_writer_type, NULL};

static bool execute(Value module) { return ty_type_ready(&codec_type); }

const TyModuleDef ty_module_multibytecodec = {
    .name = "_multibytecodec",
    .doc = "What the encodings of East Asia share.",
    .types = types,
    .execute = execute,
};

#define CODECS(suffix, table)                                                                                       \
    static Value getcodec_##suffix(Value module, Value *a) { return get_codec(table, a[0]); }                       \
    static const TyNativeDef functions_##suffix[] = {                                                               \
        TY_FUNCTION("getcodec(encoding, /)", getcodec_##suffix, "The codec of that name. LookupError if there is none."), {0}};
CODECS(cn, chinese)
CODECS(hk, hong_kong)
CODECS(tw, taiwanese)
CODECS(kr, korean)
CODECS(jp, japanese)
CODECS(iso2022, shifting)

const TyModuleDef ty_module_codecs_cn = {.name = "_codecs_cn", .doc = "Encodings of China.", .functions = functions_cn, .execute = execute};
const TyModuleDef ty_module_codecs_hk = {.name = "_codecs_hk", .doc = "Encodings of Hong Kong.", .functions = functions_hk, .execute = execute};
const TyModuleDef ty_module_codecs_tw = {.name = "_codecs_tw", .doc = "Encodings of Taiwan.", .functions = functions_tw, .execute = execute};
const TyModuleDef ty_module_codecs_kr = {.name = "_codecs_kr", .doc = "Encodings of Korea.", .functions = functions_kr, .execute = execute};
const TyModuleDef ty_module_codecs_jp = {.name = "_codecs_jp", .doc = "Encodings of Japan.", .functions = functions_jp, .execute = execute};
const TyModuleDef ty_module_codecs_iso2022 = {
    .name = "_codecs_iso2022", .doc = "Encodings that shift by escape sequences.", .functions = functions_iso2022, .execute = execute};
