/*
 * reactor.h - one worker thread: its ring, its shard, its connections, its ends of the queues.
 */
#ifndef SHOAL_SERVER_REACTOR_H
#define SHOAL_SERVER_REACTOR_H

#include "shoal/base/clock.h"
#include "shoal/base/list.h"
#include "shoal/base/mem.h"
#include "shoal/base/random.h"
#include "shoal/net/ring.h"
#include "shoal/net/socket.h"
#include "shoal/proto/decode.h"
#include "shoal/server/conn.h"
#include "shoal/server/group.h"
#include "shoal/server/latency_events.h"
#include "shoal/server/lease.h"
#include "shoal/server/mesh.h"
#include "shoal/server/options.h"
#include "shoal/server/out.h"
#include "shoal/server/pressure.h"
#include "shoal/server/slowlog.h"
#include "shoal/server/stats.h"

struct server;
struct locks;

enum {
    SCRATCH_BYTES = ANSWER_COPY_MAX + 1024, /* second buffer of replies to other reactors */
    WORK_INTERVAL_MAX_MS = 100,
    TRANSACTIONS_MAX = MESH_RING_MIN, /* the part of the response rings that is kept for them */
};

/* What CLIENT PAUSE holds. */
struct pause {
    int64_t until_ms; /* 0: no pause */
    bool writes_only;
};

struct reactor {
    _Alignas(64) uint32_t id;
    uint32_t count; /* reactors in all */
    struct server *server;
    const struct settings *settings; /* of this moment: switched by message */
    struct ring *ring;
    struct mesh_port *port;
    struct arena *arena; /* the shard's memory */
    struct keyspace *keyspace;
    struct locks *locks;
    struct lease lease; /* the shard's part of maxmemory */
    struct group group; /* commands gathered for one pass over the table */
    struct decode_limits limits;
    struct decoder decoder;
    int64_t now_ms; /* of this turn */

    struct conn *conns;
    uint32_t conn_count;
    struct conn *flush_first, *stalled_first, *settling_first;
    uint64_t hold_until_ns; /* replies that are held back go then at the latest; 0: none are */
    LIST_OF(struct conn) starved; /* wait for receive buffers */
    uint32_t lingering;           /* closing ones whose last replies are on their way, */
    int64_t next_linger_ms;       /* ... looked at again then */
    struct chunk_pool chunks;
    struct buffers buffers;
    struct pressure pressure;
    struct request *request_pool;
    uint32_t request_pool_count;
    uint32_t request_count; /* in the pool or in use */
    char *scratch;

    LIST_OF(struct plan) transactions_waiting; /* beyond TRANSACTIONS_MAX */
    uint32_t transactions;                     /* over several shards, under way */
    struct pause pause;
    struct reactor_stats *stats;
    struct slowlog slowlog;
    /* commands that took as long are looked at for the slow log and latency events */
    uint64_t slow_ticks;
    bool measure_each;      /* the slow log wants even quick ones */
    int64_t next_work_ms;   /* background work is due; INT64_MAX: never */
    int64_t next_tick_ms;   /* once-a-second checks are due; INT64_MAX: none wanted */
    uint64_t busy_since_ns; /* last time there was something to do, with --busy-poll-us */
    bool unpublished;       /* something was done since the figures were published */
    int64_t published_ms;
    int64_t sampled_ms; /* the last sample of rates, and what it saw */
    uint64_t sampled_commands, sampled_in, sampled_out;
    bool stopped;
    uint64_t next_conn_id;
    struct random random;
    struct latency_events latency_events;
};

/* Thread entry: makes the ring and shard, reports to the server, runs until stopped. */
void *reactor_main(void *reactor);

/* Ends messages that were still under way; true: call it again. Thread: startup, after all threads
 * have ended. */
bool reactor_finish(struct reactor *reactor);

/* Frees what its thread has left. Thread: startup, after all threads have ended. */
void reactor_free(struct reactor *reactor);

/* Takes new settings into use: everything that is derived from them. Thread: owner. */
void reactor_use_settings(struct reactor *reactor, const struct settings *settings);

/* Notes a latency event of `us` if latency-monitor-threshold is set and reached. Thread: owner. */
void reactor_note_latency(struct reactor *reactor, enum latency_event event, int64_t us);

/* slot -> reactor: contiguous ranges. */
static inline uint32_t reactor_of_slot(const struct reactor *reactor, uint32_t slot)
{
    return slot * reactor->count >> 14;
}

#endif
