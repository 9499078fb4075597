/*
 * test_kill.c - CLIENT KILL over two reactors: who is ended and what is answered.
 *
 * The caller alone is ended here: that others are shut down needs sockets and a ring, and is shown
 * end to end.
 */
#include "support/row_harness.h"

static void nobody_matches(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT KILL ID 99"), ":0");
    assert_string_equal(row_run("CLIENT KILL TYPE replica"), ":0");
    assert_string_equal(row_run("CLIENT KILL 127.0.0.1:1"), "-ERR No such client");
    assert_int_equal(admin->conn.flags, 0);
}

static void the_caller_is_left_alone_unless_told(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT KILL ID 1"), ":0");
    assert_int_equal(admin->conn.flags, 0);
}

/* Its reply is still to be sent: it closes after that. */
static void the_caller_closes_after_its_reply(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT KILL ID 1 SKIPME no"), ":1");
    assert_true(admin->conn.flags & CONN_CLOSING);
    assert_false(admin->conn.flags & CONN_DEAD);
}

/* The old form answers OK, and includes the caller. Without a socket the address is "?:0". */
static void by_address(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT KILL ?:0"), "+OK");
    assert_true(admin->conn.flags & CONN_CLOSING);
}

static void dead_ones_on_another_reactor_do_not_count(void **state)
{
    struct conn other;
    (void)state;
    admin_conn_init(admin, &other, 1, 2);
    other.flags = CONN_DEAD;
    assert_string_equal(row_run("CLIENT KILL ID 2"), ":0");
}

static void refusals(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT KILL ID 0"), "-ERR client-id should be greater than 0");
    assert_string_equal(row_run("CLIENT KILL ID 1 SKIPME"), "-ERR syntax error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(nobody_matches),
        ROW_TEST(the_caller_is_left_alone_unless_told),
        ROW_TEST(the_caller_closes_after_its_reply),
        ROW_TEST(by_address),
        ROW_TEST(dead_ones_on_another_reactor_do_not_count),
        ROW_TEST(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
