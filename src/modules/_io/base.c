/* The abstract classes of _io, their locks and helpers. */
#include "modules/_io/io.h"
#include "object/int.h"
#include "object/list.h"
#include "object/shape.h"
#include "object/tuple.h"
#include <errno.h>

/* --- locks -------------------------------------------------------------------------------------------------------------- */

/* Who holds the lock may be stopped for ever, at the end of the program. Then the lock is ours. */
static TY_NOINLINE void lock_slow(TyIOLock *lock)
{
    if (!ty_world_is_mine())
        ty_mutex_lock_blocking(&lock->mutex);
}

void ty_io_lock(TyIOLock *lock)
{
    if (ty_load_relaxed(&lock->owner) != ty_thread) {
        if (TY_UNLIKELY(!ty_mutex_try_lock(&lock->mutex)))
            lock_slow(lock);
        lock->depth = 0; /* unless its holder is stopped for ever, or was left behind by a fork, it is that already */
        ty_store_relaxed(&lock->owner, ty_thread);
    }
    lock->depth++;
}

void ty_io_unlock(TyIOLock *lock)
{
    if (--lock->depth == 0) {
        ty_store_relaxed(&lock->owner, NULL);
        ty_mutex_unlock(&lock->mutex);
    }
}

/* --- helpers ------------------------------------------------------------------------------------------------------------------ */

void ty_io_base_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TyIOBase *)self)->attributes); }

