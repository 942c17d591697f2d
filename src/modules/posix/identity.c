/* Who a process is and how it is scheduled: users and groups, priorities, processors, namespaces. */
#include "modules/posix/posix.h"
#include "modules/descriptor.h"
#include "object/set.h"
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* An id of a user or a group; -1 stands for the largest number, "no change". */
static bool to_id(Value v, const char *what, uint32_t *out)
{
    Value number = ty_has_index(v) ? ty_number_index(v) : TY_NULL;
    int64_t wide;
    if (number == TY_NULL) {
        if (!ty_raised())
            ty_raise(&ty_TypeError, "%s should be integer, not %T", what, v);
        return false;
    }
    if (ty_int_get_int64(number, &wide) < 0 || wide < -1)
        ty_raise(&ty_OverflowError, "%s is less than minimum", what);
    else if (ty_int_bit_length(number) > 32)
        ty_raise(&ty_OverflowError, ty_int_bit_length(number) > 63 ? "%s is greater than maximum" : "%s is less than minimum", what);
    else {
        *out = (uint32_t)wide;
        return true;
    }
    return false;
}
bool ty_posix_uid(Value v, uint32_t *out) { return to_id(v, "uid", out); }
bool ty_posix_gid(Value v, uint32_t *out) { return to_id(v, "gid", out); }

static Value done(long result) { return result < 0 ? ty_posix_error(NULL) : TY_NONE; }

#define SET_IDS(name, convert, count, call)                          \
    static Value posix_##name(Value self, Value *a)                  \
    {                                                                \
        uint32_t id[3];                                              \
        for (int i = 0; i < count; i++)                              \
            if (!convert(a[i], &id[i]))                              \
                return TY_NULL;                                      \
        return done(call);                                           \
    }
SET_IDS(setuid, ty_posix_uid, 1, setuid(id[0]))
SET_IDS(setgid, ty_posix_gid, 1, setgid(id[0]))
SET_IDS(seteuid, ty_posix_uid, 1, seteuid(id[0]))
SET_IDS(setegid, ty_posix_gid, 1, setegid(id[0]))
SET_IDS(setreuid, ty_posix_uid, 2, setreuid(id[0], id[1]))
SET_IDS(setregid, ty_posix_gid, 2, setregid(id[0], id[1]))
SET_IDS(setresuid, ty_posix_uid, 3, setresuid(id[0], id[1], id[2]))
SET_IDS(setresgid, ty_posix_gid, 3, setresgid(id[0], id[1], id[2]))

static Value three(uint32_t a, uint32_t b, uint32_t c)
{
    return ty_tuple_pack(3, ty_from_immediate_int(a), ty_from_immediate_int(b), ty_from_immediate_int(c));
}
static Value posix_getresuid(Value self, Value *a)
{
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) < 0 ? ty_posix_error(NULL) : three(real, effective, saved);
}
static Value posix_getresgid(Value self, Value *a)
{
    gid_t real, effective, saved;
    return getresgid(&real, &effective, &saved) < 0 ? ty_posix_error(NULL) : three(real, effective, saved);
}
static Value posix_setpgrp(Value self, Value *a) { return done(setpgrp()); }

/* --- groups -------------------------------------------------------------------------------------------------------------------- */

static const char *user_name(Value v, const char *function, Value *holder)
{
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "%s() argument 1 must be str, not %T", function, v);
        return NULL;
    }
    *holder = ty_str_encode_fs(v);
    if (*holder == TY_NULL)
        return NULL;
    const char *text = (const char *)ty_bytes_data(*holder);
    if (strlen(text) != (size_t)ty_bytes_length(*holder)) {
        ty_raise(&ty_ValueError, "embedded null byte");
        return NULL;
    }
    return text;
}

static Value posix_getgrouplist(Value self, Value *a)
{
    Value holder;
    uint32_t group;
    const char *user = user_name(a[0], "getgrouplist", &holder);
    if (!user || !ty_posix_gid(a[1], &group))
        return TY_NULL;
    gid_t groups[4096];
    int count = TY_COUNT_OF(groups);
    ty_blocking_begin();
    int result = getgrouplist(user, group, groups, &count);
    ty_blocking_end();
    if (result < 0)
        return ty_raise(&ty_OSError, "too many groups");
    Value list = ty_list_new(count);
    for (int i = 0; list != TY_NULL && i < count; i++)
        if (!ty_list_append(list, ty_from_immediate_int(groups[i])))
            return TY_NULL;
    return list;
}

static Value posix_initgroups(Value self, Value *a)
{
    Value holder;
    uint32_t group;
    const char *user = user_name(a[0], "initgroups", &holder);
    return user && ty_posix_gid(a[1], &group) ? done(initgroups(user, group)) : TY_NULL;
}

