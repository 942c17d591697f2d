#include "object/shape.h"
#include "object/exception.h"
#include "object/str.h"
#include "object/type.h"
#include <pthread.h>
#include <stdlib.h>

#define CHUNK_LOG2 12
#define CHUNK_SIZE (1u << CHUNK_LOG2)
#define CHUNK_COUNT (1u << (24 - CHUNK_LOG2))
#define SHAPE_ATTRIBUTES_MAX 256 /* beyond, an instance is better off as a dict */
#define SHAPE_CHILDREN_MAX 128
#define CHAIN_WALK_MAX 6

/* Numbers to shapes: chunks that are never freed; a number is given back when its shape dies, and used again when new ones have run out. The table does not keep shapes alive: types do. */
static TyShape *_Atomic *_Atomic chunks[CHUNK_COUNT];
static pthread_mutex_t numbers_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t numbers_used = TY_SHAPE_FIRST;
static uint32_t *numbers_free;
static size_t numbers_free_count, numbers_free_capacity;
static size_t numbers_reusable; /* the first so many of the free ones: no inline cache knows them */
#define NUMBERS_MOST (1u << 24)

static void shape_trace(TyObject *self, TyMarker *marker)
{
    TyShape *shape = (TyShape *)self;
    ty_mark_object(marker, (TyObject *)shape->owner);
    if (shape->parent)
        ty_mark_object(marker, (TyObject *)shape->parent);
    ty_mark(marker, shape->name);
    ty_mark(marker, ty_load_relaxed(&shape->children));
    ty_mark(marker, ty_load_relaxed(&shape->indexes));
}

static void shape_destroy(TyObject *self)
{
    TyShape *shape = (TyShape *)self;
    if (shape->number == 0)
        return;
    pthread_mutex_lock(&numbers_lock);
    ty_store_relaxed(&chunks[shape->number >> CHUNK_LOG2][shape->number & (CHUNK_SIZE - 1)], NULL);
    if (numbers_free_count == numbers_free_capacity) {
        size_t capacity = numbers_free_capacity ? numbers_free_capacity * 2 : 64;
        uint32_t *grown = realloc(numbers_free, capacity * sizeof *grown);
        if (grown) {
            numbers_free = grown;
            numbers_free_capacity = capacity;
        }
    }
    if (numbers_free_count < numbers_free_capacity)
        numbers_free[numbers_free_count++] = shape->number;
    pthread_mutex_unlock(&numbers_lock);
}

TyType ty_shape_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = { .size = sizeof(TyShape), .trace = shape_trace, .destroy = shape_destroy },
    .name = "shape",
    .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
};

TyShape *ty_shape_from_number(uint32_t number)
{
    TyShape *_Atomic *chunk = ty_load_acquire(&chunks[number >> CHUNK_LOG2]);
    return chunk ? ty_load_acquire(&chunk[number & (CHUNK_SIZE - 1)]) : NULL;
}

static bool shape_enter(TyShape *shape)
{
    /* A number that is used again would make inline caches believe in the layout of the shape that had it: first they are emptied. So that this is
     * rare, new numbers are taken as long as there are any. */
    pthread_mutex_lock(&numbers_lock);
    while (TY_UNLIKELY(numbers_used == NUMBERS_MOST && numbers_reusable == 0 && numbers_free_count > 0)) {
        pthread_mutex_unlock(&numbers_lock);
        ty_world_stop();
        ty_caches_flush();
        numbers_reusable = numbers_free_count; /* no one else runs */
        ty_world_start();
        pthread_mutex_lock(&numbers_lock);
    }
    uint32_t number = 0;
    if (numbers_used < NUMBERS_MOST)
        number = numbers_used++;
    else if (numbers_reusable > 0) { /* the oldest of the list; newer ones take their places */
        number = numbers_free[--numbers_reusable];
        numbers_free[numbers_reusable] = numbers_free[--numbers_free_count];
    }
    if (number != 0) {
        TyShape *_Atomic *chunk = ty_load_relaxed(&chunks[number >> CHUNK_LOG2]);
        if (!chunk) {
            chunk = calloc(CHUNK_SIZE, sizeof *chunk);
            if (chunk)
                ty_store_release(&chunks[number >> CHUNK_LOG2], chunk);
        }
        if (chunk) {
            shape->number = number;
            ty_store_release(&chunk[number & (CHUNK_SIZE - 1)], shape);
        }
    }
    pthread_mutex_unlock(&numbers_lock);
    return shape->number != 0;
}

