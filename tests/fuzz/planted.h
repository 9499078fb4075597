/*
 * planted.h - faults that test_run.sh plants in a fuzzer, to see that run.sh finds and reports
 * them.
 *
 * Built with -DSHOAL_PLANTED=N an input that begins with "bug" does what enum planted says.
 */
#ifndef SHOAL_TESTS_FUZZ_PLANTED_H
#define SHOAL_TESTS_FUZZ_PLANTED_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SHOAL_PLANTED
#define SHOAL_PLANTED 0
#endif

enum planted {
    PLANTED_NOTHING,
    PLANTED_CRASH,
    PLANTED_LEAK,
    PLANTED_TIMEOUT,
    PLANTED_OOM,
    PLANTED_NO_START, /* the fuzzer ends at once, with status 1 */
    PLANTED_NO_RUN,   /* the same with status 0 */
};

static void *volatile planted_memory; /* so that no compiler leaves it out */

__attribute__((constructor)) static void planted_start(void)
{
    if (SHOAL_PLANTED == PLANTED_NO_START || SHOAL_PLANTED == PLANTED_NO_RUN)
        _exit(SHOAL_PLANTED == PLANTED_NO_START);
}

static inline void planted(const uint8_t *data, size_t size)
{
    if (size < 3 || memcmp(data, "bug", 3) != 0)
        return;
    switch ((enum planted)SHOAL_PLANTED) {
    case PLANTED_CRASH:
        abort();
    case PLANTED_LEAK:
        planted_memory = malloc(16);
        planted_memory = NULL;
        return;
    case PLANTED_TIMEOUT:
        for (;;)
            pause();
    case PLANTED_OOM:
        planted_memory = malloc((size_t)3 << 30);
        free(planted_memory);
        return;
    default:
        return;
    }
}

#endif
