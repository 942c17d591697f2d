/* typing.Union: int | str. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/list.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define UNION(v) ((TyUnion *)ty_object(v))
#define NONE_TYPE ty_from_object(&ty_none_type)

static bool is_union(Value v) { return ty_is_exact(v, &ty_union_type); }

static bool is_plain_class(Value v) { return ty_is_exact(v, &ty_type_type); } /* equal to itself alone */

/* False with an exception if it fails with anything but TypeError: that says that there is no hash. */
static bool hash_of(Value v, int64_t *hash, bool *hashable)
{
    *hash = ty_hash(v);
    *hashable = *hash != -1 || !ty_raised();
    if (*hashable)
        return true;
    if (!ty_raised_is(&ty_TypeError))
        return false;
    ty_clear_exception();
    return true;
}

/* Adds a type unless an equal one is there. */
static bool add_type(Value list, Value type, int64_t *unhashable)
{
    if (type == TY_NONE)
        type = NONE_TYPE;
    if (is_union(type)) {
        for (int64_t i = 0; i < ty_tuple_length(UNION(type)->arguments); i++)
            if (!add_type(list, ty_tuple_item(UNION(type)->arguments, i), unhashable))
                return false;
        return true;
    }
    /* As in a set: equal ones have the same hash. Those without one are compared with each other. */
    int64_t hash, other;
    bool hashable, other_hashable;
    if (!hash_of(type, &hash, &hashable))
        return false;
    *unhashable += !hashable;
    for (int64_t i = 0; i < ty_list_length(list); i++) {
        Value there = ty_list_item(list, i);
        if (there == type) {
            *unhashable -= !hashable;
            return true;
        }
        if (is_plain_class(there) && is_plain_class(type))
            continue;
        if (!hash_of(there, &other, &other_hashable))
            return false;
        if (hashable != other_hashable || (hashable && hash != other))
            continue;
        int equal = ty_equal(there, type);
        if (equal > 0)
            *unhashable -= !hashable;
        if (equal != 0)
            return equal > 0;
    }
    return ty_list_append(list, type);
}

Value ty_union_make(const Value *types, size_t count)
{
    Value list = ty_list_new((int64_t)count);
    int64_t unhashable = 0;
    for (size_t i = 0; list != TY_NULL && i < count; i++)
        if (!add_type(list, types[i], &unhashable))
            return TY_NULL;
    if (list == TY_NULL)
        return TY_NULL;
    if (ty_list_length(list) == 1)
        return ty_list_item(list, 0);
    Value arguments = ty_list_to_tuple(list);
    TyUnion *result = arguments == TY_NULL ? NULL : (TyUnion *)ty_allocate(&ty_union_type, sizeof(TyUnion));
    if (!result)
        return TY_NULL;
    ty_store(result, &result->arguments, arguments);
    result->unhashable = unhashable;
    return ty_from_object(result);
}

static bool can_be_part(Value v)
{
    return v == TY_NONE || ty_is_type(v) || ty_is_instance_of(v, &ty_generic_alias_type) || is_union(v) ||
           strcmp(ty_type_of(v)->name, "typing.TypeAliasType") == 0;
}

Value ty_union_or(Value left, Value right)
{
    if (!can_be_part(left) || !can_be_part(right))
        return TY_NOT_IMPLEMENTED;
    Value both[2] = {left, right};
    return ty_union_make(both, 2);
}

/* --- the type -------------------------------------------------------------------------------------------------------- */

static void union_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyUnion *)self)->arguments, 2); }

static Value union_repr(Value v)
{
    TyStrBuilder text = {0};
    TyTuple *arguments = ty_as_tuple(UNION(v)->arguments);
    for (int64_t i = 0; i < arguments->length; i++) {
        Value part = arguments->items[i], name;
        if (i > 0 && !ty_builder_add_text(&text, " | "))
            return TY_NULL;
        if (part == NONE_TYPE) {
            if (!ty_builder_add_text(&text, "None"))
                return TY_NULL;
            continue;
        }
        if (!ty_type_argument_repr(part, &name) || !ty_builder_add(&text, name))
            return TY_NULL;
    }
    return ty_builder_finish(&text);
}

static Value as_set(Value v) { return ty_frozenset_new(UNION(v)->arguments); }

static int64_t union_hash(Value v)
{
    int64_t unhashable = UNION(v)->unhashable;
    if (unhashable > 0) { /* even if they have learned it since: the union may have two equal ones */
        for (int64_t i = 0; i < ty_tuple_length(UNION(v)->arguments); i++)
            if (ty_hash(ty_tuple_item(UNION(v)->arguments, i)) == -1)
                return -1;
        return ty_raise(&ty_TypeError, "union contains %lld unhashable element%s", (long long)unhashable, unhashable == 1 ? "" : "s"), -1;
    }
    Value set = as_set(v);
    return set == TY_NULL ? -1 : ty_hash(set);
}

/* Each of one among those of the other; the arguments need not be hashable. */
static int all_in(Value tuple, Value other)
{
    for (int64_t i = 0; i < ty_tuple_length(tuple); i++) {
        int contained = ty_contains(other, ty_tuple_item(tuple, i));
        if (contained <= 0)
            return contained;
    }
    return 1;
}

