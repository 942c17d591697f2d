#include "object/namespace.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define INLINE_ATTRIBUTES 4

typedef struct Namespace {
    TyObject base;
    Value spill;
    Value slots[INLINE_ATTRIBUTES];
} Namespace;

static void namespace_trace(TyObject *self, TyMarker *marker) { ty_attributes_trace(self, &ty_namespace_type, marker); }

static Value attributes_of(Value self) { return ty_attributes_copy_dict(ty_object(self), ty_type_of(self)); }

/* Sets the dict's pairs as attributes. */
static bool take_over(Value self, Value dict)
{
    int64_t position = 0;
    Value key, value;
    while (ty_dict_next(dict, &position, &key, &value)) {
        if (!ty_is_str(key)) {
            ty_raise(&ty_TypeError, "keywords must be strings");
            return false;
        }
        if (!ty_generic_set_attribute(self, key, value))
            return false;
    }
    return true;
}

Value ty_namespace_new(Value dict)
{
    Value self = ty_type_allocate(&ty_namespace_type, 0);
    return self != TY_NULL && take_over(self, dict) ? self : TY_NULL;
}

static Value namespace_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

static bool namespace_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_check_positional(ty_type_short_name(ty_type_of(self)), count, 0, 1))
        return false;
    Value dict = ty_dict_new();
    if (dict == TY_NULL || (count == 1 && !ty_dict_update(dict, arguments[0])))
        return false;
    if (count == 1) { /* all keys are seen before any is set */
        int64_t position = 0;
        Value key;
        while (ty_dict_next(dict, &position, &key, NULL))
            if (!ty_is_str(key)) {
                ty_raise(&ty_TypeError, "keywords must be strings");
                return false;
            }
    }
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_dict_set(dict, ty_tuple_item(keywords, i), arguments[count + i]))
            return false;
    return take_over(self, dict);
}

static Value namespace_repr(Value self)
{
    const char *name = ty_type_of(self) == &ty_namespace_type ? "namespace" : ty_type_short_name(ty_type_of(self));
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_format("%s(...)", name);
    TyStrBuilder text = {0};
    Value dict = attributes_of(self), key, value;
    int64_t position = 0;
    bool first = true, fine = dict != TY_NULL && ty_builder_add_text(&text, name) && ty_builder_add_char(&text, '(');
    while (fine && ty_dict_next(dict, &position, &key, &value)) {
        if (!ty_is_str(key) || ty_str_length(key) == 0)
            continue;
        fine = (first || ty_builder_add_text(&text, ", ")) && ty_builder_add(&text, key) && ty_builder_add_char(&text, '=') && ty_builder_add_repr(&text, value);
        first = false;
    }
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, ')') ? ty_builder_finish(&text) : TY_NULL;
}

static Value namespace_compare(Value left, Value right, int op)
{
    if (!ty_is_instance_of(right, &ty_namespace_type))
        return TY_NOT_IMPLEMENTED;
    Value a = attributes_of(left), b = attributes_of(right);
    return a == TY_NULL || b == TY_NULL ? TY_NULL : ty_compare(a, b, op);
}

static Value namespace_reduce(Value self, Value *a)
{
    return ty_tuple_pack(3, ty_from_object(ty_type_of(self)), ty_tuple_empty(), ty_attributes_dict(ty_object(self), ty_type_of(self)));
}

static Value namespace_replace(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count > 0)
        return ty_raise(&ty_TypeError, "__replace__() takes no positional arguments (%zu given)", count);
    Value result = ty_call_none(ty_from_object(ty_type_of(self))), dict = attributes_of(self);
    if (result != TY_NULL && !ty_is_instance_of(result, &ty_namespace_type))
        return ty_raise(&ty_TypeError, "expect types.SimpleNamespace type, but %S.%S() returned '%T' object", ty_type_module(ty_type_of(self)), ty_type_of(self)->qualname_value, result);
    if (result == TY_NULL || dict == TY_NULL || !take_over(result, dict))
        return TY_NULL;
    for (int64_t i = 0; keywords != TY_NULL && i < ty_tuple_length(keywords); i++)
        if (!ty_set_attribute(result, ty_tuple_item(keywords, i), arguments[i]))
            return TY_NULL;
    return result;
}

static const TyNativeDef namespace_methods[] = {
    TY_METHOD("__reduce__(self, /)", namespace_reduce, "What pickle keeps."),
    TY_RAW_METHOD("__replace__(self, /, **changes)", namespace_replace, "A copy with new values for some attributes."),
    {0},
};

static Value get_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static const TyGetSetDef namespace_getsets[] = {{"__dict__", get_dict, NULL, NULL}, {0}};

TyType ty_namespace_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Namespace), .trace = namespace_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_HAS_DICT,
    .attributes_offset = offsetof(Namespace, spill),
    .inline_count = INLINE_ATTRIBUTES,
    .name = "types.SimpleNamespace",
    .doc = "SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n--\n\nAn object whose attributes are what it was made with, and what is set later.",
    .parent = &ty_object_base_type,
    .slots = {.repr = namespace_repr, .hash = ty_hash_unhashable, .compare = namespace_compare, .new = namespace_new, .init = namespace_init},
    .methods = namespace_methods,
    .getsets = namespace_getsets,
};
