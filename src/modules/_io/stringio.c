/* StringIO: text in memory as a stream, four bytes a character, so that any part of it can be replaced. */
#include "modules/_io/io.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/str_parts.h"
#include "object/tuple.h"

typedef struct StringIO {
    TyIOBase io;
    Value store;            /* bytes: room for characters of four bytes; TY_NULL: closed or not initialised */
    Value newline;          /* as it was given: None or str */
    Value write_newline;    /* what "\n" is written as, or TY_NULL */
    int64_t length, position;
    TyNewlineState newlines;
    bool ready, closed, universal;
    TyIOLock lock;
} StringIO;

static StringIO *as_stream(Value v) { return (StringIO *)ty_object(v); }

static void trace(TyObject *self, TyMarker *marker)
{
    StringIO *s = (StringIO *)self;
    ty_io_base_trace(self, marker);
    ty_mark(marker, s->store);
    ty_mark(marker, s->newline);
    ty_mark(marker, s->write_newline);
}

static uint32_t *chars_of(StringIO *s) { return (uint32_t *)(void *)ty_as_bytes(s->store)->data; }
static int64_t capacity_of(StringIO *s) { return ty_bytes_length(s->store) / 4; }

static bool usable(StringIO *s)
{
    if (TY_LIKELY(s->ready && !s->closed))
        return true;
    ty_raise(&ty_ValueError, s->closed ? "I/O operation on closed file" : "I/O operation on uninitialized object");
    return false;
}

static bool enter(StringIO *s)
{
    ty_io_lock(&s->lock);
    if (TY_LIKELY(usable(s)))
        return true;
    ty_io_unlock(&s->lock);
    return false;
}
static Value leave(StringIO *s, Value result)
{
    ty_io_unlock(&s->lock);
    return result;
}

static bool make_room(StringIO *s, int64_t length)
{
    int64_t capacity = capacity_of(s);
    if (length <= capacity)
        return true;
    if (length > INT64_MAX / 16) {
        ty_raise(&ty_OverflowError, "new buffer size too large");
        return false;
    }
    capacity = TY_MAX(length, capacity + capacity / 2 + 32);
    Value store = ty_bytes_new(NULL, (size_t)capacity * 4);
    if (store == TY_NULL)
        return false;
    memcpy(ty_as_bytes(store)->data, ty_bytes_data(s->store), (size_t)s->length * 4);
    ty_store(s, &s->store, store);
    return true;
}

static bool write_text(StringIO *s, Value text)
{
    if (s->universal) {
        TyNewlineState whole = s->newlines; /* each text is taken for itself */
        text = ty_newlines_decode(&whole, text, true);
        s->newlines.seen = whole.seen;
    }
    if (text != TY_NULL && s->write_newline != TY_NULL)
        text = ty_str_replace(text, ty_str_from_char('\n'), s->write_newline, -1);
    if (text == TY_NULL)
        return false;
    int64_t length = ty_str_length(text);
    if (length == 0)
        return true;
    if (!make_room(s, s->position + length))
        return false;
    if (s->position > s->length)
        memset(chars_of(s) + s->length, 0, (size_t)(s->position - s->length) * 4);
    ty_copy_chars(chars_of(s) + s->position, 4, ty_str_data(text), ty_str_width(text), length);
    s->position += length;
    s->length = TY_MAX(s->length, s->position);
    return true;
}

static Value stream_write(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "string argument expected, got '%T'", a[0]);
    if (!enter(s))
        return TY_NULL;
    return leave(s, write_text(s, a[0]) ? ty_int_from_int64(ty_str_length(a[0])) : TY_NULL);
}

static Value take(StringIO *s, int64_t size)
{
    int64_t left = TY_MAX(s->length - s->position, 0), start = s->position;
    if (size < 0 || size > left)
        size = left;
    if (size == 0)
        return ty_str_empty();
    s->position += size;
    return ty_str_from_ucs4(chars_of(s) + start, (size_t)size);
}

static Value stream_read(Value self, Value *a)
{
    int64_t size;
    if (!ty_io_size(a[0], &size) || !enter(as_stream(self)))
        return TY_NULL;
    return leave(as_stream(self), take(as_stream(self), size));
}

/* The length of the line at the position. */
static int64_t line_length(StringIO *s)
{
    int64_t left = TY_MAX(s->length - s->position, 0);
    const uint32_t *from = chars_of(s) + TY_MIN(s->position, s->length);
    bool plain = s->newlines.translate || s->newline == TY_NONE;
    if (!plain && ty_str_length(s->newline) == 0) {
        for (int64_t i = 0; i < left; i++)
            if (from[i] == '\n' || from[i] == '\r')
                return i + 1 + (from[i] == '\r' && i + 1 < left && from[i + 1] == '\n');
        return left;
    }
    uint32_t ending[2] = {'\n'};
    int64_t count = plain ? 1 : ty_str_length(s->newline);
    for (int64_t i = 0; i < count && !plain; i++)
        ending[i] = ty_str_at(s->newline, i);
    int64_t at = ty_find(from, left, ending, count, 4);
    return at < 0 ? left : at + count;
}

