/*
 * mem_system.c - the C library's malloc in jemalloc's place, so that sanitizers see every block.
 */
#include "shoal/base/mem.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"

#include <stdlib.h>

struct arena {
    int64_t lingering; /* bytes */
};

struct arena *arena_new(void)
{
    return mem_must_zalloc(sizeof(struct arena));
}

void arena_free_all(struct arena **arena)
{
    free(*arena);
    *arena = NULL;
}

unsigned arena_index(const struct arena *arena)
{
    (void)arena;
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    (void)arena;
    dcheck(size >= 1);
    return malloc(size);
}

void *arena_alloc_aligned(struct arena *arena, size_t size, size_t align)
{
    void *memory = NULL;
    (void)arena;
    dcheck(size >= 1);
    return posix_memalign(&memory, max(align, sizeof(void *)), size) == 0 ? memory : NULL;
}

void arena_free(struct arena *arena, void *memory, size_t size)
{
    (void)arena;
    (void)size;
    free(memory);
}

void arena_free_aligned(struct arena *arena, void *memory, size_t size, size_t align)
{
    (void)align;
    arena_free(arena, memory, size);
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

uint64_t arena_active_bytes(const struct arena *arena)
{
    (void)arena;
    return 0;
}

void arena_pace_begin(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes)
{
    (void)arena;
    (void)now_ms;
    (void)stretch_bytes;
}

bool arena_may_free_more(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes)
{
    arena_pace_begin(arena, now_ms, stretch_bytes);
    return true;
}

struct mem_stats mem_stats_read(void)
{
    return (struct mem_stats){ 0 };
}

bool mem_return_in_background(void)
{
    return true;
}

void mem_hurry(bool hurry)
{
    (void)hurry;
}

void mem_purge(void)
{
}

bool mem_is_checked(void)
{
    return true;
}

const char *mem_allocator_name(void)
{
    return "libc";
}
