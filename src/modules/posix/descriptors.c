/* Calls on open descriptors beyond reading and writing one buffer: several buffers, the kernel's own copying, locks, events, timers; and extended attributes
 * of files. */
#include "modules/posix/posix.h"
#include "modules/descriptor.h"
#include "object/buffer.h"
#include "object/bytes_parts.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <limits.h>
#include <unistd.h>

#define INT(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL
#define OFFSET(v, name) int64_t name; if (!ty_to_int64(v, &name)) return TY_NULL

static Value count_or_error(ssize_t result)
{
    return result >= 0 ? ty_int_from_int64(result) : ty_raised() ? TY_NULL : ty_posix_error(NULL);
}
static Value done(long result) { return result >= 0 ? TY_NONE : ty_raised() ? TY_NULL : ty_posix_error(NULL); }

/* --- several buffers ------------------------------------------------------------------------------------------------------------- */

/* The views of a sequence of buffers. They lie outside of the heap: `kept`, which is to be kept in a local, has what they need. */
typedef struct Vector {
    struct iovec *entries;
    TyBuffer *views;
    int count;
    Value kept;
} Vector;

static void vector_release(Vector *vector)
{
    for (int i = 0; i < vector->count; i++)
        ty_buffer_release(&vector->views[i]);
    free(vector->views);
    free(vector->entries);
}

static bool vector_take(Value buffers, int flags, Vector *vector)
{
    vector->kept = ty_sequence_list(buffers);
    if (vector->kept == TY_NULL)
        return false;
    int64_t count = ty_list_length(vector->kept);
    if (count > INT_MAX) {
        ty_raise(&ty_OverflowError, "too many buffers");
        return false;
    }
    vector->count = 0;
    vector->entries = calloc((size_t)count + 1, sizeof *vector->entries);
    vector->views = calloc((size_t)count + 1, sizeof *vector->views);
    if (!vector->entries || !vector->views) {
        vector_release(vector);
        ty_raise_memory_error();
        return false;
    }
    for (; vector->count < count; vector->count++) {
        TyBuffer *view = &vector->views[vector->count];
        Value one = ty_list_item(vector->kept, vector->count);
        if (one == TY_NULL || !ty_buffer_get(one, view, flags)) {
            vector_release(vector);
            return false;
        }
        vector->entries[vector->count] = (struct iovec){view->data, (size_t)view->length};
        Value both = ty_tuple_pack(2, one, view->exporter);
        if (both == TY_NULL || !ty_list_set(vector->kept, vector->count, both)) {
            vector->count++;
            vector_release(vector);
            return false;
        }
    }
    return true;
}

static Value transfer(Value *a, const char *name, int buffer_flags, bool at_offset)
{
    INT(a[0], fd);
    int64_t offset = 0;
    int32_t flags = 0;
    Vector vector;
    ssize_t result;
    if (!ty_is_sequence(a[1]))
        return ty_raise(&ty_TypeError, "%s() arg 2 must be a sequence", name);
    if (at_offset && (!ty_to_int64(a[2], &offset) || (a[3] != TY_NULL && !ty_to_int32(a[3], &flags))))
        return TY_NULL;
    if (!vector_take(a[1], buffer_flags, &vector))
        return TY_NULL;
    Value kept = vector.kept;
    if (buffer_flags == TY_BUFFER_WRITABLE)
        TY_RETRY(result, !at_offset ? readv(fd, vector.entries, vector.count) : preadv2(fd, vector.entries, vector.count, offset, flags));
    else
        TY_RETRY(result, !at_offset ? writev(fd, vector.entries, vector.count) : pwritev2(fd, vector.entries, vector.count, offset, flags));
    __asm__ volatile("" : : "r"(kept));
    int error = errno;
    vector_release(&vector);
    errno = error;
    return count_or_error(result);
}

static Value posix_readv(Value self, Value *a) { return transfer(a, "readv", TY_BUFFER_WRITABLE, false); }
static Value posix_writev(Value self, Value *a) { return transfer(a, "writev", TY_BUFFER_SIMPLE, false); }
static Value posix_preadv(Value self, Value *a) { return transfer(a, "preadv", TY_BUFFER_WRITABLE, true); }
static Value posix_pwritev(Value self, Value *a) { return transfer(a, "pwritev", TY_BUFFER_SIMPLE, true); }

/* --- copying inside the kernel --------------------------------------------------------------------------------------------------- */

