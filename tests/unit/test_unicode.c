/* The Unicode database: properties, case, names, normal forms. */
#include <stdlib.h>

#include "base/unicode.h"
#include "unit.h"

static void check_name(uint32_t c, const char *expected)
{
    char name[TY_UNICODE_NAME_MAX];
    int length = ty_unicode_name(c, name);
    CHECK_TEXT(name, (size_t)length, expected);
    CHECK(ty_unicode_lookup(expected, strlen(expected)) == (int32_t)c);
}

static void check_names(void)
{
    char name[TY_UNICODE_NAME_MAX];
    check_name(' ', "SPACE");
    check_name(0x0F60, "TIBETAN LETTER -A");
    check_name(0x0FD0, "TIBETAN MARK BSKA- SHOG GI MGO RGYAN");
    check_name(0xAC01, "HANGUL SYLLABLE GAG");
    check_name(0xD7A3, "HANGUL SYLLABLE HIH");
    check_name(0x4E00, "CJK UNIFIED IDEOGRAPH-4E00");
    check_name(0x323AF, "CJK UNIFIED IDEOGRAPH-323AF");
    check_name(0x1F600, "GRINNING FACE");
    CHECK(ty_unicode_name(0, name) == 0);
    CHECK(ty_unicode_name(0xD800, name) == 0);
    CHECK(ty_unicode_name(0x110000, name) == 0);
    CHECK(ty_unicode_lookup("latin small letter a", 20) == 'a');
    CHECK(ty_unicode_lookup("NULL", 4) == 0);
    CHECK(ty_unicode_lookup("CJK UNIFIED IDEOGRAPH-04E00", 27) == -1);
    CHECK(ty_unicode_lookup("HANGUL SYLLABLE ", 16) == -1);
    CHECK(ty_unicode_lookup("NO SUCH CHARACTER", 17) == -1);
    CHECK(ty_unicode_lookup("KEYCAP DIGIT ONE", 16) == -1);
    uint32_t sequence[TY_UNICODE_SEQUENCE_MAX];
    CHECK(ty_unicode_lookup_sequence("KEYCAP DIGIT ONE", 16, sequence) == 3 && sequence[0] == '1' && sequence[2] == 0x20E3);
    /* Every name is found again. */
    int wrong = 0;
    for (uint32_t c = 0; c <= TY_UNICODE_MAX; c++) {
        int length = ty_unicode_name(c, name);
        wrong += length && ty_unicode_lookup(name, (size_t)length) != (int32_t)c;
    }
    CHECK(wrong == 0);
}

static void check_properties(void)
{
    CHECK(strcmp(ty_unicode_category('A'), "Lu") == 0);
    CHECK(strcmp(ty_unicode_category(0x110000), "Cn") == 0);
    CHECK(strcmp(ty_unicode_bidirectional(0x5D0), "R") == 0);
    CHECK(strcmp(ty_unicode_east_asian_width(0xFF21), "F") == 0);
    CHECK(ty_unicode_combining(0x301) == 230);
    CHECK(ty_unicode_decimal(0x663) == 3 && ty_unicode_decimal(0xB2) == -1 && ty_unicode_digit(0xB2) == 2);
    double value;
    CHECK(ty_unicode_numeric(0xBD, &value) && value == 0.5);
    CHECK(!ty_unicode_numeric('x', &value));
    CHECK(ty_unicode_is_space(0x1F) && ty_unicode_is_space(0x2003) && !ty_unicode_is_space(0x200B));
    CHECK(ty_unicode_is_linebreak(0x2028) && ty_unicode_is_linebreak(0x1C) && !ty_unicode_is_linebreak(0x1F));
    CHECK(ty_unicode_is_printable(' ') && !ty_unicode_is_printable(0xA0));
    CHECK(ty_unicode_is_xid_start(0x3B1) && !ty_unicode_is_xid_start('1') && ty_unicode_is_xid_continue('1'));
    CHECK(ty_unicode_3_2_is_assigned('a') && !ty_unicode_3_2_is_assigned(0x1F600));
    CHECK(strcmp(ty_unicode_3_2_category(0x2C6), "Sk") == 0);
}

static void check_case(void)
{
    uint32_t out[3];
    CHECK(ty_unicode_to_upper('a') == 'A' && ty_unicode_to_lower(0x130) == 'i');
    CHECK(ty_unicode_full_upper(0xDF, out) == 2 && out[0] == 'S' && out[1] == 'S');
    CHECK(ty_unicode_full_title(0xFB03, out) == 3 && out[0] == 'F' && out[2] == 'i');
    CHECK(ty_unicode_full_fold(0x13A0, out) == 1 && out[0] == 0x13A0);
    CHECK(ty_unicode_full_fold(0xAB70, out) == 1 && out[0] == 0x13A0);
    CHECK(ty_unicode_full_lower('1', out) == 1 && out[0] == '1');
}

static void check_form(TyNormalForm form, const uint32_t *text, size_t length, const uint32_t *expected, size_t expected_length)
{
    size_t got_length;
    uint32_t *got = ty_unicode_normalize(form, text, length, &got_length);
    CHECK(got && got_length == expected_length && memcmp(got, expected, expected_length * sizeof *got) == 0);
    CHECK(ty_unicode_is_normalized(form, expected, expected_length) == 1);
    CHECK(ty_unicode_is_normalized(form, text, length) ==
          (length == expected_length && memcmp(text, expected, length * sizeof *text) == 0));
    free(got);
}
#define FORM(form, text, expected)                                                                            \
    check_form(form, text, sizeof text / sizeof *text - 1, expected, sizeof expected / sizeof *expected - 1)

static void check_forms(void)
{
    FORM(TY_NFC, U"a\u0301", U"\u00E1");
    FORM(TY_NFD, U"\u00E1", U"a\u0301");
    FORM(TY_NFD, U"\u1E69", U"s\u0323\u0307");
    FORM(TY_NFC, U"s\u0307\u0323", U"\u1E69");
    FORM(TY_NFKC, U"\uFB01\u00B2", U"fi2");
    FORM(TY_NFC, U"\u1100\u1161\u11A8", U"\uAC01");
    FORM(TY_NFD, U"\uAC01", U"\u1100\u1161\u11A8");
    FORM(TY_NFC, U"\u0958", U"\u0915\u093C");
    FORM(TY_NFC, U"", U"");
    FORM(TY_NFC, U"abc", U"abc");
    /* A run of marks in the wrong order, longer than what is sorted by insertion. */
    uint32_t marks[1001], sorted[1001];
    marks[0] = sorted[0] = 'x';
    for (int i = 0; i < 1000; i++) {
        marks[1 + i] = i % 2 ? 0x327 : 0x301;
        sorted[1 + i] = i < 500 ? 0x327 : 0x301;
    }
    check_form(TY_NFD, marks, 1001, sorted, 1001);
}

int main(void)
{
    check_names();
    check_properties();
    check_case();
    check_forms();
    return unit_end();
}
