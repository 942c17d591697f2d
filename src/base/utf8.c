/* UTF-8: one strict scanner, which finds errors and measures, and decoders that trust it. */
#include "base/utf8.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

const char *ty_utf8_reason(TyUtf8Error error)
{
    switch (error) {
    case TY_UTF8_INVALID_START: return "invalid start byte";
    case TY_UTF8_INVALID_CONTINUATION: return "invalid continuation byte";
    case TY_UTF8_UNEXPECTED_END: return "unexpected end of data";
    case TY_UTF8_OK: break;
    }
    return "";
}

/* ---- ASCII ------------------------------------------------------------------------------------------- */

#define HIGH_BITS 0x8080808080808080u

size_t ty_ascii_prefix(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
#if defined(__SSE2__)
    for (; i + 32 <= length; i += 32) {
        __m128i a = _mm_loadu_si128((const __m128i *)(bytes + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(bytes + i + 16));
        if (_mm_movemask_epi8(_mm_or_si128(a, b)))
            break;
    }
#endif
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        if (word & HIGH_BITS) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return i + (size_t)__builtin_ctzll(word & HIGH_BITS) / 8;
#else
            break;
#endif
        }
    }
    while (i < length && bytes[i] < 0x80)
        i++;
    return i;
}

/* Whether the 8 bytes there are ASCII. */
static inline bool ascii_8(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return !(word & HIGH_BITS);
}

/* ---- scanning ------------------------------------------------------------------------------------------ */

/* The character that begins with the byte at the start: its size, or 0 with the error and the number of bytes in it.
   The second byte alone tells overlong forms, surrogates and what is too big: so the bytes of an error are the
   longest beginning of some character, as the standard recommends. */
