/* Simple values: how each character of _type_ is read from memory and written to it. */
#include "internal.h"
#include <wchar.h>

#define INTEGER(name, type, make)                                                                            \
    static Value get_##name(const void *p)                                                                   \
    {                                                                                                        \
        type v;                                                                                              \
        memcpy(&v, p, sizeof v);                                                                             \
        return make(v);                                                                                      \
    }                                                                                                        \
    static Value set_##name(void *p, Value v)                                                                \
    {                                                                                                        \
        uint64_t bits;                                                                                       \
        if (!ty_is_int(v) && (v = ty_number_index(v)) == TY_NULL)                                            \
            return TY_NULL;                                                                                  \
        if (!ty_to_uint64_mask(v, &bits))                                                                    \
            return TY_NULL;                                                                                  \
        type narrow = (type)bits;                                                                            \
        memcpy(p, &narrow, sizeof narrow);                                                                   \
        return TY_NONE;                                                                                      \
    }
INTEGER(b, int8_t, ty_int_from_int64)
INTEGER(B, uint8_t, ty_int_from_int64)
INTEGER(h, int16_t, ty_int_from_int64)
INTEGER(H, uint16_t, ty_int_from_int64)
INTEGER(i, int32_t, ty_int_from_int64)
INTEGER(I, uint32_t, ty_int_from_int64)
INTEGER(q, int64_t, ty_int_from_int64)
INTEGER(Q, uint64_t, ty_int_from_uint64)

#define FLOATING(name, type)                     \
    static Value get_##name(const void *p)       \
    {                                            \
        type v;                                  \
        memcpy(&v, p, sizeof v);                 \
        return ty_from_double((double)v);        \
    }                                            \
    static Value set_##name(void *p, Value v)    \
    {                                            \
        double d;                                \
        if (!ty_to_double(v, &d))                \
            return TY_NULL;                      \
        type narrow = (type)d;                   \
        memcpy(p, &narrow, sizeof(type));        \
        return TY_NONE;                          \
    }
FLOATING(f, float)
FLOATING(d, double)
FLOATING(g, long double)

#define COMPLEX(name, type)                                     \
    static Value get_##name(const void *p)                      \
    {                                                           \
        type v[2];                                              \
        memcpy(v, p, sizeof v);                                 \
        return ty_complex_new((double)v[0], (double)v[1]);      \
    }                                                           \
    static Value set_##name(void *p, Value v)                   \
    {                                                           \
        double real, imaginary;                                 \
        if (!ty_to_complex(v, &real, &imaginary))               \
            return TY_NULL;                                     \
        type pair[2] = {(type)real, (type)imaginary};           \
        memcpy(p, pair, sizeof pair);                           \
        return TY_NONE;                                         \
    }
COMPLEX(F, float)
COMPLEX(D, double)
COMPLEX(G, long double)

static Value get_bool(const void *p) { return ty_from_bool(*(const uint8_t *)p != 0); }
static Value set_bool(void *p, Value v)
{
    int truth = ty_is_true(v);
    if (truth < 0)
        return TY_NULL;
    *(uint8_t *)p = (uint8_t)truth;
    return TY_NONE;
}

/* Truth as Visual Basic has it. */
static Value get_variant(const void *p)
{
    int16_t v;
    memcpy(&v, p, sizeof v);
    return ty_from_bool(v != 0);
}
static Value set_variant(void *p, Value v)
{
    int truth = ty_is_true(v);
    int16_t bits = truth ? -1 : 0;
    if (truth < 0)
        return TY_NULL;
    memcpy(p, &bits, sizeof bits);
    return TY_NONE;
}

