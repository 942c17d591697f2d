/* Binding the arguments of a call to the parameters of a Python function, with CPython's error texts; running code objects. */
#include "object/dict.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/str.h"
#include "object/suggest.h"
#include "object/tuple.h"
#include "vm/frame.h"

static Value parameter_name(const TyCode *code, uint32_t i) { return ty_tuple_item(code->register_names, i); }

static Value quoted_list(Value names) /* "'a'", "'a' and 'b'", "'a', 'b', and 'c'" */
{
    int64_t n = ty_list_length(names);
    TyStrBuilder b = {0};
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            ty_builder_add_text(&b, i == n - 1 ? (n == 2 ? " and " : ", and ") : ", ");
        ty_builder_add_repr(&b, ty_list_item(names, i));
    }
    return ty_builder_finish(&b);
}

static bool missing(TyFunction *function, Value names, const char *kind)
{
    int64_t n = ty_list_length(names);
    Value text = quoted_list(names);
    if (text != TY_NULL)
        ty_raise(&ty_TypeError, "%U() missing %lld required %s argument%s: %U", function->qualname, (long long)n, kind, n == 1 ? "" : "s", text);
    return false;
}

static bool too_many(TyFunction *function, size_t given, const Value *registers)
{
    TyCode *code = function->code;
    int64_t defaults = function->defaults == TY_NULL ? 0 : ty_tuple_length(function->defaults);
    uint32_t keyword_only_given = 0;
    for (uint32_t i = 0; i < code->keyword_only_count; i++)
        keyword_only_given += registers[code->positional_count + i] != TY_NULL;
    uint32_t positional = code->positional_count;
    bool plural = defaults ? true : positional != 1;
    Value takes = defaults ? ty_str_format("from %lld to %u", (long long)positional - (long long)defaults, positional) : ty_str_format("%u", positional);
    Value extra = keyword_only_given
        ? ty_str_format(" positional argument%s (and %u keyword-only argument%s)", given != 1 ? "s" : "", keyword_only_given, keyword_only_given != 1 ? "s" : "")
        : ty_str_from_text("");
    if (takes != TY_NULL && extra != TY_NULL)
        ty_raise(&ty_TypeError, "%U() takes %U positional argument%s but %zu%U %s given", function->qualname, takes, plural ? "s" : "", given, extra,
            given == 1 && !keyword_only_given ? "was" : "were");
    return false;
}

static bool positional_only_as_keyword(TyFunction *function, Value keywords)
{
    TyCode *code = function->code;
    TyStrBuilder b = {0};
    bool any = false;
    for (int64_t k = 0; k < ty_tuple_length(keywords); k++)
        for (uint32_t i = 0; i < code->positional_only_count; i++)
            if (ty_str_equal(ty_tuple_item(keywords, k), parameter_name(code, i))) {
                if (any)
                    ty_builder_add_text(&b, ", ");
                ty_builder_add(&b, parameter_name(code, i));
                any = true;
            }
    Value names = ty_builder_finish(&b);
    if (any && names != TY_NULL)
        ty_raise(&ty_TypeError, "%U() got some positional-only arguments passed as keyword arguments: '%U'", function->qualname, names);
    return any;
}

static bool unexpected_keyword(TyFunction *function, Value keyword, Value keywords)
{
    TyCode *code = function->code;
    if (code->positional_only_count && positional_only_as_keyword(function, keywords))
        return false;
    Value candidates = ty_list_new(0);
    for (uint32_t i = code->positional_only_count; candidates != TY_NULL && i < code->positional_count + code->keyword_only_count; i++)
        if (!ty_list_append(candidates, parameter_name(code, i)))
            return false;
    Value suggestion = candidates == TY_NULL ? TY_NULL : ty_suggest(candidates, keyword);
    if (suggestion != TY_NULL)
        ty_raise(&ty_TypeError, "%U() got an unexpected keyword argument '%S'. Did you mean '%S'?", function->qualname, keyword, suggestion);
    else if (!ty_raised())
        ty_raise(&ty_TypeError, "%U() got an unexpected keyword argument '%S'", function->qualname, keyword);
    return false;
}

static int64_t find_parameter(const TyCode *code, Value keyword)
{
    uint32_t end = code->positional_count + code->keyword_only_count;
    for (uint32_t i = code->positional_only_count; i < end; i++)
        if (parameter_name(code, i) == keyword)
            return i;
    for (uint32_t i = code->positional_only_count; i < end; i++)
        if (ty_str_equal(parameter_name(code, i), keyword))
            return i;
    return -1;
}

