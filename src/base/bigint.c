#include "base/bigint.h"
#include "base/float_text.h"

#include <math.h>
#include <stdlib.h>

static inline mp_size_t normal_size(const mp_limb_t *limbs, mp_size_t size)
{
    while (size > 0 && limbs[size - 1] == 0) {
        size--;
    }
    return size;
}

static inline mp_size_t with_sign(mp_size_t size, bool negative)
{
    return negative ? -size : size;
}

int ty_big_compare(TyBig a, TyBig b)
{
    if (a.size != b.size) {
        return a.size < b.size ? -1 : 1;
    }
    mp_size_t size = ty_big_length(a);
    int order = size == 0 ? 0 : mpn_cmp(a.limbs, b.limbs, size);
    return a.size < 0 ? -order : order;
}

uint64_t ty_big_bit_length(TyBig a)
{
    mp_size_t size = ty_big_length(a);
    return size == 0 ? 0 : (uint64_t)size * 64 - (uint64_t)__builtin_clzll(a.limbs[size - 1]);
}

uint64_t ty_big_bit_count(TyBig a)
{
    return a.size == 0 ? 0 : mpn_popcount(a.limbs, ty_big_length(a));
}

uint64_t ty_big_trailing_zeros(TyBig a)
{
    uint64_t i = 0;
    while (a.limbs[i] == 0) {
        i++;
    }
    return i * 64 + (uint64_t)__builtin_ctzll(a.limbs[i]);
}

/* ---- Sums and products --------------------------------------------------------------------------------------- */

static mp_size_t add_magnitudes(mp_limb_t *out, TyBig a, TyBig b)
{
    mp_size_t an = ty_big_length(a), bn = ty_big_length(b);
    if (an < bn) {
        TyBig other = a;
        a = b;
        b = other;
        mp_size_t length = an;
        an = bn;
        bn = length;
    }
    if (bn == 0) {
        if (an != 0) {
            mpn_copyi(out, a.limbs, an);
        }
        return an;
    }
    mp_limb_t carry = mpn_add(out, a.limbs, an, b.limbs, bn);
    out[an] = carry;
    return an + (mp_size_t)carry;
}

/* |a| - |b|, with the sign of that. */
static mp_size_t subtract_magnitudes(mp_limb_t *out, TyBig a, TyBig b)
{
    mp_size_t an = ty_big_length(a), bn = ty_big_length(b);
    bool less = an != bn ? an < bn : an != 0 && mpn_cmp(a.limbs, b.limbs, an) < 0;
    if (less) {
        TyBig other = a;
        a = b;
        b = other;
        mp_size_t length = an;
        an = bn;
        bn = length;
    }
    if (bn == 0) {
        if (an != 0) {
            mpn_copyi(out, a.limbs, an);
        }
        return with_sign(an, less);
    }
    mpn_sub(out, a.limbs, an, b.limbs, bn);
    return with_sign(normal_size(out, an), less);
}

mp_size_t ty_big_add(mp_limb_t *out, TyBig a, TyBig b)
{
    bool negative = a.size < 0;
    if (negative == (b.size < 0)) {
        return with_sign(add_magnitudes(out, a, b), negative);
    }
    mp_size_t size = subtract_magnitudes(out, a, b);
    return negative ? -size : size;
}

mp_size_t ty_big_sub(mp_limb_t *out, TyBig a, TyBig b)
{
    b.size = -b.size;
    return ty_big_add(out, a, b);
}

mp_size_t ty_big_mul(mp_limb_t *out, TyBig a, TyBig b)
{
    mp_size_t an = ty_big_length(a), bn = ty_big_length(b);
    if (an == 0 || bn == 0) {
        return 0;
    }
    bool negative = (a.size < 0) != (b.size < 0);
    mp_limb_t top;
    if (bn == 1 || an == 1) {
        TyBig longer = bn == 1 ? a : b;
        mp_limb_t factor = bn == 1 ? b.limbs[0] : a.limbs[0];
        mp_size_t length = ty_big_length(longer);
        top = mpn_mul_1(out, longer.limbs, length, factor);
        out[length] = top;
    } else if (a.limbs == b.limbs && an == bn) {
        mpn_sqr(out, a.limbs, an);
        top = out[an + bn - 1];
    } else if (an >= bn) {
        top = mpn_mul(out, a.limbs, an, b.limbs, bn);
    } else {
        top = mpn_mul(out, b.limbs, bn, a.limbs, an);
    }
    return with_sign(an + bn - (top == 0), negative);
}

