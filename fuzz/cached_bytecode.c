/* Any bytes as the inside of a cached bytecode file, through marshal and the verifier of code objects; nothing is executed. What was read can be
 * written, and read again. */
#include "fuzz/runtime.h"
#include "modules/marshal.h"
#include "object/bytes.h"

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    begin_runtime();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Value v = ty_marshal_load(data, size);
    if (v != TY_NULL) {
        Value bytes = ty_marshal_dump(v, TY_MARSHAL_VERSION);
        Value again = bytes == TY_NULL ? TY_NULL : ty_marshal_load(ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes));
        if (again == TY_NULL && !ty_raised())
            abort();
        ty_clear_exception();
    }
    end_input(v);
    return 0;
}