static bool place_keywords(TyFunction *function, const Value *values, Value keywords, Value *registers, Value extra)
{
    TyCode *code = function->code;
    for (int64_t k = 0; k < ty_tuple_length(keywords); k++) {
        Value keyword = ty_tuple_item(keywords, k);
        if (!ty_is_str(keyword))
            return ty_raise(&ty_TypeError, "%U() keywords must be strings", function->qualname), false;
        int64_t i = find_parameter(code, keyword);
        if (i >= 0) {
            if (registers[i] != TY_NULL)
                return ty_raise(&ty_TypeError, "%U() got multiple values for argument '%S'", function->qualname, keyword), false;
            registers[i] = values[k];
        } else if (extra == TY_NULL)
            return unexpected_keyword(function, keyword, keywords);
        else if (!ty_dict_set(extra, keyword, values[k]))
            return false;
    }
    return true;
}

static bool fill_positional_defaults(TyFunction *function, size_t count, Value *registers)
{
    TyCode *code = function->code;
    Value defaults = ty_field(&function->defaults);
    int64_t n = defaults == TY_NULL ? 0 : ty_tuple_length(defaults);
    int64_t first_default = (int64_t)code->positional_count - n;
    Value names = TY_NULL;
    for (int64_t i = (int64_t)count; i < first_default; i++)
        if (registers[i] == TY_NULL) {
            if (names == TY_NULL && (names = ty_list_new(0)) == TY_NULL)
                return false;
            if (!ty_list_append(names, parameter_name(code, (uint32_t)i)))
                return false;
        }
    if (names != TY_NULL)
        return missing(function, names, "positional");
    for (int64_t i = TY_MAX(first_default, 0); i < (int64_t)code->positional_count; i++)
        if (registers[i] == TY_NULL)
            registers[i] = ty_tuple_item(defaults, i - first_default);
    return true;
}

static bool fill_keyword_defaults(TyFunction *function, Value *registers)
{
    TyCode *code = function->code;
    Value names = TY_NULL, defaults = ty_field(&function->kwdefaults);
    for (uint32_t i = code->positional_count; i < code->positional_count + code->keyword_only_count; i++) {
        if (registers[i] != TY_NULL)
            continue;
        if (defaults != TY_NULL) {
            registers[i] = ty_dict_get(defaults, parameter_name(code, i));
            if (registers[i] != TY_NULL)
                continue;
            if (ty_raised())
                return false;
        }
        if (names == TY_NULL && (names = ty_list_new(0)) == TY_NULL)
            return false;
        if (!ty_list_append(names, parameter_name(code, i)))
            return false;
    }
    return names == TY_NULL || missing(function, names, "keyword-only");
}

bool ty_bind_arguments(TyFunction *function, const Value *arguments, size_t count, Value keywords, Value *registers)
{
    TyCode *code = function->code;
    uint32_t named = code->positional_count + code->keyword_only_count;
    size_t taken = TY_MIN(count, code->positional_count);
    Value extra = TY_NULL;
    if (code->flags & TY_CODE_VARKEYWORDS) {
        extra = ty_dict_new();
        if (extra == TY_NULL)
            return false;
        registers[named + !!(code->flags & TY_CODE_VARARGS)] = extra;
    }
    for (size_t i = 0; i < taken; i++)
        registers[i] = arguments[i];
    if (code->flags & TY_CODE_VARARGS) {
        Value rest = ty_tuple_from_array(arguments + taken, count - taken);
        if (rest == TY_NULL)
            return false;
        registers[named] = rest;
    }
    if (keywords != TY_NULL && !place_keywords(function, arguments + count, keywords, registers, extra))
        return false;
    if (count > code->positional_count && !(code->flags & TY_CODE_VARARGS))
        return too_many(function, count, registers);
    if (count < code->positional_count && !fill_positional_defaults(function, count, registers))
        return false;
    return code->keyword_only_count == 0 || fill_keyword_defaults(function, registers);
}

Value ty_eval_code(Value code_value, Value globals, Value locals, Value closure)
{
    ty_c_stack_clear();
    TyCode *code = (TyCode *)ty_object(code_value);
    Value made = ty_function_new(code, globals);
    if (made == TY_NULL)
        return TY_NULL;
    TyFunction *function = ty_as_function(made);
    ty_store(function, &function->closure, closure);
    TyFrame *frame = ty_frame_push_bare(function);
    if (!frame)
        return TY_NULL;
    if (!(code->flags & TY_CODE_OPTIMIZED))
        frame->locals = locals == TY_NULL ? globals : locals;
    return ty_vm_run(frame, false);
}
