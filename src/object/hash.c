/* The keyed hash of text and bytes: SipHash-1-3 under a key of the process, so that colliding keys can't be prepared from
 * outside. With the same PYTHONHASHSEED, values are the reference interpreter's. */
#include "object/str_parts.h"
#include <sys/random.h>
#include <time.h>

static uint64_t key[2]; /* written before the first hash only */

__attribute__((constructor)) static void random_key(void)
{
    if (getrandom(key, sizeof key, GRND_NONBLOCK) != sizeof key) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        key[0] = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15ull ^ (uint64_t)(uintptr_t)&now;
        key[1] = key[0] * 0xD6E8FEB86659FD93ull;
    }
}

void ty_hash_seed_set(uint32_t seed)
{
    uint8_t bytes[sizeof key] = {0};
    uint32_t x = seed;
    for (size_t i = 0; seed != 0 && i < sizeof bytes; i++) { /* the usual linear congruential generator */
        x = x * 214013 + 2531011;
        bytes[i] = (uint8_t)(x >> 16);
    }
    memcpy(key, bytes, sizeof key);
}

typedef struct SipState {
    uint64_t a, b, c, d;
} SipState;

TY_INLINE uint64_t rotate(uint64_t x, int count) { return x << count | x >> (64 - count); }

TY_INLINE void sip_round(SipState *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
}

int64_t ty_hash_bytes(const void *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *p = data;
    SipState s = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull, key[0] ^ 0x6c7967656e657261ull,
                  key[1] ^ 0x7465646279746573ull};
    size_t left = size;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        s.d ^= word;
        sip_round(&s);
        s.a ^= word;
    }
    uint64_t last = (uint64_t)size << 56;
    if (left >= 4) {
        uint32_t part;
        memcpy(&part, p, sizeof part);
        last |= part;
        for (size_t i = 4; i < left; i++)
            last |= (uint64_t)p[i] << (8 * i);
    } else {
        for (size_t i = 0; i < left; i++)
            last |= (uint64_t)p[i] << (8 * i);
    }
    s.d ^= last;
    sip_round(&s);
    s.a ^= last;
    s.c ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    int64_t hash = (int64_t)(s.a ^ s.b ^ s.c ^ s.d);
    return hash == -1 ? -2 : hash;
}
