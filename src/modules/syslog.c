/* syslog: messages to the system's log.
 *
 * The C library keeps the address of the name that messages are marked with: it lies in memory of its own that is never freed while the log is open. */
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "base/futex.h"
#include <stdlib.h>
#include <syslog.h>

static TyMutex mutex; /* over these two */
static char *name;    /* NULL: the C library's own */
static bool is_open;

/* The last part of sys.argv[0], or TY_NULL. */
static Value program_name(void)
{
    Value sys = ty_module_current("sys"), argv = sys == TY_NULL ? TY_NULL : ty_dict_get_text(ty_module_dict(sys), "argv");
    ty_clear_exception();
    if (argv == TY_NULL || !ty_is_list(argv) || ty_list_length(argv) == 0)
        return TY_NULL;
    Value first = ty_list_item(argv, 0);
    if (first == TY_NULL || !ty_is_str(first) || ty_str_length(first) == 0)
        return TY_NULL;
    int64_t slash = ty_str_find_char(first, '/', 0, ty_str_length(first), -1);
    return ty_str_slice(first, slash + 1, ty_str_length(first));
}

static Value open_log(Value ident, int32_t options, int32_t facility)
{
    Value holder;
    size_t size;
    const char *text = NULL;
    if (ident == TY_NULL || ident == TY_NONE)
        ident = program_name();
    if (ident != TY_NULL && !(text = ty_str_utf8(ident, &size, &holder)))
        return TY_NULL;
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return ty_raise_memory_error();
    ty_blocking_begin();
    ty_mutex_lock(&mutex);
    openlog(copy, options, facility);
    free(name);
    name = copy;
    is_open = true;
    ty_mutex_unlock(&mutex);
    ty_blocking_end();
    return TY_NONE;
}

static Value syslog_openlog(Value module, Value *a)
{
    int32_t options = 0, facility = LOG_USER;
    if (a[0] != TY_NULL && a[0] != TY_NONE && !ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "openlog() argument 1 must be str, not %T", a[0]);
    if ((a[1] != TY_NULL && !ty_to_int32(a[1], &options)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &facility)))
        return TY_NULL;
    return open_log(a[0], options, facility);
}

static Value syslog_closelog(Value module, Value *a)
{
    ty_blocking_begin();
    ty_mutex_lock(&mutex);
    if (is_open) {
        closelog();
        free(name);
        name = NULL;
        is_open = false;
    }
    ty_mutex_unlock(&mutex);
    ty_blocking_end();
    return TY_NONE;
}

/* syslog(message) or syslog(priority, message). */
static Value syslog_syslog(Value module, const Value *arguments, size_t count, Value keywords)
{
    int32_t priority = LOG_INFO;
    if (!ty_no_keywords("syslog", keywords))
        return TY_NULL;
    if (count < 1 || count > 2)
        return ty_raise(&ty_TypeError, "syslog.syslog requires 1 to 2 arguments");
    if (count == 2 && !ty_to_int32(arguments[0], &priority))
        return TY_NULL;
    Value message = arguments[count - 1], holder;
    if (!ty_is_str(message))
        return ty_raise(&ty_TypeError, "syslog() argument %zu must be str, not %T", count, message);
    size_t size;
    const char *text = ty_str_utf8(message, &size, &holder);
    if (!text)
        return TY_NULL;
    if (strlen(text) != size)
        return ty_raise(&ty_ValueError, "embedded null character");
    ty_mutex_lock_blocking(&mutex);
    bool open = is_open;
    ty_mutex_unlock(&mutex);
    if (!open && open_log(TY_NULL, 0, LOG_USER) == TY_NULL)
        return TY_NULL;
    ty_blocking_begin();
    syslog(priority, "%s", text);
    ty_blocking_end();
    __asm__ volatile("" : : "r"(message), "r"(holder));
    return TY_NONE;
}

static Value syslog_setlogmask(Value module, Value *a)
{
    int32_t mask;
    return ty_to_int32(a[0], &mask) ? ty_from_immediate_int(setlogmask(mask)) : TY_NULL;
}

static Value syslog_LOG_MASK(Value module, Value *a)
{
    int64_t priority;
    return ty_to_int64(a[0], &priority) ? ty_int_from_int64(LOG_MASK(priority & 31)) : TY_NULL;
}

static Value syslog_LOG_UPTO(Value module, Value *a)
{
    int64_t priority;
    return ty_to_int64(a[0], &priority) ? ty_int_from_int64(LOG_UPTO(priority & 31)) : TY_NULL;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("openlog(ident=<unrepresentable>, logoption=0, facility=LOG_USER)", syslog_openlog, "Sets what messages are marked with and where they go."),
    TY_FUNCTION("closelog()", syslog_closelog, "Forgets what openlog() set."),
    TY_RAW_FUNCTION("syslog([priority=LOG_INFO,] message)", syslog_syslog, "Sends a message to the system's log."),
    TY_FUNCTION("setlogmask(maskpri, /)", syslog_setlogmask, "Sets which priorities are logged and returns which were."),
    TY_FUNCTION("LOG_MASK(pri, /)", syslog_LOG_MASK, "The mask of one priority."),
    TY_FUNCTION("LOG_UPTO(pri, /)", syslog_LOG_UPTO, "The mask of all priorities up to one."),
    {0},
};

static const struct { const char *name; int value; } constants[] = {
#define C(name) {#name, name}
    C(LOG_EMERG), C(LOG_ALERT), C(LOG_CRIT), C(LOG_ERR), C(LOG_WARNING), C(LOG_NOTICE), C(LOG_INFO), C(LOG_DEBUG), C(LOG_PID), C(LOG_CONS), C(LOG_NDELAY), C(LOG_ODELAY),
    C(LOG_NOWAIT), C(LOG_PERROR), C(LOG_KERN), C(LOG_USER), C(LOG_MAIL), C(LOG_DAEMON), C(LOG_AUTH), C(LOG_LPR), C(LOG_LOCAL0), C(LOG_LOCAL1), C(LOG_LOCAL2), C(LOG_LOCAL3),
    C(LOG_LOCAL4), C(LOG_LOCAL5), C(LOG_LOCAL6), C(LOG_LOCAL7), C(LOG_SYSLOG), C(LOG_CRON), C(LOG_UUCP), C(LOG_NEWS), C(LOG_AUTHPRIV), C(LOG_FTP),
#undef C
};

static bool execute(Value module)
{
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

const TyModuleDef ty_module_syslog = {
    .name = "syslog",
    .doc = "Messages to the system's log.",
    .functions = functions,
    .execute = execute,
};
