#include "object/generic_alias.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

#define ALIAS(v) ((TyGenericAlias *)ty_object(v))

Value ty_generic_alias_new(Value origin, Value arguments)
{
    if (!ty_is_tuple(arguments))
        arguments = ty_tuple_pack(1, arguments);
    TyGenericAlias *alias = arguments == TY_NULL ? NULL : (TyGenericAlias *)ty_allocate(&ty_generic_alias_type, sizeof(TyGenericAlias));
    if (!alias)
        return TY_NULL;
    ty_store(alias, &alias->origin, origin);
    ty_store(alias, &alias->arguments, arguments);
    return ty_from_object(alias);
}

Value ty_class_getitem(Value type, Value *arguments) { return ty_generic_alias_new(type, arguments[0]); }

/* An attribute, or TY_NULL if there is none; *failed for another error. */
static Value optional(Value v, Value name, bool *failed)
{
    *failed = false;
    Value value = ty_get_attribute_or_null(v, name, failed);
    return *failed ? TY_NULL : value;
}

/* --- the text of a type argument ------------------------------------------------------------------------------------- */

static bool add_argument(TyStrBuilder *text, Value argument)
{
    bool failed;
    if (argument == TY_ELLIPSIS)
        return ty_builder_add_text(text, "...");
    if (ty_is_exact(argument, &ty_none_type))
        return ty_builder_add_text(text, "None");
    if (ty_is_list(argument)) {
        bool fine = ty_builder_add_char(text, '[');
        int64_t length = ty_list_length(argument);
        for (int64_t i = 0; fine && i < length; i++) {
            Value item = ty_list_item(argument, i);
            if (item == TY_NULL)
                return ty_raise(&ty_IndexError, "list index out of range"), false;
            fine = (i == 0 || ty_builder_add_text(text, ", ")) && add_argument(text, item);
        }
        return fine && ty_builder_add_char(text, ']');
    }
    Value origin = optional(argument, TY_NAME("__origin__"), &failed);
    Value arguments = failed || origin == TY_NULL ? TY_NULL : optional(argument, TY_NAME("__args__"), &failed);
    if (failed)
        return false;
    if (origin != TY_NULL && arguments != TY_NULL)
        return ty_builder_add_repr(text, argument);
    Value qualname = optional(argument, TY_NAME("__qualname__"), &failed);
    Value module = failed || qualname == TY_NULL ? TY_NULL : optional(argument, TY_NAME("__module__"), &failed);
    if (failed)
        return false;
    if (qualname == TY_NULL || module == TY_NULL || module == TY_NONE)
        return ty_builder_add_repr(text, argument);
    if (!ty_is_str(module) || !ty_str_equal_text(module, "builtins")) {
        Value name = ty_str(module);
        if (name == TY_NULL || !ty_builder_add(text, name) || !ty_builder_add_char(text, '.'))
            return false;
    }
    Value name = ty_str(qualname);
    return name != TY_NULL && ty_builder_add(text, name);
}

bool ty_type_argument_repr(Value argument, Value *out)
{
    TyStrBuilder text = {0};
    *out = add_argument(&text, argument) ? ty_builder_finish(&text) : TY_NULL;
    return *out != TY_NULL;
}

static Value alias_repr(Value v)
{
    TyStrBuilder text = {0};
    TyTuple *arguments = ty_as_tuple(ALIAS(v)->arguments);
    bool fine = (!ALIAS(v)->starred || ty_builder_add_char(&text, '*')) && add_argument(&text, ALIAS(v)->origin) && ty_builder_add_char(&text, '[');
    for (int64_t i = 0; fine && i < arguments->length; i++)
        fine = (i == 0 || ty_builder_add_text(&text, ", ")) && add_argument(&text, arguments->items[i]);
    if (fine && arguments->length == 0)
        fine = ty_builder_add_text(&text, "()");
    return fine && ty_builder_add_char(&text, ']') ? ty_builder_finish(&text) : TY_NULL;
}

/* --- type parameters ------------------------------------------------------------------------------------------------- */

