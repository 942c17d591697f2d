/* "Did you mean …?": the candidate nearest to a misspelt name. */
#ifndef TY_OBJECT_SUGGEST_H
#define TY_OBJECT_SUGGEST_H

#include "object/object.h"

/* The str among the list's that is nearest to `name` and near enough, or TY_NULL (without an exception, unless memory is short). */
Value ty_suggest(Value candidates, Value name);

#endif
