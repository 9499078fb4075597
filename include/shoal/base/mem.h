/*
 * mem.h - memory of one owner: a jemalloc arena each reactor allocates from and frees to.
 *
 * What an arena hands out is freed to the same arena by the same thread. Sanitizer builds
 * (SHOAL_SYSTEM_MALLOC) use malloc() behind the same functions, so that their checks see every block.
 */
#ifndef SHOAL_BASE_MEM_H
#define SHOAL_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Aborts when memory is out (start-up only). Thread: startup, or the owner before its first allocation. */
struct arena *arena_new(void);
void arena_free_all(struct arena **arena);

/* NULL when memory is out. `size` >= 1. Alignment 16 (8 below 16 bytes). Thread: owner. */
void *arena_alloc(struct arena *arena, size_t size);

/* As arena_alloc, aligned to `align` (a power of two, up to 2 MiB). Thread: owner. */
void *arena_alloc_aligned(struct arena *arena, size_t size, size_t align);

/* `size` is what was asked for at allocation. NULL is allowed. Thread: owner. */
void arena_free(struct arena *arena, void *memory, size_t size);
void arena_free_aligned(struct arena *arena, void *memory, size_t size, size_t align);

/* What an allocation of `size` bytes really takes: jemalloc's size classes, computed, no call. Thread: any. */
size_t mem_class_size(size_t size);

/* malloc() and realloc() that abort instead of returning NULL: start-up and small fixed objects only. */
void *mem_must_alloc(size_t size);
void *mem_must_zalloc(size_t size);

/* Bytes of the whole process as the allocator sees them (allocated, active, resident); refreshes its
 * statistics, so about 20 us. Zeros without jemalloc. Thread: any. */
struct mem_stats {
    uint64_t allocated, active, resident, retained;
};
struct mem_stats mem_stats_read(void);

/* Gives freed pages back to the system. Thread: any. */
void mem_purge(void);

const char *mem_allocator_name(void); /* "jemalloc-5.3.0" */

#endif
