/*
 * report_balance.c - whether the server's threads share the work: CPU of each during a run.
 */
#include <string.h>

#include "report_charts.h"

enum { THREADS_SHOWN = 16 };

/* Threads that did next to nothing say nothing about balance. */
static const double SHARE_MIN = 0.005;

static uint32_t thread_bars(const struct result *result, uint32_t colour, struct bar *bars)
{
    static char group[RESULT_NAME_MAX + 64];
    const struct cpu_usage *cpu = &result_median(result)->cpu;
    uint32_t n = 0;
    snprintf(group, sizeof(group), "%s, pipeline %d", result->name, result->pipeline);
    for (uint32_t i = 0; i < cpu->threads && n < THREADS_SHOWN; i++) {
        double share = (double)cpu->thread[i].run_ns / 1e9 / cpu->wall_s;
        if (share >= SHARE_MIN)
            bars[n++] = (struct bar){ group, cpu->thread[i].name, share, share, share, colour };
    }
    return n;
}

static bool is_last_of_server(const struct result *results, uint32_t count, uint32_t index)
{
    for (uint32_t i = index + 1; i < count; i++) {
        if (strcmp(results[i].server, results[index].server) == 0 &&
            results[i].shards == results[index].shards)
            return false;
    }
    return true;
}

void charts_balance(FILE *out, const struct result *results, uint32_t count)
{
    struct bar bars[THREADS_SHOWN];
    char heading[RESULT_NAME_MAX];
    uint32_t colour = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_last_of_server(results, count, i) || !result_median(&results[i])->cpu.known)
            continue;
        uint32_t n = thread_bars(&results[i], colour++, bars);
        if (n == 0)
            continue;
        charts_series_name(&results[i], heading);
        chart_figure_begin(out, results[i].server[0] ? heading : "server",
                           "CPU share of each thread");
        chart_bars(out, UNIT_SHARE, bars, n);
        chart_figure_end(out);
    }
}
