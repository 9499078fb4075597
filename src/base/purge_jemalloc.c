/*
 * purge_jemalloc.c - jemalloc's threads return pages to the system a little at a time.
 *
 * Left to themselves they return all that is due at once: 45 to 80 MB when a million keys expire,
 * for 4 to 160 ms, and the scheduler may put them on a reactor's CPU for all of it. Here they
 * return a piece and rest, by the hook jemalloc has for it (arena.<i>.extent_hooks): a tenth of a
 * CPU each, half of one where memory is short, a fraction of a millisecond at a time. Other
 * threads return theirs at once.
 *
 * The longest wait of another client while a million keys expire at once, in six pairs of
 * runs: 37.7 3.6 2.4 2.2 28.2 41.4 ms without, 2.4 3.1 3.3 6.7 3.2 4.3 ms with this.
 */
#include "purge_jemalloc.h"

#include "shoal/base/clock.h"
#include "shoal/base/minmax.h"

#include <jemalloc/jemalloc.h>
#include <stdatomic.h>
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

static extent_hooks_t *at_once; /* jemalloc's own, the same for all arenas */
static extent_hooks_t by_pieces;
static atomic_bool hurries;

/* Nobody waits for what jemalloc's own threads do. */
static bool may_rest(void)
{
    static __thread enum { UNKNOWN, NO, YES } known;
    if (known == UNKNOWN) {
        char name[16] = "";
        known = prctl(PR_GET_NAME, name) == 0 && strcmp(name, "jemalloc_bg_thd") == 0 ? YES : NO;
    }
    return known == YES;
}

/* By all that the thread has done since it has rested: a third of it is jemalloc's book-keeping. */
static void rest_if_due(void)
{
    static __thread uint64_t rested_ns;
    uint64_t burst_ns = clock_thread_cpu_ns() - rested_ns;
    if (burst_ns < PURGE_BURST_NS)
        return;
    bool hurry = atomic_load_explicit(&hurries, memory_order_relaxed);
    uint64_t rest_ns = burst_ns * (hurry ? PURGE_REST_PARTS_SHORT : PURGE_REST_PARTS);
    nanosleep(&(struct timespec){ .tv_nsec = (long)min(rest_ns, PURGE_REST_MAX_NS) }, NULL);
    rested_ns = clock_thread_cpu_ns();
}

/* An extent_purge_t: true if pages of [offset, offset + length) of the extent stay. */
static bool purge_forced(extent_hooks_t *hooks, void *extent, size_t size, size_t offset,
                         size_t length, unsigned arena)
{
    (void)hooks;
    bool kept = false;
    if (!may_rest())
        return at_once->purge_forced(at_once, extent, size, offset, length, arena);
    while (length > 0 && !kept) {
        size_t piece = min(length, PURGE_PIECE_BYTES);
        kept = at_once->purge_forced(at_once, extent, size, offset, piece, arena);
        rest_if_due();
        offset += piece;
        length -= piece;
    }
    return kept;
}

/* The hooks' types and the threads' name are those of 5.x. */
static bool hooks_are_known(void)
{
    const char *version = "";
    size_t size = sizeof(version);
    return mallctl("version", &version, &size, NULL, 0) == 0 && strncmp(version, "5.", 2) == 0;
}

/* What cannot be set stays as it is. */
void purge_slowly(unsigned index)
{
    char name[48];
    size_t size = sizeof(at_once);
    extent_hooks_t *own = &by_pieces;
    snprintf(name, sizeof(name), "arena.%u.extent_hooks", index);
    if (at_once == NULL) {
        if (!hooks_are_known() || mallctl(name, &at_once, &size, NULL, 0) != 0 ||
            at_once->purge_forced == NULL)
            return;
        by_pieces = *at_once;
        by_pieces.purge_forced = purge_forced;
    }
    mallctl(name, NULL, NULL, &own, sizeof(own));
}

void purge_hurry(bool hurry)
{
    if (atomic_load_explicit(&hurries, memory_order_relaxed) != hurry)
        atomic_store_explicit(&hurries, hurry, memory_order_relaxed);
}
