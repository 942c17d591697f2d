/* The module time. */
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/namespace.h"
#include "object/str.h"
#include "object/tuple.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static Value nanoseconds(int64_t s, int64_t ns)
{
    int64_t total;
    if (!__builtin_mul_overflow(s, (int64_t)1000000000, &total) && !__builtin_add_overflow(total, ns, &total))
        return ty_int_from_int64(total);
    return ty_int_add(ty_int_multiply(ty_int_from_int64(s), ty_from_immediate_int(1000000000)), ty_int_from_int64(ns));
}

static Value clock_seconds(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) < 0)
        return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return ty_from_double((double)t.tv_sec + (double)t.tv_nsec * 1e-9);
}
static Value clock_nanoseconds(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) < 0)
        return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return nanoseconds(t.tv_sec, t.tv_nsec);
}

#define CLOCK(name, id) \
    static Value time_##name(Value self, Value *a) { return clock_seconds(id); } \
    static Value time_##name##_ns(Value self, Value *a) { return clock_nanoseconds(id); }
CLOCK(time, CLOCK_REALTIME)
CLOCK(monotonic, CLOCK_MONOTONIC)
CLOCK(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK(thread_time, CLOCK_THREAD_CPUTIME_ID)

static bool clock_id(Value v, clockid_t *id)
{
    int32_t n;
    if (!ty_to_int32(v, &n))
        return false;
    *id = n;
    return true;
}
static Value time_clock_gettime(Value self, Value *a) { clockid_t id; return clock_id(a[0], &id) ? clock_seconds(id) : TY_NULL; }
static Value time_clock_gettime_ns(Value self, Value *a) { clockid_t id; return clock_id(a[0], &id) ? clock_nanoseconds(id) : TY_NULL; }
static Value time_clock_getres(Value self, Value *a)
{
    clockid_t id;
    struct timespec t;
    if (!clock_id(a[0], &id))
        return TY_NULL;
    return clock_getres(id, &t) < 0 ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : ty_from_double((double)t.tv_sec + (double)t.tv_nsec * 1e-9);
}
static Value time_clock_settime(Value self, Value *a)
{
    clockid_t id;
    double s;
    if (!clock_id(a[0], &id) || !ty_to_double(a[1], &s))
        return TY_NULL;
    struct timespec t = { .tv_sec = (time_t)floor(s), .tv_nsec = (long)((s - floor(s)) * 1e9) };
    return clock_settime(id, &t) < 0 ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : TY_NONE;
}

/* Waits until the deadline, through interruptions by signals whose handlers raise nothing. */
static Value time_sleep(Value self, Value *a)
{
    double seconds;
    if (ty_is_int(a[0])) {
        int64_t whole;
        if (ty_int_get_int64(a[0], &whole) != 0)
            return ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t");
        seconds = (double)whole;
    } else if (!ty_type_of(a[0])->slots.to_float && !ty_has_index(a[0])) {
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer or float", a[0]);
    } else if (!ty_to_double(a[0], &seconds)) {
        return TY_NULL;
    }
    if (isnan(seconds))
        return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
    if (seconds < 0)
        return ty_raise(&ty_ValueError, "sleep length must be non-negative");
    if (seconds > 9.2e9)
        return ty_raise(&ty_OverflowError, "timestamp too large to convert to C PyTime_t");
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double whole = floor(seconds);
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)ceil((seconds - whole) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    int r;
    do {
        ty_blocking_begin();
        r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        ty_blocking_end();
        if (!ty_poll_run())
            return TY_NULL;
    } while (r == EINTR);
    return TY_NONE;
}

/* --- broken-down time ----------------------------------------------------------------------------------------------------- */

static TyType struct_time_type;
static const TyStructField fields[] = {
    { "tm_year", "year, for example, 1993" }, { "tm_mon", "month of year, range [1, 12]" }, { "tm_mday", "day of month, range [1, 31]" }, { "tm_hour", "hours, range [0, 23]" }, { "tm_min", "minutes, range [0, 59]" },
    { "tm_sec", "seconds, range [0, 61])" }, { "tm_wday", "day of week, range [0, 6], Monday is 0" }, { "tm_yday", "day of year, range [1, 366]" },
    { "tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown" }, { "tm_zone", "abbreviation of timezone name" }, { "tm_gmtoff", "offset from UTC in seconds" }, {0}
};
static const TyStructDef struct_time_def = { "time.struct_time", "The time value as returned by gmtime(), localtime(), and strptime(), and\n accepted by asctime(), mktime() and strftime().  May be considered as a\n sequence of 9 integers.", fields, 9 };

static Value from_tm(const struct tm *t)
{
    Value v[] = { ty_int_from_int64((int64_t)t->tm_year + 1900), ty_int_from_int64(t->tm_mon + 1), ty_int_from_int64(t->tm_mday), ty_int_from_int64(t->tm_hour), ty_int_from_int64(t->tm_min), ty_int_from_int64(t->tm_sec),
        ty_int_from_int64((t->tm_wday + 6) % 7), ty_int_from_int64(t->tm_yday + 1), ty_int_from_int64(t->tm_isdst), t->tm_zone ? ty_str_decode_fs(t->tm_zone, strlen(t->tm_zone)) : TY_NONE, ty_int_from_int64(t->tm_gmtoff) };
    return ty_struct_sequence_new(&struct_time_type, v);
}

static bool time_argument(Value v, time_t *out)
{
    if (v == TY_NULL || v == TY_NONE) {
        *out = time(NULL);
        return true;
    }
    int64_t s;
    if (ty_is_int(v)) {
        if (ty_int_get_int64(v, &s) != 0)
            return ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t"), false;
        *out = s;
        return true;
    }
    double d;
    if (!ty_is_float(v)) {
        if (!ty_has_index(v))
            return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer", v), false;
        return ty_to_int64(v, &s) ? (*out = s, true) : false;
    }
    d = ty_float_value(v);
    if (isnan(d))
        return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)"), false;
    d = floor(d);
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
        return ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t"), false;
    *out = (time_t)d;
    return true;
}

