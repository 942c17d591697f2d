/* Integers over limbs: identities that hold for all numbers, over many pairs of sizes and signs. */
#include "base/bigint.h"
#include "unit.h"
#include <stdlib.h>

enum { ROOM = 64 };

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* A random number of up to 8 limbs, with long runs of ones and zeros in it. */
static TyBig random_big(mp_limb_t *limbs)
{
    mp_size_t size = (mp_size_t)(random_bits() % 9);
    for (mp_size_t i = 0; i < size; i++) {
        uint64_t kind = random_bits() % 4;
        limbs[i] = kind == 0 ? 0 : kind == 1 ? ~(mp_limb_t)0 : random_bits();
    }
    while (size && limbs[size - 1] == 0)
        size--;
    return (TyBig){limbs, random_bits() & 1 ? -size : size};
}

static int equal(TyBig a, TyBig b) { return ty_big_compare(a, b) == 0; }

static void check_identities(void)
{
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        mp_limb_t a_limbs[8], b_limbs[8], x[ROOM], y[ROOM], z[ROOM];
        TyBig a = random_big(a_limbs), b = random_big(b_limbs);
        TyBig sum = {x, ty_big_add(x, a, b)};
        TyBig back = {y, ty_big_sub(y, sum, b)};
        wrong += !equal(back, a);
        if (b.size) {
            mp_limb_t quotient[ROOM], rest[ROOM];
            mp_size_t rest_size;
            TyBig q = {quotient, ty_big_floor_divide(quotient, rest, &rest_size, a, b)};
            TyBig r = {rest, rest_size};
            TyBig product = {x, ty_big_mul(x, q, b)};
            TyBig total = {y, ty_big_add(y, product, r)};
            wrong += !equal(total, a) || (r.size && (r.size < 0) != (b.size < 0));
        }
        TyBig and = {x, ty_big_and(x, a, b)}, or = {y, ty_big_or(y, a, b)};
        TyBig both = {z, ty_big_add(z, and, or)};
        mp_limb_t s[ROOM];
        TyBig plain = {s, ty_big_add(s, a, b)};
        wrong += !equal(both, plain);
        uint64_t count = random_bits() % 300;
        TyBig up = {x, ty_big_shift_left(x, a, count)};
        TyBig down = {y, ty_big_shift_right(y, up, count)};
        wrong += !equal(down, a);
        char text[1024];
        int base = 2 + (int)(random_bits() % 35);
        size_t length = ty_big_to_text(a, base, text);
        unsigned char digits[1024];
        size_t start = a.size < 0, n = 0;
        for (size_t j = start; j < length; j++)
            digits[n++] = (unsigned char)(text[j] <= '9' ? text[j] - '0' : text[j] - 'a' + 10);
        mp_size_t size = ty_big_from_digits(z, digits, n, base);
        TyBig read = {z, start ? -size : size};
        wrong += !equal(read, a);
        unsigned char bytes[80];
        bool little = random_bits() & 1;
        wrong += !ty_big_to_bytes(a, bytes, 72, little, true);
        TyBig again = {s, ty_big_from_bytes(s, bytes, 72, little, true)};
        wrong += !equal(again, a);
    }
    CHECK(wrong == 0);
}

int main(void)
{
    mp_limb_t limb, other;
    TyBig seven = ty_big_from_int64(-7, &limb), two = ty_big_from_int64(2, &other);
    mp_limb_t quotient[4], rest[4];
    mp_size_t rest_size;
    TyBig q = {quotient, ty_big_floor_divide(quotient, rest, &rest_size, seven, two)};
    int64_t value;
    CHECK(ty_big_fits_int64(q, &value) && value == -4);
    CHECK(rest_size == 1 && rest[0] == 1);
    TyBig lowest = ty_big_from_int64(INT64_MIN, &limb);
    CHECK(ty_big_fits_int64(lowest, &value) && value == INT64_MIN);
    char text[100];
    CHECK_TEXT(text, ty_big_to_text(lowest, 10, text), "-9223372036854775808");
    CHECK(ty_big_bit_length(lowest) == 64);
    mpz_t result;
    mpz_init(result);
    CHECK(ty_big_factorial(result, 30) == TY_BIG_OK);
    CHECK_TEXT(text, ty_big_to_text(ty_big_of(result), 10, text), "265252859812191058636308480000000");
    TyBig zero = {NULL, 0};
    CHECK(ty_big_powmod(result, two, two, zero) == TY_BIG_DIVIDES_ZERO);
    mpz_clear(result);
    double d;
    CHECK(ty_big_to_double(lowest, &d) && d == -9223372036854775808.0);
    CHECK(ty_big_compare_double(lowest, -9.3e18) > 0);
    check_identities();
    return unit_end();
}
