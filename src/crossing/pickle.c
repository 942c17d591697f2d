/* Objects that say themselves how they are taken apart: copyreg's table, __reduce_ex__ and what it relies on. Their answer becomes part of the
 * packed graph, not a stream of bytes, so that what they share with the rest stays shared. */
#include "crossing/internal.h"

static Value dispatch_function(Value v)
{
    Value module = ty_dict_get_text(ty_interpreter()->modules, "copyreg");
    if (module == TY_NULL || !ty_is_module(module))
        return TY_NULL;
    Value table = ty_dict_get_text(ty_module_dict(module), "dispatch_table");
    return table == TY_NULL || !ty_is_exact_dict(table) ? TY_NULL : ty_dict_get(table, ty_from_object(ty_type_of(v)));
}

static bool inherits_from_object(TyType *type, Value name)
{
    return ty_type_lookup(type, name) == ty_dict_get_str(ty_object_type_.dict, name);
}

static bool lacks(TyType *type, Value name) { return ty_type_lookup(type, name) == TY_NULL; }

bool ty_crossing_plain(TyPacker *p, TyType *type)
{
    uint32_t version = ty_type_version(type);
    const TyType *native = type;
    while (native->flags & TY_TYPE_HEAP)
        native = native->parent;
    if (native != &ty_object_type_ || type == &ty_object_type_ || type->flags & TY_TYPE_VARIABLE || type->slots.new != ty_object_new)
        return false;
    if (!inherits_from_object(type, TY_NAME("__reduce_ex__")) || !inherits_from_object(type, TY_NAME("__reduce__"))
        || !inherits_from_object(type, TY_NAME("__getstate__")) || !lacks(type, TY_NAME("__setstate__")) || !lacks(type, TY_NAME("__getnewargs__"))
        || !lacks(type, TY_NAME("__getnewargs_ex__")))
        return false;
    Value module = ty_dict_get_text(ty_interpreter()->modules, "copyreg");
    Value table = module == TY_NULL || !ty_is_module(module) ? TY_NULL : ty_dict_get_text(ty_module_dict(module), "dispatch_table");
    if (table != TY_NULL && ty_is_exact_dict(table) && ty_dict_get(table, ty_from_object(type)) != TY_NULL)
        return false;
    p->plain_type = type;
    p->plain_version = version;
    return !ty_raised();
}

static TyArray *collect(Value iterator, bool pairs)
{
    Value list = ty_list_new(0), item;
    if (list == TY_NULL)
        return NULL;
    while ((item = ty_next(iterator)) != TY_NULL) {
        if (!pairs) {
            if (!ty_list_append(list, item))
                return NULL;
            continue;
        }
        if (!ty_is_tuple(item) || ty_tuple_length(item) != 2)
            return ty_raise(&ty_TypeError, "items iterator of __reduce_ex__() must give pairs, not %R", item), NULL;
        if (!ty_list_append(list, ty_tuple_item(item, 0)) || !ty_list_append(list, ty_tuple_item(item, 1)))
            return NULL;
    }
    if (ty_raised())
        return NULL;
    TyArray *array = ty_array_new(ty_list_length(list));
    for (int64_t i = 0; array && i < array->capacity; i++)
        ty_store(array, &array->items[i], ty_list_item(list, i));
    return array;
}

/* The node that makes the object: copyreg.__newobj__ and __newobj_ex__ stand for class.__new__(class, ...). */
static Value maker(Value function, Value arguments)
{
    bool failed;
    Value name = ty_get_attribute_or_null(function, TY_NAME("__name__"), &failed);
    if (failed)
        return TY_NULL;
    int64_t count = ty_tuple_length(arguments);
    if (name != TY_NULL && ty_is_str(name) && ty_str_equal_text(name, "__newobj_ex__") && count == 3)
        return ty_node_new(TY_NODE_NEW, ty_tuple_item(arguments, 0), ty_tuple_item(arguments, 1), ty_tuple_item(arguments, 2), TY_NULL);
    if (name != TY_NULL && ty_is_str(name) && ty_str_equal_text(name, "__newobj__") && count >= 1) {
        Value rest = ty_tuple_slice(arguments, 1, count);
        return rest == TY_NULL ? TY_NULL : ty_node_new(TY_NODE_NEW, ty_tuple_item(arguments, 0), rest, TY_NULL, TY_NULL);
    }
    return ty_node_new(TY_NODE_CALL, function, arguments, TY_NULL, TY_NULL);
}

static Value part(Value reduced, int64_t i) { return i < ty_tuple_length(reduced) && ty_tuple_item(reduced, i) != TY_NONE ? ty_tuple_item(reduced, i) : TY_NULL; }

/* Later steps go on the stack first. */
static Value pack_reduced(TyPacker *p, Value v, Value reduced)
{
    if (!ty_is_tuple(reduced) || ty_tuple_length(reduced) < 2 || ty_tuple_length(reduced) > 6)
        return ty_raise(&ty_TypeError, "__reduce__() of a '%T' object must return a string or a tuple of two to six elements", v);
    Value function = ty_tuple_item(reduced, 0), arguments = ty_tuple_item(reduced, 1);
    if (!ty_is_tuple(arguments))
        return ty_raise(&ty_TypeError, "second element of the tuple returned by __reduce__() of a '%T' object must be a tuple, not '%T'", v, arguments);
    Value node = maker(function, arguments);
    if (node == TY_NULL || !ty_packer_map_put(p, v, node))
        return TY_NULL;
    Value state = part(reduced, 2), items = part(reduced, 3), pairs = part(reduced, 4), setter = part(reduced, 5);
    if (state != TY_NULL) {
        Value mark = ty_is_exact_dict(state) && setter == TY_NULL && ty_type_lookup(ty_type_of(v), TY_NAME("__setstate__")) == TY_NULL ? TY_TRUE : TY_NULL;
        Value step = ty_node_new(TY_NODE_STATE, node, state, setter, mark);
        if (step == TY_NULL || !ty_packer_push_node(p, step, v))
            return TY_NULL;
    }
    for (int kind = 1; kind >= 0; kind--) {
        Value iterator = kind ? pairs : items;
        if (iterator == TY_NULL)
            continue;
        TyArray *array = collect(iterator, kind);
        Value step = array ? ty_node_new(kind ? TY_NODE_ITEMS : TY_NODE_EXTEND, node, ty_from_object(array), TY_NULL, TY_NULL) : TY_NULL;
        if (step == TY_NULL || (array->capacity > 0 && !ty_packer_push_node(p, step, v)))
            return TY_NULL;
    }
    return ty_packer_push_node(p, node, v) ? node : TY_NULL;
}

Value ty_crossing_pickle(TyPacker *p, Value v)
{
    Value function = dispatch_function(v), reduced;
    if (function != TY_NULL)
        reduced = ty_call_one(function, v);
    else if (ty_raised())
        return TY_NULL;
    else
        reduced = ty_call_method_one(v, TY_NAME("__reduce_ex__"), ty_from_immediate_int(4));
    if (reduced == TY_NULL)
        return ty_raised_is(&ty_TypeError) ? ty_packer_refuse(p, v) : TY_NULL;
    if (!ty_is_str(reduced))
        return pack_reduced(p, v, reduced);
    Value node = ty_crossing_named(p, v, reduced);
    return node == TY_NULL ? TY_NULL : ty_packer_add(p, v, node);
}
