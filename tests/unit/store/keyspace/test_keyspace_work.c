/*
 * test_keyspace_work.c - how much of what is stored is dead while keys come and expire all the
 * time, by clocks of the test's own: every millisecond some keys, and the work that is due, which
 * takes as long as work_clock.h says.
 */
#include "shoal/base/hash.h"
#include "shoal/base/mem.h"
#include "shoal/store/keyspace/keyspace.h"
#include "support/work_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum {
    KEYS_PER_MS = 50,
    FEW_PER_MS = 2, /* the sweep is not short of time */
    /* A slice, and what is done between two looks at the clock: 64 buckets, all of their items
     * freed, which are a dozen where a table is about to grow. */
    SLICE_NS = 250 * 1000,
    STEP_NS = 64 * (WORK_BUCKET_NS + 13 * WORK_FREE_NS),
};
static const int64_t start_ms = 1750000000000;

static struct keyspace_stats stats;
static struct arena *arena;
static unsigned seed;

struct world {
    struct keyspace *keyspace;
    int64_t work_ms; /* the next work is due */
    uint64_t spent_ns;
    uint64_t ids;
};

static int set_up(void **state)
{
    hash_seed();
    memset(&stats, 0, sizeof(stats));
    arena = arena_new();
    struct world *world = calloc(1, sizeof(*world));
    world->keyspace = keyspace_new(arena, &stats);
    world->keyspace->now_ms = world->work_ms = start_ms;
    work_slowness = 1;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    table_validate(&world->keyspace->db[0]);
    keyspace_free(&world->keyspace);
    arena_free_all(&arena);
    free(world);
    return 0;
}

static void store(struct world *world, int64_t ttl_ms)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "key:%012llu", (unsigned long long)world->ids++);
    struct bytes name = bytes_of(text, (size_t)size);
    struct key key = { .name = name, .hash = hash_key(name) };
    assert_true(keyspace_set(world->keyspace, key, bytes_str("a value of thirty-two characters"),
                             world->keyspace->now_ms + ttl_ms));
}

static int64_t work(struct world *world)
{
    uint64_t begun_ns = work_ns;
    int64_t wait_ms = keyspace_work(world->keyspace);
    assert_in_range(work_ns - begun_ns, 0, SLICE_NS + STEP_NS * work_slowness);
    world->spent_ns += work_ns - begun_ns;
    return wait_ms;
}

static void pass_ms(struct world *world, unsigned keys, int64_t ttl_min_ms, int64_t ttl_max_ms)
{
    struct keyspace *k = world->keyspace;
    k->now_ms++;
    for (unsigned i = 0; i < keys; i++)
        store(world, ttl_min_ms + rand_r(&seed) % (ttl_max_ms - ttl_min_ms + 1));
    while (world->work_ms <= k->now_ms) {
        int64_t wait_ms = work(world);
        world->work_ms = k->now_ms + (wait_ms < 0 ? 100 : wait_ms > 0 ? wait_ms : 1);
    }
}

struct tally {
    struct keyspace *keyspace;
    uint64_t dead, all;
};

static void count_item(void *context, struct item *item, uint64_t hash_unused)
{
    struct tally *tally = context;
    (void)hash_unused;
    tally->all += item_footprint(item);
    if (item_expire_ms(item) <= tally->keyspace->now_ms)
        tally->dead += item_footprint(item);
}

/* In percent of the bytes. */
static double dead_share(struct keyspace *keyspace)
{
    struct tally tally = { .keyspace = keyspace };
    uint64_t cursor = 0;
    do
        cursor = table_scan(&keyspace->db[0], cursor, count_item, &tally);
    while (cursor != 0);
    return tally.all > 0 ? 100.0 * (double)tally.dead / (double)tally.all : 0;
}

/* Some seconds to settle in, then as many in which it is looked at. What is freed as fast as it
 * comes takes 0.4 % of a CPU by itself; the rest goes into looking for it. */
