/*
 * slab.c - jemalloc's view of its slabs; nothing where it is not the allocator.
 */
#include "shoal/base/slab.h"
#include "shoal/base/must.h"

#include <stdlib.h>

#ifdef SHOAL_SYSTEM_MALLOC
#include "slab_system.h"
#else
#include "slab_jemalloc.h"
#endif

bool slabs_available(void)
{
    struct slabs probe;
    return slabs_open(&probe, 0);
}

struct slabs *slabs_new(const struct arena *arena)
{
    struct slabs *slabs = mem_must_zalloc(sizeof(*slabs));
    if (!slabs_open(slabs, arena_index(arena)))
        slabs_free(&slabs);
    return slabs;
}

void slabs_free(struct slabs **slabs)
{
    free(*slabs);
    *slabs = NULL;
}
