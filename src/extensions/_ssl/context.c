/* _SSLContext: settings, certificates and keys that connections are made with, and the callbacks. */
#include "ssl.h"
#include "modules/socket.h"
#include <errno.h>
#include <limits.h>
#include <openssl/dh.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { NATIVE_BYTES = 32 << 10 }; /* what OpenSSL keeps for a context, about */

/* Protocols as ALPN writes them. A handshake may be reading them while others are set: they live as long as their context. */
typedef struct Alpn {
    struct Alpn *older;
    unsigned size;
    uint8_t data[];
} Alpn;

static void context_trace(TyObject *self, TyMarker *marker)
{
    Context *context = (Context *)self;
    ty_mark(marker, context->keylog_filename);
    ty_mark(marker, context->server_name_callback);
    ty_mark(marker, context->message_callback);
    ty_mark(marker, context->psk_client_callback);
    ty_mark(marker, context->psk_server_callback);
}

static void context_destroy(TyObject *self)
{
    Context *context = (Context *)self;
    if (context->handle)
        ty_heap_account(-NATIVE_BYTES);
    SSL_CTX_free(context->handle);
    BIO_free_all(context->keylog);
    for (Alpn *alpn = ty_load_relaxed(&context->alpn), *older; alpn; alpn = older) {
        older = alpn->older;
        free(alpn);
    }
}

static SSL_CTX *handle_of(Value self) { return as_context(self)->handle; }

#define LOCKED(self, expression) ({                                       \
        tls_lock(&as_context(self)->lock);                                \
        __typeof__(expression) result_ = (expression);                    \
        tls_unlock(&as_context(self)->lock);                              \
        result_; })

static bool raise_value(TyType *type, const char *text)
{
    ty_raise(type, "%s", text);
    return false;
}
#define NOT_DELETED(value, name) if ((value) == TY_NULL) return tls_not_deleted(self, name)

/* --- making ------------------------------------------------------------------------------------------------------------------------- */

static const SSL_METHOD *method_of(int protocol, const char **deprecated)
{
    *deprecated = NULL;
    switch (protocol) {
    case PROTOCOL_TLS_CLIENT: return TLS_client_method();
    case PROTOCOL_TLS_SERVER: return TLS_server_method();
    case PROTOCOL_TLS: *deprecated = "ssl.PROTOCOL_TLS is deprecated"; return TLS_method();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    case PROTOCOL_TLSv1: *deprecated = "ssl.PROTOCOL_TLSv1 is deprecated"; return TLSv1_method();
    case PROTOCOL_TLSv1_1: *deprecated = "ssl.PROTOCOL_TLSv1_1 is deprecated"; return TLSv1_1_method();
    case PROTOCOL_TLSv1_2: *deprecated = "ssl.PROTOCOL_TLSv1_2 is deprecated"; return TLSv1_2_method();
#pragma GCC diagnostic pop
    default: return NULL;
    }
}

