/* The module _warnings, and warning from C: filters, registries, showing. Per interpreter: one list of state Values. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "runtime/runtime.h"
#include "vm/frame.h"
#include "vm/generator.h"

/* The Python module warnings, if it is imported: its filters win over ours. */
static Value python_module(void)
{
    Value modules = ty_interpreter()->modules;
    Value module = modules == TY_NULL ? TY_NULL : ty_dict_get_text(modules, "warnings");
    return module;
}

static Value state(const char *name)
{
    Value python = python_module();
    if (python != TY_NULL) {
        bool failed;
        Value v = ty_get_attribute_or_null(python, ty_intern_text(name), &failed);
        if (v != TY_NULL)
            return v;
        ty_clear_exception();
    }
    Value own = ty_module_current("_warnings");
    return own == TY_NULL ? TY_NULL : ty_get_attribute(own, ty_intern_text(name));
}

/* --- filters ---------------------------------------------------------------------------------------------------------- */

static int matches(Value pattern, Value text)
{
    if (pattern == TY_NONE)
        return 1;
    if (ty_is_exact_str(pattern))
        return ty_equal(pattern, text);
    Value result = ty_call_method_one(pattern, TY_NAME("match"), text);
    return result == TY_NULL ? -1 : ty_is_true(result);
}

/* 1: the filter applies; 0: not; -1: error. */
static int filter_applies(Value filter, Value text, Value category, Value module, int64_t line)
{
    if (!ty_is_tuple(filter) || ty_tuple_length(filter) != 5)
        return ty_raise(&ty_ValueError, "warnings.filters item isn't a 5-tuple"), -1;
    int r = matches(ty_tuple_item(filter, 1), text);
    if (r <= 0)
        return r;
    if ((r = ty_issubclass(category, ty_tuple_item(filter, 2))) <= 0)
        return r;
    if ((r = matches(ty_tuple_item(filter, 3), module)) <= 0)
        return r;
    int64_t wanted;
    if (!ty_to_int64(ty_tuple_item(filter, 4), &wanted))
        return -1;
    return wanted == 0 || wanted == line;
}

static Value find_action_in(Value filters, Value text, Value category, Value module, int64_t line, Value *item)
{
    for (int64_t i = 0; i < ty_list_length(filters); i++) {
        Value filter = ty_list_item(filters, i);
        int applies = filter == TY_NULL ? 0 : filter_applies(filter, text, category, module, line);
        if (applies < 0)
            return TY_NULL;
        if (applies) {
            *item = filter;
            Value action = ty_tuple_item(filter, 0);
            return ty_is_str(action) ? action : ty_raise(&ty_TypeError, "action must be a string, not '%T'", action);
        }
    }
    return TY_NULL;
}

static Value find_action(Value text, Value category, Value module, int64_t line, Value *item)
{
    *item = TY_NONE;
    Value python = python_module(), own = ty_module_current("_warnings");
    if (own == TY_NULL)
        return TY_NULL;
    if (python != TY_NULL) { /* filters of the context come first (context_aware_warnings) */
        bool failed;
        Value get = ty_get_attribute_or_null(own, TY_NAME("_warnings_context_filters"), &failed);
        Value context_filters = get == TY_NULL ? TY_NULL : ty_call_none(get);
        if (context_filters != TY_NULL && ty_is_list(context_filters)) {
            Value action = find_action_in(context_filters, text, category, module, line, item);
            if (action != TY_NULL || ty_raised())
                return action;
        }
        if (ty_raised())
            return TY_NULL;
    }
    Value filters = state("filters");
    if (filters == TY_NULL)
        return TY_NULL;
    if (!ty_is_list(filters))
        return ty_raise(&ty_ValueError, "_warnings.filters must be a list");
    Value action = find_action_in(filters, text, category, module, line, item);
    if (action != TY_NULL || ty_raised())
        return action;
    action = state("defaultaction");
    if (action == TY_NULL) {
        ty_clear_exception();
        action = state("_defaultaction");
    }
    return action;
}

/* Whether the key was seen; notes it if asked. A registry from before the filters changed is emptied. */
static int already_warned(Value registry, Value key, bool set)
{
    if (key == TY_NULL)
        return -1;
    Value own = ty_module_current("_warnings");
    Value version = own == TY_NULL ? TY_NULL : ty_get_attribute(own, TY_NAME("_filters_version"));
    if (version == TY_NULL)
        return -1;
    Value noted = ty_dict_get_text(registry, "version");
    if (noted == TY_NULL ? ty_raised() : false)
        return -1;
    if (noted == TY_NULL || noted != version) {
        ty_dict_clear(registry);
        if (!ty_dict_set_text(registry, "version", version))
            return -1;
    } else {
        Value seen = ty_dict_get(registry, key);
        if (seen == TY_NULL && ty_raised())
            return -1;
        if (seen != TY_NULL) {
            int truth = ty_is_true(seen);
            if (truth != 0)
                return truth;
        }
    }
    return set && !ty_dict_set(registry, key, TY_TRUE) ? -1 : 0;
}

