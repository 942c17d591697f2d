/* TyInterpreter: everything that belongs to one isolated interpreter. Objects that differ between interpreters hang off it, never off
 * static variables. Made and closed by runtime/interpreter.c. Fields that threads share after start-up are written once, or under `lock`. */
#ifndef TY_OBJECT_INTERPRETER_H
#define TY_OBJECT_INTERPRETER_H

#include "object/object.h"
#include <pthread.h>

/* Values of an interpreter, each a root of the collector. */
#define TY_INTERPRETER_VALUES(X) \
    X(modules)              /* sys.modules: dict */ \
    X(builtins)             /* the dict of the builtins module */ \
    X(builtins_module) \
    X(sys)                  /* the dict of the sys module */ \
    X(sys_module) \
    X(main_module) \
    X(builtin_all) X(builtin_any) /* the functions themselves, whatever the module's names are bound to later */ \
    X(command)              /* of -c: the arguments with which linecache is told of its lines, once it is imported; TY_NULL */ \
    X(script_folder)        /* what start-up put first on sys.path for the program, or TY_NULL */ \
    X(importlib)            /* importlib._bootstrap, once it is set up */ \
    X(import_function)      /* builtins.__import__ as we made it: the fast path holds while it is unchanged */ \
    X(static_subclasses)    /* dict: static type → list of weak references to subclasses */ \
    X(builtin_modules)      /* dict: name → module object of a built-in module, for ty_module_current */ \
    X(codec_search_path)    /* list */ \
    X(codec_cache)          /* dict */ \
    X(codec_errors)         /* dict */ \
    X(warnings_state)       /* what _warnings keeps */ \
    X(atexit_callbacks) \
    X(audit_hooks)          /* list or TY_NULL */ \
    X(standard_streams)     /* tuple of the three made at start, flushed at exit */ \
    X(interned_template)    \
    X(threading_state)      /* what _thread keeps */ \
    X(monitoring_state) \
    X(weak_pending) \
    X(path_importer_cache) \
    X(gc_state) \
    X(shared_caches)        /* array: caches of code that all interpreters share, by its number; vm/cache.c */ \
    X(copyreg) \
    X(asyncio_plan)         /* how to do without the Python of its event loops: modules/asyncio */ \
    X(asyncio_lists)        /* the lists of its asyncio tasks, of one thread each: modules/asyncio */ \
    X(crossing)             /* crossing/state.h */

/* What the tools of sys.monitoring wait for: vm/monitor.h. */
enum { TY_MONITORING_TOOLS = 8 };
typedef struct TyMonitoring {
    _Atomic uint32_t version;      /* raised by every change, after it */
    _Atomic uint32_t restart;      /* raised by restart_events() */
    _Atomic uint32_t global[TY_MONITORING_TOOLS];       /* events everywhere */
    _Atomic uint32_t tool_version[TY_MONITORING_TOOLS]; /* raised when events of the tool are taken back; the upper half, when all are */
    _Atomic uint8_t joint_branches; /* tools whose callback for branches does not tell left from right */
    _Atomic bool any_local;        /* some code object may have events of its own */
    _Atomic bool active;           /* some event is waited for */
} TyMonitoring;

/* Something that is made for an interpreter when it is first wanted, by one thread while others wait: ty_once. */
typedef struct TyOnce {
    _Atomic uint32_t state;     /* not there, being made, there */
    TyThread *_Atomic maker;
} TyOnce;

/* The lock around the whole of importing, in one interpreter: recursive. modules/_imp.c. */
typedef struct TyImportLock {
    TyMutex mutex;
    TyThread *_Atomic owner;
    uint32_t depth;             /* of the owner's */
} TyImportLock;

struct TyInterpreter { /* its memory serves others after it is closed, and is never given back */
    int64_t id;                 /* -1: closed */
    struct TyInterpreter *next, *previous;
    pthread_mutex_t lock;
    TyThread *main_thread;      /* of the process: the same for all interpreters */
    struct TyVisit *visits;     /* OS threads that have been here as guests; runtime/visit.c */
    TyImportLock import_lock;
    TyOnce import_once;         /* importlib, and what importing has in sys */
    TyOnce streams_once;        /* sys.stdin, stdout, stderr */
    TyOnce sys_once;            /* argv and other attributes of sys that can be changed */
    _Atomic bool sys_incomplete;/* not all three are there: an attribute that sys does not have may have to be made */
    _Atomic int64_t thread_count;
    _Atomic bool finalizing;
    _Atomic int32_t int_max_str_digits;
    _Atomic uint32_t type_watch;
    struct TyConfig *config;    /* runtime/config.h */
    _Atomic uint32_t recursion_limit;
    uint64_t dispatch_flags;
    bool no_fork, no_exec, no_threads, no_daemon_threads; /* what its configuration forbids */
    _Atomic uint64_t asyncio_task_names; /* numbers of tasks without a name */
    TyMonitoring monitoring;
#define TY_INTERPRETER_FIELD(name) Value name;
    TY_INTERPRETER_VALUES(TY_INTERPRETER_FIELD)
#undef TY_INTERPRETER_FIELD
};

TY_INLINE TyInterpreter *ty_interpreter(void) { return ty_thread->interpreter; }

/* runtime/interpreter.c: makes it if it is not there; a maker that asks for it again goes on with what there is. False: make failed, with an exception. */
bool ty_once(TyOnce *once, bool (*make)(TyInterpreter *interpreter));
TY_INLINE bool ty_once_done(const TyOnce *once) { return ty_load_acquire(&once->state) == 2; }
/* modules/sys.c: of an interpreter whose sys is incomplete: makes what the attribute belongs to (TY_NULL: everything). True: it is worth looking again;
 * false: it is no such attribute, or an exception is raised. */
bool ty_sys_complete(Value name);
/* runtime/import.c: built-in modules that were imported before there was an importlib get their specs. False: there was one, or an exception is raised. */
bool ty_import_specs(void);
/* … and the names that `site` puts into builtins are there when one of them is missed. False: it is none of them, or an exception is raised. */
bool ty_import_builtin_name(Value name);
Value ty_sys_get(const char *name); /* borrowed from sys's dict; TY_NULL without exception */

/* vm/frame.c: the globals of the innermost Python frame, or TY_NULL. */
Value ty_current_globals(void);
/* … and its builtins; the interpreter's when no Python runs. */
Value ty_current_builtins(void);

#endif
