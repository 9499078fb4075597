/*
 * mem_jemalloc.h - what mem.c needs of jemalloc. Included by mem.c alone.
 */
#ifndef SHOAL_BASE_MEM_JEMALLOC_H
#define SHOAL_BASE_MEM_JEMALLOC_H

#include "shoal/base/mem.h"
#include "shoal/base/must.h"

#include "purge_jemalloc.h"

#include <jemalloc/jemalloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define HEAP_TEXT(x) #x
#define HEAP_TEXT_OF(x) HEAP_TEXT(x)
#define HEAP_NAME                                                                                  \
    "jemalloc-" HEAP_TEXT_OF(JEMALLOC_VERSION_MAJOR) "." HEAP_TEXT_OF(                             \
        JEMALLOC_VERSION_MINOR) "." HEAP_TEXT_OF(JEMALLOC_VERSION_BUGFIX)
static const bool heap_is_checked = false;

/*
 * Freed pages go back within a fraction of a second, by a thread of jemalloc's own: by default they
 * stay 10 s, and for ever when the owner sleeps, so that a cache whose values change their size
 * holds twice its limit. Stretches above 8 MB go by that thread too, not at once and by us: freeing
 * 64 MB takes 10 us then instead of 6 ms. What cannot be set stays as it is.
 */
static inline void heap_return_pages(unsigned index)
{
    enum { DECAY_MS = 200 };
    char name[48];
    ssize_t dirty_ms = DECAY_MS, muzzy_ms = 0;
    size_t never = SIZE_MAX;
    snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", index);
    mallctl(name, NULL, NULL, &dirty_ms, sizeof(dirty_ms));
    snprintf(name, sizeof(name), "arena.%u.muzzy_decay_ms", index);
    mallctl(name, NULL, NULL, &muzzy_ms, sizeof(muzzy_ms));
    snprintf(name, sizeof(name), "arena.%u.oversize_threshold", index);
    mallctl(name, NULL, NULL, &never, sizeof(never));
}

static inline void heap_return_in_background(void)
{
    bool on = true;
    mallctl("background_thread", NULL, NULL, &on, sizeof(on));
}

static inline void heap_hurry(bool hurry)
{
    if (atomic_load_explicit(&purge_hurries, memory_order_relaxed) != hurry)
        atomic_store_explicit(&purge_hurries, hurry, memory_order_relaxed);
}

static inline unsigned heap_create(void)
{
    unsigned index = 0;
    size_t size = sizeof(index);
    must(mallctl("arenas.create", &index, &size, NULL, 0) == 0);
    heap_return_pages(index);
    purge_slowly(index);
    return index;
}

static inline void heap_bind(unsigned index)
{
    must(mallctl("thread.arena", NULL, NULL, &index, sizeof(index)) == 0);
}

static inline void heap_purge_at(unsigned index)
{
    char name[32];
    snprintf(name, sizeof(name), "arena.%u.purge", index);
    mallctl(name, NULL, NULL, NULL, 0);
}

/* Not destroyed: the C library's own buffers may live in it. */
static inline void heap_retire(unsigned index)
{
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    heap_purge_at(index);
}

static inline void *heap_alloc_aligned(size_t size, size_t align)
{
    return mallocx(size, MALLOCX_ALIGN(align));
}

static inline void heap_free(void *memory, size_t size)
{
    sdallocx(memory, size, 0);
}

static inline void heap_free_aligned(void *memory, size_t size, size_t align)
{
    sdallocx(memory, size, MALLOCX_ALIGN(align));
}

static inline uint64_t heap_stat(const char *name)
{
    size_t value = 0, size = sizeof(value);
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

static inline void heap_stats(struct mem_stats *stats)
{
    uint64_t epoch = 1;
    mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
    stats->allocated = heap_stat("stats.allocated");
    stats->active = heap_stat("stats.active");
    stats->resident = heap_stat("stats.resident");
    stats->retained = heap_stat("stats.retained");
}

static inline void heap_purge(void)
{
    heap_purge_at(MALLCTL_ARENAS_ALL);
}

#endif
