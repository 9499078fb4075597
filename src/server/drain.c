/*
 * drain.c - the clean end: connections get what they are owed, those that take too long are cut
 * off, then every reactor stops.
 */
#include "shoal/server/drain.h"

#include "shoal/base/container_of.h"
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
    router_unpause(here);
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

static uint64_t connections_left(const struct server *server)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < server->count; i++)
        left += server->acceptor.handed[i] -
                counter_get(&server->reactor[i]->stats->connections_closed);
    return left;
}

/* Has it come to the end, or to the end of its time? */
static void look(void *context, struct timer *timer)
{
    struct reactor *sequencer = context;
    struct server *server = sequencer->server;
    struct drain *drain = container_of(timer, struct drain, look);
    if (connections_left(server) == 0) {
        broadcast_send(sequencer, drain->halt);
        return;
    }
    if (sequencer->now_ms >= drain->until_ms && !drain->cutting) {
        log_write(LOG_WARNING, "%lu connections were cut off at the end of shutdown-timeout",
                  (unsigned long)connections_left(server));
        drain->cutting = true;
        broadcast_send(sequencer, drain->cut);
    }
    timers_link(sequencer->timers, timer, sequencer->now_ms + DRAIN_CHECK_MS);
}

void drain_init(struct drain *drain, uint32_t reactors)
{
    drain->drain = order_new(reactors, drain_run, NULL);
    drain->cut = order_new(reactors, cut_run, NULL);
    drain->halt = order_new(reactors, halt_run, halt_done);
    timer_init(&drain->look, look);
}

void drain_fini(struct drain *drain)
{
    free(drain->drain);
    free(drain->cut);
    free(drain->halt);
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
    timers_link(server->reactor[SEQUENCER]->timers, &server->drain.look, now_ms); /* at once */
}
