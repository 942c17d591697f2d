/* The unpickler. */
#include "modules/_pickle/pickle.h"
#include "base/float_text.h"
#include "object/codec.h"
#include "object/shape.h"
#include "runtime/runtime.h"

extern bool ty_audit(const char *event, const char *format, ...);

typedef struct Unpickler {
    TyObject base;
    Value read, readline, readinto, peek; /* the file's methods; TY_NULL: it has none (read TY_NULL: not made ready) */
    Value persistent_load;                /* set on the instance, or TY_NULL */
    Value buffers;                        /* an iterator, or TY_NULL */
    Value encoding, errors;               /* str */
    TyArray *memo;                        /* by number; NULL: empty */
    Value far;                            /* a dict for numbers far above the count of objects, or TY_NULL */
    int64_t memo_count;
    TyArray *stack;
    int64_t depth;                        /* of the stack */
    int64_t fence;                        /* the height of the last mark: nothing below it is popped */
    TyArray *marks;                       /* heights of the stack */
    int64_t mark_count;
    Value input;                          /* bytes read from the file, kept here */
    int protocol;
    bool fix_imports, ready, bytes_strings;
    _Atomic bool running;
} Unpickler;

#define SELF(v) ((Unpickler *)ty_object(v))

typedef struct Reading { /* one pickle */
    Unpickler *u;
    const Value *state;
    const uint8_t *data;     /* what is at hand */
    int64_t position, size;
    int64_t frame_end;       /* of the present frame, or 0 */
    int64_t peeked;          /* bytes of it, at the end, that the file still has */
    Value persistent_load;   /* TY_NULL: there is none */
    bool finds;              /* find_class is the subclass's own */
} Reading;

static bool fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ty_raise_va(ty_pickle_error(TY_PICKLE_UNPICKLING_ERROR), format, arguments);
    va_end(arguments);
    return false;
}

/* --- input ------------------------------------------------------------------------------------------------------------ */

enum { PEEK_SIZE = 128 * 1024 };

static Value read_file(Value method, int64_t size)
{
    Value data = size < 0 ? ty_call_none(method) : ty_call_one(method, ty_int_from_int64(size));
    if (data != TY_NULL && !ty_is_bytes(data))
        return ty_raise(&ty_ValueError, "%s returned non-bytes (%T)", size < 0 ? "readline()" : "read()", data);
    return data;
}

/* The file goes on to where the pickle has been read to. */
static bool skip_peeked(Reading *r)
{
    int64_t used = r->peeked - (r->size - r->position);
    if (r->peeked == 0)
        return true;
    r->peeked = 0;
    r->size = r->position;
    return used <= 0 || read_file(r->u->read, used) != TY_NULL;
}

static void take_input(Reading *r, Value bytes)
{
    ty_store(r->u, &r->u->input, bytes);
    r->data = ty_bytes_data(bytes);
    r->position = r->frame_end = 0;
    r->size = ty_bytes_length(bytes);
}

/* Short reads of a file that can show what comes next are served from that. */
static bool peek(Reading *r, int64_t size, bool *served)
{
    *served = false;
    if (r->u->peek == TY_NULL)
        return true;
    Value data = ty_call_one(r->u->peek, ty_from_immediate_int(PEEK_SIZE));
    if (data == TY_NULL) {
        if (!ty_raised_is(&ty_NotImplementedError))
            return false;
        ty_clear_exception();
        ty_store(r->u, &r->u->peek, TY_NULL);
        return true;
    }
    if (!ty_is_bytes(data) || ty_bytes_length(data) < size)
        return true;
    take_input(r, data);
    r->peeked = r->size;
    *served = true;
    return true;
}

/* `size` bytes at one place, valid until the next call; NULL with UnpicklingError if there are not so many. */
static const uint8_t *take_more(Reading *r, int64_t size)
{
    if (r->u->read == TY_NULL)
        return fail("pickle data was truncated"), NULL;
    if (r->position < r->size && r->peeked == 0)
        return fail("pickle data was truncated"), NULL; /* a frame that ends within an instruction */
    bool served;
    if (!skip_peeked(r) || !peek(r, size, &served))
        return NULL;
    if (!served) {
        Value data = read_file(r->u->read, size);
        if (data == TY_NULL)
            return NULL;
        take_input(r, data);
        if (r->size < size)
            return fail("pickle data was truncated"), NULL;
    }
    r->position = size;
    return r->data;
}

TY_INLINE const uint8_t *take(Reading *r, int64_t size)
{
    if (TY_LIKELY(size <= r->size - r->position)) {
        const uint8_t *data = r->data + r->position;
        if (TY_UNLIKELY(r->position < r->frame_end && size > r->frame_end - r->position))
            return fail("pickle exhausted before end of frame"), NULL;
        r->position += size;
        return data;
    }
    return take_more(r, size);
}

/* A line with its end, which is in *size. NULL with an exception if the data ends before it. */
static const uint8_t *take_line(Reading *r, int64_t *size)
{
    const uint8_t *start = r->data + r->position;
    const uint8_t *end = r->size > r->position ? memchr(start, '\n', (size_t)(r->size - r->position)) : NULL;
    if (end && r->position < r->frame_end && end >= r->data + r->frame_end)
        return fail("pickle exhausted before end of frame"), NULL;
    if (end) {
        *size = end + 1 - start;
        r->position += *size;
        return start;
    }
    if (r->u->read == TY_NULL || (r->position < r->size && r->peeked == 0))
        return fail("pickle data was truncated"), NULL;
    if (!skip_peeked(r))
        return NULL;
    Value data = read_file(r->u->readline, -1);
    if (data == TY_NULL)
        return NULL;
    take_input(r, data);
    r->position = *size = r->size;
    if (*size < 1 || r->data[*size - 1] != '\n')
        return fail("pickle data was truncated"), NULL;
    return r->data;
}

/* Fills memory that stays where it is: a bytearray's, of `size` bytes. */
static bool read_into(Reading *r, uint8_t *target, int64_t size, Value owner)
{
    int64_t at_hand = TY_MIN(size, r->size - r->position);
    memcpy(target, r->data + r->position, (size_t)at_hand);
    r->position += at_hand;
    if (at_hand == size)
        return true;
    if (r->u->read == TY_NULL)
        return fail("pickle data was truncated");
    if (!skip_peeked(r))
        return false;
    if (r->u->readinto == TY_NULL) {
        const uint8_t *data = take_more(r, size - at_hand);
        if (data)
            memcpy(target + at_hand, data, (size_t)(size - at_hand));
        return data != NULL;
    }
    Value view = ty_memoryview_from_memory(target + at_hand, size - at_hand, false, owner);
    Value count = view == TY_NULL ? TY_NULL : ty_call_one(r->u->readinto, view);
    int64_t number;
    if (count == TY_NULL || !ty_to_size(count, &number))
        return false;
    if (number < 0)
        return ty_raise(&ty_ValueError, "readinto() returned negative size"), false;
    return number == size - at_hand || fail("pickle data was truncated");
}

