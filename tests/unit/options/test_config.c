/*
 * test_config.c - CONFIG GET and CONFIG SET, on our own options and on Redis's.
 */
#include "shoal/options/config.h"

#include "shoal/base/slab.h"
#include "shoal/options/assign.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/store/evict/evict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ANSWERS_MAX = 512 };

struct answer {
    char name[64], value[OPTION_TEXT_MAX];
};

static const struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
static struct settings settings;
static struct option_error error;
static struct answer answers[ANSWERS_MAX];
static int answer_count;

static int set_up(void **state)
{
    (void)state;
    options_notes_clear();
    options_defaults(&settings, &host);
    options_resolve(&settings, &host);
    return 0;
}

static void collect(void *context, const char *name, const char *value)
{
    assert_ptr_equal(context, answers);
    assert_true(answer_count < ANSWERS_MAX);
    struct answer *answer = &answers[answer_count++];
    snprintf(answer->name, sizeof(answer->name), "%s", name);
    snprintf(answer->value, sizeof(answer->value), "%s", value);
}

static int ask(const char *pattern)
{
    answer_count = 0;
    options_match(&settings, bytes_str(pattern), collect, answers);
    return answer_count;
}

static const char *get(const char *name)
{
    for (int i = 0, count = ask(name); i < count; i++) {
        if (strcmp(answers[i].name, name) == 0)
            return answers[i].value;
    }
    return "(absent)";
}

static enum option_set_result set(const char *name, const char *value)
{
    memset(&error, 0, sizeof(error));
    return option_set(&settings, bytes_str(name), bytes_str(value), &error);
}

