/* The pickler. */
#include "modules/_pickle/pickle.h"
#include "object/codec.h"
#include "object/function.h"
#include "object/interpreter.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct Pickler {
    TyObject base;
    Value write;            /* file.write; TY_NULL: not made ready, or what is written is kept (dumps) */
    Value persistent_id;    /* set on the instance, or TY_NULL */
    Value dispatch_table;   /* the same */
    Value buffer_callback;  /* or TY_NULL */
    TyArray *memo;          /* open addressing by identity: pairs of an object and its number. NULL: empty */
    int64_t memo_count;
    int32_t protocol, bin, fast;
    bool ready, fix_imports;
    _Atomic bool running;
} Pickler;

#define SELF(v) ((Pickler *)ty_object(v))

typedef struct Outer { /* fast mode: the containers being written, innermost first */
    Value object;
    const struct Outer *next;
} Outer;

enum { FRAME_HEADER = 9, FAST_NESTING_MAX = 50 };

typedef struct Writing { /* of one pickle */
    Pickler *pickler;
    const Value *state;
    uint8_t *bytes;          /* what is not yet in the file */
    size_t length, capacity;
    int64_t frame;           /* where the present frame begins, or -1 */
    bool framing;
    Value persistent_id, reducer_override; /* TY_NULL: there is none */
    Value dispatch_table;    /* the pickler's own, or TY_NULL */
    const Outer *outer;
    int depth;               /* of `outer` */
} Writing;

static bool save(Writing *w, Value v);

/* --- output --------------------------------------------------------------------------------------------------------- */

static bool reserve(Writing *w, size_t more)
{
    if (TY_LIKELY(w->capacity - w->length >= more))
        return true;
    size_t capacity = TY_MAX(w->capacity * 2, w->length + more);
    capacity = TY_MAX(capacity, (size_t)256);
    uint8_t *bytes = realloc(w->bytes, capacity);
    if (!bytes) {
        ty_raise_memory_error();
        return false;
    }
    w->bytes = bytes;
    w->capacity = capacity;
    return true;
}

static bool put(Writing *w, const void *data, size_t size)
{
    if (!reserve(w, size + FRAME_HEADER))
        return false;
    if (w->framing && w->frame < 0) {
        w->frame = (int64_t)w->length;
        w->length += FRAME_HEADER;
    }
    memcpy(w->bytes + w->length, data, size);
    w->length += size;
    return true;
}

static bool put_op(Writing *w, uint8_t op) { return put(w, &op, 1); }

static void little(uint8_t *bytes, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static bool put_number(Writing *w, uint8_t op, uint64_t value, int size)
{
    uint8_t bytes[9] = {op};
    little(bytes + 1, value, size);
    return put(w, bytes, 1 + (size_t)size);
}

static bool put_line(Writing *w, const char *text) { return put(w, text, strlen(text)) && put(w, "\n", 1); }

static void commit_frame(Writing *w)
{
    if (w->frame < 0)
        return;
    uint8_t *header = w->bytes + w->frame;
    size_t size = w->length - (size_t)w->frame - FRAME_HEADER;
    if (size >= TY_PICKLE_FRAME_LEAST) {
        header[0] = OP_FRAME;
        little(header + 1, size, 8);
    } else {
        memmove(header, header + FRAME_HEADER, size);
        w->length -= FRAME_HEADER;
    }
    w->frame = -1;
}

static bool flush(Writing *w)
{
    if (w->length == 0)
        return true;
    Value bytes = ty_bytes_new(w->bytes, w->length);
    w->length = 0;
    return bytes != TY_NULL && ty_call_one(w->pickler->write, bytes) != TY_NULL;
}

/* Between two objects a frame that is long enough may end. */
static bool boundary(Writing *w)
{
    if (TY_LIKELY(w->frame < 0 || w->length - (size_t)w->frame - FRAME_HEADER < TY_PICKLE_FRAME_TARGET))
        return true;
    commit_frame(w);
    return w->pickler->write == TY_NULL || flush(w);
}

/* A header and the bytes that it announces; long ones go to the file as they are, outside any frame. `payload`: an object that is these bytes, or TY_NULL. */
static bool put_bytes(Writing *w, const uint8_t *header, size_t header_size, const uint8_t *data, size_t size, Value payload)
{
    if (size < TY_PICKLE_FRAME_TARGET)
        return put(w, header, header_size) && put(w, data, size);
    bool framing = w->framing;
    commit_frame(w);
    w->framing = false;
    bool fine = put(w, header, header_size);
    if (fine && w->pickler->write != TY_NULL) {
        if (payload == TY_NULL)
            payload = ty_bytes_new(data, size);
        fine = payload != TY_NULL && flush(w) && ty_call_one(w->pickler->write, payload) != TY_NULL;
    } else {
        fine = fine && put(w, data, size);
    }
    w->framing = framing;
    return fine;
}

/* --- the memo ------------------------------------------------------------------------------------------------------- */

static size_t memo_place(const TyArray *memo, Value v)
{
    size_t mask = (size_t)memo->capacity / 2 - 1;
    size_t place = (size_t)((v >> 4) * 0x9E3779B97F4A7C15ull >> 32) & mask;
    while (memo->items[2 * place] != TY_NULL && memo->items[2 * place] != v)
        place = (place + 1) & mask;
    return place;
}

static int64_t memo_find(const Pickler *p, Value v)
{
    if (!p->memo)
        return -1;
    size_t place = memo_place(p->memo, v);
    return p->memo->items[2 * place] == TY_NULL ? -1 : ty_immediate_int(p->memo->items[2 * place + 1]);
}

static void memo_put(TyArray *memo, Value v, int64_t number)
{
    size_t place = memo_place(memo, v);
    ty_store(memo, &memo->items[2 * place], v);
    ty_store(memo, &memo->items[2 * place + 1], ty_from_immediate_int(number));
}

static bool memo_enter(Pickler *p, Value v, int64_t number)
{
    if (!p->memo || (p->memo_count + 1) * 3 >= p->memo->capacity) { /* two thirds full: the capacity counts both of a pair */
        TyArray *old = p->memo, *memo = ty_array_new(old ? old->capacity * 2 : 32);
        if (!memo)
            return false;
        for (int64_t i = 0; old && i < old->capacity; i += 2)
            if (old->items[i] != TY_NULL)
                memo_put(memo, old->items[i], ty_immediate_int(old->items[i + 1]));
        ty_store_pointer(p, &p->memo, memo);
    }
    memo_put(p->memo, v, number);
    p->memo_count++;
    return true;
}

static void memo_clear(Pickler *p)
{
    ty_store_pointer(p, &p->memo, NULL);
    p->memo_count = 0;
}

static bool put_get(Writing *w, int64_t number)
{
    if (w->pickler->bin)
        return number < 256 ? put_number(w, OP_BINGET, (uint64_t)number, 1) : put_number(w, OP_LONG_BINGET, (uint64_t)number, 4);
    char text[24];
    snprintf(text, sizeof text, "%c%lld", OP_GET, (long long)number);
    return put_line(w, text);
}

static bool memoize(Writing *w, Value v)
{
    Pickler *p = w->pickler;
    if (p->fast)
        return true;
    int64_t number = p->memo_count;
    if (!memo_enter(p, v, number))
        return false;
    if (p->protocol >= 4)
        return put_op(w, OP_MEMOIZE);
    if (p->bin)
        return number < 256 ? put_number(w, OP_BINPUT, (uint64_t)number, 1) : put_number(w, OP_LONG_BINPUT, (uint64_t)number, 4);
    char text[24];
    snprintf(text, sizeof text, "%c%lld", OP_PUT, (long long)number);
    return put_line(w, text);
}

/* --- what an error was met in ------------------------------------------------------------------------------------------ */

/* Gives the raised exception a note. Returns false. */
static bool noted(const char *format, ...)
{
    Value exception = ty_take_exception();
    va_list arguments;
    va_start(arguments, format);
    Value note = ty_str_format_va(format, arguments);
    va_end(arguments);
    if (note != TY_NULL)
        ty_call_method_one(exception, TY_NAME("add_note"), note);
    ty_clear_exception();
    ty_restore_exception(exception);
    return false;
}

static bool fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ty_raise_va(ty_pickle_error(TY_PICKLE_PICKLING_ERROR), format, arguments);
    va_end(arguments);
    return false;
}

