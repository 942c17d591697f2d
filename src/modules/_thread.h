/* What the runtime needs of the thread module. */
#ifndef TY_MODULES_THREAD_H
#define TY_MODULES_THREAD_H

#include "object/interpreter.h"

extern TyType ty_lock_type, ty_rlock_type, ty_local_type;

/* Waits for the interpreter's threads that are not daemons; false if a signal handler raised meanwhile (it was reported). */
bool ty_threads_wait(TyInterpreter *interpreter);
/* Around fork(), the world stopped. In the child every other thread has ended, and the calling one is the main thread. */
void ty_threads_before_fork(void);
void ty_threads_after_fork(bool in_child);

/* The lock around the whole of importing, recursive: modules/_imp.c. */
void ty_import_lock_take(void);
void ty_import_lock_give(bool in_child);
void ty_import_after_fork(void);   /* in the child, where other threads were */

/* modules/signal.c */
void ty_signals_after_fork(void);
/* As if the signal had come, for the main thread: nothing if it is ignored or left to the system. False: no such signal. */
bool ty_signal_simulate(int number);
/* No handler is called from now on. */
void ty_signals_end(void);
/* The calling thread is the main one: SIGINT is noted for it from now on, SIGPIPE ignored. */
void ty_signals_start(void);

#endif
