/* The packer: a worklist over the sender's graph. Frames lie in an array of the heap, four Values each: what kind of thing is being gone through, the
 * thing, how far, and the original that it was made of (for the path in errors). */
#include "crossing/definition.h"
#include "crossing/internal.h"
#include "object/bytes.h"
#include "object/bytes_parts.h"
#include "object/code.h"
#include "object/function.h"
#include "object/mappingproxy.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/slice.h"

enum { FRAME_ARRAY, FRAME_LIST, FRAME_TUPLE, FRAME_DICT, FRAME_NODE, FRAME_FIELDS };
enum { FRAME_SIZE = 4 };

static const struct { uint8_t before; bool made; uint8_t after; bool filled; } node_kinds[] = {
#define NODE_KIND(name, before, made, after, filled) { before, made, after, filled },
    TY_NODES(NODE_KIND)
#undef NODE_KIND
};

/* --- nodes and parcels ------------------------------------------------------------------------------------------------ */

static void node_trace(TyObject *self, TyMarker *marker)
{
    TyNode *node = (TyNode *)self;
    ty_mark(marker, node->made);
    ty_mark_range(marker, node->fields, TY_NODE_FIELDS);
}

TyType ty_node_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyNode), .trace = node_trace },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_node",
};

static void parcel_trace(TyObject *self, TyMarker *marker)
{
    TyParcel *parcel = (TyParcel *)self;
    ty_mark(marker, parcel->root);
    if (parcel->steps)
        ty_mark_object(marker, &parcel->steps->base);
}

TyType ty_parcel_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyParcel), .trace = parcel_trace },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_parcel",
};

/* What a tuple has where the receiver will put something: nothing that could be taken for a value that crosses. */
TyType ty_hole_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyObject) }, .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "crossing_part",
};
static TyObject hole = TY_STATIC_HEADER(ty_hole_type);
#define HOLE ty_from_object(&hole)

Value ty_node_new(TyNodeKind kind, Value a, Value b, Value c, Value d)
{
    TyNode *node = ty_allocate(&ty_node_type, sizeof *node);
    if (!node)
        return TY_NULL;
    node->kind = kind;
    Value fields[] = { a, b, c, d };
    for (int i = 0; i < TY_NODE_FIELDS; i++)
        ty_store(node, &node->fields[i], fields[i]);
    return ty_from_object(node);
}

/* --- arrays that grow --------------------------------------------------------------------------------------------------- */

static bool array_reserve(TyArray **array, int64_t used, int64_t wanted)
{
    if (*array && (*array)->capacity >= wanted)
        return true;
    TyArray *grown = ty_array_new(TY_MAX(wanted, 16) * 2);
    if (!grown)
        return false;
    if (used > 0)
        memcpy(grown->items, (*array)->items, (size_t)used * sizeof(Value));
    *array = grown;
    return true;
}

static bool add_step(TyPacker *p, Value node)
{
    if (!array_reserve(&p->steps, p->step_count, p->step_count + 1))
        return false;
    ty_store(p->steps, &p->steps->items[p->step_count++], node);
    return true;
}

static bool push(TyPacker *p, int kind, Value thing, Value original)
{
    if (!array_reserve(&p->stack, p->depth, p->depth + FRAME_SIZE))
        return false;
    Value frame[FRAME_SIZE] = { ty_from_immediate_int(kind), thing, ty_from_immediate_int(0), original };
    for (int i = 0; i < FRAME_SIZE; i++)
        ty_store(p->stack, &p->stack->items[p->depth + i], frame[i]);
    p->depth += FRAME_SIZE;
    return true;
}

bool ty_packer_push_node(TyPacker *p, Value node, Value original) { return push(p, FRAME_NODE, node, original); }

/* --- the map from originals to what they became: open addressing, keys and values in turn ---------------------------------- */

static int64_t map_start(const TyArray *map, Value original)
{
    return (int64_t)(((original >> 4) * 0x9E3779B97F4A7C15ull) >> 20) & (map->capacity / 2 - 1);
}

Value ty_packer_map_get(const TyPacker *p, Value original)
{
    if (!p->map)
        return TY_NULL;
    for (int64_t i = map_start(p->map, original);; i = (i + 1) & (p->map->capacity / 2 - 1)) {
        Value key = p->map->items[2 * i];
        if (key == original)
            return p->map->items[2 * i + 1];
        if (key == TY_NULL)
            return TY_NULL;
    }
}

static void map_enter(TyArray *map, Value original, Value packed)
{
    int64_t i = map_start(map, original);
    while (map->items[2 * i] != TY_NULL && map->items[2 * i] != original)
        i = (i + 1) & (map->capacity / 2 - 1);
    ty_store(map, &map->items[2 * i], original);
    ty_store(map, &map->items[2 * i + 1], packed);
}

