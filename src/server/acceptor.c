/*
 * acceptor.c - accepting connections and handing each to the reactor that has fewest.
 */
#include "shoal/server/acceptor.h"

#include "shoal/base/container_of.h"
#include "shoal/base/log.h"
#include "shoal/conn/conn.h"
#include "shoal/mesh/call.h"
#include "shoal/net/socket.h"
#include "shoal/server/server.h"
#include "shoal/stats/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char refused_full[] = "-ERR max number of clients reached\r\n";
static const char refused_protected[] =
    "-DENIED shoal is running in protected mode: no password is set and this connection does not "
    "come "
    "from the loopback interface, so it is refused. To accept it, do one of these on the server's "
    "own "
    "machine: 1) set a password with CONFIG SET requirepass, or the option --requirepass; 2) if "
    "nobody "
    "else can reach this port, turn the protection off with CONFIG SET protected-mode no, or "
    "--protected-mode no.\r\n";

/* ---- handing over -------------------------------------------------------- */

struct handover {
    struct message message;
    int fd;
    bool unix_socket;
};

static void handover_run(struct reactor *here, struct message *message)
{
    const struct handover *handover = (struct handover *)message;
    conn_open(here, handover->fd, handover->unix_socket);
    call_answer(here, message);
}

static void handover_done(struct reactor *home, struct message *message)
{
    (void)home;
    free(message);
}

/* Connections a reactor has, those on their way to it included. */
static uint64_t load_of(const struct acceptor *acceptor, uint32_t reactor)
{
    const struct reactor_stats *stats = acceptor->reactor->peer[reactor]->stats;
    return acceptor->handed[reactor] - counter_get(&stats->connections_closed);
}

static uint32_t least_loaded(const struct acceptor *acceptor, uint64_t *total)
{
    uint32_t best = 0;
    *total = 0;
    for (uint32_t i = 0; i < acceptor->reactor->count; i++) {
        uint64_t load = load_of(acceptor, i);
        *total += load;
        if (load < load_of(acceptor, best))
            best = i;
    }
    return best;
}

static void refuse(struct acceptor *acceptor, int fd, const char *text)
{
    counter_add(&acceptor->reactor->stats->connections_rejected, 1);
    if (write(fd, text, strlen(text)) < 0) {
        /* it is told so by the close as well */
    }
    ring_close(acceptor->reactor->ring, fd);
}

/* It came and went, as probes of a port do: nobody was turned away. */
static void drop_gone(struct acceptor *acceptor, int fd)
{
    counter_add(&acceptor->reactor->stats->connections_received, 1);
    ring_close(acceptor->reactor->ring, fd);
}

static bool is_protected(const struct acceptor *acceptor, int fd)
{
    const struct settings *settings = acceptor->reactor->settings;
    return settings->protected_mode && settings->requirepass[0] == '\0' &&
           !socket_peer_is_local(fd);
}

static void hand_over(struct acceptor *acceptor, int fd, bool unix_socket)
{
    uint64_t total;
    uint32_t to = least_loaded(acceptor, &total);
    const struct settings *settings = acceptor->reactor->settings;
    int max = (int)counter_get(&acceptor->reactor->server->clients_max);
    max = settings->maxclients < max ? settings->maxclients : max;
    struct handover *handover;
    if (total >= (uint64_t)max) {
        refuse(acceptor, fd, refused_full);
    } else if (is_protected(acceptor, fd)) {
        if (socket_peer_is_gone(fd))
            drop_gone(acceptor, fd);
        else
            refuse(acceptor, fd, refused_protected);
    } else if ((handover = malloc(sizeof(*handover))) == NULL) {
        refuse(acceptor, fd, "");
    } else {
        acceptor->handed[to]++;
        *handover = (struct handover){
            .message = { .run = handover_run,
                         .done = handover_done,
                         .kind = MESSAGE_CALL,
                         .magic = MESSAGE_MAGIC,
                         .to = (uint16_t)to },
            .fd = fd,
            .unix_socket = unix_socket,
        };
        call_send(acceptor->reactor, &handover->message);
    }
}

/* ---- accepting ----------------------------------------------------------- */

