/* Handles: objects that stand for something that all interpreters share. Types register how; memoryviews are known here. */
#include "crossing/internal.h"
#include "crossing/state.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/int.h"

typedef struct Handler {
    TyCrossingPack pack;
    TyCrossingUnpack unpack;
} Handler;

/* --- registered types -------------------------------------------------------------------------------------------------- */

#define STATIC_MAX 64
static struct { TyType *_Atomic type; Handler handler; } static_handlers[STATIC_MAX];
static _Atomic int static_count;
static TyMutex static_lock;

static bool register_static(TyType *type, Handler handler)
{
    bool found = false;
    ty_mutex_lock_blocking(&static_lock);
    int count = ty_load_relaxed(&static_count);
    for (int i = 0; i < count && !found; i++)
        found = ty_load_relaxed(&static_handlers[i].type) == type;
    bool room = found || count < STATIC_MAX;
    if (!found && room) {
        static_handlers[count].handler = handler;
        ty_store_relaxed(&static_handlers[count].type, type);
        ty_store_release(&static_count, count + 1);
    }
    ty_mutex_unlock(&static_lock);
    if (!room)
        ty_raise_memory_error();
    return room;
}

/* A class's handler is kept with the interpreter, beside the class itself, under its address. */
bool ty_crossing_register(TyType *type, TyCrossingPack pack, TyCrossingUnpack unpack)
{
    Handler handler = { pack, unpack };
    if (!(type->flags & TY_TYPE_HEAP))
        return register_static(type, handler);
    TyCrossingState *state = ty_crossing_state(true);
    Value bytes = state ? ty_bytes_new(&handler, sizeof handler) : TY_NULL;
    Value entry = bytes == TY_NULL ? TY_NULL : ty_tuple_pack(2, ty_from_object(type), bytes);
    return entry != TY_NULL && ty_dict_set(state->handlers, ty_int_from_int64((int64_t)(uintptr_t)type), entry);
}

static bool find_handler(TyType *type, Handler *handler)
{
    if (!(type->flags & TY_TYPE_HEAP)) {
        int count = ty_load_acquire(&static_count);
        for (int i = 0; i < count; i++)
            if (ty_load_relaxed(&static_handlers[i].type) == type) {
                *handler = static_handlers[i].handler;
                return true;
            }
        return false;
    }
    TyCrossingState *state = ty_crossing_state(false);
    if (!state || ty_dict_length(state->handlers) == 0)
        return false;
    Value entry = ty_dict_get(state->handlers, ty_from_immediate_int((int64_t)(uintptr_t)type));
    if (entry == TY_NULL)
        return false;
    memcpy(handler, ty_bytes_data(ty_tuple_item(entry, 1)), sizeof *handler);
    return true;
}

bool ty_crossing_has_handle(TyType *type)
{
    Handler handler;
    return find_handler(type, &handler);
}

Value ty_crossing_handle(Value v, bool *handled)
{
    Handler handler;
    *handled = find_handler(ty_type_of(v), &handler);
    if (!*handled)
        return TY_NULL;
    Value packed = handler.pack(v);
    if (packed == TY_NULL)
        return TY_NULL;
    Value how = ty_bytes_new(&handler, sizeof handler);
    return how == TY_NULL ? TY_NULL : ty_node_new(TY_NODE_HANDLE, how, packed, TY_NULL, TY_NULL);
}

Value ty_crossing_open_handle(Value how, Value packed)
{
    Handler handler;
    memcpy(&handler, ty_bytes_data(how), sizeof handler);
    return handler.unpack(packed);
}

/* --- shared memory ---------------------------------------------------------------------------------------------------------- */

/* What the receiver's memoryview has for its exporter: it hands on the buffer, and hides the sender's object. */
typedef struct Shared {
    TyObject base;
    Value view; /* a memoryview of the sender's */
} Shared;

static void shared_trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((Shared *)self)->view); }

static bool shared_get_buffer(Value self, TyBuffer *buffer, int flags)
{
    if (!ty_buffer_get(((Shared *)ty_object(self))->view, buffer, flags))
        return false;
    buffer->exporter = self;
    return true;
}

static void shared_release_buffer(Value self, TyBuffer *buffer)
{
    Value view = ((Shared *)ty_object(self))->view;
    ty_type_of(view)->slots.release_buffer(view, buffer);
}

TyType ty_shared_buffer_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "_interpreters.CrossInterpreterBufferView", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW | TY_TYPE_IMMUTABLE,
    .doc = "Memory of an object of another interpreter.", .layout = { .size = sizeof(Shared), .trace = shared_trace },
    .slots = { .get_buffer = shared_get_buffer, .release_buffer = shared_release_buffer },
};

Value ty_crossing_memoryview(Value view)
{
    Value own = ty_memoryview_new(view);
    Shared *shared = own == TY_NULL ? NULL : ty_allocate(&ty_shared_buffer_type, sizeof *shared);
    if (!shared)
        return TY_NULL;
    ty_store(shared, &shared->view, own);
    return ty_memoryview_new(ty_from_object(shared));
}
