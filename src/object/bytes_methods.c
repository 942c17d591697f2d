/* The methods that bytes and bytearray have in common. Results have the type of `self`, bytes or bytearray, never a subclass. */
#include "object/exception.h"
#include "object/bytes_parts.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/list.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/str_format.h"
#include "object/str_parts.h"
#include "object/tuple.h"
#include <stdlib.h>

/* --- views and results ------------------------------------------------------------------------------------------------- */

TySpan ty_bytes_view(Value self)
{
    if (TY_LIKELY(ty_is_bytes(self)))
        return (TySpan){ty_bytes_data(self), ty_bytes_length(self)};
    TyByteArray *array = (TyByteArray *)ty_object(self);
    TyBytes *store = ty_load_acquire(&array->store);
    int64_t start = __atomic_load_n(&array->start, __ATOMIC_RELAXED), length = ty_load_relaxed(&array->length);
    if (!store)
        return (TySpan){(const uint8_t *)"", 0};
    start = TY_MIN(start, store->length);
    return (TySpan){store->data + start, TY_MIN(length, store->length - start)};
}

#define SNAPSHOT_MAX (16 << 10) /* copying more would cost more than a method that looks at a part of it */

/* With many threads a bytearray is looked at as it was at one moment: a copy, which the span keeps alive. A long one is not copied; a change that
 * another thread makes meanwhile may be seen half done. */
TySpan ty_bytes_span(Value self)
{
    TySpan view = ty_bytes_view(self);
    if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads)) || ty_is_bytes(self) || view.length > SNAPSHOT_MAX)
        return view;
    bool locked = ty_object_lock(ty_object(self));
    view = ty_bytes_view(self);
    Value copy = view.length > SNAPSHOT_MAX ? TY_NULL : ty_bytes_new(NULL, (size_t)view.length);
    if (copy != TY_NULL && view.length)
        ty_buffer_move(ty_as_bytes(copy)->data, view.data, (size_t)view.length);
    ty_object_unlock(ty_object(self), locked);
    if (copy != TY_NULL)
        return (TySpan){ty_bytes_data(copy), ty_bytes_length(copy)};
    if (ty_raised())
        ty_clear_exception();
    return view;
}

static bool is_exact_bytes(Value v) { return ty_is_exact(v, &ty_bytes_type); }

static Value make(Value self, const void *data, int64_t length)
{
    return ty_is_bytes(self) ? ty_bytes_new(data, (size_t)length) : ty_bytearray_new(data, (size_t)length);
}

/* A result to be filled through *data. */
static Value make_room(Value self, int64_t length, uint8_t **data)
{
    Value v = make(self, NULL, length);
    if (v != TY_NULL)
        *data = ty_is_bytes(v) ? ty_as_bytes(v)->data : ty_bytearray_data((TyByteArray *)ty_object(v));
    return v;
}

/* A part of self; self itself if it is all of an exact bytes. */
static Value part_of(Value self, TySpan s, int64_t start, int64_t end)
{
    if (start == 0 && end == s.length && is_exact_bytes(self))
        return self;
    return make(self, s.data + start, TY_MAX(end - start, 0));
}

bool ty_bytes_argument(Value v, TyBytesArgument *argument)
{
    argument->held = false;
    if (TY_LIKELY(is_exact_bytes(v))) {
        argument->data = ty_bytes_data(v);
        argument->length = ty_bytes_length(v);
        return true;
    }
    if (!ty_buffer_get(v, &argument->view, TY_BUFFER_SIMPLE))
        return false;
    argument->held = true;
    argument->data = argument->view.data;
    argument->length = argument->view.length;
    return true;
}

void ty_bytes_argument_release(TyBytesArgument *argument)
{
    if (argument->held)
        ty_buffer_release(&argument->view);
    argument->held = false;
}

bool ty_byte_value(Value v, uint8_t *out)
{
    int64_t i;
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    if (ty_int_get_int64(index, &i) != 0 || i < 0 || i > 255) {
        ty_raise(&ty_ValueError, "byte must be in range(0, 256)");
        return false;
    }
    *out = (uint8_t)i;
    return true;
}

/* While a method may run Python code (an __index__, a key's __eq__), a bytearray is not resized: that would be a BufferError. */
static void hold(Value self)
{
    if (!ty_is_bytes(self))
        atomic_fetch_add_explicit(&((TyByteArray *)ty_object(self))->exports, 1, memory_order_relaxed);
}
static void let_go(Value self)
{
    if (!ty_is_bytes(self))
        atomic_fetch_sub_explicit(&((TyByteArray *)ty_object(self))->exports, 1, memory_order_release);
}

/* --- finding --------------------------------------------------------------------------------------------------------------- */

/* What is looked for: bytes, or one byte given as an int, kept in *byte. */
static bool needle_argument(Value v, TyBytesArgument *needle, uint8_t *byte)
{
    if (ty_is_int(v) || (!ty_has_buffer(v) && ty_has_index(v))) {
        if (!ty_byte_value(v, byte))
            return false;
        *needle = (TyBytesArgument){.data = byte, .length = 1};
        return true;
    }
    if (!ty_has_buffer(v)) {
        ty_raise(&ty_TypeError, "argument should be integer or bytes-like object, not '%T'", v);
        return false;
    }
    return ty_bytes_argument(v, needle);
}

/* a: sub, start, end. -1: none; -2: error. */
static int64_t find_held(Value self, Value *a, int direction)
{
    TyBytesArgument needle;
    uint8_t byte;
    int64_t start, end, at = -1;
    if (!needle_argument(a[0], &needle, &byte))
        return -2;
    if (!ty_slice_bounds(a[1], a[2], ty_bytes_view(self).length, &start, &end)) {
        ty_bytes_argument_release(&needle);
        return -2;
    }
    TySpan s = ty_bytes_span(self);
    end = TY_MIN(end, s.length);
    if (start <= end)
        at = direction > 0 ? ty_find(s.data + start, end - start, needle.data, needle.length, 1)
                           : ty_rfind(s.data + start, end - start, needle.data, needle.length, 1);
    ty_bytes_argument_release(&needle);
    return at < 0 ? -1 : start + at;
}

