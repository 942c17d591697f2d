/* What folders hold, for importlib's finders: read once for the process, as long as the folder has not changed since. */
#ifndef TY_RUNTIME_LISTING_H
#define TY_RUNTIME_LISTING_H

#include "object/object.h"

bool ty_listing_install(Value finder); /* the class FileFinder, whose _fill_cache this becomes */

#endif