/* --- atoms ---------------------------------------------------------------------------------------------------------- */

static bool save_bool(Writing *w, bool b)
{
    if (w->pickler->protocol >= 2)
        return put_op(w, b ? OP_NEWTRUE : OP_NEWFALSE);
    return put_line(w, b ? "I01" : "I00");
}

static bool save_int(Writing *w, Value v)
{
    int64_t i;
    bool small = ty_int_get_int64(v, &i) == 0 && i >= INT32_MIN && i <= INT32_MAX;
    if (small && w->pickler->bin) {
        if (i >= 0 && i <= 0xFF)
            return put_number(w, OP_BININT1, (uint64_t)i, 1);
        if (i >= 0 && i <= 0xFFFF)
            return put_number(w, OP_BININT2, (uint64_t)i, 2);
        return put_number(w, OP_BININT, (uint64_t)i, 4);
    }
    if (w->pickler->protocol < 2) {
        Value text = ty_int_to_text(v, 10, false);
        return text != TY_NULL && put_op(w, small ? OP_INT : OP_LONG) && put(w, ty_str_data(text), (size_t)ty_str_length(text)) &&
               (small ? put(w, "\n", 1) : put(w, "L\n", 2));
    }
    size_t size = (size_t)(ty_int_bit_length(v) >> 3) + 1;
    Value holder = ty_bytes_new(NULL, size);
    if (holder == TY_NULL)
        return false;
    uint8_t *bytes = ty_as_bytes(holder)->data;
    if (!ty_int_to_bytes(v, bytes, size, true, true))
        return false;
    if (size > 1 && bytes[size - 1] == 0xFF && bytes[size - 2] & 0x80) /* a negative number whose sign bit stands in the byte below already */
        size--;
    uint8_t header[5] = {OP_LONG1, (uint8_t)size};
    if (size < 256)
        return put(w, header, 2) && put(w, bytes, size);
    if (size > INT32_MAX) {
        ty_raise(&ty_OverflowError, "int too large to pickle");
        return false;
    }
    header[0] = OP_LONG4;
    little(header + 1, size, 4);
    return put_bytes(w, header, 5, bytes, size, TY_NULL);
}

static bool save_float(Writing *w, Value v)
{
    double d = ty_float_value(v);
    if (w->pickler->bin) {
        uint64_t bits;
        memcpy(&bits, &d, 8);
        bits = __builtin_bswap64(bits);
        return put_number(w, OP_BINFLOAT, bits, 8);
    }
    Value text = ty_float_repr(v);
    return text != TY_NULL && put_op(w, OP_FLOAT) && put(w, ty_str_data(text), (size_t)ty_str_length(text)) && put(w, "\n", 1);
}

static bool save_reduce(Writing *w, const Value *parts, size_t count, Value v);

static bool save_reduced(Writing *w, Value v, Value function, Value arguments)
{
    Value parts[2] = {function, arguments};
    return arguments != TY_NULL && function != TY_NULL && save_reduce(w, parts, 2, v);
}

/* Bytes for protocol 3 and later, not entered in the memo. */
static bool put_bytes_object(Writing *w, const uint8_t *data, size_t size, Value payload)
{
    uint8_t header[9] = {OP_SHORT_BINBYTES, (uint8_t)size};
    size_t header_size = 2;
    if (size > UINT32_MAX) {
        if (w->pickler->protocol < 4) {
            ty_raise(&ty_OverflowError, "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher");
            return false;
        }
        header[0] = OP_BINBYTES8;
        little(header + 1, size, 8);
        header_size = 9;
    } else if (size > 0xFF) {
        header[0] = OP_BINBYTES;
        little(header + 1, size, 4);
        header_size = 5;
    }
    return put_bytes(w, header, header_size, data, size, payload);
}

static bool put_bytearray(Writing *w, const uint8_t *data, size_t size)
{
    uint8_t header[9] = {OP_BYTEARRAY8};
    little(header + 1, size, 8);
    return put_bytes(w, header, 9, data, size, TY_NULL);
}

static bool save_bytes(Writing *w, Value v)
{
    if (w->pickler->protocol >= 3)
        return put_bytes_object(w, ty_bytes_data(v), (size_t)ty_bytes_length(v), v) && memoize(w, v);
    /* Older protocols have no bytes: text that Latin-1 turns into them. */
    if (ty_bytes_length(v) == 0)
        return save_reduced(w, v, ty_from_object(&ty_bytes_type), ty_tuple_empty());
    Value text = ty_str_from_latin1((const char *)ty_bytes_data(v), (size_t)ty_bytes_length(v));
    return save_reduced(w, v, w->state[TY_PICKLE_CODECS_ENCODE], ty_tuple_pack(2, text, TY_NAME("latin1")));
}

static bool save_bytearray(Writing *w, Value v)
{
    TyBuffer view;
    if (w->pickler->protocol < 5) {
        Value bytes = ty_bytes_from_object(v);
        bool empty = bytes != TY_NULL && ty_bytes_length(bytes) == 0;
        return save_reduced(w, v, ty_from_object(&ty_bytearray_type), bytes == TY_NULL ? TY_NULL : empty ? ty_tuple_empty() : ty_tuple_pack(1, bytes));
    }
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return false;
    bool fine = put_bytearray(w, view.data, (size_t)view.length) && memoize(w, v);
    ty_buffer_release(&view);
    return fine;
}

