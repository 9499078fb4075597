/*
 * table.c - finding, adding, replacing and removing items.
 *
 * A lookup normally costs one line of buckets and the item itself; both can be prefetched ahead, in
 * three passes over a group of hashes. Nothing here is atomic.
 */
#include "shoal/store/table/table.h"
#include "shoal/store/table/ghost.h"
#include "shoal/store/table/ttlcode.h"

void table_init(struct table *table, struct arena *arena)
{
    *table = (struct table){ ._arena = arena };
}

void table_fini(struct table *table)
{
    while (!table_drain(table, UINT64_MAX))
        ;
}

uint64_t table_bucket_count(const struct table *table)
{
    return table->_buckets.count;
}

/* ---- lookup -------------------------------------------------------------- */

void table_prefetch_bucket(const struct table *table, uint64_t hash)
{
    if (likely(table->_buckets.count > 0))
        mem_prefetch(directory_of(&table->_buckets, hash));
}

/* Its word, by the tag alone. */
static inline bool prefetch_tagged(const struct bucket *bucket, uint64_t hash)
{
    uint64_t match = bucket_match(bucket, bucket_tag(hash));
    if (match != 0)
        mem_prefetch(word_item(bucket->slot[mask_first(match)]));
    return match != 0;
}

bool table_prefetch_item(const struct table *table, uint64_t hash)
{
    if (unlikely(table->_buckets.count == 0))
        return false;
    const struct bucket *bucket = directory_of(&table->_buckets, hash);
    if (likely(prefetch_tagged(bucket, hash)) || !bucket_linked(bucket))
        return false;
    mem_prefetch(bucket_child(bucket));
    return true;
}

void table_prefetch_child_item(const struct table *table, uint64_t hash)
{
    if (unlikely(table->_buckets.count == 0)) /* what ran since may have removed them all, */
        return;
    const struct bucket *child = bucket_child(directory_of(&table->_buckets, hash));
    if (child != NULL) /* or just the child */
        prefetch_tagged(child, hash);
}

/* The word of the item with this key, or NULL. */
static inline uint64_t *find_word(const struct table *table, struct bytes key, uint64_t hash)
{
    if (unlikely(table->_buckets.count == 0))
        return NULL;
    uint8_t tag = bucket_tag(hash);
    struct bucket *bucket = directory_of(&table->_buckets, hash);
    do {
        for (uint64_t match = bucket_match(bucket, tag); match != 0; match &= match - 1) {
            uint64_t *word = &bucket->slot[mask_first(match)];
            if (likely(item_has_key(word_item(*word), key)))
                return word;
        }
        bucket = bucket_child(bucket);
    } while (unlikely(bucket != NULL));
    return NULL;
}

struct item *table_find(const struct table *table, struct bytes key, uint64_t hash)
{
    const uint64_t *word = find_word(table, key, hash);
    return word != NULL ? word_item(*word) : NULL;
}

struct item *table_hit(struct table *table, struct bytes key, uint64_t hash)
{
    uint64_t *word = find_word(table, key, hash);
    if (word == NULL)
        return NULL;
    word_hit(word);
    return word_item(*word);
}

struct item *table_peek(const struct table *table, struct bytes key, uint64_t hash, uint64_t *word)
{
    const uint64_t *found = find_word(table, key, hash);
    if (found == NULL)
        return NULL;
    *word = *found;
    return word_item(*found);
}

/* The word that points at `item`: its line has just been read, the items are not touched. */
static uint64_t *word_pointing_at(struct table *table, const struct item *item, uint64_t hash,
                                  struct bucket **in)
{
    struct bucket *bucket = directory_of(&table->_buckets, hash);
    for (; bucket != NULL; bucket = bucket_child(bucket))
        for (uint64_t used = bucket_used(bucket); used != 0; used &= used - 1) {
            uint64_t *word = &bucket->slot[mask_first(used)];
            if (word_item(*word) == item) {
                *in = bucket;
                return word;
            }
        }
    must_failed("the item is in the table", __FILE__, __LINE__);
}

