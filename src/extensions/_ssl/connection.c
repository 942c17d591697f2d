/* _SSLSocket: one end of a TLS connection, over a socket or two MemoryBIOs. */
#include "ssl.h"
#include "base/clock.h"
#include "modules/socket.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>

enum { NATIVE_BYTES = 48 << 10 }; /* what OpenSSL keeps for a connection, about */

static void connection_trace(TyObject *self, TyMarker *marker)
{
    Connection *connection = (Connection *)self;
    ty_mark(marker, connection->socket);
    ty_mark(marker, connection->context);
    ty_mark(marker, connection->owner);
    ty_mark(marker, connection->server_hostname);
    ty_mark(marker, connection->raised);
}

static void connection_destroy(TyObject *self)
{
    SSL *handle = ((Connection *)self)->handle;
    if (!handle)
        return;
    ty_heap_account(-NATIVE_BYTES);
    SSL_free(handle);
}

/* --- making -------------------------------------------------------------------------------------------------------------------------- */

/* The host that the certificate must be for, and that the server is told: a name or an address. */
static bool set_hostname(Connection *connection, Context *context, Value hostname)
{
    size_t size;
    Value holder;
    const char *text = ty_str_utf8(hostname, &size, &holder);
    if (!text)
        return false;
    if (size == 0 || text[0] == '.') {
        ty_raise(&ty_ValueError, "server_hostname cannot be an empty string or start with a leading dot.");
        return false;
    }
    if (strlen(text) != size) {
        ty_raise(&ty_TypeError, "embedded null character");
        return false;
    }
    ty_store(connection, &connection->server_hostname, hostname);
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ERR_clear_error();
    bool done = address || SSL_set_tlsext_host_name(connection->handle, text);
    if (done && ty_load_relaxed(&context->check_hostname)) {
        X509_VERIFY_PARAM *parameters = SSL_get0_param(connection->handle);
        done = address ? X509_VERIFY_PARAM_set1_ip(parameters, ASN1_STRING_get0_data(address), (size_t)ASN1_STRING_length(address))
                       : X509_VERIFY_PARAM_set1_host(parameters, text, size);
    }
    ASN1_OCTET_STRING_free(address);
    if (!done)
        TLS_RAISE_LAST();
    return done;
}

static bool set_bios(Connection *connection, Value incoming, Value outgoing)
{
    BIO *in = incoming == TY_NULL ? tls_socket_bio(connection) : tls_pipe_bio(incoming);
    BIO *out = in && outgoing != TY_NULL ? tls_pipe_bio(outgoing) : in;
    if (!in || !out) {
        BIO_free(in);
        ty_raise_memory_error();
        return false;
    }
    SSL_set_bio(connection->handle, in, out);
    return true;
}

static bool set_session(Connection *connection, Value session);
static bool set_owner(Value self, Value value);