static bool add_once(Value list, Value item)
{
    for (int64_t i = 0; i < ty_list_length(list); i++)
        if (ty_list_item(list, i) == item)
            return true;
    return ty_list_append(list, item);
}

static bool collect_parameters(Value list, Value arguments)
{
    for (int64_t i = 0; i < ty_tuple_length(arguments); i++) {
        Value argument = ty_tuple_item(arguments, i);
        bool failed;
        if (ty_is_type(argument))
            continue;
        if (ty_is_list(argument) || ty_is_tuple(argument)) {
            Value inner = ty_sequence_tuple(argument);
            if (inner == TY_NULL || !collect_parameters(list, inner))
                return false;
            continue;
        }
        Value substitute = optional(argument, TY_NAME("__typing_subst__"), &failed);
        if (failed || (substitute != TY_NULL && !add_once(list, argument)))
            return false;
        if (substitute != TY_NULL)
            continue;
        Value inner = optional(argument, TY_NAME("__parameters__"), &failed);
        if (failed)
            return false;
        for (int64_t k = 0; inner != TY_NULL && ty_is_tuple(inner) && k < ty_tuple_length(inner); k++)
            if (!add_once(list, ty_tuple_item(inner, k)))
                return false;
    }
    return true;
}

Value ty_type_parameters_of(Value arguments)
{
    Value list = ty_list_new(0);
    return list != TY_NULL && collect_parameters(list, arguments) ? ty_list_to_tuple(list) : TY_NULL;
}

static int64_t index_of(Value tuple, Value item)
{
    for (int64_t i = 0; i < ty_tuple_length(tuple); i++)
        if (ty_tuple_item(tuple, i) == item)
            return i;
    return -1;
}

/* The items given, with unpacked tuples (*tuple[int, str]) spread out. */
static Value unpack_items(Value item)
{
    Value given = ty_is_tuple(item) ? item : ty_tuple_pack(1, item), list = ty_list_new(0);
    if (given == TY_NULL || list == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < ty_tuple_length(given); i++) {
        Value one = ty_tuple_item(given, i);
        bool failed = false;
        Value inner = ty_is_type(one) ? TY_NULL : optional(one, TY_NAME("__typing_unpacked_tuple_args__"), &failed);
        if (failed)
            return TY_NULL;
        bool spread = inner != TY_NULL && ty_is_tuple(inner);
        if (spread) {
            int64_t count = ty_tuple_length(inner);
            spread = count == 0 || ty_tuple_item(inner, count - 1) != TY_ELLIPSIS;
        }
        if (spread ? !ty_list_extend(list, inner) : !ty_list_append(list, one))
            return TY_NULL;
    }
    return ty_list_to_tuple(list);
}

/* An argument that has parameters of its own, with theirs replaced. */
static Value replace_inside(Value argument, Value parameters, Value items)
{
    bool failed;
    Value inner = optional(argument, TY_NAME("__parameters__"), &failed);
    if (failed)
        return TY_NULL;
    if (inner == TY_NULL || !ty_is_tuple(inner) || ty_tuple_length(inner) == 0)
        return argument;
    Value list = ty_list_new(ty_tuple_length(inner));
    if (list == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < ty_tuple_length(inner); i++) {
        Value parameter = ty_tuple_item(inner, i);
        int64_t at = index_of(parameters, parameter);
        if (at < 0) {
            if (!ty_list_append(list, parameter))
                return TY_NULL;
            continue;
        }
        Value item = ty_tuple_item(items, at);
        /* A TypeVarTuple stands for several: those come as a tuple. */
        bool several = ty_is_tuple(item) && ty_type_lookup(ty_type_of(parameter), TY_NAME("__iter__")) != TY_NULL;
        if (several ? !ty_list_extend(list, item) : !ty_list_append(list, item))
            return TY_NULL;
    }
    Value tuple = ty_list_to_tuple(list);
    return tuple == TY_NULL ? TY_NULL : ty_get_item(argument, tuple);
}

