#include "syntax/constant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/float_text.h"
#include "base/utf8.h"
#include "heap/thread.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- constants ------------------------------------------------------------------------------------ */

Value ty_syntax_identifier(const char *utf8, size_t size)
{
    return ty_intern_utf8(utf8, size);
}

Value ty_syntax_string(const char *utf8, size_t size)
{
    TyUtf8Scan scan;
    if (ty_utf8_scan((const uint8_t *)utf8, size, &scan))
        return ty_str_from_utf8(utf8, size);
    /* Surrogates are the only thing that escapes make and strict UTF-8 refuses. */
    uint32_t *points = malloc((size + 1) * sizeof *points);
    if (!points)
        return ty_raise_memory_error();
    size_t count = 0;
    for (size_t i = 0; i < size; count++)
        i += ty_utf8_next((const uint8_t *)utf8 + i, &points[count]);
    Value result = ty_str_from_ucs4(points, count);
    free(points);
    return result;
}

Value ty_syntax_bytes(const char *bytes, size_t size)
{
    return ty_bytes_new(bytes, size);
}

Value ty_syntax_int(const char *digits, size_t size, int base)
{
    if (base == 10 && size <= 14) {
        int64_t value = 0;
        for (size_t i = 0; i < size; i++)
            value = value * 10 + (digits[i] - '0');
        return ty_from_immediate_int(value);
    }
    return ty_int_from_text(digits, size, base);
}

static double parse_double(const char *text, size_t size)
{
    double value = 0;
    ty_double_parse(text, text + size, &value);
    return value;
}

Value ty_syntax_float(const char *text, size_t size)
{
    return ty_from_double(parse_double(text, size));
}

Value ty_syntax_imaginary(const char *text, size_t size)
{
    return ty_complex_new(0.0, parse_double(text, size));
}

bool ty_syntax_is_complex(Value value) { return ty_is_complex(value); }
bool ty_syntax_is_inexact(Value value) { return ty_is_float(value) || ty_is_complex(value); }
bool ty_syntax_is_int(Value value) { return ty_is_exact_int(value); }

bool ty_syntax_is_pattern_literal(Value value)
{
    return ty_is_exact_int(value) || ty_is_double(value) || ty_is_exact(value, &ty_complex_type) ||
           ty_is_exact_str(value) || ty_is_exact(value, &ty_bytes_type);
}

bool ty_syntax_check_constant(Value value)
{
    if (value == TY_NONE || value == TY_ELLIPSIS || value == TY_TRUE || value == TY_FALSE ||
        ty_syntax_is_pattern_literal(value))
        return true;
    if (ty_is_exact(value, &ty_tuple_type) || ty_is_exact(value, &ty_frozenset_type)) {
        if (ty_c_stack_low()) {
            ty_raise_recursion_error(" during compilation");
            return false;
        }
        Value items = ty_sequence_tuple(value);
        if (!items)
            return false;
        for (int64_t i = 0; i < ty_tuple_length(items); i++)
            if (!ty_syntax_check_constant(ty_tuple_item(items, i)))
                return false;
        return true;
    }
    ty_raise(&ty_TypeError, "got an invalid type in Constant: %s", ty_type_short_name(ty_type_of(value)));
    return false;
}

Value ty_syntax_none(void) { return TY_NONE; }
Value ty_syntax_bool(bool truth) { return ty_from_bool(truth); }
Value ty_syntax_ellipsis(void) { return TY_ELLIPSIS; }

static char *copy_utf8(Value string, size_t *size)
{
    Value holder = TY_NULL;
    const char *text = string ? ty_str_utf8(string, size, &holder) : NULL;
    char *copy = text ? malloc(*size + 1) : NULL;
    if (text && !copy)
        ty_raise_memory_error();
    if (copy) {
        memcpy(copy, text, *size);
        copy[*size] = 0;
    }
    return copy;
}

char *ty_syntax_repr(Value value, size_t *size)
{
    return copy_utf8(ty_repr(value), size);
}

char *ty_syntax_utf8(Value string, size_t *size)
{
    return copy_utf8(string, size);
}

/* ---- exceptions ------------------------------------------------------------------------------------- */

/* The text of a line as a str; malformed bytes, which decoding errors show, become U+FFFD. */
static Value text_value(const char *text, size_t size)
{
    TyUtf8Scan scan;
    if (!text)
        return TY_NONE;
    if (ty_utf8_scan((const uint8_t *)text, size, &scan))
        return ty_str_from_utf8(text, size);
    return ty_utf8_decode((const uint8_t *)text, size, TY_NULL, TY_NAME("replace"), NULL);
}

void ty_syntax_raise(TySyntaxErrorKind kind, const char *message, const TySyntaxErrorPlace *place)
{
    TyType *const types[] = {&ty_SyntaxError, &ty_IndentationError, &ty_TabError, &ty__IncompleteInputError};
    Value text = ty_str_from_utf8(message, strlen(message));
    if (!text)
        return;
    if (!place) {
        ty_raise_value(types[kind], text);
        return;
    }
    Value line = text_value(place->text, place->text_size);
    Value filename = place->filename ? place->filename : TY_NONE;
    Value lineno = ty_int_from_int64(place->lineno), offset = ty_int_from_int64(place->offset);
    Value end_lineno = place->end_lineno == -3 ? TY_NONE : ty_int_from_int64(place->end_lineno);
    Value end_offset = place->end_lineno == -3 ? TY_NONE : ty_int_from_int64(place->end_offset);
    Value details = place->end_lineno == -2 ? ty_tuple_pack(4, filename, lineno, offset, line)
                                            : ty_tuple_pack(6, filename, lineno, offset, line, end_lineno, end_offset);
    Value arguments = details ? ty_tuple_pack(2, text, details) : TY_NULL;
    Value exception = arguments ? ty_call_with(ty_from_object(types[kind]), arguments, TY_NULL) : TY_NULL;
    if (exception)
        ty_raise_object(exception);
}

