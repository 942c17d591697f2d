/* dict: tables, the C interface, and the type. Views and iterators are in dict_views.c.
 *
 * The index that follows a table's entries holds, for each place, 0 or 1 + the number of an entry. Probing is open addressing with a perturbed
 * sequence, so that all bits of the hash take part. A deleted entry has neither key nor value and stays in the index; a table is never more than
 * two thirds full of entries, dead ones included, so that a probe always meets an empty place. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

_Thread_local TyReprGuard *ty_repr_guards;

/* --- tables --------------------------------------------------------------------------------------------------------- */

#define SMALLEST_LOG2 3

static void table_trace(TyObject *self, TyMarker *marker)
{
    TyDictTable *table = (TyDictTable *)self;
    uint32_t count = ty_load_relaxed(&table->entry_count);
    for (uint32_t i = ty_load_relaxed(&table->first); i < count; i++) {
        ty_mark(marker, ty_field(&table->entries[i].key));
        ty_mark(marker, ty_field(&table->entries[i].value));
    }
}

TyType ty_dict_table_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyDictTable), .item_size = 1, .trace = table_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "dict_table",
};

/* What every empty dict that was never filled holds: no entry, one empty place. */
static struct {
    TyDictTable table;
    uint64_t index;
} empty_table = {.table = {.base = TY_STATIC_HEADER(ty_dict_table_type), .index_width = 1, .only_str = true}};

#define EMPTY_TABLE (&empty_table.table)

TY_INLINE uint32_t capacity_of(uint32_t log2) { return (uint32_t)(((uint64_t)1 << log2) * 2 / 3); }

/* The smallest index whose table takes `count` entries; 0 if there is none. */
static uint32_t log2_for(uint64_t count)
{
    uint32_t log2 = SMALLEST_LOG2;
    while (log2 < 31 && capacity_of(log2) < count)
        log2++;
    return log2 < 31 ? log2 : 0;
}

static TyDictTable *table_new(uint32_t log2)
{
    if (log2 == 0) {
        ty_raise_memory_error();
        return NULL;
    }
    uint32_t capacity = capacity_of(log2);
    uint8_t width = log2 <= 8 ? 1 : log2 <= 16 ? 2 : 4;
    TyDictTable *table = (TyDictTable *)ty_allocate(&ty_dict_table_type, sizeof(TyDictTable) + capacity * sizeof(TyDictEntry) + ((size_t)width << log2));
    if (!table)
        return NULL;
    table->index_log2 = (uint8_t)log2;
    table->index_width = width;
    table->capacity = capacity;
    ty_store_relaxed(&table->only_str, true);
    return table;
}

TY_INLINE uint32_t place_load(const TyDictTable *table, size_t place, int width)
{
    const void *index = &table->entries[table->capacity];
    if (width == 1)
        return __atomic_load_n((const uint8_t *)index + place, __ATOMIC_ACQUIRE);
    if (width == 2)
        return __atomic_load_n((const uint16_t *)index + place, __ATOMIC_ACQUIRE);
    return __atomic_load_n((const uint32_t *)index + place, __ATOMIC_ACQUIRE);
}

/* Publishes an entry in the first place for its hash that is empty, or whose entry is dead: no probe ends at that one, before or after. */
TY_INLINE void place_insert(TyDictTable *table, int64_t hash, uint32_t number, bool any_dead)
{
    size_t mask = ((size_t)1 << table->index_log2) - 1, place = (size_t)hash & mask;
    uint64_t perturb = (uint64_t)hash;
    int width = table->index_width;
    uint32_t there;
    while ((there = place_load(table, place, width)) != 0 && !(any_dead && ty_field(&table->entries[there - 1].key) == TY_NULL)) {
        perturb >>= 5;
        place = (place * 5 + perturb + 1) & mask;
    }
    void *index = &table->entries[table->capacity];
    if (width == 1)
        __atomic_store_n((uint8_t *)index + place, (uint8_t)number, __ATOMIC_RELEASE);
    else if (width == 2)
        __atomic_store_n((uint16_t *)index + place, (uint16_t)number, __ATOMIC_RELEASE);
    else
        __atomic_store_n((uint32_t *)index + place, number, __ATOMIC_RELEASE);
}

/* Fills and publishes an entry that is known to be new. Under the lock, or in a table that nobody else knows. */
static void table_put(TyDictTable *table, uint32_t number, Value key, int64_t hash, Value value)
{
    TyDictEntry *entry = &table->entries[number];
    if (ty_load_relaxed(&table->only_str) && !ty_is_exact_str(key))
        ty_store_relaxed(&table->only_str, false);
    if (ty_load_relaxed(&table->version))
        ty_store_relaxed(&table->version, 0); /* seen by whoever sees the place below, which is released */
    entry->hash = hash;
    ty_store(table, &entry->key, key);
    ty_store(table, &entry->value, value);
    place_insert(table, hash, number + 1, true);
}

/* Adds an entry behind the others; there is room. */
static void table_append(TyDictTable *table, Value key, int64_t hash, Value value)
{
    uint32_t number = ty_load_relaxed(&table->entry_count);
    if (table->end <= ty_load_relaxed(&table->first))
        ty_store_relaxed(&table->first, number); /* all before it are deleted */
    table_put(table, number, key, hash, value);
    ty_store_release(&table->entry_count, number + 1);
    table->end = number + 1;
}

/* Adds an entry before the others; the gap is not empty. */
static void table_prepend(TyDictTable *table, Value key, int64_t hash, Value value)
{
    uint32_t number = ty_load_relaxed(&table->gap) - 1;
    bool empty = table->end <= ty_load_relaxed(&table->first);
    table_put(table, number, key, hash, value);
    ty_store_release(&table->gap, number);
    ty_store_release(&table->first, number);
    if (empty)
        table->end = number + 1;
}