mp_size_t ty_big_floor_divide(mp_limb_t *quotient, mp_limb_t *rest, mp_size_t *rest_size, TyBig a, TyBig b)
{
    mp_size_t an = ty_big_length(a), bn = ty_big_length(b), qn, rn;
    bool differ = (a.size < 0) != (b.size < 0);
    if (an < bn) {
        qn = 0;
        rn = an;
        if (an != 0) {
            mpn_copyi(rest, a.limbs, an);
        }
    } else if (bn == 1) {
        rest[0] = mpn_divrem_1(quotient, 0, a.limbs, an, b.limbs[0]);
        rn = rest[0] != 0;
        qn = normal_size(quotient, an);
    } else {
        mpn_tdiv_qr(quotient, rest, 0, a.limbs, an, b.limbs, bn);
        qn = normal_size(quotient, an - bn + 1);
        rn = normal_size(rest, bn);
    }
    if (differ && rn != 0) {
        mp_limb_t one = 1;
        qn = add_magnitudes(quotient, (TyBig){quotient, qn}, (TyBig){&one, 1});
        rn = subtract_magnitudes(rest, b, (TyBig){rest, rn});
    }
    *rest_size = with_sign(rn, b.size < 0);
    return with_sign(qn, differ);
}

/* ---- Bits ------------------------------------------------------------------------------------------------------ */

mp_size_t ty_big_shift_left(mp_limb_t *out, TyBig a, uint64_t count)
{
    mp_size_t an = ty_big_length(a);
    if (an == 0) {
        return 0;
    }
    mp_size_t words = (mp_size_t)(count / 64);
    unsigned bits = (unsigned)(count % 64);
    mp_limb_t carry = 0;
    memset(out, 0, (size_t)words * sizeof *out);
    if (bits != 0) {
        carry = mpn_lshift(out + words, a.limbs, an, bits);
    } else {
        mpn_copyi(out + words, a.limbs, an);
    }
    out[words + an] = carry;
    return with_sign(words + an + (carry != 0), a.size < 0);
}

mp_size_t ty_big_shift_right(mp_limb_t *out, TyBig a, uint64_t count)
{
    mp_size_t an = ty_big_length(a);
    bool negative = a.size < 0;
    if (count / 64 >= (uint64_t)an) {
        out[0] = 1;
        return negative ? -1 : 0;
    }
    mp_size_t words = (mp_size_t)(count / 64);
    unsigned bits = (unsigned)(count % 64);
    mp_limb_t lost = 0;
    if (bits != 0) {
        lost = mpn_rshift(out, a.limbs + words, an - words, bits);
    } else {
        mpn_copyi(out, a.limbs + words, an - words);
    }
    mp_size_t size = normal_size(out, an - words);
    if (!negative) {
        return size;
    }
    for (mp_size_t i = 0; lost == 0 && i < words; i++) {
        lost = a.limbs[i];
    }
    if (lost != 0) {
        mp_limb_t one = 1;
        size = add_magnitudes(out, (TyBig){out, size}, (TyBig){&one, 1});
    }
    return -size;
}

/* Two's complement is made a limb at a time on the way in, and undone on the way out. */
#define DEFINE_BITWISE(name, operator)                                                                   \
    mp_size_t name(mp_limb_t *out, TyBig a, TyBig b)                                                     \
    {                                                                                                    \
        mp_size_t an = ty_big_length(a), bn = ty_big_length(b), size = TY_MAX(an, bn);                   \
        mp_limb_t a_flip = a.size < 0 ? ~(mp_limb_t)0 : 0, b_flip = b.size < 0 ? ~(mp_limb_t)0 : 0;      \
        mp_limb_t flip = a_flip operator b_flip;                                                         \
        mp_limb_t a_carry = a_flip & 1, b_carry = b_flip & 1, carry = flip & 1;                          \
        for (mp_size_t i = 0; i < size; i++) {                                                           \
            mp_limb_t x = ((i < an ? a.limbs[i] : 0) ^ a_flip) + a_carry;                                \
            mp_limb_t y = ((i < bn ? b.limbs[i] : 0) ^ b_flip) + b_carry;                                \
            a_carry &= x == 0;                                                                           \
            b_carry &= y == 0;                                                                           \
            mp_limb_t z = ((x operator y) ^ flip) + carry;                                               \
            carry &= z == 0;                                                                             \
            out[i] = z;                                                                                  \
        }                                                                                                \
        out[size] = carry; /* a power of 2^64 just below zero */                                         \
        return with_sign(normal_size(out, size + 1), flip != 0);                                         \
    }

