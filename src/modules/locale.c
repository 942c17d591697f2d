/* _locale: the C library's locales, which belong to the whole process, and its messages (gettext).
 *
 * A program starts in the "C" locale; the character type of the user's is taken over when the module is first imported. What the C library gives out
 * lies in static memory, so that calls that could change it wait for each other. */
#include "base/futex.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/type.h"
#include <errno.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static TyMutex library = TY_MUTEX_INIT;

enum { ERROR_CLASS, STATE_COUNT };

static Value text_of(const char *text) { return ty_str_decode_fs(text, strlen(text)); }

/* As the file system's names are encoded, without NULs. A missing or None argument is NULL without an exception. */
static const char *argument(Value v, const char *function, const char *which, bool optional)
{
    if (v == TY_NULL || (optional && v == TY_NONE))
        return NULL;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, optional ? "%s() argument %s must be str or None, not %T" : "%s() argument %s must be str, not %T", function, which, v), NULL;
    Value bytes = ty_str_encode_fs(v);
    if (bytes == TY_NULL)
        return NULL;
    if (memchr(ty_bytes_data(bytes), 0, (size_t)ty_bytes_length(bytes)))
        return ty_raise(&ty_ValueError, "embedded null character"), NULL;
    return (const char *)ty_bytes_data(bytes);
}

/* A fresh copy of what the C library says, made under the lock; NULL: it says nothing, or there is no memory. */
static char *copied(const char *text) { return text ? strdup(text) : NULL; }

static Value take(char *copy)
{
    Value text = text_of(copy);
    free(copy);
    return text;
}

static Value fail(Value module, const char *text)
{
    Value error = ty_module_state(module)[ERROR_CLASS];
    return ty_raise(ty_as_type(error), "%s", text);
}

/* --- locales ---------------------------------------------------------------------------------------------------------------- */

static Value locale_setlocale(Value module, Value *a)
{
    int32_t category;
    if (!ty_to_int32(a[0], &category))
        return TY_NULL;
    const char *name = argument(a[1], "setlocale", "2", true);
    if (ty_raised())
        return TY_NULL;
    if (category < LC_CTYPE || category > LC_IDENTIFICATION)
        return fail(module, "invalid locale category");
    ty_mutex_lock(&library);
    char *now = copied(setlocale(category, name));
    ty_mutex_unlock(&library);
    return now ? take(now) : fail(module, name ? "unsupported locale setting" : "locale query failed");
}

/* How digits are grouped: a list that ends with what ended the C library's, 0 or CHAR_MAX. */
static Value grouping_list(const char *grouping)
{
    Value list = ty_list_new(0);
    for (const char *p = grouping; list != TY_NULL && *grouping; p++) {
        if (!ty_list_append(list, ty_from_immediate_int(*p)))
            return TY_NULL;
        if (*p == 0 || *p == CHAR_MAX)
            break;
    }
    return list;
}

typedef struct Convention { /* what localeconv() says, copied */
    char text[8][64];
    char grouping[2][16];
    int number[8];
} Convention;

static const char *const text_names[8] = { "decimal_point", "thousands_sep", "int_curr_symbol", "currency_symbol", "mon_decimal_point", "mon_thousands_sep", "positive_sign", "negative_sign" };
static const char *const grouping_names[2] = { "grouping", "mon_grouping" };
static const char *const number_names[8] = { "int_frac_digits", "frac_digits", "p_cs_precedes", "p_sep_by_space", "n_cs_precedes", "n_sep_by_space", "p_sign_posn", "n_sign_posn" };

