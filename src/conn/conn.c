/*
 * conn.c - a connection's life: opened, read, throttled, drained, closed.
 */
#include "shoal/conn/conn.h"

#include "shoal/base/container_of.h"
#include "shoal/base/log.h"
#include "shoal/conn/conn_ops.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/input.h"
#include "shoal/conn/parked.h"
#include "shoal/conn/push.h"
#include "shoal/mesh/mesh.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the lists a connection can be on ------------------------------------ */

void conn_flush_later(struct conn *conn)
{
    if (conn->flags & CONN_FLUSHING)
        return;
    conn->flags |= CONN_FLUSHING;
    conn->next_flush = conn->reactor->conns->flush_first;
    conn->reactor->conns->flush_first = conn;
}

void conn_stall(struct conn *conn)
{
    if (conn->flags & (CONN_STALLED | CONN_PARKED))
        return;
    conn->flags |= CONN_STALLED;
    conn->next_stalled = conn->reactor->conns->stalled_first;
    conn->reactor->conns->stalled_first = conn;
}

/*
 * It has found no buffer, or has had one while others found none. Its place is at the end; but at
 * the beginning if it has been let in and got nothing. Else a few clients that send without pause
 * could take all buffers each time before it.
 */
static void conn_starve(struct conn *conn)
{
    struct conns *conns = conn->reactor->conns;
    bool first = conn->flags & CONN_FED;
    if (conn->flags & CONN_STARVED)
        return;
    conn->flags &= ~(uint32_t)CONN_FED;
    conn->flags |= CONN_STARVED;
    if (first)
        list_add_first(&conns->starved, conn, next_starved);
    else
        list_add(&conns->starved, conn, next_starved);
}

void conn_reap_later(struct conn *conn)
{
    if (conn->flags & CONN_REAPING)
        return;
    conn->flags |= CONN_REAPING;
    conn->next_reaping = conn->reactor->conns->reaping_first;
    conn->reactor->conns->reaping_first = conn;
}

/* ---- open and close ------------------------------------------------------ */

/* Most often the client has reset it. */
static void fail(struct conn *conn, const char *what, int result)
{
    if (!(conn->flags & CONN_DEAD))
        log_write(LOG_DEBUG, "connection %lu: cannot %s: %s", (unsigned long)conn->id, what,
                  strerror(-result));
    conn_kill(conn);
}

/*
 * A receive of one buffer has ended. A connection with more to read queues for the next one where
 * buffers are short. A client that sends without pause takes all of them at once until it finds
 * none, and has one a turn from then on.
 */
static void receive_next(struct conn *conn)
{
    struct conns *conns = conn->reactor->conns;
    bool fed = conn->flags & CONN_FED;
    conn->flags &= ~(uint32_t)CONN_FED;
    if (conns->reactor->ring->turns - conns->starved_turn <= 1 ||
        (fed && ring_unread(conns->reactor->ring, conn->fd) > 0))
        conn_starve(conn);
    else
        conn_recv_again(conn);
}

/* No more comes of this receive, or nothing has. */
static void receive_ended(struct conn *conn, const struct io_event *event)
{
    if (event->result > 0) {
        if (event->data != NULL)
            receive_next(conn);
        else
            conn_recv_again(conn);
        if (conn->flags & (CONN_DEAD | CONN_CLOSING))
            conn_reap_later(conn); /* it may have waited for this */
        return;
    }
    if (event->result == -ENOBUFS) {
        conn_starve(conn);
        conn->reactor->conns->starved_turn = conn->reactor->ring->turns;
        counter_add(&conn->reactor->stats->starved, 1);
    } else if (event->result == 0) {
        conn->flags |= CONN_EOF;
    } else if (event->result == -ECANCELED) {
        conn_recv_again(conn); /* it may have caught up before the cancellation was through */
    } else {
        fail(conn, "receive", event->result);
    }
    conn_reap_later(conn);
}

static void received(struct io_op *op, const struct io_event *event)
{
    struct conn *conn = container_of(op, struct conn, recv);
    if (likely(event->result > 0)) {
        input_received(conn, event);
        if (likely(event->more))
            return;
    }
    receive_ended(conn, event);
}

/* The same where the bytes are the transport's. */
static void received_for_transport(struct io_op *op, const struct io_event *event)
{
    struct conn *conn = container_of(op, struct conn, recv);
    if (event->result > 0) {
        input_note(conn, (size_t)event->result);
        if (!(conn->flags & CONN_DEAD))
            conn->transport->kind->received(conn, conn->transport, event->data,
                                            (size_t)event->result);
        ring_buffer_release(conn->reactor->ring, event->buffer);
        if (event->more)
            return;
    }
    receive_ended(conn, event);
}

