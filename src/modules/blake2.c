/* _blake2: BLAKE2b and BLAKE2s (RFC 7693) with all of their parameters: keys, salts, personalisation, tree hashing. */
#include <stdlib.h>

#include "base/futex.h"
#include "modules/hashes.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

/* --- the algorithm ---------------------------------------------------------------------------------------------------- */

/* The order in which the rounds take the words of a block; BLAKE2b's last two rounds are its first two again. */
static const uint8_t sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static const uint64_t start_b[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
static const uint32_t start_s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* The state of either kind; BLAKE2s uses the first half of the block, and its words are 32 bits. */
typedef struct {
    union {
        uint64_t b[8];
        uint32_t s[8];
    } h;
    uint64_t counter[2];
    uint8_t block[128];
    uint8_t filled;
    bool last_node;
} Blake2;

static uint64_t load64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint32_t load32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* One block into the state, for words of `bits`. */
#define DEFINE_COMPRESS(name, word, bits, load, start, state, rounds, r1, r2, r3, r4)                          \
    static inline word rotate_##name(word value, int count) { return value >> count | value << (bits - count); }                \
    static void name(Blake2 *s, const uint8_t *block, bool last)                                               \
    {                                                                                                          \
        word m[16], v[16];                                                                                     \
        for (int i = 0; i < 16; i++)                                                                           \
            m[i] = load(block + i * (bits / 8));                                                               \
        for (int i = 0; i < 8; i++) {                                                                          \
            v[i] = s->h.state[i];                                                                              \
            v[i + 8] = start[i];                                                                               \
        }                                                                                                      \
        v[12] ^= (word)(bits == 64 ? s->counter[0] : s->counter[0] & 0xFFFFFFFF);                              \
        v[13] ^= (word)(bits == 64 ? s->counter[1] : s->counter[0] >> 32);                                     \
        if (last)                                                                                              \
            v[14] = ~v[14];                                                                                    \
        if (last && s->last_node)                                                                              \
            v[15] = ~v[15];                                                                                    \
        for (int round = 0; round < rounds; round++) {                                                         \
            const uint8_t *order = sigma[round % 10];                                                          \
            for (int i = 0; i < 8; i++) {                                                                      \
                int a = i & 3, shift = i >> 2;                                                                 \
                int b = 4 + ((a + shift) & 3), c = 8 + ((a + 2 * shift) & 3), d = 12 + ((a + 3 * shift) & 3);  \
                v[a] += v[b] + m[order[2 * i]];                                                                \
                v[d] = rotate_##name(v[d] ^ v[a], r1);                                                         \
                v[c] += v[d];                                                                                  \
                v[b] = rotate_##name(v[b] ^ v[c], r2);                                                         \
                v[a] += v[b] + m[order[2 * i + 1]];                                                            \
                v[d] = rotate_##name(v[d] ^ v[a], r3);                                                         \
                v[c] += v[d];                                                                                  \
                v[b] = rotate_##name(v[b] ^ v[c], r4);                                                         \
            }                                                                                                  \
        }                                                                                                      \
        for (int i = 0; i < 8; i++)                                                                            \
            s->h.state[i] ^= v[i] ^ v[i + 8];                                                                  \
    }

DEFINE_COMPRESS(compress_b, uint64_t, 64, load64, start_b, b, 12, 32, 24, 16, 63)
DEFINE_COMPRESS(compress_s, uint32_t, 32, load32, start_s, s, 10, 16, 12, 8, 7)

/* The two kinds. */
typedef struct {
    const char *name, *title;
    uint8_t block_size, digest_max, salt_size, offset_bytes;
    void (*compress)(Blake2 *s, const uint8_t *block, bool last);
} Kind;

static const Kind kind_b = {"blake2b", "Blake2b", 128, 64, 16, 8, compress_b};
static const Kind kind_s = {"blake2s", "Blake2s", 64, 32, 8, 6, compress_s};

static void count_bytes(Blake2 *s, uint64_t bytes)
{
    s->counter[0] += bytes;
    s->counter[1] += s->counter[0] < bytes;
}

static void blake2_update(const Kind *kind, Blake2 *s, const uint8_t *bytes, size_t size)
{
    while (size) {
        if (s->filled == kind->block_size) { /* a full block waits until it is known not to be the last */
            count_bytes(s, kind->block_size);
            kind->compress(s, s->block, false);
            s->filled = 0;
        }
        if (s->filled == 0)
            for (; size > kind->block_size; bytes += kind->block_size, size -= kind->block_size) {
                count_bytes(s, kind->block_size);
                kind->compress(s, bytes, false);
            }
        size_t part = TY_MIN(size, (size_t)(kind->block_size - s->filled));
        memcpy(s->block + s->filled, bytes, part);
        s->filled = (uint8_t)(s->filled + part);
        bytes += part;
        size -= part;
    }
}

/* Of a copy of the state: it can't go on. */
static void blake2_final(const Kind *kind, Blake2 *s, uint8_t digest[64])
{
    count_bytes(s, s->filled);
    memset(s->block + s->filled, 0, (size_t)(kind->block_size - s->filled));
    kind->compress(s, s->block, true);
    for (int i = 0; i < kind->digest_max; i++)
        digest[i] = kind == &kind_b ? (uint8_t)(s->h.b[i / 8] >> (8 * (i % 8))) : (uint8_t)(s->h.s[i / 4] >> (8 * (i % 4)));
}

/* --- parameters -------------------------------------------------------------------------------------------------------- */

typedef struct {
    int32_t digest_size, fanout, depth, node_depth, inner_size;
    uint64_t leaf_size, node_offset;
    bool last_node;
    uint8_t key[64], salt[16], person[16];
    size_t key_size;
} Parameters;

/* The block of parameters that the state begins with, by the standard's layout. */
static void blake2_start(const Kind *kind, Blake2 *s, const Parameters *p)
{
    uint8_t block[64] = {(uint8_t)p->digest_size, (uint8_t)p->key_size, (uint8_t)p->fanout, (uint8_t)p->depth};
    for (int i = 0; i < 4; i++)
        block[4 + i] = (uint8_t)(p->leaf_size >> (8 * i));
    for (int i = 0; i < kind->offset_bytes; i++)
        block[8 + i] = (uint8_t)(p->node_offset >> (8 * i));
    block[8 + kind->offset_bytes] = (uint8_t)p->node_depth;
    block[9 + kind->offset_bytes] = (uint8_t)p->inner_size;
    int half = kind->block_size / 4; /* the first half of it; salt and personalisation are the second */
    memcpy(block + half, p->salt, kind->salt_size);
    memcpy(block + half + kind->salt_size, p->person, kind->salt_size);
    *s = (Blake2){.last_node = p->last_node};
    for (int i = 0; i < 8; i++) {
        if (kind == &kind_b)
            s->h.b[i] = start_b[i] ^ load64(block + 8 * i);
        else
            s->h.s[i] = start_s[i] ^ load32(block + 4 * i);
    }
    if (p->key_size) {
        memcpy(s->block, p->key, p->key_size);
        s->filled = kind->block_size;
    }
}

static bool to_small(Value v, int32_t *out, const char *name, int low, int high)
{
    if (v != TY_NULL && !ty_to_int32(v, out))
        return false;
    if (*out >= low && *out <= high)
        return true;
    ty_raise(&ty_ValueError, "%s must be between %d and %d", name, low, high);
    return false;
}

static bool to_unsigned(Value v, uint64_t *out)
{
    if (v == TY_NULL)
        return true;
    Value index = ty_number_index(v);
    if (index == TY_NULL)
        return false;
    if (ty_int_sign(index) < 0) {
        ty_raise(&ty_ValueError, "Cannot convert negative int");
        return false;
    }
    if (ty_int_bit_length(index) > 64) {
        ty_raise(&ty_OverflowError, "Python int too large for C unsigned long long");
        return false;
    }
    return ty_to_uint64_mask(index, out);
}

static bool to_part(Value v, uint8_t *out, size_t *size, const char *name, size_t max)
{
    TyBuffer view;
    if (v == TY_NULL)
        return true;
    if (!ty_buffer_get(v, &view, TY_BUFFER_SIMPLE))
        return false;
    bool fits = (size_t)view.length <= max;
    if (fits && view.length)
        memcpy(out, view.data, (size_t)view.length);
    *size = (size_t)view.length;
    ty_buffer_release(&view);
    if (!fits)
        ty_raise(&ty_ValueError, "maximum %s length is %d bytes", name, (int)max);
    return fits;
}

enum { DATA, DIGEST_SIZE, KEY, SALT, PERSON, FANOUT, DEPTH, LEAF_SIZE, NODE_OFFSET, NODE_DEPTH, INNER_SIZE, LAST_NODE, FOR_SECURITY, STRING,
       ARGUMENTS };

static bool read_parameters(const Kind *kind, const Value *a, Parameters *p)
{
    size_t ignored;
    *p = (Parameters){.digest_size = kind->digest_max, .fanout = 1, .depth = 1};
    if (a[DIGEST_SIZE] != TY_NULL && !ty_to_int32(a[DIGEST_SIZE], &p->digest_size))
        return false;
    if (p->digest_size < 1 || p->digest_size > kind->digest_max) {
        ty_raise(&ty_ValueError, "digest_size for %s must be between 1 and %d bytes, here it is %d", kind->title, kind->digest_max,
                 p->digest_size);
        return false;
    }
    if (!to_part(a[SALT], p->salt, &ignored, "salt", kind->salt_size) ||
        !to_part(a[PERSON], p->person, &ignored, "person", kind->salt_size) ||
        !to_small(a[FANOUT], &p->fanout, "fanout", 0, 255) || !to_small(a[DEPTH], &p->depth, "depth", 1, 255) ||
        !to_unsigned(a[LEAF_SIZE], &p->leaf_size))
        return false;
    if (p->leaf_size > UINT32_MAX) {
        ty_raise(&ty_OverflowError, "leaf_size is too large");
        return false;
    }
    if (!to_unsigned(a[NODE_OFFSET], &p->node_offset))
        return false;
    if (kind->offset_bytes < 8 && p->node_offset >> (8 * kind->offset_bytes)) {
        ty_raise(&ty_OverflowError, "node_offset is too large");
        return false;
    }
    if (!to_small(a[NODE_DEPTH], &p->node_depth, "node_depth", 0, 255) ||
        (a[INNER_SIZE] != TY_NULL && !ty_to_int32(a[INNER_SIZE], &p->inner_size)))
        return false;
    if (p->inner_size < 0 || p->inner_size > kind->digest_max) {
        ty_raise(&ty_ValueError, "inner_size must be between 0 and is %d", kind->digest_max);
        return false;
    }
    return to_part(a[KEY], p->key, &p->key_size, "key", kind->digest_max) && (a[LAST_NODE] == TY_NULL || ty_to_bool(a[LAST_NODE], &p->last_node));
}

/* --- objects ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    TyObject base;
    TyMutex mutex;
    const Kind *kind;
    int digest_size;
    Blake2 state;
} Hash;

static Hash *hash_of(Value self) { return (Hash *)ty_object(self); }

static void feed(Hash *hash, const TyBuffer *view)
{
    bool blocking = view->length >= TY_HASH_BLOCKING;
    ty_mutex_lock_blocking(&hash->mutex);
    if (blocking)
        ty_work_section_begin();
    blake2_update(hash->kind, &hash->state, view->data, (size_t)view->length);
    if (blocking)
        ty_work_section_end();
    ty_mutex_unlock(&hash->mutex);
}

static Value make(TyType *type, const Kind *kind, const Value *a)
{
    Parameters parameters;
    Value data;
    TyBuffer view;
    if (!ty_hash_data(a[DATA], a[STRING], &data) || !read_parameters(kind, a, &parameters) ||
        (data != TY_NULL && !ty_hash_view(data, &view)))
        return TY_NULL;
    Value made = ty_type_allocate(type, 0);
    if (made != TY_NULL) {
        Hash *hash = hash_of(made);
        hash->kind = kind;
        hash->digest_size = parameters.digest_size;
        blake2_start(kind, &hash->state, &parameters);
        if (data != TY_NULL)
            feed(hash, &view);
    }
    if (data != TY_NULL)
        ty_buffer_release(&view);
    return made;
}

static Value hash_update(Value self, Value *a)
{
    TyBuffer view;
    if (!ty_hash_view(a[0], &view))
        return TY_NULL;
    feed(hash_of(self), &view);
    ty_buffer_release(&view);
    return TY_NONE;
}

static Blake2 state_of(Hash *hash)
{
    ty_mutex_lock_blocking(&hash->mutex);
    Blake2 state = hash->state;
    ty_mutex_unlock(&hash->mutex);
    return state;
}

static Value hash_digest(Value self, Value *a)
{
    uint8_t digest[64];
    Blake2 state = state_of(hash_of(self));
    blake2_final(hash_of(self)->kind, &state, digest);
    return ty_bytes_new(digest, (size_t)hash_of(self)->digest_size);
}

static Value hash_hexdigest(Value self, Value *a)
{
    uint8_t digest[64];
    Blake2 state = state_of(hash_of(self));
    blake2_final(hash_of(self)->kind, &state, digest);
    return ty_hash_hexadecimal(digest, (size_t)hash_of(self)->digest_size);
}

static Value hash_copy(Value self, Value *a)
{
    Hash *hash = hash_of(self);
    Value made = ty_type_allocate(ty_object_type(&hash->base), 0);
    if (made == TY_NULL)
        return TY_NULL;
    hash_of(made)->kind = hash->kind;
    hash_of(made)->digest_size = hash->digest_size;
    hash_of(made)->state = state_of(hash);
    return made;
}

static Value get_name(Value self) { return ty_intern_text(hash_of(self)->kind->name); }
static Value get_block_size(Value self) { return ty_from_immediate_int(hash_of(self)->kind->block_size); }
static Value get_digest_size(Value self) { return ty_from_immediate_int(hash_of(self)->digest_size); }

static const TyNativeDef methods[] = {
    TY_METHOD("update(self, data, /)", hash_update, "Takes in more data."),
    TY_METHOD("digest(self, /)", hash_digest, "The digest of the data so far."),
    TY_METHOD("hexdigest(self, /)", hash_hexdigest, "The digest of the data so far, as hexadecimal text."),
    TY_METHOD("copy(self, /)", hash_copy, "A second object in the same state."),
    {0},
};

static const TyGetSetDef getsets[] = {
    {"name", get_name, NULL, "The algorithm's name."},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on."},
    {"digest_size", get_digest_size, NULL, "The digest's size in bytes."},
    {0},
};

#define BLAKE2_PARAMETERS(name)                                                                                \
    name "(data=b'', *, digest_size=_blake2." name ".MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, " \
         "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)"

#define BLAKE2_TYPE(name_)                                                                                     \
    static TySignature name_##_signature = TY_SIGNATURE(BLAKE2_PARAMETERS("blake2" #name_));                   \
    static Value name_##_new(TyType *type, const Value *arguments, size_t count, Value keywords)               \
    {                                                                                                          \
        Value a[ARGUMENTS];                                                                                    \
        return ty_parse_arguments(&name_##_signature, arguments, count, keywords, a) ? make(type, &kind_##name_, a) : TY_NULL;  \
    }                                                                                                          \
    static TyType name_##_type = {                                                                             \
        .base = TY_STATIC_HEADER(ty_type_type),                                                                \
        .layout = {.size = sizeof(Hash)},                                                                      \
        .flags = TY_TYPE_IMMUTABLE,                                                                            \
        .name = "_blake2.blake2" #name_,                                                                       \
        .doc = BLAKE2_PARAMETERS("blake2" #name_) "\n\nA hash object of BLAKE2" #name_ ".",                    \
        .parent = &ty_object_base_type,                                                                        \
        .slots = {.new = name_##_new},                                                                         \
        .methods = methods,                                                                                    \
        .getsets = getsets,                                                                                    \
    };
BLAKE2_TYPE(b)
BLAKE2_TYPE(s)

static bool add_limits(Value module, TyType *type, const Kind *kind, const char *prefix)
{
    const struct { const char *name; int value; } limits[] = {
        {"SALT_SIZE", kind->salt_size}, {"PERSON_SIZE", kind->salt_size},
        {"MAX_KEY_SIZE", kind->digest_max}, {"MAX_DIGEST_SIZE", kind->digest_max},
    };
    for (size_t i = 0; i < TY_COUNT_OF(limits); i++) {
        char name[40];
        strcpy(stpcpy(name, prefix), limits[i].name);
        if (!ty_dict_set_text(type->dict, limits[i].name, ty_from_immediate_int(limits[i].value)) ||
            !ty_module_add_int(module, name, limits[i].value))
            return false;
    }
    return true;
}

static TyType *const types[] = {&b_type, &s_type, NULL};

static bool execute(Value module)
{
    return add_limits(module, &b_type, &kind_b, "BLAKE2B_") && add_limits(module, &s_type, &kind_s, "BLAKE2S_") &&
           ty_module_add_int(module, "_GIL_MINSIZE", TY_HASH_BLOCKING);
}

const TyModuleDef ty_module__blake2 = {.name = "_blake2", .types = types, .execute = execute};