static void read_convention(Convention *copy)
{
    const struct lconv *c = localeconv();
    const char *texts[8] = { c->decimal_point, c->thousands_sep, c->int_curr_symbol, c->currency_symbol, c->mon_decimal_point, c->mon_thousands_sep, c->positive_sign, c->negative_sign };
    const char *groupings[2] = { c->grouping, c->mon_grouping };
    const char numbers[8] = { c->int_frac_digits, c->frac_digits, c->p_cs_precedes, c->p_sep_by_space, c->n_cs_precedes, c->n_sep_by_space, c->p_sign_posn, c->n_sign_posn };
    memset(copy, 0, sizeof *copy);
    for (int i = 0; i < 8; i++) {
        strncpy(copy->text[i], texts[i], sizeof copy->text[i] - 1);
        copy->number[i] = numbers[i];
    }
    for (int i = 0; i < 2; i++)
        strncpy(copy->grouping[i], groupings[i], sizeof copy->grouping[i] - 1);
}

static bool put(Value dict, const char *name, Value value) { return value != TY_NULL && ty_dict_set_text(dict, name, value); }

static Value locale_localeconv(Value module, Value *a)
{
    Convention convention;
    ty_mutex_lock(&library);
    read_convention(&convention);
    ty_mutex_unlock(&library);
    Value dict = ty_dict_new();
    bool done = dict != TY_NULL;
    for (int i = 0; i < 8; i++)
        done = done && put(dict, text_names[i], text_of(convention.text[i])) && put(dict, number_names[i], ty_from_immediate_int(convention.number[i]));
    for (int i = 0; i < 2; i++)
        done = done && put(dict, grouping_names[i], grouping_list(convention.grouping[i]));
    return done ? dict : TY_NULL;
}

/* A str as the C library's wide characters, in fresh memory. NULL: an exception is raised. */
static wchar_t *wide_of(Value v, const char *function, const char *which)
{
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "%s() argument %s must be str, not %T", function, which, v), NULL;
    int64_t length = ty_str_length(v);
    wchar_t *wide = malloc(((size_t)length + 1) * sizeof *wide);
    if (!wide)
        return ty_raise_memory_error(), NULL;
    for (int64_t i = 0; i < length; i++) {
        wide[i] = (wchar_t)ty_str_at(v, i);
        if (!wide[i]) {
            free(wide);
            return ty_raise(&ty_ValueError, "embedded null character"), NULL;
        }
    }
    wide[length] = 0;
    return wide;
}

static Value locale_strcoll(Value module, Value *a)
{
    wchar_t *one = wide_of(a[0], "strcoll", "1"), *other = one ? wide_of(a[1], "strcoll", "2") : NULL;
    int order = other ? wcscoll(one, other) : 0;
    bool done = other != NULL;
    free(one);
    free(other);
    return done ? ty_from_immediate_int(order) : TY_NULL;
}

static Value locale_strxfrm(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "strxfrm() argument must be str, not %T", a[0]);
    wchar_t *text = wide_of(a[0], "strxfrm", "1");
    if (!text)
        return TY_NULL;
    size_t size = wcsxfrm(NULL, text, 0);
    wchar_t *key = size < SIZE_MAX / sizeof *key - 1 ? malloc((size + 1) * sizeof *key) : NULL;
    Value result = TY_NULL;
    if (!key)
        ty_raise_memory_error();
    else {
        size = TY_MIN(wcsxfrm(key, text, size + 1), size);
        for (size_t i = 0; i < size; i++) /* glibc's keys go beyond what a character can be; what is compared is their order */
            if ((uint32_t)key[i] > 0x10FFFF)
                key[i] = 0x10FFFF;
        result = ty_str_from_ucs4((const uint32_t *)key, size);
    }
    free(key);
    free(text);
    return result;
}

