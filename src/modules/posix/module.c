/* The module posix: processes, the environment, constants; the table of everything. */
#include "modules/posix/posix.h"
#include "modules/_io/io.h"
#include "modules/_thread.h"
#include "object/exception.h"
#include "runtime/config.h"
#include "runtime/visit.h"
#include "object/interpreter.h"
#include "object/buffer.h"
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pthread.h>

extern char **environ;

static Value make_environment(void)
{
    Value dict = ty_dict_new();
    for (char **e = environ; dict != TY_NULL && e && *e; e++) {
        const char *equals = strchr(*e, '=');
        if (!equals)
            continue;
        Value key = ty_bytes_new(*e, (size_t)(equals - *e)), value = ty_bytes_new(equals + 1, strlen(equals + 1));
        if (key == TY_NULL || value == TY_NULL || ty_dict_set_default(dict, key, value) == TY_NULL)
            return TY_NULL;
    }
    return dict;
}

static Value posix_create_environ(Value self, Value *a) { return make_environment(); }

#define NUMBER(name, call) static Value posix_##name(Value self, Value *a) { return ty_int_from_int64(call); }
NUMBER(getpid, getpid())
NUMBER(getppid, getppid())
NUMBER(getuid, getuid())
NUMBER(geteuid, geteuid())
NUMBER(getgid, getgid())
NUMBER(getegid, getegid())
NUMBER(getpgrp, getpgrp())
static Value posix_cpu_count(Value self, Value *a)
{
    long given = ty_config_cpu_count();
    return ty_int_from_int64(given > 0 ? given : sysconf(_SC_NPROCESSORS_ONLN));
}

static Value check(long r) { return r < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : TY_NONE; }
static Value check_number(long r) { return r < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_int_from_int64(r); }
#define INT(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL

static Value posix_setsid(Value self, Value *a) { return check(setsid()); }
static Value posix_getsid(Value self, Value *a) { INT(a[0], pid); return check_number(getsid(pid)); }
static Value posix_getpgid(Value self, Value *a) { INT(a[0], pid); return check_number(getpgid(pid)); }
static Value posix_setpgid(Value self, Value *a) { INT(a[0], pid); INT(a[1], group); return check(setpgid(pid, group)); }
static Value posix_nice(Value self, Value *a) { INT(a[0], n); errno = 0; int r = nice(n); return r == -1 && errno ? ty_posix_error(NULL) : ty_from_immediate_int(r); }
static Value posix_kill(Value self, Value *a) { INT(a[0], pid); INT(a[1], number); Value r = check(kill(pid, number)); return r != TY_NULL && !ty_poll_run() ? TY_NULL : r; }
static Value posix_killpg(Value self, Value *a) { INT(a[0], group); INT(a[1], number); return check(killpg(group, number)); }
static Value posix_umask(Value self, Value *a) { INT(a[0], mask); return ty_from_immediate_int(umask((mode_t)mask)); }
static Value posix_strerror(Value self, Value *a) { INT(a[0], code); return ty_str_from_text(strerror(code)); }
static Value posix_exit_now(Value self, Value *a) { INT(a[0], status); _exit(status); }
static Value posix_abort(Value self, Value *a) { abort(); }
static Value posix_sched_yield(Value self, Value *a) { return check(sched_yield()); }
static Value posix_urandom(Value self, Value *a)
{
    int64_t size;
    if (!ty_to_size(a[0], &size))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "negative argument not allowed");
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    for (int64_t got = 0; bytes != TY_NULL && got < size;) {
        ssize_t n = getrandom(ty_as_bytes(bytes)->data + got, (size_t)(size - got), 0);
        if (n < 0 && errno != EINTR)
            return ty_posix_error(NULL);
        got += n > 0 ? n : 0;
    }
    return bytes;
}

static Value posix_getrandom(Value self, Value *a)
{
    int64_t size, flags = 0;
    if (!ty_to_size(a[0], &size) || (a[1] != TY_NULL && !ty_to_int64(a[1], &flags)))
        return TY_NULL;
    if (size < 0) {
        errno = EINVAL;
        return ty_posix_error(NULL);
    }
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    if (bytes == TY_NULL)
        return TY_NULL;
    ssize_t n = getrandom(ty_as_bytes(bytes)->data, (size_t)size, (unsigned)flags);
    return n < 0 ? ty_posix_error(NULL) : ty_bytes_shrink(bytes, (size_t)n);
}

