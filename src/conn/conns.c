/*
 * conns.c - the lists that connections wait on, and what is done with each once a turn.
 */
#include "shoal/conn/conns.h"

#include "shoal/base/clock.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conn_ops.h"
#include "shoal/conn/request.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

enum {
    STARVED_PER_BUFFER = 4,    /* connections that are started again for each free buffer */
    HOLD_NS_MAX = 1000 * 1000, /* a reply waits no longer than this for one from another shard */
    LINGER_CHECK_MS = 10,
    BY_ID_MIN = 16,
};

static void look_at_lingering(void *context, struct timer *timer)
{
    const struct reactor *reactor = context;
    for (struct conn *conn = reactor->conns->first; conn != NULL; conn = conn->next)
        conn_linger_check(conn);
    if (reactor->conns->lingering > 0)
        timers_link(reactor->timers, timer, reactor->now_ms + LINGER_CHECK_MS);
}

void conns_init(struct conns *conns, struct reactor *reactor)
{
    conns->reactor = reactor;
    conns->chunks.grown = backpressure_grown;
    backpressure_init(&conns->backpressure);
    timer_init(&conns->linger_look, look_at_lingering);
    conns->next_id = reactor->id + 1;
    decoder_init(&conns->decoder);
}

void conns_fini(struct conns *conns)
{
    while (conns->requests.free != NULL) {
        struct request *request = conns->requests.free;
        conns->requests.free = request->next;
        free(request);
    }
    free(conns->by_id);
    chunk_pool_fini(&conns->chunks);
    decoder_reset(&conns->decoder);
}

void conns_use_settings(struct conns *conns)
{
    conns->limits = (struct decode_limits){
        .bulk_bytes_max = conns->reactor->settings->proto_max_bulk_len,
        .args_max = DECODE_ARGS_MAX,
    };
    conns->backpressure.renewed_ms = 0;
}

uint64_t conns_bytes(const struct conns *conns)
{
    return budget_request_bytes(&conns->budget) + conns->chunks.slab_bytes +
           counter_get(&conns->reactor->stats->reply_bytes) + conns->count * sizeof(struct conn) +
           conns->requests.count * sizeof(struct request);
}

/* ---- by id --------------------------------------------------------------- */

/* Ids of a reactor are so many apart as there are reactors: they fill the chains evenly. */
static uint32_t chain_of(const struct conns *conns, uint32_t size, uint64_t id)
{
    return (uint32_t)(id / conns->reactor->count) & (size - 1);
}

/* Without memory the chains become longer. */
static void by_id_grow(struct conns *conns)
{
    uint32_t size = conns->by_id_size > 0 ? conns->by_id_size * 2 : BY_ID_MIN;
    struct conn **chains = calloc(size, sizeof(struct conn *));
    if (chains == NULL)
        return;
    for (uint32_t i = 0; i < conns->by_id_size; i++) {
        for (struct conn *conn = conns->by_id[i], *next; conn != NULL; conn = next) {
            next = conn->next_by_id;
            struct conn **chain = &chains[chain_of(conns, size, conn->id)];
            conn->next_by_id = *chain;
            *chain = conn;
        }
    }
    free(conns->by_id);
    conns->by_id = chains;
    conns->by_id_size = size;
}

bool conns_enter(struct conns *conns, struct conn *conn)
{
    if (conns->count >= conns->by_id_size)
        by_id_grow(conns);
    if (conns->by_id == NULL)
        return false;
    struct conn **chain = &conns->by_id[chain_of(conns, conns->by_id_size, conn->id)];
    conn->next_by_id = *chain;
    *chain = conn;
    conn->next = conns->first;
    if (conn->next != NULL)
        conn->next->prev = conn;
    conns->first = conn;
    conns->count++;
    return true;
}

void conns_leave(struct conns *conns, struct conn *conn)
{
    struct conn **at = &conns->by_id[chain_of(conns, conns->by_id_size, conn->id)];
    while (*at != conn)
        at = &(*at)->next_by_id;
    *at = conn->next_by_id;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        conns->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    conns->count--;
}