static TyShape *shape_new(TyType *owner, TyShape *parent, Value name, bool dictionary)
{
    TyShape *shape = ty_allocate(&ty_shape_type, sizeof(TyShape));
    if (!shape)
        return NULL;
    shape->owner = owner;
    shape->parent = parent;
    shape->count = parent ? parent->count + 1 : 0;
    shape->dictionary = dictionary;
    ty_store(shape, &shape->name, name);
    if (!shape_enter(shape)) {
        ty_raise_memory_error();
        return NULL;
    }
    return shape;
}

/* The root shape of the type. Its child under the empty name is the dictionary shape. */
uint32_t ty_shape_of_type(TyType *type)
{
    uint32_t number = ty_load_acquire(&type->layout.shape);
    if (TY_LIKELY(number != 0))
        return number;
    TyShape *root = shape_new(type, NULL, TY_NULL, false);
    if (!root)
        return 0;
    uint32_t none = 0;
    if (atomic_compare_exchange_strong_explicit(&type->layout.shape, &none, root->number, memory_order_acq_rel, memory_order_acquire)) {
        if (!(type->flags & TY_TYPE_HEAP))
            ty_pin(ty_from_object(root)); /* static types live for ever */
        return root->number;
    }
    return none;
}

static TyShape *shape_child(TyShape *shape, Value name, bool dictionary)
{
    Value children = ty_load_acquire(&shape->children);
    if (children != TY_NULL) {
        Value child = ty_dict_get_str(children, name);
        if (child != TY_NULL)
            return (TyShape *)ty_object(child);
        if (ty_dict_length(children) >= SHAPE_CHILDREN_MAX && !dictionary)
            return NULL;
    } else {
        Value fresh = ty_dict_new();
        if (fresh == TY_NULL)
            return NULL;
        Value none = TY_NULL;
        children = fresh;
        if (!atomic_compare_exchange_strong_explicit(&shape->children, &none, fresh, memory_order_acq_rel, memory_order_acquire))
            children = none;
    }
    TyShape *child = shape_new(shape->owner, dictionary ? NULL : shape, name, dictionary);
    if (!child)
        return NULL;
    Value kept = ty_dict_set_default(children, name, ty_from_object(child));
    return kept == TY_NULL ? NULL : (TyShape *)ty_object(kept);
}

static TyShape *dictionary_shape(TyType *type)
{
    uint32_t number = ty_shape_of_type(type);
    return number ? shape_child(ty_shape_from_number(number), TY_NAME(""), true) : NULL;
}

static Value shape_make_indexes(TyShape *shape)
{
    Value dict = ty_dict_new_sized(shape->count);
    if (dict == TY_NULL)
        return TY_NULL;
    for (TyShape *s = shape; s->parent; s = s->parent)
        if (!ty_dict_set(dict, s->name, ty_from_immediate_int(s->count - 1)))
            return TY_NULL;
    ty_store_release(&shape->indexes, dict);
    return dict;
}

int64_t ty_shape_index(TyShape *shape, Value name)
{
    if (shape->count > CHAIN_WALK_MAX) {
        Value indexes = ty_load_acquire(&shape->indexes);
        if (indexes == TY_NULL)
            indexes = shape_make_indexes(shape);
        if (indexes != TY_NULL) {
            Value index = ty_dict_get_str(indexes, name);
            return index == TY_NULL ? -1 : ty_immediate_int(index);
        }
        ty_clear_exception(); /* short of memory for the table: the chain still says */
    }
    for (TyShape *s = shape; s->parent; s = s->parent)
        if (s->name == name)
            return s->count - 1;
    return -1;
}

static size_t attributes_size(const TyType *type)
{
    return sizeof(TyAttributes) + type->inline_count * sizeof(Value);
}

