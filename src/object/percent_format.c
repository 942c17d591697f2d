/* The % operator of str and bytes. */
#include "object/bytes.h"
#include "object/buffer.h"
#include "object/dict.h"
#include "object/format.h"
#include "object/int.h"
#include "object/str_format.h"
#include "object/str_parts.h"
#include "object/tuple.h"

typedef struct Percent {
    const void *data;
    int width;
    int64_t length, at;
    Value arguments;       /* a tuple, or the one argument */
    Value mapping;         /* what %(key)s looks in, or TY_NULL */
    int64_t used, count;   /* of the arguments; count -1: there is one, not in a tuple */
    bool as_bytes;
    TyStrBuilder out;
} Percent;

typedef struct Spec {
    TyPercentFlags flags;
    int64_t width, precision; /* -1: not given */
    uint32_t code;
} Spec;

static Value next_argument(Percent *p)
{
    if (p->count < 0 ? p->used == 0 : p->used < p->count) {
        int64_t i = p->used++;
        return p->count < 0 ? p->arguments : ty_tuple_item(p->arguments, i);
    }
    return ty_raise(&ty_TypeError, "not enough arguments for format string");
}

static bool more(Percent *p, uint32_t *c)
{
    if (p->at >= p->length) {
        ty_raise(&ty_ValueError, "incomplete format");
        return false;
    }
    *c = ty_char_at(p->data, p->width, p->at++);
    return true;
}

