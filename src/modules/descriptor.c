#include "modules/descriptor.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

bool ty_warn_descriptor(Value v)
{
    return (v != TY_TRUE && v != TY_FALSE) || ty_warn(&ty_RuntimeWarning, 1, "bool is used as a file descriptor");
}

bool ty_to_descriptor(Value v, int *out)
{
    if (!ty_is_int(v)) {
        bool failed = false;
        Value fileno = ty_get_attribute_or_null(v, TY_NAME("fileno"), &failed);
        if (failed)
            return false;
        if (fileno == TY_NULL) {
            ty_raise(&ty_TypeError, "argument must be an int, or have a fileno() method.");
            return false;
        }
        v = ty_call_none(fileno);
        if (v == TY_NULL)
            return false;
        if (!ty_is_int(v)) {
            ty_raise(&ty_TypeError, "fileno() returned a non-integer");
            return false;
        }
    }
    int32_t descriptor;
    if (!ty_warn_descriptor(v) || !ty_to_int32(v, &descriptor))
        return false;
    if (descriptor < 0) {
        ty_raise(&ty_ValueError, "file descriptor cannot be a negative integer (%d)", descriptor);
        return false;
    }
    *out = descriptor;
    return true;
}