static uint64_t little(const uint8_t *bytes, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* A number of `size` bytes, which is a length if `what` names it: then it is a possible one. */
static bool take_number(Reading *r, int size, const char *what, int64_t *number)
{
    const uint8_t *bytes = take(r, size);
    if (!bytes)
        return false;
    *number = (int64_t)little(bytes, size);
    if (*number < 0) {
        ty_raise(&ty_OverflowError, "%s exceeds system's maximum size of %lld bytes", what, (long long)INT64_MAX);
        return false;
    }
    return true;
}

/* --- the stack and the memo ------------------------------------------------------------------------------------------- */

static bool grow(void *owner, TyArray **array, int64_t needed)
{
    TyArray *old = *array;
    if (old && needed <= old->capacity)
        return true;
    TyArray *larger = ty_array_new(TY_MAX(needed, old ? old->capacity * 2 : 32));
    if (!larger)
        return false;
    for (int64_t i = 0; old && i < old->capacity; i++)
        ty_store(larger, &larger->items[i], old->items[i]);
    ty_store_pointer(owner, array, larger);
    return true;
}

static bool push(Unpickler *u, Value v)
{
    if (v == TY_NULL)
        return false;
    if (TY_UNLIKELY(!u->stack || u->depth == u->stack->capacity) && !grow(u, &u->stack, u->depth + 1))
        return false;
    ty_store(u->stack, &u->stack->items[u->depth++], v);
    return true;
}

static bool underflow(const Unpickler *u) { return fail(u->mark_count ? "unexpected MARK found" : "unpickling stack underflow"); }

/* At least `count` values above the last mark; they are at the returned place. */
static Value *top(Unpickler *u, int64_t count)
{
    if (TY_UNLIKELY(u->depth - u->fence < count)) {
        underflow(u);
        return NULL;
    }
    return &u->stack->items[u->depth - count];
}

static Value pop(Unpickler *u)
{
    Value *place = top(u, 1);
    if (!place)
        return TY_NULL;
    u->depth--;
    return *place;
}

static bool push_mark(Unpickler *u)
{
    if (!grow(u, &u->marks, u->mark_count + 1))
        return false;
    ty_store(u->marks, &u->marks->items[u->mark_count++], ty_from_immediate_int(u->depth));
    u->fence = u->depth;
    return true;
}

/* Takes the last mark away; the height of the stack at it, -1 with an exception if there is none. */
static int64_t pop_mark(Unpickler *u)
{
    if (u->mark_count == 0) {
        fail("could not find MARK");
        return -1;
    }
    int64_t height = ty_immediate_int(u->marks->items[--u->mark_count]);
    u->fence = u->mark_count ? ty_immediate_int(u->marks->items[u->mark_count - 1]) : 0;
    return height;
}

static bool memo_set(Unpickler *u, int64_t number, Value v)
{
    if (number > 2 * u->memo_count + 1024) { /* no number that a pickler would give: it shall not decide how much memory is taken */
        if (u->far == TY_NULL) {
            Value dict = ty_dict_new();
            if (dict == TY_NULL)
                return false;
            ty_store(u, &u->far, dict);
        }
        return ty_dict_set(u->far, ty_int_from_int64(number), v);
    }
    if (!grow(u, &u->memo, number + 1))
        return false;
    u->memo_count += u->memo->items[number] == TY_NULL;
    ty_store(u->memo, &u->memo->items[number], v);
    return true;
}

static bool memo_get(Unpickler *u, int64_t number)
{
    Value v = u->memo && number >= 0 && number < u->memo->capacity ? u->memo->items[number] : TY_NULL;
    if (v == TY_NULL && u->far != TY_NULL)
        v = ty_dict_get(u->far, ty_int_from_int64(number));
    if (v == TY_NULL)
        return ty_raised() ? false : fail("Memo value not found at index %lld", (long long)number);
    return push(u, v);
}

static bool memo_top(Reading *r, int64_t number)
{
    Value *place = top(r->u, 1);
    return place && memo_set(r->u, number, *place);
}

/* --- instructions: constants ------------------------------------------------------------------------------------------- */

/* Numbers end at a NUL, as they would in C. */
static size_t text_length(const uint8_t *line, int64_t size)
{
    const uint8_t *end = memchr(line, 0, (size_t)size);
    return end ? (size_t)(end - line) : (size_t)size;
}

static bool load_int_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return false;
    if (size == 3 && line[0] == '0' && (line[1] == '0' || line[1] == '1'))
        return push(r->u, ty_from_bool(line[1] == '1'));
    if (size < 2)
        return fail("pickle data was truncated");
    Value v = ty_int_from_text((const char *)line, text_length(line, size - 1), 10);
    if (v == TY_NULL && ty_raised_is(&ty_ValueError)) {
        ty_clear_exception();
        ty_raise(&ty_ValueError, "could not convert string to int");
    }
    return push(r->u, v);
}

static bool load_long_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return false;
    if (size < 2)
        return fail("pickle data was truncated");
    size--;
    if (size > 0 && line[size - 1] == 'L')
        size--;
    return push(r->u, ty_int_from_text((const char *)line, text_length(line, size), 10));
}

static bool load_float_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return false;
    if (size < 2)
        return fail("pickle data was truncated");
    return push(r->u, ty_float_from_text((const char *)line, text_length(line, size - 1)));
}

static bool load_binfloat(Reading *r)
{
    const uint8_t *bytes = take(r, 8);
    if (!bytes)
        return false;
    uint64_t bits;
    memcpy(&bits, bytes, 8);
    bits = __builtin_bswap64(bits);
    double d;
    memcpy(&d, &bits, 8);
    return push(r->u, ty_from_double(d));
}

/* The bytes behind their count, which has one byte, or four and a sign. `what` names them if the count is negative. NULL with an exception. */
static const uint8_t *take_counted(Reading *r, int width, const char *what, int64_t *size)
{
    const uint8_t *bytes = take(r, width);
    if (!bytes)
        return NULL;
    *size = width == 1 ? bytes[0] : (int32_t)little(bytes, 4);
    if (*size < 0)
        return fail("%s pickle has negative byte count", what), NULL;
    return take(r, *size);
}

