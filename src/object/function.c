#include "object/function.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

/* --- functions --------------------------------------------------------------------------------------------------------- */

static void function_trace(TyObject *self, TyMarker *marker)
{
    TyFunction *f = (TyFunction *)self;
    ty_mark_object(marker, (TyObject *)f->code);
    TyCaches *caches = ty_load_relaxed(&f->caches);
    if (caches)
        ty_mark_object(marker, &caches->base);
    ty_mark_range(marker, &f->globals, (Value *)&f->attributes_spill - &f->globals);
    ty_attributes_trace(self, &ty_function_type, marker);
}

static Value builtins_of(Value globals)
{
    Value builtins = ty_dict_get_str(globals, TY_NAME("__builtins__"));
    if (builtins == TY_NULL)
        return ty_raised() ? TY_NULL : ty_current_builtins();
    if (ty_is_module(builtins))
        return ty_module_dict(builtins);
    return builtins;
}

Value ty_function_new(TyCode *code, Value globals)
{
    TyFunction *f = ty_allocate(&ty_function_type, sizeof *f);
    if (!f)
        return TY_NULL;
    TyCaches *caches = ty_load_acquire(&code->caches);
    f->code = code;
    if (caches && caches->interpreter_id == ty_interpreter()->id)
        ty_store_relaxed(&f->caches, caches);
    ty_store(f, &f->globals, globals);
    Value builtins = builtins_of(globals);
    if (builtins == TY_NULL)
        return TY_NULL;
    ty_store(f, &f->builtins, builtins);
    ty_store(f, &f->name, code->name);
    ty_store(f, &f->qualname, code->qualname);
    Value module = ty_dict_get_str(globals, TY_NAME("__name__"));
    if (module == TY_NULL && ty_raised())
        return TY_NULL;
    ty_store(f, &f->module, module);
    Value doc = TY_NONE;
    if ((code->flags & TY_CODE_HAS_DOCSTRING) && ty_tuple_length(code->consts) > 0)
        doc = ty_tuple_item(code->consts, 0);
    ty_store(f, &f->doc, doc);
    return ty_from_object(f);
}

TyCaches *ty_function_caches(TyFunction *function, TyCode *code)
{
    TyCaches *caches = ty_code_caches_slow(code);
    if (caches && function->code == code) /* no safepoint between this look and the store */
        ty_store_release(&function->caches, caches);
    return caches;
}

static Value function_repr(Value self) { return ty_str_format("<function %U at %p>", ty_as_function(self)->qualname, (void *)(uintptr_t)self); }

static Value function_get(Value self, Value object, Value type) { return object == TY_NULL ? self : ty_bound_method_new(self, object); }

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }

#define FIELD_GETTER(name, field) static Value get_##name(Value self) { return or_none(ty_field(&ty_as_function(self)->field)); }
FIELD_GETTER(name, name)
FIELD_GETTER(qualname, qualname)
FIELD_GETTER(defaults, defaults)
FIELD_GETTER(kwdefaults, kwdefaults)
FIELD_GETTER(module, module)
FIELD_GETTER(doc, doc)

static bool set_field(Value self, Value *field, Value value)
{
    ty_store_publish(ty_object(self), field, value);
    return true;
}

static bool set_name(Value self, Value value)
{
    if (value == TY_NULL || !ty_is_str(value))
        return ty_raise(&ty_TypeError, "__name__ must be set to a string object"), false;
    return set_field(self, &ty_as_function(self)->name, value);
}

static bool set_qualname(Value self, Value value)
{
    if (value == TY_NULL || !ty_is_str(value))
        return ty_raise(&ty_TypeError, "__qualname__ must be set to a string object"), false;
    return set_field(self, &ty_as_function(self)->qualname, value);
}

static bool set_defaults(Value self, Value value)
{
    if (value == TY_NONE)
        value = TY_NULL;
    if (value != TY_NULL && !ty_is_tuple(value))
        return ty_raise(&ty_TypeError, "__defaults__ must be set to a tuple object"), false;
    return set_field(self, &ty_as_function(self)->defaults, value);
}

static bool set_kwdefaults(Value self, Value value)
{
    if (value == TY_NONE)
        value = TY_NULL;
    if (value != TY_NULL && !ty_is_dict(value))
        return ty_raise(&ty_TypeError, "__kwdefaults__ must be set to a dict object"), false;
    return set_field(self, &ty_as_function(self)->kwdefaults, value);
}

static bool set_module(Value self, Value value) { return set_field(self, &ty_as_function(self)->module, value); }
static bool set_doc(Value self, Value value) { return set_field(self, &ty_as_function(self)->doc, or_none(value)); }

static Value get_code(Value self) { return ty_from_object(ty_as_function(self)->code); }

