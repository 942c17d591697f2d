/* str.format and format_map: literal text, and replacement fields  {name!conversion:spec}  whose specs may hold fields again. */
#include "object/str_format.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str_parts.h"
#include "object/tuple.h"

typedef struct Range { int64_t start, end; } Range; /* of the format's characters */

typedef struct Field {
    Range literal;          /* text before the field */
    bool present;           /* there is a field */
    Range name, spec;
    uint32_t conversion;    /* 0: none */
    bool has_spec, nested;  /* the spec holds fields */
} Field;

/* --- reading fields --------------------------------------------------------------------------------------------------- */

static bool fail(const char *message)
{
    ty_raise(&ty_ValueError, "%s", message);
    return false;
}

static bool read_field(Value format, int64_t *at, int64_t end, Field *field)
{
    uint32_t c = 0;
    int64_t start = *at;
    while (*at < end) {
        c = ty_str_at(format, (*at)++);
        if (c == '{')
            return fail("unexpected '{' in field name");
        if (c == '[') {
            while (*at < end && ty_str_at(format, *at) != ']')
                (*at)++;
            continue;
        }
        if (c == '}' || c == ':' || c == '!')
            break;
    }
    bool closed = c == '}' || c == ':' || c == '!';
    field->name = (Range){start, *at - closed};
    field->present = true;
    if (!closed)
        return fail("expected '}' before end of string");
    if (c == '}')
        return true;
    if (c == '!') {
        if (*at >= end)
            return fail("end of string while looking for conversion specifier");
        field->conversion = ty_str_at(format, (*at)++);
        if (*at < end) {
            c = ty_str_at(format, (*at)++);
            if (c == '}')
                return true;
            if (c != ':')
                return fail("expected ':' after conversion specifier");
        }
    }
    field->has_spec = true;
    field->spec.start = *at;
    for (int64_t depth = 1; *at < end;) {
        c = ty_str_at(format, (*at)++);
        if (c == '{') {
            field->nested = true;
            depth++;
        } else if (c == '}' && --depth == 0) {
            field->spec.end = *at - 1;
            return true;
        }
    }
    return fail("unmatched '{' in format spec");
}

/* The next stretch of literal text and the field after it, if there is one. Not called at the end. */
static bool read_markup(Value format, int64_t *at, int64_t end, Field *field)
{
    memset(field, 0, sizeof *field);
    uint32_t c = 0;
    int64_t start = *at;
    bool markup = false;
    while (*at < end && !markup) {
        c = ty_str_at(format, (*at)++);
        markup = c == '{' || c == '}';
    }
    field->literal = (Range){start, *at};
    if (!markup)
        return true;
    bool at_end = *at >= end;
    if (c == '}' && (at_end || ty_str_at(format, *at) != c))
        return fail("Single '}' encountered in format string");
    if (at_end)
        return fail("Single '{' encountered in format string");
    if (ty_str_at(format, *at) == c) {
        (*at)++; /* doubled: one of them is literal */
        return true;
    }
    field->literal.end--;
    return read_field(format, at, end, field);
}

/* The range as a non-negative number; -1: it is none; -2: error. */
static int64_t read_index(Value text, Range r)
{
    if (r.start >= r.end)
        return -1;
    int64_t n = 0;
    for (int64_t i = r.start; i < r.end; i++) {
        int digit = ty_unicode_decimal(ty_str_at(text, i));
        if (digit < 0)
            return -1;
        if (n > (INT64_MAX - digit) / 10) {
            fail("Too many decimal digits in format string");
            return -2;
        }
        n = n * 10 + digit;
    }
    return n;
}

/* What a field's name begins with, up to the first '.' or '['. */
static Range first_part(Value text, Range name)
{
    int64_t i = name.start;
    while (i < name.end && ty_str_at(text, i) != '.' && ty_str_at(text, i) != '[')
        i++;
    return (Range){name.start, i};
}

