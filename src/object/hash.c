/* The keyed hash of text and bytes: two multiplications for each 16 bytes, keyed by the process's seed, so that colliding
 * keys can't be prepared from outside. */
#include "object/str_parts.h"
#include <sys/random.h>
#include <time.h>

static uint64_t seed; /* written before the first hash only */

__attribute__((constructor)) static void random_seed(void)
{
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        seed = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15ull ^ (uint64_t)(uintptr_t)&now;
    }
}

void ty_hash_seed_set(uint64_t value) { seed = value; }
uint64_t ty_hash_seed(void) { return seed; }

TY_INLINE uint64_t load_64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
TY_INLINE uint64_t load_32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
TY_INLINE uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define KEY_0 0xA24BAED4963EE407ull
#define KEY_1 0x9FB21C651E98DF25ull
#define KEY_2 0xD6E8FEB86659FD93ull

int64_t ty_hash_bytes(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t state = seed ^ KEY_0, a, b;
    if (size <= 16) {
        if (size >= 8) {
            a = load_64(p);
            b = load_64(p + size - 8);
        } else if (size >= 4) {
            a = load_32(p);
            b = load_32(p + size - 4);
        } else if (size > 0) {
            a = (uint64_t)p[0] << 16 | (uint64_t)p[size >> 1] << 8 | p[size - 1];
            b = 0;
        } else {
            a = b = 0;
        }
    } else {
        size_t left = size;
        for (; left > 16; left -= 16, p += 16)
            state = fold(load_64(p) ^ KEY_1, load_64(p + 8) ^ state);
        a = load_64(p + left - 16);
        b = load_64(p + left - 8);
    }
    int64_t hash = (int64_t)fold(KEY_2 ^ size, fold(a ^ KEY_1, b ^ state ^ seed));
    return hash == 0 || hash == -1 ? 0x5EED - hash : hash;
}
