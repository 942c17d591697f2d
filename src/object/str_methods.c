/* str as Python sees it: the methods, the constructor, the iterator and the type. */
#include "object/bytes.h"
#include "object/codec.h"
#include "object/dict.h"
#include "object/format.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/slice.h"
#include "object/str_parts.h"
#include "object/tuple.h"

/* --- arguments ------------------------------------------------------------------------------------------------------- */

bool ty_slice_bounds(Value start_value, Value end_value, int64_t length, int64_t *start, int64_t *end)
{
    *start = 0;
    *end = INT64_MAX;
    if (start_value != TY_NULL && start_value != TY_NONE && !ty_slice_index(start_value, start))
        return false;
    if (end_value != TY_NULL && end_value != TY_NONE && !ty_slice_index(end_value, end))
        return false;
    if (*end > length)
        *end = length;
    else if (*end < 0)
        *end = TY_MAX(*end + length, 0);
    if (*start < 0)
        *start = TY_MAX(*start + length, 0);
    return true;
}

static bool require_str(Value v, const char *where)
{
    if (TY_LIKELY(ty_is_str(v)))
        return true;
    ty_raise(&ty_TypeError, "%s must be str, not %T", where, v);
    return false;
}

/* --- finding ----------------------------------------------------------------------------------------------------------- */

/* a: sub, start, end. -1: none; -2: error. */
static int64_t find(Value self, Value *a, const char *where, int direction)
{
    int64_t start, end, length = ty_str_length(self);
    if (!require_str(a[0], where) || !ty_slice_bounds(a[1], a[2], length, &start, &end))
        return -2;
    if (start > end)
        return -1;
    return ty_str_find(self, a[0], start, end, direction);
}

static Value found(int64_t at) { return at == -2 ? TY_NULL : ty_int_from_int64(at); }
static Value found_or_raise(int64_t at)
{
    return at == -1 ? ty_raise(&ty_ValueError, "substring not found") : found(at);
}

static Value str_find(Value self, Value *a) { return found(find(self, a, "find() argument 1", 1)); }
static Value str_rfind(Value self, Value *a) { return found(find(self, a, "rfind() argument 1", -1)); }
static Value str_index(Value self, Value *a) { return found_or_raise(find(self, a, "index() argument 1", 1)); }
static Value str_rindex(Value self, Value *a) { return found_or_raise(find(self, a, "rindex() argument 1", -1)); }

static Value str_count(Value self, Value *a)
{
    int64_t start, end, length = ty_str_length(self), count = 0;
    if (!require_str(a[0], "count() argument 1") || !ty_slice_bounds(a[1], a[2], length, &start, &end))
        return TY_NULL;
    int64_t m = ty_str_length(a[0]);
    if (start > end || end - start < m)
        return ty_int_from_int64(0);
    if (m == 0)
        return ty_int_from_int64(end - start + 1);
    int width = ty_str_width(self);
    if (ty_str_width(a[0]) == width) {
        count = ty_count(ty_str_data(self) + start * width, end - start, ty_str_data(a[0]), m, width, INT64_MAX);
    } else {
        while (start <= end) {
            int64_t at = ty_str_find(self, a[0], start, end, 1);
            if (at == -2)
                return TY_NULL;
            if (at < 0)
                break;
            count++;
            start = at + m;
        }
    }
    return ty_int_from_int64(count);
}

static bool matches_at(Value self, Value part, int64_t at)
{
    int width = ty_str_width(self), part_width = ty_str_width(part);
    int64_t m = ty_str_length(part);
    const uint8_t *text = ty_str_data(self) + at * width;
    if (width == part_width)
        return memcmp(text, ty_str_data(part), (size_t)(m * width)) == 0;
    if (part_width > width)
        return m == 0;
    for (int64_t i = 0; i < m; i++)
        if (ty_char_at(text, width, i) != ty_str_at(part, i))
            return false;
    return true;
}

static Value tail_match(Value self, Value *a, const char *name, bool at_end)
{
    int64_t start, end, length = ty_str_length(self);
    if (!ty_slice_bounds(a[1], a[2], length, &start, &end))
        return TY_NULL;
    bool many = ty_is_tuple(a[0]);
    int64_t count = many ? ty_tuple_length(a[0]) : 1;
    for (int64_t i = 0; i < count; i++) {
        Value part = many ? ty_tuple_item(a[0], i) : a[0];
        if (!ty_is_str(part)) {
            if (many)
                return ty_raise(&ty_TypeError, "tuple for %s must only contain str, not %T", name, part);
            return ty_raise(&ty_TypeError, "%s first arg must be str or a tuple of str, not %T", name, part);
        }
        int64_t m = ty_str_length(part);
        if (start <= end && end - start >= m && matches_at(self, part, at_end ? end - m : start))
            return TY_TRUE;
    }
    return TY_FALSE;
}

static Value str_startswith(Value self, Value *a) { return tail_match(self, a, "startswith", false); }
static Value str_endswith(Value self, Value *a) { return tail_match(self, a, "endswith", true); }

static Value str_removeprefix(Value self, Value *a)
{
    if (!require_str(a[0], "removeprefix() argument"))
        return TY_NULL;
    int64_t length = ty_str_length(self), m = ty_str_length(a[0]);
    if (m <= length && matches_at(self, a[0], 0))
        return ty_str_slice(self, m, length);
    return ty_str_exact(self);
}

static Value str_removesuffix(Value self, Value *a)
{
    if (!require_str(a[0], "removesuffix() argument"))
        return TY_NULL;
    int64_t length = ty_str_length(self), m = ty_str_length(a[0]);
    if (m > 0 && m <= length && matches_at(self, a[0], length - m))
        return ty_str_slice(self, 0, length - m);
    return ty_str_exact(self);
}

static Value str_replace(Value self, Value *a)
{
    int64_t count = -1;
    if (!require_str(a[0], "replace() argument 1") || !require_str(a[1], "replace() argument 2"))
        return TY_NULL;
    if (a[2] != TY_NULL && !ty_to_size(a[2], &count))
        return TY_NULL;
    return ty_str_replace(self, a[0], a[1], count);
}

/* --- splitting ----------------------------------------------------------------------------------------------------------- */