TyAttributes *ty_object_attributes(TyObject *object, const TyType *type)
{
    if (TY_LIKELY(type->attributes_offset != 0))
        return (TyAttributes *)((char *)object + type->attributes_offset);
    if ((type->flags & (TY_TYPE_VARIABLE | TY_TYPE_HAS_DICT)) == (TY_TYPE_VARIABLE | TY_TYPE_HAS_DICT))
        return (TyAttributes *)((char *)object + ty_heap_object_size(object) - type->tail_slots - attributes_size(type));
    return NULL;
}

uint32_t ty_attribute_offset(const TyType *type, uint32_t index)
{
    if (index >= type->inline_count || type->attributes_offset == 0)
        return 0;
    return type->attributes_offset + (uint32_t)(sizeof(TyAttributes) + index * sizeof(Value));
}

static Value *attribute_place(TyAttributes *attributes, const TyType *type, uint32_t index)
{
    if (index < type->inline_count)
        return &attributes->slots[index];
    Value spill = ty_field_acquire(&attributes->spill);
    if (!ty_is_exact(spill, &ty_array_type))
        return NULL;
    TyArray *array = (TyArray *)ty_object(spill);
    index -= type->inline_count;
    return index < array->capacity ? &array->items[index] : NULL;
}

Value ty_attributes_get(TyObject *object, TyType *type, Value name)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    if (!attributes)
        return TY_NULL;
    for (;;) {
        uint32_t number = ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT;
        TyShape *shape = ty_shape_from_number(number);
        if (!shape)
            return TY_NULL;
        if (shape->dictionary) {
            Value dict = ty_field_acquire(&attributes->spill);
            return dict == TY_NULL ? TY_NULL : ty_dict_get(dict, name);
        }
        int64_t index = shape->count == 0 ? -1 : ty_shape_index(shape, name);
        if (index < 0)
            return TY_NULL;
        Value *place = attribute_place(attributes, type, (uint32_t)index);
        if (place)
            return ty_field(place);
        if (ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT == number && !ty_is_exact(ty_field_acquire(&attributes->spill), &ty_dict_type))
            return TY_NULL;
        /* The instance is turning to a dict under another thread's hands: its new shape comes in a moment. */
    }
}

/* Makes room for attribute `index` in the spill array. The caller holds the object's lock. */
static bool spill_grow(TyObject *object, TyAttributes *attributes, const TyType *type, uint32_t index)
{
    if (index < type->inline_count)
        return true;
    Value spill = ty_field(&attributes->spill);
    TyArray *old = spill == TY_NULL ? NULL : (TyArray *)ty_object(spill);
    uint32_t needed = index - type->inline_count + 1;
    if (old && old->capacity >= needed)
        return true;
    TyArray *grown = ty_array_new(needed < 4 ? 4 : needed + needed / 2);
    if (!grown)
        return false;
    for (int64_t i = 0; old && i < old->capacity; i++)
        ty_store(grown, &grown->items[i], ty_field(&old->items[i]));
    ty_store_publish(object, &attributes->spill, ty_from_object(grown));
    return true;
}

static bool set_in_dict(TyAttributes *attributes, Value name, Value value)
{
    return ty_dict_set(ty_field_acquire(&attributes->spill), name, value);
}

/* The present attributes in a new dict. */
static Value dict_of(TyObject *object, TyType *type, TyShape *shape)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    Value dict = ty_dict_new_sized(shape->count);
    if (dict == TY_NULL || shape->count == 0)
        return dict;
    Value names_array = ty_from_object(ty_array_new(shape->count));
    if (names_array == TY_NULL)
        return TY_NULL;
    TyArray *names = (TyArray *)ty_object(names_array);
    for (TyShape *s = shape; s->parent; s = s->parent)
        ty_store(names, &names->items[s->count - 1], s->name);
    for (uint32_t i = 0; i < shape->count; i++) {
        Value *place = attribute_place(attributes, type, i);
        Value value = place ? ty_field(place) : TY_NULL;
        if (value != TY_NULL && !ty_dict_set(dict, names->items[i], value))
            return TY_NULL;
    }
    return dict;
}

static bool become_dictionary(TyObject *object, TyType *type, Value replacement)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    TyShape *target = dictionary_shape(type);
    if (!target)
        return false;
    bool locked = ty_object_lock(object);
    TyShape *shape = ty_shape_from_number(ty_object_shape(object));
    Value dict = replacement;
    if (replacement == TY_NULL)
        dict = shape->dictionary ? ty_field(&attributes->spill) : dict_of(object, type, shape);
    if (dict != TY_NULL) {
        ty_store_publish(object, &attributes->spill, dict);
        ty_object_set_shape(object, target->number);
    }
    ty_object_unlock(object, locked);
    return dict != TY_NULL;
}

