/* OpenSSL's libcrypto, loaded when something first needs it: linking it would cost every start of the interpreter more than all the
 * rest of dynamic linking. The functions that are used are members of a table; their types are those of OpenSSL's headers. */
#ifndef TY_MODULES_OPENSSL_H
#define TY_MODULES_OPENSSL_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "object/object.h"

#define TY_OPENSSL_FUNCTIONS(X) \
    X(EVP_MD_fetch) X(EVP_MD_free) X(EVP_MD_get_size) X(EVP_MD_get_block_size) X(EVP_MD_get_flags) X(EVP_MD_get_type) \
    X(EVP_MD_get0_name) X(EVP_MD_do_all_provided) X(EVP_MD_CTX_new) X(EVP_MD_CTX_free) X(EVP_MD_CTX_copy_ex) X(EVP_MD_CTX_get0_md) \
    X(EVP_DigestInit_ex) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) X(EVP_DigestFinalXOF) X(OBJ_nid2ln) \
    X(PKCS5_PBKDF2_HMAC) X(EVP_PBE_scrypt) X(EVP_default_properties_is_fips_enabled) \
    X(ERR_peek_last_error) X(ERR_clear_error) X(ERR_lib_error_string) X(ERR_reason_error_string)

typedef struct TyOpenssl {
#define TY_OPENSSL_MEMBER(name) __typeof__(&name) name;
    TY_OPENSSL_FUNCTIONS(TY_OPENSSL_MEMBER)
#undef TY_OPENSSL_MEMBER
} TyOpenssl;

/* NULL with ImportError if the library can't be loaded. */
const TyOpenssl *ty_openssl(void);
/* Raises the library's last error, "[lib] reason"; `otherwise` is the text if there is none. */
Value ty_openssl_raise(TyType *type, const char *otherwise);

#endif