static bool text_of(Value v, TyPath *path) { return ty_path(v, "putenv", false, false, path); }
static Value posix_putenv(Value self, Value *a)
{
    TyPath name, value;
    if (!text_of(a[0], &name) || !text_of(a[1], &value))
        return TY_NULL;
    if (strchr(name.text, '='))
        return ty_raise(&ty_ValueError, "illegal environment variable name");
    return check(setenv(name.text, value.text, 1));
}
static Value posix_unsetenv(Value self, Value *a)
{
    TyPath name;
    return text_of(a[0], &name) ? check(unsetenv(name.text)) : TY_NULL;
}

/* --- records ----------------------------------------------------------------------------------------------------------------- */

static TyType uname_type, times_type, terminal_type;
static Value posix_uname(Value self, Value *a)
{
    struct utsname u;
    if (uname(&u) < 0)
        return ty_posix_error(NULL);
    Value v[] = { ty_str_decode_fs(u.sysname, strlen(u.sysname)), ty_str_decode_fs(u.nodename, strlen(u.nodename)), ty_str_decode_fs(u.release, strlen(u.release)), ty_str_decode_fs(u.version, strlen(u.version)),
        ty_str_decode_fs(u.machine, strlen(u.machine)) };
    return ty_struct_sequence_new(&uname_type, v);
}
static Value posix_times(Value self, Value *a)
{
    struct tms t;
    clock_t elapsed = times(&t);
    double tick = (double)sysconf(_SC_CLK_TCK);
    Value v[] = { ty_from_double((double)t.tms_utime / tick), ty_from_double((double)t.tms_stime / tick), ty_from_double((double)t.tms_cutime / tick), ty_from_double((double)t.tms_cstime / tick), ty_from_double((double)elapsed / tick) };
    return ty_struct_sequence_new(&times_type, v);
}
static Value posix_terminal_size(Value self, Value *a)
{
    int32_t fd = 1;
    struct winsize size;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &fd))
        return TY_NULL;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return ty_posix_error(NULL);
    Value v[] = { ty_from_immediate_int(size.ws_col), ty_from_immediate_int(size.ws_row) };
    return ty_struct_sequence_new(&terminal_type, v);
}

/* --- processes ------------------------------------------------------------------------------------------------------------------ */

static Value posix_fork(Value self, Value *a)
{
    if (ty_interpreter()->no_fork)
        return ty_raise(&ty_RuntimeError, "fork not supported for isolated subinterpreters");
    if (ty_load_relaxed(&ty_interpreter()->finalizing))
        return ty_raise(&ty_PythonFinalizationError, "can't fork at interpreter shutdown");
    pid_t pid = ty_fork("fork");
    return pid < 0 ? ty_posix_error(NULL) : ty_int_from_int64(pid);
}

static Value posix_waitpid(Value self, Value *a)
{
    INT(a[0], pid);
    INT(a[1], options);
    int status = 0;
    pid_t r;
    TY_RETRY(r, waitpid(pid, &status, options));
    return r < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_tuple_pack(2, ty_int_from_int64(r), ty_from_immediate_int(status));
}
static Value posix_wait(Value self, Value *a)
{
    int status = 0;
    pid_t r;
    TY_RETRY(r, wait(&status));
    return r < 0 ? (ty_raised() ? TY_NULL : ty_posix_error(NULL)) : ty_tuple_pack(2, ty_int_from_int64(r), ty_from_immediate_int(status));
}

#define STATUS(name, expression) static Value posix_##name(Value self, Value *a) { INT(a[0], status); return ty_from_immediate_int(expression); }
#define STATUS_BOOL(name, expression) static Value posix_##name(Value self, Value *a) { INT(a[0], status); return ty_from_bool(expression); }
STATUS_BOOL(WIFEXITED, WIFEXITED(status)) STATUS_BOOL(WIFSIGNALED, WIFSIGNALED(status)) STATUS_BOOL(WIFSTOPPED, WIFSTOPPED(status)) STATUS_BOOL(WIFCONTINUED, WIFCONTINUED(status)) STATUS_BOOL(WCOREDUMP, WCOREDUMP(status))
STATUS(WEXITSTATUS, WEXITSTATUS(status)) STATUS(WTERMSIG, WTERMSIG(status)) STATUS(WSTOPSIG, WSTOPSIG(status))

