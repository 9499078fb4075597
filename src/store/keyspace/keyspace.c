/*
 * keyspace.c - reads and writes of keys as commands mean them.
 *
 * Every change that a command makes goes through here: a key that has expired disappears, memory is
 * counted, and those whom it concerns hear of the change (tell()). What evicts (evict.c),
 * flushes or sweeps (keyspace_work.c) tells them too.
 */
#include "shoal/store/keyspace/keyspace.h"
#include "shoal/base/hash.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"
#include "shoal/store/keyspace/undo.h"
#include "shoal/store/keyspace/watch.h"

#include <stdlib.h>

enum {
    SLACK_DOUBLE_MAX = 1 << 20, /* a growing value gets twice its size up to here ... */
    SLACK_BYTES = 1 << 20,      /* ... and this much more beyond */
};

struct keyspace *keyspace_new(struct arena *arena, struct keyspace_stats *stats)
{
    struct keyspace *keyspace = mem_must_zalloc(sizeof(*keyspace));
    keyspace->arena = arena;
    keyspace->stats = stats;
    keyspace->shards = 1;
    keyspace->watches = watch_registry_new(arena);
    keyspace->policy = evict_policy_find("noeviction");
    keyspace->budget_bytes = UINT64_MAX;
    keyspace->limits = (struct limits){
        .databases = DATABASES_MAX,
        .value_bytes_max = VALUE_BYTES_MAX,
    };
    defrag_init(&keyspace->defrag, arena);
    for (int db = 0; db < DATABASES_MAX; db++) {
        table_init(&keyspace->db[db], arena);
        keyspace->db[db].ghosts = &keyspace->_ghosts;
    }
    return keyspace;
}

void keyspace_free(struct keyspace **keyspace)
{
    struct keyspace *k = *keyspace;
    if (k == NULL)
        return;
    keyspace_flush(k, -1);
    keyspace_drain(k, UINT64_MAX);
    undo_free(k->_undo_idle);
    watch_registry_free(&k->watches);
    defrag_fini(&k->defrag);
    free(k);
    *keyspace = NULL;
}

/* ---- hooks --------------------------------------------------------------- */

static struct watch_key watch_key_of(struct key key)
{
    return (struct watch_key){ .name = key.name, .hash = key.hash, .db = key.db };
}

/*
 * Every change of a key comes by here, whatever made it. That an expired key is freed is none to
 * WATCH: whether a key that was live has expired is seen by the time, and for one that had expired
 * already nothing happens.
 */
static void tell(struct keyspace *keyspace, struct key key, enum key_change change)
{
    if (keyspace->observed & OBSERVE_WATCH && change != CHANGE_EXPIRED)
        watch_touch(keyspace->watches, watch_key_of(key));
}

void keyspace_tell_item(struct keyspace *keyspace, const struct table *table,
                        const struct item *item, enum key_change change)
{
    struct bytes name = item_key(item);
    struct key key = { name, hash_key(name), (uint8_t)(table - keyspace->db) };
    tell(keyspace, key, change);
}

void keyspace_tell_flushed(struct keyspace *keyspace, uint8_t db)
{
    for (uint64_t at = 0; (at = watch_next(keyspace->watches, at)) != 0;) {
        struct watch_key key = watch_key_at(keyspace->watches, at);
        if (key.db == db && table_find(&keyspace->db[db], key.name, key.hash) != NULL)
            watch_touch(keyspace->watches, key);
    }
}

/* Watched keys of two databases: what was there goes, and what is in the other one comes. */
static void tell_swapped(struct keyspace *keyspace, uint8_t a, uint8_t b)
{
    for (uint64_t at = 0; (at = watch_next(keyspace->watches, at)) != 0;) {
        struct watch_key key = watch_key_at(keyspace->watches, at);
        if ((key.db == a || key.db == b) &&
            (table_find(&keyspace->db[a], key.name, key.hash) != NULL ||
             table_find(&keyspace->db[b], key.name, key.hash) != NULL))
            watch_touch(keyspace->watches, key);
    }
}

/* A command has changed the key. */
static inline void changed(struct keyspace *keyspace, struct key key, enum key_change change)
{
    keyspace->_changes++;
    if (unlikely(keyspace->observed != 0))
        tell(keyspace, key, change);
}

