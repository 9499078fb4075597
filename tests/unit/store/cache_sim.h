/*
 * cache_sim.h - a keyspace used as a cache of a given number of equal items: GET, and SET on a
 * miss.
 *
 * The budget is what that many items took when they were put into an empty keyspace.
 */
#ifndef SHOAL_TESTS_CACHE_SIM_H
#define SHOAL_TESTS_CACHE_SIM_H

#include "shoal/base/hash.h"
#include "shoal/store/keyspace/keyspace.h"

#include <stdio.h>
#include <stdlib.h>

struct cache_sim {
    struct arena *arena;
    struct keyspace *keyspace;
    struct keyspace_stats stats;
    uint64_t gets, misses, keys_max, used_max;
    bool emptied; /* held nothing after a SET */
};

static inline void sim_key(uint64_t id, char text[17], struct key *key)
{
    snprintf(text, 17, "%016lx", (unsigned long)id);
    struct bytes name = bytes_of(text, 16);
    *key = (struct key){ .name = name, .hash = hash_key(name) };
}

static inline void sim_set(struct cache_sim *sim, struct key key)
{
    static const char value[32] = "a value of thirty-two bytes ...";
    if (!keyspace_make_room(sim->keyspace, keyspace_cost(16, 32)) ||
        !keyspace_set(sim->keyspace, key, bytes_of(value, sizeof(value)), 0))
        abort();
}

static inline void sim_init(struct cache_sim *sim, uint64_t items, const char *policy)
{
    *sim = (struct cache_sim){ .arena = arena_new() };
    char text[17];
    struct key key;
    struct keyspace *filled = keyspace_new(sim->arena, &sim->stats);
    sim->keyspace = filled;
    for (uint64_t i = 0; i < items; i++) {
        sim_key(~i, text, &key);
        sim_set(sim, key);
    }
    uint64_t bytes = keyspace_used(filled);
    keyspace_free(&filled);
    sim->keyspace = keyspace_new(sim->arena, &sim->stats);
    sim->keyspace->policy = evict_policy_find(policy);
    sim->keyspace->now_ms = 1750000000000;
    keyspace_set_budget(sim->keyspace, bytes + keyspace_cost(16, 32));
}

static inline void sim_fini(struct cache_sim *sim)
{
    keyspace_free(&sim->keyspace);
    arena_free_all(&sim->arena);
}

static inline bool sim_access(struct cache_sim *sim, uint64_t id)
{
    char text[17];
    struct key key;
    sim_key(id, text, &key);
    sim->gets++;
    if (keyspace_read(sim->keyspace, key) != NULL)
        return true;
    sim->misses++;
    sim_set(sim, key);
    uint64_t keys = keyspace_count(sim->keyspace);
    sim->keys_max = keys > sim->keys_max ? keys : sim->keys_max;
    uint64_t used = keyspace_used(sim->keyspace);
    sim->used_max = used > sim->used_max ? used : sim->used_max;
    sim->emptied |= keys == 0;
    return false;
}

/* Within its budget, or at most 1 % above while eviction catches up. */
static inline bool sim_kept_budget(const struct cache_sim *sim)
{
    uint64_t budget = sim->keyspace->budget_bytes;
    return !sim->emptied && sim->used_max <= budget + budget / 100;
}

static inline double sim_miss_ratio(const struct cache_sim *sim)
{
    return (double)sim->misses / (double)sim->gets;
}

#endif
