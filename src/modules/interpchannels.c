/* _interpchannels: channels between interpreters, known by number.
 *
 * A channel is an object of the heap, found without a lock by its id, with a ring of items under its own lock. Beside the items it knows which interpreters use
 * either end: one that has released an end may not use it again, and a channel that everybody has released is closed. A channel
 * lives until it is destroyed, or until no ChannelID for it is left. Who sends and waits sleeps on a word of an object that travels with the item. */
#include "base/clock.h"
#include "base/futex.h"
#include "crossing/crossing.h"
#include "crossing/id_table.h"
#include "crossing/queues.h"
#include "object/buffer.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/runtime.h"
#include <limits.h>
#include <math.h>

enum { UNBOUND_REMOVE = 1, UNBOUND_ERROR, UNBOUND_REPLACE };
enum { FALLBACK_NONE, FALLBACK_FULL };
enum { SEND, RECV, END_COUNT };                /* the two ends */
enum { BOTH = 0, SEND_ONLY = 1, RECV_ONLY = -1 }; /* of a ChannelID, or of a call */

/* --- items --------------------------------------------------------------------------------------------------------------------------- */

typedef enum Waiting { PENDING, RECEIVED, DROPPED } Waiting;

typedef struct Item {
    TyObject base;
    Value parcel;
    Value next;                /* Item or TY_NULL */
    int64_t interpreter;       /* that sent it; UNBOUND: it is closed */
    uint8_t unbound_op;
    _Atomic uint32_t waiting;  /* what became of it; its sender may sleep here */
} Item;
#define UNBOUND (-1)

typedef struct Channel {
    TyIdentified identified;
    uint8_t unbound_op, fallback;
    _Atomic int64_t ids;       /* ChannelIDs there are for it */
    bool open;                 /* under the object's lock, as is all that follows */
    bool closing;              /* no more is sent; closed when it is empty */
    bool closed;               /* by close(), not by everybody's having released it */
    Value first, last;         /* Items */
    int64_t count;
    TyArray *users[END_COUNT]; /* ints: an interpreter's id times two, plus one while it has not released the end */
    int64_t user_count[END_COUNT];
} Channel;

static TyIdTable channels;

static Item *as_item(Value v) { return (Item *)ty_object(v); }

static void item_trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Item *)self)->parcel);
    ty_mark(marker, ((Item *)self)->next);
}

static void channel_trace(TyObject *self, TyMarker *marker)
{
    Channel *channel = (Channel *)self;
    ty_mark(marker, channel->first);
    ty_mark(marker, channel->last);
    for (int end = 0; end < END_COUNT; end++)
        if (channel->users[end])
            ty_mark_object(marker, &channel->users[end]->base);
}

static TyType item_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(Item), .trace = item_trace}, .flags = TY_TYPE_NO_NEW,
    .name = "_interpchannels._Item", .parent = &ty_object_base_type,
};
static TyType channel_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = {.size = sizeof(Channel), .trace = channel_trace}, .flags = TY_TYPE_NO_NEW,
    .name = "_interpchannels._Channel", .parent = &ty_object_base_type,
};

#define CHANNEL_EXCEPTION(variable, name_, parent_) \
    static TyType variable = {.base = TY_STATIC_HEADER(ty_type_type), .flags = TY_TYPE_EXCEPTION, .name = "_interpchannels." name_, .parent = &parent_}
CHANNEL_EXCEPTION(channel_error_type, "ChannelError", ty_RuntimeError);
CHANNEL_EXCEPTION(not_found_type, "ChannelNotFoundError", channel_error_type);
CHANNEL_EXCEPTION(closed_type, "ChannelClosedError", channel_error_type);
CHANNEL_EXCEPTION(empty_type, "ChannelEmptyError", channel_error_type);
CHANNEL_EXCEPTION(not_empty_type, "ChannelNotEmptyError", channel_error_type);

/* What an operation under the lock came to; the exception is raised after it. */
typedef enum Result { FINE, NO_MEMORY, CLOSED, EMPTY, NOT_EMPTY } Result;

