/* atexit: functions to be called when the interpreter closes, last registered first. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "modules/atexit.h"

/* The interpreter keeps a list of (function, arguments, keywords). */
static Value callbacks(bool make)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value list = ty_field_acquire(&interpreter->atexit_callbacks);
    if (!list && make && (list = ty_list_new(0)) != TY_NULL)
        ty_store_publish(interpreter, &interpreter->atexit_callbacks, list);
    return list;
}

static Value atexit_register(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "register() takes at least 1 argument (0 given)");
    if (!ty_is_callable(arguments[0]))
        return ty_raise(&ty_TypeError, "the first argument must be callable");
    Value positional = ty_tuple_from_array(arguments + 1, count - 1), named = TY_NONE;
    if (keywords && ty_tuple_length(keywords)) {
        named = ty_dict_new();
        for (int64_t i = 0; named && i < ty_tuple_length(keywords); i++)
            if (!ty_dict_set(named, ty_tuple_item(keywords, i), arguments[count + (size_t)i]))
                return TY_NULL;
    }
    Value entry = ty_tuple_pack(3, arguments[0], positional, named), list = entry ? callbacks(true) : TY_NULL;
    return list && ty_list_append(list, entry) ? arguments[0] : TY_NULL;
}

void ty_atexit_run(void)
{
    Value list = callbacks(false);
    while (list && ty_list_length(list)) {
        Value entry = ty_list_pop(list, ty_list_length(list) - 1);
        if (!entry) {
            ty_clear_exception(); /* someone else took it */
            continue;
        }
        Value function = ty_tuple_item(entry, 0), named = ty_tuple_item(entry, 2);
        if (!ty_call_with(function, ty_tuple_item(entry, 1), named == TY_NONE ? TY_NULL : named)) {
            Value raised = ty_take_exception();
            Value message = ty_str_format("Exception ignored in atexit callback %R", function);
            if (!message)
                ty_clear_exception();
            ty_restore_exception(raised);
            ty_write_unraisable_text(TY_NULL, message);
        }
    }
}

static Value atexit_run(Value module, Value *a)
{
    ty_atexit_run();
    return TY_NONE;
}
static Value atexit_clear(Value module, Value *a)
{
    Value list = callbacks(false);
    return !list || ty_list_clear(list) ? TY_NONE : TY_NULL;
}
static Value atexit_count(Value module, Value *a)
{
    Value list = callbacks(false);
    return ty_int_from_int64(list ? ty_list_length(list) : 0);
}

/* Comparing calls Python code, which may change the list: an entry is looked for again before it goes. */
static Value atexit_unregister(Value module, Value *a)
{
    Value list = callbacks(false);
    for (int64_t i = list ? ty_list_length(list) - 1 : -1; i >= 0; i--) {
        Value entry = ty_list_item(list, i);
        if (!entry)
            continue;
        int equal = ty_equal(ty_tuple_item(entry, 0), a[0]);
        if (equal < 0)
            return TY_NULL;
        for (int64_t at = TY_MIN(i, ty_list_length(list) - 1); equal && at >= 0; at--)
            if (ty_list_item(list, at) == entry) {
                if (!ty_list_pop(list, at))
                    return TY_NULL;
                break;
            }
    }
    return TY_NONE;
}

static const TyNativeDef atexit_functions[] = {
    TY_RAW_FUNCTION("register(func, /, *args, **kwargs)", atexit_register,
                    "Has func(*args, **kwargs) called when the interpreter closes; returns func."),
    TY_FUNCTION("unregister(func, /)", atexit_unregister, "Takes back all registrations of the function."),
    TY_FUNCTION("_clear()", atexit_clear, "Takes back all registrations."),
    TY_FUNCTION("_run_exitfuncs()", atexit_run, "Calls the functions now, and forgets them."),
    TY_FUNCTION("_ncallbacks()", atexit_count, "How many functions are registered."),
    {0}};

const TyModuleDef ty_module_atexit = {
    .name = "atexit",
    .doc = "Functions to be called at exit, last registered first.",
    .functions = atexit_functions,
};
