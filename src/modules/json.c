/* _json: reading and writing JSON, for the json package.
 *
 * The scanner goes over a str once, by recursion; the texts of keys are looked for among the last ones seen, so that the objects of an array share theirs. The
 * encoder writes everything into one builder. */
#include "base/float_text.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define SELF(structure) structure *self = (structure *)ty_object(v)

/* --- strings out ---------------------------------------------------------------------------------------------------- */

static bool add_escape(TyStrBuilder *out, uint32_t c)
{
    static const char hex[] = "0123456789abcdef";
    switch (c) {
    case '"': return ty_builder_add_ascii(out, "\\\"", 2);
    case '\\': return ty_builder_add_ascii(out, "\\\\", 2);
    case '\b': return ty_builder_add_ascii(out, "\\b", 2);
    case '\f': return ty_builder_add_ascii(out, "\\f", 2);
    case '\n': return ty_builder_add_ascii(out, "\\n", 2);
    case '\r': return ty_builder_add_ascii(out, "\\r", 2);
    case '\t': return ty_builder_add_ascii(out, "\\t", 2);
    }
    if (c > 0xFFFF) {
        c -= 0x10000;
        return add_escape(out, 0xD800 | (c >> 10)) && add_escape(out, 0xDC00 | (c & 0x3FF));
    }
    char text[6] = {'\\', 'u', hex[c >> 12], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15]};
    return ty_builder_add_ascii(out, text, 6);
}

/* The str in quotes; what may stand for itself is copied a run at a time. */
static bool add_string(TyStrBuilder *out, Value s, bool ascii)
{
    int64_t length = ty_str_length(s), start = 0;
    int width = ty_str_width(s);
    const uint8_t *data = ty_str_data(s);
    if (!ty_builder_add_char(out, '"'))
        return false;
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = width == 1 ? data[i] : width == 2 ? ((const uint16_t *)data)[i] : ((const uint32_t *)data)[i];
        if (TY_LIKELY(c >= ' ' && c != '"' && c != '\\' && (!ascii || c < 0x7F)))
            continue;
        if ((i > start && !ty_builder_add_slice(out, s, start, i)) || !add_escape(out, c))
            return false;
        start = i + 1;
    }
    if (start == 0 ? !ty_builder_add(out, s) : start < length && !ty_builder_add_slice(out, s, start, length))
        return false;
    return ty_builder_add_char(out, '"');
}

static Value encode(Value s, bool ascii)
{
    if (!ty_is_str(s))
        return ty_raise(&ty_TypeError, "first argument must be a string, not %T", s);
    TyStrBuilder out = {0};
    return add_string(&out, s, ascii) ? ty_builder_finish(&out) : TY_NULL;
}

static Value encode_basestring(Value module, Value *a) { return encode(a[0], false); }
static Value encode_basestring_ascii(Value module, Value *a) { return encode(a[0], true); }

/* --- reading -------------------------------------------------------------------------------------------------------- */

#define KEYS_REMEMBERED 64
#define KEY_LENGTH_MAX 32

typedef struct Scanner { /* the object: how to read */
    TyObject base;
    Value object_hook, object_pairs_hook, parse_float, parse_int, parse_constant;
    bool strict;
} Scanner;

typedef struct Reading { /* of one text */
    Scanner *scanner;
    Value text;
    const uint8_t *data;
    int width;
    int64_t length;
    Value keys[KEYS_REMEMBERED]; /* by hash of their characters */
} Reading;

TY_INLINE uint32_t at(const Reading *r, int64_t i)
{
    return r->width == 1 ? r->data[i] : r->width == 2 ? ((const uint16_t *)r->data)[i] : ((const uint32_t *)r->data)[i];
}

static Value raise_decode_error(const char *message, Value text, int64_t position)
{
    Value module = ty_import_module("json.decoder");
    Value class = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("JSONDecodeError"));
    if (class == TY_NULL)
        return TY_NULL;
    Value arguments[3] = {ty_str_from_text(message), text, ty_int_from_int64(position)};
    Value exception = arguments[0] == TY_NULL ? TY_NULL : ty_call(class, arguments, 3, TY_NULL);
    return exception == TY_NULL ? TY_NULL : ty_raise_object(exception);
}

