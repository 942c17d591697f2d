/* set and frozenset: open addressing over slots of a hash and a key; short linear probes, then a perturbed jump.
 *
 * As in a dict, a slot of a table is filled once: hash first, then the key with release order. A removed key's slot holds a mark until the table is replaced, so readers
 * need no lock. Writers hold the set's lock, but never while a key's __eq__ or __hash__ runs: they search first, then lock and see whether the
 * table is still as they found it. */
#include "object/set.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/iterator.h"
#include "object/list.h"
#include "object/native.h"
#include "object/recursion.h"
#include "object/str.h"
#include "object/tuple.h"
#include <stddef.h>

typedef struct Slot {
    int64_t hash;
    Value key; /* TY_NULL: never used; REMOVED */
} Slot;

typedef struct SetTable {
    TyObject base;
    uint64_t mask;
    _Atomic uint64_t filled; /* slots used, removed ones included */
    Slot slots[];
} SetTable;

typedef struct Set {
    TyObject base;
    SetTable *_Atomic table; /* never NULL */
    _Atomic int64_t length;
    _Atomic int64_t hash;    /* of a frozenset; 0: not computed */
    uint64_t finger;         /* where pop() looks first */
} Set;

#define SET(v) ((Set *)ty_object(v))
#define LINEAR_PROBES 9
#define SMALLEST 8

static void table_trace(TyObject *self, TyMarker *marker)
{
    SetTable *table = (SetTable *)self;
    for (uint64_t i = 0; i <= table->mask; i++)
        ty_mark(marker, table->slots[i].key);
}

TyType ty_set_table_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(SetTable), .item_size = sizeof(Slot), .trace = table_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "set_table",
};

static TyObject removed_mark = TY_STATIC_HEADER(ty_object_base_type);
#define REMOVED ty_from_object(&removed_mark)

static struct {
    SetTable table;
    Slot slot;
} empty_table = {.table = {.base = TY_STATIC_HEADER(ty_set_table_type)}};
#define EMPTY_TABLE (&empty_table.table)

static Set empty_frozenset = {.base = TY_STATIC_HEADER(ty_frozenset_type), .table = EMPTY_TABLE};

TySetPlaces ty_set_places(void)
{
    return (TySetPlaces){offsetof(Set, table), offsetof(SetTable, mask), offsetof(SetTable, slots), sizeof(Slot), offsetof(Slot, key), REMOVED};
}

/* --- tables --------------------------------------------------------------------------------------------------------- */

/* A table with more than `wanted` slots. */
static SetTable *table_new(uint64_t wanted)
{
    uint64_t size = SMALLEST;
    while (size <= wanted) {
        if (size > (uint64_t)1 << 40) {
            ty_raise_memory_error();
            return NULL;
        }
        size <<= 1;
    }
    SetTable *table = (SetTable *)ty_allocate(&ty_set_table_type, sizeof(SetTable) + size * sizeof(Slot));
    if (table)
        table->mask = size - 1;
    return table;
}

