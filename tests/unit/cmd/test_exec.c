/*
 * test_exec.c - running a command: room for what it adds, or a refusal.
 */
#include "support/cmd_harness.h"

static void refuses_growth_over_the_limit(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2", "+OK" });
    keyspace_set_share(h->keyspace, keyspace_used(h->keyspace), 0);
    RUN_STEPS(state, { "SET a 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "MSET c 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "INCR a", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "GET a", "$1 1" }, { "EXPIRE a 10", ":1" }, { "GETDEL a", "$1 1" },
              { "DEL a b", ":1" });
    assert_true(h->keyspace->over_limit);
    keyspace_set_share(h->keyspace, UINT64_MAX, 0);
    RUN_STEPS(state, { "SET a 2", "+OK" });
}

static void makes_room_where_the_policy_evicts(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2 c 3", "+OK" });
    h->keyspace->policy = evict_policy_find("allkeys-s3fifo");
    keyspace_set_share(h->keyspace, keyspace_used(h->keyspace) + keyspace_cost(1, 1), 0);
    RUN_STEPS(state, { "SET d 4", "+OK" }, { "SET e 5", "+OK" }, { "SET f 6", "+OK" },
              { "GET f", "$1 6" }, { "DBSIZE", ":4" });
    assert_false(h->keyspace->over_limit);
}

static void tells_the_hits_of_a_key(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "OBJECT FREQ a", ":0" }, { "GET a", "$1 1" },
              { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ b", "$-1" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(refuses_growth_over_the_limit),
        HARNESS_TEST(makes_room_where_the_policy_evicts),
        HARNESS_TEST(tells_the_hits_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
