/*
 * test_blob.c - owners, readers and capacity.
 */
#include "shoal/store/value/blob.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void capacity_is_all_of_the_allocation(void **state)
{
    struct arena *arena = *state;
    for (size_t size = 1; size < 200000; size += 1 + size / 3) {
        struct blob *blob = blob_new(arena, size, size);
        assert_int_equal(blob->size, size);
        assert_true(blob->capacity >= size);
        assert_int_equal(blob_footprint(blob), mem_class_size(blob_footprint(blob)));
        memset(blob->data, 7, blob->capacity);
        blob_disown(blob);
    }
}

static void it_lives_until_its_readers_have_gone(void **state)
{
    struct arena *arena = *state;
    struct blob *blob = blob_new(arena, 5, 100);
    memcpy(blob->data, "hello", 5);
    assert_false(blob_shared(blob));
    blob_read(blob);
    blob_read(blob);
    assert_true(blob_shared(blob));
    blob_disown(blob);
    assert_int_equal(arena_lingering(arena), blob_footprint(blob));
    blob_unread(blob);
    assert_memory_equal(blob->data, "hello", 5);
    assert_int_equal(arena_lingering(arena), blob_footprint(blob));
    blob_unread(blob);
    assert_int_equal(arena_lingering(arena), 0);
}

static void what_an_item_owns_does_not_linger(void **state)
{
    struct arena *arena = *state;
    struct blob *blob = blob_new(arena, 5, 100);
    blob_read(blob);
    blob_own(blob);
    blob_disown(blob);
    assert_int_equal(arena_lingering(arena), 0);
    blob_unread(blob);
    assert_false(blob_shared(blob));
    blob_disown(blob);
    assert_int_equal(arena_lingering(arena), 0);
}

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    struct arena *arena = *state;
    arena_free_all(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_all_of_the_allocation),
        cmocka_unit_test(it_lives_until_its_readers_have_gone),
        cmocka_unit_test(what_an_item_owns_does_not_linger),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