static Value take_line(StringIO *s, int64_t limit)
{
    int64_t length = line_length(s);
    return take(s, limit >= 0 ? TY_MIN(limit, length) : length);
}

static Value stream_readline(Value self, Value *a)
{
    int64_t limit;
    if (!ty_io_size(a[0], &limit) || !enter(as_stream(self)))
        return TY_NULL;
    return leave(as_stream(self), take_line(as_stream(self), limit));
}

static Value stream_next(Value self)
{
    StringIO *s = as_stream(self);
    Value line;
    if (ty_is_exact(self, &ty_stringio_type)) {
        line = enter(s) ? leave(s, take_line(s, -1)) : TY_NULL;
    } else {
        line = ty_call_method_none(self, TY_NAME("readline"));
        if (line != TY_NULL && !ty_is_str(line))
            return ty_raise(&ty_OSError, "readline() should have returned a str object, not '%T'", line);
    }
    return line == TY_NULL || ty_str_length(line) == 0 ? TY_NULL : line;
}

static Value stream_getvalue(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    return enter(s) ? leave(s, s->length ? ty_str_from_ucs4(chars_of(s), (size_t)s->length) : ty_str_empty()) : TY_NULL;
}

static Value stream_seek(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    int64_t offset;
    int32_t whence = 0;
    if (!ty_to_size(a[0], &offset) || (a[1] != TY_NULL && !ty_to_int32(a[1], &whence)) || !enter(s))
        return TY_NULL;
    Value result = TY_NULL;
    if (whence < 0 || whence > 2) {
        ty_raise(&ty_ValueError, "Invalid whence (%i, should be 0, 1 or 2)", whence);
    } else if (offset < 0 && whence == 0) {
        ty_raise(&ty_ValueError, "Negative seek position %zd", offset);
    } else if (whence != 0 && offset != 0) {
        ty_raise(&ty_OSError, "Can't do nonzero cur-relative seeks");
    } else {
        s->position = whence == 0 ? offset : whence == 1 ? s->position : s->length;
        result = ty_int_from_int64(s->position);
    }
    return leave(s, result);
}

static Value stream_truncate(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    int64_t size;
    if (!ty_io_size(a[0], &size) || !enter(s))
        return TY_NULL;
    if (a[0] == TY_NULL || a[0] == TY_NONE)
        size = s->position;
    if (size < 0) {
        ty_raise(&ty_ValueError, "Negative size value %zd", size);
        return leave(s, TY_NULL);
    }
    s->length = TY_MIN(s->length, size);
    return leave(s, ty_int_from_int64(size));
}

static Value stream_tell(Value self, Value *a) { return enter(as_stream(self)) ? leave(as_stream(self), ty_int_from_int64(as_stream(self)->position)) : TY_NULL; }
static Value stream_true(Value self, Value *a) { return enter(as_stream(self)) ? leave(as_stream(self), TY_TRUE) : TY_NULL; }

static Value stream_close(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    ty_io_lock(&s->lock);
    s->closed = true;
    ty_store(s, &s->store, TY_NULL);
    return leave(s, TY_NONE);
}

static bool set_up(StringIO *s, Value value, Value newline)
{
    if (newline != TY_NONE && !ty_is_str(newline)) {
        ty_raise(&ty_TypeError, "newline must be str or None, not %T", newline);
        return false;
    }
    if (!ty_check_newline(newline))
        return false;
    if (value != TY_NULL && value != TY_NONE && !ty_is_str(value)) {
        ty_raise(&ty_TypeError, "initial_value must be str or None, not %T", value);
        return false;
    }
    Value store = ty_bytes_new(NULL, 64);
    if (store == TY_NULL)
        return false;
    bool none = newline == TY_NONE;
    ty_store(s, &s->store, store);
    ty_store(s, &s->newline, newline);
    ty_store(s, &s->write_newline, !none && ty_str_length(newline) > 0 && ty_str_at(newline, 0) == '\r' ? newline : TY_NULL);
    s->universal = none || ty_str_length(newline) == 0;
    s->newlines = (TyNewlineState){.translate = none};
    s->length = s->position = 0;
    s->closed = false;
    s->ready = true;
    if (value != TY_NULL && value != TY_NONE && !write_text(s, value))
        return false;
    s->position = 0;
    return true;
}

static bool stream_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("StringIO(initial_value='', newline='\\n')");
    Value a[2];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    StringIO *s = as_stream(self);
    ty_io_lock(&s->lock);
    bool done = set_up(s, a[0], a[1] == TY_NULL ? ty_str_from_char('\n') : a[1]);
    ty_io_unlock(&s->lock);
    return done;
}

