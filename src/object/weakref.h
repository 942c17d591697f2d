/* Weak references and weak proxies. The heap keeps which object they refer to, and clears them when it dies (heap/heap.h). */
#ifndef TY_OBJECT_WEAKREF_H
#define TY_OBJECT_WEAKREF_H

#include "object/object.h"

typedef struct TyWeakReference { /* references and proxies */
    TyObject base;
    TyWeakLink link;
    Value callback;          /* TY_NULL: none, or already called */
    _Atomic int64_t hash;    /* of the referent; -1: not asked for yet */
} TyWeakReference;

extern TyType ty_weak_reference_type, ty_weak_proxy_type, ty_weak_callable_proxy_type;

TY_INLINE bool ty_is_weak_reference(Value v) { return ty_is_instance_of(v, &ty_weak_reference_type); }
Value ty_weak_reference_new(Value referent, Value callback /* or TY_NULL */); /* an existing one serves again if there is no callback */
Value ty_weak_proxy_new(Value referent, Value callback);
Value ty_weak_target(Value reference); /* TY_NULL when dead; no exception */
int64_t ty_weak_count(Value referent);
Value ty_weak_list(Value referent);    /* list of the references and proxies, oldest first */

#endif