static bool set_code(Value self, Value value)
{
    if (value == TY_NULL || !ty_is_exact(value, &ty_code_type))
        return ty_raise(&ty_TypeError, "__code__ must be set to a code object"), false;
    TyFunction *f = ty_as_function(self);
    TyCode *code = (TyCode *)ty_object(value);
    int64_t closure = f->closure == TY_NULL ? 0 : ty_tuple_length(f->closure);
    if (code->free_count != closure)
        return ty_raise(&ty_ValueError, "%U() requires a code object with %lld free vars, not %u", f->name, (long long)closure, code->free_count), false;
    if ((code->flags & TY_CODE_ANY_GENERATOR) != (f->code->flags & TY_CODE_ANY_GENERATOR)
        && !ty_warn(&ty_DeprecationWarning, 1, "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)"))
        return false;
    /* A call that races with this could pair one code with the other's caches: both change while no other thread runs. */
    ty_world_stop();
    f->code = code;
    ty_store_relaxed(&f->caches, NULL);
    ty_world_start();
    return true;
}

static Value get_annotate(Value self) { return or_none(ty_field(&ty_as_function(self)->annotate)); }

static bool set_annotate(Value self, Value value)
{
    TyFunction *f = ty_as_function(self);
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "__annotate__ cannot be deleted"), false;
    if (value == TY_NONE)
        return set_field(self, &f->annotate, TY_NULL);
    if (!ty_is_callable(value))
        return ty_raise(&ty_TypeError, "__annotate__ must be callable or None"), false;
    set_field(self, &f->annotations, TY_NULL);
    return set_field(self, &f->annotate, value);
}

static Value get_annotations(Value self)
{
    TyFunction *f = ty_as_function(self);
    Value annotations = ty_field_acquire(&f->annotations);
    if (annotations != TY_NULL && !ty_is_tuple(annotations))
        return annotations;
    Value annotate = ty_field(&f->annotate);
    if (annotations != TY_NULL) { /* names and values in turn */
        Value dict = ty_dict_new();
        for (int64_t i = 0; dict != TY_NULL && i + 1 < ty_tuple_length(annotations); i += 2)
            if (!ty_dict_set(dict, ty_tuple_item(annotations, i), ty_tuple_item(annotations, i + 1)))
                return TY_NULL;
        annotations = dict;
    } else if (annotate != TY_NULL && annotate != TY_NONE) {
        annotations = ty_call_one(annotate, ty_from_immediate_int(1));
        if (annotations != TY_NULL && !ty_is_dict(annotations))
            return ty_raise(&ty_TypeError, "__annotate__ returned non-dict of type '%T'", annotations);
    } else
        annotations = ty_dict_new();
    if (annotations != TY_NULL)
        ty_store_publish(f, &f->annotations, annotations);
    return annotations;
}

static bool set_annotations(Value self, Value value)
{
    if (value == TY_NONE)
        value = TY_NULL;
    if (value != TY_NULL && !ty_is_dict(value))
        return ty_raise(&ty_TypeError, "__annotations__ must be set to a dict object"), false;
    set_field(self, &ty_as_function(self)->annotate, TY_NULL);
    return set_field(self, &ty_as_function(self)->annotations, value);
}

static Value get_type_params(Value self)
{
    Value params = ty_field(&ty_as_function(self)->type_params);
    return params == TY_NULL ? ty_tuple_new(0) : params;
}

static bool set_type_params(Value self, Value value)
{
    if (value == TY_NULL || !ty_is_tuple(value))
        return ty_raise(&ty_TypeError, "__type_params__ must be set to a tuple"), false;
    return set_field(self, &ty_as_function(self)->type_params, value);
}

static TySignature function_signature = TY_SIGNATURE("function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)");