TY_INLINE bool is_space(uint32_t c)
{
    if (c < 128)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
    return ty_unicode_is_space(c);
}

static bool append_slice(Value list, Value self, int64_t start, int64_t end)
{
    Value part = ty_str_slice(self, start, end);
    return part != TY_NULL && ty_list_append(list, part);
}

TY_INLINE bool split_spaces(Value list, Value self, int64_t limit, int width)
{
    int64_t length = ty_str_length(self), i = 0;
    const uint8_t *data = ty_str_data(self);
    for (;;) {
        while (i < length && is_space(ty_char_at(data, width, i)))
            i++;
        if (i >= length)
            return true;
        int64_t start = i;
        if (limit-- == 0) {
            return append_slice(list, self, start, length);
        }
        while (i < length && !is_space(ty_char_at(data, width, i)))
            i++;
        if (!append_slice(list, self, start, i))
            return false;
    }
}

static bool rsplit_spaces(Value list, Value self, int64_t limit)
{
    int64_t i = ty_str_length(self);
    for (;;) {
        while (i > 0 && is_space(ty_str_at(self, i - 1)))
            i--;
        if (i <= 0)
            return true;
        int64_t end = i;
        if (limit-- == 0)
            return append_slice(list, self, 0, end);
        while (i > 0 && !is_space(ty_str_at(self, i - 1)))
            i--;
        if (!append_slice(list, self, i, end))
            return false;
    }
}

static bool split_by(Value list, Value self, Value separator, int64_t limit)
{
    int64_t length = ty_str_length(self), m = ty_str_length(separator), start = 0;
    uint32_t single = m == 1 ? ty_str_at(separator, 0) : 0;
    while (limit-- != 0) {
        int64_t at = m == 1 ? ty_str_find_char(self, single, start, length, 1) : ty_str_find(self, separator, start, length, 1);
        if (at == -2)
            return false;
        if (at < 0)
            break;
        if (!append_slice(list, self, start, at))
            return false;
        start = at + m;
    }
    return append_slice(list, self, start, length);
}

static bool rsplit_by(Value list, Value self, Value separator, int64_t limit)
{
    int64_t m = ty_str_length(separator), end = ty_str_length(self);
    while (limit-- != 0) {
        int64_t at = ty_str_find(self, separator, 0, end, -1);
        if (at == -2)
            return false;
        if (at < 0)
            break;
        if (!append_slice(list, self, at + m, end))
            return false;
        end = at;
    }
    return append_slice(list, self, 0, end);
}

/* a: sep, maxsplit. A negative limit counts down past every split that memory has room for. */
static bool split_arguments(Value *a, Value *separator, int64_t *limit)
{
    *separator = a[0] == TY_NONE ? TY_NULL : a[0];
    *limit = -1;
    if (a[1] != TY_NULL && !ty_to_size(a[1], limit))
        return false;
    if (*limit < 0)
        *limit = INT64_MAX;
    if (*separator == TY_NULL)
        return true;
    if (!ty_is_str(*separator)) {
        ty_raise(&ty_TypeError, "must be str or None, not %T", *separator);
        return false;
    }
    if (ty_str_length(*separator) == 0) {
        ty_raise(&ty_ValueError, "empty separator");
        return false;
    }
    return true;
}

static Value str_split(Value self, Value *a)
{
    Value separator;
    int64_t limit;
    if (!split_arguments(a, &separator, &limit))
        return TY_NULL;
    Value list = ty_list_new(0);
    if (list == TY_NULL)
        return TY_NULL;
    bool done;
    if (separator != TY_NULL) {
        done = split_by(list, self, separator, limit);
    } else {
        int width = ty_str_width(self);
        done = width == 1 ? split_spaces(list, self, limit, 1)
                          : width == 2 ? split_spaces(list, self, limit, 2) : split_spaces(list, self, limit, 4);
    }
    return done ? list : TY_NULL;
}

static Value str_rsplit(Value self, Value *a)
{
    Value separator;
    int64_t limit;
    if (!split_arguments(a, &separator, &limit))
        return TY_NULL;
    Value list = ty_list_new(0);
    if (list == TY_NULL)
        return TY_NULL;
    bool done = separator != TY_NULL ? rsplit_by(list, self, separator, limit) : rsplit_spaces(list, self, limit);
    return done && ty_list_reverse(list) ? list : TY_NULL;
}

/* The line ends below U+0100, a bit each: \n \v \f \r, the separators 1C to 1E, and 85. */
static const uint32_t LATIN1_LINE[8] = {0x70003C00, 0, 0, 0, 0x20, 0, 0, 0};

static Value str_splitlines(Value self, Value *a)
{
    bool keep = false;
    if (a[0] != TY_NULL && !ty_to_bool(a[0], &keep))
        return TY_NULL;
    Value list = ty_list_new(0);
    int64_t length = ty_str_length(self);
    const uint8_t *data = ty_str_data(self);
    int width = ty_str_width(self);
    for (int64_t i = 0, start = 0; list != TY_NULL && i < length; start = i) {
        if (width == 1)
            while (i < length && (LATIN1_LINE[data[i] >> 5] >> (data[i] & 31) & 1) == 0)
                i++;
        else
            while (i < length && !ty_unicode_is_linebreak(ty_char_at(data, width, i)))
                i++;
        int64_t end = i;
        if (i < length)
            i += ty_char_at(data, width, i) == '\r' && i + 1 < length && ty_char_at(data, width, i + 1) == '\n' ? 2 : 1;
        if (!append_slice(list, self, start, keep ? i : end))
            return TY_NULL;
    }
    return list;
}

static Value partition(Value self, Value separator, int direction)
{
    if (!ty_is_str(separator))
        return ty_raise(&ty_TypeError, "must be str, not %T", separator);
    int64_t m = ty_str_length(separator), length = ty_str_length(self);
    if (m == 0)
        return ty_raise(&ty_ValueError, "empty separator");
    int64_t at = ty_str_find(self, separator, 0, length, direction);
    if (at == -2)
        return TY_NULL;
    if (at < 0) {
        Value whole = ty_str_exact(self), none = ty_str_empty();
        return direction > 0 ? ty_tuple_pack(3, whole, none, none) : ty_tuple_pack(3, none, none, whole);
    }
    Value before = ty_str_slice(self, 0, at), after = ty_str_slice(self, at + m, length);
    return ty_tuple_pack(3, before, separator, after);
}

