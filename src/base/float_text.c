#include "base/float_text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 Wide;

/* 10^k as 128 bits, high word first, rounded down, for k from -342 to 324; made by the build. */
enum { POWER_FIRST = -342, POWER_LAST = 324, POWER_EXACT_LAST = 55 };
extern const uint64_t ty_powers_of_ten[POWER_LAST - POWER_FIRST + 1][2];

/* No double has more significant decimal digits than this, nor more digits after the point. */
enum { EXACT_DIGITS = 767, EXACT_PLACES = 1074 };

enum { SIGNIFICAND_BITS = 52, EXPONENT_BIAS = 1075 };
#define HIDDEN_BIT (UINT64_C(1) << SIGNIFICAND_BITS)

static const uint64_t small_powers_of_ten[20] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u,
    100000000000u, 1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u,
    100000000000000000u, 1000000000000000000u, 10000000000000000000u,
};

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Writes a number in decimal, without leading zeros ("0" for zero), and returns the count of digits. */
static int write_decimal(uint64_t number, char *digits)
{
    char reversed[20];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (int i = 0; i < count; i++) {
        digits[i] = reversed[count - 1 - i];
    }
    return count;
}

/* ---- Shortest digits -------------------------------------------------------------------------------------
 *
 * Giulietti's Schubfach: the double and the two ends of the interval that rounds to it are scaled by one power
 * of ten so that their whole parts carry 16 or 17 digits. The products are kept to two bits after the point,
 * the last one sticky, and 128 bits of the power are proved to be enough for that. */

static inline uint64_t scale_to_odd(uint64_t high, uint64_t low, uint64_t factor)
{
    Wide lower = (Wide)low * factor;
    Wide upper = (Wide)high * factor + (uint64_t)(lower >> 64);
    return (uint64_t)(upper >> 64) | ((uint64_t)upper > 1);
}

static uint64_t shortest_decimal(uint64_t bits, int *exponent)
{
    uint64_t fraction = bits & (HIDDEN_BIT - 1);
    int field = (int)(bits >> SIGNIFICAND_BITS) & 0x7ff;
    uint64_t significand = field != 0 ? fraction | HIDDEN_BIT : fraction;
    int scale = (field != 0 ? field : 1) - EXPONENT_BIAS;

    if (scale <= 0 && scale > -53 && (significand & ((UINT64_C(1) << -scale) - 1)) == 0) {
        *exponent = 0;
        return significand >> -scale;
    }
    bool odd = significand & 1;
    bool lower_is_nearer = fraction == 0 && field > 1;
    int k = (scale * 1262611 - (lower_is_nearer ? 524031 : 0)) >> 22;
    int shift = scale + ((-k * 1741647) >> 19) + 1;
    uint64_t high = ty_powers_of_ten[-k - POWER_FIRST][0];
    uint64_t low = ty_powers_of_ten[-k - POWER_FIRST][1];
    if (-k < 0 || -k > POWER_EXACT_LAST) { /* the proof wants the power rounded up */
        low++;
        high += low == 0;
    }
    uint64_t left = scale_to_odd(high, low, (4 * significand - 2 + lower_is_nearer) << shift) + odd;
    uint64_t middle = scale_to_odd(high, low, (4 * significand) << shift);
    uint64_t right = scale_to_odd(high, low, (4 * significand + 2) << shift) - odd;

    uint64_t whole = middle / 4;
    if (whole >= 10) {
        uint64_t tens = whole / 10;
        bool below_fits = left <= 40 * tens;
        bool above_fits = 40 * tens + 40 <= right;
        if (below_fits != above_fits) {
            *exponent = k + 1;
            return tens + above_fits;
        }
    }
    bool below_fits = left <= 4 * whole;
    bool above_fits = 4 * whole + 4 <= right;
    *exponent = k;
    if (below_fits != above_fits) {
        return whole + above_fits;
    }
    uint64_t half = 4 * whole + 2;
    return whole + (middle > half || (middle == half && (whole & 1)));
}

