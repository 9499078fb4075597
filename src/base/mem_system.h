/*
 * mem_system.h - the C library's malloc in jemalloc's place, for sanitizers. Included by mem.c
 * alone.
 */
#ifndef SHOAL_BASE_MEM_SYSTEM_H
#define SHOAL_BASE_MEM_SYSTEM_H

#include "shoal/base/mem.h"

#include <stdlib.h>

#define HEAP_NAME "libc"
static const bool heap_is_checked = true;

static inline unsigned heap_create(void)
{
    return 0;
}

static inline void heap_bind(unsigned index)
{
    (void)index;
}

static inline void heap_retire(unsigned index)
{
    (void)index;
}

static inline void *heap_alloc_aligned(size_t size, size_t align)
{
    void *memory = NULL;
    align = align < sizeof(void *) ? sizeof(void *) : align;
    return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
}

static inline void heap_free(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

static inline void heap_free_aligned(void *memory, size_t size, size_t align)
{
    (void)size;
    (void)align;
    free(memory);
}

static inline void heap_stats(struct mem_stats *stats)
{
    (void)stats;
}

static inline void heap_return_in_background(void)
{
}

static inline void heap_hurry(bool hurry)
{
    (void)hurry;
}

static inline void heap_purge(void)
{
}

#endif
