/* mmap: files and anonymous memory mapped into the process, as a mutable run of bytes with a position.
 *
 * Whatever looks at the mapping holds the object's lock, for another thread may close or resize it. What may take long (flush) counts as an
 * export instead: like the views of its memory, exports forbid closing and resizing. */
#include "base/search.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/bytes_parts.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/slice.h"
#include "object/str.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY };

typedef struct Map {
    TyObject base;
    uint8_t *data;      /* NULL: closed. All fields up to `exports` are read and written under the object's lock */
    int64_t size, position;
    int64_t exports;
    int64_t offset;     /* in the file */
    int descriptor;     /* a duplicate of the file's, or -1 */
    int flags, access;
    bool tracks;        /* it keeps a descriptor, if there is a file */
} Map;

static TyType map_type;

static Map *as_map(Value v) { return (Map *)ty_object(v); }
static Value system_error(void) { return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL); }
static Value closed_error(void) { return ty_raise(&ty_ValueError, "mmap closed or invalid"); }

static void map_destroy(TyObject *self)
{
    Map *map = (Map *)self;
    if (map->data)
        munmap(map->data, (size_t)map->size);
    if (map->descriptor >= 0)
        close(map->descriptor);
}

/* Takes the lock of a map that is open; else ValueError. */
static bool enter(Map *map, bool *locked)
{
    *locked = ty_object_lock(&map->base);
    if (TY_LIKELY(map->data != NULL))
        return true;
    ty_object_unlock(&map->base, *locked);
    closed_error();
    return false;
}
static void leave(Map *map, bool locked) { ty_object_unlock(&map->base, locked); }
static Value fail(Map *map, bool locked, TyType *type, const char *text)
{
    leave(map, locked);
    return ty_raise(type, "%s", text);
}

static bool is_open(Map *map)
{
    bool locked = ty_object_lock(&map->base), open = map->data != NULL;
    leave(map, locked);
    return open;
}

static bool check_writable(Map *map)
{
    if (map->access != ACCESS_READ)
        return true;
    ty_raise(&ty_TypeError, "mmap can't modify a readonly memory map.");
    return false;
}

/* --- making ---------------------------------------------------------------------------------------------------------------- */

/* Fills in what `access` means, or what flags and protection say about it. */
static bool settle_access(int *access, int *flags, int *protection)
{
    if (*access != ACCESS_DEFAULT && (*flags != MAP_SHARED || *protection != (PROT_READ | PROT_WRITE))) {
        ty_raise(&ty_ValueError, "mmap can't specify both access and flags, prot.");
        return false;
    }
    switch (*access) {
    case ACCESS_READ:
        *protection = PROT_READ;
        return true;
    case ACCESS_WRITE:
        return true;
    case ACCESS_COPY:
        *flags = MAP_PRIVATE;
        return true;
    case ACCESS_DEFAULT:
        if ((*protection & (PROT_READ | PROT_WRITE)) != (PROT_READ | PROT_WRITE))
            *access = *protection & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ;
        return true;
    default:
        ty_raise(&ty_ValueError, "mmap invalid access parameter.");
        return false;
    }
}

/* Checks the length against the file's size, which it is if none was given. */
static bool settle_length(int descriptor, int64_t offset, int64_t *length)
{
    struct stat status;
    ty_blocking_begin();
    int result = fstat(descriptor, &status);
    ty_blocking_end();
    if (result < 0 || !S_ISREG(status.st_mode))
        return true; /* mmap() finds out */
    const char *problem = NULL;
    if (*length == 0 && status.st_size == 0)
        problem = "cannot mmap an empty file";
    else if (*length == 0 && offset >= status.st_size)
        problem = "mmap offset is greater than file size";
    else if (*length && (offset > status.st_size || status.st_size - offset < *length))
        problem = "mmap length is greater than file size";
    else if (*length == 0)
        *length = status.st_size - offset;
    if (problem)
        ty_raise(&ty_ValueError, "%s", problem);
    return !problem;
}

