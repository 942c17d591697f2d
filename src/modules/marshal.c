#include "modules/marshal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/float_text.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/code.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"

enum { MAX_DEPTH = 2000, FLAG_REF = 0x80 };

/* --- writing ------------------------------------------------------------------------------------------------------------- */

typedef enum Failure { FINE, UNMARSHALLABLE, TOO_DEEP, NO_MEMORY, CODE_FORBIDDEN, RAISED } Failure;

typedef struct Seen {
    Value value;
    uint32_t count;
    int32_t index;      /* once it has been written as one to be referred to; -1 before */
    bool open;          /* a code object or slice that is being written: it can't refer to itself */
} Seen;

typedef struct Writer {
    uint8_t *data;
    size_t size, capacity;
    int version, depth;
    bool allow_code;
    Failure failure;
    Seen *seen;         /* objects by address: those met more than once are referred to */
    size_t seen_count, seen_mask;
    int32_t next_index;
} Writer;

static void put_bytes(Writer *w, const void *bytes, size_t size)
{
    if (w->failure)
        return;
    if (w->size + size > w->capacity) {
        size_t capacity = w->capacity ? w->capacity : 256;
        while (capacity < w->size + size)
            capacity *= 2;
        uint8_t *data = realloc(w->data, capacity);
        if (!data) {
            w->failure = NO_MEMORY;
            return;
        }
        w->data = data;
        w->capacity = capacity;
    }
    memcpy(w->data + w->size, bytes, size);
    w->size += size;
}

static void put_byte(Writer *w, uint8_t byte) { put_bytes(w, &byte, 1); }

static void put_int16(Writer *w, uint32_t v)
{
    uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    put_bytes(w, bytes, 2);
}

static void put_int32(Writer *w, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put_bytes(w, bytes, 4);
}

static void put_double(Writer *w, double d) { put_bytes(w, &d, sizeof d); }

static void put_size(Writer *w, int64_t size)
{
    if (size > INT32_MAX)
        w->failure = UNMARSHALLABLE;
    put_int32(w, (uint32_t)size);
}

static size_t seen_place(const Writer *w, Value v)
{
    size_t p = (v >> 4) * 0x9E3779B97F4A7C15ull >> 20 & w->seen_mask;
    while (w->seen[p].value != TY_NULL && w->seen[p].value != v)
        p = (p + 1) & w->seen_mask;
    return p;
}

static bool grow_seen(Writer *w)
{
    size_t old_places = w->seen ? w->seen_mask + 1 : 0, places = old_places ? old_places * 2 : 64;
    Seen *old = w->seen, *seen = calloc(places, sizeof *seen);
    if (!seen) {
        w->failure = NO_MEMORY;
        return false;
    }
    w->seen = seen;
    w->seen_mask = places - 1;
    for (size_t i = 0; i < old_places; i++)
        if (old[i].value != TY_NULL)
            seen[seen_place(w, old[i].value)] = old[i];
    free(old);
    return true;
}

/* Counts the object; true the first time. */
static bool note(Writer *w, Value v)
{
    if ((!w->seen || w->seen_count * 2 > w->seen_mask) && !grow_seen(w))
        return false;
    Seen *seen = &w->seen[seen_place(w, v)];
    if (seen->value == TY_NULL) {
        *seen = (Seen){v, 1, -1, false};
        w->seen_count++;
        return true;
    }
    seen->count++;
    return false;
}

static bool is_singleton(Value v)
{
    return v == TY_NONE || v == TY_TRUE || v == TY_FALSE || v == TY_ELLIPSIS || v == ty_from_object(&ty_StopIteration);
}

static const TyCode *as_code(Value v) { return (const TyCode *)ty_object(v); }

/* The values that a code object is written as, after its numbers. */
enum { CODE_VALUES = 11, CODE_NUMBERS = 10 };

static void code_values(const TyCode *code, Value values[CODE_VALUES])
{
    Value all[CODE_VALUES] = {
        code->bytecode, code->handler_bytes, code->depths, code->positions, code->consts, code->names, code->register_names,
        code->register_kinds, code->filename, code->name, code->qualname,
    };
    memcpy(values, all, sizeof all);
}

static bool enter_value(Writer *w)
{
    if (++w->depth > MAX_DEPTH || ty_c_stack_low())
        w->failure = TOO_DEEP;
    return !w->failure;
}