static Value raise_result(Result result, const Channel *channel)
{
    long long id = channel->identified.id;
    switch (result) {
    case CLOSED: return ty_raise(&closed_type, "channel %lld is closed", id);
    case EMPTY: return ty_raise(&empty_type, "channel %lld is empty", id);
    case NOT_EMPTY: return ty_raise(&not_empty_type, "channel %lld may not be closed if not empty (try force=True)", id);
    default: return TY_NULL;
    }
}

/* --- under the lock --------------------------------------------------------------------------------------------------------------------- */

static int64_t find_user(const Channel *channel, int end, int64_t interpreter)
{
    for (int64_t i = 0; i < channel->user_count[end]; i++)
        if (ty_immediate_int(channel->users[end]->items[i]) >> 1 == interpreter)
            return i;
    return -1;
}

static bool user_open(const Channel *channel, int end, int64_t i) { return ty_immediate_int(channel->users[end]->items[i]) & 1; }

static void set_user(Channel *channel, int end, int64_t i, int64_t interpreter, bool open)
{
    ty_store(channel->users[end], &channel->users[end]->items[i], ty_from_immediate_int(interpreter * 2 + open));
}

/* Where the interpreter is among the users of an end: it is entered if need be. -1: no memory. */
static int64_t user(Channel *channel, int end, int64_t interpreter)
{
    int64_t i = find_user(channel, end, interpreter);
    if (i >= 0)
        return i;
    i = channel->user_count[end];
    TyArray *users = channel->users[end];
    if (!users || i == users->capacity) {
        TyArray *more = ty_array_new(i ? i * 2 : 4);
        if (!more)
            return -1;
        for (int64_t k = 0; k < i; k++)
            ty_store(more, &more->items[k], users->items[k]);
        ty_store_pointer(channel, &channel->users[end], more);
    }
    channel->user_count[end]++;
    set_user(channel, end, i, interpreter, true);
    return i;
}

/* The interpreter uses an end, for the first time or again. */
static Result use(Channel *channel, int end, int64_t interpreter)
{
    int64_t i = user(channel, end, interpreter);
    return i < 0 ? NO_MEMORY : user_open(channel, end, i) ? FINE : CLOSED;
}

static void settle(Item *item, Waiting waiting)
{
    ty_store_release(&item->waiting, (uint32_t)waiting);
    ty_futex_wake(&item->waiting, INT_MAX);
}

static void clear(Channel *channel)
{
    for (Value v = channel->first; v != TY_NULL; v = as_item(v)->next)
        settle(as_item(v), DROPPED);
    ty_store(channel, &channel->first, TY_NULL);
    ty_store(channel, &channel->last, TY_NULL);
    channel->count = 0;
}

static void shut(Channel *channel)
{
    channel->open = false;
    clear(channel);
}

static void close_for_good(Channel *channel)
{
    shut(channel);
    channel->closing = false;
    channel->closed = true;
}

/* Open while somebody has not released an end, or nobody has ever used it. */
static void shut_if_released(Channel *channel)
{
    if (channel->user_count[SEND] + channel->user_count[RECV] == 0)
        return;
    for (int end = 0; end < END_COUNT; end++)
        for (int64_t i = 0; i < channel->user_count[end]; i++)
            if (user_open(channel, end, i))
                return;
    shut(channel);
}

static void append(Channel *channel, Item *item)
{
    if (channel->last == TY_NULL)
        ty_store(channel, &channel->first, ty_from_object(item));
    else
        ty_store(as_item(channel->last), &as_item(channel->last)->next, ty_from_object(item));
    ty_store(channel, &channel->last, ty_from_object(item));
    channel->count++;
}

static void unlink_item(Channel *channel, Item *before, Item *item)
{
    if (before)
        ty_store(before, &before->next, item->next);
    else
        ty_store(channel, &channel->first, item->next);
    if (channel->last == ty_from_object(item))
        ty_store(channel, &channel->last, before ? ty_from_object(before) : TY_NULL);
    channel->count--;
}

static Result take(Channel *channel, Item **item)
{
    *item = NULL;
    if (!channel->open)
        return CLOSED;
    Result result = use(channel, RECV, ty_interpreter()->id);
    if (result != FINE)
        return result;
    if (channel->count == 0)
        return EMPTY;
    *item = as_item(channel->first);
    unlink_item(channel, NULL, *item);
    settle(*item, RECEIVED);
    if (channel->closing && channel->count == 0)
        close_for_good(channel);
    return FINE;
}

