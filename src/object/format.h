/* Formatting numbers and text: the format specification mini-language, and the numbers of %-formatting.
 *
 *   [[fill]align][sign]["z"]["#"]["0"][width][grouping]["." precision [grouping]][type]
 *
 * The same layout of sign, prefix, grouped digits and padding serves str.format, f-strings and %. */
#ifndef TY_OBJECT_FORMAT_H
#define TY_OBJECT_FORMAT_H

#include "object/object.h"

typedef struct TyFormatSpec {
    uint32_t fill;               /* a space unless given; '0' with the flag 0 */
    uint32_t type;               /* 0: not given */
    char align;                  /* '<' '>' '=' '^' */
    char sign;                   /* '-' '+' ' ', or 0: not given */
    char grouping;               /* ',' '_' or 0, of the whole part */
    char fraction_grouping;      /* the same, of the digits after the point */
    bool align_given, fill_given;
    bool no_negative_zero;       /* z */
    bool alternate;              /* # */
    int64_t width, precision;    /* -1: not given */
} TyFormatSpec;

/* Parses `spec` (a str) for formatting `self`, whose type the errors name; type and alignment as given unless the spec
 * says otherwise. False with ValueError raised. */
bool ty_format_spec_parse(Value spec, Value self, uint32_t default_type, char default_align, TyFormatSpec *out);

/* format(v, spec) of the built-in types: what their __format__ does. TypeError if spec is no str. */
Value ty_format_int(Value v, Value spec);
Value ty_format_float(Value v, Value spec);
Value ty_format_complex(Value v, Value spec);
Value ty_format_str(Value v, Value spec);

/* The number in a %-conversion, as ASCII text without padding to a width: sign, prefix and digits.
 * `code` is one of d i u o x X for ints, e E f F g G for floats; precision -1 if not given. For an int it is the least
 * number of digits. The flags are those of the conversion. Returns a str, with the length of what stands before the digits
 * (sign and prefix), after which zeros are to be inserted, in *lead. */
typedef struct TyPercentFlags {
    bool left, plus, space, alternate, zero;
} TyPercentFlags;
Value ty_percent_int(Value v, uint32_t code, TyPercentFlags flags, int64_t precision, int64_t *lead);
Value ty_percent_float(double d, uint32_t code, TyPercentFlags flags, int64_t precision, int64_t *lead);

/* A str's characters for reading numbers: ASCII as it is, any Unicode decimal digit as '0' to '9', any space as ' ', and '?' for
 * all others. `out` has room for its length. */
void ty_number_text_ascii(Value str, char *out);

/* Copies text without the spaces around it and without underscores, which must stand between digits: false if one does not.
 * `out` has room for `size`. */
bool ty_number_text_plain(const char *text, size_t size, char *out, size_t *out_size);

/* Either of the two for any argument that number constructors read text from: a str or a bytes-like object, in plain form in
 * a buffer on the caller's stack or in *holder. 1: it is text; 0: it is not; -1: an exception was raised. `*text` is NULL if
 * underscores were misplaced. */
enum { TY_NUMBER_TEXT_SIZE = 256 };
int ty_number_text_get(Value v, char buffer[TY_NUMBER_TEXT_SIZE], const char **text, size_t *size, Value *holder);

#endif