/* The first pass: how often each object is met. */
static void survey(Writer *w, Value v)
{
    if (w->failure || !ty_is_object(v) || v == TY_NULL || is_singleton(v) || !note(w, v) || !enter_value(w))
        return;
    if (ty_is_exact_tuple(v)) {
        for (int64_t i = 0; i < ty_tuple_length(v); i++)
            survey(w, ty_tuple_item(v, i));
    } else if (ty_is_exact_list(v)) {
        for (int64_t i = 0; i < ty_list_length(v); i++) {
            Value item = ty_list_item(v, i);
            if (item != TY_NULL)
                survey(w, item);
        }
    } else if (ty_is_exact_dict(v)) {
        int64_t position = 0;
        Value key, value;
        while (ty_dict_next(v, &position, &key, &value)) {
            survey(w, key);
            survey(w, value);
        }
    } else if (ty_is_exact(v, &ty_set_type) || ty_is_exact(v, &ty_frozenset_type)) {
        int64_t position = 0;
        Value item;
        while (ty_set_next(v, &position, &item))
            survey(w, item);
    } else if (ty_is_exact(v, &ty_code_type)) {
        Value values[CODE_VALUES];
        code_values(as_code(v), values);
        for (int i = 0; i < CODE_VALUES; i++)
            survey(w, values[i]);
    } else if (ty_is_slice(v)) {
        TySlice *slice = (TySlice *)ty_object(v);
        survey(w, slice->start);
        survey(w, slice->stop);
        survey(w, slice->step);
    }
    w->depth--;
}

static void put(Writer *w, Value v);

/* A type byte, marked when the object will be referred to later. */
static void put_type(Writer *w, char type, Value v)
{
    uint8_t byte = (uint8_t)type;
    if (w->version >= 3 && w->seen) {
        Seen *seen = &w->seen[seen_place(w, v)];
        if (seen->value == v && seen->count > 1) {
            seen->index = w->next_index++;
            byte |= FLAG_REF;
        }
    }
    put_byte(w, byte);
}

static bool put_reference(Writer *w, Value v)
{
    if (w->version < 3 || !w->seen || !ty_is_object(v))
        return false;
    const Seen *seen = &w->seen[seen_place(w, v)];
    if (seen->value != v || seen->index < 0)
        return false;
    if (seen->open)
        w->failure = UNMARSHALLABLE;
    put_byte(w, 'r');
    put_int32(w, (uint32_t)seen->index);
    return true;
}

static void set_open(Writer *w, Value v, bool open)
{
    if (w->seen && !w->failure)
        w->seen[seen_place(w, v)].open = open;
}

static void put_int(Writer *w, Value v)
{
    int64_t small;
    if (ty_int_get_int64(v, &small) == 0 && small == (int32_t)small) {
        put_type(w, 'i', v);
        put_int32(w, (uint32_t)small);
        return;
    }
    put_type(w, 'l', v);
    bool negative = ty_int_sign(v) < 0;
    Value magnitude = negative ? ty_int_negative(v) : v;
    int64_t bits = magnitude == TY_NULL ? 0 : ty_int_bit_length(magnitude);
    int64_t digits = (bits + 14) / 15;
    size_t size = (size_t)(bits + 7) / 8 + 4;
    uint8_t *bytes = digits > INT32_MAX ? NULL : calloc(size, 1);
    if (!bytes || !ty_int_to_bytes(magnitude, bytes, size, true, false)) {
        free(bytes);
        w->failure = NO_MEMORY;
        return;
    }
    put_int32(w, (uint32_t)(int32_t)(negative ? -digits : digits));
    for (int64_t d = 0; d < digits; d++) {
        size_t bit = (size_t)d * 15;
        uint32_t window = bytes[bit / 8] | (uint32_t)bytes[bit / 8 + 1] << 8 | (uint32_t)bytes[bit / 8 + 2] << 16;
        put_int16(w, window >> (bit % 8) & 0x7FFF);
    }
    free(bytes);
}

static void put_float_text(Writer *w, double d)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%.17g", d);
    put_byte(w, (uint8_t)length);
    put_bytes(w, text, (size_t)length);
}

static void put_str(Writer *w, Value v)
{
    bool interned = ty_str_is_interned(v);
    int64_t length = ty_str_length(v);
    if (w->version >= 4 && ty_str_is_ascii(v)) {
        bool is_short = length < 256;
        put_type(w, is_short ? (interned ? 'Z' : 'z') : (interned ? 'A' : 'a'), v);
        if (is_short)
            put_byte(w, (uint8_t)length);
        else
            put_size(w, length);
        put_bytes(w, ty_str_data(v), (size_t)length);
        return;
    }
    Value encoded = ty_str_encode_utf8(v, "surrogatepass");
    if (encoded == TY_NULL) {
        w->failure = RAISED;
        return;
    }
    put_type(w, w->version >= 3 && interned ? 't' : 'u', v);
    put_size(w, ty_bytes_length(encoded));
    put_bytes(w, ty_bytes_data(encoded), (size_t)ty_bytes_length(encoded));
}

