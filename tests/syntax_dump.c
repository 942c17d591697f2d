/*
 * Dumps syntax trees without the rest of the runtime, to compare them with CPython's (tests/syntax_compare.py).
 *
 *   syntax_dump [-m exec|eval|single|func_type] [-t] FILE...    one line for each top-level statement: first line and
 *                                                               checksum of its dump
 *   syntax_dump -k [-v] FILE...                                 the same for tokens, as `tokenize` shows them
 *   syntax_dump -v FILE                                         the dump itself
 *   syntax_dump -e                                              reads sources from stdin, each preceded by a line with its
 *                                                               size in bytes, mode, flags and feature version; prints
 *                                                               errors or the checksum of the dump
 *   syntax_dump -b FILE...                                      parses each file, prints the seconds taken
 *
 * Here the functions of syntax/constant.h make plain C values.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gmp.h>

#include "base/float_text.h"
#include "syntax/parse.h"
#include "syntax/token_view.h"
#include "syntax/unparse.h"

/* ---- values: pointers to text that starts with a letter for the type ------------------------------------ */

typedef struct Text { size_t size; char text[]; } Text;

static Value make(char letter, const char *text, size_t size)
{
    Text *value = malloc(sizeof *value + size + 2);
    value->size = size + 1;
    value->text[0] = letter;
    memcpy(value->text + 1, text, size);
    value->text[size + 1] = 0;
    return (Value)(uintptr_t)value;
}

static Text none = {1, ""}, true_ = {1, ""}, false_ = {1, ""}, dots = {1, ""};

Value ty_syntax_identifier(const char *s, size_t n) { return make('s', s, n); }
Value ty_syntax_string(const char *s, size_t n) { return make('s', s, n); }
Value ty_syntax_bytes(const char *s, size_t n) { return make('b', s, n); }
Value ty_syntax_float(const char *s, size_t n) { return make('f', s, n); }
Value ty_syntax_imaginary(const char *s, size_t n) { return make('j', s, n); }
bool ty_syntax_is_complex(Value v) { return ((Text *)(uintptr_t)v)->text[0] == 'j'; }
Value ty_syntax_none(void) { return (Value)(uintptr_t)&none; }
Value ty_syntax_bool(bool truth) { return (Value)(uintptr_t)(truth ? &true_ : &false_); }
Value ty_syntax_ellipsis(void) { return (Value)(uintptr_t)&dots; }
bool ty_syntax_is_inexact(Value v) { char c = ((Text *)(uintptr_t)v)->text[0]; return c == 'f' || c == 'j'; }
bool ty_syntax_check_constant(Value v) { (void)v; return true; }
bool ty_syntax_is_pattern_literal(Value v) { return strchr("ifjsb", ((Text *)(uintptr_t)v)->text[0]) != NULL; }
bool ty_syntax_is_int(Value v) { return ((Text *)(uintptr_t)v)->text[0] == 'i'; }

char *ty_syntax_utf8(Value v, size_t *n)
{
    Text *text = (Text *)(uintptr_t)v;
    *n = text->size - 1;
    return strdup(text->text + 1);
}

/* Good for what the tests have: text without control characters but the commonest. */
char *ty_syntax_repr(Value v, size_t *n)
{
    Text *text = (Text *)(uintptr_t)v;
    char *result = malloc(text->size * 4 + 40), *o = result;
    char letter = text->text[0];
    if (text == &none || text == &true_ || text == &false_) {
        o += sprintf(o, "%s", text == &none ? "None" : text == &true_ ? "True" : "False");
    } else if (letter == 'i') {
        o += sprintf(o, "%s", text->text + 1);
    } else if (letter == 'f' || letter == 'j') {
        double value = 0;
        ty_double_parse(text->text + 1, text->text + text->size, &value);
        o += ty_double_repr(value, o);
        if (letter == 'j') {
            if (o - result > 2 && o[-1] == '0' && o[-2] == '.')
                o -= 2;
            *o++ = 'j';
        }
    } else {
        const char *s = text->text + 1;
        char quote = memchr(s, '\'', text->size - 1) && !memchr(s, '"', text->size - 1) ? '"' : '\'';
        if (letter == 'b')
            *o++ = 'b';
        *o++ = quote;
        for (size_t i = 0; i + 1 < text->size; i++) {
            uint8_t c = s[i];
            if (c == quote || c == '\\')
                *o++ = '\\', *o++ = c;
            else if (c == '\n' || c == '\r' || c == '\t')
                *o++ = '\\', *o++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
            else if (c < 32 || c == 127 || (letter == 'b' && c > 127))
                o += sprintf(o, "\\x%02x", c);
            else
                *o++ = c;
        }
        *o++ = quote;
    }
    *o = 0;
    *n = o - result;
    return result;
}

