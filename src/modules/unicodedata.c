/* unicodedata: the character database, version 16.0.0, and version 3.2.0 as an object with the same methods.
 *
 * Each function serves both: `self` is the module, or an instance of UCD. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/unicode.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

static TyType ucd_type;

static bool is_old(Value self) { return ty_is_exact(self, &ucd_type); }

/* The one character of an argument, or -1. `position` is "" for a function with a single argument. */
static int64_t to_character(Value v, const char *function, const char *position)
{
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "%s() argument %smust be a unicode character, not %T", function, position, v);
        return -1;
    }
    if (ty_str_length(v) != 1) {
        ty_raise(&ty_TypeError, "%s(): argument %smust be a unicode character, not a string of length %lld", function,
                 position, (long long)ty_str_length(v));
        return -1;
    }
    return ty_str_at(v, 0);
}

#define CHARACTER(function, position)                                                                         \
    int64_t character = to_character(a[0], function, position);                                               \
    if (character < 0)                                                                                        \
        return TY_NULL;                                                                                       \
    uint32_t c = (uint32_t)character

static Value or_default(Value given, const char *message)
{
    return given != TY_NULL ? given : ty_raise(&ty_ValueError, message);
}

/* --- values ------------------------------------------------------------------------------------------------------ */

static Value ucd_decimal(Value self, Value *a)
{
    CHARACTER("decimal", "1 ");
    int value = is_old(self) ? ty_unicode_3_2_decimal(c) : ty_unicode_decimal(c);
    return value >= 0 ? ty_from_immediate_int(value) : or_default(a[1], "not a decimal");
}

static Value ucd_digit(Value self, Value *a)
{
    CHARACTER("digit", "1 ");
    int value = is_old(self) ? ty_unicode_3_2_digit(c) : ty_unicode_digit(c);
    return value >= 0 ? ty_from_immediate_int(value) : or_default(a[1], "not a digit");
}

static Value ucd_numeric(Value self, Value *a)
{
    CHARACTER("numeric", "1 ");
    double value;
    bool found = is_old(self) ? ty_unicode_3_2_numeric(c, &value) : ty_unicode_numeric(c, &value);
    return found ? ty_from_double(value) : or_default(a[1], "not a numeric character");
}

static Value ucd_category(Value self, Value *a)
{
    CHARACTER("category", "");
    return ty_intern_text(is_old(self) ? ty_unicode_3_2_category(c) : ty_unicode_category(c));
}

static Value ucd_bidirectional(Value self, Value *a)
{
    CHARACTER("bidirectional", "");
    return ty_intern_text(is_old(self) ? ty_unicode_3_2_bidirectional(c) : ty_unicode_bidirectional(c));
}

static Value ucd_east_asian_width(Value self, Value *a)
{
    CHARACTER("east_asian_width", "");
    return ty_intern_text(is_old(self) ? ty_unicode_3_2_east_asian_width(c) : ty_unicode_east_asian_width(c));
}

static Value ucd_combining(Value self, Value *a)
{
    CHARACTER("combining", "");
    return ty_from_immediate_int(is_old(self) ? ty_unicode_3_2_combining(c) : ty_unicode_combining(c));
}

static Value ucd_mirrored(Value self, Value *a)
{
    CHARACTER("mirrored", "");
    return ty_from_immediate_int(is_old(self) ? ty_unicode_3_2_is_mirrored(c) : ty_unicode_is_mirrored(c));
}

