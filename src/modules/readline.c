/* readline: line editing and history for input() and the basic prompt, by libedit, which is loaded when the module is first imported: programs that
 * never ask for a line do not pay for it.
 *
 * The library is one for the process and knows no threads: `library_lock` is held around every use of it but not while a line is waited for. What a
 * Python callback gets is the module of the interpreter whose thread reads (`reading`), in whose calls the library calls back. */
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "runtime/interactive.h"
#include "runtime/runtime.h"
#include <dlfcn.h>
#include <editline/readline.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS(X) \
    X(rl_initialize) X(using_history) X(add_history) X(clear_history) X(append_history) X(history_get) X(remove_history) X(replace_history_entry) X(read_history) \
    X(write_history) X(history_truncate_file) X(history_get_history_state) X(rl_insert_text) X(rl_callback_read_char) X(rl_callback_handler_install) \
    X(rl_callback_handler_remove) X(rl_redisplay) X(rl_read_init_file) X(rl_parse_and_bind) X(rl_completion_matches) X(free_history_entry)
#define VARIABLES(X) \
    X(rl_library_version) X(rl_readline_version) X(rl_readline_name) X(rl_instream) X(rl_outstream) X(rl_line_buffer) X(rl_completer_word_break_characters) \
    X(rl_attempted_completion_function) X(rl_attempted_completion_over) X(rl_completion_type) X(rl_completion_append_character) X(rl_pre_input_hook) \
    X(rl_startup_hook) X(rl_catch_signals) X(rl_completion_display_matches_hook) X(rl_point)

static struct {
#define FIELD(name) __typeof__(name) *name;
    FUNCTIONS(FIELD)
    VARIABLES(FIELD)
#undef FIELD
} edit;

static TyMutex library_lock;      /* see above; its holder may run Python: the waiting counts as blocked */
static int history_start;         /* what the library calls its first entry */
static bool loaded;
static _Thread_local Value *reading; /* the place, on this thread's C stack, of the module for callbacks */
static _Thread_local uint32_t holding;

enum { STATE_COMPLETER, STATE_STARTUP_HOOK, STATE_PRE_INPUT_HOOK, STATE_DISPLAY_HOOK, STATE_BEGIN, STATE_END, STATE_HISTORY_LENGTH, STATE_AUTO_HISTORY, STATE_COUNT };

static void lock(void)
{
    if (holding++ == 0)
        ty_mutex_lock_blocking(&library_lock);
}
static void unlock(void)
{
    if (--holding == 0)
        ty_mutex_unlock(&library_lock);
}

static Value state(Value module, int which)
{
    Value v = ty_field(&((Value *)ty_module_state(module))[which]);
    return v == TY_NULL ? TY_NONE : v;
}
static void set_state(Value module, int which, Value v) { ty_store(ty_object(module), &((Value *)ty_module_state(module))[which], v); }
/* A str as C text; NULL with an exception. */
static const char *text_of(Value v)
{
    size_t size;
    if (!ty_is_str(v))
        return ty_raise(&ty_TypeError, "argument must be str, not %T", v), NULL;
    const char *text = ty_to_utf8(v, &size);
    if (text && strlen(text) != size)
        return ty_raise(&ty_ValueError, "embedded null character"), NULL;
    return text;
}

static Value decode(const char *text) { return ty_str_decode_fs(text, strlen(text)); }

/* --- what the library calls back ------------------------------------------------------------------------------------------------ */

static char *complete_one(const char *text, int number)
{
    Value completer = reading ? state(*reading, STATE_COMPLETER) : TY_NONE, word = completer == TY_NONE ? TY_NULL : decode(text);
    Value result = word == TY_NULL ? TY_NONE : ty_call_two(completer, word, ty_from_immediate_int(number));
    const char *utf8 = result != TY_NULL && ty_is_str(result) ? text_of(result) : NULL;
    ty_clear_exception();
    return utf8 ? strdup(utf8) : NULL;
}

static char **complete(const char *text, int start, int end)
{
    *edit.rl_completion_append_character = 0;
    *edit.rl_attempted_completion_over = 1; /* no file names where there is nothing */
    if (!reading || state(*reading, STATE_COMPLETER) == TY_NONE)
        return NULL;
    set_state(*reading, STATE_BEGIN, ty_from_immediate_int(start));
    set_state(*reading, STATE_END, ty_from_immediate_int(end));
    return edit.rl_completion_matches(text, complete_one);
}

