#include "syntax/tokenizer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"

enum { TAB_WIDTH = 8, END_OF_TEXT = 0 };

const char *const ty_token_names[TY_TOKEN_COUNT] = {
#define TY_TOKEN(name) #name,
#include "syntax/token_table.h"
};

/* ---- characters ---------------------------------------------------------------------------------- */

enum { START = 1, DIGIT = 2, HEX = 4, CONTINUE = START | DIGIT };

static const uint8_t classes[256] = {
    ['a' ... 'f'] = START | HEX, ['g' ... 'z'] = START,
    ['A' ... 'F'] = START | HEX, ['G' ... 'Z'] = START,
    ['_'] = START, ['0' ... '9'] = DIGIT | HEX, [128 ... 255] = START,
};

static inline bool may_start_name(char c) { return classes[(uint8_t)c] & START; }
static inline bool may_continue_name(char c) { return classes[(uint8_t)c] & CONTINUE; }
static inline bool is_digit(char c) { return classes[(uint8_t)c] & DIGIT; }
static inline bool is_hex(char c) { return classes[(uint8_t)c] & HEX; }

int ty_syntax_characters(const char *text, size_t size)
{
    int count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((uint8_t)text[i] & 0xC0) != 0x80;
    return count;
}

/* ---- keywords -------------------------------------------------------------------------------------- */

typedef struct Keyword {
    const char *text;
    uint8_t size;
    uint8_t kind;
} Keyword;

/* In alphabetical order, capitals first. */
static const Keyword keywords[] = {
#define TY_KEYWORD(name, text) {text, sizeof text - 1, TY_KEYWORD_##name},
#include "syntax/token_table.h"
};

/* Where the keywords that begin with a letter stand in the table: first and one past the last. */
static const struct { uint8_t first, last; } keywords_at[] = {
#define AT(name) (TY_KEYWORD_##name - TY_TOKEN_FIRST_KEYWORD)
    ['F' - 'A'] = {AT(FALSE), AT(NONE)}, ['N' - 'A'] = {AT(NONE), AT(TRUE)}, ['T' - 'A'] = {AT(TRUE), AT(AND)},
    ['a' - 'A'] = {AT(AND), AT(BREAK)}, ['b' - 'A'] = {AT(BREAK), AT(CLASS)}, ['c' - 'A'] = {AT(CLASS), AT(DEF)},
    ['d' - 'A'] = {AT(DEF), AT(ELIF)}, ['e' - 'A'] = {AT(ELIF), AT(FINALLY)},
    ['f' - 'A'] = {AT(FINALLY), AT(GLOBAL)}, ['g' - 'A'] = {AT(GLOBAL), AT(IF)}, ['i' - 'A'] = {AT(IF), AT(LAMBDA)},
    ['l' - 'A'] = {AT(LAMBDA), AT(NONLOCAL)}, ['n' - 'A'] = {AT(NONLOCAL), AT(OR)}, ['o' - 'A'] = {AT(OR), AT(PASS)},
    ['p' - 'A'] = {AT(PASS), AT(RAISE)}, ['r' - 'A'] = {AT(RAISE), AT(TRY)}, ['t' - 'A'] = {AT(TRY), AT(WHILE)},
    ['w' - 'A'] = {AT(WHILE), AT(YIELD)}, ['y' - 'A'] = {AT(YIELD), AT(YIELD) + 1},
    ['z' - 'A'] = {0, 0},
#undef AT
};

TyTokenKind ty_keyword_lookup(const char *text, size_t size)
{
    if (size < 2 || size > 8 || text[0] < 'A' || text[0] > 'z')
        return TY_TOKEN_NAME;
    unsigned last = keywords_at[text[0] - 'A'].last;
    for (unsigned i = keywords_at[text[0] - 'A'].first; i < last; i++)
        if (keywords[i].size == size && keywords[i].text[1] == text[1] && memcmp(keywords[i].text, text, size) == 0)
            return keywords[i].kind;
    return TY_TOKEN_NAME;
}

/* ---- beginning and end ------------------------------------------------------------------------------ */

static bool initialize(TyTokenizer *t, Value filename)
{
    memset(t, 0, sizeof *t);
    t->filename = filename;
    t->at_line_start = true;
    t->line_ended = true;
    t->mode_capacity = 4;
    t->modes = calloc(t->mode_capacity, sizeof *t->modes);
    if (t->modes)
        return true;
    ty_syntax_raise_memory(NULL);
    return false;
}

bool ty_tokenizer_init(TyTokenizer *t, const char *text, size_t size, Value filename)
{
    if (!initialize(t, filename))
        return false;
    t->buffer = t->cursor = t->line_start = text;
    t->end = text + size;
    return true;
}

bool ty_tokenizer_init_reader(TyTokenizer *t, bool (*read_line)(void *, const char **, size_t *), void *context,
                              Value filename)
{
    if (!initialize(t, filename))
        return false;
    t->owned_capacity = 1024;
    t->owned = calloc(1, t->owned_capacity);
    if (!t->owned) {
        ty_tokenizer_free(t);
        ty_syntax_raise_memory(NULL);
        return false;
    }
    t->buffer = t->cursor = t->end = t->line_start = t->owned;
    t->read_line = read_line;
    t->read_context = context;
    return true;
}