DEFINE_BITWISE(ty_big_and, &)
DEFINE_BITWISE(ty_big_or, |)
DEFINE_BITWISE(ty_big_xor, ^)

/* ---- Doubles --------------------------------------------------------------------------------------------------- */

mp_size_t ty_big_from_double(mp_limb_t out[TY_BIG_DOUBLE_LIMBS], double value)
{
    int exponent;
    double fraction = frexp(fabs(value), &exponent);
    if (exponent <= 0) {
        return 0;
    }
    mp_limb_t significand = (mp_limb_t)ldexp(fraction, 53);
    TyBig view = {&significand, significand != 0};
    mp_size_t size = exponent >= 53 ? ty_big_shift_left(out, view, (uint64_t)(exponent - 53))
                                    : ty_big_shift_right(out, view, (uint64_t)(53 - exponent));
    return with_sign(size, value < 0);
}

/* The top 64 bits of a, which is not zero, *more telling whether any is set below them. */
static uint64_t top_bits(TyBig a, uint64_t *below, bool *more)
{
    mp_size_t size = ty_big_length(a);
    uint64_t top = a.limbs[size - 1];
    *more = false;
    if (size == 1) {
        *below = 0;
        return top;
    }
    int leading = __builtin_clzll(top);
    mp_limb_t rest = a.limbs[size - 2];
    if (leading != 0) {
        top = top << leading | rest >> (64 - leading);
        rest <<= leading;
    }
    *more = rest != 0;
    for (mp_size_t i = size - 2; !*more && i-- > 0;) {
        *more = a.limbs[i] != 0;
    }
    *below = (uint64_t)(size - 1) * 64 - (uint64_t)leading;
    return top;
}

bool ty_big_to_double(TyBig a, double *value)
{
    if (a.size == 0) {
        *value = 0;
        return true;
    }
    uint64_t below;
    bool more;
    uint64_t top = top_bits(a, &below, &more);
    double result = ty_double_scale(top, (int64_t)below, more);
    *value = a.size < 0 ? -result : result;
    return !isinf(result);
}

double ty_big_frexp(TyBig a, int64_t *exponent)
{
    *exponent = 0;
    if (a.size == 0) {
        return 0;
    }
    uint64_t below;
    bool more;
    uint64_t top = top_bits(a, &below, &more);
    int shift;
    double result = frexp(ty_double_scale(top, 0, more), &shift);
    *exponent = (int64_t)below + shift;
    return a.size < 0 ? -result : result;
}

TyBigStatus ty_big_true_divide(TyBig a, TyBig b, double *value, bool *overflow)
{
    *overflow = false;
    bool negative = (a.size < 0) != (b.size < 0);
    if (a.size == 0) {
        *value = negative ? -0.0 : 0.0;
        return TY_BIG_OK;
    }
    int64_t difference = (int64_t)ty_big_bit_length(a) - (int64_t)ty_big_bit_length(b);
    if (difference > 1025 || difference < -1080) {
        *overflow = difference > 0;
        *value = negative ? -0.0 : 0.0;
        return TY_BIG_OK;
    }
    /* a is shifted so that the whole quotient has 63 or 64 bits; what is lost shows in `more` alone. */
    int64_t shift = 63 - difference;
    mp_size_t an = ty_big_length(a), bn = ty_big_length(b);
    mp_size_t room = an + (shift > 0 ? shift / 64 : 0) + 2;
    mp_limb_t small[64];
    size_t needed = (size_t)(room + (room - bn > 0 ? room - bn : 0) + 2 + bn);
    mp_limb_t *limbs = needed <= TY_COUNT_OF(small) ? small : malloc(needed * sizeof *limbs);
    if (limbs == NULL) {
        return TY_BIG_TOO_LARGE;
    }
    TyBig magnitude = {a.limbs, an};
    mp_size_t size = shift >= 0 ? ty_big_shift_left(limbs, magnitude, (uint64_t)shift)
                                : ty_big_shift_right(limbs, magnitude, (uint64_t)-shift);
    bool more = shift < 0 && ty_big_trailing_zeros(a) < (uint64_t)-shift;
    mp_limb_t *rest = limbs + room, *quotient = rest + bn;
    mp_size_t rest_size;
    ty_big_floor_divide(quotient, rest, &rest_size, (TyBig){limbs, size}, (TyBig){b.limbs, bn});
    double result = ty_double_scale(quotient[0], -shift, more || rest_size != 0);
    if (limbs != small) {
        free(limbs);
    }
    *overflow = isinf(result);
    *value = negative ? -result : result;
    return TY_BIG_OK;
}

