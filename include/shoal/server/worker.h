/*
 * worker.h - a worker thread: its reactor and everything that the reactor points to.
 */
#ifndef SHOAL_SERVER_WORKER_H
#define SHOAL_SERVER_WORKER_H

#include "shoal/base/timers.h"
#include "shoal/conn/conns.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/router.h"
#include "shoal/server/loop.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/records.h"

#include <pthread.h>

struct mesh;

struct worker {
    _Alignas(64) struct reactor reactor;
    struct loop loop;
    struct shard shard;
    struct router router;
    struct pubsub pubsub;
    struct conns conns;
    struct records records;
    struct timers timers;
    pthread_t thread;
    bool pinned; /* to one CPU of the list */
};

/* Number `id` of `count`, not running yet. `peer` will hold all `count` reactors. Aborts when
 * memory is out. Thread: startup. */
struct worker *worker_new(uint32_t id, uint32_t count, struct reactor *const *peer,
                          struct mesh *mesh, const struct settings *settings);

/* Thread entry: makes ring and keyspace, reports to the server, turns until stopped. */
void *worker_main(void *worker);

/* What it does with the ring it has made: the keyspace and all else that turns need. `ring` is the
 * worker's from now on. Thread: owner. */
void worker_begin(struct worker *worker, struct ring *ring);

/* Takes new settings into use: everything that is derived from them. Thread: owner. */
void worker_use_settings(struct reactor *reactor, const struct settings *settings);

/* Frees what its thread has left. Thread: startup, after all threads have ended. */
void worker_free(struct worker **worker);

#endif
