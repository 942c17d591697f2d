/* A runtime for a fuzzer: begun once, without site and without the standard library's modules; each input ends with nothing raised. */
#ifndef TY_FUZZ_RUNTIME_H
#define TY_FUZZ_RUNTIME_H

#include "object/exception.h"
#include "runtime/runtime.h"
#include <stdlib.h>

static inline void begin_runtime(void)
{
    static char *arguments[] = {"typhon", "-I", "-S", "-B", "-c", "pass", NULL};
    if (ty_config_read(&ty_config, 6, arguments) >= 0)
        abort();
    ty_config_find_paths(&ty_config);
    if (!ty_runtime_start())
        abort();
}

/* Any Python exception is a good answer. Garbage is collected now and then, so that the inputs do not add up. */
static inline void end_input(Value result)
{
    static unsigned inputs;
    if (result == TY_NULL && !ty_raised())
        abort(); /* failed without saying why */
    ty_clear_exception();
    if (++inputs % 512 == 0) {
        ty_heap_collect();
        ty_heap_run_pending();
        ty_clear_exception();
    }
}

#endif
