/*
 * decode_steps.h - what the decoders of the three forms share. Private to src/proto.
 */
#ifndef SHOAL_SRC_PROTO_DECODE_STEPS_H
#define SHOAL_SRC_PROTO_DECODE_STEPS_H

#include "shoal/base/must.h"
#include "shoal/proto/decode.h"

enum decode_state {
    DECODE_STATE_START, /* at the first byte of a request */
    DECODE_STATE_COUNT, /* in the line "*<count>" */
    DECODE_STATE_BULKS, /* behind it */
    DECODE_STATE_INLINE,
    DECODE_STATE_FRAME, /* native: behind the string count */
};

enum decode_status decode_resp(struct decoder *decoder, const struct decode_limits *limits,
                               const char *data, size_t size);
enum decode_status decode_inline(struct decoder *decoder, const char *data, size_t size);
enum decode_status decode_native(struct decoder *decoder, const struct decode_limits *limits,
                                 const char *data, size_t size);

/* DECODE_BAD with "Protocol error: <text>"; `text` NULL: with an empty error. */
enum decode_status decoder_fail(struct decoder *decoder, const char *text);

/* False when memory is out. */
bool decoder_grow(struct decoder *decoder);

static inline bool decoder_push(struct decoder *decoder, size_t offset, size_t size)
{
    if (unlikely(decoder->argc == decoder->_capacity) && !decoder_grow(decoder))
        return false;
    decoder->args[decoder->argc++] = (struct span){ (uint32_t)offset, (uint32_t)size };
    return true;
}

/* Neither how the last request began nor what was known of it holds for this one. */
static inline void decoder_forget(struct decoder *decoder)
{
    decoder->known = NULL;
    decoder->_head.size = 0;
}

static inline enum decode_status decoder_more(struct decoder *decoder, size_t want)
{
    decoder->want = want < UINT32_MAX ? (uint32_t)want : UINT32_MAX;
    return DECODE_MORE;
}

static inline enum decode_status decoder_done(struct decoder *decoder, const char *base,
                                              size_t size)
{
    decoder->base = base;
    decoder->size = (uint32_t)size;
    decoder->_state = DECODE_STATE_START;
    return DECODE_OK;
}

#endif
