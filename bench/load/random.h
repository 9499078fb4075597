/*
 * random.h - the harness's random numbers: fast, seeded, the same on every machine.
 *
 * One state per worker, so that a run with a fixed --seed draws the same keys again. Thread: owner.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

struct rng {
    uint64_t _state;
};

/* A well-mixed 64-bit number from `x`. Source: the finalizer of SplitMix64 (Steele et al.,
 * 2014). */
static inline uint64_t random_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
    rng->_state = random_mix(seed + 1) ^ random_mix(~stream);
}

static inline uint64_t rng_next(struct rng *rng)
{
    rng->_state += 0x9e3779b97f4a7c15u;
    return random_mix(rng->_state);
}

/* 0..limit-1; the bias of at most limit/2^64 is far below what a run can show. */
static inline uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    return (uint64_t)(((unsigned __int128)rng_next(rng) * limit) >> 64);
}

/* 0 <= x < 1, in steps of 2^-53. */
static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

#endif
