/* _zstd: compression in the format of Zstandard; the rest of compression.zstd is Python.
 *
 * A compressor or decompressor has a mutex for its context, and what it works on meanwhile lies in native memory or in the caller's buffer: while there is much
 * to do the thread counts as blocked. A dictionary's digested forms are made when they are first wanted, and live as long as it; contexts keep the dictionary. */
#include <stdio.h>
#include <stdlib.h>
#include <zdict.h>
#include <zstd.h>

#include "modules/compression.h"
#include "object/buffer.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { STATE_ERROR, STATE_COMPRESSION_PARAMETER, STATE_DECOMPRESSION_PARAMETER, STATE_COUNT };
enum { DIGESTED, UNDIGESTED, PREFIX, DICT_FORMS }; /* how a dictionary is given to a context: as_digested_dict and so on */

typedef struct { int number; const char *constant, *name; } Parameter; /* name: as messages show it */

static const Parameter compression_parameters[] = {
    {ZSTD_c_compressionLevel, "ZSTD_c_compressionLevel", "compression_level"},
    {ZSTD_c_windowLog, "ZSTD_c_windowLog", "window_log"},
    {ZSTD_c_hashLog, "ZSTD_c_hashLog", "hash_log"},
    {ZSTD_c_chainLog, "ZSTD_c_chainLog", "chain_log"},
    {ZSTD_c_searchLog, "ZSTD_c_searchLog", "search_log"},
    {ZSTD_c_minMatch, "ZSTD_c_minMatch", "min_match"},
    {ZSTD_c_targetLength, "ZSTD_c_targetLength", "target_length"},
    {ZSTD_c_strategy, "ZSTD_c_strategy", "strategy"},
    {ZSTD_c_enableLongDistanceMatching, "ZSTD_c_enableLongDistanceMatching", "enable_long_distance_matching"},
    {ZSTD_c_ldmHashLog, "ZSTD_c_ldmHashLog", "ldm_hash_log"},
    {ZSTD_c_ldmMinMatch, "ZSTD_c_ldmMinMatch", "ldm_min_match"},
    {ZSTD_c_ldmBucketSizeLog, "ZSTD_c_ldmBucketSizeLog", "ldm_bucket_size_log"},
    {ZSTD_c_ldmHashRateLog, "ZSTD_c_ldmHashRateLog", "ldm_hash_rate_log"},
    {ZSTD_c_contentSizeFlag, "ZSTD_c_contentSizeFlag", "content_size_flag"},
    {ZSTD_c_checksumFlag, "ZSTD_c_checksumFlag", "checksum_flag"},
    {ZSTD_c_dictIDFlag, "ZSTD_c_dictIDFlag", "dict_id_flag"},
    {ZSTD_c_nbWorkers, "ZSTD_c_nbWorkers", "nb_workers"},
    {ZSTD_c_jobSize, "ZSTD_c_jobSize", "job_size"},
    {ZSTD_c_overlapLog, "ZSTD_c_overlapLog", "overlap_log"},
    {0},
};
static const Parameter decompression_parameters[] = {
    {ZSTD_d_windowLogMax, "ZSTD_d_windowLogMax", "window_log_max"},
    {0},
};

/* --- errors ----------------------------------------------------------------------------------------------------------- */

static Value state(int which)
{
    Value module = ty_module_current("_zstd");
    return module == TY_NULL ? TY_NULL : ty_field(&ty_module_state(module)[which]);
}

static Value raise_zstd(const char *what)
{
    Value type = state(STATE_ERROR);
    return type == TY_NULL ? TY_NULL : ty_raise(ty_as_type(type), "%s", what);
}

/* Raises for a result of the library; false if it is none of an error. */
static bool is_error(size_t result, const char *what)
{
    if (!ZSTD_isError(result))
        return false;
    Value type = state(STATE_ERROR);
    if (type != TY_NULL)
        ty_raise(ty_as_type(type), "%s: %s", what, ZSTD_getErrorName(result));
    return true;
}

/* An int of the size of C's. */
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

static bool raise_parameter(bool compression, int number, int value)
{
    const Parameter *p = compression ? compression_parameters : decompression_parameters;
    while (p->constant && p->number != number)
        p++;
    char unknown[64];
    snprintf(unknown, sizeof unknown, "unknown parameter (key %d)", number);
    const char *name = p->constant ? p->name : unknown, *kind = compression ? "compression" : "decompression";
    ZSTD_bounds bounds = compression ? ZSTD_cParam_getBounds((ZSTD_cParameter)number) : ZSTD_dParam_getBounds((ZSTD_dParameter)number);
    if (ZSTD_isError(bounds.error))
        ty_raise(&ty_ValueError, "invalid %s parameter '%s'", kind, name);
    else
        ty_raise(&ty_ValueError, "%s parameter '%s' received an illegal value %d; the valid range is [%d, %d]", kind, name, value, bounds.lowerBound, bounds.upperBound);
    return false;
}

