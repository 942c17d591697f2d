/* The transcript: what streams of all interpreters write to standard output and standard error, in the order in which it went there. A notebook keeps one for the
 * outputs of its cells; otherwise there is none, and a write costs one look at a flag more. */
#include "modules/_io/io.h"
#include "object/list.h"
#include "object/tuple.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Piece {
    struct Piece *next;
    int fd;
    size_t size;
    char bytes[];
} Piece;

static _Atomic bool keeping;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over a write and its piece: they have the same order */
static Piece *first, **last = &first;

/* Without memory for it a piece is lost: what was written, was. */
static void keep(int fd, const void *data, size_t size)
{
    Piece *piece = malloc(sizeof *piece + size);
    if (!piece)
        return;
    *piece = (Piece){ .fd = fd, .size = size };
    memcpy(piece->bytes, data, size);
    *last = piece;
    last = &piece->next;
}

int64_t ty_io_write(int fd, const void *data, size_t size)
{
    if (TY_LIKELY(!ty_load_relaxed(&keeping)) || (fd != STDOUT_FILENO && fd != STDERR_FILENO))
        return write(fd, data, size);
    pthread_mutex_lock(&lock);
    ssize_t n = write(fd, data, size);
    int error = errno;
    if (n > 0 && ty_load_relaxed(&keeping))
        keep(fd, data, (size_t)n);
    pthread_mutex_unlock(&lock);
    errno = error;
    return n;
}

/* The child of a fork keeps nothing, and the lock may have had an owner that is not there. */
static void forked(void)
{
    pthread_mutex_init(&lock, NULL);
    ty_store_relaxed(&keeping, false);
    first = NULL;
    last = &first;
}

static void watch_forks(void) { pthread_atfork(NULL, NULL, forked); }

static Piece *take(bool keep_on)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    ty_blocking_begin();
    pthread_mutex_lock(&lock);
    Piece *taken = first;
    first = NULL;
    last = &first;
    ty_store_relaxed(&keeping, keep_on);
    pthread_mutex_unlock(&lock);
    ty_blocking_end();
    return taken;
}

Value ty_io_transcript(Value module, Value *a)
{
    bool keep_on;
    Value list = ty_list_new(0);
    if (list == TY_NULL || !ty_to_bool(a[0], &keep_on))
        return TY_NULL;
    for (Piece *piece = take(keep_on), *next; piece; piece = next) {
        next = piece->next;
        Value bytes = list == TY_NULL ? TY_NULL : ty_bytes_new(piece->bytes, piece->size);
        Value pair = bytes == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_from_immediate_int(piece->fd), bytes);
        if (pair == TY_NULL || !ty_list_append(list, pair))
            list = TY_NULL;
        free(piece);
    }
    return list;
}
