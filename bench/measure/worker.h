/*
 * worker.h - one client thread: a ring, its share of the connections, its own counts.
 *
 * Workers share nothing while they run but the run's clock and, each alone, a counter that the main
 * thread reads for the progress line and for CPU per request. The main thread takes their results
 * after it has joined them.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "connection.h"
#include "generator.h"
#include "histogram.h"
#include "load/schedule.h"
#include "series.h"
#include "worker_ring.h"

enum { ERROR_TEXT_MAX = 256 };

/* When a run begins, when it begins to count, when it stops asking: CLOCK_MONOTONIC ns. Set by the
 * main thread before the start, `stop` also later (Ctrl-C). */
struct run_clock {
    uint64_t start_ns, measure_ns;
    _Atomic uint64_t stop_ns;
};

struct tally {
    uint64_t replies, errors;
    uint64_t hits, misses;      /* values and nils in the replies */
    uint64_t unanswered;        /* requests without a reply when the run ended */
    uint64_t closed;            /* connections that the server closed */
    char error[ERROR_TEXT_MAX]; /* the first error reply or failure */
};

struct worker {
    const struct load *load;
    struct run_clock *clock;
    pthread_barrier_t *ready; /* passed twice: when all are connected, when the clock is set */
    sem_t *finished;
    uint32_t index;
    bool preload;
    pthread_t thread;

    struct ring ring;
    struct conn *conn;
    uint32_t conns, next_conn;
    struct generator generator;
    struct schedule schedule;
    struct random schedule_rng;
    uint64_t now_ns, quota, waiting;
    bool tracked; /* each waiting request has a record */
    bool measuring, failed;

    _Atomic uint64_t done; /* replies, warm-up included; single writer */
    struct tally tally;
    struct histogram *latency, *service; /* from the intended, from the real sending */
    struct series series;
    uint64_t last_reply_ns, cpu_from_ns;
    double busy_share; /* of a CPU while measuring */
};

/* Starts the thread. Thread: main. */
void worker_start(struct worker *worker);

/* After pthread_join(). Thread: main. */
void worker_fini(struct worker *worker);

/* ---- between worker.c, send.c and receive.c; thread: the worker ---------- */

/* Builds the next batch of an idle connection (closed loop). */
void worker_ask(struct worker *worker, struct conn *conn);

/* Sends what the schedule says is due (open loop). */
void worker_ask_due(struct worker *worker);

/* Nanoseconds until worker_ask_due() has something to do. */
uint64_t worker_next_due(const struct worker *worker);

/* Takes one event of the ring. */
void worker_handle(struct worker *worker, struct event *event);

/* Hands what was collected to the kernel unless a send is under way. */
void worker_flush(struct worker *worker, struct conn *conn);

static inline bool worker_may_ask(const struct worker *worker)
{
    return worker->quota > 0 &&
           worker->now_ns < atomic_load_explicit(&worker->clock->stop_ns, memory_order_relaxed);
}

#endif
