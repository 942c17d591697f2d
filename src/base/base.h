/* The ground that every other file stands on: fixed-width types, C11 atomics, hints for the compiler.
 *
 * Shared words are declared _Atomic and read and written with the weakest order that is right; the names below
 * say the order at each use. `relaxed` is for words whose value alone matters, `acquire`/`release` for words that
 * publish other memory. */
#ifndef TY_BASE_BASE_H
#define TY_BASE_BASE_H

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TY_LIKELY(x) __builtin_expect(!!(x), 1)
#define TY_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TY_NOINLINE __attribute__((noinline))
#define TY_INLINE static inline __attribute__((always_inline))
#define TY_COLD __attribute__((cold, noinline))
#define TY_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define TY_UNUSED __attribute__((unused))
#define TY_NORETURN __attribute__((noreturn))

#define TY_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* Each argument is evaluated once, and both are compared in their common type. */
#define TY_MIN(a, b) ({ __typeof__(1 ? (a) : (b)) min_a = (a), min_b = (b); min_a < min_b ? min_a : min_b; })
#define TY_MAX(a, b) ({ __typeof__(1 ? (a) : (b)) max_a = (a), max_b = (b); max_a > max_b ? max_a : max_b; })

#define ty_load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define ty_load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define ty_store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define ty_store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)

#endif
