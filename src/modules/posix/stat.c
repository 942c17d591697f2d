/* Stat results, scandir. */
#include "modules/posix/posix.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

TyType ty_stat_result_type, ty_statvfs_result_type;
static const TyStructField stat_fields[] = {
    { "st_mode", "protection bits" }, { "st_ino", "inode" }, { "st_dev", "device" }, { "st_nlink", "number of hard links" }, { "st_uid", "user ID of owner" }, { "st_gid", "group ID of owner" },
    { "st_size", "total size, in bytes" }, { NULL, "integer time of last access" }, { NULL, "integer time of last modification" }, { NULL, "integer time of last change" },
    { "st_atime", "time of last access" }, { "st_mtime", "time of last modification" }, { "st_ctime", "time of last change" }, { "st_atime_ns", "time of last access in nanoseconds" },
    { "st_mtime_ns", "time of last modification in nanoseconds" }, { "st_ctime_ns", "time of last change in nanoseconds" }, { "st_blksize", "blocksize for filesystem I/O" },
    { "st_blocks", "number of blocks allocated" }, { "st_rdev", "device type (if inode device)" }, { .doc = NULL, .name = NULL }
};
static const TyStructDef stat_def = { "os.stat_result", "stat_result: Result from stat, fstat, or lstat.", stat_fields, 10 };
static const TyStructField statvfs_fields[] = { { "f_bsize", NULL }, { "f_frsize", NULL }, { "f_blocks", NULL }, { "f_bfree", NULL }, { "f_bavail", NULL }, { "f_files", NULL }, { "f_ffree", NULL }, { "f_favail", NULL }, { "f_flag", NULL }, { "f_namemax", NULL }, { "f_fsid", NULL }, {0} };
static const TyStructDef statvfs_def = { "os.statvfs_result", "statvfs_result: Result from statvfs or fstatvfs.", statvfs_fields, 10 };

static Value seconds(const struct timespec *t) { return ty_from_double((double)t->tv_sec + 1e-9 * (double)t->tv_nsec); }
static Value nanoseconds(const struct timespec *t)
{
    return ty_int_add(ty_int_multiply(ty_int_from_int64(t->tv_sec), ty_from_immediate_int(1000000000)), ty_int_from_int64(t->tv_nsec));
}

Value ty_stat_result(const struct stat *s)
{
    Value v[] = { ty_int_from_int64(s->st_mode), ty_int_from_uint64(s->st_ino), ty_int_from_uint64(s->st_dev), ty_int_from_uint64(s->st_nlink), ty_int_from_int64(s->st_uid), ty_int_from_int64(s->st_gid),
        ty_int_from_int64(s->st_size), ty_int_from_int64(s->st_atim.tv_sec), ty_int_from_int64(s->st_mtim.tv_sec), ty_int_from_int64(s->st_ctim.tv_sec), seconds(&s->st_atim), seconds(&s->st_mtim),
        seconds(&s->st_ctim), nanoseconds(&s->st_atim), nanoseconds(&s->st_mtim), nanoseconds(&s->st_ctim), ty_int_from_int64(s->st_blksize), ty_int_from_int64(s->st_blocks), ty_int_from_uint64(s->st_rdev) };
    return ty_struct_sequence_new(&ty_stat_result_type, v);
}

static Value stat_path(Value path_value, Value directory, bool follow, const char *name)
{
    TyPath path;
    struct stat status;
    int fd, r;
    if (!ty_path(path_value, name, *name != 'l', false, &path) || !ty_dir_fd(directory, &fd) || !ty_path_alone(&path, name, fd, follow))
        return TY_NULL;
    ty_blocking_begin();
    r = path.text ? fstatat(fd, path.text, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) : fstat(path.fd, &status);
    ty_blocking_end();
    return r < 0 ? ty_posix_error(&path) : ty_stat_result(&status);
}

static Value posix_stat(Value self, Value *a) { return stat_path(a[0], a[1], a[2] == TY_NULL || ty_is_true(a[2]) > 0, "stat"); }
static Value posix_lstat(Value self, Value *a) { return stat_path(a[0], a[1], false, "lstat"); }
static Value posix_fstat(Value self, Value *a)
{
    int32_t fd;
    struct stat status;
    if (!ty_to_int32(a[0], &fd))
        return TY_NULL;
    return fstat(fd, &status) < 0 ? ty_posix_error(NULL) : ty_stat_result(&status);
}