int ty_big_compare_double(TyBig a, double value)
{
    int a_sign = a.size < 0 ? -1 : a.size > 0;
    int sign = value < 0 ? -1 : value > 0;
    if (a_sign != sign) {
        return a_sign < sign ? -1 : 1;
    }
    if (sign == 0) {
        return 0;
    }
    if (isinf(value)) {
        return -sign;
    }
    int exponent;
    frexp(value, &exponent);
    int64_t bits = (int64_t)ty_big_bit_length(a);
    if (bits != exponent) {
        return bits < exponent ? -sign : sign;
    }
    mp_limb_t whole[TY_BIG_DOUBLE_LIMBS];
    int order = ty_big_compare(a, (TyBig){whole, ty_big_from_double(whole, value)});
    if (order != 0) {
        return order;
    }
    return value == trunc(value) ? 0 : -sign;
}

/* ---- Text and bytes -------------------------------------------------------------------------------------------- */

size_t ty_big_text_bound(TyBig a, int base)
{
    return a.size == 0 ? 1 : mpn_sizeinbase(a.limbs, ty_big_length(a), base) + 2;
}

/* Below 2^128 a few machine divisions beat GMP's general way. */
static size_t small_decimal(TyBig a, char *out)
{
    unsigned __int128 number = a.limbs[0];
    if (ty_big_length(a) == 2) {
        number |= (unsigned __int128)a.limbs[1] << 64;
    }
    char reversed[40];
    size_t count = 0;
    while (number > UINT64_MAX) {
        uint64_t part = (uint64_t)(number % 10000000000000000000u);
        number /= 10000000000000000000u;
        for (int i = 0; i < 19; i++) {
            reversed[count++] = (char)('0' + part % 10);
            part /= 10;
        }
    }
    for (uint64_t part = (uint64_t)number; part != 0; part /= 10) {
        reversed[count++] = (char)('0' + part % 10);
    }
    char *at = out;
    if (a.size < 0) {
        *at++ = '-';
    }
    while (count > 0) {
        *at++ = reversed[--count];
    }
    return (size_t)(at - out);
}

