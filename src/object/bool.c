/* bool: an int whose two instances are static objects. */
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

TyObject ty_true_object = TY_STATIC_HEADER(ty_bool_type);
TyObject ty_false_object = TY_STATIC_HEADER(ty_bool_type);

static Value bool_repr(Value self) { return self == TY_TRUE ? TY_NAME("True") : TY_NAME("False"); }

static Value bool_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("bool", keywords) || !ty_check_positional("bool", count, 0, 1))
        return TY_ERROR;
    int truth = count == 0 ? 0 : ty_is_true(arguments[0]);
    return truth < 0 ? TY_ERROR : ty_from_bool(truth);
}

static bool is_bool(Value v) { return v == TY_TRUE || v == TY_FALSE; }

/* Of two bools a bool; with another int, as ints. */
#define DEFINE_LOGICAL(name, operator)                                           \
    static Value bool_##name(Value left, Value right)                            \
    {                                                                            \
        if (is_bool(left) && is_bool(right))                                     \
            return ty_from_bool((int)(left == TY_TRUE) operator (int)(right == TY_TRUE)); \
        if (!ty_is_int(left) || !ty_is_int(right))                               \
            return TY_NOT_IMPLEMENTED;                                           \
        return ty_int_##name(left, right);                                       \
    }
DEFINE_LOGICAL(and, &)
DEFINE_LOGICAL(or, |)
DEFINE_LOGICAL(xor, ^)

static Value bool_invert(Value self)
{
    if (!ty_warn(&ty_DeprecationWarning, 1,
                 "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise "
                 "inversion of the underlying int object and is usually not what you expect from negating a bool. "
                 "Use the 'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion of the underlying int."))
        return TY_ERROR;
    return ty_int_invert(self);
}

static int bool_to_bool(Value self) { return self == TY_TRUE; }

TyType ty_bool_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_INT | TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_MATCH_SELF,
    .name = "bool",
    .doc = "bool(object=False, /)\n--\n\n"
           "True if the object is true, else False. The two are the only instances of the class, which is\n"
           "a subclass of int and cannot be subclassed itself.",
    .parent = &ty_int_type,
    .slots = {
        .repr = bool_repr,
        .new = bool_new,
        .binary = {
            [TY_BINARY_AND] = bool_and,
            [TY_BINARY_OR] = bool_or,
            [TY_BINARY_XOR] = bool_xor,
        },
        .invert = bool_invert,
        .to_bool = bool_to_bool,
    },
};
