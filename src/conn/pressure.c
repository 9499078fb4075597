/*
 * pressure.c - back-pressure on connections when their buffers have used up their budget.
 */
#include "shoal/conn/pressure.h"

#include "shoal/base/container_of.h"
#include "shoal/base/must.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <sys/ioctl.h>

enum {
    PENDING_MIN = BOUND(4096, 16), /* a last piece may be less: it will be read all the same */
    RELIEVE_MS = 10,
    LOOK_MS = 1000,
    PORTION_ALL_MS = 1000
};

/* Of replies that are not sent yet. Those in chunks of the pool are not among them: it is bounded. */
static uint64_t reply_bytes(const struct reactor *reactor)
{
    return reactor->conns->buffers.reply_bytes + reactor->conns->chunks.loose_bytes +
           arena_lingering(reactor->keyspace->arena);
}

void pressure_publish(struct reactor *reactor)
{
    const struct buffers *buffers = &reactor->conns->buffers;
    struct reactor_stats *stats = reactor->stats;
    counter_set(&stats->request_bytes, buffers_taken(buffers));
    counter_set(&stats->reply_bytes, reply_bytes(reactor));
    counter_set(&stats->buffers_waiting, buffers->waiting);
}

/* ---- the reactor's part -------------------------------------------------- */

static struct pressure_limits limits_at(enum buffers_level level)
{
    static const struct pressure_limits limits[BUFFERS_LEVELS] = {
        [BUFFERS_EASY] = { CONN_REQUESTS_MAX, CONN_OUT_SOFT },
        [BUFFERS_TIGHT] = { BOUND(64, 2), BOUND(64 * 1024, 1024) },
        [BUFFERS_FULL] = { BOUND(4, 1), BOUND(4 * 1024, 256) },
    };
    return limits[level];
}

static void set_level(struct reactor *reactor, uint64_t limit)
{
    uint64_t all = reactor->conns->pressure.others_bytes + reply_bytes(reactor);
    enum buffers_level level = buffers_level(limit, all);
    reactor->conns->buffers.level = level;
    reactor->conns->pressure.limits = limits_at(level);
}

void pressure_grown(struct chunk_pool *pool)
{
    struct reactor *reactor = container_of(pool, struct conns, chunks)->reactor;
    set_level(reactor, settings_buffers_limit(reactor->settings));
}

void pressure_renew(struct reactor *reactor)
{
    struct pressure *pressure = &reactor->conns->pressure;
    struct buffers *buffers = &reactor->conns->buffers;
    if (pressure->renewed_ms == reactor->now_ms)
        return;
    pressure->renewed_ms = reactor->now_ms;
    pressure_publish(reactor);
    uint64_t limit = settings_buffers_limit(reactor->settings);
    uint64_t own = counter_get(&reactor->stats->request_bytes);
    uint64_t requests = 0, replies = 0;
    for (uint32_t i = 0; i < reactor->count; i++) {
        const struct reactor_stats *stats = reactor->peer[i]->stats;
        requests += counter_get(&stats->request_bytes);
        replies += counter_get(&stats->reply_bytes);
    }
    buffers->part_bytes = buffers_part(limit, reactor->count, own, requests);
    pressure->others_bytes = replies - counter_get(&reactor->stats->reply_bytes);
    set_level(reactor, limit);
    pressure->over = buffers_taken(buffers) > buffers->part_bytes;
}

/* ---- waiting for room ---------------------------------------------------- */

static struct conn *conn_of(struct reservation *claim)
{
    return container_of(claim, struct conn, claim);
}

bool pressure_reserve(struct conn *conn, size_t total)
{
    struct reactor *reactor = conn->reactor;
    if (conn_is_waiting(conn))
        return false;
    if (buffers_reserve(&reactor->conns->buffers, &conn->claim, total))
        return true;
    conn->flags |= CONN_RECV_PAUSED;
    counter_add(&reactor->stats->buffer_waits, 1);
    ring_cancel(reactor->ring, &conn->recv);
    return false;
}

/* It has sent more meanwhile: room would not lie idle. */
static bool can_use_room(const struct conn *conn)
{
    int pending = 0;
    return ioctl(conn->fd, FIONREAD, &pending) == 0 && pending >= PENDING_MIN;
}

/* Who cannot use the room yet is read like one that has not reserved anything: it lines up again
 * when more comes. */
static uint32_t go_on(struct reactor *reactor)
{
    struct reservation *claim;
    uint32_t count = 0;
    while ((claim = buffers_next(&reactor->conns->buffers)) != NULL) {
        struct conn *conn = conn_of(claim);
        if (!can_use_room(conn))
            buffers_waive(&reactor->conns->buffers, claim);
        conn->active_ms = reactor->now_ms; /* it was not its idleness */
        conn_recv_again(conn);
        count++;
    }
    return count;
}

bool pressure_queue(struct conn *conn, size_t more)
{
    struct reactor *reactor = conn->reactor;
    size_t had = conn->queued_bytes;
    struct buffers *buffers = &reactor->conns->buffers;
    uint64_t queued = reactor->conns->pressure.queued_bytes + more;
    if (had + more > BUFFERS_FREE_BYTES && queued > buffers->part_bytes / 2)
        return false;
    reactor->conns->pressure.queued_bytes += more;
    buffers->request_bytes += more;
    conn->queued_bytes += more;
    return true;
}

