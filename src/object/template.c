#include "object/template.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

#define MODULE "string.templatelib."

/* --- Interpolation ------------------------------------------------------------------------------------------------------ */

static TyInterpolation *as_interpolation(Value v) { return (TyInterpolation *)ty_object(v); }

static void interpolation_trace(TyObject *self, TyMarker *marker)
{
    TyInterpolation *i = (TyInterpolation *)self;
    ty_mark_range(marker, &i->value, 4);
}

/* The class attribute that patterns read: put into the type with its first instance, without which there is nothing to match. */
static bool add_match_args(void)
{
    static _Atomic bool done;
    if (TY_LIKELY(ty_load_acquire(&done)))
        return true;
    Value names = ty_tuple_pack(4, TY_NAME("value"), TY_NAME("expression"), TY_NAME("conversion"), TY_NAME("format_spec"));
    if (names == TY_NULL || !ty_dict_set_text(ty_interpolation_type.dict, "__match_args__", names))
        return false;
    ty_type_modified(&ty_interpolation_type);
    ty_store_release(&done, true);
    return true;
}

Value ty_interpolation_new(Value value, Value expression, Value conversion, Value format_spec)
{
    TyInterpolation *i = add_match_args() ? ty_allocate(&ty_interpolation_type, sizeof(TyInterpolation)) : NULL;
    if (!i)
        return TY_NULL;
    ty_store(i, &i->value, value);
    ty_store(i, &i->expression, expression);
    ty_store(i, &i->conversion, conversion);
    ty_store(i, &i->format_spec, format_spec);
    return ty_from_object(i);
}

static Value interpolation_type_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("Interpolation(value, expression='', conversion=None, format_spec='')");
    Value a[4];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    Value expression = a[1] == TY_NULL ? ty_str_empty() : a[1], conversion = a[2] == TY_NULL ? TY_NONE : a[2];
    Value format_spec = a[3] == TY_NULL ? ty_str_empty() : a[3];
    if (!ty_is_str(expression))
        return ty_raise(&ty_TypeError, "Interpolation() argument 'expression' must be str, not %T", expression);
    if (conversion != TY_NONE) {
        if (!ty_is_str(conversion))
            return ty_raise(&ty_TypeError, "Interpolation() argument 'conversion' must be str, not %T", conversion);
        if (!ty_str_equal_text(conversion, "s") && !ty_str_equal_text(conversion, "a") && !ty_str_equal_text(conversion, "r"))
            return ty_raise(&ty_ValueError, "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'");
    }
    if (!ty_is_str(format_spec))
        return ty_raise(&ty_TypeError, "Interpolation() argument 'format_spec' must be str, not %T", format_spec);
    return ty_interpolation_new(a[0], expression, conversion, format_spec);
}

static Value interpolation_repr(Value self)
{
    TyInterpolation *i = as_interpolation(self);
    return ty_str_format("Interpolation(%R, %R, %R, %R)", i->value, i->expression, i->conversion, i->format_spec);
}

static Value interpolation_reduce(Value self, Value *a)
{
    TyInterpolation *i = as_interpolation(self);
    return ty_tuple_pack(2, ty_from_object(ty_object_type(ty_object(self))),
                         ty_tuple_pack(4, i->value, i->expression, i->conversion, i->format_spec));
}

static const TyMemberDef interpolation_members[] = {
    {"value", TY_MEMBER_VALUE, false, offsetof(TyInterpolation, value), "What the expression gave."},
    {"expression", TY_MEMBER_VALUE, false, offsetof(TyInterpolation, expression), "The text of the expression."},
    {"conversion", TY_MEMBER_VALUE, false, offsetof(TyInterpolation, conversion), "The conversion asked for: 's', 'a', 'r' or None."},
    {"format_spec", TY_MEMBER_VALUE, false, offsetof(TyInterpolation, format_spec), "The format specification."},
    {0},
};

static const TyNativeDef interpolation_methods[] = {
    TY_METHOD("__reduce__(self, /)", interpolation_reduce, "Return state information for pickling."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_interpolation_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyInterpolation), .trace = interpolation_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE,
    .name = MODULE "Interpolation",
    .doc = "Interpolation object",
    .slots = {.repr = interpolation_repr, .new = interpolation_type_new},
    .methods = interpolation_methods,
    .members = interpolation_members,
};

/* --- Template ------------------------------------------------------------------------------------------------------------------ */

static TyTemplate *as_template(Value v) { return (TyTemplate *)ty_object(v); }

static void template_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyTemplate *)self)->strings, 2); }

Value ty_template_new(Value strings, Value interpolations)
{
    TyTemplate *t = ty_allocate(&ty_template_type, sizeof(TyTemplate));
    if (!t)
        return TY_NULL;
    ty_store(t, &t->strings, strings);
    ty_store(t, &t->interpolations, interpolations);
    return ty_from_object(t);
}

