/*
 * budget.h - what the buffers of a reactor's connections take, and how much they may.
 *
 * Requests that are being received and replies that are not sent yet have a budget of their own
 * (maxmemory-clients), one half for each, and evict no key. This is its arithmetic and the line of
 * those who wait; backpressure.h applies it to connections.
 *
 * Requests: one that is larger than BUDGET_FREE_BYTES reserves all it will take before more of it
 * is received, so that whoever has begun can finish. Who does not fit waits in line. One request a
 * reactor may be received beside the budget, the first in line: so there is always one that goes
 * on, and a request that is larger than the budget has its turn.
 *
 * Replies: the more of their half is in use, the less may be under way for one connection.
 *
 * Reactors share one budget as shards share maxmemory (memory_share.h): each may take an equal part of
 * what all have left, by figures that are a millisecond old.
 */
#ifndef SHOAL_CONN_BUDGET_H
#define SHOAL_CONN_BUDGET_H

#include "shoal/base/bound.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BUDGET_FREE_BYTES = BOUND(64 * 1024, 512), /* requests up to here reserve nothing */
    /* of a larger one must be there before it may reserve */
    BUDGET_EARNED_BYTES = BOUND(8 * 1024, 128),
};

/* A connection's claim, zero at first. */
struct reservation {
    struct reservation *prev, *next; /* in line */
    uint64_t allocated;              /* what it has, see budget_grown() */
    uint64_t promised;               /* what it may still allocate */
    uint64_t needed;                 /* waits in line for so much more; 0: it does not wait */
};

enum budget_level {
    BUDGET_EASY,
    BUDGET_TIGHT, /* replies take half of their half */
    BUDGET_FULL,  /* all of it */
    BUDGET_LEVELS,
};

/* A reactor's. */
struct budget {
    uint64_t part_bytes;     /* requests may take so much here; UINT64_MAX: no limit */
    uint64_t request_bytes;  /* allocated for requests, whoever has reserved it or not */
    uint64_t reply_bytes;    /* allocated for replies */
    uint64_t promised_bytes; /* of all reservations */
    struct reservation *first, *last;
    struct reservation *oversize; /* the request that is received beside the budget; NULL: none */
    uint64_t oversize_left_bytes; /* of one that was, and is not answered yet: no other before */
    uint32_t waiting;             /* in line */
    enum budget_level level;      /* of all reactors' replies together */
};

/* The half of `limit_bytes` that `shards` reactors share, seen by one that has `own_bytes` of
 * `total_bytes`: what it may have. A limit of 0 is none. Thread: any. */
uint64_t budget_part(uint64_t limit_bytes, uint32_t shards, uint64_t own_bytes,
                     uint64_t total_bytes);
/* By what all reactors' replies take. Thread: any. */
enum budget_level budget_level(uint64_t limit_bytes, uint64_t reply_bytes);

/*
 * Makes sure that `claim` may allocate `total` bytes in all, which it does not do yet.
 *
 *   returns  false: it waits in line now, and will come out of budget_next()
 *   thread   owner, as all below
 */
bool budget_reserve(struct budget *budget, struct reservation *claim, uint64_t total);

/* Its owner has allocated: `bytes` of request_bytes are for this claim now. */
void budget_grown(struct budget *budget, struct reservation *claim, uint64_t bytes);

/*
 * The request is complete, or gone: no claim, no place in line. What it has allocated stays counted
 * until it is freed.
 *
 *   returns  true: it was beside the budget, and its owner calls budget_passed() when it frees
 * that
 */
bool budget_release(struct budget *budget, struct reservation *claim);

void budget_passed(struct budget *budget);

/* In use or promised for requests, but for the one beside: what counts against the part. */
uint64_t budget_taken(const struct budget *budget);

/* Takes one that may go on out of the line; NULL: nobody may. */
struct reservation *budget_next(struct budget *budget);

/* Gives back what it was promised but has not allocated: it cannot use it now. */
void budget_cancel(struct budget *budget, struct reservation *claim);

#endif
