/* Running what the command line asks for, and leaving. */
#include "object/bytes.h"
#include "object/code.h"
#include "object/codec.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "modules/_thread.h"
#include "modules/atexit.h"
#include "modules/faulthandler.h"
#include "modules/marshal.h"
#include "runtime/interactive.h"
#include "runtime/runtime.h"
#include "syntax/parse.h"
#include "vm/frame.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Other interpreters' sys.path begins with it too: modules/sys.c. */
static bool insert_path(Value entry)
{
    Value path = ty_sys_get("path"), bytes = entry == TY_NULL ? TY_NULL : ty_str_encode_fs(entry);
    ty_interpreter()->script_folder = entry;
    if (bytes != TY_NULL) /* other interpreters begin with it as well */
        ty_config.first_path = strdup((const char *)ty_bytes_data(bytes));
    return bytes != TY_NULL && path != TY_NULL && ty_list_insert(path, 0, entry);
}

/* How much the lines that are not blank are all indented; a first line counts. */
static size_t common_indent(const char *text)
{
    const char *margin = NULL;
    size_t common = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t indent = strspn(line, " \t"), same = 0;
        if (line[indent] == '\n' || !line[indent])
            continue;
        while (margin && same < indent && same < common && line[same] == margin[same])
            same++;
        common = margin ? same : indent;
        margin = line;
    }
    return common;
}

/* The command without the indentation that all its lines share, and with a newline. */
static char *command_text(const char *command, size_t *size)
{
    char *text = malloc(strlen(command) + 2), *end = text;
    size_t indent = common_indent(command);
    if (!text)
        return NULL;
    while (*command) {
        size_t length = strcspn(command, "\n"), white = strspn(command, " \t"), newline = command[length] == '\n';
        size_t skipped = white >= length ? length : indent;
        memcpy(end, command + skipped, length - skipped + newline);
        end += length - skipped + newline;
        command += length + newline;
    }
    memcpy(end, "\n", 2);
    *size = (size_t)(end - text) + 1;
    return text;
}

static bool run_command(Value globals)
{
    TyInterpreter *interpreter = ty_interpreter();
    size_t size;
    char *text = command_text(ty_config.command, &size);
    if (!text)
        return ty_raise_memory_error(), false;
    Value decoded = ty_str_decode_fs(text, size), code, holder;
    free(text);
    const char *utf8 = decoded == TY_NULL ? NULL : ty_str_utf8(decoded, &size, &holder);
    if (!utf8) {
        fprintf(stderr, "Unable to decode the command from the command line:\n");
        return false;
    }
    code = ty_compile_source(utf8, size, TY_NAME("<string>"), TY_PARSE_FILE, 0, -1, -1, true);
    if (code == TY_NULL)
        return false;
    interpreter->command = ty_tuple_pack(3, code, decoded, TY_NAME("<string>"));
    return interpreter->command != TY_NULL && ty_eval_code(code, globals, TY_NULL, TY_NULL) != TY_NULL;
}

static bool run_module(const char *name)
{
    Value runpy = ty_import_module("runpy");
    Value run = runpy == TY_NULL ? TY_NULL : ty_get_attribute(runpy, TY_NAME("_run_module_as_main"));
    Value module = ty_str_decode_fs(name, strlen(name));
    return run != TY_NULL && module != TY_NULL && ty_call_two(run, module, TY_TRUE) != TY_NULL;
}

/* All that is left of the stream, which is closed before the program runs, standard input aside: the program finds no descriptor open that it did not open. */
static char *read_all(FILE *file, size_t *size)
{
    size_t capacity = 1 << 16;
    char *text = malloc(capacity);
    *size = 0;
    ty_blocking_begin();
    while (text) {
        size_t got = fread(text + *size, 1, capacity - *size - 1, file);
        *size += got;
        if (got == 0)
            break;
        if (capacity - *size < 4096) {
            char *grown = realloc(text, capacity *= 2);
            if (!grown)
                free(text);
            text = grown;
        }
    }
    if (file != stdin)
        fclose(file);
    ty_blocking_end();
    return text;
}

static bool run_stream(FILE *file, Value filename, Value globals)
{
    size_t size;
    char *text = read_all(file, &size);
    if (!text)
        return ty_raise_memory_error(), false;
    if (ty_config.skip_first_line) {
        char *end = memchr(text, '\n', size);
        if (end) { /* the line stays, empty, so that line numbers agree */
            size -= (size_t)(end - text);
            memmove(text, end, size);
        }
    }
    bool done = ty_run_source(text, size, filename, TY_PARSE_FILE, TY_PARSE_FROM_FILE, globals);
    free(text);
    return done;
}

static bool is_compiled(const char *path, int first, int second)
{
    size_t length = strlen(path);
    uint32_t magic = ty_bytecode_magic();
    return (length > 4 && !strcmp(path + length - 4, ".pyc")) || (first == (int)(magic & 0xFF) && second == (int)(magic >> 8 & 0xFF));
}

