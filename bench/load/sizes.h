/*
 * sizes.h - how large the next value is: fixed, a range, or a weighted list.
 */
#ifndef BENCH_SIZES_H
#define BENCH_SIZES_H

#include "shoal/base/random.h"

#include <stdbool.h>

enum { SIZES_MAX = 32, VALUE_BYTES_MAX = 512 << 20 };

struct sizes {
    uint32_t count; /* of choices, at least 1 */
    struct size_choice {
        uint32_t low, high;
        uint64_t weight;
    } choice[SIZES_MAX];
    uint64_t weight_sum;
};

/* "32", "16:1024" (uniform, both ends included), "list:64=80,1024=20". Thread: any. */
bool sizes_parse(const char *text, struct sizes *sizes);
void sizes_fixed(struct sizes *sizes, uint32_t size);

static inline bool sizes_vary(const struct sizes *sizes)
{
    return sizes->count > 1 || sizes->choice[0].low != sizes->choice[0].high;
}

uint32_t sizes_min(const struct sizes *sizes);
uint32_t sizes_max(const struct sizes *sizes);
uint32_t sizes_pick(const struct sizes *sizes, struct random *rng);

#endif