static bool load_counted_long(Reading *r, int width)
{
    int64_t size;
    const uint8_t *bytes = take_counted(r, width, "LONG", &size);
    return bytes && push(r->u, size ? ty_int_from_bytes(bytes, (size_t)size, true, true) : ty_from_immediate_int(0));
}

/* Text of Python 2's str: bytes, or decoded. */
static bool push_old_string(Reading *r, Value bytes)
{
    if (bytes == TY_NULL || r->u->bytes_strings)
        return push(r->u, bytes);
    return push(r->u, ty_codec_decode_bytes(bytes, r->u->encoding, r->u->errors));
}

static bool load_string_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return false;
    while (size > 0 && line[size - 1] == '\n')
        size--;
    if (size < 2 || line[0] != line[size - 1] || (line[0] != '"' && line[0] != '\''))
        return fail("the STRING opcode argument must be quoted");
    int64_t bad;
    return push_old_string(r, ty_bytes_escape_decode(line + 1, (size_t)size - 2, TY_NULL, &bad));
}

static bool load_counted_string(Reading *r, int width)
{
    int64_t size;
    const uint8_t *bytes = take_counted(r, width, "BINSTRING", &size);
    return bytes && push_old_string(r, ty_bytes_new(bytes, (size_t)size));
}

static bool load_unicode_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    return line && push(r->u, ty_raw_unicode_escape_decode(line, (size_t)size - 1, TY_NULL, TY_NULL, NULL));
}

static bool load_counted_unicode(Reading *r, int width)
{
    int64_t size;
    if (!take_number(r, width, "BINUNICODE", &size))
        return false;
    const uint8_t *bytes = take(r, size);
    return bytes && push(r->u, ty_utf8_decode(bytes, (size_t)size, TY_NULL, TY_NAME("surrogatepass"), NULL));
}

static bool load_counted_bytes(Reading *r, int width)
{
    int64_t size;
    if (!take_number(r, width, "BINBYTES", &size))
        return false;
    const uint8_t *bytes = take(r, size);
    return bytes && push(r->u, ty_bytes_new(bytes, (size_t)size));
}

static bool load_bytearray(Reading *r)
{
    int64_t size;
    if (!take_number(r, 8, "BYTEARRAY8", &size))
        return false;
    if (r->u->read == TY_NULL && size > r->size - r->position)
        return fail("pickle data was truncated");
    Value v = ty_bytearray_new(NULL, (size_t)size);
    return v != TY_NULL && read_into(r, ty_bytearray_data((TyByteArray *)ty_object(v)), size, v) && push(r->u, v);
}

static bool load_next_buffer(Reading *r)
{
    if (r->u->buffers == TY_NULL)
        return fail("pickle stream refers to out-of-band data but no *buffers* argument was given");
    Value buffer = ty_next(r->u->buffers);
    if (buffer == TY_NULL && !ty_raised())
        return fail("not enough out-of-band buffers");
    return push(r->u, buffer);
}

static bool load_read_only_buffer(Reading *r)
{
    Value *place = top(r->u, 1);
    Value view = place ? ty_memoryview_new(*place) : TY_NULL;
    Value read_only = view == TY_NULL ? TY_NULL : ty_get_attribute(view, TY_NAME("readonly"));
    if (read_only == TY_NULL)
        return false;
    if (read_only == TY_TRUE)
        return true;
    view = ty_call_method_none(view, TY_NAME("toreadonly"));
    if (view == TY_NULL)
        return false;
    ty_store(r->u->stack, &r->u->stack->items[r->u->depth - 1], view);
    return true;
}

/* --- instructions: containers ------------------------------------------------------------------------------------------- */

/* The values above the last mark, which are then gone from the stack; NULL with an exception. */
static Value *pop_to_mark(Unpickler *u, int64_t *count)
{
    int64_t height = pop_mark(u);
    if (height < 0)
        return NULL;
    if (!grow(u, &u->stack, 1))
        return NULL;
    *count = u->depth - height;
    u->depth = height;
    return &u->stack->items[height]; /* readable until something is pushed: the array keeps them */
}

static bool load_tuple(Reading *r)
{
    int64_t count;
    Value *items = pop_to_mark(r->u, &count);
    return items && push(r->u, count ? ty_tuple_from_array(items, (size_t)count) : ty_tuple_empty());
}

static bool load_short_tuple(Reading *r, int64_t count)
{
    Value *items = top(r->u, count);
    if (!items)
        return false;
    Value v = ty_tuple_from_array(items, (size_t)count);
    r->u->depth -= count;
    return push(r->u, v);
}

static bool load_list(Reading *r)
{
    int64_t count;
    Value *items = pop_to_mark(r->u, &count);
    return items && push(r->u, ty_list_from_array(items, (size_t)count));
}

static bool load_frozenset(Reading *r)
{
    int64_t count;
    Value *items = pop_to_mark(r->u, &count);
    return items && push(r->u, ty_frozenset_from_array(items, (size_t)count));
}

static bool load_dict(Reading *r)
{
    int64_t count;
    Value *items = pop_to_mark(r->u, &count);
    if (!items)
        return false;
    if (count % 2)
        return fail("odd number of items for DICT");
    Value v = ty_dict_new_sized(count / 2);
    for (int64_t i = 0; v != TY_NULL && i < count; i += 2)
        if (!ty_dict_set(v, items[i], items[i + 1]))
            return false;
    return push(r->u, v);
}

/* Appends what lies from `height` on to the object below it. */
static bool append_from(Unpickler *u, int64_t height)
{
    int64_t count = u->depth - height;
    if (height <= u->fence)
        return underflow(u);
    if (count == 0)
        return true;
    TyArray *stack = u->stack;
    Value target = stack->items[height - 1];
    const Value *items = &stack->items[height];
    u->depth = height;
    if (ty_is_exact_list(target)) {
        for (int64_t i = 0; i < count; i++)
            if (!ty_list_append(target, items[i]))
                return false;
        return true;
    }
    bool failed = false;
    Value method = ty_get_attribute_or_null(target, TY_NAME("extend"), &failed);
    if (failed)
        return false;
    if (method != TY_NULL) {
        Value list = ty_list_from_array(items, (size_t)count);
        return list != TY_NULL && ty_call_one(method, list) != TY_NULL;
    }
    method = ty_get_attribute(target, TY_NAME("append"));
    for (int64_t i = 0; method != TY_NULL && i < count; i++)
        if (ty_call_one(method, items[i]) == TY_NULL)
            return false;
    return method != TY_NULL;
}

