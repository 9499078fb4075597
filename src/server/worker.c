/*
 * worker.c - a worker thread: how it is scheduled, what it makes at the start, how it is freed.
 */
#include "shoal/server/worker.h"

#include "shoal/base/clock.h"
#include "shoal/base/log.h"
#include "shoal/base/mem.h"
#include "shoal/base/minmax.h"
#include "shoal/mesh/mesh.h"
#include "shoal/options/options.h"
#include "shoal/server/due.h"
#include "shoal/server/server.h"
#include "shoal/shard/key_queues.h"
#include "shoal/stats/stats.h"
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_ENTRIES = BOUND(512, 8),
    RING_COMPLETIONS = BOUND(4096, 16),
    BUFFER_BYTES = BOUND(32 * 1024, 512), /* all of them fit the L2 cache beside the data: 512 KB */
    BUFFER_COUNT = BOUND(16, 4),
};

struct worker *worker_new(uint32_t id, uint32_t count, struct reactor *const *peer,
                          struct mesh *mesh, const struct settings *settings)
{
    struct worker *worker = mem_must_align(64, sizeof(*worker));
    struct reactor *reactor = &worker->reactor;
    *reactor = (struct reactor){
        .id = id,
        .count = count,
        .peer = peer,
        .settings = settings,
        .port = mesh_port_new(mesh, id),
        .stats = stats_new(),
        .records = &worker->records,
        .conns = &worker->conns,
        .shard = &worker->shard,
        .router = &worker->router,
        .loop = &worker->loop,
        .timers = &worker->timers,
        .pubsub = &worker->pubsub,
    };
    timers_init(&worker->timers, clock_now_ms(), reactor);
    router_init(&worker->router);
    due_init(reactor);
    pubsub_init(&worker->pubsub, count);
    conns_init(&worker->conns, reactor);
    return worker;
}

void worker_free(struct worker **workerp)
{
    struct worker *worker = *workerp;
    struct reactor *reactor = &worker->reactor;
    *workerp = NULL;
    conns_fini(&worker->conns);
    pubsub_fini(&worker->pubsub);
    shard_fini(&worker->shard);
    records_clear(&worker->records);
    if (reactor->keyspace != NULL) {
        struct arena *arena = reactor->keyspace->arena;
        keyspace_free(&reactor->keyspace);
        arena_free_all(&arena);
    }
    if (reactor->ring != NULL)
        ring_free(&reactor->ring);
    mesh_port_free(&reactor->port);
    free(reactor->stats);
    free(worker);
}

void worker_use_settings(struct reactor *reactor, const struct settings *settings)
{
    reactor->settings = settings;
    conns_use_settings(reactor->conns);
    reactor->keyspace->policy = &evict_policies[settings->maxmemory_policy];
    reactor->keyspace->lifetime = lifetime_of(settings->default_ttl_ms, settings->max_ttl_ms,
                                              (uint32_t)settings->ttl_jitter_percent);
    reactor->keyspace->limits = (struct limits){
        .databases = settings->databases,
        .value_bytes_max = (uint64_t)min(settings->proto_max_bulk_len, VALUE_BYTES_MAX),
    };
    reactor->keyspace->defrag.limits = (struct defrag_limits){
        .on = settings->activedefrag,
        .lower_percent = (uint32_t)settings->defrag_threshold_lower,
        .ignore_bytes = (uint64_t)settings->defrag_ignore_bytes / reactor->count,
        .cycle_percent = (uint32_t)settings->defrag_cycle_max,
    };
    reactor->shard->share.renewed_ms = 0;
    due_use_settings(reactor);
    records_use(reactor->records, settings->slowlog_slower_us, settings->latency_threshold_ms);
}

static void pin(struct worker *worker)
{
    const struct reactor *reactor = &worker->reactor;
    const struct settings *settings = reactor->settings;
    if (settings->cpu_count == 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    int cpu = settings->cpus[reactor->id % (uint32_t)settings->cpu_count];
    CPU_SET(cpu, &set);
    int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    worker->pinned = error == 0;
    if (error != 0)
        log_write(LOG_WARNING, "reactor %u could not be pinned to CPU %d: %s", reactor->id, cpu,
                  strerror(error));
}

/* A policy that the server was started with, as by chrt, stays. */
static void choose_sched_policy(const struct reactor *reactor)
{
    const struct sched_param none = { 0 };
    if (!reactor->settings->batch || sched_getscheduler(0) != SCHED_OTHER)
        return;
    bool done = sched_setscheduler(0, SCHED_BATCH, &none) == 0;
    if (!done && reactor->id == 0) /* the others are refused as well: one line says it */
        log_write(LOG_WARNING, "the worker threads could not be scheduled as batch: %s",
                  strerror(errno));
}

void worker_begin(struct worker *worker, struct ring *ring)
{
    struct reactor *reactor = &worker->reactor;
    reactor->ring = ring;
    reactor->keyspace = keyspace_new(arena_new(), &reactor->stats->keyspace);
    shard_init(&worker->shard);
    reactor->keyspace->is_held = key_queues_hold;
    reactor->keyspace->held_by = worker->shard.queues;
    reactor->keyspace->shard = reactor->id;
    reactor->keyspace->shards = reactor->count;
    if (reactor->count > 1)
        reactor->keyspace->part.pool = &reactor->peer[SEQUENCER]->shard->share.pool;
    random_seed(&reactor->random, clock_ticks());
    random_seed(&reactor->keyspace->random, random_next(&reactor->random));
    reactor->now_ms = reactor->keyspace->now_ms = reactor->loop->sampled_ms = clock_now_ms();
    due_work_by(reactor, reactor->now_ms);
    worker_use_settings(reactor, reactor->settings);
    due_publish(reactor);
}

static int setup(struct worker *worker)
{
    struct ring_config config = {
        .entries = RING_ENTRIES,
        .completions = RING_COMPLETIONS,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFER_COUNT,
        .features = worker->reactor.settings->uring_features,
    };
    int error = 0;
    struct ring *ring = engine_open(&worker->reactor.server->engine, &config, &error);
    if (ring == NULL)
        return error;
    worker_begin(worker, ring);
    return 0;
}

void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct reactor *reactor = &worker->reactor;
    char name[16];
    snprintf(name, sizeof(name), "shoal-%u", reactor->id);
    pthread_setname_np(pthread_self(), name);
    pin(worker);
    choose_sched_policy(reactor);
    int error = setup(worker);
    if (server_reactor_started(reactor->server, error)) {
        if (reactor->id == SEQUENCER)
            server_begin(reactor->server);
        loop_run(reactor);
    }
    return NULL;
}
