/* math: the mathematical functions of the C library and some over integers, with Python's errors. */
#include "base/bigint.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <math.h>
#include <stdlib.h>

#define DOMAIN_ERROR "math domain error"
#define RANGE_ERROR "math range error"

static Value value_error_got(const char *message, double x)
{
    Value shown = ty_repr(ty_from_double(x));
    if (shown == TY_NULL)
        return TY_ERROR;
    return ty_raise(&ty_ValueError, "%s, got %U", message, shown);
}

/* --- one double to one double ----------------------------------------------------------------------------------- */

/* A NaN made from none is a domain error; an infinity made from a finite number is an overflow where the function can
 * overflow, and otherwise a pole, which is a domain error too. */
static Value unary(Value argument, double (*function)(double), bool overflows, const char *domain)
{
    double x;
    if (!ty_to_double(argument, &x))
        return TY_ERROR;
    double result = function(x);
    if (TY_UNLIKELY(!isfinite(result))) {
        if (isnan(result) && !isnan(x))
            return value_error_got(domain, x);
        if (isinf(result) && isfinite(x)) {
            if (overflows)
                return ty_raise(&ty_OverflowError, RANGE_ERROR);
            return value_error_got(domain, x);
        }
    }
    return ty_from_double(result);
}

#define NOT_FINITE "expected a finite input"
#define WITHIN_ONE "expected a number in range from -1 up to 1"
#define NOT_POSITIVE "expected a positive input"
#define GAMMA_POLE "expected a noninteger or positive integer"

#define UNARY_FUNCTIONS(X) \
    X(acos, false, WITHIN_ONE, "The arc cosine of x in radians, from 0 to pi.") \
    X(acosh, false, "expected argument value not less than 1", "The inverse hyperbolic cosine of x.") \
    X(asin, false, WITHIN_ONE, "The arc sine of x in radians, from -pi/2 to pi/2.") \
    X(asinh, false, DOMAIN_ERROR, "The inverse hyperbolic sine of x.") \
    X(atan, false, DOMAIN_ERROR, "The arc tangent of x in radians, from -pi/2 to pi/2.") \
    X(atanh, false, "expected a number between -1 and 1", "The inverse hyperbolic tangent of x.") \
    X(cbrt, false, DOMAIN_ERROR, "The cube root of x.") \
    X(cos, false, NOT_FINITE, "The cosine of x radians.") \
    X(cosh, true, DOMAIN_ERROR, "The hyperbolic cosine of x.") \
    X(erf, false, DOMAIN_ERROR, "The error function at x.") \
    X(erfc, false, DOMAIN_ERROR, "The complementary error function at x: 1 - erf(x).") \
    X(exp, true, DOMAIN_ERROR, "e to the power of x.") \
    X(exp2, true, DOMAIN_ERROR, "2 to the power of x.") \
    X(expm1, true, DOMAIN_ERROR, "exp(x) - 1, without the loss of digits for small x.") \
    X(fabs, false, DOMAIN_ERROR, "The absolute value of x as a float.") \
    X(log1p, false, "expected argument value > -1", "The natural logarithm of 1 + x, exact for x near zero.") \
    X(sin, false, NOT_FINITE, "The sine of x radians.") \
    X(sinh, true, DOMAIN_ERROR, "The hyperbolic sine of x.") \
    X(sqrt, false, "expected a nonnegative input", "The square root of x.") \
    X(tan, false, NOT_FINITE, "The tangent of x radians.") \
    X(tanh, false, DOMAIN_ERROR, "The hyperbolic tangent of x.")

#define DEFINE_UNARY(name, overflows, domain, doc) \
    static Value math_##name(Value self, Value *a) { return unary(a[0], name, overflows, domain); }
UNARY_FUNCTIONS(DEFINE_UNARY)

static Value math_gamma(Value self, Value *a)
{
    double x;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    bool whole = x == floor(x);
    if (whole && x <= 0)
        return value_error_got(GAMMA_POLE, x);
    if (whole && x <= 23) { /* factorials that are exact doubles */
        double product = 1;
        for (int i = 2; i < (int)x; i++)
            product *= i;
        return ty_from_double(product);
    }
    double result = fabs(x) < 1e-20 ? 1 / x : tgamma(x); /* so near the pole nothing but the pole is left */
    if (isinf(result) && isfinite(x))
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    return ty_from_double(result);
}

static Value math_lgamma(Value self, Value *a)
{
    double x;
    int sign;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    if (isinf(x))
        return ty_from_double((double)INFINITY);
    if (x <= 2 && x == floor(x)) {
        if (x <= 0)
            return value_error_got(GAMMA_POLE, x);
        return ty_from_double(0);
    }
    double result = lgamma_r(x, &sign); /* plain lgamma() writes a global */
    if (isinf(result) && isfinite(x))
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    return ty_from_double(result);
}

