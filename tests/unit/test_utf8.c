/* UTF-8: what is valid, where errors are, and that every code point survives the way there and back. */
#include "base/utf8.h"
#include "unit.h"

static void check_error(const char *bytes, size_t length, TyUtf8Error error, size_t valid, size_t end)
{
    TyUtf8Scan scan;
    CHECK(!ty_utf8_scan((const uint8_t *)bytes, length, &scan));
    CHECK(scan.error == error && scan.valid == valid && scan.error_end == end);
}

static void check_all(void)
{
    int wrong = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint8_t bytes[4];
        int size = ty_utf8_put(c, bytes);
        TyUtf8Scan scan;
        bool valid = ty_utf8_scan(bytes, (size_t)size, &scan);
        if (ty_is_surrogate(c)) {
            wrong += valid;
            continue;
        }
        uint32_t back;
        wrong += !valid || size != ty_utf8_size(c) || ty_utf8_next(bytes, &back) != size || back != c || scan.characters != 1;
    }
    CHECK(wrong == 0);
}

int main(void)
{
    TyUtf8Scan scan;
    const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    CHECK(ty_utf8_scan((const uint8_t *)text, 10, &scan) && scan.characters == 4 && scan.max_char == 0x10FFFF);
    uint32_t wide[4];
    ty_utf8_decode_4((const uint8_t *)text, 10, wide);
    CHECK(wide[0] == 'a' && wide[1] == 0xE9 && wide[2] == 0x20AC && wide[3] == 0x1F600);
    uint8_t out[10];
    size_t surrogate;
    CHECK(ty_utf8_size_4(wide, 4, &surrogate) == 10 && surrogate == 4);
    CHECK(ty_utf8_encode_4(wide, 4, out) == 10 && memcmp(out, text, 10) == 0);
    CHECK(ty_utf8_scan((const uint8_t *)"", 0, &scan) && scan.characters == 0);
    check_error("ab\xFF", 3, TY_UTF8_INVALID_START, 2, 3);
    check_error("\xC0\x80", 2, TY_UTF8_INVALID_START, 0, 1);
    check_error("\xE2\x82", 2, TY_UTF8_UNEXPECTED_END, 0, 2);
    check_error("x\xE2\x28\xA1", 4, TY_UTF8_INVALID_CONTINUATION, 1, 2);
    check_error("\xF0\x9F\x98z", 4, TY_UTF8_INVALID_CONTINUATION, 0, 3);
    check_error("\xED\xA0\x80", 3, TY_UTF8_INVALID_CONTINUATION, 0, 1);
    check_error("\xF4\x90\x80\x80", 4, TY_UTF8_INVALID_CONTINUATION, 0, 1);
    char long_text[300];
    memset(long_text, 'a', sizeof long_text);
    CHECK(ty_ascii_prefix((const uint8_t *)long_text, 300) == 300);
    for (size_t i = 0; i < 300; i++) {
        long_text[i] = (char)0x80;
        if (ty_ascii_prefix((const uint8_t *)long_text, 300) != i)
            CHECK(!"the prefix ends at the first byte that is not ASCII");
        long_text[i] = 'a';
    }
    check_all();
    return unit_end();
}
