/* _abc: what ABCMeta is made of.
 *
 * Each abstract class has an _abc_data: the classes registered with it, and caches of classes that are known to be, or not to be, its subclasses. Classes are
 * kept by address with a weak reference beside it, so that asking makes no reference; an entry whose class died is as good as absent. The negative
 * cache holds while nothing was registered anywhere: a process-wide count says so. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "object/weakref.h"

typedef struct AbcData {
    TyObject base;
    Value registry, cache, negative_cache; /* dicts from address to weak reference; TY_NULL while empty */
    _Atomic int64_t negative_version;
    int64_t purge_at; /* length of the cache at which dead entries are looked for */
} AbcData;

static _Atomic int64_t registrations;

static void data_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((AbcData *)self)->registry, 3); }

static Value data_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("_abc_data", keywords) || !ty_check_positional("_abc_data", count, 0, 0))
        return TY_NULL;
    AbcData *data = (AbcData *)ty_allocate(type, sizeof(AbcData));
    if (data)
        ty_store_relaxed(&data->negative_version, ty_load_relaxed(&registrations));
    return ty_from_object(data);
}

static TyType data_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(AbcData), .trace = data_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,
    .name = "_abc._abc_data",
    .doc = "What an abstract class knows of its subclasses.",
    .parent = &ty_object_base_type,
    .slots = {.new = data_new},
};

static AbcData *data_of(Value class)
{
    if (!ty_is_type(class)) {
        ty_raise(&ty_TypeError, "descriptor '_abc_impl' requires a class, not '%T'", class);
        return NULL;
    }
    Value data = ty_type_lookup(ty_as_type(class), TY_NAME("_abc_impl"));
    if (data != TY_NULL && ty_is_exact(data, &data_type))
        return (AbcData *)ty_object(data);
    if (!ty_raised())
        ty_raise(&ty_TypeError, "_abc_impl is set to a wrong type");
    return NULL;
}

/* --- tables of classes ---------------------------------------------------------------------------------------------- */

static Value address_key(Value class) { return ty_from_immediate_int((int64_t)(class >> 3)); }

static bool table_has(const Value *table, Value class)
{
    Value dict = ty_field_acquire(table);
    if (dict == TY_NULL)
        return false;
    Value reference = ty_dict_get(dict, address_key(class));
    return reference != TY_NULL && ty_weak_target(reference) == class;
}

static void purge(Value dict)
{
    Value keys = ty_dict_keys(dict);
    for (int64_t i = 0; keys != TY_NULL && i < ty_list_length(keys); i++) {
        Value reference = ty_dict_get(dict, ty_list_item(keys, i));
        if (reference != TY_NULL && ty_weak_target(reference) == TY_NULL)
            ty_dict_delete(dict, ty_list_item(keys, i));
    }
    ty_clear_exception();
}

static bool table_add(AbcData *data, Value *table, Value class)
{
    Value dict = ty_field_acquire(table), reference = ty_weak_reference_new(class, TY_NULL);
    if (reference == TY_NULL)
        return false;
    if (dict == TY_NULL) {
        dict = ty_dict_new();
        if (dict == TY_NULL)
            return false;
        ty_store_publish(data, table, dict);
    }
    if (ty_dict_length(dict) > 32 && ty_dict_length(dict) > data->purge_at) {
        purge(dict);
        data->purge_at = ty_dict_length(dict) * 2;
    }
    return ty_dict_set(dict, address_key(class), reference);
}

/* The living classes of a table, as a list. */
static Value table_classes(const Value *table)
{
    Value dict = ty_field_acquire(table), list = ty_list_new(0), reference;
    int64_t position = 0;
    while (list != TY_NULL && dict != TY_NULL && ty_dict_next(dict, &position, NULL, &reference)) {
        Value class = ty_weak_target(reference);
        if (class != TY_NULL && !ty_list_append(list, class))
            return TY_NULL;
    }
    return list;
}

static Value table_references(const Value *table)
{
    Value dict = ty_field_acquire(table);
    if (dict == TY_NULL)
        return ty_set_new(TY_NULL);
    Value references = ty_dict_values(dict);
    return references == TY_NULL ? TY_NULL : ty_set_new(references);
}

/* --- making a class ------------------------------------------------------------------------------------------------- */

static int is_abstract(Value v)
{
    bool failed = false;
    Value flag = ty_get_attribute_or_null(v, TY_NAME("__isabstractmethod__"), &failed);
    return failed ? -1 : flag == TY_NULL ? 0 : ty_is_true(flag);
}

