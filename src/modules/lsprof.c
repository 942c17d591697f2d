/* _lsprof: what cProfile counts with. Calls and returns come by sys.monitoring, as the tool that PROFILER_ID names; only those of the thread that
 * enabled the profiler count.
 *
 * Entries and the stack of calls under way lie in memory of the profiler's own. What they are about (code objects, names of built-in functions) is
 * kept alive by `subjects`, a list; `index` finds the entry by the subject's address. */
#include "object/code.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "base/clock.h"
#include "vm/monitor.h"
#include <stdlib.h>

enum { TOOL = 2 };

typedef struct Times {
    int64_t calls, recursive_calls, level; /* level: how deep in itself it is now */
    double total, inside;
} Times;

typedef struct SubEntry { uint32_t callee; Times times; } SubEntry;

typedef struct Entry {
    Times times;
    SubEntry *callees;
    uint32_t callee_count, callee_capacity;
} Entry;

typedef struct Context { uint32_t entry; double start, in_callees; } Context;

typedef struct Profiler {
    TyObject base;
    Value timer;               /* TY_NULL: the clock */
    Value index, subjects;     /* dict: address → number; list */
    double unit;
    bool subcalls, builtins, enabled;
    bool in_timer;             /* the timer runs: entries must stay where they are */
    TyThread *thread;
    Entry *entries;
    Context *stack;
    uint32_t entry_capacity, depth, stack_capacity;
} Profiler;

static TyType profiler_type, entry_type, subentry_type;

static Profiler *as_profiler(Value v) { return (Profiler *)ty_object(v); }

static void profiler_trace(TyObject *self, TyMarker *marker)
{
    Profiler *p = (Profiler *)self;
    ty_mark(marker, p->timer);
    ty_mark(marker, p->index);
    ty_mark(marker, p->subjects);
}

static void free_entries(Profiler *p)
{
    for (uint32_t i = 0; i < p->entry_capacity; i++)
        free(p->entries[i].callees);
    free(p->entries);
    free(p->stack);
    p->entries = NULL;
    p->stack = NULL;
    p->entry_capacity = p->stack_capacity = p->depth = 0;
}

static void profiler_destroy(TyObject *self) { free_entries((Profiler *)self); }

/* --- counting ----------------------------------------------------------------------------------------------------------------- */

static double now(Profiler *p)
{
    if (p->timer == TY_NULL)
        return (double)ty_clock_monotonic_ns() * 1e-9;
    p->in_timer = true;
    Value time = ty_call_none(p->timer);
    p->in_timer = false;
    double seconds = 0;
    if (time != TY_NULL && ty_to_double(time, &seconds))
        return p->unit > 0 ? seconds * p->unit : seconds;
    ty_write_unraisable(p->timer, NULL);
    return 0;
}

/* The entry about the subject; false when memory is short. */
static bool find_entry(Profiler *p, const void *address, Value subject, uint32_t *found)
{
    Value key = ty_from_immediate_int((int64_t)((uintptr_t)address >> 3)), number = ty_dict_get(p->index, key);
    if (number != TY_NULL) {
        *found = (uint32_t)ty_immediate_int(number);
        return true;
    }
    if (ty_raised())
        return false;
    uint32_t count = (uint32_t)ty_list_length(p->subjects);
    if (count == p->entry_capacity) {
        uint32_t capacity = count ? count * 2 : 64;
        Entry *grown = realloc(p->entries, capacity * sizeof *grown);
        if (!grown)
            return ty_raise_memory_error(), false;
        memset(grown + count, 0, (capacity - count) * sizeof *grown);
        p->entries = grown;
        p->entry_capacity = capacity;
    }
    *found = count;
    return ty_list_append(p->subjects, subject) && ty_dict_set(p->index, key, ty_from_immediate_int(count));
}

