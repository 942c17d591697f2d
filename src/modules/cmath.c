/* cmath: functions of complex numbers. The C library's follow Annex G of the C standard, infinities, NaNs and the signs of zeros
 * included; where that raises the invalid or divide-by-zero flag, Python raises. */
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/tuple.h"

#include <complex.h>
#include <math.h>

typedef double complex Complex;

#ifndef CMPLX /* the C library offers it to gcc alone */
#define CMPLX(real, imaginary) __builtin_complex((double)(real), (double)(imaginary))
#endif

#define DOMAIN_ERROR "math domain error"
#define RANGE_ERROR "math range error"

static bool argument(Value v, Complex *z)
{
    double real, imaginary;
    if (!ty_to_complex(v, &real, &imaginary))
        return false;
    *z = CMPLX(real, imaginary);
    return true;
}

static bool is_finite(Complex z) { return isfinite(creal(z)) && isfinite(cimag(z)); }

/* --- where a function is not defined -------------------------------------------------------------------------------------- */

static bool defined_everywhere(Complex z) { return true; }

/* Periodic in the imaginary part: at infinity there is no telling, unless the size is zero or not known. */
static bool defined_exp(Complex z) { return !isinf(cimag(z)) || isnan(creal(z)) || creal(z) == -(double)INFINITY; }
static bool defined_cosh(Complex z) { return !isinf(cimag(z)) || isnan(creal(z)); }
static bool defined_cos(Complex z) { return !isinf(creal(z)) || isnan(cimag(z)); }
static bool defined_tanh(Complex z) { return !isinf(cimag(z)) || !isfinite(creal(z)); }
static bool defined_tan(Complex z) { return !isinf(creal(z)) || !isfinite(cimag(z)); }
static bool defined_log(Complex z) { return creal(z) != 0 || cimag(z) != 0; }
static bool defined_atanh(Complex z) { return cimag(z) != 0 || fabs(creal(z)) != 1; }
static bool defined_atan(Complex z) { return creal(z) != 0 || fabs(cimag(z)) != 1; }

static Value from_complex(Complex z) { return ty_complex_new(creal(z), cimag(z)); }

static Value apply(Value v, Complex (*function)(Complex), bool (*defined)(Complex))
{
    Complex z;
    if (!argument(v, &z))
        return TY_ERROR;
    if (!defined(z))
        return ty_raise(&ty_ValueError, DOMAIN_ERROR);
    Complex result = function(z);
    if (!is_finite(result) && is_finite(z))
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    return from_complex(result);
}

/* Half of log(x² + y²) is taken so that it is exact near the unit circle and does not overflow. */
static Complex complex_log(Complex z) { return clog(z); }

static Complex complex_log10(Complex z)
{
    Complex result = clog(z);
    return CMPLX(creal(result) / M_LN10, cimag(result) / M_LN10);
}

/* exp() overflows before its product with a small sine or cosine does: halve the work. */
static Complex complex_exp(Complex z) { return cexp(z); }

#define FUNCTIONS(X) \
    X(acos, cacos, defined_everywhere, "The arc cosine of z.") \
    X(acosh, cacosh, defined_everywhere, "The inverse hyperbolic cosine of z.") \
    X(asin, casin, defined_everywhere, "The arc sine of z.") \
    X(asinh, casinh, defined_everywhere, "The inverse hyperbolic sine of z.") \
    X(atan, catan, defined_atan, "The arc tangent of z.") \
    X(atanh, catanh, defined_atanh, "The inverse hyperbolic tangent of z.") \
    X(cos, ccos, defined_cos, "The cosine of z.") \
    X(cosh, ccosh, defined_cosh, "The hyperbolic cosine of z.") \
    X(exp, complex_exp, defined_exp, "e to the power of z.") \
    X(log10, complex_log10, defined_log, "The logarithm of z to base 10.") \
    X(sin, csin, defined_cos, "The sine of z.") \
    X(sinh, csinh, defined_cosh, "The hyperbolic sine of z.") \
    X(sqrt, csqrt, defined_everywhere, "The square root of z.") \
    X(tan, ctan, defined_tan, "The tangent of z.") \
    X(tanh, ctanh, defined_tanh, "The hyperbolic tangent of z.")

#define DEFINE_FUNCTION(name, function, defined, doc) \
    static Value cmath_##name(Value self, Value *a) { return apply(a[0], function, defined); }
FUNCTIONS(DEFINE_FUNCTION)

static Value cmath_log(Value self, Value *a)
{
    Value result = apply(a[0], complex_log, defined_log);
    if (a[1] == TY_NULL || result == TY_NULL)
        return result;
    Value base = apply(a[1], complex_log, defined_log);
    if (base == TY_NULL)
        return TY_ERROR;
    Complex divisor;
    if (!argument(base, &divisor))
        return TY_ERROR;
    if (divisor == 0)
        return ty_raise(&ty_ValueError, DOMAIN_ERROR);
    return ty_binary(TY_BINARY_TRUE_DIVIDE, result, base);
}

