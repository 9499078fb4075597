/*
 * test_stats.c - buckets of durations, errors by their first word, sums, and what is set to zero.
 */
#include "shoal/stats/stats.h"

#include "shoal/commands.h"
#include "shoal/reactor/reactor.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_duration_has_its_bucket(void **state)
{
    (void)state;
    uint32_t before = 0;
    const uint64_t longest = latency_bucket_top(LATENCY_BUCKETS - 1);
    for (uint64_t ticks = 0; ticks <= longest; ticks += 1 + ticks / 1000) {
        uint32_t bucket = latency_bucket(ticks);
        assert_in_range(bucket, 0, LATENCY_BUCKETS - 1);
        assert_true(bucket >= before);
        assert_true(ticks <= latency_bucket_top(bucket));
        assert_true(bucket == 0 || ticks > latency_bucket_top(bucket - 1));
        before = bucket;
    }
    assert_int_equal(latency_bucket(longest), LATENCY_BUCKETS - 1);
    assert_int_equal(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void a_bucket_is_not_wider_than_half_of_its_time(void **state)
{
    (void)state;
    for (uint32_t bucket = 4; bucket < LATENCY_BUCKETS; bucket++) {
        uint64_t top = latency_bucket_top(bucket), below = latency_bucket_top(bucket - 1);
        assert_true(top > below && (top - below) * 2 <= below + 1);
    }
}

static void commands_are_counted(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    const struct command *command =
        registry_at(registry_count() - 1); /* the last one has room, too */
    stats_commands(stats, command, 3, 1000);
    stats_commands(stats, command, 1, 50);
    struct command_stats *of = &stats->command[command->id];
    assert_int_equal(counter_get(&of->calls), 4);
    assert_int_equal(counter_get(&of->ticks), 3050);
    assert_int_equal(counter_get(&of->latency[latency_bucket(1000)]), 3);
    assert_int_equal(counter_get(&of->latency[latency_bucket(50)]), 1);
    free(stats);
}

static uint64_t count_of(const struct reactor_stats *stats, const char *name)
{
    uint64_t names = counter_published(&stats->error_names);
    for (uint64_t i = 0; i < names; i++)
        if (strcmp(stats->errors[i].name, name) == 0)
            return counter_get(&stats->errors[i].count);
    return 0;
}

static void errors_are_counted_by_name(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    stats_error(stats, "ERR");
    stats_error(stats, "WRONGTYPE");
    stats_error(stats, "ERR");
    stats_error(stats, "E");
    assert_int_equal(count_of(stats, "ERR"), 2);
    assert_int_equal(count_of(stats, "WRONGTYPE"), 1);
    assert_int_equal(count_of(stats, "E"), 1);
    assert_int_equal(counter_get(&stats->error_replies), 4);
    free(stats);
}

static void names_are_bounded_in_length_and_number(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    stats_error(stats, "ANAMETHATISMUCHLONGERTHANTHEREISROOMFOR");
    stats_error(stats, "ANAMETHATISMUCHLONGERTHANTHEREISROOMFOR");
    assert_int_equal(strlen(stats->errors[0].name), STATS_ERROR_NAME - 1);
    assert_int_equal(counter_get(&stats->errors[0].count), 2);
    for (int i = 0; i < 3 * STATS_ERRORS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "E%d", i);
        stats_error(stats, name);
    }
    assert_int_equal(counter_get(&stats->error_replies), 2 + 3 * STATS_ERRORS_MAX);
    assert_int_equal(count_of(stats, "E0"), 1);
    assert_int_equal(count_of(stats, "E191"), 0); /* there is no room for all */
    free(stats);
}

/* CONFIG RESETSTAT zeroes the counts while another reactor reads the names. */
static void a_name_stays_when_its_count_is_zeroed(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    stats_error(stats, "ERR");
    stats_error(stats, "OOM");
    for (int i = 0; i < STATS_ERRORS_MAX; i++)
        counter_set(&stats->errors[i].count, 0);
    stats_error(stats, "OOM");
    assert_string_equal(stats->errors[0].name, "ERR");
    assert_int_equal(count_of(stats, "ERR"), 0);
    assert_int_equal(count_of(stats, "OOM"), 1);
    free(stats);
}

/* Reads every name until all are there; returns one that is not as it should be, or NULL. */
static void *read_names(void *context)
{
    const struct reactor_stats *stats = context;
    uint64_t names = 0;
    while (names < STATS_ERRORS_MAX) {
        names = counter_published(&stats->error_names);
        for (uint64_t i = 0; i < names; i++) {
            char name[16];
            snprintf(name, sizeof(name), "E%d", (int)i);
            if (strcmp(stats->errors[i].name, name) != 0)
                return (void *)stats->errors[i].name;
        }
    }
    return NULL;
}

/* One writes, another reads: it is ThreadSanitizer that looks here. */
static void names_are_whole_when_others_see_them(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    pthread_t reader;
    void *wrong;
    assert_int_equal(pthread_create(&reader, NULL, read_names, stats), 0);
    for (int i = 0; i < 2 * STATS_ERRORS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "E%d", i);
        stats_error(stats, name);
        counter_set(&stats->errors[i / 2].count, 0);
    }
    pthread_join(reader, &wrong);
    assert_null(wrong);
    free(stats);
}