static Value file_system(const TyPath *path, int fd)
{
    struct statvfs s;
    int result;
    TY_RETRY(result, path && path->text ? statvfs(path->text, &s) : fstatvfs(fd, &s));
    if (result < 0)
        return ty_raised() ? TY_NULL : ty_posix_error(path);
    Value v[] = { ty_int_from_uint64(s.f_bsize), ty_int_from_uint64(s.f_frsize), ty_int_from_uint64(s.f_blocks), ty_int_from_uint64(s.f_bfree), ty_int_from_uint64(s.f_bavail), ty_int_from_uint64(s.f_files),
        ty_int_from_uint64(s.f_ffree), ty_int_from_uint64(s.f_favail), ty_int_from_uint64(s.f_flag), ty_int_from_uint64(s.f_namemax), ty_int_from_uint64(s.f_fsid) };
    return ty_struct_sequence_new(&ty_statvfs_result_type, v);
}

static Value posix_statvfs(Value self, Value *a)
{
    TyPath path;
    return ty_path(a[0], "statvfs", true, false, &path) ? file_system(&path, path.fd) : TY_NULL;
}

static Value posix_fstatvfs(Value self, Value *a)
{
    int32_t fd;
    return ty_to_int32(a[0], &fd) ? file_system(NULL, fd) : TY_NULL;
}

/* --- scandir --------------------------------------------------------------------------------------------------------------- */

typedef struct DirEntry { TyObject base; Value name, path, stat, lstat; uint64_t inode; unsigned char kind; int directory; } DirEntry;
typedef struct ScandirIterator { TyObject base; DIR *folder; Value path; bool is_bytes, by_fd; int fd; } ScandirIterator;

static DirEntry *as_entry(Value v) { return (DirEntry *)ty_object(v); }
static void entry_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((DirEntry *)self)->name, 4); }

static Value entry_stat_of(DirEntry *e, bool follow)
{
    Value *kept = follow ? &e->stat : &e->lstat;
    if (*kept == TY_NULL) {
        Value result = stat_path(e->path, e->directory >= 0 ? ty_from_immediate_int(e->directory) : TY_NONE, follow, "DirEntry");
        if (result == TY_NULL)
            return TY_NULL;
        ty_store(e, kept, result);
    }
    return *kept;
}

static bool follows(Value v) { return v == TY_NULL || ty_is_true(v) > 0; }
static Value entry_stat(Value self, Value *a) { return entry_stat_of(as_entry(self), follows(a[0])); }

static Value entry_is(DirEntry *e, bool follow, mode_t kind, unsigned char type)
{
    if (e->kind != DT_UNKNOWN && !(follow && e->kind == DT_LNK))
        return ty_from_bool(e->kind == type);
    Value status = entry_stat_of(e, follow);
    if (status == TY_NULL) {
        if (!ty_raised_is(&ty_FileNotFoundError))
            return TY_NULL;
        ty_clear_exception();
        return TY_FALSE;
    }
    int64_t mode;
    return ty_to_int64(ty_tuple_item(status, 0), &mode) ? ty_from_bool((mode & S_IFMT) == kind) : TY_NULL;
}

static Value entry_is_dir(Value self, Value *a) { return entry_is(as_entry(self), follows(a[0]), S_IFDIR, DT_DIR); }
static Value entry_is_file(Value self, Value *a) { return entry_is(as_entry(self), follows(a[0]), S_IFREG, DT_REG); }
static Value entry_is_symlink(Value self, Value *a) { return entry_is(as_entry(self), false, S_IFLNK, DT_LNK); }
static Value entry_is_junction(Value self, Value *a) { return TY_FALSE; }
static Value entry_inode(Value self, Value *a) { return ty_int_from_uint64(as_entry(self)->inode); }
static Value entry_fspath(Value self, Value *a) { return as_entry(self)->path; }
static Value entry_repr(Value self) { return ty_str_format("<DirEntry %R>", as_entry(self)->name); }
static Value entry_class_getitem(Value self, Value *a)
{
    extern Value ty_generic_alias_new(Value origin, Value arguments);
    return ty_generic_alias_new(self, a[0]);
}

