/* zlib: deflate compression, whole and as streams, and its two checksums.
 *
 * A stream's z_stream lies in the object itself (the heap doesn't move objects, and zlib remembers the address). A stream is used by
 * one thread at a time: its mutex is held during a call. While zlib works on more than a little data the thread counts as blocked,
 * so that it holds up no collection; input and output are then only memory. TyOutput grows in native memory. */
#include <stdlib.h>
#include <zlib.h>

#include "modules/compression.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { STATE_ERROR, STATE_COUNT };
enum { DEFAULT_BUFFER_SIZE = 16 * 1024, DEFAULT_MEMORY_LEVEL = 8 };

static TyType *error_type(void)
{
    Value module = ty_module_current("zlib");
    return module == TY_NULL ? &ty_Exception : ty_as_type(ty_module_state(module)[STATE_ERROR]);
}

/* Raises zlib.error for a code that zlib returned. */
static Value fail(const z_stream *stream, int code, const char *what)
{
    const char *message = stream->msg;
    if (code == Z_VERSION_ERROR)
        message = "library version mismatch";
    if (!message)
        message = code == Z_BUF_ERROR      ? "incomplete or truncated stream"
                  : code == Z_STREAM_ERROR ? "inconsistent stream state"
                  : code == Z_DATA_ERROR   ? "invalid input data"
                                           : NULL;
    if (!message)
        return ty_raise(error_type(), "Error %d %s", code, what);
    return ty_raise(error_type(), "Error %d %s: %.200s", code, what, message);
}

static Value fail_memory(const char *message) { return ty_raise(&ty_MemoryError, "%s", message); }

/* An int argument of C's width, or what it is when it was not given. */
static bool to_int(Value v, int otherwise, int *out)
{
    int32_t value = otherwise;
    if (v != TY_NULL && !ty_to_int32(v, &value))
        return false;
    *out = value;
    return true;
}

static bool is_bytes_like(Value v, TyBuffer *view) { return ty_buffer_get(v, view, TY_BUFFER_SIMPLE); }

/* --- running a stream -------------------------------------------------------------------------------------------------- */

typedef int (*Step)(z_streamp stream, int flush);

typedef struct {
    const uint8_t *input;
    size_t input_size;         /* what is left after a run */
    int flush;                 /* when all of the input has been handed over */
    int flush_before;          /* until then */
    size_t first_size;         /* of the output */
    const uint8_t *dictionary; /* asked for in the middle of a stream; or NULL */
    size_t dictionary_size;
    bool dictionary_failed;
} Run;

enum { OUT_OF_MEMORY = -100 };

/* Runs the stream over the input until that and the output are used up, the limit is reached, the stream ends or fails.
   Touches no heap object. */
static int run_stream(z_stream *stream, Step step, Run *run, TyOutput *out)
{
    int code = Z_OK;
    stream->next_in = (Bytef *)run->input;
    do {
        size_t chunk = TY_MIN(run->input_size, (size_t)UINT32_MAX);
        stream->avail_in = (uInt)chunk;
        run->input_size -= chunk;
        int flush = run->input_size ? run->flush_before : run->flush;
        bool full;
        do {
            if (!ty_output_grow(out, run->first_size)) {
                run->input_size += stream->avail_in;
                run->input = stream->next_in;
                return out->size >= out->limit ? code : OUT_OF_MEMORY;
            }
            size_t room = TY_MIN(out->capacity - out->size, (size_t)UINT32_MAX);
            stream->next_out = out->bytes + out->size;
            stream->avail_out = (uInt)room;
            code = step(stream, flush);
            out->size += room - stream->avail_out;
            full = stream->avail_out == 0;
            if (code == Z_NEED_DICT && run->dictionary) {
                code = inflateSetDictionary(stream, run->dictionary, (uInt)run->dictionary_size);
                run->dictionary_failed = code != Z_OK;
                full = code == Z_OK;
            }
        } while (full && code != Z_STREAM_END && (code == Z_OK || code == Z_BUF_ERROR));
        run->input_size += stream->avail_in;
    } while (run->input_size && !stream->avail_in && (code == Z_OK || code == Z_BUF_ERROR));
    run->input = stream->next_in;
    return code;
}