static Value time_gmtime(Value self, Value *a)
{
    time_t t;
    struct tm tm;
    if (!time_argument(a[0], &t))
        return TY_NULL;
    errno = 0;
    return gmtime_r(&t, &tm) ? from_tm(&tm) : ty_raise_errno(&ty_OSError, errno ? errno : EINVAL, TY_NULL, TY_NULL);
}
static Value time_localtime(Value self, Value *a)
{
    time_t t;
    struct tm tm;
    if (!time_argument(a[0], &t))
        return TY_NULL;
    errno = 0;
    return localtime_r(&t, &tm) ? from_tm(&tm) : ty_raise_errno(&ty_OSError, errno ? errno : EINVAL, TY_NULL, TY_NULL);
}

static bool to_tm(Value v, struct tm *t, const char *function)
{
    if (!ty_is_tuple(v))
        return ty_raise(&ty_TypeError, "Tuple or struct_time argument required"), false;
    if (ty_tuple_length(v) != 9 && !ty_is_instance_of(v, &struct_time_type))
        return ty_raise(&ty_TypeError, "%s(): illegal time tuple argument", function), false;
    int64_t n[9];
    for (int i = 0; i < 9; i++) {
        if (!ty_to_int64(ty_tuple_item(v, i), &n[i]))
            return false;
        if (n[i] > INT32_MAX || n[i] < INT32_MIN)
            return ty_raise(&ty_OverflowError, i == 0 ? "year out of range" : "signed integer is %s", n[i] > 0 ? "greater than maximum" : "less than minimum"), false;
    }
    if (n[0] < INT32_MIN + 1900)
        return ty_raise(&ty_OverflowError, "year out of range"), false;
    *t = (struct tm){ .tm_year = (int)(n[0] - 1900), .tm_mon = (int)n[1] - 1, .tm_mday = (int)n[2], .tm_hour = (int)n[3], .tm_min = (int)n[4], .tm_sec = (int)n[5], .tm_wday = (int)((n[6] + 1) % 7), .tm_yday = (int)n[7] - 1, .tm_isdst = (int)n[8] };
    if (ty_is_instance_of(v, &struct_time_type)) {
        int64_t offset;
        Value gmtoff = ty_get_attribute(v, TY_NAME("tm_gmtoff")), zone = ty_get_attribute(v, TY_NAME("tm_zone"));
        if (gmtoff != TY_NULL && ty_is_int(gmtoff) && ty_to_int64(gmtoff, &offset))
            t->tm_gmtoff = offset;
        size_t size;
        if (zone != TY_NULL && ty_is_str(zone))
            t->tm_zone = ty_to_utf8(zone, &size);
        ty_clear_exception();
    }
    return true;
}

