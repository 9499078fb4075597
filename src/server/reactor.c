/*
 * reactor.c - one turn after another: completions, commands of others, their answers, replies,
 * sleep.
 */
#include "shoal/server/reactor.h"

#include "shoal/base/clock.h"
#include "shoal/base/log.h"
#include "shoal/base/must.h"
#include "shoal/net/uring.h"
#include "shoal/server/answer.h"
#include "shoal/server/call.h"
#include "shoal/server/dispatch.h"
#include "shoal/server/due.h"
#include "shoal/server/input.h"
#include "shoal/server/locks.h"
#include "shoal/server/server.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RING_ENTRIES = BOUND(512, 8),
    RING_COMPLETIONS = BOUND(4096, 16),
    BUFFER_BYTES = BOUND(32 * 1024, 512), /* all of them fit the L2 cache beside the data: 512 KB */
    BUFFER_COUNT = BOUND(16, 4),
    STARVED_PER_BUFFER = 4, /* connections that are started again for each free buffer */
    SETTLE_ROUNDS = 4,      /* times a turn tries stalled connections again before it goes on */
    BACKLOG_WAIT_NS = 20 * 1000,
    /* a reply waits no longer than this for one behind it from another shard */
    HOLD_NS_MAX = 1000 * 1000,
    QUICK_US_MAX = 100, /* no command that is measured with its group takes as long */
};

/* ---- parts of a turn ----------------------------------------------------- */

static uint32_t requests_drain(struct reactor *reactor)
{
    uint32_t count = 0;
    struct message *message;
    while ((message = mesh_next_request(reactor->port)) != NULL) {
        count++;
        if (likely(message->kind == MESSAGE_COMMAND)) {
            group_add(reactor, (struct request *)message);
        } else {
            group_run(reactor); /* a source's messages run in order */
            message->run(reactor, message);
        }
    }
    group_run(reactor);
    return count;
}

static uint32_t responses_drain(struct reactor *reactor)
{
    uint32_t count = 0;
    struct message *message;
    while ((message = mesh_next_response(reactor->port)) != NULL) {
        count++;
        if (likely(message->kind == MESSAGE_COMMAND))
            answer_arrived((struct request *)message);
        else
            message->done(reactor, message);
    }
    return count;
}