static int run_hook(int which)
{
    Value hook = reading ? state(*reading, which) : TY_NONE;
    if (hook == TY_NONE)
        return 0;
    Value result = ty_call_none(hook);
    int32_t number = 0;
    if (result != TY_NULL && result != TY_NONE && !ty_to_int32(result, &number))
        number = 0;
    ty_clear_exception();
    return number;
}
static int run_startup_hook(void) { return run_hook(STATE_STARTUP_HOOK); }

/* --- reading a line ------------------------------------------------------------------------------------------------------------------ */

static _Thread_local char *finished_line;
static _Thread_local bool finished;

static void take_line(char *line)
{
    finished = true;
    finished_line = line;
    edit.rl_callback_handler_remove();
}

/* Waits for a key; false with an exception that a signal handler raised. */
static bool wait_for_key(void)
{
    for (;;) {
        struct pollfd input = {.fd = 0, .events = POLLIN};
        ty_blocking_begin();
        int ready = poll(&input, 1, -1), error = errno;
        ty_blocking_end();
        if (ready > 0)
            return true;
        if ((ready == 0 || error == EINTR) && ty_poll_run())
            continue;
        if (!ty_raised())
            ty_raise_errno(&ty_OSError, error, TY_NULL, TY_NULL);
        return false;
    }
}

static char *read_line(const char *prompt)
{
    Value module = ty_module_current("readline");
    if (module == TY_NULL)
        return NULL;
    Value *outer = reading;
    reading = &module;
    finished = false;
    finished_line = NULL;
    lock();
    edit.rl_callback_handler_install(prompt, take_line);
    run_hook(STATE_PRE_INPUT_HOOK);
    unlock();
    bool good = true;
    while (good && !finished) {
        good = wait_for_key();
        lock();
        if (good)
            edit.rl_callback_read_char();
        else
            edit.rl_callback_handler_remove();
        unlock();
        good = good && ty_poll_run();
        if (!good && !finished)
            edit.rl_callback_handler_remove();
    }
    reading = outer;
    if (!good)
        return free(finished_line), NULL;
    if (!finished_line)
        return strdup("");
    size_t length = strlen(finished_line);
    char *line = realloc(finished_line, length + 2);
    if (!line)
        return free(finished_line), ty_raise_memory_error(), NULL;
    if (length && state(module, STATE_AUTO_HISTORY) != TY_FALSE) {
        lock();
        HISTORY_STATE *now = edit.history_get_history_state();
        HIST_ENTRY *last = now && now->length ? edit.history_get(now->length - 1 + history_start) : NULL;
        if (!last || strcmp(last->line, line))
            edit.add_history(line);
        free(now);
        unlock();
    }
    memcpy(line + length, "\n", 2);
    return line;
}

/* --- history ---------------------------------------------------------------------------------------------------------------------------- */

static int entry_count(void)
{
    HISTORY_STATE *now = edit.history_get_history_state();
    int length = now ? now->length : 0;
    free(now);
    return length;
}

/* Of a path or None for the usual place; NULL with an exception. */
static const char *path_argument(Value v, Value *holder)
{
    *holder = TY_NULL;
    if (v == TY_NULL || v == TY_NONE)
        return "";
    Value os = ty_import_module("os");
    *holder = os == TY_NULL ? TY_NULL : ty_call_method_one(os, TY_NAME("fsdecode"), v);
    return *holder == TY_NULL ? NULL : text_of(*holder);
}

static Value file_result(int error, Value path)
{
    return error ? (errno = error, ty_raise_errno(&ty_OSError, errno, path, TY_NULL)) : TY_NONE;
}

static Value readline_read_history_file(Value module, Value *a)
{
    Value path;
    const char *name = path_argument(a[0], &path);
    if (!name)
        return TY_NULL;
    lock();
    errno = 0;
    int failed = edit.read_history(*name ? name : NULL), error = failed ? (errno ? errno : EINVAL) : 0;
    unlock();
    return file_result(error, path);
}

/* Leaves the first line of the file, which says what it is, and so many of the last. (The library's own function drops the first.) */
static void keep_last_lines(const char *name, int limit)
{
    FILE *file = fopen(name, "r+");
    char *text = NULL;
    size_t size = 0;
    if (!file || getdelim(&text, &size, EOF, file) < 0) {
        free(text);
        if (file)
            fclose(file);
        return;
    }
    size_t length = strlen(text);
    char *first = strchr(text, '\n'), *from = text + length;
    for (int lines = 0; first && from > first + 1; from--)
        if (from[-1] == '\n' && lines++ == limit)
            break;
    if (first && from > first + 1) {
        rewind(file);
        size_t head = (size_t)(first + 1 - text), tail = (size_t)(text + length - from);
        if (fwrite(text, 1, head, file) == head && fwrite(from, 1, tail, file) == tail && fflush(file) == 0 && ftruncate(fileno(file), (off_t)(head + tail)) < 0)
            edit.history_truncate_file(name, limit);
    }
    free(text);
    fclose(file);
}

