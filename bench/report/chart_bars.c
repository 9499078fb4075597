/*
 * chart_bars.c - horizontal bars in groups, for figures whose sizes differ too much for one axis.
 */
#include <string.h>

#include "chart.h"

enum {
    NAME_X = 132, /* end of the names */
    BAR_X = 140,
    BAR_SPACE = 250, /* of the longest bar; the value stands behind it */
    ROW = 20,
    GROUP_GAP = 14,
};

static uint32_t count_groups(const struct bar *bars, uint32_t count)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < count; i++)
        groups += i == 0 || strcmp(bars[i].group, bars[i - 1].group) != 0;
    return groups;
}

static double group_max(const struct bar *bars, uint32_t count, const char *group)
{
    double max = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(bars[i].group, group) == 0 && bars[i].high > max)
            max = bars[i].high;
    }
    return max > 0 ? max : 1;
}

static void draw_bar(FILE *out, enum chart_unit unit, const struct bar *bar, double max, int y)
{
    char text[32];
    double unit_px = BAR_SPACE / max;
    int middle = y + ROW / 2;
    chart_format(text, unit, bar->value);
    fprintf(out, "<text x='%d' y='%d' text-anchor='end'>", NAME_X, middle + 4);
    chart_text(out, bar->name);
    fprintf(out, "</text><rect class='c%u' x='%d' y='%d' width='%.1f' height='%d' rx='2'/>",
            bar->colour % CHART_COLOURS, BAR_X, y + 3, bar->value * unit_px, ROW - 6);
    if (bar->high > bar->low)
        fprintf(out, "<path class='range' d='M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8'/>",
                BAR_X + bar->low * unit_px, middle, BAR_X + bar->high * unit_px,
                BAR_X + bar->low * unit_px, middle - 4, BAR_X + bar->high * unit_px, middle - 4);
    fprintf(out, "<text class='value' x='%.1f' y='%d'>%s", BAR_X + bar->high * unit_px + 8,
            middle + 4, text);
    if (bar->high > bar->low) {
        chart_format(text, unit, bar->low);
        fprintf(out, " <tspan class='weak'>(%.*s", (int)strcspn(text, " /"), text);
        chart_format(text, unit, bar->high);
        fprintf(out, " – %s)</tspan>", text);
    }
    fputs("</text>\n", out);
}

int chart_bars_height(const struct bar *bars, uint32_t count)
{
    return (int)(count * ROW + count_groups(bars, count) * (ROW + GROUP_GAP));
}

void chart_bars(FILE *out, enum chart_unit unit, const struct bar *bars, uint32_t count)
{
    fprintf(out, "<svg viewBox='0 0 %d %d' role='img'>\n", BARS_WIDTH,
            chart_bars_height(bars, count));
    chart_bars_at(out, unit, bars, count, 0, 0);
    fputs("</svg>\n", out);
}

void chart_bars_at(FILE *out, enum chart_unit unit, const struct bar *bars, uint32_t count, int x,
                   int y)
{
    fprintf(out, "<g transform='translate(%d %d)'>\n", x, y);
    y = 4;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(bars[i].group, bars[i - 1].group) != 0) {
            y += i ? GROUP_GAP : 0;
            fprintf(out, "<text class='group' x='%d' y='%d'>", BAR_X, y + ROW / 2 + 4);
            chart_text(out, bars[i].group);
            fputs("</text>\n", out);
            y += ROW;
        }
        draw_bar(out, unit, &bars[i], group_max(bars, count, bars[i].group), y);
        y += ROW;
    }
    fputs("</g>\n", out);
}
