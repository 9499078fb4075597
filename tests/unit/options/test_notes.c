/*
 * test_notes.c - the warnings and the ignored directives of one load.
 */
#include "shoal/options/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)state;
    options_notes_clear();
    return 0;
}

static int warning_count(void)
{
    int count = 0;
    while (options_warnings()[count] != NULL)
        count++;
    return count;
}

static void warnings_are_kept_in_order(void **state)
{
    (void)state;
    assert_int_equal(warning_count(), 0);
    options_warn("shards %d: too many", 9);
    options_warn("second");
    assert_int_equal(warning_count(), 2);
    assert_string_equal(options_warnings()[0], "shards 9: too many");
    assert_string_equal(options_warnings()[1], "second");
}

static void a_directive_is_named_once(void **state)
{
    (void)state;
    assert_string_equal(options_ignored(), "");
    options_note_ignored("no-save");
    options_note_ignored("save");
    options_note_ignored("save-all");
    options_note_ignored("save");
    options_note_ignored("no-save");
    assert_string_equal(options_ignored(), "no-save, save, save-all");
}

static void the_next_load_starts_anew(void **state)
{
    (void)state;
    options_warn("old");
    options_note_ignored("old");
    options_notes_clear();
    assert_int_equal(warning_count(), 0);
    assert_string_equal(options_ignored(), "");
    options_warn("new");
    assert_string_equal(options_warnings()[0], "new");
    assert_int_equal(warning_count(), 1);
}

/* Beyond the limits the rest is not shown, and nothing is overwritten. */
static void what_is_too_much_is_left_out(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 1000; i++) {
        options_warn("%d", i);
        snprintf(name, sizeof(name), "directive-%d", i);
        options_note_ignored(name);
    }
    assert_int_equal(warning_count(), 32);
    assert_string_equal(options_warnings()[31], "31");
    assert_true(strlen(options_ignored()) < 8 * 1024);
    assert_non_null(strstr(options_ignored(), "directive-500, "));
    assert_null(strstr(options_ignored(), "directive-999"));
    options_warn("%01000d", 0);
    options_notes_clear();
    options_warn("%01000d", 0);
    assert_int_equal(strlen(options_warnings()[0]), 319);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(warnings_are_kept_in_order, set_up),
        cmocka_unit_test_setup(a_directive_is_named_once, set_up),
        cmocka_unit_test_setup(the_next_load_starts_anew, set_up),
        cmocka_unit_test_setup(what_is_too_much_is_left_out, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