static Value posix_exitcode(Value self, Value *a)
{
    INT(a[0], status);
    if (WIFEXITED(status))
        return ty_from_immediate_int(WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return ty_from_immediate_int(-WTERMSIG(status));
    return ty_raise(&ty_ValueError, WIFSTOPPED(status) ? "process stopped by delivery of signal" : "invalid wait status: %d", status);
}

static Value posix_system(Value self, Value *a)
{
    TyPath command;
    if (!ty_path(a[0], "system", false, false, &command))
        return TY_NULL;
    ty_blocking_begin();
    int r = system(command.text);
    ty_blocking_end();
    return ty_from_immediate_int(r);
}

static Value posix_register_at_fork(Value self, Value *a)
{
    static const char *const names[] = { "before", "after_in_child", "after_in_parent" };
    bool any = false;
    for (int i = 0; i < 3; i++) {
        if (a[i] == TY_NULL)
            continue;
        if (!ty_is_callable(a[i]))
            return ty_raise(&ty_TypeError, "'%s' must be callable, not %T", names[i], a[i]);
        any = true;
        Value *place = &ty_module_state(self)[i];
        if (*place == TY_NULL) {
            Value list = ty_list_new(0);
            if (list == TY_NULL)
                return TY_NULL;
            ty_store(ty_object(self), place, list);
        }
        if (!ty_list_append(*place, a[i]))
            return TY_NULL;
    }
    return any ? TY_NONE : ty_raise(&ty_TypeError, "At least one argument is required.");
}

static void run_hooks(int which, bool reversed)
{
    Value module = ty_module_current("posix"), list = module == TY_NULL ? TY_NULL : ty_module_state(module)[which];
    int64_t n = list == TY_NULL ? 0 : ty_list_length(list);
    for (int64_t i = 0; i < n; i++) {
        Value hook = ty_list_item(list, reversed ? n - 1 - i : i);
        if (hook != TY_NULL && ty_call_none(hook) == TY_NULL)
            ty_write_unraisable(hook, NULL);
    }
}

/* Only the calling thread goes on in the child. So the others are stopped where they hold nothing, no module is half imported, and what
 * the child knows of them is put right before any Python runs. */
pid_t ty_fork(const char *name)
{
    run_hooks(0, true);
    ty_import_lock_take();
    ty_heap_fork_prepare();
    ty_threads_before_fork();
    bool others = ty_world_has_others();
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        ty_futex_after_fork();
        ty_threads_after_fork(true);
        ty_heap_fork_child();
        ty_visits_after_fork();
        ty_import_lock_give(true);
        ty_signals_after_fork();
        ty_asyncio_after_fork();
        if (others)
            ty_import_after_fork();
        run_hooks(1, false);
    } else {
        ty_threads_after_fork(false);
        ty_heap_fork_parent();
        ty_import_lock_give(false);
        run_hooks(2, false);
        if (pid > 0 && others && ty_load_relaxed(&ty_interpreter()->thread_count) > 0 &&
            !ty_warn(&ty_DeprecationWarning, 1, "This process (pid=%d) is multi-threaded, use of %s() may lead to deadlocks in the child.",
                     (int)getpid(), name))
            ty_write_unraisable(TY_NULL, NULL);
    }
    errno = error;
    return pid;
}

static Value posix_sched_getaffinity(Value self, Value *a)
{
    INT(a[0], pid);
    cpu_set_t cpus;
    extern Value ty_set_new(Value iterable);
    extern bool ty_set_add(Value set, Value item);
    if (sched_getaffinity(pid, sizeof cpus, &cpus) < 0)
        return ty_posix_error(NULL);
    Value set = ty_set_new(TY_NULL);
    for (int i = 0; set != TY_NULL && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &cpus) && !ty_set_add(set, ty_from_immediate_int(i)))
            return TY_NULL;
    return set;
}
static Value posix_getlogin(Value self, Value *a)
{
    char name[256];
    int error = getlogin_r(name, sizeof name);
    errno = error;
    return error ? ty_posix_error(NULL) : ty_str_decode_fs(name, strlen(name));
}
static Value posix_getgroups(Value self, Value *a)
{
    gid_t groups[1024];
    int n = getgroups(1024, groups);
    Value list = n < 0 ? ty_posix_error(NULL) : ty_list_new(n);
    for (int i = 0; list != TY_NULL && i < n; i++)
        if (!ty_list_append(list, ty_int_from_int64(groups[i])))
            return TY_NULL;
    return list;
}
static Value posix_getloadavg(Value self, Value *a)
{
    double loads[3];
    return getloadavg(loads, 3) == 3 ? ty_tuple_pack(3, ty_from_double(loads[0]), ty_from_double(loads[1]), ty_from_double(loads[2])) : ty_raise(&ty_OSError, "Load averages are unobtainable");
}