static SubEntry *find_callee(Entry *entry, uint32_t callee)
{
    for (uint32_t i = 0; i < entry->callee_count; i++)
        if (entry->callees[i].callee == callee)
            return &entry->callees[i];
    if (entry->callee_count == entry->callee_capacity) {
        uint32_t capacity = entry->callee_capacity ? entry->callee_capacity * 2 : 4;
        SubEntry *grown = realloc(entry->callees, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        entry->callees = grown;
        entry->callee_capacity = capacity;
    }
    entry->callees[entry->callee_count] = (SubEntry){.callee = callee};
    return &entry->callees[entry->callee_count++];
}

static bool begin(Profiler *p, const void *address, Value subject)
{
    uint32_t entry;
    if (!find_entry(p, address, subject, &entry))
        return false;
    if (p->depth == p->stack_capacity) {
        uint32_t capacity = p->depth ? p->depth * 2 : 64;
        Context *grown = realloc(p->stack, capacity * sizeof *grown);
        if (!grown)
            return ty_raise_memory_error(), false;
        p->stack = grown;
        p->stack_capacity = capacity;
    }
    p->entries[entry].times.level++;
    SubEntry *callee = p->subcalls && p->depth ? find_callee(&p->entries[p->stack[p->depth - 1].entry], entry) : NULL;
    if (callee)
        callee->times.level++;
    p->stack[p->depth++] = (Context){entry, now(p), 0};
    return true;
}

static void count_times(Times *times, double total, double inside)
{
    if (--times->level == 0)
        times->total += total;
    else
        times->recursive_calls++;
    times->inside += inside;
    times->calls++;
}

static void end_innermost(Profiler *p)
{
    Context *context = &p->stack[--p->depth];
    double total = now(p) - context->start, inside = total - context->in_callees;
    if (p->depth)
        p->stack[p->depth - 1].in_callees += total;
    count_times(&p->entries[context->entry].times, total, inside);
    SubEntry *callee = p->subcalls && p->depth ? find_callee(&p->entries[p->stack[p->depth - 1].entry], context->entry) : NULL;
    if (callee)
        count_times(&callee->times, total, inside);
}

/* An end that has no beginning (the profiler was enabled inside the call) is passed over. */
static Value end(Profiler *p, const void *address)
{
    Value key = ty_from_immediate_int((int64_t)((uintptr_t)address >> 3)), number = p->depth ? ty_dict_get(p->index, key) : TY_NULL;
    if (number != TY_NULL && p->stack[p->depth - 1].entry == (uint32_t)ty_immediate_int(number))
        end_innermost(p);
    return ty_raised() ? TY_NULL : TY_NONE;
}

/* --- events ---------------------------------------------------------------------------------------------------------------------- */

static bool counts_here(const Profiler *p) { return p->enabled && p->thread == ty_thread && !p->in_timer; }

static Value start_callback(Value self, const Value *a, size_t count, Value keywords)
{
    Profiler *p = as_profiler(self);
    if (!ty_check_positional("_pystart_callback", count, 2, 3))
        return TY_NULL;
    return !counts_here(p) || begin(p, ty_object(a[0]), a[0]) ? TY_NONE : TY_NULL;
}

static Value return_callback(Value self, const Value *a, size_t count, Value keywords)
{
    Profiler *p = as_profiler(self);
    if (!ty_check_positional("_pyreturn_callback", count, 3, 3))
        return TY_NULL;
    return counts_here(p) ? end(p, ty_object(a[0])) : TY_NONE;
}

/* What identifies a built-in function: its declaration. NULL: the callable is something else. */
static const TyNativeDef *native_of(Value callable)
{
    if (ty_is_exact(callable, &ty_native_type))
        return ((TyNative *)ty_object(callable))->def;
    if (ty_is_exact(callable, &ty_method_descriptor_type))
        return ((TyMethodDescriptor *)ty_object(callable))->def;
    return NULL;
}

/* As "<method 'append' of 'list' objects>" or "<built-in method builtins.len>". */
static Value describe(Value callable)
{
    if (!ty_is_exact(callable, &ty_native_type))
        return ty_repr(callable);
    TyNative *native = (TyNative *)ty_object(callable);
    Value name = ty_get_attribute(callable, TY_NAME("__name__"));
    if (name == TY_NULL)
        return TY_NULL;
    if (native->module != TY_NULL && ty_is_str(native->module))
        return ty_str_format("<built-in method %U.%U>", native->module, name);
    if (native->self != TY_NULL) {
        Value found = ty_type_lookup(ty_type_of(native->self), name);
        if (found != TY_NULL)
            return ty_repr(found);
    }
    return ty_str_format("<built-in method %U>", name);
}

static Value call_callback(Value self, Value *a)
{
    Profiler *p = as_profiler(self);
    const TyNativeDef *def = counts_here(p) && p->builtins ? native_of(a[2]) : NULL;
    if (!def)
        return TY_NONE;
    Value key = ty_from_immediate_int((int64_t)((uintptr_t)def >> 3)), number = ty_dict_get(p->index, key);
    Value subject = number != TY_NULL ? TY_NONE : ty_raised() ? TY_NULL : describe(a[2]);
    return subject != TY_NULL && begin(p, def, subject) ? TY_NONE : TY_NULL;
}

static Value call_end_callback(Value self, Value *a)
{
    Profiler *p = as_profiler(self);
    const TyNativeDef *def = counts_here(p) && p->builtins ? native_of(a[2]) : NULL;
    return def ? end(p, def) : TY_NONE;
}

/* --- from Python --------------------------------------------------------------------------------------------------------------------- */

static const struct { int event; const char *callback; } watched[] = {
    {TY_EVENT_PY_START, "_pystart_callback"}, {TY_EVENT_PY_RESUME, "_pystart_callback"}, {TY_EVENT_PY_THROW, "_pystart_callback"},
    {TY_EVENT_PY_RETURN, "_pyreturn_callback"}, {TY_EVENT_PY_YIELD, "_pyreturn_callback"}, {TY_EVENT_PY_UNWIND, "_pyreturn_callback"},
    {TY_EVENT_CALL, "_ccall_callback"}, {TY_EVENT_C_RETURN, "_creturn_callback"}, {TY_EVENT_C_RAISE, "_creturn_callback"},
};

static void hold(uint32_t which, Value v)
{
    TyInterpreter *interpreter = ty_interpreter();
    ty_store(ty_object(interpreter->monitoring_state), ty_monitoring_value(interpreter, which), v);
}

static Value profiler_enable(Value self, Value *a)
{
    Profiler *p = as_profiler(self);
    int subcalls = a[0] == TY_NULL ? -1 : ty_is_true(a[0]), builtins = a[1] == TY_NULL ? -1 : ty_is_true(a[1]);
    if (ty_raised())
        return TY_NULL;
    Value name = ty_field(ty_monitoring_value(ty_interpreter(), TY_MONITORING_NAMES + TOOL));
    if (name != TY_NULL && name != TY_NONE)
        return ty_raise(&ty_ValueError, "tool %d is already in use", TOOL);
    if (subcalls >= 0)
        p->subcalls = subcalls;
    if (builtins >= 0)
        p->builtins = builtins;
    uint32_t events = 0;
    for (size_t i = 0; i < TY_COUNT_OF(watched); i++) {
        Value callback = ty_get_attribute(self, ty_intern_utf8(watched[i].callback, strlen(watched[i].callback)));
        if (callback == TY_NULL)
            return TY_NULL;
        hold((uint32_t)(TY_MONITORING_CALLBACKS + TOOL * TY_EVENT_COUNT + watched[i].event), callback);
        events |= 1u << watched[i].event;
    }
    hold(TY_MONITORING_NAMES + TOOL, TY_NAME("cProfile"));
    p->thread = ty_thread;
    p->enabled = true;
    ty_monitoring_set_global(TOOL, events & ~TY_EVENTS_C);
    return TY_NONE;
}

static Value profiler_disable(Value self, Value *a)
{
    Profiler *p = as_profiler(self);
    if (p->in_timer)
        return ty_raise(&ty_RuntimeError, "cannot disable profiler in external timer");
    if (!p->enabled)
        return TY_NONE;
    p->enabled = false;
    ty_monitoring_clear_tool(TOOL);
    hold(TY_MONITORING_NAMES + TOOL, TY_NULL);
    while (p->depth)
        end_innermost(p);
    return TY_NONE;
}

static bool start_anew(Profiler *p)
{
    Value index = ty_dict_new(), subjects = ty_list_new(0);
    if (index == TY_NULL || subjects == TY_NULL)
        return false;
    free_entries(p);
    ty_store(p, &p->index, index);
    ty_store(p, &p->subjects, subjects);
    return true;
}

static Value profiler_clear(Value self, Value *a)
{
    if (as_profiler(self)->in_timer)
        return ty_raise(&ty_RuntimeError, "cannot clear profiler in external timer");
    return start_anew(as_profiler(self)) ? TY_NONE : TY_NULL;
}

static Value statistics(TyType *type, Value subject, const Times *times, Value calls)
{
    Value fields[6] = { subject, ty_int_from_int64(times->calls), ty_int_from_int64(times->recursive_calls), ty_from_double(times->total), ty_from_double(times->inside), calls };
    return ty_struct_sequence_new(type, fields);
}

static Value callee_statistics(Profiler *p, const Entry *entry)
{
    Value list = TY_NONE;
    for (uint32_t i = 0; i < entry->callee_count; i++) {
        const SubEntry *callee = &entry->callees[i];
        if (callee->times.calls == 0)
            continue;
        if (list == TY_NONE && (list = ty_list_new(0)) == TY_NULL)
            return TY_NULL;
        Value row = statistics(&subentry_type, ty_list_item(p->subjects, callee->callee), &callee->times, TY_NULL);
        if (row == TY_NULL || !ty_list_append(list, row))
            return TY_NULL;
    }
    return list;
}

static Value profiler_getstats(Value self, Value *a)
{
    Profiler *p = as_profiler(self);
    if (p->enabled && profiler_disable(self, NULL) == TY_NULL)
        return TY_NULL;
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && i < ty_list_length(p->subjects); i++) {
        Entry *entry = &p->entries[i];
        if (entry->times.calls == 0)
            continue;
        Value calls = callee_statistics(p, entry);
        Value row = calls == TY_NULL ? TY_NULL : statistics(&entry_type, ty_list_item(p->subjects, i), &entry->times, calls);
        if (row == TY_NULL || !ty_list_append(list, row))
            return TY_NULL;
    }
    return list;
}

