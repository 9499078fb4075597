/*
 * report_latency.c - how latency is distributed, and how it went over time.
 */
#include <math.h>
#include <string.h>

#include "report_charts.h"

enum { CURVE_POINTS = 160 };

/* The lines of one drawing: the servers under one load, or all tests when there is one server. */
static uint32_t find_lines(const struct result *results, uint32_t count, uint32_t first,
                           const struct result *lines[SERIES_MAX])
{
    uint32_t found = 0;
    if (results[first].server[0] != '\0')
        return charts_group(results, count, first, lines);
    for (uint32_t i = 0; i < count && found < SERIES_MAX; i++)
        lines[found++] = &results[i];
    return found;
}

static bool begins_drawing(const struct result *results, uint32_t index)
{
    return results[index].server[0] == '\0' ? index == 0 : charts_is_first(results, index, true);
}

static void figure_begin(FILE *out, const struct result *const *lines, uint32_t n,
                         const char *remark)
{
    static char text[SERIES_MAX][RESULT_NAME_MAX];
    const char *names[SERIES_MAX];
    char heading[CHARTS_HEADING_MAX + 32] = "Latency";
    if (lines[0]->server[0] != '\0') {
        charts_heading(lines[0], heading);
        size_t used = strlen(heading);
        snprintf(heading + used, sizeof(heading) - used, ", pipeline %d", lines[0]->pipeline);
    }
    for (uint32_t i = 0; i < n; i++) {
        charts_series_name(lines[i], text[i]);
        names[i] = text[i];
    }
    chart_figure_begin(out, heading, remark);
    chart_legend(out, n, names);
}

/* ---- percentiles --------------------------------------------------------- */

/* How many nines a count can show: the last one needs ten values above it. */
static double nines_max(const struct result *const *lines, uint32_t n)
{
    double nines = 2;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t values = result_median(lines[i])->latency->count;
        nines = fmax(nines, values > 10 ? log10((double)values / 10) : 2);
    }
    return fmin(nines, 6);
}

static uint32_t curve(const struct histogram *h, double nines, double *x, double *y)
{
    uint32_t n = 0;
    for (int i = 0; i <= CURVE_POINTS; i++) {
        double fraction = 1 - pow(10, -nines * i / CURVE_POINTS);
        if (i > 0 && (1 - fraction) * (double)h->count < 1)
            break;
        x[n] = fraction;
        y[n++] = (double)histogram_value_at(h, fraction);
    }
    return n;
}

static void draw_percentiles(FILE *out, const struct result *const *lines, uint32_t n)
{
    double x[CHART_POINTS_MAX], y[CHART_POINTS_MAX], nines = nines_max(lines, n);
    struct chart chart = { .out = out,
                           .x = { SCALE_NINES, UNIT_PERCENTILE, 0, 1 - pow(10, -nines),
                                  "percentile" },
                           .y = { SCALE_LOG, UNIT_NS, 1e12, 1, "" } };
    for (uint32_t i = 0; i < n; i++) {
        const struct histogram *h = result_median(lines[i])->latency;
        uint32_t points = curve(h, nines, x, y);
        chart.y.low = fmin(chart.y.low, fmax(y[0], 100));
        chart.y.high = fmax(chart.y.high, y[points - 1]);
    }
    figure_begin(out, lines, n, "latency by percentile, median run");
    chart_begin(&chart);
    for (uint32_t i = 0; i < n; i++)
        chart_line(&chart, i, curve(result_median(lines[i])->latency, nines, x, y), x, y, 0);
    chart_end(&chart);
    chart_figure_end(out);
}

void charts_percentiles(FILE *out, const struct result *results, uint32_t count)
{
    const struct result *lines[SERIES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (begins_drawing(results, i))
            draw_percentiles(out, lines, find_lines(results, count, i, lines));
    }
}

/* ---- over time ----------------------------------------------------------- */

static uint32_t timeline(const struct series *series, double fraction, double *x, double *y)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < series->used; i++) {
        if (series_count(series, i) == 0)
            continue;
        x[n] = ((double)i + 0.5) * (double)series->interval_ns / 1e9;
        y[n++] = (double)series_value_at(series, i, fraction);
    }
    return n;
}

static void draw_over_time(FILE *out, const struct result *const *lines, uint32_t n)
{
    double x[CHART_POINTS_MAX], y[CHART_POINTS_MAX];
    struct chart chart = { .out = out,
                           .x = { SCALE_LINEAR, UNIT_SECONDS, 0, 0, "time" },
                           .y = { SCALE_LOG, UNIT_NS, 1e12, 1, "" } };
    for (uint32_t i = 0; i < n; i++) {
        const struct series *series = &result_median(lines[i])->series;
        for (int p99 = 0; p99 <= 1; p99++) {
            uint32_t points = timeline(series, p99 ? 0.99 : 0.5, x, y);
            for (uint32_t k = 0; k < points; k++) {
                chart.x.high = fmax(chart.x.high, x[k] * 1.02);
                chart.y.low = fmin(chart.y.low, fmax(y[k], 100));
                chart.y.high = fmax(chart.y.high, y[k]);
            }
        }
    }
    if (chart.x.high <= 0)
        return;
    figure_begin(out, lines, n, "p99 over time, thin: p50; median run");
    chart_begin(&chart);
    for (uint32_t i = 0; i < n; i++) {
        const struct series *series = &result_median(lines[i])->series;
        chart_minor_line(&chart, i, timeline(series, 0.5, x, y), x, y);
        chart_line(&chart, i, timeline(series, 0.99, x, y), x, y, 0);
    }
    chart_end(&chart);
    chart_figure_end(out);
}

void charts_over_time(FILE *out, const struct result *results, uint32_t count)
{
    const struct result *lines[SERIES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (begins_drawing(results, i))
            draw_over_time(out, lines, find_lines(results, count, i, lines));
    }
}
