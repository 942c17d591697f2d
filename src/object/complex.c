#include "base/float_text.h"
#include "object/exception.h"
#include "object/format.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <math.h>

typedef struct Pair {
    double real, imag;
} Pair;

Value ty_complex_new(double real, double imaginary)
{
    TyComplex *c = ty_allocate_dirty(&ty_complex_type, sizeof(TyComplex));
    if (c == NULL)
        return TY_ERROR;
    c->real = real;
    c->imaginary = imaginary;
    return ty_from_object(c);
}

static inline Value from_pair(Pair p) { return ty_complex_new(p.real, p.imag); }

static inline Pair pair_of(Value v)
{
    TyComplex *c = (TyComplex *)ty_object(v);
    return (Pair){c->real, c->imaginary};
}

/* --- operands: complex with complex, or with a real number, which has no imaginary part at all (not even a zero) ------------ */

typedef enum OperandKind { OPERAND_ERROR, OPERAND_OTHER, OPERAND_REAL, OPERAND_COMPLEX } OperandKind;

static OperandKind operand(Value v, Pair *out)
{
    out->imag = 0;
    if (ty_is_float(v)) {
        out->real = ty_float_value(v);
        return OPERAND_REAL;
    }
    if (ty_is_int(v)) {
        out->real = ty_int_to_double(v);
        return out->real == -1.0 && ty_raised() ? OPERAND_ERROR : OPERAND_REAL;
    }
    if (!ty_is_complex(v))
        return OPERAND_OTHER;
    *out = pair_of(v);
    return OPERAND_COMPLEX;
}

#define OPERANDS(left, right, a, b, a_kind, b_kind)                                             \
    Pair a, b;                                                                                  \
    OperandKind a_kind = operand(left, &a);                                                     \
    OperandKind b_kind = a_kind >= OPERAND_REAL ? operand(right, &b) : a_kind;                  \
    if (TY_UNLIKELY(b_kind < OPERAND_REAL))                                                     \
        return b_kind == OPERAND_ERROR ? TY_ERROR : TY_NOT_IMPLEMENTED

static Value complex_add(Value left, Value right)
{
    OPERANDS(left, right, a, b, a_kind, b_kind);
    if (b_kind == OPERAND_REAL)
        return ty_complex_new(a.real + b.real, a.imag);
    if (a_kind == OPERAND_REAL)
        return ty_complex_new(a.real + b.real, b.imag);
    return ty_complex_new(a.real + b.real, a.imag + b.imag);
}

static Value complex_subtract(Value left, Value right)
{
    OPERANDS(left, right, a, b, a_kind, b_kind);
    if (b_kind == OPERAND_REAL)
        return ty_complex_new(a.real - b.real, a.imag);
    if (a_kind == OPERAND_REAL)
        return ty_complex_new(a.real - b.real, -b.imag);
    return ty_complex_new(a.real - b.real, a.imag - b.imag);
}

/* An infinite part becomes a signed one, any other a signed zero: C11 Annex G looks at infinities so. */
static double unit_of(double x) { return copysign(isinf(x) ? 1.0 : 0.0, x); }
static double no_nan(double x) { return isnan(x) ? copysign(0.0, x) : x; }

static Pair multiply(Pair a, Pair b)
{
    double ac = a.real * b.real, bd = a.imag * b.imag, ad = a.real * b.imag, bc = a.imag * b.real;
    Pair product = {ac - bd, ad + bc};
    if (TY_LIKELY(!isnan(product.real) || !isnan(product.imag)))
        return product;
    bool recover = false;
    if (isinf(a.real) || isinf(a.imag)) {
        a = (Pair){unit_of(a.real), unit_of(a.imag)};
        b = (Pair){no_nan(b.real), no_nan(b.imag)};
        recover = true;
    }
    if (isinf(b.real) || isinf(b.imag)) {
        b = (Pair){unit_of(b.real), unit_of(b.imag)};
        a = (Pair){no_nan(a.real), no_nan(a.imag)};
        recover = true;
    }
    if (!recover && (isinf(ac) || isinf(bd) || isinf(ad) || isinf(bc))) {
        a = (Pair){no_nan(a.real), no_nan(a.imag)};
        b = (Pair){no_nan(b.real), no_nan(b.imag)};
        recover = true;
    }
    if (recover)
        product = (Pair){(double)INFINITY * (a.real * b.real - a.imag * b.imag),
                         (double)INFINITY * (a.real * b.imag + a.imag * b.real)};
    return product;
}

