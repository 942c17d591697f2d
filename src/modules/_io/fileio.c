/* FileIO: a file descriptor as a raw stream. */
#include "modules/_io/io.h"
#include "object/int.h"
#include "object/tuple.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_MAX 0x7FFFF000 /* the most that Linux transfers in one call */

static TyFileIO *as_file(Value v) { return (TyFileIO *)ty_object(v); }
bool ty_fileio_is_exact(Value v) { return ty_is_exact(v, &ty_fileio_type); }

static Value closed_error(void) { return ty_raise(&ty_ValueError, "I/O operation on closed file"); }
static Value mode_error(const char *action) { return ty_raise(&ty_UnsupportedOperation, "File not open for %s", action); }

/* --- opening ------------------------------------------------------------------------------------------------------------- */

static bool parse_mode(TyFileIO *file, const char *mode, int *flags)
{
    int kinds = 0;
    bool plus = false, good = true;
    *flags = O_CLOEXEC;
    file->created = file->readable = file->writable = file->appending = false;
    for (const char *p = mode; *p && good; p++) {
        switch (*p) {
        case 'x': kinds++; file->created = file->writable = true; *flags |= O_EXCL | O_CREAT; break;
        case 'r': kinds++; file->readable = true; break;
        case 'w': kinds++; file->writable = true; *flags |= O_CREAT | O_TRUNC; break;
        case 'a': kinds++; file->writable = file->appending = true; *flags |= O_APPEND | O_CREAT; break;
        case '+': good = !plus; plus = true; break;
        case 'b': break;
        default: ty_raise(&ty_ValueError, "invalid mode: %.200s", mode); return false;
        }
        good = good && kinds <= 1;
    }
    if (!good || kinds != 1) {
        ty_raise(&ty_ValueError, "Must have exactly one of create/read/write/append mode and at most one plus");
        return false;
    }
    if (plus)
        file->readable = file->writable = true;
    *flags |= file->readable && file->writable ? O_RDWR : file->readable ? O_RDONLY : O_WRONLY;
    return true;
}

