/*
 * stats.c - making a reactor's counters, and the few that need more than an addition.
 */
#include "shoal/stats/stats.h"

#include "shoal/base/mem.h"
#include "shoal/reactor/reactor.h"

#include <stdlib.h>
#include <string.h>

struct reactor_stats *stats_new(void)
{
    size_t size = sizeof(struct reactor_stats) + registry_count() * sizeof(struct command_stats);
    size = (size + 63) & ~(size_t)63;
    return mem_must_align(64, size);
}

static void command_reset(struct command_stats *command)
{
    counter_set(&command->calls, 0);
    counter_set(&command->ticks, 0);
    counter_set(&command->rejected, 0);
    counter_set(&command->failed, 0);
    for (int i = 0; i < LATENCY_BUCKETS; i++)
        counter_set(&command->latency[i], 0);
}

void stats_reset(struct reactor_stats *stats)
{
    for (uint32_t i = 0; i < counters_count(); i++)
        if (counters_at(i)->kind == COUNTER_EVENTS)
            counter_set((struct counter *)((char *)stats + counters_at(i)->offset), 0);
    for (int i = 0; i < STATS_ERRORS_MAX; i++)
        counter_set(&stats->errors[i].count, 0);
    for (uint32_t id = 0; id < registry_count(); id++)
        command_reset(&stats->command[id]);
}

/* The entry for `code`, made if need be; NULL when there is no room for another. */
static struct error_stats *error_named(struct reactor_stats *stats, const char *code)
{
    uint64_t names = counter_get(&stats->error_names);
    for (uint64_t i = 0; i < names; i++)
        if (strncmp(stats->errors[i].name, code, STATS_ERROR_NAME - 1) == 0)
            return &stats->errors[i];
    if (names == STATS_ERRORS_MAX)
        return NULL;
    struct error_stats *error = &stats->errors[names];
    strncpy(error->name, code, STATS_ERROR_NAME - 1);
    counter_publish(&stats->error_names, names + 1);
    return error;
}

void stats_error(struct reactor_stats *stats, const char *code)
{
    counter_add(&stats->error_replies, 1);
    struct error_stats *error = error_named(stats, code);
    if (error != NULL)
        counter_add(&error->count, 1);
}

/* Two buckets an octave: [2^k, 1.5 * 2^k) and [1.5 * 2^k, 2^(k+1)). */
uint32_t latency_bucket(uint64_t ticks)
{
    if (ticks < 2)
        return ticks;
    uint32_t k = 63 - (uint32_t)__builtin_clzll(ticks);
    uint32_t bucket = 2 * k + (uint32_t)(ticks >> (k - 1) & 1);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

uint64_t latency_bucket_top(uint32_t bucket)
{
    uint32_t k = bucket / 2;
    return bucket < 2 ? bucket : bucket % 2 == 1 ? (2ull << k) - 1 : (3ull << k) / 2 - 1;
}

/* ---- of all reactors ----------------------------------------------------- */

uint64_t stats_sum(const struct reactor *any, size_t offset)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < any->count; i++)
        sum += counter_get((const struct counter *)((const char *)any->peer[i]->stats + offset));
    return sum;
}

uint64_t stats_shard_room(const struct reactor *any, uint32_t shard)
{
    return counter_get(&any->peer[shard]->stats->keyspace.room_bytes);
}

uint64_t stats_shard_keys(const struct reactor *any, uint32_t shard, uint32_t db)
{
    return counter_get(&any->peer[shard]->stats->keyspace.keys[db]);
}
