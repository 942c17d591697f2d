/* What OpenSSL reads from and writes to: sockets, which it never waits for, and MemoryBIO. */
#include "ssl.h"
#include "modules/socket.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

/* --- sockets ----------------------------------------------------------------------------------------------------------------------- */

/* Both directions of a socket. The BIO's data is the connection, which holds the socket and outlives its SSL object. */
static int finish(BIO *bio, ssize_t result, int retry_flag)
{
    Connection *connection = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    connection->input_error = 0;
    if (result >= 0)
        return (int)result;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    else
        connection->input_error = errno;
    return -1;
}

static int socket_read(BIO *bio, char *data, int size)
{
    Connection *connection = BIO_get_data(bio);
    ssize_t got = recv(ty_socket_descriptor(connection->socket), data, (size_t)size, MSG_DONTWAIT);
    BIO_clear_flags(bio, BIO_FLAGS_IN_EOF);
    if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return finish(bio, got, BIO_FLAGS_READ);
}

static int socket_write(BIO *bio, const char *data, int size)
{
    Connection *connection = BIO_get_data(bio);
    return finish(bio, send(ty_socket_descriptor(connection->socket), data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    switch (command) {
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_CTRL_FLUSH: case BIO_CTRL_DUP: return 1;
    default: return 0;
    }
}

static int start(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *_Atomic socket_method, *_Atomic pipe_method; /* made once, for the life of the process */

static BIO_METHOD *method(BIO_METHOD *_Atomic *place, const char *name, int (*read)(BIO *, char *, int), int (*write)(BIO *, const char *, int),
                          long (*control)(BIO *, int, long, void *), int (*destroy)(BIO *))
{
    BIO_METHOD *made = ty_load_acquire(place), *none = NULL;
    if (made)
        return made;
    made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name);
    if (!made)
        return NULL;
    BIO_meth_set_read(made, read);
    BIO_meth_set_write(made, write);
    BIO_meth_set_ctrl(made, control);
    BIO_meth_set_create(made, start);
    BIO_meth_set_destroy(made, destroy);
    if (atomic_compare_exchange_strong(place, &none, made))
        return made;
    BIO_meth_free(made);
    return none;
}

BIO *tls_socket_bio(Connection *connection)
{
    BIO_METHOD *kind = method(&socket_method, "Python socket", socket_read, socket_write, socket_control, NULL);
    BIO *bio = kind ? BIO_new(kind) : NULL;
    if (bio)
        BIO_set_data(bio, connection);
    return bio;
}

/* --- MemoryBIO ---------------------------------------------------------------------------------------------------------------------------- */

struct Pipe {
    _Atomic int users;  /* the MemoryBIO and the BIOs of connections */
    TyMutex mutex;      /* over all that follows */
    uint8_t *data;
    size_t start, length, capacity;
    bool ended;
};

static void pipe_drop(Pipe *pipe)
{
    if (!pipe || atomic_fetch_sub_explicit(&pipe->users, 1, memory_order_acq_rel) > 1)
        return;
    free(pipe->data);
    free(pipe);
}

/* Takes from the start: how many bytes there were, at most `size`. */
static size_t pipe_take(Pipe *pipe, void *target, size_t size)
{
    size_t count = TY_MIN(size, pipe->length);
    if (count)
        memcpy(target, pipe->data + pipe->start, count);
    pipe->start += count;
    pipe->length -= count;
    if (pipe->length == 0)
        pipe->start = 0;
    return count;
}

static bool pipe_add(Pipe *pipe, const void *data, size_t size)
{
    if (pipe->start + pipe->length + size > pipe->capacity) {
        size_t capacity = TY_MAX(pipe->length + size, pipe->length * 2);
        uint8_t *room = malloc(capacity);
        if (!room)
            return false;
        if (pipe->length)
            memcpy(room, pipe->data + pipe->start, pipe->length);
        free(pipe->data);
        pipe->data = room;
        pipe->start = 0;
        pipe->capacity = capacity;
    }
    if (size)
        memcpy(pipe->data + pipe->start + pipe->length, data, size);
    pipe->length += size;
    return true;
}

static int pipe_read(BIO *bio, char *data, int size)
{
    Pipe *pipe = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ty_mutex_lock(&pipe->mutex);
    int count = (int)pipe_take(pipe, data, (size_t)TY_MAX(size, 0));
    bool ended = pipe->ended;
    ty_mutex_unlock(&pipe->mutex);
    if (count > 0 || ended)
        return count;
    BIO_set_retry_read(bio);
    return -1;
}

static int pipe_write(BIO *bio, const char *data, int size)
{
    Pipe *pipe = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ty_mutex_lock(&pipe->mutex);
    bool added = pipe_add(pipe, data, (size_t)TY_MAX(size, 0));
    ty_mutex_unlock(&pipe->mutex);
    return added ? size : -1;
}

static long pipe_control(BIO *bio, int command, long number, void *pointer)
{
    Pipe *pipe = BIO_get_data(bio);
    long result = 0;
    if (command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP)
        return 1;
    if (command != BIO_CTRL_EOF && command != BIO_CTRL_PENDING)
        return 0;
    ty_mutex_lock(&pipe->mutex);
    result = command == BIO_CTRL_PENDING ? (long)pipe->length : pipe->ended && pipe->length == 0;
    ty_mutex_unlock(&pipe->mutex);
    return result;
}

static int pipe_destroy(BIO *bio)
{
    pipe_drop(BIO_get_data(bio));
    return 1;
}

BIO *tls_pipe_bio(Value memory_bio)
{
    Pipe *pipe = ((MemoryBio *)ty_object(memory_bio))->pipe;
    BIO_METHOD *kind = method(&pipe_method, "Python MemoryBIO", pipe_read, pipe_write, pipe_control, pipe_destroy);
    BIO *bio = kind ? BIO_new(kind) : NULL;
    if (bio) {
        atomic_fetch_add_explicit(&pipe->users, 1, memory_order_relaxed);
        BIO_set_data(bio, pipe);
    }
    return bio;
}

static void memory_destroy(TyObject *self) { pipe_drop(((MemoryBio *)self)->pipe); }

static Value memory_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count > 0 || (keywords != TY_NULL && ty_tuple_length(keywords) > 0))
        return ty_raise(&ty_TypeError, count ? "MemoryBIO() takes no positional arguments" : "MemoryBIO() takes no keyword arguments");
    Value made = ty_type_allocate(type, 0);
    Pipe *pipe = made == TY_NULL ? NULL : calloc(1, sizeof *pipe);
    if (!pipe)
        return made == TY_NULL ? TY_NULL : ty_raise_memory_error();
    ty_store_relaxed(&pipe->users, 1);
    ((MemoryBio *)ty_object(made))->pipe = pipe;
    return made;
}