/* The path in the file system's encoding, kept by *holder; NULL with an exception. */
static const char *path_text(Value path, Value *holder)
{
    Value bytes = path;
    if (!ty_is_str(path) && !ty_is_bytes(path)) {
        Value method = ty_lookup_special(path, TY_NAME("__fspath__"));
        if (method == TY_NULL || method == TY_NONE) {
            if (!ty_raised())
                ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", path);
            return NULL;
        }
        bytes = ty_call_none(method);
        if (bytes == TY_NULL)
            return NULL;
        if (!ty_is_str(bytes) && !ty_is_bytes(bytes)) {
            ty_raise(&ty_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", path, bytes);
            return NULL;
        }
    }
    bool text = ty_is_str(bytes);
    if (text && (bytes = ty_str_encode_fs(bytes)) == TY_NULL)
        return NULL;
    if (memchr(ty_bytes_data(bytes), 0, (size_t)ty_bytes_length(bytes))) {
        ty_raise(&ty_ValueError, text ? "embedded null character" : "embedded null byte");
        return NULL;
    }
    *holder = bytes;
    return (const char *)ty_bytes_data(bytes);
}

static int open_path(Value name, const char *path, int flags)
{
    for (bool collected = false;;) {
        ty_blocking_begin();
        int fd = open(path, flags, 0666), error = errno;
        ty_blocking_end();
        if (fd >= 0)
            return fd;
        bool full = (error == EMFILE || error == ENFILE) && !collected;
        if (full) { /* files that were forgotten but not yet collected may make room */
            collected = true;
            ty_heap_collect();
        } else if (error != EINTR) {
            ty_raise_errno(&ty_OSError, error, name, TY_NULL);
            return -1;
        }
        if (!ty_poll_run())
            return -1;
    }
}

static int open_with(Value opener, Value name, int flags)
{
    Value result = ty_call_two(opener, name, ty_from_immediate_int(flags));
    if (result == TY_NULL)
        return -1;
    if (!ty_is_int(result)) {
        ty_raise(&ty_TypeError, "expected integer from opener");
        return -1;
    }
    int32_t fd;
    if (!ty_to_int32(result, &fd))
        return -1;
    if (fd < 0) {
        ty_raise(&ty_ValueError, "opener returned %d", fd);
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
        return -1;
    }
    return fd;
}

/* The descriptor for a name, whatever kind of name it is. *own: it was opened here. */
static int obtain(TyFileIO *file, Value name, Value opener, const char *mode, int flags, bool *own)
{
    *own = false;
    if (ty_is_int(name) || (!ty_is_str(name) && !ty_is_bytes(name) && ty_has_index(name))) {
        int32_t fd;
        if (ty_is_instance_of(name, &ty_bool_type) && !ty_warn(&ty_RuntimeWarning, 1, "bool is used as a file descriptor"))
            return -1;
        if (!ty_to_int32(name, &fd))
            return -1;
        if (fd < 0) {
            ty_raise(&ty_ValueError, "negative file descriptor");
            return -1;
        }
        return fd;
    }
    Value holder;
    const char *path = path_text(name, &holder);
    if (!path)
        return -1;
    if (!file->closefd) {
        ty_raise(&ty_ValueError, "Cannot use closefd=False with file name");
        return -1;
    }
    if (!ty_audit("open", "Vsi", name, mode, flags))
        return -1;
    *own = true;
    return opener != TY_NULL && opener != TY_NONE ? open_with(opener, name, flags) : open_path(name, path, flags);
}

static bool close_descriptor(TyFileIO *file)
{
    int fd = atomic_exchange(&file->fd, -1);
    if (fd < 0 || !file->closefd)
        return true;
    ty_blocking_begin();
    int status = close(fd);
    ty_blocking_end();
    if (status < 0 && errno != EINTR) {
        ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
        return false;
    }
    return true;
}

static bool inspect(TyFileIO *file, Value name, bool own)
{
    struct stat status;
    int fd = ty_load_relaxed(&file->fd), error = 0;
    file->block_size = TY_IO_BUFFER_SIZE;
    file->known_size = -1;
    if (fstat(fd, &status) < 0)
        error = errno == EBADF ? EBADF : 0;
    else if (S_ISDIR(status.st_mode))
        error = EISDIR;
    else {
        if (status.st_blksize > 1)
            file->block_size = status.st_blksize;
        if (S_ISREG(status.st_mode))
            file->known_size = status.st_size;
    }
    if (!error)
        return true;
    if (!own)
        ty_store_relaxed(&file->fd, -1);
    else
        close_descriptor(file);
    ty_clear_exception();
    ty_raise_errno(&ty_OSError, error, name, TY_NULL);
    return false;
}

static bool file_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("FileIO(file, mode='r', closefd=True, opener=None)");
    Value a[4], holder = TY_NULL;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    TyFileIO *file = as_file(self);
    const char *mode = "r";
    bool closefd = true, own;
    size_t size;
    int flags;
    if (a[1] != TY_NULL) {
        if (!ty_is_str(a[1])) {
            ty_raise(&ty_TypeError, "FileIO() argument 'mode' must be str, not %T", a[1]);
            return false;
        }
        if (!(mode = ty_str_utf8(a[1], &size, &holder)))
            return false;
        if (strlen(mode) != size) {
            ty_raise(&ty_ValueError, "embedded null character");
            return false;
        }
    }
    if (a[2] != TY_NULL && !ty_to_bool(a[2], &closefd))
        return false;
    if (!close_descriptor(file)) /* initialised again */
        return false;
    file->closefd = closefd;
    ty_store_relaxed(&file->seekable, -1);
    if (!parse_mode(file, mode, &flags))
        return false;
    int fd = obtain(file, a[0], a[3], mode, flags, &own);
    if (fd < 0)
        return false;
    ty_store_relaxed(&file->fd, fd);
    if (!inspect(file, a[0], own))
        return false;
    if (!ty_set_attribute(self, TY_NAME("name"), a[0])) {
        if (!own)
            ty_store_relaxed(&file->fd, -1);
        return false;
    }
    if (file->appending && ty_fileio_seek(file, 0, SEEK_END) < 0) {
        if (!ty_raised_is(&ty_OSError))
            return false;
        ty_clear_exception(); /* a pipe has no end */
    }
    return true;
}

static Value file_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value self = ty_type_allocate(type, 0);
    if (self == TY_NULL)
        return TY_NULL;
    TyFileIO *file = as_file(self);
    ty_store_relaxed(&file->fd, -1);
    ty_store_relaxed(&file->seekable, -1);
    file->closefd = true;
    return self;
}

/* --- transfer ---------------------------------------------------------------------------------------------------------------- */

