/*
 * test_memory.c - MEMORY: the figures of all shards, and what the doctor sees in them.
 */
#include "support/row_harness.h"

enum { MB = 1024 * 1024 };

/* What the shards and the connections of both reactors hold. */
static void hold(uint64_t data, uint64_t buffers, uint64_t keys)
{
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        counter_set(&admin_reactor(admin, i)->stats->keyspace.used_bytes, data / ADMIN_SHARDS);
        counter_set(&admin_reactor(admin, i)->stats->buffer_bytes, buffers / ADMIN_SHARDS);
        counter_set(&admin_reactor(admin, i)->stats->keyspace.keys[3], keys / ADMIN_SHARDS);
    }
}

static void stats(void **state)
{
    (void)state;
    admin->server->startup_bytes = 1000;
    hold(6000, 2000, 30);
    state_set(admin_reactor(admin, 1), STATE_WATCHES, 300);
    static const char begin[] = "*52 $14 peak.allocated :9300 $15 total.allocated :9300 "
                                "$17 startup.allocated :1000 $14 clients.normal :2000 "
                                "$13 state.watches :300 $19 state.subscriptions :0 "
                                "$13 state.waiters :0 $12 state.pushes :0 $12 state.queued :0 "
                                "$14 overhead.total :3300 $10 keys.count :30 "
                                "$18 keys.bytes-per-key :276 $13 dataset.bytes :6000 "
                                "$18 dataset.percentage ";
    const char *text = row_run("MEMORY STATS");
    assert_memory_equal(text, begin, sizeof(begin) - 1);
    assert_non_null(strstr(text, " $15 peak.percentage $3 100 "));
    hold(4000, 0, 0);
    state_set(admin_reactor(admin, 1), STATE_WATCHES, 0);
    text = row_run("MEMORY STATS");
    assert_non_null(strstr(text, "$14 peak.allocated :9300 $15 total.allocated :5000 "));
    assert_non_null(strstr(text, "$10 keys.count :0 $18 keys.bytes-per-key :0 "));
}

static void doctor_sees_nothing(void **state)
{
    (void)state;
    assert_string_equal(row_run("MEMORY DOCTOR"), "$20 Nothing stands out. ");
}

static void doctor_sees_a_full_store(void **state)
{
    (void)state;
    admin_settings(admin)->maxmemory = 10000;
    hold(9500, 0, 0);
    assert_string_equal(row_run("MEMORY DOCTOR"), "$20 Nothing stands out. ");
    hold(9600, 0, 0);
    assert_non_null(strstr(row_run("MEMORY DOCTOR"), "* 96 % of maxmemory is in use. "));
}

static void doctor_sees_large_buffers(void **state)
{
    (void)state;
    hold(0, 100 * MB, 0);
    assert_non_null(strstr(row_run("MEMORY DOCTOR"), "Buffers of connections take 100 MB"));
    hold(400 * MB, 100 * MB, 0);
    assert_null(strstr(row_run("MEMORY DOCTOR"), "Buffers of connections"));
}

static void the_allocator(void **state)
{
    (void)state;
    assert_string_equal(row_run("MEMORY PURGE"), "+OK");
    const char *text = row_run("MEMORY MALLOC-STATS");
    assert_non_null(strstr(text, mem_allocator_name()));
    assert_non_null(strstr(text, " allocated: "));
    assert_non_null(strstr(text, " retained: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(stats),
        ROW_TEST(doctor_sees_nothing),
        ROW_TEST(doctor_sees_a_full_store),
        ROW_TEST(doctor_sees_large_buffers),
        ROW_TEST(the_allocator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
