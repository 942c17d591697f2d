/* What queues and channels have to know when an interpreter is gone: its items become unbound. modules/interpqueues.c, interpchannels.c */
#ifndef TY_CROSSING_QUEUES_H
#define TY_CROSSING_QUEUES_H

#include <stdint.h>

void ty_queues_interpreter_closed(int64_t id);
void ty_channels_interpreter_closed(int64_t id);

#endif
