/*
 * test_keyspace.c - DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, SWAPDB.
 */
#include "support/cmd_harness.h"

static void dbsize_and_flush(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "DBSIZE", ":0" }, { "MSET a 1 b 2", "+OK" }, { "DBSIZE", ":2" });
    h->db = 1;
    RUN_STEPS(state, { "DBSIZE", ":0" }, { "SET c 1", "+OK" }, { "FLUSHDB", "+OK" },
              { "EXISTS c", ":0" }, { "SET c 1", "+OK" });
    h->db = 0;
    RUN_STEPS(state, { "DBSIZE", ":2" }, { "FLUSHDB foo", "-ERR syntax error" },
              { "FLUSHALL ASYNC SYNC", "-ERR syntax error" }, { "DBSIZE", ":2" },
              { "FLUSHALL async", "+OK" }, { "DBSIZE", ":0" });
    h->db = 1;
    RUN_STEPS(state, { "DBSIZE", ":0" }, { "SET c 1", "+OK" }, { "FLUSHDB SYNC", "+OK" },
              { "GET c", "$-1" });
}

static void randomkey(void **state)
{
    struct harness *h = *state;
    bool seen[3] = { false };
    RUN_STEPS(state, { "RANDOMKEY", "$-1" }, { "MSET a 1 b 2 c 3", "+OK" });
    for (int i = 0; i < 1000; i++) {
        const char *reply = harness_run(h, "RANDOMKEY");
        assert_memory_equal(reply, "$1 ", 3);
        assert_in_range(reply[3], 'a', 'c');
        seen[reply[3] - 'a'] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void randomkey_skips_expired(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "SET b 1 PX 1", "+OK" }, { "@1", "" });
    for (int i = 0; i < 100; i++)
        assert_string_equal(harness_run(*state, "RANDOMKEY"), "$1 a");
    RUN_STEPS(state, { "DEL a", ":1" }, { "RANDOMKEY", "$-1" });
}

/* However many have expired and are still there. */
static void randomkey_finds_the_only_live_key(void **state)
{
    char line[64];
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof(line), "SET gone%d 1 PX 1", i);
        harness_run(*state, line);
    }
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "@1", "" }, { "DBSIZE", ":2001" });
    for (int i = 0; i < 100; i++)
        assert_string_equal(harness_run(*state, "RANDOMKEY"), "$1 a");
}

static void databases_are_swapped(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2", "+OK" }, { "SET t 1 PX 5000", "+OK" },
              { "SWAPDB 0 1", "+OK" }, { "DBSIZE", ":0" }, { "SET a 3", "+OK" });
    h->db = 1;
    RUN_STEPS(state, { "MGET a b", "*2 $1 1 $1 2" }, { "PTTL t", ":5000" }, { "SWAPDB 1 0", "+OK" },
              { "GET a", "$1 3" }, { "SWAPDB 1 1", "+OK" }, { "DBSIZE", ":1" }, { "@6000", NULL },
              { "SWAPDB 15 0", "+OK" });
    h->db = 15;
    RUN_STEPS(state, { "DBSIZE", ":3" }, { "GET t", "$-1" }, { "DBSIZE", ":2" },
              { "SWAPDB a b", "-ERR invalid first DB index" },
              { "SWAPDB 0 b", "-ERR invalid second DB index" },
              { "SWAPDB 99999999999 0", "-ERR invalid first DB index" },
              { "SWAPDB 0 16", "-ERR DB index is out of range" },
              { "SWAPDB -1 0", "-ERR DB index is out of range" });
    h->keyspace->limits.databases = 4;
    RUN_STEPS(state, { "SWAPDB 0 4", "-ERR DB index is out of range" }, { "SWAPDB 3 0", "+OK" });
}

/* What was there goes, or comes: then it is a change, and not where both are without the key. */
static void watch_sees_a_swap(void **state)
{
    struct harness *h = *state;
    assert_true(harness_changes(h, "SET a 1", "SWAPDB 0 1"));
    assert_true(harness_changes(h, "FLUSHDB", "SWAPDB 1 0")); /* it comes back */
    assert_false(harness_changes(h, "SET a 1", "SWAPDB 1 2"));
    assert_false(harness_changes(h, "SET a 1", "SWAPDB 0 0"));
    RUN_STEPS(state, { "FLUSHALL", "+OK" });
    assert_false(harness_changes(h, "SET b 1", "SWAPDB 0 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(databases_are_swapped),   HARNESS_TEST(watch_sees_a_swap),
        HARNESS_TEST(dbsize_and_flush),        HARNESS_TEST(randomkey),
        HARNESS_TEST(randomkey_skips_expired), HARNESS_TEST(randomkey_finds_the_only_live_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
