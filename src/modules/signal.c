/* _signal: signals and their handlers.
 *
 * The system's handler only notes that a signal came, in words of atomic memory, and asks the main thread to look. That thread, of the
 * main interpreter, calls the Python handlers at its next safepoint. Handlers are kept for the process; only that thread changes them. */
#include "modules/_thread.h"
#include "modules/descriptor.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef NSIG
#define NSIG 65
#endif

extern Value ty_frame_object(TyFrame *frame); /* vm/frame.c */

static _Atomic bool came[NSIG];           /* and its handler has not been called yet */
static Value handlers[NSIG];              /* TY_NULL: none that Python knows of (None) */
static TyThread *_Atomic main_thread;     /* of the main interpreter */
static _Atomic int wakeup = -1;           /* a descriptor that gets a byte for each signal */
static _Atomic bool warn_when_full = true;
static TyType siginfo_type;

#define DEFAULT ty_from_immediate_int((intptr_t)SIG_DFL)
#define IGNORE ty_from_immediate_int((intptr_t)SIG_IGN)

static void note(int number)
{
    int error = errno;
    ty_store_relaxed(&came[number], true);
    TyThread *main = ty_load_acquire(&main_thread);
    if (main) {
        ty_poll_request(main, TY_POLL_SIGNAL);
        TyThread *deputy = atomic_load_explicit(&main->deputy, memory_order_seq_cst);
        if (deputy && deputy != main)
            ty_poll_request(deputy, TY_POLL_SIGNAL); /* its memory stays a TyThread's, whatever has become of it */
    }
    int descriptor = ty_load_relaxed(&wakeup);
    if (descriptor >= 0) {
        unsigned char byte = (unsigned char)number;
        ssize_t written = write(descriptor, &byte, 1);
        (void)written; /* a full pipe has woken its reader already */
    }
    errno = error;
}

static bool taken_over; /* the module has been loaded: `handlers` says what becomes of signals */

bool ty_signals_run(void);

/* In another interpreter, which the main thread visits. Handlers run at home; what one raises waits there for the visit to end, which is
 * hastened by a KeyboardInterrupt. */
static bool run_at_home(TyThread *main)
{
    TyThread *back = ty_interpreter_enter(main->interpreter);
    if (!back)
        return false;
    bool fine = ty_signals_run();
    if (!fine)
        main->interruption = ty_take_exception();
    ty_interpreter_leave(back);
    return fine || (ty_raise_none(&ty_KeyboardInterrupt), false);
}

/* Calls the handlers of signals that came; false when one raised. Called at the main thread's safepoints. */
bool ty_signals_run(void)
{
    TyThread *main = ty_load_relaxed(&main_thread);
    if (ty_thread != main)
        return !main || ty_load_relaxed(&main->deputy) != ty_thread || run_at_home(main);
    for (int number = 1; number < NSIG; number++) {
        if (!ty_load_relaxed(&came[number]) || !atomic_exchange_explicit(&came[number], false, memory_order_acq_rel))
            continue;
        if (!taken_over) /* SIGINT, before anyone asked for the module */
            return ty_raise_none(&ty_KeyboardInterrupt), false;
        Value handler = handlers[number];
        if (handler == TY_NULL || handler == DEFAULT || handler == IGNORE) { /* changed meanwhile */
            Value raised = ty_take_exception();
            ty_raise(&ty_OSError, "Signal %d ignored due to race condition", number);
            ty_write_unraisable(TY_NULL, NULL);
            ty_restore_exception(raised);
            continue;
        }
        Value arguments[] = {ty_from_immediate_int(number), ty_thread->frame ? ty_frame_object(ty_thread->frame) : TY_NONE};
        if (arguments[1] == TY_NULL || ty_call(handler, arguments, 2, TY_NULL) == TY_NULL) {
            /* The others stay noted. */
            ty_poll_request(ty_thread, TY_POLL_SIGNAL);
            return false;
        }
    }
    return true;
}