Value tls_connection_new(Context *context, Value socket, bool is_server, Value hostname, Value owner, Value session, Value incoming, Value outgoing)
{
    if (is_server && context->protocol == PROTOCOL_TLS_CLIENT)
        return TLS_RAISE_TEXT("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context");
    if (!is_server && context->protocol == PROTOCOL_TLS_SERVER)
        return TLS_RAISE_TEXT("Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
    Value made = ty_type_allocate(&tls_connection_type, 0);
    if (made == TY_NULL)
        return TY_NULL;
    Connection *connection = as_connection(made);
    connection->is_server = is_server;
    ty_store(connection, &connection->socket, socket);
    ty_store(connection, &connection->context, ty_from_object(&context->base));
    if (owner != TY_NULL && !set_owner(made, owner))
        return TY_NULL;
    ERR_clear_error();
    tls_lock(&context->lock);
    SSL *ssl = SSL_new(context->handle);
    tls_unlock(&context->lock);
    if (!ssl)
        return TLS_RAISE_LAST();
    ty_heap_account(NATIVE_BYTES);
    connection->handle = ssl;
    SSL_set_app_data(ssl, connection);
    if (!set_bios(connection, incoming, outgoing))
        return TY_NULL;
    SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (ty_load_relaxed(&context->post_handshake)) {
        if (is_server) /* the other end is asked later */
            SSL_set_verify(ssl, SSL_get_verify_mode(ssl) | SSL_VERIFY_POST_HANDSHAKE, NULL);
        else
            SSL_set_post_handshake_auth(ssl, 1);
    }
    if (hostname != TY_NULL && hostname != TY_NONE && !set_hostname(connection, context, hostname))
        return TY_NULL;
    if (is_server) {
        SSL_set_session_id_context(ssl, (const unsigned char *)"Python", sizeof "Python");
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    if (session != TY_NULL && session != TY_NONE && !set_session(connection, session))
        return TY_NULL;
    return made;
}

/* --- waiting ---------------------------------------------------------------------------------------------------------------------------- */

/* The part of a method that calls OpenSSL: begins with the lock and ends with how it went. */
#define CALL(connection, outcome, call)                                                                       \
    do {                                                                                                      \
        Connection *c_ = (connection);                                                                        \
        tls_lock(&c_->lock);                                                                                  \
        ERR_clear_error();                                                                                    \
        c_->input_error = 0;                                                                                  \
        ty_blocking_begin();                                                                                  \
        (outcome).result = (call);                                                                            \
        (outcome).error = SSL_get_error(c_->handle, (outcome).result);                                        \
        (outcome).system_error = c_->input_error;                                                             \
        ty_blocking_end();                                                                                    \
        tls_unlock(&c_->lock);                                                                                \
        __asm__ volatile("" : : "r"(c_) : "memory"); /* its address stays in sight of the collector until here */ \
    } while (0)

/* Whether the socket can be used, else an exception. A connection over MemoryBIOs always can. */
static bool is_open(Connection *connection)
{
    return connection->socket == TY_NULL || ty_socket_descriptor(connection->socket) >= 0;
}

static bool check_socket(Connection *connection, int line)
{
    if (is_open(connection))
        return true;
    ERR_clear_error();
    tls_raise(connection, &tls_error, NUMBER_NO_SOCKET, "Underlying socket connection gone", line);
    return false;
}

static int64_t deadline_of(Connection *connection)
{
    int64_t timeout = connection->socket == TY_NULL ? 0 : ty_socket_timeout(connection->socket);
    return timeout > 0 ? ty_clock_monotonic_ns() + timeout : timeout; /* 0: do not wait, -1: for ever */
}

enum { WAIT_FAILED = -1, WAIT_READY, WAIT_NOT };

/* Waits for what OpenSSL asks for. WAIT_NOT: there is nothing to wait for, the outcome is to be told. */
static int wait_for(Connection *connection, const Outcome *outcome, int64_t deadline, const char *what)
{
    bool reads = outcome->error == SSL_ERROR_WANT_READ;
    if ((!reads && outcome->error != SSL_ERROR_WANT_WRITE) || deadline == 0 || connection->raised != TY_NULL)
        return WAIT_NOT;
    for (;;) {
        int64_t left = deadline < 0 ? -1 : TY_MAX(deadline - ty_clock_monotonic_ns(), 0);
        struct pollfd entry = {.fd = ty_socket_descriptor(connection->socket), .events = reads ? POLLIN : POLLOUT};
        if (entry.fd < 0)
            return ty_raise(&tls_error, "Underlying socket has been closed."), WAIT_FAILED;
        ty_blocking_begin();
        int ready = poll(&entry, 1, left < 0 ? -1 : (int)TY_MIN((left + 999999) / 1000000, INT_MAX));
        ty_blocking_end();
        if (ready > 0 && !(entry.revents & POLLNVAL))
            return ty_poll_run() ? WAIT_READY : WAIT_FAILED;
        if (ready > 0)
            errno = EBADF;
        if (ready == 0)
            return ty_raise(&ty_TimeoutError, "The %s operation timed out", what), WAIT_FAILED;
        if (ready > 0 || errno != EINTR)
            return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL), WAIT_FAILED;
        if (!ty_poll_run())
            return WAIT_FAILED;
    }
}

/* A callback raised, though OpenSSL went on. */
static bool callback_raised(Connection *connection)
{
    Value raised = ty_field(&connection->raised);
    if (raised == TY_NULL)
        return false;
    ty_store(connection, &connection->raised, TY_NULL);
    ty_restore_exception(raised);
    return true;
}

static Value connection_handshake(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    Outcome outcome;
    int waited;
    if (!check_socket(connection, __LINE__))
        return TY_NULL;
    int64_t deadline = deadline_of(connection);
    do {
        CALL(connection, outcome, SSL_do_handshake(connection->handle));
        waited = outcome.result < 1 ? wait_for(connection, &outcome, deadline, "handshake") : WAIT_NOT;
    } while (waited == WAIT_READY);
    if (waited == WAIT_FAILED)
        return TY_NULL;
    if (outcome.result < 1)
        return tls_raise_outcome(connection, &outcome, __LINE__);
    return callback_raised(connection) ? TY_NULL : TY_NONE;
}

/* --- reading and writing -------------------------------------------------------------------------------------------------------------------- */

static Value write_bytes(Connection *connection, const uint8_t *data, size_t size)
{
    Outcome outcome;
    size_t written = 0;
    int waited;
    int64_t deadline = deadline_of(connection);
    do {
        CALL(connection, outcome, SSL_write_ex(connection->handle, data, size, &written));
        waited = outcome.result == 0 ? wait_for(connection, &outcome, deadline, "write") : WAIT_NOT;
    } while (waited == WAIT_READY);
    if (waited == WAIT_FAILED)
        return TY_NULL;
    if (outcome.result == 0)
        return tls_raise_outcome(connection, &outcome, __LINE__);
    return callback_raised(connection) ? TY_NULL : ty_int_from_uint64(written);
}

static Value connection_write(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    TyBytesArgument data;
    if (!check_socket(connection, __LINE__) || !ty_bytes_argument(a[0], &data))
        return TY_NULL;
    bool waits = deadline_of(connection) != 0;
    if (waits)
        ty_mutex_lock_blocking(&connection->writing);
    Value result = write_bytes(connection, data.data, (size_t)data.length);
    if (waits)
        ty_mutex_unlock(&connection->writing);
    ty_bytes_argument_release(&data);
    return result;
}

/* -1 with an exception; else how many bytes there were, 0 at the end. */
static int64_t read_bytes(Connection *connection, uint8_t *data, size_t size)
{
    Outcome outcome;
    size_t count = 0;
    int waited;
    int64_t deadline = deadline_of(connection);
    do {
        CALL(connection, outcome, SSL_read_ex(connection->handle, data, size, &count));
        waited = outcome.result == 0 ? wait_for(connection, &outcome, deadline, "read") : WAIT_NOT;
    } while (waited == WAIT_READY);
    if (waited == WAIT_FAILED)
        return -1;
    if (outcome.result == 0 && connection->raised == TY_NULL && outcome.error == SSL_ERROR_ZERO_RETURN &&
        SSL_get_shutdown(connection->handle) == SSL_RECEIVED_SHUTDOWN)
        return 0;
    if (outcome.result == 0)
        return tls_raise_outcome(connection, &outcome, __LINE__), -1;
    return callback_raised(connection) ? -1 : (int64_t)count;
}

static Value read_into(Connection *connection, Value target, int64_t size)
{
    TyBuffer view;
    if (!ty_buffer_get(target, &view, TY_BUFFER_WRITABLE))
        return TY_NULL;
    if (size <= 0 || size > view.length)
        size = view.length;
    if (size > INT_MAX) {
        ty_buffer_release(&view);
        return ty_raise(&ty_OverflowError, "maximum length can't fit in a C 'int'");
    }
    int64_t count = size == 0 ? 0 : read_bytes(connection, view.data, (size_t)size);
    ty_buffer_release(&view);
    return count < 0 ? TY_NULL : ty_int_from_int64(count);
}

static Value connection_read(Value self, const Value *arguments, size_t count, Value keywords)
{
    Connection *connection = as_connection(self);
    int64_t size;
    if (!ty_no_keywords("read", keywords))
        return TY_NULL;
    if (count < 1 || count > 2)
        return ty_raise(&ty_TypeError, "_ssl._SSLSocket.read requires 1 to 2 arguments");
    if (!ty_to_size(arguments[0], &size))
        return TY_NULL;
    if (count == 1 && size < 0)
        return ty_raise(&ty_ValueError, "size should not be negative");
    if (!check_socket(connection, __LINE__))
        return TY_NULL;
    if (count == 2)
        return read_into(connection, arguments[1], size);
    /* A record holds 16 kB at most: room for much more is not taken before there is need for it. */
    size = TY_MIN(size, INT_MAX);
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    if (bytes == TY_NULL || size == 0)
        return bytes;
    int64_t got = read_bytes(connection, ty_as_bytes(bytes)->data, (size_t)size);
    return got < 0 ? TY_NULL : got == size ? bytes : ty_bytes_shrink(bytes, (size_t)got);
}

static Value connection_pending(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    tls_lock(&connection->lock);
    int count = SSL_pending(connection->handle);
    tls_unlock(&connection->lock);
    return ty_from_immediate_int(count);
}

static Value connection_shutdown(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    Outcome outcome;
    int zeros = 0, waited = WAIT_READY;
    if (!check_socket(connection, __LINE__))
        return TY_NULL;
    int64_t deadline = deadline_of(connection);
    while (waited == WAIT_READY) {
        /* What was received after the other end's goodbye is not for us: nothing is read ahead. */
        if (connection->shutdown_seen_zero)
            SSL_set_read_ahead(connection->handle, 0);
        CALL(connection, outcome, SSL_shutdown(connection->handle));
        if (outcome.result > 0 || (outcome.result == 0 && ++zeros > 1))
            break;
        if (outcome.result == 0) { /* said goodbye, and waits for the answer */
            connection->shutdown_seen_zero = true;
            continue;
        }
        waited = wait_for(connection, &outcome, deadline, outcome.error == SSL_ERROR_WANT_READ ? "read" : "write");
    }
    if (waited == WAIT_FAILED)
        return TY_NULL;
    if (outcome.result < 0)
        return tls_raise_outcome(connection, &outcome, __LINE__);
    if (callback_raised(connection))
        return TY_NULL;
    return connection->socket == TY_NULL ? TY_NONE : connection->socket;
}

/* --- what is known of the connection ------------------------------------------------------------------------------------------------------------ */

#define LOCKED(connection, expression) ({                                 \
        tls_lock(&(connection)->lock);                                    \
        __typeof__(expression) result_ = (expression);                    \
        tls_unlock(&(connection)->lock);                                  \
        result_; })

