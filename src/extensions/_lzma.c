/* _lzma: the formats of liblzma as streams; the rest of lzma is Python. */
#include <lzma.h>
#include <stdlib.h>

#include "modules/compression.h"
#include "object/buffer.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };
enum { STATE_ERROR, STATE_COUNT };

#define CHECK_UNKNOWN (LZMA_CHECK_ID_MAX + 1)

static TyType *error_type(void)
{
    Value module = ty_module_current("_lzma");
    return module == TY_NULL ? &ty_Exception : ty_as_type(ty_module_state(module)[STATE_ERROR]);
}

/* Raises for a code of the library; false if it is none of an error. */
static bool is_error(lzma_ret code)
{
    const char *message;
    switch (code) {
    case LZMA_OK:
    case LZMA_GET_CHECK:
    case LZMA_NO_CHECK:
    case LZMA_STREAM_END: return false;
    case LZMA_UNSUPPORTED_CHECK: message = "Unsupported integrity check"; break;
    case LZMA_MEM_ERROR: ty_raise_memory_error(); return true;
    case LZMA_MEMLIMIT_ERROR: message = "Memory usage limit exceeded"; break;
    case LZMA_FORMAT_ERROR: message = "Input format not supported by decoder"; break;
    case LZMA_OPTIONS_ERROR: message = "Invalid or unsupported options"; break;
    case LZMA_DATA_ERROR: message = "Corrupt input data"; break;
    case LZMA_BUF_ERROR: message = "Insufficient buffer space"; break;
    case LZMA_PROG_ERROR: message = "Internal error"; break;
    default: ty_raise(error_type(), "Unrecognized error from liblzma: %d", (int)code); return true;
    }
    ty_raise(error_type(), "%s", message);
    return true;
}

static bool to_uint64(Value v, uint64_t *out, const char *type)
{
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    if (ty_int_sign(index) < 0)
        ty_raise(&ty_ValueError, "Cannot convert negative int");
    else if (ty_int_bit_length(index) > 64)
        ty_raise(&ty_OverflowError, "Value too large for %s type", type);
    else
        return ty_to_uint64_mask(index, out);
    return false;
}