static bool set_items_from(Unpickler *u, int64_t height)
{
    int64_t count = u->depth - height;
    if (height <= u->fence)
        return underflow(u);
    if (count == 0)
        return true;
    if (count % 2)
        return fail("odd number of items for SETITEMS");
    TyArray *stack = u->stack;
    Value target = stack->items[height - 1];
    const Value *items = &stack->items[height];
    u->depth = height;
    bool exact = ty_is_exact_dict(target);
    for (int64_t i = 0; i < count; i += 2)
        if (!(exact ? ty_dict_set(target, items[i], items[i + 1]) : ty_set_item(target, items[i], items[i + 1])))
            return false;
    return true;
}

static bool load_add_items(Reading *r)
{
    Unpickler *u = r->u;
    int64_t count;
    Value *items = pop_to_mark(u, &count);
    if (!items)
        return false;
    if (u->depth <= u->fence)
        return underflow(u);
    TyArray *stack = u->stack;
    Value target = stack->items[u->depth - 1];
    if (count == 0)
        return true;
    if (ty_is_exact(target, &ty_set_type)) {
        for (int64_t i = 0; i < count; i++)
            if (!ty_set_add(target, items[i]))
                return false;
        return true;
    }
    Value add = ty_get_attribute(target, TY_NAME("add"));
    for (int64_t i = 0; add != TY_NULL && i < count; i++)
        if (ty_call_one(add, items[i]) == TY_NULL)
            return false;
    __asm__ volatile("" : : "r"(stack)); /* its items are read until here, whatever add() does to the unpickler */
    return add != TY_NULL;
}

/* --- instructions: names and calls ---------------------------------------------------------------------------------------- */

/* What Python 2's names are now. */
static bool new_names(const Value *state, Value *module, Value *name)
{
    Value key = ty_tuple_pack(2, *module, *name);
    Value pair = key == TY_NULL ? TY_NULL : ty_dict_get(state[TY_PICKLE_NAME_MAPPING], key);
    if (pair != TY_NULL) {
        if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2 || !ty_is_str(ty_tuple_item(pair, 0)) || !ty_is_str(ty_tuple_item(pair, 1))) {
            ty_raise(&ty_RuntimeError, "_compat_pickle.NAME_MAPPING values should be 2-tuples of str, not %T", pair);
            return false;
        }
        *module = ty_tuple_item(pair, 0);
        *name = ty_tuple_item(pair, 1);
        return true;
    }
    Value other = ty_raised() ? TY_NULL : ty_dict_get(state[TY_PICKLE_IMPORT_MAPPING], *module);
    if (other != TY_NULL && !ty_is_str(other)) {
        ty_raise(&ty_RuntimeError, "_compat_pickle.IMPORT_MAPPING values should be strings, not %T", other);
        return false;
    }
    if (other != TY_NULL)
        *module = other;
    return !ty_raised();
}

static Value dotted_attribute(Value module, Value module_name, Value name)
{
    Value path = ty_call_method_one(name, TY_NAME("split"), ty_intern_text("."));
    for (int64_t i = 0; path != TY_NULL && i < ty_list_length(path); i++) {
        module = ty_get_attribute(module, ty_list_item(path, i));
        if (module == TY_NULL)
            return ty_raised_is(&ty_AttributeError) ? ty_raise_from(&ty_AttributeError, "Can't resolve path %R on module %R", name, module_name) : TY_NULL;
    }
    return path == TY_NULL ? TY_NULL : module;
}

static Value find_class(Unpickler *u, Value module_name, Value name)
{
    const Value *state = ty_pickle_state();
    if (!state || !ty_audit("pickle.find_class", "VV", module_name, name))
        return TY_NULL;
    if (!ty_is_str(module_name))
        return ty_raise(&ty_TypeError, "module name must be a string");
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name);
    if (u->protocol < 3 && u->fix_imports && !new_names(state, &module_name, &name))
        return TY_NULL;
    Value module = ty_pickle_import(module_name);
    if (module == TY_NULL)
        return TY_NULL;
    if (u->protocol >= 4 && ty_str_find_char(name, '.', 0, ty_str_length(name), 1) >= 0)
        return dotted_attribute(module, module_name, name);
    return ty_get_attribute(module, ty_intern(name));
}

static Value base_find_class(Value v, Value *a) { return find_class(SELF(v), a[0], a[1]); }

static Value find(Reading *r, Value module, Value name)
{
    if (module == TY_NULL || name == TY_NULL)
        return TY_NULL;
    if (!r->finds)
        return find_class(r->u, module, name);
    Value arguments[2] = {module, name};
    return ty_call_method(ty_from_object(r->u), TY_NAME("find_class"), arguments, 2);
}

static Value line_text(Reading *r, bool ascii)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return TY_NULL;
    if (size < 2)
        return TY_UNPICKLING("pickle data was truncated");
    return ascii ? ty_ascii_decode(line, (size_t)size - 1, TY_NULL, TY_NULL) : ty_utf8_decode(line, (size_t)size - 1, TY_NULL, TY_NULL, NULL);
}

static bool load_global(Reading *r)
{
    Value module = line_text(r, false);
    Value name = module == TY_NULL ? TY_NULL : line_text(r, false);
    return push(r->u, find(r, module, name));
}

static bool load_stack_global(Reading *r)
{
    Value *place = top(r->u, 2);
    if (!place)
        return false;
    Value module = place[0], name = place[1];
    r->u->depth -= 2;
    if (!ty_is_exact_str(module) || !ty_is_exact_str(name))
        return fail("STACK_GLOBAL requires str");
    return push(r->u, find(r, module, name));
}

static bool load_extension(Reading *r, int width)
{
    const uint8_t *bytes = take(r, width);
    if (!bytes)
        return false;
    int64_t code = width == 4 ? (int32_t)little(bytes, 4) : (int64_t)little(bytes, width);
    if (code <= 0)
        return fail("EXT specifies code <= 0");
    Value number = ty_int_from_int64(code);
    Value known = ty_dict_get(r->state[TY_PICKLE_EXTENSION_CACHE], number);
    if (known != TY_NULL || ty_raised())
        return push(r->u, known);
    Value pair = ty_dict_get(r->state[TY_PICKLE_INVERTED_REGISTRY], number);
    if (pair == TY_NULL) {
        if (!ty_raised())
            ty_raise(&ty_ValueError, "unregistered extension code %lld", (long long)code);
        return false;
    }
    if (!ty_is_tuple(pair) || ty_tuple_length(pair) != 2 || !ty_is_str(ty_tuple_item(pair, 0)) || !ty_is_str(ty_tuple_item(pair, 1))) {
        ty_raise(&ty_ValueError, "_inverted_registry[%lld] isn't a 2-tuple of strings", (long long)code);
        return false;
    }
    Value v = find(r, ty_tuple_item(pair, 0), ty_tuple_item(pair, 1));
    return v != TY_NULL && ty_dict_set(r->state[TY_PICKLE_EXTENSION_CACHE], number, v) && push(r->u, v);
}