static Value connection_peer_certificate(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    int binary = a[0] == TY_NULL ? 0 : ty_is_true(a[0]);
    if (binary < 0)
        return TY_NULL;
    if (!LOCKED(connection, SSL_is_init_finished(connection->handle)))
        return ty_raise(&ty_ValueError, "handshake not done yet");
    X509 *certificate = LOCKED(connection, SSL_get1_peer_certificate(connection->handle));
    if (!certificate)
        return TY_NONE;
    Value result;
    if (binary)
        result = tls_encode_certificate(certificate);
    else
        result = SSL_get_verify_mode(connection->handle) & SSL_VERIFY_PEER ? tls_decode_certificate(certificate) : ty_dict_new();
    X509_free(certificate);
    return result;
}

static Value connection_verified_chain(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    tls_lock(&connection->lock);
    STACK_OF(X509) *chain = SSL_get0_verified_chain(connection->handle);
    Value list = chain ? tls_certificates(chain, NULL) : TY_NONE;
    tls_unlock(&connection->lock);
    return list;
}

static Value connection_unverified_chain(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    tls_lock(&connection->lock);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(connection->handle);
    X509 *peer = chain && connection->is_server ? SSL_get1_peer_certificate(connection->handle) : NULL; /* a server's has not the client's own */
    Value list = chain ? tls_certificates(chain, peer) : TY_NONE;
    tls_unlock(&connection->lock);
    X509_free(peer);
    return list;
}

