/* %-formatting, which str and bytes share, and the parsing of str.format's replacement fields. */
#ifndef TY_OBJECT_STR_FORMAT_H
#define TY_OBJECT_STR_FORMAT_H

#include "object/object.h"

/* format % arguments of a template of characters; as_bytes: of bytes, with the conversions of bytes, and the result is its bytes as a Latin-1 str. */
Value ty_percent_format(const void *data, int width, int64_t length, Value arguments, bool as_bytes);

/* What the _string module offers to string.Formatter. */
Value ty_formatter_parser(Value format);           /* an iterator of (literal, field name, format spec, conversion) */
Value ty_formatter_field_name_split(Value name);   /* (first, iterator of (is attribute, name)) */

#endif
