/* _random: the Mersenne Twister MT19937, with the sequences that CPython's gives. */
#include "base/bigint.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { WORDS = 624, SHIFT = 397 };

typedef struct Random { /* under the object's lock */
    TyObject base;
    uint32_t index;         /* the next word of the state to give out; WORDS: make new ones */
    uint32_t state[WORDS];
} Random;

static inline Random *as_random(Value v) { return (Random *)ty_object(v); }

/* --- the generator -------------------------------------------------------------------------------------------------- */

static inline uint32_t mix(uint32_t upper, uint32_t lower)
{
    uint32_t y = (upper & 0x80000000u) | (lower & 0x7fffffffu);
    return (y >> 1) ^ (lower & 1 ? 0x9908b0dfu : 0);
}

static void refill(Random *r)
{
    uint32_t *s = r->state;
    int i = 0;
    for (; i < WORDS - SHIFT; i++)
        s[i] = s[i + SHIFT] ^ mix(s[i], s[i + 1]);
    for (; i < WORDS - 1; i++)
        s[i] = s[i + SHIFT - WORDS] ^ mix(s[i], s[i + 1]);
    s[WORDS - 1] = s[SHIFT - 1] ^ mix(s[WORDS - 1], s[0]);
    r->index = 0;
}

static inline uint32_t next_word(Random *r)
{
    if (TY_UNLIKELY(r->index >= WORDS))
        refill(r);
    uint32_t y = r->state[r->index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static void seed_word(Random *r, uint32_t word)
{
    r->state[0] = word;
    for (uint32_t i = 1; i < WORDS; i++)
        r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
    r->index = WORDS;
}

static void seed_words(Random *r, const uint32_t *key, size_t count)
{
    seed_word(r, 19650218u);
    uint32_t *s = r->state;
    size_t i = 1, j = 0;
    for (size_t k = count > WORDS ? count : WORDS; k > 0; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i >= WORDS) {
            s[0] = s[WORDS - 1];
            i = 1;
        }
        if (++j >= count)
            j = 0;
    }
    for (size_t k = WORDS - 1; k > 0; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i >= WORDS) {
            s[0] = s[WORDS - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

/* --- seeding ----------------------------------------------------------------------------------------------------------- */

static bool random_bytes(void *out, size_t size)
{
    for (char *at = out; size > 0;) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return true;
}

static void seed_from_system(Random *r)
{
    uint32_t key[WORDS];
    size_t count = WORDS;
    if (!random_bytes(key, sizeof key)) { /* no such source: the clock and the address differ at least */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t words[3] = {(uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)(uintptr_t)r};
        memcpy(key, words, sizeof words);
        count = 6;
    }
    bool locked = ty_object_lock(&r->base);
    seed_words(r, key, count);
    ty_object_unlock(&r->base, locked);
}

/* The absolute value of an int, or the hash of anything else, in words of 32 bits. */
static bool seed(Random *r, Value seed_value)
{
    if (seed_value == TY_NULL || seed_value == TY_NONE) {
        seed_from_system(r);
        return true;
    }
    mp_limb_t limb;
    TyBig big;
    if (ty_is_int(seed_value)) {
        big = ty_int_big(seed_value, &limb);
    } else {
        int64_t hash = ty_hash(seed_value);
        if (hash == -1)
            return false;
        limb = (uint64_t)hash;
        big = (TyBig){&limb, limb != 0};
    }
    size_t limbs = (size_t)ty_big_length(big);
    uint32_t small[64];
    uint32_t *key = 2 * limbs + 1 <= TY_COUNT_OF(small) ? small : malloc((2 * limbs + 1) * sizeof *key);
    if (key == NULL) {
        ty_raise_memory_error();
        return false;
    }
    size_t count = 0;
    key[0] = 0;
    for (size_t i = 0; i < limbs; i++) {
        key[count++] = (uint32_t)big.limbs[i];
        key[count++] = (uint32_t)(big.limbs[i] >> 32);
    }
    while (count > 0 && key[count - 1] == 0)
        count--;
    bool locked = ty_object_lock(&r->base);
    seed_words(r, key, count > 0 ? count : 1);
    ty_object_unlock(&r->base, locked);
    if (key != small)
        free(key);
    return true;
}

static bool random_init(Value self, const Value *arguments, size_t count, Value keywords)
{
    return ty_no_keywords("Random", keywords) && ty_check_positional("Random", count, 0, 1) &&
           seed(as_random(self), count > 0 ? arguments[0] : TY_NULL);
}

static Value random_new(TyType *type, const Value *arguments, size_t count, Value keywords)
{
    if (keywords != TY_NULL && type->slots.init == random_init && !ty_no_keywords("Random", keywords))
        return TY_ERROR;
    return ty_type_allocate(type, 0);
}

/* --- methods ------------------------------------------------------------------------------------------------------------- */

static Value random_seed(Value self, Value *a) { return seed(as_random(self), a[0]) ? TY_NONE : TY_ERROR; }

static Value random_random(Value self, Value *a)
{
    Random *r = as_random(self);
    bool locked = ty_object_lock(&r->base);
    uint32_t high = next_word(r) >> 5, low = next_word(r) >> 6;
    ty_object_unlock(&r->base, locked);
    return ty_from_double((high * 67108864.0 + low) * (1.0 / 9007199254740992.0));
}

static Value random_getrandbits(Value self, Value *a)
{
    Random *r = as_random(self);
    Value index = ty_number_index(a[0]);
    if (index == TY_NULL)
        return TY_ERROR;
    mp_limb_t limb;
    TyBig big = ty_int_big(index, &limb);
    if (big.size < 0)
        return ty_raise(&ty_ValueError, "Cannot convert negative int");
    if (big.size > 1)
        return ty_raise(&ty_OverflowError, "Python int too large for C uint64_t");
    uint64_t bits = big.size == 0 ? 0 : big.limbs[0];
    if (bits == 0)
        return ty_from_immediate_int(0);
    if (bits <= 32) {
        bool locked = ty_object_lock(&r->base);
        uint32_t word = next_word(r);
        ty_object_unlock(&r->base, locked);
        return ty_from_immediate_int((int64_t)(word >> (32 - bits)));
    }
    if (bits > TY_BIG_MAX_BITS)
        return ty_raise_memory_error();
    size_t limbs = (size_t)((bits + 63) / 64);
    mp_limb_t small[64];
    mp_limb_t *out = limbs <= TY_COUNT_OF(small) ? small : malloc(limbs * sizeof *out);
    if (out == NULL)
        return ty_raise_memory_error();
    bool locked = ty_object_lock(&r->base);
    for (size_t i = 0; i < limbs; i++) {
        out[i] = 0;
        for (int half = 0; half < 64 && bits > 0; half += 32) {
            uint64_t word = next_word(r);
            if (bits < 32)
                word >>= 32 - bits;
            out[i] |= word << half;
            bits = bits < 32 ? 0 : bits - 32;
        }
    }
    ty_object_unlock(&r->base, locked);
    Value result = ty_int_from_limbs(out, (int64_t)limbs);
    if (out != small)
        free(out);
    return result;
}

static Value random_getstate(Value self, Value *a)
{
    Random *r = as_random(self);
    uint32_t words[WORDS + 1];
    bool locked = ty_object_lock(&r->base);
    memcpy(words, r->state, sizeof r->state);
    words[WORDS] = r->index;
    ty_object_unlock(&r->base, locked);
    Value state = ty_tuple_new(WORDS + 1);
    if (state == TY_NULL)
        return TY_ERROR;
    for (int i = 0; i <= WORDS; i++)
        ty_tuple_set(state, i, ty_from_immediate_int(words[i]));
    return state;
}

static bool state_word(Value v, uint64_t *out)
{
    if (!ty_is_int(v)) {
        ty_raise(&ty_TypeError, "an integer is required");
        return false;
    }
    mp_limb_t limb;
    TyBig big = ty_int_big(v, &limb);
    if (big.size < 0) {
        ty_raise(&ty_OverflowError, "can't convert negative value to unsigned int");
        return false;
    }
    if (big.size > 1) {
        ty_raise(&ty_OverflowError, "Python int too large to convert to C unsigned long");
        return false;
    }
    *out = big.size == 0 ? 0 : big.limbs[0];
    return true;
}

static Value random_setstate(Value self, Value *a)
{
    Random *r = as_random(self);
    if (!ty_is_tuple(a[0]))
        return ty_raise(&ty_TypeError, "state vector must be a tuple");
    if (ty_tuple_length(a[0]) != WORDS + 1)
        return ty_raise(&ty_ValueError, "state vector is the wrong size");
    uint32_t words[WORDS];
    for (int i = 0; i < WORDS; i++) {
        uint64_t word;
        if (!state_word(ty_tuple_item(a[0], i), &word))
            return TY_ERROR;
        words[i] = (uint32_t)word;
    }
    int64_t index;
    if (!ty_to_int64(ty_tuple_item(a[0], WORDS), &index))
        return TY_ERROR;
    if (index < 0 || index > WORDS)
        return ty_raise(&ty_ValueError, "invalid state");
    bool locked = ty_object_lock(&r->base);
    memcpy(r->state, words, sizeof words);
    r->index = (uint32_t)index;
    ty_object_unlock(&r->base, locked);
    return TY_NONE;
}

static const TyNativeDef random_methods[] = {
    TY_METHOD("random(self, /)", random_random, "The next random float, from 0.0 up to but not including 1.0."),
    TY_METHOD("seed(self, n=None, /)", random_seed, "Starts again from n: an int, or anything hashable; from the system's randomness without it."),
    TY_METHOD("getrandbits(self, k, /)", random_getrandbits, "A random int of k bits."),
    TY_METHOD("getstate(self, /)", random_getstate, "A tuple that setstate() brings back this state from."),
    TY_METHOD("setstate(self, state, /)", random_setstate, "Goes back to a state that getstate() gave."),
    {0},
};

static TyType random_type = {
    .base = TY_STATIC_HEADER(ty_type_type),
    .layout = {.size = sizeof(Random)},
    .flags = TY_TYPE_IMMUTABLE,
    .name = "_random.Random",
    .doc = "Random(seed=None, /)\n--\n\nA generator of random numbers with a state of its own.",
    .parent = &ty_object_base_type,
    .slots = {.new = random_new, .init = random_init},
    .methods = random_methods,
};

static TyType *const types[] = {&random_type, NULL};

const TyModuleDef ty_module_random = {
    .name = "_random",
    .doc = "The Mersenne Twister random number generator.",
    .types = types,
};
