/* What the modules of compression libraries share: output that grows in native memory, so that a thread can fill it while
 * it counts as blocked, and the state of an object that a stream of data goes through. */
#ifndef TY_MODULES_COMPRESSION_H
#define TY_MODULES_COMPRESSION_H

#include "base/futex.h"
#include "object/bytes.h"

enum { TY_OUTPUT_FIRST = 16 * 1024, TY_COMPRESSION_BLOCKING = 4096 };

typedef struct TyOutput {
    uint8_t *bytes;
    size_t size, capacity;
    size_t limit; /* not more than that */
} TyOutput;

/* Room for at least one more byte; false: the limit is reached, or memory is short. `first`: how much to begin with. */
bool ty_output_grow(TyOutput *output, size_t first);
/* The bytes, or TY_NULL if the work was not good; releases the memory. */
Value ty_output_finish(TyOutput *output, bool good);

/* False with RuntimeError: another thread was in the middle of something with the object when it was left behind by a fork. */
bool ty_stream_usable(TyMutex *mutex);
TY_INLINE Value ty_stream_unlock(TyMutex *mutex, Value result)
{
    ty_mutex_unlock(mutex);
    return result;
}

/* Brackets work on that much input that touches no heap object. */
TY_INLINE bool ty_work_begin(size_t input_size)
{
    if (input_size < TY_COMPRESSION_BLOCKING)
        return false;
    ty_work_section_begin();
    return true;
}
TY_INLINE void ty_work_end(bool blocking)
{
    if (blocking)
        ty_work_section_end();
}

/* A decompressor whose output may be limited: what every one of them has to remember. Fields of a heap object, to be traced. */
typedef struct TyDecompression {
    TyMutex mutex;
    _Atomic bool eof, needs_input;
    bool broken;        /* after an error nothing more can be had */
    Value pending;      /* bytes given but not yet used, or TY_NULL */
    Value unused_data;  /* bytes after the end of the stream */
} TyDecompression;

bool ty_decompression_start(TyDecompression *d, void *owner);
TY_INLINE void ty_decompression_trace(TyDecompression *d, TyMarker *marker)
{
    ty_mark(marker, d->pending);
    ty_mark(marker, d->unused_data);
}
/* A bytes-like object as bytes; before the mutex is taken, for it may run Python. */
Value ty_decompression_bytes(Value v);
/* The method decompress(data, max_length=-1): `run` decompresses what is pending and the new data, with the mutex held. EOFError with the text
 * `ended` after the end of the stream. */
Value ty_decompression_call(TyDecompression *d, void *owner, Value *arguments, Value (*run)(void *owner, Value data, int64_t limit), const char *ended);
/* Files what a run left of its input. `drained`: there can be no more output without input. */
bool ty_decompression_rest(TyDecompression *d, void *owner, const uint8_t *rest, size_t size, bool drained);

#endif
