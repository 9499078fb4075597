/*
 * test_memory_share.c - shards that draw on one pool, in any order: what they hold together, and who
 * gets it.
 *
 * First with made-up shards, whose parts of the pool are the real ones; then with real keyspaces and
 * real values.
 */
#include "shoal/shard/memory_share.h"

#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/shard.h"
#include "unit/store/cache_fixture.h"

#include "support/seed.h"

enum { SHARDS_MAX = 64 };
static const uint64_t limit = (uint64_t)1 << 30;

/* A shard without a keyspace: it inserts so many bytes, and evicts or refuses what does not fit. */
struct mock {
    struct memory_part part;
    uint64_t used, budget;
    bool pressed;
};

struct pool {
    struct memory_pool shared;
    uint32_t shards;
    struct mock shard[SHARDS_MAX];
    bool keeps; /* nothing can be evicted: what does not fit is refused */
    uint64_t peak;
};

static uint64_t total(const struct pool *pool)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pool->shards; i++)
        sum += pool->shard[i].used;
    return sum;
}

/* As memory_share_renew() does. */
static void renew(struct pool *pool, struct mock *shard)
{
    struct memory_part *part = &shard->part;
    part->pool = &pool->shared;
    *part = memory_share_part(*part, limit, pool->shards);
    total_set_part(&pool->shared.taken, &part->taken, max(shard->used, shard->budget));
    uint64_t evictable = pool->keeps ? 0 : shard->used;
    total_set_part(&pool->shared.spare, &part->spare,
                   evictable > part->floor_bytes ? evictable - part->floor_bytes : 0);
    struct memory_share_view view = {
        .limit_bytes = limit,
        .shards = pool->shards,
        .used_bytes = shard->used,
        .budget_bytes = shard->budget,
        .pool_bytes = part->pool_bytes,
        .floor_bytes = part->floor_bytes,
        .taken_bytes = total_get(&pool->shared.taken),
        .pressed = shard->pressed,
        .others_spare_bytes = memory_part_others_spare(part),
    };
    shard->budget = memory_share_budget(&view);
    shard->pressed = false;
    total_set_part(&pool->shared.taken, &part->taken, max(shard->used, shard->budget));
}

/* As keyspace_make_room() does. */
static void make_room(struct pool *pool, struct mock *shard, uint64_t wanted)
{
    if (wanted <= shard->budget)
        return;
    bool raised = memory_part_raise(&shard->part, wanted, false);
    shard->pressed = !raised;
    if (!raised && !pool->keeps && wanted <= shard->part.floor_bytes)
        raised = memory_part_raise(&shard->part, wanted, true);
    if (raised)
        shard->budget = wanted;
}

/* A millisecond of a shard that inserts `bytes`: it keeps within its budget by evicting. */
static void run_shard(struct pool *pool, uint32_t i, uint64_t bytes)
{
    struct mock *shard = &pool->shard[i];
    uint64_t wanted = shard->used + bytes;
    renew(pool, shard);
    if (bytes > 0)
        make_room(pool, shard, wanted);
    if (wanted <= shard->budget)
        shard->used = wanted;
    else if (!pool->keeps || shard->used < shard->budget)
        shard->used = shard->budget;
}

static void run(struct pool *pool, const uint64_t *rate, unsigned rounds)
{
    for (unsigned r = 0; r < rounds; r++) {
        for (uint32_t i = 0; i < pool->shards; i++)
            run_shard(pool, i, rate[i]);
        pool->peak = max(pool->peak, total(pool));
    }
}

static void no_limit_is_no_limit(void **state)
{
    (void)state;
    struct memory_share_view view = { .limit_bytes = 0, .shards = 4, .used_bytes = 5 };
    assert_true(memory_share_budget(&view) == UINT64_MAX);
}

static void one_shard_has_it_all(void **state)
{
    (void)state;
    struct memory_share_view view = { .limit_bytes = limit, .shards = 1, .used_bytes = 5 };
    assert_true(memory_share_budget(&view) == limit);
}

static void a_full_shard_borrows_from_empty_ones(void **state)
{
    (void)state;
    struct pool pool = { .shards = 4 };
    uint64_t rate[SHARDS_MAX] = { [2] = 1 << 20 };
    run(&pool, rate, 2000);
    assert_true(pool.shard[2].used > limit - limit / 50);
    assert_true(pool.peak <= limit + limit / 100);
}

static void equal_shards_end_equal_and_together_below_the_limit(void **state)
{
    (void)state;
    for (uint32_t shards = 2; shards <= SHARDS_MAX; shards *= 2) {
        struct pool pool = { .shards = shards };
        uint64_t rate[SHARDS_MAX];
        for (uint32_t i = 0; i < shards; i++)
            rate[i] = (64 << 20) / shards;
        run(&pool, rate, 20000);
        assert_true(pool.peak <= limit + limit / 100);
        assert_true(total(&pool) > limit - limit / 50);
        for (uint32_t i = 0; i < shards; i++)
            assert_in_range(pool.shard[i].used, limit / shards / 10 * 9, limit / shards / 10 * 11);
    }
}

