#include "object/int.h"

#include "base/unicode.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/format.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <math.h>
#include <stdlib.h>

/* Operations on operands with this many limbs together let the collector go on meanwhile. */
enum { LONG_WORK_LIMBS = 4096 };

/* --- making ---------------------------------------------------------------------------------------------------------- */

static TyInt *new_int(int64_t limbs)
{
    if (TY_UNLIKELY(limbs > TY_BIG_MAX_LIMBS)) {
        ty_raise_memory_error();
        return NULL;
    }
    TyInt *i = ty_allocate_dirty(&ty_int_type, sizeof(TyInt) + (size_t)limbs * sizeof(mp_limb_t));
    if (TY_LIKELY(i != NULL))
        i->size = 0;
    return i;
}

static Value small_or_null(const mp_limb_t *limbs, int64_t size)
{
    if (size == 0)
        return ty_from_immediate_int(0);
    if (size == 1 && limbs[0] <= (uint64_t)TY_INT_IMMEDIATE_MAX)
        return ty_from_immediate_int((int64_t)limbs[0]);
    if (size == -1 && limbs[0] <= (uint64_t)TY_INT_IMMEDIATE_MAX + 1)
        return ty_from_immediate_int(-(int64_t)limbs[0]);
    return TY_NULL;
}

/* The value of a fresh int whose first limbs have been computed; `room` is what it was made with. */
static Value finish(TyInt *i, int64_t size, int64_t room)
{
    Value small = small_or_null(i->limbs, size);
    if (small != TY_NULL)
        return small;
    int64_t length = size < 0 ? -size : size;
    if (TY_UNLIKELY(room > 16 && length < room / 2))
        return ty_int_from_limbs(i->limbs, size);
    i->size = size;
    return ty_from_object(i);
}

Value ty_int_from_limbs(const mp_limb_t *limbs, int64_t size)
{
    int64_t length = size < 0 ? -size : size;
    while (length > 0 && limbs[length - 1] == 0)
        length--;
    size = size < 0 ? -length : length;
    Value small = small_or_null(limbs, size);
    if (small != TY_NULL)
        return small;
    TyInt *i = new_int(length);
    if (i == NULL)
        return TY_ERROR;
    memcpy(i->limbs, limbs, (size_t)length * sizeof *limbs);
    i->size = size;
    return ty_from_object(i);
}

Value ty_int_from_int64_slow(int64_t number)
{
    TyInt *i = new_int(1);
    if (i == NULL)
        return TY_ERROR;
    i->limbs[0] = number < 0 ? -(uint64_t)number : (uint64_t)number;
    i->size = number < 0 ? -1 : 1;
    return ty_from_object(i);
}

Value ty_int_from_uint64(uint64_t number)
{
    if (number <= (uint64_t)TY_INT_IMMEDIATE_MAX)
        return ty_from_immediate_int((int64_t)number);
    TyInt *i = new_int(1);
    if (i == NULL)
        return TY_ERROR;
    i->limbs[0] = number;
    i->size = 1;
    return ty_from_object(i);
}

static Value from_int128(__int128 number)
{
    if (number == (int64_t)number)
        return ty_int_from_int64((int64_t)number);
    unsigned __int128 magnitude = number < 0 ? -(unsigned __int128)number : (unsigned __int128)number;
    mp_limb_t limbs[2] = {(mp_limb_t)magnitude, (mp_limb_t)(magnitude >> 64)};
    return ty_int_from_limbs(limbs, number < 0 ? -2 : 2);
}

Value ty_int_from_double(double d)
{
    if (fabs(d) < 9e18)
        return ty_int_from_int64((int64_t)d);
    if (isinf(d))
        return ty_raise(&ty_OverflowError, "cannot convert float infinity to integer");
    if (isnan(d))
        return ty_raise(&ty_ValueError, "cannot convert float NaN to integer");
    mp_limb_t limbs[TY_BIG_DOUBLE_LIMBS];
    return ty_int_from_limbs(limbs, ty_big_from_double(limbs, d));
}

Value ty_int_exact(Value v)
{
    if (ty_is_exact_int(v))
        return v;
    mp_limb_t limb;
    return ty_int_from_big(ty_int_big(v, &limb));
}

