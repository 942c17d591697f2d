/* BytesIO: bytes in memory as a stream. The bytes lie in a bytes object that is shared with getvalue()'s callers until the next change. */
#include "modules/_io/io.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/tuple.h"

typedef struct BytesIO {
    TyIOBase io;
    Value store;             /* bytes, as long as there is room for; TY_NULL: closed */
    int64_t length, position;
    bool shared;             /* the store is also someone else's */
    _Atomic int64_t exports;
    TyIOLock lock;
} BytesIO;

static BytesIO *as_stream(Value v) { return (BytesIO *)ty_object(v); }

static void trace(TyObject *self, TyMarker *marker)
{
    ty_io_base_trace(self, marker);
    ty_mark(marker, ((BytesIO *)self)->store);
}

static bool enter(BytesIO *b)
{
    ty_io_lock(&b->lock);
    if (TY_LIKELY(b->store != TY_NULL))
        return true;
    ty_io_unlock(&b->lock);
    ty_raise(&ty_ValueError, "I/O operation on closed file.");
    return false;
}
static Value leave(BytesIO *b, Value result)
{
    ty_io_unlock(&b->lock);
    return result;
}

static bool no_exports(BytesIO *b)
{
    if (ty_load_relaxed(&b->exports) == 0)
        return true;
    ty_raise(&ty_BufferError, "Existing exports of data: object cannot be re-sized");
    return false;
}

static const uint8_t *data_of(BytesIO *b) { return ty_bytes_data(b->store); }

/* A store of its own with room for `size` bytes. */
static bool own(BytesIO *b, int64_t size)
{
    int64_t capacity = ty_bytes_length(b->store);
    if (!b->shared && size <= capacity)
        return true;
    if (size > capacity)
        size = TY_MAX(size, capacity + capacity / 8 + (capacity < 64 ? 64 : 0));
    Value store = ty_bytes_new(NULL, (size_t)TY_MAX(size, 2));
    if (store == TY_NULL)
        return false;
    memcpy(ty_as_bytes(store)->data, data_of(b), (size_t)b->length);
    ty_store(b, &b->store, store);
    b->shared = false;
    return true;
}

static bool write_bytes(BytesIO *b, const uint8_t *data, int64_t size)
{
    if (!no_exports(b))
        return false;
    if (size == 0)
        return true;
    if (b->position > INT64_MAX / 2 - size) {
        ty_raise(&ty_OverflowError, "new buffer size too large");
        return false;
    }
    int64_t end = b->position + size;
    if (!own(b, TY_MAX(end, b->length)))
        return false;
    uint8_t *out = ty_as_bytes(b->store)->data;
    if (b->position > b->length)
        memset(out + b->length, 0, (size_t)(b->position - b->length));
    memcpy(out + b->position, data, (size_t)size);
    b->position = end;
    b->length = TY_MAX(b->length, end);
    return true;
}

static Value stream_write(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    TyBuffer view;
    if (ty_field(&b->store) == TY_NULL)
        return ty_raise(&ty_ValueError, "I/O operation on closed file.");
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE))
        return TY_NULL;
    Value flat = TY_NULL, result = TY_NULL;
    if (!ty_buffer_is_contiguous(&view, 'C')) {
        flat = ty_bytes_new(NULL, (size_t)view.length);
        if (flat != TY_NULL)
            ty_buffer_copy_out(&view, ty_as_bytes(flat)->data, 'C');
    }
    if (enter(b)) {
        bool done = write_bytes(b, flat == TY_NULL ? view.data : ty_bytes_data(flat), view.length);
        result = leave(b, done ? ty_int_from_int64(view.length) : TY_NULL);
    }
    ty_buffer_release(&view);
    return result;
}

static Value stream_writelines(Value self, Value *a)
{
    if (as_stream(self)->store == TY_NULL)
        return ty_raise(&ty_ValueError, "I/O operation on closed file.");
    Value iterator = ty_iter(a[0]), line;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((line = ty_next(iterator)) != TY_NULL)
        if (stream_write(self, &line) == TY_NULL)
            return TY_NULL;
    return ty_raised() ? TY_NULL : TY_NONE;
}

