/*
 * test_debug.c - DEBUG: refused unless allowed, and one value of every type.
 */
#include "support/row_harness.h"

#include <sys/socket.h>
#include <unistd.h>

static int setup(void **state)
{
    row_setup(state);
    admin_settings(admin)->enable_debug_command = ACCESS_YES;
    return 0;
}

static void refused_unless_allowed(void **state)
{
    (void)state;
    admin_settings(admin)->enable_debug_command = ACCESS_NO;
    assert_non_null(strstr(row_run("DEBUG SLEEP 0"), "-ERR DEBUG command not allowed."));
    assert_non_null(strstr(row_run("DEBUG HELP"), "-ERR DEBUG command not allowed."));
}

/* That a peer on another host is refused cannot be shown on one host. */
static void allowed_over_a_unix_socket(void **state)
{
    int pair[2];
    (void)state;
    admin_settings(admin)->enable_debug_command = ACCESS_LOCAL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    admin->conn.fd = pair[0];
    assert_string_equal(row_run("DEBUG SLEEP 0"), "+OK");
    close(pair[0]);
    close(pair[1]);
}

static void values_of_every_type(void **state)
{
    (void)state;
    admin->conn.proto = PROTO_RESP3;
    assert_string_equal(row_run("DEBUG PROTOCOL string"), "$11 Hello World");
    assert_string_equal(row_run("DEBUG PROTOCOL integer"), ":12345");
    assert_string_equal(row_run("DEBUG PROTOCOL double"), ",3.141");
    assert_string_equal(row_run("DEBUG PROTOCOL null"), "_");
    assert_string_equal(row_run("DEBUG PROTOCOL true"), "#t");
    assert_string_equal(row_run("DEBUG PROTOCOL False"), "#f");
    assert_string_equal(row_run("DEBUG PROTOCOL array"), "*3 :0 :1 :2");
    assert_string_equal(row_run("DEBUG PROTOCOL set"), "~3 :0 :1 :2");
    assert_string_equal(row_run("DEBUG PROTOCOL map"), "%3 :0 #f :1 #t :2 #f");
    assert_string_equal(row_run("DEBUG PROTOCOL verbatim"), "=29 txt:This is a verbatim string");
    assert_string_equal(row_run("DEBUG PROTOCOL bignum"), "(1234567999999999999999999999999999999");
    assert_string_equal(row_run("DEBUG PROTOCOL attrib"),
                        "|1 $14 key-popularity *2 $7 key:123 :90 "
                        "$39 Some real reply following the attribute");
    assert_string_equal(row_run("DEBUG PROTOCOL push"),
                        ">2 $16 server-cpu-usage :42 $40 Some real reply following the push reply");
    admin->conn.proto = PROTO_RESP2;
    assert_string_equal(row_run("DEBUG PROTOCOL bignum"),
                        "$37 1234567999999999999999999999999999999");
    assert_string_equal(row_run("DEBUG PROTOCOL attrib"),
                        "$39 Some real reply following the attribute");
    assert_string_equal(row_run("DEBUG PROTOCOL push"),
                        "-ERR RESP2 is not supported by this command");
}

static void the_sweep_is_switched_on_every_shard(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool off;
    } steps[] = {
        { "DEBUG SET-ACTIVE-EXPIRE 0", true },
        { "DEBUG SLEEP 0", true },
        { "debug set-active-expire 1", false },
    };
    for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]); n++) {
        assert_string_equal(row_run(steps[n].line), "+OK");
        for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
            assert_int_equal(admin_reactor(admin, i)->keyspace->sweep_off, steps[n].off);
    }
}

static void errors_and_sleep(void **state)
{
    (void)state;
    assert_string_equal(row_run("DEBUG ERROR MINE!"), "-MINE!");
    assert_string_equal(row_run("DEBUG SLEEP 0"), "+OK");
    assert_string_equal(row_run("DEBUG SLEEP -1"), "-ERR value is not a valid float");
    assert_string_equal(row_run("DEBUG SLEEP 3601"), "-ERR value is not a valid float");
    assert_string_equal(row_run("DEBUG SLEEP x"), "-ERR value is not a valid float");
}

static void unknown_words(void **state)
{
    (void)state;
    const char *error =
        "-ERR unknown subcommand or wrong number of arguments for 'nosuch'. Try DEBUG HELP.";
    assert_string_equal(row_run("DEBUG nosuch"), error);
    assert_string_equal(row_run("DEBUG nosuch x"), error);
    assert_non_null(strstr(row_run("DEBUG SLEEP"), "for 'SLEEP'. Try DEBUG HELP."));
    assert_non_null(strstr(row_run("DEBUG PROTOCOL what"), "for 'PROTOCOL'. Try DEBUG HELP."));
}

static void help(void **state)
{
    (void)state;
    const char *text = row_run("DEBUG HELP");
    assert_int_equal(strncmp(text, "*13 +DEBUG <subcommand> ", 24), 0);
    assert_non_null(strstr(text, " +HELP +    This text."));
}

#define DEBUG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, admin_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEBUG_TEST(refused_unless_allowed),
        DEBUG_TEST(allowed_over_a_unix_socket),
        DEBUG_TEST(values_of_every_type),
        DEBUG_TEST(errors_and_sleep),
        DEBUG_TEST(unknown_words),
        DEBUG_TEST(help),
        DEBUG_TEST(the_sweep_is_switched_on_every_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
