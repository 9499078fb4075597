/*
 * test_protocol.c - requests as bytes, replies whole, cut anywhere and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load/protocol.h"

static struct key_name name;

static void check_layout(const struct protocol *protocol, const char *text, const char *wanted,
                         size_t size)
{
    struct fill fill = { .key = &name, .data_size = 3, .ttl_ms = 1500 };
    struct layout layout = { 0 };
    struct command *command = command_parse("test", text);
    assert_non_null(command);
    assert_true(protocol->lay_out(command, &fill, &layout));
    assert_int_equal(layout.size, size);
    assert_memory_equal(layout.bytes, wanted, size);
    for (uint32_t i = 0; i < layout.patches; i++) {
        if (layout.patch[i].part == PART_KEY)
            assert_memory_equal(layout.bytes + layout.patch[i].offset, name.zero, name.size);
    }
    layout_fini(&layout);
    command_free(&command);
}

#define LAYS_OUT(protocol, text, wanted) check_layout(protocol, text, wanted, sizeof(wanted) - 1)

static void test_requests(void **state)
{
    (void)state;
    assert_true(key_name_init(&name, 8, 100));
    LAYS_OUT(&PROTOCOL_RESP, "GET __key__", "*2\r\n$3\r\nGET\r\n$8\r\nkey:0000\r\n");
    LAYS_OUT(&PROTOCOL_RESP, "SET a__key__b \"x y\" PX __ttl__",
             "*5\r\n$3\r\nSET\r\n$10\r\nakey:0000b\r\n$3\r\nx y\r\n$2\r\nPX\r\n$4\r\n1500\r\n");
    LAYS_OUT(&PROTOCOL_NATIVE, "GET __key__", "\x14\0\0\0\2\3\0\0\0GET\x8\0\0\0key:0000");
    LAYS_OUT(&PROTOCOL_MEMCACHE, "GET __key__", "get key:0000\r\n");
    LAYS_OUT(&PROTOCOL_MEMCACHE, "SET __key__ abc PX __ttl__", "set key:0000 0 2 3\r\nabc\r\n");
}

static void check_scan(const struct protocol *protocol, const char *data, size_t size,
                       enum reply_kind kind, uint64_t values, uint64_t nils)
{
    struct reply reply;
    for (size_t cut = 0; cut < size; cut++) {
        char *copy =
            malloc(cut + 1); /* its own block, so that a sanitizer sees reads past the cut */
        memcpy(copy, data, cut);
        assert_int_equal(protocol->scan(copy, cut, &reply), REPLY_MORE);
        free(copy);
    }
    assert_int_equal(protocol->scan(data, size, &reply), size);
    assert_int_equal(reply.kind, kind);
    assert_int_equal(reply.values, values);
    assert_int_equal(reply.nils, nils);
}

#define SCANS(protocol, data, kind, values, nils)                                                  \
    check_scan(protocol, data, sizeof(data) - 1, kind, values, nils)

