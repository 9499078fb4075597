/*
 * evict_clock.c - CLOCK in hash order: the hand takes one hit off each item it meets, and evicts
 * those that have none.
 *
 * A new item is passed over once, as in sweep-S3, since the hand may meet it right after it came.
 */
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"

static void look_at_slot(struct keyspace *keyspace, const struct evict_chain *chain,
                         struct bucket *bucket, unsigned slot, struct evict_work *work)
{
    uint64_t *word = &bucket->slot[slot];
    if (evict_expired(keyspace, chain, bucket, slot, work))
        return;
    if (keyspace->policy->volatile_only && word_ttl(*word) == 0)
        return;
    if (word_freq(*word) > 0)
        *word = (*word - WORD_FREQ_ONE) | WORD_SEEN; /* for evict_idle_ms() */
    else
        evict_slot(keyspace, chain, bucket, slot, false, work);
}

void evict_run_clock(struct keyspace *keyspace, struct evict_work *work)
{
    struct evict_chain chain;

    while (evict_goes_on(work) &&
           evict_next(keyspace, &keyspace->_hand[0], work, WORD_FREQ_MASK, 0, &chain)) {
        for (struct bucket *b = chain.head; b != NULL; b = bucket_child(b))
            for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
                look_at_slot(keyspace, &chain, b, mask_first(used), work);
        evict_finish(&chain);
    }
}
