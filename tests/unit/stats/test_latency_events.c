/*
 * test_latency_events.c - what is noted, how long it is kept, and how reactors' histories become
 * one.
 */
#include "shoal/stats/latency_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { T = 1795334548 };

static void add(struct latency_series *series, int64_t unix_s, int64_t ms)
{
    struct latency_events events = { 0 };
    events.series[LATENCY_COMMAND] = *series;
    latency_note(&events, LATENCY_COMMAND, unix_s, ms, 1);
    *series = events.series[LATENCY_COMMAND];
}

static void sample_is(const struct latency_series *series, uint32_t at, int64_t unix_s, uint32_t ms)
{
    assert_true(at < series->count);
    assert_int_equal(series->sample[at].unix_s, unix_s);
    assert_int_equal(series->sample[at].ms, ms);
}

static void only_from_the_threshold_up(void **state)
{
    struct latency_events events = { 0 };
    (void)state;
    latency_note(&events, LATENCY_COMMAND, T, 1000, 0);
    latency_note(&events, LATENCY_COMMAND, T, 9, 10);
    assert_int_equal(events.series[LATENCY_COMMAND].count, 0);
    latency_note(&events, LATENCY_COMMAND, T, 10, 10);
    assert_int_equal(events.series[LATENCY_COMMAND].count, 1);
    assert_int_equal(events.series[LATENCY_FAST_COMMAND].count, 0);
}

static void a_second_keeps_its_slowest(void **state)
{
    struct latency_series series = { 0 };
    (void)state;
    add(&series, T, 20);
    add(&series, T, 50);
    add(&series, T, 30);
    add(&series, T + 1, 5);
    assert_int_equal(series.count, 2);
    sample_is(&series, 0, T, 50);
    sample_is(&series, 1, T + 1, 5);
    struct latency_summary summary = latency_summary_of(&series);
    assert_int_equal(summary.latest.unix_s, T + 1);
    assert_int_equal(summary.latest.ms, 5);
    assert_int_equal(summary.max_ms, 50);
}

static void the_oldest_go_but_the_maximum_stays(void **state)
{
    struct latency_series series = { 0 };
    (void)state;
    add(&series, T, 1000);
    for (int i = 1; i <= LATENCY_SAMPLES_MAX; i++)
        add(&series, T + i, i);
    assert_int_equal(series.count, LATENCY_SAMPLES_MAX);
    sample_is(&series, 0, T + 1, 1);
    sample_is(&series, LATENCY_SAMPLES_MAX - 1, T + LATENCY_SAMPLES_MAX, LATENCY_SAMPLES_MAX);
    assert_int_equal(latency_summary_of(&series).max_ms, 1000);
}

static void forgetting_says_whether_there_was_something(void **state)
{
    struct latency_events events = { 0 };
    (void)state;
    latency_note(&events, LATENCY_EXPIRE_CYCLE, T, 3, 1);
    assert_false(latency_forget(&events, LATENCY_COMMAND));
    assert_true(latency_forget(&events, LATENCY_EXPIRE_CYCLE));
    assert_false(latency_forget(&events, LATENCY_EXPIRE_CYCLE));
    assert_int_equal(latency_summary_of(&events.series[LATENCY_EXPIRE_CYCLE]).max_ms, 0);
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    for (int i = 0; i < LATENCY_EVENTS; i++)
        assert_int_equal(latency_event_find(bytes_str(latency_event_name((enum latency_event)i))),
                         i);
    assert_int_equal(latency_event_find(bytes_str("FAST-Command")), LATENCY_FAST_COMMAND);
    assert_int_equal(latency_event_find(bytes_str("fork")), -1);
    assert_int_equal(latency_event_find(bytes_str("")), -1);
}

static void merging_keeps_order_and_the_slower(void **state)
{
    struct latency_series a = { 0 }, b = { 0 };
    (void)state;
    add(&a, T, 1), add(&a, T + 2, 7), add(&a, T + 4, 2);
    add(&b, T + 1, 3), add(&b, T + 2, 9), add(&b, T + 5, 4);
    latency_series_merge(&a, &b);
    assert_int_equal(a.count, 5);
    sample_is(&a, 0, T, 1);
    sample_is(&a, 1, T + 1, 3);
    sample_is(&a, 2, T + 2, 9);
    sample_is(&a, 3, T + 4, 2);
    sample_is(&a, 4, T + 5, 4);
    assert_int_equal(a.max_ms, 9);
}

static void merging_with_nothing_changes_nothing(void **state)
{
    struct latency_series a = { 0 }, nothing = { 0 };
    (void)state;
    latency_series_merge(&a, &nothing);
    assert_int_equal(a.count, 0);
    add(&a, T, 1);
    latency_series_merge(&a, &nothing);
    latency_series_merge(&nothing, &a);
    assert_int_equal(a.count, 1);
    sample_is(&nothing, 0, T, 1);
}

/* Against one series that has seen everything in order. */
static void merging_is_as_if_one_had_seen_all(void **state)
{
    struct latency_series all = { 0 }, part[3] = { 0 };
    unsigned seed = (unsigned)T;
    (void)state;
    print_message("seed %u\n", seed);
    for (int i = 0, second = T; i < 5 * LATENCY_SAMPLES_MAX; i++) {
        int ms = 1 + rand_r(&seed) % 1000;
        second += rand_r(&seed) % 2;
        add(&all, second, ms);
        add(&part[rand_r(&seed) % 3], second, ms);
    }
    latency_series_merge(&part[0], &part[1]);
    latency_series_merge(&part[0], &part[2]);
    assert_int_equal(part[0].count, LATENCY_SAMPLES_MAX);
    assert_int_equal(part[0].max_ms, all.max_ms);
    for (uint32_t i = 0; i < all.count; i++)
        sample_is(&part[0], i, all.sample[i].unix_s, all.sample[i].ms);
}

static void summaries_merge_to_the_newest_and_the_maximum(void **state)
{
    struct latency_summary a = { { T, 5 }, 90 }, b = { { T + 1, 2 }, 30 }, c = { { T + 1, 4 }, 4 };
    (void)state;
    latency_summary_merge(&a, &b);
    assert_int_equal(a.latest.unix_s, T + 1);
    assert_int_equal(a.latest.ms, 2);
    assert_int_equal(a.max_ms, 90);
    latency_summary_merge(&a, &c);
    assert_int_equal(a.latest.ms, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_from_the_threshold_up),
        cmocka_unit_test(a_second_keeps_its_slowest),
        cmocka_unit_test(the_oldest_go_but_the_maximum_stays),
        cmocka_unit_test(forgetting_says_whether_there_was_something),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(merging_keeps_order_and_the_slower),
        cmocka_unit_test(merging_with_nothing_changes_nothing),
        cmocka_unit_test(merging_is_as_if_one_had_seen_all),
        cmocka_unit_test(summaries_merge_to_the_newest_and_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
