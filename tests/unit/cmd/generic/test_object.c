/*
 * test_object.c - OBJECT tells in Redis's terms how a value is kept.
 */
#include "support/cmd_harness.h"

static void no_key(void **state)
{
    RUN_STEPS(state, { "OBJECT ENCODING a", "$-1" }, { "OBJECT REFCOUNT a", "$-1" },
              { "OBJECT FREQ a", "$-1" }, { "OBJECT IDLETIME a", "$-1" });
}

static void encoding(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "object encoding a", "$3 int" },
              { "SET a 01234567890123456789012345678901234567890123", "+OK" },
              { "OBJECT ENCODING a", "$6 embstr" },
              { "SET a 012345678901234567890123456789012345678901234", "+OK" },
              { "OBJECT ENCODING a", "$3 raw" }, { "SET a x", "+OK" }, { "APPEND a y", ":2" },
              { "OBJECT ENCODING a", "$3 raw" });
}

/* Redis shares the objects of 0 to 9999. */
static void refcount(void **state)
{
    RUN_STEPS(state, { "SET a 0", "+OK" }, { "OBJECT REFCOUNT a", ":2147483647" },
              { "SET a 9999", "+OK" }, { "OBJECT REFCOUNT a", ":2147483647" },
              { "SET a 10000", "+OK" }, { "OBJECT REFCOUNT a", ":1" }, { "SET a -1", "+OK" },
              { "OBJECT REFCOUNT a", ":1" }, { "SET a x", "+OK" }, { "OBJECT REFCOUNT a", ":1" });
}

static void use_policy(struct harness *h, const char *name)
{
    h->keyspace->policy = evict_policy_find(name);
    assert_non_null(h->keyspace->policy);
}

/* Neither counts as a read. */
static void freq_and_idletime(void **state)
{
    struct harness *h = *state;
    use_policy(h, "allkeys-s3fifo");
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "OBJECT FREQ a", ":0" }, { "GET a", "$1 1" },
              { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ a", ":1" }, { "OBJECT IDLETIME a", ":0" });
    uint64_t hits = counter_get(&h->stats.hits);
    RUN_STEPS(state, { "OBJECT IDLETIME a", ":0" }, { "OBJECT FREQ a", ":1" });
    assert_int_equal(counter_get(&h->stats.hits), hits);
}

/* What a policy does not go by is not known. */
static void policies_that_do_not_know_say_so(void **state)
{
    static const char no_freq[] =
        "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.";
    static const char no_idle[] =
        "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.";
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1", "+OK" });
    static const char *const lru[] = { "allkeys-lru", "volatile-lru" };
    static const char *const lfu[] = { "allkeys-lfu", "volatile-lfu" };
    for (size_t i = 0; i < 2; i++) {
        use_policy(h, lru[i]);
        RUN_STEPS(state, { "OBJECT FREQ a", no_freq }, { "OBJECT IDLETIME a", ":0" });
        use_policy(h, lfu[i]);
        RUN_STEPS(state, { "OBJECT FREQ a", ":0" }, { "OBJECT IDLETIME a", no_idle });
    }
    use_policy(h, "allkeys-clock");
    RUN_STEPS(state, { "OBJECT FREQ a", ":0" }, { "OBJECT IDLETIME a", ":0" });
    use_policy(h, "noeviction");
    RUN_STEPS(
        state, { "OBJECT FREQ a", no_freq },
        { "OBJECT IDLETIME a", "-ERR idle time is not tracked under maxmemory-policy noeviction" });
}

/* Where objects keep hits, there is one for each key. */
static void refcount_under_a_limit(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1", "+OK" });
    use_policy(h, "allkeys-lru");
    RUN_STEPS(state, { "OBJECT REFCOUNT a", ":2147483647" });
    h->keyspace->budget_bytes = 1 << 20;
    RUN_STEPS(state, { "OBJECT REFCOUNT a", ":1" });
    use_policy(h, "allkeys-random");
    RUN_STEPS(state, { "OBJECT REFCOUNT a", ":2147483647" });
}

static void wrong_arguments(void **state)
{
    RUN_STEPS(
        state, { "OBJECT NOSUCH a", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP." },
        { "OBJECT", "-ERR wrong number of arguments for 'object' command" },
        { "OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command" },
        { "OBJECT ENCODING a b", "-ERR wrong number of arguments for 'object|encoding' command" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(no_key),
        HARNESS_TEST(encoding),
        HARNESS_TEST(refcount),
        HARNESS_TEST(freq_and_idletime),
        HARNESS_TEST(wrong_arguments),
        HARNESS_TEST(policies_that_do_not_know_say_so),
        HARNESS_TEST(refcount_under_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
