/*
 * keyspace.h - what one shard holds: its databases, their expiry, the watched keys, the memory it
 * counts.
 *
 * Command handlers work through this: it hides expired items, keeps the accounting and tells the
 * watch registry about every change. Runs on the owning reactor only.
 */
#ifndef SHOAL_STORE_KEYSPACE_KEYSPACE_H
#define SHOAL_STORE_KEYSPACE_KEYSPACE_H

#include "shoal/base/counter.h"
#include "shoal/base/random.h"
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/defrag.h"
#include "shoal/store/keyspace/lifetime.h"
#include "shoal/store/keyspace/limits.h"
#include "shoal/store/keyspace/memory_pool.h"
#include "shoal/store/table/ghost.h"
#include "shoal/store/table/table.h"

enum { DATABASES_MAX = 16 };

struct watch_registry;
struct undo;

/* Whom a change of a key concerns: bits of keyspace.observed. While none is set, a change costs one
 * predicted branch. */
enum keyspace_observer {
    OBSERVE_WATCH = 1 << 0, /* keys are watched */
    OBSERVE_UNDO = 1 << 1,  /* changes are noted so that they can be undone */
};

/* What has become of a key. */
enum key_change { CHANGE_SET, CHANGE_TTL, CHANGE_DELETED, CHANGE_EXPIRED, CHANGE_EVICTED };

/* Published by the owner, read by any thread that answers INFO. */
struct keyspace_stats {
    struct counter hits, misses, expired, evicted;
    struct counter used_bytes;      /* items + tables */
    struct counter evictable_bytes; /* of them, as keyspace_evictable() says */
    struct counter keys[DATABASES_MAX], expires[DATABASES_MAX];
    struct counter avg_ttl_ms[DATABASES_MAX]; /* estimate of the last sweep, 0 when unknown */
    struct counter changes;                   /* of keys, by commands */
    struct counter dead;                      /* expired and not freed, about */
    struct counter lazyfree_pending;
    struct counter budget_bytes; /* UINT64_MAX: no limit */
    struct counter room_bytes;   /* keyspace_room() */
    /*
     * Misses that would have been hits with half as much memory again, and with twice as much:
     * inserts that met the ghost of their key. With twice the memory the miss ratio would be about
     * (misses - would_hit[0] - would_hit[1]) / (hits + misses). Policies without ghosts: 0.
     */
    struct counter would_hit[GHOST_AGES];
    struct counter ghost_hits;     /* inserts that went to main at once */
    struct counter defrag_running; /* 1 or 0 */
    struct counter defrag_moved, defrag_left, defrag_items_moved, defrag_items_left, defrag_ns;
    struct counter defrag_run_ns; /* of defrag_ns: since it last began, while it runs */
};

struct keyspace {
    struct table db[DATABASES_MAX];
    struct arena *arena;
    struct watch_registry *watches;
    int64_t now_ms; /* of this turn; set by the reactor */
    /* Clients are paused: what has expired is hidden and stays, and nothing is evicted. */
    bool frozen;
    bool sweep_off;  /* expired keys are freed only where they are met (DEBUG SET-ACTIVE-EXPIRE) */
    bool over_limit; /* room was refused when it was last asked for */
    const struct evict_policy *policy; /* what gives way to new items; never NULL */
    struct lifetime lifetime;          /* what TTLs become; lifetime_of() */
    bool pressed;                      /* had to make room since the reader last cleared this */
    uint64_t budget_bytes;             /* what items and tables may take; keyspace_set_budget() */
    struct memory_part part;           /* where a larger budget comes from */
    bool borrowed;                     /* some credit was used since the reader last cleared this */
    struct random random;   /* of choices that need no secrecy; its seed is the shard's own */
    uint32_t shard, shards; /* which of how many this is, for the SCAN cursor */
    uint32_t observed;      /* enum keyspace_observer */
    /* Whether a transaction holds the key: it alone may change it, so nothing frees the item. */
    bool (*is_held)(const void *held_by, const struct item *item);
    const void *held_by;
    uint32_t watched; /* keys under WATCH */
    struct keyspace_stats *stats;
    uint64_t _hits, _misses, _expired, _evicted, _changes; /* until keyspace_publish() */
    struct undo *_undo, *_undo_idle; /* the one that is open; one to be used again */
    uint32_t _undo_count;            /* that there are, open or not */
    uint64_t _dead;        /* items that had expired and were not freed, on average of a second */
    uint64_t _dead_sum_ms; /* the same since _dead_from_ms, times milliseconds */
    int64_t _dead_from_ms;
    struct lazyfree *_lazyfree; /* queue of flushed tables, freed by keyspace_work() */
    uint64_t _lazyfree_items, _lazyfree_bytes;
    uint32_t _sweep_db; /* the database the sweep goes on with */
    uint32_t _db_top;   /* databases from here on have never held anything */
    uint64_t _headroom; /* may be added before the sum is taken again */
    uint64_t _reserved; /* room that transactions under way have made */
    struct evict_hand _hand[2];
    struct ghost_book _ghosts;
    int64_t _sweep_ms;    /* the sweep is not due before */
    struct defrag defrag; /* its limits are the server's to set */
    bool objects;         /* one has been stored, so that defragmentation looks for them */
    struct limits limits; /* the server's to set; keyspace_new() gives the widest */
};