int ty_double_shortest_digits(double value, char digits[17], int *point)
{
    if (value == 0) {
        digits[0] = '0';
        *point = 1;
        return 1;
    }
    int exponent;
    uint64_t decimal = shortest_decimal(bits_of(value) & ~(UINT64_C(1) << 63), &exponent);
    int count = write_decimal(decimal, digits);
    *point = count + exponent;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

/* ---- A given number of digits ------------------------------------------------------------------------------ */

/* The digits of a positive double, without trailing zeros; value = 0.D1D2… × 10^point. None means zero. */
typedef struct Digits {
    int count;
    int point;
    char text[EXACT_PLACES + 320];
} Digits;

static void strip_zeros(Digits *digits)
{
    while (digits->count > 0 && digits->text[digits->count - 1] == '0') {
        digits->count--;
    }
    if (digits->count == 0) {
        digits->point = 1;
    }
}

/* value × 10^places rounded half to even, exactly, if that is less than 2^64 and cheap to find. */
static bool scaled_integer(double value, int places, uint64_t *result)
{
    uint64_t bits = bits_of(value);
    int field = (int)(bits >> SIGNIFICAND_BITS);
    if (places > 19 || field == 0) {
        return false;
    }
    int scale = field - EXPONENT_BIAS;
    Wide product = (Wide)((bits & (HIDDEN_BIT - 1)) | HIDDEN_BIT) * small_powers_of_ten[places];
    if (scale >= 0) {
        if (scale > 10 || product >> (64 - scale) != 0) {
            return false;
        }
        *result = (uint64_t)product << scale;
        return true;
    }
    if (scale <= -127) { /* below 2^-74, times at most 10^19: rounds to nothing */
        *result = 0;
        return true;
    }
    Wide whole = product >> -scale;
    if (whole >= UINT64_MAX) {
        return false;
    }
    Wide rest = product - (whole << -scale);
    Wide half = (Wide)1 << (-scale - 1);
    *result = (uint64_t)whole + (rest > half || (rest == half && (whole & 1)));
    return true;
}

/* Digits up to `places` after the point. */
static void digits_to_place(double value, int places, Digits *digits)
{
    uint64_t scaled;
    if (value == 0) {
        digits->count = 0;
    } else if (scaled_integer(value, places, &scaled)) {
        digits->count = write_decimal(scaled, digits->text);
        digits->point = digits->count - places;
    } else {
        /* The C library's conversion is exact. Its point is the locale's, so it is skipped, not looked for. */
        char text[EXACT_PLACES + 340];
        int precision = places < EXACT_PLACES ? places : EXACT_PLACES;
        int length = snprintf(text, sizeof text, "%.*f", precision, value);
        int count = 0, seen = 0;
        for (int i = 0; i < length; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                seen++;
                if (count > 0 || text[i] != '0') {
                    digits->text[count++] = text[i];
                }
            }
        }
        digits->count = count;
        digits->point = count - precision;
    }
    strip_zeros(digits);
}

/* `wanted` significant digits, at least one. */
static void significant_digits(double value, int wanted, Digits *digits)
{
    if (value == 0) {
        digits->count = 0;
        digits->point = 1;
        return;
    }
    char text[EXACT_DIGITS + 40];
    int precision = (wanted < EXACT_DIGITS ? wanted : EXACT_DIGITS) - 1;
    int length = snprintf(text, sizeof text, "%.*e", precision, value);
    int i = 0;
    digits->count = 0;
    for (; i < length && text[i] != 'e'; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            digits->text[digits->count++] = text[i];
        }
    }
    digits->point = atoi(text + i + 1) + 1;
    strip_zeros(digits);
}

/* ---- Laying digits out ------------------------------------------------------------------------------------- */