/* mmap()'s arguments by position or name; the seventh by name alone. The errors name no function. */
static bool take_arguments(const Value *arguments, size_t count, Value keywords, Value a[7])
{
    static TySignature signature = TY_SIGNATURE("mmap(fileno, length, flags=MAP_SHARED, prot=PROT_READ|PROT_WRITE, access=ACCESS_DEFAULT, offset=0, *, trackfd=True)");
    return ty_parse_arguments(&signature, arguments, count, keywords, a);
}

static Value map_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[7];
    int32_t descriptor, flags = MAP_SHARED, protection = PROT_READ | PROT_WRITE, access = ACCESS_DEFAULT;
    int64_t length, offset = 0;
    bool tracks = true;
    if (!take_arguments(arguments, count, keywords, a) || !ty_to_int32(a[0], &descriptor) || !ty_to_size(a[1], &length) ||
        (a[2] != TY_NULL && !ty_to_int32(a[2], &flags)) || (a[3] != TY_NULL && !ty_to_int32(a[3], &protection)) ||
        (a[4] != TY_NULL && !ty_to_int32(a[4], &access)) || (a[5] != TY_NULL && !ty_to_int64(a[5], &offset)) ||
        (a[6] != TY_NULL && !ty_to_bool(a[6], &tracks)))
        return TY_NULL;
    if (length < 0 || offset < 0)
        return ty_raise(&ty_OverflowError, length < 0 ? "memory mapped length must be positive" : "memory mapped offset must be positive");
    if (!settle_access(&access, &flags, &protection) || (descriptor != -1 && !settle_length(descriptor, offset, &length)))
        return TY_NULL;
    Value made = ty_type_allocate(type, 0);
    if (made == TY_NULL)
        return TY_NULL;
    Map *map = as_map(made);
    map->descriptor = -1;
    map->offset = offset, map->flags = flags, map->access = access, map->tracks = tracks;
    if (descriptor == -1)
        flags |= MAP_ANONYMOUS;
    else if (tracks && (map->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) < 0)
        return system_error();
    ty_blocking_begin();
    void *data = mmap(NULL, (size_t)length, protection, flags, descriptor, offset);
    ty_blocking_end();
    if (data == MAP_FAILED) {
        int error = errno;
        if (map->descriptor >= 0)
            close(map->descriptor);
        map->descriptor = -1;
        errno = error;
        return system_error();
    }
    map->size = length;
    map->data = data;
    return made;
}

static Value map_repr(Value self)
{
    static const char *const names[] = {"ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY"};
    Map *map = as_map(self);
    bool locked = ty_object_lock(&map->base), open = map->data != NULL;
    int64_t size = map->size, position = map->position;
    leave(map, locked);
    const char *name = ty_type_of(self)->name;
    if (!open)
        return ty_str_format("<%s closed=True>", name);
    return ty_str_format("<%s closed=False, access=%s, length=%lld, pos=%lld, offset=%lld>", name, names[map->access], (long long)size,
                         (long long)position, (long long)map->offset);
}

/* --- closing and resizing ---------------------------------------------------------------------------------------------------- */

static Value map_close(Value self, Value *a)
{
    Map *map = as_map(self);
    bool locked = ty_object_lock(&map->base);
    if (map->exports > 0)
        return fail(map, locked, &ty_BufferError, "cannot close exported pointers exist");
    void *data = map->data;
    int descriptor = map->descriptor;
    map->data = NULL;
    map->descriptor = -1;
    leave(map, locked);
    ty_blocking_begin();
    if (descriptor >= 0)
        close(descriptor);
    if (data)
        munmap(data, (size_t)map->size);
    ty_blocking_end();
    return TY_NONE;
}

static Value map_enter(Value self, Value *a)
{
    bool locked;
    if (!enter(as_map(self), &locked))
        return TY_NULL;
    leave(as_map(self), locked);
    return self;
}

static Value map_exit(Value self, Value *a) { return map_close(self, NULL); }