static Value raise_stop(int64_t index)
{
    Value value = ty_int_from_int64(index);
    return value == TY_NULL ? TY_NULL : ty_raise_stop_iteration(value);
}

static int hex_value(uint32_t c)
{
    return c >= '0' && c <= '9' ? (int)c - '0' : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

/* Four hexadecimal digits at i; -1 if they are not there. */
static int32_t hex4(const Reading *r, int64_t i)
{
    if (i + 4 > r->length)
        return -1;
    int32_t value = 0;
    for (int64_t k = i; k < i + 4; k++) {
        int digit = hex_value(at(r, k));
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The rest of a string that has escapes, from the first of them on. */
static Value read_escaped(Reading *r, int64_t begin, int64_t i, bool strict, int64_t *end)
{
    TyStrBuilder out = {0};
    int64_t start = begin + 1;
    for (;;) {
        uint32_t c = 0;
        while (i < r->length && (c = at(r, i)) != '"' && c != '\\') {
            if (c < 0x20 && strict)
                return raise_decode_error("Invalid control character at", r->text, i);
            i++;
        }
        if (i >= r->length)
            return raise_decode_error("Unterminated string starting at", r->text, begin);
        if (i > start && !ty_builder_add_slice(&out, r->text, start, i))
            return TY_NULL;
        if (c == '"') {
            *end = i + 1;
            return ty_builder_finish(&out);
        }
        if (++i >= r->length)
            return raise_decode_error("Unterminated string starting at", r->text, begin);
        c = at(r, i++);
        switch (c) {
        case '"':
        case '\\':
        case '/': break;
        case 'b': c = '\b'; break;
        case 'f': c = '\f'; break;
        case 'n': c = '\n'; break;
        case 'r': c = '\r'; break;
        case 't': c = '\t'; break;
        case 'u': {
            int32_t unit = hex4(r, i);
            if (unit < 0)
                return raise_decode_error("Invalid \\uXXXX escape", r->text, i - 1);
            c = (uint32_t)unit;
            i += 4;
            if (c >= 0xD800 && c <= 0xDBFF && i + 6 <= r->length && at(r, i) == '\\' && at(r, i + 1) == 'u') {
                int32_t low = hex4(r, i + 2);
                if (low >= 0xDC00 && low <= 0xDFFF) {
                    c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
                    i += 6;
                }
            }
            break;
        }
        default: return raise_decode_error("Invalid \\escape: ", r->text, i - 2);
        }
        if (!ty_builder_add_char(&out, c))
            return TY_NULL;
        start = i;
    }
}

/* A short text of narrow characters, one seen before if possible. */
static Value remembered(Reading *r, int64_t start, int64_t end)
{
    uint32_t hash = 2166136261u;
    for (int64_t i = start; i < end; i++)
        hash = (hash ^ r->data[i]) * 16777619u;
    Value *known = &r->keys[hash % KEYS_REMEMBERED];
    if (*known != TY_NULL && ty_str_length(*known) == end - start && memcmp(ty_str_data(*known), r->data + start, (size_t)(end - start)) == 0)
        return *known;
    return *known = ty_str_from_latin1((const char *)r->data + start, (size_t)(end - start));
}

/* The string whose opening quote is at begin. *end: behind the closing one. */
static Value read_string(Reading *r, int64_t begin, bool strict, bool key, int64_t *end)
{
    int64_t start = begin + 1, i = start;
    uint32_t c = 0;
    if (r->width == 1) {
        const uint8_t *data = r->data;
        while (i < r->length && (c = data[i]) != '"' && c != '\\' && c >= 0x20)
            i++;
    } else {
        while (i < r->length && (c = at(r, i)) != '"' && c != '\\' && c >= 0x20)
            i++;
    }
    if (i >= r->length || c != '"')
        return read_escaped(r, begin, i, strict, end);
    *end = i + 1;
    if (r->width == 1)
        return key && i - start <= KEY_LENGTH_MAX ? remembered(r, start, i) : ty_str_from_latin1((const char *)r->data + start, (size_t)(i - start));
    return ty_str_slice(r->text, start, i);
}

TY_INLINE int64_t skip_space(const Reading *r, int64_t i)
{
    while (i < r->length) {
        uint32_t c = at(r, i);
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
            break;
        i++;
    }
    return i;
}

static bool is_digit(const Reading *r, int64_t i) { return i < r->length && at(r, i) >= '0' && at(r, i) <= '9'; }

static Value read_number(Reading *r, int64_t start, int64_t *end)
{
    int64_t i = start;
    bool negative = at(r, i) == '-', whole = true;
    if (negative)
        i++;
    if (!is_digit(r, i))
        return raise_stop(start);
    if (at(r, i) == '0')
        i++;
    else
        while (is_digit(r, i))
            i++;
    int64_t digits = i - start - negative;
    if (i < r->length && at(r, i) == '.' && is_digit(r, i + 1)) {
        whole = false;
        for (i += 2; is_digit(r, i);)
            i++;
    }
    if (i < r->length && (at(r, i) == 'e' || at(r, i) == 'E')) {
        int64_t e = i + 1;
        if (e < r->length && (at(r, e) == '-' || at(r, e) == '+'))
            e++;
        if (is_digit(r, e)) {
            whole = false;
            for (i = e; is_digit(r, i);)
                i++;
        }
    }
    *end = i;
    if (whole && digits <= 18 && r->scanner->parse_int == ty_from_object(&ty_int_type)) {
        int64_t value = 0;
        for (int64_t k = start + negative; k < i; k++)
            value = value * 10 + (at(r, k) - '0');
        return ty_int_from_int64(negative ? -value : value);
    }
    Value parse = whole ? r->scanner->parse_int : r->scanner->parse_float;
    if (!whole && parse == ty_from_object(&ty_float_type)) {
        char few[64], *text = few;
        int64_t length = i - start;
        if (length <= (int64_t)sizeof few) {
            for (int64_t k = 0; k < length; k++)
                text[k] = (char)at(r, start + k);
            double value;
            if (ty_double_parse(text, text + length, &value) == text + length)
                return ty_from_double(value);
        }
    }
    Value text = ty_str_slice(r->text, start, i);
    return text == TY_NULL ? TY_NULL : ty_call_one(parse, text);
}

static Value read_value(Reading *r, int64_t i, int64_t *end);

static Value read_array(Reading *r, int64_t i, int64_t *end)
{
    Value list = ty_list_new(0);
    if (list == TY_NULL)
        return TY_NULL;
    i = skip_space(r, i);
    if (i < r->length && at(r, i) == ']') {
        *end = i + 1;
        return list;
    }
    for (;;) {
        Value item = read_value(r, i, &i);
        if (item == TY_NULL || !ty_list_append(list, item))
            return TY_NULL;
        i = skip_space(r, i);
        if (i < r->length && at(r, i) == ']') {
            *end = i + 1;
            return list;
        }
        if (i >= r->length || at(r, i) != ',')
            return raise_decode_error("Expecting ',' delimiter", r->text, i);
        int64_t comma = i;
        i = skip_space(r, i + 1);
        if (i < r->length && at(r, i) == ']')
            return raise_decode_error("Illegal trailing comma before end of array", r->text, comma);
    }
}

/* What becomes of a finished object: `result` is a dict, or a list of pairs for the hook that wants those. */
static Value finish_object(Reading *r, Value result)
{
    Scanner *scanner = r->scanner;
    if (scanner->object_pairs_hook != TY_NONE)
        return ty_call_one(scanner->object_pairs_hook, result);
    return scanner->object_hook != TY_NONE ? ty_call_one(scanner->object_hook, result) : result;
}

static Value read_object(Reading *r, int64_t i, int64_t *end)
{
    bool pairs = r->scanner->object_pairs_hook != TY_NONE;
    Value result = pairs ? ty_list_new(0) : ty_dict_new();
    if (result == TY_NULL)
        return TY_NULL;
    i = skip_space(r, i);
    if (i < r->length && at(r, i) == '}') {
        *end = i + 1;
        return finish_object(r, result);
    }
    for (;;) {
        if (i >= r->length || at(r, i) != '"')
            return raise_decode_error("Expecting property name enclosed in double quotes", r->text, i);
        Value key = read_string(r, i, r->scanner->strict, true, &i);
        if (key == TY_NULL)
            return TY_NULL;
        i = skip_space(r, i);
        if (i >= r->length || at(r, i) != ':')
            return raise_decode_error("Expecting ':' delimiter", r->text, i);
        i = skip_space(r, i + 1);
        Value value = read_value(r, i, &i);
        if (value == TY_NULL)
            return TY_NULL;
        if (pairs) {
            Value pair = ty_tuple_pack(2, key, value);
            if (pair == TY_NULL || !ty_list_append(result, pair))
                return TY_NULL;
        } else if (!ty_dict_set(result, key, value)) {
            return TY_NULL;
        }
        i = skip_space(r, i);
        if (i < r->length && at(r, i) == '}') {
            *end = i + 1;
            return finish_object(r, result);
        }
        if (i >= r->length || at(r, i) != ',')
            return raise_decode_error("Expecting ',' delimiter", r->text, i);
        int64_t comma = i;
        i = skip_space(r, i + 1);
        if (i < r->length && at(r, i) == '}')
            return raise_decode_error("Illegal trailing comma before end of object", r->text, comma);
    }
}

static bool word_at(const Reading *r, int64_t i, const char *word)
{
    int64_t length = (int64_t)strlen(word);
    if (i + length > r->length)
        return false;
    for (int64_t k = 0; k < length; k++)
        if (at(r, i + k) != (uint8_t)word[k])
            return false;
    return true;
}

static Value constant(Reading *r, const char *word, int64_t i, int64_t *end)
{
    *end = i + (int64_t)strlen(word);
    Value text = ty_intern_text(word);
    return text == TY_NULL ? TY_NULL : ty_call_one(r->scanner->parse_constant, text);
}

static Value read_value(Reading *r, int64_t i, int64_t *end)
{
    if (i < 0)
        return ty_raise(&ty_ValueError, "idx cannot be negative");
    if (i >= r->length)
        return raise_stop(i);
    switch (at(r, i)) {
    case '"': return read_string(r, i, r->scanner->strict, false, end);
    case '{':
        if (ty_c_stack_low())
            return ty_raise_recursion_error(" while decoding a JSON object from a unicode string");
        return read_object(r, i + 1, end);
    case '[':
        if (ty_c_stack_low())
            return ty_raise_recursion_error(" while decoding a JSON array from a unicode string");
        return read_array(r, i + 1, end);
    case 'n':
        if (word_at(r, i, "null")) {
            *end = i + 4;
            return TY_NONE;
        }
        break;
    case 't':
        if (word_at(r, i, "true")) {
            *end = i + 4;
            return TY_TRUE;
        }
        break;
    case 'f':
        if (word_at(r, i, "false")) {
            *end = i + 5;
            return TY_FALSE;
        }
        break;
    case 'N':
        if (word_at(r, i, "NaN"))
            return constant(r, "NaN", i, end);
        break;
    case 'I':
        if (word_at(r, i, "Infinity"))
            return constant(r, "Infinity", i, end);
        break;
    case '-':
        if (word_at(r, i, "-Infinity"))
            return constant(r, "-Infinity", i, end);
        break;
    }
    return read_number(r, i, end);
}

static Reading reading_of(Scanner *scanner, Value text)
{
    return (Reading){.scanner = scanner, .text = text, .data = ty_str_data(text), .width = ty_str_width(text), .length = ty_str_length(text)};
}

static Value scanstring(Value module, Value *a)
{
    int64_t end;
    if (!ty_to_size(a[1], &end))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "first argument must be a string, not %T", a[0]);
    int strict = a[2] == TY_NULL ? 1 : ty_is_true(a[2]);
    if (strict < 0)
        return TY_NULL;
    if (end < 0 || end > ty_str_length(a[0]))
        return ty_raise(&ty_ValueError, "end is out of bounds");
    Reading reading = reading_of(NULL, a[0]);
    Value text = read_string(&reading, end - 1, strict, false, &end);
    return text == TY_NULL ? TY_NULL : ty_tuple_pack(2, text, ty_int_from_int64(end));
}

static void scanner_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Scanner *)self)->object_hook, 5); }