Value ty_syntax_int(const char *s, size_t n, int base)
{
    if (base == 10) {
        while (n > 1 && *s == '0')
            s++, n--;
        return make('i', s, n);
    }
    while (n > 1 && *s == '0')
        s++, n--;
    mpz_t number;
    char *copy = strndup(s, n);
    mpz_init_set_str(number, copy, base);
    free(copy);
    char *decimal = mpz_get_str(NULL, 10, number);
    Value value = make('i', decimal, strlen(decimal));
    free(decimal);
    mpz_clear(number);
    return value;
}

static char error[8192];

void ty_syntax_raise(TySyntaxErrorKind kind, const char *message, const TySyntaxErrorPlace *place)
{
    static const char *const names[] = {"SyntaxError", "IndentationError", "TabError", "_IncompleteInputError"};
    int n = snprintf(error, sizeof error, "%s|%s|", names[kind], message);
    if (place)
        snprintf(error + n, sizeof error - n, "%d|%d|%d|%d|%.*s", place->lineno, place->offset, place->end_lineno,
                 place->end_offset, place->text_size > 3000 ? 3000 : (int)place->text_size,
                 place->text ? place->text : "");
}

void ty_syntax_raise_type(const char *m) { snprintf(error, sizeof error, "TypeError|%s|", m); }
void ty_syntax_raise_recursion(const char *m) { snprintf(error, sizeof error, "RecursionError|%s|", m); }
void ty_syntax_raise_at_line(const char *m, Value f, int l) { (void)f; (void)l; snprintf(error, sizeof error, "SyntaxError|%s|", m); }

void ty_syntax_note_source(int l, int c, const char *t, size_t n) { (void)l; (void)c; (void)t; (void)n; }
int ty_syntax_warn(void *c, bool d, const char *m, Value f, int l) { (void)c; (void)d; (void)m; (void)f; (void)l; return 1; }
void ty_syntax_number_failed(const TySyntaxErrorPlace *place) { (void)place; }
void ty_syntax_raise_memory(const char *m) { snprintf(error, sizeof error, "MemoryError|%s|", m ? m : ""); }
void ty_syntax_raise_value(const char *m) { snprintf(error, sizeof error, "ValueError|%s|", m); }
Value ty_syntax_take_exception(void) { return make('e', error, strlen(error)); }
void ty_syntax_set_exception(Value v) { strcpy(error, ((Text *)(uintptr_t)v)->text + 1); }
void ty_syntax_clear_exception(void) { error[0] = 0; }
char *ty_syntax_stack_limit(void) { return NULL; }

char *ty_syntax_decode(TyArena *arena, const char *bytes, size_t *size, const char *name, size_t name_size, Value f)
{
    (void)arena; (void)bytes; (void)size; (void)f;
    snprintf(error, sizeof error, "SyntaxError|unknown encoding: %.*s|", (int)name_size, name);
    return NULL;
}

bool ty_kept_values_init(TyKeptValues *kept) { *kept = (TyKeptValues){0}; return true; }
bool ty_kept_values_add(TyKeptValues *kept, Value value) { (void)kept; (void)value; return true; }
void ty_kept_values_free(TyKeptValues *kept) { (void)kept; }

/* ---- dump ---------------------------------------------------------------------------------------------------- */

static char *out;
static size_t out_size, out_capacity;

static void put(const char *text, size_t size)
{
    if (out_size + size + 1 > out_capacity) {
        out_capacity = (out_size + size + 1) * 2;
        out = realloc(out, out_capacity);
    }
    memcpy(out + out_size, text, size);
    out_size += size;
}

static void puts_(const char *text) { put(text, strlen(text)); }

static void put_value(Value v)
{
    Text *text = (Text *)(uintptr_t)v;
    if (!v) { puts_("-"); return; }
    if (text == &none) { puts_("None"); return; }
    if (text == &true_) { puts_("True"); return; }
    if (text == &false_) { puts_("False"); return; }
    if (text == &dots) { puts_("Ellipsis"); return; }
    if (text->text[0] == 'f' || text->text[0] == 'j') {
        double value = 0;
        char hex[64];
        ty_double_parse(text->text + 1, text->text + text->size, &value);
        snprintf(hex, sizeof hex, "%c%.17g", text->text[0], value);
        puts_(hex);
        return;
    }
    put(text->text, text->size);
}