/* --- ZstdDict ------------------------------------------------------------------------------------------------------------ */

typedef struct DigestedDict { /* for compression at a level */
    struct DigestedDict *next;
    int level;
    ZSTD_CDict *dict;
} DigestedDict;

typedef struct {
    TyObject base;
    Value content; /* bytes */
    uint32_t id;
    TyMutex mutex; /* for what follows */
    DigestedDict *digested;
    ZSTD_DDict *decompression;
} Dict;

static TyType dict_type;

static void dict_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Dict *)self)->content); }

static void dict_destroy(TyObject *self)
{
    Dict *d = (Dict *)self;
    for (DigestedDict *next, *digested = d->digested; digested; digested = next) {
        next = digested->next;
        ZSTD_freeCDict(digested->dict);
        free(digested);
    }
    ZSTD_freeDDict(d->decompression);
}

static TySignature dict_signature = TY_SIGNATURE("ZstdDict(dict_content, /, *, is_raw=False)");

static Value dict_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&dict_signature, arguments, count, keywords, a))
        return TY_NULL;
    int raw = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    Value content = raw < 0 ? TY_NULL : ty_decompression_bytes(a[0]);
    if (content == TY_NULL)
        return TY_NULL;
    size_t size = (size_t)ty_bytes_length(content);
    if (size < 8)
        return ty_raise(&ty_ValueError, "Zstandard dictionary content too short (must have at least eight bytes)");
    uint32_t id = ZSTD_getDictID_fromDict(ty_bytes_data(content), size);
    if (!raw && id == 0)
        return ty_raise(&ty_ValueError, "invalid Zstandard dictionary");
    Dict *d = (Dict *)ty_object(ty_type_allocate(type, 0));
    if (!d)
        return TY_NULL;
    ty_store(d, &d->content, content);
    d->id = id;
    return ty_from_object(d);
}

static Value dict_repr(Value self)
{
    Dict *d = (Dict *)ty_object(self);
    return ty_str_format("<ZstdDict dict_id=%u dict_size=%zd>", (unsigned)d->id, (ssize_t)ty_bytes_length(d->content));
}

static int64_t dict_length(Value self) { return ty_bytes_length(((Dict *)ty_object(self))->content); }
static Value dict_as_digested(Value self) { return ty_tuple_pack(2, self, ty_from_immediate_int(DIGESTED)); }
static Value dict_as_undigested(Value self) { return ty_tuple_pack(2, self, ty_from_immediate_int(UNDIGESTED)); }
static Value dict_as_prefix(Value self) { return ty_tuple_pack(2, self, ty_from_immediate_int(PREFIX)); }
static Value dict_content(Value self) { return ((Dict *)ty_object(self))->content; }

/* The form for compression at that level; NULL with an exception. */
static ZSTD_CDict *digest_for_compression(Dict *d, int level)
{
    Value content = d->content;
    ty_mutex_lock_blocking(&d->mutex);
    DigestedDict *found = d->digested;
    while (found && found->level != level)
        found = found->next;
    if (!found && (found = malloc(sizeof *found))) {
        ty_blocking_begin();
        *found = (DigestedDict){d->digested, level, ZSTD_createCDict(ty_bytes_data(content), (size_t)ty_bytes_length(content), level)};
        ty_blocking_end();
        if (found->dict) {
            d->digested = found;
            ty_heap_account((ptrdiff_t)ZSTD_sizeof_CDict(found->dict));
        } else {
            free(found);
            found = NULL;
        }
    }
    ty_mutex_unlock(&d->mutex);
    if (!found)
        raise_zstd("Failed to create a ZSTD_CDict instance from Zstandard dictionary content.");
    return found ? found->dict : NULL;
}

static ZSTD_DDict *digest_for_decompression(Dict *d)
{
    Value content = d->content;
    ty_mutex_lock_blocking(&d->mutex);
    if (!d->decompression) {
        ty_blocking_begin();
        d->decompression = ZSTD_createDDict(ty_bytes_data(content), (size_t)ty_bytes_length(content));
        ty_blocking_end();
        if (d->decompression)
            ty_heap_account((ptrdiff_t)ZSTD_sizeof_DDict(d->decompression));
    }
    ZSTD_DDict *dict = d->decompression;
    ty_mutex_unlock(&d->mutex);
    if (!dict)
        raise_zstd("Failed to create a ZSTD_DDict instance from Zstandard dictionary content.");
    return dict;
}

