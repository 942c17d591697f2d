/* What the files of str share with one another and with their neighbours; everybody else uses object/str.h. */
#ifndef TY_OBJECT_STR_PARTS_H
#define TY_OBJECT_STR_PARTS_H

#include "base/search.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "object/exception.h"
#include "object/native.h"
#include "object/str.h"

extern const TyNativeDef ty_str_methods[];

/* A fresh str's header bits by the range of its characters. */
TY_INLINE uint32_t ty_str_kind_bits(uint32_t max_char)
{
    return max_char < 0x80 ? TY_STR_ASCII : max_char < 0x100 ? 0 : max_char < 0x10000 ? TY_STR_KIND_2 : TY_STR_KIND_4;
}
TY_INLINE uint8_t *ty_str_fill(Value fresh) { return ty_as_str(fresh)->data; }

/* The greatest character that a str's kind allows: 0x7F, 0xFF, 0xFFFF or 0x10FFFF. */
TY_INLINE uint32_t ty_str_range(Value v)
{
    uint32_t bits = ty_object_bits(ty_object(v));
    if (TY_UNLIKELY((bits & (TY_STR_GROWN | TY_STR_ASCII)) == TY_STR_GROWN))
        return ty_str_buffer(v)->width == 1 ? 0xFF : ty_str_buffer(v)->width == 2 ? 0xFFFF : 0x10FFFF;
    return bits & TY_STR_ASCII ? 0x7F : bits & TY_STR_KIND_4 ? 0x10FFFF : bits & TY_STR_KIND_2 ? 0xFFFF : 0xFF;
}

/* The range of the characters from start to end. */
uint32_t ty_str_range_of(Value v, int64_t start, int64_t end);
/* Characters of any width as a str in its narrowest kind. */
Value ty_str_from_chars(const void *text, int width, int64_t length);
/* v itself if exact, else an exact copy. */
Value ty_str_exact(Value v);
Value ty_str_repeat(Value v, int64_t count);
Value ty_str_percent(Value format, Value arguments);
Value ty_str_format_call(Value format, const Value *arguments, size_t count, Value keywords);
Value ty_str_format_map(Value format, Value mapping);
Value ty_str_iterator(Value v);
void ty_str_trace(TyObject *self, TyMarker *marker);

/* Resolves optional bounds as slices do: TY_NULL and None are the ends. False with an exception. */
bool ty_slice_bounds(Value start_value, Value end_value, int64_t length, int64_t *start, int64_t *end);

/* Keyed hash of bytes; never -1; 0 for none. */
int64_t ty_hash_bytes(const void *data, size_t size);
/* The key of text and bytes hashes is random unless a seed is set before the first hash; 0: no key. */
void ty_hash_seed_set(uint32_t seed);

#endif
