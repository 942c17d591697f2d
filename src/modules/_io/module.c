/* The module: open() and what is around it. */
#include "modules/_io/io.h"
#include "object/dict.h"
#include "object/interpreter.h"
#include "object/int.h"
#include "object/tuple.h"
#include "runtime/config.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct Mode {
    bool creating, reading, writing, appending, updating, text, binary;
} Mode;

static bool parse_mode(const char *text, Mode *mode)
{
    memset(mode, 0, sizeof *mode);
    for (const char *p = text; *p; p++) {
        bool *flag = *p == 'x' ? &mode->creating : *p == 'r' ? &mode->reading : *p == 'w' ? &mode->writing : *p == 'a' ? &mode->appending
                     : *p == '+' ? &mode->updating : *p == 't' ? &mode->text : *p == 'b' ? &mode->binary : NULL;
        if (!flag || *flag) {
            ty_raise(&ty_ValueError, "invalid mode: '%s'", text);
            return false;
        }
        *flag = true;
    }
    return true;
}

static bool check_arguments(const Mode *mode, int64_t buffering, Value encoding, Value errors, Value newline)
{
    const char *problem = NULL;
    if (mode->text && mode->binary)
        problem = "can't have text and binary mode at once";
    else if (mode->creating + mode->reading + mode->writing + mode->appending > 1)
        problem = "must have exactly one of create/read/write/append mode";
    else if (mode->binary && encoding != TY_NONE)
        problem = "binary mode doesn't take an encoding argument";
    else if (mode->binary && errors != TY_NONE)
        problem = "binary mode doesn't take an errors argument";
    else if (mode->binary && newline != TY_NONE)
        problem = "binary mode doesn't take a newline argument";
    else if (!mode->creating && !mode->reading && !mode->writing && !mode->appending)
        problem = "Must have exactly one of create/read/write/append mode and at most one plus";
    if (problem) {
        ty_raise(&ty_ValueError, "%s", problem);
        return false;
    }
    return !mode->binary || buffering != 1 ||
           ty_warn(&ty_RuntimeWarning, 1, "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used");
}

static Value open_raw(Value file, const Mode *mode, bool closefd, Value opener)
{
    char text[4];
    size_t n = 0;
    text[n++] = mode->creating ? 'x' : mode->reading ? 'r' : mode->writing ? 'w' : 'a';
    if (mode->updating)
        text[n++] = '+';
    text[n] = 0;
    Value arguments[4] = {file, ty_str_from_text(text), ty_from_bool(closefd), opener};
    return ty_call(ty_from_object(&ty_fileio_type), arguments, 4, TY_NULL);
}

/* The buffer around a raw file, and the text stream around that. `result` always holds the outermost, so that an error can close it. */
static bool wrap(Value *result, const char *mode_text, const Mode *mode, int64_t buffering, Value encoding, Value errors, Value newline)
{
    TyFileIO *raw = (TyFileIO *)ty_object(*result);
    bool line_buffering = buffering == 1 && !mode->binary, terminal = false;
    if (buffering < 0 && raw->known_size < 0)
        terminal = isatty(ty_load_relaxed(&raw->fd));
    if (buffering == 1 || terminal)
        buffering = -1;
    line_buffering |= terminal && !mode->binary;
    if (buffering < 0)
        buffering = TY_MAX(TY_MIN(raw->block_size, 8192 * 1024), TY_IO_BUFFER_SIZE);
    if (buffering == 0) {
        if (!mode->binary)
            ty_raise(&ty_ValueError, "can't have unbuffered text I/O");
        return mode->binary;
    }
    TyType *type = mode->updating ? &ty_buffered_random_type : mode->reading ? &ty_buffered_reader_type : &ty_buffered_writer_type;
    Value buffer = ty_buffered_new(type, *result, buffering);
    if (buffer == TY_NULL)
        return false;
    *result = buffer;
    if (mode->binary)
        return true;
    Value text = ty_textio_new(buffer, encoding, errors, newline, line_buffering, false);
    if (text == TY_NULL)
        return false;
    *result = text;
    return ty_set_attribute(text, TY_NAME("mode"), ty_str_from_text(mode_text));
}