static void steady(struct world *world, unsigned keys_per_ms, int64_t ttl_min_ms,
                   int64_t ttl_max_ms, double most, double cpu_most)
{
    double sum = 0, worst = 0, told = 0;
    int looks = 0;
    int64_t end_ms = 2 * ttl_max_ms + 3000, step_ms = ttl_max_ms > 1000 ? 997 : 97;
    for (int64_t ms = 1; ms <= end_ms; ms++) {
        pass_ms(world, keys_per_ms, ttl_min_ms, ttl_max_ms);
        if (ms <= ttl_max_ms + 1000 || ms % step_ms != 0)
            continue;
        double share = dead_share(world->keyspace);
        sum += share;
        worst = share > worst ? share : worst;
        keyspace_publish(world->keyspace);
        told += 100.0 * (double)counter_get(&stats.dead) / (double)counter_get(&stats.expires[0]);
        looks++;
    }
    double cpu = 100.0 * (double)world->spent_ns / (double)(end_ms * 1000 * 1000);
    printf("TTLs of %lld to %lld ms: %.2f %% dead, at most %.2f, told %.2f; %.2f %% of a CPU\n",
           (long long)ttl_min_ms, (long long)ttl_max_ms, sum / looks, worst, told / looks, cpu);
    assert_true(cpu <= cpu_most);
    assert_true(sum / looks <= most);
    assert_true(worst <= 3 * most);
    assert_true(told / looks > sum / looks / 2 && told / looks < sum / looks * 2);
}

static void a_spread_of_lives(void **state)
{
    steady(*state, KEYS_PER_MS, 5000, 30000, 1.0, 3.0);
}

static void a_spread_of_few_lives(void **state)
{
    steady(*state, FEW_PER_MS, 5000, 30000, 0.65, 0.3);
}

static void lives_of_a_second(void **state)
{
    steady(*state, KEYS_PER_MS, 1000, 1000, 1.0, 3.0);
}

static void lives_of_a_third_of_a_second(void **state)
{
    steady(*state, KEYS_PER_MS, 300, 300, 1.5, 3.0); /* it looks no more often than every 10 ms */
}

/* Four times as slow: it takes its time, and no more of a CPU for looking than it has to. */
static void a_slow_machine(void **state)
{
    work_slowness = 4;
    steady(*state, KEYS_PER_MS, 5000, 30000, 2.0, 7.0);
}

static void a_slow_machine_with_short_lives(void **state)
{
    work_slowness = 4;
    steady(*state, KEYS_PER_MS, 300, 300, 2.0, 7.0);
}

static uint64_t active_bytes(const struct keyspace *keyspace)
{
    return arena_active_bytes(keyspace->arena);
}

/* A million in one millisecond: all are gone in four seconds, no call frees for longer than its
 * slice, and no tenth of a second leaves the allocator's thread more pages than it returns without
 * being noticed (before, 50 MB: 4 ms). */
static void a_storm(void **state)
{
    enum { STORM = 1000 * 1000 };
    struct world *world = *state;
    struct keyspace *k = world->keyspace;
    for (int i = 0; i < STORM; i++)
        store(world, 1000);
    while (k->now_ms < start_ms + 999)
        pass_ms(world, 0, 1, 1);
    uint64_t before = k->db[0].count, most = 0, most_bytes = 0, active = active_bytes(k);
    assert_int_equal(before, STORM);
    int ms;
    for (ms = 0; ms < 4000 && k->db[0].count > 0; ms++) {
        uint64_t count = k->db[0].count;
        if (ms % 100 == 0) {
            uint64_t now = active_bytes(k);
            most_bytes = active > now && active - now > most_bytes ? active - now : most_bytes;
            active = now;
        }
        pass_ms(world, 0, 1, 1);
        most = count - k->db[0].count > most ? count - k->db[0].count : most;
    }
    printf("a storm: %d ms, at most %llu keys in a slice, %.1f MB of pages in 100 ms\n", ms,
           (unsigned long long)most, (double)most_bytes / 1e6);
    assert_in_range(most, 1000, (SLICE_NS + STEP_NS) / WORK_FREE_NS);
    assert_true(most_bytes < 14 * 1000 * 1000);
    assert_int_equal(k->db[0].count, 0);
}

/* What is over the budget is evicted, and what was flushed is freed, slice by slice. */
static void other_work_comes_in_slices_too(void **state)
{
    enum { KEYS = 300 * 1000 };
    struct world *world = *state;
    struct keyspace *k = world->keyspace;
    for (int i = 0; i < KEYS; i++)
        store(world, 1000 * 1000);
    k->policy = evict_policy_find("allkeys-s3fifo");
    keyspace_set_budget(k, keyspace_used(k) / 2);
    int slices = 0;
    for (; keyspace_in_debt(k); slices++)
        k->now_ms += work(world);
    assert_in_range(slices, 30, 100);
    assert_in_range(k->db[0].count, KEYS / 4, KEYS / 2);
    keyspace_set_budget(k, UINT64_MAX);
    keyspace_flush(k, -1);
    int64_t wait_ms;
    for (slices = 0; (wait_ms = work(world)) >= 0; slices++)
        k->now_ms += wait_ms;
    assert_in_range(slices, 30, 300); /* with jemalloc it waits for pages too */
    assert_int_equal(keyspace_used(k), 0);
}

