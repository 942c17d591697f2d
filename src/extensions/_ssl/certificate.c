/* Certificates: as dicts for people, as DER and PEM, and as objects. */
#include "ssl.h"
#include <openssl/pem.h>

enum { ENCODING_PEM = 1, ENCODING_DER = 2 };

/* --- pieces ---------------------------------------------------------------------------------------------------------------------- */

static Value object_text(const ASN1_OBJECT *object, bool dotted)
{
    char room[256];
    int size = OBJ_obj2txt(room, sizeof room, object, dotted);
    if (size < 0)
        return TLS_RAISE_LAST();
    if (size == 0)
        return TY_NONE;
    if ((size_t)size < sizeof room)
        return ty_str_from_utf8(room, (size_t)size);
    Value bytes = ty_bytes_new(NULL, (size_t)size + 1);
    if (bytes == TY_NULL)
        return TY_NULL;
    OBJ_obj2txt((char *)ty_as_bytes(bytes)->data, size + 1, object, dotted);
    return ty_str_from_utf8((const char *)ty_bytes_data(bytes), (size_t)size);
}

Value tls_object_tuple(const ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);
    if (nid == NID_undef)
        return ty_raise(&ty_ValueError, "Unknown object");
    return ty_tuple_pack(4, ty_from_immediate_int(nid), ty_str_from_text(OBJ_nid2sn(nid)), ty_str_from_text(OBJ_nid2ln(nid)), object_text(object, true));
}

/* What a function prints to a BIO. */
static Value bio_text(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    Value text = ty_str_from_utf8(data, (size_t)TY_MAX(size, 0));
    BIO_free(bio);
    return text;
}

#define PRINTED(bio, printing) ({ BIO *bio = BIO_new(BIO_s_mem()); !bio ? TLS_RAISE_LAST() : (printing, bio_text(bio)); })

static Value attribute_pair(const X509_NAME_ENTRY *entry)
{
    Value name = object_text(X509_NAME_ENTRY_get_object(entry), false);
    const ASN1_STRING *data = X509_NAME_ENTRY_get_data(entry);
    if (name == TY_NULL)
        return TY_NULL;
    if (ASN1_STRING_type(data) == V_ASN1_BIT_STRING)
        return ty_tuple_pack(2, name, ty_bytes_new(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)));
    unsigned char *text = NULL;
    int size = ASN1_STRING_to_UTF8(&text, data);
    if (size < 0)
        return TLS_RAISE_LAST();
    Value value = ty_str_from_utf8((const char *)text, (size_t)size);
    OPENSSL_free(text);
    return ty_tuple_pack(2, name, value);
}

/* A tuple of relative distinguished names, each a tuple of (attribute, value). */
static Value name_tuple(const X509_NAME *name)
{
    Value all = ty_list_new(0), one = ty_list_new(0);
    int count = X509_NAME_entry_count(name), set = -1;
    for (int i = 0; i < count && all != TY_NULL && one != TY_NULL; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        if (set >= 0 && set != X509_NAME_ENTRY_set(entry)) {
            Value done = ty_list_to_tuple(one);
            if (done == TY_NULL || !ty_list_append(all, done) || (one = ty_list_new(0)) == TY_NULL)
                return TY_NULL;
        }
        set = X509_NAME_ENTRY_set(entry);
        Value pair = attribute_pair(entry);
        if (pair == TY_NULL || !ty_list_append(one, pair))
            return TY_NULL;
    }
    if (all == TY_NULL || one == TY_NULL)
        return TY_NULL;
    if (ty_list_length(one) > 0) {
        Value done = ty_list_to_tuple(one);
        if (done == TY_NULL || !ty_list_append(all, done))
            return TY_NULL;
    }
    return ty_list_to_tuple(all);
}

/* --- other names of the subject ------------------------------------------------------------------------------------------------------- */

