/* Type parameters that travel by value: TypeVar, ParamSpec, TypeVarTuple. Their bounds, constraints and defaults go with them where nobody can change
 * them; other ones, which only type checkers read, stay behind. */
#include "crossing/definition.h"

enum { HEAD_TYPE, HEAD_ARGUMENTS, HEAD_KEYWORDS, HEAD_SIZE };

/* An attribute that is computed when it is asked for, if that works and gives something that crosses as it is. */
static Value simple_attribute(Value v, const char *name)
{
    Value value = ty_get_attribute(v, ty_intern_text(name));
    ty_clear_exception();
    return value != TY_NULL && ty_crossing_immutable(value) ? value : TY_NONE;
}

bool ty_parameter_pack(TyPacker *p, TyContent *content, Value v)
{
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
    TyArray *head = ty_template_fields(content->head, HEAD_SIZE);
    return head ? ty_call_with(head->items[HEAD_TYPE], head->items[HEAD_ARGUMENTS], head->items[HEAD_KEYWORDS]) : TY_NULL;
}
