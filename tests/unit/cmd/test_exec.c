/*
 * test_exec.c - running a command: what is refused while memory is over its limit.
 */
#include "support/cmd_harness.h"

static void refuses_growth_over_the_limit(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2", "+OK" });
    h->keyspace->over_limit = true;
    RUN_STEPS(state, { "SET a 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "MSET c 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "INCR a", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "GET a", "$1 1" }, { "EXPIRE a 10", ":1" }, { "GETDEL a", "$1 1" },
              { "DEL a b", ":1" });
    h->keyspace->over_limit = false;
    RUN_STEPS(state, { "SET a 2", "+OK" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(refuses_growth_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
