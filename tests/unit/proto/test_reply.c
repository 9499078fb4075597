/*
 * test_reply.c - every element in every protocol, as bytes and as an independent parser reads it.
 */
#include "shoal/proto/reply.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/reply_parse.h"

typedef void (*write_fn)(struct reply *reply);

/* What the client gets: the bytes with the pins put in. */
static size_t flatten(const struct reply *reply, char *out)
{
    size_t from = 0, size = 0;
    for (uint32_t i = 0; i < reply->pin_count; i++) {
        const struct reply_pin *pin = &reply->pins[i];
        memcpy(out + size, reply->base + from, pin->offset - from);
        size += pin->offset - from;
        from = pin->offset;
        memcpy(out + size, pin->text.data, pin->text.size);
        size += pin->text.size;
    }
    memcpy(out + size, reply->base + from, reply->size - from);
    return size + reply->size - from;
}

static size_t run(write_fn write, enum proto proto, size_t first, size_t spare, char *out)
{
    char *lent = malloc(first + 1),
         *lent_too = malloc(spare + 1); /* exact: sanitizers watch the end */
    struct reply reply;
    lent = realloc(lent, first ? first : 1);
    reply_init(&reply, proto, lent, first, spare ? lent_too : NULL, spare);
    reply_begin(&reply);
    write(&reply);
    reply_end(&reply);
    assert_false(reply.no_memory);
    size_t size = flatten(&reply, out);
    reply_fini(&reply);
    free(lent);
    free(lent_too);
    return size;
}

static void check_one(write_fn write, enum proto proto, const char *rendering)
{
    static char out[1 << 16], again[1 << 16], text[1 << 16];
    enum reply_dialect dialect = proto == PROTO_NATIVE  ? DIALECT_NATIVE
                                 : proto == PROTO_RESP2 ? DIALECT_RESP2
                                                        : DIALECT_RESP3;
    size_t size = run(write, proto, 4096, 0, out);
    assert_int_equal(reply_parse(dialect, out, size, text, sizeof(text)), size);
    assert_string_equal(text, rendering);
    /* no lent memory, too little, just enough: the same bytes */
    for (size_t first = 0; first <= size + 1 && first < 100; first++) {
        assert_int_equal(run(write, proto, first, 0, again), size);
        assert_memory_equal(again, out, size);
        assert_int_equal(run(write, proto, first, 20, again), size);
        assert_memory_equal(again, out, size);
    }
}

static void check(write_fn write, const char *resp2, const char *resp3, const char *native)
{
    check_one(write, PROTO_RESP2, resp2);
    check_one(write, PROTO_RESP3, resp3);
    check_one(write, PROTO_NATIVE, native);
}

static void check_bytes(write_fn write, enum proto proto, const char *expected,
                        size_t expected_size)
{
    static char out[1 << 16];
    size_t size = run(write, proto, 4096, 0, out);
    assert_int_equal(size, expected_size);
    assert_memory_equal(out, expected, size);
}

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
static void put_map(struct reply *reply)
{
    reply_map(reply, 2);
    reply_cstr(reply, "a");
    reply_int(reply, 1);
    reply_cstr(reply, "b");
    reply_array(reply, 2);
    reply_nil(reply);
    reply_set(reply, 1);
    reply_ok(reply);
}
static void put_nil_array(struct reply *reply)
{
    reply_array(reply, 2);
    reply_cstr(reply, "message");
    reply_nil_array(reply);
}
static void put_empty_containers(struct reply *reply)
{
    reply_array(reply, 3);
    reply_array(reply, 0);
    reply_map(reply, 0);
    reply_set(reply, 0);
}
static void put_pins(struct reply *reply)
{
    reply_array(reply, 3);
    assert_true(reply_str_pinned(reply, bytes_str("pinned"), NULL));
    reply_cstr(reply, "between");
    assert_true(reply_str_pinned(reply, bytes_str("last"), NULL));
}
static void put_many(struct reply *reply)
{
    reply_array(reply, 3000);
    for (int i = 0; i < 3000; i++)
        reply_int(reply, i % 10);
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
}

static void containers(void **state)
{
    (void)state;
    check(put_map, "[\"a\" 1 \"b\" [nil [+OK]]]", "{\"a\" 1 \"b\" [nil ~[+OK]]}",
          "[\"a\" 1 \"b\" [nil [\"OK\"]]]");
    check(put_nil_array, "[\"message\" nil]", "[\"message\" nil]", "[\"message\" nil]");
    check(put_empty_containers, "[[] [] []]", "[[] {} ~[]]", "[[] [] []]");
}

