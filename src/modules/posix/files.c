#include "modules/posix/posix.h"
#include "modules/descriptor.h"
#include "object/buffer.h"
#include "object/codec.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

static Value fs_path(Value v, const char *function, bool allow_fd)
{
    if (ty_is_str(v) || ty_is_bytes(v))
        return v;
    Value method = ty_lookup_special(v, TY_NAME("__fspath__"));
    if (method == TY_NULL || method == TY_NONE)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "%s: path should be string, bytes%s, not %T", function, allow_fd ? ", os.PathLike or integer" : " or os.PathLike", v);
    Value path = ty_call_none(method);
    if (path == TY_NULL || ty_is_str(path) || ty_is_bytes(path))
        return path;
    return ty_raise(&ty_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", v, path);
}

bool ty_path(Value v, const char *function, bool allow_fd, bool allow_none, TyPath *path)
{
    *path = (TyPath){ .object = v, .fd = -1, .text = NULL };
    if (v == TY_NULL || (allow_none && v == TY_NONE)) {
        path->text = ".";
        path->object = TY_NULL;
        return true;
    }
    if (allow_fd && ty_has_index(v)) {
        int32_t fd;
        if (!ty_warn_descriptor(v) || !ty_to_int32(v, &fd))
            return false;
        path->fd = fd;
        return true;
    }
    Value given = fs_path(v, function, allow_fd);
    if (given == TY_NULL) {
        if (allow_none && ty_raised_is(&ty_TypeError)) {
            ty_clear_exception();
            ty_raise(&ty_TypeError, "%s: path should be string, bytes, os.PathLike%s or None, not %T", function, allow_fd ? ", integer" : "", v);
        }
        return false;
    }
    path->object = given;
    path->is_bytes = ty_is_bytes(given);
    path->holder = path->is_bytes ? given : ty_str_encode_fs(given);
    if (path->holder == TY_NULL)
        return false;
    path->text = (const char *)ty_bytes_data(path->holder);
    if (strlen(path->text) != (size_t)ty_bytes_length(path->holder))
        return ty_raise(&ty_ValueError, "%s: embedded null %s", function, path->is_bytes ? "byte" : "character in path"), false;
    return true;
}

Value ty_path_result(const TyPath *like, const char *text, size_t size)
{
    return like && like->is_bytes ? ty_bytes_new(text, size) : ty_str_decode_fs(text, size);
}

Value ty_posix_error(const TyPath *path)
{
    return ty_raise_errno(&ty_OSError, errno, path ? path->object : TY_NULL, TY_NULL);
}

static Value two_path_error(const TyPath *a, const TyPath *b) { return ty_raise_errno(&ty_OSError, errno, a->object, b->object); }

bool ty_dir_fd(Value v, int *fd)
{
    *fd = AT_FDCWD;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "argument should be integer or None, not %T", v), false;
    int32_t n;
    if (!ty_warn_descriptor(v) || !ty_to_int32(v, &n))
        return false;
    *fd = n;
    return true;
}

bool ty_path_alone(const TyPath *path, const char *function, int dir_fd, bool follow)
{
    if (path->text || (dir_fd == AT_FDCWD && follow))
        return true;
    ty_raise(&ty_ValueError, dir_fd != AT_FDCWD ? "%s: can't specify dir_fd without matching path" : "%s: cannot use fd and follow_symlinks together", function);
    return false;
}

static bool flag(Value v, bool fallback)
{
    return v == TY_NULL ? fallback : ty_is_true(v) > 0;
}

static Value done(int result, const TyPath *path) { return result < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(path)) : TY_NONE; }

/* --- paths -------------------------------------------------------------------------------------------------------------- */

