/* select: waiting for descriptors, by select(), poll() and epoll.
 *
 * A wait that a signal breaks runs the signal's handler and goes on with the time that is left. Nothing of the heap is touched while
 * waiting: descriptors are copied out before, results are made after. */
#include "base/clock.h"
#include "modules/descriptor.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <errno.h>
#include <math.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

/* --- time ------------------------------------------------------------------------------------------------------------------ */

/* A time-out counted in units of so many nanoseconds, rounded up; -1 for None and, where that may be, for negative ones. */
static bool timeout_of(Value v, int64_t unit, const char *what, int64_t *out)
{
    *out = -1;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (ty_is_float(v)) {
        double ns = ty_float_value(v) * (double)unit;
        ns = ns < 0 ? floor(ns) : ceil(ns); /* a little less than nothing is for ever, too */
        if (isnan(ns)) {
            ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
        if (ns > 9.2e18 || ns < -9.2e18) {
            ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t");
            return false;
        }
        *out = (int64_t)ns;
    } else if (ty_has_index(v)) {
        int64_t count;
        Value number = ty_number_index(v);
        if (number == TY_NULL)
            return false;
        if (ty_int_get_int64(number, &count) != 0 || count > INT64_MAX / unit || count < INT64_MIN / unit) {
            ty_raise(&ty_OverflowError, "timeout is too large");
            return false;
        }
        *out = count * unit;
    } else {
        ty_raise(&ty_TypeError, "%s", what);
        return false;
    }
    return true;
}

static int64_t deadline_of(int64_t timeout) { return timeout > 0 ? ty_clock_monotonic_ns() + timeout : timeout; }
static int64_t left_until(int64_t deadline, int64_t timeout)
{
    return timeout <= 0 ? timeout : TY_MAX(deadline - ty_clock_monotonic_ns(), 0);
}

/* Whole milliseconds for the system's calls, rounded up; -1: no limit. False with OverflowError. */
static bool milliseconds(int64_t timeout, int *out)
{
    if (timeout < 0) {
        *out = -1;
        return true;
    }
    int64_t ms = timeout / 1000000 + (timeout % 1000000 != 0);
    if (ms > INT_MAX) {
        ty_raise(&ty_OverflowError, "timeout is too large");
        return false;
    }
    *out = (int)ms;
    return true;
}

/* --- select() ----------------------------------------------------------------------------------------------------------------- */

typedef struct Watched {
    Value objects; /* a list or tuple */
    int64_t count;
    int descriptors[FD_SETSIZE];
    fd_set set;
} Watched;

static bool watch(Watched *watched, Value objects, int *highest)
{
    FD_ZERO(&watched->set);
    watched->objects = ty_sequence_fast(objects, "arguments 1-3 must be sequences");
    if (watched->objects == TY_NULL)
        return false;
    Value source = watched->objects;
    watched->objects = ty_list_new(0);
    watched->count = 0;
    for (int64_t i = 0; watched->objects != TY_NULL; i++) { /* looking at an object may change the list */
        int descriptor;
        Value object = ty_is_list(source) ? ty_list_item(source, i) : i < ty_tuple_length(source) ? ty_tuple_item(source, i) : TY_NULL;
        if (object == TY_NULL)
            return true;
        if (!ty_to_descriptor(object, &descriptor))
            return false;
        if (i >= FD_SETSIZE) {
            ty_raise(&ty_ValueError, "too many file descriptors in select()");
            return false;
        }
        if (!ty_list_append(watched->objects, object))
            return false;
        watched->count = i + 1;
        if (descriptor >= FD_SETSIZE) {
            ty_raise(&ty_ValueError, "filedescriptor out of range in select()");
            return false;
        }
        watched->descriptors[i] = descriptor;
        FD_SET(descriptor, &watched->set);
        *highest = TY_MAX(*highest, descriptor);
    }
    return false;
}

static Value ready_of(const Watched *watched, const fd_set *set)
{
    Value list = ty_list_new(0);
    for (int64_t i = 0; list != TY_NULL && i < watched->count; i++)
        if (FD_ISSET(watched->descriptors[i], set) && !ty_list_append(list, ty_list_item(watched->objects, i)))
            return TY_NULL;
    return list;
}

static Value select_select(Value module, Value *a)
{
    int64_t timeout;
    if (!timeout_of(a[3], 1000000000, "timeout must be a float or None", &timeout))
        return TY_NULL;
    if (timeout < 0 && a[3] != TY_NULL && a[3] != TY_NONE)
        return ty_raise(&ty_ValueError, "timeout must be non-negative");
    Watched watched[3];
    int highest = -1;
    for (int i = 0; i < 3; i++)
        if (!watch(&watched[i], a[i], &highest))
            return TY_NULL;
    int64_t deadline = deadline_of(timeout);
    fd_set sets[3];
    for (;;) {
        for (int i = 0; i < 3; i++)
            sets[i] = watched[i].set;
        int64_t left = left_until(deadline, timeout);
        struct timeval time = {left / 1000000000, left % 1000000000 / 1000};
        if (left > 0 && left % 1000)
            time.tv_usec++; /* 1,000,000 is as good as a second to the system */
        ty_blocking_begin();
        int count = select(highest + 1, &sets[0], &sets[1], &sets[2], left < 0 ? NULL : &time);
        ty_blocking_end();
        if (count >= 0)
            break;
        if (errno != EINTR)
            return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
        if (!ty_poll_run())
            return TY_NULL;
        if (timeout > 0 && left_until(deadline, timeout) == 0) {
            for (int i = 0; i < 3; i++)
                FD_ZERO(&sets[i]);
            break;
        }
    }
    return ty_tuple_pack(3, ready_of(&watched[0], &sets[0]), ready_of(&watched[1], &sets[1]), ready_of(&watched[2], &sets[2]));
}

/* --- poll() -------------------------------------------------------------------------------------------------------------------- */

typedef struct Poll {
    TyObject base;
    Value masks; /* a dict: descriptor → events */
    _Atomic bool running;
} Poll;

static TyType poll_type, epoll_type;
static Poll *as_poll(Value v) { return (Poll *)ty_object(v); }
static void poll_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Poll *)self)->masks); }

