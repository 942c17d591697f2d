/* contextvars for the rest of the runtime. The current Context is ty_thread->context, made when it is first needed. */
#ifndef TY_MODULES_CONTEXTVARS_H
#define TY_MODULES_CONTEXTVARS_H

#include "object/object.h"

extern TyType ty_context_type, ty_context_var_type, ty_context_token_type;

Value ty_context_current(void);
Value ty_context_copy_current(void);
bool ty_context_enter(Value context); /* RuntimeError if it is entered already */
void ty_context_exit(Value context);
Value ty_context_run(Value context, Value callable, const Value *arguments, size_t count, Value keywords);

#endif