static Value str_partition(Value self, Value *a) { return partition(self, a[0], 1); }
static Value str_rpartition(Value self, Value *a) { return partition(self, a[0], -1); }
static Value str_join(Value self, Value *a) { return ty_str_join(self, a[0]); }

/* --- stripping and padding --------------------------------------------------------------------------------------------------- */

static Value strip(Value self, Value chars, const char *name, bool left, bool right)
{
    int64_t start = 0, end = ty_str_length(self);
    if (chars == TY_NULL || chars == TY_NONE) {
        while (left && start < end && is_space(ty_str_at(self, start)))
            start++;
        while (right && end > start && is_space(ty_str_at(self, end - 1)))
            end--;
        return ty_str_slice(self, start, end);
    }
    if (!ty_is_str(chars))
        return ty_raise(&ty_TypeError, "%s arg must be None or str", name);
    int64_t count = ty_str_length(chars);
    while (left && start < end && ty_str_find_char(chars, ty_str_at(self, start), 0, count, 1) >= 0)
        start++;
    while (right && end > start && ty_str_find_char(chars, ty_str_at(self, end - 1), 0, count, 1) >= 0)
        end--;
    return ty_str_slice(self, start, end);
}

static Value str_strip(Value self, Value *a) { return strip(self, a[0], "strip", true, true); }
static Value str_lstrip(Value self, Value *a) { return strip(self, a[0], "lstrip", true, false); }
static Value str_rstrip(Value self, Value *a) { return strip(self, a[0], "rstrip", false, true); }

static Value pad(Value self, int64_t left, int64_t right, uint32_t fill)
{
    left = TY_MAX(left, 0);
    right = TY_MAX(right, 0);
    if (left == 0 && right == 0)
        return ty_str_exact(self);
    int64_t length = ty_str_length(self);
    if (left > INT64_MAX - length || right > INT64_MAX - length - left)
        return ty_raise(&ty_OverflowError, "padded string is too long");
    uint32_t range = TY_MAX(length ? ty_str_range(self) : 0, fill);
    Value v = ty_str_allocate(left + length + right, range);
    if (v == TY_NULL)
        return TY_NULL;
    int width = ty_max_char_width(range);
    uint8_t *out = ty_str_fill(v);
    ty_fill_chars(out, width, fill, left);
    ty_copy_chars(out + left * width, width, ty_str_data(self), ty_str_width(self), length);
    ty_fill_chars(out + (left + length) * width, width, fill, right);
    return left + length + right == 1 ? ty_str_from_chars(out, width, 1) : v;
}

/* a: width, fillchar */
static bool pad_arguments(Value self, Value *a, int64_t *missing, uint32_t *fill)
{
    *fill = ' ';
    if (!ty_to_size(a[0], missing))
        return false;
    if (a[1] != TY_NULL) {
        if (!ty_is_str(a[1])) {
            ty_raise(&ty_TypeError, "The fill character must be a unicode character, not %T", a[1]);
            return false;
        }
        if (ty_str_length(a[1]) != 1) {
            ty_raise(&ty_TypeError, "The fill character must be exactly one character long");
            return false;
        }
        *fill = ty_str_at(a[1], 0);
    }
    *missing = *missing > ty_str_length(self) ? *missing - ty_str_length(self) : 0;
    return true;
}

static Value str_ljust(Value self, Value *a)
{
    int64_t missing;
    uint32_t fill;
    return pad_arguments(self, a, &missing, &fill) ? pad(self, 0, missing, fill) : TY_NULL;
}

static Value str_rjust(Value self, Value *a)
{
    int64_t missing;
    uint32_t fill;
    return pad_arguments(self, a, &missing, &fill) ? pad(self, missing, 0, fill) : TY_NULL;
}

static Value str_center(Value self, Value *a)
{
    int64_t missing;
    uint32_t fill;
    if (!pad_arguments(self, a, &missing, &fill))
        return TY_NULL;
    int64_t left = missing / 2 + (missing & (missing + ty_str_length(self)) & 1);
    return pad(self, left, missing - left, fill);
}

static Value str_zfill(Value self, Value *a)
{
    int64_t width;
    if (!ty_to_size(a[0], &width))
        return TY_NULL;
    int64_t length = ty_str_length(self);
    if (width <= length)
        return ty_str_exact(self);
    Value v = pad(self, width - length, 0, '0');
    if (v == TY_NULL || length == 0)
        return v;
    uint32_t sign = ty_str_at(self, 0);
    if (sign == '+' || sign == '-') {
        int w = ty_str_width(v);
        ty_fill_chars(ty_str_fill(v), w, sign, 1);
        ty_fill_chars(ty_str_fill(v) + (width - length) * w, w, '0', 1);
    }
    return v;
}

static Value str_expandtabs(Value self, Value *a)
{
    int32_t size = 8;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &size))
        return TY_NULL;
    int64_t length = ty_str_length(self), column = 0, plain = 0;
    if (ty_str_find_char(self, '\t', 0, length, 1) < 0)
        return ty_str_exact(self);
    TyStrBuilder b = {0};
    Value space = ty_str_from_char(' ');
    for (int64_t i = 0; i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(self, i);
        if (c != '\t') {
            column = c == '\n' || c == '\r' ? 0 : column + 1;
            continue;
        }
        ty_builder_add_slice(&b, self, plain, i);
        plain = i + 1;
        if (size > 0) {
            int64_t gap = size - column % size;
            if (gap > INT64_MAX / 16 - b.length) /* more than any memory */
                return ty_raise(&ty_OverflowError, "new string is too long");
            Value spaces = ty_str_repeat(space, gap);
            if (spaces == TY_NULL)
                return TY_NULL;
            ty_builder_add(&b, spaces);
            column += gap;
        }
    }
    ty_builder_add_slice(&b, self, plain, length);
    return ty_builder_finish(&b);
}

/* --- case -------------------------------------------------------------------------------------------------------------------- */

static uint32_t char_at(const void *text, size_t index) { return ty_str_at(*(const Value *)text, (int64_t)index); }

