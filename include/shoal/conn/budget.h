/*
 * budget.h - what the buffers of a reactor's connections take, and how much they may.
 *
 * Requests that are being received and replies that are not sent yet have a budget of their own
 * (maxmemory-clients), one half for each; they evict no key. This file has its arithmetic and the
 * queue of the connections that wait for room; backpressure.h applies it to connections.
 *
 * Requests: a request larger than BUDGET_FREE_BYTES reserves all the memory it will take before
 * more of it is received, so that a request which has begun can finish. A request that does not fit
 * waits in line. To guarantee progress, each reactor may receive one request outside the budget:
 * the head of the line. A request larger than the whole budget is served this way.
 *
 * Replies: the more of their half is in use, the less a single connection may have under way.
 *
 * Reactors share one budget as shards share maxmemory (memory_share.h): each may take an equal part
 * of what all of them have left, by figures that are a millisecond old.
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
    uint64_t needed;                 /* what it waits in line for; 0: it does not wait */
};

enum budget_level {
    BUDGET_EASY,
    BUDGET_TIGHT, /* replies take half of their half */
    BUDGET_FULL,  /* all of it */
    BUDGET_LEVELS,
};

/* A reactor's. */
struct budget {
    uint64_t part_bytes;     /* what requests may take here; UINT64_MAX: no limit */
    uint64_t request_bytes;  /* allocated for requests, reserved or not */
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

/* Takes the next reservation that fits now out of the line; NULL: none does. */
struct reservation *budget_next(struct budget *budget);

/* Gives back what the reservation was promised and has not allocated. */
void budget_cancel(struct budget *budget, struct reservation *claim);

#endif
