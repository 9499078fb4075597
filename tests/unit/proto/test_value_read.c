/*
 * test_value_read.c - values in the native encoding are read back, one behind the other.
 */
#include "shoal/proto/value_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_kind_is_read_in_turn(void **state)
{
    (void)state;
    struct reply reply;
    char bytes[256];
    reply_init(&reply, PROTO_NATIVE, bytes, sizeof(bytes), NULL, 0);
    reply_nil(&reply);
    reply_int(&reply, -5);
    reply_str(&reply, bytes_str("text"));
    reply_error(&reply, "ERR why");
    struct native_value value = native_read(&reply, 0);
    assert_int_equal(value.type, NATIVE_NIL);
    value = native_read(&reply, value.end);
    assert_true(value.type == NATIVE_INTEGER && value.integer == -5);
    value = native_read(&reply, value.end);
    assert_true(value.type == NATIVE_TEXT && bytes_equal(value.text, bytes_str("text")));
    value = native_read(&reply, value.end);
    assert_true(value.type == NATIVE_ERROR && bytes_equal(value.text, bytes_str("ERR why")));
    assert_int_equal(value.end, reply.size);
    reply_fini(&reply);
}

static void a_pinned_text_stands_outside(void **state)
{
    (void)state;
    static const char large[20000] = "large";
    struct reply reply;
    reply_init(&reply, PROTO_NATIVE, NULL, 0, NULL, 0);
    reply_str(&reply, bytes_str("small"));
    assert_true(reply_str_pinned(&reply, bytes_of(large, sizeof(large)), &reply));
    reply_int(&reply, 7);
    struct native_value value = native_read(&reply, 0);
    assert_true(bytes_equal(value.text, bytes_str("small")));
    value = native_read(&reply, value.end);
    assert_true(value.text.data == large && value.text.size == sizeof(large));
    value = native_read(&reply, value.end);
    assert_int_equal(value.integer, 7);
    assert_int_equal(value.end, reply.size);
    reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_in_turn),
        cmocka_unit_test(a_pinned_text_stands_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
