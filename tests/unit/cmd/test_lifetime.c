/*
 * test_lifetime.c - every family of commands under default-ttl, max-ttl and ttl-jitter.
 */
#include "support/cmd_harness.h"

static void rules(void **state, int64_t default_ms, int64_t max_ms, uint32_t jitter)
{
    struct harness *h = *state;
    h->keyspace->lifetime = lifetime_of(default_ms, max_ms, jitter);
}

static void writes_without_a_ttl_get_the_default(void **state)
{
    rules(state, 500, 0, 0);
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "PTTL a", ":500" }, { "SETNX b 1", ":1" },
              { "PTTL b", ":500" }, { "GETSET c 1", "$-1" }, { "PTTL c", ":500" },
              { "MSET d 1 e 2", "+OK" }, { "PTTL d", ":500" }, { "PTTL e", ":500" },
              { "MSETNX f 1 g 2", ":1" }, { "PTTL g", ":500" }, { "APPEND h x", ":1" },
              { "PTTL h", ":500" }, { "SETRANGE i 3 x", ":4" }, { "PTTL i", ":500" },
              { "SETBIT j 7 1", ":0" }, { "PTTL j", ":500" }, { "INCR k", ":1" },
              { "PTTL k", ":500" }, { "DECRBY l 2", ":-2" }, { "PTTL l", ":500" },
              { "INCRBYFLOAT m 1.5", "$3 1.5" }, { "PTTL m", ":500" },
              { "BITFIELD n SET u8 0 1", "*1 :0" }, { "PTTL n", ":500" },
              { "SET o 1 KEEPTTL", "+OK" }, { "PTTL o", ":500" }, { "SET p 1 NX GET", "$-1" },
              { "PTTL p", ":500" });
}

static void what_asks_for_a_ttl_has_it(void **state)
{
    rules(state, 500, 0, 0);
    RUN_STEPS(state, { "SET a 1 PX 9000", "+OK" }, { "PTTL a", ":9000" }, { "SETEX b 9 1", "+OK" },
              { "PTTL b", ":9000" }, { "PSETEX c 100 1", "+OK" }, { "PTTL c", ":100" },
              { "PEXPIRE c 9000", ":1" }, { "PTTL c", ":9000" }, { "GETEX c PX 8000", "$1 1" },
              { "PTTL c", ":8000" });
}

static void what_is_there_keeps_its_ttl(void **state)
{
    rules(state, 500, 0, 0);
    RUN_STEPS(state, { "SET a 1 PX 9000", "+OK" }, { "INCR a", ":2" }, { "APPEND a 0", ":2" },
              { "SETRANGE a 0 7", ":2" }, { "SET a 5 KEEPTTL", "+OK" }, { "GETEX a", "$1 5" },
              { "PTTL a", ":9000" }, { "RENAME a b", "+OK" }, { "PTTL b", ":9000" },
              { "COPY b c", ":1" }, { "PTTL c", ":9000" }, { "SET c 1", "+OK" },
              { "PTTL c", ":500" }, { "SET c 1 XX GET", "$1 1" }, { "PTTL c", ":500" });
}

static void persist_means_it(void **state)
{
    rules(state, 500, 0, 0);
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "PERSIST a", ":1" }, { "PTTL a", ":-1" },
              { "PERSIST a", ":0" }, { "INCR a", ":2" }, { "APPEND a 0", ":2" },
              { "SET a 5 KEEPTTL", "+OK" }, { "PTTL a", ":-1" }, { "COPY a b", ":1" },
              { "PTTL b", ":-1" }, { "RENAME b c", "+OK" }, { "PTTL c", ":-1" },
              { "SET d 1", "+OK" }, { "GETEX d PERSIST", "$1 1" }, { "PTTL d", ":-1" },
              { "SET a 1", "+OK" }, { "PTTL a", ":500" });
}

static void nothing_outlives_the_maximum(void **state)
{
    rules(state, 0, 1000, 0);
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "PTTL a", ":1000" }, { "SET a 1 EX 100", "+OK" },
              { "PTTL a", ":1000" }, { "SET a 1 PX 100", "+OK" }, { "PTTL a", ":100" },
              { "PERSIST a", ":1" }, { "PTTL a", ":1000" }, { "SETEX b 50 1", "+OK" },
              { "PTTL b", ":1000" }, { "EXPIRE b 50", ":1" }, { "PTTL b", ":1000" },
              { "PEXPIREAT b 9223372036854775807", ":1" }, { "PTTL b", ":1000" },
              { "GETEX b EX 100", "$1 1" }, { "PTTL b", ":1000" }, { "@400", "" },
              { "PTTL b", ":600" }, { "INCR b", ":2" }, { "PTTL b", ":600" }, { "COPY b c", ":1" },
              { "PTTL c", ":600" }, { "GETEX b PERSIST", "$1 2" }, { "PTTL b", ":1000" },
              { "MSET d 1", "+OK" }, { "PTTL d", ":1000" }, { "SET e 1 PX 1", "+OK" }, { "@1", "" },
              { "GET e", "$-1" });
}