/* After a failed call: true to try again; else *result is -1 with the error raised, or -2 for "would block". */
static bool retry(int error, int64_t *result)
{
    if (error == EINTR) {
        *result = -1;
        return ty_poll_run();
    }
    if (error == EAGAIN) {
        *result = -2;
        return false;
    }
    ty_raise_errno(&ty_OSError, error, TY_NULL, TY_NULL);
    *result = -1;
    return false;
}

static int open_descriptor(TyFileIO *file)
{
    int fd = ty_load_relaxed(&file->fd);
    if (fd < 0)
        closed_error();
    return fd;
}

int64_t ty_fileio_read_into(TyFileIO *file, void *data, int64_t size)
{
    int fd = open_descriptor(file);
    if (fd < 0)
        return -1;
    if (!file->readable) {
        mode_error("reading");
        return -1;
    }
    for (;;) {
        ty_blocking_begin();
        int64_t n = read(fd, data, (size_t)TY_MIN(size, CHUNK_MAX));
        int error = errno;
        ty_blocking_end();
        if (n >= 0 || !retry(error, &n))
            return n;
    }
}

int64_t ty_fileio_write_from(TyFileIO *file, const void *data, int64_t size)
{
    int fd = open_descriptor(file);
    if (fd < 0)
        return -1;
    if (!file->writable) {
        mode_error("writing");
        return -1;
    }
    for (;;) {
        ty_blocking_begin();
        int64_t n = ty_io_write(fd, data, (size_t)TY_MIN(size, CHUNK_MAX));
        int error = errno;
        ty_blocking_end();
        if (n >= 0 || !retry(error, &n))
            return n;
    }
}

int64_t ty_fileio_seek(TyFileIO *file, int64_t offset, int whence)
{
    int fd = open_descriptor(file);
    if (fd < 0)
        return -1;
    ty_blocking_begin();
    int64_t position = lseek(fd, offset, whence);
    int error = errno;
    ty_blocking_end();
    if (ty_load_relaxed(&file->seekable) < 0)
        ty_store_relaxed(&file->seekable, position >= 0);
    if (position < 0) {
        ty_raise_errno(&ty_OSError, error, TY_NULL, TY_NULL);
        return -1;
    }
    return position;
}

static Value count_or_none(int64_t n) { return n == -1 ? TY_NULL : n == -2 ? TY_NONE : ty_int_from_int64(n); }

static Value file_readinto(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    TyBuffer view;
    if (open_descriptor(file) < 0)
        return TY_NULL;
    if (!file->readable)
        return mode_error("reading");
    if (!ty_io_writable(a[0], &view))
        return TY_NULL;
    int64_t n = ty_fileio_read_into(file, view.data, view.length);
    ty_buffer_release(&view);
    return count_or_none(n);
}

static Value file_write(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    TyBuffer view;
    if (open_descriptor(file) < 0)
        return TY_NULL;
    if (!file->writable)
        return mode_error("writing");
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    int64_t n = ty_fileio_write_from(file, view.data, view.length);
    ty_buffer_release(&view);
    return count_or_none(n);
}

static Value file_read(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    int64_t size;
    if (open_descriptor(file) < 0)
        return TY_NULL;
    if (!file->readable)
        return mode_error("reading");
    if (!ty_io_size(a[0], &size))
        return TY_NULL;
    if (size < 0)
        return ty_call_method_none(self, TY_NAME("readall"));
    Value bytes = ty_bytes_new(NULL, (size_t)TY_MIN(size, CHUNK_MAX));
    if (bytes == TY_NULL)
        return TY_NULL;
    int64_t n = ty_fileio_read_into(file, ty_as_bytes(bytes)->data, ty_bytes_length(bytes));
    return n < 0 ? count_or_none(n) : ty_bytes_shrink(bytes, (size_t)n);
}

