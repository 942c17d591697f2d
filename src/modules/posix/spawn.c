/* Becoming another program, starting processes without fork(), and waiting for them in detail. */
#include "modules/posix/posix.h"
#include "object/interpreter.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define INT(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL

/* --- posix_spawn ------------------------------------------------------------------------------------------------------------------- */

enum { ACTION_OPEN, ACTION_CLOSE, ACTION_DUP2, ACTION_CLOSEFROM };

/* One of the things done in the child before the program starts. Texts that it names are kept by `kept`. */
static bool add_action(Value action, posix_spawn_file_actions_t *actions, Value kept)
{
    static const struct { int items; const char *error; } shapes[] = {
        [ACTION_OPEN] = {5, "A open file_action tuple must have 5 elements"}, [ACTION_CLOSE] = {2, "A close file_action tuple must have 2 elements"},
        [ACTION_DUP2] = {3, "A dup2 file_action tuple must have 3 elements"}, [ACTION_CLOSEFROM] = {2, "A closefrom file_action tuple must have 2 elements"},
    };
    int64_t kind;
    int32_t numbers[4];
    TyPath path;
    if (!ty_is_tuple(action) || ty_tuple_length(action) == 0) {
        ty_raise(&ty_TypeError, "Each file_actions element must be a non-empty tuple");
        return false;
    }
    if (!ty_to_int64(ty_tuple_item(action, 0), &kind))
        return false;
    if (kind < 0 || kind > ACTION_CLOSEFROM || ty_tuple_length(action) != shapes[kind].items) {
        ty_raise(&ty_TypeError, "%s", kind < 0 || kind > ACTION_CLOSEFROM ? "Unknown file_actions identifier" : shapes[kind].error);
        return false;
    }
    for (int i = 1; i < shapes[kind].items; i++) {
        Value item = ty_tuple_item(action, i);
        if (kind == ACTION_OPEN && i == 2) {
            if (!ty_path(item, "posix_spawn", false, false, &path) || !ty_list_append(kept, path.holder))
                return false;
        } else if (!ty_to_int32(item, &numbers[i - 1])) {
            return false;
        }
    }
    int error = 0;
    switch (kind) {
    case ACTION_OPEN: error = posix_spawn_file_actions_addopen(actions, numbers[0], path.text, numbers[2], (mode_t)numbers[3]); break;
    case ACTION_CLOSE: error = posix_spawn_file_actions_addclose(actions, numbers[0]); break;
    case ACTION_DUP2: error = posix_spawn_file_actions_adddup2(actions, numbers[0], numbers[1]); break;
    default: error = posix_spawn_file_actions_addclosefrom_np(actions, numbers[0]);
    }
    errno = error;
    if (error)
        ty_posix_error(NULL);
    return !error;
}

static bool add_actions(Value given, posix_spawn_file_actions_t *actions, Value kept)
{
    Value list = ty_sequence_fast(given, "file_actions must be a sequence or None");
    list = list == TY_NULL ? TY_NULL : ty_sequence_list(list);
    for (int64_t i = 0; list != TY_NULL && i < ty_list_length(list); i++)
        if (!add_action(ty_list_item(list, i), actions, kept))
            return false;
    return list != TY_NULL;
}

static bool to_signals(Value given, sigset_t *out)
{
    sigemptyset(out);
    Value iterator = ty_iter(given), item;
    if (iterator == TY_NULL)
        return false;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int64_t number;
        if (!ty_to_int64(item, &number))
            return false;
        if (number < 1 || number >= NSIG) {
            ty_raise(&ty_ValueError, "signal number %lld out of range [1; %d]", (long long)number, NSIG - 1);
            return false;
        }
        sigaddset(out, (int)number); /* those of the C library itself are left out */
    }
    return !ty_raised();
}

static bool set_scheduler(Value given, posix_spawnattr_t *attributes, short *flags)
{
    struct sched_param parameter;
    int32_t policy;
    if (!ty_is_tuple(given)) {
        ty_raise(&ty_TypeError, "posix_spawn: scheduler must be a tuple or None");
        return false;
    }
    if (ty_tuple_length(given) != 2) {
        ty_raise(&ty_TypeError, "A scheduler tuple must have two elements");
        return false;
    }
    Value first = ty_tuple_item(given, 0);
    if (!ty_posix_sched_param(ty_tuple_item(given, 1), &parameter) || (first != TY_NONE && !ty_to_int32(first, &policy)))
        return false;
    if (first != TY_NONE) {
        posix_spawnattr_setschedpolicy(attributes, policy);
        *flags |= POSIX_SPAWN_SETSCHEDULER;
    }
    posix_spawnattr_setschedparam(attributes, &parameter);
    *flags |= POSIX_SPAWN_SETSCHEDPARAM;
    return true;
}

