/*
 * report_charts.h - the charts of the HTML report, each family in its own file. Thread: main.
 */
#ifndef BENCH_REPORT_CHARTS_H
#define BENCH_REPORT_CHARTS_H

#include "chart.h"
#include "report.h"

enum { SERIES_MAX = 32 };

/* Results of one load (test, transport, pipeline), in order; returns how many of them `members`
 * holds. */
uint32_t charts_group(const struct result *results, uint32_t count, uint32_t first,
                      const struct result *members[SERIES_MAX]);

/* Whether no result before `index` has the same load (all = false: the same test and transport). */
bool charts_is_first(const struct result *results, uint32_t index, bool all);

/* "shoal x2", or the test's name when there is one server only. Into out[RESULT_NAME_MAX]. */
void charts_series_name(const struct result *result, char *out);

enum { BARS_MAX = 128, CHARTS_HEADING_MAX = 160 };

/* The bars of one figure and the texts they point at. */
struct bar_set {
    uint32_t count;
    struct bar bar[BARS_MAX];
    char name[BARS_MAX][RESULT_NAME_MAX], group[BARS_MAX][32];
};

/* Whether a figure of bars begins with this result; what belongs to it; its heading, "" with one
 * server. */
bool charts_begins_bars(const struct result *results, uint32_t index);
void charts_collect_bars(const struct result *results, uint32_t count, uint32_t first,
                         enum figure figure, struct bar_set *set);
void charts_heading(const struct result *first, char *out);

/* report_bars.c: throughput and CPU per request as bars, by pipeline; against shards as lines. */
void charts_bars(FILE *out, const struct result *results, uint32_t count, enum figure figure);
void charts_shards(FILE *out, const struct result *results, uint32_t count, enum figure figure);
bool charts_has_shards(const struct result *results, uint32_t count);

/* report_latency.c: percentile curve on a log-nines axis, and median and p99 over time. */
void charts_percentiles(FILE *out, const struct result *results, uint32_t count);
void charts_over_time(FILE *out, const struct result *results, uint32_t count);

/* report_balance.c: CPU share of each of the server's threads. */
void charts_balance(FILE *out, const struct result *results, uint32_t count);

#endif