/* --- showing ------------------------------------------------------------------------------------------------------------- */

static bool show(Value message, Value text, Value category, Value filename, int64_t line, Value source_line, Value source)
{
    Value python = python_module();
    if (python == TY_NULL && !ty_load_relaxed(&ty_interpreter()->finalizing) && ty_interpreter()->importlib != TY_NULL && source != TY_NULL)
        python = ty_import_module("warnings");
    if (ty_raised())
        ty_clear_exception();
    bool failed;
    Value hook = python == TY_NULL ? TY_NULL : ty_get_attribute_or_null(python, TY_NAME("_showwarnmsg"), &failed);
    if (hook == TY_NULL) {
        ty_clear_exception();
        Value error = ty_sys_get("stderr");
        Value shown = ty_str_format("%S:%lld: %U: %S\n", filename, (long long)line, ty_as_type(category)->name_value, text);
        return error == TY_NULL || error == TY_NONE || (shown != TY_NULL && ty_call_method_one(error, TY_NAME("write"), shown) != TY_NULL);
    }
    Value make = ty_get_attribute(python, TY_NAME("WarningMessage"));
    if (make == TY_NULL)
        return false;
    Value arguments[7] = { message, category, filename, ty_int_from_int64(line), TY_NONE, TY_NONE, source == TY_NULL ? TY_NONE : source };
    Value record = ty_call(make, arguments, 7, TY_NULL);
    return record != TY_NULL && ty_call_one(hook, record) != TY_NULL;
}

static Value module_from_filename(Value filename)
{
    int64_t n = ty_str_length(filename);
    if (n == 0)
        return ty_str_from_text("<unknown>");
    if (n > 3 && ty_str_at(filename, n - 3) == '.' && ty_str_at(filename, n - 2) == 'p' && ty_str_at(filename, n - 1) == 'y')
        return ty_str_slice(filename, 0, n - 3);
    return filename;
}

static bool is_category(Value v) { return ty_is_type(v) && ty_type_is_subtype(ty_as_type(v), &ty_Warning); }

static bool warn_explicit(Value category, Value message, Value filename, int64_t line, Value module, Value registry, Value source_line, Value source)
{
    if (registry != TY_NULL && registry != TY_NONE && !ty_is_dict(registry))
        return ty_raise(&ty_TypeError, "'registry' must be a dict or None"), false;
    if (registry == TY_NONE)
        registry = TY_NULL;
    if (module == TY_NULL && (module = module_from_filename(filename)) == TY_NULL)
        return false;
    Value text;
    if (ty_is_instance_of(message, &ty_Warning)) {
        text = ty_str(message);
        category = ty_from_object(ty_type_of(message));
    } else {
        text = message;
        message = ty_call_one(category, message);
    }
    if (text == TY_NULL || message == TY_NULL)
        return false;
    Value key = ty_tuple_pack(3, text, category, ty_int_from_int64(line));
    if (key == TY_NULL)
        return false;
    if (registry != TY_NULL) {
        int seen = already_warned(registry, key, false);
        if (seen != 0)
            return seen > 0;
    }
    Value item, action = find_action(text, category, module, line, &item);
    if (action == TY_NULL)
        return false;
    if (ty_str_equal_text(action, "error")) {
        ty_raise_object(message);
        return false;
    }
    if (ty_str_equal_text(action, "ignore"))
        return true;
    int seen = 0;
    if (registry != TY_NULL && !ty_str_equal_text(action, "once") && !ty_str_equal_text(action, "always") && !ty_str_equal_text(action, "all") && !ty_dict_set(registry, key, TY_TRUE))
        return false;
    if (ty_str_equal_text(action, "once")) {
        if (registry == TY_NULL && (registry = state("onceregistry")) == TY_NULL) {
            ty_clear_exception();
            registry = state("_onceregistry");
            if (registry == TY_NULL)
                return false;
        }
        seen = already_warned(registry, ty_tuple_pack(2, text, category), true);
    } else if (ty_str_equal_text(action, "module")) {
        if (registry != TY_NULL)
            seen = already_warned(registry, ty_tuple_pack(3, text, category, ty_from_immediate_int(0)), true);
    } else if (!ty_str_equal_text(action, "default") && !ty_str_equal_text(action, "always") && !ty_str_equal_text(action, "all")) {
        ty_raise(&ty_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action, item);
        return false;
    }
    if (seen != 0)
        return seen > 0;
    return show(message, text, category, filename, line, source_line, source);
}