static const TyNativeDef entry_methods[] = {
    TY_METHOD("is_dir(self, *, follow_symlinks=True)", entry_is_dir, NULL), TY_METHOD("is_file(self, *, follow_symlinks=True)", entry_is_file, NULL), TY_METHOD("is_symlink(self)", entry_is_symlink, NULL),
    TY_METHOD("is_junction(self)", entry_is_junction, NULL), TY_METHOD("stat(self, *, follow_symlinks=True)", entry_stat, NULL), TY_METHOD("inode(self)", entry_inode, NULL),
    TY_METHOD("__fspath__(self)", entry_fspath, NULL), TY_CLASS_METHOD("__class_getitem__(type, object, /)", entry_class_getitem, "See PEP 585"), {0}
};
static const TyMemberDef entry_members[] = {
    { "name", TY_MEMBER_VALUE, false, offsetof(DirEntry, name), "the entry's base filename, relative to scandir() \"path\" argument" },
    { "path", TY_MEMBER_VALUE, false, offsetof(DirEntry, path), "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)" }, {0}
};
TyType ty_dir_entry_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "posix.DirEntry", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW, .layout = { .size = sizeof(DirEntry), .trace = entry_trace },
    .slots = { .repr = entry_repr }, .methods = entry_methods, .members = entry_members,
};

static void scandir_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((ScandirIterator *)self)->path); }
static void scandir_close(ScandirIterator *s)
{
    DIR *folder = s->folder;
    s->folder = NULL;
    if (folder)
        closedir(folder);
}
static void scandir_destroy(TyObject *self) { scandir_close((ScandirIterator *)self); }

/* One that was left before its end. */
static bool scandir_finalize(TyObject *self)
{
    ScandirIterator *s = (ScandirIterator *)self;
    Value raised = ty_take_exception();
    if (s->folder && !ty_warn(&ty_ResourceWarning, 1, "unclosed scandir iterator %R", ty_from_object(self)))
        ty_write_unraisable(ty_from_object(self), NULL);
    scandir_close(s);
    ty_restore_exception(raised);
    return true;
}

/* The next entry, copied under the iterator's lock: another thread may be using or closing it. 1 found, 0 at the end, -1 with errno. */
static int read_entry(ScandirIterator *s, struct dirent *out)
{
    bool locked = ty_object_lock(&s->base);
    struct dirent *found = NULL;
    errno = 0;
    do
        found = s->folder ? readdir(s->folder) : NULL;
    while (found && (!strcmp(found->d_name, ".") || !strcmp(found->d_name, "..")));
    int error = errno;
    if (found)
        memcpy(out, found, offsetof(struct dirent, d_name) + strlen(found->d_name) + 1);
    else
        scandir_close(s);
    ty_object_unlock(&s->base, locked);
    errno = error;
    return found ? 1 : error ? -1 : 0;
}

static Value scandir_next(Value self)
{
    ScandirIterator *s = (ScandirIterator *)ty_object(self);
    TyPath like = { .is_bytes = s->is_bytes };
    struct dirent entry_room, *found = &entry_room;
    int status = read_entry(s, found);
    if (status < 0)
        return ty_posix_error(NULL);
    if (status > 0) {
        Value name = ty_path_result(&like, found->d_name, strlen(found->d_name));
        if (name == TY_NULL)
            return TY_NULL;
        Value path = name;
        if (!s->by_fd && s->path != TY_NULL) {
            Value slash = s->is_bytes ? ty_bytes_new("/", 1) : TY_NAME("/");
            int64_t n = s->is_bytes ? ty_bytes_length(s->path) : ty_str_length(s->path);
            bool ends = n > 0 && (s->is_bytes ? ty_bytes_data(s->path)[n - 1] : ty_str_at(s->path, n - 1)) == '/';
            Value base = ends || n == 0 ? s->path : ty_binary(TY_BINARY_ADD, s->path, slash);
            path = base == TY_NULL ? TY_NULL : ty_binary(TY_BINARY_ADD, base, name);
        }
        DirEntry *entry = path == TY_NULL ? NULL : ty_allocate(&ty_dir_entry_type, sizeof *entry);
        if (!entry)
            return TY_NULL;
        ty_store(entry, &entry->name, name);
        ty_store(entry, &entry->path, path);
        entry->inode = found->d_ino;
        entry->kind = found->d_type;
        entry->directory = s->by_fd ? s->fd : -1;
        return ty_from_object(entry);
    }
    return TY_NULL;
}

static Value scandir_close_method(Value self, Value *a)
{
    bool locked = ty_object_lock(ty_object(self));
    scandir_close((ScandirIterator *)ty_object(self));
    ty_object_unlock(ty_object(self), locked);
    return TY_NONE;
}
static Value scandir_enter(Value self, Value *a) { return self; }
static Value scandir_exit(Value self, const Value *a, size_t count, Value keywords) { return scandir_close_method(self, NULL); }
static Value scandir_iter(Value self) { return self; }
static const TyNativeDef scandir_methods[] = {
    TY_METHOD("close(self)", scandir_close_method, NULL), TY_METHOD("__enter__(self)", scandir_enter, NULL), TY_RAW_METHOD("__exit__(self, *args)", scandir_exit, NULL), {0}
};
TyType ty_scandir_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "posix.ScandirIterator", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(ScandirIterator), .trace = scandir_trace, .destroy = scandir_destroy, .finalize = scandir_finalize }, .slots = { .iter = scandir_iter, .next = scandir_next }, .methods = scandir_methods,
};

