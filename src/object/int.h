/* int: 48 bits are immediate (base/value.h); a wider one, or an instance of a subclass (bool apart), is a TyInt of GMP limbs. */
#ifndef TY_OBJECT_INT_H
#define TY_OBJECT_INT_H

#include "base/bigint.h"
#include "object/object.h"

typedef struct TyInt { /* immutable; normalised: the top limb is nonzero; size 0 only in instances of subclasses */
    TyObject base;
    int64_t size;      /* limbs; negative for a negative number */
    mp_limb_t limbs[];
} TyInt;

TY_INLINE bool ty_is_int(Value v) /* bool and subclasses included */
{
    return ty_is_immediate_int(v) || (ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_INT));
}
TY_INLINE bool ty_is_exact_int(Value v) { return ty_is_immediate_int(v) || ty_is_exact(v, &ty_int_type); }

/* A view of any int's limbs; an immediate's limb is put into *limb. It holds while v is kept. */
TY_INLINE TyBig ty_int_big(Value v, mp_limb_t *limb)
{
    if (ty_is_immediate_int(v))
        return ty_big_from_int64(ty_immediate_int(v), limb);
    TyInt *i = (TyInt *)ty_object(v);
    if (TY_UNLIKELY(ty_object_type(&i->base) == &ty_bool_type)) {
        *limb = v == TY_TRUE;
        return (TyBig){limb, v == TY_TRUE};
    }
    return (TyBig){i->limbs, i->size};
}

Value ty_int_from_int64_slow(int64_t i);
TY_INLINE Value ty_int_from_int64(int64_t i) { return TY_LIKELY(ty_fits_immediate(i)) ? ty_from_immediate_int(i) : ty_int_from_int64_slow(i); }
Value ty_int_from_uint64(uint64_t i);
Value ty_int_from_double(double d);                      /* truncates; OverflowError/ValueError for inf, nan */
Value ty_int_from_limbs(const mp_limb_t *limbs, int64_t size); /* sign in size; normalises */
TY_INLINE Value ty_int_from_big(TyBig big) { return ty_int_from_limbs(big.limbs, big.size); }
Value ty_int_from_text(const char *text, size_t size, int base); /* Python's int() grammar; ValueError */
Value ty_int_from_str(Value v, int base);                /* the same of a str, Unicode's digits and spaces included */
Value ty_int_from_bytes(const uint8_t *bytes, size_t size, bool little, bool is_signed);
bool ty_int_to_bytes(Value v, uint8_t *bytes, size_t size, bool little, bool is_signed); /* OverflowError */
Value ty_int_to_text(Value v, int base, bool prefix);    /* str; obeys the digits limit for base 10 */
/* What C makes of an int (v must be an int): 0 fine, 1 too large, -1 too small. */
int ty_int_get_int64(Value v, int64_t *out);
double ty_int_to_double(Value v);                        /* correctly rounded; -1.0 with OverflowError in the thread if too large */
int ty_int_sign(Value v);
int64_t ty_int_bit_length(Value v);
int64_t ty_int_hash(Value v);
int ty_int_compare(Value a, Value b);
bool ty_int_is_zero(Value v);
Value ty_int_exact(Value v);                             /* the exact int of an int (an instance of a subclass, a bool) */

/* How many decimal digits conversion from or to text may have in this interpreter (sys.set_int_max_str_digits); 0: any number.
 * An interpreter starts with the default. */
#define TY_INT_TEXT_LIMIT_DEFAULT 4300
#define TY_INT_TEXT_LIMIT_LEAST 640
int ty_int_text_limit(void);
void ty_int_set_text_limit(int digits);

/* Arithmetic on any two ints; exact ints come out. */
Value ty_int_add(Value a, Value b);
Value ty_int_subtract(Value a, Value b);
Value ty_int_multiply(Value a, Value b);
Value ty_int_floor_divide(Value a, Value b);
Value ty_int_remainder(Value a, Value b);
bool ty_int_divmod(Value a, Value b, Value *quotient, Value *remainder);
Value ty_int_true_divide(Value a, Value b);
Value ty_int_power(Value a, Value b, Value modulus);     /* modulus TY_NONE if absent; float for a negative exponent */
Value ty_int_left_shift(Value a, Value b);
Value ty_int_right_shift(Value a, Value b);
Value ty_int_and(Value a, Value b);
Value ty_int_or(Value a, Value b);
Value ty_int_xor(Value a, Value b);
Value ty_int_invert(Value a);
Value ty_int_negative(Value a);
Value ty_int_gcd(Value a, Value b);

/* float */
typedef struct TyFloat { TyObject base; double value; } TyFloat; /* instances of subclasses only */
TY_INLINE bool ty_is_float(Value v) { return ty_is_double(v) || (ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_FLOAT)); }
TY_INLINE double ty_float_value(Value v) { return ty_is_double(v) ? ty_double(v) : ((TyFloat *)ty_object(v))->value; } /* v is a float */
Value ty_float_from_text(const char *text, size_t size);  /* Python's float() grammar; ValueError */
Value ty_float_repr(Value v);
double ty_double_remainder(double a, double b);           /* Python's %, b not zero: the sign of b */
Value ty_double_power(double a, double b);                /* ** of floats: complex for roots of negative numbers */
int64_t ty_double_hash(double d, Value identity_for_nan);

/* complex */
typedef struct TyComplex { TyObject base; double real, imaginary; } TyComplex;
extern TyType ty_complex_type;
Value ty_complex_new(double real, double imaginary);
bool ty_to_complex(Value v, double *real, double *imaginary); /* complex, __complex__ or what ty_to_double takes */
Value ty_complex_power(double real, double imaginary, double exponent_real, double exponent_imaginary);
TY_INLINE bool ty_is_complex(Value v) { return ty_is_instance_of(v, &ty_complex_type); }

#endif
