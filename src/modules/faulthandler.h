#ifndef TY_MODULES_FAULTHANDLER_H
#define TY_MODULES_FAULTHANDLER_H

#include <stdbool.h>

/* As -X faulthandler asks for: tracebacks of all threads to descriptor 2 when a fatal signal comes. */
bool ty_faulthandler_enable(void);

#endif