/* Brings zeros that time tuples may have into range, and refuses what strftime and asctime could not show. */
static bool check_tm(struct tm *t)
{
    if (t->tm_mon == -1)
        t->tm_mon = 0;
    else if (t->tm_mon < 0 || t->tm_mon > 11)
        return ty_raise(&ty_ValueError, "month out of range"), false;
    if (t->tm_mday == 0)
        t->tm_mday = 1;
    else if (t->tm_mday < 0 || t->tm_mday > 31)
        return ty_raise(&ty_ValueError, "day of month out of range"), false;
    if (t->tm_hour < 0 || t->tm_hour > 23)
        return ty_raise(&ty_ValueError, "hour out of range"), false;
    if (t->tm_min < 0 || t->tm_min > 59)
        return ty_raise(&ty_ValueError, "minute out of range"), false;
    if (t->tm_sec < 0 || t->tm_sec > 61)
        return ty_raise(&ty_ValueError, "seconds out of range"), false;
    if (t->tm_wday < 0)
        return ty_raise(&ty_ValueError, "day of week out of range"), false;
    if (t->tm_yday == -1)
        t->tm_yday = 0;
    else if (t->tm_yday < 0 || t->tm_yday > 365)
        return ty_raise(&ty_ValueError, "day of year out of range"), false;
    return true;
}

static bool tm_or_now(Value v, struct tm *t, const char *function)
{
    if (v != TY_NULL)
        return to_tm(v, t, function) && check_tm(t);
    time_t now = time(NULL);
    localtime_r(&now, t);
    return true;
}

static Value as_text(const struct tm *t)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    char text[80];
    snprintf(text, sizeof text, "%s %s%3d %.2d:%.2d:%.2d %lld", days[t->tm_wday], months[t->tm_mon], t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec, 1900LL + t->tm_year);
    return ty_str_from_text(text);
}

static Value time_asctime(Value self, Value *a)
{
    struct tm t;
    return tm_or_now(a[0], &t, "asctime") ? as_text(&t) : TY_NULL;
}
static Value time_ctime(Value self, Value *a)
{
    time_t when;
    struct tm t;
    if (!time_argument(a[0], &when))
        return TY_NULL;
    errno = 0;
    return localtime_r(&when, &t) ? as_text(&t) : ty_raise_errno(&ty_OSError, errno ? errno : EINVAL, TY_NULL, TY_NULL);
}
static Value time_mktime(Value self, Value *a)
{
    struct tm t;
    if (!to_tm(a[0], &t, "mktime"))
        return TY_NULL;
    t.tm_wday = -1;
    time_t when = mktime(&t);
    if (when == (time_t)-1 && t.tm_wday == -1)
        return ty_raise(&ty_OverflowError, "mktime argument out of range");
    return ty_from_double((double)when);
}

