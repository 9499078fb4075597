/*
 * report_html.c - the page around the charts: one file, no scripts, no requests, light and dark.
 */
#include "report_charts.h"

static const char STYLE[] =
    ":root{color-scheme:light dark;--bg:#fff;--card:#f7f8fa;--fg:#1c2330;--weak:#6a7486;"
    "--line:#dde1e8;--c0:#2463c9;--c1:#d9702b;--c2:#1f9d70;--c3:#9a4fc4;--c4:#c23b5e;--c5:#7d7f2c;"
    "--c6:#2697b5;--c7:#7a6455}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1a1f28;--fg:#e4e8ef;--weak:#"
    "97a1b2;"
    "--line:#2d3440;--c0:#6fa3ff;--c1:#f29b5f;--c2:#4fd0a0;--c3:#c891ea;--c4:#f07a98;--c5:#c5c76a;"
    "--c6:#67cfe8;--c7:#c3ab98}}\n"
    "body{margin:0 auto;max-width:1240px;padding:28px 24px;background:var(--bg);color:var(--fg);"
    "font:15px/1.5 system-ui,'Segoe UI','Helvetica Neue',Arial,'Liberation Sans',sans-serif}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 10px}"
    ".facts{color:var(--weak);margin:0}code{font:13px/1.5 ui-monospace,'Liberation Mono',monospace;"
    "overflow-wrap:anywhere}\n"
    ".grid2{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:"
    "18px}\n"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "padding:14px 16px}figcaption{font-weight:600}small{color:var(--weak);font-weight:400;"
    "font-size:13px;margin-left:4px}\n"
    ".legend{margin:4px 0;font-size:13px;display:flex;flex-wrap:wrap;gap:2px 16px}.legend i{"
    "display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;"
    "vertical-align:-1px}\n"
    "svg{display:block;width:100%;height:auto;margin-top:6px}svg "
    "text{fill:var(--fg);font-size:12px}"
    "svg .label,svg .weak{fill:var(--weak)}svg .group{font-weight:600}\n"
    ".grid{stroke:var(--line);fill:none}.line{fill:none;stroke-width:2.2;stroke-linejoin:round}"
    ".minor{fill:none;stroke-width:1;opacity:.75}.range{stroke:var(--fg);fill:none;stroke-width:1."
    "2;"
    "opacity:.8}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}"
    "th,td{padding:5px 10px;text-align:right;border-bottom:1px solid "
    "var(--line);white-space:nowrap}"
    "th{color:var(--weak);font-weight:500}th.t,td.t{text-align:left}td.note{white-space:normal;"
    "color:var(--weak);text-align:left}.wide{overflow-x:auto}\n";

static void style_colours(FILE *out)
{
    for (int i = 0; i < CHART_COLOURS; i++)
        fprintf(out,
                "rect.c%d,circle.c%d{fill:var(--c%d)}i.c%d{background:var(--c%d)}path.c%d{stroke:"
                "var(--c%d)}\n",
                i, i, i, i, i, i, i);
}

static void head(FILE *out, const char *title, const struct environment *e)
{
    fputs("<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
          "<meta name=viewport content='width=device-width,initial-scale=1'>\n<title>",
          out);
    chart_text(out, title);
    fputs("</title>\n<style>\n", out);
    fputs(STYLE, out);
    style_colours(out);
    fputs("</style></head><body>\n<h1>", out);
    chart_text(out, title);
    fprintf(out, "</h1>\n<p class=facts>%s · ", e->date);
    chart_text(out, e->cpu);
    fprintf(out, ", %d CPU%s · ", e->cpus, e->cpus == 1 ? "" : "s");
    chart_text(out, e->kernel);
    fputs("<br><code>", out);
    chart_text(out, e->command);
    fputs("</code></p>\n", out);
}

static void number(FILE *out, enum chart_unit unit, double value, bool known)
{
    char text[32] = "–";
    if (known)
        chart_format(text, unit, value);
    fprintf(out, "<td>%s", text);
}

