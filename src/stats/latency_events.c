/*
 * latency_events.c - a short history for each kind of slow event.
 */
#include "shoal/stats/latency_events.h"

#include "shoal/base/must.h"

#include <string.h>

static const char *const names[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "command",
    [LATENCY_FAST_COMMAND] = "fast-command",
    [LATENCY_EXPIRE_CYCLE] = "expire-cycle",
};

const char *latency_event_name(enum latency_event event)
{
    must(event < LATENCY_EVENTS);
    return names[event];
}

int latency_event_find(struct bytes name)
{
    for (int i = 0; i < LATENCY_EVENTS; i++)
        if (bytes_is(name, names[i]))
            return i;
    return -1;
}

/* Drops the oldest sample. A series takes one new sample a second, so this moves 2.5 KB at most so
 * often. */
static void make_room(struct latency_series *series)
{
    if (series->count < LATENCY_SAMPLES_MAX)
        return;
    series->count--;
    memmove(series->sample, series->sample + 1, series->count * sizeof(series->sample[0]));
}

static void series_add(struct latency_series *series, struct latency_sample sample)
{
    struct latency_sample *last = series->count > 0 ? &series->sample[series->count - 1] : NULL;
    if (sample.ms > series->max_ms)
        series->max_ms = sample.ms;
    if (last != NULL && last->unix_s == sample.unix_s) {
        if (sample.ms > last->ms)
            last->ms = sample.ms;
        return;
    }
    make_room(series);
    series->sample[series->count++] = sample;
}

void latency_note(struct latency_events *events, enum latency_event event, int64_t unix_s,
                  int64_t ms, int threshold_ms)
{
    must(event < LATENCY_EVENTS);
    if (threshold_ms == 0 || ms < threshold_ms)
        return;
    struct latency_sample sample = { unix_s, ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX };
    series_add(&events->series[event], sample);
}

bool latency_forget(struct latency_events *events, enum latency_event event)
{
    bool any = events->series[event].count > 0;
    memset(&events->series[event], 0, sizeof(events->series[event]));
    return any;
}

struct latency_summary latency_summary_of(const struct latency_series *series)
{
    struct latency_summary summary = { .max_ms = series->max_ms };
    if (series->count > 0)
        summary.latest = series->sample[series->count - 1];
    return summary;
}

/* The newer of two; of the same second, the slower. */
static struct latency_sample later_of(struct latency_sample a, struct latency_sample b)
{
    if (a.unix_s != b.unix_s)
        return a.unix_s > b.unix_s ? a : b;
    return a.ms > b.ms ? a : b;
}

void latency_summary_merge(struct latency_summary *into, const struct latency_summary *from)
{
    into->latest = later_of(into->latest, from->latest);
    if (from->max_ms > into->max_ms)
        into->max_ms = from->max_ms;
}

/* Takes the last sample off a series if it is of this second. */
static void pop_second(const struct latency_series *series, uint32_t *count, int64_t unix_s)
{
    if (*count > 0 && series->sample[*count - 1].unix_s == unix_s)
        (*count)--;
}

void latency_series_merge(struct latency_series *into, const struct latency_series *from)
{
    static const struct latency_sample never = { INT64_MIN, 0 };
    struct latency_series merged = { 0 };
    uint32_t a = into->count, b = from->count, at = LATENCY_SAMPLES_MAX;
    while (at > 0 && (a > 0 || b > 0)) { /* from the newest back: what does not fit is the oldest */
        struct latency_sample sample =
            later_of(a > 0 ? into->sample[a - 1] : never, b > 0 ? from->sample[b - 1] : never);
        merged.sample[--at] = sample;
        pop_second(into, &a, sample.unix_s);
        pop_second(from, &b, sample.unix_s);
    }
    merged.count = LATENCY_SAMPLES_MAX - at;
    memmove(merged.sample, merged.sample + at, merged.count * sizeof(merged.sample[0]));
    merged.max_ms = into->max_ms > from->max_ms ? into->max_ms : from->max_ms;
    *into = merged;
}