static Value time_strftime(Value self, Value *a)
{
    struct tm t;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "strftime() argument 1 must be str, not %T", a[0]);
    if (!tm_or_now(a[1], &t, "strftime"))
        return TY_NULL;
    if (t.tm_isdst < -1)
        t.tm_isdst = -1;
    else if (t.tm_isdst > 1)
        t.tm_isdst = 1;
    Value bytes = ty_str_encode_utf8(a[0], "surrogateescape");
    if (bytes == TY_NULL) {
        ty_clear_exception();
        bytes = ty_str_encode_utf8(a[0], "surrogatepass");
    }
    if (bytes == TY_NULL)
        return TY_NULL;
    const char *format = (const char *)ty_bytes_data(bytes);
    TyStrBuilder b = {0};
    size_t length = strlen(format), total = (size_t)ty_bytes_length(bytes);
    for (size_t at = 0;; at += length + 1, length = strlen(format + at)) { /* NUL characters stay as they are */
        size_t room = length * 64 + 256;
        char *out = malloc(room), *marked = malloc(length + 2);
        if (!out || !marked) {
            free(out);
            free(marked);
            return ty_raise_memory_error();
        }
        marked[0] = '!'; /* an empty result is then told from a full buffer */
        memcpy(marked + 1, format + at, length + 1);
        size_t n = strftime(out, room, marked, &t);
        Value piece = n ? ty_str_decode_fs(out + 1, n - 1) : ty_str_empty();
        free(out);
        free(marked);
        if (piece == TY_NULL)
            return TY_NULL;
        ty_builder_add(&b, piece);
        if (at + length >= total)
            break;
        ty_builder_add_char(&b, 0);
    }
    return ty_builder_finish(&b);
}

static Value time_strptime(Value self, const Value *arguments, size_t count, Value keywords)
{
    extern Value ty_import_module(const char *name);
    Value module = ty_import_module("_strptime"), function = module == TY_NULL ? TY_NULL : ty_get_attribute(module, TY_NAME("_strptime_time"));
    return function == TY_NULL ? TY_NULL : ty_call(function, arguments, count, keywords);
}

/* Of the whole process: one thread at a time, as each interpreter does so when it makes its module. */
static void read_zone(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    tzset();
    pthread_mutex_unlock(&lock);
}

static bool put_zone(Value module)
{
    struct tm winter, summer;
    time_t now = time(NULL), year = (now / 31557600) * 31557600;
    localtime_r(&year, &winter);
    time_t half = year + 15778800;
    localtime_r(&half, &summer);
    long winter_offset = -winter.tm_gmtoff, summer_offset = -summer.tm_gmtoff;
    const char *winter_name = winter.tm_zone ? winter.tm_zone : "UTC", *summer_name = summer.tm_zone ? summer.tm_zone : "UTC";
    bool south = winter_offset < summer_offset;
    long standard = south ? summer_offset : winter_offset, alternative = south ? winter_offset : summer_offset;
    return ty_module_add_int(module, "timezone", standard) && ty_module_add_int(module, "altzone", alternative) && ty_module_add_int(module, "daylight", winter_offset != summer_offset)
        && ty_module_add(module, "tzname", ty_tuple_pack(2, ty_str_from_text(south ? summer_name : winter_name), ty_str_from_text(south ? winter_name : summer_name)));
}

static Value time_tzset(Value self, Value *a)
{
    read_zone();
    return put_zone(self) ? TY_NONE : TY_NULL;
}

