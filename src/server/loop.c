/*
 * loop.c - one turn after another: completions, commands of others, their answers, replies, sleep.
 */
#include "shoal/server/loop.h"

#include "shoal/base/clock.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/request.h"
#include "shoal/mesh/call.h"
#include "shoal/mesh/mesh.h"
#include "shoal/net/ring.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/server/due.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/stats.h"

enum {
    RETRY_ROUNDS = 4, /* times a turn tries stalled connections again before it goes on */
    BACKLOG_WAIT_NS = 20 * 1000,
};

/* ---- parts of a turn ----------------------------------------------------- */

/* Asked several times a turn, mostly with nothing gathered. */
static inline void run_gathered(struct reactor *reactor)
{
    if (batcher_waits(&reactor->shard->batcher))
        batcher_run(reactor);
}

static uint32_t requests_drain(struct reactor *reactor)
{
    uint32_t count = 0;
    struct message *message;
    while ((message = mesh_next_request(reactor->port)) != NULL) {
        count++;
        if (likely(message->kind == MESSAGE_COMMAND)) {
            batcher_add(reactor, request_of(message));
        } else if (message->kind == MESSAGE_PUSH) {
            if (mesh_push_arrived(reactor->port, message))
                message->run(reactor, message);
        } else {
            run_gathered(reactor); /* a source's messages run in order */
            message->run(reactor, message);
        }
    }
    run_gathered(reactor);
    return count;
}

/* Responses, and the pushes that must not come before them. */
static uint32_t responses_drain(struct reactor *reactor)
{
    uint32_t count = 0;
    struct message *message;
    while ((message = mesh_next_response(reactor->port)) != NULL) {
        count++;
        if (likely(message->kind == MESSAGE_COMMAND))
            answer_arrived(request_of(message));
        else
            message->done(reactor, message);
    }
    for (; (message = mesh_next_push(reactor->port)) != NULL; count++)
        message->run(reactor, message);
    return count;
}

static void wake(void *context, uint32_t to)
{
    struct reactor *reactor = context;
    counter_add(&reactor->stats->wakeups, 1);
    ring_wake(reactor->ring, reactor->peer[to]->ring);
}

/* Everything but I/O. Returns how much was done. */
static uint32_t work(struct reactor *reactor)
{
    struct conns *conns = reactor->conns;
    uint32_t done = requests_drain(reactor);
    done += responses_drain(reactor);
    done += call_finish_own(reactor);
    mesh_release(reactor->port);
    for (int i = 0; i < RETRY_ROUNDS && conns->stalled_first != NULL; i++) {
        uint32_t moved = conns_retry(conns);
        run_gathered(reactor);
        moved += call_finish_own(reactor);
        done += moved;
        if (moved == 0)
            break;
    }
    if (unlikely(conns->starved.first != NULL))
        conns_feed(conns);
    done += backpressure_relieve(reactor);
    due_run(reactor);
    return done;
}

/* Submits, and blocks until there is something to do if all agree that there is nothing. */
static void submit_and_wait(struct reactor *reactor, bool idle)
{
    int64_t wait = idle ? due_wait_ns(reactor) : 0;
    if (wait != 0 && reactor->conns->hold_until_ns != 0) {
        int64_t hold = (int64_t)(reactor->conns->hold_until_ns - clock_mono_ns());
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

/* To be asked every turn: it notes when there was work. */
static bool polls_on(struct reactor *reactor, bool did_something)
{
    uint64_t budget_ns = (uint64_t)reactor->settings->busy_poll_us * 1000;
    uint64_t now = clock_mono_ns();
    if (did_something)
        reactor->loop->busy_since_ns = now;
    return now - reactor->loop->busy_since_ns < budget_ns;
}

/* ---- the loop ------------------------------------------------------------ */

void loop_turn(struct reactor *reactor)
{
    submit_and_wait(reactor, reactor->loop->idle);
    reactor->now_ms = clock_now_ms(); /* after the wait, before anything that asks for it */
    reactor->keyspace->now_ms = reactor->now_ms;
    due_work_by(reactor, memory_share_renew(reactor));
    backpressure_renew(reactor);
    uint32_t completions = ring_reap(reactor->ring);
    run_gathered(reactor);
    uint32_t done = work(reactor);
    bool quiet = completions + done == 0;
    if (reactor->conns->flush_first != NULL)
        conns_flush(reactor->conns);
    if (unlikely(reactor->conns->reaping_first != NULL))
        conns_reap(reactor->conns);
    due_note_activity(reactor, quiet);
    bool published = mesh_publish(reactor->port, wake, reactor);
    bool polls = unlikely(reactor->settings->busy_poll_us > 0) && polls_on(reactor, !quiet);
    reactor->loop->idle = quiet && !published && !call_own_waits(reactor) && !polls;
}

void loop_run(struct reactor *reactor)
{
    while (!reactor->loop->stopped)
        loop_turn(reactor);
    mesh_publish(reactor->port, wake, reactor);
    ring_turn(reactor->ring, 0);
}

static void wake_nobody(void *context, uint32_t to)
{
    (void)context;
    (void)to;
}

bool loop_finish(struct reactor *reactor)
{
    uint32_t done = requests_drain(reactor);
    done += responses_drain(reactor);
    done += call_finish_own(reactor);
    mesh_release(reactor->port);
    return mesh_publish(reactor->port, wake_nobody, NULL) || done > 0;
}