static TySignature profiler_signature = TY_SIGNATURE("Profiler(timer=None, timeunit=0.0, subcalls=True, builtins=True)");

static Value profiler_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    as_profiler(v)->subcalls = as_profiler(v)->builtins = true;
    return start_anew(as_profiler(v)) ? v : TY_NULL;
}

static bool profiler_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    Profiler *p = as_profiler(self);
    Value a[4];
    if (!ty_parse_arguments(&profiler_signature, arguments, count, keywords, a))
        return false;
    if (a[1] != TY_NULL && !ty_to_double(a[1], &p->unit))
        return false;
    if ((a[2] != TY_NULL && !ty_to_bool(a[2], &p->subcalls)) || (a[3] != TY_NULL && !ty_to_bool(a[3], &p->builtins)))
        return false;
    ty_store(p, &p->timer, a[0] == TY_NONE ? TY_NULL : a[0]);
    return true;
}

static const TyNativeDef profiler_methods[] = {
    TY_METHOD("enable(self, /, subcalls=True, builtins=True)", profiler_enable, "Start collecting profiling information."),
    TY_METHOD("disable(self, /)", profiler_disable, "Stop collecting profiling information."),
    TY_METHOD("clear(self, /)", profiler_clear, "Clear all profiling information collected so far."),
    TY_METHOD("getstats(self, /)", profiler_getstats, "list of profiler_entry objects."),
    TY_RAW_METHOD("_pystart_callback(self, code, instruction_offset, exception=None, /)", start_callback, NULL),
    TY_RAW_METHOD("_pyreturn_callback(self, code, instruction_offset, retval, /)", return_callback, NULL),
    TY_METHOD("_ccall_callback(self, code, instruction_offset, callable, self_arg, /)", call_callback, NULL),
    TY_METHOD("_creturn_callback(self, code, instruction_offset, callable, self_arg, /)", call_end_callback, NULL),
    {0}
};

