/* tuple: immutable once published. */
#ifndef TY_OBJECT_TUPLE_H
#define TY_OBJECT_TUPLE_H

#include "object/object.h"

typedef struct TyTuple {
    TyObject base;
    int64_t length;
    _Atomic int64_t hash;  /* 0: not computed */
    Value items[];
} TyTuple;

extern TyType ty_tuple_type;

TY_INLINE bool ty_is_tuple(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_TUPLE); }
TY_INLINE bool ty_is_exact_tuple(Value v) { return ty_is_exact(v, &ty_tuple_type); }
TY_INLINE TyTuple *ty_as_tuple(Value v) { return (TyTuple *)ty_object(v); }
TY_INLINE int64_t ty_tuple_length(Value v) { return ty_as_tuple(v)->length; }
TY_INLINE Value ty_tuple_item(Value v, int64_t i) { return ty_as_tuple(v)->items[i]; }

Value ty_tuple_new(int64_t length);                        /* items TY_NULL: to be filled (ty_tuple_set) before anyone sees it */
TY_INLINE void ty_tuple_set(Value v, int64_t i, Value item) { ty_store(ty_object(v), &ty_as_tuple(v)->items[i], item); }
Value ty_tuple_from_array(const Value *items, size_t count);
Value ty_tuple_pack(size_t count, ...);                    /* Values; any TY_NULL among them: TY_NULL (an error passed on) */
Value ty_tuple_slice(Value v, int64_t start, int64_t end);
Value ty_tuple_empty(void);

/* Named tuples of C modules (os.stat_result, time.struct_time, sys.flags): object/struct_sequence.c. */
typedef struct TyStructField { const char *name, *doc; } TyStructField; /* name NULL: unnamed field; ended by {0} */
typedef struct TyStructDef { const char *name, *doc; const TyStructField *fields; int visible; } TyStructDef; /* name with module; visible: length as a sequence */
TyType *ty_struct_sequence_type(TyType *storage, const TyStructDef *def); /* readies a static type in `storage` */
Value ty_struct_sequence_new(TyType *type, const Value *all_fields);

#endif
