/* faulthandler: tracebacks of all threads at a fatal signal, at a chosen signal, or after a time.
 *
 * Dumping calls nothing but write() and the like, allocates nothing, takes no lock it might wait for, and checks every pointer before it
 * is followed: the process may be in any state. */
#include "base/clock.h"
#include "base/futex.h"
#include "object/code.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/str.h"
#include "vm/frame.h"
#include "modules/faulthandler.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FRAMES_SHOWN 100
#define TEXT_SHOWN 500
#define C_FRAMES_SHOWN 32
#define ALTERNATE_STACK ((size_t)64 << 10)

/* --- writing without the C library's buffers ------------------------------------------------------------------------------ */

static void put(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        left -= (size_t)written;
    }
}
static void put_number(int fd, uint64_t number, unsigned base, int width)
{
    char text[40], *at = text + sizeof text - 1;
    *at = 0;
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
        width--;
    } while (number || width > 0);
    put(fd, at);
}

static bool is_readable(Value v, const TyType *type)
{
    return v && ty_is_object(v) && !(v & 7) && ty_heap_readable(ty_object(v)) && ty_object_type(ty_object(v)) == type;
}

static void put_str(int fd, Value v)
{
    if (!is_readable(v, &ty_str_type)) {
        put(fd, "???");
        return;
    }
    int64_t length = ty_str_length(v);
    for (int64_t i = 0; i < length && i < TEXT_SHOWN; i++) {
        uint32_t c = ty_str_at(v, i);
        char text[2] = {(char)c, 0};
        if (c >= 32 && c < 127) {
            put(fd, text);
        } else {
            put(fd, c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
            put_number(fd, c, 16, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
        }
    }
    if (length > TEXT_SHOWN)
        put(fd, "...");
}

/* --- tracebacks --------------------------------------------------------------------------------------------------------------- */

static bool is_frame(const TyThread *thread, const TyFrame *frame)
{
    bool aligned = !((uintptr_t)frame & 7);
    bool on_stack = (const char *)frame >= thread->stack_base && (const char *)(frame + 1) <= thread->stack_limit;
    return aligned && (on_stack || ty_heap_readable(frame)); /* a generator's frame lies in the heap */
}

static void put_frames(int fd, const TyThread *thread)
{
    const TyFrame *frame = thread->frame;
    int shown = 0;
    for (; frame && is_frame(thread, frame); frame = frame->previous) {
        const TyCode *code = frame->code;
        if (!is_readable(ty_from_object(code), &ty_code_type))
            break;
        if (shown++ == FRAMES_SHOWN) {
            put(fd, "  ...\n");
            return;
        }
        put(fd, "  File \"");
        put_str(fd, code->filename);
        put(fd, "\", line ");
        ptrdiff_t instruction = frame->pc - code->instructions;
        int line = instruction >= 0 && instruction < (ptrdiff_t)code->instruction_count ? ty_code_line(code, (uint32_t)instruction) : -1;
        if (line >= 0)
            put_number(fd, (uint64_t)line, 10, 1);
        else
            put(fd, "???");
        put(fd, " in ");
        put_str(fd, code->name);
        put(fd, "\n");
    }
    if (!shown)
        put(fd, "  <no Python frame>\n");
}

static void put_thread_name(int fd, const TyThread *thread)
{
    char path[64], name[32];
    snprintf(path, sizeof path, "/proc/self/task/%llu/comm", (unsigned long long)thread->native_id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, name, sizeof name - 1);
    if (file >= 0)
        close(file);
    if (size <= 1)
        return;
    name[size] = 0;
    name[strcspn(name, "\n")] = 0;
    put(fd, " [");
    put(fd, name);
    put(fd, "]");
}

typedef struct Dump {
    int fd;
    const TyThread *current;
    const TyInterpreter *interpreter;
    int count;
} Dump;

static void dump_thread(TyThread *thread, void *context)
{
    Dump *dump = context;
    if (thread->interpreter != dump->interpreter)
        return;
    if (dump->count++)
        put(dump->fd, "\n");
    put(dump->fd, thread == dump->current ? "Current thread 0x" : "Thread 0x");
    put_number(dump->fd, thread->ident, 16, 16);
    put_thread_name(dump->fd, thread);
    put(dump->fd, " (most recent call first):\n");
    put_frames(dump->fd, thread);
}

static void dump(int fd, bool all_threads, const TyThread *current, const TyInterpreter *interpreter)
{
    if (all_threads) {
        Dump context = {fd, current, interpreter, 0};
        if (ty_thread_try_each(dump_thread, &context))
            return;
    }
    put(fd, "Stack (most recent call first):\n");
    if (current)
        put_frames(fd, current);
    else
        put(fd, "  <no Python frame>\n");
}

static void dump_c_stack(int fd)
{
    void *addresses[C_FRAMES_SHOWN];
    int count = backtrace(addresses, C_FRAMES_SHOWN);
    put(fd, "Current thread's C stack trace (most recent call first):\n");
    for (int i = 0; i < count; i++) {
        Dl_info info;
        if (dladdr(addresses[i], &info) && info.dli_fname) {
            put(fd, "  Binary file \"");
            put(fd, info.dli_fname);
            put(fd, "\"");
            uintptr_t from = (uintptr_t)(info.dli_sname ? info.dli_saddr : info.dli_fbase);
            put(fd, ", at ");
            if (info.dli_sname)
                put(fd, info.dli_sname);
            put(fd, "+0x");
            put_number(fd, (uintptr_t)addresses[i] - from, 16, 1);
        } else {
            put(fd, "  <unknown>");
        }
        put(fd, " [0x");
        put_number(fd, (uintptr_t)addresses[i], 16, 1);
        put(fd, "]\n");
    }
    if (count == C_FRAMES_SHOWN)
        put(fd, "  <truncated rest of calls>\n");
}

/* --- files ------------------------------------------------------------------------------------------------------------------------- */

/* The descriptor of a file argument; the file object, if there is one, in *keep. -1: error. */
static int descriptor(Value file, Value *keep)
{
    *keep = TY_NULL;
    if (!file || file == TY_NONE) {
        file = ty_sys_get("stderr");
        if (!file) {
            ty_raise(&ty_RuntimeError, "unable to get sys.stderr");
            return -1;
        }
        if (file == TY_NONE) {
            ty_raise(&ty_RuntimeError, "sys.stderr is None");
            return -1;
        }
    }
    int32_t fd;
    if (ty_in_family(file, TY_TYPE_INT)) {
        if (!ty_to_int32(file, &fd))
            return -1;
        if (fd < 0)
            ty_raise(&ty_ValueError, "file is not a valid file descriptor");
        return fd < 0 ? -1 : fd;
    }
    Value number = ty_call_method_none(file, TY_NAME("fileno"));
    if (!number)
        return -1;
    if (!ty_in_family(number, TY_TYPE_INT) || !ty_to_int32(number, &fd) || fd < 0) {
        ty_raise(&ty_RuntimeError, "file.fileno() is not a valid file descriptor");
        return -1;
    }
    if (!ty_call_method_none(file, TY_NAME("flush")))
        ty_clear_exception();
    *keep = file;
    return fd;
}

static bool flag(Value v, bool otherwise, bool *out)
{
    int truth = v ? ty_is_true(v) : otherwise;
    *out = truth > 0;
    return truth >= 0;
}

/* --- fatal signals --------------------------------------------------------------------------------------------------------------------- */

typedef struct Fatal {
    int number;
    const char *text;
    struct sigaction before;
    bool installed;
} Fatal;

static Fatal fatals[] = {
    {.number = SIGBUS, .text = "Bus error"},
    {.number = SIGILL, .text = "Illegal instruction"},
    {.number = SIGFPE, .text = "Floating-point exception"},
    {.number = SIGABRT, .text = "Aborted"},
    {.number = SIGSEGV, .text = "Segmentation fault"},
};
/* Process-wide, as signal handlers are; changed under `lock`. */
static TyMutex lock;
static struct {
    _Atomic bool enabled;
    _Atomic int fd;
    _Atomic bool all_threads, c_stack;
    _Atomic(TyInterpreter *) interpreter;
    Value file;
} fatal;
static char *alternate_stack;

static void on_fatal(int number)
{
    int saved = errno, fd = ty_load_relaxed(&fatal.fd);
    size_t i = 0;
    while (i < TY_COUNT_OF(fatals) && fatals[i].number != number)
        i++;
    if (i < TY_COUNT_OF(fatals) && fatals[i].installed) {
        fatals[i].installed = false;
        sigaction(number, &fatals[i].before, NULL); /* a second one, or the one raised below, is not ours any more */
        put(fd, "Fatal Python error: ");
        put(fd, fatals[i].text);
        put(fd, "\n\n");
        TyThread *current = ty_thread;
        dump(fd, ty_load_relaxed(&fatal.all_threads), current, current ? current->interpreter : ty_load_relaxed(&fatal.interpreter));
        if (ty_load_relaxed(&fatal.c_stack)) {
            put(fd, "\n");
            dump_c_stack(fd);
        }
    }
    errno = saved;
    raise(number);
}

static void disable(void)
{
    ty_store_relaxed(&fatal.enabled, false);
    for (size_t i = 0; i < TY_COUNT_OF(fatals); i++)
        if (fatals[i].installed) {
            fatals[i].installed = false;
            sigaction(fatals[i].number, &fatals[i].before, NULL);
        }
}

static bool enable(int fd, Value file, bool all_threads, bool c_stack)
{
    static bool rooted;
    void *warm_up[1];
    backtrace(warm_up, 1); /* loads what backtrace() needs, while that is possible */
    ty_mutex_lock(&lock);
    if (!rooted) {
        ty_root_add(&fatal.file, 1);
        rooted = true;
    }
    if (!alternate_stack && (alternate_stack = malloc(ALTERNATE_STACK))) {
        stack_t stack = {.ss_sp = alternate_stack, .ss_size = ALTERNATE_STACK};
        sigaltstack(&stack, NULL); /* an overflow of the stack can't be reported on that stack */
    }
    __atomic_store_n(&fatal.file, file, __ATOMIC_RELEASE);
    ty_store_relaxed(&fatal.fd, fd);
    ty_store_relaxed(&fatal.all_threads, all_threads);
    ty_store_relaxed(&fatal.c_stack, c_stack);
    ty_store_relaxed(&fatal.interpreter, ty_interpreter());
    bool done = true;
    if (!ty_load_relaxed(&fatal.enabled)) {
        ty_store_relaxed(&fatal.enabled, true);
        for (size_t i = 0; i < TY_COUNT_OF(fatals); i++) {
            struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER | SA_ONSTACK};
            sigemptyset(&action.sa_mask);
            fatals[i].installed = sigaction(fatals[i].number, &action, &fatals[i].before) == 0;
            done = done && fatals[i].installed;
        }
    }
    ty_mutex_unlock(&lock);
    return done;
}

static Value fh_enable(Value module, Value *a)
{
    bool all_threads, c_stack;
    Value file;
    if (!flag(a[1], true, &all_threads) || !flag(a[2], true, &c_stack))
        return TY_NULL;
    int fd = descriptor(a[0], &file);
    if (fd < 0)
        return TY_NULL;
    return enable(fd, file, all_threads, c_stack) ? TY_NONE : ty_raise_errno(&ty_RuntimeError, errno, TY_NULL, TY_NULL);
}
bool ty_faulthandler_enable(void)
{
    return enable(STDERR_FILENO, TY_NULL, true, true);
}

static Value fh_disable(Value module, Value *a)
{
    ty_mutex_lock(&lock);
    bool was = ty_load_relaxed(&fatal.enabled);
    disable();
    ty_mutex_unlock(&lock);
    return ty_from_bool(was);
}
static Value fh_is_enabled(Value module, Value *a) { return ty_from_bool(ty_load_relaxed(&fatal.enabled)); }

static Value fh_dump_traceback(Value module, Value *a)
{
    bool all_threads;
    Value file;
    if (!flag(a[1], true, &all_threads))
        return TY_NULL;
    int fd = descriptor(a[0], &file);
    if (fd < 0)
        return TY_NULL;
    dump(fd, all_threads, ty_thread, ty_interpreter());
    return TY_NONE;
}
static Value fh_dump_c_stack(Value module, Value *a)
{
    Value file;
    int fd = descriptor(a[0], &file);
    if (fd < 0)
        return TY_NULL;
    dump_c_stack(fd);
    return TY_NONE;
}

/* --- chosen signals ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Chosen {
    _Atomic bool enabled;
    _Atomic int fd;
    _Atomic bool all_threads, chain;
    _Atomic(TyInterpreter *) interpreter;
    Value file;
    struct sigaction before;
} Chosen;
static Chosen chosen[NSIG];

static void on_chosen(int number)
{
    int saved = errno;
    Chosen *entry = &chosen[number];
    if (ty_load_relaxed(&entry->enabled)) {
        TyThread *current = ty_thread;
        dump(ty_load_relaxed(&entry->fd), ty_load_relaxed(&entry->all_threads), current,
             current ? current->interpreter : ty_load_relaxed(&entry->interpreter));
        if (ty_load_relaxed(&entry->chain)) {
            struct sigaction mine;
            sigaction(number, &entry->before, &mine);
            errno = saved;
            raise(number); /* SA_NODEFER: the earlier handler runs now */
            saved = errno;
            sigaction(number, &mine, NULL);
        }
    }
    errno = saved;
}

