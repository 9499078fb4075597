/*
 * slab.h - how full the pages are that an arena's small blocks lie in, and blocks put elsewhere.
 *
 * jemalloc cuts a slab of a few pages into places of one size class. New blocks go into the slab
 * that is being filled, and when that is full into the oldest one with a free place; a slab is
 * given back only when its last block is freed. So when sizes shift, slabs stay behind with a few
 * blocks each. A block whose references are known can be moved: these functions tell which blocks
 * are worth it. Blocks above 14 KB have pages of their own.
 *
 * source  jemalloc 5.3.0: experimental.utilization.batch_query and .query, and stats.arenas. Looking costs 5 to 9 ns a block in batches of 64.
 */
#ifndef SHOAL_BASE_SLAB_H
#define SHOAL_BASE_SLAB_H

#include "shoal/base/mem.h"

#include <stdbool.h>

enum { SLAB_CLASSES_MAX = 48 };

struct slabs;

/* The slab of one block. A large block: 0 of 1 places are free. */
struct slab_room {
    size_t free, places, bytes;
};

/* All slabs of a size class. */
struct slab_class {
    uintptr_t filling; /* where the slab begins that new blocks go into; 0: none */
    uint64_t free, places;
};

/* Of one arena. `wasted` is what is free in slabs that are not empty. */
struct slab_totals {
    uint64_t allocated_bytes, wasted_bytes;
};

/* False in builds without jemalloc, or with one that cannot tell. Thread: any. */
bool slabs_available(void);

/* The view of an arena, NULL when slabs_available() is false. Thread: owner. */
struct slabs *slabs_new(const struct arena *arena);
void slabs_free(struct slabs **slabs);

/* Where `count` >= 1 blocks of the arena lie. Thread: owner of the arena. */
void slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                struct slab_room *out);
/* All slabs of the class of `block`, which must be a small one: about 50 ns. Thread: owner. */
struct slab_class slabs_look_at_class(const struct slabs *slabs, void *block);

/* Gives back what the thread keeps for its next allocations: up to 200 places of a class, which may
 * lie in as many slabs that are otherwise empty. 20 to 200 us. Thread: owner. */
void slabs_flush_thread(const struct slabs *slabs);
/* Exact, but refreshes the statistics of all arenas: 10 to 20 us. Thread: owner. */
struct slab_totals slabs_totals(const struct slabs *slabs);

/*
 * A block of the arena's from the slab that is being filled, and back into its slab at once:
 * arena_alloc() would hand out again what was just freed. NULL when memory is out. `size` is what
 * the block was allocated with. Thread: owner.
 */
void *slabs_alloc(const struct slabs *slabs, size_t size);
void slabs_release(const struct slabs *slabs, void *block, size_t size);

#endif
