/*
 * server.c - the process: starts the reactors, tells them to stop, waits for them.
 */
#include "shoal/server/server.h"

#include "shoal/base/clock.h"
#include "shoal/base/container_of.h"
#include "shoal/base/hash.h"
#include "shoal/base/log.h"
#include "shoal/base/refused.h"
#include "shoal/server/banner.h"
#include "shoal/server/descriptors.h"
#include "shoal/server/settings.h"
#include "shoal/server/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* What main asks of the sequencer, added into the eventfd. */
enum { ASK_STOP = 1, ASK_RELOAD = 1 << 16 };

/* Of memory, by its addresses: the program, and a thread's stack, its arena and its share of the allocator's
 * threads. One shard is ready with 52 MB, four are with 115. */
enum { SPACE_BYTES = 32 << 20, SPACE_BYTES_SHARD = 24 << 20 };

/* ---- start-up ------------------------------------------------------------ */

bool server_reactor_started(struct server *server, int error)
{
    pthread_mutex_lock(&server->start_lock);
    server->started++;
    if (error != 0 && server->start_error == 0)
        server->start_error = error;
    pthread_cond_broadcast(&server->start_cond);
    while (server->started < server->count || !server->start_decided)
        pthread_cond_wait(&server->start_cond, &server->start_lock);
    bool go_on = server->start_error == 0;
    pthread_mutex_unlock(&server->start_lock);
    return go_on;
}

/* Waits for all reactors; 0 or the first one's error. They go on when start_decided is set. */
static int wait_started(struct server *server)
{
    pthread_mutex_lock(&server->start_lock);
    while (server->started < server->count)
        pthread_cond_wait(&server->start_cond, &server->start_lock);
    int error = server->start_error;
    pthread_mutex_unlock(&server->start_lock);
    return error;
}

static void let_go(struct server *server, int error)
{
    pthread_mutex_lock(&server->start_lock);
    if (error != 0)
        server->start_error = error;
    server->start_decided = true;
    pthread_cond_broadcast(&server->start_cond);
    pthread_mutex_unlock(&server->start_lock);
}

/* Returns the clients that the limit of open files leaves room for. */
static int fit_clients(int maxclients)
{
    int fit = descriptors_raise(maxclients);
    if (fit < maxclients)
        log_write(LOG_WARNING,
                  "maxclients is %d instead of %d: the limit of open files (ulimit -n)", fit,
                  maxclients);
    return fit;
}

/* With less the allocator crashes in threads that it cannot give an arena: they are not begun. */
static void check_memory_limits(uint32_t shards)
{
    struct rlimit space, data;
    rlim_t needed = SPACE_BYTES + (rlim_t)shards * SPACE_BYTES_SHARD;
    if ((getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < needed) ||
        (getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur < needed))
        refused("the limit of memory is below 32 MB and 24 MB for each shard", ENOMEM,
                REFUSED_MEMORY_REMEDY);
}

