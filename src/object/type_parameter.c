/* Type parameters and aliases (PEP 484, 646, 612, 695, 696): TypeVar, ParamSpec, TypeVarTuple, TypeAliasType, and what the module _typing gives. Bounds, constraints,
 * defaults and values are computed when they are first asked for. Much of their behaviour is typing's own Python code, called by name. */
#include "object/exception.h"
#include "object/function.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "vm/frame.h"

typedef struct TypeParameter { /* one layout for all three kinds of parameters */
    TyObject base;
    Value name;
    Value bound, evaluate_bound, constraints, evaluate_constraints, default_value, evaluate_default;
    Value crossing; /* as a function's */
    Value attributes_spill;
    bool covariant, contravariant, infer_variance;
} TypeParameter;

typedef struct TypeAlias {
    TyObject base;
    Value name, type_params, value, evaluate, module;
    Value crossing; /* as a function's */
} TypeAlias;

extern TyType ty_typevar_type, ty_paramspec_type, ty_typevartuple_type, ty_typealias_type, ty_generic_type, ty_paramspec_args_type, ty_paramspec_kwargs_type, ty_no_default_type, ty_const_evaluator_type;

static TypeParameter *as_parameter(Value v) { return (TypeParameter *)ty_object(v); }

Value *ty_type_parameter_crossing(Value v)
{
    if (ty_is_exact(v, &ty_typealias_type))
        return &((TypeAlias *)ty_object(v))->crossing;
    return ty_is_exact(v, &ty_typevar_type) || ty_is_exact(v, &ty_paramspec_type) || ty_is_exact(v, &ty_typevartuple_type) ? &as_parameter(v)->crossing : NULL;
}

static TypeAlias *as_alias(Value v) { return (TypeAlias *)ty_object(v); }

static void parameter_trace(TyObject *self, TyMarker *marker)
{
    TypeParameter *p = (TypeParameter *)self;
    ty_mark_range(marker, &p->name, 8);
    ty_attributes_trace(self, ty_object_type(self), marker);
}

static TyObject no_default_object = { .type = &ty_no_default_type };
#define NO_DEFAULT ty_from_object(&no_default_object)
static Value no_default_repr(Value self) { return ty_str_from_text("typing.NoDefault"); }
static Value no_default_reduce(Value self, Value *a) { return ty_str_from_text("NoDefault"); }
static Value no_default_new(TyType *type, const Value *a, size_t count, Value keywords)
{
    return count || (keywords != TY_NULL && ty_tuple_length(keywords)) ? ty_raise(&ty_TypeError, "NoDefaultType takes no arguments") : NO_DEFAULT;
}
static const TyNativeDef no_default_methods[] = { TY_METHOD("__reduce__(self, /)", no_default_reduce, NULL), {0} };
TyType ty_no_default_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "NoDefaultType", .flags = TY_TYPE_FINAL, .doc = "The type of the NoDefault singleton.", .layout = { .size = sizeof(TyObject) },
    .slots = { .repr = no_default_repr, .new = no_default_new }, .methods = no_default_methods,
};

/* Calls a function of the module typing. */
static Value call_typing(const char *name, const Value *arguments, size_t count)
{
    Value module = ty_import_module("typing"), function = module == TY_NULL ? TY_NULL : ty_get_attribute(module, ty_intern_text(name));
    return function == TY_NULL ? TY_NULL : ty_call(function, arguments, count, TY_NULL);
}

static Value type_check(Value v, const char *message)
{
    if (v == TY_NONE)
        return ty_from_object(&ty_none_type);
    Value arguments[2] = { v, ty_str_from_text(message) };
    return call_typing("_type_check", arguments, 2);
}

/* The module of the code that calls, as a str, or None. */
static Value caller_module(void)
{
    TyFrame *frame = ty_thread->frame;
    return frame && frame->function->module != TY_NULL ? frame->function->module : TY_NONE;
}

static bool note_module(Value self)
{
    Value module = caller_module();
    return ty_attributes_set(ty_object(self), ty_type_of(self), TY_NAME("__module__"), module);
}

static Value parameter_new(TyType *type, Value name)
{
    Value v = ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ty_store(ty_object(v), &as_parameter(v)->name, name);
    return v;
}

