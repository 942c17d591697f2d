/* TextIOWrapper: text over a buffered stream of bytes.
 *
 * UTF-8, ASCII and Latin-1 are encoded and decoded here, other encodings by the incremental encoders and decoders of the codecs module. Characters
 * that were decoded and not yet read are in `decoded`, from `used` on. While `telling`, `snapshot_input` holds the bytes that they
 * were decoded from and `snapshot_flags` the decoder's state before: tell() finds the position in bytes by decoding again. */
#include "modules/_io/io.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str_parts.h"
#include "object/tuple.h"
#include "runtime/config.h"
#include <errno.h>

#define CHUNK_SIZE 8192

enum { NATIVE_NONE, NATIVE_UTF8, NATIVE_ASCII, NATIVE_LATIN1 };

typedef struct TextIO {
    TyIOBase io;
    Value buffer;              /* TY_NULL: detached */
    Value encoding, errors;    /* str */
    Value encoder, decoder;    /* of codecs, or TY_NULL */
    Value tail;                /* bytes that a native decoder could not decode yet, or TY_NULL */
    Value read_newline;        /* str or None */
    Value write_newline;       /* what "\n" is written as, or TY_NULL */
    Value decoded;             /* str, or TY_NULL */
    Value pending;             /* bytes: encoded and to be written */
    Value snapshot_flags, snapshot_input; /* int and bytes, or TY_NULL */
    int64_t used, pending_length, chunk_size;
    double bytes_per_char;
    TyNewlineState newlines;
    TyIOLock lock;
    uint8_t native;
    bool ready, detached, readable, writable, universal, write_translates;
    bool line_buffering, write_through, finalizing, seekable, telling, has_read1, start_of_stream;
} TextIO;

static TextIO *as_text(Value v) { return (TextIO *)ty_object(v); }

static void trace(TyObject *self, TyMarker *marker)
{
    TextIO *t = (TextIO *)self;
    ty_io_base_trace(self, marker);
    ty_mark_range(marker, &t->buffer, (size_t)(&t->snapshot_input - &t->buffer) + 1);
}

static bool usable(TextIO *t)
{
    if (TY_LIKELY(t->ready))
        return true;
    ty_raise(&ty_ValueError, t->detached ? "underlying buffer has been detached" : "I/O operation on uninitialized object");
    return false;
}

/* The buffer is one of ours, without a subclass: it is called directly. */
static bool is_buffered(Value v)
{
    TyType *type = ty_type_of(v);
    return type == &ty_buffered_writer_type || type == &ty_buffered_reader_type || type == &ty_buffered_random_type;
}
static bool is_buffered_writer(Value v)
{
    TyType *type = ty_type_of(v);
    return type == &ty_buffered_writer_type || type == &ty_buffered_random_type;
}

static bool open_text(TextIO *t)
{
    if (!usable(t))
        return false;
    int closed = is_buffered(t->buffer) ? ty_buffered_closed(t->buffer) : ty_io_is_closed(t->buffer);
    if (closed > 0)
        ty_raise(&ty_ValueError, "I/O operation on closed file.");
    return closed == 0;
}

static bool enter(TextIO *t)
{
    ty_io_lock(&t->lock);
    if (TY_LIKELY(open_text(t)))
        return true;
    ty_io_unlock(&t->lock);
    return false;
}
static Value leave(TextIO *t, Value result)
{
    ty_io_unlock(&t->lock);
    return result;
}

static Value flush_buffer(TextIO *t)
{
    return is_buffered_writer(t->buffer) ? ty_buffered_flush(t->buffer, NULL) : ty_call_method_none(t->buffer, TY_NAME("flush"));
}

/* --- encodings ------------------------------------------------------------------------------------------------------------- */

