/* The exceptions of _ssl, and what is said about OpenSSL's errors. */
#include "ssl.h"
#include <ctype.h>

/* An SSLError made by us has (number, text); the text is what it shows. */
static Value error_str(Value self)
{
    TyOSErrorObject *e = (TyOSErrorObject *)ty_object(self);
    Value text = ty_field(&e->strerror);
    return text != TY_NULL && ty_is_str(text) ? text : ty_str(ty_field(&e->exception.args));
}

#define ERROR(c_name, name_, doc_, ...)                                                       \
    TyType c_name = {                                                                         \
        .base = TY_STATIC_HEADER(ty_type_type),                                               \
        .flags = TY_TYPE_EXCEPTION | TY_TYPE_WEAKREFABLE | TY_TYPE_IMMUTABLE,                 \
        .name = "ssl." name_,                                                                 \
        .doc = doc_,                                                                          \
        __VA_ARGS__,                                                                          \
    };
ERROR(tls_error, "SSLError", "An error occurred in the SSL implementation.", .parent = &ty_OSError, .slots = {.str = error_str})
ERROR(tls_zero_return_error, "SSLZeroReturnError", "SSL/TLS session closed cleanly.", .parent = &tls_error)
ERROR(tls_want_read_error, "SSLWantReadError", "Non-blocking SSL socket needs to read more data\nbefore the requested operation can be completed.", .parent = &tls_error)
ERROR(tls_want_write_error, "SSLWantWriteError", "Non-blocking SSL socket needs to write more data\nbefore the requested operation can be completed.", .parent = &tls_error)
ERROR(tls_syscall_error, "SSLSyscallError", "System error when attempting SSL operation.", .parent = &tls_error)
ERROR(tls_eof_error, "SSLEOFError", "SSL/TLS connection terminated abruptly.", .parent = &tls_error)
ERROR(tls_verification_error, "SSLCertVerificationError", "A certificate could not be verified.", .parent = &tls_error,
      .static_bases = {&tls_error, &ty_ValueError})

/* --- names of errors ------------------------------------------------------------------------------------------------------------ */

static const struct { int number; const char *name; } libraries[] = {
    {ERR_LIB_SYS, "SYS"}, {ERR_LIB_BN, "BN"}, {ERR_LIB_RSA, "RSA"}, {ERR_LIB_DH, "DH"}, {ERR_LIB_EVP, "EVP"}, {ERR_LIB_BUF, "BUF"}, {ERR_LIB_OBJ, "OBJ"},
    {ERR_LIB_PEM, "PEM"}, {ERR_LIB_DSA, "DSA"}, {ERR_LIB_X509, "X509"}, {ERR_LIB_ASN1, "ASN1"}, {ERR_LIB_CONF, "CONF"}, {ERR_LIB_CRYPTO, "CRYPTO"},
    {ERR_LIB_EC, "EC"}, {ERR_LIB_SSL, "SSL"}, {ERR_LIB_BIO, "BIO"}, {ERR_LIB_PKCS7, "PKCS7"}, {ERR_LIB_X509V3, "X509V3"}, {ERR_LIB_PKCS12, "PKCS12"},
    {ERR_LIB_RAND, "RAND"}, {ERR_LIB_DSO, "DSO"}, {ERR_LIB_ENGINE, "ENGINE"}, {ERR_LIB_OCSP, "OCSP"}, {ERR_LIB_UI, "UI"}, {ERR_LIB_COMP, "COMP"},
    {ERR_LIB_ECDSA, "ECDSA"}, {ERR_LIB_ECDH, "ECDH"}, {ERR_LIB_OSSL_STORE, "OSSL_STORE"}, {ERR_LIB_FIPS, "FIPS"}, {ERR_LIB_CMS, "CMS"}, {ERR_LIB_TS, "TS"},
    {ERR_LIB_HMAC, "HMAC"}, {ERR_LIB_CT, "CT"}, {ERR_LIB_ASYNC, "ASYNC"}, {ERR_LIB_KDF, "KDF"}, {ERR_LIB_SM2, "SM2"}, {ERR_LIB_ESS, "ESS"},
    {ERR_LIB_PROP, "PROP"}, {ERR_LIB_CRMF, "CRMF"}, {ERR_LIB_PROV, "PROV"}, {ERR_LIB_CMP, "CMP"}, {ERR_LIB_OSSL_ENCODER, "OSSL_ENCODER"},
    {ERR_LIB_OSSL_DECODER, "OSSL_DECODER"}, {ERR_LIB_HTTP, "HTTP"},
};

static const char *library_name(unsigned long code)
{
    for (size_t i = 0; i < TY_COUNT_OF(libraries); i++)
        if (code && libraries[i].number == ERR_GET_LIB(code))
            return libraries[i].name;
    return NULL;
}

/* The name of a reason in OpenSSL's headers. Its text is made of that name, so it is made of the text: "no start line", NO_START_LINE. Reasons that all
 * libraries share ("PEM lib") have none. */
static const char *reason_name(unsigned long code, char room[128])
{
    const char *text = code && ERR_GET_RFLAGS(code) == 0 ? ERR_reason_error_string(code) : NULL;
    if (!text || strlen(text) > 127)
        return NULL;
    size_t i = 0;
    for (; text[i]; i++)
        room[i] = isalnum((unsigned char)text[i]) ? (char)toupper((unsigned char)text[i]) : '_';
    room[i] = 0;
    return room;
}