Value ty_io_allocate(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

bool ty_io_writable(Value v, TyBuffer *view)
{
    if (ty_has_buffer(v) && ty_buffer_get(v, view, TY_BUFFER_WRITABLE))
        return true;
    ty_clear_exception();
    ty_raise(&ty_TypeError, "readinto() argument must be read-write bytes-like object, not %T", v);
    return false;
}

Value ty_io_unsupported(const char *what) { return ty_raise(&ty_UnsupportedOperation, "%s", what); }

Value ty_io_cannot_pickle(Value self, Value *a) { return ty_raise(&ty_TypeError, "cannot pickle %N instances", self); }

int ty_io_is_closed(Value self)
{
    Value closed = ty_get_attribute(self, TY_NAME("closed"));
    return closed == TY_NULL ? -1 : ty_is_true(closed);
}

bool ty_io_check_closed(Value self, const char *message)
{
    int closed = ty_io_is_closed(self);
    if (closed > 0)
        ty_raise(&ty_ValueError, "%s", message ? message : "I/O operation on closed file.");
    return closed == 0;
}

bool ty_io_size(Value v, int64_t *size)
{
    *size = -1;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (!ty_has_index(v)) {
        ty_raise(&ty_TypeError, "argument should be integer or None, not '%T'", v);
        return false;
    }
    return ty_to_size(v, size);
}

bool ty_io_offset(Value v, int64_t *offset)
{
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    if (ty_int_get_int64(index, offset) == 0)
        return true;
    ty_raise(&ty_OverflowError, "cannot fit '%T' into an offset-sized integer", v);
    return false;
}

int ty_io_truth_of_method(Value object, Value name)
{
    Value result = ty_call_method_none(object, name);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

Value ty_io_repr_named(Value self, const char *extra)
{
    bool failed;
    Value name = ty_get_attribute_or_null(self, TY_NAME("name"), &failed);
    if (name == TY_NULL) {
        if (failed && !ty_raised_is(&ty_ValueError))
            return TY_NULL;
        ty_clear_exception();
        return ty_str_format("<%N%s>", self, extra);
    }
    return ty_str_format("<%N name=%R%s>", self, name, extra);
}

Value ty_io_flush_then_close(Value flushed, Value target)
{
    Value first = flushed == TY_NULL ? ty_take_exception() : TY_NULL;
    Value closed = ty_call_method_none(target, TY_NAME("close"));
    if (first == TY_NULL)
        return closed == TY_NULL ? TY_NULL : TY_NONE;
    if (closed == TY_NULL) {
        Value second = ty_take_exception();
        TyException *e = ty_as_exception(second);
        if (second != first && e->context == TY_NULL)
            ty_store(e, &e->context, first);
        ty_restore_exception(second);
    } else {
        ty_restore_exception(first);
    }
    return TY_NULL;
}

bool ty_io_finalize(TyObject *object)
{
    Value self = ty_from_object(object), raised = ty_take_exception();
    bool failed;
    Value closed = ty_get_attribute_or_null(self, TY_NAME("closed"), &failed);
    int is_closed = closed == TY_NULL ? -1 : ty_is_true(closed);
    if (is_closed < 0)
        ty_clear_exception();
    if (is_closed == 0) {
        /* Lets close() know that the object was forgotten: it warns. Classes without such an attribute don't care. */
        if (!ty_set_attribute(self, TY_NAME("_finalizing"), TY_TRUE))
            ty_clear_exception();
        if (ty_call_method_none(self, TY_NAME("close")) == TY_NULL)
            ty_write_unraisable(self, "Exception ignored while finalizing file");
    }
    ty_restore_exception(raised);
    return true;
}

/* --- _IOBase ---------------------------------------------------------------------------------------------------------------------- */

static Value base_seek(Value self, Value *a) { return ty_io_unsupported("seek"); }
static Value base_truncate(Value self, Value *a) { return ty_io_unsupported("truncate"); }
static Value base_fileno(Value self, Value *a) { return ty_io_unsupported("fileno"); }
static Value base_false(Value self, Value *a) { return TY_FALSE; }

static Value base_tell(Value self, Value *a)
{
    Value arguments[2] = {ty_from_immediate_int(0), ty_from_immediate_int(1)};
    return ty_call_method(self, TY_NAME("seek"), arguments, 2);
}

static Value base_flush(Value self, Value *a)
{
    if (ty_object_bits(ty_object(self)) & TY_IO_CLOSED)
        return ty_raise(&ty_ValueError, "I/O operation on closed file.");
    return TY_NONE;
}

static Value base_close(Value self, Value *a)
{
    if (ty_object_bits(ty_object(self)) & TY_IO_CLOSED)
        return TY_NONE;
    Value flushed = ty_call_method_none(self, TY_NAME("flush"));
    ty_object_set_bits(ty_object(self), TY_IO_CLOSED);
    return flushed == TY_NULL ? TY_NULL : TY_NONE;
}

static Value base_closed(Value self) { return ty_from_bool(ty_object_bits(ty_object(self)) & TY_IO_CLOSED); }

static Value base_isatty(Value self, Value *a) { return ty_io_check_closed(self, NULL) ? TY_FALSE : TY_NULL; }
static Value base_enter(Value self, Value *a) { return ty_io_check_closed(self, NULL) ? self : TY_NULL; }
static Value base_exit(Value self, Value *a) { return ty_call_method_none(self, TY_NAME("close")); }
static Value base_del(Value self, Value *a) { return ty_io_finalize(ty_object(self)) ? TY_NONE : TY_NULL; }
static Value base_check_closed(Value self, Value *a) { return ty_io_check_closed(self, NULL) ? TY_NONE : TY_NULL; }

static Value check(Value self, Value name, const char *message)
{
    Value result = ty_call_method_none(self, name);
    if (result == TY_NULL)
        return TY_NULL;
    return result == TY_TRUE ? TY_TRUE : ty_io_unsupported(message);
}
static Value base_check_seekable(Value self, Value *a) { return check(self, TY_NAME("seekable"), "File or stream is not seekable."); }
static Value base_check_readable(Value self, Value *a) { return check(self, TY_NAME("readable"), "File or stream is not readable."); }
static Value base_check_writable(Value self, Value *a) { return check(self, TY_NAME("writable"), "File or stream is not writable."); }

static Value base_iter(Value self) { return ty_io_check_closed(self, NULL) ? self : TY_NULL; }

static Value base_next(Value self)
{
    Value line = ty_call_method_none(self, TY_NAME("readline"));
    if (line == TY_NULL)
        return TY_NULL;
    int64_t length = ty_length(line);
    return length > 0 ? line : TY_NULL;
}

/* How many bytes to read for one more piece of a line: as many as peek() shows up to a newline, else 1. -1: error. */
static int64_t line_step(Value self, Value peek, int64_t limit)
{
    if (peek == TY_NULL)
        return 1;
    Value ahead = ty_call_one(peek, ty_from_immediate_int(1));
    if (ahead == TY_NULL)
        return -1;
    if (!ty_is_bytes(ahead)) {
        ty_raise(&ty_OSError, "peek() should have returned a bytes object, not '%T'", ahead);
        return -1;
    }
    int64_t length = ty_bytes_length(ahead);
    if (length == 0)
        return 1;
    if (limit >= 0)
        length = TY_MIN(length, limit);
    const uint8_t *data = ty_bytes_data(ahead), *end = memchr(data, '\n', (size_t)length);
    return end ? end - data + 1 : length;
}

static Value base_readline(Value self, Value *a)
{
    int64_t limit;
    bool failed;
    if (!ty_io_size(a[0], &limit))
        return TY_NULL;
    Value peek = ty_get_attribute_or_null(self, TY_NAME("peek"), &failed);
    if (failed)
        return TY_NULL;
    Value line = ty_bytearray_new("", 0);
    while (line != TY_NULL) {
        int64_t have = ty_load_relaxed(&((TyByteArray *)ty_object(line))->length);
        if (limit >= 0 && have >= limit)
            break;
        int64_t step = line_step(self, peek, limit < 0 ? -1 : limit - have);
        if (step < 0)
            return TY_NULL;
        Value piece = ty_call_method_one(self, TY_NAME("read"), ty_from_immediate_int(step));
        if (piece == TY_NULL)
            return TY_NULL;
        if (piece == TY_NONE)
            break;
        if (!ty_is_bytes(piece))
            return ty_raise(&ty_OSError, "read() should have returned a bytes object, not '%T'", piece);
        int64_t got = ty_bytes_length(piece);
        if (got == 0)
            break;
        line = ty_inplace(TY_BINARY_ADD, line, piece);
        if (ty_bytes_data(piece)[got - 1] == '\n')
            break;
    }
    if (line == TY_NULL)
        return TY_NULL;
    TyByteArray *array = (TyByteArray *)ty_object(line);
    return ty_bytes_new(ty_bytearray_data(array), (size_t)ty_load_relaxed(&array->length));
}

static Value base_readlines(Value self, Value *a)
{
    int64_t hint, total = 0;
    if (!ty_io_size(a[0], &hint))
        return TY_NULL;
    Value iterator = ty_iter(self), list = ty_list_new(0), line;
    if (iterator == TY_NULL || list == TY_NULL)
        return TY_NULL;
    while ((line = ty_next(iterator)) != TY_NULL) {
        if (!ty_list_append(list, line))
            return TY_NULL;
        if (hint > 0) {
            int64_t length = ty_length(line);
            if (length < 0)
                return TY_NULL;
            total += length;
            if (total > hint)
                break;
        }
    }
    return ty_raised() ? TY_NULL : list;
}

static Value base_writelines(Value self, Value *a)
{
    if (!ty_io_check_closed(self, NULL))
        return TY_NULL;
    Value iterator = ty_iter(a[0]), line;
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((line = ty_next(iterator)) != TY_NULL)
        if (ty_call_method_one(self, TY_NAME("write"), line) == TY_NULL)
            return TY_NULL;
    return ty_raised() ? TY_NULL : TY_NONE;
}

static const TyNativeDef base_methods[] = {
    TY_METHOD("seek(self, offset, whence=0, /)", base_seek, "Changes the position: offset counts from the start (whence 0), from the\ncurrent position (1) or from the end (2). Returns the new position."),
    TY_METHOD("tell(self, /)", base_tell, "The current position."),
    TY_METHOD("truncate(self, size=None, /)", base_truncate, "Makes the file that long, by default up to the current position."),
    TY_METHOD("flush(self, /)", base_flush, "Writes what is buffered."),
    TY_METHOD("close(self, /)", base_close, "Flushes and closes; once closed, a file can't be used any more."),
    TY_METHOD("seekable(self, /)", base_false, "Whether it has positions to seek."),
    TY_METHOD("readable(self, /)", base_false, "Whether it was opened for reading."),
    TY_METHOD("writable(self, /)", base_false, "Whether it was opened for writing."),
    TY_METHOD("_checkClosed(self, /)", base_check_closed, NULL),
    TY_METHOD("_checkSeekable(self, /)", base_check_seekable, NULL),
    TY_METHOD("_checkReadable(self, /)", base_check_readable, NULL),
    TY_METHOD("_checkWritable(self, /)", base_check_writable, NULL),
    TY_METHOD("fileno(self, /)", base_fileno, "The file descriptor below, if there is one."),
    TY_METHOD("isatty(self, /)", base_isatty, "Whether it is a terminal."),
    TY_METHOD("__enter__(self, /)", base_enter, NULL),
    TY_METHOD("__exit__(self, /, *exc_info)", base_exit, NULL),
    TY_METHOD("__del__(self, /)", base_del, NULL),
    TY_METHOD("readline(self, size=-1, /)", base_readline, "The next line, at most size bytes of it."),
    TY_METHOD("readlines(self, hint=-1, /)", base_readlines, "A list of lines; no more are read once hint bytes have been."),
    TY_METHOD("writelines(self, lines, /)", base_writelines, "Writes all of an iterable; newlines are not added."),
    {0},
};

static Value base_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }

static const TyGetSetDef base_getsets[] = {{"closed", base_closed, NULL, NULL}, {"__dict__", base_dict, NULL, NULL}, {0}};

TyType ty_io_base_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyIOBase), .trace = ty_io_base_trace, .finalize = ty_io_finalize},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP | TY_TYPE_WEAKREFABLE,
    .attributes_offset = offsetof(TyIOBase, attributes),
    .name = "_io._IOBase",
    .doc = "The abstract base of all streams.",
    .slots = {.new = ty_io_allocate, .iter = base_iter, .next = base_next},
    .methods = base_methods,
    .getsets = base_getsets,
};

