/* sys.monitoring: who the tools are and what they wait for.
 *
 * Tools, names and callbacks are kept as PEP 669 says. The virtual machine does not raise these events yet: asking for one raises
 * NotImplementedError. (sys.settrace and sys.setprofile work.) */
#include "modules/monitoring.h"
#include "object/code.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/namespace.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

enum { TOOLS = 6, SLOTS = 8, LOCAL_EVENTS = 0x7FF, ALL_EVENTS = 0x7FFFF };
enum { STATE_NAMES, STATE_CALLBACKS = STATE_NAMES + SLOTS, STATE_COUNT = STATE_CALLBACKS + SLOTS };

static const struct { const char *name; int value; } events[] = {
    {"PY_START", 1 << 0}, {"PY_RESUME", 1 << 1}, {"PY_RETURN", 1 << 2}, {"PY_YIELD", 1 << 3}, {"CALL", 1 << 4}, {"LINE", 1 << 5}, {"INSTRUCTION", 1 << 6},
    {"JUMP", 1 << 7}, {"BRANCH_LEFT", 1 << 8}, {"BRANCH_RIGHT", 1 << 9}, {"STOP_ITERATION", 1 << 10}, {"RAISE", 1 << 11}, {"EXCEPTION_HANDLED", 1 << 12},
    {"PY_UNWIND", 1 << 13}, {"PY_THROW", 1 << 14}, {"RERAISE", 1 << 15}, {"C_RETURN", 1 << 16}, {"C_RAISE", 1 << 17}, {"BRANCH", 1 << 18}, {"NO_EVENTS", 0},
};

static Value *state_of(Value module) { return ty_module_state(module); }

static bool tool_argument(Value v, int32_t *out)
{
    if (!ty_to_int32(v, out))
        return false;
    if (*out >= 0 && *out < TOOLS)
        return true;
    ty_raise(&ty_ValueError, "invalid tool %d (must be between 0 and 5)", *out);
    return false;
}

static bool tool_in_use(Value module, int32_t tool)
{
    Value name = ty_field(&state_of(module)[STATE_NAMES + tool]);
    if (name != TY_NULL && name != TY_NONE)
        return true;
    ty_raise(&ty_ValueError, "tool %d is not in use", tool);
    return false;
}

static Value use_tool_id(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool))
        return TY_NULL;
    if (!ty_is_str(a[1]))
        return ty_raise(&ty_ValueError, "tool name must be a str");
    Value *slot = &state_of(module)[STATE_NAMES + tool], held = ty_field(slot);
    if (held != TY_NULL && held != TY_NONE)
        return ty_raise(&ty_ValueError, "tool %d is already in use", tool);
    ty_store(ty_object(module), slot, a[1]);
    return TY_NONE;
}

static Value clear_tool_id(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool))
        return TY_NULL;
    ty_store(ty_object(module), &state_of(module)[STATE_CALLBACKS + tool], TY_NONE);
    return TY_NONE;
}

static Value free_tool_id(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool) || clear_tool_id(module, a) == TY_NULL)
        return TY_NULL;
    ty_store(ty_object(module), &state_of(module)[STATE_NAMES + tool], TY_NONE);
    return TY_NONE;
}

static Value get_tool(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool))
        return TY_NULL;
    Value name = ty_field(&state_of(module)[STATE_NAMES + tool]);
    return name == TY_NULL ? TY_NONE : name;
}

static Value register_callback(Value module, Value *a)
{
    int32_t tool, event;
    if (!tool_argument(a[0], &tool) || !ty_to_int32(a[1], &event))
        return TY_NULL;
    if (event <= 0 || (event & (event - 1)))
        return ty_raise(&ty_ValueError, "The callback can only be set for one event at a time");
    if (event > ALL_EVENTS)
        return ty_raise(&ty_ValueError, "invalid event %d", event);
    Value *slot = &state_of(module)[STATE_CALLBACKS + tool], callbacks = ty_field(slot);
    if (callbacks == TY_NULL || callbacks == TY_NONE) {
        callbacks = ty_dict_new();
        if (callbacks == TY_NULL)
            return TY_NULL;
        ty_store(ty_object(module), slot, callbacks);
    }
    Value key = ty_from_immediate_int(event), old = ty_dict_get(callbacks, key);
    if (old == TY_NULL && ty_raised())
        return TY_NULL;
    if (!ty_dict_set(callbacks, key, a[2]))
        return TY_NULL;
    return old == TY_NULL ? TY_NONE : old;
}

