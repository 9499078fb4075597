/*
 * counters.c - the table of a reactor's counters, and its form in the documentation.
 */
#include "shoal/stats/counters.h"

#include "shoal/base/must.h"
#include "shoal/stats/stats.h"

#define ROW(member, section, name, kind, help)                                                     \
    { section, name, offsetof(struct reactor_stats, member), kind, help },
#define KEYSPACE_ROW(member, ...) ROW(keyspace.member, __VA_ARGS__)

static const struct counter_row rows[] = { STATS_COUNTERS(ROW, KEYSPACE_ROW) };

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

uint32_t counters_count(void)
{
    return ROWS;
}

const struct counter_row *counters_at(uint32_t i)
{
    must(i < ROWS);
    return &rows[i];
}

void counters_print_markdown(FILE *out)
{
    static const char *const after_reset[] = {
        [COUNTER_EVENTS] = "0",
        [COUNTER_TOTAL] = "unchanged: a total",
        [COUNTER_STATE] = "unchanged: a state",
    };
    fputs("| section | field | after RESETSTAT | |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < ROWS; i++)
        fprintf(out, "| %s | `%s` | %s | %s |\n", rows[i].section, rows[i].name,
                after_reset[rows[i].kind], rows[i].help);
}
