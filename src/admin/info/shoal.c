/*
 * shoal.c - INFO: what no other server has: shards, how commands cross between them, the ring.
 */
#include "sections.h"

#include <sched.h>

static unsigned long sum(const struct info *info, size_t offset)
{
    return (unsigned long)stats_sum(info->here, offset);
}
#define SUM(info, field) sum(info, offsetof(struct reactor_stats, field))

static void add_miss_ratio(struct info *info, const char *name, uint64_t spared)
{
    uint64_t hits = SUM(info, keyspace.hits), misses = SUM(info, keyspace.misses);
    /* Misses that would be spared are counted at inserts, also of keys that no read has missed. */
    uint64_t left = misses > spared ? misses - spared : 0;
    info_add(info, "%s:%.4f\r\n", name, ratio_of(left, hits + misses));
}

/* The miss ratio as it is, and as it would be with more memory. */
static void add_misses(struct info *info)
{
    uint64_t half = SUM(info, keyspace.would_hit[0]), twice = SUM(info, keyspace.would_hit[1]);
    COUNTERS_TO(info, keyspace.ghost_hits);
    add_miss_ratio(info, "miss_ratio", 0);
    add_miss_ratio(info, "miss_ratio_at_1.5x", half);
    add_miss_ratio(info, "miss_ratio_at_2x", half + twice);
}

/* The policy of this worker thread, as the kernel reports it. */
static const char *sched_policy(void)
{
    switch (sched_getscheduler(0)) {
    case SCHED_OTHER:
        return "normal";
    case SCHED_BATCH:
        return "batch";
    case SCHED_IDLE:
        return "idle";
    case SCHED_FIFO:
        return "fifo";
    case SCHED_RR:
        return "rr";
    default:
        return "unknown";
    }
}

void info_shoal(struct info *info)
{
    uint64_t commands = SUM(info, commands), crossed = SUM(info, cross_shard);
    info_add(info, "shoal_version:%s\r\n", SHOAL_VERSION);
    info_add(info, "shards:%u\r\n", info->here->count);
    info_add(info, "sched_policy:%s\r\n", sched_policy());
    COUNTERS_TO(info, cross_shard);
    info_add(info, "cross_shard_share:%.2f\r\n", ratio_of(crossed, commands) * 100);
    info_add(info, "io_engine:%s\r\n", info->here->ring->engine->name);
    info_add(info, "io_features:%s\r\n", info->here->ring->features);
    COUNTERS_TO(info, buffer_bytes);
    add_misses(info);
    info_add(info, "settings_version:%lu\r\n", (unsigned long)info->settings->version);
}

#define FIGURE(name, field)                                                                        \
    {                                                                                              \
        name, offsetof(struct reactor_stats, field)                                                \
    }
static const struct {
    const char *name;
    size_t offset;
} shard_figures[] = {
    FIGURE("used_bytes", keyspace.used_bytes),
    FIGURE("budget_bytes", keyspace.budget_bytes),
    FIGURE("hits", keyspace.hits),
    FIGURE("misses", keyspace.misses),
    FIGURE("expired", keyspace.expired),
    FIGURE("evicted", keyspace.evicted),
    FIGURE("connections", clients),
    FIGURE("commands", commands), /* this and the next two are of its reactor's connections */
    FIGURE("cross_shard", cross_shard),
    FIGURE("ops_per_sec", ops_per_sec),
    FIGURE("wakeups", wakeups),
    FIGURE("sleeps", sleeps),
};

static void add_shard(struct info *info, uint32_t id)
{
    const struct reactor_stats *stats = info->here->peer[id]->stats;
    uint64_t keys = 0, expires = 0;
    for (int db = 0; db < DATABASES_MAX; db++) {
        keys += counter_get(&stats->keyspace.keys[db]);
        expires += counter_get(&stats->keyspace.expires[db]);
    }
    info_add(info, "shard%u:keys=%lu,expires=%lu", id, (unsigned long)keys, (unsigned long)expires);
    for (size_t i = 0; i < sizeof(shard_figures) / sizeof(*shard_figures); i++) {
        const void *counter = (const char *)stats + shard_figures[i].offset;
        uint64_t value = counter_get(counter);
        /* No limit is 0, as in maxmemory. */
        info_add(info, ",%s=%lu", shard_figures[i].name,
                 value == UINT64_MAX ? 0 : (unsigned long)value);
    }
    info_add(info, "\r\n");
}

/* One line for each shard. */
void info_shards(struct info *info)
{
    for (uint32_t i = 0; i < info->here->count; i++)
        add_shard(info, i);
}
