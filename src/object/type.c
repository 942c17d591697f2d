#include "object/bytes.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/mappingproxy.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/slots.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include <stdlib.h>

/* --- subtypes, versions and lookup ------------------------------------------------------------------------------ */

bool ty_type_is_subtype(const TyType *type, const TyType *ancestor)
{
    if (type == ancestor)
        return true;
    Value mro = ty_field(&type->mro);
    if (mro == TY_NULL) {
        for (; type; type = type->parent)
            if (type == ancestor)
                return true;
        return ancestor == &ty_object_type_;
    }
    TyTuple *t = ty_as_tuple(mro);
    for (int64_t i = 0; i < t->length; i++)
        if (ty_as_type(t->items[i]) == ancestor)
            return true;
    return false;
}

const char *ty_type_short_name(const TyType *type)
{
    const char *dot = (type->flags & TY_TYPE_HEAP) ? NULL : strrchr(type->name, '.');
    return dot ? dot + 1 : type->name;
}

static _Atomic uint32_t next_version = 1;

/* A number for the type's present state, or 0 when they have run out. */
uint32_t ty_type_version(TyType *type)
{
    uint32_t version = ty_load_acquire(&type->version);
    if (TY_LIKELY(version != 0))
        return version;
    if (__atomic_load_n(&type->flags, __ATOMIC_RELAXED) & TY_TYPE_UNCACHED)
        return 0;
    uint32_t fresh = ty_load_relaxed(&next_version);
    do {
        if (fresh >= UINT32_MAX - 1)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&next_version, &fresh, fresh + 1, memory_order_relaxed, memory_order_relaxed));
    /* The bases first: a type with a version has bases with one, so that a change of a base always reaches it. */
    if (type->mro != TY_NULL) {
        TyTuple *mro = ty_as_tuple(type->mro);
        for (int64_t i = 1; i < mro->length; i++)
            if (ty_type_version(ty_as_type(mro->items[i])) == 0)
                return 0;
    }
    uint32_t none = 0;
    bool mine = atomic_compare_exchange_strong_explicit(&type->version, &none, fresh, memory_order_seq_cst, memory_order_acquire);
    atomic_thread_fence(memory_order_seq_cst); /* the other half: see ty_type_modified */
    return mine ? fresh : none;
}

/* Calls visit for each live direct subclass. */
void ty_type_each_subclass(TyType *type, void (*visit)(TyType *subclass, void *context), void *context)
{
    Value list = ty_type_subclass_list(type, false);
    if (list == TY_NULL)
        return;
    for (int64_t i = 0; i < ty_list_length(list); i++) {
        Value reference = ty_list_item(list, i);
        if (reference == TY_NULL)
            continue;
        Value subclass = ty_weak_target(reference);
        if (subclass != TY_NULL)
            visit(ty_as_type(subclass), context);
    }
}

static void forget_version(TyType *type, void *context)
{
    (void)context;
    if (ty_load_relaxed(&type->version) == 0)
        return; /* then its subclasses have none either */
    ty_store_release(&type->version, 0);
    ty_type_each_subclass(type, forget_version, NULL);
}

/* After the change. The fence is one half of Dekker's: who gives out a version and then looks things up sees the change, or this sees the version. */
void ty_type_modified(TyType *type)
{
    atomic_thread_fence(memory_order_seq_cst);
    forget_version(type, NULL);
}

static TyLookupEntry *lookup_cache(void)
{
    TyThread *thread = ty_thread;
    if (TY_UNLIKELY(!thread->lookup_cache))
        thread->lookup_cache = calloc(TY_LOOKUP_CACHE_SIZE, sizeof(TyLookupEntry));
    return thread->lookup_cache;
}

static Value lookup_mro(TyType *type, Value name)
{
    Value mro = ty_field_acquire(&type->mro);
    if (mro == TY_NULL) { /* a static type that its module keeps to itself is readied when it is first looked at */
        if ((type->flags & (TY_TYPE_HEAP | TY_TYPE_READY)) || !ty_type_ready(type))
            return TY_NULL;
        mro = ty_field_acquire(&type->mro);
    }
    TyTuple *t = ty_as_tuple(mro);
    Value before = ty_thread->exception; /* one that is being handled by the caller: not for the lookup to lose */
    for (int64_t i = 0; i < t->length; i++) {
        TyType *base = ty_as_type(t->items[i]);
        Value found = ty_dict_get_str(ty_field_acquire(&base->dict), name);
        if (found != TY_NULL)
            return found;
        if (TY_UNLIKELY(ty_thread->exception != before))
            ty_thread->exception = before;
    }
    return TY_NULL;
}

