/* _socket: sockets of the Internet's families and of Unix, and names of hosts.
 *
 * A socket with a time-out is non-blocking to the system; each operation waits for it to be ready, up to its deadline. */
#include "modules/socket.h"
#include "base/clock.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/bytes_parts.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>

typedef struct Socket {
    TyObject base;
    _Atomic int descriptor; /* -1: closed */
    int family, type, protocol;
    _Atomic int64_t timeout; /* nanoseconds; -1: none */
} Socket;

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_nl netlink;
    struct sockaddr_ll packet;
    struct sockaddr_vm machine;
    struct sockaddr_can can;
    struct sockaddr_alg algorithm;
    struct sockaddr_storage storage;
} Address;

enum { STATE_HERROR, STATE_GAIERROR, STATE_COUNT };

static _Atomic int64_t default_timeout = -1;
static TyType socket_type;

static Socket *as_socket(Value v) { return (Socket *)ty_object(v); }
static Value system_error(void) { return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL); }

bool ty_is_socket(Value v) { return ty_is_instance_of(v, &socket_type); }
int ty_socket_descriptor(Value socket) { return ty_load_relaxed(&as_socket(socket)->descriptor); }
int64_t ty_socket_timeout(Value socket) { return ty_load_relaxed(&as_socket(socket)->timeout); }

static void socket_destroy(TyObject *self)
{
    int descriptor = ty_load_relaxed(&((Socket *)self)->descriptor);
    if (descriptor >= 0)
        close(descriptor);
}

/* A socket that was forgotten while open: it is closed, with a warning. */
static bool socket_finalize(TyObject *self)
{
    Value v = ty_from_object(self), raised = ty_take_exception();
    if (ty_load_relaxed(&((Socket *)self)->descriptor) >= 0) {
        if (!ty_warn(&ty_ResourceWarning, 1, "unclosed %R", v))
            ty_write_unraisable(v, NULL);
        int descriptor = atomic_exchange_explicit(&((Socket *)self)->descriptor, -1, memory_order_acq_rel);
        if (descriptor >= 0)
            close(descriptor);
    }
    ty_restore_exception(raised);
    return true;
}

/* A system call that makes a descriptor; when there are no more, sockets and files that were forgotten but not yet collected may make room. */
#define MAKE_DESCRIPTOR(result, call)                                 \
    do {                                                              \
        result = call;                                                \
        if (result < 0 && (errno == EMFILE || errno == ENFILE)) {     \
            ty_heap_collect();                                        \
            ty_heap_run_pending();                                    \
            result = call;                                            \
        }                                                             \
    } while (0)

static Value resolver_error(int error)
{
    if (error == EAI_SYSTEM)
        return system_error();
    Value module = ty_module_current("_socket");
    if (module == TY_NULL)
        return TY_NULL;
    Value arguments = ty_tuple_pack(2, ty_from_immediate_int(error), ty_str_from_text(gai_strerror(error)));
    Value exception = arguments == TY_NULL ? TY_NULL : ty_call_with(ty_module_state(module)[STATE_GAIERROR], arguments, TY_NULL);
    return exception == TY_NULL ? TY_NULL : ty_raise_object(exception);
}

/* --- waiting -------------------------------------------------------------------------------------------------------------------- */

/* Until the socket is ready for these events: 1 ready, 0 out of time (TimeoutError raised), -1 error. */
static int wait_for(Socket *s, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = TY_MAX(deadline - ty_clock_monotonic_ns(), 0);
        struct pollfd entry = {.fd = ty_load_relaxed(&s->descriptor), .events = events};
        ty_blocking_begin();
        int ready = poll(&entry, 1, (int)TY_MIN((left + 999999) / 1000000, INT_MAX));
        ty_blocking_end();
        if (ready > 0)
            return 1;
        if (ready == 0) {
            ty_raise(&ty_TimeoutError, "timed out");
            return 0;
        }
        if (errno != EINTR) {
            system_error();
            return -1;
        }
        if (!ty_poll_run())
            return -1;
    }
}

/* Makes a call on a socket, waiting as its time-out says; `result` is -1 with an exception raised when it failed. */
#define SOCKET_CALL(result, s, events, call)                                                     \
    do {                                                                                         \
        int64_t timeout_ = ty_load_relaxed(&(s)->timeout);                                       \
        int64_t deadline_ = timeout_ > 0 ? ty_clock_monotonic_ns() + timeout_ : 0;               \
        for (;;) {                                                                               \
            if (timeout_ > 0 && wait_for(s, events, deadline_) <= 0) {                           \
                result = -1;                                                                     \
                break;                                                                           \
            }                                                                                    \
            int descriptor_ = ty_load_relaxed(&(s)->descriptor);                                 \
            (void)descriptor_;                                                                   \
            ty_blocking_begin();                                                                 \
            result = call;                                                                       \
            ty_blocking_end();                                                                   \
            if (result != -1)                                                                    \
                break;                                                                           \
            if (errno == EINTR ? ty_poll_run() : timeout_ > 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) \
                continue;                                                                        \
            if (!ty_raised())                                                                    \
                system_error();                                                                  \
            break;                                                                               \
        }                                                                                        \
    } while (0)
#define FD ty_load_relaxed(&s->descriptor)

static bool to_timeout(Value v, int64_t *out)
{
    *out = -1;
    if (v == TY_NONE)
        return true;
    double seconds;
    if (!ty_to_double(v, &seconds))
        return false;
    if (isnan(seconds)) {
        ty_raise(&ty_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    if (seconds < 0) {
        ty_raise(&ty_ValueError, "Timeout value out of range");
        return false;
    }
    if (seconds > 9.2e9) {
        ty_raise(&ty_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    *out = (int64_t)ceil(seconds * 1e9);
    return true;
}

static bool set_nonblocking(int descriptor, bool nonblocking)
{
    int flag = nonblocking;
    if (ioctl(descriptor, FIONBIO, &flag) >= 0)
        return true;
    system_error();
    return false;
}

/* --- addresses --------------------------------------------------------------------------------------------------------------------- */

/* The host of an address into `address`: empty for any, a number, or a name that is looked up. */
static bool resolve(const char *host, int family, Address *address)
{
    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)family;
    if (!*host) {
        if (family == AF_INET6)
            address->v6.sin6_addr = in6addr_any;
        else
            address->v4.sin_addr.s_addr = htonl(INADDR_ANY);
        return true;
    }
    if (family == AF_INET && !strcmp(host, "<broadcast>")) {
        address->v4.sin_addr.s_addr = htonl(INADDR_BROADCAST);
        return true;
    }
    if (inet_pton(family, host, family == AF_INET6 ? (void *)&address->v6.sin6_addr : (void *)&address->v4.sin_addr) == 1)
        return true;
    struct addrinfo hints = {.ai_family = family}, *found = NULL;
    ty_blocking_begin();
    int error = getaddrinfo(host, NULL, &hints, &found);
    ty_blocking_end();
    if (error) {
        resolver_error(error);
        return false;
    }
    memcpy(address, found->ai_addr, TY_MIN((size_t)found->ai_addrlen, sizeof *address));
    freeaddrinfo(found);
    return true;
}

/* A host given as str (in ASCII, or by IDNA) or bytes; "" for None where that may be. */
static const char *host_text(Value v, Value *holder)
{
    if (ty_is_str(v) && !ty_str_is_ascii(v)) {
        *holder = ty_call_method_one(v, TY_NAME("encode"), TY_NAME("idna"));
        return *holder == TY_NULL ? NULL : (const char *)ty_bytes_data(*holder);
    }
    if (ty_is_str(v)) {
        *holder = ty_str_encode_utf8(v, NULL);
    } else if (ty_is_bytes(v)) {
        *holder = v;
    } else if (ty_is_bytearray(v)) {
        *holder = ty_bytes_from_object(v);
    } else {
        ty_raise(&ty_TypeError, "str, bytes or bytearray expected, not %T", v);
        return NULL;
    }
    if (*holder == TY_NULL)
        return NULL;
    if (memchr(ty_bytes_data(*holder), 0, (size_t)ty_bytes_length(*holder))) {
        ty_raise(&ty_TypeError, "host name must not contain null character");
        return NULL;
    }
    return (const char *)ty_bytes_data(*holder);
}

static bool to_port(Value v, const char *function, uint16_t *port)
{
    int32_t number;
    if (!ty_to_int32(v, &number))
        return false;
    if (number < 0 || number > 0xFFFF) {
        ty_raise(&ty_OverflowError, "%s(): port must be 0-65535.", function);
        return false;
    }
    *port = htons((uint16_t)number);
    return true;
}

static bool to_unix(Value v, Address *address, socklen_t *size)
{
    Value bytes = ty_is_str(v) ? ty_str_encode_fs(v) : v;
    if (bytes == TY_NULL)
        return false;
    TyBytesArgument path;
    if (!ty_bytes_argument(bytes, &path))
        return false;
    memset(address, 0, sizeof address->local);
    address->local.sun_family = AF_UNIX;
    bool abstract = path.length == 0 || path.data[0] == 0, fits = path.length < (int64_t)sizeof address->local.sun_path + abstract;
    if (fits) {
        memcpy(address->local.sun_path, path.data, (size_t)path.length);
        *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)path.length + !abstract);
    } else {
        ty_raise(&ty_OSError, "AF_UNIX path too long");
    }
    ty_bytes_argument_release(&path);
    return fits;
}

/* --- addresses of the other families --- */

/* Whether an address is a tuple of so many items. */
static bool check_tuple(Value v, const char *function, const char *family, int64_t least, int64_t most, const char *shape)
{
    if (!ty_is_tuple(v))
        ty_raise(&ty_TypeError, "%s(): %s address must be tuple, not %T", function, family, v);
    else if (ty_tuple_length(v) < least || ty_tuple_length(v) > most)
        ty_raise(&ty_TypeError, "%s", shape);
    else
        return true;
    return false;
}

/* Numbers of a tuple from an index on, modulo 2^32. */
static bool tuple_numbers(Value v, int64_t from, int count, uint32_t *out)
{
    for (int i = 0; i < count; i++) {
        uint64_t number;
        if (!ty_to_uint64_mask(ty_tuple_item(v, from + i), &number))
            return false;
        out[i] = (uint32_t)number;
    }
    return true;
}

/* The number of an interface given by name: 0 for "" where that means all. */
static bool interface_number(Socket *s, Value name, bool may_be_all, int *out)
{
    struct ifreq request = {0};
    size_t size;
    Value holder;
    if (!ty_is_str(name)) {
        ty_raise(&ty_TypeError, "must be str, not %T", name);
        return false;
    }
    const char *text = ty_str_utf8(name, &size, &holder);
    *out = 0;
    if (!text || (may_be_all && size == 0))
        return text != NULL;
    if (size >= sizeof request.ifr_name) {
        ty_raise(&ty_OSError, "interface name too long");
        return false;
    }
    memcpy(request.ifr_name, text, size);
    if (ioctl(ty_load_relaxed(&s->descriptor), SIOCGIFINDEX, &request) < 0) {
        system_error();
        return false;
    }
    *out = request.ifr_ifindex;
    return true;
}

static bool to_packet(Socket *s, Value v, const char *function, Address *address)
{
    int32_t protocol, kind = 0, hardware = 0;
    int interface;
    TyBytesArgument bytes;
    if (!check_tuple(v, function, "AF_PACKET", 2, 5, "AF_PACKET address must be a tuple of two to five elements"))
        return false;
    int64_t count = ty_tuple_length(v);
    if (!interface_number(s, ty_tuple_item(v, 0), false, &interface) || !ty_to_int32(ty_tuple_item(v, 1), &protocol) ||
        (count > 2 && !ty_to_int32(ty_tuple_item(v, 2), &kind)) || (count > 3 && !ty_to_int32(ty_tuple_item(v, 3), &hardware)))
        return false;
    if (protocol < 0 || protocol > 0xFFFF) {
        ty_raise(&ty_OverflowError, "%s(): proto argument must be 0-65535.", function);
        return false;
    }
    address->packet.sll_family = AF_PACKET;
    address->packet.sll_protocol = htons((uint16_t)protocol);
    address->packet.sll_ifindex = interface;
    address->packet.sll_pkttype = (unsigned char)kind;
    address->packet.sll_hatype = (unsigned short)hardware;
    if (count < 5)
        return true;
    if (!ty_bytes_argument(ty_tuple_item(v, 4), &bytes))
        return false;
    bool fits = bytes.length <= 8;
    if (fits)
        memcpy(address->packet.sll_addr, bytes.data, (size_t)bytes.length);
    else
        ty_raise(&ty_ValueError, "hardware address must be 8 bytes or less");
    address->packet.sll_halen = (unsigned char)bytes.length;
    ty_bytes_argument_release(&bytes);
    return fits;
}

/* What names an algorithm of the kernel's, into a field of an address. */
static bool algorithm_name(Value v, void *field, size_t room, const char *error)
{
    size_t size;
    Value holder;
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "must be str, not %T", v);
        return false;
    }
    const char *text = ty_str_utf8(v, &size, &holder);
    if (text && size >= room)
        ty_raise(&ty_ValueError, "%s", error);
    else if (text)
        memcpy(field, text, size);
    return text && size < room;
}

