/*
 * report_versus.c - the comparison's table: one line a load, servers side by side.
 */
#include <string.h>

#include "report.h"

enum { COLUMNS_MAX = 32 };

struct column {
    const char *server;
    int shards;
};

static bool same_load(const struct result *a, const struct result *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->transport, b->transport) == 0 &&
           a->pipeline == b->pipeline;
}

static uint32_t find_columns(const struct result *results, uint32_t count, struct column *columns)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < found && (strcmp(columns[k].server, results[i].server) != 0 ||
                             columns[k].shards != results[i].shards))
            k++;
        if (k == found && found < COLUMNS_MAX)
            columns[found++] = (struct column){ results[i].server, results[i].shards };
    }
    return found;
}

static const struct result *cell(const struct result *results, uint32_t count,
                                 const struct result *load, const struct column *column)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        if (same_load(r, load) && strcmp(r->server, column->server) == 0 &&
            r->shards == column->shards)
            return r;
    }
    return NULL;
}

static void print_head(FILE *out, const struct column *columns, uint32_t n)
{
    char name[64];
    fprintf(out, "%-20s %4s %4s", "", "", "P");
    for (uint32_t i = 0; i < n; i++) {
        if (columns[i].shards > 0)
            snprintf(name, sizeof(name), "%s x%d", columns[i].server, columns[i].shards);
        else
            snprintf(name, sizeof(name), "%s", columns[i].server);
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
    const struct result *best = n > 1 ? winner(cells, n, figure) : NULL;
    if (n > 1)
        fprintf(out, "   %s", best ? best->server : "none: ranges overlap");
    if (best != NULL && best->shards > 0)
        fprintf(out, " x%d", best->shards);
    fputc('\n', out);
}

static void print_figure(FILE *out, const struct result *results, uint32_t count,
                         enum figure figure)
{
    struct column columns[COLUMNS_MAX];
    const struct result *cells[COLUMNS_MAX];
    uint32_t n = find_columns(results, count, columns);
    print_head(out, columns, n);
    for (uint32_t i = 0; i < count; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i; k++)
            first = first && !same_load(&results[k], &results[i]);
        if (!first)
            continue;
        for (uint32_t k = 0; k < n; k++)
            cells[k] = cell(results, count, &results[i], &columns[k]);
        fprintf(out, "%-20s %4s %4d", results[i].name, results[i].transport, results[i].pipeline);
        print_row(out, cells, n, figure);
    }
}

void report_versus(FILE *out, const struct result *results, uint32_t count)
{
    char note[512];
    fputs("server CPU, us per request: median (lowest-highest)\n", out);
    print_figure(out, results, count, FIGURE_CPU);
    fputs("\nthroughput, thousand requests/s\n", out);
    print_figure(out, results, count, FIGURE_THROUGHPUT);
    for (uint32_t i = 0; i < count; i++) {
        result_note(&results[i], note, sizeof(note));
        if (note[0] != '\0')
            fprintf(out, "note: %s %s %s P%d: %s\n", results[i].server, results[i].name,
                    results[i].transport, results[i].pipeline, note);
    }
}
