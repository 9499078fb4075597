/*
 * drain.c - the clean end: connections get what they are owed, whoever takes too long is cut off,
 * then every reactor stops.
 */
#include "shoal/server/drain.h"

#include "shoal/base/log.h"
#include "shoal/base/mem.h"
#include "shoal/server/server.h"

#include <stdlib.h>

/* What the sequencer tells every reactor, each at most once. */
enum order { ORDER_DRAIN, ORDER_CUT, ORDER_HALT, ORDERS };

void drain_init(struct drain *drain, uint32_t reactors)
{
    drain->orders = mem_must_zalloc(ORDERS * reactors * sizeof(struct message));
}

void drain_fini(struct drain *drain)
{
    free(drain->orders);
}

/* On every reactor: its connections get what they are owed, paused or not, and are closed. */
static void drain_run(struct reactor *here, struct message *message)
{
    here->pause.until_ms = 0;
    for (struct conn *conn = here->conns; conn != NULL; conn = conn->next)
        conn_close_later(conn);
    reactor_respond(here, message);
}

static void cut_run(struct reactor *here, struct message *message)
{
    for (struct conn *conn = here->conns; conn != NULL; conn = conn->next)
        conn_kill(conn);
    reactor_respond(here, message);
}

/* The sequencer is the last: the order to another may still wait for room in a queue. */
static void halt_run(struct reactor *here, struct message *message)
{
    here->stopped = here->id != SEQUENCER;
    reactor_respond(here, message);
}

static void halted(struct reactor *home, struct message *message)
{
    struct server *server = home->server;
    (void)message;
    server->drain.halted++;
    home->stopped = server->drain.halted == server->count;
}

static void told(struct reactor *home, struct message *message)
{
    (void)home;
    (void)message;
}

static void tell_all(struct server *server, enum order order, message_fn run, message_fn done)
{
    for (uint32_t i = server->count; i-- > 0;) { /* ourselves last */
        struct message *message = &server->drain.orders[order * server->count + i];
        *message = (struct message){
            .run = run,
            .done = done,
            .kind = MESSAGE_CALL,
            .to = (uint16_t)i,
        };
        reactor_call(&server->reactor[SEQUENCER], message);
    }
}

static uint64_t connections_left(const struct server *server)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < server->count; i++)
        left +=
            server->acceptor.handed[i] - counter_get(&server->reactor[i].stats->connections_closed);
    return left;
}

void drain_begin(struct server *server)
{
    int64_t now_ms = server->reactor[SEQUENCER].now_ms;
    log_write(LOG_NOTICE, "stopping: %lu connections to drain",
              (unsigned long)connections_left(server));
    acceptor_stop(&server->acceptor);
    server->drain.until_ms =
        now_ms + (int64_t)server->reactor[SEQUENCER].settings->shutdown_timeout_s * 1000;
    tell_all(server, ORDER_DRAIN, drain_run, told);
}

void drain_tick(struct server *server)
{
    if (server->drain.until_ms == 0 || server->drain.halting)
        return;
    int64_t now_ms = server->reactor[SEQUENCER].now_ms;
    if (connections_left(server) == 0) {
        server->drain.halting = true;
        tell_all(server, ORDER_HALT, halt_run, halted);
    } else if (now_ms >= server->drain.until_ms && !server->drain.cutting) {
        log_write(LOG_WARNING, "%lu connections were cut off at the end of shutdown-timeout",
                  (unsigned long)connections_left(server));
        server->drain.cutting = true;
        tell_all(server, ORDER_CUT, cut_run, told);
    }
}