Value ty_typevar_new(Value name, Value evaluate_bound, Value evaluate_constraints)
{
    Value v = parameter_new(&ty_typevar_type, name);
    if (v == TY_NULL)
        return TY_NULL;
    TypeParameter *p = as_parameter(v);
    ty_store(p, &p->evaluate_bound, evaluate_bound);
    ty_store(p, &p->evaluate_constraints, evaluate_constraints);
    p->infer_variance = true;
    return note_module(v) ? v : TY_NULL;
}

static Value inferred(TyType *type, Value name)
{
    Value v = parameter_new(type, name);
    if (v == TY_NULL)
        return TY_NULL;
    as_parameter(v)->infer_variance = true;
    return note_module(v) ? v : TY_NULL;
}
Value ty_paramspec_new(Value name) { return inferred(&ty_paramspec_type, name); }
Value ty_typevartuple_new(Value name) { return inferred(&ty_typevartuple_type, name); }

Value ty_type_parameter_set_default(Value parameter, Value evaluate)
{
    TypeParameter *p = as_parameter(parameter);
    ty_store(p, &p->evaluate_default, evaluate);
    return parameter;
}

/* An evaluate function of the compiler's takes the format (1: the value). */
static Value evaluated(TyObject *owner, Value *kept, Value *evaluate, Value absent)
{
    Value v = ty_field_acquire(kept);
    if (v != TY_NULL)
        return v;
    Value function = ty_field(evaluate);
    if (function == TY_NULL)
        return absent;
    v = ty_call_one(function, ty_from_immediate_int(1));
    if (v != TY_NULL)
        ty_store_publish(owner, kept, v);
    return v;
}

static Value get_bound(Value self)
{
    TypeParameter *p = as_parameter(self);
    return evaluated(&p->base, &p->bound, &p->evaluate_bound, TY_NONE);
}
static Value get_constraints(Value self)
{
    TypeParameter *p = as_parameter(self);
    return evaluated(&p->base, &p->constraints, &p->evaluate_constraints, ty_tuple_new(0));
}
static Value get_default(Value self)
{
    TypeParameter *p = as_parameter(self);
    return evaluated(&p->base, &p->default_value, &p->evaluate_default, NO_DEFAULT);
}

/* --- the evaluators that annotationlib calls with other formats --------------------------------------------------------------------- */

typedef struct ConstEvaluator { TyObject base; Value value; } ConstEvaluator;
static void evaluator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((ConstEvaluator *)self)->value); }

static Value type_text(Value v)
{
    Value module = ty_import_module("annotationlib");
    Value arguments[1] = { v };
    if (ty_is_tuple(v)) {
        TyStrBuilder b = {0};
        ty_builder_add_text(&b, "(");
        for (int64_t i = 0; i < ty_tuple_length(v); i++) {
            Value part = type_text(ty_tuple_item(v, i));
            if (part == TY_NULL)
                return TY_NULL;
            if (i)
                ty_builder_add_text(&b, ", ");
            ty_builder_add(&b, part);
        }
        ty_builder_add_text(&b, ty_tuple_length(v) == 1 ? ",)" : ")");
        return ty_builder_finish(&b);
    }
    Value function = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("type_repr"));
    return function == TY_NULL ? TY_NULL : ty_call(function, arguments, 1, TY_NULL);
}

static Value evaluator_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    int64_t format = 0;
    if (!ty_no_keywords("constevaluator.__call__", keywords) || !ty_check_positional("constevaluator.__call__", count, 1, 1))
        return TY_NULL;
    if (!ty_is_int(arguments[0]) && !ty_has_index(arguments[0]))
        return ty_raise(&ty_TypeError, "an integer is required (got type %T)", arguments[0]);
    if (!ty_to_int64(arguments[0], &format))
        return TY_NULL;
    Value v = ((ConstEvaluator *)ty_object(self))->value;
    return format == 4 ? type_text(v) : v;
}
static Value evaluator_repr(Value self) { return ty_str_format("<constevaluator %R>", ((ConstEvaluator *)ty_object(self))->value); }
TyType ty_const_evaluator_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "_typing._ConstEvaluator", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW, .layout = { .size = sizeof(ConstEvaluator), .trace = evaluator_trace },
    .slots = { .call = evaluator_call, .repr = evaluator_repr },
};

