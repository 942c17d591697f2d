/* _interpreters: making, using and ending interpreters.
 *
 * What is known of an interpreter here is a record, an object of the heap that a table finds by the interpreter's id. Who has found a record may look
 * at it without a lock; the interpreter itself may be touched only by who has put the record to work: its state goes from idle to RUNNING or CLOSING by a compare-and-swap, and
 * there is one such user at a time. A calling OS thread runs the other interpreter's code itself. */
#include "crossing/crossing.h"
#include "crossing/queues.h"
#include "modules/interpreters/interpreters.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include "vm/frame.h"

enum { WHENCE_UNKNOWN, WHENCE_RUNTIME, WHENCE_LEGACY_CAPI, WHENCE_CAPI, WHENCE_XI, WHENCE_STDLIB };

/* Bits of a record's state. */
#define RUNNING 1u
#define CLOSING 2u
#define UNWANTED 4u   /* the last reference was given up while it was running: to be closed when it is idle */

typedef struct Record {
    TyIdentified identified;
    TyInterpreter *interpreter;
    _Atomic uint32_t state;
    _Atomic int64_t references;
    bool counted;     /* lives as long as someone refers to it */
    uint8_t whence;
    TyInterpreterConfig config;
} Record;

static TyType record_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(Record)}, .flags = TY_TYPE_NO_NEW, .name = "_interpreters._Record", .parent = &ty_object_base_type,
};

static TyIdTable records;

/* --- exceptions --------------------------------------------------------------------------------------------------------------------- */

TyType ty_InterpreterError = {
    .base = TY_STATIC_HEADER(ty_type_type), .flags = TY_TYPE_EXCEPTION, .name = "concurrent.interpreters.InterpreterError",
    .doc = "A cross-interpreter operation failed", .parent = &ty_Exception,
};
TyType ty_InterpreterNotFoundError = {
    .base = TY_STATIC_HEADER(ty_type_type), .flags = TY_TYPE_EXCEPTION, .name = "concurrent.interpreters.InterpreterNotFoundError",
    .doc = "An interpreter was not found", .parent = &ty_InterpreterError,
};

/* --- finding --------------------------------------------------------------------------------------------------------------------------- */

static Record *enter_record(TyInterpreter *interpreter, uint8_t whence, const TyInterpreterConfig *config, bool counted)
{
    Record *record = ty_allocate(&record_type, sizeof *record);
    if (!record)
        return NULL;
    record->interpreter = interpreter;
    record->whence = whence;
    record->config = *config;
    record->counted = counted;
    if (whence == WHENCE_RUNTIME)
        record->state = RUNNING;
    return ty_id_table_add(&records, &record->identified, interpreter->id) ? record : NULL;
}

static Record *find(int64_t id)
{
    Record *record = (Record *)ty_id_table_find(&records, id);
    if (TY_UNLIKELY(!record))
        ty_raise(&ty_InterpreterNotFoundError, "unrecognized interpreter ID %lld", (long long)id);
    return record;
}

static bool read_id(Value v, int64_t *id)
{
    if (TY_LIKELY(ty_is_immediate_int(v)))
        *id = ty_immediate_int(v);
    else {
        if (!ty_has_index(v))
            return ty_raise(&ty_TypeError, "interpreter ID must be an int, got %T", v), false;
        Value number = ty_number_index(v);
        if (number == TY_NULL)
            return false;
        if (ty_int_get_int64(number, id) != 0)
            return ty_raise(&ty_OverflowError, "int too big to convert"), false;
    }
    if (*id < 0)
        return ty_raise(&ty_ValueError, "interpreter ID must be a non-negative int, got %R", v), false;
    return true;
}

/* The record of the interpreter with the id `v`; `restricted` (TY_NULL: no): only one that create() made. `what` is what was wanted of it. */
static Record *look_up(Value v, Value restricted, const char *what)
{
    int64_t id;
    int restrict_it = restricted == TY_NULL ? 0 : ty_is_true(restricted);
    if (restrict_it < 0 || !read_id(v, &id))
        return NULL;
    Record *record = find(id);
    if (record && restrict_it && record->whence != WHENCE_STDLIB)
        return ty_raise(&ty_InterpreterError, "cannot %s unrecognized interpreter %lld", what, (long long)id), NULL;
    return record;
}