Value ty_type_lookup(TyType *type, Value name)
{
    if (TY_UNLIKELY(!ty_str_is_interned(name)))
        return lookup_mro(type, name);
    TyLookupEntry *cache = lookup_cache();
    if (TY_UNLIKELY(!cache))
        return lookup_mro(type, name);
    uint32_t version = ty_type_version(type);
    TyLookupEntry *entry = &cache[(version * 0x9E3779B1u ^ (uint32_t)(name >> 4)) & (TY_LOOKUP_CACHE_SIZE - 1)];
    if (entry->version == version && entry->name == name && version != 0)
        return entry->value;
    Value found = lookup_mro(type, name);
    if (version != 0 && ty_load_acquire(&type->version) == version) {
        entry->version = version;
        entry->name = name;
        entry->value = found;
    }
    return found;
}

/* --- static types ----------------------------------------------------------------------------------------------- */

static void inherit_slots(TyType *type, const TyType *base)
{
    TySlots *to = &type->slots;
    const TySlots *from = &base->slots;
    bool own_comparison = to->hash || to->compare;
    TyHashFunction hash = to->hash;
    TyCompareFunction compare = to->compare;
    void **target = (void **)to;
    void *const *source = (void *const *)from;
    for (size_t i = 0; i < sizeof(TySlots) / sizeof(void *); i++)
        if (!target[i])
            target[i] = source[i];
    if (own_comparison) { /* hash and comparison are inherited together or not at all */
        to->hash = hash ? hash : ty_hash_unhashable;
        to->compare = compare ? compare : from->compare;
    }
}

static bool add_natives(TyType *type, Value dict)
{
    for (const TyNativeDef *def = type->methods; def && def->signature; def++) {
        Value value = ty_native_for_type(def, type);
        if (value == TY_NULL)
            return false;
        Value name = ty_intern_utf8(def->signature, strcspn(def->signature, "("));
        if (name == TY_NULL || !ty_dict_set(dict, name, value))
            return false;
    }
    for (const TyGetSetDef *def = type->getsets; def && def->name; def++) {
        Value value = ty_getset_new(type, def);
        if (value == TY_NULL || !ty_dict_set(dict, ty_intern_text(def->name), value))
            return false;
    }
    for (const TyMemberDef *def = type->members; def && def->name; def++) {
        Value value = ty_member_new(type, def);
        if (value == TY_NULL || !ty_dict_set(dict, ty_intern_text(def->name), value))
            return false;
    }
    return true;
}

static Value static_mro(TyType *type)
{
    if (type->static_bases[0])
        return ty_mro_compute(type);
    int64_t length = type->parent ? ty_tuple_length(type->parent->mro) : 0;
    Value mro = ty_tuple_new(length + 1);
    if (mro == TY_NULL)
        return TY_NULL;
    ty_tuple_set(mro, 0, ty_from_object(type));
    for (int64_t i = 0; i < length; i++)
        ty_tuple_set(mro, i + 1, ty_tuple_item(type->parent->mro, i));
    return mro;
}

static Value static_bases(TyType *type)
{
    if (!type->parent)
        return ty_tuple_new(0);
    if (!type->static_bases[0])
        return ty_tuple_pack(1, ty_from_object(type->parent));
    return ty_tuple_pack(2, ty_from_object(type->static_bases[0]), ty_from_object(type->static_bases[1]));
}

static pthread_mutex_t ready_lock = PTHREAD_MUTEX_INITIALIZER;

