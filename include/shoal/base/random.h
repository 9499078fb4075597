/*
 * random.h - random numbers for everything but secrets: fast, and the same again for a seed.
 *
 * source   splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators"
 *          (OOPSLA 2014); it passes BigCrush and any 64-bit state will do, 0 included
 */
#ifndef SHOAL_BASE_RANDOM_H
#define SHOAL_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t _state;
};

/* A well-mixed 64-bit number from `x`: one for one. */
static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* Begins the sequence of `seed`. Thread: owner, as below. */
static inline void random_seed(struct random *random, uint64_t seed)
{
    random->_state = seed;
}

/* Begins the sequence of one of many streams under the same seed, of a thread for example. */
static inline void random_seed_stream(struct random *random, uint64_t seed, uint64_t stream)
{
    random->_state = random_mix(seed + 1) ^ random_mix(~stream);
}

/* The next 64 random bits. */
static inline uint64_t random_next(struct random *random)
{
    return random_mix(random->_state += 0x9e3779b97f4a7c15);
}

/* 0..limit-1. The bias, at most limit/2^64, is beyond what can be noticed. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return (uint64_t)(((unsigned __int128)random_next(random) * limit) >> 64);
}

/* 0 <= x < 1, in steps of 2^-53. */
static inline double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

#endif