static Value time_get_clock_info(Value self, Value *a)
{
    static const struct { const char *name, *implementation; clockid_t id; bool monotonic, adjustable; } clocks[] = {
        { "time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, false, true }, { "monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false },
        { "perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false }, { "process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, true, false },
        { "thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, true, false }
    };
    if (!ty_require_str(a[0], "get_clock_info", "argument"))
        return TY_NULL;
    for (size_t i = 0; i < TY_COUNT_OF(clocks); i++) {
        struct timespec t;
        if (!ty_str_equal_text(a[0], clocks[i].name))
            continue;
        clock_getres(clocks[i].id, &t);
        Value dict = ty_dict_new();
        if (dict == TY_NULL || !ty_dict_set_text(dict, "implementation", ty_str_from_text(clocks[i].implementation)) || !ty_dict_set_text(dict, "monotonic", ty_from_bool(clocks[i].monotonic))
            || !ty_dict_set_text(dict, "adjustable", ty_from_bool(clocks[i].adjustable)) || !ty_dict_set_text(dict, "resolution", ty_from_double((double)t.tv_sec + (double)t.tv_nsec * 1e-9)))
            return TY_NULL;
        return ty_namespace_new(dict);
    }
    return ty_raise(&ty_ValueError, "unknown clock");
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("time()", time_time, "time() -> floating-point number\n\nReturn the current time in seconds since the Epoch."), TY_FUNCTION("time_ns()", time_time_ns, NULL),
    TY_FUNCTION("monotonic()", time_monotonic, NULL), TY_FUNCTION("monotonic_ns()", time_monotonic_ns, NULL), TY_FUNCTION("perf_counter()", time_monotonic, NULL), TY_FUNCTION("perf_counter_ns()", time_monotonic_ns, NULL),
    TY_FUNCTION("process_time()", time_process_time, NULL), TY_FUNCTION("process_time_ns()", time_process_time_ns, NULL), TY_FUNCTION("thread_time()", time_thread_time, NULL), TY_FUNCTION("thread_time_ns()", time_thread_time_ns, NULL),
    TY_FUNCTION("clock_gettime(clk_id, /)", time_clock_gettime, NULL), TY_FUNCTION("clock_gettime_ns(clk_id, /)", time_clock_gettime_ns, NULL), TY_FUNCTION("clock_getres(clk_id, /)", time_clock_getres, NULL),
    TY_FUNCTION("clock_settime(clk_id, time, /)", time_clock_settime, NULL), TY_FUNCTION("sleep(object, /)", time_sleep, "sleep(seconds)\n\nDelay execution for a given number of seconds."),
    TY_FUNCTION("gmtime(seconds=None, /)", time_gmtime, NULL), TY_FUNCTION("localtime(seconds=None, /)", time_localtime, NULL), TY_FUNCTION("asctime(tuple=<unrepresentable>, /)", time_asctime, NULL),
    TY_FUNCTION("ctime(seconds=None, /)", time_ctime, NULL), TY_FUNCTION("mktime(tuple, /)", time_mktime, NULL), TY_FUNCTION("strftime(format, tuple=<unrepresentable>, /)", time_strftime, NULL),
    TY_RAW_FUNCTION("strptime(string, format='%a %b %d %H:%M:%S %Y', /)", time_strptime, NULL), TY_FUNCTION("tzset()", time_tzset, NULL), TY_FUNCTION("get_clock_info(name, /)", time_get_clock_info, NULL), {0}
};

static bool execute(Value module)
{
    read_zone();
    return ty_struct_sequence_type(&struct_time_type, &struct_time_def) && ty_module_add(module, "struct_time", ty_from_object(&struct_time_type)) && put_zone(module)
        && ty_module_add_int(module, "CLOCK_REALTIME", CLOCK_REALTIME) && ty_module_add_int(module, "CLOCK_MONOTONIC", CLOCK_MONOTONIC) && ty_module_add_int(module, "CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW)
        && ty_module_add_int(module, "CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID) && ty_module_add_int(module, "CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID)
        && ty_module_add_int(module, "CLOCK_BOOTTIME", CLOCK_BOOTTIME) && ty_module_add_int(module, "CLOCK_TAI", CLOCK_TAI) && ty_module_add_int(module, "_STRUCT_TM_ITEMS", 11);
}

const TyModuleDef ty_module_time = { .name = "time", .doc = "This module provides various functions to manipulate time values.", .functions = functions, .execute = execute };