struct conn *conn_by_id(struct reactor *reactor, uint64_t id)
{
    const struct conns *conns = reactor->conns;
    if (conns->by_id == NULL)
        return NULL;
    struct conn *conn = conns->by_id[chain_of(conns, conns->by_id_size, id)];
    while (conn != NULL && conn->id != id)
        conn = conn->next_by_id;
    return conn != NULL && !(conn->flags & CONN_DEAD) ? conn : NULL;
}

/* ---- once a turn --------------------------------------------------------- */

/* Connections that could not go on: those that can now, do. */
uint32_t conns_retry(struct conns *conns)
{
    struct conn *list = conns->stalled_first;
    uint32_t moved = 0;
    conns->stalled_first = NULL;
    while (list != NULL) {
        struct conn *conn = list;
        list = conn->next_stalled;
        conn->flags &= ~(uint32_t)CONN_STALLED;
        if (conn->flags & CONN_PARKED) {
            conn_recv_again(conn); /* it comes back when it is answered */
            continue;
        }
        if (conn->flags & CONN_HELD)
            conn_ops_resume(conn);
        enum conn_wait wait = conn_wait(conn);
        if (wait != CONN_GOES_ON && wait != CONN_WAIT_END) {
            conn_stall(conn);
            continue;
        }
        moved++;
        input_parse(conn);
        conn_recv_again(conn);
        if (conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
            conn_reap_later(conn);
    }
    return moved;
}

/* May this connection's replies wait for those behind them? */
static bool holds_back(struct conn *conn, uint64_t now_ns)
{
    if (conn->unanswered.first == NULL || conn->out.bytes >= CONN_HOLD_MAX ||
        conn->out.flying != NULL || conn->flags & (CONN_DEAD | CONN_HELD | CONN_PARKED))
        return false;
    if (conn->held_since_ns == 0)
        conn->held_since_ns = now_ns;
    return now_ns - conn->held_since_ns < HOLD_NS_MAX;
}

/*
 * Sends replies. Those of a pipeline that still waits for another shard are held back for a moment:
 * one send instead of two or three costs 15 to 25 % less CPU a request.
 */
void conns_flush(struct conns *conns)
{
    struct conn *list = conns->flush_first;
    uint64_t now_ns = conns->reactor->count > 1 && list != NULL ? clock_mono_ns() : 0;
    uint64_t oldest_ns = UINT64_MAX;
    conns->flush_first = NULL;
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
    conns->hold_until_ns = oldest_ns != UINT64_MAX ? oldest_ns + HOLD_NS_MAX : 0;
}

void conns_reap(struct conns *conns)
{
    while (conns->reaping_first != NULL) {
        struct conn *conn = conns->reaping_first;
        conns->reaping_first = conn->next_reaping;
        if (!conn_reap(conn)) /* still marked: it does not come back on the list meanwhile */
            conn->flags &= ~(uint32_t)CONN_REAPING;
    }
}

/* As many as the free buffers may serve: all at once would only end in -ENOBUFS again. */
void conns_feed(struct conns *conns)
{
    uint32_t share = ring_buffers_available(conns->reactor->ring) * STARVED_PER_BUFFER;
    while (conns->starved.first != NULL) {
        struct conn *conn = conns->starved.first;
        bool dead = conn->flags & CONN_DEAD;
        if (share == 0 && !dead)
            return;
        list_take(&conns->starved, next_starved);
        conn->flags &= ~(uint32_t)CONN_STARVED;
        if (dead) {
            conn_reap_later(conn);
        } else {
            conn->flags |= CONN_FED;
            conn_recv_again(conn);
            share--;
        }
    }
}

/* ---- by the clock -------------------------------------------------------- */

void conns_close_idle(struct conns *conns, int64_t limit_ms)
{
    int64_t now_ms = conns->reactor->now_ms;
    for (struct conn *conn = conns->first; conn != NULL; conn = conn->next) {
        if (conn->unanswered.first != NULL || conn_is_waiting(conn) ||
            conn->flags & CONN_SUBSCRIBED || now_ms - conn->active_ms <= limit_ms)
            continue;
        counter_add(&conns->reactor->stats->idle_closed, 1);
        conn_kill(conn);
    }
}

void conns_linger(struct conns *conns)
{
    const struct reactor *reactor = conns->reactor;
    if (conns->lingering++ == 0)
        timers_link(reactor->timers, &conns->linger_look, reactor->now_ms + LINGER_CHECK_MS);
}