static Value posix_setgroups(Value self, Value *a)
{
    gid_t groups[65536 / 16]; /* more would need privilege and sense */
    Value list = ty_is_sequence(a[0]) ? ty_sequence_list(a[0]) : ty_raise(&ty_TypeError, "setgroups argument must be a sequence");
    if (list == TY_NULL)
        return TY_NULL;
    int64_t count = ty_list_length(list);
    if (count > (int64_t)TY_COUNT_OF(groups))
        return ty_raise(&ty_ValueError, "too many groups");
    for (int64_t i = 0; i < count; i++) {
        Value item = ty_list_item(list, i);
        if (!ty_is_int(item))
            return ty_raise(&ty_TypeError, "groups must be integers");
        if (!ty_posix_gid(item, &groups[i]))
            return TY_NULL;
    }
    return done(setgroups((size_t)count, groups));
}

/* --- scheduling ------------------------------------------------------------------------------------------------------------------ */

#define INT(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL

static Value posix_getpriority(Value self, Value *a)
{
    INT(a[0], which);
    INT(a[1], who);
    errno = 0;
    int priority = getpriority((unsigned)which, (id_t)who);
    return errno ? ty_posix_error(NULL) : ty_from_immediate_int(priority);
}
static Value posix_setpriority(Value self, Value *a)
{
    INT(a[0], which);
    INT(a[1], who);
    INT(a[2], priority);
    return done(setpriority((unsigned)which, (id_t)who, priority));
}

static TyType sched_param_type;

bool ty_posix_sched_param(Value v, struct sched_param *out)
{
    int64_t priority;
    if (!ty_is_exact(v, &sched_param_type)) {
        ty_raise(&ty_TypeError, "must have a sched_param object");
        return false;
    }
    if (!ty_to_int64(ty_tuple_item(v, 0), &priority))
        return false;
    if (priority < INT32_MIN || priority > INT32_MAX) {
        ty_raise(&ty_OverflowError, "sched_priority out of range");
        return false;
    }
    *out = (struct sched_param){.sched_priority = (int)priority};
    return true;
}

static Value sched_param_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("sched_param(sched_priority)");
    Value a[1];
    if (count == 2 && ty_is_tuple(arguments[0]) && ty_tuple_length(arguments[0]) == 1 && ty_is_dict(arguments[1])) { /* as pickles have it */
        a[0] = ty_tuple_item(arguments[0], 0);
        return ty_struct_sequence_new(type, a);
    }
    return ty_parse_arguments(&signature, arguments, count, keywords, a) ? ty_struct_sequence_new(type, a) : TY_NULL;
}

static Value posix_sched_get_priority_max(Value self, Value *a)
{
    INT(a[0], policy);
    int r = sched_get_priority_max(policy);
    return r < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(r);
}
static Value posix_sched_get_priority_min(Value self, Value *a)
{
    INT(a[0], policy);
    int r = sched_get_priority_min(policy);
    return r < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(r);
}
static Value posix_sched_getscheduler(Value self, Value *a)
{
    INT(a[0], pid);
    int r = sched_getscheduler(pid);
    return r < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(r);
}
static Value posix_sched_setscheduler(Value self, Value *a)
{
    struct sched_param parameter;
    INT(a[0], pid);
    INT(a[1], policy);
    return ty_posix_sched_param(a[2], &parameter) ? done(sched_setscheduler(pid, policy, &parameter)) : TY_NULL;
}
static Value posix_sched_getparam(Value self, Value *a)
{
    struct sched_param parameter;
    INT(a[0], pid);
    if (sched_getparam(pid, &parameter) < 0)
        return ty_posix_error(NULL);
    Value priority = ty_from_immediate_int(parameter.sched_priority);
    return ty_struct_sequence_new(&sched_param_type, &priority);
}
static Value posix_sched_setparam(Value self, Value *a)
{
    struct sched_param parameter;
    INT(a[0], pid);
    return ty_posix_sched_param(a[1], &parameter) ? done(sched_setparam(pid, &parameter)) : TY_NULL;
}
static Value posix_sched_rr_get_interval(Value self, Value *a)
{
    struct timespec interval;
    INT(a[0], pid);
    return sched_rr_get_interval(pid, &interval) < 0 ? ty_posix_error(NULL) : ty_from_double((double)interval.tv_sec + (double)interval.tv_nsec * 1e-9);
}

enum { PROCESSORS_MAX = 1 << 16 };

static Value posix_sched_setaffinity(Value self, Value *a)
{
    INT(a[0], pid);
    cpu_set_t *set = CPU_ALLOC(PROCESSORS_MAX);
    size_t size = CPU_ALLOC_SIZE(PROCESSORS_MAX);
    Value iterator = ty_iter(a[1]), item;
    if (!set || iterator == TY_NULL) {
        CPU_FREE(set);
        return iterator == TY_NULL ? TY_NULL : ty_raise_memory_error();
    }
    CPU_ZERO_S(size, set);
    while ((item = ty_next(iterator)) != TY_NULL) {
        int64_t number;
        if (!ty_is_int(item)) {
            ty_raise(&ty_TypeError, "expected an iterator of ints, but iterator yielded %R", ty_from_object(&ty_type_of(item)->base));
            break;
        }
        if (ty_int_get_int64(item, &number) != 0 || number >= PROCESSORS_MAX || number < 0) {
            ty_raise(ty_int_sign(item) < 0 ? &ty_ValueError : &ty_OverflowError, ty_int_sign(item) < 0 ? "negative CPU number" : "CPU number too large");
            break;
        }
        CPU_SET_S((size_t)number, size, set);
    }
    int result = ty_raised() ? -1 : sched_setaffinity(pid, size, set);
    int error = errno;
    CPU_FREE(set);
    errno = error;
    return ty_raised() ? TY_NULL : done(result);
}

