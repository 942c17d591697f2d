/* Any bytes as source text through the parser, the scopes and code generation, in a whole runtime; nothing is executed. What is compiled must pass
 * the verifier that cached bytecode passes, and survive being written to such a file and read again. */
#include "fuzz/runtime.h"
#include "modules/marshal.h"
#include "object/bytes.h"
#include "object/code.h"
#include "object/str.h"
#include "syntax/parse.h"

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    begin_runtime();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* The first byte chooses how it is compiled; seeds that are plain source begin with another one: a file. */
    static const int modes[] = {TY_PARSE_FILE, TY_PARSE_EXPRESSION, TY_PARSE_INTERACTIVE};
    uint8_t choice = data[0] < 12 ? data[0] : 0;
    size_t skipped = data[0] < 12;
    Value code = ty_compile_source((const char *)data + skipped, size - skipped, TY_NAME("<fuzz>"), modes[choice % 3], 0, choice / 3 % 3, -1, choice >= 9);
    if (code != TY_NULL && ty_is_exact(code, &ty_code_type)) {
        Value bytes = ty_marshal_dump(code, TY_MARSHAL_VERSION);
        Value again = bytes == TY_NULL ? TY_NULL : ty_marshal_load(ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes));
        if (again == TY_NULL && !ty_raised_is(&ty_MemoryError) && !ty_raised_is(&ty_ValueError))
            abort();
        if (again == TY_NULL && ty_raised_is(&ty_ValueError)) { /* nested too deeply for marshal is an answer; code that does not verify is not */
            Value error = ty_str(ty_take_exception());
            if (error != TY_NULL && !ty_str_equal_text(error, "object too deeply nested to marshal"))
                abort();
            code = TY_NONE;
        }
    }
    end_input(code);
    return 0;
}