static bool to_uint32(Value v, uint32_t *out)
{
    uint64_t value;
    if (!to_uint64(v, &value, "uint32_t"))
        return false;
    if (value > UINT32_MAX) {
        ty_raise(&ty_OverflowError, "Value too large for uint32_t type");
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* --- filters --------------------------------------------------------------------------------------------------------- */

typedef enum { LZMA_OPTIONS, DELTA_OPTIONS, BRANCH_OPTIONS, UNKNOWN_OPTIONS } OptionsKind;

static OptionsKind kind_of_filter(lzma_vli id)
{
    switch (id) {
    case LZMA_FILTER_LZMA1:
    case LZMA_FILTER_LZMA2: return LZMA_OPTIONS;
    case LZMA_FILTER_DELTA: return DELTA_OPTIONS;
    case LZMA_FILTER_X86:
    case LZMA_FILTER_POWERPC:
    case LZMA_FILTER_IA64:
    case LZMA_FILTER_ARM:
    case LZMA_FILTER_ARMTHUMB:
    case LZMA_FILTER_SPARC: return BRANCH_OPTIONS;
    default: return UNKNOWN_OPTIONS;
    }
}

/* The options of each kind, all uint32_t or enums of that size: the names of a filter specifier's items. */
typedef struct {
    const char *name;
    size_t offset;
} Option;

static const Option lzma_options[] = {
    {"dict_size", offsetof(lzma_options_lzma, dict_size)}, {"lc", offsetof(lzma_options_lzma, lc)},
    {"lp", offsetof(lzma_options_lzma, lp)},               {"pb", offsetof(lzma_options_lzma, pb)},
    {"mode", offsetof(lzma_options_lzma, mode)},           {"nice_len", offsetof(lzma_options_lzma, nice_len)},
    {"mf", offsetof(lzma_options_lzma, mf)},               {"depth", offsetof(lzma_options_lzma, depth)},
    {NULL, 0},
};
static const Option delta_options[] = {{"dist", offsetof(lzma_options_delta, dist)}, {NULL, 0}};
static const Option branch_options[] = {{"start_offset", offsetof(lzma_options_bcj, start_offset)}, {NULL, 0}};

static const struct {
    const Option *options;
    size_t size;
    const char *complaint;
} kinds[] = {
    [LZMA_OPTIONS] = {lzma_options, sizeof(lzma_options_lzma), "Invalid filter specifier for LZMA filter"},
    [DELTA_OPTIONS] = {delta_options, sizeof(lzma_options_delta), "Invalid filter specifier for delta filter"},
    [BRANCH_OPTIONS] = {branch_options, sizeof(lzma_options_bcj), "Invalid filter specifier for BCJ filter"},
};

/* Sets one item of a specifier: false if it is no option of that kind or has no such value. */
static bool set_option(OptionsKind kind, void *options, Value name, Value value)
{
    if (ty_str_equal_text(name, "id") || (kind == LZMA_OPTIONS && ty_str_equal_text(name, "preset")))
        return true;
    for (const Option *option = kinds[kind].options; option->name; option++)
        if (ty_str_equal_text(name, option->name)) {
            uint32_t number;
            if (!to_uint32(value, &number))
                return false;
            memcpy((char *)options + option->offset, &number, sizeof number);
            return true;
        }
    return false;
}

/* The options of a specifier, malloc'ed; NULL with an exception. */
static void *parse_options(OptionsKind kind, Value specifier)
{
    void *options = calloc(1, kinds[kind].size);
    if (!options) {
        ty_raise_memory_error();
        return NULL;
    }
    bool good = true;
    uint32_t preset = LZMA_PRESET_DEFAULT;
    if (kind == LZMA_OPTIONS) {
        Value given = ty_get_item(specifier, TY_NAME("preset"));
        if (given == TY_NULL && ty_raised_is(&ty_KeyError))
            ty_clear_exception();
        good = given != TY_NULL ? to_uint32(given, &preset) : !ty_raised();
        if (good && lzma_lzma_preset(options, preset)) {
            ty_raise(error_type(), "Invalid compression preset: %u", preset);
            good = false;
        }
    } else if (kind == DELTA_OPTIONS) {
        ((lzma_options_delta *)options)->type = LZMA_DELTA_TYPE_BYTE;
        ((lzma_options_delta *)options)->dist = 1;
    }
    Value items = good ? ty_dict_new() : TY_NULL;
    good = items != TY_NULL && ty_dict_update(items, specifier);
    int64_t position = 0;
    Value name, value;
    while (good && ty_dict_next(items, &position, &name, &value))
        if (!ty_is_str(name) || !set_option(kind, options, name, value)) {
            ty_clear_exception();
            ty_raise(&ty_ValueError, "%s", kinds[kind].complaint);
            good = false;
        }
    if (good)
        return options;
    free(options);
    return NULL;
}

static bool parse_filter(Value specifier, lzma_filter *filter)
{
    if (!ty_is_mapping(specifier)) {
        ty_raise(&ty_TypeError, "Filter specifier must be a dict or dict-like object");
        return false;
    }
    Value id = ty_get_item(specifier, TY_NAME("id"));
    if (id == TY_NULL) {
        if (ty_raised_is(&ty_KeyError)) {
            ty_clear_exception();
            ty_raise(&ty_ValueError, "Filter specifier must have an \"id\" entry");
        }
        return false;
    }
    uint64_t number;
    if (!to_uint64(id, &number, "lzma_vli"))
        return false;
    filter->id = number;
    OptionsKind kind = kind_of_filter(number);
    if (kind == UNKNOWN_OPTIONS) {
        ty_raise(&ty_ValueError, "Invalid filter ID: %llu", (unsigned long long)number);
        return false;
    }
    filter->options = parse_options(kind, specifier);
    return filter->options != NULL;
}

typedef struct {
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
} Chain;

static void chain_free(Chain *chain)
{
    for (int i = 0; i < LZMA_FILTERS_MAX && chain->filters[i].id != LZMA_VLI_UNKNOWN; i++)
        free(chain->filters[i].options);
}

/* A sequence of specifiers; nothing is to be freed after a failure. */
static bool chain_parse(Value specifiers, Chain *chain)
{
    *chain = (Chain){0};
    int64_t count = ty_length(specifiers);
    if (count < 0)
        return false;
    if (!ty_is_sequence(specifiers)) {
        ty_raise(&ty_TypeError, "%T is not a sequence", specifiers);
        return false;
    }
    if (count > LZMA_FILTERS_MAX) {
        ty_raise(&ty_ValueError, "Too many filters - liblzma supports a maximum of %d", LZMA_FILTERS_MAX);
        return false;
    }
    chain->filters[0].id = LZMA_VLI_UNKNOWN;
    for (int64_t i = 0; i < count; i++) {
        Value specifier = ty_sequence_item(specifiers, i);
        lzma_filter filter = {0};
        if (specifier == TY_NULL || !parse_filter(specifier, &filter)) {
            chain_free(chain);
            return false;
        }
        chain->filters[i] = filter;
        chain->filters[i + 1].id = LZMA_VLI_UNKNOWN;
    }
    return true;
}

static Value encode_filter_properties(Value module, Value *a)
{
    lzma_filter filter = {0};
    if (!parse_filter(a[0], &filter))
        return TY_NULL;
    uint32_t size;
    Value result = TY_NULL;
    if (!is_error(lzma_properties_size(&size, &filter))) {
        result = ty_bytes_new(NULL, size);
        if (result != TY_NULL && is_error(lzma_properties_encode(&filter, ty_as_bytes(result)->data)))
            result = TY_NULL;
    }
    free(filter.options);
    return result;
}

static bool add_option(Value dict, OptionsKind kind, const void *options, const char *name)
{
    for (const Option *option = kinds[kind].options; option->name; option++)
        if (strcmp(option->name, name) == 0) {
            uint32_t number;
            memcpy(&number, (const char *)options + option->offset, sizeof number);
            return ty_dict_set_text(dict, name, ty_int_from_int64(number));
        }
    return false;
}

/* A specifier of what the properties in a raw stream's description say. */
static Value describe_filter(const lzma_filter *filter)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL || !ty_dict_set_text(dict, "id", ty_int_from_uint64(filter->id)))
        return TY_NULL;
    OptionsKind kind = kind_of_filter(filter->id);
    const void *options = filter->options;
    bool good = true;
    if (filter->id == LZMA_FILTER_LZMA1)
        good = add_option(dict, kind, options, "lc") && add_option(dict, kind, options, "lp") &&
               add_option(dict, kind, options, "pb") && add_option(dict, kind, options, "dict_size");
    else if (kind == LZMA_OPTIONS)
        good = add_option(dict, kind, options, "dict_size");
    else if (kind == DELTA_OPTIONS)
        good = add_option(dict, kind, options, "dist");
    else if (kind == BRANCH_OPTIONS)
        good = !options || add_option(dict, kind, options, "start_offset");
    else
        ty_raise(&ty_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
    return good && kind != UNKNOWN_OPTIONS ? dict : TY_NULL;
}

static Value decode_filter_properties(Value module, Value *a)
{
    lzma_filter filter = {0};
    uint64_t id;
    TyBuffer view;
    if (!to_uint64(a[0], &id, "lzma_vli") || !ty_buffer_get(a[1], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    filter.id = id;
    lzma_ret code = lzma_properties_decode(&filter, NULL, view.data, (size_t)view.length);
    ty_buffer_release(&view);
    if (is_error(code))
        return TY_NULL;
    Value result = describe_filter(&filter);
    free(filter.options);
    return result;
}

static Value is_check_supported(Value module, Value *a)
{
    int32_t id;
    return ty_to_int32(a[0], &id) ? ty_from_bool(lzma_check_is_supported((lzma_check)id)) : TY_NULL;
}

/* --- LZMACompressor ---------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    lzma_stream stream;
    TyMutex mutex;
    bool flushed;
} Compressor;

static void compressor_destroy(TyObject *self) { lzma_end(&((Compressor *)self)->stream); }

/* Sets the stream up for .lzma files. */
static bool start_alone(lzma_stream *stream, uint32_t preset, const Chain *chain)
{
    if (!chain) {
        lzma_options_lzma options;
        if (lzma_lzma_preset(&options, preset)) {
            ty_raise(error_type(), "Invalid compression preset: %u", preset);
            return false;
        }
        return !is_error(lzma_alone_encoder(stream, &options));
    }
    if (chain->filters[0].id == LZMA_FILTER_LZMA1 && chain->filters[1].id == LZMA_VLI_UNKNOWN)
        return !is_error(lzma_alone_encoder(stream, chain->filters[0].options));
    ty_raise(&ty_ValueError, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
    return false;
}

static bool start_encoder(lzma_stream *stream, int format, int check, uint32_t preset, const Chain *chain)
{
    switch (format) {
    case FORMAT_XZ:
        if (check == -1)
            check = LZMA_CHECK_CRC64;
        return !is_error(chain ? lzma_stream_encoder(stream, chain->filters, (lzma_check)check)
                               : lzma_easy_encoder(stream, preset, (lzma_check)check));
    case FORMAT_ALONE: return start_alone(stream, preset, chain);
    case FORMAT_RAW:
        if (chain)
            return !is_error(lzma_raw_encoder(stream, chain->filters));
        ty_raise(&ty_ValueError, "Must specify filters for FORMAT_RAW");
        return false;
    default: ty_raise(&ty_ValueError, "Invalid container format: %d", format); return false;
    }
}

static TySignature compressor_signature = TY_SIGNATURE("LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)");

static Value compressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[4];
    int32_t format = FORMAT_XZ, check = -1;
    uint32_t preset = LZMA_PRESET_DEFAULT;
    if (!ty_parse_arguments(&compressor_signature, arguments, count, keywords, a) ||
        (a[0] != TY_NULL && !ty_to_int32(a[0], &format)) || (a[1] != TY_NULL && !ty_to_int32(a[1], &check)))
        return TY_NULL;
    bool has_preset = a[2] != TY_NULL && a[2] != TY_NONE, has_filters = a[3] != TY_NULL && a[3] != TY_NONE;
    if (has_preset && has_filters)
        return ty_raise(&ty_ValueError, "Cannot specify both preset and filter chain");
    if (has_preset && !to_uint32(a[2], &preset))
        return TY_NULL;
    if (format != FORMAT_XZ && check != -1 && check != LZMA_CHECK_NONE)
        return ty_raise(&ty_ValueError, "Integrity checks are only supported by FORMAT_XZ");
    Compressor *c = (Compressor *)ty_object(ty_type_allocate(type, 0));
    Chain chain;
    if (!c || (has_filters && !chain_parse(a[3], &chain)))
        return TY_NULL;
    bool good = start_encoder(&c->stream, format, check, preset, has_filters ? &chain : NULL);
    if (has_filters)
        chain_free(&chain);
    return good ? ty_from_object(c) : TY_NULL;
}

/* Touches no heap object. */
static lzma_ret run_encoder(lzma_stream *stream, const uint8_t *input, size_t size, lzma_action action, TyOutput *out, bool *full)
{
    lzma_ret code = LZMA_OK;
    *full = false;
    stream->next_in = input;
    stream->avail_in = size;
    for (;;) {
        if (!ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = true;
            return code;
        }
        stream->next_out = out->bytes + out->size;
        stream->avail_out = out->capacity - out->size;
        code = lzma_code(stream, action);
        out->size = out->capacity - stream->avail_out;
        if (code == LZMA_BUF_ERROR && size == 0 && stream->avail_out > 0)
            code = LZMA_OK; /* there was nothing to do */
        if (code != LZMA_OK)
            return code;
        if (action == LZMA_RUN && stream->avail_in == 0 && stream->avail_out > 0)
            return code;
    }
}

static Value run(Compressor *c, const uint8_t *input, size_t size, lzma_action action)
{
    TyOutput out = {.limit = SIZE_MAX};
    bool full, blocking = ty_work_begin(action == LZMA_RUN ? size : SIZE_MAX);
    lzma_ret code = run_encoder(&c->stream, input, size, action, &out, &full);
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
                              : run(c, view.data, (size_t)view.length, LZMA_RUN);
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
        result = run(c, (const uint8_t *)"", 0, LZMA_FINISH);
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
    .name = "_lzma.LZMACompressor",
    .doc = "LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)\n\n"
           "A compressor for data that comes in pieces. Either a preset, 0 to 9, or a chain of filters says how it works.",
    .parent = &ty_object_base_type,
    .slots = {.new = compressor_new},
    .methods = compressor_methods,
};

/* --- LZMADecompressor ---------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    lzma_stream stream;
    _Atomic int32_t check;
    TyDecompression state;
} Decompressor;

static void decompressor_trace(TyObject *self, TyMarker *marker)
{
    ty_decompression_trace(&((Decompressor *)self)->state, marker);
}

static void decompressor_destroy(TyObject *self) { lzma_end(&((Decompressor *)self)->stream); }

static bool start_decoder(Decompressor *d, int format, uint64_t memory_limit, Value filters)
{
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    ty_store_relaxed(&d->check, CHECK_UNKNOWN);
    switch (format) {
    case FORMAT_AUTO: return !is_error(lzma_auto_decoder(&d->stream, memory_limit, flags));
    case FORMAT_XZ: return !is_error(lzma_stream_decoder(&d->stream, memory_limit, flags));
    case FORMAT_ALONE:
        ty_store_relaxed(&d->check, LZMA_CHECK_NONE);
        return !is_error(lzma_alone_decoder(&d->stream, memory_limit));
    case FORMAT_RAW: {
        Chain chain;
        ty_store_relaxed(&d->check, LZMA_CHECK_NONE);
        if (!chain_parse(filters, &chain))
            return false;
        bool good = !is_error(lzma_raw_decoder(&d->stream, chain.filters));
        chain_free(&chain);
        return good;
    }
    default: ty_raise(&ty_ValueError, "Invalid container format: %d", format); return false;
    }
}

static TySignature decompressor_signature = TY_SIGNATURE("LZMADecompressor(format=FORMAT_AUTO, memlimit=None, filters=None)");

static Value decompressor_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[3];
    int32_t format = FORMAT_AUTO;
    uint64_t memory_limit = UINT64_MAX;
    if (!ty_parse_arguments(&decompressor_signature, arguments, count, keywords, a) ||
        (a[0] != TY_NULL && !ty_to_int32(a[0], &format)))
        return TY_NULL;
    bool has_filters = a[2] != TY_NULL && a[2] != TY_NONE;
    if (a[1] != TY_NULL && a[1] != TY_NONE) {
        if (format == FORMAT_RAW)
            return ty_raise(&ty_ValueError, "Cannot specify memory limit with FORMAT_RAW");
        if (!ty_to_uint64(a[1], &memory_limit))
            return TY_NULL;
    }
    if (format == FORMAT_RAW && !has_filters)
        return ty_raise(&ty_ValueError, "Must specify filters for FORMAT_RAW");
    if (format != FORMAT_RAW && has_filters)
        return ty_raise(&ty_ValueError, "Cannot specify filters except with FORMAT_RAW");
    Decompressor *d = (Decompressor *)ty_object(ty_type_allocate(type, 0));
    if (!d || !ty_decompression_start(&d->state, d) || !start_decoder(d, format, memory_limit, a[2]))
        return TY_NULL;
    return ty_from_object(d);
}

/* Touches no heap object. */
static lzma_ret run_decoder(Decompressor *d, TyOutput *out, bool *full)
{
    lzma_stream *stream = &d->stream;
    lzma_ret code = LZMA_OK;
    *full = false;
    for (;;) {
        if (!ty_output_grow(out, TY_OUTPUT_FIRST)) {
            *full = out->size < out->limit;
            stream->avail_out = 0;
            return code;
        }
        stream->next_out = out->bytes + out->size;
        stream->avail_out = out->capacity - out->size;
        code = lzma_code(stream, LZMA_RUN);
        out->size = out->capacity - stream->avail_out;
        if (code == LZMA_BUF_ERROR && stream->avail_in == 0 && stream->avail_out > 0)
            code = LZMA_OK; /* it only wants more */
        if (code == LZMA_GET_CHECK || code == LZMA_NO_CHECK)
            ty_store_relaxed(&d->check, (int32_t)lzma_get_check(stream));
        else if (code != LZMA_OK)
            return code;
        if (stream->avail_in == 0 && stream->avail_out > 0)
            return LZMA_OK;
    }
}

static Value decompress(void *owner, Value data, int64_t limit)
{
    Decompressor *d = owner;
    TyOutput out = {.limit = limit < 0 ? SIZE_MAX : (size_t)limit};
    d->stream.next_in = ty_bytes_data(data);
    d->stream.avail_in = (size_t)ty_bytes_length(data);
    bool full, blocking = ty_work_begin(d->stream.avail_in);
    lzma_ret code = run_decoder(d, &out, &full);
    ty_work_end(blocking);
    if (full)
        ty_raise_memory_error();
    bool good = !full && !is_error(code);
    if (code == LZMA_STREAM_END)
        ty_store_relaxed(&d->state.eof, true);
    good = good && ty_decompression_rest(&d->state, d, d->stream.next_in, d->stream.avail_in, d->stream.avail_out > 0);
    return ty_output_finish(&out, good);
}

static Value decompressor_decompress(Value self, Value *a)
{
    Decompressor *d = (Decompressor *)ty_object(self);
    return ty_decompression_call(&d->state, d, a, decompress, "Already at end of stream");
}

static Decompressor *decompressor_of(Value self) { return (Decompressor *)ty_object(self); }
static Value get_check(Value self) { return ty_from_immediate_int(ty_load_relaxed(&decompressor_of(self)->check)); }
static Value get_eof(Value self) { return ty_from_bool(ty_load_relaxed(&decompressor_of(self)->state.eof)); }
static Value get_needs_input(Value self) { return ty_from_bool(ty_load_relaxed(&decompressor_of(self)->state.needs_input)); }

static const TyNativeDef decompressor_methods[] = {
    TY_METHOD("decompress(self, /, data, max_length=-1)", decompressor_decompress,
              "Decompresses the data: at most max_length bytes if that is not negative. While needs_input is False there is more to "
              "be had with empty data."),
    {0},
};

static const TyGetSetDef decompressor_getsets[] = {
    {"check", get_check, NULL, "The kind of integrity check that the stream has; CHECK_UNKNOWN at first."},
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
    .name = "_lzma.LZMADecompressor",
    .doc = "LZMADecompressor(format=FORMAT_AUTO, memlimit=None, filters=None)\n\n"
           "A decompressor for data that comes in pieces. memlimit bounds the memory it uses; filters are for raw streams.",
    .parent = &ty_object_base_type,
    .slots = {.new = decompressor_new},
    .methods = decompressor_methods,
    .getsets = decompressor_getsets,
    .members = decompressor_members,
};

/* --- the module ------------------------------------------------------------------------------------------------------------ */

static const TyNativeDef functions[] = {
    TY_FUNCTION("is_check_supported(module, check_id, /)", is_check_supported, "Whether liblzma was built with that integrity check."),
    TY_FUNCTION("_encode_filter_properties(module, filter, /)", encode_filter_properties,
                "The options of a filter specifier as bytes, without its id."),
    TY_FUNCTION("_decode_filter_properties(module, filter_id, encoded_props, /)", decode_filter_properties,
                "The filter specifier of an id and its options as bytes."),
    {0},
};

static const struct { const char *name; uint64_t value; } constants[] = {
    {"FORMAT_AUTO", FORMAT_AUTO}, {"FORMAT_XZ", FORMAT_XZ}, {"FORMAT_ALONE", FORMAT_ALONE}, {"FORMAT_RAW", FORMAT_RAW},
    {"CHECK_NONE", LZMA_CHECK_NONE}, {"CHECK_CRC32", LZMA_CHECK_CRC32}, {"CHECK_CRC64", LZMA_CHECK_CRC64},
    {"CHECK_SHA256", LZMA_CHECK_SHA256}, {"CHECK_ID_MAX", LZMA_CHECK_ID_MAX}, {"CHECK_UNKNOWN", CHECK_UNKNOWN},
    {"FILTER_LZMA1", LZMA_FILTER_LZMA1}, {"FILTER_LZMA2", LZMA_FILTER_LZMA2}, {"FILTER_DELTA", LZMA_FILTER_DELTA},
    {"FILTER_X86", LZMA_FILTER_X86}, {"FILTER_IA64", LZMA_FILTER_IA64}, {"FILTER_ARM", LZMA_FILTER_ARM},
    {"FILTER_ARMTHUMB", LZMA_FILTER_ARMTHUMB}, {"FILTER_SPARC", LZMA_FILTER_SPARC}, {"FILTER_POWERPC", LZMA_FILTER_POWERPC},
    {"MF_HC3", LZMA_MF_HC3}, {"MF_HC4", LZMA_MF_HC4}, {"MF_BT2", LZMA_MF_BT2}, {"MF_BT3", LZMA_MF_BT3}, {"MF_BT4", LZMA_MF_BT4},
    {"MODE_FAST", LZMA_MODE_FAST}, {"MODE_NORMAL", LZMA_MODE_NORMAL}, {"PRESET_DEFAULT", LZMA_PRESET_DEFAULT},
    {"PRESET_EXTREME", LZMA_PRESET_EXTREME},
};

static bool execute(Value module)
{
    Value error = ty_type_from_name("_lzma.LZMAError", &ty_Exception, TY_NULL);
    if (error == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add(module, constants[i].name, ty_int_from_uint64(constants[i].value)))
            return false;
    return ty_module_add(module, "LZMAError", error);
}

static TyType *const types[] = {&compressor_type, &decompressor_type, NULL};

const TyModuleDef ty_module__lzma = {
    .name = "_lzma",
    .doc = "Compression and decompression in the formats .xz and .lzma, and as raw streams.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
