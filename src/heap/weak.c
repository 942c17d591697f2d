/* The table from referents to their weak references.
 *
 * Open addressing; the table holds neither side alive. A removed entry leaves a tombstone until the table is rebuilt. */
#include "heap/internal.h"

#include <stdlib.h>

#define TOMBSTONE ((TyObject *)1)

typedef struct Entry {
    TyObject *referent;
    TyWeakLink *first;
} Entry;

static TyMutex lock;
static Entry *entries;
static size_t mask, used; /* capacity - 1; entries and tombstones */

static TyObject *reference_of(TyWeakLink *link) { return (TyObject *)(void *)link - 1; }

static size_t hash(TyObject *object)
{
    return (size_t)(((uint64_t)(uintptr_t)object >> 4) * 0x9E3779B97F4A7C15ull >> 24);
}

static Entry *find(TyObject *referent)
{
    if (!entries)
        return NULL;
    for (size_t i = hash(referent) & mask;; i = (i + 1) & mask) {
        if (entries[i].referent == referent)
            return &entries[i];
        if (!entries[i].referent)
            return NULL;
    }
}

static bool rebuild(void)
{
    size_t live = 0, capacity = 64;
    for (size_t i = 0; entries && i <= mask; i++)
        live += entries[i].referent > TOMBSTONE;
    while (capacity < live * 3)
        capacity *= 2;
    Entry *fresh = calloc(capacity, sizeof *fresh);
    if (!fresh)
        return false;
    for (size_t i = 0; entries && i <= mask; i++)
        if (entries[i].referent > TOMBSTONE) {
            size_t at = hash(entries[i].referent) & (capacity - 1);
            while (fresh[at].referent)
                at = (at + 1) & (capacity - 1);
            fresh[at] = entries[i];
        }
    free(entries);
    entries = fresh;
    mask = capacity - 1;
    used = live;
    return true;
}

static Entry *insert(TyObject *referent)
{
    if ((!entries || (used + 1) * 4 > (mask + 1) * 3) && !rebuild())
        return NULL;
    size_t at = hash(referent) & mask;
    while (entries[at].referent > TOMBSTONE)
        at = (at + 1) & mask;
    used += !entries[at].referent;
    entries[at] = (Entry){referent, NULL};
    return &entries[at];
}

bool ty_weak_register(TyObject *referent, TyObject *reference, TyWeakLink *link)
{
    assert(reference_of(link) == reference);
    (void)reference;
    ty_mutex_lock(&lock);
    Entry *entry = find(referent);
    if (!entry)
        entry = insert(referent);
    if (entry) {
        ty_store_release(&link->referent, ty_from_object(referent));
        link->next = entry->first;
        entry->first = link;
    }
    ty_mutex_unlock(&lock);
    if (!entry) {
        ty_raise_memory_error();
        return false;
    }
    if (in_heap(referent) && !(ty_object_bits(referent) & TY_BIT_WEAK))
        ty_object_set_bits(referent, TY_BIT_WEAK);
    return true;
}

static void unlink(Entry *entry, TyWeakLink *link)
{
    TyWeakLink **place = &entry->first;
    while (*place && *place != link)
        place = &(*place)->next;
    if (*place)
        *place = link->next;
    if (!entry->first)
        entry->referent = TOMBSTONE;
}

void ty_weak_unregister(TyObject *reference, TyWeakLink *link)
{
    assert(reference_of(link) == reference);
    (void)reference;
    ty_mutex_lock(&lock);
    Value referent = ty_load_relaxed(&link->referent);
    if (referent) {
        Entry *entry = find(ty_object(referent));
        if (entry)
            unlink(entry, link);
        ty_store_relaxed(&link->referent, TY_NULL);
        link->next = NULL;
    }
    ty_mutex_unlock(&lock);
}

/* The collector clears references only while the world is stopped, so that what is read here is alive as long as it is held. */
Value ty_weak_get(TyWeakLink *link) { return ty_load_acquire(&link->referent); }

void ty_weak_each(TyObject *referent, void (*visit)(TyObject *reference, void *context), void *context)
{
    ty_mutex_lock(&lock);
    Entry *entry = find(referent);
    for (TyWeakLink *link = entry ? entry->first : NULL; link; link = link->next)
        visit(reference_of(link), context);
    ty_mutex_unlock(&lock);
}

/* --- collection ------------------------------------------------------------------------------------------------------------------- */

/* Before anything is revived: all references to what is unreachable are cleared, together. Callbacks of references that are alive
 * themselves become due. */
void ty_weak_clear_unreachable(void)
{
    for (size_t i = 0; entries && i <= mask; i++) {
        Entry *entry = &entries[i];
        if (entry->referent <= TOMBSTONE || is_marked(entry->referent))
            continue;
        for (TyWeakLink *link = entry->first, *next; link; link = next) {
            TyObject *reference = reference_of(link);
            next = link->next;
            ty_store_relaxed(&link->referent, TY_NULL);
            link->next = NULL;
            if (is_marked(reference) && (ty_object_bits(reference) & TY_WEAK_HAS_CALLBACK))
                ty_pending_add(ty_space_of_object(reference), reference, false); /* without memory for it the callback is lost */
        }
        *entry = (Entry){TOMBSTONE, NULL};
    }
}

/* After revival: references that died while their referents live. */
void ty_weak_forget_dead(void)
{
    for (size_t i = 0; entries && i <= mask; i++) {
        Entry *entry = &entries[i];
        if (entry->referent <= TOMBSTONE)
            continue;
        TyWeakLink **place = &entry->first;
        while (*place) {
            TyWeakLink *link = *place;
            if (is_marked(reference_of(link)))
                place = &link->next;
            else
                *place = link->next;
        }
        if (!entry->first)
            entry->referent = TOMBSTONE;
    }
}