/* A dictionary argument: a ZstdDict, or one of its as_… pairs. NULL with TypeError. */
static Dict *dict_argument(Value v, int *form)
{
    if (ty_is_exact(v, &dict_type))
        return (Dict *)ty_object(v);
    if (ty_is_exact_tuple(v) && ty_tuple_length(v) == 2 && ty_is_exact(ty_tuple_item(v, 0), &dict_type) && ty_is_int(ty_tuple_item(v, 1))) {
        int32_t number;
        if (!to_int(ty_tuple_item(v, 1), &number))
            return NULL;
        if (number >= 0 && number < DICT_FORMS) {
            *form = number;
            return (Dict *)ty_object(ty_tuple_item(v, 0));
        }
    }
    ty_raise(&ty_TypeError, "zstd_dict argument should be a ZstdDict object.");
    return NULL;
}

static const TyGetSetDef dict_getsets[] = {
    {"dict_content", dict_content, NULL, "The content of the dictionary, as bytes."},
    {"as_digested_dict", dict_as_digested, NULL, "Given as zstd_dict: the dictionary is prepared once for a level, and used by many compressors."},
    {"as_undigested_dict", dict_as_undigested, NULL, "Given as zstd_dict: the dictionary is prepared for the parameters of the compressor."},
    {"as_prefix", dict_as_prefix, NULL, "Given as zstd_dict: the content is taken as what came before the first frame."},
    {0},
};

static const TyMemberDef dict_members[] = {
    {"dict_id", TY_MEMBER_UINT32, false, offsetof(Dict, id), "The number of the dictionary; 0: its content is raw."},
    {0},
};

static TyType dict_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Dict), .trace = dict_trace, .destroy = dict_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "compression.zstd.ZstdDict",
    .doc = "ZstdDict(dict_content, /, *, is_raw=False)\n\nA dictionary: what compressor and decompressor both know before they begin. Content that is raw is "
           "not checked to be of the dictionary format.",
    .parent = &ty_object_base_type,
    .slots = {.new = dict_new, .repr = dict_repr, .length = dict_length},
    .getsets = dict_getsets,
    .members = dict_members,
};

/* --- options --------------------------------------------------------------------------------------------------------------- */

typedef bool (*SetParameter)(void *context, int number, int value);

static bool set_options(void *context, Value options, bool compression, SetParameter set)
{
    Value other = state(compression ? STATE_DECOMPRESSION_PARAMETER : STATE_COMPRESSION_PARAMETER), key, value;
    if (!ty_is_dict(options)) {
        ty_raise(&ty_TypeError, "%s() argument 'options' must be dict, not %T", compression ? "ZstdCompressor" : "ZstdDecompressor", options);
        return false;
    }
    for (int64_t position = 0; ty_dict_next(options, &position, &key, &value);) {
        if (ty_from_object(ty_type_of(key)) == other) {
            ty_raise(&ty_TypeError, "%s options dictionary key must not be a %s attribute", compression ? "compression" : "decompression",
                     compression ? "DecompressionParameter" : "CompressionParameter");
            return false;
        }
        int32_t number, setting;
        if (!to_int(key, &number) || !to_int(value, &setting) || !set(context, number, setting))
            return false;
    }
    return true;
}

/* --- ZstdCompressor ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    TyObject base;
    ZSTD_CCtx *context;
    Value dict;        /* that the context refers to, or TY_NULL */
    size_t accounted;  /* bytes of the context that the heap was told of */
    TyMutex mutex;
    int level;         /* 0: the library's own */
    _Atomic int32_t last_mode;
} Compressor;

static void compressor_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Compressor *)self)->dict); }

static void compressor_destroy(TyObject *self)
{
    Compressor *c = (Compressor *)self;
    ZSTD_freeCCtx(c->context);
    ty_heap_account(-(ptrdiff_t)c->accounted);
}

static void account(size_t *accounted, size_t size)
{
    if (size > *accounted) {
        ty_heap_account((ptrdiff_t)(size - *accounted));
        *accounted = size;
    }
}

static bool set_level(Compressor *c, int level)
{
    if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel()) {
        ty_raise(&ty_ValueError, "illegal compression level %d; the valid range is [%d, %d]", level, ZSTD_minCLevel(), ZSTD_maxCLevel());
        return false;
    }
    c->level = level;
    return !is_error(ZSTD_CCtx_setParameter(c->context, ZSTD_c_compressionLevel, level), "Unable to set the compression level");
}

static bool set_level_argument(Compressor *c, Value v)
{
    int64_t level;
    if (!ty_is_int(v)) {
        ty_raise(&ty_TypeError, "invalid type for level, expected int");
        return false;
    }
    if (ty_int_get_int64(v, &level) == 0 && level >= INT32_MIN && level <= INT32_MAX)
        return set_level(c, (int)level);
    ty_raise(&ty_ValueError, "illegal compression level; the valid range is [%d, %d]", ZSTD_minCLevel(), ZSTD_maxCLevel());
    return false;
}

