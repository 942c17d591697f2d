#include "base/float_text.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/format.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <errno.h>
#include <math.h>

/* --- operands ---------------------------------------------------------------------------------------------------------- */

/* A float's value, or an int's converted: 1; 0 for anything else; -1 with OverflowError. */
static inline int operand(Value v, double *out)
{
    if (TY_LIKELY(ty_is_double(v))) {
        *out = ty_double(v);
        return 1;
    }
    if (ty_is_immediate_int(v)) {
        *out = (double)ty_immediate_int(v);
        return 1;
    }
    if (ty_is_float(v)) {
        *out = ty_float_value(v);
        return 1;
    }
    if (!ty_is_int(v))
        return 0;
    *out = ty_int_to_double(v);
    return *out == -1.0 && ty_raised() ? -1 : 1;
}

#define OPERANDS(left, right, a, b)                                        \
    double a, b;                                                           \
    do {                                                                   \
        int left_status = operand(left, &a);                               \
        int right_status = left_status == 1 ? operand(right, &b) : 0;      \
        if (TY_UNLIKELY(left_status != 1 || right_status != 1))            \
            return left_status < 0 || right_status < 0 ? TY_ERROR : TY_NOT_IMPLEMENTED; \
    } while (0)

static Value division_by_zero(void) { return ty_raise(&ty_ZeroDivisionError, "division by zero"); }

/* --- arithmetic ---------------------------------------------------------------------------------------------------------- */

static Value float_add(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return ty_from_double(a + b);
}

static Value float_subtract(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return ty_from_double(a - b);
}

static Value float_multiply(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return ty_from_double(a * b);
}

static Value float_true_divide(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return b == 0 ? division_by_zero() : ty_from_double(a / b);
}

