/* BufferedReader, BufferedWriter, BufferedRandom and BufferedRWPair.
 *
 * The buffer holds either bytes read ahead, from `position` to `read_end`, or bytes to be written, from 0 to `write_end`, never both: before the
 * one, the other is got rid of. All of it under the object's lock. */
#include "modules/_io/io.h"
#include "object/int.h"
#include "object/list.h"
#include "object/tuple.h"
#include <errno.h>
#include <unistd.h>

typedef struct Buffered {
    TyIOBase io;
    Value raw;                /* TY_NULL: not initialised, or detached */
    Value buffer;             /* bytes that only this object sees; empty until it is needed */
    int64_t size;             /* of the buffer */
    int64_t position, read_end;
    int64_t write_end;
    TyIOLock lock;
    bool ready, detached, reads, writes, finalizing;
} Buffered;

static Buffered *as_buffered(Value v) { return (Buffered *)ty_object(v); }
static uint8_t *data_of(Buffered *b) { return ty_as_bytes(b->buffer)->data; }

static void trace(TyObject *self, TyMarker *marker)
{
    Buffered *b = (Buffered *)self;
    ty_io_base_trace(self, marker);
    ty_mark(marker, b->raw);
    ty_mark(marker, b->buffer);
}

static bool usable(Buffered *b)
{
    if (TY_LIKELY(b->ready))
        return true;
    ty_raise(&ty_ValueError, b->detached ? "raw stream has been detached" : "I/O operation on uninitialized object");
    return false;
}

/* Takes the lock; RuntimeError for a call from within another on the same object. */
static bool enter(Buffered *b)
{
    if (TY_UNLIKELY(ty_io_lock_is_mine(&b->lock))) {
        ty_raise(&ty_RuntimeError, "reentrant call inside %R", ty_from_object(b));
        return false;
    }
    ty_io_lock(&b->lock);
    return true;
}
static void leave(Buffered *b) { ty_io_unlock(&b->lock); }

static int is_closed(Buffered *b)
{
    if (ty_fileio_is_exact(b->raw))
        return ty_load_relaxed(&((TyFileIO *)ty_object(b->raw))->fd) < 0;
    return ty_io_is_closed(b->raw);
}

int ty_buffered_closed(Value self)
{
    Buffered *b = as_buffered(self);
    return usable(b) ? is_closed(b) : -1;
}

static bool open_for(Buffered *b, const char *message)
{
    if (!usable(b))
        return false;
    int closed = is_closed(b);
    if (closed > 0)
        ty_raise(&ty_ValueError, "%s", message);
    return closed == 0;
}

/* --- the raw stream ------------------------------------------------------------------------------------------------------- */

/* The count that a raw method returned: -1 error, -2 None. */
static int64_t raw_count(Value result, int64_t size, const char *method)
{
    int64_t n;
    if (result == TY_NULL)
        return -1;
    if (result == TY_NONE)
        return -2;
    if (!ty_to_size(result, &n)) {
        if (ty_raised_is(&ty_TypeError) && strcmp(method, "readinto") == 0) {
            Value cause = ty_take_exception();
            ty_restore_exception(cause);
            ty_raise_from(&ty_OSError, "raw readinto() failed");
        }
        return -1;
    }
    if (n < 0 || n > size) {
        ty_raise(&ty_OSError, "raw %s() returned invalid length %zd (should have been between 0 and %zd)", method, n, size);
        return -1;
    }
    return n;
}

/* raw.method(memoryview) of memory that lives as long as `owner`. */
static Value call_with_memory(Value raw, Value method, void *data, int64_t size, bool read_only, Value owner)
{
    Value memory = ty_memoryview_from_memory(data, size, read_only, owner);
    return memory == TY_NULL ? TY_NULL : ty_call_method_one(raw, method, memory);
}

static int64_t raw_read(Buffered *b, void *data, int64_t size, Value owner)
{
    if (ty_fileio_is_exact(b->raw))
        return ty_fileio_read_into((TyFileIO *)ty_object(b->raw), data, size);
    return raw_count(call_with_memory(b->raw, TY_NAME("readinto"), data, size, false, owner), size, "readinto");
}

static int64_t raw_write(Buffered *b, const void *data, int64_t size, Value owner)
{
    if (ty_fileio_is_exact(b->raw))
        return ty_fileio_write_from((TyFileIO *)ty_object(b->raw), data, size);
    int64_t n = raw_count(call_with_memory(b->raw, TY_NAME("write"), (void *)data, size, true, owner), size, "write");
    return n;
}

