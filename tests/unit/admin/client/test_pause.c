/*
 * test_pause.c - CLIENT PAUSE on every reactor: neither made shorter nor weaker, until it ends.
 */
#include "support/row_harness.h"

static void assert_pause(int64_t until_ms, bool writes_only)
{
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        assert_int_equal(admin_reactor(admin, i)->router->pause.until_ms, until_ms);
        assert_int_equal(admin_reactor(admin, i)->router->pause.writes_only, writes_only);
        assert_int_equal(admin_reactor(admin, i)->keyspace->frozen, until_ms != 0);
    }
}

static void all_commands_or_writes(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT PAUSE 500 WRITE"), "+OK");
    assert_pause(100500, true);
    assert_string_equal(row_run("CLIENT PAUSE 500"), "+OK");
    assert_pause(100500, false);
}

static void never_shorter_nor_weaker(void **state)
{
    (void)state;
    row_run("CLIENT PAUSE 500 ALL");
    row_run("CLIENT PAUSE 100 WRITE");
    assert_pause(100500, false);
    row_run("CLIENT PAUSE 900 WRITE");
    assert_pause(100900, false);
}

/* One that is over counts no more. */
static void after_its_end(void **state)
{
    (void)state;
    row_run("CLIENT PAUSE 500 ALL");
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
        admin_reactor(admin, i)->now_ms += 500;
    row_run("CLIENT PAUSE 100 WRITE");
    assert_pause(100600, true);
}

static void unpause(void **state)
{
    (void)state;
    row_run("CLIENT PAUSE 500 ALL");
    assert_string_equal(row_run("CLIENT UNPAUSE"), "+OK");
    assert_pause(0, false);
}

static void refusals(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT PAUSE x"),
                        "-ERR timeout is not an integer or out of range");
    assert_string_equal(row_run("CLIENT PAUSE -1"), "-ERR timeout is negative");
    assert_string_equal(row_run("CLIENT PAUSE 9223372036854775807"),
                        "-ERR timeout is out of range");
    assert_string_equal(row_run("CLIENT PAUSE 5 SOME"),
                        "-ERR CLIENT PAUSE mode must be WRITE or ALL");
    assert_string_equal(row_run("CLIENT PAUSE 5 ALL x"),
                        "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. "
                        "Try CLIENT HELP.");
    assert_pause(0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(all_commands_or_writes),
        ROW_TEST(never_shorter_nor_weaker),
        ROW_TEST(after_its_end),
        ROW_TEST(unpause),
        ROW_TEST(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
