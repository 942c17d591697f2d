/* string.templatelib.Template and Interpolation: what t-strings give (PEP 750). */
#ifndef TY_OBJECT_TEMPLATE_H
#define TY_OBJECT_TEMPLATE_H

#include "object/object.h"

typedef struct TyInterpolation {
    TyObject base;
    Value value, expression, conversion, format_spec; /* conversion: None, or one of 's', 'a', 'r' */
} TyInterpolation;

typedef struct TyTemplate {
    TyObject base;
    Value strings, interpolations; /* tuples; there is one string more than interpolations */
} TyTemplate;

extern TyType ty_template_type, ty_interpolation_type;

Value ty_interpolation_new(Value value, Value expression, Value conversion, Value format_spec);
Value ty_template_new(Value strings, Value interpolations);

#endif