static Value union_compare(Value left, Value right, int op)
{
    if (!is_union(right) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    Value a = UNION(left)->arguments, b = UNION(right)->arguments;
    int equal = ty_tuple_length(a) == ty_tuple_length(b) ? all_in(a, b) : 0;
    return equal < 0 ? TY_NULL : ty_from_bool(equal == (op == TY_EQ));
}

static Value parameters_of(Value v)
{
    Value known = ty_load_acquire(&UNION(v)->parameters);
    if (known != TY_NULL)
        return known;
    known = ty_type_parameters_of(UNION(v)->arguments);
    if (known != TY_NULL)
        ty_store_publish(ty_object(v), (Value *)&UNION(v)->parameters, known);
    return known;
}

static Value union_get_item(Value v, Value item)
{
    Value parameters = parameters_of(v);
    Value arguments = parameters == TY_NULL ? TY_NULL : ty_type_parameters_replace(v, UNION(v)->arguments, parameters, item);
    if (arguments == TY_NULL)
        return TY_NULL;
    Value result = ty_tuple_length(arguments) > 0 ? ty_tuple_item(arguments, 0) : TY_NULL;
    for (int64_t i = 1; result != TY_NULL && i < ty_tuple_length(arguments); i++)
        result = ty_binary(TY_BINARY_OR, result, ty_tuple_item(arguments, i));
    return result;
}

static Value check_each(Value v, Value what, int (*check)(Value, Value))
{
    TyTuple *arguments = ty_as_tuple(UNION(v)->arguments);
    for (int64_t i = 0; i < arguments->length; i++) {
        int is = check(what, arguments->items[i]);
        if (is != 0)
            return is < 0 ? TY_NULL : TY_TRUE;
    }
    return TY_FALSE;
}

static Value union_instancecheck(Value v, Value *a) { return check_each(v, a[0], ty_isinstance); }

static Value union_subclasscheck(Value v, Value *a)
{
    return check_each(v, a[0], ty_issubclass);
}

static Value union_mro_entries(Value v, Value *a) { return ty_raise(&ty_TypeError, "Cannot subclass %R", v); }

static Value union_of_checked(Value given);

Value ty_union_checked(Value left, Value right)
{
    Value both = ty_tuple_pack(2, left, right);
    return both == TY_NULL ? TY_NULL : union_of_checked(both);
}

/* typing.Union[int, "str"]: what is not plainly a type is checked, and strings made references, by the typing module. */
static Value union_class_getitem(Value type, Value *a)
{
    Value given = ty_is_tuple(a[0]) ? a[0] : ty_tuple_pack(1, a[0]);
    if (given == TY_NULL)
        return TY_NULL;
    if (ty_tuple_length(given) == 0)
        return ty_raise(&ty_TypeError, "Cannot take a Union of no types.");
    return union_of_checked(given);
}

static Value union_of_checked(Value given)
{
    Value list = ty_list_new(ty_tuple_length(given)), checker = TY_NULL;
    for (int64_t i = 0; list != TY_NULL && i < ty_tuple_length(given); i++) {
        Value part = ty_tuple_item(given, i);
        if (!can_be_part(part)) {
            if (checker == TY_NULL) {
                Value typing = ty_import_module("typing");
                checker = typing == TY_NULL ? TY_NULL : ty_get_attribute(typing, TY_NAME("_type_check"));
            }
            part = checker == TY_NULL ? TY_NULL : ty_call_two(checker, part, ty_str_from_text("Union[arg, ...]: each arg must be a type."));
        }
        if (part == TY_NULL || !ty_list_append(list, part))
            return TY_NULL;
    }
    Value types = list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
    return types == TY_NULL ? TY_NULL : ty_union_make(ty_as_tuple(types)->items, (size_t)ty_tuple_length(types));
}

static Value union_reduce(Value v, Value *a)
{
    Value operator_module = ty_import_module("operator");
    Value getitem = operator_module == TY_NULL ? TY_NULL : ty_get_attribute(operator_module, TY_NAME("getitem"));
    return getitem == TY_NULL ? TY_NULL : ty_tuple_pack(2, getitem, ty_tuple_pack(2, ty_from_object(&ty_union_type), UNION(v)->arguments));
}

static Value get_origin(Value v) { return ty_from_object(&ty_union_type); }
static Value get_module(Value v) { return TY_NAME("typing"); }
static Value get_name(Value v) { return TY_NAME("Union"); }

static const TyNativeDef union_methods[] = {
    TY_METHOD("__mro_entries__(self, bases, /)", union_mro_entries, "Refused."),
    TY_METHOD("__instancecheck__(self, instance, /)", union_instancecheck, "Whether the instance is of one of the types."),
    TY_METHOD("__subclasscheck__(self, subclass, /)", union_subclasscheck, "Whether the class is a subclass of one of the types."),
    TY_METHOD("__reduce__(self, /)", union_reduce, "What pickle keeps."),
    TY_CLASS_METHOD("__class_getitem__(type, args, /)", union_class_getitem, "The union of the types."),
    {0},
};

static const TyGetSetDef union_getsets[] = {
    {"__name__", get_name, NULL, "Name of the type"},
    {"__qualname__", get_name, NULL, "Qualified name of the type"},
    {"__module__", get_module, NULL, NULL},
    {"__origin__", get_origin, NULL, "Always returns the type"},
    {"__parameters__", parameters_of, NULL, "Type variables in the types.UnionType."},
    {0},
};

static const TyMemberDef union_members[] = {{"__args__", TY_MEMBER_VALUE, false, offsetof(TyUnion, arguments), NULL}, {0}};

TyType ty_union_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyUnion), .trace = union_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_WEAKREFABLE,
    .name = "typing.Union",
    .doc = "Represent a union type\n\nE.g. for int | str",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = union_repr,
        .hash = union_hash,
        .compare = union_compare,
        .binary[TY_BINARY_OR] = ty_union_checked,
        .get_item = union_get_item,
    },
    .methods = union_methods,
    .getsets = union_getsets,
    .members = union_members,
};