static int run_blocking(z_stream *stream, Step step, Run *run, TyOutput *out)
{
    if (run->input_size < TY_COMPRESSION_BLOCKING && out->limit < TY_COMPRESSION_BLOCKING)
        return run_stream(stream, step, run, out);
    ty_work_section_begin();
    int code = run_stream(stream, step, run, out);
    ty_work_section_end();
    return code;
}

/* --- whole -------------------------------------------------------------------------------------------------------------- */

static Value zlib_compress(Value module, Value *a)
{
    int level, wbits;
    TyBuffer view;
    if (!to_int(a[1], Z_DEFAULT_COMPRESSION, &level) || !to_int(a[2], MAX_WBITS, &wbits) || !is_bytes_like(a[0], &view))
        return TY_NULL;
    z_stream stream = {0};
    int code = deflateInit2(&stream, level, Z_DEFLATED, wbits, DEFAULT_MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    Value result = TY_NULL;
    if (code == Z_MEM_ERROR) {
        fail_memory("Out of memory while compressing data");
    } else if (code == Z_STREAM_ERROR) {
        ty_raise(error_type(), "Bad compression level");
    } else if (code != Z_OK) {
        deflateEnd(&stream);
        fail(&stream, code, "while compressing data");
    } else {
        TyOutput out = {.limit = SIZE_MAX};
        Run run = {.input = view.data, .input_size = (size_t)view.length, .flush = Z_FINISH, .flush_before = Z_NO_FLUSH,
                   .first_size = (size_t)view.length / 2 + 64};
        code = run_blocking(&stream, deflate, &run, &out);
        bool good = code == Z_STREAM_END;
        if (code == OUT_OF_MEMORY)
            ty_raise_memory_error();
        else if (!good)
            fail(&stream, code, "while compressing data");
        code = deflateEnd(&stream);
        if (good && code != Z_OK) {
            fail(&stream, code, "while finishing compression");
            good = false;
        }
        result = ty_output_finish(&out, good);
    }
    ty_buffer_release(&view);
    return result;
}

static Value zlib_decompress(Value module, Value *a)
{
    int wbits;
    int64_t size = DEFAULT_BUFFER_SIZE;
    TyBuffer view;
    if (!to_int(a[1], MAX_WBITS, &wbits) || (a[2] != TY_NULL && !ty_to_size(a[2], &size)))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "bufsize must be non-negative");
    if (!is_bytes_like(a[0], &view))
        return TY_NULL;
    z_stream stream = {0};
    int code = inflateInit2(&stream, wbits);
    Value result = TY_NULL;
    if (code == Z_MEM_ERROR) {
        fail_memory("Out of memory while decompressing data");
    } else if (code != Z_OK) {
        fail(&stream, code, "while preparing to decompress data");
        inflateEnd(&stream);
    } else {
        TyOutput out = {.limit = SIZE_MAX};
        Run run = {.input = view.data, .input_size = (size_t)view.length, .flush = Z_SYNC_FLUSH, .flush_before = Z_SYNC_FLUSH,
                   .first_size = size ? (size_t)size : 1};
        code = run_blocking(&stream, inflate, &run, &out);
        bool good = code == Z_STREAM_END;
        if (code == OUT_OF_MEMORY)
            ty_raise_memory_error();
        else if (code == Z_MEM_ERROR)
            fail_memory("Out of memory while decompressing data");
        else if (!good)
            fail(&stream, code == Z_OK ? Z_BUF_ERROR : code, "while decompressing data");
        code = inflateEnd(&stream);
        if (good && code != Z_OK) {
            fail(&stream, code, "while finishing decompression");
            good = false;
        }
        result = ty_output_finish(&out, good);
    }
    ty_buffer_release(&view);
    return result;
}

/* --- streams ------------------------------------------------------------------------------------------------------------- */

