/*
 * stats.h - what a reactor counts. The reactor alone writes; the reactor that answers INFO adds up.
 */
#ifndef SHOAL_STATS_STATS_H
#define SHOAL_STATS_STATS_H

#include "shoal/base/counter.h"
#include "shoal/cmd/registry.h"
#include "shoal/stats/counters.h"
#include "shoal/stats/state.h"
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

#define STATS_MEMBER(member, ...) struct counter member;
#define STATS_NO_MEMBER(...)
struct reactor_stats {
    _Alignas(64) struct keyspace_stats keyspace;
    STATS_COUNTERS(STATS_MEMBER, STATS_NO_MEMBER) /* see counters.h */
    /* What INFO shows in another form than a sum, and what only other reactors read: */
    struct counter connections_closed;
    struct counter ops_per_sec, bytes_in_per_sec, bytes_out_per_sec, sampled_ms;
    struct counter request_bytes, reply_bytes; /* of buffer_bytes what is bounded, see budget.h */
    struct counter state[STATE_KINDS];         /* bytes, see state.h */
    struct counter used_peak;   /* most memory in use that this reactor has seen, see memory.h */
    struct counter error_names; /* how many of errors[] have one: counter_published() */
    struct error_stats errors[STATS_ERRORS_MAX];
    struct command_stats command[]; /* registry_count() of them */
};
#undef STATS_MEMBER
#undef STATS_NO_MEMBER

/* All zero, to be freed with free(). Aborts when memory is out. Thread: startup. */
struct reactor_stats *stats_new(void);

/*
 * Sets to zero what counts events, as CONFIG RESETSTAT does: the table's COUNTER_EVENTS, errors and
 * commands. The keyspace keeps the numbers behind its counters itself: keyspace_reset_stats().
 * Thread: owner.
 */
void stats_reset(struct reactor_stats *stats);

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

/* As last published: keyspace_room() of a shard, and the keys of one of its databases. Thread: any. */
uint64_t stats_shard_room(const struct reactor *any, uint32_t shard);
uint64_t stats_shard_keys(const struct reactor *any, uint32_t shard, uint32_t db);

/* The longest duration of a bucket, in cycles. Thread: any. */
uint64_t latency_bucket_top(uint32_t bucket);

#endif