/* The arguments with each parameter replaced by its item. */
static Value replace_all(Value arguments, Value parameters, Value items)
{
    Value list = ty_list_new(ty_tuple_length(arguments));
    for (int64_t i = 0; list != TY_NULL && i < ty_tuple_length(arguments); i++) {
        Value argument = ty_tuple_item(arguments, i);
        if (ty_is_type(argument)) {
            if (!ty_list_append(list, argument))
                return TY_NULL;
            continue;
        }
        if (ty_is_list(argument) || ty_is_tuple(argument)) {
            Value inner = ty_sequence_tuple(argument);
            inner = inner == TY_NULL ? TY_NULL : replace_all(inner, parameters, items);
            if (inner != TY_NULL && ty_is_list(argument))
                inner = ty_sequence_list(inner);
            if (inner == TY_NULL || !ty_list_append(list, inner))
                return TY_NULL;
            continue;
        }
        bool failed;
        Value unpacked = optional(argument, TY_NAME("__typing_is_unpacked_typevartuple__"), &failed);
        int spread = failed ? -1 : unpacked == TY_NULL ? 0 : ty_is_true(unpacked);
        if (spread < 0)
            return TY_NULL;
        Value substitute = optional(argument, TY_NAME("__typing_subst__"), &failed);
        if (failed)
            return TY_NULL;
        int64_t at = substitute == TY_NULL ? -1 : index_of(parameters, argument);
        if (substitute != TY_NULL && at < 0)
            return ty_raise(&ty_TypeError, "argument %R with __typing_subst__ was not found in __parameters__", argument);
        Value result = at >= 0 ? ty_call_one(substitute, ty_tuple_item(items, at)) : replace_inside(argument, parameters, items);
        if (result == TY_NULL)
            return TY_NULL;
        if (spread) {
            if (!ty_is_tuple(result))
                return ty_raise(&ty_TypeError, "expected __typing_subst__ of %T objects to return a tuple, not %T", argument, result);
            if (!ty_list_extend(list, result))
                return TY_NULL;
        } else if (!ty_list_append(list, result)) {
            return TY_NULL;
        }
    }
    return list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}

Value ty_type_parameters_replace(Value self, Value arguments, Value parameters, Value item)
{
    int64_t expected = ty_tuple_length(parameters);
    if (expected == 0)
        return ty_raise(&ty_TypeError, "%R is not a generic class", self);
    Value items = unpack_items(item);
    for (int64_t i = 0; items != TY_NULL && i < expected; i++) {
        bool failed;
        Value prepare = optional(ty_tuple_item(parameters, i), TY_NAME("__typing_prepare_subst__"), &failed);
        if (failed)
            return TY_NULL;
        if (prepare != TY_NULL && prepare != TY_NONE) {
            Value prepared = ty_call_two(prepare, self, items);
            items = prepared == TY_NULL || ty_is_tuple(prepared) ? prepared : ty_tuple_pack(1, prepared);
        }
    }
    if (items == TY_NULL)
        return TY_NULL;
    int64_t given = ty_tuple_length(items);
    if (given != expected)
        return ty_raise(&ty_TypeError, "Too %s arguments for %R; actual %lld, expected %lld", given > expected ? "many" : "few", self, (long long)given,
                        (long long)expected);
    return replace_all(arguments, parameters, items);
}

static Value parameters_of(Value v)
{
    Value known = ty_load_acquire(&ALIAS(v)->parameters);
    if (known != TY_NULL)
        return known;
    known = ty_type_parameters_of(ALIAS(v)->arguments);
    if (known != TY_NULL)
        ty_store_publish(ty_object(v), (Value *)&ALIAS(v)->parameters, known);
    return known;
}

static Value alias_get_item(Value v, Value item)
{
    Value parameters = parameters_of(v);
    Value arguments = parameters == TY_NULL ? TY_NULL : ty_type_parameters_replace(v, ALIAS(v)->arguments, parameters, item);
    Value result = arguments == TY_NULL ? TY_NULL : ty_generic_alias_new(ALIAS(v)->origin, arguments);
    if (result != TY_NULL)
        ALIAS(result)->starred = ALIAS(v)->starred;
    return result;
}

/* --- the rest of the type -------------------------------------------------------------------------------------------- */

