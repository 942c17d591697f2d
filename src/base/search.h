/* Searching arrays of 1, 2 or 4 byte characters: what str, bytes and bytearray share.
 *
 * Both arrays have the same width. Short needles are found by their rarest-looking end with memchr and its like; when that makes no
 * good progress the two-way algorithm takes over, so that no search takes more than linear time. Nothing here allocates
 * or knows of objects. Positions and lengths are in characters; -1 means "not there". */
#ifndef TY_BASE_SEARCH_H
#define TY_BASE_SEARCH_H

#include "base/base.h"

/* The first, or last, place of one character. */
int64_t ty_find_char(const void *text, int64_t length, uint32_t c, int width);
int64_t ty_rfind_char(const void *text, int64_t length, uint32_t c, int width);
int64_t ty_count_char(const void *text, int64_t length, uint32_t c, int width);

/* The first, or last, place of the needle; an empty one is at 0, or at `length`. */
int64_t ty_find(const void *text, int64_t length, const void *needle, int64_t needle_length, int width);
int64_t ty_rfind(const void *text, int64_t length, const void *needle, int64_t needle_length, int width);
/* How often the needle, not empty, occurs without overlap; counting stops at `limit`. */
int64_t ty_count(const void *text, int64_t length, const void *needle, int64_t needle_length, int width, int64_t limit);

/* Copies characters between arrays of any widths; what does not fit a narrower one is cut off. */
void ty_copy_chars(void *to, int to_width, const void *from, int from_width, int64_t count);
void ty_fill_chars(void *to, int width, uint32_t c, int64_t count);

TY_INLINE uint32_t ty_char_at(const void *text, int width, int64_t i)
{
    return width == 1 ? ((const uint8_t *)text)[i] : width == 2 ? ((const uint16_t *)text)[i] : ((const uint32_t *)text)[i];
}

#endif