static Value posix_sendfile(Value self, Value *a)
{
    INT(a[0], out);
    INT(a[1], in);
    int64_t count;
    off_t offset = 0;
    ssize_t result;
    if ((a[2] != TY_NONE && !ty_to_int64(a[2], &offset)) || !ty_to_size(a[3], &count))
        return TY_NULL;
    off_t *from = a[2] == TY_NONE ? NULL : &offset;
    TY_RETRY(result, sendfile(out, in, from, (size_t)count));
    return count_or_error(result);
}

/* An offset that may be None: then *place is NULL, and the descriptor's own is used. */
static bool optional_offset(Value v, loff_t *offset, loff_t **place)
{
    *place = NULL;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    int64_t number;
    if (!ty_to_int64(v, &number))
        return false;
    *offset = number;
    *place = offset;
    return true;
}

static Value copy_between(Value *a, bool pipes)
{
    INT(a[0], from);
    INT(a[1], to);
    int64_t count;
    loff_t offsets[2], *places[2];
    uint32_t flags = 0;
    uint64_t wide = 0;
    ssize_t result;
    if (!ty_to_size(a[2], &count) || !optional_offset(a[3], &offsets[0], &places[0]) || !optional_offset(a[4], &offsets[1], &places[1]) ||
        (pipes && a[5] != TY_NULL && !ty_to_uint64_mask(a[5], &wide)))
        return TY_NULL;
    flags = (uint32_t)wide;
    if (count < 0)
        return ty_raise(&ty_ValueError, "negative value for 'count' not allowed");
    if (pipes)
        TY_RETRY(result, splice(from, places[0], to, places[1], (size_t)count, flags));
    else
        TY_RETRY(result, copy_file_range(from, places[0], to, places[1], (size_t)count, 0));
    return count_or_error(result);
}
static Value posix_copy_file_range(Value self, Value *a) { return copy_between(a, false); }
static Value posix_splice(Value self, Value *a) { return copy_between(a, true); }

/* --- files ------------------------------------------------------------------------------------------------------------------------- */

static Value posix_lockf(Value self, Value *a)
{
    INT(a[0], fd);
    INT(a[1], command);
    OFFSET(a[2], length);
    int result;
    TY_RETRY(result, lockf(fd, command, length));
    return done(result);
}

/* These give the error's number instead of setting errno. */
static Value advise(Value *a, bool allocate)
{
    INT(a[0], fd);
    OFFSET(a[1], offset);
    OFFSET(a[2], length);
    int32_t advice = 0;
    if (!allocate && !ty_to_int32(a[3], &advice))
        return TY_NULL;
    int error;
    do {
        ty_blocking_begin();
        error = allocate ? posix_fallocate(fd, offset, length) : posix_fadvise(fd, offset, length, advice);
        ty_blocking_end();
    } while (error == EINTR && ty_poll_run());
    errno = error;
    return error ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : TY_NONE;
}
static Value posix_advise(Value self, Value *a) { return advise(a, false); }
static Value posix_allocate(Value self, Value *a) { return advise(a, true); }

static Value posix_fchown(Value self, Value *a)
{
    INT(a[0], fd);
    uint32_t user, group;
    int result;
    if (!ty_posix_uid(a[1], &user) || !ty_posix_gid(a[2], &group))
        return TY_NULL;
    TY_RETRY(result, fchown(fd, user, group));
    return done(result);
}

static Value posix_mknod(Value self, Value *a)
{
    TyPath path;
    int fd, result;
    int32_t mode = 0600;
    uint64_t device = 0;
    if (!ty_path(a[0], "mknod", false, false, &path) || (a[1] != TY_NULL && !ty_to_int32(a[1], &mode)) || (a[2] != TY_NULL && !ty_to_uint64(a[2], &device)) ||
        !ty_dir_fd(a[3], &fd))
        return TY_NULL;
    TY_RETRY(result, mknodat(fd, path.text, (mode_t)mode, (dev_t)device));
    return done(result);
}

static Value posix_sync(Value self, Value *a)
{
    ty_blocking_begin();
    sync();
    ty_blocking_end();
    return TY_NONE;
}

static Value posix_memfd_create(Value self, Value *a)
{
    TyPath name;
    uint64_t flags = MFD_CLOEXEC;
    if (!ty_path(a[0], "memfd_create", false, false, &name) || (a[1] != TY_NULL && !ty_to_uint64_mask(a[1], &flags)))
        return TY_NULL;
    return count_or_error(memfd_create(name.text, (unsigned)flags));
}

/* --- events and timers ---------------------------------------------------------------------------------------------------------------- */

