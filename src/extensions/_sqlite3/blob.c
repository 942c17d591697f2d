/* sqlite3.Blob: one cell of a table, read and written in parts. */
#include "internal.h"
#include "object/slice.h"
#include <stdio.h>

typedef struct Blob {
    TyObject base;
    Value connection;
    Handle *handle;
    int64_t position;
} Blob;

static Blob *as_blob(Value v) { return (Blob *)ty_object(v); }
static Connection *connection_of(Blob *b) { return (Connection *)ty_object(b->connection); }

static void blob_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Blob *)self)->connection); }
static void blob_destroy(TyObject *self) { sqlite_handle_drop(((Blob *)self)->handle, HANDLE_DEAD); }

Value sqlite_blob_open(Value self, Value *a)
{
    Connection *c = (Connection *)ty_object(self);
    Value table_holder, column_holder, name_holder;
    const char *table = sqlite_text(a[0], "blobopen", "1", &table_holder), *column = table ? sqlite_text(a[1], "blobopen", "2", &column_holder) : NULL;
    int64_t row;
    if (!column || !ty_to_int64(a[2], &row))
        return TY_NULL;
    int read_only = a[3] == TY_NULL ? 0 : ty_is_true(a[3]);
    const char *name = read_only < 0 ? NULL : a[4] == TY_NULL ? "main" : sqlite_text(a[4], "blobopen", "'name'", &name_holder);
    if (!name || !sqlite_enter(c))
        return TY_NULL;
    Blob *blob = (Blob *)ty_object(ty_type_allocate(&sqlite_blob_type, 0));
    Handle *handle = blob ? sqlite_handle_new(c->database) : NULL;
    if (handle) {
        blob->handle = handle;
        ty_store(blob, &blob->connection, self);
        if (BLOCKED(sqlite3_blob_open(sqlite_db(c), name, table, column, row, !read_only, &handle->blob)) != SQLITE_OK)
            sqlite_raise_last(sqlite_db(c));
    }
    sqlite_leave(c);
    return handle && !ty_raised() ? ty_from_object(blob) : TY_NULL;
}

/* Each use of a blob is between these two. */
static bool enter(Blob *b)
{
    Connection *c = connection_of(b);
    if (!sqlite_enter(c))
        return false;
    if (b->handle->blob)
        return true;
    sqlite_leave(c);
    return sqlite_raise(STATE_ProgrammingError, "Cannot operate on a closed blob."), false;
}
static void leave(Blob *b) { sqlite_leave(connection_of(b)); }

static int64_t size_of(Blob *b) { return sqlite3_blob_bytes(b->handle->blob); }

static Value read_bytes(Blob *b, int64_t offset, int64_t length)
{
    Value bytes = ty_bytes_new(NULL, (size_t)length);
    if (bytes == TY_NULL)
        return TY_NULL;
    void *target = (void *)ty_bytes_data(bytes);
    if (length && BLOCKED(sqlite3_blob_read(b->handle->blob, target, (int)length, (int)offset)) != SQLITE_OK)
        return sqlite_raise_last(sqlite_db(connection_of(b)));
    return bytes;
}

static bool write_bytes(Blob *b, const void *data, int64_t length, int64_t offset)
{
    if (length > size_of(b) - offset)
        return ty_raise(&ty_ValueError, "data longer than blob length"), false;
    if (length && BLOCKED(sqlite3_blob_write(b->handle->blob, data, (int)length, (int)offset)) != SQLITE_OK)
        return sqlite_raise_last(sqlite_db(connection_of(b))), false;
    return true;
}

static Value blob_close(Value self, Value *a)
{
    Blob *b = as_blob(self);
    Connection *c = connection_of(b);
    if (!sqlite_enter(c))
        return TY_NULL;
    sqlite3_blob *blob = b->handle->blob;
    b->handle->blob = NULL;
    BLOCKED(sqlite3_blob_close(blob));
    sqlite_leave(c);
    return TY_NONE;
}