static size_t write_special(double value, bool capitals, unsigned flags, char *out)
{
    char *at = out;
    bool nan = isnan(value);
    if (!nan && signbit(value)) {
        *at++ = '-';
    } else if (flags & TY_DOUBLE_PLUS) {
        *at++ = '+';
    }
    memcpy(at, nan ? (capitals ? "NAN" : "nan") : (capitals ? "INF" : "inf"), 3);
    return (size_t)(at + 3 - out);
}

static char *write_exponent(char *at, char letter, int exponent)
{
    *at++ = letter;
    *at++ = exponent < 0 ? '-' : '+';
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (size >= 100) {
        *at++ = (char)('0' + size / 100);
        size %= 100;
    }
    *at++ = (char)('0' + size / 10);
    *at++ = (char)('0' + size % 10);
    return at;
}

/* Copies the digits from place `from` to place `to` (counted from the first one), zeros where there are none. */
static char *copy_digits(char *at, const char *digits, int count, int from, int to)
{
    int real = to < count ? to : count;
    if (from < real) {
        memcpy(at, digits + from, (size_t)(real - from));
        at += real - from;
        from = real;
    }
    if (from < to) {
        memset(at, '0', (size_t)(to - from));
        at += to - from;
    }
    return at;
}

/* Lays out digits with `places` of them after the point; the point itself goes if nothing follows it. */
static char *write_digits(char *at, const char *digits, int count, int point, int places, bool keep_point)
{
    if (point <= 0) {
        *at++ = '0';
    } else {
        at = copy_digits(at, digits, count, 0, point);
    }
    if (places <= 0) {
        if (keep_point) {
            *at++ = '.';
        }
        return at;
    }
    *at++ = '.';
    int zeros = point < 0 ? (-point < places ? -point : places) : 0;
    memset(at, '0', (size_t)zeros);
    at += zeros;
    int from = point > 0 ? point : 0;
    return copy_digits(at, digits, count, from, from + places - zeros);
}

static size_t write_shortest(double value, char exponent_letter, unsigned flags, char *out)
{
    char digits[17];
    char *at = out;
    int point;
    int count = ty_double_shortest_digits(value, digits, &point);
    if (signbit(value)) {
        *at++ = '-';
    } else if (flags & TY_DOUBLE_PLUS) {
        *at++ = '+';
    }
    bool keep_point = flags & TY_DOUBLE_ALTERNATE;
    if (point <= -4 || point > 16) {
        at = write_digits(at, digits, count, 1, count - 1, keep_point);
        at = write_exponent(at, exponent_letter, point - 1);
    } else {
        int places = count - point;
        if (places < 1 && (flags & TY_DOUBLE_POINT_ZERO)) {
            places = 1;
        }
        at = write_digits(at, digits, count, point, places, keep_point);
    }
    return (size_t)(at - out);
}

size_t ty_double_repr(double value, char out[TY_DOUBLE_TEXT_SIZE])
{
    if (!isfinite(value)) {
        return write_special(value, false, 0, out);
    }
    return write_shortest(value, 'e', TY_DOUBLE_POINT_ZERO, out);
}

