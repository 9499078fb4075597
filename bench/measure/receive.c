/*
 * receive.c - a worker's hearing: finds the replies in what arrived, times and counts them.
 */
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "load/verify.h"
#include "shoal/base/must.h"

static void close_conn(struct worker *worker, struct conn *conn, const char *why)
{
    if (conn->closed)
        return;
    conn->closed = true;
    worker->tally.closed++;
    worker->tally.unanswered += conn->waiting;
    worker->waiting -= conn->waiting;
    conn->waiting = 0;
    if (worker->tally.error[0] == '\0')
        strncpy(worker->tally.error, why, sizeof(worker->tally.error) - 1);
    shutdown(conn->fd, SHUT_RDWR); /* ends what the kernel still does for it */
}

static void count_error(struct tally *tally, const struct reply *reply)
{
    tally->errors++;
    if (tally->error[0] != '\0')
        return;
    size_t size = reply->size < sizeof(tally->error) ? reply->size : sizeof(tally->error) - 1;
    memcpy(tally->error, reply->data, size);
    tally->error[size] = '\0';
}

static void count_latency(struct worker *worker, uint64_t since_ns, uint64_t replies)
{
    uint64_t latency = worker->now_ns > since_ns ? worker->now_ns - since_ns : 0;
    uint64_t from = worker->clock->measure_ns;
    histogram_add(worker->latency, latency, replies);
    if (worker->now_ns >= from)
        series_add(&worker->series, worker->now_ns - from, latency, replies);
}

/* A reply whose request has a record: open loop, verify, trace. */
static void settle(struct worker *worker, struct conn *conn, const struct reply *reply)
{
    const struct load *load = worker->load;
    struct request *request = conn_pop(conn);
    enum op op = load->mix->command[request->command]->op;
    count_latency(worker, request->intended_ns, 1);
    if (load->rate > 0)
        histogram_add(worker->service, worker->now_ns - request->sent_ns, 1);
    if (load->trace != NULL && op == OP_GET && reply->kind == REPLY_NIL)
        conn_refill_push(conn, request->key);
    if (load->verify == NULL)
        return;
    if (op == OP_GET && reply->kind != REPLY_ERROR)
        verify_check(load->verify, request->key, request->version,
                     reply->kind == REPLY_VALUE ? reply->data : NULL, reply->size);
    else if (op != OP_GET && reply->kind != REPLY_ERROR)
        verify_confirm(load->verify, request->key, request->version);
}

/* Scans whole replies; returns the bytes they took. */
static size_t take_replies(struct worker *worker, struct conn *conn, const char *data, size_t size)
{
    const struct protocol *protocol = worker->load->target.protocol;
    struct tally *tally = &worker->tally;
    uint32_t before = conn->waiting, answered = 0;
    size_t at = 0;
    bool nonsense = false;
    struct reply reply;
    while (at < size) {
        ptrdiff_t used = protocol->scan(data + at, size - at, &reply);
        if (used == REPLY_MORE)
            break;
        nonsense = used == REPLY_BAD || (answered == before && reply.kind != REPLY_PUSH);
        if (nonsense)
            break;
        at += (size_t)used;
        if (reply.kind == REPLY_PUSH)
            continue;
        answered++;
        tally->hits += reply.values;
        tally->misses += reply.nils;
        if (__builtin_expect(reply.kind == REPLY_ERROR, 0))
            count_error(tally, &reply);
        if (worker->tracked)
            settle(worker, conn, &reply);
    }
    if (!worker->tracked && answered > 0) {
        conn->waiting -= answered;
        count_latency(worker, conn->sent_ns, answered);
    }
    worker->waiting -= answered;
    tally->replies += answered;
    if (nonsense)
        close_conn(worker, conn, "a reply that makes no sense");
    return at;
}

static void publish(struct worker *worker, uint32_t replies)
{
    /* relaxed: a figure for the main thread, nothing else hangs on it */
    uint64_t done = atomic_load_explicit(&worker->done, memory_order_relaxed);
    atomic_store_explicit(&worker->done, done + replies, memory_order_relaxed);
    worker->last_reply_ns = worker->now_ns;
}

static void append(struct buffer *buffer, const char *data, size_t size)
{
    memcpy(buffer_room(buffer, (uint32_t)size), data, size);
    buffer->size += (uint32_t)size;
}

static void received(struct worker *worker, struct conn *conn, const char *data, size_t size)
{
    struct buffer *carry = &conn->carry;
    uint32_t before = conn->waiting;
    if (carry->size > 0) {
        append(carry, data, size);
        size_t taken = take_replies(worker, conn, carry->data, carry->size);
        memmove(carry->data, carry->data + taken, carry->size - taken);
        carry->size -= (uint32_t)taken;
    } else {
        size_t taken = take_replies(worker, conn, data, size);
        if (taken < size)
            append(carry, data + taken, size - taken);
    }
    if (conn->closed)
        return;
    publish(worker, before - conn->waiting);
    if (conn->waiting == 0 && worker->load->rate == 0)
        worker_ask(worker, conn);
}

static void sent(struct worker *worker, struct conn *conn, const struct event *event)
{
    struct buffer *out = &conn->out[conn->filling ^ 1];
    if (event->result < 0) {
        close_conn(worker, conn, strerror(-event->result));
        return;
    }
    conn->sent += (uint32_t)event->result;
    if (conn->sent < out->size) {
        ring_send(&worker->ring, conn->fd, event->tag, out->data + conn->sent,
                  out->size - conn->sent);
        return;
    }
    conn->sending = false;
    worker_flush(worker, conn);
}

void worker_handle(struct worker *worker, struct event *event)
{
    struct conn *conn = &worker->conn[event->tag];
    if (conn->closed)
        return;
    if (event->kind == EVENT_SENT) {
        sent(worker, conn, event);
        return;
    }
    if (event->result > 0)
        received(worker, conn, event->data, (size_t)event->result);
    else if (event->result != -ENOBUFS)
        close_conn(worker, conn, event->result ? strerror(-event->result) : "closed by the server");
    if (event->ended && !conn->closed)
        ring_receive(&worker->ring, conn->fd, event->tag);
}
