/*
 * work_clock.h - a monotonic clock that only the store's work moves on, so that slices end after
 * the same work on every machine, however busy.
 *
 * What each step costs is about what was measured with a million keys on an idle machine, times
 * `work_slowness`. The Makefile finds the __wrap_ names here and has the linker put these functions
 * in front of the real ones, for the tests that include this.
 */
#ifndef TESTS_SUPPORT_WORK_CLOCK_H
#define TESTS_SUPPORT_WORK_CLOCK_H

#include "shoal/base/clock.h"
#include "shoal/base/slab.h"
#include "shoal/store/table/table.h"

enum {
    WORK_LOOK_NS = 25,   /* the clock itself is read */
    WORK_BUCKET_NS = 32, /* the sweep sees a bucket */
    WORK_FREE_NS = 80,   /* an item, or whatever else there is, is freed */
    WORK_BLOCK_NS = 8,   /* defragmentation asks where a block lies */
    WORK_MOVE_NS = 400,  /* it moves one */
};

static uint64_t work_ns;
static unsigned work_slowness = 1;

static inline void work_spend(uint64_t ns)
{
    work_ns += ns * work_slowness;
}

uint64_t __wrap_clock_mono_ns(void);
uint64_t __wrap_clock_mono_ns(void)
{
    work_spend(WORK_LOOK_NS);
    return work_ns;
}

uint64_t __real_table_sweep_expired(struct table *table, uint64_t buckets_max, int64_t now_ms,
                                    table_expired_fn expired, void *context, bool *wrapped);
uint64_t __wrap_table_sweep_expired(struct table *table, uint64_t buckets_max, int64_t now_ms,
                                    table_expired_fn expired, void *context, bool *wrapped);
uint64_t __wrap_table_sweep_expired(struct table *table, uint64_t buckets_max, int64_t now_ms,
                                    table_expired_fn expired, void *context, bool *wrapped)
{
    uint64_t count = table_bucket_count(table);
    work_spend((buckets_max < count ? buckets_max : count) * WORK_BUCKET_NS);
    return __real_table_sweep_expired(table, buckets_max, now_ms, expired, context, wrapped);
}

void __real_arena_free(struct arena *arena, void *memory, size_t size);
void __wrap_arena_free(struct arena *arena, void *memory, size_t size);
void __wrap_arena_free(struct arena *arena, void *memory, size_t size)
{
    work_spend(WORK_FREE_NS);
    __real_arena_free(arena, memory, size);
}

void __real_slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                       struct slab_room *out);
void __wrap_slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                       struct slab_room *out);
void __wrap_slabs_look(const struct slabs *slabs, void *const *blocks, unsigned count,
                       struct slab_room *out)
{
    work_spend(count * WORK_BLOCK_NS);
    __real_slabs_look(slabs, blocks, count, out);
}

void *__real_slabs_alloc(const struct slabs *slabs, size_t size);
void *__wrap_slabs_alloc(const struct slabs *slabs, size_t size);
void *__wrap_slabs_alloc(const struct slabs *slabs, size_t size)
{
    work_spend(WORK_MOVE_NS);
    return __real_slabs_alloc(slabs, size);
}

#endif