static bool load_reduce(Reading *r)
{
    Value *place = top(r->u, 2);
    if (!place)
        return false;
    Value function = place[0], arguments = place[1];
    if (!ty_is_tuple(arguments)) {
        arguments = ty_sequence_tuple(arguments);
        if (arguments == TY_NULL)
            return false;
    }
    Value v = ty_call(function, ty_as_tuple(arguments)->items, (size_t)ty_tuple_length(arguments), TY_NULL);
    r->u->depth -= 2;
    return push(r->u, v);
}

static bool load_newobj(Reading *r, bool keywords)
{
    const char *op = keywords ? "NEWOBJ_EX" : "NEWOBJ";
    Value *place = top(r->u, keywords ? 3 : 2);
    if (!place)
        return false;
    Value class = place[0], arguments = place[1], names = keywords ? place[2] : TY_NULL;
    r->u->depth -= keywords ? 3 : 2;
    if (!ty_is_type(class))
        return fail("%s class argument must be a type, not %T", op, class);
    if (!ty_as_type(class)->slots.new)
        return fail("%s class argument '%S' doesn't have __new__", op, class);
    if (!ty_is_tuple(arguments))
        return fail(keywords ? "NEWOBJ_EX args argument must be a tuple, not %T" : "NEWOBJ expected an arg tuple, got %T", arguments);
    if (keywords && !ty_is_dict(names))
        return fail("NEWOBJ_EX kwargs argument must be a dict, not %T", names);
    if (!keywords || ty_dict_length(names) == 0)
        return push(r->u, ty_as_type(class)->slots.new(ty_as_type(class), ty_as_tuple(arguments)->items, (size_t)ty_tuple_length(arguments), TY_NULL));
    Value new = ty_get_attribute(class, TY_NAME("__new__"));
    Value list = new == TY_NULL ? TY_NULL : ty_list_new(1 + ty_tuple_length(arguments));
    if (list == TY_NULL || !ty_list_append(list, class) || !ty_list_extend(list, arguments))
        return false;
    Value tuple = ty_list_to_tuple(list);
    return tuple != TY_NULL && push(r->u, ty_call_with(new, tuple, names));
}

/* An instance of an old-style class: called only where there is something to call it with. */
static Value instantiate(Value class, const Value *arguments, int64_t count)
{
    if (count == 0 && ty_is_type(class)) {
        bool failed = false;
        Value method = ty_get_attribute_or_null(class, TY_NAME("__getinitargs__"), &failed);
        if (failed)
            return TY_NULL;
        if (method == TY_NULL)
            return ty_call_method_one(class, TY_NAME("__new__"), class);
    }
    return ty_call(class, arguments, (size_t)count, TY_NULL);
}

static bool load_obj(Reading *r)
{
    int64_t count;
    Value *items = pop_to_mark(r->u, &count);
    if (!items)
        return false;
    if (count < 1)
        return underflow(r->u);
    Value list = ty_list_from_array(items, (size_t)count); /* the stack is used by whatever is called */
    return list != TY_NULL && push(r->u, instantiate(items[0], ty_as_list(list)->items->items + 1, count - 1));
}

static bool load_inst(Reading *r)
{
    int64_t height = pop_mark(r->u);
    if (height < 0)
        return false;
    Value module = line_text(r, true);
    Value name = module == TY_NULL ? TY_NULL : line_text(r, true);
    Value class = find(r, module, name);
    if (class == TY_NULL || !grow(r->u, &r->u->stack, 1))
        return false;
    int64_t count = r->u->depth - height;
    Value list = ty_list_from_array(&r->u->stack->items[height], (size_t)count);
    r->u->depth = height;
    return list != TY_NULL && push(r->u, instantiate(class, ty_as_list(list)->items->items, count));
}

static bool load_persistent(Reading *r, Value id)
{
    if (id == TY_NULL)
        return false;
    if (r->persistent_load == TY_NULL)
        return fail("A load persistent id instruction was encountered, but no persistent_load function was specified.");
    return push(r->u, ty_call_one(r->persistent_load, id));
}

static bool load_persistent_line(Reading *r)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    if (!line)
        return false;
    Value id = ty_ascii_decode(line, (size_t)size - 1, TY_NULL, TY_NULL);
    if (id == TY_NULL && ty_raised_is(&ty_UnicodeDecodeError)) {
        ty_clear_exception();
        return fail("persistent IDs in protocol 0 must be ASCII strings");
    }
    return load_persistent(r, id);
}

/* Each pair of a state becomes an attribute in the instance's own dictionary. */
static bool set_state(Value v, Value state)
{
    if (!ty_is_dict(state))
        return fail("state is not a dictionary");
    TyType *type = ty_type_of(v);
    /* An ordinary instance takes attributes by itself, and keeps its shape. */
    bool direct = ty_type_has_plain_dict(type);
    Value target = TY_NULL, key, value;
    int64_t position = 0;
    if (!direct && (target = ty_get_attribute(v, TY_NAME("__dict__"))) == TY_NULL)
        return false;
    while (ty_dict_next(state, &position, &key, &value)) {
        if (ty_is_exact_str(key))
            key = ty_intern(key);
        if (key == TY_NULL)
            return false;
        if (direct && ty_is_exact_str(key)) {
            if (!ty_attributes_set(ty_object(v), type, key, value))
                return false;
            continue;
        }
        if (target == TY_NULL && (target = ty_get_attribute(v, TY_NAME("__dict__"))) == TY_NULL)
            return false;
        direct = false;
        if (!ty_set_item(target, key, value))
            return false;
    }
    return true;
}

