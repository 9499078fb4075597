/*
 * slab_system.c - the C library's malloc says nothing about its slabs, so there is no view.
 */
#include "shoal/base/slab.h"

#include <stdlib.h>

bool slabs_available(void)
{
    return false;
}

struct slabs *slabs_new(const struct arena *arena)
{
    (void)arena;
    return NULL;
}

void slabs_free(struct slabs **slabs)
{
    *slabs = NULL;
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