/* Puts a key that is not there yet into the first free slot. */
static void table_insert(SetTable *table, Value key, int64_t hash)
{
    uint64_t mask = table->mask, perturb = (uint64_t)hash, i = (uint64_t)hash & mask;
    for (;;) {
        uint64_t last = i + LINEAR_PROBES <= mask ? i + LINEAR_PROBES : i;
        for (uint64_t j = i; j <= last; j++) {
            Slot *slot = &table->slots[j];
            if (ty_field(&slot->key) == TY_NULL) {
                slot->hash = hash;
                ty_store_publish(table, &slot->key, key);
                ty_store_release(&table->filled, ty_load_relaxed(&table->filled) + 1);
                return;
            }
        }
        perturb >>= 5;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

TY_INLINE bool is_key(Value v) { return v != TY_NULL && v != REMOVED; }

static SetTable *table_rebuilt(const SetTable *old, uint64_t wanted)
{
    SetTable *table = table_new(wanted);
    if (table)
        for (uint64_t i = 0; i <= old->mask; i++) {
            Value key = ty_field(&old->slots[i].key);
            if (is_key(key))
                table_insert(table, key, old->slots[i].hash);
        }
    return table;
}

TY_INLINE void set_table(Set *set, SetTable *table) { ty_store_pointer(set, (SetTable **)&set->table, table); }

/* --- finding -------------------------------------------------------------------------------------------------------- */

#define ABSENT (-1)
#define FAILED (-2)

/* Says what the unhashable object was to be. */
static TY_COLD int64_t unhashable(Value key)
{
    if (ty_is_exact(ty_thread->exception, &ty_TypeError)) {
        Value error = ty_take_exception();
        ty_raise(&ty_TypeError, "cannot use '%T' as a set element (%S)", key, error);
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

TY_INLINE int keys_equal(Value a, Value b)
{
    if (ty_is_immediate_int(a) && ty_is_immediate_int(b))
        return 0;
    if (ty_is_exact_str(a) && ty_is_exact_str(b))
        return ty_str_equal(a, b);
    return ty_compare_bool(a, b, TY_EQ);
}

static int64_t find(Set *set, Value key, int64_t hash, SetTable **found_in, uint64_t *seen)
{
again:;
    SetTable *table = ty_load_acquire(&set->table);
    *found_in = table;
    *seen = ty_load_acquire(&table->filled);
    uint64_t mask = table->mask, perturb = (uint64_t)hash, i = (uint64_t)hash & mask;
    for (;;) {
        uint64_t last = i + LINEAR_PROBES <= mask ? i + LINEAR_PROBES : i;
        for (uint64_t j = i; j <= last; j++) {
            const Slot *slot = &table->slots[j];
            Value there = ty_field_acquire(&slot->key);
            if (there == TY_NULL)
                return ABSENT;
            if (there == key)
                return (int64_t)j;
            if (slot->hash == hash && there != REMOVED) {
                int equal = keys_equal(there, key);
                if (equal < 0)
                    return FAILED;
                if (TY_UNLIKELY(ty_load_relaxed(&set->table) != table || ty_field(&slot->key) != there))
                    goto again;
                if (equal)
                    return (int64_t)j;
            }
        }
        perturb >>= 5;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

static int contains_hashed(Set *set, Value key, int64_t hash)
{
    SetTable *table;
    uint64_t seen;
    int64_t at = find(set, key, hash, &table, &seen);
    return at == FAILED ? -1 : at >= 0;
}

/* --- changing ------------------------------------------------------------------------------------------------------- */

/* Under the lock: a key that is not there. */
static bool insert_new(Set *set, SetTable *table, Value key, int64_t hash)
{
    int64_t length = ty_load_relaxed(&set->length) + 1;
    if (table == EMPTY_TABLE) {
        table = table_new(0);
        if (!table)
            return false;
        table_insert(table, key, hash);
        set_table(set, table);
    } else {
        table_insert(table, key, hash);
        if (ty_load_relaxed(&table->filled) * 5 >= table->mask * 3) {
            table = table_rebuilt(table, (uint64_t)length * (length > 50000 ? 2 : 4));
            if (!table) {
                ty_store_relaxed(&set->length, length); /* the key is in; only the room is short, and one free slot is left in any case */
                return false;
            }
            set_table(set, table);
        }
    }
    ty_store_relaxed(&set->length, length);
    return true;
}

static bool add_hashed(Set *set, Value key, int64_t hash)
{
    for (;;) {
        SetTable *table;
        uint64_t seen;
        int64_t at = find(set, key, hash, &table, &seen);
        if (at >= 0)
            return true;
        if (at == FAILED)
            return false;
        bool locked = ty_object_lock(&set->base);
        bool same = ty_load_relaxed(&set->table) == table && ty_load_relaxed(&table->filled) == seen;
        bool fine = !same || insert_new(set, table, key, hash);
        ty_object_unlock(&set->base, locked);
        if (same)
            return fine;
    }
}

static int discard_hashed(Set *set, Value key, int64_t hash)
{
    for (;;) {
        SetTable *table;
        uint64_t seen;
        int64_t at = find(set, key, hash, &table, &seen);
        if (at < 0)
            return at == FAILED ? -1 : 0;
        bool locked = ty_object_lock(&set->base);
        bool same = ty_load_relaxed(&set->table) == table && ty_field(&table->slots[at].key) != REMOVED;
        if (same) {
            ty_store_publish(table, &table->slots[at].key, REMOVED);
            ty_store_relaxed(&set->length, ty_load_relaxed(&set->length) - 1);
        }
        ty_object_unlock(&set->base, locked);
        if (same)
            return 1;
    }
}

bool ty_set_add(Value set, Value item)
{
    int64_t hash = key_hash(item);
    return hash != -1 && add_hashed(SET(set), item, hash);
}

/* The hash of an item that is looked for: a set, though unhashable, is looked for as the frozenset equal to it. */
static int64_t sought_hash(Value *item)
{
    int64_t hash = key_hash(*item);
    if (hash != -1 || !ty_is_any_set(*item) || !ty_raised_is(&ty_TypeError))
        return hash;
    ty_clear_exception();
    *item = ty_frozenset_new(*item);
    return *item == TY_NULL ? -1 : ty_hash(*item);
}

int ty_set_discard(Value set, Value item)
{
    int64_t hash = sought_hash(&item);
    return hash == -1 ? -1 : discard_hashed(SET(set), item, hash);
}

int ty_set_contains(Value set, Value item)
{
    int64_t hash = sought_hash(&item);
    return hash == -1 ? -1 : contains_hashed(SET(set), item, hash);
}

int64_t ty_set_length(Value set) { return ty_load_relaxed(&SET(set)->length); }

void ty_set_clear(Value v)
{
    Set *set = SET(v);
    bool locked = ty_object_lock(&set->base);
    set_table(set, EMPTY_TABLE);
    ty_store_relaxed(&set->length, 0);
    ty_object_unlock(&set->base, locked);
}

Value ty_set_pop(Value v)
{
    Set *set = SET(v);
    bool locked = ty_object_lock(&set->base);
    Value key = TY_NULL;
    if (ty_load_relaxed(&set->length) > 0) {
        SetTable *table = ty_load_relaxed(&set->table);
        uint64_t i = set->finger & table->mask;
        while (!is_key(ty_field(&table->slots[i].key)))
            i = (i + 1) & table->mask;
        key = ty_field(&table->slots[i].key);
        ty_store_publish(table, &table->slots[i].key, REMOVED);
        ty_store_relaxed(&set->length, ty_load_relaxed(&set->length) - 1);
        set->finger = i + 1;
    }
    ty_object_unlock(&set->base, locked);
    return key != TY_NULL ? key : ty_raise(&ty_KeyError, "pop from an empty set");
}

bool ty_set_next(Value v, int64_t *position, Value *item)
{
    int64_t hash;
    return ty_set_next_hashed(v, position, item, &hash);
}

bool ty_set_next_hashed(Value v, int64_t *position, Value *item, int64_t *hash)
{
    SetTable *table = ty_load_acquire(&SET(v)->table);
    uint64_t i = (uint64_t)*position;
    for (; i <= table->mask; i++) {
        Value key = ty_field_acquire(&table->slots[i].key);
        if (is_key(key)) {
            *hash = table->slots[i].hash;
            *item = key;
            *position = (int64_t)i + 1;
            return true;
        }
    }
    *position = (int64_t)i;
    return false;
}

/* The same, with the key's hash, over one table. */
TY_INLINE bool table_next(const SetTable *table, uint64_t *position, Value *item, int64_t *hash)
{
    for (uint64_t i = *position; i <= table->mask; i++) {
        Value key = ty_field_acquire(&table->slots[i].key);
        if (is_key(key)) {
            *item = key;
            *hash = table->slots[i].hash;
            *position = i + 1;
            return true;
        }
    }
    return false;
}

/* --- making --------------------------------------------------------------------------------------------------------- */

static Value set_of_type(TyType *type)
{
    Value v = type == &ty_set_type || type == &ty_frozenset_type ? ty_from_object(ty_allocate(type, sizeof(Set))) : ty_type_allocate(type, 0);
    if (v != TY_NULL)
        ty_store_relaxed(&SET(v)->table, EMPTY_TABLE);
    return v;
}

/* Adds all of another set. */
static bool merge_set(Set *set, Set *other)
{
    if (set == other || ty_load_relaxed(&other->length) == 0)
        return true;
    if (ty_load_relaxed(&set->table) == EMPTY_TABLE) { /* all at once; nothing to compare */
        bool locked = ty_object_lock(&other->base);
        SetTable *from = ty_load_relaxed(&other->table), *table;
        int64_t length = ty_load_relaxed(&other->length);
        uint64_t wanted = length * 5 >= (SMALLEST - 1) * 3 ? (uint64_t)length * 2 : 0;
        if ((uint64_t)length == ty_load_relaxed(&from->filled) && from->mask >= wanted && from->mask <= wanted * 2 + SMALLEST - 1) {
            table = table_new(from->mask); /* of the same size: every key keeps its slot */
            if (table) {
                memcpy(table->slots, from->slots, (from->mask + 1) * sizeof(Slot));
                ty_store_relaxed(&table->filled, (uint64_t)length);
            }
        } else {
            table = table_rebuilt(from, wanted);
        }
        ty_object_unlock(&other->base, locked);
        if (!table)
            return false;
        locked = ty_object_lock(&set->base);
        bool still_empty = ty_load_relaxed(&set->table) == EMPTY_TABLE;
        if (still_empty) {
            set_table(set, table);
            ty_store_relaxed(&set->length, length);
        }
        ty_object_unlock(&set->base, locked);
        if (still_empty)
            return true;
    }
    bool locked = ty_object_lock(&set->base), fine = true;
    SetTable *own = ty_load_relaxed(&set->table);
    int64_t length = ty_load_relaxed(&set->length), more = ty_load_relaxed(&other->length);
    if ((ty_load_relaxed(&own->filled) + (uint64_t)more) * 5 >= own->mask * 3) {
        SetTable *bigger = table_rebuilt(own, (uint64_t)(length + more) * 2);
        fine = bigger != NULL;
        if (fine)
            set_table(set, bigger);
    }
    ty_object_unlock(&set->base, locked);
    SetTable *table = ty_load_acquire(&other->table);
    uint64_t position = 0;
    Value key;
    int64_t hash;
    while (fine && table_next(table, &position, &key, &hash))
        fine = add_hashed(set, key, hash);
    return fine;
}

bool ty_set_update(Value v, Value iterable)
{
    if (ty_is_any_set(iterable))
        return merge_set(SET(v), SET(iterable));
    Value key;
    if (ty_is_exact_dict(iterable)) {
        int64_t position = 0, length = ty_dict_length(iterable), hash;
        while (ty_dict_next_hashed(iterable, &position, &key, NULL, &hash)) {
            if (!add_hashed(SET(v), key, hash))
                return false;
            if (ty_dict_length(iterable) != length && !ty_load_relaxed(&ty_many_threads)) {
                ty_raise(&ty_RuntimeError, "dictionary changed size during iteration");
                return false;
            }
        }
        return true;
    }
    Value iterator = ty_iter(iterable);
    if (iterator == TY_NULL)
        return false;
    while ((key = ty_next_inline(iterator)) != TY_NULL)
        if (!ty_set_add(v, key))
            return false;
    return !ty_raised();
}

static Value set_from(TyType *type, Value iterable)
{
    Value set = set_of_type(type);
    return set != TY_NULL && (iterable == TY_NULL || ty_set_update(set, iterable)) ? set : TY_NULL;
}

Value ty_set_new(Value iterable) { return set_from(&ty_set_type, iterable); }

Value ty_frozenset_new(Value iterable)
{
    if (iterable == TY_NULL)
        return ty_frozenset_fresh(); /* it may be meant to be filled */
    if (ty_is_exact(iterable, &ty_frozenset_type))
        return iterable;
    Value set = set_from(&ty_frozenset_type, iterable);
    return set != TY_NULL && ty_set_length(set) == 0 ? ty_from_object(&empty_frozenset) : set;
}

Value ty_frozenset_fresh(void) { return set_of_type(&ty_frozenset_type); }

Value ty_frozenset_from_array(const Value *items, size_t count)
{
    Value set = set_of_type(&ty_frozenset_type);
    if (set == TY_NULL)
        return TY_NULL;
    for (size_t i = 0; i < count; i++)
        if (!ty_set_add(set, items[i]))
            return TY_NULL;
    return set;
}

/* set or frozenset: what results of operations with a subclass are. */
static TyType *base_type(Value set) { return ty_is_instance_of(set, &ty_frozenset_type) ? &ty_frozenset_type : &ty_set_type; }

Value ty_set_copy(Value set) { return set_from(base_type(set), set); }

/* --- set operations ------------------------------------------------------------------------------------------------- */

/* Calls with each item of an iterable and its hash, until `visit` gives no 1 or the end; 1 at the end. */
typedef int (*Visit)(void *context, Value item, int64_t hash);

static int each(Value iterable, Visit visit, void *context)
{
    Value item;
    int64_t hash;
    if (ty_is_any_set(iterable)) {
        SetTable *table = ty_load_acquire(&SET(iterable)->table);
        uint64_t position = 0;
        while (table_next(table, &position, &item, &hash)) {
            int verdict = visit(context, item, hash);
            if (verdict != 1)
                return verdict;
        }
        return 1;
    }
    if (ty_is_exact_dict(iterable)) {
        int64_t position = 0, length = ty_dict_length(iterable);
        while (ty_dict_next_hashed(iterable, &position, &item, NULL, &hash)) {
            int verdict = visit(context, item, hash);
            if (verdict != 1)
                return verdict;
            if (ty_dict_length(iterable) != length) {
                ty_raise(&ty_RuntimeError, "dictionary changed size during iteration");
                return -1;
            }
        }
        return 1;
    }
    Value iterator = ty_iter(iterable);
    if (iterator == TY_NULL)
        return -1;
    while ((item = ty_next(iterator)) != TY_NULL) {
        hash = key_hash(item);
        int verdict = hash == -1 ? -1 : visit(context, item, hash);
        if (verdict != 1)
            return verdict;
    }
    return ty_raised() ? -1 : 1;
}

static int visit_discard(void *context, Value item, int64_t hash) { return discard_hashed(context, item, hash) < 0 ? -1 : 1; }

bool ty_set_difference_update(Value v, Value other)
{
    if (v == other) {
        ty_set_clear(v);
        return true;
    }
    return each(other, visit_discard, SET(v)) == 1;
}

typedef struct Pair {
    Set *of, *result;
} Pair;

static int visit_keep_absent(void *context, Value item, int64_t hash)
{
    Pair *pair = context;
    int contained = contains_hashed(pair->of, item, hash);
    return contained < 0 || (!contained && !add_hashed(pair->result, item, hash)) ? -1 : 1;
}

static int visit_keep_present(void *context, Value item, int64_t hash)
{
    Pair *pair = context;
    int contained = contains_hashed(pair->of, item, hash);
    return contained < 0 || (contained && !add_hashed(pair->result, item, hash)) ? -1 : 1;
}

static int visit_absent(void *context, Value item, int64_t hash)
{
    int contained = contains_hashed(context, item, hash);
    return contained < 0 ? -1 : !contained;
}

static int visit_present(void *context, Value item, int64_t hash) { return contains_hashed(context, item, hash); }

static int visit_toggle(void *context, Value item, int64_t hash)
{
    int removed = discard_hashed(context, item, hash);
    return removed < 0 || (!removed && !add_hashed(context, item, hash)) ? -1 : 1;
}

/* left - right as a new set. */
static Value difference(Value left, Value right)
{
    Value result;
    if (!ty_is_any_set(right) && !ty_is_dict(right)) {
        result = ty_set_copy(left);
        return result != TY_NULL && ty_set_difference_update(result, right) ? result : TY_NULL;
    }
    int64_t own = ty_set_length(left), theirs = ty_is_dict(right) ? ty_dict_length(right) : ty_set_length(right);
    if ((own >> 2) > theirs) { /* few to take out of many */
        result = ty_set_copy(left);
        return result != TY_NULL && ty_set_difference_update(result, right) ? result : TY_NULL;
    }
    result = set_of_type(base_type(left));
    if (result == TY_NULL)
        return TY_NULL;
    if (!ty_is_dict(right)) {
        Pair pair = {SET(right), SET(result)};
        return each(left, visit_keep_absent, &pair) == 1 ? result : TY_NULL;
    }
    SetTable *table = ty_load_acquire(&SET(left)->table);
    uint64_t position = 0;
    Value item;
    int64_t hash;
    while (table_next(table, &position, &item, &hash)) {
        Value found = ty_dict_get_hashed(right, item, hash);
        if (found == TY_NULL && (ty_raised() || !add_hashed(SET(result), item, hash)))
            return TY_NULL;
    }
    return result;
}

static Value intersection(Value left, Value right)
{
    if (left == right)
        return ty_set_copy(left);
    Value result = set_of_type(base_type(left));
    if (result == TY_NULL)
        return TY_NULL;
    Value of = left, walked = right;
    if (ty_is_any_set(right) && ty_set_length(right) > ty_set_length(left)) {
        of = right;
        walked = left;
    }
    Pair pair = {SET(of), SET(result)};
    return each(walked, visit_keep_present, &pair) == 1 ? result : TY_NULL;
}

bool ty_set_symmetric_difference_update(Value v, Value other)
{
    if (v == other) {
        ty_set_clear(v);
        return true;
    }
    Value items = ty_is_any_set(other) ? other : ty_set_new(other); /* each item counts once */
    return items != TY_NULL && each(items, visit_toggle, SET(v)) == 1;
}

static Value symmetric_difference(Value left, Value right)
{
    Value result = set_from(base_type(left), right);
    return result != TY_NULL && ty_set_symmetric_difference_update(result, left) ? result : TY_NULL;
}

static int is_subset(Value left, Value right)
{
    Value other = ty_is_any_set(right) ? right : ty_set_new(right);
    if (other == TY_NULL)
        return -1;
    if (ty_set_length(left) > ty_set_length(other))
        return 0;
    return each(left, visit_present, SET(other));
}

static int is_disjoint(Value left, Value right)
{
    if (left == right)
        return ty_set_length(left) == 0;
    if (ty_is_any_set(right) && ty_set_length(right) > ty_set_length(left)) {
        Value swapped = left;
        left = right;
        right = swapped;
    }
    return each(right, visit_absent, SET(left));
}

/* Makes the first set what the second, which nobody else knows, is. */
static void take_over(Value v, Value fresh)
{
    Set *set = SET(v), *other = SET(fresh);
    bool locked = ty_object_lock(&set->base);
    set_table(set, ty_load_relaxed(&other->table));
    ty_store_relaxed(&set->length, ty_load_relaxed(&other->length));
    ty_object_unlock(&set->base, locked);
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static Value set_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return set_of_type(type); }

static bool set_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (!ty_no_keywords("set", keywords))
        return false;
    if (!ty_check_positional("set", count, 0, 1))
        return false;
    if (ty_set_length(self) > 0)
        ty_set_clear(self);
    return count == 0 || ty_set_update(self, arguments[0]);
}

static Value frozenset_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if ((type == &ty_frozenset_type || type->slots.init == ty_frozenset_type.slots.init) && !ty_no_keywords("frozenset", keywords))
        return TY_NULL;
    if (!ty_check_positional("frozenset", count, 0, 1))
        return TY_NULL;
    Value iterable = count > 0 ? arguments[0] : TY_NULL;
    if (type != &ty_frozenset_type)
        return set_from(type, iterable);
    return iterable == TY_NULL ? ty_from_object(&empty_frozenset) : ty_frozenset_new(iterable);
}

static void set_trace(TyObject *self, TyMarker *marker)
{
    SetTable *table = ty_load_relaxed(&((Set *)self)->table);
    if (table)
        ty_mark_object(marker, &table->base);
}

static Value set_repr(Value self)
{
    TyType *type = ty_type_of(self);
    const char *name = ty_type_short_name(type);
    if (ty_set_length(self) == 0)
        return ty_str_format("%s()", name);
    TyReprGuard guard;
    if (!ty_repr_enter(&guard, self))
        return ty_str_format("%s(...)", name);
    TyStrBuilder text = {0};
    bool plain = type == &ty_set_type, first = true;
    Value list = ty_list_new(ty_set_length(self)), item;
    bool fine = list != TY_NULL;
    int64_t position = 0;
    while (fine && ty_set_next(self, &position, &item))
        fine = ty_list_append(list, item);
    if (fine && !plain)
        fine = ty_builder_add_text(&text, name) && ty_builder_add_char(&text, '(');
    fine = fine && ty_builder_add_char(&text, '{');
    for (int64_t i = 0; fine && i < ty_list_length(list); i++, first = false)
        fine = (first || ty_builder_add_text(&text, ", ")) && ty_builder_add_repr(&text, ty_list_item(list, i));
    ty_repr_leave(&guard);
    return fine && ty_builder_add_text(&text, plain ? "}" : "})") ? ty_builder_finish(&text) : TY_NULL;
}

/* Does not depend on the order; the same numbers as CPython's. */
static int64_t frozenset_hash(Value self)
{
    Set *set = SET(self);
    int64_t known = ty_load_relaxed(&set->hash);
    if (known != 0)
        return known;
    SetTable *table = ty_load_acquire(&set->table);
    uint64_t state = 0, position = 0;
    Value item;
    int64_t hash;
    while (table_next(table, &position, &item, &hash)) {
        uint64_t h = (uint64_t)hash;
        state ^= ((h ^ 89869747u) ^ (h << 16)) * 3644798167u;
    }
    state ^= ((uint64_t)ty_set_length(self) + 1) * 1927868237u;
    state ^= (state >> 11) ^ (state >> 25);
    state = state * 69069u + 907133923u;
    if (state == UINT64_MAX)
        state = 590923713u;
    ty_store_relaxed(&set->hash, (int64_t)state);
    return (int64_t)state;
}

Value ty_set_compare(Value left, Value right, int op)
{
    if (!ty_is_any_set(right))
        return TY_NOT_IMPLEMENTED;
    int64_t own = ty_set_length(left), theirs = ty_set_length(right);
    int result = 0;
    switch (op) {
    case TY_EQ:
    case TY_NE:
        if (own == theirs) {
            int64_t a = ty_load_relaxed(&SET(left)->hash), b = ty_load_relaxed(&SET(right)->hash);
            result = a != 0 && b != 0 && a != b ? 0 : is_subset(left, right);
        }
        break;
    case TY_LT: result = own < theirs ? is_subset(left, right) : 0; break;
    case TY_LE: result = is_subset(left, right); break;
    case TY_GT: result = own > theirs ? is_subset(right, left) : 0; break;
    case TY_GE: result = is_subset(right, left); break;
    }
    if (result < 0)
        return TY_NULL;
    return ty_from_bool(op == TY_NE ? !result : result);
}

#define BINARY(name, expression)                                                               \
    static Value name(Value left, Value right)                                                 \
    {                                                                                          \
        if (!ty_is_any_set(left) || !ty_is_any_set(right))                                     \
            return TY_NOT_IMPLEMENTED;                                                         \
        return expression;                                                                     \
    }

static Value union_of(Value left, Value right)
{
    Value result = ty_set_copy(left);
    return result != TY_NULL && ty_set_update(result, right) ? result : TY_NULL;
}

BINARY(set_or, union_of(left, right))
BINARY(set_and, intersection(left, right))
BINARY(set_subtract, difference(left, right))
BINARY(set_xor, symmetric_difference(left, right))

static bool intersection_update(Value self, Value other)
{
    Value result = intersection(self, other);
    if (result != TY_NULL)
        take_over(self, result);
    return result != TY_NULL;
}

#define INPLACE(name, function)                                                                \
    static Value name(Value left, Value right)                                                 \
    {                                                                                          \
        if (!ty_is_any_set(right))                                                             \
            return TY_NOT_IMPLEMENTED;                                                         \
        return function(left, right) ? left : TY_NULL;                                         \
    }

INPLACE(set_inplace_or, ty_set_update)
INPLACE(set_inplace_and, intersection_update)
INPLACE(set_inplace_subtract, ty_set_difference_update)
INPLACE(set_inplace_xor, ty_set_symmetric_difference_update)

/* --- the iterator --------------------------------------------------------------------------------------------------- */

typedef struct SetIterator {
    TyObject base;
    Value set; /* TY_NULL at the end */
    _Atomic int64_t position, left;
    int64_t length; /* -1 after a change was noticed */
} SetIterator;

static Value set_iter(Value self)
{
    SetIterator *iterator = (SetIterator *)ty_allocate(&ty_set_iterator_type, sizeof(SetIterator));
    if (!iterator)
        return TY_NULL;
    ty_store(iterator, &iterator->set, self);
    iterator->length = ty_set_length(self);
    ty_store_relaxed(&iterator->left, iterator->length);
    return ty_from_object(iterator);
}

static void iterator_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((SetIterator *)self)->set); }
static Value iterator_self(Value self) { return self; }

static Value iterator_next(Value v)
{
    SetIterator *self = (SetIterator *)ty_object(v);
    Value set = ty_field(&self->set), item;
    if (set == TY_NULL)
        return TY_NULL;
    if (self->length != ty_set_length(set)) {
        self->length = -1;
        return ty_raise(&ty_RuntimeError, "Set changed size during iteration");
    }
    int64_t position = ty_load_relaxed(&self->position);
    if (!ty_set_next(set, &position, &item)) {
        ty_store(self, &self->set, TY_NULL);
        return TY_NULL;
    }
    ty_store_relaxed(&self->position, position);
    ty_store_relaxed(&self->left, ty_load_relaxed(&self->left) - 1);
    return item;
}

static Value iterator_hint(Value v, Value *a)
{
    SetIterator *self = (SetIterator *)ty_object(v);
    Value set = ty_field(&self->set);
    bool same = set != TY_NULL && self->length == ty_set_length(set);
    return ty_from_immediate_int(same ? ty_load_relaxed(&self->left) : 0);
}

static Value iterator_reduce(Value v, Value *a)
{
    SetIterator *self = (SetIterator *)ty_object(v);
    Value list = ty_list_new(0), set = ty_field(&self->set), item, iter = ty_builtin("iter");
    if (list == TY_NULL || iter == TY_NULL)
        return TY_NULL;
    if (set != TY_NULL && self->length != ty_set_length(set)) {
        self->length = -1;
        return ty_raise(&ty_RuntimeError, "Set changed size during iteration");
    }
    int64_t position = ty_load_relaxed(&self->position);
    while (set != TY_NULL && ty_set_next(set, &position, &item))
        if (!ty_list_append(list, item))
            return TY_NULL;
    return ty_tuple_pack(2, iter, ty_tuple_pack(1, list));
}

static const TyNativeDef iterator_methods[] = {
    TY_METHOD("__length_hint__(self, /)", iterator_hint, "How many items are still to come, about."),
    TY_METHOD("__reduce__(self, /)", iterator_reduce, "What pickle keeps."),
    {0},
};

TyType ty_set_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(SetIterator), .trace = iterator_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "set_iterator",
    .parent = &ty_object_base_type,
    .slots = {.iter = iterator_self, .next = iterator_next},
    .methods = iterator_methods,
};

/* --- methods -------------------------------------------------------------------------------------------------------- */

static Value set_add(Value self, Value *a) { return ty_set_add(self, a[0]) ? TY_NONE : TY_NULL; }
static Value set_discard(Value self, Value *a) { return ty_set_discard(self, a[0]) < 0 ? TY_NULL : TY_NONE; }
static Value set_pop(Value self, Value *a) { return ty_set_pop(self); }
static Value set_copy(Value self, Value *a) { return ty_set_copy(self); }

static Value set_remove(Value self, Value *a)
{
    int removed = ty_set_discard(self, a[0]);
    return removed < 0 ? TY_NULL : removed ? TY_NONE : ty_raise_key_error(a[0]);
}

static Value set_clear(Value self, Value *a)
{
    ty_set_clear(self);
    return TY_NONE;
}

static Value frozenset_copy(Value self, Value *a) { return ty_is_exact(self, &ty_frozenset_type) ? self : ty_set_copy(self); }

/* The methods with any number of iterables; arguments[0] is their tuple. */
static Value set_union(Value self, Value *a)
{
    Value result = ty_set_copy(self);
    for (int64_t i = 0; result != TY_NULL && i < ty_tuple_length(a[0]); i++)
        if (!ty_set_update(result, ty_tuple_item(a[0], i)))
            return TY_NULL;
    return result;
}

static Value set_intersection(Value self, Value *a)
{
    int64_t count = ty_tuple_length(a[0]);
    if (count == 0)
        return ty_set_copy(self);
    Value result = self;
    for (int64_t i = 0; result != TY_NULL && i < count; i++)
        result = intersection(result, ty_tuple_item(a[0], i));
    return result;
}

static Value set_difference(Value self, Value *a)
{
    int64_t count = ty_tuple_length(a[0]);
    if (count == 0)
        return ty_set_copy(self);
    Value result = difference(self, ty_tuple_item(a[0], 0));
    for (int64_t i = 1; result != TY_NULL && i < count; i++)
        if (!ty_set_difference_update(result, ty_tuple_item(a[0], i)))
            return TY_NULL;
    return result;
}

static Value set_symmetric_difference(Value self, Value *a) { return symmetric_difference(self, a[0]); }

static Value set_update_method(Value self, Value *a)
{
    for (int64_t i = 0; i < ty_tuple_length(a[0]); i++)
        if (!ty_set_update(self, ty_tuple_item(a[0], i)))
            return TY_NULL;
    return TY_NONE;
}

static Value set_intersection_update(Value self, Value *a)
{
    Value result = set_intersection(self, a);
    if (result == TY_NULL)
        return TY_NULL;
    take_over(self, result);
    return TY_NONE;
}

static Value set_difference_update(Value self, Value *a)
{
    for (int64_t i = 0; i < ty_tuple_length(a[0]); i++)
        if (!ty_set_difference_update(self, ty_tuple_item(a[0], i)))
            return TY_NULL;
    return TY_NONE;
}

static Value set_symmetric_difference_update(Value self, Value *a) { return ty_set_symmetric_difference_update(self, a[0]) ? TY_NONE : TY_NULL; }

static Value truth(int result) { return result < 0 ? TY_NULL : ty_from_bool(result); }

static Value set_issubset(Value self, Value *a) { return truth(is_subset(self, a[0])); }
static Value set_isdisjoint(Value self, Value *a) { return truth(is_disjoint(self, a[0])); }

static Value set_issuperset(Value self, Value *a)
{
    if (ty_is_any_set(a[0]))
        return truth(is_subset(a[0], self));
    return truth(each(a[0], visit_present, SET(self)));
}

static Value set_reduce(Value self, Value *a)
{
    Value list = ty_sequence_list(self), state = ty_call_method_none(self, TY_NAME("__getstate__"));
    if (list == TY_NULL || state == TY_NULL)
        return TY_NULL;
    return ty_tuple_pack(3, ty_from_object(ty_type_of(self)), ty_tuple_pack(1, list), state);
}

static Value set_sizeof(Value self, Value *a)
{
    SetTable *table = ty_load_acquire(&SET(self)->table);
    size_t size = ty_type_of(self)->layout.size;
    return ty_int_from_int64((int64_t)(table == EMPTY_TABLE ? size : size + sizeof(SetTable) + (table->mask + 1) * sizeof(Slot)));
}

static Value set_contains_method(Value self, Value *a) { return truth(ty_set_contains(self, a[0])); }

#define SHARED_METHODS                                                                                                                   \
    TY_METHOD("difference(self, /, *others)", set_difference, "A new set of the items that are in none of the others."),                 \
    TY_METHOD("intersection(self, /, *others)", set_intersection, "A new set of the items that are in all others too."),                 \
    TY_METHOD("isdisjoint(self, other, /)", set_isdisjoint, "Whether the two have no item in common."),                                  \
    TY_METHOD("issubset(self, other, /)", set_issubset, "Whether the other contains every item of this set."),                           \
    TY_METHOD("issuperset(self, other, /)", set_issuperset, "Whether this set contains every item of the other."),                       \
    TY_METHOD("symmetric_difference(self, other, /)", set_symmetric_difference, "A new set of the items that are in exactly one of the two."), \
    TY_METHOD("union(self, /, *others)", set_union, "A new set of the items of all."),                                                   \
    TY_METHOD("__contains__(self, object, /)", set_contains_method, "x.__contains__(y) <==> y in x."),                                   \
    TY_METHOD("__reduce__(self, /)", set_reduce, "What pickle keeps."),                                                                  \
    TY_METHOD("__sizeof__(self, /)", set_sizeof, "The size of the set in memory, in bytes."),                                            \
    TY_CLASS_GETITEM

static const TyNativeDef set_methods[] = {
    TY_METHOD("add(self, object, /)", set_add, "Adds an item. Nothing happens if it is there already."),
    TY_METHOD("clear(self, /)", set_clear, "Removes everything."),
    TY_METHOD("copy(self, /)", set_copy, "A shallow copy."),
    TY_METHOD("discard(self, object, /)", set_discard, "Removes an item if it is there."),
    TY_METHOD("pop(self, /)", set_pop, "Removes some item and returns it. KeyError if the set is empty."),
    TY_METHOD("remove(self, object, /)", set_remove, "Removes an item. KeyError if it is not there."),
    TY_METHOD("update(self, /, *others)", set_update_method, "Adds the items of all the others."),
    TY_METHOD("difference_update(self, /, *others)", set_difference_update, "Removes the items of all the others."),
    TY_METHOD("intersection_update(self, /, *others)", set_intersection_update, "Keeps the items that are in all others too."),
    TY_METHOD("symmetric_difference_update(self, other, /)", set_symmetric_difference_update, "Keeps the items that are in exactly one of the two."),
    SHARED_METHODS,
    {0},
};

static const TyNativeDef frozenset_methods[] = {
    TY_METHOD("copy(self, /)", frozenset_copy, "A shallow copy: the frozenset itself."),
    SHARED_METHODS,
    {0},
};

#define SHARED_SLOTS                                                                           \
    .repr = set_repr, .compare = ty_set_compare, .iter = set_iter, .length = ty_set_length,    \
    .contains = ty_set_contains, .binary[TY_BINARY_OR] = set_or, .binary[TY_BINARY_AND] = set_and, \
    .binary[TY_BINARY_SUBTRACT] = set_subtract, .binary[TY_BINARY_XOR] = set_xor

TyType ty_set_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Set), .trace = set_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SET | TY_TYPE_MATCH_SELF | TY_TYPE_WEAKREFABLE,
    .name = "set",
    .doc = "set(iterable=(), /)\n--\n\nAn unordered collection of unique items.",
    .parent = &ty_object_base_type,
    .slots = {
        SHARED_SLOTS,
        .hash = ty_hash_unhashable,
        .new = set_new,
        .init = set_init,
        .inplace[TY_BINARY_OR] = set_inplace_or,
        .inplace[TY_BINARY_AND] = set_inplace_and,
        .inplace[TY_BINARY_SUBTRACT] = set_inplace_subtract,
        .inplace[TY_BINARY_XOR] = set_inplace_xor,
    },
    .methods = set_methods,
};

TyType ty_frozenset_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Set), .trace = set_trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SET | TY_TYPE_MATCH_SELF | TY_TYPE_WEAKREFABLE,
    .name = "frozenset",
    .doc = "frozenset(iterable=(), /)\n--\n\nAn immutable unordered collection of unique items.",
    .parent = &ty_object_base_type,
    .slots = {SHARED_SLOTS, .hash = frozenset_hash, .new = frozenset_new},
    .methods = frozenset_methods,
};
