/* str: immutable text, in the narrowest of 1, 2 or 4 bytes a character; indexing is O(1).
 *
 * The kind is in the header's bits. An exact str of one Latin-1 character, and the empty one, may be any object (code must not rely on identity), but
 * interned strings with equal text are one object for the whole process. The hash is computed once and cached (0: not yet).
 *
 * The characters of nearly all strings lie in the object, and a NUL character follows them. Those that += has made long lie in a buffer that they share
 * with the shorter strings that they grew from (TyGrownStr): each sees its own beginning of it, which never changes, and behind it no NUL
 * but whatever a longer one has put there. */
#ifndef TY_OBJECT_STR_H
#define TY_OBJECT_STR_H

#include "object/object.h"

#define TY_STR_KIND_2 TY_BIT_KIND0   /* 2 bytes a character */
#define TY_STR_KIND_4 TY_BIT_KIND1   /* 4 bytes; neither: 1 byte; both: a TyGrownStr */
#define TY_STR_GROWN (TY_STR_KIND_2 | TY_STR_KIND_4)
#define TY_STR_ASCII TY_BIT_KIND2
#define TY_STR_INTERNED TY_BIT_KIND3

typedef struct TyStr {
    TyObject base;
    _Atomic int64_t hash;
    int64_t length;
    uint8_t data[];
} TyStr;

/* Room for a text that grows. Characters up to `used` belong to strings; who moves `used` with a compare-and-swap owns the ones between. */
typedef struct TyTextBuffer {
    TyObject base;
    int64_t capacity;      /* characters */
    _Atomic int64_t used;
    int32_t width;
    uint8_t data[];
} TyTextBuffer;

typedef struct TyGrownStr { /* an exact str, never interned */
    TyStr str;
    TyTextBuffer *buffer;
} TyGrownStr;

extern TyType ty_str_type;
extern TyType ty_text_buffer_type; /* internal */

TY_INLINE bool ty_is_str(Value v) { return ty_is_object(v) && (ty_object_type(ty_object(v))->flags & TY_TYPE_STR); }
TY_INLINE bool ty_is_exact_str(Value v) { return ty_is_exact(v, &ty_str_type); }
TY_INLINE TyStr *ty_as_str(Value v) { return (TyStr *)ty_object(v); }
TY_INLINE int64_t ty_str_length(Value v) { return ty_as_str(v)->length; }
TY_INLINE bool ty_str_is_grown(Value v) { return (ty_object_bits(ty_object(v)) & TY_STR_GROWN) == TY_STR_GROWN; }
TY_INLINE TyTextBuffer *ty_str_buffer(Value grown) { return ((TyGrownStr *)(void *)ty_object(grown))->buffer; }
TY_INLINE int ty_str_width(Value v) /* 1, 2 or 4 */
{
    uint32_t kind = ty_object_bits(ty_object(v)) & TY_STR_GROWN;
    return TY_UNLIKELY(kind == TY_STR_GROWN) ? ty_str_buffer(v)->width : 1 << kind / TY_STR_KIND_2;
}
TY_INLINE bool ty_str_is_ascii(Value v) { return ty_object_bits(ty_object(v)) & TY_STR_ASCII; }
TY_INLINE bool ty_str_is_interned(Value v) { return ty_object_bits(ty_object(v)) & TY_STR_INTERNED; }
TY_INLINE const uint8_t *ty_str_data(Value v) { return TY_UNLIKELY(ty_str_is_grown(v)) ? ty_str_buffer(v)->data : ty_as_str(v)->data; }
TY_INLINE uint32_t ty_str_at(Value v, int64_t i)
{
    const uint8_t *d = ty_str_data(v);
    int width = ty_str_width(v);
    return width == 1 ? d[i] : width == 2 ? ((const uint16_t *)d)[i] : ((const uint32_t *)d)[i];
}

/* Making. */
Value ty_str_from_utf8(const char *text, size_t size);              /* strict; UnicodeDecodeError */
Value ty_str_from_text(const char *text);                           /* NUL-ended UTF-8 of our own */
Value ty_str_from_latin1(const char *text, size_t size);
Value ty_str_from_ucs4(const uint32_t *text, size_t length);        /* narrows */
Value ty_str_from_ucs2(const uint16_t *text, size_t length);
Value ty_str_from_char(uint32_t c);
Value ty_str_allocate(int64_t length, uint32_t max_char);           /* to be filled before anyone sees it; the narrowest kind for max_char must really be needed */
Value ty_str_format(const char *format, ...);                       /* as ty_raise's formats, object/exception.h */
Value ty_str_format_va(const char *format, va_list arguments);
Value ty_str_decode_fs(const char *bytes, size_t size);             /* file system encoding: UTF-8 with surrogateescape */
Value ty_str_empty(void);

