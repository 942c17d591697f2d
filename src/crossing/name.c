/* What crosses by a name under which the receiver has it too: modules, functions, classes. */
#include "crossing/internal.h"
#include "object/function.h"
#include "object/module.h"
#include "runtime/runtime.h"

/* The module of that name in this interpreter, imported if need be; TY_NULL without an exception if there is none. */
static Value module_here(Value name)
{
    Value module = ty_dict_get_str(ty_interpreter()->modules, name);
    if (module != TY_NULL)
        return module;
    module = ty_import_full(name);
    if (module == TY_NULL && ty_raised_is(&ty_Exception))
        ty_clear_exception();
    return module;
}

/* Modules made at run time by hand have no spec, or None: nobody else can import them. */
static bool has_spec(Value module)
{
    if (!ty_is_module(module))
        return true; /* what a module has put in its own place in sys.modules */
    if (((TyModule *)ty_object(module))->def)
        return true;
    Value spec = ty_dict_get_str(ty_module_dict(module), TY_NAME("__spec__"));
    return spec != TY_NULL && spec != TY_NONE;
}

bool ty_crossing_importable(Value name)
{
    if (!ty_is_exact_str(name) || ty_str_equal_text(name, "__main__") || ty_str_equal_text(name, "__mp_main__"))
        return false;
    Value module = module_here(name);
    return module != TY_NULL && has_spec(module);
}

static Value follow(Value module, Value qualname)
{
    bool failed = false;
    if (ty_str_find_char(qualname, '.', 0, ty_str_length(qualname), 1) < 0)
        return ty_get_attribute_or_null(module, ty_intern(qualname), &failed);
    Value parts = ty_call_method_one(qualname, TY_NAME("split"), ty_str_from_text(".")), v = module;
    for (int64_t i = 0; parts != TY_NULL && v != TY_NULL && i < ty_list_length(parts); i++)
        v = ty_get_attribute_or_null(v, ty_intern(ty_list_item(parts, i)), &failed);
    return parts == TY_NULL ? TY_NULL : v;
}

/* Whether the value is what others, too, find under that name. */
static bool has_name(Value v, Value module, Value qualname)
{
    if (module == TY_NULL || !ty_is_exact_str(module) || qualname == TY_NULL || !ty_is_exact_str(qualname) || !ty_crossing_importable(module))
        return false;
    return follow(ty_dict_get_str(ty_interpreter()->modules, module), qualname) == v;
}

static Value name_of(Value v, Value module, Value qualname)
{
    return has_name(v, module, qualname) ? ty_node_new(TY_NODE_NAME, module, qualname, TY_NULL, TY_NULL) : TY_NULL;
}

static bool own_name(Value v, Value *module, Value *qualname)
{
    if (ty_is_function(v)) {
        *module = ty_field(&ty_as_function(v)->module);
        *qualname = ty_field(&ty_as_function(v)->qualname);
        return true;
    }
    if (ty_is_type(v)) {
        *module = ty_type_module(ty_as_type(v));
        if (*module == TY_NULL)
            ty_clear_exception();
        *qualname = ty_field(&ty_as_type(v)->qualname_value);
        return true;
    }
    bool failed;
    *module = ty_get_attribute_or_null(v, TY_NAME("__module__"), &failed);
    if (!failed)
        *qualname = ty_get_attribute_or_null(v, TY_NAME("__qualname__"), &failed);
    if (!failed && *qualname == TY_NULL)
        *qualname = ty_get_attribute_or_null(v, TY_NAME("__name__"), &failed);
    return !failed;
}

bool ty_crossing_find_name(Value v, Value *module, Value *qualname)
{
    return own_name(v, module, qualname) && has_name(v, *module, *qualname);
}

Value ty_crossing_name(Value v)
{
    Value module, qualname;
    return own_name(v, &module, &qualname) ? name_of(v, module, qualname) : TY_NULL;
}

/* As pickle does for objects whose __reduce__ gives their name alone: their own module, else any that has them under it. */
Value ty_crossing_named(TyPacker *p, Value v, Value name)
{
    bool failed;
    Value module = ty_get_attribute_or_null(v, TY_NAME("__module__"), &failed);
    if (failed)
        return TY_NULL;
    if (module != TY_NULL && module != TY_NONE) {
        Value node = name_of(v, module, name);
        return node != TY_NULL || ty_raised() ? node : ty_packer_refuse(p, v);
    }
    Value modules = ty_dict_copy(ty_interpreter()->modules), key;
    int64_t position = 0;
    while (modules != TY_NULL && ty_dict_next(modules, &position, &key, &module)) {
        if (!ty_is_exact_str(key) || !ty_is_module(module) || ty_dict_get(ty_module_dict(module), name) != v)
            continue;
        Value node = name_of(v, key, name);
        if (node != TY_NULL || ty_raised())
            return node;
    }
    return modules == TY_NULL ? TY_NULL : ty_packer_refuse(p, v);
}

Value ty_crossing_main_module(void)
{
    Value module = ty_dict_get_str(ty_interpreter()->modules, TY_NAME("__main__"));
    return module != TY_NULL || ty_raised() ? module : ty_raise(&ty_RuntimeError, "this interpreter has no module __main__");
}

Value ty_crossing_module(TyPacker *p, Value module)
{
    bool failed;
    Value name = ty_get_attribute_or_null(module, TY_NAME("__name__"), &failed);
    if (failed)
        return TY_NULL;
    if (name == TY_NULL || !ty_is_exact_str(name) || ty_dict_get_str(ty_interpreter()->modules, name) != module)
        return ty_packer_refuse(p, module);
    if (ty_str_equal_text(name, "__main__"))
        return ty_node_new(TY_NODE_MAIN, TY_NULL, TY_NULL, TY_NULL, TY_NULL);
    return ty_crossing_importable(name) ? ty_node_new(TY_NODE_MODULE, name, TY_NULL, TY_NULL, TY_NULL) : ty_packer_refuse(p, module);
}