static int64_t raw_seek(Buffered *b, int64_t offset, int whence)
{
    int64_t position;
    if (ty_fileio_is_exact(b->raw))
        return ty_fileio_seek((TyFileIO *)ty_object(b->raw), offset, whence);
    Value arguments[2] = {ty_int_from_int64(offset), ty_from_immediate_int(whence)};
    Value result = ty_call_method(b->raw, TY_NAME("seek"), arguments, 2);
    if (result == TY_NULL || !ty_io_offset(result, &position))
        return -1;
    if (position < 0) {
        ty_raise(&ty_OSError, "Raw stream returned invalid position %lld", position);
        return -1;
    }
    return position;
}

static int64_t raw_tell(Buffered *b)
{
    int64_t position;
    if (ty_fileio_is_exact(b->raw))
        return ty_fileio_seek((TyFileIO *)ty_object(b->raw), 0, SEEK_CUR);
    Value result = ty_call_method_none(b->raw, TY_NAME("tell"));
    if (result == TY_NULL || !ty_io_offset(result, &position))
        return -1;
    if (position < 0) {
        ty_raise(&ty_OSError, "Raw stream returned invalid position %lld", position);
        return -1;
    }
    return position;
}

/* Forgets what was read ahead; the raw stream goes back to where the reader is. */
static bool drop_read_ahead(Buffered *b)
{
    int64_t ahead = b->read_end - b->position;
    b->position = b->read_end = 0;
    return ahead == 0 || raw_seek(b, -ahead, SEEK_CUR) >= 0;
}

static bool raise_would_block(int64_t written)
{
    Value arguments[3] = {ty_from_immediate_int(EAGAIN), ty_str_from_text("write could not complete without blocking"), ty_int_from_int64(written)};
    Value exception = ty_call(ty_from_object(&ty_BlockingIOError), arguments, 3, TY_NULL);
    if (exception != TY_NULL)
        ty_raise_object(exception);
    return false;
}

/* Writes what waits to be written. False with an exception: BlockingIOError if it would block; the rest then still waits. */
static bool flush_writes(Buffered *b)
{
    int64_t done = 0;
    bool blocked = false, failed = false;
    while (done < b->write_end) {
        int64_t n = raw_write(b, data_of(b) + done, b->write_end - done, b->buffer);
        if (n < 0) {
            blocked = n == -2;
            failed = n == -1;
            break;
        }
        done += n;
        if (done < b->write_end && !ty_poll_run()) { /* a signal may have come with the partial write */
            failed = true;
            break;
        }
    }
    b->write_end -= done;
    if (b->write_end && done)
        memmove(data_of(b), data_of(b) + done, (size_t)b->write_end);
    return blocked ? raise_would_block(0) : !failed;
}

/* --- making ------------------------------------------------------------------------------------------------------------------- */

static bool require(Value raw, Value name, const char *message)
{
    if (ty_fileio_is_exact(raw)) { /* the common case, without calls */
        TyFileIO *file = (TyFileIO *)ty_object(raw);
        bool can = ty_str_equal_text(name, "readable") ? file->readable : ty_str_equal_text(name, "writable") ? file->writable : false;
        if (can && ty_load_relaxed(&file->fd) >= 0)
            return true;
    }
    int truth = ty_io_truth_of_method(raw, name);
    if (truth == 0)
        ty_io_unsupported(message);
    return truth > 0;
}

#define LAZY_MOST (1 << 20) /* whether there is memory for more is known when the object is made */

static bool buffer_there(Buffered *b)
{
    if (TY_LIKELY(ty_bytes_length(b->buffer) != 0))
        return true;
    Value buffer = ty_bytes_new(NULL, (size_t)TY_MAX(b->size, 2));
    if (buffer != TY_NULL)
        ty_store(b, &b->buffer, buffer);
    return buffer != TY_NULL;
}

static bool set_up(Value self, Value raw, int64_t size, bool reads, bool writes)
{
    Buffered *b = as_buffered(self);
    b->ready = b->detached = false;
    if (reads && writes && !require(raw, TY_NAME("seekable"), "File or stream is not seekable."))
        return false;
    if (reads && !require(raw, TY_NAME("readable"), "File or stream is not readable."))
        return false;
    if (writes && !require(raw, TY_NAME("writable"), "File or stream is not writable."))
        return false;
    if (size <= 0) {
        ty_raise(&ty_ValueError, "buffer size must be strictly positive");
        return false;
    }
    Value empty = ty_bytes_new("", 0);
    if (empty == TY_NULL)
        return false;
    ty_store(b, &b->raw, raw);
    ty_store(b, &b->buffer, empty);
    b->size = size;
    if (size > LAZY_MOST && !buffer_there(b))
        return false;
    b->position = b->read_end = b->write_end = 0;
    b->reads = reads;
    b->writes = writes;
    b->ready = true;
    return true;
}