static Value map_resize(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t size;
    bool locked;
    if (!ty_to_size(a[0], &size) || !enter(map, &locked))
        return TY_NULL;
    if (map->exports > 0)
        return fail(map, locked, &ty_BufferError, "mmap can't resize with extant buffers exported.");
    if (!map->tracks)
        return fail(map, locked, &ty_ValueError, "mmap can't resize with trackfd=False.");
    if (map->access == ACCESS_READ || map->access == ACCESS_COPY)
        return fail(map, locked, &ty_TypeError, "mmap can't resize a readonly or copy-on-write memory map.");
    if (size < 0 || INT64_MAX - size < map->offset)
        return fail(map, locked, &ty_ValueError, "new size out of range");
    if (map->descriptor == -1 && !(map->flags & MAP_PRIVATE) && size > map->size)
        return fail(map, locked, &ty_ValueError, "mmap: can't expand a shared anonymous mapping");
    void *data = MAP_FAILED;
    if (map->descriptor == -1 || ftruncate(map->descriptor, map->offset + size) == 0)
        data = mremap(map->data, (size_t)map->size, (size_t)size, MREMAP_MAYMOVE);
    if (data != MAP_FAILED) {
        map->data = data;
        map->size = size;
    }
    leave(map, locked);
    return data == MAP_FAILED ? system_error() : TY_NONE;
}

/* --- the position ---------------------------------------------------------------------------------------------------------------- */

static Value map_tell(Value self, Value *a)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return TY_NULL;
    int64_t position = map->position;
    leave(map, locked);
    return ty_int_from_int64(position);
}

static Value map_seek(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t distance, position;
    int32_t whence = 0;
    bool locked;
    if (!ty_to_size(a[0], &distance) || (a[1] != TY_NULL && !ty_to_int32(a[1], &whence)) || !enter(map, &locked))
        return TY_NULL;
    if (whence < 0 || whence > 2)
        return fail(map, locked, &ty_ValueError, "unknown seek type");
    int64_t origin = whence == 0 ? 0 : whence == 1 ? map->position : map->size;
    if (__builtin_add_overflow(origin, distance, &position) || position < 0 || position > map->size)
        return fail(map, locked, &ty_ValueError, "seek out of range");
    map->position = position;
    leave(map, locked);
    return ty_int_from_int64(position);
}

static Value map_seekable(Value self, Value *a) { return TY_TRUE; }

/* The next `count` bytes, at most; count < 0: all of the rest. */
static Value map_read(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t count = -1;
    bool locked;
    if (a[0] != TY_NULL && a[0] != TY_NONE) {
        if (!ty_has_index(a[0]))
            return ty_raise(&ty_TypeError, "argument should be integer or None, not '%T'", a[0]);
        if (!ty_to_size(a[0], &count))
            return TY_NULL;
    }
    if (!enter(map, &locked))
        return TY_NULL;
    int64_t left = map->position < map->size ? map->size - map->position : 0;
    count = count < 0 || count > left ? left : count;
    Value bytes = ty_bytes_new(map->data + (left ? map->position : 0), (size_t)count);
    if (bytes != TY_NULL)
        map->position += count;
    leave(map, locked);
    return bytes;
}

static Value map_readline(Value self, Value *a)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return TY_NULL;
    int64_t left = map->position < map->size ? map->size - map->position : 0;
    const uint8_t *start = map->data + (left ? map->position : 0), *end = left ? memchr(start, '\n', (size_t)left) : NULL;
    int64_t count = end ? end - start + 1 : left;
    Value bytes = ty_bytes_new(start, (size_t)count);
    if (bytes != TY_NULL)
        map->position += count;
    leave(map, locked);
    return bytes;
}

static Value map_read_byte(Value self, Value *a)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return TY_NULL;
    if (map->position >= map->size)
        return fail(map, locked, &ty_ValueError, "read byte out of range");
    uint8_t byte = map->data[map->position++];
    leave(map, locked);
    return ty_from_immediate_int(byte);
}

