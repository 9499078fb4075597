/*
 * test_function.c - FUNCTION and SCRIPT answer truthfully that there are none.
 */
#include "support/row_harness.h"

static void flush(void **state)
{
    (void)state;
    assert_string_equal(row_run("FUNCTION FLUSH"), "+OK");
    assert_string_equal(row_run("FUNCTION FLUSH async"), "+OK");
    assert_string_equal(row_run("SCRIPT FLUSH SYNC"), "+OK");
    assert_string_equal(row_run("FUNCTION FLUSH now"),
                        "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
    assert_string_equal(row_run("script FLUSH SYNC now"),
                        "-ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    assert_string_equal(row_run("FUNCTION FLUSH SYNC now"),
                        "-ERR unknown subcommand or wrong number of arguments for 'FLUSH'. "
                        "Try FUNCTION HELP.");
}

static void nothing_runs(void **state)
{
    (void)state;
    assert_string_equal(row_run("FUNCTION KILL"), "-NOTBUSY No scripts in execution right now.");
    assert_string_equal(row_run("SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.");
    assert_string_equal(row_run("FUNCTION STATS"), "*4 $14 running_script $-1 $7 engines *0");
}

static void list(void **state)
{
    (void)state;
    assert_string_equal(row_run("FUNCTION LIST"), "*0");
    assert_string_equal(row_run("FUNCTION LIST WITHCODE LIBRARYNAME x*"), "*0");
    assert_string_equal(row_run("FUNCTION LIST LIBRARYNAME"),
                        "-ERR library name argument was not given");
    assert_string_equal(row_run("FUNCTION LIST WHAT"), "-ERR Unknown argument WHAT");
    assert_string_equal(row_run("FUNCTION LIST LIBRARYNAME x LIBRARYNAME"),
                        "-ERR Unknown argument LIBRARYNAME");
    assert_string_equal(row_run("FUNCTION LIST WITHCODE LIBRARYNAME x withcode"),
                        "-ERR Unknown argument withcode");
}

static void exists(void **state)
{
    (void)state;
    assert_string_equal(row_run("SCRIPT EXISTS abc def"), "*2 :0 :0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(flush),
        ROW_TEST(nothing_runs),
        ROW_TEST(list),
        ROW_TEST(exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
