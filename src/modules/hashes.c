/* Hashes by OpenSSL: _hashlib, and _md5, _sha1, _sha2 and _sha3 with the same objects under other types; HMAC, PBKDF2, scrypt.
 *
 * A hash object owns an EVP_MD_CTX and is used under its mutex. A digest is taken of a copy, so that the object goes on. */
#include "modules/compression.h"
#include "modules/hashes.h"

#include <strings.h>

#include <stdlib.h>

#include "base/futex.h"
#include "modules/openssl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"

/* --- arguments ----------------------------------------------------------------------------------------------------- */

bool ty_hash_view(Value v, TyBuffer *view)
{
    if (ty_is_str(v)) {
        ty_raise(&ty_TypeError, "Strings must be encoded before hashing");
        return false;
    }
    if (!ty_has_buffer(v)) {
        ty_raise(&ty_TypeError, "object supporting the buffer API required");
        return false;
    }
    if (!ty_buffer_get(v, view, TY_BUFFER_SIMPLE))
        return false;
    if (view->dimensions > 1) {
        ty_buffer_release(view);
        ty_raise(&ty_BufferError, "Buffer must be single dimension");
        return false;
    }
    return true;
}

bool ty_hash_data(Value data, Value string, Value *out)
{
    if (data != TY_NULL && string != TY_NULL) {
        ty_raise(&ty_TypeError, "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for "
                 "removal in a future version.");
        return false;
    }
    *out = data != TY_NULL ? data : string;
    return true;
}

Value ty_hash_hexadecimal(const uint8_t *digest, size_t size)
{
    Value text = ty_str_allocate((int64_t)size * 2, 0x7F);
    if (text == TY_NULL || size == 0)
        return text == TY_NULL ? TY_NULL : ty_str_empty();
    uint8_t *out = ty_as_str(text)->data;
    for (size_t i = 0; i < size; i++) {
        *out++ = (uint8_t)"0123456789abcdef"[digest[i] >> 4];
        *out++ = (uint8_t)"0123456789abcdef"[digest[i] & 15];
    }
    return text;
}

/* --- algorithms ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *name;     /* Python's */
    const char *openssl;  /* and OpenSSL's */
    const EVP_MD *_Atomic method; /* fetched once, for the life of the process */
} Algorithm;

enum { MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SHA3_224, SHA3_256, SHA3_384, SHA3_512, SHAKE_128, SHAKE_256, SHA512_224, SHA512_256,
       BLAKE2S, BLAKE2B, ALGORITHMS };

static Algorithm algorithms[ALGORITHMS] = {
    [MD5] = {"md5", "MD5", NULL}, [SHA1] = {"sha1", "SHA1", NULL}, [SHA224] = {"sha224", "SHA224", NULL},
    [SHA256] = {"sha256", "SHA256", NULL}, [SHA384] = {"sha384", "SHA384", NULL}, [SHA512] = {"sha512", "SHA512", NULL},
    [SHA3_224] = {"sha3_224", "SHA3-224", NULL}, [SHA3_256] = {"sha3_256", "SHA3-256", NULL},
    [SHA3_384] = {"sha3_384", "SHA3-384", NULL}, [SHA3_512] = {"sha3_512", "SHA3-512", NULL},
    [SHAKE_128] = {"shake_128", "SHAKE128", NULL}, [SHAKE_256] = {"shake_256", "SHAKE256", NULL},
    [SHA512_224] = {"sha512_224", "SHA512-224", NULL}, [SHA512_256] = {"sha512_256", "SHA512-256", NULL},
    [BLAKE2S] = {"blake2s", "BLAKE2S-256", NULL}, [BLAKE2B] = {"blake2b", "BLAKE2B-512", NULL},
};

enum { STATE_ERROR, STATE_CONSTRUCTORS, STATE_COUNT };

static TyType *unsupported(void)
{
    Value module = ty_module_current("_hashlib");
    return module == TY_NULL ? &ty_ValueError : ty_as_type(ty_module_state(module)[STATE_ERROR]);
}

static const EVP_MD *method_of(Algorithm *algorithm)
{
    const EVP_MD *method = ty_load_acquire(&algorithm->method);
    const TyOpenssl *ssl = ty_openssl();
    if (method || !ssl)
        return method;
    EVP_MD *fetched = ssl->EVP_MD_fetch(NULL, algorithm->openssl, NULL);
    if (!fetched) {
        ty_openssl_raise(unsupported(), "unsupported hash type");
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&algorithm->method, &method, fetched)) {
        ssl->EVP_MD_free(fetched); /* another thread was first */
        return method;
    }
    return fetched;
}

/* The algorithm of a name: one of the table, or whatever else OpenSSL knows, which is then to be freed. NULL with an exception. */
static const EVP_MD *method_by_name(const char *name, EVP_MD **to_free)
{
    *to_free = NULL;
    for (int i = 0; i < ALGORITHMS; i++)
        if (strcmp(name, algorithms[i].name) == 0 || strcmp(name, algorithms[i].openssl) == 0)
            return method_of(&algorithms[i]);
    const TyOpenssl *ssl = ty_openssl();
    if (!ssl)
        return NULL;
    *to_free = ssl->EVP_MD_fetch(NULL, name, NULL);
    if (!*to_free)
        ty_openssl_raise(unsupported(), "unsupported hash type");
    return *to_free;
}

