/*
 * test_latency_histogram.c - percentiles and cumulative counts of histograms made by
 * latency_bucket().
 */
#include "shoal/stats/latency_histogram.h"

#include "shoal/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void note(uint64_t latency[LATENCY_BUCKETS], uint32_t ticks, uint64_t runs)
{
    latency[latency_bucket(ticks)] += runs;
}

static void empty_histogram_is_zero(void **state)
{
    (void)state;
    uint64_t latency[LATENCY_BUCKETS] = { 0 }, at_most[LATENCY_POWERS];
    assert_int_equal(latency_percentile_ticks(latency, 50), 0);
    latency_cumulate(latency, at_most);
    assert_int_equal(at_most[LATENCY_POWERS - 1], 0);
}

static void percentiles_find_the_bucket(void **state)
{
    (void)state;
    uint64_t latency[LATENCY_BUCKETS] = { 0 };
    note(latency, 1000, 98);
    note(latency, 50000, 1);
    note(latency, 4000000000u, 1);
    uint64_t p0 = latency_percentile_ticks(latency, 0);
    assert_true(p0 >= 1000 && p0 < 2000);
    assert_int_equal(latency_percentile_ticks(latency, 98), p0);
    uint64_t p99 = latency_percentile_ticks(latency, 99);
    assert_true(p99 >= 50000 && p99 < 100000);
    assert_true(latency_percentile_ticks(latency, 99.9) >= 4000000000u);
    assert_true(latency_percentile_ticks(latency, 100) >= 4000000000u);
}

/* No run may be told as faster than it was, and the last count is all of them. */
static void cumulation_never_flatters(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    uint64_t latency[LATENCY_BUCKETS] = { 0 }, at_most[LATENCY_POWERS];
    uint32_t ticks[1000];
    for (int i = 0; i < 1000; i++) {
        ticks[i] = (uint32_t)rand() >> (rand() % 28);
        note(latency, ticks[i], 1);
    }
    latency_cumulate(latency, at_most);
    assert_int_equal(at_most[LATENCY_POWERS - 1], 1000);
    for (uint32_t p = 0; p < LATENCY_POWERS; p++) {
        uint64_t really = 0;
        for (int i = 0; i < 1000; i++)
            really += clock_ticks_to_ns(ticks[i]) <= 1000ull << p;
        assert_true(at_most[p] <= really);
        assert_true(p == 0 || at_most[p] >= at_most[p - 1]);
    }
}

int main(void)
{
    clock_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_histogram_is_zero),
        cmocka_unit_test(percentiles_find_the_bucket),
        cmocka_unit_test(cumulation_never_flatters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