static Value select_poll(Value module, const Value *arguments, size_t count, Value keywords)
{
    if (count > 0 || (keywords != TY_NULL && ty_tuple_length(keywords) > 0))
        return ty_raise(&ty_TypeError, "select.poll() takes no arguments (%zu given)", count);
    Value masks = ty_dict_new();
    Poll *poll = masks == TY_NULL ? NULL : ty_allocate(&poll_type, sizeof(Poll));
    if (!poll)
        return TY_NULL;
    ty_store(poll, &poll->masks, masks);
    return ty_from_object(poll);
}

static bool poll_mask(Value v, uint16_t *out)
{
    *out = POLLIN | POLLPRI | POLLOUT;
    if (v == TY_NULL)
        return true;
    Value number = ty_number_index(v);
    int64_t mask;
    if (number == TY_NULL)
        return false;
    if (ty_int_sign(number) < 0) {
        ty_raise(&ty_ValueError, "Cannot convert negative int");
        return false;
    }
    if (ty_int_get_int64(number, &mask) != 0 || mask > UINT16_MAX) {
        ty_raise(&ty_OverflowError, "Python int too large for C unsigned short");
        return false;
    }
    *out = (uint16_t)mask;
    return true;
}

static Value poll_register(Value self, Value *a)
{
    int descriptor;
    uint16_t mask;
    if (!ty_to_descriptor(a[0], &descriptor) || !poll_mask(a[1], &mask))
        return TY_NULL;
    return ty_dict_set(as_poll(self)->masks, ty_from_immediate_int(descriptor), ty_from_immediate_int(mask)) ? TY_NONE : TY_NULL;
}

static Value poll_modify(Value self, Value *a)
{
    int descriptor;
    uint16_t mask;
    if (!ty_to_descriptor(a[0], &descriptor) || !poll_mask(a[1], &mask))
        return TY_NULL;
    Value key = ty_from_immediate_int(descriptor);
    int known = ty_dict_contains(as_poll(self)->masks, key);
    if (known <= 0)
        return known < 0 ? TY_NULL : ty_raise_errno(&ty_OSError, ENOENT, TY_NULL, TY_NULL);
    return ty_dict_set(as_poll(self)->masks, key, ty_from_immediate_int(mask)) ? TY_NONE : TY_NULL;
}

