/* Doubles as text and back: known cases, then many bit patterns against the C library. */
#include "base/float_text.h"
#include "unit.h"
#include <math.h>
#include <stdlib.h>

static void check_repr(double value, const char *expected)
{
    char text[TY_DOUBLE_TEXT_SIZE];
    CHECK_TEXT(text, ty_double_repr(value, text), expected);
}

static void check_format(double value, char code, int precision, unsigned flags, const char *expected)
{
    char text[1024];
    CHECK_TEXT(text, ty_double_text(value, code, precision, flags, text), expected);
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* The text must read back as the same bits, by us and by strtod, and be no longer than %.17g. */
static void check_random(void)
{
    int wrong = 0;
    for (int i = 0; i < 200000; i++) {
        double value = from_bits(random_bits());
        if (!isfinite(value))
            continue;
        char text[TY_DOUBLE_TEXT_SIZE], library[64];
        size_t length = ty_double_repr(value, text);
        text[length] = 0;
        double back;
        wrong += ty_double_parse(text, text + length, &back) != text + length || back != value || strtod(text, NULL) != value;
        int precision = (int)(random_bits() % 25);
        char fixed[1024];
        length = ty_double_text(value, 'e', precision, 0, fixed);
        int expected = snprintf(library, sizeof library, "%.*e", precision, value);
        wrong += length != (size_t)expected || memcmp(fixed, library, length) != 0;
    }
    CHECK(wrong == 0);
}

int main(void)
{
    check_repr(0.1, "0.1");
    check_repr(-0.0, "-0.0");
    check_repr(1e16, "1e+16");
    check_repr(123456789012345.0, "123456789012345.0");
    check_repr(5e-324, "5e-324");
    check_repr(1.7976931348623157e308, "1.7976931348623157e+308");
    check_repr(INFINITY, "inf");
    check_repr(9007199254740993.0, "9007199254740992.0");
    check_repr(2e-44, "2e-44");
    check_format(2.5, 'f', 0, 0, "2");
    check_format(0.125, 'f', 2, 0, "0.12");
    check_format(1234.5, 'e', 2, TY_DOUBLE_PLUS, "+1.23e+03");
    check_format(100000.0, 'g', 6, 0, "100000");
    check_format(1.0, 'g', 3, TY_DOUBLE_ALTERNATE, "1.00");
    check_format(1e22, 'f', 1, 0, "10000000000000000000000.0");
    check_format(1e23, 'f', 0, 0, "99999999999999991611392");
    double value;
    const char *half = "9007199254740993";
    CHECK(ty_double_parse(half, half + 16, &value) == half + 16 && value == 9007199254740992.0);
    const char *partial = "1.5e+x";
    CHECK(ty_double_parse(partial, partial + 6, &value) == partial + 3 && value == 1.5);
    const char *huge = "1e400";
    CHECK(ty_double_parse(huge, huge + 5, &value) == huge + 5 && isinf(value));
    const char *word = "x";
    CHECK(ty_double_parse(word, word + 1, &value) == NULL);
    CHECK(ty_double_round(2.675, 2) == 2.67);
    CHECK(ty_double_round(25.0, -1) == 20.0);
    check_random();
    return unit_end();
}