/* An accept goes by the limit of open files of the moment at which it began. */
static uint64_t files_max(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

static void listener_arm(struct listener *listener)
{
    listener->files_max = files_max();
    ring_accept(listener->acceptor->reactor->ring, &listener->op, listener->fd);
}

static int spare_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Descriptors are out: with the spare one given up, one client can be accepted and told so. */
static void refuse_with_spare(struct acceptor *acceptor, int listen_fd)
{
    struct pollfd pending = { .fd = listen_fd, .events = POLLIN };
    if (acceptor->spare_fd < 0 || poll(&pending, 1, 0) <= 0) /* or accept4() would block */
        return;
    close(acceptor->spare_fd);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        refuse(acceptor, fd, refused_full);
    acceptor->spare_fd = spare_open();
}

/* One connection's misfortune, or over already: the next may be accepted at once. */
static bool is_passing(const struct listener *listener, int error)
{
    return error == -ECONNABORTED || error == -EPROTO ||
           (error == -EMFILE && files_max() > listener->files_max); /* CONFIG SET maxclients */
}

static void back_off(struct acceptor *acceptor)
{
    acceptor->backoff_ms =
        acceptor->backoff_ms == 0 ? ACCEPT_BACKOFF_MIN_MS : acceptor->backoff_ms * 2;
    if (acceptor->backoff_ms > ACCEPT_BACKOFF_MAX_MS)
        acceptor->backoff_ms = ACCEPT_BACKOFF_MAX_MS;
    timers_link(acceptor->reactor->timers, &acceptor->retry,
                acceptor->reactor->now_ms + acceptor->backoff_ms);
}

static void accept_failed(struct listener *listener, int error)
{
    struct acceptor *acceptor = listener->acceptor;
    counter_add(&acceptor->reactor->stats->accept_failures, 1);
    if (is_passing(listener, error)) {
        listener_arm(listener);
        return;
    }
    log_write(LOG_WARNING, "accepting a connection: %s", strerror(-error));
    if (error == -EMFILE || error == -ENFILE)
        refuse_with_spare(acceptor, listener->fd);
    /* Re-arming at once would spin: 250,000 failures in 0.2 s were measured with EMFILE. */
    listener->waiting = true;
    back_off(acceptor);
}

static void accepted(struct io_op *op, const struct io_event *event)
{
    struct listener *listener = container_of(op, struct listener, op);
    struct acceptor *acceptor = listener->acceptor;
    if (acceptor->closing) {
        if (event->result >= 0)
            ring_close(acceptor->reactor->ring, event->result);
        return;
    }
    if (event->result < 0) {
        accept_failed(listener, event->result);
        return;
    }
    acceptor->backoff_ms = 0;
    hand_over(acceptor, event->result, listener->unix_socket);
    if (!event->more)
        listener_arm(listener);
}

static void try_again(void *context, struct timer *timer)
{
    struct acceptor *acceptor = container_of(timer, struct acceptor, retry);
    (void)context;
    for (int i = 0; i < acceptor->count; i++) {
        struct listener *listener = &acceptor->listener[i];
        if (listener->waiting) {
            listener->waiting = false;
            listener_arm(listener);
        }
    }
}

void acceptor_start(struct acceptor *acceptor, struct reactor *reactor)
{
    acceptor->reactor = reactor;
    timer_init(&acceptor->retry, try_again);
    for (int i = 0; i < acceptor->count; i++) {
        struct listener *listener = &acceptor->listener[i];
        listener->acceptor = acceptor;
        listener->op.done = accepted;
        listener_arm(listener);
    }
}

void acceptor_stop(struct acceptor *acceptor)
{
    acceptor->closing = true;
    timers_unlink(acceptor->reactor->timers, &acceptor->retry);
    for (int i = 0; i < acceptor->count; i++)
        ring_cancel(acceptor->reactor->ring, &acceptor->listener[i].op);
}

/* ---- listening ----------------------------------------------------------- */

static void listener_add(struct acceptor *acceptor, int fd, bool unix_socket)
{
    acceptor->listener[acceptor->count++] = (struct listener){
        .fd = fd,
        .unix_socket = unix_socket,
    };
}

/* Whether one of the addresses before has this one. */
static bool is_repeated(const struct acceptor *acceptor, const char *host, int port)
{
    for (int i = 0; i < acceptor->count; i++)
        if (socket_covers(acceptor->listener[i].fd, host, port))
            return true;
    return false;
}

static int listen_tcp(struct acceptor *acceptor, const struct settings *settings, const char *host)
{
    bool optional = host[0] == '-';
    host += optional;
    if (is_repeated(acceptor, host, settings->port)) {
        log_write(LOG_WARNING,
                  "cannot listen on %s port %d: bind names it twice, by itself or as part of every "
                  "address",
                  host, settings->port);
        return EXIT_BIND;
    }
    int fd = socket_listen_tcp(host, settings->port, settings->tcp_backlog);
    if (fd >= 0) {
        listener_add(acceptor, fd, false);
        return 0;
    }
    if (optional && (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT || fd == -EPROTONOSUPPORT))
        return 0;
    log_write(LOG_WARNING, "cannot listen on %s port %d: %s%s", host, settings->port, strerror(-fd),
              fd == -EADDRINUSE ? "; another server has it: stop that one or choose another --port"
                                : "");
    return EXIT_BIND;
}

static int listen_unix(struct acceptor *acceptor, const struct settings *settings)
{
    int fd =
        socket_listen_unix(settings->unixsocket, settings->unixsocketperm, settings->tcp_backlog);
    if (fd >= 0) {
        listener_add(acceptor, fd, true);
        return 0;
    }
    log_write(LOG_WARNING, "cannot listen on the Unix socket %s: %s%s%s", settings->unixsocket,
              strerror(-fd), fd == -EADDRINUSE ? "; " : "",
              fd == -EADDRINUSE ? socket_unix_explain(settings->unixsocket) : "");
    return EXIT_BIND;
}

int acceptor_listen(struct acceptor *acceptor, const struct settings *settings)
{
    int error = 0;
    acceptor->spare_fd = spare_open();
    for (int i = 0; i < settings->bind_count && settings->port != 0 && error == 0; i++)
        error = listen_tcp(acceptor, settings, settings->bind[i]);
    if (settings->unixsocket[0] != '\0' && error == 0)
        error = listen_unix(acceptor, settings);
    if (acceptor->count == 0 && error == 0) {
        log_write(LOG_WARNING, "there is nothing to listen on: give --port or --unixsocket");
        error = EXIT_BIND;
    }
    if (error != 0)
        acceptor_close(acceptor, settings);
    return error;
}

void acceptor_close(struct acceptor *acceptor, const struct settings *settings)
{
    for (int i = 0; i < acceptor->count; i++) {
        close(acceptor->listener[i].fd);
        if (acceptor->listener[i].unix_socket)
            unlink(settings->unixsocket);
    }
    acceptor->count = 0;
    if (acceptor->spare_fd >= 0)
        close(acceptor->spare_fd);
    acceptor->spare_fd = -1;
}