bool ty_packer_map_put(TyPacker *p, Value original, Value packed)
{
    if (!p->map || (p->map_count + 1) * 3 > p->map->capacity) {
        TyArray *grown = ty_array_new(p->map ? p->map->capacity * 2 : 32);
        if (!grown)
            return false;
        for (int64_t i = 0; p->map && i < p->map->capacity; i += 2)
            if (p->map->items[i] != TY_NULL)
                map_enter(grown, p->map->items[i], p->map->items[i + 1]);
        p->map = grown;
    }
    map_enter(p->map, original, packed);
    p->map_count++;
    return true;
}

Value ty_packer_add(TyPacker *p, Value original, Value node)
{
    return node != TY_NULL && ty_packer_map_put(p, original, node) && ty_packer_push_node(p, node, original) ? node : TY_NULL;
}

/* --- what is the same everywhere --------------------------------------------------------------------------------------------- */

/* Whether every value in the range crosses as it is; immediates are looked at eight at a time. */
static bool all_immutable(const Value *items, int64_t count)
{
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t objects = 0; /* the top bit: some item has no tag, so it is a pointer */
        for (int j = 0; j < 8; j++)
            objects |= (ty_field(&items[i + j]) >> 48) - 1;
        if (TY_LIKELY(!(objects >> 63)))
            continue;
        for (int j = 0; j < 8; j++)
            if (!ty_crossing_immutable(items[i + j]))
                return false;
    }
    for (; i < count; i++)
        if (!ty_crossing_immutable(items[i]))
            return false;
    return true;
}

/* --- containers ------------------------------------------------------------------------------------------------------------------ */

/* Copies Values and tells whether any of them is an object: both at once, for long lists. */
static bool copy_items(Value *to, const Value *from, int64_t count)
{
    uint64_t objects = 0;
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int j = 0; j < 8; j++) {
            Value v = from[i + j];
            to[i + j] = v;
            objects |= (v >> 48) - 1;
        }
    for (; i < count; i++) {
        to[i] = from[i];
        objects |= (from[i] >> 48) - 1;
    }
    return objects >> 63;
}

/* The items of a list as they are at one moment; whether all cross as they are. */
static TyArray *list_items(TyList *list, bool *immutable)
{
    *immutable = true;
    bool locked = ty_object_lock(&list->base);
    int64_t count = ty_load_relaxed(&list->length);
    TyArray *array = count == 0 ? &ty_array_empty : ty_allocate_dirty(&ty_array_type, sizeof(TyArray) + (size_t)count * sizeof(Value));
    if (array && count > 0) {
        array->capacity = count;
        *immutable = !copy_items(array->items, ty_load_relaxed(&list->items)->items, count);
    }
    ty_object_unlock(&list->base, locked);
    if (array && !*immutable)
        *immutable = all_immutable(array->items, count);
    return array;
}

static Value list_of(TyArray *items, int64_t count)
{
    TyList *list = ty_allocate(&ty_list_type, sizeof *list);
    if (!list)
        return TY_NULL;
    ty_store_pointer(list, (TyArray **)&list->items, items);
    ty_store_release(&list->length, count);
    return ty_from_object(list);
}

static Value pack_list(TyPacker *p, Value v)
{
    bool immutable;
    TyArray *items = list_items(ty_as_list(v), &immutable);
    Value copy = items ? list_of(items, items->capacity) : TY_NULL;
    if (copy == TY_NULL || !ty_packer_map_put(p, v, copy))
        return TY_NULL;
    return immutable || push(p, FRAME_LIST, copy, v) ? copy : TY_NULL;
}

static Value pack_tuple(TyPacker *p, Value v)
{
    Value copy = ty_tuple_from_array(ty_as_tuple(v)->items, (size_t)ty_tuple_length(v));
    return copy != TY_NULL && ty_packer_map_put(p, v, copy) && push(p, FRAME_TUPLE, copy, v) ? copy : TY_NULL;
}

static bool dict_immutable(TyDictTable *table)
{
    uint32_t count = ty_load_relaxed(&table->entry_count);
    bool keys = ty_load_relaxed(&table->only_str);
    for (uint32_t i = ty_load_relaxed(&table->first); i < count; i++)
        if ((!keys && !ty_crossing_immutable(table->entries[i].key)) || !ty_crossing_immutable(table->entries[i].value))
            return false;
    return true;
}

static Value pack_dict(TyPacker *p, Value v)
{
    for (TyPacker *q = p; q; q = q->outer)
        if (q->class_dict == v)
            return ty_packer_use(p, q->package) ? ty_packer_add(p, v, ty_node_new(TY_NODE_CLASS_DICT, q->package, TY_NULL, TY_NULL, TY_NULL)) : TY_NULL;
    Value copy = ty_dict_copy(v);
    if (copy == TY_NULL || !ty_packer_map_put(p, v, copy))
        return TY_NULL;
    return dict_immutable(ty_load_relaxed(&ty_as_dict(copy)->table)) || push(p, FRAME_DICT, copy, v) ? copy : TY_NULL;
}