static int64_t find(Value self, Value *a, int direction)
{
    hold(self);
    int64_t at = find_held(self, a, direction);
    let_go(self);
    return at;
}

static Value found(int64_t at) { return at == -2 ? TY_NULL : ty_int_from_int64(at); }
static Value found_or_raise(int64_t at)
{
    return at == -1 ? ty_raise(&ty_ValueError, "subsection not found") : found(at);
}

Value ty_bytes_find(Value self, Value *a) { return found(find(self, a, 1)); }
Value ty_bytes_rfind(Value self, Value *a) { return found(find(self, a, -1)); }
Value ty_bytes_index(Value self, Value *a) { return found_or_raise(find(self, a, 1)); }
Value ty_bytes_rindex(Value self, Value *a) { return found_or_raise(find(self, a, -1)); }

static Value count_held(Value self, Value *a)
{
    TyBytesArgument needle;
    uint8_t byte;
    int64_t start, end, count = 0;
    if (!needle_argument(a[0], &needle, &byte))
        return TY_NULL;
    bool good = ty_slice_bounds(a[1], a[2], ty_bytes_view(self).length, &start, &end);
    TySpan s = ty_bytes_span(self);
    end = TY_MIN(end, s.length);
    if (good && start <= end)
        count = needle.length == 0 ? end - start + 1
                                   : ty_count(s.data + start, end - start, needle.data, needle.length, 1, INT64_MAX);
    ty_bytes_argument_release(&needle);
    return good ? ty_int_from_int64(count) : TY_NULL;
}

Value ty_bytes_count(Value self, Value *a)
{
    hold(self);
    Value result = count_held(self, a);
    let_go(self);
    return result;
}

static int contains_held(Value self, Value item)
{
    TyBytesArgument needle;
    uint8_t byte;
    if (ty_is_int(item) || (!ty_has_buffer(item) && ty_has_index(item))) {
        if (!ty_byte_value(item, &byte))
            return -1;
        TySpan s = ty_bytes_span(self);
        return ty_find_char(s.data, s.length, byte, 1) >= 0;
    }
    if (!ty_bytes_argument(item, &needle))
        return -1;
    TySpan s = ty_bytes_span(self);
    bool there = ty_find(s.data, s.length, needle.data, needle.length, 1) >= 0;
    ty_bytes_argument_release(&needle);
    return there;
}

int ty_bytes_contains(Value self, Value item)
{
    hold(self);
    int result = contains_held(self, item);
    let_go(self);
    return result;
}

static Value tail_match_held(Value self, Value *a, const char *name, bool at_end)
{
    int64_t start, end;
    if (!ty_slice_bounds(a[1], a[2], ty_bytes_view(self).length, &start, &end))
        return TY_NULL;
    bool many = ty_is_tuple(a[0]), matches = false;
    if (!many && !ty_has_buffer(a[0]))
        return ty_raise(&ty_TypeError, "%s first arg must be bytes or a tuple of bytes, not %T", name, a[0]);
    int64_t count = many ? ty_tuple_length(a[0]) : 1;
    for (int64_t i = 0; i < count && !matches; i++) {
        TyBytesArgument part;
        if (!ty_bytes_argument(many ? ty_tuple_item(a[0], i) : a[0], &part))
            return TY_NULL;
        TySpan s = ty_bytes_span(self);
        int64_t stop = TY_MIN(end, s.length);
        if (start <= stop && stop - start >= part.length)
            matches = memcmp(s.data + (at_end ? stop - part.length : start), part.data, (size_t)part.length) == 0;
        ty_bytes_argument_release(&part);
    }
    return ty_from_bool(matches);
}

static Value tail_match(Value self, Value *a, const char *name, bool at_end)
{
    hold(self);
    Value result = tail_match_held(self, a, name, at_end);
    let_go(self);
    return result;
}

Value ty_bytes_startswith(Value self, Value *a) { return tail_match(self, a, "startswith", false); }
Value ty_bytes_endswith(Value self, Value *a) { return tail_match(self, a, "endswith", true); }

Value ty_bytes_removeprefix(Value self, Value *a)
{
    TyBytesArgument part;
    if (!ty_bytes_argument(a[0], &part))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    bool there = part.length <= s.length && memcmp(s.data, part.data, (size_t)part.length) == 0;
    Value result = part_of(self, s, there ? part.length : 0, s.length);
    ty_bytes_argument_release(&part);
    return result;
}

Value ty_bytes_removesuffix(Value self, Value *a)
{
    TyBytesArgument part;
    if (!ty_bytes_argument(a[0], &part))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    bool there = part.length <= s.length && memcmp(s.data + s.length - part.length, part.data, (size_t)part.length) == 0;
    Value result = part_of(self, s, 0, there ? s.length - part.length : s.length);
    ty_bytes_argument_release(&part);
    return result;
}

/* --- replacing -------------------------------------------------------------------------------------------------------------- */

static Value replace(Value self, TySpan s, TyBytesArgument *old, TyBytesArgument *with, int64_t limit)
{
    int64_t count;
    if (old->length == 0)
        count = TY_MIN(limit, s.length + 1);
    else
        count = old->length > s.length ? 0 : ty_count(s.data, s.length, old->data, old->length, 1, limit);
    count = TY_MIN(count, limit);
    if (count == 0)
        return part_of(self, s, 0, s.length);
    int64_t growth = with->length - old->length;
    if (growth > 0 && count > (INT64_MAX / 2 - s.length) / growth)
        return ty_raise(&ty_OverflowError, "replace bytes is too long");
    uint8_t *out;
    Value result = make_room(self, s.length + count * growth, &out);
    if (result == TY_NULL)
        return TY_NULL;
    const uint8_t *from = s.data, *end = s.data + s.length;
    for (; count > 0; count--) {
        int64_t at = old->length ? ty_find(from, end - from, old->data, old->length, 1) : 0;
        if (at < 0)
            break;
        memcpy(out, from, (size_t)at);
        memcpy(out + at, with->data, (size_t)with->length);
        out += at + with->length;
        from += at + old->length;
        if (old->length == 0 && from < end)
            *out++ = *from++;
    }
    memcpy(out, from, (size_t)(end - from));
    return result;
}