static Value id_of(const Record *record) { return ty_int_from_int64(record->identified.id); }

/* --- life -------------------------------------------------------------------------------------------------------------------------------- */

/* The caller of ty_interpreter_close has put the record to CLOSING. */
void ty_interpreter_gone(int64_t id)
{
    ty_id_table_remove(&records, id);
    ty_queues_interpreter_closed(id);
    ty_channels_interpreter_closed(id);
}

bool ty_interpreter_claim(TyInterpreter *interpreter)
{
    Record *record = (Record *)ty_id_table_find(&records, interpreter->id);
    return !record || !(atomic_fetch_or_explicit(&record->state, CLOSING, memory_order_acquire) & (RUNNING | CLOSING));
}

static bool begin(Record *record)
{
    uint32_t idle = 0;
    if (TY_LIKELY(atomic_compare_exchange_strong_explicit(&record->state, &idle, RUNNING, memory_order_acquire, memory_order_relaxed)))
        return true;
    ty_raise(&ty_InterpreterError, "interpreter already running");
    return false;
}

static void close_unwanted(Record *record)
{
    uint32_t unwanted = UNWANTED;
    if (ty_load_relaxed(&record->references) <= 0 && atomic_compare_exchange_strong_explicit(&record->state, &unwanted, CLOSING, memory_order_acquire, memory_order_relaxed))
        ty_interpreter_close(record->interpreter);
}

static void end(Record *record)
{
    uint32_t before = atomic_fetch_and_explicit(&record->state, ~RUNNING, memory_order_release);
    if (TY_UNLIKELY(before & UNWANTED))
        close_unwanted(record);
}

static Value interpreters_create(Value self, Value *a)
{
    TyInterpreterConfig config;
    int counted = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    if (counted < 0 || !ty_interpreter_config_read(a[0], &config))
        return TY_NULL;
    const char *refused = !(config.switches & (TY_SWITCH_USE_MAIN_OBMALLOC | TY_SWITCH_CHECK_MULTI_INTERP_EXTENSIONS)) ? "per-interpreter obmalloc does not support single-phase init extension modules" : NULL;
    if (refused) {
        ty_raise(&ty_RuntimeError, "%s", refused);
        return ty_raise_from(&ty_InterpreterError, "interpreter creation failed");
    }
    TyInterpreter *interpreter = ty_interpreter_new();
    if (!interpreter)
        return ty_raise_from(&ty_InterpreterError, "interpreter creation failed");
    interpreter->no_fork = !(config.switches & TY_SWITCH_ALLOW_FORK);
    interpreter->no_exec = !(config.switches & TY_SWITCH_ALLOW_EXEC);
    interpreter->no_threads = !(config.switches & TY_SWITCH_ALLOW_THREADS);
    interpreter->no_daemon_threads = !(config.switches & TY_SWITCH_ALLOW_DAEMON_THREADS);
    Record *record = enter_record(interpreter, WHENCE_STDLIB, &config, counted);
    if (!record) {
        ty_interpreter_close(interpreter);
        return TY_NULL;
    }
    return id_of(record);
}

static Value interpreters_destroy(Value self, Value *a)
{
    Record *record = look_up(a[0], a[1], "destroy");
    if (!record)
        return TY_NULL;
    if (record->identified.id == ty_interpreter()->id)
        return ty_raise(&ty_InterpreterError, "cannot destroy the current interpreter");
    uint32_t state = ty_load_relaxed(&record->state) & UNWANTED;
    if (!atomic_compare_exchange_strong_explicit(&record->state, &state, CLOSING, memory_order_acquire, memory_order_relaxed)) {
        if (state & CLOSING)
            return ty_raise(&ty_InterpreterNotFoundError, "unrecognized interpreter ID %lld", (long long)record->identified.id);
        return ty_raise(&ty_InterpreterError, "interpreter running");
    }
    ty_interpreter_close(record->interpreter);
    return TY_NONE;
}

static Value interpreters_list_all(Value self, Value *a)
{
    int64_t count;
    TyArray *all = ty_id_table_list(&records, &count);
    Value list = all ? ty_list_new(count) : TY_NULL;
    for (int64_t i = 0; list != TY_NULL && i < count; i++) {
        Record *record = (Record *)ty_object(all->items[i]);
        if (ty_load_relaxed(&record->state) & CLOSING)
            continue;
        Value pair = ty_tuple_pack(2, id_of(record), ty_from_immediate_int(record->whence));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            return TY_NULL;
    }
    return list;
}

