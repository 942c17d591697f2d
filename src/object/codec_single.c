/* Encodings of one byte a character: Latin-1, ASCII and character maps. */
#include "base/utf8.h"

#include "object/bytes.h"
#include "object/codec_internal.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"

/* --- Latin-1 and ASCII ------------------------------------------------------------------------------------------- */

static int put_limited(TyEncoder *e, uint32_t c)
{
    if (c > e->replacement_max)
        return 0;
    return ty_encoder_put_byte(e, (uint8_t)c) ? 1 : -1;
}

static Value encode_limited(Value text, Value errors, const char *encoding, uint32_t max, const char *reason)
{
    TyEncoder e;
    int64_t length = ty_str_length(text);
    if (!ty_encoder_start(&e, encoding, text, errors, length))
        return TY_NULL;
    e.put = put_limited;
    e.replacement_max = max;
    bool good = true;
    for (int64_t i = 0; good && i < length;) {
        uint32_t c = ty_str_at(text, i);
        if (TY_LIKELY(c <= max)) {
            good = ty_encoder_put_byte(&e, (uint8_t)c);
            i++;
            continue;
        }
        int64_t end = i + 1;
        while (end < length && ty_str_at(text, end) > max)
            end++;
        good = ty_encoder_error(&e, i, end, reason, &i);
    }
    return ty_encoder_finish(&e, good);
}

Value ty_latin1_encode(Value text, Value errors)
{
    if (ty_str_width(text) == 1)
        return ty_bytes_new(ty_str_data(text), (size_t)ty_str_length(text));
    return encode_limited(text, errors, "latin-1", 0xFF, "ordinal not in range(256)");
}

Value ty_ascii_encode(Value text, Value errors)
{
    if (ty_str_is_ascii(text))
        return ty_bytes_new(ty_str_data(text), (size_t)ty_str_length(text));
    return encode_limited(text, errors, "ascii", 0x7F, "ordinal not in range(128)");
}

Value ty_latin1_decode(const uint8_t *bytes, size_t size) { return ty_str_from_latin1((const char *)bytes, size); }

Value ty_ascii_decode(const uint8_t *bytes, size_t size, Value input, Value errors)
{
    if (ty_is_ascii(bytes, size))
        return ty_str_from_latin1((const char *)bytes, size);
    TyDecoder d;
    bool good = ty_decoder_start(&d, "ascii", bytes, size, input, errors);
    for (int64_t i = 0; good && i < d.size;) {
        uint8_t byte = d.bytes[i];
        if (byte < 0x80) {
            good = ty_decoder_put(&d, byte);
            i++;
        } else {
            good = ty_decoder_error(&d, i, i + 1, "ordinal not in range(128)", &i);
        }
    }
    return ty_decoder_finish(&d, good);
}

/* --- EncodingMap: from characters of the basic plane to bytes ------------------------------------------------------ */

typedef struct {
    TyObject base;
    int64_t pages;           /* of 256 entries; page 0 is the empty one */
    uint8_t index[256];      /* from the high byte of a character to its page */
    uint8_t entries[][256];  /* the byte; 0: none (only U+0000 maps to byte 0) */
} EncodingMap;

static Value encoding_map_size(Value self, Value *a)
{
    return ty_int_from_int64((int64_t)sizeof(EncodingMap) + 256 * ((EncodingMap *)ty_object(self))->pages);
}

static const TyNativeDef encoding_map_methods[] = {
    TY_METHOD("size(self, /)", encoding_map_size, "The size of the map in bytes."),
    {0}};

TyType ty_encoding_map_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(EncodingMap), .item_size = 256},
    .flags = TY_TYPE_IMMUTABLE | TY_TYPE_FINAL | TY_TYPE_NO_NEW,
    .name = "EncodingMap",
    .parent = &ty_object_base_type,
    .methods = encoding_map_methods,
};