static Value connection_channel_binding(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    if (a[0] != TY_NULL && !ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "get_channel_binding() argument 'cb_type' must be str, not %T", a[0]);
    if (a[0] != TY_NULL && !ty_str_equal_text(a[0], "tls-unique"))
        return ty_raise(&ty_ValueError, "'%S' channel binding type not implemented", a[0]);
    char room[128];
    tls_lock(&connection->lock);
    /* The first of the Finished messages: the server's where a session was resumed. */
    size_t size = SSL_session_reused(connection->handle) ^ !connection->is_server ? SSL_get_finished(connection->handle, room, sizeof room)
                                                                                  : SSL_get_peer_finished(connection->handle, room, sizeof room);
    tls_unlock(&connection->lock);
    return size == 0 ? TY_NONE : ty_bytes_new(room, TY_MIN(size, sizeof room));
}

Value tls_cipher_tuple(const SSL_CIPHER *cipher)
{
    const char *name = SSL_CIPHER_get_name(cipher), *version = SSL_CIPHER_get_version(cipher);
    return ty_tuple_pack(3, name ? ty_str_from_text(name) : TY_NONE, version ? ty_str_from_text(version) : TY_NONE,
                         ty_from_immediate_int(SSL_CIPHER_get_bits(cipher, NULL)));
}

