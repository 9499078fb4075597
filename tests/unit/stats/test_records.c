/*
 * test_records.c - from how long on a command is looked at, and what becomes an event.
 */
#include "shoal/stats/records.h"

#include "shoal/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t ticks_of_us(uint64_t us)
{
    return clock_ns_to_ticks(us * 1000);
}

static void the_lower_threshold_is_the_one_to_look_at(void **state)
{
    (void)state;
    struct records records = { 0 };
    records_use(&records, 10000, 5);
    assert_int_equal(records.slow_ticks, ticks_of_us(5000));
    records_use(&records, 2000, 5);
    assert_int_equal(records.slow_ticks, ticks_of_us(2000));
}

static void what_is_off_asks_for_no_look(void **state)
{
    (void)state;
    struct records records = { 0 };
    records_use(&records, -1, 0);
    assert_true(records.slow_ticks == UINT64_MAX);
    assert_false(records.measure_each);
    records_use(&records, -1, 7);
    assert_int_equal(records.slow_ticks, ticks_of_us(7000));
    records_use(&records, 3000, 0);
    assert_int_equal(records.slow_ticks, ticks_of_us(3000));
    records_use(&records, INT64_MAX, 0); /* more than a tick counter holds */
    assert_true(records.slow_ticks == UINT64_MAX);
}

/* Commands that are measured in groups take less than 100 us each. */
static void a_low_threshold_has_each_command_measured(void **state)
{
    (void)state;
    struct records records = { 0 };
    records_use(&records, 0, 0);
    assert_true(records.measure_each);
    assert_int_equal(records.slow_ticks, 0);
    records_use(&records, 99, 0);
    assert_true(records.measure_each);
    records_use(&records, 100, 0);
    assert_false(records.measure_each);
}

static void events_are_those_that_reach_the_threshold(void **state)
{
    (void)state;
    struct records records = { 0 };
    const struct latency_series *series = &records.events.series[LATENCY_EXPIRE_CYCLE];
    records_use(&records, -1, 0);
    records_note(&records, LATENCY_EXPIRE_CYCLE, 1000000);
    assert_int_equal(series->count, 0);
    records_use(&records, -1, 5);
    records_note(&records, LATENCY_EXPIRE_CYCLE, 4999);
    assert_int_equal(series->count, 0);
    int64_t before_s = clock_wall_us() / 1000000;
    records_note(&records, LATENCY_EXPIRE_CYCLE, 5999);
    assert_int_equal(series->count, 1);
    assert_int_equal(series->sample[0].ms, 5);
    assert_in_range(series->sample[0].unix_s, before_s, before_s + 60);
    assert_int_equal(records.events.series[LATENCY_COMMAND].count, 0);
}

static void clearing_empties_the_slow_log(void **state)
{
    (void)state;
    struct records records = { 0 };
    const struct span span = { 0, 3 };
    const struct args args = { .base = "get", .v = &span, .count = 1 };
    slowlog_add(&records.slowlog, &args, 0, 10, 0, "", "", 8);
    assert_int_equal(records.slowlog.count, 1);
    records_clear(&records);
    assert_int_equal(records.slowlog.count, 0);
    assert_null(records.slowlog.first);
}

static int clock_start(void **state)
{
    (void)state;
    clock_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_threshold_is_the_one_to_look_at),
        cmocka_unit_test(what_is_off_asks_for_no_look),
        cmocka_unit_test(a_low_threshold_has_each_command_measured),
        cmocka_unit_test(events_are_those_that_reach_the_threshold),
        cmocka_unit_test(clearing_empties_the_slow_log),
    };
    return cmocka_run_group_tests(tests, clock_start, NULL);
}
