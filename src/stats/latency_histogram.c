/*
 * latency_histogram.c - reading histograms of durations.
 */
#include "shoal/stats/latency_histogram.h"

#include "shoal/base/clock.h"

#include <string.h>

uint64_t latency_percentile_ticks(const uint64_t latency[LATENCY_BUCKETS], double percentile)
{
    uint64_t total = 0, seen = 0;
    for (uint32_t b = 0; b < LATENCY_BUCKETS; b++)
        total += latency[b];
    if (total == 0)
        return 0;
    double wanted = percentile / 100 * (double)total;
    for (uint32_t b = 0; b < LATENCY_BUCKETS; b++) {
        seen += latency[b];
        if (latency[b] > 0 && (double)seen >= wanted)
            return latency_bucket_top(b);
    }
    return latency_bucket_top(LATENCY_BUCKETS - 1);
}

/* The least p with 2^p us >= the bucket's longest duration. */
static uint32_t power_of(uint32_t bucket)
{
    uint64_t ns = clock_ticks_to_ns(latency_bucket_top(bucket));
    uint32_t power = 0;
    while (power + 1 < LATENCY_POWERS && (1000ull << power) < ns)
        power++;
    return power;
}

void latency_cumulate(const uint64_t latency[LATENCY_BUCKETS], uint64_t at_most[LATENCY_POWERS])
{
    memset(at_most, 0, LATENCY_POWERS * sizeof(at_most[0]));
    for (uint32_t b = 0; b < LATENCY_BUCKETS; b++)
        if (latency[b] > 0)
            at_most[power_of(b)] += latency[b];
    for (uint32_t p = 1; p < LATENCY_POWERS; p++)
        at_most[p] += at_most[p - 1];
}
