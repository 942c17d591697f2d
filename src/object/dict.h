/* dict: insertion-ordered, open addressing over a dense array of entries.
 *
 * Readers take no lock. A table's entries are appended and never moved or reused within one table: an entry is written (hash, key,
 * value), then published by a release store into the index; deletion stores TY_NULL as the value, and a table that must grow or be compacted
 * is replaced by a new one. So a reader that has loaded a table may probe it whatever writers do; it sees each key's value
 * before or after a racing write. Writers hold the dict's lock, but never while a key's __eq__ or __hash__ runs.
 *
 * A table's `version` serves inline caches: 0, or a number that no other state of any dict's set of keys has had. Adding or removing a key (not
 * changing a value) makes it 0 before the change can be seen; ty_dict_version gives one when it is asked for. It lies in the table, so that who has loaded a table and
 * found the version remembered may use the entry index remembered with it, or rely on a key's absence: see ty_dict_cached. */
#ifndef TY_OBJECT_DICT_H
#define TY_OBJECT_DICT_H

#include "object/object.h"

typedef struct TyDictEntry {
    int64_t hash;
    Value key;       /* TY_NULL: not used yet, or deleted */
    Value value;     /* TY_NULL: deleted */
} TyDictEntry;

typedef struct TyDictTable { /* a heap object of its own: entries, then the index (1, 2 or 4 bytes a place; see dict.c) */
    TyObject base;
    uint8_t index_log2;           /* places in the index: 1 << index_log2 */
    uint8_t index_width;          /* bytes of a place */
    _Atomic bool only_str;        /* every key so far is an exact str: lookups of str need no __eq__ */
    uint32_t capacity;            /* entries there is room for */
    _Atomic uint32_t entry_count; /* entries used, deleted ones included */
    _Atomic uint32_t version;
    _Atomic uint32_t first;       /* all entries before it are deleted */
    uint32_t end;                 /* all entries from it on are deleted; under the lock */
    _Atomic uint32_t gap;         /* so many entries at the start were never used: room to insert at the front */
    TyDictEntry entries[];
} TyDictTable;

typedef struct TyDict {
    TyObject base;
    TyDictTable *_Atomic table;   /* never NULL (empty dicts share a static table) */
    _Atomic int64_t length;
} TyDict;

extern TyType ty_dict_type;

TY_INLINE bool ty_is_dict(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_DICT); }
TY_INLINE bool ty_is_exact_dict(Value v) { return ty_is_exact(v, &ty_dict_type); }
TY_INLINE TyDict *ty_as_dict(Value v) { return (TyDict *)ty_object(v); }
TY_INLINE int64_t ty_dict_length(Value v) { return ty_load_relaxed(&ty_as_dict(v)->length); }

Value ty_dict_new(void);
Value ty_dict_new_sized(int64_t expected);
Value ty_dict_get(Value dict, Value key);                      /* TY_NULL without exception if missing, with one if __hash__/__eq__ failed */
Value ty_dict_get_str(Value dict, Value str_key);              /* exact str key; no exception possible if the table is only_str */
Value ty_dict_get_text(Value dict, const char *key);
Value ty_dict_get_hashed(Value dict, Value key, int64_t hash);
bool ty_dict_set(Value dict, Value key, Value value);
bool ty_dict_set_hashed(Value dict, Value key, int64_t hash, Value value);
bool ty_dict_set_text(Value dict, const char *key, Value value);
int ty_dict_delete(Value dict, Value key);                     /* 1 deleted, 0 was missing (no exception), -1 error */
Value ty_dict_pop(Value dict, Value key);                      /* TY_NULL as ty_dict_get */
Value ty_dict_set_default(Value dict, Value key, Value value); /* what is there now */
int ty_dict_contains(Value dict, Value key);
bool ty_dict_pop_end(Value dict, bool last, Value *key, Value *value); /* the last or first pair; false if the dict is empty */
bool ty_dict_move_to_end(Value dict, Value key, int64_t hash, bool last); /* or to the front; false if missing (no exception) or with one */
bool ty_dict_update(Value dict, Value mapping_or_pairs);       /* as dict.update(x) */
bool ty_dict_merge(Value dict, Value mapping, int override);   /* override 0: keep, 1: replace, 2: KeyError on a duplicate */
void ty_dict_clear(Value dict);
Value ty_dict_copy(Value dict);
Value ty_dict_keys(Value dict);                                /* lists */
Value ty_dict_values(Value dict);
Value ty_dict_items(Value dict);
/* Walks the entries: *position starts at 0; false at the end. Not changed keys only: safe, though not a snapshot, under concurrent change. */
bool ty_dict_next(Value dict, int64_t *position, Value *key, Value *value);
bool ty_dict_next_hashed(Value dict, int64_t *position, Value *key, Value *value, int64_t *hash);
uint32_t ty_dict_version(Value dict);                          /* 0: no number could be had */
/* For inline caches: index of the key's entry in the present table, or -1. key is an interned str. */
int64_t ty_dict_entry_index(Value dict, Value key);
/* Both at once, of one table: *version is 0 if nothing may be remembered. */
int64_t ty_dict_entry_for_cache(Value dict, Value key, uint32_t *version);

/* What an inline cache does: whether the dict's set of keys is still the one that `version` (not 0) was given to. */
TY_INLINE bool ty_dict_version_is(Value dict, uint32_t version)
{
    return ty_load_relaxed(&ty_load_acquire(&ty_as_dict(dict)->table)->version) == version;
}
/* The value of the entry remembered with that version; TY_NULL if the version is another: look it up again. */
TY_INLINE Value ty_dict_cached(Value dict, uint32_t version, uint32_t index)
{
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    if (TY_UNLIKELY(ty_load_relaxed(&table->version) != version))
        return TY_NULL;
    return ty_field_acquire(&table->entries[index].value);
}
/* Replaces the value of the entry; false if the version is another. */
TY_INLINE bool ty_dict_set_cached(Value dict, uint32_t version, uint32_t index, Value value)
{
    TyDict *self = ty_as_dict(dict);
    bool locked = ty_object_lock(&self->base);
    TyDictTable *table = ty_load_acquire(&self->table);
    bool same = ty_load_relaxed(&table->version) == version;
    if (TY_LIKELY(same))
        ty_store_publish(table, &table->entries[index].value, value);
    ty_object_unlock(&self->base, locked);
    return same;
}

/* Views and iterators. */
typedef struct TyDictView {
    TyObject base;
    Value dict;
} TyDictView;
extern TyType ty_dict_keys_type, ty_dict_values_type, ty_dict_items_type;
extern TyType ty_dict_key_iterator_type, ty_dict_value_iterator_type, ty_dict_item_iterator_type;
extern TyType ty_dict_reverse_key_iterator_type, ty_dict_reverse_value_iterator_type, ty_dict_reverse_item_iterator_type;
extern TyType ty_dict_table_type; /* internal */

#endif
