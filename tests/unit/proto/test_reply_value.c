/*
 * test_reply_value.c - every value in every protocol, as bytes and as an independent parser reads it.
 */
#include "unit/proto/reply_check.h"

#include <math.h>

static void put_pong(struct reply *reply)
{
    reply_simple(reply, "PONG");
}

static void put_split_error(struct reply *reply)
{
    reply_error(reply, "ERR a\r\n+OK\rb\n");
}

static void put_formatted_error(struct reply *reply)
{
    reply_errorf(reply, "ERR unknown command '%.*s'", 5, "x\r\n+Ozzz");
}

static void put_error_that_ends_in_newlines(struct reply *reply)
{
    reply_errorf(reply, "ERR Unsupported option %s", "x\n1\r\n\n");
}

static void put_42(struct reply *reply)
{
    reply_int(reply, 42);
}

static void put_least(struct reply *reply)
{
    reply_int(reply, INT64_MIN);
}

static void put_text(struct reply *reply)
{
    reply_cstr(reply, "hello");
}

static void put_empty(struct reply *reply)
{
    reply_str(reply, bytes_of("", 0));
}

static void put_long(struct reply *reply)
{
    reply_cstr(reply, "a string of more than thirty-two bytes, with \r\n in it");
}

static void put_half(struct reply *reply)
{
    reply_double(reply, 0.5);
}

static void put_infinite(struct reply *reply)
{
    reply_double(reply, -HUGE_VAL);
}

static void put_true(struct reply *reply)
{
    reply_bool(reply, true);
}

static void put_false(struct reply *reply)
{
    reply_bool(reply, false);
}

static void put_verbatim(struct reply *reply)
{
    reply_verbatim(reply, bytes_str("some text"), "txt");
}

static void values(void **state)
{
    (void)state;
    check(reply_ok, "+OK", "+OK", "\"OK\"");
    check(put_pong, "+PONG", "+PONG", "\"PONG\"");
    check(put_42, "42", "42", "42");
    check(put_least, "-9223372036854775808", "-9223372036854775808", "-9223372036854775808");
    check(put_text, "\"hello\"", "\"hello\"", "\"hello\"");
    check(put_empty, "\"\"", "\"\"", "\"\"");
    check(reply_nil, "nil", "nil", "nil");
    check(reply_nil_array, "nil", "nil", "nil");
    check(put_half, "\"0.5\"", ",0.5", "\"0.5\"");
    check(put_infinite, "\"-inf\"", ",-inf", "\"-inf\"");
    check(put_true, "1", "#t", "1");
    check(put_false, "0", "#f", "0");
    check(put_verbatim, "\"some text\"", "=\"txt:some text\"", "\"some text\"");
    const char *text = "\"a string of more than thirty-two bytes, with \r\n in it\"";
    check(put_long, text, text, text);
}

static void errors_stay_on_one_line(void **state)
{
    (void)state;
    const char *clean = "!ERR a  +OK b ", *unknown = "!ERR unknown command 'x  +O'";
    check(put_split_error, clean, clean, clean);
    check(put_formatted_error, unknown, unknown, unknown);
    const char *ended = "!ERR Unsupported option x 1";
    check(put_error_that_ends_in_newlines, ended, ended, ended);
}

static void bytes_on_the_wire(void **state)
{
    (void)state;
    CHECK_BYTES(reply_nil, PROTO_RESP2, "$-1\r\n");
    CHECK_BYTES(reply_nil_array, PROTO_RESP2, "*-1\r\n");
    CHECK_BYTES(reply_nil, PROTO_RESP3, "_\r\n");
    CHECK_BYTES(put_text, PROTO_RESP2, "$5\r\nhello\r\n");
    CHECK_BYTES(put_42, PROTO_RESP3, ":42\r\n");
    CHECK_BYTES(put_42, PROTO_NATIVE, "\x09\0\0\0\3\x2a\0\0\0\0\0\0\0");
    CHECK_BYTES(put_text, PROTO_NATIVE, "\x0a\0\0\0\2\5\0\0\0hello");
    CHECK_BYTES(reply_nil, PROTO_NATIVE, "\1\0\0\0\0");
    CHECK_BYTES(put_empty, PROTO_RESP2, "$0\r\n\r\n");
    CHECK_BYTES(put_verbatim, PROTO_RESP3, "=13\r\ntxt:some text\r\n");
}

static void lengths_of_every_size(void **state)
{
    (void)state;
    static char value[70000], out[80000];
    memset(value, 'v', sizeof(value));
    for (enum proto proto = PROTO_NATIVE; proto <= PROTO_RESP3; proto++) {
        for (size_t size = 0; size <= 70000; size += size < 1100 ? 1 : 9973) {
            struct reply reply;
            reply_init(&reply, proto, NULL, 0, NULL, 0);
            reply_begin(&reply);
            reply_str(&reply, bytes_of(value, size));
            reply_end(&reply);
            enum reply_dialect dialect = proto == PROTO_NATIVE ? DIALECT_NATIVE : DIALECT_RESP3;
            long taken = reply_parse(dialect, reply.base, reply.size, out, sizeof(out));
            assert_int_equal(taken, reply.size);
            assert_int_equal(strlen(out), size + 2);
            reply_fini(&reply);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(errors_stay_on_one_line),
        cmocka_unit_test(bytes_on_the_wire),
        cmocka_unit_test(lengths_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
