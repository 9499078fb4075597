/*
 * report.h - what is printed of a test's runs: lines, a table, CSV, JSON, percentiles, charts.
 *
 * Thread: main.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "environment.h"
#include "measure/result.h"

/* What is to be known beside figures of memcached, a sentence or two; "" when none of these results
 * needs it. Into out[REPORT_CAVEAT_MAX]. */
enum { REPORT_CAVEAT_MAX = 256 };
void report_caveat(const struct result *results, uint32_t count, char *out);

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
 * to each other one, and the winner, unless the ranges overlap. */
void report_versus(FILE *out, const struct result *results, uint32_t count);

#endif
