/*
 * parking.h - what a shard keeps of commands that wait there: see conn/parked.h for their way.
 *
 * A waiter has no pointer to connection or request: it names its caller, and the answer finds that
 * or nobody. Waiters stand in order of arrival. Thread: owner.
 */
#ifndef SHOAL_SHARD_PARKING_H
#define SHOAL_SHARD_PARKING_H

#include "shoal/base/bound.h"
#include "shoal/conn/request.h"
#include "shoal/mesh/message.h"

/* Beyond it a command that would wait is refused. */
enum { PARKING_MAX = BOUND(1 << 20, 1 << 14) };

struct waiter_parked {
    struct push_message push; /* its answer, on the way to `caller` */
    struct waiter_parked *prev, *next;
    struct waiter_parked *next_by_client;
    struct caller caller;
    uint16_t home; /* the reactor of the connection */
    uint8_t proto; /* what its answer is written in */
    uint8_t db;
    uint64_t hash; /* of its first key */
    struct reply_ref *answer;
};

/* All zero at first. */
struct parking {
    struct waiter_parked *first, *last;
    struct waiter_parked **by_client; /* `size` chains, a power of two */
    uint32_t size, count;
};

/* Nobody waits any more. */
void parking_fini(struct parking *parking);

/*
 * Keeps the request's command waiting, and ends the request so. `reply` is what has been written of
 * it.
 *
 *   returns  false: it has no caller that could wait, there are too many or memory is out: the
 *            caller sends `reply`, which says so in the last two cases
 */
bool parking_add(struct reactor *reactor, struct request *request, struct reply *reply);

/* The first one from `from` on (NULL: of all) that waits for this key, or NULL. */
struct waiter_parked *parking_find(const struct parking *parking, struct waiter_parked *from,
                                   uint64_t hash, uint8_t db);

/* Answers: the waiter is gone afterwards, and `reply` empty. */
void parking_answer(struct reactor *reactor, struct waiter_parked *waiter, struct reply *reply);

#endif
