/* Classes that travel by value: a class of the same name, bases, metaclass and layout, then what its namespace holds. */
#include "crossing/definition.h"
#include "object/function.h"
#include "object/shape.h"

enum { HEAD_NAME, HEAD_QUALNAME, HEAD_MODULE, HEAD_BASES, HEAD_METACLASS, HEAD_SLOTS, HEAD_INLINE, HEAD_SIZE };

bool ty_class_valid(TyContent *content, Value v) { return content->version != 0 && ty_type_version(ty_as_type(v)) == content->version; }

/* What type.__new__ puts there itself, and what is made anew when it is asked for. */
static bool is_made_by_type(Value name, Value value)
{
    static const char *const names[] = { "__dict__", "__weakref__", "__slots__", "_abc_impl", "__annotations_cache__", "__classdictcell__", "__classcell__" };
    for (size_t i = 0; i < TY_COUNT_OF(names); i++)
        if (ty_str_equal_text(name, names[i]))
            return true;
    return ty_is_exact(value, &ty_member_type) || ty_is_exact(value, &ty_getset_type);
}

static Value pack_head(TyPacker *p, TyType *type)
{
    TyArray *head = ty_array_new(HEAD_SIZE);
    if (!head)
        return TY_NULL;
    Value module = ty_type_module(type);
    if (module == TY_NULL)
        ty_clear_exception();
    Value fields[HEAD_SIZE] = { type->name_value, type->qualname_value, module == TY_NULL ? TY_NONE : module, type->bases, ty_from_object(ty_object_type(&type->base)),
                                ty_dict_get_str(type->dict, TY_NAME("__slots__")), ty_from_immediate_int(type->inline_count) };
    static const char *const labels[HEAD_SIZE] = { "", "", ".__module__", ".__bases__", ".__class__", ".__slots__", "" };
    for (int i = 0; i < HEAD_SIZE; i++) {
        if (i == HEAD_SLOTS && type->slot_names != TY_NULL && fields[i] != TY_NULL && !ty_crossing_immutable(fields[i])) /* an iterator, used up; or a dict */
            fields[i] = ty_sequence_tuple(fields[i]);
        Value packed = fields[i] == TY_NULL ? TY_NULL : ty_packer_part(p, ty_str_from_text(labels[i]), fields[i]);
        if (packed == TY_NULL && ty_raised())
            return TY_NULL;
        ty_store(head, &head->items[i], packed);
    }
    return ty_packer_finish(p, ty_from_object(head));
}

/* Whether the class is one of enum's: its members are instances of it that its own namespace holds. */
static bool is_enum(TyType *type)
{
    Value module = ty_dict_get_text(ty_interpreter()->modules, "enum");
    Value meta = module == TY_NULL || !ty_is_module(module) ? TY_NULL : ty_dict_get_text(ty_module_dict(module), "EnumType");
    return meta != TY_NULL && ty_is_type(meta) && ty_type_is_subtype(ty_object_type(&type->base), ty_as_type(meta));
}

/* A member as it is, not by asking its class for it: made by the built-in type that it is of, with its attributes. */
static bool pack_member(TyPacker *p, TyType *type, Value member)
{
    const TyType *native = ty_type_of(member);
    while (native->flags & TY_TYPE_HEAP)
        native = native->parent;
    Value class = ty_from_object(ty_type_of(member)), arguments;
    if (native == &ty_object_type_)
        arguments = ty_tuple_pack(1, class);
    else {
        Value plain = ty_call_one(ty_get_attribute(ty_from_object(native), TY_NAME("__new__")), ty_from_object(native));
        if (native->flags & TY_TYPE_INT)
            plain = ty_number_index(member);
        else if (native->flags & TY_TYPE_STR)
            plain = ty_str_slice(member, 0, ty_str_length(member));
        else if (native->flags & TY_TYPE_FLOAT)
            plain = ty_number_float(member);
        else if (plain != TY_NULL)
            return ty_packer_refuse(p, member), false;
        arguments = plain == TY_NULL ? TY_NULL : ty_tuple_pack(2, class, plain);
    }
    Value new = ty_get_attribute(ty_from_object(native), TY_NAME("__new__")), attributes = ty_attributes_copy_dict(ty_object(member), ty_type_of(member));
    if (arguments == TY_NULL || new == TY_NULL || attributes == TY_NULL)
        return false;
    Value node = ty_node_new(TY_NODE_CALL, new, arguments, TY_NULL, TY_NULL);
    Value state = node == TY_NULL ? TY_NULL : ty_node_new(TY_NODE_STATE, node, attributes, TY_NULL, TY_TRUE);
    return state != TY_NULL && ty_packer_map_put(p, member, node) && ty_packer_push_node(p, state, member) && ty_packer_push_node(p, node, member) && ty_packer_run(p);
}

static bool pack_members(TyPacker *p, TyType *type)
{
    Value map = ty_dict_get_text(type->dict, "_member_map_"), member;
    int64_t position = 0;
    while (map != TY_NULL && ty_is_exact_dict(map) && ty_dict_next(map, &position, NULL, &member))
        if (ty_is_object(member) && ty_type_of(member) == type && ty_packer_map_get(p, member) == TY_NULL && !pack_member(p, type, member))
            return false;
    return !ty_raised();
}

