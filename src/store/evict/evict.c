/*
 * evict.c - the list of policies, and what they share: moving a hand on, and freeing an item.
 */
#include "shoal/store/evict/evict.h"
#include "shoal/base/hash.h"
#include "shoal/store/keyspace/keyspace.h"
#include "shoal/store/table/ghost.h"

enum {
    LINE_AHEAD = 8,  /* buckets fetched before the hand ... */
    ITEMS_AHEAD = 3, /* ... and their likely victims */
};

/* clang-format off */
const struct evict_policy evict_policies[] = {
    { "noeviction", NULL, false },              /* nothing gives way: writes fail */
    { "allkeys-s3fifo", evict_run_s3, false },  /* sweep-S3, the default */
    { "allkeys-lru", evict_run_s3, false },     /* the same: it keeps what is used recently ... */
    { "allkeys-lfu", evict_run_s3, false },     /* ... and often */
    { "allkeys-clock", evict_run_clock, false }, /* second chance, in hash order */
    { "allkeys-random", evict_run_random, false },
    { "volatile-lru", evict_run_clock, true },
    { "volatile-lfu", evict_run_clock, true },
    { "volatile-random", evict_run_random, true },
    { "volatile-ttl", evict_run_ttl, true }, /* of the keys under the hand, the first to expire */
    { NULL, NULL, false },
};
/* clang-format on */

const struct evict_policy *evict_policy_find(const char *name)
{
    for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++)
        if (strcmp(policy->name, name) == 0)
            return policy;
    return NULL;
}

/* ---- hands --------------------------------------------------------------- */

static void begin_round(const struct keyspace *keyspace, struct evict_hand *hand)
{
    if (hand->began_ms != 0)
        hand->round_ms = keyspace->now_ms - hand->began_ms;
    hand->began_ms = keyspace->now_ms;
}

/* The table the hand is in, or the next one that holds something. */
static struct table *table_at(struct keyspace *keyspace, struct evict_hand *hand)
{
    for (uint32_t i = 0; i <= DATABASES_MAX; i++) {
        struct table *table = &keyspace->db[hand->db];
        if (table->count > 0 && hand->bucket < table->_buckets.count)
            return table;
        hand->db = (hand->db + 1) % DATABASES_MAX;
        hand->bucket = 0;
        if (hand->db == 0)
            begin_round(keyspace, hand);
    }
    return NULL;
}

static void fetch_ahead(const struct directory *buckets, uint64_t index, uint64_t mask,
                        uint64_t value)
{
    if (index + LINE_AHEAD < buckets->count)
        mem_prefetch(directory_at(buckets, index + LINE_AHEAD));
    if (index + ITEMS_AHEAD >= buckets->count)
        return;
    const struct bucket *bucket = directory_at(buckets, index + ITEMS_AHEAD);
    for (uint64_t used = bucket_used(bucket); used != 0; used &= used - 1) {
        uint64_t word = bucket->slot[mask_first(used)];
        if ((word & mask) == value)
            mem_prefetch(word_item(word));
    }
    if (bucket_linked(bucket))
        mem_prefetch(bucket_child(bucket));
}

bool evict_next(struct keyspace *keyspace, struct evict_hand *hand, struct evict_work *work,
                uint64_t mask, uint64_t value, struct evict_chain *chain)
{
    struct table *table = table_at(keyspace, hand);
    if (table == NULL) {
        work->buckets_left = 0;
        return false;
    }
    fetch_ahead(&table->_buckets, hand->bucket, mask, value);
    *chain = (struct evict_chain){
        .table = table,
        .head = directory_at(&table->_buckets, hand->bucket),
        .index = hand->bucket,
    };
    hand->bucket++;
    work->buckets_left--;
    return true;
}

bool evict_counts_hits(const struct evict_policy *policy)
{
    return policy->run == evict_run_s3 || policy->run == evict_run_clock;
}

int64_t evict_idle_ms(const struct keyspace *keyspace, uint64_t word)
{
    bool main_hand = word & WORD_MAIN && keyspace->policy->run == evict_run_s3;
    /* the hand has taken the item's last hit, or has seen that it had none yet */
    bool idle = word_freq(word) == 0 && word & WORD_SEEN;
    return idle ? keyspace->_hand[main_hand].round_ms : 0;
}

/* ---- freeing ------------------------------------------------------------- */

static void free_slot(const struct evict_chain *chain, struct bucket *bucket, unsigned slot,
                      uint64_t ghost, struct evict_work *work)
{
    struct table *table = chain->table;
    struct item *item = word_item(bucket->slot[slot]);
    work->freed_bytes += item_footprint(item);
    table_account_remove(table, item);
    item_free(table->_arena, item);
    table->count--;
    bucket_release(bucket, slot, ghost);
}

static inline void tell(struct keyspace *keyspace, const struct evict_chain *chain,
                        const struct item *item, enum key_change change)
{
    if (unlikely(keyspace->observed != 0))
        keyspace_tell_item(keyspace, chain->table, item, change);
}

bool evict_expired(struct keyspace *keyspace, const struct evict_chain *chain,
                   struct bucket *bucket, unsigned slot, struct evict_work *work)
{
    uint64_t word = bucket->slot[slot];
    if (likely(word_ttl(word) == 0) || !ttl_may_be_due(word_ttl(word), work->clock) ||
        item_expire_ms(word_item(word)) > keyspace->now_ms ||
        keyspace_is_held(keyspace, word_item(word)))
        return false;
    keyspace_note_expired(keyspace, word_item(word));
    tell(keyspace, chain, word_item(word), CHANGE_EXPIRED);
    free_slot(chain, bucket, slot, 0, work);
    return true;
}

void evict_slot(struct keyspace *keyspace, const struct evict_chain *chain, struct bucket *bucket,
                unsigned slot, bool ghost, struct evict_work *work)
{
    const struct item *item = word_item(bucket->slot[slot]);
    if (work->victims_left == 0 || keyspace_is_held(keyspace, item))
        return;
    work->victims_left--;
    uint64_t left = 0;
    if (ghost)
        left = ghost_of(&keyspace->_ghosts, hash_key(item_key(item)), keyspace_count(keyspace));
    keyspace->_evicted++;
    tell(keyspace, chain, item, CHANGE_EVICTED);
    free_slot(chain, bucket, slot, left, work);
}

void evict_finish(struct evict_chain *chain)
{
    chain_compact(chain->table->_arena, chain->head, &chain->table->table_bytes);
    table_shrink(chain->table);
}