static Value complex_multiply(Value left, Value right)
{
    OPERANDS(left, right, a, b, a_kind, b_kind);
    if (b_kind == OPERAND_REAL)
        return ty_complex_new(a.real * b.real, a.imag * b.real);
    if (a_kind == OPERAND_REAL)
        return ty_complex_new(a.real * b.real, a.real * b.imag);
    return from_pair(multiply(a, b));
}

/* By Smith's method: the greater part of the divisor is divided by first. b is not zero. */
static Pair divide(Pair a, Pair b)
{
    Pair quotient;
    if (fabs(b.real) >= fabs(b.imag)) {
        double ratio = b.imag / b.real, denominator = b.real + b.imag * ratio;
        quotient = (Pair){(a.real + a.imag * ratio) / denominator, (a.imag - a.real * ratio) / denominator};
    } else if (fabs(b.imag) >= fabs(b.real)) {
        double ratio = b.real / b.imag, denominator = b.real * ratio + b.imag;
        quotient = (Pair){(a.real * ratio + a.imag) / denominator, (a.imag * ratio - a.real) / denominator};
    } else {
        quotient = (Pair){(double)NAN, (double)NAN};
    }
    if (TY_LIKELY(!isnan(quotient.real) || !isnan(quotient.imag)))
        return quotient;
    if ((isinf(a.real) || isinf(a.imag)) && isfinite(b.real) && isfinite(b.imag)) {
        double x = unit_of(a.real), y = unit_of(a.imag);
        quotient = (Pair){(double)INFINITY * (x * b.real + y * b.imag), (double)INFINITY * (y * b.real - x * b.imag)};
    } else if ((isinf(b.real) || isinf(b.imag)) && isfinite(a.real) && isfinite(a.imag)) {
        double x = unit_of(b.real), y = unit_of(b.imag);
        quotient = (Pair){0.0 * (a.real * x + a.imag * y), 0.0 * (a.imag * x - a.real * y)};
    }
    return quotient;
}

static Pair divide_real(double a, Pair b)
{
    Pair quotient;
    if (fabs(b.real) >= fabs(b.imag)) {
        double ratio = b.imag / b.real, denominator = b.real + b.imag * ratio;
        quotient = (Pair){a / denominator, -a * ratio / denominator};
    } else if (fabs(b.imag) >= fabs(b.real)) {
        double ratio = b.real / b.imag, denominator = b.real * ratio + b.imag;
        quotient = (Pair){a * ratio / denominator, -a / denominator};
    } else {
        quotient = (Pair){(double)NAN, (double)NAN};
    }
    if (isnan(quotient.real) && isnan(quotient.imag) && isfinite(a) && (isinf(b.real) || isinf(b.imag)))
        quotient = (Pair){0.0 * (a * unit_of(b.real)), 0.0 * (-a * unit_of(b.imag))};
    return quotient;
}

static Value complex_true_divide(Value left, Value right)
{
    OPERANDS(left, right, a, b, a_kind, b_kind);
    if (b.real == 0 && b.imag == 0)
        return ty_raise(&ty_ZeroDivisionError, "division by zero");
    if (b_kind == OPERAND_REAL)
        return ty_complex_new(a.real / b.real, a.imag / b.real);
    return from_pair(a_kind == OPERAND_REAL ? divide_real(a.real, b) : divide(a, b));
}

/* --- powers --------------------------------------------------------------------------------------------------------------------- */

static Pair whole_power(Pair base, unsigned exponent)
{
    Pair result = {1, 0};
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            result = multiply(result, base);
        base = multiply(base, base);
    }
    return result;
}

