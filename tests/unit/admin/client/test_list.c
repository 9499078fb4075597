/*
 * test_list.c - CLIENT LIST puts the lines of all reactors together; CLIENT INFO is one's own.
 */
#include "support/row_harness.h"

static struct conn other, third;

static int setup(void **state)
{
    row_setup(state);
    admin_conn_init(admin, &other, 1, 2);
    admin_conn_init(admin, &third, 1, 3);
    return 0;
}

static uint32_t lines(const char *text)
{
    uint32_t count = 0;
    for (; (text = strstr(text, "id=")) != NULL; text++)
        count++;
    return count;
}

static void all_reactors(void **state)
{
    (void)state;
    const char *text = row_run("CLIENT LIST");
    assert_int_equal(text[0], '$');
    assert_int_equal(lines(text), 3);
    assert_non_null(strstr(text, " id=1 "));
    assert_non_null(strstr(text, " shard=0 id=3 "));
    assert_non_null(strstr(text, " shard=1 id=2 "));
}

static void chosen_ones(void **state)
{
    (void)state;
    const char *text = row_run("CLIENT LIST ID 3 1 77");
    assert_int_equal(lines(text), 2);
    assert_null(strstr(text, "id=2 "));
    assert_int_equal(lines(row_run("CLIENT LIST TYPE normal")), 3);
    assert_string_equal(row_run("CLIENT LIST TYPE pubsub"), "$0 ");
    assert_string_equal(row_run("CLIENT LIST TYPE what"), "-ERR Unknown client type 'what'");
}

static void info(void **state)
{
    (void)state;
    const char *text = row_run("CLIENT INFO");
    assert_int_equal(lines(text), 1);
    assert_non_null(strstr(text, " id=1 "));
}

#define LIST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, admin_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(all_reactors),
        LIST_TEST(chosen_ones),
        LIST_TEST(info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
