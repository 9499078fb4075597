/*
 * table_walk.c - everything that goes over the table bucket by bucket: SCAN, RANDOMKEY, the expiry
 * sweep and the freeing of a flushed table.
 */
#include "shoal/base/hash.h"
#include "shoal/base/minmax.h"
#include "shoal/base/random.h"
#include "shoal/store/table/ghost.h"
#include "shoal/store/table/table.h"
#include "shoal/store/table/ttlcode.h"

enum {
    /* Longer chains are drawn no more often than one of this length: at most one in 10,000, with
     * six items a bucket. Four to seven draws find an item in a table that is not nearly empty. */
    RANDOM_PLACES = 16,
    RANDOM_DRAWS_MIN = 64,
    RANDOM_DRAW_BUCKETS = 8, /* are looked at one after the other in the time of a draw */
    RANDOM_AHEAD = 4,        /* buckets whose items are fetched before they are looked at */
    SWEEP_GROUP = 16,        /* buckets whose due items are fetched together */
    DRAIN_AHEAD = 4,         /* buckets whose items are fetched before they are freed */
};

/* ---- SCAN ---------------------------------------------------------------- */

static void each_item(const struct bucket *head, table_each_fn each, void *context)
{
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            each(context, word_item(b->slot[mask_first(used)]), 0);
}

static uint64_t reverse_bits(uint64_t v)
{
    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(v);
}

/*
 * Counts upwards from the highest bit of the level: what a cursor has left behind is whole subtrees
 * of the hash's low bits, which stay together however often the buckets are split or merged
 * meanwhile.
 */
uint64_t table_scan(struct table *table, uint64_t cursor, table_each_fn each, void *context)
{
    const struct directory *buckets = &table->_buckets;
    if (buckets->count == 0)
        return 0;
    uint64_t half = directory_half(buckets), index = cursor & (half - 1);
    each_item(directory_at(buckets, index), each, context);
    if (index < directory_split(buckets))
        each_item(directory_at(buckets, index + half), each, context);
    return reverse_bits(reverse_bits(cursor | ~(half - 1)) + 1);
}

/* ---- a random item ------------------------------------------------------- */

static bool word_live(uint64_t word, int64_t now_ms)
{
    return word_ttl(word) == 0 || item_expire_ms(word_item(word)) > now_ms;
}

/* Draws a bucket and a place in it, which may be empty. So every item has the same chance, those of
 * a long chain aside. NULL: the place is empty, or what is there has expired. */
static struct item *draw_live(const struct table *table, struct random *random, int64_t now_ms)
{
    const struct directory *buckets = &table->_buckets;
    const struct bucket *head = directory_at(buckets, random_below(random, buckets->count));
    unsigned count = chain_count(head);
    unsigned n = (unsigned)random_below(random, count < RANDOM_PLACES ? RANDOM_PLACES : count);
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            if (n-- == 0) {
                uint64_t word = b->slot[mask_first(used)];
                return word_live(word, now_ms) ? word_item(word) : NULL;
            }
    return NULL;
}

/* The bucket's items that have a TTL: whether they live is to be asked. */
static void fetch_mortal(const struct bucket *bucket)
{
    for (uint64_t used = bucket_used(bucket); used != 0; used &= used - 1) {
        uint64_t word = bucket->slot[mask_first(used)];
        if (word_ttl(word) != 0)
            mem_prefetch(word_item(word));
    }
}

/* Looks at all items and keeps each live one with the chance that it needs to be the one in the
 * end. */
static struct item *pick_live(const struct table *table, struct random *random, int64_t now_ms)
{
    const struct directory *buckets = &table->_buckets;
    struct item *picked = NULL;
    uint64_t live = 0;
    for (uint64_t i = 0; i < buckets->count; i++) {
        if (i + RANDOM_AHEAD < buckets->count)
            fetch_mortal(directory_at(buckets, i + RANDOM_AHEAD));
        for (const struct bucket *b = directory_at(buckets, i); b != NULL; b = bucket_child(b))
            for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
                uint64_t word = b->slot[mask_first(used)];
                if (word_live(word, now_ms) && random_below(random, ++live) == 0)
                    picked = word_item(word);
            }
    }
    return picked;
}