static Value evaluator(Value evaluate, Value value, Value nothing)
{
    if (evaluate != TY_NULL)
        return evaluate;
    if (value == TY_NULL || value == nothing)
        return TY_NONE;
    ConstEvaluator *e = ty_allocate(&ty_const_evaluator_type, sizeof *e);
    if (!e)
        return TY_NULL;
    ty_store(e, &e->value, value);
    return ty_from_object(e);
}
static Value get_evaluate_bound(Value self) { return evaluator(as_parameter(self)->evaluate_bound, as_parameter(self)->bound, TY_NONE); }
static Value get_evaluate_constraints(Value self) { return evaluator(as_parameter(self)->evaluate_constraints, as_parameter(self)->constraints, TY_NULL); }
static Value get_evaluate_default(Value self) { return evaluator(as_parameter(self)->evaluate_default, as_parameter(self)->default_value, NO_DEFAULT); }

/* --- what parameters have in common ----------------------------------------------------------------------------------------------------- */

static Value parameter_repr(Value self)
{
    TypeParameter *p = as_parameter(self);
    if (p->infer_variance || ty_is_exact(self, &ty_typevartuple_type))
        return p->name;
    return ty_str_format("%c%U", p->covariant ? '+' : p->contravariant ? '-' : '~', p->name);
}
static Value parameter_or(Value left, Value right)
{
    return ty_union_checked(left, right);
}
static Value parameter_has_default(Value self, Value *a)
{
    TypeParameter *p = as_parameter(self);
    return ty_from_bool(p->evaluate_default != TY_NULL || (p->default_value != TY_NULL && p->default_value != NO_DEFAULT));
}
static Value parameter_reduce(Value self, Value *a) { return as_parameter(self)->name; }
static Value parameter_mro_entries(Value self, Value *a)
{
    return ty_raise(&ty_TypeError, "Cannot subclass an instance of %s", ty_type_short_name(ty_type_of(self)));
}
static Value typevar_subst(Value self, Value *a)
{
    Value arguments[2] = { self, a[0] };
    return call_typing("_typevar_subst", arguments, 2);
}
static Value paramspec_subst(Value self, Value *a)
{
    Value arguments[2] = { self, a[0] };
    return call_typing("_paramspec_subst", arguments, 2);
}
static Value paramspec_prepare(Value self, Value *a)
{
    Value arguments[3] = { self, a[0], a[1] };
    return call_typing("_paramspec_prepare_subst", arguments, 3);
}
static Value typevartuple_prepare(Value self, Value *a)
{
    Value arguments[3] = { self, a[0], a[1] };
    return call_typing("_typevartuple_prepare_subst", arguments, 3);
}
static Value typevartuple_subst(Value self, Value *a) { return ty_raise(&ty_TypeError, "Substitution of bare TypeVarTuple is not supported"); }

static Value typevar_prepare(Value self, Value *a)
{
    Value alias = a[0], arguments = a[1];
    Value parameters = ty_get_attribute(alias, TY_NAME("__parameters__"));
    Value list = parameters == TY_NULL ? TY_NULL : ty_sequence_tuple(parameters);
    int64_t given = ty_length(arguments), index = -1;
    if (list == TY_NULL || given < 0)
        return TY_NULL;
    for (int64_t i = 0; i < ty_tuple_length(list); i++)
        if (ty_tuple_item(list, i) == self)
            index = i;
    if (index >= 0 && index < given)
        return arguments;
    if (index == given) {
        Value fallback = get_default(self);
        if (fallback == TY_NULL)
            return TY_NULL;
        if (fallback != NO_DEFAULT)
            return ty_binary(TY_BINARY_ADD, ty_sequence_tuple(arguments), ty_tuple_pack(1, fallback));
    }
    int64_t required = 0; /* those without a default */
    for (int64_t i = 0; i < ty_tuple_length(list); i++) {
        bool failed;
        Value fallback = ty_get_attribute_or_null(ty_tuple_item(list, i), TY_NAME("__default__"), &failed);
        if (failed)
            return TY_NULL;
        required += fallback == TY_NULL || fallback == NO_DEFAULT;
    }
    return ty_raise(&ty_TypeError, "Too few arguments for %S; actual %lld, expected at least %lld", alias, (long long)given, (long long)required);
}

