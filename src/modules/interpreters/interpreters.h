/* The parts of _interpreters: what is known of each interpreter beside the interpreter itself, configurations, scripts, and exceptions as they are
 * told to another interpreter. */
#ifndef TY_MODULES_INTERPRETERS_H
#define TY_MODULES_INTERPRETERS_H

#include "crossing/id_table.h"
#include "object/interpreter.h"

extern TyType ty_InterpreterError, ty_InterpreterNotFoundError;

/* --- configurations (config.c) ------------------------------------------------------------------------------------------- */

/* The fields that are bools, in the order in which they are shown. */
#define TY_INTERPRETER_SWITCHES(X) \
    X(USE_MAIN_OBMALLOC, use_main_obmalloc) \
    X(ALLOW_FORK, allow_fork) \
    X(ALLOW_EXEC, allow_exec) \
    X(ALLOW_THREADS, allow_threads) \
    X(ALLOW_DAEMON_THREADS, allow_daemon_threads) \
    X(CHECK_MULTI_INTERP_EXTENSIONS, check_multi_interp_extensions)

enum {
#define TY_SWITCH_INDEX(NAME, name) TY_SWITCH_INDEX_##NAME,
    TY_INTERPRETER_SWITCHES(TY_SWITCH_INDEX)
#undef TY_SWITCH_INDEX
};
enum {
#define TY_SWITCH_BIT(NAME, name) TY_SWITCH_##NAME = 1 << TY_SWITCH_INDEX_##NAME,
    TY_INTERPRETER_SWITCHES(TY_SWITCH_BIT)
#undef TY_SWITCH_BIT
};

typedef struct TyInterpreterConfig {
    uint8_t switches;   /* TY_SWITCH_… */
    uint8_t gil;        /* TY_GIL_… : kept for those who ask; there is none */
} TyInterpreterConfig;
enum { TY_GIL_DEFAULT, TY_GIL_SHARED, TY_GIL_OWN, TY_GIL_COUNT };

extern const TyInterpreterConfig ty_main_interpreter_config;
bool ty_interpreter_config_named(const char *name, TyInterpreterConfig *config);       /* ValueError */
bool ty_interpreter_config_read(Value v, TyInterpreterConfig *config);                 /* None, a name, or an object with all the fields */
bool ty_interpreter_config_update(Value dict, bool complete, TyInterpreterConfig *config); /* from a dict of fields */
Value ty_interpreter_config_show(const TyInterpreterConfig *config);                   /* a namespace */

/* --- exceptions (failure.c) ---------------------------------------------------------------------------------------------------- */

/* What is told of an exception, as a tuple of str and None, which crosses as it is; made in the exception's interpreter. Never TY_NULL without an exception. */
Value ty_failure_capture(Value exception);
Value ty_failure_show(Value failure);        /* the namespace that the caller is given */
Value ty_failure_message(Value failure);     /* str */
Value ty_failure_line(Value failure);        /* "module.Type: message" */

/* --- scripts (script.c) ------------------------------------------------------------------------------------------------------------ */

enum { TY_SCRIPT_ANY, TY_SCRIPT_TEXT, TY_SCRIPT_FUNCTION };
/* Code to be run in some __main__: of a str or bytes of source, a function without arguments and closure, or such a code object. `allowed` says
 * what is given to which function. */
Value ty_script_code(Value script, int allowed, const char *function);

#endif