static void put_tuple(Writer *w, Value v)
{
    int64_t length = ty_tuple_length(v);
    if (w->version >= 4 && length < 256) {
        put_type(w, ')', v);
        put_byte(w, (uint8_t)length);
    } else {
        put_type(w, '(', v);
        put_size(w, length);
    }
    for (int64_t i = 0; i < length; i++)
        put(w, ty_tuple_item(v, i));
}

static void put_list(Writer *w, Value v)
{
    int64_t length = ty_list_length(v);
    put_type(w, '[', v);
    put_size(w, length);
    for (int64_t i = 0; i < length && !w->failure; i++) {
        Value item = ty_list_item(v, i);
        put(w, item == TY_NULL ? TY_NONE : item);
    }
}

static void put_dict(Writer *w, Value v)
{
    put_type(w, '{', v);
    int64_t position = 0;
    Value key, value;
    while (!w->failure && ty_dict_next(v, &position, &key, &value)) {
        put(w, key);
        put(w, value);
    }
    put_byte(w, '0');
}

typedef struct SetItem { Value dump, item; } SetItem;

static int order_set_items(const void *a, const void *b)
{
    Value x = ((const SetItem *)a)->dump, y = ((const SetItem *)b)->dump;
    int64_t nx = ty_bytes_length(x), ny = ty_bytes_length(y);
    int order = memcmp(ty_bytes_data(x), ty_bytes_data(y), (size_t)TY_MIN(nx, ny));
    return order ? order : (nx > ny) - (nx < ny);
}

static Value dump(Value v, int version, bool allow_code, Failure *failure);

/* Items in the order of their bytes, so that equal sets make equal files. */
static void put_set(Writer *w, Value v)
{
    int64_t length = ty_set_length(v), n = 0, position = 0;
    put_type(w, ty_is_exact(v, &ty_frozenset_type) ? '>' : '<', v);
    put_size(w, length);
    Value keeper = ty_tuple_new(2 * length); /* what the array below holds stays alive by it */
    SetItem *items = keeper == TY_NULL ? NULL : malloc(((size_t)length + 1) * sizeof *items);
    if (!items) {
        w->failure = keeper == TY_NULL ? RAISED : NO_MEMORY;
        return;
    }
    Value item;
    while (!w->failure && n < length && ty_set_next(v, &position, &item)) {
        items[n] = (SetItem){dump(item, w->version, w->allow_code, &w->failure), item};
        ty_tuple_set(keeper, 2 * n, item);
        ty_tuple_set(keeper, 2 * n + 1, items[n].dump);
        n++;
    }
    if (!w->failure)
        qsort(items, (size_t)n, sizeof *items, order_set_items);
    for (int64_t i = 0; i < n && !w->failure; i++)
        put(w, items[i].item);
    free(items);
}

static void put_code(Writer *w, Value v)
{
    if (!w->allow_code) {
        w->failure = CODE_FORBIDDEN;
        return;
    }
    const TyCode *code = as_code(v);
    put_type(w, 'c', v);
    uint32_t numbers[CODE_NUMBERS] = {
        code->flags, code->positional_count, code->positional_only_count, code->keyword_only_count, code->local_count, code->cell_count,
        code->free_count, code->register_count, code->cache_count, code->first_line,
    };
    for (int i = 0; i < CODE_NUMBERS; i++)
        put_int32(w, numbers[i]);
    Value values[CODE_VALUES];
    code_values(code, values);
    set_open(w, v, true);
    for (int i = 0; i < CODE_VALUES; i++)
        put(w, values[i]);
    set_open(w, v, false);
}

static void put_buffer(Writer *w, Value v)
{
    TyBuffer view;
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE)) {
        ty_clear_exception();
        w->failure = UNMARSHALLABLE;
        return;
    }
    put_type(w, 's', v);
    put_size(w, view.length);
    put_bytes(w, view.data, (size_t)view.length);
    ty_buffer_release(&view);
}

