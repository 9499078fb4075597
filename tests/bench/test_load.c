/*
 * test_load.c - the shape of the load: keys, sizes, schedule, expectations, verification.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load/cpulist.h"
#include "load/keys.h"
#include "load/placement.h"
#include "load/schedule.h"
#include "load/sizes.h"
#include "load/verify.h"
#include "measure/expect.h"

enum { KEYS = 1000, DRAWS = 400000, SEED = 42 };

static void draw_counts(const char *text, double *share)
{
    struct key_dist dist;
    struct key_picker picker;
    struct random rng;
    assert_true(key_dist_parse(text, &dist));
    key_picker_init(&picker, &dist, KEYS, 0, 1);
    random_seed_stream(&rng, SEED, 0);
    memset(share, 0, sizeof(*share) * KEYS);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t key = key_pick(&picker, &rng);
        assert_true(key < KEYS);
        share[key] += 1.0 / DRAWS;
    }
}

static void test_zipf_follows_its_law(void **state)
{
    static const double exponents[] = { 0.5, 0.99, 1, 1.3 };
    double share[KEYS];
    (void)state;
    for (size_t e = 0; e < 4; e++) {
        char text[32];
        double sum = 0;
        snprintf(text, sizeof(text), "zipf:%g", exponents[e]);
        draw_counts(text, share);
        for (int i = 1; i <= KEYS; i++)
            sum += pow(i, -exponents[e]);
        for (int i = 1; i <= 20; i++) {
            double wanted = pow(i, -exponents[e]) / sum;
            double sigma = sqrt(wanted / DRAWS);
            if (fabs(share[i - 1] - wanted) > 5 * sigma)
                fail_msg("%s, seed %d: rank %d got %g, wanted %g", text, SEED, i, share[i - 1],
                         wanted);
        }
    }
}

static void test_uniform_hot_and_seq(void **state)
{
    double share[KEYS], hot = 0;
    (void)state;
    draw_counts("uniform", share);
    for (int i = 0; i < KEYS; i++)
        assert_float_equal(share[i], 1.0 / KEYS, 5 * sqrt(1.0 / KEYS / DRAWS));
    draw_counts("hot:0.01:0.9", share);
    for (int i = 0; i < KEYS / 100; i++)
        hot += share[i];
    assert_float_equal(hot, 0.9, 0.01);
    draw_counts("seq", share);
    for (int i = 0; i < KEYS; i++)
        assert_float_equal(share[i], 1.0 / KEYS, 1e-9);
}

static void test_bad_distributions_are_refused(void **state)
{
    static const char *const bad[] = { "",        "zipf",    "zipf:",     "zipf:-1",
                                       "zipf:1x", "hot:0.1", "hot:2:0.5", "uniform:1" };
    struct key_dist dist;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(key_dist_parse(bad[i], &dist));
}

static void test_key_names(void **state)
{
    static struct key_name name;
    char text[32];
    (void)state;
    assert_true(key_name_init(&name, 16, 100000));
    memcpy(text, name.zero, 16);
    key_name_write(&name, text, 42);
    assert_memory_equal(text, "key:000000000042", 16);
    assert_true(key_name_init(&name, 3, 1000));
    memcpy(text, name.zero, 3);
    key_name_write(&name, text, 7);
    assert_memory_equal(text, "007", 3);
    assert_false(key_name_init(&name, 2, 1000));
}

static void test_sizes(void **state)
{
    struct sizes sizes;
    struct random rng;
    int small = 0;
    (void)state;
    random_seed_stream(&rng, SEED, 1);
    assert_true(sizes_parse("32", &sizes));
    assert_false(sizes_vary(&sizes));
    assert_true(sizes_parse("10:20", &sizes));
    for (int i = 0; i < 1000; i++) {
        uint32_t size = sizes_pick(&sizes, &rng);
        assert_true(size >= 10 && size <= 20);
    }
    assert_true(sizes_parse("list:64=80,1024=20", &sizes));
    for (int i = 0; i < 10000; i++)
        small += sizes_pick(&sizes, &rng) == 64;
    assert_in_range(small, 7800, 8200);
    assert_false(sizes_parse("20:10", &sizes));
    assert_false(sizes_parse("list:64", &sizes));
    assert_false(sizes_parse("list:64=1,", &sizes));
    assert_false(sizes_parse("-5", &sizes));
    assert_false(sizes_parse("7x", &sizes));
}

static void test_schedule_keeps_its_rate(void **state)
{
    struct random rng;
    (void)state;
    for (int poisson = 0; poisson <= 1; poisson++) {
        struct schedule schedule;
        double gaps = 0, squares = 0, last = 0;
        random_seed_stream(&rng, SEED, 2);
        schedule_init(&schedule, 10000, poisson, 0);
        for (int i = 0; i < DRAWS; i++) {
            schedule_advance(&schedule, &rng);
            double gap = (double)schedule_next(&schedule) - last;
            last = (double)schedule_next(&schedule);
            gaps += gap;
            squares += gap * gap;
        }
        double mean = gaps / DRAWS, deviation = sqrt(squares / DRAWS - mean * mean);
        assert_float_equal(mean, 100000, 1000);
        assert_float_equal(deviation / mean, poisson, 0.02); /* of an exponential: 1 */
    }
}