static int64_t table_length(Value table) { return TY_MIN(ty_str_length(table), 256); }

/* A table that no EncodingMap can hold: an odd byte 0, or characters beyond the basic plane. */
static bool needs_dict(Value table)
{
    if (ty_str_length(table) == 0 || ty_str_at(table, 0) != 0)
        return true;
    for (int64_t i = 1; i < table_length(table); i++) {
        uint32_t c = ty_str_at(table, i);
        if (c == 0 || c > 0xFFFF)
            return true;
    }
    return false;
}

static Value build_dict(Value table)
{
    Value dict = ty_dict_new();
    for (int64_t i = 0; dict != TY_NULL && i < table_length(table); i++)
        if (!ty_dict_set(dict, ty_from_immediate_int(ty_str_at(table, i)), ty_from_immediate_int(i)))
            return TY_NULL;
    return dict;
}

Value ty_charmap_build(Value table)
{
    if (needs_dict(table))
        return build_dict(table);
    bool used[256] = {false};
    int64_t pages = 1;
    for (int64_t i = 0; i < table_length(table); i++) {
        uint32_t c = ty_str_at(table, i);
        if (c != 0xFFFE && !used[c >> 8]) {
            used[c >> 8] = true;
            pages++;
        }
    }
    if (pages > 256)
        return build_dict(table);
    EncodingMap *map = ty_allocate(&ty_encoding_map_type, sizeof(EncodingMap) + 256 * (size_t)pages);
    if (!map)
        return TY_NULL;
    map->pages = pages;
    uint8_t page = 0;
    for (int high = 0; high < 256; high++)
        map->index[high] = used[high] ? ++page : 0;
    for (int64_t i = 0; i < table_length(table); i++) {
        uint32_t c = ty_str_at(table, i);
        if (c != 0xFFFE)
            map->entries[map->index[c >> 8]][c & 0xFF] = (uint8_t)i;
    }
    return ty_from_object(map);
}

/* --- character maps ------------------------------------------------------------------------------------------------ */

#define UNDEFINED "character maps to <undefined>"

/* mapping[c], where a missing key and None mean TY_NULL without an exception. */
static Value map_character(Value mapping, uint32_t c, bool *failed)
{
    *failed = false;
    Value found = ty_is_exact_dict(mapping) ? ty_dict_get(mapping, ty_from_immediate_int(c))
                                            : ty_get_item(mapping, ty_from_immediate_int(c));
    if (found != TY_NULL)
        return found == TY_NONE ? TY_NULL : found;
    if (ty_raised() && ty_raised_is(&ty_LookupError))
        ty_clear_exception();
    *failed = ty_raised();
    return TY_NULL;
}

static int put_mapped(TyEncoder *e, uint32_t c)
{
    if (ty_is_exact(e->mapping, &ty_encoding_map_type)) {
        const EncodingMap *map = (const EncodingMap *)ty_object(e->mapping);
        uint8_t byte = c > 0xFFFF ? 0 : map->entries[map->index[c >> 8]][c & 0xFF];
        if (!byte && c)
            return 0;
        return ty_encoder_put_byte(e, byte) ? 1 : -1;
    }
    bool failed;
    Value found = map_character(e->mapping, c, &failed);
    if (found == TY_NULL)
        return failed ? -1 : 0;
    if (ty_is_bytes(found))
        return ty_encoder_put_bytes(e, ty_bytes_data(found), ty_bytes_length(found)) ? 1 : -1;
    if (!ty_is_int(found)) {
        ty_raise(&ty_TypeError, "character mapping must return integer, bytes or None, not %T", found);
        return -1;
    }
    int64_t byte;
    if (ty_int_get_int64(found, &byte) != 0 || byte < 0 || byte > 255) {
        ty_raise(&ty_TypeError, "character mapping must be in range(256)");
        return -1;
    }
    return ty_encoder_put_byte(e, (uint8_t)byte) ? 1 : -1;
}