static Value pack_set(TyPacker *p, Value v)
{
    Value copy = ty_set_copy(v), item;
    int64_t position = 0;
    bool immutable = true;
    while (copy != TY_NULL && immutable && ty_set_next(copy, &position, &item))
        immutable = ty_crossing_immutable(item);
    if (copy == TY_NULL || immutable)
        return copy != TY_NULL && ty_packer_map_put(p, v, copy) ? copy : TY_NULL;
    TyArray *items = ty_array_new(ty_set_length(copy));
    position = 0;
    for (int64_t i = 0; items && i < items->capacity && ty_set_next(copy, &position, &item); i++)
        ty_store(items, &items->items[i], item);
    if (!items)
        return TY_NULL;
    if (ty_is_exact(v, &ty_frozenset_type)) {
        Value list = list_of(items, items->capacity), arguments = list == TY_NULL ? TY_NULL : ty_tuple_pack(1, list);
        return arguments == TY_NULL ? TY_NULL : ty_packer_add(p, v, ty_node_new(TY_NODE_CALL, ty_from_object(&ty_frozenset_type), arguments, TY_NULL, TY_NULL));
    }
    Value fresh = ty_set_new(TY_NULL);
    Value node = fresh == TY_NULL ? TY_NULL : ty_node_new(TY_NODE_SET, fresh, ty_from_object(items), TY_NULL, TY_NULL);
    return node != TY_NULL && ty_packer_map_put(p, v, fresh) && ty_packer_push_node(p, node, v) ? fresh : TY_NULL;
}

static Value pack_bytearray(TyPacker *p, Value v)
{
    TyByteArray *array = (TyByteArray *)ty_object(v);
    Value copy = TY_NULL;
    bool locked = ty_object_lock(&array->base);
    copy = ty_bytearray_new(ty_bytearray_data(array), (size_t)ty_load_relaxed(&array->length));
    ty_object_unlock(&array->base, locked);
    return copy != TY_NULL && ty_packer_map_put(p, v, copy) ? copy : TY_NULL;
}

static Value pack_array(TyPacker *p, Value v)
{
    TyArray *array = (TyArray *)ty_object(v);
    if (p->copying) {
        TyArray *copy = ty_array_new(array->capacity);
        if (!copy)
            return TY_NULL;
        memcpy(copy->items, array->items, (size_t)array->capacity * sizeof(Value));
        return ty_packer_map_put(p, v, ty_from_object(copy)) && push(p, FRAME_ARRAY, ty_from_object(copy), v) ? ty_from_object(copy) : TY_NULL;
    }
    return all_immutable(array->items, array->capacity) || push(p, FRAME_ARRAY, v, v) ? v : TY_NULL;
}

/* --- instances ------------------------------------------------------------------------------------------------------------------------ */

static Value shape_names(TyPacker *p, TyShape *shape)
{
    if (p->names_shape == shape->number && p->names != TY_NULL)
        return p->names;
    Value names = ty_tuple_new(shape->count);
    if (names == TY_NULL)
        return TY_NULL;
    for (TyShape *s = shape; s->parent; s = s->parent)
        ty_tuple_set(names, s->count - 1, s->name);
    p->names = names;
    p->names_shape = shape->number;
    return names;
}

/* The attributes of an instance that keeps them in slots, as they are at one moment; *in_dict: it keeps them in a dict. */
static TyArray *shaped_attributes(TyPacker *p, TyObject *object, TyType *type, Value *names, bool *in_dict)
{
    bool locked = ty_object_lock(object);
    TyShape *shape = ty_shape_from_number(ty_object_shape(object));
    TyAttributes *attributes = ty_object_attributes(object, type);
    TyArray *values = NULL;
    *in_dict = shape->dictionary;
    if (!shape->dictionary) {
        *names = shape_names(p, shape);
        values = *names == TY_NULL ? NULL : ty_array_new(shape->count);
        TyArray *spill = shape->count > type->inline_count ? (TyArray *)ty_object(ty_field(&attributes->spill)) : NULL;
        for (uint32_t i = 0; values && i < shape->count; i++)
            ty_store(values, &values->items[i], ty_field(i < type->inline_count ? &attributes->slots[i] : &spill->items[i - type->inline_count]));
    }
    ty_object_unlock(object, locked);
    return values;
}

