/*
 * test_keys.c - DEL, EXISTS and their relatives, OBJECT and MEMORY USAGE.
 */
#include "support/cmd_harness.h"

static void del_exists_touch(void **state)
{
    RUN_STEPS(state, { "DEL a", ":0" }, { "MSET a 1 b 2 c 3", "+OK" }, { "EXISTS a b a x", ":3" },
              { "TOUCH a x", ":1" }, { "DEL a a x b", ":2" }, { "EXISTS a b", ":0" },
              { "UNLINK c", ":1" }, { "DBSIZE", ":0" }, { "SET a 1 PX 5", "+OK" }, { "@5", "" },
              { "DEL a", ":0" }, { "DEL", "-ERR wrong number of arguments for 'del' command" });
}

static void type(void **state)
{
    RUN_STEPS(state, { "TYPE a", "+none" }, { "SET a 1", "+OK" }, { "TYPE a", "+string" });
}

static void object(void **state)
{
    RUN_STEPS(
        state, { "OBJECT ENCODING a", "$-1" }, { "OBJECT REFCOUNT a", "$-1" },
        { "OBJECT FREQ a", "$-1" }, { "SET a 1", "+OK" }, { "object encoding a", "$3 int" },
        { "OBJECT REFCOUNT a", ":2147483647" }, { "OBJECT FREQ a", ":2" },
        { "OBJECT IDLETIME a", ":0" }, { "SET a 10000", "+OK" }, { "OBJECT REFCOUNT a", ":1" },
        { "SET a -1", "+OK" }, { "OBJECT REFCOUNT a", ":1" },
        { "SET a 01234567890123456789012345678901234567890123", "+OK" },
        { "OBJECT ENCODING a", "$6 embstr" },
        { "SET a 012345678901234567890123456789012345678901234", "+OK" },
        { "OBJECT ENCODING a", "$3 raw" },
        { "OBJECT NOSUCH a", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP." },
        { "OBJECT", "-ERR wrong number of arguments for 'object' command" },
        { "OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command" },
        { "OBJECT ENCODING a b", "-ERR wrong number of arguments for 'object|encoding' command" });
    assert_memory_equal(harness_run(*state, "OBJECT HELP"), "*11 +OBJECT", 11);
}

static void memory_usage_of_keys(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MEMORY USAGE a", "$-1" }, { "SET a 1", "+OK" });
    int64_t small = atoll(harness_run(h, "MEMORY USAGE a") + 1);
    assert_true(small >= 16);
    harness_run(h, "SETRANGE a 99999 x");
    int64_t large = atoll(harness_run(h, "MEMORY USAGE a SAMPLES 5") + 1);
    assert_in_range(large, 100000, 300000); /* with room to grow */
    RUN_STEPS(state, { "MEMORY USAGE a SAMPLES", "-ERR syntax error" },
              { "MEMORY USAGE a SAMPLES -1", "-ERR syntax error" },
              { "MEMORY USAGE x SAMPLES x", "-ERR value is not an integer or out of range" },
              { "MEMORY USAGE x FOO 1", "-ERR syntax error" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(del_exists_touch),
        HARNESS_TEST(type),
        HARNESS_TEST(object),
        HARNESS_TEST(memory_usage_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