Value ty_fileio_readall(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    int fd = open_descriptor(file);
    if (fd < 0)
        return TY_NULL;
    if (!file->readable)
        return mode_error("reading");
    /* The size of a regular file tells how much there is; one byte more shows its end. */
    int64_t capacity = TY_IO_BUFFER_SIZE, length = 0;
    struct stat status;
    if (file->known_size >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        int64_t position = lseek(fd, 0, SEEK_CUR);
        if (position >= 0)
            capacity = status.st_size > position ? status.st_size - position + 1 : 1024;
    }
    Value bytes = ty_bytes_new(NULL, (size_t)capacity);
    while (bytes != TY_NULL) {
        if (length == capacity) {
            capacity += capacity < (64 << 20) ? capacity : capacity / 4;
            Value larger = ty_bytes_new(NULL, (size_t)capacity);
            if (larger == TY_NULL)
                return TY_NULL;
            memcpy(ty_as_bytes(larger)->data, ty_bytes_data(bytes), (size_t)length);
            bytes = larger;
        }
        int64_t n = ty_fileio_read_into(file, ty_as_bytes(bytes)->data + length, capacity - length);
        if (n == -1)
            return TY_NULL;
        if (n == -2 && length == 0)
            return TY_NONE;
        if (n <= 0)
            break;
        length += n;
    }
    return bytes == TY_NULL ? TY_NULL : ty_bytes_shrink(bytes, (size_t)length);
}

/* --- the rest --------------------------------------------------------------------------------------------------------------------- */

static Value file_seek(Value self, Value *a)
{
    int64_t offset;
    int32_t whence = 0;
    if (open_descriptor(as_file(self)) < 0)
        return TY_NULL;
    if (ty_is_float(a[0]))
        return ty_raise(&ty_TypeError, "an integer is required");
    if (!ty_io_offset(a[0], &offset) || (a[1] != TY_NULL && !ty_to_int32(a[1], &whence)))
        return TY_NULL;
    int64_t position = ty_fileio_seek(as_file(self), offset, whence);
    return position < 0 ? TY_NULL : ty_int_from_int64(position);
}

static Value file_tell(Value self, Value *a)
{
    int64_t position = ty_fileio_seek(as_file(self), 0, SEEK_CUR);
    return position < 0 ? TY_NULL : ty_int_from_int64(position);
}

static Value file_truncate(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    int64_t size;
    if (open_descriptor(file) < 0)
        return TY_NULL;
    if (!file->writable)
        return mode_error("writing");
    if (a[0] == TY_NULL || a[0] == TY_NONE) {
        size = ty_fileio_seek(file, 0, SEEK_CUR);
        if (size < 0)
            return TY_NULL;
    } else if (!ty_io_offset(a[0], &size)) {
        return TY_NULL;
    }
    for (;;) {
        ty_blocking_begin();
        int status = ftruncate(ty_load_relaxed(&file->fd), size);
        int error = errno;
        ty_blocking_end();
        int64_t unused;
        if (status == 0)
            return ty_int_from_int64(size);
        if (!retry(error == EAGAIN ? EIO : error, &unused))
            return TY_NULL;
    }
}

static Value file_seekable(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    if (open_descriptor(file) < 0)
        return TY_NULL;
    if (ty_load_relaxed(&file->seekable) < 0 && ty_fileio_seek(file, 0, SEEK_CUR) < 0)
        ty_clear_exception();
    return ty_from_bool(ty_load_relaxed(&file->seekable) > 0);
}

static Value file_readable(Value self, Value *a) { return open_descriptor(as_file(self)) < 0 ? TY_NULL : ty_from_bool(as_file(self)->readable); }
static Value file_writable(Value self, Value *a) { return open_descriptor(as_file(self)) < 0 ? TY_NULL : ty_from_bool(as_file(self)->writable); }

static Value file_fileno(Value self, Value *a)
{
    int fd = open_descriptor(as_file(self));
    return fd < 0 ? TY_NULL : ty_from_immediate_int(fd);
}

static Value file_isatty(Value self, Value *a)
{
    int fd = open_descriptor(as_file(self));
    return fd < 0 ? TY_NULL : ty_from_bool(isatty(fd));
}

static Value file_dealloc_warn(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    if (ty_load_relaxed(&file->fd) >= 0 && file->closefd) {
        Value raised = ty_take_exception();
        if (!ty_warn(&ty_ResourceWarning, 1, "unclosed file %R", a[0]))
            ty_write_unraisable(self, NULL);
        ty_restore_exception(raised);
    }
    return TY_NONE;
}

static Value file_close(Value self, Value *a)
{
    TyFileIO *file = as_file(self);
    Value base = ty_type_lookup(&ty_raw_io_base_type, TY_NAME("close")), first = TY_NULL;
    if (base != TY_NULL && ty_call_one(base, self) == TY_NULL) /* flushes, as a subclass or the object itself may define that */
        first = ty_take_exception();
    ty_object_set_bits(ty_object(self), TY_IO_CLOSED);
    if (file->finalizing && file->closefd) {
        Value arguments[1] = {self};
        file_dealloc_warn(self, arguments);
    }
    bool closed = close_descriptor(file);
    if (first != TY_NULL) {
        ty_clear_exception();
        ty_restore_exception(first);
        return TY_NULL;
    }
    return closed ? TY_NONE : TY_NULL;
}

