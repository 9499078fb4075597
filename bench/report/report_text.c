/*
 * report_text.c - the table at the end, the quiet lines and the comma-separated ones.
 */
#include <math.h>
#include <string.h>

#include "report.h"

enum { TITLE_MAX = RESULT_NAME_MAX + 64 };

void report_quiet(FILE *out, const struct result *result)
{
    char note[512];
    result_note(result, note, sizeof(note));
    fprintf(out, "%s: %.2f requests per second, p50=%.3f msec", result->name,
            result_spread(result, FIGURE_THROUGHPUT).median,
            result_spread(result, FIGURE_P50).median);
    double cpu = result_spread(result, FIGURE_CPU).median;
    if (cpu > 0)
        fprintf(out, ", server %.3f us/request", cpu);
    fprintf(out, "%s%s\n", note[0] ? "  # " : "", note);
}

/* redis-benchmark's columns first, so that what reads its CSV reads this. */
void report_csv_head(FILE *out)
{
    fputs("\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_"
          "ms\","
          "\"p99_latency_ms\",\"max_latency_ms\",\"p999_latency_ms\",\"server_cpu_us\",\"server_"
          "user_us\","
          "\"rps_low\",\"rps_high\",\"cpu_low\",\"cpu_high\",\"server\",\"transport\",\"shards\","
          "\"pipeline\",\"clients\",\"runs\",\"note\"\n",
          out);
}

void report_csv(FILE *out, const struct result *r)
{
    static const enum figure figures[] = { FIGURE_THROUGHPUT, FIGURE_MEAN, FIGURE_MIN,
                                           FIGURE_P50,        FIGURE_P95,  FIGURE_P99,
                                           FIGURE_MAX,        FIGURE_P999, FIGURE_CPU,
                                           FIGURE_CPU_USER };
    struct spread rps = result_spread(r, FIGURE_THROUGHPUT), cpu = result_spread(r, FIGURE_CPU);
    char note[512], caveat[REPORT_CAVEAT_MAX];
    report_caveat(r, 1, caveat);
    result_note(r, note, sizeof(note));
    for (char *c = note; *c != '\0'; c++)
        *c = *c == '"' ? '\'' : *c;
    fprintf(out, "\"%s\"", r->name);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        fprintf(out, ",\"%.4f\"", result_spread(r, figures[i]).median);
    fprintf(out, ",\"%.2f\",\"%.2f\",\"%.4f\",\"%.4f\"", rps.low, rps.high, cpu.low, cpu.high);
    fprintf(out, ",\"%s%s%s\",\"%s\",\"%d\",\"%d\",\"%d\",\"%u\",\"%s%s%s\"\n", r->server,
            r->version[0] ? " " : "", r->version, r->transport, r->shards, r->pipeline, r->clients,
            r->runs, note, note[0] && caveat[0] ? "; " : "", caveat);
}

static void print_rate(FILE *out, double rate)
{
    if (rate >= 1e6)
        fprintf(out, " %8.3f M", rate / 1e6);
    else
        fprintf(out, " %8.1f k", rate / 1e3);
}

/* Half the range in percent of the median, or spaces when there was one run. */
static void print_range(FILE *out, const struct result *result, struct spread spread)
{
    if (result->runs > 1 && spread.median > 0)
        fprintf(out, " ±%4.1f%%", 50 * (spread.high - spread.low) / spread.median);
    else
        fprintf(out, "       ");
}

static void print_cpu(FILE *out, const struct result *result)
{
    struct spread cpu = result_spread(result, FIGURE_CPU);
    double user = result_spread(result, FIGURE_CPU_USER).median;
    if (cpu.median > 0) {
        fprintf(out, " %8.3f", cpu.median);
        print_range(out, result, cpu);
        fprintf(out, " %7.3f %7.3f", user, cpu.median - user);
    } else {
        fprintf(out, " %8s        %7s %7s", "-", "-", "-");
    }
}

static void print_latencies(FILE *out, const struct result *result)
{
    static const enum figure figures[] = { FIGURE_P50, FIGURE_P99, FIGURE_P999, FIGURE_MAX };
    bool behind = result->open_loop && !result_median(result)->sustained;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (behind)
            fprintf(out, " %8s", "-");
        else
            fprintf(out, " %8.3f", result_spread(result, figures[i]).median);
    }
}

static void print_open_loop(FILE *out, const struct result *result)
{
    const struct outcome *o = result_median(result);
    if (!result->open_loop)
        return;
    fprintf(out, "  offered %.0f/s, achieved %.0f/s", o->offered, o->throughput);
    if (o->sustained)
        fprintf(out, "; service time p50 %.3f p99 %.3f p99.9 %.3f ms",
                (double)histogram_value_at(o->service, 0.5) / 1e6,
                (double)histogram_value_at(o->service, 0.99) / 1e6,
                (double)histogram_value_at(o->service, 0.999) / 1e6);
    fputs(o->sustained ? "\n" : "; rate not sustained\n", out);
}

/* "shoal x2 GET", or only the test's name when there is one server. */
static void result_title(const struct result *r, char *out, size_t size)
{
    char server[SERVER_TITLE_MAX];
    result_server(r, server);
    snprintf(out, size, "%s%s%s", server, server[0] ? " " : "", r->name);
}

static int name_width(const struct result *results, uint32_t count)
{
    size_t width = 8;
    for (uint32_t i = 0; i < count; i++) {
        char name[TITLE_MAX];
        result_title(&results[i], name, sizeof(name));
        size_t size = strlen(name);
        width = size > width ? size : width;
    }
    return (int)width;
}

void report_table(FILE *out, const struct result *results, uint32_t count)
{
    int width = name_width(results, count);
    char caveat[REPORT_CAVEAT_MAX];
    fprintf(out, "%-*s %4s %4s %10s        %8s        %7s %7s %8s %8s %8s %8s\n", width, "", "",
            "P", "requests/s", "CPU us", "user", "sys", "p50 ms", "p99", "p99.9", "max");
    for (uint32_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        char note[512], name[TITLE_MAX];
        struct spread rate = result_spread(r, FIGURE_THROUGHPUT);
        result_title(r, name, sizeof(name));
        fprintf(out, "%-*s %4s %4d", width, name, r->transport, r->pipeline);
        print_rate(out, rate.median);
        print_range(out, r, rate);
        print_cpu(out, r);
        print_latencies(out, r);
        fputc('\n', out);
        print_open_loop(out, r);
        result_note(r, note, sizeof(note));
        if (note[0] != '\0')
            fprintf(out, "  note: %s\n", note);
    }
    report_caveat(results, count, caveat);
    if (caveat[0] != '\0')
        fprintf(out, "note: %s\n", caveat);
}
