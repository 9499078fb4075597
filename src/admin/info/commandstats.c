/*
 * commandstats.c - INFO: calls, times and errors by command, summed over the reactors.
 */
#include "shoal/base/clock.h"
#include "shoal/stats/latency_histogram.h"

#include "sections.h"

#include <string.h>

enum { ERROR_NAMES_MAX = 512 };

void command_figures_read(const struct reactor *here, uint32_t id, struct command_figures *figures)
{
    uint64_t ticks = 0;
    memset(figures, 0, sizeof(*figures));
    for (uint32_t i = 0; i < here->count; i++) {
        const struct command_stats *stats = &here->peer[i]->stats->command[id];
        figures->calls += counter_get(&stats->calls);
        figures->rejected += counter_get(&stats->rejected);
        figures->failed += counter_get(&stats->failed);
        ticks += counter_get(&stats->ticks);
        for (int b = 0; b < LATENCY_BUCKETS; b++)
            figures->latency[b] += counter_get(&stats->latency[b]);
    }
    figures->us = clock_ticks_to_ns(ticks) / 1000;
}

void info_commandstats(struct info *info)
{
    struct command_figures figures;
    for (uint32_t id = 0; id < registry_count(); id++) {
        command_figures_read(info->here, id, &figures);
        if (figures.calls + figures.rejected + figures.failed == 0)
            continue;
        info_add(info,
                 "cmdstat_%s:calls=%lu,usec=%lu,usec_per_call=%.2f,rejected_calls=%lu,"
                 "failed_calls=%lu\r\n",
                 registry_at(id)->full_name, (unsigned long)figures.calls,
                 (unsigned long)figures.us, ratio_of(figures.us, figures.calls),
                 (unsigned long)figures.rejected, (unsigned long)figures.failed);
    }
}

/* ---- errors -------------------------------------------------------------- */

struct error_sums {
    uint32_t count;
    const char *name[ERROR_NAMES_MAX];
    uint64_t sum[ERROR_NAMES_MAX];
};

static void error_add(struct error_sums *sums, const char *name, uint64_t count)
{
    uint32_t i = 0;
    while (i < sums->count && strcmp(sums->name[i], name) != 0)
        i++;
    if (i == ERROR_NAMES_MAX)
        return;
    if (i == sums->count) {
        sums->name[i] = name;
        sums->sum[i] = 0;
        sums->count++;
    }
    sums->sum[i] += count;
}

void info_errorstats(struct info *info)
{
    struct error_sums sums = { .count = 0 };
    for (uint32_t i = 0; i < info->here->count; i++) {
        const struct reactor_stats *stats = info->here->peer[i]->stats;
        uint64_t names = counter_published(&stats->error_names);
        for (uint64_t e = 0; e < names; e++) {
            uint64_t count = counter_get(&stats->errors[e].count);
            if (count > 0)
                error_add(&sums, stats->errors[e].name, count);
        }
    }
    for (uint32_t i = 0; i < sums.count; i++)
        info_add(info, "errorstat_%s:count=%lu\r\n", sums.name[i], (unsigned long)sums.sum[i]);
}

/* ---- latencies ----------------------------------------------------------- */

static void add_percentiles(struct info *info, uint32_t id, const struct command_figures *figures)
{
    const struct settings *settings = info->settings;
    info_add(info, "latency_percentiles_usec_%s:", registry_at(id)->full_name);
    for (int i = 0; i < settings->latency_percentile_count; i++) {
        double percentile = settings->latency_percentiles[i];
        uint64_t ticks = latency_percentile_ticks(figures->latency, percentile);
        info_add(info, "%sp%g=%.3f", i > 0 ? "," : "", percentile,
                 (double)clock_ticks_to_ns(ticks) / 1000);
    }
    info_add(info, "\r\n");
}

void info_latencystats(struct info *info)
{
    struct command_figures figures;
    for (uint32_t id = 0; id < registry_count() && info->settings->latency_tracking; id++) {
        command_figures_read(info->here, id, &figures);
        if (figures.calls > 0)
            add_percentiles(info, id, &figures);
    }
}