/* What was computed into an mpz, which is cleared. */
static Value take_result(TyBigStatus status, mpz_t result)
{
    Value value = TY_ERROR;
    switch (status) {
    case TY_BIG_OK:
        value = ty_int_from_big(ty_big_of(result));
        break;
    case TY_BIG_TOO_LARGE:
        ty_raise_memory_error();
        break;
    case TY_BIG_DIVIDES_ZERO:
        ty_raise(&ty_ValueError, "pow() 3rd argument cannot be 0");
        break;
    case TY_BIG_NO_INVERSE:
        ty_raise(&ty_ValueError, "base is not invertible for the given modulus");
        break;
    case TY_BIG_NEGATIVE:
        ty_raise(&ty_ValueError, "a negative number has no such root");
        break;
    }
    mpz_clear(result);
    return value;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

int ty_int_get_int64(Value v, int64_t *out)
{
    if (TY_LIKELY(ty_is_immediate_int(v))) {
        *out = ty_immediate_int(v);
        return 0;
    }
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    if (ty_big_fits_int64(big, out))
        return 0;
    return big.size < 0 ? -1 : 1;
}

double ty_int_to_double(Value v)
{
    if (ty_is_immediate_int(v))
        return (double)ty_immediate_int(v);
    mp_limb_t limb;
    double result;
    if (!ty_big_to_double(ty_int_big(v, &limb), &result)) {
        ty_raise(&ty_OverflowError, "int too large to convert to float");
        return -1.0;
    }
    return result;
}

int ty_int_sign(Value v)
{
    mp_limb_t limb;
    int64_t size = ty_int_big(v, &limb).size;
    return size < 0 ? -1 : size > 0;
}

bool ty_int_is_zero(Value v) { return ty_int_sign(v) == 0; }

int64_t ty_int_bit_length(Value v)
{
    mp_limb_t limb;
    return (int64_t)ty_big_bit_length(ty_int_big(v, &limb));
}

int64_t ty_int_hash(Value v)
{
    int64_t hash;
    if (TY_LIKELY(ty_is_immediate_int(v))) {
        hash = ty_immediate_int(v);
    } else {
        mp_limb_t limb;
        hash = ty_big_hash_residue(ty_int_big(v, &limb));
    }
    return hash == -1 ? -2 : hash;
}

int ty_int_compare(Value a, Value b)
{
    if (ty_are_immediate_ints(a, b)) {
        int64_t x = ty_immediate_int(a), y = ty_immediate_int(b);
        return x < y ? -1 : x > y;
    }
    mp_limb_t a_limb, b_limb;
    return ty_big_compare(ty_int_big(a, &a_limb), ty_int_big(b, &b_limb));
}

/* --- arithmetic -------------------------------------------------------------------------------------------------------- */

/* Brackets for work that may be long: the operands' limbs are never written, so the collector need not wait. */
static inline bool begin_work(int64_t limbs)
{
    if (TY_LIKELY(limbs < LONG_WORK_LIMBS))
        return false;
    ty_blocking_begin();
    return true;
}

static inline void end_work(bool began)
{
    if (TY_UNLIKELY(began))
        ty_blocking_end();
}

Value ty_int_add(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b)))
        return ty_int_from_int64(ty_immediate_int(a) + ty_immediate_int(b));
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    int64_t room = TY_MAX(ty_big_length(x), ty_big_length(y)) + 1;
    TyInt *result = new_int(room);
    return result == NULL ? TY_ERROR : finish(result, ty_big_add(result->limbs, x, y), room);
}

Value ty_int_subtract(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b)))
        return ty_int_from_int64(ty_immediate_int(a) - ty_immediate_int(b));
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    int64_t room = TY_MAX(ty_big_length(x), ty_big_length(y)) + 1;
    TyInt *result = new_int(room);
    return result == NULL ? TY_ERROR : finish(result, ty_big_sub(result->limbs, x, y), room);
}

Value ty_int_multiply(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b)))
        return from_int128((__int128)ty_immediate_int(a) * ty_immediate_int(b));
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    if (x.size == 0 || y.size == 0)
        return ty_from_immediate_int(0);
    int64_t room = ty_big_length(x) + ty_big_length(y);
    TyInt *result = new_int(room);
    if (result == NULL)
        return TY_ERROR;
    bool work = begin_work(room);
    int64_t size = ty_big_mul(result->limbs, x, y);
    end_work(work);
    return finish(result, size, room);
}

static inline int64_t small_floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return quotient - ((a % b != 0) & ((a < 0) != (b < 0)));
}

static inline int64_t small_remainder(int64_t a, int64_t b)
{
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static Value division_by_zero(void) { return ty_raise(&ty_ZeroDivisionError, "division by zero"); }

/* Either result may be left out. */
static bool divide(Value a, Value b, Value *quotient, Value *remainder)
{
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    if (y.size == 0) {
        division_by_zero();
        return false;
    }
    int64_t x_length = ty_big_length(x), y_length = ty_big_length(y);
    int64_t quotient_room = TY_MAX(0, x_length - y_length) + 2;
    TyInt *q = new_int(quotient_room);
    if (q == NULL)
        return false;
    TyInt *r = new_int(y_length);
    if (r == NULL)
        return false;
    bool work = begin_work(x_length);
    mp_size_t rest_size;
    int64_t size = ty_big_floor_divide(q->limbs, r->limbs, &rest_size, x, y);
    end_work(work);
    if (quotient != NULL && (*quotient = finish(q, size, quotient_room)) == TY_NULL)
        return false;
    return remainder == NULL || (*remainder = finish(r, rest_size, y_length)) != TY_NULL;
}

Value ty_int_floor_divide(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b))) {
        int64_t divisor = ty_immediate_int(b);
        return divisor == 0 ? division_by_zero() : ty_int_from_int64(small_floor_divide(ty_immediate_int(a), divisor));
    }
    Value quotient;
    return divide(a, b, &quotient, NULL) ? quotient : TY_ERROR;
}

Value ty_int_remainder(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b))) {
        int64_t divisor = ty_immediate_int(b);
        return divisor == 0 ? division_by_zero() : ty_from_immediate_int(small_remainder(ty_immediate_int(a), divisor));
    }
    Value rest;
    return divide(a, b, NULL, &rest) ? rest : TY_ERROR;
}

bool ty_int_divmod(Value a, Value b, Value *quotient, Value *remainder)
{
    if (ty_are_immediate_ints(a, b) && ty_immediate_int(b) != 0) {
        int64_t x = ty_immediate_int(a), y = ty_immediate_int(b);
        *quotient = ty_int_from_int64(small_floor_divide(x, y));
        *remainder = ty_from_immediate_int(small_remainder(x, y));
        return *quotient != TY_NULL;
    }
    return divide(a, b, quotient, remainder);
}