static int native_encoding(Value name)
{
    static const struct { const char *name; int native; } names[] = {
        {"utf8", NATIVE_UTF8}, {"ascii", NATIVE_ASCII}, {"usascii", NATIVE_ASCII},
        {"latin1", NATIVE_LATIN1}, {"iso88591", NATIVE_LATIN1},
    };
    char plain[16];
    size_t length = 0;
    if (!ty_str_is_ascii(name) || ty_str_length(name) > 15)
        return NATIVE_NONE;
    for (int64_t i = 0; i < ty_str_length(name); i++) {
        uint32_t c = ty_str_at(name, i);
        if (c != '-' && c != '_')
            plain[length++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    plain[length] = 0;
    for (size_t i = 0; i < TY_COUNT_OF(names); i++)
        if (strlen(names[i].name) == length && memcmp(plain, names[i].name, length) == 0)
            return names[i].native;
    return NATIVE_NONE;
}

static Value errors_of(TextIO *t) { return ty_str_equal_text(t->errors, "strict") ? TY_NULL : t->errors; }

static Value encode(TextIO *t, Value text)
{
    switch (t->native) {
    case NATIVE_UTF8: return ty_utf8_encode(text, errors_of(t));
    case NATIVE_ASCII: return ty_ascii_encode(text, errors_of(t));
    case NATIVE_LATIN1: return ty_latin1_encode(text, errors_of(t));
    }
    Value bytes = ty_call_method_one(t->encoder, TY_NAME("encode"), text);
    if (bytes != TY_NULL && !ty_is_bytes(bytes))
        return ty_raise(&ty_TypeError, "encoder should return a bytes object, not '%T'", bytes);
    t->start_of_stream = false;
    return bytes;
}

static Value decode_native(TextIO *t, Value input, bool final)
{
    if (t->tail != TY_NULL) {
        input = ty_bytes_concat(t->tail, input);
        if (input == TY_NULL)
            return TY_NULL;
        ty_store(t, &t->tail, TY_NULL);
    }
    size_t size = (size_t)ty_bytes_length(input), consumed = size;
    const uint8_t *data = ty_bytes_data(input);
    Value text;
    if (t->native == NATIVE_LATIN1)
        return ty_latin1_decode(data, size);
    if (t->native == NATIVE_ASCII)
        return ty_ascii_decode(data, size, input, errors_of(t));
    text = ty_utf8_decode(data, size, input, errors_of(t), final ? NULL : &consumed);
    if (text != TY_NULL && consumed < size)
        ty_store(t, &t->tail, ty_bytes_new(data + consumed, size - consumed));
    return text;
}

static Value decode(TextIO *t, Value input, bool final)
{
    Value text;
    if (t->native) {
        text = decode_native(t, input, final);
    } else {
        Value arguments[2] = {input, ty_from_bool(final)};
        text = ty_call_method(t->decoder, TY_NAME("decode"), arguments, 2);
        if (text != TY_NULL && !ty_is_str(text))
            return ty_raise(&ty_TypeError, "decoder should return a string result, not '%T'", text);
    }
    return text == TY_NULL || !t->universal ? text : ty_newlines_decode(&t->newlines, text, final);
}

/* The decoder's state: bytes not decoded yet, and an int. */
static bool decoder_state(TextIO *t, Value *input, Value *flags)
{
    *input = t->tail == TY_NULL ? ty_bytes_new("", 0) : t->tail;
    *flags = ty_from_immediate_int(0);
    if (!t->native) {
        Value state = ty_call_method_none(t->decoder, TY_NAME("getstate"));
        if (state == TY_NULL)
            return false;
        if (!ty_is_tuple(state) || ty_tuple_length(state) != 2 || !ty_is_int(ty_tuple_item(state, 1))) {
            ty_raise(&ty_TypeError, "illegal decoder state");
            return false;
        }
        *input = ty_tuple_item(state, 0);
        *flags = ty_tuple_item(state, 1);
        if (!ty_is_bytes(*input)) {
            ty_raise(&ty_TypeError, "illegal decoder state: the first item should be a bytes object, not '%T'", *input);
            return false;
        }
    }
    if (t->universal) {
        *flags = ty_int_left_shift(*flags, ty_from_immediate_int(1));
        if (*flags != TY_NULL && t->newlines.pending_cr)
            *flags = ty_int_or(*flags, ty_from_immediate_int(1));
    }
    return *flags != TY_NULL && *input != TY_NULL;
}

static bool decoder_set_state(TextIO *t, Value input, Value flags)
{
    if (t->universal) {
        Value bit = ty_int_and(flags, ty_from_immediate_int(1));
        flags = ty_int_right_shift(flags, ty_from_immediate_int(1));
        if (bit == TY_NULL || flags == TY_NULL)
            return false;
        t->newlines.pending_cr = !ty_int_is_zero(bit);
    }
    if (t->native) {
        ty_store(t, &t->tail, ty_bytes_length(input) ? input : TY_NULL);
        return true;
    }
    return ty_call_method_one(t->decoder, TY_NAME("setstate"), ty_tuple_pack(2, input, flags)) != TY_NULL;
}

static bool decoder_reset(TextIO *t)
{
    ty_store(t, &t->tail, TY_NULL);
    t->newlines.pending_cr = false;
    return t->native || t->decoder == TY_NULL || ty_call_method_none(t->decoder, TY_NAME("reset")) != TY_NULL;
}

static bool encoder_to_start(TextIO *t, bool start)
{
    t->start_of_stream = start;
    if (t->native || t->encoder == TY_NULL)
        return true;
    if (start)
        return ty_call_method_none(t->encoder, TY_NAME("reset")) != TY_NULL;
    return ty_call_method_one(t->encoder, TY_NAME("setstate"), ty_from_immediate_int(0)) != TY_NULL;
}

/* --- making ------------------------------------------------------------------------------------------------------------------ */

static bool set_encoding(TextIO *t, Value encoding, Value errors)
{
    int native = native_encoding(encoding);
    Value encoder = TY_NULL, decoder = TY_NULL;
    if (!native) {
        if (ty_codec_lookup_text(encoding, "codecs.open()") == TY_NULL)
            return false;
        if (t->writable && (encoder = ty_codec_incremental_encoder(encoding, errors)) == TY_NULL)
            return false;
        if (t->readable && (decoder = ty_codec_incremental_decoder(encoding, errors)) == TY_NULL)
            return false;
    }
    t->native = (uint8_t)native;
    ty_store(t, &t->encoder, encoder);
    ty_store(t, &t->decoder, decoder);
    ty_store(t, &t->encoding, encoding);
    ty_store(t, &t->errors, errors);
    ty_store(t, &t->tail, TY_NULL);
    return true;
}

static void set_newline(TextIO *t, Value newline)
{
    bool none = newline == TY_NONE;
    ty_store(t, &t->read_newline, newline);
    t->universal = none || ty_str_length(newline) == 0;
    t->newlines.translate = none;
    t->write_translates = none || ty_str_length(newline) > 0;
    ty_store(t, &t->write_newline, !none && ty_str_length(newline) > 0 && ty_str_at(newline, 0) == '\r' ? newline : TY_NULL);
}

static bool set_up(Value self, Value buffer, Value encoding, Value errors, Value newline, bool line_buffering, bool write_through)
{
    TextIO *t = as_text(self);
    t->ready = t->detached = false;
    if (!ty_check_newline(newline))
        return false;
    if (encoding == TY_NONE && ty_config.warn_default_encoding && !ty_warn(&ty_EncodingWarning, 1, "'encoding' argument not specified"))
        return false;
    if (encoding == TY_NONE || ty_str_equal_text(encoding, "locale"))
        encoding = TY_NAME("UTF-8");
    if (errors == TY_NONE)
        errors = TY_NAME("strict");
    int readable = ty_io_truth_of_method(buffer, TY_NAME("readable"));
    int writable = readable < 0 ? -1 : ty_io_truth_of_method(buffer, TY_NAME("writable"));
    int seekable = writable < 0 ? -1 : ty_io_truth_of_method(buffer, TY_NAME("seekable"));
    if (seekable < 0)
        return false;
    t->readable = readable;
    t->writable = writable;
    t->newlines = (TyNewlineState){0};
    if (TY_UNLIKELY(ty_codec_check_names) && !ty_codec_error_handler(errors))
        return false;
    if (!set_encoding(t, encoding, errors))
        return false;
    set_newline(t, newline);
    ty_store(t, &t->buffer, buffer);
    ty_store(t, &t->decoded, TY_NULL);
    ty_store(t, &t->pending, TY_NULL);
    ty_store(t, &t->snapshot_input, TY_NULL);
    t->used = t->pending_length = 0;
    t->chunk_size = CHUNK_SIZE;
    t->bytes_per_char = 0;
    t->line_buffering = line_buffering;
    t->write_through = write_through;
    t->seekable = t->telling = seekable;
    bool failed = false;
    t->has_read1 = is_buffered(buffer) || ty_get_attribute_or_null(buffer, TY_NAME("read1"), &failed) != TY_NULL;
    if (failed)
        return false;
    t->start_of_stream = true;
    if (!t->native && seekable && writable) { /* a file that is not empty has its byte order mark already */
        Value position = ty_call_method_none(buffer, TY_NAME("tell"));
        int nonzero = position == TY_NULL ? -1 : ty_is_true(position);
        if (nonzero < 0 || (nonzero && !encoder_to_start(t, false)))
            return false;
    }
    t->ready = true;
    return true;
}

static bool text_or_none(Value *v, const char *name)
{
    if (*v == TY_NULL)
        *v = TY_NONE;
    if (*v == TY_NONE)
        return true;
    if (ty_is_str(*v)) {
        size_t size;
        Value holder;
        const char *text = ty_str_utf8(*v, &size, &holder);
        if (text && strlen(text) != size)
            ty_raise(&ty_ValueError, "embedded null character");
        return text && !ty_raised();
    }
    ty_raise(&ty_TypeError, "TextIOWrapper() argument '%s' must be str or None, not %T", name, *v);
    return false;
}

static bool text_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)");
    Value a[6];
    bool line_buffering = false, write_through = false;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    if (!text_or_none(&a[1], "encoding") || !text_or_none(&a[2], "errors") || !text_or_none(&a[3], "newline"))
        return false;
    if ((a[4] != TY_NULL && !ty_to_bool(a[4], &line_buffering)) || (a[5] != TY_NULL && !ty_to_bool(a[5], &write_through)))
        return false;
    return set_up(self, a[0], a[1], a[2], a[3], line_buffering, write_through);
}