static TySignature scanner_signature = TY_SIGNATURE("make_scanner(context)");

static Value scanner_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value context;
    if (!ty_parse_arguments(&scanner_signature, arguments, count, keywords, &context))
        return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Scanner);
    Value strict = ty_get_attribute(context, TY_NAME("strict"));
    int truth = strict == TY_NULL ? -1 : ty_is_true(strict);
    if (truth < 0)
        return TY_NULL;
    self->strict = truth;
    static const char *const names[] = {"object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant"};
    for (size_t i = 0; i < TY_COUNT_OF(names); i++) {
        Value value = ty_get_attribute(context, ty_intern_text(names[i]));
        if (value == TY_NULL)
            return TY_NULL;
        ty_store(self, &self->object_hook + i, value);
    }
    return v;
}

static TySignature scan_signature = TY_SIGNATURE("scan_once(string, idx)");

static Value scanner_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    int64_t index;
    if (!ty_parse_arguments(&scan_signature, arguments, count, keywords, a) || !ty_to_size(a[1], &index))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "first argument must be a string, not %T", a[0]);
    Reading reading = reading_of((Scanner *)ty_object(v), a[0]);
    Value value = read_value(&reading, index, &index);
    return value == TY_NULL ? TY_NULL : ty_tuple_pack(2, value, ty_int_from_int64(index));
}

