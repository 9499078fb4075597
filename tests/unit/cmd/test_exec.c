/*
 * test_exec.c - running a command: room for what it adds, or a refusal.
 */
#include "support/cmd_harness.h"
#include "support/pool_with.h"

static void refuses_growth_over_the_limit(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2", "+OK" });
    keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace));
    RUN_STEPS(state, { "SET a 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "MSET c 2", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "INCR a", "-OOM command not allowed when used memory > 'maxmemory'." },
              { "GET a", "$1 1" }, { "EXPIRE a 10", ":1" }, { "GETDEL a", "$1 1" },
              { "DEL a b", ":1" });
    assert_true(h->keyspace->over_limit);
    keyspace_set_budget(h->keyspace, UINT64_MAX);
    RUN_STEPS(state, { "SET a 2", "+OK" });
}

static void makes_room_where_the_policy_evicts(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MSET a 1 b 2 c 3", "+OK" });
    h->keyspace->policy = evict_policy_find("allkeys-s3fifo");
    keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace) + keyspace_cost(1, 1));
    RUN_STEPS(state, { "SET d 4", "+OK" }, { "SET e 5", "+OK" }, { "SET f 6", "+OK" },
              { "GET f", "$1 6" }, { "DBSIZE", ":4" });
    assert_false(h->keyspace->over_limit);
}

/* Commands of a few bytes whose result takes a megabyte more, or larger blocks. "large" fills its
 * own to the last byte. */
static const char *const growing[] = {
    "SETRANGE new 1048576 x",
    "SETRANGE old 1048576 x",
    "SETBIT new 8388608 1",
    "SETBIT old 8388608 1",
    "BITFIELD new SET u8 8388608 1",
    "BITFIELD old GET u8 0 INCRBY u8 #1048576 1",
    "APPEND large x",
    "SETRANGE large 1310687 xx",
    "COPY large new",
    "COPY large old REPLACE",
    "COPY large old DB 1",
};

static void fill(struct harness *h)
{
    RUN_STEPS((void **)&h, { "FLUSHALL", "+OK" }, { "MSET old 1 a 1 b 2 c 3", "+OK" },
              { "SETRANGE large 1310687 x", ":1310688" });
    keyspace_drain(h->keyspace, UINT64_MAX);
}

static void refuses_a_result_over_the_limit(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
        keyspace_set_budget(h->keyspace, UINT64_MAX);
        fill(h);
        keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace) + 100000);
        print_message("%s\n", growing[i]);
        assert_string_equal(harness_run(h, growing[i]), "-" ERR_OOM);
        RUN_STEPS(state, { "DBSIZE", ":5" }, { "STRLEN large", ":1310688" }, { "GET old", "$1 1" });
        keyspace_set_budget(h->keyspace, UINT64_MAX);
        assert_int_equal(harness_run(h, growing[i])[0], growing[i][0] == 'B' ? '*' : ':');
    }
}

static void nothing_gives_way_to_a_result_that_never_fits(void **state)
{
    struct memory_pool pool;
    struct harness *h = *state;
    h->keyspace->policy = evict_policy_find("allkeys-s3fifo");
    RUN_STEPS(state, { "MSET old 1 a 1 b 2 c 3", "+OK" });
    pool_with_credit(&pool, h->keyspace, keyspace_used(h->keyspace) + 500000, 100000);
    RUN_STEPS(state, { "SETRANGE new 1048576 x", "-" ERR_OOM },
              { "SETRANGE old 1048576 x", "-" ERR_OOM }, { "SETBIT old 8388608 1", "-" ERR_OOM },
              { "BITFIELD a SET u8 8388608 1", "-" ERR_OOM }, { "SET large x", "+OK" },
              { "DBSIZE", ":5" });
    /* in steps that would fit, but not together */
    RUN_STEPS(state, { "SETRANGE a 300000 x", ":300001" }, { "SETRANGE a 600000 x", "-" ERR_OOM },
              { "STRLEN a", ":300001" }, { "DBSIZE", ":5" });
}

static void others_give_way_to_a_result_that_fits(void **state)
{
    struct harness *h = *state;
    h->keyspace->policy = evict_policy_find("allkeys-s3fifo");
    fill(h);
    keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace) + 500000);
    RUN_STEPS(state, { "SETRANGE new 1048576 x", ":1048577" }, { "EXISTS large", ":0" },
              { "STRLEN new", ":1048577" });
    assert_true(keyspace_used(h->keyspace) <= h->keyspace->budget_bytes);
}

/* A number of 4,933 digits comes of seven bytes. */
static void a_long_number_is_reserved(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1", "+OK" });
    keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace) + 2000);
    RUN_STEPS(state, { "INCRBYFLOAT a 1e4932", "-" ERR_OOM },
              { "INCRBYFLOAT b 1e4932", "-" ERR_OOM }, { "INCRBYFLOAT a 1.5", "$3 2.5" });
}

static void options_bound_results(void **state)
{
    struct harness *h = *state;
    const char *too_long = "-" ERR_STRING_TOO_LONG;
    const char *bad_offset = "-ERR bit offset is not an integer or out of range";
    h->keyspace->limits = (struct limits){ .databases = 12, .value_bytes_max = 1000 };
    const struct step steps[] = {
        { "SETRANGE a 1000 x", too_long },
        { "SETRANGE a 999 x", ":1000" },
        { "APPEND a x", too_long },
        { "SETRANGE a 1 x", ":1000" },
        { "SETBIT a 8000 1", bad_offset },
        { "SETBIT a 7999 1", ":0" },
        { "GETBIT a 8000", bad_offset },
        { "BITFIELD a GET u8 8000", bad_offset },
        { "BITFIELD a SET u8 #1000 1", bad_offset },
        { "BITFIELD a SET u8 #999 1", "*1 :121" },
        { "COPY a b DB 12", "-ERR DB index is out of range" },
        { "COPY a b DB 11", ":1" },
    };
    harness_steps(h, steps, sizeof(steps) / sizeof(steps[0]));
}

static void tells_the_hits_of_a_key(void **state)
{
    ((struct harness *)*state)->keyspace->policy = evict_policy_find("allkeys-s3fifo");
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "OBJECT FREQ a", ":0" }, { "GET a", "$1 1" },
              { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ a", ":1" }, { "OBJECT FREQ b", "$-1" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(refuses_growth_over_the_limit),
        HARNESS_TEST(makes_room_where_the_policy_evicts),
        HARNESS_TEST(refuses_a_result_over_the_limit),
        HARNESS_TEST(nothing_gives_way_to_a_result_that_never_fits),
        HARNESS_TEST(others_give_way_to_a_result_that_fits),
        HARNESS_TEST(a_long_number_is_reserved),
        HARNESS_TEST(options_bound_results),
        HARNESS_TEST(tells_the_hits_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
