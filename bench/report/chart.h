/*
 * chart.h - line charts and bars as inline SVG, coloured by the page's style sheet.
 *
 * A chart is one <figure>: heading, legend, drawing. Colours are classes c0..c7 and text inherits,
 * so that light and dark mode are the page's business alone. Thread: main.
 */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include <stdint.h>
#include <stdio.h>

enum { CHART_COLOURS = 8, CHART_POINTS_MAX = 512 };

/* NINES spaces 0.9, 0.99, 0.999 evenly: -log10(1 - x). */
enum scale { SCALE_LINEAR, SCALE_LOG, SCALE_NINES };

enum chart_unit {
    UNIT_PLAIN,
    UNIT_RATE,
    UNIT_US,
    UNIT_NS,
    UNIT_SECONDS,
    UNIT_PERCENTILE,
    UNIT_SHARE
};

struct axis {
    enum scale scale;
    enum chart_unit unit;
    double low, high;
    const char *label;
};

struct chart {
    FILE *out;
    struct axis x, y;
};

/* "1.24 M", "3.2 ms", "99.9 %": a value as people write it. Into out[32]. */
void chart_format(char *out, enum chart_unit unit, double value);

/* Text with <, > and & made safe. */
void chart_text(FILE *out, const char *text);

void chart_figure_begin(FILE *out, const char *heading, const char *remark);
void chart_legend(FILE *out, uint32_t count, const char *const *names);
void chart_figure_end(FILE *out);

/* Axes with ticks and grid; widens the ranges to round numbers. */
void chart_begin(struct chart *chart);

/* A line through count points, optionally with a dot and the value at each. */
void chart_line(const struct chart *chart, uint32_t colour, uint32_t count, const double *x,
                const double *y, int dots);

/* A thinner, paler line: the minor of two related ones. */
void chart_minor_line(const struct chart *chart, uint32_t colour, uint32_t count, const double *x,
                      const double *y);
void chart_end(const struct chart *chart);

/* Horizontal bars in groups, each group on its own scale, the value and its range written
 * beside. */
struct bar {
    const char *group, *name;
    double value, low, high;
    uint32_t colour;
};
void chart_bars(FILE *out, enum chart_unit unit, const struct bar *bars, uint32_t count);

/* The drawing's size in its own units, and the same bars inside another drawing, at x, y. */
enum { BARS_WIDTH = 560 };
int chart_bars_height(const struct bar *bars, uint32_t count);
void chart_bars_at(FILE *out, enum chart_unit unit, const struct bar *bars, uint32_t count, int x,
                   int y);

#endif