static bool check_signal(int number)
{
    for (size_t i = 0; i < TY_COUNT_OF(fatals); i++)
        if (fatals[i].number == number)
            return ty_raise(&ty_RuntimeError, "signal %i cannot be registered, use enable() instead", number), false;
    if (number < 1 || number >= NSIG)
        return ty_raise(&ty_ValueError, "signal number out of range"), false;
    return true;
}

static Value fh_register(Value module, Value *a)
{
    int32_t number;
    bool all_threads, chain;
    Value file;
    if (!ty_to_int32(a[0], &number) || !check_signal(number) || !flag(a[2], true, &all_threads) || !flag(a[3], false, &chain))
        return TY_NULL;
    int fd = descriptor(a[1], &file);
    if (fd < 0)
        return TY_NULL;
    static bool rooted[NSIG];
    Chosen *entry = &chosen[number];
    ty_mutex_lock(&lock);
    if (!rooted[number]) {
        ty_root_add(&entry->file, 1);
        rooted[number] = true;
    }
    bool done = true;
    __atomic_store_n(&entry->file, file, __ATOMIC_RELEASE);
    ty_store_relaxed(&entry->fd, fd);
    ty_store_relaxed(&entry->all_threads, all_threads);
    ty_store_relaxed(&entry->chain, chain);
    ty_store_relaxed(&entry->interpreter, ty_interpreter());
    if (!ty_load_relaxed(&entry->enabled)) {
        struct sigaction action = {.sa_handler = on_chosen, .sa_flags = SA_RESTART | SA_ONSTACK | (chain ? SA_NODEFER : 0)};
        sigemptyset(&action.sa_mask);
        done = sigaction(number, &action, &entry->before) == 0;
        ty_store_relaxed(&entry->enabled, done);
    }
    ty_mutex_unlock(&lock);
    return done ? TY_NONE : ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
}

