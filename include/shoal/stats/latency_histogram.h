/*
 * latency_histogram.h - what a histogram of latency_bucket()s says: percentiles, and Redis's shape
 * of it.
 */
#ifndef SHOAL_STATS_LATENCY_HISTOGRAM_H
#define SHOAL_STATS_LATENCY_HISTOGRAM_H

#include "shoal/stats/stats.h"

enum { LATENCY_POWERS = 48 }; /* up to 2^47 us */

/* The duration, in ticks, that `percentile` (0..100) of the runs did not exceed, as precisely as
 * the buckets tell; 0 for an empty histogram. Thread: any. */
uint64_t latency_percentile_ticks(const uint64_t latency[LATENCY_BUCKETS], double percentile);

/*
 * LATENCY HISTOGRAM's form: at_most[p] is how many runs took at most 2^p microseconds. Runs whose
 * bucket reaches beyond a power count for the next one. Thread: any.
 */
void latency_cumulate(const uint64_t latency[LATENCY_BUCKETS], uint64_t at_most[LATENCY_POWERS]);

#endif
