/*
 * hgrm_sample.c - writes latencies and their .hgrm file, for a check by another implementation.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "report/report.h"
#include "shoal/base/random.h"

enum { VALUES = 100000 };

int main(int argc, char **argv)
{
    struct histogram *histogram = histogram_new();
    struct random rng;
    random_seed_stream(&rng, 5, 0);
    FILE *values = argc == 3 ? fopen(argv[1], "w") : NULL,
         *hgrm = values ? fopen(argv[2], "w") : NULL;
    if (hgrm == NULL)
        return 2;
    for (int i = 0; i < VALUES; i++) {
        uint64_t value = (uint64_t)(50000 / pow(1 - random_unit(&rng), 1 / 1.5));
        histogram_add(histogram, value, 1);
        fprintf(values, "%" PRIu64 "\n", value);
    }
    report_hgrm(hgrm, histogram);
    histogram_free(&histogram);
    return fclose(values) | fclose(hgrm);
}