static bool set_compression_parameter(void *context, int number, int value)
{
    Compressor *c = context;
    if (number == ZSTD_c_compressionLevel)
        return set_level(c, value);
    return !ZSTD_isError(ZSTD_CCtx_setParameter(c->context, (ZSTD_cParameter)number, value)) || raise_parameter(true, number, value);
}

static bool set_compression_dict(Compressor *c, Value v)
{
    int form = UNDIGESTED;
    Dict *d = dict_argument(v, &form);
    if (!d)
        return false;
    ZSTD_CDict *digested = form == DIGESTED ? digest_for_compression(d, c->level) : NULL;
    if (form == DIGESTED && !digested)
        return false;
    const uint8_t *content = ty_bytes_data(d->content);
    size_t size = (size_t)ty_bytes_length(d->content), result;
    switch (form) {
    case DIGESTED: result = ZSTD_CCtx_refCDict(c->context, digested); break;
    case UNDIGESTED: result = ZSTD_CCtx_loadDictionary(c->context, content, size); break;
    default: result = ZSTD_CCtx_refPrefix(c->context, content, size); break;
    }
    ty_store(c, &c->dict, ty_from_object(d));
    return !is_error(result, "Unable to load Zstandard dictionary or prefix for compression");
}

static TySignature compressor_signature = TY_SIGNATURE("ZstdCompressor(level=None, options=None, zstd_dict=None)");

static Value compressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[3];
    if (!ty_parse_arguments(&compressor_signature, arguments, count, keywords, a))
        return TY_NULL;
    bool level = a[0] != TY_NULL && a[0] != TY_NONE, options = a[1] != TY_NULL && a[1] != TY_NONE, dict = a[2] != TY_NULL && a[2] != TY_NONE;
    if (level && options)
        return ty_raise(&ty_TypeError, "Only one of level or options should be used.");
    Compressor *c = (Compressor *)ty_object(ty_type_allocate(type, 0));
    if (!c)
        return TY_NULL;
    ty_store_relaxed(&c->last_mode, ZSTD_e_end);
    c->context = ZSTD_createCCtx();
    if (!c->context)
        return raise_zstd("Unable to create ZSTD_CCtx instance.");
    if ((level && !set_level_argument(c, a[0])) || (options && !set_options(c, a[1], true, set_compression_parameter)) || (dict && !set_compression_dict(c, a[2])))
        return TY_NULL;
    account(&c->accounted, ZSTD_sizeof_CCtx(c->context));
    return ty_from_object(c);
}

/* Touches no heap object. */
static size_t run_compressor(ZSTD_CCtx *context, const uint8_t *input, size_t size, ZSTD_EndDirective mode, size_t room, TyOutput *out, bool *full)
{
    ZSTD_inBuffer in = {input, size, 0};
    *full = false;
    for (;;) {
        if (!ty_output_grow(out, room) && !ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = true;
            return 0;
        }
        ZSTD_outBuffer to = {out->bytes, out->capacity, out->size};
        size_t result = ZSTD_compressStream2(context, &to, &in, mode);
        out->size = to.pos;
        if (ZSTD_isError(result) || (mode == ZSTD_e_continue ? in.pos == in.size && to.pos < to.size : result == 0))
            return result;
    }
}

static Value run(Compressor *c, const uint8_t *input, size_t size, ZSTD_EndDirective mode)
{
    TyOutput out = {.limit = SIZE_MAX};
    /* A whole frame that has room enough is compressed at once, without the library's own buffers. */
    bool whole = mode == ZSTD_e_end && ty_load_relaxed(&c->last_mode) == ZSTD_e_end && size > 0;
    size_t room = whole ? TY_MAX(ZSTD_compressBound(size), (size_t)TY_OUTPUT_FIRST) : (size_t)TY_OUTPUT_FIRST;
    bool full, blocking = ty_work_begin(mode == ZSTD_e_continue ? size : SIZE_MAX);
    size_t result = run_compressor(c->context, input, size, mode, room, &out, &full);
    ty_work_end(blocking);
    if (full)
        ty_raise_memory_error();
    bool good = !full && !is_error(result, "Unable to compress Zstandard data");
    if (!good)
        ZSTD_CCtx_reset(c->context, ZSTD_reset_session_only);
    ty_store_relaxed(&c->last_mode, good ? (int32_t)mode : ZSTD_e_end);
    account(&c->accounted, ZSTD_sizeof_CCtx(c->context));
    return ty_output_finish(&out, good);
}

static Value compressor_compress(Value self, Value *a)
{
    Compressor *c = (Compressor *)ty_object(self);
    int32_t mode = ZSTD_e_continue;
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    if (a[1] != TY_NULL && !ty_to_int32(a[1], &mode)) {
        ty_buffer_release(&view);
        return TY_NULL;
    }
    Value result;
    if (mode < ZSTD_e_continue || mode > ZSTD_e_end) {
        result = ty_raise(&ty_ValueError, "mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME.");
    } else {
        ty_mutex_lock_blocking(&c->mutex);
        result = run(c, view.data, (size_t)view.length, (ZSTD_EndDirective)mode);
        ty_mutex_unlock(&c->mutex);
    }
    ty_buffer_release(&view);
    return result;
}

