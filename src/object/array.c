/* TyArray: a bare array of Values. */
#include "object/list.h"
#include "object/exception.h"

static void array_trace(TyObject *self, TyMarker *marker)
{
    TyArray *array = (TyArray *)self;
    ty_mark_range(marker, array->items, (size_t)array->capacity);
}

TyType ty_array_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyArray), .item_size = sizeof(Value), .trace = array_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "array_store",
};

TyArray ty_array_empty = {.base = TY_STATIC_HEADER(ty_array_type)};

TyArray *ty_array_new(int64_t capacity)
{
    if (TY_UNLIKELY(capacity < 0 || capacity > INT64_MAX / 16)) {
        ty_raise_memory_error();
        return NULL;
    }
    TyArray *array = (TyArray *)ty_allocate(&ty_array_type, sizeof(TyArray) + (size_t)capacity * sizeof(Value));
    if (array)
        array->capacity = capacity;
    return array;
}