struct keyspace *keyspace_new(struct arena *arena, struct keyspace_stats *stats);
void keyspace_free(struct keyspace **keyspace);

/* Before an expired item is freed. How long each was dead adds up to how many are at any moment. */
static inline void keyspace_note_expired(struct keyspace *keyspace, const struct item *item)
{
    keyspace->_expired++;
    keyspace->_dead_sum_ms += (uint64_t)(keyspace->now_ms - item_expire_ms(item));
}

bool keyspace_is_held(const struct keyspace *keyspace, const struct item *item);

/* A key as a command sees it. */
struct key {
    struct bytes name; /* 1..KEY_BYTES_MAX bytes (0 is allowed too: the empty key is a key) */
    uint64_t hash;     /* hash_key(name) */
    uint8_t db;
};

/* By address: copied as an argument, a key just made stalls on its own stores, 5 ns a look-up. */
struct item *keyspace_read_key(struct keyspace *keyspace, const struct key *key);
struct item *keyspace_find_key(struct keyspace *keyspace, const struct key *key);

/* The live item or NULL; an expired one is removed, or hidden while frozen. keyspace_read() counts a hit or a miss. Thread:
 * owner. */
static inline struct item *keyspace_read(struct keyspace *keyspace, struct key key)
{
    return keyspace_read_key(keyspace, &key);
}
static inline struct item *keyspace_find(struct keyspace *keyspace, struct key key)
{
    return keyspace_find_key(keyspace, &key);
}

/* The deadline that a client's own becomes under the maximum and jitter; 0, never, too. */
int64_t keyspace_explicit_expire(struct keyspace *keyspace, int64_t expire_ms);

/*
 * Changes. Each returns false only when memory is out, with nothing changed, and tells the watches.
 *
 *   expire_ms  a deadline  from keyspace_explicit_expire(), or another key's
 *              0           the client gave none: the default TTL applies
 *              KEEP_TTL    the key's own; of a new key as 0
 *              NO_TTL      never, but for the maximum
 */
#define KEYSPACE_KEEP_TTL INT64_MIN
#define KEYSPACE_NO_TTL (INT64_MIN + 1)
bool keyspace_set(struct keyspace *keyspace, struct key key, struct bytes value, int64_t expire_ms);
bool keyspace_set_int(struct keyspace *keyspace, struct key key, int64_t value, int64_t expire_ms);
/* Takes the object over; where it returns false it has been freed. */
bool keyspace_set_object(struct keyspace *keyspace, struct key key, enum value_type type,
                         struct value_object *object, int64_t expire_ms);
/* Gives another key the value, of any type, and the deadline of one that exists. keyspace_move() then
 * deletes that one, and copies nothing that lies outside the item. */
bool keyspace_copy(struct keyspace *keyspace, struct key from, struct key to);
bool keyspace_move(struct keyspace *keyspace, struct key from, struct key to);
/* The string counts as made of parts, for OBJECT ENCODING; an integer and no key stay what they are. */
void keyspace_mark_resized(struct keyspace *keyspace, struct key key);
/* Makes the string `size` bytes long, keeping what was there (zero bytes fill) and the TTL, and
 * returns its bytes to write to; NULL when memory is out. The key need not exist. Grows with slack
 * while memory is free, so that APPEND is amortised O(1). */
char *keyspace_resize(struct keyspace *keyspace, struct key key, size_t size);
/* What keyspace_resize() of a key with this item may add to the memory of its shard, slack aside.
 * `item` is NULL for a new key. */
uint64_t keyspace_resize_cost(const struct item *item, size_t key_size, size_t size);
bool keyspace_delete(struct keyspace *keyspace, struct key key); /* false: there was none */
/* Sets the deadline to `expire_ms` as it is, 0 = never. The key must exist. */
bool keyspace_expire(struct keyspace *keyspace, struct key key, int64_t expire_ms);

/* Empties a database, or all if `db` is -1, in O(1); keyspace_work() frees the memory. */
void keyspace_flush(struct keyspace *keyspace, int db);
/* Exchanges two databases, in O(1). While changes are noted memory may be out: then nothing happens,
 * and the transaction is taken back. */
void keyspace_swap(struct keyspace *keyspace, uint8_t a, uint8_t b);

/* Has keyspace_work() free what is in the table, and leaves it empty. */
void keyspace_lazyfree(struct keyspace *keyspace, struct table *table);