static Value string_value(const ASN1_STRING *string)
{
    return ty_str_from_utf8((const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static Value address_text(const ASN1_OCTET_STRING *address)
{
    const unsigned char *p = ASN1_STRING_get0_data(address);
    if (ASN1_STRING_length(address) == 4)
        return ty_str_format("%d.%d.%d.%d", p[0], p[1], p[2], p[3]);
    if (ASN1_STRING_length(address) != 16)
        return ty_str_from_text("<invalid>");
    char text[48];
    size_t used = 0;
    for (int i = 0; i < 16; i += 2)
        used += (size_t)snprintf(text + used, sizeof text - used, i ? ":%X" : "%X", p[i] << 8 | p[i + 1]);
    return ty_str_from_text(text);
}

/* A kind of name that has no form of its own here: as OpenSSL prints it, "kind:value". */
static Value printed_name(GENERAL_NAME *name)
{
    Value text = PRINTED(bio, GENERAL_NAME_print(bio, name));
    if (text == TY_NULL)
        return TY_NULL;
    int64_t colon = ty_str_find_char(text, ':', 0, ty_str_length(text), 1);
    if (colon < 0)
        return ty_raise(&ty_ValueError, "Invalid value %.200s", ty_str_data(text));
    return ty_tuple_pack(2, ty_str_slice(text, 0, colon), ty_str_slice(text, colon + 1, ty_str_length(text)));
}

static Value general_name(GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DIRNAME: return ty_tuple_pack(2, ty_str_from_text("DirName"), name_tuple(name->d.dirn));
    case GEN_EMAIL: return ty_tuple_pack(2, ty_str_from_text("email"), string_value(name->d.rfc822Name));
    case GEN_DNS: return ty_tuple_pack(2, ty_str_from_text("DNS"), string_value(name->d.dNSName));
    case GEN_URI: return ty_tuple_pack(2, ty_str_from_text("URI"), string_value(name->d.uniformResourceIdentifier));
    case GEN_RID: return ty_tuple_pack(2, ty_str_from_text("Registered ID"), object_text(name->d.rid, false));
    case GEN_IPADD: return ty_tuple_pack(2, ty_str_from_text("IP Address"), address_text(name->d.ip));
    default: return printed_name(name);
    }
}

/* A tuple, or None if there are no such names. */
static Value other_names(X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (!names)
        return TY_NONE;
    Value list = ty_list_new(0);
    for (int i = 0; list != TY_NULL && i < sk_GENERAL_NAME_num(names); i++) {
        Value pair = general_name(sk_GENERAL_NAME_value(names, i));
        if (pair == TY_NULL || !ty_list_append(list, pair))
            list = TY_NULL;
    }
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return list == TY_NULL ? TY_NULL : ty_list_to_tuple(list);
}

/* --- where to ask about it ----------------------------------------------------------------------------------------------------------------- */

static bool add_string(Value list, const ASN1_STRING *string)
{
    Value text = string_value(string);
    return text != TY_NULL && ty_list_append(list, text);
}

static Value tuple_or_none(Value list)
{
    return list == TY_NULL ? TY_NULL : ty_list_length(list) == 0 ? TY_NONE : ty_list_to_tuple(list);
}

static Value access_addresses(X509 *certificate, int nid)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    Value list = ty_list_new(0);
    for (int i = 0; info && list != TY_NULL && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(info, i);
        if (OBJ_obj2nid(one->method) == nid && one->location->type == GEN_URI && !add_string(list, one->location->d.uniformResourceIdentifier))
            list = TY_NULL;
    }
    AUTHORITY_INFO_ACCESS_free(info);
    return tuple_or_none(list);
}

static Value revocation_addresses(X509 *certificate)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    Value list = ty_list_new(0);
    for (int i = 0; points && list != TY_NULL && i < sk_DIST_POINT_num(points); i++) {
        DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (!point->distpoint || point->distpoint->type != 0)
            continue;
        GENERAL_NAMES *names = point->distpoint->name.fullname;
        for (int j = 0; list != TY_NULL && j < sk_GENERAL_NAME_num(names); j++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
            if (name->type == GEN_URI && !add_string(list, name->d.uniformResourceIdentifier))
                list = TY_NULL;
        }
    }
    CRL_DIST_POINTS_free(points);
    return tuple_or_none(list);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------------ */

static bool put(Value dict, const char *key, Value value) { return value != TY_NULL && ty_dict_set_text(dict, key, value); }
static bool put_unless_none(Value dict, const char *key, Value value) { return value == TY_NONE || put(dict, key, value); }

Value tls_decode_certificate(X509 *certificate)
{
    Value dict = ty_dict_new();
    if (dict == TY_NULL || !put(dict, "subject", name_tuple(X509_get_subject_name(certificate))) ||
        !put(dict, "issuer", name_tuple(X509_get_issuer_name(certificate))) ||
        !put(dict, "version", ty_from_immediate_int(X509_get_version(certificate) + 1)) ||
        !put(dict, "serialNumber", PRINTED(bio, i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate)))) ||
        !put(dict, "notBefore", PRINTED(bio, ASN1_TIME_print(bio, X509_get0_notBefore(certificate)))) ||
        !put(dict, "notAfter", PRINTED(bio, ASN1_TIME_print(bio, X509_get0_notAfter(certificate)))) ||
        !put_unless_none(dict, "subjectAltName", other_names(certificate)) ||
        !put_unless_none(dict, "OCSP", access_addresses(certificate, NID_ad_OCSP)) ||
        !put_unless_none(dict, "caIssuers", access_addresses(certificate, NID_ad_ca_issuers)) ||
        !put_unless_none(dict, "crlDistributionPoints", revocation_addresses(certificate)))
        return TY_NULL;
    ERR_clear_error(); /* extensions that are not there */
    return dict;
}