static void set_verify(SSL_CTX *handle, int mode)
{
    SSL_CTX_set_verify(handle, mode == CERT_NONE ? SSL_VERIFY_NONE : mode == CERT_OPTIONAL ? SSL_VERIFY_PEER : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static Value context_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    int32_t protocol;
    const char *deprecated;
    if (!ty_no_keywords("_SSLContext", keywords) || !ty_check_positional("_SSLContext", count, 1, 1) || !ty_to_int32(arguments[0], &protocol))
        return TY_NULL;
    const SSL_METHOD *method = method_of(protocol, &deprecated);
    if (!method)
        return ty_raise(&ty_ValueError, "invalid or unsupported protocol version %d", protocol);
    if (deprecated && !ty_warn(&ty_DeprecationWarning, 2, "%s", deprecated))
        return TY_NULL;
    Value made = ty_type_allocate(type, 0);
    if (made == TY_NULL)
        return TY_NULL;
    Context *context = as_context(made);
    ERR_clear_error();
    SSL_CTX *handle = SSL_CTX_new(method);
    if (!handle)
        return TLS_RAISE_LAST();
    ty_heap_account(NATIVE_BYTES);
    context->handle = handle;
    context->protocol = protocol;
    context->host_flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    SSL_CTX_set_app_data(handle, context);
    ty_store_relaxed(&context->check_hostname, protocol == PROTOCOL_TLS_CLIENT);
    set_verify(handle, protocol == PROTOCOL_TLS_CLIENT ? CERT_REQUIRED : CERT_NONE);
    SSL_CTX_set_options(handle, (SSL_OP_ALL & ~(uint64_t)SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                        SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE | SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(handle);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(parameters, context->host_flags);
    SSL_CTX_set_post_handshake_auth(handle, 0);
    return made;
}

/* --- certificates and keys ----------------------------------------------------------------------------------------------------------------- */

/* A path as bytes that end with NUL: str, bytes or os.PathLike, as open() takes it. */
static const char *path_text(Value v, Value *holder)
{
    if (!ty_is_str(v) && !ty_is_bytes(v)) {
        Value converted = ty_lookup_special(v, TY_NAME("__fspath__"));
        if (converted == TY_NULL || converted == TY_NONE)
            return ty_raised() ? NULL : (ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v), NULL);
        v = ty_call_none(converted);
        if (v == TY_NULL)
            return NULL;
    }
    *holder = ty_is_str(v) ? ty_str_encode_fs(v) : v;
    if (*holder == TY_NULL)
        return NULL;
    if (!ty_is_bytes(*holder)) {
        ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
        return NULL;
    }
    if (memchr(ty_bytes_data(*holder), 0, (size_t)ty_bytes_length(*holder))) {
        ty_raise(&ty_ValueError, "embedded null byte");
        return NULL;
    }
    return (const char *)ty_bytes_data(*holder);
}

/* The same with another text for what is no path. */
static const char *path_or(Value v, Value *holder, const char *error)
{
    const char *text = path_text(v, holder);
    if (!text && ty_raised_is(&ty_TypeError)) {
        ty_clear_exception();
        ty_raise(&ty_TypeError, "%s", error);
    }
    return text;
}

typedef struct Password {
    Value given;         /* str, bytes, bytearray, or a callable to ask for one; TY_NONE: none is there */
    bool failed;         /* with an exception in the thread */
} Password;

/* Its bytes into a buffer of OpenSSL's: how many, or -1 with an exception. */
static int take_password(Value v, const char *type_error, char *buffer, int size)
{
    TyBytesArgument bytes;
    Value holder = ty_is_str(v) ? ty_str_encode_utf8(v, NULL) : v;
    if (holder == TY_NULL)
        return -1;
    if (!ty_is_bytes(holder) && !ty_is_bytearray(holder)) {
        ty_raise(&ty_TypeError, "%s", type_error);
        return -1;
    }
    if (!ty_bytes_argument(holder, &bytes))
        return -1;
    int length = bytes.length > size ? -1 : (int)bytes.length;
    if (length >= 0)
        memcpy(buffer, bytes.data, (size_t)length);
    ty_bytes_argument_release(&bytes);
    if (length < 0)
        ty_raise(&ty_ValueError, "password cannot be longer than %d bytes", size);
    return length;
}

static int password_callback(char *buffer, int size, int writing, void *argument)
{
    Password *password = argument;
    if (password->failed)
        return -1;
    Interlude interlude;
    tls_python_begin(&interlude);
    int length;
    if (ty_is_callable(password->given) > 0) {
        Value answer = ty_call_none(password->given);
        length = answer == TY_NULL ? -1 : take_password(answer, "password callback must return a string", buffer, size);
    } else {
        length = take_password(password->given, "password should be a string or callable", buffer, size);
    }
    password->failed = length < 0;
    tls_python_end(&interlude);
    return length;
}

/* What went wrong with a file: the callback's exception, the system's, or OpenSSL's. */
static Value file_error(Password *password, int line)
{
    if (password && password->failed) {
        ERR_clear_error();
        return TY_NULL;
    }
    if (errno != 0) {
        ERR_clear_error();
        return ty_raise_errno(&ty_OSError, errno, TY_NULL, TY_NULL);
    }
    return tls_raise(NULL, &tls_error, 0, NULL, line);
}

static int attempt(int result, int *error)
{
    *error = errno;
    return result;
}

/* A call that reads files: 1 done. errno is what it left, 0 before. */
#define READING(result, call)             \
    do {                                  \
        int error_;                       \
        ERR_clear_error();                \
        ty_blocking_begin();              \
        errno = 0;                        \
        result = attempt(call, &error_);  \
        ty_blocking_end();                \
        errno = error_;                   \
    } while (0)

static Value load_chain(Context *context, const char *certificate, const char *key, Password *password)
{
    int result;
    SSL_CTX *handle = context->handle;
    READING(result, SSL_CTX_use_certificate_chain_file(handle, certificate));
    if (result != 1)
        return file_error(password, __LINE__);
    READING(result, SSL_CTX_use_PrivateKey_file(handle, key, SSL_FILETYPE_PEM));
    if (result != 1)
        return file_error(password, __LINE__);
    return SSL_CTX_check_private_key(handle) == 1 ? TY_NONE : TLS_RAISE_LAST();
}

static Value context_load_cert_chain(Value self, Value *a)
{
    Context *context = as_context(self);
    Value certificate_holder, key_holder = TY_NULL;
    const char *certificate = path_or(a[0], &certificate_holder, "certfile should be a valid filesystem path"), *key = certificate;
    if (certificate && a[1] != TY_NULL && a[1] != TY_NONE)
        key = path_or(a[1], &key_holder, "keyfile should be a valid filesystem path");
    if (!certificate || !key)
        return TY_NULL;
    Password password = {.given = a[2] == TY_NULL ? TY_NONE : a[2]};
    if (password.given != TY_NONE && ty_is_callable(password.given) <= 0 && !ty_is_str(password.given) && !ty_is_bytes(password.given) && !ty_is_bytearray(password.given))
        return ty_raise(&ty_TypeError, "password should be a string or callable");
    tls_lock(&context->lock);
    pem_password_cb *old = SSL_CTX_get_default_passwd_cb(context->handle);
    void *old_argument = SSL_CTX_get_default_passwd_cb_userdata(context->handle);
    if (password.given != TY_NONE) {
        SSL_CTX_set_default_passwd_cb(context->handle, password_callback);
        SSL_CTX_set_default_passwd_cb_userdata(context->handle, &password);
    }
    Value result = load_chain(context, certificate, key, &password);
    SSL_CTX_set_default_passwd_cb(context->handle, old);
    SSL_CTX_set_default_passwd_cb_userdata(context->handle, old_argument);
    tls_unlock(&context->lock);
    return result;
}

/* One that is there already is as good as added. */
static bool add_authority(X509_STORE *store, X509 *certificate)
{
    if (X509_STORE_add_cert(store, certificate))
        return true;
    unsigned long code = ERR_peek_last_error();
    bool known = ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_CERT_ALREADY_IN_HASH_TABLE;
    if (known)
        ERR_clear_error();
    return known;
}

/* The certificates of a PEM text, or of DER, into the store. */
static Value add_authorities(Context *context, const uint8_t *data, int64_t size, bool pem)
{
    if (size <= 0)
        return ty_raise(&ty_ValueError, "Empty certificate data");
    if (size > INT_MAX)
        return ty_raise(&ty_ValueError, "Certificate data is too long.");
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    if (!bio)
        return TLS_RAISE_LAST();
    X509_STORE *store = SSL_CTX_get_cert_store(context->handle);
    int loaded = 0;
    bool added = true;
    while (added && BIO_pending(bio) > 0) {
        X509 *certificate = pem ? PEM_read_bio_X509(bio, NULL, SSL_CTX_get_default_passwd_cb(context->handle), SSL_CTX_get_default_passwd_cb_userdata(context->handle))
                                : d2i_X509_bio(bio, NULL);
        added = certificate && add_authority(store, certificate);
        X509_free(certificate);
        loaded += added;
    }
    BIO_free(bio);
    unsigned long code = ERR_peek_last_error();
    if (!added && pem && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        added = loaded > 0; /* text after the last certificate */
    if (added) {
        ERR_clear_error();
        return TY_NONE;
    }
    if (loaded == 0 && pem && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return TLS_RAISE_TEXT("no start line: cadata does not contain a certificate");
    return loaded == 0 && !pem ? TLS_RAISE_TEXT("not enough data: cadata does not contain a certificate") : TLS_RAISE_LAST();
}

static Value load_data(Context *context, Value data)
{
    if (ty_is_str(data) && !ty_str_is_ascii(data))
        return ty_raise(&ty_TypeError, "cadata should be an ASCII string or a bytes-like object");
    if (ty_is_str(data)) {
        size_t size;
        Value holder;
        const char *text = ty_str_utf8(data, &size, &holder);
        return text ? add_authorities(context, (const uint8_t *)text, (int64_t)size, true) : TY_NULL;
    }
    TyBytesArgument bytes;
    if (!ty_has_buffer(data) || !ty_bytes_argument(data, &bytes)) {
        ty_clear_exception();
        return ty_raise(&ty_TypeError, "cadata should be an ASCII string or a bytes-like object");
    }
    Value result = add_authorities(context, bytes.data, bytes.length, false);
    ty_bytes_argument_release(&bytes);
    return result;
}

static Value context_load_verify_locations(Value self, Value *a)
{
    Context *context = as_context(self);
    Value file_holder = TY_NULL, folder_holder = TY_NULL;
    const char *file = NULL, *folder = NULL;
    for (int i = 0; i < 3; i++)
        a[i] = a[i] == TY_NULL ? TY_NONE : a[i];
    if (a[0] == TY_NONE && a[1] == TY_NONE && a[2] == TY_NONE)
        return ty_raise(&ty_TypeError, "cafile, capath and cadata cannot be all omitted");
    if ((a[0] != TY_NONE && !(file = path_or(a[0], &file_holder, "cafile should be a valid filesystem path"))) ||
        (a[1] != TY_NONE && !(folder = path_or(a[1], &folder_holder, "capath should be a valid filesystem path"))))
        return TY_NULL;
    Value result = TY_NONE;
    tls_lock(&context->lock);
    if (a[2] != TY_NONE)
        result = load_data(context, a[2]);
    if (result != TY_NULL && (file || folder)) {
        int done;
        READING(done, SSL_CTX_load_verify_locations(context->handle, file, folder));
        if (done != 1)
            result = file_error(NULL, __LINE__);
    }
    tls_unlock(&context->lock);
    return result;
}

static Value context_set_default_verify_paths(Value self, Value *a)
{
    int done;
    tls_lock(&as_context(self)->lock);
    READING(done, SSL_CTX_set_default_verify_paths(handle_of(self)));
    tls_unlock(&as_context(self)->lock);
    return done ? TY_NONE : TLS_RAISE_LAST();
}

static Value context_cert_store_stats(Value self, Value *a)
{
    int certificates = 0, lists = 0, authorities = 0;
    X509_STORE *store = SSL_CTX_get_cert_store(handle_of(self));
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        X509_LOOKUP_TYPE type = X509_OBJECT_get_type(object);
        certificates += type == X509_LU_X509;
        lists += type == X509_LU_CRL;
        authorities += type == X509_LU_X509 && X509_check_ca(X509_OBJECT_get0_X509(object));
    }
    X509_STORE_unlock(store);
    Value dict = ty_dict_new();
    return dict != TY_NULL && ty_dict_set_text(dict, "x509", ty_from_immediate_int(certificates)) && ty_dict_set_text(dict, "crl", ty_from_immediate_int(lists)) &&
           ty_dict_set_text(dict, "x509_ca", ty_from_immediate_int(authorities)) ? dict : TY_NULL;
}

static Value context_get_ca_certs(Value self, Value *a)
{
    int binary = a[0] == TY_NULL ? 0 : ty_is_true(a[0]);
    Value list = binary < 0 ? TY_NULL : ty_list_new(0);
    STACK_OF(X509) *certificates = LOCKED(self, X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(handle_of(self))));
    for (int i = 0; list != TY_NULL && i < sk_X509_num(certificates); i++) {
        X509 *certificate = sk_X509_value(certificates, i);
        if (!X509_check_ca(certificate))
            continue;
        Value one = binary ? tls_encode_certificate(certificate) : tls_decode_certificate(certificate);
        if (one == TY_NULL || !ty_list_append(list, one))
            list = TY_NULL;
    }
    sk_X509_pop_free(certificates, X509_free);
    return list;
}

/* --- ciphers, curves, parameters ---------------------------------------------------------------------------------------------------------------- */

static Value context_set_ciphers(Value self, Value *a)
{
    Value holder;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "set_ciphers() argument must be str, not %T", a[0]);
    const char *text = ty_str_utf8(a[0], &(size_t){0}, &holder);
    if (!text)
        return TY_NULL;
    bool done = LOCKED(self, SSL_CTX_set_cipher_list(handle_of(self), text)) == 1;
    ERR_clear_error();
    return done ? TY_NONE : ty_raise(&tls_error, "No cipher can be selected.");
}

static Value nid_text(int nid, bool text_or_none) { return nid == NID_undef && text_or_none ? TY_NONE : ty_str_from_text(OBJ_nid2ln(nid)); }

static Value cipher_dict(const SSL_CIPHER *cipher)
{
    char room[512];
    int algorithm_bits, bits = SSL_CIPHER_get_bits(cipher, &algorithm_bits);
    const char *description = SSL_CIPHER_description(cipher, room, sizeof room - 1), *end = description ? strchr(description, '\n') : NULL;
    int symmetric = SSL_CIPHER_get_cipher_nid(cipher), digest = SSL_CIPHER_get_digest_nid(cipher);
    const struct { const char *key; Value value; } items[] = {
        {"id", ty_int_from_uint64(SSL_CIPHER_get_id(cipher))},
        {"name", ty_str_from_text(SSL_CIPHER_get_name(cipher))},
        {"protocol", ty_str_from_text(SSL_CIPHER_get_version(cipher))},
        {"description", description ? ty_str_from_utf8(description, end ? (size_t)(end - description) : strlen(description)) : TY_NONE},
        {"strength_bits", ty_from_immediate_int(bits)},
        {"alg_bits", ty_from_immediate_int(algorithm_bits)},
        {"aead", ty_from_bool(SSL_CIPHER_is_aead(cipher))},
        {"symmetric", nid_text(symmetric, true)},
        {"digest", nid_text(digest, true)},
        {"kea", nid_text(SSL_CIPHER_get_kx_nid(cipher), true)},
        {"auth", nid_text(SSL_CIPHER_get_auth_nid(cipher), true)},
    };
    Value dict = ty_dict_new();
    for (size_t i = 0; dict != TY_NULL && i < TY_COUNT_OF(items); i++)
        if (items[i].value == TY_NULL || !ty_dict_set_text(dict, items[i].key, items[i].value))
            return TY_NULL;
    return dict;
}

static Value context_get_ciphers(Value self, Value *a)
{
    SSL *ssl = LOCKED(self, SSL_new(handle_of(self)));
    if (!ssl)
        return TLS_RAISE_LAST();
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);
    Value list = ty_list_new(0);
    for (int i = 0; list != TY_NULL && i < sk_SSL_CIPHER_num(ciphers); i++) {
        Value dict = cipher_dict(sk_SSL_CIPHER_value(ciphers, i));
        if (dict == TY_NULL || !ty_list_append(list, dict))
            list = TY_NULL;
    }
    SSL_free(ssl);
    return list;
}