static Pipe *pipe_of(Value self)
{
    Pipe *pipe = ((MemoryBio *)ty_object(self))->pipe;
    ty_mutex_lock(&pipe->mutex);
    return pipe;
}

static Value memory_read(Value self, Value *a)
{
    int32_t size = -1;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &size))
        return TY_NULL;
    Pipe *pipe = pipe_of(self);
    size_t there = pipe->length;
    ty_mutex_unlock(&pipe->mutex);
    there = size < 0 ? TY_MIN(there, INT_MAX) : TY_MIN(there, (size_t)size);
    Value bytes = ty_bytes_new(NULL, there);
    if (bytes == TY_NULL || there == 0)
        return bytes;
    pipe_of(self);
    size_t got = pipe_take(pipe, ty_as_bytes(bytes)->data, there);
    ty_mutex_unlock(&pipe->mutex);
    return got == there ? bytes : ty_bytes_shrink(bytes, got);
}

static Value memory_write(Value self, Value *a)
{
    TyBytesArgument data;
    if (!ty_bytes_argument(a[0], &data))
        return TY_NULL;
    bool fits = data.length <= INT_MAX, ended = false, added = false;
    int64_t length = data.length;
    if (fits) {
        Pipe *pipe = pipe_of(self);
        ended = pipe->ended;
        added = !ended && pipe_add(pipe, data.data, (size_t)length);
        ty_mutex_unlock(&pipe->mutex);
    }
    ty_bytes_argument_release(&data);
    if (!fits)
        return ty_raise(&ty_OverflowError, "string longer than %d bytes", INT_MAX);
    if (ended)
        return ty_raise(&tls_error, "cannot write() after write_eof()");
    return added ? ty_int_from_int64(length) : ty_raise_memory_error();
}

static Value memory_write_eof(Value self, Value *a)
{
    Pipe *pipe = pipe_of(self);
    pipe->ended = true;
    ty_mutex_unlock(&pipe->mutex);
    return TY_NONE;
}

static Value get_pending(Value self)
{
    Pipe *pipe = pipe_of(self);
    size_t length = pipe->length;
    ty_mutex_unlock(&pipe->mutex);
    return ty_int_from_uint64(length);
}

static Value get_eof(Value self)
{
    Pipe *pipe = pipe_of(self);
    bool eof = pipe->ended && pipe->length == 0;
    ty_mutex_unlock(&pipe->mutex);
    return ty_from_bool(eof);
}

static const TyNativeDef memory_methods[] = {
    TY_METHOD("read(self, size=-1, /)", memory_read, "Takes up to size bytes, by default all there are; b'' if there are none."),
    TY_METHOD("write(self, b, /)", memory_write, "Adds bytes and returns their number."),
    TY_METHOD("write_eof(self, /)", memory_write_eof, "Nothing will be written any more: reading past the end says so."),
    {0},
};
static const TyGetSetDef memory_getsets[] = {
    {"pending", get_pending, NULL, "The number of bytes pending in the memory BIO."},
    {"eof", get_eof, NULL, "Whether the memory BIO is at EOF."},
    {0},
};

TyType tls_memory_bio_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(MemoryBio), .destroy = memory_destroy},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE,
    .name = "_ssl.MemoryBIO",
    .slots = {.new = memory_new},
    .methods = memory_methods,
    .getsets = memory_getsets,
};