static void put_node(const TyNode *node);

static void put_field(const char *place, const TyAstField *field)
{
    TyAstSum type = field->type;
    const TyAstSumInfo *sum = &ty_ast_sums[type];
    char number[32];
    if (field->arity >= TY_AST_IS_LIST) {
        puts_("[");
        const TyNodeList *list = (const TyNodeList *)place;
        for (int i = 0; i < list->count; i++) {
            if (type == TY_AST_SUM_identifier)
                put_value(((const TyIdentifierList *)place)->items[i]);
            else if (sum->form == TY_AST_IS_ENUM)
                puts_(sum->choices[((const TyOperatorList *)place)->items[i]]);
            else
                put_node(list->items[i]);
            puts_(",");
        }
        puts_("]");
    } else if (type == TY_AST_SUM_int) {
        snprintf(number, sizeof number, "%d", *(const int *)place);
        puts_(number);
    } else if (sum->form == TY_AST_IS_PRIMITIVE) {
        put_value(*(const Value *)place);
    } else if (sum->form == TY_AST_IS_ENUM) {
        puts_(sum->choices[*(const int *)place]);
    } else {
        put_node(*(TyNode *const *)place);
    }
}

static void put_node(const TyNode *node)
{
    static int depth;
    if (!node) { puts_("-"); return; }
    if (depth > 20000) { puts_("deep"); return; }
    depth++;
    const TyAstKindInfo *kind = &ty_ast_kinds[node->kind];
    char position[80];
    puts_(kind->name);
    puts_("(");
    if (ty_ast_sums[kind->sum].has_position) {
        snprintf(position, sizeof position, "%d:%d-%d:%d ", node->lineno, node->col_offset, node->end_lineno,
                 node->end_col_offset);
        puts_(position);
    }
    for (int i = 0; i < kind->field_count; i++) {
        put_field((const char *)node + kind->fields[i].offset, &kind->fields[i]);
        puts_(" ");
    }
    puts_(")\n");
    depth--;
}

static uint32_t checksum(void)
{
    uint32_t crc = 0xFFFFFFFFu;
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
    for (size_t i = 0; i < out_size; i++)
        crc = table[(crc ^ (uint8_t)out[i]) & 255] ^ (crc >> 8);
    return ~crc;
}