static Value ucd_decomposition(Value self, Value *a)
{
    CHARACTER("decomposition", "");
    const char *tag = "";
    const uint32_t *mapping;
    uint32_t letters[3];
    int count = ty_unicode_hangul_decomposition(c, letters);
    if (count)
        mapping = letters;
    else if (is_old(self))
        count = ty_unicode_3_2_decomposition(c, &tag, &mapping);
    else
        count = ty_unicode_decomposition(c, &tag, &mapping);

    char text[16 + 7 * TY_UNICODE_DECOMPOSITION_MAX];
    char *end = stpcpy(text, tag);
    for (int i = 0; i < count; i++)
        end += sprintf(end, end == text ? "%04X" : " %04X", mapping[i]);
    return ty_str_from_latin1(text, (size_t)(end - text));
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static Value ucd_name(Value self, Value *a)
{
    CHARACTER("name", "1 ");
    char name[TY_UNICODE_NAME_MAX];
    int length = is_old(self) && !ty_unicode_3_2_is_assigned(c) ? 0 : ty_unicode_name(c, name);
    /* CPython 3.14 looks up the names of Tangut ideographs, but does not tell them. */
    if (length > 0 && strncmp(name, "TANGUT IDEOGRAPH-", 17) == 0)
        length = 0;
    return length ? ty_str_from_latin1(name, (size_t)length) : or_default(a[1], "no such name");
}

static Value lookup(Value self, const char *name, size_t size)
{
    if (size > 256)
        return ty_raise(&ty_KeyError, "name too long");
    uint32_t found[TY_UNICODE_SEQUENCE_MAX];
    int count;
    if (is_old(self)) { /* aliases and sequences are later inventions: only a character's own name counts */
        int32_t c = ty_unicode_lookup(name, size);
        char spelled[TY_UNICODE_NAME_MAX];
        found[0] = (uint32_t)c;
        count = c >= 0 && ty_unicode_name((uint32_t)c, spelled) == (int)size && strncasecmp(name, spelled, size) == 0;
    } else {
        count = ty_unicode_lookup_sequence(name, size, found);
    }
    if (!count)
        return ty_raise(&ty_KeyError, "undefined character name '%s'", name);
    return ty_str_from_ucs4(found, (size_t)count);
}

static Value ucd_lookup(Value self, Value *a)
{
    if (ty_is_str(a[0])) {
        size_t size;
        Value holder = TY_NULL;
        const char *name = ty_str_utf8(a[0], &size, &holder);
        return name ? lookup(self, name, size) : TY_NULL;
    }
    if (ty_is_bytes(a[0]))
        return lookup(self, (const char *)ty_bytes_data(a[0]), (size_t)ty_bytes_length(a[0]));
    if (ty_has_buffer(a[0]))
        return ty_raise(&ty_TypeError, "lookup() argument must be read-only bytes-like object, not %T", a[0]);
    return ty_raise(&ty_TypeError, "a bytes-like object is required, not '%T'", a[0]);
}

/* --- normal forms --------------------------------------------------------------------------------------------------- */

/* The code points of a str, in malloc'ed memory, never NULL but for want of memory. */
static uint32_t *code_points(Value text)
{
    int64_t length = ty_str_length(text);
    uint32_t *copy = malloc(((size_t)length + 1) * sizeof *copy);
    if (!copy) {
        ty_raise_memory_error();
        return NULL;
    }
    for (int64_t i = 0; i < length; i++)
        copy[i] = ty_str_at(text, i);
    return copy;
}

static bool to_form(Value v, TyNormalForm *form)
{
    static const char *const names[] = {[TY_NFC] = "NFC", [TY_NFKC] = "NFKC", [TY_NFD] = "NFD", [TY_NFKD] = "NFKD"};
    for (int i = 0; i < (int)TY_COUNT_OF(names); i++)
        if (ty_str_equal_text(v, names[i])) {
            *form = (TyNormalForm)i;
            return true;
        }
    ty_raise(&ty_ValueError, "invalid normalization form");
    return false;
}

static bool are_str(Value *a, const char *function)
{
    for (int i = 0; i < 2; i++)
        if (!ty_is_str(a[i])) {
            ty_raise(&ty_TypeError, "%s() argument %d must be str, not %T", function, i + 1, a[i]);
            return false;
        }
    return true;
}

static Value exact(Value text) { return ty_is_exact_str(text) ? text : ty_str_slice(text, 0, ty_str_length(text)); }

static Value ucd_is_normalized(Value self, Value *a)
{
    TyNormalForm form;
    if (!are_str(a, "is_normalized"))
        return TY_NULL;
    if (ty_str_length(a[1]) == 0)
        return TY_TRUE;
    if (!to_form(a[0], &form))
        return TY_NULL;
    if (ty_str_is_ascii(a[1]))
        return TY_TRUE;
    uint32_t *text = code_points(a[1]);
    if (!text)
        return TY_NULL;
    size_t length = (size_t)ty_str_length(a[1]);
    int answer;
    if (is_old(self)) {
        size_t normal_length;
        uint32_t *normal = ty_unicode_3_2_normalize(form, text, length, &normal_length);
        answer = !normal ? -1 : normal_length == length && memcmp(normal, text, length * sizeof *text) == 0;
        free(normal);
    } else {
        answer = ty_unicode_is_normalized(form, text, length);
    }
    free(text);
    return answer < 0 ? ty_raise_memory_error() : ty_from_bool(answer);
}

static Value ucd_normalize(Value self, Value *a)
{
    TyNormalForm form;
    if (!are_str(a, "normalize"))
        return TY_NULL;
    if (ty_str_length(a[1]) == 0)
        return exact(a[1]);
    if (!to_form(a[0], &form))
        return TY_NULL;
    if (ty_str_is_ascii(a[1]))
        return exact(a[1]);
    uint32_t *text = code_points(a[1]);
    if (!text)
        return TY_NULL;
    size_t length = (size_t)ty_str_length(a[1]), normal_length;
    if (!is_old(self) && ty_unicode_quick_check(form, text, length) == TY_QUICK_YES) {
        free(text);
        return exact(a[1]);
    }
    uint32_t *normal = is_old(self) ? ty_unicode_3_2_normalize(form, text, length, &normal_length)
                                    : ty_unicode_normalize(form, text, length, &normal_length);
    free(text);
    if (!normal)
        return ty_raise_memory_error();
    Value result = ty_str_from_ucs4(normal, normal_length);
    free(normal);
    return result;
}

/* --- the module and its type ------------------------------------------------------------------------------------------ */

/* Every function, with its parameters after the first and its docstring. */
#define UCD_FUNCTIONS(X)                                                                                       \
    X(decimal, "chr, default=<unrepresentable>, /", "The decimal value of a character as an int. Without one: the default if given, else ValueError.") \
    X(digit, "chr, default=<unrepresentable>, /", "The digit value of a character as an int. Without one: the default if given, else ValueError.") \
    X(numeric, "chr, default=<unrepresentable>, /", "The numeric value of a character as a float. Without one: the default if given, else ValueError.") \
    X(category, "chr, /", "The general category of a character, two letters.")                                  \
    X(bidirectional, "chr, /", "The bidirectional class of a character; empty if it has none.")                 \
    X(combining, "chr, /", "The canonical combining class of a character as an int; 0 if it has none.")         \
    X(mirrored, "chr, /", "1 if the character is mirrored in right-to-left text, else 0.")                      \
    X(east_asian_width, "chr, /", "The East Asian width of a character.")                                       \
    X(decomposition, "chr, /", "The decomposition mapping of a character; empty if it has none.")               \
    X(is_normalized, "form, unistr, /", "Whether the text is in the normal form 'NFC', 'NFKC', 'NFD' or 'NFKD'.") \
    X(normalize, "form, unistr, /", "The text in the normal form 'NFC', 'NFKC', 'NFD' or 'NFKD'.")              \
    X(name, "chr, default=<unrepresentable>, /", "The name of a character. Without one: the default if given, else ValueError.") \
    X(lookup, "name, /", "The character of that name. KeyError if there is none.")

static const TyNativeDef unicodedata_functions[] = {
#define FUNCTION(name, parameters, doc) TY_FUNCTION(#name "(module, " parameters ")", ucd_##name, doc),
    UCD_FUNCTIONS(FUNCTION)
#undef FUNCTION
    {0}};

static const TyNativeDef ucd_methods[] = {
#define METHOD(name, parameters, doc) TY_METHOD(#name "(self, " parameters ")", ucd_##name, doc),
    UCD_FUNCTIONS(METHOD)
#undef METHOD
    {0}};

typedef struct {
    TyObject base;
    Value version;
} Ucd;

static void ucd_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Ucd *)self)->version); }

static const TyMemberDef ucd_members[] = {
    {"unidata_version", TY_MEMBER_VALUE, false, offsetof(Ucd, version), NULL},
    {0}};

static TyType ucd_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Ucd), .trace = ucd_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "unicodedata.UCD",
    .parent = &ty_object_base_type,
    .methods = ucd_methods,
    .members = ucd_members,
};

static bool unicodedata_execute(Value module)
{
    Ucd *old = ty_allocate(&ucd_type, sizeof(Ucd));
    if (!old)
        return false;
    Value version = ty_str_from_text("3.2.0");
    if (version == TY_NULL)
        return false;
    ty_store(old, &old->version, version);
    return ty_module_add_str(module, "unidata_version", TY_UNICODE_VERSION) &&
           ty_module_add(module, "ucd_3_2_0", ty_from_object(old));
}

static TyType *const unicodedata_types[] = {&ucd_type, NULL};

const TyModuleDef ty_module_unicodedata = {
    .name = "unicodedata",
    .doc = "The Unicode character database, version 16.0.0: the properties, names and normal forms of characters.",
    .functions = unicodedata_functions,
    .types = unicodedata_types,
    .execute = unicodedata_execute,
};