static Value context_set_ecdh_curve(Value self, Value *a)
{
    Value holder;
    const char *name = path_text(a[0], &holder);
    if (!name)
        return TY_NULL;
    int nid = OBJ_sn2nid(name);
    if (nid == NID_undef)
        return ty_raise(&ty_ValueError, "unknown elliptic curve name %R", a[0]);
    ERR_clear_error();
    return LOCKED(self, SSL_CTX_set1_groups(handle_of(self), &nid, 1)) ? TY_NONE : TLS_RAISE_LAST();
}

static Value context_load_dh_params(Value self, Value *a)
{
    Value holder;
    const char *path = path_text(a[0], &holder);
    if (!path)
        return TY_NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* what replaces it gives another error for a file without parameters */
    DH *parameters = NULL;
    ERR_clear_error();
    ty_blocking_begin();
    FILE *file = fopen(path, "rb");
    int error = errno;
    if (file) {
        parameters = PEM_read_DHparams(file, NULL, NULL, NULL);
        fclose(file);
    }
    ty_blocking_end();
    if (!file)
        return ty_raise_errno(&ty_OSError, error, a[0], TY_NULL);
    if (!parameters)
        return TLS_RAISE_LAST();
    long done = LOCKED(self, SSL_CTX_set_tmp_dh(handle_of(self), parameters));
    DH_free(parameters);
    return done ? TY_NONE : TLS_RAISE_LAST();
#pragma GCC diagnostic pop
}