static void add_mapped(TyStrBuilder *b, int (*map)(uint32_t, uint32_t[3]), uint32_t c)
{
    uint32_t mapped[3];
    int count = map(c, mapped);
    for (int i = 0; i < count; i++)
        ty_builder_add_char(b, mapped[i]);
}

TY_INLINE uint8_t ascii_lower(uint8_t c) { return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 32 : 0)); }
TY_INLINE uint8_t ascii_upper(uint8_t c) { return (uint8_t)(c - ((uint8_t)(c - 'a') < 26 ? 32 : 0)); }

static void add_lower(TyStrBuilder *b, Value self, int64_t i, uint32_t c)
{
    if (c < 0x80)
        ty_builder_add_char(b, ascii_lower((uint8_t)c));
    else if (c == 0x3A3)
        ty_builder_add_char(b, ty_unicode_is_final_sigma(char_at, &self, (size_t)ty_str_length(self), (size_t)i) ? 0x3C2 : 0x3C3);
    else
        add_mapped(b, ty_unicode_full_lower, c);
}

/* Both directions for text that is all ASCII; TY_NULL without an exception: not such a text. */
static Value ascii_case(Value self, bool lower)
{
    int64_t length = ty_str_length(self);
    if (!ty_str_is_ascii(self))
        return TY_NULL;
    const uint8_t *data = ty_str_data(self);
    if (length <= 1)
        return length == 0 ? ty_str_empty() : ty_str_from_char(lower ? ascii_lower(*data) : ascii_upper(*data));
    Value v = ty_str_allocate(length, 0x7F);
    if (v == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_str_fill(v);
    if (lower)
        for (int64_t i = 0; i < length; i++)
            out[i] = ascii_lower(data[i]);
    else
        for (int64_t i = 0; i < length; i++)
            out[i] = ascii_upper(data[i]);
    return v;
}

static Value str_lower(Value self, Value *a)
{
    Value quick = ascii_case(self, true);
    if (quick != TY_NULL || ty_str_is_ascii(self))
        return quick;
    TyStrBuilder b = {0};
    for (int64_t i = 0, length = ty_str_length(self); i < length && !b.failed; i++)
        add_lower(&b, self, i, ty_str_at(self, i));
    return ty_builder_finish(&b);
}

/* `ascii` does for an ASCII character what `map` would. */
TY_INLINE Value map_all(Value self, uint8_t (*ascii)(uint8_t), int (*map)(uint32_t, uint32_t[3]))
{
    TyStrBuilder b = {0};
    for (int64_t i = 0, length = ty_str_length(self); i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(self, i);
        if (c < 0x80)
            ty_builder_add_char(&b, ascii((uint8_t)c));
        else
            add_mapped(&b, map, c);
    }
    return ty_builder_finish(&b);
}

static Value str_upper(Value self, Value *a)
{
    Value quick = ascii_case(self, false);
    return quick != TY_NULL || ty_str_is_ascii(self) ? quick : map_all(self, ascii_upper, ty_unicode_full_upper);
}

static Value str_casefold(Value self, Value *a)
{
    Value quick = ascii_case(self, true);
    return quick != TY_NULL || ty_str_is_ascii(self) ? quick : map_all(self, ascii_lower, ty_unicode_full_fold);
}

static Value str_capitalize(Value self, Value *a)
{
    TyStrBuilder b = {0};
    int64_t length = ty_str_length(self);
    if (length > 0)
        add_mapped(&b, ty_unicode_full_title, ty_str_at(self, 0));
    for (int64_t i = 1; i < length && !b.failed; i++)
        add_lower(&b, self, i, ty_str_at(self, i));
    return ty_builder_finish(&b);
}

static Value str_title(Value self, Value *a)
{
    TyStrBuilder b = {0};
    bool after_cased = false;
    for (int64_t i = 0, length = ty_str_length(self); i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(self, i);
        if (after_cased)
            add_lower(&b, self, i, c);
        else if (c < 0x80)
            ty_builder_add_char(&b, ascii_upper((uint8_t)c));
        else
            add_mapped(&b, ty_unicode_full_title, c);
        after_cased = c < 0x80 ? (uint8_t)((c | 32) - 'a') < 26 : ty_unicode_is_cased(c);
    }
    return ty_builder_finish(&b);
}

static Value str_swapcase(Value self, Value *a)
{
    TyStrBuilder b = {0};
    for (int64_t i = 0, length = ty_str_length(self); i < length && !b.failed; i++) {
        uint32_t c = ty_str_at(self, i);
        if (ty_unicode_is_upper(c))
            add_lower(&b, self, i, c);
        else if (ty_unicode_is_lower(c))
            add_mapped(&b, ty_unicode_full_upper, c);
        else
            ty_builder_add_char(&b, c);
    }
    return ty_builder_finish(&b);
}

/* --- questions ------------------------------------------------------------------------------------------------------------------ */

/* Every character has one of the properties, and there is one. */
static Value all_have(Value self, uint16_t flags)
{
    int64_t length = ty_str_length(self);
    for (int64_t i = 0; i < length; i++)
        if (!(ty_unicode_record(ty_str_at(self, i))->flags & flags))
            return TY_FALSE;
    return ty_from_bool(length > 0);
}

#define ALL_HAVE(name, flags) \
    static Value str_##name(Value self, Value *a) { return all_have(self, flags); }
ALL_HAVE(isalpha, TY_UNICODE_ALPHA)
ALL_HAVE(isalnum, TY_UNICODE_ALPHA | TY_UNICODE_DECIMAL | TY_UNICODE_DIGIT | TY_UNICODE_NUMERIC)
ALL_HAVE(isdecimal, TY_UNICODE_DECIMAL)
ALL_HAVE(isdigit, TY_UNICODE_DIGIT)
ALL_HAVE(isnumeric, TY_UNICODE_NUMERIC)
ALL_HAVE(isspace, TY_UNICODE_SPACE)

static Value str_isprintable(Value self, Value *a)
{
    return ty_str_length(self) == 0 ? TY_TRUE : all_have(self, TY_UNICODE_PRINTABLE);
}

static Value str_isascii(Value self, Value *a) { return ty_from_bool(ty_str_is_ascii(self)); }

/* Some character is cased the wanted way and none the other ways. */
static Value one_case(Value self, uint16_t wanted, uint16_t unwanted)
{
    bool any = false;
    for (int64_t i = 0, length = ty_str_length(self); i < length; i++) {
        uint16_t flags = ty_unicode_record(ty_str_at(self, i))->flags;
        if (flags & unwanted)
            return TY_FALSE;
        any |= (flags & wanted) != 0;
    }
    return ty_from_bool(any);
}

static Value str_islower(Value self, Value *a) { return one_case(self, TY_UNICODE_LOWER, TY_UNICODE_UPPER | TY_UNICODE_TITLE); }
static Value str_isupper(Value self, Value *a) { return one_case(self, TY_UNICODE_UPPER, TY_UNICODE_LOWER | TY_UNICODE_TITLE); }

static Value str_istitle(Value self, Value *a)
{
    bool any = false, after_cased = false;
    for (int64_t i = 0, length = ty_str_length(self); i < length; i++) {
        uint16_t flags = ty_unicode_record(ty_str_at(self, i))->flags;
        if (flags & (TY_UNICODE_UPPER | TY_UNICODE_TITLE)) {
            if (after_cased)
                return TY_FALSE;
            after_cased = any = true;
        } else if (flags & TY_UNICODE_LOWER) {
            if (!after_cased)
                return TY_FALSE;
            any = true;
        } else {
            after_cased = false;
        }
    }
    return ty_from_bool(any);
}

static Value str_isidentifier(Value self, Value *a)
{
    int64_t length = ty_str_length(self);
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = ty_str_at(self, i);
        if (c != '_' && !(i == 0 ? ty_unicode_is_xid_start(c) : ty_unicode_is_xid_continue(c)))
            return TY_FALSE;
    }
    return ty_from_bool(length > 0);
}