static Value map_write(Value self, Value *a)
{
    Map *map = as_map(self);
    TyBytesArgument bytes;
    bool locked;
    if (!ty_bytes_argument(a[0], &bytes))
        return TY_NULL;
    if (!check_writable(map) || !enter(map, &locked)) {
        ty_bytes_argument_release(&bytes);
        return TY_NULL;
    }
    bool fits = map->position <= map->size && map->size - map->position >= bytes.length;
    if (fits) {
        memmove(map->data + map->position, bytes.data, (size_t)bytes.length);
        map->position += bytes.length;
    }
    leave(map, locked);
    ty_bytes_argument_release(&bytes);
    return fits ? ty_int_from_int64(bytes.length) : ty_raise(&ty_ValueError, "data out of range");
}

static Value map_write_byte(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t byte;
    bool locked;
    if (!ty_to_int64(a[0], &byte))
        return TY_NULL;
    if (byte < 0 || byte > 255)
        return ty_raise(&ty_OverflowError, byte < 0 ? "unsigned byte integer is less than minimum" : "unsigned byte integer is greater than maximum");
    if (!check_writable(map) || !enter(map, &locked))
        return TY_NULL;
    if (map->position >= map->size)
        return fail(map, locked, &ty_ValueError, "write byte out of range");
    map->data[map->position++] = (uint8_t)byte;
    leave(map, locked);
    return TY_NONE;
}

/* --- searching, moving, flushing ------------------------------------------------------------------------------------------------- */

static Value search(Value self, Value *a, bool last)
{
    Map *map = as_map(self);
    int64_t start = 0, end = 0;
    bool has_start = a[1] != TY_NULL && a[1] != TY_NONE, has_end = a[2] != TY_NULL && a[2] != TY_NONE, locked;
    TyBytesArgument view;
    if ((has_start && !ty_to_size(a[1], &start)) || (has_end && !ty_to_size(a[2], &end)) || !ty_bytes_argument(a[0], &view))
        return TY_NULL;
    if (!enter(map, &locked)) {
        ty_bytes_argument_release(&view);
        return TY_NULL;
    }
    start = has_start ? start : map->position;
    end = has_end ? end : map->size;
    start = start < 0 ? TY_MAX(start + map->size, 0) : TY_MIN(start, map->size);
    end = end < 0 ? TY_MAX(end + map->size, 0) : TY_MIN(end, map->size);
    int64_t place = end - start < view.length ? -1 : (last ? ty_rfind : ty_find)(map->data + start, end - start, view.data, view.length, 1);
    leave(map, locked);
    ty_bytes_argument_release(&view);
    return ty_int_from_int64(place < 0 ? -1 : start + place);
}
static Value map_find(Value self, Value *a) { return search(self, a, false); }
static Value map_rfind(Value self, Value *a) { return search(self, a, true); }

static Value map_move(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t to, from, count;
    bool locked;
    if (!ty_to_size(a[0], &to) || !ty_to_size(a[1], &from) || !ty_to_size(a[2], &count) || !check_writable(map) || !enter(map, &locked))
        return TY_NULL;
    if (to < 0 || from < 0 || count < 0 || map->size - to < count || map->size - from < count)
        return fail(map, locked, &ty_ValueError, "source, destination, or count out of range");
    memmove(map->data + to, map->data + from, (size_t)count);
    leave(map, locked);
    return TY_NONE;
}

static Value map_flush(Value self, Value *a)
{
    Map *map = as_map(self);
    int64_t offset = 0, size = 0;
    bool locked, has_size = a[1] != TY_NULL && a[1] != TY_NONE;
    if ((a[0] != TY_NULL && !ty_to_size(a[0], &offset)) || (has_size && !ty_to_size(a[1], &size)) || !enter(map, &locked))
        return TY_NULL;
    if (!has_size)
        size = map->size;
    if (size < 0 || offset < 0 || map->size - offset < size)
        return fail(map, locked, &ty_ValueError, "flush values out of range");
    bool writes = map->access != ACCESS_READ && map->access != ACCESS_COPY;
    uint8_t *start = map->data + offset;
    map->exports += writes;
    leave(map, locked);
    if (!writes)
        return TY_NONE;
    ty_blocking_begin();
    int result = msync(start, (size_t)size, MS_SYNC);
    ty_blocking_end();
    int error = errno;
    locked = ty_object_lock(&map->base);
    map->exports--;
    leave(map, locked);
    errno = error;
    return result < 0 ? system_error() : TY_NONE;
}

