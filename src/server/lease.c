/*
 * lease.c - how much of maxmemory this shard may use now.
 *
 * The pool is a little smaller than maxmemory, so that the sum hovers between the two: below, each
 * shard may take an equal part of what is free (all of them at once cannot take more); at the top,
 * each gives back in proportion to what it has, once the pressed ones have drawn their step. So
 * memory wanders to where items are being evicted, by halves in some minutes.
 */
#include "shoal/server/lease.h"

#include "shoal/server/reactor.h"
#include "shoal/server/server.h"

enum {
    SLICE_PARTS = 256,  /* of maxmemory are left for figures that are a turn old */
    STEP_PARTS = 65536, /* of an equal part: drawn in a millisecond by a pressed shard */
    STEP_BYTES_MIN = 512,
    FLOOR_PARTS =
        4, /* of an equal part are everyone's at any time: a key must find room anywhere */
    WAKE_INTERVAL_MS = 10,
};

/* Leaves the floor out of account. */
static uint64_t drawn_budget(const struct lease_view *view, uint64_t pool, uint64_t slice)
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

uint64_t lease_budget(const struct lease_view *view)
{
    if (view->limit_bytes == 0)
        return UINT64_MAX;
    if (view->shards == 1)
        return view->limit_bytes;
    uint64_t slice = view->limit_bytes / SLICE_PARTS, pool = view->limit_bytes - slice;
    uint64_t budget = drawn_budget(view, pool, slice), floor = pool / view->shards / FLOOR_PARTS;
    return budget > floor ? budget : floor;
}

static uint64_t used_by(struct reactor *reactor, uint32_t id)
{
    return counter_get(&reactor->server->reactor[id].stats->keyspace.used_bytes);
}

/* It gives its part when it runs, and nothing else would make it. */
static void wake_richest(struct reactor *reactor)
{
    uint32_t richest = reactor->id;
    if (reactor->now_ms - reactor->lease.woke_ms < WAKE_INTERVAL_MS)
        return;
    reactor->lease.woke_ms = reactor->now_ms;
    for (uint32_t i = 0; i < reactor->count; i++)
        if (used_by(reactor, i) > used_by(reactor, richest))
            richest = i;
    if (richest != reactor->id)
        ring_wake(reactor->ring, reactor->server->reactor[richest].ring);
}

void lease_renew(struct reactor *reactor)
{
    if (reactor->now_ms == reactor->lease.renewed_ms)
        return;
    struct keyspace *keyspace = reactor->keyspace;
    struct lease_view view = {
        .limit_bytes = reactor->settings->maxmemory,
        .shards = reactor->count,
        .own_bytes = keyspace_used(keyspace),
        .pressed = keyspace->pressed,
    };
    reactor->lease.renewed_ms = reactor->now_ms;
    keyspace->pressed = false;
    counter_set(&reactor->stats->keyspace.used_bytes, view.own_bytes);
    if (view.limit_bytes > 0)
        for (uint32_t i = 0; i < reactor->count; i++)
            view.total_bytes += used_by(reactor, i);
    keyspace_set_budget(keyspace, lease_budget(&view));
    if (keyspace_in_debt(keyspace) && reactor->next_work_ms > reactor->now_ms)
        reactor->next_work_ms = reactor->now_ms;
    if (view.limit_bytes > 0 && view.pressed && view.total_bytes > view.limit_bytes)
        wake_richest(reactor);
}
