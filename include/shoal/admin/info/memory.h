/*
 * memory.h - the memory of the whole server, as INFO and MEMORY show it.
 */
#ifndef SHOAL_ADMIN_INFO_MEMORY_H
#define SHOAL_ADMIN_INFO_MEMORY_H

#include "shoal/base/mem.h"
#include "shoal/stats/stats.h"

struct reactor;

/* Bytes, where nothing else is said. */
struct memory_figures {
    uint64_t used;     /* data + buffers + state + startup */
    uint64_t peak;     /* the highest `used` seen so far, see memory_note_peak() */
    uint64_t startup;  /* allocated before the first connection */
    uint64_t data;     /* keys, values and tables of all shards: what maxmemory limits */
    uint64_t buffers;  /* connections, requests, replies that wait */
    uint64_t state;    /* see stats/state.h */
    uint64_t keys;     /* a count */
    uint64_t resident; /* of the process, as the kernel says */
    struct mem_stats allocator;
};

/* Thread: any reactor. */
void memory_figures_read(struct reactor *here, struct memory_figures *figures);

/* Raises stats->used_peak to `used`. Thread: owner of `stats`. */
static inline void memory_note_peak(struct reactor_stats *stats, uint64_t used)
{
    if (used > counter_get(&stats->used_peak))
        counter_set(&stats->used_peak, used);
}

/* a / b, and 0 when b is 0. */
static inline double ratio_of(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : (double)a / (double)b;
}

#endif
