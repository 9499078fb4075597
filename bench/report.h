/*
 * report.h - what is printed of a test's runs: lines, a table, CSV, JSON, percentiles, charts.
 *
 * Thread: main.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "environment.h"
#include "run.h"

enum { RUNS_MAX = 64, RESULT_NAME_MAX = 96 };

/* All runs of one test against one server. */
struct result {
    char name[RESULT_NAME_MAX];             /* "GET" */
    char server[32];                        /* "shoal", compare and sweep only */
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

void result_fini(struct result *result);

void report_quiet(FILE *out, const struct result *result);
void report_table(FILE *out, const struct result *results, uint32_t count);
void report_csv_head(FILE *out);
void report_csv(FILE *out, const struct result *result);
void report_json(FILE *out, const struct environment *environment, const struct result *results,
                 uint32_t count);
void report_hgrm(FILE *out, const struct histogram *histogram);

/* One self-contained page: charts as inline SVG, the table, where and how it was measured. */
void report_html(FILE *out, const char *title, const struct environment *environment,
                 const struct result *results, uint32_t count);

/* The bars of CPU per request (of throughput, where CPU is unknown) as one stand-alone SVG
 * picture. */
void report_svg(FILE *out, const char *title, const struct environment *environment,
                const struct result *results, uint32_t count);

/* Server against server: CPU per request and throughput side by side, the ratio of the first server
 * to each other one, and who won, unless the ranges overlap. */
void report_versus(FILE *out, const struct result *results, uint32_t count);

#endif
