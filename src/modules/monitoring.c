/* sys.monitoring (PEP 669): tools, their names, callbacks and events. vm/monitor.h is what acts on them. */
#include "modules/monitoring.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/namespace.h"
#include "object/native.h"
#include "object/str.h"
#include "vm/monitor.h"

enum { TOOLS = 6 /* ids that Python code may take */, BRANCH = 1 << TY_EVENT_BRANCH, ALL_EVENTS = (1 << (TY_EVENT_COUNT + 1)) - 1 };

static Value *state(uint32_t which) { return ty_monitoring_value(ty_interpreter(), which); }
static Value held(uint32_t which) { Value v = ty_field(state(which)); return v == TY_NULL ? TY_NONE : v; }
static void hold(uint32_t which, Value v) { ty_store(ty_object(ty_interpreter()->monitoring_state), state(which), v == TY_NONE ? TY_NULL : v); }

static bool tool_argument(Value v, int32_t *out)
{
    if (!ty_to_int32(v, out))
        return false;
    if (*out >= 0 && *out < TOOLS)
        return true;
    ty_raise(&ty_ValueError, "invalid tool %d (must be between 0 and 5)", *out);
    return false;
}

static bool tool_in_use(int32_t tool)
{
    if (held((uint32_t)(TY_MONITORING_NAMES + tool)) != TY_NONE)
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
    if (held((uint32_t)(TY_MONITORING_NAMES + tool)) != TY_NONE)
        return ty_raise(&ty_ValueError, "tool %d is already in use", tool);
    hold((uint32_t)(TY_MONITORING_NAMES + tool), a[1]);
    return TY_NONE;
}

static Value clear_tool_id(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool))
        return TY_NULL;
    if (held((uint32_t)(TY_MONITORING_NAMES + tool)) != TY_NONE)
        ty_monitoring_clear_tool(tool);
    return TY_NONE;
}

static Value free_tool_id(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool) || clear_tool_id(module, a) == TY_NULL)
        return TY_NULL;
    hold((uint32_t)(TY_MONITORING_NAMES + tool), TY_NONE);
    return TY_NONE;
}

static Value get_tool(Value module, Value *a)
{
    int32_t tool;
    return tool_argument(a[0], &tool) ? held((uint32_t)(TY_MONITORING_NAMES + tool)) : TY_NULL;
}

static uint32_t callback_place(int tool, int event) { return (uint32_t)(TY_MONITORING_CALLBACKS + tool * TY_EVENT_COUNT + event); }

static Value register_callback(Value module, Value *a)
{
    int32_t tool, set;
    if (!tool_argument(a[0], &tool) || !ty_to_int32(a[1], &set))
        return TY_NULL;
    if (set <= 0 || (set & (set - 1)))
        return ty_raise(&ty_ValueError, "The callback can only be set for one event at a time");
    int event = __builtin_ctz((unsigned)set);
    if (event > TY_EVENT_BRANCH)
        return ty_raise(&ty_ValueError, "invalid event %d", set);
    _Atomic uint8_t *joint = &ty_interpreter()->monitoring.joint_branches;
    if (event != TY_EVENT_BRANCH) {
        if ((uint32_t)set & TY_EVENTS_BRANCH)
            atomic_fetch_and_explicit(joint, (uint8_t)~(1 << tool), memory_order_relaxed);
        Value before = held(callback_place(tool, event));
        hold(callback_place(tool, event), a[2]);
        return before;
    }
    Value before = held(callback_place(tool, TY_EVENT_BRANCH_LEFT));
    atomic_fetch_or_explicit(joint, (uint8_t)(1 << tool), memory_order_relaxed);
    hold(callback_place(tool, TY_EVENT_BRANCH_LEFT), a[2]);
    hold(callback_place(tool, TY_EVENT_BRANCH_RIGHT), a[2]);
    return before;
}