/* The other threads are gone, and what came before the fork came to the parent. */
void ty_signals_after_fork(void)
{
    for (int number = 1; number < NSIG; number++)
        ty_store_relaxed(&came[number], false);
    if (ty_load_relaxed(&main_thread) && ty_interpreter()->id == 0)
        ty_store_release(&main_thread, ty_thread);
}

static void note(int number);
bool ty_signal_simulate(int number)
{
    if (number < 1 || number >= NSIG)
        return false;
    Value handler = ty_field(&handlers[number]);
    if (handler != DEFAULT && handler != IGNORE)
        note(number);
    return true;
}

static bool is_default(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_DFL;
}

void ty_signals_end(void)
{
    for (int number = 1; number < NSIG; number++) {
        Value handler = handlers[number];
        handlers[number] = TY_NULL;
        if (handler != TY_NULL && handler != DEFAULT && handler != IGNORE)
            signal(number, SIG_DFL);
    }
    if (!taken_over && !is_default(SIGINT))
        signal(SIGINT, SIG_DFL);
}

static bool in_main_thread(void) { return ty_thread == ty_load_relaxed(&main_thread); }

static bool signal_number(Value v, int *out)
{
    int32_t number;
    if (!ty_to_int32(v, &number))
        return false;
    if (number < 1 || number >= NSIG) {
        ty_raise(&ty_ValueError, "signal number out of range");
        return false;
    }
    *out = number;
    return true;
}

static bool install(int number, void (*function)(int))
{
    struct sigaction action = {.sa_handler = function, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0;
}

static Value system_error(void) { return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL); }

/* --- handlers ------------------------------------------------------------------------------------------------------------------------- */