static bool to_can(Socket *s, Value v, const char *function, Address *address)
{
    uint32_t numbers[3];
    int interface;
    bool transport = s->protocol == CAN_ISOTP, vehicle = s->protocol == CAN_J1939;
    int64_t count = transport ? 3 : vehicle ? 4 : 1;
    const char *shape = transport ? "AF_CAN address must be a tuple (interface, rx_addr, tx_addr)"
                      : vehicle ? "AF_CAN address must be a tuple (interface, name, pgn, addr)" : "AF_CAN address must be a tuple (interface, )";
    if (!check_tuple(v, function, "AF_CAN", count, count, shape) || !interface_number(s, ty_tuple_item(v, 0), true, &interface))
        return false;
    address->can.can_family = AF_CAN;
    address->can.can_ifindex = interface;
    if (transport && tuple_numbers(v, 1, 2, numbers)) {
        address->can.can_addr.tp.rx_id = numbers[0];
        address->can.can_addr.tp.tx_id = numbers[1];
    } else if (vehicle && tuple_numbers(v, 2, 2, numbers)) {
        uint64_t name;
        if (!ty_to_uint64_mask(ty_tuple_item(v, 1), &name))
            return false;
        address->can.can_addr.j1939.name = name;
        address->can.can_addr.j1939.pgn = numbers[0];
        address->can.can_addr.j1939.addr = (uint8_t)numbers[1];
    }
    return !ty_raised();
}

static bool to_algorithm(Value v, const char *function, Address *address)
{
    uint32_t numbers[2];
    if (!check_tuple(v, function, "AF_ALG", 2, 4, "AF_ALG address must be a tuple (type, name[, feat[, mask]])") ||
        !algorithm_name(ty_tuple_item(v, 0), address->algorithm.salg_type, sizeof address->algorithm.salg_type, "AF_ALG type too long.") ||
        !algorithm_name(ty_tuple_item(v, 1), address->algorithm.salg_name, sizeof address->algorithm.salg_name, "AF_ALG name too long.") ||
        !tuple_numbers(v, 2, (int)ty_tuple_length(v) - 2, numbers))
        return false;
    address->algorithm.salg_family = AF_ALG;
    address->algorithm.salg_feat = ty_tuple_length(v) > 2 ? numbers[0] : 0;
    address->algorithm.salg_mask = ty_tuple_length(v) > 3 ? numbers[1] : 0;
    return true;
}

/* An address of a family that few use; false with OSError for one that is not supported. */
static bool to_other(Socket *s, Value v, const char *function, Address *address, socklen_t *size)
{
    uint32_t numbers[2];
    memset(address, 0, sizeof *address);
    switch (s->family) {
    case AF_NETLINK:
        if (!check_tuple(v, function, "AF_NETLINK", 2, 2, "AF_NETLINK address must be a pair (pid, groups)") || !tuple_numbers(v, 0, 2, numbers))
            return false;
        address->netlink.nl_family = AF_NETLINK;
        address->netlink.nl_pid = numbers[0];
        address->netlink.nl_groups = numbers[1];
        *size = sizeof address->netlink;
        return true;
    case AF_VSOCK:
        if (!check_tuple(v, "getsockaddrarg", "AF_VSOCK", 2, 2, "AF_VSOCK address must be a pair (CID, port)") || !tuple_numbers(v, 0, 2, numbers))
            return false;
        address->machine.svm_family = AF_VSOCK;
        address->machine.svm_cid = numbers[0];
        address->machine.svm_port = numbers[1];
        *size = sizeof address->machine;
        return true;
    case AF_PACKET:
        *size = sizeof address->packet;
        return to_packet(s, v, function, address);
    case AF_CAN:
        *size = sizeof address->can;
        return to_can(s, v, function, address);
    case AF_ALG:
        *size = sizeof address->algorithm;
        return to_algorithm(v, function, address);
    default:
        ty_raise(&ty_OSError, "%s(): bad family", function);
        return false;
    }
}

static Value from_can(int protocol, const struct sockaddr_can *can)
{
    char name[IF_NAMESIZE] = "";
    if (can->can_ifindex)
        if_indextoname((unsigned)can->can_ifindex, name);
    Value interface = ty_str_decode_fs(name, strlen(name));
    if (protocol == CAN_ISOTP)
        return ty_tuple_pack(3, interface, ty_from_immediate_int(can->can_addr.tp.rx_id), ty_from_immediate_int(can->can_addr.tp.tx_id));
    if (protocol == CAN_J1939)
        return ty_tuple_pack(4, interface, ty_int_from_uint64(can->can_addr.j1939.name), ty_from_immediate_int(can->can_addr.j1939.pgn),
                             ty_from_immediate_int(can->can_addr.j1939.addr));
    return ty_tuple_pack(1, interface);
}

static Value from_packet(const struct sockaddr_ll *packet)
{
    char name[IF_NAMESIZE] = "";
    if (packet->sll_ifindex)
        if_indextoname((unsigned)packet->sll_ifindex, name);
    return ty_tuple_pack(5, ty_str_decode_fs(name, strlen(name)), ty_from_immediate_int(ntohs(packet->sll_protocol)), ty_from_immediate_int(packet->sll_pkttype),
                         ty_from_immediate_int(packet->sll_hatype), ty_bytes_new(packet->sll_addr, TY_MIN(packet->sll_halen, sizeof packet->sll_addr)));
}

static bool to_address(Socket *s, Value v, const char *function, Address *address, socklen_t *size)
{
    if (s->family == AF_UNIX)
        return to_unix(v, address, size);
    bool six = s->family == AF_INET6;
    if (s->family != AF_INET && !six)
        return to_other(s, v, function, address, size);
    if (!ty_is_tuple(v)) {
        ty_raise(&ty_TypeError, "%s(): %s address must be tuple, not %T", function, six ? "AF_INET6" : "AF_INET", v);
        return false;
    }
    int64_t count = ty_tuple_length(v);
    if (six ? count < 2 || count > 4 : count != 2) {
        ty_raise(&ty_TypeError, six ? "%s(): AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])" : "%s(): AF_INET address must be a pair (host, port)", function);
        return false;
    }
    Value holder;
    uint16_t port;
    const char *host = host_text(ty_tuple_item(v, 0), &holder);
    if (!host || !to_port(ty_tuple_item(v, 1), function, &port) || !resolve(host, s->family, address))
        return false;
    if (!six) {
        address->v4.sin_port = port;
        *size = sizeof address->v4;
        return true;
    }
    uint64_t flow = 0, scope = 0;
    if ((count > 2 && !ty_to_uint64_mask(ty_tuple_item(v, 2), &flow)) || (count > 3 && !ty_to_uint64_mask(ty_tuple_item(v, 3), &scope)))
        return false;
    if (flow > 0xFFFFF) {
        ty_raise(&ty_OverflowError, "%s(): flowinfo must be 0-1048575.", function);
        return false;
    }
    address->v6.sin6_port = port;
    address->v6.sin6_flowinfo = htonl((uint32_t)flow);
    if (count > 3)
        address->v6.sin6_scope_id = (uint32_t)scope;
    *size = sizeof address->v6;
    return true;
}

