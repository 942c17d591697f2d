/* From source text to running code; the top level's way with exceptions. */
#include "compile/compile.h"
#include "compile/scope.h"
#include "modules/ast/ast_objects.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "vm/frame.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static TyAst *parse(const char *source, size_t size, Value filename, int mode, uint32_t flags, int feature_version, bool source_is_str)
{
    TyParseOptions options = { .filename = filename, .mode = (TyParseMode)mode, .flags = flags | (source_is_str ? TY_PARSE_IGNORE_COOKIE : 0), .feature_version = feature_version };
    return ty_parse(source, size, &options);
}

#define ONLY_AST 0x400u
#define OPTIMIZED_AST 0x8000u

static Value tree_from_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, int optimize, int feature_version, bool source_is_str)
{
    TyAst *ast = parse(source, size, filename, mode, flags, feature_version, source_is_str);
    bool done = ast && (!(flags & OPTIMIZED_AST) || ty_ast_optimize(ast, optimize < 0 ? ty_config.optimize : optimize));
    Value tree = done ? ty_ast_to_object(ast) : TY_NULL;
    ty_ast_free(ast);
    return tree;
}

Value ty_compile_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, int optimize, int feature_version, bool source_is_str)
{
    if (flags & ONLY_AST)
        return tree_from_source(source, size, filename, mode, flags, optimize, feature_version, source_is_str);
    TyAst *ast = parse(source, size, filename, mode, flags, feature_version, source_is_str);
    if (!ast)
        return TY_NULL;
    TyCompileOptions options = { .filename = filename, .future_flags = flags & (TY_CODE_FUTURE_MASK | TY_COMPILE_TOP_LEVEL_AWAIT), .optimize = optimize < 0 ? ty_config.optimize : optimize, .interactive = mode == TY_PARSE_INTERACTIVE,
        .module = TY_NULL };
    Value code = ty_compile_tree(ast, &options);
    ty_ast_free(ast);
    return code;
}

bool ty_run_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, Value globals)
{
    Value code = ty_compile_source(source, size, filename, mode, flags, -1, -1, false);
    return code != TY_NULL && ty_eval_code(code, globals, TY_NULL, TY_NULL) != TY_NULL;
}

/* --- exit -------------------------------------------------------------------------------------------------------------- */

static int system_exit_status(Value exception)
{
    Value code = ((TySystemExit *)ty_object(exception))->code;
    if (code == TY_NULL || code == TY_NONE)
        return 0;
    if (ty_is_int(code)) {
        int64_t status;
        return ty_int_get_int64(code, &status) == 0 ? (int)(status & 0xFF) : 255;
    }
    Value error = ty_sys_get("stderr"), text = ty_str(code);
    if (error != TY_NULL && error != TY_NONE && text != TY_NULL) {
        ty_call_method_one(error, TY_NAME("write"), text);
        ty_call_method_one(error, TY_NAME("write"), TY_NAME("\n"));
    }
    ty_clear_exception();
    return 1;
}

bool ty_run_interrupted;

int ty_exit_status(void)
{
    ty_run_interrupted = false;
    Value exception = ty_take_exception();
    if (exception == TY_NULL)
        return 0;
    if (ty_is_instance_of(exception, &ty_SystemExit) && !ty_config.inspect) /* with -i it is shown, and a prompt follows */
        return system_exit_status(exception);
    Value hook = ty_sys_get("excepthook");
    if (hook != TY_NULL && hook != TY_NONE) {
        Value traceback = ty_as_exception(exception)->traceback;
        Value arguments[3] = { ty_from_object(ty_type_of(exception)), exception, traceback == TY_NULL ? TY_NONE : traceback };
        ty_dict_set_text(ty_interpreter()->sys, "last_exc", exception);
        ty_dict_set_text(ty_interpreter()->sys, "last_type", arguments[0]);
        ty_dict_set_text(ty_interpreter()->sys, "last_value", exception);
        ty_dict_set_text(ty_interpreter()->sys, "last_traceback", arguments[2]);
        if (ty_call(hook, arguments, 3, TY_NULL) == TY_NULL) {
            Value second = ty_take_exception();
            if (ty_is_instance_of(second, &ty_SystemExit))
                return system_exit_status(second);
            fprintf(stderr, "Error in sys.excepthook:\n");
            ty_print_exception(second);
            fprintf(stderr, "\nOriginal exception was:\n");
            ty_print_exception(exception);
        }
    } else
        ty_print_exception(exception);
    ty_run_interrupted = ty_is_instance_of(exception, &ty_KeyboardInterrupt);
    return ty_run_interrupted ? 128 + SIGINT : 1;
}

/* --- trees given by Python code ----------------------------------------------------------------------------------------------- */

int ty_config_optimize(void) { return ty_config.optimize; }
bool ty_config_no_debug_ranges(void) { return ty_config.no_debug_ranges; }

bool ty_ast_is_node(Value v) { return ty_is_ast(v); }

Value ty_ast_compile(Value node, Value filename, int mode, uint32_t flags, int optimize)
{
    if ((flags & ONLY_AST) && !(flags & OPTIMIZED_AST))
        return ty_ast_check_mode(node, (TyParseMode)mode) ? node : TY_NULL;
    TyAst *ast = ty_ast_from_object(node, (TyParseMode)mode);
    if (!ast)
        return TY_NULL;
    if (flags & ONLY_AST) {
        Value tree = ty_ast_optimize(ast, optimize < 0 ? ty_config.optimize : optimize) ? ty_ast_to_object(ast) : TY_NULL;
        ty_ast_free(ast);
        return tree;
    }
    TyCompileOptions options = { .filename = filename, .future_flags = flags & (TY_CODE_FUTURE_MASK | TY_COMPILE_TOP_LEVEL_AWAIT), .optimize = optimize < 0 ? ty_config.optimize : optimize, .interactive = mode == TY_PARSE_INTERACTIVE };
    Value result = ty_compile_tree(ast, &options);
    ty_ast_free(ast);
    return result;
}

Value ty_ast_from_source(const char *source, size_t size, Value filename, int mode, uint32_t flags, int feature_version, bool source_is_str)
{
    return tree_from_source(source, size, filename, mode, flags, -1, feature_version, source_is_str);
}