int ty_syntax_warn(void *context, bool is_deprecation, const char *message, Value filename, int lineno)
{
    (void)context;
    TyType *category = is_deprecation ? &ty_DeprecationWarning : &ty_SyntaxWarning;
    Value text = ty_str_from_text(message);
    if (text && ty_warn_explicit(category, text, filename, lineno))
        return 1;
    if (!ty_raised_is(category))
        return -1;
    ty_clear_exception();
    return 0;
}

void ty_syntax_note_source(int lineno, int col_offset, const char *text, size_t size)
{
    if (!ty_raised_is(&ty_SyntaxError))
        return;
    Value exception = ty_take_exception();
    Value metadata = ty_tuple_pack(3, ty_int_from_int64(lineno), ty_int_from_int64(col_offset), text_value(text, size));
    if (!metadata || !ty_set_attribute(exception, TY_NAME("_metadata"), metadata))
        ty_clear_exception();
    ty_restore_exception(exception);
}

void ty_syntax_raise_at_line(const char *message, Value filename, int lineno)
{
    Value exception = ty_call_one(ty_from_object(&ty_SyntaxError), ty_str_from_text(message));
    if (!exception)
        return;
    if (ty_set_attribute(exception, TY_NAME("filename"), filename ? filename : TY_NONE) &&
        ty_set_attribute(exception, TY_NAME("lineno"), ty_int_from_int64(lineno)) &&
        ty_set_attribute(exception, TY_NAME("end_lineno"), ty_int_from_int64(lineno)) &&
        ty_set_attribute(exception, TY_NAME("offset"), ty_int_from_int64(0)))
        ty_raise_object(exception);
}

void ty_syntax_number_failed(const TySyntaxErrorPlace *place)
{
    if (!ty_raised_is(&ty_ValueError))
        return;
    Value exception = ty_take_exception();
    size_t size;
    char *reason = copy_utf8(ty_str(exception), &size);
    if (!reason)
        return;
    char message[512];
    snprintf(message, sizeof message,
             "%s - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", reason);
    free(reason);
    ty_syntax_raise(TY_SYNTAX_ERROR, message, place);
}

void ty_syntax_raise_memory(const char *message)
{
    if (message)
        ty_raise(&ty_MemoryError, "%s", message);
    else
        ty_raise_memory_error();
}

void ty_syntax_raise_value(const char *message)
{
    ty_raise(&ty_ValueError, "%s", message);
}

void ty_syntax_raise_type(const char *message)
{
    ty_raise(&ty_TypeError, "%s", message);
}

void ty_syntax_raise_recursion(const char *where)
{
    ty_raise_recursion_error(where);
}

Value ty_syntax_take_exception(void) { return ty_take_exception(); }
void ty_syntax_set_exception(Value exception) { ty_restore_exception(exception); }
void ty_syntax_clear_exception(void) { ty_clear_exception(); }

/* ---- surroundings --------------------------------------------------------------------------------------- */

char *ty_syntax_stack_limit(void)
{
    return ty_thread->c_stack_limit;
}

char *ty_syntax_decode(TyArena *arena, const char *bytes, size_t *size, const char *encoding, size_t encoding_size,
                       Value filename)
{
    Value name = ty_str_from_utf8(encoding, encoding_size);
    if (!name)
        return NULL;
    Value source = ty_bytes_new(bytes, *size);
    Value text = source ? ty_codec_decode_bytes(source, name, TY_NULL) : TY_NULL;
    if (!text) {
        if (ty_raised_is(&ty_LookupError) || ty_raised_is(&ty_UnicodeError)) {
            Value reason = ty_str(ty_take_exception());
            char *message = reason ? copy_utf8(reason, size) : NULL;
            if (!message)
                return NULL;
            TySyntaxErrorPlace place = {.filename = filename, .offset = -1, .end_lineno = -2};
            ty_syntax_raise(TY_SYNTAX_ERROR, message, &place);
            free(message);
        }
        return NULL;
    }
    Value holder = TY_NULL;
    const char *utf8 = ty_str_utf8(text, size, &holder);
    char *copy = utf8 ? ty_arena_copy(arena, utf8, *size) : NULL;
    if (utf8 && !copy)
        ty_raise_memory_error();
    return copy;
}

/* ---- kept values -------------------------------------------------------------------------------------------- */

static void mark_kept(void *context, TyMarker *marker)
{
    const TyKeptValues *kept = context;
    ty_mark_range(marker, kept->items, kept->count);
}

bool ty_kept_values_init(TyKeptValues *kept)
{
    *kept = (TyKeptValues){0};
    ty_root_function_add(mark_kept, kept);
    return true;
}

bool ty_kept_values_add(TyKeptValues *kept, Value value)
{
    if (!ty_is_object(value))
        return true;
    if (kept->count == kept->capacity) {
        size_t capacity = kept->capacity ? kept->capacity * 2 : 64;
        Value *grown = realloc(kept->items, capacity * sizeof *grown);
        if (!grown) {
            ty_raise_memory_error();
            return false;
        }
        kept->items = grown;
        kept->capacity = capacity;
    }
    kept->items[kept->count++] = value;
    return true;
}

void ty_kept_values_free(TyKeptValues *kept)
{
    ty_root_function_remove(mark_kept, kept);
    free(kept->items);
}