static Value alias_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("GenericAlias", keywords) || !ty_check_positional("GenericAlias", count, 2, 2))
        return TY_NULL;
    if (type == &ty_generic_alias_type)
        return ty_generic_alias_new(arguments[0], arguments[1]);
    Value given = ty_is_tuple(arguments[1]) ? arguments[1] : ty_tuple_pack(1, arguments[1]), v = given == TY_NULL ? TY_NULL : ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    ty_store(ty_object(v), &ALIAS(v)->origin, arguments[0]);
    ty_store(ty_object(v), &ALIAS(v)->arguments, given);
    return v;
}

static void alias_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyGenericAlias *)self)->origin, 3); }

/* Calling makes an instance of the origin, which learns what it was made as if it can. */
static Value alias_call(Value v, const Value *arguments, size_t count, Value keywords)
{
    Value result = ty_call(ALIAS(v)->origin, arguments, count, keywords);
    if (result != TY_NULL && !ty_set_attribute(result, TY_NAME("__orig_class__"), v)) {
        if (!ty_raised_is(&ty_AttributeError) && !ty_raised_is(&ty_TypeError))
            return TY_NULL;
        ty_clear_exception();
    }
    return result;
}

/* Attributes of its own; all others are the origin's. */
static const char *const own_names[] = {"__class__",       "__origin__",     "__args__",   "__unpacked__", "__parameters__", "__typing_unpacked_tuple_args__",
                                        "__mro_entries__", "__reduce_ex__", "__reduce__", "__copy__",     "__deepcopy__",   "__bases__"};

static Value alias_get_attribute(Value v, Value name)
{
    if (ty_is_str(name) && ty_str_length(name) > 4 && ty_str_at(name, 0) == '_')
        for (size_t i = 0; i < TY_COUNT_OF(own_names); i++)
            if (ty_str_equal_text(name, own_names[i]))
                return ty_generic_get_attribute(v, name);
    return ty_get_attribute(ALIAS(v)->origin, name);
}

static int64_t alias_hash(Value v)
{
    int64_t origin = ty_hash(ALIAS(v)->origin);
    if (origin == -1)
        return -1;
    int64_t arguments = ty_hash(ALIAS(v)->arguments);
    if (arguments == -1)
        return -1;
    int64_t hash = origin ^ arguments;
    return hash == -1 ? -2 : hash;
}

static Value alias_compare(Value left, Value right, int op)
{
    if (!ty_is_instance_of(left, &ty_generic_alias_type) || !ty_is_instance_of(right, &ty_generic_alias_type) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    int equal = ALIAS(left)->starred == ALIAS(right)->starred;
    if (equal)
        equal = ty_equal(ALIAS(left)->origin, ALIAS(right)->origin);
    if (equal > 0)
        equal = ty_equal(ALIAS(left)->arguments, ALIAS(right)->arguments);
    return equal < 0 ? TY_NULL : ty_from_bool(equal == (op == TY_EQ));
}

/* Iterating gives the alias once, unpacked: what *tuple[int] in a subscript comes to. */
static Value alias_iter(Value v) { return ty_iterator_over(&ty_generic_alias_iterator_type, v, 0); }

static Value iterator_self(Value v) { return v; }

static Value iterator_next(Value v)
{
    TySequenceIterator *self = (TySequenceIterator *)ty_object(v);
    Value alias = ty_field(&self->sequence);
    if (alias == TY_NULL)
        return TY_NULL;
    ty_store(self, &self->sequence, TY_NULL);
    Value result = ty_generic_alias_new(ALIAS(alias)->origin, ALIAS(alias)->arguments);
    if (result != TY_NULL)
        ALIAS(result)->starred = true;
    return result;
}

static Value iterator_reduce(Value v, Value *a)
{
    Value iter = ty_builtin("iter"), alias = ty_field(&((TySequenceIterator *)ty_object(v))->sequence);
    if (iter == TY_NULL)
        return TY_NULL;
    return ty_tuple_pack(2, iter, ty_tuple_pack(1, alias == TY_NULL ? ty_tuple_empty() : alias));
}

static const TyNativeDef iterator_methods[] = {TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."), {0}};

TyType ty_generic_alias_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TySequenceIterator), .trace = ty_sequence_iterator_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "generic_alias_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = iterator_next},
    .methods = iterator_methods,
};

