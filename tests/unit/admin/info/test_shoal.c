/*
 * test_shoal.c - INFO's sections Shoal and Shards.
 */
#include "support/admin_harness.h"

#include <sched.h>

static void commands_between_shards_are_a_share(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info shoal");
    admin_assert_line(h, "shards:2");
    admin_assert_line(h, "cross_shard_share:0.00"); /* of no commands */
    counter_set(&admin_reactor(h, 0)->stats->commands, 6);
    counter_set(&admin_reactor(h, 1)->stats->commands, 2);
    counter_set(&admin_reactor(h, 1)->stats->cross_shard, 1);
    admin_run(h, "info shoal");
    admin_assert_line(h, "cross_shard_commands:1");
    admin_assert_line(h, "cross_shard_share:12.50");
}

static void the_ring_and_the_scheduler_are_named(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info shoal");
    admin_assert_line(h, "io_engine:stand-in");
    admin_assert_line(h, "io_features:none");
    const struct sched_param none = { 0 };
    if (sched_setscheduler(0, SCHED_BATCH, &none) == 0) {
        admin_run(h, "info shoal");
        admin_assert_line(h, "sched_policy:batch");
        assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &none), 0);
    }
    admin_run(h, "info shoal");
    admin_assert_line(h, "sched_policy:normal");
}

static void more_memory_would_spare_misses(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info shoal");
    admin_assert_line(h, "miss_ratio:0.0000");
    admin_reactor(h, 0)->keyspace->_hits = 60;
    admin_reactor(h, 1)->keyspace->_misses = 40;
    admin_reactor(h, 0)->keyspace->_ghosts.would_hit[0] = 10;
    admin_reactor(h, 1)->keyspace->_ghosts.would_hit[1] = 5;
    admin_run(h, "info shoal");
    admin_assert_line(h, "miss_ratio:0.4000");
    admin_assert_line(h, "miss_ratio_at_1.5x:0.3000");
    admin_assert_line(h, "miss_ratio_at_2x:0.2500");
    admin_reactor(h, 1)->keyspace->_ghosts.would_hit[1] = 500; /* inserts of keys never asked for */
    admin_run(h, "info shoal");
    admin_assert_line(h, "miss_ratio_at_2x:0.0000");
}

static void each_shard_has_a_line(void **state)
{
    struct admin_harness *h = *state;
    struct keyspace *keyspace = admin_reactor(h, 1)->keyspace;
    struct key key = { .name = bytes_str("k"), .hash = hash_key(bytes_str("k")) };
    assert_true(keyspace_set(keyspace, key, bytes_str("v"), KEYSPACE_NO_TTL));
    keyspace->_hits = 3;
    keyspace->budget_bytes = UINT64_MAX;
    counter_set(&admin_reactor(h, 1)->stats->clients, 4);
    admin_run(h, "info shards");
    const char *first = strstr(h->text, "\nshard0:keys=0,expires=0,used_bytes=");
    const char *second = strstr(h->text, "\nshard1:keys=1,expires=0,used_bytes=");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    assert_non_null(strstr(second, ",budget_bytes=0,hits=3,misses=0,expired=0,evicted=0,"
                                   "connections=4,commands=0,"));
    assert_null(strstr(h->text, "shard2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commands_between_shards_are_a_share, admin_setup,
                                        admin_teardown),
        cmocka_unit_test_setup_teardown(the_ring_and_the_scheduler_are_named, admin_setup,
                                        admin_teardown),
        cmocka_unit_test_setup_teardown(more_memory_would_spare_misses, admin_setup,
                                        admin_teardown),
        cmocka_unit_test_setup_teardown(each_shard_has_a_line, admin_setup, admin_teardown),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
