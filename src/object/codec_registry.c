/* The codec registry: search functions, the codecs they found, error handlers; all of it belongs to the interpreter. The package
 * `encodings` registers the standard search function when it is imported, as it is at the first question for a codec that isn't
 * built in. */
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/tuple.h"
#include "object/type.h"

/* The interpreter, with its registry made: NULL with an exception. */
static TyInterpreter *registry(void)
{
    TyInterpreter *interpreter = ty_interpreter();
    if (TY_LIKELY(ty_field_acquire(&interpreter->codec_errors) != TY_NULL))
        return interpreter;
    Value path = ty_list_new(0), cache = ty_dict_new(), errors = ty_dict_new();
    if (path == TY_NULL || cache == TY_NULL || errors == TY_NULL)
        return NULL;
    pthread_mutex_lock(&interpreter->lock);
    if (interpreter->codec_errors == TY_NULL) {
        ty_store(interpreter, &interpreter->codec_search_path, path);
        ty_store(interpreter, &interpreter->codec_cache, cache);
        ty_store_publish(interpreter, &interpreter->codec_errors, errors);
    }
    pthread_mutex_unlock(&interpreter->lock);
    return interpreter;
}

static bool import_encodings(TyInterpreter *interpreter)
{
    if (ty_dict_get_text(interpreter->modules, "encodings") != TY_NULL)
        return true;
    return ty_import_module("encodings") != TY_NULL;
}

/* --- registering ------------------------------------------------------------------------------------------------- */

bool ty_codec_register(Value search_function)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return false;
    if (!ty_is_callable(search_function)) {
        ty_raise(&ty_TypeError, "argument must be callable");
        return false;
    }
    return import_encodings(interpreter) && ty_list_append(interpreter->codec_search_path, search_function);
}

bool ty_codec_unregister(Value search_function)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return false;
    Value path = interpreter->codec_search_path;
    Value item;
    for (int64_t i = 0; (item = ty_list_item(path, i)) != TY_NULL; i++) {
        if (item != search_function)
            continue;
        ty_dict_clear(interpreter->codec_cache);
        return ty_delete_item(path, ty_from_immediate_int(i));
    }
    return true;
}

/* The name as search functions get it: lower case, runs of punctuation but for dots as one underscore. */
static Value normalize_name(Value encoding)
{
    size_t size;
    Value holder = TY_NULL;
    const char *text = ty_str_utf8(encoding, &size, &holder);
    if (!text)
        return TY_NULL;
    if (memchr(text, 0, size))
        return ty_raise(&ty_ValueError, "embedded null character");
    TyStrBuilder name = {0};
    bool punctuation = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
        if (letter) {
            if (punctuation && name.length > 0)
                ty_builder_add_char(&name, '_');
            ty_builder_add_char(&name, (uint8_t)(c >= 'A' && c <= 'Z' ? c | 32 : c));
        }
        punctuation = !letter;
    }
    return ty_builder_finish(&name);
}

Value ty_codec_lookup(Value encoding)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return TY_NULL;
    Value name = normalize_name(encoding);
    if (name == TY_NULL)
        return TY_NULL;
    Value cache = interpreter->codec_cache;
    Value codec = ty_dict_get_str(cache, name);
    if (codec != TY_NULL || ty_raised())
        return codec;
    if (!import_encodings(interpreter))
        return TY_NULL;
    Value path = interpreter->codec_search_path;
    if (ty_list_length(path) == 0)
        return ty_raise(&ty_LookupError, "no codec search functions registered: can't find encoding");
    Value search;
    for (int64_t i = 0; (search = ty_list_item(path, i)) != TY_NULL; i++) {
        codec = ty_call_one(search, name);
        if (codec == TY_NULL)
            return TY_NULL;
        if (codec == TY_NONE)
            continue;
        if (!ty_is_tuple(codec) || ty_tuple_length(codec) != 4)
            return ty_raise(&ty_TypeError, "codec search functions must return 4-tuples");
        return ty_dict_set(cache, name, codec) ? codec : TY_NULL;
    }
    return ty_raise(&ty_LookupError, "unknown encoding: %U", encoding);
}

Value ty_codec_lookup_text(Value encoding, const char *advice)
{
    Value codec = ty_codec_lookup(encoding);
    if (codec == TY_NULL || ty_is_exact_tuple(codec))
        return codec;
    bool failed;
    Value is_text = ty_get_attribute_or_null(codec, TY_NAME("_is_text_encoding"), &failed);
    if (failed)
        return TY_NULL;
    int truth = is_text == TY_NULL ? 1 : ty_is_true(is_text);
    if (truth < 0)
        return TY_NULL;
    if (!truth)
        return ty_raise(&ty_LookupError, "'%U' is not a text encoding; use %s to handle arbitrary codecs", encoding, advice);
    return codec;
}

