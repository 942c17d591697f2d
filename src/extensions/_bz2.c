/* _bz2: bzip2 compression as streams; the rest of bz2 is Python. */
#include <bzlib.h>
#include <stdlib.h>

#include "modules/compression.h"
#include "object/buffer.h"
#include "object/exception.h"
#include "object/native.h"

/* Raises for a code of the library; false if it is none of an error. */
static bool is_error(int code)
{
    switch (code) {
    case BZ_OK:
    case BZ_RUN_OK:
    case BZ_FLUSH_OK:
    case BZ_FINISH_OK:
    case BZ_STREAM_END: return false;
    case BZ_PARAM_ERROR: ty_raise(&ty_ValueError, "Internal error - invalid parameters passed to libbzip2"); break;
    case BZ_MEM_ERROR: ty_raise_memory_error(); break;
    case BZ_DATA_ERROR:
    case BZ_DATA_ERROR_MAGIC: ty_raise(&ty_OSError, "Invalid data stream"); break;
    case BZ_IO_ERROR: ty_raise(&ty_OSError, "Unknown I/O error"); break;
    case BZ_UNEXPECTED_EOF:
        ty_raise(&ty_EOFError, "Compressed file ended before the logical end-of-stream was detected");
        break;
    case BZ_SEQUENCE_ERROR: ty_raise(&ty_RuntimeError, "Internal error - Invalid sequence of commands sent to libbzip2"); break;
    default: ty_raise(&ty_OSError, "Unrecognized error from libbzip2: %d", code); break;
    }
    return true;
}

/* The library counts in 32 bits: how much of the rest it gets at once. */
static unsigned take(size_t *left)
{
    unsigned chunk = (unsigned)TY_MIN(*left, (size_t)UINT32_MAX);
    *left -= chunk;
    return chunk;
}

static void aim_output(bz_stream *stream, TyOutput *out)
{
    stream->next_out = (char *)out->bytes + out->size;
    stream->avail_out = (unsigned)TY_MIN(out->capacity - out->size, (size_t)UINT32_MAX);
}

/* --- BZ2Compressor --------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    bz_stream stream;
    TyMutex mutex;
    bool started, flushed;
} Compressor;

static void compressor_destroy(TyObject *self)
{
    if (((Compressor *)self)->started)
        BZ2_bzCompressEnd(&((Compressor *)self)->stream);
}

static TySignature compressor_signature = TY_SIGNATURE("BZ2Compressor(compresslevel=9, /)");

static Value compressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[1];
    int32_t level = 9;
    if (!ty_parse_arguments(&compressor_signature, arguments, count, keywords, a) || (a[0] != TY_NULL && !ty_to_int32(a[0], &level)))
        return TY_NULL;
    if (level < 1 || level > 9)
        return ty_raise(&ty_ValueError, "compresslevel must be between 1 and 9");
    Compressor *c = (Compressor *)ty_object(ty_type_allocate(type, 0));
    if (!c || is_error(BZ2_bzCompressInit(&c->stream, level, 0, 0)))
        return TY_NULL;
    c->started = true;
    return ty_from_object(c);
}

/* Touches no heap object. */
static int run_compressor(bz_stream *stream, const uint8_t *input, size_t size, int action, TyOutput *out, bool *full)
{
    int code = BZ_OK;
    *full = false;
    stream->next_in = (char *)input;
    stream->avail_in = 0;
    for (;;) {
        if (stream->avail_in == 0 && size)
            stream->avail_in = take(&size);
        if (action == BZ_RUN && stream->avail_in == 0)
            return code;
        if (!ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = true;
            return code;
        }
        aim_output(stream, out);
        size_t room = stream->avail_out;
        code = BZ2_bzCompress(stream, action);
        out->size += room - stream->avail_out;
        if (code < 0 || code == BZ_STREAM_END)
            return code;
    }
}

static Value run(Compressor *c, const uint8_t *input, size_t size, int action)
{
    TyOutput out = {.limit = SIZE_MAX};
    bool full, blocking = ty_work_begin(action == BZ_RUN ? size : SIZE_MAX);
    int code = run_compressor(&c->stream, input, size, action, &out, &full);
    ty_work_end(blocking);
    if (full)
        ty_raise_memory_error();
    return ty_output_finish(&out, !full && !is_error(code));
}

static Value compressor_compress(Value self, Value *a)
{
    Compressor *c = (Compressor *)ty_object(self);
    TyBuffer view;
    if (!ty_stream_usable(&c->mutex))
        return TY_NULL;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    ty_mutex_lock_blocking(&c->mutex);
    Value result = c->flushed ? ty_raise(&ty_ValueError, "Compressor has been flushed")
                              : run(c, view.data, (size_t)view.length, BZ_RUN);
    ty_buffer_release(&view);
    return ty_stream_unlock(&c->mutex, result);
}

static Value compressor_flush(Value self, Value *a)
{
    Compressor *c = (Compressor *)ty_object(self);
    if (!ty_stream_usable(&c->mutex))
        return TY_NULL;
    ty_mutex_lock_blocking(&c->mutex);
    Value result;
    if (c->flushed) {
        result = ty_raise(&ty_ValueError, "Repeated call to flush()");
    } else {
        c->flushed = true;
        result = run(c, (const uint8_t *)"", 0, BZ_FINISH);
    }
    return ty_stream_unlock(&c->mutex, result);
}

