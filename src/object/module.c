#include "object/module.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include <pthread.h>
#include <unistd.h>

static TyModule *as_module(Value v) { return (TyModule *)ty_object(v); }

bool ty_is_module(Value v) { return ty_is_object(v) && v != TY_NULL && ty_is_instance_of(v, &ty_module_type); }
TyType *ty_module_type_object(void) { return &ty_module_type; }
Value ty_module_dict(Value module) { return ty_field_acquire(&as_module(module)->dict); }

static void module_trace(TyObject *self, TyMarker *marker)
{
    TyModule *m = (TyModule *)self;
    ty_mark(marker, m->dict);
    ty_mark(marker, m->state);
    ty_mark(marker, m->name);
    ty_mark(marker, m->ready_spec);
}

static bool fill_new_dict(Value dict, Value name, Value doc)
{
    return ty_dict_set(dict, TY_NAME("__name__"), name) && ty_dict_set(dict, TY_NAME("__doc__"), doc) && ty_dict_set(dict, TY_NAME("__package__"), TY_NONE)
        && ty_dict_set(dict, TY_NAME("__loader__"), TY_NONE) && ty_dict_set(dict, TY_NAME("__spec__"), TY_NONE);
}

Value ty_module_new(Value name)
{
    Value self = ty_type_allocate(&ty_module_type, 0), dict = ty_dict_new();
    if (self == TY_NULL || dict == TY_NULL || !fill_new_dict(dict, name, TY_NONE))
        return TY_NULL;
    ty_store(ty_object(self), &as_module(self)->name, name);
    ty_store_publish(ty_object(self), &as_module(self)->dict, dict);
    return self;
}

static bool add_functions(Value self, const TyModuleDef *def)
{
    Value name = ty_str_from_text(def->name), dict = ty_module_dict(self);
    for (const TyNativeDef *f = def->functions; f && f->signature; f++) {
        Value function = ty_native_new(f, self, name, TY_NULL);
        if (function == TY_NULL || !ty_dict_set(dict, ty_intern_utf8(f->signature, strcspn(f->signature, "(")), function))
            return false;
    }
    return true;
}

static bool add_types(Value self, const TyModuleDef *def)
{
    for (TyType *const *t = def->types; t && *t; t++)
        if (!ty_type_ready(*t) || !ty_dict_set(ty_module_dict(self), (*t)->name_value, ty_from_object(*t)))
            return false;
    return true;
}

Value ty_module_copy(Value module, Value dict)
{
    Value self = ty_type_allocate(&ty_module_type, 0), copy = self == TY_NULL ? TY_NULL : ty_dict_copy(dict), key, value;
    if (copy == TY_NULL)
        return TY_NULL;
    for (int64_t position = 0; ty_dict_next(copy, &position, &key, &value);) {
        if (!ty_is_exact(value, &ty_native_type))
            continue;
        Value bound = ((TyNative *)ty_object(value))->self; /* TY_NULL: of a module that will be made later */
        Value function = ty_native_bind(value, bound == module ? self : bound);
        if (function == TY_NULL || !ty_dict_set(copy, key, function))
            return TY_NULL;
    }
    TyModule *m = as_module(self);
    m->def = as_module(module)->def;
    ty_store(m, &m->name, as_module(module)->name);
    ty_store_publish(m, &m->dict, copy);
    return self;
}

/* --- modules whose instances are alike ----------------------------------------------------------------------------------------------- */

enum { FIRSTS_MOST = 8 };
static struct { const TyModuleDef *_Atomic def; Value module, dict; } firsts[FIRSTS_MOST]; /* dict: as it was before any program could change it */
static pthread_mutex_t firsts_lock = PTHREAD_MUTEX_INITIALIZER;

static bool add_state(TyModule *m)
{
    if (!m->def->state_count)
        return true;
    TyArray *state = ty_array_new((int64_t)m->def->state_count);
    if (state)
        ty_store(m, &m->state, ty_from_object(state));
    return state != NULL;
}

