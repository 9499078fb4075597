/*
 * latency_events.h - single slow events of one reactor: what took at least
 * latency-monitor-threshold, and when.
 *
 * A second has one sample of an event, its slowest, as in Redis. The LATENCY
 * command merges what the reactors have.
 */
#ifndef SHOAL_STATS_LATENCY_EVENTS_H
#define SHOAL_STATS_LATENCY_EVENTS_H

#include "shoal/base/bytes.h"

enum { LATENCY_SAMPLES_MAX = 160 }; /* of one event, as in Redis; the oldest go */

enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND, /* one that COMMAND INFO calls "fast" */
    LATENCY_EXPIRE_CYCLE, /* a slice of background work */
    LATENCY_EVENTS,
};

struct latency_sample {
    int64_t unix_s;
    uint32_t ms;
};

/* All zero: nothing has happened. */
struct latency_series {
    uint32_t count;
    uint32_t max_ms; /* since the last reset, so it may be of no sample */
    struct latency_sample sample[LATENCY_SAMPLES_MAX]; /* oldest first */
};

struct latency_events {
    struct latency_series series[LATENCY_EVENTS];
};

/* An event as LATENCY LATEST shows it; latest.unix_s is 0 if it has never happened. */
struct latency_summary {
    struct latency_sample latest;
    uint32_t max_ms;
};

/* The name of an event ("command"), and the event of a name in upper or lower case, -1 if there is
 * none. Thread: any. */
const char *latency_event_name(enum latency_event event);
int latency_event_find(struct bytes name);

/*
 * Notes an event that took `ms`, if a threshold is set and `ms` reaches it.
 *
 *   threshold_ms   0: nothing is noted
 *   thread         owner
 */
void latency_note(struct latency_events *events, enum latency_event event, int64_t unix_s,
                  int64_t ms, int threshold_ms);

/* Forgets one event; returns false if there was nothing to forget. Thread: owner. */
bool latency_forget(struct latency_events *events, enum latency_event event);

/* The last sample and the maximum. Thread: owner. */
struct latency_summary latency_summary_of(const struct latency_series *series);

/* Makes `into` what one reactor would have if it had seen both. Thread: owner of `into`. */
void latency_series_merge(struct latency_series *into, const struct latency_series *from);
void latency_summary_merge(struct latency_summary *into, const struct latency_summary *from);

#endif