static void make_run_id(struct server *server)
{
    unsigned char random[RUN_ID_SIZE / 2];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        memset(random, 0, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(server->run_id + 2 * i, 3, "%02x", random[i]);
}

struct worker *server_worker(const struct server *server, uint32_t i)
{
    return container_of(server->reactor[i], struct worker, reactor);
}

static void threads_join(struct server *server)
{
    for (uint32_t i = 0; i < server->count; i++)
        pthread_join(server_worker(server, i)->thread, NULL);
}

struct server *server_new(const struct settings *settings)
{
    struct server *server = mem_must_zalloc(sizeof(*server));
    server->settings = mem_must_alloc(sizeof(*settings));
    *server->settings = *settings;
    server->count = (uint32_t)settings->shards;
    pthread_mutex_init(&server->settings_lock, NULL);
    pthread_mutex_init(&server->start_lock, NULL);
    pthread_cond_init(&server->start_cond, NULL);
    server->mesh = mesh_new(server->count, mesh_ring_size(server->count));
    server->reactor = mem_must_zalloc(server->count * sizeof(server->reactor[0]));
    engine_choice_init(&server->engine, server->count, settings->io_engine);
    drain_init(&server->drain, server->count);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (server->stop_fd < 0)
        refused(
            "eventfd() is refused", errno,
            "raise the limit of open files (ulimit -n), or allow the system call eventfd2, which "
            "a seccomp profile may forbid");
    server->started_mono_ns = clock_mono_ns();
    server->started_wall_us = clock_wall_us();
    make_run_id(server);
    for (uint32_t i = 0; i < server->count; i++) {
        struct worker *worker =
            worker_new(i, server->count, server->reactor, server->mesh, server->settings);
        worker->reactor.server = server;
        server->reactor[i] = &worker->reactor;
    }
    return server;
}

void server_free(struct server *server)
{
    for (uint32_t i = 0; i < server->count; i++) {
        struct worker *worker = server_worker(server, i);
        worker_free(&worker);
    }
    mesh_free(&server->mesh);
    settings_free_all(server);
    close(server->stop_fd);
    pthread_mutex_destroy(&server->settings_lock);
    pthread_mutex_destroy(&server->start_lock);
    pthread_cond_destroy(&server->start_cond);
    engine_choice_fini(&server->engine);
    free(server->reactor);
    drain_fini(&server->drain);
    free(server);
}

/* ---- the end ------------------------------------------------------------- */

void server_stop(struct server *server)
{
    uint64_t ask = ASK_STOP;
    if (write(server->stop_fd, &ask, sizeof(ask)) < 0)
        log_write(LOG_WARNING, "could not ask for the end: %s", strerror(errno));
}

/* ---- on the sequencer ---------------------------------------------------- */

static void asked(struct io_op *op, const struct io_event *event)
{
    struct server *server = container_of(op, struct server, stop_op);
    if (event->result == sizeof(server->stop_value)) {
        if (server->stop_value >= ASK_RELOAD)
            settings_reload(server->reactor[SEQUENCER]);
        if (server->stop_value % ASK_RELOAD != 0 && !drain_has_begun(&server->drain))
            drain_begin(server);
    }
    ring_read(server->reactor[SEQUENCER]->ring, op, server->stop_fd, &server->stop_value,
              sizeof(server->stop_value));
}

void server_begin(struct server *server)
{
    struct reactor *reactor = server->reactor[SEQUENCER];
    server->stop_op.done = asked;
    ring_read(reactor->ring, &server->stop_op, server->stop_fd, &server->stop_value,
              sizeof(server->stop_value));
    acceptor_start(&server->acceptor, reactor);
}

/* ---- main thread --------------------------------------------------------- */

/* A device, such as /dev/null, stays, and so does a link to one. */
static void pidfile_remove(const struct settings *settings)
{
    struct stat info;
    if (settings->pidfile[0] != '\0' && stat(settings->pidfile, &info) == 0 &&
        S_ISREG(info.st_mode))
        unlink(settings->pidfile);
}

/* One without the number would be worse than none. */
static void pidfile_write(const struct settings *settings)
{
    if (settings->pidfile[0] == '\0')
        return;
    FILE *file = fopen(settings->pidfile, "we");
    bool opened = file != NULL, written = opened && fprintf(file, "%d\n", (int)getpid()) > 0;
    if (opened && fclose(file) == 0 && written)
        return;
    log_write(LOG_WARNING, "cannot write the pid file %s: %s", settings->pidfile, strerror(errno));
    if (opened)
        pidfile_remove(settings);
}

static bool has_ended(struct server *server)
{
    pthread_mutex_lock(&server->start_lock);
    bool ended = server->ended;
    pthread_mutex_unlock(&server->start_lock);
    return ended;
}

/* Signals become requests to the sequencer; a second one to end does so at once. */
static void signals_loop(struct server *server, const struct settings *settings,
                         const sigset_t *set)
{
    bool stopping = false;
    for (;;) {
        int signal = 0;
        if (sigwait(set, &signal) != 0)
            continue;
        if (signal == SIGUSR2) {
            if (has_ended(server))
                return;
            continue; /* somebody else's */
        }
        if (signal == SIGHUP) {
            uint64_t ask = ASK_RELOAD;
            log_reopen();
            if (write(server->stop_fd, &ask, sizeof(ask)) < 0)
                log_write(LOG_WARNING, "could not ask for a reload: %s", strerror(errno));
            continue;
        }
        if (stopping) {
            log_write(LOG_WARNING, "second signal: ending at once");
            pidfile_remove(settings);
            _exit(EXIT_RUNTIME);
        }
        stopping = true;
        log_write(LOG_NOTICE, "received %s", signal == SIGTERM ? "SIGTERM" : "SIGINT");
        server_stop(server);
    }
}

/* What the threads have left in their queues ends here: calls go home and are freed. */
static void finish_all(struct server *server)
{
    bool any;
    do {
        any = false;
        for (uint32_t i = 0; i < server->count; i++)
            any |= loop_finish(server->reactor[i]);
    } while (any);
}

/* Joins the reactors and then frees main from its wait for signals. */
static void *join_all(void *argument)
{
    struct server *server = argument;
    threads_join(server);
    finish_all(server);
    pthread_mutex_lock(&server->start_lock);
    server->ended = true;
    pthread_mutex_unlock(&server->start_lock);
    kill(getpid(), SIGUSR2);
    return NULL;
}

/* Without one of them the process ends at once: those that were made have begun nothing yet. */
static void thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    int error = pthread_create(thread, NULL, run, argument);
    if (error != 0)
        refused("a thread could not be made", error, REFUSED_THREADS_REMEDY);
}