/* Before `item`, which may be NULL, is changed. False: memory is out, and it may not be. */
static inline bool may_change(struct keyspace *keyspace, struct key key, struct item *item)
{
    return likely(!(keyspace->observed & OBSERVE_UNDO)) || undo_note(keyspace, key, item);
}

static inline bool has_expired(const struct keyspace *keyspace, const struct item *item)
{
    return item_has_expire(item) && item_expire_ms(item) <= keyspace->now_ms;
}

/* The table of a key, told the time for what will be put into it. */
static inline struct table *table_of(struct keyspace *keyspace, struct key key)
{
    struct table *table = &keyspace->db[key.db];
    table->now_ms = keyspace->now_ms;
    return table;
}

/* Takes the item out of its table. False, only while changes can be undone: memory is out, and it
 * is still there. */
static bool remove_item(struct keyspace *keyspace, struct key key, struct item *item)
{
    struct table *table = table_of(keyspace, key);
    if (likely(!(keyspace->observed & OBSERVE_UNDO))) {
        table_remove_item(table, item, key.hash);
        return true;
    }
    if (!undo_note_delete(keyspace, key, item))
        return false;
    table_take(table, item, key.hash);
    undo_retire(keyspace, key, item);
    return true;
}

static void replace_item(struct keyspace *keyspace, struct key key, struct item *old,
                         struct item *item)
{
    struct table *table = table_of(keyspace, key);
    if (likely(!(keyspace->observed & OBSERVE_UNDO))) {
        table_replace(table, old, item, key.hash);
        return;
    }
    table_swap(table, old, item, key.hash);
    undo_retire(keyspace, key, old);
}

/* The reads hide it from now on, even where it cannot be removed. */
static void remove_expired(struct keyspace *keyspace, struct key key, struct item *item)
{
    keyspace_note_expired(keyspace, item);
    if (remove_item(keyspace, key, item) && unlikely(keyspace->observed != 0))
        tell(keyspace, key, CHANGE_EXPIRED);
}

/* Of a key that is being made although it is frozen: a command that another shard had sent before it
 * knew of the pause. */
static void remove_hidden(struct keyspace *keyspace, struct key key)
{
    struct item *item = table_find(&keyspace->db[key.db], key.name, key.hash);
    if (item != NULL)
        remove_expired(keyspace, key, item);
}

bool keyspace_is_held(const struct keyspace *keyspace, const struct item *item)
{
    if (keyspace->_undo != NULL && undo_holds(keyspace->_undo, item))
        return true;
    return keyspace->is_held != NULL && keyspace->is_held(keyspace->held_by, item);
}

/* ---- reads --------------------------------------------------------------- */

struct item *keyspace_find_key(struct keyspace *keyspace, const struct key *key)
{
    struct item *item = table_hit(&keyspace->db[key->db], key->name, key->hash);
    if (item == NULL || likely(!has_expired(keyspace, item)))
        return item;
    if (!keyspace->frozen)
        remove_expired(keyspace, *key, item);
    return NULL;
}

struct item *keyspace_read_key(struct keyspace *keyspace, const struct key *key)
{
    struct item *item = keyspace_find_key(keyspace, key);
    if (item != NULL)
        keyspace->_hits++;
    else
        keyspace->_misses++;
    return item;
}

int keyspace_freq(const struct keyspace *keyspace, struct key key)
{
    uint64_t word = 0;
    const struct item *item = table_peek(&keyspace->db[key.db], key.name, key.hash, &word);
    return item != NULL && !has_expired(keyspace, item) ? (int)word_freq(word) : -1;
}

int64_t keyspace_idle_ms(const struct keyspace *keyspace, struct key key)
{
    uint64_t word = 0;
    const struct item *item = table_peek(&keyspace->db[key.db], key.name, key.hash, &word);
    return item != NULL && !has_expired(keyspace, item) ? evict_idle_ms(keyspace, word) : -1;
}

/* ---- whole values -------------------------------------------------------- */

static bool points_into(const struct item *item, struct bytes value)
{
    return (uintptr_t)value.data - (uintptr_t)item < item_allocated(item);
}

int64_t keyspace_explicit_expire(struct keyspace *keyspace, int64_t expire_ms)
{
    if (likely(!keyspace->lifetime.on))
        return expire_ms;
    return lifetime_apply_explicit(&keyspace->lifetime, expire_ms, keyspace->now_ms,
                                   random_next(&keyspace->random));
}