static bool load_build(Reading *r)
{
    Value *place = top(r->u, 2);
    if (!place)
        return false;
    Value v = place[0], state = place[1];
    r->u->depth--;
    bool failed = false;
    Value method = ty_get_attribute_or_null(v, TY_NAME("__setstate__"), &failed);
    if (failed)
        return false;
    if (method != TY_NULL)
        return ty_call_one(method, state) != TY_NULL;
    Value slots = TY_NONE;
    if (ty_is_tuple(state) && ty_tuple_length(state) == 2) {
        slots = ty_tuple_item(state, 1);
        state = ty_tuple_item(state, 0);
    }
    if (state != TY_NONE && !set_state(v, state))
        return false;
    if (slots == TY_NONE)
        return true;
    if (!ty_is_dict(slots))
        return fail("slot state is not a dictionary");
    Value key, value;
    int64_t position = 0;
    while (ty_dict_next(slots, &position, &key, &value))
        if (!ty_set_attribute(v, key, value))
            return false;
    return true;
}

/* --- instructions: the memo and the rest ------------------------------------------------------------------------------------ */

static bool take_index_line(Reading *r, int64_t *index)
{
    int64_t size;
    const uint8_t *line = take_line(r, &size);
    Value v = line ? ty_int_from_text((const char *)line, (size_t)size - 1, 10) : TY_NULL;
    return v != TY_NULL && ty_to_size(v, index);
}

static bool load_get(Reading *r, int width)
{
    int64_t number;
    return (width ? take_number(r, width, "GET", &number) : take_index_line(r, &number)) && memo_get(r->u, number);
}

static bool load_put(Reading *r, int width)
{
    int64_t number;
    if (!(width ? take_number(r, width, "PUT", &number) : take_index_line(r, &number)))
        return false;
    if (!top(r->u, 1))
        return false;
    if (number < 0)
        return ty_raise(&ty_ValueError, "negative PUT argument"), false;
    return memo_top(r, number);
}

static bool load_pop(Reading *r)
{
    Unpickler *u = r->u;
    if (u->mark_count && ty_immediate_int(u->marks->items[u->mark_count - 1]) == u->depth)
        return pop_mark(u) >= 0;
    return pop(u) != TY_NULL;
}

static bool load_protocol(Reading *r)
{
    const uint8_t *bytes = take(r, 1);
    if (!bytes)
        return false;
    if (bytes[0] > TY_PICKLE_HIGHEST)
        return ty_raise(&ty_ValueError, "unsupported pickle protocol: %d", bytes[0]), false;
    r->u->protocol = bytes[0];
    return true;
}

/* A frame is fetched at once, so that what it holds costs no further call of the file. */
static bool load_frame(Reading *r)
{
    const uint8_t *bytes = take(r, 8);
    if (!bytes)
        return false;
    int64_t size = (int64_t)little(bytes, 8);
    if (size < 0)
        return ty_raise(&ty_OverflowError, "FRAME length exceeds system's maximum of %lld bytes", (long long)INT64_MAX), false;
    if (r->position < r->frame_end)
        return fail("beginning of a new frame before end of current frame");
    if (!take(r, size))
        return false;
    r->frame_end = r->position;
    r->position -= size;
    return true;
}

static bool step(Reading *r, uint8_t op)
{
    Unpickler *u = r->u;
    const uint8_t *bytes;
    int64_t height;
    switch (op) {
    case OP_NONE: return push(u, TY_NONE);
    case OP_NEWTRUE: return push(u, TY_TRUE);
    case OP_NEWFALSE: return push(u, TY_FALSE);
    case OP_BININT1: return (bytes = take(r, 1)) && push(u, ty_from_immediate_int(bytes[0]));
    case OP_BININT2: return (bytes = take(r, 2)) && push(u, ty_from_immediate_int((int64_t)little(bytes, 2)));
    case OP_BININT: return (bytes = take(r, 4)) && push(u, ty_from_immediate_int((int32_t)little(bytes, 4)));
    case OP_INT: return load_int_line(r);
    case OP_LONG: return load_long_line(r);
    case OP_LONG1: return load_counted_long(r, 1);
    case OP_LONG4: return load_counted_long(r, 4);
    case OP_FLOAT: return load_float_line(r);
    case OP_BINFLOAT: return load_binfloat(r);
    case OP_STRING: return load_string_line(r);
    case OP_BINSTRING: return load_counted_string(r, 4);
    case OP_SHORT_BINSTRING: return load_counted_string(r, 1);
    case OP_UNICODE: return load_unicode_line(r);
    case OP_SHORT_BINUNICODE: return load_counted_unicode(r, 1);
    case OP_BINUNICODE: return load_counted_unicode(r, 4);
    case OP_BINUNICODE8: return load_counted_unicode(r, 8);
    case OP_SHORT_BINBYTES: return load_counted_bytes(r, 1);
    case OP_BINBYTES: return load_counted_bytes(r, 4);
    case OP_BINBYTES8: return load_counted_bytes(r, 8);
    case OP_BYTEARRAY8: return load_bytearray(r);
    case OP_NEXT_BUFFER: return load_next_buffer(r);
    case OP_READONLY_BUFFER: return load_read_only_buffer(r);
    case OP_EMPTY_TUPLE: return push(u, ty_tuple_empty());
    case OP_TUPLE1: return load_short_tuple(r, 1);
    case OP_TUPLE2: return load_short_tuple(r, 2);
    case OP_TUPLE3: return load_short_tuple(r, 3);
    case OP_TUPLE: return load_tuple(r);
    case OP_EMPTY_LIST: return push(u, ty_list_new(0));
    case OP_LIST: return load_list(r);
    case OP_EMPTY_DICT: return push(u, ty_dict_new());
    case OP_DICT: return load_dict(r);
    case OP_EMPTY_SET: return push(u, ty_set_new(TY_NULL));
    case OP_FROZENSET: return load_frozenset(r);
    case OP_APPEND: return top(u, 2) && append_from(u, u->depth - 1);
    case OP_APPENDS: return (height = pop_mark(u)) >= 0 && append_from(u, height);
    case OP_SETITEM: return top(u, 3) && set_items_from(u, u->depth - 2);
    case OP_SETITEMS: return (height = pop_mark(u)) >= 0 && set_items_from(u, height);
    case OP_ADDITEMS: return load_add_items(r);
    case OP_MARK: return push_mark(u);
    case OP_POP: return load_pop(r);
    case OP_POP_MARK:
        if ((height = pop_mark(u)) < 0)
            return false;
        u->depth = height;
        return true;
    case OP_DUP: {
        Value *place = top(u, 1);
        return place && push(u, *place);
    }
    case OP_GET: return load_get(r, 0);
    case OP_BINGET: return load_get(r, 1);
    case OP_LONG_BINGET: return load_get(r, 4);
    case OP_PUT: return load_put(r, 0);
    case OP_BINPUT: return load_put(r, 1);
    case OP_LONG_BINPUT: return load_put(r, 4);
    case OP_MEMOIZE: return memo_top(r, u->memo_count);
    case OP_GLOBAL: return load_global(r);
    case OP_STACK_GLOBAL: return load_stack_global(r);
    case OP_EXT1: return load_extension(r, 1);
    case OP_EXT2: return load_extension(r, 2);
    case OP_EXT4: return load_extension(r, 4);
    case OP_REDUCE: return load_reduce(r);
    case OP_NEWOBJ: return load_newobj(r, false);
    case OP_NEWOBJ_EX: return load_newobj(r, true);
    case OP_OBJ: return load_obj(r);
    case OP_INST: return load_inst(r);
    case OP_BUILD: return load_build(r);
    case OP_PERSID: return load_persistent_line(r);
    case OP_BINPERSID: return load_persistent(r, pop(u));
    case OP_PROTO: return load_protocol(r);
    case OP_FRAME: return load_frame(r);
    }
    return fail(op >= 0x20 && op < 0x7F && op != '\'' && op != '\\' ? "invalid load key, '%c'." : "invalid load key, '\\x%02x'.", op);
}

