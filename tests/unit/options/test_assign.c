/*
 * test_assign.c - defaults, one directive at a time, and what is settled at the end. The host has 4
 * CPUs and 1,000,000,000 bytes.
 */
#include "shoal/options/assign.h"

#include "shoal/base/log.h"
#include "shoal/options/compat.h"
#include "shoal/options/find.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/store/evict/evict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
static struct settings settings;
static struct option_error error;

static int set_up(void **state)
{
    (void)state;
    options_notes_clear();
    options_defaults(&settings, &host);
    return 0;
}

static bool assign(const char *name, const char *value, enum option_source source)
{
    struct option_line line = { bytes_str(name), bytes_str(value), 1 };
    return options_assign(&settings, &line, source, &error);
}

static void give(const char *name, const char *value)
{
    if (!assign(name, value, SOURCE_ARGUMENT))
        fail_msg("%s", error.text);
}

static void refused(const char *name, const char *value, enum option_source source,
                    const char *reason)
{
    struct settings before = settings;
    assert_false(assign(name, value, source));
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void test_defaults(void **state)
{
    (void)state;
    options_resolve(&settings, &host);
    assert_int_equal(settings.port, 6379);
    assert_int_equal(settings.bind_count, 2);
    assert_string_equal(settings.bind[0], "127.0.0.1");
    assert_string_equal(settings.bind[1], "-::1");
    assert_int_equal(settings.shards, 4);
    assert_true(settings.shards_auto);
    assert_int_equal(settings.maxmemory, 800000000);
    assert_string_equal(settings.maxmemory_text, "80%");
    assert_string_equal(evict_policies[settings.maxmemory_policy].name, "allkeys-s3fifo");
    assert_int_equal(settings.maxclients, 10000);
    assert_int_equal(settings.databases, 16);
    assert_true(settings.protected_mode);
    assert_string_equal(settings.requirepass, "");
    assert_int_equal(settings.loglevel, LOG_NOTICE);
    assert_int_equal(settings.tcp_backlog, 511);
    assert_int_equal(settings.tcp_keepalive_s, 300);
    assert_int_equal(settings.timeout_s, 0);
    assert_int_equal(settings.slowlog_slower_us, 10000);
    assert_int_equal(settings.slowlog_max_len, 128);
    assert_int_equal(settings.proto_max_bulk_len, 512 << 20);
    assert_int_equal(settings.client_query_buffer_limit, 1 << 30);
    assert_int_equal(settings.output_limit[OUTPUT_NORMAL].hard_bytes, 0);
    assert_int_equal(settings.output_limit[OUTPUT_REPLICA].hard_bytes, 256 << 20);
    assert_int_equal(settings.output_limit[OUTPUT_PUBSUB].soft_bytes, 8 << 20);
    assert_int_equal(settings.output_limit[OUTPUT_PUBSUB].soft_seconds, 60);
    assert_int_equal(settings.io_engine, IO_ENGINE_AUTO);
    assert_string_equal(settings.uring_features, "all");
    assert_int_equal(settings.busy_poll_us, 0);
    assert_int_equal(settings.shutdown_timeout_s, 10);
    assert_int_equal(settings.hz, 10);
    assert_true(settings.latency_tracking);
    assert_int_equal(settings.latency_percentile_count, 3);
    assert_true(settings.latency_percentiles[2] == 99.9);
    assert_int_equal(settings.enable_debug_command, ACCESS_NO);
    assert_string_equal(options_ignored(), "");
    assert_null(options_warnings()[0]);
}

/* The name is shown as it is written there. */
static void an_error_names_the_option_as_its_source_does(void **state)
{
    (void)state;
    refused("tcp_backlog", "x", SOURCE_ARGUMENT,
            "--tcp_backlog: argument couldn't be parsed into an integer, not \"x\"");
    refused("tcp_backlog", "x", SOURCE_ENVIRONMENT,
            "SHOAL_TCP_BACKLOG: argument couldn't be parsed into an integer, not \"x\"");
    refused("tcp-backlog", "x", SOURCE_FILE,
            "tcp-backlog: argument couldn't be parsed into an integer, not \"x\"");
    refused("maxmmory", "1", SOURCE_ENVIRONMENT,
            "SHOAL_MAXMMORY: unknown option (did you mean SHOAL_MAXMEMORY?)");
    refused("xyzzyxyzzy", "1", SOURCE_FILE, "xyzzyxyzzy: unknown option");
}

static void a_secret_value_is_not_shown(void **state)
{
    (void)state;
    char secret[600];
    memset(secret, 's', sizeof(secret));
    secret[599] = '\0';
    refused("requirepass", secret, SOURCE_FILE,
            "requirepass: argument must be shorter than 512 bytes");
}

static void the_number_of_words_must_fit(void **state)
{
    (void)state;
    struct option_line none = { bytes_str("port"), bytes_str(""), 0 };
    struct option_line two = { bytes_str("port"), bytes_str("1 2"), 2 };
    struct option_line comment = { bytes_str("port"), bytes_str("1 # mine"), 3 };
    struct option_line several = { bytes_str("bind"), bytes_str("1 2"), 2 };
    assert_false(options_assign(&settings, &none, SOURCE_FILE, &error));
    assert_string_equal(error.text, "port: needs a value");
    assert_false(options_assign(&settings, &two, SOURCE_FILE, &error));
    assert_string_equal(error.text, "port: takes one value, not 2");
    assert_false(options_assign(&settings, &comment, SOURCE_FILE, &error));
    assert_string_equal(error.text,
                        "port: takes one value, not 3 (a comment needs a line of its own)");
    assert_true(options_assign(&settings, &several, SOURCE_FILE, &error));
    assert_int_equal(settings.bind_count, 2);
}

static void the_source_is_noted(void **state)
{
    (void)state;
    int port = (int)(option_find(bytes_str("port")) - option_rows);
    assert_int_equal(settings._source[port], SOURCE_DEFAULT);
    give("port", "7000");
    assert_int_equal(settings._source[port], SOURCE_ARGUMENT);
    assert_true(assign("port", "7001", SOURCE_FILE));
    assert_int_equal(settings._source[port], SOURCE_FILE);
}

static void what_has_no_effect_is_listed(void **state)
{
    (void)state;
    give("hash-max-ziplist-entries", "7");
    give("hz", "20");
    give("port", "1");
    assert_string_equal(options_ignored(), "hash-max-listpack-entries, hz");
    assert_int_equal(settings.hz, 20);
    assert_string_equal(compat_get(&settings, compat_find(bytes_str("hash-max-listpack-entries"))),
                        "7");
}

static void shards_are_as_many_as_the_cpus(void **state)
{
    (void)state;
    options_resolve(&settings, &host);
    assert_int_equal(settings.shards, 4);
    give("cpu-list", "1,3");
    options_resolve(&settings, &host);
    assert_int_equal(settings.shards, 2);
    assert_null(options_warnings()[0]);
    struct host_limits large = { .cpus = 512, .cpus_affinity = 512, .memory = 1 };
    options_defaults(&settings, &large);
    options_resolve(&settings, &large);
    assert_int_equal(settings.shards, SETTINGS_SHARDS_MAX);
}

static void too_many_shards_are_warned_of(void **state)
{
    (void)state;
    give("shards", "128");
    options_resolve(&settings, &host);
    assert_int_equal(settings.shards, 128);
    assert_string_equal(options_warnings()[0],
                        "shards 128: more than the 4 CPUs this process may use (affinity 4, cgroup "
                        "quota 0); threads will wait for each other");
    options_notes_clear();
    give("shards", "3");
    give("cpu-list", "0,1");
    options_resolve(&settings, &host);
    assert_string_equal(options_warnings()[0],
                        "cpu-list: 2 CPUs for 3 shards; some will share one");
}

static void test_sched_policy(void **state)
{
    (void)state;
    static const struct {
        const char *shards, *cpus, *policy;
        bool batch;
    } cases[] = {
        { "auto", "", "auto", true }, { "3", "", "auto", false },   { "4", "", "auto", true },
        { "9", "", "auto", true },    { "9", "", "normal", false }, { "1", "", "batch", true },
        { "2", "0,1", "auto", true }, { "1", "0", "auto", false },  { "2", "0-2", "auto", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        give("shards", cases[i].shards);
        give("cpu-list", cases[i].cpus);
        give("sched-policy", cases[i].policy);
        options_resolve(&settings, &host);
        if (settings.batch != cases[i].batch)
            fail_msg("%s shards on \"%s\", %s: batch is %d", cases[i].shards, cases[i].cpus,
                     cases[i].policy, settings.batch);
    }
}

static void maxmemory_is_compared_with_the_host(void **state)
{
    (void)state;
    give("maxmemory", "0");
    options_resolve(&settings, &host);
    assert_null(options_warnings()[0]);
    give("maxmemory", "4gb");
    options_resolve(&settings, &host);
    assert_string_equal(options_warnings()[0],
                        "maxmemory 4gb: more than the 953 MB of this machine or cgroup");
    struct host_limits blind = { .cpus = 1 };
    options_notes_clear();
    options_defaults(&settings, &blind);
    options_resolve(&settings, &blind);
    assert_int_equal(settings.maxmemory, 0);
    assert_string_equal(options_warnings()[0],
                        "maxmemory 80%: the size of the memory is unknown, so there is no limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, set_up),
        cmocka_unit_test_setup(an_error_names_the_option_as_its_source_does, set_up),
        cmocka_unit_test_setup(a_secret_value_is_not_shown, set_up),
        cmocka_unit_test_setup(the_number_of_words_must_fit, set_up),
        cmocka_unit_test_setup(the_source_is_noted, set_up),
        cmocka_unit_test_setup(what_has_no_effect_is_listed, set_up),
        cmocka_unit_test_setup(shards_are_as_many_as_the_cpus, set_up),
        cmocka_unit_test_setup(too_many_shards_are_warned_of, set_up),
        cmocka_unit_test_setup(test_sched_policy, set_up),
        cmocka_unit_test_setup(maxmemory_is_compared_with_the_host, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
