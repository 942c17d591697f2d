/* The process's table of interned strings: open addressing over words, read without a lock.
 *
 * A place goes from empty to a string and stays so. A table that is too full is replaced by a copy twice the size; the old one stays
 * in memory, since a reader may still probe it (all old ones together are smaller than the new). The table is a root: what was interned once
 * stays. Under the lock nothing is allocated on the heap, so no one ever waits for it across a collection. */
#include "object/str_parts.h"
#include <stdlib.h>

typedef struct Table {
    size_t mask;
    _Atomic uint64_t places[]; /* the string's address with the top of its hash above it, so that most others need not be looked at; 0: empty */
} Table;

#define TAG_MASK 0xFFFF000000000000ull

static uint64_t tag_of(int64_t hash) { return (uint64_t)hash & TAG_MASK; }
static Value str_at_place(uint64_t word) { return word & ~TAG_MASK; }

static Table *_Atomic table;
static size_t used; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic Value characters[256]; /* the strs of one Latin-1 character */
static _Atomic Value empty;

static void mark_table(void *context, TyMarker *marker)
{
    (void)context;
    Table *t = ty_load_acquire(&table);
    for (size_t i = 0; t && i <= t->mask; i++)
        ty_mark(marker, str_at_place(ty_load_relaxed(&t->places[i])));
    for (size_t i = 0; i < 256; i++)
        ty_mark(marker, ty_load_relaxed(&characters[i]));
    ty_mark(marker, ty_load_relaxed(&empty));
}

static Table *new_table(size_t size)
{
    Table *t = calloc(1, sizeof(Table) + size * sizeof(uint64_t));
    if (t)
        t->mask = size - 1;
    return t;
}

/* The interned string with this text, or the empty place for it. */
static _Atomic uint64_t *probe(Table *t, int64_t hash, const void *data, int64_t length, uint32_t kind, Value *found)
{
    for (size_t i = (size_t)hash;; i++) {
        _Atomic uint64_t *place = &t->places[i & t->mask];
        uint64_t word = ty_load_acquire(place);
        if (word != 0 && (word & TAG_MASK) != tag_of(hash))
            continue;
        Value there = *found = str_at_place(word);
        if (there == TY_NULL)
            return place;
        TyStr *s = ty_as_str(there);
        if (ty_load_relaxed(&s->hash) == hash && s->length == length &&
            (ty_object_bits(&s->base) & (TY_STR_KIND_2 | TY_STR_KIND_4)) == kind &&
            memcmp(s->data, data, (size_t)(length * ty_str_width(there))) == 0)
            return place;
    }
}

static bool grow(void)
{
    Table *old = ty_load_relaxed(&table);
    Table *t = new_table(old ? (old->mask + 1) * 2 : 8192);
    if (!t)
        return false;
    for (size_t i = 0; old && i <= old->mask; i++) {
        uint64_t word = ty_load_relaxed(&old->places[i]);
        if (word == 0)
            continue;
        size_t at = (size_t)ty_load_relaxed(&ty_as_str(str_at_place(word))->hash);
        while (ty_load_relaxed(&t->places[at & t->mask]) != 0)
            at++;
        ty_store_relaxed(&t->places[at & t->mask], word);
    }
    if (!old)
        ty_root_function_add(mark_table, NULL);
    ty_store_release(&table, t);
    return true;
}

static Value lookup(int64_t hash, const void *data, int64_t length, uint32_t kind)
{
    Table *t = ty_load_acquire(&table);
    Value found = TY_NULL;
    if (t)
        probe(t, hash, data, length, kind, &found);
    return found;
}

/* Enters an exact str that no one else has interned in the meantime. */
static Value enter(Value v)
{
    TyStr *s = ty_as_str(v);
    Value found = TY_NULL;
    bool full = false;
    pthread_mutex_lock(&lock);
    Table *t = ty_load_relaxed(&table);
    if (!t || used * 3 >= t->mask * 2) {
        full = !grow();
        t = ty_load_relaxed(&table);
    }
    if (!full) {
        uint32_t kind = ty_object_bits(&s->base) & (TY_STR_KIND_2 | TY_STR_KIND_4);
        _Atomic uint64_t *place = probe(t, ty_load_relaxed(&s->hash), s->data, s->length, kind, &found);
        if (found == TY_NULL) {
            ty_object_set_bits(&s->base, TY_STR_INTERNED);
            ty_store_release(place, v | tag_of(ty_load_relaxed(&s->hash)));
            used++;
            found = v;
        }
    }
    pthread_mutex_unlock(&lock);
    return full ? ty_raise_memory_error() : found;
}

/* The str of a character below 256: one object, made at first use. */
static Value character(uint32_t c)
{
    Value v = ty_load_acquire(&characters[c]);
    if (TY_LIKELY(v != TY_NULL))
        return v;
    v = ty_str_allocate(1, c);
    if (v == TY_NULL)
        return TY_NULL;
    ty_str_fill(v)[0] = (uint8_t)c;
    ty_str_hash(v);
    v = enter(v);
    if (v != TY_NULL)
        ty_store_release(&characters[c], v);
    return v;
}

Value ty_str_from_char(uint32_t c)
{
    if (TY_LIKELY(c < 256))
        return character(c);
    return ty_str_from_ucs4(&c, 1);
}

Value ty_str_empty(void)
{
    Value v = ty_load_acquire(&empty);
    if (TY_LIKELY(v != TY_NULL))
        return v;
    v = ty_str_allocate(0, 0);
    if (v == TY_NULL)
        return TY_NULL;
    v = enter(v);
    if (v != TY_NULL)
        ty_store_release(&empty, v);
    return v;
}

Value ty_intern(Value v)
{
    if (TY_LIKELY(ty_str_is_interned(v)))
        return v;
    int64_t hash = ty_str_hash(v);
    Value found = lookup(hash, ty_str_data(v), ty_str_length(v), (uint32_t)ty_str_width(v) / 2 * TY_STR_KIND_2);
    if (found != TY_NULL)
        return found;
    v = ty_str_is_grown(v) ? ty_str_from_chars(ty_str_data(v), ty_str_width(v), ty_str_length(v)) : ty_str_exact(v);
    if (v == TY_NULL)
        return TY_NULL;
    ty_str_hash(v);
    return enter(v);
}

Value ty_intern_utf8(const char *text, size_t size)
{
    if (ty_is_ascii((const uint8_t *)text, size)) {
        Value found = size ? lookup(ty_hash_bytes(text, size), text, (int64_t)size, 0) : ty_str_empty();
        if (found != TY_NULL)
            return found;
    }
    Value v = ty_str_from_utf8(text, size);
    return v == TY_NULL ? TY_NULL : ty_intern(v);
}

Value ty_intern_text(const char *text) { return ty_intern_utf8(text, strlen(text)); }