static Value show(int64_t id)
{
    Record *record = find(id);
    return record ? ty_tuple_pack(2, id_of(record), ty_from_immediate_int(record->whence)) : TY_NULL;
}

static Value interpreters_get_current(Value self, Value *a) { return show(ty_interpreter()->id); }
static Value interpreters_get_main(Value self, Value *a) { return show(ty_interpreter_main()->id); }

static Value interpreters_is_running(Value self, Value *a)
{
    Record *record = look_up(a[0], a[1], "check if running for");
    return record ? ty_from_bool(ty_load_relaxed(&record->state) & RUNNING) : TY_NULL;
}

static Value interpreters_whence(Value self, Value *a)
{
    Record *record = look_up(a[0], TY_NULL, NULL);
    return record ? ty_from_immediate_int(record->whence) : TY_NULL;
}

static Value interpreters_incref(Value self, Value *a)
{
    Record *record = look_up(a[0], a[2], "incref");
    if (!record)
        return TY_NULL;
    int link = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    if (link < 0)
        return TY_NULL;
    if (link)
        record->counted = true;
    atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return TY_NONE;
}

static Value interpreters_decref(Value self, Value *a)
{
    Record *record = look_up(a[0], a[1], "decref");
    if (!record)
        return TY_NULL;
    if (atomic_fetch_sub_explicit(&record->references, 1, memory_order_relaxed) != 1 || !record->counted)
        return TY_NONE;
    uint32_t before = atomic_fetch_or_explicit(&record->state, UNWANTED, memory_order_relaxed);
    if (!(before & (RUNNING | CLOSING)))
        close_unwanted(record);
    return TY_NONE;
}

/* --- configurations ------------------------------------------------------------------------------------------------------------------------ */

static const char *type_shown(Value v) { return v == TY_NONE ? "None" : ty_type_short_name(ty_type_of(v)); }

static Value interpreters_new_config(Value self, Value *a)
{
    TyInterpreterConfig config;
    if (a[0] != TY_NULL && !ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "_interpreters.new_config() argument 1 must be str, not %s", type_shown(a[0]));
    if (!ty_interpreter_config_read(a[0], &config) || !ty_interpreter_config_update(a[1], false, &config))
        return TY_NULL;
    return ty_interpreter_config_show(&config);
}

static Value interpreters_get_config(Value self, Value *a)
{
    Value id = a[0] == TY_NONE ? ty_int_from_int64(ty_interpreter()->id) : a[0];
    Record *record = look_up(id, a[1], "get the config of");
    return record ? ty_interpreter_config_show(&record->config) : TY_NULL;
}

/* --- running code there ----------------------------------------------------------------------------------------------------------------------- */

/* What came of running something in another interpreter; everything in it crosses as it is. */
typedef struct Outcome {
    Value parcel;         /* of the result; TY_NULL: something failed */
    Value failure;        /* of the exception that failed it, or TY_NULL: not even that could be made */
    const char *stage;    /* NULL: the code itself failed; else what could not be brought over, "args" */
} Outcome;

/* In the other interpreter, with an exception raised. */
static Outcome failed(const char *stage)
{
    Value exception = ty_take_exception();
    Outcome outcome = { TY_NULL, ty_failure_capture(exception), stage };
    if (outcome.failure == TY_NULL)
        ty_clear_exception();
    return outcome;
}

static const char arguments_stage[] = "args not shareable";
static const char result_stage[] = "object does not support cross-interpreter data";

typedef Outcome (*Work)(void *what);

/* Back from there: what a signal handler raised meanwhile is why the work failed, if it did. False: that is raised. */
static bool not_interrupted(const Outcome *outcome)
{
    Value raised = ty_thread->interruption;
    ty_thread->interruption = TY_NULL;
    if (raised == TY_NULL || outcome->parcel != TY_NULL)
        return ty_poll_run(); /* signals that came too late for that */
    ty_raise_object(raised);
    return false;
}

