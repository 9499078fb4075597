/*
 * mem_jemalloc.h - what mem.c needs of jemalloc. Included by mem.c alone.
 */
#ifndef SHOAL_BASE_MEM_JEMALLOC_H
#define SHOAL_BASE_MEM_JEMALLOC_H

#include "shoal/base/mem.h"
#include "shoal/base/must.h"

#include <jemalloc/jemalloc.h>
#include <stdio.h>

#define HEAP_TEXT(x) #x
#define HEAP_TEXT_OF(x) HEAP_TEXT(x)
#define HEAP_NAME                                                                                  \
    "jemalloc-" HEAP_TEXT_OF(JEMALLOC_VERSION_MAJOR) "." HEAP_TEXT_OF(                             \
        JEMALLOC_VERSION_MINOR) "." HEAP_TEXT_OF(JEMALLOC_VERSION_BUGFIX)

static inline unsigned heap_create(void)
{
    unsigned index = 0;
    size_t size = sizeof(index);
    must(mallctl("arenas.create", &index, &size, NULL, 0) == 0);
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
