/*
 * report_versus.c - the comparison's table: one line a load, servers side by side.
 */
#include <string.h>

#include "report.h"

enum { COLUMNS_MAX = 32 };

static bool same_load(const struct result *a, const struct result *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->transport, b->transport) == 0 &&
           a->pipeline == b->pipeline;
}

static bool same_server(const struct result *a, const struct result *b)
{
    return strcmp(a->server, b->server) == 0 && a->shards == b->shards;
}

/* The first result of each server. */
static uint32_t find_columns(const struct result *results, uint32_t count,
                             const struct result **columns)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < found && !same_server(columns[k], &results[i]))
            k++;
        if (k == found && found < COLUMNS_MAX)
            columns[found++] = &results[i];
    }
    return found;
}

static const struct result *cell(const struct result *results, uint32_t count,
                                 const struct result *load, const struct result *column)
{
    for (uint32_t i = 0; i < count; i++) {
        if (same_load(&results[i], load) && same_server(&results[i], column))
            return &results[i];
    }
    return NULL;
}

static void print_head(FILE *out, const struct result *const *columns, uint32_t n)
{
    char name[SERVER_TITLE_MAX];
    fprintf(out, "%-20s %4s %4s", "", "", "P");
    for (uint32_t i = 0; i < n; i++) {
        result_server(columns[i], name);
        fprintf(out, "  %22s", name);
    }
    if (n > 1)
        fprintf(out, "   first to each other  winner");
    fputc('\n', out);
}

/* The best cell, NULL when another one's range overlaps its range. */
static const struct result *winner(const struct result *const *cells, uint32_t n,
                                   enum figure figure)
{
    bool high_is_good = figure == FIGURE_THROUGHPUT;
    const struct result *best = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (cells[i] == NULL)
            continue;
        double median = result_spread(cells[i], figure).median;
        double lead = best ? result_spread(best, figure).median : 0;
        if (best == NULL || (high_is_good ? median > lead : median < lead))
            best = cells[i];
    }
    for (uint32_t i = 0; i < n && best != NULL; i++) {
        if (cells[i] == NULL || cells[i] == best)
            continue;
        struct spread a = result_spread(best, figure), b = result_spread(cells[i], figure);
        if (a.low <= b.high && b.low <= a.high)
            return NULL;
    }
    return best;
}

static void print_row(FILE *out, const struct result *const *cells, uint32_t n, enum figure figure)
{
    double unit = figure == FIGURE_THROUGHPUT ? 1e-3 : 1;
    for (uint32_t i = 0; i < n; i++) {
        if (cells[i] == NULL) {
            fprintf(out, "  %22s", "-");
            continue;
        }
        struct spread s = result_spread(cells[i], figure);
        fprintf(out, "  %8.3f (%5.4g-%5.4g)", s.median * unit, s.low * unit, s.high * unit);
    }
    double first = cells[0] ? result_spread(cells[0], figure).median : 0;
    for (uint32_t i = 1; i < n; i++) {
        double other = cells[i] ? result_spread(cells[i], figure).median : 0;
        if (other > 0 && first > 0)
            fprintf(out, "  %6.2f", first / other);
        else
            fprintf(out, "  %6s", "-");
    }
    char name[SERVER_TITLE_MAX] = "none: ranges overlap";
    const struct result *best = n > 1 ? winner(cells, n, figure) : NULL;
    if (best != NULL)
        result_server(best, name);
    if (n > 1)
        fprintf(out, "   %s", name);
    fputc('\n', out);
}

static void print_figure(FILE *out, const struct result *results, uint32_t count,
                         enum figure figure)
{
    const struct result *columns[COLUMNS_MAX], *cells[COLUMNS_MAX];
    uint32_t n = find_columns(results, count, columns);
    print_head(out, columns, n);
    for (uint32_t i = 0; i < count; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i; k++)
            first = first && !same_load(&results[k], &results[i]);
        if (!first)
            continue;
        for (uint32_t k = 0; k < n; k++)
            cells[k] = cell(results, count, &results[i], columns[k]);
        fprintf(out, "%-20s %4s %4d", results[i].name, results[i].transport, results[i].pipeline);
        print_row(out, cells, n, figure);
    }
}

void report_versus(FILE *out, const struct result *results, uint32_t count)
{
    char note[512], name[SERVER_TITLE_MAX], caveat[REPORT_CAVEAT_MAX];
    fputs("server CPU, us per request: median (lowest-highest)\n", out);
    print_figure(out, results, count, FIGURE_CPU);
    fputs("\nthroughput, thousand requests/s\n", out);
    print_figure(out, results, count, FIGURE_THROUGHPUT);
    for (uint32_t i = 0; i < count; i++) {
        result_note(&results[i], note, sizeof(note));
        result_server(&results[i], name);
        if (note[0] != '\0')
            fprintf(out, "note: %s %s %s P%d: %s\n", name, results[i].name, results[i].transport,
                    results[i].pipeline, note);
    }
    report_caveat(results, count, caveat);
    if (caveat[0] != '\0')
        fprintf(out, "note: %s\n", caveat);
}