Value ty_int_true_divide(Value a, Value b)
{
    if (TY_LIKELY(ty_are_immediate_ints(a, b))) {
        int64_t divisor = ty_immediate_int(b);
        return divisor == 0 ? division_by_zero() : ty_from_double((double)ty_immediate_int(a) / (double)divisor);
    }
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    if (y.size == 0)
        return division_by_zero();
    double result;
    bool overflow;
    if (ty_big_true_divide(x, y, &result, &overflow) != TY_BIG_OK)
        return ty_raise_memory_error();
    if (overflow)
        return ty_raise(&ty_OverflowError, "integer division result too large for a float");
    return ty_from_double(result);
}

/* Powers of small ints while they fit 64 bits. */
static bool small_power(int64_t base, int64_t exponent, int64_t *result)
{
    int64_t product = 1;
    while (exponent > 0) {
        if ((exponent & 1) && __builtin_mul_overflow(product, base, &product))
            return false;
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
            return false;
    }
    *result = product;
    return true;
}

static int64_t small_powmod(int64_t base, int64_t exponent, int64_t modulus)
{
    uint64_t size = (uint64_t)(modulus < 0 ? -modulus : modulus);
    uint64_t power = (uint64_t)small_remainder(base, (int64_t)size), result = 1 % size;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = (uint64_t)((unsigned __int128)result * power % size);
        power = (uint64_t)((unsigned __int128)power * power % size);
    }
    return modulus < 0 && result != 0 ? (int64_t)result + modulus : (int64_t)result;
}

Value ty_int_power(Value a, Value b, Value modulus)
{
    mp_limb_t a_limb, b_limb, m_limb;
    if (modulus == TY_NONE) {
        int64_t result;
        if (ty_are_immediate_ints(a, b) && ty_immediate_int(b) >= 0 &&
            small_power(ty_immediate_int(a), ty_immediate_int(b), &result))
            return ty_int_from_int64(result);
        if (ty_int_sign(b) < 0) {
            double x = ty_int_to_double(a);
            if (x == -1.0 && ty_raised())
                return TY_ERROR;
            double y = ty_int_to_double(b);
            if (y == -1.0 && ty_raised())
                return TY_ERROR;
            return ty_double_power(x, y);
        }
        TyBig base = ty_int_big(a, &a_limb), exponent = ty_int_big(b, &b_limb);
        mpz_t power;
        mpz_init(power);
        bool work = exponent.size != 0 && begin_work(ty_big_length(base) * (int64_t)TY_MIN(exponent.limbs[0], 1u << 20));
        TyBigStatus status = ty_big_pow(power, base, exponent);
        end_work(work);
        return take_result(status, power);
    }
    if (ty_are_immediate_ints(a, b) && ty_is_immediate_int(modulus) && ty_immediate_int(b) >= 0 &&
        ty_immediate_int(modulus) != 0)
        return ty_from_immediate_int(
            small_powmod(ty_immediate_int(a), ty_immediate_int(b), ty_immediate_int(modulus)));
    TyBig base = ty_int_big(a, &a_limb), exponent = ty_int_big(b, &b_limb), m = ty_int_big(modulus, &m_limb);
    mpz_t power;
    mpz_init(power);
    bool work = begin_work(ty_big_length(m) * ty_big_length(exponent) * 64);
    TyBigStatus status = ty_big_powmod(power, base, exponent, m);
    end_work(work);
    return take_result(status, power);
}

Value ty_int_left_shift(Value a, Value b)
{
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    if (y.size < 0)
        return ty_raise(&ty_ValueError, "negative shift count");
    if (x.size == 0)
        return ty_from_immediate_int(0);
    if (y.size > 1 || (y.size == 1 && y.limbs[0] > (uint64_t)INT64_MAX))
        return ty_raise(&ty_OverflowError, "too many digits in integer");
    uint64_t count = y.size == 0 ? 0 : y.limbs[0];
    if (count < 16 && ty_is_immediate_int(a))
        return ty_int_from_int64(ty_immediate_int(a) * ((int64_t)1 << count));
    if (count > TY_BIG_MAX_BITS)
        return ty_raise_memory_error();
    int64_t room = ty_big_length(x) + (int64_t)(count / 64) + 1;
    TyInt *result = new_int(room);
    return result == NULL ? TY_ERROR : finish(result, ty_big_shift_left(result->limbs, x, count), room);
}

Value ty_int_right_shift(Value a, Value b)
{
    mp_limb_t a_limb, b_limb;
    if (TY_LIKELY(ty_are_immediate_ints(a, b))) {
        int64_t count = ty_immediate_int(b);
        if (count < 0)
            return ty_raise(&ty_ValueError, "negative shift count");
        return ty_from_immediate_int(ty_immediate_int(a) >> TY_MIN(count, 63));
    }
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    if (y.size < 0)
        return ty_raise(&ty_ValueError, "negative shift count");
    uint64_t count = y.size == 0 ? 0 : y.size == 1 ? y.limbs[0] : UINT64_MAX;
    int64_t room = TY_MAX(1, ty_big_length(x) - (int64_t)TY_MIN(count / 64, (uint64_t)ty_big_length(x)) + 1);
    TyInt *result = new_int(room);
    return result == NULL ? TY_ERROR : finish(result, ty_big_shift_right(result->limbs, x, count), room);
}