static Value posix_setns(Value self, Value *a)
{
    int fd;
    int32_t kind = 0;
    if (!ty_to_descriptor(a[0], &fd) || (a[1] != TY_NULL && !ty_to_int32(a[1], &kind)))
        return TY_NULL;
    return done(setns(fd, kind));
}
static Value posix_unshare(Value self, Value *a)
{
    INT(a[0], flags);
    return done(unshare(flags));
}

const TyNativeDef ty_posix_identity_functions[] = {
#define F(signature, function, doc) TY_FUNCTION(signature, function, doc)
    F("setuid(uid, /)", posix_setuid, "Set the current process's user id."),
    F("setgid(gid, /)", posix_setgid, "Set the current process's group id."),
    F("seteuid(euid, /)", posix_seteuid, "Set the current process's effective user id."),
    F("setegid(egid, /)", posix_setegid, "Set the current process's effective group id."),
    F("setreuid(ruid, euid, /)", posix_setreuid, "Sets the real and the effective user id."),
    F("setregid(rgid, egid, /)", posix_setregid, "Sets the real and the effective group id."),
    F("setresuid(ruid, euid, suid, /)", posix_setresuid, "Sets the real, effective and saved user ids."),
    F("setresgid(rgid, egid, sgid, /)", posix_setresgid, "Sets the real, effective and saved group ids."),
    F("getresuid()", posix_getresuid, "The real, effective and saved user ids."),
    F("getresgid()", posix_getresgid, "The real, effective and saved group ids."),
    F("setpgrp()", posix_setpgrp, "Makes the process the leader of its process group."),
    F("getgrouplist(user, group, /)", posix_getgrouplist, "The groups that a user belongs to, and one more."),
    F("initgroups(username, gid, /)", posix_initgroups, "Gives the process the groups of a user, and one more."),
    F("setgroups(groups, /)", posix_setgroups, "Sets the groups of the process."),
    F("getpriority(which, who)", posix_getpriority, "The scheduling priority of a process, a group or a user."),
    F("setpriority(which, who, priority)", posix_setpriority, "Sets a scheduling priority."),
    F("sched_get_priority_max(policy)", posix_sched_get_priority_max, "The highest priority of a policy."),
    F("sched_get_priority_min(policy)", posix_sched_get_priority_min, "The lowest priority of a policy."),
    F("sched_getscheduler(pid, /)", posix_sched_getscheduler, "The scheduling policy of a process; 0: this one."),
    F("sched_setscheduler(pid, policy, param, /)", posix_sched_setscheduler, "Sets the scheduling policy of a process."),
    F("sched_getparam(pid, /)", posix_sched_getparam, "The scheduling parameters of a process."),
    F("sched_setparam(pid, param, /)", posix_sched_setparam, "Sets the scheduling parameters of a process."),
    F("sched_rr_get_interval(pid, /)", posix_sched_rr_get_interval, "The time slice of a process, in seconds."),
    F("sched_setaffinity(pid, mask, /)", posix_sched_setaffinity, "Sets the processors that a process may run on."),
    F("setns(fd, nstype=0)", posix_setns, "Moves the calling thread into a namespace."),
    F("unshare(flags)", posix_unshare, "Moves the process into new namespaces."),
#undef F
    {0},
};

const TyPosixConstant ty_posix_identity_constants[] = {
#define K(name) {#name, name}
    K(SCHED_BATCH), K(SCHED_IDLE), K(SCHED_RESET_ON_FORK), {"SCHED_DEADLINE", 6}, {"SCHED_NORMAL", 0}, K(CLONE_VM), K(CLONE_FS), K(CLONE_FILES), K(CLONE_SIGHAND), K(CLONE_THREAD), K(CLONE_SYSVSEM),
    K(CLONE_NEWNS), K(CLONE_NEWCGROUP), K(CLONE_NEWUTS), K(CLONE_NEWIPC), K(CLONE_NEWUSER), K(CLONE_NEWPID), K(CLONE_NEWNET), {"CLONE_NEWTIME", 0x80},
#undef K
    {0},
};

bool ty_posix_identity_start(Value module)
{
    static const TyStructField fields[] = {{"sched_priority", "the scheduling priority"}, {0}};
    static const TyStructDef def = {"posix.sched_param", "Currently has only one field: sched_priority\n\n  sched_priority\n    A scheduling parameter.", fields, 1};
    return ty_struct_sequence_type(&sched_param_type, &def) && (sched_param_type.slots.new = sched_param_new, true) &&
           ty_module_add(module, "sched_param", ty_from_object(&sched_param_type));
}
