/*
 * test_reply.c - the buffer of a reply: lent memory and the heap, pins, marks and errors.
 */
#include "unit/proto/reply_check.h"

static void put_many(struct reply *reply)
{
    reply_array(reply, 3000);
    for (int i = 0; i < 3000; i++)
        reply_int(reply, i % 10);
}

static void pins_belong_where_they_were_put(void **state)
{
    (void)state;
    const char *text = "[\"pinned\" \"between\" \"last\"]";
    check(put_pins, text, text, text);
    CHECK_BYTES(put_pins, PROTO_NATIVE,
                "\x25\0\0\0\4\3\0\0\0\2\6\0\0\0pinned\2\7\0\0\0between\2\4\0\0\0last");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_belong_where_they_were_put),
        cmocka_unit_test(grows_on_the_heap),
        cmocka_unit_test(several_replies_in_one_buffer),
        cmocka_unit_test(errors_are_counted),
        cmocka_unit_test(marks_and_rewinding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
