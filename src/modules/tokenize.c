/* _tokenize: the tokenizer of the parser as an iterator over what a readline function gives. */
#include "object/bytes.h"
#include "object/codec.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"
#include "syntax/token_view.h"

#include <stdlib.h>

typedef struct TokenizerIterator {
    TyObject base;
    Value readline;
    Value encoding;        /* str, or TY_NULL: readline gives str */
    Value line;            /* the line read last: its UTF-8 is being taken over */
    Value text;            /* of `line`, if it had to be encoded */
    TyTokenizer *tokenizer;
    bool done;
    TyMutex mutex;         /* held while a token is read, which calls readline */
    _Atomic uint64_t owner; /* who holds it: readline must not come back here */
} TokenizerIterator;

static void iterator_trace(TyObject *self, TyMarker *marker)
{
    TokenizerIterator *it = (TokenizerIterator *)self;
    ty_mark(marker, it->readline);
    ty_mark(marker, it->encoding);
    ty_mark(marker, it->line);
    ty_mark(marker, it->text);
    if (it->tokenizer)
        ty_mark(marker, it->tokenizer->filename);
}

static void iterator_destroy(TyObject *self)
{
    TokenizerIterator *it = (TokenizerIterator *)self;
    if (it->tokenizer)
        ty_tokenizer_free(it->tokenizer);
    free(it->tokenizer);
}

/* The next line for the tokenizer; StopIteration is the end. */
static bool read_line(void *context, const char **line, size_t *size)
{
    TokenizerIterator *it = context;
    *line = "";
    *size = 0;
    Value value = ty_call_none(it->readline);
    if (value == TY_NULL) {
        if (!ty_raised_is(&ty_StopIteration))
            return false;
        ty_clear_exception();
        return true;
    }
    if (it->encoding != TY_NULL) {
        if (!ty_is_instance_of(value, &ty_bytes_type)) {
            ty_raise(&ty_TypeError, "readline() returned a non-bytes object");
            return false;
        }
        value = ty_codec_decode_bytes(value, it->encoding, TY_NAME("replace"));
        if (value == TY_NULL)
            return false;
    } else if (!ty_is_str(value)) {
        ty_raise(&ty_TypeError, "readline() returned a non-string object");
        return false;
    }
    Value holder = TY_NULL;
    *line = ty_str_utf8(value, size, &holder);
    ty_store(it, &it->line, value);
    ty_store(it, &it->text, holder);
    return *line != NULL;
}

static Value iterator_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("tokenizeriter(readline, /, *, encoding=None, extra_tokens)");
    Value a[3];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return TY_NULL;
    bool extra_tokens = false;
    if (a[1] != TY_NULL && a[1] != TY_NONE && !ty_is_str(a[1]))
        return ty_raise(&ty_TypeError, "tokenizeriter() argument 'encoding' must be str, not %T", a[1]);
    if (!ty_to_bool(a[2], &extra_tokens))
        return TY_NULL;
    TokenizerIterator *it = (TokenizerIterator *)ty_object(ty_type_allocate(type, 0));
    if (!it)
        return TY_NULL;
    ty_store(it, &it->readline, a[0]);
    ty_store(it, &it->encoding, a[1] == TY_NONE ? TY_NULL : a[1]);
    TyTokenizer *tokenizer = malloc(sizeof *tokenizer);
    if (!tokenizer)
        return ty_raise_memory_error();
    if (!ty_tokenizer_init_reader(tokenizer, read_line, it, TY_NAME("<string>"))) {
        free(tokenizer);
        return TY_NULL;
    }
    tokenizer->extra_tokens = extra_tokens;
    it->tokenizer = tokenizer;
    return ty_from_object(it);
}

/* Text of a token or line, with the line ends that it had. */
static Value text_value(const char *text, size_t size, bool crlf)
{
    if (!crlf || !memchr(text, '\n', size))
        return ty_utf8_decode((const uint8_t *)text, size, TY_NULL, TY_NAME("replace"), NULL);
    Value value = ty_utf8_decode((const uint8_t *)text, size, TY_NULL, TY_NAME("replace"), NULL);
    return value == TY_NULL ? TY_NULL : ty_str_replace(value, ty_str_from_text("\n"), ty_str_from_text("\r\n"), -1);
}

static Value place_value(int line, int column)
{
    return ty_tuple_pack(2, ty_int_from_int64(line), ty_int_from_int64(column));
}

/* One token; the mutex is held. */
static Value next_token(TokenizerIterator *it)
{
    TyTokenizer *tokenizer = it->tokenizer;
    TyToken token;
    TyTokenView view;
    if (it->done)
        return TY_NULL;
    if (!ty_tokenizer_next(tokenizer, &token)) {
        it->done = true;
        ty_token_view_raise(tokenizer);
        return TY_NULL;
    }
    it->done = token.kind == TY_TOKEN_ENDMARKER;
    ty_token_view(tokenizer, &token, &view);
    bool ends_line = token.kind == TY_TOKEN_NEWLINE || token.kind == TY_TOKEN_NL;
    return ty_tuple_pack(5, ty_int_from_int64(view.kind), text_value(view.text, view.size, view.crlf && !ends_line),
                         place_value(view.lineno, view.column), place_value(view.end_lineno, view.end_column),
                         text_value(view.line, view.line_size, view.crlf));
}

static Value iterator_next(Value self)
{
    TokenizerIterator *it = (TokenizerIterator *)ty_object(self);
    uint64_t me = ty_thread->ident;
    if (ty_load_relaxed(&it->owner) == me)
        return ty_raise(&ty_ValueError, "tokenizer already executing");
    ty_mutex_lock_blocking(&it->mutex);
    ty_store_relaxed(&it->owner, me);
    Value result = next_token(it);
    ty_store_relaxed(&it->owner, 0);
    ty_mutex_unlock(&it->mutex);
    return result;
}

TyType ty_tokenizer_iterator_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(TokenizerIterator), .trace = iterator_trace, .destroy = iterator_destroy},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_tokenize.TokenizerIter",
    .parent = &ty_object_base_type,
    .slots = {.new = iterator_new, .iter = ty_identity_iter, .next = iterator_next},
};

static TyType *const types[] = {&ty_tokenizer_iterator_type, NULL};

const TyModuleDef ty_module__tokenize = {.name = "_tokenize", .types = types};
