/* Interpreters: made, linked in the process's list, marked. */
#include "base/futex.h"
#include "modules/_io/io.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/str_parts.h"
#include "object/tuple.h"
#include "object/type.h"
#include "runtime/runtime.h"
#include "runtime/visit.h"
#include "vm/frame.h"
#include "vm/trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

extern TyType *const ty_static_types[]; /* without exceptions */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static TyInterpreter *first_interpreter, *main_interpreter, *closed_interpreters;
static int64_t next_id;

TyInterpreter *ty_interpreter_main(void) { return main_interpreter; }

void ty_interpreter_each(void (*visit)(TyInterpreter *interpreter, void *context), void *context)
{
    pthread_mutex_lock(&list_lock);
    for (TyInterpreter *i = first_interpreter; i; i = i->next)
        visit(i, context);
    pthread_mutex_unlock(&list_lock);
}

/* Runs with the world stopped: nobody holds the list's lock at a safepoint. */
void ty_interpreter_trace_all(void *context, TyMarker *marker)
{
    for (TyInterpreter *i = first_interpreter; i; i = i->next) {
#define MARK(name) ty_mark(marker, i->name);
        TY_INTERPRETER_VALUES(MARK)
#undef MARK
    }
}

TyInterpreter *const *ty_interpreters_place(void) { return &first_interpreter; }

static TyInterpreter *interpreter_allocate(void)
{
    pthread_mutex_lock(&list_lock);
    TyInterpreter *interpreter = closed_interpreters;
    if (interpreter)
        closed_interpreters = interpreter->next;
    pthread_mutex_unlock(&list_lock);
    if (interpreter)
        memset(interpreter, 0, sizeof *interpreter);
    else if (!(interpreter = calloc(1, sizeof *interpreter)))
        return NULL;
    pthread_mutex_init(&interpreter->lock, NULL);
    interpreter->config = &ty_config;
    interpreter->main_thread = main_interpreter ? main_interpreter->main_thread : NULL;
    ty_store_relaxed(&interpreter->recursion_limit, 1000);
    ty_store_relaxed(&interpreter->int_max_str_digits, ty_config.int_max_str_digits >= 0 ? ty_config.int_max_str_digits : 4300);
    pthread_mutex_lock(&list_lock);
    interpreter->id = next_id++;
    interpreter->next = first_interpreter;
    if (first_interpreter)
        first_interpreter->previous = interpreter;
    first_interpreter = interpreter;
    if (!main_interpreter)
        main_interpreter = interpreter;
    pthread_mutex_unlock(&list_lock);
    return interpreter;
}

static bool address_space_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* What the thread needs before it can run Python. */
bool ty_thread_begin(TyThread *thread)
{
    size_t size = (thread->main ? (size_t)256 << 20 : (size_t)64 << 20) / (address_space_is_limited() ? 8 : 1);
    thread->recursion_limit = thread->interpreter ? ty_load_relaxed(&thread->interpreter->recursion_limit) : 1000;
    ty_trace_update(thread);
    return ty_vm_thread_start(thread, size);
}

void ty_thread_end(TyThread *thread)
{
    ty_visits_end_own();
    ty_asyncio_thread_end(thread);
    ty_vm_thread_end(thread);
}

static void interpreter_free(TyInterpreter *interpreter)
{
    pthread_mutex_lock(&list_lock);
    if (interpreter->previous)
        interpreter->previous->next = interpreter->next;
    else
        first_interpreter = interpreter->next;
    if (interpreter->next)
        interpreter->next->previous = interpreter->previous;
    pthread_mutex_unlock(&list_lock);
    ty_visits_end(interpreter);
    ty_heap_interpreter_closed(interpreter);
    pthread_mutex_destroy(&interpreter->lock);
    pthread_mutex_lock(&list_lock);
    interpreter->id = -1;
    interpreter->next = closed_interpreters;
    closed_interpreters = interpreter;
    pthread_mutex_unlock(&list_lock);
}

enum { ONCE_NONE, ONCE_MAKING, ONCE_DONE };