#define DEFINE_BITWISE(name, operator)                                                                            \
    Value ty_int_##name(Value a, Value b)                                                                         \
    {                                                                                                             \
        if (TY_LIKELY(ty_are_immediate_ints(a, b)))                                                               \
            return ty_from_immediate_int(ty_immediate_int(a) operator ty_immediate_int(b));                       \
        mp_limb_t a_limb, b_limb;                                                                                 \
        TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);                                             \
        int64_t room = TY_MAX(ty_big_length(x), ty_big_length(y)) + 1;                                            \
        TyInt *result = new_int(room);                                                                            \
        return result == NULL ? TY_ERROR : finish(result, ty_big_##name(result->limbs, x, y), room);              \
    }
DEFINE_BITWISE(and, &)
DEFINE_BITWISE(or, |)
DEFINE_BITWISE(xor, ^)

Value ty_int_negative(Value a)
{
    if (TY_LIKELY(ty_is_immediate_int(a)))
        return ty_int_from_int64(-ty_immediate_int(a));
    mp_limb_t limb;
    TyBig big = ty_int_big(a, &limb);
    return ty_int_from_limbs(big.limbs, -big.size);
}

Value ty_int_invert(Value a)
{
    if (TY_LIKELY(ty_is_immediate_int(a)))
        return ty_from_immediate_int(~ty_immediate_int(a));
    return ty_int_subtract(ty_from_immediate_int(-1), a);
}

static Value int_absolute(Value a)
{
    return ty_int_sign(a) < 0 ? ty_int_negative(a) : ty_int_exact(a);
}

Value ty_int_gcd(Value a, Value b)
{
    if (ty_are_immediate_ints(a, b)) {
        uint64_t x = (uint64_t)llabs(ty_immediate_int(a)), y = (uint64_t)llabs(ty_immediate_int(b));
        while (y != 0) {
            uint64_t rest = x % y;
            x = y;
            y = rest;
        }
        return ty_int_from_uint64(x);
    }
    mp_limb_t a_limb, b_limb;
    TyBig x = ty_int_big(a, &a_limb), y = ty_int_big(b, &b_limb);
    mpz_t result;
    mpz_init(result);
    bool work = begin_work(ty_big_length(x) + ty_big_length(y));
    ty_big_gcd(result, x, y);
    end_work(work);
    return take_result(TY_BIG_OK, result);
}

/* --- to text ------------------------------------------------------------------------------------------------------------ */

int ty_int_text_limit(void) { return ty_load_relaxed(&ty_interpreter()->int_max_str_digits); }
void ty_int_set_text_limit(int digits) { ty_store_relaxed(&ty_interpreter()->int_max_str_digits, digits); }

static Value text_limit_error(void)
{
    return ty_raise(&ty_ValueError,
                    "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to "
                    "increase the limit",
                    ty_int_text_limit());
}

static Value small_to_text(int64_t number, int base, bool prefix) /* a power of two or ten */
{
    char text[72];
    char *at = text + sizeof text;
    uint64_t rest = number < 0 ? (uint64_t)-number : (uint64_t)number;
    if (base == 10)
        do
            *--at = (char)('0' + rest % 10);
        while ((rest /= 10) != 0);
    else
        do
            *--at = "0123456789abcdef"[rest & ((unsigned)base - 1)];
        while ((rest >>= base == 16 ? 4 : base == 8 ? 3 : 1) != 0);
    if (prefix && base != 10) {
        *--at = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
        *--at = '0';
    }
    if (number < 0)
        *--at = '-';
    return ty_str_from_latin1(at, (size_t)(text + sizeof text - at));
}

Value ty_int_to_text(Value v, int base, bool prefix)
{
    if (ty_is_immediate_int(v) && (base == 10 || base == 16 || base == 8 || base == 2))
        return small_to_text(ty_immediate_int(v), base, prefix);
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    int limit = base == 10 ? ty_int_text_limit() : 0;
    uint64_t bits = ty_big_bit_length(big);
    /* 3.33 bits a digit, rounded up: certainly over the limit, however long it would take to say so exactly. */
    if (limit > 0 && (double)bits > (limit + 1) * 3.3220)
        return text_limit_error();
    size_t bound = ty_big_text_bound(big, base) + 2;
    char small[512];
    char *text = small;
    if (bound > sizeof small) {
        Value holder = ty_bytes_new(NULL, bound);
        if (holder == TY_NULL)
            return TY_ERROR;
        text = (char *)ty_as_bytes(holder)->data;
    }
    bool work = begin_work(ty_big_length(big) * 4);
    size_t size = ty_big_to_text(big, base, text);
    end_work(work);
    if (size == 0)
        return ty_raise_memory_error();
    if (limit > 0 && size - (big.size < 0) > (size_t)limit)
        return text_limit_error();
    if (prefix && base != 10) {
        size_t sign = big.size < 0;
        memmove(text + sign + 2, text + sign, size - sign);
        text[sign] = '0';
        text[sign + 1] = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
        size += 2;
    }
    return ty_str_from_latin1(text, size);
}