static Value math_degrees(Value self, Value *a)
{
    double x;
    return ty_to_double(a[0], &x) ? ty_from_double(x * (180 / M_PI)) : TY_ERROR;
}

static Value math_radians(Value self, Value *a)
{
    double x;
    return ty_to_double(a[0], &x) ? ty_from_double(x * (M_PI / 180)) : TY_ERROR;
}

#define DEFINE_TEST(name) \
    static Value math_##name(Value self, Value *a) \
    { \
        double x; \
        return ty_to_double(a[0], &x) ? ty_from_bool(name(x)) : TY_ERROR; \
    }
DEFINE_TEST(isfinite)
DEFINE_TEST(isinf)
DEFINE_TEST(isnan)

/* --- logarithms --------------------------------------------------------------------------------------------------- */

/* Of ints beyond all doubles too. */
static Value logarithm(Value argument, double (*function)(double))
{
    double x;
    if (ty_in_family(argument, TY_TYPE_INT)) {
        mp_limb_t limb;
        TyBig big = ty_int_big(argument, &limb);
        if (big.size <= 0)
            return ty_raise(&ty_ValueError, NOT_POSITIVE);
        if (!ty_big_to_double(big, &x)) {
            int64_t exponent;
            x = ty_big_frexp(big, &exponent);
            return ty_from_double(function(x) + function(2) * (double)exponent);
        }
        return ty_from_double(function(x));
    }
    if (!ty_to_double(argument, &x))
        return TY_ERROR;
    if (x <= 0)
        return value_error_got(NOT_POSITIVE, x);
    return ty_from_double(function(x));
}

static Value math_log(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("math.log", keywords) || !ty_check_positional("log", count, 1, 2))
        return TY_ERROR;
    Value result = logarithm(arguments[0], log);
    if (count == 1 || result == TY_NULL)
        return result;
    Value base = logarithm(arguments[1], log);
    if (base == TY_NULL)
        return TY_ERROR;
    if (ty_double(base) == 0)
        return ty_raise(&ty_ZeroDivisionError, "division by zero");
    return ty_from_double(ty_double(result) / ty_double(base));
}

static Value math_log2(Value self, Value *a) { return logarithm(a[0], log2); }
static Value math_log10(Value self, Value *a) { return logarithm(a[0], log10); }

/* --- two doubles ---------------------------------------------------------------------------------------------------- */

static bool two_doubles(Value *a, double *x, double *y) { return ty_to_double(a[0], x) && ty_to_double(a[1], y); }

static Value math_atan2(Value self, Value *a)
{
    double y, x;
    return two_doubles(a, &y, &x) ? ty_from_double(atan2(y, x)) : TY_ERROR;
}

static Value math_copysign(Value self, Value *a)
{
    double x, y;
    return two_doubles(a, &x, &y) ? ty_from_double(copysign(x, y)) : TY_ERROR;
}

static Value math_fmod(Value self, Value *a)
{
    double x, y;
    if (!two_doubles(a, &x, &y))
        return TY_ERROR;
    double result = fmod(x, y);
    if (isnan(result) && !isnan(x) && !isnan(y))
        return ty_raise(&ty_ValueError, DOMAIN_ERROR);
    return ty_from_double(result);
}

static Value math_remainder(Value self, Value *a)
{
    double x, y;
    if (!two_doubles(a, &x, &y))
        return TY_ERROR;
    double result = remainder(x, y);
    if (isnan(result) && !isnan(x) && !isnan(y))
        return ty_raise(&ty_ValueError, DOMAIN_ERROR);
    return ty_from_double(result);
}

static Value math_pow(Value self, Value *a)
{
    double x, y;
    if (!two_doubles(a, &x, &y))
        return TY_ERROR;
    double result = pow(x, y);
    if (TY_UNLIKELY(!isfinite(result)) && isfinite(x) && isfinite(y)) {
        if (isnan(result) || x == 0)
            return ty_raise(&ty_ValueError, DOMAIN_ERROR);
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    }
    return ty_from_double(result);
}

static Value math_fma(Value self, Value *a)
{
    double x, y, z;
    if (!two_doubles(a, &x, &y) || !ty_to_double(a[2], &z))
        return TY_ERROR;
    double result = fma(x, y, z);
    if (isnan(result) && !isnan(x) && !isnan(y) && !isnan(z))
        return ty_raise(&ty_ValueError, "invalid operation in fma");
    if (isinf(result) && isfinite(x) && isfinite(y) && isfinite(z))
        return ty_raise(&ty_OverflowError, "overflow in fma");
    return ty_from_double(result);
}