static Value function_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value a[6];
    if (!ty_parse_arguments(&function_signature, arguments, count, keywords, a))
        return TY_NULL;
    if (!ty_is_exact(a[0], &ty_code_type))
        return ty_raise(&ty_TypeError, "function() argument 'code' must be code, not %T", a[0]);
    if (!ty_is_dict(a[1]))
        return ty_raise(&ty_TypeError, "function() argument 'globals' must be dict, not %T", a[1]);
    if (a[2] != TY_NULL && a[2] != TY_NONE && !ty_is_str(a[2]))
        return ty_raise(&ty_TypeError, "arg 3 (name) must be None or string");
    if (a[3] != TY_NULL && a[3] != TY_NONE && !ty_is_tuple(a[3]))
        return ty_raise(&ty_TypeError, "arg 4 (defaults) must be None or tuple");
    if (a[5] != TY_NULL && a[5] != TY_NONE && !ty_is_dict(a[5]))
        return ty_raise(&ty_TypeError, "arg 6 (kwdefaults) must be None or dict");
    TyCode *code = (TyCode *)ty_object(a[0]);
    Value closure = a[4] == TY_NULL || a[4] == TY_NONE ? TY_NULL : a[4];
    if (closure != TY_NULL && !ty_is_tuple(closure))
        return code->free_count ? ty_raise(&ty_TypeError, "arg 5 (closure) must be tuple") : ty_raise(&ty_TypeError, "arg 5 (closure) must be None or tuple");
    if (closure == TY_NULL && code->free_count)
        return ty_raise(&ty_TypeError, "arg 5 (closure) must be tuple");
    int64_t n = closure == TY_NULL ? 0 : ty_tuple_length(closure);
    if (n != code->free_count)
        return ty_raise(&ty_ValueError, "%U requires closure of length %u, not %lld", code->name, code->free_count, (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (!ty_is_exact(ty_tuple_item(closure, i), &ty_cell_type))
            return ty_raise(&ty_TypeError, "arg 5 (closure) expected cell, found %T", ty_tuple_item(closure, i));
    Value made = ty_function_new(code, a[1]);
    if (made == TY_NULL)
        return TY_NULL;
    TyFunction *f = ty_as_function(made);
    if (a[2] != TY_NULL && a[2] != TY_NONE)
        ty_store(f, &f->name, a[2]);
    if (a[3] != TY_NULL && a[3] != TY_NONE)
        ty_store(f, &f->defaults, a[3]);
    if (a[5] != TY_NULL && a[5] != TY_NONE)
        ty_store(f, &f->kwdefaults, a[5]);
    ty_store(f, &f->closure, closure);
    return made;
}

static Value own_dict(Value self) { return ty_attributes_dict(ty_object(self), ty_type_of(self)); }
static bool set_own_dict(Value self, Value value) { return ty_dict_getset.set(self, value); }

static const TyGetSetDef function_getsets[] = {
    { "__code__", get_code, set_code, NULL }, { "__defaults__", get_defaults, set_defaults, NULL }, { "__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL },
    { "__annotations__", get_annotations, set_annotations, NULL }, { "__annotate__", get_annotate, set_annotate, NULL }, { "__name__", get_name, set_name, NULL },
    { "__qualname__", get_qualname, set_qualname, NULL }, 
    { "__module__", get_module, set_module, NULL }, { "__doc__", get_doc, set_doc, NULL },
    { "__type_params__", get_type_params, set_type_params, NULL }, { "__dict__", own_dict, set_own_dict, NULL }, {0}
};

static const TyMemberDef function_members[] = {
    { "__closure__", TY_MEMBER_VALUE_NONE, false, offsetof(TyFunction, closure), NULL }, { "__globals__", TY_MEMBER_VALUE_NONE, false, offsetof(TyFunction, globals), NULL },
    { "__builtins__", TY_MEMBER_VALUE_NONE, false, offsetof(TyFunction, builtins), NULL }, {0}
};

TyType ty_function_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "function", .flags = TY_TYPE_FINAL | TY_TYPE_METHOD | TY_TYPE_WEAKREFABLE,
    .doc = "function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)\n--\n\nCreate a function object.",
    .layout = { .size = sizeof(TyFunction), .trace = function_trace }, .attributes_offset = offsetof(TyFunction, attributes_spill),
    .slots = { .repr = function_repr, .call = ty_function_call, .get = function_get, .new = function_new },
    .getsets = function_getsets, .members = function_members,
};

/* --- bound methods ------------------------------------------------------------------------------------------------------------ */

static void method_trace(TyObject *self, TyMarker *marker)
{
    TyBoundMethod *m = (TyBoundMethod *)self;
    ty_mark(marker, m->function);
    ty_mark(marker, m->self);
}

Value ty_bound_method_new(Value function, Value self)
{
    TyBoundMethod *m = ty_allocate(&ty_method_type, sizeof *m);
    if (!m)
        return TY_NULL;
    ty_store(m, &m->function, function);
    ty_store(m, &m->self, self);
    return ty_from_object(m);
}

static Value method_call(Value callable, const Value *arguments, size_t count, Value keywords)
{
    TyBoundMethod *m = ty_as_bound_method(callable);
    return ty_call_prepended(m->function, m->self, arguments, count, keywords);
}

static Value method_get_attribute(Value self, Value name)
{
    TyType *type = ty_type_of(self);
    Value attribute = ty_type_lookup(type, name);
    if (attribute != TY_NULL) {
        TyDescriptorGet get = ty_type_of(attribute)->slots.get;
        return get ? get(attribute, self, ty_from_object(type)) : attribute;
    }
    return ty_get_attribute(ty_as_bound_method(self)->function, name);
}

static Value method_repr(Value self)
{
    TyBoundMethod *m = ty_as_bound_method(self);
    bool failed;
    Value name = ty_get_attribute_or_null(m->function, TY_NAME("__qualname__"), &failed);
    if (failed)
        return TY_NULL;
    if (name == TY_NULL && (name = ty_get_attribute_or_null(m->function, TY_NAME("__name__"), &failed)) == TY_NULL && failed)
        return TY_NULL;
    if (name == TY_NULL || !ty_is_str(name))
        name = ty_str_from_text("?");
    return ty_str_format("<bound method %U of %R>", name, m->self);
}

static Value method_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_exact(left, &ty_method_type) || !ty_is_exact(right, &ty_method_type))
        return TY_NOT_IMPLEMENTED;
    TyBoundMethod *a = ty_as_bound_method(left), *b = ty_as_bound_method(right);
    int same = a->self == b->self ? ty_equal(a->function, b->function) : 0;
    return same < 0 ? TY_NULL : ty_from_bool(same == (op == TY_EQ));
}

static int64_t method_hash(Value self)
{
    TyBoundMethod *m = ty_as_bound_method(self);
    int64_t f = ty_hash(m->function);
    if (f == -1)
        return -1;
    int64_t h = ty_hash_identity(m->self) ^ f;
    return h == -1 ? -2 : h;
}

