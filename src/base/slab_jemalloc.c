/*
 * slab_jemalloc.c - jemalloc's view of its slabs.
 *
 * Names become numbers once. Neither of the two that are asked often takes a lock of another
 * reactor's: look reads, look-at-class takes the mutex of the arena's own bin.
 */
#include "shoal/base/must.h"
#include "shoal/base/slab.h"

#include <assert.h>
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { MIB_MAX = 6, MIB_ARENA = 2, MIB_BIN = 4 };

struct mib {
    size_t at[MIB_MAX], length;
};

struct slabs {
    struct mib look, look_at_class;
    struct mib refresh, small, large, slab_count, block_count;
    unsigned index, classes;
    size_t block_bytes[SLAB_CLASSES_MAX];
    uint32_t places[SLAB_CLASSES_MAX];
};

static bool mib_find(struct mib *mib, const char *name)
{
    mib->length = MIB_MAX;
    return mallctlnametomib(name, mib->at, &mib->length) == 0;
}

static bool heap_value(const char *name, void *value, size_t size)
{
    size_t got = size;
    return mallctl(name, value, &got, NULL, 0) == 0 && got == size;
}

static size_t mib_value(struct mib mib)
{
    size_t value = 0, size = sizeof(value);
    return mallctlbymib(mib.at, mib.length, &value, &size, NULL, 0) == 0 ? value : 0;
}

static size_t mib_value_of_bin(struct mib mib, unsigned bin)
{
    mib.at[MIB_BIN] = bin;
    return mib_value(mib);
}

static bool slabs_find_mibs(struct slabs *slabs)
{
    struct mib *const of_arena[] = { &slabs->small, &slabs->large, &slabs->slab_count,
                                     &slabs->block_count };
    if (!mib_find(&slabs->look, "experimental.utilization.batch_query") ||
        !mib_find(&slabs->look_at_class, "experimental.utilization.query") ||
        !mib_find(&slabs->refresh, "epoch") ||
        !mib_find(&slabs->small, "stats.arenas.0.small.allocated") ||
        !mib_find(&slabs->large, "stats.arenas.0.large.allocated") ||
        !mib_find(&slabs->slab_count, "stats.arenas.0.bins.0.curslabs") ||
        !mib_find(&slabs->block_count, "stats.arenas.0.bins.0.curregs"))
        return false;
    for (size_t i = 0; i < sizeof(of_arena) / sizeof(*of_arena); i++)
        of_arena[i]->at[MIB_ARENA] = slabs->index;
    return true;
}

static bool slabs_find_classes(struct slabs *slabs)
{
    char name[48];
    if (!heap_value("arenas.nbins", &slabs->classes, sizeof(slabs->classes)) ||
        slabs->classes > SLAB_CLASSES_MAX)
        return false;
    for (unsigned i = 0; i < slabs->classes; i++) {
        snprintf(name, sizeof(name), "arenas.bin.%u.size", i);
        if (!heap_value(name, &slabs->block_bytes[i], sizeof(slabs->block_bytes[i])))
            return false;
        snprintf(name, sizeof(name), "arenas.bin.%u.nregs", i);
        if (!heap_value(name, &slabs->places[i], sizeof(slabs->places[i])))
            return false;
    }
    return true;
}

static bool slabs_init(struct slabs *slabs, unsigned index)
{
    slabs->index = index;
    return slabs_find_mibs(slabs) && slabs_find_classes(slabs);
}

bool slabs_available(void)
{
    struct slabs probe;
    return slabs_init(&probe, 0);
}

struct slabs *slabs_new(const struct arena *arena)
{
    struct slabs *slabs = mem_must_zalloc(sizeof(*slabs));
    if (!slabs_init(slabs, arena_index(arena)))
        slabs_free(&slabs);
    return slabs;
}

void slabs_free(struct slabs **slabs)
{
    free(*slabs);
    *slabs = NULL;
}

/* ---- looking ------------------------------------------------------------- */

static_assert(sizeof(struct slab_room) == 3 * sizeof(size_t), "as batch_query answers");

void slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                struct slab_room *out)
{
    size_t size = count * sizeof(*out);
    must(mallctlbymib(slabs->look.at, slabs->look.length, out, &size, (void *)blocks,
                      count * sizeof(*blocks)) == 0);
}

struct slab_class slabs_look_at_class(const struct slabs *slabs, void *block)
{
    struct {
        void *filling;
        size_t free, places, bytes, class_free, class_places;
    } answer;
    size_t size = sizeof(answer);
    must(mallctlbymib(slabs->look_at_class.at, slabs->look_at_class.length, &answer, &size, &block,
                      sizeof(block)) == 0);
    return (struct slab_class){
        .filling = (uintptr_t)answer.filling,
        .free = answer.class_free,
        .places = answer.class_places,
    };
}

void slabs_flush_thread(const struct slabs *slabs)
{
    (void)slabs;
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
}

struct slab_totals slabs_totals(const struct slabs *slabs)
{
    uint64_t epoch = 1;
    mallctlbymib(slabs->refresh.at, slabs->refresh.length, NULL, NULL, &epoch, sizeof(epoch));
    struct slab_totals totals = {
        .allocated_bytes = mib_value(slabs->small) + mib_value(slabs->large),
    };
    for (unsigned i = 0; i < slabs->classes; i++) {
        uint64_t places = mib_value_of_bin(slabs->slab_count, i) * slabs->places[i];
        uint64_t blocks = mib_value_of_bin(slabs->block_count, i);
        totals.wasted_bytes += places > blocks ? (places - blocks) * slabs->block_bytes[i] : 0;
    }
    return totals;
}

/* ---- moving -------------------------------------------------------------- */

void *slabs_alloc(const struct slabs *slabs, size_t size)
{
    return mallocx(size, (int)(MALLOCX_ARENA(slabs->index) | MALLOCX_TCACHE_NONE));
}

void slabs_release(const struct slabs *slabs, void *block, size_t size)
{
    (void)slabs;
    sdallocx(block, size, MALLOCX_TCACHE_NONE);
}
