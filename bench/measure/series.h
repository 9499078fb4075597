/*
 * series.h - latency over time: one small histogram per interval of a run.
 *
 * At most SERIES_INTERVALS of them: when they are used up, neighbours are merged and the interval
 * doubles, so a run of any length keeps 64 to 128 points. All workers start from the same instant
 * with the same first interval, therefore two series differ at most by a power of two.
 * Thread: owner.
 */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include "histogram.h"

enum {
    SERIES_INTERVALS = 128,
    SERIES_FIRST_NS = 50 * 1000 * 1000,
};

struct series {
    uint64_t interval_ns;
    uint32_t used; /* intervals, the last one still growing */
    uint32_t (*_bucket)[HISTOGRAM_BUCKETS];
};

void series_init(struct series *series);
void series_fini(struct series *series);
void series_reset(struct series *series);

/* Counts a latency that ended `elapsed_ns` after the start. */
void series_add(struct series *series, uint64_t elapsed_ns, uint64_t value_ns, uint64_t times);

/* `into` becomes the sum; both may be coarsened. */
void series_merge(struct series *into, struct series *from);

/* Requests and the latency at `fraction` in interval `index`. */
uint64_t series_count(const struct series *series, uint32_t index);
uint64_t series_value_at(const struct series *series, uint32_t index, double fraction);

#endif