/* One further part: .attribute or [item]. *at is before it and is moved behind it. *key: a str, or an int for a numeric item. */
static bool next_part(Value text, int64_t *at, int64_t end, bool *is_attribute, Value *key)
{
    uint32_t c = ty_str_at(text, (*at)++);
    Range r = {*at, *at};
    if (c == '.') {
        *is_attribute = true;
        r = first_part(text, (Range){*at, end});
        *at = r.end;
    } else if (c == '[') {
        *is_attribute = false;
        while (r.end < end && ty_str_at(text, r.end) != ']')
            r.end++;
        if (r.end >= end)
            return fail("Missing ']' in format string");
        *at = r.end + 1;
    } else {
        return fail("Only '.' or '[' may follow ']' in format field specifier");
    }
    if (r.start >= r.end)
        return fail("Empty attribute in format string");
    int64_t index = c == '[' ? read_index(text, r) : -1;
    if (index == -2)
        return false;
    *key = index >= 0 ? ty_int_from_int64(index) : ty_str_slice(text, r.start, r.end);
    return *key != TY_NULL;
}

/* --- filling them ------------------------------------------------------------------------------------------------------------ */

typedef enum { NUMBERING_UNKNOWN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL } Numbering;

typedef struct Formatter {
    const Value *positional;
    int64_t count;
    Value keywords;             /* tuple of names, or TY_NULL */
    const Value *keyword_values;
    Value mapping;              /* of format_map, or TY_NULL */
    Numbering numbering;
    int64_t next;
} Formatter;

static Value named_argument(Formatter *f, Value name)
{
    if (f->mapping != TY_NULL)
        return ty_get_item(f->mapping, name);
    for (int64_t i = 0; f->keywords != TY_NULL && i < ty_tuple_length(f->keywords); i++)
        if (ty_str_equal(ty_tuple_item(f->keywords, i), name))
            return f->keyword_values[i];
    return ty_raise_key_error(name);
}

static Value first_object(Formatter *f, Value format, Range first)
{
    int64_t index = read_index(format, first);
    bool empty = first.start >= first.end;
    if (index == -2)
        return TY_NULL;
    if (!empty && index < 0) {
        Value name = ty_str_slice(format, first.start, first.end);
        return name == TY_NULL ? TY_NULL : named_argument(f, name);
    }
    Numbering numbering = empty ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
    if (f->numbering == NUMBERING_UNKNOWN)
        f->numbering = numbering;
    if (f->numbering != numbering)
        return ty_raise(&ty_ValueError, numbering == NUMBERING_AUTOMATIC
                                            ? "cannot switch from manual field specification to automatic field numbering"
                                            : "cannot switch from automatic field numbering to manual field specification");
    if (empty)
        index = f->next++;
    if (f->mapping != TY_NULL)
        return ty_raise(&ty_ValueError, "Format string contains positional fields");
    if (index >= f->count)
        return ty_raise(&ty_IndexError, "Replacement index %zd out of range for positional args tuple", index);
    return f->positional[index];
}

static Value field_object(Formatter *f, Value format, Range name)
{
    Range first = first_part(format, name);
    Value v = first_object(f, format, first);
    for (int64_t at = first.end; v != TY_NULL && at < name.end;) {
        bool is_attribute;
        Value key;
        if (!next_part(format, &at, name.end, &is_attribute, &key))
            return TY_NULL;
        v = is_attribute ? ty_get_attribute(v, ty_intern(key)) : ty_get_item(v, key);
    }
    return v;
}

static Value convert(Value v, uint32_t conversion)
{
    switch (conversion) {
    case 0: return v;
    case 'r': return ty_repr(v);
    case 's': return ty_str(v);
    case 'a': return ty_ascii(v);
    }
    if (conversion > 32 && conversion < 127)
        return ty_raise(&ty_ValueError, "Unknown conversion specifier %c", (int)conversion);
    return ty_raise(&ty_ValueError, "Unknown conversion specifier \\x%x", conversion);
}

