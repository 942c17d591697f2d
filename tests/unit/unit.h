/* A C unit test: a program that checks, and ends with a line `N passed, N failed, N skipped`.
 *
 *     int main(void) { CHECK(1 + 1 == 2); CHECK_TEXT(buffer, length, "2"); return unit_end(); } */
#ifndef TYPHON_TESTS_UNIT_H
#define TYPHON_TESTS_UNIT_H

#include <stdio.h>
#include <string.h>

static int unit_passed, unit_failed;

static inline void unit_check(int holds, const char *file, int line, const char *what)
{
    if (holds) {
        unit_passed++;
    } else {
        unit_failed++;
        printf("%s:%d: does not hold: %s\n", file, line, what);
    }
}

static inline void unit_check_text(const char *got, size_t length, const char *expected, const char *file, int line)
{
    if (length == strlen(expected) && memcmp(got, expected, length) == 0) {
        unit_passed++;
    } else {
        unit_failed++;
        printf("%s:%d: expected \"%s\", got \"%.*s\"\n", file, line, expected, (int)length, got);
    }
}

static inline int unit_end(void)
{
    printf("%d passed, %d failed, 0 skipped\n", unit_passed, unit_failed);
    return unit_failed != 0;
}

#define CHECK(condition) unit_check((condition) != 0, __FILE__, __LINE__, #condition)
#define CHECK_TEXT(got, length, expected) unit_check_text((got), (length), (expected), __FILE__, __LINE__)

#endif
