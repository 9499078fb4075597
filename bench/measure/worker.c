/*
 * worker.c - a client thread from connecting to its last reply.
 */
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "blocking_socket.h"
#include "shoal/base/clock.h"
#include "shoal/base/mem.h"

enum {
    EVENTS_PER_TURN = 16,       /* then submit, so that the server has work while we build more */
    WAIT_NS_MAX = 20 * 1000000, /* how late a worker may notice the end of a run */
    SPIN_NS = 30 * 1000,        /* closer than this to the next send, look instead of sleeping */
    PATIENCE_S = 3,             /* for the last replies */
};

static void fail(struct worker *worker, const char *what)
{
    worker->failed = true;
    snprintf(worker->tally.error, sizeof(worker->tally.error), "%s", what);
}

static void pin(const struct worker *worker)
{
    const struct load *load = worker->load;
    cpu_set_t set;
    if (load->cpus == 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)load->cpu[worker->index % (uint32_t)load->cpus], &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* The reactor that serves this connection, which the server tells in CLIENT INFO. */
static bool learn_home(struct worker *worker, struct conn *conn)
{
    struct answer answer;
    long shard = -1;
    if (!socket_ask(conn->fd, worker->load->target.protocol, "CLIENT INFO", &answer))
        return false;
    for (char *c = answer.text; *c != '\0'; c++)
        *c = *c == ' ' ? '\n' : *c;
    bool known = answer_number(answer.text, "shard", &shard);
    answer_fini(&answer);
    conn->home_shard = (uint32_t)shard;
    return known && shard >= 0 && shard < (long)worker->load->shards;
}

static bool connect_one(struct worker *worker, struct conn *conn, uint32_t index)
{
    char error[ERROR_TEXT_MAX];
    int fd = socket_login(&worker->load->target, error);
    if (fd < 0) {
        fail(worker, error);
        return false;
    }
    conn_init(conn, fd, index, (uint32_t)worker->load->pipeline);
    worker->conns++;
    if (worker->load->cross_share >= 0 && !learn_home(worker, conn)) {
        fail(worker, "the server does not tell a connection's shard (CLIENT INFO, shard=)");
        return false;
    }
    return true;
}

static bool connect_all(struct worker *worker)
{
    const struct load *load = worker->load;
    uint32_t step = (uint32_t)load->threads, count = 0;
    for (uint32_t i = worker->index; i < (uint32_t)load->clients; i += step)
        count++;
    worker->conn = mem_must_zalloc(sizeof(*worker->conn) * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        if (!connect_one(worker, &worker->conn[i], worker->index + i * step))
            return false;
    }
    return true;
}

static void prepare(struct worker *worker)
{
    const struct load *load = worker->load;
    uint64_t burst = (uint64_t)load->pipeline * (sizes_max(&load->sizes) + 32u);
    pin(worker);
    prctl(PR_SET_TIMERSLACK, 1);
    worker->latency = histogram_new();
    worker->service = histogram_new();
    series_init(&worker->series);
    worker->tracked = load->rate > 0 || load->verify != NULL || load->trace != NULL;
    if (load->rate > 0)
        schedule_init(&worker->schedule, load->rate / load->threads, load->poisson,
                      (double)worker->index / load->threads);
    random_seed_stream(&worker->schedule_rng, load->seed, 1000000 + worker->index);
    if (!generator_init(&worker->generator, load, worker->index, worker->preload))
        fail(worker, "the protocol has no such command");
    else if (ring_init(&worker->ring, (uint32_t)load->clients / (uint32_t)load->threads + 1,
                       burst) < 0)
        fail(worker, "io_uring is not available (kernel 6.1 or later, and allowed?)");
    else
        connect_all(worker);
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void start_measuring(struct worker *worker)
{
    worker->measuring = true;
    worker->tally = (struct tally){ .replies = 0 };
    histogram_reset(worker->latency);
    histogram_reset(worker->service);
    series_reset(&worker->series);
    worker->cpu_from_ns = thread_cpu_ns();
    if (worker->load->requests > 0 && !worker->preload) {
        uint64_t threads = (uint64_t)worker->load->threads;
        worker->quota =
            worker->load->requests / threads + (worker->index < worker->load->requests % threads);
    }
}

static uint64_t wait_ns(const struct worker *worker)
{
    uint64_t wait = WAIT_NS_MAX;
    if (worker->load->rate > 0 && worker_may_ask(worker)) {
        uint64_t due = worker_next_due(worker);
        due = due > SPIN_NS ? due - SPIN_NS / 2 : 0;
        wait = due < wait ? due : wait;
    }
    return wait;
}

static bool finished(const struct worker *worker)
{
    uint64_t stop = atomic_load_explicit(&worker->clock->stop_ns, memory_order_relaxed);
    if (worker->waiting == 0)
        return worker->load->rate == 0 || !worker_may_ask(worker);
    return worker->now_ns > stop && worker->now_ns - stop > PATIENCE_S * 1000000000ull;
}

static void turn(struct worker *worker)
{
    struct event event;
    if (worker->load->rate > 0)
        worker_ask_due(worker);
    ring_wait(&worker->ring, wait_ns(worker));
    worker->now_ns = clock_mono_ns();
    if (!worker->measuring && worker->now_ns >= worker->clock->measure_ns)
        start_measuring(worker);
    for (int i = 0; i < EVENTS_PER_TURN && ring_next(&worker->ring, &event); i++) {
        worker_handle(worker, &event);
        ring_release(&worker->ring, &event);
    }
}

static void work(struct worker *worker)
{
    worker->now_ns = clock_mono_ns();
    worker->quota = UINT64_MAX;
    if (worker->now_ns >= worker->clock->measure_ns)
        start_measuring(worker);
    for (uint32_t i = 0; i < worker->conns; i++) {
        ring_receive(&worker->ring, worker->conn[i].fd, i);
        if (worker->load->rate == 0)
            worker_ask(worker, &worker->conn[i]);
    }
    while (!finished(worker))
        turn(worker);
    worker->tally.unanswered += worker->waiting;
    uint64_t from = worker->clock->measure_ns;
    double wall = worker->now_ns > from ? (double)(worker->now_ns - from) : 1;
    worker->busy_share = (double)(thread_cpu_ns() - worker->cpu_from_ns) / wall;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    prepare(worker);
    pthread_barrier_wait(worker->ready);
    pthread_barrier_wait(worker->ready);
    if (atomic_load(&worker->clock->stop_ns) > 0) /* 0: another worker failed */
        work(worker);
    sem_post(worker->finished);
    return NULL;
}

void worker_start(struct worker *worker)
{
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
        perror("pthread_create");
        abort();
    }
}

void worker_fini(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->conns; i++)
        conn_fini(&worker->conn[i]);
    if (worker->ring._memory != NULL)
        ring_fini(&worker->ring);
    generator_fini(&worker->generator);
    free(worker->conn);
    histogram_free(&worker->latency);
    histogram_free(&worker->service);
    series_fini(&worker->series);
}