/* --- translate -------------------------------------------------------------------------------------------------------------------- */

/* What the table makes of a character: None to drop it, a str, or an int; TY_NULL with an exception. */
static Value translation(Value table, uint32_t c)
{
    Value key = ty_from_immediate_int(c);
    Value mapped = ty_get_item(table, key);
    if (mapped == TY_NULL) {
        if (!ty_raised_is(&ty_LookupError))
            return TY_NULL;
        ty_clear_exception();
        return key;
    }
    if (ty_is_int(mapped)) {
        int64_t code;
        if (ty_int_get_int64(mapped, &code) != 0 || code < 0 || code > 0x10FFFF)
            return ty_raise(&ty_ValueError, "character mapping must be in range(0x110000)");
        return ty_from_immediate_int(code);
    }
    if (mapped != TY_NONE && !ty_is_str(mapped))
        return ty_raise(&ty_TypeError, "character mapping must return integer, None or str");
    return mapped;
}

/* The translation of a character, asked of the table once for each ASCII character. */
TY_INLINE Value known_translation(Value known[128], Value table, uint32_t c)
{
    if (c < 128 && TY_LIKELY(known[c] != TY_NULL))
        return known[c];
    Value mapped = translation(table, c);
    if (c < 128)
        known[c] = mapped;
    return mapped;
}

/* Translates ASCII text as long as ASCII characters come of it, into `out`; how far it came, or -1. */
static int64_t translate_ascii(Value self, Value table, Value known[128], uint8_t *out)
{
    int64_t length = ty_str_length(self);
    uint8_t direct[128]; /* FF: not asked yet, or no ASCII character */
    memset(direct, 0xFF, sizeof direct);
    const uint8_t *data = ty_str_data(self);
    for (int64_t i = 0; i < length; i++) {
        uint8_t c = data[i];
        if (TY_UNLIKELY(direct[c] == 0xFF)) {
            Value mapped = known_translation(known, table, c);
            if (mapped == TY_NULL)
                return -1;
            if (!ty_is_immediate_int(mapped) || ty_immediate_int(mapped) >= 0x80)
                return i;
            direct[c] = (uint8_t)ty_immediate_int(mapped);
        }
        out[i] = direct[c];
    }
    return length;
}

static Value str_translate(Value self, Value *a)
{
    Value known[128] = {TY_NULL};
    TyStrBuilder b = {0};
    if (ty_type_of(a[0])->slots.get_item == NULL)
        return ty_raise(&ty_TypeError, "'%T' object is not subscriptable", a[0]);
    int64_t length = ty_str_length(self), done = 0;
    if (length > 1 && ty_str_is_ascii(self)) {
        Value plain = ty_str_allocate(length, 0x7F);
        if (plain == TY_NULL)
            return TY_NULL;
        done = translate_ascii(self, a[0], known, ty_str_fill(plain));
        if (done < 0 || done == length)
            return done < 0 ? TY_NULL : plain;
        ty_builder_add_ascii(&b, (const char *)ty_str_fill(plain), (size_t)done);
    }
    for (int64_t i = done; i < length && !b.failed; i++) {
        Value mapped = known_translation(known, a[0], ty_str_at(self, i));
        if (mapped == TY_NULL)
            return TY_NULL;
        if (ty_is_immediate_int(mapped))
            ty_builder_add_char(&b, (uint32_t)ty_immediate_int(mapped));
        else if (mapped != TY_NONE)
            ty_builder_add(&b, mapped);
    }
    return ty_builder_finish(&b);
}

static Value maketrans_dict(Value source)
{
    if (!ty_is_exact_dict(source))
        return ty_raise(&ty_TypeError, "if you give only one argument to maketrans it must be a dict");
    Value result = ty_dict_new(), key, value;
    int64_t position = 0;
    while (result != TY_NULL && ty_dict_next(source, &position, &key, &value)) {
        if (ty_is_str(key)) {
            if (ty_str_length(key) != 1)
                return ty_raise(&ty_ValueError, "string keys in translatetable must be of length 1");
            key = ty_from_immediate_int(ty_str_at(key, 0));
        } else if (!ty_is_int(key)) {
            return ty_raise(&ty_TypeError, "keys in translate table mustbe strings or integers");
        }
        if (!ty_dict_set(result, key, value))
            return TY_NULL;
    }
    return result;
}