static Value poll_unregister(Value self, Value *a)
{
    int descriptor;
    if (!ty_to_descriptor(a[0], &descriptor))
        return TY_NULL;
    Value key = ty_from_immediate_int(descriptor);
    int deleted = ty_dict_delete(as_poll(self)->masks, key);
    return deleted == 1 ? TY_NONE : deleted < 0 ? TY_NULL : ty_raise_key_error(key);
}

/* The system's call, with the array that it fills in. */
static int wait_poll(struct pollfd *entries, nfds_t count, int64_t timeout)
{
    int64_t deadline = deadline_of(timeout);
    for (;;) {
        int ms;
        if (!milliseconds(left_until(deadline, timeout), &ms))
            return -1;
        ty_blocking_begin();
        int ready = poll(entries, count, ms);
        ty_blocking_end();
        if (ready >= 0)
            return ready;
        if (errno != EINTR) {
            ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
            return -1;
        }
        if (!ty_poll_run())
            return -1;
        if (timeout > 0 && left_until(deadline, timeout) == 0)
            return 0;
    }
}

static Value poll_results(const struct pollfd *entries, nfds_t count)
{
    Value list = ty_list_new(0);
    for (nfds_t i = 0; list != TY_NULL && i < count; i++) {
        if (!entries[i].revents)
            continue;
        Value pair = ty_tuple_pack(2, ty_from_immediate_int(entries[i].fd), ty_from_immediate_int((uint16_t)entries[i].revents));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            return TY_NULL;
    }
    return list;
}

static Value poll_poll(Value self, Value *a)
{
    Poll *poller = as_poll(self);
    int64_t timeout;
    if (!timeout_of(a[0], 1000000, "timeout must be an integer or None", &timeout))
        return TY_NULL;
    if (atomic_exchange_explicit(&poller->running, true, memory_order_acquire))
        return ty_raise(&ty_RuntimeError, "concurrent poll() invocation");
    Value result = TY_NULL, items = ty_dict_items(poller->masks);
    int64_t count = items == TY_NULL ? 0 : ty_list_length(items);
    struct pollfd *entries = items == TY_NULL ? NULL : calloc((size_t)count + 1, sizeof *entries);
    if (entries) {
        for (int64_t i = 0; i < count; i++) {
            Value pair = ty_list_item(items, i);
            entries[i].fd = (int)ty_immediate_int(ty_tuple_item(pair, 0));
            entries[i].events = (short)ty_immediate_int(ty_tuple_item(pair, 1));
        }
        if (wait_poll(entries, (nfds_t)count, timeout) >= 0)
            result = poll_results(entries, (nfds_t)count);
        free(entries);
    } else if (!ty_raised()) {
        ty_raise_memory_error();
    }
    ty_store_release(&poller->running, false);
    return result;
}

static const TyNativeDef poll_methods[] = {
    TY_METHOD("register(self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)", poll_register,
              "Adds a descriptor, or an object with a fileno(), and the events to wait for; or changes them."),
    TY_METHOD("modify(self, fd, eventmask, /)", poll_modify, "Changes the events of a descriptor that was added before."),
    TY_METHOD("unregister(self, fd, /)", poll_unregister, "Removes a descriptor."),
    TY_METHOD("poll(self, timeout=None, /)", poll_poll, "Waits, at most so many milliseconds, and returns a list of (descriptor, events)."),
    {0},
};

static TyType poll_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Poll), .trace = poll_trace},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "select.poll",
    .methods = poll_methods,
};

/* --- epoll ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Epoll {
    TyObject base;
    _Atomic int descriptor; /* -1: closed */
} Epoll;

static Epoll *as_epoll(Value v) { return (Epoll *)ty_object(v); }

static void epoll_destroy(TyObject *self)
{
    int descriptor = ty_load_relaxed(&((Epoll *)self)->descriptor);
    if (descriptor >= 0)
        close(descriptor);
}

static Value epoll_from(TyType *type, int descriptor)
{
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL) {
        close(descriptor);
        return TY_NULL;
    }
    ty_store_relaxed(&as_epoll(v)->descriptor, descriptor);
    return v;
}

