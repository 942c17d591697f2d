/*
 * UTF-8 and its relatives: checking, decoding and encoding between bytes and arrays of 1, 2 or 4 byte characters.
 *
 * Nothing here allocates or knows of objects. "Valid" means what Python's strict codec accepts: no overlong
 * forms, no surrogates, nothing beyond U+10FFFF. To decode: scan the bytes once, which tells the number of characters
 * and how wide the widest is, allocate, then decode into that array with the function of that width.
 */
#ifndef TY_BASE_UTF8_H
#define TY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    TY_UTF8_OK,
    TY_UTF8_INVALID_START,        /* no character begins with this byte */
    TY_UTF8_INVALID_CONTINUATION, /* a character begun, its next byte can't belong to it */
    TY_UTF8_UNEXPECTED_END,       /* the bytes end inside a character: more might complete it */
} TyUtf8Error;

/* The text of UnicodeDecodeError.reason. */
const char *ty_utf8_reason(TyUtf8Error error);

typedef struct {
    size_t characters;  /* code points in the valid part */
    uint32_t max_char;  /* 0x7F, 0xFF, 0xFFFF or 0x10FFFF: the narrowest range that holds them all */
    size_t valid;       /* bytes in the valid part: the position of the error, if there is one */
    size_t error_end;   /* end of the bad bytes, as UnicodeDecodeError.end */
    TyUtf8Error error;
} TyUtf8Scan;

/* How many bytes from the start are ASCII. */
size_t ty_ascii_prefix(const uint8_t *bytes, size_t length);
static inline bool ty_is_ascii(const uint8_t *bytes, size_t length)
{
    return ty_ascii_prefix(bytes, length) == length;
}

/* Reads up to the end or the first error. True if all of it is valid. */
bool ty_utf8_scan(const uint8_t *bytes, size_t length, TyUtf8Scan *scan);

/* Decodes and checks at once, as far as the characters are valid and below U+10000: the number of bytes read; *count characters are
   in `out`, which has room for one a byte. Faster than a scan and a decoding where the length of the text may be found out late. */
size_t ty_utf8_read_2(const uint8_t *bytes, size_t length, uint16_t *out, size_t *count);

/* Decode bytes that a scan found valid; the array has room for scan.characters. */
void ty_utf8_decode_1(const uint8_t *bytes, size_t length, uint8_t *out);
void ty_utf8_decode_2(const uint8_t *bytes, size_t length, uint16_t *out);
void ty_utf8_decode_4(const uint8_t *bytes, size_t length, uint32_t *out);

/* One character from bytes that are known to be valid; returns its size. */
static inline int ty_utf8_next(const uint8_t *bytes, uint32_t *c)
{
    if (bytes[0] < 0x80) {
        *c = bytes[0];
        return 1;
    }
    if (bytes[0] < 0xE0) {
        *c = ((bytes[0] & 0x1Fu) << 6) | (bytes[1] & 0x3Fu);
        return 2;
    }
    if (bytes[0] < 0xF0) {
        *c = ((bytes[0] & 0x0Fu) << 12) | ((bytes[1] & 0x3Fu) << 6) | (bytes[2] & 0x3Fu);
        return 3;
    }
    *c = ((bytes[0] & 0x07u) << 18) | ((bytes[1] & 0x3Fu) << 12) | ((bytes[2] & 0x3Fu) << 6) | (bytes[3] & 0x3Fu);
    return 4;
}

/* The size of a code point in UTF-8, 1 to 4; a surrogate counts 3. */
static inline int ty_utf8_size(uint32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

/* Writes one code point, surrogates too; returns its size. */
static inline int ty_utf8_put(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | (c >> 6));
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | (c >> 12));
        out[1] = (uint8_t)(0x80 | ((c >> 6) & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | (c >> 18));
    out[1] = (uint8_t)(0x80 | ((c >> 12) & 0x3F));
    out[2] = (uint8_t)(0x80 | ((c >> 6) & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* The size of an array of characters in UTF-8. If a surrogate is among them, *surrogate is the index of the first
   one and the size is that of what stands before it; else *surrogate is the length. */
size_t ty_utf8_size_1(const uint8_t *text, size_t length);
size_t ty_utf8_size_2(const uint16_t *text, size_t length, size_t *surrogate);
size_t ty_utf8_size_4(const uint32_t *text, size_t length, size_t *surrogate);

/* Encode into room of exactly that size; surrogates come out as three bytes each. Return the size written. */
size_t ty_utf8_encode_1(const uint8_t *text, size_t length, uint8_t *out);
size_t ty_utf8_encode_2(const uint16_t *text, size_t length, uint8_t *out);
size_t ty_utf8_encode_4(const uint32_t *text, size_t length, uint8_t *out);

/* Whether there are surrogates among the characters. */
bool ty_has_surrogates_2(const uint16_t *text, size_t length);

/* The narrowest of 0x7F, 0xFF, 0xFFFF, 0x10FFFF that holds every character. */
uint32_t ty_max_char_1(const uint8_t *text, size_t length);
uint32_t ty_max_char_2(const uint16_t *text, size_t length);
uint32_t ty_max_char_4(const uint32_t *text, size_t length);
/* Bytes a character needs, from a bound as above. */
static inline int ty_max_char_width(uint32_t max_char) { return max_char < 0x100 ? 1 : max_char < 0x10000 ? 2 : 4; }

/* ---- surrogates, UTF-16 and UTF-32 ------------------------------------------------------------------- */

static inline bool ty_is_surrogate(uint32_t c) { return (c & 0xFFFFF800u) == 0xD800; }
static inline bool ty_is_high_surrogate(uint32_t c) { return (c & 0xFFFFFC00u) == 0xD800; }
static inline bool ty_is_low_surrogate(uint32_t c) { return (c & 0xFFFFFC00u) == 0xDC00; }
static inline uint32_t ty_join_surrogates(uint32_t high, uint32_t low)
{
    return 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
}
static inline uint32_t ty_high_surrogate(uint32_t c) { return 0xD800 + ((c - 0x10000) >> 10); }
static inline uint32_t ty_low_surrogate(uint32_t c) { return 0xDC00 + ((c - 0x10000) & 0x3FF); }

static inline uint32_t ty_load_16(const uint8_t *bytes, bool big_endian)
{
    return big_endian ? (uint32_t)(bytes[0] << 8 | bytes[1]) : (uint32_t)(bytes[1] << 8 | bytes[0]);
}
static inline uint32_t ty_load_32(const uint8_t *bytes, bool big_endian)
{
    return big_endian ? (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]
                      : (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}
static inline void ty_store_16(uint8_t *bytes, uint32_t value, bool big_endian)
{
    bytes[big_endian ? 0 : 1] = (uint8_t)(value >> 8);
    bytes[big_endian ? 1 : 0] = (uint8_t)value;
}
static inline void ty_store_32(uint8_t *bytes, uint32_t value, bool big_endian)
{
    for (int i = 0; i < 4; i++)
        bytes[big_endian ? 3 - i : i] = (uint8_t)(value >> (8 * i));
}

#endif
