/*
 * router.h - what a reactor keeps about commands that cannot start at once.
 */
#ifndef SHOAL_ROUTE_ROUTER_H
#define SHOAL_ROUTE_ROUTER_H

#include "shoal/base/list.h"
#include "shoal/base/timers.h"

#include <stdbool.h>
#include <stdint.h>

struct plan;
struct reactor;

/* What CLIENT PAUSE holds. */
struct pause {
    int64_t until_ms; /* 0: no pause; INT64_MAX: without end */
    bool writes_only;
};

/* Thread: owner. */
struct router {
    struct pause pause;
    struct timer pause_end;
    uint32_t transactions;     /* over several shards, under way: at most TRANSACTIONS_MAX */
    LIST_OF(struct plan) wait; /* ... and those beyond it, in order */
};

/* Nothing is held, and nothing is under way. */
void router_init(struct router *router);

/* Has commands held until then; what was said before counts no more. */
void router_pause(struct reactor *here, const struct pause *pause);

/* Ends a pause, if there is one. What it has held goes on when connections are tried again. */
void router_unpause(struct reactor *here);

#endif
