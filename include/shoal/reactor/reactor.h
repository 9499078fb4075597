/*
 * reactor.h - what every room is handed: which worker thread this is, and where its parts are.
 *
 * A room knows the structs behind the pointers to rooms below it, and no others. The worker
 * (server/worker.h) owns them all.
 */
#ifndef SHOAL_REACTOR_REACTOR_H
#define SHOAL_REACTOR_REACTOR_H

#include "shoal/base/random.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct conns;
struct keyspace;
struct loop;
struct mesh_port;
struct pubsub;
struct reactor_stats;
struct records;
struct ring;
struct router;
struct server;
struct settings;
struct shard;
struct timers;

enum {
    SEQUENCER = 0, /* the reactor that orders transactions over several shards; it accepts, too */
};

struct reactor {
    uint32_t id, count;              /* which of how many */
    const struct settings *settings; /* of this moment: switched by message */
    struct ring *ring;
    struct mesh_port *port;
    struct keyspace *keyspace;
    struct reactor_stats *stats;
    struct records *records;
    struct conns *conns;
    struct shard *shard;
    struct router *router;
    struct loop *loop;
    struct timers *timers; /* what is due by the clock */
    struct server *server;
    struct pubsub *pubsub;
    struct reactor *const *peer; /* all of them, by id: for what is written by counters alone */
    struct random random;        /* not for secrets */
    int64_t now_ms;              /* of this turn */
};

/* Peers read the first line to find the ring and the counters: no turn may write into it. */
static_assert(offsetof(struct reactor, random) >= 64 && offsetof(struct reactor, now_ms) >= 64,
              "what turns write begins behind the first cache line");

/* slot -> reactor: contiguous ranges. */
static inline uint32_t reactor_of_slot(const struct reactor *reactor, uint32_t slot)
{
    return slot * reactor->count >> 14;
}

#endif
