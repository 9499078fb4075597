/*
 * backpressure.c - back-pressure on connections when their buffers have used up their budget.
 */
#include "shoal/conn/backpressure.h"

#include "shoal/base/container_of.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

enum {
    PENDING_MIN = BOUND(4096, 16), /* a last piece may be less: it will be read all the same */
    RELIEVE_MS = 10,
    WHOLE_LOOKS = 1024, /* connections in line that are asked for, every RELIEVE_MS: 0.3 ms */
    LOOK_MS = 1000,
    PORTION_ALL_MS = 1000
};

/* Of replies that are not sent yet. Those in chunks of the pool are not among them: it is
 * bounded. */
static uint64_t reply_bytes(const struct reactor *reactor)
{
    return reactor->conns->budget.reply_bytes + reactor->conns->chunks.loose_bytes +
           arena_lingering(reactor->keyspace->arena);
}

static struct buffer_sums *sums_of(const struct reactor *reactor)
{
    return &reactor->peer[SEQUENCER]->conns->backpressure.sums;
}

void backpressure_publish(struct reactor *reactor)
{
    const struct budget *budget = &reactor->conns->budget;
    struct reactor_stats *stats = reactor->stats;
    struct backpressure *backpressure = &reactor->conns->backpressure;
    counter_set(&stats->request_bytes, budget->taken[BUDGET_PART]);
    counter_set(&stats->reply_bytes, reply_bytes(reactor));
    total_set_part(&sums_of(reactor)->requests, &backpressure->request_part,
                   budget->taken[BUDGET_PART]);
    total_set_part(&sums_of(reactor)->replies, &backpressure->reply_part, reply_bytes(reactor));
    counter_set(&stats->buffers_waiting, budget->waiting);
}

/* The turn that it causes is all that is wanted: backpressure_relieve() is part of each. */
static void look_again(void *context, struct timer *timer)
{
    (void)context;
    (void)timer;
}

void backpressure_init(struct backpressure *backpressure)
{
    timer_init(&backpressure->relief, look_again);
}

/* ---- the reactor's part -------------------------------------------------- */

static struct backpressure_limits limits_at(enum budget_level level)
{
    static const struct backpressure_limits limits[BUDGET_LEVELS] = {
        [BUDGET_EASY] = { CONN_REQUESTS_MAX, CONN_OUT_SOFT },
        [BUDGET_TIGHT] = { BOUND(64, 2), BOUND(64 * 1024, 1024) },
        [BUDGET_FULL] = { BOUND(4, 1), BOUND(4 * 1024, 256) },
    };
    return limits[level];
}

static void set_level(struct reactor *reactor, uint64_t limit)
{
    uint64_t all = reactor->conns->backpressure.others_bytes + reply_bytes(reactor);
    enum budget_level level = budget_level(limit, all);
    reactor->conns->budget.level = level;
    reactor->conns->backpressure.limits = limits_at(level);
}

void backpressure_grown(struct chunk_pool *pool)
{
    struct reactor *reactor = container_of(pool, struct conns, chunks)->reactor;
    set_level(reactor, settings_buffers_limit(reactor->settings));
}

void backpressure_renew(struct reactor *reactor)
{
    struct backpressure *backpressure = &reactor->conns->backpressure;
    struct budget *budget = &reactor->conns->budget;
    if (backpressure->renewed_ms == reactor->now_ms)
        return;
    backpressure->renewed_ms = reactor->now_ms;
    backpressure_publish(reactor);
    uint64_t limit = settings_buffers_limit(reactor->settings);
    uint64_t requests = total_get(&sums_of(reactor)->requests);
    uint64_t replies = total_get(&sums_of(reactor)->replies);
    budget->part_bytes = budget_part(limit, reactor->count, backpressure->request_part, requests);
    backpressure->others_bytes = replies - backpressure->reply_part;
    set_level(reactor, limit);
    backpressure->over = budget->taken[BUDGET_PART] > budget->part_bytes;
}

/* ---- waiting for room ---------------------------------------------------- */

static struct conn *conn_of(struct reservation *claim)
{
    return container_of(claim, struct conn, claim);
}

