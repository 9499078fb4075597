/*
 * test_histogram.c - percentiles against sorted values, series against one histogram.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/histogram.h"
#include "measure/series.h"
#include "shoal/base/random.h"

enum { VALUES = 200000 };

static const double FRACTIONS[] = { 0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 };

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t draw_uniform(struct random *rng)
{
    return random_below(rng, 50000000);
}

static uint64_t draw_lognormal(struct random *rng)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += random_unit(rng);
    return (uint64_t)exp(11 + 1.5 * (sum - 6));
}

static uint64_t draw_pareto(struct random *rng)
{
    return (uint64_t)(20000 / pow(1 - random_unit(rng), 1 / 1.2));
}

/* The worst relative error over all percentiles must stay below 1 % (and is below 0.5 % by
 * layout). */
static void check_distribution(uint64_t (*draw)(struct random *), uint64_t seed)
{
    struct random rng;
    struct histogram *h = histogram_new();
    uint64_t *value = malloc(sizeof(*value) * VALUES);
    random_seed_stream(&rng, seed, 0);
    for (int i = 0; i < VALUES; i++) {
        value[i] = draw(&rng);
        histogram_add(h, value[i], 1);
    }
    qsort(value, VALUES, sizeof(*value), by_value);
    for (size_t i = 0; i < sizeof(FRACTIONS) / sizeof(FRACTIONS[0]); i++) {
        size_t rank = (size_t)ceil(FRACTIONS[i] * VALUES);
        double exact = (double)value[rank ? rank - 1 : 0];
        double error = fabs((double)histogram_value_at(h, FRACTIONS[i]) - exact) / fmax(exact, 1);
        if (error >= 0.005)
            fail_msg("seed %llu, p%g: %g is %.3f %% off", (unsigned long long)seed,
                     FRACTIONS[i] * 100, exact, error * 100);
    }
    assert_int_equal(h->min, value[0]);
    assert_int_equal(h->max, value[VALUES - 1]);
    assert_int_equal(h->count, VALUES);
    free(value);
    histogram_free(&h);
}

static void test_error_below_one_percent(void **state)
{
    (void)state;
    check_distribution(draw_uniform, 1);
    check_distribution(draw_lognormal, 2);
    check_distribution(draw_pareto, 3);
}

static void test_buckets_are_contiguous(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t floor = histogram_floor(i), next = histogram_floor(i + 1);
        assert_true(next > floor);
        assert_int_equal(histogram_index(floor), i);
        assert_int_equal(histogram_index(next - 1), i);
        assert_true(floor < 256 || (double)(next - floor) / (double)floor <= 1.0 / 128);
    }
    assert_int_equal(histogram_index(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void test_mean_and_deviation(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    histogram_add(h, 1000, 3);
    histogram_add(h, 3000, 1);
    assert_float_equal(histogram_mean(h), 1500, 0.001);
    assert_float_equal(histogram_stddev(h), 866, 10);
    assert_in_range(histogram_value_at(h, 0.75), 1000, 1005);
    histogram_reset(h);
    assert_int_equal(histogram_value_at(h, 0.99), 0);
    histogram_free(&h);
}

static void test_merge_adds(void **state)
{
    (void)state;
    struct histogram *a = histogram_new(), *b = histogram_new();
    histogram_add(a, 100, 1);
    histogram_add(b, 5000, 9);
    histogram_merge(a, b);
    assert_int_equal(a->count, 10);
    assert_int_equal(a->min, 100);
    assert_int_equal(a->max, 5000);
    histogram_free(&a);
    histogram_free(&b);
}

/* Coarsening must neither lose nor move counts. */
static void test_series_keeps_counts_over_a_long_run(void **state)
{
    (void)state;
    struct series series;
    uint64_t expected = 0, sum = 0;
    series_init(&series);
    for (uint64_t ms = 0; ms < 60000; ms += 7) {
        series_add(&series, ms * 1000000, ms < 30000 ? 1000 : 9000, 2);
        expected += 2;
    }
    assert_true(series.used <= SERIES_INTERVALS);
    for (uint32_t i = 0; i < series.used; i++) {
        sum += series_count(&series, i);
        uint64_t ends_ms = (i + 1) * series.interval_ns / 1000000;
        if (ends_ms <= 30000)
            assert_in_range(series_value_at(&series, i, 0.99), 995, 1005);
    }
    assert_int_equal(sum, expected);
    assert_in_range(series_value_at(&series, series.used - 1, 0.5), 8955, 9045);
    series_fini(&series);
}

static void test_series_of_different_length_merge(void **state)
{
    (void)state;
    struct series a, b;
    series_init(&a);
    series_init(&b);
    series_add(&a, 0, 1000, 5);
    series_add(&b, 100ull * 1000000000, 2000, 7);
    series_merge(&a, &b);
    assert_int_equal(series_count(&a, 0), 5);
    assert_int_equal(series_count(&a, a.used - 1), 7);
    series_fini(&a);
    series_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_below_one_percent),
        cmocka_unit_test(test_buckets_are_contiguous),
        cmocka_unit_test(test_mean_and_deviation),
        cmocka_unit_test(test_merge_adds),
        cmocka_unit_test(test_series_keeps_counts_over_a_long_run),
        cmocka_unit_test(test_series_of_different_length_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