static bool copy_containers(Value dict)
{
    Value key, value;
    for (int64_t position = 0; ty_dict_next(dict, &position, &key, &value);) {
        if (!ty_is_exact_list(value) && !ty_is_exact_dict(value))
            continue;
        Value copy = ty_is_exact_dict(value) ? ty_dict_copy(value) : ty_list_slice(value, 0, ty_list_length(value));
        if (copy == TY_NULL || !ty_dict_set(dict, key, copy))
            return false;
    }
    return true;
}

static bool remember_first(const TyModuleDef *def, Value module)
{
    Value dict = ty_dict_copy(ty_module_dict(module));
    if (dict == TY_NULL || !copy_containers(dict))
        return false;
    pthread_mutex_lock(&firsts_lock); /* nothing reaches a safepoint under it */
    int i = 0;
    while (i < FIRSTS_MOST && ty_load_relaxed(&firsts[i].def) && ty_load_relaxed(&firsts[i].def) != def)
        i++;
    if (i < FIRSTS_MOST && !ty_load_relaxed(&firsts[i].def)) {
        ty_root_add(&firsts[i].module, 2);
        firsts[i].module = module;
        firsts[i].dict = dict;
        ty_store_release(&firsts[i].def, def);
    }
    pthread_mutex_unlock(&firsts_lock);
    return true;
}

/* TY_NULL without an exception: there is none so far. */
static Value copy_of_first(const TyModuleDef *def)
{
    for (int i = 0; i < FIRSTS_MOST && ty_load_acquire(&firsts[i].def); i++) {
        if (ty_load_relaxed(&firsts[i].def) != def)
            continue;
        Value self = ty_module_copy(firsts[i].module, firsts[i].dict);
        if (self == TY_NULL || !copy_containers(ty_module_dict(self)) || !add_state(as_module(self)))
            return TY_NULL;
        if (!ty_dict_set_text(ty_interpreter()->builtin_modules, def->name, self) || !def->renew(self))
            return TY_NULL;
        return self;
    }
    return TY_NULL;
}

Value ty_module_create(const TyModuleDef *def)
{
    if (def->renew) {
        Value alike = copy_of_first(def);
        if (alike != TY_NULL || ty_raised())
            return alike;
    }
    Value name = ty_str_from_text(def->name), self = name == TY_NULL ? TY_NULL : ty_module_new(name);
    if (self == TY_NULL)
        return TY_NULL;
    TyModule *m = as_module(self);
    m->def = def;
    if (!add_state(m))
        return TY_NULL;
    if (def->doc && !ty_module_add(self, "__doc__", ty_str_from_text(def->doc)))
        return TY_NULL;
    if (!add_functions(self, def) || !add_types(self, def))
        return TY_NULL;
    if (ty_interpreter()->builtin_modules != TY_NULL && !ty_dict_set(ty_interpreter()->builtin_modules, name, self))
        return TY_NULL;
    if (def->execute && !def->execute(self))
        return TY_NULL;
    return !def->renew || remember_first(def, self) ? self : TY_NULL;
}

bool ty_module_add(Value module, const char *name, Value value) { return value != TY_NULL && ty_dict_set(ty_module_dict(module), ty_intern_text(name), value); }
bool ty_module_add_int(Value module, const char *name, int64_t value) { return ty_module_add(module, name, ty_int_from_int64(value)); }
bool ty_module_add_str(Value module, const char *name, const char *value) { return ty_module_add(module, name, ty_str_from_text(value)); }

Value *ty_module_state(Value module)
{
    Value state = as_module(module)->state;
    return state == TY_NULL ? NULL : ((TyArray *)ty_object(state))->items;
}

static const TyModuleDef *find_linked(const char *name)
{
    for (size_t i = 0; ty_builtin_modules[i]; i++)
        if (!strcmp(ty_builtin_modules[i]->name, name))
            return ty_builtin_modules[i];
    return NULL;
}

