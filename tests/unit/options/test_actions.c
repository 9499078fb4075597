/*
 * test_actions.c - what may be asked for besides values, and that no option is in its way.
 */
#include "shoal/options/actions.h"

#include "shoal/options/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_action_is_found_by_its_name_and_letter(void **state)
{
    (void)state;
    assert_int_equal(option_action_find(bytes_str("config"))->kind, ACTION_CONFIG);
    assert_int_equal(option_action_find(bytes_str("check-config"))->kind, ACTION_CHECK);
    assert_int_equal(option_action_find(bytes_str("help"))->kind, ACTION_PRINT);
    assert_ptr_equal(option_action_find_letter('h'), option_action_find(bytes_str("help")));
    assert_ptr_equal(option_action_find_letter('v'), option_action_find(bytes_str("version")));
    assert_null(option_action_find(bytes_str("port")));
    assert_null(option_action_find_letter('p'));
    assert_null(option_action_find_letter('\0'));
}

static void no_option_has_the_name_of_an_action(void **state)
{
    (void)state;
    for (int i = 0; i < option_action_count; i++) {
        const struct option_action *action = &option_actions[i];
        assert_ptr_equal(option_action_find(bytes_str(action->name)), action);
        assert_null(option_find(bytes_str(action->name)));
        assert_int_equal(compat_find(bytes_str(action->name)), -1);
        assert_null(option_find_letter(action->letter));
        assert_int_equal(action->shown != NULL, action->help != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_is_found_by_its_name_and_letter),
        cmocka_unit_test(no_option_has_the_name_of_an_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
