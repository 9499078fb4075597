/*
 * test_evict.c - who gives way: each policy's promise, and the budget after any sequence of
 * operations.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "unit/store/cache_sim.h"

#include <cmocka.h>

#include "support/seed.h"

static const int64_t start_ms = 1750000000000;
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- what each policy promises ------------------------------------------- */

static struct keyspace_stats stats;
static struct arena *arena;
static char filler[1 << 20];

static int set_up(void **state)
{
    hash_seed_fixed(7);
    memset(&stats, 0, sizeof(stats));
    memset(filler, 'v', sizeof(filler));
    arena = arena_new();
    struct keyspace *keyspace = keyspace_new(arena, &stats);
    keyspace->now_ms = start_ms;
    *state = keyspace;
    return 0;
}

static int tear_down(void **state)
{
    struct keyspace *keyspace = *state;
    for (int db = 0; db < DATABASES_MAX; db++)
        table_validate(&keyspace->db[db]);
    keyspace_free(&keyspace);
    arena_free_all(&arena);
    return 0;
}

struct name {
    char text[17];
    struct key key;
};

static void name_of(uint64_t id, uint8_t db, struct name *name)
{
    sim_key(id, name->text, &name->key);
    name->key.db = db;
}

/* As a command does: room first. */
static bool store(struct keyspace *k, uint64_t id, uint8_t db, size_t size, int64_t expire_ms)
{
    struct name name;
    name_of(id, db, &name);
    if (!keyspace_make_room(k, keyspace_cost(16, size)))
        return false;
    assert_true(keyspace_set(k, name.key, bytes_of(filler, size), expire_ms));
    return true;
}

static bool holds(struct keyspace *k, uint64_t id, uint8_t db)
{
    struct name name;
    name_of(id, db, &name);
    return keyspace_freq(k, name.key) >= 0;
}

static void use(struct keyspace *k, const char *policy, uint64_t budget_bytes)
{
    assert_non_null(evict_policy_find(policy));
    k->policy = evict_policy_find(policy);
    keyspace_set_share(k, budget_bytes, 0);
}

/* Does a slice of work, and waits for the next; true while more is wanted soon. */
static bool is_busy(struct keyspace *k)
{
    int64_t wait_ms = keyspace_work(k);
    k->now_ms += wait_ms == 1;
    return wait_ms == 0 || wait_ms == 1;
}

static uint64_t evicted(struct keyspace *k)
{
    keyspace_publish(k);
    return counter_get(&stats.evicted);
}

static void an_unknown_policy_is_not_found(void **state)
{
    (void)state;
    assert_null(evict_policy_find("allkeys-fifo"));
    assert_string_equal(evict_policy_find("noeviction")->name, "noeviction");
}

static void noeviction_refuses_what_does_not_fit(void **state)
{
    struct keyspace *k = *state;
    uint64_t id = 0;
    use(k, "noeviction", 100 * 1000);
    while (store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit);
    assert_in_range(id, 500, 900);
    assert_int_equal(k->db[0].count, id);
    assert_true(keyspace_used(k) <= 100 * 1000);
    use(k, "noeviction", UINT64_MAX);
    assert_false(k->over_limit);
    assert_true(store(k, id, 0, 100, 0));
    assert_int_equal(evicted(k), 0);
}

static void only_keys_with_a_ttl_give_way_to_volatile_policies(void **state)
{
    struct keyspace *k = *state;
    for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++) {
        if (strncmp(policy->name, "volatile", 8) != 0)
            continue;
        keyspace_flush(k, -1);
        while (keyspace_work(k) >= 0)
            k->now_ms++;
        use(k, policy->name, 200 * 1000);
        for (uint64_t id = 0; id < 500; id++)
            assert_true(store(k, id, 0, 50, 0));
        for (uint64_t id = 500; id < 5000; id++)
            assert_true(store(k, id, 0, 50, start_ms + 1000 * 1000));
        for (uint64_t id = 0; id < 500; id++)
            assert_true(holds(k, id, 0));
        assert_true(k->db[0].expires > 500 && k->db[0].expires < 2000);
    }
}

static void without_a_ttl_anywhere_volatile_policies_refuse(void **state)
{
    struct keyspace *k = *state;
    uint64_t id = 0;
    use(k, "volatile-lru", 100 * 1000);
    while (store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit && id > 500);
    assert_false(keyspace_in_debt(k));
    assert_int_equal(keyspace_work(k), -1);
}