static Value run(Reading *r)
{
    for (;;) {
        const uint8_t *op = take(r, 1);
        if (!op) {
            if (ty_raised_is(ty_pickle_error(TY_PICKLE_UNPICKLING_ERROR))) {
                ty_clear_exception();
                ty_raise(&ty_EOFError, "Ran out of input");
            }
            return TY_NULL;
        }
        if (*op == OP_STOP)
            return pop(r->u);
        if (!step(r, *op))
            return TY_NULL;
    }
}

/* --- the object ---------------------------------------------------------------------------------------------------------- */

static Value base_persistent_load(Value v, Value *a)
{
    return TY_UNPICKLING("A load persistent id instruction was encountered, but no persistent_load function was specified.");
}

static bool enter(Unpickler *u)
{
    bool running = false;
    if (atomic_compare_exchange_strong(&u->running, &running, true))
        return true;
    ty_raise(&ty_RuntimeError, "Unpickler object is already used");
    return false;
}

static void leave(Unpickler *u) { atomic_store(&u->running, false); }

static Value load(Unpickler *u, bool hooks, const uint8_t *data, int64_t size)
{
    Reading r = {.u = u, .state = ty_pickle_state(), .data = data, .size = size};
    if (!r.state)
        return TY_NULL;
    if (hooks) {
        Value self = ty_from_object(u), finder;
        if (!ty_pickle_hook(self, TY_NAME("persistent_load"), base_persistent_load, &r.persistent_load) ||
            !ty_pickle_hook(self, TY_NAME("find_class"), base_find_class, &finder))
            return TY_NULL;
        r.finds = finder != TY_NULL;
    }
    u->depth = u->fence = u->mark_count = 0;
    u->protocol = 0;
    Value v = run(&r);
    if (u->read != TY_NULL) {
        Value error = ty_take_exception();
        if (!skip_peeked(&r)) {
            if (error != TY_NULL)
                ty_clear_exception();
            v = TY_NULL;
        }
        if (error != TY_NULL)
            ty_restore_exception(error);
    }
    ty_store_pointer(u, &u->stack, NULL);
    ty_store_pointer(u, &u->marks, NULL);
    ty_store(u, &u->input, TY_NULL);
    return v;
}

static bool method_of(Unpickler *u, Value *place, Value file, Value name)
{
    bool failed = false;
    Value method = ty_get_attribute_or_null(file, name, &failed);
    if (!failed)
        ty_store(u, place, method);
    return !failed;
}

static bool set_up(Unpickler *u, Value file, Value fix_imports, Value encoding, Value errors, Value buffers)
{
    int fix = fix_imports == TY_NULL ? 1 : ty_is_true(fix_imports);
    if (fix < 0)
        return false;
    if ((encoding != TY_NULL && !ty_is_str(encoding)) || (errors != TY_NULL && !ty_is_str(errors))) {
        bool which = encoding != TY_NULL && !ty_is_str(encoding);
        ty_raise(&ty_TypeError, "Unpickler() argument '%s' must be str, not %T", which ? "encoding" : "errors", which ? encoding : errors);
        return false;
    }
    if (file != TY_NULL) {
        if (!method_of(u, &u->peek, file, TY_NAME("peek")) || !method_of(u, &u->readinto, file, TY_NAME("readinto")) ||
            !method_of(u, &u->read, file, TY_NAME("read")) || !method_of(u, &u->readline, file, TY_NAME("readline")))
            return false;
        if (u->read == TY_NULL || u->readline == TY_NULL) {
            ty_store(u, &u->read, TY_NULL);
            ty_raise(&ty_TypeError, "file must have 'read' and 'readline' attributes");
            return false;
        }
    }
    Value iterator = TY_NULL;
    if (buffers != TY_NULL && buffers != TY_NONE && (iterator = ty_iter(buffers)) == TY_NULL)
        return false;
    ty_store(u, &u->buffers, iterator);
    ty_store(u, &u->encoding, encoding == TY_NULL ? TY_NAME("ASCII") : encoding);
    ty_store(u, &u->errors, errors == TY_NULL ? TY_NAME("strict") : errors);
    u->bytes_strings = ty_str_equal_text(u->encoding, "bytes");
    u->fix_imports = fix;
    ty_store_pointer(u, &u->memo, NULL);
    ty_store(u, &u->far, TY_NULL);
    u->memo_count = 0;
    u->ready = true;
    return true;
}