static Value math_ldexp(Value self, Value *a)
{
    double x;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    if (!ty_in_family(a[1], TY_TYPE_INT))
        return ty_raise(&ty_TypeError, "Expected an int as second argument to ldexp.");
    mp_limb_t limb;
    TyBig big = ty_int_big(a[1], &limb);
    int64_t exponent;
    if (!ty_big_fits_int64(big, &exponent))
        exponent = big.size < 0 ? -INT32_MAX : INT32_MAX;
    if (x == 0 || !isfinite(x))
        return ty_from_double(x);
    double result = ldexp(x, (int)TY_MAX(TY_MIN(exponent, INT32_MAX), -INT32_MAX));
    if (isinf(result))
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    return ty_from_double(result);
}

static Value math_frexp(Value self, Value *a)
{
    double x;
    int exponent = 0;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    if (isfinite(x))
        x = frexp(x, &exponent);
    return ty_tuple_pack(2, ty_from_double(x), ty_int_from_int64(exponent));
}

static Value math_modf(Value self, Value *a)
{
    double x, whole;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    double fraction = modf(x, &whole);
    return ty_tuple_pack(2, ty_from_double(fraction), ty_from_double(whole));
}

static Value math_ulp(Value self, Value *a)
{
    double x;
    if (!ty_to_double(a[0], &x))
        return TY_ERROR;
    if (isnan(x))
        return ty_from_double(x);
    x = fabs(x);
    if (isinf(x))
        return ty_from_double(x);
    double next = nextafter(x, (double)INFINITY);
    if (isinf(next))
        return ty_from_double(x - nextafter(x, 0));
    return ty_from_double(next - x);
}

/* Doubles of one sign are ordered as their bits are: so many steps are an addition. */
static double next_after_steps(double x, double y, uint64_t steps)
{
    if (isnan(x) || isnan(y))
        return x + y;
    if (x == y || steps == 0)
        return steps == 0 ? x : y;
    int64_t from, to;
    memcpy(&from, &x, sizeof from);
    memcpy(&to, &y, sizeof to);
    bool up = y > x;
    uint64_t size = (uint64_t)from & INT64_MAX, limit = (uint64_t)to & INT64_MAX;
    bool negative = from < 0, away = up != negative;
    if (x == 0) {
        away = true;
        negative = !up;
    }
    if (away) {
        if (steps >= limit - size || (to < 0) != negative)
            size = (to < 0) != negative || steps >= limit - size ? limit : size;
        if (steps < limit - size)
            size += steps;
        return copysign(size == limit ? fabs(y) : (memcpy(&x, &size, sizeof x), x), negative ? -1.0 : 1.0);
    }
    bool crosses = (to < 0) != negative;
    uint64_t distance = crosses ? size + limit : size - limit;
    if (steps >= distance)
        return y;
    if (steps >= size) {
        size = steps - size;
        negative = size == 0 ? negative : !negative;
    } else {
        size -= steps;
    }
    memcpy(&x, &size, sizeof x);
    return negative ? -x : x;
}

static Value math_nextafter(Value self, Value *a)
{
    double x, y;
    if (!two_doubles(a, &x, &y))
        return TY_ERROR;
    if (a[2] == TY_NULL || a[2] == TY_NONE)
        return ty_from_double(nextafter(x, y));
    Value steps = ty_number_index(a[2]);
    if (steps == TY_NULL)
        return TY_ERROR;
    mp_limb_t limb;
    TyBig big = ty_int_big(steps, &limb);
    if (big.size < 0)
        return ty_raise(&ty_ValueError, "steps must be a non-negative integer");
    return ty_from_double(next_after_steps(x, y, big.size == 0 ? 0 : big.size == 1 ? big.limbs[0] : UINT64_MAX));
}

static Value math_isclose(Value self, Value *a)
{
    double x, y, relative = 1e-9, absolute = 0;
    if (!two_doubles(a, &x, &y) || (a[2] != TY_NULL && !ty_to_double(a[2], &relative)) ||
        (a[3] != TY_NULL && !ty_to_double(a[3], &absolute)))
        return TY_ERROR;
    if (relative < 0 || absolute < 0)
        return ty_raise(&ty_ValueError, "tolerances must be non-negative");
    if (x == y)
        return TY_TRUE;
    if (isinf(x) || isinf(y))
        return TY_FALSE;
    double difference = fabs(y - x);
    return ty_from_bool(difference <= fabs(relative * y) || difference <= fabs(relative * x) || difference <= absolute);
}

