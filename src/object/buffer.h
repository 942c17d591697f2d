/* The buffer protocol (PEP 3118, PEP 688): a view of an exporter's memory, and memoryview. */
#ifndef TY_OBJECT_BUFFER_H
#define TY_OBJECT_BUFFER_H

#include "object/object.h"

#define TY_BUFFER_SIMPLE 0
#define TY_BUFFER_WRITABLE 0x1
#define TY_BUFFER_FORMAT 0x4
#define TY_BUFFER_ND 0x8
#define TY_BUFFER_STRIDES (0x10 | TY_BUFFER_ND)
#define TY_BUFFER_C_CONTIGUOUS (0x20 | TY_BUFFER_STRIDES)
#define TY_BUFFER_F_CONTIGUOUS (0x40 | TY_BUFFER_STRIDES)
#define TY_BUFFER_ANY_CONTIGUOUS (0x80 | TY_BUFFER_STRIDES)
#define TY_BUFFER_INDIRECT (0x100 | TY_BUFFER_STRIDES)
#define TY_BUFFER_FULL (TY_BUFFER_INDIRECT | TY_BUFFER_WRITABLE | TY_BUFFER_FORMAT)
#define TY_BUFFER_FULL_RO (TY_BUFFER_INDIRECT | TY_BUFFER_FORMAT)

struct TyBuffer {
    uint8_t *data;
    int64_t length;          /* bytes */
    int64_t item_size;
    const char *format;      /* NULL: "B" */
    int dimensions;
    int64_t *shape, *strides, *suboffsets; /* may point into `inline_shape` or the exporter */
    int64_t inline_shape[2];
    bool read_only;
    Value exporter;          /* TY_NULL: released */
    void *internal;          /* the exporter's own */
};

extern TyType ty_memoryview_type;

/* memmove of bytes that another thread may read or write meanwhile through a view of the same memory. What arrives then are bytes of before and after,
 * aligned items of up to eight bytes whole. Memory that is exported is read and written so by whatever runs without its owner's lock. */
void ty_buffer_move_shared(void *to, const void *from, size_t size);
TY_INLINE void ty_buffer_move(void *to, const void *from, size_t size)
{
    if (TY_LIKELY(!ty_load_relaxed(&ty_many_threads)))
        memmove(to, from, size);
    else
        ty_buffer_move_shared(to, from, size);
}

bool ty_buffer_get(Value v, TyBuffer *view, int flags);  /* TypeError "a bytes-like object is required, not 'x'" */
void ty_buffer_release(TyBuffer *view);
bool ty_has_buffer(Value v);
/* Fills a simple one-dimensional view of bytes: what most exporters' get_buffer does. */
bool ty_buffer_fill(TyBuffer *view, Value exporter, void *data, int64_t length, bool read_only, int flags);
bool ty_buffer_is_contiguous(const TyBuffer *view, char order);
bool ty_buffer_copy_out(const TyBuffer *view, void *target, char order); /* in C order whatever the strides */
Value ty_memoryview_new(Value exporter);
/* A view got and given back by these slots of a type, whatever the exporter's own type makes of them: what base.__buffer__(exporter, flags) is. */
Value ty_memoryview_from_slot(Value exporter, bool (*get)(Value, TyBuffer *, int), void (*give_back)(Value, TyBuffer *), int flags);
Value ty_buffer_owner(Value exporter);                    /* whose memory it is, as memoryview.obj says */
bool ty_buffer_copy_in(const TyBuffer *view, const void *source); /* from C order to whatever the strides are */
/* One item of a native single-character format ("@" before it allowed) as a Python value, and back. False/TY_NULL with NotImplementedError for others. */
Value ty_buffer_unpack(const char *format, const uint8_t *item);
bool ty_buffer_pack(const char *format, uint8_t *item, Value value);
Value ty_memoryview_from_memory(void *data, int64_t length, bool read_only, Value owner);

/* Where the C stack begins to matter to a collection if all that happens is that the interpreter deletes items of `container`: what deletes them needs
 * only what the instruction names. NULL: something else happens. Defined in vm/frame.c. */
char *ty_deletion_boundary(Value container);

#endif
