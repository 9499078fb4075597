/*
 * run.h - one measured run: workers from start to join, the server's CPU beside them, the outcome.
 *
 * Thread: main, one run at a time.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <sys/types.h>

#include "histogram.h"
#include "load/load.h"
#include "series.h"
#include "server_cpu.h"
#include "worker.h"

struct outcome {
    bool failed;       /* nothing was measured; tally.error says why */
    double seconds;    /* measured */
    double throughput; /* replies/s */
    double offered;    /* open loop: requests/s the schedule asked for */
    bool sustained;    /* open loop: it was kept up with */
    struct tally tally;
    struct histogram *latency, *service;
    struct series series;
    struct cpu_usage cpu;
    uint64_t cpu_replies; /* between the two samples of `cpu` */
    double client_busy;   /* of a CPU, of the busiest worker */
    bool client_bound;    /* the client ran out of CPU before the server did */
};

struct run_options {
    pid_t server_pid; /* 0: CPU unknown */
    bool progress;    /* a live line on stderr */
    const char *label;
};

/* Runs `load`. The outcome owns its histograms; free with outcome_fini(). */
void run_execute(const struct load *load, const struct run_options *options,
                 struct outcome *outcome);

/* Writes every key once, the verifier's versions included. False, with the reason in error, if that
 * fails. */
bool run_preload(const struct load *load, char error[ERROR_TEXT_MAX]);

void outcome_fini(struct outcome *outcome);

/* Microseconds of server CPU per request, user and system; 0 when unknown. */
double outcome_cpu_us(const struct outcome *outcome);

/* Ends the current run early and keeps what it measured. Async-signal-safe. */
void run_interrupt(void);
bool run_interrupted(void);

#endif
