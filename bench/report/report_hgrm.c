/*
 * report_hgrm.c - percentiles as HdrHistogram's tools print and plot them (values in ms).
 *
 * Five steps for every halving of the distance to 100 %, as those tools do by default.
 */
#include <inttypes.h>
#include <math.h>

#include "report.h"

enum { STEPS_PER_HALF = 5 };

static uint64_t count_up_to(const struct histogram *h, uint64_t value)
{
    uint64_t count = 0;
    uint32_t last = histogram_index(value);
    for (uint32_t i = 0; i <= last; i++)
        count += h->bucket[i];
    return count;
}

void report_hgrm(FILE *out, const struct histogram *h)
{
    double percentile = 0;
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    for (;;) {
        uint64_t value = histogram_value_at(h, percentile / 100);
        uint64_t count = count_up_to(h, value);
        if (count >= h->count || percentile >= 100)
            break;
        fprintf(out, "%12.6f %2.12f %10" PRIu64 " %14.2f\n", (double)value / 1e6, percentile / 100,
                count, 1 / (1 - percentile / 100));
        double half = pow(2, floor(log2(100 / (100 - percentile))) + 1);
        percentile += 100 / (half * STEPS_PER_HALF);
    }
    fprintf(out, "%12.6f %2.12f %10" PRIu64 "\n", (double)h->max / 1e6, 1.0, h->count);
    fprintf(out, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n", histogram_mean(h) / 1e6,
            histogram_stddev(h) / 1e6);
    fprintf(out, "#[Max     = %12.6f, Total count    = %12" PRIu64 "]\n", (double)h->max / 1e6,
            h->count);
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            HISTOGRAM_TOP_BIT - HISTOGRAM_PART_BITS, 2 * HISTOGRAM_PARTS);
}