/* Connections that could not go on: those that can now, do. */
static uint32_t stalled_retry(struct reactor *reactor)
{
    struct conn *list = reactor->stalled_first;
    uint32_t moved = 0;
    reactor->stalled_first = NULL;
    while (list != NULL) {
        struct conn *conn = list;
        list = conn->next_stalled;
        conn->flags &= ~(uint32_t)CONN_STALLED;
        if (conn->flags & CONN_HELD)
            dispatch_held(conn);
        bool ending = conn->flags & (CONN_DEAD | CONN_CLOSING) && !(conn->flags & CONN_HELD);
        if (conn_is_blocked(conn) && !ending) {
            conn_stall(conn);
            continue;
        }
        moved++;
        input_parse(conn);
        conn_recv_again(conn);
        if (conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
            conn_settle_later(conn);
    }
    return moved;
}

/* May this connection's replies wait for those behind them? */
static bool holds_back(struct conn *conn, uint64_t now_ns)
{
    if (conn->unanswered.first == NULL || conn->out.bytes >= CONN_HOLD_MAX ||
        conn->out.flying != NULL || conn->flags & (CONN_DEAD | CONN_HELD))
        return false;
    if (conn->held_since_ns == 0)
        conn->held_since_ns = now_ns;
    return now_ns - conn->held_since_ns < HOLD_NS_MAX;
}

/*
 * Sends replies. Those of a pipeline that still waits for another shard are held back for a moment:
 * one send instead of two or three costs 15 to 25 % less CPU a request.
 */
static void flush(struct reactor *reactor)
{
    struct conn *list = reactor->flush_first;
    uint64_t now_ns = reactor->count > 1 && list != NULL ? clock_mono_ns() : 0;
    uint64_t oldest_ns = UINT64_MAX;
    reactor->flush_first = NULL;
    while (list != NULL) {
        struct conn *conn = list;
        list = conn->next_flush;
        conn->flags &= ~(uint32_t)CONN_FLUSHING;
        if (now_ns != 0 && holds_back(conn, now_ns)) {
            oldest_ns = conn->held_since_ns < oldest_ns ? conn->held_since_ns : oldest_ns;
            conn_flush_later(conn);
        } else {
            conn->held_since_ns = 0;
            conn_flush(conn);
        }
    }
    reactor->hold_until_ns = oldest_ns != UINT64_MAX ? oldest_ns + HOLD_NS_MAX : 0;
}

static void settle(struct reactor *reactor)
{
    while (reactor->settling_first != NULL) {
        struct conn *conn = reactor->settling_first;
        reactor->settling_first = conn->next_settling;
        if (!conn_settle(conn)) /* still marked: it does not come back on the list meanwhile */
            conn->flags &= ~(uint32_t)CONN_SETTLING;
    }
}

/* As many as the free buffers may serve: all at once would only end in -ENOBUFS again. */
static void starved_feed(struct reactor *reactor)
{
    uint32_t share = ring_buffers_available(reactor->ring) * STARVED_PER_BUFFER;
    while (reactor->starved.first != NULL) {
        struct conn *conn = reactor->starved.first;
        bool dead = conn->flags & CONN_DEAD;
        if (share == 0 && !dead)
            return;
        list_take(&reactor->starved, next_starved);
        conn->flags &= ~(uint32_t)CONN_STARVED;
        if (dead) {
            conn_settle_later(conn);
        } else {
            conn_recv_again(conn);
            share--;
        }
    }
}

/* ---- the loop ------------------------------------------------------------ */

static void wake(void *context, uint32_t to)
{
    struct reactor *reactor = context;
    counter_add(&reactor->stats->wakeups, 1);
    ring_wake(reactor->ring, reactor->server->reactor[to].ring);
}

/* Everything but I/O. Returns how much was done. */
static uint32_t work(struct reactor *reactor)
{
    uint32_t done = requests_drain(reactor);
    done += responses_drain(reactor);
    done += call_finish_own(reactor);
    mesh_release(reactor->port);
    for (int i = 0; i < SETTLE_ROUNDS && reactor->stalled_first != NULL; i++) {
        uint32_t moved = stalled_retry(reactor);
        group_run(reactor);
        moved += call_finish_own(reactor);
        done += moved;
        if (moved == 0)
            break;
    }
    if (unlikely(reactor->starved.first != NULL))
        starved_feed(reactor);
    done += pressure_relieve(reactor);
    due_run(reactor);
    return done;
}

/* Submits, and blocks until there is something to do if all agree that there is nothing. */
static void submit_and_wait(struct reactor *reactor, bool idle)
{
    int64_t wait = idle ? due_wait_ns(reactor) : 0;
    if (wait != 0 && reactor->hold_until_ns != 0) {
        int64_t hold = (int64_t)(reactor->hold_until_ns - clock_mono_ns());
        hold = hold > 0 ? hold : 0;
        wait = wait < 0 || hold < wait ? hold : wait;
    }
    if (wait != 0 && mesh_wants_room(reactor->port))
        wait = BACKLOG_WAIT_NS; /* a full ring is emptied without a word to us */
    if (wait == 0 || !mesh_may_sleep(reactor->port)) {
        ring_wait(reactor->ring, 0);
        return;
    }
    counter_add(&reactor->stats->sleeps, 1);
    ring_wait(reactor->ring, wait);
    mesh_awake(reactor->port);
}

static bool polls_on(struct reactor *reactor, bool did_something)
{
    uint64_t budget_ns = (uint64_t)reactor->settings->busy_poll_us * 1000;
    if (budget_ns == 0)
        return false;
    uint64_t now = clock_mono_ns();
    if (did_something)
        reactor->busy_since_ns = now;
    return now - reactor->busy_since_ns < budget_ns;
}

static void loop(struct reactor *reactor)
{
    bool idle = false;
    while (!reactor->stopped) {
        submit_and_wait(reactor, idle);
        reactor->now_ms = clock_now_ms(); /* after the wait, before anything that asks for it */
        reactor->keyspace->now_ms = reactor->now_ms;
        lease_renew(reactor);
        pressure_renew(reactor);
        uint32_t completions = ring_reap(reactor->ring);
        group_run(reactor);
        uint32_t done = work(reactor);
        bool quiet = completions + done == 0;
        flush(reactor);
        settle(reactor);
        due_note_activity(reactor, quiet);
        bool published = mesh_publish(reactor->port, wake, reactor);
        idle = quiet && !published && !call_own_waits(reactor) && !polls_on(reactor, !quiet);
    }
    mesh_publish(reactor->port, wake, reactor);
    ring_turn(reactor->ring, 0);
}

/* ---- start and end ------------------------------------------------------- */

void reactor_note_latency(struct reactor *reactor, enum latency_event event, int64_t us)
{
    int threshold_ms = reactor->settings->latency_threshold_ms;
    if (unlikely(threshold_ms > 0 && us >= (int64_t)threshold_ms * 1000))
        latency_note(&reactor->latency_events, event, clock_wall_us() / 1000000, us / 1000,
                     threshold_ms);
}

static uint64_t ticks_of_us(uint64_t us)
{
    return us < UINT64_MAX / 1000 ? clock_ns_to_ticks(us * 1000) : UINT64_MAX;
}

void reactor_use_settings(struct reactor *reactor, const struct settings *settings)
{
    reactor->settings = settings;
    reactor->limits = (struct decode_limits){
        .bulk_bytes_max = settings->proto_max_bulk_len,
        .args_max = DECODE_ARGS_MAX,
    };
    reactor->keyspace->policy = evict_policy_find(policy_name(settings->maxmemory_policy));
    reactor->keyspace->lifetime = lifetime_of(settings->default_ttl_ms, settings->max_ttl_ms,
                                              (uint32_t)settings->ttl_jitter_percent);
    reactor->keyspace->defrag.limits = (struct defrag_limits){
        .on = settings->activedefrag,
        .lower_percent = (uint32_t)settings->defrag_threshold_lower,
        .ignore_bytes = (uint64_t)settings->defrag_ignore_bytes / reactor->count,
        .cycle_percent = (uint32_t)settings->defrag_cycle_max,
    };
    reactor->lease.renewed_ms = 0;
    reactor->pressure.renewed_ms = 0;
    reactor->next_tick_ms = settings->timeout_s > 0 ? 0 : INT64_MAX;
    uint64_t log_ticks = settings->slowlog_slower_us < 0
                             ? UINT64_MAX
                             : ticks_of_us((uint64_t)settings->slowlog_slower_us);
    uint64_t event_ticks = settings->latency_threshold_ms == 0
                               ? UINT64_MAX
                               : ticks_of_us((uint64_t)settings->latency_threshold_ms * 1000);
    reactor->slow_ticks = log_ticks < event_ticks ? log_ticks : event_ticks;
    reactor->measure_each =
        settings->slowlog_slower_us >= 0 && settings->slowlog_slower_us < QUICK_US_MAX;
}

static void pin(const struct reactor *reactor)
{
    const struct settings *settings = reactor->settings;
    if (settings->cpu_count == 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    int cpu = settings->cpus[reactor->id % (uint32_t)settings->cpu_count];
    CPU_SET(cpu, &set);
    int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
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

static int setup(struct reactor *reactor)
{
    struct ring_config config = {
        .entries = RING_ENTRIES,
        .completions = RING_COMPLETIONS,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFER_COUNT,
        .features = reactor->settings->uring_features,
    };
    int error = 0;
    char name[16];
    snprintf(name, sizeof(name), "shoal-%u", reactor->id);
    pthread_setname_np(pthread_self(), name);
    pin(reactor);
    choose_sched_policy(reactor);
    reactor->ring = uring_new(&config, &error);
    if (reactor->ring == NULL)
        return error;
    reactor->arena = arena_new();
    reactor->keyspace = keyspace_new(reactor->arena, &reactor->stats->keyspace);
    reactor->keyspace->shard = reactor->id;
    reactor->keyspace->shards = reactor->count;
    reactor->locks = locks_new();
    reactor->scratch = mem_must_alloc(SCRATCH_BYTES);
    reactor->chunks.grown = pressure_grown;
    reactor->next_conn_id = reactor->id + 1;
    random_seed(&reactor->random, clock_ticks());
    random_seed(&reactor->keyspace->random, random_next(&reactor->random));
    reactor->now_ms = reactor->keyspace->now_ms = reactor->sampled_ms = clock_now_ms();
    decoder_init(&reactor->decoder);
    reactor_use_settings(reactor, reactor->settings);
    due_publish(reactor);
    return 0;
}

void *reactor_main(void *argument)
{
    struct reactor *reactor = argument;
    int error = setup(reactor);
    if (server_reactor_started(reactor->server, error)) {
        if (reactor->id == SEQUENCER)
            server_begin(reactor->server);
        loop(reactor);
    }
    return NULL;
}

static void wake_nobody(void *context, uint32_t to)
{
    (void)context;
    (void)to;
}

bool reactor_finish(struct reactor *reactor)
{
    uint32_t done = requests_drain(reactor);
    done += responses_drain(reactor);
    done += call_finish_own(reactor);
    mesh_release(reactor->port);
    return mesh_publish(reactor->port, wake_nobody, NULL) || done > 0;
}

void reactor_free(struct reactor *reactor)
{
    while (reactor->request_pool != NULL) {
        struct request *request = reactor->request_pool;
        reactor->request_pool = request->next;
        free(request);
    }
    chunk_pool_fini(&reactor->chunks);
    decoder_reset(&reactor->decoder);
    slowlog_clear(&reactor->slowlog);
    if (reactor->keyspace != NULL)
        keyspace_free(&reactor->keyspace);
    if (reactor->locks != NULL)
        locks_free(&reactor->locks);
    if (reactor->arena != NULL)
        arena_free_all(&reactor->arena);
    if (reactor->ring != NULL)
        ring_free(&reactor->ring);
    mesh_port_free(&reactor->port);
    free(reactor->scratch);
    free(reactor->stats);
}