size_t ty_big_to_text(TyBig a, int base, char *out)
{
    mp_size_t size = ty_big_length(a);
    if (size == 0) {
        out[0] = '0';
        return 1;
    }
    if (base == 10 && size <= 2) {
        return small_decimal(a, out);
    }
    mp_limb_t small[256];
    mp_limb_t *copy = (size_t)size < TY_COUNT_OF(small) ? small : malloc((size_t)(size + 1) * sizeof *copy);
    if (copy == NULL) {
        return 0;
    }
    mpn_copyi(copy, a.limbs, size);
    char *at = out;
    if (a.size < 0) {
        *at++ = '-';
    }
    size_t count = mpn_get_str((unsigned char *)at, base, copy, size);
    if (copy != small) {
        free(copy);
    }
    size_t zeros = 0;
    while (at[zeros] == 0) {
        zeros++;
    }
    count -= zeros;
    for (size_t i = 0; i < count; i++) {
        at[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[(unsigned char)at[i + zeros]];
    }
    return (size_t)(at - out) + count;
}

size_t ty_big_digits_limbs(size_t count, int base)
{
    static const double bits[37] = {
        0,     0,     1.001, 1.586, 2.001, 2.323, 2.586, 2.808, 3.001, 3.171, 3.323, 3.460, 3.586,
        3.701, 3.808, 3.908, 4.001, 4.089, 4.171, 4.249, 4.323, 4.393, 4.461, 4.525, 4.586, 4.645,
        4.701, 4.756, 4.808, 4.859, 4.908, 4.955, 5.001, 5.046, 5.089, 5.131, 5.171,
    };
    return (size_t)((double)count * bits[base] / 64) + 3;
}

mp_size_t ty_big_from_digits(mp_limb_t *out, const unsigned char *digits, size_t count, int base)
{
    while (count > 0 && digits[0] == 0) {
        digits++;
        count--;
    }
    if (count == 0) {
        return 0;
    }
    return normal_size(out, mpn_set_str(out, digits, count, base));
}

bool ty_big_to_bytes(TyBig a, unsigned char *bytes, size_t count, bool little, bool is_signed)
{
    bool negative = a.size < 0;
    uint64_t bits = ty_big_bit_length(a);
    if (negative && !is_signed) {
        return false;
    }
    if (is_signed && a.size != 0) {
        bool least = negative && ty_big_trailing_zeros(a) == bits - 1; /* -2^k needs no more bits than 2^k - 1 */
        bits += !least;
    }
    if (bits > (uint64_t)count * 8) {
        return false;
    }
    mp_size_t size = ty_big_length(a);
    mp_limb_t flip = negative ? ~(mp_limb_t)0 : 0, carry = flip & 1;
    size_t done = 0;
    for (mp_size_t i = 0; done < count; i++) {
        mp_limb_t limb = ((i < size ? a.limbs[i] : 0) ^ flip) + carry;
        carry &= limb == 0;
        for (int j = 0; j < 8 && done < count; j++, done++, limb >>= 8) {
            bytes[little ? done : count - 1 - done] = (unsigned char)limb;
        }
    }
    return true;
}

mp_size_t ty_big_from_bytes(mp_limb_t *out, const unsigned char *bytes, size_t count, bool little, bool is_signed)
{
    bool negative = is_signed && count > 0 && (bytes[little ? count - 1 : 0] & 0x80) != 0;
    mp_limb_t flip = negative ? ~(mp_limb_t)0 : 0, carry = flip & 1;
    mp_size_t size = 0;
    for (size_t done = 0; done < count; size++) {
        mp_limb_t limb = 0;
        int shift = 0;
        for (; shift < 64 && done < count; shift += 8, done++) {
            limb |= (mp_limb_t)bytes[little ? done : count - 1 - done] << shift;
        }
        if (shift < 64) { /* the sign goes on above */
            limb |= flip << shift;
        }
        limb = (limb ^ flip) + carry;
        carry &= limb == 0;
        out[size] = limb;
    }
    if (carry != 0) { /* exactly -2^(64 × size) */
        out[size++] = 1;
    }
    return with_sign(normal_size(out, size), negative);
}

int64_t ty_big_hash_residue(TyBig a)
{
    const uint64_t modulus = (UINT64_C(1) << 61) - 1;
    uint64_t residue = 0;
    for (mp_size_t i = ty_big_length(a); i-- > 0;) {
        /* 2^64 is 8 modulo 2^61 - 1: rotate by three, add the limb folded. */
        uint64_t limb = a.limbs[i];
        residue = ((residue << 3) & modulus) | residue >> 58;
        residue += (limb & modulus) + (limb >> 61);
        residue = (residue & modulus) + (residue >> 61);
        if (residue >= modulus) {
            residue -= modulus;
        }
    }
    return a.size < 0 ? -(int64_t)residue : (int64_t)residue;
}

/* ---- Results in an mpz_t --------------------------------------------------------------------------------------- */

TyBigStatus ty_big_pow(mpz_t result, TyBig base, TyBig exponent)
{
    uint64_t bits = ty_big_bit_length(base);
    if (exponent.size == 0) {
        mpz_set_ui(result, 1);
        return TY_BIG_OK;
    }
    if (bits <= 1) { /* -1, 0, 1 */
        mpz_set_si(result, base.size < 0 && (exponent.limbs[0] & 1) == 0 ? 1 : (long)base.size);
        return TY_BIG_OK;
    }
    if (exponent.size > 1 || exponent.limbs[0] > TY_BIG_MAX_BITS || (bits - 1) * exponent.limbs[0] > TY_BIG_MAX_BITS) {
        return TY_BIG_TOO_LARGE;
    }
    mpz_t view;
    mpz_pow_ui(result, mpz_roinit_n(view, base.limbs, base.size), exponent.limbs[0]);
    return TY_BIG_OK;
}

TyBigStatus ty_big_powmod(mpz_t result, TyBig base, TyBig exponent, TyBig modulus)
{
    if (modulus.size == 0) {
        return TY_BIG_DIVIDES_ZERO;
    }
    mpz_t b, e, m;
    mpz_roinit_n(b, base.limbs, base.size);
    mpz_roinit_n(e, exponent.limbs, ty_big_length(exponent));
    mpz_roinit_n(m, modulus.limbs, ty_big_length(modulus));
    if (ty_big_bit_length(modulus) == 1) {
        /* Everything is zero modulo 1, whatever the exponent. */
        mpz_set_ui(result, 0);
        return TY_BIG_OK;
    }
    if (exponent.size < 0) {
        if (mpz_invert(result, b, m) == 0) {
            return TY_BIG_NO_INVERSE;
        }
    } else {
        mpz_mod(result, b, m);
    }
    mpz_powm(result, result, e, m);
    if (modulus.size < 0 && mpz_sgn(result) != 0) {
        mpz_sub(result, result, m);
    }
    return TY_BIG_OK;
}

void ty_big_gcd(mpz_t result, TyBig a, TyBig b)
{
    mpz_t x, y;
    mpz_gcd(result, mpz_roinit_n(x, a.limbs, a.size), mpz_roinit_n(y, b.limbs, b.size));
}

TyBigStatus ty_big_lcm(mpz_t result, TyBig a, TyBig b)
{
    mpz_t x, y;
    if (ty_big_length(a) + ty_big_length(b) > TY_BIG_MAX_LIMBS) {
        return TY_BIG_TOO_LARGE;
    }
    mpz_lcm(result, mpz_roinit_n(x, a.limbs, a.size), mpz_roinit_n(y, b.limbs, b.size));
    return TY_BIG_OK;
}

TyBigStatus ty_big_isqrt(mpz_t result, TyBig a)
{
    if (a.size < 0) {
        return TY_BIG_NEGATIVE;
    }
    mpz_t view;
    mpz_sqrt(result, mpz_roinit_n(view, a.limbs, a.size));
    return TY_BIG_OK;
}

TyBigStatus ty_big_factorial(mpz_t result, uint64_t n)
{
    if (n >= TY_BIG_MAX_BITS / 24 && n > 1000) { /* log2(n!) is about n × (log2(n) - 1.44), and log2(n) > 26 there */
        return TY_BIG_TOO_LARGE;
    }
    mpz_fac_ui(result, n);
    return TY_BIG_OK;
}

TyBigStatus ty_big_comb(mpz_t result, TyBig n, uint64_t k)
{
    if (k > TY_BIG_MAX_BITS / 2) {
        return TY_BIG_TOO_LARGE;
    }
    if (n.size == 1) {
        uint64_t top = n.limbs[0];
        if (k > top - k) {
            k = top - k;
        }
        if (k > TY_BIG_MAX_BITS / 64) {
            return TY_BIG_TOO_LARGE;
        }
        mpz_bin_uiui(result, top, k);
        return TY_BIG_OK;
    }
    if (ty_big_bit_length(n) * (double)k > (double)TY_BIG_MAX_BITS) {
        return TY_BIG_TOO_LARGE;
    }
    mpz_t view;
    mpz_bin_ui(result, mpz_roinit_n(view, n.limbs, n.size), k);
    return TY_BIG_OK;
}

/* result = (n - from) × (n - from - 1) × … , `count` factors: halves, so that the products stay balanced. */
static void falling_product(mpz_t result, const mpz_t n, uint64_t from, uint64_t count)
{
    mpz_sub_ui(result, n, from);
    if (count <= 16) {
        mpz_t factor;
        mpz_init(factor);
        for (uint64_t i = 1; i < count; i++) {
            mpz_sub_ui(factor, n, from + i);
            mpz_mul(result, result, factor);
        }
        mpz_clear(factor);
        return;
    }
    mpz_t right;
    mpz_init(right);
    falling_product(result, n, from, count / 2);
    falling_product(right, n, from + count / 2, count - count / 2);
    mpz_mul(result, result, right);
    mpz_clear(right);
}

TyBigStatus ty_big_perm(mpz_t result, TyBig n, uint64_t k)
{
    if (k == 0) {
        mpz_set_ui(result, 1);
        return TY_BIG_OK;
    }
    if (ty_big_bit_length(n) * (double)k > (double)TY_BIG_MAX_BITS * 1.2) {
        return TY_BIG_TOO_LARGE;
    }
    mpz_t view;
    falling_product(result, mpz_roinit_n(view, n.limbs, n.size), 0, k);
    return TY_BIG_OK;
}