static Value context_session_stats(Value self, Value *a)
{
    static const struct { const char *name; int command; } counters[] = {
        {"number", SSL_CTRL_SESS_NUMBER}, {"connect", SSL_CTRL_SESS_CONNECT}, {"connect_good", SSL_CTRL_SESS_CONNECT_GOOD},
        {"connect_renegotiate", SSL_CTRL_SESS_CONNECT_RENEGOTIATE}, {"accept", SSL_CTRL_SESS_ACCEPT}, {"accept_good", SSL_CTRL_SESS_ACCEPT_GOOD},
        {"accept_renegotiate", SSL_CTRL_SESS_ACCEPT_RENEGOTIATE}, {"hits", SSL_CTRL_SESS_HIT}, {"misses", SSL_CTRL_SESS_MISSES},
        {"timeouts", SSL_CTRL_SESS_TIMEOUTS}, {"cache_full", SSL_CTRL_SESS_CACHE_FULL},
    };
    Value dict = ty_dict_new();
    for (size_t i = 0; dict != TY_NULL && i < TY_COUNT_OF(counters); i++)
        if (!ty_dict_set_text(dict, counters[i].name, ty_int_from_int64(SSL_CTX_ctrl(handle_of(self), counters[i].command, 0, NULL))))
            return TY_NULL;
    return dict;
}

