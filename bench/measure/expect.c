/*
 * expect.c - reading and checking --expect and --find-rate.
 */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    double factor;
} UNITS[] = {
    { "", 1 },    { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
    { "s", 1e9 }, { "k", 1e3 }, { "M", 1e6 },  { "%", 0.01 },
};

static const struct {
    const char *name;
    double fraction;
} PERCENTILES[] = {
    { "p50", 0.5 },     { "p90", 0.9 },    { "p95", 0.95 },      { "p99", 0.99 },
    { "p99.9", 0.999 }, { "p999", 0.999 }, { "p99.99", 0.9999 }, { "p9999", 0.9999 },
};

static bool unit_factor(const char *unit, double *factor)
{
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (strcmp(UNITS[i].text, unit) == 0) {
            *factor = UNITS[i].factor;
            return true;
        }
    }
    return false;
}

static bool is_latency(const char *name)
{
    return name[0] == 'p' || strcmp(name, "max") == 0 || strcmp(name, "mean") == 0;
}

static bool percentile_of(const char *name, double *fraction)
{
    for (size_t i = 0; i < sizeof(PERCENTILES) / sizeof(PERCENTILES[0]); i++) {
        if (strcmp(PERCENTILES[i].name, name) == 0) {
            *fraction = PERCENTILES[i].fraction;
            return true;
        }
    }
    return false;
}

static bool known(const char *name)
{
    static const char *const others[] = { "ops", "max", "mean", "cpu", "errors", "misses" };
    double fraction;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i], name) == 0)
            return true;
    }
    return percentile_of(name, &fraction);
}

static bool parse_term(const char *text, struct expect_term *term)
{
    char unit[4] = "", sign, rest;
    double factor;
    int fields = sscanf(text, " %11[a-z0-9.] %c %lf %3[a-zA-Z%%] %c", term->name, &sign,
                        &term->limit, unit, &rest);
    if (fields < 3 || fields > 4 || (sign != '<' && sign != '>') || !known(term->name))
        return false;
    if (!unit_factor(unit, &factor))
        return false;
    if (strcmp(term->name, "cpu") == 0)
        factor /= unit[0] ? 1e3 : 1; /* its figure is in us */
    term->limit *= factor;
    term->less = sign == '<';
    return true;
}

bool expect_parse(const char *text, struct expect *expect)
{
    char *copy = strdup(text), *save;
    bool good = true;
    expect->count = 0;
    for (char *t = strtok_r(copy, ",", &save); t && good; t = strtok_r(NULL, ",", &save))
        good = expect->count < EXPECT_TERMS_MAX && parse_term(t, &expect->term[expect->count++]);
    free(copy);
    return good && expect->count > 0;
}

static double figure(const struct outcome *o, const char *name)
{
    double fraction, reads = (double)(o->tally.hits + o->tally.misses);
    if (percentile_of(name, &fraction))
        return (double)histogram_value_at(o->latency, fraction);
    if (strcmp(name, "max") == 0)
        return (double)o->latency->max;
    if (strcmp(name, "mean") == 0)
        return histogram_mean(o->latency);
    if (strcmp(name, "cpu") == 0)
        return outcome_cpu_us(o);
    if (strcmp(name, "errors") == 0)
        return (double)(o->tally.errors + o->tally.closed + o->tally.unanswered);
    if (strcmp(name, "misses") == 0)
        return reads > 0 ? (double)o->tally.misses / reads : 0;
    return o->throughput;
}

bool expect_holds(const struct expect *expect, const struct outcome *o, char why[128])
{
    for (uint32_t i = 0; i < expect->count; i++) {
        const struct expect_term *term = &expect->term[i];
        double value = figure(o, term->name);
        bool behind = o->offered > 0 && !o->sustained && is_latency(term->name);
        if (behind)
            snprintf(why, 128, "%s: rate not sustained", term->name);
        else if (term->less ? value < term->limit : value > term->limit)
            continue;
        else if (is_latency(term->name))
            snprintf(why, 128, "%s is %.4g ms, wanted %s %.4g ms", term->name, value / 1e6,
                     term->less ? "<" : ">", term->limit / 1e6);
        else
            snprintf(why, 128, "%s is %.6g, wanted %s %.6g", term->name, value,
                     term->less ? "<" : ">", term->limit);
        return false;
    }
    return true;
}
