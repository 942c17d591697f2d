/* What the runtime needs of the thread module. */
#ifndef TY_MODULES_THREAD_H
#define TY_MODULES_THREAD_H

#include "object/interpreter.h"

extern TyType ty_lock_type, ty_rlock_type, ty_local_type;

/* Waits for the interpreter's threads that are not daemons; false if a signal handler raised meanwhile (it was reported). */
bool ty_threads_wait(TyInterpreter *interpreter);
/* In the child of a fork: every other thread has ended. */
void ty_threads_after_fork(void);

#endif
