/* The code of cached files (.pyc), made once for the process: code is immutable, so that an interpreter that imports what another has imported takes
 * its code as it is. What is kept is found by what the file holds, which names the source's time and size as well. */
#ifndef TY_RUNTIME_CODE_CACHE_H
#define TY_RUNTIME_CODE_CACHE_H

#include "object/object.h"

/* What takes the place of importlib's _compile_bytecode(data, name=None, bytecode_path=None, source_path=None). */
Value ty_code_cache_function(void);

#endif