static Value power(Pair base, Pair exponent)
{
    Pair result;
    if (exponent.imag == 0 && exponent.real == floor(exponent.real) && fabs(exponent.real) <= 100) {
        int count = (int)exponent.real;
        if (count < 0 && base.real == 0 && base.imag == 0)
            return ty_raise(&ty_ZeroDivisionError, "zero to a negative or complex power");
        result = whole_power(base, (unsigned)(count < 0 ? -count : count));
        if (count < 0)
            result = divide((Pair){1, 0}, result);
    } else if (base.real == 0 && base.imag == 0) {
        if (exponent.imag != 0 || exponent.real < 0)
            return ty_raise(&ty_ZeroDivisionError, "zero to a negative or complex power");
        result = (Pair){0, 0};
    } else {
        double size = hypot(base.real, base.imag), angle = atan2(base.imag, base.real);
        double length = pow(size, exponent.real), phase = angle * exponent.real;
        if (exponent.imag != 0) {
            length *= exp(-angle * exponent.imag);
            phase += exponent.imag * log(size);
        }
        if (isinf(phase))
            return ty_raise(&ty_ZeroDivisionError, "zero to a negative or complex power");
        result = (Pair){length * cos(phase), length * sin(phase)};
    }
    if (isinf(result.real) || isinf(result.imag))
        return ty_raise(&ty_OverflowError, "complex exponentiation");
    return from_pair(result);
}

Value ty_complex_power(double real, double imaginary, double exponent_real, double exponent_imaginary)
{
    return power((Pair){real, imaginary}, (Pair){exponent_real, exponent_imaginary});
}

static Value complex_power(Value left, Value right, Value modulus)
{
    OPERANDS(left, right, a, b, a_kind, b_kind);
    (void)a_kind;
    if (modulus != TY_NONE)
        return ty_raise(&ty_ValueError, "complex modulo");
    return power(a, b);
}

static Value complex_binary_power(Value left, Value right) { return complex_power(left, right, TY_NONE); }

/* --- the other operators ---------------------------------------------------------------------------------------------------------- */

static Value complex_negative(Value v)
{
    Pair p = pair_of(v);
    return ty_complex_new(-p.real, -p.imag);
}

static Value complex_positive(Value v) { return ty_is_exact(v, &ty_complex_type) ? v : from_pair(pair_of(v)); }

static Value complex_absolute(Value v)
{
    Pair p = pair_of(v);
    double size = hypot(p.real, p.imag);
    if (isinf(size) && isfinite(p.real) && isfinite(p.imag))
        return ty_raise(&ty_OverflowError, "absolute value too large");
    return ty_from_double(size);
}

static int complex_to_bool(Value v)
{
    Pair p = pair_of(v);
    return p.real != 0 || p.imag != 0;
}

static Value complex_compare(Value left, Value right, int op)
{
    if (op != TY_EQ && op != TY_NE)
        return TY_NOT_IMPLEMENTED;
    Pair a = pair_of(left);
    bool equal;
    if (ty_is_complex(right)) {
        Pair b = pair_of(right);
        equal = a.real == b.real && a.imag == b.imag;
    } else if (ty_is_float(right)) {
        equal = a.imag == 0 && a.real == ty_float_value(right);
    } else if (ty_is_int(right)) {
        mp_limb_t limb;
        equal = a.imag == 0 && !isnan(a.real) && ty_big_compare_double(ty_int_big(right, &limb), a.real) == 0;
    } else {
        return TY_NOT_IMPLEMENTED;
    }
    return ty_from_bool(equal == (op == TY_EQ));
}

static int64_t complex_hash(Value v)
{
    Pair p = pair_of(v);
    uint64_t hash = (uint64_t)ty_double_hash(p.real, v) + 1000003u * (uint64_t)ty_double_hash(p.imag, v);
    return (int64_t)hash == -1 ? -2 : (int64_t)hash;
}

static Value complex_repr(Value v)
{
    char text[2 * TY_DOUBLE_TEXT_SIZE + 4];
    char *at = text;
    Pair p = pair_of(v);
    bool only_imaginary = p.real == 0 && !signbit(p.real);
    if (!only_imaginary) {
        *at++ = '(';
        at += ty_double_text(p.real, 'r', 0, 0, at);
    }
    at += ty_double_text(p.imag, 'r', 0, only_imaginary ? 0 : TY_DOUBLE_PLUS, at);
    *at++ = 'j';
    if (!only_imaginary)
        *at++ = ')';
    return ty_str_from_latin1(text, (size_t)(at - text));
}

/* --- complex() ---------------------------------------------------------------------------------------------------------------------- */

