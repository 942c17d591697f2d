/* What the files of the _collections module share. */
#ifndef TY_MODULES_COLLECTIONS_H
#define TY_MODULES_COLLECTIONS_H

#include "object/object.h"

extern TyType ty_ordered_dict_type;

bool ty_is_plain_deque(Value v);                  /* an exact deque */
bool ty_deque_append(Value deque, Value item);
bool ty_ordered_dict_start(void); /* readies its views and iterator */

#endif