static Value fh_unregister(Value module, Value *a)
{
    int32_t number;
    if (!ty_to_int32(a[0], &number) || !check_signal(number))
        return TY_NULL;
    Chosen *entry = &chosen[number];
    ty_mutex_lock(&lock);
    bool was = ty_load_relaxed(&entry->enabled);
    if (was) {
        ty_store_relaxed(&entry->enabled, false);
        sigaction(number, &entry->before, NULL);
        __atomic_store_n(&entry->file, TY_NULL, __ATOMIC_RELEASE);
    }
    ty_mutex_unlock(&lock);
    return ty_from_bool(was);
}

/* --- after a time -------------------------------------------------------------------------------------------------------------------------- */

typedef struct Watch {
    int64_t timeout_ns;
    bool repeat, exit;
    int fd;
    TyInterpreter *interpreter;
    _Atomic uint32_t cancelled; /* a futex */
    char header[48];
} Watch;
static Watch watch;
static pthread_t watcher;
static bool watching;
static Value watch_file;

static void *keep_watch(void *argument)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    do {
        int64_t end = ty_clock_monotonic_ns() + watch.timeout_ns, left;
        while (!ty_load_acquire(&watch.cancelled) && (left = end - ty_clock_monotonic_ns()) > 0)
            ty_futex_wait(&watch.cancelled, 0, left);
        if (ty_load_acquire(&watch.cancelled))
            break;
        put(watch.fd, watch.header);
        dump(watch.fd, true, NULL, watch.interpreter);
        if (watch.exit)
            _exit(1);
    } while (watch.repeat);
    return NULL;
}

