#include "vm/cache.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

static void caches_trace(TyObject *self, TyMarker *marker)
{
    TyCaches *caches = (TyCaches *)self;
    for (size_t i = 0; i < caches->count; i++) {
        uint64_t word = ty_load_relaxed(&caches->words[i]);
        if (word == 0 || ty_cache_is_slot(word) || !ty_heap_contains((void *)(uintptr_t)word))
            continue;
        if (TY_UNLIKELY(ty_caches_forgotten))
            ty_store_relaxed(&caches->words[i], 0);
        else
            ty_mark_object(marker, (TyObject *)(uintptr_t)word);
    }
    TyCaches *next = ty_load_relaxed(&caches->next);
    if (next)
        ty_mark_object(marker, &next->base);
    TyObject *monitor = ty_load_relaxed(&caches->monitor);
    if (monitor)
        ty_mark_object(marker, monitor);
}

TyType ty_caches_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "inline caches", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(TyCaches), .trace = caches_trace },
};

static void entry_trace(TyObject *self, TyMarker *marker)
{
    TyCacheEntry *entry = (TyCacheEntry *)self;
    ty_mark(marker, entry->value);
    ty_mark(marker, entry->object);
    if (entry->next)
        ty_mark_object(marker, &entry->next->base);
}

TyType ty_cache_entry_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "inline cache entry", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(TyCacheEntry), .trace = entry_trace },
};

static TyCaches *caches_new(const TyCode *code)
{
    TyCaches *fresh = ty_allocate(&ty_caches_type, sizeof *fresh + code->cache_count * sizeof(uint64_t));
    if (fresh) {
        fresh->interpreter = ty_interpreter();
        fresh->interpreter_id = fresh->interpreter->id;
        fresh->count = code->cache_count;
    }
    return fresh;
}

/* The interpreter's table of caches for shared code, with room for that number. What another thread puts into the old table meanwhile is lost: it
 * has its caches all the same. */
static TyArray *shared_table(TyInterpreter *interpreter, uint32_t number)
{
    Value table = ty_field_acquire(&interpreter->shared_caches);
    TyArray *old = table == TY_NULL ? NULL : (TyArray *)ty_object(table);
    if (old && number < old->capacity)
        return old;
    TyArray *grown = ty_array_new(number < 896 ? 1024 : (int64_t)number + 1024);
    if (!grown)
        return NULL;
    for (int64_t i = 0; old && i < old->capacity; i++)
        ty_store(grown, &grown->items[i], ty_field(&old->items[i]));
    ty_store_publish(interpreter, &interpreter->shared_caches, ty_from_object(grown));
    return grown;
}