static Value str_maketrans(Value self, Value *a)
{
    if (a[1] == TY_NULL)
        return maketrans_dict(a[0]);
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "first maketrans argument must be a string if there is a second argument");
    if (!require_str(a[1], "maketrans() argument 2") || (a[2] != TY_NULL && !require_str(a[2], "maketrans() argument 3")))
        return TY_NULL;
    int64_t length = ty_str_length(a[0]);
    if (length != ty_str_length(a[1]))
        return ty_raise(&ty_ValueError, "the first two maketrans arguments must have equal length");
    Value result = ty_dict_new();
    if (result == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < length; i++)
        if (!ty_dict_set(result, ty_from_immediate_int(ty_str_at(a[0], i)), ty_from_immediate_int(ty_str_at(a[1], i))))
            return TY_NULL;
    for (int64_t i = 0; a[2] != TY_NULL && i < ty_str_length(a[2]); i++)
        if (!ty_dict_set(result, ty_from_immediate_int(ty_str_at(a[2], i)), TY_NONE))
            return TY_NULL;
    return result;
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------ */

static Value str_encode(Value self, Value *a)
{
    if (a[0] != TY_NULL && !require_str(a[0], "encode() argument 'encoding'"))
        return TY_NULL;
    if (a[1] != TY_NULL && !require_str(a[1], "encode() argument 'errors'"))
        return TY_NULL;
    if (a[0] == TY_NULL && a[1] == TY_NULL)
        return ty_str_encode_utf8(self, NULL);
    return ty_codec_encode_str(self, a[0], a[1]);
}

static Value str_format_map(Value self, Value *a) { return ty_str_format_map(self, a[0]); }

static Value str_format_spec(Value self, Value *a)
{
    if (!require_str(a[0], "__format__() argument"))
        return TY_NULL;
    if (ty_str_length(a[0]) == 0)
        return ty_is_exact_str(self) ? self : ty_str(self);
    return ty_format_str(self, a[0]);
}

static Value str_sizeof(Value self, Value *a)
{
    return ty_int_from_int64((int64_t)sizeof(TyStr) + (ty_str_length(self) + 1) * ty_str_width(self));
}

static Value str_getnewargs(Value self, Value *a)
{
    Value copy = ty_str_from_chars(ty_str_data(self), ty_str_width(self), ty_str_length(self));
    return ty_tuple_pack(1, copy);
}

const TyNativeDef ty_str_methods[] = {
    TY_METHOD("encode(self, /, encoding='utf-8', errors='strict')", str_encode,
              "The text as bytes in the encoding.\n\n  errors\n    What to do about characters that have no encoding: 'strict' raises\n"
              "    UnicodeEncodeError; 'ignore', 'replace', 'xmlcharrefreplace' and every other\n    name known to codecs.register_error work as well."),
    TY_METHOD("replace(self, old, new, /, count=-1)", str_replace,
              "A copy with old replaced by new, everywhere or in the first count places."),
    TY_METHOD("split(self, /, sep=None, maxsplit=-1)", str_split,
              "The list of what stands between the separators, by default runs of whitespace.\n\nAt most maxsplit splits are made, from the left."),
    TY_METHOD("rsplit(self, /, sep=None, maxsplit=-1)", str_rsplit,
              "The list of what stands between the separators, by default runs of whitespace.\n\nAt most maxsplit splits are made, from the right."),
    TY_METHOD("join(self, iterable, /)", str_join, "The strings of the iterable put together, with this one between them."),
    TY_METHOD("capitalize(self, /)", str_capitalize, "A copy whose first character is in title case and the rest in lower case."),
    TY_METHOD("casefold(self, /)", str_casefold, "A copy for comparing without regard to case."),
    TY_METHOD("title(self, /)", str_title, "A copy in which each word begins in title case and goes on in lower case."),
    TY_METHOD("center(self, width, fillchar=' ', /)", str_center, "A copy centered in a text of that width."),
    TY_METHOD("count(self, sub, start=None, end=None, /)", str_count, "How often sub occurs, without overlap, in self[start:end]."),
    TY_METHOD("expandtabs(self, /, tabsize=8)", str_expandtabs, "A copy with spaces up to the next tab stop instead of each tab."),
    TY_METHOD("find(self, sub, start=None, end=None, /)", str_find, "The first place of sub in self[start:end], or -1."),
    TY_METHOD("partition(self, sep, /)", str_partition,
              "(before, sep, after) for the first place of sep; (self, '', '') if there is none."),
    TY_METHOD("index(self, sub, start=None, end=None, /)", str_index, "As find(), but ValueError if there is no such place."),
    TY_METHOD("ljust(self, width, fillchar=' ', /)", str_ljust, "A copy at the left of a text of that width."),
    TY_METHOD("lower(self, /)", str_lower, "A copy in lower case."),
    TY_METHOD("lstrip(self, chars=None, /)", str_lstrip, "A copy without whitespace, or the characters of chars, at its start."),
    TY_METHOD("rfind(self, sub, start=None, end=None, /)", str_rfind, "The last place of sub in self[start:end], or -1."),
    TY_METHOD("rindex(self, sub, start=None, end=None, /)", str_rindex, "As rfind(), but ValueError if there is no such place."),
    TY_METHOD("rjust(self, width, fillchar=' ', /)", str_rjust, "A copy at the right of a text of that width."),
    TY_METHOD("rstrip(self, chars=None, /)", str_rstrip, "A copy without whitespace, or the characters of chars, at its end."),
    TY_METHOD("rpartition(self, sep, /)", str_rpartition,
              "(before, sep, after) for the last place of sep; ('', '', self) if there is none."),
    TY_METHOD("splitlines(self, /, keepends=False)", str_splitlines, "The list of its lines, with their ends only if keepends is true."),
    TY_METHOD("strip(self, chars=None, /)", str_strip, "A copy without whitespace, or the characters of chars, at both ends."),
    TY_METHOD("swapcase(self, /)", str_swapcase, "A copy with upper and lower case exchanged."),
    TY_METHOD("translate(self, table, /)", str_translate,
              "A copy with each character replaced by table[its ordinal]: an ordinal, a string, or None to drop it.\n\n"
              "What the table does not have (LookupError) stays."),
    TY_METHOD("upper(self, /)", str_upper, "A copy in upper case."),
    TY_METHOD("startswith(self, prefix, start=None, end=None, /)", str_startswith,
              "Whether self[start:end] begins with the prefix, or one of a tuple of them."),
    TY_METHOD("endswith(self, suffix, start=None, end=None, /)", str_endswith,
              "Whether self[start:end] ends with the suffix, or one of a tuple of them."),
    TY_METHOD("removeprefix(self, prefix, /)", str_removeprefix, "A copy without the prefix, if it is there."),
    TY_METHOD("removesuffix(self, suffix, /)", str_removesuffix, "A copy without the suffix, if it is there."),
    TY_METHOD("isascii(self, /)", str_isascii, "Whether all characters are ASCII."),
    TY_METHOD("islower(self, /)", str_islower, "Whether there are cased characters and all of them are lower case."),
    TY_METHOD("isupper(self, /)", str_isupper, "Whether there are cased characters and all of them are upper case."),
    TY_METHOD("istitle(self, /)", str_istitle, "Whether each word begins in upper or title case and goes on in lower case."),
    TY_METHOD("isspace(self, /)", str_isspace, "Whether all characters are whitespace and there is one."),
    TY_METHOD("isdecimal(self, /)", str_isdecimal, "Whether all characters are decimal digits and there is one."),
    TY_METHOD("isdigit(self, /)", str_isdigit, "Whether all characters are digits and there is one."),
    TY_METHOD("isnumeric(self, /)", str_isnumeric, "Whether all characters have numeric values and there is one."),
    TY_METHOD("isalpha(self, /)", str_isalpha, "Whether all characters are letters and there is one."),
    TY_METHOD("isalnum(self, /)", str_isalnum, "Whether all characters are letters or numeric and there is one."),
    TY_METHOD("isidentifier(self, /)", str_isidentifier, "Whether it could be a name in Python; keyword.iskeyword() tells reserved ones."),
    TY_METHOD("isprintable(self, /)", str_isprintable, "Whether all characters are printable."),
    TY_METHOD("zfill(self, width, /)", str_zfill, "A copy with zeros at the left, after a sign, up to that width."),
    TY_RAW_METHOD("format(self, /, *args, **kwargs)", ty_str_format_call,
                  "A copy with the replacement fields in braces filled from the arguments."),
    TY_METHOD("format_map(self, mapping, /)", str_format_map, "A copy with the replacement fields in braces filled from the mapping."),
    TY_METHOD("__format__(self, format_spec, /)", str_format_spec, "The string formatted as format_spec says."),
    TY_STATIC_METHOD("maketrans(x, y=None, z=None, /)", str_maketrans,
                     "A table for translate().\n\nFrom one dict: of ordinals or characters to ordinals, strings or None. From two strings of one length:\n"
                     "each character of x to that of y; the characters of a third string to None."),
    TY_METHOD("__sizeof__(self, /)", str_sizeof, "Its size in memory, in bytes."),
    TY_METHOD("__getnewargs__(self, /)", str_getnewargs, ""),
    {0},
};