static Value epoll_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("epoll(sizehint=-1, flags=0)");
    Value a[2];
    int32_t hint = -1, flags = 0;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a) || (a[0] != TY_NULL && !ty_to_int32(a[0], &hint)) ||
        (a[1] != TY_NULL && !ty_to_int32(a[1], &flags)))
        return TY_NULL;
    if (hint < -1 || hint == 0)
        return ty_raise(&ty_ValueError, "negative sizehint");
    if (flags && flags != EPOLL_CLOEXEC)
        return ty_raise(&ty_OSError, "invalid flags");
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : epoll_from(type, descriptor);
}

static Value epoll_fromfd(Value type, Value *a)
{
    int32_t descriptor;
    return ty_to_int32(a[0], &descriptor) ? epoll_from(ty_as_type(type), descriptor) : TY_NULL;
}

static bool open_epoll(Value self, int *descriptor)
{
    *descriptor = ty_load_relaxed(&as_epoll(self)->descriptor);
    if (*descriptor >= 0)
        return true;
    ty_raise(&ty_ValueError, "I/O operation on closed epoll object");
    return false;
}

static Value epoll_close(Value self, Value *a)
{
    int descriptor = atomic_exchange_explicit(&as_epoll(self)->descriptor, -1, memory_order_relaxed);
    if (descriptor < 0)
        return TY_NONE;
    ty_blocking_begin();
    int failed = close(descriptor);
    ty_blocking_end();
    return failed ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : TY_NONE;
}

static Value epoll_fileno(Value self, Value *a)
{
    int descriptor;
    return open_epoll(self, &descriptor) ? ty_from_immediate_int(descriptor) : TY_NULL;
}

static Value control(Value self, int operation, Value target, Value mask_value)
{
    int epoll, descriptor;
    uint64_t mask = EPOLLIN | EPOLLPRI | EPOLLOUT;
    if (!open_epoll(self, &epoll) || !ty_to_descriptor(target, &descriptor) || (mask_value != TY_NULL && !ty_to_uint64_mask(mask_value, &mask)))
        return TY_NULL;
    struct epoll_event event = {.events = (uint32_t)mask, .data.fd = descriptor};
    ty_blocking_begin();
    int failed = epoll_ctl(epoll, operation, descriptor, &event);
    ty_blocking_end();
    return failed ? ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL) : TY_NONE;
}

static Value epoll_register(Value self, Value *a) { return control(self, EPOLL_CTL_ADD, a[0], a[1]); }
static Value epoll_modify(Value self, Value *a) { return control(self, EPOLL_CTL_MOD, a[0], a[1]); }
static Value epoll_unregister(Value self, Value *a) { return control(self, EPOLL_CTL_DEL, a[0], TY_NULL); }

static int wait_epoll(int epoll, struct epoll_event *events, int room, int64_t timeout)
{
    int64_t deadline = deadline_of(timeout);
    for (;;) {
        int ms;
        if (!milliseconds(left_until(deadline, timeout), &ms))
            return -1;
        ty_blocking_begin();
        int ready = epoll_wait(epoll, events, room, ms);
        ty_blocking_end();
        if (ready >= 0)
            return ready;
        if (errno != EINTR) {
            ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
            return -1;
        }
        if (!ty_poll_run())
            return -1;
        if (timeout > 0 && left_until(deadline, timeout) == 0)
            return 0;
    }
}

static Value epoll_poll(Value self, Value *a)
{
    int epoll;
    int32_t room = FD_SETSIZE - 1;
    int64_t timeout;
    if (!open_epoll(self, &epoll) || !timeout_of(a[0], 1000000000, "timeout must be an integer or None", &timeout) ||
        (a[1] != TY_NULL && !ty_to_int32(a[1], &room)))
        return TY_NULL;
    if (room == -1)
        room = FD_SETSIZE - 1;
    if (room < 1)
        return ty_raise(&ty_ValueError, "maxevents must be greater than 0, got %d", room);
    struct epoll_event *events = malloc((size_t)room * sizeof *events);
    if (!events)
        return ty_raise_memory_error();
    int count = wait_epoll(epoll, events, room, timeout);
    Value list = count < 0 ? TY_NULL : ty_list_new(count);
    for (int i = 0; list != TY_NULL && i < count; i++) {
        Value pair = ty_tuple_pack(2, ty_from_immediate_int(events[i].data.fd), ty_from_immediate_int(events[i].events));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            list = TY_NULL;
    }
    free(events);
    return list;
}

