/* Unpacking: the receiver goes through a parcel's nodes in their order, makes and fills. */
#include "crossing/internal.h"
#include "runtime/runtime.h"
#include "object/function.h"
#include "object/set.h"
#include "object/shape.h"

static Value resolve(Value v)
{
    if (v == TY_NULL || !ty_is_node(v))
        return v;
    Value made = ty_as_node(v)->made;
    return made != TY_NULL ? made : ty_raise(&ty_RuntimeError, "a part of an object from another interpreter is needed before it is made");
}

bool ty_crossing_resolve(TyArray *array, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (array->items[i] != TY_NULL && ty_is_node(array->items[i])) {
            Value made = resolve(array->items[i]);
            if (made == TY_NULL)
                return false;
            ty_store(array, &array->items[i], made);
        }
    return true;
}

static Value list_from(TyArray *items) { return ty_list_from_array(items->items, (size_t)items->capacity); }

/* --- making -------------------------------------------------------------------------------------------------------------- */

Value ty_crossing_module_here(Value name)
{
    if (ty_str_equal_text(name, "__main__"))
        return ty_crossing_main_module();
    Value module = ty_dict_get_str(ty_interpreter()->modules, name);
    if (module != TY_NULL || ty_raised())
        return module;
    return ty_import_full(name);
}

Value ty_crossing_named_here(Value module_name, Value name)
{
    Value module = ty_crossing_module_here(module_name);
    if (module == TY_NULL)
        return TY_NULL;
    if (ty_str_find_char(name, '.', 0, ty_str_length(name), 1) < 0)
        return ty_get_attribute(module, name);
    Value parts = ty_call_method_one(name, TY_NAME("split"), ty_str_from_text(".")), v = module;
    for (int64_t i = 0; parts != TY_NULL && v != TY_NULL && i < ty_list_length(parts); i++)
        v = ty_get_attribute(v, ty_intern(ty_list_item(parts, i)));
    return parts == TY_NULL ? TY_NULL : v;
}

static Value make_name(TyNode *node) { return ty_crossing_named_here(node->fields[0], node->fields[1]); }

static Value make_module(TyNode *node)
{
    Value module = ty_crossing_module_here(node->fields[0]), more = node->fields[1];
    for (int64_t i = 0; module != TY_NULL && more != TY_NULL && i < ty_tuple_length(more); i++)
        if (ty_crossing_module_here(ty_tuple_item(more, i)) == TY_NULL)
            return TY_NULL;
    return module;
}

static bool is_plain_class(Value class)
{
    if (!ty_is_type(class))
        return false;
    TyType *type = ty_as_type(class);
    const TyType *native = type;
    while (native->flags & TY_TYPE_HEAP)
        native = native->parent;
    return native == &ty_object_type_ && !(type->flags & TY_TYPE_VARIABLE);
}

static Value make_instance(TyNode *node)
{
    Value class = resolve(node->fields[0]);
    if (class == TY_NULL)
        return TY_NULL;
    if (!is_plain_class(class))
        return ty_raise(&ty_TypeError, "cannot make an instance of %R from another interpreter: it is not the plain class that it is there", class);
    return ty_type_allocate(ty_as_type(class), 0);
}

static Value make_call(TyNode *node)
{
    Value callable = resolve(node->fields[0]), arguments = resolve(node->fields[1]), keywords = resolve(node->fields[2]);
    if (callable == TY_NULL || arguments == TY_NULL || (keywords == TY_NULL && node->fields[2] != TY_NULL))
        return TY_NULL;
    if (node->kind == TY_NODE_CALL)
        return ty_call_with(callable, arguments, keywords);
    Value new = ty_get_attribute(callable, TY_NAME("__new__")), all = ty_tuple_new(ty_tuple_length(arguments) + 1);
    if (new == TY_NULL || all == TY_NULL)
        return TY_NULL;
    ty_tuple_set(all, 0, callable);
    for (int64_t i = 0; i < ty_tuple_length(arguments); i++)
        ty_tuple_set(all, i + 1, ty_tuple_item(arguments, i));
    return ty_call_with(new, all, keywords);
}

