/* Integers of any size: Python's integer semantics over GMP.
 *
 * A TyBig is a view of limbs that lie somewhere: |size| of them, least significant first, the top one not zero,
 * negative if `size` is; zero has size 0. (GMP's mpz keeps the same form.)
 *
 * The quick operations write their result's limbs to room that the caller gives (each says how much) and return
 * its signed size. `out` may be the limbs of an operand only where it is said. The others leave their result in an
 * mpz_t that the caller has initialised and clears.
 *
 * GMP aborts the process when it gets no memory. So whatever can grow without bound is checked against
 * TY_BIG_MAX_LIMBS before it is begun, and refused. Nothing here knows of objects or exceptions. */
#ifndef TY_BASE_BIGINT_H
#define TY_BASE_BIGINT_H

#include "base/base.h"
#include <gmp.h>

#if GMP_NUMB_BITS != 64
#error "limbs of 64 bits are taken for granted"
#endif

#define TY_BIG_MAX_LIMBS ((mp_size_t)1 << 28)
#define TY_BIG_MAX_BITS ((uint64_t)TY_BIG_MAX_LIMBS * 64)

typedef struct TyBig {
    const mp_limb_t *limbs;
    mp_size_t size;
} TyBig;

typedef enum TyBigStatus {
    TY_BIG_OK,
    TY_BIG_TOO_LARGE,    /* the result would pass TY_BIG_MAX_LIMBS, or there is no memory */
    TY_BIG_DIVIDES_ZERO, /* a divisor or modulus is zero */
    TY_BIG_NO_INVERSE,   /* a negative power of a base that shares a factor with the modulus */
    TY_BIG_NEGATIVE,     /* negative where that has no meaning */
} TyBigStatus;

TY_INLINE mp_size_t ty_big_length(TyBig a) { return a.size < 0 ? -a.size : a.size; }

/* A view of a machine integer whose limb lies in *limb. */
TY_INLINE TyBig ty_big_from_int64(int64_t i, mp_limb_t *limb)
{
    *limb = i < 0 ? -(uint64_t)i : (uint64_t)i;
    return (TyBig){limb, i < 0 ? -1 : i > 0};
}

TY_INLINE TyBig ty_big_of(const mpz_t z) { return (TyBig){mpz_limbs_read(z), z->_mp_size}; }

/* True with *i set if a fits 64 bits. */
TY_INLINE bool ty_big_fits_int64(TyBig a, int64_t *i)
{
    if (a.size == 0) {
        *i = 0;
        return true;
    }
    if (a.size == 1 && a.limbs[0] <= (uint64_t)INT64_MAX) {
        *i = (int64_t)a.limbs[0];
        return true;
    }
    if (a.size == -1 && a.limbs[0] <= (uint64_t)INT64_MAX + 1) {
        *i = (int64_t)-a.limbs[0];
        return true;
    }
    return false;
}

int ty_big_compare(TyBig a, TyBig b); /* below, at or above zero */
uint64_t ty_big_bit_length(TyBig a);  /* of the magnitude, as the next two */
uint64_t ty_big_bit_count(TyBig a);
uint64_t ty_big_trailing_zeros(TyBig a); /* a is not zero */

/* --- results in limbs of the caller ---------------------------------------------------------------------------- */

mp_size_t ty_big_add(mp_limb_t *out, TyBig a, TyBig b); /* max(length) + 1; out may be a's or b's limbs */
mp_size_t ty_big_sub(mp_limb_t *out, TyBig a, TyBig b); /* the same */
mp_size_t ty_big_mul(mp_limb_t *out, TyBig a, TyBig b); /* the sum of the lengths, at least 1; apart from both */

/* a = quotient × b + rest, quotient rounded down, rest with b's sign; b is not zero. quotient has room for
 * max(0, a's length - b's) + 2 limbs, rest for b's length; both are apart from a and b. Returns the quotient's size. */
