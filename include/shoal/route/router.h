/*
 * router.h - what a reactor keeps about commands that cannot start at once.
 */
#ifndef SHOAL_ROUTE_ROUTER_H
#define SHOAL_ROUTE_ROUTER_H

#include "shoal/base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct plan;

/* What CLIENT PAUSE holds. */
struct pause {
    int64_t until_ms; /* 0: no pause */
    bool writes_only;
};

/* All zero at first. Thread: owner. */
struct router {
    struct pause pause;
    uint32_t transactions;     /* over several shards, under way: at most TRANSACTIONS_MAX */
    LIST_OF(struct plan) wait; /* ... and those beyond it, in order */
};

#endif