size_t ty_double_text(double value, char code, int precision, unsigned flags, char *out)
{
    bool capitals = code >= 'A' && code <= 'Z';
    if (!isfinite(value)) {
        return write_special(value, capitals, flags, out);
    }
    char exponent_letter = capitals ? 'E' : 'e';
    code = (char)(code | 0x20);
    if (code == 'r') {
        return write_shortest(value, exponent_letter, flags, out);
    }
    Digits digits;
    char *at = out;
    bool keep_point = flags & TY_DOUBLE_ALTERNATE;
    if (signbit(value)) {
        *at++ = '-';
    } else if (flags & TY_DOUBLE_PLUS) {
        *at++ = '+';
    }
    value = fabs(value);
    if (code == 'f') {
        digits_to_place(value, precision, &digits);
        int places = precision < 1 && (flags & TY_DOUBLE_POINT_ZERO) ? 1 : precision;
        at = write_digits(at, digits.text, digits.count, digits.point, places, keep_point);
    } else if (code == 'e') {
        significant_digits(value, precision < EXACT_DIGITS ? precision + 1 : EXACT_DIGITS, &digits);
        at = write_digits(at, digits.text, digits.count, 1, precision, keep_point);
        at = write_exponent(at, exponent_letter, digits.point - 1);
    } else {
        int wanted = precision > 0 ? precision : 1;
        significant_digits(value, wanted, &digits);
        int shown = keep_point ? wanted : digits.count > 0 ? digits.count : 1;
        int limit = wanted - ((flags & TY_DOUBLE_POINT_ZERO) != 0);
        if (digits.point <= -4 || digits.point > limit) {
            at = write_digits(at, digits.text, digits.count, 1, shown - 1, keep_point);
            at = write_exponent(at, exponent_letter, digits.point - 1);
        } else {
            int places = shown - digits.point;
            if (places < 1 && (flags & TY_DOUBLE_POINT_ZERO)) {
                places = 1;
            }
            at = write_digits(at, digits.text, digits.count, digits.point, places, keep_point);
        }
    }
    return (size_t)(at - out);
}