static bool init(Value self, const Value *arguments, size_t count, Value keywords, TySignature *signature, bool reads, bool writes)
{
    Value a[2];
    int64_t size = TY_IO_BUFFER_SIZE;
    if (!ty_parse_arguments(signature, arguments, count, keywords, a) || (a[1] != TY_NULL && !ty_to_size(a[1], &size)))
        return false;
    return set_up(self, a[0], size, reads, writes);
}

static bool reader_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)");
    return init(self, arguments, count, keywords, &signature, true, false);
}
static bool writer_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)");
    return init(self, arguments, count, keywords, &signature, false, true);
}
static bool random_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)");
    return init(self, arguments, count, keywords, &signature, true, true);
}

Value ty_buffered_new(TyType *type, Value raw, int64_t size)
{
    Value self = ty_type_allocate(type, 0);
    bool reads = type != &ty_buffered_writer_type, writes = type != &ty_buffered_reader_type;
    return self != TY_NULL && set_up(self, raw, size, reads, writes) ? self : TY_NULL;
}

/* --- reading -------------------------------------------------------------------------------------------------------------------- */

/* Before reading: nothing waits to be written. */
static bool ready_to_read(Buffered *b) { return b->write_end == 0 || flush_writes(b); }

/* Fills the empty buffer with one read. The count; 0 at the end; -1 error; -2 would block. */
static int64_t fill(Buffered *b)
{
    if (!buffer_there(b))
        return -1;
    int64_t n = raw_read(b, data_of(b), b->size, b->buffer);
    b->position = 0;
    b->read_end = TY_MAX(n, 0);
    return n;
}

static int64_t take(Buffered *b, uint8_t *out, int64_t size)
{
    int64_t n = TY_MIN(size, b->read_end - b->position);
    memcpy(out, data_of(b) + b->position, (size_t)n);
    b->position += n;
    return n;
}

/* Reads up to size bytes, with several raw reads if needed (or at most one). The count; -1 error; -2 nothing there yet. */
static int64_t read_into(Buffered *b, uint8_t *out, int64_t size, bool once, Value owner)
{
    int64_t done = take(b, out, size), n = 0;
    if (done == size || (once && done > 0 && size - done <= b->size))
        return done;
    if (!ready_to_read(b))
        return -1;
    while (done < size) {
        if (size - done >= b->size) { /* straight into the target, in whole buffers */
            int64_t wanted = once ? size - done : (size - done) / b->size * b->size;
            n = raw_read(b, out + done, wanted, owner);
            done += TY_MAX(n, 0);
        } else {
            n = fill(b);
            done += take(b, out + done, size - done);
        }
        if (n <= 0 || once)
            break;
    }
    if (n == -1)
        return -1;
    return n == -2 && done == 0 ? -2 : done;
}

static Value read_count(Buffered *b, int64_t size, bool once)
{
    Value bytes;
    int64_t ahead = b->read_end - b->position;
    if (size <= ahead) {
        bytes = ty_bytes_new(data_of(b) + b->position, (size_t)size);
        b->position += bytes == TY_NULL ? 0 : size;
        return bytes;
    }
    bytes = ty_bytes_new(NULL, (size_t)TY_MAX(size, 2));
    if (bytes == TY_NULL)
        return TY_NULL;
    int64_t n = read_into(b, ty_as_bytes(bytes)->data, size, once, bytes);
    if (n == -1)
        return TY_NULL;
    return n == -2 ? TY_NONE : ty_bytes_shrink(bytes, (size_t)n);
}

static Value concat_all(Value parts) { return ty_call_method_one(ty_bytes_new("", 0), TY_NAME("join"), parts); }

