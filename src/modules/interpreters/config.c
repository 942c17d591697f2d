/* Configurations of interpreters. What they forbid is forbidden here too; what they say of the GIL and of memory has no meaning here, but is
 * checked and remembered. */
#include "modules/interpreters/interpreters.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/namespace.h"
#include "object/str.h"
#include <string.h>

#define ISOLATED { TY_SWITCH_ALLOW_THREADS | TY_SWITCH_CHECK_MULTI_INTERP_EXTENSIONS, TY_GIL_OWN }
#define LEGACY_SWITCHES (TY_SWITCH_USE_MAIN_OBMALLOC | TY_SWITCH_ALLOW_FORK | TY_SWITCH_ALLOW_EXEC | TY_SWITCH_ALLOW_THREADS | TY_SWITCH_ALLOW_DAEMON_THREADS)

static const struct { const char *name; TyInterpreterConfig config; } named[] = {
    {"", ISOLATED},
    {"default", ISOLATED},
    {"isolated", ISOLATED},
    {"legacy", {LEGACY_SWITCHES, TY_GIL_SHARED}},
    {"empty", {0, TY_GIL_DEFAULT}},
};
const TyInterpreterConfig ty_main_interpreter_config = {LEGACY_SWITCHES, TY_GIL_OWN};

static const char *const switch_names[] = {
#define SWITCH_NAME(NAME, name) #name,
    TY_INTERPRETER_SWITCHES(SWITCH_NAME)
#undef SWITCH_NAME
};
enum { SWITCH_COUNT = sizeof switch_names / sizeof *switch_names };
static const char *const gil_names[TY_GIL_COUNT] = {"default", "shared", "own"};

bool ty_interpreter_config_named(const char *name, TyInterpreterConfig *config)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(name, named[i].name) == 0) {
            *config = named[i].config;
            return true;
        }
    ty_raise(&ty_ValueError, "unsupported config name '%s'", name);
    return false;
}

/* 1: found, 0: not there, -1: error. The field is taken out of the dict. */
static int take(Value dict, const char *name, Value *value)
{
    *value = ty_dict_pop(dict, ty_intern_text(name));
    return *value != TY_NULL ? 1 : ty_raised() ? -1 : 0;
}

static bool missing(int found, bool complete, const char *name)
{
    if (found == 0 && complete)
        ty_raise(&ty_ValueError, "missing config key: %s", name);
    return found < 0 || complete;
}

static bool read_gil(Value value, TyInterpreterConfig *config)
{
    if (!ty_is_str(value)) {
        ty_raise(&ty_TypeError, "invalid config type: gil");
        return false;
    }
    for (int i = 0; i < TY_GIL_COUNT; i++)
        if (ty_str_equal_text(value, gil_names[i])) {
            config->gil = (uint8_t)i;
            return true;
        }
    ty_raise(&ty_ValueError, "unsupported interpreter config .gil value '%U'", value);
    return false;
}

bool ty_interpreter_config_update(Value fields, bool complete, TyInterpreterConfig *config)
{
    Value dict = ty_dict_new(), value;
    if (dict == TY_NULL || !ty_dict_update(dict, fields))
        return false;
    for (int i = 0; i < SWITCH_COUNT; i++) {
        int found = take(dict, switch_names[i], &value);
        if (found <= 0) {
            if (missing(found, complete, switch_names[i]))
                return false;
            continue;
        }
        if (value != TY_TRUE && value != TY_FALSE) {
            ty_raise(&ty_TypeError, "invalid config type: %s", switch_names[i]);
            return false;
        }
        config->switches = (uint8_t)(value == TY_TRUE ? config->switches | 1 << i : config->switches & ~(1 << i));
    }
    int found = take(dict, "gil", &value);
    if (found > 0 ? !read_gil(value, config) : missing(found, complete, "gil"))
        return false;
    int64_t extra = ty_dict_length(dict);
    if (extra > 0) {
        ty_raise(&ty_ValueError, "config dict has %lld extra item%s (%R)", (long long)extra, extra == 1 ? "" : "s", dict);
        return false;
    }
    return true;
}

bool ty_interpreter_config_read(Value v, TyInterpreterConfig *config)
{
    if (v == TY_NONE || v == TY_NULL)
        return ty_interpreter_config_named("isolated", config);
    if (ty_is_str(v)) {
        size_t size;
        const char *name = ty_to_utf8(v, &size);
        return name && ty_interpreter_config_named(name, config);
    }
    bool failed;
    Value dict = ty_get_attribute_or_null(v, TY_NAME("__dict__"), &failed);
    if (failed)
        return false;
    if (dict == TY_NULL || !ty_is_dict(dict)) {
        ty_raise(&ty_TypeError, "bad config %R", v);
        return false;
    }
    return ty_interpreter_config_update(dict, true, config);
}

Value ty_interpreter_config_show(const TyInterpreterConfig *config)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL)
        return TY_NULL;
    for (int i = 0; i < SWITCH_COUNT; i++)
        if (!ty_dict_set_text(dict, switch_names[i], ty_from_bool(config->switches & 1 << i)))
            return TY_NULL;
    return ty_dict_set_text(dict, "gil", ty_intern_text(gil_names[config->gil])) ? ty_namespace_new(dict) : TY_NULL;
}
