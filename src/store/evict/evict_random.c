/*
 * evict_random.c - evicts any key, or any with a TTL, each with the same chance.
 *
 * A bucket is drawn and then a place in it, which may be empty: were every bucket to give one item,
 * buckets with little traffic would be drained, and misses double. Where candidates are rare, the
 * first one from the last draw on is taken.
 */
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    PLACES = 8,    /* longer chains are drawn no more often than one of this length */
    DRAWS_MAX = 64 /* in vain, before any candidate will do */
};

/* A database by the number of its items, and a bucket of it. */
static struct evict_hand random_place(struct keyspace *keyspace)
{
    struct evict_hand hand = { 0 };
    uint64_t draw = random_next(&keyspace->random) % keyspace_count(keyspace);
    while (draw >= keyspace->db[hand.db].count)
        draw -= keyspace->db[hand.db++].count;
    hand.bucket = random_next(&keyspace->random) % table_bucket_count(&keyspace->db[hand.db]);
    return hand;
}

static bool may_go(const struct keyspace *keyspace, uint64_t word)
{
    return !keyspace->policy->volatile_only || word_ttl(word) != 0;
}

static unsigned count_candidates(const struct keyspace *keyspace, const struct evict_chain *chain)
{
    unsigned count = 0;
    for (const struct bucket *b = chain->head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            count += may_go(keyspace, b->slot[mask_first(used)]);
    return count;
}

static void evict_candidate(struct keyspace *keyspace, struct evict_chain *chain, unsigned n,
                            struct evict_work *work)
{
    for (struct bucket *b = chain->head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (!may_go(keyspace, b->slot[k]) || n-- > 0)
                continue;
            if (!evict_expired(keyspace, chain, b, k, work))
                evict_slot(keyspace, chain, b, k, false, work);
            evict_finish(chain);
            return;
        }
}

static void evict_one(struct keyspace *keyspace, struct evict_work *work)
{
    struct evict_hand hand = random_place(keyspace);
    struct evict_chain chain;
    for (unsigned draws = 0; work->buckets_left > 0; draws++) {
        if (!evict_next(keyspace, &hand, work, 0, 1, &chain))
            return;
        unsigned count = count_candidates(keyspace, &chain);
        uint64_t draw = random_next(&keyspace->random);
        unsigned places = count > PLACES || draws >= DRAWS_MAX ? count : PLACES;
        if (count > 0 && draw % places < count) {
            evict_candidate(keyspace, &chain, draw % places, work);
            return;
        }
        if (draws < DRAWS_MAX)
            hand = random_place(keyspace);
    }
}

void evict_run_random(struct keyspace *keyspace, struct evict_work *work)
{
    while (evict_goes_on(work) && keyspace_count(keyspace) > 0)
        evict_one(keyspace, work);
}