static bool save_picklebuffer(Writing *w, Value v)
{
    const TyBuffer *view;
    if (w->pickler->protocol < 5)
        return fail("PickleBuffer can only be pickled with protocol >= 5");
    if (!ty_pickle_buffer_view(v, &view))
        return false;
    if (view->suboffsets || !(ty_buffer_is_contiguous(view, 'C') || ty_buffer_is_contiguous(view, 'F')))
        return fail("PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
    TyBuffer own; /* the callback may release the object's */
    int in_band = 1;
    if (!ty_buffer_get(v, &own, TY_BUFFER_FULL_RO))
        return false;
    if (w->pickler->buffer_callback != TY_NULL) {
        Value answer = ty_call_one(w->pickler->buffer_callback, v);
        in_band = answer == TY_NULL ? -1 : ty_is_true(answer);
    }
    bool fine = in_band >= 0;
    if (fine && in_band)
        fine = (own.read_only ? put_bytes_object(w, own.data, (size_t)own.length, TY_NULL) : put_bytearray(w, own.data, (size_t)own.length)) && memoize(w, v);
    else if (fine)
        fine = put_op(w, OP_NEXT_BUFFER) && (!own.read_only || put_op(w, OP_READONLY_BUFFER));
    ty_buffer_release(&own);
    return fine;
}

/* Protocol 0: raw-unicode-escape, with what would end the line escaped too. */
static bool put_escaped(Writing *w, Value v)
{
    int64_t length = ty_str_length(v);
    if (!put_op(w, OP_UNICODE))
        return false;
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = ty_str_at(v, i);
        char text[12];
        size_t size = 1;
        if (c > 0xFFFF)
            size = (size_t)snprintf(text, sizeof text, "\\U%08x", c);
        else if (c > 0xFF || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1A)
            size = (size_t)snprintf(text, sizeof text, "\\u%04x", c);
        else
            text[0] = (char)c;
        if (!put(w, text, size))
            return false;
    }
    return put(w, "\n", 1);
}

static bool save_str(Writing *w, Value v)
{
    if (!w->pickler->bin)
        return put_escaped(w, v) && memoize(w, v);
    const uint8_t *data = ty_str_data(v);
    size_t size = (size_t)ty_str_length(v);
    Value holder = TY_NULL;
    if (!ty_str_is_ascii(v)) {
        holder = ty_str_encode_utf8(v, "surrogatepass");
        if (holder == TY_NULL)
            return false;
        data = ty_bytes_data(holder);
        size = (size_t)ty_bytes_length(holder);
    }
    uint8_t header[9] = {OP_BINUNICODE};
    size_t header_size = 5;
    if (size <= 0xFF && w->pickler->protocol >= 4) {
        header[0] = OP_SHORT_BINUNICODE;
        header[1] = (uint8_t)size;
        header_size = 2;
    } else if (size <= UINT32_MAX) {
        little(header + 1, size, 4);
    } else if (w->pickler->protocol >= 4) {
        header[0] = OP_BINUNICODE8;
        little(header + 1, size, 8);
        header_size = 9;
    } else {
        ty_raise(&ty_OverflowError, "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
        return false;
    }
    bool fine = put_bytes(w, header, header_size, data, size, holder) && memoize(w, v);
    __asm__ volatile("" : : "r"(holder)); /* the bytes are read until here */
    return fine;
}

/* --- containers ------------------------------------------------------------------------------------------------------ */

static bool save_tuple(Writing *w, Value v)
{
    int64_t length = ty_tuple_length(v);
    Pickler *p = w->pickler;
    if (length == 0)
        return p->bin ? put_op(w, OP_EMPTY_TUPLE) : put(w, "(t", 2);
    bool few = length <= 3 && p->protocol >= 2;
    if (!few && !put_op(w, OP_MARK))
        return false;
    for (int64_t i = 0; i < length; i++)
        if (!save(w, ty_tuple_item(v, i)))
            return noted("when serializing %N item %lld", v, (long long)i);
    /* A tuple that is in the memo by now holds itself: what is on the stack is dropped for the one that was made. */
    int64_t number = memo_find(p, v);
    if (number >= 0) {
        if (!few && p->bin)
            return put_op(w, OP_POP_MARK) && put_get(w, number);
        for (int64_t i = 0; i < length + (few ? 0 : 1); i++)
            if (!put_op(w, OP_POP))
                return false;
        return put_get(w, number);
    }
    return put_op(w, few ? (uint8_t)(OP_TUPLE1 + length - 1) : OP_TUPLE) && memoize(w, v);
}

/* Appends `count` items, which are those of v from number `first` on. */
static bool put_batch(Writing *w, Value list, int64_t start, int64_t count, Value v, int64_t first)
{
    bool batch = count > 1 && w->pickler->bin;
    if (batch && !put_op(w, OP_MARK))
        return false;
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_list_item(list, start + i);
        if (item == TY_NULL) {
            ty_raise(&ty_RuntimeError, "list changed size during iteration");
            return false;
        }
        if (!save(w, item))
            return noted("when serializing %N item %lld", v, (long long)(first + i));
        if (!batch && !put_op(w, OP_APPEND))
            return false;
    }
    return !batch || put_op(w, OP_APPENDS);
}

/* A list of the next few things of an iterator. */
static Value fetch(Value iterator)
{
    Value list = ty_list_new(0);
    for (int i = 0; list != TY_NULL && i < TY_PICKLE_BATCH; i++) {
        Value item = ty_next(iterator);
        if (item == TY_NULL)
            return ty_raised() ? TY_NULL : list;
        if (!ty_list_append(list, item))
            return TY_NULL;
    }
    return list;
}

static bool put_items(Writing *w, Value iterator, Value v)
{
    for (int64_t first = 0;; first += TY_PICKLE_BATCH) {
        Value list = fetch(iterator);
        if (list == TY_NULL || !put_batch(w, list, 0, ty_list_length(list), v, first))
            return false;
        if (ty_list_length(list) < TY_PICKLE_BATCH)
            return true;
    }
}

static bool save_list(Writing *w, Value v)
{
    if (!(w->pickler->bin ? put_op(w, OP_EMPTY_LIST) : put(w, "(l", 2)) || !memoize(w, v))
        return false;
    int64_t length = ty_list_length(v);
    for (int64_t i = 0; i < length; i += TY_PICKLE_BATCH)
        if (!put_batch(w, v, i, TY_MIN(length - i, (int64_t)TY_PICKLE_BATCH), v, i))
            return false;
    return true;
}

static bool put_pair(Writing *w, Value key, Value value, Value v)
{
    return save(w, key) && (save(w, value) || noted("when serializing %N item %R", v, key));
}

static bool put_pairs(Writing *w, Value iterator, Value v)
{
    for (;;) {
        Value list = fetch(iterator);
        if (list == TY_NULL)
            return false;
        int64_t count = ty_list_length(list);
        bool batch = count > 1 && w->pickler->bin;
        if (batch && !put_op(w, OP_MARK))
            return false;
        for (int64_t i = 0; i < count; i++) {
            Value pair = ty_list_item(list, i);
            if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2) {
                ty_raise(&ty_TypeError, "dict items iterator must return 2-tuples");
                return false;
            }
            if (!put_pair(w, ty_tuple_item(pair, 0), ty_tuple_item(pair, 1), v) || (!batch && !put_op(w, OP_SETITEM)))
                return false;
        }
        if (batch && !put_op(w, OP_SETITEMS))
            return false;
        if (count < TY_PICKLE_BATCH)
            return true;
    }
}