static inline int check_one(const uint8_t *bytes, size_t length, TyUtf8Error *error, int *bad)
{
    uint8_t first = bytes[0];
    *bad = 1;
    if (first < 0xC2 || first > 0xF4) {
        *error = TY_UTF8_INVALID_START;
        return 0;
    }
    int size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < size; i++) {
        *bad = i;
        if ((size_t)i >= length) {
            *error = TY_UTF8_UNEXPECTED_END;
            return 0;
        }
        if (bytes[i] < low || bytes[i] > high) {
            *error = TY_UTF8_INVALID_CONTINUATION;
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return size;
}

static inline bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

bool ty_utf8_scan(const uint8_t *bytes, size_t length, TyUtf8Scan *scan)
{
    size_t i = ty_ascii_prefix(bytes, length);
    size_t extra = 0;      /* bytes that begin no character */
    uint8_t highest = 0;   /* the highest first byte tells the range */
    scan->error = TY_UTF8_OK;
    scan->error_end = length;
    while (i < length) {
        uint8_t first = bytes[i];
        if (first < 0x80) {
            while (i + 8 <= length && ascii_8(bytes + i))
                i += 8;
            while (i < length && bytes[i] < 0x80)
                i++;
            continue;
        }
        /* The common characters of two and three bytes, without the general case's loop. */
        if (first >= 0xC2 && first < 0xE0 && i + 1 < length && is_continuation(bytes[i + 1])) {
            highest = first > highest ? first : highest;
            extra += 1;
            i += 2;
            continue;
        }
        if (first > 0xE0 && first < 0xF0 && first != 0xED && i + 2 < length && is_continuation(bytes[i + 1]) &&
            is_continuation(bytes[i + 2])) {
            highest = first > highest ? first : highest;
            extra += 2;
            i += 3;
            continue;
        }
        int bad;
        int size = check_one(bytes + i, length - i, &scan->error, &bad);
        if (!size) {
            scan->error_end = i + (size_t)bad;
            break;
        }
        highest = first > highest ? first : highest;
        extra += (size_t)size - 1;
        i += (size_t)size;
    }
    scan->valid = i;
    scan->characters = i - extra;
    scan->max_char = highest < 0x80 ? 0x7F : highest < 0xC4 ? 0xFF : highest < 0xF0 ? 0xFFFF : 0x10FFFF;
    return scan->error == TY_UTF8_OK;
}

/* ---- decoding ------------------------------------------------------------------------------------------ */

#define DECODER(name, type)                                                                                   \
    void name(const uint8_t *bytes, size_t length, type *out)                                                 \
    {                                                                                                         \
        const uint8_t *end = bytes + length;                                                                  \
        while (bytes < end) {                                                                                 \
            while (end - bytes >= 8 && ascii_8(bytes)) {                                                      \
                for (int i = 0; i < 8; i++)                                                                   \
                    out[i] = bytes[i];                                                                        \
                bytes += 8;                                                                                   \
                out += 8;                                                                                     \
            }                                                                                                 \
            /* At most one word of it, then look for ASCII again. */                                         \
            for (const uint8_t *stop = end - bytes > 8 ? bytes + 8 : end; bytes < stop;) {                    \
                uint32_t c;                                                                                   \
                bytes += ty_utf8_next(bytes, &c);                                                             \
                *out++ = (type)c;                                                                             \
            }                                                                                                 \
        }                                                                                                     \
    }

DECODER(ty_utf8_decode_1, uint8_t)
DECODER(ty_utf8_decode_2, uint16_t)
DECODER(ty_utf8_decode_4, uint32_t)

size_t ty_utf8_read_2(const uint8_t *bytes, size_t length, uint16_t *out, size_t *count)
{
    const uint16_t *start = out;
    size_t i = 0;
    while (i < length) {
        uint32_t a = bytes[i];
        if (a < 0x80) {
            *out++ = (uint16_t)a;
            i++;
            while (i + 8 <= length && ascii_8(bytes + i)) {
                for (int j = 0; j < 8; j++)
                    out[j] = bytes[i + j];
                out += 8;
                i += 8;
            }
            continue;
        }
        if (a < 0xE0) {
            if (a < 0xC2 || i + 1 >= length || !is_continuation(bytes[i + 1]))
                break;
            *out++ = (uint16_t)((a & 0x1F) << 6 | (bytes[i + 1] & 0x3F));
            i += 2;
            continue;
        }
        if (a >= 0xF0 || i + 2 >= length || !is_continuation(bytes[i + 1]) || !is_continuation(bytes[i + 2]))
            break;
        uint32_t c = (a & 0x0F) << 12 | (bytes[i + 1] & 0x3Fu) << 6 | (bytes[i + 2] & 0x3Fu);
        if (c < 0x800 || ty_is_surrogate(c))
            break;
        *out++ = (uint16_t)c;
        i += 3;
    }
    *count = (size_t)(out - start);
    return i;
}

/* ---- encoding ------------------------------------------------------------------------------------------ */

size_t ty_utf8_size_1(const uint8_t *text, size_t length)
{
    size_t size = length, i = 0;
#if defined(__SSE2__)
    for (; i + 16 <= length; i += 16)
        size += (size_t)__builtin_popcount((unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(text + i))));
#endif
    for (; i < length; i++)
        size += text[i] >> 7;
    return size;
}

size_t ty_utf8_size_2(const uint16_t *text, size_t length, size_t *surrogate)
{
    size_t size = 0, i = 0;
#if defined(__SSE2__)
    /* Eight at a time: what is neither below U+0080 nor below U+0800 adds a byte each; unsigned order by a flipped sign. */
    const __m128i flip = _mm_set1_epi16((short)0x8000), two = _mm_set1_epi16((short)(0x8000 + 0x7F)),
                  three = _mm_set1_epi16((short)(0x8000 + 0x7FF)), mask = _mm_set1_epi16((short)0xF800),
                  surrogates = _mm_set1_epi16((short)0xD800);
    for (; i + 8 <= length; i += 8) {
        __m128i units = _mm_loadu_si128((const __m128i *)(text + i));
        if (_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(units, mask), surrogates)))
            break;
        units = _mm_xor_si128(units, flip);
        unsigned more = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(_mm_cmpgt_epi16(units, two), _mm_cmpgt_epi16(units, three)));
        size += 8 + (size_t)__builtin_popcount(more);
    }
