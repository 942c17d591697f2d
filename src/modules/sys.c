/* The module sys. What depends on the configuration is added by ty_sys_start; the streams by ty_sys_open_streams. */
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/namespace.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "modules/_io/io.h"
#include "modules/monitoring.h"
#include "runtime/interactive.h"
#include "runtime/runtime.h"
#include "vm/frame.h"
#include "vm/trace.h"
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef TY_STDLIB_MICRO
#define TY_STDLIB_MICRO 8
#endif

Value ty_sys_get(const char *name)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value v = ty_dict_get_text(interpreter->sys, name);
    if (v == TY_NULL && ty_load_relaxed(&interpreter->sys_incomplete) && ty_sys_complete(ty_intern_text(name)))
        v = ty_dict_get_text(interpreter->sys, name);
    if (v == TY_NULL)
        ty_clear_exception();
    return v;
}

/* --- exceptions and exit ---------------------------------------------------------------------------------------------------- */

static Value sys_exit(Value self, Value *a)
{
    Value status = a[0] == TY_NULL ? TY_NONE : a[0];
    Value exception = ty_is_tuple(status) ? ty_call_with(ty_from_object(&ty_SystemExit), status, TY_NULL) : status == TY_NONE
        ? ty_call_none(ty_from_object(&ty_SystemExit)) : ty_call_one(ty_from_object(&ty_SystemExit), status);
    return exception == TY_NULL ? TY_NULL : ty_raise_object(exception);
}

static Value sys_exception(Value self, Value *a)
{
    Value handled = ty_thread->handled;
    return handled == TY_NULL ? TY_NONE : handled;
}

static Value sys_exc_info(Value self, Value *a)
{
    Value handled = ty_thread->handled;
    if (handled == TY_NULL)
        return ty_tuple_pack(3, TY_NONE, TY_NONE, TY_NONE);
    Value traceback = ty_as_exception(handled)->traceback;
    return ty_tuple_pack(3, ty_from_object(ty_type_of(handled)), handled, traceback == TY_NULL ? TY_NONE : traceback);
}

static Value sys_excepthook(Value self, Value *a)
{
    if (!ty_is_exception(a[1]))
        return ty_raise(&ty_TypeError, "print_exception(): Exception expected for value, %T found", a[1]);
    if (a[2] != TY_NONE && ty_as_exception(a[1])->traceback == TY_NULL && ty_is_exact(a[2], &ty_traceback_type))
        ty_store(ty_object(a[1]), &ty_as_exception(a[1])->traceback, a[2]);
    ty_print_exception(a[1]);
    return TY_NONE;
}

/* Shows where an exception went that nobody could catch: the default sys.unraisablehook. */
static Value sys_unraisablehook(Value self, Value *a)
{
    Value exception = ty_get_attribute(a[0], TY_NAME("exc_value")), message = ty_get_attribute(a[0], TY_NAME("err_msg")), object = ty_get_attribute(a[0], TY_NAME("object"));
    if (exception == TY_NULL || message == TY_NULL || object == TY_NULL)
        return TY_NULL;
    Value file = ty_sys_get("stderr"), line;
    if (file == TY_NULL || file == TY_NONE)
        return TY_NONE;
    if (object != TY_NONE) {
        Value text = ty_repr(object);
        if (text == TY_NULL) {
            ty_clear_exception();
            text = ty_str_from_text("<object repr() failed>");
        }
        line = message != TY_NONE ? ty_str_format("%S: %S\n", message, text) : ty_str_format("Exception ignored in: %S\n", text);
    } else
        line = message != TY_NONE ? ty_str_format("%S:\n", message) : TY_NULL;
    if (line != TY_NULL && ty_call_method_one(file, TY_NAME("write"), line) == TY_NULL)
        return TY_NULL;
    if (exception != TY_NONE)
        ty_print_exception(exception);
    return TY_NONE;
}

static Value sys_displayhook(Value self, Value *a)
{
    Value builtins = ty_interpreter()->builtins_module;
    if (a[0] == TY_NONE)
        return TY_NONE;
    if (!ty_set_attribute(builtins, TY_NAME("_"), TY_NONE))
        return TY_NULL;
    Value out = ty_sys_get("stdout");
    if (out == TY_NULL || out == TY_NONE)
        return ty_raise(&ty_RuntimeError, "lost sys.stdout");
    Value text = ty_repr(a[0]);
    if (text == TY_NULL)
        return TY_NULL;
    if (ty_call_method_one(out, TY_NAME("write"), text) == TY_NULL) {
        if (!ty_raised_is(&ty_UnicodeEncodeError))
            return TY_NULL;
        ty_clear_exception();
        Value encoding = ty_get_attribute(out, TY_NAME("encoding"));
        Value arguments[2] = { encoding, TY_NAME("backslashreplace") };
        Value bytes = encoding == TY_NULL ? TY_NULL : ty_call_method(text, TY_NAME("encode"), arguments, 2);
        arguments[1] = TY_NAME("strict");
        Value again = bytes == TY_NULL ? TY_NULL : ty_call_method(bytes, TY_NAME("decode"), arguments, 2);
        if (again == TY_NULL || ty_call_method_one(out, TY_NAME("write"), again) == TY_NULL)
            return TY_NULL;
    }
    if (ty_call_method_one(out, TY_NAME("write"), TY_NAME("\n")) == TY_NULL)
        return TY_NULL;
    return ty_set_attribute(builtins, TY_NAME("_"), a[0]) ? TY_NONE : TY_NULL;
}