/* The pairs of an exact dict, without tuples for them. */
static bool put_dict(Writing *w, Value v)
{
    int64_t length = ty_dict_length(v), position = 0, left = length;
    Value key, value;
    while (left > 0) {
        int64_t batch = w->pickler->bin ? TY_MIN(left, (int64_t)TY_PICKLE_BATCH) : 1;
        if (batch > 1 && !put_op(w, OP_MARK))
            return false;
        for (int64_t i = 0; i < batch; i++) {
            bool found = ty_dict_next(v, &position, &key, &value);
            if (found && !put_pair(w, key, value, v))
                return false;
            if (!found || ty_dict_length(v) != length) {
                ty_raise(&ty_RuntimeError, "dictionary changed size during iteration");
                return false;
            }
        }
        if (!put_op(w, batch > 1 ? OP_SETITEMS : OP_SETITEM))
            return false;
        left -= batch;
    }
    return true;
}

static bool save_dict(Writing *w, Value v)
{
    return (w->pickler->bin ? put_op(w, OP_EMPTY_DICT) : put(w, "(d", 2)) && memoize(w, v) && put_dict(w, v);
}

static bool put_elements(Writing *w, Value v, int64_t *position, int64_t batch)
{
    Value item;
    for (int64_t i = 0; i < batch && ty_set_next(v, position, &item); i++)
        if (!save(w, item))
            return noted("when serializing %N element", v);
    return true;
}

static bool save_set(Writing *w, Value v)
{
    if (w->pickler->protocol < 4) {
        Value list = ty_sequence_list(v);
        return save_reduced(w, v, ty_from_object(&ty_set_type), list == TY_NULL ? TY_NULL : ty_tuple_pack(1, list));
    }
    if (!put_op(w, OP_EMPTY_SET) || !memoize(w, v))
        return false;
    int64_t length = ty_set_length(v), position = 0;
    for (int64_t left = length; left > 0; left -= TY_PICKLE_BATCH) {
        if (!put_op(w, OP_MARK) || !put_elements(w, v, &position, TY_PICKLE_BATCH))
            return false;
        if (ty_set_length(v) != length) {
            ty_raise(&ty_RuntimeError, "set changed size during iteration");
            return false;
        }
        if (!put_op(w, OP_ADDITEMS))
            return false;
    }
    return true;
}

static bool save_frozenset(Writing *w, Value v)
{
    if (w->pickler->protocol < 4) {
        Value list = ty_sequence_list(v);
        return save_reduced(w, v, ty_from_object(&ty_frozenset_type), list == TY_NULL ? TY_NULL : ty_tuple_pack(1, list));
    }
    int64_t position = 0;
    if (!put_op(w, OP_MARK) || !put_elements(w, v, &position, INT64_MAX))
        return false;
    int64_t number = memo_find(w->pickler, v);
    if (number >= 0)
        return put_op(w, OP_POP_MARK) && put_get(w, number);
    return put_op(w, OP_FROZENSET) && memoize(w, v);
}

/* --- by name --------------------------------------------------------------------------------------------------------- */

/* The object that a dotted path leads to; TY_NULL with AttributeError, or what else the lookup raised. */
static Value attribute_at(Value object, Value path)
{
    for (int64_t i = 0; object != TY_NULL && i < ty_list_length(path); i++)
        object = ty_get_attribute(object, ty_list_item(path, i));
    return object;
}

static Value split(Value dotted) { return ty_call_method_one(dotted, TY_NAME("split"), ty_intern_text(".")); }

/* Names of modules that are the program itself, under whatever name: no place to find other things' origin. */
static bool is_main(Value name) { return ty_str_equal_text(name, "__main__") || ty_str_equal_text(name, "__mp_main__"); }

/* The module whose attribute at `path` the object is, by looking through all of them; TY_NULL and no exception: none. */
static Value search_modules(Value v, Value path)
{
    Value modules = ty_sequence_list(ty_call_method_none(ty_interpreter()->modules, TY_NAME("items")));
    if (modules == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(modules); i++) {
        Value pair = ty_list_item(modules, i);
        Value name = ty_tuple_item(pair, 0), module = ty_tuple_item(pair, 1);
        if (module == TY_NONE || (ty_is_str(name) && is_main(name)))
            continue;
        Value found = attribute_at(module, path);
        if (found == v)
            return name;
        if (found == TY_NULL && !ty_raised_is(&ty_AttributeError))
            return TY_NULL;
        ty_clear_exception();
    }
    return TY_NULL;
}

static Value which_module(Value v, Value name, Value path)
{
    for (int64_t i = 0; i < ty_list_length(path); i++)
        if (ty_str_equal_text(ty_list_item(path, i), "<locals>"))
            return TY_PICKLING("Can't pickle local object %R", v);
    bool failed = false;
    Value module_name = ty_get_attribute_or_null(v, TY_NAME("__module__"), &failed);
    if (failed)
        return TY_NULL;
    if (module_name == TY_NULL || module_name == TY_NONE) {
        module_name = search_modules(v, path);
        if (ty_raised())
            return TY_NULL;
        if (module_name == TY_NULL)
            module_name = TY_NAME("__main__");
    }
    Value module = ty_pickle_import(module_name);
    if (module == TY_NULL) {
        if (!ty_raised_is(&ty_ImportError) && !ty_raised_is(&ty_ValueError) && !ty_raised_is(&ty_KeyError))
            return TY_NULL;
        Value error = ty_take_exception();
        Value text = ty_str(error);
        ty_restore_exception(error);
        return text == TY_NULL ? TY_NULL : ty_raise_from(ty_pickle_error(TY_PICKLE_PICKLING_ERROR), "Can't pickle %R: %S", v, text);
    }
    Value found = attribute_at(module, path);
    if (found == v)
        return module_name;
    if (found == TY_NULL && ty_raised_is(&ty_AttributeError))
        return ty_raise_from(ty_pickle_error(TY_PICKLE_PICKLING_ERROR), "Can't pickle %R: it's not found as %S.%S", v, module_name, name);
    if (found == TY_NULL)
        return TY_NULL;
    return TY_PICKLING("Can't pickle %R: it's not the same object as %S.%S", v, module_name, name);
}

static bool put_identifier(Writing *w, Value text, const char *what)
{
    Value bytes = w->pickler->protocol >= 3 ? ty_str_encode_utf8(text, NULL) : ty_ascii_encode(text, TY_NULL);
    if (bytes == TY_NULL) {
        if (!ty_raised_is(&ty_UnicodeEncodeError))
            return false;
        ty_raise_from(ty_pickle_error(TY_PICKLE_PICKLING_ERROR), "can't pickle %s identifier %R using pickle protocol %d", what, text,
                      (int)w->pickler->protocol);
        return false;
    }
    return put(w, ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes)) && put(w, "\n", 1);
}