/* Keys from before the maximum are cut by the next write, whatever it is. */
static void older_keys_are_cut_when_written(void **state)
{
    rules(state, 0, 0, 0);
    RUN_STEPS(state, { "MSET a 1 b 1 c 1 d 1 e 1 f 1", "+OK" }, { "EXPIRE b 100", ":1" });
    rules(state, 0, 1000, 0);
    RUN_STEPS(state, { "PTTL a", ":-1" }, { "INCR a", ":2" }, { "PTTL a", ":1000" },
              { "APPEND b 0", ":2" }, { "PTTL b", ":1000" }, { "GET b", "$2 10" },
              { "SETRANGE c 0 xyz", ":3" }, { "PTTL c", ":1000" }, { "GET c", "$3 xyz" },
              { "COPY d g", ":1" }, { "PTTL g", ":1000" }, { "PTTL d", ":-1" },
              { "RENAME e h", "+OK" }, { "PTTL h", ":1000" }, { "SET f 2 KEEPTTL", "+OK" },
              { "PTTL f", ":1000" }, { "PERSIST d", ":0" }, { "PTTL d", ":-1" });
}

static void conditions_compare_what_would_be_set(void **state)
{
    rules(state, 0, 1000, 0);
    RUN_STEPS(state, { "SET a 1 PX 1000", "+OK" }, { "EXPIRE a 100 GT", ":0" },
              { "PEXPIRE a 900 LT", ":1" }, { "EXPIRE a 100 GT", ":1" }, { "PTTL a", ":1000" },
              { "EXPIRE a 100 LT", ":0" }, { "EXPIRE a -1", ":1" }, { "EXISTS a", ":0" });
}

static void jittered(struct harness *h, const char *command, const char *key)
{
    char line[64];
    harness_run(h, command);
    snprintf(line, sizeof(line), "PTTL %s", key);
    assert_in_range(atoll(harness_run(h, line) + 1), 8000, 10000);
}

/* A TTL of 10 s becomes 8 to 10 s by whatever it is given, and is not the same each time. */
static void jitter_is_in_every_ttl_given(void **state)
{
    struct harness *h = *state;
    rules(state, 10000, 0, 20);
    static const char *const commands[] = {
        "SET a 1",     "SET a 1 EX 10",   "SETEX a 10 1",     "PSETEX a 10000 1", "EXPIRE a 10",
        "GETSET a 10", "PEXPIRE a 10000", "GETEX a PX 10000", "MSET b 1 a 1",
    };
    long long sum = 0;
    for (int i = 0; i < 1000; i++) {
        jittered(h, commands[i % 9], "a");
        sum += atoll(harness_run(h, "PTTL a") + 1);
        harness_run(h, "DEL c");
        jittered(h, i % 2 ? "INCR c" : "APPEND c x", "c");
        if (i % 9 == 4)
            harness_run(h, "SET a 1");
    }
    assert_in_range(sum / 1000, 8850, 9150);
}

static void jitter_leaves_what_is_kept(void **state)
{
    struct harness *h = *state;
    rules(state, 10000, 0, 50);
    for (int i = 0; i < 100; i++) {
        harness_run(h, "SET a 1");
        long long ttl = atoll(harness_run(h, "PTTL a") + 1);
        harness_run(h, "INCR a");
        harness_run(h, "SETRANGE a 5 x");
        harness_run(h, "RENAME a b");
        harness_run(h, "COPY b a REPLACE");
        assert_int_equal(atoll(harness_run(h, "PTTL b") + 1), ttl);
        assert_int_equal(atoll(harness_run(h, "PTTL a") + 1), ttl);
        /* GT never shortens, LT never lengthens, whatever the dice say */
        harness_run(h, "EXPIRE a 10 GT");
        assert_true(atoll(harness_run(h, "PTTL a") + 1) >= ttl);
        harness_run(h, "EXPIRE b 10 LT");
        assert_true(atoll(harness_run(h, "PTTL b") + 1) <= ttl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(writes_without_a_ttl_get_the_default),
        HARNESS_TEST(what_asks_for_a_ttl_has_it),
        HARNESS_TEST(what_is_there_keeps_its_ttl),
        HARNESS_TEST(persist_means_it),
        HARNESS_TEST(nothing_outlives_the_maximum),
        HARNESS_TEST(older_keys_are_cut_when_written),
        HARNESS_TEST(conditions_compare_what_would_be_set),
        HARNESS_TEST(jitter_is_in_every_ttl_given),
        HARNESS_TEST(jitter_leaves_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
