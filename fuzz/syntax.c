/* Any bytes as source text through the tokenizer and the parser alone, in each of their modes. Values are stand-ins, so that
 * no heap is needed and a run costs microseconds; fuzz/source_text.c feeds the same to the whole compiler. */
#include "syntax/constant.h"
#include "syntax/parse.h"
#include <stdlib.h>
#include <string.h>

/* Values that only have to be told apart from an error, and a complex number from the others. */
enum { ANY = 8, COMPLEX = 16 };

static Value raised;

Value ty_syntax_identifier(const char *utf8, size_t size) { return (void)utf8, (void)size, ANY; }
Value ty_syntax_string(const char *utf8, size_t size) { return (void)utf8, (void)size, ANY; }
Value ty_syntax_bytes(const char *bytes, size_t size) { return (void)bytes, (void)size, ANY; }
Value ty_syntax_int(const char *digits, size_t size, int base) { return (void)digits, (void)size, (void)base, ANY; }
Value ty_syntax_float(const char *text, size_t size) { return (void)text, (void)size, ANY; }
Value ty_syntax_imaginary(const char *text, size_t size) { return (void)text, (void)size, COMPLEX; }
void ty_syntax_number_failed(Value filename, int line, int column) { (void)filename, (void)line, (void)column; }
bool ty_syntax_is_complex(Value value) { return value == COMPLEX; }
Value ty_syntax_none(void) { return ANY; }
Value ty_syntax_bool(bool truth) { return (void)truth, ANY; }
Value ty_syntax_ellipsis(void) { return ANY; }
char *ty_syntax_repr(Value value, size_t *size) { return (void)value, *size = 1, strdup("1"); }
char *ty_syntax_utf8(Value string, size_t *size) { return (void)string, *size = 1, strdup("x"); }

void ty_syntax_raise(TySyntaxErrorKind kind, const char *message, const TySyntaxErrorPlace *place)
{
    (void)kind;
    raised = ANY;
    /* Whoever shows the error reads all of these bytes. */
    static volatile size_t sum;
    sum = strlen(message);
    for (size_t i = 0; place && place->text && i < place->text_size; i++)
        sum = sum + (unsigned char)place->text[i];
}
void ty_syntax_raise_memory(const char *message) { (void)message, raised = ANY; }
void ty_syntax_raise_value(const char *message) { (void)message, raised = ANY; }
Value ty_syntax_take_exception(void)
{
    Value exception = raised;
    raised = 0;
    return exception;
}
void ty_syntax_set_exception(Value exception) { raised = exception; }
void ty_syntax_clear_exception(void) { raised = 0; }

static char *stack_limit;
char *ty_syntax_stack_limit(void) { return stack_limit; }

char *ty_syntax_decode(TyArena *arena, const char *bytes, size_t *size, const char *encoding, size_t encoding_size, Value filename)
{
    (void)arena, (void)bytes, (void)size, (void)encoding, (void)encoding_size, (void)filename;
    raised = ANY;
    return NULL;
}

bool ty_kept_values_init(TyKeptValues *kept)
{
    *kept = (TyKeptValues){0};
    return true;
}
bool ty_kept_values_add(TyKeptValues *kept, Value value) { return (void)kept, (void)value, true; }
void ty_kept_values_free(TyKeptValues *kept) { (void)kept; }

static int warn(void *context, bool is_deprecation, const char *message, Value filename, int line)
{
    (void)context, (void)is_deprecation, (void)filename, (void)line;
    return strlen(message) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char here;
    stack_limit = &here - (4 << 20);
    /* The first byte chooses what is parsed; seeds that are plain source begin with another one: a file. */
    static const TyParseMode modes[] = {TY_PARSE_FILE, TY_PARSE_EXPRESSION, TY_PARSE_INTERACTIVE, TY_PARSE_FUNCTION_TYPE};
    uint8_t choice = data[0] < 16 ? data[0] : 0;
    size_t skip = data[0] < 16;
    TyParseOptions options = {
        .filename = ANY,
        .mode = modes[choice & 3],
        .flags = (choice & 4 ? TY_PARSE_TYPE_COMMENTS : 0) | (choice & 8 ? TY_PARSE_ALLOW_INCOMPLETE_INPUT | TY_PARSE_DONT_IMPLY_DEDENT : 0),
        .warn = warn,
    };
    /* A copy of exactly this size: reading past its end is seen. */
    char *source = malloc(size - skip + 1);
    memcpy(source, data + skip, size - skip);
    source[size - skip] = 0;
    raised = 0;
    TyAst *tree = ty_parse(source, size - skip, &options);
    if (tree)
        ty_ast_free(tree);
    else if (!raised)
        abort(); /* a failure without an exception */
    free(source);
    return 0;
}