static Value posix_eventfd(Value self, Value *a)
{
    uint64_t initial;
    int32_t flags = EFD_CLOEXEC;
    if (!ty_has_index(a[0]))
        return ty_number_index(a[0]);
    if (!ty_to_uint64_mask(a[0], &initial) || (a[1] != TY_NULL && !ty_to_int32(a[1], &flags)))
        return TY_NULL;
    return count_or_error(eventfd((unsigned)initial, flags));
}

static Value posix_eventfd_read(Value self, Value *a)
{
    int fd, result;
    eventfd_t value;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    ty_blocking_begin();
    result = eventfd_read(fd, &value);
    ty_blocking_end();
    return result < 0 ? ty_posix_error(NULL) : ty_int_from_uint64(value);
}

static Value posix_eventfd_write(Value self, Value *a)
{
    int fd, result;
    uint64_t value;
    if (!ty_to_descriptor(a[0], &fd) || !ty_to_uint64(a[1], &value))
        return TY_NULL;
    ty_blocking_begin();
    result = eventfd_write(fd, value);
    ty_blocking_end();
    return result < 0 ? ty_posix_error(NULL) : TY_NONE;
}

static Value posix_timerfd_create(Value self, Value *a)
{
    INT(a[0], clock);
    int32_t flags = TFD_CLOEXEC;
    if (a[1] != TY_NULL && !ty_to_int32(a[1], &flags))
        return TY_NULL;
    return count_or_error(timerfd_create(clock, flags | TFD_CLOEXEC));
}