/* All three kinds of stream. Values may be TY_NULL where a kind doesn't use them. */
typedef struct {
    TyObject base;
    z_stream stream;
    TyMutex mutex;
    bool started;      /* there is something in `stream` to be ended */
    bool inflating;
    _Atomic bool eof;
    _Atomic bool needs_input;
    Value unused_data, unconsumed_tail; /* bytes */
    Value dictionary;                   /* bytes or TY_NULL */
} Stream;

static void stream_trace(TyObject *self, TyMarker *marker)
{
    Stream *s = (Stream *)self;
    ty_mark(marker, s->unused_data);
    ty_mark(marker, s->unconsumed_tail);
    ty_mark(marker, s->dictionary);
}

static void stream_destroy(TyObject *self)
{
    Stream *s = (Stream *)self;
    if (!s->started)
        return;
    if (s->inflating)
        inflateEnd(&s->stream);
    else
        deflateEnd(&s->stream);
    ty_heap_account(s->inflating ? -(32 << 10) : -(256 << 10));
}

static Stream *stream_of(Value self) { return (Stream *)ty_object(self); }

static Stream *stream_new(TyType *type, bool inflating)
{
    Stream *s = ty_allocate(type, sizeof(Stream));
    if (!s)
        return NULL;
    Value empty = ty_bytes_new(NULL, 0);
    if (empty == TY_NULL)
        return NULL;
    s->inflating = inflating;
    ty_store(s, &s->unused_data, empty);
    ty_store(s, &s->unconsumed_tail, empty);
    return s;
}

static void stream_started(Stream *s)
{
    s->started = true;
    ty_heap_account(s->inflating ? 32 << 10 : 256 << 10);
}

static void stream_lock(Stream *s) { ty_mutex_lock_blocking(&s->mutex); }

static Value stream_unlock(Stream *s, Value result) { return ty_stream_unlock(&s->mutex, result); }

/* The preset dictionary of an argument: kept as bytes. TY_NULL without an exception if there is none. */
static bool to_dictionary(Value v, Value *dictionary)
{
    *dictionary = TY_NULL;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (!ty_has_buffer(v)) {
        ty_raise(&ty_TypeError, "zdict argument must support the buffer protocol");
        return false;
    }
    *dictionary = ty_is_bytes(v) ? v : ty_bytes_from_object(v);
    if (*dictionary == TY_NULL)
        return false;
    if ((uint64_t)ty_bytes_length(*dictionary) > UINT32_MAX) {
        ty_raise(&ty_OverflowError, "zdict length does not fit in an unsigned int");
        return false;
    }
    return true;
}

/* --- Compress -------------------------------------------------------------------------------------------------------------- */

static TyType compress_type, decompress_type, decompressor_type;

static Value zlib_compressobj(Value module, Value *a)
{
    int level, method, wbits, memory_level, strategy;
    TyBuffer view;
    if (!to_int(a[0], Z_DEFAULT_COMPRESSION, &level) || !to_int(a[1], Z_DEFLATED, &method) ||
        !to_int(a[2], MAX_WBITS, &wbits) || !to_int(a[3], DEFAULT_MEMORY_LEVEL, &memory_level) ||
        !to_int(a[4], Z_DEFAULT_STRATEGY, &strategy))
        return TY_NULL;
    if (a[5] != TY_NULL && !is_bytes_like(a[5], &view))
        return TY_NULL;
    Stream *s = stream_new(&compress_type, false);
    bool good = false;
    int code = s ? deflateInit2(&s->stream, level, method, wbits, memory_level, strategy) : Z_OK;
    if (!s) {
        good = false;
    } else if (code == Z_MEM_ERROR) {
        fail_memory("Can't allocate memory for compression object");
    } else if (code == Z_STREAM_ERROR) {
        ty_raise(&ty_ValueError, "Invalid initialization option");
    } else if (code != Z_OK) {
        fail(&s->stream, code, "while creating compression object");
    } else {
        stream_started(s);
        good = true;
        if (a[5] != TY_NULL) {
            code = deflateSetDictionary(&s->stream, view.data, (uInt)view.length);
            good = code == Z_OK;
            if (!good)
                ty_raise(&ty_ValueError, code == Z_STREAM_ERROR ? "Invalid dictionary" : "deflateSetDictionary()");
        }
    }
    if (a[5] != TY_NULL)
        ty_buffer_release(&view);
    return good ? ty_from_object(s) : TY_NULL;
}

