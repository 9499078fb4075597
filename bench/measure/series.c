/*
 * series.c - latency over time, bounded whatever the length of the run.
 */
#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shoal/base/mem.h"

void series_init(struct series *series)
{
    /* 18 KB an interval, but a page is only touched where latencies fall: usually one or two
     * each */
    series->_bucket = mem_must_zalloc(sizeof(*series->_bucket) * SERIES_INTERVALS);
    series->interval_ns = SERIES_FIRST_NS;
    series->used = 0;
}

void series_fini(struct series *series)
{
    free(series->_bucket);
    series->_bucket = NULL;
}

void series_reset(struct series *series)
{
    memset(series->_bucket, 0, sizeof(*series->_bucket) * series->used);
    series->interval_ns = SERIES_FIRST_NS;
    series->used = 0;
}

static void add_interval(uint32_t *into, const uint32_t *from)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (from[i] != 0) /* a page that is only read stays the shared zero page */
            into[i] += from[i];
    }
}

static void coarsen(struct series *series)
{
    uint32_t pairs = (series->used + 1) / 2;
    for (uint32_t i = 0; i < pairs; i++) {
        if (i > 0)
            memcpy(series->_bucket[i], series->_bucket[2 * i], sizeof(series->_bucket[i]));
        if (2 * i + 1 < series->used)
            add_interval(series->_bucket[i], series->_bucket[2 * i + 1]);
    }
    memset(series->_bucket[pairs], 0, sizeof(series->_bucket[0]) * (series->used - pairs));
    series->used = pairs;
    series->interval_ns *= 2;
}

void series_add(struct series *series, uint64_t elapsed_ns, uint64_t value_ns, uint64_t times)
{
    while (elapsed_ns / series->interval_ns >= SERIES_INTERVALS)
        coarsen(series);
    uint32_t index = (uint32_t)(elapsed_ns / series->interval_ns);
    series->used = index >= series->used ? index + 1 : series->used;
    series->_bucket[index][histogram_index(value_ns)] += (uint32_t)times;
}

void series_merge(struct series *into, struct series *from)
{
    while (into->interval_ns < from->interval_ns)
        coarsen(into);
    while (from->interval_ns < into->interval_ns)
        coarsen(from);
    for (uint32_t i = 0; i < from->used; i++)
        add_interval(into->_bucket[i], from->_bucket[i]);
    into->used = from->used > into->used ? from->used : into->used;
}

uint64_t series_count(const struct series *series, uint32_t index)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += series->_bucket[index][i];
    return count;
}

uint64_t series_value_at(const struct series *series, uint32_t index, double fraction)
{
    uint64_t count = series_count(series, index), seen = 0;
    uint64_t rank = (uint64_t)ceil(fraction * (double)count);
    if (count == 0)
        return 0;
    uint32_t i = 0;
    while ((seen += series->_bucket[index][i]) < (rank ? rank : 1))
        i++;
    return (histogram_floor(i) + histogram_floor(i + 1)) / 2;
}