static Value method_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("method", keywords) || !ty_check_positional("method", count, 2, 2))
        return TY_NULL;
    if (!ty_is_callable(arguments[0]))
        return ty_raise(&ty_TypeError, "first argument must be callable");
    if (arguments[1] == TY_NONE)
        return ty_raise(&ty_TypeError, "instance must not be None");
    return ty_bound_method_new(arguments[0], arguments[1]);
}

static Value method_get(Value self, Value object, Value type) { return self; }
static Value method_get_function(Value self) { return ty_as_bound_method(self)->function; }
static Value method_get_self(Value self) { return ty_as_bound_method(self)->self; }
static Value method_get_doc(Value self)
{
    bool failed;
    Value doc = ty_get_attribute_or_null(ty_as_bound_method(self)->function, TY_NAME("__doc__"), &failed);
    return failed ? TY_NULL : or_none(doc);
}
static Value method_reduce(Value self, Value *a)
{
    TyBoundMethod *m = ty_as_bound_method(self);
    Value name = ty_get_attribute(m->function, TY_NAME("__name__"));
    return name == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_module_function("builtins", "getattr"), ty_tuple_pack(2, m->self, name));
}

static const TyNativeDef method_methods[] = { TY_METHOD("__reduce__(self, /)", method_reduce, "Helper for pickle."), {0} };
static const TyGetSetDef method_getsets[] = {
    { "__func__", method_get_function, NULL, "the function (or other callable) implementing a method" },
    { "__self__", method_get_self, NULL, "the instance to which a method is bound" }, { "__doc__", method_get_doc, NULL, NULL }, {0}
};

TyType ty_method_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "method", .flags = TY_TYPE_FINAL | TY_TYPE_WEAKREFABLE,
    .doc = "method(function, instance, /)\n--\n\nCreate a bound instance method object.",
    .layout = { .size = sizeof(TyBoundMethod), .trace = method_trace },
    .slots = { .repr = method_repr, .call = method_call, .get_attribute = method_get_attribute, .compare = method_compare, .hash = method_hash, .new = method_new, .get = method_get },
    .methods = method_methods, .getsets = method_getsets,
};

/* --- cells ------------------------------------------------------------------------------------------------------------------------ */

static void cell_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyCell *)self)->content, 2); }

Value ty_cell_new(Value content)
{
    TyCell *cell = ty_allocate(&ty_cell_type, sizeof *cell);
    if (!cell)
        return TY_NULL;
    ty_store(cell, &cell->content, content);
    return ty_from_object(cell);
}

static Value cell_get_contents(Value self)
{
    Value content = ty_field_acquire(&ty_as_cell(self)->content);
    return content == TY_NULL ? ty_raise(&ty_ValueError, "Cell is empty") : content;
}

static bool cell_set_contents(Value self, Value value)
{
    ty_store_publish(ty_object(self), &ty_as_cell(self)->content, value);
    return true;
}

static Value cell_repr(Value self)
{
    Value content = ty_field_acquire(&ty_as_cell(self)->content);
    if (content == TY_NULL)
        return ty_str_format("<cell at %p: empty>", (void *)(uintptr_t)self);
    return ty_str_format("<cell at %p: %T object at %p>", (void *)(uintptr_t)self, content, (void *)(uintptr_t)content);
}

static Value cell_compare(Value left, Value right, int op)
{
    if (!ty_is_exact(left, &ty_cell_type) || !ty_is_exact(right, &ty_cell_type))
        return TY_NOT_IMPLEMENTED;
    Value a = ty_field(&ty_as_cell(left)->content), b = ty_field(&ty_as_cell(right)->content);
    if (a != TY_NULL && b != TY_NULL)
        return ty_compare(a, b, op);
    return ty_compare(ty_from_immediate_int(a != TY_NULL), ty_from_immediate_int(b != TY_NULL), op);
}

static Value cell_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("cell", keywords) || !ty_check_positional("cell", count, 0, 1))
        return TY_NULL;
    return ty_cell_new(count ? arguments[0] : TY_NULL);
}

static const TyGetSetDef cell_getsets[] = { { "cell_contents", cell_get_contents, cell_set_contents, NULL }, {0} };

TyType ty_cell_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "cell", .flags = TY_TYPE_FINAL, .layout = { .size = sizeof(TyCell), .trace = cell_trace },
    .doc = "cell([contents])\n--\n\nCreate a new cell object.\n\n  contents\n    the contents of the cell. If not specified, the cell will be empty,\n    and \nfurther attempts to access its cell_contents attribute will\n    raise a ValueError.",
    .slots = { .repr = cell_repr, .compare = cell_compare, .hash = ty_hash_unhashable, .new = cell_new }, .getsets = cell_getsets,
};

/* --- classmethod and staticmethod ---------------------------------------------------------------------------------------------------- */

static void wrapper_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((TyClassMethod *)self)->callable);
    ty_attributes_trace(self, ty_object_type(self), marker);
}

static bool copy_attributes(Value self, Value callable)
{
    static const char *const names[] = { "__module__", "__name__", "__qualname__", "__doc__" };
    for (size_t i = 0; i < TY_COUNT_OF(names); i++) {
        bool failed;
        Value value = ty_get_attribute_or_null(callable, ty_intern_text(names[i]), &failed);
        if (failed)
            return false;
        if (value != TY_NULL && !ty_attributes_set(ty_object(self), ty_type_of(self), ty_intern_text(names[i]), value))
            return false;
    }
    return true;
}