static bool set(Value exception, const char *name, Value value)
{
    return value != TY_NULL && ty_set_attribute(exception, ty_intern_text(name), value);
}
static Value text_or_none(const char *text) { return text ? ty_str_from_text(text) : TY_NONE; }

/* Why the peer's certificate was refused: a str or None. */
static Value verification_message(Connection *connection, long code)
{
    Value host = ty_field(&connection->server_hostname);
    if (host == TY_NULL)
        host = TY_NONE;
    if (code == X509_V_ERR_HOSTNAME_MISMATCH)
        return ty_str_format("Hostname mismatch, certificate is not valid for '%S'.", host);
    if (code == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return ty_str_format("IP address mismatch, certificate is not valid for '%S'.", host);
    return text_or_none(X509_verify_cert_error_string(code));
}

Value tls_raise(Connection *connection, TyType *type, int number, const char *text, int line)
{
    unsigned long code = text && number == 0 ? 0 : ERR_peek_last_error();
    char room[128];
    const char *library = library_name(code), *reason = library ? reason_name(code, room) : NULL;
    long verify_code = 0;
    Value detail = TY_NONE;
    if (!text)
        text = ERR_reason_error_string(code);
    if (!text)
        text = "unknown error";
    if (connection && type == &tls_verification_error) {
        verify_code = SSL_get_verify_result(connection->handle);
        detail = verification_message(connection, verify_code);
        if (detail == TY_NULL)
            return TY_NULL;
    }
    if (number == 0 && code)
        number = ERR_GET_REASON(code);
    ERR_clear_error();
    Value message;
    if (reason && detail != TY_NONE)
        message = ty_str_format("[%s: %s] %s: %U (_ssl.c:%d)", library, reason, text, detail, line);
    else if (reason)
        message = ty_str_format("[%s: %s] %s (_ssl.c:%d)", library, reason, text, line);
    else if (library)
        message = ty_str_format("[%s] %s (_ssl.c:%d)", library, text, line);
    else
        message = ty_str_format("%s (_ssl.c:%d)", text, line);
    Value exception = message == TY_NULL ? TY_NULL : ty_call_two(ty_from_object(type), ty_int_from_int64(number), message);
    if (exception == TY_NULL || !set(exception, "reason", text_or_none(reason)) || !set(exception, "library", text_or_none(library)))
        return TY_NULL;
    if (connection && type == &tls_verification_error &&
        (!set(exception, "verify_code", ty_int_from_int64(verify_code)) || !set(exception, "verify_message", detail)))
        return TY_NULL;
    return ty_raise_object(exception);
}

/* The system failed a call, or the peer went away without a word. */
static Value raise_syscall(Connection *connection, const Outcome *outcome, int line)
{
    unsigned long code = ERR_peek_last_error();
    if (code)
        return tls_raise(connection, &tls_error, NUMBER_SYSCALL, NULL, line);
    if (outcome->result == 0 || outcome->system_error == 0)
        return tls_raise(connection, &tls_eof_error, NUMBER_EOF, "EOF occurred in violation of protocol", line);
    ERR_clear_error();
    return ty_raise_errno(&ty_OSError, outcome->system_error, TY_NULL, TY_NULL);
}

Value tls_raise_outcome(Connection *connection, const Outcome *outcome, int line)
{
    Value raised = ty_field(&connection->raised);
    if (raised != TY_NULL) { /* a callback's, which is why OpenSSL failed, or did not */
        ty_store(connection, &connection->raised, TY_NULL);
        ERR_clear_error();
        ty_restore_exception(raised);
        return TY_NULL;
    }
    unsigned long code = ERR_peek_last_error();
    switch (outcome->error) {
    case SSL_ERROR_ZERO_RETURN:
        return tls_raise(connection, &tls_zero_return_error, NUMBER_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)", line);
    case SSL_ERROR_WANT_READ:
        return tls_raise(connection, &tls_want_read_error, NUMBER_WANT_READ, "The operation did not complete (read)", line);
    case SSL_ERROR_WANT_WRITE:
        return tls_raise(connection, &tls_want_write_error, NUMBER_WANT_WRITE, "The operation did not complete (write)", line);
    case SSL_ERROR_WANT_X509_LOOKUP:
        return tls_raise(connection, &tls_error, NUMBER_WANT_X509_LOOKUP, "The operation did not complete (X509 lookup)", line);
    case SSL_ERROR_WANT_CONNECT:
        return tls_raise(connection, &tls_error, NUMBER_WANT_CONNECT, "The operation did not complete (connect)", line);
    case SSL_ERROR_SYSCALL:
        return raise_syscall(connection, outcome, line);
    case SSL_ERROR_SSL:
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
            return tls_raise(connection, &tls_verification_error, NUMBER_SSL, NULL, line);
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return tls_raise(connection, &tls_eof_error, NUMBER_EOF, "EOF occurred in violation of protocol", line);
        return tls_raise(connection, &tls_error, NUMBER_SSL, code ? NULL : "A failure in the SSL library occurred", line);
    default:
        return tls_raise(connection, &tls_error, NUMBER_INVALID, "Invalid error code", line);
    }
}

bool tls_not_deleted(Value object, const char *name)
{
    ty_raise(&ty_AttributeError, "attribute '%s' of '%N' objects cannot be deleted", name, object);
    return false;
}
