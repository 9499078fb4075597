/*
 * test_evict.c - what holds for every policy, and the list of them.
 */
#include "unit/store/cache_fixture.h"

static void an_unknown_policy_is_not_found(void **state)
{
    (void)state;
    assert_null(evict_policy_find("allkeys-fifo"));
    assert_string_equal(evict_policy_find("noeviction")->name, "noeviction");
}

static void only_keys_with_a_ttl_give_way_to_volatile_policies(void **state)
{
    struct keyspace *k = *state;
    for (int p = 0; policy_at(p) != NULL; p++) {
        if (strncmp(policy_at(p), "volatile", 8) != 0)
            continue;
        keyspace_flush(k, -1);
        while (keyspace_work(k) >= 0)
            k->now_ms++;
        cache_use(k, policy_at(p), 200 * 1000);
        for (uint64_t id = 0; id < 500; id++)
            assert_true(cache_store(k, id, 0, 50, 0));
        for (uint64_t id = 500; id < 5000; id++)
            assert_true(cache_store(k, id, 0, 50, start_ms + 1000 * 1000));
        for (uint64_t id = 0; id < 500; id++)
            assert_true(cache_holds(k, id, 0));
        assert_true(k->db[0].expires > 500 && k->db[0].expires < 2000);
    }
}

static void what_has_expired_is_freed_first_and_not_counted_as_evicted(void **state)
{
    struct keyspace *k = *state;
    for (int p = 0; policy_at(p) != NULL; p++) {
        cache_use(k, policy_at(p), UINT64_MAX);
        for (uint64_t id = 0; id < 1000; id++)
            assert_true(cache_store(k, id, 3, 50, k->now_ms + 1000));
        for (uint64_t id = 1000; id < 1500; id++)
            assert_true(cache_store(k, id, 3, 50, k->now_ms + 1000 * 1000));
        k->now_ms += 2000;
        uint64_t before = cache_evicted(k);
        cache_use(k, policy_at(p), keyspace_used(k) - 1000 * 80);
        while (keyspace_in_debt(k))
            keyspace_evict(k, 0, 1000);
        assert_true(cache_evicted(k) - before < 1500 - 500);
        keyspace_reset_stats(k);
    }
}

static void a_watch_hears_of_an_eviction(void **state)
{
    struct keyspace *k = *state;
    struct watch_mark mark;
    struct name name;
    cache_use(k, "allkeys-clock", 100 * 1000);
    assert_true(cache_store(k, 0, 0, 50, 0));
    cache_name(0, 0, &name);
    assert_true(keyspace_watch_add(k, name.key, &mark));
    for (uint64_t id = 1; cache_holds(k, 0, 0); id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    assert_true(keyspace_watch_changed(k, name.key, mark));
    assert_true(cache_store(k, 0, 0, 50, 0));
    assert_true(keyspace_watch_changed(k, name.key, mark));
    keyspace_watch_remove(k, name.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(an_unknown_policy_is_not_found),
        IN_KEYSPACE(only_keys_with_a_ttl_give_way_to_volatile_policies),
        IN_KEYSPACE(what_has_expired_is_freed_first_and_not_counted_as_evicted),
        IN_KEYSPACE(a_watch_hears_of_an_eviction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