/* --- slots ----------------------------------------------------------------------------------------------------------------------------- */

static Value str_str(Value self) { return ty_str_exact(self); }

static Value str_compare(Value left, Value right, int op)
{
    if (!ty_is_str(right))
        return TY_NOT_IMPLEMENTED;
    if (op == TY_EQ || op == TY_NE)
        return ty_from_bool(ty_str_equal(left, right) == (op == TY_EQ));
    int order = ty_str_compare(left, right);
    return ty_from_bool(op == TY_LT ? order < 0 : op == TY_LE ? order <= 0 : op == TY_GT ? order > 0 : order >= 0);
}

static int64_t str_length(Value self) { return ty_str_length(self); }

static Value str_item(Value self, int64_t index)
{
    if ((uint64_t)index >= (uint64_t)ty_str_length(self))
        return ty_raise(&ty_IndexError, "string index out of range");
    return ty_str_from_char(ty_str_at(self, index));
}

static Value str_get_item(Value self, Value key)
{
    if (ty_is_immediate_int(key) || (!ty_is_slice(key) && ty_has_index(key))) {
        int64_t index;
        if (!ty_subscript_index(key, &index))
            return TY_NULL;
        return str_item(self, index < 0 ? index + ty_str_length(self) : index);
    }
    if (!ty_is_slice(key))
        return ty_raise(&ty_TypeError, "string indices must be integers, not '%T'", key);
    int64_t start, stop, step;
    if (!ty_slice_unpack(key, &start, &stop, &step))
        return TY_NULL;
    int64_t count = ty_slice_adjust(ty_str_length(self), &start, &stop, step);
    if (step == 1)
        return ty_str_slice(self, start, start + count);
    if (count <= 0)
        return ty_str_empty();
    uint32_t range = 0x7F;
    if (!ty_str_is_ascii(self)) {
        for (int64_t i = 0; i < count; i++)
            range |= ty_str_at(self, start + i * step);
    }
    Value v = ty_str_allocate(count, range);
    if (v == TY_NULL)
        return TY_NULL;
    int width = ty_max_char_width(range);
    uint8_t *out = ty_str_fill(v);
    const uint8_t *data = ty_str_data(self);
    if (ty_str_width(self) == 1)
        for (int64_t i = 0, at = start; i < count; i++, at += step)
            out[i] = data[at];
    else
        for (int64_t i = 0; i < count; i++)
            ty_fill_chars(out + i * width, width, ty_str_at(self, start + i * step), 1);
    return count == 1 ? ty_str_from_chars(out, width, 1) : v;
}

static int str_contains(Value self, Value item)
{
    if (!ty_is_str(item)) {
        ty_raise(&ty_TypeError, "'in <string>' requires string as left operand, not %T", item);
        return -1;
    }
    int64_t at = ty_str_find(self, item, 0, ty_str_length(self), 1);
    return at == -2 ? -1 : at >= 0;
}

static Value str_concat(Value left, Value right)
{
    if (!ty_is_str(left) || !ty_is_str(right))
        return ty_raise(&ty_TypeError, "can only concatenate str (not \"%T\") to str", right);
    return ty_str_concat(left, right);
}

static Value str_remainder(Value left, Value right)
{
    return ty_is_str(left) ? ty_str_percent(left, right) : TY_NOT_IMPLEMENTED;
}