static Value int_repr(Value v)
{
    if (ty_is_immediate_int(v)) {
        char text[24];
        char *at = text + sizeof text;
        int64_t number = ty_immediate_int(v);
        uint64_t rest = (uint64_t)(number < 0 ? -number : number);
        do {
            *--at = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (number < 0)
            *--at = '-';
        return ty_str_from_latin1(at, (size_t)(text + sizeof text - at));
    }
    return ty_int_to_text(v, 10, false);
}

/* --- from text ---------------------------------------------------------------------------------------------------------- */

static inline int digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

static inline bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

typedef enum TextStatus { TEXT_OK, TEXT_INVALID, TEXT_RAISED } TextStatus;

static TextStatus digits_error(size_t count)
{
    ty_raise(&ty_ValueError,
             "Exceeds the limit (%d digits) for integer string conversion: value has %zu digits; use "
             "sys.set_int_max_str_digits() to increase the limit",
             ty_int_text_limit(), count);
    return TEXT_RAISED;
}

/* Whether eight characters are all decimal digits, tested together: long numbers are refused in no time. */
static inline bool eight_digits(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    const uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0), zeros = UINT64_C(0x3030303030303030);
    return (word & high) == zeros && ((word + UINT64_C(0x0606060606060606)) & high) == zeros;
}

/* Digits with single underscores between them, to an int. */
static TextStatus parse_digits(const char *at, const char *end, int base, bool negative, Value *result)
{
    size_t count = 0;
    uint64_t number = 0;
    bool small = true, after_digit = false;
    for (const char *p = at; p < end; p++) {
        if (!small && base == 10 && end - p >= 8 && eight_digits(p)) {
            count += 8;
            after_digit = true;
            p += 7;
            continue;
        }
        if (*p == '_') {
            if (!after_digit)
                return TEXT_INVALID;
            after_digit = false;
            continue;
        }
        int digit = digit_value((unsigned char)*p);
        if (digit >= base)
            return TEXT_INVALID;
        after_digit = true;
        count++;
        small = small && number <= (INT64_MAX - 35) / 36;
        if (small)
            number = number * (uint64_t)base + (uint64_t)digit;
    }
    if (!after_digit)
        return TEXT_INVALID;
    int limit = ty_int_text_limit();
    if ((base & (base - 1)) != 0 && limit > 0 && count > (size_t)limit)
        return digits_error(count);
    if (small) {
        *result = ty_int_from_int64(negative ? -(int64_t)number : (int64_t)number);
        return *result == TY_NULL ? TEXT_RAISED : TEXT_OK;
    }
    int64_t room = (int64_t)ty_big_digits_limbs(count, base);
    TyInt *i = new_int(room);
    if (i == NULL)
        return TEXT_RAISED;
    unsigned char stack[1024];
    unsigned char *digits = count <= sizeof stack ? stack : malloc(count);
    if (digits == NULL) {
        ty_raise_memory_error();
        return TEXT_RAISED;
    }
    size_t next = 0;
    for (const char *p = at; p < end; p++) {
        if (*p != '_')
            digits[next++] = (unsigned char)digit_value((unsigned char)*p);
    }
    bool work = begin_work(room * 4);
    int64_t size = ty_big_from_digits(i->limbs, digits, count, base);
    end_work(work);
    if (digits != stack)
        free(digits);
    *result = finish(i, negative ? -size : size, room);
    return *result == TY_NULL ? TEXT_RAISED : TEXT_OK;
}

static TextStatus parse_int(const char *at, const char *end, int base, Value *result)
{
    while (at < end && is_space((unsigned char)*at))
        at++;
    while (end > at && is_space((unsigned char)end[-1]))
        end--;
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    int prefix = 0;
    if (end - at >= 2 && at[0] == '0') {
        char letter = (char)(at[1] | 0x20);
        prefix = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    }
    if (prefix != 0 && (base == 0 || base == prefix)) {
        base = prefix;
        at += 2;
        if (at < end && *at == '_') /* one may follow the prefix */
            at++;
    } else if (base == 0) {
        base = 10;
        if (at < end && *at == '0') { /* only zero may begin with a zero */
            for (const char *p = at; p < end; p++) {
                if (*p != '0' && *p != '_')
                    return TEXT_INVALID;
            }
        }
    }
    return parse_digits(at, end, base, negative, result);
}

Value ty_int_from_text(const char *text, size_t size, int base)
{
    Value result;
    TextStatus status = parse_int(text, text + size, base, &result);
    if (status == TEXT_INVALID) {
        Value shown = ty_str_from_latin1(text, size);
        if (shown != TY_NULL)
            ty_raise(&ty_ValueError, "invalid literal for int() with base %d: %R", base, shown);
    }
    return status == TEXT_OK ? result : TY_ERROR;
}

Value ty_int_from_str(Value v, int base)
{
    Value result;
    TextStatus status;
    if (ty_str_is_ascii(v)) {
        const char *text = (const char *)ty_str_data(v);
        status = parse_int(text, text + ty_str_length(v), base, &result);
    } else {
        size_t length = (size_t)ty_str_length(v);
        Value holder = ty_bytes_new(NULL, length);
        if (holder == TY_NULL)
            return TY_ERROR;
        char *text = (char *)ty_as_bytes(holder)->data;
        ty_number_text_ascii(v, text);
        status = parse_int(text, text + length, base, &result);
    }
    if (status == TEXT_INVALID)
        return ty_raise(&ty_ValueError, "invalid literal for int() with base %d: %R", base, v);
    return status == TEXT_OK ? result : TY_ERROR;
}

