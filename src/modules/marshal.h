/* marshal: CPython's own serialization, versions 0 to 5, for plain values; code objects are written in a layout of ours. When they
 * are read, every operand, jump, name, constant and table is checked to be in range; what the instructions then do is as trusted as the source would be. */
#ifndef TY_MODULES_MARSHAL_H
#define TY_MODULES_MARSHAL_H

#include "object/object.h"

enum { TY_MARSHAL_VERSION = 5 };

Value ty_marshal_dump(Value v, int version);                   /* bytes */
Value ty_marshal_load(const uint8_t *data, size_t size);       /* the memory must stay as it is meanwhile */
Value ty_marshal_load_own(const uint8_t *data, size_t size);   /* the same, of what the build itself has put into the program: code is not verified */

#endif