static bool build(Formatter *f, TyStrBuilder *out, Value format, int64_t at, int64_t end, int depth)
{
    if (depth <= 0)
        return fail("Max string recursion exceeded");
    while (at < end) {
        Field field;
        if (!read_markup(format, &at, end, &field))
            return false;
        if (!ty_builder_add_slice(out, format, field.literal.start, field.literal.end))
            return false;
        if (!field.present)
            continue;
        Value v = field_object(f, format, field.name);
        if (v == TY_NULL || (v = convert(v, field.conversion)) == TY_NULL)
            return false;
        Value spec = TY_NULL, text;
        if (field.nested) {
            TyStrBuilder inner = {0};
            if (!build(f, &inner, format, field.spec.start, field.spec.end, depth - 1))
                return false;
            spec = ty_builder_finish(&inner);
        } else if (field.spec.start < field.spec.end) {
            spec = ty_str_slice(format, field.spec.start, field.spec.end);
        }
        if (spec == TY_NULL && ty_raised())
            return false;
        if (ty_is_exact_str(v) && (spec == TY_NULL || ty_str_length(spec) == 0))
            text = v;
        else if (ty_is_immediate_int(v) && spec == TY_NULL)
            text = ty_int_to_text(v, 10, false);
        else
            text = ty_format(v, spec == TY_NULL ? ty_str_empty() : spec);
        if (text == TY_NULL || !ty_builder_add(out, text))
            return false;
    }
    return true;
}

static Value run(Formatter *f, Value format)
{
    TyStrBuilder out = {0};
    if (!build(f, &out, format, 0, ty_str_length(format), 2))
        return TY_NULL;
    return ty_builder_finish(&out);
}

Value ty_str_format_call(Value format, const Value *arguments, size_t count, Value keywords)
{
    Formatter f = {.positional = arguments, .count = (int64_t)count, .keywords = keywords, .keyword_values = arguments + count};
    return run(&f, format);
}

Value ty_str_format_map(Value format, Value mapping)
{
    Formatter f = {.mapping = mapping};
    return run(&f, format);
}

/* --- for string.Formatter --------------------------------------------------------------------------------------------------------- */

Value ty_formatter_parser(Value format)
{
    if (!ty_is_str(format))
        return ty_raise(&ty_TypeError, "expected str, got %T", format);
    Value list = ty_list_new(0);
    for (int64_t at = 0, end = ty_str_length(format); list != TY_NULL && at < end;) {
        Field field;
        if (!read_markup(format, &at, end, &field))
            return TY_NULL;
        Value literal = ty_str_slice(format, field.literal.start, field.literal.end);
        Value name = TY_NONE, spec = TY_NONE, conversion = TY_NONE;
        if (field.present) {
            name = ty_str_slice(format, field.name.start, field.name.end);
            spec = field.has_spec ? ty_str_slice(format, field.spec.start, field.spec.end) : ty_str_empty();
            if (field.conversion)
                conversion = ty_str_from_char(field.conversion);
        }
        Value entry = ty_tuple_pack(4, literal, name, spec, conversion);
        if (entry == TY_NULL || !ty_list_append(list, entry))
            return TY_NULL;
    }
    return list == TY_NULL ? TY_NULL : ty_iter(list);
}

Value ty_formatter_field_name_split(Value name)
{
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "expected str, got %T", name);
    Range whole = {0, ty_str_length(name)}, first = first_part(name, whole);
    int64_t index = read_index(name, first);
    if (index == -2)
        return TY_NULL;
    Value head = index >= 0 ? ty_int_from_int64(index) : ty_str_slice(name, first.start, first.end);
    Value list = ty_list_new(0);
    for (int64_t at = first.end; list != TY_NULL && at < whole.end;) {
        bool is_attribute;
        Value key;
        if (!next_part(name, &at, whole.end, &is_attribute, &key))
            return TY_NULL;
        Value entry = ty_tuple_pack(2, ty_from_bool(is_attribute), key);
        if (entry == TY_NULL || !ty_list_append(list, entry))
            return TY_NULL;
    }
    return list == TY_NULL ? TY_NULL : ty_tuple_pack(2, head, ty_iter(list));
}