static Value from_address(const Address *address, socklen_t size, int protocol)
{
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
    if (size == 0)
        return TY_NONE;
    switch (address->any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof text);
        return ty_tuple_pack(2, ty_str_from_text(text), ty_from_immediate_int(ntohs(address->v4.sin_port)));
    case AF_INET6:
        inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof text);
        return ty_tuple_pack(4, ty_str_from_text(text), ty_from_immediate_int(ntohs(address->v6.sin6_port)),
                             ty_from_immediate_int(ntohl(address->v6.sin6_flowinfo)), ty_from_immediate_int(address->v6.sin6_scope_id));
    case AF_UNIX: {
        size_t length = size > offsetof(struct sockaddr_un, sun_path) ? size - offsetof(struct sockaddr_un, sun_path) : 0;
        if (length && !address->local.sun_path[0])
            return ty_bytes_new(address->local.sun_path, length);
        return ty_str_decode_fs(address->local.sun_path, strnlen(address->local.sun_path, length));
    }
    case AF_NETLINK:
        return ty_tuple_pack(2, ty_from_immediate_int(address->netlink.nl_pid), ty_from_immediate_int(address->netlink.nl_groups));
    case AF_VSOCK:
        return ty_tuple_pack(2, ty_from_immediate_int(address->machine.svm_cid), ty_from_immediate_int(address->machine.svm_port));
    case AF_PACKET: return from_packet(&address->packet);
    case AF_CAN: return from_can(protocol, &address->can);
    default:
        return ty_tuple_pack(2, ty_from_immediate_int(address->any.sa_family), ty_bytes_new(address->any.sa_data, sizeof address->any.sa_data));
    }
}

/* --- the type ------------------------------------------------------------------------------------------------------------------------ */

static Value socket_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value v = ty_type_allocate(type, 0);
    if (v == TY_NULL)
        return TY_NULL;
    ty_store_relaxed(&as_socket(v)->descriptor, -1);
    ty_store_relaxed(&as_socket(v)->timeout, ty_load_relaxed(&default_timeout));
    return v;
}

static bool attach(Socket *s, int descriptor, int family, int type, int protocol)
{
    int64_t timeout = type & SOCK_NONBLOCK ? 0 : ty_load_relaxed(&default_timeout);
    s->family = family;
    s->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    s->protocol = protocol;
    ty_store_relaxed(&s->timeout, timeout);
    ty_store_relaxed(&s->descriptor, descriptor);
    return timeout < 0 || set_nonblocking(descriptor, true);
}

static bool socket_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("socket(family=-1, type=-1, proto=-1, fileno=None)");
    Value a[4];
    int32_t family = -1, type = -1, protocol = -1, descriptor;
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a) || (a[0] != TY_NULL && !ty_to_int32(a[0], &family)) ||
        (a[1] != TY_NULL && !ty_to_int32(a[1], &type)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &protocol)))
        return false;
    if (a[3] != TY_NULL && a[3] != TY_NONE) {
        if (ty_is_float(a[3])) {
            ty_raise(&ty_TypeError, "integer argument expected, got float");
            return false;
        }
        if (!ty_to_int32(a[3], &descriptor))
            return false;
        if (descriptor < 0) {
            ty_raise(&ty_ValueError, "negative file descriptor");
            return false;
        }
        Address address;
        socklen_t size = sizeof address;
        int number;
        socklen_t number_size = sizeof number;
        if (getsockname(descriptor, &address.any, &size) < 0) {
            if (family == -1 || errno == EBADF || errno == ENOTSOCK) {
                system_error();
                return false;
            }
        } else if (family == -1) {
            family = address.any.sa_family;
        }
        if (type == -1) {
            if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &number, &number_size) < 0) {
                system_error();
                return false;
            }
            type = number;
        }
        if (protocol == -1)
            protocol = getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &number, &number_size) < 0 ? 0 : number;
    } else {
        family = family == -1 ? AF_INET : family;
        type = type == -1 ? SOCK_STREAM : type;
        protocol = protocol == -1 ? 0 : protocol;
        MAKE_DESCRIPTOR(descriptor, socket(family, type | SOCK_CLOEXEC, protocol));
        if (descriptor < 0) {
            system_error();
            return false;
        }
    }
    return attach(as_socket(self), descriptor, family, type, protocol);
}

static Value socket_repr(Value self)
{
    Socket *s = as_socket(self);
    return ty_str_format("<socket object, fd=%d, family=%d, type=%d, proto=%d>", FD, s->family, s->type, s->protocol);
}

static Value socket_accept(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size = sizeof address;
    int result;
    SOCKET_CALL(result, s, POLLIN, (size = sizeof address, accept4(FD, &address.any, &size, SOCK_CLOEXEC)));
    return result < 0 ? TY_NULL : ty_tuple_pack(2, ty_from_immediate_int(result), from_address(&address, size, s->protocol));
}

static Value socket_bind(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size;
    if (!to_address(s, a[0], "bind", &address, &size))
        return TY_NULL;
    return bind(FD, &address.any, size) < 0 ? system_error() : TY_NONE;
}

/* connect(), with what it left unfinished waited for; errno, or 0, or -1 with an exception. */
static int do_connect(Socket *s, const Address *address, socklen_t size)
{
    int64_t timeout = ty_load_relaxed(&s->timeout);
    ty_blocking_begin();
    int result = connect(FD, &address->any, size);
    ty_blocking_end();
    if (result == 0)
        return 0;
    int error = errno;
    if (error == EINTR && !ty_poll_run())
        return -1;
    if (error != EINTR && !(error == EINPROGRESS && timeout > 0))
        return error;
    int ready = wait_for(s, POLLOUT, timeout > 0 ? ty_clock_monotonic_ns() + timeout : INT64_MAX);
    if (ready <= 0)
        return -1;
    int pending = 0;
    socklen_t pending_size = sizeof pending;
    return getsockopt(FD, SOL_SOCKET, SO_ERROR, &pending, &pending_size) < 0 ? errno : pending;
}

static Value socket_connect(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size;
    if (!to_address(s, a[0], "connect", &address, &size))
        return TY_NULL;
    int error = do_connect(s, &address, size);
    if (error < 0)
        return TY_NULL;
    errno = error;
    return error ? system_error() : TY_NONE;
}

static Value socket_connect_ex(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size;
    if (!to_address(s, a[0], "connect_ex", &address, &size))
        return TY_NULL;
    int error = do_connect(s, &address, size);
    if (error < 0 && ty_raised_is(&ty_TimeoutError)) {
        ty_clear_exception();
        error = EAGAIN;
    }
    return error < 0 ? TY_NULL : ty_from_immediate_int(error);
}

static Value socket_listen(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t backlog = 128;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &backlog))
        return TY_NULL;
    return listen(FD, TY_MAX(backlog, 0)) < 0 ? system_error() : TY_NONE;
}

static Value socket_close(Value self, Value *a)
{
    int descriptor = atomic_exchange_explicit(&as_socket(self)->descriptor, -1, memory_order_acq_rel);
    if (descriptor < 0)
        return TY_NONE;
    ty_blocking_begin();
    int result = close(descriptor);
    ty_blocking_end();
    return result < 0 && errno != ECONNRESET ? system_error() : TY_NONE;
}

static Value socket_detach(Value self, Value *a)
{
    return ty_from_immediate_int(atomic_exchange_explicit(&as_socket(self)->descriptor, -1, memory_order_acq_rel));
}

static Value socket_fileno(Value self, Value *a) { return ty_from_immediate_int(ty_load_relaxed(&as_socket(self)->descriptor)); }

static Value socket_getpeername(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size = sizeof address;
    return getpeername(FD, &address.any, &size) < 0 ? system_error() : from_address(&address, size, s->protocol);
}

static Value socket_getsockname(Value self, Value *a)
{
    Socket *s = as_socket(self);
    Address address;
    socklen_t size = sizeof address;
    return getsockname(FD, &address.any, &size) < 0 ? system_error() : from_address(&address, size, s->protocol);
}

static Value socket_getsockopt(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t level, option, length = 0;
    if (!ty_to_int32(a[0], &level) || !ty_to_int32(a[1], &option) || (a[2] != TY_NULL && !ty_to_int32(a[2], &length)))
        return TY_NULL;
    if (length == 0 && s->family == AF_VSOCK) { /* whose options have 64 bits */
        uint64_t number = 0;
        socklen_t size = sizeof number;
        return getsockopt(FD, level, option, &number, &size) < 0 ? system_error() : ty_int_from_uint64(number);
    }
    if (length == 0) {
        int number = 0;
        socklen_t size = sizeof number;
        return getsockopt(FD, level, option, &number, &size) < 0 ? system_error() : ty_from_immediate_int(number);
    }
    if (length < 0 || length > 1024)
        return ty_raise(&ty_OSError, "getsockopt buflen out of range");
    char room[1024];
    socklen_t size = (socklen_t)length;
    return getsockopt(FD, level, option, room, &size) < 0 ? system_error() : ty_bytes_new(room, size);
}

static Value socket_setsockopt(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t level, option, number;
    int result;
    if (!ty_to_int32(a[0], &level) || !ty_to_int32(a[1], &option))
        return TY_NULL;
    if (s->family == AF_VSOCK && ty_has_index(a[2])) {
        uint64_t wide;
        if (!ty_to_uint64_mask(a[2], &wide))
            return TY_NULL;
        result = setsockopt(FD, level, option, &wide, sizeof wide);
    } else if (ty_has_index(a[2])) {
        if (!ty_to_int32(a[2], &number))
            return TY_NULL;
        result = setsockopt(FD, level, option, &number, sizeof number);
    } else if (a[2] == TY_NONE) {
        uint64_t size;
        if (a[3] == TY_NULL)
            return ty_raise(&ty_TypeError, "socket option should be integer, bytes-like object or None");
        if (!ty_to_uint64_mask(a[3], &size))
            return TY_NULL;
        result = setsockopt(FD, level, option, NULL, (socklen_t)size);
    } else {
        TyBytesArgument bytes;
        if (!ty_bytes_argument(a[2], &bytes))
            return TY_NULL;
        result = setsockopt(FD, level, option, bytes.data, (socklen_t)bytes.length);
        ty_bytes_argument_release(&bytes);
    }
    return result < 0 ? system_error() : TY_NONE;
}