enum { SPAWN_PATH, SPAWN_ARGV, SPAWN_ENV, SPAWN_ACTIONS, SPAWN_GROUP, SPAWN_RESET, SPAWN_SESSION, SPAWN_MASK, SPAWN_DEFAULT, SPAWN_SCHEDULER };

static bool given(Value v) { return v != TY_NULL && v != TY_NONE; }

static bool set_attributes(Value *a, posix_spawnattr_t *attributes)
{
    short flags = 0;
    int32_t group;
    sigset_t set;
    if (given(a[SPAWN_GROUP])) {
        if (!ty_to_int32(a[SPAWN_GROUP], &group))
            return false;
        posix_spawnattr_setpgroup(attributes, group);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    int reset = a[SPAWN_RESET] == TY_NULL ? 0 : ty_is_true(a[SPAWN_RESET]), session = a[SPAWN_SESSION] == TY_NULL ? 0 : ty_is_true(a[SPAWN_SESSION]);
    if (reset < 0 || session < 0)
        return false;
    flags = (short)(flags | (reset ? POSIX_SPAWN_RESETIDS : 0) | (session ? POSIX_SPAWN_SETSID : 0));
    if (a[SPAWN_MASK] != TY_NULL) {
        if (!to_signals(a[SPAWN_MASK], &set))
            return false;
        posix_spawnattr_setsigmask(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (a[SPAWN_DEFAULT] != TY_NULL) {
        if (!to_signals(a[SPAWN_DEFAULT], &set))
            return false;
        posix_spawnattr_setsigdefault(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    if (given(a[SPAWN_SCHEDULER]) && !set_scheduler(a[SPAWN_SCHEDULER], attributes, &flags))
        return false;
    posix_spawnattr_setflags(attributes, flags);
    return true;
}

/* --- what a new program is given ------------------------------------------------------------------------------------------------------ */

/* A str, bytes or path as the system takes it; its bytes are kept by `kept`. */
static const char *new_text(Value v, Value kept)
{
    TyPath text;
    bool is_text = ty_is_str(v) || ty_is_bytes(v);
    Value method = is_text ? v : ty_type_lookup(ty_type_of(v), TY_NAME("__fspath__"));
    if (method == TY_NULL || method == TY_NONE) {
        ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
        return NULL;
    }
    if (ty_path(v, "exec", false, false, &text))
        return ty_list_append(kept, text.holder) ? text.text : NULL;
    if (is_text && ty_raised_is(&ty_ValueError) && !ty_raised_is(&ty_UnicodeError)) {
        ty_clear_exception();
        ty_raise(&ty_ValueError, "embedded null byte");
    }
    return NULL;
}

/* Its arguments, ended by NULL; freed by the caller. */
static char **make_arguments(Value given, const char *name, const char *what, Value kept)
{
    if (!ty_is_list(given) && !ty_is_tuple(given))
        return ty_raise(&ty_TypeError, "%s%s must be a tuple or list", name, what), NULL;
    Value items = ty_sequence_tuple(given);
    if (items == TY_NULL)
        return NULL;
    int64_t count = ty_tuple_length(items);
    if (count == 0)
        return ty_raise(&ty_ValueError, "%s%s must not be empty", name, what), NULL;
    char **texts = calloc((size_t)count + 1, sizeof *texts);
    if (!texts)
        ty_raise_memory_error();
    for (int64_t i = 0; texts && i < count; i++) {
        const char *text = new_text(ty_tuple_item(items, i), kept);
        if (text && i == 0 && !*text) {
            ty_raise(&ty_ValueError, "%s%s first element cannot be empty", name, what);
            text = NULL;
        }
        if (!text) {
            free(texts);
            return NULL;
        }
        texts[i] = (char *)(uintptr_t)text;
    }
    return texts;
}

/* Keys or values of a mapping, as they are at one moment. */
static Value part_of(Value mapping, Value method)
{
    Value part = ty_call_method_none(mapping, method);
    return part == TY_NULL ? TY_NULL : ty_sequence_list(part);
}

/* Its environment: "name=value" for each item of a mapping. */
static char **make_environment(Value mapping, Value kept)
{
    Value keys = part_of(mapping, TY_NAME("keys")), values = keys == TY_NULL ? TY_NULL : part_of(mapping, TY_NAME("values"));
    if (values == TY_NULL)
        return NULL;
    int64_t count = TY_MIN(ty_list_length(keys), ty_list_length(values));
    char **lines = calloc((size_t)count + 1, sizeof *lines);
    if (!lines)
        ty_raise_memory_error();
    for (int64_t i = 0; lines && i < count; i++) {
        const char *name = new_text(ty_list_item(keys, i), kept), *value = name ? new_text(ty_list_item(values, i), kept) : NULL;
        if (value && (!*name || strchr(name + 1, '='))) {
            ty_raise(&ty_ValueError, "illegal environment variable name");
            value = NULL;
        }
        Value line = value ? ty_bytes_new(NULL, strlen(name) + strlen(value) + 1) : TY_NULL;
        if (line == TY_NULL || !ty_list_append(kept, line)) {
            free(lines);
            return NULL;
        }
        lines[i] = (char *)ty_as_bytes(line)->data;
        char *end = stpcpy(lines[i], name);
        *end = '=';
        strcpy(end + 1, value);
    }
    return lines;
}

extern char **environ;

static Value exec(Value path_value, Value given, Value environment, const char *name, const char *what)
{
    TyPath path;
    if (ty_interpreter()->no_exec)
        return ty_raise(&ty_RuntimeError, "exec not supported for isolated subinterpreters");
    Value kept = ty_list_new(0);
    if (kept == TY_NULL || !ty_path(path_value, name, environment != TY_NULL, false, &path))
        return TY_NULL;
    char **arguments = make_arguments(given, environment == TY_NULL ? "" : "execve: ", what, kept), **lines = environ;
    if (!arguments)
        return TY_NULL;
    if (environment != TY_NULL) {
        lines = ty_is_mapping(environment) ? make_environment(environment, kept) : NULL;
        if (!ty_is_mapping(environment))
            ty_raise(&ty_TypeError, "execve: environment must be a mapping object");
    }
    if (lines && path.text)
        execve(path.text, arguments, lines);
    else if (lines)
        fexecve(path.fd, arguments, lines);
    int error = errno;
    free(arguments);
    if (lines != environ)
        free(lines);
    errno = error;
    __asm__ volatile("" : : "r"(kept));
    return lines ? ty_posix_error(&path) : TY_NULL;
}
static Value posix_execv(Value self, Value *a) { return exec(a[0], a[1], TY_NULL, "execv", "execv() arg 2"); }
static Value posix_execve(Value self, Value *a) { return exec(a[0], a[1], a[2], "execve", "argv"); }

static Value spawn(Value *a, const char *name, bool search)
{
    TyPath path;
    Value kept = ty_list_new(0);
    if (kept == TY_NULL || !ty_path(a[SPAWN_PATH], name, false, false, &path))
        return TY_NULL;
    if (a[SPAWN_ENV] != TY_NONE && !ty_is_mapping(a[SPAWN_ENV]))
        return ty_raise(&ty_TypeError, "%s: environment must be a mapping object or None", name);
    char **arguments = make_arguments(a[SPAWN_ARGV], name, ": argv", kept);
    if (!arguments)
        return TY_NULL;
    char **environment = a[SPAWN_ENV] == TY_NONE ? environ : make_environment(a[SPAWN_ENV], kept);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    pid_t pid;
    int error = -1;
    if (environment && (!given(a[SPAWN_ACTIONS]) || add_actions(a[SPAWN_ACTIONS], &actions, kept)) && set_attributes(a, &attributes)) {
        ty_blocking_begin();
        error = (search ? posix_spawnp : posix_spawn)(&pid, path.text, &actions, &attributes, arguments, environment);
        ty_blocking_end();
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(arguments);
    if (environment != environ)
        free(environment);
    __asm__ volatile("" : : "r"(kept));
    errno = error;
    return error == 0 ? ty_from_immediate_int(pid) : error < 0 ? TY_NULL : ty_posix_error(&path);
}
static Value posix_do_spawn(Value self, Value *a) { return spawn(a, "posix_spawn", false); }
static Value posix_do_spawnp(Value self, Value *a) { return spawn(a, "posix_spawnp", true); }

/* --- waiting ---------------------------------------------------------------------------------------------------------------------------- */

static TyType waitid_type;

static Value posix_waitid(Value self, Value *a)
{
    INT(a[0], kind);
    INT(a[1], id);
    INT(a[2], options);
    siginfo_t info = {0};
    int result;
    TY_RETRY(result, waitid((idtype_t)kind, (id_t)id, &info, options));
    if (result < 0)
        return ty_raised() ? TY_NULL : ty_posix_error(NULL);
    if (info.si_pid == 0)
        return TY_NONE;
    Value fields[] = {ty_from_immediate_int(info.si_pid), ty_from_immediate_int(info.si_uid), ty_from_immediate_int(info.si_signo),
                      ty_from_immediate_int(info.si_status), ty_from_immediate_int(info.si_code)};
    return ty_struct_sequence_new(&waitid_type, fields);
}

static Value wait_with_usage(pid_t pid, int options)
{
    int status = 0;
    struct rusage usage = {0};
    pid_t result;
    TY_RETRY(result, wait4(pid, &status, options, &usage));
    if (result < 0)
        return ty_raised() ? TY_NULL : ty_posix_error(NULL);
    Value record = ty_resource_usage(&usage);
    return record == TY_NULL ? TY_NULL : ty_tuple_pack(3, ty_from_immediate_int(result), ty_from_immediate_int(status), record);
}
static Value posix_wait3(Value self, Value *a) { INT(a[0], options); return wait_with_usage(-1, options); }
static Value posix_wait4(Value self, Value *a) { INT(a[0], pid); INT(a[1], options); return wait_with_usage(pid, options); }

static Value posix_pidfd_open(Value self, Value *a)
{
    INT(a[0], pid);
    uint64_t flags = 0;
    if (a[1] != TY_NULL && !ty_to_uint64_mask(a[1], &flags))
        return TY_NULL;
    long fd = syscall(SYS_pidfd_open, pid, (unsigned)flags);
    return fd < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(fd);
}

const TyNativeDef ty_posix_spawn_functions[] = {
    TY_FUNCTION("execv(path, argv, /)", posix_execv, "Runs another program in this process."),
    TY_FUNCTION("execve(path, argv, env)", posix_execve, "Runs another program in this process, with another environment."),
    TY_FUNCTION("posix_spawn(path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)", posix_do_spawn,
                "Starts a program in a new process."),
    TY_FUNCTION("posix_spawnp(path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)", posix_do_spawnp,
                "Starts a program that is looked for along PATH."),
    TY_FUNCTION("waitid(idtype, id, options, /)", posix_waitid, "Waits for one or more processes; None if there was nothing to tell."),
    TY_FUNCTION("wait3(options)", posix_wait3, "Waits for a child: (pid, status, resource usage)."),
    TY_FUNCTION("wait4(pid, options)", posix_wait4, "Waits for a child: (pid, status, resource usage)."),
    TY_FUNCTION("pidfd_open(pid, flags=0)", posix_pidfd_open, "A descriptor of a process."),
    {0},
};

const TyPosixConstant ty_posix_spawn_constants[] = {
#define K(name) {#name, name}
    K(CLD_CONTINUED), K(CLD_DUMPED), K(CLD_EXITED), K(CLD_KILLED), K(CLD_STOPPED), K(CLD_TRAPPED), {"P_PIDFD", 3}, {"PIDFD_NONBLOCK", O_NONBLOCK},
    {"POSIX_SPAWN_OPEN", ACTION_OPEN}, {"POSIX_SPAWN_CLOSE", ACTION_CLOSE}, {"POSIX_SPAWN_DUP2", ACTION_DUP2}, {"POSIX_SPAWN_CLOSEFROM", ACTION_CLOSEFROM},
    K(RTLD_DEEPBIND), K(RTLD_NODELETE), K(RTLD_NOLOAD),
#undef K
    {0},
};

bool ty_posix_spawn_start(Value module)
{
    static const TyStructField fields[] = {{"si_pid", NULL}, {"si_uid", NULL}, {"si_signo", NULL}, {"si_status", NULL}, {"si_code", NULL}, {0}};
    static const TyStructDef def = {"posix.waitid_result",
                                    "waitid_result: Result from waitid.\n\nThis object may be accessed either as a tuple of\n  (si_pid, si_uid, si_signo, si_status, si_code),\n"
                                    "or via the attributes si_pid, si_uid, and so on.\n\nSee os.waitid for more information.", fields, 5};
    return ty_struct_sequence_type(&waitid_type, &def) && ty_module_add(module, "waitid_result", ty_from_object(&waitid_type));
}
