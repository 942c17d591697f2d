/* The module _ssl: randomness, OpenSSL's objects, constants. */
#include "ssl.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <errno.h>
#include <limits.h>

static Value module_test_decode(Value module, Value *a)
{
    Value holder = ty_is_str(a[0]) ? ty_str_encode_fs(a[0]) : a[0];
    if (holder == TY_NULL)
        return TY_NULL;
    if (!ty_is_bytes(holder))
        return ty_raise(&ty_TypeError, "expected str, bytes or os.PathLike object, not %T", a[0]);
    BIO *bio = BIO_new_file((const char *)ty_bytes_data(holder), "r");
    if (!bio) {
        ERR_clear_error();
        return ty_raise(&tls_error, "Can't open file");
    }
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!certificate)
        return ty_raise(&tls_error, "Error decoding PEM-encoded file");
    Value dict = tls_decode_certificate(certificate);
    X509_free(certificate);
    return dict;
}

static Value module_rand_add(Value module, Value *a)
{
    TyBytesArgument bytes;
    double entropy;
    Value holder = ty_is_str(a[0]) ? ty_str_encode_utf8(a[0], NULL) : a[0];
    if (holder == TY_NULL || !ty_to_double(a[1], &entropy) || !ty_bytes_argument(holder, &bytes))
        return TY_NULL;
    for (int64_t done = 0, part; done < bytes.length; done += part) {
        part = TY_MIN(bytes.length - done, INT_MAX);
        RAND_add(bytes.data + done, (int)part, entropy);
    }
    ty_bytes_argument_release(&bytes);
    return TY_NONE;
}

static Value module_rand_bytes(Value module, Value *a)
{
    int32_t size;
    if (!ty_to_int32(a[0], &size))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "num must be positive");
    Value bytes = ty_bytes_new(NULL, (size_t)size);
    if (bytes == TY_NULL)
        return TY_NULL;
    ERR_clear_error();
    return RAND_bytes(ty_as_bytes(bytes)->data, size) == 1 ? bytes : TLS_RAISE_LAST();
}

static Value module_rand_status(Value module, Value *a) { return ty_from_bool(RAND_status() == 1); }

static Value module_default_verify_paths(Value module, Value *a)
{
    const char *texts[] = {X509_get_default_cert_file_env(), X509_get_default_cert_file(), X509_get_default_cert_dir_env(), X509_get_default_cert_dir()};
    Value values[4];
    for (int i = 0; i < 4; i++)
        if ((values[i] = ty_str_decode_fs(texts[i], strlen(texts[i]))) == TY_NULL)
            return TY_NULL;
    return ty_tuple_from_array(values, 4);
}

static Value module_txt2obj(Value module, Value *a)
{
    Value holder;
    int by_name = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    if (by_name < 0)
        return TY_NULL;
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "txt2obj() argument 'txt' must be str, not %T", a[0]);
    size_t size;
    const char *text = ty_str_utf8(a[0], &size, &holder);
    if (!text)
        return TY_NULL;
    if (strlen(text) != size)
        return ty_raise(&ty_ValueError, "embedded null character");
    ASN1_OBJECT *object = OBJ_txt2obj(text, !by_name);
    ERR_clear_error();
    if (!object)
        return ty_raise(&ty_ValueError, "unknown object '%.100s'", text);
    Value tuple = tls_object_tuple(object);
    ASN1_OBJECT_free(object);
    return tuple;
}

static Value module_nid2obj(Value module, Value *a)
{
    int32_t nid;
    if (!ty_to_int32(a[0], &nid))
        return TY_NULL;
    if (nid < NID_undef)
        return ty_raise(&ty_ValueError, "NID must be positive.");
    ASN1_OBJECT *object = OBJ_nid2obj(nid);
    ERR_clear_error();
    return object ? tls_object_tuple(object) : ty_raise(&ty_ValueError, "unknown NID %d", nid);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("_test_decode_cert(path, /)", module_test_decode, NULL),
    TY_FUNCTION("RAND_add(string, entropy, /)", module_rand_add, "Mixes bytes into the generator's state; entropy says how many random ones they are worth."),
    TY_FUNCTION("RAND_bytes(n, /)", module_rand_bytes, "Generate n cryptographically strong pseudo-random bytes."),
    TY_FUNCTION("RAND_status()", module_rand_status, "Whether the generator has been seeded with enough randomness."),
    TY_FUNCTION("get_default_verify_paths()", module_default_verify_paths, "The names of the variables, and the paths, where OpenSSL looks for certificates."),
    TY_FUNCTION("txt2obj(txt, name=False)", module_txt2obj, "(nid, short name, long name, oid) of an object given by its oid or, if name is true, its name."),
    TY_FUNCTION("nid2obj(nid, /)", module_nid2obj, "(nid, short name, long name, oid) of an object."),
    {0},
};