static Value socket_shutdown(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t how;
    if (!ty_to_int32(a[0], &how))
        return TY_NULL;
    return shutdown(FD, how) < 0 ? system_error() : TY_NONE;
}

static Value apply_timeout(Socket *s, int64_t timeout)
{
    ty_store_relaxed(&s->timeout, timeout);
    return set_nonblocking(FD, timeout >= 0) ? TY_NONE : TY_NULL;
}

static Value socket_setblocking(Value self, Value *a)
{
    bool blocking;
    return ty_to_bool(a[0], &blocking) ? apply_timeout(as_socket(self), blocking ? -1 : 0) : TY_NULL;
}

static Value socket_getblocking(Value self, Value *a) { return ty_from_bool(ty_load_relaxed(&as_socket(self)->timeout) != 0); }

static Value socket_settimeout(Value self, Value *a)
{
    int64_t timeout;
    return to_timeout(a[0], &timeout) ? apply_timeout(as_socket(self), timeout) : TY_NULL;
}

static Value from_timeout(int64_t timeout) { return timeout < 0 ? TY_NONE : ty_from_double((double)timeout / 1e9); }
static Value socket_gettimeout(Value self, Value *a) { return from_timeout(ty_load_relaxed(&as_socket(self)->timeout)); }

/* --- receiving and sending ------------------------------------------------------------------------------------------------------------- */

static bool receive_arguments(Value *a, int64_t *size, int32_t *flags)
{
    *flags = 0;
    if (!ty_to_size(a[0], size) || (a[1] != TY_NULL && !ty_to_int32(a[1], flags)))
        return false;
    if (*size >= 0)
        return true;
    ty_raise(&ty_ValueError, "negative buffersize in recv");
    return false;
}

/* Who has room for a lot mostly gets a little: that much memory would be taken, and zeroed, for each message. */
enum { RECEIVED_IN_PLACE = 8192 };
static Value receive_little(Socket *s, size_t size, int32_t flags)
{
    TyThread *thread = ty_thread;
    if (!thread->scratch && !(thread->scratch = malloc(TY_SCRATCH_SIZE)))
        return ty_raise_memory_error();
    ssize_t result;
    char *scratch = thread->scratch;
    thread->scratch = NULL; /* a signal handler may receive, too */
    SOCKET_CALL(result, s, POLLIN, recv(FD, scratch, size, flags));
    Value bytes = result < 0 ? TY_NULL : ty_bytes_new(scratch, (size_t)result);
    if (thread->scratch)
        free(scratch);
    else
        thread->scratch = scratch;
    return bytes;
}

static Value socket_recv(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int64_t size;
    int32_t flags;
    ssize_t result;
    if (!receive_arguments(a, &size, &flags))
        return TY_NULL;
    if (size > RECEIVED_IN_PLACE && size <= TY_SCRATCH_SIZE)
        return receive_little(s, (size_t)size, flags);
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    if (bytes == TY_NULL || size == 0)
        return bytes;
    SOCKET_CALL(result, s, POLLIN, recv(FD, ty_as_bytes(bytes)->data, (size_t)size, flags));
    return result < 0 ? TY_NULL : result == size ? bytes : ty_bytes_shrink(bytes, (size_t)result);
}

static Value socket_recvfrom(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int64_t size;
    int32_t flags;
    ssize_t result;
    Address address;
    socklen_t address_size = sizeof address;
    if (!receive_arguments(a, &size, &flags))
        return TY_NULL;
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    if (bytes == TY_NULL)
        return TY_NULL;
    SOCKET_CALL(result, s, POLLIN, (address_size = sizeof address, recvfrom(FD, ty_as_bytes(bytes)->data, (size_t)size, flags, &address.any, &address_size)));
    return result < 0 ? TY_NULL : ty_tuple_pack(2, result == size ? bytes : ty_bytes_shrink(bytes, (size_t)result), from_address(&address, address_size, s->protocol));
}

static Value receive_into(Value self, Value *a, bool with_address)
{
    Socket *s = as_socket(self);
    int64_t size = 0;
    int32_t flags = 0;
    ssize_t result;
    Address address;
    socklen_t address_size = sizeof address;
    TyBuffer view;
    if ((a[1] != TY_NULL && !ty_to_size(a[1], &size)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &flags)) || !ty_buffer_get(a[0], &view, TY_BUFFER_WRITABLE))
        return TY_NULL;
    if (size < 0 || size > view.length) {
        ty_buffer_release(&view);
        return ty_raise(&ty_ValueError, size < 0 ? "negative buffersize in recv_into" : "buffer too small for requested bytes");
    }
    size = size ? size : view.length;
    SOCKET_CALL(result, s, POLLIN, (address_size = sizeof address, recvfrom(FD, view.data, (size_t)size, flags, with_address ? &address.any : NULL, with_address ? &address_size : NULL)));
    ty_buffer_release(&view);
    if (result < 0)
        return TY_NULL;
    return with_address ? ty_tuple_pack(2, ty_int_from_int64(result), from_address(&address, address_size, s->protocol)) : ty_int_from_int64(result);
}

static Value socket_recv_into(Value self, Value *a) { return receive_into(self, a, false); }
static Value socket_recvfrom_into(Value self, Value *a) { return receive_into(self, a, true); }

static Value socket_send(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t flags = 0;
    ssize_t result;
    TyBytesArgument data;
    if ((a[1] != TY_NULL && !ty_to_int32(a[1], &flags)) || !ty_bytes_argument(a[0], &data))
        return TY_NULL;
    SOCKET_CALL(result, s, POLLOUT, send(FD, data.data, (size_t)data.length, flags));
    ty_bytes_argument_release(&data);
    return result < 0 ? TY_NULL : ty_int_from_int64(result);
}

static Value socket_sendall(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t flags = 0;
    TyBytesArgument data;
    if ((a[1] != TY_NULL && !ty_to_int32(a[1], &flags)) || !ty_bytes_argument(a[0], &data))
        return TY_NULL;
    ssize_t result = 0;
    for (int64_t sent = 0; sent < data.length; sent += result) {
        SOCKET_CALL(result, s, POLLOUT, send(FD, data.data + sent, (size_t)(data.length - sent), flags));
        if (result < 0 || !ty_poll_run()) {
            result = -1;
            break;
        }
    }
    ty_bytes_argument_release(&data);
    return result < 0 ? TY_NULL : TY_NONE;
}

static Value socket_sendto(Value self, const Value *arguments, size_t count, Value keywords)
{
    Socket *s = as_socket(self);
    int32_t flags = 0;
    ssize_t result;
    Address address;
    socklen_t size;
    TyBytesArgument data;
    if (!ty_no_keywords("sendto", keywords))
        return TY_NULL;
    if (count < 2 || count > 3)
        return ty_raise(&ty_TypeError, "sendto() takes 2 or 3 arguments (%zu given)", count);
    if ((count == 3 && !ty_to_int32(arguments[1], &flags)) || !ty_bytes_argument(arguments[0], &data))
        return TY_NULL;
    if (!to_address(s, arguments[count - 1], "sendto", &address, &size)) {
        ty_bytes_argument_release(&data);
        return TY_NULL;
    }
    SOCKET_CALL(result, s, POLLOUT, sendto(FD, data.data, (size_t)data.length, flags, &address.any, size));
    ty_bytes_argument_release(&data);
    return result < 0 ? TY_NULL : ty_int_from_int64(result);
}

/* --- messages with ancillary data (sendmsg, recvmsg) ------------------------------------------------------------------------------------ */

/* The control block for an iterable of (level, type, bytes): a bytes object, empty if there are none. */
static Value control_from(Value items)
{
    Value list = ty_sequence_fast(items, "sendmsg() argument 2 must be an iterable");
    list = list == TY_NULL ? TY_NULL : ty_sequence_list(list);
    size_t total = 0;
    for (int64_t i = 0; list != TY_NULL && i < ty_list_length(list); i++) {
        Value item = ty_list_item(list, i);
        int32_t numbers[2];
        if (!ty_is_tuple(item))
            return ty_raise(&ty_TypeError, "[sendmsg() ancillary data items]() argument must be 3-item tuple, not %T", item);
        if (ty_tuple_length(item) != 3)
            return ty_raise(&ty_TypeError, "[sendmsg() ancillary data items]() argument must be tuple of length 3, not %lld", (long long)ty_tuple_length(item));
        Value source = ty_tuple_item(item, 2);
        if (!ty_to_int32(ty_tuple_item(item, 0), &numbers[0]) || !ty_to_int32(ty_tuple_item(item, 1), &numbers[1]))
            return TY_NULL;
        TyBytesArgument bytes;
        if (!ty_bytes_argument(source, &bytes))
            return TY_NULL;
        Value data = ty_bytes_new(bytes.data, (size_t)bytes.length);
        ty_bytes_argument_release(&bytes);
        Value entry = data == TY_NULL ? TY_NULL : ty_tuple_pack(3, ty_from_immediate_int(numbers[0]), ty_from_immediate_int(numbers[1]), data);
        if (entry == TY_NULL || !ty_list_set(list, i, entry))
            return TY_NULL;
        if (ty_bytes_length(data) > INT32_MAX || total > INT32_MAX)
            return ty_raise(&ty_OSError, "too much ancillary data");
        total += CMSG_SPACE((size_t)ty_bytes_length(data));
    }
    Value control = list == TY_NULL ? TY_NULL : ty_bytes_new(NULL, total);
    if (control == TY_NULL || total == 0)
        return control;
    struct msghdr message = {.msg_control = ty_as_bytes(control)->data, .msg_controllen = total};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    for (int64_t i = 0; i < ty_list_length(list) && header; i++, header = CMSG_NXTHDR(&message, header)) {
        Value entry = ty_list_item(list, i), data = ty_tuple_item(entry, 2);
        header->cmsg_len = CMSG_LEN((size_t)ty_bytes_length(data));
        header->cmsg_level = (int)ty_immediate_int(ty_tuple_item(entry, 0));
        header->cmsg_type = (int)ty_immediate_int(ty_tuple_item(entry, 1));
        memcpy(CMSG_DATA(header), ty_bytes_data(data), (size_t)ty_bytes_length(data));
    }
    return control;
}