static void put_object(Writer *w, Value v)
{
    TyType *type = ty_type_of(v);
    if (type == &ty_int_type) {
        put_int(w, v);
    } else if (type == &ty_float_type) {
        put_type(w, w->version > 1 ? 'g' : 'f', v);
        if (w->version > 1)
            put_double(w, ty_double(v));
        else
            put_float_text(w, ty_double(v));
    } else if (type == &ty_complex_type) {
        TyComplex *z = (TyComplex *)ty_object(v);
        put_type(w, w->version > 1 ? 'y' : 'x', v);
        for (int i = 0; i < 2; i++) {
            double d = i ? z->imaginary : z->real;
            if (w->version > 1)
                put_double(w, d);
            else
                put_float_text(w, d);
        }
    } else if (type == &ty_bytes_type) {
        put_type(w, 's', v);
        put_size(w, ty_bytes_length(v));
        put_bytes(w, ty_bytes_data(v), (size_t)ty_bytes_length(v));
    } else if (type == &ty_str_type) {
        put_str(w, v);
    } else if (type == &ty_tuple_type) {
        put_tuple(w, v);
    } else if (type == &ty_list_type) {
        put_list(w, v);
    } else if (type == &ty_dict_type) {
        put_dict(w, v);
    } else if (type == &ty_set_type || type == &ty_frozenset_type) {
        put_set(w, v);
    } else if (type == &ty_code_type) {
        put_code(w, v);
    } else if (type == &ty_slice_type && w->version >= 5) {
        TySlice *slice = (TySlice *)ty_object(v);
        put_type(w, ':', v);
        set_open(w, v, true);
        put(w, slice->start);
        put(w, slice->stop);
        put(w, slice->step);
        set_open(w, v, false);
    } else if (ty_has_buffer(v)) {
        put_buffer(w, v);
    } else {
        put_byte(w, '?');
        w->failure = UNMARSHALLABLE;
    }
}

static void put(Writer *w, Value v)
{
    if (w->failure)
        return;
    if (v == TY_NONE)
        put_byte(w, 'N');
    else if (v == TY_TRUE)
        put_byte(w, 'T');
    else if (v == TY_FALSE)
        put_byte(w, 'F');
    else if (v == TY_ELLIPSIS)
        put_byte(w, '.');
    else if (v == ty_from_object(&ty_StopIteration))
        put_byte(w, 'S');
    else if (!put_reference(w, v) && enter_value(w)) {
        put_object(w, v);
        w->depth--;
    }
}

static Value dump(Value v, int version, bool allow_code, Failure *failure)
{
    Writer w = {.version = version, .allow_code = allow_code};
    if (version >= 3)
        survey(&w, v);
    w.depth = 0;
    put(&w, v);
    Value result = w.failure ? TY_NULL : ty_bytes_new(w.data, w.size);
    *failure = w.failure ? w.failure : result == TY_NULL ? RAISED : FINE;
    free(w.data);
    free(w.seen);
    return result;
}

static Value dump_or_raise(Value v, int version, bool allow_code)
{
    Failure failure;
    Value result = dump(v, version, allow_code, &failure);
    switch (failure) {
    case UNMARSHALLABLE: return ty_raise(&ty_ValueError, "unmarshallable object");
    case TOO_DEEP: return ty_raise(&ty_ValueError, "object too deeply nested to marshal");
    case NO_MEMORY: return ty_raised() ? TY_NULL : ty_raise_memory_error();
    case CODE_FORBIDDEN: return ty_raise(&ty_ValueError, "marshalling code objects is disallowed");
    default: return result;
    }
}

Value ty_marshal_dump(Value v, int version) { return dump_or_raise(v, version, true); }

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

typedef struct Reader {
    const uint8_t *next, *end;
    Value file;         /* what to read from when there is no memory, or TY_NULL */
    Value chunk;        /* keeps what was read last alive */
    Value references;   /* list */
    int depth;
    bool allow_code;
    bool trusted;       /* code is not verified */
} Reader;

static Value bad(const char *what)
{
    return ty_raised() ? TY_NULL : ty_raise(&ty_ValueError, "bad marshal data (%s)", what);
}

static const uint8_t *take_from_file(Reader *r, size_t size)
{
    Value buffer = ty_bytearray_new(NULL, size);
    if (buffer == TY_NULL)
        return NULL;
    Value count = ty_call_method_one(r->file, TY_NAME("readinto"), buffer);
    int64_t n;
    if (count == TY_NULL || !ty_to_int64(count, &n))
        return NULL;
    if (n != (int64_t)size) {
        if (n > (int64_t)size)
            ty_raise(&ty_ValueError, "read() returned too much data: %zu bytes requested, %lld returned", size, (long long)n);
        else
            ty_raise(&ty_EOFError, "EOF read where not expected");
        return NULL;
    }
    r->chunk = ty_bytes_from_object(buffer);
    return r->chunk == TY_NULL ? NULL : ty_bytes_data(r->chunk);
}