/* --- to integers ------------------------------------------------------------------------------------------------------ */

static Value rounded(Value x, double (*function)(double), Value method)
{
    if (ty_is_double(x))
        return ty_int_from_double(function(ty_double(x)));
    if (ty_is_immediate_int(x))
        return x;
    Value special = ty_lookup_special(x, method);
    if (special != TY_NULL)
        return ty_call_none(special);
    double number;
    if (ty_raised() || !ty_to_double(x, &number))
        return TY_ERROR;
    return ty_int_from_double(function(number));
}

static Value math_ceil(Value self, Value *a) { return rounded(a[0], ceil, TY_NAME("__ceil__")); }
static Value math_floor(Value self, Value *a) { return rounded(a[0], floor, TY_NAME("__floor__")); }

static Value math_trunc(Value self, Value *a)
{
    if (ty_is_double(a[0]))
        return ty_int_from_double(ty_double(a[0]));
    if (ty_is_immediate_int(a[0]))
        return a[0];
    Value special = ty_lookup_special(a[0], TY_NAME("__trunc__"));
    if (special != TY_NULL)
        return ty_call_none(special);
    if (ty_raised())
        return TY_ERROR;
    return ty_raise(&ty_TypeError, "type %s doesn't define __trunc__ method", ty_type_short_name(ty_type_of(a[0])));
}

/* --- integers --------------------------------------------------------------------------------------------------------- */

static Value big_result(TyBigStatus status, mpz_t result)
{
    Value value = TY_ERROR;
    if (status == TY_BIG_OK)
        value = ty_int_from_big(ty_big_of(result));
    else
        ty_raise_memory_error();
    mpz_clear(result);
    return value;
}

static Value factorial(Value argument)
{
    Value n = ty_number_index(argument);
    if (n == TY_NULL)
        return TY_ERROR;
    mp_limb_t limb;
    TyBig big = ty_int_big(n, &limb);
    int64_t small;
    if (big.size < 0)
        return ty_raise(&ty_ValueError, "factorial() not defined for negative values");
    if (!ty_big_fits_int64(big, &small))
        return ty_raise(&ty_OverflowError, "factorial() argument should not exceed %lld", (long long)INT64_MAX);
    if (small <= 20) {
        int64_t product = 1;
        for (int64_t i = 2; i <= small; i++)
            product *= i;
        return ty_int_from_int64(product);
    }
    mpz_t result;
    mpz_init(result);
    bool long_work = small > 1000;
    if (long_work)
        ty_blocking_begin();
    TyBigStatus status = ty_big_factorial(result, (uint64_t)small);
    if (long_work)
        ty_blocking_end();
    return big_result(status, result);
}

static Value math_factorial(Value self, Value *a) { return factorial(a[0]); }

static Value math_isqrt(Value self, Value *a)
{
    Value n = ty_number_index(a[0]);
    if (n == TY_NULL)
        return TY_ERROR;
    mp_limb_t limb;
    TyBig big = ty_int_big(n, &limb);
    if (big.size < 0)
        return ty_raise(&ty_ValueError, "isqrt() argument must be nonnegative");
    if (big.size <= 1) {
        uint64_t number = big.size == 0 ? 0 : big.limbs[0];
        uint64_t root = (uint64_t)sqrt((double)number);
        if (root > UINT32_MAX)
            root = UINT32_MAX;
        while (root * root > number)
            root--;
        while (root < UINT32_MAX && (root + 1) * (root + 1) <= number)
            root++;
        return ty_int_from_int64((int64_t)root);
    }
    mpz_t result;
    mpz_init(result);
    return big_result(ty_big_isqrt(result, big), result);
}

/* k counted out of n: what comb() and perm() have in common. */
static bool two_counts(Value *a, Value *n, Value *k)
{
    *n = ty_number_index(a[0]);
    if (*n == TY_NULL)
        return false;
    *k = ty_number_index(a[1]);
    if (*k == TY_NULL)
        return false;
    mp_limb_t limb;
    if (ty_int_big(*n, &limb).size < 0) {
        ty_raise(&ty_ValueError, "n must be a non-negative integer");
        return false;
    }
    if (ty_int_big(*k, &limb).size < 0) {
        ty_raise(&ty_ValueError, "k must be a non-negative integer");
        return false;
    }
    return true;
}

