/*
 * test_latency.c - LATENCY: histograms and events of all reactors as those of one.
 */
#include "support/admin_harness.h"

static const struct command *command(const char *name)
{
    return registry_find(bytes_str(name));
}

static uint64_t ticks_of_us(uint64_t us)
{
    return clock_ns_to_ticks(us * 1000);
}

static void run(struct admin_harness *h, uint32_t shard, const struct command *of, uint32_t runs)
{
    stats_commands(admin_reactor(h, shard)->stats, of, runs, ticks_of_us(10));
}

static void histograms_are_added(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(admin_run(h, "latency histogram"), "*0\n");
    run(h, 0, command("get"), 3);
    run(h, 1, command("get"), 2);
    stats_commands(admin_reactor(h, 1)->stats, command("get"), 1, ticks_of_us(10000));
    /* 10 us and their bucket's end are within 16, 10,000 us within 16,384 */
    assert_string_equal(admin_run(h, "latency histogram get"),
                        "*2\n$3\nget\n*4\n$5\ncalls\n:6\n$14\nhistogram_usec\n*4\n"
                        ":16\n:5\n:16384\n:6\n");
    admin_settings(h)->latency_tracking = false;
    assert_string_equal(admin_run(h, "latency histogram"), "*0\n");
}

static void histograms_are_of_the_commands_named(void **state)
{
    struct admin_harness *h = *state;
    run(h, 0, command("get"), 1);
    run(h, 0, command("set"), 1);
    run(h, 1, registry_find_sub(command("config"), bytes_str("get")), 1);
    run(h, 1, registry_find_sub(command("client"), bytes_str("id")), 1);
    assert_memory_equal(admin_run(h, "latency histogram"), "*8\n", 3);
    assert_memory_equal(admin_run(h, "latency histogram SET del nosuch"), "*2\n$3\nset\n", 10);
    admin_run(h, "latency histogram config"); /* a container is all its sub-commands */
    assert_memory_equal(h->text, "*2\n$10\nconfig|get\n", 18);
    admin_run(h, "latency histogram client|id");
    assert_memory_equal(h->text, "*2\n$9\nclient|id\n", 16);
}

static void note(struct admin_harness *h, uint32_t shard, enum latency_event event, int64_t unix_s,
                 int64_t ms)
{
    latency_note(&admin_reactor(h, shard)->records->events, event, unix_s, ms, 1);
}

static void latest_is_the_newest_of_all_and_the_longest(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(admin_run(h, "latency latest"), "*0\n");
    note(h, 0, LATENCY_COMMAND, 100, 50);
    note(h, 0, LATENCY_COMMAND, 102, 5);
    note(h, 1, LATENCY_COMMAND, 101, 70);
    note(h, 1, LATENCY_EXPIRE_CYCLE, 90, 9);
    assert_string_equal(admin_run(h, "latency latest"), "*2\n*4\n$7\ncommand\n:102\n:5\n:70\n"
                                                        "*4\n$12\nexpire-cycle\n:90\n:9\n:9\n");
}

static void history_is_in_the_order_of_time(void **state)
{
    struct admin_harness *h = *state;
    note(h, 0, LATENCY_COMMAND, 100, 50);
    note(h, 0, LATENCY_COMMAND, 102, 5);
    note(h, 1, LATENCY_COMMAND, 101, 70);
    note(h, 1, LATENCY_COMMAND, 102, 6); /* of the same second: the slower */
    note(h, 1, LATENCY_EXPIRE_CYCLE, 90, 9);
    assert_string_equal(admin_run(h, "latency history COMMAND"),
                        "*3\n*2\n:100\n:50\n*2\n:101\n:70\n*2\n:102\n:6\n");
    assert_string_equal(admin_run(h, "latency history fast-command"), "*0\n");
    assert_string_equal(admin_run(h, "latency history nosuch"), "*0\n");
}

static void reset_counts_what_it_forgets(void **state)
{
    struct admin_harness *h = *state;
    note(h, 0, LATENCY_COMMAND, 100, 50);
    note(h, 1, LATENCY_COMMAND, 100, 50);
    note(h, 1, LATENCY_EXPIRE_CYCLE, 90, 9);
    note(h, 0, LATENCY_FAST_COMMAND, 80, 8);
    assert_string_equal(admin_run(h, "latency reset nosuch"), ":0\n");
    assert_string_equal(admin_run(h, "latency reset command nosuch"), ":1\n"); /* of two reactors */
    assert_string_equal(admin_run(h, "latency history command"), "*0\n");
    assert_string_equal(admin_run(h, "latency reset"), ":2\n");
    assert_string_equal(admin_run(h, "latency reset"), ":0\n");
}

static void doctor_says_when_events_are_off(void **state)
{
    struct admin_harness *h = *state;
    assert_non_null(strstr(admin_run(h, "latency doctor"), "latency-monitor-threshold is 0"));
    admin_settings(h)->latency_threshold_ms = 10;
    assert_null(strstr(admin_run(h, "latency doctor"), "latency-monitor-threshold is 0"));
    assert_non_null(strstr(h->text, "SLOWLOG GET"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)
        TEST(histograms_are_added),
        TEST(histograms_are_of_the_commands_named),
        TEST(latest_is_the_newest_of_all_and_the_longest),
        TEST(history_is_in_the_order_of_time),
        TEST(reset_counts_what_it_forgets),
        TEST(doctor_says_when_events_are_off),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
