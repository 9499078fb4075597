/*
 * keyspace_work.c - what a shard does between commands: reclaiming expired items and flushed
 * tables.
 *
 * A slice is a quarter of a millisecond by the clock, read after every 64 buckets or 256 items. The
 * sweep goes round once a second, faster where lives are short, and is asked for again soon while
 * it frees much; nothing is asked for when nothing has a TTL.
 *
 * Between slices there is a rest, and none begins or goes on against arena_may_free_more(): items
 * die in the order of their hashes, so most of their slabs become empty together, at the end.
 */
#include "shoal/base/clock.h"
#include "shoal/base/must.h"
#include "shoal/store/keyspace/keyspace.h"
#include "shoal/store/keyspace/undo.h"

#include <stdlib.h>

enum {
    SLICE_NS = 250 * 1000,
    SWEEP_BUCKETS = 64,      /* between two looks at the clock: 12 us if every item is due */
    DRAIN_ITEMS = 256,       /* the same: 20 us */
    SWEEP_BUCKETS_MIN = 512, /* of a call: small tables are seen whole every time, for 2 us */
    SWEEP_INTERVAL_MS = 100, /* between calls, or the period where that is less, ... */
    SWEEP_INTERVAL_MIN_MS = 10,
    SWEEP_REST_PARTS = 50, /* ... and so many times what the last one took: 2 % of a CPU */
    SWEEP_PERIOD_MS = 1000,
    SWEEP_TTL_PARTS = 64, /* period = mean of the TTLs left / 64: 0.5 to 0.8 % are dead */
    BUSY_PARTS = 16,      /* "much": one item freed for as many buckets, 1.4 % of what is seen */
    DEAD_WINDOW_MS = 1000,
    REST_MS = 4,      /* after a slice that has freed much, or before one that may not begin */
    DEBT_REST_MS = 1, /* somebody waits for the room */
    PAGE_BYTES = 4096,
};

/* A flushed table in the queue of those to be freed between commands. */
struct lazyfree {
    struct lazyfree *next;
    struct table table;
};

/* ---- pages --------------------------------------------------------------- */

/* What a stretch of free pages has: a page at least, and an item or more was in it. */
static uint64_t stretch_bytes(const struct keyspace *keyspace)
{
    uint64_t items = keyspace_count(keyspace) + keyspace->_lazyfree_items;
    uint64_t mean = items > 0 ? keyspace_used(keyspace) / items : 0;
    return mean > PAGE_BYTES ? mean : PAGE_BYTES;
}

static bool may_free_more(struct keyspace *keyspace)
{
    return arena_may_free_more(keyspace->arena, keyspace->now_ms, stretch_bytes(keyspace));
}

static bool slice_is_over(struct keyspace *keyspace, uint64_t start_ns)
{
    return clock_mono_ns() - start_ns >= SLICE_NS || !may_free_more(keyspace);
}

/* ---- flushed tables -------------------------------------------------------- */

void keyspace_lazyfree(struct keyspace *keyspace, struct table *table)
{
    struct lazyfree *entry = arena_alloc(keyspace->arena, sizeof(*entry));
    if (entry == NULL) { /* no memory for a note of 200 bytes: then at once */
        table_fini(table);
        return;
    }
    table_move(table, &entry->table);
    entry->next = keyspace->_lazyfree;
    keyspace->_lazyfree = entry;
    keyspace->_lazyfree_items += entry->table.count;
    keyspace->_lazyfree_bytes += entry->table.item_bytes + entry->table.table_bytes;
}

static void flush_db(struct keyspace *keyspace, uint8_t db)
{
    struct table *table = &keyspace->db[db];
    if (table_bucket_count(table) == 0)
        return;
    if (keyspace->observed & OBSERVE_WATCH)
        keyspace_tell_flushed(keyspace, db);
    keyspace->_changes += table->count;
    if (keyspace->observed & OBSERVE_UNDO)
        undo_note_flush(keyspace, db);
    else
        keyspace_lazyfree(keyspace, table);
}

void keyspace_flush(struct keyspace *keyspace, int db)
{
    must(db >= -1 && db < DATABASES_MAX);
    for (int i = 0; i < DATABASES_MAX; i++)
        if (db == -1 || db == i)
            flush_db(keyspace, (uint8_t)i);
}

