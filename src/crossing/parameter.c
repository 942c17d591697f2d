/* Type parameters and aliases that travel by value. The bounds, constraints and defaults of TypeVar, ParamSpec, TypeVarTuple go with them where nobody can change
 * them; other ones, which only type checkers read, stay behind. An alias (`type X = ...`) has no value before it is asked for it: the function that gives it goes. */
#include "crossing/definition.h"

enum { HEAD_TYPE, HEAD_ARGUMENTS, HEAD_KEYWORDS, HEAD_SIZE };

/* An attribute that is computed when it is asked for, if that works and gives something that crosses as it is. */
static Value simple_attribute(Value v, const char *name)
{
    Value value = ty_get_attribute(v, ty_intern_text(name));
    ty_clear_exception();
    return value != TY_NULL && ty_crossing_immutable(value) ? value : TY_NONE;
}

/* The head is a packed part of its own; the value may need the alias itself. */
static bool alias_pack(TyPacker *p, TyContent *content, Value v)
{
    Value parts[TY_ALIAS_PARTS];
    ty_typealias_parts(v, parts);
    TyPacker head_packer;
    TyArray *head = ty_array_new(TY_ALIAS_PARTS), *body = ty_array_new(TY_ALIAS_PARTS);
    if (!head || !body || !ty_packer_start(&head_packer, p->outer, NULL))
        return false;
    head_packer.package = p->package;
    for (int i = 0; i < TY_ALIAS_PARTS; i++) {
        static const char *const labels[TY_ALIAS_PARTS] = { "", ".__type_params__", ".__module__", ".__value__", ".__value__" };
        bool late = i >= TY_ALIAS_VALUE;
        Value packed = parts[i] == TY_NULL ? TY_NULL : ty_packer_part(late ? p : &head_packer, ty_str_from_text(labels[i]), parts[i]);
        if (packed == TY_NULL && ty_raised())
            return false;
        ty_store(late ? body : head, &(late ? body : head)->items[i], packed);
        p->uses = late ? p->uses : head_packer.uses;
    }
    Value first = ty_packer_finish(&head_packer, ty_from_object(head)), rest = first == TY_NULL ? TY_NULL : ty_packer_finish(p, ty_from_object(body));
    ty_store(content, &content->head, first);
    ty_store(content, &content->body, rest);
    return rest != TY_NULL;
}

static bool is_alias(TyContent *content) { return content->body != TY_NULL; }

bool ty_parameter_apply(TyContent *content, Value made)
{
    if (!is_alias(content))
        return true;
    TyArray *body = ty_template_fields(content->body, TY_ALIAS_PARTS);
    if (body)
        ty_typealias_fill(made, body->items[TY_ALIAS_VALUE], body->items[TY_ALIAS_EVALUATE]);
    return body != NULL;
}

bool ty_parameter_pack(TyPacker *p, TyContent *content, Value v)
{
    if (ty_is_type_alias(v))
        return alias_pack(p, content, v);
    static const char *const flags[] = { "covariant", "contravariant", "infer_variance" };
    Value name = ty_get_attribute(v, TY_NAME("__name__")), keywords = ty_dict_new(), type = ty_from_object(ty_type_of(v));
    Value constraints = simple_attribute(v, "__constraints__"), bound = simple_attribute(v, "__bound__");
    if (name == TY_NULL || keywords == TY_NULL || (bound != TY_NONE && !ty_dict_set_text(keywords, "bound", bound)))
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(flags); i++) {
        Value value = simple_attribute(v, i == 0 ? "__covariant__" : i == 1 ? "__contravariant__" : "__infer_variance__");
        if (value == TY_TRUE && !ty_dict_set_text(keywords, flags[i], value))
            return false;
    }
    Value arguments = ty_tuple_pack(1, name);
    if (constraints != TY_NONE && ty_is_tuple(constraints) && ty_tuple_length(constraints) > 1) {
        Value list = ty_sequence_list(arguments);
        arguments = list != TY_NULL && ty_list_extend(list, constraints) ? ty_list_to_tuple(list) : TY_NULL;
    }
    TyArray *head = arguments == TY_NULL ? NULL : ty_array_new(HEAD_SIZE);
    if (!head)
        return false;
    Value fields[HEAD_SIZE] = { type, arguments, keywords };
    for (int i = 0; i < HEAD_SIZE; i++)
        ty_store(head, &head->items[i], fields[i]);
    Value template = ty_packer_finish(p, ty_packer_value(p, ty_from_object(head)));
    ty_store(content, &content->head, template);
    return template != TY_NULL;
}

Value ty_parameter_shell(TyContent *content)
{
    TyArray *head = ty_template_fields(content->head, is_alias(content) ? TY_ALIAS_PARTS : HEAD_SIZE);
    if (head && is_alias(content))
        return ty_typealias_shell(head->items[TY_ALIAS_NAME], head->items[TY_ALIAS_PARAMETERS], head->items[TY_ALIAS_MODULE]);
    return head ? ty_call_with(head->items[HEAD_TYPE], head->items[HEAD_ARGUMENTS], head->items[HEAD_KEYWORDS]) : TY_NULL;
}