static Value compress_compress(Value self, Value *a)
{
    Stream *s = stream_of(self);
    TyBuffer view;
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (!is_bytes_like(a[0], &view))
        return TY_NULL;
    stream_lock(s);
    TyOutput out = {.limit = SIZE_MAX};
    Run run = {.input = view.data, .input_size = (size_t)view.length, .flush = Z_NO_FLUSH, .flush_before = Z_NO_FLUSH,
               .first_size = DEFAULT_BUFFER_SIZE};
    int code = run_blocking(&s->stream, deflate, &run, &out);
    bool good = code != OUT_OF_MEMORY && code != Z_STREAM_ERROR;
    if (code == OUT_OF_MEMORY)
        ty_raise_memory_error();
    else if (!good)
        fail(&s->stream, code, "while compressing data");
    Value result = ty_output_finish(&out, good);
    ty_buffer_release(&view);
    return stream_unlock(s, result);
}

static Value compress_flush(Value self, Value *a)
{
    Stream *s = stream_of(self);
    int mode;
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (!to_int(a[0], Z_FINISH, &mode))
        return TY_NULL;
    if (mode == Z_NO_FLUSH) /* nothing is asked for */
        return ty_bytes_new(NULL, 0);
    stream_lock(s);
    TyOutput out = {.limit = SIZE_MAX};
    Run run = {.input = (const uint8_t *)"", .flush = mode, .flush_before = mode, .first_size = DEFAULT_BUFFER_SIZE};
    int code = run_stream(&s->stream, deflate, &run, &out);
    bool good = true;
    if (code == OUT_OF_MEMORY) {
        ty_raise_memory_error();
        good = false;
    } else if (code == Z_STREAM_END && mode == Z_FINISH) {
        stream_destroy(&s->base);
        s->started = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
        fail(&s->stream, code, "while flushing");
        good = false;
    }
    return stream_unlock(s, ty_output_finish(&out, good));
}

/* A second stream in the same state. */
static Value stream_copy(Value self, int (*copy)(z_streamp target, z_streamp source), const char *what)
{
    Stream *s = stream_of(self);
    Stream *twin = stream_new(ty_object_type(&s->base), s->inflating);
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (!twin)
        return TY_NULL;
    stream_lock(s);
    int code = s->started ? copy(&twin->stream, &s->stream) : Z_STREAM_ERROR;
    Value result = TY_NULL;
    if (code == Z_STREAM_ERROR) {
        ty_raise(&ty_ValueError, "Inconsistent stream state");
    } else if (code == Z_MEM_ERROR) {
        ty_raise(&ty_MemoryError, "Can't allocate memory for %s object", what);
    } else if (code != Z_OK) {
        fail(&s->stream, code, s->inflating ? "while copying decompression object" : "while copying compression object");
    } else {
        stream_started(twin);
        ty_store(twin, &twin->unused_data, ty_field(&s->unused_data));
        ty_store(twin, &twin->unconsumed_tail, ty_field(&s->unconsumed_tail));
        ty_store(twin, &twin->dictionary, ty_field(&s->dictionary));
        ty_store_relaxed(&twin->eof, ty_load_relaxed(&s->eof));
        result = ty_from_object(twin);
    }
    return stream_unlock(s, result);
}

static Value compress_copy(Value self, Value *a) { return stream_copy(self, deflateCopy, "compression"); }

static const TyNativeDef compress_methods[] = {
    TY_METHOD("compress(self, data, /)", compress_compress, "Compresses the data: the bytes that are ready by now, maybe none."),
    TY_METHOD("flush(self, mode=zlib.Z_FINISH, /)", compress_flush,
              "The compressed bytes of all that was given so far; with Z_FINISH the stream ends."),
    TY_METHOD("copy(self, /)", compress_copy, "A second object in the same state."),
    TY_METHOD("__copy__(self, /)", compress_copy, NULL),
    TY_METHOD("__deepcopy__(self, memo, /)", compress_copy, NULL),
    {0},
};