static void test_resp_replies(void **state)
{
    (void)state;
    SCANS(&PROTOCOL_RESP, "+OK\r\n", REPLY_OK, 0, 0);
    SCANS(&PROTOCOL_RESP, "-ERR no\r\n", REPLY_ERROR, 0, 0);
    SCANS(&PROTOCOL_RESP, ":-12\r\n", REPLY_INT, 0, 0);
    SCANS(&PROTOCOL_RESP, "$5\r\na\r\nbc\r\n", REPLY_VALUE, 1, 0);
    SCANS(&PROTOCOL_RESP, "$0\r\n\r\n", REPLY_VALUE, 1, 0);
    SCANS(&PROTOCOL_RESP, "$-1\r\n", REPLY_NIL, 0, 1);
    SCANS(&PROTOCOL_RESP, "_\r\n", REPLY_NIL, 0, 1);
    SCANS(&PROTOCOL_RESP, "*3\r\n$1\r\na\r\n$-1\r\n*2\r\n:1\r\n:2\r\n", REPLY_ARRAY, 2, 1);
    SCANS(&PROTOCOL_RESP, "%1\r\n+a\r\n,1.5\r\n", REPLY_ARRAY, 2, 0);
    SCANS(&PROTOCOL_RESP, ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n", REPLY_PUSH, 2, 0);
    SCANS(&PROTOCOL_RESP, "*0\r\n", REPLY_ARRAY, 0, 0);
}

static void test_native_replies(void **state)
{
    (void)state;
    SCANS(&PROTOCOL_NATIVE, "\1\0\0\0\0", REPLY_NIL, 0, 1);
    SCANS(&PROTOCOL_NATIVE, "\x8\0\0\0\2\3\0\0\0abc", REPLY_VALUE, 1, 0);
    SCANS(&PROTOCOL_NATIVE, "\x8\0\0\0\1\3\0\0\0ERR", REPLY_ERROR, 0, 0);
    SCANS(&PROTOCOL_NATIVE, "\x9\0\0\0\3\7\0\0\0\0\0\0\0", REPLY_INT, 0, 0);
    SCANS(&PROTOCOL_NATIVE, "\xc\0\0\0\4\2\0\0\0\0\2\1\0\0\0a", REPLY_ARRAY, 1, 1);
}

static void test_memcache_replies(void **state)
{
    (void)state;
    SCANS(&PROTOCOL_MEMCACHE, "STORED\r\n", REPLY_OK, 0, 0);
    SCANS(&PROTOCOL_MEMCACHE, "NOT_FOUND\r\n", REPLY_OK, 0, 0);
    SCANS(&PROTOCOL_MEMCACHE, "END\r\n", REPLY_NIL, 0, 1);
    SCANS(&PROTOCOL_MEMCACHE, "VALUE k 0 5\r\na\r\nbc\r\nEND\r\n", REPLY_VALUE, 1, 0);
    SCANS(&PROTOCOL_MEMCACHE, "VALUE a 0 1\r\nx\r\nVALUE b 0 0\r\n\r\nEND\r\n", REPLY_ARRAY, 2, 0);
    SCANS(&PROTOCOL_MEMCACHE, "SERVER_ERROR out of memory\r\n", REPLY_ERROR, 0, 0);
    SCANS(&PROTOCOL_MEMCACHE, "ERROR\r\n", REPLY_ERROR, 0, 0);
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    struct reply reply;
    char deep[4 * 100 + 1] = "";
    for (int i = 0; i < 100; i++)
        strcat(deep, "*1\r\n");
    assert_int_equal(PROTOCOL_RESP.scan("hello\r\n", 7, &reply), REPLY_BAD);
    assert_int_equal(PROTOCOL_RESP.scan("$x\r\n", 4, &reply), REPLY_BAD);
    assert_int_equal(PROTOCOL_RESP.scan(deep, strlen(deep), &reply), REPLY_BAD);
    assert_int_equal(PROTOCOL_NATIVE.scan("\0\0\0\0", 4, &reply), REPLY_BAD);
    assert_int_equal(PROTOCOL_NATIVE.scan("\1\0\0\0\x9", 5, &reply), REPLY_BAD);
    assert_int_equal(PROTOCOL_NATIVE.scan("\1\0\0\0\2", 5, &reply), REPLY_BAD);
}

static void test_command_refusals(void **state)
{
    (void)state;
    assert_null(command_parse("x", ""));
    assert_null(command_parse("x", "SET \"open"));
    struct fill fill = { .key = &name };
    struct layout layout = { 0 };
    struct command *command = command_parse("x", "LPUSH a b");
    assert_false(PROTOCOL_MEMCACHE.lay_out(command, &fill, &layout));
    layout_fini(&layout);
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_resp_replies),
        cmocka_unit_test(test_native_replies),
        cmocka_unit_test(test_memcache_replies),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_command_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
