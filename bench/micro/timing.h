/*
 * timing.h - a stopwatch and a generator of repeatable numbers for the micro-benchmarks.
 */
#ifndef SHOAL_BENCH_TIMING_H
#define SHOAL_BENCH_TIMING_H

#include "shoal/base/random.h"

#include <stdint.h>
#include <time.h>

static inline double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline uint64_t mix(uint64_t i)
{
    return random_mix(i + 0x9e3779b97f4a7c15);
}

#endif