/* The next bytes; NULL with EOFError. */
static const uint8_t *take(Reader *r, size_t size)
{
    if (r->file != TY_NULL)
        return take_from_file(r, size);
    if (size > (size_t)(r->end - r->next)) {
        ty_raise(&ty_EOFError, "marshal data too short");
        return NULL;
    }
    const uint8_t *result = r->next;
    r->next += size;
    return result;
}

static bool take_byte(Reader *r, uint8_t *byte)
{
    const uint8_t *p = take(r, 1);
    if (p)
        *byte = *p;
    return p != NULL;
}

static bool take_int32(Reader *r, int32_t *out)
{
    const uint8_t *p = take(r, 4);
    if (p)
        *out = (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    return p != NULL;
}

static bool take_double(Reader *r, double *out)
{
    const uint8_t *p = take(r, sizeof *out);
    if (p)
        memcpy(out, p, sizeof *out);
    return p != NULL;
}

static bool take_float_text(Reader *r, double *out)
{
    uint8_t length;
    if (!take_byte(r, &length))
        return false;
    const uint8_t *p = take(r, length);
    Value v = p ? ty_float_from_text((const char *)p, length) : TY_NULL;
    if (v == TY_NULL)
        return false;
    *out = ty_float_value(v);
    return true;
}

static bool take_size(Reader *r, bool is_short, const char *what, int64_t *out)
{
    if (is_short) {
        uint8_t byte;
        if (!take_byte(r, &byte))
            return false;
        *out = byte;
        return true;
    }
    int32_t size;
    if (!take_int32(r, &size))
        return false;
    if (size < 0) {
        bad(what);
        return false;
    }
    *out = size;
    return true;
}

/* Remembers a value for later references, if its type byte was flagged. */
static bool remember(Reader *r, bool flagged, Value v)
{
    return !flagged || (v != TY_NULL && ty_list_append(r->references, v));
}

static Value remembered(Reader *r, bool flagged, Value v) { return v != TY_NULL && remember(r, flagged, v) ? v : TY_NULL; }

/* A place for a value that will be known later; -1: none is wanted, -2: error. */
static int64_t reserve(Reader *r, bool flagged)
{
    if (!flagged)
        return -1;
    return ty_list_append(r->references, TY_NOT_IMPLEMENTED) ? ty_list_length(r->references) - 1 : -2;
}

static Value settle(Reader *r, int64_t place, Value v)
{
    if (v == TY_NULL || (place >= 0 && !ty_list_set(r->references, place, v)))
        return TY_NULL;
    return v;
}

static Value take_object(Reader *r, bool *is_null);

/* An object that must be there. */
static Value take_item(Reader *r, const char *container)
{
    bool is_null = false;
    Value v = take_object(r, &is_null);
    if (is_null)
        return ty_raise(&ty_TypeError, "NULL object in marshal data for %s", container);
    return v;
}

static Value take_long(Reader *r)
{
    int32_t n;
    if (!take_int32(r, &n))
        return TY_NULL;
    if (n < -INT32_MAX)
        return bad("long size out of range");
    size_t digits = (size_t)(n < 0 ? -n : n), size = digits * 15 / 8 + 4;
    const uint8_t *p = take(r, digits * 2);
    uint8_t *bytes = p ? calloc(size, 1) : NULL;
    if (!bytes)
        return p ? ty_raise_memory_error() : TY_NULL;
    uint32_t digit = 1;
    for (size_t d = 0; d < digits; d++) {
        digit = (uint32_t)p[2 * d] | (uint32_t)p[2 * d + 1] << 8;
        if (digit > 0x7FFF) {
            free(bytes);
            return bad("digit out of range in long");
        }
        size_t bit = d * 15;
        uint32_t window = digit << (bit % 8);
        bytes[bit / 8] |= (uint8_t)window;
        bytes[bit / 8 + 1] |= (uint8_t)(window >> 8);
        bytes[bit / 8 + 2] |= (uint8_t)(window >> 16);
    }
    if (!digit) {
        free(bytes);
        return bad("unnormalized long data");
    }
    Value v = ty_int_from_bytes(bytes, size, true, false);
    free(bytes);
    return v != TY_NULL && n < 0 ? ty_int_negative(v) : v;
}

static Value take_utf8(Reader *r, bool interned)
{
    int64_t size;
    if (!take_size(r, false, "string size out of range", &size))
        return TY_NULL;
    const uint8_t *p = size ? take(r, (size_t)size) : (const uint8_t *)"";
    if (!p)
        return TY_NULL;
    Value bytes = ty_bytes_new(p, (size_t)size);
    Value arguments[2] = {TY_NAME("utf-8"), TY_NAME("surrogatepass")};
    Value v = bytes == TY_NULL ? TY_NULL : ty_call_method(bytes, TY_NAME("decode"), arguments, 2);
    return v != TY_NULL && interned ? ty_intern(v) : v;
}

static Value take_ascii(Reader *r, bool is_short, bool interned)
{
    int64_t size;
    if (!take_size(r, is_short, "string size out of range", &size))
        return TY_NULL;
    const uint8_t *p = take(r, (size_t)size);
    if (!p)
        return TY_NULL;
    for (int64_t i = 0; interned && i < size; i++)
        if (p[i] >= 0x80)
            return ty_intern(ty_str_from_latin1((const char *)p, (size_t)size));
    return interned ? ty_intern_utf8((const char *)p, (size_t)size) : ty_str_from_latin1((const char *)p, (size_t)size);
}

/* No more items than there can be bytes for: sizes are not to be trusted. */
static bool plausible(const Reader *r, int64_t count) { return r->file != TY_NULL || count <= r->end - r->next; }

static Value take_tuple(Reader *r, bool is_short, bool flagged)
{
    int64_t count;
    if (!take_size(r, is_short, "tuple size out of range", &count))
        return TY_NULL;
    if (!plausible(r, count))
        return ty_raise(&ty_EOFError, "marshal data too short");
    Value tuple = remembered(r, flagged, ty_tuple_new(count)); /* at once: a list in it may hold it */
    for (int64_t i = 0; i < count && tuple != TY_NULL; i++) {
        Value item = take_item(r, "tuple");
        if (item == TY_NULL)
            return TY_NULL;
        ty_tuple_set(tuple, i, item);
    }
    return tuple;
}

static Value take_list(Reader *r, bool flagged)
{
    int64_t count;
    if (!take_size(r, false, "list size out of range", &count))
        return TY_NULL;
    Value list = ty_list_new(plausible(r, count) ? count : 0);
    if (list == TY_NULL || !remember(r, flagged, list))
        return TY_NULL;
    for (int64_t i = 0; i < count; i++) {
        Value item = take_item(r, "list");
        if (item == TY_NULL || !ty_list_append(list, item))
            return TY_NULL;
    }
    return list;
}

static Value take_dict(Reader *r, bool flagged)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL || !remember(r, flagged, dict))
        return TY_NULL;
    for (;;) {
        bool is_null = false;
        Value key = take_object(r, &is_null);
        if (is_null)
            return dict;
        Value value = key == TY_NULL ? TY_NULL : take_object(r, &is_null);
        if (is_null)
            return dict;
        if (value == TY_NULL || !ty_dict_set(dict, key, value))
            return TY_NULL;
    }
}