static Value read_all(Buffered *b)
{
    bool failed;
    Value ahead = ty_bytes_new(data_of(b) + b->position, (size_t)(b->read_end - b->position));
    b->position = b->read_end = 0;
    if (ahead == TY_NULL || !ready_to_read(b))
        return TY_NULL;
    if (ty_fileio_is_exact(b->raw) || ty_get_attribute_or_null(b->raw, TY_NAME("readall"), &failed) != TY_NULL) {
        Value rest = ty_fileio_is_exact(b->raw) ? ty_fileio_readall(b->raw, NULL) : ty_call_method_none(b->raw, TY_NAME("readall"));
        if (rest == TY_NULL)
            return TY_NULL;
        if (rest != TY_NONE && !ty_is_bytes(rest))
            return ty_raise(&ty_TypeError, "readall() should return bytes");
        if (rest == TY_NONE)
            return ty_bytes_length(ahead) ? ahead : TY_NONE;
        return ty_bytes_length(ahead) ? ty_bytes_concat(ahead, rest) : rest;
    }
    if (failed)
        return TY_NULL;
    Value parts = ty_list_from_array(&ahead, 1);
    bool any = ty_bytes_length(ahead) > 0;
    while (parts != TY_NULL) {
        Value piece = ty_call_method_none(b->raw, TY_NAME("read"));
        if (piece == TY_NULL)
            return TY_NULL;
        if (piece != TY_NONE && !ty_is_bytes(piece))
            return ty_raise(&ty_TypeError, "read() should return bytes");
        if (piece == TY_NONE || ty_bytes_length(piece) == 0)
            return any || piece != TY_NONE ? concat_all(parts) : TY_NONE;
        any = true;
        if (!ty_list_append(parts, piece))
            return TY_NULL;
    }
    return TY_NULL;
}

static Value buffered_read(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    int64_t size;
    if (!ty_io_size(a[0], &size))
        return TY_NULL;
    if (size < -1)
        return ty_raise(&ty_ValueError, "read length must be non-negative or -1");
    if (!open_for(b, "read of closed file") || !enter(b))
        return TY_NULL;
    Value result = size < 0 ? read_all(b) : read_count(b, size, false);
    leave(b);
    return result;
}

Value ty_buffered_read1_upto(Value self, int64_t size)
{
    Buffered *b = as_buffered(self);
    if (!open_for(b, "read of closed file") || !enter(b))
        return TY_NULL;
    if (size < 0)
        size = b->size;
    int64_t ahead = b->read_end - b->position;
    Value result = size == 0 ? ty_bytes_new("", 0) : read_count(b, ahead ? TY_MIN(ahead, size) : size, true);
    leave(b);
    return result == TY_NONE ? ty_bytes_new("", 0) : result;
}

static Value buffered_read1(Value self, Value *a)
{
    int64_t size = -1;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &size))
        return TY_NULL;
    return ty_buffered_read1_upto(self, size);
}

static Value readinto(Value self, Value target, bool once)
{
    Buffered *b = as_buffered(self);
    TyBuffer view;
    if (!open_for(b, "readinto of closed file") || !ty_io_writable(target, &view))
        return TY_NULL;
    int64_t n = -1;
    if (enter(b)) {
        n = read_into(b, view.data, view.length, once, target);
        leave(b);
    }
    ty_buffer_release(&view);
    return n == -1 ? TY_NULL : n == -2 ? TY_NONE : ty_int_from_int64(n);
}

static Value buffered_readinto(Value self, Value *a) { return readinto(self, a[0], false); }
static Value buffered_readinto1(Value self, Value *a) { return readinto(self, a[0], true); }

static Value buffered_peek(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    int64_t unused = 0;
    if ((a[0] != TY_NULL && !ty_to_size(a[0], &unused)) || !open_for(b, "peek of closed file") || !enter(b))
        return TY_NULL;
    Value result = TY_NULL;
    int64_t n = b->read_end - b->position;
    if (n > 0 || (ready_to_read(b) && (n = fill(b)) != -1))
        result = ty_bytes_new(data_of(b) + b->position, (size_t)TY_MAX(n, 0));
    leave(b);
    return result;
}

/* The next line; limit -1: as long as it is. */
static Value read_line(Buffered *b, int64_t limit)
{
    Value parts = TY_NULL;
    for (int64_t total = 0;;) {
        int64_t ahead = b->read_end - b->position, length = limit >= 0 ? TY_MIN(ahead, limit - total) : ahead;
        const uint8_t *from = data_of(b) + b->position, *newline = length ? memchr(from, '\n', (size_t)length) : NULL;
        if (newline)
            length = newline - from + 1;
        bool whole = newline || (limit >= 0 && total + length >= limit);
        Value piece = TY_NULL;
        if (length > 0 || whole) {
            piece = ty_bytes_new(from, (size_t)length);
            if (piece == TY_NULL)
                return TY_NULL;
            b->position += length;
            total += length;
            if (whole && parts == TY_NULL)
                return piece;
            if (parts == TY_NULL && (parts = ty_list_new(0)) == TY_NULL)
                return TY_NULL;
            if (!ty_list_append(parts, piece))
                return TY_NULL;
        }
        if (whole)
            break;
        if (!ready_to_read(b))
            return TY_NULL;
        int64_t n = fill(b);
        if (n == -1)
            return TY_NULL;
        if (n <= 0)
            break;
    }
    return parts == TY_NULL ? ty_bytes_new("", 0) : concat_all(parts);
}

