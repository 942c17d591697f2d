/* _remote_debugging: what asyncio's tools need of another process. _inspect: what typhon.inspect shows of it. */
#include "inspect/unwind.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <stdlib.h>

/* --- records --------------------------------------------------------------------------------------------------------------------------------------- */

static const TyStructField task_fields[] = {{"task_id", "Task ID (memory address)"}, {"task_name", "Task name"}, {"coroutine_stack", "Coroutine call stack"}, {"awaited_by", "Tasks awaiting this task"}, {0}};
static const TyStructField frame_fields[] = {{"filename", "Source code filename"}, {"lineno", "Line number"}, {"funcname", "Function name"}, {0}};
static const TyStructField coro_fields[] = {{"call_stack", "Coroutine call stack"}, {"task_name", "Task name"}, {0}};
static const TyStructField thread_fields[] = {{"thread_id", "Thread ID"}, {"frame_info", "Frame information"}, {0}};
static const TyStructField awaited_fields[] = {{"thread_id", "Thread ID"}, {"awaited_by", "List of tasks awaited by this thread"}, {0}};
static const TyStructDef record_defs[RECORDS] = {
    {"_remote_debugging.TaskInfo", "Information about an asyncio task", task_fields, 4},
    {"_remote_debugging.FrameInfo", "Information about a frame", frame_fields, 3},
    {"_remote_debugging.CoroInfo", "Information about a coroutine", coro_fields, 2},
    {"_remote_debugging.ThreadInfo", "Information about a thread", thread_fields, 2},
    {"_remote_debugging.AwaitedInfo", "Information about what a thread is awaiting", awaited_fields, 2},
};
static TyType record_types[RECORDS];

Value ty_unwind_record(int which, const Value *fields)
{
    for (int i = 0; i < record_defs[which].visible; i++)
        if (fields[i] == TY_NULL)
            return TY_NULL;
    return ty_struct_sequence_new(&record_types[which], fields);
}

static bool ready_records(void)
{
    for (int i = 0; i < RECORDS; i++)
        if (!ty_struct_sequence_type(&record_types[i], &record_defs[i]))
            return false;
    return true;
}

/* --- RemoteUnwinder ---------------------------------------------------------------------------------------------------------------------------------- */

static void unwinder_trace(TyObject *self, TyMarker *marker) { ty_mark_range(marker, &((TyUnwinder *)self)->texts, 2); }

static bool fill(TyUnwinder *u, int64_t pid)
{
    ty_store(u, &u->texts, ty_dict_new());
    ty_store(u, &u->chains, ty_dict_new());
    return u->texts != TY_NULL && u->chains != TY_NULL && ty_remote_open(&u->remote, pid);
}

static Value unwinder_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("RemoteUnwinder(pid, *, all_threads=False, only_active_thread=False, debug=False)");
    Value a[4];
    int64_t pid;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a) || !ty_to_int64(a[0], &pid))
        return TY_NULL;
    int all = a[1] == TY_NULL ? 0 : ty_is_true(a[1]), active = a[2] == TY_NULL ? 0 : ty_is_true(a[2]);
    if (all < 0 || active < 0)
        return TY_NULL;
    if (all && active)
        return ty_raise(&ty_ValueError, "all_threads and only_active_thread cannot both be True");
    if (active)
        return ty_raise(&ty_RuntimeError, "only_active_thread is not supported: any number of threads may be active");
    Value v = ty_type_allocate(type, 0);
    TyUnwinder *u = (TyUnwinder *)ty_object(v);
    if (!u || !fill(u, pid))
        return TY_NULL;
    u->all_threads = all;
    return v;
}

/* Chains hold for one answer, and it is none if the process has ended meanwhile. */
static bool begin(TyUnwinder *u)
{
    ty_store(u, &u->chains, ty_dict_new());
    ty_store(u, &u->texts, ty_dict_new());
    return u->chains != TY_NULL && u->texts != TY_NULL;
}

static Value end(TyUnwinder *u, Value answer)
{
    if (answer != TY_NULL && ty_remote_gone(&u->remote))
        return ty_raise(&ty_RuntimeError, "process %d has ended", (int)u->remote.pid);
    return answer;
}

static bool add_record(Value list, int which, Value first, Value second)
{
    Value fields[] = {first, second}, record = ty_unwind_record(which, fields);
    return record != TY_NULL && ty_list_append(list, record);
}

static Value get_stack_trace(Value self, Value *a)
{
    TyUnwinder *u = (TyUnwinder *)ty_object(self);
    RemoteThreads threads;
    Value list = begin(u) ? ty_list_new(1) : TY_NULL;
    if (list == TY_NULL || !ty_unwind_threads(u, &threads))
        return TY_NULL;
    bool fine = true;
    for (size_t i = 0; fine && i < threads.count; i++) {
        const RemoteThread *thread = &threads.items[i];
        if (!u->all_threads && !thread->main)
            continue;
        Value stack = ty_unwind_stack(u, thread, false);
        fine = stack != TY_NULL && (ty_list_length(stack) == 0 || add_record(list, RECORD_THREAD, ty_int_from_int64((int64_t)thread->native_id), stack));
        if (fine && !u->all_threads && ty_list_length(stack))
            break;
    }
    free(threads.items);
    return end(u, fine ? list : TY_NULL);
}