/* The same table once more, for one without dead entries. Under the lock of the dict that holds it. */
static TyDictTable *table_copied(const TyDictTable *old)
{
    size_t index = (size_t)old->index_width << old->index_log2, size = sizeof(TyDictTable) + old->capacity * sizeof(TyDictEntry) + index;
    TyDictTable *table = ty_allocate(&ty_dict_table_type, size);
    if (!table)
        return NULL;
    uint32_t count = ty_load_relaxed(&old->entry_count);
    table->index_log2 = old->index_log2;
    table->index_width = old->index_width;
    table->capacity = old->capacity;
    ty_store_relaxed(&table->only_str, ty_load_relaxed(&old->only_str));
    memcpy(table->entries, old->entries, count * sizeof(TyDictEntry));
    memcpy(&table->entries[table->capacity], &old->entries[old->capacity], index);
    table->end = count;
    ty_store_release(&table->entry_count, count);
    return table;
}

/* A table with the living entries of another and room for `count`, behind a gap. Under the lock of the dict that holds it. */
static TyDictTable *table_rebuilt(const TyDictTable *old, uint64_t count, uint32_t gap)
{
    TyDictTable *table = table_new(log2_for(count + gap));
    if (!table)
        return NULL;
    ty_store_relaxed(&table->gap, gap);
    ty_store_relaxed(&table->first, gap);
    uint32_t used = gap, old_count = ty_load_relaxed(&old->entry_count);
    bool only_str = true;
    for (uint32_t i = ty_load_relaxed(&old->first); i < old_count; i++) {
        const TyDictEntry *from = &old->entries[i];
        Value value = ty_field(&from->value), key = ty_field(&from->key);
        if (value == TY_NULL)
            continue;
        TyDictEntry *entry = &table->entries[used++];
        entry->hash = from->hash;
        ty_store(table, &entry->key, key);
        ty_store(table, &entry->value, value);
        only_str = only_str && ty_is_exact_str(key);
        place_insert(table, from->hash, used, false);
    }
    ty_store_relaxed(&table->only_str, only_str);
    table->end = used;
    ty_store_release(&table->entry_count, used);
    return table;
}

/* --- finding -------------------------------------------------------------------------------------------------------- */

/* Grows with each entry that is added, at either end. */
TY_INLINE uint32_t insertions(TyDictTable *table) { return ty_load_acquire(&table->entry_count) - ty_load_acquire(&table->gap); }

#define ABSENT (-1)
#define FAILED (-2)

/* Says what the unhashable object was to be. */
static TY_COLD int64_t unhashable(Value key)
{
    if (ty_is_exact(ty_thread->exception, &ty_TypeError)) {
        Value error = ty_take_exception();
        ty_raise(&ty_TypeError, "cannot use '%T' as a dict key (%S)", key, error);
    }
    return -1;
}

TY_INLINE int64_t key_hash(Value key)
{
    if (ty_is_exact_str(key)) {
        int64_t hash = ty_load_relaxed(&ty_as_str(key)->hash);
        return TY_LIKELY(hash != 0) ? hash : ty_str_hash(key);
    }
    if (ty_is_immediate_int(key)) {
        int64_t i = ty_immediate_int(key);
        return i == -1 ? -2 : i;
    }
    int64_t hash = ty_hash(key);
    return TY_LIKELY(hash != -1) ? hash : unhashable(key);
}

/* An exact str among keys that were all exact str when the table was loaded: no Python code runs. */
TY_INLINE int64_t find_str_width(const TyDictTable *table, Value key, int64_t hash, int width)
{
    size_t mask = ((size_t)1 << table->index_log2) - 1, place = (size_t)hash & mask;
    uint64_t perturb = (uint64_t)hash;
    for (;;) {
        uint32_t number = place_load(table, place, width);
        if (number == 0)
            return ABSENT;
        const TyDictEntry *entry = &table->entries[number - 1];
        Value there = ty_field(&entry->key);
        if (there == key)
            return number - 1;
        /* The type is looked at because another key may have come since. */
        if (entry->hash == hash && there != TY_NULL && ty_is_exact_str(there) && ty_str_equal(there, key))
            return number - 1;
        perturb >>= 5;
        place = (place * 5 + perturb + 1) & mask;
    }
}

static int64_t find_str(const TyDictTable *table, Value key, int64_t hash)
{
    if (table->index_width == 1)
        return find_str_width(table, key, hash, 1);
    if (table->index_width == 2)
        return find_str_width(table, key, hash, 2);
    return find_str_width(table, key, hash, 4);
}

/* Whether two keys with the same hash are equal; identity is tested before. */
TY_INLINE int keys_equal(Value a, Value b)
{
    if (ty_is_immediate_int(a) && ty_is_immediate_int(b))
        return 0;
    if (ty_is_exact_str(a) && ty_is_exact_str(b))
        return ty_str_equal(a, b);
    return ty_compare_bool(a, b, TY_EQ);
}

/* The number of the key's entry in the dict's table as it is when the answer is known. *table is that table, *seen its count of insertions
 * before the search. A comparison may change the dict: then the search begins again. */
