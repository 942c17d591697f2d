/* posix: terminals and pseudo-terminals. */
#include "modules/descriptor.h"
#include "modules/posix/posix.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/str.h"
#include "object/interpreter.h"
#include "object/native.h"
#include "object/tuple.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FD(v, name) int name; if (!ty_to_descriptor(v, &name)) return TY_NULL
#define NUMBER(v, name) int32_t name; if (!ty_to_int32(v, &name)) return TY_NULL

static Value done(int result) { return result < 0 ? ty_posix_error(NULL) : TY_NONE; }

static Value posix_openpt_(Value self, Value *a)
{
    NUMBER(a[0], flags);
    int fd = posix_openpt(flags | O_CLOEXEC);
    return fd < 0 ? ty_posix_error(NULL) : ty_from_immediate_int(fd);
}

static Value posix_grantpt(Value self, Value *a)
{
    FD(a[0], fd);
    return done(grantpt(fd));
}

static Value posix_unlockpt(Value self, Value *a)
{
    FD(a[0], fd);
    return done(unlockpt(fd));
}

static Value posix_ptsname(Value self, Value *a)
{
    FD(a[0], fd);
    char name[256];
    int error = ptsname_r(fd, name, sizeof name);
    errno = error;
    return error ? ty_posix_error(NULL) : ty_str_decode_fs(name, strlen(name));
}

static Value posix_tcgetpgrp(Value self, Value *a)
{
    FD(a[0], fd);
    pid_t group = tcgetpgrp(fd);
    return group < 0 ? ty_posix_error(NULL) : ty_int_from_int64(group);
}

static Value posix_tcsetpgrp(Value self, Value *a)
{
    FD(a[0], fd);
    NUMBER(a[1], group);
    return done(tcsetpgrp(fd, group));
}

/* Makes the terminal that of a new session, and its standard streams. */
static int take_terminal(int fd)
{
    if (setsid() < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (dup2(fd, i) < 0)
            return -1;
    if (fd > 2)
        close(fd);
    return 0;
}

static Value posix_login_tty(Value self, Value *a)
{
    FD(a[0], fd);
    return done(take_terminal(fd));
}

static Value posix_forkpty(Value self, Value *a)
{
    if (ty_interpreter()->no_fork)
        return ty_raise(&ty_RuntimeError, "fork not supported for isolated subinterpreters");
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[128];
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof name))
        return ty_posix_error(NULL);
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    pid_t pid = slave < 0 ? -1 : ty_fork("forkpty");
    if (pid == 0) {
        close(master);
        if (take_terminal(slave) < 0)
            _exit(1);
        return ty_tuple_pack(2, ty_from_immediate_int(0), ty_from_immediate_int(-1));
    }
    int error = errno;
    if (slave >= 0)
        close(slave);
    errno = error;
    if (pid < 0) {
        close(master);
        errno = error;
        return ty_raised() ? TY_NULL : ty_posix_error(NULL);
    }
    return ty_tuple_pack(2, ty_int_from_int64(pid), ty_from_immediate_int(master));
}

static Value posix_ctermid(Value self, Value *a)
{
    char name[L_ctermid];
    ctermid(name);
    return ty_str_decode_fs(name, strlen(name));
}

/* What a GUI toolkit would have run while a prompt waits for input: there is none. */
static Value posix_no_inputhook(Value self, Value *a) { return TY_FALSE; }

#define F(signature, function) TY_FUNCTION(signature, function, NULL)
const TyNativeDef ty_posix_terminal_functions[] = {
    F("posix_openpt(oflag, /)", posix_openpt_), F("grantpt(fd, /)", posix_grantpt), F("unlockpt(fd, /)", posix_unlockpt), F("ptsname(fd, /)", posix_ptsname),
    F("tcgetpgrp(fd, /)", posix_tcgetpgrp), F("tcsetpgrp(fd, pgid, /)", posix_tcsetpgrp), F("login_tty(fd, /)", posix_login_tty), F("forkpty()", posix_forkpty),
    F("ctermid()", posix_ctermid), F("_is_inputhook_installed()", posix_no_inputhook), F("_inputhook()", posix_no_inputhook), {0}
};