static const TyMemberDef scanner_members[] = {
    {"strict", TY_MEMBER_BOOL, false, offsetof(Scanner, strict), NULL},
    {"object_hook", TY_MEMBER_VALUE, false, offsetof(Scanner, object_hook), NULL},
    {"object_pairs_hook", TY_MEMBER_VALUE, false, offsetof(Scanner, object_pairs_hook), NULL},
    {"parse_float", TY_MEMBER_VALUE, false, offsetof(Scanner, parse_float), NULL},
    {"parse_int", TY_MEMBER_VALUE, false, offsetof(Scanner, parse_int), NULL},
    {"parse_constant", TY_MEMBER_VALUE, false, offsetof(Scanner, parse_constant), NULL},
    {0},
};

static TyType scanner_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Scanner), .trace = scanner_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_json.Scanner",
    .doc = "JSON scanner object",
    .parent = &ty_object_base_type,
    .slots = {.call = scanner_call, .new = scanner_new},
    .members = scanner_members,
};

/* --- writing -------------------------------------------------------------------------------------------------------- */

typedef struct Encoder {
    TyObject base;
    Value markers, default_function, encoder, indent, key_separator, item_separator; /* markers None: circles are not looked for */
    bool sort_keys, skipkeys, allow_nan;
} Encoder;