/* The __slots__ of the class and its bases that are set, behind what `names` and `values` hold. */
static bool add_slots(TyObject *object, TyType *type, Value *names, TyArray **values)
{
    int64_t count = ty_tuple_length(*names), more = 0;
    for (TyType *t = type; t->flags & TY_TYPE_HEAP; t = t->parent)
        more += t->slot_names == TY_NULL ? 0 : ty_tuple_length(t->slot_names);
    if (more == 0)
        return true;
    TyArray *all = ty_array_new(count + more);
    Value all_names = all ? ty_list_new(count + more) : TY_NULL;
    if (all_names == TY_NULL)
        return false;
    for (int64_t i = 0; i < count; i++) {
        ty_store(all, &all->items[i], (*values)->items[i]);
        if (!ty_list_append(all_names, ty_tuple_item(*names, i)))
            return false;
    }
    int64_t used = count;
    for (TyType *t = type; t->flags & TY_TYPE_HEAP; t = t->parent) {
        for (int64_t i = 0; t->slot_names != TY_NULL && i < ty_tuple_length(t->slot_names); i++) {
            Value value = ty_field((Value *)(void *)((char *)object + t->slots_offset) + i);
            if (value == TY_NULL)
                continue;
            ty_store(all, &all->items[used++], value);
            if (!ty_list_append(all_names, ty_tuple_item(t->slot_names, i)))
                return false;
        }
    }
    all->capacity = used; /* the cells behind stay TY_NULL */
    *values = all;
    *names = ty_list_to_tuple(all_names);
    return *names != TY_NULL;
}

/* A plain instance without any attribute may be a mark that is recognised by identity: then it has a name in its class's module. */
static Value sentinel_name(Value v, TyType *type)
{
    Value module_name = ty_type_module(type);
    if (module_name == TY_NULL || !ty_is_exact_str(module_name) || !ty_crossing_importable(module_name)) {
        ty_clear_exception();
        return TY_NULL;
    }
    Value module = ty_dict_get_str(ty_interpreter()->modules, module_name), key, value;
    if (module == TY_NULL || !ty_is_module(module))
        return TY_NULL;
    int64_t position = 0;
    while (ty_dict_next(ty_module_dict(module), &position, &key, &value))
        if (value == v && ty_is_exact_str(key))
            return ty_node_new(TY_NODE_NAME, module_name, key, TY_NULL, TY_NULL);
    return TY_NULL;
}

static bool may_be_sentinel(TyType *type, int64_t attributes)
{
    return attributes == 0 || (attributes == 1 && ty_str_equal_text(type->qualname_value, "_FIELD_BASE")); /* those of dataclasses have a name */
}

static Value pack_instance(TyPacker *p, Value v, TyType *type)
{
    TyObject *object = ty_object(v);
    Value names = ty_tuple_empty(), dict = TY_NULL;
    TyArray *values = &ty_array_empty;
    bool in_dict = false;
    if (type->flags & TY_TYPE_HAS_DICT) {
        TyArray *found = shaped_attributes(p, object, type, &names, &in_dict);
        if (!found && !in_dict)
            return TY_NULL;
        if (in_dict && (dict = ty_attributes_copy_dict(object, type)) == TY_NULL)
            return TY_NULL;
        if (found)
            values = found;
    }
    Value count = ty_from_immediate_int(in_dict ? 0 : ty_tuple_length(names));
    if (in_dict)
        names = ty_tuple_empty();
    if (!add_slots(object, type, &names, &values))
        return TY_NULL;
    if (may_be_sentinel(type, ty_tuple_length(names) + (dict == TY_NULL ? 0 : ty_dict_length(dict)))) {
        Value name = sentinel_name(v, type);
        if (name != TY_NULL || ty_raised())
            return ty_packer_add(p, v, name);
    }
    Value node = ty_node_new(TY_NODE_INSTANCE, ty_from_object(type), names, ty_from_object(values), count);
    if (node == TY_NULL || !ty_packer_map_put(p, v, node))
        return TY_NULL;
    Value class = dict == TY_NULL ? ty_packer_map_get(p, ty_from_object(type)) : TY_NULL;
    if (class != TY_NULL && ty_is_node(class) && ty_as_node(class)->created && all_immutable(values->items, values->capacity)) {
        ty_store(ty_object(node), &ty_as_node(node)->fields[0], class);
        ty_as_node(node)->created = ty_as_node(node)->whole = true;
        return add_step(p, node) ? node : TY_NULL;
    }
    if (dict != TY_NULL && ty_dict_length(dict) > 0) {
        Value state = ty_node_new(TY_NODE_STATE, node, dict, TY_NULL, TY_TRUE);
        if (state == TY_NULL || !ty_packer_push_node(p, state, v))
            return TY_NULL;
    }
    return ty_packer_push_node(p, node, v) ? node : TY_NULL;
}

/* A template's node: its fields are gone through like an array. */
static Value copy_node(TyPacker *p, Value v)
{
    TyNode *node = ty_as_node(v);
    Value copy = ty_node_new(node->kind, node->fields[0], node->fields[1], node->fields[2], node->fields[3]);
    if (copy == TY_NULL || !ty_packer_map_put(p, v, copy))
        return TY_NULL;
    ty_as_node(copy)->whole = node->whole;
    bool opaque = node->kind == TY_NODE_HANDLE || node->kind == TY_NODE_DEFINITION || node->kind == TY_NODE_CLASS_DICT;
    return opaque || push(p, FRAME_FIELDS, copy, v) ? copy : TY_NULL;
}

