/* _ctypes: what its files share.
 *
 * A class of C data has an Info: a heap object that the class keeps (TyType's module_state), made by its metatype when the class is made. An instance is a Data: it
 * has its bytes in a heap object of its own, in another Data that it is part of, or somewhere that only the program knows. Values that C data refers to
 * (what a pointer points to) are kept in the `objects` of the outermost Data, by a key that names the place. */
#ifndef TY_EXTENSIONS_CTYPES_INTERNAL_H
#define TY_EXTENSIONS_CTYPES_INTERNAL_H

#include <ffi.h>
#include <stdio.h>
#include <stdlib.h>

#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/interpreter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/slice.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "runtime/runtime.h"

typedef enum Kind { KIND_SIMPLE, KIND_STRUCTURE, KIND_UNION, KIND_ARRAY, KIND_POINTER, KIND_FUNCTION } Kind;

/* One character of _type_: how a simple value is read and written. */
typedef struct Code {
    char code;
    char format;                                    /* struct's character */
    uint8_t size, align;
    ffi_type *ffi;
    Value (*get)(const void *p);
    Value (*set)(void *p, Value v);                 /* what must be kept while the bytes are there, TY_NONE for nothing; TY_NULL: failed */
    bool is_int, is_signed;
} Code;
const Code *ctypes_code(uint32_t character);        /* NULL: there is none */

typedef struct Info {
    TyObject base;
    Kind kind;
    bool final;                                     /* fields may not be set any more */
    bool given;                                     /* _fields_ was set */
    bool swapped;                                   /* bytes in the other order */
    bool has_pointers, has_bitfields, has_unions;
    uint8_t flags;                                  /* of functions: FLAG_… */
    int64_t size, align, length;                    /* length: of arrays, and the number of fields */
    const Code *code;                               /* of simple ones */
    ffi_type *ffi;                                  /* of structures: own_ffi */
    ffi_type own_ffi;
    ffi_type **elements;                            /* malloc'ed */
    Value item;                                     /* type of array items or of what is pointed to; or TY_NULL */
    Value format;                                   /* bytes: the buffer protocol's */
    Value shape;                                    /* bytes: int64_t[dimensions], of arrays */
    int dimensions;
    Value fields;                                   /* list of Field, base classes' first */
    Value argtypes, converters, restype, check;     /* of functions; or TY_NULL */
    Value pointer_type;                             /* or TY_NULL */
} Info;

typedef struct Data {
    TyObject base;
    uint8_t *p;
    int64_t size, length, index;
    Value memory;                                   /* what holds the bytes, if they are its own; or TY_NULL */
    Value owner;                                    /* the Data that it is part of, or TY_NULL */
    Value objects;                                  /* what is kept: a dict, or one object; or TY_NULL */
} Data;

typedef struct Function {
    Data data;
    Value callable, thunk;                          /* of a callback */
    Value restype, argtypes, converters, check, parameter_flags, name; /* TY_NULL: the class's */
} Function;

typedef struct Field {
    TyObject base;
    Value name, type;
    int64_t offset, byte_size, index;
    int32_t bit_offset, bit_size;
    bool is_bitfield, anonymous;
} Field;

typedef struct Argument {                           /* "cparam": an argument as C gets it */
    TyObject base;
    char tag;
    int64_t size;                                   /* of a structure, at value.p */
    ffi_type *ffi;
    union { int8_t b; int16_t h; int32_t i; int64_t q; long double g; double d; float f; void *p; _Complex double D; _Complex float F; uint8_t bytes[32]; } value;
    Value object;
} Argument;

enum { FLAG_CDECL = 1, FLAG_PYTHONAPI = 4, FLAG_ERRNO = 8, FLAG_LASTERROR = 16, ARGUMENTS_MAX = 1024 };
enum { STATE_ARGUMENT_ERROR, STATE_ARRAYS /* dict: (type, length) → array type */, STATE_COUNT };

extern TyType ctypes_info_type, ctypes_data_type, ctypes_simple_type, ctypes_structure_type, ctypes_union_type, ctypes_array_type, ctypes_pointer_type, ctypes_function_type,
    ctypes_field_type, ctypes_argument_type, ctypes_thunk_type;
extern TyType ctypes_meta_type, ctypes_simple_meta, ctypes_structure_meta, ctypes_union_meta, ctypes_array_meta, ctypes_pointer_meta, ctypes_function_meta;

Value ctypes_state(int which);

/* --- types ------------------------------------------------------------------------------------------------------------- */

TY_INLINE Info *ctypes_info(Value type)             /* NULL without exception: no C type, or an abstract one */
{
    if (!ty_is_type(type))
        return NULL;
    Value v = ty_field(&ty_as_type(type)->module_state);
    return v != TY_NULL && ty_is_exact(v, &ctypes_info_type) ? (Info *)ty_object(v) : NULL;
}
TY_INLINE bool ctypes_is_data(Value v) { return ty_is_instance_of(v, &ctypes_data_type); }
TY_INLINE Data *ctypes_data(Value v) { return (Data *)ty_object(v); }
TY_INLINE Info *ctypes_info_of(Value data) { return ctypes_info(ty_from_object(ty_type_of(data))); }
Info *ctypes_require(Value type, const char *message); /* NULL with TypeError */
bool ctypes_is_simple_subclass(Value type);         /* of c_int and so on: instances are not turned into Python values */
Value ctypes_array_of(Value type, int64_t length);
const char *ctypes_type_name(Value type);
Info *ctypes_info_new(Value type, Kind kind);       /* and puts it into the type */

/* --- data ---------------------------------------------------------------------------------------------------------------- */

Value ctypes_data_new(TyType *type);                /* zeroed */
Value ctypes_data_at(Value type, void *p);          /* somewhere */
Value ctypes_data_part(Value type, Value owner, int64_t index, void *p);
Value ctypes_data_copy(Value type, const void *p);
Value ctypes_get(Value type, Value owner, int64_t index, void *p); /* as a Python value where the type has one */
bool ctypes_set(Value target, Value type, Value v, int64_t index, void *p);
bool ctypes_keep(Value data, int64_t index, Value v);
Value ctypes_kept(Value data);                      /* the objects of the outermost: made if need be */
int64_t ctypes_hash(Value self);
bool ctypes_get_buffer(Value self, TyBuffer *view, int flags);
Value ctypes_read(const Info *info, const void *p); /* of a simple type */
Value ctypes_write(const Info *info, void *p, Value v);

/* --- calls ----------------------------------------------------------------------------------------------------------------- */

Value ctypes_from_param(Value type, Value v);       /* as the type's own from_param() does */
Argument *ctypes_argument_of(Value data);
Argument *ctypes_byref(Value data, int64_t offset);
bool ctypes_function_prepare(Info *info, Value class_dict);
Value ctypes_callback_new(Value callable, Info *info, void **address);
bool ctypes_set_argtypes(Value v, Value *argtypes, Value *converters);
ffi_type *ctypes_ffi_type(Info *info);
extern _Thread_local int ctypes_errno;
bool ctypes_audit(const char *event, Value a, Value b);
Value ctypes_bytes_at(const char *p, int64_t size);
Value ctypes_wide_at(const wchar_t *p, int64_t size);
Value ctypes_wide_bytes(Value str);                 /* bytes: wchar_t, with a zero at the end */

#endif
