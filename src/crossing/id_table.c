#include "crossing/id_table.h"
#include "heap/thread.h"
#include <stdlib.h>

#define FIRST_CAPACITY 16

static TyIdentified *identified(Value v) { return (TyIdentified *)ty_object(v); }

TyIdentified *ty_id_table_find(const TyIdTable *table, int64_t id)
{
    Value places = ty_field_acquire(&table->places);
    if (places == TY_NULL)
        return NULL;
    const TyArray *array = (const TyArray *)ty_object(places);
    for (int64_t mask = array->capacity - 1, i = id & mask;; i = (i + 1) & mask) {
        Value v = ty_field_acquire(&array->items[i]);
        if (v == TY_NULL)
            return NULL;
        if (v != TY_NONE && identified(v)->id == id)
            return identified(v);
    }
}

static void put(TyArray *array, TyIdentified *object)
{
    int64_t mask = array->capacity - 1, i = object->id & mask;
    while (array->items[i] != TY_NULL)
        i = (i + 1) & mask;
    ty_store_publish(array, &array->items[i], ty_from_object(object));
}

/* At most half of the places are used. */
static TyArray *reserve(TyIdTable *table)
{
    TyArray *array = table->places == TY_NULL ? NULL : (TyArray *)ty_object(table->places);
    if (array && (table->used + 1) * 2 <= array->capacity)
        return array;
    int64_t capacity = FIRST_CAPACITY;
    while (capacity < (table->count + 1) * 4)
        capacity *= 2;
    TyArray *fresh = ty_array_new(capacity);
    if (!fresh)
        return NULL;
    for (int64_t i = 0; array && i < array->capacity; i++)
        if (array->items[i] != TY_NULL && array->items[i] != TY_NONE)
            put(fresh, identified(array->items[i]));
    table->used = table->count;
    if (!table->rooted) {
        ty_root_add(&table->places, 1);
        table->rooted = true;
    }
    ty_store_publish(NULL, &table->places, ty_from_object(fresh));
    return fresh;
}

bool ty_id_table_add(TyIdTable *table, TyIdentified *object, int64_t id)
{
    ty_mutex_lock_blocking(&table->lock);
    TyArray *array = reserve(table);
    if (array) {
        object->id = id < 0 ? table->next_id : id;
        if (object->id >= table->next_id)
            table->next_id = object->id + 1;
        put(array, object);
        table->used++;
        table->count++;
    }
    ty_mutex_unlock(&table->lock);
    return array != NULL;
}

bool ty_id_table_remove(TyIdTable *table, int64_t id)
{
    bool found = false;
    ty_mutex_lock_blocking(&table->lock);
    if (table->places != TY_NULL) {
        TyArray *array = (TyArray *)ty_object(table->places);
        int64_t mask = array->capacity - 1, i = id & mask;
        while (array->items[i] != TY_NULL && (array->items[i] == TY_NONE || identified(array->items[i])->id != id))
            i = (i + 1) & mask;
        found = array->items[i] != TY_NULL;
        if (found) {
            table->count--;
            ty_store(array, &array->items[i], TY_NONE);
            /* A search that comes here ends at the next place anyway if that is free: then so may be this one, and those before. */
            for (Value next = array->items[(i + 1) & mask]; next == TY_NULL && array->items[i] == TY_NONE; i = (i - 1) & mask) {
                ty_store(array, &array->items[i], TY_NULL);
                table->used--;
            }
        }
    }
    ty_mutex_unlock(&table->lock);
    return found;
}

static int by_id(const void *a, const void *b)
{
    int64_t left = identified(*(const Value *)a)->id, right = identified(*(const Value *)b)->id;
    return left < right ? -1 : left > right;
}

TyArray *ty_id_table_list(TyIdTable *table, int64_t *count)
{
    ty_mutex_lock_blocking(&table->lock);
    TyArray *list = ty_array_new(table->count ? table->count : 1);
    *count = 0;
    if (list && table->places != TY_NULL) {
        const TyArray *array = (const TyArray *)ty_object(table->places);
        for (int64_t i = 0; i < array->capacity; i++)
            if (array->items[i] != TY_NULL && array->items[i] != TY_NONE)
                ty_store(list, &list->items[(*count)++], array->items[i]);
    }
    ty_mutex_unlock(&table->lock);
    if (list)
        qsort(list->items, (size_t)*count, sizeof(Value), by_id);
    return list;
}