static Value math_comb(Value self, Value *a)
{
    Value n_value, k_value;
    if (!two_counts(a, &n_value, &k_value))
        return TY_ERROR;
    mp_limb_t n_limb, k_limb;
    TyBig n = ty_int_big(n_value, &n_limb), k = ty_int_big(k_value, &k_limb);
    if (ty_big_compare(k, n) > 0)
        return ty_int_from_int64(0);
    mpz_t result, view, fewer;
    mpz_init(result);
    mpz_init(fewer);
    mpz_roinit_n(view, n.limbs, n.size);
    mpz_t k_view;
    mpz_roinit_n(k_view, k.limbs, k.size);
    mpz_sub(fewer, view, k_view);
    if (mpz_cmp(fewer, k_view) > 0)
        mpz_set(fewer, k_view);
    if (!mpz_fits_slong_p(fewer)) {
        mpz_clear(fewer);
        mpz_clear(result);
        return ty_raise(&ty_OverflowError, "min(n - k, k) must not exceed %lld", (long long)INT64_MAX);
    }
    uint64_t chosen = mpz_get_ui(fewer);
    mpz_clear(fewer);
    return big_result(ty_big_comb(result, n, chosen), result);
}

static Value math_perm(Value self, Value *a)
{
    if (a[1] == TY_NULL || a[1] == TY_NONE)
        return factorial(a[0]);
    Value n_value, k_value;
    if (!two_counts(a, &n_value, &k_value))
        return TY_ERROR;
    mp_limb_t n_limb, k_limb;
    TyBig n = ty_int_big(n_value, &n_limb), k = ty_int_big(k_value, &k_limb);
    int64_t chosen;
    if (ty_big_compare(k, n) > 0)
        return ty_int_from_int64(0);
    if (!ty_big_fits_int64(k, &chosen))
        return ty_raise(&ty_OverflowError, "k must not exceed %lld", (long long)INT64_MAX);
    mpz_t result;
    mpz_init(result);
    return big_result(ty_big_perm(result, n, (uint64_t)chosen), result);
}

static uint64_t small_gcd(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a | b;
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    while (b != 0) {
        b >>= __builtin_ctzll(b);
        if (a > b) {
            uint64_t other = a;
            a = b;
            b = other;
        }
        b -= a;
    }
    return a << shift;
}

static Value gcd_of_two(Value left, Value right)
{
    if (ty_are_immediate_ints(left, right)) {
        int64_t a = ty_immediate_int(left), b = ty_immediate_int(right);
        return ty_int_from_int64((int64_t)small_gcd((uint64_t)(a < 0 ? -a : a), (uint64_t)(b < 0 ? -b : b)));
    }
    mp_limb_t left_limb, right_limb;
    mpz_t result;
    mpz_init(result);
    ty_big_gcd(result, ty_int_big(left, &left_limb), ty_int_big(right, &right_limb));
    return big_result(TY_BIG_OK, result);
}

static Value lcm_of_two(Value left, Value right)
{
    mp_limb_t left_limb, right_limb;
    mpz_t result;
    mpz_init(result);
    return big_result(ty_big_lcm(result, ty_int_big(left, &left_limb), ty_int_big(right, &right_limb)), result);
}

static Value fold_integers(Value arguments, int64_t start, Value (*step)(Value, Value))
{
    Value result = ty_int_from_int64(start);
    for (size_t i = 0; i < (size_t)ty_tuple_length(arguments); i++) {
        Value next = ty_number_index(ty_tuple_item(arguments, (int64_t)i));
        if (next == TY_NULL)
            return TY_ERROR;
        result = step(result, next);
        if (result == TY_NULL)
            return TY_ERROR;
    }
    return result;
}

static Value math_gcd(Value self, Value *a) { return fold_integers(a[0], 0, gcd_of_two); }
static Value math_lcm(Value self, Value *a) { return fold_integers(a[0], 1, lcm_of_two); }

/* --- sums and products -------------------------------------------------------------------------------------------------- */

/* A sum kept as doubles that do not overlap, least first (Shewchuk): exact until it is rounded at the end. A double's
 * bits span less than 2,100 places, so there are never more parts than that. */
enum { PARTS_MAX = 2100 };