static inline void note_written(struct conn *conn, size_t size)
{
    conn->bytes_out += size;
    counter_add(&conn->reactor->stats->bytes_out, size);
    counter_add(&conn->reactor->stats->writes, 1);
}

static void sent(struct io_op *op, const struct io_event *event)
{
    struct conn *conn = container_of(op, struct conn, out.op);
    conn->out.flying = NULL;
    if (event->result > 0) {
        note_written(conn, (size_t)event->result);
        conn_sent(conn, (size_t)event->result);
    } else {
        conn_send_failed(conn, event->result);
    }
    if (unlikely(conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF)))
        conn_reap_later(conn);
}

static void sent_for_transport(struct io_op *op, const struct io_event *event)
{
    struct conn *conn = container_of(op, struct conn, out.op);
    if (event->result > 0)
        note_written(conn, (size_t)event->result);
    if (!(conn->flags & CONN_DEAD))
        conn->transport->kind->sent(conn, conn->transport, event->result);
    if (conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
        conn_reap_later(conn);
}

void conn_sent(struct conn *conn, size_t size)
{
    out_sent(&conn->out, conn->reactor, size);
    if (conn->out.bytes > 0)
        conn_flush_later(conn);
    else /* what comes later is not above a limit since then */
        conn->soft_limit_since_ms = conn->push_soft_limit_since_ms = 0;
}

void conn_send_failed(struct conn *conn, int result)
{
    fail(conn, "send", result);
}

void conn_use_transport(struct conn *conn, struct transport *transport)
{
    must(conn->bytes_in == 0 && conn->bytes_out == 0 && conn->transport == NULL);
    conn->transport = transport;
    conn->flags |= CONN_TRANSPORT;
    conn->recv.done = received_for_transport;
    conn->out.op.done = sent_for_transport;
}

void conn_open(struct reactor *reactor, int fd, bool unix_socket)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    if (conn != NULL)
        conn->id = reactor->conns->next_id;
    if (conn == NULL || !ring_keep(reactor->ring, fd) || !conns_enter(reactor->conns, conn)) {
        free(conn);
        ring_close(reactor->ring, fd);
        counter_add(&reactor->stats->connections_closed, 1);
        return;
    }
    reactor->conns->next_id += reactor->count;
    conn->reactor = reactor;
    conn->fd = fd;
    conn->recv.done = received;
    conn->out.op.done = sent;
    conn->created_ms = conn->active_ms = conn->moved_ms = reactor->now_ms;
    if (reactor->settings->requirepass[0] != '\0')
        conn->flags |= CONN_UNAUTHENTICATED;
    if (unix_socket)
        conn->flags |= CONN_UNIX;
    else
        socket_tune(fd, reactor->settings->tcp_keepalive_s);
    counter_add(&reactor->stats->connections_received, 1);
    counter_set(&reactor->stats->clients, reactor->conns->count);
    if (reactor->conns->backpressure.over)
        conn_be_bulky(conn);
    conn_recv_again(conn);
}

void conn_kill(struct conn *conn)
{
    if (conn->flags & CONN_DEAD)
        return;
    conn->flags |= CONN_DEAD | CONN_CLOSING;
    /* Ends the receive and the send in flight at once, and tells the peer; close() alone would do
     * neither. */
    ring_shutdown(conn->reactor->ring, conn->fd, SHUT_RDWR);
    ring_cancel(conn->reactor->ring, &conn->recv);
    ring_cancel(conn->reactor->ring, &conn->out.op);
    input_settle(conn);
    if (conn->flags & CONN_HELD)
        conn_stall(conn); /* its turn may never come; there it is dropped */
    conn_reap_later(conn);
}

void conn_close_later(struct conn *conn)
{
    conn->flags |= CONN_CLOSING;
    conn_reap_later(conn);
}

static void conn_free(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    must(!(conn->flags & (CONN_FLUSHING | CONN_STALLED | CONN_STARVED)));
    if (conn->linger_until_ms != 0)
        reactor->conns->lingering--;
    conns_leave(reactor->conns, conn);
    counter_set(&reactor->stats->clients, reactor->conns->count);
    counter_add(&reactor->stats->connections_closed, 1);
    if (conn->transport != NULL)
        conn->transport->kind->close(conn, conn->transport);
    out_clear(&conn->out, reactor);
    pushes_clear(conn);
    if (conn->input != NULL)
        input_release(&conn->input);
    if (conn->partial != NULL) {
        decoder_reset(conn->partial);
        free(conn->partial);
    }
    ring_close(reactor->ring, conn->fd);
    free(conn->name);
    free(conn->lib_name);
    free(conn->lib_version);
    free(conn);
}