/* --- ALPN -------------------------------------------------------------------------------------------------------------------------------------------- */

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *offered, unsigned offered_size, void *argument)
{
    Alpn *ours = ty_load_acquire(&((Context *)argument)->alpn);
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_size, ours->data, ours->size, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static Value context_set_alpn(Value self, Value *a)
{
    Context *context = as_context(self);
    TyBytesArgument protocols;
    if (!ty_bytes_argument(a[0], &protocols))
        return TY_NULL;
    unsigned size = (unsigned)protocols.length;
    bool fits = protocols.length <= UINT_MAX;
    Alpn *alpn = fits ? malloc(sizeof *alpn + size) : NULL;
    if (alpn)
        memcpy(alpn->data, protocols.data, size);
    ty_bytes_argument_release(&protocols);
    if (!alpn)
        return fits ? ty_raise_memory_error() : ty_raise(&ty_OverflowError, "protocols longer than %u bytes", UINT_MAX);
    alpn->size = size;
    tls_lock(&context->lock);
    alpn->older = ty_load_relaxed(&context->alpn);
    ty_store_release(&context->alpn, alpn);
    ERR_clear_error();
    bool failed = SSL_CTX_set_alpn_protos(context->handle, alpn->data, size) != 0;
    if (!failed)
        SSL_CTX_set_alpn_select_cb(context->handle, select_alpn, context);
    tls_unlock(&context->lock);
    return failed ? ty_raise_memory_error() : TY_NONE;
}

/* --- callbacks from a connection ------------------------------------------------------------------------------------------------------------------------ */

/* Whom callbacks are told to be called for: the object that Python knows the connection by; TY_NULL if that is no more. */
static Value owner_of(Connection *connection)
{
    Value owner = ty_field(&connection->owner);
    return owner == TY_NULL ? ty_from_object(&connection->base) : ty_weak_target(owner);
}

static int server_name_callback(SSL *ssl, int *alert, void *argument)
{
    Context *context = argument;
    Connection *connection = SSL_get_app_data(ssl);
    Value callback = ty_field(&context->server_name_callback), owner = owner_of(connection);
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    if (callback == TY_NULL || owner == TY_NULL)
        return callback == TY_NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    const char *text = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    Interlude interlude;
    tls_python_begin(&interlude);
    Value name = TY_NONE, where = callback, result = TY_NULL;
    if (text) {
        where = ty_bytes_new(text, strlen(text));
        name = where == TY_NULL ? TY_NULL : ty_call_method_one(where, TY_NAME("decode"), TY_NAME("idna"));
    }
    if (name != TY_NULL) {
        where = callback;
        Value arguments[] = {owner, name, ty_from_object(&context->base)};
        result = ty_call(callback, arguments, 3, TY_NULL);
    }
    int answer = SSL_TLSEXT_ERR_OK;
    int32_t number;
    if (result != TY_NULL && result != TY_NONE) {
        answer = SSL_TLSEXT_ERR_ALERT_FATAL;
        if (ty_to_int32(result, &number))
            *alert = number;
        else
            *alert = SSL_AD_INTERNAL_ERROR, where = result, result = TY_NULL;
    }
    if (result == TY_NULL) {
        answer = SSL_TLSEXT_ERR_ALERT_FATAL;
        ty_write_unraisable(where, NULL);
    }
    tls_python_end(&interlude);
    return answer;
}

/* (version, content type, message type) as the record or the message says. */
static int message_type(int content_type, const uint8_t *data, size_t size, int *version)
{
    switch (content_type) {
    case SSL3_RT_CHANGE_CIPHER_SPEC: return 0x0101;
    case SSL3_RT_ALERT: return size > 1 ? data[1] : -1;
    case SSL3_RT_HANDSHAKE: case SSL3_RT_INNER_CONTENT_TYPE: return size > 0 ? data[0] : -1;
    case SSL3_RT_HEADER:
        if (size > 2)
            *version = data[1] << 8 | data[2];
        return size > 0 ? data[0] : -1;
    default: return -1;
    }
}

void tls_message_callback(int write, int version, int content_type, const void *data, size_t size, SSL *ssl, void *argument)
{
    Connection *connection = SSL_get_app_data(ssl);
    if (!connection || connection->raised != TY_NULL)
        return;
    Value callback = ty_field(&as_context(connection->context)->message_callback);
    Value owner = owner_of(connection);
    if (callback == TY_NULL || owner == TY_NULL)
        return;
    int type = message_type(content_type, data, size, &version);
    Interlude interlude;
    tls_python_begin(&interlude);
    Value arguments[] = {owner, ty_str_from_text(write ? "write" : "read"), ty_from_immediate_int(version), ty_from_immediate_int(content_type),
                         ty_from_immediate_int(type), ty_bytes_new(data, size)};
    if (arguments[1] == TY_NULL || arguments[5] == TY_NULL || ty_call(callback, arguments, 6, TY_NULL) == TY_NULL)
        ty_store(connection, &connection->raised, ty_take_exception());
    tls_python_end(&interlude);
}

static unsigned take_key(Value key, unsigned char *out, unsigned room)
{
    TyBytesArgument bytes;
    if (!ty_bytes_argument(key, &bytes))
        return 0;
    unsigned size = bytes.length <= room ? (unsigned)bytes.length : 0;
    bool fits = bytes.length <= room;
    memcpy(out, bytes.data, size);
    ty_bytes_argument_release(&bytes);
    if (!fits)
        ty_raise(&ty_ValueError, "psk too long");
    return size;
}

static Value text_or_none(const char *text) { return text ? ty_str_from_utf8(text, strlen(text)) : TY_NONE; }

/* The client's (identity, key) for a server's hint. */
static unsigned ask_client(Value callback, const char *hint, char *identity, unsigned identity_room, unsigned char *key, unsigned key_room)
{
    Value given = text_or_none(hint), answer = given == TY_NULL ? TY_NULL : ty_call_one(callback, given), holder;
    if (answer == TY_NULL)
        return 0;
    if (!ty_is_tuple(answer) || ty_tuple_length(answer) != 2)
        return ty_raise(&ty_TypeError, "the PSK callback must return a tuple of identity and key"), 0;
    Value name = ty_tuple_item(answer, 0);
    identity[0] = 0;
    if (name != TY_NONE) {
        size_t size;
        if (!ty_is_str(name))
            return ty_raise(&ty_TypeError, "the PSK identity must be str or None, not %T", name), 0;
        const char *text = ty_str_utf8(name, &size, &holder);
        if (!text)
            return 0;
        if (strlen(text) != size || size >= identity_room)
            return ty_raise(&ty_ValueError, "PSK identity too long or with null characters"), 0;
        memcpy(identity, text, size + 1);
    }
    return take_key(ty_tuple_item(answer, 1), key, key_room);
}

static unsigned psk_client_callback(SSL *ssl, const char *hint, char *identity, unsigned identity_room, unsigned char *key, unsigned key_room)
{
    Connection *connection = SSL_get_app_data(ssl);
    Value callback = connection ? ty_field(&as_context(connection->context)->psk_client_callback) : TY_NULL;
    if (callback == TY_NULL)
        return 0;
    Interlude interlude;
    tls_python_begin(&interlude);
    unsigned size = ask_client(callback, hint, identity, identity_room, key, key_room);
    if (ty_raised())
        ty_write_unraisable(callback, NULL);
    tls_python_end(&interlude);
    return size;
}

static unsigned psk_server_callback(SSL *ssl, const char *identity, unsigned char *key, unsigned key_room)
{
    Connection *connection = SSL_get_app_data(ssl);
    Value callback = connection ? ty_field(&as_context(connection->context)->psk_server_callback) : TY_NULL;
    if (callback == TY_NULL)
        return 0;
    Interlude interlude;
    tls_python_begin(&interlude);
    Value name = text_or_none(identity && *identity ? identity : NULL);
    Value answer = name == TY_NULL ? TY_NULL : ty_call_one(callback, name);
    unsigned size = answer == TY_NULL ? 0 : take_key(answer, key, key_room);
    if (ty_raised())
        ty_write_unraisable(callback, NULL);
    tls_python_end(&interlude);
    return size;
}

static bool check_callback(Value callback)
{
    return callback == TY_NONE || ty_is_callable(callback) > 0 || raise_value(&ty_TypeError, "callback must be callable");
}

static Value context_set_psk_client(Value self, Value *a)
{
    Context *context = as_context(self);
    if (context->protocol == PROTOCOL_TLS_SERVER)
        return TLS_RAISE_TEXT("Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context");
    if (!check_callback(a[0]))
        return TY_NULL;
    tls_lock(&context->lock);
    ty_store(context, &context->psk_client_callback, a[0] == TY_NONE ? TY_NULL : a[0]);
    SSL_CTX_set_psk_client_callback(context->handle, a[0] == TY_NONE ? NULL : psk_client_callback);
    tls_unlock(&context->lock);
    return TY_NONE;
}

static Value context_set_psk_server(Value self, Value *a)
{
    Context *context = as_context(self);
    Value holder;
    const char *hint = NULL;
    if (a[1] != TY_NULL && a[1] != TY_NONE) {
        if (!ty_is_str(a[1]))
            return ty_raise(&ty_TypeError, "set_psk_server_callback() argument 'identity_hint' must be str or None, not %T", a[1]);
        if (!(hint = ty_str_utf8(a[1], &(size_t){0}, &holder)))
            return TY_NULL;
    }
    if (context->protocol == PROTOCOL_TLS_CLIENT)
        return TLS_RAISE_TEXT("Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context");
    if (!check_callback(a[0]))
        return TY_NULL;
    if (LOCKED(self, SSL_CTX_use_psk_identity_hint(context->handle, hint)) != 1) {
        ERR_clear_error();
        return ty_raise(&ty_ValueError, "failed to set identity hint");
    }
    tls_lock(&context->lock);
    ty_store(context, &context->psk_server_callback, a[0] == TY_NONE ? TY_NULL : a[0]);
    SSL_CTX_set_psk_server_callback(context->handle, a[0] == TY_NONE ? NULL : psk_server_callback);
    tls_unlock(&context->lock);
    return TY_NONE;
}

/* Needs nothing of Python: a line for the file. */
static void keylog_callback(const SSL *ssl, const char *line)
{
    Context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (!context)
        return;
    ty_mutex_lock(&context->keylog_mutex);
    if (context->keylog) {
        BIO_printf(context->keylog, "%s\n", line);
        (void)BIO_flush(context->keylog);
    }
    ty_mutex_unlock(&context->keylog_mutex);
}

/* --- connections ------------------------------------------------------------------------------------------------------------------------------------------ */

static Value context_wrap_socket(Value self, Value *a)
{
    int server = ty_is_socket(a[0]) ? ty_is_true(a[1]) : 0;
    if (!ty_is_socket(a[0]))
        return ty_raise(&ty_TypeError, "_wrap_socket() argument 'sock' must be _socket.socket, not %T", a[0]);
    return server < 0 ? TY_NULL : tls_connection_new(as_context(self), a[0], server, a[2], a[3], a[4], TY_NULL, TY_NULL);
}

static Value context_wrap_bio(Value self, Value *a)
{
    for (int i = 0; i < 2; i++)
        if (!ty_is_instance_of(a[i], &tls_memory_bio_type))
            return ty_raise(&ty_TypeError, "_wrap_bio() argument '%s' must be _ssl.MemoryBIO, not %T", i ? "outgoing" : "incoming", a[i]);
    int server = ty_is_true(a[2]);
    return server < 0 ? TY_NULL : tls_connection_new(as_context(self), TY_NULL, server, a[3], a[4], a[5], a[0], a[1]);
}

/* --- attributes ---------------------------------------------------------------------------------------------------------------------------------------------- */

static Value or_none(Value v) { return v == TY_NULL ? TY_NONE : v; }

static Value get_check_hostname(Value self) { return ty_from_bool(ty_load_relaxed(&as_context(self)->check_hostname)); }
static bool set_check_hostname(Value self, Value value)
{
    NOT_DELETED(value, "check_hostname");
    int check = ty_is_true(value);
    if (check < 0)
        return false;
    if (check && SSL_CTX_get_verify_mode(handle_of(self)) == SSL_VERIFY_NONE)
        set_verify(handle_of(self), CERT_REQUIRED);
    ty_store_relaxed(&as_context(self)->check_hostname, check > 0);
    return true;
}

static Value get_host_flags(Value self) { return ty_int_from_uint64(as_context(self)->host_flags); }
static bool set_host_flags(Value self, Value value)
{
    uint64_t flags;
    NOT_DELETED(value, "_host_flags");
    if (!ty_to_uint64_mask(value, &flags))
        return false;
    as_context(self)->host_flags = (unsigned)flags;
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(handle_of(self)), (unsigned)flags);
    return true;
}

