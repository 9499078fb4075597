/*
 * keyspace_memory.c - keeping a shard within its budget.
 *
 * Room is made before a command allocates, and for little at a time: what a command cannot repay
 * within its share of work is owed, and paid by the next commands and between them by
 * keyspace_work(). A debt above 1 % is worked on for longer, and only when nothing can be evicted
 * is a write refused. Before anything is evicted the shard takes what no other shard uses
 * (store/keyspace/memory_pool.h).
 */
#include "shoal/base/clock.h"
#include "shoal/base/minmax.h"
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    ROOM_VICTIMS = 16,         /* of one command, and one more for every ... */
    ROOM_BYTES_A_VICTIM = 256, /* ... so many bytes it brings */
    ROOM_BUCKETS = 1024,       /* looked at for one command: 5 to 10 us */
    ROOM_DRAIN_NS = 10 * 1000, /* spent on flushed items first: no client can miss them */
    DEBT_PARTS = 100,
    TRIFLE_PARTS = 16,    /* an excess of less than used/16 does not evict the last item */
    URGENT_VICTIMS = 256, /* between two looks at the clock */
    URGENT_BUCKETS = 4096,
    URGENT_NS = 1000 * 1000, /* and 1 ns for every byte the command brings */
    HEADROOM_PARTS = 4,      /* of what is free may be filled before it is summed up again */
};

uint64_t keyspace_used(const struct keyspace *keyspace)
{
    uint64_t used = keyspace->_lazyfree_bytes;
    for (uint32_t db = 0; db < keyspace->_db_top; db++)
        used += keyspace->db[db].item_bytes + keyspace->db[db].table_bytes;
    return used;
}

uint64_t keyspace_count(const struct keyspace *keyspace)
{
    uint64_t count = 0;
    for (uint32_t db = 0; db < keyspace->_db_top; db++)
        count += keyspace->db[db].count;
    return count;
}

static uint64_t count_expiring(const struct keyspace *keyspace)
{
    uint64_t count = 0;
    for (uint32_t db = 0; db < keyspace->_db_top; db++)
        count += keyspace->db[db].expires;
    return count;
}

/* With the room that transactions have reserved. */
static uint64_t occupied(const struct keyspace *keyspace)
{
    return keyspace_used(keyspace) + keyspace->_reserved;
}

static uint64_t bytes_over_budget(const struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t used = occupied(keyspace) + bytes;
    return used > keyspace->budget_bytes ? used - keyspace->budget_bytes : 0;
}

/* How many items may be evicted: all but the last, which goes only to make room for `bytes` or when
 * the budget is far exceeded. */
static uint64_t count_spare(const struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t count = keyspace_count(keyspace);
    bool trifle =
        bytes == 0 && bytes_over_budget(keyspace, 0) <= keyspace_used(keyspace) / TRIFLE_PARTS;
    return trifle && count > 0 ? count - 1 : count;
}

/* Every item a policy may take gives way in the end: whatever keeps it is worn down by the
 * hands. */
static bool may_evict(const struct keyspace *keyspace, uint64_t bytes)
{
    return keyspace->policy->run != NULL && count_spare(keyspace, bytes) > 0 &&
           (!keyspace->policy->volatile_only || count_expiring(keyspace) > 0);
}

/* Evicts `owed` bytes for a request that brings `bytes`, within `victims` and `buckets`. */
static void evict_some(struct keyspace *keyspace, uint64_t owed, uint64_t bytes, uint64_t victims,
                       uint64_t buckets)
{
    uint64_t spare = count_spare(keyspace, bytes);
    struct evict_work work = {
        .wanted_bytes = owed,
        .victims_left = min(victims, spare),
        .buckets_left = buckets,
        .clock = ttl_clock_at(keyspace->now_ms),
    };
    keyspace->policy->run(keyspace, &work);
}

bool keyspace_evict(struct keyspace *keyspace, uint64_t bytes, uint64_t for_ns)
{
    uint64_t start = clock_mono_ns(), owed;
    if (keyspace->_lazyfree != NULL)
        keyspace_drain(keyspace, for_ns);
    while ((owed = bytes_over_budget(keyspace, bytes)) > 0 && may_evict(keyspace, bytes)) {
        evict_some(keyspace, owed, bytes, URGENT_VICTIMS, URGENT_BUCKETS);
        if (clock_mono_ns() - start >= for_ns)
            break;
    }
    return owed == 0 || keyspace->_lazyfree != NULL || may_evict(keyspace, bytes);
}

static bool grant_room(struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t used = occupied(keyspace) + bytes;
    keyspace->_headroom =
        used < keyspace->budget_bytes ? (keyspace->budget_bytes - used) / HEADROOM_PARTS : 0;
    keyspace->over_limit = false;
    return true;
}

static bool refuse_room(struct keyspace *keyspace)
{
    keyspace->_headroom = 0;
    keyspace->over_limit = true;
    return false;
}

/* What a request of `bytes` takes with its part of the table. One that does not fit with that is
 * refused at once: evicting every item would not help it. */
static uint64_t with_overhead(uint64_t bytes)
{
    return bytes + bytes / 8;
}

static bool can_go_on(const struct keyspace *keyspace, uint64_t bytes)
{
    return keyspace->_lazyfree != NULL || may_evict(keyspace, bytes);
}

/* Under a policy that evicts nothing no other shard can give either. */
static bool may_have_credit(const struct keyspace *keyspace)
{
    return keyspace->policy->run != NULL;
}

static bool raise_budget(struct keyspace *keyspace, uint64_t bytes, bool on_credit)
{
    if (!memory_part_raise(&keyspace->part, bytes, on_credit))
        return false;
    keyspace->budget_bytes = bytes;
    return true;
}