static Value signal_signal(Value module, Value *a)
{
    int32_t number;
    if (!ty_to_int32(a[0], &number))
        return TY_NULL;
    if (!in_main_thread())
        return ty_raise(&ty_ValueError, "signal only works in main thread of the main interpreter");
    if (number < 1 || number >= NSIG)
        return ty_raise(&ty_ValueError, "signal number out of range");
    Value handler = a[1];
    void (*function)(int) = note;
    if (ty_is_int(handler)) {
        int64_t which;
        if (ty_int_get_int64(handler, &which) != 0 || (which != (intptr_t)SIG_DFL && which != (intptr_t)SIG_IGN))
            return ty_raise(&ty_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
        function = which == (intptr_t)SIG_DFL ? SIG_DFL : SIG_IGN;
        handler = ty_from_immediate_int(which);
    } else if (!ty_is_callable(handler)) {
        return ty_raise(&ty_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
    }
    if (!ty_poll_run()) /* what came for the old handler */
        return TY_NULL;
    if (!install(number, function))
        return system_error();
    Value old = handlers[number];
    handlers[number] = handler;
    return old == TY_NULL ? TY_NONE : old;
}

static Value signal_getsignal(Value module, Value *a)
{
    int number;
    if (!signal_number(a[0], &number))
        return TY_NULL;
    return handlers[number] == TY_NULL ? TY_NONE : handlers[number];
}

static Value default_int_handler(Value module, Value *a) { return ty_raise_none(&ty_KeyboardInterrupt); }

static Value signal_siginterrupt(Value module, Value *a)
{
    int number;
    int32_t flag;
    struct sigaction action;
    if (!signal_number(a[0], &number) || !ty_to_int32(a[1], &flag))
        return TY_NULL;
    if (sigaction(number, NULL, &action) < 0)
        return system_error();
    action.sa_flags = flag ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return sigaction(number, &action, NULL) < 0 ? system_error() : TY_NONE;
}

static Value signal_set_wakeup_fd(Value module, Value *a)
{
    int32_t descriptor;
    bool warn = true;
    if (!ty_to_int32(a[0], &descriptor) || (a[1] != TY_NULL && !ty_to_bool(a[1], &warn)))
        return TY_NULL;
    if (!in_main_thread())
        return ty_raise(&ty_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
    if (descriptor != -1) {
        int flags = fcntl(descriptor, F_GETFL);
        if (flags < 0)
            return system_error();
        if (!(flags & O_NONBLOCK))
            return ty_raise(&ty_ValueError, "the fd %d must be in non-blocking mode", descriptor);
    }
    ty_store_relaxed(&warn_when_full, warn);
    return ty_from_immediate_int(atomic_exchange_explicit(&wakeup, descriptor, memory_order_relaxed));
}

static Value signal_strsignal(Value module, Value *a)
{
    int number;
    if (!signal_number(a[0], &number))
        return TY_NULL;
    if (number >= SIGRTMIN && number <= SIGRTMAX)
        return ty_str_format("Real-time signal %d", number - SIGRTMIN);
    const char *text = sigdescr_np(number);
    return text ? ty_str_from_text(text) : TY_NONE;
}

/* --- sending ---------------------------------------------------------------------------------------------------------------------------- */

static Value signal_raise_signal(Value module, Value *a)
{
    int32_t number;
    if (!ty_to_int32(a[0], &number))
        return TY_NULL;
    if (raise(number) != 0)
        return system_error();
    return ty_poll_run() ? TY_NONE : TY_NULL;
}

static Value signal_pthread_kill(Value module, Value *a)
{
    uint64_t thread;
    int32_t number;
    if (!ty_to_uint64_mask(a[0], &thread) || !ty_to_int32(a[1], &number))
        return TY_NULL;
    errno = pthread_kill((pthread_t)thread, number);
    if (errno)
        return system_error();
    return ty_poll_run() ? TY_NONE : TY_NULL;
}

static Value signal_pidfd_send_signal(Value module, Value *a)
{
    int32_t descriptor, number, flags = 0;
    if (!ty_to_int32(a[0], &descriptor) || !ty_to_int32(a[1], &number) || (a[3] != TY_NULL && !ty_to_int32(a[3], &flags)))
        return TY_NULL;
    if (a[2] != TY_NULL && a[2] != TY_NONE)
        return ty_raise(&ty_TypeError, "siginfo must be None");
    if (syscall(SYS_pidfd_send_signal, descriptor, number, NULL, flags) < 0)
        return system_error();
    return ty_poll_run() ? TY_NONE : TY_NULL;
}

static Value signal_pause(Value module, Value *a)
{
    ty_blocking_begin();
    pause();
    ty_blocking_end();
    return ty_poll_run() ? TY_NONE : TY_NULL;
}

/* --- timers -------------------------------------------------------------------------------------------------------------------------------- */

static Value signal_alarm(Value module, Value *a)
{
    int32_t seconds;
    return ty_to_int32(a[0], &seconds) ? ty_int_from_int64(alarm((unsigned)seconds)) : TY_NULL;
}

static Value from_timer(const struct itimerval *timer)
{
    return ty_tuple_pack(2, ty_from_double((double)timer->it_value.tv_sec + 1e-6 * (double)timer->it_value.tv_usec),
                         ty_from_double((double)timer->it_interval.tv_sec + 1e-6 * (double)timer->it_interval.tv_usec));
}

static Value timer_error(Value module)
{
    Value type = ty_module_state(module)[0];
    return ty_raise_errno(ty_as_type(type), errno, TY_NULL, TY_NULL);
}

static bool to_timeval(Value v, struct timeval *out)
{
    double seconds;
    *out = (struct timeval){0};
    if (v == TY_NULL)
        return true;
    if (!ty_to_double(v, &seconds))
        return false;
    if (!(fabs(seconds) < 9.2e18)) {
        ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    double whole = floor(seconds), micro = ceil((seconds - whole) * 1e6);
    if (micro >= 1e6) {
        micro -= 1e6;
        whole += 1;
    }
    *out = (struct timeval){(time_t)whole, (suseconds_t)micro};
    return true;
}

static Value signal_setitimer(Value module, Value *a)
{
    int32_t which;
    struct itimerval timer, old;
    if (!ty_to_int32(a[0], &which) || !to_timeval(a[1], &timer.it_value) || !to_timeval(a[2], &timer.it_interval))
        return TY_NULL;
    return setitimer((unsigned)which, &timer, &old) < 0 ? timer_error(module) : from_timer(&old);
}

static Value signal_getitimer(Value module, Value *a)
{
    int32_t which;
    struct itimerval timer;
    if (!ty_to_int32(a[0], &which))
        return TY_NULL;
    return getitimer((unsigned)which, &timer) < 0 ? timer_error(module) : from_timer(&timer);
}

/* --- sets of signals -------------------------------------------------------------------------------------------------------------------------- */

static bool to_set(Value v, sigset_t *set)
{
    sigemptyset(set);
    Value iterator = ty_iter(v), item;
    if (iterator == TY_NULL)
        return false;
    while ((item = ty_next(iterator)) != TY_NULL) {
        int64_t number = 0;
        Value index = ty_number_index(item);
        if (index == TY_NULL)
            return false;
        if (ty_int_get_int64(index, &number) != 0 || number < 1 || number >= NSIG) {
            ty_raise(&ty_ValueError, "signal number %S out of range [1; %d]", index, NSIG - 1);
            return false;
        }
        sigaddset(set, (int)number); /* those that the C library keeps for itself can't be added */
    }
    return !ty_raised();
}

static Value from_set(const sigset_t *set)
{
    Value result = ty_set_new(TY_NULL);
    for (int number = 1; result != TY_NULL && number < NSIG; number++)
        if (sigismember(set, number) == 1 && !ty_set_add(result, ty_from_immediate_int(number)))
            return TY_NULL;
    return result;
}

static Value signal_valid_signals(Value module, Value *a)
{
    sigset_t set;
    sigfillset(&set);
    return from_set(&set);
}

static Value signal_pthread_sigmask(Value module, Value *a)
{
    int32_t how;
    sigset_t set, old;
    if (!ty_to_int32(a[0], &how) || !to_set(a[1], &set))
        return TY_NULL;
    errno = pthread_sigmask(how, &set, &old);
    if (errno)
        return system_error();
    return ty_poll_run() ? from_set(&old) : TY_NULL;
}

static Value signal_sigpending(Value module, Value *a)
{
    sigset_t set;
    return sigpending(&set) < 0 ? system_error() : from_set(&set);
}

static Value signal_sigwait(Value module, Value *a)
{
    sigset_t set;
    int number;
    if (!to_set(a[0], &set))
        return TY_NULL;
    ty_blocking_begin();
    int error = sigwait(&set, &number);
    ty_blocking_end();
    errno = error;
    return error ? system_error() : ty_from_immediate_int(number);
}

static const TyStructField siginfo_fields[] = {
    {"si_signo", "signal number"}, {"si_code", "signal code"}, {"si_errno", "errno associated with this signal"}, {"si_pid", "sending process ID"},
    {"si_uid", "real user ID of sending process"}, {"si_status", "exit value or signal"}, {"si_band", "band event for SIGPOLL"}, {0},
};
static const TyStructDef siginfo_def = {
    "signal.struct_siginfo",
    "struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\n"
    "What is known of a signal, as a tuple (si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band), and by those names.",
    siginfo_fields, 7,
};

static Value from_siginfo(const siginfo_t *info)
{
    const int64_t numbers[] = {info->si_signo, info->si_code, info->si_errno, info->si_pid, info->si_uid, info->si_status, info->si_band};
    Value fields[7];
    for (int i = 0; i < 7; i++)
        if ((fields[i] = ty_int_from_int64(numbers[i])) == TY_NULL)
            return TY_NULL;
    return ty_struct_sequence_new(&siginfo_type, fields);
}

static Value signal_sigwaitinfo(Value module, Value *a)
{
    sigset_t set;
    siginfo_t info;
    int result;
    if (!to_set(a[0], &set))
        return TY_NULL;
    do {
        ty_blocking_begin();
        result = sigwaitinfo(&set, &info);
        ty_blocking_end();
    } while (result < 0 && errno == EINTR && ty_poll_run());
    return result >= 0 ? from_siginfo(&info) : ty_raised() ? TY_NULL : system_error();
}

static Value signal_sigtimedwait(Value module, Value *a)
{
    sigset_t set;
    siginfo_t info;
    double seconds;
    if (!to_set(a[0], &set) || !ty_to_double(a[1], &seconds))
        return TY_NULL;
    if (!(seconds >= 0))
        return ty_raise(&ty_ValueError, "timeout must be non-negative");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double deadline = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec + seconds;
    for (;;) {
        struct timespec left = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
        ty_blocking_begin();
        int result = sigtimedwait(&set, &info, &left);
        ty_blocking_end();
        if (result >= 0)
            return from_siginfo(&info);
        if (errno == EAGAIN)
            return TY_NONE;
        if (errno != EINTR)
            return system_error();
        if (!ty_poll_run())
            return TY_NULL;
        clock_gettime(CLOCK_MONOTONIC, &now);
        seconds = deadline - ((double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
        if (seconds < 0)
            return TY_NONE;
    }
}

/* --- the module -------------------------------------------------------------------------------------------------------------------------------- */

static const TyNativeDef functions[] = {
    TY_FUNCTION("signal(signalnum, handler, /)", signal_signal, "Sets what is called when a signal comes, and returns what was called before."),
    TY_FUNCTION("getsignal(signalnum, /)", signal_getsignal, "What is called when a signal comes."),
    TY_FUNCTION("default_int_handler(signalnum, frame, /)", default_int_handler, "The handler of SIGINT at start: raises KeyboardInterrupt."),
    TY_FUNCTION("siginterrupt(signalnum, flag, /)", signal_siginterrupt, "Whether a signal breaks system calls, or they begin again."),
    TY_FUNCTION("set_wakeup_fd(fd, /, *, warn_on_full_buffer=True)", signal_set_wakeup_fd, "Sets the descriptor that gets a byte for each signal, and returns the old one."),
    TY_FUNCTION("strsignal(signalnum, /)", signal_strsignal, "The system's description of a signal."),
    TY_FUNCTION("raise_signal(signalnum, /)", signal_raise_signal, "Sends a signal to this process."),
    TY_FUNCTION("pthread_kill(thread_id, signalnum, /)", signal_pthread_kill, "Sends a signal to a thread."),
    TY_FUNCTION("pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /)", signal_pidfd_send_signal, "Sends a signal to the process of a descriptor."),
    TY_FUNCTION("pause()", signal_pause, "Waits for a signal."),
    TY_FUNCTION("alarm(seconds, /)", signal_alarm, "Has SIGALRM sent after some seconds; returns how many were left of the alarm before."),
    TY_FUNCTION("setitimer(which, seconds, interval=0.0, /)", signal_setitimer, "Sets one of the interval timers and returns what it was."),
    TY_FUNCTION("getitimer(which, /)", signal_getitimer, "What one of the interval timers is set to."),
    TY_FUNCTION("valid_signals()", signal_valid_signals, "The set of numbers of signals."),
    TY_FUNCTION("pthread_sigmask(how, mask, /)", signal_pthread_sigmask, "Changes the signals that the thread holds back, and returns those before."),
    TY_FUNCTION("sigpending()", signal_sigpending, "The signals that are held back and have come."),
    TY_FUNCTION("sigwait(sigset, /)", signal_sigwait, "Waits for one of the signals and returns it."),
    TY_FUNCTION("sigwaitinfo(sigset, /)", signal_sigwaitinfo, "Waits for one of the signals and returns what is known of it."),
    TY_FUNCTION("sigtimedwait(sigset, timeout, /)", signal_sigtimedwait, "As sigwaitinfo(), for some seconds at most; then None."),
    {0},
};

static const struct { const char *name; int value; } constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(NSIG), CONSTANT(SIG_BLOCK), CONSTANT(SIG_UNBLOCK), CONSTANT(SIG_SETMASK), CONSTANT(ITIMER_REAL), CONSTANT(ITIMER_VIRTUAL), CONSTANT(ITIMER_PROF),
    CONSTANT(SIGHUP), CONSTANT(SIGINT), CONSTANT(SIGQUIT), CONSTANT(SIGILL), CONSTANT(SIGTRAP), CONSTANT(SIGIOT), CONSTANT(SIGABRT), CONSTANT(SIGFPE),
    CONSTANT(SIGKILL), CONSTANT(SIGBUS), CONSTANT(SIGSEGV), CONSTANT(SIGSYS), CONSTANT(SIGPIPE), CONSTANT(SIGALRM), CONSTANT(SIGTERM), CONSTANT(SIGUSR1),
    CONSTANT(SIGUSR2), {"SIGCLD", SIGCHLD}, CONSTANT(SIGCHLD), CONSTANT(SIGPWR), CONSTANT(SIGIO), CONSTANT(SIGURG), CONSTANT(SIGWINCH), CONSTANT(SIGPOLL),
    CONSTANT(SIGSTOP), CONSTANT(SIGTSTP), CONSTANT(SIGCONT), CONSTANT(SIGTTIN), CONSTANT(SIGTTOU), CONSTANT(SIGVTALRM), CONSTANT(SIGPROF), CONSTANT(SIGXCPU),
    CONSTANT(SIGXFSZ), CONSTANT(SIGSTKFLT),
#undef CONSTANT
};

void ty_signals_start(void)
{
    ty_store_release(&main_thread, ty_thread);
    if (is_default(SIGINT))
        install(SIGINT, note);
    /* Writing to a pipe that nobody reads is an error of that write, not the end of the process. */
    static const int ignored[] = {SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (is_default(ignored[i]))
            install(ignored[i], SIG_IGN);
}

/* Learns what becomes of the process's signals; once, in the main interpreter. */
static bool take_over(Value module)
{
    if (ty_interpreter()->id != 0 || taken_over)
        return true;
    ty_root_add(handlers, NSIG);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_DFL)
            handlers[number] = DEFAULT;
        else
            handlers[number] = action.sa_handler == SIG_IGN ? IGNORE : TY_NULL;
        if (action.sa_handler == note) {
            handlers[number] = ty_get_attribute(module, TY_NAME("default_int_handler"));
            if (handlers[number] == TY_NULL)
                return false;
        }
    }
    taken_over = true;
    return true;
}

static bool execute(Value module)
{
    Value error = ty_type_from_name("signal.itimer_error", &ty_OSError, TY_NULL);
    if (error == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[0], error);
    if (!ty_struct_sequence_type(&siginfo_type, &siginfo_def) || !ty_module_add(module, "struct_siginfo", ty_from_object(&siginfo_type)) ||
        !ty_module_add(module, "ItimerError", error) || !ty_module_add(module, "SIG_DFL", DEFAULT) || !ty_module_add(module, "SIG_IGN", IGNORE) ||
        !ty_module_add_int(module, "SIGRTMIN", SIGRTMIN) || !ty_module_add_int(module, "SIGRTMAX", SIGRTMAX))
        return false;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return take_over(module);
}

const TyModuleDef ty_module_signal = {
    .name = "_signal",
    .doc = "Signals and their handlers.",
    .functions = functions,
    .execute = execute,
    .state_count = 1,
};