static void truncate_file(Value module, const char *name)
{
    int32_t limit;
    Value length = state(module, STATE_HISTORY_LENGTH);
    if (name && length != TY_NONE && ty_to_int32(length, &limit) && limit >= 0)
        keep_last_lines(name, limit);
}

static Value readline_write_history_file(Value module, Value *a)
{
    Value path;
    const char *name = path_argument(a[0], &path);
    if (!name)
        return TY_NULL;
    lock();
    errno = 0;
    int failed = edit.write_history(*name ? name : NULL), error = failed ? (errno ? errno : EINVAL) : 0;
    if (!failed)
        truncate_file(module, *name ? name : NULL);
    unlock();
    return file_result(error, path);
}

static Value readline_append_history_file(Value module, Value *a)
{
    int32_t count;
    Value path;
    if (!ty_to_int32(a[0], &count))
        return TY_NULL;
    if (count < 0)
        return ty_raise(&ty_ValueError, "nelements must be positive");
    const char *name = path_argument(a[1], &path);
    if (!name)
        return TY_NULL;
    lock();
    errno = 0;
    int failed = edit.append_history(count, *name ? name : NULL), error = failed ? (errno ? errno : EINVAL) : 0;
    if (!failed)
        truncate_file(module, *name ? name : NULL);
    unlock();
    return file_result(error, path);
}

static Value readline_get_history_length(Value module, Value *a)
{
    Value length = state(module, STATE_HISTORY_LENGTH);
    return length == TY_NONE ? ty_from_immediate_int(-1) : length;
}
static Value readline_set_history_length(Value module, Value *a)
{
    int32_t length;
    if (!ty_to_int32(a[0], &length))
        return TY_NULL;
    set_state(module, STATE_HISTORY_LENGTH, ty_from_immediate_int(length));
    return TY_NONE;
}

static Value readline_get_current_history_length(Value module, Value *a)
{
    lock();
    int count = entry_count();
    unlock();
    return ty_from_immediate_int(count);
}

static Value readline_get_history_item(Value module, Value *a)
{
    int32_t i;
    if (!ty_to_int32(a[0], &i))
        return TY_NULL;
    lock();
    HIST_ENTRY *entry = i > 0 && i <= entry_count() ? edit.history_get(i - 1 + history_start) : NULL;
    char *copy = entry && entry->line ? strdup(entry->line) : NULL;
    unlock();
    Value result = copy ? decode(copy) : TY_NONE;
    free(copy);
    return result;
}

static bool is_position(int32_t position)
{
    if (position < 0)
        ty_raise(&ty_ValueError, "History index cannot be negative");
    return position >= 0;
}

/* The lock is held; an entry that left the history is freed, and there has to be one. */
static Value end_change(HIST_ENTRY *left, int32_t position)
{
    if (left) {
        free((void *)(uintptr_t)left->line);
        free(left);
    }
    unlock();
    return left ? TY_NONE : ty_raise(&ty_ValueError, "No history item at position %d", position);
}

static Value readline_remove_history_item(Value module, Value *a)
{
    int32_t position;
    if (!ty_to_int32(a[0], &position) || !is_position(position))
        return TY_NULL;
    lock();
    return end_change(edit.remove_history(position), position);
}

static Value readline_replace_history_item(Value module, Value *a)
{
    int32_t position;
    const char *line;
    if (!ty_to_int32(a[0], &position) || !(line = text_of(a[1])) || !is_position(position))
        return TY_NULL;
    lock();
    return end_change(position < entry_count() ? edit.replace_history_entry(position + history_start, line, NULL) : NULL, position);
}

static Value readline_add_history(Value module, Value *a)
{
    const char *line = text_of(a[0]);
    if (!line)
        return TY_NULL;
    lock();
    edit.add_history(line);
    unlock();
    return TY_NONE;
}

static Value readline_clear_history(Value module, Value *a)
{
    lock();
    edit.clear_history();
    unlock();
    return TY_NONE;
}

static Value readline_set_auto_history(Value module, Value *a)
{
    bool enabled;
    if (!ty_to_bool(a[0], &enabled))
        return TY_NULL;
    set_state(module, STATE_AUTO_HISTORY, ty_from_bool(enabled));
    return TY_NONE;
}

