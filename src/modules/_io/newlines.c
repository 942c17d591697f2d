/* Universal newlines: translating "\r\n" and "\r" to "\n", noticing which there were; and IncrementalNewlineDecoder, which does it for any decoder. */
#include "modules/_io/io.h"
#include "object/int.h"
#include "object/str_parts.h"
#include "object/tuple.h"

/* Which newlines there are in a text that holds a '\r'. */
static uint8_t kinds_of(Value text)
{
    int64_t length = ty_str_length(text);
    uint8_t seen = 0;
    for (int64_t at = 0; at < length && seen != 7;) {
        int64_t cr = ty_str_find_char(text, '\r', at, length, 1), stop = cr < 0 ? length : cr;
        if (!(seen & TY_SEEN_LF) && ty_str_find_char(text, '\n', at, stop, 1) >= 0)
            seen |= TY_SEEN_LF;
        if (cr < 0)
            break;
        bool pair = cr + 1 < length && ty_str_at(text, cr + 1) == '\n';
        seen |= pair ? TY_SEEN_CRLF : TY_SEEN_CR;
        at = cr + 1 + pair;
    }
    return seen;
}

static Value translate(Value text)
{
    TyStrBuilder b = {0};
    int64_t length = ty_str_length(text), at = 0;
    while (at < length && !b.failed) {
        int64_t cr = ty_str_find_char(text, '\r', at, length, 1);
        if (cr < 0)
            break;
        ty_builder_add_slice(&b, text, at, cr);
        ty_builder_add_char(&b, '\n');
        at = cr + 1 + (cr + 1 < length && ty_str_at(text, cr + 1) == '\n');
    }
    ty_builder_add_slice(&b, text, at, length);
    return ty_builder_finish(&b);
}

Value ty_newlines_decode(TyNewlineState *state, Value text, bool final)
{
    int64_t length = ty_str_length(text);
    if (state->pending_cr && (final || length > 0)) {
        text = ty_str_concat(ty_str_from_char('\r'), text);
        if (text == TY_NULL)
            return TY_NULL;
        state->pending_cr = false;
        length++;
    }
    if (!final && length > 0 && ty_str_at(text, length - 1) == '\r') { /* perhaps half of a pair */
        text = ty_str_slice(text, 0, --length);
        state->pending_cr = true;
        if (text == TY_NULL)
            return TY_NULL;
    }
    if (length == 0)
        return text;
    if (ty_str_find_char(text, '\r', 0, length, 1) < 0) {
        if (!(state->seen & TY_SEEN_LF) && ty_str_find_char(text, '\n', 0, length, 1) >= 0)
            state->seen |= TY_SEEN_LF;
        return text;
    }
    state->seen |= kinds_of(text);
    return state->translate ? translate(text) : text;
}

Value ty_newlines_seen(uint8_t seen)
{
    static const char *const texts[] = {"\r", "\n", "\r\n"};
    Value found[3];
    size_t count = 0;
    for (int i = 0; i < 3; i++)
        if (seen & (1 << i) && (found[count++] = ty_str_from_text(texts[i])) == TY_NULL)
            return TY_NULL;
    return count == 0 ? TY_NONE : count == 1 ? found[0] : ty_tuple_from_array(found, count);
}

int64_t ty_find_line_end(Value text, int64_t start, int64_t end, Value ending, bool universal)
{
    if (universal) {
        int64_t lf = ty_str_find_char(text, '\n', start, end, 1);
        int64_t cr = ty_str_find_char(text, '\r', start, lf < 0 ? end : lf, 1);
        if (cr < 0)
            return lf < 0 ? -1 : lf + 1;
        return cr + 1 + (cr + 1 < end && ty_str_at(text, cr + 1) == '\n');
    }
    if (ending == TY_NULL || (ty_str_length(ending) == 1 && ty_str_at(ending, 0) == '\n')) {
        int64_t at = ty_str_find_char(text, '\n', start, end, 1);
        return at < 0 ? -1 : at + 1;
    }
    int64_t at = ty_str_find(text, ending, start, end, 1);
    return at < 0 ? -1 : at + ty_str_length(ending);
}

bool ty_check_newline(Value newline)
{
    if (newline == TY_NULL || newline == TY_NONE)
        return true;
    static const char *const legal[] = {"", "\n", "\r", "\r\n"};
    for (size_t i = 0; i < TY_COUNT_OF(legal); i++)
        if (ty_str_equal_text(newline, legal[i]))
            return true;
    ty_raise(&ty_ValueError, "illegal newline value: %R", newline);
    return false;
}

/* --- IncrementalNewlineDecoder ------------------------------------------------------------------------------------------------- */

typedef struct Decoder {
    TyObject base;
    Value decoder, errors;
    TyNewlineState state;
    bool ready;
} Decoder;

static Decoder *as_decoder(Value v) { return (Decoder *)ty_object(v); }

static void trace(TyObject *self, TyMarker *marker)
{
    ty_mark(marker, ((Decoder *)self)->decoder);
    ty_mark(marker, ((Decoder *)self)->errors);
}

