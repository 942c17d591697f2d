/* termios: terminals' settings, as POSIX has them. */
#include "modules/descriptor.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { STATE_ERROR, STATE_COUNT };

static Value fail(Value module)
{
    Value *state = ty_module_state(module);
    Value arguments[2] = { ty_int_from_int64(errno), ty_str_from_text(strerror(errno)) };
    Value error = arguments[1] == TY_NULL ? TY_NULL : ty_call(ty_field(&state[STATE_ERROR]), arguments, 2, TY_NULL);
    if (error != TY_NULL)
        ty_raise_object(error);
    return TY_NULL;
}

/* A call that may wait for the terminal; a signal that breaks it is attended to, and it is tried again. */
#define TERMINAL_CALL(module, call)               \
    for (;;) {                                    \
        ty_blocking_begin();                      \
        int result_ = (call), error_ = errno;     \
        ty_blocking_end();                        \
        if (result_ >= 0)                         \
            break;                                \
        errno = error_;                           \
        if (errno != EINTR)                       \
            return fail(module);                  \
        if (!ty_poll_run())                       \
            return TY_NULL;                       \
    }

/* VMIN and VTIME are numbers while input is not canonical; the rest of the control characters are bytes. */
static Value control_character(const struct termios *mode, int i)
{
    if ((i == VMIN || i == VTIME) && !(mode->c_lflag & ICANON))
        return ty_from_immediate_int(mode->c_cc[i]);
    char byte = (char)mode->c_cc[i];
    return ty_bytes_new(&byte, 1);
}

static Value termios_tcgetattr(Value module, Value *a)
{
    int fd;
    struct termios mode;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    TERMINAL_CALL(module, tcgetattr(fd, &mode))
    Value characters = ty_list_new(NCCS), result = ty_list_new(7);
    if (characters == TY_NULL || result == TY_NULL)
        return TY_NULL;
    for (int i = 0; i < NCCS; i++) {
        Value character = control_character(&mode, i);
        if (character == TY_NULL || !ty_list_append(characters, character))
            return TY_NULL;
    }
    const uint64_t numbers[] = { mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag, cfgetispeed(&mode), cfgetospeed(&mode) };
    for (size_t i = 0; i < TY_COUNT_OF(numbers); i++)
        if (!ty_list_append(result, ty_int_from_int64((int64_t)numbers[i])))
            return TY_NULL;
    return ty_list_append(result, characters) ? result : TY_NULL;
}

static bool take_control_characters(Value list, struct termios *mode)
{
    if (!ty_is_list(list) || ty_list_length(list) != NCCS) {
        ty_raise(&ty_TypeError, "tcsetattr: attributes[6] must be %d element list", NCCS);
        return false;
    }
    for (int i = 0; i < NCCS; i++) {
        Value v = ty_list_item(list, i);
        int32_t number;
        if (v != TY_NULL && ty_is_bytes(v) && ty_bytes_length(v) == 1)
            mode->c_cc[i] = ty_bytes_data(v)[0];
        else if (v != TY_NULL && ty_is_int(v)) {
            if (!ty_to_int32(v, &number))
                return false;
            mode->c_cc[i] = (cc_t)number;
        } else {
            ty_raise(&ty_TypeError, "tcsetattr: elements of attributes must be characters or integers");
            return false;
        }
    }
    return true;
}

static Value termios_tcsetattr(Value module, Value *a)
{
    int fd;
    int32_t when;
    struct termios mode;
    if (!ty_to_descriptor(a[0], &fd) || !ty_to_int32(a[1], &when))
        return TY_NULL;
    if (!ty_is_list(a[2]) || ty_list_length(a[2]) != 7)
        return ty_raise(&ty_TypeError, "tcsetattr, arg 3: must be 7 element list");
    TERMINAL_CALL(module, tcgetattr(fd, &mode)) /* what has no place in the list stays */
    uint64_t numbers[6];
    for (int i = 0; i < 6; i++)
        if (!ty_to_uint64_mask(ty_list_item(a[2], i), &numbers[i]))
            return TY_NULL;
    mode.c_iflag = (tcflag_t)numbers[0];
    mode.c_oflag = (tcflag_t)numbers[1];
    mode.c_cflag = (tcflag_t)numbers[2];
    mode.c_lflag = (tcflag_t)numbers[3];
    if (!take_control_characters(ty_list_item(a[2], 6), &mode))
        return TY_NULL;
    if (cfsetispeed(&mode, (speed_t)numbers[4]) < 0 || cfsetospeed(&mode, (speed_t)numbers[5]) < 0)
        return fail(module);
    TERMINAL_CALL(module, tcsetattr(fd, when, &mode))
    return TY_NONE;
}