static Value take_set(Reader *r, bool frozen, bool flagged)
{
    int64_t count;
    if (!take_size(r, false, "set size out of range", &count))
        return TY_NULL;
    if (frozen && !count)
        return remembered(r, flagged, ty_frozenset_new(TY_NULL));
    int64_t place = frozen ? reserve(r, flagged) : -1;
    Value set = place == -2 ? TY_NULL : frozen ? ty_frozenset_fresh() : ty_set_new(TY_NULL);
    if (frozen && set != TY_NULL && count) /* the empty one may be shared */
        set = ty_list_new(0);
    if (set == TY_NULL || (!frozen && !remember(r, flagged, set)))
        return TY_NULL;
    for (int64_t i = 0; i < count; i++) {
        Value item = take_item(r, "set");
        if (item == TY_NULL || !(frozen ? ty_list_append(set, item) : ty_set_add(set, item)))
            return TY_NULL;
    }
    return frozen ? settle(r, place, ty_frozenset_new(set)) : set;
}

static Value take_slice(Reader *r, bool flagged)
{
    int64_t place = reserve(r, flagged);
    Value start = place == -2 ? TY_NULL : take_item(r, "slice");
    Value stop = start == TY_NULL ? TY_NULL : take_item(r, "slice");
    Value step = stop == TY_NULL ? TY_NULL : take_item(r, "slice");
    return step == TY_NULL ? TY_NULL : settle(r, place, ty_slice_new(start, stop, step));
}