/* Interning: one object per text for the process; interned strings that only the table reaches may be collected, TY_NAME's are pinned. */
Value ty_intern(Value str);               /* an exact str with the same text; cheap if it is interned already */
Value ty_intern_text(const char *text);   /* pinned */
Value ty_intern_utf8(const char *text, size_t size);
/* The interned str of a C literal, looked up once: TY_NAME("__init__"). */
#define TY_NAME(literal)                                                                  \
    ({                                                                                    \
        static _Atomic Value name_;                                                       \
        Value value_ = ty_load_acquire(&name_);                                           \
        if (TY_UNLIKELY(value_ == TY_NULL)) {                                             \
            value_ = ty_intern_text("" literal);                                          \
            ty_store_release(&name_, value_);                                             \
        }                                                                                 \
        value_;                                                                           \
    })

/* Using. */
int64_t ty_str_hash(Value v);
bool ty_str_equal(Value a, Value b);                     /* both str */
bool ty_str_equal_text(Value v, const char *ascii);
int ty_str_compare(Value a, Value b);                    /* <0, 0, >0 by code points */
Value ty_str_concat(Value a, Value b);
Value ty_str_append(Value a, Value b);                   /* the same for two exact str, of which the first is likely to be dropped: long ones grow in place */
Value ty_str_slice(Value v, int64_t start, int64_t end);  /* clamped by the caller */
int64_t ty_str_find(Value v, Value needle, int64_t start, int64_t end, int direction); /* -1 none, -2 error */
int64_t ty_str_find_char(Value v, uint32_t c, int64_t start, int64_t end, int direction);
Value ty_str_join(Value separator, Value iterable);
Value ty_str_join_array(Value separator, const Value *items, size_t count);
Value ty_str_replace(Value v, Value old, Value new_, int64_t count);
Value ty_str_remainder(Value format, Value arguments);   /* % */
Value ty_str_repr(Value v);
/* UTF-8 of the str; ASCII ones are returned in place, others are encoded into a bytes object that is returned in *holder (keep it in a local while the
 * text is used). NULL with UnicodeEncodeError for lone surrogates. */
const char *ty_str_utf8(Value v, size_t *size, Value *holder);
Value ty_str_encode_utf8(Value v, const char *errors);   /* bytes; errors NULL: strict */
Value ty_str_encode_fs(Value v);                         /* bytes; surrogateescape; ValueError for embedded NULs is the caller's */

/* Building text piece by piece, in memory of the heap; widens as needed. Starts zeroed on the C stack. */
typedef struct TyStrBuilder {
    Value buffer;       /* a bytes-like heap object that holds the characters so far, or TY_NULL */
    int64_t length, capacity;
    uint32_t max_char;
    int width;
    bool failed;        /* after a failure all calls do nothing and finish gives TY_NULL */
} TyStrBuilder;
bool ty_builder_add(TyStrBuilder *b, Value str);
bool ty_builder_add_slice(TyStrBuilder *b, Value str, int64_t start, int64_t end);
bool ty_builder_add_any_char(TyStrBuilder *b, uint32_t c); /* where there may be no room, or it is too wide */
TY_INLINE bool ty_builder_add_char(TyStrBuilder *b, uint32_t c)
{
    if (TY_UNLIKELY(b->length >= b->capacity || c > b->max_char))
        return ty_builder_add_any_char(b, c);
    uint8_t *text = ty_as_str(b->buffer)->data;
    int64_t at = b->length++;
    if (b->width == 1)
        text[at] = (uint8_t)c;
    else if (b->width == 2)
        ((uint16_t *)text)[at] = (uint16_t)c;
    else
        ((uint32_t *)text)[at] = c;
    return true;
}
bool ty_builder_add_text(TyStrBuilder *b, const char *ascii);
bool ty_builder_add_ascii(TyStrBuilder *b, const char *ascii, size_t size);
bool ty_builder_add_repr(TyStrBuilder *b, Value v);
Value ty_builder_finish(TyStrBuilder *b);

#endif