static Value map_madvise(Value self, Value *a)
{
    Map *map = as_map(self);
    int32_t advice;
    int64_t start = 0, length = 0;
    bool locked, has_length = a[2] != TY_NULL && a[2] != TY_NONE;
    if (!ty_to_int32(a[0], &advice) || (a[1] != TY_NULL && !ty_to_size(a[1], &start)) || (has_length && !ty_to_size(a[2], &length)) ||
        !enter(map, &locked))
        return TY_NULL;
    if (!has_length)
        length = map->size;
    if (start < 0 || start >= map->size)
        return fail(map, locked, &ty_ValueError, "madvise start out of bounds");
    if (length < 0)
        return fail(map, locked, &ty_ValueError, "madvise length invalid");
    if (INT64_MAX - start < length)
        return fail(map, locked, &ty_OverflowError, "madvise length too large");
    int result = madvise(map->data + start, (size_t)TY_MIN(length, map->size - start), advice);
    leave(map, locked);
    return result < 0 ? system_error() : TY_NONE;
}

static Value map_size(Value self, Value *a)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return TY_NULL;
    struct stat status;
    int result = fstat(map->descriptor, &status);
    leave(map, locked);
    return result < 0 ? system_error() : ty_int_from_int64(status.st_size);
}

/* --- as a sequence -------------------------------------------------------------------------------------------------------------------- */

static int64_t map_length(Value self)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return -1;
    int64_t size = map->size;
    leave(map, locked);
    return size;
}

/* The byte at an index, which counts from the end if it is negative: -1 with an exception if there is none. */
static int byte_at(Map *map, int64_t index)
{
    bool locked;
    if (!enter(map, &locked))
        return -1;
    index += index < 0 ? map->size : 0;
    if (index < 0 || index >= map->size) {
        fail(map, locked, &ty_IndexError, "mmap index out of range");
        return -1;
    }
    int byte = map->data[index];
    leave(map, locked);
    return byte;
}

/* Iterating gives bytes objects, subscripting numbers: so it has always been. */
static Value map_item(Value self, int64_t index)
{
    int byte = index < 0 ? (ty_raise(&ty_IndexError, "mmap index out of range"), -1) : byte_at(as_map(self), index);
    uint8_t data = (uint8_t)byte;
    return byte < 0 ? TY_NULL : ty_bytes_new(&data, 1);
}

static Value map_get_slice(Map *map, Value slice)
{
    int64_t start, stop, step;
    bool locked;
    if (!ty_slice_unpack(slice, &start, &stop, &step) || !enter(map, &locked))
        return TY_NULL;
    int64_t count = ty_slice_adjust(map->size, &start, &stop, step);
    Value bytes = ty_bytes_new(step == 1 && count ? map->data + start : NULL, (size_t)count);
    if (step != 1 && bytes != TY_NULL)
        for (int64_t i = 0; i < count; i++)
            ty_as_bytes(bytes)->data[i] = map->data[start + i * step];
    leave(map, locked);
    return bytes;
}

static Value map_get_item(Value self, Value key)
{
    Map *map = as_map(self);
    if (!is_open(map))
        return closed_error();
    if (ty_is_slice(key))
        return map_get_slice(map, key);
    int64_t index;
    if (!ty_has_index(key))
        return ty_raise(&ty_TypeError, "mmap indices must be integers");
    if (!ty_subscript_index(key, &index))
        return TY_NULL;
    int byte = byte_at(map, index);
    return byte < 0 ? TY_NULL : ty_from_immediate_int(byte);
}

