/*
 * test_memory_usage.c - MEMORY USAGE grows with the value; its options are checked.
 */
#include "support/cmd_harness.h"

static void usage_of_a_key(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MEMORY USAGE a", "$-1" }, { "SET a 1", "+OK" });
    int64_t small = atoll(harness_run(h, "MEMORY USAGE a") + 1);
    assert_true(small >= 16);
    harness_run(h, "SETRANGE a 99999 x");
    int64_t large = atoll(harness_run(h, "MEMORY USAGE a SAMPLES 5") + 1);
    assert_in_range(large, 100000, 300000); /* with room to grow */
}

/* The table's bytes are shared by its keys: with more of them each has less of it. */
static void share_of_the_table(void **state)
{
    struct harness *h = *state;
    harness_run(h, "SET a 1");
    int64_t alone = atoll(harness_run(h, "MEMORY USAGE a") + 1);
    harness_run(h, "MSET b 1 c 1 d 1");
    int64_t among_four = atoll(harness_run(h, "MEMORY USAGE a") + 1);
    int64_t table = (int64_t)h->keyspace->db[0].table_bytes;
    assert_true(table > 4);
    assert_int_equal(alone - among_four, table - table / 4);
}

static void samples_are_checked(void **state)
{
    RUN_STEPS(state, { "MEMORY USAGE a SAMPLES", "-ERR syntax error" },
              { "MEMORY USAGE a SAMPLES -1", "-ERR syntax error" },
              { "MEMORY USAGE x SAMPLES x", "-ERR value is not an integer or out of range" },
              { "MEMORY USAGE x FOO 1", "-ERR syntax error" },
              { "MEMORY USAGE x SAMPLES 0", "$-1" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(usage_of_a_key),
        HARNESS_TEST(share_of_the_table),
        HARNESS_TEST(samples_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
