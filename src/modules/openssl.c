/* Loading libcrypto. */
#include "modules/openssl.h"

#include <dlfcn.h>
#include <pthread.h>

#include "object/exception.h"

static TyOpenssl functions;
static const TyOpenssl *_Atomic loaded; /* &functions, once they are all there */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* What is wrong, or NULL. The library stays loaded for the life of the process. */
static const char *load(void)
{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return "libcrypto.so.3 cannot be loaded";
#define LOAD(name)                                                                                            \
    functions.name = (__typeof__(functions.name))dlsym(library, #name);                                       \
    if (!functions.name)                                                                                      \
        return "libcrypto.so.3 has no function " #name;
    TY_OPENSSL_FUNCTIONS(LOAD)
#undef LOAD
    ty_store_release(&loaded, &functions);
    return NULL;
}

const TyOpenssl *ty_openssl(void)
{
    const TyOpenssl *table = ty_load_acquire(&loaded);
    if (TY_LIKELY(table != NULL))
        return table;
    const char *error = NULL;
    ty_blocking_begin();
    pthread_mutex_lock(&mutex);
    if (!ty_load_acquire(&loaded))
        error = load();
    pthread_mutex_unlock(&mutex);
    ty_blocking_end();
    if (error)
        ty_raise(&ty_ImportError, "%s", error);
    return error ? NULL : &functions;
}

Value ty_openssl_raise(TyType *type, const char *otherwise)
{
    const TyOpenssl *ssl = &functions;
    unsigned long code = ssl->ERR_peek_last_error();
    const char *library = code ? ssl->ERR_lib_error_string(code) : NULL;
    const char *reason = code ? ssl->ERR_reason_error_string(code) : NULL;
    ssl->ERR_clear_error();
    if (library && reason)
        return ty_raise(type, "[%s] %s", library, reason);
    return ty_raise(type, "%s", reason ? reason : otherwise);
}
