#include "vm/monitor.h"
#include "object/bytes.h"
#include "object/code_tables.h"
#include "object/list.h"
#include "object/native.h"
#include "vm/trace.h"

/* --- what a code object keeps ------------------------------------------------------------------------------------------------ */

static void monitor_trace(TyObject *self, TyMarker *marker)
{
    TyCodeMonitor *monitor = (TyCodeMonitor *)self;
    ty_mark(marker, monitor->lines);
    ty_mark(marker, monitor->disabled);
}

TyType ty_code_monitor_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "code monitor", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .layout = { .size = sizeof(TyCodeMonitor), .trace = monitor_trace },
};

static const struct { const char *name; int8_t plane, arguments; } events[TY_EVENT_COUNT] = {
#define ROW(name_, plane_, arguments_) { #name_, plane_, arguments_ },
    TY_EVENTS(ROW)
#undef ROW
};

Value *ty_monitoring_value(TyInterpreter *interpreter, uint32_t which)
{
    return &((TyArray *)ty_object(interpreter->monitoring_state))->items[which];
}

static Value lines_of(const TyCode *code)
{
    Value bytes = ty_bytes_new(NULL, code->instruction_count * sizeof(int32_t));
    if (bytes == TY_NULL)
        return TY_NULL;
    int32_t *lines = (int32_t *)(void *)ty_as_bytes(bytes)->data;
    memset(lines, 0xFF, code->instruction_count * sizeof(int32_t));
    TyPositionReader reader;
    ty_position_reader_init(&reader, code);
    while (ty_position_reader_next(&reader))
        for (uint32_t i = reader.start; i < reader.stop && i < code->instruction_count; i++)
            lines[i] = reader.position.line;
    return bytes;
}

int ty_code_monitor_line(const TyCodeMonitor *monitor, uint32_t word)
{
    return ((const int32_t *)(const void *)ty_bytes_data(monitor->lines))[word];
}

static TyCodeMonitor *make_monitor(TyCaches *caches, const TyCode *code)
{
    TyCodeMonitor *fresh = ty_allocate(&ty_code_monitor_type, sizeof *fresh);
    if (!fresh)
        return NULL;
    TyMonitoring *monitoring = &caches->interpreter->monitoring;
    ty_store_relaxed(&fresh->version, ty_load_relaxed(&monitoring->version) - 1);
    fresh->restart = ty_load_relaxed(&monitoring->restart);
    for (int tool = 0; tool < TY_MONITORING_TOOLS; tool++)
        fresh->tool_version[tool] = ty_load_relaxed(&monitoring->tool_version[tool]);
    ty_store(fresh, &fresh->lines, lines_of(code));
    if (fresh->lines == TY_NULL)
        return NULL;
    TyObject *none = NULL;
    if (!atomic_compare_exchange_strong_explicit(&caches->monitor, &none, &fresh->base, memory_order_acq_rel, memory_order_acquire))
        return (TyCodeMonitor *)none; /* another thread was first */
    return fresh;
}

static void forget_disabled(TyCodeMonitor *monitor, uint8_t tools)
{
    if (monitor->disabled == TY_NULL)
        return;
    uint8_t *bits = ty_as_bytes(monitor->disabled)->data;
    for (int64_t i = 0; i < ty_bytes_length(monitor->disabled); i++)
        __atomic_fetch_and(&bits[i], (uint8_t)~tools, __ATOMIC_RELAXED);
}

/* Under the object's lock. */
static void bring_up_to_date(TyCodeMonitor *monitor, TyMonitoring *monitoring)
{
    uint32_t version = ty_load_acquire(&monitoring->version), all = 0;
    uint8_t tools[TY_EVENT_COUNT] = {0};
    if (monitor->restart != ty_load_relaxed(&monitoring->restart)) {
        monitor->restart = ty_load_relaxed(&monitoring->restart);
        forget_disabled(monitor, 0xFF);
    }
    for (int tool = 0; tool < TY_MONITORING_TOOLS; tool++) {
        uint32_t tool_version = ty_load_relaxed(&monitoring->tool_version[tool]);
        if (monitor->tool_version[tool] != tool_version) {
            if ((monitor->tool_version[tool] ^ tool_version) >> 16) /* the tool was cleared: the upper half counts that */
                monitor->local[tool] = 0;
            monitor->tool_version[tool] = tool_version;
            forget_disabled(monitor, (uint8_t)(1 << tool));
        }
        uint32_t set = monitor->local[tool] | ty_load_relaxed(&monitoring->global[tool]);
        if (set & TY_EVENT_BIT(CALL))
            set |= TY_EVENTS_C;
        all |= set;
        for (int event = 0; event < TY_EVENT_COUNT; event++)
            if (set >> event & 1)
                tools[event] |= (uint8_t)(1 << tool);
    }
    for (int event = 0; event < TY_EVENT_COUNT; event++)
        ty_store_relaxed(&monitor->tools[event], tools[event]);
    ty_store_relaxed(&monitor->events, all);
    ty_store_release(&monitor->version, version);
}

