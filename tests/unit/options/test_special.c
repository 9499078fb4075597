/*
 * test_special.c - the values that are more than one number or word, from text and back.
 */
#include "shoal/options/special.h"

#include "shoal/base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct settings settings;
static struct option_error error;
static char out[OPTION_TEXT_MAX];

static int set_up(void **state)
{
    (void)state;
    memset(&settings, 0, sizeof(settings));
    settings.host_memory = 1000000000;
    return 0;
}

static void refused(option_parse_fn parse, const char *value, const char *reason)
{
    struct settings before = settings;
    assert_false(parse(&settings, bytes_str(value), &error));
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void taken(option_parse_fn parse, option_print_fn print, const char *value,
                  const char *shown)
{
    if (!parse(&settings, bytes_str(value), &error))
        fail_msg("\"%s\": %s", value, error.text);
    print(&settings, out);
    assert_string_equal(out, shown);
}

static void test_bind(void **state)
{
    (void)state;
    taken(option_parse_bind, option_print_bind, "10.0.0.1  -::1", "10.0.0.1 -::1");
    assert_int_equal(settings.bind_count, 2);
    assert_string_equal(settings.bind[1], "-::1");
    refused(option_parse_bind, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
            "Too many bind addresses specified (at most 16)");
    refused(option_parse_bind, "1234567890123456789012345678901234567890123456789012345678901234",
            "bind address is longer than 63 bytes");
    taken(option_parse_bind, option_print_bind, "", "");
    assert_int_equal(settings.bind_count, 0);
}

static void test_shards(void **state)
{
    (void)state;
    taken(option_parse_shards, option_print_shards, "128", "128");
    assert_false(settings.shards_auto);
    static const char *const bad[] = { "0", "129", "-1", "x", "" };
    for (int i = 0; i < 5; i++)
        refused(option_parse_shards, bad[i],
                "argument must be 'auto' or between 1 and 128 inclusive");
    taken(option_parse_shards, option_print_shards, "AUTO", "0");
    assert_true(settings.shards_auto);
}

static void test_cpus(void **state)
{
    (void)state;
    taken(option_parse_cpus, option_print_cpus, "0-2,6", "0-2,6");
    assert_int_equal(settings.cpu_count, 4);
    assert_int_equal(settings.cpus[3], 6);
    taken(option_parse_cpus, option_print_cpus, "6,2,1,1023", "6,2,1,1023");
    static const char *const bad[] = { "1,", ",1", "3-1", "0-1024", "a", "1-", "0-3,2", "1 2" };
    for (int i = 0; i < 8; i++)
        refused(option_parse_cpus, bad[i],
                "argument must be a list of CPUs such as 0-3,6, each below 1024 and named once");
    taken(option_parse_cpus, option_print_cpus, "", "");
}

/* The host has 1,000,000,000 bytes. */
static void test_maxmemory(void **state)
{
    (void)state;
    taken(option_parse_maxmemory, option_print_maxmemory, "50%", "500000000");
    option_print_maxmemory_given(&settings, out);
    assert_string_equal(out, "50%");
    taken(option_parse_maxmemory, option_print_maxmemory, "1gb", "1073741824");
    option_print_maxmemory_given(&settings, out);
    assert_string_equal(out, "1gb");
    taken(option_parse_maxmemory, option_print_maxmemory, "0", "0");
    refused(option_parse_maxmemory, "5xx", "argument must be a memory or percent value");
    refused(option_parse_maxmemory, "%", "argument must be a memory or percent value");
    refused(option_parse_maxmemory, "0%", "percentage argument must be between 1 and 100");
    refused(option_parse_maxmemory, "101%", "percentage argument must be between 1 and 100");
    refused(option_parse_maxmemory, "00000000000000000000000000000001",
            "argument must be a memory or percent value"); /* maxmemory_text has 31 bytes */
}

static void test_jitter(void **state)
{
    (void)state;
    taken(option_parse_jitter, option_print_jitter, "10%", "10");
    assert_int_equal(settings.ttl_jitter_percent, 10);
    taken(option_parse_jitter, option_print_jitter, "100", "100");
    refused(option_parse_jitter, "101", "percentage argument must be between 0 and 100");
    refused(option_parse_jitter, "x%", "argument must be a percent value");
    refused(option_parse_jitter, "", "argument must be a percent value");
}

/* On only where the allocator tells how full its pages are. */
static void test_activedefrag(void **state)
{
    (void)state;
    taken(option_parse_activedefrag, option_print_activedefrag, "no", "no");
    if (slabs_available())
        taken(option_parse_activedefrag, option_print_activedefrag, "YES", "yes");
    else
        refused(option_parse_activedefrag, "yes",
                "Active defragmentation cannot be enabled: this server was built without jemalloc");
    refused(option_parse_activedefrag, "maybe", "argument must be 'yes' or 'no'");
}

static void test_maxmemory_clients(void **state)
{
    (void)state;
    taken(option_parse_maxmemory_clients, option_print_maxmemory_clients, "20%", "20%");
    assert_int_equal(settings.maxmemory_clients_percent, 20);
    taken(option_parse_maxmemory_clients, option_print_maxmemory_clients, "1mb", "1048576");
    assert_int_equal(settings.maxmemory_clients_percent, 0);
    taken(option_parse_maxmemory_clients, option_print_maxmemory_clients, "0%", "0");
    refused(option_parse_maxmemory_clients, "5xx", "argument must be a memory or percent value");
    refused(option_parse_maxmemory_clients, "200%",
            "percentage argument must be less or equal to 100");
}

static void test_output_limit(void **state)
{
    (void)state;
    taken(option_parse_output_limit, option_print_output_limit, "normal 1 2 3 replica 1kb 5 6",
          "normal 1 2 3 slave 1024 5 6 pubsub 0 0 0");
    /* classes that are not named keep what they have */
    taken(option_parse_output_limit, option_print_output_limit, "pubsub 7 8 9 slave 4 5 6",
          "normal 1 2 3 slave 4 5 6 pubsub 7 8 9");
    refused(option_parse_output_limit, "normal 0 0 0 pubsub 1 2",
            "Wrong number of arguments in buffer limit configuration.");
    refused(option_parse_output_limit, "normal 0 0 0 wrong 1 2 3",
            "Invalid client class specified in buffer limit configuration.");
    static const char *const bad[] = { "normal x 2 3", "normal 1 x 3", "normal 1 2 x",
                                       "normal 1 2 -1", "normal 1 2 4294967296" };
    for (int i = 0; i < 5; i++)
        refused(option_parse_output_limit, bad[i],
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
}

static void test_percentiles(void **state)
{
    (void)state;
    taken(option_parse_percentiles, option_print_percentiles, "0.0 50.0 99.9 100.0",
          "0 50 99.9 100");
    assert_int_equal(settings.latency_percentile_count, 4);
    refused(option_parse_percentiles, "10.0 50.0 a",
            "Invalid latency-tracking-info-percentiles parameters");
    refused(option_parse_percentiles, "10.0 101.0",
            "latency-tracking-info-percentiles parameters should be between 0.0 and 100.0");
    refused(option_parse_percentiles, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
            "at most 16 percentiles");
    taken(option_parse_percentiles, option_print_percentiles, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bind, set_up),
        cmocka_unit_test_setup(test_shards, set_up),
        cmocka_unit_test_setup(test_cpus, set_up),
        cmocka_unit_test_setup(test_maxmemory, set_up),
        cmocka_unit_test_setup(test_jitter, set_up),
        cmocka_unit_test_setup(test_activedefrag, set_up),
        cmocka_unit_test_setup(test_maxmemory_clients, set_up),
        cmocka_unit_test_setup(test_output_limit, set_up),
        cmocka_unit_test_setup(test_percentiles, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