static Result add(Channel *channel, Item *item)
{
    if (!channel->open || channel->closing)
        return CLOSED;
    Result result = use(channel, SEND, item->interpreter);
    if (result == FINE)
        append(channel, item);
    return result;
}

static Result close_channel(Channel *channel, int end, bool force)
{
    if (channel->closed || !channel->open)
        return CLOSED;
    if (!force && end == SEND_ONLY && channel->closing)
        return CLOSED;
    if (!force && channel->count > 0) {
        if (end != SEND_ONLY)
            return NOT_EMPTY;
        channel->closing = true;
        return FINE;
    }
    close_for_good(channel);
    return FINE;
}

static Result release_channel(Channel *channel, bool send, bool recv, int64_t interpreter)
{
    if (!channel->open)
        return CLOSED;
    for (int end = 0; end < END_COUNT; end++) {
        if (!(end == SEND ? send : recv))
            continue;
        int64_t i = user(channel, end, interpreter);
        if (i < 0)
            return NO_MEMORY;
        set_user(channel, end, i, interpreter, false);
    }
    shut_if_released(channel);
    return FINE;
}

static void forget_interpreter(Channel *channel, int64_t interpreter)
{
    for (Value v = channel->first, before = TY_NULL, next; v != TY_NULL; v = next) {
        Item *item = as_item(v);
        next = item->next;
        if (item->interpreter != interpreter)
            before = v;
        else if (item->unbound_op == UNBOUND_REMOVE) {
            unlink_item(channel, before == TY_NULL ? NULL : as_item(before), item);
            settle(item, DROPPED);
        } else {
            item->interpreter = UNBOUND;
            ty_store(item, &item->parcel, TY_NONE);
            before = v;
        }
    }
    for (int end = 0; end < END_COUNT; end++) {
        int64_t i = find_user(channel, end, interpreter);
        if (i >= 0)
            set_user(channel, end, i, interpreter, false);
    }
    if (channel->open)
        shut_if_released(channel);
}

#define LOCKED(channel, statement)                                  \
    do {                                                            \
        bool locked_ = ty_object_lock(&(channel)->identified.base); \
        statement;                                                  \
        ty_object_unlock(&(channel)->identified.base, locked_);     \
    } while (0)

void ty_channels_interpreter_closed(int64_t id)
{
    if (channels.count == 0)
        return;
    int64_t count;
    TyArray *all = ty_id_table_list(&channels, &count);
    if (!all) {
        ty_clear_exception();
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        Channel *channel = (Channel *)ty_object(all->items[i]);
        LOCKED(channel, forget_interpreter(channel, id));
    }
}

/* --- ChannelID -------------------------------------------------------------------------------------------------------------------------- */

typedef struct ChannelId { /* immutable: crosses as it is */
    TyObject base;
    int64_t id;
    int64_t end;
    Channel *channel;  /* NULL: there was none */
} ChannelId;

static TyType id_type;

static ChannelId *as_id(Value v) { return (ChannelId *)ty_object(v); }

static void id_trace(TyObject *self, TyMarker *marker)
{
    Channel *channel = ((ChannelId *)self)->channel;
    if (channel)
        ty_mark_object(marker, &channel->identified.base);
}

static void end_channel(Channel *channel)
{
    LOCKED(channel, close_for_good(channel));
    ty_id_table_remove(&channels, channel->identified.id);
}

static bool id_finalize(TyObject *self)
{
    Channel *channel = ((ChannelId *)self)->channel;
    if (channel && atomic_fetch_sub_explicit(&channel->ids, 1, memory_order_relaxed) == 1)
        end_channel(channel);
    return true;
}

static Value id_make(int64_t id, int64_t end, Channel *channel)
{
    ChannelId *self = ty_allocate(&id_type, sizeof *self);
    if (!self)
        return TY_NULL;
    self->id = id;
    self->end = end;
    if (channel) {
        atomic_fetch_add_explicit(&channel->ids, 1, memory_order_relaxed);
        ty_store_pointer(self, &self->channel, channel);
    }
    return ty_from_object(self);
}

