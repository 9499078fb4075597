/*
 * decode_check.h - what the tests of the decoders share.
 */
#ifndef SHOAL_TESTS_DECODE_CHECK_H
#define SHOAL_TESTS_DECODE_CHECK_H

#include "shoal/proto/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct decode_limits usual = { 512 << 20, DECODE_ARGS_MAX };
static const struct decode_limits before_auth = { DECODE_UNAUTH_BULK_MAX, DECODE_UNAUTH_ARGS_MAX };

static inline void assert_arg(const struct decoder *d, uint32_t i, const char *text)
{
    assert_true(i < d->argc);
    assert_int_equal(d->args[i].size, strlen(text));
    assert_memory_equal(d->base + d->args[i].offset, text, strlen(text));
}

static inline void assert_bad(enum proto proto, const struct decode_limits *limits,
                              const char *data, size_t size, const char *error)
{
    struct decoder d;
    decoder_init(&d);
    assert_int_equal(decode(&d, proto, limits, data, size), DECODE_BAD);
    assert_string_equal(d.error, error);
    decoder_reset(&d);
}

#endif
