/*
 * test_blob.c - references and capacity.
 */
#include "shoal/store/blob.h"

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
        blob_unref(blob);
    }
}

static void it_lives_until_the_last_reference_goes(void **state)
{
    struct arena *arena = *state;
    struct blob *blob = blob_new(arena, 5, 100);
    memcpy(blob->data, "hello", 5);
    assert_false(blob_shared(blob));
    blob_ref(blob);
    blob_ref(blob);
    assert_true(blob_shared(blob));
    blob_unref(blob);
    assert_true(blob_shared(blob));
    blob_unref(blob);
    assert_false(blob_shared(blob));
    assert_memory_equal(blob->data, "hello", 5);
    blob_unref(blob);
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
        cmocka_unit_test(it_lives_until_the_last_reference_goes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