static Value readline(Value self, int64_t limit)
{
    Buffered *b = as_buffered(self);
    if (!open_for(b, "readline of closed file") || !enter(b))
        return TY_NULL;
    Value line = read_line(b, limit);
    leave(b);
    return line;
}

static Value buffered_readline(Value self, Value *a)
{
    int64_t limit;
    return ty_io_size(a[0], &limit) ? readline(self, limit) : TY_NULL;
}

static Value buffered_next(Value self)
{
    TyType *type = ty_type_of(self);
    Value line;
    if (type == &ty_buffered_reader_type || type == &ty_buffered_random_type) {
        line = readline(self, -1);
    } else {
        line = ty_call_method_none(self, TY_NAME("readline"));
        if (line != TY_NULL && !ty_is_bytes(line))
            return ty_raise(&ty_OSError, "readline() should have returned a bytes object, not '%T'", line);
    }
    return line == TY_NULL || ty_bytes_length(line) == 0 ? TY_NULL : line;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------- */

static int64_t append(Buffered *b, const uint8_t *data, int64_t size)
{
    int64_t n = TY_MIN(size, b->size - b->write_end);
    memcpy(data_of(b) + b->write_end, data, (size_t)n);
    b->write_end += n;
    return n;
}

/* When the buffer could not be emptied: as much as fits is taken all the same. */
static bool write_blocked(Buffered *b, const uint8_t *data, int64_t size, int64_t done)
{
    done += append(b, data + done, size - done);
    if (done == size)
        return true;
    return raise_would_block(done);
}

static bool write_all(Buffered *b, const uint8_t *data, int64_t size, Value owner)
{
    if ((b->read_end && !drop_read_ahead(b)) || !buffer_there(b))
        return false;
    if (size <= b->size - b->write_end) {
        append(b, data, size);
        return true;
    }
    if (!flush_writes(b)) {
        if (!ty_raised_is(&ty_BlockingIOError))
            return false;
        ty_clear_exception();
        return write_blocked(b, data, size, 0);
    }
    int64_t done = 0;
    while (size - done > b->size) {
        int64_t n = raw_write(b, data + done, size - done, owner);
        if (n == -1)
            return false;
        if (n == -2)
            return write_blocked(b, data, size, done);
        done += n;
        if (!ty_poll_run())
            return false;
    }
    append(b, data + done, size - done);
    return true;
}

static Value buffered_write(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    TyBuffer view;
    if (!usable(b) || !ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value result = TY_NULL;
    if (enter(b)) {
        if (open_for(b, "write to closed file") && write_all(b, view.data, view.length, a[0]))
            result = ty_int_from_int64(view.length);
        leave(b);
    }
    ty_buffer_release(&view);
    return result;
}

bool ty_buffered_write_bytes(Value self, const uint8_t *data, int64_t size, int64_t *written)
{
    Buffered *b = as_buffered(self);
    *written = 0;
    if (!usable(b) || !enter(b))
        return false;
    bool done = open_for(b, "write to closed file") && write_all(b, data, size, TY_NONE);
    leave(b);
    if (done)
        *written = size;
    return done;
}

static bool flush_locked(Buffered *b)
{
    if (b->write_end && !flush_writes(b))
        return false;
    return !b->writes || drop_read_ahead(b);
}

Value ty_buffered_flush(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    if (!open_for(b, "flush of closed file") || !enter(b))
        return TY_NULL;
    bool done = flush_locked(b);
    leave(b);
    return done ? TY_NONE : TY_NULL;
}

static Value reader_flush(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    return usable(b) ? ty_call_method_none(b->raw, TY_NAME("flush")) : TY_NULL;
}

/* --- positions ----------------------------------------------------------------------------------------------------------------------- */

static int64_t tell(Buffered *b)
{
    int64_t position = raw_tell(b);
    if (position < 0)
        return -1;
    position += b->write_end - (b->read_end - b->position);
    return TY_MAX(position, 0); /* the raw stream was moved by others */
}

static Value buffered_tell(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    if (!usable(b) || !enter(b))
        return TY_NULL;
    int64_t position = tell(b);
    leave(b);
    return position < 0 ? TY_NULL : ty_int_from_int64(position);
}

static int64_t seek(Buffered *b, int64_t offset, int whence)
{
    int64_t ahead = b->read_end - b->position;
    if (whence != SEEK_END && b->read_end > 0 && b->write_end == 0) { /* perhaps it is in the buffer */
        int64_t now = raw_tell(b);
        if (now < 0)
            return -1;
        int64_t target = whence == SEEK_SET ? offset : now - ahead + offset, in_buffer = target - (now - b->read_end);
        if (in_buffer >= 0 && in_buffer <= b->read_end) {
            b->position = in_buffer;
            return TY_MAX(target, 0); /* devices may have no positions */
        }
    }
    if (b->write_end && !flush_writes(b))
        return -1;
    if (whence == SEEK_CUR)
        offset -= ahead;
    int64_t position = raw_seek(b, offset, whence);
    if (position >= 0)
        b->position = b->read_end = 0;
    return position;
}

static Value buffered_seek(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    int32_t whence = 0;
    int64_t offset;
    if (a[1] != TY_NULL && !ty_to_int32(a[1], &whence))
        return TY_NULL;
    if (whence < 0 || (whence > 2 && whence != SEEK_HOLE && whence != SEEK_DATA))
        return ty_raise(&ty_ValueError, "whence value %d unsupported", whence);
    if (!open_for(b, "seek of closed file"))
        return TY_NULL;
    int seekable = ty_io_truth_of_method(b->raw, TY_NAME("seekable"));
    if (seekable <= 0)
        return seekable < 0 ? TY_NULL : ty_io_unsupported("File or stream is not seekable.");
    if (!ty_io_offset(a[0], &offset) || !enter(b))
        return TY_NULL;
    int64_t position = seek(b, offset, whence);
    leave(b);
    return position < 0 ? TY_NULL : ty_int_from_int64(position);
}

static Value buffered_truncate(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    Value size = a[0] == TY_NULL ? TY_NONE : a[0];
    if (!open_for(b, "truncate of closed file"))
        return TY_NULL;
    if (!b->writes)
        return ty_io_unsupported("truncate");
    if (!enter(b))
        return TY_NULL;
    Value result = TY_NULL;
    if (flush_locked(b)) {
        if (size == TY_NONE) {
            int64_t position = tell(b);
            size = position < 0 ? TY_NULL : ty_int_from_int64(position);
        }
        if (size != TY_NULL)
            result = ty_call_method_one(b->raw, TY_NAME("truncate"), size);
    }
    leave(b);
    return result;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------------------------- */

static Value buffered_dealloc_warn(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    if (b->ready && ty_call_method_one(b->raw, TY_NAME("_dealloc_warn"), a[0]) == TY_NULL)
        ty_clear_exception();
    return TY_NONE;
}

static Value buffered_close(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    if (!usable(b))
        return TY_NULL;
    int closed = is_closed(b);
    if (closed != 0)
        return closed < 0 ? TY_NULL : TY_NONE;
    if (b->finalizing) {
        Value arguments[1] = {self};
        buffered_dealloc_warn(self, arguments);
    }
    Value flushed = ty_call_method_none(self, TY_NAME("flush")); /* takes the lock itself */
    if (!enter(b))
        return TY_NULL;
    Value result = ty_io_flush_then_close(flushed, b->raw);
    leave(b);
    ty_object_set_bits(ty_object(self), TY_IO_CLOSED);
    return result;
}

static Value buffered_detach(Value self, Value *a)
{
    Buffered *b = as_buffered(self);
    if (!usable(b) || ty_call_method_none(self, TY_NAME("flush")) == TY_NULL)
        return TY_NULL;
    Value raw = b->raw;
    ty_store(b, &b->raw, TY_NULL);
    b->ready = false;
    b->detached = true;
    return raw;
}

#define FORWARD(function, method)                                            \
    static Value function(Value self, Value *a)                              \
    {                                                                        \
        Buffered *b = as_buffered(self);                                     \
        return usable(b) ? ty_call_method_none(b->raw, TY_NAME(method)) : TY_NULL; \
    }
FORWARD(buffered_seekable, "seekable")
FORWARD(buffered_readable, "readable")
FORWARD(buffered_writable, "writable")
FORWARD(buffered_fileno, "fileno")
FORWARD(buffered_isatty, "isatty")

static Value buffered_sizeof(Value self, Value *a) { return ty_int_from_int64((int64_t)sizeof(Buffered) + as_buffered(self)->size); }

static Value get_closed(Value self)
{
    Buffered *b = as_buffered(self);
    int closed = usable(b) ? is_closed(b) : -1;
    return closed < 0 ? TY_NULL : ty_from_bool(closed);
}
static Value get_name(Value self) { return usable(as_buffered(self)) ? ty_get_attribute(as_buffered(self)->raw, TY_NAME("name")) : TY_NULL; }
static Value get_mode(Value self) { return usable(as_buffered(self)) ? ty_get_attribute(as_buffered(self)->raw, TY_NAME("mode")) : TY_NULL; }
static Value buffered_repr(Value self) { return ty_io_repr_named(self, ""); }

#define COMMON_METHODS                                                                                                             \
    TY_METHOD("detach(self, /)", buffered_detach, "Separates the raw stream below and returns it."),                               \
    TY_METHOD("close(self, /)", buffered_close, "Flushes and closes, the raw stream too."),                                        \
    TY_METHOD("seekable(self, /)", buffered_seekable, NULL), TY_METHOD("fileno(self, /)", buffered_fileno, NULL),                  \
    TY_METHOD("isatty(self, /)", buffered_isatty, NULL), TY_METHOD("_dealloc_warn(self, source, /)", buffered_dealloc_warn, NULL), \
    TY_METHOD("seek(self, target, whence=0, /)", buffered_seek, NULL), TY_METHOD("tell(self, /)", buffered_tell, NULL),            \
    TY_METHOD("truncate(self, pos=None, /)", buffered_truncate, NULL), TY_METHOD("__sizeof__(self, /)", buffered_sizeof, NULL),    \
    TY_METHOD("__getstate__(self, /)", ty_io_cannot_pickle, NULL)
#define READING_METHODS                                                                                                  \
    TY_METHOD("readable(self, /)", buffered_readable, NULL),                                                             \
    TY_METHOD("read(self, size=-1, /)", buffered_read, "Reads size bytes, or until the end."),                           \
    TY_METHOD("read1(self, size=-1, /)", buffered_read1, "Reads at most size bytes with at most one read of the raw stream."), \
    TY_METHOD("readinto(self, buffer, /)", buffered_readinto, NULL), TY_METHOD("readinto1(self, buffer, /)", buffered_readinto1, NULL), \
    TY_METHOD("readline(self, size=-1, /)", buffered_readline, "The next line, at most size bytes of it."),              \
    TY_METHOD("peek(self, size=0, /)", buffered_peek, "What is buffered, without moving on; at most one read of the raw stream.")
#define WRITING_METHODS                                      \
    TY_METHOD("writable(self, /)", buffered_writable, NULL), \
    TY_METHOD("write(self, buffer, /)", buffered_write, "Buffers bytes to be written and returns their number.")

static const TyNativeDef reader_methods[] = {COMMON_METHODS, READING_METHODS, TY_METHOD("flush(self, /)", reader_flush, NULL), {0}};
static const TyNativeDef writer_methods[] = {COMMON_METHODS, WRITING_METHODS, TY_METHOD("flush(self, /)", ty_buffered_flush, "Writes what is buffered."), {0}};
static const TyNativeDef random_methods[] = {COMMON_METHODS, READING_METHODS, WRITING_METHODS,
                                             TY_METHOD("flush(self, /)", ty_buffered_flush, "Writes what is buffered."), {0}};

static const TyGetSetDef getsets[] = {
    {"closed", get_closed, NULL, NULL}, {"name", get_name, NULL, NULL}, {"mode", get_mode, NULL, NULL}, {0},
};
static const TyMemberDef members[] = {
    {"raw", TY_MEMBER_VALUE, false, offsetof(Buffered, raw), "The raw stream below."},
    {"_finalizing", TY_MEMBER_BOOL, true, offsetof(Buffered, finalizing), NULL},
    {0},
};

#define BUFFERED_TYPE(variable, name_, doc_, init_, methods_, next_)                                                                  \
    TyType variable = {                                                                                                               \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                                       \
        .layout = {.size = sizeof(Buffered), .trace = trace},                                                                         \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,                                                                           \
        .name = "_io." name_,                                                                                                         \
        .doc = doc_,                                                                                                                  \
        .parent = &ty_buffered_io_base_type,                                                                                          \
        .slots = {.repr = buffered_repr, .new = ty_io_allocate, .init = init_, .next = next_},                                        \
        .methods = methods_,                                                                                                          \
        .getsets = getsets,                                                                                                           \
        .members = members,                                                                                                           \
    }
BUFFERED_TYPE(ty_buffered_reader_type, "BufferedReader", "BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer that reads ahead of a raw stream.", reader_init, reader_methods, buffered_next);
BUFFERED_TYPE(ty_buffered_writer_type, "BufferedWriter", "BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer of what is to be written to a raw stream.", writer_init, writer_methods, NULL);
BUFFERED_TYPE(ty_buffered_random_type, "BufferedRandom", "BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer for reading and writing a raw stream that can seek.", random_init, random_methods, buffered_next);

/* --- BufferedRWPair --------------------------------------------------------------------------------------------------------------------------- */

typedef struct Pair {
    TyIOBase io;
    Value reader, writer;
} Pair;

static Pair *as_pair(Value v) { return (Pair *)ty_object(v); }

static void pair_trace(TyObject *self, TyMarker *marker)
{
    ty_io_base_trace(self, marker);
    ty_mark(marker, ((Pair *)self)->reader);
    ty_mark(marker, ((Pair *)self)->writer);
}

static bool pair_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)");
    Value a[3];
    int64_t size = TY_IO_BUFFER_SIZE;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a) || (a[2] != TY_NULL && !ty_to_size(a[2], &size)))
        return false;
    if (!require(a[0], TY_NAME("readable"), "File or stream is not readable.") || !require(a[1], TY_NAME("writable"), "File or stream is not writable."))
        return false;
    Value reader = ty_buffered_new(&ty_buffered_reader_type, a[0], size), writer = reader == TY_NULL ? TY_NULL : ty_buffered_new(&ty_buffered_writer_type, a[1], size);
    if (writer == TY_NULL)
        return false;
    ty_store(as_pair(self), &as_pair(self)->reader, reader);
    ty_store(as_pair(self), &as_pair(self)->writer, writer);
    return true;
}

