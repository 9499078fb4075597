/*
 * reply_check.h - what a reply is as bytes and to an independent parser, for the tests of replies.
 */
#ifndef SHOAL_TESTS_REPLY_CHECK_H
#define SHOAL_TESTS_REPLY_CHECK_H

#include "shoal/proto/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/reply_parse.h"

typedef void (*write_fn)(struct reply *reply);

/* What the client gets: the bytes with the pins put in. */
static inline size_t flatten(const struct reply *reply, char *out)
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

static inline size_t run(write_fn write, enum proto proto, size_t first, size_t spare, char *out)
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

static inline void check_one(write_fn write, enum proto proto, const char *rendering)
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

static inline void check(write_fn write, const char *resp2, const char *resp3, const char *native)
{
    check_one(write, PROTO_RESP2, resp2);
    check_one(write, PROTO_RESP3, resp3);
    check_one(write, PROTO_NATIVE, native);
}

static inline void check_bytes(write_fn write, enum proto proto, const char *expected,
                               size_t expected_size)
{
    static char out[1 << 16];
    size_t size = run(write, proto, 4096, 0, out);
    assert_int_equal(size, expected_size);
    assert_memory_equal(out, expected, size);
}

static inline void put_pins(struct reply *reply)
{
    reply_array(reply, 3);
    assert_true(reply_str_pinned(reply, bytes_str("pinned"), NULL));
    reply_cstr(reply, "between");
    assert_true(reply_str_pinned(reply, bytes_str("last"), NULL));
}

#define CHECK_BYTES(write, proto, text) check_bytes(write, proto, text, sizeof(text) - 1)

#endif