/* %(key): the mapping's value becomes the one argument. */
static bool read_key(Percent *p)
{
    if (p->mapping == TY_NULL) {
        ty_raise(&ty_TypeError, "format requires a mapping");
        return false;
    }
    int64_t start = p->at, depth = 1;
    for (; depth > 0 && p->at < p->length; p->at++) {
        uint32_t c = ty_char_at(p->data, p->width, p->at);
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (depth > 0) {
        ty_raise(&ty_ValueError, "incomplete format key");
        return false;
    }
    const uint8_t *text = (const uint8_t *)p->data + start * p->width;
    int64_t length = p->at - 1 - start;
    Value key = p->as_bytes ? ty_bytes_new(text, (size_t)length) : ty_str_from_chars(text, p->width, length);
    if (key == TY_NULL)
        return false;
    p->arguments = ty_get_item(p->mapping, key);
    p->count = -1;
    p->used = 0;
    return p->arguments != TY_NULL;
}

/* Digits, or '*' for an argument; *value stays as it is if there are none. */
static bool read_number(Percent *p, uint32_t *c, int64_t *value, bool is_width, TyPercentFlags *flags)
{
    if (*c == '*') {
        Value v = next_argument(p);
        if (v == TY_NULL)
            return false;
        if (!ty_is_int(v)) {
            ty_raise(&ty_TypeError, "* wants int");
            return false;
        }
        int32_t precision = 0;
        if (is_width ? !ty_to_size(v, value) : !ty_to_int32(v, &precision))
            return false;
        if (!is_width)
            *value = TY_MAX(precision, 0);
        if (*value < 0) {
            flags->left = true;
            *value = -*value;
        }
        return more(p, c);
    }
    while (*c >= '0' && *c <= '9') {
        *value = TY_MAX(*value, 0) * 10 + (*c - '0');
        if (*value > (is_width ? INT64_MAX / 16 : INT32_MAX)) {
            ty_raise(&ty_ValueError, is_width ? "width too big" : (p->as_bytes ? "prec too big" : "precision too big"));
            return false;
        }
        if (!more(p, c))
            return false;
    }
    return true;
}

static bool read_spec(Percent *p, Spec *spec)
{
    uint32_t c;
    memset(spec, 0, sizeof *spec);
    spec->width = spec->precision = -1;
    if (!more(p, &c))
        return false;
    if (c == '(' && (!read_key(p) || !more(p, &c)))
        return false;
    for (;;) {
        if (c == '-')
            spec->flags.left = true;
        else if (c == '+')
            spec->flags.plus = true;
        else if (c == ' ')
            spec->flags.space = true;
        else if (c == '#')
            spec->flags.alternate = true;
        else if (c == '0')
            spec->flags.zero = true;
        else
            break;
        if (!more(p, &c))
            return false;
    }
    if (!read_number(p, &c, &spec->width, true, &spec->flags))
        return false;
    if (c == '.') {
        spec->precision = 0;
        if (!more(p, &c) || !read_number(p, &c, &spec->precision, false, &spec->flags))
            return false;
    }
    if ((c == 'h' || c == 'l' || c == 'L') && !more(p, &c))
        return false;
    spec->code = c;
    return true;
}

static void add_padded(Percent *p, Value text, const Spec *spec, bool number, int64_t lead)
{
    int64_t length = ty_str_length(text), missing = spec->width - length;
    TyStrBuilder *out = &p->out;
    bool zeros = number && spec->flags.zero && !spec->flags.left;
    if (missing > 0 && missing > INT64_MAX / 16 - out->length) {
        ty_raise_memory_error();
        out->failed = true;
        return;
    }
    if (zeros && missing > 0) {
        ty_builder_add_slice(out, text, 0, lead);
        for (; missing > 0 && !out->failed; missing--)
            ty_builder_add_char(out, '0');
        ty_builder_add_slice(out, text, lead, length);
        return;
    }
    for (int64_t i = 0; i < missing && !spec->flags.left && !out->failed; i++)
        ty_builder_add_char(out, ' ');
    ty_builder_add(out, text);
    for (int64_t i = 0; i < missing && spec->flags.left && !out->failed; i++)
        ty_builder_add_char(out, ' ');
}

static bool is_number(Value v)
{
    const TySlots *slots = &ty_type_of(v)->slots;
    return ty_is_int(v) || ty_is_float(v) || slots->index || slots->to_int || slots->to_float || ty_is_complex(v);
}

static bool add_int(Percent *p, Value v, const Spec *spec)
{
    bool hexadecimal = spec->code == 'x' || spec->code == 'X' || spec->code == 'o';
    if (!ty_is_int(v)) {
        Value number = TY_NULL;
        if (is_number(v))
            number = hexadecimal ? ty_number_index(v) : ty_number_int(v);
        if (number == TY_NULL) {
            if (ty_raised() && !ty_raised_is(&ty_TypeError))
                return false;
            ty_clear_exception();
            ty_raise(&ty_TypeError, hexadecimal ? "%%%c format: an integer is required, not %T" : "%%%c format: a real number is required, not %T",
                     (int)spec->code, v);
            return false;
        }
        v = number;
    }
    int64_t lead;
    Value text = ty_percent_int(v, spec->code, spec->flags, spec->precision, &lead);
    if (text == TY_NULL)
        return false;
    add_padded(p, text, spec, true, lead);
    return true;
}

static bool add_float(Percent *p, Value v, const Spec *spec)
{
    double d;
    int64_t lead;
    if (p->as_bytes && !is_number(v)) {
        ty_raise(&ty_TypeError, "float argument required, not %T", v);
        return false;
    }
    if (!ty_to_double(v, &d))
        return false;
    Value text = ty_percent_float(d, spec->code, spec->flags, spec->precision, &lead);
    if (text == TY_NULL)
        return false;
    add_padded(p, text, spec, true, lead);
    return true;
}

static Value one_byte(Value v)
{
    int64_t code;
    if (ty_is_bytes(v) && ty_bytes_length(v) == 1)
        return ty_str_from_char(ty_bytes_data(v)[0]);
    if (ty_is_instance_of(v, &ty_bytearray_type)) {
        TyByteArray *array = (TyByteArray *)ty_object(v);
        if (ty_load_relaxed(&array->length) == 1)
            return ty_str_from_char(ty_bytearray_data(array)[0]);
        return ty_raise(&ty_TypeError, "%%c requires an integer in range(256) or a single byte, not a bytearray object of length %zd",
                        ty_load_relaxed(&array->length));
    }
    if (ty_is_bytes(v))
        return ty_raise(&ty_TypeError, "%%c requires an integer in range(256) or a single byte, not a bytes object of length %zd",
                        ty_bytes_length(v));
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "%%c requires an integer in range(256) or a single byte, not %N", v);
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return TY_NULL;
    if (ty_int_get_int64(index, &code) != 0 || code < 0 || code > 255)
        return ty_raise(&ty_OverflowError, "%%c arg not in range(256)");
    return ty_str_from_char((uint32_t)code);
}

static Value one_character(Value v)
{
    int64_t code;
    if (ty_is_str(v)) {
        if (ty_str_length(v) == 1)
            return v;
        return ty_raise(&ty_TypeError, "%%c requires an int or a unicode character, not a string of length %zd", ty_str_length(v));
    }
    Value index = ty_has_index(v) ? ty_number_index(v) : TY_NULL;
    if (index == TY_NULL) {
        if (ty_raised() && !ty_raised_is(&ty_TypeError))
            return TY_NULL;
        ty_clear_exception();
        return ty_raise(&ty_TypeError, "%%c requires an int or a unicode character, not %N", v);
    }
    if (ty_int_get_int64(index, &code) != 0 || code < 0 || code > 0x10FFFF)
        return ty_raise(&ty_OverflowError, "%%c arg not in range(0x110000)");
    return ty_str_from_char((uint32_t)code);
}