static struct counter *counter_of(struct reactor_stats *stats, const struct counter_row *row)
{
    return (struct counter *)((char *)stats + row->offset);
}

static void a_reset_is_of_events_alone(void **state)
{
    (void)state;
    struct reactor_stats *stats = stats_new();
    struct command_stats *last = &stats->command[registry_count() - 1];
    for (uint32_t i = 0; i < counters_count(); i++)
        counter_set(counter_of(stats, counters_at(i)), 7);
    counter_set(&stats->used_peak, 7);
    counter_set(&stats->connections_closed, 7);
    counter_set(&stats->keyspace.keys[1], 7);
    counter_set(&last->rejected, 7);
    counter_set(&last->failed, 7);
    stats_commands(stats, registry_at(registry_count() - 1), 7, 1000);
    stats_error(stats, "OOM");
    stats_reset(stats);
    for (uint32_t i = 0; i < counters_count(); i++) {
        const struct counter_row *row = counters_at(i);
        if (counter_get(counter_of(stats, row)) != (row->kind == COUNTER_EVENTS ? 0 : 7))
            fail_msg("%s is %lu", row->name, (unsigned long)counter_get(counter_of(stats, row)));
    }
    assert_int_equal(counter_get(&stats->used_peak), 7);
    assert_int_equal(counter_get(&stats->connections_closed), 7);
    assert_int_equal(counter_get(&stats->keyspace.keys[1]), 7);
    struct command_stats zero = { 0 };
    assert_memory_equal(last, &zero, sizeof(zero));
    assert_int_equal(counter_get(&stats->error_names), 1);
    assert_int_equal(counter_get(&stats->errors[0].count), 0);
    free(stats);
}

static void sums_are_over_all_reactors(void **state)
{
    (void)state;
    struct reactor reactors[3] = { 0 }, *peer[3];
    for (uint32_t i = 0; i < 3; i++) {
        peer[i] = &reactors[i];
        reactors[i] = (struct reactor){ .id = i, .count = 3, .peer = peer, .stats = stats_new() };
        counter_set(&reactors[i].stats->turns, 1ull << (40 + i));
        counter_set(&reactors[i].stats->keyspace.keys[2], 10 + i);
    }
    assert_true(STATS_SUM(&reactors[1], turns) == 7ull << 40);
    assert_int_equal(STATS_SUM(&reactors[0], keyspace.keys[2]), 33);
    assert_int_equal(stats_shard_keys(&reactors[0], 2, 2), 12);
    assert_int_equal(stats_shard_keys(&reactors[0], 2, 1), 0);
    for (uint32_t i = 0; i < 3; i++)
        free(reactors[i].stats);
}

static int register_all(void **state)
{
    (void)state;
    commands_register();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_duration_has_its_bucket),
        cmocka_unit_test(a_bucket_is_not_wider_than_half_of_its_time),
        cmocka_unit_test(commands_are_counted),
        cmocka_unit_test(errors_are_counted_by_name),
        cmocka_unit_test(names_are_bounded_in_length_and_number),
        cmocka_unit_test(a_name_stays_when_its_count_is_zeroed),
        cmocka_unit_test(names_are_whole_when_others_see_them),
        cmocka_unit_test(a_reset_is_of_events_alone),
        cmocka_unit_test(sums_are_over_all_reactors),
    };
    return cmocka_run_group_tests(tests, register_all, NULL);
}
