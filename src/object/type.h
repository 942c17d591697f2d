/* What the files that make up types share with one another: type.c (lookup, static types, `type`), class.c (classes made at run
 * time), slots.c, native.c, descriptor.c. */
#ifndef TY_OBJECT_TYPE_H
#define TY_OBJECT_TYPE_H

#include "object/object.h"

/* A thread's cache of lookups along the mro. Emptied at each collection. */
#define TY_LOOKUP_CACHE_SIZE 1024u
typedef struct TyLookupEntry {
    uint32_t version;
    Value name, value; /* value TY_NULL: known to be missing */
} TyLookupEntry;

uint32_t ty_type_version(TyType *type);
/* ty_type_lookup of an interned name, with the way through the thread's cache inline. */
TY_INLINE Value ty_type_lookup_inline(TyType *type, Value name)
{
    TyLookupEntry *cache = ty_thread->lookup_cache;
    uint32_t version = ty_load_acquire(&type->version);
    if (TY_LIKELY(cache && version != 0)) {
        TyLookupEntry *entry = &cache[(version * 0x9E3779B1u ^ (uint32_t)(name >> 4)) & (TY_LOOKUP_CACHE_SIZE - 1)];
        if (TY_LIKELY(entry->version == version && entry->name == name))
            return entry->value;
    }
    return ty_type_lookup(type, name);
}
Value ty_type_get_attribute(Value self, Value name);   /* of a class, as type.__getattribute__ */
Value ty_type_find_attribute(Value self, Value name);  /* the same, but TY_NULL without exception when there is none */
Value ty_type_call(Value self, const Value *arguments, size_t count, Value keywords);
void ty_type_each_subclass(TyType *type, void (*visit)(TyType *subclass, void *context), void *context);
Value ty_type_subclass_list(TyType *type, bool make);  /* list of weak references; TY_NULL if there is none */
Value ty_mro_compute(TyType *type);                    /* C3 over bases: tuple */
bool ty_class_set_name(TyType *type, Value name);
bool ty_class_set_bases(Value type, Value bases);
void ty_class_trace_instance(TyObject *self, TyMarker *marker); /* slots and attributes that Python classes add to their static ancestor's fields */
Value ty_weak_target(Value reference);                 /* object/weakref.c: TY_NULL when dead */
Value ty_weak_reference_new(Value referent, Value callback /* or TY_NULL */); /* object/weakref.c */
Value ty_union_or(Value left, Value right);            /* object/union.c: X | Y of types */
int ty_isinstance_plain(Value v, Value class);         /* without __instancecheck__ */
int ty_issubclass_plain(Value class, Value ancestor);
Value ty_identity_iter(Value self);

Value ty_native_for_type(const TyNativeDef *def, TyType *type);
Value ty_native_constructor(TyType *type);             /* the type's __new__ */
bool ty_native_is_constructor(Value v, TyType **type);
Value ty_getset_new(TyType *type, const TyGetSetDef *def);
Value ty_member_new(TyType *type, const TyMemberDef *def);
Value ty_slot_member_new(TyType *type, Value name, int64_t offset); /* of __slots__ */
bool ty_slot_member_offset(Value descriptor, uint32_t *offset);     /* a slot whose access may be cached: its place in fixed-size instances */
const char *ty_native_doc_text(const char *doc);
Value ty_native_doc_signature(const char *name, const char *doc);

/* A class as another interpreter has it, but for what its namespace holds: no method of the metaclass or of a base runs, and nothing is told of its name.
 * `inline_count`: the attributes that instances have in place there. */
Value ty_class_restore(TyType *metatype, Value name, Value bases, Value namespace, uint32_t inline_count);
TyType *ty_class_metatype(TyType *metatype, Value bases); /* the most derived of the metatypes; NULL: conflict raised */
extern const TyGetSetDef ty_dict_getset;               /* __dict__ of instances */
bool ty_type_has_plain_dict(TyType *type);             /* instances have attributes of their own, and nothing of the class stands before their __dict__ */
Value ty_module_function(const char *module, const char *name); /* an attribute of a built-in module */

void ty_static_type_each(void (*visit)(TyType *type, void *context), void *context); /* runtime/interpreter.c */

int ty_contains_by_iteration(Value container, Value item);
Value ty_call_prepended(Value callable, Value first, const Value *arguments, size_t count, Value keywords); /* callable(first, *arguments) */
bool ty_buffer_from_method(Value self, TyBuffer *view, int flags);  /* object/buffer.c: __buffer__ written in Python */
void ty_buffer_release_method(Value self, TyBuffer *view);
Value ty_memoryview_from_flags(Value exporter, int flags);          /* object/buffer.c: exporter.__buffer__(flags) of a C type */
bool ty_memoryview_release_for(Value exporter, Value view);

Value ty_staticmethod_wrap(Value callable);
bool ty_is_module(Value v);
TyType *ty_module_type_object(void);
Value ty_generic_alias_new(Value origin, Value arguments); /* object/generic_alias.c: list[int] */
Value ty_import_module(const char *name);              /* runtime/import.c */

Value *ty_type_parameter_crossing(Value v);              /* object/type_parameter.c: where a TypeVar, alias or their like keeps what identifies it to other interpreters; NULL: it is none */
/* An alias (`type X = ...`) in parts: its name, parameters, module, and either its value or the function that gives it; TY_NULL: it has none. One is made without a value, which
 * may need the alias itself. */
enum { TY_ALIAS_NAME, TY_ALIAS_PARAMETERS, TY_ALIAS_MODULE, TY_ALIAS_VALUE, TY_ALIAS_EVALUATE, TY_ALIAS_PARTS };
bool ty_is_type_alias(Value v);
void ty_typealias_parts(Value v, Value parts[TY_ALIAS_PARTS]);
Value ty_typealias_shell(Value name, Value type_params, Value module);
void ty_typealias_fill(Value v, Value value, Value evaluate);
Value ty_property_getter(Value property);                /* its fget, or TY_NULL */
Value ty_get_item_or_null(Value mapping, Value key);    /* KeyError swallowed: TY_NULL without exception */
bool ty_super_from_frame(Value *type, Value *object);   /* vm/frame.c: __class__ and the first argument of the calling frame */

/* object/object.c */
Value ty_object_new(TyType *type, const Value *arguments, size_t count, Value keywords);
bool ty_object_init(Value self, const Value *arguments, size_t count, Value keywords);

/* vm/cache.c: empties all inline caches of attributes, with the world stopped. */
void ty_caches_flush(void);

#endif
