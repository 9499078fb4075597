/*
 * test_evict_ttl.c - of what the hand comes by, the item that expires soonest goes.
 */
#include "unit/store/cache_fixture.h"

static void volatile_ttl_takes_what_expires_soonest(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "volatile-ttl", 1000 * 1000);
    uint64_t soon = 0, late = 0, id;
    for (id = 0; cache_evicted(k) < 2000; id++)
        assert_true(cache_store(k, id, 0, 50, start_ms + (id % 2 ? 60 * 1000 : 100 * 60 * 1000)));
    for (uint64_t i = 0; i < id; i++)
        *(i % 2 ? &soon : &late) += !cache_holds(k, i, 0);
    assert_int_equal(soon + late, 2000);
    assert_true(late < 20);
}

static void what_is_due_goes_first_and_counts_as_expired(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "volatile-ttl", UINT64_MAX);
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(cache_store(k, id, 0, 50, start_ms + (id % 2 ? 1000 : 1000 * 1000)));
    k->now_ms += 2000;
    struct evict_work work = cache_work(k, 100);
    work.wanted_bytes = k->db[0].item_bytes / 10;
    evict_run_ttl(k, &work);
    assert_int_equal(work.victims_left, 100);
    assert_true(work.freed_bytes >= work.wanted_bytes);
    for (uint64_t id = 0; id < 1000; id += 2)
        assert_true(cache_holds(k, id, 0));
}

static void without_a_ttl_nothing_goes(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "volatile-ttl", UINT64_MAX);
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    struct evict_work work = cache_work(k, 100);
    work.buckets_left = 10 * 1000;
    evict_run_ttl(k, &work);
    assert_int_equal(keyspace_count(k), 1000);
    assert_int_equal(work.buckets_left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(volatile_ttl_takes_what_expires_soonest),
        IN_KEYSPACE(what_is_due_goes_first_and_counts_as_expired),
        IN_KEYSPACE(without_a_ttl_nothing_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