enum { ENCODING_PEM = 1, ENCODING_DER };

static const struct { const char *name; int64_t value; } constants[] = {
    {"CERT_NONE", CERT_NONE}, {"CERT_OPTIONAL", CERT_OPTIONAL}, {"CERT_REQUIRED", CERT_REQUIRED},
    {"ENCODING_PEM", ENCODING_PEM}, {"ENCODING_DER", ENCODING_DER},
    {"PROTOCOL_SSLv23", PROTOCOL_TLS}, {"PROTOCOL_TLS", PROTOCOL_TLS}, {"PROTOCOL_TLS_CLIENT", PROTOCOL_TLS_CLIENT}, {"PROTOCOL_TLS_SERVER", PROTOCOL_TLS_SERVER},
    {"PROTOCOL_TLSv1", PROTOCOL_TLSv1}, {"PROTOCOL_TLSv1_1", PROTOCOL_TLSv1_1}, {"PROTOCOL_TLSv1_2", PROTOCOL_TLSv1_2},
    {"PROTO_MINIMUM_SUPPORTED", VERSION_LOWEST}, {"PROTO_MAXIMUM_SUPPORTED", VERSION_HIGHEST}, {"PROTO_SSLv3", SSL3_VERSION}, {"PROTO_TLSv1", TLS1_VERSION},
    {"PROTO_TLSv1_1", TLS1_1_VERSION}, {"PROTO_TLSv1_2", TLS1_2_VERSION}, {"PROTO_TLSv1_3", TLS1_3_VERSION},
    {"SSL_ERROR_SSL", NUMBER_SSL}, {"SSL_ERROR_WANT_READ", NUMBER_WANT_READ}, {"SSL_ERROR_WANT_WRITE", NUMBER_WANT_WRITE},
    {"SSL_ERROR_WANT_X509_LOOKUP", NUMBER_WANT_X509_LOOKUP}, {"SSL_ERROR_SYSCALL", NUMBER_SYSCALL}, {"SSL_ERROR_ZERO_RETURN", NUMBER_ZERO_RETURN},
    {"SSL_ERROR_WANT_CONNECT", NUMBER_WANT_CONNECT}, {"SSL_ERROR_EOF", NUMBER_EOF}, {"SSL_ERROR_INVALID_ERROR_CODE", NUMBER_INVALID},
    {"VERIFY_DEFAULT", 0}, {"VERIFY_CRL_CHECK_LEAF", X509_V_FLAG_CRL_CHECK}, {"VERIFY_CRL_CHECK_CHAIN", X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL},
    {"VERIFY_X509_STRICT", X509_V_FLAG_X509_STRICT}, {"VERIFY_ALLOW_PROXY_CERTS", X509_V_FLAG_ALLOW_PROXY_CERTS},
    {"VERIFY_X509_TRUSTED_FIRST", X509_V_FLAG_TRUSTED_FIRST}, {"VERIFY_X509_PARTIAL_CHAIN", X509_V_FLAG_PARTIAL_CHAIN},
    {"HOSTFLAG_ALWAYS_CHECK_SUBJECT", X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT}, {"HOSTFLAG_NEVER_CHECK_SUBJECT", X509_CHECK_FLAG_NEVER_CHECK_SUBJECT},
    {"HOSTFLAG_NO_WILDCARDS", X509_CHECK_FLAG_NO_WILDCARDS}, {"HOSTFLAG_NO_PARTIAL_WILDCARDS", X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS},
    {"HOSTFLAG_MULTI_LABEL_WILDCARDS", X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS}, {"HOSTFLAG_SINGLE_LABEL_SUBDOMAINS", X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS},
#define A(name) {"ALERT_DESCRIPTION_" #name, SSL_AD_##name}
    A(CLOSE_NOTIFY), A(UNEXPECTED_MESSAGE), A(BAD_RECORD_MAC), A(RECORD_OVERFLOW), A(DECOMPRESSION_FAILURE), A(HANDSHAKE_FAILURE), A(BAD_CERTIFICATE),
    A(UNSUPPORTED_CERTIFICATE), A(CERTIFICATE_REVOKED), A(CERTIFICATE_EXPIRED), A(CERTIFICATE_UNKNOWN), A(ILLEGAL_PARAMETER), A(UNKNOWN_CA), A(ACCESS_DENIED),
    A(DECODE_ERROR), A(DECRYPT_ERROR), A(PROTOCOL_VERSION), A(INSUFFICIENT_SECURITY), A(INTERNAL_ERROR), A(USER_CANCELLED), A(NO_RENEGOTIATION),
    A(UNSUPPORTED_EXTENSION), A(CERTIFICATE_UNOBTAINABLE), A(UNRECOGNIZED_NAME), A(BAD_CERTIFICATE_STATUS_RESPONSE), A(BAD_CERTIFICATE_HASH_VALUE),
    A(UNKNOWN_PSK_IDENTITY),
#undef A
};