static Value compressor_flush(Value self, Value *a)
{
    Compressor *c = (Compressor *)ty_object(self);
    int32_t mode = ZSTD_e_end;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &mode))
        return TY_NULL;
    if (mode != ZSTD_e_end && mode != ZSTD_e_flush)
        return ty_raise(&ty_ValueError, "mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or ZstdCompressor.FLUSH_BLOCK.");
    ty_mutex_lock_blocking(&c->mutex);
    return ty_stream_unlock(&c->mutex, run(c, (const uint8_t *)"", 0, (ZSTD_EndDirective)mode));
}

static Value compressor_set_pledged_input_size(Value self, Value *a)
{
    Compressor *c = (Compressor *)ty_object(self);
    uint64_t size = ZSTD_CONTENTSIZE_UNKNOWN;
    if (a[0] != TY_NONE && !ty_is_int(a[0]))
        return ty_raise(&ty_TypeError, "an integer is required");
    if (a[0] != TY_NONE && (!ty_to_uint64(a[0], &size) || size >= ZSTD_CONTENTSIZE_ERROR)) {
        ty_clear_exception();
        return ty_raise(&ty_ValueError, "size argument should be a positive int less than %s", "18446744073709551614");
    }
    ty_mutex_lock_blocking(&c->mutex);
    Value result = TY_NONE;
    if (ty_load_relaxed(&c->last_mode) != ZSTD_e_end)
        result = ty_raise(&ty_ValueError, "set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME");
    else if (is_error(ZSTD_CCtx_setPledgedSrcSize(c->context, size), "Unable to set pledged uncompressed content size"))
        result = TY_NULL;
    return ty_stream_unlock(&c->mutex, result);
}

static const TyNativeDef compressor_methods[] = {
    TY_METHOD("compress(self, /, data, mode=ZstdCompressor.CONTINUE)", compressor_compress,
              "Compresses the data: the bytes that are ready by now, maybe none. FLUSH_BLOCK as mode makes all that was given so far readable, FLUSH_FRAME also ends the frame."),
    TY_METHOD("flush(self, /, mode=ZstdCompressor.FLUSH_FRAME)", compressor_flush, "The bytes that are left, up to the end of a block or of the frame."),
    TY_METHOD("set_pledged_input_size(self, size, /)", compressor_set_pledged_input_size,
              "Says how large the data of the next frame will be, for its header; None: unknown."),
    {0},
};

static const TyMemberDef compressor_members[] = {
    {"last_mode", TY_MEMBER_INT32, false, offsetof(Compressor, last_mode), "The mode of the last call; FLUSH_FRAME also before the first, and after an error."},
    {0},
};

static TyType compressor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Compressor), .trace = compressor_trace, .destroy = compressor_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "compression.zstd.ZstdCompressor",
    .doc = "ZstdCompressor(level=None, options=None, zstd_dict=None)\n\nA compressor for data that comes in pieces. The options are a dict from CompressionParameter to int.",
    .parent = &ty_object_base_type,
    .slots = {.new = compressor_new},
    .methods = compressor_methods,
    .members = compressor_members,
};