/* TLSVersion's members that are discouraged. */
static const struct { int version; const char *name; } old_versions[] = {{SSL3_VERSION, "SSLv3"}, {TLS1_VERSION, "TLSv1"}, {TLS1_1_VERSION, "TLSv1_1"}};

static bool set_version(Value self, Value value, bool lowest)
{
    int32_t version;
    Context *context = as_context(self);
    NOT_DELETED(value, lowest ? "minimum_version" : "maximum_version");
    if (!ty_is_instance_of(value, &ty_int_type) && !ty_has_index(value)) {
        ty_raise(&ty_TypeError, "argument must be int, not %T", value);
        return false;
    }
    if (!ty_to_int32(value, &version))
        return false;
    if (context->protocol < PROTOCOL_TLS_CLIENT && context->protocol != PROTOCOL_TLS)
        return raise_value(&ty_ValueError, "The context's protocol doesn't support modification of highest and lowest version.");
    for (size_t i = 0; i < TY_COUNT_OF(old_versions); i++)
        if (old_versions[i].version == version && !ty_warn(&ty_DeprecationWarning, 2, "ssl.TLSVersion.%s is deprecated", old_versions[i].name))
            return false;
    int number = version;
    if (version == VERSION_LOWEST || version == VERSION_HIGHEST)
        number = lowest == (version == VERSION_LOWEST) ? 0 : lowest ? TLS1_3_VERSION : TLS1_VERSION;
    else if (version != SSL3_VERSION && (version < TLS1_VERSION || version > TLS1_3_VERSION)) {
        ty_raise(&ty_ValueError, "Unsupported TLS/SSL version 0x%x", version);
        return false;
    }
    bool done = LOCKED(self, lowest ? SSL_CTX_set_min_proto_version(context->handle, number) : SSL_CTX_set_max_proto_version(context->handle, number));
    ERR_clear_error();
    if (!done)
        ty_raise(&ty_ValueError, "Unsupported protocol version 0x%x", version);
    return done;
}