static TyCaches *shared_code_caches(TyCode *code)
{
    TyArray *table = shared_table(ty_interpreter(), code->shared_number);
    if (!table)
        return NULL;
    Value *place = &table->items[code->shared_number], there = ty_field_acquire(place), none = TY_NULL;
    if (there != TY_NULL)
        return (TyCaches *)ty_object(there);
    TyCaches *fresh = caches_new(code);
    if (!fresh || __atomic_compare_exchange_n(place, &none, ty_from_object(fresh), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return fresh;
    return (TyCaches *)ty_object(none);
}

/* Whether no caches can be there, since the interpreter is newer than all that have some: thousands may share the code. */
static bool announce_caches(TyCode *code, int64_t id)
{
    int64_t end = ty_load_relaxed(&code->caches_end);
    while (end <= id)
        if (atomic_compare_exchange_weak_explicit(&code->caches_end, &end, id + 1, memory_order_acq_rel, memory_order_relaxed))
            return true;
    return false;
}

TyCaches *ty_code_caches_slow(TyCode *code)
{
    if (code->shared_number)
        return shared_code_caches(code);
    TyInterpreter *interpreter = ty_interpreter();
    bool fresh_here = announce_caches(code, interpreter->id);
    for (;; fresh_here = false) {
        TyCaches *first = ty_load_acquire(&code->caches);
        for (TyCaches *c = fresh_here ? NULL : first; c; c = ty_load_acquire(&c->next))
            if (c->interpreter_id == interpreter->id)
                return c;
        TyCaches *fresh = caches_new(code);
        if (!fresh)
            return NULL;
        ty_store_relaxed(&fresh->next, first);
        if (atomic_compare_exchange_strong_explicit(&code->caches, &first, fresh, memory_order_release, memory_order_relaxed))
            return fresh;
    }
}

void ty_caches_drop_closed(TyCode *code)
{
    struct TyCaches *_Atomic *link = &code->caches;
    for (TyCaches *c = ty_load_relaxed(link); c; c = ty_load_relaxed(link))
        if (c->interpreter->id == c->interpreter_id)
            link = &c->next;
        else
            ty_store_relaxed(link, ty_load_relaxed(&c->next));
}

static bool flush_one(TyObject *object, void *context)
{
    if (ty_object_type(object) == &ty_caches_type) {
        TyCaches *caches = (TyCaches *)object;
        for (size_t i = 0; i < caches->count; i++)
            ty_store_relaxed(&caches->words[i], 0);
    }
    return true;
}

void ty_caches_flush(void) { ty_heap_each(flush_one, NULL); }

static void publish(_Atomic uint64_t *word, TyCacheEntry *entry)
{
    uint64_t old = ty_load_acquire(word); /* another thread's entry, which is passed on with ours */
    if (old != 0 && !ty_cache_is_slot(old)) {
        unsigned length = 0;
        TyCacheEntry *e = ty_cache_entry(old);
        for (; e && length < TY_CACHE_CHAIN_MAX; e = e->next)
            length++;
        if (length < TY_CACHE_CHAIN_MAX)
            entry->next = ty_cache_entry(old);
    } else if (old != 0) { /* a slot entry turns into the chain's second link */
        TyCacheEntry *slot = ty_allocate(&ty_cache_entry_type, sizeof *slot);
        if (slot) {
            slot->kind = TY_CACHE_SLOT;
            slot->shape = ty_cache_slot_shape(old);
            slot->offset = (uint32_t)ty_cache_slot_offset(old);
            entry->next = slot;
        } else
            ty_clear_exception();
    }
    ty_store_release(word, (uint64_t)(uintptr_t)entry);
}

static TyCacheEntry *entry_new(TyCacheKind kind, uint32_t shape, uint32_t version, Value value)
{
    TyCacheEntry *entry = ty_allocate(&ty_cache_entry_type, sizeof *entry);
    if (!entry) {
        ty_clear_exception();
        return NULL;
    }
    entry->kind = kind;
    entry->shape = shape;
    entry->version = version;
    ty_store(entry, &entry->value, value);
    return entry;
}

static void remember(_Atomic uint64_t *word, TyCacheKind kind, uint32_t shape, uint32_t version, Value value)
{
    TyCacheEntry *entry = version == 0 ? NULL : entry_new(kind, shape, version, value);
    if (entry)
        publish(word, entry);
}

static void remember_slot(_Atomic uint64_t *word, uint32_t shape, uint32_t offset)
{
    if (shape == 0 || offset == 0)
        return;
    uint64_t none = 0; /* an entry never turns to a slot: readers look at a word twice */
    if (atomic_compare_exchange_strong_explicit(word, &none, ty_cache_slot_word(shape, offset), memory_order_release, memory_order_relaxed))
        return;
    TyCacheEntry *entry = entry_new(TY_CACHE_SLOT, shape, 0, TY_NULL);
    if (entry) {
        entry->offset = offset;
        publish(word, entry);
    }
}

/* Where the instance keeps the attribute itself: 0 if not in a slot of the instance. */
static uint32_t own_slot(TyObject *object, TyType *type, uint32_t shape_number, Value name)
{
    TyShape *shape = ty_shape_from_number(shape_number);
    if (!shape || shape->dictionary || !(type->flags & TY_TYPE_HAS_DICT))
        return 0;
    int64_t index = ty_shape_index(shape, name);
    return index < 0 ? 0 : ty_attribute_offset(type, (uint32_t)index);
}

static bool has_own(TyObject *object, TyType *type, uint32_t shape_number, Value name, bool *in_dict)
{
    TyShape *shape = ty_shape_from_number(shape_number);
    *in_dict = shape && shape->dictionary;
    return shape && !shape->dictionary && (type->flags & TY_TYPE_HAS_DICT) && ty_shape_index(shape, name) >= 0;
}

static Value module_attribute(_Atomic uint64_t *word, Value object, Value name)
{
    Value dict = ty_module_dict(object);
    uint32_t version;
    if (dict != TY_NULL && ty_is_exact_dict(dict)) {
        int64_t index = ty_dict_entry_for_cache(dict, name, &version);
        if (index >= 0 && version != 0) {
            Value value = ty_dict_cached(dict, version, (uint32_t)index);
            TyCacheEntry *entry = value == TY_NULL ? NULL : entry_new(TY_CACHE_MODULE, ty_object_shape(ty_object(object)), version, dict);
            if (entry) {
                ty_store(entry, &entry->object, object);
                entry->offset = (uint32_t)index;
                ty_store_release(word, (uint64_t)(uintptr_t)entry);
            }
            if (value != TY_NULL)
                return value;
        }
    }
    return ty_get_attribute(object, name);
}

static Value class_attribute(_Atomic uint64_t *word, Value object, Value name)
{
    TyType *type = ty_as_type(object), *meta = ty_type_of(object);
    Value on_meta = ty_type_lookup(meta, name);
    uint32_t version = ty_type_version(type);
    Value found = ty_type_lookup(type, name);
    /* A data descriptor put on the metaclass later empties the caches. */
    if ((on_meta == TY_NULL || !ty_type_of(on_meta)->slots.set) && found != TY_NULL && version != 0 &&
        meta->slots.get_attribute == ty_type_type.slots.get_attribute) {
        TyDescriptorGet get = ty_type_of(found)->slots.get;
        bool static_method = ty_is_exact(found, &ty_staticmethod_type), class_method = ty_is_exact(found, &ty_classmethod_type);
        if (static_method || class_method)
            found = ((TyClassMethod *)ty_object(found))->callable;
        bool plain = found != TY_NULL && (!get || static_method || ty_is_function(found) || ty_is_exact(found, &ty_method_descriptor_type));
        if (plain) {
            TyCacheEntry *entry = entry_new(TY_CACHE_CLASS, ty_object_shape(ty_object(object)), version, found);
            if (entry) {
                entry->offset = class_method;
                ty_store(entry, &entry->object, object);
                publish(word, entry);
            }
            if (!class_method)
                return found;
        }
    }
    return ty_get_attribute(object, name);
}

Value ty_cache_load_attribute(_Atomic uint64_t *word, Value object, Value name)
{
    TyType *type = ty_type_of(object);
    if (!ty_is_object(object))
        return type->slots.get_attribute(object, name);
    if (type->slots.get_attribute != ty_generic_get_attribute) {
        if (ty_is_module(object) && type == ty_module_type_object())
            return module_attribute(word, object, name);
        if (ty_is_type(object))
            return class_attribute(word, object, name);
        return type->slots.get_attribute(object, name);
    }
    uint32_t shape = ty_load_acquire(&ty_object(object)->bits) >> TY_SHAPE_SHIFT, version = ty_type_version(type);
    Value attribute = ty_type_lookup(type, name);
    TyType *kind = attribute == TY_NULL ? NULL : ty_type_of(attribute);
    uint32_t offset;
    if (kind && kind->slots.get && kind->slots.set) {
        if (ty_slot_member_offset(attribute, &offset) && ty_field((Value *)((char *)ty_object(object) + offset)) != TY_NULL)
            remember_slot(word, shape, offset);
        else if (kind == &ty_property_type && version != 0 && shape != 0) {
            Value getter = ty_property_getter(attribute);
            if (getter != TY_NULL && ty_is_function(getter))
                remember(word, TY_CACHE_GETTER, shape, version, getter);
        } else if (!(kind->flags & TY_TYPE_HEAP) && version != 0 && shape != 0)
            remember(word, TY_CACHE_DESCRIPTOR, shape, version, attribute);
        return kind->slots.get(attribute, object, ty_from_object(type));
    }
    offset = own_slot(ty_object(object), type, shape, name);
    if (offset != 0) {
        Value value = ty_field((Value *)((char *)ty_object(object) + offset));
        if (value != TY_NULL) {
            remember_slot(word, shape, offset);
            return value;
        }
    }
    bool in_dict;
    if (attribute != TY_NULL && !has_own(ty_object(object), type, shape, name, &in_dict) && !in_dict && shape != 0) {
        if (!kind->slots.get)
            remember(word, TY_CACHE_VALUE, shape, version, attribute);
        else if (ty_is_function(attribute))
            remember(word, TY_CACHE_METHOD, shape, version, attribute);
        else if (kind == &ty_staticmethod_type && ((TyClassMethod *)ty_object(attribute))->callable != TY_NULL)
            remember(word, TY_CACHE_VALUE, shape, version, ((TyClassMethod *)ty_object(attribute))->callable);
        else if (kind == &ty_classmethod_type && ty_is_function(((TyClassMethod *)ty_object(attribute))->callable))
            remember(word, TY_CACHE_CLASS_METHOD, shape, version, ((TyClassMethod *)ty_object(attribute))->callable);
        else if (!(kind->flags & TY_TYPE_HEAP))
            remember(word, TY_CACHE_DESCRIPTOR, shape, version, attribute);
    }
    return type->slots.get_attribute(object, name);
}

bool ty_cache_load_method(_Atomic uint64_t *word, Value object, Value name, Value *target)
{
    TyType *type = ty_type_of(object);
    if (type->slots.get_attribute == ty_generic_get_attribute) {
        Value attribute = ty_type_lookup(type, name);
        TyType *kind = attribute == TY_NULL ? NULL : ty_type_of(attribute);
        if (kind && (kind->flags & TY_TYPE_METHOD)) {
            bool in_dict = false;
            uint32_t shape = 0;
            if (ty_is_object(object)) {
                shape = ty_load_acquire(&ty_object(object)->bits) >> TY_SHAPE_SHIFT;
                Value own = TY_NULL;
                if (has_own(ty_object(object), type, shape, name, &in_dict) || in_dict)
                    own = ty_attributes_get(ty_object(object), type, name);
                if (own == TY_NULL && ty_raised())
                    return false;
                if (own != TY_NULL) {
                    target[0] = own;
                    target[1] = TY_NULL;
                    return true;
                }
            }
            if (shape != 0 && !in_dict)
                remember(word, TY_CACHE_METHOD, shape, ty_type_version(type), attribute);
            target[0] = attribute;
            target[1] = object;
            return true;
        }
    }
    Value value = ty_cache_load_attribute(word, object, name);
    if (value == TY_NULL)
        return false;
    target[0] = value;
    target[1] = TY_NULL;
    return true;
}

bool ty_cache_store_attribute(_Atomic uint64_t *word, Value object, Value name, Value value)
{
    TyType *type = ty_type_of(object);
    if (!ty_is_object(object) || type->slots.set_attribute != ty_generic_set_attribute || !type->attributes_offset)
        goto plain;
    Value attribute = ty_type_lookup(type, name);
    if (attribute != TY_NULL && ty_type_of(attribute)->slots.set) {
        uint32_t offset;
        if (ty_slot_member_offset(attribute, &offset))
            remember_slot(word, ty_object_shape(ty_object(object)), offset);
        goto plain;
    }
    uint32_t before = ty_object_shape(ty_object(object));
    if (!ty_attributes_set(ty_object(object), type, name, value))
        return false;
    uint32_t after = ty_object_shape(ty_object(object));
    uint32_t offset = own_slot(ty_object(object), type, after, name);
    if (offset == 0)
        return true;
    if (before == after)
        remember_slot(word, after, offset);
    else {
        TyCacheEntry *entry = entry_new(TY_CACHE_TRANSITION, before, 0, TY_NULL);
        if (entry) {
            entry->next_shape = after;
            entry->offset = offset;
            ty_store(entry, &entry->object, ty_from_object(type)); /* keeps the shapes' numbers from being given to others */
            publish(word, entry);
        }
    }
    return true;
plain:
    if (!type->slots.set_attribute)
        return ty_set_attribute(object, name, value);
    return type->slots.set_attribute(object, name, value);
}

Value ty_cache_load_global(_Atomic uint64_t *word, Value globals, Value builtins, Value name)
{
    uint32_t version = 0, builtins_version = 0;
    if (!ty_is_exact_dict(globals) || !ty_is_exact_dict(builtins)) {
        Value v = ty_is_dict(globals) && ty_is_exact_dict(globals) ? ty_dict_get(globals, name) : ty_get_item_or_null(globals, name);
        if (v != TY_NULL || ty_raised())
            return v;
        return ty_is_exact_dict(builtins) ? ty_dict_get(builtins, name) : ty_get_item_or_null(builtins, name);
    }
    int64_t index = ty_dict_entry_for_cache(globals, name, &version);
    if (index >= 0) {
        if (version != 0)
            ty_store_release(word, (uint64_t)version << 32 | (uint32_t)index);
        return ty_dict_get_str(globals, name);
    }
    index = ty_dict_entry_for_cache(builtins, name, &builtins_version);
    Value value = ty_dict_get_str(globals, name);
    if (value == TY_NULL && index < 0 && !ty_import_builtin_name(name) && ty_raised())
        return TY_NULL;
    if (value != TY_NULL || index < 0)
        return value != TY_NULL ? value : ty_dict_get_str(builtins, name);
    version = ty_dict_version(globals);
    if (version != 0 && builtins_version != 0 && ty_dict_get_str(globals, name) == TY_NULL) {
        TyCacheEntry *entry = entry_new(TY_CACHE_BUILTIN, 0, version, TY_NULL);
        if (entry) {
            entry->second_version = builtins_version;
            entry->offset = (uint32_t)index;
            ty_store_release(word, (uint64_t)(uintptr_t)entry);
        }
    }
    return ty_dict_get_str(builtins, name);
}

bool ty_cache_store_global(_Atomic uint64_t *word, Value globals, Value name, Value value)
{
    if (!ty_dict_set(globals, name, value))
        return false;
    uint32_t version = 0;
    int64_t index = ty_is_exact_dict(globals) ? ty_dict_entry_for_cache(globals, name, &version) : -1;
    if (index >= 0 && version != 0)
        ty_store_release(word, (uint64_t)version << 32 | (uint32_t)index);
    return true;
}