static const struct { const char *name; uint64_t value; } options[] = {
    {"OP_ALL", SSL_OP_ALL & ~(uint64_t)SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
#define O(name) {"OP_" #name, SSL_OP_##name}
    O(NO_SSLv2), O(NO_SSLv3), O(NO_TLSv1), O(NO_TLSv1_1), O(NO_TLSv1_2), O(NO_TLSv1_3), O(CIPHER_SERVER_PREFERENCE), O(SINGLE_DH_USE), O(NO_TICKET), O(LEGACY_SERVER_CONNECT),
    O(SINGLE_ECDH_USE), O(NO_COMPRESSION), O(ENABLE_MIDDLEBOX_COMPAT), O(NO_RENEGOTIATION), O(IGNORE_UNEXPECTED_EOF), O(ENABLE_KTLS),
#undef O
};

static const struct { const char *name; bool value; } features[] = {
    {"HAS_SNI", true}, {"HAS_TLS_UNIQUE", true}, {"HAS_ECDH", true}, {"HAS_NPN", false}, {"HAS_ALPN", true}, {"HAS_SSLv2", false}, {"HAS_SSLv3", false},
    {"HAS_TLSv1", true}, {"HAS_TLSv1_1", true}, {"HAS_TLSv1_2", true}, {"HAS_TLSv1_3", true}, {"HAS_PSK", true}, {"HAS_PHA", true},
};

static Value version_tuple(unsigned long number)
{
    return ty_tuple_pack(5, ty_from_immediate_int(number >> 28 & 0xFF), ty_from_immediate_int(number >> 20 & 0xFF), ty_from_immediate_int(number >> 12 & 0xFF),
                         ty_from_immediate_int(number >> 4 & 0xFF), ty_from_immediate_int(number & 0xF));
}

static bool execute(Value module)
{
    for (size_t i = 0; i < TY_COUNT_OF(constants); i++)
        if (!ty_module_add_int(module, constants[i].name, constants[i].value))
            return false;
    for (size_t i = 0; i < TY_COUNT_OF(options); i++)
        if (!ty_module_add(module, options[i].name, ty_int_from_uint64(options[i].value)))
            return false;
    for (size_t i = 0; i < TY_COUNT_OF(features); i++)
        if (!ty_module_add(module, features[i].name, ty_from_bool(features[i].value)))
            return false;
    return ty_module_add_str(module, "_DEFAULT_CIPHERS", OSSL_default_cipher_list()) &&
           ty_module_add(module, "OPENSSL_VERSION_NUMBER", ty_int_from_uint64(OpenSSL_version_num())) &&
           ty_module_add(module, "OPENSSL_VERSION_INFO", version_tuple(OpenSSL_version_num())) &&
           ty_module_add_str(module, "OPENSSL_VERSION", OpenSSL_version(OPENSSL_VERSION)) &&
           ty_module_add(module, "_OPENSSL_API_VERSION", version_tuple(OPENSSL_VERSION_NUMBER));
}

static TyType *const types[] = {
    &tls_error, &tls_zero_return_error, &tls_want_read_error, &tls_want_write_error, &tls_syscall_error, &tls_eof_error, &tls_verification_error,
    &tls_context_type, &tls_connection_type, &tls_memory_bio_type, &tls_session_type, &tls_certificate_type, NULL,
};

const TyModuleDef ty_module__ssl = {
    .name = "_ssl",
    .doc = "TLS by OpenSSL.",
    .functions = functions,
    .types = types,
    .execute = execute,
};
