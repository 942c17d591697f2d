/* The buffer protocol: getting, checking and copying views, and items of native formats as Python values. */
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

/* --- getting and releasing ---------------------------------------------------------------------------------------------- */

bool ty_has_buffer(Value v) { return ty_type_of(v)->slots.get_buffer != NULL; }

bool ty_buffer_get(Value v, TyBuffer *view, int flags)
{
    TyType *type = ty_type_of(v);
    memset(view, 0, sizeof *view);
    if (TY_UNLIKELY(!type->slots.get_buffer)) {
        ty_raise(&ty_TypeError, "a bytes-like object is required, not '%T'", v);
        return false;
    }
    if (type->slots.get_buffer(v, view, flags))
        return true;
    view->exporter = TY_NULL;
    return false;
}

void ty_buffer_release(TyBuffer *view)
{
    Value exporter = view->exporter;
    if (exporter == TY_NULL)
        return;
    TyType *type = ty_type_of(exporter);
    if (type->slots.release_buffer)
        type->slots.release_buffer(exporter, view);
    view->exporter = TY_NULL;
}

bool ty_buffer_fill(TyBuffer *view, Value exporter, void *data, int64_t length, bool read_only, int flags)
{
    if ((flags & TY_BUFFER_WRITABLE) && read_only) {
        ty_raise(&ty_BufferError, "Object is not writable.");
        return false;
    }
    *view = (TyBuffer){.data = data, .length = length, .item_size = 1, .dimensions = 1, .read_only = read_only, .exporter = exporter};
    view->format = flags & TY_BUFFER_FORMAT ? "B" : NULL;
    view->inline_shape[0] = length;
    view->inline_shape[1] = 1;
    view->shape = flags & TY_BUFFER_ND ? &view->inline_shape[0] : NULL;
    view->strides = (flags & TY_BUFFER_STRIDES) == TY_BUFFER_STRIDES ? &view->inline_shape[1] : NULL;
    return true;
}

/* --- layout ------------------------------------------------------------------------------------------------------------------ */

static bool contiguous_in(const TyBuffer *view, bool fortran)
{
    int64_t expected = view->item_size;
    if (view->suboffsets)
        return false;
    if (!view->strides)
        return !fortran || view->dimensions <= 1;
    for (int i = 0; i < view->dimensions; i++)
        if (view->shape[i] == 0)
            return true;
    for (int k = 0; k < view->dimensions; k++) {
        int i = fortran ? k : view->dimensions - 1 - k;
        if (view->shape[i] > 1 && view->strides[i] != expected)
            return false;
        expected *= view->shape[i];
    }
    return true;
}

bool ty_buffer_is_contiguous(const TyBuffer *view, char order)
{
    if (order == 'C')
        return contiguous_in(view, false);
    if (order == 'F')
        return contiguous_in(view, true);
    return contiguous_in(view, false) || contiguous_in(view, true);
}