/* --- Decompress -------------------------------------------------------------------------------------------------------------- */

static Value zlib_decompressobj(Value module, Value *a)
{
    int wbits;
    Value dictionary;
    if (!to_int(a[0], MAX_WBITS, &wbits) || !to_dictionary(a[1], &dictionary))
        return TY_NULL;
    Stream *s = stream_new(&decompress_type, true);
    if (!s)
        return TY_NULL;
    ty_store(s, &s->dictionary, dictionary);
    int code = inflateInit2(&s->stream, wbits);
    if (code == Z_STREAM_ERROR)
        return ty_raise(&ty_ValueError, "Invalid initialization option");
    if (code == Z_MEM_ERROR)
        return fail_memory("Can't allocate memory for decompression object");
    if (code != Z_OK)
        return fail(&s->stream, code, "while creating decompression object");
    stream_started(s);
    if (dictionary != TY_NULL && wbits < 0) { /* a raw stream can't ask for it */
        code = inflateSetDictionary(&s->stream, ty_bytes_data(dictionary), (uInt)ty_bytes_length(dictionary));
        if (code != Z_OK)
            return fail(&s->stream, code, "while setting zdict");
    }
    return ty_from_object(s);
}

/* Keeps what a run left of its input: after the end of the stream it belongs to something else. */
static bool keep_rest(Stream *s, const Run *run, int code)
{
    if (code == Z_STREAM_END) {
        if (run->input_size) {
            Value rest = ty_bytes_new(run->input, run->input_size);
            if (rest != TY_NULL)
                rest = ty_bytes_concat(ty_field(&s->unused_data), rest);
            if (rest == TY_NULL)
                return false;
            ty_store(s, &s->unused_data, rest);
        }
        Value empty = ty_bytes_new(NULL, 0);
        if (empty == TY_NULL)
            return false;
        ty_store(s, &s->unconsumed_tail, empty);
        return true;
    }
    if (run->input_size == 0 && ty_bytes_length(ty_field(&s->unconsumed_tail)) == 0)
        return true;
    Value rest = ty_bytes_new(run->input, run->input_size);
    if (rest == TY_NULL)
        return false;
    ty_store(s, &s->unconsumed_tail, rest);
    return true;
}

static Run inflate_run(Stream *s, const uint8_t *input, size_t size, int flush, size_t first_size)
{
    Run run = {.input = input, .input_size = size, .flush = flush, .flush_before = Z_SYNC_FLUSH, .first_size = first_size};
    Value dictionary = ty_field(&s->dictionary);
    if (dictionary != TY_NULL) {
        run.dictionary = ty_bytes_data(dictionary);
        run.dictionary_size = (size_t)ty_bytes_length(dictionary);
    }
    return run;
}

/* Whether a run of a decompressor went well; raises if not. */
static bool inflate_went_well(Stream *s, const Run *run, int code, const char *what)
{
    if (code == OUT_OF_MEMORY)
        ty_raise_memory_error();
    else if (run->dictionary_failed)
        fail(&s->stream, code, "while setting zdict");
    else if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END)
        fail(&s->stream, code, what);
    else
        return true;
    return false;
}

static Value decompress_decompress(Value self, Value *a)
{
    Stream *s = stream_of(self);
    int64_t limit = 0;
    TyBuffer view;
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (a[1] != TY_NULL && !ty_to_size(a[1], &limit))
        return TY_NULL;
    if (limit < 0)
        return ty_raise(&ty_ValueError, "max_length must be non-negative");
    if (!is_bytes_like(a[0], &view))
        return TY_NULL;
    stream_lock(s);
    TyOutput out = {.limit = limit ? (size_t)limit : SIZE_MAX};
    Run run = inflate_run(s, view.data, (size_t)view.length, Z_SYNC_FLUSH, DEFAULT_BUFFER_SIZE);
    int code = run_blocking(&s->stream, inflate, &run, &out);
    bool good = code == OUT_OF_MEMORY || run.dictionary_failed || keep_rest(s, &run, code);
    if (good && code == Z_STREAM_END)
        ty_store_relaxed(&s->eof, true);
    good = good && inflate_went_well(s, &run, code, "while decompressing data");
    Value result = ty_output_finish(&out, good);
    ty_buffer_release(&view);
    return stream_unlock(s, result);
}