/* ---- changes ------------------------------------------------------------- */

void table_account_add(struct table *table, const struct item *item)
{
    size_t footprint = item_footprint(item);
    table->item_bytes += footprint;
    table->main_bytes += item_is_main(item) ? footprint : 0;
    table->expires += item_has_expire(item);
}

void table_account_remove(struct table *table, const struct item *item)
{
    size_t footprint = item_footprint(item);
    table->item_bytes -= footprint;
    table->main_bytes -= item_is_main(item) ? footprint : 0;
    table->expires -= item_has_expire(item);
}

static uint64_t timed_word(const struct table *table, uint64_t word, const struct item *item)
{
    return word_with_ttl(word, ttl_code(item_expire_ms(item), table->now_ms));
}

bool table_add(struct table *table, struct item *item, uint64_t hash)
{
    dcheck(find_word(table, item_key(item), hash) == NULL);
    struct directory *buckets = &table->_buckets;
    if (buckets->count == 0 && !directory_open(buckets, table->_arena, &table->table_bytes))
        return false;
    struct bucket *head = directory_of(buckets, hash);
    bool main = table->ghosts != NULL && ghost_recall(table->ghosts, head, hash);
    uint64_t word = timed_word(table, word_of(item), item) | (main ? WORD_MAIN : 0);
    item_set_main(item, main);
    if (!chain_insert(table->_arena, head, bucket_tag(hash), word, &table->table_bytes))
        return false;
    table->count++;
    table_account_add(table, item);
    table_grow(table);
    return true;
}

void table_swap(struct table *table, struct item *old, struct item *item, uint64_t hash)
{
    struct bucket *bucket;
    uint64_t *word = word_pointing_at(table, old, hash, &bucket);
    table_account_remove(table, old);
    item_set_main(item, item_is_main(old));
    table_account_add(table, item);
    *word = timed_word(table, word_with_item(*word, item), item);
}

void table_replace(struct table *table, struct item *old, struct item *item, uint64_t hash)
{
    table_swap(table, old, item, hash);
    item_free(table->_arena, old);
}

void table_retime(struct table *table, const struct item *item, uint64_t hash)
{
    struct bucket *bucket;
    uint64_t *word = word_pointing_at(table, item, hash, &bucket);
    *word = timed_word(table, *word, item);
}

void table_take(struct table *table, struct item *item, uint64_t hash)
{
    struct bucket *bucket;
    uint64_t *word = word_pointing_at(table, item, hash, &bucket);
    bucket_release(bucket, (unsigned)(word - bucket->slot), 0);
    table_account_remove(table, item);
    table->count--;
    chain_compact(table->_arena, directory_of(&table->_buckets, hash), &table->table_bytes);
    table_shrink(table);
}

bool table_put_back(struct table *table, struct item *item, uint64_t hash, struct bucket *spare)
{
    must(table->_buckets.count > 0);
    bool main = item_is_main(item);
    uint64_t word = timed_word(table, word_of(item), item) | (main ? WORD_MAIN : 0);
    bool used = chain_insert_child(directory_of(&table->_buckets, hash), spare, bucket_tag(hash),
                                   word, &table->table_bytes);
    table->count++;
    table_account_add(table, item);
    table_grow(table);
    return used;
}

void table_remove_item(struct table *table, struct item *item, uint64_t hash)
{
    table_take(table, item, hash);
    item_free(table->_arena, item);
}

void table_move(struct table *table, struct table *taken)
{
    *taken = *table;
    table_init(table, taken->_arena);
    table->now_ms = taken->now_ms;
    table->ghosts = taken->ghosts;
}

void table_exchange(struct table *a, struct table *b)
{
    struct table table = *a;
    *a = *b;
    *b = table;
}