Value ty_bytes_replace(Value self, Value *a)
{
    TyBytesArgument old, with;
    int64_t count = -1;
    if (!ty_bytes_argument(a[0], &old))
        return TY_NULL;
    if (!ty_bytes_argument(a[1], &with)) {
        ty_bytes_argument_release(&old);
        return TY_NULL;
    }
    Value result = TY_NULL;
    if (a[2] == TY_NULL || ty_to_size(a[2], &count))
        result = replace(self, ty_bytes_span(self), &old, &with, count < 0 ? INT64_MAX : count);
    ty_bytes_argument_release(&old);
    ty_bytes_argument_release(&with);
    return result;
}

Value ty_bytes_translate(Value self, Value *a)
{
    TyBytesArgument table = {0}, dropped = {0};
    bool drop[256] = {false};
    if (a[0] != TY_NONE && !ty_bytes_argument(a[0], &table))
        return TY_NULL;
    if (a[0] != TY_NONE && table.length != 256) {
        ty_bytes_argument_release(&table);
        return ty_raise(&ty_ValueError, "translation table must be 256 characters long");
    }
    if (a[1] != TY_NULL) {
        if (!ty_bytes_argument(a[1], &dropped)) {
            ty_bytes_argument_release(&table);
            return TY_NULL;
        }
        for (int64_t i = 0; i < dropped.length; i++)
            drop[dropped.data[i]] = true;
        ty_bytes_argument_release(&dropped);
    }
    TySpan s = ty_bytes_span(self);
    int64_t length = a[1] == TY_NULL ? s.length : 0;
    for (int64_t i = 0; a[1] != TY_NULL && i < s.length; i++)
        length += !drop[s.data[i]];
    uint8_t *out;
    bool changed = length != s.length;
    Value result = make_room(self, length, &out);
    if (result != TY_NULL && !changed && table.data) {
        uint8_t difference = 0;
        for (int64_t i = 0; i < length; i++) {
            out[i] = table.data[s.data[i]];
            difference |= out[i] ^ s.data[i];
        }
        changed = difference != 0;
        length = 0; /* all is done */
    }
    for (int64_t i = 0, n = 0; result != TY_NULL && i < s.length && n < length; i++) {
        uint8_t c = s.data[i];
        if (drop[c])
            continue;
        out[n++] = table.data ? table.data[c] : c;
        changed |= table.data && table.data[c] != c;
    }
    ty_bytes_argument_release(&table);
    return result != TY_NULL && !changed && is_exact_bytes(self) ? self : result;
}

Value ty_bytes_maketrans(Value self, Value *a)
{
    TyBytesArgument from, to;
    if (!ty_bytes_argument(a[0], &from))
        return TY_NULL;
    if (!ty_bytes_argument(a[1], &to)) {
        ty_bytes_argument_release(&from);
        return TY_NULL;
    }
    Value result = TY_NULL;
    if (from.length != to.length) {
        ty_raise(&ty_ValueError, "maketrans arguments must have same length");
    } else if ((result = ty_bytes_new(NULL, 256)) != TY_NULL) {
        uint8_t *table = ty_as_bytes(result)->data;
        for (int i = 0; i < 256; i++)
            table[i] = (uint8_t)i;
        for (int64_t i = 0; i < from.length; i++)
            table[from.data[i]] = to.data[i];
    }
    ty_bytes_argument_release(&from);
    ty_bytes_argument_release(&to);
    return result;
}

/* --- splitting and joining ------------------------------------------------------------------------------------------------------ */

TY_INLINE bool is_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }

static bool append_part(Value list, Value self, TySpan s, int64_t start, int64_t end)
{
    Value part = make(self, s.data + start, end - start);
    return part != TY_NULL && ty_list_append(list, part);
}

static bool split_spaces(Value list, Value self, TySpan s, int64_t limit)
{
    for (int64_t i = 0;;) {
        while (i < s.length && is_space(s.data[i]))
            i++;
        if (i >= s.length)
            return true;
        if (limit-- == 0)
            return append_part(list, self, s, i, s.length);
        int64_t start = i;
        while (i < s.length && !is_space(s.data[i]))
            i++;
        if (!append_part(list, self, s, start, i))
            return false;
    }
}

static bool rsplit_spaces(Value list, Value self, TySpan s, int64_t limit)
{
    for (int64_t i = s.length;;) {
        while (i > 0 && is_space(s.data[i - 1]))
            i--;
        if (i <= 0)
            return true;
        int64_t end = i;
        if (limit-- == 0)
            return append_part(list, self, s, 0, end);
        while (i > 0 && !is_space(s.data[i - 1]))
            i--;
        if (!append_part(list, self, s, i, end))
            return false;
    }
}

static bool split_by(Value list, Value self, TySpan s, TyBytesArgument *separator, int64_t limit)
{
    int64_t start = 0;
    while (limit-- != 0) {
        int64_t at = ty_find(s.data + start, s.length - start, separator->data, separator->length, 1);
        if (at < 0)
            break;
        if (!append_part(list, self, s, start, start + at))
            return false;
        start += at + separator->length;
    }
    return append_part(list, self, s, start, s.length);
}

static bool rsplit_by(Value list, Value self, TySpan s, TyBytesArgument *separator, int64_t limit)
{
    int64_t end = s.length;
    while (limit-- != 0) {
        int64_t at = ty_rfind(s.data, end, separator->data, separator->length, 1);
        if (at < 0)
            break;
        if (!append_part(list, self, s, at + separator->length, end))
            return false;
        end = at;
    }
    return append_part(list, self, s, 0, end);
}