static Value get_own_dict(Value self) { return ty_dict_getset.get(self); }
#define EVALUATED { "__default__", get_default, NULL, "The default value for this type parameter." }, { "evaluate_default", get_evaluate_default, NULL, NULL }, { "__dict__", get_own_dict, NULL, NULL }

static const TyMemberDef parameter_members[] = {
    { "__name__", TY_MEMBER_VALUE, false, offsetof(TypeParameter, name), NULL }, { "__covariant__", TY_MEMBER_BOOL, false, offsetof(TypeParameter, covariant), NULL },
    { "__contravariant__", TY_MEMBER_BOOL, false, offsetof(TypeParameter, contravariant), NULL }, { "__infer_variance__", TY_MEMBER_BOOL, false, offsetof(TypeParameter, infer_variance), NULL }, {0}
};

/* --- constructors ---------------------------------------------------------------------------------------------------------------------------- */

static Value none_given(Value v) { return v == TY_NULL || v == TY_NONE ? TY_NULL : v; }

static bool read_variance(TypeParameter *p, const Value *flags)
{
    bool *places[3] = { &p->covariant, &p->contravariant, &p->infer_variance };
    for (int i = 0; i < 3; i++)
        if (flags[i] != TY_NULL && !ty_to_bool(flags[i], places[i]))
            return false;
    if (p->covariant && p->contravariant)
        return ty_raise(&ty_ValueError, "Bivariant types are not supported."), false;
    if (p->infer_variance && (p->covariant || p->contravariant))
        return ty_raise(&ty_ValueError, "Variance cannot be specified with infer_variance."), false;
    return true;
}

static TySignature typevar_signature = TY_SIGNATURE("typevar(name, *constraints, bound=None, default=None, covariant=False, contravariant=False, infer_variance=False)");

