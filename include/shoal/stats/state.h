/*
 * state.h - memory that is neither data nor buffers: what clients leave in the server to be told,
 * woken or checked later. One row for each kind says how it is called and what happens at its bound.
 *
 * All kinds of all reactors together may take settings_state_limit(), and one kind half of that, so
 * that it leaves room for the others. Each reactor counts what is its own. Thread: owner, where
 * nothing else is said.
 */
#ifndef SHOAL_STATS_STATE_H
#define SHOAL_STATS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct reactor;
struct reactor_stats;

enum state_kind {
    STATE_WATCHES,
    STATE_SUBSCRIPTIONS,
    STATE_WAITERS,
    STATE_PUSHES,
    STATE_QUEUED,
    STATE_KINDS,
};

struct state_row {
    const char *name; /* in INFO; MEMORY STATS has state. for mem_state_ */
    /* Its bound is another one, and counted there: it is not part of the sum. */
    bool elsewhere;
    const char *what, *at_bound; /* for docs/monitoring.md */
};

/* By enum state_kind. */
extern const struct state_row state_rows[STATE_KINDS];

/* This reactor's part of a kind is so large now. */
void state_set(struct reactor *here, enum state_kind kind, uint64_t bytes);
/* It has grown, or shrunk. */
void state_add(struct reactor *here, enum state_kind kind, int64_t bytes);

/* Of all reactors: one kind, and all that share the limit. Thread: any. */
uint64_t state_sum(const struct reactor *any, enum state_kind kind);
uint64_t state_total(const struct reactor *any);

/* May this kind take `more`? `limit` is settings_state_limit(); 0: none. */
bool state_fits(const struct reactor *here, uint64_t limit, enum state_kind kind, uint64_t more);

/* The table as markdown. Thread: startup. */
void state_print_markdown(FILE *out);

#define ERR_STATE_FULL "ERR too much state: subscriptions, watches or waiting clients"

#endif
