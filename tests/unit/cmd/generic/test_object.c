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

/* The read before it counts, FREQ itself does not. */
static void freq_and_idletime(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "OBJECT FREQ a", ":0" }, { "GET a", "$1 1" },
              { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ a", ":1" }, { "OBJECT IDLETIME a", ":0" });
    uint64_t hits = counter_get(&h->stats.hits);
    RUN_STEPS(state, { "OBJECT FREQ a", ":2" });
    assert_int_equal(counter_get(&h->stats.hits), hits);
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
        HARNESS_TEST(no_key),          HARNESS_TEST(encoding),
        HARNESS_TEST(refcount),        HARNESS_TEST(freq_and_idletime),
        HARNESS_TEST(wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