/* tcsendbreak, tcflush, tcflow: (fd, number). */
#define NUMBER_CALL(name)                                                     \
    static Value termios_##name(Value module, Value *a)                       \
    {                                                                         \
        int fd;                                                               \
        int32_t number;                                                       \
        if (!ty_to_descriptor(a[0], &fd) || !ty_to_int32(a[1], &number))      \
            return TY_NULL;                                                   \
        TERMINAL_CALL(module, name(fd, number))                               \
        return TY_NONE;                                                       \
    }
NUMBER_CALL(tcsendbreak)
NUMBER_CALL(tcflush)
NUMBER_CALL(tcflow)

static Value termios_tcdrain(Value module, Value *a)
{
    int fd;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    TERMINAL_CALL(module, tcdrain(fd))
    return TY_NONE;
}

static Value termios_tcgetwinsize(Value module, Value *a)
{
    int fd;
    struct winsize size;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    TERMINAL_CALL(module, ioctl(fd, TIOCGWINSZ, &size))
    return ty_tuple_pack(2, ty_from_immediate_int(size.ws_row), ty_from_immediate_int(size.ws_col));
}

static Value termios_tcsetwinsize(Value module, Value *a)
{
    int fd;
    int64_t numbers[2];
    struct winsize size;
    if (!ty_to_descriptor(a[0], &fd))
        return TY_NULL;
    Value pair = ty_is_sequence(a[1]) ? ty_sequence_tuple(a[1]) : TY_NULL;
    if (ty_raised())
        return TY_NULL;
    if (pair == TY_NULL || ty_tuple_length(pair) != 2)
        return ty_raise(&ty_TypeError, "tcsetwinsize, arg 2: must be a two-item sequence");
    for (int i = 0; i < 2; i++)
        if (!ty_to_int64(ty_tuple_item(pair, i), &numbers[i]))
            return TY_NULL;
    TERMINAL_CALL(module, ioctl(fd, TIOCGWINSZ, &size))
    size.ws_row = (unsigned short)numbers[0];
    size.ws_col = (unsigned short)numbers[1];
    if (size.ws_row != numbers[0] || size.ws_col != numbers[1])
        return ty_raise(&ty_OverflowError, "winsize value(s) out of range.");
    TERMINAL_CALL(module, ioctl(fd, TIOCSWINSZ, &size))
    return TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("tcgetattr(fd, /)", termios_tcgetattr, "The terminal's settings: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]."),
    TY_FUNCTION("tcsetattr(fd, when, attributes, /)", termios_tcsetattr, "Sets them: now, once all output has been sent, or also dropping all input."),
    TY_FUNCTION("tcsendbreak(fd, duration, /)", termios_tcsendbreak, "Sends a break."),
    TY_FUNCTION("tcdrain(fd, /)", termios_tcdrain, "Waits until all output has been sent."),
    TY_FUNCTION("tcflush(fd, queue, /)", termios_tcflush, "Drops what was received or not sent yet."),
    TY_FUNCTION("tcflow(fd, action, /)", termios_tcflow, "Stops or resumes input or output."),
    TY_FUNCTION("tcgetwinsize(fd, /)", termios_tcgetwinsize, "The size of the terminal's window: (rows, columns)."),
    TY_FUNCTION("tcsetwinsize(fd, winsize, /)", termios_tcsetwinsize, "Sets it."),
    {0}
};