/* ---- Reading ----------------------------------------------------------------------------------------------- */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Exact and unbounded, for what the quick ways can't decide. */
static double slow_parse(const char *text, size_t length)
{
    char small[512];
    char *copy = length < sizeof small ? small : malloc(length + 1);
    if (copy == NULL) { /* hundreds of digits more than any double tells apart: cut, in small */
        copy = small;
        length = sizeof small - 1;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    pthread_once(&c_locale_once, make_c_locale);
    double value = strtod_l(copy, NULL, c_locale);
    if (copy != small) {
        free(copy);
    }
    return value;
}

/* number × 10^exponent by Clinger's exact case: both are exact doubles. */
static bool exact_product(uint64_t number, int exponent, double *value)
{
    static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (number > HIDDEN_BIT * 2 || exponent < -22 || exponent > 22) {
        return false;
    }
    *value = exponent < 0 ? (double)number / powers[-exponent] : (double)number * powers[exponent];
    return true;
}

/* number × 10^exponent by Eisel's and Lemire's product with a 128-bit power; false where that can't tell which
 * way to round, and for subnormal and infinite results. */
static bool wide_product(uint64_t number, int exponent, double *value)
{
    if (number == 0) {
        *value = 0;
        return true;
    }
    if (exponent < POWER_FIRST || exponent > 308) {
        return false;
    }
    const uint64_t *power = ty_powers_of_ten[exponent - POWER_FIRST];
    int leading = __builtin_clzll(number);
    number <<= leading;
    Wide product = (Wide)number * power[0];
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if ((high & 0x1ff) == 0x1ff && low + number < number) {
        Wide below = (Wide)number * power[1];
        Wide sum = product + (uint64_t)(below >> 64);
        high = (uint64_t)(sum >> 64);
        low = (uint64_t)sum;
        if ((high & 0x1ff) == 0x1ff && low + 1 == 0 && (uint64_t)below + number < number) {
            return false;
        }
    }
    int top = (int)(high >> 63);
    uint64_t significand = high >> (top + 9);
    int field = ((217706 * exponent) >> 16) + 64 + 1023 - leading - (1 ^ top);
    if (low == 0 && (high & 0x1ff) == 0 && (significand & 3) == 1) {
        return false;
    }
    significand += significand & 1;
    significand >>= 1;
    if (significand >> 53) {
        significand >>= 1;
        field++;
    }
    if (field < 1 || field >= 0x7ff) {
        return false;
    }
    *value = from_bits((uint64_t)field << SIGNIFICAND_BITS | (significand & (HIDDEN_BIT - 1)));
    return true;
}

static bool quick_decimal(uint64_t number, int exponent, bool more, double *value)
{
    if (!more) {
        return exact_product(number, exponent, value) || wide_product(number, exponent, value);
    }
    double above;
    return wide_product(number, exponent, value) && wide_product(number + 1, exponent, &above) && above == *value;
}

static bool match_word(const char *text, const char *end, const char *word)
{
    for (; *word != '\0'; word++, text++) {
        if (text == end || (*text | 0x20) != *word) {
            return false;
        }
    }
    return true;
}

static const char *parse_word(const char *text, const char *end, double *value)
{
    if (match_word(text, end, "inf")) {
        *value = (double)INFINITY;
        return text + (match_word(text, end, "infinity") ? 8 : 3);
    }
    if (match_word(text, end, "nan")) {
        *value = (double)NAN;
        return text + 3;
    }
    return NULL;
}

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

const char *ty_double_parse(const char *text, const char *end, double *value)
{
    const char *at = text;
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-')) {
        negative = *at++ == '-';
    }
    const char *start = at;
    double result;
    uint64_t number = 0;
    int used = 0;       /* digits taken into `number`, from the first that is not zero */
    long exponent = 0;  /* of ten, for `number` */
    bool more = false;  /* a digit after those is not zero */
    bool any = false;
    for (; is_digit(at, end); at++) {
        any = true;
        if (used < 19) {
            number = number * 10 + (uint64_t)(*at - '0');
            used += number != 0;
        } else {
            more |= *at != '0';
            exponent++;
        }
    }
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        if (any || is_digit(fraction, end)) {
            for (at = fraction; is_digit(at, end); at++) {
                if (used < 19) {
                    number = number * 10 + (uint64_t)(*at - '0');
                    used += number != 0;
                    exponent--;
                } else {
                    more |= *at != '0';
                }
            }
            any = true;
        }
    }
    if (!any) {
        at = parse_word(start, end, &result);
        if (at == NULL) {
            return NULL;
        }
        *value = negative ? -result : result;
        return at;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *mark = at + 1;
        bool below = false;
        if (mark < end && (*mark == '+' || *mark == '-')) {
            below = *mark++ == '-';
        }
        if (is_digit(mark, end)) {
            long given = 0;
            for (; is_digit(mark, end); mark++) {
                if (given < 100000000000000000) {
                    given = given * 10 + (*mark - '0');
                }
            }
            exponent += below ? -given : given;
            at = mark;
        }
    }
    if (number == 0) {
        result = 0;
    } else if (exponent > 400) {
        result = (double)INFINITY;
    } else if (exponent < -400) {
        result = 0;
    } else if (!quick_decimal(number, (int)exponent, more, &result)) {
        result = slow_parse(start, (size_t)(at - start));
    }
    *value = negative ? -result : result;
    return at;
}

/* 0.DIGITS × 10^point, by way of text. */
static double digits_to_double(const Digits *digits)
{
    char text[sizeof digits->text + 32];
    double value = 0;
    memcpy(text, digits->text, (size_t)digits->count);
    char *at = text + digits->count;
    at += sprintf(at, "e%d", digits->point - digits->count);
    ty_double_parse(text, at, &value);
    return value;
}

double ty_double_round(double value, int places)
{
    double size = fabs(value), result;
    Digits digits;
    uint64_t scaled;
    if (value == 0 || places > EXACT_PLACES) {
        return value;
    }
    if (places >= 0) {
        if (scaled_integer(size, places, &scaled) && quick_decimal(scaled, -places, false, &result)) {
            return copysign(result, value);
        }
        digits_to_place(size, places, &digits);
    } else {
        if (places < -309) {
            return copysign(0, value);
        }
        significant_digits(size, EXACT_DIGITS, &digits);
        int keep = digits.point + places;
        if (keep < 0 || digits.count == 0) {
            return copysign(0, value);
        }
        if (keep < digits.count) {
            char next = digits.text[keep];
            bool odd = keep > 0 && (digits.text[keep - 1] & 1);
            bool up = next > '5' || (next == '5' && (digits.count > keep + 1 || odd));
            digits.count = keep;
            while (up && digits.count > 0 && digits.text[digits.count - 1] == '9') {
                digits.count--;
            }
            if (up && digits.count == 0) {
                digits.text[0] = '1';
                digits.count = 1;
                digits.point++;
            } else if (up) {
                digits.text[digits.count - 1]++;
            }
        }
    }
    if (digits.count == 0) {
        return copysign(0, value);
    }
    return copysign(digits_to_double(&digits), value);
}