static Value get_char(const void *p) { return ty_bytes_new(p, 1); }
static Value set_char(void *p, Value v)
{
    int64_t number;
    if (ty_is_bytes(v)) {
        if (ty_bytes_length(v) != 1)
            return ty_raise(&ty_TypeError, "one character bytes, bytearray, or an integer in range(256) expected, not bytes of length %zd", (ssize_t)ty_bytes_length(v));
        *(uint8_t *)p = ty_bytes_data(v)[0];
        return TY_NONE;
    }
    if (ty_is_instance_of(v, &ty_bytearray_type)) {
        TyBuffer view;
        if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
            return TY_NULL;
        int64_t length = view.length;
        if (length == 1)
            *(uint8_t *)p = view.data[0];
        ty_buffer_release(&view);
        return length == 1 ? TY_NONE
            : ty_raise(&ty_TypeError, "one character bytes, bytearray, or an integer in range(256) expected, not bytearray of length %zd", (ssize_t)length);
    }
    if (!ty_is_int(v))
        return ty_raise(&ty_TypeError, "one character bytes, bytearray, or an integer in range(256) expected, not %T", v);
    if (ty_int_get_int64(v, &number) != 0 || number < 0 || number > 255)
        return ty_raise(&ty_TypeError, "integer not in range(256)");
    *(uint8_t *)p = (uint8_t)number;
    return TY_NONE;
}

static Value get_wide(const void *p)
{
    wchar_t c;
    memcpy(&c, p, sizeof c);
    if ((uint32_t)c > 0x10ffff)
        return ty_raise(&ty_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", (unsigned)c);
    return ty_str_from_char((uint32_t)c);
}
static Value set_wide(void *p, Value v)
{
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "a unicode character expected, not instance of %T", v);
    if (ty_str_length(v) != 1)
        return ty_raise(&ty_TypeError, "a unicode character expected, not a string of length %zd", (ssize_t)ty_str_length(v));
    wchar_t c = (wchar_t)ty_str_at(v, 0);
    memcpy(p, &c, sizeof c);
    return TY_NONE;
}

static void *pointer_at(const void *p)
{
    void *v;
    memcpy(&v, p, sizeof v);
    return v;
}
static void put_pointer(void *p, const void *v) { memcpy(p, &v, sizeof v); }

static Value get_object(const void *p)
{
    Value v;
    memcpy(&v, p, sizeof v);
    return v == TY_NULL ? ty_raise(&ty_ValueError, "PyObject is NULL") : v;
}
static Value set_object(void *p, Value v)
{
    memcpy(p, &v, sizeof v);
    return v;
}

Value ctypes_bytes_at(const char *p, int64_t size) { return ty_bytes_new(p, size < 0 ? strlen(p) : (size_t)size); }

Value ctypes_wide_at(const wchar_t *p, int64_t size)
{
    if (size < 0)
        size = (int64_t)wcslen(p);
    for (int64_t i = 0; i < size; i++)
        if ((uint32_t)p[i] > 0x10ffff)
            return ty_raise(&ty_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", (unsigned)p[i]);
    return ty_str_from_ucs4((const uint32_t *)p, (size_t)size);
}

Value ctypes_wide_bytes(Value str)
{
    int64_t length = ty_str_length(str);
    Value bytes = ty_bytes_new(NULL, (size_t)(length + 1) * sizeof(wchar_t));
    for (int64_t i = 0; bytes != TY_NULL && i < length; i++)
        ((wchar_t *)ty_bytes_data(bytes))[i] = (wchar_t)ty_str_at(str, i);
    return bytes;
}

static Value get_text(const void *p)
{
    const char *text = pointer_at(p);
    return text ? ctypes_bytes_at(text, -1) : TY_NONE;
}

/* None or an address; false: neither. */
static bool set_address(void *p, Value v, bool *failed)
{
    uint64_t bits = 0;
    *failed = false;
    if (v != TY_NONE && !ty_is_int(v))
        return false;
    *failed = v != TY_NONE && !ty_to_uint64_mask(v, &bits);
    put_pointer(p, (void *)bits);
    return true;
}

static Value set_text(void *p, Value v)
{
    bool failed;
    if (set_address(p, v, &failed))
        return failed ? TY_NULL : TY_NONE;
    if (!ty_is_bytes(v))
        return ty_raise(&ty_TypeError, "bytes or integer address expected instead of %T instance", v);
    put_pointer(p, ty_bytes_data(v));
    return v;
}

static Value get_wide_text(const void *p)
{
    const wchar_t *text = pointer_at(p);
    return text ? ctypes_wide_at(text, -1) : TY_NONE;
}
static Value set_wide_text(void *p, Value v)
{
    bool failed;
    if (set_address(p, v, &failed))
        return failed ? TY_NULL : TY_NONE;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "unicode string or integer address expected instead of %T instance", v);
    Value bytes = ctypes_wide_bytes(v);
    if (bytes != TY_NULL)
        put_pointer(p, ty_bytes_data(bytes));
    return bytes;
}