static Value epoll_enter(Value self, Value *a)
{
    int descriptor;
    return open_epoll(self, &descriptor) ? self : TY_NULL;
}

static Value epoll_exit(Value self, Value *a) { return ty_call_method_none(self, TY_NAME("close")); }
static Value epoll_closed(Value self) { return ty_from_bool(ty_load_relaxed(&as_epoll(self)->descriptor) < 0); }

static const TyGetSetDef epoll_getsets[] = {{"closed", epoll_closed, NULL, "Whether it is closed."}, {0}};

static const TyNativeDef epoll_methods[] = {
    TY_CLASS_METHOD("fromfd(type, fd, /)", epoll_fromfd, "An epoll object for a descriptor of one."),
    TY_METHOD("close(self, /)", epoll_close, "Closes its descriptor; other operations then raise ValueError."),
    TY_METHOD("fileno(self, /)", epoll_fileno, "Its descriptor."),
    TY_METHOD("register(self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)", epoll_register,
              "Adds a descriptor, or an object with a fileno(), and the events to wait for."),
    TY_METHOD("modify(self, /, fd, eventmask)", epoll_modify, "Changes the events of a descriptor."),
    TY_METHOD("unregister(self, /, fd)", epoll_unregister, "Removes a descriptor."),
    TY_METHOD("poll(self, /, timeout=None, maxevents=-1)", epoll_poll, "Waits, at most so many seconds, and returns a list of (descriptor, events)."),
    TY_METHOD("__enter__(self, /)", epoll_enter, "Itself, if it is open."),
    TY_METHOD("__exit__(self, exc_type=None, exc_value=None, exc_tb=None, /)", epoll_exit, "Closes it."),
    {0},
};

static TyType epoll_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Epoll), .destroy = epoll_destroy},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "select.epoll",
    .doc = "epoll(sizehint=-1, flags=0)\nAn epoll object: descriptors that the system watches for their events. Both arguments are there for old programs.",
    .slots = {.new = epoll_new},
    .methods = epoll_methods,
    .getsets = epoll_getsets,
};

/* --- the module ------------------------------------------------------------------------------------------------------------------ */

static const struct { const char *name; int64_t value; } constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(PIPE_BUF), CONSTANT(POLLIN), CONSTANT(POLLPRI), CONSTANT(POLLOUT), CONSTANT(POLLERR), CONSTANT(POLLHUP), CONSTANT(POLLNVAL), CONSTANT(POLLRDNORM),
    CONSTANT(POLLRDBAND), CONSTANT(POLLWRNORM), CONSTANT(POLLWRBAND), CONSTANT(POLLMSG), CONSTANT(POLLRDHUP), CONSTANT(EPOLLIN), CONSTANT(EPOLLOUT), CONSTANT(EPOLLPRI),
    CONSTANT(EPOLLERR), CONSTANT(EPOLLHUP), CONSTANT(EPOLLRDHUP), CONSTANT(EPOLLONESHOT), CONSTANT(EPOLLRDNORM), CONSTANT(EPOLLRDBAND),
    CONSTANT(EPOLLWRNORM), CONSTANT(EPOLLWRBAND), CONSTANT(EPOLLMSG), CONSTANT(EPOLL_CLOEXEC), {"EPOLLET", 1u << 31}, {"EPOLLEXCLUSIVE", 1u << 28}, {"EPOLLWAKEUP", 1u << 29},
#undef CONSTANT
};

static bool execute(Value module)
{
    if (!ty_type_ready(&poll_type) || !ty_module_add(module, "error", ty_from_object(&ty_OSError)))
        return false;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return true;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("select(rlist, wlist, xlist, timeout=None, /)", select_select,
                "Waits, at most so many seconds, until some of the objects are ready for reading, for writing, or have something\n"
                "exceptional: three lists of those that are. The objects are descriptors or have a fileno()."),
    TY_RAW_FUNCTION("poll()", select_poll, "A polling object, to which descriptors can be added."),
    {0},
};

static TyType *const types[] = {&epoll_type, NULL};

const TyModuleDef ty_module_select = {
    .name = "select",
    .doc = "Waiting for input and output on many descriptors at once.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
