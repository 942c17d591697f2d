/* Crossing: what moves between interpreters, and how. One heap serves them all, so a value that nobody can change crosses by reference;
 * everything else is packed by the sender into a parcel and unpacked in the receiver. Nothing that crosses leaves two interpreters able to
 * change the same plain object.
 *
 *  - None, bool, int, float, complex, str, bytes, range, slices, tuples and frozensets of such, code: by reference. Packing gives the value itself.
 *  - list, dict, set, bytearray, dataclasses and plain instances of importable classes: copied; shared parts and cycles are kept.
 *  - memoryview, queues, channels, interpreters: by handle to the same memory.
 *  - functions and classes that can be imported: by module and name. Others by value: code by reference, with defaults, closure cells and the
 *    globals that they use, found transitively; a receiver remembers what it was sent.
 *  - what defines pickling: as pickle would. The rest: NotShareableError, naming the path to the part that can't go.
 *
 * A parcel is an ordinary heap object: whoever holds it keeps its contents alive, in whatever interpreter. It is unpacked once at most: the
 * receiver may be given the packed copy itself. A parcel that is dropped costs nothing more. */
#ifndef TY_CROSSING_CROSSING_H
#define TY_CROSSING_CROSSING_H

#include "object/interpreter.h"
#include "object/object.h"

/* Whether the value crosses by reference (or by handle): what _interpreters.is_shareable() answers. Never raises. */
bool ty_crossing_shareable(Value v);

/* In the sender. `root` names the value in the error's path ("args[0]"), or is NULL. TY_NULL: NotShareableError (or what pickling raised). */
Value ty_crossing_pack(Value v, const char *root);
/* A call at once, so that what its parts share stays shared. Lives on the C stack, of the thread that goes from the sender to the receiver. */
typedef struct TyCrossingCall {
    uint8_t way;
    Value function, arguments, keywords; /* in the receiver, once it has it: a tuple, and a dict that is only read, or TY_NULL */
    Value name;
} TyCrossingCall;
/* In the sender: `arguments` a tuple or TY_NULL, `keywords` a dict or TY_NULL. False: NotShareableError, or what pickling raised. */
bool ty_crossing_send_call(TyCrossingCall *call, Value function, Value arguments, Value keywords);
bool ty_crossing_receive_call(TyCrossingCall *call); /* false with an exception */
/* In the receiver (the calling thread's interpreter). A value that crossed by reference is its own parcel. TY_NULL with an exception. */
Value ty_crossing_unpack(Value parcel);

/* Instances of exactly this type (static, or a class of the calling interpreter) cross by handle: `pack` gives, in the sender, a value that all may share,
 * and `unpack` makes the handle of it in a receiver (or in several: what a remembered function holds is unpacked by each). Both raise what they like. False with an exception: no memory. Registering
 * again replaces. A class is registered with each interpreter that has it. */
typedef Value (*TyCrossingPack)(Value v);
typedef Value (*TyCrossingUnpack)(Value packed);
bool ty_crossing_register(TyType *type, TyCrossingPack pack, TyCrossingUnpack unpack);

extern TyType ty_shared_buffer_type; /* _interpreters.CrossInterpreterBufferView: what a memoryview that crossed has for its object */

/* concurrent.interpreters.NotShareableError, a TypeError: static, so the same for every interpreter. */
extern TyType ty_NotShareableError;

#endif