bool ty_once(TyOnce *once, bool (*make)(TyInterpreter *interpreter))
{
    for (;;) {
        uint32_t state = ONCE_NONE;
        if (atomic_compare_exchange_strong(&once->state, &state, ONCE_MAKING))
            break;
        if (state == ONCE_DONE || ty_load_relaxed(&once->maker) == ty_thread)
            return true;
        ty_blocking_begin();
        ty_futex_wait(&once->state, ONCE_MAKING, -1);
        ty_blocking_end();
    }
    ty_store_relaxed(&once->maker, ty_thread);
    bool done = make(ty_interpreter());
    ty_store_relaxed(&once->maker, NULL);
    ty_store_release(&once->state, done ? ONCE_DONE : ONCE_NONE);
    ty_futex_wake(&once->state, INT_MAX);
    return done;
}

static bool make_main_module(TyInterpreter *interpreter)
{
    Value module = ty_module_new(TY_NAME("__main__"));
    if (module == TY_NULL || !ty_dict_set_text(interpreter->modules, "__main__", module) || !ty_dict_set_text(ty_module_dict(module), "__builtins__", interpreter->builtins_module))
        return false;
    interpreter->main_module = module;
    return true;
}

static bool make_dicts(TyInterpreter *interpreter)
{
    interpreter->static_subclasses = ty_dict_new();
    interpreter->builtin_modules = ty_dict_new();
    interpreter->modules = ty_dict_new();
    return interpreter->static_subclasses != TY_NULL && interpreter->builtin_modules != TY_NULL && interpreter->modules != TY_NULL;
}

static bool set_core_modules(TyInterpreter *interpreter, Value builtins, Value sys)
{
    interpreter->builtins_module = builtins;
    interpreter->builtins = ty_module_dict(builtins);
    interpreter->import_function = ty_dict_get_text(interpreter->builtins, "__import__");
    interpreter->builtin_all = ty_dict_get_text(interpreter->builtins, "all");
    interpreter->builtin_any = ty_dict_get_text(interpreter->builtins, "any");
    interpreter->sys_module = sys;
    interpreter->sys = ty_module_dict(sys);
    return ty_dict_set_text(interpreter->modules, "builtins", builtins) && ty_dict_set_text(interpreter->modules, "sys", sys);
}

/* What the main interpreter's two modules look like before any program runs: others begin as copies. */
static struct { Value builtins_module, builtins, sys_module, sys; } template;

/* What is not there is asked for: ty_import_specs. */
static bool without_spec(Value dict) { return ty_dict_delete(dict, TY_NAME("__spec__")) >= 0 && ty_dict_delete(dict, TY_NAME("__loader__")) >= 0; }

static bool main_interpreter_fill(TyInterpreter *interpreter)
{
    if (!make_dicts(interpreter))
        return false;
    Value builtins = ty_module_current("builtins"), sys = builtins == TY_NULL ? TY_NULL : ty_module_current("sys");
    if (sys == TY_NULL || !set_core_modules(interpreter, builtins, sys) || !ty_dict_set_text(interpreter->builtins, "open", ty_io_open_function()) || !ty_sys_start(interpreter)
        || !make_main_module(interpreter))
        return false;
    ty_store_relaxed(&interpreter->sys_once.state, ONCE_DONE);
    ty_root_add(&template.builtins_module, 4); /* what is made first is not kept by anything else while the rest is made */
    template.builtins_module = builtins;
    template.sys_module = sys;
    template.builtins = ty_dict_copy(interpreter->builtins);
    template.sys = template.builtins == TY_NULL ? TY_NULL : ty_sys_template(interpreter);
    return template.sys != TY_NULL && without_spec(template.builtins) && without_spec(template.sys);
}

static Value copy_module(const char *name, Value module, Value dict)
{
    Value copy = ty_module_copy(module, dict);
    return copy != TY_NULL && ty_dict_set_text(ty_interpreter()->builtin_modules, name, copy) ? copy : TY_NULL;
}

