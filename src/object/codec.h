/* Codecs: from bytes to text and back, the registry of them, and what is done about errors.
 *
 * The encodings that everything uses (UTF-8, -16, -32, -7, Latin-1, ASCII, character maps, the escapes) are C functions here.
 * str.encode and bytes.decode recognise the names of the commonest and call them directly; any other name goes
 * through the registry, which belongs to the interpreter.
 *
 * `errors` is everywhere a str, the name of an error handler, or TY_NULL for "strict". Texts are str, `bytes` arguments a pointer and a
 * length that the caller keeps alive; `input` is the object that they come from, for the exception's `object` (TY_NULL: a bytes
 * object is made of them if there is need). A decoder that is given `consumed` leaves an incomplete character at the end for later and
 * says how much it has used; without it, that is an error. All results are str or bytes, TY_NULL with an exception on failure. */
#ifndef TY_OBJECT_CODEC_H
#define TY_OBJECT_CODEC_H

#include "object/object.h"

/* --- str.encode, bytes.decode, str(bytes, …) --------------------------------------------------------------------- */

/* Development mode: unknown encodings and error handlers are errors even where they would not be needed. Set once, at start-up. */
extern bool ty_codec_check_names;

Value ty_codec_encode_str(Value str, Value encoding, Value errors);      /* encoding, errors: str or TY_NULL; gives bytes */
Value ty_codec_decode_bytes(Value bytes_like, Value encoding, Value errors); /* gives str */

/* --- the codecs -------------------------------------------------------------------------------------------------- */

enum { TY_ENDIAN_LITTLE = -1, TY_ENDIAN_NATIVE = 0, TY_ENDIAN_BIG = 1 }; /* NATIVE: by the byte order mark, and writes one */

Value ty_utf8_encode(Value str, Value errors);
Value ty_utf8_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed);
Value ty_utf16_encode(Value str, Value errors, int byte_order);
Value ty_utf16_decode(const uint8_t *bytes, size_t size, Value input, Value errors, int *byte_order, size_t *consumed);
Value ty_utf32_encode(Value str, Value errors, int byte_order);
Value ty_utf32_decode(const uint8_t *bytes, size_t size, Value input, Value errors, int *byte_order, size_t *consumed);
Value ty_utf7_encode(Value str, Value errors);
Value ty_utf7_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed);
Value ty_latin1_encode(Value str, Value errors);
Value ty_latin1_decode(const uint8_t *bytes, size_t size);
Value ty_ascii_encode(Value str, Value errors);
Value ty_ascii_decode(const uint8_t *bytes, size_t size, Value input, Value errors);
Value ty_charmap_encode(Value str, Value errors, Value mapping);         /* mapping TY_NULL: Latin-1 */
Value ty_charmap_decode(const uint8_t *bytes, size_t size, Value input, Value errors, Value mapping);
Value ty_charmap_build(Value decoding_table);                            /* a str of 256 or fewer: an EncodingMap, or a dict */
Value ty_unicode_escape_encode(Value str);
Value ty_raw_unicode_escape_encode(Value str);
/* `bad_escape`, if not NULL, receives what follows the backslash of the first escape that means nothing ("\d" or "\777"): up to three
   bytes, the first lowest; or -1. */
Value ty_unicode_escape_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed, int64_t *bad_escape);
Value ty_raw_unicode_escape_decode(const uint8_t *bytes, size_t size, Value input, Value errors, size_t *consumed);
Value ty_bytes_escape_encode(const uint8_t *bytes, size_t size);
Value ty_bytes_escape_decode(const uint8_t *bytes, size_t size, Value errors, int64_t *bad_escape);

extern TyType ty_encoding_map_type;

/* --- error handlers ------------------------------------------------------------------------------------------------ */

/* The handler of that name, built-in or registered; LookupError "unknown error handler name 'x'". */
Value ty_codec_error_handler(Value name);
Value ty_codec_builtin_handler(Value name);  /* a new function object; TY_NULL without exception if the name is no built-in one's */
bool ty_codec_register_error(Value name, Value handler);
int ty_codec_unregister_error(Value name); /* 1 removed, 0 was not there; ValueError for a built-in one */

Value ty_decode_error_new(const char *encoding, Value object, int64_t start, int64_t end, const char *reason);
Value ty_encode_error_new(const char *encoding, Value object, int64_t start, int64_t end, const char *reason);
/* Calls the error handler named `errors` for characters of a text that something cannot translate (str.translate and the like):
 * a str, with the position to go on from in *position. */
Value ty_translate_error(Value text, Value errors, const char *reason, int64_t start, int64_t end, int64_t *position);

/* --- the registry --------------------------------------------------------------------------------------------------- */

bool ty_codec_register(Value search_function);
bool ty_codec_unregister(Value search_function);
Value ty_codec_lookup(Value encoding);                                   /* the tuple (CodecInfo); LookupError "unknown encoding: x" */
Value ty_codec_encode(Value object, Value encoding, Value errors);       /* codecs.encode: any object to any */
Value ty_codec_decode(Value object, Value encoding, Value errors);
/* The encoding as a text encoding: LookupError if it is one that doesn't go between str and bytes. `advice` is what to use instead. */
Value ty_codec_lookup_text(Value encoding, const char *advice);
Value ty_codec_incremental_decoder(Value encoding, Value errors);
Value ty_codec_incremental_encoder(Value encoding, Value errors);
Value ty_codec_stream_reader(Value encoding, Value stream, Value errors);
Value ty_codec_stream_writer(Value encoding, Value stream, Value errors);

#endif
