/*
 * test_tracking.c - client-side caching is off and cannot be turned on.
 */
#include "support/row_harness.h"

static void tracking(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT TRACKING off"), "+OK");
    assert_non_null(
        strstr(row_run("CLIENT TRACKING ON"), "-ERR CLIENT TRACKING ON is not supported"));
    assert_non_null(
        strstr(row_run("CLIENT TRACKING ON BCAST"), "-ERR CLIENT TRACKING ON is not supported"));
    assert_string_equal(row_run("CLIENT TRACKING OFF BCAST"), "-ERR syntax error");
    assert_string_equal(row_run("CLIENT TRACKING perhaps"), "-ERR syntax error");
}

static void state_is_off(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLIENT TRACKINGINFO"),
                        "*6 $5 flags *1 $3 off $8 redirect :-1 $8 prefixes *0");
    admin->conn.proto = PROTO_RESP3;
    assert_string_equal(row_run("CLIENT TRACKINGINFO"),
                        "%3 $5 flags ~1 $3 off $8 redirect :-1 $8 prefixes *0");
    assert_string_equal(row_run("CLIENT GETREDIR"), ":-1");
}

static void caching_is_refused(void **state)
{
    (void)state;
    assert_non_null(
        strstr(row_run("CLIENT CACHING YES"),
               "-ERR CLIENT CACHING can be called only when the client is in tracking"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(tracking),
        ROW_TEST(state_is_off),
        ROW_TEST(caching_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