static Value typevar_make(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[7]; /* name, constraints, bound, default, the three flags */
    if (!ty_parse_arguments(&typevar_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "typevar() argument 'name' must be str, not %T", a[0]);
    Value v = parameter_new(type, a[0]);
    if (v == TY_NULL)
        return TY_NULL;
    TypeParameter *p = as_parameter(v);
    if (!read_variance(p, a + 4))
        return TY_NULL;
    if (none_given(a[2]) != TY_NULL) {
        Value bound = type_check(a[2], "Bound must be a type.");
        if (bound == TY_NULL)
            return TY_NULL;
        ty_store(p, &p->bound, bound);
    }
    int64_t n = ty_tuple_length(a[1]);
    if (n == 1)
        return ty_raise(&ty_TypeError, "A single constraint is not allowed");
    if (n > 0 && p->bound != TY_NULL)
        return ty_raise(&ty_TypeError, "Constraints cannot be combined with bound=...");
    Value constraints = n ? ty_tuple_new(n) : TY_NULL;
    for (int64_t i = 0; i < n; i++) {
        Value checked = type_check(ty_tuple_item(a[1], i), "TypeVar(name, constraint, ...): constraints must be types.");
        if (checked == TY_NULL)
            return TY_NULL;
        ty_tuple_set(constraints, i, checked);
    }
    ty_store(p, &p->constraints, constraints);
    ty_store(p, &p->default_value, a[3] == TY_NULL ? NO_DEFAULT : a[3]);
    return note_module(v) ? v : TY_NULL;
}

static TySignature paramspec_signature = TY_SIGNATURE("paramspec(name, *, bound=None, default=None, covariant=False, contravariant=False, infer_variance=False)");
static Value paramspec_make(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[6];
    if (!ty_parse_arguments(&paramspec_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "paramspec() argument 'name' must be str, not %T", a[0]);
    Value v = parameter_new(type, a[0]);
    if (v == TY_NULL || !read_variance(as_parameter(v), a + 3))
        return TY_NULL;
    if (none_given(a[1]) != TY_NULL) {
        ty_store(ty_object(v), &as_parameter(v)->bound, a[1]);
    }
    ty_store(ty_object(v), &as_parameter(v)->default_value, a[2] == TY_NULL ? NO_DEFAULT : a[2]);
    return note_module(v) ? v : TY_NULL;
}

static TySignature typevartuple_signature = TY_SIGNATURE("typevartuple(name, *, default=None)");
static Value typevartuple_make(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&typevartuple_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "typevartuple() argument 'name' must be str, not %T", a[0]);
    Value v = parameter_new(type, a[0]);
    if (v == TY_NULL)
        return TY_NULL;
    ty_store(ty_object(v), &as_parameter(v)->default_value, a[1] == TY_NULL ? NO_DEFAULT : a[1]);
    return note_module(v) ? v : TY_NULL;
}

/* --- the types -------------------------------------------------------------------------------------------------------------------------------- */

#define COMMON_METHODS TY_METHOD("__reduce__(self, /)", parameter_reduce, NULL), TY_METHOD("has_default(self, /)", parameter_has_default, NULL), TY_METHOD("__mro_entries__(self, bases, /)", parameter_mro_entries, NULL)

static const TyNativeDef typevar_methods[] = { COMMON_METHODS, TY_METHOD("__typing_subst__(self, arg, /)", typevar_subst, NULL), TY_METHOD("__typing_prepare_subst__(self, alias, args, /)", typevar_prepare, NULL), {0} };
static const TyGetSetDef typevar_getsets[] = {
    { "__bound__", get_bound, NULL, NULL }, { "__constraints__", get_constraints, NULL, NULL }, { "evaluate_bound", get_evaluate_bound, NULL, NULL }, { "evaluate_constraints", get_evaluate_constraints, NULL, NULL }, EVALUATED, {0}
};
TyType ty_typevar_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "typing.TypeVar", .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE, .doc = "Type variable.",
    .layout = { .size = sizeof(TypeParameter), .trace = parameter_trace }, .attributes_offset = offsetof(TypeParameter, attributes_spill),
    .slots = { .repr = parameter_repr, .new = typevar_make, .binary = { [TY_BINARY_OR] = parameter_or } }, .methods = typevar_methods, .getsets = typevar_getsets, .members = parameter_members,
};

typedef struct ParamSpecPart { TyObject base; Value origin; } ParamSpecPart;
static void part_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((ParamSpecPart *)self)->origin); }
static Value part_new(TyType *type, const Value *a, size_t count, Value keywords)
{
    if (!ty_no_keywords(ty_type_short_name(type), keywords) || !ty_check_positional(ty_type_short_name(type), count, 1, 1))
        return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ty_store(ty_object(v), &((ParamSpecPart *)ty_object(v))->origin, a[0]);
    return v;
}
static Value part_repr(Value self)
{
    Value origin = ((ParamSpecPart *)ty_object(self))->origin;
    const char *suffix = ty_type_of(self) == &ty_paramspec_args_type ? "args" : "kwargs";
    return ty_is_exact(origin, &ty_paramspec_type) ? ty_str_format("%U.%s", as_parameter(origin)->name, suffix) : ty_str_format("%R.%s", origin, suffix);
}
static Value part_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || ty_type_of(left) != ty_type_of(right))
        return TY_NOT_IMPLEMENTED;
    return ty_compare(((ParamSpecPart *)ty_object(left))->origin, ((ParamSpecPart *)ty_object(right))->origin, op);
}
static int64_t part_hash(Value self)
{
    int64_t h = ty_hash(((ParamSpecPart *)ty_object(self))->origin);
    return h == -1 ? -1 : h ^ (ty_type_of(self) == &ty_paramspec_args_type ? 0 : 0x5bd1e995);
}
static const TyMemberDef part_members[] = { { "__origin__", TY_MEMBER_VALUE, false, offsetof(ParamSpecPart, origin), NULL }, {0} };
static const TyNativeDef part_methods[] = { TY_METHOD("__mro_entries__(self, bases, /)", parameter_mro_entries, NULL), {0} };
#define PART(variable, shown) TyType variable = { .base = TY_STATIC_HEADER(ty_type_type), .name = shown, .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE, .layout = { .size = sizeof(ParamSpecPart), .trace = part_trace }, \
    .slots = { .repr = part_repr, .compare = part_compare, .hash = part_hash, .new = part_new }, .members = part_members, .methods = part_methods }