/* Of a bytes-like object; TY_NULL without an exception if it is none. */
static Value from_buffer(Value v, int base)
{
    TyBuffer view;
    if (!ty_has_buffer(v))
        return TY_NULL;
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return TY_ERROR;
    Value result;
    TextStatus status = parse_int((const char *)view.data, (const char *)view.data + view.length, base, &result);
    if (status == TEXT_INVALID) {
        Value shown = ty_is_bytes(v) ? v : ty_bytes_new(view.data, (size_t)view.length);
        if (shown != TY_NULL)
            ty_raise(&ty_ValueError, "invalid literal for int() with base %d: %R", base, shown);
    }
    ty_buffer_release(&view);
    return status == TEXT_OK ? result : TY_ERROR;
}

/* --- int() ---------------------------------------------------------------------------------------------------------------- */

/* An exact int of what __int__ gave. */
static Value checked_result(Value result, const char *method)
{
    if (result == TY_NULL || ty_is_exact_int(result))
        return result;
    if (!ty_is_int(result))
        return ty_raise(&ty_TypeError, "%s returned non-int (type %T)", method, result);
    if (!ty_warn(&ty_DeprecationWarning, 1,
                 "%s returned non-int (type %T).  The ability to return an instance of a strict subclass of int is "
                 "deprecated, and may be removed in a future version of Python.",
                 method, result))
        return TY_ERROR;
    return ty_int_exact(result);
}

Value ty_number_int(Value v)
{
    if (ty_is_exact_int(v))
        return v;
    if (ty_is_double(v))
        return ty_int_from_double(ty_double(v));
    TyType *type = ty_type_of(v);
    if (type->slots.to_int != NULL)
        return checked_result(type->slots.to_int(v), "__int__");
    if (ty_has_index(v)) {
        Value index = ty_number_index(v);
        return index == TY_NULL ? TY_ERROR : ty_int_exact(index);
    }
    if (ty_is_str(v))
        return ty_int_from_str(v, 10);
    Value result = from_buffer(v, 10);
    if (result == TY_NULL && !ty_raised())
        return ty_raise(&ty_TypeError, "int() argument must be a string, a bytes-like object or a real number, not '%T'",
                        v);
    return result;
}

static Value from_based_text(Value v, Value base_value)
{
    Value index = ty_number_index(base_value);
    if (index == TY_NULL)
        return TY_ERROR;
    int64_t base;
    if (ty_int_get_int64(index, &base) != 0 || (base != 0 && base < 2) || base > 36)
        return ty_raise(&ty_ValueError, "int() base must be >= 2 and <= 36, or 0");
    if (ty_is_str(v))
        return ty_int_from_str(v, (int)base);
    if (ty_is_bytes(v) || ty_is_instance_of(v, &ty_bytearray_type))
        return from_buffer(v, (int)base);
    return ty_raise(&ty_TypeError, "int() can't convert non-string with explicit base");
}

static Value as_instance_of(TyType *type, Value number)
{
    if (type == &ty_int_type || number == TY_NULL)
        return number;
    mp_limb_t limb;
    TyBig big = ty_int_big(number, &limb);
    Value instance = ty_type_allocate(type, (size_t)ty_big_length(big));
    if (instance == TY_NULL)
        return TY_ERROR;
    TyInt *i = (TyInt *)ty_object(instance);
    memcpy(i->limbs, big.limbs, (size_t)ty_big_length(big) * sizeof(mp_limb_t));
    i->size = big.size;
    return instance;
}

static Value int_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count == 1 && keywords == TY_NULL)
        return as_instance_of(type, ty_number_int(arguments[0]));
    static TySignature signature = TY_SIGNATURE("int(base=10)"); /* what follows x, which has no name */
    bool given = count > 0;
    Value base;
    if (!ty_check_positional("int", count, 0, 2) ||
        !ty_parse_arguments(&signature, arguments + given, count - given, keywords, &base))
        return TY_ERROR;
    if (!given) {
        if (base != TY_NULL)
            return ty_raise(&ty_TypeError, "int() missing string argument");
        return as_instance_of(type, ty_from_immediate_int(0));
    }
    return as_instance_of(type, base == TY_NULL ? ty_number_int(arguments[0]) : from_based_text(arguments[0], base));
}

/* --- methods ---------------------------------------------------------------------------------------------------------------- */

Value ty_int_from_bytes(const uint8_t *bytes, size_t size, bool little, bool is_signed)
{
    int64_t room = (int64_t)(size / 8) + 1;
    TyInt *i = new_int(room);
    return i == NULL ? TY_ERROR : finish(i, ty_big_from_bytes(i->limbs, bytes, size, little, is_signed), room);
}

bool ty_int_to_bytes(Value v, uint8_t *bytes, size_t size, bool little, bool is_signed)
{
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    if (ty_big_to_bytes(big, bytes, size, little, is_signed))
        return true;
    if (big.size < 0 && !is_signed)
        ty_raise(&ty_OverflowError, "can't convert negative int to unsigned");
    else
        ty_raise(&ty_OverflowError, "int too big to convert");
    return false;
}

static bool is_little(Value order, const char *function, bool *little)
{
    *little = false;
    if (order == TY_NULL)
        return true;
    if (!ty_require_str(order, function, "byteorder"))
        return false;
    *little = ty_str_equal_text(order, "little");
    if (*little || ty_str_equal_text(order, "big"))
        return true;
    ty_raise(&ty_ValueError, "byteorder must be either 'little' or 'big'");
    return false;
}

static bool optional_truth(Value v, bool *truth)
{
    int result = v == TY_NULL ? 0 : ty_is_true(v);
    *truth = result > 0;
    return result >= 0;
}