/* One step from low to high addresses, or from high to low; both places are aligned for the type. */
#define MOVE_ALL(type) do { \
        const type *source = (const type *)(const void *)from; \
        type *target = (type *)(void *)to; \
        size_t count = size / sizeof(type); \
        if (to <= from) { \
            for (size_t i = 0; i < count; i++) \
                __atomic_store_n(&target[i], __atomic_load_n(&source[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED); \
        } else { \
            for (size_t i = count; i-- > 0;) \
                __atomic_store_n(&target[i], __atomic_load_n(&source[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED); \
        } \
    } while (0)

static void move_aligned(uint8_t *to, const uint8_t *from, size_t size)
{
    uintptr_t aligned = (uintptr_t)to | (uintptr_t)from | size;
    if ((aligned & 7) == 0)
        MOVE_ALL(uint64_t);
    else if ((aligned & 3) == 0)
        MOVE_ALL(uint32_t);
    else if ((aligned & 1) == 0)
        MOVE_ALL(uint16_t);
    else
        MOVE_ALL(uint8_t);
}

void ty_buffer_move_shared(void *target, const void *source, size_t size)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    size_t tail = size & 7, body = size - tail;
    if (tail == 0 || body == 0) {
        move_aligned(to, from, size);
    } else if (to <= from) {
        move_aligned(to, from, body);
        move_aligned(to + body, from + body, tail);
    } else {
        move_aligned(to + body, from + body, tail);
        move_aligned(to, from, body);
    }
}

/* Copies between a view and memory in C (or Fortran) order, item by item. */
typedef struct Copy {
    const TyBuffer *view;
    uint8_t *memory;
    const int64_t *memory_strides;
    bool into_view;
} Copy;

static void copy_dimension(const Copy *c, int dimension, uint8_t *at, uint8_t *memory)
{
    const TyBuffer *view = c->view;
    if (dimension == view->dimensions) {
        ty_buffer_move(c->into_view ? at : memory, c->into_view ? memory : at, (size_t)view->item_size);
        return;
    }
    for (int64_t i = 0; i < view->shape[dimension]; i++) {
        uint8_t *item = at;
        if (view->suboffsets && view->suboffsets[dimension] >= 0)
            memcpy(&item, at, sizeof item), item += view->suboffsets[dimension];
        copy_dimension(c, dimension + 1, item, memory);
        at += view->strides[dimension];
        memory += c->memory_strides[dimension];
    }
}

#define MAX_DIMENSIONS 64

static void copy(const TyBuffer *view, uint8_t *memory, bool fortran, bool into_view)
{
    int64_t strides[MAX_DIMENSIONS], step = view->item_size;
    for (int k = 0; k < view->dimensions; k++) {
        int i = fortran ? k : view->dimensions - 1 - k;
        strides[i] = step;
        step *= view->shape[i];
    }
    Copy c = {view, memory, strides, into_view};
    copy_dimension(&c, 0, view->data, memory);
}

bool ty_buffer_copy_out(const TyBuffer *view, void *target, char order)
{
    bool fortran = order == 'F' || (order == 'A' && !contiguous_in(view, false) && contiguous_in(view, true));
    if (contiguous_in(view, fortran) || !view->strides)
        ty_buffer_move(target, view->data, (size_t)view->length);
    else
        copy(view, target, fortran, false);
    return true;
}

bool ty_buffer_copy_in(const TyBuffer *view, const void *source)
{
    if (contiguous_in(view, false))
        ty_buffer_move(view->data, source, (size_t)view->length);
    else
        copy(view, (uint8_t *)source, false, true);
    return true;
}

/* --- items of native formats ------------------------------------------------------------------------------------------------------ */

/* X(character, C type, how it is read and written) */
#define NATIVE_FORMATS(X) \
    X('b', signed char, SIGNED) X('B', unsigned char, UNSIGNED) X('h', short, SIGNED) X('H', unsigned short, UNSIGNED) \
    X('i', int, SIGNED) X('I', unsigned, UNSIGNED) X('l', long, SIGNED) X('L', unsigned long, UNSIGNED) \
    X('q', long long, SIGNED) X('Q', unsigned long long, UNSIGNED) X('n', int64_t, SIGNED) X('N', uint64_t, UNSIGNED) \
    X('P', uintptr_t, UNSIGNED) X('f', float, FLOAT) X('d', double, FLOAT)

#define READ_SIGNED(x) ty_int_from_int64((int64_t)(x))
#define READ_UNSIGNED(x) ty_int_from_uint64((uint64_t)(x))
#define READ_FLOAT(x) ty_from_double((double)(x))

static double half_to_double(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 0x3FF;
    double value = exponent == 0 ? __builtin_ldexp(fraction, -24)
                   : exponent < 31 ? __builtin_ldexp(1024 + fraction, exponent - 25)
                                   : fraction ? __builtin_nan("") : __builtin_inf();
    return h & 0x8000 ? -value : value;
}

/* Half to even; false: too large. */
static bool double_to_half(double d, uint16_t *h)
{
    uint16_t sign = __builtin_signbit(d) ? 0x8000 : 0;
    d = __builtin_fabs(d);
    int exponent;
    if (__builtin_isnan(d)) {
        *h = sign | 0x7E00;
    } else if (__builtin_isinf(d)) {
        *h = sign | 0x7C00;
    } else {
        __builtin_frexp(d, &exponent);
        exponent = TY_MAX(exponent, -13); /* below: subnormal */
        double scaled = __builtin_ldexp(d, 11 - exponent);
        uint32_t units = (uint32_t)__builtin_rint(scaled);
        uint32_t bits = units + ((uint32_t)(exponent + 13) << 10);
        if (d == 0)
            bits = 0;
        if (bits >= 0x7C00)
            return false;
        *h = (uint16_t)(sign | bits);
    }
    return true;
}

static bool bad_format(const char *format)
{
    ty_raise(&ty_NotImplementedError, "memoryview: format %s not supported", format);
    return false;
}

static char native_code(const char *format)
{
    if (!format)
        return 'B';
    if (*format == '@')
        format++;
    return format[0] && !format[1] ? format[0] : 0;
}

static uint8_t byte_at(const uint8_t *item) { return __atomic_load_n(item, __ATOMIC_RELAXED); }

Value ty_buffer_unpack(const char *format, const uint8_t *item)
{
    switch (native_code(format)) {
#define UNPACK(code, type, kind)          \
    case code: {                          \
        type x;                           \
        ty_buffer_move(&x, item, sizeof x);       \
        return READ_##kind(x);            \
    }
        NATIVE_FORMATS(UNPACK)
#undef UNPACK
    case '?': return ty_from_bool(byte_at(item) != 0);
    case 'c': return ty_bytes_new((uint8_t[]){byte_at(item)}, 1);
    case 'e': {
        uint16_t half;
        ty_buffer_move(&half, item, sizeof half);
        return ty_from_double(half_to_double(half));
    }
    default: bad_format(format); return TY_NULL;
    }
}

static bool bad_value(const char *format, bool type)
{
    if (!type && ty_raised() && !ty_raised_is(&ty_TypeError) && !ty_raised_is(&ty_OverflowError) && !ty_raised_is(&ty_ValueError))
        return false;
    if (type && ty_raised() && !ty_raised_is(&ty_TypeError))
        return false;
    ty_clear_exception();
    ty_raise(type ? &ty_TypeError : &ty_ValueError, type ? "memoryview: invalid type for format '%s'" : "memoryview: invalid value for format '%s'", format);
    return false;
}

static bool pack_integer(const char *format, Value value, bool is_signed, size_t size, uint64_t *out)
{
    Value index = ty_number_index(value);
    if (index == TY_NULL)
        return bad_value(format, true);
    if (is_signed) {
        int64_t i;
        if (ty_int_get_int64(index, &i) != 0 || (size < 8 && (i < -(INT64_C(1) << (8 * size - 1)) || i >= INT64_C(1) << (8 * size - 1))))
            return bad_value(format, false);
        *out = (uint64_t)i;
        return true;
    }
    if (ty_int_sign(index) < 0 || ty_int_bit_length(index) > (int64_t)(8 * size))
        return bad_value(format, false);
    return ty_to_uint64_mask(index, out);
}

#define PACK_INTEGER(type, is_signed)                                            \
    {                                                                            \
        uint64_t bits;                                                           \
        if (!pack_integer(format, value, is_signed, sizeof(type), &bits))        \
            return false;                                                        \
        type x = (type)bits;                                                     \
        ty_buffer_move(item, &x, sizeof x);                                             \
        return true;                                                             \
    }
#define PACK_SIGNED(type) PACK_INTEGER(type, true)
#define PACK_UNSIGNED(type) PACK_INTEGER(type, false)
#define PACK_FLOAT(type)                           \
    {                                              \
        double d;                                  \
        if (!ty_to_double(value, &d))              \
            return bad_value(format, true);        \
        type x = (type)d;                          \
        ty_buffer_move(item, &x, sizeof x);               \
        return true;                               \
    }

bool ty_buffer_pack(const char *format, uint8_t *item, Value value)
{
    if (!format)
        format = "B";
    switch (native_code(format)) {
#define PACK(code, type, kind) case code: PACK_##kind(type)
        NATIVE_FORMATS(PACK)
#undef PACK
    case '?': {
        int truth = ty_is_true(value);
        if (truth >= 0)
            __atomic_store_n(item, (uint8_t)truth, __ATOMIC_RELAXED);
        return truth >= 0;
    }
    case 'c':
        if (!ty_is_bytes(value))
            return bad_value(format, true);
        if (ty_bytes_length(value) != 1)
            return bad_value(format, false);
        __atomic_store_n(item, ty_bytes_data(value)[0], __ATOMIC_RELAXED);
        return true;
    case 'e': {
        double d;
        uint16_t half;
        if (!ty_to_double(value, &d))
            return bad_value(format, true);
        if (!double_to_half(d, &half))
            return bad_value(format, false);
        ty_buffer_move(item, &half, sizeof half);
        return true;
    }
    default: return bad_format(format);
    }
}

/* --- classes in Python: __buffer__ and __release_buffer__ ------------------------------------------------------------------------------ */

/* `internal` of such a view is the memoryview that __buffer__ returned. Values in a TyBuffer are seen by the collector only on the C stack or
 * through the memoryview that holds it, so the view's exporter is an object that keeps both. */
typedef struct PythonBuffer {
    TyObject base;
    Value owner, memory;
    TyBuffer inner;
} PythonBuffer;

static void python_buffer_trace(TyObject *self, TyMarker *marker)
{
    PythonBuffer *b = (PythonBuffer *)self;
    ty_mark(marker, b->owner);
    ty_mark(marker, b->memory);
    ty_mark(marker, b->inner.exporter);
}

static void python_buffer_release(Value self, TyBuffer *view)
{
    PythonBuffer *b = (PythonBuffer *)ty_object(self);
    Value raised = ty_take_exception();
    ty_buffer_release(&b->inner);
    Value method = ty_lookup_special(b->owner, TY_NAME("__release_buffer__"));
    if (method != TY_NULL && ty_call_one(method, b->memory) == TY_NULL)
        ty_write_unraisable(b->owner, NULL);
    else if (method == TY_NULL && ty_raised())
        ty_clear_exception();
    /* The memoryview is of no use any more. */
    if (ty_call_method_none(b->memory, TY_NAME("release")) == TY_NULL)
        ty_clear_exception();
    ty_restore_exception(raised);
}

static TyType python_buffer_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(PythonBuffer), .trace = python_buffer_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = "_buffer_wrapper",
    .slots = {.release_buffer = python_buffer_release},
};

bool ty_buffer_from_method(Value self, TyBuffer *view, int flags)
{
    Value method = ty_lookup_special(self, TY_NAME("__buffer__"));
    if (method == TY_NULL) {
        if (!ty_raised())
            ty_raise(&ty_TypeError, "a bytes-like object is required, not '%T'", self);
        return false;
    }
    Value memory = ty_call_one(method, ty_from_immediate_int(flags));
    if (memory == TY_NULL)
        return false;
    if (!ty_is_instance_of(memory, &ty_memoryview_type)) {
        ty_raise(&ty_TypeError, "__buffer__ returned non-memoryview object");
        return false;
    }
    PythonBuffer *b = ty_allocate(&python_buffer_type, sizeof(PythonBuffer));
    if (!b)
        return false;
    ty_store(b, &b->owner, self);
    ty_store(b, &b->memory, memory);
    if (!ty_buffer_get(memory, &b->inner, flags))
        return false;
    *view = b->inner;
    view->exporter = ty_from_object(b);
    return true;
}

/* Views that ty_buffer_from_method gave have a wrapper as exporter; this is for a class that inherits __buffer__ from a C type and defines only
 * __release_buffer__. */
void ty_buffer_release_method(Value self, TyBuffer *view)
{
    Value raised = ty_take_exception(), method = ty_lookup_special(self, TY_NAME("__release_buffer__"));
    Value memory = method == TY_NULL ? TY_NULL : ty_memoryview_from_memory(view->data, view->length, view->read_only, self);
    if (memory != TY_NULL && ty_call_one(method, memory) == TY_NULL)
        ty_write_unraisable(self, NULL);
    if (ty_raised())
        ty_clear_exception();
    ty_restore_exception(raised);
    const TyType *type = ty_type_of(self);
    while (type && (type->flags & TY_TYPE_HEAP))
        type = type->parent;
    if (type && type->slots.release_buffer)
        type->slots.release_buffer(self, view);
}

Value ty_buffer_owner(Value exporter)
{
    return ty_is_exact(exporter, &python_buffer_type) ? ((PythonBuffer *)ty_object(exporter))->owner : exporter;
}

bool ty_memoryview_release_for(Value exporter, Value view)
{
    if (!ty_is_instance_of(view, &ty_memoryview_type)) {
        ty_raise(&ty_TypeError, "expected a memoryview object");
        return false;
    }
    Value owner = ty_get_attribute(view, TY_NAME("obj"));
    if (owner == TY_NULL)
        return false;
    if (owner != exporter) {
        ty_raise(&ty_ValueError, "memoryview's buffer is not this object");
        return false;
    }
    return ty_call_method_none(view, TY_NAME("release")) != TY_NULL;
}
