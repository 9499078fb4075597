/*
 * info_shoal.c - INFO: what no other server has: shards, how commands cross between them, the ring.
 */
#include "info_text.h"

static unsigned long sum(const struct info *info, size_t offset)
{
    return (unsigned long)server_sum(info->server, offset);
}
#define SUM(info, field) sum(info, offsetof(struct reactor_stats, field))

void info_shoal(struct info *info)
{
    uint64_t commands = SUM(info, commands), crossed = SUM(info, cross_shard);
    info_add(info, "shoal_version:%s\r\n", SHOAL_VERSION);
    info_add(info, "shards:%u\r\n", info->server->count);
    info_add(info, "cross_shard_commands:%lu\r\n", (unsigned long)crossed);
    info_add(info, "cross_shard_share:%.2f\r\n", ratio_of(crossed, commands) * 100);
    info_add(info, "io_engine:%s\r\n", info->here->ring->engine->name);
    info_add(info, "io_features:%s\r\n", info->here->ring->features.text);
    info_add(info, "transactions:%lu\r\n", SUM(info, transactions));
    info_add(info, "turns:%lu\r\n", SUM(info, turns));
    info_add(info, "sleeps:%lu\r\n", SUM(info, sleeps));
    info_add(info, "wakeups:%lu\r\n", SUM(info, wakeups));
    info_add(info, "throttled:%lu\r\n", SUM(info, throttled));
    info_add(info, "starved:%lu\r\n", SUM(info, starved));
    info_add(info, "idle_closed:%lu\r\n", SUM(info, idle_closed));
    info_add(info, "buffer_bytes:%lu\r\n", SUM(info, buffer_bytes));
    info_add(info, "settings_version:%lu\r\n", (unsigned long)info->settings->version);
}

/* A line a shard; commands and ops_per_sec are those of its reactor's connections. */
void info_shards(struct info *info)
{
    for (uint32_t i = 0; i < info->server->count; i++) {
        const struct reactor_stats *stats = info->server->reactor[i].stats;
        uint64_t keys = 0, expires = 0;
        for (int db = 0; db < DATABASES_MAX; db++) {
            keys += counter_get(&stats->keyspace.keys[db]);
            expires += counter_get(&stats->keyspace.expires[db]);
        }
        info_add(info,
                 "shard%u:keys=%lu,expires=%lu,used_bytes=%lu,hits=%lu,misses=%lu,expired=%lu,"
                 "evicted=%lu,connections=%lu,commands=%lu,cross_shard=%lu,ops_per_sec=%lu,"
                 "wakeups=%lu,sleeps=%lu\r\n",
                 i, (unsigned long)keys, (unsigned long)expires,
                 (unsigned long)counter_get(&stats->keyspace.used_bytes),
                 (unsigned long)counter_get(&stats->keyspace.hits),
                 (unsigned long)counter_get(&stats->keyspace.misses),
                 (unsigned long)counter_get(&stats->keyspace.expired),
                 (unsigned long)counter_get(&stats->keyspace.evicted),
                 (unsigned long)counter_get(&stats->clients),
                 (unsigned long)counter_get(&stats->commands),
                 (unsigned long)counter_get(&stats->cross_shard),
                 (unsigned long)counter_get(&stats->ops_per_sec),
                 (unsigned long)counter_get(&stats->wakeups),
                 (unsigned long)counter_get(&stats->sleeps));
    }
}
