/*
 * test_keyspace_memory.c - room is made or refused, and the budget kept after any sequence of
 * operations.
 */
#include "unit/store/cache_fixture.h"

#include "support/pool_with.h"
#include "support/seed.h"

static void noeviction_refuses_what_does_not_fit(void **state)
{
    struct keyspace *k = *state;
    uint64_t id = 0;
    cache_use(k, "noeviction", 100 * 1000);
    while (cache_store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit);
    assert_in_range(id, 500, 900);
    assert_int_equal(k->db[0].count, id);
    assert_true(keyspace_used(k) <= 100 * 1000);
    cache_use(k, "noeviction", UINT64_MAX);
    assert_false(k->over_limit);
    assert_true(cache_store(k, id, 0, 100, 0));
    assert_int_equal(cache_evicted(k), 0);
}

static void without_a_ttl_anywhere_volatile_policies_refuse(void **state)
{
    struct keyspace *k = *state;
    uint64_t id = 0;
    cache_use(k, "volatile-lru", 100 * 1000);
    while (cache_store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit && id > 500);
    assert_false(keyspace_in_debt(k));
    assert_int_equal(keyspace_work(k), -1);
}

static void what_can_never_fit_empties_nothing(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    uint64_t count = k->db[0].count;
    assert_false(keyspace_make_room(k, keyspace_cost(16, 500 * 1000)));
    assert_int_equal(k->db[0].count, count);
    assert_true(cache_store(k, 1, 0, 50, 0));
    assert_false(k->over_limit);
}

static void reserved_room_is_nobody_elses(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "noeviction", 100 * 1000);
    assert_true(keyspace_reserve(k, 60 * 1000));
    assert_in_range(keyspace_room(k), 1, 40 * 1000);
    assert_false(keyspace_make_room(k, 50 * 1000));
    assert_false(keyspace_reserve(k, 50 * 1000));
    keyspace_unreserve(k, 60 * 1000);
    assert_in_range(keyspace_room(k), 60 * 1000, 100 * 1000);
    assert_true(keyspace_make_room(k, 50 * 1000));
    cache_use(k, "allkeys-s3fifo", 100 * 1000);
    assert_true(cache_store(k, 1, 0, 50, 0));
    assert_true(keyspace_room(k) == UINT64_MAX); /* what is there would give way */
}

/* What a shard has may have become too much: the limit is less, and it has freed some since. */
static void a_part_above_the_pool_is_no_room(void **state)
{
    (void)state;
    struct memory_pool pool = { 0 };
    struct memory_part part = { .pool = &pool, .pool_bytes = 1000 };
    assert_true(memory_part_raise(&part, 800, false));
    assert_true(memory_part_raise(&part, 300, false)); /* it has more */
    part.pool_bytes = 1;
    assert_false(memory_part_raise(&part, 300, false));
    assert_false(memory_part_raise(&part, 900, false));
}

static bool holds_odd(const void *held_by, const struct item *item)
{
    (void)held_by;
    return hash_key(item_key(item)) % 2 == 1;
}

static uint64_t count_held(uint64_t ids)
{
    uint64_t count = 0;
    for (uint64_t id = 0; id < ids; id++) {
        struct name name;
        cache_name(id, 0, &name);
        count += name.key.hash % 2;
    }
    return count;
}

static void what_is_held_gives_way_to_nothing(void **state)
{
    struct keyspace *k = *state;
    enum { IDS = 2000, TTL_MS = 5000 };
    static const char *const policies[] = { "allkeys-s3fifo", "allkeys-clock", "allkeys-random",
                                            "volatile-lru", "volatile-ttl" };
    uint64_t held = count_held(IDS);
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        k->is_held = NULL;
        keyspace_flush(k, -1);
        keyspace_drain(k, UINT64_MAX);
        cache_use(k, policies[i], UINT64_MAX);
        for (uint64_t id = 0; id < IDS; id++)
            assert_true(cache_store(k, id, 0, 50, k->now_ms + TTL_MS));
        k->is_held = holds_odd;
        cache_use(k, policies[i], keyspace_used(k) / 4);
        for (int n = 0; n < 200; n++)
            keyspace_evict(k, 0, 100 * 1000);
        assert_int_equal(k->db[0].count, held);
        cache_use(k, policies[i], UINT64_MAX);
        k->now_ms += TTL_MS;
        for (int n = 0; n < 2000; n++) {
            k->now_ms++;
            keyspace_work(k);
        }
        assert_int_equal(k->db[0].count, held);
        k->is_held = NULL;
        for (int n = 0; n < 2000; n++) {
            k->now_ms++;
            keyspace_work(k);
        }
        assert_int_equal(k->db[0].count, 0);
    }
}