static void a_newcomer_gets_room_while_all_is_taken(void **state)
{
    (void)state;
    struct pool pool = { .shards = 4 };
    uint64_t first[SHARDS_MAX] = { [0] = 1 << 20 }, second[SHARDS_MAX] = { [3] = 1 << 20 };
    run(&pool, first, 2000);
    run(&pool, second, 200);
    assert_true(pool.shard[3].used >= limit / 17);
    run(&pool, second, 600 * 1000);
    assert_true(pool.shard[3].used > limit / 2);
    assert_true(pool.peak <= limit + limit / 100);
}

static void a_newcomer_is_refused_what_nobody_can_evict(void **state)
{
    (void)state;
    struct pool pool = { .shards = 4, .keeps = true };
    uint64_t first[SHARDS_MAX] = { [0] = 1 << 20 };
    uint64_t second[SHARDS_MAX] = { 1 << 20, 1 << 20, 1 << 20, 1 << 20 };
    run(&pool, first, 3000);
    run(&pool, second, 3000);
    assert_true(pool.shard[0].used > limit - limit / 50);
    assert_true(pool.peak <= limit + limit / 100);
}

static void idle_shards_keep_what_they_have_while_nobody_is_pressed(void **state)
{
    (void)state;
    struct pool pool = { .shards = 2 };
    uint64_t rate[SHARDS_MAX] = { 1 << 20, 1 << 20 }, none[SHARDS_MAX] = { 0 };
    run(&pool, rate, 3000);
    uint64_t before = total(&pool);
    run(&pool, none, 3000);
    assert_true(total(&pool) > before - before / 100);
}

static void the_last_borrower_gives_last(void **state)
{
    (void)state;
    struct memory_share_view view = {
        .limit_bytes = limit,
        .shards = 4,
        .used_bytes = limit / 2,
        .pool_bytes = limit / 4 * 3,
        .floor_bytes = limit / 16,
        .taken_bytes = limit,
        .others_spare_bytes = 1,
    };
    assert_true(memory_share_budget(&view) ==
                limit / 8 * 3); /* half of all: half of what is owed */
    view.borrower = true;
    assert_true(memory_share_budget(&view) == limit / 2);
    view.others_spare_bytes = 0;
    assert_true(memory_share_budget(&view) == limit / 8 * 3);
}

static void credit_ends_with_what_others_can_give_and_at_twice_the_limit(void **state)
{
    (void)state;
    struct memory_pool shared = { 0 };
    struct memory_part part = memory_share_part((struct memory_part){ .pool = &shared }, limit, 16);
    uint64_t other = 0, others_spare = 0, pool = part.pool_bytes;
    assert_true(pool > limit - limit / 100 && memory_part_reach(&part, true) == pool);
    total_set_part(&shared.taken, &other, pool - 10);
    assert_true(memory_part_reach(&part, true) == 10);
    total_set_part(&shared.spare, &others_spare, 700);
    assert_true(memory_part_reach(&part, true) == 710);
    assert_true(memory_part_reach(&part, false) == 10);
    assert_false(memory_part_raise(&part, 711, true));
    assert_true(memory_part_raise(&part, 710, true) && part.taken == 710);
    assert_true(memory_part_reach(&part, true) == 0);
    total_set_part(&shared.spare, &part.spare, 5000); /* its own is no help */
    assert_true(memory_part_reach(&part, true) == 0);
    total_set_part(&shared.spare, &others_spare, 8 * limit);
    assert_true(memory_part_reach(&part, true) == limit - 700);
}

/* ---- real keyspaces ------------------------------------------------------ */

enum { REAL = 3 };
static const uint64_t real_limit = 2 << 20;

struct real {
    struct memory_pool shared;
    struct keyspace_stats stats[REAL];
    struct keyspace *k[REAL];
    struct arena *arena;
};

static void real_begin(struct real *real, const char *policy)
{
    *real = (struct real){ .arena = arena_new() };
    for (int i = 0; i < REAL; i++) {
        real->k[i] = keyspace_new(real->arena, &real->stats[i]);
        real->k[i]->policy = evict_policy_find(policy);
        real->k[i]->now_ms = 1700000000000;
        real->k[i]->part.pool = &real->shared;
    }
}

static void real_end(struct real *real)
{
    for (int i = 0; i < REAL; i++)
        keyspace_free(&real->k[i]);
    arena_free_all(&real->arena);
}

static uint64_t real_used(const struct real *real)
{
    uint64_t used = 0;
    for (int i = 0; i < REAL; i++)
        used += keyspace_used(real->k[i]);
    return used;
}

/* A turn of the shard in another millisecond, with the work that it does between requests; or what
 * it does before it sleeps. Nobody is woken: what is stored never exceeds the limit by much. */
static void real_turn(struct real *real, int i, bool sleeps)
{
    struct settings settings = { .maxmemory = real_limit };
    struct shard shard = { 0 };
    struct reactor reactor = {
        .id = (uint32_t)i,
        .count = REAL,
        .settings = &settings,
        .keyspace = real->k[i],
        .shard = &shard,
        .now_ms = 1,
    };
    struct keyspace *k = real->k[i];
    if (sleeps) {
        keyspace_publish(k);
        memory_share_settle(&reactor);
        return;
    }
    memory_share_renew(&reactor);
    for (int slices = 0; slices < 1000 && keyspace_in_debt(k); slices++)
        keyspace_work(k);
}