/* --- ZstdDecompressor -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    ZSTD_DCtx *context;
    Value dict;
    size_t accounted;
    TyDecompression state;
} Decompressor;

static void decompressor_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Decompressor *)self)->dict);
    ty_decompression_trace(&((Decompressor *)self)->state, marker);
}

static void decompressor_destroy(TyObject *self)
{
    Decompressor *d = (Decompressor *)self;
    ZSTD_freeDCtx(d->context);
    ty_heap_account(-(ptrdiff_t)d->accounted);
}

static bool set_decompression_parameter(void *context, int number, int value)
{
    return !ZSTD_isError(ZSTD_DCtx_setParameter(((Decompressor *)context)->context, (ZSTD_dParameter)number, value)) || raise_parameter(false, number, value);
}

static bool set_decompression_dict(Decompressor *d, Value v)
{
    int form = DIGESTED;
    Dict *dict = dict_argument(v, &form);
    if (!dict)
        return false;
    ZSTD_DDict *digested = form == DIGESTED ? digest_for_decompression(dict) : NULL;
    if (form == DIGESTED && !digested)
        return false;
    const uint8_t *content = ty_bytes_data(dict->content);
    size_t size = (size_t)ty_bytes_length(dict->content), result;
    switch (form) {
    case DIGESTED: result = ZSTD_DCtx_refDDict(d->context, digested); break;
    case UNDIGESTED: result = ZSTD_DCtx_loadDictionary(d->context, content, size); break;
    default: result = ZSTD_DCtx_refPrefix(d->context, content, size); break;
    }
    ty_store(d, &d->dict, ty_from_object(dict));
    return !is_error(result, "Unable to load Zstandard dictionary or prefix for decompression");
}

static TySignature decompressor_signature = TY_SIGNATURE("ZstdDecompressor(zstd_dict=None, options=None)");

static Value decompressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&decompressor_signature, arguments, count, keywords, a))
        return TY_NULL;
    Decompressor *d = (Decompressor *)ty_object(ty_type_allocate(type, 0));
    if (!d || !ty_decompression_start(&d->state, d))
        return TY_NULL;
    d->context = ZSTD_createDCtx();
    if (!d->context)
        return raise_zstd("Unable to create ZSTD_DCtx instance.");
    if ((a[0] != TY_NULL && a[0] != TY_NONE && !set_decompression_dict(d, a[0]))
        || (a[1] != TY_NULL && a[1] != TY_NONE && !set_options(d, a[1], false, set_decompression_parameter)))
        return TY_NULL;
    account(&d->accounted, ZSTD_sizeof_DCtx(d->context));
    return ty_from_object(d);
}

/* Touches no heap object. Zero at the end of the frame. */
static size_t run_decompressor(ZSTD_DCtx *context, ZSTD_inBuffer *in, TyOutput *out, bool *full)
{
    *full = false;
    for (bool first = true;; first = false) {
        if (!ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = out->size < out->limit;
            if (*full || !first) /* without any room a frame that holds nothing still comes to its end */
                return 1;
        }
        ZSTD_outBuffer to = {out->bytes, out->capacity, out->size};
        size_t result = ZSTD_decompressStream(context, &to, in);
        out->size = to.pos;
        if (result == 0 || ZSTD_isError(result) || (in->pos == in->size && to.pos < to.size))
            return result;
    }
}

static Value decompress(void *owner, Value data, int64_t limit)
{
    Decompressor *d = owner;
    TyOutput out = {.limit = limit < 0 ? SIZE_MAX : (size_t)limit};
    ZSTD_inBuffer in = {ty_bytes_data(data), (size_t)ty_bytes_length(data), 0};
    bool full, blocking = ty_work_begin(in.size);
    size_t result = run_decompressor(d->context, &in, &out, &full);
    ty_work_end(blocking);
    if (full)
        ty_raise_memory_error();
    bool good = !full && !is_error(result, "Unable to decompress Zstandard data");
    ty_store_relaxed(&d->state.eof, good && result == 0);
    if (!good) { /* a new frame may follow */
        ZSTD_DCtx_reset(d->context, ZSTD_reset_session_only);
        ty_store(d, &d->state.pending, TY_NULL);
        ty_store_relaxed(&d->state.needs_input, true);
    }
    account(&d->accounted, ZSTD_sizeof_DCtx(d->context));
    good = good && ty_decompression_rest(&d->state, d, (const uint8_t *)in.src + in.pos, in.size - in.pos, out.size < out.limit);
    return ty_output_finish(&out, good);
}

static Value decompressor_decompress(Value self, Value *a)
{
    Decompressor *d = (Decompressor *)ty_object(self);
    return ty_decompression_call(&d->state, d, a, decompress, "Already at the end of a Zstandard frame.");
}

static Value get_unused_data(Value self) { return ty_field(&((Decompressor *)ty_object(self))->state.unused_data); }

static const TyNativeDef decompressor_methods[] = {
    TY_METHOD("decompress(self, /, data, max_length=-1)", decompressor_decompress,
              "Decompresses the data: at most max_length bytes if that is not negative. While needs_input is False there is more to be had with empty data."),
    {0},
};

static const TyGetSetDef decompressor_getsets[] = {
    {"unused_data", get_unused_data, NULL, "What was given after the end of the frame."},
    {0},
};

static const TyMemberDef decompressor_members[] = {
    {"eof", TY_MEMBER_BOOL, false, offsetof(Decompressor, state.eof), "True once the end of the frame has been reached."},
    {"needs_input", TY_MEMBER_BOOL, false, offsetof(Decompressor, state.needs_input), "True if more data is needed before more can be decompressed."},
    {0},
};

static TyType decompressor_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Decompressor), .trace = decompressor_trace, .destroy = decompressor_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "compression.zstd.ZstdDecompressor",
    .doc = "ZstdDecompressor(zstd_dict=None, options=None)\n\nA decompressor of one frame, whose data may come in pieces. The options are a dict from DecompressionParameter to int.",
    .parent = &ty_object_base_type,
    .slots = {.new = decompressor_new},
    .methods = decompressor_methods,
    .getsets = decompressor_getsets,
    .members = decompressor_members,
};

/* --- functions ------------------------------------------------------------------------------------------------------------------- */

