#include "base/search.h"
#include <wchar.h>

#define CHAR uint8_t
#define NAME(x) x##_1
#define FIND_CHAR(text, c, length) ((const uint8_t *)memchr(text, c, (size_t)(length)))
#define RFIND_CHAR(text, c, length) ((const uint8_t *)memrchr(text, c, (size_t)(length)))
#include "base/search_kind.h"
#undef CHAR
#undef NAME
#undef FIND_CHAR
#undef RFIND_CHAR

#define CHAR uint16_t
#define NAME(x) x##_2
#include "base/search_kind.h"
#undef CHAR
#undef NAME

#define CHAR uint32_t
#define NAME(x) x##_4
#define FIND_CHAR(text, c, length) \
    ((const uint32_t *)(const void *)wmemchr((const wchar_t *)(const void *)(text), (wchar_t)(c), (size_t)(length)))
#include "base/search_kind.h"
#undef CHAR
#undef NAME
#undef FIND_CHAR

static_assert(sizeof(wchar_t) == 4, "wmemchr searches characters of four bytes");

static bool fits(uint32_t c, int width) { return width == 4 || c < (1u << (8 * width)); }

int64_t ty_find_char(const void *text, int64_t length, uint32_t c, int width)
{
    if (!fits(c, width))
        return -1;
    return width == 1 ? find_char_1(text, length, (uint8_t)c)
                      : width == 2 ? find_char_2(text, length, (uint16_t)c) : find_char_4(text, length, c);
}

int64_t ty_rfind_char(const void *text, int64_t length, uint32_t c, int width)
{
    if (!fits(c, width))
        return -1;
    return width == 1 ? rfind_char_1(text, length, (uint8_t)c)
                      : width == 2 ? rfind_char_2(text, length, (uint16_t)c) : rfind_char_4(text, length, c);
}

int64_t ty_count_char(const void *text, int64_t length, uint32_t c, int width)
{
    if (!fits(c, width))
        return 0;
    return width == 1 ? count_char_1(text, length, (uint8_t)c)
                      : width == 2 ? count_char_2(text, length, (uint16_t)c) : count_char_4(text, length, c);
}

int64_t ty_find(const void *text, int64_t length, const void *needle, int64_t needle_length, int width)
{
    return width == 1 ? find_1(text, length, needle, needle_length)
                      : width == 2 ? find_2(text, length, needle, needle_length) : find_4(text, length, needle, needle_length);
}

int64_t ty_rfind(const void *text, int64_t length, const void *needle, int64_t needle_length, int width)
{
    return width == 1 ? rfind_1(text, length, needle, needle_length)
                      : width == 2 ? rfind_2(text, length, needle, needle_length) : rfind_4(text, length, needle, needle_length);
}

int64_t ty_count(const void *text, int64_t length, const void *needle, int64_t needle_length, int width, int64_t limit)
{
    if (needle_length == 1 && limit >= length)
        return ty_count_char(text, length, ty_char_at(needle, width, 0), width);
    const char *at = text;
    int64_t count = 0;
    while (count < limit) {
        int64_t found = ty_find(at, length, needle, needle_length, width);
        if (found < 0)
            break;
        count++;
        at += (found + needle_length) * width;
        length -= found + needle_length;
    }
    return count;
}

#define COPY(TO, FROM)                                    \
    do {                                                  \
        TO *t = to;                                       \
        const FROM *f = from;                             \
        for (int64_t i = 0; i < count; i++)               \
            t[i] = (TO)f[i];                              \
    } while (0)

void ty_copy_chars(void *to, int to_width, const void *from, int from_width, int64_t count)
{
    if (to_width == from_width) {
        memcpy(to, from, (size_t)(count * to_width));
        return;
    }
    switch (to_width * 8 + from_width) {
    case 1 * 8 + 2: COPY(uint8_t, uint16_t); break;
    case 1 * 8 + 4: COPY(uint8_t, uint32_t); break;
    case 2 * 8 + 1: COPY(uint16_t, uint8_t); break;
    case 2 * 8 + 4: COPY(uint16_t, uint32_t); break;
    case 4 * 8 + 1: COPY(uint32_t, uint8_t); break;
    case 4 * 8 + 2: COPY(uint32_t, uint16_t); break;
    }
}

void ty_fill_chars(void *to, int width, uint32_t c, int64_t count)
{
    if (width == 1) {
        memset(to, (int)c, (size_t)count);
    } else if (width == 2) {
        for (int64_t i = 0; i < count; i++)
            ((uint16_t *)to)[i] = (uint16_t)c;
    } else {
        for (int64_t i = 0; i < count; i++)
            ((uint32_t *)to)[i] = c;
    }
}