Value ty_str_remainder(Value format, Value arguments) { return ty_str_percent(format, arguments); }

/* str(object), or str(bytes, encoding, errors) */
static Value convert(Value object, Value encoding, Value errors)
{
    if (encoding == TY_NULL && errors == TY_NULL)
        return object == TY_NULL ? ty_str_empty() : ty_str(object);
    if (encoding != TY_NULL && !require_str(encoding, "str() argument 'encoding'"))
        return TY_NULL;
    if (errors != TY_NULL && !require_str(errors, "str() argument 'errors'"))
        return TY_NULL;
    if (object == TY_NULL)
        return ty_str_empty();
    if (ty_is_str(object))
        return ty_raise(&ty_TypeError, "decoding str is not supported");
    if (!ty_type_of(object)->slots.get_buffer)
        return ty_raise(&ty_TypeError, "decoding to str: need a bytes-like object, %T found", object);
    return ty_codec_decode_bytes(object, encoding, errors);
}

static Value str_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("str(object='', encoding='utf-8', errors='strict')");
    Value a[3] = {TY_NULL, TY_NULL, TY_NULL};
    if (TY_LIKELY(count <= 1 && keywords == TY_NULL)) {
        if (count)
            a[0] = arguments[0];
    } else if (count + (keywords == TY_NULL ? 0 : (size_t)ty_tuple_length(keywords)) > 3) {
        if (keywords != TY_NULL)
            return ty_raise(&ty_TypeError, "str() takes at most 3 arguments (%zd given)", (int64_t)count + ty_tuple_length(keywords));
        return ty_raise(&ty_TypeError, "str expected at most 3 arguments, got %zu", count);
    } else if (!ty_parse_arguments(&signature, arguments, count, keywords, a)) {
        return TY_NULL;
    }
    Value text = convert(a[0], a[1], a[2]);
    if (type == &ty_str_type || text == TY_NULL)
        return text;
    int64_t length = ty_str_length(text);
    int width = ty_str_width(text);
    Value v = ty_type_allocate(type, (size_t)((length + 1) * width));
    if (v == TY_NULL)
        return TY_NULL;
    TyStr *s = ty_as_str(v);
    ty_object_set_bits(&s->base, (ty_object_bits(ty_object(text)) & TY_STR_ASCII) | (uint32_t)width / 2 * TY_STR_KIND_2);
    s->length = length;
    memcpy(s->data, ty_str_data(text), (size_t)(length * width)); /* a NUL follows: fresh memory is zeroed */
    return v;
}

TyType ty_str_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyStr), .item_size = 1, .trace = ty_str_trace, .trace_bits = TY_STR_GROWN},
    .flags = TY_TYPE_STR | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE | TY_TYPE_IMMUTABLE,
    .name = "str",
    .doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
           "Text. Made from any object by its __str__(), or from bytes by decoding them,\nby default from UTF-8 and strictly.",
    .slots = {
        .repr = ty_str_repr, .str = str_str, .hash = ty_str_hash, .compare = str_compare, .iter = ty_str_iterator, .new = str_new,
        .binary = {[TY_BINARY_REMAINDER] = str_remainder},
        .length = str_length, .get_item = str_get_item, .item = str_item, .contains = str_contains,
        .concat = str_concat, .repeat = ty_str_repeat,
    },
    .methods = ty_str_methods,
};

/* --- the iterator ------------------------------------------------------------------------------------------------------------------------- */

extern TyType ty_str_iterator_type, ty_str_ascii_iterator_type;

Value ty_str_iterator(Value v)
{
    TySequenceIterator *iterator = ty_allocate(ty_str_is_ascii(v) ? &ty_str_ascii_iterator_type : &ty_str_iterator_type, sizeof(TySequenceIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->sequence, v);
    return ty_from_object(iterator);
}

static Value iterator_next(Value self)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value text = ty_field(&iterator->sequence);
    if (text == TY_NULL)
        return TY_NULL;
    int64_t index = ty_load_relaxed(&iterator->index);
    if (index >= ty_str_length(text)) {
        ty_store(iterator, &iterator->sequence, TY_NULL);
        return TY_NULL;
    }
    ty_store_relaxed(&iterator->index, index + 1);
    return ty_str_from_char(ty_str_at(text, index));
}

static Value iterator_length_hint(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value text = ty_field(&iterator->sequence);
    return ty_int_from_int64(text == TY_NULL ? 0 : ty_str_length(text) - ty_load_relaxed(&iterator->index));
}

static Value iterator_reduce(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    Value iter = ty_builtin("iter"), text = ty_field(&iterator->sequence);
    if (iter == TY_NULL)
        return TY_NULL;
    if (text == TY_NULL)
        return ty_tuple_pack(2, iter, ty_tuple_pack(1, ty_str_empty()));
    return ty_tuple_pack(3, iter, ty_tuple_pack(1, text), ty_int_from_int64(ty_load_relaxed(&iterator->index)));
}

static Value iterator_setstate(Value self, Value *a)
{
    TySequenceIterator *iterator = (TySequenceIterator *)ty_object(self);
    int64_t index;
    if (!ty_to_size(a[0], &index))
        return TY_NULL;
    Value text = ty_field(&iterator->sequence);
    if (text != TY_NULL)
        ty_store_relaxed(&iterator->index, TY_MAX(0, TY_MIN(index, ty_str_length(text))));
    return TY_NONE;
}

static Value iterator_self(Value self) { return self; }

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_length_hint, "Private method returning an estimate of len(list(it))."),
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "Return state information for pickling."),
    TY_METHOD("__setstate__(self, state, /)", iterator_setstate, "Set state information for unpickling."),
    {0},
};

#define STR_ITERATOR(variable, name_)                                                            \
    TyType variable = {                                                                          \
        .base = TY_STATIC_HEADER(ty_type_type),                                                  \
        .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},     \
        .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,                             \
        .name = name_,                                                                           \
        .slots = {.iter = iterator_self, .next = iterator_next},                                 \
        .methods = iterator_methods,                                                             \
    }
STR_ITERATOR(ty_str_iterator_type, "str_iterator");
STR_ITERATOR(ty_str_ascii_iterator_type, "str_ascii_iterator");