static Value interpreters_of(TyUnwinder *u)
{
    Value list = ty_list_new(1);
    uint64_t address = ty_remote_word(&u->remote, u->remote.table.interpreters);
    for (int n = 0; list != TY_NULL && address && n < REMOTE_THREADS_MAX; n++) {
        if (!ty_list_append(list, ty_int_from_int64((int64_t)address)))
            return TY_NULL;
        address = ty_remote_word(&u->remote, address + u->remote.table.interpreter_next);
    }
    return list != TY_NULL && ty_list_reverse(list) ? list : TY_NULL; /* the newest is first there */
}

/* Tasks of all interpreters, by thread; those of threads that have ended are at the end, under the thread 0. */
static Value get_all_awaited_by(Value self, Value *a)
{
    TyUnwinder *u = (TyUnwinder *)ty_object(self);
    Value interpreters = begin(u) ? interpreters_of(u) : TY_NULL, lists = ty_list_new(1), answer = ty_list_new(1), orphans = ty_list_new(0);
    if (interpreters == TY_NULL || lists == TY_NULL || answer == TY_NULL || orphans == TY_NULL)
        return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(interpreters); i++)
        if (ty_unwind_tasks(u, (uint64_t)ty_immediate_int(ty_list_item(interpreters, i)), lists) == TY_NULL)
            return TY_NULL;
    for (int64_t i = 0; i < ty_list_length(lists); i++) {
        Value pair = ty_list_item(lists, i), thread = ty_tuple_item(pair, 0), tasks = ty_tuple_item(pair, 1);
        if (thread == ty_from_immediate_int(0) ? !ty_list_extend(orphans, tasks) : !add_record(answer, RECORD_AWAITED, thread, tasks))
            return TY_NULL;
    }
    return end(u, add_record(answer, RECORD_AWAITED, ty_from_immediate_int(0), orphans) ? answer : TY_NULL);
}

static Value get_async_stack_trace(Value self, Value *a)
{
    TyUnwinder *u = (TyUnwinder *)ty_object(self);
    RemoteThreads threads;
    Value list = begin(u) ? ty_list_new(1) : TY_NULL;
    if (list == TY_NULL || !ty_unwind_threads(u, &threads))
        return TY_NULL;
    bool fine = true;
    for (size_t i = 0; fine && i < threads.count; i++) {
        Value tasks = threads.items[i].task ? ty_unwind_running(u, &threads.items[i]) : ty_list_new(0);
        fine = tasks != TY_NULL && (ty_list_length(tasks) == 0 || add_record(list, RECORD_AWAITED, ty_int_from_int64((int64_t)threads.items[i].native_id), tasks));
    }
    free(threads.items);
    return end(u, fine ? list : TY_NULL);
}

static const TyNativeDef unwinder_methods[] = {
    TY_METHOD("get_stack_trace(self, /)", get_stack_trace, "The Python stacks of the main thread, or of all threads: a list of ThreadInfo, frames innermost first."),
    TY_METHOD("get_all_awaited_by(self, /)", get_all_awaited_by, "The tasks of all threads and interpreters with who awaits them: a list of AwaitedInfo."),
    TY_METHOD("get_async_stack_trace(self, /)", get_async_stack_trace, "The tasks that run now, and all that wait for them: a list of AwaitedInfo."),
    {0}};

TyType ty_unwinder_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TyUnwinder), .trace = unwinder_trace},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_remote_debugging.RemoteUnwinder",
    .doc = "RemoteUnwinder(pid, *, all_threads=False, only_active_thread=False, debug=False)\n--\n\nLooks into another process that runs this program.",
    .parent = &ty_object_base_type,
    .slots = {.new = unwinder_new},
    .methods = unwinder_methods,
};

static TyType *const types[] = {&ty_unwinder_type, NULL};

static bool execute(Value module)
{
    static const char *const names[RECORDS] = {"TaskInfo", "FrameInfo", "CoroInfo", "ThreadInfo", "AwaitedInfo"};
    if (!ready_records() || !ty_module_add_int(module, "PROCESS_VM_READV_SUPPORTED", 1))
        return false;
    for (int i = 0; i < RECORDS; i++)
        if (!ty_module_add(module, names[i], ty_from_object(&record_types[i])))
            return false;
    return true;
}

const TyModuleDef ty_module__remote_debugging = {
    .name = "_remote_debugging",
    .doc = "Looks into other processes.",
    .types = types,
    .execute = execute,
};

/* --- _inspect ------------------------------------------------------------------------------------------------------------------------------------------- */

static bool put(Value dict, const char *key, Value value) { return value != TY_NULL && ty_dict_set_text(dict, key, value); }

