/*
 * report_json.c - everything that was measured, for programs.
 *
 * Units are in the names. Server CPU is absent where it is unknown, latencies of a rate that was
 * not sustained are there but marked.
 */
#include <inttypes.h>
#include <math.h>

#include "report.h"

static void text(FILE *out, const char *value)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void percentiles(FILE *out, const char *name, const struct histogram *h)
{
    static const double fractions[] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999 };
    fprintf(out,
            ",\"%s\":{\"count\":%" PRIu64 ",\"min\":%" PRIu64 ",\"mean\":%.1f,\"max\":%" PRIu64,
            name, h->count, h->count ? h->min : 0, histogram_mean(h), h->max);
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++)
        fprintf(out, ",\"p%g\":%" PRIu64, fractions[i] * 100, histogram_value_at(h, fractions[i]));
    fputc('}', out);
}

static void server_cpu(FILE *out, const struct outcome *o)
{
    if (!o->cpu.known)
        return;
    double us = outcome_cpu_us(o), share = o->cpu.seconds > 0 ? o->cpu.user_s / o->cpu.seconds : 0;
    fprintf(out, ",\"server_cpu_us\":%.5f,\"server_user_us\":%.5f,\"server_system_us\":%.5f", us,
            us * share, us * (1 - share));
    fputs(",\"server_threads\":[", out);
    for (uint32_t i = 0; i < o->cpu.threads; i++) {
        fprintf(out, "%s{\"name\":", i ? "," : "");
        text(out, o->cpu.thread[i].name);
        fprintf(out, ",\"cpu_share\":%.4f}", (double)o->cpu.thread[i].run_ns / 1e9 / o->cpu.wall_s);
    }
    fputc(']', out);
}

static void over_time(FILE *out, const struct series *series)
{
    fprintf(out, ",\"over_time\":{\"interval_ms\":%" PRIu64 ",\"points\":[",
            series->interval_ns / 1000000);
    for (uint32_t i = 0; i < series->used; i++)
        fprintf(out, "%s{\"count\":%" PRIu64 ",\"p50_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64 "}",
                i ? "," : "", series_count(series, i), series_value_at(series, i, 0.5),
                series_value_at(series, i, 0.99));
    fputs("]}", out);
}

static void one_run(FILE *out, const struct result *result, const struct outcome *o)
{
    fprintf(out, "{\"seconds\":%.6f,\"requests\":%" PRIu64 ",\"requests_per_s\":%.2f", o->seconds,
            o->tally.replies, o->throughput);
    if (result->open_loop)
        fprintf(out, ",\"offered_per_s\":%.2f,\"sustained\":%s", o->offered,
                o->sustained ? "true" : "false");
    fprintf(out, ",\"errors\":%" PRIu64 ",\"hits\":%" PRIu64 ",\"misses\":%" PRIu64,
            o->tally.errors, o->tally.hits, o->tally.misses);
    fprintf(out, ",\"unanswered\":%" PRIu64 ",\"connections_lost\":%" PRIu64, o->tally.unanswered,
            o->tally.closed);
    fprintf(out, ",\"client_busy\":%.4f,\"client_bound\":%s", o->client_busy,
            o->client_bound ? "true" : "false");
    server_cpu(out, o);
    percentiles(out, "latency_ns", o->latency);
    if (result->open_loop)
        percentiles(out, "service_ns", o->service);
    over_time(out, &o->series);
    fputc('}', out);
}

static void spread(FILE *out, const char *name, struct spread s)
{
    fprintf(out, ",\"%s\":{\"median\":%.6g,\"low\":%.6g,\"high\":%.6g}", name, s.median, s.low,
            s.high);
}

static void one_result(FILE *out, const struct result *r)
{
    char note[512];
    result_note(r, note, sizeof(note));
    fputs("{\"test\":", out);
    text(out, r->name);
    fputs(",\"server\":", out);
    text(out, r->server);
    fputs(",\"version\":", out);
    text(out, r->version);
    fprintf(out,
            ",\"transport\":\"%s\",\"pipeline\":%d,\"clients\":%d,\"threads\":%d,\"shards\":%d",
            r->transport, r->pipeline, r->clients, r->threads, r->shards);
    spread(out, "requests_per_s", result_spread(r, FIGURE_THROUGHPUT));
    spread(out, "p50_ms", result_spread(r, FIGURE_P50));
    spread(out, "p99_ms", result_spread(r, FIGURE_P99));
    spread(out, "p99_9_ms", result_spread(r, FIGURE_P999));
    if (result_spread(r, FIGURE_CPU).median > 0)
        spread(out, "server_cpu_us", result_spread(r, FIGURE_CPU));
    fputs(",\"note\":", out);
    text(out, note);
    fputs(",\"runs\":[", out);
    for (uint32_t i = 0; i < r->runs; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        one_run(out, r, &r->run[i]);
    }
    fputs("]}", out);
}

void report_json(FILE *out, const struct environment *e, const struct result *results,
                 uint32_t count)
{
    char caveat[REPORT_CAVEAT_MAX];
    fputs("{\"cpu\":", out);
    text(out, e->cpu);
    fprintf(out, ",\"cpus\":%d,\"kernel\":", e->cpus);
    text(out, e->kernel);
    fputs(",\"date\":", out);
    text(out, e->date);
    fputs(",\"command\":", out);
    text(out, e->command);
    report_caveat(results, count, caveat);
    fputs(",\"caveat\":", out);
    text(out, caveat);
    fputs(",\"results\":[", out);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? ",\n " : "\n ", out);
        one_result(out, &results[i]);
    }
    fputs("]}\n", out);
}