/* --- _RawIOBase -------------------------------------------------------------------------------------------------------------------- */

static Value raw_read(Value self, Value *a)
{
    int64_t size = -1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &size))
        return TY_NULL;
    if (size < 0)
        return ty_call_method_none(self, TY_NAME("readall"));
    Value buffer = ty_bytearray_new(NULL, (size_t)size);
    Value count = buffer == TY_NULL ? TY_NULL : ty_call_method_one(self, TY_NAME("readinto"), buffer);
    if (count == TY_NULL || count == TY_NONE)
        return count;
    int64_t n;
    if (!ty_to_size(count, &n))
        return TY_NULL;
    if (n < 0 || n > size)
        return ty_raise(&ty_ValueError, "readinto returned %zd outside buffer size %zd", n, size);
    return ty_bytes_new(ty_bytearray_data((TyByteArray *)ty_object(buffer)), (size_t)n);
}

static Value raw_readall(Value self, Value *a)
{
    Value parts = ty_list_new(0);
    while (parts != TY_NULL) {
        Value piece = ty_call_method_one(self, TY_NAME("read"), ty_from_immediate_int(TY_IO_BUFFER_SIZE));
        if (piece == TY_NULL)
            return TY_NULL;
        if (piece == TY_NONE && ty_list_length(parts) == 0)
            return TY_NONE;
        if (piece == TY_NONE)
            break;
        if (!ty_is_bytes(piece))
            return ty_raise(&ty_TypeError, "read() should return bytes");
        if (ty_bytes_length(piece) == 0)
            break;
        if (!ty_list_append(parts, piece))
            return TY_NULL;
    }
    return parts == TY_NULL ? TY_NULL : ty_call_method_one(ty_bytes_new("", 0), TY_NAME("join"), parts);
}