static Value connection_cipher(Value self, Value *a)
{
    const SSL_CIPHER *cipher = LOCKED(as_connection(self), SSL_get_current_cipher(as_connection(self)->handle));
    return cipher ? tls_cipher_tuple(cipher) : TY_NONE;
}

static Value connection_shared_ciphers(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    tls_lock(&connection->lock);
    STACK_OF(SSL_CIPHER) *server = SSL_get_ciphers(connection->handle), *client = SSL_get_client_ciphers(connection->handle);
    Value list = server && client ? ty_list_new(0) : TY_NONE;
    for (int i = 0; list != TY_NULL && list != TY_NONE && i < sk_SSL_CIPHER_num(server); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(server, i);
        Value tuple = sk_SSL_CIPHER_find(client, (SSL_CIPHER *)(uintptr_t)cipher) < 0 ? TY_NONE : tls_cipher_tuple(cipher);
        if (tuple == TY_NULL || (tuple != TY_NONE && !ty_list_append(list, tuple)))
            list = TY_NULL;
    }
    tls_unlock(&connection->lock);
    return list;
}

static Value connection_version(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    const char *version = LOCKED(connection, SSL_is_init_finished(connection->handle) ? SSL_get_version(connection->handle) : NULL);
    return version && strcmp(version, "unknown") ? ty_str_from_text(version) : TY_NONE;
}

static Value connection_alpn(Value self, Value *a)
{
    const unsigned char *name;
    unsigned size;
    tls_lock(&as_connection(self)->lock);
    SSL_get0_alpn_selected(as_connection(self)->handle, &name, &size);
    Value text = name ? ty_str_from_utf8((const char *)name, size) : TY_NONE;
    tls_unlock(&as_connection(self)->lock);
    return text;
}

static Value connection_compression(Value self, Value *a)
{
    const COMP_METHOD *method = LOCKED(as_connection(self), SSL_get_current_compression(as_connection(self)->handle));
    int kind = method ? COMP_get_type(method) : NID_undef;
    const char *name = kind == NID_undef ? NULL : OBJ_nid2sn(kind);
    return name ? ty_str_from_text(name) : TY_NONE;
}

static Value connection_verify_later(Value self, Value *a)
{
    Connection *connection = as_connection(self);
    ERR_clear_error();
    return LOCKED(connection, SSL_verify_client_post_handshake(connection->handle)) ? TY_NONE : TLS_RAISE_LAST();
}

/* --- attributes --------------------------------------------------------------------------------------------------------------------------------------- */

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }
static Value get_context(Value self) { return ty_field(&as_connection(self)->context); }
static Value get_owner(Value self)
{
    Value owner = ty_field(&as_connection(self)->owner);
    return owner == TY_NULL ? TY_NONE : or_none(ty_weak_target(owner));
}
static Value get_server_side(Value self) { return ty_from_bool(as_connection(self)->is_server); }
static Value get_server_hostname(Value self) { return or_none(ty_field(&as_connection(self)->server_hostname)); }
static Value get_session_reused(Value self) { return ty_from_bool(LOCKED(as_connection(self), SSL_session_reused(as_connection(self)->handle))); }

static bool set_context(Value self, Value value)
{
    if (value == TY_NULL)
        return tls_not_deleted(self, "context");
    if (!ty_is_instance_of(value, &tls_context_type)) {
        ty_raise(&ty_TypeError, "The value must be a SSLContext");
        return false;
    }
    Connection *connection = as_connection(self);
    Context *context = as_context(value);
    tls_lock(&connection->lock);
    ty_store(connection, &connection->context, value);
    SSL_set_SSL_CTX(connection->handle, context->handle);
    SSL_set_msg_callback(connection->handle, context->message_callback == TY_NULL ? NULL : tls_message_callback);
    tls_unlock(&connection->lock);
    return true;
}

static bool set_owner(Value self, Value value)
{
    if (value == TY_NULL)
        return tls_not_deleted(self, "owner");
    Value reference = value == TY_NONE ? TY_NULL : ty_weak_reference_new(value, TY_NULL);
    if (value != TY_NONE && reference == TY_NULL)
        return false;
    ty_store(ty_object(self), &as_connection(self)->owner, reference);
    return true;
}