static Value get_events(Value module, Value *a)
{
    int32_t tool;
    return tool_argument(a[0], &tool) && tool_in_use(module, tool) ? ty_from_immediate_int(0) : TY_NULL;
}

static Value set_events(Value module, Value *a)
{
    int32_t tool, set;
    if (!tool_argument(a[0], &tool) || !ty_to_int32(a[1], &set))
        return TY_NULL;
    if (set < 0 || set > ALL_EVENTS)
        return ty_raise(&ty_ValueError, "invalid event set 0x%x", set);
    if ((set & (3 << 16)) && !(set & (1 << 4)))
        return ty_raise(&ty_ValueError, "cannot set C_RETURN or C_RAISE events independently");
    if (!tool_in_use(module, tool))
        return TY_NULL;
    return set == 0 ? TY_NONE : ty_raise(&ty_NotImplementedError, "sys.monitoring.set_events");
}

static bool code_argument(Value v)
{
    if (ty_is_exact(v, &ty_code_type))
        return true;
    ty_raise(&ty_TypeError, "code must be a code object");
    return false;
}

static Value get_local_events(Value module, Value *a)
{
    int32_t tool;
    return code_argument(a[1]) && tool_argument(a[0], &tool) && tool_in_use(module, tool) ? ty_from_immediate_int(0) : TY_NULL;
}

static Value set_local_events(Value module, Value *a)
{
    int32_t tool, set;
    if (!code_argument(a[1]) || !tool_argument(a[0], &tool) || !ty_to_int32(a[2], &set) || !tool_in_use(module, tool))
        return TY_NULL;
    if ((set & (3 << 16)) && !(set & (1 << 4)))
        return ty_raise(&ty_ValueError, "cannot set C_RETURN or C_RAISE events independently");
    if (set & ~(LOCAL_EVENTS | 3 << 16 | 1 << 18))
        return ty_raise(&ty_ValueError, "invalid local event set 0x%x", set);
    return set == 0 ? TY_NONE : ty_raise(&ty_NotImplementedError, "sys.monitoring.set_local_events");
}

static Value restart_events(Value module, Value *a) { return TY_NONE; }
static Value all_events(Value module, Value *a) { return ty_dict_new(); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("use_tool_id(tool_id, name, /)", use_tool_id, "Takes a tool's id for a name."),
    TY_FUNCTION("clear_tool_id(tool_id, /)", clear_tool_id, "Forgets a tool's callbacks and events."),
    TY_FUNCTION("free_tool_id(tool_id, /)", free_tool_id, "Gives a tool's id back."),
    TY_FUNCTION("get_tool(tool_id, /)", get_tool, "The name that an id was taken for, or None."),
    TY_FUNCTION("register_callback(tool_id, event, func, /)", register_callback, "Sets what is called for an event, and returns what was called before."),
    TY_FUNCTION("get_events(tool_id, /)", get_events, "The events that a tool waits for everywhere."),
    TY_FUNCTION("set_events(tool_id, event_set, /)", set_events, "Sets the events that a tool waits for everywhere."),
    TY_FUNCTION("get_local_events(tool_id, code, /)", get_local_events, "The events that a tool waits for in a code object."),
    TY_FUNCTION("set_local_events(tool_id, code, event_set, /)", set_local_events, "Sets the events that a tool waits for in a code object."),
    TY_FUNCTION("restart_events()", restart_events, "Has events come again that a callback had switched off."),
    TY_FUNCTION("_all_events()", all_events, "The tools that wait for each event."),
    {0},
};

static bool execute(Value module)
{
    static const struct { const char *name; int value; } tools[] = {{"DEBUGGER_ID", 0}, {"COVERAGE_ID", 1}, {"PROFILER_ID", 2}, {"OPTIMIZER_ID", 5}};
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (!ty_module_add_int(module, tools[i].name, tools[i].value))
            return false;
    Value names = ty_dict_new();
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (names == TY_NULL || !ty_dict_set_text(names, events[i].name, ty_from_immediate_int(events[i].value)))
            return false;
    return ty_module_add(module, "events", ty_namespace_new(names)) && ty_module_add(module, "DISABLE", ty_call_none(ty_from_object(&ty_object_base_type))) &&
           ty_module_add(module, "MISSING", ty_call_none(ty_from_object(&ty_object_base_type)));
}

static const TyModuleDef monitoring = {
    .name = "sys.monitoring",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};

Value ty_monitoring_module(void) { return ty_module_create(&monitoring); }
