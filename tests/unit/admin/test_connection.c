/*
 * test_connection.c - PING, ECHO, QUIT, AUTH, SELECT, RESET and what a cluster's node is asked.
 */
#include "support/row_harness.h"

static void ping_and_echo(void **state)
{
    (void)state;
    assert_string_equal(row_run("PING"), "+PONG");
    assert_string_equal(row_run("PING hello"), "$5 hello");
    assert_string_equal(row_run("PING hello there"),
                        "-ERR wrong number of arguments for 'ping' command");
    assert_string_equal(row_run("ECHO hello"), "$5 hello");
}

static void quit_closes_after_its_reply(void **state)
{
    (void)state;
    assert_string_equal(row_run("QUIT"), "+OK");
    assert_true(admin->conn.flags & CONN_CLOSING);
    assert_false(admin->conn.flags & CONN_DEAD);
}

static void auth(void **state)
{
    (void)state;
    admin->conn.flags = CONN_UNAUTHENTICATED;
    assert_non_null(strstr(row_run("AUTH pw"), "-ERR AUTH <password> called without any"));
    strcpy(admin_settings(admin)->requirepass, "pw");
    assert_non_null(strstr(row_run("AUTH wrong"), "-WRONGPASS "));
    assert_non_null(strstr(row_run("AUTH somebody pw"), "-WRONGPASS "));
    assert_string_equal(row_run("AUTH default pw x"), "-ERR syntax error");
    assert_int_equal(admin->conn.flags, CONN_UNAUTHENTICATED);
    assert_string_equal(row_run("AUTH pw"), "+OK");
    assert_int_equal(admin->conn.flags, 0);
    assert_string_equal(row_run("AUTH default pw"), "+OK");
}

static void select_within_databases(void **state)
{
    (void)state;
    assert_string_equal(row_run("SELECT 15"), "+OK");
    assert_int_equal(admin->conn.db, 15);
    assert_string_equal(row_run("SELECT 16"), "-ERR DB index is out of range");
    assert_string_equal(row_run("SELECT -1"), "-ERR DB index is out of range");
    assert_string_equal(row_run("SELECT x"), "-ERR value is not an integer or out of range");
    assert_non_null(strstr(row_run("SELECT 4294967296"), "value must between"));
    assert_int_equal(admin->conn.db, 15);
}

static void reset(void **state)
{
    (void)state;
    strcpy(admin_settings(admin)->requirepass, "pw");
    row_run("CLIENT SETNAME worker");
    admin->conn.flags = CONN_REPLY_OFF | CONN_NO_EVICT | CONN_NO_TOUCH;
    admin->conn.db = 3;
    admin->conn.proto = PROTO_RESP3;
    admin->request.flags = REQUEST_SILENT;
    assert_string_equal(row_run("RESET"), "+RESET");
    assert_int_equal(admin->conn.flags, CONN_UNAUTHENTICATED);
    assert_int_equal(admin->conn.db, 0);
    assert_int_equal(admin->conn.proto, PROTO_RESP2);
    assert_int_equal(admin->request.flags, 0);
    assert_null(admin->conn.name);
}

/* The native protocol is decided by a connection's first bytes. */
static void reset_keeps_the_native_protocol(void **state)
{
    (void)state;
    admin->conn.proto = PROTO_NATIVE;
    row_run("RESET");
    assert_int_equal(admin->conn.proto, PROTO_NATIVE);
    assert_int_equal(admin->conn.flags, 0);
}

static void words_to_a_node_of_a_cluster(void **state)
{
    (void)state;
    assert_string_equal(row_run("READONLY"), "+OK");
    assert_string_equal(row_run("READWRITE"), "+OK");
    assert_string_equal(row_run("ASKING"), "+OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(ping_and_echo),
        ROW_TEST(quit_closes_after_its_reply),
        ROW_TEST(auth),
        ROW_TEST(select_within_databases),
        ROW_TEST(reset),
        ROW_TEST(reset_keeps_the_native_protocol),
        ROW_TEST(words_to_a_node_of_a_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