static Value blob_read(Value self, Value *a)
{
    Blob *b = as_blob(self);
    int32_t wanted = -1;
    if ((a[0] != TY_NULL && !ty_to_int32(a[0], &wanted)) || !enter(b))
        return TY_NULL;
    int64_t left = size_of(b) - b->position, length = wanted < 0 || wanted > left ? left : wanted;
    Value bytes = read_bytes(b, b->position, length);
    if (bytes != TY_NULL)
        b->position += length;
    leave(b);
    return bytes;
}

static Value blob_write(Value self, Value *a)
{
    Blob *b = as_blob(self);
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value result = TY_NULL;
    if (enter(b)) {
        if (write_bytes(b, view.data, view.length, b->position)) {
            b->position += view.length;
            result = TY_NONE;
        }
        leave(b);
    }
    ty_buffer_release(&view);
    return result;
}

static bool to_int(Value v, int32_t *out)
{
    int64_t wide;
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    if (ty_int_get_int64(index, &wide) != 0 || wide < INT32_MIN || wide > INT32_MAX)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C int"), false;
    *out = (int32_t)wide;
    return true;
}

static Value blob_seek(Value self, Value *a)
{
    Blob *b = as_blob(self);
    int32_t offset, origin = SEEK_SET;
    if (!to_int(a[0], &offset) || (a[1] != TY_NULL && !to_int(a[1], &origin)) || !enter(b))
        return TY_NULL;
    int64_t size = size_of(b), position = offset;
    Value result = TY_NONE;
    if (origin == SEEK_CUR || origin == SEEK_END)
        position += origin == SEEK_CUR ? b->position : size;
    else if (origin != SEEK_SET)
        result = ty_raise(&ty_ValueError, "'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END");
    if (result != TY_NULL && position > INT32_MAX)
        result = ty_raise(&ty_OverflowError, "seek offset results in offset overflow");
    else if (result != TY_NULL && (position < 0 || position > size))
        result = ty_raise(&ty_ValueError, "offset out of blob range");
    if (result != TY_NULL)
        b->position = position;
    leave(b);
    return result;
}

static Value blob_tell(Value self, Value *a)
{
    Blob *b = as_blob(self);
    if (!enter(b))
        return TY_NULL;
    int64_t position = b->position;
    leave(b);
    return ty_int_from_int64(position);
}

static Value blob_enter(Value self, Value *a)
{
    if (!enter(as_blob(self)))
        return TY_NULL;
    leave(as_blob(self));
    return self;
}

static Value blob_exit(Value self, Value *a)
{
    if (!enter(as_blob(self)))
        return TY_NULL;
    leave(as_blob(self));
    return blob_close(self, a) == TY_NULL ? TY_NULL : TY_FALSE;
}

static int64_t blob_length(Value self)
{
    Blob *b = as_blob(self);
    if (!enter(b))
        return -1;
    int64_t size = size_of(b);
    leave(b);
    return size;
}

/* -1 with an exception */
static int64_t index_of(Blob *b, Value key)
{
    int64_t index, size = size_of(b);
    Value number = ty_number_index(key);
    if (number == TY_NULL)
        return -1;
    if (ty_int_get_int64(number, &index) != 0)
        return ty_raise(&ty_IndexError, "cannot fit '%T' into an index-sized integer", key), -1;
    if (index < 0)
        index += size;
    return index >= 0 && index < size ? index : (ty_raise(&ty_IndexError, "Blob index out of range"), -1);
}

static Value get_slice(Blob *b, Value key)
{
    int64_t start, stop, step;
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    int64_t count = ty_slice_adjust(size_of(b), &start, &stop, step);
    if (step == 1 || count == 0)
        return read_bytes(b, count ? start : 0, count);
    int64_t low = step > 0 ? start : start + (count - 1) * step, high = step > 0 ? start + (count - 1) * step : start;
    Value all = read_bytes(b, low, high - low + 1), bytes = all == TY_NULL ? TY_NULL : ty_bytes_new(NULL, (size_t)count);
    for (int64_t i = 0; bytes != TY_NULL && i < count; i++)
        ((uint8_t *)ty_bytes_data(bytes))[i] = ty_bytes_data(all)[start + i * step - low];
    return bytes;
}

