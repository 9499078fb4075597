/*
 * test_stats.c - INFO's section Stats, and Persistence, Replication, CPU, Cluster and Keyspace
 * beside it.
 */
#include "support/admin_harness.h"

static void rates_are_of_reactors_that_are_awake(void **state)
{
    struct admin_harness *h = *state;
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        struct reactor_stats *stats = admin_reactor(h, i)->stats;
        counter_set(&stats->ops_per_sec, 100 + i);
        counter_set(&stats->bytes_in_per_sec, 1024);
        counter_set(&stats->bytes_out_per_sec, 512);
        counter_set(&stats->sampled_ms, (uint64_t)admin_reactor(h, 0)->now_ms);
    }
    admin_run(h, "info stats");
    admin_assert_line(h, "instantaneous_ops_per_sec:201");
    admin_assert_line(h, "instantaneous_input_kbps:2.00");
    admin_assert_line(h, "instantaneous_output_kbps:1.00");
    admin_reactor(h, 0)->now_ms += 1999;
    admin_run(h, "info stats");
    admin_assert_line(h, "instantaneous_ops_per_sec:201");
    counter_set(&admin_reactor(h, 1)->stats->sampled_ms, (uint64_t)admin_reactor(h, 0)->now_ms);
    admin_reactor(h, 0)->now_ms += 1; /* reactor 0's own sample is two seconds old now */
    admin_run(h, "info stats");
    admin_assert_line(h, "instantaneous_ops_per_sec:101");
    admin_assert_line(h, "instantaneous_input_kbps:1.00");
}

static void times_of_defragmentation_are_milliseconds(void **state)
{
    struct admin_harness *h = *state;
    admin_reactor(h, 0)->keyspace->defrag.figures.ns = 3500000;
    admin_reactor(h, 1)->keyspace->defrag.figures.ns = 2500000;
    admin_reactor(h, 1)->keyspace->defrag.figures.items_moved = 9;
    admin_run(h, "info stats");
    admin_assert_line(h, "total_active_defrag_time:6");
    admin_assert_line(h, "current_active_defrag_time:0");
    admin_assert_line(h, "active_defrag_key_hits:9");
}

static void set(struct keyspace *keyspace, const char *name, uint8_t db, int64_t expire_ms)
{
    struct key key = { .name = bytes_str(name), .hash = hash_key(bytes_str(name)), .db = db };
    assert_true(keyspace_set(keyspace, key, bytes_str("v"), expire_ms));
}

static void expired_keys_are_a_share_of_those_with_a_ttl(void **state)
{
    struct admin_harness *h = *state;
    struct keyspace *keyspace = admin_reactor(h, 1)->keyspace;
    admin_run(h, "info stats");
    admin_assert_line(h, "expired_stale_perc:0.00");
    for (int i = 0; i < 4; i++)
        set(keyspace, (char[]){ 'a' + (char)i, '\0' }, 0, keyspace->now_ms + 100000);
    keyspace->_dead = 1;
    admin_run(h, "info stats");
    admin_assert_line(h, "expired_stale_perc:25.00");
}

static void databases_with_keys_have_a_line(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(strstr(admin_run(h, "info keyspace"), "# "), "# Keyspace\n\n");
    struct keyspace *first = admin_reactor(h, 0)->keyspace, *second = admin_reactor(h, 1)->keyspace;
    set(first, "a", 0, KEYSPACE_NO_TTL);
    set(second, "b", 0, second->now_ms + 100000);
    set(second, "c", 3, KEYSPACE_NO_TTL);
    admin_run(h, "info keyspace");
    admin_assert_line(h, "db0:keys=2,expires=1,avg_ttl=0"); /* no sweep has estimated it yet */
    admin_assert_line(h, "db3:keys=1,expires=0,avg_ttl=0");
    assert_null(strstr(h->text, "db1"));
}

/* Weighted by keys: one of 100 ms and three of 500 ms are 400 ms on average. */
static void the_mean_ttl_is_of_keys_not_of_shards(void **state)
{
    struct admin_harness *h = *state;
    struct keyspace *first = admin_reactor(h, 0)->keyspace, *second = admin_reactor(h, 1)->keyspace;
    set(first, "a", 0, first->now_ms + 100000);
    for (int i = 0; i < 3; i++)
        set(second, (char[]){ 'b' + (char)i, '\0' }, 0, second->now_ms + 100000);
    first->db[0].ttl_mean_ms = 100;
    second->db[0].ttl_mean_ms = 500;
    admin_run(h, "info keyspace");
    admin_assert_line(h, "db0:keys=4,expires=4,avg_ttl=400");
}

static void what_the_server_does_not_do_is_constant(void **state)
{
    struct admin_harness *h = *state;
    char line[128];
    admin_run(h, "info persistence replication cluster");
    admin_assert_line(h, "loading:0");
    admin_assert_line(h, "aof_enabled:0");
    admin_assert_line(h, "rdb_last_bgsave_status:ok");
    admin_assert_line(h, "role:master");
    snprintf(line, sizeof(line), "master_replid:%s", h->server->run_id);
    admin_assert_line(h, line);
    admin_assert_line(h, "cluster_enabled:0");
}

static void cpu_time_is_of_process_and_thread(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info cpu");
    assert_true(admin_number(h, "used_cpu_user") >= admin_number(h, "used_cpu_user_main_thread"));
    assert_true(admin_number(h, "used_cpu_user") + admin_number(h, "used_cpu_sys") > 0);
    assert_true(admin_number(h, "used_cpu_user_children") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)
        TEST(rates_are_of_reactors_that_are_awake),
        TEST(times_of_defragmentation_are_milliseconds),
        TEST(expired_keys_are_a_share_of_those_with_a_ttl),
        TEST(databases_with_keys_have_a_line),
        TEST(the_mean_ttl_is_of_keys_not_of_shards),
        TEST(what_the_server_does_not_do_is_constant),
        TEST(cpu_time_is_of_process_and_thread),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
