#include "compile/report.h"

#include <stdio.h>

#include "object/bytes.h"
#include "object/codec.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "syntax/constant.h"
#include "syntax/parse.h"

/* The source line for SyntaxError.text, if filename is a file that can be read; into `line`, its size or 0. */
/* A line of a file that declares an encoding, in UTF-8; its new size. */
static size_t decode_line(const char *head, size_t head_size, char *line, size_t size, size_t capacity)
{
    size_t cookie_size, decoded_size;
    const char *cookie = ty_source_cookie(head, head_size, &cookie_size);
    Value encoding = cookie ? ty_str_from_utf8(cookie, cookie_size) : TY_NULL, bytes = encoding == TY_NULL ? TY_NULL : ty_bytes_new(line, size);
    Value text = bytes == TY_NULL ? TY_NULL : ty_codec_decode_bytes(bytes, encoding, TY_NAME("replace")), holder = TY_NULL;
    const char *decoded = text == TY_NULL ? NULL : ty_str_utf8(text, &decoded_size, &holder);
    if (!decoded) {
        ty_clear_exception();
        return size;
    }
    size = TY_MIN(decoded_size, capacity - 1);
    while (size && size < decoded_size && (decoded[size] & 0xC0) == 0x80) /* not in the middle of a character */
        size--;
    memcpy(line, decoded, size);
    line[size] = 0;
    return size;
}

static size_t read_source_line(Value filename, int number, char *line, size_t capacity)
{
    Value holder = TY_NULL;
    size_t size;
    const char *path = ty_str_utf8(filename, &size, &holder);
    if (!path) {
        ty_clear_exception();
        return 0;
    }
    if (!size || path[0] == '<' || strlen(path) != size)
        return 0;
    ty_blocking_begin();
    size_t result = 0, head_size = 0;
    char head[400];
    FILE *file = fopen(path, "re");
    if (file) {
        head_size = fread(head, 1, sizeof head, file);
        rewind(file);
        for (int i = 1; fgets(line, (int)capacity, file); ) {
            size_t length = strlen(line);
            bool ended = length && line[length - 1] == '\n';
            if (i == number) {
                result = length;
                break;
            }
            i += ended;
        }
        fclose(file);
    }
    ty_blocking_end();
    static const char mark[] = "\xEF\xBB\xBF";
    if (number == 1 && result >= 3 && !memcmp(line, mark, 3))
        memmove(line, line + 3, result -= 3);
    return result ? decode_line(head, head_size, line, result, capacity) : 0;
}

static void raise_message(Value filename, TyPlace place, Value message)
{
    if (message == TY_NULL)
        return;
    Value holder = TY_NULL;
    size_t size;
    const char *text = ty_str_utf8(message, &size, &holder);
    if (!text)
        return;
    char line[1024];
    TySyntaxErrorPlace at = {
        .filename = filename, .lineno = place.line, .offset = place.column + 1,
        .end_lineno = place.end_line, .end_offset = place.end_column + 1,
    };
    at.text_size = place.line > 0 ? read_source_line(filename, place.line, line, sizeof line) : 0;
    at.text = at.text_size ? line : NULL;
    ty_syntax_raise(TY_SYNTAX_ERROR, text, &at);
}

void ty_report_syntax_error(Value filename, TyPlace place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Value message = ty_str_format_va(format, arguments);
    va_end(arguments);
    raise_message(filename, place, message);
}

bool ty_report_syntax_warning(Value filename, Value module, TyPlace place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Value message = ty_str_format_va(format, arguments);
    va_end(arguments);
    if (message == TY_NULL)
        return false;
    Value warnings = ty_module_current("_warnings");
    Value warn = warnings == TY_NULL ? TY_NULL : ty_get_attribute(warnings, TY_NAME("warn_explicit"));
    if (warn == TY_NULL) { /* start-up, before there are warnings */
        ty_clear_exception();
        return true;
    }
    Value values[5] = {message, ty_from_object(&ty_SyntaxWarning), filename, ty_int_from_int64(place.line), module == TY_NULL ? TY_NONE : module};
    if (ty_call(warn, values, 5, TY_NULL) != TY_NULL)
        return true;
    if (ty_raised_is(&ty_SyntaxWarning)) {
        ty_clear_exception();
        raise_message(filename, place, message);
    }
    return false;
}
