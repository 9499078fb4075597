/*
 * due.c - what a reactor does by the clock: background work, idle and lingering connections, rates,
 * and the figures that other threads read.
 */
#include "shoal/server/due.h"

#include "shoal/base/clock.h"
#include "shoal/conn/backpressure.h"
#include "shoal/conn/conns.h"
#include "shoal/net/ring.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/router.h"
#include "shoal/server/loop.h"
#include "shoal/server/server.h"
#include "shoal/stats/records.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    TICK_MS = 1000,
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
    backpressure_publish(reactor);
    counter_set(&stats->buffer_bytes, conns_bytes(reactor->conns));
    counter_set(&stats->turns, reactor->ring->turns);
    counter_set(&stats->ring_overflows, reactor->ring->overflows);
}

void due_note_activity(struct reactor *reactor, bool quiet)
{
    struct loop *loop = reactor->loop;
    if (!quiet) {
        loop->unpublished = true;
        if (loop->next_work_ms == INT64_MAX)
            loop->next_work_ms = reactor->now_ms + WORK_INTERVAL_MAX_MS;
    }
    if (loop->unpublished && (quiet || reactor->now_ms != loop->published_ms)) {
        loop->unpublished = false;
        loop->published_ms = reactor->now_ms;
        due_publish(reactor);
    }
}

/* ---- by the clock -------------------------------------------------------- */

static void background_work(struct reactor *reactor)
{
    struct loop *loop = reactor->loop;
    uint64_t start = clock_ticks();
    int64_t wait_ms = keyspace_work(reactor->keyspace);
    loop->next_work_ms = wait_ms < 0 ? INT64_MAX : reactor->now_ms + wait_ms;
    loop->unpublished = true;
    records_note(reactor->records, LATENCY_EXPIRE_CYCLE,
                 (int64_t)(clock_ticks_to_ns(clock_ticks() - start) / 1000));
}

void due_work_by(struct reactor *reactor, int64_t ms)
{
    if (unlikely(ms < reactor->loop->next_work_ms))
        reactor->loop->next_work_ms = ms;
}

void due_run(struct reactor *reactor)
{
    struct loop *loop = reactor->loop;
    int64_t now = reactor->now_ms;
    sample(reactor);
    if (reactor->router->pause.until_ms != 0 && now >= reactor->router->pause.until_ms)
        reactor->router->pause.until_ms = 0;
    if (now >= loop->next_work_ms)
        background_work(reactor);
    if (now >= loop->next_tick_ms) {
        if (reactor->settings->timeout_s > 0)
            conns_close_idle(reactor->conns, (int64_t)reactor->settings->timeout_s * 1000);
        loop->next_tick_ms = reactor->settings->timeout_s > 0 ? now + TICK_MS : INT64_MAX;
    }
    if (unlikely(reactor->conns->lingering > 0))
        conns_check_lingering(reactor->conns);
    if (reactor->id == SEQUENCER)
        server_tick(reactor->server);
}

int64_t due_wait_ns(const struct reactor *reactor)
{
    const struct loop *loop = reactor->loop;
    int64_t until = loop->next_work_ms;
    if (loop->next_tick_ms < until)
        until = loop->next_tick_ms;
    if (reactor->router->pause.until_ms != 0 && reactor->router->pause.until_ms < until)
        until = reactor->router->pause.until_ms;
    if (conns_next_ms(reactor->conns) < until)
        until = conns_next_ms(reactor->conns);
    if (backpressure_next_ms(reactor) < until)
        until = backpressure_next_ms(reactor);
    if (reactor->id == SEQUENCER && server_next_ms(reactor->server) < until)
        until = server_next_ms(reactor->server);
    if (until == INT64_MAX)
        return -1;
    int64_t ms = until - clock_now_ms();
    return ms > 0 ? ms * 1000000 : 0;
}
