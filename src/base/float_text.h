/* Text of doubles, both ways, correctly rounded and independent of the locale.
 *
 * Writing: either the shortest digits that read back as the same double (what repr() shows; of several
 * shortest, the nearest), or a given number of digits, rounded half to even from the exact binary value.
 * Reading: the nearest double, ties to even; overflow gives an infinity, underflow a zero.
 *
 * Nothing here allocates on the heap or sets an exception. Text is counted, never NUL-terminated. */
#ifndef TY_BASE_FLOAT_TEXT_H
#define TY_BASE_FLOAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that the repr or the hexadecimal form of any double fits in. */
#define TY_DOUBLE_TEXT_SIZE 32

/* Shortest digits of a finite positive double: the value is 0.D1D2D3… × 10^point. Zero is "0" with point 1. */
int ty_double_shortest_digits(double value, char digits[17], int *point);

/* repr(value): "1.0", "1e+16", "-inf", "nan". Returns the length. */
size_t ty_double_repr(double value, char out[TY_DOUBLE_TEXT_SIZE]);

enum {
    TY_DOUBLE_PLUS = 1,       /* '+' before what is not negative */
    TY_DOUBLE_ALTERNATE = 2,  /* '#': keep the point, and the trailing zeros of 'g' */
    TY_DOUBLE_POINT_ZERO = 4, /* ".0" after a whole number that has no exponent */
};

/* The greatest length that ty_double_text can give with this precision. */
static inline size_t ty_double_text_bound(int precision)
{
    return 340 + (precision > 0 ? (size_t)precision : 0);
}

/* Formats by a printf-like code: 'e' 'E' 'f' 'F' 'g' 'G' with `precision` (not negative), or 'r' for the
 * shortest digits. Infinities and NaN are "inf" and "nan", in capitals with a capital code. `out` has room for
 * ty_double_text_bound(precision). Returns the length. */
size_t ty_double_text(double value, char code, int precision, unsigned flags, char *out);

/* round(value, places) for a finite value, exact half to even in decimal; may overflow to an infinity. */
double ty_double_round(double value, int places);

/* Reads the longest prefix of text…end that is a decimal floating-point number: an optional sign, then digits
 * with an optional point and exponent, or "inf", "infinity", "nan" in any case. No spaces, no underscores.
 * Returns where it ended, or NULL if there was no number. */
const char *ty_double_parse(const char *text, const char *end, double *value);

/* number × 2^exponent, with `more` plus something less than one unit of number; rounded once, half to even. May
 * overflow to an infinity. */
double ty_double_scale(uint64_t number, int64_t exponent, bool more);

/* float.hex(). Returns the length. */
size_t ty_double_hex(double value, char out[TY_DOUBLE_TEXT_SIZE]);

typedef enum { TY_HEX_OK, TY_HEX_INVALID, TY_HEX_OVERFLOW } TyHexStatus;

/* float.fromhex() of the whole of text…end, spaces around it already taken off. */
TyHexStatus ty_double_parse_hex(const char *text, const char *end, double *value);

#endif