#define LANGINFO(X) \
    X(DAY_1) X(DAY_2) X(DAY_3) X(DAY_4) X(DAY_5) X(DAY_6) X(DAY_7) X(ABDAY_1) X(ABDAY_2) X(ABDAY_3) X(ABDAY_4) X(ABDAY_5) X(ABDAY_6) X(ABDAY_7) \
    X(MON_1) X(MON_2) X(MON_3) X(MON_4) X(MON_5) X(MON_6) X(MON_7) X(MON_8) X(MON_9) X(MON_10) X(MON_11) X(MON_12) X(ABMON_1) X(ABMON_2) X(ABMON_3) \
    X(ABMON_4) X(ABMON_5) X(ABMON_6) X(ABMON_7) X(ABMON_8) X(ABMON_9) X(ABMON_10) X(ABMON_11) X(ABMON_12) X(RADIXCHAR) X(THOUSEP) X(YESEXPR) X(NOEXPR) \
    X(CRNCYSTR) X(D_FMT) X(D_T_FMT) X(T_FMT) X(AM_STR) X(PM_STR) X(CODESET) X(T_FMT_AMPM) X(ERA) X(ERA_D_FMT) X(ERA_D_T_FMT) X(ERA_T_FMT) \
    X(ALT_DIGITS) X(_DATE_FMT)

static const struct {
    const char *name;
    nl_item item;
} langinfo[] = {
#define LANGINFO_ENTRY(name) { #name, name },
    LANGINFO(LANGINFO_ENTRY)
#undef LANGINFO_ENTRY
};

/* The digits from 0 to 99, as far as the locale has its own: the C library ends each by a NUL, Python separates them by semicolons. */
static char *joined_digits(const char *digits)
{
    size_t size = 0;
    for (int i = 0; i < 100 && digits[size]; i++)
        size += strlen(digits + size) + 1;
    char *joined = malloc(size + 1);
    if (!joined)
        return NULL;
    memcpy(joined, digits, size);
    for (size_t i = 0; i + 1 < size; i++)
        if (!joined[i])
            joined[i] = ';';
    joined[size] = 0;
    return joined;
}

static Value locale_nl_langinfo(Value module, Value *a)
{
    int32_t key;
    if (!ty_to_int32(a[0], &key))
        return TY_NULL;
    for (size_t i = 0; i < sizeof langinfo / sizeof *langinfo; i++)
        if (langinfo[i].item == key) {
            ty_mutex_lock(&library);
            const char *text = nl_langinfo(key);
            char *copy = key == ALT_DIGITS && text && *text ? joined_digits(text) : copied(text ? text : "");
            ty_mutex_unlock(&library);
            return copy ? take(copy) : ty_raise_memory_error();
        }
    return ty_raise(&ty_ValueError, "unsupported langinfo constant");
}

static Value locale_getencoding(Value module, Value *a) { return ty_str_from_text("UTF-8"); }

/* --- messages ---------------------------------------------------------------------------------------------------------------- */

static Value locale_gettext(Value module, Value *a)
{
    const char *message = argument(a[0], "gettext", "1", false);
    return message ? text_of(gettext(message)) : TY_NULL;
}

static Value locale_dgettext(Value module, Value *a)
{
    const char *domain = argument(a[0], "dgettext", "1", true), *message = ty_raised() ? NULL : argument(a[1], "dgettext", "2", false);
    return message ? text_of(dgettext(domain, message)) : TY_NULL;
}

static Value locale_dcgettext(Value module, Value *a)
{
    int32_t category;
    const char *domain = argument(a[0], "dcgettext", "1", true), *message = ty_raised() ? NULL : argument(a[1], "dcgettext", "2", false);
    return message && ty_to_int32(a[2], &category) ? text_of(dcgettext(domain, message, category)) : TY_NULL;
}

/* What textdomain() and its like answer: a name, or an error of the system. */
static Value answer(const char *text)
{
    int number = errno;
    return text ? text_of(text) : ty_raise_errno(&ty_OSError, number, TY_NULL, TY_NULL);
}

static Value locale_textdomain(Value module, Value *a)
{
    const char *domain = argument(a[0], "textdomain", "1", true);
    if (ty_raised())
        return TY_NULL;
    errno = 0;
    return answer(textdomain(domain));
}