mp_size_t ty_big_floor_divide(mp_limb_t *quotient, mp_limb_t *rest, mp_size_t *rest_size, TyBig a, TyBig b);

/* a × 2^count: a's length + count / 64 + 1 limbs; apart from a. */
mp_size_t ty_big_shift_left(mp_limb_t *out, TyBig a, uint64_t count);
/* a ÷ 2^count rounded down: max(1, a's length - count / 64 + 1) limbs; apart from a. */
mp_size_t ty_big_shift_right(mp_limb_t *out, TyBig a, uint64_t count);

/* Bit by bit in two's complement of endless width: max(length) + 1 limbs; out may be a's or b's limbs. */
mp_size_t ty_big_and(mp_limb_t *out, TyBig a, TyBig b);
mp_size_t ty_big_or(mp_limb_t *out, TyBig a, TyBig b);
mp_size_t ty_big_xor(mp_limb_t *out, TyBig a, TyBig b);

/* The whole part of a finite double: 17 limbs. */
#define TY_BIG_DOUBLE_LIMBS 17
mp_size_t ty_big_from_double(mp_limb_t out[TY_BIG_DOUBLE_LIMBS], double value);

/* --- doubles ----------------------------------------------------------------------------------------------------- */

/* The nearest double, half to even; false if it is beyond all of them. */
bool ty_big_to_double(TyBig a, double *value);
/* As frexp(): a ≈ result × 2^*exponent with a result from 0.5 to 1. */
double ty_big_frexp(TyBig a, int64_t *exponent);
/* a / b rounded once; b is not zero; false if it is beyond all doubles. TY_BIG_TOO_LARGE can't happen but for memory. */
TyBigStatus ty_big_true_divide(TyBig a, TyBig b, double *value, bool *overflow);
int ty_big_compare_double(TyBig a, double value); /* exact; value is not NaN */

/* --- text and bytes ------------------------------------------------------------------------------------------------ */

/* The greatest number of characters, sign included, of a in base 2 to 36. */
size_t ty_big_text_bound(TyBig a, int base);
/* Writes it in lower case, at the start of out; returns the length, or 0 if there is no memory for scratch. */
size_t ty_big_to_text(TyBig a, int base, char *out);

/* Limbs that `count` digits of the base can need. */
size_t ty_big_digits_limbs(size_t count, int base);
/* From digits' values (not characters), the first the most significant. Returns the length of the magnitude. */
mp_size_t ty_big_from_digits(mp_limb_t *out, const unsigned char *digits, size_t count, int base);

/* Writes exactly `count` bytes, two's complement if is_signed; false if a does not fit. */
bool ty_big_to_bytes(TyBig a, unsigned char *bytes, size_t count, bool little, bool is_signed);
/* count / 8 + 1 limbs; returns the signed size. */
mp_size_t ty_big_from_bytes(mp_limb_t *out, const unsigned char *bytes, size_t count, bool little, bool is_signed);

/* a modulo 2^61 - 1, the sign as a's: what hash() is made of. */
int64_t ty_big_hash_residue(TyBig a);

/* --- results in an mpz_t ------------------------------------------------------------------------------------------- */

TyBigStatus ty_big_pow(mpz_t result, TyBig base, TyBig exponent); /* exponent is not negative */
TyBigStatus ty_big_powmod(mpz_t result, TyBig base, TyBig exponent, TyBig modulus);
void ty_big_gcd(mpz_t result, TyBig a, TyBig b);
TyBigStatus ty_big_lcm(mpz_t result, TyBig a, TyBig b);
TyBigStatus ty_big_isqrt(mpz_t result, TyBig a);
TyBigStatus ty_big_factorial(mpz_t result, uint64_t n);
TyBigStatus ty_big_comb(mpz_t result, TyBig n, uint64_t k);
TyBigStatus ty_big_perm(mpz_t result, TyBig n, uint64_t k);

#endif
