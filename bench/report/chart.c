/*
 * chart.c - axes, ticks and lines.
 */
#include "chart.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 560, HEIGHT = 300, LEFT = 66, RIGHT = 18, TOP = 12, BOTTOM = 46, TICKS = 5 };

static const double NINES[] = { 0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999 };

void chart_format(char *out, enum chart_unit unit, double value)
{
    double size = fabs(value);
    if (unit == UNIT_PERCENTILE)
        snprintf(out, 32, "%.6g%%", value * 100);
    else if (unit == UNIT_SHARE)
        snprintf(out, 32, "%.3g %%", value * 100);
    else if (unit == UNIT_US)
        snprintf(out, 32, "%.3g µs", value);
    else if (unit == UNIT_SECONDS)
        snprintf(out, 32, "%.3g s", value);
    else if (unit == UNIT_NS && size >= 1e9)
        snprintf(out, 32, "%.3g s", value / 1e9);
    else if (unit == UNIT_NS && size >= 1e6)
        snprintf(out, 32, "%.3g ms", value / 1e6);
    else if (unit == UNIT_NS)
        snprintf(out, 32, "%.3g µs", value / 1e3);
    else if (unit == UNIT_RATE && size >= 1e6)
        snprintf(out, 32, "%.3g M/s", value / 1e6);
    else if (unit == UNIT_RATE && size >= 1e3)
        snprintf(out, 32, "%.3g k/s", value / 1e3);
    else
        snprintf(out, 32, unit == UNIT_RATE ? "%.3g/s" : "%.3g", value);
}

void chart_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc(*text, out);
    }
}

void chart_figure_begin(FILE *out, const char *heading, const char *remark)
{
    fputs("<figure><figcaption>", out);
    chart_text(out, heading);
    fputs(" <small>", out);
    chart_text(out, remark);
    fputs("</small></figcaption>\n", out);
}

void chart_legend(FILE *out, uint32_t count, const char *const *names)
{
    fputs("<p class=legend>", out);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "<span><i class=c%u></i>", i % CHART_COLOURS);
        chart_text(out, names[i]);
        fputs("</span> ", out);
    }
    fputs("</p>\n", out);
}

void chart_figure_end(FILE *out)
{
    fputs("</figure>\n", out);
}

/* ---- scales -------------------------------------------------------------- */

static double scaled(enum scale scale, double value)
{
    if (scale == SCALE_LOG)
        return log10(value > 1e-12 ? value : 1e-12);
    if (scale == SCALE_NINES)
        return -log10(1 - value > 1e-9 ? 1 - value : 1e-9);
    return value;
}