PART(ty_paramspec_args_type, "typing.ParamSpecArgs");
PART(ty_paramspec_kwargs_type, "typing.ParamSpecKwargs");

static Value get_args(Value self) { return part_new(&ty_paramspec_args_type, &self, 1, TY_NULL); }
static Value get_kwargs(Value self) { return part_new(&ty_paramspec_kwargs_type, &self, 1, TY_NULL); }
static const TyNativeDef paramspec_methods[] = { COMMON_METHODS, TY_METHOD("__typing_subst__(self, arg, /)", paramspec_subst, NULL), TY_METHOD("__typing_prepare_subst__(self, alias, args, /)", paramspec_prepare, NULL), {0} };
static const TyGetSetDef paramspec_getsets[] = { { "args", get_args, NULL, NULL }, { "kwargs", get_kwargs, NULL, NULL }, { "__bound__", get_bound, NULL, NULL }, EVALUATED, {0} };
TyType ty_paramspec_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "typing.ParamSpec", .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE, .doc = "Parameter specification variable.",
    .layout = { .size = sizeof(TypeParameter), .trace = parameter_trace }, .attributes_offset = offsetof(TypeParameter, attributes_spill),
    .slots = { .repr = parameter_repr, .new = paramspec_make, .binary = { [TY_BINARY_OR] = parameter_or } }, .methods = paramspec_methods, .getsets = paramspec_getsets, .members = parameter_members,
};

static Value typevartuple_iter(Value self)
{
    Value module = ty_import_module("typing"), unpack = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("Unpack"));
    Value unpacked = unpack == TY_NULL ? TY_NULL : ty_get_item(unpack, self), one = unpacked == TY_NULL ? TY_NULL : ty_tuple_pack(1, unpacked);
    return one == TY_NULL ? TY_NULL : ty_iter(one);
}
static const TyNativeDef typevartuple_methods[] = { COMMON_METHODS, TY_METHOD("__typing_subst__(self, arg, /)", typevartuple_subst, NULL), TY_METHOD("__typing_prepare_subst__(self, alias, args, /)", typevartuple_prepare, NULL), {0} };
static const TyGetSetDef typevartuple_getsets[] = { EVALUATED, {0} };
static const TyMemberDef typevartuple_members[] = { { "__name__", TY_MEMBER_VALUE, false, offsetof(TypeParameter, name), NULL }, {0} };
TyType ty_typevartuple_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "typing.TypeVarTuple", .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE, .doc = "Type variable tuple.",
    .layout = { .size = sizeof(TypeParameter), .trace = parameter_trace }, .attributes_offset = offsetof(TypeParameter, attributes_spill),
    .slots = { .repr = parameter_repr, .new = typevartuple_make, .iter = typevartuple_iter }, .methods = typevartuple_methods, .getsets = typevartuple_getsets, .members = typevartuple_members,
};

/* --- aliases ------------------------------------------------------------------------------------------------------------------------------------ */

static void alias_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TypeAlias *)self)->name, 6); }

static Value alias_make(Value name, Value params, Value value, Value evaluate, Value module)
{
    TypeAlias *alias = ty_allocate(&ty_typealias_type, sizeof *alias);
    if (!alias)
        return TY_NULL;
    ty_store(alias, &alias->name, name);
    ty_store(alias, &alias->type_params, params);
    ty_store(alias, &alias->value, value);
    ty_store(alias, &alias->evaluate, evaluate);
    ty_store(alias, &alias->module, module);
    return ty_from_object(alias);
}

bool ty_is_type_alias(Value v) { return ty_is_exact(v, &ty_typealias_type); }

void ty_typealias_parts(Value v, Value parts[TY_ALIAS_PARTS])
{
    TypeAlias *alias = as_alias(v);
    Value evaluate = ty_field(&alias->evaluate);
    Value all[TY_ALIAS_PARTS] = { alias->name, alias->type_params, alias->module, evaluate == TY_NULL ? ty_field(&alias->value) : TY_NULL, evaluate };
    memcpy(parts, all, sizeof all);
}

