/*
 * test_client.c - CLIENT's sub-commands about one's own connection.
 */
#include "support/row_harness.h"

static void id(void **state)
{
    (void)state;
    admin->conn.id = 4711;
    assert_string_equal(row_run("CLIENT ID"), ":4711");
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT GETNAME"), "$-1");
    assert_string_equal(row_run("CLIENT SETNAME worker"), "+OK");
    assert_string_equal(row_run("CLIENT GETNAME"), "$6 worker");
    assert_non_null(strstr(row_run("CLIENT SETNAME a\tb"), "-ERR Client names cannot contain"));
    assert_string_equal(row_run("CLIENT GETNAME"), "$6 worker");
}

static void library(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT SETINFO LIB-NAME redis-py"), "+OK");
    assert_string_equal(row_run("CLIENT SETINFO lib-ver 5.0"), "+OK");
    assert_string_equal(admin->conn.lib_name, "redis-py");
    assert_string_equal(admin->conn.lib_version, "5.0");
    assert_string_equal(row_run("CLIENT SETINFO lib-what x"),
                        "-ERR Unrecognized option 'lib-what'");
}

static void switches(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT NO-EVICT on"), "+OK");
    assert_string_equal(row_run("CLIENT NO-TOUCH ON"), "+OK");
    assert_int_equal(admin->conn.flags, CONN_NO_EVICT | CONN_NO_TOUCH);
    assert_string_equal(row_run("CLIENT NO-EVICT OFF"), "+OK");
    assert_int_equal(admin->conn.flags, CONN_NO_TOUCH);
    assert_string_equal(row_run("CLIENT NO-TOUCH maybe"), "-ERR syntax error");
    assert_int_equal(admin->conn.flags, CONN_NO_TOUCH);
}

/* OFF and SKIP silence the request itself; ON is answered whatever was before. */
static void reply_modes(void **state)
{
    (void)state;
    row_run("CLIENT REPLY OFF");
    assert_int_equal(admin->conn.flags, CONN_REPLY_OFF);
    assert_int_equal(admin->request.flags, REQUEST_SILENT);
    row_run("CLIENT REPLY SKIP"); /* changes nothing while replies are off */
    assert_int_equal(admin->conn.flags, CONN_REPLY_OFF);
    assert_string_equal(row_run("CLIENT REPLY ON"), "+OK");
    assert_int_equal(admin->conn.flags, 0);
    assert_int_equal(admin->request.flags, 0);
    row_run("CLIENT REPLY SKIP");
    assert_int_equal(admin->conn.flags, CONN_REPLY_SKIP);
    assert_int_equal(admin->request.flags, REQUEST_SILENT);
    assert_string_equal(row_run("CLIENT REPLY perhaps"), "-ERR syntax error");
}

static void what_there_is_nothing_of(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT CAPA redirect"), "+OK");
    assert_string_equal(row_run("CLIENT UNBLOCK 3"), ":0");
    assert_string_equal(row_run("CLIENT UNBLOCK 3 TIMEOUT"), ":0");
    assert_string_equal(row_run("CLIENT UNBLOCK 3 error"), ":0");
    assert_string_equal(row_run("CLIENT UNBLOCK 3 never"),
                        "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    assert_string_equal(row_run("CLIENT UNBLOCK x"),
                        "-ERR value is not an integer or out of range");
    assert_string_equal(row_run("client unBlock 3 error 4"),
                        "-ERR unknown subcommand or wrong number of arguments for 'unBlock'. "
                        "Try CLIENT HELP.");
}

/* All of CLIENT can be asked during a pause: how else would it be ended? */
static void all_rows_run_while_paused(void **state)
{
    (void)state;
    const struct command *client = registry_find(bytes_str("client"));
    for (const struct command *sub = client->subs; sub->name != NULL; sub++)
        if (!(sub->flags & CMD_UNPAUSABLE))
            fail_msg("CLIENT %s would wait", sub->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(id),
        ROW_TEST(names),
        ROW_TEST(library),
        ROW_TEST(switches),
        ROW_TEST(reply_modes),
        ROW_TEST(what_there_is_nothing_of),
        ROW_TEST(all_rows_run_while_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