/* --- any value ---------------------------------------------------------------------------------------------------------------------------- */

static Value pack_slice(TyPacker *p, Value v)
{
    TySlice *slice = (TySlice *)ty_object(v);
    Value arguments = ty_tuple_pack(3, slice->start, slice->stop, slice->step);
    return arguments == TY_NULL ? TY_NULL : ty_packer_add(p, v, ty_node_new(TY_NODE_CALL, ty_from_object(&ty_slice_type), arguments, TY_NULL, TY_NULL));
}

/* Objects of a built-in type that is called with some of their attributes to make them. */
static Value pack_by_attributes(TyPacker *p, Value v, const char *const *names)
{
    Value values[4];
    size_t count = 0;
    for (; names[count]; count++)
        if ((values[count] = ty_get_attribute(v, ty_intern_text(names[count]))) == TY_NULL)
            return TY_NULL;
    Value arguments = ty_tuple_from_array(values, count);
    return arguments == TY_NULL ? TY_NULL : ty_packer_add(p, v, ty_node_new(TY_NODE_CALL, ty_from_object(ty_type_of(v)), arguments, TY_NULL, TY_NULL));
}

static Value pack_proxy(TyPacker *p, Value v)
{
    Value copy = ty_call_one(ty_from_object(&ty_dict_type), v), arguments = copy == TY_NULL ? TY_NULL : ty_tuple_pack(1, copy);
    return arguments == TY_NULL ? TY_NULL : ty_packer_add(p, v, ty_node_new(TY_NODE_CALL, ty_from_object(&ty_mappingproxy_type), arguments, TY_NULL, TY_NULL));
}

static Value pack_native(TyPacker *p, Value v)
{
    TyNative *native = (TyNative *)ty_object(v);
    if (native->self == TY_NULL || !ty_is_module(native->self))
        return ty_crossing_pickle(p, v);
    Value name = ty_crossing_name(v);
    return name != TY_NULL ? ty_packer_add(p, v, name) : ty_raised() ? TY_NULL : ty_packer_refuse(p, v);
}

static Value pack_other(TyPacker *p, Value v, TyType *type)
{
    if (type->flags & TY_TYPE_TYPE || type == &ty_function_type || ty_type_parameter_crossing(v)) {
        Value name = ty_crossing_name(v);
        if (name == TY_NULL && ty_raised())
            return TY_NULL;
        return name != TY_NULL ? ty_packer_add(p, v, name) : ty_crossing_definition(p, v);
    }
    if (p->plain_type == type && p->plain_version == ty_type_version(type) && p->plain_version != 0)
        return pack_instance(p, v, type);
    bool handled = false;
    Value handle = ty_crossing_handle(v, &handled);
    if (handled)
        return handle == TY_NULL ? TY_NULL : ty_packer_add(p, v, handle);
    if (ty_crossing_plain(p, type))
        return pack_instance(p, v, type);
    return ty_raised() ? TY_NULL : ty_crossing_pickle(p, v);
}

Value ty_packer_value(TyPacker *p, Value v)
{
    if (ty_crossing_immutable(v))
        return v;
    Value known = ty_packer_map_get(p, v);
    if (known != TY_NULL && p->copying)
        return known;
    if (known != TY_NULL) {
        if (!ty_is_node(known) || ty_as_node(known)->created || ty_as_node(known)->kind == TY_NODE_INSTANCE)
            return known;
        if (ty_as_node(known)->kind != TY_NODE_METHOD || ty_packer_map_get(p, ty_as_bound_method(v)->self) == TY_NULL)
            return ty_packer_refuse(p, v); /* what makes it needs it: pickle would never end */
    }
    TyType *type = ty_object_type(ty_object(v));
    if (p->copying && type == &ty_node_type)
        return copy_node(p, v);
    if (type == &ty_package_type || type == &ty_hole_type)
        return v;
    if (type == &ty_list_type)
        return pack_list(p, v);
    if (type == &ty_dict_type)
        return pack_dict(p, v);
    if (type == &ty_tuple_type)
        return pack_tuple(p, v);
    if (type == &ty_array_type)
        return pack_array(p, v);
    if (type == &ty_set_type || type == &ty_frozenset_type)
        return pack_set(p, v);
    if (type == &ty_bytearray_type)
        return pack_bytearray(p, v);
    if (type == &ty_memoryview_type) {
        Value view = ty_crossing_memoryview(v);
        return view != TY_NULL && ty_packer_map_put(p, v, view) ? view : TY_NULL;
    }
    if (type == &ty_slice_type)
        return pack_slice(p, v);
    if (type == &ty_method_type)
        return ty_packer_add(p, v, ty_node_new(TY_NODE_METHOD, ty_as_bound_method(v)->function, ty_as_bound_method(v)->self, TY_NULL, TY_NULL));
    if (type == &ty_native_type)
        return pack_native(p, v);
    if (type == &ty_property_type)
        return pack_by_attributes(p, v, (const char *const[]){ "fget", "fset", "fdel", "__doc__", NULL });
    if (type == &ty_classmethod_type || type == &ty_staticmethod_type)
        return pack_by_attributes(p, v, (const char *const[]){ "__func__", NULL });
    if (type == &ty_mappingproxy_type)
        return pack_proxy(p, v);
    if (ty_is_module(v))
        return ty_packer_add(p, v, ty_crossing_module(p, v));
    return pack_other(p, v, type);
}

