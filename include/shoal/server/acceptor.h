/*
 * acceptor.h - listening sockets, and which reactor gets a new connection: the one that has fewest.
 *
 * Runs on reactor SEQUENCER. It counts what it has handed out; reactors count what has been closed.
 */
#ifndef SHOAL_SERVER_ACCEPTOR_H
#define SHOAL_SERVER_ACCEPTOR_H

#include "shoal/base/timers.h"
#include "shoal/mesh/mesh.h"
#include "shoal/net/ring.h"

struct reactor;
struct settings;

enum {
    LISTENERS_MAX = 18,
    ACCEPT_BACKOFF_MIN_MS = 10, /* after EMFILE and all that is not one peer's fault; doubles */
    ACCEPT_BACKOFF_MAX_MS = 1000,
};

struct listener {
    struct io_op op;
    struct acceptor *acceptor;
    int fd;
    uint64_t files_max; /* the limit of open files that its accept goes by */
    bool unix_socket;
    bool waiting; /* failed: starts again when the back-off is over */
};

struct acceptor {
    struct reactor *reactor;
    struct listener listener[LISTENERS_MAX];
    int count;
    bool closing; /* the server is ending: accept nothing more */
    int spare_fd; /* given up for a moment to accept and refuse when descriptors are out */
    int64_t backoff_ms;
    struct timer retry; /* of the listeners that wait */
    uint64_t handed[MESH_REACTORS_MAX];
};

/* Opens the listeners. 0, or an exit code after saying what is wrong. Thread: startup. */
int acceptor_listen(struct acceptor *acceptor, const struct settings *settings);

/* Starts accepting on the reactor's ring. Thread: owner, as below. */
void acceptor_start(struct acceptor *acceptor, struct reactor *reactor);
/* Stops for good: no new connections. */
void acceptor_stop(struct acceptor *acceptor);

/* Thread: startup, after the reactors have ended. */
void acceptor_close(struct acceptor *acceptor, const struct settings *settings);

#endif
