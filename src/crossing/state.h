/* What crossing keeps for one interpreter: TyInterpreter's `crossing`. */
#ifndef TY_CROSSING_STATE_H
#define TY_CROSSING_STATE_H

#include "base/futex.h"
#include "object/interpreter.h"

typedef struct TyCrossingState {
    TyObject base;
    int64_t id;          /* the interpreter's, never used again */
    Value handlers;      /* dict: address of a class → (class, how its instances cross) */
    Value installed;     /* dict: address of a namespace → dict: name → (what was put there, for which variable of the sender) */
    Value namespaces;    /* dict: address of a namespace that is no module's → (it, its package) */
    TyMutex lock;        /* held while definitions are received */
    TyThread *_Atomic owner;
    int nesting;
} TyCrossingState;

TyCrossingState *ty_crossing_state(bool make); /* NULL: not made, or an exception */
/* Whether the interpreter of that id may still use what it was given: once its state is gone, it is not. */
bool ty_crossing_alive(int64_t id);

#endif