static Value split(Value self, Value *a, bool from_right)
{
    int64_t limit = -1;
    TyBytesArgument separator = {0};
    bool by_space = a[0] == TY_NULL || a[0] == TY_NONE;
    if (a[1] != TY_NULL && !ty_to_size(a[1], &limit))
        return TY_NULL;
    if (limit < 0)
        limit = INT64_MAX;
    if (!by_space && !ty_bytes_argument(a[0], &separator))
        return TY_NULL;
    if (!by_space && separator.length == 0) {
        ty_bytes_argument_release(&separator);
        return ty_raise(&ty_ValueError, "empty separator");
    }
    Value list = ty_list_new(0);
    TySpan s = ty_bytes_span(self);
    bool done = false;
    if (list != TY_NULL) {
        if (by_space)
            done = from_right ? rsplit_spaces(list, self, s, limit) : split_spaces(list, self, s, limit);
        else
            done = from_right ? rsplit_by(list, self, s, &separator, limit) : split_by(list, self, s, &separator, limit);
    }
    ty_bytes_argument_release(&separator);
    if (done && from_right)
        done = ty_list_reverse(list);
    return done ? list : TY_NULL;
}

static Value split_holding(Value self, Value *a, bool from_right)
{
    hold(self);
    Value result = split(self, a, from_right);
    let_go(self);
    return result;
}

Value ty_bytes_split(Value self, Value *a) { return split_holding(self, a, false); }
Value ty_bytes_rsplit(Value self, Value *a) { return split_holding(self, a, true); }

Value ty_bytes_splitlines(Value self, Value *a)
{
    bool keep = false;
    if (a[0] != TY_NULL && !ty_to_bool(a[0], &keep))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    Value list = ty_list_new(0);
    for (int64_t i = 0, start = 0; list != TY_NULL && i < s.length; start = i) {
        while (i < s.length && s.data[i] != '\n' && s.data[i] != '\r')
            i++;
        int64_t end = i;
        if (i < s.length)
            i += s.data[i] == '\r' && i + 1 < s.length && s.data[i + 1] == '\n' ? 2 : 1;
        if (!append_part(list, self, s, start, keep ? i : end))
            return TY_NULL;
    }
    return list;
}

static Value partition(Value self, Value separator_value, int direction)
{
    TyBytesArgument separator;
    if (!ty_bytes_argument(separator_value, &separator))
        return TY_NULL;
    if (separator.length == 0) {
        ty_bytes_argument_release(&separator);
        return ty_raise(&ty_ValueError, "empty separator");
    }
    TySpan s = ty_bytes_span(self);
    int64_t at = direction > 0 ? ty_find(s.data, s.length, separator.data, separator.length, 1)
                               : ty_rfind(s.data, s.length, separator.data, separator.length, 1);
    int64_t length = separator.length;
    Value middle = at < 0 ? TY_NULL : is_exact_bytes(separator_value) && ty_is_bytes(self) ? separator_value : make(self, separator.data, length);
    ty_bytes_argument_release(&separator);
    if (at < 0) {
        Value whole = part_of(self, s, 0, s.length), none = make(self, "", 0), other = make(self, "", 0);
        return direction > 0 ? ty_tuple_pack(3, whole, none, other) : ty_tuple_pack(3, none, other, whole);
    }
    Value before = make(self, s.data, at), after = make(self, s.data + at + length, s.length - at - length);
    return ty_tuple_pack(3, before, middle, after);
}

Value ty_bytes_partition(Value self, Value *a) { return partition(self, a[0], 1); }
Value ty_bytes_rpartition(Value self, Value *a) { return partition(self, a[0], -1); }

/* Joins with all parts held as buffers. */
static Value join_parts(Value self, Value iterable, Value items, TyBytesArgument *parts, int64_t count, int64_t *held)
{
    TySpan s = ty_bytes_span(self);
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_tuple_item(items, i);
        if (!is_exact_bytes(item) && (!ty_has_buffer(item) || !ty_bytes_argument(item, &parts[i]))) {
            ty_clear_exception();
            return ty_raise(&ty_TypeError, "sequence item %zd: expected a bytes-like object, %T found", i, item);
        }
        if (is_exact_bytes(item))
            ty_bytes_argument(item, &parts[i]);
        *held = i + 1;
        if (ty_is_list(iterable) && ty_list_length(iterable) != count)
            return ty_raise(&ty_RuntimeError, "sequence changed size during iteration");
        int64_t more = parts[i].length + (i ? s.length : 0);
        if (total > INT64_MAX / 2 - more)
            return ty_raise(&ty_OverflowError, "join() result is too long");
        total += more;
    }
    if (count == 1 && is_exact_bytes(ty_tuple_item(items, 0)) && ty_is_bytes(self))
        return ty_tuple_item(items, 0);
    uint8_t *out;
    Value result = make_room(self, total, &out);
    for (int64_t i = 0; result != TY_NULL && i < count; i++) {
        if (i) {
            memcpy(out, s.data, (size_t)s.length);
            out += s.length;
        }
        memcpy(out, parts[i].data, (size_t)parts[i].length);
        out += parts[i].length;
    }
    return result;
}

static Value join_held(Value self, Value *a)
{
    Value items = ty_sequence_tuple(a[0]);
    if (items == TY_NULL) {
        if (ty_raised_is(&ty_TypeError) && !ty_type_of(a[0])->slots.iter && !ty_is_sequence(a[0])) {
            ty_clear_exception();
            return ty_raise(&ty_TypeError, "can only join an iterable");
        }
        return TY_NULL;
    }
    int64_t count = ty_tuple_length(items), held = 0;
    TyBytesArgument few[16], *parts = few;
    if (count > (int64_t)TY_COUNT_OF(few) && !(parts = malloc((size_t)count * sizeof *parts)))
        return ty_raise_memory_error();
    Value result = join_parts(self, a[0], items, parts, count, &held);
    for (int64_t i = 0; i < held; i++)
        ty_bytes_argument_release(&parts[i]);
    if (parts != few)
        free(parts);
    return result;
}