/* What Python 2 called them. */
static bool old_names(Writing *w, Value *module, Value *name)
{
    Value key = ty_tuple_pack(2, *module, *name);
    Value pair = key == TY_NULL ? TY_NULL : ty_dict_get(w->state[TY_PICKLE_REVERSE_NAME_MAPPING], key);
    if (pair != TY_NULL) {
        if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2 || !ty_is_str(ty_tuple_item(pair, 0)) || !ty_is_str(ty_tuple_item(pair, 1))) {
            ty_raise(&ty_RuntimeError, "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples of str");
            return false;
        }
        *module = ty_tuple_item(pair, 0);
        *name = ty_tuple_item(pair, 1);
        return true;
    }
    Value other = ty_raised() ? TY_NULL : ty_dict_get(w->state[TY_PICKLE_REVERSE_IMPORT_MAPPING], *module);
    if (other != TY_NULL && !ty_is_str(other)) {
        ty_raise(&ty_RuntimeError, "_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings, not %T", other);
        return false;
    }
    if (other != TY_NULL)
        *module = other;
    return !ty_raised();
}

static bool save_top_level(Writing *w, Value module, Value name)
{
    if (w->pickler->protocol < 3 && w->pickler->fix_imports && !old_names(w, &module, &name))
        return false;
    return put_op(w, OP_GLOBAL) && put_identifier(w, module, "module") && put_identifier(w, name, "global");
}

/* getattr(getattr(module.a, "b"), "c"), for protocols that have no dotted names. */
static bool save_dotted(Writing *w, Value module, Value path)
{
    int64_t length = ty_list_length(path);
    bool marks = w->pickler->protocol < 2;
    for (int64_t i = 1; i < length; i++)
        if (!save(w, w->state[TY_PICKLE_GETATTR]) || (marks && !put_op(w, OP_MARK)))
            return false;
    if (!save_top_level(w, module, ty_list_item(path, 0)))
        return false;
    for (int64_t i = 1; i < length; i++)
        if (!save(w, ty_list_item(path, i)) || !put_op(w, marks ? OP_TUPLE : OP_TUPLE2) || !put_op(w, OP_REDUCE))
            return false;
    return true;
}

/* 1: written as a number that copyreg knows; 0: it has none; -1: failed. */
static int put_extension(Writing *w, Value module, Value name)
{
    Value registry = w->state[TY_PICKLE_EXTENSION_REGISTRY];
    if (ty_dict_length(registry) == 0)
        return 0;
    Value key = ty_tuple_pack(2, module, name);
    Value code = key == TY_NULL ? TY_NULL : ty_dict_get(registry, key);
    if (code == TY_NULL)
        return ty_raised() ? -1 : 0;
    int64_t number;
    if (!ty_is_int(code)) {
        fail("Can't pickle %R: extension code %R isn't an integer", name, code);
        return -1;
    }
    if (ty_int_get_int64(code, &number) != 0 || number <= 0 || number > 0x7FFFFFFF) {
        if (number == 0)
            ty_raise(&ty_RuntimeError, "extension code 0 is out of range");
        else
            ty_raise(&ty_RuntimeError, "extension code %S is out of range", code);
        return -1;
    }
    if (number <= 0xFF)
        return put_number(w, OP_EXT1, (uint64_t)number, 1) ? 1 : -1;
    return (number <= 0xFFFF ? put_number(w, OP_EXT2, (uint64_t)number, 2) : put_number(w, OP_EXT4, (uint64_t)number, 4)) ? 1 : -1;
}

/* By module and name; name TY_NULL: the object's own. */
static bool save_global(Writing *w, Value v, Value name)
{
    if (name == TY_NULL) {
        bool failed = false;
        name = ty_get_attribute_or_null(v, TY_NAME("__qualname__"), &failed);
        if (name == TY_NULL && !failed)
            name = ty_get_attribute(v, TY_NAME("__name__"));
        if (name == TY_NULL)
            return false;
    }
    if (!ty_is_str(name))
        return fail("the name of %R must be a string, not %T", v, name);
    Value path = split(name);
    Value module = path == TY_NULL ? TY_NULL : which_module(v, name, path);
    if (module == TY_NULL)
        return false;
    if (w->pickler->protocol >= 2) {
        int extension = put_extension(w, module, name);
        if (extension != 0)
            return extension > 0;
    }
    bool fine;
    if (w->pickler->protocol >= 4)
        fine = save(w, module) && save(w, name) && put_op(w, OP_STACK_GLOBAL);
    else if (!ty_is_str(module))
        fine = fail("the module name of %R must be a string, not %T", v, module);
    else
        fine = ty_list_length(path) > 1 ? save_dotted(w, module, path) : save_top_level(w, module, name);
    return fine && memoize(w, v);
}

static bool save_type(Writing *w, Value v)
{
    Value instance = v == ty_from_object(&ty_none_type) ? TY_NONE : v == ty_from_object(&ty_ellipsis_type) ? TY_ELLIPSIS : v == ty_from_object(&ty_not_implemented_type) ? TY_NOT_IMPLEMENTED : TY_NULL;
    if (instance == TY_NULL)
        return save_global(w, v, TY_NULL);
    return save_reduced(w, v, ty_from_object(&ty_type_type), ty_tuple_pack(1, instance));
}

/* --- by __reduce__ ---------------------------------------------------------------------------------------------------- */

/* The class that the arguments of a __newobj__ begin with must be the object's own. */
static bool check_class(Value class, Value v, const char *function)
{
    bool failed = false;
    Value new = ty_get_attribute_or_null(class, TY_NAME("__new__"), &failed);
    if (failed)
        return false;
    if (new == TY_NULL)
        return fail("first argument to %s() has no __new__", function);
    if (v == TY_NULL)
        return true;
    Value own = ty_get_attribute(v, TY_NAME("__class__"));
    if (own == TY_NULL)
        return false;
    return own == class || fail("first argument to %s() must be %R, not %R", function, own, class);
}

/* cls.__new__(cls, *args, **kwargs) as a partial, for protocols without NEWOBJ_EX. */
static Value newobj_partial(Writing *w, Value class, Value arguments, Value keywords)
{
    Value new = ty_get_attribute(class, TY_NAME("__new__"));
    if (new == TY_NULL)
        return TY_NULL;
    Value list = ty_list_new(2 + ty_tuple_length(arguments));
    if (list == TY_NULL || !ty_list_append(list, new) || !ty_list_append(list, class) || !ty_list_extend(list, arguments))
        return TY_NULL;
    Value tuple = ty_list_to_tuple(list);
    return tuple == TY_NULL ? TY_NULL : ty_call_with(w->state[TY_PICKLE_PARTIAL], tuple, keywords);
}

static bool save_newobj_ex(Writing *w, Value arguments, Value v)
{
    if (ty_tuple_length(arguments) != 3)
        return fail("__newobj_ex__ expected 3 arguments, got %lld", (long long)ty_tuple_length(arguments));
    Value class = ty_tuple_item(arguments, 0), positional = ty_tuple_item(arguments, 1), keywords = ty_tuple_item(arguments, 2);
    if (!check_class(class, v, "__newobj_ex__"))
        return false;
    if (!ty_is_tuple(positional))
        return fail("second argument to __newobj_ex__() must be a tuple, not %N", positional);
    if (!ty_is_dict(keywords))
        return fail("third argument to __newobj_ex__() must be a dict, not %N", keywords);
    if (w->pickler->protocol >= 4) {
        if (!save(w, class))
            return noted("when serializing %N class", v);
        if (!save(w, positional) || !save(w, keywords))
            return noted("when serializing %N __new__ arguments", v);
        return put_op(w, OP_NEWOBJ_EX);
    }
    Value partial = newobj_partial(w, class, positional, keywords);
    if (partial == TY_NULL)
        return false;
    if (!save(w, partial))
        return noted("when serializing %N reconstructor", v);
    return save(w, ty_tuple_empty()) && put_op(w, OP_REDUCE);
}

