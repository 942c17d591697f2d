/* _posixsubprocess: starting a program in a new process, as subprocess wants it done.
 *
 * Everything that the child needs is put into native memory before the fork, so that the child touches no heap and takes no lock: it
 * only makes system calls until it runs the program. Only where it has to run a Python function first (preexec_fn) is it forked with all
 * that the runtime does around fork(). What fails in the child is written to a pipe: the exception's name, errno in hexadecimal, a text. */
#include "runtime/runtime.h"
#include "modules/posix/posix.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* fork() with the hooks of os.register_at_fork() and those of the runtime: modules/posix. */
extern pid_t ty_fork(const char *name);

typedef struct Launch {
    char **arguments, **programs, **environment; /* NULL-ended; environment NULL: the process's own */
    char *directory;                             /* NULL: stay */
    int *keep;                                   /* descriptors that stay open, ascending */
    size_t keep_count;
    gid_t *groups;
    int64_t group_count;                         /* -1: leave them */
    int in_read, in_write, out_read, out_write, error_read, error_write, report_read, report_write;
    bool close_others, restore_signals, new_session, set_group_id, set_user_id;
    int group;                                   /* process group, -1: leave it */
    gid_t group_id;
    uid_t user_id;
    int mask;                                    /* -1: leave it */
    Value before;                                /* preexec_fn or None */
} Launch;

/* --- arguments ----------------------------------------------------------------------------------------------------------------------- */

static void free_strings(char **strings)
{
    for (char **s = strings; s && *s; s++)
        free(*s);
    free(strings);
}

static void free_launch(Launch *launch)
{
    free_strings(launch->arguments);
    free_strings(launch->programs);
    free_strings(launch->environment);
    free(launch->directory);
    free(launch->keep);
    free(launch->groups);
}

static char *copy_bytes(Value bytes)
{
    size_t size = (size_t)ty_bytes_length(bytes);
    if (memchr(ty_bytes_data(bytes), 0, size)) {
        ty_raise(&ty_ValueError, "embedded null byte");
        return NULL;
    }
    char *copy = malloc(size + 1);
    if (!copy) {
        ty_raise_memory_error();
        return NULL;
    }
    memcpy(copy, ty_bytes_data(bytes), size);
    copy[size] = 0;
    return copy;
}

/* A path as bytes: str, bytes or os.PathLike. */
static Value path_bytes(Value v)
{
    if (!ty_is_str(v) && !ty_is_bytes(v)) {
        Value method = ty_lookup_special(v, TY_NAME("__fspath__"));
        if (method == TY_NULL)
            return ty_raised() ? TY_NULL : ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
        v = ty_call_none(method);
        if (v == TY_NULL)
            return TY_NULL;
        if (!ty_is_str(v) && !ty_is_bytes(v))
            return ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
    }
    return ty_is_bytes(v) ? v : ty_str_encode_fs(v);
}

/* A NULL-ended array of texts from a sequence of paths, or of bytes alone. */
static char **to_strings(Value v, bool bytes_only)
{
    if (ty_length(v) < 0)
        return NULL;
    Value items = ty_sequence_tuple(v);
    if (items == TY_NULL)
        return NULL;
    int64_t count = ty_tuple_length(items);
    char **strings = calloc((size_t)count + 1, sizeof *strings);
    if (!strings) {
        ty_raise_memory_error();
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_tuple_item(items, i);
        if (bytes_only && !ty_is_bytes(item)) {
            ty_raise(&ty_TypeError, "expected bytes, %T found", item);
            item = TY_NULL;
        } else {
            item = path_bytes(item);
        }
        strings[i] = item == TY_NULL ? NULL : copy_bytes(item);
        if (!strings[i]) {
            free_strings(strings);
            return NULL;
        }
    }
    return strings;
}

static bool to_kept(Value v, Launch *launch)
{
    if (!ty_is_tuple(v)) {
        ty_raise(&ty_TypeError, "fork_exec() argument 4 must be tuple, not %T", v);
        return false;
    }
    int64_t count = ty_tuple_length(v), last = -1;
    launch->keep = calloc((size_t)count + 1, sizeof *launch->keep);
    if (!launch->keep) {
        ty_raise_memory_error();
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_tuple_item(v, i);
        int64_t descriptor = -1;
        if (!ty_is_int(item) || ty_int_get_int64(item, &descriptor) != 0 || descriptor < 0 || descriptor > INT_MAX || descriptor <= last) {
            ty_raise(&ty_ValueError, "bad value(s) in fds_to_keep");
            return false;
        }
        launch->keep[launch->keep_count++] = (int)(last = descriptor);
    }
    return true;
}