static int64_t find(TyDict *dict, Value key, int64_t hash, TyDictTable **found_in, uint32_t *seen)
{
again:;
    TyDictTable *table = ty_load_acquire(&dict->table);
    *found_in = table;
    *seen = insertions(table);
    if (ty_load_relaxed(&table->only_str) && ty_is_exact_str(key))
        return find_str(table, key, hash);
    size_t mask = ((size_t)1 << table->index_log2) - 1, place = (size_t)hash & mask;
    uint64_t perturb = (uint64_t)hash;
    int width = table->index_width;
    for (;;) {
        uint32_t number = place_load(table, place, width);
        if (number == 0)
            return ABSENT;
        const TyDictEntry *entry = &table->entries[number - 1];
        Value there = ty_field(&entry->key);
        if (there == key)
            return number - 1;
        if (entry->hash == hash && there != TY_NULL) {
            int equal = keys_equal(there, key);
            if (TY_UNLIKELY(equal < 0))
                return FAILED;
            if (TY_UNLIKELY(ty_load_relaxed(&dict->table) != table || ty_field(&entry->key) != there))
                goto again;
            if (equal)
                return number - 1;
        }
        perturb >>= 5;
        place = (place * 5 + perturb + 1) & mask;
    }
}

Value ty_dict_get_hashed(Value dict, Value key, int64_t hash)
{
    TyDictTable *table;
    uint32_t seen;
    int64_t at = find(ty_as_dict(dict), key, hash, &table, &seen);
    return at >= 0 ? ty_field_acquire(&table->entries[at].value) : TY_NULL;
}

Value ty_dict_get_str(Value dict, Value key)
{
    int64_t hash = key_hash(key);
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    if (TY_LIKELY(ty_load_relaxed(&table->only_str))) {
        int64_t at = find_str(table, key, hash);
        return at >= 0 ? ty_field_acquire(&table->entries[at].value) : TY_NULL;
    }
    return ty_dict_get_hashed(dict, key, hash);
}

Value ty_dict_get(Value dict, Value key)
{
    if (ty_is_exact_str(key))
        return ty_dict_get_str(dict, key);
    int64_t hash = key_hash(key);
    return TY_UNLIKELY(hash == -1) ? TY_NULL : ty_dict_get_hashed(dict, key, hash);
}

Value ty_dict_get_text(Value dict, const char *key)
{
    Value name = ty_intern_text(key);
    return name == TY_NULL ? TY_NULL : ty_dict_get_str(dict, name);
}

int ty_dict_contains(Value dict, Value key)
{
    Value value = ty_dict_get(dict, key);
    return value != TY_NULL ? 1 : ty_raised() ? -1 : 0;
}

/* --- changing ------------------------------------------------------------------------------------------------------- */

/* Adds a new key, under the lock. */
static bool append(TyDict *dict, TyDictTable *table, Value key, int64_t hash, Value value)
{
    if (TY_UNLIKELY(ty_load_relaxed(&table->entry_count) == table->capacity)) {
        uint64_t length = (uint64_t)ty_load_relaxed(&dict->length);
        TyDictTable *bigger = table_rebuilt(table, length > 0 ? length * 2 : 1, 0);
        if (!bigger)
            return false;
        table_append(bigger, key, hash, value);
        ty_store_relaxed(&table->version, 0);
        ty_store_pointer(dict, (TyDictTable **)&dict->table, bigger);
    } else {
        table_append(table, key, hash, value);
    }
    ty_store_relaxed(&dict->length, ty_load_relaxed(&dict->length) + 1);
    return true;
}

/* Takes an entry out, under the lock. */
static void remove_entry(TyDict *dict, TyDictTable *table, uint32_t at)
{
    TyDictEntry *entry = &table->entries[at];
    ty_store_relaxed(&table->version, 0);
    ty_store_publish(table, &entry->value, TY_NULL);
    ty_store_publish(table, &entry->key, TY_NULL);
    ty_store_relaxed(&dict->length, ty_load_relaxed(&dict->length) - 1);
    uint32_t first = ty_load_relaxed(&table->first);
    if (at == first) {
        while (first < table->end && ty_field(&table->entries[first].value) == TY_NULL)
            first++;
        ty_store_relaxed(&table->first, first);
    }
    if (at + 1 == table->end)
        while (table->end > first && ty_field(&table->entries[table->end - 1].value) == TY_NULL)
            table->end--;
}

/* What is done with a key: the value that was there is returned through *old (TY_NULL: there was none). */
typedef enum { STORE, KEEP, TAKE } Change;

static bool change(TyDict *dict, Value key, int64_t hash, Value value, Change what, Value *old)
{
    for (;;) {
        TyDictTable *table;
        uint32_t seen;
        int64_t at = find(dict, key, hash, &table, &seen);
        if (TY_UNLIKELY(at == FAILED))
            return false;
        bool locked = ty_object_lock(&dict->base), done = false, fine = true;
        if (TY_LIKELY(ty_load_relaxed(&dict->table) == table)) {
            if (at >= 0) {
                Value there = ty_field(&table->entries[at].value);
                if (there != TY_NULL) {
                    *old = there;
                    done = true;
                    if (what == STORE)
                        ty_store_publish(table, &table->entries[at].value, value);
                    else if (what == TAKE)
                        remove_entry(dict, table, (uint32_t)at);
                }
            } else if (insertions(table) == seen) {
                *old = TY_NULL;
                done = true;
                if (what != TAKE)
                    fine = append(dict, table, key, hash, value);
            }
        }
        ty_object_unlock(&dict->base, locked);
        if (TY_LIKELY(done))
            return fine;
    }
}

bool ty_dict_set_hashed(Value dict, Value key, int64_t hash, Value value)
{
    Value old;
    return change(ty_as_dict(dict), key, hash, value, STORE, &old);
}

bool ty_dict_set(Value dict, Value key, Value value)
{
    int64_t hash = key_hash(key);
    return TY_LIKELY(hash != -1) && ty_dict_set_hashed(dict, key, hash, value);
}