static bool run_compiled(FILE *file, Value globals)
{
    size_t size;
    char *text = read_all(file, &size);
    if (!text)
        return ty_raise_memory_error(), false;
    uint32_t magic = 0;
    memcpy(&magic, text, TY_MIN(size, sizeof magic));
    Value code = size < 16 || magic != ty_bytecode_magic() ? ty_raise(&ty_RuntimeError, "Bad magic number in .pyc file") : ty_marshal_load((const uint8_t *)text + 16, size - 16);
    free(text);
    if (code != TY_NULL && !ty_is_exact(code, &ty_code_type))
        code = ty_raise(&ty_RuntimeError, "Bad code object in .pyc file");
    return code != TY_NULL && ty_eval_code(code, globals, TY_NULL, TY_NULL) != TY_NULL;
}

static int run_notebook(Value path, Value globals)
{
    Value module = ty_import_module("_notebook");
    Value main = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("main"));
    if (main != TY_NULL)
        ty_call_two(main, path, globals);
    return ty_exit_status();
}

/* As the file is called in tracebacks and __file__, whatever becomes of the current folder. NULL: it is absolute, or not to be had. */
static char *absolute_path(const char *path)
{
    char folder[4096];
    if (*path == '/' || !getcwd(folder, sizeof folder))
        return NULL;
    size_t size = strlen(folder) + strlen(path) + 2;
    char *joined = malloc(size);
    if (joined)
        snprintf(joined, size, "%s/%s", strcmp(folder, "/") ? folder : "", path);
    return joined;
}

/* The __main__ of a folder or archive, which becomes the first of sys.path. */
static int run_main_in(Value place)
{
    Value runpy = insert_path(place) ? ty_import_module("runpy") : TY_NULL;
    Value run = runpy == TY_NULL ? TY_NULL : ty_get_attribute(runpy, TY_NAME("_run_module_as_main"));
    if (run != TY_NULL)
        ty_call_two(run, TY_NAME("__main__"), TY_FALSE);
    return ty_exit_status();
}

static int run_file(const char *path, Value globals)
{
    Value name = ty_str_decode_fs(path, strlen(path));
    struct stat status;
    if (name == TY_NULL)
        return ty_exit_status();
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return run_main_in(name);
    FILE *file = fopen(path, "rb");
    if (!file && errno == ENOTDIR) /* a folder in an archive, perhaps */
        return run_main_in(name);
    if (!file) {
        fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n", ty_config.executable, path, errno, strerror(errno));
        return 2;
    }
    char *absolute = absolute_path(path);
    name = absolute ? ty_str_decode_fs(absolute, strlen(absolute)) : name;
    free(absolute);
    int first = getc(file), second = getc(file);
    rewind(file);
    if (first == 'P' && second == 'K') {
        fclose(file);
        return run_main_in(name);
    }
    if (!ty_config.safe_path) {
        char *real = realpath(path, NULL), *slash = real ? strrchr(real, '/') : NULL;
        bool entered = insert_path(real && slash ? ty_str_decode_fs(real, slash == real ? 1 : (size_t)(slash - real)) : ty_str_empty());
        free(real);
        if (!entered) {
            fclose(file);
            return ty_exit_status();
        }
    }
    if (ty_config_is_notebook(path)) {
        fclose(file);
        return run_notebook(name, globals);
    }
    bool compiled = is_compiled(path, first, second);
    Value loader_class = ty_get_attribute(ty_get_attribute(ty_interpreter()->importlib, TY_NAME("_bootstrap_external")), compiled ? TY_NAME("SourcelessFileLoader") : TY_NAME("SourceFileLoader"));
    Value loader = loader_class == TY_NULL ? TY_NULL : ty_call_two(loader_class, TY_NAME("__main__"), name);
    if (loader == TY_NULL || !ty_dict_set_text(globals, "__loader__", loader) || !ty_dict_set_text(globals, "__file__", name) || !ty_dict_set_text(globals, "__cached__", TY_NONE)) {
        fclose(file);
        return ty_exit_status();
    }
    if (compiled)
        run_compiled(file, globals);
    else
        run_stream(file, name, globals);
    return ty_exit_status();
}

/* The module reads the options that ask for something. */
static void import_warnings(void)
{
    Value options = ty_sys_get("warnoptions");
    if (options != TY_NULL && ty_list_length(options) > 0 && ty_import_module("warnings") == TY_NULL)
        ty_clear_exception();
}

