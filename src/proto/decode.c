/*
 * decode.c - a decoder's life, and the choice of the form it decodes.
 */
#include "shoal/proto/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "decode_steps.h"
#include "shoal/proto/resize.h"

void decoder_init(struct decoder *decoder)
{
    *decoder = (struct decoder){ ._capacity = DECODE_SPANS_INLINE };
    decoder->args = decoder->_inline;
}

static void free_args(struct decoder *decoder)
{
    if (decoder->args != decoder->_inline)
        free(decoder->args);
    decoder->args = decoder->_inline;
    decoder->_capacity = DECODE_SPANS_INLINE;
}

void decoder_reset(struct decoder *decoder)
{
    free_args(decoder);
    free(decoder->_unquoted);
    decoder_init(decoder);
}

void decoder_move(struct decoder *to, struct decoder *from)
{
    *to = *from;
    if (from->args == from->_inline)
        to->args = to->_inline;
    decoder_init(from);
}

/* What the last request left is given back only now: its arguments were the caller's until here. */
static void begin_request(struct decoder *decoder)
{
    decoder->argc = 0;
    decoder->_at = 0;
    decoder->_scan = 0;
    if (unlikely(decoder->_capacity > DECODE_SPANS_KEPT))
        free_args(decoder);
    if (unlikely(decoder->_unquoted != NULL)) {
        free(decoder->_unquoted);
        decoder->_unquoted = NULL;
    }
}

enum decode_status decode(struct decoder *decoder, enum proto proto,
                          const struct decode_limits *limits, const char *data, size_t size)
{
    /* Spans have 32 bits: of a longer pipeline one request sees the first 4 GiB. */
    size_t seen = likely(size <= UINT32_MAX) ? size : UINT32_MAX;
    if (likely(decoder->_state == DECODE_STATE_START))
        begin_request(decoder);
    enum decode_status status = proto == PROTO_NATIVE ? decode_native(decoder, limits, data, seen)
                                                      : decode_resp(decoder, limits, data, seen);
    if (unlikely(status == DECODE_MORE && seen == UINT32_MAX))
        return decoder_fail(decoder, "too big request");
    return status;
}

enum decode_status decoder_fail(struct decoder *decoder, const char *text)
{
    if (text == NULL)
        decoder->error[0] = '\0';
    else
        snprintf(decoder->error, sizeof(decoder->error), "Protocol error: %s", text);
    return DECODE_BAD;
}

/* Doubles: an argument takes 8 bytes here and at least 4 on the wire, so the block follows the
 * data. */
bool decoder_grow(struct decoder *decoder)
{
    bool on_heap = decoder->args != decoder->_inline;
    uint32_t capacity = decoder->_capacity * 2;
    struct span *args =
        proto_resize(on_heap ? decoder->args : NULL, capacity * sizeof(struct span));
    if (args == NULL)
        return false;
    if (!on_heap)
        memcpy(args, decoder->_inline, sizeof(decoder->_inline));
    decoder->args = args;
    decoder->_capacity = capacity;
    return true;
}