/* Does some work in the record's interpreter on this OS thread. False: it could not be begun, or a signal handler raised; an exception is raised here. */
static bool visit(Record *record, Work work, void *what, Outcome *outcome)
{
    if (!begin(record))
        return false;
    TyThread *back = ty_interpreter_enter(record->interpreter);
    if (TY_LIKELY(back != NULL)) {
        *outcome = work(what);
        ty_interpreter_leave(back);
    }
    end(record);
    return back != NULL && not_interrupted(outcome);
}

/* What could not be brought over, as an exception of the caller. */
static Value raise_stage(const Outcome *outcome)
{
    Value line = outcome->failure == TY_NULL ? TY_NULL : ty_failure_line(outcome->failure);
    if (line == TY_NULL)
        return ty_raised() ? TY_NULL : ty_raise_memory_error();
    bool arguments = outcome->stage == arguments_stage;
    Value cause = arguments ? ty_str_format("%U\n\nThe above exception was the direct cause of the following exception:\n\n"
                                            "concurrent.interpreters.NotShareableError: object could not be unpickled", line) : line;
    if (cause == TY_NULL)
        return TY_NULL;
    ty_raise_value(&ty_Exception, cause);
    if (arguments)
        return ty_raise_from(&ty_NotShareableError, "%s", outcome->stage);
    return ty_raise_from(&ty_NotShareableError, "%U", ty_failure_message(outcome->failure));
}

/* None, or the namespace that tells of the exception; TY_NULL with an exception. */
static Value report(const Outcome *outcome)
{
    if (outcome->parcel != TY_NULL)
        return TY_NONE;
    if (outcome->stage)
        return raise_stage(outcome);
    return outcome->failure == TY_NULL ? ty_raise_memory_error() : ty_failure_show(outcome->failure);
}

static Outcome do_call(void *what)
{
    TyCrossingCall *call = what;
    if (!ty_crossing_receive_call(call))
        return failed(arguments_stage);
    Value result = ty_call_with(call->function, call->arguments, call->keywords);
    if (result == TY_NULL)
        return failed(NULL);
    Outcome outcome = { ty_crossing_pack(result, "result"), TY_NULL, NULL };
    return outcome.parcel != TY_NULL ? outcome : failed(result_stage);
}

/* --- the calls of InterpreterPoolExecutor ----------------------------------------------------------------------------------------------------- */

/* Its workers call do_call(results, function, args, kwargs) of concurrent.futures.interpreter, which puts the exception of a task that failed into the
 * queue `results`. For that alone each worker's interpreter would have to import the library of futures, threads, logging and queues: tens of
 * milliseconds. So that function is done here, and only a task that fails imports anything. */
static bool is_pool_call(Value function, Value arguments, Value keywords)
{
    if (!ty_is_function(function) || arguments == TY_NULL || ty_tuple_length(arguments) != 4 || (keywords != TY_NULL && ty_dict_length(keywords) > 0))
        return false;
    TyFunction *f = ty_as_function(function);
    Value name = ty_field(&f->qualname), module = ty_field(&f->module);
    if (!ty_is_exact_str(name) || !ty_str_equal_text(name, "do_call") || !ty_is_exact_str(module) || !ty_str_equal_text(module, "concurrent.futures.interpreter"))
        return false;
    Value there = ty_dict_get_str(ty_interpreter()->modules, module);
    return there != TY_NULL && ty_is_module(there) && ty_dict_get_str(ty_module_dict(there), name) == function && ty_is_tuple(ty_tuple_item(arguments, 2))
        && ty_is_exact_dict(ty_tuple_item(arguments, 3));
}

static bool put_result(Value queue, Value item) { return queue != TY_NULL && ty_call_method_one(queue, TY_NAME("put"), item) != TY_NULL; }

static void print_unshareable(Value exception)
{
    Value error = ty_sys_get("stderr"), text = ty_str_from_text("exception is not shareable:\n");
    if (error != TY_NULL && error != TY_NONE && text != TY_NULL && ty_call_method_one(error, TY_NAME("write"), text) != TY_NULL)
        ty_print_exception_to(exception, error);
    ty_clear_exception();
}