static void stop_watch(void)
{
    if (!watching)
        return;
    ty_store_release(&watch.cancelled, 1);
    ty_futex_wake(&watch.cancelled, 1);
    ty_blocking_begin();
    pthread_join(watcher, NULL);
    ty_blocking_end();
    watching = false;
    __atomic_store_n(&watch_file, TY_NULL, __ATOMIC_RELEASE);
}

static Value fh_dump_later(Value module, Value *a)
{
    static bool rooted;
    double seconds;
    bool repeat, leave;
    Value file;
    if (!ty_is_double(a[0]) && !ty_in_family(a[0], TY_TYPE_FLOAT | TY_TYPE_INT) && !ty_has_index(a[0]))
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer or float", a[0]);
    if (!ty_to_double(a[0], &seconds) || !flag(a[1], false, &repeat) || !flag(a[3], false, &leave))
        return TY_NULL;
    if (!(seconds > 0))
        return ty_raise(&ty_ValueError, "timeout must be greater than 0");
    if (seconds > 9e9)
        return ty_raise(&ty_OverflowError, "timeout value is too large");
    int fd = descriptor(a[2], &file);
    if (fd < 0)
        return TY_NULL;
    if (!rooted) {
        ty_root_add(&watch_file, 1);
        rooted = true;
    }
    stop_watch();
    int64_t microseconds = (int64_t)floor(seconds * 1e6), whole = microseconds / 1000000;
    watch = (Watch){.timeout_ns = (int64_t)ceil(seconds * 1e9), .repeat = repeat, .exit = leave, .fd = fd, .interpreter = ty_interpreter()};
    int written = snprintf(watch.header, sizeof watch.header, "Timeout (%lld:%02d:%02d", (long long)(whole / 3600), (int)(whole / 60 % 60), (int)(whole % 60));
    if (microseconds % 1000000)
        written += snprintf(watch.header + written, sizeof watch.header - (size_t)written, ".%06d", (int)(microseconds % 1000000));
    snprintf(watch.header + written, sizeof watch.header - (size_t)written, ")!\n");
    __atomic_store_n(&watch_file, file, __ATOMIC_RELEASE);
    if (pthread_create(&watcher, NULL, keep_watch, NULL) != 0)
        return ty_raise(&ty_RuntimeError, "unable to start watchdog thread");
    watching = true;
    return TY_NONE;
}
static Value fh_cancel_later(Value module, Value *a)
{
    stop_watch();
    return TY_NONE;
}