static bool to_groups(Value v, Launch *launch)
{
    launch->group_count = -1;
    if (v == TY_NONE)
        return true;
    if (!ty_is_list(v)) {
        ty_raise(&ty_TypeError, "setgroups argument must be a list");
        return false;
    }
    int64_t count = ty_list_length(v);
    if (count > NGROUPS_MAX) {
        ty_raise(&ty_ValueError, "too many extra_groups");
        return false;
    }
    launch->groups = calloc((size_t)count + 1, sizeof *launch->groups);
    if (!launch->groups) {
        ty_raise_memory_error();
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_list_item(v, i);
        if (item == TY_NULL || !ty_is_int(item)) {
            ty_raise(&ty_TypeError, "extra_groups must be integers");
            return false;
        }
        if (!ty_posix_gid(item, &launch->groups[i])) {
            ty_clear_exception();
            ty_raise(&ty_ValueError, "invalid group id");
            return false;
        }
    }
    launch->group_count = count;
    return true;
}

static bool to_launch(Value *a, Launch *launch)
{
    int32_t numbers[8];
    for (int i = 0; i < 8; i++)
        if (!ty_to_int32(a[6 + i], &numbers[i]))
            return false;
    launch->in_read = numbers[0], launch->in_write = numbers[1], launch->out_read = numbers[2], launch->out_write = numbers[3];
    launch->error_read = numbers[4], launch->error_write = numbers[5], launch->report_read = numbers[6], launch->report_write = numbers[7];
    launch->before = a[21];
    int32_t group, mask;
    if (!ty_to_bool(a[2], &launch->close_others) || !ty_to_bool(a[14], &launch->restore_signals) || !ty_to_bool(a[15], &launch->new_session) ||
        !ty_to_int32(a[16], &group) || !ty_to_int32(a[20], &mask))
        return false;
    launch->group = group;
    launch->mask = mask;
    if (launch->close_others && launch->report_write < 3) {
        ty_raise(&ty_ValueError, "errpipe_write must be >= 3");
        return false;
    }
    if (!to_kept(a[3], launch) || !(launch->programs = to_strings(a[1], true)))
        return false;
    if (a[0] != TY_NONE && !(launch->arguments = to_strings(a[0], false)))
        return false;
    if (a[5] != TY_NONE && !(launch->environment = to_strings(a[5], true)))
        return false;
    if (a[4] != TY_NONE) {
        Value directory = path_bytes(a[4]);
        if (directory == TY_NULL || !(launch->directory = copy_bytes(directory)))
            return false;
    }
    launch->set_group_id = a[17] != TY_NONE;
    launch->set_user_id = a[19] != TY_NONE;
    return to_groups(a[18], launch) && (!launch->set_group_id || ty_posix_gid(a[17], &launch->group_id)) &&
           (!launch->set_user_id || ty_posix_uid(a[19], &launch->user_id));
}

/* --- the child: system calls only ------------------------------------------------------------------------------------------------------ */

/* Makes `from` the descriptor `to` of the program, which inherits it. */
static bool place(int from, int to)
{
    if (from == -1)
        return true;
    if (from == to) {
        int flags = fcntl(from, F_GETFD);
        return flags >= 0 && fcntl(from, F_SETFD, flags & ~FD_CLOEXEC) >= 0;
    }
    return dup2(from, to) >= 0;
}

static void close_if(int descriptor)
{
    if (descriptor != -1)
        close(descriptor);
}

static void close_from_to(unsigned low, unsigned high)
{
    if (low > high)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, low, high, 0) == 0)
        return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (unsigned descriptor = low; descriptor <= high && (long)descriptor < most; descriptor++)
        close((int)descriptor);
}

/* Closes all from 3 on but those that are kept. */
static void close_others(const Launch *launch)
{
    unsigned low = 3;
    for (size_t i = 0; i < launch->keep_count; i++) {
        unsigned kept = (unsigned)launch->keep[i];
        if (kept < low)
            continue;
        close_from_to(low, kept - 1);
        low = kept + 1;
    }
    close_from_to(low, UINT_MAX);
}