static bool type_ready_locked(TyType *type)
{
    if (type->flags & TY_TYPE_READY)
        return true;
    if (!type->parent && type != &ty_object_type_)
        type->parent = &ty_object_type_;
    if (type->parent && !type_ready_locked(type->parent))
        return false;
    ty_root_add(&type->bases, (Value *)&type->interpreter - &type->bases);
    TySlots own = type->slots;
    if (!ty_load_relaxed(&type->base.type))
        ty_store_relaxed(&type->base.type, &ty_type_type);
    type->flags |= TY_TYPE_IMMUTABLE;
    if (type->parent) {
        type->flags |= type->parent->flags & (TY_TYPE_FAMILY | TY_TYPE_SEQUENCE | TY_TYPE_MAPPING | TY_TYPE_MATCH_SELF | TY_TYPE_VARIABLE | TY_TYPE_HAS_DICT | TY_TYPE_WEAKREFABLE);
        if (type->attributes_offset == 0)
            type->attributes_offset = type->parent->attributes_offset;
        if (!type->layout.trace)
            type->layout.trace = type->parent->layout.trace;
        if (!type->layout.destroy)
            type->layout.destroy = type->parent->layout.destroy;
        if (!type->layout.finalize)
            type->layout.finalize = type->parent->layout.finalize;
        if (!type->layout.retire)
            type->layout.retire = type->parent->layout.retire;
        if (type->layout.size == 0)
            type->layout.size = type->parent->layout.size;
        if (type->layout.item_size == 0)
            type->layout.item_size = type->parent->layout.item_size;
    }
    if (type->attributes_offset != 0) {
        type->flags |= TY_TYPE_HAS_DICT;
        if (type->layout.size < type->attributes_offset + sizeof(TyAttributes))
            type->layout.size = type->attributes_offset + sizeof(TyAttributes);
    }
    if (type->layout.size == 0)
        type->layout.size = sizeof(TyObject);
    if (type->layout.item_size != 0)
        type->flags |= TY_TYPE_VARIABLE;
    const char *dot = strrchr(type->name, '.');
    ty_store(type, &type->name_value, ty_intern_text(dot ? dot + 1 : type->name));
    ty_store(type, &type->qualname_value, type->name_value);
    ty_store(type, &type->dict, ty_dict_new());
    ty_store(type, &type->bases, static_bases(type));
    ty_store(type, &type->mro, static_mro(type));
    if (type->dict == TY_NULL || type->bases == TY_NULL || type->mro == TY_NULL || ty_shape_of_type(type) == 0)
        return false;
    type->slots = own;
    if (!ty_slots_add_wrappers(type) || !add_natives(type, type->dict))
        return false;
    if (own.new && !(type->flags & TY_TYPE_NO_NEW) && ty_dict_get_text(type->dict, "__new__") == TY_NULL
        && !ty_dict_set(type->dict, TY_NAME("__new__"), ty_native_constructor(type)))
        return false;
    TyTuple *mro = ty_as_tuple(type->mro);
    for (int64_t i = 1; i < mro->length; i++)
        inherit_slots(type, ty_as_type(mro->items[i]));
    if (own.hash == NULL && own.compare != NULL)
        ty_dict_set(type->dict, TY_NAME("__hash__"), TY_NONE);
    if (type->flags & TY_TYPE_NO_NEW)
        type->slots.new = NULL;
    if (own.next && !own.iter)
        type->slots.iter = type->slots.iter ? type->slots.iter : ty_identity_iter;
    if (type->slots.get_attribute != ty_generic_get_attribute)
        type->flags |= TY_TYPE_CUSTOM_GETATTR;
    Value doc = type->doc ? ty_str_from_text(ty_native_doc_text(type->doc)) : TY_NONE;
    if (doc == TY_NULL || (ty_dict_get_text(type->dict, "__doc__") == TY_NULL && !ty_dict_set(type->dict, TY_NAME("__doc__"), doc)))
        return false;
    type->flags |= TY_TYPE_READY;
    return true;
}

bool ty_type_ready(TyType *type)
{
    static _Thread_local int depth;
    if (type->flags & TY_TYPE_READY)
        return true;
    if (depth == 0) {
        ty_blocking_begin();
        pthread_mutex_lock(&ready_lock);
        ty_blocking_end();
    }
    depth++;
    bool done = type_ready_locked(type);
    depth--;
    if (depth == 0)
        pthread_mutex_unlock(&ready_lock);
    return done;
}

/* --- the type `type` ---------------------------------------------------------------------------------------------- */

static void type_trace(TyObject *self, TyMarker *marker)
{
    TyType *type = (TyType *)self;
    if (type->parent)
        ty_mark_object(marker, &type->parent->base);
    ty_mark_range(marker, &type->bases, (Value *)&type->interpreter - &type->bases);
    TyShape *shape = ty_shape_from_number(ty_load_relaxed(&type->layout.shape));
    if (shape)
        ty_mark_object(marker, &shape->base);
    if (type->base.type && ty_object_type(self) != &ty_type_type)
        ty_class_trace_instance(self, marker);
}