static Value cmath_phase(Value self, Value *a)
{
    Complex z;
    return argument(a[0], &z) ? ty_from_double(carg(z)) : TY_ERROR;
}

static Value cmath_polar(Value self, Value *a)
{
    Complex z;
    if (!argument(a[0], &z))
        return TY_ERROR;
    double size = cabs(z);
    if (isinf(size) && is_finite(z))
        return ty_raise(&ty_OverflowError, RANGE_ERROR);
    return ty_tuple_pack(2, ty_from_double(size), ty_from_double(carg(z)));
}

static Value cmath_rect(Value self, Value *a)
{
    double r, phi;
    if (!ty_to_double(a[0], &r) || !ty_to_double(a[1], &phi))
        return TY_ERROR;
    if (isfinite(r) && isfinite(phi)) /* an angle of zero keeps its sign, r of whatever sign */
        return phi == 0 ? ty_complex_new(r, r * phi) : ty_complex_new(r * cos(phi), r * sin(phi));
    if (isinf(phi) && r != 0 && !isnan(r))
        return ty_raise(&ty_ValueError, DOMAIN_ERROR);
    if (r == 0)
        return ty_complex_new(0, 0);
    if (isinf(r) && isfinite(phi)) {
        if (phi == 0)
            return ty_complex_new(r, r > 0 ? phi : -phi);
        return ty_complex_new(copysign((double)INFINITY, r * cos(phi)), copysign((double)INFINITY, r * sin(phi)));
    }
    if (isinf(r))
        return ty_complex_new((double)INFINITY, (double)NAN);
    return ty_complex_new((double)NAN, isnan(r) && phi == 0 ? 0.0 : (double)NAN);
}

#define DEFINE_TEST(name, test) \
    static Value cmath_##name(Value self, Value *a) \
    { \
        Complex z; \
        return argument(a[0], &z) ? ty_from_bool(test) : TY_ERROR; \
    }
DEFINE_TEST(isfinite, is_finite(z))
DEFINE_TEST(isinf, isinf(creal(z)) || isinf(cimag(z)))
DEFINE_TEST(isnan, isnan(creal(z)) || isnan(cimag(z)))

static Value cmath_isclose(Value self, Value *a)
{
    Complex x, y;
    double relative = 1e-9, absolute = 0;
    if (!argument(a[0], &x) || !argument(a[1], &y) || (a[2] != TY_NULL && !ty_to_double(a[2], &relative)) ||
        (a[3] != TY_NULL && !ty_to_double(a[3], &absolute)))
        return TY_ERROR;
    if (relative < 0 || absolute < 0)
        return ty_raise(&ty_ValueError, "tolerances must be non-negative");
    if (x == y)
        return TY_TRUE;
    if (isinf(creal(x)) || isinf(cimag(x)) || isinf(creal(y)) || isinf(cimag(y)))
        return TY_FALSE;
    double difference = cabs(x - y);
    return ty_from_bool(difference <= relative * cabs(y) || difference <= relative * cabs(x) || difference <= absolute);
}

static const TyNativeDef functions[] = {
#define FUNCTION_ENTRY(name, function, defined, doc) TY_FUNCTION(#name "(z, /)", cmath_##name, doc),
    FUNCTIONS(FUNCTION_ENTRY)
    TY_FUNCTION("isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)", cmath_isclose,
                "Whether a and b differ by no more than rel_tol times the greater of them, or than abs_tol."),
    TY_FUNCTION("isfinite(z, /)", cmath_isfinite, "Whether both parts of z are finite."),
    TY_FUNCTION("isinf(z, /)", cmath_isinf, "Whether either part of z is an infinity."),
    TY_FUNCTION("isnan(z, /)", cmath_isnan, "Whether either part of z is a NaN."),
    TY_FUNCTION("log(z, base=<unrepresentable>, /)", cmath_log, "The logarithm of z to the base, by default the natural one."),
    TY_FUNCTION("phase(z, /)", cmath_phase, "The angle of z, from -pi to pi."),
    TY_FUNCTION("polar(z, /)", cmath_polar, "The pair of the distance from the origin and the angle of z."),
    TY_FUNCTION("rect(r, phi, /)", cmath_rect, "The complex number at the distance r from the origin, at the angle phi."),
    {0},
};

static bool execute(Value module)
{
    double infinity = (double)INFINITY, nan = (double)NAN;
    return ty_module_add(module, "pi", ty_from_double(M_PI)) && ty_module_add(module, "e", ty_from_double(M_E)) &&
           ty_module_add(module, "tau", ty_from_double(2 * M_PI)) && ty_module_add(module, "inf", ty_from_double(infinity)) &&
           ty_module_add(module, "nan", ty_from_double(nan)) && ty_module_add(module, "infj", ty_complex_new(0, infinity)) &&
           ty_module_add(module, "nanj", ty_complex_new(0, nan));
}

const TyModuleDef ty_module_cmath = {
    .name = "cmath",
    .doc = "Mathematical functions of complex numbers.",
    .functions = functions,
    .execute = execute,
};
