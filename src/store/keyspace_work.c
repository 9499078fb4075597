/*
 * keyspace_work.c - what a shard does between commands: reclaiming expired items and flushed
 * tables.
 *
 * A slice is half a millisecond by the clock, which is read after every 256 buckets or items. The
 * sweep goes round once a second, faster
 * where lives are short, and is asked for again at once while it frees much; nothing is asked for
 * when nothing has a TTL.
 */
#include "shoal/base/clock.h"
#include "shoal/base/must.h"
#include "shoal/store/keyspace.h"
#include "shoal/store/watch.h"

#include <stdlib.h>

enum {
    SLICE_NS = 500 * 1000,
    SWEEP_BUCKETS = 256,     /* between two looks at the clock: 50 us if every item is due */
    DRAIN_ITEMS = 256,       /* the same: 20 us */
    SWEEP_BUCKETS_MIN = 512, /* of a call: small tables are seen whole every time, for 2 us */
    SWEEP_INTERVAL_MS = 100,
    SWEEP_INTERVAL_BEHIND_MS = 25, /* 0.5 ms every 25: 2 % of a CPU */
    SWEEP_PERIOD_MS = 1000,
    SWEEP_TTL_PARTS = 50, /* period = mean TTL / 50: 1 % of what is stored is dead */
    BUSY_PARTS = 16,      /* "much": one item freed for as many buckets */
};

struct grave {
    struct grave *next;
    struct table table;
};

/* ---- flushed tables
 * ------------------------------------------------------------------------------ */

static bool exists_in(void *context, struct watch_key key)
{
    return table_find(context, key.name, key.hash) != NULL;
}

static void bury(struct keyspace *keyspace, struct table *table)
{
    struct grave *grave = arena_alloc(keyspace->arena, sizeof(*grave));
    if (grave == NULL) { /* no memory for a note of 200 bytes: then at once */
        table_fini(table);
        return;
    }
    table_move(table, &grave->table);
    grave->next = keyspace->_graves;
    keyspace->_graves = grave;
    keyspace->_grave_items += grave->table.count;
    keyspace->_grave_bytes += grave->table.item_bytes + grave->table.table_bytes;
}

static void flush_db(struct keyspace *keyspace, uint8_t db)
{
    struct table *table = &keyspace->db[db];
    if (unlikely(keyspace->watched > 0))
        watch_touch_db(keyspace->watches, db, exists_in, table);
    if (table_bucket_count(table) > 0)
        bury(keyspace, table);
}

void keyspace_flush(struct keyspace *keyspace, int db)
{
    must(db >= -1 && db < DATABASES_MAX);
    for (int i = 0; i < DATABASES_MAX; i++)
        if (db == -1 || db == i)
            flush_db(keyspace, (uint8_t)i);
}

/* Frees up to DRAIN_ITEMS of the newest grave, and itself with the last. */
static void drain_some(struct keyspace *keyspace)
{
    struct grave *grave = keyspace->_graves;
    struct table *table = &grave->table;
    uint64_t items = table->count, bytes = table->item_bytes + table->table_bytes;
    bool done = table_drain(table, DRAIN_ITEMS);
    keyspace->_grave_items -= items - table->count;
    keyspace->_grave_bytes -= bytes - (table->item_bytes + table->table_bytes);
    if (!done)
        return;
    keyspace->_graves = grave->next;
    arena_free(keyspace->arena, grave, sizeof(*grave));
}

void keyspace_drain(struct keyspace *keyspace, uint64_t for_ns)
{
    uint64_t start = clock_mono_ns();
    while (keyspace->_graves != NULL) {
        drain_some(keyspace);
        if (clock_mono_ns() - start >= for_ns)
            break;
    }
}

/* ---- expiry
 * ---------------------------------------------------------------------------------------- */

/* WATCH needs no word of it: who has seen the key alive notices that it is gone. */
static void on_expired(void *context, struct item *item, uint64_t hash_unused)
{
    struct keyspace *keyspace = context;
    (void)item;
    (void)hash_unused;
    keyspace->_expired++;
}

/* Buckets to look at in one call, so that all are seen once a period. */
static uint64_t buckets_due(const struct keyspace *keyspace)
{
    uint64_t due = 0, all = 0;
    for (int db = 0; db < DATABASES_MAX; db++) {
        const struct table *table = &keyspace->db[db];
        if (table->expires == 0)
            continue;
        uint64_t period_ms = SWEEP_PERIOD_MS;
        if (table->ttl_mean_ms > 0 && table->ttl_mean_ms / SWEEP_TTL_PARTS < period_ms)
            period_ms = table->ttl_mean_ms / SWEEP_TTL_PARTS;
        period_ms = period_ms < SWEEP_INTERVAL_MS ? SWEEP_INTERVAL_MS : period_ms;
        all += table_bucket_count(table);
        due += table_bucket_count(table) * SWEEP_INTERVAL_MS / period_ms + 1;
    }
    uint64_t least = all < SWEEP_BUCKETS_MIN ? all : SWEEP_BUCKETS_MIN;
    return due > least ? due : least;
}

/* The database the sweep is in, or the next one in which something expires; NULL if there is none.
 */
static struct table *sweep_table(struct keyspace *keyspace)
{
    for (uint32_t i = 0; i < DATABASES_MAX; i++) {
        struct table *table = &keyspace->db[keyspace->_sweep_db];
        if (table->expires > 0)
            return table;
        keyspace->_sweep_db = (keyspace->_sweep_db + 1) % DATABASES_MAX;
    }
    return NULL;
}