static Value make_method(TyNode *node)
{
    Value function = resolve(node->fields[0]), self = function == TY_NULL ? TY_NULL : resolve(node->fields[1]);
    return self == TY_NULL ? TY_NULL : ty_bound_method_new(function, self);
}

static Value make_class_dict(TyNode *node)
{
    Value class = ty_crossing_define(node->fields[0]);
    return class == TY_NULL ? TY_NULL : ty_as_type(class)->dict;
}

static Value make(TyNode *node)
{
    switch (node->kind) {
    case TY_NODE_NAME: return make_name(node);
    case TY_NODE_MODULE: return make_module(node);
    case TY_NODE_MAIN: return ty_crossing_main_module();
    case TY_NODE_INSTANCE: return make_instance(node);
    case TY_NODE_NEW: case TY_NODE_CALL: return make_call(node);
    case TY_NODE_METHOD: return make_method(node);
    case TY_NODE_HANDLE: return ty_crossing_open_handle(node->fields[0], node->fields[1]);
    case TY_NODE_DEFINITION: return ty_crossing_define(node->fields[0]);
    case TY_NODE_CLASS_DICT: return make_class_dict(node);
    default: return ty_raise(&ty_SystemError, "crossing: node of kind %u cannot be made", node->kind);
    }
}

/* --- filling ----------------------------------------------------------------------------------------------------------------- */

/* The shape that instances of a class had in the end when they got attributes of these names: the next of them get it at once. */
typedef struct Remembered {
    TyType *type;
    Value names;
    uint32_t shape;
} Remembered;

static bool fill_at_once(TyObject *object, TyType *type, const Value *values, int64_t count, const Remembered *known)
{
    if (ty_object_shape(object) != ty_load_relaxed(&type->layout.shape))
        return false;
    TyAttributes *attributes = ty_object_attributes(object, type);
    for (int64_t i = 0; i < count; i++)
        ty_store(object, &attributes->slots[i], values[i]);
    ty_object_set_shape(object, known->shape);
    return true;
}

static void remember(TyObject *object, TyType *type, Value names, int64_t count, Remembered *known)
{
    TyShape *shape = ty_shape_from_number(ty_object_shape(object));
    if (shape->dictionary || shape->count != count || count > type->inline_count || type->attributes_offset == 0)
        return;
    for (TyShape *s = shape; s->parent; s = s->parent)
        if (s->name != ty_tuple_item(names, s->count - 1))
            return;
    *known = (Remembered){ type, names, shape->number };
}

static bool fill_instance(TyNode *node, Remembered *known)
{
    Value self = node->made, names = node->fields[1];
    TyArray *values = (TyArray *)ty_object(node->fields[2]);
    TyObject *object = ty_object(self);
    TyType *type = ty_object_type(object);
    int64_t attributes = ty_immediate_int(node->fields[3]), count = ty_tuple_length(names);
    if (!ty_crossing_resolve(values, count))
        return false;
    if (known->type == type && known->names == names && fill_at_once(object, type, values->items, attributes, known))
        return true;
    for (int64_t i = 0; i < count; i++) {
        Value name = ty_tuple_item(names, i);
        bool own = i < attributes && (type->flags & TY_TYPE_HAS_DICT);
        if (!(own ? ty_attributes_set(object, type, name, values->items[i]) : ty_generic_set_attribute(self, name, values->items[i])))
            return false;
    }
    if (attributes == count)
        remember(object, type, names, count, known);
    return true;
}

