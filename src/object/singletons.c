/* None, NotImplemented and Ellipsis: one static object each. */
#include "object/exception.h"
#include "object/native.h"
#include "object/object.h"
#include "object/str.h"

/* NAME(): gives the one object and takes no arguments. */
static Value singleton_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    const char *name = ty_type_short_name(type);
    Value value = type == &ty_none_type ? TY_NONE : type == &ty_ellipsis_type ? TY_ELLIPSIS : TY_NOT_IMPLEMENTED;
    if (count > 0 || keywords != TY_NULL)
        return ty_raise(&ty_TypeError, "%s takes no arguments", name);
    return value;
}

static Value none_repr(Value self) { return TY_NAME("None"); }
static int none_bool(Value self) { return 0; }
static int64_t none_hash(Value self) { return 0xFCA86420; } /* the same in every process */

static Value ellipsis_repr(Value self) { return TY_NAME("Ellipsis"); }
static Value ellipsis_reduce(Value self, Value *a) { return TY_NAME("Ellipsis"); }

static Value not_implemented_repr(Value self) { return TY_NAME("NotImplemented"); }
static Value not_implemented_reduce(Value self, Value *a) { return TY_NAME("NotImplemented"); }

static int not_implemented_bool(Value self)
{
    ty_raise(&ty_TypeError, "NotImplemented should not be used in a boolean context");
    return -1;
}

static const TyNativeDef ellipsis_methods[] = {TY_METHOD("__reduce__(self, /)", ellipsis_reduce, "The name that pickle keeps."), {0}};
static const TyNativeDef not_implemented_methods[] = {TY_METHOD("__reduce__(self, /)", not_implemented_reduce, "The name that pickle keeps."), {0}};

TyType ty_none_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "NoneType",
    .doc = "The type of the None singleton.",
    .parent = &ty_object_base_type,
    .slots = {.repr = none_repr, .hash = none_hash, .to_bool = none_bool, .new = singleton_new},
};

TyType ty_ellipsis_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "ellipsis",
    .doc = "The type of the Ellipsis singleton.",
    .parent = &ty_object_base_type,
    .slots = {.repr = ellipsis_repr, .new = singleton_new},
    .methods = ellipsis_methods,
};

TyType ty_not_implemented_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyObject)},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "NotImplementedType",
    .doc = "The type of the NotImplemented singleton.",
    .parent = &ty_object_base_type,
    .slots = {.repr = not_implemented_repr, .to_bool = not_implemented_bool, .new = singleton_new},
    .methods = not_implemented_methods,
};

TyObject ty_none_object = TY_STATIC_HEADER(ty_none_type);
TyObject ty_ellipsis_object = TY_STATIC_HEADER(ty_ellipsis_type);
TyObject ty_not_implemented_object = TY_STATIC_HEADER(ty_not_implemented_type);
