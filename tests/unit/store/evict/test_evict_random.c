/*
 * test_evict_random.c - every candidate goes with the same chance.
 */
#include "unit/store/cache_fixture.h"

/* 500 rounds of half the items: 250 expected of each, deviation 11. A third has been hit, which makes
 * no difference. */
static void each_item_has_the_same_chance(void **state)
{
    struct keyspace *k = *state;
    enum { COUNT = 300, ROUNDS = 500 };
    static unsigned gone[COUNT];
    struct name name;
    random_seed(&k->random, 1);
    cache_use(k, "allkeys-random", UINT64_MAX);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint64_t id = 0; id < COUNT; id++) {
            cache_name(id, 0, &name);
            if (!cache_holds(k, id, 0))
                assert_true(cache_store(k, id, 0, 50, 0));
            if (id % 3 == 0)
                keyspace_read(k, name.key);
        }
        struct evict_work work = cache_work(k, COUNT / 2);
        evict_run_random(k, &work);
        assert_int_equal(keyspace_count(k), COUNT / 2);
        for (uint64_t id = 0; id < COUNT; id++)
            gone[id] += !cache_holds(k, id, 0);
    }
    for (unsigned id = 0; id < COUNT; id++)
        assert_in_range(gone[id], 190, 310);
}

static void a_rare_candidate_is_found(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "volatile-random", UINT64_MAX);
    for (uint64_t id = 0; id < 20 * 1000; id++)
        assert_true(cache_store(k, id, 0, 50, id == 777 ? start_ms + 1000 * 1000 : 0));
    struct evict_work work = cache_work(k, 1);
    evict_run_random(k, &work);
    assert_false(cache_holds(k, 777, 0));
    assert_int_equal(keyspace_count(k), 20 * 1000 - 1);
}

/* A database with nine times the items loses nine times as many. */
static void databases_give_by_the_number_of_their_items(void **state)
{
    struct keyspace *k = *state;
    random_seed(&k->random, 1);
    cache_use(k, "allkeys-random", UINT64_MAX);
    for (uint64_t id = 0; id < 10 * 1000; id++)
        assert_true(cache_store(k, id, id % 10 == 0 ? 3 : 0, 50, 0));
    struct evict_work work = cache_work(k, 5000);
    evict_run_random(k, &work);
    assert_in_range(k->db[3].count, 400, 600); /* 500, deviation 16 */
    assert_int_equal(k->db[0].count + k->db[3].count, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(each_item_has_the_same_chance),
        IN_KEYSPACE(a_rare_candidate_is_found),
        IN_KEYSPACE(databases_give_by_the_number_of_their_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