static Value get_session(Value self)
{
    Connection *connection = as_connection(self);
    Value made = ty_type_allocate(&tls_session_type, 0);
    if (made == TY_NULL)
        return TY_NULL;
    Session *session = (Session *)ty_object(made);
    session->handle = LOCKED(connection, SSL_get1_session(connection->handle));
    ty_store(session, &session->context, ty_field(&connection->context));
    return session->handle ? made : TY_NONE;
}

static bool refuse(const char *text)
{
    ty_raise(&ty_ValueError, "%s", text);
    return false;
}

static bool set_session(Connection *connection, Value value)
{
    if (!ty_is_instance_of(value, &tls_session_type)) {
        ty_raise(&ty_TypeError, "Value is not a SSLSession.");
        return false;
    }
    Session *session = (Session *)ty_object(value);
    if (as_context(session->context)->handle != as_context(connection->context)->handle)
        return refuse("Session refers to a different SSLContext.");
    if (connection->is_server)
        return refuse("Cannot set session for server-side SSLSocket.");
    if (LOCKED(connection, SSL_is_init_finished(connection->handle)))
        return refuse("Cannot set session after handshake.");
    ERR_clear_error();
    SSL_SESSION *copy = SSL_SESSION_dup(session->handle); /* a connection changes the session that it resumes */
    int done = copy ? LOCKED(connection, SSL_set_session(connection->handle, copy)) : 0;
    SSL_SESSION_free(copy);
    if (!done)
        TLS_RAISE_LAST();
    return done;
}
static bool assign_session(Value self, Value value)
{
    return value == TY_NULL ? tls_not_deleted(self, "session") : set_session(as_connection(self), value);
}

static const TyGetSetDef connection_getsets[] = {
    {"context", get_context, set_context, "The SSLContext that it was made with, or that took over (while the server's name is looked at)."},
    {"server_side", get_server_side, NULL, "Whether this is a server-side socket."},
    {"server_hostname", get_server_hostname, NULL, "The currently set server hostname (for SNI)."},
    {"owner", get_owner, set_owner, "The Python-level owner of this object. Passed as \"self\" in servername callback."},
    {"session", get_session, assign_session, "The underlying SSLSession object."},
    {"session_reused", get_session_reused, NULL, "Was the client session reused during handshake?"},
    {0},
};

static const TyNativeDef connection_methods[] = {
    TY_METHOD("do_handshake(self, /)", connection_handshake, "Perform the TLS handshake."),
    TY_METHOD("write(self, b, /)", connection_write, "Sends bytes and returns how many were taken."),
    TY_RAW_METHOD("read(size, [buffer])", connection_read, "Receives up to size bytes, or into a buffer, then returning their number."),
    TY_METHOD("pending(self, /)", connection_pending, "How many decrypted bytes can be read without waiting."),
    TY_METHOD("getpeercert(self, der=False, /)", connection_peer_certificate,
              "The other end's certificate: a dict (empty if it was not verified), or DER; None if it sent none."),
    TY_METHOD("get_channel_binding(self, /, cb_type='tls-unique')", connection_channel_binding, "The bytes that bind an authentication to this connection, or None."),
    TY_METHOD("cipher(self, /)", connection_cipher, "(name, version of the protocol, secret bits), or None."),
    TY_METHOD("shared_ciphers(self, /)", connection_shared_ciphers, "The ciphers of both ends, or None."),
    TY_METHOD("version(self, /)", connection_version, "The protocol's version, or None."),
    TY_METHOD("selected_alpn_protocol(self, /)", connection_alpn, "The protocol that both ends agreed on, or None."),
    TY_METHOD("compression(self, /)", connection_compression, "The compression, or None."),
    TY_METHOD("shutdown(self, /)", connection_shutdown, "Says goodbye, waits for the answer, and returns the socket."),
    TY_METHOD("verify_client_post_handshake(self, /)", connection_verify_later, "Asks the client for its certificate after the handshake."),
    TY_METHOD("get_unverified_chain(self, /)", connection_unverified_chain, "The certificates that the other end sent, or None."),
    TY_METHOD("get_verified_chain(self, /)", connection_verified_chain, "The certificates up to a trusted one, or None."),
    {0},
};

TyType tls_connection_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Connection), .trace = connection_trace, .destroy = connection_destroy},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_ssl._SSLSocket",
    .methods = connection_methods,
    .getsets = connection_getsets,
};