/* The end of the run of characters from `i` on that have no bytes; -1 with an exception. */
static int64_t undefined_end(TyEncoder *e, int64_t i)
{
    for (; i < ty_str_length(e->text); i++) {
        int64_t length = e->length;
        int put = put_mapped(e, ty_str_at(e->text, i));
        e->length = length;
        if (put < 0)
            return -1;
        if (put > 0)
            break;
    }
    return i;
}

Value ty_charmap_encode(Value text, Value errors, Value mapping)
{
    if (mapping == TY_NULL)
        return ty_latin1_encode(text, errors);
    TyEncoder e;
    int64_t length = ty_str_length(text);
    if (!ty_encoder_start(&e, "charmap", text, errors, length))
        return TY_NULL;
    e.put = put_mapped;
    e.mapping = mapping;
    e.replacement_max = 0x10FFFF;
    bool good = true;
    for (int64_t i = 0; good && i < length;) {
        int put = put_mapped(&e, ty_str_at(text, i));
        good = put >= 0;
        if (put > 0) {
            i++;
        } else if (put == 0) {
            int64_t end = undefined_end(&e, i + 1);
            good = end >= 0 && ty_encoder_error(&e, i, end, UNDEFINED, &i);
        }
    }
    return ty_encoder_finish(&e, good);
}

/* Decodes one byte by the mapping: 1, 0 if it is undefined, -1 with an exception. */
static int decode_mapped(TyDecoder *d, Value mapping, uint8_t byte)
{
    bool failed;
    Value found = map_character(mapping, byte, &failed);
    if (found == TY_NULL)
        return failed ? -1 : 0;
    if (ty_is_str(found)) {
        if (ty_str_length(found) == 1 && ty_str_at(found, 0) == 0xFFFE)
            return 0;
        return ty_decoder_put_str(d, found) ? 1 : -1;
    }
    if (!ty_is_int(found)) {
        ty_raise(&ty_TypeError, "character mapping must return integer, None or str");
        return -1;
    }
    int64_t c;
    if (ty_int_get_int64(found, &c) != 0 || c < 0 || c > 0x10FFFF) {
        ty_raise(&ty_TypeError, "character mapping must be in range(0x110000)");
        return -1;
    }
    if (c == 0xFFFE)
        return 0;
    return ty_decoder_put(d, (uint32_t)c) ? 1 : -1;
}

/* The mapping is a str: what every code page has. */
static Value decode_by_table(TyDecoder *d, Value mapping)
{
    int64_t count = TY_MIN(ty_str_length(mapping), 256);
    uint32_t table[256];
    for (int64_t i = 0; i < 256; i++)
        table[i] = i < count ? ty_str_at(mapping, i) : 0xFFFE;
    bool good = true;
    for (int64_t i = 0; good && i < d->size;) {
        uint32_t c = table[d->bytes[i]];
        if (TY_LIKELY(c != 0xFFFE)) {
            good = ty_decoder_put(d, c);
            i++;
        } else {
            good = ty_decoder_error(d, i, i + 1, UNDEFINED, &i);
        }
    }
    return ty_decoder_finish(d, good);
}

Value ty_charmap_decode(const uint8_t *bytes, size_t size, Value input, Value errors, Value mapping)
{
    if (mapping == TY_NULL)
        return ty_latin1_decode(bytes, size);
    TyDecoder d;
    bool good = ty_decoder_start(&d, "charmap", bytes, size, input, errors);
    if (good && ty_is_exact_str(mapping))
        return decode_by_table(&d, mapping);
    for (int64_t i = 0; good && i < d.size;) {
        int done = decode_mapped(&d, mapping, d.bytes[i]);
        good = done >= 0;
        if (done > 0)
            i++;
        else if (done == 0)
            good = ty_decoder_error(&d, i, i + 1, UNDEFINED, &i);
    }
    return ty_decoder_finish(&d, good);
}