int ty_runtime_run(void)
{
    TyInterpreter *interpreter = ty_interpreter();
    if (ty_config.verbose) /* what importlib has to say before there are streams is not heard */
        ty_dict_set_text(interpreter->sys, "stderr", TY_NONE), ty_dict_set_text(interpreter->sys, "stdout", TY_NONE);
    if (!ty_import_start() || !ty_once(&interpreter->streams_once, ty_sys_open_streams)) {
        int status = ty_exit_status();
        return status ? status : 1;
    }
    ty_signals_start();
    if (ty_config.faulthandler)
        ty_faulthandler_enable();
    import_warnings();
    if (!ty_import_site())
        return ty_exit_status();
    ty_import_remember_site();
    Value globals = ty_module_dict(interpreter->main_module);
    ty_codec_check_names = ty_config.dev_mode;
    int status = 0;
    if (ty_config.command) {
        if (ty_config.safe_path || insert_path(ty_str_empty()))
            run_command(globals);
        status = ty_exit_status();
    } else if (ty_config.module) {
        char folder[4096];
        if (!ty_config.safe_path && getcwd(folder, sizeof folder))
            insert_path(ty_str_decode_fs(folder, strlen(folder)));
        run_module(ty_config.module);
        status = ty_exit_status();
    } else if (ty_config.file)
        status = run_file(ty_config.file, globals);
    else {
        if (!ty_config.safe_path)
            insert_path(ty_str_empty());
        if (ty_is_interactive())
            return ty_interactive_session();
        run_stream(stdin, TY_NAME("<stdin>"), globals);
        status = ty_exit_status();
    }
    return ty_interactive_after(status);
}

static void find_other(TyInterpreter *interpreter, void *context)
{
    *(bool *)context |= interpreter != ty_interpreter_main();
}

static bool others_left(void)
{
    bool left = false;
    ty_interpreter_each(find_other, &left);
    return left;
}

static void claim_other(TyInterpreter *interpreter, void *context)
{
    TyInterpreter **claimed = context;
    if (!*claimed && interpreter != ty_interpreter_main() && ty_interpreter_claim(interpreter))
        *claimed = interpreter;
}

#define EXIT_PATIENCE 2000000 /* nanoseconds: what stopped threads have locked counts as free */

/* The interpreters that nobody closed are, unless a daemon runs something there; then daemons stop for good, where they hold no object's lock. */
static void stop_the_rest(void)
{
    if (others_left()) { /* those that nobody refers to any more are not worth a word */
        ty_heap_collect();
        ty_heap_run_pending();
        if (others_left() && !ty_warn(&ty_RuntimeWarning, 0, "remaining subinterpreters; close them with Interpreter.close()"))
            ty_write_unraisable(TY_NONE, NULL);
    }
    for (TyInterpreter *other;;) {
        other = NULL;
        ty_interpreter_each(claim_other, &other);
        if (!other)
            break;
        ty_interpreter_close(other);
    }
    ty_world_stop_between(EXIT_PATIENCE);
    ty_signals_end();
}

#define WAKE_SIGNAL (SIGRTMAX - 2) /* breaks the system call that a daemon sleeps in */
#define ASK_INTERVAL 64            /* moments */

static void woken(int number) { (void)number; }

static void ask_to_leave(TyThread *thread, void *interpreter)
{
    if (thread->interpreter != interpreter || thread->visit || thread == ty_thread)
        return;
    ty_poll_request(thread, TY_POLL_EXIT);
    pthread_kill(thread->handle, WAKE_SIGNAL);
}

/* All that are left are daemons. */
static void wait_for_threads(TyInterpreter *interpreter)
{
    struct timespec moment = { 0, 200000 };
    struct sigaction action = { .sa_handler = woken };
    for (int i = 0; ty_load_acquire(&interpreter->thread_count) > 0; i++) {
        if (i == 0)
            sigaction(WAKE_SIGNAL, &action, NULL);
        if (i % ASK_INTERVAL == 0)
            ty_thread_each(ask_to_leave, interpreter);
        ty_blocking_begin();
        nanosleep(&moment, NULL);
        ty_blocking_end();
    }
}

static void flush_streams(int *status)
{
    TyInterpreter *interpreter = ty_interpreter();
    static const char *const streams[] = { "stdout", "stderr" };
    for (int i = 0; i < 2; i++) {
        Value stream = ty_dict_get_text(interpreter->sys, streams[i]); /* one that is not there yet has nothing to flush */
        if (stream != TY_NULL && stream != TY_NONE && ty_call_method_none(stream, TY_NAME("flush")) == TY_NULL) {
            bool closed = ty_get_attribute(stream, TY_NAME("closed")) == TY_TRUE;
            if (closed || i == 1)
                ty_clear_exception();
            else {
                ty_write_unraisable(TY_NULL, "Exception ignored while flushing sys.stdout");
                *status = 120;
            }
        }
    }
}

void ty_interpreter_finish(int *status)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value threading = ty_dict_get_text(interpreter->modules, "threading");
    if (threading != TY_NULL && ty_call_method_none(threading, TY_NAME("_shutdown")) == TY_NULL)
        ty_write_unraisable(threading, NULL);
    ty_threads_wait(interpreter);
    bool alone = interpreter != ty_interpreter_main();
    if (alone)
        wait_for_threads(interpreter);
    ty_atexit_run();
    ty_store_release(&interpreter->finalizing, true);
    if (!alone)
        stop_the_rest();
    flush_streams(status);
    ty_heap_finalize_all(interpreter, alone);
    flush_streams(status); /* what finalizers had to say */
}

void ty_runtime_end(int *status) { ty_interpreter_finish(status); }