/* The workers and what waits for their end; 0 or the first worker's error. */
static int threads_start(struct server *server)
{
    for (uint32_t i = 0; i < server->count; i++) {
        struct worker *worker = server_worker(server, i);
        thread_start(&worker->thread, worker_main, worker);
    }
    int error = wait_started(server);
    if (error == 0)
        thread_start(&server->joiner, join_all, server);
    return error;
}

static int refuse_to_start(struct server *server, int error)
{
    const struct ring_engine *engine = server->engine.engine;
    log_write(LOG_WARNING, "cannot start: %s (%s)", engine->explain(error), strerror(-error));
    let_go(server, error);
    threads_join(server);
    return server->engine.asked == IO_ENGINE_URING ? EXIT_NO_URING : EXIT_RUNTIME;
}

int server_run(const struct settings *settings)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* every thread inherits it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full log file costs its lines (ulimit -f) */
    check_memory_limits((uint32_t)settings->shards);
    if (!mem_return_in_background())
        log_write(LOG_WARNING,
                  "freed memory is returned by the worker threads: the allocator could "
                  "not make a thread for it");

    struct server *server = server_new(settings);
    counter_set(&server->clients_max, (uint64_t)fit_clients(settings->maxclients));
    int code = EXIT_CLEAN;
    int error = threads_start(server);
    if (error != 0) {
        code = refuse_to_start(server, error);
        goto out;
    }
    server->startup_bytes = mem_stats_read().allocated;
    banner_print(server);
    code = acceptor_listen(&server->acceptor, settings);
    if (code != 0) {
        let_go(server, -EADDRINUSE);
        pthread_join(server->joiner, NULL);
        goto out;
    }
    pidfile_write(settings);
    banner_print_listeners(server);
    let_go(server, 0);
    banner_print_ready();
    signals_loop(server, settings, &set);
    pthread_join(server->joiner, NULL);
    acceptor_close(&server->acceptor, settings);
    pidfile_remove(settings);
    log_write(LOG_NOTICE, "bye");
out:
    if (mem_is_checked())
        server_free(server); /* a walk of five million items takes 0.25 s */
    return code;
}