void ty_tokenizer_free(TyTokenizer *t)
{
    free(t->owned);
    free(t->modes);
    t->owned = NULL;
    t->modes = NULL;
}

/* ---- errors ------------------------------------------------------------------------------------------- */

static void raise_in_line(TyTokenizer *t, int column, int end_column, const char *message)
{
    const char *line_end = strchr(t->line_start, '\n');
    size_t line_size = line_end ? (size_t)(line_end - t->line_start) : strlen(t->line_start);
    if (column < 0)
        column = end_column = (int)(t->cursor - t->line_start);
    if (end_column < 0)
        end_column = column;
    TySyntaxErrorPlace place = {
        .filename = t->filename,
        .lineno = t->lineno,
        .offset = ty_syntax_characters(t->line_start, column),
        .end_lineno = t->lineno,
        .end_offset = ty_syntax_characters(t->line_start, end_column),
        .text = t->line_start,
        .text_size = line_size,
    };
    ty_syntax_raise(TY_SYNTAX_ERROR, message, &place);
    t->failure = TY_TOKENIZE_RAISED;
}

void ty_tokenizer_raise(TyTokenizer *t, int column, int end_column, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    raise_in_line(t, column, end_column, message);
}

/* Raises at the cursor. */
__attribute__((format(printf, 2, 3))) static TyTokenKind fail(TyTokenizer *t, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    raise_in_line(t, -1, -1, message);
    return TY_TOKEN_ERRORTOKEN;
}

static TyTokenKind fail_with(TyTokenizer *t, TyTokenizeFailure failure)
{
    t->failure = failure;
    return TY_TOKEN_ERRORTOKEN;
}

int ty_tokenizer_warn(TyTokenizer *t, const char *message, int lineno)
{
    if (t->silent_warnings || !t->warn)
        return 1;
    int outcome = t->warn(t->warn_context, false, message, t->filename, lineno);
    if (outcome < 0)
        t->failure = TY_TOKENIZE_RAISED;
    return outcome;
}

static bool warn_escape(TyTokenizer *t, char c)
{
    char message[200];
    snprintf(message, sizeof message, TY_INVALID_ESCAPE_WARNING, c, c);
    int outcome = ty_tokenizer_warn(t, message, t->lineno);
    if (outcome == 0)
        fail(t, TY_INVALID_ESCAPE_ERROR, c, c);
    return outcome > 0;
}

/* ---- lines -------------------------------------------------------------------------------------------- */

static bool grow_owned(TyTokenizer *t, size_t needed)
{
    if (needed <= t->owned_capacity)
        return true;
    size_t capacity = t->owned_capacity * 2 > needed ? t->owned_capacity * 2 : needed;
    char *grown = capacity < UINT32_MAX ? realloc(t->owned, capacity) : NULL;
    if (!grown) {
        ty_syntax_raise_memory(NULL);
        t->failure = TY_TOKENIZE_RAISED;
        return false;
    }
    ptrdiff_t shift = grown - t->buffer;
    t->owned = grown;
    t->owned_capacity = capacity;
    t->buffer = grown;
    t->cursor += shift;
    t->end += shift;
    t->line_start += shift;
    if (t->text_start)
        t->text_start += shift;
    if (t->token_start)
        t->token_start += shift;
    if (t->first_line_start)
        t->first_line_start += shift;
    return true;
}

/* Appends the next line of the reader to the buffer. False: an exception is set. */
static bool read_more(TyTokenizer *t)
{
    const char *line;
    size_t size;
    if (!t->read_line(t->read_context, &line, &size)) {
        t->failure = TY_TOKENIZE_RAISED;
        return false;
    }
    const char *null = memchr(line, 0, size);
    if (null)
        size = null - line;
    if (!grow_owned(t, (t->end - t->buffer) + size + 2))
        return false;
    char *out = t->owned + (t->end - t->buffer);
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\r') {
            *out++ = '\n';
            i += i + 1 < size && line[i + 1] == '\n';
        } else {
            *out++ = line[i];
        }
    }
    t->implicit_newline = false;
    t->crlf = size > 1 && line[size - 2] == '\r' && line[size - 1] == '\n';
    if (size && out[-1] != '\n') {
        *out++ = '\n';
        t->implicit_newline = true;
    }
    *out = 0;
    t->end = out;
    if (null) {
        t->lineno++;
        t->line_start = t->cursor;
        ty_tokenizer_raise(t, -1, -1, "source code cannot contain null bytes");
        return false;
    }
    return true;
}