void pressure_unqueue(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    size_t bytes = conn->queued_bytes;
    conn->queued_bytes = 0;
    must(bytes <= reactor->conns->pressure.queued_bytes);
    reactor->conns->pressure.queued_bytes -= bytes;
    reactor->conns->buffers.request_bytes -= bytes;
}

/* ---- who is in the way --------------------------------------------------- */

/* What it holds of those halves of the budget that others wait for. */
static uint64_t held_requests(const struct conn *conn)
{
    if (conn->reactor->conns->buffers.waiting == 0)
        return 0;
    return conn->claim.allocated + conn->claim.promised + conn->queued_bytes;
}

static uint64_t held_replies(const struct conn *conn)
{
    return conn->reactor->conns->buffers.level == BUFFERS_FULL ? conn->out.bytes : 0;
}

int64_t pressure_patience_ms(uint64_t requests, int64_t waited_ms)
{
    if (requests < PRESSURE_HELD_BYTES)
        return PRESSURE_PATIENCE_MS;
    int64_t left_ms = 2 * PRESSURE_PATIENCE_MS - waited_ms;
    if (left_ms > PRESSURE_PATIENCE_MS)
        return PRESSURE_PATIENCE_MS;
    return left_ms > PRESSURE_PATIENCE_MIN_MS ? left_ms : PRESSURE_PATIENCE_MIN_MS;
}

/* Of the first in line: since it waits, it has not been active. */
static int64_t waited_ms(const struct reactor *reactor)
{
    struct reservation *first = reactor->conns->buffers.first;
    return first != NULL ? reactor->now_ms - conn_of(first)->active_ms : 0;
}

/* What its client has sent and taken. The kernel says more than our sends do: several megabytes may
 * lie in a socket that has been sent to, and a third of them goes before it wants more. */
static uint64_t moved_bytes(const struct conn *conn)
{
    uint64_t out;
    if ((conn->flags & CONN_UNIX) || !socket_acked_bytes(conn->fd, &out))
        out = conn->bytes_out;
    return conn->bytes_in + out;
}

static bool is_stuck(struct conn *conn, int64_t line_waited_ms)
{
    int64_t now_ms = conn->reactor->now_ms;
    uint64_t requests = held_requests(conn);
    if (conn_is_waiting(conn) || conn->flags & (CONN_NO_EVICT | CONN_DEAD) ||
        requests + held_replies(conn) < PRESSURE_HELD_BYTES) {
        conn->moved_ms = now_ms;
        return false;
    }
    int64_t patience_ms = pressure_patience_ms(requests, line_waited_ms);
    uint64_t enough = (uint64_t)(PRESSURE_MOVED_BYTES * patience_ms / PRESSURE_PATIENCE_MS);
    uint64_t moved = moved_bytes(conn);
    if (moved - conn->moved >= enough) {
        conn->moved = moved;
        conn->moved_ms = now_ms;
        return false;
    }
    return now_ms - conn->moved_ms >= patience_ms;
}

/* Everybody's patience begins anew when there was a time without pressure. */
static void look(struct reactor *reactor)
{
    int64_t now_ms = reactor->now_ms;
    bool anew = now_ms - reactor->conns->pressure.looked_ms > 2 * LOOK_MS;
    int64_t line_waited_ms = waited_ms(reactor);
    uint32_t closed = 0;
    reactor->conns->pressure.looked_ms = now_ms;
    for (struct conn *conn = reactor->conns->first; conn != NULL && closed < PRESSURE_CLOSED_MAX;
         conn = conn->next) {
        if (anew)
            conn->moved_ms = now_ms;
        if (!is_stuck(conn, line_waited_ms))
            continue;
        counter_add(&reactor->stats->buffers_closed, 1);
        conn_kill(conn);
        closed++;
    }
}

static bool is_pressed(const struct reactor *reactor)
{
    return reactor->conns->buffers.waiting > 0 || reactor->conns->buffers.level != BUFFERS_EASY ||
           reactor->conns->pressure.over;
}

/* Over the budget there can only be what has come before anybody could say no: less of that. */
static void portion_all(struct reactor *reactor)
{
    reactor->conns->pressure.portioned_ms = reactor->now_ms;
    for (struct conn *conn = reactor->conns->first; conn != NULL; conn = conn->next)
        conn_be_bulky(conn);
}

uint32_t pressure_relieve(struct reactor *reactor)
{
    if (likely(!is_pressed(reactor)))
        return 0;
    uint32_t count = go_on(reactor);
    if (reactor->conns->pressure.over &&
        reactor->now_ms - reactor->conns->pressure.portioned_ms >= PORTION_ALL_MS)
        portion_all(reactor);
    if (reactor->now_ms - reactor->conns->pressure.looked_ms >= LOOK_MS)
        look(reactor);
    return count;
}

int64_t pressure_next_ms(const struct reactor *reactor)
{
    return is_pressed(reactor) ? reactor->now_ms + RELIEVE_MS : INT64_MAX;
}