static bool interpreter_fill(TyInterpreter *interpreter)
{
    if (!make_dicts(interpreter))
        return false;
    Value builtins = copy_module("builtins", template.builtins_module, template.builtins);
    Value sys = builtins == TY_NULL ? TY_NULL : copy_module("sys", template.sys_module, template.sys);
    ty_store_relaxed(&interpreter->sys_incomplete, true);
    return sys != TY_NULL && set_core_modules(interpreter, builtins, sys) && ty_sys_from_template(interpreter) && make_main_module(interpreter);
}

static bool ready_static_types(void)
{
    if (!ty_type_ready(&ty_object_type_) || !ty_type_ready(&ty_type_type))
        return false;
    for (size_t i = 0; ty_static_types[i]; i++)
        if (!ty_type_ready(ty_static_types[i])) {
            fprintf(stderr, "typhon: cannot make the type '%s'\n", ty_static_types[i]->name);
            return false;
        }
#define READY(name, parent, structure) if (!ty_type_ready(&ty_##name)) return false;
    TY_EXCEPTIONS(READY)
#undef READY
    return ty_type_ready(&ty_ExceptionGroup);
}

bool ty_types_start(void) { return ready_static_types(); }

void ty_static_type_each(void (*visit)(TyType *type, void *context), void *context)
{
    for (size_t i = 0; ty_static_types[i]; i++)
        visit(ty_static_types[i], context);
#define VISIT(name, parent, structure) visit(&ty_##name, context);
    TY_EXCEPTIONS(VISIT)
#undef VISIT
    visit(&ty_ExceptionGroup, context);
}

bool ty_runtime_start(void)
{
    if (ty_config.hash_seed >= 0)
        ty_hash_seed_set((uint32_t)ty_config.hash_seed);
    ty_bytes_warnings = ty_config.bytes_warning;
    if (!ty_heap_start(ty_config.gc_stress)) {
        fprintf(stderr, "typhon: no address space for the heap\n");
        return false;
    }
    TyInterpreter *interpreter = interpreter_allocate();
    TyThread *thread = interpreter ? ty_thread_attach(interpreter) : NULL;
    if (!thread) {
        fprintf(stderr, "typhon: out of memory\n");
        return false;
    }
    thread->main = true;
    interpreter->main_thread = thread;
    ty_root_function_add(ty_interpreter_trace_all, NULL);
    if (!ty_thread_begin(thread) || !ready_static_types() || !ty_exceptions_start() || !main_interpreter_fill(interpreter)) {
        if (ty_raised())
            ty_print_exception(ty_take_exception());
        fprintf(stderr, "typhon: cannot start\n");
        return false;
    }
    return true;
}

/* --- others than the main one ------------------------------------------------------------------------------------------------ */

/* What went wrong belongs to the interpreter that did not come to life: its creator learns as much as is safe. */
static void raise_creation_failed(bool no_memory)
{
    if (no_memory)
        ty_raise_memory_error();
    else
        ty_raise(&ty_RuntimeError, "interpreter creation failed");
}

TyInterpreter *ty_interpreter_new(void)
{
    TyInterpreter *interpreter = interpreter_allocate();
    if (!interpreter) {
        ty_raise_memory_error();
        return NULL;
    }
    TyThread *back = ty_interpreter_enter(interpreter);
    bool done = back != NULL, no_memory = false;
    if (back) {
        done = interpreter_fill(interpreter);
        no_memory = !done && ty_raised_is(&ty_MemoryError);
        ty_clear_exception();
        ty_interpreter_leave(back);
    }
    if (done)
        return interpreter;
    interpreter_free(interpreter);
    if (back)
        raise_creation_failed(no_memory);
    return NULL;
}

void ty_interpreter_close(TyInterpreter *interpreter)
{
    Value raised = ty_take_exception();
    TyThread *back = ty_interpreter_enter(interpreter);
    if (back) {
        int status = 0;
        ty_interpreter_finish(&status);
        ty_clear_exception();
        ty_interpreter_leave(back);
    } else
        ty_clear_exception();
    int64_t id = interpreter->id;
    interpreter_free(interpreter);
    ty_interpreter_gone(id);
    ty_restore_exception(raised);
}