static void type_destroy(TyObject *self)
{
    TyType *type = (TyType *)self;
    free((void *)type->name);
}

static Value type_repr(Value self)
{
    TyType *type = ty_as_type(self);
    Value module = ty_type_module(type);
    if (module == TY_NULL)
        ty_clear_exception();
    if (module == TY_NULL || !ty_is_str(module) || ty_str_equal_text(module, "builtins"))
        return ty_str_format("<class '%U'>", type->qualname_value);
    return ty_str_format("<class '%U.%U'>", module, type->qualname_value);
}

/* type(x), or making an instance: __new__, then __init__ of what came out. */
Value ty_type_call(Value self, const Value *arguments, size_t count, Value keywords)
{
    TyType *type = ty_as_type(self);
    if (type == &ty_type_type && count == 1 && (keywords == TY_NULL || ty_tuple_length(keywords) == 0))
        return ty_from_object(ty_type_of(arguments[0]));
    if (type == &ty_type_type && count != 3)
        return ty_raise(&ty_TypeError, "type() takes 1 or 3 arguments");
    TyNewFunction new = type->slots.new;
    if (!new)
        return ty_raise(&ty_TypeError, "cannot create '%s' instances", type->name);
    Value instance = new(type, arguments, count, keywords);
    if (instance == TY_NULL)
        return TY_NULL;
    TyType *actual = ty_type_of(instance);
    if (actual != type && !ty_type_is_subtype(actual, type))
        return instance;
    TyInitFunction init = actual->slots.init;
    if (init && !init(instance, arguments, count, keywords))
        return TY_NULL;
    return instance;
}

Value ty_type_find_attribute(Value self, Value name)
{
    TyType *type = ty_as_type(self), *meta = ty_type_of(self);
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name);
    Value meta_attribute = ty_type_lookup(meta, name);
    TyDescriptorGet meta_get = NULL;
    if (meta_attribute != TY_NULL) {
        meta_get = ty_type_of(meta_attribute)->slots.get;
        if (meta_get && ty_type_of(meta_attribute)->slots.set)
            return meta_get(meta_attribute, self, ty_from_object(meta));
    }
    Value attribute = ty_type_lookup(type, name);
    if (attribute != TY_NULL) {
        TyDescriptorGet get = ty_type_of(attribute)->slots.get;
        return get ? get(attribute, TY_NULL, self) : attribute;
    }
    if (meta_get)
        return meta_get(meta_attribute, self, ty_from_object(meta));
    return meta_attribute;
}

Value ty_type_get_attribute(Value self, Value name)
{
    Value v = ty_type_find_attribute(self, name);
    return v != TY_NULL || ty_raised() ? v : ty_raise_attribute_error(self, name);
}

static void update_slots_of_subclasses(TyType *type, void *context)
{
    (void)context;
    ty_slots_update(type);
    ty_type_each_subclass(type, update_slots_of_subclasses, NULL);
}

static bool type_set_attribute(Value self, Value name, Value value)
{
    TyType *type = ty_as_type(self);
    if (!ty_is_str(name))
        return ty_raise(&ty_TypeError, "attribute name must be string, not '%T'", name), false;
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "cannot set %R attribute of immutable type '%s'", name, type->name), false;
    name = ty_intern(name);
    if (name == TY_NULL)
        return false;
    Value meta_attribute = ty_type_lookup(ty_type_of(self), name);
    if (meta_attribute != TY_NULL) {
        TyDescriptorSet set = ty_type_of(meta_attribute)->slots.set;
        if (set)
            return set(meta_attribute, self, value);
    }
    if (value == TY_NULL) {
        int deleted = ty_dict_delete(type->dict, name);
        if (deleted == 0)
            ty_raise_attribute_error(self, name);
        if (deleted <= 0)
            return false;
    } else if (!ty_dict_set(type->dict, name, value))
        return false;
    ty_type_modified(type);
    /* An instance attribute cached by shape alone would now hide a data descriptor: such caches must be asked again. */
    if (value != TY_NULL && ty_type_of(value)->slots.set)
        ty_caches_flush();
    if (ty_slot_is_special_name(name))
        update_slots_of_subclasses(type, NULL);
    return true;
}

static Value type_get_name(Value self) { return ty_field(&ty_as_type(self)->name_value); }
static Value type_get_qualname(Value self) { return ty_field(&ty_as_type(self)->qualname_value); }