static char *read_file(const char *name, size_t *size)
{
    FILE *f = fopen(name, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    *size = ftell(f);
    rewind(f);
    char *text = malloc(*size + 1);
    if (fread(text, 1, *size, f) != *size)
        *size = 0;
    fclose(f);
    return text;
}

static TyParseMode mode_of(const char *name)
{
    return strcmp(name, "eval") == 0 ? TY_PARSE_EXPRESSION : strcmp(name, "single") == 0 ? TY_PARSE_INTERACTIVE
         : strcmp(name, "func_type") == 0 ? TY_PARSE_FUNCTION_TYPE : TY_PARSE_FILE;
}

static char warnings[8192];

/* Notes the warning, or makes it an error. */
static int note_warning(void *context, bool is_deprecation, const char *message, Value filename, int lineno)
{
    (void)is_deprecation; (void)filename;
    if (*(bool *)context)
        return 0;
    size_t used = strlen(warnings);
    snprintf(warnings + used, sizeof warnings - used, "%d %s\n", lineno, message);
    return 1;
}

static int errors_from_stdin(TyParseOptions options)
{
    long size;
    char mode[16];
    const char *how = getenv("SYNTAX_WARNINGS");
    bool as_errors = how && strcmp(how, "error") == 0;
    if (how) {
        options.warn = note_warning;
        options.warn_context = &as_errors;
    }
    while (scanf("%ld %15s %u %d", &size, mode, &options.flags, &options.feature_version) == 4) {
        getchar();
        char *text = malloc(size + 1);
        if (fread(text, 1, size, stdin) != (size_t)size)
            return 1;
        options.mode = mode_of(mode);
        error[0] = warnings[0] = 0;
        bool back = strcmp(mode, "unparse") == 0;
        if (back)
            options.mode = TY_PARSE_EXPRESSION;
        TyAst *ast = ty_parse(text, size, &options);
        if (ast) {
            out_size = 0;
            put_node(ast->root);
            snprintf(error, sizeof error, "ok %08x", checksum());
        }
        if (ast && back) {
            Value value = ty_unparse_expression(TY_AST(Expression, ast->root)->body);
            snprintf(error, sizeof error, "%s", value ? ((Text *)(uintptr_t)value)->text + 1 : "failed");
        }
        if (warnings[0])
            strcpy(error, warnings);
        ty_ast_free(ast);
        free(text);
        printf("%zu\n", strlen(error));
        fputs(error, stdout);
        fflush(stdout);
    }
    return 0;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

typedef struct Lines { const char *next, *end; } Lines;

static bool read_line(void *context, const char **line, size_t *size)
{
    Lines *lines = context;
    const char *end = memchr(lines->next, '\n', lines->end - lines->next);
    end = end ? end + 1 : lines->end;
    *line = lines->next;
    *size = end - lines->next;
    lines->next = end;
    return true;
}

static void put_with_crlf(const char *text, size_t size, bool crlf)
{
    for (size_t i = 0; i < size; i++) {
        if (crlf && text[i] == '\n')
            puts_("\r");
        put(text + i, 1);
    }
}

/* Tokens as `tokenize` shows them, one in a line: kind, positions, text and line with their sizes. */
static void dump_tokens(const char *text, size_t size)
{
    Lines lines = {text, text + size};
    TyTokenizer t;
    TyToken token;
    TyTokenView view;
    char head[128];
    ty_tokenizer_init_reader(&t, read_line, &lines, 0);
    t.extra_tokens = true;
    out_size = 0;
    while (ty_tokenizer_next(&t, &token)) {
        ty_token_view(&t, &token, &view);
        snprintf(head, sizeof head, "%d %d:%d-%d:%d ", view.kind, view.lineno, view.column, view.end_lineno, view.end_column);
        puts_(head);
        put_with_crlf(view.text, view.size, view.crlf && view.kind != TY_TOKEN_NEWLINE && view.kind != TY_TOKEN_NL);
        puts_("|");
        put_with_crlf(view.line, view.line_size, view.crlf);
        puts_("\n");
        if (token.kind == TY_TOKEN_ENDMARKER)
            break;
    }
    if (token.kind == TY_TOKEN_ERRORTOKEN) {
        ty_token_view_raise(&t);
        puts_(error);
    }
    ty_tokenizer_free(&t);
}

int main(int argc, char **argv)
{
    TyParseOptions options = {0};
    bool verbose = false, bench = false, tokens = false;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        switch (argv[i][1]) {
        case 'm': options.mode = mode_of(argv[++i]); break;
        case 't': options.flags |= TY_PARSE_TYPE_COMMENTS; break;
        case 'v': verbose = true; break;
        case 'b': bench = true; break;
        case 'k': tokens = true; break;
        case 'e': options.flags |= TY_PARSE_IGNORE_COOKIE; return errors_from_stdin(options);
        }
    }
    double total = 0;
    for (; i < argc; i++) {
        size_t size;
        char *text = read_file(argv[i], &size);
        if (!text)
            continue;
        error[0] = 0;
        if (tokens) {
            dump_tokens(text, size);
            if (verbose)
                fwrite(out, 1, out_size, stdout);
            else
                printf("FILE %s\n%08x\n", argv[i], checksum());
            continue;
        }
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        TyAst *ast = ty_parse(text, size, &options);
        clock_gettime(CLOCK_MONOTONIC, &b);
        total += b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) * 1e-9;
        if (bench) {
            ty_ast_free(ast);
            free(text);
            continue;
        }
        printf("FILE %s\n", argv[i]);
        if (!ast) {
            printf("ERROR %s\n", error);
        } else if (verbose || ast->root->kind != TY_AST_Module) {
            put_node(ast->root);
            fwrite(out, 1, out_size, stdout);
            out_size = 0;
        } else {
            TyAstModule *module = TY_AST(Module, ast->root);
            for (int k = 0; k < module->body.count; k++) {
                out_size = 0;
                put_node(module->body.items[k]);
                printf("%d %08x\n", module->body.items[k]->lineno, checksum());
            }
        }
        ty_ast_free(ast);
        free(text);
    }
    if (bench)
        printf("%.3f s\n", total);
    return 0;
}