/* Draws as long as that is cheaper than to look at all items. */
struct item *table_random(const struct table *table, struct random *random, int64_t now_ms)
{
    uint64_t draws = table->_buckets.count / RANDOM_DRAW_BUCKETS + RANDOM_DRAWS_MIN;
    struct item *item = NULL;
    if (table->count == 0)
        return NULL;
    while (item == NULL && draws-- > 0)
        item = draw_live(table, random, now_ms);
    return item != NULL ? item : pick_live(table, random, now_ms);
}

/* ---- the expiry sweep ---------------------------------------------------- */

struct sweep {
    struct table *table;
    int64_t now_ms;
    struct ttl_clock clock;
    table_expired_fn expired;
    void *context;
    uint64_t freed;
};

/* Words only. Fetches the items that may be due; false when there is none. */
static bool look_at_chain(struct sweep *sweep, const struct bucket *head)
{
    struct table *table = sweep->table;
    bool due = false;
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            uint64_t word = b->slot[mask_first(used)];
            unsigned code = word_ttl(word);
            if (code == 0)
                continue;
            if (ttl_may_be_due(code, sweep->clock)) {
                mem_prefetch(word_item(word));
                due = true;
            } else {
                table->_ttl_sum_ms += ttl_ms_left(code, sweep->clock);
                table->_ttl_seen++;
            }
        }
    return due;
}

static void sweep_word(struct sweep *sweep, struct bucket *bucket, unsigned slot)
{
    struct table *table = sweep->table;
    struct item *item = word_item(bucket->slot[slot]);
    int64_t expire_ms = item_expire_ms(item);
    if (expire_ms > sweep->now_ms) {
        /* in the same unit, or a clamped code came round: say it anew */
        table->_ttl_sum_ms += (uint64_t)(expire_ms - sweep->now_ms);
        table->_ttl_seen++;
        bucket->slot[slot] = word_with_ttl(bucket->slot[slot], ttl_code(expire_ms, sweep->now_ms));
        return;
    }
    if (sweep->expired != NULL && !sweep->expired(sweep->context, item))
        return;
    bucket_release(bucket, slot, 0);
    table_account_remove(table, item);
    item_free(table->_arena, item);
    table->count--;
    sweep->freed++;
}

static void sweep_chain(struct sweep *sweep, struct bucket *head)
{
    uint64_t freed = sweep->freed;
    for (struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (ttl_may_be_due(word_ttl(b->slot[k]), sweep->clock))
                sweep_word(sweep, b, k);
        }
    if (sweep->freed != freed)
        chain_compact(sweep->table->_arena, head, &sweep->table->table_bytes);
}

/* The children of a group's buckets, and the lines of the group that comes after it. */
static void fetch_group(const struct directory *buckets, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct bucket *head = directory_at(buckets, i);
        if (i >= SWEEP_GROUP)
            mem_prefetch(directory_at(buckets, i - SWEEP_GROUP));
        if (bucket_linked(head))
            mem_prefetch(bucket_child(head));
    }
}

/* Some buckets from `first` on: first all words, then the items that are due. */
static void sweep_group(struct sweep *sweep, uint64_t first, uint64_t count)
{
    const struct directory *buckets = &sweep->table->_buckets;
    uint32_t due = 0;
    fetch_group(buckets, first, count);
    for (uint64_t i = 0; i < count; i++)
        due |= (uint32_t)look_at_chain(sweep, directory_at(buckets, first + i)) << i;
    for (; due != 0; due &= due - 1)
        sweep_chain(sweep, directory_at(buckets, first + (unsigned)__builtin_ctz(due)));
}

static void end_of_pass(struct table *table)
{
    table->ttl_mean_ms = table->_ttl_seen > 0 ? table->_ttl_sum_ms / table->_ttl_seen : 0;
    table->_ttl_sum_ms = table->_ttl_seen = 0;
}

uint64_t table_sweep_expired(struct table *table, uint64_t buckets_max, int64_t now_ms,
                             table_expired_fn expired, void *context, bool *wrapped)
{
    struct sweep sweep = { table, now_ms, ttl_clock_at(now_ms), expired, context, 0 };
    if (table->_sweep == 0 || table->_sweep > table->_buckets.count)
        table->_sweep = table->_buckets.count;
    while (buckets_max > 0 && table->_sweep > 0) {
        uint64_t group = min(table->_sweep, SWEEP_GROUP), count = min(group, buckets_max);
        table->_sweep -= count;
        buckets_max -= count;
        sweep_group(&sweep, table->_sweep, count);
    }
    bool end = table->_sweep == 0;
    if (end)
        end_of_pass(table);
    if (wrapped != NULL)
        *wrapped = end;
    for (uint64_t i = 0; i < sweep.freed; i++)
        table_shrink(table);
    return sweep.freed;
}

