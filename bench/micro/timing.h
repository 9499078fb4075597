/*
 * timing.h - a stopwatch and a generator of repeatable numbers for the micro-benchmarks.
 */
#ifndef SHOAL_BENCH_TIMING_H
#define SHOAL_BENCH_TIMING_H

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
    uint64_t z = i + 0x9e3779b97f4a7c15; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

#endif
