/* _multiprocessing and _posixshmem: the semaphores between processes that multiprocessing builds its locks on, and shared memory by name.
 *
 * A SemLock is a named semaphore of the system and what this process knows of its own hold on it: how often, and in which thread. */
#include "base/clock.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECURSIVE_MUTEX, SEMAPHORE };

typedef struct SemLock {
    TyObject base;
    sem_t *handle;
    Value name;             /* str or None */
    int32_t kind, maximum;
    _Atomic int32_t count;  /* holds of this process; of a mutex, only its owner changes it */
    _Atomic uint64_t owner; /* the thread that took it last */
} SemLock;

#define SEMLOCK(v) ((SemLock *)ty_object(v))

static TyType semlock_type;

static void semlock_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((SemLock *)self)->name); }
static void semlock_destroy(TyObject *self)
{
    if (((SemLock *)self)->handle)
        sem_close(((SemLock *)self)->handle);
}

static Value system_error(void) { return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL); }

static bool is_mine(SemLock *self)
{
    return ty_load_relaxed(&self->count) > 0 && ty_load_relaxed(&self->owner) == ty_thread->ident;
}

static Value make(TyType *type, sem_t *handle, int32_t kind, int32_t maximum, Value name)
{
    Value made = ty_type_allocate(type, 0);
    if (made == TY_NULL) {
        sem_close(handle);
        return TY_NULL;
    }
    SEMLOCK(made)->handle = handle;
    SEMLOCK(made)->kind = kind;
    SEMLOCK(made)->maximum = maximum;
    ty_store(SEMLOCK(made), &SEMLOCK(made)->name, name);
    return made;
}

static const char *name_text(Value v, Value *holder)
{
    size_t size;
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "name must be str, not %T", v);
        return NULL;
    }
    const char *text = ty_str_utf8(v, &size, holder);
    if (text && strlen(text) != size) {
        ty_raise(&ty_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

static Value semlock_new(TyType *type, const Value *a, size_t count, Value keywords)
{
    int32_t kind, value, maximum;
    Value holder;
    if (!ty_no_keywords("SemLock", keywords) || !ty_check_positional("SemLock", count, 5, 5) || !ty_to_int32(a[0], &kind) ||
        !ty_to_int32(a[1], &value) || !ty_to_int32(a[2], &maximum))
        return TY_NULL;
    const char *name = name_text(a[3], &holder);
    int unlink = name ? ty_is_true(a[4]) : -1;
    if (unlink < 0)
        return TY_NULL;
    if (kind != RECURSIVE_MUTEX && kind != SEMAPHORE)
        return ty_raise(&ty_ValueError, "unrecognized kind");
    sem_t *handle = sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)value);
    if (handle == SEM_FAILED)
        return system_error();
    if (unlink && sem_unlink(name) < 0) {
        sem_close(handle);
        return system_error();
    }
    return make(type, handle, kind, maximum, unlink ? TY_NONE : a[3]);
}

/* What a process that was started anew does with what it was told of a SemLock. */
static Value semlock_rebuild(Value type, Value *a)
{
    int32_t kind, maximum;
    uint64_t address;
    Value holder;
    if (!ty_to_uint64(a[0], &address) || !ty_to_int32(a[1], &kind) || !ty_to_int32(a[2], &maximum))
        return TY_NULL;
    if (a[3] == TY_NONE) /* an address says nothing here */
        return ty_raise(&ty_ValueError, "a SemLock without a name can't be rebuilt");
    const char *name = name_text(a[3], &holder);
    if (!name)
        return TY_NULL;
    sem_t *handle = sem_open(name, 0);
    return handle == SEM_FAILED ? system_error() : make(ty_as_type(type), handle, kind, maximum, a[3]);
}

static Value taken(SemLock *self)
{
    atomic_fetch_add_explicit(&self->count, 1, memory_order_relaxed);
    ty_store_relaxed(&self->owner, ty_thread->ident);
    return TY_TRUE;
}

static Value acquire(SemLock *self, bool block, const struct timespec *deadline)
{
    if (self->kind == RECURSIVE_MUTEX && is_mine(self)) {
        atomic_fetch_add_explicit(&self->count, 1, memory_order_relaxed);
        return TY_TRUE;
    }
    if (sem_trywait(self->handle) == 0)
        return taken(self);
    while (errno == EAGAIN || errno == EINTR) {
        if (!ty_poll_run())
            return TY_NULL;
        if (!block)
            return TY_FALSE;
        ty_blocking_begin();
        int status = deadline ? sem_timedwait(self->handle, deadline) : sem_wait(self->handle);
        ty_blocking_end();
        if (status == 0)
            return taken(self);
        if (errno == ETIMEDOUT)
            return TY_FALSE;
    }
    return system_error();
}