bool ty_dict_set_text(Value dict, const char *key, Value value)
{
    Value name = ty_intern_text(key);
    return name != TY_NULL && ty_dict_set(dict, name, value);
}

Value ty_dict_pop(Value dict, Value key)
{
    Value old = TY_NULL;
    if (ty_dict_length(dict) == 0 && ty_is_exact_str(key))
        return TY_NULL;
    int64_t hash = key_hash(key);
    if (hash == -1 || !change(ty_as_dict(dict), key, hash, TY_NULL, TAKE, &old))
        return TY_NULL;
    return old;
}

int ty_dict_delete(Value dict, Value key)
{
    Value old;
    int64_t hash = key_hash(key);
    if (hash == -1 || !change(ty_as_dict(dict), key, hash, TY_NULL, TAKE, &old))
        return -1;
    return old != TY_NULL;
}

Value ty_dict_set_default(Value dict, Value key, Value value)
{
    Value old;
    int64_t hash = key_hash(key);
    if (hash == -1 || !change(ty_as_dict(dict), key, hash, value, KEEP, &old))
        return TY_NULL;
    return old != TY_NULL ? old : value;
}

void ty_dict_clear(Value v)
{
    TyDict *dict = ty_as_dict(v);
    bool locked = ty_object_lock(&dict->base);
    TyDictTable *table = ty_load_relaxed(&dict->table);
    if (table != EMPTY_TABLE) {
        ty_store_relaxed(&table->version, 0);
        ty_store_pointer(dict, (TyDictTable **)&dict->table, EMPTY_TABLE);
    }
    ty_store_relaxed(&dict->length, 0);
    ty_object_unlock(&dict->base, locked);
}

bool ty_dict_pop_end(Value v, bool last, Value *key, Value *value)
{
    TyDict *dict = ty_as_dict(v);
    bool locked = ty_object_lock(&dict->base);
    bool any = ty_load_relaxed(&dict->length) > 0;
    if (any) {
        TyDictTable *table = ty_load_relaxed(&dict->table);
        uint32_t at = last ? table->end - 1 : ty_load_relaxed(&table->first);
        *key = ty_field(&table->entries[at].key);
        *value = ty_field(&table->entries[at].value);
        remove_entry(dict, table, at);
    }
    ty_object_unlock(&dict->base, locked);
    return any;
}

/* Adds a new key before all others, under the lock. */
static bool prepend(TyDict *dict, TyDictTable *table, Value key, int64_t hash, Value value)
{
    if (ty_load_relaxed(&table->gap) == 0) {
        uint64_t length = (uint64_t)ty_load_relaxed(&dict->length);
        TyDictTable *bigger = table_rebuilt(table, length + 1, (uint32_t)TY_MIN(length + 4, (uint64_t)1 << 28));
        if (!bigger)
            return false;
        table_prepend(bigger, key, hash, value);
        ty_store_relaxed(&table->version, 0);
        ty_store_pointer(dict, (TyDictTable **)&dict->table, bigger);
    } else {
        table_prepend(table, key, hash, value);
    }
    ty_store_relaxed(&dict->length, ty_load_relaxed(&dict->length) + 1);
    return true;
}

bool ty_dict_move_to_end(Value v, Value key, int64_t hash, bool last)
{
    TyDict *dict = ty_as_dict(v);
    for (;;) {
        TyDictTable *table;
        uint32_t seen;
        int64_t at = find(dict, key, hash, &table, &seen);
        if (at < 0)
            return false;
        bool locked = ty_object_lock(&dict->base), done = false, fine = true;
        Value there = ty_field(&table->entries[at].key), value = ty_field(&table->entries[at].value);
        if (ty_load_relaxed(&dict->table) == table && value != TY_NULL) {
            done = true;
            if (at != (last ? (int64_t)table->end - 1 : (int64_t)ty_load_relaxed(&table->first))) {
                remove_entry(dict, table, (uint32_t)at);
                fine = last ? append(dict, table, there, hash, value) : prepend(dict, table, there, hash, value);
            }
        }
        ty_object_unlock(&dict->base, locked);
        if (done)
            return fine;
    }
}

/* --- whole dicts ---------------------------------------------------------------------------------------------------- */

Value ty_dict_new(void)
{
    TyDict *dict = (TyDict *)ty_allocate(&ty_dict_type, sizeof(TyDict));
    if (!dict)
        return TY_NULL;
    ty_store_relaxed(&dict->table, EMPTY_TABLE);
    return ty_from_object(dict);
}

Value ty_dict_new_sized(int64_t expected)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL || expected <= 0)
        return dict;
    TyDictTable *table = table_new(log2_for((uint64_t)expected));
    if (!table)
        return TY_NULL;
    ty_store_pointer(ty_object(dict), (TyDictTable **)&ty_as_dict(dict)->table, table);
    return dict;
}

/* Makes a fresh dict hold what another holds now. */
static bool copy_into(TyDict *target, TyDict *source)
{
    bool locked = ty_object_lock(&source->base);
    int64_t length = ty_load_relaxed(&source->length);
    const TyDictTable *from = ty_load_relaxed(&source->table);
    bool dense = ty_load_relaxed(&from->entry_count) == length && ty_load_relaxed(&from->gap) == 0 && from->index_log2 <= log2_for((uint64_t)length) + 1;
    TyDictTable *table = length == 0 ? EMPTY_TABLE : dense ? table_copied(from) : table_rebuilt(from, (uint64_t)length, 0);
    ty_object_unlock(&source->base, locked);
    if (!table)
        return false;
    ty_store_pointer(target, (TyDictTable **)&target->table, table);
    ty_store_relaxed(&target->length, length);
    return true;
}