static Value get_minimum_version(Value self)
{
    int64_t version = SSL_CTX_get_min_proto_version(handle_of(self));
    return ty_from_immediate_int(version == 0 ? VERSION_LOWEST : version);
}
static Value get_maximum_version(Value self)
{
    int64_t version = SSL_CTX_get_max_proto_version(handle_of(self));
    return ty_from_immediate_int(version == 0 ? VERSION_HIGHEST : version);
}
static bool set_minimum_version(Value self, Value value) { return set_version(self, value, true); }
static bool set_maximum_version(Value self, Value value) { return set_version(self, value, false); }

static Value get_keylog(Value self) { return or_none(ty_field(&as_context(self)->keylog_filename)); }
static bool set_keylog(Value self, Value value)
{
    Context *context = as_context(self);
    Value holder;
    NOT_DELETED(value, "keylog_filename");
    BIO *bio = NULL;
    const char *path = NULL;
    if (value != TY_NONE) {
        if (!(path = path_text(value, &holder)))
            return false;
        ERR_clear_error();
        ty_blocking_begin();
        bio = BIO_new_file(path, "a");
        int error = errno;
        ty_blocking_end();
        ERR_clear_error();
        if (!bio)
            return ty_raise_errno(&ty_OSError, error, value, TY_NULL), false;
        if (BIO_tell(bio) == 0)
            BIO_puts(bio, "# TLS secrets log file, generated by OpenSSL / Python\n");
        (void)BIO_flush(bio);
    }
    ty_mutex_lock(&context->keylog_mutex);
    BIO *old = context->keylog;
    context->keylog = bio;
    ty_mutex_unlock(&context->keylog_mutex);
    BIO_free_all(old);
    ty_store(context, &context->keylog_filename, value == TY_NONE ? TY_NULL : value);
    SSL_CTX_set_keylog_callback(context->handle, bio ? keylog_callback : NULL);
    return true;
}

static Value get_message_callback(Value self) { return or_none(ty_field(&as_context(self)->message_callback)); }
static bool set_message_callback(Value self, Value value)
{
    Context *context = as_context(self);
    NOT_DELETED(value, "_msg_callback");
    if (value != TY_NONE && ty_is_callable(value) <= 0)
        return ty_raise(&ty_TypeError, "%R is not callable.", value), false;
    ty_store(context, &context->message_callback, value == TY_NONE ? TY_NULL : value);
    SSL_CTX_set_msg_callback(context->handle, value == TY_NONE ? NULL : tls_message_callback);
    return true;
}

static Value get_server_name_callback(Value self) { return or_none(ty_field(&as_context(self)->server_name_callback)); }
static bool set_server_name_callback(Value self, Value value)
{
    Context *context = as_context(self);
    NOT_DELETED(value, "sni_callback");
    if (context->protocol == PROTOCOL_TLS_CLIENT)
        return raise_value(&ty_ValueError, "sni_callback cannot be set on TLS_CLIENT context");
    bool valid = value == TY_NONE || ty_is_callable(value) > 0;
    tls_lock(&context->lock);
    ty_store(context, &context->server_name_callback, value == TY_NONE || !valid ? TY_NULL : value);
    int (*callback)(SSL *, int *, void *) = value == TY_NONE || !valid ? NULL : server_name_callback;
    SSL_CTX_set_tlsext_servername_callback(context->handle, callback);
    SSL_CTX_set_tlsext_servername_arg(context->handle, context);
    tls_unlock(&context->lock);
    return valid || raise_value(&ty_TypeError, "not a callable object");
}

static Value get_tickets(Value self) { return ty_int_from_uint64(SSL_CTX_get_num_tickets(handle_of(self))); }
static bool set_tickets(Value self, Value value)
{
    int64_t count;
    NOT_DELETED(value, "num_tickets");
    if (!ty_to_int64(value, &count))
        return false;
    if (count < 0)
        return raise_value(&ty_ValueError, "value must be non-negative");
    if (as_context(self)->protocol != PROTOCOL_TLS_SERVER)
        return raise_value(&ty_ValueError, "SSLContext is not a server context.");
    return SSL_CTX_set_num_tickets(handle_of(self), (size_t)count) == 1 || raise_value(&ty_ValueError, "failed to set num tickets.");
}

static Value get_options(Value self) { return ty_int_from_uint64(SSL_CTX_get_options(handle_of(self))); }
static bool set_options(Value self, Value value)
{
    uint64_t options, old = SSL_CTX_get_options(handle_of(self));
    const uint64_t no_versions = SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
    NOT_DELETED(value, "options");
    if (!ty_has_index(value))
        return ty_number_index(value) != TY_NULL;
    Value number = ty_number_index(value);
    if (number == TY_NULL)
        return false;
    if (ty_int_sign(number) < 0)
        return raise_value(&ty_ValueError, "Cannot convert negative int");
    if (!ty_to_uint64(number, &options)) {
        ty_clear_exception();
        return raise_value(&ty_OverflowError, "Python int too large for C unsigned long long");
    }
    if (options & ~old & no_versions && !ty_warn(&ty_DeprecationWarning, 2, "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated"))
        return false;
    tls_lock(&as_context(self)->lock);
    SSL_CTX_clear_options(handle_of(self), old & ~options);
    SSL_CTX_set_options(handle_of(self), options & ~old);
    tls_unlock(&as_context(self)->lock);
    return true;
}

