/*
 * backpressure.h - keeps connections within the budget of their buffers (budget.h): which ones
 * wait, which go on, and which are closed.
 *
 * Waiting comes first: a connection whose request does not fit is not read, and one whose replies
 * are not taken does not run another command.
 *
 *             backpressure_reserve()                  complete, or closed
 *   received ───────────┬──► has its reservation ──────────────────────────► gone
 *      ▲                │         ▲    ▲    │
 *      │     no room    │         │    │    │ nothing has come for a second: it keeps
 *      │                ▼   room  │    │    │ what it has, and is received
 *      │              in line ────┘    │    ▼
 *      │                │ │            │  received
 *      └────────────────┘ └────────────┘
 *      room, but nothing    all of its rest has come: input_whole(),
 *      more has come        wherever it is in line
 *
 * A connection is closed (evicted_clients) only when others wait because of it and it has hardly
 * moved for BACKPRESSURE_STALL_MS. This time-out shrinks as the head of the line waits longer;
 * otherwise a series of stalled clients could each cost it the full time-out.
 */
#ifndef SHOAL_CONN_BACKPRESSURE_H
#define SHOAL_CONN_BACKPRESSURE_H

#include "shoal/base/timers.h"
#include "shoal/base/total.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk_pool;
struct conn;
struct reactor;

enum {
    BACKPRESSURE_STALL_MS = 30000,        /* TCP that has lost much tries again only after 25.6 s */
    BACKPRESSURE_STALL_MIN_MS = 3000,     /* several retransmissions on an ordinary network */
    BACKPRESSURE_MOVED_BYTES = 64 * 1024, /* have to move in that time */
    BACKPRESSURE_HELD_BYTES = 64 * 1024,  /* closing a connection that holds less gains nothing */
    BACKPRESSURE_CLOSED_MAX = 64,         /* in one look at all connections */
};

/* The most that a connection may have under way, by enum budget_level. */
struct backpressure_limits {
    uint32_t requests;  /* unanswered */
    uint32_t out_bytes; /* unsent: above it no more requests are run until half has gone */
};

/* Of all reactors: those of reactor SEQUENCER are used. */
struct buffer_sums {
    _Alignas(64) struct total requests;
    struct total replies;
};

/* A reactor's, beside its struct budget. */
struct backpressure {
    struct buffer_sums sums;
    uint64_t request_part, reply_part; /* this reactor's of the sums */
    struct backpressure_limits limits;
    bool over;             /* requests take more than the part */
    uint64_t queued_bytes; /* by MULTI */
    uint64_t others_bytes; /* replies of the other reactors, when last looked */
    int64_t renewed_ms, relieved_ms, looked_ms, portioned_ms;
    struct timer relief; /* the turn in which it is looked at again */
};

/* Replies have grown: looks at the level between two turns' renewals, too. For struct
 * chunk_pool. */
void backpressure_grown(struct chunk_pool *pool);

/* Thread: startup. */
void backpressure_init(struct backpressure *backpressure);

/* Copies what the buffers take to where other threads read it. Thread: owner, as all below. */
void backpressure_publish(struct reactor *reactor);

/* Works out the reactor's part and the level, once a millisecond. */
void backpressure_renew(struct reactor *reactor);

/* May the request that is being received grow to `total` bytes? False: the connection is not read
 * until there is room. */
bool backpressure_reserve(struct conn *conn, size_t total);

/* Stall time-out of a connection that holds `requests` bytes of the requests' half. It shrinks as
 * the head of the line has waited for longer (`waited_ms`); a connection that holds only replies
 * always gets the full time-out. Thread: any. */
int64_t backpressure_stall_ms(uint64_t requests, int64_t waited_ms);

/* Receives again where there is room now, and closes connections that stall others; while they wait,
 * a turn comes every few milliseconds. Returns how many go on. */
uint32_t backpressure_relieve(struct reactor *reactor);

/* May the connection's MULTI queue `more` bytes? All large ones of a reactor may take half of its
 * part. They are counted in conn->queued_bytes until backpressure_unqueue(). */
bool backpressure_queue(struct conn *conn, size_t more);
void backpressure_unqueue(struct conn *conn);

#endif
