/* The module: its functions, what it takes from other modules. */
#include "modules/_pickle/pickle.h"
#include "runtime/runtime.h"

Value *ty_pickle_state(void)
{
    Value module = ty_module_current("_pickle");
    return module == TY_NULL ? NULL : ty_module_state(module);
}

TyType *ty_pickle_error(int which)
{
    Value *state = ty_pickle_state();
    if (!state)
        ty_clear_exception();
    return state && state[which] != TY_NULL ? ty_as_type(state[which]) : &ty_Exception;
}

Value ty_pickle_import(Value name)
{
    /* Also where the module is there already: another thread may be running its body yet. */
    if (ty_import_level(name, TY_NONE, TY_NONE, ty_from_immediate_int(0)) == TY_NULL)
        return TY_NULL;
    return ty_get_item(ty_interpreter()->modules, name);
}

bool ty_pickle_hook(Value self, Value name, TyNativeFunction ours, Value *hook)
{
    *hook = TY_NULL;
    Value found = ty_get_attribute(self, name);
    if (found == TY_NULL)
        return false;
    bool is_ours = ty_is_exact(found, &ty_native_type) && ((TyNative *)ty_object(found))->def->function.flat == ours;
    if (!is_ours)
        *hook = found;
    return true;
}

static Value dump(Value module, Value *a) { return ty_pickle_dump(a[0], a[1], a[2], a[3], a[4]); }
static Value dumps(Value module, Value *a) { return ty_pickle_dump(a[0], TY_NULL, a[1], a[2], a[3]); }
static Value load(Value module, Value *a) { return ty_pickle_load(a[0], TY_NULL, a[1], a[2], a[3], a[4]); }
static Value loads(Value module, Value *a) { return ty_pickle_load(TY_NULL, a[0], a[1], a[2], a[3], a[4]); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("dump(module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)", dump,
                "Writes a pickle of obj to a file open for writing bytes.\n\nThe protocol is 0 to 5; None is the default one, a negative number the highest."),
    TY_FUNCTION("dumps(module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)", dumps, "A pickle of obj, as bytes."),
    TY_FUNCTION("load(module, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())", load,
                "Reads a pickle from a file open for reading bytes and gives the object that it makes.\n\nNever do this with data that you do not trust: a "
                "pickle can call anything."),
    TY_FUNCTION("loads(module, data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())", loads,
                "The object that a pickle, given as a bytes-like object, makes.\n\nNever do this with data that you do not trust: a pickle can call anything."),
    {0},
};

/* Attributes of Python modules that are wanted at every turn. */
static const struct { const char *module, *name; int index; } imported[] = {
    {"copyreg", "dispatch_table", TY_PICKLE_DISPATCH_TABLE},
    {"copyreg", "_extension_registry", TY_PICKLE_EXTENSION_REGISTRY},
    {"copyreg", "_inverted_registry", TY_PICKLE_INVERTED_REGISTRY},
    {"copyreg", "_extension_cache", TY_PICKLE_EXTENSION_CACHE},
    {"_compat_pickle", "NAME_MAPPING", TY_PICKLE_NAME_MAPPING},
    {"_compat_pickle", "IMPORT_MAPPING", TY_PICKLE_IMPORT_MAPPING},
    {"_compat_pickle", "REVERSE_NAME_MAPPING", TY_PICKLE_REVERSE_NAME_MAPPING},
    {"_compat_pickle", "REVERSE_IMPORT_MAPPING", TY_PICKLE_REVERSE_IMPORT_MAPPING},
    {"codecs", "encode", TY_PICKLE_CODECS_ENCODE},
    {"functools", "partial", TY_PICKLE_PARTIAL},
    {"builtins", "getattr", TY_PICKLE_GETATTR},
};

static bool add_error(Value module, int index, const char *dotted, TyType *parent)
{
    Value type = ty_type_from_name(dotted, parent, TY_NULL);
    if (type == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[index], type);
    return ty_module_add(module, strchr(dotted, '.') + 1, type);
}

static bool execute(Value module)
{
    Value *state = ty_module_state(module);
    for (size_t i = 0; i < TY_COUNT_OF(imported); i++) {
        Value other = ty_import_module(imported[i].module);
        Value value = other == TY_NULL ? TY_NULL : ty_get_attribute(other, ty_intern_text(imported[i].name));
        if (value == TY_NULL)
            return false;
        if (imported[i].index <= TY_PICKLE_REVERSE_IMPORT_MAPPING && !ty_is_dict(value)) {
            ty_raise(&ty_RuntimeError, "%s.%s should be a dict, not %T", imported[i].module, imported[i].name, value);
            return false;
        }
        ty_store(ty_object(module), &state[imported[i].index], value);
    }
    return add_error(module, TY_PICKLE_ERROR, "_pickle.PickleError", &ty_Exception) &&
           add_error(module, TY_PICKLE_PICKLING_ERROR, "_pickle.PicklingError", ty_as_type(state[TY_PICKLE_ERROR])) &&
           add_error(module, TY_PICKLE_UNPICKLING_ERROR, "_pickle.UnpicklingError", ty_as_type(state[TY_PICKLE_ERROR])) &&
           ty_type_ready(&ty_pickler_memo_type) && ty_type_ready(&ty_unpickler_memo_type);
}

static TyType *const types[] = {&ty_pickler_type, &ty_unpickler_type, &ty_pickle_buffer_type, NULL};

const TyModuleDef ty_module_pickle = {
    .name = "_pickle",
    .doc = "Pickling and unpickling.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = TY_PICKLE_STATE_COUNT,
};