static Value posix_scandir(Value self, Value *a)
{
    TyPath path;
    if (!ty_path(a[0], "scandir", true, true, &path))
        return TY_NULL;
    ScandirIterator *s = ty_allocate(&ty_scandir_iterator_type, sizeof *s);
    if (!s)
        return TY_NULL;
    s->is_bytes = path.is_bytes;
    ty_blocking_begin();
    if (path.text)
        s->folder = opendir(path.text);
    else {
        int copy = fcntl(path.fd, F_DUPFD_CLOEXEC, 0);
        s->folder = copy < 0 ? NULL : fdopendir(copy);
        s->by_fd = true;
        s->fd = path.fd;
        if (s->folder)
            rewinddir(s->folder);
    }
    ty_blocking_end();
    if (!s->folder)
        return ty_posix_error(&path);
    if (path.text) {
        Value shown = ty_path_result(&path, path.text, strlen(path.text));
        if (shown == TY_NULL)
            return TY_NULL;
        ty_store(s, &s->path, shown);
    }
    return ty_from_object(s);
}

/* The number of a device, or of a part of it; -1 stands for none. */
#define NO_DEVICE UINT64_MAX
static bool to_device(Value v, uint64_t *out)
{
    Value number = ty_number_index(v);
    int64_t small;
    if (number == TY_NULL)
        return false;
    if (ty_int_get_int64(number, &small) == 0 && small == -1) {
        *out = NO_DEVICE;
        return true;
    }
    if (ty_int_sign(number) < 0)
        ty_raise(&ty_OverflowError, "can't convert negative int to unsigned");
    else if (ty_int_bit_length(number) > 64)
        ty_raise(&ty_OverflowError, "int too big to convert");
    else
        return ty_to_uint64(number, out);
    return false;
}

static Value posix_major(Value self, Value *a)
{
    uint64_t device;
    return to_device(a[0], &device) ? ty_from_immediate_int(device == NO_DEVICE ? -1 : (int64_t)major(device)) : TY_NULL;
}
static Value posix_minor(Value self, Value *a)
{
    uint64_t device;
    return to_device(a[0], &device) ? ty_from_immediate_int(device == NO_DEVICE ? -1 : (int64_t)minor(device)) : TY_NULL;
}

static Value posix_makedev(Value self, Value *a)
{
    uint64_t high, low;
    if (!to_device(a[0], &high) || !to_device(a[1], &low))
        return TY_NULL;
    if (high == NO_DEVICE && low == NO_DEVICE)
        return ty_from_immediate_int(-1);
    if (high == NO_DEVICE || low == NO_DEVICE)
        return ty_raise(&ty_OverflowError, "can't convert negative int to unsigned");
    if (high > UINT32_MAX || low > UINT32_MAX)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C unsigned int");
    return ty_int_from_uint64(makedev(high, low));
}

const TyNativeDef ty_posix_stat_functions[] = {
    TY_FUNCTION("stat(path, *, dir_fd=None, follow_symlinks=True)", posix_stat, "Perform a stat system call on the given path."), TY_FUNCTION("lstat(path, *, dir_fd=None)", posix_lstat, NULL),
    TY_FUNCTION("fstat(fd)", posix_fstat, NULL), TY_FUNCTION("statvfs(path)", posix_statvfs, NULL), TY_FUNCTION("fstatvfs(fd, /)", posix_fstatvfs, NULL), TY_FUNCTION("scandir(path=None)", posix_scandir, NULL),
    TY_FUNCTION("major(device, /)", posix_major, NULL), TY_FUNCTION("minor(device, /)", posix_minor, NULL), TY_FUNCTION("makedev(major, minor, /)", posix_makedev, NULL), {0}
};

bool ty_posix_stat_start(Value module)
{
    static const TyStructField *fields = stat_fields;
    (void)fields;
    return ty_struct_sequence_type(&ty_stat_result_type, &stat_def) && ty_struct_sequence_type(&ty_statvfs_result_type, &statvfs_def)
        && ty_module_add(module, "stat_result", ty_from_object(&ty_stat_result_type)) && ty_module_add(module, "statvfs_result", ty_from_object(&ty_statvfs_result_type));
}