/* Python's name of an algorithm, written to out. */
static void python_name(const TyOpenssl *ssl, const EVP_MD *method, char out[40])
{
    int nid = ssl->EVP_MD_get_type(method);
    const char *name = ssl->EVP_MD_get0_name(method), *text = nid ? ssl->OBJ_nid2ln(nid) : name;
    for (int i = 0; i < ALGORITHMS; i++)
        if (strcasecmp(name, algorithms[i].openssl) == 0 || strcasecmp(text, algorithms[i].openssl) == 0 ||
            method == ty_load_relaxed(&algorithms[i].method)) {
            strcpy(out, algorithms[i].name);
            return;
        }
    size_t i = 0;
    for (; text[i] && i < 39; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i]);
    out[i] = 0;
}

/* --- hash objects ---------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    TyMutex mutex;
    EVP_MD_CTX *context;
    EVP_MD_CTX *outer; /* of an HMAC, before anything but its key went in; else NULL */
} Hash;

/* What a context weighs, about. */
enum { CONTEXT_BYTES = 512 };

static Hash *hash_of(Value self) { return (Hash *)ty_object(self); }
static const TyOpenssl *library(void) { return ty_openssl(); } /* loaded, if there is a hash object */
static const EVP_MD *method_in(const Hash *hash) { return library()->EVP_MD_CTX_get0_md(hash->context); }

static bool is_xof(const EVP_MD *method) { return library()->EVP_MD_get_flags(method) & EVP_MD_FLAG_XOF; }

static void hash_destroy(TyObject *self)
{
    Hash *hash = (Hash *)self;
    if (!hash->context)
        return;
    library()->EVP_MD_CTX_free(hash->context);
    if (hash->outer)
        library()->EVP_MD_CTX_free(hash->outer);
    ty_heap_account(-CONTEXT_BYTES);
}

static Value hash_fail(void) { return ty_openssl_raise(&ty_ValueError, "no reason supplied"); }

/* A new context of the algorithm, or a copy of one. NULL with an exception. */
static EVP_MD_CTX *context_new(const EVP_MD *method, const EVP_MD_CTX *source)
{
    const TyOpenssl *ssl = library();
    EVP_MD_CTX *context = ssl->EVP_MD_CTX_new();
    if (!context) {
        ty_raise_memory_error();
        return NULL;
    }
    if (source ? ssl->EVP_MD_CTX_copy_ex(context, source) : ssl->EVP_DigestInit_ex(context, method, NULL))
        return context;
    hash_fail();
    ssl->EVP_MD_CTX_free(context);
    return NULL;
}

static Hash *hash_new(TyType *type, const EVP_MD *method)
{
    Hash *hash = (Hash *)ty_object(ty_type_allocate(type, 0));
    if (!hash)
        return NULL;
    hash->context = context_new(method, NULL);
    if (hash->context)
        ty_heap_account(CONTEXT_BYTES);
    return hash->context ? hash : NULL;
}

static bool hash_feed(Hash *hash, const TyBuffer *view)
{
    bool blocking = view->length >= TY_HASH_BLOCKING;
    if (!ty_stream_usable(&hash->mutex))
        return false;
    ty_mutex_lock_blocking(&hash->mutex);
    if (blocking)
        ty_work_section_begin();
    int done = library()->EVP_DigestUpdate(hash->context, view->data, (size_t)view->length);
    if (blocking)
        ty_work_section_end();
    ty_mutex_unlock(&hash->mutex);
    if (!done)
        hash_fail();
    return done;
}

static bool hash_feed_value(Hash *hash, Value data)
{
    TyBuffer view;
    if (!ty_hash_view(data, &view))
        return false;
    bool good = hash_feed(hash, &view);
    ty_buffer_release(&view);
    return good;
}

static Value hash_update(Value self, Value *a) { return hash_feed_value(hash_of(self), a[0]) ? TY_NONE : TY_NULL; }

static Value hash_copy(Value self, Value *a)
{
    Hash *hash = hash_of(self);
    if (!ty_stream_usable(&hash->mutex))
        return TY_NULL;
    Hash *twin = (Hash *)ty_object(ty_type_allocate(ty_object_type(&hash->base), 0));
    if (!twin)
        return TY_NULL;
    ty_mutex_lock_blocking(&hash->mutex);
    twin->context = context_new(NULL, hash->context);
    if (twin->context && hash->outer)
        twin->outer = context_new(NULL, hash->outer);
    ty_mutex_unlock(&hash->mutex);
    if (!twin->context || (hash->outer && !twin->outer))
        return TY_NULL;
    ty_heap_account(CONTEXT_BYTES);
    return ty_from_object(twin);
}

/* The digest so far, of a fixed-size algorithm; 0 with an exception. */
static unsigned finish(Hash *hash, uint8_t digest[EVP_MAX_MD_SIZE])
{
    const TyOpenssl *ssl = library();
    unsigned size = 0;
    if (!ty_stream_usable(&hash->mutex))
        return 0;
    ty_mutex_lock_blocking(&hash->mutex);
    EVP_MD_CTX *copy = context_new(NULL, hash->context);
    ty_mutex_unlock(&hash->mutex);
    if (!copy)
        return 0;
    bool good = ssl->EVP_DigestFinal_ex(copy, digest, &size);
    if (good && hash->outer) /* of an HMAC: that digest is what goes in after the key */
        good = ssl->EVP_MD_CTX_copy_ex(copy, hash->outer) && ssl->EVP_DigestUpdate(copy, digest, size) &&
               ssl->EVP_DigestFinal_ex(copy, digest, &size);
    ssl->EVP_MD_CTX_free(copy);
    if (good)
        return size;
    hash_fail();
    return 0;
}