typedef struct Outer { /* the containers being written, innermost first */
    Value object;
    const struct Outer *next;
} Outer;

typedef struct Writing {
    Encoder *encoder;
    TyStrBuilder out;
    int strings; /* who encodes them: 0 a function, 1 we in ASCII, 2 we */
} Writing;

static bool write_value(Writing *w, Value v, const Outer *outer, int64_t level);

static bool write_string(Writing *w, Value s)
{
    if (w->strings != 0)
        return add_string(&w->out, s, w->strings == 1);
    Value text = ty_call_one(w->encoder->encoder, s);
    if (text == TY_NULL)
        return false;
    if (!ty_is_str(text)) {
        ty_raise(&ty_TypeError, "encoder() must return a string, not %T", text);
        return false;
    }
    return ty_builder_add(&w->out, text);
}

static bool write_int(Writing *w, Value v)
{
    if (ty_is_immediate_int(v)) {
        char text[24], *p = text + sizeof text;
        int64_t i = ty_immediate_int(v);
        uint64_t rest = i < 0 ? (uint64_t)-i : (uint64_t)i;
        do
            *--p = (char)('0' + rest % 10);
        while ((rest /= 10) != 0);
        if (i < 0)
            *--p = '-';
        return ty_builder_add_ascii(&w->out, p, (size_t)(text + sizeof text - p));
    }
    Value text = ty_int_to_text(v, 10, false);
    return text != TY_NULL && ty_builder_add(&w->out, text);
}