/* Sets __abstractmethods__: the abstract ones of the class's own names, and those of its bases that it does not replace. */
static bool compute_abstract_methods(Value class)
{
    Value names = ty_set_new(TY_NULL), items = ty_dict_items(ty_as_type(class)->dict);
    if (names == TY_NULL || items == TY_NULL)
        return false;
    for (int64_t i = 0; i < ty_list_length(items); i++) {
        Value pair = ty_list_item(items, i);
        int abstract = is_abstract(ty_tuple_item(pair, 1));
        if (abstract < 0 || (abstract && !ty_set_add(names, ty_tuple_item(pair, 0))))
            return false;
    }
    Value bases = ty_as_type(class)->bases;
    for (int64_t i = 0; i < ty_tuple_length(bases); i++) {
        bool failed = false;
        Value inherited = ty_get_attribute_or_null(ty_tuple_item(bases, i), TY_NAME("__abstractmethods__"), &failed);
        if (failed)
            return false;
        Value iterator = inherited == TY_NULL ? TY_NULL : ty_iter(inherited), name;
        if (iterator == TY_NULL) {
            if (ty_raised())
                return false;
            continue;
        }
        while ((name = ty_next(iterator)) != TY_NULL) {
            Value value = ty_get_attribute_or_null(class, name, &failed);
            int abstract = failed ? -1 : value == TY_NULL ? 0 : is_abstract(value);
            if (abstract < 0 || (abstract && !ty_set_add(names, name)))
                return false;
        }
        if (ty_raised())
            return false;
    }
    Value frozen = ty_frozenset_new(names);
    return frozen != TY_NULL && ty_set_attribute(class, TY_NAME("__abstractmethods__"), frozen);
}

#define PATTERN_FLAGS (TY_TYPE_SEQUENCE | TY_TYPE_MAPPING)