static void refused(const char *name, const char *value, const char *reason)
{
    struct settings before = settings;
    assert_int_equal(set(name, value), OPTION_BAD);
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void test_get_by_pattern(void **state)
{
    (void)state;
    assert_int_equal(ask("port"), 1);
    assert_string_equal(answers[0].value, "6379");
    assert_int_equal(ask("PORT"), 1);
    assert_true(ask("maxmemory*") >= 4);
    assert_int_equal(ask("*of"), 2); /* replicaof and its alias */
    assert_int_equal(ask("nosuch"), 0);
    assert_int_equal(ask("no*such"), 0);
    assert_int_equal(ask("[pq]ort"), 1);
    assert_int_equal(ask("threads"), 1);
    assert_string_equal(answers[0].value, "4");
}

static void test_hidden_ones_answer_to_their_name(void **state)
{
    (void)state;
    int all = ask("*");
    assert_true(all > 150);
    for (int i = 0; i < all; i++) {
        assert_string_not_equal(answers[i].name, "key-load-delay");
        assert_string_not_equal(answers[i].name, "loadmodule");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(answers[i].name, answers[j].name);
    }
    assert_string_equal(get("key-load-delay"), "0");
    assert_string_equal(get("loadmodule"), "(absent)");
    assert_string_equal(get("hz"), "10");
}

/* What clients and load generators read at the start. */
static void test_what_clients_read(void **state)
{
    (void)state;
    assert_string_equal(get("save"), "");
    assert_string_equal(get("appendonly"), "no");
    assert_string_equal(get("timeout"), "0");
    assert_string_equal(get("databases"), "16");
    assert_string_equal(get("replica-read-only"), "yes");
    assert_string_equal(get("slave-read-only"), "yes");
    assert_string_equal(get("maxmemory"), "800000000");
    assert_string_equal(get("maxmemory-policy"), "allkeys-s3fifo");
    assert_string_equal(get("default-ttl"), "0");
    assert_string_equal(get("max-ttl"), "0");
    assert_string_equal(get("ttl-jitter"), "0");
    assert_string_equal(get("notify-keyspace-events"), "");
    assert_string_equal(get("activedefrag"), SLABS_KNOWN ? "yes" : "no");
    assert_string_equal(get("active-defrag-ignore-bytes"), "8388608");
    assert_string_equal(get("active-defrag-threshold-lower"), "10");
    assert_string_equal(get("active-defrag-cycle-max"), "5");
    assert_string_equal(get("bind"), "127.0.0.1 -::1");
    assert_string_equal(get("unixsocketperm"), "0");
    assert_string_equal(get("latency-tracking-info-percentiles"), "50 99 99.9");
    assert_string_equal(get("client-output-buffer-limit"),
                        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
    assert_string_equal(get("hash-max-ziplist-value"), "64");
}

/* Reading everything and setting it again changes nothing, as Redis's own suite does. */
static void test_everything_can_be_set_to_what_it_is(void **state)
{
    (void)state;
    static struct answer first[ANSWERS_MAX];
    int count = ask("*");
    memcpy(first, answers, sizeof(first));
    for (int i = 0; i < count; i++) {
        if (set(first[i].name, first[i].value) != OPTION_SET)
            fail_msg("%s \"%s\": %s", first[i].name, first[i].value, error.text);
    }
    assert_int_equal(ask("*"), count);
    assert_memory_equal(first, answers, sizeof(first));
}

static void test_set_each_type(void **state)
{
    (void)state;
    assert_int_equal(set("maxclients", "77"), OPTION_SET);
    assert_int_equal(settings.maxclients, 77);
    assert_int_equal(set("slowlog-log-slower-than", "-1"), OPTION_SET);
    assert_string_equal(get("slowlog-log-slower-than"), "-1");
    assert_int_equal(set("proto-max-bulk-len", "10000000000"), OPTION_SET);
    assert_true(settings.proto_max_bulk_len == 10000000000);
    assert_int_equal(set("client-query-buffer-limit", "18446744073709551615"), OPTION_SET);
    assert_true(settings.client_query_buffer_limit == INT64_MAX);
    assert_int_equal(set("protected-mode", "no"), OPTION_SET);
    assert_false(settings.protected_mode);
    assert_int_equal(set("maxmemory-policy", "VOLATILE-LRU"), OPTION_SET);
    assert_string_equal(evict_policies[settings.maxmemory_policy].name, "volatile-lru");
    assert_string_equal(get("maxmemory-policy"), "volatile-lru");
    assert_int_equal(set("maxmemory-policy", "allkeys-clock"), OPTION_SET);
    assert_string_equal(get("maxmemory-policy"), "allkeys-clock");
    assert_int_equal(set("default-ttl", "5m"), OPTION_SET);
    assert_int_equal(settings.default_ttl_ms, 300000);
    assert_string_equal(get("default-ttl"), "300");
    assert_int_equal(set("max-ttl", "1500ms"), OPTION_SET);
    assert_string_equal(get("max-ttl"), "1500ms");
    assert_int_equal(set("ttl-jitter", "10%"), OPTION_SET);
    assert_int_equal(settings.ttl_jitter_percent, 10);
    assert_int_equal(set("ttl-jitter", "25"), OPTION_SET);
    assert_string_equal(get("ttl-jitter"), "25");
    assert_int_equal(set("requirepass", "a b"), OPTION_SET);
    assert_string_equal(get("requirepass"), "a b");
    assert_int_equal(set("maxmemory", "10%"), OPTION_SET);
    assert_string_equal(get("maxmemory"), "100000000");
    assert_int_equal(set("client-output-buffer-limit", "pubsub 1mb 1kb 5 normal 7 8 9"),
                     OPTION_SET);
    assert_string_equal(get("client-output-buffer-limit"),
                        "normal 7 8 9 slave 268435456 67108864 60 pubsub 1048576 1024 5");
    assert_int_equal(set("latency-tracking-info-percentiles", "0.0 50.0 100.0"), OPTION_SET);
    assert_string_equal(get("latency-tracking-info-percentiles"), "0 50 100");
    assert_int_equal(set("latency-tracking-info-percentiles", ""), OPTION_SET);
    assert_string_equal(get("latency-tracking-info-percentiles"), "");
}

static void test_refusals_in_redis_words(void **state)
{
    (void)state;
    refused("maxclients", "abc", "argument couldn't be parsed into an integer");
    refused("maxclients", "0", "argument must be between 1 and 10000000 inclusive");
    refused("proto-max-bulk-len", "5",
            "argument must be between 1048576 and 9223372036854775807 inclusive");
    refused("proto-max-bulk-len", "x", "argument must be a memory value");
    refused("default-ttl", "-1", "argument must be a duration, as 30, 30s, 500ms, 5m, 1h, 7d");
    refused("max-ttl", "36501d", "argument must be at most 3153600000 seconds");
    refused("ttl-jitter", "101", "percentage argument must be between 0 and 100");
    refused("ttl-jitter", "x%", "argument must be a percent value");
    refused("maxmemory", "bla", "argument must be a memory or percent value");
    refused("protected-mode", "q", "argument must be 'yes' or 'no'");
    refused("maxmemory-policy", "zzz",
            "argument(s) must be one of the following: noeviction, allkeys-s3fifo, allkeys-lru, "
            "allkeys-lfu, allkeys-clock, "
            "allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl");
    refused("client-output-buffer-limit", "normal 1 2 3 pubsub 1 2",
            "Wrong number of arguments in buffer limit configuration.");
    refused("latency-tracking-info-percentiles", "10.0 50.0 a",
            "Invalid latency-tracking-info-percentiles parameters");
    refused("latency-tracking-info-percentiles", "10.0 50.0 101.0",
            "latency-tracking-info-percentiles parameters should be between 0.0 and 100.0");
    refused("hash-max-listpack-entries", "x", "argument couldn't be parsed into an integer");
    refused("maxmemory-clients", "200%", "percentage argument must be less or equal to 100");
    assert_int_equal(option_set(&settings, bytes_str("requirepass"), bytes_of("a\0b", 3), &error),
                     OPTION_BAD);
    assert_int_equal(set("nosuch", "1"), OPTION_UNKNOWN);
    assert_int_equal(set("loadmodule", "x"), OPTION_UNKNOWN);
}

static void test_fixed_at_start(void **state)
{
    (void)state;
    static const char *const names[] = {
        "port",      "bind",       "shards",          "databases",
        "daemonize", "io-threads", "cluster-enabled", "enable-debug-command"
    };
    static const char *const values[] = { "1", "0.0.0.0", "2", "3", "yes", "4", "yes", "yes" };
    for (int i = 0; i < 8; i++) {
        struct settings before = settings;
        assert_int_equal(set(names[i], values[i]), OPTION_IMMUTABLE);
        assert_string_equal(error.text, "can't set immutable config");
        assert_memory_equal(&before, &settings, sizeof(settings));
    }
    refused("dir", "/etc", "can't set protected config");
    refused("dbfilename", "authorized_keys", "can't set protected config");
}

/* Thresholds are remembered; features that do not exist are not turned on. */
static void test_compatibility(void **state)
{
    (void)state;
    static const char *const remembered[] = { "list-max-listpack-size", "hash-max-listpack-entries",
                                              "set-max-intset-entries", "zset-max-listpack-entries",
                                              "list-compress-depth",    "lfu-log-factor" };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(set(remembered[i], "3"), OPTION_SET);
        assert_string_equal(get(remembered[i]), "3");
    }
    assert_int_equal(set("hash-max-ziplist-value", "1kb"), OPTION_SET);
    assert_string_equal(get("hash-max-listpack-value"), "1024");
    assert_int_equal(set("save", "3000 5"), OPTION_SET);
    assert_string_equal(get("save"), "3000 5");
    assert_int_equal(set("save", ""), OPTION_SET);
    assert_string_equal(get("save"), "");
    assert_int_equal(set("appendonly", "no"), OPTION_SET);
    refused("appendonly", "yes", "not available in this server: only 'no' is accepted");
    refused("notify-keyspace-events", "KEA", "not available in this server: only '' is accepted");
    refused("tls-port", "6380", "not available in this server: only '0' is accepted");
    assert_string_equal(get("tls-port"), "0");
}

/* Only where the allocator tells how full its pages are. */
static void test_defragmentation(void **state)
{
    (void)state;
    assert_int_equal(set("activedefrag", "no"), OPTION_SET);
    assert_string_equal(get("activedefrag"), "no");
    if (SLABS_KNOWN) {
        assert_int_equal(set("activedefrag", "YES"), OPTION_SET);
        assert_true(settings.activedefrag);
    } else {
        refused("activedefrag", "yes",
                "Active defragmentation cannot be enabled: this server was built without jemalloc");
    }
    refused("activedefrag", "maybe", "argument must be 'yes' or 'no'");
    assert_int_equal(set("active-defrag-ignore-bytes", "100mb"), OPTION_SET);
    assert_string_equal(get("active-defrag-ignore-bytes"), "104857600");
    refused("active-defrag-cycle-max", "100", "argument must be between 1 and 99 inclusive");
    refused("active-defrag-threshold-lower", "-1", "argument must be between 0 and 1000 inclusive");
    assert_int_equal(set("active-defrag-threshold-upper", "50"), OPTION_SET); /* remembered */
}

static void test_remembered_text_has_a_limit(void **state)
{
    (void)state;
    char text[SETTINGS_REMEMBERED_BYTES + 1];
    memset(text, 'x', sizeof(text));
    text[SETTINGS_REMEMBERED_BYTES - 2] = '\0';
    assert_int_equal(set("save", text), OPTION_SET);
    assert_string_equal(get("save"), text);
    strcat(text, "x");
    text[SETTINGS_REMEMBERED_BYTES - 1] = '\0';
    assert_int_equal(set("save", text), OPTION_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_get_by_pattern, set_up),
        cmocka_unit_test_setup(test_hidden_ones_answer_to_their_name, set_up),
        cmocka_unit_test_setup(test_what_clients_read, set_up),
        cmocka_unit_test_setup(test_everything_can_be_set_to_what_it_is, set_up),
        cmocka_unit_test_setup(test_set_each_type, set_up),
        cmocka_unit_test_setup(test_refusals_in_redis_words, set_up),
        cmocka_unit_test_setup(test_fixed_at_start, set_up),
        cmocka_unit_test_setup(test_compatibility, set_up),
        cmocka_unit_test_setup(test_defragmentation, set_up),
        cmocka_unit_test_setup(test_remembered_text_has_a_limit, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