Value ty_textio_new(Value buffer, Value encoding, Value errors, Value newline, bool line_buffering, bool write_through)
{
    Value self = ty_type_allocate(&ty_textio_type, 0);
    if (self == TY_NULL || !text_or_none(&encoding, "encoding") || !text_or_none(&errors, "errors") || !text_or_none(&newline, "newline"))
        return TY_NULL;
    return set_up(self, buffer, encoding, errors, newline, line_buffering, write_through) ? self : TY_NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------- */

static bool write_bytes(TextIO *t, const uint8_t *data, int64_t size, Value bytes)
{
    if (is_buffered_writer(t->buffer)) {
        int64_t written;
        return ty_buffered_write_bytes(t->buffer, data, size, &written);
    }
    if (bytes == TY_NULL && (bytes = ty_bytes_new(data, (size_t)size)) == TY_NULL)
        return false;
    return ty_call_method_one(t->buffer, TY_NAME("write"), bytes) != TY_NULL;
}

/* Hands what is pending to the buffer. It is no longer pending then, even if that fails. */
static bool write_pending(TextIO *t)
{
    int64_t size = t->pending_length;
    if (size == 0)
        return true;
    Value pending = t->pending;
    t->pending_length = 0;
    if (is_buffered_writer(t->buffer))
        return write_bytes(t, ty_bytes_data(pending), size, TY_NULL);
    ty_store(t, &t->pending, TY_NULL);
    return write_bytes(t, ty_bytes_data(pending), size, ty_bytes_shrink(pending, (size_t)size));
}

static bool add_pending(TextIO *t, const uint8_t *data, int64_t size, Value bytes)
{
    while (t->pending_length > 0 && t->pending_length + size > t->chunk_size) /* what is written to may itself write more here */
        if (!write_pending(t))
            return false;
    if (size >= t->chunk_size)
        return write_bytes(t, data, size, bytes);
    if (t->pending == TY_NULL || ty_bytes_length(t->pending) < t->chunk_size) {
        Value room = ty_bytes_new(NULL, (size_t)TY_MAX(t->chunk_size, 2));
        if (room == TY_NULL)
            return false;
        if (t->pending_length)
            memcpy(ty_as_bytes(room)->data, ty_bytes_data(t->pending), (size_t)t->pending_length);
        ty_store(t, &t->pending, room);
    }
    memcpy(ty_as_bytes(t->pending)->data + t->pending_length, data, (size_t)size);
    t->pending_length += size;
    return true;
}

static bool write_text(TextIO *t, Value text)
{
    int64_t length = ty_str_length(text);
    if (!t->writable) {
        ty_io_unsupported("not writable");
        return false;
    }
    bool has_newline = (t->write_translates || t->line_buffering) && ty_str_find_char(text, '\n', 0, length, 1) >= 0;
    bool flush = t->line_buffering && (has_newline || ty_str_find_char(text, '\r', 0, length, 1) >= 0);
    if (has_newline && t->write_newline != TY_NULL) {
        text = ty_str_replace(text, ty_str_from_char('\n'), t->write_newline, -1);
        if (text == TY_NULL)
            return false;
    }
    bool done;
    if (t->native && ty_str_is_ascii(text)) {
        done = add_pending(t, ty_str_data(text), ty_str_length(text), TY_NULL);
    } else {
        Value bytes = encode(t, text);
        done = bytes != TY_NULL && add_pending(t, ty_bytes_data(bytes), ty_bytes_length(bytes), bytes);
    }
    if (!done)
        return false;
    if ((t->pending_length >= t->chunk_size || flush || t->write_through) && !write_pending(t))
        return false;
    if (flush && flush_buffer(t) == TY_NULL)
        return false;
    if (t->snapshot_input != TY_NULL) {
        ty_store(t, &t->decoded, TY_NULL);
        t->used = 0;
        ty_store(t, &t->snapshot_input, TY_NULL);
    }
    return !t->readable || decoder_reset(t);
}

static Value text_write(Value self, Value *a)
{
    TextIO *t = as_text(self);
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "write() argument must be str, not %T", a[0]);
    if (!enter(t))
        return TY_NULL;
    return leave(t, write_text(t, a[0]) ? ty_int_from_int64(ty_str_length(a[0])) : TY_NULL);
}

