/*
 * budget.h - what the buffers of a reactor's connections take, and how much they may.
 *
 * Requests that are being received and replies that are not sent yet have a budget of their own
 * (maxmemory-clients), one half for each; they evict no key. This file has its arithmetic and the
 * queue of the connections that wait for room; backpressure.h applies it to connections.
 *
 * Requests: a request larger than BUDGET_FREE_BYTES reserves all the memory it will take before
 * more of it is received, so that a request which has begun can finish. It takes this memory from
 * one of three shares:
 *
 *                     who is let in                          how much in all
 *   BUDGET_PART     ┌ in order of arrival ┐                  the reactor's part
 *   BUDGET_BESIDE   └ the first that does ┘ not fit there    one request, whatever its size
 *   BUDGET_WHOLE      a request of which everything has      BUDGET_WHOLE_BYTES
 *                     arrived in the kernel's buffer
 *
 * Without reservations, where each request would take what it needs next as long as there is room,
 * many requests would hold a part of their memory and one at a time could go on: twenty uploads of
 * 2 MB at 1 MB/s over a budget of 8 MB took 8.5 s instead of 4.3 s.
 *
 * The second share guarantees progress, and serves requests larger than the whole budget. Both it
 * and the part may be held by clients that have stopped in the middle. Nobody can hold the third:
 * what is let in there is complete, so small requests get through whatever other clients hold.
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
    /* of requests that have arrived whole; more of them wait until these are answered */
    BUDGET_WHOLE_BYTES = BOUND(1024 * 1024, 4096),
};

enum budget_share {
    BUDGET_PART,
    BUDGET_BESIDE,
    BUDGET_WHOLE,
    BUDGET_SHARES,
};

/* A connection's claim, zero at first. */
struct reservation {
    struct reservation *prev, *next; /* in line */
    uint64_t promised;               /* what it may still allocate */
    uint64_t needed;                 /* what it waits in line for; 0: it does not wait */
    uint64_t total;                  /* what it will have then */
    enum budget_share share;
};

enum budget_level {
    BUDGET_EASY,
    BUDGET_TIGHT, /* replies take half of their half */
    BUDGET_FULL,  /* all of it */
    BUDGET_LEVELS,
};

/* A reactor's. */
struct budget {
    uint64_t part_bytes;           /* what requests may take here; UINT64_MAX: no limit */
    uint64_t taken[BUDGET_SHARES]; /* allocated for requests, reserved or not, and promised */
    uint64_t promised_bytes;       /* of all reservations */
    uint64_t reply_bytes;          /* allocated for replies */
    struct reservation *first, *last;
    struct reservation *looked; /* in line: the next that budget_look() returns; NULL: the first */
    uint32_t waiting;           /* in line */
    enum budget_level level;    /* of all reactors' replies together */
};

/* The half of `limit_bytes` that `shards` reactors share, seen by one that has `own_bytes` of
 * `total_bytes`: what it may have. A limit of 0 is none. Thread: any. */
uint64_t budget_part(uint64_t limit_bytes, uint32_t shards, uint64_t own_bytes,
                     uint64_t total_bytes);
/* By what all reactors' replies take. Thread: any. */
enum budget_level budget_level(uint64_t limit_bytes, uint64_t reply_bytes);

/* ---- memory: its owner has allocated it, or freed it, or counts it elsewhere from now on -------- */

static inline void budget_allocated(struct budget *budget, enum budget_share share, uint64_t bytes)
{
    budget->taken[share] += bytes;
}
static inline void budget_freed(struct budget *budget, enum budget_share share, uint64_t bytes)
{
    budget->taken[share] -= bytes;
}

/* Allocated for requests, in all. */
uint64_t budget_request_bytes(const struct budget *budget);

/* ---- reservations ------------------------------------------------------------------------------ */

/*
 * Makes sure that `claim`, which has allocated `has`, may allocate `total` bytes in all. If so, its
 * share may be another afterwards: its owner has what it has allocated counted there.
 *
 *   returns  false: it waits in line now, and will come out of budget_next() or budget_let_in()
 *   thread   owner, as all below
 */
bool budget_reserve(struct budget *budget, struct reservation *claim, uint64_t has, uint64_t total);

/* Its owner has allocated `bytes` more for this claim, and counted them: they are promised no
 * longer. */
void budget_used(struct budget *budget, struct reservation *claim, uint64_t bytes);

/* The request is complete, or gone: no claim, no place in line. What it has allocated stays counted
 * in its share until it is freed. */
void budget_release(struct budget *budget, struct reservation *claim);

/* Takes the next reservation that fits now out of the line; NULL: none does. */
struct reservation *budget_next(struct budget *budget);

/* One in line after the other, round and round; NULL: the line is empty. */
struct reservation *budget_look(struct budget *budget);

/* Takes this one out of the line: its request, of `total` bytes, has arrived whole. False: others
 * such take all of their share. */
bool budget_let_in(struct budget *budget, struct reservation *claim, uint64_t has, uint64_t total);

/* Gives back what the reservation was promised and has not allocated; what it has is of the part
 * again. */
void budget_cancel(struct budget *budget, struct reservation *claim);

#endif