/* Requests, or bytes that may still become some, are on their way to an answer. */
static bool has_work(const struct conn *conn)
{
    return conn->unanswered.first != NULL || conn->out.bytes > 0 ||
           (conn->flags & CONN_STALLED && !(conn->flags & CONN_CLOSING));
}

/*
 * The kernel throws away what it has not delivered yet when a connection is closed that has unread
 * requests, or gets more: the client would find the last reply torn. So the sending side is closed,
 * requests are read and dropped, and the rest waits until the client's side has everything.
 */
static bool lingers(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    if (conn->flags & (CONN_DEAD | CONN_EOF) || ring_unsent(reactor->ring, conn->fd) == 0)
        return false;
    if (conn->linger_until_ms == 0) {
        ring_shutdown(reactor->ring, conn->fd, SHUT_WR);
        conn->linger_until_ms = reactor->now_ms + CONN_LINGER_MS;
        conns_linger(reactor->conns);
        conn_recv_again(conn);
    }
    return reactor->now_ms < conn->linger_until_ms;
}

void conn_linger_check(struct conn *conn)
{
    if (conn->linger_until_ms != 0)
        conn_reap_later(conn);
}

bool conn_reap(struct conn *conn)
{
    if (unlikely(conn->flags & CONN_PARKED) && conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
        parked_cancel(conn);
    if (conn->flags & (CONN_CLOSING | CONN_EOF) && !has_work(conn) && !lingers(conn))
        conn_kill(conn);
    if (!(conn->flags & CONN_DEAD))
        return false;
    if (conn->unanswered.first == NULL) { /* not before: an EXEC under way works on it */
        if (conn->transaction != NULL)
            conn_ops_closed(conn);
        conn_detach_all(conn);
    }
    if (conn->flags & (CONN_FLUSHING | CONN_STALLED | CONN_STARVED) ||
        conn->unanswered.first != NULL || conn->recv.in_flight || conn->out.op.in_flight)
        return false; /* the last operation to end brings it here again */
    conn_free(conn);
    return true;
}

/* ---- flow control -------------------------------------------------------- */

/*
 * A multishot receive takes all that has arrived, half a megabyte at once, before anybody can say
 * that there is no room for more of this request.
 */
static void receive_portion(struct conn *conn)
{
    struct ring *ring = conn->reactor->ring;
    char *place;
    size_t size = input_window(conn, &place);
    if (size > 0)
        ring_recv_into(ring, &conn->recv, conn->fd, place, size);
    else
        ring_recv_once(ring, &conn->recv, conn->fd, CONN_PORTION);
}

void conn_be_bulky(struct conn *conn)
{
    conn->portions = 0;
    if (conn->flags & CONN_BULKY)
        return;
    if (conn->flags & (CONN_DEAD | CONN_TRANSPORT))
        return;
    conn->flags |= CONN_BULKY | CONN_RECV_PAUSED;
    socket_receive_little(conn->fd);
    ring_cancel(conn->reactor->ring, &conn->recv);
}

void conn_recv_again(struct conn *conn)
{
    if (conn->recv.in_flight || conn_is_waiting(conn) ||
        conn->flags & (CONN_DEAD | CONN_EOF | CONN_STALLED | CONN_STARVED) ||
        (conn->flags & CONN_CLOSING && conn->linger_until_ms == 0) ||
        (conn->flags & CONN_PARKED && input_waiting(conn) > CONN_INPUT_SOFT))
        return;
    conn->flags &= ~(uint32_t)CONN_RECV_PAUSED;
    if (unlikely(conn->flags & CONN_BULKY))
        receive_portion(conn);
    else if (unlikely(conn->flags & CONN_FED))
        ring_recv_once(conn->reactor->ring, &conn->recv, conn->fd, CONN_HELPING);
    else
        ring_recv(conn->reactor->ring, &conn->recv, conn->fd);
}

/* Unread replies stop the parsing at a limit; it goes on once half has been sent. */
static bool is_throttled(struct conn *conn)
{
    uint32_t most = conn->reactor->conns->backpressure.limits.out_bytes;
    if (likely(conn->out.bytes <= most / 2 || out_reply_bytes(&conn->out) <= most / 2)) {
        conn->throttled = false;
    } else if (out_reply_bytes(&conn->out) > most && !conn->throttled) {
        conn->throttled = true;
        counter_add(&conn->reactor->stats->throttled, 1);
    }
    return conn->throttled;
}

static enum conn_wait flagged_wait(const struct conn *conn)
{
    if (conn->flags & CONN_HELD)
        return CONN_WAIT_TURN;
    return conn->flags & (CONN_DEAD | CONN_CLOSING) ? CONN_WAIT_END : CONN_WAIT_PLAN;
}

void conn_wait_for_pushes(struct conn *conn, uint32_t reactor)
{
    conn->congested = (reactor + 1) | CONGESTED_BY_PUSHES;
}

static bool is_congested(const struct conn *conn)
{
    uint32_t reactor = (conn->congested & ~CONGESTED_BY_PUSHES) - 1;
    return conn->congested & CONGESTED_BY_PUSHES ? mesh_push_congested(conn->reactor->port, reactor)
                                                 : mesh_congested(conn->reactor->port, reactor);
}

enum conn_wait conn_wait(struct conn *conn)
{
    if (unlikely(conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_HELD | CONN_ALONE)))
        return flagged_wait(conn);
    if (unlikely(conn->congested != 0)) {
        if (is_congested(conn))
            return CONN_WAIT_QUEUE;
        conn->congested = 0;
    }
    if (conn->requests >= conn->reactor->conns->backpressure.limits.requests)
        return CONN_WAIT_ANSWERS;
    return is_throttled(conn) ? CONN_WAIT_READER : CONN_GOES_ON;
}

