/*
 * memory_share.c - how much of maxmemory this shard may use now.
 *
 * The pool is a little smaller than maxmemory, so that the sum of all parts hovers between the two:
 * at its top a shard gives back in proportion to what it uses, once the pressed ones have drawn
 * their step. So memory wanders to where items are being evicted, by halves in some minutes.
 */
#include "shoal/shard/memory_share.h"

#include "shoal/base/mem.h"
#include "shoal/base/minmax.h"
#include "shoal/net/ring.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    SLICE_PARTS = 256,  /* of maxmemory are left for what pressed shards draw, and small excesses */
    STEP_PARTS = 65536, /* of an equal part: drawn in a millisecond by a pressed shard */
    STEP_BYTES_MIN = 512,
    /* of an equal part are everyone's at any time: a key must find room anywhere */
    FLOOR_PARTS = 4,
    CHUNK_PARTS = 64, /* of an equal part of what is free: what a shard takes beyond its need */
    KEPT_PARTS = 64,  /* of what a shard uses may be beside it while it sleeps */
    WAKE_INTERVAL_MS = 10,
    SHORT_PARTS = 8, /* of maxmemory left: freed pages are wanted back soon */
};

static uint64_t pool_of(uint64_t limit_bytes)
{
    return limit_bytes - limit_bytes / SLICE_PARTS;
}

struct memory_part memory_share_part(struct memory_part part, uint64_t limit_bytes, uint32_t shards)
{
    part.pool_bytes = limit_bytes > 0 ? pool_of(limit_bytes) : UINT64_MAX / 2;
    part.credit_bytes_max = limit_bytes;
    part.floor_bytes = limit_bytes > 0 ? part.pool_bytes / shards / FLOOR_PARTS : 0;
    part.chunk_parts = (uint64_t)CHUNK_PARTS * shards;
    return part;
}

static uint64_t step_of(uint64_t pool_bytes, uint32_t shards)
{
    return max(pool_bytes / shards / STEP_PARTS, (uint64_t)STEP_BYTES_MIN);
}

/* While nothing is owed: what is used, and a piece of what is free. */
static uint64_t budget_kept(const struct memory_share_view *view)
{
    uint64_t piece = (view->pool_bytes - view->taken_bytes) / CHUNK_PARTS / view->shards;
    return max(min(view->budget_bytes, view->used_bytes + piece), view->used_bytes);
}

/* A shard whose borrowing is the latest gives nothing: two large values would drive each other out
 * otherwise. Nor does one go below its floor. Both only as far as others can give. */
static uint64_t budget_left(const struct memory_share_view *view, uint64_t owed)
{
    uint64_t used = view->used_bytes, floor = min(view->floor_bytes, used);
    double given = (double)owed * ((double)used / (double)view->taken_bytes);
    uint64_t left = used - min((uint64_t)given, used);
    if (view->others_spare_bytes == 0)
        return left;
    return view->borrower ? used : max(left, floor);
}

uint64_t memory_share_budget(const struct memory_share_view *view)
{
    uint64_t slice = view->limit_bytes / SLICE_PARTS;
    if (view->limit_bytes == 0)
        return UINT64_MAX;
    if (view->shards == 1)
        return view->limit_bytes;
    if (view->pressed && view->taken_bytes < view->pool_bytes + slice)
        return view->used_bytes + min(step_of(view->pool_bytes, view->shards),
                                      view->pool_bytes + slice - view->taken_bytes);
    if (view->taken_bytes <= view->pool_bytes)
        return budget_kept(view);
    return budget_left(view, view->taken_bytes - view->pool_bytes);
}

static void publish_spare(struct memory_part *part, uint64_t evictable)
{
    total_set_part(&part->pool->spare, &part->spare,
                   evictable > part->floor_bytes ? evictable - part->floor_bytes : 0);
}

void memory_share_settle(struct reactor *reactor)
{
    struct keyspace *keyspace = reactor->keyspace;
    struct memory_part *part = &keyspace->part;
    if (part->pool == NULL || keyspace->budget_bytes == UINT64_MAX)
        return;
    uint64_t used = counter_get(&keyspace->stats->used_bytes);
    uint64_t piece = memory_part_reach(part, false) / part->chunk_parts;
    /* A shard that sleeps often must not lose its step, and what it has just evicted, to one that
     * never does. */
    uint64_t kept = step_of(part->pool_bytes, reactor->count) + used / KEPT_PARTS;
    uint64_t enough = used + max(piece, kept);
    publish_spare(part, counter_get(&keyspace->stats->evictable_bytes));
    if (keyspace->budget_bytes <= enough)
        return;
    keyspace_set_budget(keyspace, enough);
    total_set_part(&part->pool->taken, &part->taken, enough);
}