/* --- crashes on purpose, for tests ------------------------------------------------------------------------------------------------------------ */

static void no_core(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}
static Value fh_sigsegv(Value module, Value *a)
{
    no_core();
    raise(SIGSEGV);
    return TY_NONE;
}
static Value fh_sigabrt(Value module, Value *a)
{
    no_core();
    abort();
}
static Value fh_sigfpe(Value module, Value *a)
{
    no_core();
    raise(SIGFPE);
    return TY_NONE;
}
__attribute__((no_sanitize("undefined"))) static Value fh_read_null(Value module, Value *a)
{
    no_core();
    return ty_int_from_int64(*(volatile int *)NULL);
}
static TY_NOINLINE int overflow(volatile char *above, unsigned depth)
{
    volatile char room[4096];
    room[0] = (char)(above[0] + 1);
    return depth == UINT_MAX ? 0 : overflow(room, depth + 1) + room[0];
}
static Value fh_stack_overflow(Value module, Value *a)
{
    volatile char start[1] = {0};
    no_core();
    return ty_int_from_int64(overflow(start, 0));
}
static void *die(void *argument)
{
    put(STDERR_FILENO, "Fatal Python error: faulthandler_fatal_error_thread: in new thread\n\n");
    dump(STDERR_FILENO, true, NULL, argument);
    abort();
}
static Value fh_fatal_thread(Value module, Value *a)
{
    pthread_t thread;
    no_core();
    if (pthread_create(&thread, NULL, die, ty_interpreter()) != 0)
        return ty_raise(&ty_RuntimeError, "unable to start the thread");
    pthread_join(thread, NULL);
    return TY_NONE;
}

