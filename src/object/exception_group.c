/* BaseExceptionGroup and ExceptionGroup (PEP 654), and what except* needs. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static TyExceptionGroup *as_group(Value v) { return (TyExceptionGroup *)ty_object(v); }
static bool is_group(Value v) { return ty_is_instance_of(v, &ty_BaseExceptionGroup); }

static void group_trace(TyObject *self, TyMarker *marker)
{
    TyExceptionGroup *group = (TyExceptionGroup *)self;
    ty_BaseException.layout.trace(self, marker);
    ty_mark(marker, ty_field(&group->message));
    ty_mark(marker, ty_field(&group->exceptions));
    ty_mark(marker, ty_field(&group->text));
}

/* --- making ------------------------------------------------------------------------------------------------------------ */

/* BaseExceptionGroup of nothing but Exceptions is an ExceptionGroup; ExceptionGroup, and subclasses of both it or Exception, allow no others. */
static TyType *settle_type(TyType *type, bool only_exceptions)
{
    if (type == &ty_BaseExceptionGroup)
        return only_exceptions ? &ty_ExceptionGroup : type;
    if (only_exceptions)
        return type;
    if (type == &ty_ExceptionGroup)
        return ty_raise(&ty_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup"), NULL;
    if (ty_type_is_subtype(type, &ty_Exception))
        return ty_raise(&ty_TypeError, "Cannot nest BaseExceptions in '%s'", type->name), NULL;
    return type;
}

static Value group_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count != 2)
        return ty_raise(&ty_TypeError, "BaseExceptionGroup.__new__() takes exactly 2 arguments (%zu given)", count);
    if (!ty_is_str(arguments[0]))
        return ty_raise(&ty_TypeError, "BaseExceptionGroup.__new__() argument 1 must be str, not %T", arguments[0]);
    if (!ty_is_sequence(arguments[1]))
        return ty_raise(&ty_TypeError, "second argument (exceptions) must be a sequence");
    Value exceptions = ty_sequence_tuple(arguments[1]);
    if (!exceptions)
        return TY_NULL;
    if (ty_tuple_length(exceptions) == 0)
        return ty_raise(&ty_ValueError, "second argument (exceptions) must be a non-empty sequence");
    bool only_exceptions = true;
    for (int64_t i = 0; i < ty_tuple_length(exceptions); i++) {
        Value item = ty_tuple_item(exceptions, i);
        if (!ty_is_exception(item))
            return ty_raise(&ty_ValueError, "Item %lld of second argument (exceptions) is not an exception", (long long)i);
        only_exceptions = only_exceptions && ty_is_instance_of(item, &ty_Exception);
    }
    Value text = ty_is_list(arguments[1]) || ty_is_tuple(arguments[1]) ? TY_NULL : ty_repr(arguments[1]);
    if (ty_raised() || !(type = settle_type(type, only_exceptions)))
        return TY_NULL;
    Value args = ty_tuple_from_array(arguments, count);
    Value self = args ? ty_exception_new(type, args) : TY_NULL;
    if (!self)
        return TY_NULL;
    ty_store(ty_object(self), &as_group(self)->message, arguments[0]);
    ty_store(ty_object(self), &as_group(self)->exceptions, exceptions);
    ty_store(ty_object(self), &as_group(self)->text, text);
    return self;
}

static bool group_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords(ty_type_short_name(ty_type_of(self)), keywords) && ty_BaseException.slots.init(self, arguments, count, TY_NULL);
}

static Value group_str(Value self)
{
    int64_t count = ty_tuple_length(as_group(self)->exceptions);
    return ty_str_format("%S (%lld sub-exception%s)", as_group(self)->message, (long long)count, count == 1 ? "" : "s");
}

static Value group_repr(Value self)
{
    TyExceptionGroup *group = as_group(self);
    const char *name = ty_type_short_name(ty_type_of(self));
    if (group->text)
        return ty_str_format("%s(%R, %U)", name, group->message, group->text);
    Value args = ty_field(&group->exception.args), shown = group->exceptions;
    if (args && ty_tuple_length(args) >= 2 && ty_is_list(ty_tuple_item(args, 1)))
        shown = ty_sequence_list(shown);
    return shown ? ty_str_format("%s(%R, %R)", name, group->message, shown) : TY_NULL;
}

/* --- parts ------------------------------------------------------------------------------------------------------------------ */

/* How leaves and groups are chosen. */
typedef struct Condition {
    enum { BY_TYPE, BY_CALL, BY_IDENTITY } kind;
    Value value; /* a class or tuple of them, a callable, or a list of leaves */
} Condition;

