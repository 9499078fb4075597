/*
 * test_mem_jemalloc.c - size classes and statistics are those of jemalloc.
 */
#include "shoal/base/mem.h"

#include <jemalloc/jemalloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void class_sizes_are_the_allocators(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 70000; size++)
        assert_int_equal(mem_class_size(size), nallocx(size, 0));
    for (size_t size = 70000; size < (size_t)1 << 33; size += size / 37) {
        assert_int_equal(mem_class_size(size), nallocx(size, 0));
    }
}

static void statistics_see_what_is_allocated(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    uint64_t before = mem_stats_read().allocated;
    void *block = arena_alloc(arena, 32 << 20);
    assert_true(mem_stats_read().allocated >= before + (32 << 20));
    arena_free(arena, block, 32 << 20);
    assert_true(mem_stats_read().allocated < before + (32 << 20));
    mem_purge();
    assert_memory_equal(mem_allocator_name(), "jemalloc-", 9);
    arena_free_all(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_sizes_are_the_allocators),
        cmocka_unit_test(statistics_see_what_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