static Value decompress_flush(Value self, Value *a)
{
    Stream *s = stream_of(self);
    int64_t length = DEFAULT_BUFFER_SIZE;
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (a[0] != TY_NULL && !ty_to_size(a[0], &length))
        return TY_NULL;
    if (length <= 0)
        return ty_raise(&ty_ValueError, "length must be greater than zero");
    stream_lock(s);
    if (!s->started) /* it has ended */
        return stream_unlock(s, ty_bytes_new("", 0));
    Value tail = ty_field(&s->unconsumed_tail);
    TyOutput out = {.limit = SIZE_MAX};
    Run run = inflate_run(s, ty_bytes_data(tail), (size_t)ty_bytes_length(tail), Z_FINISH, (size_t)length);
    int code = run_blocking(&s->stream, inflate, &run, &out);
    bool good = inflate_went_well(s, &run, code, "while decompressing data") && keep_rest(s, &run, code);
    if (good && code == Z_STREAM_END) { /* nothing can come after it */
        ty_store_relaxed(&s->eof, true);
        stream_destroy(&s->base);
        s->started = false;
    }
    return stream_unlock(s, ty_output_finish(&out, good));
}

static Value decompress_copy(Value self, Value *a) { return stream_copy(self, inflateCopy, "decompression"); }

static const TyNativeDef decompress_methods[] = {
    TY_METHOD("decompress(self, data, /, max_length=0)", decompress_decompress,
              "Decompresses the data: at most max_length bytes if that is not 0; what is then left of the data is the "
              "attribute unconsumed_tail."),
    TY_METHOD("flush(self, length=zlib.DEF_BUF_SIZE, /)", decompress_flush, "What can still be had from unconsumed_tail."),
    TY_METHOD("copy(self, /)", decompress_copy, "A second object in the same state."),
    TY_METHOD("__copy__(self, /)", decompress_copy, NULL),
    TY_METHOD("__deepcopy__(self, memo, /)", decompress_copy, NULL),
    {0},
};

static Value get_eof(Value self) { return ty_from_bool(ty_load_relaxed(&stream_of(self)->eof)); }
static Value get_needs_input(Value self) { return ty_from_bool(ty_load_relaxed(&stream_of(self)->needs_input)); }

static const TyGetSetDef decompress_getsets[] = {
    {"eof", get_eof, NULL, "True once the end of the stream has been reached."},
    {0},
};

static const TyMemberDef decompress_members[] = {
    {"unused_data", TY_MEMBER_VALUE, false, offsetof(Stream, unused_data), "What was given after the end of the stream."},
    {"unconsumed_tail", TY_MEMBER_VALUE, false, offsetof(Stream, unconsumed_tail), "What the last limit left over."},
    {0},
};

/* --- _ZlibDecompressor ---------------------------------------------------------------------------------------------------------- */

static TySignature decompressor_signature = TY_SIGNATURE("_ZlibDecompressor(wbits=15, zdict=b'')");

static Value decompressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2], dictionary;
    int wbits;
    if (!ty_parse_arguments(&decompressor_signature, arguments, count, keywords, a) || !to_int(a[0], MAX_WBITS, &wbits) ||
        !to_dictionary(a[1], &dictionary))
        return TY_NULL;
    Stream *s = stream_new(type, true);
    if (!s)
        return TY_NULL;
    ty_store(s, &s->dictionary, dictionary);
    ty_store_relaxed(&s->needs_input, true);
    int code = inflateInit2(&s->stream, wbits);
    if (code == Z_STREAM_ERROR)
        return ty_raise(&ty_ValueError, "Invalid initialization option");
    if (code == Z_MEM_ERROR)
        return fail_memory("Can't allocate memory for decompression object");
    if (code != Z_OK)
        return fail(&s->stream, code, "while creating decompression object");
    stream_started(s);
    if (dictionary != TY_NULL && wbits < 0) {
        code = inflateSetDictionary(&s->stream, ty_bytes_data(dictionary), (uInt)ty_bytes_length(dictionary));
        if (code != Z_OK)
            return fail(&s->stream, code, "while setting zdict");
    }
    return ty_from_object(s);
}

