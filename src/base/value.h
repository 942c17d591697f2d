/* Value: any Python object in one 64-bit word, NaN-boxed.
 *
 *   0x0000_pppp_pppp_pppp   a pointer to a TyObject; 0 is "no value": an error, an unbound local, an absent key
 *   0x0001_… .. 0xFFFE_…    a double: its bits plus 2^48 (so that no double looks like a pointer or an int)
 *   0xFFFF_iiii_iiii_iiii   an int that fits 48 bits, two's complement
 *
 * An int that fits 48 bits is always immediate, a wider one is always a TyInt object (object/int.h): each int has one form
 * (an instance of a subclass of int is always an object). Every exact float is immediate. NaNs keep their sign and
 * payload but for the few whose bits would collide with the int tag, which become the canonical NaN.
 *
 * None, True, False, NotImplemented and Ellipsis are static objects (object/singletons.h). */
#ifndef TY_BASE_VALUE_H
#define TY_BASE_VALUE_H

#include "base/base.h"

typedef uint64_t Value;
typedef struct TyObject TyObject;
typedef struct TyType TyType;

#define TY_NULL ((Value)0)
#define TY_ERROR ((Value)0)

#define TY_INT_TAG 0xFFFF000000000000ull
#define TY_DOUBLE_OFFSET 0x0001000000000000ull
#define TY_INT_IMMEDIATE_MAX ((int64_t)0x00007FFFFFFFFFFF)
#define TY_INT_IMMEDIATE_MIN (-TY_INT_IMMEDIATE_MAX - 1)

TY_INLINE bool ty_is_object(Value v) { return (v >> 48) == 0; } /* also true of TY_NULL: test that first */
TY_INLINE bool ty_is_immediate_int(Value v) { return v >= TY_INT_TAG; }
TY_INLINE bool ty_is_double(Value v) { return v - TY_DOUBLE_OFFSET < TY_INT_TAG - TY_DOUBLE_OFFSET; }
TY_INLINE bool ty_are_immediate_ints(Value a, Value b) { return (a & b) >= TY_INT_TAG; }

TY_INLINE TyObject *ty_object(Value v) { return (TyObject *)(uintptr_t)v; }
TY_INLINE Value ty_from_object(const void *object) { return (Value)(uintptr_t)object; }

TY_INLINE bool ty_fits_immediate(int64_t i) { return i >= TY_INT_IMMEDIATE_MIN && i <= TY_INT_IMMEDIATE_MAX; }
TY_INLINE int64_t ty_immediate_int(Value v) { return (int64_t)(v << 16) >> 16; }
TY_INLINE Value ty_from_immediate_int(int64_t i) { return (Value)i | TY_INT_TAG; } /* i must fit 48 bits */

TY_INLINE double ty_double(Value v)
{
    uint64_t bits = v - TY_DOUBLE_OFFSET;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

TY_INLINE Value ty_from_double(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    if (TY_UNLIKELY(bits >= 0xFFFE000000000000ull))
        bits = 0x7FF8000000000000ull;
    return bits + TY_DOUBLE_OFFSET;
}

#endif