TyCodeMonitor *ty_code_monitor(TyCaches *caches, const TyCode *code)
{
    TyCodeMonitor *monitor = (TyCodeMonitor *)ty_load_acquire(&caches->monitor);
    if (TY_UNLIKELY(!monitor) && !(monitor = make_monitor(caches, code)))
        return NULL;
    TyMonitoring *monitoring = &caches->interpreter->monitoring;
    if (TY_UNLIKELY(ty_load_acquire(&monitor->version) != ty_load_relaxed(&monitoring->version))) {
        bool locked = ty_object_lock(&monitor->base);
        bring_up_to_date(monitor, monitoring);
        ty_object_unlock(&monitor->base, locked);
    }
    return monitor;
}

/* --- telling ------------------------------------------------------------------------------------------------------------------------ */

static uint8_t enabled_tools(const TyCodeMonitor *monitor, TyEvent event, uint32_t word)
{
    uint8_t tools = ty_code_monitor_tools(monitor, event);
    Value disabled = ty_field_acquire(&monitor->disabled);
    if (disabled != TY_NULL && events[event].plane >= 0)
        tools &= (uint8_t)~__atomic_load_n(&ty_bytes_data(disabled)[(size_t)word * TY_EVENT_PLANES + (size_t)events[event].plane], __ATOMIC_RELAXED);
    return tools;
}

static bool disable(TyCodeMonitor *monitor, TyEvent event, uint32_t word, int tool)
{
    Value bytes = ty_field_acquire(&monitor->disabled);
    if (bytes == TY_NULL) {
        size_t size = (size_t)ty_bytes_length(monitor->lines) / sizeof(int32_t) * TY_EVENT_PLANES;
        bytes = ty_bytes_new(NULL, size);
        if (bytes == TY_NULL)
            return false;
        memset(ty_as_bytes(bytes)->data, 0, size);
        bool locked = ty_object_lock(&monitor->base);
        if (monitor->disabled == TY_NULL)
            ty_store_publish(monitor, &monitor->disabled, bytes);
        else
            bytes = monitor->disabled;
        ty_object_unlock(&monitor->base, locked);
    }
    uint8_t *bits = &ty_as_bytes(bytes)->data[(size_t)word * TY_EVENT_PLANES];
    __atomic_fetch_or(&bits[events[event].plane], (uint8_t)(1 << tool), __ATOMIC_RELAXED);
    if ((1u << event) & TY_EVENTS_BRANCH && ty_load_relaxed(&ty_interpreter()->monitoring.joint_branches) >> tool & 1) {
        __atomic_fetch_or(&bits[events[TY_EVENT_BRANCH_LEFT].plane], (uint8_t)(1 << tool), __ATOMIC_RELAXED);
        __atomic_fetch_or(&bits[events[TY_EVENT_BRANCH_RIGHT].plane], (uint8_t)(1 << tool), __ATOMIC_RELAXED);
    }
    return true;
}

bool ty_monitor_tell(TyCodeMonitor *monitor, TyEvent event, uint32_t word, Value *arguments)
{
    uint8_t tools = enabled_tools(monitor, event, word);
    TyInterpreter *interpreter = ty_interpreter();
    while (tools) {
        int tool = __builtin_ctz(tools);
        tools &= (uint8_t)(tools - 1);
        Value *place = ty_monitoring_value(interpreter, (uint32_t)(TY_MONITORING_CALLBACKS + tool * TY_EVENT_COUNT + (int)event));
        Value callback = ty_field_acquire(place);
        if (callback == TY_NULL || callback == TY_NONE)
            continue;
        ty_trace_hold(ty_thread);
        Value result = ty_call(callback, arguments, (size_t)events[event].arguments, TY_NULL);
        ty_trace_release(ty_thread);
        if (result == TY_NULL)
            return false;
        if (result != ty_field(ty_monitoring_value(interpreter, TY_MONITORING_DISABLE)))
            continue;
        if (events[event].plane < 0) {
            if ((1u << event) & TY_EVENTS_C) /* follow from CALL */
                continue;
            ty_store(ty_object(interpreter->monitoring_state), place, TY_NULL);
            ty_raise(&ty_ValueError, "Cannot disable %s events. Callback removed.", events[event].name);
            return false;
        }
        if (!disable(monitor, event, word, tool))
            return false;
    }
    return true;
}