/* With the mutex held. What an earlier call left comes before the new data. */
static Value decompressor_run(Stream *s, Value data, int64_t limit)
{
    TyOutput out = {.limit = limit < 0 ? SIZE_MAX : (size_t)limit};
    Run run = inflate_run(s, ty_bytes_data(data), (size_t)ty_bytes_length(data), Z_SYNC_FLUSH, DEFAULT_BUFFER_SIZE);
    int code = limit == 0 ? Z_OK : run_blocking(&s->stream, inflate, &run, &out);
    bool good = inflate_went_well(s, &run, code, "while decompressing data");
    if (good && code == Z_STREAM_END) {
        ty_store_relaxed(&s->eof, true);
        ty_store_relaxed(&s->needs_input, false);
        good = keep_rest(s, &run, code);
    } else if (good) {
        Value rest = ty_bytes_new(run.input, run.input_size);
        good = rest != TY_NULL;
        if (good)
            ty_store(s, &s->unconsumed_tail, rest);
        ty_store_relaxed(&s->needs_input, run.input_size == 0);
    }
    return ty_output_finish(&out, good);
}

static Value decompressor_decompress(Value self, Value *a)
{
    Stream *s = stream_of(self);
    int64_t limit = -1;
    if (!ty_stream_usable(&s->mutex))
        return TY_NULL;
    if (a[1] != TY_NULL && !ty_to_size(a[1], &limit))
        return TY_NULL;
    TyBuffer view;
    if (!is_bytes_like(a[0], &view))
        return TY_NULL;
    Value data = ty_is_bytes(a[0]) ? a[0] : ty_bytes_new(view.data, (size_t)view.length);
    ty_buffer_release(&view);
    if (data == TY_NULL)
        return TY_NULL;
    stream_lock(s);
    Value result = TY_NULL;
    if (ty_load_relaxed(&s->eof)) {
        ty_raise(&ty_EOFError, "End of stream already reached");
    } else {
        Value tail = ty_field(&s->unconsumed_tail);
        if (ty_bytes_length(tail))
            data = ty_bytes_concat(tail, data);
        if (data != TY_NULL)
            result = decompressor_run(s, data, limit);
    }
    return stream_unlock(s, result);
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
    {"unused_data", TY_MEMBER_VALUE, false, offsetof(Stream, unused_data), "What was given after the end of the stream."},
    {0},
};

#define STREAM_TYPE(name_, flags_, methods_, getsets_, members_)                                                \
    {                                                                                                           \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                 \
        .layout = {.size = sizeof(Stream), .trace = stream_trace, .destroy = stream_destroy},                   \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | (flags_), .name = name_, .parent = &ty_object_base_type,   \
        .methods = methods_, .getsets = getsets_, .members = members_,                                          \
    }

static TyType compress_type = STREAM_TYPE("zlib.Compress", TY_TYPE_NO_NEW, compress_methods, NULL, NULL);
static TyType decompress_type =
    STREAM_TYPE("zlib.Decompress", TY_TYPE_NO_NEW, decompress_methods, decompress_getsets, decompress_members);
static TyType decompressor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Stream), .trace = stream_trace, .destroy = stream_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "zlib._ZlibDecompressor",
    .doc = "_ZlibDecompressor(wbits=15, zdict=b'')\n\nA decompressor for data that comes in pieces.",
    .parent = &ty_object_base_type,
    .slots = {.new = decompressor_new},
    .methods = decompressor_methods,
    .getsets = decompressor_getsets,
    .members = decompressor_members,
};

/* --- checksums ------------------------------------------------------------------------------------------------------------------ */

