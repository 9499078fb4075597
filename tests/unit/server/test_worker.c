/*
 * test_worker.c - what a worker is made of, and what it derives from new settings.
 */
#include "shoal/server/worker.h"

#include "shoal/store/evict/evict.h"
#include "support/reactors.h"

static void its_reactor_points_to_its_parts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct worker *worker = server_worker(server, i);
        struct reactor *reactor = &worker->reactor;
        assert_ptr_equal(reactor, reactor_at(i));
        assert_int_equal(reactor->id, i);
        assert_int_equal(reactor->count, 3);
        assert_ptr_equal(reactor->peer[i], reactor);
        assert_ptr_equal(reactor->conns, &worker->conns);
        assert_ptr_equal(reactor->shard, &worker->shard);
        assert_ptr_equal(reactor->router, &worker->router);
        assert_ptr_equal(reactor->records, &worker->records);
        assert_ptr_equal(reactor->loop, &worker->loop);
        assert_ptr_equal(reactor->server, server);
    }
}

static void one_that_never_began_is_freed_too(void **state)
{
    (void)state;
    struct reactor *peer[1];
    struct mesh *mesh = mesh_new(1, 4);
    struct worker *worker = worker_new(0, 1, peer, mesh, &reactors_settings);
    assert_null(worker->reactor.ring);
    assert_null(worker->reactor.keyspace);
    worker_free(&worker);
    assert_null(worker);
    mesh_free(&mesh);
}

static void it_begins_with_its_shard_and_the_time(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        const struct keyspace *keyspace = reactor_at(i)->keyspace;
        assert_int_equal(keyspace->shard, i);
        assert_int_equal(keyspace->shards, 3);
        assert_int_equal(keyspace->now_ms, clock_now_ms());
        assert_int_equal(reactor_at(i)->now_ms, clock_now_ms());
        assert_false(reactor_at(i)->loop->stopped);
    }
}

static void settings_reach_all_that_is_derived_from_them(void **state)
{
    (void)state;
    struct reactor *reactor = reactor_at(1);
    struct settings changed = reactors_settings;
    changed.maxmemory_policy = (int)(evict_policy_find("volatile-ttl") - evict_policies);
    changed.default_ttl_ms = 1234;
    changed.max_ttl_ms = 5678;
    changed.activedefrag = true;
    changed.defrag_ignore_bytes = 3000;
    changed.defrag_cycle_max = 42;
    changed.timeout_s = 9;
    changed.proto_max_bulk_len = 777777;
    changed.databases = 12;
    changed.slowlog_slower_us = 0;
    worker_use_settings(reactor, &changed);
    assert_ptr_equal(reactor->settings, &changed);
    assert_ptr_equal(reactor->keyspace->policy, evict_policy_find("volatile-ttl"));
    assert_true(reactor->keyspace->defrag.limits.on);
    assert_int_equal(reactor->keyspace->defrag.limits.ignore_bytes, 1000); /* of three shards */
    assert_int_equal(reactor->keyspace->defrag.limits.cycle_percent, 42);
    assert_int_equal(timer_at_ms(&reactor->loop->idle_look), reactor->now_ms);
    assert_int_equal(reactor->conns->limits.bulk_bytes_max, 777777);
    assert_int_equal(reactor->keyspace->limits.value_bytes_max, 777777);
    assert_int_equal(reactor->keyspace->limits.databases, 12);
    assert_true(reactor->records->measure_each);

    changed.proto_max_bulk_len = INT64_MAX;
    worker_use_settings(reactor, &changed);
    assert_int_equal(reactor->keyspace->limits.value_bytes_max, VALUE_BYTES_MAX);

    worker_use_settings(reactor, &reactors_settings);
    assert_false(timer_is_linked(&reactor->loop->idle_look)); /* no time-out: no look */
    assert_false(reactor->records->measure_each);
    worker_use_settings(reactor, server->settings);
}

static void a_default_lifetime_reaches_commands(void **state)
{
    (void)state;
    reactors_begin(2, "--default-ttl", "5s");
    struct client *client = client_open(0);
    ask(client, "SET %s 1", key(1, 0));
    int64_t left_ms = atoll(ask(client, "PTTL %s", key(1, 0)) + 1);
    assert_in_range(left_ms, 1, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, its_reactor_points_to_its_parts),
        with_reactors(1, one_that_never_began_is_freed_too),
        with_reactors(3, it_begins_with_its_shard_and_the_time),
        with_reactors(3, settings_reach_all_that_is_derived_from_them),
        cmocka_unit_test_teardown(a_default_lifetime_reaches_commands, reactors_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