static Value get_post_handshake(Value self) { return ty_from_bool(ty_load_relaxed(&as_context(self)->post_handshake)); }
static bool set_post_handshake(Value self, Value value)
{
    NOT_DELETED(value, "post_handshake_auth");
    int wanted = ty_is_true(value);
    if (wanted >= 0)
        ty_store_relaxed(&as_context(self)->post_handshake, wanted > 0);
    return wanted >= 0;
}

static Value get_protocol(Value self) { return ty_from_immediate_int(as_context(self)->protocol); }

static Value get_verify_flags(Value self) { return ty_int_from_uint64(X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(handle_of(self)))); }
static bool set_verify_flags(Value self, Value value)
{
    uint64_t flags;
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(handle_of(self));
    NOT_DELETED(value, "verify_flags");
    if (!ty_has_index(value))
        return ty_raise(&ty_TypeError, "argument must be int, not %T", value), false;
    if (!ty_to_uint64_mask(value, &flags))
        return false;
    unsigned long old = X509_VERIFY_PARAM_get_flags(parameters);
    tls_lock(&as_context(self)->lock);
    bool done = X509_VERIFY_PARAM_clear_flags(parameters, old & ~flags) && X509_VERIFY_PARAM_set_flags(parameters, flags & ~old);
    tls_unlock(&as_context(self)->lock);
    if (!done)
        TLS_RAISE_LAST();
    return done;
}

static Value get_verify_mode(Value self)
{
    switch (SSL_CTX_get_verify_mode(handle_of(self)) & (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)) {
    case SSL_VERIFY_NONE: return ty_from_immediate_int(CERT_NONE);
    case SSL_VERIFY_PEER: return ty_from_immediate_int(CERT_OPTIONAL);
    default: return ty_from_immediate_int(CERT_REQUIRED);
    }
}
static bool set_verify_mode(Value self, Value value)
{
    int32_t mode;
    NOT_DELETED(value, "verify_mode");
    if (!ty_to_int32(value, &mode))
        return false;
    if (mode == CERT_NONE && ty_load_relaxed(&as_context(self)->check_hostname))
        return raise_value(&ty_ValueError, "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
    if (mode < CERT_NONE || mode > CERT_REQUIRED)
        return raise_value(&ty_ValueError, "invalid value for verify_mode");
    set_verify(handle_of(self), mode);
    return true;
}

static Value get_security_level(Value self) { return ty_from_immediate_int(SSL_CTX_get_security_level(handle_of(self))); }

static const TyGetSetDef context_getsets[] = {
    {"check_hostname", get_check_hostname, set_check_hostname, "Whether the server's certificate must be for its name."},
    {"_host_flags", get_host_flags, set_host_flags, NULL},
    {"minimum_version", get_minimum_version, set_minimum_version, "The oldest protocol that is accepted."},
    {"maximum_version", get_maximum_version, set_maximum_version, "The newest protocol that is accepted."},
    {"keylog_filename", get_keylog, set_keylog, "The file that the secrets of connections are written to, or None."},
    {"_msg_callback", get_message_callback, set_message_callback, NULL},
    {"sni_callback", get_server_name_callback, set_server_name_callback, "Called with the name that a client asks for."},
    {"num_tickets", get_tickets, set_tickets, "Control the number of TLSv1.3 session tickets."},
    {"options", get_options, set_options, "OpenSSL's SSL_OP_ flags."},
    {"post_handshake_auth", get_post_handshake, set_post_handshake, "Whether a client may be asked for its certificate after the handshake."},
    {"protocol", get_protocol, NULL, "What it was made with."},
    {"verify_flags", get_verify_flags, set_verify_flags, "OpenSSL's X509_V_FLAG_ flags."},
    {"verify_mode", get_verify_mode, set_verify_mode, "Whether the other end must have a certificate that can be verified."},
    {"security_level", get_security_level, NULL, "The current security level."},
    {0},
};

static const TyNativeDef context_methods[] = {
    TY_METHOD("_wrap_socket(self, /, sock, server_side, server_hostname=None, *, owner=None, session=None)", context_wrap_socket, NULL),
    TY_METHOD("_wrap_bio(self, /, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None)", context_wrap_bio, NULL),
    TY_METHOD("set_ciphers(self, cipherlist, /)", context_set_ciphers, "The ciphers up to TLS 1.2, in OpenSSL's language."),
    TY_METHOD("_set_alpn_protocols(self, protos, /)", context_set_alpn, NULL),
    TY_METHOD("load_cert_chain(self, /, certfile, keyfile=None, password=None)", context_load_cert_chain, "The certificate of this end, and its key."),
    TY_METHOD("load_dh_params(self, path, /)", context_load_dh_params, "Parameters of Diffie-Hellman's exchange of keys, from a PEM file."),
    TY_METHOD("load_verify_locations(self, /, cafile=None, capath=None, cadata=None)", context_load_verify_locations, "Certificates to trust."),
    TY_METHOD("session_stats(self, /)", context_session_stats, "How often sessions were made and resumed."),
    TY_METHOD("set_default_verify_paths(self, /)", context_set_default_verify_paths, "Trusts the certificates that OpenSSL was built to trust."),
    TY_METHOD("set_ecdh_curve(self, name, /)", context_set_ecdh_curve, "The curve for exchanges of keys."),
    TY_METHOD("cert_store_stats(self, /)", context_cert_store_stats,
              "Returns quantities of loaded X.509 certificates, authorities and revocation lists."),
    TY_METHOD("get_ca_certs(self, /, binary_form=False)", context_get_ca_certs, "The authorities that are loaded: dicts, or DER."),
    TY_METHOD("get_ciphers(self, /)", context_get_ciphers, "A dict for each cipher."),
    TY_METHOD("set_psk_client_callback(self, /, callback)", context_set_psk_client, "Who gives a client its identity and pre-shared key."),
    TY_METHOD("set_psk_server_callback(self, /, callback, identity_hint=None)", context_set_psk_server, "Who gives a server the pre-shared key of an identity."),
    {0},
};

TyType tls_context_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Context), .trace = context_trace, .destroy = context_destroy},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_ssl._SSLContext",
    .slots = {.new = context_new},
    .methods = context_methods,
    .getsets = context_getsets,
};