static bool save_newobj(Writing *w, Value arguments, Value v)
{
    if (ty_tuple_length(arguments) < 1)
        return fail("__newobj__ expected at least 1 argument, got 0");
    Value class = ty_tuple_item(arguments, 0);
    if (!check_class(class, v, "__newobj__"))
        return false;
    if (!save(w, class))
        return noted("when serializing %N class", v);
    Value rest = ty_tuple_slice(arguments, 1, ty_tuple_length(arguments));
    if (rest == TY_NULL)
        return false;
    if (!save(w, rest))
        return noted("when serializing %N __new__ arguments", v);
    return put_op(w, OP_NEWOBJ);
}

/* 0 an ordinary function, 1 __newobj__, 2 __newobj_ex__, -1 failed. */
static int newobj_kind(Writing *w, Value function)
{
    if (w->pickler->protocol < 2)
        return 0;
    bool failed = false;
    Value name = ty_get_attribute_or_null(function, TY_NAME("__name__"), &failed);
    if (failed)
        return -1;
    if (name == TY_NULL || !ty_is_str(name))
        return 0;
    return name == TY_NAME("__newobj__") || ty_str_equal_text(name, "__newobj__") ? 1 : ty_str_equal_text(name, "__newobj_ex__") ? 2 : 0;
}

static bool save_state(Writing *w, Value state, Value setter, Value v)
{
    if (setter == TY_NULL) {
        if (!save(w, state))
            return noted("when serializing %N state", v);
        return put_op(w, OP_BUILD);
    }
    if (!save(w, setter))
        return noted("when serializing %N state setter", v);
    if (!save(w, v))
        return false;
    if (!save(w, state))
        return noted("when serializing %N state", v);
    return put_op(w, OP_TUPLE2) && put_op(w, OP_REDUCE) && put_op(w, OP_POP);
}

/* What __reduce__ gave: (function, arguments, state, list items, dict items, state setter), the last four None or missing. v TY_NULL: no object, no memo. */
static bool save_reduce(Writing *w, const Value *parts, size_t count, Value v)
{
    Value optional[4] = {TY_NULL, TY_NULL, TY_NULL, TY_NULL};
    for (size_t i = 2; i < count; i++)
        optional[i - 2] = parts[i] == TY_NONE ? TY_NULL : parts[i];
    Value function = parts[0], arguments = parts[1], state = optional[0], items = optional[1], pairs = optional[2], setter = optional[3];
    if (!ty_is_callable(function))
        return fail("first item of the tuple returned by __reduce__ must be callable, not %N", function);
    if (!ty_is_tuple(arguments))
        return fail("second item of the tuple returned by __reduce__ must be a tuple, not %N", arguments);
    if (items != TY_NULL && !ty_is_iterator(items))
        return fail("fourth item of the tuple returned by __reduce__ must be an iterator, not %N", items);
    if (pairs != TY_NULL && !ty_is_iterator(pairs))
        return fail("fifth item of the tuple returned by __reduce__ must be an iterator, not %N", pairs);
    if (setter != TY_NULL && !ty_is_callable(setter))
        return fail("sixth item of the tuple returned by __reduce__ must be callable, not %N", setter);
    int kind = newobj_kind(w, function);
    if (kind < 0)
        return false;
    if (kind == 1) {
        if (!save_newobj(w, arguments, v))
            return false;
    } else if (kind == 2) {
        if (!save_newobj_ex(w, arguments, v))
            return false;
    } else {
        if (!save(w, function))
            return noted("when serializing %N reconstructor", v);
        if (!save(w, arguments))
            return noted("when serializing %N reconstructor arguments", v);
        if (!put_op(w, OP_REDUCE))
            return false;
    }
    if (v != TY_NULL) {
        int64_t number = memo_find(w->pickler, v); /* there: the arguments held the object itself */
        if (number >= 0 ? !(put_op(w, OP_POP) && put_get(w, number)) : !memoize(w, v))
            return false;
    }
    return (items == TY_NULL || put_items(w, items, v)) && (pairs == TY_NULL || put_pairs(w, pairs, v)) &&
           (state == TY_NULL || save_state(w, state, setter, v));
}

/* The entry of the pickler's own dispatch table, or of copyreg's; TY_NULL: none, or failed with an exception. */
static Value dispatch_entry(Writing *w, Value type)
{
    Value table = w->dispatch_table;
    if (table == TY_NULL)
        return ty_dict_get(w->state[TY_PICKLE_DISPATCH_TABLE], type);
    return ty_get_item_or_null(table, type);
}

static Value reduce(Writing *w, Value v)
{
    Value function = dispatch_entry(w, ty_from_object(ty_type_of(v)));
    if (function != TY_NULL)
        return ty_call_one(function, v);
    if (ty_raised())
        return TY_NULL;
    bool failed = false;
    function = ty_get_attribute_or_null(v, TY_NAME("__reduce_ex__"), &failed);
    if (function != TY_NULL)
        return ty_call_one(function, ty_from_immediate_int(w->pickler->protocol));
    if (!failed)
        function = ty_get_attribute_or_null(v, TY_NAME("__reduce__"), &failed);
    if (function != TY_NULL)
        return ty_call_none(function);
    return failed ? TY_NULL : TY_PICKLING("Can't pickle %N object", v);
}

/* What a reduce function gave is written. */
static bool save_result(Writing *w, Value v, Value result)
{
    if (result == TY_NULL)
        return false;
    if (ty_is_str(result))
        return save_global(w, v, result);
    bool fine;
    if (!ty_is_tuple(result))
        fine = fail("__reduce__ must return a string or tuple, not %N", result);
    else if (ty_tuple_length(result) < 2 || ty_tuple_length(result) > 6)
        fine = fail("tuple returned by __reduce__ must contain 2 through 6 elements");
    else
        fine = save_reduce(w, ty_as_tuple(result)->items, (size_t)ty_tuple_length(result), v);
    return fine || noted("when serializing %N object", v);
}

static bool save_object(Writing *w, Value v)
{
    TyType *type = ty_type_of(v);
    if (type == &ty_dict_type)
        return save_dict(w, v);
    if (type == &ty_set_type)
        return save_set(w, v);
    if (type == &ty_frozenset_type)
        return save_frozenset(w, v);
    if (type == &ty_list_type)
        return save_list(w, v);
    if (type == &ty_tuple_type)
        return save_tuple(w, v);
    if (type == &ty_bytearray_type)
        return save_bytearray(w, v);
    if (type == &ty_pickle_buffer_type)
        return save_picklebuffer(w, v);
    if (w->reducer_override != TY_NULL) {
        Value result = ty_call_one(w->reducer_override, v);
        if (result != TY_NOT_IMPLEMENTED)
            return save_result(w, v, result);
    }
    if (type == &ty_type_type)
        return save_type(w, v);
    if (type == &ty_function_type)
        return save_global(w, v, TY_NULL);
    if (type->flags & TY_TYPE_TYPE && ty_type_is_subtype(type, &ty_type_type)) { /* a class of a class of its own: by name, unless its class says otherwise */
        Value function = dispatch_entry(w, ty_from_object(type));
        if (function == TY_NULL)
            return !ty_raised() && save_global(w, v, TY_NULL);
        return save_result(w, v, ty_call_one(function, v));
    }
    return save_result(w, v, reduce(w, v));
}