static Value sys_breakpointhook(Value self, const Value *arguments, size_t count, Value keywords)
{
    const char *name = ty_config.ignore_environment ? NULL : getenv("PYTHONBREAKPOINT");
    if (name && !strcmp(name, "0"))
        return TY_NONE;
    if (!name || !*name)
        name = "pdb.set_trace";
    const char *dot = strrchr(name, '.');
    if (dot == name) /* no module before the dot */
        return ty_warn(&ty_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", name) ? TY_NONE : TY_NULL;
    Value module_name = dot ? ty_str_from_utf8(name, (size_t)(dot - name)) : ty_str_from_text("builtins");
    Value list = ty_tuple_pack(1, ty_str_from_text(dot ? dot + 1 : name));
    Value module = module_name == TY_NULL || list == TY_NULL ? TY_NULL : ty_import_level(module_name, TY_NONE, list, ty_from_immediate_int(0));
    Value hook = module == TY_NULL ? TY_NULL : ty_get_attribute(module, ty_intern(ty_tuple_item(list, 0)));
    if (hook == TY_NULL) {
        if (!ty_raised_is(&ty_ImportError) && !ty_raised_is(&ty_AttributeError))
            return TY_NULL;
        ty_clear_exception();
        return ty_warn(&ty_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", name) ? TY_NONE : TY_NULL;
    }
    return ty_call(hook, arguments, count, keywords);
}

/* --- frames, tracing, limits --------------------------------------------------------------------------------------------------------- */

static Value sys_getframe(Value self, Value *a)
{
    int64_t depth = 0;
    if (a[0] != TY_NULL && !ty_to_int64(a[0], &depth))
        return TY_NULL;
    TyFrame *frame = ty_thread->frame;
    while (depth-- > 0 && frame)
        frame = frame->previous;
    return frame ? ty_frame_object(frame) : ty_raise(&ty_ValueError, "call stack is not deep enough");
}

static Value sys_getframemodulename(Value self, Value *a)
{
    int64_t depth = 0;
    if (a[0] != TY_NULL && !ty_to_int64(a[0], &depth))
        return TY_NULL;
    TyFrame *frame = ty_thread->frame;
    while (depth-- > 0 && frame)
        frame = frame->previous;
    if (!frame || frame->function->module == TY_NULL)
        return TY_NONE;
    return frame->function->module;
}

typedef struct FrameCollection { Value dict; bool failed; TyInterpreter *interpreter; } FrameCollection; /* by threads; or exceptions */

static void collect_frame(TyThread *thread, void *context)
{
    FrameCollection *c = context;
    if (thread->interpreter != c->interpreter || !thread->frame || c->failed)
        return;
    Value object = ty_frame_object(thread->frame);
    c->failed = object == TY_NULL || !ty_dict_set(c->dict, ty_int_from_uint64(thread->ident), object);
}

static void collect_exception(TyThread *thread, void *context)
{
    FrameCollection *c = context;
    if (thread->interpreter == c->interpreter && !c->failed)
        c->failed = !ty_dict_set(c->dict, ty_int_from_uint64(thread->ident), thread->handled == TY_NULL ? TY_NONE : thread->handled);
}

static Value collect(void (*collector)(TyThread *, void *))
{
    FrameCollection c = { ty_dict_new(), false, ty_interpreter() };
    if (c.dict == TY_NULL)
        return TY_NULL;
    ty_world_stop(); /* frames of others get objects, which nothing but that keeps from ending meanwhile */
    ty_thread_each(collector, &c);
    ty_world_start();
    return c.failed ? TY_NULL : c.dict;
}

static Value sys_current_frames(Value self, Value *a) { return collect(collect_frame); }
static Value sys_current_exceptions(Value self, Value *a) { return collect(collect_exception); }

static Value sys_settrace(Value self, Value *a)
{
    ty_thread->trace_function = a[0] == TY_NONE ? TY_NULL : a[0];
    ty_trace_update(ty_thread);
    return TY_NONE;
}
static Value sys_gettrace(Value self, Value *a) { return ty_thread->trace_function == TY_NULL ? TY_NONE : ty_thread->trace_function; }
static Value sys_setprofile(Value self, Value *a)
{
    ty_thread->profile_function = a[0] == TY_NONE ? TY_NULL : a[0];
    ty_trace_update(ty_thread);
    return TY_NONE;
}
typedef struct EveryThread { Value function; bool profile; } EveryThread;
static void set_for(TyThread *thread, void *context)
{
    EveryThread *every = context;
    if (thread->interpreter != ty_interpreter())
        return;
    Value *place = every->profile ? &thread->profile_function : &thread->trace_function;
    *place = every->function == TY_NONE ? TY_NULL : every->function;
    ty_poll_request(thread, TY_POLL_TRACE); /* it sees to the rest itself */
}
static Value set_everywhere(Value function, bool profile)
{
    EveryThread every = { function, profile };
    ty_world_stop();
    ty_thread_each(set_for, &every);
    ty_world_start();
    ty_trace_update(ty_thread);
    return TY_NONE;
}
static Value sys_settraceall(Value self, Value *a) { return set_everywhere(a[0], false); }
static Value sys_setprofileall(Value self, Value *a) { return set_everywhere(a[0], true); }
static Value sys_getprofile(Value self, Value *a) { return ty_thread->profile_function == TY_NULL ? TY_NONE : ty_thread->profile_function; }
/* For all threads of the interpreter, which stand still meanwhile. */
typedef struct ThreadHook { Value function; bool profile; TyInterpreter *interpreter; } ThreadHook;

static void set_thread_hook(TyThread *thread, void *context)
{
    const ThreadHook *hook = context;
    if (thread->interpreter != hook->interpreter)
        return;
    *(hook->profile ? &thread->profile_function : &thread->trace_function) = hook->function == TY_NONE ? TY_NULL : hook->function;
    ty_trace_update(thread);
}

static Value set_hook_everywhere(Value function, bool profile)
{
    ThreadHook hook = { function, profile, ty_interpreter() };
    ty_world_stop();
    ty_thread_each(set_thread_hook, &hook);
    ty_world_start();
    return TY_NONE;
}
static Value sys_settraceallthreads(Value self, Value *a) { return set_hook_everywhere(a[0], false); }
static Value sys_setprofileallthreads(Value self, Value *a) { return set_hook_everywhere(a[0], true); }
static Value sys_call_tracing(Value self, Value *a)
{
    if (!ty_is_tuple(a[1]))
        return ty_raise(&ty_TypeError, "call_tracing() argument 2 must be tuple, not %T", a[1]);
    bool tracing = ty_thread->tracing;
    ty_thread->tracing = false;
    Value result = ty_call_with(a[0], a[1], TY_NULL);
    ty_thread->tracing = tracing;
    return result;
}

static void set_thread_limit(TyThread *thread, void *context)
{
    if (thread->interpreter == ty_interpreter())
        thread->recursion_limit = *(uint32_t *)context;
}

static Value sys_setrecursionlimit(Value self, Value *a)
{
    int32_t limit;
    if (!ty_to_int32(a[0], &limit))
        return TY_NULL;
    if (limit < 1)
        return ty_raise(&ty_ValueError, "recursion limit must be greater or equal than 1");
    if ((uint32_t)limit <= ty_thread->recursion)
        return ty_raise(&ty_RecursionError, "cannot set the recursion limit to %d at the recursion depth %u: the limit is too low", limit, ty_thread->recursion);
    uint32_t wanted = (uint32_t)limit;
    ty_store_relaxed(&ty_interpreter()->recursion_limit, wanted);
    ty_thread_each(set_thread_limit, &wanted);
    return TY_NONE;
}
static Value sys_getrecursionlimit(Value self, Value *a) { return ty_int_from_int64(ty_load_relaxed(&ty_interpreter()->recursion_limit)); }

static Value sys_getsizeof(Value self, Value *a)
{
    Value method = ty_lookup_special(a[0], TY_NAME("__sizeof__"));
    Value size = method == TY_NULL ? (ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "Type %T doesn't define __sizeof__", a[0])) : ty_call_none(method);
    int64_t n = -1;
    if (size != TY_NULL && ty_to_size(size, &n) && n < 0)
        ty_raise(&ty_ValueError, "__sizeof__() should return >= 0");
    if (ty_raised()) {
        if (a[1] == TY_NULL || !ty_raised_is(&ty_TypeError))
            return TY_NULL;
        ty_clear_exception();
        return a[1];
    }
    return size;
}

static Value sys_intern(Value self, Value *a)
{
    if (ty_is_exact_str(a[0]))
        return ty_intern(a[0]);
    return ty_is_str(a[0]) ? ty_raise(&ty_TypeError, "can't intern %T", a[0]) : ty_raise(&ty_TypeError, "intern() argument must be str, not %T", a[0]);
}
static Value sys_is_interned(Value self, Value *a)
{
    return ty_is_str(a[0]) ? ty_from_bool(ty_str_is_interned(a[0])) : ty_raise(&ty_TypeError, "_is_interned() argument must be str, not %T", a[0]);
}

static Value sys_getdefaultencoding(Value self, Value *a) { return TY_NAME("utf-8"); }
static Value sys_getfilesystemencodeerrors(Value self, Value *a) { return TY_NAME("surrogateescape"); }
static Value sys_is_finalizing(Value self, Value *a) { return ty_from_bool(ty_load_relaxed(&ty_interpreter()->finalizing)); }
static Value sys_is_gil_enabled(Value self, Value *a) { return TY_FALSE; }
static Value sys_getrefcount(Value self, Value *a) { return ty_from_immediate_int(1); }
static Value sys_getallocatedblocks(Value self, Value *a) { return ty_int_from_uint64(ty_heap_statistics().live_bytes / 64); }
/* No thread waits for another here: the interval is kept for who asks for it. */
static _Atomic double switch_interval = 0.005;
static Value sys_getswitchinterval(Value self, Value *a) { return ty_from_double(ty_load_relaxed(&switch_interval)); }
static Value sys_setswitchinterval(Value self, Value *a)
{
    double interval;
    if (!ty_to_double(a[0], &interval))
        return TY_NULL;
    if (!(interval > 0))
        return ty_raise(&ty_ValueError, "switch interval must be strictly positive");
    ty_store_relaxed(&switch_interval, interval);
    return TY_NONE;
}
static Value sys_nothing(Value self, Value *a) { return TY_NONE; }
static Value sys_false(Value self, Value *a) { return TY_FALSE; }

static Value sys_get_int_max_str_digits(Value self, Value *a) { return ty_int_from_int64(ty_load_relaxed(&ty_interpreter()->int_max_str_digits)); }
static Value sys_set_int_max_str_digits(Value self, Value *a)
{
    int32_t limit;
    if (!ty_to_int32(a[0], &limit))
        return TY_NULL;
    if (limit != 0 && limit < 640)
        return ty_raise(&ty_ValueError, "maxdigits must be 0 or larger than 640");
    ty_store_relaxed(&ty_interpreter()->int_max_str_digits, limit);
    return TY_NONE;
}

static Value sys_set_origin_depth(Value self, Value *a)
{
    int32_t depth;
    if (!ty_to_int32(a[0], &depth))
        return TY_NULL;
    if (depth < 0)
        return ty_raise(&ty_ValueError, "depth must be >= 0");
    ty_thread->coroutine_origin_depth = (uint32_t)depth;
    return TY_NONE;
}
static Value sys_get_origin_depth(Value self, Value *a) { return ty_int_from_int64(ty_thread->coroutine_origin_depth); }

static TyType hooks_type;
static const TyStructField hooks_fields[] = { { "firstiter", NULL }, { "finalizer", NULL }, {0} };
static const TyStructDef hooks_def = { "asyncgen_hooks", "asyncgen_hooks\n\nA named tuple containing information about asynchronous\ngenerators hooks.  The attributes are read only.", hooks_fields, 2 };

static Value sys_get_asyncgen_hooks(Value self, Value *a)
{
    Value values[2] = { ty_thread->async_generator_first_iteration, ty_thread->async_generator_finalizer };
    for (int i = 0; i < 2; i++)
        if (values[i] == TY_NULL)
            values[i] = TY_NONE;
    TyType *type = ty_struct_sequence_type(&hooks_type, &hooks_def);
    return type ? ty_struct_sequence_new(type, values) : TY_NULL;
}

static Value sys_set_asyncgen_hooks(Value self, Value *a)
{
    static const char *const names[] = { "firstiter", "finalizer" };
    Value *places[] = { &ty_thread->async_generator_first_iteration, &ty_thread->async_generator_finalizer };
    for (int i = 1; i >= 0; i--)
        if (a[i] != TY_NULL && a[i] != TY_NONE && !ty_is_callable(a[i]))
            return ty_raise(&ty_TypeError, "callable %s expected, got %T", names[i], a[i]);
    for (int i = 0; i < 2; i++)
        if (a[i] != TY_NULL)
            *places[i] = a[i] == TY_NONE ? TY_NULL : a[i];
    return TY_NONE;
}

/* --- auditing ---------------------------------------------------------------------------------------------------------------------------- */

static bool audit(Value event, Value arguments)
{
    Value hooks = ty_interpreter()->audit_hooks;
    for (int64_t i = 0; hooks != TY_NULL && i < ty_list_length(hooks); i++) {
        Value hook = ty_list_item(hooks, i);
        if (hook != TY_NULL && ty_call_two(hook, event, arguments) == TY_NULL)
            return false;
    }
    return true;
}

/* Formats of arguments: V Value, s C text, i int, l int64_t. */
bool ty_audit(const char *event, const char *format, ...)
{
    if (TY_LIKELY(ty_interpreter()->audit_hooks == TY_NULL))
        return true;
    size_t count = strlen(format);
    Value arguments = ty_tuple_new((int64_t)count);
    if (arguments == TY_NULL)
        return false;
    va_list list;
    va_start(list, format);
    for (size_t i = 0; i < count; i++) {
        Value v = TY_NULL;
        switch (format[i]) {
        case 'V': v = va_arg(list, Value); break;
        case 's': { const char *s = va_arg(list, const char *); v = s ? ty_str_from_text(s) : TY_NONE; break; }
        case 'i': v = ty_int_from_int64(va_arg(list, int)); break;
        default: v = ty_int_from_int64(va_arg(list, int64_t)); break;
        }
        if (v == TY_NULL)
            break;
        ty_tuple_set(arguments, (int64_t)i, v);
    }
    va_end(list);
    return !ty_raised() && audit(ty_intern_text(event), arguments);
}

static Value sys_audit(Value self, const Value *arguments, size_t count, Value keywords)
{
    if (count == 0)
        return ty_raise(&ty_TypeError, "audit expected at least 1 argument, got 0");
    if (!ty_is_str(arguments[0]))
        return ty_raise(&ty_TypeError, "expected str for argument 'event', not %T", arguments[0]);
    Value rest = ty_tuple_from_array(arguments + 1, count - 1);
    return rest != TY_NULL && audit(arguments[0], rest) ? TY_NONE : TY_NULL;
}

static Value sys_addaudithook(Value self, Value *a)
{
    TyInterpreter *interpreter = ty_interpreter();
    if (!audit(TY_NAME("sys.addaudithook"), ty_tuple_new(0))) {
        if (!ty_raised_is(&ty_RuntimeError))
            return TY_NULL;
        ty_clear_exception(); /* a hook may refuse others silently */
        return TY_NONE;
    }
    if (interpreter->audit_hooks == TY_NULL && (interpreter->audit_hooks = ty_list_new(0)) == TY_NULL)
        return TY_NULL;
    return ty_list_append(interpreter->audit_hooks, a[0]) ? TY_NONE : TY_NULL;
}

static Value sys_get_cpu_count_config(Value self, Value *a) { return ty_int_from_int64(ty_config_cpu_count()); }

static Value sys_baserepl(Value module, Value *a)
{
    ty_basic_prompt();
    return TY_NONE;
}

static Value sys_clear_type_descriptors(Value module, Value *a)
{
    if (!ty_is_type(a[0]))
        return ty_raise(&ty_TypeError, "_clear_type_descriptors() argument must be type, not %T", a[0]);
    TyType *type = ty_as_type(a[0]);
    if (type->flags & TY_TYPE_IMMUTABLE)
        return ty_raise(&ty_TypeError, "argument is immutable");
    if (ty_dict_delete(type->dict, TY_NAME("__dict__")) < 0 || ty_dict_delete(type->dict, TY_NAME("__weakref__")) < 0)
        return TY_NULL;
    ty_type_modified(type);
    return TY_NONE;
}

static Value sys_remote_exec(Value self, Value *a) { return ty_remote_exec(a[0], a[1]); }
static Value sys_is_remote_debug_enabled(Value self, Value *a) { return ty_remote_enabled(); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("_get_cpu_count_config()", sys_get_cpu_count_config, "Private function for getting PyConfig.cpu_count"),
    TY_FUNCTION("_getframe(depth=0, /)", sys_getframe, "Return a frame object from the call stack."),
    TY_FUNCTION("_getframemodulename(depth=0)", sys_getframemodulename, "Return the name of the module for a calling frame."),
    TY_FUNCTION("_current_exceptions()", sys_current_exceptions, "Return a dict mapping each thread's identifier to its current raised exception."),
    TY_FUNCTION("_current_frames()", sys_current_frames, "Return a dict mapping each thread's thread id to its current stack frame."),
    TY_FUNCTION("_is_gil_enabled()", sys_is_gil_enabled, "Return True if the GIL is currently enabled."),
    TY_FUNCTION("_is_interned(string, /)", sys_is_interned, "Return True if the given string is \"interned\"."),
    TY_FUNCTION("_settraceallthreads(function, /)", sys_settraceallthreads, "Set the global debug tracing function in all running threads."),
    TY_FUNCTION("_setprofileallthreads(function, /)", sys_setprofileallthreads, "Set the profiling function in all running threads."),
    TY_FUNCTION("_baserepl()", sys_baserepl, "Private function for getting the base REPL"),
    TY_FUNCTION("_clear_type_descriptors(module, type, /)", sys_clear_type_descriptors, "Remove the __dict__ and __weakref__ descriptors of a class that is about to be replaced."),
    TY_FUNCTION("_clear_type_cache()", sys_nothing, "Clear the internal type lookup cache."),
    TY_FUNCTION("_clear_internal_caches()", sys_nothing, "Clear all internal performance-related caches."),
    TY_FUNCTION("addaudithook(hook)", sys_addaudithook, "Adds a new audit hook callback."),
    TY_RAW_FUNCTION("audit(event, /, *args)", sys_audit, "Passes the event to any hooks that are attached."),
    TY_RAW_FUNCTION("breakpointhook(*args, **kwargs)", sys_breakpointhook, "This hook function is called by built-in breakpoint()."),
    TY_FUNCTION("call_tracing(func, args, /)", sys_call_tracing, "Call func(*args), while tracing is enabled."),
    TY_FUNCTION("displayhook(object, /)", sys_displayhook, "Print an object to sys.stdout and also save it in builtins._"),
    TY_FUNCTION("exc_info()", sys_exc_info, "Return current exception information: (type, value, traceback)."),
    TY_FUNCTION("excepthook(exctype, value, traceback, /)", sys_excepthook, "Handle an exception by displaying it with a traceback on sys.stderr."),
    TY_FUNCTION("exception()", sys_exception, "Return the current exception."),
    TY_FUNCTION("exit(status=None, /)", sys_exit, "Exit the interpreter by raising SystemExit(status)."),
    TY_FUNCTION("get_asyncgen_hooks()", sys_get_asyncgen_hooks, "Return the installed asynchronous generators hooks."),
    TY_FUNCTION("set_asyncgen_hooks(firstiter=<unrepresentable>, finalizer=<unrepresentable>)", sys_set_asyncgen_hooks, "Set a finalizer for async generators objects."),
    TY_FUNCTION("get_coroutine_origin_tracking_depth()", sys_get_origin_depth, "Check status of origin tracking for coroutine objects in this thread."),
    TY_FUNCTION("set_coroutine_origin_tracking_depth(depth)", sys_set_origin_depth, "Enable or disable origin tracking for coroutine objects in this thread."),
    TY_FUNCTION("get_int_max_str_digits()", sys_get_int_max_str_digits, "Return the maximum string digits limit for non-binary int<->str conversions."),
    TY_FUNCTION("set_int_max_str_digits(maxdigits)", sys_set_int_max_str_digits, "Set the maximum string digits limit for non-binary int<->str conversions."),
    TY_FUNCTION("getallocatedblocks()", sys_getallocatedblocks, "Return the number of memory blocks currently allocated."),
    TY_FUNCTION("getdefaultencoding()", sys_getdefaultencoding, "Return the current default encoding used by the Unicode implementation."),
    TY_FUNCTION("getfilesystemencoding()", sys_getdefaultencoding, "Return the encoding used to convert Unicode filenames to OS filenames."),
    TY_FUNCTION("getfilesystemencodeerrors()", sys_getfilesystemencodeerrors, "Return the error mode used for Unicode to OS filename conversion."),
    TY_FUNCTION("getprofile()", sys_getprofile, "Return the profiling function set with sys.setprofile."),
    TY_FUNCTION("setprofile(function, /)", sys_setprofile, "Set the profiling function."),
    TY_FUNCTION("_settraceallthreads(function, /)", sys_settraceall, "Set the global debug tracing function in all running threads belonging to the current interpreter."),
    TY_FUNCTION("_setprofileallthreads(function, /)", sys_setprofileall, "Set the profiling function in all running threads belonging to the current interpreter."),
    TY_FUNCTION("getrecursionlimit()", sys_getrecursionlimit, "Return the current value of the recursion limit."),
    TY_FUNCTION("setrecursionlimit(limit, /)", sys_setrecursionlimit, "Set the maximum depth of the Python interpreter stack to n."),
    TY_FUNCTION("getrefcount(object, /)", sys_getrefcount, "There are no reference counts here: always 1."),
    TY_FUNCTION("getsizeof(object, default=<unrepresentable>)", sys_getsizeof, "getsizeof(object [, default]) -> int\n\nReturn the size of object in bytes."),
    TY_FUNCTION("getswitchinterval()", sys_getswitchinterval, "Return the current thread switch interval; see sys.setswitchinterval()."),
    TY_FUNCTION("setswitchinterval(interval, /)", sys_setswitchinterval, "Set the ideal thread switching delay inside the Python interpreter."),
    TY_FUNCTION("gettrace()", sys_gettrace, "Return the global debug tracing function set with sys.settrace."),
    TY_FUNCTION("settrace(function, /)", sys_settrace, "Set the global debug tracing function."),
    TY_FUNCTION("intern(string, /)", sys_intern, "``Intern'' the given string."),
    TY_FUNCTION("is_finalizing()", sys_is_finalizing, "Return True if Python is exiting."),
    TY_FUNCTION("is_stack_trampoline_active()", sys_false, "Return *True* if a stack profiler trampoline is active."),
    TY_FUNCTION("remote_exec(pid, script)", sys_remote_exec, "Has another process of the same program run a file with Python code, in its main thread, at its next safepoint.\n\nReturns at once. The file is read by the other process."),
    TY_FUNCTION("is_remote_debug_enabled()", sys_is_remote_debug_enabled, "Return True if remote debugging is enabled, False otherwise."),
    TY_FUNCTION("unraisablehook(unraisable, /)", sys_unraisablehook, "Handle an unraisable exception."),
    {0}
};

const TyModuleDef ty_module_sys = { .name = "sys", .doc = "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact strongly with the interpreter.", .functions = functions };

/* sys._jit: whether code is compiled to machine code. It is not. */
static Value jit_no(Value self, Value *a) { return TY_FALSE; }
static const TyNativeDef jit_functions[] = {
    TY_FUNCTION("is_available()", jit_no, "Whether there is a compiler to machine code."),
    TY_FUNCTION("is_enabled()", jit_no, "Whether it is switched on."),
    TY_FUNCTION("is_active()", jit_no, "Whether the caller's code was compiled by it."),
    {0},
};
static const TyModuleDef jit_module = {.name = "sys._jit", .doc = "Whether code is compiled to machine code.", .functions = jit_functions};

/* --- what the configuration says ------------------------------------------------------------------------------------------------------------ */

static bool put(Value dict, const char *name, Value value) { return value != TY_NULL && ty_dict_set_text(dict, name, value); }
static Value text(const char *s) { return ty_str_decode_fs(s, strlen(s)); }
static Value thread_version(void) /* "NPTL 2.36" */
{
    char text[64];
    size_t size = confstr(_CS_GNU_LIBPTHREAD_VERSION, text, sizeof text);
    return size > 0 && size <= sizeof text ? ty_str_from_text(text) : TY_NONE;
}
static Value number(int64_t n) { return ty_int_from_int64(n); }

static bool put_record(Value dict, const char *name, TyType *storage, const TyStructDef *def, const Value *values)
{
    TyType *type = ty_struct_sequence_type(storage, def);
    return type && put(dict, name, ty_struct_sequence_new(type, values));
}

/* The same, the only one of its type. */
static bool put_single(Value dict, const char *name, TyType *storage, const TyStructDef *def, const Value *values)
{
    bool done = put_record(dict, name, storage, def, values);
    storage->flags |= TY_TYPE_NO_NEW;
    return done;
}

static TyType flags_type, version_type, float_type, int_type, hash_type, thread_type, unraisable_type;

static bool put_flags(Value dict)
{
    static const TyStructField fields[] = {
        { "debug", "-d" }, { "inspect", "-i" }, { "interactive", "-i" }, { "optimize", "-O or -OO" }, { "dont_write_bytecode", "-B" }, { "no_user_site", "-s" }, { "no_site", "-S" },
        { "ignore_environment", "-E" }, { "verbose", "-v" }, { "bytes_warning", "-b" }, { "quiet", "-q" }, { "hash_randomization", "-R" }, { "isolated", "-I" }, { "dev_mode", "-X dev" },
        { "utf8_mode", "-X utf8" }, { "warn_default_encoding", "-X warn_default_encoding" }, { "safe_path", "-P" }, { "int_max_str_digits", "-X int_max_str_digits" },
        { "gil", "-X gil" }, { "thread_inherit_context", "-X thread_inherit_context" }, { "context_aware_warnings", "-X context_aware_warnings" }, {0}
    };
    static const TyStructDef def = { "sys.flags", "sys.flags\n\nFlags provided through command line arguments or environment vars.", fields, 18 };
    const TyConfig *c = &ty_config;
    Value values[] = {
        number(c->debug), number(c->inspect), number(c->interactive), number(c->optimize), number(c->dont_write_bytecode), number(c->no_user_site), number(c->no_site),
        number(c->ignore_environment), number(c->verbose), number(c->bytes_warning), number(c->quiet), number(c->hash_randomization), number(c->isolated), ty_from_bool(c->dev_mode),
        number(c->utf8_mode), number(c->warn_default_encoding), ty_from_bool(c->safe_path), number(ty_load_relaxed(&ty_interpreter()->int_max_str_digits)), number(0),
        number(c->thread_inherit_context), number(c->context_aware_warnings)
    };
    return put_single(dict, "flags", &flags_type, &def, values);
}

static bool put_versions(Value dict)
{
    static const TyStructField fields[] = { { "major", "Major release number" }, { "minor", "Minor release number" }, { "micro", "Patch release number" }, { "releaselevel", "'alpha', 'beta', 'candidate', or 'final'" }, { "serial", "Serial release number" }, {0} };
    static const TyStructDef def = { "sys.version_info", "sys.version_info\n\nVersion information as a named tuple.", fields, 5 };
    Value values[] = { number(3), number(14), number(TY_STDLIB_MICRO), ty_str_from_text("final"), number(0) };
    int64_t hex = 0x030e00f0 | TY_STDLIB_MICRO << 8;
    if (!put_single(dict, "version_info", &version_type, &def, values) || !put(dict, "hexversion", number(hex)) || !put(dict, "api_version", number(1013)))
        return false;
    char version[200];
    snprintf(version, sizeof version, "3.14.%d (Typhon " TY_VERSION ", " __DATE__ ", " __TIME__ ") [%s]", TY_STDLIB_MICRO,
#ifdef __clang__
        "Clang " __clang_version__
#else
        "GCC " __VERSION__
#endif
    );
    return put(dict, "version", ty_str_from_text(version))
        && put(dict, "copyright", ty_str_from_text("Copyright (c) The Typhon developers.\nThe standard library is Copyright (c) 2001 Python Software Foundation.\nAll Rights Reserved."))
        && put(dict, "_git", ty_tuple_pack(3, ty_str_from_text("Typhon"), ty_str_from_text(""), ty_str_from_text("")));
}

static bool put_implementation(Value dict)
{
    Value info = ty_dict_get_text(dict, "version_info"), hex = ty_dict_get_text(dict, "hexversion"), fill = ty_dict_new();
    bool filled = fill != TY_NULL && put(fill, "name", ty_str_from_text("typhon")) && put(fill, "version", info) && put(fill, "hexversion", hex)
        && put(fill, "cache_tag", ty_str_from_text("typhon-314")) && put(fill, "_multiarch", ty_str_from_text("x86_64-linux-gnu")) && put(fill, "supports_isolated_interpreters", TY_TRUE);
    Value implementation = filled ? ty_namespace_new(fill) : TY_NULL;
    return put(dict, "implementation", implementation);
}

static bool put_number_facts(Value dict)
{
    static const TyStructField float_fields[] = { { "max", NULL }, { "max_exp", NULL }, { "max_10_exp", NULL }, { "min", NULL }, { "min_exp", NULL }, { "min_10_exp", NULL }, { "dig", NULL }, { "mant_dig", NULL }, { "epsilon", NULL }, { "radix", NULL }, { "rounds", NULL }, {0} };
    static const TyStructDef float_def = { "sys.float_info", "sys.float_info\n\nA named tuple holding information about the float type.", float_fields, 11 };
    Value floats[] = { ty_from_double(DBL_MAX), number(DBL_MAX_EXP), number(DBL_MAX_10_EXP), ty_from_double(DBL_MIN), number(DBL_MIN_EXP), number(DBL_MIN_10_EXP), number(DBL_DIG), number(DBL_MANT_DIG),
        ty_from_double(DBL_EPSILON), number(FLT_RADIX), number(1) };
    static const TyStructField int_fields[] = { { "bits_per_digit", NULL }, { "sizeof_digit", NULL }, { "default_max_str_digits", NULL }, { "str_digits_check_threshold", NULL }, {0} };
    static const TyStructDef int_def = { "sys.int_info", "sys.int_info\n\nA named tuple that holds information about Python's internal\nrepresentation of integers.", int_fields, 4 };
    Value ints[] = { number(64), number(8), number(4300), number(640) };
    static const TyStructField hash_fields[] = { { "width", NULL }, { "modulus", NULL }, { "inf", NULL }, { "nan", NULL }, { "imag", NULL }, { "algorithm", NULL }, { "hash_bits", NULL }, { "seed_bits", NULL }, { "cutoff", NULL }, {0} };
    static const TyStructDef hash_def = { "sys.hash_info", "hash_info\n\nA named tuple providing parameters used for computing hashes.", hash_fields, 9 };
    Value hashes[] = { number(64), ty_int_from_uint64(((uint64_t)1 << 61) - 1), number(314159), number(0), number(1000003), ty_str_from_text("siphash13"), number(64), number(128), number(0) };
    static const TyStructField thread_fields[] = { { "name", NULL }, { "lock", NULL }, { "version", NULL }, {0} };
    static const TyStructDef thread_def = { "sys.thread_info", "sys.thread_info\n\nA named tuple holding information about the thread implementation.", thread_fields, 3 };
    Value threads[] = { ty_str_from_text("pthread"), TY_NONE, thread_version() };
    return put_record(dict, "float_info", &float_type, &float_def, floats) && put_record(dict, "int_info", &int_type, &int_def, ints)
        && put_record(dict, "hash_info", &hash_type, &hash_def, hashes) && put_record(dict, "thread_info", &thread_type, &thread_def, threads)
        && put(dict, "maxsize", number(INT64_MAX)) && put(dict, "maxunicode", number(0x10FFFF)) && put(dict, "byteorder", ty_str_from_text("little"))
        && put(dict, "float_repr_style", ty_str_from_text("short")) && put(dict, "platform", ty_str_from_text("linux")) && put(dict, "abiflags", ty_str_from_text("t"));
}

static Value string_list(const char *const *items, size_t count)
{
    Value list = ty_list_new(0);
    for (size_t i = 0; list != TY_NULL && i < count; i++)
        if (!ty_list_append(list, text(items[i])))
            return TY_NULL;
    return list;
}

static Value module_path(void)
{
    Value list = ty_list_new(0), first = ty_interpreter_main()->script_folder; /* none while the main one starts */
    if (list != TY_NULL && first != TY_NULL && !ty_list_append(list, first))
        return TY_NULL;
    const char *p = ty_config.python_path;
    if (list != TY_NULL && ty_config.first_path && !ty_list_append(list, text(ty_config.first_path)))
        return TY_NULL;
    while (list != TY_NULL && p && *p) {
        size_t n = strcspn(p, ":");
        if (n && !ty_list_append(list, ty_str_decode_fs(p, n)))
            return TY_NULL;
        p += n + (p[n] == ':');
    }
    if (list != TY_NULL && ty_config.own_library && !ty_list_append(list, text(ty_config.own_library)))
        return TY_NULL;
    return list != TY_NULL && ty_list_append(list, text(ty_config.platform_library)) ? list : TY_NULL;
}

static Value argument_list(void)
{
    Value list = string_list((const char *const *)ty_config.argv, ty_config.argc > 0 ? (size_t)ty_config.argc : 0);
    if (list == TY_NULL)
        return TY_NULL;
    if (ty_config.command || ty_config.module)
        return ty_list_insert(list, 0, ty_str_from_text(ty_config.command ? "-c" : "-m")) ? list : TY_NULL;
    if (ty_list_length(list) == 0 && !ty_list_append(list, ty_str_empty()))
        return TY_NULL;
    return list;
}

static Value x_option_dict(void)
{
    Value dict = ty_dict_new();
    for (size_t i = 0; dict != TY_NULL && i < ty_config.x_option_count; i++) {
        const char *option = ty_config.x_options[i], *equals = strchr(option, '=');
        Value key = ty_str_decode_fs(option, equals ? (size_t)(equals - option) : strlen(option));
        if (key == TY_NULL || !ty_dict_set(dict, key, equals ? text(equals + 1) : TY_TRUE))
            return TY_NULL;
    }
    return dict;
}

static Value warn_option_list(void)
{
    Value list = ty_list_new(0);
    const char *from_environment = ty_config.ignore_environment ? NULL : getenv("PYTHONWARNINGS");
    if (list != TY_NULL && ty_config.dev_mode && !ty_list_append(list, ty_str_from_text("default")))
        return TY_NULL;
    for (const char *p = from_environment; list != TY_NULL && p && *p;) {
        size_t n = strcspn(p, ",");
        if (n && !ty_list_append(list, ty_str_decode_fs(p, n)))
            return TY_NULL;
        p += n + (p[n] == ',');
    }
    for (size_t i = 0; list != TY_NULL && i < ty_config.warn_option_count; i++)
        if (!ty_list_append(list, text(ty_config.warn_options[i])))
            return TY_NULL;
    if (list != TY_NULL && ty_config.bytes_warning && !ty_list_append(list, ty_str_from_text(ty_config.bytes_warning > 1 ? "error::BytesWarning" : "default::BytesWarning")))
        return TY_NULL;
    return list;
}

static Value builtin_names(void)
{
    Value list = ty_list_new(0);
    for (size_t i = 0; list != TY_NULL && ty_builtin_modules[i]; i++)
        if (!ty_list_append(list, ty_str_from_text(ty_builtin_modules[i]->name)))
            return TY_NULL;
    for (const TyExtension *e = ty_extension_modules; list != TY_NULL && e->module; e++)
        if (!ty_list_append(list, ty_str_from_text(e->module)))
            return TY_NULL;
    return list != TY_NULL && ty_list_sort(list, TY_NULL, false) ? ty_list_to_tuple(list) : TY_NULL;
}

static bool put_paths(Value dict)
{
    static const char *const prefixes[] = { "prefix", "exec_prefix", "base_prefix", "base_exec_prefix" };
    for (size_t i = 0; i < TY_COUNT_OF(prefixes); i++)
        if (!put(dict, prefixes[i], text(ty_config.prefix)))
            return false;
    return put(dict, "executable", text(ty_config.executable)) && put(dict, "_base_executable", text(ty_config.executable)) && put(dict, "_framework", ty_str_empty())
        && put(dict, "platlibdir", ty_str_from_text("lib")) && put(dict, "_stdlib_dir", text(ty_config.platform_library))
        && put(dict, "pycache_prefix", ty_config.pycache_prefix && *ty_config.pycache_prefix ? text(ty_config.pycache_prefix) : TY_NONE);
}

static bool save_hooks(Value dict)
{
    static const char *const hooks[] = { "displayhook", "excepthook", "breakpointhook", "unraisablehook" };
    for (size_t i = 0; i < TY_COUNT_OF(hooks); i++) {
        char saved[40];
        snprintf(saved, sizeof saved, "__%s__", hooks[i]);
        if (!put(dict, saved, ty_dict_get_text(dict, hooks[i])))
            return false;
    }
    return true;
}

static bool put_changeable(TyInterpreter *interpreter)
{
    Value dict = interpreter->sys;
    return put(dict, "argv", argument_list()) && put(dict, "orig_argv", string_list((const char *const *)ty_config.original_argv, (size_t)ty_config.original_argc))
        && put(dict, "warnoptions", warn_option_list()) && put(dict, "_xoptions", x_option_dict()) && put_implementation(dict)
        && put(dict, "_jit", ty_module_create(&jit_module)) && put(dict, "monitoring", ty_monitoring_module());
}

bool ty_sys_put_import(TyInterpreter *interpreter)
{
    Value dict = interpreter->sys;
    if (ty_dict_get_text(dict, "meta_path") != TY_NULL)
        return true;
    return put(dict, "modules", interpreter->modules) && put(dict, "path", module_path()) && put(dict, "meta_path", ty_list_new(0)) && put(dict, "path_hooks", ty_list_new(0))
        && put(dict, "path_importer_cache", ty_dict_new());
}

bool ty_sys_start(TyInterpreter *interpreter)
{
    static const TyStructField unraisable_fields[] = { { "exc_type", NULL }, { "exc_value", NULL }, { "exc_traceback", NULL }, { "err_msg", NULL }, { "object", NULL }, {0} };
    static const TyStructDef unraisable_def = { "UnraisableHookArgs", "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.", unraisable_fields, 5 };
    Value dict = interpreter->sys;
    if (!ty_struct_sequence_type(&unraisable_type, &unraisable_def) || !put(dict, "UnraisableHookArgs", ty_from_object(&unraisable_type)))
        return false;
    if (!save_hooks(dict))
        return false;
    return put_flags(dict) && put_versions(dict) && put_number_facts(dict) && put_paths(dict) && put(dict, "builtin_module_names", builtin_names())
        && put(dict, "dont_write_bytecode", ty_from_bool(ty_config.dont_write_bytecode)) && put(dict, "stdlib_module_names", ty_stdlib_module_names())
        && put_changeable(interpreter) && ty_sys_put_import(interpreter);
}

/* --- an interpreter's own part, made when it is first looked at ------------------------------------------------------------------------- */

enum { CHANGEABLE, STREAM, IMPORT };
static const struct { const char *name; int part; } parts[] = {
    { "argv", CHANGEABLE }, { "orig_argv", CHANGEABLE }, { "warnoptions", CHANGEABLE }, { "_xoptions", CHANGEABLE }, { "implementation", CHANGEABLE }, { "monitoring", CHANGEABLE },
    { "_jit", CHANGEABLE }, { "stdin", STREAM }, { "stdout", STREAM }, { "stderr", STREAM }, { "__stdin__", STREAM }, { "__stdout__", STREAM }, { "__stderr__", STREAM },
    { "modules", IMPORT }, { "path", IMPORT }, { "meta_path", IMPORT }, { "path_hooks", IMPORT }, { "path_importer_cache", IMPORT },
};

Value ty_sys_template(TyInterpreter *interpreter)
{
    Value dict = ty_dict_copy(interpreter->sys);
    for (size_t i = 0; dict != TY_NULL && i < TY_COUNT_OF(parts); i++)
        if (ty_dict_delete(dict, ty_intern_text(parts[i].name)) < 0)
            return TY_NULL;
    return dict == TY_NULL ? TY_NULL : ty_dict_copy(dict);
}

bool ty_sys_from_template(TyInterpreter *interpreter) { return save_hooks(interpreter->sys); }

static bool make_part(TyInterpreter *interpreter, int part)
{
    if (part == CHANGEABLE)
        return ty_once(&interpreter->sys_once, put_changeable);
    return part == STREAM ? ty_once(&interpreter->streams_once, ty_sys_open_streams) : ty_once_done(&interpreter->import_once) || ty_import_site();
}

bool ty_sys_complete(Value name)
{
    TyInterpreter *interpreter = ty_interpreter();
    bool found = false;
    for (size_t i = 0; i < TY_COUNT_OF(parts); i++) {
        if (name != TY_NULL && !ty_str_equal_text(name, parts[i].name))
            continue;
        found = true;
        if (!make_part(interpreter, parts[i].part))
            return false;
        if (name != TY_NULL)
            break;
    }
    if (ty_once_done(&interpreter->sys_once) && ty_once_done(&interpreter->streams_once) && ty_once_done(&interpreter->import_once))
        ty_store_relaxed(&interpreter->sys_incomplete, false);
    return found;
}

bool ty_sys_open_streams(TyInterpreter *interpreter)
{
    static const char *const names[] = { "stdin", "stdout", "stderr" };
    char encoding[64] = "utf-8", errors[64] = "strict";
    const char *locale = getenv("LC_ALL"), *wanted = ty_config.ignore_environment ? NULL : getenv("PYTHONIOENCODING");
    if (!locale || !*locale)
        locale = getenv("LC_CTYPE");
    if (!locale || !*locale)
        locale = getenv("LANG");
    if (!locale || !*locale || !strcmp(locale, "C") || !strcmp(locale, "POSIX") || !strcmp(locale, "C.UTF-8"))
        strcpy(errors, "surrogateescape");
    if (wanted && *wanted) {
        size_t n = strcspn(wanted, ":");
        if (n && n < sizeof encoding)
            snprintf(encoding, sizeof encoding, "%.*s", (int)n, wanted);
        strcpy(errors, "strict");
        if (wanted[n] && wanted[n + 1] && strlen(wanted + n + 1) < sizeof errors)
            strcpy(errors, wanted + n + 1);
    }
    for (int fd = 0; fd < 3; fd++) {
        char shown[20];
        snprintf(shown, sizeof shown, "<%s>", names[fd]);
        Value stream = ty_io_open_std(fd, fd == 0 ? "r" : "w", shown, encoding, fd == 2 ? "backslashreplace" : errors, fd == 2 || ty_config.line_buffered || isatty(fd), ty_config.unbuffered && fd > 0);
        char saved[20];
        snprintf(saved, sizeof saved, "__%s__", names[fd]);
        if (stream == TY_NULL || !put(interpreter->sys, names[fd], stream) || !put(interpreter->sys, saved, stream))
            return false;
    }
    return true;
}