/* --- frames --------------------------------------------------------------------------------------------------------------------------------- */

static Value frame_field(TyPacker *p, int64_t frame, int i) { return p->stack->items[frame + i]; }
static void frame_set_position(TyPacker *p, int64_t frame, int64_t position) { p->stack->items[frame + 2] = ty_from_immediate_int(position); }

/* Packs Values in place from `position` on, until one has put frames of its own on the stack. 1: all done, 0: not yet, -1: error. */
static int pack_range(TyPacker *p, int64_t frame, void *owner, Value *items, int64_t count)
{
    int64_t depth = p->depth, i = ty_immediate_int(frame_field(p, frame, 2));
    for (; i < count; i++) {
        Value item = ty_field(&items[i]);
        if (item == TY_NULL)
            continue;
        frame_set_position(p, frame, i + 1);
        Value packed = ty_packer_value(p, item);
        if (packed == TY_NULL)
            return -1;
        if (packed != item)
            ty_store(owner, &items[i], packed);
        if (p->depth != depth)
            return 0;
    }
    return 1;
}

static bool any_node(const Value *items, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (items[i] != TY_NULL && ty_is_node(items[i]))
            return true;
    return false;
}

static int run_list(TyPacker *p, int64_t frame, Value copy)
{
    TyArray *items = ty_load_relaxed(&ty_as_list(copy)->items);
    int done = pack_range(p, frame, items, items->items, items->capacity);
    if (done != 1 || p->copying || !any_node(items->items, items->capacity))
        return done;
    Value node = ty_node_new(TY_NODE_LIST, copy, ty_from_object(items), TY_NULL, TY_NULL);
    if (node == TY_NULL || !add_step(p, node))
        return -1;
    ty_store_relaxed(&ty_as_list(copy)->length, 0);
    ty_store_pointer(ty_object(copy), (TyArray **)&ty_as_list(copy)->items, &ty_array_empty);
    return 1;
}

static int run_tuple(TyPacker *p, int64_t frame, Value copy)
{
    TyTuple *tuple = ty_as_tuple(copy);
    int done = pack_range(p, frame, tuple, tuple->items, tuple->length);
    if (done != 1 || p->copying || !any_node(tuple->items, tuple->length))
        return done;
    TyArray *items = ty_array_new(tuple->length);
    Value node = items ? ty_node_new(TY_NODE_TUPLE, copy, ty_from_object(items), TY_NULL, TY_NULL) : TY_NULL;
    if (node == TY_NULL || !add_step(p, node))
        return -1;
    for (int64_t i = 0; i < tuple->length; i++) {
        ty_store(items, &items->items[i], tuple->items[i]);
        if (ty_is_node(tuple->items[i]))
            ty_store(tuple, &tuple->items[i], HOLE);
    }
    return 1;
}

/* Keys and values in turn; a position counts both. */
static int run_dict_entries(TyPacker *p, int64_t frame, TyDictTable *table)
{
    int64_t depth = p->depth, count = 2 * (int64_t)ty_load_relaxed(&table->entry_count);
    for (int64_t i = ty_immediate_int(frame_field(p, frame, 2)); i < count; i++) {
        TyDictEntry *entry = &table->entries[i / 2];
        Value *place = i & 1 ? &entry->value : &entry->key;
        if (*place == TY_NULL)
            continue;
        frame_set_position(p, frame, i + 1);
        Value packed = ty_packer_value(p, *place);
        if (packed == TY_NULL)
            return -1;
        if (packed != *place)
            ty_store(table, place, packed);
        if (p->depth != depth)
            return 0;
    }
    return 1;
}

static bool has_mutable_key(const TyDictTable *table)
{
    for (uint32_t i = 0; i < ty_load_relaxed(&table->entry_count); i++)
        if (table->entries[i].key != TY_NULL && !ty_crossing_immutable(table->entries[i].key))
            return true;
    return false;
}

static TyArray *dict_pairs(TyDictTable *table, int64_t length)
{
    TyArray *pairs = ty_array_new(2 * length);
    int64_t used = 0;
    for (uint32_t i = 0; pairs && i < ty_load_relaxed(&table->entry_count); i++)
        if (table->entries[i].value != TY_NULL) {
            ty_store(pairs, &pairs->items[used++], table->entries[i].key);
            ty_store(pairs, &pairs->items[used++], table->entries[i].value);
        }
    return pairs;
}

