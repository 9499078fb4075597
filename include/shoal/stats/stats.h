/*
 * stats.h - what a reactor counts. One writer, summed by whoever answers INFO.
 */
#ifndef SHOAL_STATS_STATS_H
#define SHOAL_STATS_STATS_H

#include "shoal/base/counter.h"
#include "shoal/cmd/registry.h"
#include "shoal/store/keyspace/keyspace.h"

struct reactor;

enum { STATS_ERRORS_MAX = 64, STATS_ERROR_NAME = 24, LATENCY_BUCKETS = 80 };

struct command_stats {
    struct counter calls, ticks, rejected, failed;
    struct counter latency[LATENCY_BUCKETS]; /* by latency_bucket() of ticks */
};

/* Errors by their first word. The name is written once, before error_names counts it, and stays:
 * CONFIG RESETSTAT zeroes `count` only. */
struct error_stats {
    char name[STATS_ERROR_NAME];
    struct counter count;
};

struct reactor_stats {
    _Alignas(64) struct keyspace_stats keyspace;
    struct counter connections_received, connections_closed, connections_rejected;
    struct counter accept_failures; /* EMFILE and its like, ECONNABORTED */
    struct counter clients;         /* connected now */
    struct counter commands, cross_shard;
    struct counter bytes_in, bytes_out, reads, writes;
    struct counter error_replies;
    struct counter auth_denied;
    struct counter output_limit_closed, input_limit_closed, idle_closed;
    struct counter
        throttled; /* times a connection stopped reading because its replies were not read */
    struct counter starved; /* times a receive ended for want of buffers */
    struct counter ops_per_sec, bytes_in_per_sec, bytes_out_per_sec, sampled_ms;
    struct counter buffer_bytes;               /* all that connections take */
    struct counter request_bytes, reply_bytes; /* ... of it what is bounded, see budget.h */
    struct counter buffer_waits;               /* times a connection had to wait for room */
    struct counter buffers_waiting;            /* connections that wait for it now */
    struct counter buffers_closed;             /* those that others waited for too long */
    struct counter used_peak; /* most memory in use that this reactor has seen, see info.h */
    struct counter wakeups, turns, sleeps;
    struct counter chase_until_ms; /* of its lease */
    struct counter transactions;   /* over several shards */
    struct counter error_names;    /* how many of errors[] have one: counter_published() */
    struct error_stats errors[STATS_ERRORS_MAX];
    struct command_stats command[]; /* registry_count() of them */
};

struct reactor_stats *stats_new(void);

/* Bucket of a duration in cycles (clock_ticks). Thread: any. */
uint32_t latency_bucket(uint64_t ticks);

/* Counts runs of a command that took `ticks` each. Thread: owner. */
static inline void stats_commands(struct reactor_stats *stats, const struct command *command,
                                  uint32_t runs, uint64_t ticks)
{
    struct command_stats *of = &stats->command[command->id];
    counter_add(&of->calls, runs);
    counter_add(&of->ticks, ticks * runs);
    counter_add(&of->latency[latency_bucket(ticks)], runs);
}

/* Counts an error reply whose first word is `code`; beyond STATS_ERRORS_MAX words only their sum.
 * Thread: owner. */
void stats_error(struct reactor_stats *stats, const char *code);

/* Sum over all reactors of a counter, by its offset in struct reactor_stats. Thread: any. */
uint64_t stats_sum(const struct reactor *any, size_t offset);
#define STATS_SUM(any, field) stats_sum((any), offsetof(struct reactor_stats, field))

/* Keys of a shard's database, as last published. Thread: any. */
uint64_t stats_shard_keys(const struct reactor *any, uint32_t shard, uint32_t db);

/* The longest duration of a bucket. */
uint64_t latency_bucket_top(uint32_t bucket);

#endif