bool ty_attributes_set(TyObject *object, TyType *type, Value name, Value value)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    for (;;) {
        TyShape *shape = ty_shape_from_number(ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT);
        if (shape->dictionary)
            return set_in_dict(attributes, name, value);
        int64_t index = ty_shape_index(shape, name);
        TyShape *target = shape;
        if (index < 0) {
            target = shape->count < SHAPE_ATTRIBUTES_MAX && ty_str_is_interned(name) ? shape_child(shape, name, false) : NULL;
            if (!target) {
                if (ty_raised() || !become_dictionary(object, type, TY_NULL))
                    return false;
                continue;
            }
            index = target->count - 1;
        }
        bool locked = ty_object_lock(object);
        bool current = ty_object_shape(object) == shape->number, done = false;
        if (current && spill_grow(object, attributes, type, (uint32_t)index)) {
            ty_store(object, attribute_place(attributes, type, (uint32_t)index), value);
            if (target != shape)
                ty_object_set_shape(object, target->number);
            done = true;
        }
        ty_object_unlock(object, locked);
        if (done)
            return true;
        if (current)
            return false; /* memory */
    }
}

int ty_attributes_delete(TyObject *object, TyType *type, Value name)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    TyShape *shape = ty_shape_from_number(ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT);
    if (!attributes || !shape)
        return 0;
    if (!shape->dictionary) {
        if (ty_shape_index(shape, name) < 0)
            return 0;
        if (!become_dictionary(object, type, TY_NULL))
            return -1;
    }
    return ty_dict_delete(ty_field_acquire(&attributes->spill), name);
}

Value ty_attributes_dict(TyObject *object, TyType *type)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    TyShape *shape = ty_shape_from_number(ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT);
    if (!shape->dictionary && !become_dictionary(object, type, TY_NULL))
        return TY_NULL;
    Value dict = ty_field_acquire(&attributes->spill);
    if (dict != TY_NULL)
        return dict;
    dict = ty_dict_new(); /* it was deleted: as CPython, a fresh one appears */
    return dict != TY_NULL && become_dictionary(object, type, dict) ? dict : TY_NULL;
}

bool ty_attributes_set_dict(TyObject *object, TyType *type, Value dict)
{
    if (dict == TY_NULL && (dict = ty_dict_new()) == TY_NULL)
        return false;
    return become_dictionary(object, type, dict);
}

Value ty_attributes_copy_dict(TyObject *object, TyType *type)
{
    TyShape *shape = ty_shape_from_number(ty_load_acquire(&object->bits) >> TY_SHAPE_SHIFT);
    if (!shape->dictionary)
        return dict_of(object, type, shape);
    Value dict = ty_field_acquire(&ty_object_attributes(object, type)->spill);
    return dict == TY_NULL ? ty_dict_new() : ty_dict_copy(dict);
}

void ty_attributes_trace(TyObject *object, const TyType *type, TyMarker *marker)
{
    TyAttributes *attributes = ty_object_attributes(object, type);
    if (!attributes)
        return;
    ty_mark(marker, ty_field(&attributes->spill));
    TyShape *shape = ty_shape_from_number(ty_object_shape(object));
    if (shape && !shape->dictionary)
        ty_mark_range(marker, attributes->slots, TY_MIN(shape->count, type->inline_count));
}

bool ty_attributes_change_type(TyObject *object, TyType *from, TyType *to)
{
    if (!ty_object_attributes(object, from)) {
        uint32_t number = ty_shape_of_type(to);
        if (!number)
            return false;
        ty_store_release(&object->type, to);
        ty_object_set_shape(object, number);
        return true;
    }
    if (ty_attributes_dict(object, from) == TY_NULL)
        return false;
    TyShape *target = dictionary_shape(to);
    if (!target)
        return false;
    bool locked = ty_object_lock(object);
    ty_store_release(&object->type, to);
    ty_object_set_shape(object, target->number);
    ty_object_unlock(object, locked);
    return true;
}