/* Views of a sequence of buffers, and what the system wants to know of them; freed with vector_release. */
typedef struct Vector { struct iovec *entries; TyBuffer *views; size_t count; } Vector;

static void vector_release(Vector *vector)
{
    for (size_t i = 0; i < vector->count; i++)
        ty_buffer_release(&vector->views[i]);
    free(vector->views);
    free(vector->entries);
}

/* False with an exception. `*list`, which the caller keeps, keeps the exporters alive: the views lie outside of the heap. */
static bool vector_take(Value buffers, Vector *vector, Value *list, int flags, const char *not_iterable, const char *not_buffer)
{
    *list = ty_sequence_fast(buffers, not_iterable);
    *list = *list == TY_NULL ? TY_NULL : ty_sequence_list(*list);
    if (*list == TY_NULL)
        return false;
    size_t count = (size_t)ty_list_length(*list);
    *vector = (Vector){calloc(count + 1, sizeof(struct iovec)), calloc(count + 1, sizeof(TyBuffer)), 0};
    if (!vector->entries || !vector->views) {
        free(vector->entries);
        free(vector->views);
        ty_raise_memory_error();
        return false;
    }
    for (; vector->count < count; vector->count++) {
        TyBuffer *view = &vector->views[vector->count];
        Value one = ty_list_item(*list, (int64_t)vector->count);
        if (one == TY_NULL || !ty_buffer_get(one, view, flags)) {
            if (not_buffer && (ty_raised_is(&ty_TypeError) || ty_raised_is(&ty_BufferError))) {
                ty_clear_exception();
                ty_raise(&ty_TypeError, "%s", not_buffer);
            }
            vector_release(vector);
            return false;
        }
        Value kept = ty_tuple_pack(2, one, view->exporter);
        if (kept == TY_NULL || !ty_list_set(*list, (int64_t)vector->count, kept)) {
            ty_buffer_release(view);
            vector_release(vector);
            return false;
        }
        vector->entries[vector->count] = (struct iovec){view->data, (size_t)view->length};
    }
    return true;
}

static Value socket_sendmsg(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int32_t flags = 0;
    ssize_t result = -1;
    Address address;
    socklen_t address_size = 0;
    Vector vector;
    Value list;
    if (a[2] != TY_NULL && !ty_to_int32(a[2], &flags))
        return TY_NULL;
    if (!vector_take(a[0], &vector, &list, TY_BUFFER_SIMPLE, "sendmsg() argument 1 must be an iterable", NULL))
        return TY_NULL;
    Value control = a[1] == TY_NULL ? ty_bytes_new(NULL, 0) : control_from(a[1]);
    if (control != TY_NULL && (a[3] == TY_NULL || a[3] == TY_NONE || to_address(s, a[3], "sendmsg", &address, &address_size))) {
        struct msghdr message = {.msg_iov = vector.entries, .msg_iovlen = vector.count};
        if (address_size) {
            message.msg_name = &address.any;
            message.msg_namelen = address_size;
        }
        if (ty_bytes_length(control)) {
            message.msg_control = ty_as_bytes(control)->data;
            message.msg_controllen = (size_t)ty_bytes_length(control);
        }
        SOCKET_CALL(result, s, POLLOUT, sendmsg(FD, &message, flags));
    }
    __asm__ volatile("" : : "r"(list), "r"(control)); /* the kernel reads their memory until here */
    vector_release(&vector);
    return result < 0 ? TY_NULL : ty_int_from_int64(result);
}

/* A list of (level, type, bytes) for what came. */
static Value control_items(struct msghdr *message)
{
    Value list = ty_list_new(0);
    if (!message->msg_control)
        return list;
    const uint8_t *end = (const uint8_t *)message->msg_control + message->msg_controllen;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header && list != TY_NULL; header = CMSG_NXTHDR(message, header)) {
        const uint8_t *data = CMSG_DATA(header);
        if (header->cmsg_len < CMSG_LEN(0) || data > end)
            break;
        size_t size = TY_MIN(header->cmsg_len - CMSG_LEN(0), (size_t)(end - data)); /* it may have been cut off */
        Value bytes = ty_bytes_new(data, size);
        Value item = bytes == TY_NULL ? TY_NULL : ty_tuple_pack(3, ty_from_immediate_int(header->cmsg_level), ty_from_immediate_int(header->cmsg_type), bytes);
        if (item == TY_NULL || !ty_list_append(list, item))
            return TY_NULL;
    }
    return list;
}

static Value socket_recvmsg(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int64_t size, control_size = 0;
    int32_t flags = 0;
    ssize_t result;
    Address address;
    if (!ty_to_size(a[0], &size) || (a[1] != TY_NULL && !ty_to_size(a[1], &control_size)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &flags)))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "negative buffer size in recvmsg()");
    if (control_size < 0 || control_size > INT32_MAX)
        return ty_raise(&ty_ValueError, "invalid ancillary data buffer length");
    Value bytes = ty_bytes_new(NULL, (size_t)size), control = bytes == TY_NULL ? TY_NULL : ty_bytes_new(NULL, (size_t)control_size);
    if (control == TY_NULL)
        return TY_NULL;
    struct iovec vector = {ty_as_bytes(bytes)->data, (size_t)size};
    struct msghdr message = {0};
    SOCKET_CALL(result, s, POLLIN, (message = (struct msghdr){.msg_name = &address.any, .msg_namelen = sizeof address, .msg_iov = &vector, .msg_iovlen = 1,
                                        .msg_control = control_size ? ty_as_bytes(control)->data : NULL, .msg_controllen = (size_t)control_size},
                                    recvmsg(FD, &message, flags)));
    if (result < 0)
        return TY_NULL;
    Value items = control_items(&message);
    __asm__ volatile("" : : "r"(control));
    if (items == TY_NULL)
        return TY_NULL;
    return ty_tuple_pack(4, result == size ? bytes : ty_bytes_shrink(bytes, (size_t)result), items, ty_from_immediate_int(message.msg_flags), from_address(&address, message.msg_namelen, s->protocol));
}

static Value socket_recvmsg_into(Value self, Value *a)
{
    Socket *s = as_socket(self);
    int64_t control_size = 0;
    int32_t flags = 0;
    ssize_t result;
    Address address;
    Vector vector;
    Value list;
    if ((a[1] != TY_NULL && !ty_to_size(a[1], &control_size)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &flags)))
        return TY_NULL;
    if (!vector_take(a[0], &vector, &list, TY_BUFFER_WRITABLE, "recvmsg_into() argument 1 must be an iterable",
                     "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"))
        return TY_NULL;
    bool valid = control_size >= 0 && control_size <= INT32_MAX;
    Value control = valid ? ty_bytes_new(NULL, (size_t)control_size) : ty_raise(&ty_ValueError, "invalid ancillary data buffer length");
    if (control == TY_NULL) {
        vector_release(&vector);
        return TY_NULL;
    }
    struct msghdr message = {0};
    SOCKET_CALL(result, s, POLLIN, (message = (struct msghdr){.msg_name = &address.any, .msg_namelen = sizeof address, .msg_iov = vector.entries, .msg_iovlen = vector.count,
                                        .msg_control = control_size ? ty_as_bytes(control)->data : NULL, .msg_controllen = (size_t)control_size},
                                    recvmsg(FD, &message, flags)));
    vector_release(&vector);
    Value items = result < 0 ? TY_NULL : control_items(&message);
    __asm__ volatile("" : : "r"(control), "r"(list));
    if (items == TY_NULL)
        return TY_NULL;
    return ty_tuple_pack(4, ty_int_from_int64(result), items, ty_from_immediate_int(message.msg_flags), from_address(&address, message.msg_namelen, s->protocol));
}

/* How long a control message of so many bytes is, without and with what aligns the next one. */
static Value control_length(Value v, bool space)
{
    int64_t size;
    if (!ty_to_size(v, &size))
        return TY_NULL;
    if (size < 0 || size > INT32_MAX - (int64_t)(space ? CMSG_SPACE(1) : CMSG_LEN(0)))
        return ty_raise(&ty_OverflowError, space ? "CMSG_SPACE() argument out of range" : "CMSG_LEN() argument out of range");
    return ty_int_from_int64((int64_t)(space ? CMSG_SPACE((size_t)size) : CMSG_LEN((size_t)size)));
}
static Value cmsg_len(Value module, Value *a) { return control_length(a[0], false); }
static Value cmsg_space(Value module, Value *a) { return control_length(a[0], true); }

static Value get_family(Value self) { return ty_from_immediate_int(as_socket(self)->family); }
static Value get_type(Value self) { return ty_from_immediate_int(as_socket(self)->type); }
static Value get_proto(Value self) { return ty_from_immediate_int(as_socket(self)->protocol); }
static Value get_timeout(Value self) { return socket_gettimeout(self, NULL); }

static const TyGetSetDef socket_getsets[] = {
    {"family", get_family, NULL, "the socket family"}, {"type", get_type, NULL, "the socket type"},
    {"proto", get_proto, NULL, "the socket protocol"}, {"timeout", get_timeout, NULL, "the socket timeout"}, {0},
};

