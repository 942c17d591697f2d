/* The runtime: starting and ending the process, interpreters, and running programs. */
#ifndef TY_RUNTIME_RUNTIME_H
#define TY_RUNTIME_RUNTIME_H

#include "object/interpreter.h"
#include "runtime/config.h"

bool ty_runtime_start(void);                   /* heap, static types, main interpreter; false: a message was printed */
extern Value ty_remote_exec(Value pid, Value script); /* inspect/execute.c: sys.remote_exec, and whether others may ask this process */
extern Value ty_remote_enabled(void);
extern void ty_inspect_start(void);            /* inspect/table.c: from now on others may look in */
int ty_runtime_run(void);                      /* what the configuration says; the exit status */
extern bool ty_run_interrupted;                /* the last ty_exit_status was that of a KeyboardInterrupt */
void ty_runtime_end(int *status);              /* threads joined, atexit, finalizers, files flushed */
int ty_exit_status(void);                      /* handles a raised exception at the top level (SystemExit included), prints it; the status */

/* Makes an interpreter: builtins, sys and __main__; importlib starts with its first import. The calling thread stays where it was. NULL with an exception. */
TyInterpreter *ty_interpreter_new(void);
/* Runs what is due at the end of an interpreter in which no thread runs (atexit, finalizers, flushing), then gives its memory back. The calling thread
 * belongs to another interpreter and stays there. The pointer is dead afterwards. Never for the main interpreter. */
void ty_interpreter_close(TyInterpreter *interpreter);
/* modules/interpreters: whether nobody uses the interpreter, or closes it; from then on nobody will but the caller. And what is to be done when one is gone. */
bool ty_interpreter_claim(TyInterpreter *interpreter);
void ty_interpreter_gone(int64_t id);
/* The calling OS thread goes to work in another interpreter, and comes back: NULL when memory is short, without a change and with an exception in the old
 * interpreter. Enter gives what leave must be handed. They nest. */
TyThread *ty_interpreter_enter(TyInterpreter *interpreter);
void ty_interpreter_leave(TyThread *back);
void ty_interpreter_finish(int *status);       /* the end of the current interpreter's program: threads joined, atexit, streams flushed (else *status = 120), finalizers */
bool ty_import_start(void);                    /* importlib and its path hooks, in the current interpreter, if they are not there yet */
void ty_import_remember_site(void);            /* the main interpreter's site has just run: what others can take over of it */
bool ty_import_site(void);                     /* the same, and `site` unless the configuration says no */
TyInterpreter *ty_interpreter_main(void);
void ty_interpreter_trace_all(void *context, TyMarker *marker);
TyInterpreter *const *ty_interpreters_place(void); /* where the first of the list is noted: for those who look in from outside */
void ty_interpreter_each(void (*visit)(TyInterpreter *interpreter, void *context), void *context);

/* runtime/run.c */
Value ty_compile_source(const char *source, size_t size, Value filename, int mode /* TyParseMode */, uint32_t flags, int optimize, int feature_version, bool source_is_str);
Value ty_compile_value(Value source, Value filename, int mode, uint32_t flags, int optimize, int feature_version); /* modules/builtins.c */
bool ty_ast_is_node(Value v);                  /* modules/_ast: an instance of ast.AST */
Value ty_ast_compile(Value node, Value filename, int mode, uint32_t flags, int optimize);
Value ty_ast_from_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, int feature_version, bool source_is_str);
Value ty_anext_default_new(Value awaitable, Value fallback); /* vm/generator.c */
bool ty_run_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, Value globals);
Value ty_import_level(Value name, Value globals, Value from_list, Value level);
Value ty_import_module(const char *name);      /* the module of that full name, imported if need be */
Value ty_import_full(Value name);              /* the same, of a str */
const char *ty_builtin_name(Value name);       /* modules/_imp.c: the name as C text if it is a built-in module's, else NULL without an exception */
bool ty_sys_start(TyInterpreter *interpreter); /* modules/sys.c: what sys of the main interpreter has that depends on the configuration */
Value ty_sys_template(TyInterpreter *interpreter); /* a copy of that dict without what each interpreter makes for itself, when it is first looked at */
bool ty_sys_from_template(TyInterpreter *interpreter);
bool ty_sys_put_import(TyInterpreter *interpreter); /* modules, path, meta_path and so on, if they are not there */
bool ty_sys_open_streams(TyInterpreter *interpreter); /* stdin, stdout, stderr */
Value ty_stdlib_module_names(void);            /* modules/stdlib_names.c */

#endif
