/* Visits: what an OS thread keeps of each interpreter that it entered (ty_interpreter_enter and _leave are in runtime.h). */
#ifndef TY_RUNTIME_VISIT_H
#define TY_RUNTIME_VISIT_H

#include "object/interpreter.h"

void ty_visits_end(TyInterpreter *interpreter); /* of all OS threads; none is inside */
void ty_visits_end_own(void);                   /* of the calling OS thread, which is about to end */
void ty_visits_after_fork(void);

#endif
