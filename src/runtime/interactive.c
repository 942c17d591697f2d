#include "runtime/interactive.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "vm/frame.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Atomic(TyLineReader) ty_line_reader;

bool ty_line_reader_usable(void) { return ty_load_relaxed(&ty_line_reader) && isatty(0) && isatty(1); }

bool ty_is_interactive(void) { return ty_config.interactive || isatty(0); }

static const char *environment(const char *name)
{
    const char *value = ty_config.ignore_environment ? NULL : getenv(name);
    return value && *value ? value : NULL;
}

/* --- the basic prompt -------------------------------------------------------------------------------------------------------- */

/* A raised exception stays raised. */
static void write_error(Value text)
{
    Value raised = ty_take_exception(), stream = ty_sys_get("stderr");
    if (stream != TY_NULL && stream != TY_NONE && text != TY_NULL && ty_call_method_one(stream, TY_NAME("write"), text) != TY_NULL)
        ty_call_method_none(stream, TY_NAME("flush"));
    ty_clear_exception();
    if (raised != TY_NULL)
        ty_restore_exception(raised);
}

/* str(sys.ps1), which may be any object; nothing if that fails. */
static Value prompt_text(const char *name)
{
    Value prompt = ty_sys_get(name), text = prompt == TY_NULL ? ty_str_empty() : ty_str(prompt);
    ty_clear_exception();
    return text == TY_NULL ? ty_str_empty() : text;
}

/* The next line with its newline; empty at the end of the file. TY_NULL with an exception. */
static Value read_line(Value prompt)
{
    Value out = ty_sys_get("stdout"), in = ty_sys_get("stdin");
    if (out != TY_NULL && out != TY_NONE && ty_call_method_none(out, TY_NAME("flush")) == TY_NULL)
        ty_clear_exception();
    if (ty_line_reader_usable()) {
        size_t size;
        const char *text = ty_to_utf8(prompt, &size);
        char *line = text ? ty_load_relaxed(&ty_line_reader)(text) : NULL;
        if (!line)
            return TY_NULL;
        Value result = ty_str_decode_fs(line, strlen(line));
        free(line);
        return result;
    }
    write_error(prompt);
    if (in == TY_NULL || in == TY_NONE)
        return ty_str_empty();
    Value line = ty_call_method_none(in, TY_NAME("readline"));
    if (line != TY_NULL && !ty_is_str(line))
        return ty_raise(&ty_TypeError, "object.readline() returned non-string");
    return line;
}

/* What was typed last, so that tracebacks can show it. */
static void remember_source(Value code, Value source)
{
    Value linecache = ty_import_module("linecache");
    Value arguments[3] = { code, source, TY_NAME("<stdin>") };
    Value remember = linecache == TY_NULL ? TY_NULL : ty_get_attribute(linecache, TY_NAME("_register_code"));
    if (remember != TY_NULL)
        ty_call(remember, arguments, 3, TY_NULL);
    ty_clear_exception();
}

/* Shows the raised exception as a prompt does: with the lines that were typed. True: it was SystemExit, and *status is what it says. */
static bool show_exception(int *status)
{
    if (ty_raised_is(&ty_SystemExit)) {
        *status = ty_exit_status();
        return true;
    }
    Value hook = ty_sys_get("excepthook"), plain = ty_sys_get("__excepthook__"), exception = ty_take_exception();
    Value traceback = hook == plain ? ty_import_module("traceback") : TY_NULL;
    Value show = traceback == TY_NULL ? TY_NULL : ty_get_attribute(traceback, TY_NAME("_print_exception_bltin"));
    if (show != TY_NULL) {
        Value sys = ty_interpreter()->sys, trace = ty_as_exception(exception)->traceback;
        ty_dict_set_text(sys, "last_exc", exception);
        ty_dict_set_text(sys, "last_type", ty_from_object(ty_type_of(exception)));
        ty_dict_set_text(sys, "last_value", exception);
        ty_dict_set_text(sys, "last_traceback", trace == TY_NULL ? TY_NONE : trace);
        if (ty_call_one(show, exception) != TY_NULL)
            return false;
    }
    ty_clear_exception();
    ty_restore_exception(exception);
    ty_exit_status();
    return false;
}

static Value compile_whole(Value source)
{
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(source, &size, &holder);
    return text ? ty_compile_source(text, size, TY_NAME("<stdin>"), TY_PARSE_INTERACTIVE, 0, -1, -1, true) : TY_NULL;
}

/* Code for what was typed so far, None if there must be more, TY_NULL with an exception. Codeop's errors say less than those of a whole source. */
static Value compile_typed(Value compiler, Value source)
{
    Value arguments[3] = { source, TY_NAME("<stdin>"), TY_NAME("single") };
    Value code = ty_call(compiler, arguments, 3, TY_NULL);
    if (code != TY_NULL || !ty_raised_is(&ty_SyntaxError))
        return code;
    ty_clear_exception();
    return compile_whole(ty_str_format("%U\n", source));
}

