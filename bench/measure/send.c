/*
 * send.c - a worker's asking: whole batches in the closed loop, by the clock in the open loop.
 */
#include "worker.h"

#include <string.h>

#include "shoal/base/must.h"

void worker_flush(struct worker *worker, struct conn *conn)
{
    struct buffer *out = &conn->out[conn->filling];
    if (conn->sending || conn->closed || out->size == 0)
        return;
    conn->sending = true;
    conn->sent = 0;
    conn->filling ^= 1;
    conn->out[conn->filling].size = 0;
    ring_send(&worker->ring, conn->fd, (uint32_t)(conn - worker->conn), out->data, out->size);
}

/* One more request into the connection's buffer; false when there is none to ask. */
static bool ask_one(struct worker *worker, struct conn *conn, uint64_t intended_ns)
{
    struct request request;
    if (!generator_choose(&worker->generator, conn, &request))
        return false;
    generator_write(&worker->generator, conn, &request, &conn->out[conn->filling]);
    if (worker->tracked) {
        request.intended_ns = intended_ns;
        request.sent_ns = worker->now_ns;
        *conn_push(conn) = request;
    } else {
        conn->waiting++;
    }
    return true;
}

void worker_ask(struct worker *worker, struct conn *conn)
{
    uint64_t batch = (uint64_t)worker->load->pipeline;
    if (!worker_may_ask(worker) || conn->closed)
        return;
    batch = worker->quota < batch ? worker->quota : batch;
    uint32_t before = conn->waiting;
    for (uint64_t i = 0; i < batch && ask_one(worker, conn, worker->now_ns); i++)
        ;
    worker->quota -= conn->waiting - before;
    worker->waiting += conn->waiting - before;
    conn->sent_ns = worker->now_ns;
    worker_flush(worker, conn);
}

/* ---- open loop ----------------------------------------------------------- */

/* The next connection with room for a request, NULL when all wait for as many as --pipeline
 * allows. */
static struct conn *connection_with_room(struct worker *worker)
{
    uint32_t room = (uint32_t)worker->load->pipeline;
    for (uint32_t i = 0; i < worker->conns; i++) {
        struct conn *conn = &worker->conn[worker->next_conn];
        worker->next_conn = worker->next_conn + 1 < worker->conns ? worker->next_conn + 1 : 0;
        if (!conn->closed && conn->waiting < room)
            return conn;
    }
    return NULL;
}

static bool all_busy(const struct worker *worker)
{
    return worker->waiting >= (uint64_t)worker->conns * (uint64_t)worker->load->pipeline;
}

void worker_ask_due(struct worker *worker)
{
    uint64_t start = worker->clock->start_ns;
    uint64_t elapsed = worker->now_ns > start ? worker->now_ns - start : 0;
    while (worker_may_ask(worker) && schedule_next(&worker->schedule) <= elapsed &&
           !all_busy(worker)) {
        struct conn *conn = connection_with_room(worker);
        if (conn == NULL)
            return;
        if (!ask_one(worker, conn, start + schedule_next(&worker->schedule))) {
            worker->quota = 0;
            return;
        }
        worker->quota--;
        worker->waiting++;
        schedule_advance(&worker->schedule, &worker->schedule_rng);
        worker_flush(worker, conn);
    }
}

uint64_t worker_next_due(const struct worker *worker)
{
    uint64_t due = worker->clock->start_ns + schedule_next(&worker->schedule);
    if (all_busy(worker))
        return UINT64_MAX; /* only a reply changes that */
    return due > worker->now_ns ? due - worker->now_ns : 0;
}
