/* From the bytes of a source to UTF-8 with plain line ends: byte order mark, encoding declaration, checks. */

#include "syntax/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "object/str.h"
#include "syntax/tokenizer.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\f'; }

/* The coding declaration in a comment line: its name, or NULL. */
static const char *find_cookie(const char *line, const char *end, size_t *size)
{
    const char *p = line;
    while (p < end && is_space(*p))
        p++;
    if (p == end || *p != '#')
        return NULL;
    for (; end - p > 6; p++) {
        if (memcmp(p, "coding", 6) != 0)
            continue;
        const char *name = p + 6;
        if (*name != ':' && *name != '=')
            continue;
        do
            name++;
        while (name < end && (*name == ' ' || *name == '\t'));
        const char *start = name;
        while (name < end && (((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z') || (*name >= '0' && *name <= '9') ||
                              *name == '-' || *name == '_' || *name == '.'))
            name++;
        if (name > start) {
            *size = name - start;
            return start;
        }
    }
    return NULL;
}

/* Whether a second line may hold the declaration: nothing but space or a comment is on the first. */
static bool is_blank(const char *line, const char *end)
{
    while (line < end && is_space(*line))
        line++;
    return line == end || *line == '#' || *line == '\n' || *line == '\r';
}

typedef enum Encoding { UTF_8, LATIN_1, OTHER } Encoding;

/* Name in small letters with - for _, only as much of it as names with a variant need. */
static Encoding known_encoding(const char *name, size_t size)
{
    char normal[13] = {0};
    for (size_t i = 0; i < size && i < 12; i++)
        normal[i] = name[i] == '_' ? '-' : name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i];
    if (strcmp(normal, "utf-8") == 0 || strncmp(normal, "utf-8-", 6) == 0)
        return UTF_8;
    if (strcmp(normal, "latin1") == 0)
        return LATIN_1;
    static const char *const latin[] = {"latin-1", "iso-8859-1", "iso-latin-1"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(latin[i]);
        if (strncmp(normal, latin[i], length) == 0 && (!normal[length] || normal[length] == '-'))
            return LATIN_1;
    }
    return OTHER;
}

const char *ty_source_cookie(const char *source, size_t size, size_t *cookie_size)
{
    const char *end = source + size;
    for (int line = 0; line < 2 && source < end; line++) {
        const char *line_end = source;
        while (line_end < end && *line_end != '\n' && *line_end != '\r')
            line_end++;
        const char *cookie = find_cookie(source, line_end, cookie_size);
        if (cookie)
            return cookie;
        if (!is_blank(source, line_end))
            return NULL;
        source = line_end + (line_end < end);
        if (source < end && source[-1] == '\r' && *source == '\n')
            source++;
    }
    return NULL;
}

/* Copies with "\n" for every line end, and one at the end if wanted. */
static char *with_plain_lines(TyArena *arena, const char *source, size_t size, bool end_last, size_t *result_size)
{
    char *result = ty_arena_allocate(arena, size + 2);
    if (!result) {
        ty_syntax_raise_memory(NULL);
        return NULL;
    }
    char *out = result;
    const char *end = source + size;
    for (;;) {
        const char *carriage = memchr(source, '\r', end - source);
        size_t plain = (carriage ? carriage : end) - source;
        memcpy(out, source, plain);
        out += plain;
        source += plain;
        if (!carriage)
            break;
        *out++ = '\n';
        source++;
        source += source < end && *source == '\n';
    }
    if (end_last && out > result && out[-1] != '\n')
        *out++ = '\n';
    *out = 0;
    *result_size = out - result;
    return result;
}

static char *from_latin_1(TyArena *arena, const char *source, size_t *size)
{
    char *result = ty_arena_allocate(arena, *size * 2 + 1);
    if (!result) {
        ty_syntax_raise_memory(NULL);
        return NULL;
    }
    uint8_t *out = (uint8_t *)result;
    for (size_t i = 0; i < *size; i++)
        out += ty_utf8_put((uint8_t)source[i], out);
    *size = (char *)out - result;
    return result;
}

/* A byte order mark of UTF-8 before a declaration of something else. */
static void raise_mark_problem(const char *source, size_t size, const char *cookie, const char *name, size_t name_size,
                               Value filename)
{
    /* The declaration is on the first or the second line. */
    int lineno = 1;
    const char *end = memchr(source, '\n', size);
    if (end && end < cookie) {
        lineno = 2;
        size -= end + 1 - source;
        source = end + 1;
        end = memchr(source, '\n', size);
    }
    char message[160];
    snprintf(message, sizeof message, "encoding problem: %.*s with BOM", (int)name_size, name);
    size_t length = end ? (size_t)(end - source) : size;
    TySyntaxErrorPlace place = {
        .filename = filename,
        .lineno = lineno,
        .end_lineno = lineno,
        .end_offset = ty_syntax_characters(source, length),
        .text = source,
        .text_size = length,
    };
    ty_syntax_raise(TY_SYNTAX_ERROR, message, &place);
}

static void raise_not_utf8(const char *source, size_t size, size_t bad, Value filename, bool from_file)
{
    const char *line = source;
    int lineno = 1;
    for (const char *p = source; p < source + bad; p++)
        if (*p == '\n' || (*p == '\r' && !(p + 1 < source + size && p[1] == '\n'))) {
            lineno++;
            line = p + 1;
        }
    const char *end = memchr(line, '\n', source + size - line);
    char message[600], where[400] = "";
    Value holder;
    size_t name_size;
    const char *name = from_file ? ty_str_utf8(filename, &name_size, &holder) : NULL;
    if (name)
        snprintf(where, sizeof where, " in file %s", name);
    snprintf(message, sizeof message,
             "Non-UTF-8 code starting with '\\x%02x'%s on line %d, but no encoding declared; "
             "see https://peps.python.org/pep-0263/ for details", (uint8_t)source[bad], where, lineno);
    int column = ty_syntax_characters(line, source + bad - line) + 1;
    TySyntaxErrorPlace place = {
        .filename = filename,
        .lineno = lineno,
        .offset = column,
        .end_lineno = lineno,
        .end_offset = column,
        .text = line,
        .text_size = (end ? end : source + size) - line,
    };
    ty_syntax_raise(TY_SYNTAX_ERROR, message, &place);
}

static void raise_null(const char *source, const char *null, const TyParseOptions *options)
{
    if (!(options->flags & TY_PARSE_FROM_FILE)) {
        ty_syntax_raise(TY_SYNTAX_ERROR, "source code string cannot contain null bytes", NULL);
        return;
    }
    TySyntaxErrorPlace place = {.filename = options->filename, .lineno = 1, .end_lineno = 1, .text = source};
    for (const char *p = source; p < null; p++)
        if (*p == '\n') {
            place.lineno = place.end_lineno = place.lineno + 1;
            place.text = p + 1;
        }
    place.text_size = (size_t)(null - place.text);
    ty_syntax_raise(TY_SYNTAX_ERROR, "source code cannot contain null bytes", &place);
}

char *ty_source_decode(TyArena *arena, const char *source, size_t size, const TyParseOptions *options,
                       size_t *result_size)
{
    const char *null = memchr(source, 0, size);
    if (null) {
        raise_null(source, null, options);
        return NULL;
    }
    if (size > INT32_MAX / 2) {
        ty_syntax_raise_memory("source is too long");
        return NULL;
    }
    if (!(options->flags & TY_PARSE_IGNORE_COOKIE)) {
        bool marked = size >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0;
        if (marked) {
            source += 3;
            size -= 3;
        }
        size_t cookie_size;
        const char *cookie = ty_source_cookie(source, size, &cookie_size);
        Encoding encoding = cookie ? known_encoding(cookie, cookie_size) : UTF_8;
        if (marked && encoding != UTF_8) {
            raise_mark_problem(source, size, cookie, encoding == LATIN_1 ? "iso-8859-1" : cookie,
                               encoding == LATIN_1 ? 10 : cookie_size, options->filename);
            return NULL;
        }
        if (encoding == LATIN_1) {
            source = from_latin_1(arena, source, &size);
            if (!source)
                return NULL;
        } else if (encoding == OTHER) {
            source = ty_syntax_decode(arena, source, &size, cookie, cookie_size, options->filename);
            if (!source)
                return NULL;
            if (memchr(source, 0, size)) {
                ty_syntax_raise(TY_SYNTAX_ERROR, "source code cannot contain null bytes", NULL);
                return NULL;
            }
        }
    }
    TyUtf8Scan scan;
    if (!ty_utf8_scan((const uint8_t *)source, size, &scan)) {
        /* Lone surrogates come from a str that has them; all else is the fault of bytes. */
        raise_not_utf8(source, size, scan.valid, options->filename, options->flags & TY_PARSE_FROM_FILE);
        return NULL;
    }

    return with_plain_lines(arena, source, size, options->mode == TY_PARSE_FILE, result_size);
}