/* The exception raised here goes into the queue as well, None in its place if it cannot; it stays raised, or whatever came instead. */
static void put_exception(Value queue_id)
{
    Value exception = ty_take_exception(), module = ty_import_module("concurrent.interpreters");
    Value class = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("Queue"));
    Value queue = class == TY_NULL ? TY_NULL : ty_call_one(class, queue_id);
    if (!put_result(queue, exception)) {
        if (!ty_raised_is(&ty_NotShareableError))
            return;
        ty_clear_exception();
        print_unshareable(exception);
        if (!put_result(queue, TY_NONE))
            return;
    }
    ty_restore_exception(exception);
}

typedef struct PoolCall {
    TyCrossingCall call;
    Value queue_id;
} PoolCall;

static Outcome do_pool_call(void *what)
{
    PoolCall *pool = what;
    if (!ty_crossing_receive_call(&pool->call))
        return failed(arguments_stage);
    Value result = ty_call_with(pool->call.function, pool->call.arguments, pool->call.keywords);
    if (result == TY_NULL) {
        put_exception(pool->queue_id);
        return failed(NULL);
    }
    Outcome outcome = { ty_crossing_pack(result, "result"), TY_NULL, NULL };
    return outcome.parcel != TY_NULL ? outcome : failed(result_stage);
}

/* False without an exception: it goes as any other call, whatever the reason, which will be found out there. */
static bool send_pool_call(PoolCall *pool, Value arguments)
{
    pool->queue_id = ty_get_attribute(ty_tuple_item(arguments, 0), TY_NAME("_id"));
    bool sent = pool->queue_id != TY_NULL && ty_is_immediate_int(pool->queue_id)
        && ty_crossing_send_call(&pool->call, ty_tuple_item(arguments, 1), ty_tuple_item(arguments, 2), ty_tuple_item(arguments, 3));
    if (!sent)
        ty_clear_exception();
    return sent;
}

static Value interpreters_call(Value self, Value *a)
{
    Record *record = look_up(a[0], a[5], "make a call in");
    if (!record)
        return TY_NULL;
    if (a[2] != TY_NULL && !ty_is_tuple(a[2]))
        return ty_raise(&ty_TypeError, "_interpreters.call() argument 3 must be tuple, not %s", type_shown(a[2]));
    if (a[3] != TY_NULL && !ty_is_dict(a[3]))
        return ty_raise(&ty_TypeError, "_interpreters.call() argument 4 must be dict, not %s", type_shown(a[3]));
    if (!ty_is_callable(a[1]))
        return ty_raise(&ty_TypeError, "expected a callable, got %R", a[1]);
    Outcome outcome;
    PoolCall call;
    bool pool = is_pool_call(a[1], a[2], a[3]) && send_pool_call(&call, a[2]);
    if ((!pool && !ty_crossing_send_call(&call.call, a[1], a[2], a[3])) || !visit(record, pool ? do_pool_call : do_call, pool ? (void *)&call : &call.call, &outcome))
        return TY_NULL;
    Value shown = report(&outcome);
    if (shown == TY_NULL)
        return TY_NULL;
    Value result = outcome.parcel == TY_NULL ? TY_NONE : ty_crossing_unpack(outcome.parcel);
    return result == TY_NULL ? TY_NULL : ty_tuple_pack(2, result, shown);
}

/* --- scripts and the names of __main__ ------------------------------------------------------------------------------------------------------- */

/* A list of names and parcels in turn, of a dict; TY_NULL with an exception. */
static Value pack_attributes(Value dict)
{
    Value list = ty_list_new(ty_dict_length(dict) * 2), key, value;
    int64_t position = 0;
    while (list != TY_NULL && ty_dict_next(dict, &position, &key, &value)) {
        size_t size;
        if (!ty_is_str(key))
            return ty_raise(&ty_TypeError, "bad argument type for built-in operation");
        const char *name = ty_to_utf8(key, &size);
        if (!name)
            return TY_NULL;
        if (strlen(name) != size)
            return ty_raise(&ty_ValueError, "found embedded NULL character");
        Value parcel = ty_crossing_pack(value, name);
        if (parcel == TY_NULL || !ty_list_append(list, ty_intern(key)) || !ty_list_append(list, parcel))
            return TY_NULL;
    }
    return list;
}

static Value main_dict(void)
{
    Value module = ty_interpreter()->main_module;
    return module == TY_NULL ? ty_raise(&ty_InterpreterError, "failed to get the __main__ module") : ty_module_dict(module);
}