static Value thread_dict(TyUnwinder *u, const RemoteThread *thread)
{
    static const char *const states[] = {"running", "waiting", "stopped"};
    Value dict = ty_dict_new(), stack = ty_unwind_stack(u, thread, true);
    if (dict == TY_NULL || stack == TY_NULL)
        return TY_NULL;
    bool fine = put(dict, "id", ty_int_from_int64((int64_t)thread->native_id)) && put(dict, "main", ty_from_bool(thread->main)) &&
                put(dict, "daemon", ty_from_bool(thread->daemon)) &&
                put(dict, "state", thread->state < 3 ? ty_str_from_text(states[thread->state]) : ty_str_from_text("unknown")) &&
                put(dict, "task", thread->task ? ty_int_from_int64((int64_t)(thread->task & TY_INT_IMMEDIATE_MAX)) : TY_NONE) && put(dict, "stack", stack);
    return fine ? dict : TY_NULL;
}

/* The interpreter's part of the heap: its bytes and their limit. */
static void memory_of(TyUnwinder *u, uint64_t interpreter, uint64_t *bytes, uint64_t *limit)
{
    const TyInspectTable *t = &u->remote.table;
    uint64_t space = ty_remote_word(&u->remote, t->heap_spaces);
    *bytes = *limit = 0;
    for (int n = 0; space && n < REMOTE_THREADS_MAX; n++) {
        if (ty_remote_word(&u->remote, space + t->space_interpreter) == interpreter) {
            *bytes = ty_remote_word(&u->remote, space + t->space_bytes);
            *limit = ty_remote_word(&u->remote, space + t->space_limit);
            return;
        }
        space = ty_remote_word(&u->remote, space + t->space_next);
    }
}

static Value interpreter_dict(TyUnwinder *u, uint64_t address, const RemoteThreads *threads)
{
    const TyInspectTable *t = &u->remote.table;
    uint64_t bytes, limit;
    memory_of(u, address, &bytes, &limit);
    Value dict = ty_dict_new(), list = ty_list_new(1), tasks = ty_list_new(1);
    bool fine = dict != TY_NULL && list != TY_NULL && tasks != TY_NULL && ty_unwind_tasks(u, address, tasks) != TY_NULL;
    for (size_t i = 0; fine && i < threads->count; i++) {
        if (threads->items[i].interpreter != address)
            continue;
        Value thread = thread_dict(u, &threads->items[i]);
        fine = thread != TY_NULL && ty_list_append(list, thread);
    }
    fine = fine && put(dict, "id", ty_int_from_int64((int64_t)ty_remote_word(&u->remote, address + t->interpreter_id))) &&
           put(dict, "memory", ty_int_from_int64((int64_t)(bytes & INT64_MAX))) &&
           put(dict, "memory_limit", limit ? ty_int_from_int64((int64_t)(limit & INT64_MAX)) : TY_NONE) && put(dict, "threads", list) && put(dict, "tasks", tasks);
    return fine ? dict : TY_NULL;
}

static bool put_collections(TyUnwinder *u, Value dict)
{
    const TyInspectTable *t = &u->remote.table;
    const struct { const char *name; uint32_t offset; } rows[] = {
        {"collections", t->statistics_collections}, {"last_pause_ns", t->statistics_last_pause}, {"longest_pause_ns", t->statistics_longest_pause},
        {"total_pause_ns", t->statistics_total_pause}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!put(dict, rows[i].name, ty_int_from_int64((int64_t)(ty_remote_word(&u->remote, t->heap_statistics + rows[i].offset) & INT64_MAX))))
            return false;
    return true;
}

static Value snapshot(Value module, Value *a)
{
    int64_t pid;
    TyUnwinder *u = ty_to_int64(a[0], &pid) ? (TyUnwinder *)ty_object(ty_type_allocate(&ty_unwinder_type, 0)) : NULL;
    RemoteThreads threads;
    if (!u || !fill(u, pid) || !ty_unwind_threads(u, &threads))
        return TY_NULL;
    Value dict = ty_dict_new(), interpreters = interpreters_of(u), list = ty_list_new(1);
    char release[sizeof u->remote.table.release + 1] = {0};
    memcpy(release, u->remote.table.release, sizeof u->remote.table.release);
    bool fine = dict != TY_NULL && interpreters != TY_NULL && list != TY_NULL && put(dict, "pid", ty_int_from_int64(pid)) &&
                put(dict, "release", ty_str_from_latin1(release, strlen(release))) && put_collections(u, dict);
    for (int64_t i = 0; fine && i < ty_list_length(interpreters); i++) {
        Value one = interpreter_dict(u, (uint64_t)ty_immediate_int(ty_list_item(interpreters, i)), &threads);
        fine = one != TY_NULL && ty_list_append(list, one);
    }
    free(threads.items);
    return end(u, fine && put(dict, "interpreters", list) ? dict : TY_NULL);
}

static const TyNativeDef inspect_functions[] = {
    TY_FUNCTION("snapshot(pid, /)", snapshot, "What there is in a process: a dict of its interpreters, threads, stacks, tasks, memory and collections."), {0}};

static bool execute_inspect(Value module) { return ty_type_ready(&ty_unwinder_type) && ready_records(); }

const TyModuleDef ty_module__inspect = {
    .name = "_inspect",
    .doc = "Looks into other processes that run this program.",
    .functions = inspect_functions,
    .execute = execute_inspect,
};