static bool read_id(Value v, int64_t *id, int64_t *end)
{
    *end = BOTH;
    if (ty_is_exact(v, &id_type)) {
        *id = as_id(v)->id;
        *end = as_id(v)->end;
        return true;
    }
    if (!ty_has_index(v))
        return ty_raise(&ty_TypeError, "channel ID must be an int, got %T", v), false;
    Value number = ty_number_index(v);
    if (number == TY_NULL)
        return false;
    if (ty_int_get_int64(number, id) != 0)
        return ty_raise(&ty_OverflowError, "int too big to convert"), false;
    if (*id < 0)
        return ty_raise(&ty_ValueError, "channel ID must be a non-negative int, got %R", v), false;
    return true;
}

static Channel *find_id(int64_t id)
{
    Channel *channel = (Channel *)ty_id_table_find(&channels, id);
    if (!channel)
        ty_raise(&not_found_type, "channel %lld not found", (long long)id);
    return channel;
}

static Channel *find(Value v)
{
    int64_t id, end;
    return read_id(v, &id, &end) ? find_id(id) : NULL;
}

/* -1: not given (or None); -2: error */
static int read_flag(Value v) { return v == TY_NULL || v == TY_NONE ? -1 : ty_is_true(v) < 0 ? -2 : ty_is_true(v); }

static Value channels_id(Value self, Value *a)
{
    int64_t id, end;
    int send = read_flag(a[1]), recv = read_flag(a[2]), force = read_flag(a[3]);
    if (send == -2 || recv == -2 || force == -2 || !read_id(a[0], &id, &end))
        return TY_NULL;
    if (send == 0 && recv == 0)
        return ty_raise(&ty_ValueError, "'send' and 'recv' cannot both be False");
    if (send == 1 || recv == 1)
        end = (send == 1) - (recv == 1);
    Channel *channel = (Channel *)ty_id_table_find(&channels, id);
    return channel || force == 1 ? id_make(id, end, channel) : (find_id(id), TY_NULL);
}

static Value id_int(Value self) { return ty_int_from_int64(as_id(self)->id); }
static Value id_str(Value self) { return ty_str_format("%lld", (long long)as_id(self)->id); }
static int64_t id_hash(Value self) { return ty_hash(id_int(self)); }

static Value id_repr(Value self)
{
    const char *end = as_id(self)->end == SEND_ONLY ? ", send=True" : as_id(self)->end == RECV_ONLY ? ", recv=True" : "";
    return ty_str_format("ChannelID(%lld%s)", (long long)as_id(self)->id, end);
}

static Value id_compare(Value self, Value other, int op)
{
    if (op != TY_EQ && op != TY_NE)
        return TY_NOT_IMPLEMENTED;
    if (ty_is_exact(other, &id_type))
        return ty_from_bool((as_id(self)->id == as_id(other)->id && as_id(self)->end == as_id(other)->end) == (op == TY_EQ));
    if (!ty_is_int(other) && !ty_is_double(other) && !ty_is_instance_of(other, &ty_float_type))
        return TY_NOT_IMPLEMENTED;
    return ty_compare(id_int(self), other, op);
}

static Value with_end(Value self, int64_t end)
{
    return as_id(self)->end == end ? self : id_make(as_id(self)->id, end, as_id(self)->channel);
}

static Value id_end(Value self) { return as_id(self)->end == SEND_ONLY ? TY_NAME("send") : as_id(self)->end == RECV_ONLY ? TY_NAME("recv") : TY_NAME("both"); }
static Value id_send(Value self) { return with_end(self, SEND_ONLY); }
static Value id_recv(Value self) { return with_end(self, RECV_ONLY); }

static const TyGetSetDef id_getsets[] = {
    {"end", id_end, NULL, "'send', 'recv' or 'both'"},
    {"send", id_send, NULL, "the 'send' end of the channel"},
    {"recv", id_recv, NULL, "the 'recv' end of the channel"},
    {0},
};

static TyType id_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(ChannelId), .trace = id_trace, .finalize = id_finalize},
    .flags = TY_TYPE_NO_NEW,
    .name = "_interpchannels.ChannelID",
    .doc = "A channel ID identifies a channel and may be used as an int.",
    .parent = &ty_object_base_type,
    .slots = {.repr = id_repr, .str = id_str, .hash = id_hash, .compare = id_compare, .index = id_int, .to_int = id_int},
    .getsets = id_getsets,
};

/* --- sending -------------------------------------------------------------------------------------------------------------------------------- */

