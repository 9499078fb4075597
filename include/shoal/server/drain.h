/*
 * drain.h - the clean end of the server.
 *
 * Runs on reactor SEQUENCER, which tells the others: drain, after shutdown-timeout cut, at last
 * halt.
 */
#ifndef SHOAL_SERVER_DRAIN_H
#define SHOAL_SERVER_DRAIN_H

#include "shoal/base/timers.h"

#include <stdbool.h>
#include <stdint.h>

struct broadcast;
struct server;

enum { DRAIN_CHECK_MS = 10 }; /* how often it is looked at how far it has come */

struct drain {
    int64_t until_ms; /* connections are cut off then; 0: the server is not ending */
    bool cutting;
    /* orders to every reactor, each sent once at most; made at the start, when there is memory */
    struct broadcast *drain, *cut, *halt;
    struct timer look;
};

/* Thread: startup. */
void drain_init(struct drain *drain, uint32_t reactors);
void drain_fini(struct drain *drain);

static inline bool drain_has_begun(const struct drain *drain)
{
    return drain->until_ms != 0;
}

/* Accepts no more, has every connection closed once it is answered, and then halts all. Thread:
 * owner. */
void drain_begin(struct server *server);

#endif