/* Reads until there is a whole statement, into *source. TY_NULL without an exception: the end of the file; *ended says that it was met. */
static Value read_statement(Value compiler, Value *source, bool *ended)
{
    *source = ty_str_empty();
    for (const char *prompt = "ps1"; ; prompt = "ps2") {
        Value line = read_line(prompt_text(prompt));
        if (line == TY_NULL && ty_raised_is(&ty_OSError)) { /* nothing will ever come */
            ty_clear_exception();
            line = ty_str_empty();
        }
        if (line == TY_NULL)
            return TY_NULL;
        *ended = ty_str_length(line) == 0;
        if (*ended) {
            write_error(TY_NAME("\n"));
            if (ty_str_length(*source) == 0)
                return TY_NULL;
        }
        bool last = !*ended && ty_str_at(line, ty_str_length(line) - 1) != '\n'; /* the file ends within it */
        if (last)
            write_error(ty_str_format("%U\n", prompt_text("ps2")));
        *source = ty_str_format("%U%U", *source, line);
        Value typed = *source == TY_NULL || *ended || last ? *source : ty_str_slice(*source, 0, ty_str_length(*source) - 1);
        Value code = typed == TY_NULL ? TY_NULL : *ended || last ? compile_whole(typed) : compile_typed(compiler, typed);
        if (code != TY_NONE)
            return code;
    }
}

int ty_basic_prompt(void)
{
    Value globals = ty_module_dict(ty_interpreter()->main_module);
    Value codeop = ty_import_module("codeop");
    Value compiler = codeop == TY_NULL ? TY_NULL : ty_call_method_none(codeop, TY_NAME("CommandCompiler"));
    if (compiler == TY_NULL)
        return ty_exit_status();
    if (ty_sys_get("ps1") == TY_NULL)
        ty_dict_set_text(ty_interpreter()->sys, "ps1", TY_NAME(">>> "));
    if (ty_sys_get("ps2") == TY_NULL)
        ty_dict_set_text(ty_interpreter()->sys, "ps2", TY_NAME("... "));
    int status = 0;
    for (;;) {
        Value source;
        bool ended = false;
        Value code = read_statement(compiler, &source, &ended);
        if (code == TY_NULL && !ty_raised())
            return 0;
        if (code == TY_NULL && ty_raised_is(&ty_KeyboardInterrupt)) {
            ty_clear_exception();
            write_error(TY_NAME("\nKeyboardInterrupt\n"));
            continue;
        }
        if (code == TY_NULL && ty_thread->exception != TY_NULL) /* of no interest is where the compiler was called */
            ty_store(ty_object(ty_thread->exception), &ty_as_exception(ty_thread->exception)->traceback, TY_NULL);
        if (code != TY_NULL) {
            remember_source(code, source);
            if (ty_eval_code(code, globals, TY_NULL, TY_NULL) != TY_NULL)
                continue;
        }
        if (show_exception(&status))
            return status;
    }
}

/* --- sessions ------------------------------------------------------------------------------------------------------------------ */

static bool run_startup(int *status)
{
    const char *path = environment("PYTHONSTARTUP");
    if (!path)
        return true;
    FILE *file = fopen(path, "rb");
    if (!file) {
        int error = errno;
        fprintf(stderr, "Could not open PYTHONSTARTUP\n");
        ty_raise_errno(&ty_OSError, error, ty_str_decode_fs(path, strlen(path)), TY_NULL);
        return !show_exception(status);
    }
    size_t capacity = 4096, size = 0;
    char *text = malloc(capacity);
    for (size_t got; text && (got = fread(text + size, 1, capacity - size, file)) > 0; size += got)
        if (size + got == capacity) {
            char *grown = realloc(text, capacity *= 2);
            if (!grown)
                free(text);
            text = grown;
        }
    fclose(file);
    bool done = text ? ty_run_source(text, size, ty_str_decode_fs(path, strlen(path)), TY_PARSE_FILE, TY_PARSE_FROM_FILE, ty_module_dict(ty_interpreter()->main_module)) : (ty_raise_memory_error(), false);
    free(text);
    return done || !show_exception(status);
}

static bool run_hook(int *status)
{
    Value hook = ty_sys_get("__interactivehook__");
    if (hook == TY_NULL || ty_call_none(hook) != TY_NULL)
        return true;
    if (!ty_raised_is(&ty_SystemExit))
        write_error(TY_NAME("Failed calling sys.__interactivehook__\n"));
    return !show_exception(status);
}

static int run_prompt(void)
{
    if (environment("PYTHON_BASIC_REPL") || !isatty(0))
        return ty_basic_prompt();
    Value module = ty_import_module("_pyrepl.main");
    Value console = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("interactive_console"));
    Value names = ty_tuple_pack(1, TY_NAME("mainmodule")), main_module = ty_interpreter()->main_module;
    int status = 0;
    if (console == TY_NULL || names == TY_NULL) {
        show_exception(&status);
        return ty_basic_prompt();
    }
    return ty_call(console, &main_module, 0, names) == TY_NULL ? ty_exit_status() : 0;
}

static void print_header(void)
{
    if (!ty_config.quiet)
        write_error(ty_str_format("Typhon %S on %S\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n", ty_sys_get("version"), ty_sys_get("platform")));
}

int ty_interactive_session(void)
{
    int status = 0;
    ty_config.inspect = 0; /* SystemExit ends the session */
    print_header();
    if (!run_startup(&status) || !run_hook(&status))
        return status;
    return run_prompt();
}

int ty_interactive_after(int status)
{
    if ((!ty_config.inspect && !environment("PYTHONINSPECT")) || !ty_is_interactive())
        return status;
    ty_config.inspect = 0;
    return run_hook(&status) ? run_prompt() : status;
}