static Value zstd_get_frame_size(Value module, Value *a)
{
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    size_t size = ZSTD_findFrameCompressedSize(view.data, (size_t)view.length);
    ty_buffer_release(&view);
    if (!ZSTD_isError(size))
        return ty_int_from_uint64(size);
    Value type = state(STATE_ERROR);
    return type == TY_NULL ? TY_NULL : ty_raise(ty_as_type(type),
        "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument starts from the beginning of a frame, and its length is not less than "
        "this complete frame. Zstd error message: %s.", ZSTD_getErrorName(size));
}

static Value zstd_get_frame_info(Value module, Value *a)
{
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    unsigned long long size = ZSTD_getFrameContentSize(view.data, (size_t)view.length);
    uint32_t id = ZSTD_getDictID_fromFrame(view.data, (size_t)view.length);
    ty_buffer_release(&view);
    if (size == ZSTD_CONTENTSIZE_ERROR)
        return raise_zstd("Error when getting information from the header of a Zstandard frame. Ensure the frame_buffer argument starts from the beginning of a frame, and its "
                          "length is not less than the frame header (6~18 bytes).");
    return ty_tuple_pack(2, size == ZSTD_CONTENTSIZE_UNKNOWN ? TY_NONE : ty_int_from_uint64(size), ty_from_immediate_int(id));
}

static Value zstd_get_param_bounds(Value module, Value *a)
{
    int32_t number;
    int compression = ty_to_int32(a[0], &number) ? ty_is_true(a[1]) : -1;
    if (compression < 0)
        return TY_NULL;
    ZSTD_bounds bounds = compression ? ZSTD_cParam_getBounds((ZSTD_cParameter)number) : ZSTD_dParam_getBounds((ZSTD_dParameter)number);
    if (is_error(bounds.error, compression ? "Unable to get zstd compression parameter bounds" : "Unable to get zstd decompression parameter bounds"))
        return TY_NULL;
    return ty_tuple_pack(2, ty_from_immediate_int(bounds.lowerBound), ty_from_immediate_int(bounds.upperBound));
}

static Value zstd_set_parameter_types(Value module, Value *a)
{
    static const char *const names[] = {"c_parameter_type", "d_parameter_type"};
    for (int i = 0; i < 2; i++)
        if (!ty_is_type(a[i]))
            return ty_raise(&ty_TypeError, "set_parameter_types() argument '%s' must be type, not %T", names[i], a[i]);
    for (int i = 0; i < 2; i++)
        ty_store(ty_object(module), &ty_module_state(module)[STATE_COMPRESSION_PARAMETER + i], a[i]);
    return TY_NONE;
}

static bool require_type(Value v, const char *function, int position, TyType *type, const char *name)
{
    if (ty_is_instance_of(v, type))
        return true;
    ty_raise(&ty_TypeError, "%s() argument %d must be %s, not %T", function, position, name, v);
    return false;
}

/* The sizes that a tuple gives, which together are `total`; the caller frees them. NULL with an exception. */
static size_t *sample_sizes(Value tuple, int64_t total)
{
    int64_t count = ty_tuple_length(tuple);
    size_t *sizes = count <= UINT32_MAX ? malloc((size_t)count * sizeof *sizes + 1) : NULL;
    if (!sizes)
        return ty_raise_memory_error(), NULL;
    for (int64_t i = 0; i < count; i++) {
        int64_t size = -1;
        if (!ty_is_int(ty_tuple_item(tuple, i))) {
            free(sizes);
            return ty_raise(&ty_TypeError, "an integer is required"), NULL;
        }
        if (ty_int_get_int64(ty_tuple_item(tuple, i), &size) != 0 || size < 0 || size > total) {
            total = -1;
            break;
        }
        sizes[i] = (size_t)size;
        total -= size;
    }
    if (total == 0)
        return sizes;
    free(sizes);
    return ty_raise(&ty_ValueError, "The samples size tuple doesn't match the concatenation's size."), NULL;
}

/* Trains a dictionary, or finalizes `custom` as one (NULL: train). */
static Value make_dict(Value custom, Value samples, Value size_tuple, int64_t dict_size, int level)
{
    if (dict_size <= 0)
        return ty_raise(&ty_ValueError, "dict_size argument should be positive number.");
    size_t *sizes = sample_sizes(size_tuple, ty_bytes_length(samples));
    if (!sizes)
        return TY_NULL;
    Value bytes = ty_bytes_new(NULL, (size_t)dict_size);
    if (bytes == TY_NULL) {
        free(sizes);
        return TY_NULL;
    }
    uint8_t *target = (uint8_t *)ty_bytes_data(bytes);
    unsigned count = (unsigned)ty_tuple_length(size_tuple);
    size_t result;
    ty_blocking_begin();
    if (custom == TY_NULL) {
        result = ZDICT_trainFromBuffer(target, (size_t)dict_size, ty_bytes_data(samples), sizes, count);
    } else {
        ZDICT_params_t parameters = {.compressionLevel = level};
        result = ZDICT_finalizeDictionary(target, (size_t)dict_size, ty_bytes_data(custom), (size_t)ty_bytes_length(custom), ty_bytes_data(samples), sizes, count, parameters);
    }
    ty_blocking_end();
    free(sizes);
    if (is_error(result, custom == TY_NULL ? "Unable to train the Zstandard dictionary" : "Unable to finalize the Zstandard dictionary"))
        return TY_NULL;
    return ty_bytes_shrink(bytes, result);
}