Value ty_dict_copy(Value dict)
{
    Value copy = ty_dict_new();
    return copy != TY_NULL && copy_into(ty_as_dict(copy), ty_as_dict(dict)) ? copy : TY_NULL;
}

bool ty_dict_next(Value dict, int64_t *position, Value *key, Value *value)
{
    return ty_dict_next_hashed(dict, position, key, value, NULL);
}

bool ty_dict_next_hashed(Value dict, int64_t *position, Value *key, Value *value, int64_t *hash)
{
    TyDictTable *table = ty_load_acquire(&ty_as_dict(dict)->table);
    int64_t count = ty_load_acquire(&table->entry_count), at = *position;
    if (at < ty_load_relaxed(&table->first))
        at = ty_load_relaxed(&table->first);
    for (; at < count; at++) {
        Value k = ty_field(&table->entries[at].key), v = ty_field_acquire(&table->entries[at].value);
        if (k != TY_NULL && v != TY_NULL) {
            if (key)
                *key = k;
            if (value)
                *value = v;
            if (hash)
                *hash = table->entries[at].hash;
            *position = at + 1;
            return true;
        }
    }
    *position = at;
    return false;
}

typedef enum { KEYS, VALUES, ITEMS } Part;

/* The pairs are made first, so that nothing is allocated while the entries are read; a dict that grew meanwhile is read again. */
static Value dict_list(Value v, Part part)
{
    TyDict *dict = ty_as_dict(v);
    for (;;) {
        int64_t length = ty_load_relaxed(&dict->length), used = 0;
        Value list = ty_list_new(length);
        if (list == TY_NULL)
            return TY_NULL;
        if (part == ITEMS) {
            for (int64_t i = 0; i < length; i++) {
                Value pair = ty_tuple_new(2);
                if (pair == TY_NULL || !ty_list_append(list, pair))
                    return TY_NULL;
            }
        }
        bool locked = ty_object_lock(&dict->base);
        bool same = ty_load_relaxed(&dict->length) == length;
        if (same && length > 0) {
            TyDictTable *table = ty_load_relaxed(&dict->table);
            TyArray *array = ty_load_relaxed(&ty_as_list(list)->items);
            uint32_t count = ty_load_relaxed(&table->entry_count);
            for (uint32_t i = ty_load_relaxed(&table->first); i < count; i++) {
                Value key = ty_field(&table->entries[i].key), value = ty_field(&table->entries[i].value);
                if (value == TY_NULL)
                    continue;
                if (part == ITEMS) {
                    Value pair = array->items[used];
                    ty_tuple_set(pair, 0, key);
                    ty_tuple_set(pair, 1, value);
                } else {
                    ty_store(array, &array->items[used], part == KEYS ? key : value);
                }
                used++;
            }
        }
        ty_object_unlock(&dict->base, locked);
        if (same) {
            ty_store_release(&ty_as_list(list)->length, length);
            return list;
        }
    }
}

Value ty_dict_keys(Value dict) { return dict_list(dict, KEYS); }
Value ty_dict_values(Value dict) { return dict_list(dict, VALUES); }
Value ty_dict_items(Value dict) { return dict_list(dict, ITEMS); }

/* --- for inline caches ---------------------------------------------------------------------------------------------- */

static _Atomic uint32_t last_version = 0xFFFF; /* versions have a bit above the lowest 16: an inline cache tells them from addresses */

/* Gives the dict's table a version if it has none. *table is the table that has it. */
static uint32_t version_of(TyDict *dict, TyDictTable **of)
{
    TyDictTable *table = *of = ty_load_acquire(&dict->table);
    uint32_t version = ty_load_relaxed(&table->version);
    if (version != 0)
        return version;
    uint32_t last = ty_load_relaxed(&last_version);
    do {
        if (last == UINT32_MAX)
            return 0; /* they have run out: caches stay empty from now on */
    } while (!atomic_compare_exchange_weak_explicit(&last_version, &last, last + 1, memory_order_relaxed, memory_order_relaxed));
    version = last + 1;
    if (table == EMPTY_TABLE) {
        uint32_t none = 0;
        return atomic_compare_exchange_strong_explicit(&table->version, &none, version, memory_order_relaxed, memory_order_relaxed) ? version : none;
    }
    bool locked = ty_object_lock(&dict->base);
    if (ty_load_relaxed(&dict->table) != table)
        version = 0;
    else if (ty_load_relaxed(&table->version) != 0)
        version = ty_load_relaxed(&table->version);
    else
        ty_store_relaxed(&table->version, version);
    ty_object_unlock(&dict->base, locked);
    return version;
}

uint32_t ty_dict_version(Value dict)
{
    TyDictTable *table;
    return version_of(ty_as_dict(dict), &table);
}

static int64_t index_in(TyDictTable *table, Value key)
{
    if (!ty_load_relaxed(&table->only_str))
        return -1;
    int64_t at = find_str(table, key, key_hash(key));
    return at >= 0 && ty_field_acquire(&table->entries[at].value) != TY_NULL ? at : -1;
}

int64_t ty_dict_entry_index(Value dict, Value key) { return index_in(ty_load_acquire(&ty_as_dict(dict)->table), key); }

int64_t ty_dict_entry_for_cache(Value dict, Value key, uint32_t *version)
{
    TyDictTable *table;
    uint32_t before = version_of(ty_as_dict(dict), &table);
    int64_t at = index_in(table, key);
    /* A table of other keys than str is not searched, so its answer "absent" may not be remembered. */
    bool sure = before != 0 && ty_load_relaxed(&table->only_str) && ty_load_acquire(&table->version) == before;
    *version = sure ? before : 0;
    return at;
}