/* All that comes before the program runs; false with errno set. *text is what the report says then. */
static bool prepare(Launch *launch, const char **text)
{
    for (size_t i = 0; i < launch->keep_count; i++) {
        int flags = fcntl(launch->keep[i], F_GETFD);
        if (launch->keep[i] != launch->report_write && flags >= 0)
            fcntl(launch->keep[i], F_SETFD, flags & ~FD_CLOEXEC);
    }
    close_if(launch->in_write);
    close_if(launch->out_read);
    close_if(launch->error_read);
    close_if(launch->report_read);
    /* Descriptors 0 to 2 that are about to be replaced step aside first. */
    if (launch->out_write == 0 && (launch->out_write = fcntl(0, F_DUPFD, 3)) < 0)
        return false;
    while (launch->error_write == 0 || launch->error_write == 1)
        if ((launch->error_write = fcntl(launch->error_write, F_DUPFD, 3)) < 0)
            return false;
    if (!place(launch->in_read, 0) || !place(launch->out_write, 1) || !place(launch->error_write, 2))
        return false;
    if (launch->directory) {
        *text = "noexec:chdir";
        if (chdir(launch->directory) < 0)
            return false;
        *text = "noexec";
    }
    if (launch->mask >= 0)
        umask((mode_t)launch->mask);
    if (launch->restore_signals) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
    }
    if (launch->new_session)
        setsid();
    if (launch->group >= 0 && setpgid(0, launch->group) < 0)
        return false;
    if (launch->group_count >= 0 && syscall(SYS_setgroups, launch->group_count, launch->groups) < 0)
        return false;
    if (launch->set_group_id && syscall(SYS_setregid, launch->group_id, launch->group_id) < 0)
        return false;
    return !launch->set_user_id || syscall(SYS_setreuid, launch->user_id, launch->user_id) >= 0;
}

static void report(const Launch *launch, const char *kind, int error, const char *text)
{
    char message[256], *end = message + sizeof message, *at = message, digits[16];
    int count = 0;
    for (const char *s = kind; *s; s++)
        *at++ = *s;
    *at++ = ':';
    do
        digits[count++] = "0123456789ABCDEF"[error & 15];
    while ((error >>= 4) != 0);
    while (count)
        *at++ = digits[--count];
    *at++ = ':';
    for (const char *s = text; *s && at < end; s++)
        *at++ = *s;
    ssize_t written = write(launch->report_write, message, (size_t)(at - message));
    (void)written;
}

static _Noreturn void run_program(Launch *launch, bool python)
{
    const char *text = "noexec";
    if (!prepare(launch, &text)) {
        report(launch, "OSError", errno, text);
        _exit(255);
    }
    if (python && launch->before != TY_NONE && ty_call_none(launch->before) == TY_NULL) {
        ty_clear_exception();
        report(launch, "SubprocessError", 0, "Exception occurred in preexec_fn.");
        _exit(255);
    }
    if (launch->close_others)
        close_others(launch);
    /* Of several places that the program may be in, the first that has it; another error than its absence is remembered. */
    int remembered = 0;
    for (char **program = launch->programs; *program; program++) {
        if (launch->environment)
            execve(*program, launch->arguments, launch->environment);
        else
            execv(*program, launch->arguments);
        if (errno != ENOENT && errno != ENOTDIR && remembered == 0)
            remembered = errno;
    }
    report(launch, "OSError", remembered ? remembered : errno, "");
    _exit(255);
}

/* --- the parent -------------------------------------------------------------------------------------------------------------------------- */

static Value fork_exec(Value module, Value *a)
{
    Launch launch = {.group_count = -1};
    if (!to_launch(a, &launch)) {
        free_launch(&launch);
        return TY_NULL;
    }
    bool python = launch.before != TY_NONE;
    if (python && ty_interpreter() != ty_interpreter_main()) {
        free_launch(&launch);
        return ty_raise(&ty_RuntimeError, "preexec_fn not supported within subinterpreters");
    }
    if (python && ty_load_relaxed(&ty_interpreter()->finalizing)) {
        free_launch(&launch);
        return ty_raise(&ty_PythonFinalizationError, "preexec_fn not supported at interpreter shutdown");
    }
    pid_t child;
    if (python) {
        child = ty_fork("fork");
    } else {
        /* No signal's handler may run in the child before the program does. */
        sigset_t all, old;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        child = fork();
        if (child == 0) {
            for (int number = 1; number < NSIG; number++) {
                struct sigaction action;
                if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
                    signal(number, SIG_DFL);
            }
            pthread_sigmask(SIG_SETMASK, &old, NULL);
        } else {
            int error = errno;
            pthread_sigmask(SIG_SETMASK, &old, NULL);
            errno = error;
        }
    }
    if (child == 0)
        run_program(&launch, python);
    int error = errno;
    free_launch(&launch);
    errno = error;
    if (child < 0)
        return ty_raised() ? TY_NULL : ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return ty_int_from_int64(child);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("fork_exec(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, "
                "errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, /)",
                fork_exec, "Starts a program in a new process and returns the process's id."),
    {0},
};

const TyModuleDef ty_module_posixsubprocess = {
    .name = "_posixsubprocess",
    .doc = "Starting programs, for the subprocess module.",
    .functions = functions,
};