static bool check_settable(TyType *type, Value value, const char *name)
{
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "cannot set '%s' attribute of immutable type '%s'", name, type->name), false;
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot delete '%s' attribute of immutable type '%s'", name, type->name), false;
    return true;
}

static bool type_set_name(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (!check_settable(type, value, "__name__"))
        return false;
    if (!ty_is_str(value))
        return ty_raise(&ty_TypeError, "can only assign string to %s.__name__, not '%T'", type->name, value), false;
    return ty_class_set_name(type, value);
}

static bool type_set_qualname(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (!check_settable(type, value, "__qualname__"))
        return false;
    if (!ty_is_str(value))
        return ty_raise(&ty_TypeError, "can only assign string to %s.__qualname__, not '%T'", type->name, value), false;
    ty_store_publish(type, &type->qualname_value, value);
    return true;
}

Value ty_type_module(TyType *type)
{
    if (type->flags & TY_TYPE_HEAP) {
        Value module = ty_dict_get_str(type->dict, TY_NAME("__module__"));
        if (module == TY_NULL && !ty_raised())
            ty_raise(&ty_AttributeError, "__module__");
        return module;
    }
    const char *dot = strrchr(type->name, '.');
    return dot ? ty_intern_utf8(type->name, (size_t)(dot - type->name)) : TY_NAME("builtins");
}

static Value type_get_module(Value self) { return ty_type_module(ty_as_type(self)); }

static bool type_set_module(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (!check_settable(type, value, "__module__"))
        return false;
    if (!ty_dict_set(type->dict, TY_NAME("__module__"), value) || ty_dict_delete(type->dict, TY_NAME("__firstlineno__")) < 0)
        return false;
    ty_type_modified(type);
    return true;
}

static Value type_get_bases(Value self) { return ty_field(&ty_as_type(self)->bases); }
static Value type_get_mro(Value self)
{
    if (!(ty_as_type(self)->flags & (TY_TYPE_HEAP | TY_TYPE_READY)) && !ty_type_ready(ty_as_type(self)))
        return TY_NULL;
    Value mro = ty_field(&ty_as_type(self)->mro);
    return mro == TY_NULL ? TY_NONE : mro;
}
static Value type_get_base(Value self)
{
    TyType *parent = ty_as_type(self)->parent;
    return parent ? ty_from_object(parent) : TY_NONE;
}
static Value type_get_dict(Value self) { return ty_mappingproxy_new(ty_field(&ty_as_type(self)->dict)); }

static Value type_get_doc(Value self)
{
    TyType *type = ty_as_type(self);
    Value doc = ty_dict_get_str(type->dict, TY_NAME("__doc__"));
    if (doc == TY_NULL)
        return ty_raised() ? TY_NULL : TY_NONE;
    TyDescriptorGet get = ty_type_of(doc)->slots.get;
    return get ? get(doc, TY_NULL, self) : doc;
}

static bool type_set_doc(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (!check_settable(type, value, "__doc__"))
        return false;
    ty_type_modified(type);
    return ty_dict_set(type->dict, TY_NAME("__doc__"), value);
}

static Value type_get_text_signature(Value self)
{
    TyType *type = ty_as_type(self);
    return type->doc ? ty_native_doc_signature(ty_type_short_name(type), type->doc) : TY_NONE;
}

static Value type_get_basicsize(Value self) { return ty_int_from_int64(ty_as_type(self)->layout.size); }
static Value type_get_itemsize(Value self) { return ty_int_from_int64(ty_as_type(self)->layout.item_size); }
static Value type_get_dictoffset(Value self)
{
    TyType *type = ty_as_type(self);
    return ty_int_from_int64(type->attributes_offset ? (int64_t)type->attributes_offset : type->flags & TY_TYPE_HAS_DICT ? -1 : 0);
}
static Value type_get_weakrefoffset(Value self)
{
    TyType *type = ty_as_type(self);
    return ty_int_from_int64(type->flags & TY_TYPE_WEAKREFABLE ? type->layout.size : 0);
}

