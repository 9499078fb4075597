/*
 * memory_share.h - each shard's part of maxmemory, drawn from one pool.
 *
 * Nobody hands it out: once a millisecond every reactor reads what all shards have published, and
 * allows its own shard so much that no stale figure can make the sum exceed maxmemory by more than
 * a percent. A full shard borrows from an empty one; when nothing is left, shards that must evict
 * draw slowly on those that need not. A quarter of an equal part is everyone's at any time, as far
 * as others can evict for it. A request that needs more than that at once gets it, on credit: what
 * is free, and what the others hold beyond their quarter and can evict, but no more than takes the
 * sum to twice the limit. They do so within milliseconds; the borrower gives nothing until then, or
 * two large values would drive each other out. Of several borrowers the first gives to the later
 * ones. Buffers are not in it: they have limits of their own and evict nothing.
 */
#ifndef SHOAL_SHARD_MEMORY_SHARE_H
#define SHOAL_SHARD_MEMORY_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct reactor;

/* A reactor's. */
struct memory_share {
    int64_t renewed_ms, woke_ms; /* when it was last worked out, and others woken for it */
    int64_t chase_until_ms;      /* so long only the others give back what this one has borrowed */
};

/* What one shard knows. */
struct memory_share_view {
    uint64_t limit_bytes;
    uint32_t shards;
    uint64_t own_bytes, total_bytes; /* used by this shard, and by all of them */
    bool pressed;                    /* this shard has had to evict or refuse */
    uint64_t spare_bytes;            /* what the others hold above their floor and can evict */
};

/* What the shard may use now. Thread: any. */
uint64_t memory_share_budget(const struct memory_share_view *view);

/* What it may use beyond `budget` for one request: that is free, or others can evict. Thread:
 * any. */
uint64_t memory_share_credit(const struct memory_share_view *view, uint64_t budget);

/* What a shard that uses `used_bytes` and can evict must not lose. Thread: any. */
uint64_t memory_share_floor(const struct memory_share_view *view);

/* Sets the budget of the reactor's keyspace; call it every turn. Wakes the reactor with most when
 * it has to give and may be asleep. Returns when background work is to run at the latest; INT64_MAX:
 * it need not. Thread: owner. */
int64_t memory_share_renew(struct reactor *reactor);

#endif