bool backpressure_reserve(struct conn *conn, size_t total)
{
    struct reactor *reactor = conn->reactor;
    if (conn_is_waiting(conn))
        return false;
    uint64_t has = input_bytes(conn->input);
    if (budget_reserve(&reactor->conns->budget, &conn->claim, has, total)) {
        input_follow(conn);
        return true;
    }
    conn->flags |= CONN_RECV_PAUSED;
    conn->pending = 0;
    counter_add(&reactor->stats->buffer_waits, 1);
    ring_cancel(reactor->ring, &conn->recv);
    return false;
}

static void go_on(struct conn *conn)
{
    conn->active_ms = conn->reactor->now_ms; /* it was not its idleness */
    input_follow(conn);
    conn_recv_again(conn);
}

/* A connection that has nothing more to read gets no reservation: room would lie idle. It is read,
 * and queues again when data arrives. */
static uint32_t let_in_fitting(struct reactor *reactor)
{
    struct budget *budget = &reactor->conns->budget;
    struct reservation *claim;
    uint32_t count = 0;
    while ((claim = budget_next(budget)) != NULL) {
        struct conn *conn = conn_of(claim);
        if (ring_unread(conn->reactor->ring, conn->fd) < PENDING_MIN)
            budget_cancel(budget, claim);
        go_on(conn);
        count++;
    }
    return count;
}

/* Requests that need their room for a moment only, wherever they are in line. */
static uint32_t let_in_whole(struct reactor *reactor)
{
    struct budget *budget = &reactor->conns->budget;
    uint32_t looks = min(budget->waiting, (uint32_t)WHOLE_LOOKS), count = 0;
    for (uint32_t i = 0; i < looks && budget->waiting > 0; i++) {
        struct reservation *claim = budget_look(budget);
        struct conn *conn = conn_of(claim);
        size_t total = input_whole(conn);
        if (total > 0 && budget_let_in(budget, claim, input_bytes(conn->input), total)) {
            go_on(conn);
            count++;
        }
    }
    return count;
}

bool backpressure_queue(struct conn *conn, size_t more)
{
    struct reactor *reactor = conn->reactor;
    size_t had = conn->queued_bytes;
    struct budget *budget = &reactor->conns->budget;
    uint64_t queued = reactor->conns->backpressure.queued_bytes + more;
    if (had + more > BUDGET_FREE_BYTES && queued > budget->part_bytes / 2)
        return false;
    reactor->conns->backpressure.queued_bytes += more;
    state_set(reactor, STATE_QUEUED, reactor->conns->backpressure.queued_bytes);
    budget_allocated(budget, BUDGET_PART, more);
    conn->queued_bytes += more;
    return true;
}

void backpressure_unqueue(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    size_t bytes = conn->queued_bytes;
    conn->queued_bytes = 0;
    must(bytes <= reactor->conns->backpressure.queued_bytes);
    reactor->conns->backpressure.queued_bytes -= bytes;
    state_set(reactor, STATE_QUEUED, reactor->conns->backpressure.queued_bytes);
    budget_freed(&reactor->conns->budget, BUDGET_PART, bytes);
}

/* ---- connections that stall others --------------------------------------- */

/* What it holds of those halves of the budget that others wait for. */
static uint64_t held_requests(const struct conn *conn)
{
    if (conn->reactor->conns->budget.waiting == 0)
        return 0;
    return input_bytes(conn->input) + conn->claim.promised + conn->queued_bytes;
}

static uint64_t held_replies(const struct conn *conn)
{
    return conn->reactor->conns->budget.level == BUDGET_FULL ? conn->out.bytes : 0;
}

int64_t backpressure_stall_ms(uint64_t requests, int64_t waited_ms)
{
    if (requests < BACKPRESSURE_HELD_BYTES)
        return BACKPRESSURE_STALL_MS;
    int64_t left_ms = 2 * BACKPRESSURE_STALL_MS - waited_ms;
    if (left_ms > BACKPRESSURE_STALL_MS)
        return BACKPRESSURE_STALL_MS;
    return left_ms > BACKPRESSURE_STALL_MIN_MS ? left_ms : BACKPRESSURE_STALL_MIN_MS;
}

/* Of the first in line: since it waits, it has not been active. */
static int64_t waited_ms(const struct reactor *reactor)
{
    struct reservation *first = reactor->conns->budget.first;
    return first != NULL ? reactor->now_ms - conn_of(first)->active_ms : 0;
}