/* --- merging -------------------------------------------------------------------------------------------------------- */

static bool merge_one(Value dict, Value key, int64_t hash, Value value, int override)
{
    if (override == 1)
        return ty_dict_set_hashed(dict, key, hash, value);
    Value old = TY_NULL;
    if (!change(ty_as_dict(dict), key, hash, value, KEEP, &old))
        return false;
    if (override == 2 && old != TY_NULL) {
        ty_raise_key_error(key);
        return false;
    }
    return true;
}

static bool merge_dict(Value dict, Value other, int override)
{
    TyDict *target = ty_as_dict(dict), *source = ty_as_dict(other);
    if (target == source)
        return true;
    if (ty_load_relaxed(&target->table) == EMPTY_TABLE && !ty_load_relaxed(&ty_many_threads))
        return copy_into(target, source);
    TyDictTable *table = ty_load_acquire(&source->table);
    if (ty_load_relaxed(&ty_many_threads)) { /* what the other holds at one moment */
        Value copy = ty_dict_copy(other);
        if (copy == TY_NULL)
            return false;
        source = ty_as_dict(copy);
        table = ty_load_relaxed(&source->table);
    }
    uint32_t count = ty_load_acquire(&table->entry_count);
    for (uint32_t i = ty_load_relaxed(&table->first); i < count; i++) {
        Value key = ty_field(&table->entries[i].key), value = ty_field_acquire(&table->entries[i].value);
        if (key == TY_NULL || value == TY_NULL)
            continue;
        if (!merge_one(dict, key, table->entries[i].hash, value, override))
            return false;
        if (ty_load_relaxed(&source->table) != table || ty_load_relaxed(&table->entry_count) != count) {
            ty_raise(&ty_RuntimeError, "dict mutated during update");
            return false;
        }
    }
    return true;
}

static Value dict_iter(Value self);

bool ty_dict_merge(Value dict, Value mapping, int override)
{
    if (ty_is_dict(mapping) && ty_type_of(mapping)->slots.iter == dict_iter)
        return merge_dict(dict, mapping, override);
    Value keys = ty_call_method_none(mapping, TY_NAME("keys"));
    if (keys == TY_NULL)
        return false;
    Value iterator = ty_iter(keys), key;
    if (iterator == TY_NULL)
        return false;
    while ((key = ty_next(iterator)) != TY_NULL) {
        int64_t hash = key_hash(key);
        if (hash == -1)
            return false;
        if (override != 1) {
            Value there = ty_dict_get_hashed(dict, key, hash);
            if (there == TY_NULL && ty_raised())
                return false;
            if (there != TY_NULL) {
                if (override == 0)
                    continue;
                ty_raise_key_error(key);
                return false;
            }
        }
        Value value = ty_get_item(mapping, key);
        if (value == TY_NULL || !ty_dict_set_hashed(dict, key, hash, value))
            return false;
    }
    return !ty_raised();
}

/* Tells with the exception which element it came from. */
static bool note_element(int64_t number)
{
    Value error = ty_take_exception();
    Value note = ty_str_format("Cannot convert dictionary update sequence element #%lld to a sequence", (long long)number);
    if (note != TY_NULL)
        ty_call_method_one(error, TY_NAME("add_note"), note);
    ty_clear_exception();
    ty_restore_exception(error);
    return false;
}

/* A pair out of any iterable, as the elements given to dict() are. */
static bool unpack_pair(Value item, int64_t number, Value *key, Value *value)
{
    Value fast = ty_is_tuple(item) || ty_is_list(item) ? item : ty_sequence_fast(item, "object is not iterable");
    if (fast == TY_NULL)
        return ty_raised_is(&ty_TypeError) && note_element(number);
    int64_t length = ty_is_tuple(fast) ? ty_tuple_length(fast) : ty_list_length(fast);
    if (length != 2) {
        ty_raise(&ty_ValueError, "dictionary update sequence element #%lld has length %lld; 2 is required", (long long)number, (long long)length);
        return false;
    }
    *key = ty_is_tuple(fast) ? ty_tuple_item(fast, 0) : ty_list_item(fast, 0);
    *value = ty_is_tuple(fast) ? ty_tuple_item(fast, 1) : ty_list_item(fast, 1);
    if (*key == TY_NULL || *value == TY_NULL) {
        ty_raise(&ty_RuntimeError, "list changed size during iteration");
        return false;
    }
    return true;
}

static bool merge_pairs(Value dict, Value pairs)
{
    Value iterator = ty_iter(pairs), item, key, value;
    if (iterator == TY_NULL)
        return false;
    TyType *type = ty_type_of(iterator);
    if (type == &ty_dict_item_iterator_type || type == &ty_enumerate_type || (type == &ty_zip_type && ty_zip_width(iterator) == 2)) {
        bool (*next_pair)(Value, Value *) = type == &ty_zip_type ? ty_zip_next_pair : type == &ty_enumerate_type ? ty_enumerate_next_pair : ty_dict_items_next_pair;
        Value pair[2];
        while (next_pair(iterator, pair))
            if (!ty_dict_set(dict, pair[0], pair[1]))
                return false;
        if (ty_raised() && ty_raised_is(&ty_StopIteration))
            ty_clear_exception();
        return !ty_raised();
    }
    for (int64_t number = 0; (item = ty_next(iterator)) != TY_NULL; number++)
        if (!unpack_pair(item, number, &key, &value) || !ty_dict_set(dict, key, value))
            return false;
    return !ty_raised();
}

