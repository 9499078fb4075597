/*
 * test_print.c - --help names every option and fits into 80 columns.
 */
#include "shoal/options/print.h"

#include "capture.h"
#include "shoal/options/actions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_help(void **state)
{
    (void)state;
    capture(options_print_help);
    names_every_option("--%s ");
    for (int i = 0; i < option_row_count; i++)
        assert_non_null(strstr(text, option_rows[i].group));
    assert_non_null(strstr(text, "-p, --port N"));
    assert_non_null(strstr(text, "[6379]"));
    assert_non_null(strstr(text, "--threads)"));
    for (int i = 0; i < option_action_count; i++)
        if (option_actions[i].shown != NULL)
            assert_non_null(strstr(text, option_actions[i].shown));
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (end - line > 80)
            fail_msg("too wide: %.*s", (int)(end - line), line);
    }
}

static void test_version(void **state)
{
    (void)state;
    capture(options_print_version);
    assert_int_equal(
        strncmp(text, "shoal " SHOAL_VERSION " (", strlen("shoal " SHOAL_VERSION " (")), 0);
    assert_string_equal(strchr(text, '\n'), "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