bool ty_io_write_text(Value file, Value text)
{
    if (ty_is_exact(file, &ty_textio_type))
        return text_write(file, &text) != TY_NULL;
    return ty_call_method_one(file, TY_NAME("write"), text) != TY_NULL;
}

static Value text_flush(Value self, Value *a)
{
    TextIO *t = as_text(self);
    if (!enter(t))
        return TY_NULL;
    t->telling = t->seekable;
    return leave(t, write_pending(t) ? flush_buffer(t) : TY_NULL);
}

bool ty_io_flush(Value file)
{
    return (ty_is_exact(file, &ty_textio_type) ? text_flush(file, NULL) : ty_call_method_none(file, TY_NAME("flush"))) != TY_NULL;
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

static void set_decoded(TextIO *t, Value text)
{
    ty_store(t, &t->decoded, text);
    t->used = 0;
}

static int64_t decoded_left(TextIO *t) { return t->decoded == TY_NULL ? 0 : ty_str_length(t->decoded) - t->used; }

/* Up to n decoded characters; -1: all. */
static Value take_decoded(TextIO *t, int64_t n)
{
    int64_t left = decoded_left(t);
    if (left == 0)
        return ty_str_empty();
    n = n < 0 ? left : TY_MIN(n, left);
    Value text = ty_str_slice(t->decoded, t->used, t->used + n);
    t->used += n;
    return text;
}

static Value as_bytes(Value input, const char *method)
{
    if (TY_LIKELY(ty_is_exact(input, &ty_bytes_type)))
        return input;
    if (!ty_has_buffer(input))
        return ty_raise(&ty_TypeError, "underlying %s() should have returned a bytes-like object, not '%T'", method, input);
    return ty_bytes_from_object(input);
}

/* Decodes the next chunk. 1: there is more text, 0: the end, -1: error. */
static int read_chunk(TextIO *t, int64_t hint)
{
    Value state_input = TY_NULL, state_flags = TY_NULL;
    if (!t->readable) {
        ty_io_unsupported("not readable");
        return -1;
    }
    if (t->telling && !decoder_state(t, &state_input, &state_flags))
        return -1;
    int64_t size = t->chunk_size;
    if (hint > 0)
        size = TY_MAX(size, (int64_t)(TY_MAX(t->bytes_per_char, 1.0) * (double)hint));
    Value input;
    if (t->has_read1 && is_buffered(t->buffer))
        input = ty_buffered_read1_upto(t->buffer, size);
    else
        input = ty_call_method_one(t->buffer, t->has_read1 ? TY_NAME("read1") : TY_NAME("read"), ty_int_from_int64(size));
    if (input == TY_NULL || (input = as_bytes(input, t->has_read1 ? "read1" : "read")) == TY_NULL)
        return -1;
    int64_t bytes = ty_bytes_length(input);
    bool end = bytes == 0;
    Value text = decode(t, input, end);
    if (text == TY_NULL)
        return -1;
    int64_t chars = ty_str_length(text);
    set_decoded(t, text);
    t->bytes_per_char = chars > 0 ? (double)bytes / (double)chars : 0;
    if (chars > 0)
        end = false;
    if (t->telling) {
        Value all = ty_bytes_concat(state_input, input);
        if (all == TY_NULL)
            return -1;
        ty_store(t, &t->snapshot_flags, state_flags);
        ty_store(t, &t->snapshot_input, all);
    }
    return !end;
}

static Value read_all(TextIO *t)
{
    if (!t->readable)
        return ty_io_unsupported("not readable");
    Value input = ty_call_method_none(t->buffer, TY_NAME("read"));
    if (input == TY_NONE) {
        Value exception = ty_call_two(ty_from_object(&ty_BlockingIOError), ty_from_immediate_int(EAGAIN), ty_str_from_text("Read returned None."));
        return exception == TY_NULL ? TY_NULL : ty_raise_object(exception);
    }
    if (input == TY_NULL || (input = as_bytes(input, "read")) == TY_NULL)
        return TY_NULL;
    Value rest = decode(t, input, true), ahead = rest == TY_NULL ? TY_NULL : take_decoded(t, -1);
    if (ahead == TY_NULL)
        return TY_NULL;
    set_decoded(t, TY_NULL);
    ty_store(t, &t->snapshot_input, TY_NULL);
    return ty_str_concat(ahead, rest);
}

static Value read_chars(TextIO *t, int64_t n)
{
    Value text = take_decoded(t, n);
    if (text == TY_NULL || ty_str_length(text) >= n)
        return text;
    TyStrBuilder b = {0};
    ty_builder_add(&b, text);
    while (b.length < n && !b.failed) {
        int more = read_chunk(t, n - b.length);
        if (more < 0)
            return TY_NULL;
        if (!more)
            break;
        Value piece = take_decoded(t, n - b.length);
        if (piece == TY_NULL)
            return TY_NULL;
        ty_builder_add(&b, piece);
    }
    return ty_builder_finish(&b);
}

static Value text_read(Value self, Value *a)
{
    TextIO *t = as_text(self);
    int64_t n;
    if (!ty_io_size(a[0], &n) || !enter(t))
        return TY_NULL;
    if (!t->readable)
        return leave(t, ty_io_unsupported("not readable"));
    if (!write_pending(t))
        return leave(t, TY_NULL);
    return leave(t, n < 0 ? read_all(t) : read_chars(t, n));
}

/* The next line. Pieces of it from chunks before this one are in the builder; a '\r' at the end of a piece may begin a "\r\n". */
static Value read_line(TextIO *t, int64_t limit)
{
    bool plain = t->newlines.translate;
    Value ending = plain || t->universal ? TY_NULL : t->read_newline;
    TyStrBuilder b = {0};
    if (!write_pending(t))
        return TY_NULL;
    for (;;) {
        if (decoded_left(t) == 0) {
            int more = read_chunk(t, 0);
            if (more < 0)
                return TY_NULL;
            if (!more) {
                set_decoded(t, TY_NULL);
                ty_store(t, &t->snapshot_input, TY_NULL);
                break;
            }
            if (decoded_left(t) == 0) /* the bytes read so far make no character yet */
                continue;
        }
        Value text = t->decoded;
        int64_t start = t->used, end = ty_str_length(text);
        if (ending != TY_NULL && ty_str_length(ending) == 2 && b.length > 0 && ty_str_at(text, start) == '\n' &&
            ty_char_at(ty_str_data(b.buffer), b.width, b.length - 1) == '\r') { /* the ending was cut in two */
            ty_builder_add_char(&b, '\n');
            t->used++;
            break;
        }
        int64_t line_end = ty_find_line_end(text, start, end, ending, t->universal && !plain);
        bool whole = line_end >= 0;
        if (!whole)
            line_end = end;
        if (limit >= 0 && line_end - start >= limit - b.length) {
            line_end = start + limit - b.length;
            whole = true;
        }
        t->used = line_end;
        if (whole && b.length == 0 && b.buffer == TY_NULL)
            return ty_str_slice(text, start, line_end);
        ty_builder_add_slice(&b, text, start, line_end);
        if (b.failed)
            return TY_NULL;
        if (whole)
            break;
    }
    return ty_builder_finish(&b);
}

static Value text_readline(Value self, Value *a)
{
    TextIO *t = as_text(self);
    int64_t limit;
    if (!ty_io_size(a[0], &limit) || !enter(t))
        return TY_NULL;
    return leave(t, read_line(t, limit));
}

static Value text_next(Value self)
{
    TextIO *t = as_text(self);
    Value line;
    if (!enter(t))
        return TY_NULL;
    t->telling = false;
    if (ty_is_exact(self, &ty_textio_type)) {
        line = leave(t, read_line(t, -1));
    } else {
        leave(t, TY_NONE);
        line = ty_call_method_none(self, TY_NAME("readline"));
        if (line != TY_NULL && !ty_is_str(line))
            return ty_raise(&ty_OSError, "readline() should have returned a str object, not '%T'", line);
    }
    if (line == TY_NULL)
        return TY_NULL;
    if (ty_str_length(line) == 0) {
        if (enter(t)) {
            ty_store(t, &t->snapshot_input, TY_NULL);
            t->telling = t->seekable;
            leave(t, TY_NULL);
        }
        return TY_NULL;
    }
    return line;
}

/* --- positions ---------------------------------------------------------------------------------------------------------------------- */

/* What tell() gives: a position in bytes, and how to get from there to the character. Packed 64 bits each into one int. */
typedef struct Cookie {
    uint64_t position, flags, bytes_to_feed, chars_to_skip;
    bool need_end;
} Cookie;

static Value pack_cookie(const Cookie *c)
{
    uint8_t bytes[33] = {0};
    memcpy(bytes, &c->position, 8);
    memcpy(bytes + 8, &c->flags, 8);
    memcpy(bytes + 16, &c->bytes_to_feed, 8);
    memcpy(bytes + 24, &c->chars_to_skip, 8);
    bytes[32] = c->need_end;
    return ty_int_from_bytes(bytes, sizeof bytes, true, false);
}

static bool unpack_cookie(Value v, Cookie *c)
{
    uint8_t bytes[33];
    if (!ty_int_to_bytes(v, bytes, sizeof bytes, true, false))
        return false;
    memcpy(&c->position, bytes, 8);
    memcpy(&c->flags, bytes + 8, 8);
    memcpy(&c->bytes_to_feed, bytes + 16, 8);
    memcpy(&c->chars_to_skip, bytes + 24, 8);
    c->need_end = bytes[32];
    return true;
}

static int64_t decoded_length(TextIO *t, const uint8_t *data, int64_t size, bool final)
{
    Value bytes = ty_bytes_new(size ? data : (const uint8_t *)"", (size_t)size), text = bytes == TY_NULL ? TY_NULL : decode(t, bytes, final);
    return text == TY_NULL ? -1 : ty_str_length(text);
}

/* Sets the state with nothing undecoded. */
static bool set_clean_state(TextIO *t, uint64_t flags) { return decoder_set_state(t, ty_bytes_new("", 0), ty_int_from_uint64(flags)); }

static bool clean_state(TextIO *t, uint64_t *flags, int64_t *undecoded)
{
    Value input, value;
    if (!decoder_state(t, &input, &value))
        return false;
    *undecoded = ty_bytes_length(input);
    return ty_to_uint64_mask(value, flags);
}

/* Finds in the snapshot a point from which few bytes need decoding again to reach the character. */
static bool find_cookie(TextIO *t, Cookie *c, int64_t skip)
{
    const uint8_t *input = ty_bytes_data(t->snapshot_input);
    int64_t length = ty_bytes_length(t->snapshot_input), undecoded;
    int64_t from = (int64_t)(t->bytes_per_char * (double)skip), back = 1;
    uint64_t flags = c->flags;
    from = TY_MIN(from, length);
    while (from > 0) { /* a point before the character where the decoder holds nothing back */
        if (!set_clean_state(t, c->flags))
            return false;
        int64_t chars = decoded_length(t, input, from, false);
        if (chars < 0 || !clean_state(t, &flags, &undecoded))
            return false;
        if (chars <= skip) {
            if (undecoded == 0) {
                skip -= chars;
                break;
            }
            from -= undecoded;
            back = 1;
        } else {
            from -= back;
            back *= 2;
        }
    }
    if (from <= 0) {
        from = 0;
        flags = c->flags;
        if (!set_clean_state(t, flags))
            return false;
    }
    c->position += (uint64_t)from;
    c->flags = flags;
    c->chars_to_skip = (uint64_t)skip;
    if (skip == 0)
        return true;
    int64_t fed = 0, chars = 0, at = from;
    for (; at < length; at++) {
        int64_t n = decoded_length(t, input + at, 1, false);
        if (n < 0 || !clean_state(t, &flags, &undecoded))
            return false;
        fed++;
        chars += n;
        if (undecoded == 0 && chars <= skip) { /* a better starting point */
            c->position += (uint64_t)fed;
            c->flags = flags;
            skip -= chars;
            fed = chars = 0;
        }
        if (chars >= skip)
            break;
    }
    if (at >= length) {
        int64_t n = decoded_length(t, NULL, 0, true);
        if (n < 0)
            return false;
        c->need_end = true;
        if (chars + n < skip) {
            ty_raise(&ty_OSError, "can't reconstruct logical file position");
            return false;
        }
    }
    c->bytes_to_feed = (uint64_t)fed;
    c->chars_to_skip = (uint64_t)skip;
    return true;
}

static Value tell(TextIO *t)
{
    Cookie c = {0};
    int64_t position;
    if (!t->seekable)
        return ty_io_unsupported("underlying stream is not seekable");
    if (!t->telling)
        return ty_raise(&ty_OSError, "telling position disabled by next() call");
    if (!write_pending(t) || flush_buffer(t) == TY_NULL)
        return TY_NULL;
    Value value = ty_call_method_none(t->buffer, TY_NAME("tell"));
    if (value == TY_NULL || !t->readable || t->snapshot_input == TY_NULL)
        return value;
    if (!ty_io_offset(value, &position) || !ty_to_uint64_mask(t->snapshot_flags, &c.flags))
        return TY_NULL;
    c.position = (uint64_t)(position - ty_bytes_length(t->snapshot_input));
    if (t->used == 0 || t->decoded == TY_NULL)
        return pack_cookie(&c);
    Value saved_input, saved_flags;
    if (!decoder_state(t, &saved_input, &saved_flags))
        return TY_NULL;
    TyNewlineState newlines = t->newlines;
    bool found = find_cookie(t, &c, t->used);
    Value raised = ty_take_exception();
    bool restored = decoder_set_state(t, saved_input, saved_flags);
    t->newlines = newlines;
    if (raised != TY_NULL)
        ty_restore_exception(raised);
    return found && restored ? pack_cookie(&c) : TY_NULL;
}

static Value text_tell(Value self, Value *a) { return enter(as_text(self)) ? leave(as_text(self), tell(as_text(self))) : TY_NULL; }

static Value seek_to_end(TextIO *t)
{
    if (flush_buffer(t) == TY_NULL)
        return TY_NULL;
    set_decoded(t, TY_NULL);
    ty_store(t, &t->snapshot_input, TY_NULL);
    if (t->readable && !decoder_reset(t))
        return TY_NULL;
    Value arguments[2] = {ty_from_immediate_int(0), ty_from_immediate_int(2)};
    Value position = ty_call_method(t->buffer, TY_NAME("seek"), arguments, 2);
    int nonzero = position == TY_NULL ? -1 : ty_is_true(position);
    return nonzero < 0 || !encoder_to_start(t, !nonzero) ? TY_NULL : position;
}

static Value seek_to_cookie(TextIO *t, Value cookie_value)
{
    Cookie c;
    int sign = ty_int_sign(cookie_value);
    if (sign < 0)
        return ty_raise(&ty_ValueError, "negative seek position %R", cookie_value);
    if (flush_buffer(t) == TY_NULL || !unpack_cookie(cookie_value, &c))
        return TY_NULL;
    if (ty_call_method_one(t->buffer, TY_NAME("seek"), ty_int_from_uint64(c.position)) == TY_NULL)
        return TY_NULL;
    set_decoded(t, TY_NULL);
    ty_store(t, &t->snapshot_input, TY_NULL);
    if (t->readable) {
        bool fresh = c.position == 0 && c.flags == 0;
        if (fresh ? !decoder_reset(t) : !set_clean_state(t, c.flags))
            return TY_NULL;
        ty_store(t, &t->snapshot_flags, ty_int_from_uint64(c.flags));
        ty_store(t, &t->snapshot_input, ty_bytes_new("", 0));
    }
    if (c.chars_to_skip) {
        Value input = ty_call_method_one(t->buffer, TY_NAME("read"), ty_int_from_uint64(c.bytes_to_feed));
        if (input == TY_NULL || (input = as_bytes(input, "read")) == TY_NULL)
            return TY_NULL;
        ty_store(t, &t->snapshot_input, input);
        Value text = decode(t, input, c.need_end);
        if (text == TY_NULL)
            return TY_NULL;
        if ((uint64_t)ty_str_length(text) < c.chars_to_skip)
            return ty_raise(&ty_OSError, "can't restore logical file position");
        set_decoded(t, text);
        t->used = (int64_t)c.chars_to_skip;
    }
    return encoder_to_start(t, c.position == 0 && c.flags == 0) ? cookie_value : TY_NULL;
}

static Value text_seek(Value self, Value *a)
{
    TextIO *t = as_text(self);
    int32_t whence = 0;
    if ((a[1] != TY_NULL && !ty_to_int32(a[1], &whence)) || !enter(t))
        return TY_NULL;
    Value cookie = a[0];
    if (!t->seekable)
        return leave(t, ty_io_unsupported("underlying stream is not seekable"));
    if (!write_pending(t))
        return leave(t, TY_NULL);
    if (whence == 1 || whence == 2) {
        int zero = ty_equal(cookie, ty_from_immediate_int(0));
        if (zero <= 0)
            return leave(t, zero < 0 ? TY_NULL : ty_io_unsupported(whence == 1 ? "can't do nonzero cur-relative seeks" : "can't do nonzero end-relative seeks"));
        if (whence == 2)
            return leave(t, seek_to_end(t));
        if (flush_buffer(t) == TY_NULL || (cookie = tell(t)) == TY_NULL)
            return leave(t, TY_NULL);
    } else if (whence != 0) {
        return leave(t, ty_raise(&ty_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, 0, 1, 2));
    }
    cookie = ty_number_index(cookie);
    return leave(t, cookie == TY_NULL ? TY_NULL : seek_to_cookie(t, cookie));
}

static Value text_truncate(Value self, Value *a)
{
    TextIO *t = as_text(self);
    if (!enter(t))
        return TY_NULL;
    Value result = TY_NULL;
    if (write_pending(t) && flush_buffer(t) != TY_NULL)
        result = ty_call_method_one(t->buffer, TY_NAME("truncate"), a[0] == TY_NULL ? TY_NONE : a[0]);
    return leave(t, result);
}

/* --- the rest -------------------------------------------------------------------------------------------------------------------------- */

static Value text_close(Value self, Value *a)
{
    TextIO *t = as_text(self);
    if (!usable(t))
        return TY_NULL;
    int closed = ty_io_is_closed(self);
    if (closed != 0)
        return closed < 0 ? TY_NULL : TY_NONE;
    if (t->finalizing && t->buffer != TY_NULL && ty_call_method_one(t->buffer, TY_NAME("_dealloc_warn"), self) == TY_NULL)
        ty_clear_exception();
    Value flushed = ty_call_method_none(self, TY_NAME("flush"));
    if (t->buffer == TY_NULL) { /* detached meanwhile: nothing is left to close */
        ty_clear_exception();
        return TY_NONE;
    }
    return ty_io_flush_then_close(flushed, t->buffer);
}

static Value text_detach(Value self, Value *a)
{
    TextIO *t = as_text(self);
    if (!usable(t) || ty_call_method_none(self, TY_NAME("flush")) == TY_NULL)
        return TY_NULL;
    Value buffer = t->buffer;
    ty_store(t, &t->buffer, TY_NULL);
    t->detached = true;
    t->ready = false;
    return buffer;
}

static bool flag_argument(Value v, bool *flag)
{
    if (v == TY_NULL || v == TY_NONE)
        return true;
    int64_t i;
    if (!ty_to_int64(v, &i))
        return false;
    *flag = i != 0;
    return true;
}

/* encoding, errors, newline, line_buffering, write_through: TY_NULL or None: as it is, but for newline, where None means something. */
static Value text_reconfigure(Value self, Value *a)
{
    TextIO *t = as_text(self);
    Value encoding = a[0] == TY_NULL ? TY_NONE : a[0], errors = a[1] == TY_NULL ? TY_NONE : a[1];
    if (!enter(t))
        return TY_NULL;
    bool recode = encoding != TY_NONE || errors != TY_NONE, line_buffering = t->line_buffering, write_through = t->write_through;
    if (t->readable && (t->decoded != TY_NULL || t->snapshot_input != TY_NULL) && (recode || a[2] != TY_NULL))
        return leave(t, ty_io_unsupported("It is not possible to set the encoding or newline of stream after the first read"));
    if (encoding != TY_NONE && !ty_is_str(encoding))
        return leave(t, ty_raise(&ty_TypeError, "reconfigure() argument 'encoding' must be str or None, not %T", encoding));
    if (errors != TY_NONE && !ty_is_str(errors))
        return leave(t, ty_raise(&ty_TypeError, "reconfigure() argument 'errors' must be str or None, not %T", errors));
    if (a[2] != TY_NULL && a[2] != TY_NONE && !ty_is_str(a[2]))
        return leave(t, ty_raise(&ty_TypeError, "reconfigure() argument 'newline' must be str or None, not %T", a[2]));
    if (!ty_check_newline(a[2]) || !flag_argument(a[3], &line_buffering) || !flag_argument(a[4], &write_through))
        return leave(t, TY_NULL);
    if (!write_pending(t) || flush_buffer(t) == TY_NULL)
        return leave(t, TY_NULL);
    ty_store(t, &t->decoded, TY_NULL);
    if (recode) {
        if (errors == TY_NONE)
            errors = encoding == TY_NONE ? t->errors : TY_NAME("strict");
        if (encoding == TY_NONE)
            encoding = t->encoding;
        else if (ty_str_equal_text(encoding, "locale"))
            encoding = TY_NAME("UTF-8");
        if (!set_encoding(t, encoding, errors))
            return leave(t, TY_NULL);
        if (!t->native && t->writable && t->seekable) {
            Value position = ty_call_method_none(t->buffer, TY_NAME("tell"));
            int nonzero = position == TY_NULL ? -1 : ty_is_true(position);
            if (nonzero < 0 || (nonzero && !encoder_to_start(t, false)))
                return leave(t, TY_NULL);
        }
    }
    if (a[2] != TY_NULL)
        set_newline(t, a[2]);
    t->line_buffering = line_buffering;
    t->write_through = write_through;
    return leave(t, TY_NONE);
}

#define FORWARD(function, method)                                                        \
    static Value function(Value self, Value *a)                                          \
    {                                                                                    \
        TextIO *t = as_text(self);                                                       \
        return usable(t) ? ty_call_method_none(t->buffer, TY_NAME(method)) : TY_NULL;    \
    }
FORWARD(text_fileno, "fileno")
FORWARD(text_seekable, "seekable")
FORWARD(text_readable, "readable")
FORWARD(text_writable, "writable")
FORWARD(text_isatty, "isatty")

static Value text_repr(Value self)
{
    TextIO *t = as_text(self);
    bool failed;
    if (!t->detached && !usable(t))
        return TY_NULL;
    TyStrBuilder b = {0};
    Value head = ty_str_format("<%N", self);
    if (head == TY_NULL)
        return TY_NULL;
    ty_builder_add(&b, head);
    static const char *const names[] = {"name", "mode"};
    for (int i = 0; i < 2; i++) {
        Value v = ty_get_attribute_or_null(self, ty_intern_text(names[i]), &failed);
        if (v == TY_NULL) {
            if (failed && !ty_raised_is(&ty_ValueError))
                return TY_NULL;
            ty_clear_exception();
            continue;
        }
        Value part = ty_str_format(" %s=%R", names[i], v);
        if (part == TY_NULL)
            return TY_NULL;
        ty_builder_add(&b, part);
    }
    Value end = ty_str_format(" encoding=%R>", t->encoding);
    if (end == TY_NULL)
        return TY_NULL;
    ty_builder_add(&b, end);
    return ty_builder_finish(&b);
}

static Value get_closed(Value self) { return usable(as_text(self)) ? ty_get_attribute(as_text(self)->buffer, TY_NAME("closed")) : TY_NULL; }
static Value get_name(Value self) { return usable(as_text(self)) ? ty_get_attribute(as_text(self)->buffer, TY_NAME("name")) : TY_NULL; }
static Value get_errors(Value self) { return as_text(self)->detached || usable(as_text(self)) ? as_text(self)->errors : TY_NULL; }
static Value get_chunk_size(Value self) { return usable(as_text(self)) ? ty_int_from_int64(as_text(self)->chunk_size) : TY_NULL; }

static bool set_chunk_size(Value self, Value value)
{
    int64_t size;
    if (!usable(as_text(self)))
        return false;
    if (value == TY_NULL) {
        ty_raise(&ty_AttributeError, "attribute '_CHUNK_SIZE' of '%s' objects cannot be deleted", ty_type_of(self)->name);
        return false;
    }
    if (!ty_to_size(value, &size)) {
        if (ty_raised_is(&ty_OverflowError)) {
            ty_clear_exception();
            ty_raise(&ty_ValueError, "cannot fit 'int' into an index-sized integer");
        }
        return false;
    }
    if (size <= 0) {
        ty_raise(&ty_ValueError, "a strictly positive integer is required");
        return false;
    }
    as_text(self)->chunk_size = size;
    return true;
}

static Value get_newlines(Value self)
{
    TextIO *t = as_text(self);
    if (!usable(t))
        return TY_NULL;
    return t->universal ? ty_newlines_seen(t->newlines.seen) : TY_NONE;
}

static const TyNativeDef methods[] = {
    TY_METHOD("detach(self, /)", text_detach, "Separates the buffer below and returns it."),
    TY_METHOD("reconfigure(self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)", text_reconfigure,
              "Changes the settings given; what is written so far is flushed first."),
    TY_METHOD("write(self, text, /)", text_write, "Writes the text and returns its length."),
    TY_METHOD("read(self, size=-1, /)", text_read, "Reads at most size characters, or until the end."),
    TY_METHOD("readline(self, size=-1, /)", text_readline, "The next line, at most size characters of it."),
    TY_METHOD("flush(self, /)", text_flush, "Writes what is buffered."),
    TY_METHOD("close(self, /)", text_close, "Flushes and closes, the buffer below too."),
    TY_METHOD("fileno(self, /)", text_fileno, NULL),
    TY_METHOD("seekable(self, /)", text_seekable, NULL),
    TY_METHOD("readable(self, /)", text_readable, NULL),
    TY_METHOD("writable(self, /)", text_writable, NULL),
    TY_METHOD("isatty(self, /)", text_isatty, NULL),
    TY_METHOD("seek(self, cookie, whence=0, /)", text_seek, "Goes to a position that tell() gave; or with cookie 0 to the current position (whence 1)\nor the end (2)."),
    TY_METHOD("tell(self, /)", text_tell, "The current position, as a number that only seek() can make sense of."),
    TY_METHOD("truncate(self, pos=None, /)", text_truncate, NULL),
    TY_METHOD("__getstate__(self, /)", ty_io_cannot_pickle, NULL),
    {0},
};

static const TyGetSetDef getsets[] = {
    {"name", get_name, NULL, NULL}, {"closed", get_closed, NULL, NULL}, {"newlines", get_newlines, NULL, NULL},
    {"errors", get_errors, NULL, NULL}, {"_CHUNK_SIZE", get_chunk_size, set_chunk_size, NULL}, {0},
};

static const TyMemberDef members[] = {
    {"encoding", TY_MEMBER_VALUE, false, offsetof(TextIO, encoding), NULL},
    {"buffer", TY_MEMBER_VALUE, false, offsetof(TextIO, buffer), NULL},
    {"line_buffering", TY_MEMBER_BOOL, false, offsetof(TextIO, line_buffering), NULL},
    {"write_through", TY_MEMBER_BOOL, false, offsetof(TextIO, write_through), NULL},
    {"_finalizing", TY_MEMBER_BOOL, true, offsetof(TextIO, finalizing), NULL},
    {0},
};

TyType ty_textio_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TextIO), .trace = trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.TextIOWrapper",
    .doc = "TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)\n--\n\n"
           "Text over a buffered stream of bytes.",
    .parent = &ty_text_io_base_type,
    .slots = {.repr = text_repr, .new = ty_io_allocate, .init = text_init, .next = text_next},
    .methods = methods,
    .getsets = getsets,
    .members = members,
};