#define F(signature, function) TY_FUNCTION(signature, function, NULL)
static const TyNativeDef process_functions[] = {
    F("_create_environ()", posix_create_environ), F("getpid()", posix_getpid), F("getppid()", posix_getppid), F("getuid()", posix_getuid), F("geteuid()", posix_geteuid), F("getgid()", posix_getgid), F("getegid()", posix_getegid), F("getpgrp()", posix_getpgrp),
    F("cpu_count()", posix_cpu_count), F("setsid()", posix_setsid),
    F("getsid(pid, /)", posix_getsid), F("getpgid(pid)", posix_getpgid), F("setpgid(pid, pgrp, /)", posix_setpgid), F("nice(increment, /)", posix_nice), F("kill(pid, signal, /)", posix_kill),
    F("killpg(pgid, signal, /)", posix_killpg), F("umask(mask, /)", posix_umask), F("strerror(code, /)", posix_strerror), F("_exit(status)", posix_exit_now), F("abort()", posix_abort), F("sched_yield()", posix_sched_yield),
    F("urandom(size, /)", posix_urandom), F("getrandom(size, flags=0)", posix_getrandom), F("putenv(name, value, /)", posix_putenv), F("unsetenv(name, /)", posix_unsetenv), F("uname()", posix_uname),
    F("times()", posix_times), F("get_terminal_size(fd=1, /)", posix_terminal_size), F("fork()", posix_fork), F("waitpid(pid, options, /)", posix_waitpid), F("wait()", posix_wait), F("WIFEXITED(status)", posix_WIFEXITED),
    F("WIFSIGNALED(status)", posix_WIFSIGNALED), F("WIFSTOPPED(status)", posix_WIFSTOPPED), F("WIFCONTINUED(status)", posix_WIFCONTINUED), F("WCOREDUMP(status)", posix_WCOREDUMP), F("WEXITSTATUS(status)", posix_WEXITSTATUS),
    F("WTERMSIG(status)", posix_WTERMSIG), F("WSTOPSIG(status)", posix_WSTOPSIG), F("waitstatus_to_exitcode(status)", posix_exitcode), F("system(command)", posix_system),
    F("register_at_fork(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)", posix_register_at_fork),
    F("sched_getaffinity(pid, /)", posix_sched_getaffinity), F("getlogin()", posix_getlogin), F("getgroups()", posix_getgroups), F("getloadavg()", posix_getloadavg), {0}
};

static bool add_functions(Value module, const TyNativeDef *functions)
{
    Value name = ty_str_from_text("posix");
    for (; functions->signature; functions++) {
        Value f = ty_native_new(functions, module, name, TY_NULL);
        if (f == TY_NULL || !ty_dict_set(ty_module_dict(module), ty_intern_utf8(functions->signature, strcspn(functions->signature, "(")), f))
            return false;
    }
    return true;
}

static bool add_table(Value module, const TyPosixConstant *constants)
{
    for (; constants->name; constants++)
        if (!ty_module_add_int(module, constants->name, constants->value))
            return false;
    return true;
}