static uint64_t used_by(const struct reactor *reactor, uint32_t id)
{
    return counter_get(&reactor->peer[id]->stats->keyspace.used_bytes);
}

/* They give their parts when they run, and nothing else would make them. */
static void wake_others(struct reactor *reactor, bool all)
{
    uint32_t richest = reactor->id;
    if (reactor->now_ms - reactor->shard->share.woke_ms < WAKE_INTERVAL_MS)
        return;
    reactor->shard->share.woke_ms = reactor->now_ms;
    for (uint32_t i = 0; i < reactor->count; i++) {
        if (all && i != reactor->id)
            ring_wake(reactor->ring, reactor->peer[i]->ring);
        if (used_by(reactor, i) > used_by(reactor, richest))
            richest = i;
    }
    if (!all && richest != reactor->id)
        ring_wake(reactor->ring, reactor->peer[richest]->ring);
}

/* Wakes sleeping reactors that hold memory while more is taken than there is. Returns when our own
 * background work is wanted. */
static int64_t remind_others(struct reactor *reactor, const struct memory_share_view *view)
{
    if (view->limit_bytes == 0 || view->taken_bytes <= view->limit_bytes)
        return INT64_MAX;
    if (view->borrower || view->pressed)
        wake_others(reactor, view->borrower);
    return view->borrower ? reactor->now_ms + WAKE_INTERVAL_MS : INT64_MAX;
}

/* It is the last borrower until another borrows, or nothing is owed any more. */
static bool is_borrower(const struct reactor *reactor, uint64_t taken)
{
    struct keyspace *keyspace = reactor->keyspace;
    struct memory_part *part = &keyspace->part;
    _Atomic uint32_t *borrower = &part->pool->borrower;
    uint32_t self = reactor->id + 1;
    /* relaxed: it decides who gives first, no data travels by it */
    if (unlikely(keyspace->borrowed))
        atomic_store_explicit(borrower, self, memory_order_relaxed);
    keyspace->borrowed = false;
    if (likely(atomic_load_explicit(borrower, memory_order_relaxed) != self))
        return false;
    if (taken <= part->pool_bytes)
        atomic_compare_exchange_strong_explicit(borrower, &self, 0, memory_order_relaxed,
                                                memory_order_relaxed);
    return taken > part->pool_bytes;
}

/* Our parts of the sums, as they are now; and what all of them come to. */
static void look_around(struct reactor *reactor, struct memory_share_view *view)
{
    struct keyspace *keyspace = reactor->keyspace;
    struct memory_part *part = &keyspace->part;
    uint64_t used = view->used_bytes;
    uint64_t budget = view->limit_bytes > 0 ? keyspace->budget_bytes : 0;
    *part = memory_share_part(*part, view->limit_bytes, view->shards);
    publish_spare(part, keyspace_evictable(keyspace));
    if (budget == UINT64_MAX) /* there was no limit before */
        budget = used;
    total_set_part(&part->pool->taken, &part->taken, max(used, budget));
    view->budget_bytes = budget;
    view->pool_bytes = part->pool_bytes;
    view->floor_bytes = part->floor_bytes;
    view->taken_bytes = total_get(&part->pool->taken);
    view->others_spare_bytes = memory_part_others_spare(part);
    view->borrower = is_borrower(reactor, view->taken_bytes);
}

/* Apart, so that the question before it is inline in the loop: 20 instructions a turn. */
__attribute__((noinline)) static int64_t renew(struct reactor *reactor)
{
    struct keyspace *keyspace = reactor->keyspace;
    struct memory_part *part = &keyspace->part;
    struct memory_share_view view = {
        .limit_bytes = reactor->settings->maxmemory,
        .shards = reactor->count,
        .used_bytes = keyspace_used(keyspace),
        .pressed = keyspace->pressed,
    };
    reactor->shard->share.renewed_ms = reactor->now_ms;
    keyspace->pressed = false;
    view.taken_bytes = view.used_bytes;
    if (part->pool != NULL)
        look_around(reactor, &view);
    uint64_t budget = memory_share_budget(&view);
    if (part->pool != NULL && view.limit_bytes > 0)
        total_set_part(&part->pool->taken, &part->taken, max(view.used_bytes, budget));
    keyspace_set_budget(keyspace, budget);
    int64_t work_ms = remind_others(reactor, &view);
    mem_hurry(view.limit_bytes > 0 &&
              view.taken_bytes > view.limit_bytes - view.limit_bytes / SHORT_PARTS);
    return keyspace_in_debt(keyspace) ? reactor->now_ms : work_ms;
}

int64_t memory_share_renew(struct reactor *reactor)
{
    return reactor->now_ms != reactor->shard->share.renewed_ms ? renew(reactor) : INT64_MAX;
}
