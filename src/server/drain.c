/*
 * drain.c - the clean end: connections get what they are owed, those that take too long are cut
 * off, then every reactor stops.
 */
#include "shoal/server/drain.h"

#include "shoal/base/log.h"
#include "shoal/base/refused.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/mesh/broadcast.h"
#include "shoal/route/router.h"
#include "shoal/server/loop.h"
#include "shoal/server/server.h"
#include "shoal/stats/stats.h"

#include <errno.h>
#include <stdlib.h>

/* On every reactor: its connections get what they are owed, paused or not, and are closed. */
static void drain_run(struct reactor *here, struct broadcast *order)
{
    (void)order;
    here->router->pause.until_ms = 0;
    for (struct conn *conn = here->conns->first; conn != NULL; conn = conn->next)
        conn_close_later(conn);
}

static void cut_run(struct reactor *here, struct broadcast *order)
{
    (void)order;
    for (struct conn *conn = here->conns->first; conn != NULL; conn = conn->next)
        conn_kill(conn);
}

/* The sequencer is the last: the order to another may still wait for room in a queue. */
static void halt_run(struct reactor *here, struct broadcast *order)
{
    (void)order;
    here->loop->stopped = here->id != SEQUENCER;
}

static void halt_done(struct reactor *home, struct broadcast *order)
{
    (void)order;
    home->loop->stopped = true;
}

static struct broadcast *order_new(uint32_t reactors, broadcast_run_fn run, broadcast_done_fn done)
{
    struct broadcast *order = broadcast_new(reactors, run, done);
    if (order == NULL)
        refused("memory is out", ENOMEM, REFUSED_MEMORY_REMEDY);
    return order;
}

void drain_init(struct drain *drain, uint32_t reactors)
{
    drain->drain = order_new(reactors, drain_run, NULL);
    drain->cut = order_new(reactors, cut_run, NULL);
    drain->halt = order_new(reactors, halt_run, halt_done);
}

void drain_fini(struct drain *drain)
{
    free(drain->drain);
    free(drain->cut);
    free(drain->halt);
}

static uint64_t connections_left(const struct server *server)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < server->count; i++)
        left += server->acceptor.handed[i] -
                counter_get(&server->reactor[i]->stats->connections_closed);
    return left;
}

void drain_begin(struct server *server)
{
    int64_t now_ms = server->reactor[SEQUENCER]->now_ms;
    log_write(LOG_NOTICE, "stopping: %lu connections to drain",
              (unsigned long)connections_left(server));
    acceptor_stop(&server->acceptor);
    server->drain.until_ms =
        now_ms + (int64_t)server->reactor[SEQUENCER]->settings->shutdown_timeout_s * 1000;
    broadcast_send(server->reactor[SEQUENCER], server->drain.drain);
}

void drain_tick(struct server *server)
{
    if (server->drain.until_ms == 0 || server->drain.halting)
        return;
    int64_t now_ms = server->reactor[SEQUENCER]->now_ms;
    if (connections_left(server) == 0) {
        server->drain.halting = true;
        broadcast_send(server->reactor[SEQUENCER], server->drain.halt);
    } else if (now_ms >= server->drain.until_ms && !server->drain.cutting) {
        log_write(LOG_WARNING, "%lu connections were cut off at the end of shutdown-timeout",
                  (unsigned long)connections_left(server));
        server->drain.cutting = true;
        broadcast_send(server->reactor[SEQUENCER], server->drain.cut);
    }
}
