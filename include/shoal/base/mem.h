/*
 * mem.h - memory of one owner: a jemalloc arena each reactor allocates from and frees to.
 *
 * What an arena hands out is freed to the same arena by the same thread. The arena binds itself to
 * the first thread that allocates from it, so that malloc()'s short path serves it (explicit
 * MALLOCX_ARENA and MALLOCX_TCACHE flags take the long one: 2 to 3 times the time). Sanitizer
 * builds use the C library's malloc() behind the same functions, so that their checks see every
 * block.
 */
#ifndef SHOAL_BASE_MEM_H
#define SHOAL_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Ends the process when memory is out, see base/refused.h. Thread: startup, or the owner before its first
 * allocation. */
struct arena *arena_new(void);
/* Forgets the arena and gives its free pages back. What was allocated from it must have been freed.
 * Thread: owner. */
void arena_free_all(struct arena **arena);

/* The allocator's number of the arena; 0 without jemalloc. Thread: any. */
unsigned arena_index(const struct arena *arena);

/* NULL when memory is out. `size` >= 1. Alignment 16 (8 below 16 bytes). Thread: owner. */
void *arena_alloc(struct arena *arena, size_t size);

/* As arena_alloc, aligned to `align` (a power of two, up to 2 MiB). Thread: owner. */
void *arena_alloc_aligned(struct arena *arena, size_t size, size_t align);

/* `size` is what was asked for at allocation. NULL is allowed. Thread: owner. */
void arena_free(struct arena *arena, void *memory, size_t size);
void arena_free_aligned(struct arena *arena, void *memory, size_t size, size_t align);

/* Accounting for freed values that replies in flight still refer to: adds `bytes`, less than 0 when
 * the last reply is gone. Thread: owner. */
void arena_linger(struct arena *arena, int64_t bytes);
uint64_t arena_lingering(const struct arena *arena);

/* Bytes of all pages that hold blocks of the arena, as of now, for a load; 0 when the allocator does
 * not say. Thread: owner. */
uint64_t arena_active_bytes(const struct arena *arena);

/*
 * How much a thread may free at one go. Pages that become free wait for a thread of the allocator's.
 * It looks at them every 0.1 s and does not rest before it returns the first, .2 us for each stretch
 * of free pages: with a million keys that expired these were 15,000, and 3 to 16 ms of a CPU that
 * others waited for.
 *
 * A bucket that leaks: what becomes free is poured in, what is allocated meanwhile is taken out, and
 * so are 12 stretches a millisecond. When 512 are in it the answer is no, until half of them are
 * gone: the allocator's thread then finds 1,700 at most, for a third of a millisecond. A large block
 * counts for no more than many small ones, so that nothing keeps the answer at no for long.
 *
 *   stretch_bytes  about what a stretch of free pages has, which is an item or a page at least
 *   thread         owner, for both
 */
/* Background work begins: what commands have freed since it was last asked does not count. */
void arena_pace_begin(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes);
/* May it free more? To be asked after every few items, for what has been freed since to count. */
bool arena_may_free_more(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes);

/*
 * Size classes of jemalloc, computed: 8, multiples of 16 up to 128, then four steps a doubling. An
 * index fits a byte. Thread: any. Source: jemalloc's size_classes, 16-byte quantum.
 */
static inline unsigned mem_class_index(size_t size)
{
    if (size <= 128)
        return size <= 8 ? 0 : (unsigned)((size + 15) / 16);
    unsigned log2 = 63 - (unsigned)__builtin_clzll(size - 1);
    return 9 + (log2 - 7) * 4 + (((size - 1) >> (log2 - 2)) & 3);
}

static inline size_t mem_class_at(unsigned index)
{
    if (index <= 8)
        return index == 0 ? 8 : index * (size_t)16;
    return (size_t)(5 + ((index - 9) & 3)) << (5 + (index - 9) / 4);
}

/* What an allocation of `size` bytes really takes. Thread: any. */
static inline size_t mem_class_size(size_t size)
{
    return mem_class_at(mem_class_index(size));
}

/*
 * Asks for the cache line at `memory`, which need not be valid. The empty asm is not decoration:
 * gcc takes a function that does nothing but prefetch for one without effect, and drops calls to
 * it. Thread: any.
 */
static inline void mem_prefetch(const void *memory)
{
    __builtin_prefetch(memory);
    __asm__ volatile("");
}

/* malloc(), calloc() and aligned_alloc() with zeros that end the process instead of returning NULL,
 * see base/refused.h. Free with free(). Thread: startup. */
void *mem_must_alloc(size_t size);
void *mem_must_zalloc(size_t size);
void *mem_must_align(size_t align, size_t size);

/* Bytes of the whole process as the allocator sees them (allocated, active, resident); refreshes
 * its statistics, so about 20 us. Zeros without jemalloc. Thread: any. */
struct mem_stats {
    uint64_t allocated, active, resident, retained;
};
struct mem_stats mem_stats_read(void);

/* From now on the allocator's own threads return freed pages to the system; until then, and when the
 * system refuses the first of them (false), the thread that frees them does. They take about a tenth of a CPU each and may run where the caller may.
 * Thread: startup, before any is tied to a CPU. */
bool mem_return_in_background(void);

/* Whether those threads may take half of a CPU instead, because memory is short. Thread: any. */
void mem_hurry(bool hurry);

/* Gives freed pages back to the system, all at once but for those that the allocator's threads are
 * returning already. Thread: any. */
void mem_purge(void);

/* True where leaks are looked for at the end: everything is to be freed then. Otherwise the system
 * takes it all back faster than a walk of the heap could. Thread: any. */
bool mem_is_checked(void);

const char *mem_allocator_name(void); /* "jemalloc-5.3.0" */

#endif
