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

/* ---- the pace of freeing ------------------------------------------------- */

enum { PIECE = 64 * 1024, PIECES = 2048, STRETCH = PIECE };

static void *piece[PIECES];

static void pieces_fill(struct arena *arena)
{
    for (int i = 0; i < PIECES; i++)
        piece[i] = arena_alloc(arena, PIECE);
}

/* Frees them while it may; how many. */
static int free_while_it_may(struct arena *arena, int from, int64_t now_ms)
{
    int freed = 0;
    arena_pace_begin(arena, now_ms, STRETCH);
    for (; from + freed < PIECES && arena_may_free_more(arena, now_ms, STRETCH); freed++)
        arena_free(arena, piece[from + freed], PIECE);
    return freed;
}

static void no_more_is_freed_at_one_go_than_is_returned(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    int64_t now_ms = 1000;
    pieces_fill(arena);
    assert_true(arena_active_bytes(arena) >= (uint64_t)PIECES * PIECE);
    int first = free_while_it_may(arena, 0, now_ms);
    assert_in_range(first, 400, 520);
    assert_int_equal(free_while_it_may(arena, first, now_ms), 0);
    assert_int_equal(free_while_it_may(arena, first, now_ms + 10), 0); /* not half of it yet */
    int second = free_while_it_may(arena, first, now_ms + 30);
    assert_in_range(second, 200, 400);
    int third = free_while_it_may(arena, first + second, now_ms + 2000);
    assert_in_range(third, 400, 520);
    for (int i = first + second + third; i < PIECES; i++)
        arena_free(arena, piece[i], PIECE);
    arena_free_all(&arena);
}

static void what_commands_free_and_take_is_no_part_of_it(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    pieces_fill(arena);
    assert_int_equal(free_while_it_may(arena, PIECES, 1000), 0);
    for (int i = 0; i < PIECES / 2; i++) /* between two times of background work */
        arena_free(arena, piece[i], PIECE);
    int freed = free_while_it_may(arena, PIECES / 2, 1001);
    assert_in_range(freed, 400, 520);
    for (int i = 0; i < PIECES / 2 + freed; i++) /* the free pages are used again */
        piece[i] = arena_alloc(arena, PIECE);
    assert_in_range(free_while_it_may(arena, 0, 1001), 400, 520);
    arena_free_all(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_sizes_are_the_allocators),
        cmocka_unit_test(statistics_see_what_is_allocated),
        cmocka_unit_test(no_more_is_freed_at_one_go_than_is_returned),
        cmocka_unit_test(what_commands_free_and_take_is_no_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
