/*
 * split.h - the fuzzers' oracle: a stream fed whole and fed byte by byte gives the same requests.
 *
 * Each feeding is folded into one number over every argument's bytes, each request's size and the
 * final error. Memory is copied to blocks of exactly the size that has "arrived", so that
 * AddressSanitizer sees a read beyond it.
 */
#ifndef SHOAL_TESTS_FUZZ_SPLIT_H
#define SHOAL_TESTS_FUZZ_SPLIT_H

#include <stdio.h>
#include <stdlib.h>

#include "shoal/proto/decode.h"

static uint64_t fold(uint64_t sum, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t fold_request(uint64_t sum, const struct decoder *d, size_t arrived)
{
    if (d->size == 0 || d->size > arrived)
        abort();
    sum = fold(sum, &d->size, sizeof(d->size));
    for (uint32_t i = 0; i < d->argc; i++) {
        sum = fold(sum, &d->args[i].size, sizeof(d->args[i].size));
        sum = fold(sum, d->base + d->args[i].offset, d->args[i].size);
    }
    return sum;
}

static uint64_t feed(enum proto proto, const struct decode_limits *limits, const uint8_t *data,
                     size_t size, size_t step)
{
    struct decoder d;
    uint64_t sum = 0xcbf29ce484222325u;
    size_t at = 0, arrived = 0;
    decoder_init(&d);
    for (enum decode_status status = DECODE_MORE; status != DECODE_BAD;) {
        if (status == DECODE_MORE) {
            if (arrived == size)
                break;
            arrived = size - arrived > step ? arrived + step : size;
        }
        size_t n = arrived - at;
        char *block = malloc(n ? n : 1);
        memcpy(block, data + at, n);
        status = decode(&d, proto, limits, block, n);
        if (status == DECODE_NO_MEMORY || (status == DECODE_MORE && d.want <= n))
            abort();
        if (status == DECODE_OK) {
            sum = fold_request(sum, &d, n);
            at += d.size;
        }
        free(block);
    }
    if (d.error[0] != '\0')
        sum = fold(sum, d.error, strlen(d.error));
    decoder_reset(&d);
    return sum;
}

static int check_splits(enum proto proto, const uint8_t *data, size_t size)
{
    static const struct decode_limits usual = { 512 << 20, DECODE_ARGS_MAX };
    static const struct decode_limits before_auth = { DECODE_UNAUTH_BULK_MAX,
                                                      DECODE_UNAUTH_ARGS_MAX };
    const struct decode_limits *limits = size % 4 == 0 ? &before_auth : &usual;
    uint64_t whole = feed(proto, limits, data, size, size);
    if (feed(proto, limits, data, size, 1) != whole || feed(proto, limits, data, size, 7) != whole)
        abort();
    return 0;
}

#endif
