/* SSLSession: what a later connection may resume. */
#include "ssl.h"

static SSL_SESSION *as_session(Value v) { return ((Session *)ty_object(v))->handle; }

static void session_destroy(TyObject *self) { SSL_SESSION_free(((Session *)self)->handle); }
static void session_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Session *)self)->context); }

static Value session_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_instance_of(right, &tls_session_type))
        return TY_NOT_IMPLEMENTED;
    unsigned left_size, right_size;
    const unsigned char *a = SSL_SESSION_get_id(as_session(left), &left_size), *b = SSL_SESSION_get_id(as_session(right), &right_size);
    bool same = as_session(left) == as_session(right) || (left_size == right_size && memcmp(a, b, left_size) == 0);
    return ty_from_bool(same == (op == TY_EQ));
}

static Value get_time(Value self) { return ty_int_from_int64(SSL_SESSION_get_time(as_session(self))); }
static Value get_timeout(Value self) { return ty_int_from_int64(SSL_SESSION_get_timeout(as_session(self))); }
static Value get_lifetime(Value self) { return ty_int_from_uint64(SSL_SESSION_get_ticket_lifetime_hint(as_session(self))); }
static Value get_has_ticket(Value self) { return ty_from_bool(SSL_SESSION_has_ticket(as_session(self))); }
static Value get_id(Value self)
{
    unsigned size;
    const unsigned char *id = SSL_SESSION_get_id(as_session(self), &size);
    return ty_bytes_new(id, size);
}

static const TyGetSetDef session_getsets[] = {
    {"has_ticket", get_has_ticket, NULL, "Does the session contain a ticket?"},
    {"id", get_id, NULL, "Session ID."},
    {"ticket_lifetime_hint", get_lifetime, NULL, "Ticket life time hint."},
    {"time", get_time, NULL, "Session creation time (seconds since epoch)."},
    {"timeout", get_timeout, NULL, "Session timeout (delta in seconds)."},
    {0},
};

TyType tls_session_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Session), .trace = session_trace, .destroy = session_destroy},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_ssl.SSLSession",
    .slots = {.compare = session_compare, .hash = ty_hash_unhashable},
    .getsets = session_getsets,
};