static Value math_fsum(Value self, Value *a)
{
    double parts[PARTS_MAX];
    size_t count = 0;
    double special_sum = 0, infinite_sum = 0;
    Value iterator = ty_iter(a[0]), item;
    if (iterator == TY_NULL)
        return TY_ERROR;
    while ((item = ty_next(iterator)) != TY_NULL) {
        double x;
        if (!ty_to_double(item, &x))
            return TY_ERROR;
        double original = x;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            double y = parts[i];
            if (fabs(x) < fabs(y)) {
                double other = x;
                x = y;
                y = other;
            }
            double high = x + y;
            double low = y - (high - x);
            if (low != 0)
                parts[kept++] = low;
            x = high;
        }
        count = kept;
        if (x != 0) {
            if (!isfinite(x)) {
                if (isfinite(original))
                    return ty_raise(&ty_OverflowError, "intermediate overflow in fsum");
                if (isinf(original))
                    infinite_sum += original;
                special_sum += original;
                count = 0;
            } else {
                parts[count++] = x;
            }
        }
    }
    if (ty_raised())
        return TY_ERROR;
    if (special_sum != 0) {
        if (isnan(infinite_sum))
            return ty_raise(&ty_ValueError, "-inf + inf in fsum");
        return ty_from_double(special_sum);
    }
    double high = 0, low = 0;
    if (count > 0) {
        high = parts[--count];
        while (count > 0) {
            double x = high, y = parts[--count];
            high = x + y;
            low = y - (high - x);
            if (low != 0)
                break;
        }
        /* Half-way: the parts below decide. */
        if (count > 0 && ((low < 0 && parts[count - 1] < 0) || (low > 0 && parts[count - 1] > 0))) {
            double twice = low * 2, moved = high + twice;
            if (twice == moved - high)
                high = moved;
        }
    }
    return ty_from_double(high);
}

static Value math_prod(Value self, Value *a)
{
    Value result = a[1] == TY_NULL ? ty_int_from_int64(1) : a[1];
    Value iterator = ty_iter(a[0]), item;
    if (iterator == TY_NULL)
        return TY_ERROR;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int64_t product;
        if (ty_is_double(result) && ty_is_double(item))
            result = ty_from_double(ty_double(result) * ty_double(item));
        else if (ty_are_immediate_ints(result, item) &&
                 !__builtin_mul_overflow(ty_immediate_int(result), ty_immediate_int(item), &product))
            result = ty_int_from_int64(product);
        else
            result = ty_binary(TY_BINARY_MULTIPLY, result, item);
        if (result == TY_NULL)
            return TY_ERROR;
    }
    return ty_raised() ? TY_ERROR : result;
}

/* A sum as three doubles, to about 159 bits. */
typedef struct Triple {
    double high, low, least;
} Triple;

static inline double two_sum(double a, double b, double *error)
{
    double sum = a + b, part = sum - a;
    *error = (a - (sum - part)) + (b - part);
    return sum;
}

static inline void triple_add_product(Triple *total, double x, double y)
{
    double product = x * y, product_error = fma(x, y, -product), first, second;
    total->high = two_sum(total->high, product, &first);
    total->low = two_sum(total->low, product_error, &product_error);
    total->low = two_sum(total->low, first, &second);
    total->least += product_error + second;
}

static double triple_value(Triple total)
{
    double error, last;
    double low = two_sum(total.low, total.least, &last);
    double high = two_sum(total.high, low, &error);
    return high + (error + last);
}

/* A pair of floats, or of a float and an int. */
static bool float_pair(Value x, Value y, double *x_double, double *y_double)
{
    if (!ty_is_double(x) && !ty_is_double(y))
        return false;
    if ((!ty_is_double(x) && !ty_is_immediate_int(x)) || (!ty_is_double(y) && !ty_is_immediate_int(y)))
        return false;
    *x_double = ty_is_double(x) ? ty_double(x) : (double)ty_immediate_int(x);
    *y_double = ty_is_double(y) ? ty_double(y) : (double)ty_immediate_int(y);
    return true;
}

static Value math_sumprod(Value self, Value *a)
{
    Value p = ty_iter(a[0]);
    if (p == TY_NULL)
        return TY_ERROR;
    Value q = ty_iter(a[1]);
    if (q == TY_NULL)
        return TY_ERROR;
    Value total = ty_int_from_int64(0);
    int64_t whole = 0;      /* products of small ints not yet in total */
    Triple floats = {0};    /* products with floats not yet in total */
    bool whole_path = true, float_path = true, floats_used = false; /* a path that was left is not taken again */
    for (;;) {
        Value x = ty_next(p);
        if (x == TY_NULL && ty_raised())
            return TY_ERROR;
        Value y = ty_next(q);
        if (y == TY_NULL && ty_raised())
            return TY_ERROR;
        if ((x == TY_NULL) != (y == TY_NULL))
            return ty_raise(&ty_ValueError, "Inputs are not the same length");
        double x_double, y_double;
        int64_t product, sum;
        if (whole_path && x != TY_NULL && ty_are_immediate_ints(x, y) &&
            !__builtin_mul_overflow(ty_immediate_int(x), ty_immediate_int(y), &product) &&
            !__builtin_add_overflow(whole, product, &sum)) {
            whole = sum;
            continue;
        }
        whole_path = false;
        if (whole != 0) {
            total = ty_binary(TY_BINARY_ADD, total, ty_int_from_int64(whole));
            if (total == TY_NULL)
                return TY_ERROR;
            whole = 0;
        }
        if (float_path && x != TY_NULL && float_pair(x, y, &x_double, &y_double)) {
            Triple next = floats;
            triple_add_product(&next, x_double, y_double);
            if (isfinite(next.high)) {
                floats = next;
                floats_used = true;
                continue;
            }
        }
        float_path = false;
        if (floats_used) {
            total = ty_binary(TY_BINARY_ADD, total, ty_from_double(triple_value(floats)));
            if (total == TY_NULL)
                return TY_ERROR;
            floats_used = false;
        }
        if (x == TY_NULL)
            return total;
        Value term = ty_binary(TY_BINARY_MULTIPLY, x, y);
        if (term == TY_NULL)
            return TY_ERROR;
        total = ty_binary(TY_BINARY_ADD, total, term);
        if (total == TY_NULL)
            return TY_ERROR;
    }
}