#endif
    for (; i < length; i++) {
        uint32_t c = text[i];
        if (ty_is_surrogate(c)) {
            *surrogate = i;
            return size;
        }
        size += 1u + (c >= 0x80) + (c >= 0x800);
    }
    *surrogate = length;
    return size;
}

size_t ty_utf8_size_4(const uint32_t *text, size_t length, size_t *surrogate)
{
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = text[i];
        if (ty_is_surrogate(c)) {
            *surrogate = i;
            return size;
        }
        size += 1u + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
    }
    *surrogate = length;
    return size;
}

size_t ty_utf8_encode_1(const uint8_t *text, size_t length, uint8_t *out)
{
    uint8_t *start = out;
    size_t i = 0;
    while (i < length) {
        while (length - i >= 8 && ascii_8(text + i)) {
            memcpy(out, text + i, 8);
            i += 8;
            out += 8;
        }
        for (size_t stop = length - i > 8 ? i + 8 : length; i < stop; i++)
            out += ty_utf8_put(text[i], out);
    }
    return (size_t)(out - start);
}

size_t ty_utf8_encode_2(const uint16_t *text, size_t length, uint8_t *out)
{
    uint8_t *start = out;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = text[i];
        if (c < 0x80) {
            *out++ = (uint8_t)c;
        } else if (c < 0x800) {
            out[0] = (uint8_t)(0xC0 | c >> 6);
            out[1] = (uint8_t)(0x80 | (c & 0x3F));
            out += 2;
        } else {
            out[0] = (uint8_t)(0xE0 | c >> 12);
            out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            out[2] = (uint8_t)(0x80 | (c & 0x3F));
            out += 3;
        }
    }
    return (size_t)(out - start);
}

size_t ty_utf8_encode_4(const uint32_t *text, size_t length, uint8_t *out)
{
    uint8_t *start = out;
    for (size_t i = 0; i < length; i++)
        out += ty_utf8_put(text[i], out);
    return (size_t)(out - start);
}

bool ty_has_surrogates_2(const uint16_t *text, size_t length)
{
    size_t i = 0;
#if defined(__SSE2__)
    const __m128i mask = _mm_set1_epi16((short)0xF800), surrogate = _mm_set1_epi16((short)0xD800);
    for (; i + 8 <= length; i += 8) {
        __m128i units = _mm_loadu_si128((const __m128i *)(text + i));
        if (_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(units, mask), surrogate)))
            return true;
    }
#endif
    for (; i < length; i++)
        if (ty_is_surrogate(text[i]))
            return true;
    return false;
}

/* ---- the widest character -------------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t bits)
{
    return bits < 0x80 ? 0x7F : bits < 0x100 ? 0xFF : bits < 0x10000 ? 0xFFFF : 0x10FFFF;
}

uint32_t ty_max_char_1(const uint8_t *text, size_t length) { return ty_is_ascii(text, length) ? 0x7F : 0xFF; }

uint32_t ty_max_char_2(const uint16_t *text, size_t length)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < length;) {
        for (size_t stop = length - i > 64 ? i + 64 : length; i < stop; i++)
            bits |= text[i];
        if (bits >= 0x100)
            return 0xFFFF;
    }
    return round_up(bits);
}

uint32_t ty_max_char_4(const uint32_t *text, size_t length)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < length;) {
        for (size_t stop = length - i > 64 ? i + 64 : length; i < stop; i++)
            bits |= text[i];
        if (bits >= 0x10000)
            return 0x10FFFF;
    }
    return round_up(bits);
}
