/*
 * test_slab_jemalloc.c - what jemalloc says of its slabs agrees with what was allocated and freed.
 */
#include "shoal/base/must.h"
#include "shoal/base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 4096, SIZE = 80, PLACES = 256 /* of a slab of that class */ };

static struct arena *arena;
static struct slabs *slabs;
static void *block[BLOCKS];

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    slabs = slabs_new(arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    slabs_free(&slabs);
    arena_free_all(&arena);
    return 0;
}

/* Blocks in the order of their slabs, past the thread's cache. */
static void fill(void)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = slabs_alloc(slabs, SIZE);
        assert_non_null(block[i]);
        memset(block[i], (int)i, SIZE);
    }
}

static void release(unsigned first, unsigned step)
{
    for (unsigned i = first; i < BLOCKS; i += step) {
        slabs_release(slabs, block[i], SIZE);
        block[i] = NULL;
    }
}

static void there_is_a_view(void **state)
{
    (void)state;
    assert_true(slabs_available());
    assert_non_null(slabs);
}

static void a_full_slab_has_no_free_place(void **state)
{
    (void)state;
    struct slab_room room[2];
    fill();
    slabs_look(slabs, block + PLACES, 2, room);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(room[i].free, 0);
        assert_int_equal(room[i].places, PLACES);
        assert_int_equal(room[i].bytes / room[i].places, SIZE);
    }
    struct slab_class class = slabs_look_at_class(slabs, block[0]);
    assert_int_equal(class.places - class.free, BLOCKS);
    assert_true(class.free < PLACES);
    release(0, 1);
}

static void what_is_released_is_free_at_once(void **state)
{
    (void)state;
    struct slab_room room;
    fill();
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i % 8 != 0)
            slabs_release(slabs, block[i], SIZE);
    slabs_look(slabs, &block[PLACES], 1, &room);
    assert_int_equal(room.free, PLACES / 8 * 7);
    struct slab_class class = slabs_look_at_class(slabs, block[0]);
    assert_int_equal(class.places - class.free, BLOCKS / 8);
    struct slab_totals totals = slabs_totals(slabs);
    assert_true(totals.wasted_bytes >= BLOCKS / 8 * 7 * SIZE);
    for (unsigned i = 0; i < BLOCKS; i += 8) {
        slabs_release(slabs, block[i], SIZE);
        block[i] = NULL;
    }
    assert_true(slabs_totals(slabs).wasted_bytes < totals.wasted_bytes / 8);
}

static void new_blocks_go_into_the_slab_that_is_filled(void **state)
{
    (void)state;
    struct slab_room room;
    fill();
    release(1, 2);
    void *first = slabs_alloc(slabs, SIZE);
    for (int i = 0; i < 50; i++) {
        struct slab_class class = slabs_look_at_class(slabs, first);
        slabs_look(slabs, &first, 1, &room);
        void *next = slabs_alloc(slabs, SIZE);
        bool full = room.free == 0;
        assert_true(full || (uintptr_t)next - class.filling < room.bytes);
        slabs_release(slabs, first, SIZE);
        first = next;
    }
    slabs_release(slabs, first, SIZE);
    for (unsigned i = 0; i < BLOCKS; i += 2)
        slabs_release(slabs, block[i], SIZE);
}

static void a_large_block_has_pages_of_its_own(void **state)
{
    (void)state;
    struct slab_room room;
    void *large = arena_alloc(arena, 20000);
    slabs_look(slabs, &large, 1, &room);
    assert_int_equal(room.free, 0);
    assert_int_equal(room.places, 1);
    arena_free(arena, large, 20000);
}

static void active_bytes_follow_what_is_allocated(void **state)
{
    (void)state;
    uint64_t before = arena_active_bytes(arena);
    fill();
    uint64_t filled = arena_active_bytes(arena);
    assert_in_range(filled - before, BLOCKS * SIZE - 20480, BLOCKS * SIZE + 20480);
    assert_true(slabs_totals(slabs).allocated_bytes >= BLOCKS * SIZE);
    release(0, 1);
    assert_true(arena_active_bytes(arena) < before + 2 * 20480);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_is_a_view, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_slab_has_no_free_place, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_released_is_free_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(new_blocks_go_into_the_slab_that_is_filled, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_large_block_has_pages_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(active_bytes_follow_what_is_allocated, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
