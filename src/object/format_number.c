#include "object/format.h"

#include "base/float_text.h"
#include "base/unicode.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/str.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

/* --- the specification ------------------------------------------------------------------------------------------------ */

static bool is_align(uint32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

/* A number in decimal digits of any script: false with ValueError if it passes int64. *given: there was a digit. */
static bool parse_count(Value spec, int64_t *at, int64_t *count, bool *given)
{
    int64_t total = 0, length = ty_str_length(spec);
    *given = false;
    for (; *at < length; ++*at) {
        uint32_t c = ty_str_at(spec, *at);
        int digit = c < 128 ? (c >= '0' && c <= '9' ? (int)c - '0' : -1) : ty_unicode_decimal(c);
        if (digit < 0)
            break;
        if (total > (INT64_MAX - digit) / 10) {
            ty_raise(&ty_ValueError, "Too many decimal digits in format string");
            return false;
        }
        total = total * 10 + digit;
        *given = true;
    }
    *count = *given ? total : -1;
    return true;
}

/* ',' or '_', not both. */
static bool parse_grouping(Value spec, int64_t *at, char *grouping)
{
    for (int64_t length = ty_str_length(spec); *at < length; ++*at) {
        uint32_t c = ty_str_at(spec, *at);
        if ((c != ',' && c != '_') || (char)c == *grouping)
            break;
        if (*grouping != 0) {
            ty_raise(&ty_ValueError, "Cannot specify both ',' and '_'.");
            return false;
        }
        *grouping = (char)c;
    }
    return true;
}

/* Whether digits of the type come in groups, marked so. */
static bool check_grouping(char grouping, uint32_t type)
{
    if (grouping == 0 || type == 0 || (type < 128 && strchr("deEfFgG%", (int)type) != NULL))
        return true;
    if (grouping == '_' && (type == 'b' || type == 'o' || type == 'x' || type == 'X'))
        return true;
    if (type > 32 && type < 128)
        ty_raise(&ty_ValueError, "Cannot specify '%c' with '%c'.", grouping, (int)type);
    else
        ty_raise(&ty_ValueError, "Cannot specify '%c' with '\\x%x'.", grouping, (unsigned)type);
    return false;
}

bool ty_format_spec_parse(Value spec, Value self, uint32_t default_type, char default_align, TyFormatSpec *out)
{
    int64_t at = 0, length = ty_str_length(spec);
#define PEEK(i) (at + (i) < length ? ty_str_at(spec, at + (i)) : UINT32_MAX)
    *out = (TyFormatSpec){.fill = ' ', .type = default_type, .align = default_align, .width = -1, .precision = -1};
    if (length >= 2 && is_align(PEEK(1))) {
        out->fill = PEEK(0);
        out->align = (char)PEEK(1);
        out->fill_given = out->align_given = true;
        at = 2;
    } else if (is_align(PEEK(0))) {
        out->align = (char)PEEK(0);
        out->align_given = true;
        at = 1;
    }
    if (PEEK(0) == '+' || PEEK(0) == '-' || PEEK(0) == ' ')
        out->sign = (char)ty_str_at(spec, at++);
    if (PEEK(0) == 'z') {
        out->no_negative_zero = true;
        at++;
    }
    if (PEEK(0) == '#') {
        out->alternate = true;
        at++;
    }
    if (!out->fill_given && PEEK(0) == '0') {
        out->fill = '0';
        if (!out->align_given && default_align == '>')
            out->align = '=';
        at++;
    }
    bool given;
    if (!parse_count(spec, &at, &out->width, &given) || !parse_grouping(spec, &at, &out->grouping))
        return false;
    if (PEEK(0) == '.') {
        at++;
        if (!parse_count(spec, &at, &out->precision, &given) || !parse_grouping(spec, &at, &out->fraction_grouping))
            return false;
        if (!given && out->fraction_grouping == 0) {
            ty_raise(&ty_ValueError, "Format specifier missing precision");
            return false;
        }
    }
    if (length - at > 1) {
        ty_raise(&ty_ValueError, "Invalid format specifier '%U' for object of type '%T'", spec, self);
        return false;
    }
    if (length - at == 1)
        out->type = PEEK(0);
#undef PEEK
    return check_grouping(out->grouping, out->type) && (out->type != 'n' || check_grouping(out->fraction_grouping, out->type));
}

static Value unknown_code(uint32_t code, Value self)
{
    if (code > 32 && code < 128)
        return ty_raise(&ty_ValueError, "Unknown format code '%c' for object of type '%T'", (int)code, self);
    return ty_raise(&ty_ValueError, "Unknown format code '\\x%x' for object of type '%T'", (unsigned)code, self);
}

static bool check_spec(Value spec)
{
    if (ty_is_str(spec))
        return true;
    ty_raise(&ty_TypeError, "__format__() argument must be str, not %T", spec);
    return false;
}

/* --- scratch ------------------------------------------------------------------------------------------------------------ */

/* Memory for a text: on the C stack while it is small, else in a heap object. */
typedef struct Scratch {
    char small[512];
    Value holder;
    char *data;
} Scratch;

static bool scratch_make(Scratch *s, size_t size)
{
    s->data = s->small;
    s->holder = TY_NULL;
    if (size <= sizeof s->small)
        return true;
    if (size > (size_t)INT64_MAX / 8) {
        ty_raise_memory_error();
        return false;
    }
    s->holder = ty_bytes_new(NULL, size);
    if (s->holder == TY_NULL)
        return false;
    s->data = (char *)ty_as_bytes(s->holder)->data;
    return true;
}

/* --- layout --------------------------------------------------------------------------------------------------------------- */

/* How whole digits are grouped: sizes as localeconv() gives them (the last one repeats, CHAR_MAX ends), and the marks. */
typedef struct Grouping {
    const char *sizes;
    uint32_t mark, point; /* mark 0: no groups */
} Grouping;

/* In ASCII text under way: what is put for a mark or point that is not ASCII. */
enum { MARK_STAND_IN = 1, POINT_STAND_IN = 2 };

static char mark_character(const Grouping *g) { return g->mark < 128 ? (char)g->mark : MARK_STAND_IN; }

/* Writes digits in groups, with zeros in front up to a least width, so that it ends at `end`. Returns where it begins. */
static char *group_digits(char *end, const char *digits, size_t count, int64_t least, const Grouping *g)
{
    char *at = end;
    const char *sizes = g->sizes;
    int in_group = 0;
    while (count > 0 || end - at < least) {
        if (g->mark != 0 && *sizes > 0 && *sizes != CHAR_MAX && in_group == *sizes) {
            *--at = mark_character(g);
            in_group = 0;
            if (sizes[1] != 0)
                sizes++;
        }
        *--at = count > 0 ? digits[--count] : '0';
        in_group++;
    }
    return at;
}

/* The first wide character of a locale's string, 0 if it is empty. */
static uint32_t locale_character(const char *text)
{
    wchar_t c = 0;
    if (*text == '\0' || mbtowc(&c, text, strlen(text)) <= 0)
        return (unsigned char)*text;
    return (uint32_t)c;
}

static Grouping grouping_for(const TyFormatSpec *spec)
{
    Grouping g = {"\3", (unsigned char)spec->grouping, '.'};
    if (spec->type == 'n') {
        struct lconv *locale = localeconv();
        g.sizes = locale->grouping;
        g.mark = *g.sizes != 0 ? locale_character(locale->thousands_sep) : 0;
        g.point = locale_character(locale->decimal_point);
    } else if (spec->type != 0 && spec->type < 128 && strchr("boxX", (int)spec->type) != NULL) {
        g.sizes = "\4";
    }
    return g;
}

static void put(void *text, bool wide, int64_t at, uint32_t c, int64_t count)
{
    if (!wide) {
        memset((char *)text + at, (int)c, (size_t)count);
    } else {
        for (int64_t i = 0; i < count; i++)
            ((uint32_t *)text)[at + i] = c;
    }
}

static void put_text(void *text, bool wide, int64_t at, const char *from, size_t count, const Grouping *g)
{
    if (!wide) {
        memcpy((char *)text + at, from, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        ((uint32_t *)text)[at + (int64_t)i] = from[i] == MARK_STAND_IN    ? g->mark
                                              : from[i] == POINT_STAND_IN ? g->point
                                                                          : (unsigned char)from[i];
}

/* The finished str: padding before, inside (between head and body) or after. */
static Value lay_out(const char *head, size_t head_size, const char *body, size_t body_size, const TyFormatSpec *spec,
                     const Grouping *g)
{
    int64_t size = (int64_t)(head_size + body_size);
    int64_t padding = spec->width > size ? spec->width - size : 0;
    int64_t left = spec->align == '>' ? padding : spec->align == '^' ? padding / 2 : 0;
    int64_t middle = spec->align == '=' ? padding : 0;
    int64_t right = padding - left - middle;
    bool wide = spec->fill >= 128 || g->mark >= 128 || g->point >= 128;
    Scratch scratch;
    if (padding > INT64_MAX / 16)
        return ty_raise_memory_error();
    if (!scratch_make(&scratch, (size_t)(size + padding) * (wide ? sizeof(uint32_t) : 1)))
        return TY_ERROR;
    void *text = scratch.data;
    put(text, wide, 0, spec->fill, left);
    put_text(text, wide, left, head, head_size, g);
    put(text, wide, left + (int64_t)head_size, spec->fill, middle);
    put_text(text, wide, left + (int64_t)head_size + middle, body, body_size, g);
    put(text, wide, left + middle + size, spec->fill, right);
    if (wide)
        return ty_str_from_ucs4((uint32_t *)text, (size_t)(size + padding));
    return ty_str_from_latin1(text, (size_t)(size + padding));
}

static size_t write_sign(char *out, bool negative, char sign)
{
    if (negative)
        *out = '-';
    else if (sign == '+' || sign == ' ')
        *out = sign;
    else
        return 0;
    return 1;
}

/* --- ints -------------------------------------------------------------------------------------------------------------------- */

/* The digits of an int's magnitude; *negative tells its sign. Obeys the digits limit. */
static bool int_digits(Value v, int base, bool capitals, Scratch *scratch, size_t *size, bool *negative)
{
    if (base == 10 && !ty_is_immediate_int(v)) {
        Value text = ty_int_to_text(v, 10, false);
        if (text == TY_NULL)
            return false;
        *negative = ty_str_at(text, 0) == '-';
        *size = (size_t)ty_str_length(text) - *negative;
        scratch->holder = text;
        scratch->data = (char *)ty_str_data(text) + *negative;
        return true;
    }
    if (ty_is_immediate_int(v)) { /* 48 digits at most */
        int64_t number = ty_immediate_int(v);
        uint64_t rest = number < 0 ? (uint64_t)-number : (uint64_t)number;
        char *end = scratch->small + sizeof scratch->small, *digit = end;
        const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
        if (base == 10)
            do
                *--digit = (char)('0' + rest % 10);
            while ((rest /= 10) != 0);
        else
            do
                *--digit = digits[rest & ((unsigned)base - 1)];
            while ((rest >>= base == 16 ? 4 : base == 8 ? 3 : 1) != 0);
        *negative = number < 0;
        *size = (size_t)(end - digit);
        scratch->holder = TY_NULL;
        scratch->data = digit;
        return true;
    }
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    *negative = big.size < 0;
    big.size = ty_big_length(big);
    if (!scratch_make(scratch, ty_big_text_bound(big, base)))
        return false;
    *size = ty_big_to_text(big, base, scratch->data);
    if (*size == 0) {
        ty_raise_memory_error();
        return false;
    }
    if (capitals) {
        for (size_t i = 0; i < *size; i++) {
            if (scratch->data[i] >= 'a')
                scratch->data[i] = (char)(scratch->data[i] - 'a' + 'A');
        }
    }
    return true;
}

static int base_of(uint32_t code)
{
    return code == 'x' || code == 'X' ? 16 : code == 'o' ? 8 : code == 'b' ? 2 : 10;
}

static size_t write_prefix(char *out, uint32_t code)
{
    out[0] = '0';
    out[1] = (char)code;
    return 2;
}

static Value format_character(Value v, const TyFormatSpec *spec)
{
    if (spec->sign != 0)
        return ty_raise(&ty_ValueError, "Sign not allowed with integer format specifier 'c'");
    if (spec->alternate)
        return ty_raise(&ty_ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
    int64_t code;
    if (ty_int_get_int64(v, &code) != 0)
        return ty_raise(&ty_OverflowError, "Python int too large to convert to C long");
    if (code < 0 || code > 0x10FFFF)
        return ty_raise(&ty_OverflowError, "%%c arg not in range(0x110000)");
    Grouping g = {"", MARK_STAND_IN, code < 128 ? POINT_STAND_IN : (uint32_t)code};
    char stand_in = code < 128 ? (char)code : POINT_STAND_IN;
    return lay_out("", 0, &stand_in, 1, spec, &g);
}

static Value format_int_digits(Value v, const TyFormatSpec *spec)
{
    Scratch digits, grouped;
    size_t size;
    bool negative;
    char head[4];
    if (!int_digits(v, base_of(spec->type), spec->type == 'X', &digits, &size, &negative))
        return TY_ERROR;
    size_t head_size = write_sign(head, negative, spec->sign);
    if (spec->alternate && base_of(spec->type) != 10)
        head_size += write_prefix(head + head_size, spec->type);
    Grouping g = grouping_for(spec);
    if (g.mark == 0)
        return lay_out(head, head_size, digits.data, size, spec, &g);
    int64_t least = spec->fill == '0' && spec->align == '=' ? spec->width - (int64_t)head_size : 0;
    size_t room = 2 * (size + (least > 0 ? (size_t)least : 0)) + 4;
    if (!scratch_make(&grouped, room))
        return TY_ERROR;
    char *end = grouped.data + room, *start = group_digits(end, digits.data, size, least, &g);
    return lay_out(head, head_size, start, (size_t)(end - start), spec, &g);
}

Value ty_format_int(Value v, Value spec)
{
    if (!check_spec(spec))
        return TY_ERROR;
    if (ty_str_length(spec) == 0)
        return ty_is_immediate_int(v) ? ty_repr(v) : ty_str(v);
    TyFormatSpec parsed;
    if (!ty_format_spec_parse(spec, v, 'd', '>', &parsed))
        return TY_ERROR;
    if (parsed.type < 128 && parsed.type != 0 && parsed.type != 'd' && strchr("eEfFgG%", (int)parsed.type) != NULL) {
        double number = ty_int_to_double(v);
        return number == -1.0 && ty_raised() ? TY_ERROR : ty_format_float(ty_from_double(number), spec);
    }
    if (parsed.type >= 128 || parsed.type == 0 || (parsed.type != 'd' && strchr("bcdnoxX", (int)parsed.type) == NULL))
        return unknown_code(parsed.type, v);
    if (parsed.precision != -1)
        return ty_raise(&ty_ValueError, "Precision not allowed in integer format specifier");
    if (parsed.no_negative_zero)
        return ty_raise(&ty_ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
    return parsed.type == 'c' ? format_character(v, &parsed) : format_int_digits(v, &parsed);
}

/* --- floats -------------------------------------------------------------------------------------------------------------------- */

/* One float as head and body, grouped and zero-padded as the spec says; `least` is the width that zeros are to fill. */
typedef struct FloatText {
    Scratch raw, laid;
    char head[1];
    size_t head_size;
    const char *body;
    size_t body_size;
} FloatText;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_zero_text(const char *at, const char *end)
{
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at != '0' && *at != '.')
            return false;
    }
    return true;
}

static bool float_text(double value, const TyFormatSpec *spec, char sign, const Grouping *g, int64_t width, FloatText *out)
{
    char code = spec->type == 0 ? 'r' : spec->type == 'n' ? 'g' : spec->type == '%' ? 'f' : (char)spec->type;
    unsigned flags = spec->alternate ? TY_DOUBLE_ALTERNATE : 0;
    int64_t precision = spec->precision;
    if (precision >= INT_MAX) {
        ty_raise(&ty_ValueError, "precision too big");
        return false;
    }
    if (code == 'r' && precision >= 0)
        code = 'g';
    if (precision < 0)
        precision = 6;
    if (spec->type == 0)
        flags |= TY_DOUBLE_POINT_ZERO;
    if (spec->type == '%')
        value *= 100;
    if (!scratch_make(&out->raw, ty_double_text_bound((int)precision) + 1))
        return false;
    char *at = out->raw.data;
    char *end = at + ty_double_text(value, code, (int)precision, flags, at);
    if (spec->type == '%')
        *end++ = '%';
    bool negative = *at == '-';
    at += negative;
    if (negative && spec->no_negative_zero && is_digit(*at) && is_zero_text(at, end))
        negative = false;
    out->head_size = write_sign(out->head, negative, sign);

    char *point = at;
    while (point < end && is_digit(*point))
        point++;
    size_t whole = (size_t)(point - at), rest = (size_t)(end - point);
    if (whole == 0 || (g->mark == 0 && g->point == '.' && spec->fraction_grouping == 0)) {
        out->body = at;
        out->body_size = (size_t)(end - at);
        return true;
    }
    int64_t fraction = 0;
    if (rest > 0 && *point == '.') {
        while (point + 1 + fraction < end && is_digit(point[1 + fraction]))
            fraction++;
    }
    int64_t marks = spec->fraction_grouping != 0 && fraction > 0 ? (fraction - 1) / 3 : 0;
    int64_t least = spec->fill == '0' && spec->align == '=' ? width - (int64_t)(out->head_size + rest) - marks : 0;
    size_t whole_room = 2 * (whole + (least > 0 ? (size_t)least : 0)) + 4;
    if (!scratch_make(&out->laid, whole_room + rest + (size_t)marks))
        return false;
    char *middle = out->laid.data + whole_room;
    char *start = group_digits(middle, at, whole, least, g);
    char *put_at = middle;
    const char *from = point;
    if (from < end && *from == '.') {
        *put_at++ = g->point < 128 ? (char)g->point : POINT_STAND_IN;
        from++;
    }
    for (int64_t i = 0; i < fraction; i++) {
        if (marks > 0 && i > 0 && i % 3 == 0)
            *put_at++ = spec->fraction_grouping;
        *put_at++ = *from++;
    }
    memcpy(put_at, from, (size_t)(end - from));
    put_at += end - from;
    out->body = start;
    out->body_size = (size_t)(put_at - start);
    return true;
}

static bool is_float_code(uint32_t type) { return type == 0 || (type < 128 && strchr("eEfFgGn%", (int)type) != NULL); }

Value ty_format_float(Value v, Value spec)
{
    if (!check_spec(spec))
        return TY_ERROR;
    if (ty_str_length(spec) == 0)
        return ty_is_double(v) ? ty_float_repr(v) : ty_str(v);
    TyFormatSpec parsed;
    if (!ty_format_spec_parse(spec, v, 0, '>', &parsed))
        return TY_ERROR;
    if (!is_float_code(parsed.type))
        return unknown_code(parsed.type, v);
    Grouping g = grouping_for(&parsed);
    FloatText text;
    if (!float_text(ty_float_value(v), &parsed, parsed.sign, &g, parsed.width, &text))
        return TY_ERROR;
    return lay_out(text.head, text.head_size, text.body, text.body_size, &parsed, &g);
}

/* --- complex -------------------------------------------------------------------------------------------------------------------- */

Value ty_format_complex(Value v, Value spec)
{
    if (!check_spec(spec))
        return TY_ERROR;
    if (ty_str_length(spec) == 0)
        return ty_str(v);
    TyFormatSpec parsed;
    if (!ty_format_spec_parse(spec, v, 0, '>', &parsed))
        return TY_ERROR;
    if (!is_float_code(parsed.type) || parsed.type == '%')
        return unknown_code(parsed.type, v);
    if (parsed.fill == '0')
        return ty_raise(&ty_ValueError, "Zero padding is not allowed in complex format specifier");
    if (parsed.align == '=')
        return ty_raise(&ty_ValueError, "'=' alignment flag is not allowed in complex format specifier");
    TyComplex *c = (TyComplex *)ty_object(v);
    Grouping g = grouping_for(&parsed);
    bool bare = parsed.type == 0; /* as repr() has it: parentheses, or the imaginary part alone */
    bool only_imaginary = bare && c->real == 0 && !signbit(c->real);
    FloatText real, imaginary;
    TyFormatSpec part = parsed;
    if (bare) /* a part has no ".0", as it would with no type */
        part.type = parsed.precision < 0 ? 'r' : 'g';
    if (!only_imaginary && !float_text(c->real, &part, parsed.sign, &g, 0, &real))
        return TY_ERROR;
    if (!float_text(c->imaginary, &part, only_imaginary ? parsed.sign : '+', &g, 0, &imaginary))
        return TY_ERROR;
    Scratch whole;
    size_t size = 0;
    if (!scratch_make(&whole, (only_imaginary ? 0 : real.head_size + real.body_size) + imaginary.head_size + imaginary.body_size + 3))
        return TY_ERROR;
#define APPEND(text_, size_) (memcpy(whole.data + size, (text_), (size_)), size += (size_))
    if (!only_imaginary) {
        if (bare)
            APPEND("(", 1);
        APPEND(real.head, real.head_size);
        APPEND(real.body, real.body_size);
    }
    APPEND(imaginary.head, imaginary.head_size);
    APPEND(imaginary.body, imaginary.body_size);
    APPEND("j", 1);
    if (bare && !only_imaginary)
        APPEND(")", 1);
#undef APPEND
    return lay_out("", 0, whole.data, size, &parsed, &g);
}

/* --- str ---------------------------------------------------------------------------------------------------------------------------- */

Value ty_format_str(Value v, Value spec)
{
    if (!check_spec(spec))
        return TY_ERROR;
    if (ty_str_length(spec) == 0)
        return ty_is_exact_str(v) ? v : ty_str(v);
    TyFormatSpec parsed;
    if (!ty_format_spec_parse(spec, v, 's', '<', &parsed))
        return TY_ERROR;
    if (parsed.type != 's')
        return unknown_code(parsed.type, v);
    if (parsed.sign != 0)
        return ty_raise(&ty_ValueError, parsed.sign == ' ' ? "Space not allowed in string format specifier"
                                                           : "Sign not allowed in string format specifier");
    if (parsed.no_negative_zero)
        return ty_raise(&ty_ValueError, "Negative zero coercion (z) not allowed in string format specifier");
    if (parsed.alternate)
        return ty_raise(&ty_ValueError, "Alternate form (#) not allowed in string format specifier");
    if (parsed.align == '=')
        return ty_raise(&ty_ValueError, "'=' alignment not allowed in string format specifier");
    int64_t length = ty_str_length(v);
    int64_t shown = parsed.precision >= 0 && parsed.precision < length ? parsed.precision : length;
    int64_t padding = parsed.width > shown ? parsed.width - shown : 0;
    if (padding == 0)
        return shown == length ? (ty_is_exact_str(v) ? v : ty_str_slice(v, 0, length)) : ty_str_slice(v, 0, shown);
    if (padding > INT64_MAX / 16)
        return ty_raise_memory_error();
    int64_t left = parsed.align == '>' ? padding : parsed.align == '^' ? padding / 2 : 0;
    if (ty_str_is_ascii(v) && parsed.fill < 128) {
        Value result = ty_str_allocate(shown + padding, 127);
        if (result == TY_NULL)
            return TY_ERROR;
        uint8_t *data = ty_as_str(result)->data;
        memset(data, (int)parsed.fill, (size_t)left);
        memcpy(data + left, ty_str_data(v), (size_t)shown);
        memset(data + left + shown, (int)parsed.fill, (size_t)(padding - left));
        return result;
    }
    TyStrBuilder builder = {0};
    for (int64_t i = 0; i < left; i++)
        ty_builder_add_char(&builder, parsed.fill);
    ty_builder_add_slice(&builder, v, 0, shown);
    for (int64_t i = left; i < padding; i++)
        ty_builder_add_char(&builder, parsed.fill);
    return ty_builder_finish(&builder);
}

/* --- %-formatting -------------------------------------------------------------------------------------------------------------------- */

static char percent_sign(TyPercentFlags flags) { return flags.plus ? '+' : flags.space ? ' ' : 0; }

Value ty_percent_int(Value v, uint32_t code, TyPercentFlags flags, int64_t precision, int64_t *lead)
{
    Scratch digits, text;
    size_t size;
    bool negative;
    if (!int_digits(v, base_of(code), code == 'X', &digits, &size, &negative))
        return TY_ERROR;
    size_t zeros = precision > (int64_t)size ? (size_t)precision - size : 0;
    if (!scratch_make(&text, size + zeros + 4))
        return TY_ERROR;
    char *at = text.data;
    at += write_sign(at, negative, percent_sign(flags));
    if (flags.alternate && base_of(code) != 10)
        at += write_prefix(at, code);
    *lead = at - text.data;
    memset(at, '0', zeros);
    memcpy(at + zeros, digits.data, size);
    return ty_str_from_latin1(text.data, (size_t)(at - text.data) + zeros + size);
}

Value ty_percent_float(double d, uint32_t code, TyPercentFlags flags, int64_t precision, int64_t *lead)
{
    Scratch text;
    if (precision >= INT_MAX)
        return ty_raise(&ty_ValueError, "precision too big");
    if (precision < 0)
        precision = 6;
    if (!scratch_make(&text, ty_double_text_bound((int)precision) + 1))
        return TY_ERROR;
    char *number = text.data + 1; /* a place for a sign before it */
    size_t size = ty_double_text(d, (char)code, (int)precision, flags.alternate ? TY_DOUBLE_ALTERNATE : 0, number);
    bool negative = *number == '-';
    if (!negative && percent_sign(flags) != 0) {
        *--number = percent_sign(flags);
        size++;
        negative = true;
    }
    *lead = negative;
    return ty_str_from_latin1(number, size);
}

/* --- text to be read as a number --------------------------------------------------------------------------------------------------------- */

void ty_number_text_ascii(Value str, char *out)
{
    int64_t length = ty_str_length(str);
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = ty_str_at(str, i);
        if (c < 128) {
            out[i] = c >= 0x1c && c <= 0x1f ? ' ' : (char)c;
        } else {
            int digit = ty_unicode_decimal(c);
            out[i] = digit >= 0 ? (char)('0' + digit) : ty_unicode_is_space(c) ? ' ' : '?';
        }
    }
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool ty_number_text_plain(const char *text, size_t size, char *out, size_t *out_size)
{
    const char *end = text + size;
    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    char *at = out;
    for (const char *p = text; p < end; p++) {
        if (*p != '_')
            *at++ = *p;
        else if (p == text || !is_digit(p[-1]) || p + 1 == end || !is_digit(p[1]))
            return false;
    }
    *out_size = (size_t)(at - out);
    return true;
}

int ty_number_text_get(Value v, char buffer[TY_NUMBER_TEXT_SIZE], const char **text, size_t *size, Value *holder)
{
    size_t length;
    TyBuffer view;
    bool is_str = ty_is_str(v);
    if (is_str) {
        length = (size_t)ty_str_length(v);
    } else {
        if (!ty_has_buffer(v))
            return 0;
        if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
            return -1;
        length = (size_t)view.length;
    }
    char *out = buffer;
    *holder = TY_NULL;
    if (length > TY_NUMBER_TEXT_SIZE) {
        *holder = ty_bytes_new(NULL, length);
        if (*holder == TY_NULL) {
            if (!is_str)
                ty_buffer_release(&view);
            return -1;
        }
        out = (char *)ty_as_bytes(*holder)->data;
    }
    if (!is_str)
        memcpy(out, view.data, length);
    else
        ty_number_text_ascii(v, out);
    if (!is_str)
        ty_buffer_release(&view);
    *text = ty_number_text_plain(out, length, out, size) ? out : NULL;
    return 1;
}
