/*
 * report_svg.c - the comparison in one picture, for a README: figures of bars in two columns.
 *
 * Stands alone: its own colours, light or dark as the viewer prefers, no fonts from elsewhere.
 */
#include "report_charts.h"

enum { MARGIN = 20, GAP = 24, HEAD = 74, CAVEAT_HEAD = 20, FIGURE_HEAD = 26 };

static const char STYLE[] =
    "text{font:12px system-ui,'Segoe UI','Helvetica Neue',Arial,'Liberation "
    "Sans',sans-serif;fill:#1c2330}"
    ".ground{fill:#fff}.title{font-size:20px;font-weight:600}.heading{font-size:14px;font-weight:"
    "600}"
    ".group{font-weight:600}.weak{fill:#6a7486}.range{stroke:#1c2330;fill:none;stroke-width:1.2;"
    "opacity:.8}"
    ".c0{fill:#2463c9}.c1{fill:#d9702b}.c2{fill:#1f9d70}.c3{fill:#9a4fc4}.c4{fill:#c23b5e}.c5{fill:"
    "#7d7f2c}"
    ".c6{fill:#2697b5}.c7{fill:#7a6455}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e8ef}.ground{fill:#12151b}.weak{fill:#97a1b2}"
    ".range{stroke:#e4e8ef}.c0{fill:#6fa3ff}.c1{fill:#f29b5f}.c2{fill:#4fd0a0}.c3{fill:#c891ea}"
    ".c4{fill:#f07a98}.c5{fill:#c5c76a}.c6{fill:#67cfe8}.c7{fill:#c3ab98}}";

static void head(FILE *out, const char *title, const struct environment *e, bool cpu,
                 const char *caveat, int height)
{
    int width = 2 * (BARS_WIDTH + MARGIN) + GAP;
    fprintf(out,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
            "role='img'>\n",
            width, height, width, height);
    fprintf(out, "<style>%s</style><rect class='ground' width='%d' height='%d'/>\n", STYLE, width,
            height);
    fprintf(out, "<text class='title' x='%d' y='34'>", MARGIN);
    chart_text(out, title);
    fprintf(out, "</text><text class='weak' x='%d' y='56'>%s · %s · ", MARGIN,
            cpu ? "server CPU per request, less is better" : "requests per second, more is better",
            e->date);
    chart_text(out, e->cpu);
    fprintf(out, ", %d CPUs · ", e->cpus);
    chart_text(out, e->kernel);
    fputs("</text>\n", out);
    if (caveat[0] != '\0')
        fprintf(out, "<text class='weak' x='%d' y='%d'>%s</text>\n", MARGIN, 56 + CAVEAT_HEAD,
                caveat);
}

/* Draws the figures from y on, or only finds where they end when out is NULL. */
static int draw(FILE *out, const struct result *results, uint32_t count, enum figure figure, int y)
{
    static struct bar_set set;
    char heading[CHARTS_HEADING_MAX];
    int row_height = 0, column = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!charts_begins_bars(results, i))
            continue;
        charts_collect_bars(results, count, i, figure, &set);
        charts_heading(&results[i], heading);
        int height = FIGURE_HEAD + chart_bars_height(set.bar, set.count),
            x = MARGIN + column * (BARS_WIDTH + GAP);
        if (out != NULL) {
            fprintf(out, "<text class='heading' x='%d' y='%d'>", x + MARGIN, y + 16);
            chart_text(out, heading);
            fputs("</text>\n", out);
            chart_bars_at(out, figure == FIGURE_CPU ? UNIT_US : UNIT_RATE, set.bar, set.count, x,
                          y + FIGURE_HEAD);
        }
        row_height = height > row_height ? height : row_height;
        column ^= 1;
        if (column == 0) {
            y += row_height + GAP;
            row_height = 0;
        }
    }
    return y + row_height;
}

void report_svg(FILE *out, const char *title, const struct environment *environment,
                const struct result *results, uint32_t count)
{
    bool cpu = count > 0 && result_median(&results[0])->cpu.known;
    enum figure figure = cpu ? FIGURE_CPU : FIGURE_THROUGHPUT;
    char caveat[REPORT_CAVEAT_MAX];
    report_caveat(results, count, caveat);
    int top = HEAD + (caveat[0] != '\0' ? CAVEAT_HEAD : 0);
    head(out, title ? title : "Load test", environment, cpu, caveat,
         draw(NULL, results, count, figure, top) + MARGIN);
    draw(out, results, count, figure, top);
    fputs("</svg>\n", out);
}
