/*
 * test_categories.c - the categories of rows of each kind.
 */
#include "shoal/cmd/categories.h"
#include "support/cmd_harness.h"

static uint32_t of(const char *name)
{
    return registry_find(bytes_str(name))->categories;
}

static void they_follow_flags_route_and_group(void **state)
{
    (void)state;
    assert_int_equal(of("get"), CATEGORY_READ | CATEGORY_STRING | CATEGORY_FAST);
    assert_int_equal(of("set"), CATEGORY_WRITE | CATEGORY_STRING | CATEGORY_SLOW);
    assert_int_equal(of("setbit"), CATEGORY_WRITE | CATEGORY_BITMAP | CATEGORY_SLOW);
    assert_int_equal(of("del"), CATEGORY_WRITE | CATEGORY_KEYSPACE | CATEGORY_SLOW);
    assert_int_equal(of("dbsize"), CATEGORY_READ | CATEGORY_KEYSPACE | CATEGORY_FAST);
    assert_int_equal(of("flushall"),
                     CATEGORY_WRITE | CATEGORY_KEYSPACE | CATEGORY_DANGEROUS | CATEGORY_SLOW);
    assert_int_equal(of("object"), CATEGORY_SLOW); /* a container */
}

static void of_rows_of_other_rooms(void **state)
{
    (void)state;
    const struct command conn = { .group = "connection", .flags = CMD_FAST };
    const struct command multi = { .group = "transactions", .flags = CMD_ADMIN };
    assert_int_equal(command_categories(&conn), CATEGORY_CONNECTION | CATEGORY_FAST);
    assert_int_equal(command_categories(&multi),
                     CATEGORY_TRANSACTION | CATEGORY_ADMIN | CATEGORY_DANGEROUS | CATEGORY_SLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(they_follow_flags_route_and_group),
        HARNESS_TEST(of_rows_of_other_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