/* --- where a warning comes from --------------------------------------------------------------------------------------------- */

static bool is_import_frame(const TyFrame *frame)
{
    return ty_str_find(frame->code->filename, TY_NAME("importlib"), 0, ty_str_length(frame->code->filename), 1) >= 0
        && ty_str_find(frame->code->filename, TY_NAME("_bootstrap"), 0, ty_str_length(frame->code->filename), 1) >= 0;
}

static bool skipped(const TyFrame *frame, Value prefixes)
{
    if (is_import_frame(frame))
        return true;
    for (int64_t i = 0; prefixes != TY_NULL && i < ty_tuple_length(prefixes); i++) {
        Value prefix = ty_tuple_item(prefixes, i);
        int64_t n = ty_str_length(prefix);
        if (ty_str_length(frame->code->filename) >= n && ty_str_find(frame->code->filename, prefix, 0, n, 1) == 0)
            return true;
    }
    return false;
}

static TyFrame *next_external(TyFrame *frame, Value prefixes)
{
    do
        frame = frame->previous;
    while (frame && skipped(frame, prefixes));
    return frame;
}

typedef struct Place { Value filename, module, registry; int64_t line; } Place;

static bool find_place(int64_t stack_level, Value prefixes, Place *place)
{
    TyFrame *frame = ty_thread->frame;
    if (stack_level <= 0 || (frame && is_import_frame(frame)))
        while (--stack_level > 0 && frame)
            frame = frame->previous;
    else
        while (--stack_level > 0 && frame)
            frame = next_external(frame, prefixes);
    Value globals;
    if (!frame) {
        globals = ty_interpreter()->sys;
        place->filename = ty_str_from_text("<sys>");
        place->line = 0;
    } else {
        globals = frame->function->globals;
        place->filename = frame->code->filename;
        place->line = ty_frame_line(frame);
    }
    place->registry = ty_dict_get_text(globals, "__warningregistry__");
    if (place->registry == TY_NULL) {
        if (ty_raised() || (place->registry = ty_dict_new()) == TY_NULL || !ty_dict_set_text(globals, "__warningregistry__", place->registry))
            return false;
    }
    place->module = ty_dict_get_text(globals, "__name__");
    if (place->module == TY_NULL || !ty_is_str(place->module))
        place->module = ty_str_from_text("<string>");
    return place->filename != TY_NULL && place->module != TY_NULL;
}

static bool warn_at(Value category, Value message, int64_t stack_level, Value prefixes, Value source)
{
    Place place;
    return find_place(stack_level, prefixes, &place) && warn_explicit(category, message, place.filename, place.line, place.module, place.registry, TY_NULL, source);
}

bool ty_warn_explicit(TyType *category, Value message, Value filename, int line)
{
    return warn_explicit(ty_from_object(category), message, filename, line, TY_NULL, TY_NULL, TY_NULL, TY_NULL);
}

bool ty_warn_message(TyType *category, Value message, int64_t stack_level, Value source) { return warn_at(ty_from_object(category), message, stack_level, TY_NULL, source); }

bool ty_warn_unawaited_coroutine(Value coroutine)
{
    Value python = ty_import_module("warnings"), hook = python == TY_NULL ? TY_NULL : ty_get_attribute(python, TY_NAME("_warn_unawaited_coroutine"));
    if (hook != TY_NULL)
        return ty_call_one(hook, coroutine) != TY_NULL;
    ty_clear_exception();
    return ty_warn(&ty_RuntimeWarning, 1, "coroutine '%U' was never awaited", ((TyGenerator *)ty_object(coroutine))->qualname);
}

/* --- the module ------------------------------------------------------------------------------------------------------------------ */

static Value category_of(Value message, Value category)
{
    if (ty_is_instance_of(message, &ty_Warning))
        return ty_from_object(ty_type_of(message));
    if (category == TY_NULL || category == TY_NONE)
        return ty_from_object(&ty_UserWarning);
    if (!is_category(category))
        return ty_raise(&ty_TypeError, "category must be a Warning subclass, not '%s'", ty_is_type(category) ? ty_as_type(category)->name : ty_type_of(category)->name);
    return category;
}