static const TyNativeDef socket_methods[] = {
    TY_METHOD("_accept(self, /)", socket_accept, "Waits for a connection: (descriptor, address)."),
    TY_METHOD("bind(self, address, /)", socket_bind, "Binds the socket to an address of its own."),
    TY_METHOD("close(self, /)", socket_close, "Closes the socket."),
    TY_METHOD("connect(self, address, /)", socket_connect, "Connects the socket to an address."),
    TY_METHOD("connect_ex(self, address, /)", socket_connect_ex, "As connect(), but returns the error's number, 0 for none."),
    TY_METHOD("detach(self, /)", socket_detach, "Gives the descriptor away without closing it."),
    TY_METHOD("fileno(self, /)", socket_fileno, "The descriptor; -1 when it is closed."),
    TY_METHOD("getpeername(self, /)", socket_getpeername, "The address of the other end."),
    TY_METHOD("getsockname(self, /)", socket_getsockname, "The address of this end."),
    TY_METHOD("getsockopt(self, level, option, buffersize=0, /)", socket_getsockopt, "An option of the socket, as an int or as bytes."),
    TY_METHOD("setsockopt(self, level, option, value, optlen=0, /)", socket_setsockopt, "Sets an option of the socket."),
    TY_METHOD("listen(self, backlog=128, /)", socket_listen, "Begins to wait for connections."),
    TY_METHOD("recv(self, buffersize, flags=0, /)", socket_recv, "Receives at most so many bytes."),
    TY_METHOD("recv_into(self, buffer, nbytes=0, flags=0)", socket_recv_into, "Receives into a buffer and returns the number of bytes."),
    TY_METHOD("recvfrom(self, buffersize, flags=0, /)", socket_recvfrom, "Receives: (bytes, address of the sender)."),
    TY_METHOD("recvfrom_into(self, buffer, nbytes=0, flags=0)", socket_recvfrom_into, "Receives into a buffer: (number of bytes, address of the sender)."),
    TY_METHOD("send(self, data, flags=0, /)", socket_send, "Sends bytes and returns how many were taken."),
    TY_METHOD("sendall(self, data, flags=0, /)", socket_sendall, "Sends all of the bytes."),
    TY_METHOD("recvmsg(self, bufsize, ancbufsize=0, flags=0, /)", socket_recvmsg, "Receives: (bytes, list of (level, type, bytes) that came beside them, flags, address of the sender)."),
    TY_METHOD("recvmsg_into(self, buffers, ancbufsize=0, flags=0, /)", socket_recvmsg_into,
              "Receives into buffers: (number of bytes, list of (level, type, bytes) that came beside them, flags, address of the sender)."),
    TY_METHOD("sendmsg(self, buffers, ancdata=(), flags=0, address=None, /)", socket_sendmsg, "Sends the bytes of all the buffers, and (level, type, bytes) items beside them."),
    TY_RAW_METHOD("sendto(data[, flags], address)", socket_sendto, "Sends bytes to an address."),
    TY_METHOD("setblocking(self, flag, /)", socket_setblocking, "Whether operations wait."),
    TY_METHOD("getblocking(self, /)", socket_getblocking, "Whether operations wait."),
    TY_METHOD("settimeout(self, timeout, /)", socket_settimeout, "Sets how many seconds an operation may take; None: as long as it does."),
    TY_METHOD("gettimeout(self, /)", socket_gettimeout, "How many seconds an operation may take."),
    TY_METHOD("shutdown(self, how, /)", socket_shutdown, "Ends one or both directions of a connection."),
    {0},
};

static TyType socket_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Socket), .destroy = socket_destroy, .finalize = socket_finalize},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_socket.socket",
    .doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\n"
           "A socket of a family and type, or of an open descriptor whose family and type are found out.",
    .slots = {.repr = socket_repr, .new = socket_new, .init = socket_init},
    .methods = socket_methods,
    .getsets = socket_getsets,
};

/* --- functions of the module -------------------------------------------------------------------------------------------------------------- */

static Value module_socketpair(Value module, Value *a)
{
    int32_t family = AF_UNIX, type = SOCK_STREAM, protocol = 0;
    int ends[2];
    if ((a[0] != TY_NULL && !ty_to_int32(a[0], &family)) || (a[1] != TY_NULL && !ty_to_int32(a[1], &type)) || (a[2] != TY_NULL && !ty_to_int32(a[2], &protocol)))
        return TY_NULL;
    int made;
    MAKE_DESCRIPTOR(made, socketpair(family, type | SOCK_CLOEXEC, protocol, ends));
    if (made < 0)
        return system_error();
    Value sockets[2];
    for (int i = 0; i < 2; i++) {
        sockets[i] = socket_new(&socket_type, ty_no_arguments, 0, TY_NULL);
        if (sockets[i] == TY_NULL || !attach(as_socket(sockets[i]), ends[i], family, type, protocol))
            return TY_NULL;
    }
    return ty_tuple_pack(2, sockets[0], sockets[1]);
}

static Value module_close(Value module, Value *a)
{
    int32_t descriptor;
    if (!ty_to_int32(a[0], &descriptor))
        return TY_NULL;
    ty_blocking_begin();
    int result = close(descriptor);
    ty_blocking_end();
    return result < 0 && errno != ECONNRESET ? system_error() : TY_NONE;
}

static Value module_dup(Value module, Value *a)
{
    int32_t descriptor;
    if (!ty_to_int32(a[0], &descriptor))
        return TY_NULL;
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? system_error() : ty_from_immediate_int(copy);
}

static Value module_gethostname(Value module, Value *a)
{
    char name[HOST_NAME_MAX + 1] = {0};
    return gethostname(name, HOST_NAME_MAX) < 0 ? system_error() : ty_str_decode_fs(name, strlen(name));
}

static Value module_gethostbyname(Value module, Value *a)
{
    Value holder;
    Address address;
    const char *host = host_text(a[0], &holder);
    if (!host || !resolve(host, AF_INET, &address))
        return TY_NULL;
    char text[INET_ADDRSTRLEN];
    return ty_str_from_text(inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text));
}

static Value module_getaddrinfo(Value module, Value *a)
{
    struct addrinfo hints = {0}, *found = NULL;
    int32_t numbers[4] = {AF_UNSPEC, 0, 0, 0};
    Value host_holder = TY_NULL, port_holder = TY_NULL;
    const char *host = NULL, *port = NULL;
    char digits[24];
    for (int i = 0; i < 4; i++)
        if (a[2 + i] != TY_NULL && !ty_to_int32(a[2 + i], &numbers[i]))
            return TY_NULL;
    if (a[0] != TY_NONE && !(host = host_text(a[0], &host_holder)))
        return TY_NULL;
    if (ty_has_index(a[1])) {
        int64_t number;
        if (!ty_to_int64(a[1], &number))
            return TY_NULL;
        snprintf(digits, sizeof digits, "%lld", (long long)number);
        port = digits;
    } else if (ty_is_str(a[1]) || ty_is_bytes(a[1])) {
        if (!(port = host_text(a[1], &port_holder)))
            return TY_NULL;
    } else if (a[1] != TY_NONE) {
        return ty_raise(&ty_OSError, "Int or String expected");
    }
    hints.ai_family = numbers[0], hints.ai_socktype = numbers[1], hints.ai_protocol = numbers[2], hints.ai_flags = numbers[3];
    ty_blocking_begin();
    int error = getaddrinfo(host, port, &hints, &found);
    ty_blocking_end();
    if (error)
        return resolver_error(error);
    Value list = ty_list_new(0);
    for (struct addrinfo *one = found; list != TY_NULL && one; one = one->ai_next) {
        Address address = {0};
        memcpy(&address, one->ai_addr, TY_MIN((size_t)one->ai_addrlen, sizeof address));
        Value entry = ty_tuple_pack(5, ty_from_immediate_int(one->ai_family), ty_from_immediate_int(one->ai_socktype), ty_from_immediate_int(one->ai_protocol),
                                    one->ai_canonname ? ty_str_from_text(one->ai_canonname) : ty_str_empty(), from_address(&address, one->ai_addrlen, one->ai_protocol));
        if (entry == TY_NULL || !ty_list_append(list, entry))
            list = TY_NULL;
    }
    freeaddrinfo(found);
    return list;
}

/* (name, other names, addresses) of a host; the resolver gives them in `entry`. */
static Value host_triple(const struct hostent *entry, int family)
{
    Value names = ty_list_new(0), addresses = ty_list_new(0);
    char text[INET6_ADDRSTRLEN];
    for (char **alias = entry->h_aliases; names != TY_NULL && alias && *alias; alias++)
        if (!ty_list_append(names, ty_str_decode_fs(*alias, strlen(*alias))))
            return TY_NULL;
    for (char **raw = entry->h_addr_list; addresses != TY_NULL && raw && *raw; raw++)
        if (!inet_ntop(family, *raw, text, sizeof text) || !ty_list_append(addresses, ty_str_from_text(text)))
            return TY_NULL;
    if (names == TY_NULL || addresses == TY_NULL)
        return TY_NULL;
    return ty_tuple_pack(3, ty_str_decode_fs(entry->h_name, strlen(entry->h_name)), names, addresses);
}

static Value host_error(int error)
{
    Value module = ty_module_current("_socket");
    if (module == TY_NULL)
        return TY_NULL;
    Value arguments = ty_tuple_pack(2, ty_from_immediate_int(error), ty_str_from_text(hstrerror(error)));
    Value exception = arguments == TY_NULL ? TY_NULL : ty_call_with(ty_module_state(module)[STATE_HERROR], arguments, TY_NULL);
    return exception == TY_NULL ? TY_NULL : ty_raise_object(exception);
}

/* Looks a host up by its name, or by the address: with room that grows until the answer fits. */
static Value look_up_host(const char *name, const Address *address)
{
    int family = address->any.sa_family, error = 0, status;
    struct hostent entry, *found = NULL;
    char *room = NULL;
    ty_blocking_begin();
    for (size_t size = 2048; size <= 1 << 20; size *= 2) {
        char *bigger = realloc(room, size);
        status = bigger ? 0 : ENOMEM;
        if (!bigger)
            break;
        room = bigger;
        if (name)
            status = gethostbyname_r(name, &entry, room, size, &found, &error);
        else if (family == AF_INET6)
            status = gethostbyaddr_r(&address->v6.sin6_addr, sizeof address->v6.sin6_addr, family, &entry, room, size, &found, &error);
        else
            status = gethostbyaddr_r(&address->v4.sin_addr, sizeof address->v4.sin_addr, family, &entry, room, size, &found, &error);
        if (status != ERANGE)
            break;
    }
    ty_blocking_end();
    Value result = found ? host_triple(found, found->h_addrtype) : room ? host_error(error) : ty_raise_memory_error();
    free(room);
    return result;
}

