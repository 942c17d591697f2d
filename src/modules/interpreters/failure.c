/* Exceptions as they are told to another interpreter: objects don't cross, but names and texts do. */
#include "modules/interpreters/interpreters.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/namespace.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"

enum { TYPE_NAME, TYPE_QUALNAME, TYPE_MODULE, MESSAGE, DISPLAY, FIELD_COUNT };

/* What can't be found out is None: there is an exception to be told of already. */
static Value or_none(Value v)
{
    if (v != TY_NULL && ty_is_str(v))
        return v;
    ty_clear_exception();
    return TY_NONE;
}

/* As an uncaught exception is shown, without colours and without the last newline. */
static Value display(Value exception)
{
    Value module = ty_import_module("traceback");
    Value class = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("TracebackException"));
    Value summary = class == TY_NULL ? TY_NULL : ty_call_method_one(class, TY_NAME("from_exception"), exception);
    Value lines = summary == TY_NULL ? TY_NULL : ty_call_method_none(summary, TY_NAME("format"));
    Value text = lines == TY_NULL ? TY_NULL : ty_str_join(ty_str_empty(), lines);
    int64_t length = text == TY_NULL ? 0 : ty_str_length(text);
    return length > 0 && ty_str_at(text, length - 1) == '\n' ? ty_str_slice(text, 0, length - 1) : text;
}

Value ty_failure_capture(Value exception)
{
    TyType *type = ty_type_of(exception);
    Value fields[FIELD_COUNT];
    fields[TYPE_NAME] = or_none(ty_get_attribute(ty_from_object(type), TY_NAME("__name__")));
    fields[TYPE_QUALNAME] = or_none(ty_get_attribute(ty_from_object(type), TY_NAME("__qualname__")));
    fields[TYPE_MODULE] = or_none(ty_get_attribute(ty_from_object(type), TY_NAME("__module__")));
    fields[MESSAGE] = or_none(ty_str(exception));
    fields[DISPLAY] = or_none(display(exception));
    return ty_tuple_from_array(fields, FIELD_COUNT);
}

Value ty_failure_message(Value failure)
{
    Value message = ty_tuple_item(failure, MESSAGE);
    return message == TY_NONE ? ty_str_empty() : message;
}

Value ty_failure_line(Value failure)
{
    Value module = ty_tuple_item(failure, TYPE_MODULE), name = ty_tuple_item(failure, TYPE_QUALNAME), message = ty_tuple_item(failure, MESSAGE);
    if (name == TY_NONE)
        return message;
    bool plain = module == TY_NONE || ty_str_equal_text(module, "builtins") || ty_str_equal_text(module, "__main__");
    Value type = plain ? name : ty_str_format("%U.%U", module, name);
    return message == TY_NONE || type == TY_NULL ? type : ty_str_format("%U: %U", type, message);
}

static Value namespace_of(const char *const *names, const Value *values, int count)
{
    Value dict = ty_dict_new();
    for (int i = 0; i < count; i++)
        if (dict == TY_NULL || values[i] == TY_NULL || !ty_dict_set_text(dict, names[i], values[i]))
            return TY_NULL;
    return ty_namespace_new(dict);
}

Value ty_failure_show(Value failure)
{
    static const char *const type_names[] = {"__name__", "__qualname__", "__module__"};
    static const char *const names[] = {"type", "msg", "formatted", "errdisplay"};
    Value values[] = {
        namespace_of(type_names, ty_as_tuple(failure)->items, 3),
        ty_tuple_item(failure, MESSAGE),
        ty_failure_line(failure),
        ty_tuple_item(failure, DISPLAY),
    };
    return namespace_of(names, values, 4);
}
