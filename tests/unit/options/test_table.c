/*
 * test_table.c - the rows of the table of options, and their help texts.
 */
#include "shoal/options/table.h"

#include "shoal/options/find.h"
#include "shoal/store/evict/evict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_rows_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < option_row_count; i++) {
        const struct option *row = &option_rows[i];
        assert_ptr_equal(option_find(bytes_str(row->name)), row);
        assert_true(compat_find(bytes_str(row->name)) < 0);
        assert_true(row->alias == NULL || option_find(bytes_str(row->alias)) == row);
        assert_true(row->letter == '\0' || option_find_letter(row->letter) == row);
        assert_true(row->offset < sizeof(struct settings));
        assert_int_equal(row->type == OPTION_ENUM, row->word != NULL);
        assert_int_equal(row->type == OPTION_SPECIAL, row->parse != NULL);
        assert_int_equal(row->type == OPTION_SPECIAL, row->print != NULL);
        assert_true(row->help[strlen(row->help) - 1] != '.');
    }
}

static void what_has_no_effect_is_not_shown(void **state)
{
    (void)state;
    assert_true(option_is_shown(option_find(bytes_str("port"))));
    assert_false(option_is_shown(option_find(bytes_str("hz"))));
}

static void the_help_is_that_of_the_row(void **state)
{
    (void)state;
    char help[OPTION_TEXT_MAX];
    const struct option *row = option_find(bytes_str("loglevel"));
    option_help(row, help);
    assert_string_equal(help, row->help);
}

/* The words of maxmemory-policy are the store's. */
static void the_help_lists_every_policy(void **state)
{
    (void)state;
    char help[OPTION_TEXT_MAX];
    const struct option *row = option_find(bytes_str("maxmemory-policy"));
    option_help(row, help);
    char *rest = strchr(strstr(help, "fail):"), ' ');
    for (const struct evict_policy *policy = evict_policies; policy->name != NULL; policy++)
        assert_string_equal(strsep(&rest, ",") + 1, policy->name);
    assert_null(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(what_has_no_effect_is_not_shown),
        cmocka_unit_test(the_help_is_that_of_the_row),
        cmocka_unit_test(the_help_lists_every_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