static uint64_t sweep_some(struct keyspace *keyspace, struct table *table, uint64_t buckets)
{
    bool wrapped;
    uint64_t freed =
        table_sweep_expired(table, buckets, keyspace->now_ms, on_expired, keyspace, &wrapped);
    if (wrapped)
        keyspace->_sweep_db = (keyspace->_sweep_db + 1) % DATABASES_MAX;
    return freed;
}

static int64_t sweep(struct keyspace *keyspace)
{
    uint64_t due = buckets_due(keyspace), seen = 0, freed = 0, start = clock_mono_ns();
    struct table *table;
    while (seen < due && (table = sweep_table(keyspace)) != NULL) {
        uint64_t buckets = due - seen < SWEEP_BUCKETS ? due - seen : SWEEP_BUCKETS;
        freed += sweep_some(keyspace, table, buckets);
        seen += buckets;
        if (clock_mono_ns() - start >= SLICE_NS)
            break;
    }
    if (sweep_table(keyspace) == NULL)
        return -1;
    if (freed * BUSY_PARTS >= seen)
        return 0;
    return seen < due ? SWEEP_INTERVAL_BEHIND_MS : SWEEP_INTERVAL_MS;
}

/* Calls that defragmentation asked for are not the sweep's, which counts on its interval. */
static int64_t sweep_if_due(struct keyspace *keyspace)
{
    int64_t left_ms = keyspace->_sweep_ms - keyspace->now_ms;
    if (keyspace->defrag.running && left_ms > 0)
        return left_ms;
    int64_t wait_ms = sweep(keyspace);
    keyspace->_sweep_ms = keyspace->now_ms + (wait_ms < 0 ? SWEEP_INTERVAL_MS : wait_ms);
    return wait_ms;
}

int64_t keyspace_work(struct keyspace *keyspace)
{
    if (keyspace->_graves != NULL) {
        keyspace_drain(keyspace, SLICE_NS);
        return 0; /* and at least once more, to see what else there is */
    }
    if (keyspace_in_debt(keyspace)) {
        keyspace_evict(keyspace, 0, SLICE_NS);
        if (keyspace_in_debt(keyspace))
            return 0;
    }
    int64_t defrag_ms = defrag_work(keyspace), sweep_ms = sweep_if_due(keyspace);
    if (sweep_ms < 0 || defrag_ms < 0)
        return sweep_ms > defrag_ms ? sweep_ms : defrag_ms;
    return sweep_ms < defrag_ms ? sweep_ms : defrag_ms;
}

/* ---- figures
 * ---------------------------------------------------------------------------------------- */

static void publish_defrag(const struct keyspace *keyspace)
{
    const struct defrag *defrag = &keyspace->defrag;
    struct keyspace_stats *stats = keyspace->stats;
    counter_set(&stats->defrag_running, defrag->running);
    counter_set(&stats->defrag_moved, defrag->figures.moved);
    counter_set(&stats->defrag_left, defrag->figures.left);
    counter_set(&stats->defrag_items_moved, defrag->figures.items_moved);
    counter_set(&stats->defrag_items_left, defrag->figures.items_left);
    counter_set(&stats->defrag_ns, defrag->figures.ns);
    counter_set(&stats->defrag_run_ns, defrag->running ? defrag->_run_ns : 0);
}

void keyspace_publish(struct keyspace *keyspace)
{
    struct keyspace_stats *stats = keyspace->stats;
    for (int db = 0; db < DATABASES_MAX; db++) {
        const struct table *table = &keyspace->db[db];
        counter_set(&stats->keys[db], table->count);
        counter_set(&stats->expires[db], table->expires);
        counter_set(&stats->avg_ttl_ms[db], table->expires > 0 ? table->ttl_mean_ms : 0);
    }
    counter_set(&stats->hits, keyspace->_hits);
    counter_set(&stats->misses, keyspace->_misses);
    counter_set(&stats->expired, keyspace->_expired);
    counter_set(&stats->evicted, keyspace->_evicted);
    counter_set(&stats->used_bytes, keyspace_used(keyspace));
    counter_set(&stats->evictable_bytes, keyspace_evictable(keyspace));
    counter_set(&stats->budget_bytes, keyspace->budget_bytes);
    counter_set(&stats->ghost_hits, keyspace->_ghosts.hits);
    for (int age = 0; age < GHOST_AGES; age++)
        counter_set(&stats->would_hit[age], (uint64_t)keyspace->_ghosts.would_hit[age]);
    counter_set(&stats->lazyfree_pending, keyspace->_grave_items);
    publish_defrag(keyspace);
}

void keyspace_reset_stats(struct keyspace *keyspace)
{
    keyspace->_hits = keyspace->_misses = keyspace->_expired = keyspace->_evicted = 0;
    keyspace->_ghosts.hits = 0;
    keyspace->defrag.figures = (struct defrag_figures){ 0 };
    memset(keyspace->_ghosts.would_hit, 0, sizeof(keyspace->_ghosts.would_hit));
    memset(keyspace->_ghosts.expected, 0, sizeof(keyspace->_ghosts.expected));
    memset(keyspace->_ghosts.found, 0, sizeof(keyspace->_ghosts.found));
    keyspace_publish(keyspace);
}
