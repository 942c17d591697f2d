/* What other modules ask of a socket object. */
#ifndef TY_MODULES_SOCKET_H
#define TY_MODULES_SOCKET_H

#include "object/object.h"

bool ty_is_socket(Value v);
int ty_socket_descriptor(Value socket);  /* -1: closed */
int64_t ty_socket_timeout(Value socket); /* nanoseconds; -1: none */

/* Adds what socket_constants.c has. */
bool ty_socket_constants(Value module);

#endif