static void bytes_on_the_wire(void **state)
{
    (void)state;
#define BYTES(text) text, sizeof(text) - 1
    check_bytes(reply_nil, PROTO_RESP2, BYTES("$-1\r\n"));
    check_bytes(reply_nil_array, PROTO_RESP2, BYTES("*-1\r\n"));
    check_bytes(reply_nil, PROTO_RESP3, BYTES("_\r\n"));
    check_bytes(put_text, PROTO_RESP2, BYTES("$5\r\nhello\r\n"));
    check_bytes(put_42, PROTO_RESP3, BYTES(":42\r\n"));
    check_bytes(put_42, PROTO_NATIVE, BYTES("\x09\0\0\0\3\x2a\0\0\0\0\0\0\0"));
    check_bytes(put_text, PROTO_NATIVE, BYTES("\x0a\0\0\0\2\5\0\0\0hello"));
    check_bytes(reply_nil, PROTO_NATIVE, BYTES("\1\0\0\0\0"));
    check_bytes(put_empty, PROTO_RESP2, BYTES("$0\r\n\r\n"));
    check_bytes(put_verbatim, PROTO_RESP3, BYTES("=13\r\ntxt:some text\r\n"));
    check_bytes(put_pins, PROTO_NATIVE,
                BYTES("\x25\0\0\0\4\3\0\0\0\2\6\0\0\0pinned\2\7\0\0\0between\2\4\0\0\0last"));
#undef BYTES
}

static void pins_belong_where_they_were_put(void **state)
{
    (void)state;
    const char *text = "[\"pinned\" \"between\" \"last\"]";
    check(put_pins, text, text, text);
}

static void grows_on_the_heap(void **state)
{
    (void)state;
    static char out[1 << 16];
    for (enum proto proto = PROTO_NATIVE; proto <= PROTO_RESP3; proto++) {
        size_t size = run(put_many, proto, 100, 300, out);
        enum reply_dialect dialect = proto == PROTO_NATIVE  ? DIALECT_NATIVE
                                     : proto == PROTO_RESP2 ? DIALECT_RESP2
                                                            : DIALECT_RESP3;
        assert_int_equal(reply_count(dialect, out, size), 1);
    }
}

static void several_replies_in_one_buffer(void **state)
{
    (void)state;
    for (enum proto proto = PROTO_NATIVE; proto <= PROTO_RESP3; proto++) {
        struct reply reply;
        char out[512];
        reply_init(&reply, proto, NULL, 0, NULL, 0);
        for (int i = 0; i < 5; i++) {
            reply_begin(&reply);
            put_pins(&reply);
            reply_end(&reply);
        }
        size_t size = flatten(&reply, out);
        assert_int_equal(
            reply_count(proto == PROTO_NATIVE ? DIALECT_NATIVE : DIALECT_RESP2, out, size), 5);
        assert_int_equal(reply.pin_count, 10);
        reply_fini(&reply);
    }
}

static void errors_are_counted(void **state)
{
    (void)state;
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_ok(&reply);
    assert_int_equal(reply.errors, 0);
    reply_error(&reply, "WRONGTYPE Operation against a key");
    assert_string_equal(reply.error_code, "WRONGTYPE");
    reply_error(&reply, "AVERYLONGFIRSTWORDTHATNOBODYSHOULDUSE x");
    assert_int_equal(strlen(reply.error_code), sizeof(reply.error_code) - 1);
    reply_error(&reply, "");
    assert_string_equal(reply.error_code, "");
    assert_int_equal(reply.errors, 3);
    reply_fini(&reply);
}

static void marks_and_rewinding(void **state)
{
    (void)state;
    for (enum proto proto = PROTO_NATIVE; proto <= PROTO_RESP3; proto++) {
        struct reply reply;
        reply_init(&reply, proto, NULL, 0, NULL, 0);
        reply_mark(&reply);
        assert_int_equal(reply.mark_count, 0);
        reply.marking = true;
        for (int i = 0; i < 100; i++) {
            reply_str_pinned(&reply, bytes_str("x"), NULL);
            reply_mark(&reply);
            assert_int_equal(reply.marks[i], reply.size);
        }
        reply_rollback(&reply, reply.marks[9]);
        assert_int_equal(reply.mark_count, 10);
        assert_int_equal(reply.pin_count, 10);
        assert_int_equal(reply.size, reply.marks[9]);
        reply_rollback(&reply, 0);
        assert_int_equal(reply.mark_count, 0);
        assert_int_equal(reply.pin_count, 0);
        reply_error(&reply, "ERR instead");
        assert_int_equal(reply.errors, 1);
        reply_fini(&reply);
    }
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
        cmocka_unit_test(containers),
        cmocka_unit_test(bytes_on_the_wire),
        cmocka_unit_test(pins_belong_where_they_were_put),
        cmocka_unit_test(grows_on_the_heap),
        cmocka_unit_test(several_replies_in_one_buffer),
        cmocka_unit_test(errors_are_counted),
        cmocka_unit_test(marks_and_rewinding),
        cmocka_unit_test(lengths_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
