/*
 * table.h - the key table of one shard and database: chained 64-byte buckets, linear hashing.
 *
 *   bucket   uint8_t tag[7]   top byte of the hash (0 = free; tag = h >> 56, or 1)
 *            uint8_t hdr      bit 7: slot[6] links a child bucket
 *            uint64_t slot[7] 16 bits of policy | 48-bit item pointer
 *
 * Grows one bucket at a time (level, split pointer) over a directory of chunks that double from a
 * page up to 2 MiB, and shrinks the same way: no second table, no pause. Runs on the owning reactor
 * only.
 *
 * source   bucket layout after Valkey 8.1's hashtable and MICA (NSDI 2014); growth: Litwin 1980;
 * cursor order: Redis SCAN
 */
#ifndef SHOAL_STORE_TABLE_TABLE_H
#define SHOAL_STORE_TABLE_TABLE_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"
#include "shoal/base/random.h"
#include "shoal/store/table/directory.h"
#include "shoal/store/value/item.h"

struct ghost_book;

struct table {
    struct directory _buckets;
    struct arena *_arena;
    struct ghost_book *ghosts; /* what new keys are looked up in; NULL: nowhere */
    int64_t now_ms;       /* of this turn, for the TTL codes of what is put; set by the caller */
    uint64_t count;       /* items */
    uint64_t expires;     /* items with a TTL; kept by the table from item_expire_ms() */
    uint64_t item_bytes;  /* sum of item_footprint() */
    uint64_t main_bytes;  /* those of item_bytes that are in main (evict.h) */
    uint64_t table_bytes; /* buckets in use, directory and child buckets */
    uint64_t ttl_mean_ms; /* mean time to live left, as the last full sweep saw it; 0 = unknown */
    uint64_t _sweep;      /* the sweep goes on below this bucket; 0 = from the end */
    uint64_t _ttl_sum_ms, _ttl_seen;
};

/* An empty table allocates nothing. Thread: owner. */
void table_init(struct table *table, struct arena *arena);
void table_fini(struct table *table); /* frees every item */

/* As table_find(). `word` becomes the item's, with the bits that eviction goes by. */
struct item *table_peek(const struct table *table, struct bytes key, uint64_t hash, uint64_t *word);

/* First of three prefetch passes: the bucket line of `hash`. Any number may be in flight. */
void table_prefetch_bucket(const struct table *table, uint64_t hash);
/* Second pass: reads the bucket's tags and prefetches the item they point at. True: they point at
 * none, and the line of the bucket's child was prefetched instead (9 % of the keys are in one). */
bool table_prefetch_item(const struct table *table, uint64_t hash);
/* Third pass, for those: the item that the child's tags point at. */
void table_prefetch_child_item(const struct table *table, uint64_t hash);

/* Expired items are found too: the caller checks. The item is the table's, valid until the next
 * mutation. */
struct item *table_find(const struct table *table, struct bytes key, uint64_t hash);
/* The same for a command: counts as a hit. */
struct item *table_hit(struct table *table, struct bytes key, uint64_t hash);

/*
 * Adds an item whose key table_find() has just not found, and owns it from then on. False when
 * memory is out: nothing changed and the item still is the caller's.
 */
bool table_add(struct table *table, struct item *item, uint64_t hash);

/* Removes and frees an item that table_find() returned for this hash. */
void table_remove_item(struct table *table, struct item *item, uint64_t hash);

/*
 * Swaps the item `old`, which table_find() returned for this hash, for `item` (same key) and frees
 * `old`. Accounting is taken from both.
 */
void table_replace(struct table *table, struct item *old, struct item *item, uint64_t hash);

/*
 * For changes that may be undone: the item is the caller's afterwards.
 *   table_swap      table_replace() that frees nothing
 *   table_take      table_remove_item() that does not free the item
 *   table_put_back  adds an item that was taken. It needs no memory but `spare`, and returns true
 *                   when it has made that a bucket of its own. The table has not been empty since.
 */
void table_swap(struct table *table, struct item *old, struct item *item, uint64_t hash);
void table_take(struct table *table, struct item *item, uint64_t hash);
bool table_put_back(struct table *table, struct item *item, uint64_t hash, struct bucket *spare);

/* To change an item in place: table_account_remove() before, table_account_add() after, and
 * table_retime() if its TTL changed. */
void table_account_remove(struct table *table, const struct item *item);
void table_account_add(struct table *table, const struct item *item);
void table_retime(struct table *table, const struct item *item, uint64_t hash);

/* One step of reverse-binary SCAN. Calls `each` for every item of the buckets at `cursor`; returns
 * the next cursor, 0 at the end. Every item present from the first to the last call is returned at
 * least once. */
typedef void (*table_each_fn)(void *context, struct item *item, uint64_t hash_unused);
uint64_t table_scan(struct table *table, uint64_t cursor, table_each_fn each, void *context);

/* An item that has not expired, each with the same chance; NULL only when there is none. Where fewer
 * than some hundred are live it looks at all items: 10 to 20 ns each. */
struct item *table_random(const struct table *table, struct random *random, int64_t now_ms);

/*
 * The background sweep: visits up to `buckets_max` buckets from where the last call stopped, frees
 * what has expired at `now_ms` and for which `expired` returns true.
 *
 *   returns  items freed
 *   wrapped  is set when the end of the table was passed (may be NULL)
 */
typedef bool (*table_expired_fn)(void *context, struct item *item);
uint64_t table_sweep_expired(struct table *table, uint64_t buckets_max, int64_t now_ms,
                             table_expired_fn expired, void *context, bool *wrapped);

/* Adds or removes at most one bucket, as the number of items asks for. Called when that changes. */
void table_grow(struct table *table);
void table_shrink(struct table *table);

/* Moves the contents in O(1) into `taken`, an uninitialised table, and leaves an empty table.
 * table_drain() then frees up to `items_max` items of it a call: true when nothing is left. */
void table_move(struct table *table, struct table *taken);
/* Each has what was in the other, in O(1). */
void table_exchange(struct table *a, struct table *b);
bool table_drain(struct table *taken, uint64_t items_max);

uint64_t table_bucket_count(const struct table *table);

/* For tests: checks every invariant (tags, accounting, counts, links) and aborts on a broken one. */
void table_validate(const struct table *table);

#endif
