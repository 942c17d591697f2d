/* Numbers as text and integers of any size, against the C library's and GMP's own answers. */
#include "base/bigint.h"
#include "base/float_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;
#define CHECK(condition) \
    ((condition) ? (void)0 : (void)(failures++, printf("%s:%d: %s\n", __FILE__, __LINE__, #condition)))

static uint64_t random_state = 88172645463325252u;
static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x9e3779b97f4a7c15u;
}

static void test_known_texts(void)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0.0, "0.0"}, {-0.0, "-0.0"}, {1.0, "1.0"}, {0.1, "0.1"}, {1e16, "1e+16"}, {1e15, "1000000000000000.0"},
        {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"}, {1e-5, "1e-05"}, {0.0001, "0.0001"},
        {9007199254740993.0, "9007199254740992.0"}, {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {123456789012345680.0, "1.2345678901234568e+17"}, {INFINITY, "inf"}, {-INFINITY, "-inf"},
    };
    char text[TY_DOUBLE_TEXT_SIZE];
    for (size_t i = 0; i < TY_COUNT_OF(known); i++) {
        size_t size = ty_double_repr(known[i].value, text);
        CHECK(size == strlen(known[i].text) && memcmp(text, known[i].text, size) == 0);
    }
}

/* What is written reads back as the same bits, and no shorter text does. */
static void test_round_trips(void)
{
    char text[2000], shorter[64];
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = random_bits();
        if (i % 4 == 0)
            bits &= 0x800fffffffffffffu; /* subnormal */
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        size_t size = ty_double_repr(value, text);
        CHECK(ty_double_parse(text, text + size, &back) == text + size && memcmp(&back, &value, sizeof value) == 0);
        char digits[17];
        int point, count = ty_double_shortest_digits(fabs(value), digits, &point);
        if (count > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", count - 2, value);
            CHECK(strtod(shorter, NULL) != value);
        }
        int precision = (int)(random_bits() % 20);
        char code = "ef"[i & 1], format[8], expected[500];
        snprintf(format, sizeof format, "%%.*%c", code);
        int length = snprintf(expected, sizeof expected, format, precision, value);
        size = ty_double_text(value, code, precision, 0, text);
        CHECK((int)size == length && memcmp(text, expected, size) == 0);
        size = ty_double_hex(value, text);
        CHECK(ty_double_parse_hex(text, text + size, &back) == TY_HEX_OK && memcmp(&back, &value, sizeof value) == 0);
    }
}

static void test_bad_texts(void)
{
    static const char *const bad[] = {"", "+", ".", "e5", "x", "_1", " 1"};
    double value;
    for (size_t i = 0; i < TY_COUNT_OF(bad); i++)
        CHECK(ty_double_parse(bad[i], bad[i] + strlen(bad[i]), &value) == NULL);
    const char *hex = "0x1p5000";
    CHECK(ty_double_parse_hex(hex, hex + strlen(hex), &value) == TY_HEX_OVERFLOW);
    CHECK(ty_double_parse_hex("0x", hex + 2, &value) == TY_HEX_INVALID);
}

/* --- integers ----------------------------------------------------------------------------------------------------------- */

static void random_integer(mpz_t z)
{
    int limbs = (int)(random_bits() % 12);
    mp_limb_t *out = mpz_limbs_write(z, 12);
    for (int i = 0; i < limbs; i++)
        out[i] = random_bits() % 4 == 0 ? (random_bits() & 1 ? 0 : UINT64_MAX) : random_bits();
    mpz_limbs_finish(z, random_bits() & 1 ? limbs : -limbs);
}

static bool same(mp_limb_t *limbs, mp_size_t size, const mpz_t expected)
{
    mpz_t view;
    return size == expected->_mp_size && mpz_cmp(mpz_roinit_n(view, limbs, size), expected) == 0;
}

static void test_integers(void)
{
    mpz_t a, b, expected, rest;
    mpz_inits(a, b, expected, rest, NULL);
    mp_limb_t out[64], other[64];
    for (int i = 0; i < 50000; i++) {
        random_integer(a);
        random_integer(b);
        TyBig x = ty_big_of(a), y = ty_big_of(b);
        mpz_add(expected, a, b);
        CHECK(same(out, ty_big_add(out, x, y), expected));
        mpz_sub(expected, a, b);
        CHECK(same(out, ty_big_sub(out, x, y), expected));
        mpz_mul(expected, a, b);
        CHECK(same(out, ty_big_mul(out, x, y), expected));
        mpz_and(expected, a, b);
        CHECK(same(out, ty_big_and(out, x, y), expected));
        mpz_ior(expected, a, b);
        CHECK(same(out, ty_big_or(out, x, y), expected));
        mpz_xor(expected, a, b);
        CHECK(same(out, ty_big_xor(out, x, y), expected));
        uint64_t count = random_bits() % 200;
        mpz_mul_2exp(expected, a, count);
        CHECK(same(out, ty_big_shift_left(out, x, count), expected));
        mpz_fdiv_q_2exp(expected, a, count);
        CHECK(same(out, ty_big_shift_right(out, x, count), expected));
        if (y.size != 0) {
            mp_size_t rest_size;
            mpz_fdiv_qr(expected, rest, a, b);
            CHECK(same(out, ty_big_floor_divide(out, other, &rest_size, x, y), expected));
            CHECK(same(other, rest_size, rest));
        }
        char text[1000], wanted[1000];
        int base = 2 + (int)(random_bits() % 35);
        size_t size = ty_big_to_text(x, base, text);
        mpz_get_str(wanted, base, a);
        CHECK(size == strlen(wanted) && memcmp(text, wanted, size) == 0 && size <= ty_big_text_bound(x, base));
        unsigned char bytes[104];
        CHECK(ty_big_to_bytes(x, bytes, sizeof bytes, i & 1, true));
        CHECK(same(out, ty_big_from_bytes(out, bytes, sizeof bytes, i & 1, true), a));
        CHECK((ty_big_compare(x, y) > 0) == (mpz_cmp(a, b) > 0));
    }
    mpz_clears(a, b, expected, rest, NULL);
}

static void test_limits(void)
{
    mpz_t result;
    mpz_init(result);
    mp_limb_t two = 2, huge = UINT64_MAX;
    CHECK(ty_big_pow(result, (TyBig){&two, 1}, (TyBig){&huge, 1}) == TY_BIG_TOO_LARGE);
    CHECK(ty_big_factorial(result, UINT64_MAX) == TY_BIG_TOO_LARGE);
    CHECK(ty_big_powmod(result, (TyBig){&two, 1}, (TyBig){&two, 1}, (TyBig){&two, 0}) == TY_BIG_DIVIDES_ZERO);
    mpz_clear(result);
}

int main(void)
{
    test_known_texts();
    test_round_trips();
    test_bad_texts();
    test_integers();
    test_limits();
    if (failures == 0)
        puts("numbers: ok");
    return failures != 0;
}
