/*
 * memory_share.h - each shard's share of maxmemory, drawn from one pool.
 *
 * There is no coordinator. Every millisecond each reactor reads the usage that all shards publish
 * and sets its own limit, conservatively enough that stale figures overshoot maxmemory by at most
 * 1 %. A full shard borrows from an empty one; when nothing is free, shards that must evict draw
 * slowly on those that need not. Every shard is guaranteed a quarter of an equal share, as far as
 * the others hold data that they can evict.
 *
 * A request that needs more than that at once gets it on credit: what is free, and what the others
 * hold beyond their guarantee and can evict, but never so much that the sum exceeds twice the
 * limit. The others evict within milliseconds; until then the borrower gives nothing back, since
 * two large values would drive each other out otherwise. Of several borrowers the earlier ones give
 * to the later ones.
 *
 * The buffers of connections are not part of it: they have limits of their own and evict nothing.
 */
#ifndef SHOAL_SHARD_MEMORY_SHARE_H
#define SHOAL_SHARD_MEMORY_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct reactor;

/* A reactor's. */
struct memory_share {
    int64_t renewed_ms, woke_ms; /* when it was last worked out, and others woken for it */
    int64_t chase_until_ms; /* until then only the others give back what this one has borrowed */
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
 * it has to give and may be asleep. Returns when background work is to run at the latest;
 * INT64_MAX: it need not. Thread: owner. */
int64_t memory_share_renew(struct reactor *reactor);

#endif