/* --- using codecs -------------------------------------------------------------------------------------------------- */

/* Tells in a note on the raised exception which codec was at work. */
static Value with_note(const char *activity, Value encoding)
{
    Value exception = ty_take_exception();
    Value note = ty_str_format("%s with '%U' codec failed", activity, encoding);
    if (note == TY_NULL || ty_call_method_one(exception, TY_NAME("add_note"), note) == TY_NULL)
        ty_clear_exception();
    ty_restore_exception(exception);
    return TY_NULL;
}

/* Calls one of a codec's two functions: the object of the pair that it gives. */
static Value apply(Value function, Value object, Value encoding, Value errors, bool encoding_it)
{
    Value arguments[2] = {object, errors};
    Value result = ty_call(function, arguments, errors == TY_NULL ? 1 : 2, TY_NULL);
    if (result != TY_NULL && (!ty_is_tuple(result) || ty_tuple_length(result) != 2))
        result = ty_raise(&ty_TypeError, encoding_it ? "encoder must return a tuple (object, integer)"
                                                     : "decoder must return a tuple (object,integer)");
    if (result == TY_NULL)
        return with_note(encoding_it ? "encoding" : "decoding", encoding);
    return ty_tuple_item(result, 0);
}

Value ty_codec_encode(Value object, Value encoding, Value errors)
{
    Value codec = ty_codec_lookup(encoding);
    return codec == TY_NULL ? TY_NULL : apply(ty_tuple_item(codec, 0), object, encoding, errors, true);
}

Value ty_codec_decode(Value object, Value encoding, Value errors)
{
    Value codec = ty_codec_lookup(encoding);
    return codec == TY_NULL ? TY_NULL : apply(ty_tuple_item(codec, 1), object, encoding, errors, false);
}

/* --- str.encode and bytes.decode ------------------------------------------------------------------------------------- */

typedef enum { OTHER, UTF8, LATIN1, ASCII, UTF16, UTF32 } CommonEncoding;

/* The encodings that need no registry, under the names that people use. */
static CommonEncoding common_encoding(Value encoding)
{
    static const struct { const char *name; CommonEncoding encoding; } names[] = {
        {"utf_8", UTF8}, {"utf8", UTF8}, {"ascii", ASCII}, {"us_ascii", ASCII}, {"latin_1", LATIN1}, {"latin1", LATIN1},
        {"iso_8859_1", LATIN1}, {"iso8859_1", LATIN1}, {"utf_16", UTF16}, {"utf16", UTF16}, {"utf_32", UTF32}, {"utf32", UTF32},
    };
    if (encoding == TY_NULL)
        return UTF8;
    char name[12];
    int64_t length = ty_str_length(encoding);
    if (length >= (int64_t)sizeof name || !ty_str_is_ascii(encoding))
        return OTHER;
    for (int64_t i = 0; i < length; i++) {
        uint8_t c = ty_str_data(encoding)[i];
        name[i] = c == '-' || c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c | 32) : (char)c;
    }
    name[length] = 0;
    for (size_t i = 0; i < TY_COUNT_OF(names); i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].encoding;
    return OTHER;
}

static Value encode_by_registry(Value text, Value encoding, Value errors)
{
    Value codec = ty_codec_lookup_text(encoding, "codecs.encode()");
    if (codec == TY_NULL)
        return TY_NULL;
    Value result = apply(ty_tuple_item(codec, 0), text, encoding, errors, true);
    if (result == TY_NULL || ty_is_bytes(result))
        return result;
    if (ty_is_instance_of(result, &ty_bytearray_type)) {
        if (!ty_warn(&ty_RuntimeWarning, 1, "encoder %U returned bytearray instead of bytes; use codecs.encode() to encode to "
                     "arbitrary types", encoding))
            return TY_NULL;
        return ty_bytes_from_object(result);
    }
    return ty_raise(&ty_TypeError, "'%U' encoder returned '%T' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
                    encoding, result);
}

bool ty_codec_check_names;

static bool names_known(Value encoding, Value errors)
{
    return (encoding == TY_NULL || ty_codec_lookup(encoding) != TY_NULL) && (errors == TY_NULL || ty_codec_error_handler(errors) != TY_NULL);
}

Value ty_codec_encode_str(Value text, Value encoding, Value errors)
{
    if (TY_UNLIKELY(ty_codec_check_names) && !names_known(encoding, errors))
        return TY_NULL;
    switch (common_encoding(encoding)) {
    case UTF8: return ty_utf8_encode(text, errors);
    case LATIN1: return ty_latin1_encode(text, errors);
    case ASCII: return ty_ascii_encode(text, errors);
    case UTF16: return ty_utf16_encode(text, errors, TY_ENDIAN_NATIVE);
    case UTF32: return ty_utf32_encode(text, errors, TY_ENDIAN_NATIVE);
    case OTHER: break;
    }
    return encode_by_registry(text, encoding, errors);
}