static Value alias_mro_entries(Value v, Value *a) { return ty_tuple_pack(1, ALIAS(v)->origin); }
static Value alias_instancecheck(Value v, Value *a) { return ty_raise(&ty_TypeError, "isinstance() argument 2 cannot be a parameterized generic"); }
static Value alias_subclasscheck(Value v, Value *a) { return ty_raise(&ty_TypeError, "issubclass() argument 2 cannot be a parameterized generic"); }

static Value alias_reduce(Value v, Value *a)
{
    if (ALIAS(v)->starred) {
        Value plain = ty_generic_alias_new(ALIAS(v)->origin, ALIAS(v)->arguments), next = ty_builtin("next");
        Value iterator = plain == TY_NULL ? TY_NULL : ty_iter(plain);
        return next == TY_NULL ? TY_NULL : ty_tuple_pack(2, next, ty_tuple_pack(1, iterator));
    }
    return ty_tuple_pack(2, ty_from_object(&ty_generic_alias_type), ty_tuple_pack(2, ALIAS(v)->origin, ALIAS(v)->arguments));
}

static Value alias_dir(Value v, Value *a)
{
    Value names = ty_dir(ALIAS(v)->origin);
    names = names == TY_NULL ? TY_NULL : ty_sequence_list(names);
    for (size_t i = 0; names != TY_NULL && i < TY_COUNT_OF(own_names) - 3; i++) {
        Value name = ty_intern_text(own_names[i]);
        int contained = ty_contains(names, name);
        if (contained < 0 || (!contained && !ty_list_append(names, name)))
            return TY_NULL;
    }
    return names;
}

static Value get_unpacked_arguments(Value v)
{
    return ALIAS(v)->starred && ALIAS(v)->origin == ty_from_object(&ty_tuple_type) ? ALIAS(v)->arguments : TY_NONE;
}

static const TyNativeDef alias_methods[] = {
    TY_METHOD("__mro_entries__(self, bases, /)", alias_mro_entries, "The class to inherit from in its place."),
    TY_METHOD("__instancecheck__(self, instance, /)", alias_instancecheck, "Refused."),
    TY_METHOD("__subclasscheck__(self, subclass, /)", alias_subclasscheck, "Refused."),
    TY_METHOD("__reduce__(self, /)", alias_reduce, "What pickle keeps."),
    TY_METHOD("__dir__(self, /)", alias_dir, "The names of the origin's attributes and its own."),
    {0},
};

static const TyGetSetDef alias_getsets[] = {
    {"__parameters__", parameters_of, NULL, "Type variables in the GenericAlias."},
    {"__typing_unpacked_tuple_args__", get_unpacked_arguments, NULL, NULL},
    {0},
};

static const TyMemberDef alias_members[] = {
    {"__origin__", TY_MEMBER_VALUE, false, offsetof(TyGenericAlias, origin), NULL},
    {"__args__", TY_MEMBER_VALUE, false, offsetof(TyGenericAlias, arguments), NULL},
    {"__unpacked__", TY_MEMBER_BOOL, false, offsetof(TyGenericAlias, starred), NULL},
    {0},
};

TyType ty_generic_alias_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyGenericAlias), .trace = alias_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE | TY_TYPE_CUSTOM_GETATTR,
    .name = "types.GenericAlias",
    .doc = "GenericAlias(origin, args, /)\n--\n\nRepresent a PEP 585 generic type",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = alias_repr,
        .hash = alias_hash,
        .compare = alias_compare,
        .get_attribute = alias_get_attribute,
        .call = alias_call,
        .iter = alias_iter,
        .new = alias_new,
        .binary[TY_BINARY_OR] = ty_union_or,
        .get_item = alias_get_item,
    },
    .methods = alias_methods,
    .getsets = alias_getsets,
    .members = alias_members,
};