static bool write_float(Writing *w, Value v)
{
    double d = ty_float_value(v);
    if (d - d != 0) {
        if (!w->encoder->allow_nan) {
            ty_raise(&ty_ValueError, "Out of range float values are not JSON compliant: %R", v);
            return false;
        }
        return ty_builder_add_text(&w->out, d != d ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
    }
    char text[TY_DOUBLE_TEXT_SIZE];
    return ty_builder_add_ascii(&w->out, text, ty_double_repr(d, text));
}

static bool write_newline(Writing *w, int64_t level)
{
    if (w->encoder->indent == TY_NONE)
        return true;
    bool fine = ty_builder_add_char(&w->out, '\n');
    for (int64_t i = 0; fine && i < level; i++)
        fine = ty_builder_add(&w->out, w->encoder->indent);
    return fine;
}

/* Tells with the exception which item it came from. */
static bool add_note(Value container, Value key, int64_t index)
{
    Value exception = ty_take_exception();
    Value note;
    if (key != TY_NULL)
        note = ty_str_format("when serializing %T item %R", container, key);
    else if (index >= 0)
        note = ty_str_format("when serializing %T item %lld", container, (long long)index);
    else
        note = ty_str_format("when serializing %T object", container);
    if (note != TY_NULL)
        ty_call_method_one(exception, TY_NAME("add_note"), note);
    ty_clear_exception();
    ty_restore_exception(exception);
    return false;
}

static bool enter(Writing *w, Value v, const Outer *outer)
{
    if (w->encoder->markers == TY_NONE)
        return true;
    for (; outer; outer = outer->next)
        if (outer->object == v) {
            ty_raise(&ty_ValueError, "Circular reference detected");
            return false;
        }
    return true;
}

static bool write_list(Writing *w, Value v, const Outer *outer, int64_t level)
{
    Value sequence = ty_sequence_fast(v, "_iterencode_list needs a sequence");
    if (sequence == TY_NULL)
        return false;
    bool tuple = ty_is_tuple(sequence);
    if ((tuple ? ty_tuple_length(sequence) : ty_list_length(sequence)) == 0)
        return ty_builder_add_text(&w->out, "[]");
    if (!enter(w, v, outer))
        return false;
    Outer here = {v, outer};
    if (!ty_builder_add_char(&w->out, '[') || !write_newline(w, level + 1))
        return false;
    for (int64_t i = 0; i < (tuple ? ty_tuple_length(sequence) : ty_list_length(sequence)); i++) {
        Value item = tuple ? ty_tuple_item(sequence, i) : ty_list_item(sequence, i);
        if (item == TY_NULL)
            break;
        if (i > 0 && (!ty_builder_add(&w->out, w->encoder->item_separator) || !write_newline(w, level + 1)))
            return false;
        if (!write_value(w, item, &here, level + 1))
            return add_note(v, TY_NULL, i);
    }
    return write_newline(w, level) && ty_builder_add_char(&w->out, ']');
}

/* A key's text in quotes. 0: the key is skipped; -1: failed. The comma before it is written here, when the key is known to be good. */
static int write_key(Writing *w, Value key, bool first, int64_t level)
{
    if (!ty_is_str(key) && !ty_is_float(key) && !ty_is_int(key) && key != TY_NONE) {
        if (w->encoder->skipkeys)
            return 0;
        ty_raise(&ty_TypeError, "keys must be str, int, float, bool or None, not %T", key);
        return -1;
    }
    bool fine = first ? true : ty_builder_add(&w->out, w->encoder->item_separator);
    fine = fine && write_newline(w, level + 1);
    if (fine && ty_is_str(key))
        return write_string(w, key) && ty_builder_add(&w->out, w->encoder->key_separator) ? 1 : -1;
    fine = fine && ty_builder_add_char(&w->out, '"');
    if (fine) {
        if (key == TY_NONE)
            fine = ty_builder_add_text(&w->out, "null");
        else if (key == TY_TRUE || key == TY_FALSE)
            fine = ty_builder_add_text(&w->out, key == TY_TRUE ? "true" : "false");
        else
            fine = ty_is_float(key) ? write_float(w, key) : write_int(w, key);
    }
    return fine && ty_builder_add_char(&w->out, '"') && ty_builder_add(&w->out, w->encoder->key_separator) ? 1 : -1;
}

static bool write_dict(Writing *w, Value v, const Outer *outer, int64_t level)
{
    if (ty_dict_length(v) == 0 && ty_is_exact_dict(v))
        return ty_builder_add_text(&w->out, "{}");
    bool plain = ty_is_exact_dict(v) && !w->encoder->sort_keys;
    Value items = TY_NULL;
    if (!plain) {
        items = ty_call_method_none(v, TY_NAME("items"));
        items = items == TY_NULL ? TY_NULL : ty_sequence_list(items);
        if (items == TY_NULL || (w->encoder->sort_keys && !ty_list_sort(items, TY_NULL, false)))
            return false;
        if (ty_list_length(items) == 0)
            return ty_builder_add_text(&w->out, "{}");
    }
    if (!enter(w, v, outer) || !ty_builder_add_char(&w->out, '{'))
        return false;
    Outer here = {v, outer};
    bool first = true;
    int64_t position = 0, length = ty_dict_length(v);
    for (int64_t i = 0;; i++) {
        Value key, value;
        if (plain) {
            if (!ty_dict_next(v, &position, &key, &value))
                break;
        } else {
            Value pair = ty_list_item(items, i);
            if (pair == TY_NULL)
                break;
            if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2) {
                ty_raise(&ty_ValueError, "items must return 2-tuples");
                return false;
            }
            key = ty_tuple_item(pair, 0);
            value = ty_tuple_item(pair, 1);
        }
        int wrote = write_key(w, key, first, level);
        if (wrote < 0)
            return false;
        if (wrote == 0)
            continue;
        first = false;
        if (!write_value(w, value, &here, level + 1))
            return add_note(v, key, 0);
        if (plain && ty_dict_length(v) != length) {
            ty_raise(&ty_RuntimeError, "dictionary changed size during iteration");
            return false;
        }
    }
    return (first || write_newline(w, level)) && ty_builder_add_char(&w->out, '}');
}