Value ty_pickle_load(Value file, Value data, Value fix_imports, Value encoding, Value errors, Value buffers)
{
    Unpickler *u = ty_allocate(&ty_unpickler_type, sizeof(Unpickler));
    if (!u || !set_up(u, file, fix_imports, encoding, errors, buffers))
        return TY_NULL;
    if (file != TY_NULL)
        return load(u, false, NULL, 0);
    TyBuffer view;
    if (!ty_buffer_get(data, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value v = load(u, false, view.data, view.length);
    ty_buffer_release(&view);
    return v;
}

static Value unpickler_load(Value v, Value *a)
{
    Unpickler *u = SELF(v);
    if (!u->ready)
        return TY_UNPICKLING("Unpickler.__init__() was not called by %N.__init__()", v);
    if (!enter(u))
        return TY_NULL;
    Value result = load(u, true, NULL, 0);
    leave(u);
    return result;
}

static TySignature init_signature = TY_SIGNATURE("Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())");

static bool unpickler_init(Value v, const Value *arguments, size_t count, Value keywords)
{
    Value a[5];
    if (!ty_parse_arguments(&init_signature, arguments, count, keywords, a) || !enter(SELF(v)))
        return false;
    bool fine = set_up(SELF(v), a[0], a[1], a[2], a[3], a[4]);
    leave(SELF(v));
    return fine;
}

static Value unpickler_get_attribute(Value v, Value name)
{
    Value own = ty_field(&SELF(v)->persistent_load);
    return own != TY_NULL && ty_str_equal_text(name, "persistent_load") ? own : ty_generic_get_attribute(v, name);
}

static bool unpickler_set_attribute(Value v, Value name, Value value)
{
    if (!ty_str_equal_text(name, "persistent_load"))
        return ty_generic_set_attribute(v, name, value);
    if (value == TY_NULL && ty_field(&SELF(v)->persistent_load) == TY_NULL) {
        ty_raise_attribute_error(v, name);
        return false;
    }
    ty_store(SELF(v), &SELF(v)->persistent_load, value);
    return true;
}

static void mark_array(TyMarker *marker, TyArray *const *place)
{
    TyArray *array = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (array)
        ty_mark_object(marker, &array->base);
}

static void unpickler_trace(TyObject *self, TyMarker *marker)
{
    Unpickler *u = (Unpickler *)self;
    ty_mark_range(marker, &u->read, 8);
    ty_mark(marker, u->far);
    ty_mark(marker, u->input);
    mark_array(marker, &u->memo);
    mark_array(marker, &u->stack);
    mark_array(marker, &u->marks);
}

/* --- the memo as seen from Python ----------------------------------------------------------------------------------------- */

typedef struct MemoProxy {
    TyObject base;
    Value unpickler;
} MemoProxy;

static Value memo_copy(Unpickler *u)
{
    Value dict = u->far == TY_NULL ? ty_dict_new() : ty_dict_copy(u->far);
    for (int64_t i = 0; dict != TY_NULL && u->memo && i < u->memo->capacity; i++)
        if (u->memo->items[i] != TY_NULL && !ty_dict_set(dict, ty_from_immediate_int(i), u->memo->items[i]))
            return TY_NULL;
    return dict;
}

static Value proxy_copy(Value v, Value *a) { return memo_copy(SELF(((MemoProxy *)ty_object(v))->unpickler)); }
static Value proxy_clear(Value v, Value *a)
{
    Unpickler *u = SELF(((MemoProxy *)ty_object(v))->unpickler);
    ty_store_pointer(u, &u->memo, NULL);
    ty_store(u, &u->far, TY_NULL);
    u->memo_count = 0;
    return TY_NONE;
}
static Value proxy_reduce(Value v, Value *a)
{
    Value copy = proxy_copy(v, a), arguments = copy == TY_NULL ? TY_NULL : ty_tuple_pack(1, copy);
    return arguments == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_from_object(&ty_dict_type), arguments);
}
static void proxy_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((MemoProxy *)self)->unpickler); }

static const TyNativeDef proxy_methods[] = {
    TY_METHOD("clear(self, /)", proxy_clear, "Forgets all objects."),
    TY_METHOD("copy(self, /)", proxy_copy, "A dict from number to object."),
    TY_METHOD("__reduce__(self, /)", proxy_reduce, "A dict is what is pickled."),
    {0},
};

TyType ty_unpickler_memo_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(MemoProxy), .trace = proxy_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_pickle.UnpicklerMemoProxy",
    .parent = &ty_object_base_type,
    .slots = {.hash = ty_hash_unhashable},
    .methods = proxy_methods,
};

static Value get_memo(Value v)
{
    MemoProxy *proxy = ty_allocate(&ty_unpickler_memo_type, sizeof(MemoProxy));
    if (!proxy)
        return TY_NULL;
    ty_store(proxy, &proxy->unpickler, v);
    return ty_from_object(proxy);
}

static bool set_memo(Value v, Value value)
{
    if (value == TY_NULL) {
        ty_raise(&ty_TypeError, "attribute deletion is not supported");
        return false;
    }
    if (ty_is_exact(value, &ty_unpickler_memo_type))
        value = memo_copy(SELF(((MemoProxy *)ty_object(value))->unpickler));
    else if (!ty_is_dict(value)) {
        ty_raise(&ty_TypeError, "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %T", value);
        return false;
    }
    Unpickler *fresh = value == TY_NULL ? NULL : ty_allocate(&ty_unpickler_type, sizeof(Unpickler));
    if (!fresh)
        return false;
    Value key, item;
    int64_t position = 0, number;
    while (ty_dict_next(value, &position, &key, &item)) {
        if (!ty_is_int(key)) {
            ty_raise(&ty_TypeError, "memo key must be integers");
            return false;
        }
        if (!ty_to_size(key, &number))
            return false;
        if (number < 0) {
            ty_raise(&ty_ValueError, "memo key must be positive integers.");
            return false;
        }
        if (!memo_set(fresh, number, item))
            return false;
    }
    Unpickler *u = SELF(v);
    ty_store_pointer(u, &u->memo, fresh->memo);
    ty_store(u, &u->far, fresh->far);
    u->memo_count = fresh->memo_count;
    return true;
}

static const TyGetSetDef unpickler_getsets[] = {{"memo", get_memo, set_memo, NULL}, {0}};

static const TyNativeDef unpickler_methods[] = {
    TY_METHOD("load(self, /)", unpickler_load, "Reads the next pickle of the file and gives the object that it makes."),
    TY_METHOD("find_class(self, module_name, global_name, /)", base_find_class,
              "The attribute of a module, imported if need be. A subclass may allow only what it knows to be harmless."),
    TY_METHOD("persistent_load(self, pid, /)", base_persistent_load, "Raises UnpicklingError; a subclass gives the object that an id of persistent_id stands for."),
    {0},
};

TyType ty_unpickler_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Unpickler), .trace = unpickler_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_CUSTOM_GETATTR,
    .name = "_pickle.Unpickler",
    .doc = "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())\n--\n\nReads pickles from a file, that is from an object with "
           "read() and readline() methods that give bytes.\n\nWith fix_imports, names of Python 2 are taken for today's; its 8-bit strings are decoded by encoding "
           "and errors, or stay bytes if the encoding is 'bytes'. The buffers take the place of what a buffer_callback left out of the pickle.",
    .parent = &ty_object_base_type,
    .slots = {.new = ty_object_new, .init = unpickler_init, .get_attribute = unpickler_get_attribute, .set_attribute = unpickler_set_attribute},
    .methods = unpickler_methods,
    .getsets = unpickler_getsets,
};
