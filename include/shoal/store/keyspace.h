/*
 * keyspace.h - what one shard holds: its databases, their expiry, the watched keys, the memory it
 * counts.
 *
 * Command handlers work through this: it hides expired items, keeps the accounting and tells the
 * watch registry about every change. Runs on the owning reactor only.
 */
#ifndef SHOAL_STORE_KEYSPACE_H
#define SHOAL_STORE_KEYSPACE_H

#include "shoal/base/counter.h"
#include "shoal/store/table.h"

enum { DATABASES_MAX = 16 };

struct watch_registry;

/* Published by the owner, read by any thread that answers INFO. */
struct keyspace_stats {
    struct counter hits, misses, expired, evicted;
    struct counter used_bytes; /* items + tables */
    struct counter keys[DATABASES_MAX], expires[DATABASES_MAX];
    struct counter avg_ttl_ms[DATABASES_MAX]; /* estimate of the last sweep, 0 when unknown */
    struct counter lazyfree_pending;
};

struct keyspace {
    struct table db[DATABASES_MAX];
    struct arena *arena;
    struct watch_registry *watches;
    int64_t now_ms;         /* of this turn; set by the reactor */
    bool over_limit;        /* memory is at maxmemory: commands flagged DENYOOM are refused */
    uint32_t shard, shards; /* which of how many this is, for the SCAN cursor */
    uint32_t watched;       /* keys under WATCH: 0 makes every hook one predicted branch */
    struct keyspace_stats *stats;
    uint64_t _hits, _misses, _expired, _evicted; /* until keyspace_publish() */
    struct grave *_graves;                       /* flushed tables, freed by keyspace_work() */
    uint64_t _grave_items, _grave_bytes;
    uint32_t _sweep_db; /* the database the sweep goes on with */
};

struct keyspace *keyspace_new(struct arena *arena, struct keyspace_stats *stats);
void keyspace_free(struct keyspace **keyspace);

/* A key as a command sees it. */
struct key {
    struct bytes name; /* 1..KEY_BYTES_MAX bytes (0 is allowed too: the empty key is a key) */
    uint64_t hash;     /* hash_key(name) */
    uint8_t db;
};

/* The live item or NULL; an expired one is removed. keyspace_read() counts a hit or a miss. Thread:
 * owner. */
struct item *keyspace_read(struct keyspace *keyspace, struct key key);
struct item *keyspace_find(struct keyspace *keyspace, struct key key);

/*
 * Mutations. Each returns false only when memory is out, with nothing changed. Each tells the
 * watches. `expire_ms` 0 = no TTL; KEYSPACE_KEEP_TTL keeps the present one.
 */
#define KEYSPACE_KEEP_TTL INT64_MIN
bool keyspace_set(struct keyspace *keyspace, struct key key, struct bytes value, int64_t expire_ms);
bool keyspace_set_int(struct keyspace *keyspace, struct key key, int64_t value, int64_t expire_ms);
/* Makes the value `size` bytes long, keeping what was there (zero bytes fill) and the TTL, and
 * returns its bytes to write to; NULL when memory is out. The key need not exist. Grows with slack,
 * so that APPEND is amortised O(1). */
char *keyspace_resize(struct keyspace *keyspace, struct key key, size_t size);
bool keyspace_delete(struct keyspace *keyspace, struct key key); /* false: there was none */
bool keyspace_expire(struct keyspace *keyspace, struct key key,
                     int64_t expire_ms); /* 0 removes the TTL; the key must exist */

void keyspace_flush(struct keyspace *keyspace,
                    int db); /* -1: all. O(1); memory is freed by keyspace_work() */

/*
 * One slice of background work: expiry sweep, freeing of flushed tables. At most about 1 ms.
 *   returns  milliseconds until it wants to be called again; -1 when nothing is to be done (nothing
 * expires)
 */
int64_t keyspace_work(struct keyspace *keyspace);

/* Copies counts into the published stats. Once a turn at most. */
void keyspace_publish(struct keyspace *keyspace);

/* Hits, misses, expired and evicted begin at zero again. Thread: owner. */
void keyspace_reset_stats(struct keyspace *keyspace);

/*
 * WATCH. A watch pins a counter for its key that every change of the key bumps.
 *   watch_add      returns the present version and whether the key is live; false when memory is
 * out watch_changed  true when it changed since, or was live and has expired watch_remove   gives
 * the pin back (once for each add)
 */
struct watch_mark {
    uint64_t version;
    bool live;
};
bool keyspace_watch_add(struct keyspace *keyspace, struct key key, struct watch_mark *mark);
bool keyspace_watch_changed(struct keyspace *keyspace, struct key key, struct watch_mark mark);
void keyspace_watch_remove(struct keyspace *keyspace, struct key key);

#endif