/* In the other interpreter: all are unpacked before any is set. */
static bool set_attributes(Value list)
{
    Value main = main_dict();
    if (main == TY_NULL)
        return false;
    int64_t count = ty_list_length(list);
    Value values = ty_list_new(count);
    for (int64_t i = 1; values != TY_NULL && i < count; i += 2) {
        Value value = ty_crossing_unpack(ty_list_item(list, i));
        if (value == TY_NULL || !ty_list_append(values, value))
            return false;
    }
    for (int64_t i = 0; values != TY_NULL && i < count; i += 2)
        if (!ty_dict_set(main, ty_list_item(list, i), ty_list_item(values, i / 2)))
            return false;
    return values != TY_NULL;
}


static Outcome fine(void) { return (Outcome){ TY_NONE, TY_NULL, NULL }; }

static Outcome do_set(void *attributes)
{
    return set_attributes(*(Value *)attributes) ? fine() : failed(result_stage);
}

typedef struct Script {
    Value code, attributes;
} Script;

static Outcome do_exec(void *what)
{
    Script *script = what;
    if (script->attributes != TY_NULL && !set_attributes(script->attributes))
        return failed(result_stage);
    Value main = main_dict();
    return main != TY_NULL && ty_eval_code(script->code, main, TY_NULL, TY_NULL) != TY_NULL ? fine() : failed(NULL);
}

static Value execute(Value *a, int allowed, const char *function, const char *what)
{
    if (a[2] != TY_NULL && !ty_is_dict(a[2]))
        return ty_raise(&ty_TypeError, "_interpreters.%s() argument 3 must be dict, not %s", function, type_shown(a[2]));
    Record *record = look_up(a[0], a[3], what);
    Value code = record ? ty_script_code(a[1], allowed, function) : TY_NULL;
    if (code == TY_NULL)
        return TY_NULL;
    Script script = { code, TY_NULL };
    if (a[2] != TY_NULL && ty_dict_length(a[2]) > 0 && (script.attributes = pack_attributes(a[2])) == TY_NULL)
        return TY_NULL;
    Outcome outcome;
    return visit(record, do_exec, &script, &outcome) ? report(&outcome) : TY_NULL;
}

static Value interpreters_exec(Value self, Value *a) { return execute(a, TY_SCRIPT_ANY, "exec", "exec code for"); }
static Value interpreters_run_string(Value self, Value *a) { return execute(a, TY_SCRIPT_TEXT, "run_string", "run a string in"); }
static Value interpreters_run_func(Value self, Value *a) { return execute(a, TY_SCRIPT_FUNCTION, "run_func", "run a function in"); }

static Value interpreters_set_main_attrs(Value self, Value *a)
{
    if (!ty_is_dict(a[1]))
        return ty_raise(&ty_TypeError, "_interpreters.set___main___attrs() argument 2 must be dict, not %s", type_shown(a[1]));
    Record *record = look_up(a[0], a[2], "update __main__ for");
    if (!record)
        return TY_NULL;
    if (ty_dict_length(a[1]) == 0)
        return ty_raise(&ty_ValueError, "arg 2 must be a non-empty dict");
    Value attributes = pack_attributes(a[1]);
    Outcome outcome;
    if (attributes == TY_NULL || !visit(record, do_set, &attributes, &outcome))
        return TY_NULL;
    return report(&outcome);
}

/* --- the rest --------------------------------------------------------------------------------------------------------------------------------- */

static Value interpreters_is_shareable(Value self, Value *a) { return ty_from_bool(ty_crossing_shareable(a[0])); }