static Value take_code(Reader *r, bool flagged)
{
    if (!r->allow_code)
        return ty_raise(&ty_ValueError, "unmarshalling code objects is disallowed");
    int64_t place = reserve(r, flagged);
    if (place == -2)
        return TY_NULL;
    TyCodeParts p = {0};
    uint32_t *numbers[CODE_NUMBERS] = {
        &p.flags, &p.positional_count, &p.positional_only_count, &p.keyword_only_count, &p.local_count, &p.cell_count, &p.free_count,
        &p.register_count, &p.cache_count, &p.first_line,
    };
    for (int i = 0; i < CODE_NUMBERS; i++) {
        int32_t number;
        if (!take_int32(r, &number))
            return TY_NULL;
        *numbers[i] = (uint32_t)number;
    }
    Value *values[CODE_VALUES] = {
        &p.bytecode, &p.handler_bytes, &p.depths, &p.positions, &p.consts, &p.names, &p.register_names, &p.register_kinds, &p.filename,
        &p.name, &p.qualname,
    };
    for (int i = 0; i < CODE_VALUES; i++)
        if ((*values[i] = take_item(r, "code")) == TY_NULL)
            return TY_NULL;
    if (!ty_is_exact(p.bytecode, &ty_bytes_type) || !ty_is_exact(p.handler_bytes, &ty_bytes_type))
        return bad("code object");
    if (ty_is_exact_tuple(p.names)) { /* names are compared by identity */
        Value names = ty_tuple_new(ty_tuple_length(p.names));
        for (int64_t i = 0; i < ty_tuple_length(p.names) && names != TY_NULL; i++) {
            Value name = ty_tuple_item(p.names, i);
            if (!ty_is_exact_str(name))
                return bad("code object");
            ty_tuple_set(names, i, ty_intern(name));
        }
        p.names = names;
    }
    Value code = p.names == TY_NULL ? TY_NULL : ty_code_new(&p);
    if (code == TY_NULL)
        return TY_NULL;
    if (!r->trusted && !ty_code_verify(as_code(code)))
        return bad("code object");
    return settle(r, place, code);
}

static Value take_reference(Reader *r)
{
    int32_t index;
    if (!take_int32(r, &index))
        return TY_NULL;
    Value v = index < 0 ? TY_NULL : ty_list_item(r->references, index);
    return v == TY_NULL || v == TY_NOT_IMPLEMENTED ? bad("invalid reference") : v;
}

static Value take_number(Reader *r, uint8_t type)
{
    double x = 0, y = 0;
    int32_t i;
    switch (type) {
    case 'i':
        return take_int32(r, &i) ? ty_from_immediate_int(i) : TY_NULL;
    case 'I': {
        const uint8_t *p = take(r, 8);
        return p ? ty_int_from_bytes(p, 8, true, true) : TY_NULL;
    }
    case 'f':
        return take_float_text(r, &x) ? ty_from_double(x) : TY_NULL;
    case 'g':
        return take_double(r, &x) ? ty_from_double(x) : TY_NULL;
    case 'x':
        return take_float_text(r, &x) && take_float_text(r, &y) ? ty_complex_new(x, y) : TY_NULL;
    case 'y':
        return take_double(r, &x) && take_double(r, &y) ? ty_complex_new(x, y) : TY_NULL;
    default:
        return take_long(r);
    }
}

static Value take_typed(Reader *r, uint8_t type, bool flagged, bool *is_null)
{
    switch (type) {
    case '0':
        *is_null = true;
        return TY_NULL;
    case 'N': return TY_NONE;
    case 'T': return TY_TRUE;
    case 'F': return TY_FALSE;
    case '.': return TY_ELLIPSIS;
    case 'S': return ty_from_object(&ty_StopIteration);
    case 'i': case 'I': case 'f': case 'g': case 'x': case 'y': case 'l':
        return remembered(r, flagged, take_number(r, type));
    case 's': {
        int64_t size;
        if (!take_size(r, false, "bytes object size out of range", &size))
            return TY_NULL;
        const uint8_t *p = take(r, (size_t)size);
        return p ? remembered(r, flagged, ty_bytes_new(p, (size_t)size)) : TY_NULL;
    }
    case 'a': case 'A': return remembered(r, flagged, take_ascii(r, false, type == 'A'));
    case 'z': case 'Z': return remembered(r, flagged, take_ascii(r, true, type == 'Z'));
    case 'u': case 't': return remembered(r, flagged, take_utf8(r, type == 't'));
    case ')': case '(': return take_tuple(r, type == ')', flagged);
    case '[': return take_list(r, flagged);
    case '{': return take_dict(r, flagged);
    case '<': case '>': return take_set(r, type == '>', flagged);
    case ':': return take_slice(r, flagged);
    case 'c': return take_code(r, flagged);
    case 'r': return take_reference(r);
    default: return bad("unknown type code");
    }
}

