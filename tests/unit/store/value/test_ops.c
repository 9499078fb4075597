/*
 * test_ops.c - the server's list of types.
 */
#include "shoal/store/value/ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Whatever can be an object has all functions. */
static void every_type_is_whole(void **state)
{
    (void)state;
    assert_string_equal(value_types[TYPE_STRING]->name, "string");
    for (int type = TYPE_STRING + 1; type < VALUE_TYPES_MAX; type++) {
        const struct value_ops *ops = value_types[type];
        if (ops == NULL)
            continue;
        assert_non_null(ops->name);
        assert_true(ops->encoding != NULL && ops->footprint != NULL && ops->copy != NULL);
        assert_true(ops->free != NULL && ops->move != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