static const TyNativeDef raw_methods[] = {
    TY_METHOD("read(self, size=-1, /)", raw_read, NULL),
    TY_METHOD("readall(self, /)", raw_readall, "Reads until the end."),
    {0},
};

TyType ty_raw_io_base_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io._RawIOBase",
    .doc = "The base of streams of bytes that are not buffered.",
    .parent = &ty_io_base_type,
    .methods = raw_methods,
};

/* --- _BufferedIOBase ---------------------------------------------------------------------------------------------------------------- */

static Value buffered_readinto(Value self, Value *a, Value method)
{
    TyBuffer view;
    if (!ty_io_writable(a[0], &view))
        return TY_NULL;
    Value data = ty_call_method_one(self, method, ty_int_from_int64(view.length)), result = TY_NULL;
    if (data != TY_NULL && !ty_is_bytes(data)) {
        ty_raise(&ty_TypeError, "read() should return bytes");
    } else if (data != TY_NULL && ty_bytes_length(data) > view.length) {
        ty_raise(&ty_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", view.length, ty_bytes_length(data));
    } else if (data != TY_NULL) {
        memcpy(view.data, ty_bytes_data(data), (size_t)ty_bytes_length(data));
        result = ty_int_from_int64(ty_bytes_length(data));
    }
    ty_buffer_release(&view);
    return result;
}

static Value buffered_base_readinto(Value self, Value *a) { return buffered_readinto(self, a, TY_NAME("read")); }
static Value buffered_base_readinto1(Value self, Value *a) { return buffered_readinto(self, a, TY_NAME("read1")); }

#define UNSUPPORTED(function, what) \
    static Value function(Value self, Value *a) { return ty_io_unsupported(what); }
UNSUPPORTED(no_detach, "detach")
UNSUPPORTED(no_read, "read")
UNSUPPORTED(no_read1, "read1")
UNSUPPORTED(no_write, "write")
UNSUPPORTED(no_readline, "readline")

static const TyNativeDef buffered_methods[] = {
    TY_METHOD("detach(self, /)", no_detach, "Separates the raw stream below and returns it; this one is of no use any more."),
    TY_METHOD("read(self, size=-1, /)", no_read, "Reads size bytes, or until the end."),
    TY_METHOD("read1(self, size=-1, /)", no_read1, "Reads at most size bytes with at most one read of the stream below."),
    TY_METHOD("readinto(self, buffer, /)", buffered_base_readinto, NULL),
    TY_METHOD("readinto1(self, buffer, /)", buffered_base_readinto1, NULL),
    TY_METHOD("write(self, b, /)", no_write, "Writes bytes and returns their number."),
    {0},
};

TyType ty_buffered_io_base_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io._BufferedIOBase",
    .doc = "The base of buffered streams of bytes.",
    .parent = &ty_io_base_type,
    .methods = buffered_methods,
};

