/*
 * mem.c - arenas over jemalloc.
 *
 * A thread that allocates from an arena for the first time is bound to it ("thread.arena"), so
 * everything the reactor allocates, its libraries' buffers included, comes from one place and no
 * lock is contended.
 */
#include "shoal/base/mem.h"
#include "shoal/base/must.h"

#include <stdlib.h>

#ifdef SHOAL_SYSTEM_MALLOC
#include "mem_system.h"
#else
#include "mem_jemalloc.h"
#endif

struct arena {
    void *thread; /* bound to it; NULL before the first allocation */
    unsigned index;
    int64_t lingering; /* bytes */
};

struct arena *arena_new(void)
{
    struct arena *arena = mem_must_zalloc(sizeof(*arena));
    arena->index = heap_create();
    return arena;
}

void arena_free_all(struct arena **arena)
{
    if (*arena != NULL)
        heap_retire((*arena)->index);
    free(*arena);
    *arena = NULL;
}

unsigned arena_index(const struct arena *arena)
{
    return arena->index;
}

static inline void bind_thread(struct arena *arena)
{
    void *self = __builtin_thread_pointer();
    if (likely(arena->thread == self))
        return;
    heap_bind(arena->index);
    arena->thread = self;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    dcheck(size >= 1);
    bind_thread(arena);
    return malloc(size);
}

void *arena_alloc_aligned(struct arena *arena, size_t size, size_t align)
{
    dcheck(size >= 1);
    bind_thread(arena);
    return heap_alloc_aligned(size, align);
}

void arena_free(struct arena *arena, void *memory, size_t size)
{
    (void)arena;
    if (memory != NULL)
        heap_free(memory, size);
}

void arena_free_aligned(struct arena *arena, void *memory, size_t size, size_t align)
{
    (void)arena;
    if (memory != NULL)
        heap_free_aligned(memory, size, align);
}

void arena_linger(struct arena *arena, int64_t bytes)
{
    arena->lingering += bytes;
    dcheck(arena->lingering >= 0);
}

uint64_t arena_lingering(const struct arena *arena)
{
    return (uint64_t)arena->lingering;
}

void *mem_must_alloc(size_t size)
{
    void *memory = malloc(size);
    must(memory != NULL);
    return memory;
}

void *mem_must_zalloc(size_t size)
{
    void *memory = calloc(1, size);
    must(memory != NULL);
    return memory;
}

struct mem_stats mem_stats_read(void)
{
    struct mem_stats stats = { 0 };
    heap_stats(&stats);
    return stats;
}

void mem_return_in_background(void)
{
    heap_return_in_background();
}

void mem_hurry(bool hurry)
{
    heap_hurry(hurry);
}

void mem_purge(void)
{
    heap_purge();
}

bool mem_is_checked(void)
{
    return heap_is_checked;
}

const char *mem_allocator_name(void)
{
    return HEAP_NAME;
}
