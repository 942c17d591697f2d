/* Names of the system's limits and settings, for sysconf(), confstr() and pathconf(). */
#include "modules/posix/posix.h"
#include "modules/descriptor.h"
#include <unistd.h>

typedef struct Name { const char *name; int number; } Name;

#define N(name) {#name, _##name}
static const Name sysconf_names[] = {
    N(SC_2_CHAR_TERM), N(SC_2_C_BIND), N(SC_2_C_DEV), N(SC_2_C_VERSION), N(SC_2_FORT_DEV), N(SC_2_FORT_RUN), N(SC_2_LOCALEDEF), N(SC_2_SW_DEV),
    N(SC_2_UPE), N(SC_2_VERSION), N(SC_AIO_LISTIO_MAX), N(SC_AIO_MAX), N(SC_AIO_PRIO_DELTA_MAX), N(SC_ARG_MAX), N(SC_ASYNCHRONOUS_IO),
    N(SC_ATEXIT_MAX), N(SC_AVPHYS_PAGES), N(SC_BC_BASE_MAX), N(SC_BC_DIM_MAX), N(SC_BC_SCALE_MAX), N(SC_BC_STRING_MAX), N(SC_CHARCLASS_NAME_MAX),
    N(SC_CHAR_BIT), N(SC_CHAR_MAX), N(SC_CHAR_MIN), N(SC_CHILD_MAX), N(SC_CLK_TCK), N(SC_COLL_WEIGHTS_MAX), N(SC_DELAYTIMER_MAX),
    N(SC_EQUIV_CLASS_MAX), N(SC_EXPR_NEST_MAX), N(SC_FSYNC), N(SC_GETGR_R_SIZE_MAX), N(SC_GETPW_R_SIZE_MAX), N(SC_INT_MAX), N(SC_INT_MIN),
    N(SC_IOV_MAX), N(SC_JOB_CONTROL), N(SC_LINE_MAX), N(SC_LOGIN_NAME_MAX), N(SC_LONG_BIT), N(SC_MAPPED_FILES), N(SC_MB_LEN_MAX), N(SC_MEMLOCK),
    N(SC_MEMLOCK_RANGE), N(SC_MEMORY_PROTECTION), N(SC_MESSAGE_PASSING), N(SC_MQ_OPEN_MAX), N(SC_MQ_PRIO_MAX), N(SC_NGROUPS_MAX), N(SC_NL_ARGMAX),
    N(SC_NL_LANGMAX), N(SC_NL_MSGMAX), N(SC_NL_NMAX), N(SC_NL_SETMAX), N(SC_NL_TEXTMAX), N(SC_NPROCESSORS_CONF), N(SC_NPROCESSORS_ONLN), N(SC_NZERO),
    N(SC_OPEN_MAX), N(SC_PAGESIZE), N(SC_PAGE_SIZE), N(SC_PASS_MAX), N(SC_PHYS_PAGES), N(SC_PII), N(SC_PII_INTERNET), N(SC_PII_INTERNET_DGRAM),
    N(SC_PII_INTERNET_STREAM), N(SC_PII_OSI), N(SC_PII_OSI_CLTS), N(SC_PII_OSI_COTS), N(SC_PII_OSI_M), N(SC_PII_SOCKET), N(SC_PII_XTI), N(SC_POLL),
    N(SC_PRIORITIZED_IO), N(SC_PRIORITY_SCHEDULING), N(SC_REALTIME_SIGNALS), N(SC_RE_DUP_MAX), N(SC_RTSIG_MAX), N(SC_SAVED_IDS), N(SC_SCHAR_MAX),
    N(SC_SCHAR_MIN), N(SC_SELECT), N(SC_SEMAPHORES), N(SC_SEM_NSEMS_MAX), N(SC_SEM_VALUE_MAX), N(SC_SHARED_MEMORY_OBJECTS), N(SC_SHRT_MAX),
    N(SC_SHRT_MIN), N(SC_SIGQUEUE_MAX), N(SC_SSIZE_MAX), N(SC_STREAM_MAX), N(SC_SYNCHRONIZED_IO), N(SC_THREADS), N(SC_THREAD_ATTR_STACKADDR),
    N(SC_THREAD_ATTR_STACKSIZE), N(SC_THREAD_DESTRUCTOR_ITERATIONS), N(SC_THREAD_KEYS_MAX), N(SC_THREAD_PRIORITY_SCHEDULING),
    N(SC_THREAD_PRIO_INHERIT), N(SC_THREAD_PRIO_PROTECT), N(SC_THREAD_PROCESS_SHARED), N(SC_THREAD_SAFE_FUNCTIONS), N(SC_THREAD_STACK_MIN),
    N(SC_THREAD_THREADS_MAX), N(SC_TIMERS), N(SC_TIMER_MAX), N(SC_TTY_NAME_MAX), N(SC_TZNAME_MAX), N(SC_T_IOV_MAX), N(SC_UCHAR_MAX), N(SC_UINT_MAX),
    N(SC_UIO_MAXIOV), N(SC_ULONG_MAX), N(SC_USHRT_MAX), N(SC_VERSION), N(SC_WORD_BIT), N(SC_XBS5_ILP32_OFF32), N(SC_XBS5_ILP32_OFFBIG),
    N(SC_XBS5_LP64_OFF64), N(SC_XBS5_LPBIG_OFFBIG), N(SC_XOPEN_CRYPT), N(SC_XOPEN_ENH_I18N), N(SC_XOPEN_LEGACY), N(SC_XOPEN_REALTIME),
    N(SC_XOPEN_REALTIME_THREADS), N(SC_XOPEN_SHM), N(SC_XOPEN_UNIX), N(SC_XOPEN_VERSION), N(SC_XOPEN_XCU_VERSION), N(SC_XOPEN_XPG2), N(SC_XOPEN_XPG3),
    N(SC_XOPEN_XPG4), N(SC_MINSIGSTKSZ),
};
#undef N