static Value take_object(Reader *r, bool *is_null)
{
    uint8_t code;
    if (r->file == TY_NULL && r->next == r->end)
        return ty_raise(&ty_EOFError, "EOF read where object expected");
    if (!take_byte(r, &code))
        return TY_NULL;
    if (++r->depth > MAX_DEPTH || ty_c_stack_low()) {
        r->depth--;
        return ty_raise(&ty_ValueError, "recursion limit exceeded");
    }
    Value v = take_typed(r, code & ~FLAG_REF, code & FLAG_REF, is_null);
    r->depth--;
    return v;
}

static Value load(Reader *r)
{
    r->references = ty_list_new(0);
    return r->references == TY_NULL ? TY_NULL : take_item(r, "object");
}

Value ty_marshal_load(const uint8_t *data, size_t size)
{
    Reader r = {.next = data, .end = data + size, .allow_code = true};
    return load(&r);
}

Value ty_marshal_load_own(const uint8_t *data, size_t size)
{
    Reader r = {.next = data, .end = data + size, .allow_code = true, .trusted = true};
    return load(&r);
}

/* --- the module ---------------------------------------------------------------------------------------------------------------- */

static bool version_and_code(Value version, Value allow, int *out_version, bool *out_allow)
{
    int32_t number = TY_MARSHAL_VERSION;
    *out_allow = true;
    if (version != TY_NULL && !ty_to_int32(version, &number))
        return false;
    *out_version = number;
    return allow == TY_NULL || ty_to_bool(allow, out_allow);
}

static Value marshal_dumps(Value self, Value *a)
{
    int version;
    bool allow;
    (void)self;
    return version_and_code(a[1], a[2], &version, &allow) ? dump_or_raise(a[0], version, allow) : TY_NULL;
}

static Value marshal_dump(Value self, Value *a)
{
    int version;
    bool allow;
    (void)self;
    if (!version_and_code(a[2], a[3], &version, &allow))
        return TY_NULL;
    Value bytes = dump_or_raise(a[0], version, allow);
    return bytes == TY_NULL ? TY_NULL : ty_call_method_one(a[1], TY_NAME("write"), bytes);
}

static Value marshal_loads(Value self, Value *a)
{
    (void)self;
    Reader r = {.allow_code = true};
    if (a[1] != TY_NULL && !ty_to_bool(a[1], &r.allow_code))
        return TY_NULL;
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    r.next = view.data;
    r.end = view.data + view.length;
    Value v = load(&r);
    ty_buffer_release(&view);
    return v;
}

static Value marshal_load(Value self, Value *a)
{
    (void)self;
    Reader r = {.allow_code = true, .file = a[0]};
    if (a[1] != TY_NULL && !ty_to_bool(a[1], &r.allow_code))
        return TY_NULL;
    Value nothing = ty_call_method_one(a[0], TY_NAME("read"), ty_from_immediate_int(0));
    if (nothing == TY_NULL)
        return TY_NULL;
    if (!ty_is_bytes(nothing))
        return ty_raise(&ty_TypeError, "file.read() returned not bytes but %T", nothing);
    return load(&r);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("dump(value, file, version=5, /, *, allow_code=True)", marshal_dump, "Writes the value's bytes to a binary file."),
    TY_FUNCTION("load(file, /, *, allow_code=True)", marshal_load, "Reads one value from a binary file."),
    TY_FUNCTION("dumps(value, version=5, /, *, allow_code=True)", marshal_dumps, "The bytes that dump() would write."),
    TY_FUNCTION("loads(bytes, /, *, allow_code=True)", marshal_loads, "The value that bytes stand for; what follows it is ignored."),
    {0},
};

static bool execute(Value module) { return ty_module_add_int(module, "version", TY_MARSHAL_VERSION); }

const TyModuleDef ty_module_marshal = {
    .name = "marshal",
    .doc = "Values as bytes, for cached code. The format is not made for data from others: it may change, and it is no database.",
    .functions = functions,
    .execute = execute,
};