static Value semlock_acquire(Value v, Value *a)
{
    int block = a[0] == TY_NULL ? 1 : ty_is_true(a[0]);
    if (block < 0)
        return TY_NULL;
    if (a[1] == TY_NULL || a[1] == TY_NONE)
        return acquire(SEMLOCK(v), block, NULL);
    double seconds;
    if (!ty_to_double(a[1], &seconds))
        return TY_NULL;
    if (isnan(seconds))
        return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
    seconds = seconds < 0 ? 0 : TY_MIN(seconds, 1e9);
    struct timespec deadline; /* sem_timedwait() goes by the clock on the wall */
    clock_gettime(CLOCK_REALTIME, &deadline);
    int64_t nanoseconds = deadline.tv_nsec + (int64_t)((seconds - floor(seconds)) * 1e9);
    deadline.tv_sec += (time_t)floor(seconds) + nanoseconds / TY_NANOSECONDS;
    deadline.tv_nsec = nanoseconds % TY_NANOSECONDS;
    return acquire(SEMLOCK(v), block, &deadline);
}

static Value semlock_release(Value v, Value *a)
{
    SemLock *self = SEMLOCK(v);
    if (self->kind == RECURSIVE_MUTEX) {
        if (!is_mine(self))
            return ty_raise(&ty_AssertionError, "attempt to release recursive lock not owned by thread");
        if (ty_load_relaxed(&self->count) > 1) {
            atomic_fetch_sub_explicit(&self->count, 1, memory_order_relaxed);
            return TY_NONE;
        }
    } else {
        int value;
        if (sem_getvalue(self->handle, &value) < 0)
            return system_error();
        if (value >= self->maximum)
            return ty_raise(&ty_ValueError, "semaphore or lock released too many times");
    }
    atomic_fetch_sub_explicit(&self->count, 1, memory_order_relaxed); /* before another thread may take it and add to it */
    if (sem_post(self->handle) < 0) {
        atomic_fetch_add_explicit(&self->count, 1, memory_order_relaxed);
        return system_error();
    }
    return TY_NONE;
}

static Value semlock_enter(Value v, Value *a) { return acquire(SEMLOCK(v), true, NULL); }
static Value semlock_exit(Value v, Value *a) { return semlock_release(v, NULL); }
static Value semlock_count(Value v, Value *a) { return ty_from_immediate_int(ty_load_relaxed(&SEMLOCK(v)->count)); }
static Value semlock_is_mine(Value v, Value *a) { return ty_from_bool(is_mine(SEMLOCK(v))); }
static Value semlock_get_value(Value v, Value *a)
{
    int value;
    return sem_getvalue(SEMLOCK(v)->handle, &value) < 0 ? system_error() : ty_from_immediate_int(TY_MAX(value, 0));
}
static Value semlock_is_zero(Value v, Value *a)
{
    int value;
    return sem_getvalue(SEMLOCK(v)->handle, &value) < 0 ? system_error() : ty_from_bool(value <= 0);
}
static Value semlock_after_fork(Value v, Value *a)
{
    ty_store_relaxed(&SEMLOCK(v)->count, 0);
    return TY_NONE;
}
static Value get_handle(Value v) { return ty_int_from_uint64((uint64_t)(uintptr_t)SEMLOCK(v)->handle); }