/* __flags__ with the bits that Python code looks at: heap type, base type, abstract, immutable, and the families. */
static Value type_get_flags(Value self)
{
    uint32_t f = ty_as_type(self)->flags;
    uint64_t flags = (1u << 12) | (f & (TY_TYPE_HEAP | TY_TYPE_SHOWN_AS_HEAP) ? 1u << 9 : 0) | (f & TY_TYPE_FINAL ? 0 : 1u << 10) | (f & TY_TYPE_ABSTRACT ? 1u << 20 : 0)
        | (f & TY_TYPE_IMMUTABLE ? 1u << 8 : 0) | (f & TY_TYPE_NO_NEW ? 1u << 7 : 0) | (f & TY_TYPE_SEQUENCE ? 1u << 5 : 0) | (f & TY_TYPE_MAPPING ? 1u << 6 : 0)
        | (f & TY_TYPE_INT ? 1u << 24 : 0) | (f & TY_TYPE_LIST ? 1u << 25 : 0) | (f & TY_TYPE_TUPLE ? 1u << 26 : 0) | (f & TY_TYPE_BYTES ? 1u << 27 : 0)
        | (f & TY_TYPE_STR ? 1u << 28 : 0) | (f & TY_TYPE_DICT ? 1u << 29 : 0) | (f & TY_TYPE_EXCEPTION ? 1u << 30 : 0) | (f & TY_TYPE_TYPE ? 1u << 31 : 0)
        | (f & TY_TYPE_METHOD ? 1u << 17 : 0) | (1u << 14);
    if ((f & TY_TYPE_HEAP) && (f & TY_TYPE_HAS_DICT)) /* attributes in slots of the instance: "managed dict", and "inline values" where they fit in it */
        flags |= 1u << 4 | (ty_as_type(self)->inline_count > 0 ? 1u << 2 : 0);
    return ty_int_from_uint64(flags);
}

static Value type_get_abstract_methods(Value self)
{
    Value methods = self == ty_from_object(&ty_type_type) ? TY_NULL : ty_dict_get_str(ty_as_type(self)->dict, TY_NAME("__abstractmethods__"));
    if (methods == TY_NULL && !ty_raised())
        ty_raise_attribute_error(self, TY_NAME("__abstractmethods__"));
    return methods;
}

static bool type_set_abstract_methods(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    int abstract = 0;
    if (value != TY_NULL) {
        if ((abstract = ty_is_true(value)) < 0 || !ty_dict_set(type->dict, TY_NAME("__abstractmethods__"), value))
            return false;
    } else {
        int deleted = ty_dict_delete(type->dict, TY_NAME("__abstractmethods__"));
        if (deleted == 0)
            ty_raise_attribute_error(self, TY_NAME("__abstractmethods__"));
        if (deleted <= 0)
            return false;
    }
    ty_type_modified(type);
    if (abstract)
        __atomic_fetch_or(&type->flags, TY_TYPE_ABSTRACT, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&type->flags, ~TY_TYPE_ABSTRACT, __ATOMIC_RELAXED);
    return true;
}

/* __annotate__ and __annotations__ (PEP 649): the class dict holds __annotate_func__ and __annotations_cache__. */
static Value type_get_annotate(Value self)
{
    TyType *type = ty_as_type(self);
    if (!(type->flags & TY_TYPE_HEAP))
        return ty_raise(&ty_AttributeError, "type object '%s' has no attribute '__annotate__'", type->name);
    Value annotate = ty_dict_get_str(type->dict, TY_NAME("__annotate__"));
    if (annotate == TY_NULL && !ty_raised())
        annotate = ty_dict_get_str(type->dict, TY_NAME("__annotate_func__"));
    if (annotate == TY_NULL)
        return ty_raised() ? TY_NULL : TY_NONE;
    TyDescriptorGet get = ty_type_of(annotate)->slots.get;
    return get ? get(annotate, TY_NULL, self) : annotate;
}

static bool type_set_annotate(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (value == TY_NULL)
        return ty_raise(&ty_TypeError, "cannot delete __annotate__ attribute"), false;
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "cannot set '__annotate__' attribute of immutable type '%s'", type->name), false;
    if (value != TY_NONE && !ty_is_callable(value))
        return ty_raise(&ty_TypeError, "__annotate__ must be callable or None"), false;
    if (!ty_dict_set(type->dict, TY_NAME("__annotate_func__"), value))
        return false;
    if (value != TY_NONE && ty_dict_delete(type->dict, TY_NAME("__annotations_cache__")) < 0)
        return false;
    ty_type_modified(type);
    return true;
}