static bool fill_list(TyNode *node)
{
    TyList *list = ty_as_list(node->fields[0]);
    TyArray *items = (TyArray *)ty_object(node->fields[1]);
    if (!ty_crossing_resolve(items, items->capacity))
        return false;
    if (ty_load_relaxed(&list->length) != 0) /* code of the receiver has met it and put something in */
        return ty_list_extend(node->fields[0], list_from(items));
    ty_store_pointer(list, (TyArray **)&list->items, items);
    ty_store_release(&list->length, items->capacity);
    return true;
}

static bool fill_tuple(TyNode *node)
{
    TyTuple *tuple = ty_as_tuple(node->fields[0]);
    TyArray *items = (TyArray *)ty_object(node->fields[1]);
    if (!ty_crossing_resolve(items, items->capacity))
        return false;
    for (int64_t i = 0; i < items->capacity; i++)
        ty_store(tuple, &tuple->items[i], items->items[i]);
    ty_store_relaxed(&tuple->hash, 0);
    return true;
}

static bool fill_dict(TyNode *node)
{
    TyDict *dict = ty_as_dict(node->fields[0]);
    if (node->fields[2] != TY_NULL) {
        TyArray *pairs = (TyArray *)ty_object(node->fields[2]);
        if (!ty_crossing_resolve(pairs, pairs->capacity))
            return false;
        for (int64_t i = 0; i + 1 < pairs->capacity; i += 2)
            if (pairs->items[i] != TY_NULL && !ty_dict_set(node->fields[0], pairs->items[i], pairs->items[i + 1]))
                return false;
        return true;
    }
    TyDictTable *table = ty_load_relaxed(&ty_as_dict(node->fields[1])->table);
    bool fresh = ty_load_relaxed(&dict->length) == 0;
    for (uint32_t i = 0; i < ty_load_relaxed(&table->entry_count); i++) {
        TyDictEntry *entry = &table->entries[i];
        if (entry->value == TY_NULL)
            continue;
        Value made = resolve(entry->value);
        if (made == TY_NULL)
            return false;
        ty_store(table, &entry->value, made);
        if (!fresh && !ty_dict_set(node->fields[0], entry->key, made))
            return false;
    }
    if (fresh) {
        ty_store_pointer(dict, (TyDictTable **)&dict->table, table);
        ty_store_relaxed(&dict->length, ty_immediate_int(node->fields[3]));
    }
    return true;
}

static bool fill_set(TyNode *node)
{
    TyArray *items = (TyArray *)ty_object(node->fields[1]);
    if (!ty_crossing_resolve(items, items->capacity))
        return false;
    for (int64_t i = 0; i < items->capacity; i++)
        if (items->items[i] != TY_NULL && !ty_set_add(node->fields[0], items->items[i]))
            return false;
    return true;
}

static bool fill_extend(TyNode *node)
{
    Value self = resolve(node->fields[0]);
    TyArray *items = (TyArray *)ty_object(node->fields[1]);
    if (self == TY_NULL || !ty_crossing_resolve(items, items->capacity))
        return false;
    bool failed;
    Value extend = ty_get_attribute_or_null(self, TY_NAME("extend"), &failed);
    if (extend != TY_NULL) {
        Value list = list_from(items);
        return list != TY_NULL && ty_call_one(extend, list) != TY_NULL;
    }
    for (int64_t i = 0; !failed && i < items->capacity; i++)
        failed = ty_call_method_one(self, TY_NAME("append"), items->items[i]) == TY_NULL;
    return !failed;
}

static bool fill_items(TyNode *node)
{
    Value self = resolve(node->fields[0]);
    TyArray *pairs = (TyArray *)ty_object(node->fields[1]);
    if (self == TY_NULL || !ty_crossing_resolve(pairs, pairs->capacity))
        return false;
    for (int64_t i = 0; i + 1 < pairs->capacity; i += 2)
        if (!ty_set_item(self, pairs->items[i], pairs->items[i + 1]))
            return false;
    return true;
}