static bool wrapper_init(Value self, const Value *arguments, size_t count, Value keywords, const char *name)
{
    if (!ty_no_keywords(name, keywords) || !ty_check_positional(name, count, 1, 1))
        return false;
    ty_store_publish(ty_object(self), &((TyClassMethod *)ty_object(self))->callable, arguments[0]);
    return copy_attributes(self, arguments[0]);
}

static bool classmethod_init(Value self, const Value *a, size_t n, Value k) { return wrapper_init(self, a, n, k, "classmethod"); }
static bool staticmethod_init(Value self, const Value *a, size_t n, Value k) { return wrapper_init(self, a, n, k, "staticmethod"); }
static Value wrapper_new(TyType *type, const Value *a, size_t n, Value k) { return ty_type_allocate(type, 0); }
static Value wrapper_callable(Value self) { return or_none(ty_field(&((TyClassMethod *)ty_object(self))->callable)); }

Value ty_staticmethod_wrap(Value callable)
{
    TyClassMethod *s = ty_allocate(&ty_staticmethod_type, sizeof *s);
    if (!s)
        return TY_NULL;
    ty_store(s, &s->callable, callable);
    return ty_from_object(s);
}

static Value classmethod_get(Value self, Value object, Value type)
{
    Value callable = ty_field(&((TyClassMethod *)ty_object(self))->callable);
    if (callable == TY_NULL)
        return ty_raise(&ty_RuntimeError, "uninitialized classmethod object");
    return ty_bound_method_new(callable, type == TY_NULL ? ty_from_object(ty_type_of(object)) : type);
}

static Value staticmethod_get(Value self, Value object, Value type)
{
    Value callable = ty_field(&((TyClassMethod *)ty_object(self))->callable);
    return callable == TY_NULL ? ty_raise(&ty_RuntimeError, "uninitialized staticmethod object") : callable;
}

static Value staticmethod_call(Value self, const Value *a, size_t n, Value k) { return ty_call(wrapper_callable(self), a, n, k); }
static Value classmethod_repr(Value self) { return ty_str_format("<classmethod(%R)>", wrapper_callable(self)); }
static Value staticmethod_repr(Value self) { return ty_str_format("<staticmethod(%R)>", wrapper_callable(self)); }

static Value wrapper_is_abstract(Value self)
{
    bool failed;
    Value v = ty_get_attribute_or_null(wrapper_callable(self), TY_NAME("__isabstractmethod__"), &failed);
    int truth = failed ? -1 : v == TY_NULL ? 0 : ty_is_true(v);
    return truth < 0 ? TY_NULL : ty_from_bool(truth);
}

/* Annotations are the wrapped function's, kept once asked for. */
static Value wrapper_from_callable(Value self, Value name)
{
    Value own = ty_attributes_get(ty_object(self), ty_type_of(self), name);
    if (own != TY_NULL || ty_raised())
        return own;
    Value value = ty_get_attribute(wrapper_callable(self), name);
    if (value != TY_NULL && !ty_attributes_set(ty_object(self), ty_type_of(self), name, value))
        return TY_NULL;
    return value;
}

static bool wrapper_set_attribute(Value self, Value name, Value value)
{
    if (value != TY_NULL)
        return ty_attributes_set(ty_object(self), ty_type_of(self), name, value);
    int deleted = ty_attributes_delete(ty_object(self), ty_type_of(self), name);
    if (deleted == 0)
        ty_raise_attribute_error(self, name);
    return deleted > 0;
}

static Value wrapper_get_annotations(Value self) { return wrapper_from_callable(self, TY_NAME("__annotations__")); }
static bool wrapper_set_annotations(Value self, Value value) { return wrapper_set_attribute(self, TY_NAME("__annotations__"), value); }
static Value wrapper_get_annotate(Value self) { return wrapper_from_callable(self, TY_NAME("__annotate__")); }
static bool wrapper_set_annotate(Value self, Value value) { return wrapper_set_attribute(self, TY_NAME("__annotate__"), value); }

static const TyGetSetDef wrapper_getsets[] = {
    { "__func__", wrapper_callable, NULL, NULL }, { "__wrapped__", wrapper_callable, NULL, NULL }, { "__isabstractmethod__", wrapper_is_abstract, NULL, NULL },
    { "__annotations__", wrapper_get_annotations, wrapper_set_annotations, NULL }, { "__annotate__", wrapper_get_annotate, wrapper_set_annotate, NULL },
    { "__dict__", own_dict, set_own_dict, NULL }, {0}
};
static Value wrapper_class_getitem(Value self, Value *a) { return ty_generic_alias_new(self, a[0]); }
static const TyNativeDef wrapper_methods[] = { TY_CLASS_METHOD("__class_getitem__(type, object, /)", wrapper_class_getitem, "See PEP 585"), {0} };

