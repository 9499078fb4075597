/*
 * seed.h - the seed of a random test: the time, or SEED=n from the environment to see a failure
 * again. It is printed, and the failing run's log has it.
 */
#ifndef SHOAL_TESTS_SUPPORT_SEED_H
#define SHOAL_TESTS_SUPPORT_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint32_t test_seed(void)
{
    const char *given = getenv("SEED");
    uint32_t seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL);
    printf("seed %u\n", seed);
    fflush(stdout);
    return seed;
}

#endif