#define N(name) {#name, _##name}
static const Name confstr_names[] = {
    N(CS_GNU_LIBC_VERSION), N(CS_GNU_LIBPTHREAD_VERSION), N(CS_LFS64_CFLAGS), N(CS_LFS64_LDFLAGS), N(CS_LFS64_LIBS), N(CS_LFS64_LINTFLAGS),
    N(CS_LFS_CFLAGS), N(CS_LFS_LDFLAGS), N(CS_LFS_LIBS), N(CS_LFS_LINTFLAGS), N(CS_PATH), N(CS_XBS5_ILP32_OFF32_CFLAGS),
    N(CS_XBS5_ILP32_OFF32_LDFLAGS), N(CS_XBS5_ILP32_OFF32_LIBS), N(CS_XBS5_ILP32_OFF32_LINTFLAGS), N(CS_XBS5_ILP32_OFFBIG_CFLAGS),
    N(CS_XBS5_ILP32_OFFBIG_LDFLAGS), N(CS_XBS5_ILP32_OFFBIG_LIBS), N(CS_XBS5_ILP32_OFFBIG_LINTFLAGS), N(CS_XBS5_LP64_OFF64_CFLAGS),
    N(CS_XBS5_LP64_OFF64_LDFLAGS), N(CS_XBS5_LP64_OFF64_LIBS), N(CS_XBS5_LP64_OFF64_LINTFLAGS), N(CS_XBS5_LPBIG_OFFBIG_CFLAGS),
    N(CS_XBS5_LPBIG_OFFBIG_LDFLAGS), N(CS_XBS5_LPBIG_OFFBIG_LIBS), N(CS_XBS5_LPBIG_OFFBIG_LINTFLAGS),
};
#undef N

#define N(name) {#name, _##name}
static const Name pathconf_names[] = {
    N(PC_ASYNC_IO), N(PC_CHOWN_RESTRICTED), N(PC_FILESIZEBITS), N(PC_LINK_MAX), N(PC_MAX_CANON), N(PC_MAX_INPUT), N(PC_NAME_MAX), N(PC_NO_TRUNC),
    N(PC_PATH_MAX), N(PC_PIPE_BUF), N(PC_PRIO_IO), N(PC_SOCK_MAXBUF), N(PC_SYNC_IO), N(PC_VDISABLE), N(PC_ALLOC_SIZE_MIN), N(PC_REC_INCR_XFER_SIZE),
    N(PC_REC_MAX_XFER_SIZE), N(PC_REC_MIN_XFER_SIZE), N(PC_REC_XFER_ALIGN), N(PC_SYMLINK_MAX),
};
#undef N