static const TyExtension *find_extension(const char *name)
{
    for (const TyExtension *e = ty_extension_modules; e->module; e++)
        if (!strcmp(e->module, name))
            return e;
    return NULL;
}

bool ty_module_is_builtin(const char *name) { return find_linked(name) || find_extension(name); }

/* NULL with ImportError. */
static const TyModuleDef *find_def(const char *name)
{
    const TyModuleDef *def = find_linked(name);
    const TyExtension *extension = def ? NULL : find_extension(name);
    if (def || extension)
        return def ? def : ty_extension_load(extension);
    ty_raise(&ty_ImportError, "no built-in module named %s", name);
    return NULL;
}

Value ty_module_current(const char *name)
{
    Value modules = ty_interpreter()->builtin_modules;
    Value there = ty_dict_get_text(modules, name);
    if (there != TY_NULL || ty_raised())
        return there;
    const TyModuleDef *def = find_def(name);
    return def ? ty_module_create(def) : TY_NULL;
}

Value ty_module_function(const char *module, const char *name)
{
    Value m = ty_module_current(module);
    return m == TY_NULL ? TY_NULL : ty_get_attribute(m, ty_intern_text(name));
}

/* --- the type ------------------------------------------------------------------------------------------------------------ */

static TySignature module_signature = TY_SIGNATURE("module(name, doc=None)");

static Value module_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value self = ty_type_allocate(type, 0), dict = ty_dict_new();
    if (self == TY_NULL || dict == TY_NULL)
        return TY_NULL;
    ty_store_publish(ty_object(self), &as_module(self)->dict, dict);
    return self;
}

static bool module_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Value a[2];
    if (!ty_parse_arguments(&module_signature, arguments, count, keywords, a))
        return false;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "module() argument 'name' must be str, not %T", a[0]), false;
    ty_store(ty_object(self), &as_module(self)->name, a[0]);
    return fill_new_dict(ty_module_dict(self), a[0], a[1] == TY_NULL ? TY_NONE : a[1]);
}

static Value module_repr(Value self)
{
    if (ty_interpreter()->importlib == TY_NULL && !ty_import_specs() && ty_raised())
        return TY_NULL;
    Value importlib = ty_interpreter()->importlib;
    if (importlib != TY_NULL)
        return ty_call_method_one(importlib, TY_NAME("_module_repr"), self);
    Value name = ty_dict_get_text(ty_module_dict(self), "__name__");
    return ty_str_format("<module %R>", name == TY_NULL ? TY_NONE : name);
}

static Value spec_of(Value dict)
{
    Value spec = ty_dict_get_str(dict, TY_NAME("__spec__"));
    return spec == TY_NONE ? TY_NULL : spec;
}

bool ty_spec_initializing(Value spec)
{
    bool failed;
    Value flag = spec == TY_NULL ? TY_NULL : ty_get_attribute_or_null(spec, TY_NAME("_initializing"), &failed);
    int truth = flag == TY_NULL ? 0 : ty_is_true(flag);
    if (truth < 0 || ty_raised())
        ty_clear_exception();
    return truth > 0;
}

bool ty_module_initializing(Value module)
{
    Value dict = ty_is_module(module) ? ty_module_dict(module) : TY_NULL, spec = dict == TY_NULL ? TY_NULL : spec_of(dict);
    if (spec == TY_NULL || spec == ty_field(&as_module(module)->ready_spec))
        return false;
    bool initializing = ty_spec_initializing(spec);
    if (!initializing) /* a module is initialized once; loading it again makes another spec */
        ty_store(ty_object(module), &as_module(module)->ready_spec, spec);
    return initializing;
}