/* ---- Hexadecimal ------------------------------------------------------------------------------------------- */

size_t ty_double_hex(double value, char out[TY_DOUBLE_TEXT_SIZE])
{
    if (!isfinite(value)) {
        return write_special(value, false, 0, out);
    }
    uint64_t bits = bits_of(value);
    int field = (int)(bits >> SIGNIFICAND_BITS) & 0x7ff;
    uint64_t fraction = bits & (HIDDEN_BIT - 1);
    const char *sign = signbit(value) ? "-" : "";
    if (field == 0 && fraction == 0) {
        return (size_t)sprintf(out, "%s0x0.0p+0", sign);
    }
    return (size_t)sprintf(out, "%s0x%d.%013llxp%+d", sign, field != 0, (unsigned long long)fraction,
                           (field != 0 ? field : 1) - 1023);
}

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

double ty_double_scale(uint64_t number, int64_t exponent, bool more)
{
    if (number == 0 || exponent < -2000) {
        return 0;
    }
    if (exponent > 2000) {
        return (double)INFINITY;
    }
    int leading = __builtin_clzll(number);
    number <<= leading;
    exponent -= leading;
    /* Of the 64 bits the lowest 11 go, or as many as lie below the least subnormal. */
    int drop = exponent + 11 < -1074 ? (int)(-1074 - exponent) : 11;
    if (drop > 64) {
        return 0;
    }
    uint64_t kept = drop == 64 ? 0 : number >> drop;
    uint64_t rest = drop == 64 ? number : number & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);
    kept += rest > half || (rest == half && (more || (kept & 1)));
    return ldexp((double)kept, (int)exponent + drop);
}

TyHexStatus ty_double_parse_hex(const char *text, const char *end, double *value)
{
    const char *at = text;
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-')) {
        negative = *at++ == '-';
    }
    double result;
    const char *word_end = parse_word(at, end, &result);
    if (word_end != NULL) {
        *value = negative ? -result : result;
        return word_end == end ? TY_HEX_OK : TY_HEX_INVALID;
    }
    if (end - at >= 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        at += 2;
    }
    uint64_t number = 0;
    long exponent = 0;
    bool more = false, any = false, point = false;
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        int digit = hex_digit(*at);
        if (digit < 0) {
            break;
        }
        any = true;
        if (number >> 60 == 0) {
            number = number << 4 | (uint64_t)digit;
            exponent -= point ? 4 : 0;
        } else {
            more |= digit != 0;
            exponent += point ? 0 : 4;
        }
    }
    if (!any) {
        return TY_HEX_INVALID;
    }
    if (at < end && (*at | 0x20) == 'p') {
        at++;
        bool below = false;
        if (at < end && (*at == '+' || *at == '-')) {
            below = *at++ == '-';
        }
        if (!is_digit(at, end)) {
            return TY_HEX_INVALID;
        }
        long given = 0;
        for (; is_digit(at, end); at++) {
            if (given < 100000000000000000) {
                given = given * 10 + (*at - '0');
            }
        }
        exponent += below ? -given : given;
    }
    if (at != end) {
        return TY_HEX_INVALID;
    }
    result = ty_double_scale(number, exponent, more);
    if (isinf(result)) {
        return TY_HEX_OVERFLOW;
    }
    *value = negative ? -result : result;
    return TY_HEX_OK;
}
