/*
 * pool_with.h - a keyspace with a budget, and with others from which it may borrow a certain amount.
 */
#ifndef SHOAL_TESTS_SUPPORT_POOL_WITH_H
#define SHOAL_TESTS_SUPPORT_POOL_WITH_H

#include "shoal/store/keyspace/keyspace.h"

/* Nothing is free: all of `credit` is what others can evict. `pool` is the test's. */
static inline void pool_with_credit(struct memory_pool *pool, struct keyspace *keyspace,
                                    uint64_t budget, uint64_t credit)
{
    uint64_t others_spare = 0;
    *pool = (struct memory_pool){ 0 };
    keyspace->part = (struct memory_part){
        .pool = pool,
        .pool_bytes = max(budget, keyspace_used(keyspace)),
        .credit_bytes_max = UINT64_MAX / 2,
        .chunk_parts = 64,
    };
    total_set_part(&pool->spare, &others_spare, credit);
    total_set_part(&pool->taken, &keyspace->part.taken, keyspace->part.pool_bytes);
    keyspace_set_budget(keyspace, budget);
}

#endif