/* A sign alone counts as one. Returns where it ended, NULL if there is no number. */
static const char *parse_part(const char *at, const char *end, double *value)
{
    const char *after = ty_double_parse(at, end, value);
    if (after != NULL)
        return after;
    *value = 1;
    if (at < end && (*at == '+' || *at == '-'))
        *value = *at++ == '-' ? -1 : 1;
    return at < end && (*at == 'j' || *at == 'J') ? at : NULL;
}

static bool is_unit(const char *at, const char *end) { return at < end && (*at == 'j' || *at == 'J'); }

static bool parse_complex(const char *at, const char *end, Pair *out)
{
    *out = (Pair){0, 0};
    double first;
    const char *next = parse_part(at, end, &first);
    if (next == NULL)
        return false;
    if (is_unit(next, end)) {
        out->imag = first;
        return next + 1 == end;
    }
    out->real = first;
    if (next == end)
        return true;
    if (*next != '+' && *next != '-')
        return false;
    next = parse_part(next, end, &out->imag);
    return next != NULL && is_unit(next, end) && next + 1 == end;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static Value from_text(Value v, Pair *out)
{
    char buffer[TY_NUMBER_TEXT_SIZE];
    const char *text;
    size_t size;
    Value holder;
    if (ty_number_text_get(v, buffer, &text, &size, &holder) < 0)
        return TY_ERROR;
    if (text != NULL) {
        const char *end = text + size;
        if (size >= 2 && *text == '(' && end[-1] == ')') {
            for (text++, end--; text < end && is_space(*text); text++) {}
            while (end > text && is_space(end[-1]))
                end--;
        }
        if (parse_complex(text, end, out))
            return TY_NONE;
    }
    return ty_raise(&ty_ValueError, "complex() arg is a malformed string");
}

/* What v.__complex__() gives: 1; 0 if there is no such method; -1 after an exception. */
static int from_special(Value v, Pair *out)
{
    if (ty_is_exact(v, &ty_complex_type)) {
        *out = pair_of(v);
        return 1;
    }
    Value method = ty_lookup_special(v, TY_NAME("__complex__"));
    if (method == TY_NULL)
        return ty_raised() ? -1 : 0;
    Value result = ty_call_none(method);
    if (result == TY_NULL)
        return -1;
    if (!ty_is_complex(result)) {
        ty_raise(&ty_TypeError, "__complex__ returned non-complex (type %T)", result);
        return -1;
    }
    if (!ty_is_exact(result, &ty_complex_type) &&
        !ty_warn(&ty_DeprecationWarning, 1,
                 "__complex__ returned non-complex (type %T).  The ability to return an instance of a strict subclass of "
                 "complex is deprecated, and may be removed in a future version of Python.",
                 result))
        return -1;
    *out = pair_of(result);
    return 1;
}

static bool has_real_value(Value v) { return ty_type_of(v)->slots.to_float != NULL || ty_has_index(v); }

/* A number of any kind; TypeError with `message` (of the type's name) for anything else. */
static bool from_number(Value v, Pair *out, const char *message)
{
    int status = from_special(v, out);
    if (status != 0)
        return status > 0;
    if (!has_real_value(v)) {
        ty_raise(&ty_TypeError, message, v);
        return false;
    }
    out->imag = 0;
    return ty_to_double(v, &out->real);
}

bool ty_to_complex(Value v, double *real, double *imaginary)
{
    Pair p;
    if (!from_number(v, &p, "must be real number, not %T"))
        return false;
    *real = p.real;
    *imaginary = p.imag;
    return true;
}

static Value as_instance_of(TyType *type, Pair p)
{
    if (type == &ty_complex_type)
        return from_pair(p);
    Value instance = ty_type_allocate(type, 0);
    if (instance != TY_NULL) {
        TyComplex *c = (TyComplex *)ty_object(instance);
        c->real = p.real;
        c->imaginary = p.imag;
    }
    return instance;
}

/* An argument of the form with names: complex numbers are on their way out there. */
static bool from_part(Value v, const char *name, bool special, Pair *out)
{
    int status = 0;
    if (ty_is_complex(v)) {
        *out = pair_of(v);
        status = 1;
    } else if (special) {
        status = from_special(v, out);
    }
    if (status < 0)
        return false;
    if (status > 0)
        return ty_warn(&ty_DeprecationWarning, 1, "complex() argument '%s' must be a real number, not %T", name, v);
    if (!has_real_value(v)) {
        ty_raise(&ty_TypeError, "complex() argument '%s' must be a real number, not %T", name, v);
        return false;
    }
    out->imag = 0;
    return ty_to_double(v, &out->real);
}

static Value complex_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Pair real = {0, 0}, imaginary = {0, 0};
    if (count == 1 && keywords == TY_NULL) {
        Value v = arguments[0];
        if (type == &ty_complex_type && ty_is_exact(v, type))
            return v;
        if (ty_is_str(v))
            return from_text(v, &real) == TY_NULL ? TY_ERROR : as_instance_of(type, real);
        if (!from_number(v, &real, "complex() argument must be a string or a number, not %T"))
            return TY_ERROR;
        return as_instance_of(type, real);
    }
    static TySignature signature = TY_SIGNATURE("complex(real=0, imag=0)");
    Value flat[2];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, flat))
        return TY_ERROR;
    if (flat[0] != TY_NULL && !from_part(flat[0], "real", true, &real))
        return TY_ERROR;
    if (flat[1] != TY_NULL) {
        if (!from_part(flat[1], "imag", false, &imaginary))
            return TY_ERROR;
        /* real + imaginary × j, leaving alone parts that were not given */
        if (ty_is_complex(flat[1]))
            real.real -= imaginary.imag;
        real.imag = flat[0] != TY_NULL && ty_is_complex(flat[0]) ? real.imag + imaginary.real : imaginary.real;
    }
    return as_instance_of(type, real);
}

