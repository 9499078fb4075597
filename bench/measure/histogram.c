/*
 * histogram.c - percentiles from log-linear buckets; the layout is drawn in the header.
 */
#include "histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shoal/base/mem.h"

struct histogram *histogram_new(void)
{
    struct histogram *histogram = mem_must_zalloc(sizeof(*histogram));
    histogram->min = UINT64_MAX;
    return histogram;
}

void histogram_free(struct histogram **histogram)
{
    free(*histogram);
    *histogram = NULL;
}

void histogram_reset(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
    histogram->min = UINT64_MAX;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
    into->count += from->count;
    into->sum += from->sum;
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
}

uint64_t histogram_floor(uint32_t index)
{
    if (index < 2 * HISTOGRAM_PARTS)
        return index;
    uint32_t shift = index / HISTOGRAM_PARTS - 1;
    return (uint64_t)(index - shift * HISTOGRAM_PARTS) << shift;
}

static uint64_t bucket_middle(uint32_t index)
{
    uint64_t floor = histogram_floor(index);
    return floor + (histogram_floor(index + 1) - floor) / 2;
}

uint64_t histogram_value_at(const struct histogram *h, double fraction)
{
    if (h->count == 0)
        return 0;
    uint64_t rank = (uint64_t)ceil(fraction * (double)h->count);
    rank = rank < 1 ? 1 : rank > h->count ? h->count : rank;
    uint64_t seen = 0;
    uint32_t index = 0;
    while ((seen += h->bucket[index]) < rank)
        index++;
    uint64_t value = bucket_middle(index);
    return value < h->min ? h->min : value > h->max ? h->max : value;
}

double histogram_mean(const struct histogram *h)
{
    return h->count ? h->sum / (double)h->count : 0;
}

double histogram_stddev(const struct histogram *h)
{
    double mean = histogram_mean(h), squares = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (h->bucket[i] == 0)
            continue;
        double distance = (double)bucket_middle(i) - mean;
        squares += distance * distance * (double)h->bucket[i];
    }
    return h->count ? sqrt(squares / (double)h->count) : 0;
}
