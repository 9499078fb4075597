/*
 * table_grow.c - linear hashing: one bucket is split or merged at a time.
 *
 * Hashes are not stored, so a split rehashes the keys of one bucket; its line and its items are
 * fetched while the inserts before it run. No step allocates more than a chunk, and without memory
 * the table stays as it is: chains get longer, nothing fails.
 */
#include "shoal/base/hash.h"
#include "shoal/store/table/ghost.h"
#include "shoal/store/table/table.h"

/*
 * Four and a half of seven: 16 bytes a key. At five (15.2 bytes, for 12 % of the chains follow a
 * link and children cost what the sparser table does) look-ups take longer; at six a third would
 * follow a link. More free slots also hold more ghosts. It shrinks below half of that, far enough
 * away never to swing.
 */
enum {
    ITEMS_PER_TWO_BUCKETS = 9,
    FETCH_LINE_AHEAD = 4, /* inserts before the next split */
    FETCH_ITEMS_AHEAD = 2,
};

static bool goes_up(uint64_t word, uint64_t half)
{
    return (hash_key(item_key(word_item(word))) & half) != 0;
}

/* Takes every word of `from` for which goes_up() is `up` over to `to`. False when memory is out:
 * some were taken. */
static bool move_words(struct table *table, struct bucket *from, struct bucket *to, uint64_t half,
                       bool up)
{
    for (struct bucket *b = from; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (goes_up(b->slot[k], half) != up)
                continue;
            if (!chain_insert(table->_arena, to, b->tag[k], b->slot[k], &table->table_bytes))
                return false;
            bucket_release(b, k, 0);
        }
    return true;
}

static void split_bucket(struct table *table)
{
    struct directory *buckets = &table->_buckets;
    uint64_t half = directory_half(buckets);
    struct bucket *low = directory_at(buckets, directory_split(buckets));
    struct bucket *high = directory_push(buckets, table->_arena, &table->table_bytes);
    if (high == NULL)
        return;
    bool moved = move_words(table, low, high, half, true);
    if (!moved) {
        must(move_words(table, high, low, half, true)); /* into the holes they left */
        chain_clear(table->_arena, high, &table->table_bytes);
        directory_pop(buckets, table->_arena, &table->table_bytes);
    }
    chain_compact(table->_arena, low, &table->table_bytes);
    if (moved)
        ghost_split(low, high, half);
}

static void fetch_line(const struct directory *buckets)
{
    mem_prefetch(directory_at(buckets, directory_split(buckets)));
}

static void fetch_items(const struct directory *buckets)
{
    const struct bucket *bucket = directory_at(buckets, directory_split(buckets));
    for (uint64_t used = bucket_used(bucket); used != 0; used &= used - 1)
        mem_prefetch(word_item(bucket->slot[mask_first(used)]));
    if (bucket_linked(bucket))
        mem_prefetch(bucket_child(bucket));
}

void table_grow(struct table *table)
{
    int64_t room = (int64_t)(table->_buckets.count * ITEMS_PER_TWO_BUCKETS - table->count * 2) >> 1;
    if (room < 0)
        split_bucket(table);
    else if (room == FETCH_LINE_AHEAD)
        fetch_line(&table->_buckets);
    else if (room == FETCH_ITEMS_AHEAD)
        fetch_items(&table->_buckets);
}

/* Copies the words of `from`, keeping them there until all have found a place. */
static bool copy_words(struct table *table, const struct bucket *from, struct bucket *to)
{
    for (const struct bucket *b = from; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (!chain_insert(table->_arena, to, b->tag[k], b->slot[k], &table->table_bytes))
                return false;
        }
    return true;
}

static void forget_words(struct bucket *head, uint64_t half)
{
    for (struct bucket *b = head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            unsigned k = mask_first(used);
            if (goes_up(b->slot[k], half))
                bucket_release(b, k, 0);
        }
}

void table_shrink(struct table *table)
{
    struct directory *buckets = &table->_buckets;
    if (table->count * 4 >= buckets->count * ITEMS_PER_TWO_BUCKETS || buckets->count <= BUCKETS_MIN)
        return;
    uint64_t last = buckets->count - 1;
    uint64_t half =
        directory_split(buckets) > 0 ? directory_half(buckets) : directory_half(buckets) / 2;
    struct bucket *low = directory_at(buckets, last - half), *high = directory_at(buckets, last);
    if (!copy_words(table, high, low)) {
        forget_words(low, half);
        chain_compact(table->_arena, low, &table->table_bytes);
        return;
    }
    chain_clear(table->_arena, high, &table->table_bytes);
    directory_pop(buckets, table->_arena, &table->table_bytes);
}