static Value hash_digest(Value self, Value *a)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = finish(hash_of(self), digest);
    return size ? ty_bytes_new(digest, size) : TY_NULL;
}

static Value hash_hexdigest(Value self, Value *a)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = finish(hash_of(self), digest);
    return size ? ty_hash_hexadecimal(digest, size) : TY_NULL;
}

/* As many bytes as are asked for, of an algorithm that gives any number. */
static Value extend(Value self, Value length)
{
    Hash *hash = hash_of(self);
    int64_t size;
    if (!ty_stream_usable(&hash->mutex) || !ty_to_size(length, &size))
        return TY_NULL;
    if (size < 0)
        return ty_raise(&ty_ValueError, "Cannot convert negative int");
    if (size >= 1 << 29)
        return ty_raise(&ty_ValueError, "length is too large");
    Value result = ty_bytes_new(NULL, (size_t)size);
    if (result == TY_NULL || size == 0)
        return result;
    ty_mutex_lock_blocking(&hash->mutex);
    EVP_MD_CTX *copy = context_new(NULL, hash->context);
    ty_mutex_unlock(&hash->mutex);
    if (!copy)
        return TY_NULL;
    int done = library()->EVP_DigestFinalXOF(copy, ty_as_bytes(result)->data, (size_t)size);
    library()->EVP_MD_CTX_free(copy);
    return done ? result : hash_fail();
}

static Value xof_digest(Value self, Value *a) { return extend(self, a[0]); }

static Value xof_hexdigest(Value self, Value *a)
{
    Value digest = extend(self, a[0]);
    return digest == TY_NULL ? TY_NULL : ty_hash_hexadecimal(ty_bytes_data(digest), (size_t)ty_bytes_length(digest));
}

static Value get_digest_size(Value self)
{
    const EVP_MD *method = method_in(hash_of(self));
    return ty_from_immediate_int(is_xof(method) ? 0 : library()->EVP_MD_get_size(method));
}

static Value get_block_size(Value self)
{
    return ty_from_immediate_int(library()->EVP_MD_get_block_size(method_in(hash_of(self))));
}

static Value get_name(Value self)
{
    char name[40];
    python_name(library(), method_in(hash_of(self)), name);
    return ty_intern_text(name);
}

static Value hash_repr(Value self)
{
    char name[40];
    python_name(library(), method_in(hash_of(self)), name);
    return ty_str_format("<%s %s object @ %p>", name, ty_type_of(self)->name, (void *)hash_of(self));
}

static const TyNativeDef hash_methods[] = {
    TY_METHOD("update(self, obj, /)", hash_update, "Takes in more data."),
    TY_METHOD("digest(self, /)", hash_digest, "The digest of the data so far."),
    TY_METHOD("hexdigest(self, /)", hash_hexdigest, "The digest of the data so far, as hexadecimal text."),
    TY_METHOD("copy(self, /)", hash_copy, "A second object in the same state."),
    {0},
};

static const TyNativeDef xof_methods[] = {
    TY_METHOD("digest(self, /, length)", xof_digest, "The digest of the data so far, of that length."),
    TY_METHOD("hexdigest(self, /, length)", xof_hexdigest, "The digest of the data so far, of that length in bytes, as hexadecimal text."),
    {0},
};

static const TyNativeDef whole_xof_methods[] = {
    TY_METHOD("update(self, obj, /)", hash_update, "Takes in more data."),
    TY_METHOD("digest(self, length, /)", xof_digest, "The digest of the data so far, of that length."),
    TY_METHOD("hexdigest(self, length, /)", xof_hexdigest, "The digest of the data so far, of that length in bytes, as hexadecimal text."),
    TY_METHOD("copy(self, /)", hash_copy, "A second object in the same state."),
    {0},
};

static const TyGetSetDef hash_getsets[] = {
    {"digest_size", get_digest_size, NULL, "The digest's size in bytes."},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on."},
    {"name", get_name, NULL, "The algorithm's name."},
    {0},
};

#define HASH_TYPE(name_, ...)                                                                                  \
    {                                                                                                          \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                \
        .layout = {.size = sizeof(Hash), .destroy = hash_destroy},                                             \
        .name = name_, .getsets = hash_getsets, __VA_ARGS__                                                    \
    }

static TyType openssl_hash_type = HASH_TYPE(
    "_hashlib.HASH", .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .parent = &ty_object_base_type, .methods = hash_methods,
    .slots = {.repr = hash_repr}, .doc = "A hash by OpenSSL, made by hashlib.new() or by the function named like the algorithm.");
static TyType openssl_xof_type = HASH_TYPE(
    "_hashlib.HASHXOF", .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .parent = &openssl_hash_type, .methods = xof_methods,
    .doc = "A hash by OpenSSL whose digests may have any length.");

/* --- constructors ------------------------------------------------------------------------------------------------------ */

/* A hash object of the algorithm with the data in it. */
static Value construct(TyType *type, const EVP_MD *method, Value data, Value string)
{
    if (!method || !ty_hash_data(data, string, &data))
        return TY_NULL;
    TyBuffer view;
    if (data != TY_NULL && !ty_hash_view(data, &view))
        return TY_NULL;
    if (!type)
        type = is_xof(method) ? &openssl_xof_type : &openssl_hash_type;
    Hash *hash = hash_new(type, method);
    bool good = hash && (data == TY_NULL || hash_feed(hash, &view));
    if (data != TY_NULL)
        ty_buffer_release(&view);
    return good ? ty_from_object(hash) : TY_NULL;
}

