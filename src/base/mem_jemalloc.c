/*
 * mem_jemalloc.c - arenas over jemalloc.
 *
 * A thread that allocates from an arena for the first time is bound to it ("thread.arena"), so
 * everything the reactor allocates, its libraries' buffers included, comes from one place and no
 * lock is contended.
 */
#include "shoal/base/mem.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"
#include "shoal/base/refused.h"

#include "purge_jemalloc.h"

#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

enum {
    DECAY_MS = 200,
    PACE_STRETCHES_MAX = 512,
    PACE_STRETCHES_PER_MS = 12,
    PACE_EMPTY_MS = 1000, /* more than enough for all of them */
};

/* See arena_may_free_more(). */
struct pace {
    uint64_t poured_bytes, active_bytes; /* what is in the bucket; pages in use by then */
    int64_t at_ms;
    bool full; /* and has not been half empty since */
};

struct arena {
    void *thread; /* bound to it; NULL before the first allocation */
    unsigned index;
    int64_t lingering;                   /* bytes */
    const volatile size_t *active_pages; /* NULL: this jemalloc does not say */
    size_t page_bytes;
    struct pace pace;
};

/*
 * Freed pages go back within a fraction of a second, by a thread of jemalloc's own: by default they
 * stay 10 s, and for ever when the owner sleeps, so that a cache whose values change their size
 * holds twice its limit. Stretches above 8 MB go by that thread too, not at once and by us: freeing
 * 64 MB takes 10 us then instead of 6 ms. What cannot be set stays as it is.
 */
static void return_pages_soon(unsigned index)
{
    char name[48];
    ssize_t dirty_ms = DECAY_MS, muzzy_ms = 0;
    size_t never = SIZE_MAX;
    snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", index);
    mallctl(name, NULL, NULL, &dirty_ms, sizeof(dirty_ms));
    snprintf(name, sizeof(name), "arena.%u.muzzy_decay_ms", index);
    mallctl(name, NULL, NULL, &muzzy_ms, sizeof(muzzy_ms));
    snprintf(name, sizeof(name), "arena.%u.oversize_threshold", index);
    mallctl(name, NULL, NULL, &never, sizeof(never));
}

static void purge_now(unsigned index)
{
    char name[32];
    snprintf(name, sizeof(name), "arena.%u.purge", index);
    mallctl(name, NULL, NULL, NULL, 0);
}

static void find_active_pages(struct arena *arena)
{
    char name[48];
    uint64_t epoch = 1;
    size_t size = sizeof(arena->active_pages);
    mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)); /* a new arena has no name before */
    snprintf(name, sizeof(name), "experimental.arenas.%u.pactivep", arena->index);
    if (mallctl(name, &arena->active_pages, &size, NULL, 0) != 0)
        arena->active_pages = NULL;
    size = sizeof(arena->page_bytes);
    must(mallctl("arenas.page", &arena->page_bytes, &size, NULL, 0) == 0);
}

/* ---- arenas ------------------------------------------------------------- */

struct arena *arena_new(void)
{
    struct arena *arena = mem_must_zalloc(sizeof(*arena));
    size_t size = sizeof(arena->index);
    int error = mallctl("arenas.create", &arena->index, &size, NULL, 0);
    if (error != 0)
        refused("memory for an arena is out", error, REFUSED_MEMORY_REMEDY);
    return_pages_soon(arena->index);
    purge_slowly(arena->index);
    find_active_pages(arena);
    return arena;
}

/* jemalloc's arena is not destroyed: the C library's own buffers may live in it. */
void arena_free_all(struct arena **arena)
{
    if (*arena != NULL) {
        mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
        purge_now((*arena)->index);
    }
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
    int error = mallctl("thread.arena", NULL, NULL, &arena->index, sizeof(arena->index));
    if (error != 0) /* at the first allocation of all, so at the start */
        refused("memory for an arena is out", error, REFUSED_MEMORY_REMEDY);
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
    return mallocx(size, MALLOCX_ALIGN(align));
}

void arena_free(struct arena *arena, void *memory, size_t size)
{
    (void)arena;
    if (memory != NULL)
        sdallocx(memory, size, 0);
}

void arena_free_aligned(struct arena *arena, void *memory, size_t size, size_t align)
{
    (void)arena;
    if (memory != NULL)
        sdallocx(memory, size, MALLOCX_ALIGN(align));
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

/* ---- the pace of freeing ------------------------------------------------- */

uint64_t arena_active_bytes(const struct arena *arena)
{
    return arena->active_pages != NULL ? *arena->active_pages * arena->page_bytes : 0;
}

/* What has leaked out, and what has been allocated or, if it is `ours`, become free. */
static void pace_look(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes, bool ours)
{
    struct pace *pace = &arena->pace;
    uint64_t before = pace->active_bytes, active = arena_active_bytes(arena);
    uint64_t passed_ms = (uint64_t)min(max(now_ms - pace->at_ms, 0), PACE_EMPTY_MS);
    uint64_t out = passed_ms * PACE_STRETCHES_PER_MS * stretch_bytes;
    out += active > before ? active - before : 0;
    pace->poured_bytes -= min(out, pace->poured_bytes);
    if (ours && active < before)
        pace->poured_bytes =
            min(pace->poured_bytes + before - active, 2 * PACE_STRETCHES_MAX * stretch_bytes);
    pace->active_bytes = active;
    pace->at_ms = now_ms;
}

void arena_pace_begin(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes)
{
    pace_look(arena, now_ms, stretch_bytes, false);
}

bool arena_may_free_more(struct arena *arena, int64_t now_ms, uint64_t stretch_bytes)
{
    struct pace *pace = &arena->pace;
    pace_look(arena, now_ms, stretch_bytes, true);
    uint64_t stretches = pace->poured_bytes / stretch_bytes;
    pace->full = stretches >= (pace->full ? PACE_STRETCHES_MAX / 2 : PACE_STRETCHES_MAX);
    return !pace->full;
}

/* ---- the process --------------------------------------------------------- */

static uint64_t stat_bytes(const char *name)
{
    size_t value = 0, size = sizeof(value);
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

struct mem_stats mem_stats_read(void)
{
    uint64_t epoch = 1;
    mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
    return (struct mem_stats){
        .allocated = stat_bytes("stats.allocated"),
        .active = stat_bytes("stats.active"),
        .resident = stat_bytes("stats.resident"),
        .retained = stat_bytes("stats.retained"),
    };
}

bool mem_return_in_background(void)
{
    bool on = true, off = false;
    if (mallctl("background_thread", NULL, NULL, &on, sizeof(on)) == 0)
        return true;
    /* jemalloc counts on a thread that it could not make, and pages would stay for ever. */
    mallctl("background_thread", NULL, NULL, &off, sizeof(off));
    return false;
}

void mem_hurry(bool hurry)
{
    purge_hurry(hurry);
}

void mem_purge(void)
{
    purge_now(MALLCTL_ARENAS_ALL);
}

bool mem_is_checked(void)
{
    return false;
}

const char *mem_allocator_name(void)
{
    return "jemalloc-" TEXT_OF(JEMALLOC_VERSION_MAJOR) "." TEXT_OF(
        JEMALLOC_VERSION_MINOR) "." TEXT_OF(JEMALLOC_VERSION_BUGFIX);
}