static TyType profiler_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Profiler), .trace = profiler_trace, .destroy = profiler_destroy},
    .name = "_lsprof.Profiler",
    .doc = "Build a profiler object using the specified timer function.",
    .parent = &ty_object_base_type,
    .slots = {.new = profiler_new, .init = profiler_init},
    .methods = profiler_methods,
};

static const TyStructField entry_fields[] = {
    {"code", "code object or built-in function name"}, {"callcount", "how many times this was called"}, {"reccallcount", "how many times called recursively"},
    {"totaltime", "total time in this entry"}, {"inlinetime", "inline time in this entry (not in subcalls)"}, {"calls", "details of the calls"}, {0},
};
static const TyStructField subentry_fields[] = {
    {"code", "called code object or built-in function name"}, {"callcount", "how many times this is called"}, {"reccallcount", "how many times this is called recursively"},
    {"totaltime", "total time spent in this call"}, {"inlinetime", "inline time (not in further subcalls)"}, {0},
};
static const TyStructDef entry_def = {"_lsprof.profiler_entry", NULL, entry_fields, 6};
static const TyStructDef subentry_def = {"_lsprof.profiler_subentry", NULL, subentry_fields, 5};

static bool execute(Value module)
{
    return ty_type_ready(&profiler_type) && ty_struct_sequence_type(&entry_type, &entry_def) && ty_struct_sequence_type(&subentry_type, &subentry_def)
        && ty_module_add(module, "Profiler", ty_from_object(&profiler_type)) && ty_module_add(module, "profiler_entry", ty_from_object(&entry_type))
        && ty_module_add(module, "profiler_subentry", ty_from_object(&subentry_type));
}

const TyModuleDef ty_module__lsprof = {
    .name = "_lsprof",
    .doc = "Fast profiler",
    .execute = execute,
};
