/* resource: what a process may use, and what it has used. */
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/tuple.h"
#include "modules/posix/posix.h"
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static const TyStructField rusage_fields[] = {
    {"ru_utime", "user time used"}, {"ru_stime", "system time used"}, {"ru_maxrss", "max. resident set size"}, {"ru_ixrss", "shared memory size"},
    {"ru_idrss", "unshared data size"}, {"ru_isrss", "unshared stack size"}, {"ru_minflt", "page faults not requiring I/O"},
    {"ru_majflt", "page faults requiring I/O"}, {"ru_nswap", "number of swap outs"}, {"ru_inblock", "block input operations"},
    {"ru_oublock", "block output operations"}, {"ru_msgsnd", "IPC messages sent"}, {"ru_msgrcv", "IPC messages received"},
    {"ru_nsignals", "signals received"}, {"ru_nvcsw", "voluntary context switches"}, {"ru_nivcsw", "involuntary context switches"}, {0},
};
static const TyStructDef rusage_def = {
    "resource.struct_rusage",
    "struct_rusage: Result from getrusage.\n\nWhat was used, as a tuple (utime, stime, maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock,\n"
    "msgsnd, msgrcv, nsignals, nvcsw, nivcsw) and by those names with ru_ before them.",
    rusage_fields, 16,
};
static TyType rusage_type;

static Value from_time(struct timeval time) { return ty_from_double((double)time.tv_sec + (double)time.tv_usec * 1e-6); }

Value ty_resource_usage(const struct rusage *usage)
{
    if (ty_module_current("resource") == TY_NULL) /* whose making readies the type */
        return TY_NULL;
    const long counts[] = {usage->ru_maxrss, usage->ru_ixrss, usage->ru_idrss, usage->ru_isrss, usage->ru_minflt, usage->ru_majflt, usage->ru_nswap,
                           usage->ru_inblock, usage->ru_oublock, usage->ru_msgsnd, usage->ru_msgrcv, usage->ru_nsignals, usage->ru_nvcsw, usage->ru_nivcsw};
    Value fields[16] = {from_time(usage->ru_utime), from_time(usage->ru_stime)};
    for (size_t i = 0; i < 14; i++)
        if ((fields[i + 2] = ty_int_from_int64(counts[i])) == TY_NULL)
            return TY_NULL;
    return ty_struct_sequence_new(&rusage_type, fields);
}

static Value resource_getrusage(Value module, Value *a)
{
    int32_t who;
    struct rusage usage;
    if (!ty_to_int32(a[0], &who))
        return TY_NULL;
    if (getrusage(who, &usage) < 0)
        return errno == EINVAL ? ty_raise(&ty_ValueError, "invalid who parameter") : ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return ty_resource_usage(&usage);
}

/* RLIM_INFINITY is -1 to Python. */
static Value from_limit(rlim_t limit) { return limit == RLIM_INFINITY ? ty_from_immediate_int(-1) : ty_int_from_uint64(limit); }
static Value from_limits(struct rlimit limits) { return ty_tuple_pack(2, from_limit(limits.rlim_cur), from_limit(limits.rlim_max)); }

static bool to_limit(Value v, rlim_t *out)
{
    v = ty_number_index(v);
    if (v == TY_NULL)
        return false;
    int64_t number;
    if (ty_int_get_int64(v, &number) == 0 && number == -1) {
        *out = RLIM_INFINITY;
        return true;
    }
    if (ty_int_sign(v) < 0) {
        ty_raise(&ty_ValueError, "Cannot convert negative int");
        return false;
    }
    uint64_t word;
    if (!ty_to_uint64(v, &word))
        return false;
    *out = word;
    return true;
}

static bool to_limits(Value v, struct rlimit *out)
{
    v = ty_sequence_tuple(v);
    if (v == TY_NULL)
        return false;
    if (ty_tuple_length(v) != 2) {
        ty_raise(&ty_ValueError, "expected a tuple of 2 integers");
        return false;
    }
    return to_limit(ty_tuple_item(v, 0), &out->rlim_cur) && to_limit(ty_tuple_item(v, 1), &out->rlim_max);
}