Value ty_module_plain_attribute(Value module, Value name)
{
    if (!ty_is_exact(module, &ty_module_type) || (ty_str_length(name) > 1 && ty_str_at(name, 0) == '_' && ty_str_at(name, 1) == '_'))
        return TY_NULL; /* the type has data descriptors for __dict__, __annotations__ and so on */
    Value dict = ty_module_dict(module);
    return ty_is_exact_dict(dict) ? ty_dict_get_str(dict, name) : TY_NULL;
}

Value ty_spec_origin(Value spec)
{
    bool failed;
    Value has = spec == TY_NULL || spec == TY_NONE ? TY_NULL : ty_get_attribute_or_null(spec, TY_NAME("has_location"), &failed);
    Value origin = has != TY_NULL && ty_is_true(has) > 0 ? ty_get_attribute_or_null(spec, TY_NAME("origin"), &failed) : TY_NULL;
    ty_clear_exception();
    return origin != TY_NULL && ty_is_str(origin) ? origin : TY_NULL;
}

/* The folder of a module's file, or of its package's. */
static Value folder_of(Value origin)
{
    size_t size;
    const char *text = ty_to_utf8(origin, &size);
    if (!text) {
        ty_clear_exception();
        return TY_NULL;
    }
    static const char package[] = "/__init__.py";
    if (size >= sizeof package - 1 && !memcmp(text + size - (sizeof package - 1), package, sizeof package - 1))
        size -= sizeof package - 1;
    while (size && text[size - 1] != '/')
        size--;
    return size ? ty_str_from_utf8(text, size > 1 ? size - 1 : 1) : TY_NULL;
}

int ty_module_shadows(Value name, Value origin)
{
    Value program = ty_interpreter()->script_folder, folder = origin == TY_NULL || program == TY_NULL ? TY_NULL : folder_of(origin);
    if (folder == TY_NULL)
        return TY_SHADOWS_NOTHING;
    if (ty_str_length(program) == 0) {
        char current[4096];
        if (!getcwd(current, sizeof current))
            return TY_SHADOWS_NOTHING;
        program = ty_str_from_text(current);
    }
    int same = program == TY_NULL ? -1 : ty_equal(folder, program);
    if (same <= 0)
        return same < 0 ? -1 : TY_SHADOWS_NOTHING;
    Value standard = ty_dict_get_text(ty_interpreter()->sys, "stdlib_module_names");
    if (standard == TY_NULL || !ty_in_family(standard, TY_TYPE_SET))
        return ty_raised() ? -1 : TY_SHADOWS_PERHAPS;
    int there = ty_set_contains(standard, name);
    return there < 0 ? -1 : there ? TY_SHADOWS_STANDARD : TY_SHADOWS_PERHAPS;
}

/* A submodule that is being imported is not yet an attribute of its package. */
static bool submodule_pending(Value spec, Value name)
{
    bool failed;
    Value list = spec == TY_NULL ? TY_NULL : ty_get_attribute_or_null(spec, TY_NAME("_uninitialized_submodules"), &failed);
    int there = list == TY_NULL ? 0 : ty_contains(list, name);
    ty_clear_exception();
    return there > 0;
}

static Value missing_text(Value dict, Value module, Value name)
{
    Value spec = spec_of(dict), origin = ty_spec_origin(spec);
    int shadows = ty_module_shadows(module, origin);
    if (shadows < 0)
        return TY_NULL;
    if (shadows == TY_SHADOWS_STANDARD)
        return ty_str_format("module '%U' has no attribute '%U' (consider renaming %R since it has the same name as the standard library module named '%U' "
            "and prevents importing that standard library module)", module, name, origin, module);
    if (ty_spec_initializing(spec)) {
        if (shadows == TY_SHADOWS_PERHAPS)
            return ty_str_format("module '%U' has no attribute '%U' (consider renaming %R if it has the same name as a library you intended to import)", module, name, origin);
        if (origin != TY_NULL)
            return ty_str_format("partially initialized module '%U' from '%U' has no attribute '%U' (most likely due to a circular import)", module, origin, name);
        return ty_str_format("partially initialized module '%U' has no attribute '%U' (most likely due to a circular import)", module, name);
    }
    if (submodule_pending(spec, name))
        return ty_str_format("cannot access submodule '%U' of module '%U' (most likely due to a circular import)", name, module);
    return ty_str_format("module '%U' has no attribute '%U'", module, name);
}

