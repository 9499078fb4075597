/*
 * records.h - what a reactor remembers of slow commands: slow log and latency events.
 *
 * Thread: owner, for all of it.
 */
#ifndef SHOAL_STATS_RECORDS_H
#define SHOAL_STATS_RECORDS_H

#include "shoal/stats/latency_events.h"
#include "shoal/stats/slowlog.h"

struct records {
    struct slowlog slowlog;
    struct latency_events events;
    uint64_t slow_ticks; /* a command that took so long is looked at for either */
    bool measure_each;   /* the slow log wants even commands that are measured in groups */
    int event_ms;        /* latency-monitor-threshold; 0: no events */
};

/* What is slow from now on: slowlog-log-slower-than (negative: nothing) and
 * latency-monitor-threshold (0: nothing). */
void records_use(struct records *records, int64_t slowlog_us, int event_ms);
void records_clear(struct records *records);

/* Notes an event of `us`, if that is long enough to be one. */
void records_note(struct records *records, enum latency_event event, int64_t us);

#endif
