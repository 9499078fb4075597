/*
 * due.c - what a reactor does by the clock: background work, idle and lingering connections, rates,
 * and the figures that other threads read.
 */
#include "shoal/server/due.h"

#include "shoal/base/clock.h"
#include "shoal/server/pressure.h"
#include "shoal/server/reactor.h"
#include "shoal/server/server.h"

enum {
    TICK_MS = 1000,
    SAMPLE_MS = 1000,
    LINGER_CHECK_MS = 10,
};

/* ---- figures ------------------------------------------------------------- */

static void sample(struct reactor *reactor)
{
    struct reactor_stats *stats = reactor->stats;
    int64_t passed_ms = reactor->now_ms - reactor->sampled_ms;
    if (passed_ms < SAMPLE_MS)
        return;
    uint64_t commands = counter_get(&stats->commands);
    uint64_t in = counter_get(&stats->bytes_in), out = counter_get(&stats->bytes_out);
    uint64_t ms = (uint64_t)passed_ms;
    counter_set(&stats->ops_per_sec, (commands - reactor->sampled_commands) * 1000 / ms);
    counter_set(&stats->bytes_in_per_sec, (in - reactor->sampled_in) * 1000 / ms);
    counter_set(&stats->bytes_out_per_sec, (out - reactor->sampled_out) * 1000 / ms);
    counter_set(&stats->sampled_ms, (uint64_t)reactor->now_ms);
    reactor->sampled_ms = reactor->now_ms;
    reactor->sampled_commands = commands;
    reactor->sampled_in = in;
    reactor->sampled_out = out;
}

void due_publish(struct reactor *reactor)
{
    struct reactor_stats *stats = reactor->stats;
    keyspace_publish(reactor->keyspace);
    pressure_publish(reactor);
    counter_set(&stats->buffer_bytes, reactor->buffers.request_bytes + reactor->chunks.slab_bytes +
                                          counter_get(&stats->reply_bytes) +
                                          reactor->conn_count * sizeof(struct conn) +
                                          reactor->request_count * sizeof(struct request));
    counter_set(&stats->turns, reactor->ring->turns);
}

void due_note_activity(struct reactor *reactor, bool quiet)
{
    if (!quiet) {
        reactor->unpublished = true;
        if (reactor->next_work_ms == INT64_MAX)
            reactor->next_work_ms = reactor->now_ms + WORK_INTERVAL_MAX_MS;
    }
    if (reactor->unpublished && (quiet || reactor->now_ms != reactor->published_ms)) {
        reactor->unpublished = false;
        reactor->published_ms = reactor->now_ms;
        due_publish(reactor);
    }
}

/* ---- by the clock -------------------------------------------------------- */

static void idle_close(struct reactor *reactor)
{
    int64_t limit_ms = (int64_t)reactor->settings->timeout_s * 1000;
    for (struct conn *conn = reactor->conns; conn != NULL; conn = conn->next) {
        if (conn->unanswered.first != NULL || conn_is_waiting(conn) ||
            reactor->now_ms - conn->active_ms <= limit_ms)
            continue;
        counter_add(&reactor->stats->idle_closed, 1);
        conn_kill(conn);
    }
}

static void linger_check(struct reactor *reactor)
{
    for (struct conn *conn = reactor->conns; conn != NULL; conn = conn->next)
        conn_linger_check(conn);
    reactor->next_linger_ms = reactor->now_ms + LINGER_CHECK_MS;
}

static void background_work(struct reactor *reactor)
{
    uint64_t start = clock_ticks();
    int64_t wait_ms = keyspace_work(reactor->keyspace);
    reactor->next_work_ms = wait_ms < 0 ? INT64_MAX : reactor->now_ms + wait_ms;
    reactor->unpublished = true;
    reactor_note_latency(reactor, LATENCY_EXPIRE_CYCLE,
                         (int64_t)(clock_ticks_to_ns(clock_ticks() - start) / 1000));
}

void due_run(struct reactor *reactor)
{
    int64_t now = reactor->now_ms;
    sample(reactor);
    if (reactor->pause.until_ms != 0 && now >= reactor->pause.until_ms)
        reactor->pause.until_ms = 0;
    if (now >= reactor->next_work_ms)
        background_work(reactor);
    if (now >= reactor->next_tick_ms) {
        if (reactor->settings->timeout_s > 0)
            idle_close(reactor);
        reactor->next_tick_ms = reactor->settings->timeout_s > 0 ? now + TICK_MS : INT64_MAX;
    }
    if (reactor->lingering > 0 && now >= reactor->next_linger_ms)
        linger_check(reactor);
    if (reactor->id == SEQUENCER)
        server_tick(reactor->server);
}

int64_t due_wait_ns(const struct reactor *reactor)
{
    int64_t until = reactor->next_work_ms;
    if (reactor->next_tick_ms < until)
        until = reactor->next_tick_ms;
    if (reactor->pause.until_ms != 0 && reactor->pause.until_ms < until)
        until = reactor->pause.until_ms;
    if (reactor->lingering > 0 && reactor->next_linger_ms < until)
        until = reactor->next_linger_ms;
    if (pressure_next_ms(reactor) < until)
        until = pressure_next_ms(reactor);
    if (reactor->id == SEQUENCER && server_next_ms(reactor->server) < until)
        until = server_next_ms(reactor->server);
    if (until == INT64_MAX)
        return -1;
    int64_t ms = until - clock_now_ms();
    return ms > 0 ? ms * 1000000 : 0;
}