static const char *mode_text(TyFileIO *file)
{
    if (file->created)
        return file->readable ? "xb+" : "xb";
    if (file->appending)
        return file->readable ? "ab+" : "ab";
    return file->readable ? (file->writable ? "rb+" : "rb") : "wb";
}

static Value file_repr(Value self)
{
    TyFileIO *file = as_file(self);
    int fd = ty_load_relaxed(&file->fd);
    bool failed;
    if (fd < 0)
        return ty_str_format("<%N [closed]>", self);
    Value name = ty_get_attribute_or_null(self, TY_NAME("name"), &failed);
    if (name == TY_NULL) {
        ty_clear_exception();
        return ty_str_format("<%N fd=%d mode='%s' closefd=%s>", self, fd, mode_text(file), file->closefd ? "True" : "False");
    }
    return ty_str_format("<%N name=%R mode='%s' closefd=%s>", self, name, mode_text(file), file->closefd ? "True" : "False");
}

static const TyNativeDef file_methods[] = {
    TY_METHOD("read(self, size=-1, /)", file_read, "Reads at most size bytes, with one system call; None if none are there yet, b'' at the end."),
    TY_METHOD("readall(self, /)", ty_fileio_readall, "Reads until the end; None if nothing is there yet."),
    TY_METHOD("readinto(self, buffer, /)", file_readinto, "Reads into the buffer; returns the number of bytes, or None if none are there yet."),
    TY_METHOD("write(self, b, /)", file_write, "Writes bytes with one system call and returns how many were written; None if it\nwould block."),
    TY_METHOD("seek(self, pos, whence=0, /)", file_seek, "Changes the position: it counts from the start (whence 0), from the current\nposition (1) or from the end (2). Returns the new position."),
    TY_METHOD("tell(self, /)", file_tell, "The current position."),
    TY_METHOD("truncate(self, size=None, /)", file_truncate, "Makes the file that long, by default up to the current position, and returns the size."),
    TY_METHOD("close(self, /)", file_close, "Closes the descriptor, unless it was given with closefd=False."),
    TY_METHOD("seekable(self, /)", file_seekable, "Whether it has positions to seek."),
    TY_METHOD("readable(self, /)", file_readable, "Whether it was opened for reading."),
    TY_METHOD("writable(self, /)", file_writable, "Whether it was opened for writing."),
    TY_METHOD("fileno(self, /)", file_fileno, "The file descriptor."),
    TY_METHOD("isatty(self, /)", file_isatty, "Whether it is a terminal."),
    TY_METHOD("_isatty_open_only(self, /)", file_isatty, "isatty() for open() alone."),
    TY_METHOD("_dealloc_warn(self, object, /)", file_dealloc_warn, NULL),
    TY_METHOD("__getstate__(self, /)", ty_io_cannot_pickle, NULL),
    {0},
};

static Value get_closed(Value self) { return ty_from_bool(ty_load_relaxed(&as_file(self)->fd) < 0); }
static Value get_closefd(Value self) { return ty_from_bool(as_file(self)->closefd); }
static Value get_mode(Value self) { return ty_str_from_text(mode_text(as_file(self))); }
static Value get_block_size(Value self) { return ty_int_from_int64(as_file(self)->block_size); }

static const TyGetSetDef file_getsets[] = {
    {"closed", get_closed, NULL, "True if the file is closed"},
    {"closefd", get_closefd, NULL, "Whether the descriptor will be closed with it."},
    {"mode", get_mode, NULL, "The mode as a string."},
    {"_blksize", get_block_size, NULL, "The block size that the file system prefers."},
    {0},
};

static const TyMemberDef file_members[] = {
    {"_finalizing", TY_MEMBER_BOOL, true, offsetof(TyFileIO, finalizing), NULL},
    {0},
};

TyType ty_fileio_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyFileIO)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.FileIO",
    .doc = "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nA file as a raw stream of bytes; file is a path or a descriptor.",
    .parent = &ty_raw_io_base_type,
    .slots = {.repr = file_repr, .new = file_new, .init = file_init},
    .methods = file_methods,
    .getsets = file_getsets,
    .members = file_members,
};
