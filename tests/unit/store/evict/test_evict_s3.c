/*
 * test_evict_s3.c - what is asked for again stays, and what comes back goes to main.
 */
#include "unit/store/cache_fixture.h"

static void a_hit_keeps_an_item_and_is_told(void **state)
{
    struct keyspace *k = *state;
    struct name name;
    cache_use(k, "allkeys-s3fifo", 100 * 1000);
    assert_true(cache_store(k, 0, 0, 50, 0));
    cache_name(0, 0, &name);
    assert_int_equal(keyspace_freq(k, name.key), 0);
    assert_int_equal(keyspace_freq(k, name.key), 0);
    for (int i = 0; i < 5; i++)
        assert_non_null(keyspace_read(k, name.key));
    assert_int_equal(keyspace_freq(k, name.key), 3);
    for (uint64_t id = 1; id < 20000; id++) {
        assert_true(cache_store(k, id, 0, 50, 0));
        if (id % 500 == 0)
            assert_non_null(keyspace_read(k, name.key));
    }
    cache_name(20000, 0, &name);
    assert_int_equal(keyspace_freq(k, name.key), -1);
}

static void a_key_that_comes_back_goes_to_main(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 200 * 1000);
    uint64_t gone = 0, id = 0;
    while (cache_evicted(k) < 100)
        assert_true(cache_store(k, id++, 0, 50, 0));
    while (cache_holds(k, gone, 0))
        gone++;
    uint64_t main_bytes = k->db[0].main_bytes;
    assert_true(cache_store(k, gone, 0, 50, 0));
    assert_true(k->db[0].main_bytes > main_bytes);
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.ghost_hits), 1);
    assert_true(counter_get(&stats.would_hit[0]) >= 1);
}

/* One round of the probation hand marks what is new, and takes along what was hit. */
static void what_was_hit_moves_to_main(void **state)
{
    struct keyspace *k = *state;
    enum { COUNT = 1000, HIT = 100 };
    struct name name;
    cache_use(k, "allkeys-s3fifo", UINT64_MAX);
    for (uint64_t id = 0; id < COUNT; id++) {
        assert_true(cache_store(k, id, 0, 50, 0));
        cache_name(id, 0, &name);
        if (id < HIT)
            assert_non_null(keyspace_read(k, name.key));
    }
    assert_int_equal(k->db[0].main_bytes, 0);
    struct evict_work work = cache_work(k, COUNT - 2 * HIT);
    evict_run_s3(k, &work);
    assert_int_equal(k->db[0].main_bytes, k->db[0].item_bytes / (2 * HIT) * HIT);
    for (uint64_t id = 0; id < HIT; id++) {
        cache_name(id, 0, &name);
        assert_int_equal(keyspace_freq(k, name.key), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(a_hit_keeps_an_item_and_is_told),
        IN_KEYSPACE(a_key_that_comes_back_goes_to_main),
        IN_KEYSPACE(what_was_hit_moves_to_main),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