static Value missing_attribute(Value self, Value name)
{
    Value dict = ty_module_dict(self);
    Value module_name = ty_dict_get_str(dict, TY_NAME("__name__"));
    Value error = module_name == TY_NULL || !ty_is_str(module_name) ? ty_str_format("module has no attribute '%U'", name) : missing_text(dict, module_name, name);
    Value exception = error == TY_NULL ? TY_NULL : ty_call_one(ty_from_object(&ty_AttributeError), error);
    if (exception == TY_NULL)
        return TY_NULL;
    TyAttributeErrorObject *e = (TyAttributeErrorObject *)ty_object(exception);
    ty_store(e, &e->name, name);
    ty_store(e, &e->obj, self);
    return ty_raise_object(exception);
}

static Value module_dir(Value self, Value *a)
{
    Value dict = ty_get_attribute(self, TY_NAME("__dict__"));
    if (dict == TY_NULL)
        return TY_NULL;
    if (!ty_is_dict(dict))
        return ty_raise(&ty_TypeError, "%T.__dict__ is not a dictionary", self);
    Value hook = ty_dict_get_str(dict, TY_NAME("__dir__"));
    return hook != TY_NULL ? ty_call_none(hook) : ty_raised() ? TY_NULL : ty_dict_keys(dict);
}

static bool is_incomplete_sys(Value self)
{
    TyInterpreter *interpreter = ty_interpreter();
    return TY_UNLIKELY(self == interpreter->sys_module) && ty_load_relaxed(&interpreter->sys_incomplete);
}

/* A built-in module without a spec: importlib has not been needed so far. */
static bool lacks_spec(Value self) { return as_module(self)->def && ty_interpreter()->importlib == TY_NULL; }

static Value module_get_dict(Value self)
{
    if (is_incomplete_sys(self) && !ty_sys_complete(TY_NULL) && ty_raised())
        return TY_NULL;
    if (TY_UNLIKELY(lacks_spec(self)) && !ty_import_specs() && ty_raised())
        return TY_NULL;
    return ty_module_dict(self);
}

static Value get_annotate(Value self)
{
    Value dict = ty_module_dict(self), annotate = ty_dict_get_str(dict, TY_NAME("__annotate__"));
    if (annotate != TY_NULL || ty_raised())
        return annotate;
    return ty_dict_set(dict, TY_NAME("__annotate__"), TY_NONE) ? TY_NONE : TY_NULL;
}

static bool set_annotate(Value self, Value value)
{
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot delete __annotate__ attribute"), false;
    if (value != TY_NONE && !ty_is_callable(value))
        return ty_raise(&ty_TypeError, "__annotate__ must be callable or None"), false;
    Value dict = ty_module_dict(self);
    return ty_dict_set(dict, TY_NAME("__annotate__"), value) && (value == TY_NONE || ty_dict_delete(dict, TY_NAME("__annotations__")) >= 0);
}

static Value get_annotations(Value self)
{
    Value dict = ty_module_dict(self), annotations = ty_dict_get_str(dict, TY_NAME("__annotations__"));
    if (annotations != TY_NULL || ty_raised())
        return annotations;
    bool initializing = ty_spec_initializing(spec_of(dict));
    Value annotate = ty_dict_get_str(dict, TY_NAME("__annotate__"));
    annotations = annotate != TY_NULL && ty_is_callable(annotate) ? ty_call_one(annotate, ty_from_immediate_int(1)) : ty_dict_new();
    if (annotations == TY_NULL)
        return TY_NULL;
    if (!ty_is_dict(annotations))
        return ty_raise(&ty_TypeError, "__annotate__ returned non-dict of type '%T'", annotations);
    if (!initializing && !ty_dict_set(dict, TY_NAME("__annotations__"), annotations))
        return TY_NULL;
    return annotations;
}