Value ty_typealias_shell(Value name, Value type_params, Value module) { return alias_make(name, type_params, TY_NULL, TY_NULL, module); }

void ty_typealias_fill(Value v, Value value, Value evaluate)
{
    TypeAlias *alias = as_alias(v);
    ty_store(alias, &alias->evaluate, evaluate);
    ty_store_publish(alias, &alias->value, value);
}

Value ty_typealias_new(Value name, Value type_params, Value evaluate) { return alias_make(name, type_params == TY_NONE ? TY_NULL : type_params, TY_NULL, evaluate, caller_module()); }

static TySignature alias_signature = TY_SIGNATURE("typealias(name, value, *, type_params=())");
static Value alias_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[3];
    if (!ty_parse_arguments(&alias_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "typealias() argument 'name' must be str, not %T", a[0]);
    if (a[2] != TY_NULL && !ty_is_tuple(a[2]))
        return ty_raise(&ty_TypeError, "type_params must be a tuple");
    bool defaults = false;
    for (int64_t i = 0; a[2] != TY_NULL && i < ty_tuple_length(a[2]); i++) {
        Value p = ty_tuple_item(a[2], i);
        bool is_tuple = ty_is_exact(p, &ty_typevartuple_type);
        if (!is_tuple && !ty_is_exact(p, &ty_typevar_type) && !ty_is_exact(p, &ty_paramspec_type)) {
            Value claimed = ty_get_attribute(p, TY_NAME("__default__"));
            if (claimed == TY_NULL) {
                ty_clear_exception();
                return ty_raise(&ty_TypeError, "Expected a type param, got %R", p);
            }
            continue;
        }
        bool has = parameter_has_default(p, NULL) == TY_TRUE;
        if (!has && defaults)
            return ty_raise(&ty_TypeError, "non-default type parameter '%R' follows default type parameter", p);
        defaults |= has;
    }
    return alias_make(a[0], a[2] == TY_NULL || ty_tuple_length(a[2]) == 0 ? TY_NULL : a[2], a[1], TY_NULL, caller_module());
}

static Value alias_get_value(Value self)
{
    TypeAlias *t = as_alias(self);
    return evaluated(&t->base, &t->value, &t->evaluate, TY_NONE);
}
static Value alias_get_params(Value self) { return as_alias(self)->type_params == TY_NULL ? ty_tuple_new(0) : as_alias(self)->type_params; }
static Value alias_get_parameters(Value self)
{
    if (as_alias(self)->type_params == TY_NULL)
        return ty_tuple_new(0);
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && i < ty_tuple_length(as_alias(self)->type_params); i++) {
        Value p = ty_tuple_item(as_alias(self)->type_params, i);
        if (ty_is_exact(p, &ty_typevartuple_type)) {
            Value unpacked = typevartuple_iter(p);
            p = unpacked == TY_NULL ? TY_NULL : ty_next(unpacked);
        }
        if (p == TY_NULL || !ty_list_append(list, p))
            return TY_NULL;
    }
    return list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}
static Value alias_get_module(Value self)
{
    Value m = as_alias(self)->module;
    return m == TY_NULL ? TY_NONE : m;
}
static Value alias_get_evaluate(Value self) { return evaluator(as_alias(self)->evaluate, as_alias(self)->value, TY_NULL); }
static Value alias_repr(Value self) { return as_alias(self)->name; }
static Value alias_item(Value self, Value key)
{
    if (as_alias(self)->type_params == TY_NULL)
        return ty_raise(&ty_TypeError, "Only generic type aliases are subscriptable");
    return ty_generic_alias_new(self, key);
}
static Value alias_iter(Value self)
{
    Value module = ty_import_module("typing"), unpack = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("Unpack"));
    Value unpacked = unpack == TY_NULL ? TY_NULL : ty_get_item(unpack, self), one = unpacked == TY_NULL ? TY_NULL : ty_tuple_pack(1, unpacked);
    return one == TY_NULL ? TY_NULL : ty_iter(one);
}
static Value alias_reduce(Value self, Value *a) { return as_alias(self)->name; }
static const TyNativeDef alias_methods[] = { TY_METHOD("__reduce__(self, /)", alias_reduce, NULL), {0} };
static const TyMemberDef alias_members[] = { { "__name__", TY_MEMBER_VALUE, false, offsetof(TypeAlias, name), NULL }, {0} };
static const TyGetSetDef alias_getsets[] = {
    { "__value__", alias_get_value, NULL, NULL }, { "evaluate_value", alias_get_evaluate, NULL, NULL }, { "__type_params__", alias_get_params, NULL, NULL }, { "__parameters__", alias_get_parameters, NULL, NULL },
    { "__module__", alias_get_module, NULL, NULL }, {0}
};
TyType ty_typealias_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "typing.TypeAliasType", .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE, .doc = "Type alias.", .layout = { .size = sizeof(TypeAlias), .trace = alias_trace },
    .slots = { .repr = alias_repr, .get_item = alias_item, .iter = alias_iter, .new = alias_new, .binary = { [TY_BINARY_OR] = parameter_or } }, .methods = alias_methods, .members = alias_members, .getsets = alias_getsets,
};