/* Tells those whom it concerns of a change that the keyspace's own functions have not made, before
 * the item is freed. */
void keyspace_tell_item(struct keyspace *keyspace, const struct table *table,
                        const struct item *item, enum key_change change);
/* Before all keys of a database go. */
void keyspace_tell_flushed(struct keyspace *keyspace, uint8_t db);

/* ---- memory -------------------------------------------------------------- */

/* Bytes of items and tables, flushed ones that are not yet freed included; and items in all
 * databases. */
uint64_t keyspace_used(const struct keyspace *keyspace);
uint64_t keyspace_count(const struct keyspace *keyspace);

/*
 * Allows the shard `bytes` from now on; UINT64_MAX = no limit. What is over is evicted by
 * keyspace_work() in slices, and by writes. A request that lacks room raises the budget by what is
 * free in keyspace->part's pool. One that cannot fit even so, or that keeps the shard below its
 * floor, raises it further by what other shards can evict.
 */
void keyspace_set_budget(struct keyspace *keyspace, uint64_t bytes);

/* About how many bytes could be evicted so that other shards may grow. */
uint64_t keyspace_evictable(const struct keyspace *keyspace);

/* Over the budget, and keyspace_work() can do something about it. */
bool keyspace_in_debt(const struct keyspace *keyspace);

/*
 * Before a command that may add up to about `bytes` runs: evicts as much, doing no more than 16
 * victims' or 10 us of work, in proportion more for large values; the rest is owed. Items found
 * before are no longer valid.
 *   returns  false: refuse the command; nothing can be evicted and it does not fit
 */
bool keyspace_make_room_slowly(struct keyspace *keyspace, uint64_t bytes);
static inline bool keyspace_make_room(struct keyspace *keyspace, uint64_t bytes)
{
    if (unlikely(bytes > keyspace->_headroom))
        return keyspace_make_room_slowly(keyspace, bytes);
    keyspace->_headroom -= bytes;
    return true;
}

/* Makes room that stays until it is given back, of a transaction with several rounds. False: it
 * does not fit. */
bool keyspace_reserve(struct keyspace *keyspace, uint64_t bytes);
void keyspace_unreserve(struct keyspace *keyspace, uint64_t bytes);
/* Takes back some of what was given back within the same piece of work. */
void keyspace_reserve_again(struct keyspace *keyspace, uint64_t bytes);

/* Bytes that a request may bring at most; UINT64_MAX while something can be evicted for it. */
uint64_t keyspace_room(const struct keyspace *keyspace);

/* The most that a new key can cost: its item, a split and a child bucket. */
static inline uint64_t keyspace_cost(uint64_t key_size, uint64_t value_size)
{
    const uint64_t head = sizeof(struct item) + sizeof(int64_t);
    return mem_class_size(head + key_size + value_size) + 2 * sizeof(struct bucket);
}

/* False: a key of so many bytes does not fit, whatever is evicted for it. */
bool keyspace_may_hold(struct keyspace *keyspace, uint64_t bytes);

/* Evicts until `bytes` more would fit, for at most about `for_ns`. False when they do not and
 * nothing can be evicted. */
bool keyspace_evict(struct keyspace *keyspace, uint64_t bytes, uint64_t for_ns);

/* Frees what was flushed, for about `for_ns`. */
void keyspace_drain(struct keyspace *keyspace, uint64_t for_ns);

/* Hits of a key since eviction last came by, 0 to 3, without being one; -1 if there is none. */
int keyspace_freq(const struct keyspace *keyspace, struct key key);

/* An estimate of how long a key has had no hit, see evict_idle_ms(); -1 if there is none. */
int64_t keyspace_idle_ms(const struct keyspace *keyspace, struct key key);

/*
 * One slice of background work: eviction, expiry sweep, freeing of flushed tables, defragmentation.
 * At most about 1 ms. Items found before are no longer valid.
 *   returns  milliseconds until it wants to be called again; -1 when nothing is to be done
 */
int64_t keyspace_work(struct keyspace *keyspace);

/* Copies counts into the published stats. Once a turn at most. */
void keyspace_publish(struct keyspace *keyspace);

/* Hits, misses, expired and evicted begin at zero again. Thread: owner. */
void keyspace_reset_stats(struct keyspace *keyspace);

/*
 * WATCH. A watch pins a counter for its key that every change of the key bumps.
 *   watch_add      returns the present version and whether the key is live; false: memory is out
 *   watch_changed  true when the key was written since, or was live and is not any more
 *   watch_remove   gives the pin back (once for each add)
 */
struct watch_mark {
    uint64_t version;
    bool live;
};
bool keyspace_watch_add(struct keyspace *keyspace, struct key key, struct watch_mark *mark);
bool keyspace_watch_changed(struct keyspace *keyspace, struct key key, struct watch_mark mark);
void keyspace_watch_remove(struct keyspace *keyspace, struct key key);

#endif