Value ty_io_open(Value file, const char *mode_text, int64_t buffering, Value encoding, Value errors, Value newline, bool closefd, Value opener)
{
    Mode mode;
    encoding = encoding == TY_NULL ? TY_NONE : encoding;
    errors = errors == TY_NULL ? TY_NONE : errors;
    newline = newline == TY_NULL ? TY_NONE : newline;
    if (!ty_is_int(file) && !ty_is_str(file) && !ty_is_bytes(file) && !ty_has_index(file)) { /* os.fspath() */
        Value method = ty_lookup_special(file, TY_NAME("__fspath__"));
        if (method == TY_NULL || method == TY_NONE)
            return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", file);
        Value path = ty_call_none(method);
        if (path != TY_NULL && !ty_is_str(path) && !ty_is_bytes(path))
            return ty_raise(&ty_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", file, path);
        if ((file = path) == TY_NULL)
            return TY_NULL;
    }
    if (!parse_mode(mode_text, &mode) || !check_arguments(&mode, buffering, encoding, errors, newline))
        return TY_NULL;
    if (!ty_is_str(file) && !ty_is_bytes(file) && !ty_has_index(file) && !ty_is_float(file)) {
        Value method = ty_lookup_special(file, TY_NAME("__fspath__")); /* the file is to know its plain name */
        if (method != TY_NULL && method != TY_NONE)
            file = ty_call_none(method);
        if (file == TY_NULL || (method == TY_NULL && ty_raised()))
            return TY_NULL;
    }
    Value result = open_raw(file, &mode, closefd, opener == TY_NULL ? TY_NONE : opener);
    if (result == TY_NULL)
        return TY_NULL;
    if (wrap(&result, mode_text, &mode, buffering, encoding, errors, newline))
        return result;
    Value raised = ty_take_exception();
    if (ty_call_method_none(result, TY_NAME("close")) == TY_NULL)
        ty_clear_exception();
    ty_restore_exception(raised);
    return TY_NULL;
}

static Value io_open(Value module, Value *a)
{
    const char *mode = "r";
    Value holder = TY_NULL;
    size_t size;
    int64_t buffering = -1;
    int32_t narrow;
    bool closefd = true;
    static const char *const names[] = {"encoding", "errors", "newline"};
    if (a[1] != TY_NULL) {
        if (!ty_is_str(a[1]))
            return ty_raise(&ty_TypeError, "open() argument 'mode' must be str, not %T", a[1]);
        if (!(mode = ty_str_utf8(a[1], &size, &holder)))
            return TY_NULL;
        if (strlen(mode) != size)
            return ty_raise(&ty_ValueError, "embedded null character");
    }
    if (a[2] != TY_NULL) {
        if (!ty_to_int32(a[2], &narrow))
            return TY_NULL;
        buffering = narrow;
    }
    for (int i = 0; i < 3; i++)
        if (a[3 + i] != TY_NULL && a[3 + i] != TY_NONE && !ty_is_str(a[3 + i]))
            return ty_raise(&ty_TypeError, "open() argument '%s' must be str or None, not %T", names[i], a[3 + i]);
    if (a[6] != TY_NULL && !ty_to_bool(a[6], &closefd))
        return TY_NULL;
    return ty_io_open(a[0], mode, buffering, a[3], a[4], a[5], closefd, a[7]);
}

Value ty_io_open_code(Value path) { return ty_io_open(path, "rb", -1, TY_NULL, TY_NULL, TY_NULL, true, TY_NULL); }

static Value io_open_code(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "open_code() argument 'path' must be str, not %T", a[0]);
    return ty_io_open_code(a[0]);
}

static Value io_text_encoding(Value module, Value *a)
{
    int32_t level = 2;
    if (a[0] != TY_NONE)
        return a[0];
    if ((a[1] != TY_NULL && !ty_to_int32(a[1], &level)) || (ty_config.warn_default_encoding && !ty_warn(&ty_EncodingWarning, level, "'encoding' argument not specified")))
        return TY_NULL;
    return ty_str_from_text(ty_config.utf8_mode ? "utf-8" : "locale");
}