/* After a line's end was taken: the next character begins a line, if there is one. False: an exception is set. */
static bool begin_line(TyTokenizer *t)
{
    if (t->cursor == t->end) {
        if (!t->read_line)
            return true;
        if (!read_more(t))
            return false;
        if (t->cursor == t->end)
            return true;
    }
    if (!t->token_start)
        t->text_start = t->cursor;
    t->line_ended = false;
    t->lineno++;
    t->line_start = t->cursor;
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------- */

/* One code point, leniently: the text may have come from a reader and not be checked. 0: malformed. */
static int decode_one(const char *text, uint32_t *c)
{
    const uint8_t *bytes = (const uint8_t *)text;
    int size = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    for (int i = 1; i < size; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return ty_utf8_next(bytes, c);
}

static TyTokenKind fail_on_character(TyTokenizer *t, const char *text, int size, uint32_t c)
{
    if (ty_unicode_is_printable(c))
        return fail(t, "invalid character '%.*s' (U+%04X)", size, text, c);
    return fail(t, "invalid non-printable character U+%04X", c);
}

/* A name with other than ASCII characters: whether they may stand where they do. */
static bool check_name(TyTokenizer *t)
{
    const char *end = t->cursor;
    bool first = true;
    for (const char *p = t->token_start; p < end; first = false) {
        uint32_t c;
        int size = decode_one(p, &c);
        if (!size) {
            t->cursor = p + 1;
            fail(t, "invalid character in identifier");
            return false;
        }
        if (c != '_' && !(first ? ty_unicode_is_xid_start(c) : ty_unicode_is_xid_continue(c))) {
            t->cursor = p + size;
            fail_on_character(t, p, size, c);
            return false;
        }
        p += size;
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* Reads digits with single underscores between them. */
static bool digits(TyTokenizer *t, const char *what)
{
    for (;;) {
        while (is_digit(*t->cursor))
            t->cursor++;
        if (*t->cursor != '_')
            return true;
        t->cursor++;
        if (!is_digit(*t->cursor)) {
            fail(t, "invalid %s literal", what);
            return false;
        }
    }
}

/*
 * What stands right after a number. A keyword that could follow a number after a space may follow, with a
 * warning; another name may not.
 */
static bool number_ends(TyTokenizer *t, const char *what)
{
    if (t->extra_tokens)
        return true;
    static const char *const followers[] = {"and", "else", "for", "if", "in", "is", "not", "or"};
    char c = *t->cursor;
    bool known = false;
    if (c >= 'a' && c <= 'o')
        for (size_t i = 0; i < sizeof followers / sizeof *followers; i++) {
            /* Those that begin with i are known by two letters, the others must end there. */
            size_t size = strlen(followers[i]);
            known |= strncmp(t->cursor, followers[i], size) == 0 && (c == 'i' || !may_continue_name(t->cursor[size]));
        }
    if (known) {
        char message[64];
        snprintf(message, sizeof message, "invalid %s literal", what);
        int outcome = ty_tokenizer_warn(t, message, t->lineno);
        if (outcome == 0)
            fail(t, "%s", message);
        return outcome > 0;
    }
    if ((uint8_t)c < 128 && may_continue_name(c)) {
        /* The error points at the last character of the number. */
        fail(t, "invalid %s literal", what);
        return false;
    }
    return true;
}

/* After the digits of the integer part: fraction, exponent and j. */
static TyTokenKind number_tail(TyTokenizer *t)
{
    const char *what = "decimal";
    if (*t->cursor == '.') {
        t->cursor++;
        if (is_digit(*t->cursor) && !digits(t, what))
            return TY_TOKEN_ERRORTOKEN;
    }
    if (*t->cursor == 'e' || *t->cursor == 'E') {
        const char *exponent = t->cursor;
        t->cursor++;
        if (*t->cursor == '+' || *t->cursor == '-') {
            t->cursor++;
            if (!is_digit(*t->cursor))
                return fail(t, "invalid %s literal", what);
        } else if (!is_digit(*t->cursor)) {
            t->cursor = exponent;
            return number_ends(t, what) ? TY_TOKEN_NUMBER : TY_TOKEN_ERRORTOKEN;
        }
        if (!digits(t, what))
            return TY_TOKEN_ERRORTOKEN;
    }
    if (*t->cursor == 'j' || *t->cursor == 'J') {
        t->cursor++;
        what = "imaginary";
    }
    return number_ends(t, what) ? TY_TOKEN_NUMBER : TY_TOKEN_ERRORTOKEN;
}

static bool is_base_digit(char c, int base)
{
    return base == 16 ? is_hex(c) : c >= '0' && c < '0' + base;
}

/* After 0x, 0o or 0b. */
static TyTokenKind number_with_base(TyTokenizer *t, int base, const char *what)
{
    t->cursor++;
    do {
        if (*t->cursor == '_')
            t->cursor++;
        char c = *t->cursor;
        if (!is_base_digit(c, base)) {
            if (is_digit(c)) {
                t->cursor++;
                return fail(t, "invalid digit '%c' in %s literal", c, what);
            }
            return fail(t, "invalid %s literal", what);
        }
        while (is_base_digit(*t->cursor, base))
            t->cursor++;
    } while (*t->cursor == '_');
    char c = *t->cursor;
    if (is_digit(c)) {
        t->cursor++;
        return fail(t, "invalid digit '%c' in %s literal", c, what);
    }
    return number_ends(t, what) ? TY_TOKEN_NUMBER : TY_TOKEN_ERRORTOKEN;
}

/* A number that begins with 0: only zeros may follow in a decimal integer. */
static TyTokenKind number_from_zero(TyTokenizer *t)
{
    t->cursor++;
    switch (*t->cursor) {
    case 'x': case 'X': return number_with_base(t, 16, "hexadecimal");
    case 'o': case 'O': return number_with_base(t, 8, "octal");
    case 'b': case 'B': return number_with_base(t, 2, "binary");
    }
    for (;;) {
        if (*t->cursor == '_') {
            t->cursor++;
            if (!is_digit(*t->cursor))
                return fail(t, "invalid decimal literal");
        }
        if (*t->cursor != '0')
            break;
        t->cursor++;
    }
    const char *zeros_end = t->cursor;
    bool nonzero = is_digit(*t->cursor);
    if (nonzero && !digits(t, "decimal"))
        return TY_TOKEN_ERRORTOKEN;
    char c = *t->cursor;
    if (c == '.' || c == 'e' || c == 'E' || c == 'j' || c == 'J')
        return number_tail(t);
    if (nonzero && !t->extra_tokens) {
        ty_tokenizer_raise(t, (int)(t->token_start + 1 - t->line_start), (int)(zeros_end + 1 - t->line_start),
                           "leading zeros in decimal integer literals are not permitted; "
                           "use an 0o prefix for octal integers");
        return TY_TOKEN_ERRORTOKEN;
    }
    return number_ends(t, "decimal") ? TY_TOKEN_NUMBER : TY_TOKEN_ERRORTOKEN;
}

static TyTokenKind number(TyTokenizer *t)
{
    if (*t->cursor == '0')
        return number_from_zero(t);
    if (*t->cursor != '.' && !digits(t, "decimal"))
        return TY_TOKEN_ERRORTOKEN;
    return number_tail(t);
}

/* ---- strings ------------------------------------------------------------------------------------------- */

static inline TyStringMode *current_mode(TyTokenizer *t) { return &t->modes[t->mode]; }

/* Moves the position back to where a string began, so that an error points there; returns the present line. */
static int return_to(TyTokenizer *t, const char *start, const char *line_start, int lineno)
{
    int detected = t->lineno;
    t->cursor = start + 1;
    t->line_start = line_start;
    t->lineno = lineno;
    return detected;
}

/* A string without replacement fields; the cursor is at its quote. */
static TyTokenKind string(TyTokenizer *t)
{
    char quote = *t->cursor;
    int quote_size = 1;
    bool escaped_quote = false;
    t->first_lineno = t->lineno;
    t->first_line_start = t->line_start;
    if (t->cursor[1] == quote) {
        if (t->cursor[2] != quote) {
            t->cursor += 2;
            return TY_TOKEN_STRING;
        }
        quote_size = 3;
    }
    t->cursor += quote_size;
    for (int quotes = 0; quotes < quote_size;) {
        char c = *t->cursor;
        if (c == END_OF_TEXT || (c == '\n' && quote_size == 1)) {
            t->at_end = c == END_OF_TEXT;
            int detected = return_to(t, t->token_start, t->first_line_start, t->first_lineno);
            if (quote_size == 3)
                return fail(t, "unterminated triple-quoted string literal (detected at line %d)", detected);
            /* At the quote that ends the surrounding f-string, it is the replacement field that lacks its end. */
            TyStringMode *mode = current_mode(t);
            if (t->mode && mode->quote == quote && mode->quote_size == quote_size)
                return fail(t, "%c-string: expecting '}'", mode->letter);
            return fail(t, "unterminated string literal (detected at line %d)%s", detected,
                        escaped_quote ? "; perhaps you escaped the end quote?" : "");
        }
        t->cursor++;
        if (c == quote) {
            quotes++;
            continue;
        }
        quotes = 0;
        if (c == '\\') {
            c = *t->cursor;
            escaped_quote |= c == quote;
            if (c != END_OF_TEXT)
                t->cursor++;
        }
        if (c == '\n' && !begin_line(t))
            return TY_TOKEN_ERRORTOKEN;
    }
    return TY_TOKEN_STRING;
}

/* Enters an f- or t-string; the cursor is at its quote. */
static TyTokenKind begin_template(TyTokenizer *t, char letter, bool raw)
{
    if (t->mode + 1 >= TY_TOKENIZE_MAX_STRINGS)
        return fail(t, "too many nested f-strings or t-strings");
    if (t->mode + 1 == t->mode_capacity) {
        TyStringMode *grown = realloc(t->modes, 2 * t->mode_capacity * sizeof *grown);
        if (!grown) {
            ty_syntax_raise_memory(NULL);
            return fail_with(t, TY_TOKENIZE_RAISED);
        }
        t->modes = grown;
        t->mode_capacity *= 2;
    }
    char quote = *t->cursor;
    int quote_size = t->cursor[1] == quote && t->cursor[2] == quote ? 3 : 1;
    t->cursor += quote_size;
    t->modes[++t->mode] = (TyStringMode){
        .in_text = true,
        .raw = raw,
        .letter = letter,
        .quote = quote,
        .quote_size = quote_size,
        .field_start = -1,
        .start = (uint32_t)(t->token_start - t->buffer),
        .line_start = (uint32_t)(t->line_start - t->buffer),
        .lineno = t->lineno,
    };
    return letter == 'f' ? TY_TOKEN_FSTRING_START : TY_TOKEN_TSTRING_START;
}

static bool enter_field(TyTokenizer *t, TyStringMode *mode)
{
    mode->field_start++;
    if (mode->field_start >= TY_TOKENIZE_MAX_REPLACEMENTS) {
        fail(t, "%c-string: expressions nested too deeply", mode->letter);
        return false;
    }
    mode->in_text = false;
    return true;
}

static TyTokenKind unterminated_template(TyTokenizer *t, TyStringMode *mode)
{
    t->at_end = *t->cursor == END_OF_TEXT && mode->quote_size == 3;
    int detected = return_to(t, t->buffer + mode->start, t->buffer + mode->line_start, mode->lineno);
    if (mode->quote_size == 3)
        return fail(t, "unterminated triple-quoted %c-string literal (detected at line %d)", mode->letter, detected);
    return fail(t, "unterminated %c-string literal (detected at line %d)", mode->letter, detected);
}

static TyTokenKind normal_token(TyTokenizer *t, const char **end);

/*
 * The next token inside the text of an f- or t-string. A doubled brace ends a token after its first brace, so the
 * token's end is not always where reading goes on.
 */
static TyTokenKind template_token(TyTokenizer *t, const char **end)
{
    TyStringMode *mode = current_mode(t);
    TyTokenKind middle = mode->letter == 'f' ? TY_TOKEN_FSTRING_MIDDLE : TY_TOKEN_TSTRING_MIDDLE;
    t->token_start = t->cursor;
    t->first_lineno = t->lineno;
    t->first_line_start = t->line_start;
    if (t->line_ended) {
        if (!begin_line(t))
            return TY_TOKEN_ERRORTOKEN;
        t->token_start = t->cursor;
        t->first_lineno = t->lineno;
        t->first_line_start = t->line_start;
    }

    if (t->cursor[0] == '{' && t->cursor[1] != '{') {
        if (!enter_field(t, mode))
            return TY_TOKEN_ERRORTOKEN;
        return normal_token(t, end);
    }
    int quotes = 0;
    while (quotes < mode->quote_size && t->cursor[quotes] == mode->quote)
        quotes++;
    if (quotes == mode->quote_size) {
        t->cursor += quotes;
        t->mode--;
        *end = t->cursor;
        return mode->letter == 'f' ? TY_TOKEN_FSTRING_END : TY_TOKEN_TSTRING_END;
    }

    bool named_escape = false;
    for (quotes = 0; quotes < mode->quote_size;) {
        char c = *t->cursor;
        bool in_format = mode->in_format && mode->field_start >= 0;
        if (c == END_OF_TEXT || (c == '\n' && mode->quote_size == 1)) {
            if (in_format && c == '\n') {
                t->cursor++;
                return fail(t, "%c-string: newlines are not allowed in format specifiers for single quoted %c-strings",
                            mode->letter, mode->letter);
            }
            return unterminated_template(t, mode);
        }
        t->cursor++;
        if (c == mode->quote) {
            quotes++;
            continue;
        }
        quotes = 0;
        if (c == '\n') {
            if (!begin_line(t))
                return TY_TOKEN_ERRORTOKEN;
            mode = current_mode(t);
        } else if (c == '{') {
            if (*t->cursor == '{' && !in_format) {
                *end = t->cursor++;
            } else {
                *end = --t->cursor;
                if (!enter_field(t, mode))
                    return TY_TOKEN_ERRORTOKEN;
            }
            return middle;
        } else if (c == '}') {
            if (named_escape) {
                *end = t->cursor;
                return middle;
            }
            if (*t->cursor == '}' && !in_format && mode->brackets == 0) {
                *end = t->cursor++;
            } else {
                *end = --t->cursor;
                mode->in_text = false;
            }
            return middle;
        } else if (c == '\\') {
            char next = *t->cursor;
            if (next == '{' || next == '}') {
                if (!mode->raw) {
                    t->cursor++;
                    if (!warn_escape(t, next))
                        return TY_TOKEN_ERRORTOKEN;
                    t->cursor--;
                }
                continue;
            }
            if (next == END_OF_TEXT)
                continue;
            t->cursor++;
            if (next == '\n') {
                if (!begin_line(t))
                    return TY_TOKEN_ERRORTOKEN;
            } else if (next == 'N' && !mode->raw && *t->cursor == '{') {
                t->cursor++;
                named_escape = true;
            }
        }
    }
    t->cursor -= quotes;
    *end = t->cursor;
    return middle;
}

/* ---- names and prefixes of strings ---------------------------------------------------------------------- */

static TyTokenKind fail_on_prefixes(TyTokenizer *t, char first, char second)
{
    ty_tokenizer_raise(t, (int)(t->token_start + 1 - t->line_start), (int)(t->cursor - t->line_start),
                       "'%c' and '%c' prefixes are incompatible", first, second);
    return TY_TOKEN_ERRORTOKEN;
}

/* A name, a keyword, or a string with a prefix. */
static TyTokenKind name_or_string(TyTokenizer *t)
{
    bool b = false, r = false, u = false, f = false, template = false;
    const char *p = t->cursor;
    bool maybe_prefix = true;
    uint8_t seen = 0;
    while (may_continue_name(*p)) {
        char c = *p++;
        seen |= (uint8_t)c;
        if (!maybe_prefix)
            continue;
        /* Each letter once; which of them agree is seen at the quote. */
        switch (c | 0x20) {
        case 'b': maybe_prefix = !b; b = true; break;
        case 'u': maybe_prefix = !u; u = true; break;
        case 'r': maybe_prefix = !r; r = true; break;
        case 'f': maybe_prefix = !f; f = true; break;
        case 't': maybe_prefix = !template; template = true; break;
        default: maybe_prefix = false;
        }
        if (maybe_prefix && (*p == '"' || *p == '\'')) {
            t->cursor = p + 1;
            if (u && b)
                return fail_on_prefixes(t, 'u', 'b');
            if (u && r)
                return fail_on_prefixes(t, 'u', 'r');
            if (u && f)
                return fail_on_prefixes(t, 'u', 'f');
            if (u && template)
                return fail_on_prefixes(t, 'u', 't');
            if (b && f)
                return fail_on_prefixes(t, 'b', 'f');
            if (b && template)
                return fail_on_prefixes(t, 'b', 't');
            if (f && template)
                return fail_on_prefixes(t, 'f', 't');
            t->cursor = p;
            if (f || template)
                return begin_template(t, f ? 'f' : 't', r);
            return string(t);
        }
    }
    t->cursor = p;
    if (seen >= 128 && !t->extra_tokens)
        return check_name(t) ? TY_TOKEN_NAME : TY_TOKEN_ERRORTOKEN;
    return ty_keyword_lookup(t->token_start, p - t->token_start);
}

/* ---- lines and indentation --------------------------------------------------------------------------------- */

/* After a backslash outside strings: a line's end, and text after it, must follow. */
static bool continue_line(TyTokenizer *t)
{
    if (*t->cursor != '\n') {
        t->cursor += *t->cursor != END_OF_TEXT;
        t->failure = TY_TOKENIZE_CONTINUATION;
        return false;
    }
    t->cursor++;
    if (!begin_line(t))
        return false;
    if (*t->cursor == END_OF_TEXT) {
        t->at_end = true;
        t->failure = TY_TOKENIZE_EOF;
        return false;
    }
    return true;
}

/* Compares the columns of a line with the block's; fills pending. */
static bool indentation(TyTokenizer *t, int column, int alternate)
{
    if (column == t->indents[t->indent]) {
        if (alternate != t->alternate_indents[t->indent])
            goto tabs;
    } else if (column > t->indents[t->indent]) {
        if (t->indent + 1 >= TY_TOKENIZE_MAX_INDENT) {
            t->failure = TY_TOKENIZE_TOO_DEEP;
            t->cursor = t->end;
            return false;
        }
        if (alternate <= t->alternate_indents[t->indent])
            goto tabs;
        t->pending++;
        t->indents[++t->indent] = column;
        t->alternate_indents[t->indent] = alternate;
    } else {
        while (t->indent > 0 && column < t->indents[t->indent]) {
            t->pending--;
            t->indent--;
        }
        if (column != t->indents[t->indent]) {
            t->failure = TY_TOKENIZE_DEDENT;
            t->cursor = t->line_start + strcspn(t->line_start, "\n");
            t->cursor += *t->cursor == '\n';
            return false;
        }
        if (alternate != t->alternate_indents[t->indent])
            goto tabs;
    }
    return true;
tabs:
    t->failure = TY_TOKENIZE_TABS;
    return false;
}

/* Reads the space that begins a line. False after a failure. */
static bool begin_of_line(TyTokenizer *t)
{
    int column = 0, alternate = 0, continued_column = 0;
    t->blank_line = false;
    t->at_line_start = false;
    for (;;) {
        char c = *t->cursor;
        if (c == ' ') {
            column++;
            alternate++;
        } else if (c == '\t') {
            column = (column / TAB_WIDTH + 1) * TAB_WIDTH;
            alternate++;
        } else if (c == '\f') {
            column = alternate = 0;
        } else if (c == '\\') {
            /* The indentation of a continued line is that of its first part. */
            continued_column = continued_column ? continued_column : column;
            t->cursor++;
            if (!continue_line(t))
                return false;
            continue;
        } else {
            break;
        }
        t->cursor++;
    }
    char c = *t->cursor;
    t->at_end |= c == END_OF_TEXT;
    if (c == '#' || c == '\n') {
        /* Lines without code have no indentation, but an empty one ends a block that a person types. */
        if (column == 0 && c == '\n' && t->interactive)
            t->blank_line = false;
        else if (t->interactive && t->lineno == 1)
            column = alternate = 0;
        else
            t->blank_line = true;
    }
    if (t->blank_line || t->level > 0)
        return true;
    return indentation(t, continued_column ? continued_column : column,
                       continued_column ? continued_column : alternate);
}

/* ---- comments ------------------------------------------------------------------------------------------- */

/* A comment at the cursor: TYPE_COMMENT, TYPE_IGNORE, COMMENT, or ENDMARKER where it is no token. */
static TyTokenKind comment(TyTokenizer *t, const char **end)
{
    const char *p = strchr(t->cursor, '\n');
    const char *start = t->cursor;
    t->cursor = p ? p : t->end;
    *end = t->cursor;
    if (t->extra_tokens)
        return TY_TOKEN_COMMENT;
    if (!t->type_comments)
        return TY_TOKEN_ENDMARKER;

    /* "# type: ", any space allowed where one stands. */
    for (const char *prefix = "# type: "; *prefix; prefix++) {
        if (*prefix == ' ') {
            while (*start == ' ' || *start == '\t')
                start++;
        } else if (*start++ != *prefix) {
            return TY_TOKEN_ENDMARKER;
        }
    }
    const char *after_ignore = start + 6;
    if (t->cursor >= after_ignore && memcmp(start, "ignore", 6) == 0 &&
        !(t->cursor > after_ignore && ((uint8_t)*after_ignore >= 128 ||
                                       (classes[(uint8_t)*after_ignore] & CONTINUE && *after_ignore != '_')))) {
        t->token_start = after_ignore;
        if (t->blank_line && *t->cursor == '\n') {
            t->cursor++;
            t->at_line_start = t->line_ended = true;
            *end = t->cursor;
        }
        return TY_TOKEN_TYPE_IGNORE;
    }
    t->token_start = start;
    return TY_TOKEN_TYPE_COMMENT;
}

/* ---- operators -------------------------------------------------------------------------------------------- */

/* Kinds of one character, alone, before '=' and doubled, and doubled before '='. */
typedef struct Operator {
    uint8_t alone, assign, twice, twice_assign;
} Operator;

#define T(name) TY_TOKEN_##name
static const Operator operators[128] = {
    ['('] = {T(LPAR)}, [')'] = {T(RPAR)}, ['['] = {T(LSQB)}, [']'] = {T(RSQB)}, ['{'] = {T(LBRACE)},
    ['}'] = {T(RBRACE)}, [','] = {T(COMMA)}, [';'] = {T(SEMI)}, ['~'] = {T(TILDE)}, ['.'] = {T(DOT)},
    [':'] = {T(COLON), T(COLONEQUAL)}, ['='] = {T(EQUAL), T(EQEQUAL)}, ['!'] = {T(EXCLAMATION), T(NOTEQUAL)},
    ['+'] = {T(PLUS), T(PLUSEQUAL)}, ['-'] = {T(MINUS), T(MINEQUAL)}, ['%'] = {T(PERCENT), T(PERCENTEQUAL)},
    ['&'] = {T(AMPER), T(AMPEREQUAL)}, ['|'] = {T(VBAR), T(VBAREQUAL)}, ['^'] = {T(CIRCUMFLEX), T(CIRCUMFLEXEQUAL)},
    ['@'] = {T(AT), T(ATEQUAL)}, ['*'] = {T(STAR), T(STAREQUAL), T(DOUBLESTAR), T(DOUBLESTAREQUAL)},
    ['/'] = {T(SLASH), T(SLASHEQUAL), T(DOUBLESLASH), T(DOUBLESLASHEQUAL)},
    ['<'] = {T(LESS), T(LESSEQUAL), T(LEFTSHIFT), T(LEFTSHIFTEQUAL)},
    ['>'] = {T(GREATER), T(GREATEREQUAL), T(RIGHTSHIFT), T(RIGHTSHIFTEQUAL)},
    ['$'] = {T(OP)}, ['?'] = {T(OP)}, ['`'] = {T(OP)},
};
#undef T

static TyTokenKind opening(TyTokenizer *t, char c)
{
    if (t->level >= TY_TOKENIZE_MAX_LEVEL) {
        t->cursor++;
        return fail(t, "too many nested parentheses");
    }
    t->brackets[t->level] = c;
    t->bracket_linenos[t->level] = t->lineno;
    t->bracket_columns[t->level] = (int)(t->token_start - t->line_start);
    t->level++;
    if (t->mode)
        current_mode(t)->brackets++;
    t->cursor++;
    return operators[(uint8_t)c].alone;
}

static TyTokenKind closing(TyTokenizer *t, char c)
{
    TyStringMode *mode = current_mode(t);
    t->cursor++;
    if (t->mode && !mode->brackets && c == '}')
        return fail(t, "%c-string: single '}' is not allowed", mode->letter);
    if (!t->level && t->extra_tokens)
        return operators[(uint8_t)c].alone;
    if (!t->level)
        return fail(t, "unmatched '%c'", c);
    t->level--;
    char open = t->brackets[t->level];
    if (!((open == '(' && c == ')') || (open == '[' && c == ']') || (open == '{' && c == '}'))) {
        if (t->mode && open == '{' && mode->brackets - 1 == mode->field_start)
            return fail(t, "%c-string: unmatched '%c'", mode->letter, c);
        if (t->bracket_linenos[t->level] != t->lineno)
            return fail(t, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, open,
                        t->bracket_linenos[t->level]);
        return fail(t, "closing parenthesis '%c' does not match opening parenthesis '%c'", c, open);
    }
    if (t->mode) {
        mode->brackets--;
        if (c == '}' && mode->brackets == mode->field_start) {
            mode->field_start--;
            mode->in_text = true;
            mode->in_format = false;
            mode->in_debug = false;
        }
    }
    return operators[(uint8_t)c].alone;
}

static TyTokenKind operator_token(TyTokenizer *t)
{
    const char *p = t->cursor;
    char c = *p;
    Operator op = operators[(uint8_t)c];
    switch (c) {
    case '(': case '[': case '{':
        return opening(t, c);
    case ')': case ']': case '}':
        return closing(t, c);
    case '.':
        t->cursor += p[1] == '.' && p[2] == '.' ? 3 : 1;
        return t->cursor - p == 3 ? TY_TOKEN_ELLIPSIS : TY_TOKEN_DOT;
    case ':':
        /* In a replacement field outside other brackets it begins the format specification. */
        if (t->mode && current_mode(t)->brackets - 1 == current_mode(t)->field_start) {
            current_mode(t)->in_text = true;
            current_mode(t)->in_format = true;
            t->cursor++;
            return TY_TOKEN_COLON;
        }
        break;
    case '=':
        if (t->mode && p[1] != '=' && current_mode(t)->brackets - 1 == current_mode(t)->field_start)
            current_mode(t)->in_debug = true;
        break;
    case '-':
        if (p[1] == '>') {
            t->cursor += 2;
            return TY_TOKEN_RARROW;
        }
        break;
    }
    if (op.twice && p[1] == c) {
        if (p[2] == '=') {
            t->cursor += 3;
            return op.twice_assign;
        }
        t->cursor += 2;
        return op.twice;
    }
    if (op.assign && p[1] == '=') {
        t->cursor += 2;
        return op.assign;
    }
    t->cursor++;
    if (!op.alone)
        return fail(t, "invalid non-printable character U+%04X", (unsigned)(uint8_t)c);
    return op.alone;
}

/* ---- ordinary text ------------------------------------------------------------------------------------------ */

/* The token at the cursor, outside the text of f- and t-strings. ENDMARKER also where the failure says more. */
static TyTokenKind normal_token(TyTokenizer *t, const char **end)
{
next_line:
    t->token_start = NULL;
    /* A comment that is a token makes its line count; only `tokenize` still calls the line's end NL. */
    if (!t->extra_tokens)
        t->blank_line = false;
    if (t->line_ended && !begin_line(t))
        return TY_TOKEN_ERRORTOKEN;
    if (t->at_line_start && !begin_of_line(t))
        return TY_TOKEN_ERRORTOKEN;
    if (t->pending) {
        bool dedent = t->pending < 0;
        t->pending += dedent ? 1 : -1;
        *end = NULL;
        if (t->extra_tokens) {
            t->token_start = dedent ? t->cursor : t->line_start;
            t->first_lineno = t->lineno;
            t->first_line_start = t->line_start;
            *end = t->cursor;
        }
        return dedent ? TY_TOKEN_DEDENT : TY_TOKEN_INDENT;
    }
again:
    while (*t->cursor == ' ' || *t->cursor == '\t' || *t->cursor == '\f')
        t->cursor++;
    t->token_start = t->cursor;
    t->first_lineno = t->lineno;
    t->first_line_start = t->line_start;
    char c = *t->cursor;

    TyTokenKind kind;
    if (may_start_name(c)) {
        kind = name_or_string(t);
    } else if (is_digit(c) || (c == '.' && is_digit(t->cursor[1]))) {
        kind = number(t);
    } else {
        switch (c) {
        case '#':
            kind = comment(t, end);
            if (kind != TY_TOKEN_ENDMARKER)
                return kind;
            if (*t->cursor != '\n')
                goto again;
            /* fall through */
        case '\n':
            t->cursor++;
            t->at_line_start = true;
            t->line_ended = true;
            if (t->blank_line || t->level > 0) {
                if (!t->extra_tokens)
                    goto next_line;
                *end = t->cursor;
                return TY_TOKEN_NL;
            }
            *end = t->cursor;
            return TY_TOKEN_NEWLINE;
        case END_OF_TEXT:
            t->at_end = true;
            if (t->level)
                return fail_with(t, TY_TOKENIZE_EOF);
            *end = NULL;
            return TY_TOKEN_ENDMARKER;
        case '"': case '\'':
            kind = string(t);
            break;
        case '\\':
            t->cursor++;
            if (!continue_line(t))
                return TY_TOKEN_ERRORTOKEN;
            goto again;
        default:
            kind = operator_token(t);
        }
    }
    *end = t->cursor;
    return kind;
}

bool ty_tokenizer_next(TyTokenizer *t, TyToken *token)
{
    const char *end = NULL;
    t->failure = TY_TOKENIZE_OK;
    int mode = t->mode;
    TyTokenKind kind = t->modes[mode].in_text ? template_token(t, &end) : normal_token(t, &end);
    token->kind = kind;
    token->raw = t->mode > mode && current_mode(t)->raw;
    token->doubled = (kind == TY_TOKEN_FSTRING_MIDDLE || kind == TY_TOKEN_TSTRING_MIDDLE) && end != t->cursor;
    token->level = t->level;
    if (!end || !t->token_start || kind == TY_TOKEN_ERRORTOKEN) {
        /* Without text: INDENT, DEDENT, ENDMARKER and errors. */
        token->start = token->end = (uint32_t)(t->cursor - t->buffer);
        token->lineno = token->end_lineno = t->lineno;
        token->col_offset = token->end_col_offset = -1;
        return kind != TY_TOKEN_ERRORTOKEN;
    }
    token->start = (uint32_t)(t->token_start - t->buffer);
    token->end = (uint32_t)(end - t->buffer);
    token->lineno = t->first_lineno;
    token->col_offset = (int)(t->token_start - t->first_line_start);
    token->end_lineno = t->lineno;
    token->end_col_offset = (int)(end - t->line_start);
    return kind != TY_TOKEN_ERRORTOKEN;
}