static Value interpreters_capture_exception(Value self, Value *a)
{
    if (a[0] == TY_NULL || a[0] == TY_NONE)
        return TY_NONE; /* none is raised while C code is called */
    if (!ty_is_exception(a[0]))
        return ty_raise(&ty_TypeError, "expected exception, got %R", a[0]);
    Value failure = ty_failure_capture(a[0]);
    return failure == TY_NULL ? TY_NULL : ty_failure_show(failure);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("new_config(name='isolated', /, **overrides)", interpreters_new_config, "A new configuration, as a namespace: a named one (default, isolated, legacy, empty) with some fields changed."),
    TY_FUNCTION("create(config=None, *, reqrefs=False)", interpreters_create, "Makes an interpreter and returns its id. With reqrefs, it is closed when the last reference is given up (see incref and decref)."),
    TY_FUNCTION("destroy(id, restrict=False)", interpreters_destroy, "Closes the interpreter. It must neither be the current one nor be running."),
    TY_FUNCTION("list_all(*, require_ready=False)", interpreters_list_all, "All interpreters, as a list of ids with where each came from."),
    TY_FUNCTION("get_current()", interpreters_get_current, "The current interpreter's id, and where it came from."),
    TY_FUNCTION("get_main()", interpreters_get_main, "The main interpreter's id, and where it came from."),
    TY_FUNCTION("is_running(id, restrict=False)", interpreters_is_running, "Whether something is being run in the interpreter's __main__."),
    TY_FUNCTION("get_config(id, restrict=False)", interpreters_get_config, "The configuration that the interpreter was made with, as a namespace."),
    TY_FUNCTION("whence(id)", interpreters_whence, "Where the interpreter came from: one of the WHENCE constants."),
    TY_FUNCTION("exec(id, code, shared={}, restrict=False)", interpreters_exec, "Runs code in the interpreter's __main__: a text, a function without arguments and closure, or such a code object. None, or a namespace that tells of an uncaught exception."),
    TY_FUNCTION("call(id, callable, args=(), kwargs={}, preserve_exc=False, restrict=False)", interpreters_call, "Calls something in the interpreter. The result with None, or None with a namespace that tells of an uncaught exception."),
    TY_FUNCTION("run_string(id, script, shared={}, restrict=False)", interpreters_run_string, "Runs a text in the interpreter's __main__, as exec does."),
    TY_FUNCTION("run_func(id, func, shared={}, restrict=False)", interpreters_run_func, "Runs the body of a function in the interpreter's __main__, as exec does."),
    TY_FUNCTION("set___main___attrs(id, updates, restrict=False)", interpreters_set_main_attrs, "Sets variables of the interpreter's __main__."),
    TY_FUNCTION("incref(id, implieslink=False, restrict=False)", interpreters_incref, "Takes a reference to the interpreter."),
    TY_FUNCTION("decref(id, restrict=False)", interpreters_decref, "Gives up a reference to the interpreter."),
    TY_FUNCTION("is_shareable(obj)", interpreters_is_shareable, "Whether the object can be used by several interpreters as it is."),
    TY_FUNCTION("capture_exception(exc=None)", interpreters_capture_exception, "A namespace that tells of the exception, as exec gives it."),
    {0},
};

static TyType *const types[] = {&ty_InterpreterError, &ty_InterpreterNotFoundError, &ty_NotShareableError, &ty_shared_buffer_type, NULL};

static TyMutex start_lock = TY_MUTEX_INIT;

/* Interpreters that other ways made are known from the first look on: the main one. */
static bool enter_main(void)
{
    ty_mutex_lock_blocking(&start_lock);
    TyInterpreter *main = ty_interpreter_main();
    bool entered = ty_id_table_find(&records, main->id) || enter_record(main, WHENCE_RUNTIME, &ty_main_interpreter_config, false);
    ty_mutex_unlock(&start_lock);
    return entered;
}

static bool execute_module(Value module)
{
    static const struct { const char *name; int value; } whences[] = {
        {"WHENCE_UNKNOWN", WHENCE_UNKNOWN}, {"WHENCE_RUNTIME", WHENCE_RUNTIME}, {"WHENCE_LEGACY_CAPI", WHENCE_LEGACY_CAPI},
        {"WHENCE_CAPI", WHENCE_CAPI}, {"WHENCE_XI", WHENCE_XI}, {"WHENCE_STDLIB", WHENCE_STDLIB},
    };
    for (size_t i = 0; i < sizeof whences / sizeof *whences; i++)
        if (!ty_module_add_int(module, whences[i].name, whences[i].value))
            return false;
    return ty_type_ready(&record_type) && enter_main();
}

const TyModuleDef ty_module_interpreters = {
    .name = "_interpreters",
    .doc = "Interpreters: making, using and ending them. The module concurrent.interpreters is made for people.",
    .functions = functions,
    .types = types,
    .execute = execute_module,
};
