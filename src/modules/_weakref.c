/* _weakref: what the weakref module is made of. */
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/exception.h"
#include "object/weakref.h"

static Value weakref_getweakrefcount(Value module, Value *a) { return ty_int_from_int64(ty_weak_count(a[0])); }
static Value weakref_getweakrefs(Value module, Value *a) { return ty_weak_list(a[0]); }
static Value weakref_proxy(Value module, Value *a) { return ty_weak_proxy_new(a[0], a[1]); }

/* Under concurrent changes the entry may have a new, living value by now: that one stays. */
static Value weakref_remove_dead(Value module, Value *a)
{
    if (!ty_is_dict(a[0]))
        return ty_raise(&ty_TypeError, "_remove_dead_weakref() argument 1 must be dict, not %T", a[0]);
    Value value = ty_dict_get(a[0], a[1]);
    if (!value)
        return ty_raised() ? TY_NULL : TY_NONE;
    if (!ty_is_weak_reference(value))
        return ty_raise(&ty_TypeError, "not a weakref");
    if (!ty_weak_target(value) && ty_dict_delete(a[0], a[1]) < 0)
        return TY_NULL;
    return TY_NONE;
}

static const TyNativeDef weakref_functions[] = {
    TY_FUNCTION("getweakrefcount(object, /)", weakref_getweakrefcount, "How many weak references and proxies the object has."),
    TY_FUNCTION("getweakrefs(object, /)", weakref_getweakrefs, "A list of the object's weak references and proxies."),
    TY_FUNCTION("proxy(object, callback=None, /)", weakref_proxy,
                "An object that behaves like the given one without keeping it alive; callback is called with it when that has died."),
    TY_FUNCTION("_remove_dead_weakref(dct, key, /)", weakref_remove_dead, "Removes the dict's entry if its value is a dead weak reference."),
    {0}};

static bool weakref_execute(Value module)
{
    return ty_module_add(module, "ref", ty_from_object(&ty_weak_reference_type)) &&
           ty_module_add(module, "ReferenceType", ty_from_object(&ty_weak_reference_type)) &&
           ty_module_add(module, "ProxyType", ty_from_object(&ty_weak_proxy_type)) &&
           ty_module_add(module, "CallableProxyType", ty_from_object(&ty_weak_callable_proxy_type));
}

static TyType *const weakref_types[] = {&ty_weak_reference_type, &ty_weak_proxy_type, &ty_weak_callable_proxy_type, NULL};

const TyModuleDef ty_module__weakref = {
    .name = "_weakref",
    .doc = "Support for weak references.",
    .functions = weakref_functions,
    .types = weakref_types,
    .execute = weakref_execute,
};