static Value decode_by_registry(Value bytes_like, Value encoding, Value errors)
{
    Value codec = ty_codec_lookup_text(encoding, "codecs.decode()");
    if (codec == TY_NULL)
        return TY_NULL;
    Value input = ty_is_bytes(bytes_like) ? bytes_like : ty_memoryview_new(bytes_like);
    if (input == TY_NULL)
        return TY_NULL;
    Value result = apply(ty_tuple_item(codec, 1), input, encoding, errors, false);
    if (result == TY_NULL || ty_is_str(result))
        return result;
    return ty_raise(&ty_TypeError, "'%U' decoder returned '%T' instead of 'str'; use codecs.decode() to decode to arbitrary types",
                    encoding, result);
}

Value ty_codec_decode_bytes(Value bytes_like, Value encoding, Value errors)
{
    TyBuffer view;
    if (TY_UNLIKELY(ty_codec_check_names) && !names_known(encoding, errors))
        return TY_NULL;
    if (!ty_buffer_get(bytes_like, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    const uint8_t *bytes = view.data;
    size_t size = (size_t)view.length;
    Value result;
    switch (size == 0 ? UTF8 : common_encoding(encoding)) {
    case UTF8: result = ty_utf8_decode(bytes, size, bytes_like, errors, NULL); break;
    case LATIN1: result = ty_latin1_decode(bytes, size); break;
    case ASCII: result = ty_ascii_decode(bytes, size, bytes_like, errors); break;
    case UTF16: result = ty_utf16_decode(bytes, size, bytes_like, errors, NULL, NULL); break;
    case UTF32: result = ty_utf32_decode(bytes, size, bytes_like, errors, NULL, NULL); break;
    default: result = decode_by_registry(bytes_like, encoding, errors); break;
    }
    ty_buffer_release(&view);
    return result;
}

/* --- incremental and stream codecs ------------------------------------------------------------------------------------ */

static Value make(Value encoding, Value attribute, const Value *arguments, size_t count)
{
    Value codec = ty_codec_lookup(encoding);
    Value class = codec == TY_NULL ? TY_NULL : ty_get_attribute(codec, attribute);
    return class == TY_NULL ? TY_NULL : ty_call(class, arguments, count, TY_NULL);
}

Value ty_codec_incremental_decoder(Value encoding, Value errors)
{
    return make(encoding, TY_NAME("incrementaldecoder"), &errors, errors != TY_NULL);
}

Value ty_codec_incremental_encoder(Value encoding, Value errors)
{
    return make(encoding, TY_NAME("incrementalencoder"), &errors, errors != TY_NULL);
}

Value ty_codec_stream_reader(Value encoding, Value stream, Value errors)
{
    Value arguments[] = {stream, errors};
    return make(encoding, TY_NAME("streamreader"), arguments, errors == TY_NULL ? 1 : 2);
}

Value ty_codec_stream_writer(Value encoding, Value stream, Value errors)
{
    Value arguments[] = {stream, errors};
    return make(encoding, TY_NAME("streamwriter"), arguments, errors == TY_NULL ? 1 : 2);
}

/* --- error handlers ---------------------------------------------------------------------------------------------------- */

Value ty_codec_error_handler(Value name)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return TY_NULL;
    if (name == TY_NULL)
        name = TY_NAME("strict");
    Value handlers = interpreter->codec_errors;
    Value found = ty_dict_get(handlers, name);
    if (found != TY_NULL || ty_raised())
        return found;
    found = ty_codec_builtin_handler(name);
    if (found != TY_NULL)
        return ty_dict_set_default(handlers, name, found);
    return ty_raised() ? TY_NULL : ty_raise(&ty_LookupError, "unknown error handler name '%U'", name);
}

bool ty_codec_register_error(Value name, Value handler)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return false;
    if (!ty_is_callable(handler)) {
        ty_raise(&ty_TypeError, "handler must be callable");
        return false;
    }
    return ty_dict_set(interpreter->codec_errors, name, handler);
}

int ty_codec_unregister_error(Value name)
{
    TyInterpreter *interpreter = registry();
    if (!interpreter)
        return -1;
    if (ty_error_kind(name) != TY_ERRORS_OTHER) {
        ty_raise(&ty_ValueError, "cannot un-register built-in error handler '%U'", name);
        return -1;
    }
    return ty_dict_delete(interpreter->codec_errors, name);
}