static Value zstd_train_dict(Value module, Value *a)
{
    int64_t size;
    if (!require_type(a[0], "train_dict", 1, &ty_bytes_type, "bytes") || !require_type(a[1], "train_dict", 2, &ty_tuple_type, "tuple") || !ty_to_size(a[2], &size))
        return TY_NULL;
    return make_dict(TY_NULL, a[0], a[1], size, 0);
}

static Value zstd_finalize_dict(Value module, Value *a)
{
    int64_t size;
    int32_t level;
    if (!require_type(a[0], "finalize_dict", 1, &ty_bytes_type, "bytes") || !require_type(a[1], "finalize_dict", 2, &ty_bytes_type, "bytes")
        || !require_type(a[2], "finalize_dict", 3, &ty_tuple_type, "tuple") || !ty_to_size(a[3], &size) || !ty_to_int32(a[4], &level))
        return TY_NULL;
    return make_dict(a[0], a[1], a[2], size, level);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("get_frame_size(module, /, frame_buffer)", zstd_get_frame_size, "The size of the compressed frame that the data begins with, header and checksum included."),
    TY_FUNCTION("get_frame_info(module, /, frame_buffer)", zstd_get_frame_info, "What a frame's header says: the size of its data, None if unknown, and the number of its dictionary."),
    TY_FUNCTION("get_param_bounds(module, /, parameter, is_compress)", zstd_get_param_bounds, "The least and the greatest value of a parameter."),
    TY_FUNCTION("set_parameter_types(module, /, c_parameter_type, d_parameter_type)", zstd_set_parameter_types, "Tells what the enumerations of the parameters are."),
    TY_FUNCTION("train_dict(module, samples_bytes, samples_sizes, dict_size, /)", zstd_train_dict, "Makes the content of a dictionary from samples."),
    TY_FUNCTION("finalize_dict(module, custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, /)", zstd_finalize_dict,
                "Makes the content of a dictionary from one without header and statistics, and samples."),
    {0},
};

static bool add_constants(Value module)
{
    static const struct { const char *name; int value; } numbers[] = {
        {"zstd_version_number", 0}, {"ZSTD_CLEVEL_DEFAULT", ZSTD_CLEVEL_DEFAULT}, {"ZSTD_fast", ZSTD_fast}, {"ZSTD_dfast", ZSTD_dfast}, {"ZSTD_greedy", ZSTD_greedy},
        {"ZSTD_lazy", ZSTD_lazy}, {"ZSTD_lazy2", ZSTD_lazy2}, {"ZSTD_btlazy2", ZSTD_btlazy2}, {"ZSTD_btopt", ZSTD_btopt}, {"ZSTD_btultra", ZSTD_btultra},
        {"ZSTD_btultra2", ZSTD_btultra2},
    };
    for (size_t i = 0; i < TY_COUNT_OF(numbers); i++)
        if (!ty_module_add_int(module, numbers[i].name, i == 0 ? (int)ZSTD_versionNumber() : numbers[i].value))
            return false;
    for (const Parameter *p = compression_parameters; p->constant; p++)
        if (!ty_module_add_int(module, p->constant, p->number))
            return false;
    for (const Parameter *p = decompression_parameters; p->constant; p++)
        if (!ty_module_add_int(module, p->constant, p->number))
            return false;
    return ty_module_add_int(module, "ZSTD_DStreamOutSize", (int64_t)ZSTD_DStreamOutSize()) && ty_module_add_str(module, "zstd_version", ZSTD_versionString());
}

static bool execute(Value module)
{
    Value error = ty_type_from_name("compression.zstd.ZstdError", &ty_Exception, TY_NULL);
    if (error == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    static const char *const modes[] = {"CONTINUE", "FLUSH_BLOCK", "FLUSH_FRAME"};
    for (int i = 0; i < 3; i++)
        if (!ty_dict_set(compressor_type.dict, ty_intern_text(modes[i]), ty_from_immediate_int(i)))
            return false;
    return ty_module_add(module, "ZstdError", error) && add_constants(module);
}

static TyType *const types[] = {&dict_type, &compressor_type, &decompressor_type, NULL};

const TyModuleDef ty_module__zstd = {
    .name = "_zstd",
    .doc = "Compression in the format of Zstandard.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