/* The length of a vector of sizes. All are scaled by a power of two that brings the greatest near one, the squares are
 * summed in twice the precision, and the root gets a last correction. */
static double vector_length(size_t count, const double *sizes, double greatest, bool nan_seen)
{
    if (isinf(greatest))
        return greatest;
    if (nan_seen)
        return (double)NAN;
    if (greatest == 0 || count <= 1)
        return greatest;
    int exponent;
    frexp(greatest, &exponent);
    double high = 0, low = 0;
    for (size_t i = 0; i < count; i++) {
        double x = ldexp(sizes[i], -exponent), error;
        double square = x * x;
        low += fma(x, x, -square);
        high = two_sum(high, square, &error);
        low += error;
    }
    double root = sqrt(high + low);
    double square = root * root;
    double square_error = fma(root, root, -square);
    double rest = ((high - square) - square_error) + low;
    return ldexp(root + rest / (2 * root), exponent);
}

enum { SMALL_VECTOR = 32 };

static Value math_hypot(Value self, Value *a)
{
    size_t count = (size_t)ty_tuple_length(a[0]);
    double small[SMALL_VECTOR], greatest = 0;
    double *sizes = count <= SMALL_VECTOR ? small : malloc(count * sizeof *sizes);
    bool nan_seen = false;
    if (sizes == NULL)
        return ty_raise_memory_error();
    Value result = TY_ERROR;
    for (size_t i = 0; i < count; i++) {
        double x;
        if (!ty_to_double(ty_tuple_item(a[0], (int64_t)i), &x))
            goto done;
        sizes[i] = fabs(x);
        nan_seen |= isnan(x);
        if (sizes[i] > greatest)
            greatest = sizes[i];
    }
    result = ty_from_double(vector_length(count, sizes, greatest, nan_seen));
done:
    if (sizes != small)
        free(sizes);
    return result;
}

static Value math_dist(Value self, Value *a)
{
    Value p = ty_sequence_tuple(a[0]);
    if (p == TY_NULL)
        return TY_ERROR;
    Value q = ty_sequence_tuple(a[1]);
    if (q == TY_NULL)
        return TY_ERROR;
    size_t count = (size_t)ty_tuple_length(p);
    if ((size_t)ty_tuple_length(q) != count)
        return ty_raise(&ty_ValueError, "both points must have the same number of dimensions");
    double small[SMALL_VECTOR], greatest = 0;
    double *sizes = count <= SMALL_VECTOR ? small : malloc(count * sizeof *sizes);
    bool nan_seen = false;
    if (sizes == NULL)
        return ty_raise_memory_error();
    Value result = TY_ERROR;
    for (size_t i = 0; i < count; i++) {
        double x, y;
        if (!ty_to_double(ty_tuple_item(p, (int64_t)i), &x) || !ty_to_double(ty_tuple_item(q, (int64_t)i), &y))
            goto done;
        sizes[i] = fabs(x - y);
        nan_seen |= isnan(sizes[i]);
        if (sizes[i] > greatest)
            greatest = sizes[i];
    }
    result = ty_from_double(vector_length(count, sizes, greatest, nan_seen));
done:
    if (sizes != small)
        free(sizes);
    return result;
}

/* --- the module ----------------------------------------------------------------------------------------------------------- */