/* Takes up to size bytes (-1: all) from the position on. */
static Value take(BytesIO *b, int64_t size)
{
    int64_t left = TY_MAX(b->length - b->position, 0), start = b->position;
    if (size < 0 || size > left)
        size = left;
    b->position += size;
    if (start == 0 && size > 1 && size == ty_bytes_length(b->store) && ty_load_relaxed(&b->exports) == 0) {
        b->shared = true;
        return b->store;
    }
    return ty_bytes_new(size ? data_of(b) + start : (const uint8_t *)"", (size_t)size);
}

static Value stream_read(Value self, Value *a)
{
    int64_t size;
    if (!ty_io_size(a[0], &size) || !enter(as_stream(self)))
        return TY_NULL;
    return leave(as_stream(self), take(as_stream(self), size));
}

static Value stream_readinto(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    TyBuffer view;
    if (b->store == TY_NULL)
        return ty_raise(&ty_ValueError, "I/O operation on closed file.");
    if (!ty_io_writable(a[0], &view))
        return TY_NULL;
    Value result = TY_NULL;
    if (enter(b)) {
        int64_t n = TY_MIN(TY_MAX(b->length - b->position, 0), view.length);
        memmove(view.data, data_of(b) + (n ? b->position : 0), (size_t)n);
        b->position += n;
        result = leave(b, ty_int_from_int64(n));
    }
    ty_buffer_release(&view);
    return result;
}

static Value line(BytesIO *b, int64_t limit)
{
    int64_t left = TY_MAX(b->length - b->position, 0);
    const uint8_t *from = data_of(b) + TY_MIN(b->position, b->length), *newline = memchr(from, '\n', (size_t)left);
    int64_t length = newline ? newline - from + 1 : left;
    return take(b, limit >= 0 ? TY_MIN(limit, length) : length);
}

static Value stream_readline(Value self, Value *a)
{
    int64_t limit;
    if (!ty_io_size(a[0], &limit) || !enter(as_stream(self)))
        return TY_NULL;
    return leave(as_stream(self), line(as_stream(self), limit));
}

static Value stream_readlines(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    int64_t hint, total = 0;
    if (!ty_io_size(a[0], &hint) || !enter(b))
        return TY_NULL;
    Value list = ty_list_new(0);
    while (list != TY_NULL && b->position < b->length && (hint <= 0 || total < hint)) {
        Value next = line(b, -1);
        if (next == TY_NULL || !ty_list_append(list, next))
            return leave(b, TY_NULL);
        total += ty_bytes_length(next);
    }
    return leave(b, list);
}

static Value stream_next(Value self)
{
    if (!enter(as_stream(self)))
        return TY_NULL;
    Value next = leave(as_stream(self), line(as_stream(self), -1));
    return next == TY_NULL || ty_bytes_length(next) == 0 ? TY_NULL : next;
}

static Value stream_getvalue(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    if (!enter(b))
        return TY_NULL;
    if (ty_load_relaxed(&b->exports) > 0)
        return leave(b, ty_bytes_new(data_of(b), (size_t)b->length));
    if (b->length != ty_bytes_length(b->store)) {
        Value exact = ty_bytes_new(data_of(b), (size_t)b->length);
        if (exact == TY_NULL)
            return leave(b, TY_NULL);
        ty_store(b, &b->store, exact);
    }
    b->shared = true;
    return leave(b, b->store);
}

static Value stream_seek(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    int64_t offset;
    int32_t whence = 0;
    if (!ty_to_size(a[0], &offset) || (a[1] != TY_NULL && !ty_to_int32(a[1], &whence)) || !enter(b))
        return TY_NULL;
    Value result = TY_NULL;
    if (offset < 0 && whence == 0) {
        ty_raise(&ty_ValueError, "negative seek value %zd", offset);
    } else if (whence < 0 || whence > 2) {
        ty_raise(&ty_ValueError, "invalid whence (%i, should be 0, 1 or 2)", whence);
    } else {
        int64_t base = whence == 0 ? 0 : whence == 1 ? b->position : b->length;
        if (offset > INT64_MAX - base) {
            ty_raise(&ty_OverflowError, "new position too large");
        } else {
            b->position = TY_MAX(base + offset, 0);
            result = ty_int_from_int64(b->position);
        }
    }
    return leave(b, result);
}

static Value stream_truncate(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    int64_t size;
    if (!ty_io_size(a[0], &size) || !enter(b))
        return TY_NULL;
    if (!no_exports(b))
        return leave(b, TY_NULL);
    if (a[0] == TY_NULL || a[0] == TY_NONE)
        size = b->position;
    if (size < 0) {
        ty_raise(&ty_ValueError, "negative size value %zd", size);
        return leave(b, TY_NULL);
    }
    b->length = TY_MIN(b->length, size);
    return leave(b, ty_int_from_int64(size));
}