Value ty_bytes_join(Value self, Value *a)
{
    hold(self);
    Value result = join_held(self, a);
    let_go(self);
    return result;
}

/* --- stripping and padding ---------------------------------------------------------------------------------------------------------- */

static Value strip(Value self, Value *a, bool left, bool right)
{
    bool drop[256] = {false};
    if (a[0] == TY_NULL || a[0] == TY_NONE) {
        for (int c = 0; c < 256; c++)
            drop[c] = is_space((uint8_t)c);
    } else {
        TyBytesArgument set;
        if (!ty_bytes_argument(a[0], &set))
            return TY_NULL;
        for (int64_t i = 0; i < set.length; i++)
            drop[set.data[i]] = true;
        ty_bytes_argument_release(&set);
    }
    TySpan s = ty_bytes_span(self);
    int64_t start = 0, end = s.length;
    while (left && start < end && drop[s.data[start]])
        start++;
    while (right && end > start && drop[s.data[end - 1]])
        end--;
    return part_of(self, s, start, end);
}

Value ty_bytes_strip(Value self, Value *a) { return strip(self, a, true, true); }
Value ty_bytes_lstrip(Value self, Value *a) { return strip(self, a, true, false); }
Value ty_bytes_rstrip(Value self, Value *a) { return strip(self, a, false, true); }

static Value pad(Value self, int64_t left, int64_t right, uint8_t fill)
{
    TySpan s = ty_bytes_span(self);
    if (left == 0 && right == 0)
        return part_of(self, s, 0, s.length);
    if (left > INT64_MAX / 4 || right > INT64_MAX / 4)
        return ty_raise_memory_error();
    uint8_t *out;
    Value result = make_room(self, left + s.length + right, &out);
    if (result == TY_NULL)
        return TY_NULL;
    memset(out, fill, (size_t)left);
    memcpy(out + left, s.data, (size_t)s.length);
    memset(out + left + s.length, fill, (size_t)right);
    return result;
}

/* a: width, fillchar */
static bool pad_arguments(Value self, Value *a, const char *name, int64_t *missing, uint8_t *fill)
{
    *fill = ' ';
    if (!ty_to_size(a[0], missing))
        return false;
    if (a[1] != TY_NULL) {
        bool array = ty_is_bytearray(a[1]);
        if (!array && !ty_is_bytes(a[1])) {
            ty_raise(&ty_TypeError, "%s() argument 2 must be a byte string of length 1, not %T", name, a[1]);
            return false;
        }
        TySpan one = ty_bytes_span(a[1]);
        if (one.length != 1) {
            ty_raise(&ty_TypeError, "%s(): argument 2 must be a byte string of length 1, not a %s object of length %zd", name,
                     array ? "bytearray" : "bytes", one.length);
            return false;
        }
        *fill = one.data[0];
    }
    int64_t length = ty_bytes_view(self).length;
    *missing = *missing > length ? *missing - length : 0;
    return true;
}

Value ty_bytes_ljust(Value self, Value *a)
{
    int64_t missing;
    uint8_t fill;
    return pad_arguments(self, a, "ljust", &missing, &fill) ? pad(self, 0, missing, fill) : TY_NULL;
}

Value ty_bytes_rjust(Value self, Value *a)
{
    int64_t missing;
    uint8_t fill;
    return pad_arguments(self, a, "rjust", &missing, &fill) ? pad(self, missing, 0, fill) : TY_NULL;
}

Value ty_bytes_center(Value self, Value *a)
{
    int64_t missing;
    uint8_t fill;
    if (!pad_arguments(self, a, "center", &missing, &fill))
        return TY_NULL;
    int64_t left = missing / 2 + (missing & (missing + ty_bytes_view(self).length) & 1);
    return pad(self, left, missing - left, fill);
}

Value ty_bytes_zfill(Value self, Value *a)
{
    int64_t width;
    if (!ty_to_size(a[0], &width))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    int64_t missing = width - s.length;
    if (missing <= 0)
        return part_of(self, s, 0, s.length);
    Value result = pad(self, missing, 0, '0');
    if (result == TY_NULL || s.length == 0)
        return result;
    if (s.data[0] == '+' || s.data[0] == '-') {
        uint8_t *out = (uint8_t *)ty_bytes_view(result).data;
        out[0] = s.data[0];
        out[missing] = '0';
    }
    return result;
}

Value ty_bytes_expandtabs(Value self, Value *a)
{
    int32_t size = 8;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &size))
        return TY_NULL;
    TySpan s = ty_bytes_span(self);
    int64_t column = 0, length = 0;
    for (int64_t i = 0; i < s.length; i++) {
        int64_t gap = 1;
        if (s.data[i] == '\t')
            gap = size > 0 ? size - column % size : 0;
        column = s.data[i] == '\n' || s.data[i] == '\r' ? 0 : column + gap;
        if (length > INT64_MAX / 2 - gap)
            return ty_raise(&ty_OverflowError, "result too long");
        length += gap;
    }
    uint8_t *out;
    Value result = make_room(self, length, &out);
    column = 0;
    for (int64_t i = 0; result != TY_NULL && i < s.length; i++) {
        if (s.data[i] != '\t') {
            *out++ = s.data[i];
            column = s.data[i] == '\n' || s.data[i] == '\r' ? 0 : column + 1;
        } else if (size > 0) {
            int64_t gap = size - column % size;
            memset(out, ' ', (size_t)gap);
            out += gap;
            column += gap;
        }
    }
    return result;
}

/* --- case and kinds of ASCII characters ------------------------------------------------------------------------------------------------ */

TY_INLINE bool is_lower(uint8_t c) { return (uint8_t)(c - 'a') < 26; }
TY_INLINE bool is_upper(uint8_t c) { return (uint8_t)(c - 'A') < 26; }
TY_INLINE bool is_alpha(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }
TY_INLINE bool is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
TY_INLINE uint8_t to_lower(uint8_t c) { return (uint8_t)(c + (is_upper(c) ? 32 : 0)); }
TY_INLINE uint8_t to_upper(uint8_t c) { return (uint8_t)(c - (is_lower(c) ? 32 : 0)); }