/* --- the line, and how it is edited ---------------------------------------------------------------------------------------------------------- */

static Value readline_get_line_buffer(Value module, Value *a)
{
    lock();
    char *copy = strdup(*edit.rl_line_buffer ? *edit.rl_line_buffer : "");
    unlock();
    Value result = copy ? decode(copy) : ty_raise_memory_error();
    free(copy);
    return result;
}

static Value readline_insert_text(Value module, Value *a)
{
    const char *text = text_of(a[0]);
    if (!text)
        return TY_NULL;
    lock();
    edit.rl_insert_text(text);
    unlock();
    return TY_NONE;
}

static Value readline_redisplay(Value module, Value *a)
{
    lock();
    edit.rl_redisplay();
    unlock();
    return TY_NONE;
}

static Value readline_parse_and_bind(Value module, Value *a)
{
    const char *text = text_of(a[0]);
    char *copy = text ? strdup(text) : NULL; /* the library writes into it */
    if (!copy)
        return text ? ty_raise_memory_error() : TY_NULL;
    lock();
    edit.rl_parse_and_bind(copy);
    unlock();
    free(copy);
    return TY_NONE;
}

static Value readline_read_init_file(Value module, Value *a)
{
    Value path;
    const char *name = path_argument(a[0], &path);
    if (!name)
        return TY_NULL;
    lock();
    errno = 0;
    int failed = edit.rl_read_init_file(*name ? name : NULL), error = failed ? (errno ? errno : EINVAL) : 0;
    unlock();
    return file_result(error, path);
}

/* --- completion and hooks ----------------------------------------------------------------------------------------------------------------------- */

static Value set_callback(Value module, int which, Value v, const char *function)
{
    if (v == TY_NULL || v == TY_NONE)
        set_state(module, which, TY_NULL);
    else if (ty_type_of(v)->slots.call)
        set_state(module, which, v);
    else
        return ty_raise(&ty_TypeError, "set_%s(func): argument not callable", function);
    return TY_NONE;
}

static Value readline_set_completer(Value module, Value *a) { return set_callback(module, STATE_COMPLETER, a[0], "completer"); }
static Value readline_get_completer(Value module, Value *a) { return state(module, STATE_COMPLETER); }
static Value readline_set_startup_hook(Value module, Value *a) { return set_callback(module, STATE_STARTUP_HOOK, a[0], "startup_hook"); }
static Value readline_set_pre_input_hook(Value module, Value *a) { return set_callback(module, STATE_PRE_INPUT_HOOK, a[0], "pre_input_hook"); }
static Value readline_set_display_hook(Value module, Value *a) { return set_callback(module, STATE_DISPLAY_HOOK, a[0], "completion_display_matches_hook"); }
static Value number_state(Value module, int which) { Value v = state(module, which); return v == TY_NONE ? ty_from_immediate_int(0) : v; }
static Value readline_get_begidx(Value module, Value *a) { return number_state(module, STATE_BEGIN); }
static Value readline_get_endidx(Value module, Value *a) { return number_state(module, STATE_END); }
static Value readline_get_completion_type(Value module, Value *a) { return ty_from_immediate_int(*edit.rl_completion_type); }

static Value readline_set_completer_delims(Value module, Value *a)
{
    const char *text = text_of(a[0]);
    char *copy = text ? strdup(text) : NULL;
    if (!copy)
        return text ? ty_raise_memory_error() : TY_NULL;
    static char *ours;
    lock();
    *edit.rl_completer_word_break_characters = copy;
    free(ours);
    ours = copy;
    unlock();
    return TY_NONE;
}

static Value readline_get_completer_delims(Value module, Value *a)
{
    lock();
    Value result = decode(*edit.rl_completer_word_break_characters ? *edit.rl_completer_word_break_characters : "");
    unlock();
    return result;
}