bool ty_dict_update(Value dict, Value other)
{
    if (ty_is_exact_dict(other))
        return merge_dict(dict, other, 1);
    bool failed = false;
    Value keys = ty_get_attribute_or_null(other, TY_NAME("keys"), &failed);
    if (failed)
        return false;
    return keys != TY_NULL ? ty_dict_merge(dict, other, 1) : merge_pairs(dict, other);
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static Value dict_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (type == &ty_dict_type)
        return ty_dict_new();
    Value dict = ty_type_allocate(type, 0);
    if (dict != TY_NULL)
        ty_store_relaxed(&ty_as_dict(dict)->table, EMPTY_TABLE);
    return dict;
}

static bool update_from_call(const char *name, Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_check_positional(name, count, 0, 1) || (count == 1 && !ty_dict_update(self, arguments[0])))
        return false;
    if (keywords != TY_NULL)
        for (int64_t i = 0; i < ty_tuple_length(keywords); i++)
            if (!ty_dict_set(self, ty_tuple_item(keywords, i), arguments[count + i]))
                return false;
    return true;
}

static bool dict_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return update_from_call("dict", self, arguments, count, keywords);
}

static Value dict_repr(Value self)
{
    TyReprGuard guard;
    if (ty_dict_length(self) == 0)
        return ty_str_from_text("{}");
    if (!ty_repr_enter(&guard, self))
        return ty_str_from_text("{...}");
    TyStrBuilder text = {0};
    int64_t position = 0;
    Value key, value;
    bool first = true, fine = ty_builder_add_char(&text, '{');
    while (fine && ty_dict_next(self, &position, &key, &value)) {
        fine = (first || ty_builder_add_text(&text, ", ")) && ty_builder_add_repr(&text, key) && ty_builder_add_text(&text, ": ") &&
               ty_builder_add_repr(&text, value);
        first = false;
    }
    ty_repr_leave(&guard);
    return fine && ty_builder_add_char(&text, '}') ? ty_builder_finish(&text) : TY_NULL;
}

static int64_t dict_length(Value self) { return ty_dict_length(self); }

static Value dict_get_item(Value self, Value key)
{
    Value value = ty_dict_get(self, key);
    if (TY_LIKELY(value != TY_NULL) || ty_raised())
        return value;
    if (!ty_is_exact_dict(self)) {
        Value missing = ty_lookup_special(self, TY_NAME("__missing__"));
        if (missing != TY_NULL)
            return ty_call_one(missing, key);
        if (ty_raised())
            return TY_NULL;
    }
    return ty_raise_key_error(key);
}

static bool dict_set_item(Value self, Value key, Value value)
{
    if (value != TY_NULL)
        return ty_dict_set(self, key, value);
    int deleted = ty_dict_delete(self, key);
    if (deleted == 0)
        ty_raise_key_error(key);
    return deleted == 1;
}

static int dict_equal(Value a, Value b)
{
    if (ty_dict_length(a) != ty_dict_length(b))
        return 0;
    int64_t position = 0;
    Value key, value;
    int64_t hash;
    while (ty_dict_next_hashed(a, &position, &key, &value, &hash)) {
        Value other = ty_dict_get_hashed(b, key, hash);
        if (other == TY_NULL)
            return ty_raised() ? -1 : 0;
        int equal = ty_equal(value, other);
        if (equal <= 0)
            return equal;
    }
    return 1;
}

static Value dict_compare(Value left, Value right, int op)
{
    if (!ty_is_dict(right) || (op != TY_EQ && op != TY_NE))
        return TY_NOT_IMPLEMENTED;
    int equal = dict_equal(left, right);
    return equal < 0 ? TY_NULL : ty_from_bool(equal == (op == TY_EQ));
}

static Value dict_or(Value left, Value right)
{
    if (!ty_is_dict(left) || !ty_is_dict(right))
        return TY_NOT_IMPLEMENTED;
    Value result = ty_dict_copy(left);
    return result != TY_NULL && ty_dict_update(result, right) ? result : TY_NULL;
}

static Value dict_inplace_or(Value left, Value right) { return ty_dict_update(left, right) ? left : TY_NULL; }

static void dict_trace(TyObject *self, TyMarker *marker)
{
    TyDictTable *table = ty_load_relaxed(&((TyDict *)self)->table);
    if (table)
        ty_mark_object(marker, &table->base);
}

/* --- methods -------------------------------------------------------------------------------------------------------- */

static Value dict_method_get(Value self, Value *a)
{
    Value value = ty_dict_get(self, a[0]);
    return value != TY_NULL ? value : ty_raised() ? TY_NULL : a[1] != TY_NULL ? a[1] : TY_NONE;
}

static Value dict_method_setdefault(Value self, Value *a) { return ty_dict_set_default(self, a[0], a[1] != TY_NULL ? a[1] : TY_NONE); }

static Value dict_method_pop(Value self, Value *a)
{
    if (ty_dict_length(self) == 0) { /* the key need not be hashable then */
        if (a[1] != TY_NULL)
            return a[1];
        return ty_raise_key_error(a[0]);
    }
    Value value = ty_dict_pop(self, a[0]);
    if (value != TY_NULL || ty_raised())
        return value;
    return a[1] != TY_NULL ? a[1] : ty_raise_key_error(a[0]);
}

static Value dict_method_popitem(Value self, Value *a)
{
    Value pair = ty_tuple_new(2), key, value;
    if (pair == TY_NULL)
        return TY_NULL;
    if (!ty_dict_pop_end(self, true, &key, &value))
        return ty_raise(&ty_KeyError, "popitem(): dictionary is empty");
    ty_tuple_set(pair, 0, key);
    ty_tuple_set(pair, 1, value);
    return pair;
}