/* The method `name`: a copy with each byte c turned into `expression`; `previous` is the byte before it, 0 at the start. */
#define MAP_BYTES(name, expression)                              \
    Value ty_bytes_##name(Value self, Value *a)                  \
    {                                                            \
        TySpan s = ty_bytes_span(self);                          \
        uint8_t *out, previous = 0;                              \
        Value result = make_room(self, s.length, &out);          \
        for (int64_t i = 0; result != TY_NULL && i < s.length; i++) { \
            uint8_t c = s.data[i];                               \
            out[i] = expression;                                 \
            previous = c;                                        \
        }                                                        \
        (void)previous;                                          \
        return result;                                           \
    }
MAP_BYTES(lower, to_lower(c))
MAP_BYTES(upper, to_upper(c))
MAP_BYTES(swapcase, is_alpha(c) ? c ^ 32 : c)
MAP_BYTES(title, is_alpha(previous) ? to_lower(c) : to_upper(c))
MAP_BYTES(capitalize, i ? to_lower(c) : to_upper(c))

/* The method `name`: whether all bytes are such, and there is one. */
#define ALL_BYTES(name, condition)                     \
    Value ty_bytes_##name(Value self, Value *a)        \
    {                                                  \
        TySpan s = ty_bytes_span(self);                \
        for (int64_t i = 0; i < s.length; i++) {       \
            uint8_t c = s.data[i];                     \
            if (!(condition))                          \
                return TY_FALSE;                       \
        }                                              \
        return ty_from_bool(s.length > 0);             \
    }
ALL_BYTES(isalnum, is_alpha(c) || is_digit(c))
ALL_BYTES(isalpha, is_alpha(c))
ALL_BYTES(isdigit, is_digit(c))
ALL_BYTES(isspace, is_space(c))

Value ty_bytes_isascii(Value self, Value *a)
{
    TySpan s = ty_bytes_span(self);
    return ty_from_bool(ty_is_ascii(s.data, (size_t)s.length));
}

static Value one_case(Value self, bool lower)
{
    TySpan s = ty_bytes_span(self);
    bool any = false;
    for (int64_t i = 0; i < s.length; i++) {
        if (lower ? is_upper(s.data[i]) : is_lower(s.data[i]))
            return TY_FALSE;
        any |= is_alpha(s.data[i]);
    }
    return ty_from_bool(any);
}

Value ty_bytes_islower(Value self, Value *a) { return one_case(self, true); }
Value ty_bytes_isupper(Value self, Value *a) { return one_case(self, false); }

Value ty_bytes_istitle(Value self, Value *a)
{
    TySpan s = ty_bytes_span(self);
    bool any = false, inside = false;
    for (int64_t i = 0; i < s.length; i++) {
        uint8_t c = s.data[i];
        if (is_alpha(c) && (is_upper(c) == inside))
            return TY_FALSE;
        inside = is_alpha(c);
        any |= inside;
    }
    return ty_from_bool(any);
}

/* --- text ---------------------------------------------------------------------------------------------------------------------------------- */

Value ty_bytes_decode(Value self, Value *a)
{
    static const char *const names[] = {"encoding", "errors"};
    for (int i = 0; i < 2; i++)
        if (a[i] != TY_NULL && !ty_is_str(a[i]))
            return ty_raise(&ty_TypeError, "decode() argument '%s' must be str, not %T", names[i], a[i]);
    return ty_codec_decode_bytes(self, a[0], a[1]);
}

/* The separator of hex(): -1 none, -2 error. */
static int hex_separator(Value separator)
{
    if (separator == TY_NULL)
        return -1;
    int64_t length = ty_length(separator);
    if (length < 0)
        return -2;
    if (length != 1) {
        ty_raise(&ty_ValueError, "sep must be length 1.");
        return -2;
    }
    uint32_t c;
    if (ty_is_str(separator)) {
        c = ty_str_at(separator, 0);
    } else if (ty_is_bytes(separator) || ty_is_bytearray(separator)) {
        c = ty_bytes_span(separator).data[0];
    } else {
        ty_raise(&ty_TypeError, "sep must be str or bytes.");
        return -2;
    }
    if (c > 127) {
        ty_raise(&ty_ValueError, "sep must be ASCII.");
        return -2;
    }
    return (int)c;
}

Value ty_bytes_hex(const uint8_t *data, int64_t length, Value separator, Value group_value)
{
    static const char digits[] = "0123456789abcdef";
    int32_t group = 1;
    if (group_value != TY_NULL && !ty_to_int32(group_value, &group))
        return TY_NULL;
    int mark = hex_separator(separator);
    if (mark == -2)
        return TY_NULL;
    int64_t size = group < 0 ? -(int64_t)group : group;
    int64_t marks = mark >= 0 && size > 0 && length > 0 ? (length - 1) / size : 0;
    if (length == 0)
        return ty_str_empty();
    if (length > INT64_MAX / 4)
        return ty_raise_memory_error();
    Value result = ty_str_allocate(length * 2 + marks, 0x7F);
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_str_fill(result);
    /* Counted from the right, the first group is what is left over. */
    int64_t until = !marks ? length : group > 0 ? length - marks * size : size;
    for (int64_t i = 0; !marks && i < length; i++) { /* without a table, so that it goes by vectors */
        uint8_t high = data[i] >> 4, low = data[i] & 15;
        out[2 * i] = (uint8_t)(high + (high > 9 ? 'a' - 10 : '0'));
        out[2 * i + 1] = (uint8_t)(low + (low > 9 ? 'a' - 10 : '0'));
    }
    for (int64_t i = marks ? 0 : length; i < length; i++) {
        if (i == until) {
            *out++ = (uint8_t)mark;
            until += size;
        }
        *out++ = (uint8_t)digits[data[i] >> 4];
        *out++ = (uint8_t)digits[data[i] & 15];
    }
    return result;
}