static bool map_set_slice(Map *map, Value slice, Value value)
{
    int64_t start, stop, step;
    bool locked;
    TyBytesArgument bytes;
    if (!ty_slice_unpack(slice, &start, &stop, &step))
        return false;
    if (value == TY_NULL) {
        ty_raise(&ty_TypeError, "mmap object doesn't support slice deletion");
        return false;
    }
    if (!ty_bytes_argument(value, &bytes))
        return false;
    if (!enter(map, &locked)) {
        ty_bytes_argument_release(&bytes);
        return false;
    }
    int64_t count = ty_slice_adjust(map->size, &start, &stop, step);
    bool fits = count == bytes.length;
    if (fits && step == 1 && count)
        memmove(map->data + start, bytes.data, (size_t)count);
    else if (fits)
        for (int64_t i = 0; i < count; i++)
            map->data[start + i * step] = bytes.data[i];
    leave(map, locked);
    ty_bytes_argument_release(&bytes);
    if (!fits)
        ty_raise(&ty_IndexError, "mmap slice assignment is wrong size");
    return fits;
}

/* The byte that is assigned to an item. */
static bool item_value(Value value, uint8_t *out)
{
    int64_t number;
    if (value == TY_NULL || !ty_has_index(value)) {
        ty_raise(&ty_TypeError, value == TY_NULL ? "mmap doesn't support item deletion" : "mmap item value must be an int");
        return false;
    }
    if (!ty_to_size(value, &number))
        return false;
    if (number < 0 || number > 255) {
        ty_raise(&ty_ValueError, "mmap item value must be in range(0, 256)");
        return false;
    }
    *out = (uint8_t)number;
    return true;
}

static bool map_set_item(Value self, Value key, Value value)
{
    Map *map = as_map(self);
    int64_t index;
    uint8_t byte;
    bool locked;
    if (!is_open(map)) {
        closed_error();
        return false;
    }
    if (!check_writable(map))
        return false;
    if (ty_is_slice(key))
        return map_set_slice(map, key, value);
    if (!ty_has_index(key)) {
        ty_raise(&ty_TypeError, "mmap indices must be integer");
        return false;
    }
    if (!ty_subscript_index(key, &index) || (value != TY_NULL && !ty_has_index(value) && !item_value(value, &byte)))
        return false;
    int64_t size = map_length(self);
    if (size < 0)
        return false;
    if ((index < 0 ? index + size : index) < 0 || index >= size) {
        ty_raise(&ty_IndexError, "mmap index out of range");
        return false;
    }
    if (!item_value(value, &byte) || !enter(map, &locked)) /* which may have run Python: the bounds are looked at again */
        return false;
    index += index < 0 ? map->size : 0;
    bool inside = index >= 0 && index < map->size;
    if (inside)
        map->data[index] = byte;
    leave(map, locked);
    if (!inside)
        ty_raise(&ty_IndexError, "mmap index out of range");
    return inside;
}

static bool map_get_buffer(Value self, TyBuffer *view, int flags)
{
    Map *map = as_map(self);
    bool locked;
    if (!enter(map, &locked))
        return false;
    map->exports++;
    leave(map, locked);
    if (ty_buffer_fill(view, self, map->data, map->size, map->access == ACCESS_READ, flags))
        return true;
    locked = ty_object_lock(&map->base);
    map->exports--;
    leave(map, locked);
    return false;
}

static void map_release_buffer(Value self, TyBuffer *view)
{
    bool locked = ty_object_lock(ty_object(self));
    as_map(self)->exports--;
    leave(as_map(self), locked);
}

static Value get_closed(Value self) { return ty_from_bool(!is_open(as_map(self))); }

/* --- tables -------------------------------------------------------------------------------------------------------------------------------- */

static const TyGetSetDef map_getsets[] = {{"closed", get_closed, NULL, NULL}, {0}};