static bool pack_body(TyPacker *p, TyContent *content, TyType *type)
{
    Value dict = ty_dict_copy(type->dict), names = ty_list_new(0), values = ty_list_new(0), name, value;
    if (dict == TY_NULL || names == TY_NULL || values == TY_NULL || (is_enum(type) && !pack_members(p, type)))
        return false;
    int64_t position = 0;
    while (ty_dict_next(dict, &position, &name, &value)) {
        if (!ty_is_exact_str(name) || is_made_by_type(name, value))
            continue;
        bool annotate = ty_str_equal_text(name, "__annotate_func__") || ty_str_equal_text(name, "__annotate__");
        Value packed = ty_packer_part(p, ty_str_format(".%U", name), value);
        if (packed == TY_NULL) {
            if (!annotate || !ty_raised_is(&ty_NotShareableError))
                return false;
            ty_clear_exception(); /* annotations that can't go are left behind */
            p->depth = 0;
            continue;
        }
        if (!ty_list_append(names, name) || !ty_list_append(values, packed))
            return false;
    }
    if (type->flags & TY_TYPE_ABSTRACT && type->abstract_methods != TY_NULL) {
        Value packed = ty_packer_part(p, ty_str_empty(), type->abstract_methods);
        if (packed == TY_NULL || !ty_list_append(names, TY_NAME("__abstractmethods__")) || !ty_list_append(values, packed))
            return false;
    }
    TyArray *body = ty_array_of_list(values);
    Value template = body ? ty_packer_finish(p, ty_from_object(body)) : TY_NULL, all_names = ty_list_to_tuple(names);
    if (template == TY_NULL || all_names == TY_NULL)
        return false;
    ty_store(content, &content->body, template);
    ty_store(content, &content->names, all_names);
    return true;
}

bool ty_class_pack(TyPacker *p, TyContent *content, Value v)
{
    TyType *type = ty_as_type(v);
    content->version = ty_type_version(type);
    p->class_dict = type->dict;
    TyPacker head_packer;
    if (!ty_packer_start(&head_packer, p->outer, NULL))
        return false;
    head_packer.package = p->package;
    Value head = pack_head(&head_packer, type);
    p->uses = head_packer.uses;
    if (head == TY_NULL)
        return false;
    ty_store(content, &content->head, head);
    return pack_body(p, content, type);
}

/* --- in the receiver ------------------------------------------------------------------------------------------------------------ */

Value ty_class_shell(TyContent *content)
{
    TyArray *head = ty_template_fields(content->head, HEAD_SIZE);
    Value namespace = head ? ty_dict_new() : TY_NULL;
    if (namespace == TY_NULL || !ty_dict_set(namespace, TY_NAME("__module__"), head->items[HEAD_MODULE])
        || !ty_dict_set(namespace, TY_NAME("__qualname__"), head->items[HEAD_QUALNAME]))
        return TY_NULL;
    if (head->items[HEAD_SLOTS] != TY_NULL && !ty_dict_set(namespace, TY_NAME("__slots__"), head->items[HEAD_SLOTS]))
        return TY_NULL;
    if (!ty_is_type(head->items[HEAD_METACLASS]) || !ty_is_tuple(head->items[HEAD_BASES]))
        return ty_raise(&ty_TypeError, "the bases of the class %U from another interpreter are no classes here", head->items[HEAD_NAME]);
    return ty_class_restore(ty_as_type(head->items[HEAD_METACLASS]), head->items[HEAD_NAME], head->items[HEAD_BASES], namespace,
                            (uint32_t)ty_immediate_int(head->items[HEAD_INLINE]));
}

/* What the abc module keeps with a class. */
static bool start_abc(Value made)
{
    Value module = ty_dict_get_text(ty_interpreter()->modules, "abc");
    Value meta = module == TY_NULL || !ty_is_module(module) ? TY_NULL : ty_dict_get_text(ty_module_dict(module), "ABCMeta");
    if (meta == TY_NULL || !ty_is_type(meta) || !ty_type_is_subtype(ty_type_of(made), ty_as_type(meta)))
        return true;
    Value init = ty_module_function("_abc", "_abc_init");
    return init != TY_NULL && ty_call_one(init, made) != TY_NULL;
}

static bool is_in(Value names, Value name)
{
    for (int64_t i = 0; i < ty_tuple_length(names); i++)
        if (ty_tuple_item(names, i) == name)
            return true;
    return false;
}

bool ty_class_apply(TyContent *content, TyContent *before, Value made)
{
    int64_t count = ty_tuple_length(content->names);
    TyArray *values = ty_template_fields(content->body, count);
    if (!values)
        return false;
    for (int64_t i = 0; i < count; i++) {
        Value name = ty_tuple_item(content->names, i), value = values->items[i];
        if (!ty_type_type.slots.set_attribute(made, name, value))
            return false;
        if (ty_is_exact(value, &ty_property_type) && ty_call_special(value, TY_NAME("__set_name__"), (Value[]){ made, name }, 2) == TY_NULL)
            return false;
    }
    for (int64_t i = 0; before && i < ty_tuple_length(before->names); i++) {
        Value name = ty_tuple_item(before->names, i);
        if (is_in(content->names, name))
            continue;
        if (!ty_type_type.slots.set_attribute(made, name, TY_NULL)) {
            if (!ty_raised_is(&ty_AttributeError))
                return false;
            ty_clear_exception();
        }
    }
    return before || start_abc(made);
}