/* __abc_tpflags__ says, in CPython's numbers, whether patterns see instances as sequences or mappings. */
static bool take_pattern_flags(Value class)
{
    TyType *type = ty_as_type(class);
    Value given = ty_dict_get(type->dict, TY_NAME("__abc_tpflags__"));
    if (given == TY_NULL)
        return !ty_raised();
    if (!ty_is_immediate_int(given))
        return true;
    int64_t flags = ty_immediate_int(given);
    if ((flags & 0x60) == 0x60) {
        ty_raise(&ty_TypeError, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
        return false;
    }
    if (flags & 0x20)
        type->flags = (type->flags & ~PATTERN_FLAGS) | TY_TYPE_SEQUENCE;
    else if (flags & 0x40)
        type->flags = (type->flags & ~PATTERN_FLAGS) | TY_TYPE_MAPPING;
    return ty_dict_delete(type->dict, TY_NAME("__abc_tpflags__")) >= 0;
}

static Value abc_init(Value module, Value *a)
{
    if (!ty_is_type(a[0]))
        return ty_raise(&ty_TypeError, "_abc_init() argument must be a class, not '%T'", a[0]);
    if (!compute_abstract_methods(a[0]))
        return TY_NULL;
    Value data = data_new(&data_type, ty_no_arguments, 0, TY_NULL);
    if (data == TY_NULL || !ty_set_attribute(a[0], TY_NAME("_abc_impl"), data) || !take_pattern_flags(a[0]))
        return TY_NULL;
    return TY_NONE;
}

static void set_pattern_flags(TyType *type, void *context)
{
    uint32_t flags = *(uint32_t *)context;
    if ((type->flags & TY_TYPE_IMMUTABLE) || (type->flags & PATTERN_FLAGS) == flags)
        return;
    type->flags = (type->flags & ~PATTERN_FLAGS) | flags;
    ty_type_each_subclass(type, set_pattern_flags, context);
}

static Value abc_register(Value module, Value *a)
{
    Value class = a[0], subclass = a[1];
    if (!ty_is_type(subclass))
        return ty_raise(&ty_TypeError, "Can only register classes");
    int already = ty_issubclass(subclass, class);
    if (already != 0)
        return already < 0 ? TY_NULL : subclass;
    int cycle = ty_issubclass(class, subclass);
    if (cycle < 0)
        return TY_NULL;
    if (cycle)
        return ty_raise(&ty_RuntimeError, "Refusing to create an inheritance cycle");
    AbcData *data = data_of(class);
    if (!data || !table_add(data, &data->registry, subclass))
        return TY_NULL;
    atomic_fetch_add_explicit(&registrations, 1, memory_order_acq_rel);
    uint32_t flags = ty_as_type(class)->flags & PATTERN_FLAGS;
    if (flags)
        set_pattern_flags(ty_as_type(subclass), &flags);
    return subclass;
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

static Value ask(Value class, Value subclass) { return ty_call_method_one(class, TY_NAME("__subclasscheck__"), subclass); }

static Value abc_instancecheck(Value module, Value *a)
{
    Value class = a[0], instance = a[1];
    AbcData *data = data_of(class);
    if (!data)
        return TY_NULL;
    Value subtype = ty_from_object(ty_type_of(instance)), subclass;
    bool failed = false;
    subclass = ty_get_attribute_or_null(instance, TY_NAME("__class__"), &failed);
    if (failed)
        return TY_NULL;
    if (subclass == TY_NULL)
        subclass = subtype;
    if (table_has(&data->cache, subclass))
        return TY_TRUE;
    if (subclass == subtype) {
        if (ty_load_relaxed(&data->negative_version) == ty_load_acquire(&registrations) && table_has(&data->negative_cache, subclass))
            return TY_FALSE;
        return ask(class, subclass);
    }
    Value answer = ask(class, subclass);
    int truth = answer == TY_NULL ? -1 : ty_is_true(answer);
    if (truth != 0)
        return truth < 0 ? TY_NULL : answer;
    return ask(class, subtype);
}

static bool remember(AbcData *data, Value class) { return table_add(data, &data->cache, class); }

static Value abc_subclasscheck(Value module, Value *a)
{
    Value class = a[0], subclass = a[1];
    if (!ty_is_type(subclass))
        return ty_raise(&ty_TypeError, "issubclass() arg 1 must be a class");
    AbcData *data = data_of(class);
    if (!data)
        return TY_NULL;
    if (table_has(&data->cache, subclass))
        return TY_TRUE;
    int64_t now = ty_load_acquire(&registrations);
    if (ty_load_relaxed(&data->negative_version) < now) {
        ty_store_publish(data, &data->negative_cache, TY_NULL);
        ty_store_relaxed(&data->negative_version, now);
    } else if (table_has(&data->negative_cache, subclass)) {
        return TY_FALSE;
    }
    Value verdict = ty_call_method_one(class, TY_NAME("__subclasshook__"), subclass);
    if (verdict == TY_NULL)
        return TY_NULL;
    if (verdict == TY_TRUE)
        return remember(data, subclass) ? TY_TRUE : TY_NULL;
    if (verdict == TY_FALSE)
        return table_add(data, &data->negative_cache, subclass) ? TY_FALSE : TY_NULL;
    if (verdict != TY_NOT_IMPLEMENTED)
        return ty_raise(&ty_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
    if (ty_type_is_subtype(ty_as_type(subclass), ty_as_type(class)))
        return remember(data, subclass) ? TY_TRUE : TY_NULL;
    Value registered = table_classes(&data->registry);
    if (registered == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(registered); i++) {
        int is = ty_issubclass(subclass, ty_list_item(registered, i));
        if (is != 0)
            return is < 0 || !remember(data, subclass) ? TY_NULL : TY_TRUE;
    }
    Value subclasses = ty_call_method_none(class, TY_NAME("__subclasses__"));
    if (subclasses == TY_NULL)
        return TY_NULL;
    if (!ty_is_list(subclasses))
        return ty_raise(&ty_TypeError, "__subclasses__() must return a list");
    for (int64_t i = 0; i < ty_list_length(subclasses); i++) {
        int is = ty_issubclass(subclass, ty_list_item(subclasses, i));
        if (is != 0)
            return is < 0 || !remember(data, subclass) ? TY_NULL : TY_TRUE;
    }
    return table_add(data, &data->negative_cache, subclass) ? TY_FALSE : TY_NULL;
}

static Value get_cache_token(Value module, Value *a) { return ty_int_from_int64(ty_load_acquire(&registrations)); }

static Value reset_registry(Value module, Value *a)
{
    AbcData *data = data_of(a[0]);
    if (!data)
        return TY_NULL;
    ty_store_publish(data, &data->registry, TY_NULL);
    return TY_NONE;
}

static Value reset_caches(Value module, Value *a)
{
    AbcData *data = data_of(a[0]);
    if (!data)
        return TY_NULL;
    ty_store_publish(data, &data->cache, TY_NULL);
    ty_store_publish(data, &data->negative_cache, TY_NULL);
    return TY_NONE;
}

static Value get_dump(Value module, Value *a)
{
    AbcData *data = data_of(a[0]);
    if (!data)
        return TY_NULL;
    return ty_tuple_pack(4, table_references(&data->registry), table_references(&data->cache), table_references(&data->negative_cache),
                         ty_int_from_int64(ty_load_relaxed(&data->negative_version)));
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("get_cache_token()", get_cache_token, "A number that changes whenever a class is registered with an abstract class."),
    TY_FUNCTION("_abc_init(module, self, /)", abc_init, "Prepares a class made by ABCMeta."),
    TY_FUNCTION("_abc_register(module, self, subclass, /)", abc_register, "Registers a virtual subclass."),
    TY_FUNCTION("_abc_instancecheck(module, self, instance, /)", abc_instancecheck, "isinstance() for an abstract class."),
    TY_FUNCTION("_abc_subclasscheck(module, self, subclass, /)", abc_subclasscheck, "issubclass() for an abstract class."),
    TY_FUNCTION("_reset_registry(module, self, /)", reset_registry, "Forgets the registered classes, for tests."),
    TY_FUNCTION("_reset_caches(module, self, /)", reset_caches, "Empties the caches, for tests."),
    TY_FUNCTION("_get_dump(module, self, /)", get_dump, "The registry, both caches and the negative cache's version, for debugging."),
    {0},
};

static bool execute(Value module) { return ty_type_ready(&data_type); }

const TyModuleDef ty_module_abc = {
    .name = "_abc",
    .doc = "What ABCMeta is made of.",
    .functions = functions,
    .execute = execute,
};