/* Frees up to DRAIN_ITEMS of the table flushed last, and its entry with the last item. */
static void drain_some(struct keyspace *keyspace)
{
    struct lazyfree *entry = keyspace->_lazyfree;
    struct table *table = &entry->table;
    uint64_t items = table->count, bytes = table->item_bytes + table->table_bytes;
    bool done = table_drain(table, DRAIN_ITEMS);
    keyspace->_lazyfree_items -= items - table->count;
    keyspace->_lazyfree_bytes -= bytes - (table->item_bytes + table->table_bytes);
    if (!done)
        return;
    keyspace->_lazyfree = entry->next;
    arena_free(keyspace->arena, entry, sizeof(*entry));
}

void keyspace_drain(struct keyspace *keyspace, uint64_t for_ns)
{
    uint64_t start = clock_mono_ns();
    while (keyspace->_lazyfree != NULL) {
        drain_some(keyspace);
        if (clock_mono_ns() - start >= for_ns)
            break;
    }
}

/* ---- expiry ---------------------------------------------------------------- */

/* Returns whether it may be freed. */
static bool on_expired(void *context, struct item *item)
{
    struct keyspace *keyspace = context;
    if (keyspace_is_held(keyspace, item))
        return false;
    keyspace_note_expired(keyspace, item);
    if (unlikely(keyspace->observed != 0))
        keyspace_tell_item(keyspace, &keyspace->db[keyspace->_sweep_db], item, CHANGE_EXPIRED);
    return true;
}

/* In which all of a table's buckets are to be seen. */
static int64_t period_ms(const struct table *table)
{
    uint64_t period = table->ttl_mean_ms / SWEEP_TTL_PARTS;
    if (table->ttl_mean_ms == 0 || period > SWEEP_PERIOD_MS)
        return SWEEP_PERIOD_MS;
    return period > SWEEP_INTERVAL_MIN_MS ? (int64_t)period : SWEEP_INTERVAL_MIN_MS;
}

static int64_t interval_ms(const struct keyspace *keyspace)
{
    int64_t interval = SWEEP_INTERVAL_MS;
    for (uint32_t db = 0; db < keyspace->_db_top; db++)
        if (keyspace->db[db].expires > 0 && period_ms(&keyspace->db[db]) < interval)
            interval = period_ms(&keyspace->db[db]);
    return interval;
}

/* Buckets to look at in a call every `interval` ms, so that all are seen once a period. */
static uint64_t buckets_due(const struct keyspace *keyspace, int64_t interval)
{
    uint64_t due = 0, all = 0;
    for (uint32_t db = 0; db < keyspace->_db_top; db++) {
        const struct table *table = &keyspace->db[db];
        if (table->expires == 0)
            continue;
        uint64_t count = table_bucket_count(table);
        all += count;
        due += count * (uint64_t)interval / (uint64_t)period_ms(table) + 1;
    }
    uint64_t least = all < SWEEP_BUCKETS_MIN ? all : SWEEP_BUCKETS_MIN;
    return due > least ? due : least;
}

/* The database the sweep is in, or the next one in which something expires; NULL if there is
 * none. */
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

/* When to go on, `spent_ns` having been enough for all that was due or not. */
static int64_t sweep_wait_ms(bool enough, int64_t interval, uint64_t spent_ns)
{
    spent_ns = spent_ns < SLICE_NS ? spent_ns : SLICE_NS; /* more was somebody else's */
    int64_t rest = (int64_t)(spent_ns * SWEEP_REST_PARTS / 1000000);
    return enough && rest < interval ? interval : rest;
}

static void estimate_dead(struct keyspace *keyspace)
{
    int64_t passed_ms = keyspace->now_ms - keyspace->_dead_from_ms;
    if (passed_ms < DEAD_WINDOW_MS)
        return;
    keyspace->_dead = keyspace->_dead_sum_ms / (uint64_t)passed_ms;
    keyspace->_dead_sum_ms = 0;
    keyspace->_dead_from_ms = keyspace->now_ms;
}

static int64_t sweep(struct keyspace *keyspace)
{
    estimate_dead(keyspace);
    int64_t interval = interval_ms(keyspace);
    uint64_t due = buckets_due(keyspace, interval), seen = 0, freed = 0;
    uint64_t start = clock_mono_ns();
    struct table *table;
    while (seen < due && (table = sweep_table(keyspace)) != NULL) {
        uint64_t buckets = due - seen < SWEEP_BUCKETS ? due - seen : SWEEP_BUCKETS;
        freed += sweep_some(keyspace, table, buckets);
        seen += buckets;
        if (slice_is_over(keyspace, start))
            break;
    }
    if (sweep_table(keyspace) == NULL)
        return -1;
    if (freed * BUSY_PARTS >= seen)
        return REST_MS;
    return sweep_wait_ms(seen >= due, interval, clock_mono_ns() - start);
}

