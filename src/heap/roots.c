/* Roots outside the heap: registered places, functions that mark, and pinned objects. */
#include "heap/internal.h"

#include <stdlib.h>

typedef struct Place {
    Value *values;
    size_t count;
} Place;

typedef struct Function {
    void (*mark)(void *context, TyMarker *marker);
    void *context;
} Function;

static TyMutex lock;
static Place *places;
static size_t place_count, place_capacity;
static Function *functions;
static size_t function_count, function_capacity;
static Vector pinned; /* every object whose count rose from 0, maybe twice; those at 0 leave at the next collection */

/* Registering happens at start-up and when modules are made: a program that has no memory for it can't go on. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 64;
    items = realloc(items, *capacity * size);
    if (!items)
        abort();
    return items;
}

bool ty_heap_vector_push(Vector *vector, TyObject *object)
{
    if (vector->count == vector->capacity) {
        size_t capacity = vector->capacity ? vector->capacity * 2 : 64;
        TyObject **items = realloc(vector->items, capacity * sizeof *items);
        if (!items)
            return false;
        vector->items = items;
        vector->capacity = capacity;
    }
    vector->items[vector->count++] = object;
    return true;
}

void ty_root_add(Value *place, size_t count)
{
    ty_mutex_lock(&lock);
    places = grown(places, place_count, &place_capacity, sizeof *places);
    places[place_count++] = (Place){place, count};
    ty_mutex_unlock(&lock);
}

void ty_root_remove(Value *place)
{
    ty_mutex_lock(&lock);
    for (size_t i = place_count; i-- > 0;)
        if (places[i].values == place) {
            places[i] = places[--place_count];
            break;
        }
    ty_mutex_unlock(&lock);
}

void ty_root_function_add(void (*mark)(void *context, TyMarker *marker), void *context)
{
    ty_mutex_lock(&lock);
    functions = grown(functions, function_count, &function_capacity, sizeof *functions);
    functions[function_count++] = (Function){mark, context};
    ty_mutex_unlock(&lock);
}

void ty_root_function_remove(void (*mark)(void *context, TyMarker *marker), void *context)
{
    ty_mutex_lock(&lock);
    for (size_t i = function_count; i-- > 0;)
        if (functions[i].mark == mark && functions[i].context == context) {
            functions[i] = functions[--function_count];
            break;
        }
    ty_mutex_unlock(&lock);
}

static bool lies_in(const void *address, const char *low, const char *high) { return (const char *)address >= low && (const char *)address < high; }

void ty_roots_forget(const char *low, const char *high)
{
    size_t kept = 0;
    for (size_t i = 0; i < place_count; i++)
        if (!lies_in(places[i].values, low, high))
            places[kept++] = places[i];
    place_count = kept;
    kept = 0;
    for (size_t i = 0; i < function_count; i++)
        if (!lies_in(functions[i].context, low, high))
            functions[kept++] = functions[i];
    function_count = kept;
}

void ty_pin(Value v)
{
    if (!v || !ty_is_object(v) || !in_heap(ty_object(v)))
        return;
    if (atomic_fetch_add_explicit(&ty_object(v)->pins, 1, memory_order_relaxed) == 0) {
        ty_mutex_lock(&lock);
        if (!ty_heap_vector_push(&pinned, ty_object(v)))
            abort();
        ty_mutex_unlock(&lock);
    }
}

void ty_unpin(Value v)
{
    if (v && ty_is_object(v) && in_heap(ty_object(v)))
        atomic_fetch_sub_explicit(&ty_object(v)->pins, 1, memory_order_relaxed);
}

void ty_roots_mark(TyMarker *marker)
{
    size_t kept = 0;
    for (size_t i = 0; i < pinned.count; i++) {
        TyObject *object = pinned.items[i];
        if (ty_load_relaxed(&object->pins) == 0)
            continue; /* and if it is pinned anew it is entered anew */
        ty_mark_object(marker, object);
        pinned.items[kept++] = object;
    }
    pinned.count = kept;
    for (size_t i = 0; i < place_count; i++)
        ty_mark_range(marker, places[i].values, places[i].count);
    for (size_t i = 0; i < function_count; i++)
        functions[i].mark(functions[i].context, marker);
}