/* --- methods -------------------------------------------------------------------------------------------------------------------------- */

static Value complex_conjugate(Value self, Value *a)
{
    Pair p = pair_of(self);
    return ty_complex_new(p.real, -p.imag);
}

static Value complex_itself(Value self, Value *a) { return complex_positive(self); }
static Value complex_format(Value self, Value *a) { return ty_format_complex(self, a[0]); }

static Value complex_getnewargs(Value self, Value *a)
{
    Pair p = pair_of(self);
    return ty_tuple_pack(2, ty_from_double(p.real), ty_from_double(p.imag));
}

static Value complex_from_number(Value type, Value *a)
{
    if (type == ty_from_object(&ty_complex_type) && ty_is_exact(a[0], &ty_complex_type))
        return a[0];
    Pair p;
    if (!from_number(a[0], &p, "must be real number, not %T"))
        return TY_ERROR;
    Value number = from_pair(p);
    return number == TY_NULL || type == ty_from_object(&ty_complex_type) ? number : ty_call_one(type, number);
}

static const TyNativeDef complex_methods[] = {
    TY_METHOD("conjugate(self, /)", complex_conjugate, "The number with its imaginary part negated."),
    TY_CLASS_METHOD("from_number(type, number, /)", complex_from_number, "The complex number equal to a number; unlike complex(), reads no text."),
    TY_METHOD("__complex__(self, /)", complex_itself, "The number itself, as an exact complex."),
    TY_METHOD("__format__(self, format_spec, /)", complex_format, "The number as text, as the format specification says."),
    TY_METHOD("__getnewargs__(self, /)", complex_getnewargs, "What complex.__new__ makes an equal number of."),
    {0},
};

static const TyMemberDef complex_members[] = {
    {"real", TY_MEMBER_DOUBLE, false, offsetof(TyComplex, real), "the part along the real axis"},
    {"imag", TY_MEMBER_DOUBLE, false, offsetof(TyComplex, imaginary), "the part along the imaginary axis"},
    {0},
};

TyType ty_complex_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyComplex)},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "complex",
    .doc = "complex(real=0, imag=0)\n--\n\n"
           "The complex number that a string stands for, or that is real + imag*1j.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = complex_repr,
        .hash = complex_hash,
        .compare = complex_compare,
        .new = complex_new,
        .binary = {
            [TY_BINARY_ADD] = complex_add,
            [TY_BINARY_SUBTRACT] = complex_subtract,
            [TY_BINARY_MULTIPLY] = complex_multiply,
            [TY_BINARY_TRUE_DIVIDE] = complex_true_divide,
            [TY_BINARY_POWER] = complex_binary_power,
        },
        .power = complex_power,
        .negative = complex_negative,
        .positive = complex_positive,
        .absolute = complex_absolute,
        .to_bool = complex_to_bool,
    },
    .methods = complex_methods,
    .members = complex_members,
};