/* Room for `bytes` and for some of what comes next, of what no shard uses. */
static bool take_free(struct keyspace *keyspace, uint64_t bytes)
{
    struct memory_part *part = &keyspace->part;
    uint64_t needed = occupied(keyspace) + bytes;
    if (part->pool == NULL)
        return false;
    uint64_t more = memory_part_reach(part, false) / part->chunk_parts;
    return raise_budget(keyspace, needed + more, false) || raise_budget(keyspace, needed, false);
}

/* A shard that holds little need not evict of it while others hold more than their floor. */
static bool take_floor(struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t needed = occupied(keyspace) + bytes;
    return needed <= keyspace->part.floor_bytes && may_have_credit(keyspace) &&
           raise_budget(keyspace, needed, true);
}

/* Raises the budget by what the request lacks, or as far as there is credit; false when it does not
 * fit even so. The other shards' budgets shrink when they see the sum. */
static bool borrow_budget(struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t needed = occupied(keyspace) + bytes, budget = keyspace->budget_bytes;
    bool on_credit = may_have_credit(keyspace);
    uint64_t there = keyspace->part.taken + memory_part_reach(&keyspace->part, on_credit);
    uint64_t to = min(max(needed, with_overhead(bytes)), max(there, budget));
    if (to < with_overhead(bytes) || (to < needed && !can_go_on(keyspace, bytes)))
        return false;
    if (to <= budget)
        return true;
    keyspace->borrowed = raise_budget(keyspace, to, on_credit);
    return keyspace->borrowed;
}

bool keyspace_make_room_slowly(struct keyspace *keyspace, uint64_t bytes)
{
    uint64_t owed = bytes_over_budget(keyspace, bytes);
    if (owed == 0 || take_free(keyspace, bytes))
        return grant_room(keyspace, bytes);
    keyspace->pressed = true;
    if (take_floor(keyspace, bytes))
        return grant_room(keyspace, bytes);
    if ((with_overhead(bytes) > keyspace->budget_bytes || !can_go_on(keyspace, bytes)) &&
        !borrow_budget(keyspace, bytes))
        return refuse_room(keyspace);
    if (keyspace->_lazyfree != NULL)
        keyspace_drain(keyspace, ROOM_DRAIN_NS + bytes);
    uint64_t more = bytes / ROOM_BYTES_A_VICTIM;
    owed = bytes_over_budget(keyspace, bytes);
    if (owed > 0 && may_evict(keyspace, bytes))
        evict_some(keyspace, owed, bytes, ROOM_VICTIMS + more, ROOM_BUCKETS + more);
    owed = bytes_over_budget(keyspace, bytes);
    if (owed <= keyspace->budget_bytes / DEBT_PARTS && (owed == 0 || can_go_on(keyspace, bytes)))
        return grant_room(keyspace, bytes);
    return keyspace_evict(keyspace, bytes, URGENT_NS + bytes) || borrow_budget(keyspace, bytes)
               ? grant_room(keyspace, bytes)
               : refuse_room(keyspace);
}

/* What the shard could have if it asked for it now. */
static uint64_t reach(const struct keyspace *keyspace)
{
    uint64_t more = memory_part_reach(&keyspace->part, may_have_credit(keyspace)), most;
    return __builtin_add_overflow(keyspace->budget_bytes, more, &most) ? UINT64_MAX : most;
}

bool keyspace_may_hold(struct keyspace *keyspace, uint64_t bytes)
{
    return with_overhead(bytes) <= keyspace->budget_bytes ||
           with_overhead(bytes) <= reach(keyspace) || refuse_room(keyspace);
}

bool keyspace_reserve(struct keyspace *keyspace, uint64_t bytes)
{
    if (!keyspace_make_room(keyspace, bytes))
        return false;
    keyspace->_reserved += bytes;
    return true;
}

void keyspace_reserve_again(struct keyspace *keyspace, uint64_t bytes)
{
    keyspace->_reserved += bytes;
}

void keyspace_unreserve(struct keyspace *keyspace, uint64_t bytes)
{
    keyspace->_reserved -= bytes;
}

/* Not even the smallest item fits, nor would it after any eviction. */
static bool is_stuck(const struct keyspace *keyspace)
{
    uint64_t smallest = with_overhead(keyspace_cost(1, 0)), used = occupied(keyspace);
    if (used + smallest <= keyspace->budget_bytes)
        return false;
    uint64_t most = reach(keyspace);
    return smallest > most || (used > keyspace->budget_bytes && used + smallest > most &&
                               !may_evict(keyspace, smallest));
}

void keyspace_set_budget(struct keyspace *keyspace, uint64_t bytes)
{
    keyspace->budget_bytes = bytes;
    keyspace->_headroom = 0;
    keyspace->over_limit = is_stuck(keyspace);
}

uint64_t keyspace_room(const struct keyspace *keyspace)
{
    uint64_t used = occupied(keyspace), most = reach(keyspace);
    if (most == UINT64_MAX || can_go_on(keyspace, 1))
        return UINT64_MAX;
    return most > used ? most - used : 0;
}

bool keyspace_in_debt(const struct keyspace *keyspace)
{
    return bytes_over_budget(keyspace, 0) > 0 && can_go_on(keyspace, 0);
}

uint64_t keyspace_evictable(const struct keyspace *keyspace)
{
    uint64_t used = keyspace_used(keyspace), count = keyspace_count(keyspace);
    if (!may_evict(keyspace, 1))
        return keyspace->_lazyfree_bytes;
    if (!keyspace->policy->volatile_only)
        return used;
    return (uint64_t)((double)used * (double)count_expiring(keyspace) / (double)count);
}
