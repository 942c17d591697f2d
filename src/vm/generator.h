/* Generators, coroutines and asynchronous generators: a frame that can be left and entered again, kept in the object itself. */
#ifndef TY_VM_GENERATOR_H
#define TY_VM_GENERATOR_H

#include "vm/frame.h"

typedef enum TyGeneratorState { TY_GENERATOR_CREATED, TY_GENERATOR_SUSPENDED, TY_GENERATOR_RUNNING, TY_GENERATOR_FINISHED } TyGeneratorState;

struct TyGenerator { /* one layout for all three kinds */
    TyObject base;
    _Atomic uint32_t state;
    bool hooks_called;          /* asynchronous generators: the first-iteration hook */
    bool closed, async_running; /* asynchronous generators */
    Value name, qualname;
    Value own_handled;          /* the exception that an `except` inside it handles, or TY_NULL */
    Value caller_handled;       /* what was handled where it was resumed */
    Value origin;               /* cr_origin or TY_NULL */
    Value finalizer;            /* of an asynchronous generator */
    Value frame_object_kept;
    TyFrame frame;              /* its registers follow */
};

extern TyType ty_generator_type, ty_coroutine_type, ty_async_generator_type, ty_coroutine_wrapper_type, ty_async_wrapped_value_type, ty_async_send_type, ty_async_throw_type; /* wrapper, send and throw: what they are of follows the header */

TY_INLINE bool ty_is_generator_kind(Value v)
{
    if (!ty_is_object(v) || v == TY_NULL)
        return false;
    TyType *t = ty_object_type(ty_object(v));
    return t == &ty_generator_type || t == &ty_coroutine_type;
}

/* Makes the generator that MAKE_GENERATOR returns: the frame's content moves into it. */
Value ty_generator_new(TyFrame *frame);
/* Claims a suspended generator for running and links its frame as the thread's innermost; false with the error raised (already running), or without an
 * exception when it has finished (*finished). */
bool ty_generator_enter(TyGenerator *generator, TyFrameKind kind, bool *finished);
/* Unlinks it. */
void ty_generator_leave(TyGenerator *generator, TyGeneratorState state);
/* Sends a value. TY_NULL with *returned false: an exception; the value yielded or, with *returned true, the result. */
Value ty_generator_send(Value generator, Value value, bool *returned);
Value ty_generator_throw(Value generator, Value exception, bool *returned);
/* The same for any iterator that `yield from` or `await` may delegate to. */
Value ty_iterator_send(Value iterator, Value value, bool *returned);
Value ty_async_wrap(Value v);   /* what an asynchronous generator's `yield` gives its driver */
bool ty_warn_unawaited_coroutine(Value coroutine);
bool ty_generator_finalize(TyObject *self);

#endif
