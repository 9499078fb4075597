/*
 * test_decode_native.c - lengths and limits of native frames.
 */
#include "unit/proto/decode_check.h"

static void lengths_at_their_edges(void **state)
{
    (void)state;
    static const uint32_t bad[] = { 0, 1u << 27, 1u << 31, UINT32_MAX };
    char head[5] = { 0, 0, 0, 0, 1 };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memcpy(head, &bad[i], 4);
        assert_bad(PROTO_NATIVE, &usual, head, 5, "Protocol error: invalid frame length");
    }
    uint32_t most = (1u << 27) - 1;
    struct decoder d;
    decoder_init(&d);
    memcpy(head, &most, 4);
    assert_int_equal(decode(&d, PROTO_NATIVE, &usual, head, 5), DECODE_MORE);
    assert_int_equal(d.want, most + 4);
    decoder_reset(&d);
}

static void a_frame_takes_255_strings(void **state)
{
    (void)state;
    char frame[5 + 255 * 5];
    uint32_t length = sizeof(frame) - 4, one = 1;
    memcpy(frame, &length, 4);
    frame[4] = (char)255;
    for (int i = 0; i < 255; i++) {
        memcpy(frame + 5 + i * 5, &one, 4);
        frame[9 + i * 5] = (char)i;
    }
    struct decoder d;
    decoder_init(&d);
    for (size_t arrived = 0; arrived < sizeof(frame); arrived++)
        assert_int_equal(decode(&d, PROTO_NATIVE, &usual, frame, arrived), DECODE_MORE);
    assert_int_equal(decode(&d, PROTO_NATIVE, &usual, frame, sizeof(frame)), DECODE_OK);
    assert_int_equal(d.argc, 255);
    assert_int_equal(d.size, sizeof(frame));
    assert_int_equal((unsigned char)d.base[d.args[254].offset], 254);
    decoder_reset(&d);
}

static void limits_before_auth(void **state)
{
    (void)state;
    assert_bad(PROTO_NATIVE, &before_auth, "\xff\0\0\0\x0b", 5,
               "Protocol error: unauthenticated string count");
    assert_bad(PROTO_NATIVE, &before_auth, "\xff\xff\0\0\1\1\x40\0\0", 9,
               "Protocol error: unauthenticated string length");
}

static void string_limit_is_the_callers(void **state)
{
    (void)state;
    const struct decode_limits small = { 10, DECODE_ARGS_MAX };
    assert_bad(PROTO_NATIVE, &small, "\xff\0\0\0\1\x0b\0\0\0", 9,
               "Protocol error: invalid string length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_at_their_edges),
        cmocka_unit_test(a_frame_takes_255_strings),
        cmocka_unit_test(limits_before_auth),
        cmocka_unit_test(string_limit_is_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