static bool read_choice(Value v, const char *what, int least, int most, uint8_t fallback, uint8_t *choice)
{
    int32_t number = -1;
    if (v != TY_NULL && !ty_to_int32(v, &number))
        return false;
    if (number >= 0 && (number < least || number > most)) {
        ty_raise(&ty_ValueError, "unsupported %s %d", what, number);
        return false;
    }
    *choice = number < 0 ? fallback : (uint8_t)number;
    return true;
}

/* Nanoseconds; -1: for ever. */
static bool read_timeout(Value v, bool blocking, int64_t *timeout_ns)
{
    double seconds;
    *timeout_ns = -1;
    if (v == TY_NULL || v == TY_NONE)
        return true;
    if (!ty_is_double(v) && !ty_is_instance_of(v, &ty_float_type) && !ty_has_index(v))
        return ty_raise(&ty_TypeError, "'%T' object cannot be interpreted as an integer or float", v), false;
    if (!ty_to_double(v, &seconds))
        return false;
    if (!blocking)
        return ty_raise(&ty_ValueError, "can't specify a timeout for a non-blocking call"), false;
    if (isnan(seconds))
        return ty_raise(&ty_ValueError, "Invalid value NaN (not a number)"), false;
    if (seconds < 0)
        return ty_raise(&ty_ValueError, "timeout value must be a non-negative number"), false;
    if (seconds > 9.2e9)
        return ty_raise(&ty_OverflowError, "timeout value is too large"), false;
    *timeout_ns = (int64_t)ceil(seconds * 1e9);
    return true;
}

/* The sender does not wait any more: what was not received is taken back. */
static Waiting give_up(Channel *channel, Item *item)
{
    LOCKED(channel, {
        Item *before = NULL;
        Value v = channel->first;
        for (; v != TY_NULL && as_item(v) != item; v = before->next)
            before = as_item(v);
        if (v != TY_NULL)
            unlink_item(channel, before, item);
    });
    return (Waiting)ty_load_acquire(&item->waiting);
}

static Value wait_for_receiver(Channel *channel, Item *item, int64_t timeout_ns)
{
    int64_t deadline = timeout_ns < 0 ? 0 : ty_clock_monotonic_ns() + timeout_ns;
    for (;;) {
        Waiting waiting = (Waiting)ty_load_acquire(&item->waiting);
        int64_t left = timeout_ns < 0 ? -1 : deadline - ty_clock_monotonic_ns();
        bool late = timeout_ns >= 0 && left <= 0, interrupted = false;
        if (waiting == PENDING && late)
            waiting = give_up(channel, item);
        if (waiting == RECEIVED)
            return TY_NONE;
        if (waiting == DROPPED)
            return raise_result(CLOSED, channel);
        if (late)
            return ty_raise(&ty_TimeoutError, "timed out");
        ty_blocking_begin();
        ty_futex_wait_interruptible(&item->waiting, PENDING, left, &interrupted);
        ty_blocking_end();
        if (interrupted && !ty_poll_run())
            return give_up(channel, item), TY_NULL;
    }
}

/* a: cid, obj, unboundop, fallback, blocking, timeout. `v` is what is really sent. */
static Value send(Value *a, bool buffer)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    int blocking = read_flag(a[4]);
    int64_t timeout_ns;
    uint8_t op, fallback;
    if (blocking == -2 || !read_choice(a[2], "unboundop", UNBOUND_REMOVE, UNBOUND_REPLACE, channel->unbound_op, &op)
        || !read_choice(a[3], "fallback", FALLBACK_NONE, FALLBACK_FULL, channel->fallback, &fallback) || !read_timeout(a[5], blocking != 0, &timeout_ns))
        return TY_NULL;
    if (!channel->open || channel->closing)
        return raise_result(CLOSED, channel);
    Value v = buffer ? ty_call_one(ty_from_object(&ty_memoryview_type), a[1]) : a[1];
    if (v == TY_NULL)
        return TY_NULL;
    if (fallback == FALLBACK_NONE && !ty_crossing_shareable(v))
        return ty_raise(&ty_NotShareableError, "%R does not support cross-interpreter data", v);
    Value parcel = ty_crossing_pack(v, NULL);
    Item *item = parcel == TY_NULL ? NULL : ty_allocate(&item_type, sizeof *item);
    if (!item)
        return TY_NULL;
    ty_store(item, &item->parcel, parcel);
    item->interpreter = ty_interpreter()->id;
    item->unbound_op = op;
    Result result;
    LOCKED(channel, result = add(channel, item));
    if (result != FINE)
        return raise_result(result, channel);
    return blocking == 0 ? TY_NONE : wait_for_receiver(channel, item, timeout_ns);
}