static const TyNativeDef semlock_methods[] = {
    TY_METHOD("acquire(self, /, block=True, timeout=None)", semlock_acquire, "Acquire the semaphore/lock."),
    TY_METHOD("release(self, /)", semlock_release, "Release the semaphore/lock."),
    TY_METHOD("_count(self, /)", semlock_count, "Num of `acquire()`s minus num of `release()`s for this process."),
    TY_METHOD("_is_mine(self, /)", semlock_is_mine, "Whether the lock is owned by this thread."),
    TY_METHOD("_get_value(self, /)", semlock_get_value, "Get the value of the semaphore."),
    TY_METHOD("_is_zero(self, /)", semlock_is_zero, "Return whether semaphore has value zero."),
    TY_METHOD("_after_fork(self, /)", semlock_after_fork, "Rezero the net acquisition count after fork()."),
    TY_CLASS_METHOD("_rebuild(type, handle, kind, maxvalue, name, /)", semlock_rebuild, NULL),
    TY_METHOD("__enter__(self, /)", semlock_enter, "Enter the semaphore/lock."),
    TY_METHOD("__exit__(self, /, exc_type=None, exc_value=None, exc_tb=None)", semlock_exit, "Exit the semaphore/lock."),
    {0},
};
static const TyMemberDef semlock_members[] = {
    {"kind", TY_MEMBER_INT32, false, offsetof(SemLock, kind), NULL},
    {"maxvalue", TY_MEMBER_INT32, false, offsetof(SemLock, maximum), NULL},
    {"name", TY_MEMBER_VALUE_NONE, false, offsetof(SemLock, name), NULL},
    {0},
};
static const TyGetSetDef semlock_getsets[] = {{"handle", get_handle, NULL, NULL}, {0}};

static TyType semlock_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(SemLock), .trace = semlock_trace, .destroy = semlock_destroy},
    .name = "_multiprocessing.SemLock",
    .doc = "Semaphore/Mutex type",
    .parent = &ty_object_type_,
    .slots = {.new = semlock_new},
    .methods = semlock_methods,
    .members = semlock_members,
    .getsets = semlock_getsets,
};

static Value module_sem_unlink(Value module, Value *a)
{
    Value holder;
    const char *name = name_text(a[0], &holder);
    if (!name)
        return TY_NULL;
    return sem_unlink(name) < 0 ? system_error() : TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("sem_unlink(name, /)", module_sem_unlink, "Removes the name of a semaphore; those that use it may go on."),
    {0},
};

static bool execute(Value module)
{
    Value flags = ty_dict_new();
    return flags != TY_NULL && ty_type_ready(&semlock_type) &&
           ty_dict_set_text(semlock_type.dict, "SEM_VALUE_MAX", ty_from_immediate_int(SEM_VALUE_MAX)) &&
           ty_dict_set_text(flags, "HAVE_SEM_OPEN", ty_from_immediate_int(1)) &&
           ty_dict_set_text(flags, "HAVE_SEM_TIMEDWAIT", ty_from_immediate_int(1)) && ty_module_add(module, "flags", flags) &&
           ty_module_add(module, "SemLock", ty_from_object(&semlock_type));
}

static TyType *const types[] = {&semlock_type, NULL};

const TyModuleDef ty_module_multiprocessing = {
    .name = "_multiprocessing",
    .doc = "Semaphores between processes.",
    .functions = functions,
    .types = types,
    .execute = execute,
};

/* --- shared memory ------------------------------------------------------------------------------------------------------------ */

static Value shared_open(Value module, Value *a)
{
    int32_t flags, mode = 0777;
    Value holder;
    const char *name = name_text(a[0], &holder);
    if (!name || !ty_to_int32(a[1], &flags) || (a[2] != TY_NULL && !ty_to_int32(a[2], &mode)))
        return TY_NULL;
    int descriptor;
    do {
        ty_blocking_begin();
        descriptor = shm_open(name, flags, (mode_t)mode);
        ty_blocking_end();
    } while (descriptor < 0 && errno == EINTR && ty_poll_run());
    if (descriptor >= 0)
        return ty_from_immediate_int(descriptor);
    return ty_raised() ? TY_NULL : ty_raise_errno(&ty_OSError, errno, a[0], TY_NULL);
}

static Value shared_unlink(Value module, Value *a)
{
    Value holder;
    const char *name = name_text(a[0], &holder);
    if (!name)
        return TY_NULL;
    return shm_unlink(name) < 0 ? ty_raise_errno(&ty_OSError, errno, a[0], TY_NULL) : TY_NONE;
}

static const TyNativeDef shared_functions[] = {
    TY_FUNCTION("shm_open(path, flags, mode=511)", shared_open, "Opens a shared memory object and returns its descriptor."),
    TY_FUNCTION("shm_unlink(path)", shared_unlink, "Removes the name of a shared memory object; its memory lives as long as it is in use."),
    {0},
};

const TyModuleDef ty_module_posixshmem = {
    .name = "_posixshmem",
    .doc = "POSIX shared memory.",
    .functions = shared_functions,
};