static Value hex_method_held(Value self, Value *a)
{
    TySpan s = ty_bytes_span(self);
    return ty_bytes_hex(s.data, s.length, a[0], a[1]);
}

Value ty_bytes_hex_method(Value self, Value *a)
{
    hold(self);
    Value result = hex_method_held(self, a);
    let_go(self);
    return result;
}

TY_INLINE int hex_digit(uint32_t c)
{
    return c - '0' < 10 ? (int)(c - '0') : (c | 32) - 'a' < 6 && c < 128 ? (int)((c | 32) - 'a' + 10) : -1;
}

static Value from_hex_chars(const void *text, int width, int64_t length)
{
    Value result = ty_bytes_new(NULL, (size_t)(length / 2));
    if (result == TY_NULL)
        return TY_NULL;
    uint8_t *out = ty_as_bytes(result)->data;
    int64_t count = 0;
    for (int64_t i = 0; i < length;) {
        uint32_t c = ty_char_at(text, width, i);
        if (c < 128 && is_space((uint8_t)c)) {
            i++;
            continue;
        }
        int high = hex_digit(c);
        if (high >= 0 && i + 1 >= length)
            return ty_raise(&ty_ValueError, "fromhex() arg must contain an even number of hexadecimal digits");
        int low = high < 0 ? -1 : hex_digit(ty_char_at(text, width, i + 1));
        if (low < 0)
            return ty_raise(&ty_ValueError, "non-hexadecimal number found in fromhex() arg at position %zd", high < 0 ? i : i + 1);
        out[count++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return ty_bytes_shrink(result, (size_t)count);
}

Value ty_bytes_from_hex(Value text)
{
    if (ty_is_str(text))
        return from_hex_chars(ty_str_data(text), ty_str_width(text), ty_str_length(text));
    if (!ty_has_buffer(text))
        return ty_raise(&ty_TypeError, "fromhex() argument must be str or bytes-like, not %T", text);
    TyBytesArgument bytes;
    if (!ty_bytes_argument(text, &bytes))
        return TY_NULL;
    Value result = from_hex_chars(bytes.data, 1, bytes.length);
    ty_bytes_argument_release(&bytes);
    return result;
}

Value ty_bytes_repr_of(TySpan s, bool escape_single)
{
    static const char digits[] = "0123456789abcdef";
    char quote = memchr(s.data, '\'', (size_t)s.length) && !memchr(s.data, '"', (size_t)s.length) ? '"' : '\'';
    TyStrBuilder b = {0};
    ty_builder_add_char(&b, 'b');
    ty_builder_add_char(&b, (uint32_t)quote);
    int64_t plain = 0;
    for (int64_t i = 0; i < s.length && !b.failed; i++) {
        uint8_t c = s.data[i];
        bool quoted = c == quote || c == '\\' || (c == '\'' && escape_single);
        if (c >= ' ' && c < 127 && !quoted)
            continue;
        char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        size_t size = 4;
        ty_builder_add_ascii(&b, (const char *)s.data + plain, (size_t)(i - plain));
        plain = i + 1;
        if (quoted || c == '\t' || c == '\n' || c == '\r') {
            escape[1] = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : (char)c;
            size = 2;
        }
        ty_builder_add_ascii(&b, escape, size);
    }
    ty_builder_add_ascii(&b, (const char *)s.data + plain, (size_t)(s.length - plain));
    ty_builder_add_char(&b, (uint32_t)quote);
    return ty_builder_finish(&b);
}

Value ty_bytes_remainder(Value left, Value right)
{
    if (!ty_is_bytes(left) && !ty_is_bytearray(left))
        return TY_NOT_IMPLEMENTED;
    TySpan s = ty_bytes_span(left);
    hold(left);
    Value text = ty_percent_format(s.data, 1, s.length, right, true);
    let_go(left);
    return text == TY_NULL ? TY_NULL : make(left, ty_str_data(text), ty_str_length(text));
}

/* --- comparing and making ----------------------------------------------------------------------------------------------------------------------- */

Value ty_bytes_str(Value self)
{
    if (ty_bytes_warnings && !ty_warn(&ty_BytesWarning, 1, "str() on a %s instance", ty_is_bytes(self) ? "bytes" : "bytearray"))
        return TY_NULL;
    return ty_repr(self);
}

static bool warn_of_comparison(Value left, Value right)
{
    const char *name = ty_is_bytes(left) ? "bytes" : "bytearray";
    if (ty_is_str(right))
        return ty_warn(&ty_BytesWarning, 1, "Comparison between %s and string", name);
    return !ty_is_int(right) || !ty_is_bytes(left) || ty_warn(&ty_BytesWarning, 1, "Comparison between bytes and int");
}

Value ty_bytes_compare(Value left, Value right, int op)
{
    TyBytesArgument a, b;
    if (TY_UNLIKELY(ty_bytes_warnings) && (op == TY_EQ || op == TY_NE) && !warn_of_comparison(left, right))
        return TY_NULL;
    if (ty_is_bytes(left) && !ty_is_bytes(right) && !ty_is_bytearray(right))
        return TY_NOT_IMPLEMENTED;
    if (!ty_has_buffer(right))
        return TY_NOT_IMPLEMENTED;
    if (!ty_bytes_argument(left, &a))
        return TY_NULL;
    if (!ty_bytes_argument(right, &b)) {
        ty_bytes_argument_release(&a);
        ty_clear_exception();
        return TY_NOT_IMPLEMENTED;
    }
    bool result;
    if (op == TY_EQ || op == TY_NE) {
        result = (a.length == b.length && memcmp(a.data, b.data, (size_t)a.length) == 0) == (op == TY_EQ);
    } else {
        int order = memcmp(a.data, b.data, (size_t)TY_MIN(a.length, b.length));
        if (order == 0)
            order = a.length < b.length ? -1 : a.length > b.length;
        result = op == TY_LT ? order < 0 : op == TY_LE ? order <= 0 : op == TY_GT ? order > 0 : order >= 0;
    }
    ty_bytes_argument_release(&a);
    ty_bytes_argument_release(&b);
    return ty_from_bool(result);
}

/* Bytes that grow while an iterable is read. */
typedef struct Growing { Value bytes; int64_t length, capacity; } Growing;

static bool grow(Growing *g)
{
    int64_t capacity = g->capacity ? g->capacity * 2 : 64;
    Value bytes = ty_bytes_new(NULL, (size_t)capacity);
    if (bytes == TY_NULL)
        return false;
    if (g->length)
        memcpy(ty_as_bytes(bytes)->data, ty_bytes_data(g->bytes), (size_t)g->length);
    g->bytes = bytes;
    g->capacity = capacity;
    return true;
}

static bool add_item(Growing *g, Value item, bool for_bytearray)
{
    int64_t i;
    if (ty_is_immediate_int(item)) {
        i = ty_immediate_int(item);
    } else {
        Value index = ty_number_index(item);
        if (index == TY_NULL)
            return false;
        if (ty_int_get_int64(index, &i) != 0)
            i = -1;
    }
    if (i < 0 || i > 255) {
        ty_raise(&ty_ValueError, for_bytearray ? "byte must be in range(0, 256)" : "bytes must be in range(0, 256)");
        return false;
    }
    if (g->length == g->capacity && !grow(g))
        return false;
    ty_as_bytes(g->bytes)->data[g->length++] = (uint8_t)i;
    return true;
}

Value ty_bytes_from_iterable(Value v, bool for_bytearray)
{
    if (ty_has_buffer(v)) {
        if (ty_is_exact(v, &ty_bytearray_type)) { /* at one moment */
            TySpan s = ty_bytes_span(v);
            return ty_bytes_new(s.data, (size_t)s.length);
        }
        TyBuffer view;
        if (!ty_buffer_get(v, &view, TY_BUFFER_FULL & ~TY_BUFFER_WRITABLE))
            return TY_NULL;
        Value result = ty_bytes_new(NULL, (size_t)view.length);
        if (result != TY_NULL && !ty_buffer_copy_out(&view, ty_as_bytes(result)->data, 'C'))
            result = TY_NULL;
        ty_buffer_release(&view);
        return result;
    }
    Growing g = {0};
    if (ty_is_exact_list(v) || ty_is_exact_tuple(v)) { /* by index: the list may change meanwhile */
        for (int64_t i = 0;; i++) {
            Value item = ty_is_list(v) ? ty_list_item(v, i) : i < ty_tuple_length(v) ? ty_tuple_item(v, i) : TY_NULL;
            if (item == TY_NULL)
                break;
            if (!add_item(&g, item, for_bytearray))
                return TY_NULL;
        }
    } else {
        Value iterator = ty_iter(v), item;
        if (iterator == TY_NULL)
            return TY_NULL;
        while ((item = ty_next(iterator)) != TY_NULL)
            if (!add_item(&g, item, for_bytearray))
                return TY_NULL;
        if (ty_raised())
            return TY_NULL;
    }
    return g.bytes == TY_NULL ? ty_bytes_new("", 0) : ty_bytes_shrink(g.bytes, (size_t)g.length);
}

static Value from_count(Value index)
{
    int64_t count;
    if (ty_int_get_int64(index, &count) != 0)
        return ty_raise(&ty_OverflowError, "cannot fit 'int' into an index-sized integer");
    if (count < 0)
        return ty_raise(&ty_ValueError, "negative count");
    return ty_bytes_new(NULL, (size_t)count);
}

Value ty_bytes_from_arguments(Value source, Value encoding, Value errors, bool for_bytearray)
{
    static const char *const names[] = {"encoding", "errors"};
    for (int i = 0; i < 2; i++) {
        Value v = i ? errors : encoding;
        if (v != TY_NULL && !ty_is_str(v))
            return ty_raise(&ty_TypeError, "%s() argument '%s' must be str, not %T", for_bytearray ? "bytearray" : "bytes", names[i], v);
    }
    if (source == TY_NULL || (!ty_is_str(source) && (encoding != TY_NULL || errors != TY_NULL))) {
        if (encoding != TY_NULL)
            return ty_raise(&ty_TypeError, "encoding without a string argument");
        if (errors != TY_NULL)
            return ty_raise(&ty_TypeError, "errors without a string argument");
        return ty_bytes_new("", 0);
    }
    if (!for_bytearray && encoding == TY_NULL && errors == TY_NULL) {
        Value method = ty_is_exact(source, &ty_bytes_type) ? TY_NULL : ty_lookup_special(source, TY_NAME("__bytes__"));
        if (method != TY_NULL) {
            Value result = ty_call_none(method);
            if (result != TY_NULL && !ty_is_bytes(result))
                return ty_raise(&ty_TypeError, "__bytes__ returned non-bytes (type %T)", result);
            return result;
        }
        if (ty_raised())
            return TY_NULL;
        if (ty_is_exact(source, &ty_bytes_type))
            return source;
    }
    if (ty_is_str(source)) {
        if (encoding == TY_NULL)
            return ty_raise(&ty_TypeError, "string argument without an encoding");
        return ty_codec_encode_str(source, encoding, errors);
    }
    if (!ty_has_buffer(source) && ty_has_index(source)) {
        Value index = ty_number_index(source);
        if (index != TY_NULL)
            return from_count(index);
        if (!ty_raised_is(&ty_TypeError))
            return TY_NULL;
        ty_clear_exception();
    }
    if (!ty_has_buffer(source) && !ty_type_of(source)->slots.iter && !ty_is_sequence(source))
        return ty_raise(&ty_TypeError, "cannot convert '%T' object to %s", source, for_bytearray ? "bytearray" : "bytes");
    return ty_bytes_from_iterable(source, for_bytearray);
}