static void real_renew(struct real *real, int i)
{
    real_turn(real, i, false);
}

/* Any shards, one after the other in any order, with small values and some `large` ones: together
 * they stay within the limit, and with room for it nothing is refused. Where others can evict, one
 * large value may stand on credit until they have had their turn. */
static void any_order(const char *policy, size_t large, bool evicts)
{
    struct real real;
    struct random random;
    uint64_t id = 0, peak = 0, refused = 0, early = 0;
    real_begin(&real, policy);
    random_seed(&random, test_seed());
    for (int step = 0; step < 20000; step++) {
        int i = (int)random_below(&random, REAL);
        size_t size = random_below(&random, 400) == 0 ? large : 100 + (size_t)step % 200;
        if (random_below(&random, 8) == 0)
            real_renew(&real, i);
        if (!cache_store(real.k[i], id++, 0, size, 0)) {
            refused++;
            early += real_used(&real) + 2 * size + size / 2 < real_limit * 9 / 10;
        }
        peak = max(peak, real_used(&real));
    }
    print_message("%s: at most %.3f of the limit, %lu refused\n", policy,
                  (double)peak / (double)real_limit, (unsigned long)refused);
    assert_true(peak <= real_limit + real_limit / 100 + (evicts ? large : 0));
    assert_true(real_used(&real) > real_limit * 8 / 10);
    assert_int_equal(early, 0);
    assert_true(evicts ? refused == 0 : refused > 0);
    real_end(&real);
}

static void real_shards_keep_to_the_limit_together(void **state)
{
    (void)state;
    any_order("noeviction", 750 * 1000, false); /* more than an equal part */
    any_order("allkeys-s3fifo", 100 * 1000, true);
}

/* Larger than an equal part, while the others are empty; and for no second one is there room. */
static void a_large_value_takes_what_is_free(void **state)
{
    (void)state;
    struct real real;
    size_t large = real_limit * 2 / 5;
    real_begin(&real, "noeviction");
    for (int i = 0; i < REAL; i++)
        real_renew(&real, i);
    assert_true(cache_store(real.k[1], 1, 0, large, 0));
    assert_true(cache_store(real.k[2], 2, 0, large / 2, 0));
    real_renew(&real, 1);
    real_renew(&real, 2);
    assert_false(cache_store(real.k[0], 3, 0, large, 0));
    assert_true(real.k[0]->over_limit);
    assert_true(cache_store(real.k[0], 3, 0, large / 2, 0));
    struct name name;
    cache_name(1, 0, &name);
    assert_true(keyspace_delete(real.k[1], name.key));
    while (keyspace_work(real.k[1]) >= 0)
        ;
    real_renew(&real, 1);
    assert_true(cache_store(real.k[0], 4, 0, large, 0)); /* what was deleted is free for another */
    real_end(&real);
}

/* Else shards that sleep often would lose to one that never does: by three to one in a cache of
 * 2.5 MB, and 0.005 to 0.009 more misses. */
static void a_sleeper_keeps_its_step_and_no_surplus(void **state)
{
    (void)state;
    struct real real;
    real_begin(&real, "allkeys-s3fifo");
    for (int i = 0; i < REAL; i++)
        real_renew(&real, i);
    struct keyspace *k = real.k[1];
    assert_true(keyspace_make_room(k, real_limit / 2)); /* and then nothing is stored */
    assert_true(k->part.taken > real_limit / 2);
    real_turn(&real, 1, true);
    assert_true(k->part.taken < real_limit / 50);
    for (uint64_t id = 0; id < 30000; id++) {
        assert_true(cache_store(k, id, 0, 100, 0));
        if (id % 100 == 99)
            real_renew(&real, 1);
    }
    uint64_t budget = k->budget_bytes;
    assert_true(budget >= keyspace_used(k) + 500);
    real_turn(&real, 1, true);
    assert_true(k->budget_bytes == budget);
    real_end(&real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit_is_no_limit),
        cmocka_unit_test(one_shard_has_it_all),
        cmocka_unit_test(a_full_shard_borrows_from_empty_ones),
        cmocka_unit_test(equal_shards_end_equal_and_together_below_the_limit),
        cmocka_unit_test(a_newcomer_gets_room_while_all_is_taken),
        cmocka_unit_test(a_newcomer_is_refused_what_nobody_can_evict),
        cmocka_unit_test(the_last_borrower_gives_last),
        cmocka_unit_test(credit_ends_with_what_others_can_give_and_at_twice_the_limit),
        cmocka_unit_test(real_shards_keep_to_the_limit_together),
        cmocka_unit_test(a_large_value_takes_what_is_free),
        cmocka_unit_test(a_sleeper_keeps_its_step_and_no_surplus),
        cmocka_unit_test(idle_shards_keep_what_they_have_while_nobody_is_pressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