static Value int_to_bytes(Value self, Value *a)
{
    int64_t length = 1;
    bool little, is_signed;
    if ((a[0] != TY_NULL && !ty_to_size(a[0], &length)) || !is_little(a[1], "to_bytes", &little) ||
        !optional_truth(a[2], &is_signed))
        return TY_ERROR;
    if (length < 0)
        return ty_raise(&ty_ValueError, "length argument must be non-negative");
    Value result = ty_bytes_new(NULL, (size_t)length);
    if (result == TY_NULL)
        return TY_ERROR;
    return ty_int_to_bytes(self, ty_as_bytes(result)->data, (size_t)length, little, is_signed) ? result : TY_ERROR;
}

static Value int_from_bytes(Value type, Value *a)
{
    bool little, is_signed;
    if (!is_little(a[1], "from_bytes", &little) || !optional_truth(a[2], &is_signed))
        return TY_ERROR;
    Value bytes = a[0];
    if (!ty_is_bytes(bytes)) {
        if (ty_is_str(bytes) || ty_is_int(bytes))
            return ty_raise(&ty_TypeError, "cannot convert '%T' object to bytes", bytes);
        bytes = ty_bytes_from_object(bytes);
        if (bytes == TY_NULL)
            return TY_ERROR;
    }
    Value number = ty_int_from_bytes(ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes), little, is_signed);
    if (number == TY_NULL || type == ty_from_object(&ty_int_type))
        return number;
    return ty_call_one(type, number);
}

static Value int_bit_length(Value self, Value *a) { return ty_int_from_int64(ty_int_bit_length(self)); }

static Value int_bit_count(Value self, Value *a)
{
    mp_limb_t limb;
    return ty_int_from_int64((int64_t)ty_big_bit_count(ty_int_big(self, &limb)));
}

static Value int_as_integer_ratio(Value self, Value *a)
{
    return ty_tuple_pack(2, ty_int_exact(self), ty_from_immediate_int(1));
}

static Value int_itself(Value self, Value *a) { return ty_int_exact(self); }
static Value int_is_integer(Value self, Value *a) { return TY_TRUE; }
static Value int_getnewargs(Value self, Value *a) { return ty_tuple_pack(1, ty_int_exact(self)); }

static Value int_sizeof(Value self, Value *a)
{
    mp_limb_t limb;
    int64_t limbs = ty_big_length(ty_int_big(self, &limb));
    return ty_int_from_int64((int64_t)ty_type_of(self)->layout.size + (int64_t)sizeof(mp_limb_t) * TY_MAX(limbs, 1));
}

/* To the nearest multiple of 10^places, half to even. */
static Value round_to_power(Value self, Value places)
{
    Value power = ty_int_power(ty_from_immediate_int(10), places, TY_NONE), quotient, rest, twice;
    if (power == TY_NULL || !ty_int_divmod(self, power, &quotient, &rest))
        return TY_ERROR;
    if ((twice = ty_int_add(rest, rest)) == TY_NULL)
        return TY_ERROR;
    int order = ty_int_compare(twice, power);
    mp_limb_t limb;
    TyBig big = ty_int_big(quotient, &limb);
    bool odd = big.size != 0 && (big.limbs[0] & 1);
    Value rounded = ty_int_subtract(self, rest);
    if (rounded != TY_NULL && (order > 0 || (order == 0 && odd)))
        rounded = ty_int_add(rounded, power);
    return rounded;
}

static Value int_round(Value self, Value *a)
{
    if (a[0] == TY_NULL || a[0] == TY_NONE)
        return ty_int_exact(self);
    Value places = ty_number_index(a[0]);
    if (places == TY_NULL)
        return TY_ERROR;
    if (ty_int_sign(places) >= 0)
        return ty_int_exact(self);
    Value count = ty_int_negative(places);
    if (count == TY_NULL)
        return TY_ERROR;
    int64_t digits;
    /* Powers of ten far beyond twice the number round it to zero; they need not be made. */
    if (ty_int_get_int64(count, &digits) != 0 || digits > ty_int_bit_length(self) / 3 + 2)
        return ty_from_immediate_int(0);
    return round_to_power(self, count);
}

static Value int_format(Value self, Value *a) { return ty_format_int(self, a[0]); }

static Value int_get_real(Value self) { return ty_int_exact(self); }
static Value int_get_zero(Value self) { return ty_from_immediate_int(0); }
static Value int_get_one(Value self) { return ty_from_immediate_int(1); }

/* --- the type ------------------------------------------------------------------------------------------------------------------ */

#define DEFINE_BINARY(name)                                       \
    static Value int_##name(Value left, Value right)              \
    {                                                             \
        if (TY_UNLIKELY(!ty_is_int(left) || !ty_is_int(right)))   \
            return TY_NOT_IMPLEMENTED;                            \
        return ty_int_##name(left, right);                        \
    }
DEFINE_BINARY(add)
DEFINE_BINARY(subtract)
DEFINE_BINARY(multiply)
DEFINE_BINARY(true_divide)
DEFINE_BINARY(floor_divide)
DEFINE_BINARY(remainder)
DEFINE_BINARY(left_shift)
DEFINE_BINARY(right_shift)
DEFINE_BINARY(and)
DEFINE_BINARY(or)
DEFINE_BINARY(xor)