static Value get_pointer(const void *p)
{
    void *v = pointer_at(p);
    return v ? ty_int_from_uint64((uintptr_t)v) : TY_NONE;
}
static Value set_pointer(void *p, Value v)
{
    bool failed;
    if (set_address(p, v, &failed))
        return failed ? TY_NULL : TY_NONE;
    return ty_raise(&ty_TypeError, "cannot be converted to pointer");
}

#define SIZED(type) sizeof(type), _Alignof(type)

static const Code codes[] = {
    {'b', 'b', SIZED(int8_t), &ffi_type_sint8, get_b, set_b, true, true},
    {'B', 'B', SIZED(uint8_t), &ffi_type_uint8, get_B, set_B, true, false},
    {'h', 'h', SIZED(short), &ffi_type_sint16, get_h, set_h, true, true},
    {'H', 'H', SIZED(short), &ffi_type_uint16, get_H, set_H, true, false},
    {'i', 'i', SIZED(int), &ffi_type_sint32, get_i, set_i, true, true},
    {'I', 'I', SIZED(int), &ffi_type_uint32, get_I, set_I, true, false},
    {'l', 'q', SIZED(long), &ffi_type_sint64, get_q, set_q, true, true},
    {'L', 'Q', SIZED(long), &ffi_type_uint64, get_Q, set_Q, true, false},
    {'q', 'q', SIZED(long long), &ffi_type_sint64, get_q, set_q, true, true},
    {'Q', 'Q', SIZED(long long), &ffi_type_uint64, get_Q, set_Q, true, false},
    {'f', 'f', SIZED(float), &ffi_type_float, get_f, set_f},
    {'d', 'd', SIZED(double), &ffi_type_double, get_d, set_d},
    {'g', 'g', SIZED(long double), &ffi_type_longdouble, get_g, set_g},
    {'F', 'F', SIZED(_Complex float), &ffi_type_complex_float, get_F, set_F},
    {'D', 'D', SIZED(_Complex double), &ffi_type_complex_double, get_D, set_D},
    {'G', 'G', SIZED(_Complex long double), &ffi_type_complex_longdouble, get_G, set_G},
    {'?', '?', SIZED(_Bool), &ffi_type_uint8, get_bool, set_bool},
    {'v', 'v', SIZED(short), &ffi_type_sint16, get_variant, set_variant},
    {'c', 'c', SIZED(char), &ffi_type_sint8, get_char, set_char},
    {'u', 'u', SIZED(wchar_t), &ffi_type_sint32, get_wide, set_wide},
    {'O', 'O', SIZED(void *), &ffi_type_pointer, get_object, set_object},
    {'z', 'z', SIZED(void *), &ffi_type_pointer, get_text, set_text},
    {'Z', 'Z', SIZED(void *), &ffi_type_pointer, get_wide_text, set_wide_text},
    {'P', 'P', SIZED(void *), &ffi_type_pointer, get_pointer, set_pointer},
};
_Static_assert(sizeof(long) == 8, "the table takes a long for 64 bits");

const Code *ctypes_code(uint32_t character)
{
    for (size_t i = 0; i < TY_COUNT_OF(codes); i++)
        if ((uint32_t)codes[i].code == character)
            return &codes[i];
    return NULL;
}

/* In the other order of bytes they go through a buffer; of a complex number, each part is turned. */
static void turn(const Code *code, uint8_t *to, const uint8_t *from)
{
    int part = code->code == 'F' || code->code == 'D' ? code->size / 2 : code->size;
    for (int i = 0; i < code->size; i++)
        to[i] = from[i / part * part + part - 1 - i % part];
}

Value ctypes_read(const Info *info, const void *p)
{
    uint8_t turned[16];
    if (TY_LIKELY(!info->swapped))
        return info->code->get(p);
    turn(info->code, turned, p);
    return info->code->get(turned);
}

Value ctypes_write(const Info *info, void *p, Value v)
{
    uint8_t turned[16];
    if (TY_LIKELY(!info->swapped))
        return info->code->set(p, v);
    Value kept = info->code->set(turned, v);
    if (kept != TY_NULL)
        turn(info->code, p, turned);
    return kept;
}