/* A request that is larger than the shard may hold takes what others give back, and no more. */
static void a_large_request_borrows(void **state)
{
    struct memory_pool pool;
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 10 * 1000; id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    uint64_t large = keyspace_cost(16, 500 * 1000), used = keyspace_used(k);
    pool_with_credit(&pool, k, 300 * 1000, large / 2);
    assert_false(keyspace_make_room(k, large));
    assert_false(k->borrowed);
    pool_with_credit(&pool, k, 300 * 1000, 2 * large);
    assert_true(keyspace_make_room(k, large));
    assert_true(k->borrowed && !k->over_limit);
    assert_true(keyspace_used(k) + large <= k->budget_bytes);
    assert_true(keyspace_used(k) >= used - used / 50);
    assert_true(memory_part_reach(&k->part, true) < large + 300 * 1000);
    cache_use(k, "noeviction", 300 * 1000);
    pool_with_credit(&pool, k, 300 * 1000, 2 * large);
    assert_false(keyspace_make_room(k, large));
}

/* Where nothing of its own can give way, others do: for an empty shard, and for one without a TTL
 * under a volatile policy. */
static void what_others_can_evict_is_as_good_as_ones_own(void **state)
{
    struct memory_pool pool;
    struct keyspace *k = *state;
    uint64_t id = 0;
    cache_use(k, "volatile-lru", 100 * 1000);
    while (cache_store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit);
    pool_with_credit(&pool, k, 100 * 1000, 50 * 1000);
    assert_false(k->over_limit);
    for (uint64_t last = id + 200; id < last; id++)
        assert_true(cache_store(k, id, 0, 100, 0));
    while (cache_store(k, id, 0, 100, 0))
        id++;
    assert_true(keyspace_used(k) <= 150 * 1000);
}

static void the_last_item_makes_room_for_another(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 10; id++)
        assert_true(cache_store(k, id, 0, 200 * 1000, 0));
    assert_int_equal(keyspace_count(k), 1);
    assert_true(cache_holds(k, 9, 0));
    while (cache_is_busy(k))
        ;
    assert_int_equal(keyspace_count(k), 1);
}

/* A transaction asks before it stores anything, when it queues, and is told at once. */
static void a_budget_below_the_smallest_item_is_over_the_limit(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 1);
    assert_true(k->over_limit);
    cache_use(k, "allkeys-s3fifo", UINT64_MAX);
    for (uint64_t id = 0; id < 100; id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    cache_use(k, "allkeys-s3fifo", 1);
    assert_true(k->over_limit);
    cache_use(k, "allkeys-s3fifo", keyspace_used(k) / 2);
    assert_false(k->over_limit);
}

static void a_smaller_budget_is_reached_in_slices(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", UINT64_MAX);
    for (uint64_t id = 0; id < 100 * 1000; id++)
        assert_true(cache_store(k, id, (uint8_t)(id % 3), 50, 0));
    uint64_t budget = keyspace_used(k) / 4, slices = 0;
    cache_use(k, "allkeys-s3fifo", budget);
    assert_true(keyspace_in_debt(k) && !k->over_limit);
    assert_true(cache_store(k, 1, 0, 50, 0)); /* no write is refused meanwhile */
    for (; cache_is_busy(k); slices++)
        ;
    assert_true(slices > 2);
    assert_in_range(keyspace_used(k), budget * 9 / 10, budget);
}

static void a_flushed_table_counts_until_it_is_freed(void **state)
{
    struct keyspace *k = *state;
    cache_use(k, "allkeys-s3fifo", 4000 * 1000);
    for (uint64_t id = 0; id < 40 * 1000; id++)
        assert_true(cache_store(k, id, 0, 50, 0));
    keyspace_flush(k, -1);
    assert_true(keyspace_used(k) > 3000 * 1000);
    for (uint64_t id = 0; id < 30 * 1000; id++) {
        assert_true(cache_store(k, id, 1, 50, 0));
        assert_true(keyspace_used(k) <= 4000 * 1000 + 4000 * 10);
    }
}

/* ---- any sequence ------------------------------------------------------- */

static size_t any_size(struct random *random)
{
    uint64_t kind = random_next(random) % 100;
    return random_next(random) % (kind < 80 ? 200 : kind < 98 ? 8000 : 200 * 1000);
}

