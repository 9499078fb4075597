/*
 * test_minmax.c - min() and max() evaluate once and keep the type that both fit.
 */
#include "shoal/base/minmax.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_smaller_and_the_larger(void **state)
{
    (void)state;
    int low = -3, high = 5;
    assert_int_equal(min(low, high), -3);
    assert_int_equal(min(high, low), -3);
    assert_int_equal(max(low, high), 5);
    assert_int_equal(max(high, low), 5);
    assert_int_equal(max(min(high, 100), 7), 7);
}

static void the_type_is_that_of_both(void **state)
{
    (void)state;
    uint64_t large = UINT64_MAX;
    uint8_t small = 200;
    assert_true(max(large, 1) == UINT64_MAX);
    assert_true(max(small, large) == UINT64_MAX);
    assert_true(min(small, large) == 200);
    assert_true(min(INT64_MAX, 7) == 7);
}

static void each_argument_is_evaluated_once(void **state)
{
    (void)state;
    int calls = 0, other = 10;
    assert_int_equal(min(++calls, other), 1);
    assert_int_equal(max(++calls, other), 10);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_and_the_larger),
        cmocka_unit_test(the_type_is_that_of_both),
        cmocka_unit_test(each_argument_is_evaluated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