static Value type_get_annotations(Value self)
{
    TyType *type = ty_as_type(self);
    if (!(type->flags & TY_TYPE_HEAP))
        return ty_raise(&ty_AttributeError, "type object '%s' has no attribute '__annotations__'", type->name);
    Value annotations = ty_dict_get_str(type->dict, TY_NAME("__annotations__"));
    if (annotations == TY_NULL && !ty_raised())
        annotations = ty_dict_get_str(type->dict, TY_NAME("__annotations_cache__"));
    if (annotations != TY_NULL) {
        TyDescriptorGet get = ty_type_of(annotations)->slots.get;
        return get ? get(annotations, TY_NULL, self) : annotations;
    }
    if (ty_raised())
        return TY_NULL;
    Value annotate = type_get_annotate(self);
    if (annotate == TY_NULL)
        return TY_NULL;
    annotations = ty_is_callable(annotate) ? ty_call_one(annotate, ty_from_immediate_int(1)) : ty_dict_new();
    if (annotations == TY_NULL)
        return TY_NULL;
    if (!ty_is_dict(annotations))
        return ty_raise(&ty_TypeError, "__annotate__ returned non-dict of type '%T'", annotations);
    if (!ty_dict_set(type->dict, TY_NAME("__annotations_cache__"), annotations))
        return TY_NULL;
    ty_type_modified(type);
    return annotations;
}

static bool type_set_annotations(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "cannot set '__annotations__' attribute of immutable type '%s'", type->name), false;
    Value key = ty_dict_contains(type->dict, TY_NAME("__annotations__")) > 0 ? TY_NAME("__annotations__") : TY_NAME("__annotations_cache__");
    if (value != TY_NULL) {
        if (!ty_dict_set(type->dict, key, value))
            return false;
    } else {
        int deleted = ty_dict_delete(type->dict, key);
        if (deleted == 0)
            ty_raise(&ty_AttributeError, "__annotations__");
        if (deleted <= 0)
            return false;
    }
    if (ty_dict_delete(type->dict, TY_NAME("__annotate_func__")) < 0 || ty_dict_delete(type->dict, TY_NAME("__annotate__")) < 0)
        return false;
    ty_type_modified(type);
    return true;
}

static Value type_get_type_params(Value self)
{
    if (self == ty_from_object(&ty_type_type))
        return ty_tuple_new(0);
    Value params = ty_dict_get_str(ty_as_type(self)->dict, TY_NAME("__type_params__"));
    return params != TY_NULL || ty_raised() ? params : ty_tuple_new(0);
}

static bool type_set_type_params(Value self, Value value)
{
    TyType *type = ty_as_type(self);
    if (!check_settable(type, value, "__type_params__"))
        return false;
    ty_type_modified(type);
    return ty_dict_set(type->dict, TY_NAME("__type_params__"), value);
}

typedef struct Subclasses { Value base, list; } Subclasses;

static void add_static_subclass(TyType *type, void *context)
{
    Subclasses *s = context;
    for (int64_t i = 0; type->bases != TY_NULL && i < ty_tuple_length(type->bases); i++)
        if (ty_tuple_item(type->bases, i) == s->base && s->list != TY_NULL && !ty_list_append(s->list, ty_from_object(type)))
            s->list = TY_NULL;
}

/* Static types are the same for every interpreter; the others are on a list. */
static Value type_subclasses(Value self, Value *a)
{
    Subclasses s = { self, ty_list_new(0) };
    if (s.list != TY_NULL && !(ty_as_type(self)->flags & TY_TYPE_HEAP))
        ty_static_type_each(add_static_subclass, &s);
    Value result = s.list, list = ty_type_subclass_list(ty_as_type(self), false);
    if (result == TY_NULL || list == TY_NULL)
        return result;
    for (int64_t i = 0; i < ty_list_length(list); i++) {
        Value reference = ty_list_item(list, i);
        Value subclass = reference == TY_NULL ? TY_NULL : ty_weak_target(reference);
        if (subclass != TY_NULL && !ty_list_append(result, subclass))
            return TY_NULL;
    }
    return result;
}

static Value type_mro_method(Value self, Value *a)
{
    Value mro = ty_mro_compute(ty_as_type(self));
    return mro == TY_NULL ? TY_NULL : ty_sequence_list(mro);
}

