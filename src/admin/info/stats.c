/*
 * stats.c - INFO: what has happened, what it cost, and what the server does not have (disk,
 * replicas).
 */
#include "shoal/base/clock.h"
#include "shoal/pubsub/pubsub.h"

#include "sections.h"

#include <inttypes.h>
#include <sys/resource.h>

enum { RATE_STALE_MS = 2000 }; /* a reactor whose sample is older sleeps and has no rate */

/* Nothing is kept on disk, so nothing ever was saved. */
void info_persistence(struct info *info)
{
    info_add(info, "loading:0\r\nasync_loading:0\r\nloading_eta_seconds:0\r\n");
    info_add(info, "rdb_changes_since_last_save:%" PRIu64 "\r\nrdb_bgsave_in_progress:0\r\n",
             STATS_SUM(info->here, keyspace.changes));
    info_add(info, "rdb_last_save_time:0\r\nrdb_last_bgsave_status:ok\r\n");
    info_add(info, "rdb_last_bgsave_time_sec:-1\r\nrdb_current_bgsave_time_sec:-1\r\n");
    info_add(info, "rdb_saves:0\r\naof_enabled:0\r\naof_rewrite_in_progress:0\r\n");
    info_add(info, "aof_rewrite_scheduled:0\r\naof_last_rewrite_time_sec:-1\r\n");
    info_add(info, "aof_current_rewrite_time_sec:-1\r\naof_last_bgrewrite_status:ok\r\n");
    info_add(info, "aof_last_write_status:ok\r\n");
}

static uint64_t rate_sum(const struct info *info, size_t offset)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < info->here->count; i++) {
        const struct reactor_stats *stats = info->here->peer[i]->stats;
        int64_t age_ms = info->here->now_ms - (int64_t)counter_get(&stats->sampled_ms);
        if (age_ms < RATE_STALE_MS)
            sum += counter_get((const struct counter *)((const char *)stats + offset));
    }
    return sum;
}
#define RATE_SUM(info, field) rate_sum(info, offsetof(struct reactor_stats, field))

static void add_traffic(struct info *info)
{
    COUNTERS_TO(info, commands);
    info_add(info, "instantaneous_ops_per_sec:%lu\r\n", (unsigned long)RATE_SUM(info, ops_per_sec));
    COUNTERS_TO(info, bytes_out);
    info_add(info, "total_net_repl_input_bytes:0\r\ntotal_net_repl_output_bytes:0\r\n");
    info_add(info, "instantaneous_input_kbps:%.2f\r\n",
             (double)RATE_SUM(info, bytes_in_per_sec) / 1024);
    info_add(info, "instantaneous_output_kbps:%.2f\r\n",
             (double)RATE_SUM(info, bytes_out_per_sec) / 1024);
    info_add(info, "instantaneous_input_repl_kbps:0.00\r\n"
                   "instantaneous_output_repl_kbps:0.00\r\n");
    COUNTERS_TO(info, connections_rejected);
    info_add(info, "sync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n");
}

/* Blocks are items and chained buckets; times are in milliseconds. */
static void add_defrag(struct info *info)
{
    COUNTERS_TO(info, keyspace.defrag_items_left);
    info_add(info, "total_active_defrag_time:%lu\r\n",
             (unsigned long)(STATS_SUM(info->here, keyspace.defrag_ns) / 1000000));
    info_add(info, "current_active_defrag_time:%lu\r\n",
             (unsigned long)(STATS_SUM(info->here, keyspace.defrag_run_ns) / 1000000));
}

/* The share of the keys with a TTL that have expired and still take memory. */
static void add_dead_share(struct info *info)
{
    uint64_t expires = 0, dead = STATS_SUM(info->here, keyspace.dead);
    for (int db = 0; db < DATABASES_MAX; db++)
        expires += STATS_SUM(info->here, keyspace.expires[db]);
    info_add(info, "expired_stale_perc:%.2f\r\n",
             expires > 0 ? 100.0 * (double)dead / (double)expires : 0);
}