static const TyNativeDef math_functions[] = {
#define UNARY_ENTRY(name, overflows, domain, doc) TY_FUNCTION(#name "(x, /)", math_##name, doc),
    UNARY_FUNCTIONS(UNARY_ENTRY)
    TY_FUNCTION("atan2(y, x, /)", math_atan2, "The arc tangent of y/x in radians, in the quadrant that both signs say."),
    TY_FUNCTION("ceil(x, /)", math_ceil, "The least integer that is not below x."),
    TY_FUNCTION("comb(n, k, /)", math_comb, "How many ways there are to choose k of n items, without repetition or order."),
    TY_FUNCTION("copysign(x, y, /)", math_copysign, "A float with the size of x and the sign of y."),
    TY_FUNCTION("degrees(x, /)", math_degrees, "The angle x, given in radians, in degrees."),
    TY_FUNCTION("dist(p, q, /)", math_dist, "The Euclidean distance between two points, each a sequence of coordinates."),
    TY_FUNCTION("factorial(n, /)", math_factorial, "n!, the product of the integers from 1 to n."),
    TY_FUNCTION("floor(x, /)", math_floor, "The greatest integer that is not above x."),
    TY_FUNCTION("fma(x, y, z, /)", math_fma, "x * y + z, rounded once."),
    TY_FUNCTION("fmod(x, y, /)", math_fmod, "The remainder of x / y with the sign of x, as C has it."),
    TY_FUNCTION("frexp(x, /)", math_frexp, "The pair (m, e) with x == m * 2.**e and m from 0.5 up to 1, or 0."),
    TY_FUNCTION("fsum(seq, /)", math_fsum, "The sum of the numbers, exact but for the last rounding."),
    TY_FUNCTION("gamma(x, /)", math_gamma, "The gamma function at x."),
    TY_FUNCTION("gcd(*integers)", math_gcd, "The greatest common divisor of the integers."),
    TY_FUNCTION("hypot(*coordinates)", math_hypot, "The distance from the origin of the point with these coordinates."),
    TY_FUNCTION("isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)", math_isclose,
                "Whether a and b differ by no more than rel_tol times the greater of them, or than abs_tol."),
    TY_FUNCTION("isfinite(x, /)", math_isfinite, "Whether x is neither an infinity nor a NaN."),
    TY_FUNCTION("isinf(x, /)", math_isinf, "Whether x is an infinity of either sign."),
    TY_FUNCTION("isnan(x, /)", math_isnan, "Whether x is a NaN."),
    TY_FUNCTION("isqrt(n, /)", math_isqrt, "The whole part of the square root of n."),
    TY_FUNCTION("lcm(*integers)", math_lcm, "The least common multiple of the integers."),
    TY_FUNCTION("ldexp(x, i, /)", math_ldexp, "x * (2**i)."),
    TY_FUNCTION("lgamma(x, /)", math_lgamma, "The natural logarithm of the absolute value of gamma(x)."),
    TY_RAW_FUNCTION("log(x, [base=math.e])", math_log, "The logarithm of x to the base, by default the natural one."),
    TY_FUNCTION("log10(x, /)", math_log10, "The logarithm of x to base 10."),
    TY_FUNCTION("log2(x, /)", math_log2, "The logarithm of x to base 2."),
    TY_FUNCTION("modf(x, /)", math_modf, "The fractional and the whole part of x, both floats with the sign of x."),
    TY_FUNCTION("nextafter(x, y, /, *, steps=None)", math_nextafter, "The float so many steps (one by default) after x towards y."),
    TY_FUNCTION("perm(n, k=None, /)", math_perm, "How many ways there are to choose k of n items in order; n! without k."),
    TY_FUNCTION("pow(x, y, /)", math_pow, "x to the power of y, as floats."),
    TY_FUNCTION("prod(iterable, /, *, start=1)", math_prod, "The product of start and all the items."),
    TY_FUNCTION("radians(x, /)", math_radians, "The angle x, given in degrees, in radians."),
    TY_FUNCTION("remainder(x, y, /)", math_remainder, "The IEEE 754 remainder of x by y: x minus the nearest whole multiple of y."),
    TY_FUNCTION("sumprod(p, q, /)", math_sumprod, "The sum of the products of the items of p and q, pair by pair."),
    TY_FUNCTION("trunc(x, /)", math_trunc, "The integer between 0 and x that is nearest to x."),
    TY_FUNCTION("ulp(x, /)", math_ulp, "The value of the least significant bit of the float x."),
    {0},
};

static bool math_execute(Value module)
{
    return ty_module_add(module, "pi", ty_from_double(M_PI)) && ty_module_add(module, "e", ty_from_double(M_E)) &&
           ty_module_add(module, "tau", ty_from_double(2 * M_PI)) &&
           ty_module_add(module, "inf", ty_from_double((double)INFINITY)) &&
           ty_module_add(module, "nan", ty_from_double((double)NAN));
}

const TyModuleDef ty_module_math = {
    .name = "math",
    .doc = "Mathematical functions of floats, as the C standard defines them, and of integers.",
    .functions = math_functions,
    .execute = math_execute,
};