/* A write that was let in while the last keys with a TTL were being evicted, or items that EXPIRE
 * moved to the next size class. */
enum { VOLATILE_BYTES = 256 * 1024 };

static void step(struct keyspace *k, struct random *random, uint64_t budget)
{
    struct name name;
    uint64_t id = random_next(random) % 20000, kind = random_next(random) % 100;
    uint8_t db = random_next(random) % 4 == 0 ? 5 : 0;
    cache_name(id, db, &name);
    k->now_ms += random_next(random) % 50 == 0;
    if (kind < 50) {
        int64_t expire_ms = kind < 20 ? k->now_ms + 1 + (int64_t)(random_next(random) % 20000) : 0;
        if (cache_store(k, id, db, any_size(random), expire_ms))
            assert_true(keyspace_count(k) > 0);
    } else if (kind < 85) {
        keyspace_read(k, name.key);
    } else if (kind < 93) {
        keyspace_delete(k, name.key);
    } else if (kind < 98) {
        keyspace_work(k);
    } else if (kind == 98 && keyspace_freq(k, name.key) >= 0) {
        keyspace_expire(k, name.key, random_next(random) % 2 ? k->now_ms + 500 : 0);
    } else if (kind == 99 && random_next(random) % 100 == 0) {
        keyspace_set_budget(k, budget / 2 + random_next(random) % budget);
    }
}

static void any_sequence(struct keyspace *k, struct random *random, uint64_t budget)
{
    for (int i = 0; i < 30 * 1000; i++) {
        uint64_t before = k->budget_bytes, used = keyspace_used(k);
        step(k, random, budget);
        if (k->budget_bytes != before)
            while (cache_is_busy(k))
                ;
        uint64_t most = k->budget_bytes + k->budget_bytes / 100;
        if (k->policy->volatile_only && used + VOLATILE_BYTES > most)
            most = used + VOLATILE_BYTES; /* where nothing may give way: no more than it was */
        assert_true(keyspace_used(k) <= most);
    }
    for (int db = 0; db < DATABASES_MAX; db++)
        table_validate(&k->db[db]);
}

static void the_budget_is_kept_after_any_sequence(void **state)
{
    struct keyspace *k = *state;
    struct random random;
    uint64_t budget = 4 << 20;
    random_seed(&random, test_seed());
    for (int round = 0; round < 2; round++) {
        for (int p = 0; policy_at(p) != NULL; p++) {
            cache_use(k, policy_at(p), budget);
            while (cache_is_busy(k))
                ;
            any_sequence(k, &random, budget);
        }
    }
}

static void debt_stays_below_one_percent(void **state)
{
    struct keyspace *k = *state;
    struct random random;
    uint64_t budget = 32 << 20;
    random_seed(&random, 77);
    cache_use(k, "allkeys-s3fifo", budget);
    for (int i = 0; i < 200 * 1000; i++) {
        assert_true(cache_store(k, random_next(&random) % 100000, 0, any_size(&random), 0));
        assert_true(keyspace_used(k) <= budget + budget / 100);
    }
    for (int i = 0; i < 200; i++) { /* large ones among many small */
        assert_true(cache_store(k, random_next(&random), 0, 900 * 1000, 0));
        assert_true(keyspace_used(k) <= budget + budget / 100);
        assert_true(keyspace_count(k) > 0);
    }
}

/* Two keys that expire in 10 ms; the first is returned. */
static struct key set_short_lived(struct keyspace *k, struct name *a)
{
    struct name b;
    cache_name(1, 0, a);
    cache_name(2, 0, &b);
    assert_true(keyspace_set(k, a->key, bytes_str("v"), k->now_ms + 10));
    assert_true(keyspace_set(k, b.key, bytes_str("v"), k->now_ms + 10));
    return a->key;
}

/* While clients are paused. */
static void what_is_frozen_stays(void **state)
{
    struct keyspace *k = *state;
    struct name name;
    struct key key = set_short_lived(k, &name);
    k->now_ms += 1000;
    k->frozen = true;
    assert_null(keyspace_find(k, key));
    assert_null(keyspace_read(k, key));
    assert_false(keyspace_delete(k, key));
    for (int i = 0; i < 50; i++) {
        assert_true(keyspace_work(k) > 0);
        k->now_ms += 100;
    }
    assert_int_equal(k->db[0].count, 2);
    assert_int_equal(k->_expired, 0);
    /* one that is made again takes the place of what is hidden */
    assert_true(keyspace_set(k, key, bytes_str("new"), 0));
    assert_int_equal(k->db[0].count, 2);
    assert_non_null(keyspace_find(k, key));
    table_validate(&k->db[0]);
    k->frozen = false;
    for (int i = 0; i < 50 && k->db[0].count > 1; i++) {
        k->now_ms += 100;
        keyspace_work(k);
    }
    assert_int_equal(k->db[0].count, 1);
    assert_int_equal(k->_expired, 2);
}

