/*
 * loop.h - one turn of a reactor after another.
 */
#ifndef SHOAL_SERVER_LOOP_H
#define SHOAL_SERVER_LOOP_H

#include "shoal/base/timers.h"

#include <stdbool.h>
#include <stdint.h>

struct reactor;

/* When what is due, and what the last turns have seen. */
struct loop {
    bool stopped;
    bool idle;              /* the last turn found nothing to do: the next may sleep */
    bool unpublished;       /* something was done since the figures were published */
    struct timer work;      /* of the keyspace, in the background */
    struct timer idle_look; /* for idle connections; not linked: they may stay */
    int64_t published_ms;
    int64_t sampled_ms; /* the last sample of rates, and what it saw */
    uint64_t sampled_commands, sampled_in, sampled_out;
    uint64_t busy_since_ns; /* last time there was something to do, with --busy-poll-us */
};

/* One turn: waits if the last one was idle, takes in what has arrived, works, sends, wakes others.
 * Thread: owner. */
void loop_turn(struct reactor *reactor);

/* Turns until it is stopped, and publishes what is left. Thread: owner. */
void loop_run(struct reactor *reactor);

/* Ends messages that were still under way; true: call it again. Thread: startup, after all threads
 * have ended. */
bool loop_finish(struct reactor *reactor);

#endif