/* --- what tools ask for ---------------------------------------------------------------------------------------------------------------- */

static void update_thread(TyThread *thread, void *context)
{
    if (thread->interpreter == context)
        ty_poll_request(thread, TY_POLL_TRACE);
}

/* After any change: all threads of the interpreter look again, this one at once. */
static void changed(TyInterpreter *interpreter)
{
    TyMonitoring *monitoring = &interpreter->monitoring;
    bool active = ty_load_relaxed(&monitoring->any_local);
    for (int tool = 0; tool < TY_MONITORING_TOOLS; tool++)
        active |= ty_load_relaxed(&monitoring->global[tool]) != 0;
    ty_store_relaxed(&monitoring->active, active);
    atomic_fetch_add_explicit(&monitoring->version, 1, memory_order_release);
    ty_thread_each(update_thread, interpreter);
    ty_trace_update(ty_thread);
}

void ty_monitoring_set_global(int tool, uint32_t set)
{
    TyInterpreter *interpreter = ty_interpreter();
    uint32_t before = atomic_exchange_explicit(&interpreter->monitoring.global[tool], set, memory_order_relaxed);
    if (before == set)
        return;
    if (before & ~set) /* what is asked for again later comes again, disabled or not */
        atomic_fetch_add_explicit(&interpreter->monitoring.tool_version[tool], 1, memory_order_relaxed);
    changed(interpreter);
}

bool ty_monitoring_set_local(TyCode *code, int tool, uint32_t set)
{
    TyInterpreter *interpreter = ty_interpreter();
    TyCaches *caches = ty_code_caches_slow(code);
    TyCodeMonitor *monitor = caches ? ty_code_monitor(caches, code) : NULL;
    if (!monitor)
        return false;
    bool locked = ty_object_lock(&monitor->base);
    uint32_t before = monitor->local[tool];
    monitor->local[tool] = set;
    if (before & ~set)
        forget_disabled(monitor, (uint8_t)(1 << tool));
    ty_object_unlock(&monitor->base, locked);
    if (before == set)
        return true;
    if (set)
        ty_store_relaxed(&interpreter->monitoring.any_local, true);
    changed(interpreter);
    return true;
}

bool ty_monitoring_get_local(TyCode *code, int tool, uint32_t *set)
{
    TyCaches *caches = ty_code_caches_slow(code);
    TyCodeMonitor *monitor = caches ? ty_code_monitor(caches, code) : NULL;
    if (!monitor)
        return false;
    bool locked = ty_object_lock(&monitor->base);
    *set = monitor->local[tool];
    ty_object_unlock(&monitor->base, locked);
    return true;
}

void ty_monitoring_clear_tool(int tool)
{
    TyInterpreter *interpreter = ty_interpreter();
    ty_store_relaxed(&interpreter->monitoring.global[tool], 0);
    atomic_fetch_and_explicit(&interpreter->monitoring.joint_branches, (uint8_t)~(1 << tool), memory_order_relaxed);
    atomic_fetch_add_explicit(&interpreter->monitoring.tool_version[tool], 1 << 16, memory_order_relaxed);
    for (int event = 0; event < TY_EVENT_COUNT; event++)
        ty_store(ty_object(interpreter->monitoring_state), ty_monitoring_value(interpreter, (uint32_t)(TY_MONITORING_CALLBACKS + tool * TY_EVENT_COUNT + event)), TY_NULL);
    changed(interpreter);
}

void ty_monitoring_restart(void)
{
    TyInterpreter *interpreter = ty_interpreter();
    atomic_fetch_add_explicit(&interpreter->monitoring.restart, 1, memory_order_relaxed);
    changed(interpreter);
}
