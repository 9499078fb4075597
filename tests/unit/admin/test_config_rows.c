/*
 * test_config_rows.c - CONFIG GET and what is refused. That CONFIG SET reaches every reactor is shown in
 * tests/unit/server/test_settings.c and end to end.
 */
#include "support/row_harness.h"

static void get(void **state)
{
    (void)state;
    assert_string_equal(row_run("CONFIG GET databases"), "*2 $9 databases $2 16");
    assert_string_equal(row_run("CONFIG GET DataBases"), "*2 $9 databases $2 16");
    assert_string_equal(row_run("CONFIG GET nosuch*"), "*0");
    admin->conn.proto = PROTO_RESP3;
    assert_string_equal(row_run("CONFIG GET databases"), "%1 $9 databases $2 16");
}

/* An option that two patterns match is there once. */
static void get_without_repeating(void **state)
{
    (void)state;
    const char *text = row_run("CONFIG GET databases dat* port");
    assert_string_equal(text, "*4 $9 databases $2 16 $4 port $4 7000");
}

static void set_takes_pairs(void **state)
{
    (void)state;
    assert_string_equal(row_run("CONFIG SET databases 3 port"), "-ERR syntax error");
    assert_int_equal(admin_settings(admin)->databases, 16);
}

static void rewrite_is_refused(void **state)
{
    (void)state;
    assert_string_equal(row_run("CONFIG REWRITE"),
                        "-ERR The server is running without a config file");
    strcpy(admin_settings(admin)->config_file, "/etc/shoal.conf");
    assert_non_null(strstr(row_run("CONFIG REWRITE"), "-ERR CONFIG REWRITE is not available"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(get),
        ROW_TEST(get_without_repeating),
        ROW_TEST(set_takes_pairs),
        ROW_TEST(rewrite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
