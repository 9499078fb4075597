/*
 * test_must.c - a broken assertion says where and what, and ends the process.
 */
#include "shoal/base/must.h"

#include "support/child.h"

#include <stdio.h>
#include <string.h>

static void break_must(void)
{
    must(1 + 1 == 3);
}

static void break_with_long_text(void)
{
    static char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    must_failed(text, "file.c", 7);
}

static void break_nothing(void)
{
    must(1 + 1 == 2);
}

static void it_says_where_and_what(void **state)
{
    (void)state;
    char said[4096];
    int status = child_run(break_must, STDERR_FILENO, said, sizeof(said));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_ptr_equal(strstr(said, "must(1 + 1 == 3) failed at "), said);
    assert_non_null(strstr(said, "test_must.c:"));
    assert_int_equal(said[strlen(said) - 1], '\n');
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char said[4096];
    int status = child_run(break_with_long_text, STDERR_FILENO, said, sizeof(said));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(strlen(said), 511);
}

static void what_holds_goes_on(void **state)
{
    (void)state;
    char said[4096];
    int status = child_run(break_nothing, STDERR_FILENO, said, sizeof(said));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_CAME_BACK);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_where_and_what),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(what_holds_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
