/* Output that grows, and the bookkeeping of decompressors. */
#include "modules/compression.h"

#include <stdlib.h>

#include "object/buffer.h"
#include "object/exception.h"
#include "object/native.h"

bool ty_stream_usable(TyMutex *mutex)
{
    if (TY_LIKELY(!ty_mutex_is_orphan(mutex)))
        return true;
    ty_raise(&ty_RuntimeError, "another thread was using the object when the process forked");
    return false;
}

bool ty_output_grow(TyOutput *output, size_t first)
{
    if (output->size < output->capacity)
        return true;
    size_t capacity = output->capacity ? output->capacity + TY_MIN(output->capacity, (size_t)64 << 20) : first;
    capacity = TY_MIN(capacity, output->limit);
    if (capacity <= output->capacity)
        return false;
    uint8_t *bytes = realloc(output->bytes, capacity);
    if (!bytes)
        return false;
    output->bytes = bytes;
    output->capacity = capacity;
    return true;
}

Value ty_output_finish(TyOutput *output, bool good)
{
    Value result = good ? ty_bytes_new(output->bytes ? output->bytes : (const uint8_t *)"", output->size) : TY_NULL;
    free(output->bytes);
    output->bytes = NULL;
    return result;
}

bool ty_decompression_start(TyDecompression *d, void *owner)
{
    Value empty = ty_bytes_new("", 0);
    if (empty == TY_NULL)
        return false;
    ty_store(owner, &d->unused_data, empty);
    ty_store_relaxed(&d->needs_input, true);
    return true;
}

Value ty_decompression_bytes(Value v)
{
    if (ty_is_bytes(v))
        return v;
    TyBuffer view;
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value bytes = ty_bytes_new(view.data ? view.data : (const uint8_t *)"", (size_t)view.length);
    ty_buffer_release(&view);
    return bytes;
}

/* What is pending and the new data. */
static Value with_pending(TyDecompression *d, Value bytes)
{
    Value pending = ty_field(&d->pending);
    return pending == TY_NULL ? bytes : ty_bytes_concat(pending, bytes);
}

Value ty_decompression_call(TyDecompression *d, void *owner, Value *arguments, Value (*run)(void *owner, Value data, int64_t limit), const char *ended)
{
    int64_t limit = -1;
    if (!ty_stream_usable(&d->mutex) || (arguments[1] != TY_NULL && !ty_to_size(arguments[1], &limit)))
        return TY_NULL;
    Value result = TY_NULL, data = ty_decompression_bytes(arguments[0]);
    if (data == TY_NULL)
        return TY_NULL;
    ty_mutex_lock_blocking(&d->mutex);
    if (ty_load_relaxed(&d->eof))
        ty_raise(&ty_EOFError, "%s", ended);
    else if (d->broken)
        ty_raise(&ty_ValueError, "Decompressor is unusable after a previous error");
    else if ((data = with_pending(d, data)) != TY_NULL)
        result = run(owner, data, limit);
    return ty_stream_unlock(&d->mutex, result);
}

bool ty_decompression_rest(TyDecompression *d, void *owner, const uint8_t *rest, size_t size, bool drained)
{
    bool eof = ty_load_relaxed(&d->eof);
    Value kept = size ? ty_bytes_new(rest, size) : TY_NULL;
    if (size && kept == TY_NULL)
        return false;
    if (eof && size)
        ty_store(owner, &d->unused_data, kept);
    ty_store(owner, &d->pending, eof ? TY_NULL : kept);
    ty_store_relaxed(&d->needs_input, !eof && size == 0 && drained);
    return true;
}