static const TyNativeDef map_methods[] = {
    TY_METHOD("close(self, /)", map_close, "Ends the mapping; BufferError while views of it exist."),
    TY_METHOD("find(self, view, start=None, end=None, /)", map_find, "The first place of the bytes between start (by default the position) and end, or -1."),
    TY_METHOD("rfind(self, view, start=None, end=None, /)", map_rfind, "The last place of the bytes between start (by default the position) and end, or -1."),
    TY_METHOD("flush(self, offset=0, size=None, /)", map_flush, "Has changes written to the file."),
    TY_METHOD("madvise(self, option, start=0, length=None, /)", map_madvise, "Tells the system how the memory will be used."),
    TY_METHOD("move(self, dest, src, count, /)", map_move, "Copies count bytes from offset src to offset dest."),
    TY_METHOD("read(self, n=None, /)", map_read, "The next n bytes, or all that follow the position."),
    TY_METHOD("read_byte(self, /)", map_read_byte, "The next byte, as an int."),
    TY_METHOD("readline(self, /)", map_readline, "The bytes up to the end of the line."),
    TY_METHOD("resize(self, newsize, /)", map_resize, "Gives the mapping, and its file, another size."),
    TY_METHOD("seek(self, pos, whence=0, /)", map_seek, "Moves the position and returns it."),
    TY_METHOD("seekable(self, /)", map_seekable, "True."),
    TY_METHOD("size(self, /)", map_size, "The size of the file."),
    TY_METHOD("tell(self, /)", map_tell, "The position."),
    TY_METHOD("write(self, bytes, /)", map_write, "Writes the bytes at the position and returns their number."),
    TY_METHOD("write_byte(self, byte, /)", map_write_byte, "Writes one byte, an int, at the position."),
    TY_METHOD("__enter__(self, /)", map_enter, NULL),
    TY_METHOD("__exit__(self, exc_type, exc_value, traceback, /)", map_exit, NULL),
    {0},
};

static TyType map_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Map), .destroy = map_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE,
    .name = "mmap.mmap",
    .doc = "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\n"
           "Maps length bytes of the file of a descriptor; 0: all of it. -1 instead of a descriptor maps anonymous memory.\n"
           "flags tells whether changes are seen by others (MAP_SHARED) or private; access says the same and more portably.\n"
           "With trackfd=False no duplicate of the descriptor is kept, and the mapping can't be resized.",
    .slots = {
        .repr = map_repr, .new = map_new, .length = map_length, .item = map_item, .get_item = map_get_item, .set_item = map_set_item,
        .get_buffer = map_get_buffer, .release_buffer = map_release_buffer,
    },
    .methods = map_methods,
    .getsets = map_getsets,
};

static const struct { const char *name; int64_t value; } constants[] = {
#define C(name) {#name, name}
    C(PROT_EXEC), C(PROT_READ), C(PROT_WRITE), C(MAP_SHARED), C(MAP_PRIVATE), C(MAP_DENYWRITE), C(MAP_EXECUTABLE), C(MAP_ANON), C(MAP_ANONYMOUS),
    C(MAP_POPULATE), C(MAP_STACK), C(MAP_NORESERVE), C(ACCESS_DEFAULT), C(ACCESS_READ), C(ACCESS_WRITE), C(ACCESS_COPY), C(MADV_NORMAL), C(MADV_RANDOM),
#ifdef MAP_32BIT
    C(MAP_32BIT),
#endif
    C(MADV_SEQUENTIAL), C(MADV_WILLNEED), C(MADV_DONTNEED), C(MADV_REMOVE), C(MADV_DONTFORK), C(MADV_DOFORK), C(MADV_HWPOISON), C(MADV_MERGEABLE),
    C(MADV_UNMERGEABLE), C(MADV_HUGEPAGE), C(MADV_NOHUGEPAGE), C(MADV_DONTDUMP), C(MADV_DODUMP), C(MADV_FREE),
#undef C
};

static bool execute(Value module)
{
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    int64_t page = sysconf(_SC_PAGESIZE);
    return ty_module_add_int(module, "PAGESIZE", page) && ty_module_add_int(module, "ALLOCATIONGRANULARITY", page) &&
           ty_module_add(module, "error", ty_from_object(&ty_OSError));
}

static TyType *const types[] = {&map_type, NULL};

const TyModuleDef ty_module_mmap = {
    .name = "mmap",
    .doc = "Files mapped into memory.",
    .types = types,
    .execute = execute,
};
