/* What hash objects of all kinds have in common: taking their data from arguments, and hexadecimal digests. */
#ifndef TY_MODULES_HASHES_H
#define TY_MODULES_HASHES_H

#include "object/buffer.h"

enum { TY_HASH_BLOCKING = 2048 }; /* more data than this is hashed while the thread counts as blocked */

/* A view of the data to hash: TypeError for a str and for what has no buffer. */
bool ty_hash_view(Value v, TyBuffer *view);
/* The data of a constructor: its `data`, or `string`, the old name. TY_NULL without an exception: none was given. */
bool ty_hash_data(Value data, Value string, Value *out);
Value ty_hash_hexadecimal(const uint8_t *digest, size_t size);

#endif
