/* _string: what string.Formatter needs of the parser of format strings. */
#include "object/native.h"
#include "object/str_format.h"

static Value parser(Value module, Value *a) { return ty_formatter_parser(a[0]); }
static Value field_name_split(Value module, Value *a) { return ty_formatter_field_name_split(a[0]); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("formatter_parser(format, /)", parser, "An iterator of (literal text, field name, format spec, conversion)."),
    TY_FUNCTION("formatter_field_name_split(name, /)", field_name_split,
                "(first, rest): the name or number that a field's name begins with, and an iterator of (is_attr, name)."),
    {0},
};

const TyModuleDef ty_module__string = {.name = "_string", .doc = "Helpers of string.Formatter.", .functions = functions};