static bool make_condition(Value v, Condition *condition)
{
    *condition = (Condition){BY_TYPE, v};
    if (ty_is_exception_class(v))
        return true;
    if (ty_is_tuple(v)) {
        int64_t i = 0;
        while (i < ty_tuple_length(v) && ty_is_exception_class(ty_tuple_item(v, i)))
            i++;
        if (i == ty_tuple_length(v))
            return true;
    } else if (!ty_is_type(v) && ty_is_callable(v)) {
        condition->kind = BY_CALL;
        return true;
    }
    ty_raise(&ty_TypeError, "expected an exception type, a tuple of exception types, or a callable (other than a class)");
    return false;
}

/* 1, 0, or -1: an error. */
static int holds(const Condition *condition, Value exception)
{
    switch (condition->kind) {
    case BY_TYPE: return ty_exception_matches(exception, condition->value);
    case BY_CALL: {
        Value result = ty_call_one(condition->value, exception);
        return result ? ty_is_true(result) : -1;
    }
    default:
        if (is_group(exception))
            return 0;
        for (int64_t i = 0; i < ty_list_length(condition->value); i++)
            if (ty_list_item(condition->value, i) == exception)
                return 1;
        return 0;
    }
}

/* A group like `original` of other exceptions, by its own derive(); TY_NULL and no exception for none of them. */
static Value like(Value original, Value exceptions)
{
    if (ty_list_length(exceptions) == 0)
        return TY_NULL;
    Value derived = ty_call_method_one(original, TY_NAME("derive"), exceptions);
    if (!derived)
        return TY_NULL;
    if (!is_group(derived))
        return ty_raise(&ty_TypeError, "derive must return an instance of BaseExceptionGroup");
    TyException *from = ty_as_exception(original), *to = ty_as_exception(derived);
    ty_store(to, &to->traceback, ty_field(&from->traceback));
    ty_store(to, &to->context, ty_field(&from->context));
    ty_exception_set_cause(derived, ty_field(&from->cause));
    bool failed;
    Value notes = ty_get_attribute_or_null(original, TY_NAME("__notes__"), &failed);
    if (failed)
        return TY_NULL;
    if (notes && ty_is_sequence(notes)) { /* a list of its own: notes added to one part are not the other's */
        Value copy = ty_sequence_list(notes);
        if (!copy || !ty_set_attribute(derived, TY_NAME("__notes__"), copy))
            return TY_NULL;
    }
    return derived;
}

static bool split(Value exception, const Condition *condition, bool want_rest, Value *match, Value *rest)
{
    *match = *rest = TY_NULL;
    int all = holds(condition, exception);
    if (all < 0)
        return false;
    if (all) {
        *match = exception;
        return true;
    }
    if (!is_group(exception)) {
        *rest = exception;
        return true;
    }
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" in exceptiongroup_split_recursive"), false;
    Value matches = ty_list_new(0), others = ty_list_new(0), exceptions = as_group(exception)->exceptions;
    if (!matches || !others)
        return false;
    for (int64_t i = 0; i < ty_tuple_length(exceptions); i++) {
        Value m, r;
        if (!split(ty_tuple_item(exceptions, i), condition, want_rest, &m, &r) || (m && !ty_list_append(matches, m)) ||
            (r && want_rest && !ty_list_append(others, r)))
            return false;
    }
    *match = like(exception, matches);
    if (!*match && ty_raised())
        return false;
    *rest = want_rest ? like(exception, others) : TY_NULL;
    return *rest || !ty_raised();
}

static Value none_if_null(Value v) { return v ? v : TY_NONE; }

static Value group_split(Value self, Value *a)
{
    Condition condition;
    Value match, rest;
    if (!make_condition(a[0], &condition) || !split(self, &condition, true, &match, &rest))
        return TY_NULL;
    return ty_tuple_pack(2, none_if_null(match), none_if_null(rest));
}
static Value group_subgroup(Value self, Value *a)
{
    Condition condition;
    Value match, rest;
    if (!make_condition(a[0], &condition) || !split(self, &condition, false, &match, &rest))
        return TY_NULL;
    return none_if_null(match);
}
static Value group_derive(Value self, Value *a)
{
    return ty_call_two(ty_from_object(&ty_BaseExceptionGroup), as_group(self)->message, a[0]);
}

/* --- except* --------------------------------------------------------------------------------------------------------------------- */

bool ty_exception_group_match(Value exception, Value class_or_tuple, Value *match, Value *rest)
{
    *match = *rest = TY_NULL;
    if (ty_exception_matches(exception, class_or_tuple)) {
        *match = exception;
        if (!is_group(exception)) {
            Value leaf = ty_tuple_pack(1, exception);
            *match = leaf ? ty_call_two(ty_from_object(&ty_BaseExceptionGroup), ty_str_empty(), leaf) : TY_NULL;
            if (*match)
                ty_store(ty_object(*match), &ty_as_exception(*match)->traceback, ty_field(&ty_as_exception(exception)->traceback));
        }
        return *match != TY_NULL;
    }
    if (!is_group(exception)) {
        *rest = exception;
        return true;
    }
    Value pair = ty_call_method_one(exception, TY_NAME("split"), class_or_tuple);
    if (!pair)
        return false;
    if (!ty_is_tuple(pair))
        return ty_raise(&ty_TypeError, "%T.split must return a tuple, not %T", exception, pair), false;
    if (ty_tuple_length(pair) < 2)
        return ty_raise(&ty_TypeError, "%T.split must return a 2-tuple, got tuple of size %lld", exception, (long long)ty_tuple_length(pair)), false;
    *match = ty_tuple_item(pair, 0) == TY_NONE ? TY_NULL : ty_tuple_item(pair, 0);
    *rest = ty_tuple_item(pair, 1) == TY_NONE ? TY_NULL : ty_tuple_item(pair, 1);
    return true;
}

