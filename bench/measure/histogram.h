/*
 * histogram.h - latencies in log-linear buckets: any percentile within 0.4 % at a fixed size.
 *
 * Values up to 256 ns have a bucket each; above, every power of two is cut into 128 equal parts, so
 * a bucket is at most 1/128 of its value wide and its middle is at most 1/256 away from any member.
 *
 *   value      0 .. 255 | 256 .. 511 | 512 .. 1023 | ...      2^41 .. 2^42-1 (73 minutes)
 *   bucket     width 1  | width 2    | width 4     |
 *
 *   source   layout after HdrHistogram (Gil Tene)
 *   thread   owner
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HISTOGRAM_PART_BITS = 7,
    HISTOGRAM_PARTS = 1 << HISTOGRAM_PART_BITS,
    HISTOGRAM_TOP_BIT = 42, /* larger values count as 2^42-1; max stays exact */
    HISTOGRAM_BUCKETS = (HISTOGRAM_TOP_BIT - HISTOGRAM_PART_BITS + 1) * HISTOGRAM_PARTS,
};

struct histogram {
    uint64_t count;
    uint64_t min, max; /* exact; min is UINT64_MAX while empty */
    double sum;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Aborts when memory is out (a run's set-up). */
struct histogram *histogram_new(void);
void histogram_free(struct histogram **histogram);
void histogram_reset(struct histogram *histogram);
void histogram_merge(struct histogram *into, const struct histogram *from);

static inline uint32_t histogram_index(uint64_t value)
{
    if (value < 2 * HISTOGRAM_PARTS)
        return (uint32_t)value;
    if (value >> HISTOGRAM_TOP_BIT)
        return HISTOGRAM_BUCKETS - 1;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - HISTOGRAM_PART_BITS;
    return shift * HISTOGRAM_PARTS + (uint32_t)(value >> shift);
}

/* Lowest value of a bucket; `index` may be HISTOGRAM_BUCKETS for the end of the last one. */
uint64_t histogram_floor(uint32_t index);

/* Counts `value` (nanoseconds) `times` times. */
static inline void histogram_add(struct histogram *h, uint64_t value, uint64_t times)
{
    h->bucket[histogram_index(value)] += times;
    h->count += times;
    h->sum += (double)value * (double)times;
    h->min = value < h->min ? value : h->min;
    h->max = value > h->max ? value : h->max;
}

/* The value below or at which `fraction` (0..1) of the counts lie, as its bucket's middle, never
 * above max or below min; 0 while empty. */
uint64_t histogram_value_at(const struct histogram *histogram, double fraction);

double histogram_mean(const struct histogram *histogram);
double histogram_stddev(const struct histogram *histogram);

#endif
