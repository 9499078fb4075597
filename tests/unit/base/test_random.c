/*
 * test_random.c - the published sequence, repeatable and spread evenly.
 */
#include "shoal/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The first outputs of splitmix64 for the seed 1234567, as published with the generator. */
static void it_is_splitmix64(void **state)
{
    (void)state;
    static const uint64_t expected[] = { 6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u };
    struct random random;
    random_seed(&random, 1234567);
    for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        assert_true(random_next(&random) == expected[i]);
}

static void a_seed_decides_all(void **state)
{
    (void)state;
    struct random a, b, c;
    random_seed(&a, 1);
    random_seed(&b, 1);
    random_seed(&c, 2);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t x = random_next(&a);
        assert_true(x == random_next(&b));
        differs |= x != random_next(&c);
    }
    assert_true(differs);
}

/* 64,000 draws over 64 cells: chi-square with 63 degrees of freedom is above 120 once in 10^5. */
static void it_spreads_evenly(void **state)
{
    (void)state;
    enum { CELLS = 64, DRAWS = 64000 };
    unsigned high[CELLS] = { 0 }, low[CELLS] = { 0 };
    struct random random;
    random_seed(&random, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t x = random_next(&random);
        high[x >> 58]++;
        low[x % CELLS]++;
    }
    double mean = (double)DRAWS / CELLS, high_sum = 0, low_sum = 0;
    for (int i = 0; i < CELLS; i++) {
        high_sum += (high[i] - mean) * (high[i] - mean) / mean;
        low_sum += (low[i] - mean) * (low[i] - mean) / mean;
    }
    assert_true(high_sum < 120);
    assert_true(low_sum < 120);
}

static void streams_of_a_seed_differ(void **state)
{
    (void)state;
    struct random a, b, again;
    random_seed_stream(&a, 1, 0);
    random_seed_stream(&b, 1, 1);
    random_seed_stream(&again, 1, 0);
    for (int i = 0; i < 100; i++) {
        uint64_t x = random_next(&a);
        assert_true(x == random_next(&again));
        assert_true(x != random_next(&b));
    }
}

/* Each of ten numbers comes up; 100 draws miss one of them once in 3,700 seeds, not for this one. */
static void numbers_stay_below_the_limit(void **state)
{
    (void)state;
    struct random random;
    unsigned seen = 0;
    random_seed(&random, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t x = random_below(&random, 10);
        assert_true(x < 10);
        seen |= 1u << x;
        assert_true(random_below(&random, 1) == 0);
    }
    assert_int_equal(seen, 0x3ff);
}

static void units_lie_between_0_and_1(void **state)
{
    (void)state;
    struct random random;
    double sum = 0, least = 1, most = 0;
    random_seed(&random, 1);
    for (int i = 0; i < 10000; i++) {
        double x = random_unit(&random);
        assert_true(x >= 0 && x < 1);
        sum += x;
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    assert_true(sum > 4850 && sum < 5150); /* 5 standard deviations */
    assert_true(least < 0.01 && most > 0.99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_splitmix64),
        cmocka_unit_test(a_seed_decides_all),
        cmocka_unit_test(it_spreads_evenly),
        cmocka_unit_test(streams_of_a_seed_differ),
        cmocka_unit_test(numbers_stay_below_the_limit),
        cmocka_unit_test(units_lie_between_0_and_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