/* Calls for defragmentation or a debt are not the sweep's, which counts on its interval. */
static int64_t sweep_if_due(struct keyspace *keyspace)
{
    int64_t left_ms = keyspace->_sweep_ms - keyspace->now_ms;
    if (keyspace->frozen || keyspace->sweep_off)
        return sweep_table(keyspace) != NULL ? SWEEP_INTERVAL_MS : -1;
    if (left_ms > 0)
        return sweep_table(keyspace) != NULL ? left_ms : -1;
    int64_t wait_ms = REST_MS;
    if (sweep_table(keyspace) == NULL || may_free_more(keyspace))
        wait_ms = sweep(keyspace);
    keyspace->_sweep_ms = keyspace->now_ms + (wait_ms < 0 ? SWEEP_INTERVAL_MS : wait_ms);
    return wait_ms;
}

static int64_t defrag_slice(struct keyspace *keyspace)
{
    if (keyspace->_undo_count > 0 || (keyspace->defrag.running && !may_free_more(keyspace)))
        return REST_MS; /* a pre-image stays where it is */
    return defrag_work(keyspace);
}

/* Of the slice that began then, what is left of it; some is freed in any case, if it may be. */
static int64_t drain_slice(struct keyspace *keyspace, uint64_t start_ns)
{
    if (keyspace->_lazyfree != NULL && may_free_more(keyspace)) {
        do
            drain_some(keyspace);
        while (keyspace->_lazyfree != NULL && !slice_is_over(keyspace, start_ns));
    }
    return keyspace->_lazyfree != NULL ? REST_MS : -1;
}

static int64_t sooner(int64_t wait_ms, int64_t or_ms)
{
    if (wait_ms < 0 || or_ms < 0)
        return wait_ms > or_ms ? wait_ms : or_ms;
    return wait_ms < or_ms ? wait_ms : or_ms;
}

int64_t keyspace_work(struct keyspace *keyspace)
{
    uint64_t start_ns = clock_mono_ns();
    if (keyspace_in_debt(keyspace) && !keyspace->frozen) {
        if (keyspace->_lazyfree != NULL)
            keyspace_drain(keyspace, SLICE_NS);
        else
            keyspace_evict(keyspace, 0, SLICE_NS);
        if (keyspace_in_debt(keyspace))
            return keyspace->_lazyfree != NULL ? DEBT_REST_MS : 0;
    }
    arena_pace_begin(keyspace->arena, keyspace->now_ms, stretch_bytes(keyspace));
    int64_t wait_ms = sooner(defrag_slice(keyspace), sweep_if_due(keyspace));
    wait_ms = sooner(wait_ms, drain_slice(keyspace, start_ns));
    may_free_more(keyspace); /* counts the last of them */
    return wait_ms;
}

/* ---- figures --------------------------------------------------------------- */

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
    uint64_t expires = 0;
    for (int db = 0; db < DATABASES_MAX; db++) {
        const struct table *table = &keyspace->db[db];
        expires += table->expires;
        counter_set(&stats->keys[db], table->count);
        counter_set(&stats->expires[db], table->expires);
        counter_set(&stats->avg_ttl_ms[db], table->expires > 0 ? table->ttl_mean_ms : 0);
    }
    counter_set(&stats->dead, keyspace->_dead < expires ? keyspace->_dead : expires);
    counter_set(&stats->hits, keyspace->_hits);
    counter_set(&stats->misses, keyspace->_misses);
    counter_set(&stats->expired, keyspace->_expired);
    counter_set(&stats->evicted, keyspace->_evicted);
    counter_set(&stats->changes, keyspace->_changes);
    counter_set(&stats->used_bytes, keyspace_used(keyspace));
    counter_set(&stats->evictable_bytes, keyspace_evictable(keyspace));
    counter_set(&stats->budget_bytes, keyspace->budget_bytes);
    counter_set(&stats->room_bytes, keyspace_room(keyspace));
    counter_set(&stats->ghost_hits, keyspace->_ghosts.hits);
    for (int age = 0; age < GHOST_AGES; age++)
        counter_set(&stats->would_hit[age], (uint64_t)keyspace->_ghosts.would_hit[age]);
    counter_set(&stats->lazyfree_pending, keyspace->_lazyfree_items);
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
