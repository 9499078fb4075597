/*
 * report_bars.c - throughput and CPU per request against pipeline, and against shards.
 */
#include <math.h>
#include <string.h>

#include "report_charts.h"

static bool same_test(const struct result *a, const struct result *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->transport, b->transport) == 0;
}

bool charts_is_first(const struct result *results, uint32_t index, bool all)
{
    for (uint32_t i = 0; i < index; i++) {
        if (same_test(&results[i], &results[index]) &&
            (!all || results[i].pipeline == results[index].pipeline))
            return false;
    }
    return true;
}

uint32_t charts_group(const struct result *results, uint32_t count, uint32_t first,
                      const struct result *members[SERIES_MAX])
{
    uint32_t found = 0;
    for (uint32_t i = first; i < count && found < SERIES_MAX; i++) {
        if (same_test(&results[i], &results[first]) &&
            results[i].pipeline == results[first].pipeline)
            members[found++] = &results[i];
    }
    return found;
}

void charts_series_name(const struct result *r, char *out)
{
    if (r->server[0] == '\0')
        snprintf(out, RESULT_NAME_MAX, "%s", r->name);
    else
        result_server(r, out);
}

/* Whether two results share a figure of bars: a test over one transport, or everything when there
 * is one server. */
static bool same_figure(const struct result *a, const struct result *b)
{
    return same_test(a, b) || (a->server[0] == '\0' && b->server[0] == '\0');
}

static enum chart_unit unit_of(enum figure figure)
{
    return figure == FIGURE_CPU ? UNIT_US : UNIT_RATE;
}

void charts_heading(const struct result *first, char *out)
{
    out[0] = '\0';
    if (first->server[0] != '\0')
        snprintf(out, CHARTS_HEADING_MAX, "%s over %s", first->name,
                 strcmp(first->transport, "unix") == 0 ? "a Unix socket" : "TCP");
}

void charts_collect_bars(const struct result *results, uint32_t count, uint32_t first,
                         enum figure figure, struct bar_set *set)
{
    const struct result *members[SERIES_MAX];
    set->count = 0;
    for (uint32_t i = first; i < count; i++) {
        if (!same_figure(&results[i], &results[first]) || !charts_is_first(results, i, true))
            continue;
        uint32_t size = charts_group(results, count, i, members);
        for (uint32_t k = 0; k < size && set->count < BARS_MAX; k++) {
            uint32_t n = set->count++;
            struct spread s = result_spread(members[k], figure);
            charts_series_name(members[k], set->name[n]);
            snprintf(set->group[n], sizeof(set->group[n]), "pipeline %d", members[k]->pipeline);
            set->bar[n] = (struct bar){ set->group[n], set->name[n], s.median, s.low, s.high, k };
        }
    }
}

bool charts_begins_bars(const struct result *results, uint32_t index)
{
    bool more = index > 0 && results[index].server[0] == '\0';
    return !more && charts_is_first(results, index, false);
}

void charts_bars(FILE *out, const struct result *results, uint32_t count, enum figure figure)
{
    static struct bar_set set;
    char heading[CHARTS_HEADING_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (!charts_begins_bars(results, i))
            continue;
        charts_collect_bars(results, count, i, figure, &set);
        charts_heading(&results[i], heading);
        chart_figure_begin(out, heading,
                           figure == FIGURE_CPU ? "server CPU per request, less is better"
                                                : "requests per second, more is better");
        chart_bars(out, unit_of(figure), set.bar, set.count);
        chart_figure_end(out);
    }
}

/* ---- against shards ------------------------------------------------------ */

bool charts_has_shards(const struct result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (same_test(&results[i], &results[k]) && results[i].shards > 0 &&
                results[k].shards > 0 && strcmp(results[i].server, results[k].server) == 0 &&
                results[i].shards != results[k].shards)
                return true;
        }
    }
    return false;
}

/* One line: a server at one pipeline, its shard counts in the order they were given. */
static uint32_t line_points(const struct result *results, uint32_t count, const struct result *like,
                            enum figure figure, double *x, double *y)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count && n < CHART_POINTS_MAX; i++) {
        const struct result *r = &results[i];
        if (!same_test(r, like) || strcmp(r->server, like->server) != 0 ||
            r->pipeline != like->pipeline || r->shards == 0)
            continue;
        x[n] = r->shards;
        y[n++] = result_spread(r, figure).median;
    }
    return n;
}

static uint32_t find_lines(const struct result *results, uint32_t count, uint32_t first,
                           const struct result *lines[SERIES_MAX])
{
    uint32_t found = 0;
    for (uint32_t i = first; i < count && found < SERIES_MAX; i++) {
        bool known = !same_test(&results[i], &results[first]) || results[i].shards == 0;
        for (uint32_t k = 0; k < found && !known; k++)
            known = strcmp(lines[k]->server, results[i].server) == 0 &&
                    lines[k]->pipeline == results[i].pipeline;
        if (!known)
            lines[found++] = &results[i];
    }
    return found;
}

static void shards_of_test(FILE *out, const struct result *results, uint32_t count, uint32_t first,
                           enum figure figure)
{
    static char text[SERIES_MAX][64];
    const struct result *lines[SERIES_MAX];
    const char *names[SERIES_MAX] = { 0 };
    double x[CHART_POINTS_MAX], y[CHART_POINTS_MAX];
    char heading[CHARTS_HEADING_MAX];
    uint32_t n = find_lines(results, count, first, lines);
    struct chart chart = { .out = out,
                           .x = { SCALE_LINEAR, UNIT_PLAIN, 0, 1, "shards" },
                           .y = { SCALE_LINEAR, unit_of(figure), 0, 0, "" } };
    for (uint32_t i = 0; i < n; i++) {
        uint32_t points = line_points(results, count, lines[i], figure, x, y);
        for (uint32_t k = 0; k < points; k++) {
            chart.x.high = fmax(chart.x.high, x[k]);
            chart.y.high = fmax(chart.y.high, y[k]);
        }
        snprintf(text[i], sizeof(text[i]), "%s, pipeline %d", lines[i]->server, lines[i]->pipeline);
        names[i] = text[i];
    }
    if (n == 0)
        return;
    charts_heading(&results[first], heading);
    chart_figure_begin(out, heading,
                       figure == FIGURE_CPU ? "server CPU per request against shards"
                                            : "requests per second against shards");
    chart_legend(out, n, names);
    chart_begin(&chart);
    for (uint32_t i = 0; i < n; i++)
        chart_line(&chart, i, line_points(results, count, lines[i], figure, x, y), x, y, 1);
    chart_end(&chart);
    chart_figure_end(out);
}

void charts_shards(FILE *out, const struct result *results, uint32_t count, enum figure figure)
{
    for (uint32_t i = 0; i < count; i++) {
        if (charts_is_first(results, i, false))
            shards_of_test(out, results, count, i, figure);
    }
}
