/*
 * memory_share.c - how much of maxmemory this shard may use now.
 *
 * The pool is a little smaller than maxmemory, so that the sum hovers between the two: below, each
 * shard may take an equal part of what is free (all of them at once cannot take more); at the top,
 * each gives back in proportion to what it has, once the pressed ones have drawn their step. So
 * memory wanders to where items are being evicted, by halves in some minutes.
 */
#include "shoal/shard/memory_share.h"

#include "shoal/base/mem.h"
#include "shoal/net/ring.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    SLICE_PARTS = 256,  /* of maxmemory are left for figures that are a turn old */
    STEP_PARTS = 65536, /* of an equal part: drawn in a millisecond by a pressed shard */
    STEP_BYTES_MIN = 512,
    /* of an equal part are everyone's at any time: a key must find room anywhere */
    FLOOR_PARTS = 4,
    WAKE_INTERVAL_MS = 10,
    SHORT_PARTS = 8, /* of maxmemory left: freed pages are wanted back soon */
    CHASE_MS = 1000, /* others have given what they can by then */
};

/* Leaves the floor out of account. */
static uint64_t drawn_budget(const struct memory_share_view *view, uint64_t pool, uint64_t slice)
{
    uint64_t own = view->own_bytes, total = view->total_bytes;
    uint64_t free_part = total < pool ? (pool - total) / view->shards : 0;
    uint64_t step = pool / view->shards / STEP_PARTS;
    step = !view->pressed ? 0 : step > STEP_BYTES_MIN ? step : STEP_BYTES_MIN;
    if (total < pool + slice && free_part + step > 0)
        return own + (free_part > step ? free_part : step);
    if (total <= pool)
        return own;
    double given = (double)(total - pool) * ((double)own / (double)total);
    return own - (uint64_t)given;
}

static uint64_t slice_of(const struct memory_share_view *view)
{
    return view->limit_bytes / SLICE_PARTS;
}

static uint64_t pool_of(const struct memory_share_view *view)
{
    return view->limit_bytes - slice_of(view);
}

uint64_t memory_share_floor(const struct memory_share_view *view)
{
    return pool_of(view) / view->shards / FLOOR_PARTS;
}

static uint64_t owed_by_all(const struct memory_share_view *view)
{
    uint64_t pool = pool_of(view);
    return view->total_bytes > pool ? view->total_bytes - pool : 0;
}

/* Beyond what they owe already. */
static uint64_t others_can_give(const struct memory_share_view *view)
{
    uint64_t owed = owed_by_all(view);
    return view->spare_bytes > owed ? view->spare_bytes - owed : 0;
}

uint64_t memory_share_budget(const struct memory_share_view *view)
{
    if (view->limit_bytes == 0)
        return UINT64_MAX;
    if (view->shards == 1)
        return view->limit_bytes;
    uint64_t budget = drawn_budget(view, pool_of(view), slice_of(view)),
             floor = memory_share_floor(view);
    uint64_t due = view->own_bytes + others_can_give(view);
    floor = floor < due ? floor : due;
    return budget > floor ? budget : floor;
}

uint64_t memory_share_credit(const struct memory_share_view *view, uint64_t budget)
{
    if (view->limit_bytes == 0 || view->shards == 1)
        return 0;
    uint64_t pool = pool_of(view), others = view->total_bytes - view->own_bytes;
    uint64_t taken = others + (budget > view->own_bytes ? budget : view->own_bytes);
    uint64_t owed = owed_by_all(view), given = others_can_give(view);
    uint64_t bearable = owed < view->limit_bytes ? view->limit_bytes - owed : 0;
    return (given < bearable ? given : bearable) + (taken < pool ? pool - taken : 0);
}

static uint64_t used_by(const struct reactor *reactor, uint32_t id)
{
    return counter_get(&reactor->peer[id]->stats->keyspace.used_bytes);
}

/* Reactor `i` has to give before this one: it is not chasing, or has been for longer. */
static bool gives_first(const struct reactor *reactor, uint32_t i)
{
    uint64_t own = (uint64_t)reactor->shard->share.chase_until_ms;
    uint64_t other = counter_get(&reactor->peer[i]->stats->chase_until_ms);
    return other < own || (other == own && i < reactor->id);
}

/* What all use, and what the others can give; returns the part of those who give before this
 * one. */
static uint64_t look_around(const struct reactor *reactor, struct memory_share_view *view)
{
    uint64_t first = 0, floor = memory_share_floor(view);
    for (uint32_t i = 0; i < reactor->count; i++) {
        const struct keyspace_stats *stats = &reactor->peer[i]->stats->keyspace;
        uint64_t evictable = counter_get(&stats->evictable_bytes);
        uint64_t spare = i != reactor->id && evictable > floor ? evictable - floor : 0;
        view->total_bytes += counter_get(&stats->used_bytes);
        view->spare_bytes += spare;
        first += gives_first(reactor, i) ? spare : 0;
    }
    return first;
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

/* Wakes sleeping reactors that hold memory while more is used than there is. Returns when our own
 * background work is wanted. */
static int64_t remind_others(struct reactor *reactor, const struct memory_share_view *view)
{
    if (view->total_bytes <= view->limit_bytes)
        return INT64_MAX;
    bool chasing = reactor->now_ms < reactor->shard->share.chase_until_ms;
    if (chasing || view->pressed)
        wake_others(reactor, chasing);
    return chasing ? reactor->now_ms + WAKE_INTERVAL_MS : INT64_MAX;
}

int64_t memory_share_renew(struct reactor *reactor)
{
    if (reactor->now_ms == reactor->shard->share.renewed_ms)
        return INT64_MAX;
    struct keyspace *keyspace = reactor->keyspace;
    struct memory_share_view view = {
        .limit_bytes = reactor->settings->maxmemory,
        .shards = reactor->count,
        .own_bytes = keyspace_used(keyspace),
        .pressed = keyspace->pressed,
    };
    reactor->shard->share.renewed_ms = reactor->now_ms;
    if (unlikely(keyspace->borrowed)) {
        reactor->shard->share.chase_until_ms = reactor->now_ms + CHASE_MS;
        counter_set(&reactor->stats->chase_until_ms,
                    (uint64_t)reactor->shard->share.chase_until_ms);
    }
    keyspace->pressed = keyspace->borrowed = false;
    counter_set(&reactor->stats->keyspace.used_bytes, view.own_bytes);
    uint64_t first = view.limit_bytes > 0 ? look_around(reactor, &view) : 0;
    uint64_t budget = memory_share_budget(&view);
    if (reactor->now_ms < reactor->shard->share.chase_until_ms && first > 0 &&
        budget < view.own_bytes)
        budget = view.own_bytes; /* it is the others' turn to give */
    keyspace_set_share(keyspace, budget, memory_share_credit(&view, budget));
    int64_t work_ms = view.limit_bytes > 0 ? remind_others(reactor, &view) : INT64_MAX;
    mem_hurry(view.total_bytes > view.limit_bytes - view.limit_bytes / SHORT_PARTS);
    return keyspace_in_debt(keyspace) ? reactor->now_ms : work_ms;
}
