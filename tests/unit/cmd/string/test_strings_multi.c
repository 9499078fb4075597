/*
 * test_strings_multi.c - MGET, MSET, MSETNX.
 */
#include "support/cmd_harness.h"

static void mget_mset(void **state)
{
    RUN_STEPS(state, { "MSET a 1 b 2 a 3", "+OK" }, { "MGET a b c a", "*4 $1 3 $1 2 $-1 $1 3" },
              { "EXPIRE a 10", ":1" }, { "MSET a 4", "+OK" }, { "TTL a", ":-1" },
              { "MSET a 1 b", "-ERR wrong number of arguments for 'mset' command" },
              { "MSET a", "-ERR wrong number of arguments for 'mset' command" },
              { "MSET", "-ERR wrong number of arguments for 'mset' command" },
              { "MGET", "-ERR wrong number of arguments for 'mget' command" }, { "GET a", "$1 4" });
}

static void msetnx(void **state)
{
    RUN_STEPS(state, { "MSETNX a 1 b 2", ":1" }, { "MSETNX c 1 b 3", ":0" }, { "EXISTS c", ":0" },
              { "MSETNX c 1 c 2", ":1" }, { "GET c", "$1 2" }, { "PEXPIRE c 5", ":1" },
              { "@5", "" }, { "MSETNX c 7", ":1" },
              { "MSETNX c 7 d", "-ERR wrong number of arguments for 'msetnx' command" });
}

/* The phase that a transaction over several shards asks first. */
static void msetnx_check(void **state)
{
    struct harness *h = *state;
    const struct command *command = registry_find(bytes_str("msetnx"));
    struct span spans[] = { { 0, 6 }, { 6, 1 }, { 7, 1 } };
    struct exec exec = { .keyspace = h->keyspace, .command = command };
    exec.args = (struct args){ .base = "msetnxa1", .v = spans, .count = 3 };
    assert_true(command->check(&exec));
    assert_string_equal(harness_run(h, "EXISTS a"), ":0");
    harness_run(h, "SET a 1");
    assert_false(command->check(&exec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(mget_mset),
        HARNESS_TEST(msetnx),
        HARNESS_TEST(msetnx_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