/* The attributes of a state dict become the object's, without its __setattr__. */
static bool set_attributes(Value self, Value state)
{
    TyType *type = ty_type_of(self);
    bool direct = ty_is_object(self) && (type->flags & TY_TYPE_HAS_DICT) && !ty_is_module(self);
    Value dict = direct ? TY_NULL : ty_get_attribute(self, TY_NAME("__dict__")), key, value;
    if (!direct && dict == TY_NULL)
        return false;
    int64_t position = 0;
    while (ty_dict_next(state, &position, &key, &value)) {
        bool name = ty_is_exact_str(key);
        if (name)
            key = ty_intern(key);
        if (direct && !name) {
            dict = ty_get_attribute(self, TY_NAME("__dict__"));
            direct = false;
            if (dict == TY_NULL)
                return false;
        }
        if (key == TY_NULL || !(direct ? ty_attributes_set(ty_object(self), type, key, value) : ty_set_item(dict, key, value)))
            return false;
    }
    return true;
}

static bool set_slots(Value self, Value state)
{
    Value key, value;
    int64_t position = 0;
    while (ty_dict_next(state, &position, &key, &value))
        if (!ty_set_attribute(self, key, value))
            return false;
    return true;
}

static bool fill_state(TyNode *node)
{
    Value self = resolve(node->fields[0]), state = self == TY_NULL ? TY_NULL : resolve(node->fields[1]);
    if (state == TY_NULL)
        return false;
    if (node->fields[2] != TY_NULL) {
        Value setter = resolve(node->fields[2]);
        return setter != TY_NULL && ty_call_two(setter, self, state) != TY_NULL;
    }
    bool failed = false;
    Value method = node->fields[3] == TY_TRUE ? TY_NULL : ty_get_attribute_or_null(self, TY_NAME("__setstate__"), &failed);
    if (method != TY_NULL)
        return ty_call_one(method, state) != TY_NULL;
    if (failed)
        return false;
    Value slots = TY_NONE;
    if (ty_is_tuple(state) && ty_tuple_length(state) == 2) {
        slots = ty_tuple_item(state, 1);
        state = ty_tuple_item(state, 0);
    }
    if ((state != TY_NONE && !ty_is_dict(state)) || (slots != TY_NONE && !ty_is_dict(slots)))
        return ty_raise(&ty_TypeError, "the state of a '%T' object is no dict, and it has no __setstate__", self), false;
    return (state == TY_NONE || set_attributes(self, state)) && (slots == TY_NONE || set_slots(self, slots));
}

static bool fill(TyNode *node, Remembered *known)
{
    switch (node->kind) {
    case TY_NODE_INSTANCE: return fill_instance(node, known);
    case TY_NODE_LIST: return fill_list(node);
    case TY_NODE_TUPLE: return fill_tuple(node);
    case TY_NODE_DICT: return fill_dict(node);
    case TY_NODE_SET: return fill_set(node);
    case TY_NODE_EXTEND: return fill_extend(node);
    case TY_NODE_ITEMS: return fill_items(node);
    case TY_NODE_STATE: return fill_state(node);
    default: return true;
    }
}

Value ty_crossing_unpack(Value v)
{
    if (!ty_is_exact(v, &ty_parcel_type))
        return v;
    if (ty_c_stack_low())
        return ty_raise_recursion_error(" while receiving an object from another interpreter");
    TyParcel *parcel = (TyParcel *)ty_object(v);
    Remembered known = {0};
    for (int64_t i = 0; i < parcel->count; i++) {
        TyNode *node = ty_as_node(parcel->steps->items[i]);
        bool first = !node->done && node->kind <= TY_NODE_CLASS_DICT;
        node->done = true;
        if (!first) {
            if (!fill(node, &known))
                return TY_NULL;
            continue;
        }
        Value made = make(node);
        if (made == TY_NULL)
            return TY_NULL;
        ty_store(node, &node->made, made);
        if (node->whole && !fill(node, &known))
            return TY_NULL;
        ty_safepoint();
    }
    return resolve(parcel->root);
}