static Value dict_method_update(Value self, const Value *arguments, size_t count, Value keywords)
{
    return update_from_call("update", self, arguments, count, keywords) ? TY_NONE : TY_NULL;
}

static Value dict_method_fromkeys(Value type, Value *a)
{
    Value value = a[1] != TY_NULL ? a[1] : TY_NONE;
    Value dict = type == ty_from_object(&ty_dict_type) ? ty_dict_new() : ty_call_none(type);
    if (dict == TY_NULL)
        return TY_NULL;
    bool plain = ty_is_exact_dict(dict);
    Value key;
    int64_t position = 0, hash;
    if (plain && (ty_is_exact_dict(a[0]) || ty_is_any_set(a[0]))) { /* the hashes are known */
        while (ty_is_dict(a[0]) ? ty_dict_next_hashed(a[0], &position, &key, NULL, &hash) : ty_set_next_hashed(a[0], &position, &key, &hash))
            if (!ty_dict_set_hashed(dict, key, hash, value))
                return TY_NULL;
        return dict;
    }
    Value iterator = ty_iter(a[0]);
    if (iterator == TY_NULL)
        return TY_NULL;
    while ((key = ty_next(iterator)) != TY_NULL)
        if (!(plain ? ty_dict_set(dict, key, value) : ty_set_item(dict, key, value)))
            return TY_NULL;
    return ty_raised() ? TY_NULL : dict;
}

static Value dict_method_clear(Value self, Value *a)
{
    ty_dict_clear(self);
    return TY_NONE;
}

static Value dict_method_copy(Value self, Value *a) { return ty_dict_copy(self); }

static Value dict_method_sizeof(Value self, Value *a)
{
    TyDictTable *table = ty_load_acquire(&ty_as_dict(self)->table);
    size_t size = ty_type_of(self)->layout.size;
    if (table != EMPTY_TABLE)
        size += sizeof(TyDictTable) + table->capacity * sizeof(TyDictEntry) + ((size_t)table->index_width << table->index_log2);
    return ty_int_from_int64((int64_t)size);
}

static Value view_new(TyType *type, Value dict)
{
    TyDictView *view = (TyDictView *)ty_allocate(type, sizeof(TyDictView));
    if (!view)
        return TY_NULL;
    ty_store(view, &view->dict, dict);
    return ty_from_object(view);
}

static Value dict_method_keys(Value self, Value *a) { return view_new(&ty_dict_keys_type, self); }
static Value dict_method_values(Value self, Value *a) { return view_new(&ty_dict_values_type, self); }
static Value dict_method_items(Value self, Value *a) { return view_new(&ty_dict_items_type, self); }

Value ty_dict_iterator_new(TyType *type, Value dict);

static Value dict_iter(Value self) { return ty_dict_iterator_new(&ty_dict_key_iterator_type, self); }
static Value dict_method_reversed(Value self, Value *a) { return ty_dict_iterator_new(&ty_dict_reverse_key_iterator_type, self); }

static const TyNativeDef dict_methods[] = {
    TY_METHOD("get(self, key, default=None, /)", dict_method_get, "The value for key if the dictionary has it, else default."),
    TY_METHOD("setdefault(self, key, default=None, /)", dict_method_setdefault, "The value for key, which is default, inserted now, if there was none."),
    TY_METHOD("pop(self, key, default=None, /)", dict_method_pop, "Removes key and returns its value; default, or KeyError without one, if there is none."),
    TY_METHOD("popitem(self, /)", dict_method_popitem, "Removes the pair that was added last and returns it as (key, value). KeyError if the dictionary is empty."),
    TY_METHOD("keys(self, /)", dict_method_keys, "A set-like object that shows the dictionary's keys."),
    TY_METHOD("items(self, /)", dict_method_items, "A set-like object that shows the dictionary's items."),
    TY_METHOD("values(self, /)", dict_method_values, "An object that shows the dictionary's values."),
    TY_RAW_METHOD("update(self, other=(), /, **kwargs)", dict_method_update, "Takes over the pairs of a mapping or an iterable of pairs, then the keyword arguments."),
    TY_CLASS_METHOD("fromkeys(type, iterable, value=None, /)", dict_method_fromkeys, "A new dictionary with keys from the iterable and one value for all."),
    TY_METHOD("clear(self, /)", dict_method_clear, "Removes everything."),
    TY_METHOD("copy(self, /)", dict_method_copy, "A shallow copy."),
    TY_METHOD("__reversed__(self, /)", dict_method_reversed, "An iterator over the keys, last one first."),
    TY_METHOD("__sizeof__(self, /)", dict_method_sizeof, "The size of the dictionary in memory, in bytes."),
    TY_CLASS_GETITEM,
    {0},
};

TyType ty_dict_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyDict), .trace = dict_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_DICT | TY_TYPE_MAPPING | TY_TYPE_MATCH_SELF,
    .name = "dict",
    .doc = "dict() -> new empty dictionary\n"
           "dict(mapping) -> new dictionary with the pairs of a mapping\n"
           "dict(iterable) -> new dictionary from an iterable of (key, value) pairs\n"
           "dict(**kwargs) -> new dictionary with the keyword arguments: dict(one=1, two=2)",
    .parent = &ty_object_base_type,
    .slots = {
        .repr = dict_repr,
        .hash = ty_hash_unhashable,
        .compare = dict_compare,
        .iter = dict_iter,
        .new = dict_new,
        .init = dict_init,
        .binary[TY_BINARY_OR] = dict_or,
        .inplace[TY_BINARY_OR] = dict_inplace_or,
        .length = dict_length,
        .get_item = dict_get_item,
        .set_item = dict_set_item,
        .contains = ty_dict_contains,
    },
    .methods = dict_methods,
};