static int run_dict(TyPacker *p, int64_t frame, Value copy)
{
    TyDict *dict = ty_as_dict(copy);
    TyDictTable *table = ty_load_relaxed(&dict->table);
    int done = run_dict_entries(p, frame, table);
    if (done != 1 || p->copying)
        return done;
    uint32_t count = ty_load_relaxed(&table->entry_count);
    bool rehash = !ty_load_relaxed(&table->only_str) && has_mutable_key(table), nodes = rehash;
    for (uint32_t i = 0; i < count && !nodes; i++)
        nodes = table->entries[i].value != TY_NULL && ty_is_node(table->entries[i].value);
    if (!nodes)
        return 1;
    TyArray *pairs = rehash ? dict_pairs(table, ty_load_relaxed(&dict->length)) : NULL;
    Value other = ty_dict_new(); /* it takes the table, the copy its empty one */
    if (other == TY_NULL || (rehash && !pairs))
        return -1;
    Value node = ty_node_new(TY_NODE_DICT, copy, rehash ? TY_NULL : other, rehash ? ty_from_object(pairs) : TY_NULL,
                             ty_from_immediate_int(ty_load_relaxed(&dict->length)));
    if (node == TY_NULL || !add_step(p, node))
        return -1;
    ty_store_relaxed(&ty_as_dict(other)->length, ty_load_relaxed(&dict->length));
    ty_store_relaxed(&dict->length, 0);
    ty_store_pointer(dict, (TyDictTable **)&dict->table, ty_load_relaxed(&ty_as_dict(other)->table));
    ty_store_pointer(ty_object(other), (TyDictTable **)&ty_as_dict(other)->table, table);
    return 1;
}

/* A node's fields, its making, its further fields, its filling; the position counts the fields twice. */
static int run_node(TyPacker *p, int64_t frame, Value v)
{
    TyNode *node = ty_as_node(v);
    int64_t depth = p->depth, i = ty_immediate_int(frame_field(p, frame, 2));
    for (; i < 2 * TY_NODE_FIELDS; i++) {
        if (i == TY_NODE_FIELDS && !node->created) {
            node->created = true;
            if (node_kinds[node->kind].made && !add_step(p, v))
                return -1;
        }
        int mask = i < TY_NODE_FIELDS ? node_kinds[node->kind].before : node_kinds[node->kind].after;
        Value *field = &node->fields[i % TY_NODE_FIELDS];
        if (!(mask >> (i % TY_NODE_FIELDS) & 1) || *field == TY_NULL)
            continue;
        frame_set_position(p, frame, i + 1);
        Value packed = ty_packer_value(p, *field);
        if (packed == TY_NULL)
            return -1;
        ty_store(node, field, packed);
        if (p->depth != depth)
            return 0;
    }
    return !node_kinds[node->kind].filled || add_step(p, v) ? 1 : -1;
}

bool ty_packer_run(TyPacker *p)
{
    while (p->depth > 0) {
        int64_t frame = p->depth - FRAME_SIZE;
        Value thing = frame_field(p, frame, 1);
        int done;
        switch (ty_immediate_int(frame_field(p, frame, 0))) {
        case FRAME_LIST: done = run_list(p, frame, thing); break;
        case FRAME_TUPLE: done = run_tuple(p, frame, thing); break;
        case FRAME_DICT: done = run_dict(p, frame, thing); break;
        case FRAME_NODE: done = run_node(p, frame, thing); break;
        case FRAME_FIELDS: done = pack_range(p, frame, ty_as_node(thing), ty_as_node(thing)->fields, TY_NODE_FIELDS); break;
        default: {
            TyArray *array = (TyArray *)ty_object(thing);
            done = pack_range(p, frame, array, array->items, array->capacity);
        }
        }
        if (done < 0)
            return false;
        if (done)
            p->depth -= FRAME_SIZE;
        ty_safepoint();
    }
    return true;
}

bool ty_packer_start(TyPacker *p, TyPacker *outer, const char *root)
{
    *p = (TyPacker){ .outer = outer, .root = root };
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" while passing an object to another interpreter"), false;
    return true;
}

Value ty_packer_finish(TyPacker *p, Value root)
{
    if (root == TY_NULL || !ty_packer_run(p))
        return TY_NULL;
    if (p->step_count == 0)
        return root;
    TyParcel *parcel = ty_allocate(&ty_parcel_type, sizeof *parcel);
    if (!parcel)
        return TY_NULL;
    ty_store(parcel, &parcel->root, root);
    ty_store_pointer(parcel, &parcel->steps, p->steps);
    parcel->count = p->step_count;
    return ty_from_object(parcel);
}

/* --- errors ------------------------------------------------------------------------------------------------------------------------------------ */