/* Strings side by side are joined; between two interpolations, and at both ends, there is always one. */
static Value template_type_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (keywords != TY_NULL && ty_tuple_length(keywords) > 0)
        return ty_raise(&ty_TypeError, "Template.__new__ only accepts *args arguments");
    Value strings = ty_list_new(0), interpolations = ty_list_new(0), text = ty_str_empty();
    if (strings == TY_NULL || interpolations == TY_NULL)
        return TY_NULL;
    for (size_t i = 0; i < count; i++) {
        Value part = arguments[i];
        if (ty_is_str(part)) {
            text = ty_str_concat(text, part);
            if (text == TY_NULL)
                return TY_NULL;
        } else if (ty_is_exact(part, &ty_interpolation_type)) {
            if (!ty_list_append(strings, text) || !ty_list_append(interpolations, part))
                return TY_NULL;
            text = ty_str_empty();
        } else {
            return ty_raise(&ty_TypeError, "Template.__new__ *args need to be of type 'str' or 'Interpolation', got %T", part);
        }
    }
    if (!ty_list_append(strings, text))
        return TY_NULL;
    strings = ty_list_to_tuple(strings);
    interpolations = ty_list_to_tuple(interpolations);
    return strings == TY_NULL || interpolations == TY_NULL ? TY_NULL : ty_template_new(strings, interpolations);
}

static Value template_repr(Value self)
{
    TyTemplate *t = as_template(self);
    return ty_str_format("Template(strings=%R, interpolations=%R)", t->strings, t->interpolations);
}

static Value template_concat(Value left, Value right)
{
    if (!ty_is_exact(left, &ty_template_type) || !ty_is_exact(right, &ty_template_type))
        return ty_raise(&ty_TypeError, "can only concatenate string.templatelib.Template (not \"%N\") to string.templatelib.Template", right);
    TyTemplate *a = as_template(left), *b = as_template(right);
    int64_t m = ty_tuple_length(a->strings), n = ty_tuple_length(b->strings);
    Value strings = ty_tuple_new(m + n - 1);
    Value middle = ty_str_concat(ty_tuple_item(a->strings, m - 1), ty_tuple_item(b->strings, 0));
    if (strings == TY_NULL || middle == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < m + n - 1; i++)
        ty_tuple_set(strings, i, i < m - 1 ? ty_tuple_item(a->strings, i) : i == m - 1 ? middle : ty_tuple_item(b->strings, i - m + 1));
    Value interpolations = ty_binary(TY_BINARY_ADD, a->interpolations, b->interpolations);
    return interpolations == TY_NULL ? TY_NULL : ty_template_new(strings, interpolations);
}

static Value template_values(Value self)
{
    Value interpolations = as_template(self)->interpolations;
    int64_t count = ty_tuple_length(interpolations);
    Value values = ty_tuple_new(count);
    for (int64_t i = 0; values != TY_NULL && i < count; i++)
        ty_tuple_set(values, i, as_interpolation(ty_tuple_item(interpolations, i))->value);
    return values;
}

static Value template_reduce(Value self, Value *a)
{
    TyTemplate *t = as_template(self);
    Value module = ty_import_module("string.templatelib");
    Value function = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("_template_unpickle"));
    return function == TY_NULL ? TY_NULL : ty_tuple_pack(2, function, ty_tuple_pack(2, t->strings, t->interpolations));
}

static const TyMemberDef template_members[] = {
    {"strings", TY_MEMBER_VALUE, false, offsetof(TyTemplate, strings), "The strings between and around the interpolations."},
    {"interpolations", TY_MEMBER_VALUE, false, offsetof(TyTemplate, interpolations), "The interpolations."},
    {0},
};

static const TyGetSetDef template_getsets[] = {
    {"values", template_values, NULL, "The values of the interpolations."},
    {0},
};

static const TyNativeDef template_methods[] = {
    TY_METHOD("__reduce__(self, /)", template_reduce, NULL),
    TY_CLASS_GETITEM,
    {0},
};

/* --- its iterator: the strings that are not empty and the interpolations, in order -------------------------------------------------- */

typedef struct TemplateIterator {
    TyObject base;
    Value template;
    _Atomic int64_t index; /* even: strings; odd: interpolations */
} TemplateIterator;

extern TyType ty_template_iterator_type;

static void iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((TemplateIterator *)self)->template); }

static Value template_iter(Value self)
{
    TemplateIterator *iterator = ty_allocate(&ty_template_iterator_type, sizeof(TemplateIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->template, self);
    return ty_from_object(iterator);
}

static Value iterator_next(Value self)
{
    TemplateIterator *iterator = (TemplateIterator *)ty_object(self);
    TyTemplate *t = as_template(iterator->template);
    for (;;) {
        int64_t index = ty_load_relaxed(&iterator->index), at = index >> 1;
        if (at >= ty_tuple_length(index & 1 ? t->interpolations : t->strings))
            return TY_NULL;
        ty_store_relaxed(&iterator->index, index + 1);
        Value part = ty_tuple_item(index & 1 ? t->interpolations : t->strings, at);
        if ((index & 1) || ty_str_length(part) > 0)
            return part;
    }
}

static Value iterator_self(Value self) { return self; }

TyType ty_template_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TemplateIterator), .trace = iterator_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .name = MODULE "TemplateIter",
    .slots = {.iter = iterator_self, .next = iterator_next},
};

TyType ty_template_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyTemplate), .trace = template_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE,
    .name = MODULE "Template",
    .doc = "Template object",
    .slots = {.repr = template_repr, .iter = template_iter, .new = template_type_new, .concat = template_concat},
    .methods = template_methods,
    .members = template_members,
    .getsets = template_getsets,
};