static Value posix_fspath(Value self, Value *a)
{
    if (ty_is_str(a[0]) || ty_is_bytes(a[0]))
        return a[0];
    Value method = ty_lookup_special(a[0], TY_NAME("__fspath__"));
    if (method == TY_NULL || method == TY_NONE)
        return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", a[0]);
    Value path = ty_call_none(method);
    if (path == TY_NULL || ty_is_str(path) || ty_is_bytes(path))
        return path;
    return ty_raise(&ty_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", a[0], path);
}

static Value getcwd_as(bool bytes)
{
    char *text = getcwd(NULL, 0);
    if (!text)
        return ty_posix_error(NULL);
    Value v = bytes ? ty_bytes_new(text, strlen(text)) : ty_str_decode_fs(text, strlen(text));
    free(text);
    return v;
}
static Value posix_getcwd(Value self, Value *a) { return getcwd_as(false); }
static Value posix_getcwdb(Value self, Value *a) { return getcwd_as(true); }

#define SIMPLE_PATH(name, allow_fd, call_path, call_fd)                                     \
    static Value posix_##name(Value self, Value *a)                                         \
    {                                                                                       \
        TyPath path;                                                                        \
        int r;                                                                              \
        if (!ty_path(a[0], #name, allow_fd, false, &path))                                  \
            return TY_NULL;                                                                 \
        ty_blocking_begin();                                                                \
        r = path.text ? (call_path) : (call_fd);                                            \
        ty_blocking_end();                                                                  \
        return done(r, &path);                                                              \
    }
SIMPLE_PATH(chdir, true, chdir(path.text), fchdir(path.fd))
SIMPLE_PATH(chroot, false, chroot(path.text), -1)

static Value posix_fchdir(Value self, Value *a)
{
    int fd;
    return ty_to_descriptor(a[0], &fd) ? done(fchdir(fd), NULL) : TY_NULL;
}

static Value posix_mkdir(Value self, Value *a)
{
    TyPath path;
    int64_t mode = 0777;
    int fd;
    if (!ty_path(a[0], "mkdir", false, false, &path) || (a[1] != TY_NULL && !ty_to_int64(a[1], &mode)) || !ty_dir_fd(a[2], &fd))
        return TY_NULL;
    return done(mkdirat(fd, path.text, (mode_t)mode), &path);
}

static Value unlink_with(Value *a, const char *name, int flags)
{
    TyPath path;
    int fd;
    if (!ty_path(a[0], name, false, false, &path) || !ty_dir_fd(a[1], &fd))
        return TY_NULL;
    return done(unlinkat(fd, path.text, flags), &path);
}
static Value posix_unlink(Value self, Value *a) { return unlink_with(a, "unlink", 0); }
static Value posix_remove(Value self, Value *a) { return unlink_with(a, "remove", 0); }
static Value posix_rmdir(Value self, Value *a) { return unlink_with(a, "rmdir", AT_REMOVEDIR); }

static Value rename_with(Value *a, const char *name)
{
    TyPath from, to;
    int from_fd, to_fd;
    if (!ty_path(a[0], name, false, false, &from) || !ty_path(a[1], name, false, false, &to) || !ty_dir_fd(a[2], &from_fd) || !ty_dir_fd(a[3], &to_fd))
        return TY_NULL;
    return renameat(from_fd, from.text, to_fd, to.text) < 0 ? two_path_error(&from, &to) : TY_NONE;
}
static Value posix_rename(Value self, Value *a) { return rename_with(a, "rename"); }
static Value posix_replace(Value self, Value *a) { return rename_with(a, "replace"); }

static Value posix_link(Value self, Value *a)
{
    TyPath from, to;
    int from_fd, to_fd;
    if (!ty_path(a[0], "link", false, false, &from) || !ty_path(a[1], "link", false, false, &to) || !ty_dir_fd(a[2], &from_fd) || !ty_dir_fd(a[3], &to_fd))
        return TY_NULL;
    return linkat(from_fd, from.text, to_fd, to.text, flag(a[4], true) ? AT_SYMLINK_FOLLOW : 0) < 0 ? two_path_error(&from, &to) : TY_NONE;
}

static Value posix_symlink(Value self, Value *a)
{
    TyPath from, to;
    int fd;
    if (!ty_path(a[0], "symlink", false, false, &from) || !ty_path(a[1], "symlink", false, false, &to) || !ty_dir_fd(a[3], &fd))
        return TY_NULL;
    return symlinkat(from.text, fd, to.text) < 0 ? two_path_error(&from, &to) : TY_NONE;
}

static Value posix_readlink(Value self, Value *a)
{
    TyPath path;
    int fd;
    char text[4096];
    if (!ty_path(a[0], "readlink", false, false, &path) || !ty_dir_fd(a[1], &fd))
        return TY_NULL;
    ssize_t n = readlinkat(fd, path.text, text, sizeof text);
    return n < 0 ? ty_posix_error(&path) : ty_path_result(&path, text, (size_t)n);
}

static Value posix_access(Value self, Value *a)
{
    TyPath path;
    int64_t mode;
    int fd;
    if (!ty_path(a[0], "access", false, false, &path) || !ty_to_int64(a[1], &mode) || !ty_dir_fd(a[2], &fd))
        return TY_NULL;
    return ty_from_bool(faccessat(fd, path.text, (int)mode, (flag(a[3], false) ? AT_EACCESS : 0) | (flag(a[4], true) ? 0 : AT_SYMLINK_NOFOLLOW)) == 0);
}

static Value posix_chmod(Value self, Value *a)
{
    TyPath path;
    int64_t mode;
    int fd;
    if (!ty_path(a[0], "chmod", true, false, &path) || !ty_to_int64(a[1], &mode) || !ty_dir_fd(a[2], &fd))
        return TY_NULL;
    if (!flag(a[3], true))
        return ty_raise(&ty_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
    return done(path.text ? fchmodat(fd, path.text, (mode_t)mode, 0) : fchmod(path.fd, (mode_t)mode), &path);
}

static Value posix_fchmod(Value self, Value *a)
{
    int32_t fd;
    int64_t mode;
    return ty_to_int32(a[0], &fd) && ty_to_int64(a[1], &mode) ? done(fchmod(fd, (mode_t)mode), NULL) : TY_NULL;
}

static Value posix_chown(Value self, Value *a)
{
    TyPath path;
    uint32_t uid, gid;
    int fd;
    if (!ty_path(a[0], "chown", true, false, &path) || !ty_posix_uid(a[1], &uid) || !ty_posix_gid(a[2], &gid) || !ty_dir_fd(a[3], &fd))
        return TY_NULL;
    if (!path.text && fd != AT_FDCWD)
        return ty_raise(&ty_ValueError, "chown: can't specify both dir_fd and fd");
    if (!ty_path_alone(&path, "chown", fd, flag(a[4], true)))
        return TY_NULL;
    return done(path.text ? fchownat(fd, path.text, uid, gid, flag(a[4], true) ? 0 : AT_SYMLINK_NOFOLLOW) : fchown(path.fd, uid, gid), &path);
}

static Value posix_lchown(Value self, Value *a)
{
    TyPath path;
    uint32_t uid, gid;
    return ty_path(a[0], "lchown", false, false, &path) && ty_posix_uid(a[1], &uid) && ty_posix_gid(a[2], &gid) ? done(lchown(path.text, uid, gid), &path) : TY_NULL;
}

static Value posix_listdir(Value self, Value *a)
{
    TyPath path;
    if (!ty_path(a[0], "listdir", true, true, &path))
        return TY_NULL;
    DIR *folder;
    ty_blocking_begin();
    if (path.text)
        folder = opendir(path.text);
    else {
        int copy = fcntl(path.fd, F_DUPFD_CLOEXEC, 0);
        folder = copy < 0 ? NULL : fdopendir(copy);
        if (folder)
            rewinddir(folder);
    }
    ty_blocking_end();
    if (!folder)
        return ty_posix_error(&path);
    Value list = ty_list_new(0);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry)
            break;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        Value name = list == TY_NULL ? TY_NULL : ty_path_result(&path, entry->d_name, strlen(entry->d_name));
        if (name == TY_NULL || !ty_list_append(list, name)) {
            closedir(folder);
            return TY_NULL;
        }
    }
    int error = errno;
    closedir(folder);
    errno = error;
    return error ? ty_posix_error(&path) : list;
}

static bool time_argument(Value v, struct timespec *out)
{
    double seconds;
    if (ty_is_int(v)) {
        int64_t s;
        if (!ty_to_int64(v, &s))
            return false;
        *out = (struct timespec){ .tv_sec = s };
        return true;
    }
    if (!ty_to_double(v, &seconds))
        return false;
    double whole = __builtin_floor(seconds);
    *out = (struct timespec){ .tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9) };
    return true;
}

static Value posix_utime(Value self, Value *a)
{
    TyPath path;
    int fd;
    struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
    if (!ty_path(a[0], "utime", true, false, &path) || !ty_dir_fd(a[3], &fd) || !ty_path_alone(&path, "utime", fd, flag(a[4], true)))
        return TY_NULL;
    bool has_times = a[1] != TY_NULL && a[1] != TY_NONE, has_ns = a[2] != TY_NULL;
    if (has_times && has_ns)
        return ty_raise(&ty_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
    if (has_times) {
        if (!ty_is_tuple(a[1]) || ty_tuple_length(a[1]) != 2)
            return ty_raise(&ty_TypeError, "utime: 'times' must be either a tuple of two ints or None");
        if (!time_argument(ty_tuple_item(a[1], 0), &times[0]) || !time_argument(ty_tuple_item(a[1], 1), &times[1]))
            return TY_NULL;
    } else if (has_ns) {
        if (!ty_is_tuple(a[2]) || ty_tuple_length(a[2]) != 2)
            return ty_raise(&ty_TypeError, "utime: 'ns' must be a tuple of two ints");
        for (int i = 0; i < 2; i++) {
            Value q, r;
            int64_t s, n;
            if (!ty_is_int(ty_tuple_item(a[2], i)) || !ty_int_divmod(ty_tuple_item(a[2], i), ty_from_immediate_int(1000000000), &q, &r) || !ty_to_int64(q, &s) || !ty_to_int64(r, &n))
                return TY_NULL;
            times[i] = (struct timespec){ .tv_sec = s, .tv_nsec = n };
        }
    }
    return done(path.text ? utimensat(fd, path.text, times, flag(a[4], true) ? 0 : AT_SYMLINK_NOFOLLOW) : futimens(path.fd, times), &path);
}

static Value posix_truncate(Value self, Value *a)
{
    TyPath path;
    int64_t length;
    int r;
    if (!ty_path(a[0], "truncate", true, false, &path) || !ty_to_int64(a[1], &length))
        return TY_NULL;
    TY_RETRY(r, path.text ? truncate(path.text, length) : ftruncate(path.fd, length));
    return done(r, &path);
}

static Value posix_mkfifo(Value self, Value *a)
{
    TyPath path;
    int64_t mode = 0666;
    int fd;
    if (!ty_path(a[0], "mkfifo", false, false, &path) || (a[1] != TY_NULL && !ty_to_int64(a[1], &mode)) || !ty_dir_fd(a[2], &fd))
        return TY_NULL;
    return done(mkfifoat(fd, path.text, (mode_t)mode), &path);
}

/* A path as str or bytes, for the functions that work on its text and never ask the system: any characters will do. */
static Value lexical_path(Value self, Value *a) { return ty_is_str(a[0]) || ty_is_bytes(a[0]) ? a[0] : posix_fspath(self, a); }

static Value posix_split_root(Value self, Value *a)
{
    Value path = lexical_path(self, a);
    if (path == TY_NULL)
        return TY_NULL;
    if (ty_is_str(path)) {
        int64_t n = ty_str_length(path), slashes = 0;
        while (slashes < n && slashes < 3 && ty_str_at(path, slashes) == '/')
            slashes++;
        int64_t root = slashes == 3 ? 1 : slashes;
        return ty_tuple_pack(3, ty_str_empty(), ty_str_slice(path, 0, root), ty_str_slice(path, root, n));
    }
    const char *text = (const char *)ty_bytes_data(path);
    size_t n = (size_t)ty_bytes_length(path), slashes = 0;
    while (slashes < n && slashes < 3 && text[slashes] == '/')
        slashes++;
    size_t root = slashes == 3 ? 1 : slashes;
    return ty_tuple_pack(3, ty_bytes_new("", 0), ty_bytes_new(text, root), ty_bytes_new(text + root, n - root));
}

static Value posix_normpath(Value self, Value *a)
{
    Value given = lexical_path(self, a);
    if (given == TY_NULL)
        return TY_NULL;
    Value holder = ty_is_str(given) ? ty_utf8_encode(given, TY_NAME("surrogatepass")) : given;
    if (holder == TY_NULL)
        return TY_NULL;
    const char *text = (const char *)ty_bytes_data(holder);
    size_t n = (size_t)ty_bytes_length(holder), out = 0, floor;
    char *buffer = malloc(n + 3);
    if (!buffer)
        return ty_raise_memory_error();
    size_t slashes = 0;
    while (slashes < n && text[slashes] == '/')
        slashes++;
    if (slashes)
        buffer[out++] = '/';
    if (slashes == 2)
        buffer[out++] = '/';
    floor = out;
    for (size_t i = slashes; i < n;) {
        size_t end = i;
        while (end < n && text[end] != '/')
            end++;
        size_t length = end - i;
        bool dots = length == 2 && text[i] == '.' && text[i + 1] == '.';
        if (length == 0 || (length == 1 && text[i] == '.'))
            ;
        else if (dots && out > floor && !(out - floor >= 2 && buffer[out - 1] == '.' && buffer[out - 2] == '.' && (out - floor == 2 || buffer[out - 3] == '/'))) {
            while (out > floor && buffer[out - 1] != '/')
                out--;
            if (out > floor)
                out--;
        } else if (!dots || floor == 0) {
            if (out > floor)
                buffer[out++] = '/';
            memcpy(buffer + out, text + i, length);
            out += length;
        }
        i = end + 1;
    }
    if (out == 0)
        buffer[out++] = '.';
    Value result = ty_is_str(given) ? ty_utf8_decode((const uint8_t *)buffer, out, holder, TY_NAME("surrogatepass"), NULL) : ty_bytes_new(buffer, out);
    free(buffer);
    return result;
}

/* --- descriptors --------------------------------------------------------------------------------------------------------- */

static Value posix_open(Value self, Value *a)
{
    TyPath path;
    int64_t flags, mode = 0777;
    int fd, directory;
    if (!ty_path(a[0], "open", false, false, &path) || !ty_to_int64(a[1], &flags) || (a[2] != TY_NULL && !ty_to_int64(a[2], &mode)) || !ty_dir_fd(a[3], &directory))
        return TY_NULL;
    TY_RETRY(fd, openat(directory, path.text, (int)flags | O_CLOEXEC, (mode_t)mode));
    return fd < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(&path)) : ty_from_immediate_int(fd);
}

#define FD(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL

static Value posix_close(Value self, Value *a)
{
    FD(a[0], fd);
    int r;
    ty_blocking_begin();
    r = close(fd);
    ty_blocking_end();
    return r < 0 && errno != EINTR ? ty_posix_error(NULL) : TY_NONE;
}

static Value posix_closerange(Value self, Value *a)
{
    FD(a[0], low);
    FD(a[1], high);
    for (int fd = TY_MAX(low, 0); fd < high && fd < 1 << 20; fd++)
        close(fd);
    return TY_NONE;
}

static Value posix_read(Value self, Value *a)
{
    FD(a[0], fd);
    int64_t length;
    if (!ty_to_size(a[1], &length))
        return TY_NULL;
    if (length < 0) {
        errno = EINVAL;
        return ty_posix_error(NULL);
    }
    length = TY_MIN(length, 0x7ffff000);
    Value bytes = ty_bytes_new(NULL, (size_t)length);
    if (bytes == TY_NULL)
        return TY_NULL;
    ssize_t n;
    TY_RETRY(n, read(fd, ty_as_bytes(bytes)->data, (size_t)length));
    return n < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_bytes_shrink(bytes, (size_t)n);
}

static Value posix_pread(Value self, Value *a)
{
    FD(a[0], fd);
    int64_t length, offset;
    if (!ty_to_size(a[1], &length) || !ty_to_int64(a[2], &offset))
        return TY_NULL;
    if (length < 0) {
        errno = EINVAL;
        return ty_posix_error(NULL);
    }
    Value bytes = ty_bytes_new(NULL, (size_t)TY_MIN(length, 0x7ffff000));
    if (bytes == TY_NULL)
        return TY_NULL;
    ssize_t n;
    TY_RETRY(n, pread(fd, ty_as_bytes(bytes)->data, (size_t)ty_bytes_length(bytes), offset));
    return n < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_bytes_shrink(bytes, (size_t)n);
}

static Value posix_readinto(Value self, Value *a)
{
    FD(a[0], fd);
    TyBuffer view;
    if (!ty_buffer_get(a[1], &view, TY_BUFFER_WRITABLE)) {
        ty_clear_exception();
        return ty_raise(&ty_TypeError, "readinto() argument 2 must be read-write bytes-like object, not %T", a[1]);
    }
    ssize_t n;
    TY_RETRY(n, read(fd, view.data, (size_t)TY_MIN(view.length, 0x7ffff000)));
    int error = errno;
    ty_buffer_release(&view);
    errno = error;
    return n < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_int_from_int64(n);
}

static Value write_at(Value *a, bool at)
{
    FD(a[0], fd);
    TyBuffer view;
    int64_t offset = 0;
    if ((at && !ty_to_int64(a[2], &offset)) || !ty_buffer_get(a[1], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    ssize_t n;
    size_t length = (size_t)TY_MIN(view.length, 0x7ffff000);
    TY_RETRY(n, at ? pwrite(fd, view.data, length, offset) : write(fd, view.data, length));
    int error = errno;
    ty_buffer_release(&view);
    errno = error;
    return n < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_int_from_int64(n);
}
static Value posix_write(Value self, Value *a) { return write_at(a, false); }
static Value posix_pwrite(Value self, Value *a) { return write_at(a, true); }

static Value posix_lseek(Value self, Value *a)
{
    FD(a[0], fd);
    int64_t position;
    int32_t how;
    if (!ty_to_int64(a[1], &position) || !ty_to_int32(a[2], &how))
        return TY_NULL;
    off_t at = lseek(fd, position, how);
    return at < 0 ? ty_posix_error(NULL) : ty_int_from_int64(at);
}

static Value posix_dup(Value self, Value *a)
{
    FD(a[0], fd);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(copy);
}
static Value posix_dup2(Value self, Value *a)
{
    FD(a[0], fd);
    FD(a[1], target);
    int copy = flag(a[2], true) ? dup2(fd, target) : dup3(fd, target, O_CLOEXEC);
    return copy < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(copy);
}
static Value posix_isatty(Value self, Value *a)
{
    FD(a[0], fd);
    return ty_from_bool(isatty(fd));
}
static Value posix_ftruncate(Value self, Value *a)
{
    FD(a[0], fd);
    int64_t length;
    int r;
    if (!ty_to_int64(a[1], &length))
        return TY_NULL;
    TY_RETRY(r, ftruncate(fd, length));
    return done(r, NULL);
}
static Value posix_fsync(Value self, Value *a)
{
    int fd, r;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    TY_RETRY(r, fsync(fd));
    return done(r, NULL);
}
static Value posix_pipe(Value self, Value *a)
{
    int fds[2];
    return pipe2(fds, O_CLOEXEC) < 0 ? ty_posix_error(NULL) : ty_tuple_pack(2, ty_from_immediate_int(fds[0]), ty_from_immediate_int(fds[1]));
}
static Value posix_pipe2(Value self, Value *a)
{
    FD(a[0], flags);
    int fds[2];
    return pipe2(fds, flags) < 0 ? ty_posix_error(NULL) : ty_tuple_pack(2, ty_from_immediate_int(fds[0]), ty_from_immediate_int(fds[1]));
}
static Value posix_get_inheritable(Value self, Value *a)
{
    FD(a[0], fd);
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? ty_posix_error(NULL) : ty_from_bool(!(flags & FD_CLOEXEC));
}
static Value posix_set_inheritable(Value self, Value *a)
{
    FD(a[0], fd);
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0)
        return ty_posix_error(NULL);
    return done(fcntl(fd, F_SETFD, flag(a[1], false) ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC), NULL);
}
static Value posix_get_blocking(Value self, Value *a)
{
    FD(a[0], fd);
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? ty_posix_error(NULL) : ty_from_bool(!(flags & O_NONBLOCK));
}
static Value posix_set_blocking(Value self, Value *a)
{
    FD(a[0], fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return ty_posix_error(NULL);
    return done(fcntl(fd, F_SETFL, flag(a[1], true) ? flags & ~O_NONBLOCK : flags | O_NONBLOCK), NULL);
}
static Value posix_device_encoding(Value self, Value *a)
{
    FD(a[0], fd);
    return isatty(fd) ? ty_str_from_text("UTF-8") : TY_NONE;
}
static Value posix_openpty(Value self, Value *a)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return ty_posix_error(NULL);
    char name[128];
    int slave = ptsname_r(master, name, sizeof name) ? -1 : open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return slave < 0 ? ty_posix_error(NULL) : ty_tuple_pack(2, ty_from_immediate_int(master), ty_from_immediate_int(slave));
}
static Value posix_ttyname(Value self, Value *a)
{
    FD(a[0], fd);
    char name[256];
    int error = ttyname_r(fd, name, sizeof name);
    errno = error;
    return error ? ty_posix_error(NULL) : ty_str_decode_fs(name, strlen(name));
}

static bool is_kind(Value v, const char *name, mode_t kind, bool link, bool *yes)
{
    TyPath path;
    struct stat status;
    *yes = false;
    if (!ty_path(v, name, true, false, &path)) {
        if (!ty_raised_is(&ty_ValueError))
            return false;
        ty_clear_exception();
        return true;
    }
    int r = path.text ? (link ? lstat(path.text, &status) : stat(path.text, &status)) : fstat(path.fd, &status);
    *yes = r == 0 && (kind == 0 || (status.st_mode & S_IFMT) == kind);
    return true;
}
#define IS_KIND(name, kind, link) \
    static Value posix_##name(Value self, Value *a) { bool yes; return is_kind(a[0], #name, kind, link, &yes) ? ty_from_bool(yes) : TY_NULL; }
IS_KIND(path_exists, 0, false)
IS_KIND(path_lexists, 0, true)
IS_KIND(path_isdir, S_IFDIR, false)
IS_KIND(path_isfile, S_IFREG, false)
IS_KIND(path_islink, S_IFLNK, true)

#define F(signature, function) TY_FUNCTION(signature, function, NULL)
const TyNativeDef ty_posix_file_functions[] = {
    F("fspath(path)", posix_fspath), F("getcwd()", posix_getcwd), F("getcwdb()", posix_getcwdb), F("chdir(path)", posix_chdir), F("fchdir(fd)", posix_fchdir), F("chroot(path)", posix_chroot),
    F("mkdir(path, mode=511, *, dir_fd=None)", posix_mkdir), F("unlink(path, *, dir_fd=None)", posix_unlink), F("remove(path, *, dir_fd=None)", posix_remove), F("rmdir(path, *, dir_fd=None)", posix_rmdir),
    F("rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_rename), F("replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_replace),
    F("link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)", posix_link), F("symlink(src, dst, target_is_directory=False, *, dir_fd=None)", posix_symlink),
    F("readlink(path, *, dir_fd=None)", posix_readlink), F("access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)", posix_access),
    F("chmod(path, mode, *, dir_fd=None, follow_symlinks=True)", posix_chmod), F("fchmod(fd, mode)", posix_fchmod), F("chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True)", posix_chown),
    F("lchown(path, uid, gid)", posix_lchown), F("listdir(path=None)", posix_listdir), F("utime(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)", posix_utime),
    F("truncate(path, length)", posix_truncate), F("mkfifo(path, mode=438, *, dir_fd=None)", posix_mkfifo), F("_path_splitroot_ex(path, /)", posix_split_root), F("_path_normpath(path, /)", posix_normpath),
    F("open(path, flags, mode=511, *, dir_fd=None)", posix_open), F("close(fd)", posix_close), F("closerange(fd_low, fd_high, /)", posix_closerange), F("read(fd, length, /)", posix_read),
    F("pread(fd, length, offset, /)", posix_pread), F("readinto(fd, buffer, /)", posix_readinto), F("write(fd, data, /)", posix_write), F("pwrite(fd, buffer, offset, /)", posix_pwrite),
    F("lseek(fd, position, whence, /)", posix_lseek), F("dup(fd, /)", posix_dup), F("dup2(fd, fd2, inheritable=True)", posix_dup2), F("isatty(fd, /)", posix_isatty), F("ftruncate(fd, length, /)", posix_ftruncate),
    F("fsync(fd)", posix_fsync), F("fdatasync(fd)", posix_fsync), F("pipe()", posix_pipe), F("pipe2(flags, /)", posix_pipe2), F("get_inheritable(fd, /)", posix_get_inheritable),
    F("set_inheritable(fd, inheritable, /)", posix_set_inheritable), F("get_blocking(fd, /)", posix_get_blocking), F("set_blocking(fd, blocking, /)", posix_set_blocking), F("device_encoding(fd)", posix_device_encoding),
    F("openpty()", posix_openpty), F("ttyname(fd, /)", posix_ttyname), F("_path_exists(path, /)", posix_path_exists), F("_path_lexists(path, /)", posix_path_lexists), F("_path_isdir(path, /)", posix_path_isdir),
    F("_path_isfile(path, /)", posix_path_isfile), F("_path_islink(path, /)", posix_path_islink), {0}
};
