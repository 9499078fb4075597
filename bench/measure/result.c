/*
 * result.c - figures of a test over its runs.
 */
#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double outcome_figure(const struct outcome *o, enum figure figure)
{
    double cpu = outcome_cpu_us(o);
    switch (figure) {
    case FIGURE_THROUGHPUT:
        return o->throughput;
    case FIGURE_CPU:
        return cpu;
    case FIGURE_CPU_USER:
        return cpu > 0 ? cpu * o->cpu.user_s / o->cpu.seconds : 0;
    case FIGURE_MEAN:
        return histogram_mean(o->latency) / 1e6;
    case FIGURE_P50:
        return (double)histogram_value_at(o->latency, 0.5) / 1e6;
    case FIGURE_P95:
        return (double)histogram_value_at(o->latency, 0.95) / 1e6;
    case FIGURE_P99:
        return (double)histogram_value_at(o->latency, 0.99) / 1e6;
    case FIGURE_P999:
        return (double)histogram_value_at(o->latency, 0.999) / 1e6;
    case FIGURE_MIN:
        return o->latency->count ? (double)o->latency->min / 1e6 : 0;
    default:
        return (double)o->latency->max / 1e6;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct spread result_spread(const struct result *result, enum figure figure)
{
    double value[RUNS_MAX];
    uint32_t n = result->runs;
    if (n == 0)
        return (struct spread){ .median = 0 };
    for (uint32_t i = 0; i < n; i++)
        value[i] = outcome_figure(&result->run[i], figure);
    qsort(value, n, sizeof(value[0]), by_value);
    double median = n % 2 ? value[n / 2] : (value[n / 2 - 1] + value[n / 2]) / 2;
    return (struct spread){ .median = median, .low = value[0], .high = value[n - 1] };
}

const struct outcome *result_median(const struct result *result)
{
    double median = result_spread(result, FIGURE_THROUGHPUT).median;
    uint32_t best = 0;
    for (uint32_t i = 1; i < result->runs; i++) {
        double distance = result->run[i].throughput - median;
        double best_distance = result->run[best].throughput - median;
        if (distance * distance < best_distance * best_distance)
            best = i;
    }
    return &result->run[best];
}

static void append(char *out, size_t size, const char *text)
{
    if (out[0] != '\0')
        strncat(out, "; ", size - strlen(out) - 1);
    strncat(out, text, size - strlen(out) - 1);
}

void result_note(const struct result *result, char *out, size_t size)
{
    struct tally sum = { .replies = 0 };
    const char *error = "";
    char text[400];
    bool client_bound = false, fell_behind = false;
    out[0] = '\0';
    for (uint32_t i = 0; i < result->runs; i++) {
        const struct outcome *o = &result->run[i];
        sum.errors += o->tally.errors;
        sum.misses += o->tally.misses;
        sum.hits += o->tally.hits;
        sum.closed += o->tally.closed;
        sum.unanswered += o->tally.unanswered;
        error = error[0] ? error : o->tally.error;
        client_bound |= o->client_bound;
        fell_behind |= result->open_loop && !o->sustained;
    }
    if (fell_behind)
        append(out, size, "rate not sustained");
    if (client_bound)
        append(out, size, "the client was the limit");
    if (sum.errors > 0 || sum.closed > 0 || sum.unanswered > 0) {
        snprintf(text, sizeof(text), "%llu errors, %llu connections lost, %llu unanswered (%s)",
                 (unsigned long long)sum.errors, (unsigned long long)sum.closed,
                 (unsigned long long)sum.unanswered, error);
        append(out, size, text);
    }
    if (sum.misses > 0) {
        snprintf(text, sizeof(text), "%.2f %% misses",
                 100.0 * (double)sum.misses / (double)(sum.misses + sum.hits));
        append(out, size, text);
    }
}

void result_server(const struct result *result, char *out)
{
    int size = snprintf(out, SERVER_TITLE_MAX, "%s%s%s", result->server,
                        result->server[0] != '\0' && result->version[0] != '\0' ? " " : "",
                        result->server[0] != '\0' ? result->version : "");
    if (result->server[0] != '\0' && result->shards > 0)
        snprintf(out + size, (size_t)(SERVER_TITLE_MAX - size), " x%d", result->shards);
}

void result_fini(struct result *result)
{
    for (uint32_t i = 0; i < result->runs; i++)
        outcome_fini(&result->run[i]);
    result->runs = 0;
}
