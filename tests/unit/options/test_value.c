/*
 * test_value.c - each type of value from text and back, and the reasons of a refusal.
 */
#include "shoal/options/value.h"

#include "shoal/base/log.h"
#include "shoal/options/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct settings settings;
static struct option_error error;

static bool parse(const char *name, const char *value)
{
    return option_parse(option_find(bytes_str(name)), &settings, bytes_str(value), &error);
}

static const char *print(const char *name)
{
    static char out[OPTION_TEXT_MAX];
    option_print(option_find(bytes_str(name)), &settings, out);
    return out;
}

/* Refused for this reason, and nothing is changed. */
static void refused(const char *name, const char *value, const char *reason)
{
    struct settings before = settings;
    assert_false(parse(name, value));
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void test_integers(void **state)
{
    (void)state;
    assert_true(parse("maxclients", "77"));
    assert_int_equal(settings.maxclients, 77);
    assert_string_equal(print("maxclients"), "77");
    assert_true(parse("slowlog-log-slower-than", "-1"));
    assert_true(settings.slowlog_slower_us == -1);
    assert_string_equal(print("slowlog-log-slower-than"), "-1");
    assert_true(parse("slowlog-log-slower-than", "9223372036854775807"));
    assert_string_equal(print("slowlog-log-slower-than"), "9223372036854775807");
    refused("maxclients", "abc", "argument couldn't be parsed into an integer");
    refused("maxclients", "", "argument couldn't be parsed into an integer");
    refused("maxclients", "1x", "argument couldn't be parsed into an integer");
    refused("maxclients", "0", "argument must be between 1 and 10000000 inclusive");
    refused("maxclients", "10000001", "argument must be between 1 and 10000000 inclusive");
}

static void test_memory(void **state)
{
    (void)state;
    assert_true(parse("proto-max-bulk-len", "10000000000"));
    assert_true(settings.proto_max_bulk_len == 10000000000);
    assert_true(parse("active-defrag-ignore-bytes", "100mb"));
    assert_string_equal(print("active-defrag-ignore-bytes"), "104857600");
    refused("proto-max-bulk-len", "5",
            "argument must be between 1048576 and 9223372036854775807 inclusive");
    refused("proto-max-bulk-len", "x", "argument must be a memory value");
    assert_true(parse("proto-max-bulk-len", "9223372036854775807"));
    static const char *const above[] = { "9223372036854775808", "18446744073709551615",
                                         "8589934592gb" };
    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++)
        refused("proto-max-bulk-len", above[i],
                "argument must be between 1048576 and 9223372036854775807 inclusive");
    refused("active-defrag-ignore-bytes", above[0],
            "argument must be between 1 and 9223372036854775807 inclusive");
}

static void test_durations(void **state)
{
    (void)state;
    assert_true(parse("default-ttl", "5m"));
    assert_int_equal(settings.default_ttl_ms, 300000);
    assert_string_equal(print("default-ttl"), "300");
    assert_true(parse("max-ttl", "1500ms"));
    assert_string_equal(print("max-ttl"), "1500ms");
    assert_true(parse("max-ttl", "36500d"));
    refused("default-ttl", "-1", "argument must be a duration, as 30, 30s, 500ms, 5m, 1h, 7d");
    refused("max-ttl", "36501d", "argument must be at most 3153600000 seconds");
}

static void test_yes_and_no(void **state)
{
    (void)state;
    static const char *const yes[] = { "yes", "YES", "true", "1" }, *const no[] = { "no", "No",
                                                                                    "false", "0" };
    for (int i = 0; i < 4; i++) {
        assert_true(parse("protected-mode", yes[i]));
        assert_true(settings.protected_mode);
        assert_string_equal(print("protected-mode"), "yes");
        assert_true(parse("protected-mode", no[i]));
        assert_false(settings.protected_mode);
        assert_string_equal(print("protected-mode"), "no");
    }
    refused("protected-mode", "maybe", "argument must be 'yes' or 'no'");
    refused("protected-mode", "", "argument must be 'yes' or 'no'");
}

static void test_words(void **state)
{
    (void)state;
    assert_true(parse("loglevel", "WARNING"));
    assert_int_equal(settings.loglevel, LOG_WARNING);
    assert_string_equal(print("loglevel"), "warning");
    assert_true(parse("maxmemory-policy", "VOLATILE-LRU"));
    assert_string_equal(print("maxmemory-policy"), "volatile-lru");
    refused("loglevel", "loud",
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing");
    refused("maxmemory-policy", "zzz",
            "argument(s) must be one of the following: noeviction, allkeys-s3fifo, allkeys-lru, "
            "allkeys-lfu, allkeys-clock, allkeys-random, volatile-lru, volatile-lfu, "
            "volatile-random, volatile-ttl");
}

/* The largest text that fits, and one byte more. */
static void test_text(void **state)
{
    (void)state;
    char path[120];
    memset(path, 'x', sizeof(path));
    path[107] = '\0';
    assert_int_equal(sizeof(settings.unixsocket), 108);
    assert_true(parse("unixsocket", path));
    assert_string_equal(settings.unixsocket, path);
    path[107] = 'x';
    path[108] = '\0';
    refused("unixsocket", path, "argument must be shorter than 108 bytes");
    assert_true(parse("unixsocket", ""));
    assert_string_equal(print("unixsocket"), "");
    assert_false(option_parse(option_find(bytes_str("requirepass")), &settings, bytes_of("a\0b", 3),
                              &error));
    assert_string_equal(error.text, "argument must not hold a zero byte");
}

static void test_octal(void **state)
{
    (void)state;
    assert_true(parse("unixsocketperm", "770"));
    assert_int_equal(settings.unixsocketperm, 0770);
    assert_string_equal(print("unixsocketperm"), "770");
    static const char *const bad[] = { "888", "1777", "", "-7", "000777", "7x" };
    for (int i = 0; i < 6; i++)
        refused("unixsocketperm", bad[i], "argument must be an octal mode between 0 and 777");
}

static void test_words_of_a_text(void **state)
{
    (void)state;
    struct bytes text = bytes_str("  one\ttwo "), word;
    assert_true(option_next_word(&text, &word) && bytes_equal(word, bytes_str("one")));
    assert_true(option_next_word(&text, &word) && bytes_equal(word, bytes_str("two")));
    assert_false(option_next_word(&text, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_durations), cmocka_unit_test(test_yes_and_no),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_text),
        cmocka_unit_test(test_octal),     cmocka_unit_test(test_words_of_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
