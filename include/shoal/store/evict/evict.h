/*
 * evict.h - which items a full shard evicts: the list of policies, and what they share.
 *
 * All policies read the policy bits of bucket words, so a hit writes two bits of a line it has
 * loaded, and nothing is kept per key. Hands go over the buckets of all databases in turn. An item
 * that has expired is freed wherever a hand meets it. Thread: owner.
 */
#ifndef SHOAL_STORE_EVICT_EVICT_H
#define SHOAL_STORE_EVICT_EVICT_H

#include "shoal/store/table/bucket.h"
#include "shoal/store/table/ttlcode.h"

struct keyspace;
struct table;

/* What a run may do and has done. It ends when `wanted_bytes` are freed or a count is used up. */
struct evict_work {
    uint64_t wanted_bytes, freed_bytes;
    uint64_t victims_left; /* items it may evict */
    uint64_t buckets_left; /* buckets it may look at */
    struct ttl_clock clock;
};

struct evict_policy {
    const char *name;                                                /* as in maxmemory-policy */
    void (*run)(struct keyspace *keyspace, struct evict_work *work); /* NULL: evicts nothing */
    bool volatile_only; /* only items with a TTL may go */
};

/* Every policy, in the order in which users are told of them; ended by a NULL name. */
extern const struct evict_policy evict_policies[];

/* By name; NULL when unknown. Thread: any. */
const struct evict_policy *evict_policy_find(const char *name);

/* What a policy goes by: of one that goes by hits alone, or by when they were, it can be told. */
bool evict_counts_hits(const struct evict_policy *policy);

/*
 * How long an item has had no hit, of which nothing is kept but the bits of its word: 0 while the
 * hand has not passed it since, or is on its first rounds; otherwise what a whole round last took.
 * It is right to about one round, and only for policies that evict_counts_hits(). Thread: owner.
 */
int64_t evict_idle_ms(const struct keyspace *keyspace, uint64_t word);

/* ---- for policies -------------------------------------------------------- */

/* Where a hand stands: a database and the bucket it looks at next. */
struct evict_hand {
    uint32_t db;
    uint64_t bucket;
    int64_t began_ms,
        round_ms; /* of the round it is on; what the last one took. 0: there was none */
};

/* The chain a hand has come to. */
struct evict_chain {
    struct table *table;
    struct bucket *head;
    uint64_t index;
};

static inline bool evict_goes_on(const struct evict_work *work)
{
    return work->freed_bytes < work->wanted_bytes && work->victims_left > 0 &&
           work->buckets_left > 0;
}

/*
 * Moves the hand on by one bucket, into `chain`. Fetches the lines that come next, and of these the
 * items whose word is `value` under `mask`: those the policy is likely to evict. False when the
 * shard has no items; the work ends then.
 */
bool evict_next(struct keyspace *keyspace, struct evict_hand *hand, struct evict_work *work,
                uint64_t mask, uint64_t value, struct evict_chain *chain);

/* Frees the item of a slot if it has expired. */
bool evict_expired(struct keyspace *keyspace, const struct evict_chain *chain,
                   struct bucket *bucket, unsigned slot, struct evict_work *work);

/* Evicts the item of a slot, leaving a ghost if `ghost`; not when no victims are left. */
void evict_slot(struct keyspace *keyspace, const struct evict_chain *chain, struct bucket *bucket,
                unsigned slot, bool ghost, struct evict_work *work);

/* Restores the chain after slots of it were freed. Ends the use of a chain. */
void evict_finish(struct evict_chain *chain);

void evict_run_s3(struct keyspace *keyspace, struct evict_work *work);
void evict_run_clock(struct keyspace *keyspace, struct evict_work *work);
void evict_run_random(struct keyspace *keyspace, struct evict_work *work);
void evict_run_ttl(struct keyspace *keyspace, struct evict_work *work);

#endif