static struct key large_key(void)
{
    struct bytes name = bytes_str("large");
    return (struct key){ .name = name, .hash = hash_key(name) };
}

/* When a large value goes, so do more pages than slices may empty in seconds. */
static void large_value_goes(struct world *world, bool expires)
{
    enum { LARGE = 256 << 20, KEYS = 300 * 1000 };
    struct keyspace *k = world->keyspace;
    char *text = calloc(1, LARGE);
    assert_non_null(text);
    for (int i = 0; i < KEYS; i++)
        store(world, 500);
    assert_true(keyspace_set(k, large_key(), bytes_of(text, LARGE), expires ? k->now_ms + 300 : 0));
    free(text);
    for (int ms = 0; ms < 499; ms++)
        pass_ms(world, 0, 1, 1);
    assert_int_equal(keyspace_delete(k, large_key()), !expires);
    for (int ms = 0; ms < 2500; ms++)
        pass_ms(world, 0, 1, 1);
    assert_int_equal(k->db[0].count, 0);
}

static void a_large_value_does_not_stop_the_sweep(void **state)
{
    large_value_goes(*state, false);
    large_value_goes(*state, true);
}

/* Half a million a second: what the rests leave of a second is enough for as many as a shard can be
 * sent. */
static void keys_that_expire_fast_do_not_pile_up(void **state)
{
    struct world *world = *state;
    for (int ms = 0; ms < 2000; ms++)
        pass_ms(world, 500, 1, 2);
    printf("%llu of %llu keys are left\n", (unsigned long long)world->keyspace->db[0].count,
           (unsigned long long)world->ids);
    assert_true(world->keyspace->db[0].count < world->ids / 100);
}

/* Calls for the sake of a debt come every millisecond where a shard gives to others. */
static void calls_for_something_else_leave_the_sweep_its_pace(void **state)
{
    struct world *world = *state;
    struct keyspace *k = world->keyspace;
    for (int i = 0; i < 1000; i++)
        store(world, 50);
    int64_t due_ms = k->now_ms + keyspace_work(k);
    assert_true(due_ms > start_ms + 50);
    for (; k->now_ms < due_ms; k->now_ms++)
        assert_int_equal(keyspace_work(k), due_ms - k->now_ms);
    assert_int_equal(k->db[0].count, 1000);
    while (k->db[0].count > 0 && k->now_ms < due_ms + 1000)
        pass_ms(world, 0, 1, 1);
    assert_int_equal(k->db[0].count, 0);
    assert_int_equal(keyspace_work(k), -1);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Nothing is freed while it is frozen, so the key is still there when it is watched. */
static void to_be_swept_later_is_no_change_to_a_watch(void **state)
{
    struct keyspace *k = ((struct world *)*state)->keyspace;
    struct bytes name = bytes_str("old");
    struct key key = { .name = name, .hash = hash_key(name) };
    struct watch_mark mark;
    assert_true(keyspace_set(k, key, bytes_str("x"), k->now_ms + 1));
    k->now_ms += 10;
    k->frozen = true;
    assert_true(keyspace_watch_add(k, key, &mark));
    assert_false(mark.live);
    k->frozen = false;
    k->now_ms += 1000;
    keyspace_work(k);
    assert_int_equal(k->db[0].count, 0);
    assert_false(keyspace_watch_changed(k, key, mark));
    assert_true(keyspace_set(k, key, bytes_str("x"), 0));
    assert_true(keyspace_watch_changed(k, key, mark));
    keyspace_watch_remove(k, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(to_be_swept_later_is_no_change_to_a_watch),
        IN_WORLD(a_spread_of_lives),
        IN_WORLD(a_spread_of_few_lives),
        IN_WORLD(lives_of_a_second),
        IN_WORLD(lives_of_a_third_of_a_second),
        IN_WORLD(a_slow_machine),
        IN_WORLD(a_slow_machine_with_short_lives),
        IN_WORLD(a_storm),
        IN_WORLD(other_work_comes_in_slices_too),
        IN_WORLD(a_large_value_does_not_stop_the_sweep),
        IN_WORLD(keys_that_expire_fast_do_not_pile_up),
        IN_WORLD(calls_for_something_else_leave_the_sweep_its_pace),
    };
    seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