double ty_double_remainder(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

static double floor_divide(double a, double b, double *remainder)
{
    double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest == 0) {
        rest = copysign(0.0, b);
    } else if ((rest < 0) != (b < 0)) {
        rest += b;
        quotient -= 1;
    }
    *remainder = rest;
    if (quotient == 0)
        return copysign(0.0, a / b);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static Value float_remainder(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return b == 0 ? division_by_zero() : ty_from_double(ty_double_remainder(a, b));
}

static Value float_floor_divide(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    double rest;
    return b == 0 ? division_by_zero() : ty_from_double(floor_divide(a, b, &rest));
}

static Value float_divmod(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    if (b == 0)
        return division_by_zero();
    double rest, quotient = floor_divide(a, b, &rest);
    return ty_tuple_pack(2, ty_from_double(quotient), ty_from_double(rest));
}

Value ty_double_power(double a, double b)
{
    if (a == 0 && b < 0 && !isinf(b))
        return ty_raise(&ty_ZeroDivisionError, "zero to a negative power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return ty_complex_power(a, 0, b, 0);
    double result = pow(a, b);
    if (TY_UNLIKELY(isinf(result)) && isfinite(a) && isfinite(b))
        return ty_raise_value(&ty_OverflowError,
                              ty_tuple_pack(2, ty_from_immediate_int(ERANGE), ty_str_from_text("Numerical result out of range")));
    return ty_from_double(result);
}

static Value float_binary_power(Value left, Value right)
{
    OPERANDS(left, right, a, b);
    return ty_double_power(a, b);
}

static Value float_power(Value base, Value exponent, Value modulus)
{
    if (modulus != TY_NONE)
        return ty_raise(&ty_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
    return float_binary_power(base, exponent);
}

static Value float_negative(Value v) { return ty_from_double(-ty_float_value(v)); }
static Value float_positive(Value v) { return ty_from_double(ty_float_value(v)); }
static Value float_absolute(Value v) { return ty_from_double(fabs(ty_float_value(v))); }
static Value float_to_int(Value v) { return ty_int_from_double(ty_float_value(v)); }
static int float_to_bool(Value v) { return ty_float_value(v) != 0; }

/* --- comparing and hashing --------------------------------------------------------------------------------------------------- */

static inline Value compare_doubles(double a, double b, int op)
{
    switch (op) {
    case TY_LT: return ty_from_bool(a < b);
    case TY_LE: return ty_from_bool(a <= b);
    case TY_EQ: return ty_from_bool(a == b);
    case TY_NE: return ty_from_bool(a != b);
    case TY_GT: return ty_from_bool(a > b);
    default: return ty_from_bool(a >= b);
    }
}

/* With an int the comparison is of the exact values, whatever their size. */
static Value float_compare(Value left, Value right, int op)
{
    double a = ty_float_value(left);
    if (ty_is_float(right))
        return compare_doubles(a, ty_float_value(right), op);
    if (ty_is_immediate_int(right))
        return compare_doubles(a, (double)ty_immediate_int(right), op);
    if (!ty_is_int(right))
        return TY_NOT_IMPLEMENTED;
    if (isnan(a))
        return ty_from_bool(op == TY_NE);
    mp_limb_t limb;
    return compare_doubles(0, ty_big_compare_double(ty_int_big(right, &limb), a), op);
}

int64_t ty_double_hash(double d, Value identity_for_nan)
{
    if (!isfinite(d)) {
        if (isnan(d))
            return ty_hash_identity(identity_for_nan);
        return d > 0 ? 314159 : -314159;
    }
    const uint64_t modulus = (UINT64_C(1) << 61) - 1;
    int exponent;
    double fraction = frexp(fabs(d), &exponent);
    uint64_t residue = (uint64_t)ldexp(fraction, 53); /* below the modulus */
    exponent = (exponent - 53) % 61;
    if (exponent < 0)
        exponent += 61;
    if (exponent != 0)
        residue = ((residue << exponent) & modulus) | residue >> (61 - exponent);
    int64_t hash = d < 0 ? -(int64_t)residue : (int64_t)residue;
    return hash == -1 ? -2 : hash;
}

static int64_t float_hash(Value v) { return ty_double_hash(ty_float_value(v), v); }

/* --- text ------------------------------------------------------------------------------------------------------------------------ */

Value ty_float_repr(Value v)
{
    char text[TY_DOUBLE_TEXT_SIZE];
    return ty_str_from_latin1(text, ty_double_repr(ty_float_value(v), text));
}

static bool parse_plain(const char *text, size_t size, double *value)
{
    return size > 0 && ty_double_parse(text, text + size, value) == text + size;
}

Value ty_float_from_text(const char *text, size_t size)
{
    char small[TY_NUMBER_TEXT_SIZE];
    char *plain = small;
    size_t plain_size;
    double value;
    if (size > sizeof small) {
        Value holder = ty_bytes_new(NULL, size);
        if (holder == TY_NULL)
            return TY_ERROR;
        plain = (char *)ty_as_bytes(holder)->data;
    }
    if (ty_number_text_plain(text, size, plain, &plain_size) && parse_plain(plain, plain_size, &value))
        return ty_from_double(value);
    Value shown = ty_str_from_latin1(text, size);
    return shown == TY_NULL ? TY_ERROR : ty_raise(&ty_ValueError, "could not convert string to float: %R", shown);
}

static Value checked_float(Value result, Value v)
{
    if (result == TY_NULL || ty_is_double(result))
        return result;
    if (!ty_is_float(result))
        return ty_raise(&ty_TypeError, "%T.__float__ returned non-float (type %T)", v, result);
    if (!ty_warn(&ty_DeprecationWarning, 1,
                 "%T.__float__ returned non-float (type %T).  The ability to return an instance of a strict subclass of "
                 "float is deprecated, and may be removed in a future version of Python.",
                 v, result))
        return TY_ERROR;
    return ty_from_double(ty_float_value(result));
}

Value ty_number_float(Value v)
{
    if (ty_is_double(v))
        return v;
    TyType *type = ty_type_of(v);
    if (type->slots.to_float != NULL)
        return checked_float(type->slots.to_float(v), v);
    if (ty_has_index(v)) {
        Value index = ty_number_index(v);
        if (index == TY_NULL)
            return TY_ERROR;
        double value = ty_int_to_double(index);
        return value == -1.0 && ty_raised() ? TY_ERROR : ty_from_double(value);
    }
    char buffer[TY_NUMBER_TEXT_SIZE];
    const char *text;
    size_t size;
    double value;
    Value holder;
    int status = ty_number_text_get(v, buffer, &text, &size, &holder);
    if (status < 0)
        return TY_ERROR;
    if (status == 0)
        return ty_raise(&ty_TypeError, "float() argument must be a string or a real number, not '%T'", v);
    if (text != NULL && parse_plain(text, size, &value))
        return ty_from_double(value);
    return ty_raise(&ty_ValueError, "could not convert string to float: %R", v);
}

static Value as_instance_of(TyType *type, Value number)
{
    if (type == &ty_float_type || number == TY_NULL)
        return number;
    Value instance = ty_type_allocate(type, 0);
    if (instance != TY_NULL)
        ((TyFloat *)ty_object(instance))->value = ty_double(number);
    return instance;
}

static Value float_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    bool own_init = type->slots.init != ty_float_type.slots.init; /* then the keywords are for that */
    if ((keywords != TY_NULL && !own_init && !ty_no_keywords("float", keywords)) || !ty_check_positional("float", count, 0, 1))
        return TY_ERROR;
    return as_instance_of(type, count == 0 ? ty_from_double(0) : ty_number_float(arguments[0]));
}

/* --- methods ----------------------------------------------------------------------------------------------------------------------- */

static Value of_type(Value type, double value)
{
    Value number = ty_from_double(value);
    return type == ty_from_object(&ty_float_type) ? number : ty_call_one(type, number);
}

static Value float_from_number(Value type, Value *a)
{
    double value;
    return ty_to_double(a[0], &value) ? of_type(type, value) : TY_ERROR;
}

static Value float_fromhex(Value type, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "bad argument type for built-in operation");
    Value holder;
    size_t size;
    const char *text = ty_str_utf8(a[0], &size, &holder);
    if (text == NULL)
        return TY_ERROR;
    const char *end = text + size;
    while (text < end && (*text == ' ' || (*text >= '\t' && *text <= '\r')))
        text++;
    while (end > text && (end[-1] == ' ' || (end[-1] >= '\t' && end[-1] <= '\r')))
        end--;
    double value;
    switch (ty_double_parse_hex(text, end, &value)) {
    case TY_HEX_OK: return of_type(type, value);
    case TY_HEX_OVERFLOW: return ty_raise(&ty_OverflowError, "hexadecimal value too large to represent as a float");
    default: return ty_raise(&ty_ValueError, "invalid hexadecimal floating-point string");
    }
}

static Value float_hex(Value self, Value *a)
{
    char text[TY_DOUBLE_TEXT_SIZE];
    return ty_str_from_latin1(text, ty_double_hex(ty_float_value(self), text));
}

static Value float_as_integer_ratio(Value self, Value *a)
{
    double value = ty_float_value(self);
    if (isinf(value))
        return ty_raise(&ty_OverflowError, "cannot convert Infinity to integer ratio");
    if (isnan(value))
        return ty_raise(&ty_ValueError, "cannot convert NaN to integer ratio");
    int exponent;
    int64_t significand = (int64_t)ldexp(frexp(value, &exponent), 53);
    if (significand == 0)
        return ty_tuple_pack(2, ty_from_immediate_int(0), ty_from_immediate_int(1));
    exponent -= 53;
    int zeros = __builtin_ctzll((uint64_t)significand);
    significand /= (int64_t)1 << zeros;
    exponent += zeros;
    Value numerator = ty_int_from_int64(significand), denominator = ty_from_immediate_int(1);
    if (numerator == TY_NULL)
        return TY_ERROR;
    if (exponent > 0)
        numerator = ty_int_left_shift(numerator, ty_from_immediate_int(exponent));
    else
        denominator = ty_int_left_shift(denominator, ty_from_immediate_int(-exponent));
    return ty_tuple_pack(2, numerator, denominator);
}

static Value float_is_integer(Value self, Value *a)
{
    double value = ty_float_value(self);
    return ty_from_bool(isfinite(value) && value == floor(value));
}

static Value float_itself(Value self, Value *a) { return ty_from_double(ty_float_value(self)); }
static Value float_trunc(Value self, Value *a) { return ty_int_from_double(ty_float_value(self)); }
static Value float_floor(Value self, Value *a) { return ty_int_from_double(floor(ty_float_value(self))); }
static Value float_ceil(Value self, Value *a) { return ty_int_from_double(ceil(ty_float_value(self))); }

static Value float_round(Value self, Value *a)
{
    double value = ty_float_value(self);
    if (a[0] == TY_NULL || a[0] == TY_NONE)
        return ty_int_from_double(rint(value));
    int64_t places;
    Value index = ty_number_index(a[0]);
    if (index == TY_NULL)
        return TY_ERROR;
    int too_large = ty_int_get_int64(index, &places);
    if (too_large != 0)
        places = too_large * 2000;
    if (!isfinite(value))
        return ty_from_double(value);
    double result = ty_double_round(value, (int)TY_MAX(TY_MIN(places, 2000), -2000));
    if (isinf(result))
        return ty_raise(&ty_OverflowError, "rounded value too large to represent");
    return ty_from_double(result);
}

static Value float_format(Value self, Value *a) { return ty_format_float(self, a[0]); }
static Value float_getnewargs(Value self, Value *a) { return ty_tuple_pack(1, ty_from_double(ty_float_value(self))); }

static Value float_getformat(Value type, Value *a)
{
    if (!ty_require_str(a[0], "__getformat__", "argument"))
        return TY_ERROR;
    if (!ty_str_equal_text(a[0], "double") && !ty_str_equal_text(a[0], "float"))
        return ty_raise(&ty_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
    return ty_str_from_text(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "IEEE, little-endian" : "IEEE, big-endian");
}

static Value float_get_real(Value self) { return ty_from_double(ty_float_value(self)); }
static Value float_get_imag(Value self) { return ty_from_double(0); }

/* --- the type ------------------------------------------------------------------------------------------------------------------------ */

static const TyNativeDef float_methods[] = {
    TY_METHOD("as_integer_ratio(self, /)", float_as_integer_ratio,
              "The pair of ints in lowest terms, the second positive, whose ratio is exactly the float."),
    TY_METHOD("conjugate(self, /)", float_itself, "The float itself: it has no imaginary part."),
    TY_CLASS_METHOD("fromhex(type, string, /)", float_fromhex, "The float that a hexadecimal string stands for."),
    TY_CLASS_METHOD("from_number(type, number, /)", float_from_number, "The float nearest to a number; unlike float(), reads no text."),
    TY_METHOD("hex(self, /)", float_hex, "The float exactly, as a hexadecimal string."),
    TY_METHOD("is_integer(self, /)", float_is_integer, "Whether the float is a whole number."),
    TY_METHOD("__ceil__(self, /)", float_ceil, "The least int that is not below the float."),
    TY_METHOD("__floor__(self, /)", float_floor, "The greatest int that is not above the float."),
    TY_METHOD("__trunc__(self, /)", float_trunc, "The int between zero and the float that is nearest to it."),
    TY_METHOD("__round__(self, ndigits=None, /)", float_round,
              "The float rounded to ndigits decimal places, or the nearest int without them; ties to even."),
    TY_METHOD("__format__(self, format_spec, /)", float_format, "The float as text, as the format specification says."),
    TY_METHOD("__getnewargs__(self, /)", float_getnewargs, "What float.__new__ makes an equal float of."),
    TY_CLASS_METHOD("__getformat__(type, typestr, /)", float_getformat, "How the machine keeps C's 'double' or 'float'."),
    {0},
};

static const TyGetSetDef float_getsets[] = {
    {"real", float_get_real, NULL, "the number without its imaginary part"},
    {"imag", float_get_imag, NULL, "the part along the imaginary axis"},
    {0},
};

TyType ty_float_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyFloat)},
    .flags = TY_TYPE_FLOAT | TY_TYPE_IMMUTABLE | TY_TYPE_MATCH_SELF,
    .name = "float",
    .doc = "float(x=0, /)\n--\n\nThe floating-point number that x, a number or a string, stands for.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = ty_float_repr,
        .hash = float_hash,
        .compare = float_compare,
        .new = float_new,
        .binary = {
            [TY_BINARY_ADD] = float_add,
            [TY_BINARY_SUBTRACT] = float_subtract,
            [TY_BINARY_MULTIPLY] = float_multiply,
            [TY_BINARY_TRUE_DIVIDE] = float_true_divide,
            [TY_BINARY_FLOOR_DIVIDE] = float_floor_divide,
            [TY_BINARY_REMAINDER] = float_remainder,
            [TY_BINARY_POWER] = float_binary_power,
            [TY_BINARY_DIVMOD] = float_divmod,
        },
        .power = float_power,
        .negative = float_negative,
        .positive = float_positive,
        .absolute = float_absolute,
        .to_int = float_to_int,
        .to_float = float_positive,
        .to_bool = float_to_bool,
    },
    .methods = float_methods,
    .getsets = float_getsets,
};
