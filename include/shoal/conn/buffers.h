/*
 * buffers.h - what the buffers of a reactor's connections take, and how much they may.
 *
 * Requests that are being received and replies that are not sent yet have a budget of their own
 * (maxmemory-clients), one half for each, and evict no key. This is its arithmetic and the line of
 * those who wait; pressure.h applies it to connections.
 *
 * Requests: one that is larger than BUFFERS_FREE_BYTES reserves all it will take before more of it
 * is received, so that whoever has begun can finish. Who does not fit waits in line. One request a
 * reactor may be received beside the budget, the first in line: so there is always one that goes
 * on, and a request that is larger than the budget has its turn.
 *
 * Replies: the more of their half is in use, the less may be under way for one connection.
 *
 * Reactors share one budget as shards share maxmemory (memory_share.h): each may take an equal part of
 * what all have left, by figures that are a millisecond old.
 */
#ifndef SHOAL_CONN_BUFFERS_H
#define SHOAL_CONN_BUFFERS_H

#include "shoal/base/bound.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BUFFERS_FREE_BYTES = BOUND(64 * 1024, 512), /* requests up to here reserve nothing */
    /* of a larger one must be there before it may reserve */
    BUFFERS_EARNED_BYTES = BOUND(8 * 1024, 128),
};

/* A connection's claim, zero at first. */
struct reservation {
    struct reservation *prev, *next; /* in line */
    uint64_t allocated;              /* what it has, see buffers_grown() */
    uint64_t promised;               /* what it may still allocate */
    uint64_t lacking;                /* waits in line for so much more; 0: it does not wait */
};

enum buffers_level {
    BUFFERS_EASY,
    BUFFERS_TIGHT, /* replies take half of their half */
    BUFFERS_FULL,  /* all of it */
    BUFFERS_LEVELS,
};

/* A reactor's. */
struct buffers {
    uint64_t part_bytes;     /* requests may take so much here; UINT64_MAX: no limit */
    uint64_t request_bytes;  /* allocated for requests, whoever has reserved it or not */
    uint64_t reply_bytes;    /* allocated for replies */
    uint64_t promised_bytes; /* of all reservations */
    struct reservation *first, *last;
    struct reservation *beside; /* the request that is received beside the budget; NULL: none */
    uint64_t passing_bytes;     /* of one that was, and is not answered yet: no other before */
    uint32_t waiting;           /* in line */
    enum buffers_level level;   /* of all reactors' replies together */
};

/* The half of `limit_bytes` that `shards` reactors share, seen by one that has `own_bytes` of
 * `total_bytes`: what it may have. A limit of 0 is none. Thread: any. */
uint64_t buffers_part(uint64_t limit_bytes, uint32_t shards, uint64_t own_bytes,
                      uint64_t total_bytes);
/* By what all reactors' replies take. Thread: any. */
enum buffers_level buffers_level(uint64_t limit_bytes, uint64_t reply_bytes);
/* From so much of all replies on it is the next level; UINT64_MAX: it never is. */
uint64_t buffers_level_end(uint64_t limit_bytes, enum buffers_level level);

/*
 * Makes sure that `claim` may allocate `total` bytes in all, which it does not do yet.
 *
 *   returns  false: it waits in line now, and will come out of buffers_next()
 *   thread   owner, as all below
 */
bool buffers_reserve(struct buffers *buffers, struct reservation *claim, uint64_t total);

/* Its owner has allocated: `bytes` of request_bytes are for this claim now. */
void buffers_grown(struct buffers *buffers, struct reservation *claim, uint64_t bytes);

/*
 * The request is complete, or gone: no claim, no place in line. What it has allocated stays counted
 * until it is freed.
 *
 *   returns  true: it was beside the budget, and its owner calls buffers_passed() when it frees
 * that
 */
bool buffers_settle(struct buffers *buffers, struct reservation *claim);

void buffers_passed(struct buffers *buffers);

/* In use or promised for requests, but for the one beside: what counts against the part. */
uint64_t buffers_taken(const struct buffers *buffers);

/* Takes one that may go on out of the line; NULL: nobody may. */
struct reservation *buffers_next(struct buffers *buffers);

/* Gives back what it was promised but has not allocated: it cannot use it now. */
void buffers_waive(struct buffers *buffers, struct reservation *claim);

#endif