/* --- Generic ---------------------------------------------------------------------------------------------------------------------------------------- */

static Value call_typing_class(const char *function, Value class, const Value *arguments, size_t count, Value keywords)
{
    Value module = ty_import_module("typing"), f = module == TY_NULL ? TY_NULL : ty_get_attribute(module, ty_intern_text(function));
    return f == TY_NULL ? TY_NULL : ty_call_prepended(f, class, arguments, count, keywords);
}
static Value generic_class_getitem(Value self, const Value *a, size_t count, Value keywords) { return call_typing_class("_generic_class_getitem", self, a, count, keywords); }
static Value generic_init_subclass(Value self, const Value *a, size_t count, Value keywords) { return call_typing_class("_generic_init_subclass", self, a, count, keywords); }
static const TyNativeDef generic_methods[] = {
    TY_RAW_CLASS_METHOD("__class_getitem__(type, *args, **kwargs)", generic_class_getitem, "Parameterizes a generic class."),
    TY_RAW_CLASS_METHOD("__init_subclass__(type, *args, **kwargs)", generic_init_subclass, "Function to initialize subclasses."), {0}
};
TyType ty_generic_type = { .base = TY_STATIC_HEADER(ty_type_type), .name = "typing.Generic", .flags = TY_TYPE_SHOWN_AS_HEAP, .doc = "Abstract base class for generic types", .layout = { .size = sizeof(TyObject) }, .methods = generic_methods };

Value ty_subscript_generic(Value parameters)
{
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && i < ty_tuple_length(parameters); i++) {
        Value p = ty_tuple_item(parameters, i);
        if (ty_is_exact(p, &ty_typevartuple_type)) {
            Value iterator = typevartuple_iter(p);
            p = iterator == TY_NULL ? TY_NULL : ty_next(iterator);
        }
        if (p == TY_NULL || !ty_list_append(list, p))
            return TY_NULL;
    }
    Value arguments[2] = { ty_from_object(&ty_generic_type), list == TY_NULL ? TY_NULL : ty_list_to_tuple(list) };
    return arguments[1] == TY_NULL ? TY_NULL : call_typing("_GenericAlias", arguments, 2);
}

/* --- the module _typing --------------------------------------------------------------------------------------------------------------------------------- */

static Value typing_idfunc(Value self, Value *a) { return a[0]; }
static const TyNativeDef typing_functions[] = { TY_FUNCTION("_idfunc(x, /)", typing_idfunc, NULL), {0} };
static bool typing_execute(Value module)
{
    return ty_module_add(module, "NoDefault", NO_DEFAULT) && ty_module_add(module, "Union", ty_from_object(&ty_union_type));
}
static TyType *const typing_types[] = { &ty_typevar_type, &ty_paramspec_type, &ty_paramspec_args_type, &ty_paramspec_kwargs_type, &ty_typevartuple_type, &ty_typealias_type, &ty_generic_type, NULL };
const TyModuleDef ty_module__typing = { .name = "_typing", .doc = "Primitives and accelerators for the typing module.\n", .functions = typing_functions, .types = typing_types, .execute = typing_execute };