#define CONSTANTS(X) \
    X(B0) X(B50) X(B75) X(B110) X(B134) X(B150) X(B200) X(B300) X(B600) X(B1200) X(B1800) X(B2400) X(B4800) X(B9600) X(B19200) X(B38400) X(B57600) \
    X(B115200) X(B230400) X(B460800) X(B500000) X(B576000) X(B921600) X(B1000000) X(B1152000) X(B1500000) X(B2000000) X(B2500000) X(B3000000) \
    X(B3500000) X(B4000000) X(CBAUD) X(CBAUDEX) X(CIBAUD) X(EXTA) X(EXTB) \
    X(TCSANOW) X(TCSADRAIN) X(TCSAFLUSH) X(TCIFLUSH) X(TCOFLUSH) X(TCIOFLUSH) X(TCOOFF) X(TCOON) X(TCIOFF) X(TCION) \
    X(IGNBRK) X(BRKINT) X(IGNPAR) X(PARMRK) X(INPCK) X(ISTRIP) X(INLCR) X(IGNCR) X(ICRNL) X(IUCLC) X(IXON) X(IXANY) X(IXOFF) X(IMAXBEL) X(IUTF8) \
    X(OPOST) X(OLCUC) X(ONLCR) X(OCRNL) X(ONOCR) X(ONLRET) X(OFILL) X(OFDEL) X(NLDLY) X(CRDLY) X(TABDLY) X(BSDLY) X(VTDLY) X(FFDLY) \
    X(NL0) X(NL1) X(CR0) X(CR1) X(CR2) X(CR3) X(TAB0) X(TAB1) X(TAB2) X(TAB3) X(XTABS) X(BS0) X(BS1) X(VT0) X(VT1) X(FF0) X(FF1) \
    X(CSIZE) X(CSTOPB) X(CREAD) X(PARENB) X(PARODD) X(HUPCL) X(CLOCAL) X(CMSPAR) X(CRTSCTS) X(CS5) X(CS6) X(CS7) X(CS8) \
    X(ISIG) X(ICANON) X(XCASE) X(ECHO) X(ECHOE) X(ECHOK) X(ECHONL) X(ECHOCTL) X(ECHOPRT) X(ECHOKE) X(EXTPROC) X(FLUSHO) X(NOFLSH) X(TOSTOP) X(PENDIN) X(IEXTEN) \
    X(VINTR) X(VQUIT) X(VERASE) X(VKILL) X(VEOF) X(VTIME) X(VMIN) X(VSWTC) X(VSTART) X(VSTOP) X(VSUSP) X(VEOL) X(VREPRINT) X(VDISCARD) X(VWERASE) X(VLNEXT) X(VEOL2) \
    X(NCCS) X(FIOASYNC) X(FIOCLEX) X(FIONBIO) X(FIONCLEX) X(FIONREAD) X(TCFLSH) X(TCGETA) X(TCGETS) X(TCSBRK) X(TCSBRKP) X(TCSETA) X(TCSETAF) X(TCSETAW) X(TCSETS) \
    X(TCSETSF) X(TCSETSW) X(TCXONC) X(TIOCCONS) X(TIOCEXCL) X(TIOCGETD) X(TIOCGICOUNT) X(TIOCGLCKTRMIOS) X(TIOCGPGRP) X(TIOCGSERIAL) X(TIOCGSOFTCAR) X(TIOCGWINSZ) \
    X(TIOCINQ) X(TIOCLINUX) X(TIOCMBIC) X(TIOCMBIS) X(TIOCMGET) X(TIOCMIWAIT) X(TIOCMSET) X(TIOCM_CAR) X(TIOCM_CD) X(TIOCM_CTS) X(TIOCM_DSR) X(TIOCM_DTR) X(TIOCM_LE) \
    X(TIOCM_RI) X(TIOCM_RNG) X(TIOCM_RTS) X(TIOCM_SR) X(TIOCM_ST) X(TIOCNOTTY) X(TIOCNXCL) X(TIOCOUTQ) X(TIOCPKT) X(TIOCPKT_DATA) X(TIOCPKT_DOSTOP) X(TIOCPKT_FLUSHREAD) \
    X(TIOCPKT_FLUSHWRITE) X(TIOCPKT_NOSTOP) X(TIOCPKT_START) X(TIOCPKT_STOP) X(TIOCSCTTY) X(TIOCSERCONFIG) X(TIOCSERGETLSR) X(TIOCSERGETMULTI) X(TIOCSERGSTRUCT) \
    X(TIOCSERGWILD) X(TIOCSERSETMULTI) X(TIOCSERSWILD) X(TIOCSER_TEMT) X(TIOCSETD) X(TIOCSLCKTRMIOS) X(TIOCSPGRP) X(TIOCSSERIAL) X(TIOCSSOFTCAR) X(TIOCSTI) X(TIOCSWINSZ) \
    X(N_MOUSE) X(N_PPP) X(N_SLIP) X(N_STRIP) X(N_TTY)

static const struct { const char *name; int64_t value; } constants[] = {
#define X(name) { #name, (int64_t)name },
    CONSTANTS(X)
#undef X
    { "CEOF", 4 }, { "CEOL", 0 }, { "CINTR", 3 }, { "CQUIT", 28 }, { "CERASE", 127 }, { "CKILL", 21 }, { "CSTART", 17 }, { "CSTOP", 19 }, { "CSUSP", 26 },
    { "CDSUSP", 25 }, { "CRPRNT", 18 }, { "CFLUSH", 15 }, { "CWERASE", 23 }, { "CLNEXT", 22 }, { "CEOL2", 0 }, { "CEOT", 4 }, { "CSWTCH", 0 },
};

static bool execute(Value module)
{
    Value error = ty_type_from_name("termios.error", &ty_Exception, TY_NULL);
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    if (error == TY_NULL || !ty_module_add(module, "error", error))
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add(module, constants[i].name, ty_int_from_int64(constants[i].value)))
            return false;
    return true;
}

const TyModuleDef ty_module_termios = {
    .name = "termios",
    .doc = "Settings of terminals.",
    .functions = functions,
    .execute = execute,
    .state_count = STATE_COUNT,
};
