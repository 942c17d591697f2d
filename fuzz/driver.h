/* A fuzzer written in Python: a text that defines `one(data)`, which is called with each input. */
#ifndef TY_FUZZ_DRIVER_H
#define TY_FUZZ_DRIVER_H

#include "fuzz/runtime.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/str.h"
#include "syntax/parse.h"

static Value driver_function; /* pinned */

static inline void begin_driver(const char *text)
{
    begin_runtime();
    Value globals = ty_dict_new();
    if (globals == TY_NULL || !ty_dict_set_text(globals, "__builtins__", ty_interpreter()->builtins_module)
        || !ty_run_source(text, strlen(text), TY_NAME("<fuzzer>"), TY_PARSE_FILE, 0, globals)) {
        ty_print_exception(ty_take_exception());
        abort();
    }
    driver_function = ty_dict_get_text(globals, "one");
    ty_pin(driver_function);
}

static inline void run_driver(const uint8_t *data, size_t size)
{
    Value bytes = ty_bytes_new(size ? (const void *)data : "", size);
    Value result = ty_call_one(driver_function, bytes);
    if (result == TY_NULL && (ty_raised_is(&ty_SystemError) || ty_raised_is(&ty_AssertionError) || ty_raised_is(&ty_NameError))) {
        ty_print_exception(ty_take_exception());
        abort();
    }
    end_input(result);
}

#endif
