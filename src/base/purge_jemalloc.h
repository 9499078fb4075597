/*
 * purge_jemalloc.h - jemalloc's threads return pages to the system a little at a time. Included by
 * mem_jemalloc.h alone.
 *
 * Left to themselves they return all that is due at once: 80 MB when a million keys expire, for 4
 * to 160 ms, and the scheduler may put them on a reactor's CPU for all of it. Here they return a
 * piece and rest, by the hook jemalloc has for it (arena.<i>.extent_hooks): a tenth of a CPU
 * each, half of one where memory is short, a fraction of a millisecond at a time. Other threads
 * return theirs at once, as before.
 */
#ifndef SHOAL_BASE_PURGE_JEMALLOC_H
#define SHOAL_BASE_PURGE_JEMALLOC_H

#include "shoal/base/clock.h"

#include <jemalloc/jemalloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    PURGE_PIECE_BYTES = 256 * 1024, /* 20 us, or a millisecond where faults are slow */
    PURGE_BURST_NS = 200 * 1000,
    PURGE_REST_PARTS = 9, /* rests so many times as long as it has worked */
    PURGE_REST_PARTS_SHORT = 1,
    PURGE_REST_MAX_NS = 50 * 1000 * 1000,
};

static extent_hooks_t *purge_at_once; /* jemalloc's own, the same for all arenas */
static extent_hooks_t purge_by_pieces;
static atomic_bool purge_hurries;

/* Nobody waits for what jemalloc's own threads do. */
static inline bool purge_may_rest(void)
{
    static __thread enum { UNKNOWN, NO, YES } known;
    if (known == UNKNOWN) {
        char name[16] = "";
        known = prctl(PR_GET_NAME, name) == 0 && strcmp(name, "jemalloc_bg_thd") == 0 ? YES : NO;
    }
    return known == YES;
}

/* By all that the thread has done since it has rested: a third of it is jemalloc's book-keeping. */
static inline void purge_rest(void)
{
    static __thread uint64_t rested_ns;
    uint64_t burst_ns = clock_thread_cpu_ns() - rested_ns;
    if (burst_ns < PURGE_BURST_NS)
        return;
    bool hurries = atomic_load_explicit(&purge_hurries, memory_order_relaxed);
    uint64_t rest_ns = burst_ns * (hurries ? PURGE_REST_PARTS_SHORT : PURGE_REST_PARTS);
    if (rest_ns > PURGE_REST_MAX_NS)
        rest_ns = PURGE_REST_MAX_NS;
    nanosleep(&(struct timespec){ .tv_nsec = (long)rest_ns }, NULL);
    rested_ns = clock_thread_cpu_ns();
}

/* An extent_purge_t: true if pages of [offset, offset + length) of the extent stay. */
static inline bool purge_forced(extent_hooks_t *hooks, void *extent, size_t size, size_t offset,
                                size_t length, unsigned arena)
{
    (void)hooks;
    bool kept = false;
    if (!purge_may_rest())
        return purge_at_once->purge_forced(purge_at_once, extent, size, offset, length, arena);
    while (length > 0 && !kept) {
        size_t piece = length < PURGE_PIECE_BYTES ? length : PURGE_PIECE_BYTES;
        kept = purge_at_once->purge_forced(purge_at_once, extent, size, offset, piece, arena);
        purge_rest();
        offset += piece;
        length -= piece;
    }
    return kept;
}

/* Thread: startup. What cannot be set stays as it is. */
static inline void purge_slowly(unsigned index)
{
    char name[48];
    size_t size = sizeof(purge_at_once);
    extent_hooks_t *own = &purge_by_pieces;
    snprintf(name, sizeof(name), "arena.%u.extent_hooks", index);
    if (purge_at_once == NULL) {
        if (mallctl(name, &purge_at_once, &size, NULL, 0) != 0 ||
            purge_at_once->purge_forced == NULL)
            return;
        purge_by_pieces = *purge_at_once;
        purge_by_pieces.purge_forced = purge_forced;
    }
    mallctl(name, NULL, NULL, &own, sizeof(own));
}

#endif
