/*
 * memory_pool.h - the memory that all shards share: how much of it is taken, and taking more.
 *
 * A shard's part is its budget, or what it uses where that is more. A shard that lacks room takes
 * it from the pool at once, and it gives back what it does not need (shard/memory_share.h). While
 * anything is free the sum of the parts does not exceed the pool, so that no two shards count on the
 * same bytes.
 *
 *   0            free pieces are taken up to here        and on credit up to here
 *   |----- parts of all shards -----|......|=====================|
 *                                         pool               pool + what others can evict,
 *                                                            at most twice the limit
 */
#ifndef SHOAL_STORE_KEYSPACE_MEMORY_POOL_H
#define SHOAL_STORE_KEYSPACE_MEMORY_POOL_H

#include "shoal/base/minmax.h"
#include "shoal/base/total.h"

#include <stddef.h>

struct memory_pool {
    _Alignas(64) struct total taken; /* by all shards */
    struct total spare;              /* what each holds above its floor and can evict */
    _Atomic uint32_t borrower;       /* who has taken on credit last, plus 1; 0: nobody */
};

/* A shard's. Thread: owner, for all of it. */
struct memory_part {
    struct memory_pool *pool;  /* NULL: the budget is all there is */
    uint64_t taken, spare;     /* its parts of the sums */
    uint64_t pool_bytes;       /* what may be taken while it is free */
    uint64_t credit_bytes_max; /* and beyond that, however much others can evict */
    uint64_t floor_bytes;      /* what it may have at any time if others can evict it */
    uint64_t chunk_parts;      /* takes one of so many of what is free, beyond its need */
};

/* What the others could evict for this one. */
static inline uint64_t memory_part_others_spare(const struct memory_part *part)
{
    uint64_t spare = total_get(&part->pool->spare);
    return spare > part->spare ? spare - part->spare : 0;
}

/* What all shards may take together at the most: for one that lacks room. */
static inline uint64_t memory_part_most(const struct memory_part *part, bool on_credit)
{
    uint64_t credit = on_credit ? memory_part_others_spare(part) : 0;
    return part->pool_bytes + min(credit, part->credit_bytes_max);
}

/* How much more this shard could take now. */
static inline uint64_t memory_part_reach(const struct memory_part *part, bool on_credit)
{
    if (part->pool == NULL)
        return 0;
    uint64_t taken = total_get(&part->pool->taken), most = memory_part_most(part, on_credit);
    return taken < most ? most - taken : 0;
}

/* Makes its part at least `bytes`; false, nothing changed, when there is not as much. */
static inline bool memory_part_raise(struct memory_part *part, uint64_t bytes, bool on_credit)
{
    if (part->pool == NULL)
        return false;
    uint64_t most = memory_part_most(part, on_credit);
    if (bytes <= part->taken) /* what it has is too much when all have too much */
        return total_get(&part->pool->taken) <= most;
    return total_take(&part->pool->taken, &part->taken, bytes - part->taken, most);
}

#endif