/* new_expire() when a default, a maximum or jitter is set. keyspace_explicit_expire() has applied
 * them to a deadline that a client gave. */
static int64_t ruled_expire(struct keyspace *keyspace, const struct item *old, int64_t expire_ms)
{
    uint64_t random = random_next(&keyspace->random);
    if (expire_ms == KEYSPACE_KEEP_TTL)
        expire_ms = old == NULL ? 0 : item_has_expire(old) ? item_expire_ms(old) : KEYSPACE_NO_TTL;
    if (expire_ms == 0)
        return lifetime_apply_default(&keyspace->lifetime, keyspace->now_ms, random);
    return lifetime_apply_kept(&keyspace->lifetime, expire_ms == KEYSPACE_NO_TTL ? 0 : expire_ms,
                               keyspace->now_ms, random);
}

/* The deadline that a write of `expire_ms` gives to `old`, which may be NULL. */
static inline int64_t new_expire(struct keyspace *keyspace, const struct item *old,
                                 int64_t expire_ms)
{
    if (unlikely(keyspace->lifetime.on))
        return ruled_expire(keyspace, old, expire_ms);
    if (likely(expire_ms >= 0))
        return expire_ms;
    return expire_ms == KEYSPACE_KEEP_TTL && old != NULL ? item_expire_ms(old) : 0;
}

/* After a change in place that began with table_account_remove(). */
static void account_changed(struct table *table, struct item *item, uint64_t hash, bool retime)
{
    table_account_add(table, item);
    if (retime)
        table_retime(table, item, hash);
}

static bool swap_or_add(struct keyspace *keyspace, struct key key, struct item *old,
                        struct item *item, enum key_change change)
{
    struct table *table = table_of(keyspace, key);
    if (item == NULL)
        return false;
    if (unlikely(key.db >= keyspace->_db_top))
        keyspace->_db_top = key.db + 1u;
    if (unlikely(old == NULL && keyspace->frozen))
        remove_hidden(keyspace, key);
    if (old != NULL) {
        replace_item(keyspace, key, old, item);
    } else if (!table_add(table, item, key.hash)) {
        item_free(keyspace->arena, item);
        return false;
    }
    changed(keyspace, key, change);
    return true;
}

bool keyspace_set(struct keyspace *keyspace, struct key key, struct bytes value, int64_t expire_ms)
{
    struct table *table = table_of(keyspace, key);
    struct item *old = keyspace_find(keyspace, key);
    if (unlikely(!may_change(keyspace, key, old)))
        return false;
    expire_ms = new_expire(keyspace, old, expire_ms);
    if (old != NULL && likely(!points_into(old, value))) {
        bool retime = expire_ms != 0 || item_has_expire(old);
        table_account_remove(table, old);
        bool assigned = item_assign(old, value, expire_ms);
        account_changed(table, old, key.hash, assigned && retime);
        if (assigned) {
            changed(keyspace, key, CHANGE_SET);
            return true;
        }
    }
    return swap_or_add(keyspace, key, old, item_new(keyspace->arena, key.name, value, expire_ms),
                       CHANGE_SET);
}

bool keyspace_set_int(struct keyspace *keyspace, struct key key, int64_t value, int64_t expire_ms)
{
    struct table *table = table_of(keyspace, key);
    struct item *old = keyspace_find(keyspace, key);
    if (unlikely(!may_change(keyspace, key, old)))
        return false;
    expire_ms = new_expire(keyspace, old, expire_ms);
    if (old != NULL) {
        bool retime = expire_ms != 0 || item_has_expire(old);
        table_account_remove(table, old);
        bool assigned = item_assign_int(old, value, expire_ms);
        account_changed(table, old, key.hash, assigned && retime);
        if (assigned) {
            changed(keyspace, key, CHANGE_SET);
            return true;
        }
    }
    return swap_or_add(keyspace, key, old,
                       item_new_int(keyspace->arena, key.name, value, expire_ms), CHANGE_SET);
}

bool keyspace_set_object(struct keyspace *keyspace, struct key key, enum value_type type,
                         struct value_object *object, int64_t expire_ms)
{
    struct item *old = keyspace_find(keyspace, key), *item = NULL;
    expire_ms = new_expire(keyspace, old, expire_ms);
    if (likely(may_change(keyspace, key, old)))
        item = item_new_object(keyspace->arena, key.name, type, object, expire_ms);
    if (item == NULL)
        value_types[type]->free(keyspace->arena, object);
    if (!swap_or_add(keyspace, key, old, item, CHANGE_SET))
        return false;
    keyspace->objects = true;
    return true;
}