static Value forward(Value target, const char *method, const Value *arguments, size_t count)
{
    if (target == TY_NULL)
        return ty_raise(&ty_ValueError, "I/O operation on uninitialized object");
    return ty_call_method(target, ty_intern_text(method), arguments, count);
}

#define PAIR_FORWARD(name, part, count) \
    static Value pair_##name(Value self, Value *a) { return forward(as_pair(self)->part, #name, a, (count) && a[0] != TY_NULL ? 1 : 0); }
PAIR_FORWARD(read, reader, 1)
PAIR_FORWARD(read1, reader, 1)
PAIR_FORWARD(peek, reader, 1)
PAIR_FORWARD(readinto, reader, 1)
PAIR_FORWARD(readinto1, reader, 1)
PAIR_FORWARD(readable, reader, 0)
PAIR_FORWARD(write, writer, 1)
PAIR_FORWARD(flush, writer, 0)
PAIR_FORWARD(writable, writer, 0)

static Value pair_close(Value self, Value *a)
{
    Pair *pair = as_pair(self);
    Value closed = forward(pair->writer, "close", NULL, 0);
    if (pair->reader == TY_NULL)
        return TY_NULL;
    return ty_io_flush_then_close(closed, pair->reader);
}

static Value pair_isatty(Value self, Value *a)
{
    Value result = forward(as_pair(self)->writer, "isatty", NULL, 0);
    return result == TY_FALSE ? forward(as_pair(self)->reader, "isatty", NULL, 0) : result;
}

