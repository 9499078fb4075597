/*
 * result.h - the runs of one test against one server, and the figures taken from them.
 *
 * Thread: main.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stddef.h>

#include "run.h"

enum { RESULT_NAME_MAX = 96, SERVER_NAME_MAX = 32, SERVER_TITLE_MAX = 64 };

/* All runs of one test against one server. */
struct result {
    char name[RESULT_NAME_MAX];             /* "GET" */
    char server[SERVER_NAME_MAX];           /* "shoal", compare and sweep only */
    char version[VERSION_MAX];              /* memcached's, "" of others */
    char transport[8];                      /* "tcp", "unix" */
    int pipeline, clients, threads, shards; /* shards: 0 if unknown */
    bool open_loop;
    uint32_t runs;
    struct outcome run[RUNS_MAX];
};

/* Median and range of one figure over the runs. */
struct spread {
    double median, low, high;
};

enum figure {
    FIGURE_THROUGHPUT,
    FIGURE_CPU,
    FIGURE_CPU_USER,
    FIGURE_MEAN,
    FIGURE_P50,
    FIGURE_P95,
    FIGURE_P99,
    FIGURE_P999,
    FIGURE_MIN,
    FIGURE_MAX
};

/* Throughput in requests/s, CPU in us/request (0 unknown), latencies in ms. */
struct spread result_spread(const struct result *result, enum figure figure);
double outcome_figure(const struct outcome *outcome, enum figure figure);

/* The run with the median throughput. */
const struct outcome *result_median(const struct result *result);

/* A few words on what a reader must know: errors, misses, "the client was the limit"; "" if
 * nothing. */
void result_note(const struct result *result, char *out, size_t size);

/* "shoal x2", "memcached 1.6.18": the server as reports call it, "" when there is one only. Into
 * out[SERVER_TITLE_MAX].
 */
void result_server(const struct result *result, char *out);

void result_fini(struct result *result);

#endif
