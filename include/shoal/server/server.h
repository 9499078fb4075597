/*
 * server.h - the process: its reactors, its listeners, and what is said once for all of them.
 */
#ifndef SHOAL_SERVER_SERVER_H
#define SHOAL_SERVER_SERVER_H

#include "shoal/base/counter.h"
#include "shoal/mesh/mesh.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/server/acceptor.h"
#include "shoal/server/drain.h"
#include "shoal/server/engine.h"

#include <pthread.h>

enum { RUN_ID_SIZE = 40 };

/* Exit codes, as documented in docs/operations.md. */
enum exit_code {
    EXIT_CLEAN = 0,
    EXIT_RUNTIME = 1,
    EXIT_USAGE = 2,
    EXIT_NO_URING = 3,
    EXIT_BIND = 4
};

struct server {
    struct settings *settings; /* the newest; guarded by settings_lock, which no request takes */
    uint64_t settings_version;
    pthread_mutex_t settings_lock;
    struct mesh *mesh;
    struct engine_choice engine;
    struct reactor **reactor; /* settings->shards of them, each with its worker */
    uint32_t count;
    struct acceptor acceptor; /* run by reactor SEQUENCER */
    int stop_fd;              /* eventfd: main asks for the end or for a reload */
    char run_id[RUN_ID_SIZE + 1];
    uint64_t started_mono_ns;
    int64_t started_wall_us;
    struct counter
        clients_max;        /* maxclients as far as descriptors allow; the sequencer writes it */
    uint64_t startup_bytes; /* allocated before the first connection */

    /* start-up: reactors report, main waits */
    pthread_mutex_t start_lock;
    pthread_cond_t start_cond;
    uint32_t started;
    int start_error;    /* first failure, -errno */
    bool start_decided; /* main has decided whether the reactors go on */
    bool ended;         /* every reactor's thread has */
    pthread_t joiner;   /* waits for that */

    /* the sequencer's */
    struct io_op stop_op;
    uint64_t stop_value;
    struct drain drain;
};

/* The process's state, with workers that have not begun. Aborts when memory is out. server_free()
 * after every reactor has ended. Thread: startup. */
struct server *server_new(const struct settings *settings);
void server_free(struct server *server);
struct worker *server_worker(const struct server *server, uint32_t id);

/* Runs the server until it is told to stop. Returns an exit code. */
int server_run(const struct settings *settings);

/* Called by a reactor once its ring is made, or none could be (-errno). Blocks until all have
 * reported; false: give up. */
bool server_reactor_started(struct server *server, int error);

/* On reactor SEQUENCER: starts accepting and listening to signals. */
void server_begin(struct server *server);

/* Begins a clean end, as SIGTERM does. Thread: any. */
void server_stop(struct server *server);

#endif