static Value locale_bindtextdomain(Value module, Value *a)
{
    const char *domain = argument(a[0], "bindtextdomain", "1", false);
    if (!domain)
        return TY_NULL;
    if (!*domain)
        return fail(module, "domain must be a non-empty string");
    const char *folder = argument(a[1], "bindtextdomain", "2", true);
    if (ty_raised())
        return TY_NULL;
    errno = 0;
    return answer(bindtextdomain(domain, folder));
}

static Value locale_bind_textdomain_codeset(Value module, Value *a)
{
    const char *domain = argument(a[0], "bind_textdomain_codeset", "1", false);
    const char *codeset = domain ? argument(a[1], "bind_textdomain_codeset", "2", true) : NULL;
    if (ty_raised())
        return TY_NULL;
    const char *now = bind_textdomain_codeset(domain, codeset);
    return now ? text_of(now) : TY_NONE;
}

/* --- the module ---------------------------------------------------------------------------------------------------------------- */

/* The user's character type; a bare "C" becomes the one with UTF-8, which is how this program encodes. */
static void take_over_characters(void)
{
    static bool done;
    ty_mutex_lock(&library);
    if (!done) {
        const char *name = setlocale(LC_CTYPE, "");
        if (!name || !strcmp(name, "C") || !strcmp(name, "POSIX"))
            setlocale(LC_CTYPE, "C.UTF-8");
        done = true;
    }
    ty_mutex_unlock(&library);
}

static bool execute(Value module)
{
    static const struct {
        const char *name;
        int number;
    } categories[] = { { "LC_CTYPE", LC_CTYPE }, { "LC_TIME", LC_TIME }, { "LC_COLLATE", LC_COLLATE }, { "LC_MONETARY", LC_MONETARY }, { "LC_MESSAGES", LC_MESSAGES },
                       { "LC_NUMERIC", LC_NUMERIC }, { "LC_ALL", LC_ALL }, { "CHAR_MAX", CHAR_MAX } };
    take_over_characters();
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (!ty_module_add_int(module, categories[i].name, categories[i].number))
            return false;
    for (size_t i = 0; i < sizeof langinfo / sizeof *langinfo; i++)
        if (!ty_module_add_int(module, langinfo[i].name, langinfo[i].item))
            return false;
    Value error = ty_type_from_name("locale.Error", &ty_Exception, TY_NULL);
    if (error == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[ERROR_CLASS], error);
    return ty_module_add(module, "Error", error);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("setlocale(category, locale=None, /)", locale_setlocale, "Chooses a locale for the category, or tells which one it has."),
    TY_FUNCTION("localeconv()", locale_localeconv, "How numbers and amounts of money are written in the current locale."),
    TY_FUNCTION("strcoll(os1, os2, /)", locale_strcoll, "Compares two strings as the locale orders them."),
    TY_FUNCTION("strxfrm(string, /)", locale_strxfrm, "A key that orders strings as the locale does."),
    TY_FUNCTION("nl_langinfo(key, /)", locale_nl_langinfo, "What the locale says for the key."),
    TY_FUNCTION("getencoding()", locale_getencoding, "The encoding of the locale."),
    TY_FUNCTION("gettext(msg, /)", locale_gettext, "The translation of msg in the current domain."),
    TY_FUNCTION("dgettext(domain, msg, /)", locale_dgettext, "The translation of msg in the domain."),
    TY_FUNCTION("dcgettext(domain, msg, category, /)", locale_dcgettext, "The translation of msg in the domain and category."),
    TY_FUNCTION("textdomain(domain, /)", locale_textdomain, "Makes the domain the current one, and gives its name."),
    TY_FUNCTION("bindtextdomain(domain, dir, /)", locale_bindtextdomain, "Says in which folder the domain's translations are."),
    TY_FUNCTION("bind_textdomain_codeset(domain, codeset, /)", locale_bind_textdomain_codeset, "Says how the domain's translations are to be encoded."),
    {0},
};

const TyModuleDef ty_module__locale = {
    .name = "_locale", .doc = "The C library's locales.", .functions = functions, .execute = execute, .state_count = STATE_COUNT,
};