/* The deadline of a key as a write of another may give it on. */
static int64_t own_expire(const struct item *item)
{
    return item_has_expire(item) ? item_expire_ms(item) : KEYSPACE_NO_TTL;
}

void keyspace_mark_resized(struct keyspace *keyspace, struct key key)
{
    struct item *item = keyspace_find(keyspace, key);
    if (item != NULL && item_encoding(item) != ITEM_INT)
        item_mark_resized(item);
}

bool keyspace_copy(struct keyspace *keyspace, struct key from, struct key to)
{
    char scratch[INT64_TEXT_MAX];
    const struct item *item = keyspace_find(keyspace, from);
    must(item != NULL);
    int64_t expire_ms = own_expire(item);
    if (item_encoding(item) != ITEM_OBJECT) {
        bool resized = item_resized(item);
        bool copied = keyspace_set(keyspace, to, item_value(item, scratch), expire_ms);
        if (copied && resized)
            keyspace_mark_resized(keyspace, to);
        return copied;
    }
    enum value_type type = item_type(item);
    struct value_object *object = value_types[type]->copy(keyspace->arena, item_object(item));
    return object != NULL && keyspace_set_object(keyspace, to, type, object, expire_ms);
}

bool keyspace_move(struct keyspace *keyspace, struct key from, struct key to)
{
    struct item *item = keyspace_find(keyspace, from), *old = keyspace_find(keyspace, to);
    must(item != NULL && item != old);
    if (unlikely(!may_change(keyspace, to, old)))
        return false;
    int64_t expire_ms = new_expire(keyspace, old, own_expire(item));
    struct item *copy = item_rehouse(keyspace->arena, item, to.name, expire_ms);
    return swap_or_add(keyspace, to, old, copy, CHANGE_SET) && keyspace_delete(keyspace, from);
}

bool keyspace_delete(struct keyspace *keyspace, struct key key)
{
    struct item *item = keyspace_find(keyspace, key);
    if (item == NULL)
        return false;
    if (likely(remove_item(keyspace, key, item)))
        changed(keyspace, key, CHANGE_DELETED);
    return true;
}

/* ---- databases ----------------------------------------------------------- */

void keyspace_swap(struct keyspace *keyspace, uint8_t a, uint8_t b)
{
    must(a < DATABASES_MAX && b < DATABASES_MAX);
    if (a == b || (keyspace->observed & OBSERVE_UNDO && !undo_note_swap(keyspace, a, b)))
        return;
    if (keyspace->observed & OBSERVE_WATCH)
        tell_swapped(keyspace, a, b);
    table_exchange(&keyspace->db[a], &keyspace->db[b]);
    uint32_t top = max(a, b) + 1u;
    keyspace->_db_top = max(keyspace->_db_top, top);
    keyspace->_changes++;
}

/* ---- parts of values ------------------------------------------------------- */

/* Slack is taken of what is free: it neither makes others give way nor a value too large. */
static size_t with_slack(struct keyspace *keyspace, size_t size)
{
    size_t roomy = size < SLACK_DOUBLE_MAX ? size * 2 : size + SLACK_BYTES;
    roomy = min(roomy, VALUE_BYTES_MAX);
    if (keyspace_used(keyspace) + roomy > keyspace->budget_bytes)
        return size;
    keyspace->_headroom = 0; /* it is not in the sum */
    return roomy;
}

/* A new item of `size` bytes that begins with what `old` holds; the rest is not filled. */
static struct item *copy_resized(struct keyspace *keyspace, struct key key, const struct item *old,
                                 size_t size)
{
    char scratch[INT64_TEXT_MAX];
    struct bytes value = item_value(old, scratch);
    size_t room = size > value.size ? with_slack(keyspace, size) : size;
    struct item *item = item_new_roomy(keyspace->arena, key.name, size, room, item_expire_ms(old));
    if (item != NULL)
        memcpy(item_raw(item), value.data, min(value.size, size));
    return item;
}

static bool fits_in_place(const struct item *item, size_t size)
{
    return item_encoding(item) != ITEM_INT && item_capacity(item) >= size;
}

