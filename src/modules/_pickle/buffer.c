/* PickleBuffer: a buffer that a pickle may leave outside itself (PEP 574). */
#include "modules/_pickle/pickle.h"
#include <stdlib.h>

typedef struct PickleBuffer {
    TyObject base;
    TyBuffer view; /* exporter TY_NULL: released */
} PickleBuffer;

#define SELF(v) ((PickleBuffer *)ty_object(v))

static void trace(TyObject *self, TyMarker *marker) { ty_mark(marker, ((PickleBuffer *)self)->view.exporter); }

static TySignature new_signature = TY_SIGNATURE("PickleBuffer(object)");

static Value new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    Value object;
    if (!ty_parse_arguments(&new_signature, arguments, count, keywords, &object))
        return TY_NULL;
    Value v = ty_type_allocate(type, 0);
    return v != TY_NULL && ty_buffer_get(object, &SELF(v)->view, TY_BUFFER_FULL_RO) ? v : TY_NULL;
}

bool ty_pickle_buffer_view(Value v, const TyBuffer **view)
{
    *view = &SELF(v)->view;
    if ((*view)->exporter != TY_NULL)
        return true;
    ty_raise(&ty_ValueError, "operation forbidden on released PickleBuffer object");
    return false;
}

static Value release(Value v, Value *a)
{
    if (SELF(v)->view.exporter != TY_NULL)
        ty_buffer_release(&SELF(v)->view);
    return TY_NONE;
}

static bool get_buffer(Value v, TyBuffer *view, int flags)
{
    const TyBuffer *own;
    return ty_pickle_buffer_view(v, &own) && ty_buffer_get(own->exporter, view, flags);
}

/* All of the memory as one row of bytes. */
static Value raw(Value v, Value *a)
{
    const TyBuffer *view;
    if (!ty_pickle_buffer_view(v, &view))
        return TY_NULL;
    if (view->suboffsets || !(ty_buffer_is_contiguous(view, 'C') || ty_buffer_is_contiguous(view, 'F')))
        return ty_raise(&ty_BufferError, "cannot extract raw buffer from non-contiguous buffer");
    if (ty_buffer_is_contiguous(view, 'C')) {
        Value plain = ty_memoryview_new(view->exporter);
        return plain == TY_NULL ? TY_NULL : ty_call_method_one(plain, TY_NAME("cast"), TY_NAME("B"));
    }
    /* memoryview casts rows alone. What keeps the memory is a PickleBuffer that nobody else can release. */
    Value keeper = ty_call_one(ty_from_object(&ty_pickle_buffer_type), view->exporter);
    return keeper == TY_NULL ? TY_NULL : ty_memoryview_from_memory(view->data, view->length, view->read_only, keeper);
}

static const TyNativeDef methods[] = {
    TY_METHOD("raw(self, /)", raw, "A memoryview of the memory as one row of bytes. BufferError if it is not contiguous."),
    TY_METHOD("release(self, /)", release, "Lets go of the underlying buffer."),
    {0},
};

TyType ty_pickle_buffer_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(PickleBuffer), .trace = trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_WEAKREFABLE | TY_TYPE_FINAL,
    .name = "pickle.PickleBuffer",
    .doc = "Wrapper for potentially out-of-band buffers",
    .parent = &ty_object_base_type,
    .slots = {.new = new, .get_buffer = get_buffer},
    .methods = methods,
};