static bool decoder_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    static TySignature signature = TY_SIGNATURE("IncrementalNewlineDecoder(decoder, translate, errors='strict')");
    Value a[3];
    if (!ty_parse_arguments(&signature, arguments, count, keywords, a))
        return false;
    Decoder *d = as_decoder(self);
    int translates = ty_is_true(a[1]);
    if (translates < 0)
        return false;
    ty_store(d, &d->decoder, a[0]);
    ty_store(d, &d->errors, a[2] == TY_NULL ? TY_NAME("strict") : a[2]);
    d->state = (TyNewlineState){.translate = translates};
    d->ready = true;
    return true;
}

static bool usable(Decoder *d)
{
    if (d->ready)
        return true;
    ty_raise(&ty_ValueError, "IncrementalNewlineDecoder.__init__() not called");
    return false;
}

static Value decoder_decode(Value self, Value *a)
{
    Decoder *d = as_decoder(self);
    int final = a[1] == TY_NULL ? 0 : ty_is_true(a[1]);
    if (final < 0 || !usable(d))
        return TY_NULL;
    Value text = a[0];
    if (d->decoder != TY_NONE) {
        Value arguments[2] = {a[0], ty_from_bool(final)};
        text = ty_call_method(d->decoder, TY_NAME("decode"), arguments, 2);
        if (text == TY_NULL)
            return TY_NULL;
    }
    if (!ty_is_str(text))
        return ty_raise(&ty_TypeError, "decoder should return a string result, not '%T'", text);
    return ty_newlines_decode(&d->state, text, final);
}

static Value decoder_getstate(Value self, Value *a)
{
    Decoder *d = as_decoder(self);
    if (!usable(d))
        return TY_NULL;
    Value buffer = ty_bytes_new("", 0), flag = ty_from_immediate_int(0);
    if (d->decoder != TY_NONE) {
        Value state = ty_call_method_none(d->decoder, TY_NAME("getstate"));
        if (state == TY_NULL)
            return TY_NULL;
        if (!ty_is_tuple(state) || ty_tuple_length(state) != 2)
            return ty_raise(&ty_TypeError, "illegal decoder state");
        buffer = ty_tuple_item(state, 0);
        flag = ty_tuple_item(state, 1);
        if (!ty_is_int(flag))
            return ty_raise(&ty_TypeError, "illegal decoder state");
    }
    flag = ty_int_left_shift(flag, ty_from_immediate_int(1));
    if (flag != TY_NULL && d->state.pending_cr)
        flag = ty_int_or(flag, ty_from_immediate_int(1));
    return flag == TY_NULL ? TY_NULL : ty_tuple_pack(2, buffer, flag);
}

static Value decoder_setstate(Value self, Value *a)
{
    Decoder *d = as_decoder(self);
    if (!usable(d))
        return TY_NULL;
    if (!ty_is_tuple(a[0]))
        return ty_raise(&ty_TypeError, "state argument must be a tuple");
    if (ty_tuple_length(a[0]) != 2 || !ty_is_int(ty_tuple_item(a[0], 1)))
        return ty_raise(&ty_TypeError, "setstate(): illegal state argument");
    Value flag = ty_tuple_item(a[0], 1), one = ty_from_immediate_int(1);
    Value bit = ty_int_and(flag, one), rest = ty_int_right_shift(flag, one);
    if (bit == TY_NULL || rest == TY_NULL)
        return TY_NULL;
    d->state.pending_cr = !ty_int_is_zero(bit);
    if (d->decoder == TY_NONE)
        return TY_NONE;
    return ty_call_method_one(d->decoder, TY_NAME("setstate"), ty_tuple_pack(2, ty_tuple_item(a[0], 0), rest));
}

static Value decoder_reset(Value self, Value *a)
{
    Decoder *d = as_decoder(self);
    if (!usable(d))
        return TY_NULL;
    d->state.seen = 0;
    d->state.pending_cr = false;
    return d->decoder == TY_NONE ? TY_NONE : ty_call_method_none(d->decoder, TY_NAME("reset"));
}

static Value get_newlines(Value self) { return usable(as_decoder(self)) ? ty_newlines_seen(as_decoder(self)->state.seen) : TY_NULL; }

static const TyNativeDef methods[] = {
    TY_METHOD("decode(self, /, input, final=False)", decoder_decode, NULL),
    TY_METHOD("getstate(self, /)", decoder_getstate, NULL),
    TY_METHOD("setstate(self, state, /)", decoder_setstate, NULL),
    TY_METHOD("reset(self, /)", decoder_reset, NULL),
    {0},
};
static const TyGetSetDef getsets[] = {{"newlines", get_newlines, NULL, NULL}, {0}};

static Value decoder_new(TyType *type, const Value *arguments, size_t count, Value keywords) { return ty_type_allocate(type, 0); }

TyType ty_newline_decoder_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Decoder), .trace = trace},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_SHOWN_AS_HEAP,
    .name = "_io.IncrementalNewlineDecoder",
    .doc = "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\nReads newlines universally from another decoder, or from text if that is None.",
    .slots = {.new = decoder_new, .init = decoder_init},
    .methods = methods,
    .getsets = getsets,
};
