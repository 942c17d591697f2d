/* _ssl: TLS by OpenSSL 3.
 *
 * Each of OpenSSL's objects belongs to one heap object of ours, and is used under that object's Lock, which is taken before the thread counts
 * as blocked and may be taken again by the same thread, for OpenSSL calls Python back (a password, a server's name, a key) while it is held.
 * A callback runs Python between tls_python_begin and tls_python_end.
 *
 * OpenSSL never waits: what it reads and writes goes through BIOs of ours (bio.c), which say "later" where a socket would block. The connection
 * waits for the socket without its lock, so that one thread may write while another one waits for something to read.
 *
 * OpenSSL leaves its errors in a queue of the OS thread; whoever calls it empties that before and looks at it right after. */
#ifndef TY_EXTENSIONS_SSL_H
#define TY_EXTENSIONS_SSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "object/buffer.h"
#include "object/bytes.h"
#include "object/bytes_parts.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/weakref.h"

typedef struct Lock {
    TyMutex mutex;
    _Atomic(TyThread *) holder;
    uint32_t depth; /* the holder's */
} Lock;
void tls_lock(Lock *lock);
void tls_unlock(Lock *lock);

/* Python inside of OpenSSL. What the collector scans of the thread goes back to what it was: the outer function's Values may be in registers
 * that were saved when it became blocked, and nowhere else. */
typedef struct Interlude {
    uintptr_t registers[TY_COUNT_OF(((TyThread *)0)->registers)];
    char *scan;
} Interlude;
void tls_python_begin(Interlude *interlude);
void tls_python_end(Interlude *interlude);

/* --- types ------------------------------------------------------------------------------------------------------------------- */

enum { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED };
enum { PROTOCOL_SSLv2, PROTOCOL_SSLv3, PROTOCOL_TLS, PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2, PROTOCOL_TLS_CLIENT = 16, PROTOCOL_TLS_SERVER };
enum { VERSION_LOWEST = -2, VERSION_HIGHEST = -1 };

typedef struct Context {
    TyObject base;
    SSL_CTX *handle;
    Lock lock;
    int protocol;
    _Atomic bool check_hostname, post_handshake;
    unsigned host_flags;
    struct Alpn *_Atomic alpn; /* NULL: none were set */
    BIO *keylog;
    TyMutex keylog_mutex;
    Value keylog_filename, server_name_callback, message_callback, psk_client_callback, psk_server_callback; /* TY_NULL: none */
} Context;

typedef struct Connection {
    TyObject base;
    SSL *handle;
    Lock lock;
    TyMutex writing;      /* a write that waits must be finished by the one that began it */
    bool is_server;
    bool shutdown_seen_zero;
    int input_error;      /* errno of the last failed operation of its socket */
    Value socket;         /* TY_NULL: it goes through two MemoryBIOs */
    Value context;
    Value owner;          /* a weak reference, or TY_NULL */
    Value server_hostname; /* or TY_NULL */
    Value raised;         /* by a callback, to be raised by the method that called OpenSSL */
} Connection;

typedef struct Session {
    TyObject base;
    SSL_SESSION *handle;
    Value context;
} Session;

typedef struct Certificate {
    TyObject base;
    X509 *handle;
} Certificate;

/* A queue of bytes between Python and a BIO. It is used by several threads: the mutex is held for copying alone. */
typedef struct Pipe Pipe;
typedef struct MemoryBio {
    TyObject base;
    Pipe *pipe;
} MemoryBio;

extern TyType tls_context_type, tls_connection_type, tls_session_type, tls_certificate_type, tls_memory_bio_type;
extern TyType tls_error, tls_zero_return_error, tls_want_read_error, tls_want_write_error, tls_syscall_error, tls_eof_error, tls_verification_error;

static inline Context *as_context(Value v) { return (Context *)ty_object(v); }
static inline Connection *as_connection(Value v) { return (Connection *)ty_object(v); }

/* --- errors (error.c) ---------------------------------------------------------------------------------------------------------- */

/* ssl.SSL_ERROR_… */
enum {
    NUMBER_NONE, NUMBER_SSL, NUMBER_WANT_READ, NUMBER_WANT_WRITE, NUMBER_WANT_X509_LOOKUP, NUMBER_SYSCALL, NUMBER_ZERO_RETURN, NUMBER_WANT_CONNECT,
    NUMBER_EOF, NUMBER_NO_SOCKET, NUMBER_INVALID
};
/* Raises `type` with a number and a text: with text NULL it is that of OpenSSL's last error, which is then cleared. `connection` may be NULL. */
Value tls_raise(Connection *connection, TyType *type, int number, const char *text, int line);
#define TLS_RAISE_LAST() tls_raise(NULL, &tls_error, 0, NULL, __LINE__) /* of a call without a connection */
#define TLS_RAISE_TEXT(text) (ERR_clear_error(), tls_raise(NULL, &tls_error, 0, text, __LINE__))

/* How a call on a connection ended, taken down before anything else can change it. */
typedef struct Outcome {
    int result;       /* of the call */
    int error;        /* SSL_get_error() */
    int system_error; /* errno of the socket's failure, or 0 */
} Outcome;
Value tls_raise_outcome(Connection *connection, const Outcome *outcome, int line);

bool tls_not_deleted(Value object, const char *name); /* AttributeError: the attribute cannot be deleted */

/* --- input and output (bio.c) ----------------------------------------------------------------------------------------------------- */

BIO *tls_socket_bio(Connection *connection); /* NULL: out of memory */
BIO *tls_pipe_bio(Value memory_bio);

/* --- connections, certificates, names ------------------------------------------------------------------------------------------------ */

Value tls_connection_new(Context *context, Value socket, bool is_server, Value hostname, Value owner, Value session, Value incoming, Value outgoing);
Value tls_cipher_tuple(const SSL_CIPHER *cipher);

Value tls_certificate_new(X509 *certificate, bool keep); /* keep: one more reference to it is taken, even on failure of this function to give it back */
Value tls_certificates(STACK_OF(X509) *stack, X509 *first); /* a list; first may be NULL */
Value tls_decode_certificate(X509 *certificate);         /* the dict of getpeercert() */
Value tls_encode_certificate(X509 *certificate);         /* DER */
Value tls_object_tuple(const ASN1_OBJECT *object);       /* (nid, short name, long name, oid) */

void tls_message_callback(int write, int version, int content_type, const void *data, size_t size, SSL *ssl, void *argument);

#endif