static Value stream_getstate(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    Value value = stream_getvalue(self, NULL);
    bool failed;
    if (value == TY_NULL)
        return TY_NULL;
    Value dict = ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
    dict = dict != TY_NULL && ty_dict_length(dict) > 0 ? ty_dict_copy(dict) : TY_NONE;
    return ty_tuple_pack(4, value, s->newline, ty_int_from_int64(s->position), dict);
}

static Value stream_setstate(Value self, Value *a)
{
    StringIO *s = as_stream(self);
    int64_t position;
    if (s->closed)
        return ty_raise(&ty_ValueError, "I/O operation on closed file");
    if (!ty_is_tuple(a[0]) || ty_tuple_length(a[0]) < 4)
        return ty_raise(&ty_TypeError, "%N.__setstate__ argument should be 4-tuple, got %T", self, a[0]);
    if (!set_up(s, TY_NULL, ty_tuple_item(a[0], 1)))
        return TY_NULL;
    Value value = ty_tuple_item(a[0], 0);
    if (!ty_is_str(value))
        return ty_raise(&ty_TypeError, "first item of state must be a str, not %T", value);
    /* As it was: without translating its newlines again. */
    if (!make_room(s, ty_str_length(value)))
        return TY_NULL;
    ty_copy_chars(chars_of(s), 4, ty_str_data(value), ty_str_width(value), ty_str_length(value));
    s->length = ty_str_length(value);
    if (!ty_is_int(ty_tuple_item(a[0], 2)))
        return ty_raise(&ty_TypeError, "third item of state must be an integer, got %T", ty_tuple_item(a[0], 2));
    if (!ty_to_size(ty_tuple_item(a[0], 2), &position))
        return TY_NULL;
    if (position < 0)
        return ty_raise(&ty_ValueError, "position value cannot be negative");
    s->position = position;
    Value dict = ty_tuple_item(a[0], 3);
    if (dict == TY_NONE)
        return TY_NONE;
    if (!ty_is_dict(dict))
        return ty_raise(&ty_TypeError, "fourth item of state should be a dict, got a %T", dict);
    Value own_dict = ty_get_attribute(self, TY_NAME("__dict__"));
    return own_dict != TY_NULL && ty_dict_update(own_dict, dict) ? TY_NONE : TY_NULL;
}

static Value get_closed(Value self)
{
    StringIO *s = as_stream(self);
    if (!s->ready)
        return ty_raise(&ty_ValueError, "I/O operation on uninitialized object");
    return ty_from_bool(s->closed);
}
static Value get_newlines(Value self) { return usable(as_stream(self)) ? ty_newlines_seen(as_stream(self)->newlines.seen) : TY_NULL; }
static Value get_line_buffering(Value self) { return usable(as_stream(self)) ? TY_FALSE : TY_NULL; }

static const TyNativeDef methods[] = {
    TY_METHOD("close(self, /)", stream_close, "Frees the memory."),
    TY_METHOD("getvalue(self, /)", stream_getvalue, "All of the text."),
    TY_METHOD("read(self, size=-1, /)", stream_read, "Reads at most size characters, or until the end."),
    TY_METHOD("readline(self, size=-1, /)", stream_readline, "The next line, at most size characters of it."),
    TY_METHOD("tell(self, /)", stream_tell, "The current position."),
    TY_METHOD("truncate(self, pos=None, /)", stream_truncate, "Cuts it off, by default at the current position; returns the size."),
    TY_METHOD("seek(self, pos, whence=0, /)", stream_seek, "Changes the position: to pos, or with pos 0 to the current position (whence 1) or\nthe end (2). Returns the new position."),
    TY_METHOD("write(self, s, /)", stream_write, "Writes the text and returns its length."),
    TY_METHOD("seekable(self, /)", stream_true, NULL),
    TY_METHOD("readable(self, /)", stream_true, NULL),
    TY_METHOD("writable(self, /)", stream_true, NULL),
    TY_METHOD("__getstate__(self, /)", stream_getstate, NULL),
    TY_METHOD("__setstate__(self, state, /)", stream_setstate, NULL),
    {0},
};

static const TyGetSetDef getsets[] = {
    {"closed", get_closed, NULL, NULL}, {"newlines", get_newlines, NULL, NULL}, {"line_buffering", get_line_buffering, NULL, NULL}, {0},
};

TyType ty_stringio_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(StringIO), .trace = trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.StringIO",
    .doc = "StringIO(initial_value='', newline='\\n')\n--\n\nText in memory as a stream.",
    .parent = &ty_text_io_base_type,
    .slots = {.new = ty_io_allocate, .init = stream_init, .next = stream_next},
    .methods = methods,
    .getsets = getsets,
};
