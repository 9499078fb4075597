/*
 * decode_native.c - native requests: u32 length, u8 strings, and each string behind its u32 size.
 *
 * Each size is checked as soon as it is there, so that a frame which cannot be right is refused
 * before its bytes are buffered.
 */
#include "decode_steps.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "native integers are read as they lie");

enum { HEAD_BYTES = 5, SIZE_BYTES = 4 };

static uint32_t load_u32(const char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static enum decode_status read_head(struct decoder *decoder, const struct decode_limits *limits,
                                    const char *data, size_t size)
{
    if (size < SIZE_BYTES)
        return decoder_more(decoder, HEAD_BYTES);
    uint32_t length = load_u32(data);
    if (length == 0 || length > DECODE_NATIVE_FRAME_MAX)
        return decoder_fail(decoder, "invalid frame length");
    if (size < HEAD_BYTES)
        return decoder_more(decoder, length + SIZE_BYTES);
    uint32_t strings = (unsigned char)data[SIZE_BYTES];
    if (strings == 0 || length - 1 < strings * SIZE_BYTES)
        return decoder_fail(decoder, "invalid string count");
    if (strings > limits->args_max)
        return decoder_fail(decoder, "unauthenticated string count");
    decoder->_args_left = strings;
    decoder->_at = HEAD_BYTES;
    decoder->_state = DECODE_STATE_FRAME;
    return DECODE_OK;
}

static enum decode_status bad_string(struct decoder *decoder, const struct decode_limits *limits,
                                     uint32_t string, uint64_t room)
{
    if (string > room)
        return decoder_fail(decoder, "string exceeds its frame");
    return decoder_fail(decoder, limits->args_max < DECODE_ARGS_MAX
                                     ? "unauthenticated string length"
                                     : "invalid string length");
}

enum decode_status decode_native(struct decoder *decoder, const struct decode_limits *limits,
                                 const char *data, size_t size)
{
    decoder_forget(decoder);
    if (decoder->_state == DECODE_STATE_START) {
        enum decode_status status = read_head(decoder, limits, data, size);
        if (status != DECODE_OK)
            return status;
    }
    size_t at = decoder->_at, frame_end = load_u32(data) + (size_t)SIZE_BYTES;
    while (decoder->_args_left > 0 && at + SIZE_BYTES <= size) {
        uint32_t string = load_u32(data + at);
        /* read_head() and this line keep room for the sizes that are to come */
        size_t room = frame_end - at - (size_t)decoder->_args_left * SIZE_BYTES;
        if (unlikely(string > room || string > limits->bulk_bytes_max))
            return bad_string(decoder, limits, string, room);
        if (unlikely(!decoder_push(decoder, at + SIZE_BYTES, string)))
            return DECODE_NO_MEMORY;
        at += SIZE_BYTES + string;
        decoder->_at = (uint32_t)at;
        decoder->_args_left--;
    }
    if (decoder->_args_left == 0 && unlikely(at != frame_end))
        return decoder_fail(decoder, "bytes left in the frame");
    if (size < frame_end)
        return decoder_more(decoder, frame_end);
    return decoder_done(decoder, data, frame_end);
}
