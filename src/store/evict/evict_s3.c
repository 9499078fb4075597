/*
 * evict_s3.c - sweep-S3: S3-FIFO in hash order, two hands over the buckets.
 *
 *   hit       freq + 1, up to 3                                           (table_hit)
 *   insert    a ghost of the key not older than one turnover: main; else probation   (table_add)
 *   hand P    in probation:  freq >= 1 -> main, freq = 0;  not seen -> seen;  else evict, leave a
 *             ghost
 *   hand M    in main:       freq > 0 -> freq - 1;  else evict
 *
 * P moves while probation has more than a tenth of the bytes, M otherwise. Since a hand meets
 * items in the order of their hashes and not of their arrival, a new one is only marked the first
 * time: it is given one to two rounds to be asked for again.
 *
 * source  Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023
 */
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"
#include "shoal/store/table/ghost.h"

enum {
    PROBATION_PARTS = 10,
    CENSUS_MASK = 15, /* every 16th bucket is counted for the miss-ratio estimate */
};

static bool probation_is_next(const struct keyspace *keyspace)
{
    uint64_t items = 0, main = 0;
    for (uint32_t db = 0; db < keyspace->_db_top; db++) {
        items += keyspace->db[db].item_bytes;
        main += keyspace->db[db].main_bytes;
    }
    return main == 0 || (items - main) * PROBATION_PARTS > items;
}

static void promote_to_main(struct table *table, uint64_t *word)
{
    struct item *item = word_item(*word);
    *word = (*word & ~(WORD_FREQ_MASK | WORD_SEEN)) | WORD_MAIN;
    item_set_main(item, true);
    table->main_bytes += item_footprint(item);
}

static void probation_slot(struct keyspace *keyspace, const struct evict_chain *chain,
                           struct bucket *bucket, unsigned slot, struct evict_work *work)
{
    uint64_t *word = &bucket->slot[slot];
    if (*word & WORD_MAIN || evict_expired(keyspace, chain, bucket, slot, work))
        return;
    if (word_freq(*word) > 0)
        promote_to_main(chain->table, word);
    else if (!(*word & WORD_SEEN))
        *word |= WORD_SEEN;
    else
        evict_slot(keyspace, chain, bucket, slot, true, work);
}

static void main_slot(struct keyspace *keyspace, const struct evict_chain *chain,
                      struct bucket *bucket, unsigned slot, struct evict_work *work)
{
    uint64_t *word = &bucket->slot[slot];
    if (!(*word & WORD_MAIN) || evict_expired(keyspace, chain, bucket, slot, work))
        return;
    if (word_freq(*word) > 0)
        *word = (*word - WORD_FREQ_ONE) | WORD_SEEN; /* which here only evict_idle_ms() reads */
    else
        evict_slot(keyspace, chain, bucket, slot, false, work);
}

/* Of the bucket farthest from the hand, whose ghosts are neither the youngest nor the oldest. */
static void take_census(struct keyspace *keyspace, const struct evict_chain *chain)
{
    const struct directory *buckets = &chain->table->_buckets;
    uint64_t index = (chain->index + buckets->count / 2) % buckets->count;
    ghost_census(&keyspace->_ghosts, directory_at(buckets, index));
}

static void step_probation(struct keyspace *keyspace, struct evict_work *work)
{
    struct evict_chain chain;
    const uint64_t mask = WORD_MAIN | WORD_SEEN;
    if (!evict_next(keyspace, &keyspace->_hand[0], work, mask, WORD_SEEN, &chain))
        return;
    if ((chain.index & CENSUS_MASK) == 0)
        take_census(keyspace, &chain);
    for (struct bucket *b = chain.head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            probation_slot(keyspace, &chain, b, mask_first(used), work);
    evict_finish(&chain);
}

static void step_main(struct keyspace *keyspace, struct evict_work *work)
{
    struct evict_chain chain;
    const uint64_t mask = WORD_MAIN | WORD_FREQ_MASK;
    if (!evict_next(keyspace, &keyspace->_hand[1], work, mask, WORD_MAIN, &chain))
        return;
    for (struct bucket *b = chain.head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            main_slot(keyspace, &chain, b, mask_first(used), work);
    evict_finish(&chain);
}

void evict_run_s3(struct keyspace *keyspace, struct evict_work *work)
{
    while (evict_goes_on(work)) {
        if (probation_is_next(keyspace))
            step_probation(keyspace, work);
        else
            step_main(keyspace, work);
    }
}
