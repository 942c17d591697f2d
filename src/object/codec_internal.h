/* What the codecs share: a decoder's growing text, an encoder's growing bytes, and the handling of errors in both.
 *
 * Both lie on the C stack, so that the Values in them are found by the collector; text and bytes grow in native memory, which
 * ty_decoder_finish and ty_encoder_finish release. A codec calls exactly one of those, on every way out. */
#ifndef TY_OBJECT_CODEC_INTERNAL_H
#define TY_OBJECT_CODEC_INTERNAL_H

#include "object/codec.h"
#include "object/str.h"

typedef enum TyErrorKind {
    TY_ERRORS_UNRESOLVED, /* nobody has asked yet: the name is looked at when the first error comes */
    TY_ERRORS_STRICT,
    TY_ERRORS_IGNORE,
    TY_ERRORS_REPLACE,
    TY_ERRORS_BACKSLASHREPLACE,
    TY_ERRORS_XMLCHARREFREPLACE,
    TY_ERRORS_NAMEREPLACE,
    TY_ERRORS_SURROGATEESCAPE,
    TY_ERRORS_SURROGATEPASS,
    TY_ERRORS_OTHER,      /* a registered function */
} TyErrorKind;

TyErrorKind ty_error_kind(Value errors);

/* UTF-8, UTF-16 or UTF-32 by the name of an encoding: bytes in a unit (0: none of them) and their order. */
int ty_utf_unit(const char *encoding, bool *big_endian);

/* --- decoding ---------------------------------------------------------------------------------------------------- */

typedef struct TyDecoder {
    const char *encoding;
    const uint8_t *bytes;    /* an error handler may put other bytes in their place */
    int64_t size;
    Value input, errors, handler, exception;
    TyErrorKind kind;
    uint32_t *text;
    int64_t length, capacity;
} TyDecoder;

bool ty_decoder_start(TyDecoder *decoder, const char *encoding, const uint8_t *bytes, size_t size, Value input, Value errors);
bool ty_decoder_grow(TyDecoder *decoder, int64_t more); /* room for that many more characters */

static inline bool ty_decoder_put(TyDecoder *decoder, uint32_t c)
{
    if (TY_UNLIKELY(decoder->length == decoder->capacity) && !ty_decoder_grow(decoder, 1))
        return false;
    decoder->text[decoder->length++] = c;
    return true;
}
bool ty_decoder_put_str(TyDecoder *decoder, Value str);

/* The bytes from start to end are bad: does what `errors` says, and sets the position to go on from. */
bool ty_decoder_error(TyDecoder *decoder, int64_t start, int64_t end, const char *reason, int64_t *position);
/* The text so far if all went well, else TY_NULL. */
Value ty_decoder_finish(TyDecoder *decoder, bool good);

/* --- encoding ---------------------------------------------------------------------------------------------------- */

typedef struct TyEncoder TyEncoder;
struct TyEncoder {
    const char *encoding;
    Value text, errors, handler, exception;
    TyErrorKind kind;
    /* Appends one character: 1, 0 if the encoding has no such character, -1 with an exception. */
    int (*put)(TyEncoder *encoder, uint32_t c);
    uint32_t replacement_max; /* the highest character that a handler's text may contain */
    int unit;                 /* bytes from a handler must be a multiple of this */
    bool big_endian;
    Value mapping;            /* of a character map */
    uint8_t *bytes;
    int64_t length, capacity;
};

bool ty_encoder_start(TyEncoder *encoder, const char *encoding, Value text, Value errors, int64_t room);
bool ty_encoder_grow(TyEncoder *encoder, int64_t more);

static inline bool ty_encoder_put_byte(TyEncoder *encoder, uint8_t byte)
{
    if (TY_UNLIKELY(encoder->length == encoder->capacity) && !ty_encoder_grow(encoder, 1))
        return false;
    encoder->bytes[encoder->length++] = byte;
    return true;
}
bool ty_encoder_put_bytes(TyEncoder *encoder, const void *bytes, int64_t count);

/* The characters from start to end can't be encoded: the same as for decoding. */
bool ty_encoder_error(TyEncoder *encoder, int64_t start, int64_t end, const char *reason, int64_t *position);
Value ty_encoder_finish(TyEncoder *encoder, bool good);

/* Appends "\xe9", "\u20ac" or "\U0001f40d" to out (10 characters at most); returns its length. */
int ty_write_escape(uint32_t c, char *out);

#endif