static void row(FILE *out, const struct result *r)
{
    static const enum figure latencies[] = { FIGURE_P50, FIGURE_P99, FIGURE_P999, FIGURE_MAX };
    char name[RESULT_NAME_MAX], note[512];
    struct spread rate = result_spread(r, FIGURE_THROUGHPUT), cpu = result_spread(r, FIGURE_CPU);
    double user = result_spread(r, FIGURE_CPU_USER).median;
    charts_series_name(r, name);
    result_note(r, note, sizeof(note));
    fputs("<tr><td class=t>", out);
    chart_text(out, r->server[0] ? name : "");
    fputs("<td class=t>", out);
    chart_text(out, r->name);
    fprintf(out, "<td class=t>%s<td>%d", r->transport, r->pipeline);
    number(out, UNIT_RATE, rate.median, true);
    number(out, UNIT_US, cpu.median, cpu.median > 0);
    number(out, UNIT_US, user, cpu.median > 0);
    number(out, UNIT_US, cpu.median - user, cpu.median > 0);
    for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++)
        number(out, UNIT_NS, result_spread(r, latencies[i]).median * 1e6,
               !r->open_loop || result_median(r)->sustained);
    fputs("<td class=note>", out);
    chart_text(out, note);
    fputc('\n', out);
}

static void table(FILE *out, const struct result *results, uint32_t count)
{
    fprintf(out,
            "<h2>All figures</h2>\n<div class=wide><table><tr><th class=t>server<th "
            "class=t>test<th class=t>"
            "transport<th>pipeline<th>requests/s<th>CPU/request<th>user<th>system<th>p50<th>p99<th>"
            "p99.9<th>max<th class=t>note\n");
    for (uint32_t i = 0; i < count; i++)
        row(out, &results[i]);
    fprintf(out,
            "</table></div>\n<p class=facts>Medians of %u run%s; ranges in the charts are the "
            "lowest and the "
            "highest run.</p>\n",
            count ? results[0].runs : 0, count && results[0].runs == 1 ? "" : "s");
}

typedef void section_fn(FILE *out, const struct result *results, uint32_t count);

static void section(FILE *out, const char *heading, section_fn *draw, const struct result *results,
                    uint32_t count)
{
    fprintf(out, "<h2>%s</h2>\n<div class=grid2>\n", heading);
    draw(out, results, count);
    fputs("</div>\n", out);
}

static void cpu_bars(FILE *out, const struct result *results, uint32_t count)
{
    charts_bars(out, results, count, FIGURE_CPU);
}

static void rate_bars(FILE *out, const struct result *results, uint32_t count)
{
    charts_bars(out, results, count, FIGURE_THROUGHPUT);
}

static void cpu_and_rate_bars(FILE *out, const struct result *results, uint32_t count)
{
    cpu_bars(out, results, count);
    rate_bars(out, results, count);
}

static void shard_lines(FILE *out, const struct result *results, uint32_t count)
{
    charts_shards(out, results, count, FIGURE_THROUGHPUT);
    charts_shards(out, results, count, FIGURE_CPU);
}

static void latency_both(FILE *out, const struct result *results, uint32_t count)
{
    charts_percentiles(out, results, count);
    charts_over_time(out, results, count);
}

void report_html(FILE *out, const char *title, const struct environment *environment,
                 const struct result *results, uint32_t count)
{
    bool cpu = count > 0 && result_median(&results[0])->cpu.known;
    char caveat[REPORT_CAVEAT_MAX];
    head(out, title ? title : "Load test", environment);
    report_caveat(results, count, caveat);
    if (caveat[0] != '\0')
        fprintf(out, "<p><strong>Note:</strong> %s</p>\n", caveat);
    if (charts_has_shards(results, count))
        section(out, "Shards", shard_lines, results, count);
    if (count > 0 && results[0].server[0] == '\0') {
        section(out, "Throughput", cpu ? cpu_and_rate_bars : rate_bars, results, count);
        section(out, "Latency", latency_both, results, count);
    } else {
        if (cpu)
            section(out, "Server CPU per request", cpu_bars, results, count);
        section(out, "Throughput", rate_bars, results, count);
        section(out, "Latency percentiles", charts_percentiles, results, count);
        section(out, "Latency over time", charts_over_time, results, count);
    }
    if (cpu)
        section(out, "Balance of the server's threads", charts_balance, results, count);
    table(out, results, count);
    fputs("</body></html>\n", out);
}
