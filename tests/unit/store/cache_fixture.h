/*
 * cache_fixture.h - a keyspace with a budget and a policy, for the tests of eviction and of memory.
 */
#ifndef SHOAL_TESTS_CACHE_FIXTURE_H
#define SHOAL_TESTS_CACHE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>

#include "unit/store/cache_sim.h"

#include <cmocka.h>

static const int64_t start_ms = 1750000000000;

/* The names of the policies that evict, as the server's own list has them; NULL behind the last. */
static inline const char *policy_at(int index)
{
    for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++)
        if (policy->run != NULL && index-- == 0)
            return policy->name;
    return NULL;
}

static struct keyspace_stats stats;
static struct arena *arena;
static char filler[1 << 20];

static inline int cache_set_up(void **state)
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

static inline int cache_tear_down(void **state)
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

static inline void cache_name(uint64_t id, uint8_t db, struct name *name)
{
    sim_key(id, name->text, &name->key);
    name->key.db = db;
}

/* As a command does: room first. */
static inline bool cache_store(struct keyspace *k, uint64_t id, uint8_t db, size_t size,
                               int64_t expire_ms)
{
    struct name name;
    cache_name(id, db, &name);
    if (!keyspace_make_room(k, keyspace_cost(16, size)))
        return false;
    assert_true(keyspace_set(k, name.key, bytes_of(filler, size), expire_ms));
    return true;
}

static inline bool cache_holds(struct keyspace *k, uint64_t id, uint8_t db)
{
    struct name name;
    cache_name(id, db, &name);
    return keyspace_freq(k, name.key) >= 0;
}

static inline void cache_use(struct keyspace *k, const char *policy, uint64_t budget_bytes)
{
    assert_non_null(evict_policy_find(policy));
    k->policy = evict_policy_find(policy);
    keyspace_set_budget(k, budget_bytes);
}

/* Does a slice of work, and waits for the next; true while more is wanted soon. */
static inline bool cache_is_busy(struct keyspace *k)
{
    int64_t wait_ms = keyspace_work(k);
    k->now_ms += wait_ms == 1;
    return wait_ms == 0 || wait_ms == 1;
}

static inline uint64_t cache_evicted(struct keyspace *k)
{
    keyspace_publish(k);
    return counter_get(&stats.evicted);
}

/* To run a policy by itself: as many victims as that, and no other limit. */
static inline struct evict_work cache_work(const struct keyspace *k, uint64_t victims)
{
    return (struct evict_work){
        .wanted_bytes = UINT64_MAX,
        .victims_left = victims,
        .buckets_left = UINT64_MAX,
        .clock = ttl_clock_at(k->now_ms),
    };
}

#define IN_KEYSPACE(test) cmocka_unit_test_setup_teardown(test, cache_set_up, cache_tear_down)

#endif
