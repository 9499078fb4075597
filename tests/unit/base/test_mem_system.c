/*
 * test_mem_system.c - with the C library's malloc every small alignment works, and leaks count.
 */
#include "shoal/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* posix_memalign() refuses those below a pointer's. */
static void alignments_may_be_below_a_pointers(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *memory = arena_alloc_aligned(arena, 10, align);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % align, 0);
        arena_free_aligned(arena, memory, 10, align);
    }
    arena_free_all(&arena);
}

static void what_is_left_counts_as_a_leak(void **state)
{
    (void)state;
    assert_true(mem_is_checked());
    assert_int_equal(mem_stats_read().allocated, 0);
}

static void freeing_needs_no_pace(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    arena_pace_begin(arena, 1000, 4096);
    assert_true(arena_may_free_more(arena, 1000, 4096));
    assert_int_equal(arena_active_bytes(arena), 0);
    arena_free_all(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alignments_may_be_below_a_pointers),
        cmocka_unit_test(what_is_left_counts_as_a_leak),
        cmocka_unit_test(freeing_needs_no_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