static void volatile_ttl_takes_what_expires_soonest(void **state)
{
    struct keyspace *k = *state;
    use(k, "volatile-ttl", 1000 * 1000);
    uint64_t soon = 0, late = 0, id;
    for (id = 0; evicted(k) < 2000; id++)
        assert_true(store(k, id, 0, 50, start_ms + (id % 2 ? 60 * 1000 : 100 * 60 * 1000)));
    for (uint64_t i = 0; i < id; i++)
        *(i % 2 ? &soon : &late) += !holds(k, i, 0);
    assert_int_equal(soon + late, 2000);
    assert_true(late < 20);
}

static void what_has_expired_is_freed_first_and_not_counted_as_evicted(void **state)
{
    struct keyspace *k = *state;
    for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++) {
        if (policy->run == NULL)
            continue;
        use(k, policy->name, UINT64_MAX);
        for (uint64_t id = 0; id < 1000; id++)
            assert_true(store(k, id, 3, 50, k->now_ms + 1000));
        for (uint64_t id = 1000; id < 1500; id++)
            assert_true(store(k, id, 3, 50, k->now_ms + 1000 * 1000));
        k->now_ms += 2000;
        uint64_t before = evicted(k);
        use(k, policy->name, keyspace_used(k) - 1000 * 80);
        while (keyspace_in_debt(k))
            keyspace_evict(k, 0, 1000);
        assert_true(evicted(k) - before < 1500 - 500);
        keyspace_reset_stats(k);
    }
}

static void a_hit_keeps_an_item_and_is_told(void **state)
{
    struct keyspace *k = *state;
    struct name name;
    use(k, "allkeys-s3fifo", 100 * 1000);
    assert_true(store(k, 0, 0, 50, 0));
    name_of(0, 0, &name);
    assert_int_equal(keyspace_freq(k, name.key), 0);
    assert_int_equal(keyspace_freq(k, name.key), 0);
    for (int i = 0; i < 5; i++)
        assert_non_null(keyspace_read(k, name.key));
    assert_int_equal(keyspace_freq(k, name.key), 3);
    for (uint64_t id = 1; id < 20000; id++) {
        assert_true(store(k, id, 0, 50, 0));
        if (id % 500 == 0)
            assert_non_null(keyspace_read(k, name.key));
    }
    name_of(20000, 0, &name);
    assert_int_equal(keyspace_freq(k, name.key), -1);
}

static void a_key_that_comes_back_goes_to_main(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 200 * 1000);
    uint64_t gone = 0, id = 0;
    while (evicted(k) < 100)
        assert_true(store(k, id++, 0, 50, 0));
    while (holds(k, gone, 0))
        gone++;
    uint64_t main_bytes = k->db[0].main_bytes;
    assert_true(store(k, gone, 0, 50, 0));
    assert_true(k->db[0].main_bytes > main_bytes);
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.ghost_hits), 1);
    assert_true(counter_get(&stats.would_hit[0]) >= 1);
}

static void a_watch_hears_of_an_eviction(void **state)
{
    struct keyspace *k = *state;
    struct watch_mark mark;
    struct name name;
    use(k, "allkeys-clock", 100 * 1000);
    assert_true(store(k, 0, 0, 50, 0));
    name_of(0, 0, &name);
    assert_true(keyspace_watch_add(k, name.key, &mark));
    for (uint64_t id = 1; holds(k, 0, 0); id++)
        assert_true(store(k, id, 0, 50, 0));
    assert_true(keyspace_watch_changed(k, name.key, mark));
    assert_true(store(k, 0, 0, 50, 0));
    assert_true(keyspace_watch_changed(k, name.key, mark));
    keyspace_watch_remove(k, name.key);
}

static void what_can_never_fit_empties_nothing(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(store(k, id, 0, 50, 0));
    uint64_t count = k->db[0].count;
    assert_false(keyspace_make_room(k, keyspace_cost(16, 500 * 1000)));
    assert_int_equal(k->db[0].count, count);
    assert_true(store(k, 1, 0, 50, 0));
    assert_false(k->over_limit);
}