static Value checksum(Value *a, uint64_t start, uLong (*function)(uLong value, const Bytef *data, z_size_t size))
{
    TyBuffer view;
    if ((a[1] != TY_NULL && !ty_to_uint64_mask(a[1], &start)) || !is_bytes_like(a[0], &view))
        return TY_NULL;
    uLong value = (uLong)(start & 0xFFFFFFFF);
    bool long_one = view.length >= TY_COMPRESSION_BLOCKING * 16;
    if (long_one)
        ty_blocking_begin();
    value = function(value, view.data, (z_size_t)view.length);
    if (long_one)
        ty_blocking_end();
    ty_buffer_release(&view);
    return ty_from_immediate_int((int64_t)(value & 0xFFFFFFFF));
}

static Value zlib_crc32(Value module, Value *a) { return checksum(a, 0, crc32_z); }

static Value zlib_adler32(Value module, Value *a) { return checksum(a, 1, adler32_z); }

/* --- the module ------------------------------------------------------------------------------------------------------------------ */

static const TyNativeDef functions[] = {
    TY_FUNCTION("compress(module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)", zlib_compress,
                "The data, compressed. level: 0 to 9, or -1 for the usual; wbits: the window, and the container's format."),
    TY_FUNCTION("decompress(module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)", zlib_decompress,
                "The data, decompressed. bufsize: how long the result is expected to be."),
    TY_FUNCTION("compressobj(module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, "
                "memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=<unrepresentable>)", zlib_compressobj,
                "A compressor for data that comes in pieces; zdict: bytes that are expected to occur in it."),
    TY_FUNCTION("decompressobj(module, /, wbits=MAX_WBITS, zdict=b'')", zlib_decompressobj,
                "A decompressor for data that comes in pieces; zdict: the one it was compressed with."),
    TY_FUNCTION("crc32(module, data, value=0, /)", zlib_crc32, "The CRC-32 of the data, going on from value."),
    TY_FUNCTION("adler32(module, data, value=1, /)", zlib_adler32, "The Adler-32 checksum of the data, going on from value."),
    {0},
};

static const struct { const char *name; int value; } constants[] = {
    {"MAX_WBITS", MAX_WBITS}, {"DEFLATED", Z_DEFLATED}, {"DEF_MEM_LEVEL", DEFAULT_MEMORY_LEVEL},
    {"DEF_BUF_SIZE", DEFAULT_BUFFER_SIZE}, {"Z_BEST_SPEED", Z_BEST_SPEED}, {"Z_BEST_COMPRESSION", Z_BEST_COMPRESSION},
    {"Z_DEFAULT_COMPRESSION", Z_DEFAULT_COMPRESSION}, {"Z_NO_COMPRESSION", Z_NO_COMPRESSION}, {"Z_FILTERED", Z_FILTERED},
    {"Z_HUFFMAN_ONLY", Z_HUFFMAN_ONLY}, {"Z_RLE", Z_RLE}, {"Z_FIXED", Z_FIXED}, {"Z_DEFAULT_STRATEGY", Z_DEFAULT_STRATEGY},
    {"Z_NO_FLUSH", Z_NO_FLUSH}, {"Z_PARTIAL_FLUSH", Z_PARTIAL_FLUSH}, {"Z_SYNC_FLUSH", Z_SYNC_FLUSH},
    {"Z_FULL_FLUSH", Z_FULL_FLUSH}, {"Z_FINISH", Z_FINISH}, {"Z_BLOCK", Z_BLOCK}, {"Z_TREES", Z_TREES},
};

static bool execute(Value module)
{
    Value error = ty_type_from_name("zlib.error", &ty_Exception, TY_NULL);
    if (error == TY_NULL || !ty_type_ready(&compress_type) || !ty_type_ready(&decompress_type))
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    if (!ty_module_add(module, "error", error))
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return ty_module_add_str(module, "ZLIB_VERSION", ZLIB_VERSION) &&
           ty_module_add_str(module, "ZLIB_RUNTIME_VERSION", zlibVersion());
}

static TyType *const types[] = {&decompressor_type, NULL};

const TyModuleDef ty_module_zlib = {
    .name = "zlib",
    .doc = "Deflate compression: whole, as streams, in the formats zlib, gzip and raw; and the checksums CRC-32 and Adler-32.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
