/* marshal: CPython's own serialization, versions 0 to 5, for plain values; code objects are written in a layout of ours and verified when they are
 * read, so that no bytes can make the VM do what it should not. */
#ifndef TY_MODULES_MARSHAL_H
#define TY_MODULES_MARSHAL_H

#include "object/object.h"

enum { TY_MARSHAL_VERSION = 5 };

Value ty_marshal_dump(Value v, int version);                   /* bytes */
Value ty_marshal_load(const uint8_t *data, size_t size);       /* the memory must stay as it is meanwhile */

#endif