/* Every reactor knows of all. */
static void add_pubsub(struct info *info)
{
    const uint32_t *distinct = info->here->pubsub->interests.distinct;
    info_add(info, "pubsub_channels:%u\r\n", distinct[TOPIC_CHANNEL]);
    info_add(info, "pubsub_patterns:%u\r\n", distinct[TOPIC_PATTERN]);
    info_add(info, "pubsubshard_channels:%u\r\n", distinct[TOPIC_SHARD]);
}

void info_stats(struct info *info)
{
    add_traffic(info);
    COUNTERS_TO(info, keyspace.expired);
    add_dead_share(info);
    info_add(info, "expired_time_cap_reached_count:0\r\n");
    COUNTERS_TO(info, keyspace.misses);
    add_pubsub(info);
    info_add(info, "latest_fork_usec:0\r\ntotal_forks:0\r\nmigrate_cached_sockets:0\r\n");
    add_defrag(info);
    info_add(info, "tracking_total_keys:0\r\ntracking_total_items:0\r\n"
                   "tracking_total_prefixes:0\r\n");
    info_add(info, "unexpected_error_replies:0\r\n");
    COUNTERS_TO(info, auth_denied);
    info_add(info, "acl_access_denied_cmd:0\r\nacl_access_denied_key:0\r\n"
                   "acl_access_denied_channel:0\r\n"); /* the section's other counters follow */
}

void info_replication(struct info *info)
{
    info_add(info, "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n");
    info_add(info, "master_replid:%s\r\n", info->server->run_id);
    info_add(info, "master_replid2:%040d\r\n", 0);
    info_add(info, "master_repl_offset:0\r\nsecond_repl_offset:-1\r\n");
    info_add(info, "repl_backlog_active:0\r\nrepl_backlog_size:0\r\n"
                   "repl_backlog_first_byte_offset:0\r\nrepl_backlog_histlen:0\r\n");
}

static void add_cpu(struct info *info, const char *suffix, int who)
{
    struct rusage usage = { 0 };
    getrusage(who, &usage);
    info_add(info, "used_cpu_sys%s:%ld.%06ld\r\n", suffix, (long)usage.ru_stime.tv_sec,
             (long)usage.ru_stime.tv_usec);
    info_add(info, "used_cpu_user%s:%ld.%06ld\r\n", suffix, (long)usage.ru_utime.tv_sec,
             (long)usage.ru_utime.tv_usec);
}

/* The main thread only waits for signals: the fields named after it are those of the reactor that
 * answers. */
void info_cpu(struct info *info)
{
    add_cpu(info, "", RUSAGE_SELF);
    add_cpu(info, "_children", RUSAGE_CHILDREN);
    add_cpu(info, "_main_thread", RUSAGE_THREAD);
}

void info_cluster(struct info *info)
{
    info_add(info, "cluster_enabled:0\r\n");
}

/* In the mean TTL, a shard weighs as much as it has keys with one. */
void info_keyspace(struct info *info)
{
    for (int db = 0; db < DATABASES_MAX; db++) {
        uint64_t keys = 0, expires = 0, timed = 0, ttl_sum = 0;
        for (uint32_t i = 0; i < info->here->count; i++) {
            const struct keyspace_stats *stats = &info->here->peer[i]->stats->keyspace;
            uint64_t here = counter_get(&stats->expires[db]);
            uint64_t mean = counter_get(&stats->avg_ttl_ms[db]);
            keys += counter_get(&stats->keys[db]);
            expires += here;
            timed += mean > 0 ? here : 0;
            ttl_sum += mean * here;
        }
        if (keys > 0)
            info_add(info, "db%d:keys=%lu,expires=%lu,avg_ttl=%lu\r\n", db, (unsigned long)keys,
                     (unsigned long)expires, (unsigned long)(timed > 0 ? ttl_sum / timed : 0));
    }
}
