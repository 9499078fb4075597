/*
 * test_evict_clock.c - the clock takes one hit a round and evicts what has none.
 */
#include "unit/store/cache_fixture.h"

static void hit(struct keyspace *k, uint64_t id, unsigned times)
{
    struct name name;
    cache_name(id, 0, &name);
    while (times-- > 0)
        assert_non_null(keyspace_read(k, name.key));
}

/* Every second item has been hit. */
static void what_was_hit_outlives_what_was_not(void **state)
{
    struct keyspace *k = *state;
    enum { COUNT = 2000 };
    cache_use(k, "allkeys-clock", UINT64_MAX);
    for (uint64_t id = 0; id < COUNT; id++) {
        assert_true(cache_store(k, id, 0, 50, 0));
        hit(k, id, id % 2);
    }
    struct evict_work work = cache_work(k, COUNT / 4);
    evict_run_clock(k, &work);
    assert_int_equal(keyspace_count(k), COUNT - COUNT / 4);
    for (uint64_t id = 1; id < COUNT; id += 2)
        assert_true(cache_holds(k, id, 0));
}

/* So three hits are worth three rounds. */
static void each_round_takes_one_hit(void **state)
{
    struct keyspace *k = *state;
    enum { COUNT = 500 };
    cache_use(k, "allkeys-clock", UINT64_MAX);
    for (uint64_t id = 0; id < COUNT; id++) {
        assert_true(cache_store(k, id, 0, 50, 0));
        hit(k, id, 3);
    }
    for (unsigned round = 0; round < 3; round++) {
        struct evict_work work = cache_work(k, COUNT);
        work.buckets_left = table_bucket_count(&k->db[0]);
        evict_run_clock(k, &work);
        assert_int_equal(keyspace_count(k), COUNT);
    }
    struct evict_work work = cache_work(k, COUNT);
    evict_run_clock(k, &work);
    assert_int_equal(keyspace_count(k), 0);
}

static void a_volatile_clock_passes_over_what_has_no_ttl(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "volatile-lru", UINT64_MAX);
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(cache_store(k, id, 0, 50, id % 10 == 0 ? start_ms + 1000 * 1000 : 0));
    struct evict_work work = cache_work(k, 1000);
    work.buckets_left = 4 * table_bucket_count(&k->db[0]);
    evict_run_clock(k, &work);
    assert_int_equal(keyspace_count(k), 900);
    assert_int_equal(k->db[0].expires, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(what_was_hit_outlives_what_was_not),
        IN_KEYSPACE(each_round_takes_one_hit),
        IN_KEYSPACE(a_volatile_clock_passes_over_what_has_no_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