/* A request that is larger than the shard may hold takes what others give back, and no more. */
static void a_large_request_borrows(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 10 * 1000; id++)
        assert_true(store(k, id, 0, 50, 0));
    uint64_t large = keyspace_cost(16, 500 * 1000), used = keyspace_used(k);
    keyspace_set_share(k, 300 * 1000, large / 2);
    assert_false(keyspace_make_room(k, large));
    assert_false(k->borrowed);
    keyspace_set_share(k, 300 * 1000, 2 * large);
    assert_true(keyspace_make_room(k, large));
    assert_true(k->borrowed && !k->over_limit);
    assert_true(keyspace_used(k) + large <= k->budget_bytes);
    assert_true(keyspace_used(k) >= used - used / 50);
    assert_true(k->credit_bytes < large + 300 * 1000);
    use(k, "noeviction", 300 * 1000);
    keyspace_set_share(k, 300 * 1000, 2 * large);
    assert_false(keyspace_make_room(k, large));
}

/* Where nothing of its own can give way, others do: for an empty shard, and for one without a TTL
 * under a volatile policy. */
static void what_others_can_evict_is_as_good_as_ones_own(void **state)
{
    struct keyspace *k = *state;
    uint64_t id = 0;
    use(k, "volatile-lru", 100 * 1000);
    while (store(k, id, 0, 100, 0))
        id++;
    assert_true(k->over_limit);
    keyspace_set_share(k, 100 * 1000, 50 * 1000);
    assert_false(k->over_limit);
    for (uint64_t last = id + 200; id < last; id++)
        assert_true(store(k, id, 0, 100, 0));
    while (store(k, id, 0, 100, 0))
        id++;
    assert_true(keyspace_used(k) <= 150 * 1000);
}

static void the_last_item_makes_room_for_another(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 300 * 1000);
    for (uint64_t id = 0; id < 10; id++)
        assert_true(store(k, id, 0, 200 * 1000, 0));
    assert_int_equal(keyspace_count(k), 1);
    assert_true(holds(k, 9, 0));
    while (is_busy(k))
        ;
    assert_int_equal(keyspace_count(k), 1);
}

/* Whoever asks before storing, as a transaction does when it queues, hears it at once. */
static void a_budget_below_the_smallest_item_is_over_the_limit(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 1);
    assert_true(k->over_limit);
    use(k, "allkeys-s3fifo", UINT64_MAX);
    for (uint64_t id = 0; id < 100; id++)
        assert_true(store(k, id, 0, 50, 0));
    use(k, "allkeys-s3fifo", 1);
    assert_true(k->over_limit);
    use(k, "allkeys-s3fifo", keyspace_used(k) / 2);
    assert_false(k->over_limit);
}

static void a_smaller_budget_is_reached_in_slices(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", UINT64_MAX);
    for (uint64_t id = 0; id < 100 * 1000; id++)
        assert_true(store(k, id, (uint8_t)(id % 3), 50, 0));
    uint64_t budget = keyspace_used(k) / 4, slices = 0;
    use(k, "allkeys-s3fifo", budget);
    assert_true(keyspace_in_debt(k) && !k->over_limit);
    assert_true(store(k, 1, 0, 50, 0)); /* nobody is refused meanwhile */
    for (; is_busy(k); slices++)
        ;
    assert_true(slices > 2);
    assert_in_range(keyspace_used(k), budget * 9 / 10, budget);
}

static void a_flushed_table_counts_until_it_is_freed(void **state)
{
    struct keyspace *k = *state;
    use(k, "allkeys-s3fifo", 4000 * 1000);
    for (uint64_t id = 0; id < 40 * 1000; id++)
        assert_true(store(k, id, 0, 50, 0));
    keyspace_flush(k, -1);
    assert_true(keyspace_used(k) > 3000 * 1000);
    for (uint64_t id = 0; id < 30 * 1000; id++) {
        assert_true(store(k, id, 1, 50, 0));
        assert_true(keyspace_used(k) <= 4000 * 1000 + 4000 * 10);
    }
}

/* ---- any sequence -------------------------------------------------------- */

static size_t any_size(uint64_t *random)
{
    uint64_t kind = draw(random) % 100;
    return draw(random) % (kind < 80 ? 200 : kind < 98 ? 8000 : 200 * 1000);
}

/* A write that was let in while the last keys with a TTL were being evicted, or items that EXPIRE
 * moved to the next size class. */
enum { VOLATILE_BYTES = 256 * 1024 };