static bool write_value(Writing *w, Value v, const Outer *outer, int64_t level)
{
    if (v == TY_NONE)
        return ty_builder_add_ascii(&w->out, "null", 4);
    if (v == TY_TRUE)
        return ty_builder_add_ascii(&w->out, "true", 4);
    if (v == TY_FALSE)
        return ty_builder_add_ascii(&w->out, "false", 5);
    if (ty_is_str(v))
        return write_string(w, v);
    if (ty_is_int(v))
        return write_int(w, v);
    if (ty_is_float(v))
        return write_float(w, v);
    if (ty_c_stack_low()) {
        ty_raise_recursion_error(" while encoding a JSON object");
        return false;
    }
    if (ty_is_list(v) || ty_is_tuple(v))
        return write_list(w, v, outer, level);
    if (ty_is_dict(v))
        return write_dict(w, v, outer, level);
    if (!enter(w, v, outer))
        return false;
    Outer here = {v, outer};
    Value other = ty_call_one(w->encoder->default_function, v);
    if (other == TY_NULL)
        return false;
    return write_value(w, other, &here, level) || add_note(v, TY_NULL, -1);
}

static void encoder_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Encoder *)self)->markers, 6); }

static TySignature encoder_signature =
    TY_SIGNATURE("make_encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)");

