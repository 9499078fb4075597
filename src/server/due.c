/*
 * due.c - what a reactor does by the clock: background work, a look for idle connections, rates, the
 * figures that other threads read, and whatever other modules have linked into its timers.
 */
#include "shoal/server/due.h"

#include "shoal/base/clock.h"
#include "shoal/base/timers.h"
#include "shoal/conn/backpressure.h"
#include "shoal/conn/conns.h"
#include "shoal/mesh/mesh.h"
#include "shoal/net/ring.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/server/loop.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/records.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    IDLE_LOOK_MS = 1000,
    SAMPLE_MS = 1000,
    WORK_INTERVAL_MAX_MS = 100,
};

/* ---- figures ------------------------------------------------------------- */

static void sample(struct reactor *reactor)
{
    struct loop *loop = reactor->loop;
    struct reactor_stats *stats = reactor->stats;
    int64_t passed_ms = reactor->now_ms - loop->sampled_ms;
    if (passed_ms < SAMPLE_MS)
        return;
    uint64_t commands = counter_get(&stats->commands);
    uint64_t in = counter_get(&stats->bytes_in), out = counter_get(&stats->bytes_out);
    uint64_t ms = (uint64_t)passed_ms;
    counter_set(&stats->ops_per_sec, (commands - loop->sampled_commands) * 1000 / ms);
    counter_set(&stats->bytes_in_per_sec, (in - loop->sampled_in) * 1000 / ms);
    counter_set(&stats->bytes_out_per_sec, (out - loop->sampled_out) * 1000 / ms);
    counter_set(&stats->sampled_ms, (uint64_t)reactor->now_ms);
    loop->sampled_ms = reactor->now_ms;
    loop->sampled_commands = commands;
    loop->sampled_in = in;
    loop->sampled_out = out;
}

void due_publish(struct reactor *reactor)
{
    struct reactor_stats *stats = reactor->stats;
    keyspace_publish(reactor->keyspace);
    memory_share_settle(reactor);
    backpressure_publish(reactor);
    counter_set(&stats->buffer_bytes, conns_bytes(reactor->conns));
    counter_set(&stats->turns, reactor->ring->turns);
    counter_add(&stats->lanes, mesh_looks(reactor->port));
    counter_set(&stats->ring_overflows, reactor->ring->overflows);
}

/* Where room is short, what has been freed is known before its answers are: the client may queue a
 * command for this room on another reactor (is_without_room() in route/dispatch.c). */
static void publish_short_room(struct reactor *reactor)
{
    struct counter *room = &reactor->stats->keyspace.room_bytes;
    if (unlikely(counter_get(room) != UINT64_MAX))
        counter_set(room, keyspace_room(reactor->keyspace));
}

void due_note_activity(struct reactor *reactor, bool quiet)
{
    struct loop *loop = reactor->loop;
    publish_short_room(reactor);
    if (!quiet) {
        loop->unpublished = true;
        if (!timer_is_linked(&loop->work))
            timers_link(reactor->timers, &loop->work, reactor->now_ms + WORK_INTERVAL_MAX_MS);
    }
    if (loop->unpublished && (quiet || reactor->now_ms != loop->published_ms)) {
        loop->unpublished = false;
        loop->published_ms = reactor->now_ms;
        due_publish(reactor);
    }
}

/* ---- by the clock -------------------------------------------------------- */

static void background_work(void *context, struct timer *timer)
{
    struct reactor *reactor = context;
    uint64_t start = clock_ticks();
    int64_t wait_ms = keyspace_work(reactor->keyspace);
    timers_link(reactor->timers, timer, wait_ms < 0 ? INT64_MAX : reactor->now_ms + wait_ms);
    reactor->loop->unpublished = true;
    records_note(reactor->records, LATENCY_EXPIRE_CYCLE,
                 (int64_t)(clock_ticks_to_ns(clock_ticks() - start) / 1000));
}

static void look_for_idle(void *context, struct timer *timer)
{
    struct reactor *reactor = context;
    conns_close_idle(reactor->conns, (int64_t)reactor->settings->timeout_s * 1000);
    timers_link(reactor->timers, timer, reactor->now_ms + IDLE_LOOK_MS);
}

void due_init(struct reactor *reactor)
{
    timer_init(&reactor->loop->work, background_work);
    timer_init(&reactor->loop->idle_look, look_for_idle);
}

void due_use_settings(struct reactor *reactor)
{
    timers_link(reactor->timers, &reactor->loop->idle_look,
                reactor->settings->timeout_s > 0 ? reactor->now_ms : INT64_MAX);
}

void due_work_by(struct reactor *reactor, int64_t ms)
{
    struct timer *work = &reactor->loop->work;
    if (unlikely(ms < timer_at_ms(work)))
        timers_link(reactor->timers, work, ms);
}

void due_run(struct reactor *reactor)
{
    sample(reactor);
    timers_run(reactor->timers, reactor->now_ms);
}

int64_t due_wait_ns(const struct reactor *reactor)
{
    int64_t until_ms = timers_next_ms(reactor->timers);
    if (until_ms == INT64_MAX)
        return -1;
    int64_t ms = until_ms - clock_now_ms();
    return ms > 0 ? ms * 1000000 : 0;
}