static bool to_resource(Value v, int32_t *out)
{
    if (!ty_to_int32(v, out))
        return false;
    if (*out >= 0 && *out < RLIM_NLIMITS)
        return true;
    ty_raise(&ty_ValueError, "invalid resource specified");
    return false;
}

static Value limits_failed(void)
{
    if (errno == EINVAL)
        return ty_raise(&ty_ValueError, "current limit exceeds maximum limit");
    if (errno == EPERM)
        return ty_raise(&ty_ValueError, "not allowed to raise maximum limit");
    return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
}

static Value resource_getrlimit(Value module, Value *a)
{
    int32_t resource;
    struct rlimit limits;
    if (!to_resource(a[0], &resource))
        return TY_NULL;
    return getrlimit((unsigned)resource, &limits) < 0 ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : from_limits(limits);
}

static Value resource_setrlimit(Value module, Value *a)
{
    int32_t resource;
    struct rlimit limits;
    if (!to_resource(a[0], &resource) || !to_limits(a[1], &limits))
        return TY_NULL;
    return setrlimit((unsigned)resource, &limits) < 0 ? limits_failed() : TY_NONE;
}

static Value resource_prlimit(Value module, Value *a)
{
    int32_t process, resource;
    struct rlimit limits, old;
    if (!ty_to_int32(a[0], &process) || !to_resource(a[1], &resource))
        return TY_NULL;
    bool set = a[2] != TY_NULL && a[2] != TY_NONE;
    if (set && !to_limits(a[2], &limits))
        return TY_NULL;
    if (prlimit(process, (unsigned)resource, set ? &limits : NULL, &old) < 0)
        return errno == EINVAL ? ty_raise(&ty_ValueError, "current limit exceeds maximum limit") : ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return from_limits(old);
}

static Value resource_getpagesize(Value module, Value *a) { return ty_int_from_int64(sysconf(_SC_PAGESIZE)); }

static const struct { const char *name; int value; } constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(RLIMIT_AS), CONSTANT(RLIMIT_CORE), CONSTANT(RLIMIT_CPU), CONSTANT(RLIMIT_DATA), CONSTANT(RLIMIT_FSIZE), CONSTANT(RLIMIT_MEMLOCK),
    CONSTANT(RLIMIT_MSGQUEUE), CONSTANT(RLIMIT_NICE), CONSTANT(RLIMIT_NOFILE), CONSTANT(RLIMIT_NPROC), CONSTANT(RLIMIT_OFILE), CONSTANT(RLIMIT_RSS),
    CONSTANT(RLIMIT_RTPRIO), CONSTANT(RLIMIT_RTTIME), CONSTANT(RLIMIT_SIGPENDING), CONSTANT(RLIMIT_STACK), {"RLIM_INFINITY", -1},
    CONSTANT(RUSAGE_CHILDREN), CONSTANT(RUSAGE_SELF), CONSTANT(RUSAGE_THREAD),
#undef CONSTANT
};

static bool execute(Value module)
{
    TyType *type = ty_struct_sequence_type(&rusage_type, &rusage_def);
    if (!type || !ty_module_add(module, "struct_rusage", ty_from_object(type)) || !ty_module_add(module, "error", ty_from_object(&ty_OSError)))
        return false;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("getrusage(who, /)", resource_getrusage, "What the process, its children or the thread has used."),
    TY_FUNCTION("getrlimit(resource, /)", resource_getrlimit, "The limits of a resource: (soft, hard)."),
    TY_FUNCTION("setrlimit(resource, limits, /)", resource_setrlimit, "Sets the limits of a resource."),
    TY_FUNCTION("prlimit(pid, resource, limits=None, /)", resource_prlimit, "The limits of another process, which may be set at the same time."),
    TY_FUNCTION("getpagesize()", resource_getpagesize, "The size of a page of memory."),
    {0},
};

const TyModuleDef ty_module_resource = {
    .name = "resource",
    .doc = "What a process may use, and what it has used.",
    .functions = functions,
    .execute = execute,
};