TyType ty_classmethod_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "classmethod", .flags = TY_TYPE_WEAKREFABLE,
    .doc = "classmethod(function, /)\n--\n\nConvert a function to be a class method.\n\nA class method receives the class as implicit first argument,\njust like an instance method receives the instance.",
    .layout = { .size = sizeof(TyClassMethod), .trace = wrapper_trace }, .attributes_offset = offsetof(TyClassMethod, attributes_spill),
    .slots = { .repr = classmethod_repr, .get = classmethod_get, .new = wrapper_new, .init = classmethod_init }, .getsets = wrapper_getsets, .methods = wrapper_methods,
};

TyType ty_staticmethod_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "staticmethod", .flags = TY_TYPE_WEAKREFABLE,
    .doc = "staticmethod(function, /)\n--\n\nConvert a function to be a static method.\n\nA static method does not receive an implicit first argument.",
    .layout = { .size = sizeof(TyClassMethod), .trace = wrapper_trace }, .attributes_offset = offsetof(TyClassMethod, attributes_spill),
    .slots = { .repr = staticmethod_repr, .get = staticmethod_get, .call = staticmethod_call, .new = wrapper_new, .init = staticmethod_init }, .getsets = wrapper_getsets, .methods = wrapper_methods,
};

/* --- property ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct Property {
    TyObject base;
    Value get, set, delete, doc, name;
    bool getter_doc;
} Property;

static Property *as_property(Value v) { return (Property *)ty_object(v); }

static void property_trace(TyObject *self, TyMarker *marker)
{
    Property *p = (Property *)self;
    ty_mark_range(marker, &p->get, 5);
}

static Value property_name(Property *p)
{
    if (p->name != TY_NULL)
        return p->name;
    bool failed;
    Value name = p->get == TY_NULL ? TY_NULL : ty_get_attribute_or_null(p->get, TY_NAME("__name__"), &failed);
    return name;
}

static bool property_complain(Value self, Value object, const char *what)
{
    Value name = property_name(as_property(self));
    if (ty_raised())
        return false;
    Value qualname = ty_type_of(object)->qualname_value;
    if (name != TY_NULL)
        return ty_raise(&ty_AttributeError, "property %R of %R object has no %s", name, qualname, what), false;
    return ty_raise(&ty_AttributeError, "property of %R object has no %s", qualname, what), false;
}

static Value property_get(Value self, Value object, Value type)
{
    if (object == TY_NULL)
        return self;
    Value get = ty_field(&as_property(self)->get);
    if (get == TY_NULL)
        return property_complain(self, object, "getter"), TY_NULL;
    return ty_call_one(get, object);
}

Value ty_property_getter(Value property) { return ty_field(&as_property(property)->get); }

static bool property_set(Value self, Value object, Value value)
{
    Property *p = as_property(self);
    if (value == TY_NULL) {
        if (p->delete == TY_NULL)
            return property_complain(self, object, "deleter");
        return ty_call_one(p->delete, object) != TY_NULL;
    }
    if (p->set == TY_NULL)
        return property_complain(self, object, "setter");
    return ty_call_two(p->set, object, value) != TY_NULL;
}

static TySignature property_signature = TY_SIGNATURE("property(fget=None, fset=None, fdel=None, doc=None)");

static Value given(Value v) { return v == TY_NONE ? TY_NULL : v; }

static bool property_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value a[4];
    if (!ty_parse_arguments(&property_signature, arguments, count, keywords, a))
        return false;
    Property *p = as_property(self);
    ty_store(p, &p->get, given(a[0]));
    ty_store(p, &p->set, given(a[1]));
    ty_store(p, &p->delete, given(a[2]));
    ty_store(p, &p->name, TY_NULL);
    Value doc = a[3] == TY_NULL ? TY_NONE : a[3];
    p->getter_doc = false;
    if (doc == TY_NONE && p->get != TY_NULL) {
        bool failed;
        Value own = ty_get_attribute_or_null(p->get, TY_NAME("__doc__"), &failed);
        if (failed)
            return false;
        if (own != TY_NULL && own != TY_NONE) {
            doc = own;
            p->getter_doc = true;
        }
    }
    ty_store(p, &p->doc, doc);
    if (!ty_is_exact(self, &ty_property_type) && (ty_type_of(self)->flags & TY_TYPE_HAS_DICT)) /* a subclass's own __doc__ would hide the slot */
        return ty_attributes_set(ty_object(self), ty_type_of(self), TY_NAME("__doc__"), doc);
    if (!ty_is_exact(self, &ty_property_type) && doc != TY_NONE) {
        if (!ty_set_attribute(self, TY_NAME("__doc__"), doc)) {
            if (!ty_raised_is(&ty_AttributeError) || p->getter_doc)
                return false;
            ty_clear_exception();
        }
    }
    return true;
}

static Value property_new(TyType *type, const Value *a, size_t n, Value k) { return ty_type_allocate(type, 0); }

static Value property_copy(Value self, Value get, Value set, Value delete)
{
    Property *p = as_property(self);
    Value arguments[4] = { get == TY_NULL ? or_none(p->get) : get, set == TY_NULL ? or_none(p->set) : set, delete == TY_NULL ? or_none(p->delete) : delete,
        p->getter_doc && given(get == TY_NULL ? or_none(p->get) : get) != TY_NULL ? TY_NONE : or_none(p->doc) };
    Value copy = ty_call(ty_from_object(ty_type_of(self)), arguments, 4, TY_NULL);
    if (copy != TY_NULL && ty_is_instance_of(copy, &ty_property_type))
        ty_store(ty_object(copy), &as_property(copy)->name, p->name);
    return copy;
}