Value tls_encode_certificate(X509 *certificate)
{
    unsigned char *data = NULL;
    int size = i2d_X509(certificate, &data);
    if (size < 0)
        return TLS_RAISE_LAST();
    Value bytes = ty_bytes_new(data, (size_t)size);
    OPENSSL_free(data);
    return bytes;
}

/* --- Certificate ------------------------------------------------------------------------------------------------------------------------------- */

static X509 *as_certificate(Value v) { return ((Certificate *)ty_object(v))->handle; }

static void certificate_destroy(TyObject *self) { X509_free(((Certificate *)self)->handle); }

Value tls_certificate_new(X509 *certificate, bool keep)
{
    Value made = ty_type_allocate(&tls_certificate_type, 0);
    if (keep && made != TY_NULL)
        X509_up_ref(certificate);
    else if (made == TY_NULL && !keep)
        X509_free(certificate);
    if (made != TY_NULL)
        ((Certificate *)ty_object(made))->handle = certificate;
    return made;
}

Value tls_certificates(STACK_OF(X509) *stack, X509 *first)
{
    Value list = ty_list_new(0), one;
    if (first && list != TY_NULL && ((one = tls_certificate_new(first, true)) == TY_NULL || !ty_list_append(list, one)))
        return TY_NULL;
    for (int i = 0; list != TY_NULL && i < sk_X509_num(stack); i++) {
        one = tls_certificate_new(sk_X509_value(stack, i), true);
        if (one == TY_NULL || !ty_list_append(list, one))
            return TY_NULL;
    }
    return list;
}

static Value certificate_bytes(Value self, Value *a)
{
    int32_t format = ENCODING_PEM;
    if (a[0] != TY_NULL && !ty_to_int32(a[0], &format))
        return TY_NULL;
    if (format == ENCODING_DER)
        return tls_encode_certificate(as_certificate(self));
    if (format != ENCODING_PEM)
        return ty_raise(&ty_ValueError, "Unsupported format");
    return PRINTED(bio, PEM_write_bio_X509(bio, as_certificate(self)));
}

static Value certificate_info(Value self, Value *a) { return tls_decode_certificate(as_certificate(self)); }

static Value certificate_repr(Value self)
{
    Value name = PRINTED(bio, X509_NAME_print_ex(bio, X509_get_subject_name(as_certificate(self)), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB));
    return name == TY_NULL ? TY_NULL : ty_str_format("<%s '%U'>", ty_type_of(self)->name, name);
}

static int64_t certificate_hash(Value self)
{
    int64_t hash = (int64_t)X509_subject_name_hash(as_certificate(self));
    return hash == -1 ? -2 : hash;
}

static Value certificate_compare(Value left, Value right, int op)
{
    if ((op != TY_EQ && op != TY_NE) || !ty_is_instance_of(right, &tls_certificate_type))
        return TY_NOT_IMPLEMENTED;
    return ty_from_bool((X509_cmp(as_certificate(left), as_certificate(right)) == 0) == (op == TY_EQ));
}

static const TyNativeDef certificate_methods[] = {
    TY_METHOD("public_bytes(self, /, format=Encoding.PEM)", certificate_bytes, "The certificate in PEM, a str, or DER, bytes."),
    TY_METHOD("get_info(self, /)", certificate_info, "The dict that getpeercert() gives."),
    {0},
};

TyType tls_certificate_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Certificate), .destroy = certificate_destroy},
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW,
    .name = "_ssl.Certificate",
    .slots = {.repr = certificate_repr, .hash = certificate_hash, .compare = certificate_compare},
    .methods = certificate_methods,
};