/* What its client has sent and taken. The kernel says more than our sends do: several megabytes may
 * lie in a socket that has been sent to, and a third of them goes before it wants more. */
static uint64_t moved_bytes(const struct conn *conn)
{
    uint64_t out;
    if ((conn->flags & CONN_UNIX) || !ring_acked(conn->reactor->ring, conn->fd, &out))
        out = conn->bytes_out;
    return conn->bytes_in + out;
}

static bool is_stuck(struct conn *conn, int64_t line_waited_ms)
{
    int64_t now_ms = conn->reactor->now_ms;
    uint64_t requests = held_requests(conn);
    if (conn_is_waiting(conn) || conn->flags & (CONN_NO_EVICT | CONN_DEAD) ||
        requests + held_replies(conn) < BACKPRESSURE_HELD_BYTES) {
        conn->moved_ms = now_ms;
        return false;
    }
    int64_t patience_ms = backpressure_stall_ms(requests, line_waited_ms);
    uint64_t enough = (uint64_t)(BACKPRESSURE_MOVED_BYTES * patience_ms / BACKPRESSURE_STALL_MS);
    uint64_t moved = moved_bytes(conn);
    if (moved - conn->moved >= enough) {
        conn->moved = moved;
        conn->moved_ms = now_ms;
        return false;
    }
    return now_ms - conn->moved_ms >= patience_ms;
}

/* A client that has stopped keeps what has been allocated, and not the room for the rest: it queues
 * again when more arrives. The request beside the part keeps it, for it takes none of the others'. */
static void take_back(struct conn *conn)
{
    struct budget *budget = &conn->reactor->conns->budget;
    if (budget->waiting > 0 && conn->claim.promised > 0 && conn->claim.share == BUDGET_PART &&
        !conn_is_waiting(conn) && conn->reactor->now_ms - conn->active_ms >= LOOK_MS)
        budget_cancel(budget, &conn->claim);
}

/* Every stall time-out begins anew after a time without pressure. */
static void look(struct reactor *reactor)
{
    int64_t now_ms = reactor->now_ms;
    bool anew = now_ms - reactor->conns->backpressure.looked_ms > 2 * LOOK_MS;
    int64_t line_waited_ms = waited_ms(reactor);
    uint32_t closed = 0;
    reactor->conns->backpressure.looked_ms = now_ms;
    for (struct conn *conn = reactor->conns->first;
         conn != NULL && closed < BACKPRESSURE_CLOSED_MAX; conn = conn->next) {
        if (anew)
            conn->moved_ms = now_ms;
        take_back(conn);
        if (!is_stuck(conn, line_waited_ms))
            continue;
        counter_add(&reactor->stats->buffers_closed, 1);
        conn_kill(conn);
        closed++;
    }
}

static bool is_pressed(const struct reactor *reactor)
{
    return reactor->conns->budget.waiting > 0 || reactor->conns->budget.level != BUDGET_EASY ||
           reactor->conns->backpressure.over;
}

/* The budget is exceeded only by data that has already been received. All connections are switched
 * to small receives, so that less arrives unannounced. */
static void portion_all(struct reactor *reactor)
{
    reactor->conns->backpressure.portioned_ms = reactor->now_ms;
    for (struct conn *conn = reactor->conns->first; conn != NULL; conn = conn->next)
        conn_be_bulky(conn);
}

uint32_t backpressure_relieve(struct reactor *reactor)
{
    if (likely(!is_pressed(reactor)))
        return 0;
    timers_link(reactor->timers, &reactor->conns->backpressure.relief,
                reactor->now_ms + RELIEVE_MS);
    uint32_t count = let_in_fitting(reactor);
    if (reactor->now_ms - reactor->conns->backpressure.relieved_ms >= RELIEVE_MS) {
        reactor->conns->backpressure.relieved_ms = reactor->now_ms;
        count += let_in_whole(reactor);
    }
    if (reactor->conns->backpressure.over &&
        reactor->now_ms - reactor->conns->backpressure.portioned_ms >= PORTION_ALL_MS)
        portion_all(reactor);
    if (reactor->now_ms - reactor->conns->backpressure.looked_ms >= LOOK_MS)
        look(reactor);
    return count;
}