/* An event set without those that follow from others; false with ValueError. */
static bool set_argument(Value v, int32_t *set, bool local)
{
    if (!ty_to_int32(v, set))
        return false;
    if (*set < 0 || *set > ALL_EVENTS) {
        ty_raise(&ty_ValueError, local ? "invalid local event set 0x%x" : "invalid event set 0x%x", *set);
        return false;
    }
    uint32_t calls = TY_EVENTS_C | TY_EVENT_BIT(CALL);
    if ((uint32_t)*set & TY_EVENTS_C && ((uint32_t)*set & calls) != calls) {
        ty_raise(&ty_ValueError, "cannot set C_RETURN or C_RAISE events independently");
        return false;
    }
    *set &= (int32_t)~TY_EVENTS_C;
    if (*set & BRANCH)
        *set = (*set & ~BRANCH) | (int32_t)TY_EVENTS_BRANCH;
    if (!local || !((uint32_t)*set & ~TY_EVENTS_LOCAL))
        return true;
    ty_raise(&ty_ValueError, "invalid local event set 0x%x", *set);
    return false;
}

static Value get_events(Value module, Value *a)
{
    int32_t tool;
    if (!tool_argument(a[0], &tool))
        return TY_NULL;
    return ty_from_immediate_int((int64_t)ty_load_relaxed(&ty_interpreter()->monitoring.global[tool]));
}

static Value set_events(Value module, Value *a)
{
    int32_t tool, set;
    if (!tool_argument(a[0], &tool) || !set_argument(a[1], &set, false) || !tool_in_use(tool))
        return TY_NULL;
    ty_monitoring_set_global(tool, (uint32_t)set);
    return TY_NONE;
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
    uint32_t set;
    if (!code_argument(a[1]) || !tool_argument(a[0], &tool) || !ty_monitoring_get_local((TyCode *)ty_object(a[1]), tool, &set))
        return TY_NULL;
    return ty_from_immediate_int((int64_t)set);
}

static Value set_local_events(Value module, Value *a)
{
    int32_t tool, set;
    if (!code_argument(a[1]) || !tool_argument(a[0], &tool) || !set_argument(a[2], &set, true) || !tool_in_use(tool))
        return TY_NULL;
    return ty_monitoring_set_local((TyCode *)ty_object(a[1]), tool, (uint32_t)set) ? TY_NONE : TY_NULL;
}

static Value restart_events(Value module, Value *a)
{
    ty_monitoring_restart();
    return TY_NONE;
}

static const struct { const char *name; int value; } events[] = {
#define ROW(name, plane, arguments) { #name, 1 << TY_EVENT_##name },
    TY_EVENTS(ROW)
#undef ROW
    { "BRANCH", BRANCH }, { "NO_EVENTS", 0 },
};

static Value all_events(Value module, Value *a)
{
    Value result = ty_dict_new();
    for (int event = 0; result != TY_NULL && event < TY_EVENT_COUNT; event++) {
        int tools = 0;
        for (int tool = 0; tool < TY_MONITORING_TOOLS; tool++)
            tools |= (int)(ty_load_relaxed(&ty_interpreter()->monitoring.global[tool]) >> event & 1) << tool;
        if (tools && !ty_dict_set_text(result, events[event].name, ty_from_immediate_int(tools)))
            return TY_NULL;
    }
    return result;
}

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
    TyArray *kept = ty_array_new(TY_MONITORING_VALUES);
    if (!kept)
        return false;
    ty_interpreter()->monitoring_state = ty_from_object(kept);
    Value disable = ty_call_none(ty_from_object(&ty_object_base_type)), missing = ty_call_none(ty_from_object(&ty_object_base_type));
    ty_store(kept, &kept->items[TY_MONITORING_DISABLE], disable);
    ty_store(kept, &kept->items[TY_MONITORING_MISSING], missing);
    return ty_module_add(module, "events", ty_namespace_new(names)) && ty_module_add(module, "DISABLE", disable) && ty_module_add(module, "MISSING", missing);
}

static const TyModuleDef monitoring = {
    .name = "sys.monitoring",
    .functions = functions,
    .execute = execute,
};

Value ty_monitoring_module(void) { return ty_module_create(&monitoring); }
