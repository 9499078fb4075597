/*
 * test_memory_share.c - shards that draw on one pool with figures a round old: what they hold
 * together, and who gets it.
 */
#include "shoal/shard/memory_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SHARDS_MAX = 64 };
static const uint64_t limit = (uint64_t)1 << 30;

struct pool {
    uint32_t shards;
    uint64_t used[SHARDS_MAX], published[SHARDS_MAX];
    bool pressed[SHARDS_MAX];
    bool keeps; /* nothing can be evicted: what does not fit is refused */
    uint64_t peak;
};

static uint64_t total(const uint64_t *bytes, uint32_t shards)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < shards; i++)
        sum += bytes[i];
    return sum;
}

/* What the others hold above their floor and can evict. */
static uint64_t spare_for(const struct pool *pool, uint32_t i)
{
    const struct memory_share_view view = { .limit_bytes = limit, .shards = pool->shards };
    uint64_t spare = 0, floor = memory_share_floor(&view);
    for (uint32_t k = 0; k < pool->shards && !pool->keeps; k++)
        spare += k != i && pool->published[k] > floor ? pool->published[k] - floor : 0;
    return spare;
}

/* One millisecond of a shard that inserts `bytes`: it keeps within its budget by evicting. */
static void run_shard(struct pool *pool, uint32_t i, uint64_t bytes)
{
    struct memory_share_view view = {
        .spare_bytes = spare_for(pool, i),
        .limit_bytes = limit,
        .shards = pool->shards,
        .own_bytes = pool->used[i],
        .total_bytes = total(pool->published, pool->shards) - pool->published[i] + pool->used[i],
        .pressed = pool->pressed[i],
    };
    uint64_t budget = memory_share_budget(&view), wanted = pool->used[i] + bytes;
    pool->pressed[i] = bytes > 0 && wanted > budget;
    if (wanted <= budget)
        pool->used[i] = wanted;
    else if (!pool->keeps || pool->used[i] < budget)
        pool->used[i] = budget;
}

/* All shards with figures of the round before. */
static void run(struct pool *pool, const uint64_t *rate, unsigned rounds)
{
    for (unsigned r = 0; r < rounds; r++) {
        for (uint32_t i = 0; i < pool->shards; i++)
            run_shard(pool, i, rate[i]);
        for (uint32_t i = 0; i < pool->shards; i++)
            pool->published[i] = pool->used[i];
        uint64_t sum = total(pool->used, pool->shards);
        pool->peak = sum > pool->peak ? sum : pool->peak;
    }
}

static void no_limit_is_no_limit(void **state)
{
    (void)state;
    struct memory_share_view view = {
        .limit_bytes = 0, .shards = 4, .own_bytes = 5, .total_bytes = 50
    };
    assert_true(memory_share_budget(&view) == UINT64_MAX);
}

static void one_shard_has_it_all(void **state)
{
    (void)state;
    struct memory_share_view view = { limit, 1, 5, 5, false, 0 };
    assert_true(memory_share_budget(&view) == limit);
}

static void a_full_shard_borrows_from_empty_ones(void **state)
{
    (void)state;
    struct pool pool = { .shards = 4 };
    uint64_t rate[SHARDS_MAX] = { [2] = 1 << 20 };
    run(&pool, rate, 2000);
    assert_true(pool.used[2] > limit - limit / 50);
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
        assert_true(total(pool.used, shards) > limit - limit / 50);
        for (uint32_t i = 0; i < shards; i++)
            assert_in_range(pool.used[i], limit / shards / 10 * 9, limit / shards / 10 * 11);
    }
}

static void a_newcomer_gets_room_while_all_is_taken(void **state)
{
    (void)state;
    struct pool pool = { .shards = 4 };
    uint64_t first[SHARDS_MAX] = { [0] = 1 << 20 }, second[SHARDS_MAX] = { [3] = 1 << 20 };
    run(&pool, first, 2000);
    run(&pool, second, 200);
    assert_true(pool.used[3] >= limit / 4 / 4);
    run(&pool, second, 600 * 1000);
    assert_true(pool.used[3] > limit / 2);
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
    assert_true(pool.used[0] > limit - limit / 50);
    assert_true(pool.peak <= limit + limit / 100);
}

static void idle_shards_keep_what_they_have_while_nobody_is_pressed(void **state)
{
    (void)state;
    struct pool pool = { .shards = 2 };
    uint64_t rate[SHARDS_MAX] = { 1 << 20, 1 << 20 }, none[SHARDS_MAX] = { 0 };
    run(&pool, rate, 3000);
    uint64_t before = total(pool.used, 2);
    run(&pool, none, 3000);
    assert_true(total(pool.used, 2) > before - before / 100);
}

static void a_request_may_have_what_is_free_and_what_others_can_evict(void **state)
{
    (void)state;
    struct memory_share_view view = { limit, 4, 1 << 20, 5 << 20, false, 0 };
    uint64_t budget = memory_share_budget(&view), pool = limit - limit / 256;
    assert_true(budget + memory_share_credit(&view, budget) == pool - (4 << 20));
    view.total_bytes = pool + 5;
    view.pressed = true;
    budget = memory_share_budget(&view);
    assert_true(memory_share_credit(&view, budget) == 0);
    view.spare_bytes = 700;
    assert_true(memory_share_credit(&view, budget) == 695);
    view.shards = 1;
    assert_true(memory_share_credit(&view, limit) == 0);
    view.limit_bytes = 0;
    assert_true(memory_share_credit(&view, UINT64_MAX) == 0);
}

static void credit_ends_at_twice_the_limit(void **state)
{
    (void)state;
    struct memory_share_view view = { .limit_bytes = limit,
                                      .shards = 16,
                                      .spare_bytes = 8 * limit };
    uint64_t pool = limit - limit / 256;
    view.total_bytes = pool + limit / 2;
    assert_true(memory_share_credit(&view, memory_share_budget(&view)) == limit / 2);
    view.total_bytes = pool + limit;
    assert_true(memory_share_credit(&view, memory_share_budget(&view)) == 0);
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
        cmocka_unit_test(a_request_may_have_what_is_free_and_what_others_can_evict),
        cmocka_unit_test(credit_ends_at_twice_the_limit),
        cmocka_unit_test(idle_shards_keep_what_they_have_while_nobody_is_pressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
