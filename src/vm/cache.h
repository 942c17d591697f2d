/* Inline caches: one 64-bit word for each place in the code that looks an attribute or a global up, kept in a TyCaches for each interpreter.
 *
 * A word is 0 (empty), a slot entry, or a pointer to an immutable TyCacheEntry (a heap object). A slot entry has the shape in its top 24 bits and the
 * byte offset of the attribute in the object in bits 0-39; shape numbers start at 256, so no slot entry looks like a pointer. A racing update is read whole or not at all.
 *
 * A slot entry is guarded by the shape alone; whatever could make it wrong (a data descriptor put on the class afterwards, another
 * __bases__) empties all caches with the world stopped. Other entries are guarded by the shape and the type's version. */
#ifndef TY_VM_CACHE_H
#define TY_VM_CACHE_H

#include "object/code.h"
#include "object/dict.h"
#include "object/type.h"

typedef enum TyCacheKind {
    TY_CACHE_SLOT,       /* attribute at `offset` */
    TY_CACHE_METHOD,     /* `value` is a function found on the type: binds to the object; the instance has no such attribute of its own */
    TY_CACHE_VALUE,      /* `value`, found on the type, is no descriptor; the same */
    TY_CACHE_GETTER,     /* `value` is a property's getter written in Python */
    TY_CACHE_CLASS_METHOD, /* `value` is the function of a class method: binds to the object's type */
    TY_CACHE_DESCRIPTOR, /* `value` is a descriptor of C: its type's `get` gives the attribute */
    TY_CACHE_CLASS,      /* the object is the class `object` itself: `value` is what its attribute gives; offset 1: the function of a class method */
    TY_CACHE_MODULE,     /* the object is the module `object`: entry `offset` of its dict while the version is `version` */
    TY_CACHE_TRANSITION, /* stores: the object gets the attribute at `offset` and the shape `next_shape` */
    TY_CACHE_BUILTIN     /* globals: the name is not in globals of `version`; entry `offset` of the builtins of `second_version` */
} TyCacheKind;

typedef struct TyCacheEntry {
    TyObject base;
    uint32_t kind;
    uint32_t shape;
    uint32_t version, second_version;
    uint32_t offset;
    uint32_t next_shape;
    Value value;
    Value object;
    struct TyCacheEntry *next; /* other shapes seen at the same place */
} TyCacheEntry;

#define TY_CACHE_CHAIN_MAX 6

extern TyType ty_caches_type, ty_cache_entry_type;

TY_INLINE bool ty_cache_is_slot(uint64_t word) { return word >> 48 != 0; }
TY_INLINE uint32_t ty_cache_slot_shape(uint64_t word) { return (uint32_t)(word >> 40); }
TY_INLINE uint64_t ty_cache_slot_offset(uint64_t word) { return word & 0xFFFFFFFFFFull; }
TY_INLINE uint64_t ty_cache_slot_word(uint32_t shape, uint32_t offset) { return (uint64_t)shape << 40 | offset; }
TY_INLINE TyCacheEntry *ty_cache_entry(uint64_t word) { return (TyCacheEntry *)(uintptr_t)word; }

/* Full lookups that leave what they learned in the cache. */
Value ty_cache_load_attribute(_Atomic uint64_t *word, Value object, Value name);
/* target[0], target[1] as LOAD_METHOD's. */
bool ty_cache_load_method(_Atomic uint64_t *word, Value object, Value name, Value *target);
bool ty_cache_store_attribute(_Atomic uint64_t *word, Value object, Value name, Value value);
Value ty_cache_load_global(_Atomic uint64_t *word, Value globals, Value builtins, Value name); /* TY_NULL without exception: no such name */
bool ty_cache_store_global(_Atomic uint64_t *word, Value globals, Value name, Value value);

#endif
