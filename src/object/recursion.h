/* Guards against endless recursion through objects that contain themselves: what repr() of containers needs.
 *
 * Each object whose text is being made has a guard on the C stack, chained to the thread's outer ones. */
#ifndef TY_OBJECT_RECURSION_H
#define TY_OBJECT_RECURSION_H

#include "object/object.h"

typedef struct TyReprGuard {
    Value object;
    struct TyReprGuard *outer;
} TyReprGuard;

extern _Thread_local TyReprGuard *ty_repr_guards;

/* False if the object's text is being made already in this thread: the caller then prints "..." in its place and does not leave. */
TY_INLINE bool ty_repr_enter(TyReprGuard *guard, Value object)
{
    for (TyReprGuard *g = ty_repr_guards; g; g = g->outer)
        if (g->object == object)
            return false;
    guard->object = object;
    guard->outer = ty_repr_guards;
    ty_repr_guards = guard;
    return true;
}

TY_INLINE void ty_repr_leave(TyReprGuard *guard) { ty_repr_guards = guard->outer; }

#endif