Value ty_io_open_std(int fd, const char *mode, const char *name, const char *encoding, const char *errors, bool line_buffering, bool unbuffered)
{
    if (fcntl(fd, F_GETFD) < 0)
        return TY_NONE;
    bool reading = *mode == 'r';
    Value arguments[3] = {ty_from_immediate_int(fd), ty_str_from_text(reading ? "r" : "w"), TY_FALSE};
    Value raw = ty_call(ty_from_object(&ty_fileio_type), arguments, 3, TY_NULL);
    if (raw == TY_NULL)
        return TY_NULL;
    Value buffer = raw;
    if (!unbuffered || reading)
        buffer = ty_buffered_new(reading ? &ty_buffered_reader_type : &ty_buffered_writer_type, raw, TY_IO_BUFFER_SIZE);
    if (buffer == TY_NULL || !ty_set_attribute(raw, TY_NAME("name"), ty_str_from_text(name)))
        return TY_NULL;
    Value newline = reading ? TY_NONE : ty_str_from_char('\n');
    Value text = ty_textio_new(buffer, ty_str_from_text(encoding), ty_str_from_text(errors), newline, line_buffering, unbuffered);
    if (text == TY_NULL || !ty_set_attribute(text, TY_NAME("mode"), ty_str_from_text(mode)))
        return TY_NULL;
    return text;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)", io_open,
                "Opens a file, given as a path or a descriptor, and returns a stream.\n\nmode: 'r' to read (the default), 'w' to write from empty, 'x' to create, 'a' to add at the\n"
                "end; '+' for both ways; 'b' for bytes, 't' for text (the default). buffering: 0 for none (bytes\nonly), 1 for lines (text only), more for a buffer of that size.\n"
                "encoding, errors, newline: of text; newline says what is a newline on reading and what '\\n'\nis written as: None, '', '\\n', '\\r' or '\\r\\n'.\n"
                "closefd: whether a descriptor given is closed with the stream. opener: called as\nopener(file, flags) to open it."),
    TY_FUNCTION("open_code(path)", io_open_code, "Opens a file of code for reading bytes."),
    TY_FUNCTION("text_encoding(encoding, stacklevel=2, /)", io_text_encoding,
                "The encoding to use: the one given, or 'locale' for None.\n\nFor functions that pass an encoding on to open()."),
    TY_FUNCTION("_transcript(keep, /)", ty_io_transcript,
                "What the streams of all interpreters wrote to standard output and error since the last call, as a list of pairs of descriptor and bytes. keep: whether\n"
                "what comes from now on is kept."),
    {0},
};

static TyType *const types[] = {
    &ty_io_base_type, &ty_raw_io_base_type, &ty_buffered_io_base_type, &ty_text_io_base_type, &ty_fileio_type, &ty_bytesio_type,
    &ty_bytesio_buffer_type, &ty_stringio_type, &ty_textio_type, &ty_newline_decoder_type, &ty_buffered_reader_type, &ty_buffered_writer_type,
    &ty_buffered_random_type, &ty_buffered_pair_type, &ty_UnsupportedOperation, NULL,
};

/* builtins.open is there before this module is. */
Value ty_io_open_function(void) { return ty_native_new(&functions[0], TY_NULL, ty_str_from_text("_io"), TY_NULL); }

static bool adopt_open(Value module)
{
    Value open = ty_interpreter()->builtins == TY_NULL ? TY_NULL : ty_dict_get_text(ty_interpreter()->builtins, "open");
    if (open == TY_NULL || !ty_is_exact(open, &ty_native_type) || ((TyNative *)ty_object(open))->def != &functions[0])
        return true;
    ty_store(ty_object(open), &((TyNative *)ty_object(open))->self, module);
    return ty_module_add(module, "open", open);
}

static bool execute(Value module)
{
    return adopt_open(module) && ty_module_add_int(module, "DEFAULT_BUFFER_SIZE", TY_IO_BUFFER_SIZE) &&
           ty_module_add(module, "BlockingIOError", ty_from_object(&ty_BlockingIOError));
}

const TyModuleDef ty_module__io = {
    .name = "_io",
    .doc = "Streams: raw files, buffers around them, and text around those.\n\nThe io module gives these names to everyone.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