static Value stream_tell(Value self, Value *a)
{
    return enter(as_stream(self)) ? leave(as_stream(self), ty_int_from_int64(as_stream(self)->position)) : TY_NULL;
}
static Value stream_true(Value self, Value *a) { return enter(as_stream(self)) ? leave(as_stream(self), TY_TRUE) : TY_NULL; }
static Value stream_isatty(Value self, Value *a) { return enter(as_stream(self)) ? leave(as_stream(self), TY_FALSE) : TY_NULL; }
static Value stream_flush(Value self, Value *a) { return enter(as_stream(self)) ? leave(as_stream(self), TY_NONE) : TY_NULL; }

static Value stream_close(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    if (!no_exports(b))
        return TY_NULL;
    ty_io_lock(&b->lock);
    ty_store(b, &b->store, TY_NULL);
    return leave(b, TY_NONE);
}

static bool set_value(BytesIO *b, Value initial)
{
    Value bytes = initial == TY_NULL || initial == TY_NONE ? ty_bytes_new("", 0) : initial;
    if (!ty_is_exact(bytes, &ty_bytes_type)) {
        TyBuffer view;
        if (!ty_buffer_get(bytes, &view, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE))
            return false;
        bytes = ty_bytes_new(NULL, (size_t)view.length);
        if (bytes != TY_NULL)
            ty_buffer_copy_out(&view, ty_as_bytes(bytes)->data, 'C');
        ty_buffer_release(&view);
        if (bytes == TY_NULL)
            return false;
    }
    ty_io_lock(&b->lock);
    ty_store(b, &b->store, bytes);
    b->length = ty_bytes_length(bytes);
    b->position = 0;
    b->shared = true;
    ty_io_unlock(&b->lock);
    return true;
}

static bool stream_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("BytesIO(initial_bytes=b'')");
    Value a[1];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a) || !no_exports(as_stream(self)))
        return false;
    return set_value(as_stream(self), a[0]);
}

static Value stream_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value self = ty_type_allocate(type, 0);
    return self != TY_NULL && set_value(as_stream(self), TY_NULL) ? self : TY_NULL;
}

static Value stream_getstate(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    bool failed;
    Value value = stream_getvalue(self, NULL), dict = value == TY_NULL ? TY_NULL : ty_get_attribute_or_null(self, TY_NAME("__dict__"), &failed);
    if (value == TY_NULL)
        return TY_NULL;
    if (dict != TY_NULL && ty_dict_length(dict) > 0)
        dict = ty_dict_copy(dict);
    else
        dict = TY_NONE;
    return ty_tuple_pack(3, value, ty_int_from_int64(b->position), dict);
}

static Value stream_setstate(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    int64_t position;
    if (!ty_is_tuple(a[0]) || ty_tuple_length(a[0]) < 3)
        return ty_raise(&ty_TypeError, "%N.__setstate__ argument should be 3-tuple, got %T", self, a[0]);
    if (b->store == TY_NULL)
        return ty_raise(&ty_ValueError, "I/O operation on closed file.");
    if (!no_exports(b) || !set_value(b, ty_tuple_item(a[0], 0)))
        return TY_NULL;
    if (!ty_is_int(ty_tuple_item(a[0], 1)))
        return ty_raise(&ty_TypeError, "second item of state must be an integer, not %T", ty_tuple_item(a[0], 1));
    if (!ty_to_size(ty_tuple_item(a[0], 1), &position))
        return TY_NULL;
    if (position < 0)
        return ty_raise(&ty_ValueError, "position value cannot be negative");
    b->position = position;
    Value dict = ty_tuple_item(a[0], 2);
    if (dict == TY_NONE)
        return TY_NONE;
    if (!ty_is_dict(dict))
        return ty_raise(&ty_TypeError, "third item of state should be a dict, got a %T", dict);
    Value own_dict = ty_get_attribute(self, TY_NAME("__dict__"));
    return own_dict != TY_NULL && ty_dict_update(own_dict, dict) ? TY_NONE : TY_NULL;
}