static const TyNativeDef fh_functions[] = {
    TY_FUNCTION("enable(file=sys.stderr, all_threads=True, c_stack=True)", fh_enable, "Has tracebacks dumped when a fatal signal comes."),
    TY_FUNCTION("disable()", fh_disable, "Undoes enable(); tells whether it was on."),
    TY_FUNCTION("is_enabled()", fh_is_enabled, "Whether enable() is in force."),
    TY_FUNCTION("dump_traceback(file=sys.stderr, all_threads=True)", fh_dump_traceback, "Dumps the traceback of this thread, or of all."),
    TY_FUNCTION("dump_c_stack(file=sys.stderr)", fh_dump_c_stack, "Dumps the C stack of this thread."),
    TY_FUNCTION("dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False)", fh_dump_later,
                "Dumps the tracebacks of all threads after so many seconds, once or again and again; then exits if told to."),
    TY_FUNCTION("cancel_dump_traceback_later()", fh_cancel_later, "Undoes dump_traceback_later()."),
    TY_FUNCTION("register(signum, file=sys.stderr, all_threads=True, chain=False)", fh_register,
                "Has tracebacks dumped whenever the signal comes; chain: then calls the handler that there was before."),
    TY_FUNCTION("unregister(signum, /)", fh_unregister, "Undoes register(); tells whether the signal was registered."),
    TY_FUNCTION("_read_null()", fh_read_null, NULL),
    TY_FUNCTION("_sigsegv(release_gil=False, /)", fh_sigsegv, NULL),
    TY_FUNCTION("_sigabrt()", fh_sigabrt, NULL),
    TY_FUNCTION("_sigfpe()", fh_sigfpe, NULL),
    TY_FUNCTION("_stack_overflow()", fh_stack_overflow, NULL),
    TY_FUNCTION("_fatal_error_c_thread()", fh_fatal_thread, NULL),
    {0}};

const TyModuleDef ty_module_faulthandler = {
    .name = "faulthandler",
    .doc = "Tracebacks of a process in trouble.",
    .functions = fh_functions,
};
