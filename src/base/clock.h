/* Clocks. */
#ifndef TY_BASE_CLOCK_H
#define TY_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define TY_NANOSECONDS 1000000000ll

/* Nanoseconds of a clock that never goes back and does not follow changes of the date. */
static inline int64_t ty_clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * TY_NANOSECONDS + now.tv_nsec;
}

static inline int64_t ty_clock_realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * TY_NANOSECONDS + now.tv_nsec;
}

#endif