static void test_placement_reaches_its_share(void **state)
{
    static struct load load = { .shards = 4, .keys = 100000, .cross_share = 0.3 };
    struct key_picker picker;
    struct random rng;
    int crossed = 0;
    (void)state;
    assert_true(key_name_init(&load.key_name, 16, load.keys));
    key_picker_init(&picker, &load.dist, load.keys, 0, 1);
    random_seed_stream(&rng, SEED, 3);
    for (int i = 0; i < 20000; i++)
        crossed += placement_owner(&load, placement_pick(&picker, &rng, &load, 2)) != 2;
    assert_in_range(crossed, 5700, 6300);
    load.cross_share = 0;
    for (int i = 0; i < 2000; i++)
        assert_int_equal(placement_owner(&load, placement_pick(&picker, &rng, &load, 3)), 3);
}

static void test_expectations(void **state)
{
    static struct outcome o;
    struct expect expect;
    char why[128];
    (void)state;
    o.latency = histogram_new();
    histogram_add(o.latency, 1500000, 100);
    o.throughput = 50000;
    assert_true(expect_parse("p99<2ms,ops>40k", &expect));
    assert_true(expect_holds(&expect, &o, why));
    assert_true(expect_parse("p99 < 1ms", &expect));
    assert_false(expect_holds(&expect, &o, why));
    assert_true(expect_parse("ops>0.06M", &expect));
    assert_false(expect_holds(&expect, &o, why));
    assert_true(expect_parse("p99<2ms", &expect));
    o.offered = 60000; /* an open loop that fell behind has no latency to be proud of */
    o.sustained = false;
    assert_false(expect_holds(&expect, &o, why));
    assert_false(expect_parse("", &expect));
    assert_false(expect_parse("p98<1ms", &expect));
    assert_false(expect_parse("p99=1ms", &expect));
    assert_false(expect_parse("p99<1hour", &expect));
    histogram_free(&o.latency);
}

static void test_lists(void **state)
{
    int out[8];
    (void)state;
    assert_int_equal(cpulist_parse("0,2-4", out, 8), 4);
    assert_int_equal(out[3], 4);
    assert_int_equal(cpulist_parse("", out, 8), 0);
    assert_int_equal(cpulist_parse("1,", out, 8), 0);
    assert_int_equal(cpulist_parse("0-9", out, 8), 0);
}

static void test_verify_judges(void **state)
{
    struct verify *v = verify_new(10, 77, false);
    char first[40], second[40];
    (void)state;
    verify_check(v, 3, verify_read(v, 3), NULL, 0); /* nothing written yet */
    assert_int_equal(verify_failures(v), 0);
    uint32_t one = verify_write(v, 3, false);
    verify_fill(v, 3, one, first, sizeof(first));
    uint32_t before = verify_read(v, 3);
    verify_check(v, 3, before, first, sizeof(first)); /* sent, not confirmed: either may show */
    verify_check(v, 3, before, NULL, 0);
    assert_int_equal(verify_failures(v), 0);
    verify_confirm(v, 3, one);
    verify_check(v, 3, verify_read(v, 3), NULL, 0);
    assert_int_equal(v->missing, 1);
    uint32_t two = verify_write(v, 3, false);
    verify_confirm(v, 3, two);
    verify_fill(v, 3, two, second, sizeof(second));
    verify_check(v, 3, verify_read(v, 3), second, sizeof(second));
    assert_int_equal(verify_failures(v), 1);
    verify_check(v, 3, verify_read(v, 3), first, sizeof(first));
    assert_int_equal(v->stale, 1);
    second[39] ^= 1;
    verify_check(v, 3, verify_read(v, 3), second, sizeof(second));
    assert_int_equal(v->wrong, 1);
    verify_fill(v, 4, two, second, sizeof(second)); /* another key's value */
    verify_check(v, 3, verify_read(v, 3), second, sizeof(second));
    assert_int_equal(v->wrong, 2);
    verify_fill(v, 3, two + 1, second, sizeof(second)); /* from the future */
    verify_check(v, 3, verify_read(v, 3), second, sizeof(second));
    assert_int_equal(v->wrong, 3);
    verify_free(&v);
}

static void test_verify_allows_deletions(void **state)
{
    struct verify *v = verify_new(10, 77, false);
    (void)state;
    verify_confirm(v, 5, verify_write(v, 5, false));
    uint32_t since = verify_read(v, 5);
    verify_confirm(v, 5, verify_write(v, 5, true));
    verify_check(v, 5, since, NULL, 0);
    verify_check(v, 5, verify_read(v, 5), NULL, 0);
    assert_int_equal(verify_failures(v), 0);
    verify_confirm(v, 5, verify_write(v, 5, false));
    verify_check(v, 5, verify_read(v, 5), NULL, 0);
    assert_int_equal(v->missing, 1);
    verify_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zipf_follows_its_law),
        cmocka_unit_test(test_uniform_hot_and_seq),
        cmocka_unit_test(test_bad_distributions_are_refused),
        cmocka_unit_test(test_key_names),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_schedule_keeps_its_rate),
        cmocka_unit_test(test_placement_reaches_its_share),
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_verify_judges),
        cmocka_unit_test(test_verify_allows_deletions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