static Value warnings_warn(Value self, Value *a)
{
    int64_t level = 1;
    Value category = category_of(a[0], a[1]), prefixes = a[4] == TY_NULL ? TY_NULL : a[4];
    if (category == TY_NULL || (a[2] != TY_NULL && !ty_to_int64(a[2], &level)))
        return TY_NULL;
    if (prefixes != TY_NULL) {
        if (!ty_is_tuple(prefixes))
            return ty_raise(&ty_TypeError, "warn() argument 'skip_file_prefixes' must be tuple, not %T", prefixes);
        for (int64_t i = 0; i < ty_tuple_length(prefixes); i++)
            if (!ty_is_str(ty_tuple_item(prefixes, i)))
                return ty_raise(&ty_TypeError, "Found non-str '%T' in skip_file_prefixes.", ty_tuple_item(prefixes, i));
        if (ty_tuple_length(prefixes) > 0 && level < 2)
            level = 2;
    }
    return warn_at(category, a[0], level, prefixes, a[3] == TY_NULL ? TY_NONE : a[3]) ? TY_NONE : TY_NULL;
}

static Value warnings_warn_explicit(Value self, Value *a)
{
    int64_t line;
    if (!is_category(a[1]))
        return ty_raise(&ty_TypeError, "category must be a Warning subclass, not '%s'", ty_is_type(a[1]) ? ty_as_type(a[1])->name : ty_type_of(a[1])->name);
    if (!ty_require_str(a[2], "warn_explicit", "argument 'filename'") || !ty_to_int64(a[3], &line))
        return TY_NULL;
    if (a[6] != TY_NULL && a[6] != TY_NONE && !ty_is_dict(a[6]))
        return ty_raise(&ty_TypeError, "module_globals must be a dict, not '%T'", a[6]);
    return warn_explicit(a[1], a[0], a[2], line, a[4] == TY_NONE ? TY_NULL : a[4], a[5], TY_NULL, a[7] == TY_NULL ? TY_NONE : a[7]) ? TY_NONE : TY_NULL;
}

static Value filters_mutated(Value self, Value *a)
{
    Value version = ty_get_attribute(self, TY_NAME("_filters_version"));
    Value next = version == TY_NULL ? TY_NULL : ty_int_add(version, ty_from_immediate_int(1));
    return next != TY_NULL && ty_set_attribute(self, TY_NAME("_filters_version"), next) ? TY_NONE : TY_NULL;
}

static Value context_filters(Value self, Value *a)
{
    Value python = python_module();
    bool failed;
    Value variable = ty_get_attribute_or_null(self, TY_NAME("_warnings_context"), &failed);
    if (python == TY_NULL || variable == TY_NULL)
        return failed ? TY_NULL : TY_NONE;
    Value context = ty_call_method_one(variable, TY_NAME("get"), TY_NONE);
    if (context == TY_NULL || context == TY_NONE)
        return context;
    return ty_get_attribute(context, TY_NAME("_filters"));
}

static Value nothing(Value self, Value *a) { return TY_NONE; }

static const TyNativeDef functions[] = {
    TY_FUNCTION("warn(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())", warnings_warn, "Issue a warning, or maybe ignore it or raise an exception."),
    TY_FUNCTION("warn_explicit(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)", warnings_warn_explicit, "Issue a warning, or maybe ignore it or raise an exception."),
    TY_FUNCTION("_filters_mutated_lock_held()", filters_mutated, NULL),
    TY_FUNCTION("_acquire_lock()", nothing, NULL),
    TY_FUNCTION("_release_lock()", nothing, NULL),
    TY_FUNCTION("_warnings_context_filters()", context_filters, NULL),
    {0}
};

static Value filter(TyType *category, const char *action, const char *module)
{
    return ty_tuple_pack(5, ty_str_from_text(action), TY_NONE, ty_from_object(category), module ? ty_str_from_text(module) : TY_NONE, ty_from_immediate_int(0));
}

static bool execute(Value module)
{
    Value filters = ty_list_new(5);
    if (filters == TY_NULL || !ty_list_append(filters, filter(&ty_DeprecationWarning, "default", "__main__")) || !ty_list_append(filters, filter(&ty_DeprecationWarning, "ignore", NULL))
        || !ty_list_append(filters, filter(&ty_PendingDeprecationWarning, "ignore", NULL)) || !ty_list_append(filters, filter(&ty_ImportWarning, "ignore", NULL))
        || !ty_list_append(filters, filter(&ty_ResourceWarning, "ignore", NULL)))
        return false;
    /* The context variable of warnings.catch_warnings when warnings belong to contexts. */
    Value context = ty_call_one(ty_module_function("_contextvars", "ContextVar"), ty_str_from_text("warnings_context"));
    return context != TY_NULL && ty_module_add(module, "_warnings_context", context) && ty_module_add(module, "filters", filters) && ty_module_add_str(module, "_defaultaction", "default")
        && ty_module_add(module, "_onceregistry", ty_dict_new()) && ty_module_add_int(module, "_filters_version", 1);
}

const TyModuleDef ty_module__warnings = { .name = "_warnings", .doc = "_warnings provides basic warning filtering support.\nIt is a helper module to speed up interpreter start-up.", .functions = functions, .execute = execute };