/* ---- freeing a whole table ----------------------------------------------- */

static void fetch_chain(const struct directory *buckets, uint64_t index)
{
    const struct bucket *bucket = directory_at(buckets, index);
    for (uint64_t used = bucket_used(bucket); used != 0; used &= used - 1)
        mem_prefetch(word_item(bucket->slot[mask_first(used)]));
}

static void free_chain(struct table *table, struct bucket *head)
{
    for (struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            struct item *item = word_item(b->slot[mask_first(used)]);
            table_account_remove(table, item);
            item_free(table->_arena, item);
            table->count--;
        }
    chain_clear(table->_arena, head, &table->table_bytes);
}

bool table_drain(struct table *taken, uint64_t items_max)
{
    struct directory *buckets = &taken->_buckets;
    uint64_t stop = taken->count > items_max ? taken->count - items_max : 0;
    while (taken->count > stop) {
        uint64_t last = buckets->count - 1;
        if (last >= DRAIN_AHEAD)
            fetch_chain(buckets, last - DRAIN_AHEAD);
        free_chain(taken, directory_at(buckets, last));
        if (buckets->count == BUCKETS_MIN)
            break;
        directory_pop(buckets, taken->_arena, &taken->table_bytes);
    }
    if (buckets->count == BUCKETS_MIN)
        for (uint64_t i = 0; i < BUCKETS_MIN; i++)
            free_chain(taken, directory_at(buckets, i));
    if (taken->count > 0)
        return false;
    directory_close(buckets, taken->_arena, &taken->table_bytes);
    return true;
}

/* ---- invariants ---------------------------------------------------------- */

struct tally {
    uint64_t count, expires, item_bytes, main_bytes, children;
};

static void validate_word(const struct table *table, const struct bucket *bucket, unsigned slot,
                          uint64_t index, struct tally *tally)
{
    uint64_t word = bucket->slot[slot];
    const struct item *item = word_item(word);
    uint64_t hash = hash_key(item_key(item));
    must(bucket_tag(hash) == bucket->tag[slot]);
    must(directory_index(&table->_buckets, hash) == index);
    must((word_ttl(word) != 0) == item_has_expire(item));
    must(((word & WORD_MAIN) != 0) == item_is_main(item));
    tally->count++;
    tally->expires += item_has_expire(item);
    tally->item_bytes += item_footprint(item);
    tally->main_bytes += item_is_main(item) ? item_footprint(item) : 0;
}

static void validate_free(const struct table *table, uint64_t word, uint64_t index)
{
    uint64_t known = table->_buckets.mask & ~(uint64_t)(BUCKETS_MIN - 1);
    must(word == 0 || word_is_ghost(word));
    if (word != 0)
        must((directory_index(&table->_buckets, ghost_hash(word) | (index & (BUCKETS_MIN - 1))) &
              known) == (index & known));
}

static void validate_chain(const struct table *table, uint64_t index, struct tally *tally)
{
    const struct bucket *head = directory_at(&table->_buckets, index);
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b)) {
        uint64_t used = bucket_used(b);
        must(!bucket_linked(b) || (bucket_free(b) == 0 && b->tag[BUCKET_LINK_SLOT] == 0));
        must(b == head || bucket_linked(b) || mask_count(used) >= 2);
        tally->children += b != head;
        for (; used != 0; used &= used - 1)
            validate_word(table, b, mask_first(used), index, tally);
        for (uint64_t holes = bucket_free(b); holes != 0; holes &= holes - 1)
            validate_free(table, b->slot[mask_first(holes)], index);
    }
}

void table_validate(const struct table *table)
{
    struct tally tally = { 0 };
    for (uint64_t i = 0; i < table->_buckets.count; i++)
        validate_chain(table, i, &tally);
    must(tally.count == table->count);
    must(tally.expires == table->expires);
    must(tally.item_bytes == table->item_bytes);
    must(tally.main_bytes == table->main_bytes);
    must(directory_bytes(&table->_buckets) + tally.children * sizeof(struct bucket) ==
         table->table_bytes);
}