static Value notes_of(Value exception)
{
    bool failed;
    Value notes = ty_get_attribute_or_null(exception, TY_NAME("__notes__"), &failed);
    if (failed)
        ty_clear_exception();
    return notes;
}

/* Parts of the original group that were raised again, rather than new exceptions, have all its links. */
static bool came_from(Value exception, Value original)
{
    TyException *a = ty_as_exception(exception), *b = ty_as_exception(original);
    return notes_of(exception) == notes_of(original) && ty_field(&a->traceback) == ty_field(&b->traceback) && ty_field(&a->cause) == ty_field(&b->cause) &&
           ty_field(&a->context) == ty_field(&b->context);
}

static bool collect_leaves(Value exception, Value list)
{
    if (!is_group(exception))
        return ty_list_append(list, exception);
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" in collect_exception_group_leaf_ids"), false;
    Value exceptions = as_group(exception)->exceptions;
    for (int64_t i = 0; i < ty_tuple_length(exceptions); i++)
        if (!collect_leaves(ty_tuple_item(exceptions, i), list))
            return false;
    return true;
}

Value ty_exception_group_reraise(Value original, Value list)
{
    int64_t count = ty_list_length(list);
    if (count == 0)
        return TY_NONE;
    if (!is_group(original)) /* wrapped for one clause, which left at most one exception */
        return ty_list_item(list, 0);
    Value raised = ty_list_new(0), leaves = ty_list_new(0);
    if (!raised || !leaves)
        return TY_NULL;
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_list_item(list, i);
        if (item == TY_NONE || !item)
            continue;
        if (came_from(item, original) ? !collect_leaves(item, leaves) : !ty_list_append(raised, item))
            return TY_NULL;
    }
    Value again = TY_NULL, rest;
    if (ty_list_length(leaves)) {
        Condition condition = {BY_IDENTITY, leaves};
        if (!split(original, &condition, false, &again, &rest))
            return TY_NULL;
    }
    if (ty_list_length(raised) == 0)
        return none_if_null(again);
    if (again && !ty_list_append(raised, again))
        return TY_NULL;
    if (ty_list_length(raised) == 1)
        return ty_list_item(raised, 0);
    return ty_call_two(ty_from_object(&ty_BaseExceptionGroup), ty_str_empty(), raised);
}

/* --- the types ---------------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef group_methods[] = {
    TY_CLASS_GETITEM,
    TY_METHOD("derive(self, excs, /)", group_derive, "A group with the same message of other exceptions: what split() and subgroup() make."),
    TY_METHOD("split(self, matcher_value, /)", group_split, "A pair: the part of the group that matches, and the rest; None for an empty part."),
    TY_METHOD("subgroup(self, matcher_value, /)", group_subgroup, "The part of the group that matches, or None."),
    {0}};
static Value get_message(Value self) { return as_group(self)->message; }
static Value get_exceptions(Value self) { return as_group(self)->exceptions; }
static bool read_only(Value self, Value value) { return ty_raise(&ty_AttributeError, "readonly attribute"), false; }
static const TyGetSetDef group_getsets[] = {
    {"message", get_message, read_only, "the message"}, {"exceptions", get_exceptions, read_only, "the exceptions in the group"}, {0}};

TyType ty_BaseExceptionGroup = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyExceptionGroup), .trace = group_trace},
    .flags = TY_TYPE_EXCEPTION | TY_TYPE_WEAKREFABLE,
    .attributes_offset = sizeof(TyExceptionGroup),
    .name = "BaseExceptionGroup",
    .doc = "Several exceptions raised together.",
    .parent = &ty_BaseException,
    .slots = {.new = group_new, .init = group_init, .str = group_str, .repr = group_repr},
    .methods = group_methods,
    .getsets = group_getsets,
};

TyType ty_ExceptionGroup = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyExceptionGroup), .trace = group_trace},
    .flags = TY_TYPE_EXCEPTION | TY_TYPE_WEAKREFABLE,
    .attributes_offset = sizeof(TyExceptionGroup),
    .name = "ExceptionGroup",
    .parent = &ty_BaseExceptionGroup,
    .static_bases = {&ty_BaseExceptionGroup, &ty_Exception},
};