static void step(struct keyspace *k, uint64_t *random, uint64_t budget)
{
    struct name name;
    uint64_t id = draw(random) % 20000, kind = draw(random) % 100;
    uint8_t db = draw(random) % 4 == 0 ? 5 : 0;
    name_of(id, db, &name);
    k->now_ms += draw(random) % 50 == 0;
    if (kind < 50) {
        int64_t expire_ms = kind < 20 ? k->now_ms + 1 + (int64_t)(draw(random) % 20000) : 0;
        if (store(k, id, db, any_size(random), expire_ms))
            assert_true(keyspace_count(k) > 0);
    } else if (kind < 85) {
        keyspace_read(k, name.key);
    } else if (kind < 93) {
        keyspace_delete(k, name.key);
    } else if (kind < 98) {
        keyspace_work(k);
    } else if (kind == 98 && keyspace_freq(k, name.key) >= 0) {
        keyspace_expire(k, name.key, draw(random) % 2 ? k->now_ms + 500 : 0);
    } else if (kind == 99 && draw(random) % 100 == 0) {
        keyspace_set_share(k, budget / 2 + draw(random) % budget, 0);
    }
}

static void any_sequence(struct keyspace *k, uint64_t *random, uint64_t budget)
{
    for (int i = 0; i < 30 * 1000; i++) {
        uint64_t before = k->budget_bytes, used = keyspace_used(k);
        step(k, random, budget);
        if (k->budget_bytes != before)
            while (is_busy(k))
                ;
        uint64_t most = k->budget_bytes + k->budget_bytes / 100;
        if (k->policy->volatile_only && used + VOLATILE_BYTES > most)
            most = used + VOLATILE_BYTES; /* where nothing may give way: no more than it was */
        assert_true(keyspace_used(k) <= most);
    }
    for (int db = 0; db < DATABASES_MAX; db++)
        table_validate(&k->db[db]);
}

/* Twice, so that each policy also takes over from the last one. */
static void the_budget_is_kept_after_any_sequence(void **state)
{
    struct keyspace *k = *state;
    uint64_t random = (uint64_t)test_seed() * 2654435761 + 1, budget = 4 << 20;
    for (int round = 0; round < 2; round++) {
        for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++) {
            if (policy->run == NULL)
                continue;
            use(k, policy->name, budget);
            while (is_busy(k))
                ;
            any_sequence(k, &random, budget);
        }
    }
}

static void debt_stays_below_one_percent(void **state)
{
    struct keyspace *k = *state;
    uint64_t random = 77, budget = 32 << 20;
    use(k, "allkeys-s3fifo", budget);
    for (int i = 0; i < 200 * 1000; i++) {
        assert_true(store(k, draw(&random) % 100000, 0, any_size(&random), 0));
        assert_true(keyspace_used(k) <= budget + budget / 100);
    }
    for (int i = 0; i < 200; i++) { /* large ones among many small */
        assert_true(store(k, draw(&random), 0, 900 * 1000, 0));
        assert_true(keyspace_used(k) <= budget + budget / 100);
        assert_true(keyspace_count(k) > 0);
    }
}

#define IN_KEYSPACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(an_unknown_policy_is_not_found),
        IN_KEYSPACE(noeviction_refuses_what_does_not_fit),
        IN_KEYSPACE(only_keys_with_a_ttl_give_way_to_volatile_policies),
        IN_KEYSPACE(without_a_ttl_anywhere_volatile_policies_refuse),
        IN_KEYSPACE(volatile_ttl_takes_what_expires_soonest),
        IN_KEYSPACE(what_has_expired_is_freed_first_and_not_counted_as_evicted),
        IN_KEYSPACE(a_hit_keeps_an_item_and_is_told),
        IN_KEYSPACE(a_key_that_comes_back_goes_to_main),
        IN_KEYSPACE(a_watch_hears_of_an_eviction),
        IN_KEYSPACE(what_can_never_fit_empties_nothing),
        IN_KEYSPACE(a_large_request_borrows),
        IN_KEYSPACE(what_others_can_evict_is_as_good_as_ones_own),
        IN_KEYSPACE(the_last_item_makes_room_for_another),
        IN_KEYSPACE(a_budget_below_the_smallest_item_is_over_the_limit),
        IN_KEYSPACE(a_smaller_budget_is_reached_in_slices),
        IN_KEYSPACE(a_flushed_table_counts_until_it_is_freed),
        IN_KEYSPACE(the_budget_is_kept_after_any_sequence),
        IN_KEYSPACE(debt_stays_below_one_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