static const TyNativeDef compressor_methods[] = {
    TY_METHOD("compress(self, data, /)", compressor_compress, "Compresses the data: the bytes that are ready by now, maybe none."),
    TY_METHOD("flush(self, /)", compressor_flush, "Ends the stream: the bytes that are left."),
    {0},
};

static TyType compressor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Compressor), .destroy = compressor_destroy},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_bz2.BZ2Compressor",
    .doc = "BZ2Compressor(compresslevel=9, /)\n\nA compressor for data that comes in pieces; the level is from 1 to 9.",
    .parent = &ty_object_base_type,
    .slots = {.new = compressor_new},
    .methods = compressor_methods,
};

/* --- BZ2Decompressor ------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    bz_stream stream;
    bool started;
    TyDecompression state;
} Decompressor;

static void decompressor_trace(TyObject *self, TyMarker *marker)
{
    ty_decompression_trace(&((Decompressor *)self)->state, marker);
}

static void decompressor_destroy(TyObject *self)
{
    if (((Decompressor *)self)->started)
        BZ2_bzDecompressEnd(&((Decompressor *)self)->stream);
}

static Value decompressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("BZ2Decompressor", keywords))
        return TY_NULL;
    if (count)
        return ty_raise(&ty_TypeError, "BZ2Decompressor() takes no positional arguments");
    Decompressor *d = (Decompressor *)ty_object(ty_type_allocate(type, 0));
    if (!d || !ty_decompression_start(&d->state, d) || is_error(BZ2_bzDecompressInit(&d->stream, 0, 0)))
        return TY_NULL;
    d->started = true;
    return ty_from_object(d);
}

/* Touches no heap object. Sets what is left of the input. */
static int run_decompressor(bz_stream *stream, const uint8_t **input, size_t *size, TyOutput *out, bool *full)
{
    int code = BZ_OK;
    *full = false;
    stream->next_in = (char *)*input;
    stream->avail_in = 0;
    for (;;) {
        if (stream->avail_in == 0)
            stream->avail_in = take(size);
        if (!ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = out->size < out->limit;
            break;
        }
        aim_output(stream, out);
        size_t room = stream->avail_out;
        code = BZ2_bzDecompress(stream);
        out->size += room - stream->avail_out;
        if (code != BZ_OK || (stream->avail_in == 0 && *size == 0 && stream->avail_out))
            break;
    }
    *input = (const uint8_t *)stream->next_in;
    *size += stream->avail_in;
    return code;
}

static Value decompress(void *owner, Value data, int64_t limit)
{
    Decompressor *d = owner;
    TyOutput out = {.limit = limit < 0 ? SIZE_MAX : (size_t)limit};
    const uint8_t *input = ty_bytes_data(data);
    size_t size = (size_t)ty_bytes_length(data);
    bool full, blocking = ty_work_begin(size);
    int code = run_decompressor(&d->stream, &input, &size, &out, &full);
    ty_work_end(blocking);
    if (full)
        ty_raise_memory_error();
    bool good = !full && !is_error(code);
    if (code == BZ_STREAM_END)
        ty_store_relaxed(&d->state.eof, true);
    if (!good) {
        d->state.broken = true;
        ty_store_relaxed(&d->state.needs_input, false);
    }
    good = good && ty_decompression_rest(&d->state, d, input, size, true);
    return ty_output_finish(&out, good);
}

static Value decompressor_decompress(Value self, Value *a)
{
    Decompressor *d = (Decompressor *)ty_object(self);
    return ty_decompression_call(&d->state, d, a, decompress, "End of stream already reached");
}

static Value get_eof(Value self) { return ty_from_bool(ty_load_relaxed(&((Decompressor *)ty_object(self))->state.eof)); }

static Value get_needs_input(Value self)
{
    return ty_from_bool(ty_load_relaxed(&((Decompressor *)ty_object(self))->state.needs_input));
}

static const TyNativeDef decompressor_methods[] = {
    TY_METHOD("decompress(self, /, data, max_length=-1)", decompressor_decompress,
              "Decompresses the data: at most max_length bytes if that is not negative. While needs_input is False there is more to "
              "be had with empty data."),
    {0},
};

static const TyGetSetDef decompressor_getsets[] = {
    {"eof", get_eof, NULL, "True once the end of the stream has been reached."},
    {"needs_input", get_needs_input, NULL, "True if more data is needed before more can be decompressed."},
    {0},
};

static const TyMemberDef decompressor_members[] = {
    {"unused_data", TY_MEMBER_VALUE, false, offsetof(Decompressor, state.unused_data), "What was given after the end of the stream."},
    {0},
};

static TyType decompressor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Decompressor), .trace = decompressor_trace, .destroy = decompressor_destroy},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_bz2.BZ2Decompressor",
    .doc = "BZ2Decompressor()\n\nA decompressor for data that comes in pieces.",
    .parent = &ty_object_base_type,
    .slots = {.new = decompressor_new},
    .methods = decompressor_methods,
    .getsets = decompressor_getsets,
    .members = decompressor_members,
};

static TyType *const types[] = {&compressor_type, &decompressor_type, NULL};

const TyModuleDef ty_module__bz2 = {
    .name = "_bz2",
    .doc = "Compression and decompression in the format of bzip2.",
    .types = types,
};
