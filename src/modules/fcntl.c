/* fcntl: control of open descriptors, and locks on files. */
#include "modules/descriptor.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROOM = 1024 };

/* After a call that failed: true to try again, since a signal broke it; else its error is raised. */
static bool try_again(void)
{
    if (errno == EINTR)
        return ty_poll_run();
    ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    return false;
}

#define UNTIL_DONE(result, call)          \
    do {                                  \
        ty_blocking_begin();              \
        result = call;                    \
        ty_blocking_end();                \
    } while (result < 0 && try_again())

static Value fcntl_fcntl(Value module, Value *a)
{
    int descriptor, result;
    int32_t command;
    if (!ty_to_descriptor(a[0], &descriptor) || !ty_to_int32(a[1], &command))
        return TY_NULL;
    if (a[2] == TY_NULL || ty_has_index(a[2])) {
        uint64_t number = 0;
        if (a[2] != TY_NULL && !ty_to_uint64_mask(a[2], &number))
            return TY_NULL;
        UNTIL_DONE(result, fcntl(descriptor, command, (long)number));
        return result < 0 ? TY_NULL : ty_from_immediate_int(result);
    }
    Value bytes = ty_is_str(a[2]) ? ty_str_encode_utf8(a[2], NULL) : a[2];
    TyBuffer view;
    if (bytes == TY_NULL)
        return TY_NULL;
    if (!ty_has_buffer(bytes))
        return ty_raise(&ty_TypeError, "fcntl() argument 3 must be an integer, a bytes-like object, or a string, not %T", a[2]);
    if (!ty_buffer_get(bytes, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    char room[ROOM + 64] = {0};
    int64_t length = view.length;
    if (length <= ROOM)
        memcpy(room, view.data, (size_t)length);
    ty_buffer_release(&view);
    if (length > ROOM)
        return ty_raise(&ty_ValueError, "fcntl argument 3 is too long");
    UNTIL_DONE(result, fcntl(descriptor, command, room));
    return result < 0 ? TY_NULL : ty_bytes_new(room, (size_t)length);
}

/* ioctl() on a buffer that can be changed: in place, by a copy that has room for what drivers add. */
static Value ioctl_in_place(int descriptor, unsigned long request, TyBuffer *view)
{
    int result;
    char room[ROOM + 64] = {0};
    bool small = view->length <= ROOM;
    if (small)
        memcpy(room, view->data, (size_t)view->length);
    void *target = small ? (void *)room : view->data;
    UNTIL_DONE(result, ioctl(descriptor, request, target));
    if (small)
        memcpy(view->data, room, (size_t)view->length);
    ty_buffer_release(view);
    return result < 0 ? TY_NULL : ty_from_immediate_int(result);
}

static Value fcntl_ioctl(Value module, Value *a)
{
    int descriptor, result;
    uint64_t request;
    bool mutate = true;
    if (!ty_to_descriptor(a[0], &descriptor) || !ty_to_uint64_mask(a[1], &request) || (a[3] != TY_NULL && !ty_to_bool(a[3], &mutate)))
        return TY_NULL;
    if (a[2] == TY_NULL || ty_has_index(a[2])) {
        uint64_t number = 0;
        if (a[2] != TY_NULL && !ty_to_uint64_mask(a[2], &number))
            return TY_NULL;
        UNTIL_DONE(result, ioctl(descriptor, request, (long)number));
        return result < 0 ? TY_NULL : ty_from_immediate_int(result);
    }
    Value bytes = ty_is_str(a[2]) ? ty_str_encode_utf8(a[2], NULL) : a[2];
    TyBuffer view;
    if (bytes == TY_NULL)
        return TY_NULL;
    if (!ty_has_buffer(bytes))
        return ty_raise(&ty_TypeError, "ioctl() argument 3 must be an integer, a bytes-like object, or a string, not %T", a[2]);
    if (mutate && !ty_is_bytes(bytes)) {
        if (ty_buffer_get(bytes, &view, TY_BUFFER_WRITABLE))
            return ioctl_in_place(descriptor, request, &view);
        ty_clear_exception();
    }
    if (!ty_buffer_get(bytes, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    char room[ROOM + 64] = {0};
    int64_t length = view.length;
    if (length <= ROOM)
        memcpy(room, view.data, (size_t)length);
    ty_buffer_release(&view);
    if (length > ROOM)
        return ty_raise(&ty_ValueError, "ioctl argument 3 is too long");
    UNTIL_DONE(result, ioctl(descriptor, request, room));
    return result < 0 ? TY_NULL : ty_bytes_new(room, (size_t)length);
}

static Value fcntl_flock(Value module, Value *a)
{
    int descriptor, result;
    int32_t operation;
    if (!ty_to_descriptor(a[0], &descriptor) || !ty_to_int32(a[1], &operation))
        return TY_NULL;
    UNTIL_DONE(result, flock(descriptor, operation));
    return result < 0 ? TY_NULL : TY_NONE;
}

static Value fcntl_lockf(Value module, Value *a)
{
    int descriptor, result;
    int32_t operation, whence = 0;
    int64_t length = 0, start = 0;
    if (!ty_to_descriptor(a[0], &descriptor) || !ty_to_int32(a[1], &operation) || (a[2] != TY_NULL && !ty_to_int64(a[2], &length)) ||
        (a[3] != TY_NULL && !ty_to_int64(a[3], &start)) || (a[4] != TY_NULL && !ty_to_int32(a[4], &whence)))
        return TY_NULL;
    struct flock lock = {.l_start = start, .l_len = length, .l_whence = (short)whence};
    if (operation == LOCK_UN)
        lock.l_type = F_UNLCK;
    else if (operation & LOCK_SH)
        lock.l_type = F_RDLCK;
    else if (operation & LOCK_EX)
        lock.l_type = F_WRLCK;
    else
        return ty_raise(&ty_ValueError, "unrecognized lockf argument");
    UNTIL_DONE(result, fcntl(descriptor, operation & LOCK_NB ? F_SETLK : F_SETLKW, &lock));
    return result < 0 ? TY_NULL : TY_NONE;
}

static const struct { const char *name; int64_t value; } constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(DN_ACCESS), CONSTANT(DN_ATTRIB), CONSTANT(DN_CREATE), CONSTANT(DN_DELETE), CONSTANT(DN_MODIFY),
    CONSTANT(DN_MULTISHOT), CONSTANT(DN_RENAME), CONSTANT(FASYNC), CONSTANT(FD_CLOEXEC),
    {"FICLONE", 0x40049409}, {"FICLONERANGE", 0x4020940d}, CONSTANT(F_ADD_SEALS), CONSTANT(F_DUPFD),
    CONSTANT(F_DUPFD_CLOEXEC), {"F_DUPFD_QUERY", 0x403}, CONSTANT(F_EXLCK), CONSTANT(F_GETFD),
    CONSTANT(F_GETFL), CONSTANT(F_GETLEASE), CONSTANT(F_GETLK), CONSTANT(F_GETLK64), CONSTANT(F_GETOWN),
    CONSTANT(F_GETOWN_EX), CONSTANT(F_GETPIPE_SZ), CONSTANT(F_GETSIG), CONSTANT(F_GET_FILE_RW_HINT),
    CONSTANT(F_GET_RW_HINT), CONSTANT(F_GET_SEALS), CONSTANT(F_NOTIFY), CONSTANT(F_OFD_GETLK),
    CONSTANT(F_OFD_SETLK), CONSTANT(F_OFD_SETLKW), {"F_OWNER_PGRP", 2}, {"F_OWNER_PID", 1},
    {"F_OWNER_TID", 0}, CONSTANT(F_RDLCK), CONSTANT(F_SEAL_FUTURE_WRITE), CONSTANT(F_SEAL_GROW),
    CONSTANT(F_SEAL_SEAL), CONSTANT(F_SEAL_SHRINK), CONSTANT(F_SEAL_WRITE), CONSTANT(F_SETFD),
    CONSTANT(F_SETFL), CONSTANT(F_SETLEASE), CONSTANT(F_SETLK), CONSTANT(F_SETLK64), CONSTANT(F_SETLKW),
    CONSTANT(F_SETLKW64), CONSTANT(F_SETOWN), CONSTANT(F_SETOWN_EX), CONSTANT(F_SETPIPE_SZ),
    CONSTANT(F_SETSIG), CONSTANT(F_SET_FILE_RW_HINT), CONSTANT(F_SET_RW_HINT), CONSTANT(F_SHLCK),
    CONSTANT(F_UNLCK), CONSTANT(F_WRLCK), CONSTANT(LOCK_EX), CONSTANT(LOCK_MAND), CONSTANT(LOCK_NB),
    CONSTANT(LOCK_READ), CONSTANT(LOCK_RW), CONSTANT(LOCK_SH), CONSTANT(LOCK_UN), CONSTANT(LOCK_WRITE),
    CONSTANT(RWH_WRITE_LIFE_EXTREME), CONSTANT(RWH_WRITE_LIFE_LONG), CONSTANT(RWH_WRITE_LIFE_MEDIUM),
    CONSTANT(RWH_WRITE_LIFE_NONE), CONSTANT(RWH_WRITE_LIFE_NOT_SET), CONSTANT(RWH_WRITE_LIFE_SHORT),
#undef CONSTANT
};

static bool execute(Value module)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("fcntl(fd, cmd, arg=0, /)", fcntl_fcntl, "The system's fcntl(): with a number, its result; with bytes, what it makes of a copy of them."),
    TY_FUNCTION("ioctl(fd, request, arg=0, mutate_flag=True, /)", fcntl_ioctl,
                "The system's ioctl(): as fcntl(); a buffer that can be changed is, unless mutate_flag is false."),
    TY_FUNCTION("flock(fd, operation, /)", fcntl_flock, "The system's flock(): a lock on a whole file."),
    TY_FUNCTION("lockf(fd, cmd, len=0, start=0, whence=0, /)", fcntl_lockf, "A lock, or its end, on a part of a file, by fcntl()."),
    {0},
};

const TyModuleDef ty_module_fcntl = {
    .name = "fcntl",
    .doc = "Control of open descriptors, and locks on files.",
    .functions = functions,
    .execute = execute,
};
