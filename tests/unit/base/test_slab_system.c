/*
 * test_slab_system.c - without jemalloc there is no view of the slabs.
 */
#include "shoal/base/slab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void there_is_no_view(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    assert_false(slabs_available());
    assert_null(slabs_new(arena));
    arena_free_all(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_no_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
