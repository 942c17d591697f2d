/* bytes and bytearray. The data of a bytes object is 8-byte aligned and followed by a NUL byte. */
#ifndef TY_OBJECT_BYTES_H
#define TY_OBJECT_BYTES_H

#include "object/object.h"

typedef struct TyBytes {
    TyObject base;
    _Atomic int64_t hash;  /* 0: not computed */
    int64_t length;
    uint8_t data[];
} TyBytes;

typedef struct TyByteArray { /* writers hold its lock; `store` is replaced when it grows, an export count above 0 forbids resizing */
    TyObject base;
    TyBytes *_Atomic store;
    _Atomic int64_t length;
    int64_t start;             /* of the data in the store: deletions at the front are cheap */
    _Atomic int64_t exports;
} TyByteArray;

extern TyType ty_bytes_type, ty_bytearray_type;
extern int ty_bytes_warnings; /* -b: BytesWarning where bytes are taken for text; set before the first interpreter */

TY_INLINE bool ty_is_bytes(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_BYTES); }
TY_INLINE TyBytes *ty_as_bytes(Value v) { return (TyBytes *)ty_object(v); }
TY_INLINE int64_t ty_bytes_length(Value v) { return ty_as_bytes(v)->length; }
TY_INLINE const uint8_t *ty_bytes_data(Value v) { return ty_as_bytes(v)->data; }

Value ty_bytes_new(const void *data, size_t size);      /* data NULL: zeroed, to be filled before anyone sees it */
Value ty_bytes_shrink(Value fresh, size_t size);        /* of one that nobody else has seen */
Value ty_bytes_from_object(Value v);                    /* bytes(v): buffers, iterables of ints */
Value ty_bytes_concat(Value a, Value b);
Value ty_bytes_repr(Value v);
Value ty_bytearray_new(const void *data, size_t size);
uint8_t *ty_bytearray_data(TyByteArray *array);

#endif