static Value int_divmod(Value left, Value right)
{
    if (!ty_is_int(left) || !ty_is_int(right))
        return TY_NOT_IMPLEMENTED;
    Value quotient, remainder;
    return ty_int_divmod(left, right, &quotient, &remainder) ? ty_tuple_pack(2, quotient, remainder) : TY_ERROR;
}

static Value int_power(Value base, Value exponent, Value modulus)
{
    if (!ty_is_int(base) || !ty_is_int(exponent) || (modulus != TY_NONE && !ty_is_int(modulus)))
        return TY_NOT_IMPLEMENTED;
    return ty_int_power(base, exponent, modulus);
}

static Value int_binary_power(Value base, Value exponent) { return int_power(base, exponent, TY_NONE); }

static Value int_compare(Value left, Value right, int op)
{
    if (!ty_is_int(right))
        return TY_NOT_IMPLEMENTED;
    int order = ty_int_compare(left, right);
    switch (op) {
    case TY_LT: return ty_from_bool(order < 0);
    case TY_LE: return ty_from_bool(order <= 0);
    case TY_EQ: return ty_from_bool(order == 0);
    case TY_NE: return ty_from_bool(order != 0);
    case TY_GT: return ty_from_bool(order > 0);
    default: return ty_from_bool(order >= 0);
    }
}

static int int_to_bool(Value v) { return ty_int_sign(v) != 0; }

static Value int_to_float(Value v)
{
    double result = ty_int_to_double(v);
    return result == -1.0 && ty_raised() ? TY_ERROR : ty_from_double(result);
}

static const TyNativeDef int_methods[] = {
    TY_METHOD("as_integer_ratio(self, /)", int_as_integer_ratio, "The pair of the int itself and 1."),
    TY_METHOD("bit_count(self, /)", int_bit_count, "How many bits are set in the absolute value, in binary."),
    TY_METHOD("bit_length(self, /)", int_bit_length, "How many bits the absolute value has in binary."),
    TY_METHOD("conjugate(self, /)", int_itself, "The int itself: it has no imaginary part."),
    TY_CLASS_METHOD("from_bytes(type, /, bytes, byteorder='big', *, signed=False)", int_from_bytes,
                    "The int that the bytes stand for, in the byte order 'big' or 'little'; in two's complement if signed."),
    TY_METHOD("is_integer(self, /)", int_is_integer, "True. Exists for what takes ints and floats alike."),
    TY_METHOD("to_bytes(self, /, length=1, byteorder='big', *, signed=False)", int_to_bytes,
              "The int as so many bytes, in the byte order 'big' or 'little'; in two's complement if signed."),
    TY_METHOD("__ceil__(self, /)", int_itself, "The int itself."),
    TY_METHOD("__floor__(self, /)", int_itself, "The int itself."),
    TY_METHOD("__trunc__(self, /)", int_itself, "The int itself."),
    TY_METHOD("__round__(self, ndigits=None, /)", int_round,
              "The nearest multiple of 10**-ndigits if ndigits is negative, ties to even; else the int itself."),
    TY_METHOD("__format__(self, format_spec, /)", int_format, "The int as text, as the format specification says."),
    TY_METHOD("__getnewargs__(self, /)", int_getnewargs, "What int.__new__ makes an equal int of."),
    TY_METHOD("__sizeof__(self, /)", int_sizeof, "The size in memory, in bytes."),
    {0},
};

static const TyGetSetDef int_getsets[] = {
    {"real", int_get_real, NULL, "the number without its imaginary part"},
    {"imag", int_get_zero, NULL, "the part along the imaginary axis"},
    {"numerator", int_get_real, NULL, "the number itself, seen as a fraction"},
    {"denominator", int_get_one, NULL, "1, as an int seen as a fraction has it"},
    {0},
};

TyType ty_int_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyInt), .item_size = sizeof(mp_limb_t)},
    .flags = TY_TYPE_INT | TY_TYPE_IMMUTABLE | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE,
    .name = "int",
    .doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\n"
           "The whole number that x stands for: a number is cut towards zero, a str or bytes is read in the\n"
           "given base, from 2 to 36. Base 0 means as in source code, with the prefixes 0b, 0o and 0x. Without x: 0.",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = int_repr,
        .hash = ty_int_hash,
        .compare = int_compare,
        .new = int_new,
        .binary = {
            [TY_BINARY_ADD] = int_add,
            [TY_BINARY_SUBTRACT] = int_subtract,
            [TY_BINARY_MULTIPLY] = int_multiply,
            [TY_BINARY_TRUE_DIVIDE] = int_true_divide,
            [TY_BINARY_FLOOR_DIVIDE] = int_floor_divide,
            [TY_BINARY_REMAINDER] = int_remainder,
            [TY_BINARY_POWER] = int_binary_power,
            [TY_BINARY_LEFT_SHIFT] = int_left_shift,
            [TY_BINARY_RIGHT_SHIFT] = int_right_shift,
            [TY_BINARY_AND] = int_and,
            [TY_BINARY_OR] = int_or,
            [TY_BINARY_XOR] = int_xor,
            [TY_BINARY_DIVMOD] = int_divmod,
        },
        .power = int_power,
        .negative = ty_int_negative,
        .positive = ty_int_exact,
        .absolute = int_absolute,
        .invert = ty_int_invert,
        .to_int = ty_int_exact,
        .to_float = int_to_float,
        .index = ty_int_exact,
        .to_bool = int_to_bool,
    },
    .methods = int_methods,
    .getsets = int_getsets,
};