static bool add_constants(Value module)
{
    static const struct { const char *name; int64_t value; } constants[] = {
#define K(name) { #name, name }
        K(F_OK), K(R_OK), K(W_OK), K(X_OK), K(O_RDONLY), K(O_WRONLY), K(O_RDWR), K(O_NDELAY), K(O_NONBLOCK), K(O_APPEND), K(O_DSYNC), K(O_RSYNC), K(O_SYNC), K(O_NOCTTY), K(O_CREAT), K(O_EXCL), K(O_TRUNC),
        K(O_LARGEFILE), K(O_ACCMODE), K(O_CLOEXEC), K(O_ASYNC), K(O_DIRECT), K(O_DIRECTORY), K(O_NOFOLLOW), K(O_NOATIME), K(O_PATH), K(O_TMPFILE), K(WNOHANG), K(WCONTINUED), K(WUNTRACED), K(WEXITED), K(WNOWAIT),
        K(WSTOPPED), K(P_PID), K(P_PGID), K(P_ALL), K(SEEK_DATA), K(SEEK_HOLE), K(PRIO_PROCESS), K(PRIO_PGRP), K(PRIO_USER), K(SCHED_OTHER), K(SCHED_FIFO), K(SCHED_RR), K(GRND_RANDOM), K(GRND_NONBLOCK),
        { "EX_OK", 0 }, { "EX_USAGE", 64 }, { "EX_DATAERR", 65 }, { "EX_NOINPUT", 66 }, { "EX_NOUSER", 67 }, { "EX_NOHOST", 68 }, { "EX_UNAVAILABLE", 69 }, { "EX_SOFTWARE", 70 }, { "EX_OSERR", 71 },
        { "EX_OSFILE", 72 }, { "EX_CANTCREAT", 73 }, { "EX_IOERR", 74 }, { "EX_TEMPFAIL", 75 }, { "EX_PROTOCOL", 76 }, { "EX_NOPERM", 77 }, { "EX_CONFIG", 78 }, { "TMP_MAX", 238328 }, { "NGROUPS_MAX", 65536 },
        { "ST_RDONLY", 1 }, { "ST_NOSUID", 2 }, { "RTLD_LAZY", 1 }, { "RTLD_NOW", 2 }, { "RTLD_GLOBAL", 256 }, { "RTLD_LOCAL", 0 },
#undef K
    };
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

static bool add_records(Value module)
{
    static const TyStructField uname_fields[] = { { "sysname", NULL }, { "nodename", NULL }, { "release", NULL }, { "version", NULL }, { "machine", NULL }, {0} };
    static const TyStructDef uname_def = { "posix.uname_result", "uname_result: Result from os.uname().", uname_fields, 5 };
    static const TyStructField times_fields[] = { { "user", NULL }, { "system", NULL }, { "children_user", NULL }, { "children_system", NULL }, { "elapsed", NULL }, {0} };
    static const TyStructDef times_def = { "posix.times_result", "times_result: Result from os.times().", times_fields, 5 };
    static const TyStructField terminal_fields[] = { { "columns", NULL }, { "lines", NULL }, {0} };
    static const TyStructDef terminal_def = { "os.terminal_size", "A tuple of (columns, lines) for holding terminal window size", terminal_fields, 2 };
    return ty_struct_sequence_type(&uname_type, &uname_def) && ty_struct_sequence_type(&times_type, &times_def) && ty_struct_sequence_type(&terminal_type, &terminal_def)
        && ty_module_add(module, "uname_result", ty_from_object(&uname_type)) && ty_module_add(module, "times_result", ty_from_object(&times_type)) && ty_module_add(module, "terminal_size", ty_from_object(&terminal_type));
}

static bool execute(Value module)
{
    static const char *const have[] = { "HAVE_EVENTFD", "HAVE_TIMERFD_CREATE", "HAVE_FACCESSAT", "HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHMODAT", "HAVE_FCHOWN", "HAVE_FCHOWNAT", "HAVE_FDOPENDIR", "HAVE_FEXECVE", "HAVE_FPATHCONF", "HAVE_FSTATAT", "HAVE_FSTATVFS",
        "HAVE_FTRUNCATE", "HAVE_FUTIMENS", "HAVE_FUTIMES", "HAVE_FUTIMESAT", "HAVE_LINKAT", "HAVE_LCHOWN", "HAVE_LSTAT", "HAVE_LUTIMES", "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT", "HAVE_MKFIFOAT", "HAVE_MKNODAT", "HAVE_OPENAT", "HAVE_READLINKAT", "HAVE_RENAMEAT", "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT" };
    Value list = ty_list_new(0);
    for (size_t i = 0; list != TY_NULL && i < TY_COUNT_OF(have); i++)
        if (!ty_list_append(list, ty_str_from_text(have[i])))
            return false;
    return list != TY_NULL && ty_module_add(module, "environ", make_environment()) && ty_module_add(module, "error", ty_from_object(&ty_OSError)) && ty_module_add(module, "_have_functions", list)
        && ty_posix_names_start(module) && ty_posix_identity_start(module) && ty_posix_spawn_start(module) && add_functions(module, ty_posix_name_functions) && add_functions(module, ty_posix_identity_functions)
        && add_functions(module, ty_posix_descriptor_functions) && add_functions(module, ty_posix_spawn_functions) && add_table(module, ty_posix_identity_constants) && add_table(module, ty_posix_descriptor_constants)
        && add_table(module, ty_posix_spawn_constants)
        && add_functions(module, ty_posix_file_functions) && add_functions(module, ty_posix_terminal_functions) && add_functions(module, ty_posix_stat_functions) && add_constants(module) && add_records(module) && ty_posix_stat_start(module)
        && ty_type_ready(&ty_dir_entry_type) && ty_type_ready(&ty_scandir_iterator_type) && ty_module_add(module, "DirEntry", ty_from_object(&ty_dir_entry_type));
}

static bool renew(Value module) { return ty_module_add(module, "environ", make_environment()); }

const TyModuleDef ty_module_posix = { .name = "posix", .doc = "This module provides access to operating system functionality that is\nstandardized by the C Standard and the POSIX standard (a thinly\ndisguised Unix interface).", .functions = process_functions, .execute = execute, .state_count = 3, .renew = renew };