static bool to_timespec(Value v, bool nanoseconds, struct timespec *out)
{
    int64_t whole;
    double seconds;
    *out = (struct timespec){0};
    if (v == TY_NULL)
        return true;
    if (nanoseconds) {
        if (!ty_to_int64(v, &whole))
            return false;
        out->tv_sec = whole / 1000000000 - (whole % 1000000000 < 0);
        out->tv_nsec = (whole % 1000000000 + 1000000000) % 1000000000;
        return true;
    }
    if (!ty_to_double(v, &seconds))
        return false;
    if (isnan(seconds)) {
        ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    if (fabs(seconds) > 9.2e9) {
        ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    double floor_seconds = floor(seconds);
    out->tv_sec = (time_t)floor_seconds;
    out->tv_nsec = TY_MIN((long)floor((seconds - floor_seconds) * 1e9), 999999999);
    return true;
}

static Value timer_pair(const struct itimerspec *timer, bool nanoseconds)
{
#define TIME(t) nanoseconds ? ty_int_from_int64((int64_t)(t).tv_sec * 1000000000 + (t).tv_nsec) : ty_from_double((double)(t).tv_sec + (double)(t).tv_nsec * 1e-9)
    return ty_tuple_pack(2, TIME(timer->it_value), TIME(timer->it_interval));
#undef TIME
}

static Value timer_set(Value *a, bool nanoseconds)
{
    int fd;
    int32_t flags = 0;
    struct itimerspec wanted, old;
    if (!ty_to_descriptor(a[0], &fd) || (a[1] != TY_NULL && !ty_to_int32(a[1], &flags)) || !to_timespec(a[2], nanoseconds, &wanted.it_value) ||
        !to_timespec(a[3], nanoseconds, &wanted.it_interval))
        return TY_NULL;
    return timerfd_settime(fd, flags, &wanted, &old) < 0 ? ty_posix_error(NULL) : timer_pair(&old, nanoseconds);
}
static Value timer_get(Value *a, bool nanoseconds)
{
    int fd;
    struct itimerspec timer;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    return timerfd_gettime(fd, &timer) < 0 ? ty_posix_error(NULL) : timer_pair(&timer, nanoseconds);
}
static Value posix_timerfd_settime(Value self, Value *a) { return timer_set(a, false); }
static Value posix_timerfd_settime_ns(Value self, Value *a) { return timer_set(a, true); }
static Value posix_timerfd_gettime(Value self, Value *a) { return timer_get(a, false); }
static Value posix_timerfd_gettime_ns(Value self, Value *a) { return timer_get(a, true); }

/* --- extended attributes ------------------------------------------------------------------------------------------------------------------ */

typedef struct Attribute { TyPath path, name; bool follow; } Attribute;

static bool to_attribute(Value path, Value name, Value follow, const char *function, Attribute *out)
{
    int yes = follow == TY_NULL ? 1 : ty_is_true(follow);
    if (yes < 0 || !ty_path(path, function, true, false, &out->path))
        return false;
    if (name != TY_NULL && !ty_path(name, function, false, false, &out->name)) {
        if (ty_raised_is(&ty_ValueError)) {
            ty_clear_exception();
            ty_raise(&ty_ValueError, "%s: embedded null character in attribute", function);
        }
        return false;
    }
    out->follow = yes;
    if (!yes && !out->path.text) {
        ty_raise(&ty_ValueError, "%s: cannot use fd and follow_symlinks together", function);
        return false;
    }
    return true;
}

#define ON_FILE(at, call, link_call, descriptor_call, ...)                                        \
    (!(at).path.text ? descriptor_call((at).path.fd, __VA_ARGS__) : (at).follow ? call((at).path.text, __VA_ARGS__) : link_call((at).path.text, __VA_ARGS__))

/* What a call writes into room of unknown size: tried with some, then with the most there can be. */
static Value read_all(Attribute *at, bool list)
{
    static const size_t sizes[] = {256, XATTR_SIZE_MAX};
    for (size_t i = 0; i < TY_COUNT_OF(sizes); i++) {
        Value bytes = ty_bytes_new(NULL, sizes[i]);
        if (bytes == TY_NULL)
            return TY_NULL;
        void *room = ty_as_bytes(bytes)->data;
        ty_blocking_begin();
        ssize_t size = list ? ON_FILE(*at, listxattr, llistxattr, flistxattr, room, sizes[i])
                            : ON_FILE(*at, getxattr, lgetxattr, fgetxattr, at->name.text, room, sizes[i]);
        ty_blocking_end();
        if (size >= 0)
            return ty_bytes_shrink(bytes, (size_t)size);
        if (errno != ERANGE)
            break;
    }
    return ty_posix_error(&at->path);
}

static Value posix_getxattr(Value self, Value *a)
{
    Attribute at;
    return to_attribute(a[0], a[1], a[2], "getxattr", &at) ? read_all(&at, false) : TY_NULL;
}

static Value posix_listxattr(Value self, Value *a)
{
    Attribute at;
    Value here = ty_str_from_text(".");
    if (here == TY_NULL || !to_attribute(a[0] == TY_NULL || a[0] == TY_NONE ? here : a[0], TY_NULL, a[1], "listxattr", &at))
        return TY_NULL;
    Value names = read_all(&at, true), list = names == TY_NULL ? TY_NULL : ty_list_new(0);
    int64_t size = names == TY_NULL ? 0 : ty_bytes_length(names);
    for (int64_t i = 0; list != TY_NULL && i < size;) {
        const char *name = (const char *)ty_bytes_data(names) + i;
        size_t length = strnlen(name, (size_t)(size - i));
        Value text = ty_str_decode_fs(name, length);
        if (text == TY_NULL || !ty_list_append(list, text))
            return TY_NULL;
        i += (int64_t)length + 1;
    }
    return list;
}

static Value posix_setxattr(Value self, Value *a)
{
    Attribute at;
    int32_t flags = 0;
    TyBytesArgument value;
    if (!to_attribute(a[0], a[1], a[4], "setxattr", &at) || (a[3] != TY_NULL && !ty_to_int32(a[3], &flags)) || !ty_bytes_argument(a[2], &value))
        return TY_NULL;
    ty_blocking_begin();
    int result = ON_FILE(at, setxattr, lsetxattr, fsetxattr, at.name.text, value.data, (size_t)value.length, flags);
    int error = errno;
    ty_blocking_end();
    ty_bytes_argument_release(&value);
    errno = error;
    return result < 0 ? ty_posix_error(&at.path) : TY_NONE;
}

static Value posix_removexattr(Value self, Value *a)
{
    Attribute at;
    if (!to_attribute(a[0], a[1], a[2], "removexattr", &at))
        return TY_NULL;
    ty_blocking_begin();
    int result = ON_FILE(at, removexattr, lremovexattr, fremovexattr, at.name.text);
    ty_blocking_end();
    return result < 0 ? ty_posix_error(&at.path) : TY_NONE;
}

const TyNativeDef ty_posix_descriptor_functions[] = {
#define F(signature, function, doc) TY_FUNCTION(signature, function, doc)
    F("readv(fd, buffers, /)", posix_readv, "Reads into several buffers, one after another."),
    F("writev(fd, buffers, /)", posix_writev, "Writes several buffers, one after another."),
    F("preadv(fd, buffers, offset, flags=0, /)", posix_preadv, "Reads into several buffers from an offset on."),
    F("pwritev(fd, buffers, offset, flags=0, /)", posix_pwritev, "Writes several buffers from an offset on."),
    F("sendfile(out_fd, in_fd, offset, count)", posix_sendfile, "Copies from one descriptor to another in the kernel."),
    F("copy_file_range(src, dst, count, offset_src=None, offset_dst=None)", posix_copy_file_range, "Copies from one file to another in the kernel."),
    F("splice(src, dst, count, offset_src=None, offset_dst=None, flags=0)", posix_splice, "Moves data between two descriptors, of which one is a pipe."),
    F("lockf(fd, command, length, /)", posix_lockf, "Locks, tests or unlocks a part of a file."),
    F("posix_fadvise(fd, offset, length, advice, /)", posix_advise, "Tells the kernel how data will be used."),
    F("posix_fallocate(fd, offset, length, /)", posix_allocate, "Makes sure that there is room on the disk."),
    F("fchown(fd, uid, gid)", posix_fchown, "Changes the owner and group of an open file."),
    F("mknod(path, mode=384, device=0, *, dir_fd=None)", posix_mknod, "Makes a node in the file system."),
    F("sync()", posix_sync, "Has everything written to the disks."),
    F("memfd_create(name, flags=MFD_CLOEXEC)", posix_memfd_create, "A file that is memory only."),
    F("eventfd(initval, flags=EFD_CLOEXEC)", posix_eventfd, "A descriptor that counts events."),
    F("eventfd_read(fd)", posix_eventfd_read, "Takes the count of an eventfd."),
    F("eventfd_write(fd, value)", posix_eventfd_write, "Adds to the count of an eventfd."),
    F("timerfd_create(clockid, /, *, flags=0)", posix_timerfd_create, "A descriptor of a timer."),
    F("timerfd_settime(fd, /, *, flags=0, initial=0.0, interval=0.0)", posix_timerfd_settime, "Sets a timer, in seconds, and returns what it was set to: (next, interval)."),
    F("timerfd_settime_ns(fd, /, *, flags=0, initial=0, interval=0)", posix_timerfd_settime_ns, "The same in nanoseconds."),
    F("timerfd_gettime(fd, /)", posix_timerfd_gettime, "How long until the timer runs out, and its interval, in seconds."),
    F("timerfd_gettime_ns(fd, /)", posix_timerfd_gettime_ns, "The same in nanoseconds."),
    F("getxattr(path, attribute, *, follow_symlinks=True)", posix_getxattr, "The value of an extended attribute."),
    F("listxattr(path=None, *, follow_symlinks=True)", posix_listxattr, "The names of a file's extended attributes."),
    F("setxattr(path, attribute, value, flags=0, *, follow_symlinks=True)", posix_setxattr, "Sets an extended attribute."),
    F("removexattr(path, attribute, *, follow_symlinks=True)", posix_removexattr, "Removes an extended attribute."),
#undef F
    {0},
};

const TyPosixConstant ty_posix_descriptor_constants[] = {
#define K(name) {#name, name}
    K(EFD_CLOEXEC), K(EFD_NONBLOCK), K(EFD_SEMAPHORE), K(TFD_CLOEXEC), K(TFD_NONBLOCK), K(TFD_TIMER_ABSTIME), K(TFD_TIMER_CANCEL_ON_SET), K(F_LOCK), K(F_TEST), K(F_TLOCK), K(F_ULOCK),
    K(MFD_ALLOW_SEALING), K(MFD_CLOEXEC), K(MFD_HUGETLB), {"MFD_HUGE_MASK", 0x3F}, {"MFD_HUGE_SHIFT", 26},
#define H(name, log) {"MFD_HUGE_" #name, (int64_t)log << 26}
    H(64KB, 16), H(512KB, 19), H(1MB, 20), H(2MB, 21), H(8MB, 23), H(16MB, 24), H(32MB, 25), H(256MB, 28), H(512MB, 29), H(1GB, 30), H(2GB, 31), H(16GB, 34),
#undef H
    {"O_FSYNC", O_SYNC}, K(POSIX_FADV_DONTNEED), K(POSIX_FADV_NOREUSE), K(POSIX_FADV_NORMAL), K(POSIX_FADV_RANDOM), K(POSIX_FADV_SEQUENTIAL), K(POSIX_FADV_WILLNEED),
    K(RWF_APPEND), K(RWF_DSYNC), K(RWF_HIPRI), K(RWF_NOWAIT), K(RWF_SYNC), K(SPLICE_F_MORE), K(SPLICE_F_MOVE), K(SPLICE_F_NONBLOCK), K(ST_APPEND), K(ST_MANDLOCK), K(ST_NOATIME),
    K(ST_NODEV), K(ST_NODIRATIME), K(ST_NOEXEC), K(ST_RELATIME), K(ST_SYNCHRONOUS), K(ST_WRITE), K(XATTR_CREATE), K(XATTR_REPLACE), K(XATTR_SIZE_MAX),
#undef K
    {0},
};