static Value pair_closed(Value self)
{
    if (as_pair(self)->writer == TY_NULL)
        return ty_raise(&ty_RuntimeError, "the BufferedRWPair object is being garbage-collected");
    return ty_get_attribute(as_pair(self)->writer, TY_NAME("closed"));
}

static const TyNativeDef pair_methods[] = {
    TY_METHOD("read(self, size=-1, /)", pair_read, NULL),
    TY_METHOD("peek(self, size=0, /)", pair_peek, NULL),
    TY_METHOD("read1(self, size=-1, /)", pair_read1, NULL),
    TY_METHOD("readinto(self, buffer, /)", pair_readinto, NULL),
    TY_METHOD("readinto1(self, buffer, /)", pair_readinto1, NULL),
    TY_METHOD("write(self, buffer, /)", pair_write, NULL),
    TY_METHOD("flush(self, /)", pair_flush, NULL),
    TY_METHOD("readable(self, /)", pair_readable, NULL),
    TY_METHOD("writable(self, /)", pair_writable, NULL),
    TY_METHOD("close(self, /)", pair_close, NULL),
    TY_METHOD("isatty(self, /)", pair_isatty, NULL),
    {0},
};

static const TyGetSetDef pair_getsets[] = {{"closed", pair_closed, NULL, NULL}, {0}};

TyType ty_buffered_pair_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Pair), .trace = pair_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.BufferedRWPair",
    .doc = "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\nOne stream made of a reader and a writer, of a pipe or socket for example.",
    .parent = &ty_buffered_io_base_type,
    .slots = {.new = ty_io_allocate, .init = pair_init},
    .methods = pair_methods,
    .getsets = pair_getsets,
};