/* --- _TextIOBase ---------------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef text_methods[] = {
    TY_METHOD("detach(self, /)", no_detach, "Separates the buffer below and returns it; this one is of no use any more."),
    TY_METHOD("read(self, size=-1, /)", no_read, "Reads size characters, or until the end."),
    TY_METHOD("readline(self, size=-1, /)", no_readline, "The next line, at most size characters of it; '' at the end."),
    TY_METHOD("write(self, s, /)", no_write, "Writes the text and returns its length."),
    {0},
};

static Value text_none(Value self) { return TY_NONE; }

static const TyGetSetDef text_getsets[] = {
    {"encoding", text_none, NULL, "The name of the encoding."},
    {"newlines", text_none, NULL, "The kinds of newline met so far: None, a string, or a tuple of them."},
    {"errors", text_none, NULL, "What is done about errors of the encoding."},
    {0},
};

TyType ty_text_io_base_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io._TextIOBase",
    .doc = "The base of streams of text.",
    .parent = &ty_io_base_type,
    .methods = text_methods,
    .getsets = text_getsets,
};

TyType ty_UnsupportedOperation = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .flags = TY_TYPE_EXCEPTION | TY_TYPE_WEAKREFABLE | TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "io.UnsupportedOperation",
    .parent = &ty_OSError,
    .static_bases = {&ty_OSError, &ty_ValueError},
};