/* Fast mode has no memo to notice a cycle with: from some depth on it looks among the containers it is in. */
static bool save_nested(Writing *w, Value v)
{
    if (!w->pickler->fast)
        return save_object(w, v);
    Outer here = {v, w->outer};
    if (w->depth >= FAST_NESTING_MAX)
        for (const Outer *o = w->outer; o; o = o->next)
            if (o->object == v) {
                ty_raise(&ty_ValueError, "fast mode: can't pickle cyclic objects including object type %N at %p", v, (void *)ty_object(v));
                return false;
            }
    w->outer = &here;
    w->depth++;
    bool fine = save_object(w, v);
    w->outer = here.next;
    w->depth--;
    return fine;
}

/* After the question for a persistent id. */
static bool save_without_id(Writing *w, Value v)
{
    if (v == TY_NONE)
        return put_op(w, OP_NONE);
    if (v == TY_TRUE || v == TY_FALSE)
        return save_bool(w, v == TY_TRUE);
    if (ty_is_exact_int(v))
        return save_int(w, v);
    if (ty_is_double(v))
        return save_float(w, v);
    int64_t number = memo_find(w->pickler, v);
    if (number >= 0)
        return put_get(w, number);
    if (ty_is_exact_str(v))
        return save_str(w, v);
    if (ty_is_exact(v, &ty_bytes_type))
        return save_bytes(w, v);
    if (ty_c_stack_low()) {
        ty_raise_recursion_error(" while pickling an object");
        return false;
    }
    return save_nested(w, v);
}

static bool save_persistent(Writing *w, Value v, bool *done)
{
    Value id = ty_call_one(w->persistent_id, v);
    *done = true;
    if (id == TY_NULL)
        return false;
    if (id == TY_NONE) {
        *done = false;
        return true;
    }
    if (w->pickler->bin)
        return save_without_id(w, id) && put_op(w, OP_BINPERSID);
    Value text = ty_str(id);
    if (text == TY_NULL)
        return false;
    if (!ty_str_is_ascii(text))
        return fail("persistent IDs in protocol 0 must be ASCII strings");
    return put_op(w, OP_PERSID) && put(w, ty_str_data(text), (size_t)ty_str_length(text)) && put(w, "\n", 1);
}

static bool save(Writing *w, Value v)
{
    if (!boundary(w))
        return false;
    if (w->persistent_id != TY_NULL) {
        bool done;
        bool fine = save_persistent(w, v, &done);
        if (done)
            return fine;
    }
    return save_without_id(w, v);
}

/* --- the object ------------------------------------------------------------------------------------------------------ */

static Value base_persistent_id(Value v, Value *a) { return TY_NONE; }

static bool enter(Pickler *p)
{
    bool running = false;
    if (atomic_compare_exchange_strong(&p->running, &running, true))
        return true;
    ty_raise(&ty_RuntimeError, "Pickler object is already used");
    return false;
}

static void leave(Pickler *p) { atomic_store(&p->running, false); }

/* Writes one pickle. `subclass`: it may have hooks. The result for dumps is put into *bytes. */
static bool write_pickle(Pickler *p, Value v, bool hooks, Value *bytes)
{
    Writing w = {.pickler = p, .state = ty_pickle_state(), .frame = -1};
    if (!w.state)
        return false;
    if (hooks) {
        bool failed = false;
        Value self = ty_from_object(p);
        if (!ty_pickle_hook(self, TY_NAME("persistent_id"), base_persistent_id, &w.persistent_id))
            return false;
        w.reducer_override = ty_get_attribute_or_null(self, TY_NAME("reducer_override"), &failed);
        if (!failed)
            w.dispatch_table = ty_get_attribute_or_null(self, TY_NAME("dispatch_table"), &failed);
        if (failed)
            return false;
    }
    bool fine = p->protocol < 2 || put_number(&w, OP_PROTO, (uint64_t)p->protocol, 1);
    w.framing = p->protocol >= 4;
    fine = fine && save(&w, v) && put_op(&w, OP_STOP);
    if (fine) {
        commit_frame(&w);
        if (p->write != TY_NULL)
            fine = flush(&w);
        else
            fine = (*bytes = ty_bytes_new(w.bytes, w.length)) != TY_NULL;
    }
    free(w.bytes);
    return fine;
}

static bool set_up(Pickler *p, Value file, Value protocol, Value fix_imports, Value buffer_callback)
{
    int64_t number = TY_PICKLE_DEFAULT;
    if (protocol != TY_NULL && protocol != TY_NONE && !ty_to_int64(protocol, &number))
        return false;
    if (number < 0)
        number = TY_PICKLE_HIGHEST;
    if (number > TY_PICKLE_HIGHEST) {
        ty_raise(&ty_ValueError, "pickle protocol must be <= %d", TY_PICKLE_HIGHEST);
        return false;
    }
    int fix = fix_imports == TY_NULL ? 1 : ty_is_true(fix_imports);
    if (fix < 0)
        return false;
    if (buffer_callback == TY_NONE)
        buffer_callback = TY_NULL;
    if (buffer_callback != TY_NULL && number < 5) {
        ty_raise(&ty_ValueError, "buffer_callback needs protocol >= 5");
        return false;
    }
    Value write = TY_NULL;
    if (file != TY_NULL) {
        bool failed = false;
        write = ty_get_attribute_or_null(file, TY_NAME("write"), &failed);
        if (failed)
            return false;
        if (write == TY_NULL) {
            ty_raise(&ty_TypeError, "file must have a 'write' attribute");
            return false;
        }
    }
    ty_store(p, &p->write, write);
    ty_store(p, &p->buffer_callback, buffer_callback);
    p->protocol = (int32_t)number;
    p->bin = number >= 1;
    p->fast = 0;
    p->fix_imports = fix && number < 3;
    p->ready = true;
    memo_clear(p);
    return true;
}

Value ty_pickle_dump(Value object, Value file, Value protocol, Value fix_imports, Value buffer_callback)
{
    Pickler *p = ty_allocate(&ty_pickler_type, sizeof(Pickler));
    Value bytes = TY_NONE;
    if (!p || !set_up(p, file, protocol, fix_imports, buffer_callback) || !write_pickle(p, object, false, &bytes))
        return TY_NULL;
    return bytes;
}

static Value pickler_dump(Value v, Value *a)
{
    Pickler *p = SELF(v);
    if (!p->ready)
        return TY_PICKLING("Pickler.__init__() was not called by %N.__init__()", v);
    if (!enter(p))
        return TY_NULL;
    Value bytes;
    bool fine = write_pickle(p, a[0], true, &bytes);
    leave(p);
    return fine ? TY_NONE : TY_NULL;
}