uint64_t keyspace_resize_cost(const struct item *item, size_t key_size, size_t size)
{
    if (item == NULL)
        return keyspace_cost(key_size, size);
    if (fits_in_place(item, size))
        return 0;
    uint64_t now = item_footprint(item), then = keyspace_cost(key_size, size);
    return then > now ? then - now : 0;
}

static void resize_in_place(struct keyspace *keyspace, struct key key, struct item *item,
                            size_t size)
{
    struct table *table = table_of(keyspace, key);
    table_account_remove(table, item);
    item_set_size(item, size);
    table_account_add(table, item);
    changed(keyspace, key, CHANGE_SET);
}

/* The bytes of an item that has its new size, which was `old_size`. */
static char *finish_resize(struct item *item, size_t old_size, size_t size)
{
    char *data = item_raw(item);
    item_mark_resized(item);
    if (size > old_size)
        memset(data + old_size, 0, size - old_size);
    return data;
}

/* A TTL beyond the maximum is cut by any write. */
static bool keep_within_maximum(struct keyspace *keyspace, struct key key)
{
    const struct item *item = keyspace_find(keyspace, key);
    if (item == NULL)
        return true;
    int64_t expire_ms = ruled_expire(keyspace, item, KEYSPACE_KEEP_TTL);
    return expire_ms == item_expire_ms(item) || keyspace_expire(keyspace, key, expire_ms);
}

char *keyspace_resize(struct keyspace *keyspace, struct key key, size_t size)
{
    must(size <= VALUE_BYTES_MAX);
    if (unlikely(keyspace->lifetime.on) && !keep_within_maximum(keyspace, key))
        return NULL;
    struct item *old = keyspace_find(keyspace, key);
    size_t old_size = old != NULL ? item_value_size(old) : 0;
    if (unlikely(!may_change(keyspace, key, old)))
        return NULL;
    if (old != NULL && fits_in_place(old, size)) {
        resize_in_place(keyspace, key, old, size);
        return finish_resize(old, old_size, size);
    }
    struct item *item = old != NULL ? copy_resized(keyspace, key, old, size)
                                    : item_new_sized(keyspace->arena, key.name, size,
                                                     new_expire(keyspace, NULL, 0));
    if (!swap_or_add(keyspace, key, old, item, CHANGE_SET))
        return NULL;
    return finish_resize(item, old_size, size);
}

bool keyspace_expire(struct keyspace *keyspace, struct key key, int64_t expire_ms)
{
    struct table *table = table_of(keyspace, key);
    struct item *item = keyspace_find(keyspace, key);
    must(item != NULL);
    if (unlikely(!may_change(keyspace, key, item)))
        return false;
    table_account_remove(table, item);
    if (item_set_expire(item, expire_ms)) {
        account_changed(table, item, key.hash, true);
        changed(keyspace, key, CHANGE_TTL);
        return true;
    }
    table_account_add(table, item);
    struct item *copy = item_rehouse(keyspace->arena, item, key.name, expire_ms);
    return swap_or_add(keyspace, key, item, copy, CHANGE_TTL);
}

/* ---- WATCH ----------------------------------------------------------------- */

static void count_watched(struct keyspace *keyspace)
{
    keyspace->watched = watch_count(keyspace->watches);
    if (keyspace->watched > 0)
        keyspace->observed |= OBSERVE_WATCH;
    else
        keyspace->observed &= ~(uint32_t)OBSERVE_WATCH;
}

/* An expired key is reaped first: its reaping later must not look like a change. */
bool keyspace_watch_add(struct keyspace *keyspace, struct key key, struct watch_mark *mark)
{
    mark->live = keyspace_find(keyspace, key) != NULL;
    if (!watch_pin(keyspace->watches, watch_key_of(key)))
        return false;
    mark->version = watch_version(keyspace->watches, watch_key_of(key));
    count_watched(keyspace);
    return true;
}

bool keyspace_watch_changed(struct keyspace *keyspace, struct key key, struct watch_mark mark)
{
    if (watch_version(keyspace->watches, watch_key_of(key)) != mark.version)
        return true;
    const struct item *item = table_find(&keyspace->db[key.db], key.name, key.hash);
    return mark.live && (item == NULL || has_expired(keyspace, item));
}

void keyspace_watch_remove(struct keyspace *keyspace, struct key key)
{
    watch_unpin(keyspace->watches, watch_key_of(key));
    count_watched(keyspace);
}