static const char *to_name(Value v)
{
    size_t size;
    Value holder = TY_NULL;
    const char *name = ty_str_utf8(v, &size, &holder);
    if (name && strlen(name) == size)
        return name;
    if (name)
        ty_raise(&ty_ValueError, "embedded null character");
    return NULL;
}

static Value hashlib_new(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "new() argument 'name' must be str, not %T", a[0]);
    const char *name = to_name(a[0]);
    EVP_MD *to_free = NULL;
    const EVP_MD *method = name ? method_by_name(name, &to_free) : NULL;
    Value result = construct(NULL, method, a[1], a[3]);
    if (to_free)
        library()->EVP_MD_free(to_free);
    return result;
}

#define OPENSSL_CONSTRUCTORS(X)                                                                                \
    X(md5, MD5) X(sha1, SHA1) X(sha224, SHA224) X(sha256, SHA256) X(sha384, SHA384) X(sha512, SHA512) X(sha3_224, SHA3_224)     \
    X(sha3_256, SHA3_256) X(sha3_384, SHA3_384) X(sha3_512, SHA3_512) X(shake_128, SHAKE_128) X(shake_256, SHAKE_256)

#define OPENSSL_CONSTRUCTOR(name, algorithm)                                                                   \
    static Value openssl_##name(Value module, Value *a)                                                        \
    {                                                                                                          \
        return construct(NULL, method_of(&algorithms[algorithm]), a[0], a[2]);                                 \
    }
OPENSSL_CONSTRUCTORS(OPENSSL_CONSTRUCTOR)

/* --- HMAC ---------------------------------------------------------------------------------------------------------------- */

static TyType hmac_type;

/* The key, shortened by hashing if it is longer than a block, xor-ed with the padding byte, into a context. */
static bool feed_key(const TyOpenssl *ssl, EVP_MD_CTX *context, const EVP_MD *method, const uint8_t *key, size_t size, uint8_t padding)
{
    uint8_t block[256] = {0}, digest[EVP_MAX_MD_SIZE];
    size_t block_size = (size_t)ssl->EVP_MD_get_block_size(method);
    if (block_size > sizeof block)
        return false;
    if (size > block_size) {
        unsigned digest_size;
        EVP_MD_CTX *hashing = context_new(method, NULL);
        bool good = hashing && ssl->EVP_DigestUpdate(hashing, key, size) && ssl->EVP_DigestFinal_ex(hashing, digest, &digest_size);
        if (hashing)
            ssl->EVP_MD_CTX_free(hashing);
        if (!good)
            return false;
        key = digest;
        size = digest_size;
    }
    if (size)
        memcpy(block, key, size);
    for (size_t i = 0; i < block_size; i++)
        block[i] ^= padding;
    return ssl->EVP_DigestUpdate(context, block, block_size);
}

/* The algorithm of `digestmod`: a name, or one of this module's functions. */
static const EVP_MD *digestmod_method(Value module, Value digestmod, EVP_MD **to_free)
{
    *to_free = NULL;
    Value name = digestmod;
    if (!ty_is_str(digestmod)) {
        name = ty_dict_get(ty_module_state(module)[STATE_CONSTRUCTORS], digestmod);
        if (name == TY_NULL) {
            ty_clear_exception();
            ty_raise(unsupported(), "Unsupported digestmod %R", digestmod);
            return NULL;
        }
    }
    const char *text = to_name(name);
    const EVP_MD *method = text ? method_by_name(text, to_free) : NULL;
    if (method && is_xof(method)) {
        ty_raise(unsupported(), "Unsupported digestmod %R", digestmod);
        method = NULL;
    }
    return method;
}

/* A code with this key, of a first part of the message, which may be TY_NULL or None. method NULL: there is an exception. */
static Value hmac_with(TyType *type, const EVP_MD *method, const TyBuffer *key, Value message)
{
    Hash *hash = method ? hash_new(type, method) : NULL;
    bool good = hash && (hash->outer = context_new(method, NULL));
    if (good && (!feed_key(library(), hash->context, method, key->data, (size_t)key->length, 0x36) ||
                 !feed_key(library(), hash->outer, method, key->data, (size_t)key->length, 0x5C))) {
        good = false;
        if (!ty_raised())
            hash_fail();
    }
    if (good && message != TY_NULL && message != TY_NONE)
        good = hash_feed_value(hash, message);
    return good ? ty_from_object(hash) : TY_NULL;
}

static Value hmac_make(Value module, Value key, Value message, Value digestmod)
{
    TyBuffer view;
    EVP_MD *to_free;
    if (!ty_buffer_get(key, &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value hmac = hmac_with(&hmac_type, digestmod_method(module, digestmod, &to_free), &view, message);
    ty_buffer_release(&view);
    if (to_free)
        library()->EVP_MD_free(to_free);
    return hmac;
}

static Value hmac_new(Value module, Value *a)
{
    if (a[2] == TY_NULL || a[2] == TY_NONE)
        return ty_raise(&ty_TypeError, "Missing required parameter 'digestmod'.");
    return hmac_make(module, a[0], a[1], a[2]);
}

static Value hmac_digest(Value module, Value *a)
{
    Value hmac = hmac_make(module, a[0], a[1], a[2]);
    return hmac == TY_NULL ? TY_NULL : hash_digest(hmac, NULL);
}

static Value hmac_get_name(Value self)
{
    char name[40];
    python_name(library(), method_in(hash_of(self)), name);
    return ty_str_format("hmac-%s", name);
}

static Value hmac_repr(Value self)
{
    char name[40];
    python_name(library(), method_in(hash_of(self)), name);
    return ty_str_format("<%s HMAC object @ %p>", name, (void *)hash_of(self));
}

static const TyNativeDef hmac_methods[] = {
    TY_METHOD("update(self, /, msg)", hash_update, "Takes in more of the message."),
    TY_METHOD("digest(self, /)", hash_digest, "The code of the message so far."),
    TY_METHOD("hexdigest(self, /)", hash_hexdigest, "The code of the message so far, as hexadecimal text."),
    TY_METHOD("copy(self, /)", hash_copy, "A second object in the same state."),
    {0},
};

static const TyGetSetDef hmac_getsets[] = {
    {"digest_size", get_digest_size, NULL, "The code's size in bytes."},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on."},
    {"name", hmac_get_name, NULL, "The algorithm's name."},
    {0},
};

static TyType hmac_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Hash), .destroy = hash_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_hashlib.HMAC",
    .doc = "A message's code of authentication (RFC 2104), made by hmac.new().",
    .parent = &ty_object_base_type,
    .slots = {.repr = hmac_repr},
    .methods = hmac_methods,
    .getsets = hmac_getsets,
};

