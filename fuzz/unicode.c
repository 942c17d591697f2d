/* Any bytes as UTF-8, as a character's name, and the text that they make through the normal forms; what comes out is held against
 * what must be true of it. */
#include "base/unicode.h"
#include "base/utf8.h"
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Decodes the valid beginning both ways that there are, and encodes it again. */
static uint32_t *round_trip(const uint8_t *bytes, size_t size, size_t *length)
{
    TyUtf8Scan scan;
    check(ty_utf8_scan(bytes, size, &scan) == (scan.error == TY_UTF8_OK));
    check(scan.valid <= scan.error_end && scan.error_end <= size && scan.characters <= scan.valid);
    uint32_t *text = malloc((scan.characters + 1) * sizeof *text);
    ty_utf8_decode_4(bytes, scan.valid, text);
    uint32_t max_char = ty_max_char_4(text, scan.characters);
    check(max_char == scan.max_char);

    size_t surrogate, encoded_size = ty_utf8_size_4(text, scan.characters, &surrogate);
    check(encoded_size == scan.valid && surrogate == scan.characters);
    uint8_t *encoded = malloc(encoded_size + 1);
    check(ty_utf8_encode_4(text, scan.characters, encoded) == encoded_size && memcmp(encoded, bytes, encoded_size) == 0);
    free(encoded);

    uint16_t *narrow = malloc((size + 1) * sizeof *narrow);
    size_t count, read = ty_utf8_read_2(bytes, size, narrow, &count);
    check(read <= scan.valid && count <= scan.characters && (read == scan.valid || text[count] > 0xFFFF));
    for (size_t i = 0; i < count; i++)
        check(narrow[i] == text[i]);
    check(ty_utf8_size_2(narrow, count, &surrogate) == read && surrogate == count && !ty_has_surrogates_2(narrow, count));
    free(narrow);
    *length = scan.characters;
    return text;
}

static void normalize(const uint32_t *text, size_t length)
{
    for (int form = TY_NFC; form <= TY_NFKD; form++) {
        size_t once_length, twice_length;
        uint32_t *once = ty_unicode_normalize((TyNormalForm)form, text, length, &once_length);
        uint32_t *twice = ty_unicode_normalize((TyNormalForm)form, once, once_length, &twice_length);
        check(once_length == twice_length && memcmp(once, twice, once_length * sizeof *once) == 0);
        check(ty_unicode_quick_check((TyNormalForm)form, once, once_length) != TY_QUICK_NO);
        free(once);
        free(twice);
        free(ty_unicode_3_2_normalize((TyNormalForm)form, text, length, &once_length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t length;
    uint32_t *text = round_trip(bytes, size, &length);
    normalize(text, length);
    free(text);
    int32_t c = ty_unicode_lookup((const char *)bytes, size);
    uint32_t sequence[TY_UNICODE_SEQUENCE_MAX];
    int count = ty_unicode_lookup_sequence((const char *)bytes, size, sequence);
    check(c < 0 || (count == 1 && sequence[0] == (uint32_t)c));
    return 0;
}