/* The bytes that %b takes of an object, as a Latin-1 str. */
static Value bytes_text(Value v)
{
    TyBuffer view;
    if (ty_is_bytes(v) && ty_type_of(v)->slots.get_buffer)
        return ty_str_from_latin1((const char *)ty_bytes_data(v), (size_t)ty_bytes_length(v));
    Value method = ty_lookup_special(v, TY_NAME("__bytes__"));
    if (method != TY_NULL) {
        Value result = ty_call_none(method);
        if (result == TY_NULL)
            return TY_NULL;
        if (!ty_is_bytes(result))
            return ty_raise(&ty_TypeError, "__bytes__ returned non-bytes (type %T)", result);
        return ty_str_from_latin1((const char *)ty_bytes_data(result), (size_t)ty_bytes_length(result));
    }
    if (ty_raised())
        return TY_NULL;
    if (!ty_has_buffer(v))
        return ty_raise(&ty_TypeError, "%%b requires a bytes-like object, or an object that implements __bytes__, not '%T'", v);
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value text = ty_str_from_latin1((const char *)view.data, (size_t)view.length);
    ty_buffer_release(&view);
    return text;
}

static Value text_of(Percent *p, Value v, uint32_t code)
{
    switch (code) {
    case 'r': return p->as_bytes ? ty_ascii(v) : ty_repr(v);
    case 'a': return ty_ascii(v);
    case 'c': return p->as_bytes ? one_byte(v) : one_character(v);
    default: return p->as_bytes ? bytes_text(v) : ty_str(v);
    }
}

static bool unknown_conversion(Percent *p, uint32_t c)
{
    ty_raise(&ty_ValueError, "unsupported format character '%c' (0x%x) at index %zd", c > 31 && c < 128 ? (int)c : '?', c, p->at - 1);
    return false;
}

static bool add_conversion(Percent *p)
{
    Spec spec;
    if (p->at < p->length && ty_char_at(p->data, p->width, p->at) == '%') {
        p->at++;
        return ty_builder_add_char(&p->out, '%');
    }
    if (!read_spec(p, &spec))
        return false;
    if (spec.code == '%')
        return unknown_conversion(p, spec.code);
    Value v = next_argument(p);
    if (v == TY_NULL)
        return false;
    switch (spec.code) {
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
        return add_int(p, v, &spec);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return add_float(p, v, &spec);
    case 'b':
        if (!p->as_bytes)
            break;
        /* fall through */
    case 's': case 'r': case 'a': case 'c': {
        Value text = text_of(p, v, spec.code);
        if (text == TY_NULL)
            return false;
        if (spec.precision >= 0 && spec.code != 'c' && spec.precision < ty_str_length(text))
            text = ty_str_slice(text, 0, spec.precision);
        if (text == TY_NULL)
            return false;
        add_padded(p, text, &spec, false, 0);
        return true;
    }
    default:
        break;
    }
    return unknown_conversion(p, spec.code);
}

Value ty_percent_format(const void *data, int width, int64_t length, Value arguments, bool as_bytes)
{
    Percent p = {.data = data, .width = width, .length = length, .arguments = arguments, .as_bytes = as_bytes, .count = -1};
    if (ty_is_tuple(arguments))
        p.count = ty_tuple_length(arguments);
    else if (ty_is_mapping(arguments) && !ty_is_str(arguments) &&
             !(as_bytes && (ty_is_bytes(arguments) || ty_is_instance_of(arguments, &ty_bytearray_type))))
        p.mapping = arguments;
    while (p.at < length && !p.out.failed) {
        const uint8_t *rest = (const uint8_t *)data + p.at * width;
        int64_t plain = ty_find_char(rest, length - p.at, '%', width);
        if (plain < 0)
            plain = length - p.at;
        if (plain > 0) {
            if (width == 1 && ty_is_ascii(rest, (size_t)plain)) {
                ty_builder_add_ascii(&p.out, (const char *)rest, (size_t)plain);
            } else {
                Value text = ty_str_from_chars(rest, width, plain);
                if (text == TY_NULL)
                    return TY_NULL;
                ty_builder_add(&p.out, text);
            }
            p.at += plain;
            continue;
        }
        p.at++;
        if (!add_conversion(&p))
            return TY_NULL;
    }
    if (p.mapping == TY_NULL && !p.out.failed && (p.count < 0 ? p.used == 0 : p.used < p.count))
        return ty_raise(&ty_TypeError, as_bytes ? "not all arguments converted during bytes formatting" : "not all arguments converted during string formatting");
    return ty_builder_finish(&p.out);
}

Value ty_str_percent(Value format, Value arguments)
{
    return ty_percent_format(ty_str_data(format), ty_str_width(format), ty_str_length(format), arguments, false);
}