/* --- keys from passwords --------------------------------------------------------------------------------------------------- */

static Value pbkdf2_hmac(Value module, Value *a)
{
    if (!ty_is_str(a[0]))
        return ty_raise(&ty_TypeError, "pbkdf2_hmac() argument 'hash_name' must be str, not %T", a[0]);
    int64_t iterations, size = 0;
    TyBuffer password, salt;
    EVP_MD *to_free = NULL;
    if (!ty_buffer_get(a[1], &password, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value result = TY_NULL;
    if (ty_buffer_get(a[2], &salt, TY_BUFFER_SIMPLE)) {
        const char *name = to_name(a[0]);
        const EVP_MD *method = name ? method_by_name(name, &to_free) : NULL;
        if (method && a[4] != TY_NULL && a[4] != TY_NONE && !ty_to_int64(a[4], &size))
            method = NULL;
        else if (method && (a[4] == TY_NULL || a[4] == TY_NONE))
            size = library()->EVP_MD_get_size(method);
        if (!method || !ty_to_int64(a[3], &iterations)) {
        } else if (password.length > INT32_MAX) {
            ty_raise(&ty_OverflowError, "password is too long.");
        } else if (salt.length > INT32_MAX) {
            ty_raise(&ty_OverflowError, "salt is too long.");
        } else if (iterations < 1) {
            ty_raise(&ty_ValueError, "iteration value must be greater than 0.");
        } else if (iterations > INT32_MAX) {
            ty_raise(&ty_OverflowError, "iteration value is too great.");
        } else if (size < 1) {
            ty_raise(&ty_ValueError, "key length must be greater than 0.");
        } else if (size > INT32_MAX) {
            ty_raise(&ty_OverflowError, "key length is too great.");
        } else if ((result = ty_bytes_new(NULL, (size_t)size)) != TY_NULL) {
            ty_blocking_begin();
            int done = library()->PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.length, salt.data, (int)salt.length,
                                                    (int)iterations, method, (int)size, ty_as_bytes(result)->data);
            ty_blocking_end();
            if (!done)
                result = hash_fail();
        }
        if (to_free)
            library()->EVP_MD_free(to_free);
        ty_buffer_release(&salt);
    }
    ty_buffer_release(&password);
    return result;
}

static Value scrypt_key(const TyBuffer *password, const TyBuffer *salt, uint64_t n, uint64_t r, uint64_t p, int64_t max_memory, int64_t size)
{
    const TyOpenssl *ssl = ty_openssl();
    if (!ssl)
        return TY_NULL;
    if (n < 2 || n & (n - 1))
        return ty_raise(&ty_ValueError, "n must be a power of 2.");
    if (max_memory < 0 || max_memory > INT32_MAX)
        return ty_raise(&ty_ValueError, "maxmem must be positive and smaller than %d", INT32_MAX);
    if (size < 1 || size > INT32_MAX)
        return ty_raise(&ty_ValueError, "dklen must be greater than 0 and smaller than %d", INT32_MAX);
    if (!ssl->EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, (uint64_t)max_memory, NULL, 0)) {
        ty_openssl_raise(&ty_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
        return TY_NULL;
    }
    Value result = ty_bytes_new(NULL, (size_t)size);
    if (result == TY_NULL)
        return TY_NULL;
    ty_blocking_begin();
    int done = ssl->EVP_PBE_scrypt((const char *)password->data, (size_t)password->length, salt->data, (size_t)salt->length, n, r, p,
                                   (uint64_t)max_memory, ty_as_bytes(result)->data, (size_t)size);
    ty_blocking_end();
    return done ? result : hash_fail();
}

static Value scrypt(Value module, Value *a)
{
    TyBuffer password, salt;
    uint64_t n, r, p;
    int64_t max_memory = 0, size = 64;
    if (!ty_buffer_get(a[0], &password, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value result = TY_NULL;
    if (ty_buffer_get(a[1], &salt, TY_BUFFER_SIMPLE)) {
        if (ty_to_uint64(a[2], &n) && ty_to_uint64(a[3], &r) && ty_to_uint64(a[4], &p) &&
            (a[5] == TY_NULL || ty_to_int64(a[5], &max_memory)) && (a[6] == TY_NULL || ty_to_int64(a[6], &size)))
            result = scrypt_key(&password, &salt, n, r, p, max_memory, size);
        ty_buffer_release(&salt);
    }
    ty_buffer_release(&password);
    return result;
}

/* --- comparing ------------------------------------------------------------------------------------------------------------ */

/* In a time that depends on the length of b alone. */
static bool same(const uint8_t *a, int64_t a_length, const uint8_t *b, int64_t b_length)
{
    volatile uint8_t difference = a_length != b_length;
    const volatile uint8_t *left = a_length == b_length ? a : b, *right = b;
    for (int64_t i = 0; i < b_length; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

static Value compare_digest(Value module, Value *a)
{
    if (ty_is_str(a[0]) && ty_is_str(a[1])) {
        if (!ty_str_is_ascii(a[0]) || !ty_str_is_ascii(a[1]))
            return ty_raise(&ty_TypeError, "comparing strings with non-ASCII characters is not supported");
        return ty_from_bool(same(ty_str_data(a[0]), ty_str_length(a[0]), ty_str_data(a[1]), ty_str_length(a[1])));
    }
    if (!ty_has_buffer(a[0]) && !ty_has_buffer(a[1]))
        return ty_raise(&ty_TypeError, "unsupported operand types(s) or combination of types: '%T' and '%T'", a[0], a[1]);
    TyBuffer left, right;
    if (!ty_buffer_get(a[0], &left, TY_BUFFER_SIMPLE))
        return TY_NULL;
    Value result = TY_NULL;
    if (ty_buffer_get(a[1], &right, TY_BUFFER_SIMPLE)) {
        result = ty_from_bool(same(left.data, left.length, right.data, right.length));
        ty_buffer_release(&right);
    }
    ty_buffer_release(&left);
    return result;
}

static Value get_fips_mode(Value module, Value *a)
{
    const TyOpenssl *ssl = ty_openssl();
    return ssl ? ty_from_immediate_int(ssl->EVP_default_properties_is_fips_enabled(NULL)) : TY_NULL;
}

/* --- _hashlib --------------------------------------------------------------------------------------------------------------- */

#define CONSTRUCTOR_PARAMETERS "(module, /, data=b'', *, usedforsecurity=True, string=None)"

static const TyNativeDef hashlib_functions[] = {
    TY_FUNCTION("new(module, /, name, data=b'', *, usedforsecurity=True, string=None)", hashlib_new,
                "A hash object of the algorithm of that name, with the data in it."),
#define OPENSSL_FUNCTION(name, algorithm)                                                                      \
    TY_FUNCTION("openssl_" #name CONSTRUCTOR_PARAMETERS, openssl_##name, "A hash object of the algorithm " #name "."),
    OPENSSL_CONSTRUCTORS(OPENSSL_FUNCTION)
    TY_FUNCTION("hmac_new(module, /, key, msg=b'', digestmod=None)", hmac_new, "An HMAC object."),
    TY_FUNCTION("hmac_digest(module, /, key, msg, digest)", hmac_digest, "The HMAC of a message."),
    TY_FUNCTION("pbkdf2_hmac(module, /, hash_name, password, salt, iterations, dklen=None)", pbkdf2_hmac,
                "A key from a password, by PBKDF2 with HMAC (PKCS #5)."),
    TY_FUNCTION("scrypt(module, /, password, *, salt, n, r, p, maxmem=0, dklen=64)", scrypt, "A key from a password, by scrypt (RFC 7914)."),
    TY_FUNCTION("compare_digest(module, a, b, /)", compare_digest, "a == b, in a time that doesn't tell how much of them is equal."),
    TY_FUNCTION("get_fips_mode(module, /)", get_fips_mode, "1 if OpenSSL is in its FIPS mode, else 0."),
    {0},
};

typedef struct {
    const TyOpenssl *ssl;
    char names[64][40]; /* the library knows about twenty */
    int count;
} NameList;

static void collect_name(EVP_MD *method, void *context)
{
    NameList *list = context;
    if (list->count < (int)TY_COUNT_OF(list->names) && list->ssl->EVP_MD_get_type(method))
        python_name(list->ssl, method, list->names[list->count++]);
}

static Value method_names(const TyOpenssl *ssl)
{
    NameList *list = calloc(1, sizeof *list);
    if (!list)
        return ty_raise_memory_error();
    list->ssl = ssl;
    ssl->EVP_MD_do_all_provided(NULL, collect_name, list);
    Value set = ty_set_new(TY_NULL);
    for (int i = 0; set != TY_NULL && i < list->count; i++)
        if (!ty_set_add(set, ty_intern_text(list->names[i])))
            set = TY_NULL;
    free(list);
    return set == TY_NULL ? TY_NULL : ty_frozenset_new(set);
}

static bool hashlib_execute(Value module)
{
    const TyOpenssl *ssl = ty_openssl();
    if (!ssl)
        return false;
    Value error = ty_type_from_name("_hashlib.UnsupportedDigestmodError", &ty_ValueError, TY_NULL);
    Value constructors = ty_dict_new();
    if (error == TY_NULL || constructors == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[STATE_ERROR], error);
    ty_store(ty_object(module), &ty_module_state(module)[STATE_CONSTRUCTORS], constructors);
#define ADD_CONSTRUCTOR(name, algorithm)                                                                       \
    if (!ty_dict_set(constructors, ty_dict_get_text(ty_module_dict(module), "openssl_" #name), ty_intern_text(#name))) \
        return false;
    OPENSSL_CONSTRUCTORS(ADD_CONSTRUCTOR)
    return ty_module_add(module, "UnsupportedDigestmodError", error) && ty_module_add(module, "_constructors", constructors) &&
           ty_module_add(module, "openssl_md_meth_names", method_names(ssl)) &&
           ty_module_add_int(module, "_GIL_MINSIZE", TY_HASH_BLOCKING);
}

static TyType *const hashlib_types[] = {&openssl_hash_type, &openssl_xof_type, &hmac_type, NULL};

const TyModuleDef ty_module__hashlib = {
    .name = "_hashlib",
    .doc = "The hashes of OpenSSL.",
    .functions = hashlib_functions,
    .types = hashlib_types,
    .execute = hashlib_execute,
    .state_count = STATE_COUNT,
};

/* --- _md5, _sha1, _sha2: a type and a function for each algorithm ------------------------------------------------------------ */

#define OLD_HASHES(X)                                                                                          \
    X(md5, MD5, "_md5.md5") X(sha1, SHA1, "_sha1.sha1") X(sha224, SHA224, "_sha2.SHA224Type")                  \
    X(sha256, SHA256, "_sha2.SHA256Type") X(sha384, SHA384, "_sha2.SHA384Type") X(sha512, SHA512, "_sha2.SHA512Type")

#define OLD_HASH(name_, algorithm, type_name)                                                                  \
    static TyType name_##_type = HASH_TYPE(type_name, .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,              \
                                           .parent = &ty_object_base_type, .methods = hash_methods);           \
    static Value name_##_new(Value module, Value *a)                                                           \
    {                                                                                                          \
        return construct(&name_##_type, method_of(&algorithms[algorithm]), a[0], a[2]);                        \
    }
OLD_HASHES(OLD_HASH)

#define OLD_FUNCTION(name) TY_FUNCTION(#name CONSTRUCTOR_PARAMETERS, name##_new, "A hash object of the algorithm " #name ".")

static const TyNativeDef md5_functions[] = {OLD_FUNCTION(md5), {0}};
static const TyNativeDef sha1_functions[] = {OLD_FUNCTION(sha1), {0}};
static const TyNativeDef sha2_functions[] = {OLD_FUNCTION(sha224), OLD_FUNCTION(sha256), OLD_FUNCTION(sha384), OLD_FUNCTION(sha512), {0}};

static bool add_type(Value module, const char *name, TyType *type)
{
    return ty_type_ready(type) && ty_module_add(module, name, ty_from_object(type));
}

static bool add_minimum(Value module) { return ty_module_add_int(module, "_GIL_MINSIZE", TY_HASH_BLOCKING); }

static bool md5_execute(Value module) { return add_type(module, "MD5Type", &md5_type) && add_minimum(module); }

static bool sha1_execute(Value module) { return add_type(module, "SHA1Type", &sha1_type) && add_minimum(module); }

static bool sha2_execute(Value module)
{
    return add_type(module, "SHA224Type", &sha224_type) && add_type(module, "SHA256Type", &sha256_type) &&
           add_type(module, "SHA384Type", &sha384_type) && add_type(module, "SHA512Type", &sha512_type) && add_minimum(module);
}

const TyModuleDef ty_module__md5 = {.name = "_md5", .functions = md5_functions, .execute = md5_execute};
const TyModuleDef ty_module__sha1 = {.name = "_sha1", .functions = sha1_functions, .execute = sha1_execute};
const TyModuleDef ty_module__sha2 = {.name = "_sha2", .functions = sha2_functions, .execute = sha2_execute};

/* --- _sha3: classes ------------------------------------------------------------------------------------------------------------ */

static Value get_rate(Value self) { return ty_from_immediate_int(8 * library()->EVP_MD_get_block_size(method_in(hash_of(self)))); }

static Value get_capacity(Value self)
{
    return ty_from_immediate_int(1600 - 8 * library()->EVP_MD_get_block_size(method_in(hash_of(self))));
}

static Value get_suffix(Value self) { return ty_bytes_new(is_xof(method_in(hash_of(self))) ? "\x1f" : "\x06", 1); }

static const TyGetSetDef sha3_getsets[] = {
    {"digest_size", get_digest_size, NULL, "The digest's size in bytes."},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on."},
    {"name", get_name, NULL, "The algorithm's name."},
    {"_rate_bits", get_rate, NULL, NULL},
    {"_capacity_bits", get_capacity, NULL, NULL},
    {"_suffix", get_suffix, NULL, NULL},
    {0},
};

#define SHA3_HASHES(X)                                                                                         \
    X(sha3_224, SHA3_224, hash_methods) X(sha3_256, SHA3_256, hash_methods) X(sha3_384, SHA3_384, hash_methods)                 \
    X(sha3_512, SHA3_512, hash_methods) X(shake_128, SHAKE_128, whole_xof_methods) X(shake_256, SHAKE_256, whole_xof_methods)

#define SHA3_HASH(name_, algorithm, methods_)                                                                  \
    static TySignature name_##_signature = TY_SIGNATURE(#name_ "(data=b'', *, usedforsecurity=True, string=None)");          \
    static Value name_##_new(TyType *type, const Value *arguments, size_t count, Value keywords)               \
    {                                                                                                          \
        Value a[3];                                                                                            \
        if (!ty_parse_arguments(&name_##_signature, arguments, count, keywords, a))                            \
            return TY_NULL;                                                                                    \
        return construct(type, method_of(&algorithms[algorithm]), a[0], a[2]);                                 \
    }                                                                                                          \
    static TyType name_##_type = {                                                                             \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                \
        .layout = {.size = sizeof(Hash), .destroy = hash_destroy},                                             \
        .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL,                                                            \
        .name = "_sha3." #name_,                                                                               \
        .doc = #name_ "(data=b'', *, usedforsecurity=True, string=None)\n\nA hash object of the algorithm " #name_ ".",      \
        .parent = &ty_object_base_type,                                                                        \
        .slots = {.new = name_##_new},                                                                         \
        .methods = methods_,                                                                                   \
        .getsets = sha3_getsets,                                                                               \
    };
SHA3_HASHES(SHA3_HASH)

#define SHA3_POINTER(name_, algorithm, methods_) &name_##_type,
static TyType *const sha3_types[] = {SHA3_HASHES(SHA3_POINTER) NULL};

static bool sha3_execute(Value module) { return ty_module_add_str(module, "implementation", "OpenSSL") && add_minimum(module); }

const TyModuleDef ty_module__sha3 = {.name = "_sha3", .types = sha3_types, .execute = sha3_execute};

/* --- _hmac: the same codes under another type, for what hashlib counts as built in ------------------------------------------------ */

static TyType builtin_hmac_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Hash), .destroy = hash_destroy},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW | TY_TYPE_FINAL,
    .name = "_hmac.HMAC",
    .parent = &ty_object_base_type,
    .slots = {.repr = hmac_repr},
    .methods = hmac_methods,
    .getsets = hmac_getsets,
};

#define BUILTIN_HMACS(X)                                                                                       \
    X(md5, MD5) X(sha1, SHA1) X(sha224, SHA224) X(sha256, SHA256) X(sha384, SHA384) X(sha512, SHA512) X(sha3_224, SHA3_224)     \
    X(sha3_256, SHA3_256) X(sha3_384, SHA3_384) X(sha3_512, SHA3_512) X(blake2s_32, BLAKE2S) X(blake2b_32, BLAKE2B)

static Value hmac_of(Value key, Value message, Algorithm *algorithm)
{
    TyBuffer view;
    if (!ty_hash_view(key, &view))
        return TY_NULL;
    Value hmac = hmac_with(&builtin_hmac_type, method_of(algorithm), &view, message);
    ty_buffer_release(&view);
    return hmac;
}

static Value hmac_digest_of(Value key, Value message, Algorithm *algorithm)
{
    Value hmac = hmac_of(key, message, algorithm);
    return hmac == TY_NULL ? TY_NULL : hash_digest(hmac, NULL);
}

#define COMPUTE(name, algorithm)                                                                               \
    static Value compute_##name(Value module, Value *a) { return hmac_digest_of(a[0], a[1], &algorithms[algorithm]); }
BUILTIN_HMACS(COMPUTE)

/* An algorithm by its name in any case, as sha256 or sha2_256; NULL with UnknownHashError. */
static Algorithm *builtin_algorithm(Value module, Value digestmod)
{
    static const struct { const char *name; int algorithm; } others[] = {
        {"sha2_224", SHA224}, {"sha2_256", SHA256}, {"sha2_384", SHA384}, {"sha2_512", SHA512}, {"blake2s_32", BLAKE2S}, {"blake2b_32", BLAKE2B},
    };
    size_t size;
    Value holder;
    const char *name = ty_is_str(digestmod) ? ty_str_utf8(digestmod, &size, &holder) : NULL;
    ty_clear_exception();
    for (size_t i = 0; name && i < TY_COUNT_OF(others); i++)
        if (!strcasecmp(name, others[i].name))
            return &algorithms[others[i].algorithm];
    for (int i = 0; name && i < ALGORITHMS; i++)
        if (!strcasecmp(name, algorithms[i].name) && i != SHAKE_128 && i != SHAKE_256 && i != SHA512_224 && i != SHA512_256)
            return &algorithms[i];
    ty_raise(ty_as_type(ty_module_state(module)[0]), "unsupported hash type: %R", digestmod);
    return NULL;
}

static Value builtin_hmac_new(Value module, Value *a)
{
    if (a[2] == TY_NULL || a[2] == TY_NONE)
        return ty_raise(&ty_TypeError, "new() missing 1 required argument 'digestmod'");
    Algorithm *algorithm = builtin_algorithm(module, a[2]);
    return algorithm ? hmac_of(a[0], a[1], algorithm) : TY_NULL;
}

static Value builtin_hmac_digest(Value module, Value *a)
{
    Algorithm *algorithm = builtin_algorithm(module, a[2]);
    return algorithm ? hmac_digest_of(a[0], a[1], algorithm) : TY_NULL;
}

static const TyNativeDef builtin_hmac_functions[] = {
    TY_FUNCTION("new(module, /, key, msg=None, digestmod=None)", builtin_hmac_new, "An HMAC object."),
    TY_FUNCTION("compute_digest(module, /, key, msg, digest)", builtin_hmac_digest, "The HMAC of a message."),
#define COMPUTE_FUNCTION(name, algorithm) TY_FUNCTION("compute_" #name "(module, key, msg, /)", compute_##name, "The HMAC of a message, by " #name "."),
    BUILTIN_HMACS(COMPUTE_FUNCTION)
    {0},
};

static bool builtin_hmac_execute(Value module)
{
    Value error = ty_type_from_name("_hmac.UnknownHashError", &ty_ValueError, TY_NULL);
    if (error == TY_NULL)
        return false;
    ty_store(ty_object(module), &ty_module_state(module)[0], error);
    return ty_module_add(module, "UnknownHashError", error) && add_minimum(module);
}

static TyType *const builtin_hmac_types[] = {&builtin_hmac_type, NULL};

const TyModuleDef ty_module__hmac = {
    .name = "_hmac",
    .doc = "Codes of authentication of messages.",
    .functions = builtin_hmac_functions,
    .types = builtin_hmac_types,
    .execute = builtin_hmac_execute,
    .state_count = 1,
};