/* What the frame's present part is called, behind what the frames below are called. */
static bool add_label(TyPacker *p, int64_t frame, TyStrBuilder *b)
{
    Value thing = frame_field(p, frame, 1), original = frame_field(p, frame, 3);
    int64_t at = ty_immediate_int(frame_field(p, frame, 2)) - 1;
    TyNode *below = NULL; /* the node whose field the thing is */
    if (frame >= FRAME_SIZE && ty_immediate_int(frame_field(p, frame - FRAME_SIZE, 0)) == FRAME_NODE)
        below = ty_as_node(frame_field(p, frame - FRAME_SIZE, 1));
    switch (ty_immediate_int(frame_field(p, frame, 0))) {
    case FRAME_LIST: case FRAME_TUPLE:
        return ty_builder_add(b, ty_str_format("[%lld]", (long long)at));
    case FRAME_DICT: {
        if (at < 0)
            return true;
        TyDictTable *table = ty_load_relaxed(&ty_as_dict(thing)->table);
        Value key = at / 2 < (int64_t)ty_load_relaxed(&table->entry_count) ? table->entries[at / 2].key : TY_NULL;
        if (key == TY_NULL || ty_is_node(key) || !ty_crossing_immutable(key) || !(at & 1))
            return ty_builder_add_text(b, at & 1 ? "[...]" : ".keys()");
        if (below && below->kind == TY_NODE_STATE && below->fields[3] == TY_TRUE && ty_is_exact_str(key))
            return ty_builder_add(b, ty_str_format(".%U", key));
        return ty_builder_add(b, ty_str_format("[%R]", key));
    }
    case FRAME_ARRAY:
        if (below && below->kind == TY_NODE_INSTANCE)
            return ty_builder_add(b, ty_str_format(".%U", ty_tuple_item(below->fields[1], at)));
        if (below && below->kind == TY_NODE_ITEMS && at & 1 && !ty_is_node(((TyArray *)ty_object(thing))->items[at - 1]))
            return ty_builder_add(b, ty_str_format("[%R]", ((TyArray *)ty_object(thing))->items[at - 1]));
        if (below && below->kind == TY_NODE_SET)
            return ty_builder_add_text(b, "{...}");
        return ty_builder_add(b, ty_str_format("[%lld]", (long long)at));
    case FRAME_NODE: {
        static const char *const method[] = { ".__func__", ".__self__" };
        TyNode *node = ty_as_node(thing);
        int field = (int)(at % TY_NODE_FIELDS);
        if (at < 0)
            return true;
        if (node->kind == TY_NODE_METHOD)
            return ty_builder_add_text(b, method[field]);
        if ((node->kind == TY_NODE_CALL || node->kind == TY_NODE_NEW) && field > 0 && !ty_is_slice(original))
            return ty_builder_add_text(b, ".__reduce__()");
        if (node->kind == TY_NODE_STATE && field == 1 && node->fields[3] != TY_TRUE)
            return ty_builder_add_text(b, ".__getstate__()");
        if (node->kind == TY_NODE_INSTANCE && field == 0)
            return ty_builder_add_text(b, ".__class__");
        return true;
    }
    }
    return true;
}

static bool add_path(TyPacker *p, TyStrBuilder *b)
{
    if (p->outer && !add_path(p->outer, b))
        return false;
    if (p->label != TY_NULL)
        ty_builder_add(b, p->label);
    else if (p->root)
        ty_builder_add_text(b, p->root);
    for (int64_t frame = 0; frame < p->depth; frame += FRAME_SIZE) {
        if (b->length > 2000) {
            ty_builder_add_text(b, "...");
            break;
        }
        if (!add_label(p, frame, b))
            return false;
    }
    return true;
}

Value ty_packer_path(TyPacker *p)
{
    TyStrBuilder b = {0};
    return add_path(p, &b) ? ty_builder_finish(&b) : TY_NULL;
}

Value ty_packer_refuse(TyPacker *p, Value v)
{
    Value cause = ty_take_exception(); /* of what went wrong with it, if it was tried */
    Value path = ty_packer_path(p);
    if (path == TY_NULL)
        return TY_NULL;
    if (ty_str_length(path) == 0)
        ty_raise(&ty_NotShareableError, "%s", ty_type_short_name(ty_type_of(v)));
    else
        ty_raise(&ty_NotShareableError, "%U: %s", path, ty_type_short_name(ty_type_of(v)));
    if (cause != TY_NULL && ty_thread->exception != TY_NULL)
        ty_exception_set_cause(ty_thread->exception, cause);
    return TY_NULL;
}

/* --- the interface ---------------------------------------------------------------------------------------------------------------------------------- */

Value ty_crossing_pack(Value v, const char *root)
{
    if (TY_LIKELY(ty_crossing_immutable(v)))
        return v;
    if (ty_is_exact_list(v)) { /* the flat list, which needs no map */
        bool immutable;
        TyArray *items = list_items(ty_as_list(v), &immutable);
        if (!items)
            return TY_NULL;
        if (immutable)
            return list_of(items, items->capacity);
    }
    TyPacker packer;
    return ty_packer_start(&packer, NULL, root) ? ty_packer_finish(&packer, ty_packer_value(&packer, v)) : TY_NULL;
}
