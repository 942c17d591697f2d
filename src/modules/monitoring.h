/* sys.monitoring. */
#ifndef TY_MODULES_MONITORING_H
#define TY_MODULES_MONITORING_H

#include "object/object.h"

Value ty_monitoring_module(void); /* a new one, for the current interpreter's sys */

#endif
