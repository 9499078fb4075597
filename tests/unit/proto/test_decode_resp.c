/*
 * test_decode_resp.c - limits of requests in RESP.
 */
#include "unit/proto/decode_check.h"

static void many_arguments(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    char *data = malloc(COUNT * 16 + 16);
    size_t size = (size_t)sprintf(data, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++)
        size += (size_t)sprintf(data + size, "$5\r\n%05d\r\n", i);
    struct decoder d;
    decoder_init(&d);
    for (size_t arrived = 0; arrived < size; arrived += 1009)
        assert_int_equal(decode(&d, PROTO_RESP2, &usual, data, arrived), DECODE_MORE);
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, data, size), DECODE_OK);
    assert_int_equal(d.argc, COUNT);
    assert_arg(&d, 0, "00000");
    assert_arg(&d, COUNT - 1, "19999");
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, "PING\r\n", 6), DECODE_OK);
    assert_int_equal(d.argc, 1);
    assert_ptr_equal(d.args, d._inline); /* the big block went with its request */
    decoder_reset(&d);
    free(data);
}

static void limits_before_auth(void **state)
{
    (void)state;
    struct decoder d;
    decoder_init(&d);
    const char *ten = "*10\r\n", *most = "*1\r\n$16384\r\n";
    assert_int_equal(decode(&d, PROTO_RESP2, &before_auth, ten, strlen(ten)), DECODE_MORE);
    decoder_reset(&d);
    assert_int_equal(decode(&d, PROTO_RESP2, &before_auth, most, strlen(most)), DECODE_MORE);
    decoder_reset(&d);
    assert_bad(PROTO_RESP2, &before_auth, "*11\r\n", 5,
               "Protocol error: unauthenticated multibulk length");
    assert_bad(PROTO_RESP2, &before_auth, "*1\r\n$16385\r\n", 12,
               "Protocol error: unauthenticated bulk length");
    assert_bad(PROTO_RESP2, &before_auth, "*9999999999999\r\n", 16,
               "Protocol error: invalid multibulk length");
}

static void bulk_limit_is_the_callers(void **state)
{
    (void)state;
    const struct decode_limits small = { 10, DECODE_ARGS_MAX },
                               vast = { INT64_MAX, DECODE_ARGS_MAX };
    assert_bad(PROTO_RESP2, &small, "*1\r\n$11\r\n", 9, "Protocol error: invalid bulk length");
    const char *huge = "*2\r\n$4294967295\r\n";
    assert_bad(PROTO_RESP2, &vast, huge, strlen(huge), "Protocol error: too big request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_arguments),
        cmocka_unit_test(limits_before_auth),
        cmocka_unit_test(bulk_limit_is_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