static bool set_slice(Blob *b, Value key, Value value)
{
    int64_t start, stop, step;
    TyBuffer view;
    if (!ty_slice_unpack(key, &start, &stop, &step) || !ty_buffer_get(value, &view, TY_BUFFER_SIMPLE))
        return false;
    int64_t count = ty_slice_adjust(size_of(b), &start, &stop, step);
    bool good = true;
    if (view.length != count) {
        good = false;
        ty_raise(&ty_IndexError, "Blob slice assignment is wrong size");
    } else if (step == 1) {
        good = count == 0 || write_bytes(b, view.data, count, start);
    } else if (count) {
        int64_t low = step > 0 ? start : start + (count - 1) * step, high = step > 0 ? start + (count - 1) * step : start;
        Value all = read_bytes(b, low, high - low + 1);
        good = all != TY_NULL;
        for (int64_t i = 0; good && i < count; i++)
            ((uint8_t *)ty_bytes_data(all))[start + i * step - low] = view.data[i];
        good = good && write_bytes(b, ty_bytes_data(all), high - low + 1, low);
    }
    ty_buffer_release(&view);
    return good;
}

static bool is_slice(Value key) { return ty_is_exact(key, &ty_slice_type); }

static Value blob_get_item(Value self, Value key)
{
    Blob *b = as_blob(self);
    if (!enter(b))
        return TY_NULL;
    Value result;
    if (is_slice(key)) {
        result = get_slice(b, key);
    } else if (!ty_has_index(key)) {
        result = ty_raise(&ty_TypeError, "Blob indices must be integers");
    } else {
        int64_t index = index_of(b, key);
        result = index < 0 ? TY_NULL : read_bytes(b, index, 1);
        if (result != TY_NULL)
            result = ty_from_immediate_int(ty_bytes_data(result)[0]);
    }
    leave(b);
    return result;
}

static bool set_byte(Blob *b, Value key, Value value)
{
    int64_t index = index_of(b, key), number;
    if (index < 0)
        return false;
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "Blob doesn't support item deletion"), false;
    if (!ty_is_int(value))
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer", value), false;
    if (ty_int_get_int64(value, &number) != 0 || number < 0 || number > 255)
        return ty_raise(&ty_ValueError, "byte must be in range(0, 256)"), false;
    uint8_t byte = (uint8_t)number;
    return write_bytes(b, &byte, 1, index);
}

static bool blob_set_item(Value self, Value key, Value value)
{
    Blob *b = as_blob(self);
    if (!enter(b))
        return false;
    bool good = false;
    if (is_slice(key)) {
        if (value == TY_NULL)
            ty_raise(&ty_TypeError, "Blob doesn't support slice deletion");
        else
            good = set_slice(b, key, value);
    } else if (!ty_has_index(key)) {
        ty_raise(&ty_TypeError, "Blob indices must be integers");
    } else {
        good = set_byte(b, key, value);
    }
    leave(b);
    return good;
}

static const TyNativeDef blob_methods[] = {
    TY_METHOD("close(self, /)", blob_close, "Closes the blob."),
    TY_METHOD("read(self, length=-1, /)", blob_read, "So many bytes from the current place on; all that are left if the length is negative."),
    TY_METHOD("write(self, data, /)", blob_write, "Writes at the current place; the size of a blob never changes."),
    TY_METHOD("seek(self, offset, origin=0, /)", blob_seek, "Moves the current place."),
    TY_METHOD("tell(self, /)", blob_tell, "The current place."),
    TY_METHOD("__enter__(self, /)", blob_enter, "The blob."),
    TY_METHOD("__exit__(self, type, val, tb, /)", blob_exit, "Closes the blob."),
    {0},
};

TyType sqlite_blob_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Blob), .trace = blob_trace, .destroy = blob_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .name = "sqlite3.Blob",
    .parent = &ty_object_base_type,
    .slots = {.length = blob_length, .get_item = blob_get_item, .set_item = blob_set_item},
    .methods = blob_methods,
};