static void nothing_frozen_is_evicted(void **state)
{
    struct keyspace *k = *state;
    for (uint64_t id = 0; id < 100; id++)
        assert_true(cache_store(k, id, 0, 1000, 0));
    cache_use(k, "allkeys-random", keyspace_used(k) / 2);
    k->frozen = true;
    assert_int_equal(keyspace_work(k), -1);
    assert_int_equal(k->db[0].count, 100);
    k->frozen = false;
    keyspace_work(k);
    assert_true(k->db[0].count < 100);
}

/* The sweep alone is off: who looks for an expired key still removes it. */
static void without_the_sweep_expired_keys_are_hidden(void **state)
{
    struct keyspace *k = *state;
    struct name name;
    struct key key = set_short_lived(k, &name);
    k->sweep_off = true;
    for (int i = 0; i < 50; i++) {
        k->now_ms += 100;
        assert_true(keyspace_work(k) > 0);
    }
    assert_int_equal(k->db[0].count, 2);
    assert_null(keyspace_find(k, key));
    assert_int_equal(k->db[0].count, 1);
}

/* A key that nobody reads is idle for a round of the hand, one that is read is not. */
static void idle_time_is_a_round_of_eviction(void **state)
{
    struct keyspace *k = *state;
    struct name read, unread;
    static const char *const policies[] = { "allkeys-s3fifo", "allkeys-clock" };
    for (size_t p = 0; p < 2; p++) {
        keyspace_flush(k, -1);
        cache_use(k, policies[p], UINT64_MAX);
        for (uint64_t id = 0; id < 2000; id++)
            assert_true(cache_store(k, id, 0, 100, 0));
        cache_use(k, policies[p], keyspace_used(k));
        cache_name(1, 0, &read);
        int64_t longest_ms = 0;
        for (uint64_t id = 2000; id < 20000; id++) {
            k->now_ms += 10;
            keyspace_find(k, read.key);
            assert_true(cache_store(k, id, 0, 100, 0));
            cache_name(id - 1000, 0, &unread);
            int64_t idle_ms = keyspace_idle_ms(k, unread.key);
            assert_true(idle_ms <= k->now_ms - start_ms);
            if (idle_ms > longest_ms)
                longest_ms = idle_ms;
            if (cache_holds(k, 1, 0))
                assert_int_equal(keyspace_idle_ms(k, read.key), 0);
        }
        /* CLOCK gives a key that is never read no round of grace */
        if (p == 0)
            assert_in_range(longest_ms, 1000, 180000);
    }
    cache_name(99999999, 0, &unread);
    assert_int_equal(keyspace_idle_ms(k, unread.key), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(noeviction_refuses_what_does_not_fit),
        IN_KEYSPACE(without_a_ttl_anywhere_volatile_policies_refuse),
        IN_KEYSPACE(what_can_never_fit_empties_nothing),
        IN_KEYSPACE(reserved_room_is_nobody_elses),
        IN_KEYSPACE(what_is_held_gives_way_to_nothing),
        IN_KEYSPACE(a_part_above_the_pool_is_no_room),
        IN_KEYSPACE(a_large_request_borrows),
        IN_KEYSPACE(what_others_can_evict_is_as_good_as_ones_own),
        IN_KEYSPACE(the_last_item_makes_room_for_another),
        IN_KEYSPACE(a_budget_below_the_smallest_item_is_over_the_limit),
        IN_KEYSPACE(a_smaller_budget_is_reached_in_slices),
        IN_KEYSPACE(a_flushed_table_counts_until_it_is_freed),
        IN_KEYSPACE(the_budget_is_kept_after_any_sequence),
        IN_KEYSPACE(debt_stays_below_one_percent),
        IN_KEYSPACE(idle_time_is_a_round_of_eviction),
        IN_KEYSPACE(what_is_frozen_stays),
        IN_KEYSPACE(nothing_frozen_is_evicted),
        IN_KEYSPACE(without_the_sweep_expired_keys_are_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