static Value encoder_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[9];
    if (!ty_parse_arguments(&encoder_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (a[0] != TY_NONE && !ty_is_dict(a[0]))
        return ty_raise(&ty_TypeError, "make_encoder() argument 1 must be dict or None, not %T", a[0]);
    if (!ty_is_str(a[4]) || !ty_is_str(a[5]))
        return ty_raise(&ty_TypeError, "make_encoder() argument %d must be str, not %T", ty_is_str(a[4]) ? 6 : 5, ty_is_str(a[4]) ? a[5] : a[4]);
    if (a[3] != TY_NONE && !ty_is_str(a[3]))
        return ty_raise(&ty_TypeError, "make_encoder() argument 4 must be str or None, not %T", a[3]);
    int flags[3];
    for (int i = 0; i < 3; i++)
        if ((flags[i] = ty_is_true(a[6 + i])) < 0)
            return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    SELF(Encoder);
    for (int i = 0; i < 6; i++)
        ty_store(self, &self->markers + i, a[i]);
    self->sort_keys = flags[0];
    self->skipkeys = flags[1];
    self->allow_nan = flags[2];
    return v;
}

static bool is_function(Value v, TyNativeFunction function)
{
    if (!ty_is_exact(v, &ty_native_type))
        return false;
    const TyNativeDef *def = ((TyNative *)ty_object(v))->def;
    return def->calling == TY_NATIVE_FLAT && def->function.flat == function;
}

static TySignature encode_signature = TY_SIGNATURE("_iterencode(obj, _current_indent_level)");

static Value encoder_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    SELF(Encoder);
    Value a[2];
    int64_t level;
    if (!ty_parse_arguments(&encode_signature, arguments, count, keywords, a) || !ty_to_size(a[1], &level))
        return TY_NULL;
    Writing writing = {.encoder = self};
    writing.strings = is_function(self->encoder, encode_basestring_ascii) ? 1 : is_function(self->encoder, encode_basestring) ? 2 : 0;
    if (!write_value(&writing, a[0], NULL, TY_MAX(level, 0)))
        return TY_NULL;
    Value text = ty_builder_finish(&writing.out);
    return text == TY_NULL ? TY_NULL : ty_tuple_pack(1, text);
}

static const TyMemberDef encoder_members[] = {
    {"markers", TY_MEMBER_VALUE, false, offsetof(Encoder, markers), NULL},
    {"default", TY_MEMBER_VALUE, false, offsetof(Encoder, default_function), NULL},
    {"encoder", TY_MEMBER_VALUE, false, offsetof(Encoder, encoder), NULL},
    {"indent", TY_MEMBER_VALUE, false, offsetof(Encoder, indent), NULL},
    {"key_separator", TY_MEMBER_VALUE, false, offsetof(Encoder, key_separator), NULL},
    {"item_separator", TY_MEMBER_VALUE, false, offsetof(Encoder, item_separator), NULL},
    {"sort_keys", TY_MEMBER_BOOL, false, offsetof(Encoder, sort_keys), NULL},
    {"skipkeys", TY_MEMBER_BOOL, false, offsetof(Encoder, skipkeys), NULL},
    {0},
};

static TyType encoder_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Encoder), .trace = encoder_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_json.Encoder",
    .doc = "_json.Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)",
    .parent = &ty_object_base_type,
    .slots = {.call = encoder_call, .new = encoder_new},
    .members = encoder_members,
};

/* --- the module ----------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("encode_basestring(string, /)", encode_basestring, "The JSON form of a str."),
    TY_FUNCTION("encode_basestring_ascii(string, /)", encode_basestring_ascii, "The JSON form of a str, in ASCII."),
    TY_FUNCTION("scanstring(string, end, strict=True, /)", scanstring,
                "The JSON string behind the quote before index end, as (text, index behind its closing quote)."),
    {0},
};

static bool execute(Value module)
{
    return ty_type_ready(&scanner_type) && ty_type_ready(&encoder_type) && ty_module_add(module, "make_scanner", ty_from_object(&scanner_type)) &&
           ty_module_add(module, "make_encoder", ty_from_object(&encoder_type));
}

const TyModuleDef ty_module_json = {
    .name = "_json",
    .doc = "Reading and writing JSON.",
    .functions = functions,
    .execute = execute,
};