static Value module_gethostbyname_ex(Value module, Value *a)
{
    Value holder;
    Address address;
    const char *host = host_text(a[0], &holder);
    if (!host || !resolve(host, AF_INET, &address))
        return TY_NULL;
    return look_up_host(host, &address);
}

static Value module_gethostbyaddr(Value module, Value *a)
{
    Value holder;
    Address address;
    if (!ty_is_str(a[0]) && !ty_is_bytes(a[0]) && !ty_is_bytearray(a[0]))
        return ty_raise(&ty_TypeError, "gethostbyaddr() argument 1 must be str, bytes or bytearray, not %T", a[0]);
    const char *host = host_text(a[0], &holder);
    if (!host || !resolve(host, AF_UNSPEC, &address))
        return TY_NULL;
    if (address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6)
        return ty_raise(&ty_OSError, "unsupported address family");
    return look_up_host(NULL, &address);
}

static const char *name_argument(Value v, const char *function, int position, Value *holder)
{
    if (!ty_is_str(v)) {
        ty_raise(&ty_TypeError, "%s() argument %d must be str, not %T", function, position, v);
        return NULL;
    }
    size_t size;
    const char *text = ty_str_utf8(v, &size, holder);
    if (text && strlen(text) != size) {
        ty_raise(&ty_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

static Value module_getservbyname(Value module, Value *a)
{
    Value holders[2];
    const char *name = name_argument(a[0], "getservbyname", 1, &holders[0]), *protocol = NULL;
    if (!name || (a[1] != TY_NULL && !(protocol = name_argument(a[1], "getservbyname", 2, &holders[1]))))
        return TY_NULL;
    struct servent entry, *found = NULL;
    char room[4096];
    ty_blocking_begin();
    getservbyname_r(name, protocol, &entry, room, sizeof room, &found);
    ty_blocking_end();
    return found ? ty_from_immediate_int(ntohs((uint16_t)entry.s_port)) : ty_raise(&ty_OSError, "service/proto not found");
}

static Value module_getservbyport(Value module, Value *a)
{
    Value holder;
    uint16_t port;
    const char *protocol = NULL;
    int32_t number;
    if (!ty_to_int32(a[0], &number) || (a[1] != TY_NULL && !(protocol = name_argument(a[1], "getservbyport", 2, &holder))))
        return TY_NULL;
    if (number < 0 || number > 0xFFFF)
        return ty_raise(&ty_OverflowError, "getservbyport: port must be 0-65535.");
    port = htons((uint16_t)number);
    struct servent entry, *found = NULL;
    char room[4096];
    ty_blocking_begin();
    getservbyport_r(port, protocol, &entry, room, sizeof room, &found);
    ty_blocking_end();
    return found ? ty_str_decode_fs(entry.s_name, strlen(entry.s_name)) : ty_raise(&ty_OSError, "port/proto not found");
}

static Value module_getprotobyname(Value module, Value *a)
{
    Value holder;
    const char *name = name_argument(a[0], "getprotobyname", 1, &holder);
    if (!name)
        return TY_NULL;
    struct protoent entry, *found = NULL;
    char room[4096];
    ty_blocking_begin();
    getprotobyname_r(name, &entry, room, sizeof room, &found);
    ty_blocking_end();
    return found ? ty_from_immediate_int(entry.p_proto) : ty_raise(&ty_OSError, "protocol not found");
}

/* The one numeric address that a host and a port stand for; false with an exception. */
static bool numeric_address(const char *host, int port, Address *address, socklen_t *size)
{
    char digits[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    snprintf(digits, sizeof digits, "%d", port);
    ty_blocking_begin();
    int error = getaddrinfo(host, digits, &hints, &found);
    ty_blocking_end();
    if (error) {
        resolver_error(error);
        return false;
    }
    bool single = !found->ai_next;
    memcpy(address, found->ai_addr, TY_MIN((size_t)found->ai_addrlen, sizeof *address));
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    if (!single)
        ty_raise(&ty_OSError, "sockaddr resolved to multiple addresses");
    return single;
}

static Value module_getnameinfo(Value module, Value *a)
{
    int32_t flags, port;
    Value holder;
    Address address;
    socklen_t size;
    uint32_t numbers[2] = {0, 0};
    if (!ty_to_int32(a[1], &flags))
        return TY_NULL;
    if (!ty_is_tuple(a[0]))
        return ty_raise(&ty_TypeError, "getnameinfo() argument 1 must be a tuple");
    int64_t count = ty_tuple_length(a[0]);
    if (count < 2 || count > 4 || !ty_is_str(ty_tuple_item(a[0], 0)))
        return ty_raise(&ty_TypeError, "getnameinfo(): illegal sockaddr argument");
    const char *host = host_text(ty_tuple_item(a[0], 0), &holder);
    if (!host || !ty_to_int32(ty_tuple_item(a[0], 1), &port) || !tuple_numbers(a[0], 2, (int)count - 2, numbers))
        return TY_NULL;
    if (numbers[0] > 0xFFFFF)
        return ty_raise(&ty_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
    if (!numeric_address(host, port, &address, &size))
        return TY_NULL;
    if (address.any.sa_family == AF_INET && count != 2)
        return ty_raise(&ty_OSError, "IPv4 sockaddr must be 2 tuple");
    if (address.any.sa_family == AF_INET6) {
        address.v6.sin6_flowinfo = htonl(numbers[0]);
        address.v6.sin6_scope_id = numbers[1];
    }
    char name[NI_MAXHOST], service[NI_MAXSERV];
    ty_blocking_begin();
    int error = getnameinfo(&address.any, size, name, sizeof name, service, sizeof service, flags);
    ty_blocking_end();
    return error ? resolver_error(error) : ty_tuple_pack(2, ty_str_decode_fs(name, strlen(name)), ty_str_from_text(service));
}

static Value module_if_nameindex(Value module, Value *a)
{
    struct if_nameindex *all = if_nameindex();
    if (!all)
        return system_error();
    Value list = ty_list_new(0);
    for (struct if_nameindex *one = all; list != TY_NULL && one->if_index; one++) {
        Value pair = ty_tuple_pack(2, ty_from_immediate_int(one->if_index), ty_str_decode_fs(one->if_name, strlen(one->if_name)));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            list = TY_NULL;
    }
    if_freenameindex(all);
    return list;
}

static Value module_if_nametoindex(Value module, Value *a)
{
    Value bytes = ty_is_str(a[0]) ? ty_str_encode_fs(a[0]) : a[0];
    if (bytes == TY_NULL)
        return TY_NULL;
    if (!ty_is_bytes(bytes))
        return ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", a[0]);
    unsigned index = if_nametoindex((const char *)ty_bytes_data(bytes));
    return index ? ty_from_immediate_int(index) : system_error();
}

static bool to_unsigned(Value v, int bits, const char *type, uint64_t *out);
static Value module_if_indextoname(Value module, Value *a)
{
    char name[IF_NAMESIZE];
    uint64_t index;
    if (!to_unsigned(a[0], 32, "unsigned int", &index))
        return TY_NULL;
    return if_indextoname((unsigned)index, name) ? ty_str_decode_fs(name, strlen(name)) : system_error();
}

static Value module_sethostname(Value module, Value *a)
{
    Value bytes = ty_is_str(a[0]) ? ty_str_encode_fs(a[0]) : a[0];
    if (bytes == TY_NULL)
        return TY_NULL;
    if (!ty_is_bytes(bytes))
        return ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", a[0]);
    return sethostname((const char *)ty_bytes_data(bytes), (size_t)ty_bytes_length(bytes)) < 0 ? system_error() : TY_NONE;
}

static Value module_inet_aton(Value module, Value *a)
{
    Value holder;
    struct in_addr address;
    const char *text = host_text(a[0], &holder);
    if (!text)
        return TY_NULL;
    return inet_aton(text, &address) ? ty_bytes_new(&address, sizeof address) : ty_raise(&ty_OSError, "illegal IP address string passed to inet_aton");
}

static Value module_inet_ntoa(Value module, Value *a)
{
    TyBytesArgument packed;
    char text[INET_ADDRSTRLEN];
    if (!ty_bytes_argument(a[0], &packed))
        return TY_NULL;
    bool fits = packed.length == 4;
    if (fits)
        inet_ntop(AF_INET, packed.data, text, sizeof text);
    ty_bytes_argument_release(&packed);
    return fits ? ty_str_from_text(text) : ty_raise(&ty_OSError, "packed IP wrong length");
}

static Value module_inet_pton(Value module, Value *a)
{
    int32_t family;
    Value holder;
    struct in6_addr address;
    if (!ty_to_int32(a[0], &family))
        return TY_NULL;
    const char *text = host_text(a[1], &holder);
    if (!text)
        return TY_NULL;
    int result = inet_pton(family, text, &address);
    if (result < 0)
        return system_error();
    return result ? ty_bytes_new(&address, family == AF_INET ? 4 : 16) : ty_raise(&ty_OSError, "illegal IP address string passed to inet_pton");
}

static Value module_inet_ntop(Value module, Value *a)
{
    int32_t family;
    TyBytesArgument packed;
    char text[INET6_ADDRSTRLEN];
    if (!ty_to_int32(a[0], &family))
        return TY_NULL;
    if (family != AF_INET && family != AF_INET6)
        return ty_raise(&ty_ValueError, "unknown address family %d", family);
    if (!ty_bytes_argument(a[1], &packed))
        return TY_NULL;
    bool fits = packed.length == (family == AF_INET ? 4 : 16);
    if (fits)
        inet_ntop(family, packed.data, text, sizeof text);
    ty_bytes_argument_release(&packed);
    return fits ? ty_str_from_text(text) : ty_raise(&ty_ValueError, "invalid length of packed IP address string");
}

/* An int that fits so many bits: Python's conversion to an unsigned C type. */
static bool to_unsigned(Value v, int bits, const char *type, uint64_t *out)
{
    Value number = ty_number_index(v);
    if (number == TY_NULL)
        return false;
    if (ty_int_sign(number) < 0)
        ty_raise(&ty_ValueError, "Cannot convert negative int");
    else if (ty_int_bit_length(number) > bits)
        ty_raise(&ty_OverflowError, "Python int too large for C %s", type);
    else
        return ty_to_uint64(number, out);
    return false;
}

#define CONVERSION(name, bits)                                                                         \
    static Value module_##name(Value module, Value *a)                                                 \
    {                                                                                                  \
        uint64_t number;                                                                               \
        return to_unsigned(a[0], bits, "uint" #bits "_t", &number) ? ty_from_immediate_int(name((uint32_t)number)) : TY_NULL; \
    }
CONVERSION(htons, 16)
CONVERSION(ntohs, 16)
CONVERSION(htonl, 32)
CONVERSION(ntohl, 32)

static Value module_getdefaulttimeout(Value module, Value *a) { return from_timeout(ty_load_relaxed(&default_timeout)); }

static Value module_setdefaulttimeout(Value module, Value *a)
{
    int64_t timeout;
    if (!to_timeout(a[0], &timeout))
        return TY_NULL;
    ty_store_relaxed(&default_timeout, timeout);
    return TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("CMSG_LEN(length, /)", cmsg_len, "The length of a control message with so many bytes of data."),
    TY_FUNCTION("CMSG_SPACE(length, /)", cmsg_space, "The same with the padding behind it."),
    TY_FUNCTION("socketpair(family=AF_UNIX, type=SOCK_STREAM, proto=0, /)", module_socketpair, "Two sockets that are connected to each other."),
    TY_FUNCTION("close(fd, /)", module_close, "Closes a socket's descriptor."),
    TY_FUNCTION("dup(fd, /)", module_dup, "A duplicate of a socket's descriptor."),
    TY_FUNCTION("gethostname()", module_gethostname, "The name of this host."),
    TY_FUNCTION("gethostbyname(host, /)", module_gethostbyname, "The address of a host, as text."),
    TY_FUNCTION("gethostbyname_ex(host, /)", module_gethostbyname_ex, "(name, other names, addresses) of a host."),
    TY_FUNCTION("gethostbyaddr(host, /)", module_gethostbyaddr, "(name, other names, addresses) of the host with an address."),
    TY_FUNCTION("getservbyname(servicename, protocolname=<unrepresentable>, /)", module_getservbyname, "The port of a service."),
    TY_FUNCTION("getservbyport(port, protocolname=<unrepresentable>, /)", module_getservbyport, "The service of a port."),
    TY_FUNCTION("getprotobyname(name, /)", module_getprotobyname, "The number of a protocol."),
    TY_FUNCTION("getnameinfo(sockaddr, flags, /)", module_getnameinfo, "(host, service) of an address."),
    TY_FUNCTION("if_nameindex()", module_if_nameindex, "A list of (number, name) of the network interfaces."),
    TY_FUNCTION("if_nametoindex(oname, /)", module_if_nametoindex, "The number of a network interface."),
    TY_FUNCTION("if_indextoname(if_index, /)", module_if_indextoname, "The name of a network interface."),
    TY_FUNCTION("sethostname(name, /)", module_sethostname, "Sets the name of this host."),
    TY_FUNCTION("getaddrinfo(host, port, family=AF_UNSPEC, type=0, proto=0, flags=0)", module_getaddrinfo,
                "The addresses of a host and a service: a list of (family, type, proto, name, address)."),
    TY_FUNCTION("inet_aton(ip_addr, /)", module_inet_aton, "The four bytes of an address given as text."),
    TY_FUNCTION("inet_ntoa(packed_ip, /)", module_inet_ntoa, "The text of an address given as four bytes."),
    TY_FUNCTION("inet_pton(address_family, ip_string, /)", module_inet_pton, "The bytes of an address given as text."),
    TY_FUNCTION("inet_ntop(address_family, packed_ip, /)", module_inet_ntop, "The text of an address given as bytes."),
    TY_FUNCTION("htons(x, /)", module_htons, "16 bits from the host's byte order to the network's."),
    TY_FUNCTION("ntohs(x, /)", module_ntohs, "16 bits from the network's byte order to the host's."),
    TY_FUNCTION("htonl(x, /)", module_htonl, "32 bits from the host's byte order to the network's."),
    TY_FUNCTION("ntohl(x, /)", module_ntohl, "32 bits from the network's byte order to the host's."),
    TY_FUNCTION("getdefaulttimeout()", module_getdefaulttimeout, "The time-out that new sockets get."),
    TY_FUNCTION("setdefaulttimeout(timeout, /)", module_setdefaulttimeout, "Sets the time-out that new sockets get."),
    {0},
};

static const struct { const char *name; int64_t value; } constants[] = {
#define C(name) {#name, name}
    C(AF_UNSPEC), C(AF_UNIX), C(AF_INET), C(AF_INET6), C(SOCK_STREAM), C(SOCK_DGRAM), C(SOCK_RAW), C(SOCK_RDM), C(SOCK_SEQPACKET), C(SOCK_CLOEXEC), C(SOCK_NONBLOCK),
    C(SO_DEBUG), C(SO_REUSEADDR), C(SO_REUSEPORT), C(SO_KEEPALIVE), C(SO_DONTROUTE), C(SO_BROADCAST), C(SO_LINGER), C(SO_OOBINLINE), C(SO_SNDBUF), C(SO_RCVBUF),
    C(SO_SNDLOWAT), C(SO_RCVLOWAT), C(SO_SNDTIMEO), C(SO_RCVTIMEO), C(SO_ERROR), C(SO_TYPE), C(SO_PROTOCOL), C(SO_DOMAIN), C(SO_ACCEPTCONN), C(SO_PASSCRED),
    C(SO_PEERCRED), C(SO_MARK), C(SO_PRIORITY), C(SO_BINDTODEVICE), C(SOMAXCONN), C(SCM_RIGHTS), C(SCM_CREDENTIALS), C(MSG_OOB), C(MSG_PEEK), C(MSG_DONTROUTE),
    C(MSG_DONTWAIT), C(MSG_EOR), C(MSG_TRUNC), C(MSG_CTRUNC), C(MSG_WAITALL), C(MSG_NOSIGNAL), C(MSG_CMSG_CLOEXEC), C(MSG_ERRQUEUE), C(MSG_CONFIRM), C(MSG_MORE),
    C(SOL_SOCKET), C(SOL_IP), C(SOL_TCP), {"SOL_UDP", IPPROTO_UDP}, C(IPPROTO_IP), C(IPPROTO_ICMP), C(IPPROTO_IGMP), C(IPPROTO_TCP), C(IPPROTO_UDP), C(IPPROTO_IPV6), C(IPPROTO_ICMPV6),
    C(IPPROTO_RAW), C(INADDR_ANY), C(INADDR_BROADCAST), C(INADDR_LOOPBACK), C(INADDR_NONE), C(IP_OPTIONS), C(IP_HDRINCL), C(IP_TOS), C(IP_TTL), C(IP_MULTICAST_IF),
    C(IP_MULTICAST_TTL), C(IP_MULTICAST_LOOP), C(IP_ADD_MEMBERSHIP), C(IP_DROP_MEMBERSHIP), C(IPV6_JOIN_GROUP), C(IPV6_LEAVE_GROUP), C(IPV6_MULTICAST_HOPS),
    C(IPV6_MULTICAST_IF), C(IPV6_MULTICAST_LOOP), C(IPV6_UNICAST_HOPS), C(IPV6_V6ONLY), C(TCP_NODELAY), C(TCP_MAXSEG), C(TCP_CORK), C(TCP_KEEPIDLE), C(TCP_KEEPINTVL),
    C(TCP_KEEPCNT), C(TCP_SYNCNT), C(TCP_LINGER2), C(TCP_DEFER_ACCEPT), C(TCP_INFO), C(TCP_QUICKACK), C(TCP_FASTOPEN), C(TCP_USER_TIMEOUT), C(TCP_CONGESTION),
    C(EAI_ADDRFAMILY), C(EAI_AGAIN), C(EAI_BADFLAGS), C(EAI_FAIL), C(EAI_FAMILY), C(EAI_MEMORY), C(EAI_NODATA), C(EAI_NONAME), C(EAI_OVERFLOW), C(EAI_SERVICE),
    C(EAI_SOCKTYPE), C(EAI_SYSTEM), C(AI_PASSIVE), C(AI_CANONNAME), C(AI_NUMERICHOST), C(AI_NUMERICSERV), C(AI_ALL), C(AI_V4MAPPED), C(AI_ADDRCONFIG),
    C(NI_MAXHOST), C(NI_MAXSERV), C(NI_NOFQDN), C(NI_NUMERICHOST), C(NI_NAMEREQD), C(NI_NUMERICSERV), C(NI_DGRAM), C(SHUT_RD), C(SHUT_WR), C(SHUT_RDWR),
#undef C
};

static bool execute(Value module)
{
    Value herror = ty_type_from_name("socket.herror", &ty_OSError, TY_NULL), gaierror = ty_type_from_name("socket.gaierror", &ty_OSError, TY_NULL);
    if (herror == TY_NULL || gaierror == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_HERROR], herror);
    ty_store(ty_object(module), &ty_module_state(module)[STATE_GAIERROR], gaierror);
    if (!ty_module_add(module, "herror", herror) || !ty_module_add(module, "gaierror", gaierror) || !ty_module_add(module, "error", ty_from_object(&ty_OSError)) ||
        !ty_module_add(module, "timeout", ty_from_object(&ty_TimeoutError)) || !ty_module_add(module, "SocketType", ty_from_object(&socket_type)) ||
        !ty_module_add(module, "has_ipv6", TY_TRUE))
        return false;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    return ty_socket_constants(module);
}

static TyType *const types[] = {&socket_type, NULL};

const TyModuleDef ty_module_socket = {
    .name = "_socket",
    .doc = "Sockets and the names of hosts.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = STATE_COUNT,
};