/* --- the module ----------------------------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("parse_and_bind(string, /)", readline_parse_and_bind, "Execute the init line provided in the string argument."),
    TY_FUNCTION("get_line_buffer()", readline_get_line_buffer, "Return the current contents of the line buffer."),
    TY_FUNCTION("insert_text(string, /)", readline_insert_text, "Insert text into the line buffer at the cursor position."),
    TY_FUNCTION("redisplay()", readline_redisplay, "Change what's displayed on the screen to reflect contents of the line buffer."),
    TY_FUNCTION("read_init_file(filename=None, /)", readline_read_init_file, "Execute a readline initialization file."),
    TY_FUNCTION("read_history_file(filename=None, /)", readline_read_history_file, "Load a readline history file."),
    TY_FUNCTION("write_history_file(filename=None, /)", readline_write_history_file, "Save a readline history file."),
    TY_FUNCTION("append_history_file(nelements, filename=None, /)", readline_append_history_file, "Append the last nelements items of the history list to file."),
    TY_FUNCTION("get_history_item(index, /)", readline_get_history_item, "Return the current contents of history item at one-based index."),
    TY_FUNCTION("get_current_history_length()", readline_get_current_history_length, "Return the current (not the maximum) length of history."),
    TY_FUNCTION("set_history_length(length, /)", readline_set_history_length, "Set the maximal number of lines which will be written to the history file."),
    TY_FUNCTION("get_history_length()", readline_get_history_length, "Return the maximum number of lines that will be written to the history file."),
    TY_FUNCTION("remove_history_item(pos, /)", readline_remove_history_item, "Remove history item given by its zero-based position."),
    TY_FUNCTION("replace_history_item(pos, line, /)", readline_replace_history_item, "Replaces history item given by its position with contents of line."),
    TY_FUNCTION("add_history(string, /)", readline_add_history, "Add an item to the history buffer."),
    TY_FUNCTION("clear_history()", readline_clear_history, "Clear the current readline history."),
    TY_FUNCTION("set_auto_history(enabled, /)", readline_set_auto_history, "Enables or disables automatic history."),
    TY_FUNCTION("set_completer(function=None, /)", readline_set_completer, "Set or remove the completer function."),
    TY_FUNCTION("get_completer()", readline_get_completer, "Get the current completer function."),
    TY_FUNCTION("set_completer_delims(string, /)", readline_set_completer_delims, "Set the word delimiters for completion."),
    TY_FUNCTION("get_completer_delims()", readline_get_completer_delims, "Get the word delimiters for completion."),
    TY_FUNCTION("get_completion_type()", readline_get_completion_type, "Get the type of completion being attempted."),
    TY_FUNCTION("get_begidx()", readline_get_begidx, "Get the beginning index of the completion scope."),
    TY_FUNCTION("get_endidx()", readline_get_endidx, "Get the ending index of the completion scope."),
    TY_FUNCTION("set_startup_hook(function=None, /)", readline_set_startup_hook, "Set or remove the function invoked by the rl_startup_hook callback."),
    TY_FUNCTION("set_pre_input_hook(function=None, /)", readline_set_pre_input_hook, "Set or remove the function invoked by the rl_pre_input_hook callback."),
    TY_FUNCTION("set_completion_display_matches_hook(function=None, /)", readline_set_display_hook, "Set or remove the completion display function."),
    {0}
};

/* False with ImportError. */
static bool load_library(void)
{
    void *library = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libedit.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return ty_raise(&ty_ImportError, "readline: the library libedit is not installed"), false;
#define FIND(name) \
    if (!(edit.name = (__typeof__(edit.name))dlsym(library, #name))) \
        return ty_raise(&ty_ImportError, "readline: libedit has no " #name), false;
    FUNCTIONS(FIND)
    VARIABLES(FIND)
#undef FIND
    return true;
}

/* Once for the process. */
static void start_library(void)
{
    char *locale = setlocale(LC_CTYPE, NULL), *saved = locale ? strdup(locale) : NULL;
    *edit.rl_readline_name = "python";
    *edit.rl_catch_signals = 0;
    edit.rl_initialize();
    edit.using_history();
    edit.add_history("1");
    history_start = edit.history_get(1) ? 1 : 0;
    edit.clear_history();
    *edit.rl_attempted_completion_function = complete;
    *edit.rl_startup_hook = run_startup_hook;
    *edit.rl_completer_word_break_characters = strdup(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?");
    if (saved)
        setlocale(LC_CTYPE, saved);
    free(saved);
}

static bool execute(Value module)
{
    lock();
    bool good = loaded || load_library();
    if (good && !loaded) {
        start_library();
        loaded = true;
    }
    unlock();
    if (!good)
        return false;
    ty_store_release(&ty_line_reader, read_line);
    return ty_module_add_str(module, "backend", "editline") && ty_module_add_str(module, "_READLINE_LIBRARY_VERSION", *edit.rl_library_version ? *edit.rl_library_version : "")
        && ty_module_add_int(module, "_READLINE_VERSION", *edit.rl_readline_version) && ty_module_add_int(module, "_READLINE_RUNTIME_VERSION", *edit.rl_readline_version);
}

const TyModuleDef ty_module_readline = {
    .name = "readline",
    .doc = "Editing of lines and their history, by libedit.",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};
