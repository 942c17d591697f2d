#include "runtime/frozen.h"
#include "modules/marshal.h"
#include "object/code.h"
#include "object/exception.h"
#include "object/tuple.h"
#include "runtime/config.h"
#include <pthread.h>

enum { MOST = 64 };

__attribute__((weak)) const TyFrozen ty_frozen_modules[] = { {0} };
__attribute__((weak)) const uint8_t ty_frozen_data[] = { 0 };

static Value codes[MOST];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic uint32_t next_number = 1;

static void add_roots(void) { ty_root_add(codes, MOST); }

const TyFrozen *ty_frozen_find(const char *name)
{
    for (const TyFrozen *f = ty_frozen_modules; f->name; f++)
        if (!strcmp(f->name, name))
            return f->essential || ty_config.frozen_modules ? f : NULL;
    return NULL;
}

/* Each of its code objects gets a number, under which an interpreter keeps its caches for it. */
void ty_code_share(TyCode *code)
{
    code->shared_number = atomic_fetch_add_explicit(&next_number, 1, memory_order_relaxed);
    for (int64_t i = 0; i < ty_tuple_length(code->consts); i++) {
        Value v = ty_tuple_item(code->consts, i);
        if (ty_is_exact(v, &ty_code_type))
            ty_code_share((TyCode *)ty_object(v));
    }
}

Value ty_frozen_code(const TyFrozen *frozen)
{
    size_t index = (size_t)(frozen - ty_frozen_modules);
    if (index >= MOST)
        return ty_marshal_load_own(ty_frozen_data + frozen->offset, frozen->size);
    pthread_once(&once, add_roots);
    Value *place = &codes[index], code = ty_field_acquire(place), none = TY_NULL;
    if (code != TY_NULL)
        return code;
    code = ty_marshal_load_own(ty_frozen_data + frozen->offset, frozen->size);
    if (code == TY_NULL)
        return TY_NULL;
    ty_code_share((TyCode *)ty_object(code));
    return __atomic_compare_exchange_n(place, &none, code, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? code : none;
}