static bool set_annotations(Value self, Value value)
{
    Value dict = ty_module_dict(self);
    if (value != TY_NULL) {
        if (!ty_dict_set(dict, TY_NAME("__annotations__"), value))
            return false;
    } else {
        int deleted = ty_dict_delete(dict, TY_NAME("__annotations__"));
        if (deleted == 0)
            ty_raise(&ty_AttributeError, "__annotations__");
        if (deleted <= 0)
            return false;
    }
    return ty_dict_delete(dict, TY_NAME("__annotate__")) >= 0;
}

static const TyNativeDef module_methods[] = { TY_METHOD("__dir__(self, /)", module_dir, "__dir__() -> list\nspecialized dir() implementation"), {0} };
static const TyGetSetDef module_getsets[] = {
    { "__dict__", module_get_dict, NULL, NULL }, { "__annotations__", get_annotations, set_annotations, NULL }, { "__annotate__", get_annotate, set_annotate, NULL }, {0}
};

/* A module's attributes lie in its dict, which is there from the start; subclasses have no other. */
static bool module_set_attribute(Value self, Value name, Value value)
{
    Value attribute = ty_type_lookup(ty_type_of(self), name);
    if (attribute != TY_NULL) {
        TyDescriptorSet set = ty_type_of(attribute)->slots.set;
        if (set)
            return set(attribute, self, value);
    }
    Value dict = ty_module_dict(self);
    if (is_incomplete_sys(self) && !ty_sys_complete(name) && ty_raised())
        return false;
    if (value != TY_NULL)
        return ty_dict_set(dict, ty_intern(name), value);
    int deleted = ty_dict_delete(dict, name);
    if (deleted == 0)
        missing_attribute(self, name);
    return deleted > 0;
}

static Value module_find_attribute(Value self, Value name)
{
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name);
    TyType *type = ty_type_of(self);
    Value attribute = ty_type_lookup(type, name);
    TyDescriptorGet get = attribute == TY_NULL ? NULL : ty_type_of(attribute)->slots.get;
    if (get && ty_type_of(attribute)->slots.set)
        return get(attribute, self, ty_from_object(type));
    Value own = ty_dict_get(ty_module_dict(self), name);
    if (own == TY_NULL && is_incomplete_sys(self) && ty_sys_complete(name))
        own = ty_dict_get(ty_module_dict(self), name);
    if (own == TY_NULL && TY_UNLIKELY(lacks_spec(self)) && (ty_str_equal_text(name, "__spec__") || ty_str_equal_text(name, "__loader__")) && ty_import_specs())
        own = ty_dict_get(ty_module_dict(self), name);
    if (own == TY_NULL && TY_UNLIKELY(self == ty_interpreter()->builtins_module) && ty_import_builtin_name(name))
        own = ty_dict_get(ty_module_dict(self), name);
    if (own != TY_NULL || ty_raised())
        return own;
    if (attribute != TY_NULL)
        return get ? get(attribute, self, ty_from_object(type)) : attribute;
    Value hook = ty_dict_get_str(ty_module_dict(self), TY_NAME("__getattr__"));
    if (hook != TY_NULL)
        return ty_call_one(hook, name);
    return ty_raised() ? TY_NULL : missing_attribute(self, name);
}

TyType ty_module_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "module", .flags = TY_TYPE_WEAKREFABLE, .layout = { .size = sizeof(TyModule), .trace = module_trace },
    .doc = "module(name, doc=None)\n--\n\nCreate a module object.\n\nThe name must be a string; the optional docstring can have any type.",
    .slots = { .repr = module_repr, .get_attribute = module_find_attribute, .set_attribute = module_set_attribute, .new = module_new, .init = module_init },
    .methods = module_methods, .getsets = module_getsets,
};