static Value channels_send(Value self, Value *a) { return send(a, false); }
static Value channels_send_buffer(Value self, Value *a) { return send(a, true); }

static Value channels_recv(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    Item *item;
    Result result;
    LOCKED(channel, result = take(channel, &item));
    if (result == EMPTY && a[1] != TY_NULL)
        return ty_tuple_pack(2, a[1], TY_NONE);
    if (result != FINE)
        return raise_result(result, channel);
    if (item->interpreter == UNBOUND)
        return ty_tuple_pack(2, TY_NONE, ty_from_immediate_int(item->unbound_op));
    return ty_tuple_pack(2, ty_crossing_unpack(item->parcel), TY_NONE);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------------- */

static Value channels_create(Value self, Value *a)
{
    uint8_t op, fallback;
    if (!read_choice(a[0], "unboundop", UNBOUND_REMOVE, UNBOUND_REPLACE, UNBOUND_REPLACE, &op) || !read_choice(a[1], "fallback", FALLBACK_NONE, FALLBACK_FULL, FALLBACK_FULL, &fallback))
        return TY_NULL;
    Channel *channel = ty_allocate(&channel_type, sizeof *channel);
    if (!channel)
        return TY_NULL;
    channel->unbound_op = op;
    channel->fallback = fallback;
    channel->open = true;
    if (!ty_id_table_add(&channels, &channel->identified, -1))
        return TY_NULL;
    return id_make(channel->identified.id, BOTH, channel);
}

static Value channels_destroy(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    end_channel(channel);
    return TY_NONE;
}

static Value channels_list_all(Value self, Value *a)
{
    int64_t count;
    TyArray *all = ty_id_table_list(&channels, &count);
    Value list = all ? ty_list_new(count) : TY_NULL;
    while (list != TY_NULL && count-- > 0) {
        Channel *channel = (Channel *)ty_object(all->items[count]);
        if (channel->closed)
            continue;
        Value entry = ty_tuple_pack(3, id_make(channel->identified.id, BOTH, channel), ty_from_immediate_int(channel->unbound_op), ty_from_immediate_int(channel->fallback));
        if (entry == TY_NULL || !ty_list_append(list, entry))
            return TY_NULL;
    }
    return list;
}

static Value channels_list_interpreters(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    int send_end = channel ? ty_is_true(a[1]) : -1;
    if (send_end < 0)
        return TY_NULL;
    if (channel->closed || (send_end && channel->closing))
        return raise_result(CLOSED, channel);
    int end = send_end ? SEND : RECV;
    int64_t count = ty_load_relaxed((_Atomic int64_t *)&channel->user_count[end]);
    Value list = ty_list_new(count);
    for (int64_t i = 0; list != TY_NULL && i < count; i++)
        if (user_open(channel, end, i) && !ty_list_append(list, ty_from_immediate_int(ty_immediate_int(channel->users[end]->items[i]) >> 1)))
            return TY_NULL;
    return list;
}

/* What "send" and "recv" say of a call: false with an exception. Not given is false. */
static bool read_ends(Value *a, bool *send_end, bool *recv_end)
{
    int s = read_flag(a[0]), r = read_flag(a[1]);
    *send_end = s == 1;
    *recv_end = r == 1;
    return s != -2 && r != -2;
}

static Value channels_close(Value self, Value *a)
{
    bool s, r;
    int force = read_flag(a[3]);
    Channel *channel = find(a[0]);
    if (!channel || force == -2 || !read_ends(a + 1, &s, &r))
        return TY_NULL;
    Result result;
    LOCKED(channel, result = close_channel(channel, s - r, force == 1));
    return result == FINE ? TY_NONE : raise_result(result, channel);
}

static Value channels_release(Value self, Value *a)
{
    bool s, r;
    Channel *channel = find(a[0]);
    if (!channel || !read_ends(a + 1, &s, &r))
        return TY_NULL;
    Result result;
    LOCKED(channel, result = release_channel(channel, s || !r, r || !s, ty_interpreter()->id));
    return result == FINE ? TY_NONE : raise_result(result, channel);
}

static Value channels_get_count(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    return channel->closed ? raise_result(CLOSED, channel) : ty_int_from_int64(channel->count);
}

static Value channels_get_defaults(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    return channel->closed ? raise_result(CLOSED, channel) : ty_tuple_pack(2, ty_from_immediate_int(channel->unbound_op), ty_from_immediate_int(channel->fallback));
}

/* --- get_info ------------------------------------------------------------------------------------------------------------------------------------ */

#define INFO_FIELDS(X) \
    X(open, "open (both ends)") X(closing, "send is closed, recv is not") X(closed, "closed (both ends)") X(count, "items there are") \
    X(num_interp_send, "interpreters that use the send end alone") X(num_interp_send_released, "those of them that have released it") \
    X(num_interp_recv, "interpreters that use the recv end alone") X(num_interp_recv_released, "those of them that have released it") \
    X(num_interp_both, "interpreters that use both ends") X(num_interp_both_recv_released, "those of them that have released recv") \
    X(num_interp_both_send_released, "those of them that have released send") X(num_interp_both_released, "those of them that have released both") \
    X(send_associated, "the current interpreter uses the send end") X(send_released, "it has released it") \
    X(recv_associated, "the current interpreter uses the recv end") X(recv_released, "it has released it")

enum {
#define INFO_INDEX(name, doc) INFO_##name,
    INFO_FIELDS(INFO_INDEX)
    INFO_COUNT
};
static const TyStructField info_fields[] = {
#define INFO_FIELD(name, doc) {#name, doc},
    INFO_FIELDS(INFO_FIELD)
    {0},
};
static const TyStructDef info_def = {"_interpchannels.ChannelInfo", "ChannelInfo\n\nA named tuple of a channel's state.", info_fields, 8};
static TyType info_type;

static void count_users(const Channel *channel, int64_t *info)
{
    for (int64_t i = 0; i < channel->user_count[SEND]; i++) {
        int64_t other = find_user(channel, RECV, ty_immediate_int(channel->users[SEND]->items[i]) >> 1);
        bool open = user_open(channel, SEND, i);
        if (other < 0)
            info[open ? INFO_num_interp_send : INFO_num_interp_send_released]++;
        else {
            bool recv_open = user_open(channel, RECV, other);
            info[open ? (recv_open ? INFO_num_interp_both : INFO_num_interp_both_recv_released) : recv_open ? INFO_num_interp_both_send_released : INFO_num_interp_both_released]++;
        }
    }
    for (int64_t i = 0; i < channel->user_count[RECV]; i++)
        if (find_user(channel, SEND, ty_immediate_int(channel->users[RECV]->items[i]) >> 1) < 0)
            info[user_open(channel, RECV, i) ? INFO_num_interp_recv : INFO_num_interp_recv_released]++;
}

static void describe(const Channel *channel, int64_t *info)
{
    info[INFO_closing] = channel->open && channel->closing;
    info[INFO_open] = channel->open && !channel->closing;
    info[INFO_closed] = !channel->open;
    info[INFO_count] = channel->count;
    if (!channel->open)
        return;
    count_users(channel, info);
    int64_t send_user = find_user(channel, SEND, ty_interpreter()->id), recv_user = find_user(channel, RECV, ty_interpreter()->id);
    info[INFO_send_associated] = send_user >= 0;
    info[INFO_send_released] = send_user >= 0 && !user_open(channel, SEND, send_user);
    info[INFO_recv_associated] = recv_user >= 0;
    info[INFO_recv_released] = recv_user >= 0 && !user_open(channel, RECV, recv_user);
}

static Value channels_get_info(Value self, Value *a)
{
    Channel *channel = find(a[0]);
    if (!channel)
        return TY_NULL;
    int64_t info[INFO_COUNT] = {0};
    LOCKED(channel, describe(channel, info));
    Value fields[INFO_COUNT];
    for (int i = 0; i < INFO_COUNT; i++) {
        bool number = i >= INFO_count && i < INFO_send_associated;
        fields[i] = number ? ty_int_from_int64(info[i]) : ty_from_bool(info[i]);
    }
    return ty_struct_sequence_new(&info_type, fields);
}

/* --- crossing -------------------------------------------------------------------------------------------------------------------------------------- */

static Value same(Value v) { return v; }

/* The library's classes for the ends, of each interpreter. */
static Value end_pack(Value v) { return ty_get_attribute(v, TY_NAME("_id")); }

static Value end_unpack(Value id)
{
    Value module = ty_module_current("_interpchannels");
    if (module == TY_NULL)
        return TY_NULL;
    Value *state = ty_module_state(module);
    if (state[SEND] == TY_NULL && ty_import_module("test.support.channels") == TY_NULL)
        return TY_NULL;
    Value class = as_id(id)->end == RECV_ONLY ? state[RECV] : state[SEND];
    return class == TY_NULL ? ty_raise(&ty_RuntimeError, "the classes of channels' ends are not known") : ty_call_one(class, id);
}

static Value channels_register_end_types(Value module, Value *a)
{
    for (int end = 0; end < END_COUNT; end++)
        if (!ty_is_type(a[end]))
            return ty_raise(&ty_TypeError, "expected a type for '%s'", end == SEND ? "send" : "recv");
    for (int end = 0; end < END_COUNT; end++) {
        ty_store(ty_object(module), &ty_module_state(module)[end], a[end]);
        if (!ty_crossing_register(ty_as_type(a[end]), end_pack, end_unpack))
            return TY_NULL;
    }
    return TY_NONE;
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("create(unboundop=-1, fallback=-1)", channels_create, "Makes a channel and returns its id. Items that were sent by an interpreter that is closed later are treated as unboundop says."),
    TY_FUNCTION("destroy(cid)", channels_destroy, "Ends the channel: from then on there is none of this id."),
    TY_FUNCTION("list_all()", channels_list_all, "A list of the channels that are not closed, newest first: id, unboundop and fallback of each."),
    TY_FUNCTION("list_interpreters(cid, *, send)", channels_list_interpreters, "The ids of the interpreters that use an end of the channel."),
    TY_FUNCTION("send(cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)", channels_send, "Sends an object and waits until it is received."),
    TY_FUNCTION("send_buffer(cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)", channels_send_buffer, "Sends the object's memory, as a memoryview, and waits until it is received."),
    TY_FUNCTION("recv(cid, default=<unrepresentable>)", channels_recv, "Takes the oldest item: a pair of it and None, or of None and the unboundop if its interpreter is gone. Without one: the default, or ChannelEmptyError."),
    TY_FUNCTION("close(cid, *, send=None, recv=None, force=False)", channels_close, "Closes the channel for all interpreters. Without force, one that is not empty is closed for sending alone, or not at all."),
    TY_FUNCTION("release(cid, *, send=None, recv=None, force=True)", channels_release, "The current interpreter gives up an end of the channel, or both."),
    TY_FUNCTION("get_count(cid)", channels_get_count, "How many items the channel has now."),
    TY_FUNCTION("get_info(cid)", channels_get_info, "The channel's state, as a named tuple."),
    TY_FUNCTION("get_channel_defaults(cid)", channels_get_defaults, "The unboundop and fallback that the channel was made with."),
    TY_FUNCTION("_channel_id(id, *, send=None, recv=None, force=False, _resolve=False)", channels_id, "A ChannelID. With force, even if there is no such channel."),
    TY_FUNCTION("_register_end_types(send, recv)", channels_register_end_types, "Tells of the library's classes."),
    {0},
};

static TyType *const types[] = {&channel_error_type, &not_found_type, &closed_type, &empty_type, &not_empty_type, &id_type, NULL};

static bool execute(Value module)
{
    TyType *info = ty_struct_sequence_type(&info_type, &info_def);
    return info && ty_module_add(module, "ChannelInfo", ty_from_object(info)) && ty_type_ready(&channel_type) && ty_type_ready(&item_type)
        && ty_crossing_register(&id_type, same, same);
}

const TyModuleDef ty_module_interpchannels = {
    .name = "_interpchannels",
    .doc = "Channels between interpreters, known by number.",
    .functions = functions,
    .types = types,
    .execute = execute,
    .state_count = END_COUNT,
};