/* A name, or the number that it stands for. */
static bool number_of(Value v, const Name *names, size_t count, int *out)
{
    if (ty_is_str(v)) {
        for (size_t i = 0; i < count; i++)
            if (ty_str_equal_text(v, names[i].name)) {
                *out = names[i].number;
                return true;
            }
        ty_raise(&ty_ValueError, "unrecognized configuration name");
        return false;
    }
    if (!ty_has_index(v)) {
        ty_raise(&ty_TypeError, "configuration names must be strings or integers");
        return false;
    }
    int32_t number;
    bool fits = ty_to_int32(v, &number);
    *out = number;
    return fits;
}
#define NUMBER_OF(v, table, out) number_of(v, table, TY_COUNT_OF(table), out)

static Value posix_sysconf(Value self, Value *a)
{
    int name;
    if (!NUMBER_OF(a[0], sysconf_names, &name))
        return TY_NULL;
    errno = 0;
    long value = sysconf(name);
    return value == -1 && errno ? ty_posix_error(NULL) : ty_int_from_int64(value);
}

static Value posix_confstr(Value self, Value *a)
{
    int name;
    char room[256];
    if (!NUMBER_OF(a[0], confstr_names, &name))
        return TY_NULL;
    errno = 0;
    size_t size = confstr(name, room, sizeof room);
    if (size == 0)
        return errno ? ty_posix_error(NULL) : TY_NONE;
    if (size <= sizeof room)
        return ty_str_decode_fs(room, size - 1);
    Value bytes = ty_bytes_new(NULL, size);
    if (bytes == TY_NULL)
        return TY_NULL;
    confstr(name, (char *)ty_as_bytes(bytes)->data, size);
    return ty_str_decode_fs((const char *)ty_bytes_data(bytes), size - 1);
}

static Value limit(const TyPath *path, int fd, Value name_value)
{
    int name;
    long value;
    if (!NUMBER_OF(name_value, pathconf_names, &name))
        return TY_NULL;
    errno = 0;
    ty_blocking_begin();
    value = path && path->text ? pathconf(path->text, name) : fpathconf(fd, name);
    ty_blocking_end();
    return value == -1 && errno ? (errno == EINVAL ? ty_posix_error(NULL) : ty_posix_error(path)) : ty_int_from_int64(value);
}

static Value posix_pathconf(Value self, Value *a)
{
    TyPath path;
    return ty_path(a[0], "pathconf", true, false, &path) ? limit(&path, path.fd, a[1]) : TY_NULL;
}

static Value posix_fpathconf(Value self, Value *a)
{
    int fd;
    return ty_to_descriptor(a[0], &fd) ? limit(NULL, fd, a[1]) : TY_NULL;
}

const TyNativeDef ty_posix_name_functions[] = {
    TY_FUNCTION("sysconf(name, /)", posix_sysconf, "An integer-valued limit or setting of the system."),
    TY_FUNCTION("confstr(name, /)", posix_confstr, "A setting of the system that is a text."),
    TY_FUNCTION("pathconf(path, name)", posix_pathconf, "A limit that holds for a file."),
    TY_FUNCTION("fpathconf(fd, name, /)", posix_fpathconf, "A limit that holds for an open file."),
    {0},
};

static bool add(Value module, const char *attribute, const Name *names, size_t count)
{
    Value dict = ty_dict_new();
    for (size_t i = 0; dict != TY_NULL && i < count; i++)
        if (!ty_dict_set_text(dict, names[i].name, ty_from_immediate_int(names[i].number)))
            return false;
    return dict != TY_NULL && ty_module_add(module, attribute, dict);
}

bool ty_posix_names_start(Value module)
{
    return add(module, "sysconf_names", sysconf_names, TY_COUNT_OF(sysconf_names)) && add(module, "confstr_names", confstr_names, TY_COUNT_OF(confstr_names)) &&
           add(module, "pathconf_names", pathconf_names, TY_COUNT_OF(pathconf_names));
}