static double place(const struct axis *axis, double value)
{
    double low = scaled(axis->scale, axis->low), high = scaled(axis->scale, axis->high);
    double at = (scaled(axis->scale, value) - low) / (high > low ? high - low : 1);
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

static double x_at(const struct chart *chart, double value)
{
    return LEFT + place(&chart->x, value) * (WIDTH - LEFT - RIGHT);
}

static double y_at(const struct chart *chart, double value)
{
    return HEIGHT - BOTTOM - place(&chart->y, value) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them fit. */
static double round_step(double range)
{
    double step = pow(10, floor(log10(range / TICKS)));
    while (range / step > TICKS * 1.4)
        step *= range / step > TICKS * 7 ? 5 : range / step > TICKS * 2.8 ? 2.5 : 2;
    return step;
}

static void widen(struct axis *axis)
{
    if (axis->scale == SCALE_LOG) {
        double low = pow(10, floor(log10(axis->low))), high = pow(10, floor(log10(axis->high)));
        axis->low = low * (axis->low >= 5 * low ? 5 : axis->low >= 2 * low ? 2 : 1);
        axis->high = high * (axis->high > 5 * high ? 10 : axis->high > 2 * high ? 5 : 2);
    } else if (axis->scale == SCALE_LINEAR && axis->unit != UNIT_SECONDS) {
        double step = round_step(axis->high - axis->low > 0 ? axis->high - axis->low : 1);
        axis->high = ceil(axis->high / step - 1e-9) * step;
    }
}

static uint32_t log_ticks(const struct axis *axis, double *out)
{
    static const double in_decade[] = { 1, 2, 5 };
    uint32_t count = 0;
    int all = axis->high / axis->low < 2000;
    for (double d = pow(10, floor(log10(axis->low))); d <= axis->high * 1.001; d *= 10) {
        for (int i = 0; i < (all ? 3 : 1) && count < 30; i++) {
            double value = d * in_decade[i];
            if (value >= axis->low * 0.999 && value <= axis->high * 1.001)
                out[count++] = value;
        }
    }
    return count;
}

static uint32_t ticks(const struct axis *axis, double out[32])
{
    uint32_t count = 0;
    if (axis->scale == SCALE_LOG)
        return log_ticks(axis, out);
    if (axis->scale == SCALE_NINES) {
        for (size_t i = 0; i < sizeof(NINES) / sizeof(NINES[0]); i++) {
            if (NINES[i] <= axis->high)
                out[count++] = NINES[i];
        }
        return count;
    }
    double step = round_step(axis->high - axis->low > 0 ? axis->high - axis->low : 1);
    for (double v = axis->low; v <= axis->high + step / 1e6 && count < 30; v += step)
        out[count++] = v;
    return count;
}

/* ---- drawing ------------------------------------------------------------- */

static void draw_x(const struct chart *chart)
{
    double at[32];
    char text[32];
    uint32_t count = ticks(&chart->x, at);
    for (uint32_t i = 0; i < count; i++) {
        chart_format(text, chart->x.unit, at[i]);
        fprintf(chart->out, "<path class=grid d='M%.1f %dV%d'/>", x_at(chart, at[i]), TOP,
                HEIGHT - BOTTOM);
        fprintf(chart->out, "<text x=%.1f y=%d text-anchor=middle>%s</text>\n", x_at(chart, at[i]),
                HEIGHT - BOTTOM + 16, text);
    }
    fprintf(chart->out, "<text class=label x=%d y=%d text-anchor=middle>",
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
    chart_text(chart->out, chart->x.label);
    fputs("</text>\n", chart->out);
}

static void draw_y(const struct chart *chart)
{
    double at[32];
    char text[32];
    uint32_t count = ticks(&chart->y, at);
    for (uint32_t i = 0; i < count; i++) {
        chart_format(text, chart->y.unit, at[i]);
        fprintf(chart->out, "<path class=grid d='M%d %.1fH%d'/>", LEFT, y_at(chart, at[i]),
                WIDTH - RIGHT);
        fprintf(chart->out, "<text x=%d y=%.1f text-anchor=end>%s</text>\n", LEFT - 8,
                y_at(chart, at[i]) + 4, text);
    }
}

void chart_begin(struct chart *chart)
{
    widen(&chart->x);
    widen(&chart->y);
    fprintf(chart->out, "<svg viewBox='0 0 %d %d' role=img>\n", WIDTH, HEIGHT);
    draw_x(chart);
    draw_y(chart);
}

static void path(const struct chart *chart, const char *kind, uint32_t colour, uint32_t count,
                 const double *x, const double *y)
{
    fprintf(chart->out, "<path class='%s c%u' d='", kind, colour % CHART_COLOURS);
    for (uint32_t i = 0; i < count; i++)
        fprintf(chart->out, "%c%.1f %.1f", i ? 'L' : 'M', x_at(chart, x[i]), y_at(chart, y[i]));
    fputs("'/>\n", chart->out);
}

void chart_line(const struct chart *chart, uint32_t colour, uint32_t count, const double *x,
                const double *y, int dots)
{
    char text[32];
    path(chart, "line", colour, count, x, y);
    for (uint32_t i = 0; dots && i < count; i++) {
        chart_format(text, chart->y.unit, y[i]);
        fprintf(chart->out, "<circle class=c%u cx=%.1f cy=%.1f r=3.5><title>%s</title></circle>\n",
                colour % CHART_COLOURS, x_at(chart, x[i]), y_at(chart, y[i]), text);
    }
}

void chart_minor_line(const struct chart *chart, uint32_t colour, uint32_t count, const double *x,
                      const double *y)
{
    path(chart, "minor", colour, count, x, y);
}

void chart_end(const struct chart *chart)
{
    fputs("</svg>\n", chart->out);
}
