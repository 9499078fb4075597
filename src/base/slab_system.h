/*
 * slab_system.h - the C library's malloc says nothing about its pages. Included by slab.c alone.
 */
#ifndef SHOAL_BASE_SLAB_SYSTEM_H
#define SHOAL_BASE_SLAB_SYSTEM_H

#include "shoal/base/slab.h"

#include <stdlib.h>

struct slabs {
    char unused;
};

static inline bool slabs_open(struct slabs *slabs, unsigned index)
{
    (void)slabs;
    (void)index;
    return false;
}

void slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                struct slab_room *out)
{
    (void)slabs;
    (void)blocks;
    for (unsigned i = 0; i < count; i++)
        out[i] = (struct slab_room){ 0, 1, 0 };
}

struct slab_class slabs_look_at_class(const struct slabs *slabs, void *block)
{
    (void)slabs;
    (void)block;
    return (struct slab_class){ 0 };
}

uint64_t slabs_active_bytes(const struct slabs *slabs)
{
    (void)slabs;
    return 0;
}

void slabs_flush_thread(const struct slabs *slabs)
{
    (void)slabs;
}

struct slab_totals slabs_totals(const struct slabs *slabs)
{
    (void)slabs;
    return (struct slab_totals){ 0 };
}

void *slabs_alloc(const struct slabs *slabs, size_t size)
{
    (void)slabs;
    return malloc(size);
}

void slabs_release(const struct slabs *slabs, void *block, size_t size)
{
    (void)slabs;
    (void)size;
    free(block);
}

#endif
