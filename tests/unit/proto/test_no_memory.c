/*
 * test_no_memory.c - memory runs out at every allocation in turn. Stands in for src/proto/resize.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shoal/proto/decode.h"
#include "shoal/proto/reply.h"
#include "shoal/proto/resize.h"

static int allowed = -1; /* allocations until they fail; -1: never */
static size_t largest;

void *proto_resize(void *memory, size_t size)
{
    largest = size > largest ? size : largest;
    if (allowed == 0)
        return NULL;
    allowed -= allowed > 0;
    return realloc(memory, size);
}

static void write_everything(struct reply *reply)
{
    reply_begin(reply);
    reply_array(reply, 400);
    for (int i = 0; i < 100; i++) {
        reply_str_pinned(reply, bytes_str("pin"), NULL);
        reply_mark(reply);
        reply_error(reply, "ERR some\r\n error");
        reply_cstr(reply, "a string of more than thirty-two bytes, to copy");
        reply_double(reply, 1.5);
        reply_verbatim(reply, bytes_str("text"), "txt");
        reply_nil(reply);
        reply_bool(reply, true);
        reply_map(reply, 0);
    }
    reply_end(reply);
}

static void replies_say_so(void **state)
{
    (void)state;
    for (enum proto proto = PROTO_NATIVE; proto <= PROTO_RESP3; proto++) {
        bool failed = true;
        for (int n = 0; failed; n++) {
            struct reply reply;
            char first[64];
            reply_init(&reply, proto, first, sizeof(first), NULL, 0);
            reply.marking = true;
            allowed = n;
            write_everything(&reply);
            failed = reply.no_memory;
            assert_true(n < 100);
            assert_true(failed || n > 5);
            allowed = -1;
            reply_fini(&reply);
        }
    }
}

static void a_pin_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct reply reply;
    char first[64];
    reply_init(&reply, PROTO_RESP2, first, sizeof(first), NULL, 0);
    allowed = 0;
    assert_false(reply_str_pinned(&reply, bytes_str("x"), NULL));
    allowed = -1;
    assert_true(reply.no_memory);
    assert_int_equal(reply.size, 0);
    assert_int_equal(reply.pin_count, 0);
    reply_fini(&reply);
}

static void decoders_can_be_fed_again(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "*20\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
        "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
        "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n",
        "a a a a a a a a a a a a a a a a a a a a\r\n",
        "a \"a\" a a a a a a a a a a a 'a' a a a a a a\r\n",
    };
    const struct decode_limits limits = { 512 << 20, DECODE_ARGS_MAX };
    for (size_t r = 0; r < sizeof(requests) / sizeof(*requests); r++) {
        struct decoder d;
        decoder_init(&d);
        int failures = 0;
        allowed = 0;
        while (decode(&d, PROTO_RESP2, &limits, requests[r], strlen(requests[r])) != DECODE_OK) {
            assert_true(++failures < 10);
            allowed = failures; /* gets a block further each time */
        }
        assert_true(failures > 0);
        assert_int_equal(d.argc, 20);
        for (int i = 0; i < 20; i++)
            assert_memory_equal(d.base + d.args[i].offset, "a", 1);
        allowed = -1;
        decoder_reset(&d);
    }
}

static void declared_sizes_allocate_nothing(void **state)
{
    (void)state;
    static const char *const headers[] = { "*1000000\r\n", "*1000000\r\n$536870912\r\n",
                                           "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nxxx" };
    const struct decode_limits limits = { 512 << 20, DECODE_ARGS_MAX };
    largest = 0;
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        struct decoder d;
        decoder_init(&d);
        assert_int_equal(decode(&d, PROTO_RESP2, &limits, headers[i], strlen(headers[i])),
                         DECODE_MORE);
        decoder_reset(&d);
    }
    struct decoder d;
    decoder_init(&d);
    assert_int_equal(decode(&d, PROTO_NATIVE, &limits, "\xff\xff\xff\x07\xff\0\0\0\0", 9),
                     DECODE_MORE);
    decoder_reset(&d);
    assert_int_equal(largest, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_say_so),
        cmocka_unit_test(a_pin_that_fails_leaves_nothing),
        cmocka_unit_test(decoders_can_be_fed_again),
        cmocka_unit_test(declared_sizes_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
