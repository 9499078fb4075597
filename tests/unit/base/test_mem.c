/*
 * test_mem.c - size classes against the allocator's own answer, and arenas that hand out what was
 * asked.
 */
#include "shoal/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef SHOAL_SYSTEM_MALLOC
#include <jemalloc/jemalloc.h>
#endif

static void class_sizes_are_the_allocators(void **state)
{
    (void)state;
#ifdef SHOAL_SYSTEM_MALLOC
    skip();
#else
    for (size_t size = 1; size <= 70000; size++)
        assert_int_equal(mem_class_size(size), nallocx(size, 0));
    for (size_t size = 70000; size < (size_t)1 << 33; size += size / 37) {
        assert_int_equal(mem_class_size(size), nallocx(size, 0));
    }
#endif
}

static void a_class_index_stands_for_its_size(void **state)
{
    (void)state;
    unsigned before = 0;
    for (size_t size = 1; size <= (size_t)1 << 26; size += 1 + size / 100) {
        unsigned index = mem_class_index(size);
        assert_true(mem_class_at(index) >= size);
        assert_true(index == 0 || mem_class_at(index - 1) < size);
        assert_true(index >= before && index < 256);
        before = index;
    }
}

static void memory_is_aligned_and_writable(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    static const size_t sizes[] = { 1, 8, 9, 64, 100, 4096, 16384, 100000, 1 << 21 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        void *plain = arena_alloc(arena, sizes[i]);
        void *line = arena_alloc_aligned(arena, sizes[i], 64);
        assert_int_equal((uintptr_t)plain % (sizes[i] < 16 ? 8 : 16), 0);
        assert_int_equal((uintptr_t)line % 64, 0);
        memset(plain, 1, sizes[i]);
        memset(line, 2, sizes[i]);
        arena_free(arena, plain, sizes[i]);
        arena_free_aligned(arena, line, sizes[i], 64);
    }
    arena_free(arena, NULL, 10);
    arena_free_all(&arena);
    assert_null(arena);
}

static void *fill_and_free(void *argument)
{
    struct arena *arena = argument;
    bool good = true;
    char *block[500];
    for (int i = 0; i < 500; i++) {
        block[i] = arena_alloc(arena, (size_t)i + 1);
        good = good && block[i] != NULL;
        memset(block[i], i, (size_t)i + 1);
    }
    for (int i = 0; i < 500; i++) {
        good = good && block[i][i] == (char)i;
        arena_free(arena, block[i], (size_t)i + 1);
    }
    return good ? argument : NULL;
}

static void an_arena_made_at_startup_serves_its_thread(void **state)
{
    (void)state;
    struct arena *arena[2] = { arena_new(), arena_new() };
    pthread_t thread[2];
    void *result[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, fill_and_free, arena[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], &result[i]);
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(result[i], arena[i]);
        arena_free_all(&arena[i]);
    }
}

static void statistics_see_what_is_allocated(void **state)
{
    (void)state;
#ifdef SHOAL_SYSTEM_MALLOC
    skip();
#else
    struct arena *arena = arena_new();
    uint64_t before = mem_stats_read().allocated;
    void *block = arena_alloc(arena, 32 << 20);
    assert_true(mem_stats_read().allocated >= before + (32 << 20));
    arena_free(arena, block, 32 << 20);
    assert_true(mem_stats_read().allocated < before + (32 << 20));
    mem_purge();
    assert_memory_equal(mem_allocator_name(), "jemalloc-", 9);
    arena_free_all(&arena);
#endif
}

#ifndef SHOAL_SYSTEM_MALLOC

enum { RETURNED_BLOCKS = 4096, RETURNED_BLOCK_BYTES = 16 * 1024, RETURN_SECONDS = 120 };

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* In place of the clock and the sleep of the allocator's threads: a piece takes half of what they
 * may do before they rest nine times as long. */
enum { PIECE_BYTES = 256 * 1024, PIECE_NS = 100 * 1000, REST_NS = 9 * 2 * PIECE_NS };
static _Atomic unsigned rests, wrong_rests;

uint64_t __wrap_clock_thread_cpu_ns(void);
uint64_t __wrap_clock_thread_cpu_ns(void)
{
    static __thread uint64_t own_ns;
    return own_ns += PIECE_NS;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left_unused)
{
    (void)left_unused;
    atomic_fetch_add(&rests, 1);
    atomic_fetch_add(&wrong_rests, wanted->tv_sec != 0 || wanted->tv_nsec != REST_NS);
    return 0;
}

static void fill(struct arena *arena, char *block[RETURNED_BLOCKS])
{
    for (int i = 0; i < RETURNED_BLOCKS; i++) {
        block[i] = arena_alloc(arena, RETURNED_BLOCK_BYTES);
        memset(block[i], 1, RETURNED_BLOCK_BYTES);
    }
}

static void empty(struct arena *arena, char *block[RETURNED_BLOCKS])
{
    for (int i = 0; i < RETURNED_BLOCKS; i++)
        arena_free(arena, block[i], RETURNED_BLOCK_BYTES);
}
#endif

/* 64 MB: at once when somebody asks for it, by itself in pieces with rests between them. */
static void pages_return_a_little_at_a_time(void **state)
{
    (void)state;
#ifdef SHOAL_SYSTEM_MALLOC
    skip();
#else
    enum {
        RETURNED_BYTES = RETURNED_BLOCKS * RETURNED_BLOCK_BYTES,
        WANTED = RETURNED_BYTES / 4 * 3
    };
    static char *block[RETURNED_BLOCKS];
    struct arena *arena = arena_new();

    fill(arena, block);
    size_t full = resident_bytes();
    empty(arena, block);
    mem_purge();
    assert_true(resident_bytes() + WANTED < full);
    assert_int_equal(rests, 0);

    mem_return_in_background();
    fill(arena, block);
    full = resident_bytes();
    empty(arena, block);
    for (int i = 0; i < RETURN_SECONDS * 100 && resident_bytes() + WANTED > full; i++)
        usleep(10 * 1000);
    assert_true(resident_bytes() + WANTED <= full);
    print_message("%u rests\n", atomic_load(&rests));
    assert_true(atomic_load(&rests) >= WANTED / PIECE_BYTES / 2);
    assert_int_equal(atomic_load(&wrong_rests), 0);
    arena_free_all(&arena);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_sizes_are_the_allocators),
        cmocka_unit_test(a_class_index_stands_for_its_size),
        cmocka_unit_test(memory_is_aligned_and_writable),
        cmocka_unit_test(an_arena_made_at_startup_serves_its_thread),
        cmocka_unit_test(statistics_see_what_is_allocated),
        cmocka_unit_test(pages_return_a_little_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
