/*
 * test_proto.c - the protocol is known from four bytes.
 */
#include "shoal/proto/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void detects_the_protocol(void **state)
{
    (void)state;
    assert_int_equal(proto_detect("", 0), PROTO_UNKNOWN);
    assert_int_equal(proto_detect("*1\r", 3), PROTO_UNKNOWN);
    assert_int_equal(proto_detect("*1\r\n", 4), PROTO_RESP2);
    assert_int_equal(proto_detect("PING", 4), PROTO_RESP2);
    assert_int_equal(proto_detect("\r\n\r\n", 4), PROTO_RESP2);
    assert_int_equal(proto_detect("\t\t\t\t", 4), PROTO_RESP2);
    assert_int_equal(proto_detect("\x09\0\0\0\1", 5), PROTO_NATIVE);
    assert_int_equal(proto_detect("\xff\xff\xff\x07", 4), PROTO_NATIVE);
    assert_int_equal(proto_detect("\0\0\0\0", 4), PROTO_NATIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detects_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
