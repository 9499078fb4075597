/*
 * evict_ttl.c - evicts what expires soonest: of the next 16 buckets' items, by the coarse code of
 * their words.
 *
 * A sample of about 80 comes near the order a sorted index would give, which costs 16 bytes a key.
 */
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"

enum { SAMPLE_BUCKETS = 16 };

struct candidate {
    struct evict_chain chain;
    struct bucket *bucket;
    unsigned slot;
    uint64_t left_ms;
};

/* Nothing for what may be due: it is looked at first. */
static uint64_t left_ms(uint64_t word, struct ttl_clock clock)
{
    unsigned code = word_ttl(word);
    return ttl_may_be_due(code, clock) ? 0 : ttl_ms_left(code, clock) + 1;
}

static void look_at_chain(const struct evict_chain *chain, const struct evict_work *work,
                          struct candidate *best)
{
    for (struct bucket *b = chain->head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (word_ttl(b->slot[k]) == 0)
                continue;
            uint64_t left = left_ms(b->slot[k], work->clock);
            if (best->bucket == NULL || left < best->left_ms)
                *best = (struct candidate){ *chain, b, k, left };
        }
}

void evict_run_ttl(struct keyspace *keyspace, struct evict_work *work)
{
    while (evict_goes_on(work)) {
        struct candidate best = { 0 };
        struct evict_chain chain;
        for (unsigned i = 0; i < SAMPLE_BUCKETS || best.bucket == NULL; i++) {
            if (work->buckets_left == 0 ||
                !evict_next(keyspace, &keyspace->_hand[0], work, 0, 1, &chain))
                break;
            look_at_chain(&chain, work, &best);
        }
        if (best.bucket == NULL)
            return;
        if (!evict_expired(keyspace, &best.chain, best.bucket, best.slot, work))
            evict_slot(keyspace, &best.chain, best.bucket, best.slot, false, work);
        evict_finish(&best.chain);
    }
}
