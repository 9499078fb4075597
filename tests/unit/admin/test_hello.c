/*
 * test_hello.c - HELLO changes protocol, password and name: all that is asked for, or nothing.
 */
#include "support/row_harness.h"

static void says_who_it_is(void **state)
{
    (void)state;
    assert_string_equal(row_run("HELLO"),
                        "*14 $6 server $5 redis $7 version $5 7.4.0 $5 proto :2 $2 id :1 "
                        "$4 mode $10 standalone $4 role $6 master $7 modules *0");
}

/* The reply is in the new protocol already. */
static void changes_the_protocol(void **state)
{
    (void)state;
    assert_int_equal(strncmp(row_run("HELLO 3"), "%7 $6 server ", 13), 0);
    assert_int_equal(admin->conn.proto, PROTO_RESP3);
    assert_int_equal(strncmp(row_run("HELLO"), "%7 $6 server ", 13), 0);
    assert_int_equal(strncmp(row_run("HELLO 2"), "*14 $6 server ", 14), 0);
    assert_int_equal(admin->conn.proto, PROTO_RESP2);
}

static void refuses_other_versions(void **state)
{
    (void)state;
    assert_string_equal(row_run("HELLO 4"), "-NOPROTO unsupported protocol version");
    assert_string_equal(row_run("HELLO x"),
                        "-ERR Protocol version is not an integer or out of range");
    assert_int_equal(admin->conn.proto, PROTO_RESP2);
}

static void needs_the_password(void **state)
{
    (void)state;
    strcpy(admin_settings(admin)->requirepass, "pw");
    admin->conn.flags = CONN_UNAUTHENTICATED;
    assert_non_null(strstr(row_run("HELLO 3"), "-NOAUTH HELLO must be called with the client"));
    assert_non_null(strstr(row_run("HELLO 3 AUTH default wrong SETNAME n"), "-WRONGPASS "));
    assert_int_equal(admin->conn.flags, CONN_UNAUTHENTICATED);
    assert_int_equal(admin->conn.proto, PROTO_RESP2);
    assert_null(admin->conn.name);
    assert_int_equal(row_run("HELLO 3 SETNAME n AUTH default pw")[0], '%');
    assert_int_equal(admin->conn.flags, 0);
    assert_string_equal(admin->conn.name, "n");
}

static void an_option_that_is_wrong_changes_nothing(void **state)
{
    (void)state;
    assert_string_equal(row_run("HELLO 3 SETNAME n NOSUCH"),
                        "-ERR Syntax error in HELLO option 'NOSUCH'");
    assert_string_equal(row_run("HELLO 3 AUTH default"),
                        "-ERR Syntax error in HELLO option 'AUTH'");
    assert_non_null(strstr(row_run("HELLO 3 SETNAME a\tb"), "-ERR Client names cannot"));
    assert_int_equal(admin->conn.proto, PROTO_RESP2);
    assert_null(admin->conn.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(says_who_it_is),
        ROW_TEST(changes_the_protocol),
        ROW_TEST(refuses_other_versions),
        ROW_TEST(needs_the_password),
        ROW_TEST(an_option_that_is_wrong_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