static Value property_getter(Value self, Value *a) { return property_copy(self, a[0], TY_NULL, TY_NULL); }
static Value property_setter(Value self, Value *a) { return property_copy(self, TY_NULL, a[0], TY_NULL); }
static Value property_deleter(Value self, Value *a) { return property_copy(self, TY_NULL, TY_NULL, a[0]); }
static Value property_set_name(Value self, const Value *a, size_t count, Value keywords)
{
    if (count != 2)
        return ty_raise(&ty_TypeError, "__set_name__() takes 2 positional arguments but %zu were given", count);
    ty_store_publish(ty_object(self), &as_property(self)->name, a[1]);
    return TY_NONE;
}

static Value property_get_name(Value self)
{
    Property *p = as_property(self);
    Value name = property_name(p);
    return name != TY_NULL || ty_raised() ? name : ty_raise_attribute_error(self, TY_NAME("__name__"));
}
static bool property_set_name_attribute(Value self, Value value)
{
    ty_store_publish(ty_object(self), &as_property(self)->name, value);
    return true;
}

static Value property_is_abstract(Value self)
{
    Property *p = as_property(self);
    Value parts[3] = { p->get, p->set, p->delete };
    for (int i = 0; i < 3; i++) {
        bool failed;
        Value v = parts[i] == TY_NULL ? TY_NULL : ty_get_attribute_or_null(parts[i], TY_NAME("__isabstractmethod__"), &failed);
        int truth = v == TY_NULL ? (ty_raised() ? -1 : 0) : ty_is_true(v);
        if (truth != 0)
            return truth < 0 ? TY_NULL : TY_TRUE;
    }
    return TY_FALSE;
}

static const TyNativeDef property_methods[] = {
    TY_METHOD("getter(self, object, /)", property_getter, "Descriptor to obtain a copy of the property with a different getter."),
    TY_METHOD("setter(self, object, /)", property_setter, "Descriptor to obtain a copy of the property with a different setter."),
    TY_METHOD("deleter(self, object, /)", property_deleter, "Descriptor to obtain a copy of the property with a different deleter."),
    TY_RAW_METHOD("__set_name__(self, owner, name, /)", property_set_name, "Method to set name of a property."),
    {0}
};
static const TyMemberDef property_members[] = {
    { "fget", TY_MEMBER_VALUE_NONE, false, offsetof(Property, get), NULL }, { "fset", TY_MEMBER_VALUE_NONE, false, offsetof(Property, set), NULL },
    { "fdel", TY_MEMBER_VALUE_NONE, false, offsetof(Property, delete), NULL }, { "__doc__", TY_MEMBER_VALUE_NONE, true, offsetof(Property, doc), NULL }, {0}
};
static const TyGetSetDef property_getsets[] = {
    { "__name__", property_get_name, property_set_name_attribute, NULL }, { "__isabstractmethod__", property_is_abstract, NULL, NULL }, {0}
};

TyType ty_property_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "property", .flags = TY_TYPE_WEAKREFABLE, .layout = { .size = sizeof(Property), .trace = property_trace },
    .doc = "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\nProperty attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to be used for setting an attribute value\n  fdel\n    function to be used for del'ing an attribute\n  doc\n    docstring",
    .slots = { .get = property_get, .set = property_set, .new = property_new, .init = property_init },
    .methods = property_methods, .members = property_members, .getsets = property_getsets,
};

/* --- super ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Super {
    TyObject base;
    Value type, self, self_type; /* TY_NULL where unbound */
} Super;

static void super_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((Super *)self)->type, 3); }

/* The class in whose mro the search goes on: type(object), object itself if a class, or what object claims as __class__. */
static TyType *super_check(TyType *type, Value object)
{
    if (ty_is_type(object) && ty_type_is_subtype(ty_as_type(object), type))
        return ty_as_type(object);
    if (ty_type_is_subtype(ty_type_of(object), type))
        return ty_type_of(object);
    bool failed;
    Value claimed = ty_get_attribute_or_null(object, TY_NAME("__class__"), &failed);
    if (failed)
        return NULL;
    if (claimed != TY_NULL && ty_is_type(claimed) && ty_type_is_subtype(ty_as_type(claimed), type))
        return ty_as_type(claimed);
    ty_raise(&ty_TypeError, "super(type, obj): obj (%s %s) is not an instance or subtype of type (%s).", ty_is_type(object) ? "type" : "instance of",
        ty_is_type(object) ? ty_as_type(object)->name : ty_type_of(object)->name, type->name);
    return NULL;
}

static Value search_after(TyType *start, TyType *type, Value name)
{
    Value mro = ty_field_acquire(&start->mro);
    if (mro == TY_NULL) /* the class is being made: its mro() asks */
        return TY_NULL;
    int64_t i = 0, n = ty_tuple_length(mro);
    while (i < n && ty_as_type(ty_tuple_item(mro, i)) != type)
        i++;
    for (i++; i < n; i++) {
        Value found = ty_dict_get_str(ty_as_type(ty_tuple_item(mro, i))->dict, name);
        if (found != TY_NULL || ty_raised())
            return found;
    }
    return TY_NULL;
}