static bool is_over(const struct conn *conn, enum output_class class, size_t bytes,
                    int64_t *soft_since_ms)
{
    const struct output_limit *limit = &conn->reactor->settings->output_limit[class];
    int64_t now_ms = conn->reactor->now_ms;
    if (limit->hard_bytes > 0 && bytes > limit->hard_bytes)
        return true;
    if (limit->soft_bytes == 0 || bytes <= limit->soft_bytes)
        *soft_since_ms = 0;
    else if (*soft_since_ms == 0)
        *soft_since_ms = now_ms;
    else
        return now_ms - *soft_since_ms > (int64_t)limit->soft_seconds * 1000;
    return false;
}

/* Not inlined: most connections have no limit, and no push to send. */
static __attribute__((noinline)) bool check_output_limits(struct conn *conn)
{
    bool over =
        is_over(conn, OUTPUT_NORMAL, out_reply_bytes(&conn->out), &conn->soft_limit_since_ms);
    if (unlikely(conn->out.push_bytes + conn->push_bytes > 0) && !over)
        over = is_over(conn, OUTPUT_PUBSUB, conn->out.push_bytes + conn->push_bytes,
                       &conn->push_soft_limit_since_ms);
    if (over) {
        counter_add(&conn->reactor->stats->output_limit_closed, 1);
        conn_kill(conn);
    }
    return over;
}

/* Closes a client whose unread replies, or pushes, exceed client-output-buffer-limit. */
static inline bool over_output_limit(struct conn *conn)
{
    const struct output_limit *limit = &conn->reactor->settings->output_limit[OUTPUT_NORMAL];
    uint64_t any = limit->hard_bytes | limit->soft_bytes | (uint64_t)conn->soft_limit_since_ms;
    any |= conn->out.push_bytes | conn->push_bytes;
    return unlikely(any != 0) && check_output_limits(conn);
}

void conn_hold_out(struct conn *conn)
{
    conn->flags |= CONN_OUT_HELD;
}

void conn_let_out(struct conn *conn)
{
    conn->flags &= ~(uint32_t)CONN_OUT_HELD;
    conn_flush_later(conn);
}

static void flush_specially(struct conn *conn)
{
    if (conn->flags & CONN_DEAD) {
        conn_reap_later(conn);
        return;
    }
    if (conn->flags & CONN_OUT_HELD)
        return;
    if (!over_output_limit(conn) && conn->out.bytes > 0)
        conn->transport->kind->send(conn, conn->transport);
    if (conn->flags & (CONN_CLOSING | CONN_EOF))
        conn_reap_later(conn);
}

void conn_flush(struct conn *conn)
{
    if (unlikely(conn->pushes.first != NULL))
        pushes_go_on(conn);
    if (unlikely(conn->flags & (CONN_DEAD | CONN_OUT_HELD | CONN_TRANSPORT))) {
        flush_specially(conn);
        return;
    }
    if (!over_output_limit(conn))
        out_send(&conn->out, conn->reactor->ring, conn->fd);
    if (conn->flags & (CONN_CLOSING | CONN_EOF))
        conn_reap_later(conn);
}