static Value type_prepare(Value self, const Value *arguments, size_t count, Value keywords) { return ty_dict_new(); }
static Value type_instancecheck(Value self, Value *a)
{
    int r = ty_isinstance_plain(a[0], self);
    return r < 0 ? TY_NULL : ty_from_bool(r);
}
static Value type_subclasscheck(Value self, Value *a)
{
    int r = ty_issubclass_plain(a[0], self);
    return r < 0 ? TY_NULL : ty_from_bool(r);
}
static Value type_sizeof(Value self, Value *a) { return ty_int_from_int64(sizeof(TyType)); }

static bool merge_class_dict(Value dict, TyType *type)
{
    if (type->mro == TY_NULL)
        return true;
    TyTuple *mro = ty_as_tuple(type->mro);
    for (int64_t i = mro->length - 1; i >= 0; i--)
        if (!ty_dict_merge(dict, ty_as_type(mro->items[i])->dict, 1))
            return false;
    return true;
}

static Value type_dir(Value self, Value *a)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL || !merge_class_dict(dict, ty_as_type(self)))
        return TY_NULL;
    return ty_dict_keys(dict);
}

static Value type_or(Value left, Value right) { return ty_union_or(left, right); }

static const TyNativeDef type_methods[] = {
    TY_METHOD("mro(self, /)", type_mro_method, "Return a type's method resolution order."),
    TY_METHOD("__subclasses__(self, /)", type_subclasses, "Return a list of immediate subclasses."),
    TY_RAW_CLASS_METHOD("__prepare__(type, name, bases, /, **kwds)", type_prepare, "Create the namespace for the class statement."),
    TY_METHOD("__instancecheck__(self, instance, /)", type_instancecheck, "Check if an object is an instance."),
    TY_METHOD("__subclasscheck__(self, subclass, /)", type_subclasscheck, "Check if a class is a subclass."),
    TY_METHOD("__dir__(self, /)", type_dir, "Specialized __dir__ implementation for types."),
    TY_METHOD("__sizeof__(self, /)", type_sizeof, "Return memory consumption of the type object."),
    {0}
};

static const TyGetSetDef type_getsets[] = {
    { "__name__", type_get_name, type_set_name, NULL },
    { "__qualname__", type_get_qualname, type_set_qualname, NULL },
    { "__module__", type_get_module, type_set_module, NULL },
    { "__bases__", type_get_bases, ty_class_set_bases, NULL },
    { "__mro__", type_get_mro, NULL, NULL },
    { "__base__", type_get_base, NULL, NULL },
    { "__dict__", type_get_dict, NULL, NULL },
    { "__doc__", type_get_doc, type_set_doc, NULL },
    { "__text_signature__", type_get_text_signature, NULL, NULL },
    { "__basicsize__", type_get_basicsize, NULL, NULL },
    { "__itemsize__", type_get_itemsize, NULL, NULL },
    { "__dictoffset__", type_get_dictoffset, NULL, NULL },
    { "__weakrefoffset__", type_get_weakrefoffset, NULL, NULL },
    { "__flags__", type_get_flags, NULL, NULL },
    { "__abstractmethods__", type_get_abstract_methods, type_set_abstract_methods, NULL },
    { "__annotations__", type_get_annotations, type_set_annotations, NULL },
    { "__annotate__", type_get_annotate, type_set_annotate, NULL },
    { "__type_params__", type_get_type_params, type_set_type_params, NULL },
    {0}
};

static bool type_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (keywords != TY_NULL && ty_tuple_length(keywords) != 0 && count == 1)
        return ty_raise(&ty_TypeError, "type.__init__() takes no keyword arguments"), false;
    if (count != 1 && count != 3)
        return ty_raise(&ty_TypeError, "type.__init__() takes 1 or 3 arguments"), false;
    return true;
}

static Value type_slot_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (count != 3)
        return ty_raise(&ty_TypeError, "type.__new__() takes exactly 3 arguments (%zu given)", count);
    return ty_type_new(type, arguments[0], arguments[1], arguments[2], keywords, arguments + 3);
}

TyType ty_type_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = { .size = sizeof(TyType), .trace = type_trace, .destroy = type_destroy },
    .flags = TY_TYPE_TYPE | TY_TYPE_WEAKREFABLE | TY_TYPE_MATCH_SELF * 0,
    .name = "type",
    .doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    .slots = { .repr = type_repr, .call = ty_type_call, .get_attribute = ty_type_get_attribute, .set_attribute = type_set_attribute, .new = type_slot_new, .init = type_init,
               .binary = { [TY_BINARY_OR] = type_or } },
    .methods = type_methods,
    .getsets = type_getsets,
};