static TySignature init_signature = TY_SIGNATURE("Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)");

static bool pickler_init(Value v, const Value *arguments, size_t count, Value keywords)
{
    Value a[4];
    if (!ty_parse_arguments(&init_signature, arguments, count, keywords, a) || !enter(SELF(v)))
        return false;
    bool fine = set_up(SELF(v), a[0], a[1], a[2], a[3]);
    leave(SELF(v));
    return fine;
}

static Value pickler_clear_memo(Value v, Value *a)
{
    memo_clear(SELF(v));
    return TY_NONE;
}

/* persistent_id may be set on any instance, and deleted again. */
static Value pickler_get_attribute(Value v, Value name)
{
    Value own = ty_field(&SELF(v)->persistent_id);
    return own != TY_NULL && ty_str_equal_text(name, "persistent_id") ? own : ty_generic_get_attribute(v, name);
}

static bool pickler_set_attribute(Value v, Value name, Value value)
{
    if (!ty_str_equal_text(name, "persistent_id"))
        return ty_generic_set_attribute(v, name, value);
    if (value == TY_NULL && ty_field(&SELF(v)->persistent_id) == TY_NULL) {
        ty_raise_attribute_error(v, name);
        return false;
    }
    ty_store(SELF(v), &SELF(v)->persistent_id, value);
    return true;
}

static void pickler_trace(TyObject *self, TyMarker *marker)
{
    Pickler *p = (Pickler *)self;
    ty_mark_range(marker, &p->write, 4);
    TyArray *memo = __atomic_load_n(&p->memo, __ATOMIC_ACQUIRE);
    if (memo)
        ty_mark_object(marker, &memo->base);
}

/* --- the memo as seen from Python ------------------------------------------------------------------------------------- */

typedef struct MemoProxy {
    TyObject base;
    Value pickler;
} MemoProxy;

static Value memo_copy(Pickler *p)
{
    Value dict = ty_dict_new();
    TyArray *memo = p->memo;
    for (int64_t i = 0; dict != TY_NULL && memo && i < memo->capacity; i += 2) {
        if (memo->items[i] == TY_NULL)
            continue;
        Value id = ty_identity(memo->items[i]), pair = ty_tuple_pack(2, memo->items[i + 1], memo->items[i]);
        if (id == TY_NULL || pair == TY_NULL || !ty_dict_set(dict, id, pair))
            return TY_NULL;
    }
    return dict;
}

static Value proxy_copy(Value v, Value *a) { return memo_copy(SELF(((MemoProxy *)ty_object(v))->pickler)); }
static Value proxy_clear(Value v, Value *a) { return pickler_clear_memo(((MemoProxy *)ty_object(v))->pickler, a); }
static Value proxy_reduce(Value v, Value *a)
{
    Value copy = proxy_copy(v, a), arguments = copy == TY_NULL ? TY_NULL : ty_tuple_pack(1, copy);
    return arguments == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_from_object(&ty_dict_type), arguments);
}
static void proxy_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((MemoProxy *)self)->pickler); }

static const TyNativeDef proxy_methods[] = {
    TY_METHOD("clear(self, /)", proxy_clear, "Forgets all objects."),
    TY_METHOD("copy(self, /)", proxy_copy, "A dict from id to (number, object)."),
    TY_METHOD("__reduce__(self, /)", proxy_reduce, "A dict is what is pickled."),
    {0},
};

TyType ty_pickler_memo_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(MemoProxy), .trace = proxy_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_pickle.PicklerMemoProxy",
    .parent = &ty_object_base_type,
    .slots = {.hash = ty_hash_unhashable},
    .methods = proxy_methods,
};

static Value get_memo(Value v)
{
    MemoProxy *proxy = ty_allocate(&ty_pickler_memo_type, sizeof(MemoProxy));
    if (!proxy)
        return TY_NULL;
    ty_store(proxy, &proxy->pickler, v);
    return ty_from_object(proxy);
}

static bool set_memo(Value v, Value value)
{
    if (value == TY_NULL) {
        ty_raise(&ty_TypeError, "attribute deletion is not supported");
        return false;
    }
    if (ty_is_exact(value, &ty_pickler_memo_type))
        value = memo_copy(SELF(((MemoProxy *)ty_object(value))->pickler));
    else if (!ty_is_dict(value)) {
        ty_raise(&ty_TypeError, "'memo' attribute must be a PicklerMemoProxy object or dict, not %T", value);
        return false;
    }
    if (value == TY_NULL)
        return false;
    Pickler *fresh = ty_allocate(&ty_pickler_type, sizeof(Pickler)); /* filled before anything is given up */
    Value key, pair;
    int64_t position = 0, number;
    if (!fresh)
        return false;
    while (ty_dict_next(value, &position, &key, &pair)) {
        if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2) {
            ty_raise(&ty_TypeError, "'memo' values must be 2-item tuples");
            return false;
        }
        if (!ty_to_size(ty_tuple_item(pair, 0), &number) || !ty_is_object(ty_tuple_item(pair, 1)) || !memo_enter(fresh, ty_tuple_item(pair, 1), number))
            return !ty_raised();
    }
    Pickler *p = SELF(v);
    ty_store_pointer(p, &p->memo, fresh->memo);
    p->memo_count = fresh->memo_count;
    return true;
}

static const TyGetSetDef pickler_getsets[] = {{"memo", get_memo, set_memo, NULL}, {0}};

static const TyMemberDef pickler_members[] = {
    {"bin", TY_MEMBER_INT32, true, offsetof(Pickler, bin), NULL},
    {"fast", TY_MEMBER_INT32, true, offsetof(Pickler, fast), NULL},
    {"dispatch_table", TY_MEMBER_VALUE, true, offsetof(Pickler, dispatch_table), NULL},
    {0},
};

static const TyNativeDef pickler_methods[] = {
    TY_METHOD("dump(self, obj, /)", pickler_dump, "Writes a pickle of obj to the file."),
    TY_METHOD("clear_memo(self, /)", pickler_clear_memo, "Forgets which objects have been pickled: those that come again are written again."),
    TY_METHOD("persistent_id(self, obj, /)", base_persistent_id, "None; a subclass may give an id by which obj is to be found elsewhere."),
    {0},
};

TyType ty_pickler_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Pickler), .trace = pickler_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_CUSTOM_GETATTR,
    .name = "_pickle.Pickler",
    .doc = "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\nWrites pickles to a file, that is to an object with a write() method that "
           "takes bytes.\n\nThe protocol is 0 to 5; None is the default one, a negative number the highest. With fix_imports and a protocol below 3, names are "
           "those of Python 2. A buffer_callback is given each PickleBuffer: if it answers with a false value, the buffer is left out of the pickle.",
    .parent = &ty_object_base_type,
    .slots = {.new = ty_object_new, .init = pickler_init, .get_attribute = pickler_get_attribute, .set_attribute = pickler_set_attribute},
    .methods = pickler_methods,
    .getsets = pickler_getsets,
    .members = pickler_members,
};