Value ty_super_lookup(Value type_value, Value self, Value name, bool *unbound)
{
    if (unbound)
        *unbound = false;
    if (!ty_is_type(type_value))
        return ty_raise(&ty_TypeError, "super() argument 1 must be a type, not %T", type_value);
    TyType *type = ty_as_type(type_value), *start = super_check(type, self);
    if (!start)
        return TY_NULL;
    Value found = ty_str_equal_text(name, "__class__") ? TY_NULL : search_after(start, type, name);
    if (found == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise(&ty_AttributeError, "'super' object has no attribute '%U'", name);
    TyType *kind = ty_type_of(found);
    bool on_class = ty_from_object(start) == self;
    if (unbound && (kind->flags & TY_TYPE_METHOD) && !on_class) {
        *unbound = true;
        return found;
    }
    return kind->slots.get ? kind->slots.get(found, on_class ? TY_NULL : self, ty_from_object(start)) : found;
}

static Value super_get_attribute(Value self, Value name)
{
    Super *s = (Super *)ty_object(self);
    if (s->self_type != TY_NULL && !ty_str_equal_text(name, "__class__")) {
        Value found = search_after(ty_as_type(s->self_type), ty_as_type(s->type), name);
        if (found != TY_NULL) {
            TyDescriptorGet get = ty_type_of(found)->slots.get;
            return get ? get(found, s->self == s->self_type ? TY_NULL : s->self, s->self_type) : found;
        }
        if (ty_raised())
            return TY_NULL;
    }
    return ty_generic_get_attribute(self, name);
}

static bool super_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("super", keywords) || !ty_check_positional("super", count, 0, 2))
        return false;
    Value type = count > 0 ? arguments[0] : TY_NULL, object = count > 1 ? arguments[1] : TY_NULL;
    if (count == 0 && !ty_super_from_frame(&type, &object))
        return false;
    if (!ty_is_type(type))
        return ty_raise(&ty_TypeError, "super() argument 1 must be a type, not %T", type), false;
    Super *s = (Super *)ty_object(self);
    TyType *start = NULL;
    if (object == TY_NONE)
        object = TY_NULL;
    if (object != TY_NULL && !(start = super_check(ty_as_type(type), object)))
        return false;
    ty_store(s, &s->type, type);
    ty_store(s, &s->self, object);
    ty_store(s, &s->self_type, start ? ty_from_object(start) : TY_NULL);
    return true;
}

static Value super_new(TyType *type, const Value *a, size_t n, Value k) { return ty_type_allocate(type, 0); }

static Value super_get(Value self, Value object, Value type)
{
    Super *s = (Super *)ty_object(self);
    if (object == TY_NULL || s->self != TY_NULL)
        return self;
    if (!ty_is_exact(self, &ty_super_type))
        return ty_call_two(ty_from_object(ty_type_of(self)), s->type, object);
    TyType *start = super_check(ty_as_type(s->type), object);
    if (!start)
        return TY_NULL;
    Value bound = ty_type_allocate(&ty_super_type, 0);
    if (bound == TY_NULL)
        return TY_NULL;
    Super *b = (Super *)ty_object(bound);
    ty_store(b, &b->type, s->type);
    ty_store(b, &b->self, object);
    ty_store(b, &b->self_type, ty_from_object(start));
    return bound;
}

static Value super_repr(Value self)
{
    Super *s = (Super *)ty_object(self);
    const char *type = s->type == TY_NULL ? "NULL" : ty_as_type(s->type)->name;
    if (s->self_type == TY_NULL)
        return ty_str_format("<super: <class '%s'>, NULL>", type);
    return ty_str_format("<super: <class '%s'>, <%s object>>", type, ty_as_type(s->self_type)->name);
}

static const TyMemberDef super_members[] = {
    { "__thisclass__", TY_MEMBER_VALUE_NONE, false, offsetof(Super, type), "the class invoking super()" },
    { "__self__", TY_MEMBER_VALUE_NONE, false, offsetof(Super, self), "the instance invoking super(); may be None" },
    { "__self_class__", TY_MEMBER_VALUE_NONE, false, offsetof(Super, self_type), "the type of the instance invoking super(); may be None" }, {0}
};

TyType ty_super_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "super", .layout = { .size = sizeof(Super), .trace = super_trace },
    .doc = "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\nsuper(type, obj) -> bound super object; requires isinstance(obj, type)\nsuper(type, type2) -> bound super object; requires issubclass(type2, type)\nTypical use to call a cooperative superclass method:\nclass C(B):\n    def meth(self, arg):\n        super().meth(arg)\nThis works for class methods too:\nclass C(B):\n    @classmethod\n    def cmeth(cls, arg):\n        super().cmeth(arg)\n",
    .slots = { .repr = super_repr, .get_attribute = super_get_attribute, .get = super_get, .new = super_new, .init = super_init }, .members = super_members,
};