static Value stream_sizeof(Value self, Value *a)
{
    BytesIO *b = as_stream(self);
    return ty_int_from_int64((int64_t)sizeof(BytesIO) + (b->store != TY_NULL && !b->shared ? ty_bytes_length(b->store) : 0));
}

static Value get_closed(Value self) { return ty_from_bool(as_stream(self)->store == TY_NULL); }

/* --- getbuffer() ----------------------------------------------------------------------------------------------------------- */

typedef struct Exporter {
    TyObject base;
    Value stream;
} Exporter;

static void exporter_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Exporter *)self)->stream); }

static bool exporter_get(Value self, TyBuffer *view, int flags)
{
    BytesIO *b = as_stream(((Exporter *)ty_object(self))->stream);
    if (!enter(b))
        return false;
    bool done = own(b, b->length) && ty_buffer_fill(view, self, ty_as_bytes(b->store)->data, b->length, false, flags);
    if (done)
        atomic_fetch_add(&b->exports, 1);
    leave(b, TY_NONE);
    return done;
}

static void exporter_release(Value self, TyBuffer *view)
{
    atomic_fetch_sub(&as_stream(((Exporter *)ty_object(self))->stream)->exports, 1);
}

TyType ty_bytesio_buffer_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Exporter), .trace = exporter_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io._BytesIOBuffer",
    .slots = {.get_buffer = exporter_get, .release_buffer = exporter_release},
};

static Value stream_getbuffer(Value self, Value *a)
{
    if (!enter(as_stream(self)))
        return TY_NULL;
    leave(as_stream(self), TY_NONE);
    Exporter *exporter = ty_allocate(&ty_bytesio_buffer_type, sizeof(Exporter));
    if (!exporter)
        return TY_NULL;
    ty_store(exporter, &exporter->stream, self);
    return ty_memoryview_new(ty_from_object(exporter));
}

static const TyNativeDef methods[] = {
    TY_METHOD("readable(self, /)", stream_true, NULL),
    TY_METHOD("seekable(self, /)", stream_true, NULL),
    TY_METHOD("writable(self, /)", stream_true, NULL),
    TY_METHOD("close(self, /)", stream_close, "Frees the memory."),
    TY_METHOD("flush(self, /)", stream_flush, NULL),
    TY_METHOD("isatty(self, /)", stream_isatty, NULL),
    TY_METHOD("tell(self, /)", stream_tell, "The current position."),
    TY_METHOD("write(self, b, /)", stream_write, "Writes bytes and returns their number."),
    TY_METHOD("writelines(self, lines, /)", stream_writelines, "Writes all of an iterable; newlines are not added."),
    TY_METHOD("read1(self, size=-1, /)", stream_read, "Reads at most size bytes."),
    TY_METHOD("readinto(self, buffer, /)", stream_readinto, "Reads into the buffer; returns the number of bytes."),
    TY_METHOD("readline(self, size=-1, /)", stream_readline, "The next line, at most size bytes of it."),
    TY_METHOD("readlines(self, size=None, /)", stream_readlines, "A list of lines; no more are read once size bytes have been."),
    TY_METHOD("read(self, size=-1, /)", stream_read, "Reads at most size bytes, or until the end."),
    TY_METHOD("getbuffer(self, /)", stream_getbuffer, "A view of the bytes that can change them."),
    TY_METHOD("getvalue(self, /)", stream_getvalue, "All of the bytes."),
    TY_METHOD("seek(self, pos, whence=0, /)", stream_seek, "Changes the position: it counts from the start (whence 0), from the current\nposition (1) or from the end (2). Returns the new position."),
    TY_METHOD("truncate(self, size=None, /)", stream_truncate, "Cuts it off, by default at the current position; returns the size."),
    TY_METHOD("__getstate__(self, /)", stream_getstate, NULL),
    TY_METHOD("__setstate__(self, object, /)", stream_setstate, NULL),
    TY_METHOD("__sizeof__(self, /)", stream_sizeof, NULL),
    {0},
};

static const TyGetSetDef getsets[] = {{"closed", get_closed, NULL, "Whether it is closed."}, {0}};

TyType ty_bytesio_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(BytesIO), .trace = trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.BytesIO",
    .doc = "BytesIO(initial_bytes=b'')\n--\n\nBytes in memory as a buffered stream.",
    .parent = &ty_buffered_io_base_type,
    .slots = {.new = stream_new, .init = stream_init, .next = stream_next},
    .methods = methods,
    .getsets = getsets,
};
