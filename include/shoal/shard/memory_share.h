/*
 * memory_share.h - each shard's share of maxmemory, drawn from one pool.
 *
 * There is no coordinator. A shard that lacks room takes it from the pool at once, while any is
 * free (store/keyspace/memory_pool.h); every millisecond each reactor gives back what its shard
 * does not need, and works out its budget anew from the sum of all parts. So what is stored exceeds
 * maxmemory by at most 1 % (credit aside, below). When nothing is free, shards that must evict draw slowly on those that
 * need not. Every shard is guaranteed a quarter of an equal share, as far as the others hold data
 * that they can evict.
 *
 * A request that needs more than that at once gets it on credit: what the others hold beyond their
 * guarantee and can evict, but never so much that the sum exceeds twice the limit. The others evict
 * within milliseconds; the shard that has borrowed last gives nothing back until then.
 *
 * The buffers of connections are not part of it: they have limits of their own and evict nothing.
 */
#ifndef SHOAL_SHARD_MEMORY_SHARE_H
#define SHOAL_SHARD_MEMORY_SHARE_H

#include "shoal/store/keyspace/memory_pool.h"

#include <stdbool.h>
#include <stdint.h>

struct reactor;

/* A reactor's. */
struct memory_share {
    struct memory_pool pool;     /* all shards': that of reactor SEQUENCER is used */
    int64_t renewed_ms, woke_ms; /* when it was last worked out, and others woken for it */
};

/* What one shard knows. */
struct memory_share_view {
    uint64_t limit_bytes; /* 0: none */
    uint32_t shards;
    uint64_t used_bytes, budget_bytes; /* this shard's, the budget as it was */
    uint64_t pool_bytes, floor_bytes;  /* those of memory_share_part() */
    uint64_t taken_bytes;              /* by all of them */
    bool pressed;                      /* this shard has had to evict or refuse */
    bool borrower;                     /* it was the last to take on credit, and more is owed */
    uint64_t others_spare_bytes;       /* what the others hold above their floor and can evict */
};

/* What the shard may use now. Thread: any. */
uint64_t memory_share_budget(const struct memory_share_view *view);

/* `part` with the bounds that follow from a limit. Thread: any. */
struct memory_part memory_share_part(struct memory_part part, uint64_t limit_bytes,
                                     uint32_t shards);

/* Sets the budget of the reactor's keyspace; call it every turn. Wakes the reactor with most when
 * it has to give and may be asleep. Returns when background work is to run at the latest;
 * INT64_MAX: it need not. Thread: owner. */
int64_t memory_share_renew(struct reactor *reactor);

/* Gives back what the last requests have taken from the pool and did not need, and says what others
 * may count on: call it after keyspace_publish(), before the reactor sleeps. Thread: owner. */
void memory_share_settle(struct reactor *reactor);

#endif
