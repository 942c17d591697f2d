/* Scripts: what exec() runs in the __main__ of another interpreter.
 *
 * Code is immutable and serves all interpreters, so that the code of a source text is kept for the next time that the same text comes, for the
 * whole process. A place of the cache is one word, a pair of text and code: who reads it takes no lock. */
#include "modules/interpreters/interpreters.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"

#define CACHE_PLACES 128
#define CACHED_TEXT_MAX 65536 /* characters */

static Value cache[CACHE_PLACES];
static TyMutex cache_lock;
static bool cache_rooted;

static void remember(Value *place, Value text, Value code)
{
    Value pair = ty_tuple_pack(2, text, code);
    if (pair == TY_NULL) {
        ty_clear_exception();
        return;
    }
    ty_mutex_lock_blocking(&cache_lock);
    if (!cache_rooted) {
        ty_root_add(cache, CACHE_PLACES);
        cache_rooted = true;
    }
    ty_mutex_unlock(&cache_lock);
    ty_store_publish(NULL, place, pair);
}

static Value compile(Value source)
{
    return ty_compile_value(source, TY_NAME("<script>"), TY_PARSE_FILE, 0, -1, -1);
}

static Value code_of_text(Value text)
{
    if (!ty_is_exact_str(text) || ty_str_length(text) > CACHED_TEXT_MAX)
        return compile(text);
    Value *place = &cache[(uint64_t)ty_str_hash(text) % CACHE_PLACES], pair = ty_field_acquire(place);
    if (pair != TY_NULL && (ty_tuple_item(pair, 0) == text || ty_str_equal(ty_tuple_item(pair, 0), text)))
        return ty_tuple_item(pair, 1);
    Value code = compile(text);
    if (code != TY_NULL)
        remember(place, text, code);
    return code;
}

/* Whether every RETURN gives None that was loaded right before it. */
static bool returns_only_none(const TyCode *code)
{
    uint32_t none_in = 0; /* register + 1 that the instruction before loaded None into */
    for (uint32_t i = 0; i < code->instruction_count; i += ty_op_words[ty_op(code->instructions[i])]) {
        TyInstruction word = code->instructions[i];
        TyOp op = ty_op(word);
        if (op == TY_OP_MAKE_GENERATOR || (op == TY_OP_RETURN && none_in != ty_op_a(word) + 1))
            return false;
        bool none = op == TY_OP_LOAD_CONST && ty_tuple_item(code->consts, ty_op_imm(word)) == TY_NONE;
        none_in = none ? ty_op_a(word) + 1 : 0;
    }
    return true;
}

static Value check(TyCode *code)
{
    if (ty_code_parameter_count(code) > 0)
        return ty_raise(&ty_ValueError, "code with args not supported");
    if (code->free_count > 0)
        return ty_raise(&ty_ValueError, "closures not supported");
    if (!returns_only_none(code))
        return ty_raise(&ty_ValueError, "code that returns a value is not a script");
    return ty_from_object(code);
}

Value ty_script_code(Value script, int allowed, const char *function)
{
    if (allowed != TY_SCRIPT_FUNCTION) {
        if (ty_is_str(script))
            return code_of_text(script);
        if (allowed == TY_SCRIPT_TEXT)
            return ty_raise(&ty_TypeError, "_interpreters.%s() argument 2 must be str, not %s", function, script == TY_NONE ? "None" : ty_type_short_name(ty_type_of(script)));
        if (ty_is_bytes(script))
            return compile(script);
    }
    if (ty_is_function(script))
        return check(ty_as_function(script)->code);
    if (ty_is_exact(script, &ty_code_type))
        return check((TyCode *)ty_object(script));
    if (allowed == TY_SCRIPT_FUNCTION)
        return ty_raise(&ty_TypeError, "_interpreters.%s() argument 2 must be a function, not %s", function, script == TY_NONE ? "None" : ty_type_short_name(ty_type_of(script)));
    return ty_raise(&ty_TypeError, "unsupported script %R", script);
}
